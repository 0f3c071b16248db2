import { type ApiObject, type Cluster, type Said, type Watching } from './client';

/** A workload, and what is done to it. */
export type Scenario = {
  name: string;
  kind: 'deployment' | 'daemonset' | 'statefulset';
  spec: object;
  /** Needs a kubelet that pulls images. */
  real?: boolean;
  /** Its pods are replaced by hand: nothing to wait for. */
  byHand?: boolean;
  /** What was said to who watched it, if that is of interest. */
  act: (on: On) => Promise<Said | void>;
};

type Status = { [field: string]: unknown } & { conditions?: { type: string; reason: string }[] };

/** One workload of a cluster, for a scenario to act on. */
export class On {
  constructor(
    readonly cluster: Cluster,
    readonly namespace: string,
    readonly kind: Scenario['kind'],
    readonly name: string,
  ) {}

  get path() {
    return `/apis/apps/v1/namespaces/${this.namespace}/${this.kind}s/${this.name}`;
  }

  patch(patch: object) {
    return this.cluster.request('PATCH', this.path, patch, 'application/strategic-merge-patch+json');
  }

  image(version: 'latest' | 'v2' | 'v3' | 'none') {
    return this.patch({ spec: { template: { spec: { containers: [{ name: 'service', image: this.cluster.image(version) }] } } } });
  }

  /** `kubectl rollout status`, until it ends. */
  watch(): Watching {
    return this.cluster.watching('rollout', 'status', `${this.kind}/${this.name}`, '-n', this.namespace, '--timeout=300s');
  }

  kubectl(...args: string[]) {
    return this.cluster.kubectl(...args, '-n', this.namespace);
  }

  /** Waits until its status is like that; as the controller has observed the newest spec. */
  async until(what: string, holds: (status: Status, object: ApiObject) => boolean) {
    const end = Date.now() + 60_000;
    for (;;) {
      const object = await this.cluster.request('GET', this.path);
      const status = object.status as Status;
      if (status.observedGeneration === object.metadata.generation && holds(status, object)) return;
      if (Date.now() > end) throw new Error(`${this.kind} ${this.name} is not ${what}: ${JSON.stringify(status)}`);
      await new Promise((later) => setTimeout(later, 200));
    }
  }

  /** Waits until all of it is new and available. */
  done() {
    return this.until('rolled out', (status, { spec }) => {
      const { replicas = status.desiredNumberScheduled } = spec as { replicas?: number };
      const updated = status.updatedReplicas ?? status.updatedNumberScheduled ?? 0;
      const available = status.availableReplicas ?? status.numberAvailable ?? 0;
      return updated === replicas && available === replicas && (status.replicas ?? replicas) === replicas;
    });
  }

  updated(count: number) {
    return this.until(`updated to ${count}`, (status) => Number(status.updatedReplicas ?? status.updatedNumberScheduled ?? 0) >= count);
  }
}

/** What a rollout can go through. */
export const scenarios: Scenario[] = [
  {
    name: 'normal',
    kind: 'deployment',
    spec: { replicas: 3, minReadySeconds: 1 },
    act: async (on) => {
      await on.image('v2');
      await on.done();
      await on.patch({ spec: { replicas: 4 } });
      await on.done();
      await on.kubectl('rollout', 'restart', 'deployment/normal');
      await on.done();
    },
  },
  {
    name: 'stuck',
    kind: 'deployment',
    real: true,
    spec: { replicas: 2, progressDeadlineSeconds: 4 },
    act: async (on) => {
      await on.image('none');
      const { said } = on.watch();
      await on.until('past its deadline', ({ conditions }) => conditions?.some(({ reason }) => reason === 'ProgressDeadlineExceeded') ?? false);
      await said; // ended by the deadline
      await on.kubectl('rollout', 'undo', 'deployment/stuck');
      await on.done();
      return said;
    },
  },
  {
    name: 'paused',
    kind: 'deployment',
    spec: { replicas: 3 },
    act: async (on) => {
      await on.kubectl('rollout', 'pause', 'deployment/paused');
      await on.image('v2');
      await on.until('seen', () => true);
      await on.kubectl('rollout', 'resume', 'deployment/paused');
      await on.updated(1);
      await on.kubectl('rollout', 'pause', 'deployment/paused');
      await on.until('seen', () => true);
      await on.kubectl('rollout', 'resume', 'deployment/paused');
      await on.done();
    },
  },
  {
    name: 'scaled',
    kind: 'deployment',
    spec: { replicas: 5, minReadySeconds: 1, strategy: { rollingUpdate: { maxSurge: 2, maxUnavailable: 1 } } },
    act: async (on) => {
      await on.image('v2');
      await on.updated(2);
      await on.patch({ spec: { replicas: 8 } });
      await on.done();
      await on.image('v3');
      await on.updated(3);
      await on.patch({ spec: { replicas: 2 } });
      await on.done();
      await on.patch({ spec: { replicas: 0 } });
      await on.done();
    },
  },
  {
    name: 'undone',
    kind: 'deployment',
    spec: { replicas: 2 },
    act: async (on) => {
      await on.image('v2');
      await on.kubectl('annotate', 'deployment/undone', 'kubernetes.io/change-cause=the second, with "words"');
      await on.done();
      await on.kubectl('rollout', 'undo', 'deployment/undone');
      await on.done();
    },
  },
  {
    name: 'undone-to',
    kind: 'deployment',
    spec: { replicas: 2, revisionHistoryLimit: 2 },
    act: async (on) => {
      for (const version of ['v2', 'v3'] as const) {
        await on.image(version);
        await on.done();
      }
      await on.kubectl('rollout', 'undo', 'deployment/undone-to', '--to-revision=1');
      await on.done();
      // For its template alone: whether such pods come up is no matter.
      await on.patch({ spec: { template: { metadata: { annotations: { 'example.com/other': 'canary-annotation' } }, spec: rich } } });
      await on.until('seen', () => true);
    },
  },
  {
    name: 'deleted',
    kind: 'deployment',
    spec: { replicas: 4, minReadySeconds: 2 },
    act: async (on) => {
      await on.image('v2');
      await on.updated(1);
      const { spoke, said } = on.watch();
      await spoke; // with three more pods to come, each two seconds
      await on.kubectl('delete', 'deployment/deleted');
      return said;
    },
  },
  {
    name: 'recreated',
    kind: 'deployment',
    spec: { replicas: 3, strategy: { type: 'Recreate', rollingUpdate: null } },
    act: async (on) => {
      await on.image('v2');
      await on.done();
    },
  },
  {
    name: 'everywhere',
    kind: 'daemonset',
    spec: { minReadySeconds: 1 },
    act: async (on) => {
      await on.kubectl('annotate', 'daemonset/everywhere', 'kubernetes.io/change-cause=the second');
      await on.image('v2');
      await on.done();
      await on.kubectl('rollout', 'undo', 'daemonset/everywhere');
      await on.done();
    },
  },
  {
    name: 'by-hand',
    kind: 'daemonset',
    byHand: true,
    spec: { updateStrategy: { type: 'OnDelete' } },
    act: async (on) => {
      await on.image('v2');
      await on.until('seen', () => true);
    },
  },
  {
    name: 'ordered',
    kind: 'statefulset',
    spec: { replicas: 3 },
    act: async (on) => {
      await on.image('v2');
      await on.done();
    },
  },
  {
    name: 'in-part',
    kind: 'statefulset',
    spec: { replicas: 3, podManagementPolicy: 'Parallel', updateStrategy: { rollingUpdate: { partition: 1 } } },
    act: async (on) => {
      await on.image('v2');
      await on.updated(2);
      await on.patch({ spec: { updateStrategy: { rollingUpdate: { partition: 0 } } } });
      await on.done();
    },
  },
  {
    name: 'ordered-by-hand',
    kind: 'statefulset',
    byHand: true,
    spec: { replicas: 1, updateStrategy: { type: 'OnDelete' } },
    act: async (on) => {
      await on.image('v2');
      await on.until('seen', () => true);
    },
  },
];

/** A template with what `rollout history --revision` prints, and what Masthead withholds of it. */
const rich = {
  initContainers: [{ name: 'first', image: 'busybox', args: ['of', 'two\nlines'] }],
  containers: [
    {
      name: 'service',
      ports: [
        { name: 'web', containerPort: 5000 },
        { containerPort: 53, protocol: 'UDP', hostPort: 5353 },
      ],
      env: [
        { name: 'SECRET', value: 'canary-value' },
        { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
      ],
      envFrom: [{ configMapRef: { name: 'canary-map', optional: true } }],
      resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '64Mi' } },
      livenessProbe: { httpGet: { path: '/healthz?a=b', port: 'web' }, periodSeconds: 3 },
      readinessProbe: { exec: { command: ['true', 'canary-word'] } },
      startupProbe: { tcpSocket: { port: 5000 }, failureThreshold: 30 },
      volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }],
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
    },
  ],
  volumes: [{ name: 'scratch', emptyDir: {} }],
  topologySpreadConstraints: [
    { maxSkew: 3, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', labelSelector: { matchLabels: { app: 'undone-to' } } },
  ],
};

/** Creates a scenario's workload. */
export async function create(on: On, { spec, real }: Scenario) {
  const { cluster, kind, name, namespace } = on;
  // Pods of kwok's nodes are ready without containers; elsewhere something has to run.
  const fake = !real && !cluster.foreign;
  await cluster.apply({
    apiVersion: 'apps/v1',
    kind: { deployment: 'Deployment', daemonset: 'DaemonSet', statefulset: 'StatefulSet' }[kind],
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      selector: { matchLabels: { app: name } },
      ...(kind === 'statefulset' && { serviceName: name }),
      ...spec,
      template: {
        metadata: { labels: { app: name } },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [{ name: 'service', image: cluster.image('latest'), command: cluster.idle }],
          ...(fake && { nodeSelector: { type: 'kwok' }, tolerations: [{ key: 'kwok.x-k8s.io/node', operator: 'Exists' }] }),
        },
      },
    },
  });
}

/** Plays a scenario to its end; what `kubectl rollout status` said all the while. */
export async function play(on: On, scenario: Scenario): Promise<Said> {
  await create(on, scenario);
  // From its creation on, until it is done for the first time.
  const first = on.watch();
  if (!scenario.byHand) await on.done();
  return (await scenario.act(on)) ?? first.said;
}
