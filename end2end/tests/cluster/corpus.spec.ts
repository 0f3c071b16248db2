import { Comparison } from '../../cluster/compare';
import { corpus } from '../../cluster/corpus';
import { expect, foreign, test } from '../../cluster/fixtures';
import { kinds, tables } from '../../cluster/kinds';
import { write } from '../../cluster/write';

test('every hand-written object is printed as kubectl prints it, in the API and on the page', async ({ alone, tally, watch, page }) => {
  test.skip(!!foreign, 'needs an API server of our own, with nothing behind it');
  expect(corpus.length).toBeGreaterThanOrEqual(150);
  await write(alone, corpus, 1); // in their order: namespaces come first
  const masthead = await watch(alone.kubeconfig);
  const comparison = new Comparison(alone, alone.kubeconfig, masthead.url, tally);
  const found: string[] = [];
  for (const kind of Object.keys(kinds)) found.push(...(await comparison.tryApi(kind)).found);
  for (const { kind, page: path } of tables) {
    await page.goto(`${masthead.url}${path}?wide=1`);
    await expect(page.locator('.freshness summary')).toContainText('live');
    found.push(...(await comparison.tryPage(page, kind)));
  }
  expect(found, 'what differs from kubectl').toEqual([]);
});
