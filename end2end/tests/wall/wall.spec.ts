import { axe, expect, test, theme } from '../../helper';
import { Update } from '../../update';
import { age } from './ages';
import { Broken } from './broken';
import { fits, live, screens } from './screen';

const wall = '.wall';
const refused = /WebSocket connection to .* failed|ERR_CONNECTION_REFUSED|Failed to load resource/;

test.describe('what is broken', () => {
  // Four times as fast: what breaks in the tutorial has broken within a quarter of a minute.
  test.use({ mastheadArgs: ['--demo', '--demo-speed', '4'] });
  test.setTimeout(120_000);

  test('it says what, where, why and since when, on every screen', async ({ page }) => {
    await page.goto('/wall?pages=problems&namespace=default,team-listing');
    await live(page);
    const first = page.locator('.problem.failing').first();
    await expect(first).toBeVisible({ timeout: 60_000 });
    await expect(first.locator('.name')).not.toBeEmpty();
    await expect(first.locator('.where')).toContainText(/(pod|pods of \w+|deployment) · (default|team-listing)/);
    await expect(first.locator('.why')).not.toBeEmpty();
    await expect(page.locator('.problem .since').filter({ hasText: /since \d\d:\d\d:\d\d \(\w+\)/ }).first()).toBeVisible();
    for (const screen of screens) {
      await page.setViewportSize(screen);
      await fits(page, `${screen.width}x${screen.height}`);
    }
  });

  test('the fewer, the larger', async ({ page }) => {
    await page.goto('/wall?pages=problems');
    await live(page);
    const size = () =>
      page.evaluate(() => {
        const names = [...document.querySelectorAll('.problem .name')];
        return { count: names.length, px: names[0] ? parseFloat(getComputedStyle(names[0]).fontSize) : 0 };
      });
    const seen = new Map<number, number>();
    await expect(async () => {
      const { count, px } = await size();
      if (count) seen.set(count, px);
      expect(seen.size).toBeGreaterThan(1);
    }).toPass({ timeout: 90_000, intervals: [300] });
    const [few, ...more] = [...seen].sort(([a], [b]) => a - b);
    for (const [, px] of more) expect(px).toBeLessThan(few![1]);
  });

  test('a new problem interrupts the other pages, is held, and says that it is new', async ({ page }) => {
    await page.goto('/wall?pages=overview,nodes&every=1h');
    await live(page);
    await expect(page.locator(wall)).toHaveClass(/view-overview/);
    await expect(page.locator(wall)).toHaveClass(/view-problems/, { timeout: 60_000 });
    await expect(page.locator('.problem').first()).toHaveClass(/\bnew\b/, { timeout: 30_000 });
    await expect(page.locator('.problem').first().locator('.badge')).toHaveText('NEW', { timeout: 30_000 });
    await expect(page).toHaveURL(/pages=overview,nodes&every=1h$/);
  });

  test('rollouts in progress, with their picture in the small form', async ({ page }) => {
    test.setTimeout(180_000);
    await page.goto('/wall?pages=rollouts&every=1h&labelSelector=app%3Ddep-randomforest');
    await live(page);
    // At the same moment, for an update is over in seconds. Alone it has its lanes too, which come from the server's picture.
    await page.waitForFunction(
      () => {
        const rolling = [...document.querySelectorAll('.rolling')].find((one) => one.textContent!.includes('example-deployment-randomforest'));
        const seen = (selector: string) => rolling?.querySelector(selector)?.checkVisibility();
        return seen('.strip') && seen('.small-lanes .shapes') && /\d of \d updated/.test(rolling!.querySelector('.numbers')?.textContent ?? '');
      },
      undefined,
      { timeout: 120_000 },
    );
    for (const screen of screens) {
      await page.setViewportSize(screen);
      await fits(page, `${screen.width}x${screen.height}`);
    }
  });
});

test.describe('hundreds of broken pods', () => {
  test.use({
    mastheadArgs: async ({}, use) => {
      const broken = new Broken(700);
      await broken.start();
      await use(['--kubeconfig', broken.kubeconfig]);
      await broken.stop();
    },
  });

  for (const view of ['problems', 'nodes', 'overview']) {
    test(`${view} shows what fits and counts the rest`, async ({ page }) => {
      test.slow();
      await page.goto(`/wall?pages=${view}&every=1h`);
      await live(page, 40_000);
      const title = page.getByRole('heading', { level: 1 });
      if (view === 'problems') {
        // 700 pods and 14 nodes
        await expect(title).toHaveText(/714 problems and 708 more/);
        await expect(page.locator('.problem')).toHaveCount(6);
      }
      if (view === 'nodes') {
        await expect(title).toHaveText(/26 of 40 nodes ready and 34 more/);
        await expect(page.locator('.node-now.unknown')).toHaveCount(6);
      }
      for (const screen of screens) {
        await page.setViewportSize(screen);
        await fits(page, `${view} at ${screen.width}x${screen.height}`);
      }
    });
  }
});

test.describe('the other pages', () => {
  for (const view of ['nodes', 'overview', 'rollouts']) {
    test(`${view} fits every screen and passes an audit`, async ({ page }) => {
      test.slow();
      await page.emulateMedia({ reducedMotion: 'reduce' });
      await page.goto(`/wall?pages=${view}&every=1h&namespace=team-fraud`);
      await live(page);
      await expect(page.locator(wall)).toHaveClass(new RegExp(`view-${view}`));
      for (const screen of screens) {
        await page.setViewportSize(screen);
        await fits(page, `${view} at ${screen.width}x${screen.height}`);
      }
      for (const scheme of ['light', 'dark'] as const) {
        await theme(page, scheme);
        await axe(page);
      }
    });
  }

  test('nodes say how they stand and how full they are', async ({ page }) => {
    await page.goto('/wall?pages=nodes');
    await live(page);
    await expect(page.getByRole('heading', { level: 1 })).toContainText(/4 nodes ready|\d of 4 nodes ready/);
    const node = page.locator('.node-now').filter({ hasText: 'demo-worker2' });
    await expect(node).toContainText(/Ready · \d+ pods/);
    await expect(node).toContainText(/CPU \d+ %/);
  });
});

test('with nothing wrong it rests on a calm sign with counts', async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.goto('/wall?namespace=team-fraud&every=5s');
  await live(page);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('All is well');
  await expect(page.locator('.calm')).toContainText(/\d+ pods? · \d+ workloads? · 4 nodes/);
  for (const screen of screens) {
    await page.setViewportSize(screen);
    await fits(page, `${screen.width}x${screen.height}`);
  }
  await axe(page);
  // It does not turn: longer than two turns.
  await expect(async () => expect(await page.locator('.clock').textContent()).toMatch(/[05]$/)).toPass();
  const turns = await page.evaluate(async () => {
    const seen = new Set<string>();
    const until = performance.now() + 11_000;
    while (performance.now() < until) {
      seen.add(document.querySelector('h1')!.textContent!);
      await new Promise(requestAnimationFrame);
    }
    return [...seen];
  });
  expect(turns).toEqual(['All is well']);
});

test('a namespace without anything in it is not well, and one that is not there is said', async ({ page }) => {
  await page.goto('/wall?namespace=nowhere');
  await live(page);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Nothing is here');
  await expect(page.locator('.wall-said')).toContainText('There is no namespace nowhere.');
});

test('the pages that are named come round in their order', async ({ page }) => {
  await page.goto('/wall?pages=overview,nodes&every=5s&namespace=team-fraud');
  await live(page);
  for (const view of ['nodes', 'overview', 'nodes']) {
    await expect(page.locator(wall)).toHaveClass(new RegExp(`view-${view}`), { timeout: 9_000 });
  }
});

test('what means nothing in the address is said, small, and the default holds', async ({ page }) => {
  await page.goto('/wall?pages=pods,nodes&every=20&dim=10pm&labelSelector=a%3D%3D%3D');
  await live(page);
  for (const said of ['pages=pods is none of', 'every=20 is no time', 'dim=10pm is no time of day', 'labelSelector=a===']) {
    await expect(page.locator('.wall-said')).toContainText(said);
  }
  await expect(page.locator(wall)).toHaveClass(/view-nodes/);
  for (const screen of screens) {
    await page.setViewportSize(screen);
    await fits(page, `${screen.width}x${screen.height}`);
  }
});

test('clock, date, freshness and cluster are there, in the time of the browser', async ({ browser, masthead }) => {
  const context = await browser.newContext({ timezoneId: 'Asia/Kolkata', baseURL: masthead.url });
  const page = await context.newPage();
  await page.goto('/wall');
  await live(page);
  await expect(page.locator('.wall-bar .cluster')).toHaveText('demo');
  await expect(page.getByText('DEMO', { exact: true })).toBeVisible();
  const shown = async () => {
    const [hours, minutes, seconds] = (await page.locator('.clock').textContent())!.split(':').map(Number);
    return hours! * 3600 + minutes! * 60 + seconds!;
  };
  await expect(async () => {
    const expected = (Math.floor(Date.now() / 1000) + 5.5 * 3600) % 86_400;
    expect(Math.abs((await shown()) - expected)).toBeLessThan(5);
  }).toPass();
  const date = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', timeZone: 'Asia/Kolkata' });
  await expect(page.locator('.date')).toHaveText(date.format(new Date()).replace(',', '').replace('Sept', 'Sep'));
  await context.close();
});

test.describe('when the server is gone', () => {
  test.use({ expectedErrors: [refused] });
  test.setTimeout(90_000);

  test('the whole screen says so, since when and why, and comes back by itself', async ({ page, masthead }) => {
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await page.goto('/wall?namespace=team-fraud');
    await live(page);
    await page.evaluate(() => ((window as unknown as { same: boolean }).same = true));
    await masthead.stop();
    const sign = page.locator('.not-live');
    await expect(sign).toBeVisible({ timeout: 6_000 });
    await expect(sign.locator('.huge')).toHaveText('NOT LIVE');
    await expect(sign).toContainText(/since \d\d:\d\d:\d\d \(\d+s\)/);
    await expect(sign).toContainText(/Masthead does not answer; tried/);
    await expect(page.locator('.fresh')).toHaveText('not live');
    for (const screen of screens) {
      await page.setViewportSize(screen);
      const box = (await sign.boundingBox())!;
      expect([box.x, box.y, box.width, box.height]).toEqual([0, 0, screen.width, screen.height]);
      const px = await sign.locator('.huge').evaluate((huge) => parseFloat(getComputedStyle(huge).fontSize));
      expect(px).toBeGreaterThan(0.15 * Math.min(screen.width, screen.height));
      // All that it says stands on its plain ground, not on the hatching.
      const ground = (await sign.locator('.not-live-sign').boundingBox())!;
      for (const words of ['.huge', '.large', '.because']) {
        const said = (await sign.locator(words).boundingBox())!;
        expect(said.y).toBeGreaterThanOrEqual(ground.y);
        expect(said.y + said.height).toBeLessThanOrEqual(ground.y + ground.height);
      }
      await fits(page, `${screen.width}x${screen.height}`);
    }
    await axe(page);
    await masthead.start();
    await live(page, 40_000);
    expect(await page.evaluate(() => (window as unknown as { same?: boolean }).same)).toBe(true);
  });
});

test.describe('a new build', () => {
  test.use({ expectedErrors: [refused] });
  test.setTimeout(90_000);

  test('is loaded when its page answers, and not before', async ({ page, masthead }) => {
    const update = await Update.of(page, masthead, /\/wall\?/);
    let loads = 0;
    page.on('load', () => (loads += 1));
    await page.goto('/wall?pages=overview');
    await live(page);
    expect(loads).toBe(1);
    update.begin();
    await masthead.restart();
    const sign = page.locator('.not-live');
    await expect(sign).toContainText('Masthead was updated, and its new page is not there yet: it answers 503', { timeout: 20_000 });
    update.answers = 'old';
    await expect(sign).toContainText('its address still answers with the old page', { timeout: 30_000 });
    expect(loads, 'not loaded while there is nothing new').toBe(1);
    update.answers = 'new';
    await expect.poll(() => loads, { timeout: 40_000 }).toBe(2);
    await live(page);
    await expect(page).toHaveURL(/\/wall\?pages=overview$/);
    expect(update.asked).toBeGreaterThan(2);
  });
});

test('at night it is dark, and can still be read', async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce', colorScheme: 'light' });
  const at = (hours: number) => `${String((new Date().getUTCHours() + 24 + hours) % 24).padStart(2, '0')}:00`;
  await page.goto(`/wall?dim=${at(2)}-${at(4)}&pages=overview`);
  await live(page);
  await expect(page.locator(wall)).not.toHaveClass(/\bdark\b/);
  await page.goto(`/wall?dim=${at(-1)}-${at(2)}&pages=overview`);
  await live(page);
  await expect(page.locator(wall)).toHaveClass(/\bdark\b/);
  expect(await page.locator(wall).evaluate((wall) => getComputedStyle(wall).backgroundColor)).toBe('rgb(0, 0, 0)');
  await axe(page);
  await page.goto(`/wall?dim=${at(-1)}-${at(2)}&pages=problems`);
  await live(page);
  await axe(page);
});

test('the pointer goes when it rests, and comes when it is moved', async ({ page }) => {
  await page.goto('/wall?pages=overview');
  await live(page);
  const cursor = () => page.locator(wall).evaluate((wall) => getComputedStyle(wall).cursor);
  await page.mouse.move(200, 200);
  expect(await cursor()).not.toBe('none');
  await expect.poll(cursor, { timeout: 15_000 }).toBe('none');
  await page.mouse.move(210, 210);
  await expect.poll(cursor, { timeout: 5_000 }).not.toBe('none');
});

test('the picture moves by some pixels each minute', async ({ page }) => {
  await page.clock.install();
  await page.addInitScript(age); // the minutes are the server's too
  await page.goto('/wall?pages=overview&namespace=team-fraud');
  await live(page);
  const at = async () => {
    const { x, y } = (await page.locator('.sheet').boundingBox())!;
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  };
  const places = new Set([await at()]);
  for (let minute = 0; minute < 4; minute++) {
    await page.clock.fastForward(60_000);
    await expect.poll(async () => places.add(await at()).size, { timeout: 15_000 }).toBeGreaterThan(minute + 1);
  }
  const xs = [...places].map((place) => place.split(',').map(Number));
  for (const [x, y] of xs) {
    expect(Math.abs(x! - xs[0]![0]!)).toBeLessThan(15);
    expect(Math.abs(y! - xs[0]![1]!)).toBeLessThan(15);
  }
  await fits(page, 'moved');
});

test('the screen is kept awake, and asked for again when it is seen again', async ({ page }) => {
  await page.addInitScript(() => {
    const asked: string[] = ((window as unknown as { asked: string[] }).asked = []);
    Object.defineProperty(navigator, 'wakeLock', {
      value: { request: (kind: string) => Promise.resolve(asked.push(kind)) },
    });
  });
  await page.goto('/wall');
  await live(page);
  const asked = () => page.evaluate(() => (window as unknown as { asked: string[] }).asked);
  expect(await asked()).toEqual(['screen']);
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await expect.poll(asked).toEqual(['screen', 'screen']);
});

test('nothing moves where motion is not wanted, and a wall that stops is still told', async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.goto('/wall');
  await live(page);
  const moving = await page.evaluate(() =>
    [...document.querySelectorAll('*')].filter((element) => getComputedStyle(element).animationName !== 'none').map((element) => element.className),
  );
  expect(moving).toEqual(['stopped']);
});

test.describe('without its program', () => {
  test.use({ javaScriptEnabled: false });

  test('it can be read, and does not pass for live', async ({ page, masthead }) => {
    test.setTimeout(60_000);
    await expect(async () => expect((await page.request.get(`${masthead.url}/readyz`)).ok()).toBe(true)).toPass();
    await page.goto('/wall?pages=overview');
    await expect(page.locator('.fresh')).toHaveText(/as of \d\d:\d\d:\d\d UTC/);
    const stopped = page.locator('.stopped');
    await expect(stopped).toHaveCSS('opacity', '0');
    await expect(page.locator('.wall main')).toHaveCSS('filter', 'saturate(0.35)', { timeout: 6_000 });
    await expect(stopped).toHaveCSS('opacity', '1', { timeout: 14_000 });
    await expect(stopped).toContainText('NOT LIVE');
  });
});

test('a program that hangs on its way is asked for again with its page, once that answers', async ({ page }) => {
  let hangs = true;
  let loads = 0;
  await page.route('**/*.wasm', (route) => (hangs ? undefined : route.continue()));
  page.on('load', () => (loads += 1));
  await page.clock.install();
  await page.goto('/wall?pages=overview');
  await page.clock.runFor(170_000);
  expect(loads).toBe(1);
  hangs = false;
  await page.clock.runFor(60_000);
  await expect.poll(() => loads).toBe(2);
  await live(page);
});
