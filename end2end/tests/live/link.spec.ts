import { type Page } from '@playwright/test';
import { expect, test } from '../../helper';
import { Update } from '../../update';
import { views } from '../../views';

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

test('whatever view is open dims all that it shows when its server freezes, and none of it when that goes on', async ({ context, masthead }) => {
  test.slow(); // every view, some at once
  const together = 6;
  for (let first = 0; first < views.length; first += together) {
    const open = await Promise.all(views.slice(first, first + together).map(async ({ path, shows }) => {
      const page = await context.newPage();
      await page.goto(path);
      await expect(page.locator(chip)).toContainText('live');
      await expect(page.locator('main')).toContainText(shows);
      await expect(page.locator('.gate:visible').first(), path).toBeVisible();
      await expect(page.locator('.gate.stale'), path).toHaveCount(0);
      const text = await page.locator('.gate:visible').first().evaluate((gate) => getComputedStyle(gate).color);
      return { path, page, text };
    }));
    masthead.pause();
    await Promise.all(open.map(async ({ path, page, text }) => {
      await expect(page.locator('.gate:not(.stale)'), path).toHaveCount(0, { timeout: 10_000 });
      // What was known stays, and does not look as before.
      const gate = page.locator('.gate:visible').first();
      await expect(gate, path).toBeVisible();
      await expect.poll(() => gate.evaluate((gate) => getComputedStyle(gate).filter), path).toBe('saturate(0.35)');
      expect(await gate.evaluate((gate) => getComputedStyle(gate).color), path).not.toBe(text);
    }));
    masthead.resume();
    await Promise.all(open.map(async ({ path, page }) => {
      await expect(page.locator(chip), path).toContainText('live', { timeout: 25_000 });
      await expect(page.locator('.gate.stale'), path).toHaveCount(0);
      await page.close();
    }));
  }
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

/** Stands between a page and its server: what the page asks may be held back. */
class Between {
  holds = false;
  /** How often the page has heard something. */
  heard = 0;
  readonly held: (() => void)[] = [];

  static async of(page: Page) {
    const between = new Between();
    await page.routeWebSocket(/\/live/, (socket) => {
      const server = socket.connectToServer();
      socket.onMessage((message) => {
        if (between.holds) between.held.push(() => server.send(message));
        else server.send(message);
      });
      server.onMessage((message) => {
        between.heard += 1;
        socket.send(message);
      });
    });
    return between;
  }

  release() {
    this.holds = false;
    this.held.splice(0).forEach((send) => send());
  }
}

test('what is shown of one object is not live again before it has come again', async ({ page, masthead }) => {
  const between = await Between.of(page);
  await page.goto('/pods/default/example-pod-randomforest');
  await expect(page.locator(chip)).toContainText('live');
  between.holds = true;
  await masthead.restart();
  // All that a page asks here is what it looks at.
  await expect.poll(() => between.held.length, { timeout: 25_000 }).toBeGreaterThan(0);
  const before = between.heard;
  // Rows and beats come; the rest of the page is still from before.
  await expect.poll(() => between.heard, { timeout: 15_000 }).toBeGreaterThan(before + 3);
  await expect(page.locator(chip)).not.toContainText('live');
  between.release();
  await expect(page.locator(chip)).toContainText('live', { timeout: 10_000 });
});

test('what was known of one object by a connection that is lost is not shown to who comes back to it', async ({ page, masthead }) => {
  const between = await Between.of(page);
  await page.goto('/pods/default/example-pod-randomforest');
  await expect(page.locator(chip)).toContainText('live');
  const conditions = page.getByRole('heading', { name: 'Conditions' });
  await expect(conditions).toBeVisible();
  await masthead.stop();
  await expect(page.locator(chip)).not.toContainText('live', { timeout: 5_000 });
  await page.locator('nav.views a[href^="/pods"]').click();
  const pod = page.locator('table.rows a.name[href^="/pods/default/example-pod-randomforest"]');
  await expect(pod).toBeVisible();
  await masthead.start();
  await expect(page.locator(chip)).toContainText('live', { timeout: 25_000 });
  between.holds = true;
  await pod.click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('example-pod-randomforest');
  await expect.poll(() => between.held.length).toBeGreaterThan(0);
  await expect(conditions).toHaveCount(0);
  between.release();
  await expect(conditions).toBeVisible();
});

test('a page that hears more at once than it has room for asks for everything anew, and for what it has turned to meanwhile', async ({ page, masthead }) => {
  /** What is said first in what a page asks, and in what it hears: postcard's numbers of `Ask` and `Frame` (app/src/wire.rs). */
  const [kinds, resync, beat] = [0, 1, 3];
  /** Repeats a beat so many times, in one task. */
  type Repeat = (times: number) => void;
  type Flooded = { flood?: (repeat: Repeat) => void };
  const asked: number[] = [];
  let sockets = 0;
  page.on('websocket', (socket) => {
    sockets += 1;
    socket.on('framesent', ({ payload }) => asked.push(Buffer.from(payload as Buffer)[0]));
  });
  await page.addInitScript((beat) => {
    const told = window as unknown as Flooded;
    window.WebSocket = class extends WebSocket {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        // Before the page's own listener, so that what is repeated counts all that the page has.
        this.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer>) => {
          const { flood } = told;
          if (!flood || new Uint8Array(data)[0] !== beat) return;
          told.flood = undefined;
          flood((times) => {
            for (let time = 0; time < times; time += 1) this.dispatchEvent(new MessageEvent('message', { data }));
          });
        });
      }
    };
  }, beat);
  await page.goto('/pods');
  await expect(page.locator(chip)).toContainText('live');
  asked.length = 0;
  await page.evaluate((more) => {
    (window as unknown as Flooded).flood = (repeat) => {
      // Nothing is drawn for now: a page that waits for that goes on after a tenth of a second.
      const draws = window.requestAnimationFrame.bind(window);
      const waiting: FrameRequestCallback[] = [];
      window.requestAnimationFrame = (draw) => waiting.push(draw);
      setTimeout(() => {
        window.requestAnimationFrame = draws;
        waiting.forEach((draw) => draws(draw));
      }, 300);
      repeat(more);
      // The page has taken one by then, and finds no room for its own wish.
      setTimeout(() => {
        repeat(2);
        document.querySelector<HTMLElement>('nav.views a[href^="/nodes"]')!.click();
      });
    };
  }, 300);
  await expect.poll(() => asked, { timeout: 10_000 }).toEqual([resync, kinds]);
  const names = async () => (await (await page.request.get(`${masthead.url}/api/v1/nodes?output=name`)).text()).trim().split('\n').map((name) => name.replace('node/', ''));
  await expect(async () => {
    const links = page.locator('table.rows.nodes tbody tr:not(.gone) a.name');
    const shown = await links.evaluateAll((all) => all.map((a) => a.getAttribute('href')!.split('/').pop()!.split('?')[0]));
    expect(shown.sort()).toEqual((await names()).sort());
  }).toPass({ timeout: 10_000 });
  await expect(page.locator(chip)).toContainText('live', { timeout: 10_000 });
  expect(asked, 'once is enough').toEqual([resync, kinds]);
  expect(sockets, 'on the same socket').toBe(1);
});
