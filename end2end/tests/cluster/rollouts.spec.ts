import { type Page } from '@playwright/test';
import { type ApiObject } from '../../cluster/client';
import { Comparison, expectNone } from '../../cluster/compare';
import { expect, test } from '../../cluster/fixtures';
import { type Change } from '../../cluster/moment';
import { read } from '../../cluster/page';
import { On, play, scenarios } from '../../cluster/rollouts';
import { withheld } from '../../cluster/withheld';

test('rollouts: at every version of each, what kubectl says', async ({ cluster, namespace, moment, watch, tally, page }) => {
  test.setTimeout(900_000);
  const played = scenarios.filter(({ real }) => !real || cluster.node || cluster.foreign);
  test.info().annotations.push(
    ...scenarios.filter((scenario) => !played.includes(scenario)).map(({ name }) => ({ type: 'skip', description: `${name} needs a real node` })),
  );
  const masthead = await watch(moment.kubeconfig);
  const ons = played.map(({ kind, name }) => new On(cluster, namespace, kind, name));
  const said = await Promise.all(ons.map((on, at) => play(on, played[at])));
  const last = await moment.caughtUp();

  await page.setViewportSize({ width: 1280, height: 2200 });
  await page.goto(`${masthead.url}/workloads?wide=1&namespace=${namespace}`);
  const replay = new Replay(new Comparison(cluster, moment.kubeconfig, masthead.url, tally), page, namespace);
  const changes = moment.changes
    .filter(({ object, version }) => object.metadata.namespace === namespace && version <= last)
    .sort((a, b) => a.version - b.version);
  expect(changes.length).toBeGreaterThan(200);
  for (const change of changes) {
    moment.advance(change.version);
    await replay.compare(change);
  }
  for (const [at, on] of ons.entries()) {
    // Who watched all the while was told some of these, in this order.
    const told = lines(said[at].out + said[at].err);
    expect(told.length, `${on.name}: kubectl rollout status said something`).toBeGreaterThan(0);
    expect(subsequence(told, replay.sentences(on)), `${on.name}: ${told.join('; ')}`).toBe(true);
  }
});

const lines = (text: string) => text.split('\n').filter((line) => line !== '');

/** Whether `part` can be had from `whole` by leaving words out. */
function subsequence(part: string[], whole: string[]): boolean {
  let at = 0;
  return part.every((line) => {
    while (at < whole.length && whole[at] !== line) at += 1;
    return at < whole.length;
  });
}

/** What rollouts are of, as `kubectl rollout` names them. */
const workloads: Record<string, string> = { deployments: 'deployment', daemonsets: 'daemonset', statefulsets: 'statefulset' };

class Replay {
  private readonly told = new Map<string, string[]>();
  /** What of an object the history is made of, as it last was. */
  private readonly basis = new Map<string, string>();

  constructor(
    private readonly comparison: Comparison,
    private readonly page: Page,
    private readonly namespace: string,
  ) {}

  /** Every sentence a workload was told by, in order, none twice in a row. */
  sentences({ kind, name }: On): string[] {
    return this.told.get(`${kind}/${name}`) ?? [];
  }

  /** Everything that a change can have changed. */
  async compare({ kind, object, type }: Change) {
    const printed = await this.comparison.api(kind, this.namespace);
    if (kind in workloads || kind === 'replicasets') await this.comparison.page(this.page, kind, this.namespace, printed);
    if (kind in workloads) await this.status(kind, object, type);
    const owner = (object.metadata.ownerReferences as { kind: string; name: string }[] | undefined)?.[0];
    const whose = kind in workloads ? { kind: workloads[kind], name: object.metadata.name } : { kind: owner?.kind.toLowerCase() ?? '', name: owner?.name ?? '' };
    const holds = ['replicasets', 'controllerrevisions'].includes(kind) || kind in workloads;
    if (holds && Object.values(workloads).includes(whose.kind) && this.mattersToHistory(kind, object, type)) await this.history(whose.kind, whose.name);
  }

  /** A status, or a number of replicas, is no part of it. */
  private mattersToHistory(kind: string, { metadata, spec, revision, data }: ApiObject, type: string): boolean {
    if (kind in workloads && type === 'DELETED') return false;
    const { name, labels, annotations, ownerReferences } = metadata;
    const { selector, template } = (spec ?? {}) as { selector?: object; template?: object };
    const basis = JSON.stringify([type === 'DELETED', labels, annotations, ownerReferences, selector, template, revision, data]);
    const before = this.basis.get(`${kind}/${name}`);
    this.basis.set(`${kind}/${name}`, basis);
    return basis !== before;
  }

  private async same(subject: string, path: string, args: string[], of = (text: string) => text): Promise<string> {
    let answer = '';
    const found = await this.comparison.settle(subject, 'api', async () => {
      const theirs = await this.comparison.kubectl(...args, '-n', this.namespace);
      const ours = await this.comparison.masthead(`/api/v1/rollouts/${this.namespace}/${path}`);
      answer = of(theirs.out + theirs.err);
      return { cells: 1, found: ours.text === answer ? [] : [`${args.join(' ')}: ${ours.text}, kubectl has ${answer}`] };
    });
    expectNone(found);
    return answer;
  }

  private async status(plural: string, { metadata: { name } }: ApiObject, type: string) {
    const kind = workloads[plural];
    const said = await this.same(`rollout status ${kind}`, `${kind}/${name}/status?output=text`, ['rollout', 'status', `${kind}/${name}`, '--watch=false']);
    const key = `${kind}/${name}`;
    const told = this.told.get(key) ?? [];
    this.told.set(key, told);
    const sentence = type === 'DELETED' ? 'error: object has been deleted' : said.trimEnd();
    if (told.at(-1) !== sentence) told.push(sentence);
    if (type === 'DELETED') return;
    // The page says the same in the workload's row.
    const wanted = sentence.replace(/^error: /, '');
    const found = await this.comparison.settle(`rollout status ${kind}`, 'page', async () => {
      const { columns, rows } = await read(this.page, plural);
      const row = rows.find((row) => row[columns.indexOf('NAME')] === name);
      const shown = row?.[columns.indexOf('ROLLOUT STATUS')];
      return { cells: 1, found: shown === wanted ? [] : [`${kind} ${name}: ${shown}, kubectl has ${wanted}`] };
    });
    expectNone(found);
  }

  private async history(kind: string, name: string) {
    const path = `${kind}/${name}/history`;
    const printed = await this.same(`rollout history ${kind}`, `${path}?output=text`, ['rollout', 'history', `${kind}/${name}`]);
    for (const revision of [...[...printed.matchAll(/^(\d+) /gm)].map(([, revision]) => revision), '99']) {
      const args = ['rollout', 'history', `${kind}/${name}`, `--revision=${revision}`];
      await this.same('rollout history --revision', `${path}/${revision}?output=text`, args, withheld);
    }
  }
}
