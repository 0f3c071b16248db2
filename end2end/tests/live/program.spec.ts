import { type Page } from '@playwright/test';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, test } from '../../helper';

const chip = '.freshness summary';
/** What the style sheet says over the page: how high, and words. */
const said = (page: Page) =>
  page.locator('body').evaluate((body) => {
    const { content, height } = getComputedStyle(body, '::before');
    return content === 'none' ? '' : `${Math.floor(parseFloat(height))} ${content}`;
  });
/** How all that says what is current looks, each way once. */
const look = (page: Page) => page.locator('.drawn').evaluateAll((all) => [...new Set(all.map((one) => getComputedStyle(one).filter))]);
const OLD = ['saturate(0.35)'];
const stands = /^[1-9]\d* .*This page stands still/;

test.beforeEach(async ({ page, masthead }) => {
  // Everything is listed, so that a first paint says as of when.
  await expect(async () => expect((await page.request.get(`${masthead.url}/readyz`)).ok()).toBe(true)).toPass();
});

// As a browser does with all that is on its way when it is told that the network has changed.
for (const [what, files] of [
  ['program', /\.wasm$/],
  ['module that loads it', /\/masthead[^/]*\.js(\?|$)/],
] as const) {
  test.describe(`a ${what} that did not come`, () => {
    test.use({ expectedErrors: [/did not come|ERR_ADDRESS_UNREACHABLE|Failed to fetch/i] });

    test('is asked for until it comes, and until then the page says that it stands still', async ({ page }) => {
      let failed = 0;
      let broken = true;
      await page.route(files, (route) => (broken ? route.abort('addressunreachable') : route.continue()));
      page.on('console', (message) => (failed += Number(message.text().startsWith('the program of this page did not come'))));
      let loads = 0;
      page.on('load', () => (loads += 1));
      await page.goto('/pods');
      await expect(page.locator(chip)).toHaveText(/^as of \d\d:\d\d:\d\d UTC/);
      await expect.poll(() => said(page), { timeout: 20_000 }).toMatch(stands);
      await expect(page.locator(chip)).toHaveText(/^as of/);
      expect(failed, 'times that it was asked for').toBeGreaterThan(1);
      broken = false;
      await expect(page.locator(chip)).toContainText('live', { timeout: 40_000 });
      await expect.poll(() => said(page)).toBe('');
      expect(loads, 'without being loaded anew').toBe(1);
    });
  });
}

for (const file of ['js', 'wasm']) {
  test.describe(`a program of a build that is no more, by its ${file}`, () => {
    test.use({ expectedErrors: [/did not come|404|Failed to fetch/i] });

    test('is not waited for: the page of the new build is loaded, once it answers', async ({ page }) => {
      const old = `masthead-0123456789abcdef.${file}`;
      let answers: 'old' | 'a portal' | 'new' = 'old';
      await page.route(/\/pods$/, async (route) => {
        if (answers === 'new') return route.continue();
        if (answers === 'a portal') return route.fulfill({ contentType: 'text/html', body: '<title>Welcome</title>' });
        const answer = await route.fetch();
        await route.fulfill({ response: answer, body: (await answer.text()).replaceAll(new RegExp(`masthead-[0-9a-f]+\\.${file}`, 'g'), old) });
      });
      let gone = 0;
      page.on('response', (answer) => (gone += Number(answer.url().includes(old) && answer.status() === 404)));
      let loads = 0;
      page.on('load', () => (loads += 1));
      await page.goto('/pods');
      await expect.poll(() => gone, { timeout: 20_000 }).toBeGreaterThan(2);
      answers = 'a portal';
      const before = gone;
      await expect.poll(() => gone, { timeout: 40_000 }).toBeGreaterThan(before);
      expect(loads, 'not loaded while there is nothing new').toBe(1);
      answers = 'new';
      await expect.poll(() => loads, { timeout: 60_000 }).toBe(2);
      await expect(page.locator(chip)).toContainText('live');
    });
  });
}

test.describe('a document that breaks off in the middle', () => {
  test.use({ expectedErrors: [/ERR_CONNECTION_RESET|a request left the server: http:\/\/127\.0\.0\.1:/] });

  test('is loaded anew', async ({ page, masthead }) => {
    const whole = await (await page.request.get(`${masthead.url}/pods`)).text();
    const part = whole.slice(0, whole.indexOf('id="seed"') + 100);
    // A hop that breaks the first document off, and passes on everything else.
    let broken = false;
    const hop = createServer((near) => {
      near.once('data', (asked) => {
        if (!broken && asked.toString().startsWith('GET /pods ')) {
          broken = true;
          near.write(`HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: ${whole.length * 2}\r\n\r\n${part}`);
          setTimeout(() => near.resetAndDestroy(), 500);
          return;
        }
        const far = connect(Number(new URL(masthead.url).port), '127.0.0.1');
        far.write(asked);
        near.pipe(far).pipe(near);
        far.on('error', () => near.destroy());
      });
      near.on('error', () => undefined);
    });
    await new Promise<void>((listens) => hop.listen(0, '127.0.0.1', listens));
    await page.goto(`http://127.0.0.1:${(hop.address() as AddressInfo).port}/pods`, { waitUntil: 'commit' });
    await expect(page.locator(chip)).toContainText('live', { timeout: 60_000 });
    expect(broken).toBe(true);
    hop.close();
  });
});

/** What of the page's rows was there when the program took over. */
type Told = { gates?: { all: number; current: number } };

for (const [name, sleeps] of [['', false], [', also if the computer has slept since', true]] as const) {
  test(`a program that comes late takes what the document says for as old as it is, from the first frame on${name}`, async ({ page }) => {
    await page.route(/\.wasm$/, async (route) => {
      await new Promise((go) => setTimeout(go, 7_000));
      await route.continue();
    });
    // As where what counts from a page's beginning stands still meanwhile.
    if (sleeps) await page.addInitScript(() => (performance.now = () => 100));
    // Nor does the program hear anything of Masthead yet.
    await page.routeWebSocket(/\/live/, () => undefined);
    await page.addInitScript(() => {
      const told = window as unknown as Told;
      new MutationObserver((_, observer) => {
        if (!document.documentElement.hasAttribute('data-runs')) return;
        observer.disconnect();
        // What the next frame shows.
        requestAnimationFrame(() => {
          const gates = [...document.querySelectorAll('.gate')];
          told.gates = { all: gates.length, current: gates.filter((gate) => !gate.matches('.stale')).length };
        });
      }).observe(document, { attributes: true, subtree: true });
    });
    await page.goto('/pods');
    await expect(page.locator('main')).toContainText('example-pod-randomforest');
    await expect.poll(() => look(page), { timeout: 6_000 }).toEqual(OLD);
    await expect(page.locator(':root')).toHaveAttribute('data-old');
    const gates = () => page.evaluate(() => (window as unknown as Told).gates);
    await expect.poll(gates, { timeout: 20_000 }).toBeDefined();
    expect(await gates(), 'parts of the page').toEqual({ all: 1, current: 0 });
    await expect(page.locator('.gate.stale')).toBeVisible();
    expect(await look(page), 'the same as without the program').toContain(OLD[0]);
  });
}

for (const reducedMotion of ['no-preference', 'reduce'] as const) {
  test.describe(`without scripts, motion: ${reducedMotion}`, () => {
    test.use({ javaScriptEnabled: false, contextOptions: { reducedMotion } });

    test('a page says that it stands still, and covers nothing with that', async ({ page }) => {
      await page.goto('/pods');
      expect(await said(page)).toMatch(/^0 /);
      // What was drawn is some seconds old soon, and nobody says that it is so still.
      await expect(page.locator('.gate')).toHaveCSS('animation-name', 'drawn');
      await expect(page.locator('.gate')).toHaveCSS('animation-duration', '3s');
      await expect.poll(() => look(page), { timeout: 6_000 }).toEqual(OLD);
      expect(await page.locator('.drawn').count(), 'rows, how many match, and counts in the bar').toBeGreaterThan(3);
      await expect.poll(() => said(page), { timeout: 20_000 }).toMatch(stands);
      const [height, bar] = await Promise.all([said(page), page.locator('header.bar').boundingBox()]);
      expect(bar!.y).toBeGreaterThanOrEqual(parseInt(height));
    });
  });
}
