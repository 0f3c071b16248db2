import { type Page } from '@playwright/test';
import { Comparison } from '../../cluster/compare';
import { expect, test, watching } from '../../cluster/fixtures';
import { kinds } from '../../cluster/kinds';
import { Random } from '../../cluster/random';
import { Storm } from '../../cluster/storm';
import { seed } from '../../cluster/tally';
import { Viewer } from '../../cluster/viewer';

const seconds = Number(process.env.STORM_SECONDS || 60);

test('a storm: when it ends, everybody sees what kubectl prints', async ({ cluster, namespace, tally, browser }, info) => {
  test.setTimeout(300_000);
  const masthead = await watching(cluster.kubeconfig);
  const storm = new Storm(cluster, namespace, new Random(seed(info)));
  const paths = [...new Set(Object.values(kinds).map(({ page }) => page))];
  const open = async (path: string): Promise<Page> => {
    const within = Object.values(kinds).some(({ page, namespaced }) => page === path && namespaced) ? `&namespace=${namespace}` : '';
    const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
    await page.goto(`${masthead.url}${path}?wide=1${within}`);
    await expect(page.locator('.freshness summary')).toContainText('live');
    return page;
  };
  const queries = ['', `namespace=${namespace}`, 'kinds=pods', 'kinds=deployments,replicasets', 'kinds=pods&labelSelector=storm', 'kinds=nodes&labelSelector=!storm', 'kinds=events'];
  try {
    await storm.nodes();
    const pages = new Map(await Promise.all(paths.map(async (path) => [path, await open(path)] as const)));
    const viewers = await Promise.all(queries.map((query) => Viewer.of(masthead.url, query)));
    await storm.rage(seconds * 1000);
    await cluster.freeze();
    const ended = Date.now();

    const comparison = new Comparison(cluster, cluster.kubeconfig, masthead.url, tally);
    const settled = new Settled(masthead.url, ended);
    for (const kind of Object.keys(kinds)) await comparison.api(kind);
    const after = await settled.after();
    console.log(`storm: ${JSON.stringify(storm.done)}; as kubectl prints it ${after} ms after its end`);
    expect(after, 'milliseconds from the end of the storm until all tables are equal').toBeLessThan(2_000);
    for (const [at, query] of queries.entries()) {
      const fresh = await Viewer.of(masthead.url, query);
      expect(viewers[at].state(), `who watched ${query} throughout knows what one knows who asks now`).toEqual(fresh.state());
      fresh.stop();
      tally.equal('viewers after a storm', 'api', viewers[at].state().length);
    }
    for (const [kind, { page: path, namespaced }] of Object.entries(kinds)) {
      const within = namespaced ? namespace : undefined;
      await comparison.page(pages.get(path)!, kind, within); // there throughout
      if (kind === 'events') continue; // thousands, whose page takes long to scroll through
      const fresh = await open(path);
      await comparison.page(fresh, kind, within);
      await fresh.close();
    }
    viewers.forEach((viewer) => viewer.stop());
    await Promise.all([...pages.values()].map((page) => page.close()));
  } finally {
    await cluster.thaw();
    await masthead.stop();
    await storm.over();
  }
});

/** Looks again and again at all that Masthead has, without its ages, and knows since when it is what it is. */
class Settled {
  private last = '';
  private since = 0;
  private readonly looking: Promise<void>;
  private done = false;

  constructor(
    private readonly url: string,
    private readonly ended: number,
  ) {
    this.looking = this.look();
  }

  private async look() {
    while (!this.done) {
      const asked = Date.now();
      const texts = await Promise.all(Object.keys(kinds).map(async (kind) => (await fetch(`${this.url}/api/v1/${kind}`)).text()));
      const rows = texts.map((text) => text.replace(/"(asOf|state)":[^[]*?(?=,"|})/g, '')).join();
      if (rows === this.last) continue;
      this.last = rows;
      this.since = asked;
    }
  }

  /** How many milliseconds after the end it was first as it is now. */
  async after(): Promise<number> {
    this.done = true;
    await this.looking;
    return Math.max(0, this.since - this.ended);
  }
}
