import type { CDPSession, Page } from '@playwright/test';
import { expect, test } from '../../helper';
import { age } from './ages';
import { Network } from './network';
import { live } from './screen';

// Ninety days of a wall in some minutes, against the real binary.
//
// The clock is Playwright's: it drives `Date`, timers and animation frames of the page, stops them when told to and
// runs them as fast as they can be run, also in a page that was loaded anew. The browser's own virtual time (CDP) drives
// the same but cannot be stopped for as long as a real socket takes. Whether the page really reads it is asked of the
// page: `ages.ts` says how the server's time follows, and each day compares what stands on the wall with the day it is.
//
// Of each day some minutes are lived through, second by second and beat by beat; the hours until the next are jumped
// over at once, as a screen sees them whose machine was suspended. While something real is waited for, a socket above
// all, the clock goes as fast as everybody's.
const days = Number(process.env.DAYS || 90);
const lived = Number(process.env.LIVED_MINUTES || 3);
const day = 86_400_000;
const begin = Date.UTC(2027, 0, 4, 8, 0, 0); // a Monday

test.use({
  mastheadArgs: ['--demo', '--demo-speed', '30'],
  trace: 'off', // a picture of each of a hundred thousand moments would be most of the work
  contextOptions: { reducedMotion: 'reduce' },
  expectedErrors: [/WebSocket|ERR_|Failed to load resource|a request left the server/],
});

type Measured = { heap: number; wasm: number; nodes: number; elements: number };

test('months: ninety days, with what happens in them', async ({ page, masthead }) => {
  test.setTimeout(1_200_000);
  const network = await Network.before(masthead.url);
  const { build } = (await (await page.request.get(`${masthead.url}/api/v1`)).json()) as { build: string };
  const wall = new Wall(page, build);
  let loads = 0;
  page.on('load', () => (loads += 1));
  await page.clock.install({ time: begin });
  await page.addInitScript(age);
  const address = `${network.url}/wall?pages=problems,rollouts,nodes,overview&every=20s&dim=22:00-06:30`;
  await page.goto(address);
  await live(page);
  await wall.pause();
  await wall.settle();

  let before: Measured | undefined;
  for (let today = 1; today <= days; today++) {
    for (let minute = 0; minute < lived; minute++) {
      await wall.live(60_000);
      await wall.settle();
    }
    const fault = faults[today];
    if (fault) {
      await fault({ wall, network, masthead, page });
      await wall.settle();
    }
    if (fault || today % 10 === 0) await wall.rotates();
    await wall.jumpTo(begin + today * day + 60_000);
    await wall.settle();
    await wall.tellsTheTime();
    if (today === 2) before = await wall.measure();
  }
  const after = await wall.measure();
  await network.close();

  const grown = (after.heap + after.wasm - before!.heap - before!.wasm) / 1e6;
  const { beats, sockets } = wall;
  console.log(
    `${days} days: ${wall.seconds} seconds lived, ${wall.jumps} jumps, ${beats} frames, ${sockets} sockets, ${loads} loads; ` +
      `heap ${before!.heap} -> ${after.heap}, wasm ${before!.wasm} -> ${after.wasm}, ` +
      `nodes ${before!.nodes} -> ${after.nodes}, elements ${before!.elements} -> ${after.elements}`,
  );
  expect(grown, 'MB more between day 2 and day 90').toBeLessThan(5);
  expect(Math.abs(after.elements - before!.elements), 'elements on the same page').toBeLessThanOrEqual(8);
  expect(after.nodes - before!.nodes, 'nodes of the document, detached ones too').toBeLessThan(300);
  expect(page.url()).toBe(address);
  expect(loads, 'loaded at first, and once for each new build').toBe(3);
  expect(network.noise).toBeGreaterThan(0);
});

type Fault = (at: { wall: Wall; network: Network; masthead: { stop(): Promise<void>; start(): Promise<void>; restart(): Promise<void> }; page: Page }) => Promise<void>;

const hours = 3_600_000;

const gone = /does not answer|nothing heard/;

/** What goes wrong, by the day. After each the wall must be live again by itself. */
const faults: Partial<Record<number, Fault>> = {
  5: async ({ wall, masthead }) => {
    await masthead.stop();
    await wall.live(5 * 60_000);
    await wall.isNotLive(gone);
    await masthead.start();
  },
  12: async ({ wall, network, page }) => {
    // For three days. A cable that is pulled ends no connection, so nor does it end the hearing again.
    network.set('silent');
    await page.evaluate(() => ((window as unknown as { mute: boolean }).mute = true));
    await wall.live(60_000);
    await wall.isNotLive(gone);
    await wall.jumpTo(wall.now + 70 * hours);
    await wall.live(60_000);
    await wall.isNotLive(/since \w+ \d+ \w+ \d\d:\d\d \(\d+[dh]/);
    await page.evaluate(() => ((window as unknown as { mute: boolean }).mute = false));
    network.set('open');
  },
  20: async ({ wall, network }) => {
    network.set('refused');
    await wall.live(30 * 60_000);
    await wall.isNotLive(gone);
    network.set('open');
  },
  30: (at) => anotherBuild(at),
  40: async ({ wall, network, page }) => {
    network.set('noise');
    await page.clock.resume();
    await expect.poll(() => network.noise, { timeout: 60_000 }).toBeGreaterThan(5);
    await wall.pause();
    network.set('open');
  },
  50: async ({ masthead }) => masthead.restart(),
  60: (at) => anotherBuild(at),
  70: async ({ wall, network }) => {
    for (let cut = 0; cut < 20; cut++) {
      network.cut();
      await wall.live(5_000);
    }
  },
  80: async ({ wall, masthead, network }) => {
    await masthead.stop();
    await wall.jumpTo(wall.now + 5 * hours);
    network.set('silent');
    await wall.live(30_000);
    await wall.isNotLive(gone);
    await masthead.start();
    network.set('open');
  },
};

async function anotherBuild({ wall, page, masthead }: Parameters<Fault>[0]) {
  let answers = 0;
  const address = /\/wall\?/;
  await page.evaluate(() => ((window as unknown as { build: string }).build = 'other'));
  await page.route(address, async (route) => {
    if (route.request().resourceType() === 'document') return route.continue();
    answers += 1;
    if (answers <= 3) return route.fulfill({ status: 503, body: 'starting' });
    const response = await route.fetch();
    await route.fulfill({ response, body: wall.ofBuild('other', await response.text()) });
  });
  const loaded = page.waitForEvent('load', { timeout: 60_000 });
  await masthead.restart();
  await wall.forget();
  await page.clock.resume();
  await loaded;
  await wall.pause();
  await page.unroute(address);
  expect(answers, 'it asked until the page of that build was there').toBeGreaterThanOrEqual(4);
}

/** The page and the time it lives in. */
class Wall {
  now = 0;
  seconds = 0;
  jumps = 0;
  private cdp?: CDPSession;
  private count = { beats: 0, sockets: 0 };

  constructor(
    private readonly page: Page,
    private readonly build: string,
  ) {}

  get beats() {
    return this.count.beats;
  }

  get sockets() {
    return this.count.sockets;
  }

  /** Lives through so much time, every second of it. */
  async live(ms: number) {
    await this.page.clock.runFor(ms);
    this.now += ms;
    this.seconds += Math.round(ms / 1000);
  }

  /** To a later time, at once. */
  async jumpTo(time: number) {
    if (time <= this.now) return;
    await this.page.clock.fastForward(time - this.now);
    this.now = time;
    this.jumps += 1;
    await this.live(1_000);
  }

  /** Until it is live: real time for what is real, and the page's for what it waits for between its attempts. */
  async settle() {
    for (let attempt = 0; attempt < 30; attempt++) {
      if (await this.isLive()) return;
      await this.live(attempt === 0 ? 700 : 4_000);
      await this.page.clock.resume();
      await expect.poll(() => this.isLive(), { timeout: 2_500, intervals: [30] }).toBe(true).catch(() => {});
      await this.pause();
    }
    await expect(this.page.locator('.fresh'), `day ${this.day()}`).toHaveText('live', { timeout: 1 });
  }

  /** Stops the clock where it is. */
  async pause() {
    this.now = (await this.page.evaluate(() => Date.now())) + 2_000;
    await this.page.clock.pauseAt(this.now);
  }

  private async isLive() {
    return this.page.evaluate(() => {
      const { beating } = window as unknown as { beating: boolean };
      return beating && document.querySelector('.fresh')?.textContent?.trim() === 'live' && !document.querySelector('.not-live');
    });
  }

  async isNotLive(why: RegExp) {
    await expect(this.page.locator('.not-live .huge'), `day ${this.day()}`).toHaveText('NOT LIVE');
    await expect(this.page.locator('.not-live')).toHaveText(why);
  }

  /** All of its pages come round. */
  async rotates() {
    const seen = new Set<string>();
    for (let turn = 0; turn < 40 && seen.size < 4; turn++) {
      seen.add(await this.page.locator('.wall').evaluate((wall) => /view-(\w+)/.exec(wall.className)![1]!));
      await this.live(20_000);
      await this.settle();
    }
    expect([...seen].sort(), `day ${this.day()}`).toEqual(['nodes', 'overview', 'problems', 'rollouts']);
  }

  /** What stands on the wall is the time that the test has made. */
  async tellsTheTime() {
    const expected = new Date(this.now);
    const date = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' });
    await expect(this.page.locator('.date')).toHaveText(date.format(expected).replace(',', '').replace('Sept', 'Sep'));
    const clock = (await this.page.locator('.clock').textContent())!.split(':').map(Number);
    const shown = clock[0]! * 3600 + clock[1]! * 60 + clock[2]!;
    const there = Math.floor((this.now % day) / 1000);
    expect(Math.abs(shown - there), `the clock shows ${clock.join(':')}`).toBeLessThan(5);
  }

  /** On the overview, which has the same elements whatever there is. */
  async measure(): Promise<Measured> {
    const overview = this.page.locator('.wall.view-overview');
    // Each new problem holds its page for a minute.
    for (let second = 0; second < 1_800 && !(await overview.count()); second += 5) await this.live(5_000);
    await expect(overview).toHaveCount(1);
    this.cdp ??= await this.page.context().newCDPSession(this.page);
    for (let time = 0; time < 2; time++) await this.cdp.send('HeapProfiler.collectGarbage');
    const { usedSize } = await this.cdp.send('Runtime.getHeapUsage');
    const { nodes } = await this.cdp.send('Memory.getDOMCounters');
    const [wasm, elements] = await this.page.evaluate(() => {
      const memory = (window as unknown as { memory: WebAssembly.Memory }).memory;
      return [memory.buffer.byteLength, document.querySelectorAll('*').length] as const;
    });
    await this.forget();
    return { heap: usedSize, wasm, nodes, elements };
  }

  /** Takes over what the page has counted, before that goes with it. */
  async forget() {
    const counted = await this.page
      .evaluate(() => {
        const state = window as unknown as { beats: number; sockets: number };
        const { beats, sockets } = state;
        state.beats = state.sockets = 0;
        return { beats, sockets };
      })
      .catch(() => ({ beats: 0, sockets: 0 }));
    this.count.beats += counted.beats;
    this.count.sockets += counted.sockets;
  }

  /** The page as another build would have drawn it. */
  ofBuild(other: string, html: string) {
    return html.replace(/(id="seed">)([^<]+)/, (_, tag: string, seed: string) => {
      const bytes = Buffer.from(seed, 'base64');
      const at = bytes.indexOf(this.build);
      bytes.write(other.padEnd(this.build.length, 'x').slice(0, this.build.length), at);
      return tag + bytes.toString('base64').replace(/=+$/, '');
    });
  }

  private day() {
    return Math.floor((this.now - begin) / day) + 1;
  }
}
