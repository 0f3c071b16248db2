import { test as base, expect } from '@playwright/test';
import { Cluster } from '../../cluster/client';
import { differences, pageDifferences, parse, type Found, type Table } from '../../cluster/table';
import { Masthead } from '../../helper';

const kinds = ['nodes', 'namespaces', 'pods', 'replicationcontrollers', 'replicasets', 'deployments', 'events'];
/** Where the page shows a kind, and the table that is its own there. */
const views: Record<string, string> = {
  nodes: '/nodes',
  namespaces: '/namespaces',
  pods: '/pods',
  replicationcontrollers: '/workloads',
  replicasets: '/workloads',
  deployments: '/workloads',
};

const test = base.extend<object, { cluster: Cluster; masthead: Masthead; namespace: string }>({
  cluster: [
    async ({}, use) => {
      const cluster = await Cluster.start(3);
      await use(cluster);
      await cluster.stop();
    },
    { scope: 'worker', timeout: 1_800_000 },
  ],
  namespace: [
    async ({ cluster }, use) => {
      const name = `masthead-test-${Math.random().toString(36).slice(2, 8)}`;
      await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      await cluster.apply(...objects(name, cluster.image));
      await use(name);
      await cluster.kubectl('delete', 'namespace', name, '--wait=false');
    },
    { scope: 'worker' },
  ],
  masthead: [
    async ({ cluster }, use) => {
      const masthead = new Masthead(['--kubeconfig', cluster.kubeconfig]);
      await masthead.start();
      await use(masthead);
      await masthead.stop();
    },
    { scope: 'worker' },
  ],
});

const tally = new Map<string, { api: number; page: number; found: number }>();
const count = (kind: string, add: Partial<{ api: number; page: number; found: number }>) => {
  const now = tally.get(kind) ?? { api: 0, page: 0, found: 0 };
  tally.set(kind, { api: now.api + (add.api ?? 0), page: now.page + (add.page ?? 0), found: now.found + (add.found ?? 0) });
};

test.afterAll(() => {
  console.log('kind                     cells of the API   cells of the page   differences');
  for (const [kind, { api, page, found }] of tally) {
    console.log(`${kind.padEnd(24)} ${String(api).padEnd(18)} ${String(page).padEnd(19)} ${found}`);
  }
});

/** uid and version of every object of a kind: equal twice means that nothing changed in between. */
const versions = (cluster: Cluster, kind: string) =>
  cluster.kubectl('get', kind, '-A', '-o', 'jsonpath={range .items[*]}{.metadata.uid}@{.metadata.resourceVersion} {end}');

/** Runs `ours` between two calls of kubectl while no object of the kind changes. */
async function still<T>(cluster: Cluster, kind: string, ours: () => Promise<T>): Promise<[Table, T, Table]> {
  const get = async () => parse(await cluster.kubectl('get', kind, '-A', '-o', 'wide'));
  for (let attempt = 0; attempt < 60; attempt += 1) {
    const then = await versions(cluster, kind);
    const [before, own, after] = [await get(), await ours(), await get()];
    if (then === (await versions(cluster, kind))) return [before, own, after];
  }
  throw new Error(`${kind} never stood still`);
}

/** Compares until nothing differs. What differs for two seconds, while nothing changes, differs. */
async function compare(cluster: Cluster, kind: string, ours: () => Promise<{ cells: (before: Table, after: Table) => Found }>) {
  let since: number | undefined;
  for (;;) {
    const [before, own, after] = await still(cluster, kind, ours);
    const { cells, found } = own.cells(before, after);
    if (found.length === 0) return cells;
    since ??= Date.now();
    if (Date.now() - since > 2_000) {
      count(kind, { found: found.length });
      expect(found, `what differs from kubectl get ${kind}`).toEqual([]);
    }
  }
}

/** Every cell of every kind, through the API. */
async function compareApi(cluster: Cluster, masthead: Masthead) {
  for (const kind of kinds) {
    const api = await compare(cluster, kind, async () => {
      const ours = parse(await (await fetch(`${masthead.url}/api/v1/${kind}?output=wide`)).text());
      return { cells: (before, after) => differences(kind, before, ours, after) };
    });
    count(kind, { api });
  }
}

type Template = { labels: Record<string, string>; containers: object[]; more?: object };
const template = ({ labels, containers, more }: Template) => ({
  metadata: { labels },
  spec: { terminationGracePeriodSeconds: 1, containers, ...more },
});

/** What the tutorial has: a pod, a controller of five, a Deployment; and what goes wrong in it. */
function objects(namespace: string, image: string) {
  const service = { name: 'service', image, ports: [{ containerPort: 5000 }] };
  const meta = (name: string) => ({ name, namespace, labels: { app: name } });
  const deployment = (name: string, replicas: number, containers: object[], more?: object) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: meta(name),
    spec: { replicas, selector: { matchLabels: { app: name } }, template: template({ labels: { app: name }, containers, more }) },
  });
  const env = (name: string, value: string) => ({ ...service, env: [{ name, value }] });
  return [
    { apiVersion: 'v1', kind: 'Pod', metadata: meta('alone'), spec: template({ labels: {}, containers: [service] }).spec },
    {
      apiVersion: 'v1',
      kind: 'ReplicationController',
      metadata: meta('five'),
      spec: { replicas: 5, selector: { app: 'five' }, template: template({ labels: { app: 'five' }, containers: [service] }) },
    },
    deployment('rolls', 3, [service, { ...env('START_AFTER', '1s'), name: 'beside', command: ['/service', 'pause'] }]),
    deployment('crashes', 1, [env('EXIT_AFTER', '1s')]),
    deployment('nopull', 1, [{ ...service, image: `${image}:none` }]),
    deployment('nowhere', 1, [service], { nodeSelector: { project: 'nobody' } }),
    deployment('fake', 4, [service], {
      nodeSelector: { type: 'kwok' },
      tolerations: [{ key: 'kwok.x-k8s.io/node', operator: 'Exists' }],
      readinessGates: [{ conditionType: 'example.com/open' }],
    }),
    deployment('begins', 1, [service], {
      initContainers: [
        { ...service, name: 'beside', restartPolicy: 'Always', command: ['/service', 'pause'] },
        { ...env('EXIT_AFTER', '2s'), name: 'first' },
        { ...service, name: 'stays', command: ['/service', 'pause'] },
      ],
    }),
  ];
}

test('every cell of the API is what kubectl prints, through a rolling update, an undo and a lost pod', async ({
  cluster,
  masthead,
  namespace,
}) => {
  await compareApi(cluster, masthead);
  const on = (...args: string[]) => cluster.kubectl(...args, '-n', namespace);
  await on('rollout', 'status', 'deployment/rolls', '--timeout=60s');
  await compareApi(cluster, masthead);
  await on('set', 'image', 'deployment/rolls', `service=${cluster.image}:v2`);
  await compareApi(cluster, masthead);
  await on('rollout', 'undo', 'deployment/rolls');
  await compareApi(cluster, masthead);
  await on('delete', 'pod', '-l', 'app=five', '--wait=false');
  await compareApi(cluster, masthead);
  await on('rollout', 'status', 'deployment/rolls', '--timeout=60s');
  await compareApi(cluster, masthead);
});

test('a selector chooses what kubectl get -l chooses', async ({ cluster, masthead, namespace }) => {
  for (const selector of ['app=five', 'app in (five,alone)', 'app!=five', '!app', 'app,app notin (rolls)', 'app==crashes', 'app>3']) {
    const theirs = await cluster.kubectl('get', 'pods', '-n', namespace, '-l', selector, '-o', 'name').catch((error) => error);
    const answer = await fetch(`${masthead.url}/api/v1/pods?output=name&namespace=${namespace}&labelSelector=${encodeURIComponent(selector)}`);
    if (theirs instanceof Error) expect(answer.status, selector).toBe(400);
    else expect(await answer.text(), selector).toBe(theirs);
  }
});

test('every cell of the page is what kubectl prints', async ({ cluster, masthead, namespace, page }) => {
  expect(namespace).not.toBe(''); // its objects are what there is to see
  await page.setViewportSize({ width: 3840, height: 2160 }); // all rows are in the document, none is windowed away
  for (const [kind, path] of Object.entries(views)) {
    await page.goto(`${masthead.url}${path}?wide`);
    await expect(page.locator('.freshness summary')).toContainText('live');
    const cells = await compare(cluster, kind, async () => {
      const ours = await page.evaluate((kind) => {
        const tables = [...document.querySelectorAll(`table.rows.${kind}`)];
        const text = (cell: Element) => {
          const copy = cell.cloneNode(true) as Element;
          copy.querySelectorAll('.lead, .arrow').forEach((extra) => extra.remove());
          return (copy.textContent ?? '').trim();
        };
        const columns = [...(tables[0]?.querySelectorAll('thead th') ?? [])].map(text);
        const rows = tables.flatMap((table) =>
          [...table.querySelectorAll('tbody tr:not(.spacer, .group, .gone)')].map((row) => [...row.children].map(text)),
        );
        return { columns, rows };
      }, kind);
      return { cells: (before, after) => pageDifferences(kind, before, ours, after) };
    });
    expect(cells, kind).toBeGreaterThan(0);
    count(kind, { page: cells });
  }
});
