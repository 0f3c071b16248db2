import { type Page } from '@playwright/test';
import { Comparison } from '../../cluster/compare';
import { expect, test, watching } from '../../cluster/fixtures';
import { kinds } from '../../cluster/kinds';
import { Moment } from '../../cluster/moment';
import { Random } from '../../cluster/random';
import { Storm } from '../../cluster/storm';
import { seed } from '../../cluster/tally';
import { Viewer } from '../../cluster/viewer';

const seconds = Number(process.env.STORM_SECONDS || 60);

test('a storm: when it ends, everybody sees what kubectl prints', async ({ cluster, namespace, tally, browser }, info) => {
  test.setTimeout(300_000);
  const moment = await Moment.of(cluster);
  const masthead = await watching(moment.kubeconfig);
  const storm = new Storm(cluster, namespace, new Random(seed(info)));
  const open = async (path: string): Promise<Page> => {
    const page = await browser.newPage({ viewport: { width: 3840, height: 2160 } });
    await page.goto(`${masthead.url}${path}?wide=1&namespace=${namespace}`);
    await expect(page.locator('.freshness summary')).toContainText('live');
    return page;
  };
  const paths = [...new Set(Object.values(kinds).map(({ page }) => page))];
  const queries = ['', `namespace=${namespace}`, 'kinds=pods', 'kinds=deployments,replicasets', 'kinds=pods&labelSelector=storm', 'kinds=nodes&labelSelector=!storm', 'kinds=events'];
  try {
    await storm.nodes();
    moment.release();
    const pages = new Map(await Promise.all(paths.map(async (path) => [path, await open(path)] as const)));
    const viewers = await Promise.all(queries.map((query) => Viewer.of(masthead.url, query)));
    await storm.rage(seconds * 1000);
    const ended = Date.now();
    await moment.freeze();

    const comparison = new Comparison(cluster, moment.kubeconfig, masthead.url, tally);
    await Promise.all(queries.map(async (query, at) => {
      // Both are told the same from here on.
      await expect.poll(async () => {
        const fresh = await Viewer.of(masthead.url, query);
        fresh.stop();
        return fresh.state().join('\n') === viewers[at].state().join('\n');
      }, { message: `who watched ${query} throughout knows what one knows who asks now`, timeout: 2_000 }).toBe(true);
      tally.equal('viewers after a storm', 'api', viewers[at].state().length);
    }));
    for (const kind of Object.keys(kinds)) await comparison.api(kind);
    console.log(`storm: ${JSON.stringify(storm.done)}; equal ${Date.now() - ended} ms after its end`);
    for (const [kind, { page: path, namespaced }] of Object.entries(kinds)) {
      const within = namespaced ? namespace : undefined;
      await comparison.page(pages.get(path)!, kind, within); // there throughout
      const fresh = await open(path);
      await comparison.page(fresh, kind, within);
      await fresh.close();
    }
    viewers.forEach((viewer) => viewer.stop());
    await Promise.all([...pages.values()].map((page) => page.close()));
  } finally {
    await masthead.stop();
    await moment.stop();
    await storm.over();
  }
});
