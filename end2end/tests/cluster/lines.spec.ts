import { type ApiObject, type Cluster } from '../../cluster/client';
import { expect, foreign, test } from '../../cluster/fixtures';
import { Moment } from '../../cluster/moment';
import { Random } from '../../cluster/random';
import { Storm } from '../../cluster/storm';
import { seed } from '../../cluster/tally';

const rollouts = Number(process.env.ROLLOUTS || 200);
/** How many may be asked for at a time. */
const hands = 8;

/** A point of what was counted. */
type Counts = { at: number; desired: number; old: number; new: number; ready: number; available: number; floor: number; ceiling: number };
type Picture = { course: string; counts: Counts[]; happened: unknown[]; lanes: { tiles: unknown[] }[] };

test('random rollouts at once: counts are drawn outside the lines only where the cluster was', async ({ cluster, namespace, watch, tally, page }, info) => {
  test.skip(!!foreign, 'wants fake nodes, whose pods come and go quickly');
  test.setTimeout(1_800_000);
  const random = new Random(seed(info));
  const masthead = await watch(cluster.kubeconfig);
  const storm = new Storm(cluster, namespace, random);
  await storm.nodes();
  const moment = await Moment.of(cluster, ['deployments', 'replicasets']);
  try {
    const names = Array.from({ length: rollouts }, (_, at) => `lines-${at}`);
    const collection = `/apis/apps/v1/namespaces/${namespace}/deployments`;
    const change = (name: string, patch: object) => cluster.request('PATCH', `${collection}/${name}`, patch, 'application/strategic-merge-patch+json');
    await each(names, (name) => cluster.request('POST', collection, deployment(random, name)));
    await settled(cluster, collection);
    // All of them at once, and then some are scaled, some get another image while they are at it.
    await each(names, (name) => change(name, image('v2')));
    await page.goto(`${masthead.url}/rollouts?namespace=${namespace}`);
    await expect(page.locator('.freshness summary')).toContainText('live');
    await each(names.filter(() => random.chance(0.3)), (name) => change(name, { spec: { replicas: random.whole(0, 6) } }));
    await each(names.filter(() => random.chance(0.2)), (name) => change(name, image('v3')));
    // The list can be used meanwhile: each click leads to a picture, and back.
    const began = Date.now();
    await page.locator('.rollouts a.name').first().click();
    await expect(page.locator('.lane')).not.toHaveCount(0);
    await page.goBack();
    await expect(page.locator('.rollouts a.name').first()).toBeVisible();
    const click = Date.now() - began;
    await settled(cluster, collection);
    await moment.caughtUp();

    const truths = histories(moment, namespace);
    const [points, outside, early] = [{ all: 0 }, { drawn: 0 }, { drawn: 0 }];
    await each(names, async (name) => {
      const truth = truths.get(name)!;
      await expect(async () => {
        const answer = await fetch(`${masthead.url}/api/v1/rollouts/${namespace}/deployment/${name}`);
        const picture = (await answer.json()) as Picture;
        expect(picture.course, name).toBe('succeeded');
        const last = picture.counts.at(-1)!;
        expect([last.old, last.new, last.available], `${name}, at last`).toEqual([0, last.desired, last.desired]);
        for (const point of picture.counts) {
          const said = `${name}: ${JSON.stringify(point)}`;
          expect(truth.pods.has(pods(point.old + point.new, point.available)), `${said} is what its ReplicaSets had`).toBe(true);
          expect(truth.bounds.has(pods(point.floor, point.ceiling)), `${said} has lines of its Deployment's`).toBe(true);
        }
        const beyond = picture.counts.filter(({ old, new: young, available, floor, ceiling }) => old + young > ceiling || available < floor);
        for (const point of beyond) {
          // ReplicaSets may be heard of a moment before their Deployment: the lines follow at once.
          const next = picture.counts[picture.counts.indexOf(point) + 1];
          const followed = next && next.at - point.at < 1_000 && (next.floor !== point.floor || next.ceiling !== point.ceiling);
          const was = truth.outside.has(pods(point.old + point.new, point.available));
          expect(was || followed, `${name}: the cluster was outside too: ${JSON.stringify(point)}`).toBe(true);
          if (!was) early.drawn += 1;
        }
        points.all += picture.counts.length;
        outside.drawn += beyond.length;
      }).toPass({ timeout: 10_000 });
    });
    expect(points.all).toBeGreaterThan(5 * rollouts);
    tally.equal('counts between the lines', 'api', points.all);
    console.log(
      `lines: ${rollouts} rollouts at once, ${points.all} points, ${outside.drawn} outside the lines where the cluster was too (${early.drawn} a moment before the lines were heard of); from the list to a picture and back in ${click} ms; ${await masthead.resident()} MB resident`,
    );
  } finally {
    await moment.stop();
    await storm.over();
  }
});

const image = (version: string) => ({ spec: { template: { spec: { containers: [{ name: 'service', image: `lines:${version}` }] } } } });

function deployment(random: Random, name: string): object {
  const bound = () => random.pick<number | string>([0, 1, 2, '25%', '50%', '100%', `${random.whole(1, 99)}%`]);
  const [maxSurge, maxUnavailable] = [bound(), bound()];
  const nothing = (bound: number | string) => bound === 0;
  const strategy = random.chance(0.15)
    ? { type: 'Recreate' }
    : // The API server takes all but 0 and 0.
      { rollingUpdate: { maxSurge: nothing(maxSurge) && nothing(maxUnavailable) ? 1 : maxSurge, maxUnavailable } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: random.whole(0, 5),
      minReadySeconds: random.pick([0, 0, 1, 2]),
      strategy,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          terminationGracePeriodSeconds: 1,
          nodeSelector: { type: 'kwok' },
          tolerations: [{ key: 'kwok.x-k8s.io/node', operator: 'Exists' }],
          containers: [{ name: 'service', image: 'lines:v1' }],
        },
      },
    },
  };
}

async function each<T>(items: T[], act: (item: T) => Promise<unknown>) {
  const waiting = [...items];
  await Promise.all(
    Array.from({ length: hands }, async () => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await act(item);
    }),
  );
}

type Status = { observedGeneration?: number; replicas?: number; updatedReplicas?: number; availableReplicas?: number };

/**
 * Waits until all of them are rolled out. One that gets another image and another number of replicas at a time may
 * never be: if a ReplicaSet has that number already, its annotation `desired-replicas` stays old, and the Deployment
 * controller takes it for a scaling for ever (`pkg/controller/deployment/sync.go`, `isScalingEvent` and `scale`). What
 * is not through after half a minute is scaled by one, which frees it.
 */
async function settled(cluster: Cluster, collection: string) {
  const isThrough = ({ metadata, spec, status }: ApiObject) => {
    const { observedGeneration, replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status as Status;
    const wanted = (spec as { replicas: number }).replicas;
    return observedGeneration === metadata.generation && [replicas, updatedReplicas, availableReplicas].every((count) => count === wanted);
  };
  let patience = Date.now() + 30_000;
  const going = async () => {
    const left = (await cluster.request<{ items: ApiObject[] }>('GET', collection)).items.filter((item) => !isThrough(item));
    if (Date.now() > patience) {
      patience += 30_000;
      await each(left, ({ metadata: { name }, spec }) =>
        cluster.request('PATCH', `${collection}/${name}`, { spec: { replicas: (spec as { replicas: number }).replicas + 1 } }, 'application/merge-patch+json'),
      );
    }
    return left.length;
  };
  await expect.poll(going, { message: 'rollouts that are not through', timeout: 900_000, intervals: [1_000] }).toBe(0);
}

const pods = (a: number, b: number) => `${a},${b}`;

/** What a Deployment went through: how many pods and how many of them available, between which lines, and which of the first were outside of what then held. */
type Truth = { pods: Set<string>; bounds: Set<string>; outside: Set<string> };

/** Of each Deployment, from what was recorded, in the order of the cluster's versions. */
function histories(moment: Moment, namespace: string): Map<string, Truth> {
  const truths = new Map<string, Truth>();
  const lines = new Map<string, [number, number]>();
  const sets = new Map<string, Map<string, Status>>();
  const changes = moment.changes
    .filter(({ kind, object }) => ['deployments', 'replicasets'].includes(kind) && object.metadata.namespace === namespace)
    .sort((a, b) => a.version - b.version);
  for (const { kind, type, object } of changes) {
    const owner = (object.metadata.ownerReferences as { name: string }[] | undefined)?.[0]?.name;
    const name = kind === 'deployments' ? object.metadata.name : owner;
    if (!name) continue;
    const truth = truths.get(name) ?? { pods: new Set(), bounds: new Set(), outside: new Set() };
    truths.set(name, truth);
    const of = sets.get(name) ?? new Map<string, Status>();
    sets.set(name, of);
    if (kind === 'deployments') lines.set(name, bounds(object));
    else if (type === 'DELETED') of.delete(object.metadata.name);
    else of.set(object.metadata.name, object.status as Status);
    const sum = (count: (status: Status) => number | undefined) => [...of.values()].reduce((sum, status) => sum + (count(status) ?? 0), 0);
    const [all, available] = [sum(({ replicas }) => replicas), sum(({ availableReplicas }) => availableReplicas)];
    const [floor, ceiling] = lines.get(name) ?? [0, 0];
    truth.pods.add(pods(all, available));
    truth.bounds.add(pods(floor, ceiling));
    if (all > ceiling || available < floor) truth.outside.add(pods(all, available));
  }
  return truths;
}

/** The controller's own rounding, once more (`ResolveFenceposts`): surge up, unavailable down, and not both 0. */
function bounds({ spec }: ApiObject): [number, number] {
  const { replicas, strategy } = spec as { replicas: number; strategy: { type: string; rollingUpdate?: { maxSurge: number | string; maxUnavailable: number | string } } };
  if (strategy.type === 'Recreate') return [0, replicas];
  const { maxSurge, maxUnavailable } = strategy.rollingUpdate!;
  const scaled = (bound: number | string, round: (value: number) => number) => (typeof bound === 'number' ? bound : round((Number.parseInt(bound, 10) * replicas) / 100));
  const surge = scaled(maxSurge, Math.ceil);
  const down = scaled(maxUnavailable, Math.floor);
  const unavailable = Math.min(surge === 0 && down === 0 ? 1 : down, replicas);
  return [replicas - unavailable, replicas + surge];
}
