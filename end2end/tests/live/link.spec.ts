import { expect, test } from '../../helper';
import { Update } from '../../update';

// What the console says of a socket that a stopped server refuses.
test.use({ expectedErrors: [/WebSocket connection to .* failed|ERR_CONNECTION_REFUSED/] });

const chip = '.freshness summary';

test('a server that dies is seen at once, and its return without a reload', async ({ page, masthead }) => {
  await page.goto('/pods');
  await expect(page.locator(chip)).toContainText('live');
  await page.evaluate(() => ((window as unknown as { same: boolean }).same = true));
  await masthead.stop();
  await expect(page.locator(chip)).not.toContainText('live', { timeout: 5_000 });
  await expect(page.locator('.gate.stale').first()).toBeVisible();
  await expect(page.locator('main')).toContainText('example-pod-randomforest'); // what was known stays
  await masthead.start();
  await expect(page.locator(chip)).toContainText('live', { timeout: 25_000 });
  await expect(page.locator('.gate.stale')).toHaveCount(0);
  expect(await page.evaluate(() => (window as unknown as { same?: boolean }).same)).toBe(true);
});

test('a server that freezes is found out within ten seconds', async ({ page, masthead }) => {
  await page.goto('/pods');
  await expect(page.locator(chip)).toContainText('live');
  masthead.pause();
  await expect(page.locator(chip)).not.toContainText('live', { timeout: 10_000 });
  await expect(page.locator('.gate.stale').first()).toBeVisible();
  masthead.resume();
  await expect(page.locator(chip)).toContainText('live', { timeout: 25_000 });
});

test('another build of the server loads the page anew, once its page is there', async ({ page, masthead }) => {
  const update = await Update.of(page, masthead, /\/pods$/);
  update.answers = 'old';
  let loads = 0;
  page.on('load', () => (loads += 1));
  await page.goto('/pods');
  await expect(page.locator(chip)).toContainText('live');
  expect(loads).toBe(1);
  update.begin();
  await masthead.restart();
  // As behind a proxy that keeps the old one, or with some servers still to be replaced: it says so and does not spin.
  await page.locator(chip).click();
  await expect(page.locator('.freshness')).toContainText('its address still answers with the old page', { timeout: 25_000 });
  expect(loads, 'not loaded while there is nothing new').toBe(1);
  update.answers = 'new';
  await expect.poll(() => loads, { timeout: 40_000 }).toBe(2);
  await expect(page.locator(chip)).toContainText('live');
});

test('what is shown of one object is not live again before it has come again', async ({ page, masthead }) => {
  let hold = false;
  let heard = 0;
  const held: (() => void)[] = [];
  await page.routeWebSocket(/\/live/, (socket) => {
    const server = socket.connectToServer();
    // All that a page says here is what it looks at.
    socket.onMessage((message) => {
      if (hold) held.push(() => server.send(message));
      else server.send(message);
    });
    server.onMessage((message) => {
      heard += 1;
      socket.send(message);
    });
  });
  await page.goto('/pods/default/example-pod-randomforest');
  await expect(page.locator(chip)).toContainText('live');
  hold = true;
  await masthead.restart();
  await expect.poll(() => held.length, { timeout: 25_000 }).toBeGreaterThan(0);
  const before = heard;
  // Rows and beats come; the rest of the page is still from before.
  await expect.poll(() => heard, { timeout: 15_000 }).toBeGreaterThan(before + 3);
  await expect(page.locator(chip)).not.toContainText('live');
  hold = false;
  held.forEach((send) => send());
  await expect(page.locator(chip)).toContainText('live', { timeout: 10_000 });
});
