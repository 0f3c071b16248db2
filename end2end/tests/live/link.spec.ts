import { expect, test } from '../../helper';

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
