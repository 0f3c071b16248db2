import { type ApiObject, type Cluster } from './client';
import { type Random } from './random';

/** What all of ours have, and nobody else's. */
const ours = { 'placement.test/ours': 'yes' };
const keys = ['zone', 'disk', 'project', 'size'] as const;
const values: Record<(typeof keys)[number], readonly string[]> = {
  zone: ['a', 'b', 'c', 'd'],
  disk: ['ssd', 'hdd'],
  project: ['listingqc', 'fraud', ''],
  size: ['1', '2', '3', '5', '8', 'large', '08'],
};
const taints = ['dedicated', 'special', 'rank'];
const taintValues = ['a', 'b', '', '4', '7'];
const gpu = 'example.com/gpu';

const name = (at: number) => `placement-${at}`;

/** A node that nobody runs, with labels, taints and room at random. */
function node(random: Random, at: number): ApiObject {
  const labels = Object.fromEntries(random.subset(keys, 0.7).map((key) => [key, random.pick(values[key])]));
  const allocatable = {
    cpu: random.pick(['500m', '1', '2', '3500m', '8']),
    memory: random.pick(['128Mi', '512Mi', '1Gi', '4Gi', '3000000001']),
    'ephemeral-storage': random.pick(['1Gi', '5Gi', '20G']),
    pods: `${random.whole(1, 20)}`,
    ...random.maybe(0.4, () => ({ [gpu]: `${random.whole(0, 4)}` })),
    ...random.maybe(0.3, () => ({ 'hugepages-2Mi': random.pick(['0', '64Mi', '512Mi']) })),
  };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: name(at), labels: { ...ours, 'kubernetes.io/hostname': name(at), ...labels } },
    spec: {
      unschedulable: random.maybe(0.1, () => true),
      taints: random.chance(0.35)
        ? random.subset(taints).map((key) => ({ key, value: random.pick(taintValues), effect: random.pick(['NoSchedule', 'NoExecute', 'PreferNoSchedule']) }))
        : undefined,
    },
    status: { allocatable, capacity: allocatable, conditions: [{ type: 'Ready', status: 'True', reason: 'Placement', lastHeartbeatTime: now(), lastTransitionTime: now() }] },
  };
}

const now = () => new Date().toISOString().replace(/\.\d+Z$/, 'Z');

/** The name of the class that adds overhead, and the gate that holds a pod until it is its turn. */
const runtimeClass = 'placement-test';
const gate = 'placement.test/turn';

/** A pod that asks for this and that at random, held until it is its turn. */
export function pod(random: Random, at: number, nodes: number): ApiObject {
  const tolerations = random.chance(0.5) ? random.some(1, 3, () => toleration(random)) : undefined;
  const everything = random.chance(0.05);
  const hostNetwork = random.maybe(0.03, () => true);
  const containers = random.some(1, 3, (which) => container(random, `c${which}`));
  const initContainers = random.maybe(0.3, () =>
    random.some(1, 2, (which) => ({ ...container(random, `i${which}`), ...random.maybe(0.5, () => ({ restartPolicy: 'Always' })) })),
  );
  valid([...containers, ...(initContainers ?? [])], !!hostNetwork);
  const nodeSelector = Object.fromEntries(random.subset(keys, 0.12).map((key) => [key, random.pick(values[key])]));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `asks-${at}`, labels: { test: 'placement' } },
    spec: {
      schedulingGates: [{ name: gate }],
      terminationGracePeriodSeconds: 0,
      hostNetwork,
      runtimeClassName: random.maybe(0.08, () => runtimeClass),
      containers,
      initContainers,
      // What it asks for as a whole is more than any of its containers may.
      resources: random.maybe(0.08, () => ({ requests: { cpu: `${random.whole(30, 40) * 250}m`.replace('000m', '') }, limits: { cpu: '64', memory: '64Gi' } })),
      nodeSelector: everything ? { ...nodeSelector, ...ours } : nodeSelector,
      tolerations: everything ? [{ operator: 'Exists' }] : tolerations,
      affinity: random.maybe(0.3, () => ({
        nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: random.some(1, 3, () => term(random, nodes)) } },
      })),
    },
  };
}

function toleration(random: Random): object {
  const key = random.pick(['node.kubernetes.io/unschedulable', ...taints, ...taints]);
  const effect = random.maybe(0.6, () => random.pick(['NoSchedule', 'NoSchedule', 'NoExecute', 'PreferNoSchedule']));
  return random.chance(0.5) ? { key, operator: 'Exists', effect } : { key, operator: random.maybe(0.5, () => 'Equal'), value: random.pick(taintValues), effect };
}

type Port = { containerPort: number; hostPort?: number; hostIP?: string; protocol?: string };

/** The API server takes no port twice, and in the node's own network none that is another outside. */
function valid(containers: { ports?: Port[] }[], hostNetwork: boolean) {
  const seen = new Set<string>();
  for (const container of containers) {
    container.ports = container.ports?.filter((port) => {
      if (hostNetwork && port.hostPort) port.containerPort = port.hostPort;
      const { protocol = 'TCP', hostIP = '', hostPort = hostNetwork ? port.containerPort : undefined } = port;
      const key = `${protocol}/${hostIP}/${hostPort}`;
      const isNew = !hostPort || !seen.has(key);
      seen.add(key);
      return isNew;
    });
  }
}

function container(random: Random, name: string): { ports?: Port[]; [field: string]: unknown } {
  const requests = {
    ...random.maybe(0.6, () => ({ cpu: random.pick(['50m', '100m', '250m', '1', '1500m', '0.3']) })),
    ...random.maybe(0.5, () => ({ memory: random.pick(['16Mi', '64Mi', '300M', '1Gi', '100000001']) })),
    ...random.maybe(0.2, () => ({ 'ephemeral-storage': random.pick(['100Mi', '2Gi', '6G']) })),
  };
  // What cannot be had in part is asked for as it is bounded.
  const whole = {
    ...random.maybe(0.08, () => ({ [gpu]: `${random.whole(1, 3)}` })),
    ...random.maybe(0.05, () => ({ 'hugepages-2Mi': random.pick(['2Mi', '64Mi']), memory: '128Mi' })),
  };
  // Where there is but a limit, the API server makes that the request.
  const bounded = random.maybe(0.15, () => ({ cpu: '2', memory: '2Gi' }));
  const ports = random.maybe(0.15, () =>
    random.some(1, 2, (which) => ({
      containerPort: 8000 + which,
      name: `${name}-${which}`,
      hostPort: random.maybe(0.8, () => random.whole(9000, 9003)),
      hostIP: random.maybe(0.4, () => random.pick(['127.0.0.1', '10.9.9.9'])),
      protocol: random.maybe(0.5, () => random.pick(['TCP', 'UDP'])),
    })),
  );
  return { name, image: 'placement:none', ports, resources: { requests: { ...requests, ...whole }, limits: { ...bounded, ...whole } } };
}

function term(random: Random, nodes: number): object {
  const expression = () => {
    const key = random.pick(keys);
    const operator = random.pick(['In', 'In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt']);
    if (operator === 'Exists' || operator === 'DoesNotExist') return { key, operator };
    if (operator === 'Gt' || operator === 'Lt') return { key: 'size', operator, values: [random.pick(['0', '2', '4', '7'])] };
    return { key, operator, values: random.some(1, 3, () => random.pick(values[key])) };
  };
  const field = () => ({ key: 'metadata.name', operator: random.pick(['In', 'In', 'NotIn']), values: [name(random.whole(1, nodes + 2))] });
  return {
    matchExpressions: random.chance(0.8) ? random.some(1, 2, expression) : undefined,
    matchFields: random.maybe(0.25, () => random.some(1, 2, field)),
  };
}

/** Nodes that nobody runs, kept alive by their leases; the others are out of bounds meanwhile. */
export class Nodes {
  private readonly names: string[] = [];
  private others: { name: string; taints: object[] }[] = [];
  private beating?: Promise<void>;
  private over = false;

  constructor(private readonly cluster: Cluster) {}

  async start(random: Random, count: number) {
    const { cluster } = this;
    const { items } = await cluster.request<{ items: ApiObject[] }>('GET', '/api/v1/nodes');
    this.others = items.map(({ metadata, spec }) => ({ name: metadata.name, taints: (spec as { taints?: object[] }).taints ?? [] }));
    const away = { key: 'placement.test/others', effect: 'NoSchedule' };
    await Promise.all(this.others.map(({ name, taints }) => this.taint(name, [...taints, away])));
    await cluster.request('POST', '/apis/node.k8s.io/v1/runtimeclasses', {
      apiVersion: 'node.k8s.io/v1',
      kind: 'RuntimeClass',
      metadata: { name: runtimeClass },
      handler: 'runc',
      overhead: { podFixed: { cpu: '250m', memory: '20Mi' } },
    });
    const made = Array.from({ length: count }, (_, at) => node(random, at + 1));
    await Promise.all(
      made.map(async (node) => {
        const { status, ...rest } = node;
        const created = await cluster.request('POST', '/api/v1/nodes', rest);
        this.names.push(node.metadata.name);
        await cluster.request('PATCH', `/api/v1/nodes/${created.metadata.name}/status`, { status }, 'application/merge-patch+json');
        await cluster.request('POST', leases, {
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { name: created.metadata.name },
          spec: { holderIdentity: created.metadata.name, leaseDurationSeconds: 40, renewTime: micro() },
        });
      }),
    );
    this.beating = this.beat();
  }

  /** Whether the controllers are through with them: new nodes are tainted as not ready, cordoned ones as cordoned. */
  async settled(): Promise<boolean> {
    const { items } = await this.cluster.request<{ items: ApiObject[] }>('GET', `/api/v1/nodes?labelSelector=${encodeURIComponent('placement.test/ours')}`);
    return items.every(({ spec }) => {
      const { unschedulable = false, taints = [] } = spec as { unschedulable?: boolean; taints?: { key: string }[] };
      const has = (key: string) => taints.some((taint) => taint.key === key);
      return !has('node.kubernetes.io/not-ready') && !has('node.kubernetes.io/unreachable') && has('node.kubernetes.io/unschedulable') === unschedulable;
    });
  }

  private async beat() {
    while (!this.over) {
      for (const name of this.names) {
        if (this.over) return;
        await this.cluster.request('PATCH', `${leases}/${name}`, { spec: { renewTime: micro() } }, 'application/merge-patch+json');
        await new Promise((later) => setTimeout(later, 50));
      }
    }
  }

  private async taint(node: string, taints: object[]) {
    await this.cluster.request('PATCH', `/api/v1/nodes/${node}`, { spec: { taints } }, 'application/merge-patch+json');
  }

  /** Takes all of it away. */
  async stop() {
    this.over = true;
    await this.beating;
    await this.cluster.request('DELETE', `/api/v1/nodes?labelSelector=${encodeURIComponent('placement.test/ours')}`);
    await Promise.all(this.names.map((name) => this.cluster.request('DELETE', `${leases}/${name}`).catch(() => undefined)));
    await this.cluster.request('DELETE', `/apis/node.k8s.io/v1/runtimeclasses/${runtimeClass}`);
    await Promise.all(this.others.map(({ name, taints }) => this.taint(name, taints)));
  }
}

const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
const micro = () => new Date().toISOString().replace(/(\.\d{3})Z$/, '$1000Z');
