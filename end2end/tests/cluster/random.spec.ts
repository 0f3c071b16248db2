import { Comparison } from '../../cluster/compare';
import { type Written } from '../../cluster/corpus';
import { expect, foreign, test } from '../../cluster/fixtures';
import { generate } from '../../cluster/generate';
import { kinds } from '../../cluster/kinds';
import { Random } from '../../cluster/random';
import { shrink } from '../../cluster/shrink';
import { seed } from '../../cluster/tally';
import { write } from '../../cluster/write';

/** So many of each kind. */
const count = (kind: string) => (kind === 'pods' ? 2_000 : 200);
/**
 * So many to a namespace: kubectl's text is read back as a table up to 500 rows. Tabs in events' messages put
 * their cells under other headings, which may be too narrow for them from the hundredth row on: kubectl flushes there.
 */
const together = (kind: string) => (kind === 'events' ? 100 : 400);

test('at random: every cell of 2,000 pods and 200 of each other kind', async ({ alone, tally, watch, page }, info) => {
  test.skip(!!foreign, 'needs an API server of our own, with nothing behind it');
  test.setTimeout(600_000);
  await page.setViewportSize({ width: 2560, height: 1440 });
  const random = new Random(seed(info));
  const namespaces = Array.from({ length: count('pods') / together('pods') }, (_, at) => `random-${at}`);
  await write(alone, namespaces.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })));
  const objects: Record<string, Written[]> = {};
  for (const [kind, make] of Object.entries(generate)) {
    objects[kind] = Array.from({ length: count(kind) }, (_, at) => make(random, kinds[kind].only ?? namespaces[Math.floor(at / together(kind))], at));
    await write(alone, objects[kind]);
  }

  const masthead = await watch(alone.kubeconfig);
  const comparison = new Comparison(alone, alone.kubeconfig, masthead.url, tally);
  const found: string[] = [];
  for (const [kind, { namespaced, page: path }] of Object.entries(kinds)) {
    for (const namespace of namespaced ? namespaces.slice(0, Math.ceil(count(kind) / together(kind))) : [undefined]) {
      const { found: differs, printed } = await comparison.tryApi(kind, namespace);
      found.push(...differs);
      if (differs.length > 0) found.push(await smallest(comparison, kind, objects[kind], differs));
      if (!path) continue;
      await page.goto(`${masthead.url}${path}?wide=1${namespace ? `&namespace=${namespace}` : ''}`);
      await expect(page.locator('.freshness summary')).toContainText('live');
      // Its clock was set after that was printed, so that ages lie between that and what kubectl prints next.
      found.push(...(await comparison.tryPage(page, kind, namespace, printed)));
    }
  }
  expect(found, 'what differs from kubectl').toEqual([]);
});

let tried = 0;

/** The smallest object that differs like the first of those that do. */
async function smallest(comparison: Comparison, kind: string, objects: Written[], differs: string[]): Promise<string> {
  const first = objects.find(({ metadata: { name } }) => differs.some((line) => line.includes(`/${name}: `)));
  if (!first) return 'no single object differs';
  const namespace = kinds[kind].only ?? 'shrinking';
  await write(comparison.cluster, [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }]).catch(() => undefined);
  const fails = async (object: Written) => {
    const name = `try-${(tried += 1)}`;
    const metadata = { ...object.metadata, name, ...(object.metadata.namespace && { namespace }) };
    try {
      await write(comparison.cluster, [{ ...object, metadata }]);
    } catch {
      return false; // refused
    }
    const line = (text: string) => text.split('\n').find((line) => line.includes(name));
    const theirs = await comparison.kubectl('get', kind, name, '-o', 'wide', ...(object.metadata.namespace ? ['-n', namespace] : []));
    // Once it is there it is as it is.
    await expect.poll(async () => line((await comparison.masthead(`/api/v1/${kind}?output=wide`)).text)).toBeTruthy();
    const ours = line((await comparison.masthead(`/api/v1/${kind}?output=wide`)).text) ?? '';
    const words = (text: string) => text.split(/ {2,}/).filter((word) => word !== namespace && !/^\d+[ydhms]/.test(word)).join('|');
    await comparison.cluster.request('DELETE', `${kinds[kind].collection.replace(/\/([^/]+)$/, object.metadata.namespace ? `/namespaces/${namespace}/$1` : '/$1')}/${name}`, { gracePeriodSeconds: 0 });
    return words(line(theirs.out) ?? '') !== words(ours);
  };
  return `the smallest that differs: ${JSON.stringify(await shrink(first, fails))}`;
}

test('what fails is shrunk to what makes it fail', async () => {
  const object = generate.pods(new Random(1), 'none', 1);
  const waits = async (object: Written) => JSON.stringify(object).includes('"waiting"');
  const status = { ...(object.status as object), containerStatuses: [{ name: 'a', ready: true, state: { waiting: { reason: 'b' } } }, { name: 'c' }] };
  const smaller = await shrink({ ...object, status }, waits);
  expect(smaller.status).toEqual({ containerStatuses: [{ name: 'a', state: { waiting: {} } }] });
  expect(smaller.spec).toBeUndefined();
});
