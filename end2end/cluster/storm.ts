import { type ApiObject, type Cluster } from './client';
import { type Random } from './random';

/** So many pods at the most: kubectl's table of one namespace is read back up to 500 rows. */
const most = 350;
const nodes = 100;

type Named = { kind: string; name: string };
const apps = '/apis/apps/v1';
const groups: Record<string, string> = { pods: '/api/v1', replicationcontrollers: '/api/v1', replicasets: apps, deployments: apps, daemonsets: apps, statefulsets: apps };
const names: Record<string, string> = {
  pods: 'Pod', replicationcontrollers: 'ReplicationController', replicasets: 'ReplicaSet', deployments: 'Deployment', daemonsets: 'DaemonSet', statefulsets: 'StatefulSet',
};

/** Random things done to a namespace and a hundred fake nodes, for as long as it is let. */
export class Storm {
  /** How many of each kind of act were done, and how many were refused (what was to be changed had gone). */
  readonly done: Record<string, number> = {};
  private made: Named[] = [];
  private next = 0;

  constructor(
    private readonly cluster: Cluster,
    private readonly namespace: string,
    private readonly random: Random,
  ) {}

  /** Fake nodes of its own, kept by kwok. Not where nodes are somebody's. */
  async nodes() {
    if (this.cluster.foreign) return;
    for (let at = 1; at <= nodes; at += 1) {
      await this.cluster.request('POST', '/api/v1/nodes', {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: {
          name: `storm-${at}`,
          annotations: { 'kwok.x-k8s.io/node': 'fake' },
          labels: { 'kubernetes.io/hostname': `storm-${at}`, type: 'kwok' },
        },
        spec: { taints: [{ key: 'kwok.x-k8s.io/node', value: 'fake', effect: 'NoSchedule' }] },
        status: { allocatable: { cpu: '32', memory: '256Gi', pods: '110' }, capacity: { cpu: '32', memory: '256Gi', pods: '110' } },
      });
    }
  }

  /** Takes its nodes away. */
  async over() {
    if (this.cluster.foreign) return;
    // At once: kubectl deletes five a second.
    const names = Array.from({ length: nodes }, (_, at) => `storm-${at + 1}`);
    await this.cluster.request('DELETE', `/api/v1/nodes?labelSelector=${encodeURIComponent(`kubernetes.io/hostname in (${names.join()})`)}`);
  }

  /** Some hands at a time, each one act after another, with short rests. Which of them comes first is the machine's to say. */
  async rage(milliseconds: number, hands = 4) {
    const end = Date.now() + milliseconds;
    const hand = async () => {
      while (Date.now() < end) {
        await this.act();
        await new Promise((later) => setTimeout(later, this.random.whole(0, 80)));
      }
    };
    await Promise.all(Array.from({ length: hands }, hand));
  }

  private async act() {
    const acts = {
      create: () => this.create(),
      scale: () => this.change(['deployments', 'replicasets', 'replicationcontrollers', 'statefulsets'], { spec: { replicas: this.random.whole(0, 8) } }),
      image: () => this.change(['deployments', 'daemonsets', 'statefulsets'], { spec: { template: { spec: { containers: [{ name: 'main', image: this.cluster.image(this.random.pick(['latest', 'v2', 'v3', 'none'])) }] } } } }),
      label: () => this.change(Object.keys(groups), { metadata: { labels: { storm: `${this.random.whole(0, 3)}` } } }),
      pod: () => this.pod(),
      delete: () => this.delete(),
      cordon: () => this.node({ spec: { unschedulable: this.random.chance(0.5) || null } }),
      tag: () => this.node({ metadata: { labels: { storm: `${this.random.whole(0, 3)}` } } }),
    };
    const act = this.random.pick(['create', 'scale', 'scale', 'image', 'image', 'label', 'pod', 'pod', 'delete', 'cordon', 'tag'] as const);
    await acts[act]().then(
      () => (this.done[act] = (this.done[act] ?? 0) + 1),
      (error: Error) => {
        // Gone, or changed in between: what a storm does. Anything else is a mistake of ours.
        if (!/: (404|409) /.test(error.message)) throw error;
        this.done.refused = (this.done.refused ?? 0) + 1;
      },
    );
  }

  private path(kind: string, name = '') {
    return `${groups[kind]}/namespaces/${this.namespace}/${kind}${name && `/${name}`}`;
  }

  private async create() {
    const kind = this.random.pick(Object.keys(groups));
    const name = `storm-${(this.next += 1)}`;
    const labels = { app: name };
    const template = {
      metadata: { labels },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [{ name: 'main', image: this.cluster.image('latest'), command: this.cluster.idle }],
        ...(!this.cluster.foreign && {
          // A daemon on a hundred nodes would be all there is.
          nodeSelector: kind === 'daemonsets' ? { 'kubernetes.io/hostname': `storm-${this.random.whole(1, nodes)}` } : { type: 'kwok' },
          tolerations: [{ key: 'kwok.x-k8s.io/node', operator: 'Exists' }],
        }),
      },
    };
    if ((await this.pods()).length > most && kind !== 'pods') return this.delete();
    const selector = kind === 'replicationcontrollers' ? labels : { matchLabels: labels };
    const spec = kind === 'pods' ? template.spec : {
      ...(kind !== 'daemonsets' && { replicas: this.random.whole(0, 6) }),
      ...(kind === 'statefulsets' && { serviceName: name }),
      selector,
      template,
    };
    await this.cluster.request('POST', this.path(kind), {
      apiVersion: groups[kind] === apps ? 'apps/v1' : 'v1',
      kind: names[kind],
      metadata: { name, namespace: this.namespace, labels },
      spec,
    });
    this.made.push({ kind, name });
  }

  private async pods(): Promise<string[]> {
    const list = await this.cluster.request<{ items: ApiObject[] }>('GET', this.path('pods'));
    return list.items.map(({ metadata }) => metadata.name);
  }

  private one(kinds: string[]): Named | undefined {
    const among = this.made.filter(({ kind }) => kinds.includes(kind));
    return among.length > 0 ? this.random.pick(among) : undefined;
  }

  private async change(kinds: string[], patch: object) {
    const one = this.one(kinds);
    if (one) await this.cluster.request('PATCH', this.path(one.kind, one.name), patch, 'application/strategic-merge-patch+json');
  }

  /** Kills a pod, plainly or by force. */
  private async pod() {
    const pods = await this.pods();
    if (pods.length === 0) return;
    await this.cluster.request('DELETE', this.path('pods', this.random.pick(pods)), this.random.chance(0.3) ? { gracePeriodSeconds: 0 } : {});
  }

  private async delete() {
    const one = this.one(Object.keys(groups));
    if (!one) return;
    this.made = this.made.filter((other) => other !== one);
    await this.cluster.request('DELETE', this.path(one.kind, one.name), { propagationPolicy: this.random.pick(['Background', 'Foreground', 'Orphan']) });
  }

  private async node(patch: object) {
    if (this.cluster.foreign) return;
    await this.cluster.request('PATCH', `/api/v1/nodes/storm-${this.random.whole(1, nodes)}`, patch, 'application/strategic-merge-patch+json');
  }
}
