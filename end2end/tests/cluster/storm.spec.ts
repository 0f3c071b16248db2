import { type Page } from '@playwright/test';
import { Comparison } from '../../cluster/compare';
import { expect, test } from '../../cluster/fixtures';
import { calm, kinds, tables } from '../../cluster/kinds';
import { Moment } from '../../cluster/moment';
import { Random } from '../../cluster/random';
import { Storm } from '../../cluster/storm';
import { seed } from '../../cluster/tally';
import { Viewer } from '../../cluster/viewer';

const seconds = Number(process.env.STORM_SECONDS || 60);

test('a storm: when it ends, everybody sees what kubectl prints', async ({ cluster, namespace, watch, tally, context }, info) => {
  test.setTimeout(600_000);
  // Our own cluster is stopped when the storm ends. Another goes on: it is looked at through what can be held.
  const moment = cluster.foreign ? await Moment.of(cluster) : undefined;
  moment?.release();
  const { kubeconfig } = moment ?? cluster;
  const masthead = await watch(kubeconfig);
  const storm = new Storm(cluster, namespace, new Random(seed(info)));
  const paths = [...new Set(tables.map(({ page }) => page))];
  const open = async (path: string): Promise<Page> => {
    const within = tables.some(({ page, namespaced }) => page === path && namespaced) ? `&namespace=${namespace}` : '';
    const page = await context.newPage();
    await page.goto(`${masthead.url}${path}?wide=1${within}`);
    await expect(page.locator('.freshness summary')).toContainText('live');
    return page;
  };
  const queries = ['', `namespace=${namespace}`, 'kinds=pods', 'kinds=deployments,replicasets', 'kinds=pods&labelSelector=storm', 'kinds=nodes&labelSelector=!storm', 'kinds=events'];
  const viewers: Viewer[] = [];
  try {
    await storm.nodes();
    const pages = new Map(await Promise.all(paths.map(async (path) => [path, await open(path)] as const)));
    for (const query of queries) viewers.push(await Viewer.of(masthead.url, query));
    await storm.rage(seconds * 1000);
    await (moment ?? cluster).freeze();
    const ended = Date.now();

    const comparison = new Comparison(cluster, kubeconfig, masthead.url, tally);
    const settled = new Settled(masthead.url, ended);
    try {
      for (const kind of Object.keys(kinds)) await comparison.api(kind);
    } finally {
      await settled.stop();
    }
    console.log(`storm: ${JSON.stringify(storm.done)}; as kubectl prints it ${settled.after} ms after its end`);
    expect(settled.after, 'milliseconds from the end of the storm until all tables are equal').toBeLessThan(2_000);
    for (const act of ['create', 'scale', 'image', 'label', 'pod', 'delete', ...(cluster.foreign ? [] : ['cordon', 'tag'])]) {
      expect(storm.done[act], `${act}: as a storm does`).toBeGreaterThan(10 * (seconds / 60));
    }
    for (const [at, query] of queries.entries()) {
      const fresh = await Viewer.of(masthead.url, query);
      fresh.stop();
      expect(viewers[at].state(), `who watched ${query} throughout knows what one knows who asks now`).toEqual(fresh.state());
      tally.equal('viewers after a storm', 'api', viewers[at].state().length);
    }
    for (const { kind, page: path, namespaced } of tables) {
      const within = namespaced ? namespace : undefined;
      const shown = pages.get(path)!; // there throughout
      await shown.bringToFront(); // behind others it is drawn once a second
      await comparison.page(shown, kind, within);
      if (kind === 'events') continue; // thousands, whose page takes long to scroll through
      const fresh = await open(path);
      await comparison.page(fresh, kind, within);
      await fresh.close();
    }
  } finally {
    viewers.forEach((viewer) => viewer.stop());
    await (moment ? moment.stop() : cluster.thaw());
    await storm.over();
  }
});

/** Looks again and again at all that Masthead has, without its ages, and knows since when it is what it is. */
class Settled {
  /** How many milliseconds after the end it was first as it is now. */
  after = 0;
  private last = '';
  private stopped = false;
  private readonly looking: Promise<void>;

  constructor(
    private readonly url: string,
    private readonly ended: number,
  ) {
    this.looking = this.look();
  }

  private async look() {
    while (!this.stopped) {
      const asked = Date.now();
      const texts = await Promise.all(calm.map(async (kind) => (await fetch(`${this.url}/api/v1/${kind}`)).text()));
      const rows = texts.map((text) => text.slice(text.indexOf('"items"'), text.lastIndexOf(']'))).join();
      if (rows !== this.last) this.after = Math.max(0, asked - this.ended);
      this.last = rows;
      await new Promise((later) => setTimeout(later, 50)); // what is measured needs the machine too
    }
  }

  async stop() {
    this.stopped = true;
    await this.looking;
  }
}
