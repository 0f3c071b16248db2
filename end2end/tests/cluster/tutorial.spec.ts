import { type Page } from '@playwright/test';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type ApiObject, type Cluster } from '../../cluster/client';
import { Comparison } from '../../cluster/compare';
import { expect, foreign, test } from '../../cluster/fixtures';
import { type Moment } from '../../cluster/moment';
import { differences, parse } from '../../cluster/table';
import { withheld } from '../../cluster/withheld';
import * as tutorial from '../../cluster/tutorial';

const report = resolve(__dirname, '../../report/tutorial');

test('the tutorial from top to bottom, each command beside what Masthead shows', async ({ cluster, moment, watch, tally, page }) => {
  test.skip(!!foreign, 'wants the image of the tutorial, which our own registry has');
  test.skip(!cluster.node, 'needs a real node, with containers: root, runc and the CNI plugins');
  test.setTimeout(900_000);
  await page.setViewportSize({ width: 1366, height: 900 });
  const namespace = 'default'; // as who follows the tutorial has it
  const masthead = await watch(moment.kubeconfig);
  const steps = new Steps(cluster, moment, new Comparison(cluster, moment.kubeconfig, masthead.url, tally), page, namespace);
  const until = (what: string, holds: () => Promise<boolean>) => expect.poll(holds, { message: what, timeout: 240_000, intervals: [100] }).toBe(true);
  const pods = async (selector: string) =>
    (await cluster.request<{ items: ApiObject[] }>('GET', `/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(selector)}`)).items;
  const ready = async (selector: string, count: number) => {
    const there = await pods(selector);
    const isReady = ({ status }: ApiObject) =>
      (status as { conditions?: { type: string; status: string }[] }).conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
    return there.length === count && there.every(isReady);
  };
  /** Three pods of the newest template are available, and no others are there. */
  const rolledOut = async (name: string) => {
    const { metadata, status } = await cluster.request('GET', `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`);
    const { observedGeneration, replicas, updatedReplicas, availableReplicas } = status as Record<string, number>;
    const counts = [replicas, updatedReplicas, availableReplicas, (await pods('app=dep-randomforest')).length];
    return observedGeneration === metadata.generation && counts.every((count) => count === 3);
  };
  const [plain, checked] = ['example-deployment-randomforest', 'example-deployment-randomforest-healthcheck'];
  try {
    await rm(report, { recursive: true, force: true });
    await mkdir(report, { recursive: true });
    moment.release();

    await steps.chapter('Pod');
    await steps.apply('pod-randomforest.yml', tutorial.pod);
    await until('the pod runs', () => ready('app=random-forest-app', 1));
    await steps.get('pods');
    await steps.run('delete', 'pods', 'example-pod-randomforest');
    await steps.get('pods');

    await steps.chapter('Replication controller');
    await steps.apply('replicacontroller-randomforest.yml', tutorial.controller);
    await until('five pods run', () => ready('app=rc-randomforest', 5));
    await steps.get('pods');
    await steps.get('replicationcontrollers');
    const [killed] = await pods('app=rc-randomforest');
    await steps.run('delete', 'pod', killed.metadata.name, '--wait=false');
    await steps.get('pods');
    await until('another pod takes its place', () => ready('app=rc-randomforest', 5));
    await steps.get('pods');
    await steps.run('delete', 'replicationcontrollers', 'example-replicacontroller-randomforest');
    await steps.get('pods');
    await until('its pods are gone', async () => (await pods('app=rc-randomforest')).length === 0);

    await steps.chapter('Deployment');
    await steps.apply('deployment-randomforest.yml', tutorial.deployment);
    await steps.status('deployment', plain);
    await until('three pods run', () => rolledOut(plain));
    for (const kind of ['deployments', 'replicasets', 'pods', 'events']) await steps.get(kind);
    await steps.run('set', 'image', 'deployment/example-deployment-randomforest', 'simple-randomforest=aishpra/simple-randomforest:v2');
    await steps.status('deployment', plain);
    await steps.get('pods');
    await until('it is rolled out', () => rolledOut(plain));
    await steps.status('deployment', plain);
    await steps.images();
    await steps.history(plain);
    await steps.run('rollout', 'undo', 'deployment/example-deployment-randomforest');
    await steps.status('deployment', plain);
    await until('it is undone', () => rolledOut(plain));
    await steps.history(plain);
    await steps.images();
    await steps.run('delete', 'deployments', plain);
    await until('its pods are gone', async () => (await pods('app=dep-randomforest')).length === 0);

    await steps.chapter('Labels');
    await steps.run('label', 'nodes', cluster.node!, 'project-');
    await steps.apply('deployment-rf-nodeselector.yml', tutorial.selected);
    await until('three pods are there', async () => (await pods('app=dep-randomforest')).length === 3);
    await steps.get('pods');
    await steps.run('label', 'nodes', cluster.node!, 'project=listingqc');
    await steps.labels();
    await until('three pods run', () => rolledOut(plain));
    await steps.get('pods');
    await steps.select('app=dep-randomforest');
    await steps.run('delete', 'deployments', plain);
    await until('its pods are gone', async () => (await pods('app=dep-randomforest')).length === 0);

    await steps.chapter('Health checks');
    await steps.apply('healthcheck-rf.yml, with a liveness probe', tutorial.live);
    await until('three pods run', () => rolledOut(checked));
    await steps.get('pods');
    await steps.probes((await pods('app=dep-randomforest'))[0].metadata.name, 1);
    await steps.apply('healthcheck-rf.yml, whose liveness probe is answered with 500', tutorial.broken);
    await until('a container is restarted', async () =>
      (await pods('app=dep-randomforest')).some(({ status }) => (status as { containerStatuses?: { restartCount: number }[] }).containerStatuses?.[0]?.restartCount),
    );
    await steps.get('pods');
    await steps.get('events');
    await steps.apply('healthcheck-rf.yml, with a readiness probe', tutorial.ready);
    await steps.status('deployment', checked);
    await until('three pods are ready', () => rolledOut(checked));
    await steps.get('pods');
    await steps.apply('healthcheck-rf.yml, with a startup probe', tutorial.slow);
    await until('three pods are ready', () => rolledOut(checked));
    await steps.get('pods');
    await steps.probes((await pods('app=dep-randomforest'))[0].metadata.name, 3);
    await steps.run('delete', 'deployments', checked);
  } finally {
    await steps.write();
  }
});

/** What is typed, what kubectl prints, what Masthead says, and a picture; compared and written down. */
class Steps {
  private readonly text: string[] = ['# The tutorial, step by step\n'];
  private pictures = 0;

  constructor(
    private readonly cluster: Cluster,
    private readonly moment: Moment,
    private readonly comparison: Comparison,
    private readonly page: Page,
    private readonly namespace: string,
  ) {}

  async chapter(title: string) {
    this.text.push(`## ${title}\n`);
  }

  async write() {
    await writeFile(join(report, 'report.md'), this.text.join('\n'));
  }

  private step(command: string, theirs: string, ours?: string) {
    this.text.push(`### \`${command}\`\n`, 'kubectl:\n', '```', theirs.trimEnd(), '```\n');
    if (ours !== undefined) this.text.push('Masthead:\n', '```', ours.trimEnd(), '```\n');
  }

  private async open(path: string) {
    await this.page.goto(this.comparison.url + path);
    await expect(this.page.locator('.freshness summary')).toContainText('live');
  }

  private async picture(path: string) {
    await this.open(path);
    const name = `${String((this.pictures += 1)).padStart(2, '0')}.png`;
    await this.page.screenshot({ path: join(report, name) });
    this.text.push(`![${path}](${name})\n`);
  }

  /** While nothing moves. */
  private async held(look: () => Promise<void>) {
    await this.moment.freeze();
    await look();
    this.moment.release();
  }

  async apply(file: string, object: object) {
    await this.cluster.apply(object);
    this.step(`kubectl apply -f ${file}`, 'applied');
  }

  async run(...args: string[]) {
    this.step(`kubectl ${args.join(' ')}`, await this.cluster.kubectl(...args));
  }

  /** `kubectl get KIND`, in the API and on the page. */
  async get(kind: string) {
    await this.held(async () => {
      await this.comparison.api(kind);
      const theirs = await this.comparison.kubectl('get', kind);
      const ours = await this.comparison.masthead(`/api/v1/${kind}?output=table&namespace=${this.namespace}`);
      const narrow = await this.comparison.settle(kind, 'api', async () => {
        const [theirs, ours] = [await this.comparison.kubectl('get', kind), await this.comparison.masthead(`/api/v1/${kind}?output=table&namespace=${this.namespace}`)];
        return differences(kind, parse(theirs.out), parse(ours.text), parse((await this.comparison.kubectl('get', kind)).out));
      });
      expect(narrow, `what differs from kubectl get ${kind}, not wide`).toEqual([]);
      this.step(`kubectl get ${kind}`, theirs.out || theirs.err, ours.text || ours.note);
      const path = kind === 'pods' || kind === 'events' ? `/${kind}` : '/workloads';
      await this.picture(`${path}?namespace=${this.namespace}&wide=1`);
      await this.comparison.page(this.page, kind, this.namespace);
    });
  }

  private async same(subject: string, args: string[], path: string) {
    const found = await this.comparison.settle(subject, 'api', async () => {
      const theirs = await this.comparison.kubectl(...args);
      const ours = await this.comparison.masthead(path);
      const wanted = withheld(theirs.out + theirs.err);
      return { cells: 1, found: ours.text === wanted ? [] : [`${args.join(' ')}: ${ours.text}, kubectl has ${wanted}`] };
    });
    expect(found).toEqual([]);
    const command = args.filter((arg) => arg !== '--watch=false');
    this.step(`kubectl ${command.join(' ')}`, (await this.comparison.kubectl(...args)).out, (await this.comparison.masthead(path)).text);
  }

  async status(kind: string, name: string) {
    await this.held(async () => {
      const path = `/api/v1/rollouts/${this.namespace}/${kind}/${name}/status?output=text`;
      await this.same('rollout status deployment', ['rollout', 'status', `${kind}/${name}`, '--watch=false'], path);
      await this.picture(`/${kind}s/${this.namespace}/${name}`);
    });
  }

  async history(name: string) {
    await this.held(async () => {
      const path = `/api/v1/rollouts/${this.namespace}/deployment/${name}/history`;
      await this.same('rollout history', ['rollout', 'history', `deployment/${name}`], `${path}?output=text`);
      await this.same('rollout history --revision', ['rollout', 'history', `deployment/${name}`, '--revision=2'], `${path}/2?output=text`);
      await this.picture(`/deployments/${this.namespace}/${name}`);
    });
  }

  /** Compares lists, ours and kubectl's, until they are equal. */
  private async settled(subject: string, where: 'api' | 'page', look: () => Promise<[string[], string[]]>) {
    const found = await this.comparison.settle(subject, where, async () => {
      const [ours, theirs] = await look();
      const equal = JSON.stringify(ours) === JSON.stringify(theirs);
      return { cells: theirs.length, found: equal ? [] : [`${subject}: ${ours.join('; ')}, kubectl has ${theirs.join('; ')}`] };
    });
    expect(found).toEqual([]);
  }

  /** `kubectl get pods -o jsonpath='{..image}' | tr … | sort | uniq -c`, of what is specified. */
  async images() {
    await this.held(async () => {
      const theirs = await this.comparison.kubectl('get', 'pods', '-o', 'jsonpath={.items[*].spec.containers[*].image}');
      const counts = new Map<string, number>();
      for (const image of theirs.out.split(' ').filter(Boolean)) counts.set(image, (counts.get(image) ?? 0) + 1);
      const wanted = [...counts].map(([image, count]) => `${String(count).padStart(7)} ${image}`).sort();
      const path = `/images?namespace=${this.namespace}`;
      await this.open(path);
      let ours: string[] = [];
      await this.settled('images', 'page', async () => {
        const rows = await this.page.locator('table.images tbody tr').evaluateAll((rows) =>
          rows.map((row) => [...row.children].map((cell) => cell.textContent ?? '')),
        );
        ours = rows.map(([count, image]) => `${count.padStart(7)} ${image}`).sort();
        return [ours, wanted];
      });
      this.step(`kubectl get pods -o jsonpath="{..image}" | tr -s '[[:space:]]' '\\n' | sort | uniq -c`, wanted.join('\n'), ours.join('\n'));
      await this.picture(path);
    });
  }

  /** `kubectl get nodes --show-labels`, against the labels in the API. */
  async labels() {
    await this.held(async () => {
      const theirs = await this.comparison.kubectl('get', 'nodes', '--show-labels', '--no-headers');
      const wanted = theirs.out.trimEnd().split('\n').map((line) => line.split(/ +/)).map((words) => `${words[0]} ${words.at(-1)}`);
      type Node = { meta: { name: string; labels: Record<string, string> } };
      let ours: string[] = [];
      await this.settled('labels', 'api', async () => {
        const { items } = JSON.parse((await this.comparison.masthead('/api/v1/nodes')).text) as { items: Node[] };
        const labels = ({ meta }: Node) => Object.entries(meta.labels).map(([key, value]) => `${key}=${value}`).sort();
        ours = items.map((node) => `${node.meta.name} ${labels(node).join(',')}`);
        return [ours, wanted];
      });
      this.step('kubectl get nodes --show-labels', theirs.out, ours.join('\n'));
      await this.picture('/nodes');
    });
  }

  async select(selector: string) {
    await this.held(async () => {
      const path = `/api/v1/pods?output=table&namespace=${this.namespace}&labelSelector=${encodeURIComponent(selector)}`;
      await this.same('selectors', ['get', 'pods', '-l', selector], path);
      await this.picture(`/pods?namespace=${this.namespace}&selector=${encodeURIComponent(selector)}`);
    });
  }

  /** The probes' lines of `kubectl describe pod`, against the pod's page. */
  async probes(pod: string, probes: number) {
    await this.held(async () => {
      const theirs = await this.comparison.kubectl('describe', 'pod', pod);
      const lines = [...theirs.out.matchAll(/^ +((?:Liveness|Readiness|Startup): +.*)$/gm)].map(([, line]) => line.replace(/: +/, ': '));
      expect(lines.length).toBe(probes);
      const path = `/pods/${this.namespace}/${pod}`;
      await this.open(path);
      for (const line of lines) await expect(this.page.locator('.probe').getByText(line, { exact: true })).toBeVisible();
      this.comparison.tally.equal('probes', 'page', lines.length);
      this.step(`kubectl describe pod ${pod}`, theirs.out, lines.join('\n'));
      await this.picture(path);
    });
  }
}
