import { type Page, type TestInfo } from '@playwright/test';
import { type ApiObject, type Cluster } from './client';
import { Comparison } from './compare';
import { expect } from './fixtures';
import { generate } from './generate';
import { calm, kinds } from './kinds';
import { Random } from './random';
import { seed, type Tally } from './tally';
import { fresh, type Known, Timeline } from './timeline';
import { write } from './write';

/** So long all must be well before something breaks, and after it has been mended. */
const quiet = 5_000;
/** What is silent is found out by what does not come: that takes longer than what is refused. */
export const silent = 10_000;
/** So soon after something was mended everything is as it is in the cluster. */
const recovery = 30_000;

/** Of no address of its own: there are 254. */
const service = (name: string) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { type: 'ExternalName', externalName: 'example.com' } });
const pod = (name: string, labels = {}) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels }, spec: { containers: [{ name: 'main', image: 'main' }] } });

/** The kinds of which anybody may have some in a namespace. */
const ordinary = Object.keys(generate).filter((kind) => kinds[kind].namespaced && !kinds[kind].only);

let made = 0;

/**
 * A Masthead on an API server that is about to fail, somebody who looks at a page of it, and a namespace to look at.
 * What was claimed wrongly does not end a test: how it goes on is as good to know.
 */
export class Outage {
  /** Since when nothing can be confirmed, and until when. */
  private began = 0;
  private mended = 0;
  readonly timeline: Timeline;

  constructor(
    private readonly cluster: Cluster,
    private readonly namespace: string,
    private readonly page: Page,
    private readonly url: string,
    private readonly tally: Tally,
  ) {
    this.timeline = new Timeline(page, url, namespace);
  }

  /** Some of each kind, for there is nothing to lose where nothing is. */
  static async populated(cluster: Cluster, info: TestInfo): Promise<string> {
    const namespace = `faults-${process.pid}-${(made += 1)}`;
    const random = new Random(seed(info));
    await write(cluster, [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }]);
    await write(cluster, ordinary.flatMap((kind) => [0, 1, 2].map((at) => generate[kind](random, namespace, at))));
    return namespace;
  }

  /** Opens the page, sees a change come, and that nothing is doubted while all is well. */
  async before() {
    await this.page.goto(`${this.url}/pods?wide=1&namespace=${this.namespace}`);
    await expect(this.page.locator('.freshness summary')).toContainText('live');
    this.timeline.begin();
    await this.comes('before');
    await expect.poll(() => this.timeline.recovered, { message: 'a pod that comes is shown', timeout: 10_000 }).toBe(true);
    // What never was live proves nothing by not being it.
    await expect.poll(() => this.timeline.notLive, { message: 'every kind is live', timeout: 10_000 }).toEqual([]);
    await this.staysWell();
  }

  private path(kind: Known = 'pods', name = '') {
    return `/api/v1/namespaces/${this.namespace}/${kind}${name && `/${name}`}`;
  }

  /** A pod comes, and a Service of its name, of which whoever says live knows before long. */
  async comes(name: string, within?: number) {
    for (const [kind, object] of [['pods', pod(name)], ['services', service(name)]] as const) {
      this.timeline.fact(name, true, within, kind);
      await this.cluster.request('POST', this.path(kind), object);
    }
  }

  /** Both go. */
  async goes(name: string, within?: number) {
    for (const kind of ['pods', 'services'] as const) {
      this.timeline.fact(name, false, within, kind);
      await this.cluster.request('DELETE', this.path(kind, name), { gracePeriodSeconds: 0 });
    }
  }

  /** What both are now, where that was done otherwise: there, or not. */
  are(name: string, there: boolean) {
    for (const kind of ['pods', 'services'] as const) this.timeline.fact(name, there, undefined, kind);
  }

  /** Thousands of pods come, and most of them go again. */
  async thousands(count: number) {
    const names = Array.from({ length: count }, (_, at) => `of-thousands-${at}`);
    const labels = (at: number) => ({ stays: String(at % 4 === 0) });
    await write(this.cluster, names.map((name, at) => ({ ...pod(name, labels(at)), metadata: { name, namespace: this.namespace, labels: labels(at) } })));
    await this.cluster.request('DELETE', `${this.path()}?labelSelector=stays%3Dfalse`, { gracePeriodSeconds: 0 });
    const { items } = await this.cluster.request<{ items: ApiObject[] }>('GET', `${this.path()}?labelSelector=stays`);
    expect(items.length).toBe(Math.ceil(count / 4));
  }

  /** From now on nothing can be confirmed. */
  begins(what: string) {
    this.began = this.timeline.mark(what);
  }

  /**
   * Whoever looks has lost `seconds`, in which, `grace` after its beginning, nothing was called live. The server was
   * ready all the time, for what is old is still more than nothing.
   */
  async lasts(seconds: number, grace = fresh) {
    const end = this.began + seconds * 1_000;
    await new Promise((later) => setTimeout(later, end - Date.now()));
    this.nothingLive(grace);
    expect.soft(this.timeline.unready(this.began, Date.now()), 'not ready, although everything was listed').toEqual([]);
  }

  /** Up to now nothing was called live. */
  nothingLive(grace = fresh) {
    expect.soft(this.timeline.claimed(this.began, Date.now(), grace), 'called live while nothing could be confirmed').toEqual([]);
  }

  /** The page and the API say so. */
  async says(kinds: RegExp, status: number, timeout = silent) {
    await expect.poll(() => this.timeline.last?.page.kinds, { timeout }).toMatch(kinds);
    await expect.poll(() => this.timeline.last?.api.status, { timeout }).toBe(status);
  }

  /** How often these kinds were listed because a watch of them could not go on. */
  async relisted(kinds: string[]): Promise<number[]> {
    const metrics = await (await fetch(`${this.url}/metrics`)).text();
    return kinds.map((kind) => Number(new RegExp(`^masthead_relists_total\\{kind="${kind}"\\} (\\d+)$`, 'm').exec(metrics)?.[1] ?? 0));
  }

  /** Something is written of each kind, and has come: the watch of each has told something. Which kinds these are. */
  async writesEach(): Promise<string[]> {
    await this.cluster.kubectl('annotate', ordinary.join(','), '--all', '--namespace', this.namespace, 'written=again');
    await this.comes('written');
    await expect.poll(() => this.timeline.recovered, { timeout: 10_000 }).toBe(true);
    return ordinary;
  }

  /** From now on everything can be known again. */
  ends(what: string) {
    this.mended = this.timeline.mark(what);
  }

  /** Everything is live again in time, is what kubectl prints, and stays so; and nothing was ever called live that was not. */
  async recovers(within = recovery) {
    const left = () => Math.max(1, this.mended + within - Date.now());
    try {
      await expect.poll(() => this.timeline.recovered, { message: 'page and API are live and right again', timeout: left(), intervals: [250] }).toBe(true);
    } finally {
      this.honest();
    }
    const comparison = new Comparison(this.cluster, this.cluster.kubeconfig, this.url, this.tally);
    const quietly = this.staysWell();
    for (const kind of calm) await comparison.api(kind);
    await quietly;
    this.honest();
    await comparison.page(this.page, 'pods', this.namespace); // last, for it scrolls what is looked at away
  }

  /** Nothing was called live that was not, the page was not loaded anew, and its console said nothing. */
  honest() {
    expect.soft(this.timeline.untrue(), 'called live, and is not').toEqual([]);
    expect(this.timeline.troubles).toEqual([]);
  }

  /** For a while everything is called live all the time. */
  private async staysWell() {
    const from = Date.now();
    await new Promise((later) => setTimeout(later, quiet));
    expect.soft(this.timeline.doubted(from, Date.now()), 'doubted while all is well').toEqual([]);
  }
}
