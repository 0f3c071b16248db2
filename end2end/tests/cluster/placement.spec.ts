import { type ApiObject } from '../../cluster/client';
import { expect, foreign, test } from '../../cluster/fixtures';
import { Nodes, pod } from '../../cluster/placements';
import { Random } from '../../cluster/random';
import { seed } from '../../cluster/tally';

const nodes = 100;
const pods = Number(process.env.PODS || 1_000);
/** How many may be asked for at a time. */
const hands = 16;

/** What Masthead says of a pod's placement. */
type Told = {
  standing: string;
  fits: number;
  message: string;
  notChecked: string[];
  scheduler: { message: string; comparison: { agrees: boolean } | null } | null;
  verdicts: { node: string; fits: boolean; reasons: { reason: string; spoken: boolean }[] }[];
};
type Condition = { type: string; status: string; reason?: string; message?: string };

test('random pods on random nodes: they fit where the scheduler finds a node, and its reasons are ours', async ({ cluster, namespace, watch, tally }, info) => {
  test.skip(!!foreign, 'wants nodes of its own');
  test.setTimeout(900_000);
  const random = new Random(seed(info));
  const masthead = await watch(cluster.kubeconfig);
  const world = new Nodes(cluster);
  const collection = `/api/v1/namespaces/${namespace}/pods`;
  const told = async (name: string) => {
    const answer = await fetch(`${masthead.url}/api/v1/placement/${namespace}/pod/${name}`);
    return answer.ok ? ((await answer.json()) as Told) : undefined;
  };
  /** Once Masthead has it there. */
  const once = async (name: string, standing: string[]): Promise<Told> => {
    for (const end = Date.now() + 30_000; Date.now() < end; ) {
      const now = await told(name);
      if (now && standing.includes(now.standing)) return now;
      await new Promise((later) => setTimeout(later, 5));
    }
    throw new Error(`${name} was never ${standing.join(' or ')}: ${JSON.stringify(await told(name))?.slice(0, 300)}`);
  };
  try {
    await world.start(random, nodes);
    await expect.poll(() => world.settled(), { timeout: 120_000 }).toBe(true);
    const made = Array.from({ length: pods }, (_, at) => pod(random, at, nodes));
    await each(made, (pod) => cluster.request('POST', collection, pod));

    const counts = { placed: 0, refused: 0, reasons: 0, rules: new Map<string, number>() };
    const differences: string[] = [];
    // One after another, held by a gate until then: so each is decided on what Masthead has just been asked about.
    for (const { metadata: { name } } of made) {
      const before = await once(name, ['gated']);
      await cluster.request('PATCH', `${collection}/${name}`, { spec: { schedulingGates: null } }, 'application/merge-patch+json');
      const after = await once(name, ['placed', 'refused']);
      const { spec, status } = await cluster.request<ApiObject & { spec: { nodeName?: string; schedulingGates?: unknown }; status: { conditions: Condition[] } }>('GET', `${collection}/${name}`);
      const said = status.conditions.find(({ type, status }) => type === 'PodScheduled' && status === 'False')?.message;
      const differ = (what: string) => differences.push(`${name}: ${what}; ${JSON.stringify({ said, found: before.message, spec: { ...spec, volumes: undefined } })}`);
      expect(before.notChecked.filter((what) => !what.includes('DeviceClass')), name).toEqual([]);
      if (spec.nodeName) {
        counts.placed += 1;
        if (!before.verdicts.find(({ node }) => node === spec.nodeName)?.fits) differ(`the scheduler placed it on ${spec.nodeName}`);
      } else {
        counts.refused += 1;
        if (before.fits > 0) differ(`it fits on ${before.fits} nodes, and the scheduler found none`);
        // What comes after our words is of preemption, which finds nobody to make room.
        else if (!said?.startsWith(before.message) || !/^ (preemption: .*|not found)$/.test(said.slice(before.message.length))) differ('the scheduler said something else');
        else if (!after.scheduler?.comparison?.agrees) differ('its words are not understood');
        counts.reasons += before.message.split(', ').length;
      }
      for (const { reasons } of before.verdicts) {
        for (const { reason, spoken } of reasons) if (spoken) counts.rules.set(reason, (counts.rules.get(reason) ?? 0) + 1);
      }
    }
    tally.equal('pods placed or refused', 'api', pods);
    tally.equal('reasons with their counts', 'api', counts.reasons);
    tally.differ('pods placed or refused', differences.length);
    console.log(
      `placement: ${counts.placed} pods placed, ${counts.refused} refused with ${counts.reasons} reasons; what spoke against a node, of ${pods * nodes}: ${[...counts.rules].map(([reason, count]) => `${reason} ${count}`).join(', ')}`,
    );
    expect(differences.slice(0, 3), `${differences.length} of ${pods} pods differ`).toEqual([]);
    // It would be no proof if only one of the two ever happened.
    expect(Math.min(counts.placed, counts.refused)).toBeGreaterThan(pods / 10);
    expect(counts.rules.size).toBeGreaterThan(7);
  } finally {
    await cluster.request('DELETE', `${collection}?gracePeriodSeconds=0`);
    await world.stop();
  }
});

async function each<T>(items: T[], act: (item: T) => Promise<unknown>) {
  const waiting = [...items];
  await Promise.all(
    Array.from({ length: hands }, async () => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await act(item);
    }),
  );
}
