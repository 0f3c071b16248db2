import { ages, ago, day, hour, manyLabels, sortedEitherWay, texts, zero } from './written';
import type { Labels, More, Written } from './written';

type Container = { name: string; image: string; [field: string]: unknown };
type Expression = { key: string; operator: string; values?: string[] };
type Selector = { matchLabels?: Labels; matchExpressions?: Expression[] };

const most = 2147483647;
const container = (name: string, image = `${name}:1`): Container => ({ name, image });
const sidecar = { ...container('proxy'), restartPolicy: 'Always' };
const many = Array.from({ length: 12 }, (_, i) => container(`c${i}`, `registry.example:5000/team/c${i}:v1.${i}`));
const digest = `registry.example/team/app@sha256:${'0123456789abcdef'.repeat(4)}`;

/** Images that a template may name and no runtime could pull. */
const images: Record<string, Container[]> = {
  'digest': [container('app', digest)],
  'latest': [container('app', 'app:latest'), container('other', 'other')],
  'unicode': [container('app', texts.wide), container('other', `registry.example/${texts.accents}`)],
  'newline': [container('app', 'app:1\nrm -rf'), container('other')],
  'escape': [container('app', 'app\x1b[2J:1')],
  'comma': [container('app', 'a,b'), container('other', ',')],
  // Blanks are let in for the sake of OpenShift's templates.
  'blank': [container('app', ' ')],
  'blanks-around': [container('app', ' app:1 '), container('other', ' other:1 ')],
};

type Workload = More & {
  replicas?: number | null;
  labels?: Labels;
  selector?: Labels | Selector;
  containers?: Container[];
  /** What else the pod template's spec, the object's spec and its status hold. */
  podSpec?: object;
  spec?: object;
  status?: object;
};

/** A selector and, where they differ from `app: NAME`, the labels of the template that it has to match. */
const expressions = (labels: Labels, ...matchExpressions: Expression[]) => ({ labels, selector: { matchExpressions } });

function workload(apiVersion: string, kind: string, prefix: string, select: (labels: Labels) => Labels | Selector) {
  return (name: string, own: Workload = {}): Written => {
    const { labels = { app: name.slice(0, 63) }, containers = [container('app')] } = own;
    const spec = {
      replicas: kind === 'DaemonSet' ? undefined : own.replicas,
      selector: 'selector' in own ? own.selector : select(labels),
      template: { metadata: { labels }, spec: { containers, ...own.podSpec } },
      ...own.spec,
    };
    return {
      apiVersion,
      kind,
      metadata: {
        name: `${prefix}-${name}`,
        namespace: 'corpus-workloads',
        creationTimestamp: ago(20 * day + hour),
        ...own.metadata,
      },
      spec,
      status: own.status,
      stored: own.stored,
    };
  };
}
const matching = (matchLabels: Labels) => ({ matchLabels });
const controller = workload('v1', 'ReplicationController', 'rc', (labels) => labels);
const replicaSet = workload('apps/v1', 'ReplicaSet', 'rs', matching);
const deployment = workload('apps/v1', 'Deployment', 'deployment', matching);
const daemonSet = workload('apps/v1', 'DaemonSet', 'daemonset', matching);
const statefulSet = workload('apps/v1', 'StatefulSet', 'statefulset', matching);
const everyKind = [controller, replicaSet, deployment, daemonSet, statefulSet];
const withSelector = [replicaSet, deployment, daemonSet];

/** What is the same for each of the five. */
const common = everyKind.flatMap((make) => [
  make('no-status'),
  make('many-containers', { containers: many }),
  make('init-containers-are-not-listed', {
    podSpec: { initContainers: [container('setup'), sidecar] },
    containers: [container('app'), container('other')],
  }),
  make('no-template', { stored: { spec: { template: null } } }),
  make('no-containers', { stored: { spec: { template: { spec: { containers: null } } } } }),
  make('age-null', { metadata: { creationTimestamp: null } }),
  make('deleted', {
    replicas: 0,
    metadata: { finalizers: ['foregroundDeletion'], deletionTimestamp: ago(60), deletionGracePeriodSeconds: 0 },
  }),
]);

/** Which take a selector of expressions, and print it: a Deployment prints nothing where the others print <none>. */
const selectors = withSelector.flatMap((make) => [
  make('selector-in', expressions({ tier: 'b' }, { key: 'tier', operator: 'In', values: ['c', 'a', 'b'] })),
  make('selector-in-one', expressions({ tier: 'b' }, { key: 'tier', operator: 'In', values: ['b'] })),
  make('selector-in-repeated', expressions({ tier: 'b' }, { key: 'tier', operator: 'In', values: ['b', 'a', 'b'] })),
  make('selector-in-empty-value', expressions({ tier: '' }, { key: 'tier', operator: 'In', values: ['', 'a'] })),
  make('selector-not-in', expressions({ tier: 'b' }, { key: 'tier', operator: 'NotIn', values: ['z', 'y'] })),
  make('selector-exists', expressions({ tier: 'b' }, { key: 'tier', operator: 'Exists' })),
  make('selector-does-not-exist', expressions({ tier: 'b' }, { key: 'example.com/gone', operator: 'DoesNotExist' })),
  make('selector-labels-and-expressions', {
    labels: { app: 'x', tier: 'b', track: 'stable' },
    selector: {
      matchLabels: { track: 'stable', app: 'x' },
      matchExpressions: [
        { key: 'tier', operator: 'Exists' },
        { key: 'b-side', operator: 'DoesNotExist' },
        { key: 'tier', operator: 'NotIn', values: ['z'] },
        { key: 'app', operator: 'In', values: ['x', 'w'] },
      ],
    },
  }),
  make('selector-sorted-by-key', { labels: sortedEitherWay }),
  make('selector-with-an-empty-value', { labels: { app: 'x', empty: '' } }),
  make('selector-of-80-labels', { labels: manyLabels(80) }),
  // apps/v1 refuses these; what was there before it filled them in, or took anything.
  make('selector-null', { stored: { spec: { selector: null } } }),
  make('selector-empty', { stored: { spec: { selector: { matchLabels: null } } } }),
  make('selector-of-an-unknown-operator', {
    stored: { spec: { selector: { matchExpressions: [{ key: 'tier', operator: 'Gt', values: ['1'] }] } } },
  }),
  make('selector-in-without-values', {
    stored: { spec: { selector: { matchExpressions: [{ key: 'tier', operator: 'In' }] } } },
  }),
  make('selector-exists-with-values', {
    stored: { spec: { selector: { matchExpressions: [{ key: 'tier', operator: 'Exists', values: ['a'] }] } } },
  }),
  make('selector-of-an-invalid-key', { stored: { spec: { selector: { matchLabels: { 'not a key': 'x' } } } } }),
  make('selector-of-an-invalid-value', { stored: { spec: { selector: { matchLabels: { app: 'not a value' } } } } }),
]);

const replicated = (replicas: number, ready: number) => ({ replicas, readyReplicas: ready, availableReplicas: ready });
const replicationControllers = [
  controller('up', { replicas: 3, status: replicated(3, 3) }),
  controller('scaling', {
    replicas: 5,
    status: { replicas: 3, fullyLabeledReplicas: 2, readyReplicas: 2, availableReplicas: 1 },
  }),
  controller('zero', { replicas: 0, status: replicated(0, 0) }),
  controller('replicas-left-out', { status: replicated(1, 0) }),
  // Filled in with 1 when it is read.
  controller('replicas-null', { replicas: 4, stored: { spec: { replicas: null } } }),
  controller('replicas-negative', { stored: { spec: { replicas: -1 }, status: { replicas: -2, readyReplicas: -3 } } }),
  controller('as-many-as-can-be', { replicas: most, status: replicated(most, most) }),
  controller('more-ready-than-there-are', { replicas: 1, stored: { status: { replicas: 1, readyReplicas: 3 } } }),
  // Filled in with the template's labels, as they are then.
  controller('selector-left-out', { labels: { app: 'x', tier: 'b' }, selector: undefined }),
  controller('selector-null', { stored: { spec: { selector: null } } }),
  controller('selector-and-labels-null', {
    stored: { spec: { selector: null, template: { metadata: { labels: null } } } },
  }),
  controller('selector-sorted-as-pairs', { labels: sortedEitherWay }),
  controller('selector-with-an-empty-value', { labels: { app: 'x', empty: '' } }),
  controller('selector-of-80-labels', { labels: manyLabels(80) }),
  controller('age-zero', { metadata: { creationTimestamp: zero } }),
  ...['45s', '179m', '8h', '2y', '20y'].map((age) =>
    controller(`age-${age}`, { metadata: { creationTimestamp: ages[age] } }),
  ),
];

const replicaSets = [
  replicaSet('up', { replicas: 3, status: replicated(3, 3) }),
  replicaSet('old-revision', {
    replicas: 0,
    status: replicated(0, 0),
    metadata: {
      annotations: { 'deployment.kubernetes.io/revision': '1' },
      labels: { 'pod-template-hash': '5d4f8c7b9' },
    },
  }),
  replicaSet('scaling-down', { replicas: 1, status: replicated(4, 2) }),
  replicaSet('replicas-left-out', { status: replicated(1, 1) }),
  replicaSet('replicas-null', { replicas: 4, stored: { spec: { replicas: null } } }),
  replicaSet('as-many-as-can-be', { replicas: most, status: replicated(most, most) }),
  replicaSet('negative', { stored: { spec: { replicas: -1 }, status: { replicas: -2, readyReplicas: -3 } } }),
];

const deployments = [
  deployment('up', { replicas: 3, status: { ...replicated(3, 3), updatedReplicas: 3 } }),
  deployment('rolling', {
    replicas: 4,
    status: { replicas: 5, updatedReplicas: 2, readyReplicas: 4, availableReplicas: 3, unavailableReplicas: 2 },
  }),
  deployment('scaled-down-not-yet-observed', { replicas: 1, status: { ...replicated(5, 5), updatedReplicas: 5 } }),
  deployment('zero', { replicas: 0 }),
  deployment('paused', { replicas: 2, spec: { paused: true }, status: { ...replicated(2, 2), updatedReplicas: 0 } }),
  deployment('replicas-left-out', { status: { ...replicated(1, 1), updatedReplicas: 1 } }),
  deployment('replicas-null', { replicas: 4, stored: { spec: { replicas: null } } }),
  deployment('as-many-as-can-be', { replicas: most, status: { ...replicated(most, most), updatedReplicas: most } }),
  deployment('negative', {
    stored: { spec: { replicas: -1 }, status: { readyReplicas: -2, updatedReplicas: -3, availableReplicas: -4 } },
  }),
  ...Object.entries(images).map(([name, containers]) => deployment(`image-${name}`, { containers })),
  deployment('containers-200', { containers: Array.from({ length: 200 }, (_, i) => container(`c${i}`)) }),
  deployment('generation-not-observed', { metadata: { generation: 9 }, status: { observedGeneration: 8 } }),
];

/** All that DaemonSets count, in the order of their columns. */
const counts = (desired: number, current: number, ready: number, updated: number, available: number) => ({
  desiredNumberScheduled: desired,
  currentNumberScheduled: current,
  numberReady: ready,
  updatedNumberScheduled: updated,
  numberAvailable: available,
  numberMisscheduled: 0,
});
const on = (nodeSelector: Labels) => ({ podSpec: { nodeSelector } });
const daemonSets = [
  daemonSet('up', { status: counts(3, 3, 3, 3, 3) }),
  daemonSet('every-count-differs', { status: counts(7, 6, 5, 4, 3) }),
  daemonSet('misscheduled', { status: { ...counts(0, 0, 0, 0, 0), numberMisscheduled: 4, numberUnavailable: 2 } }),
  daemonSet('as-many-as-can-be', { status: counts(most, most, most, most, most) }),
  daemonSet('negative', { stored: { status: counts(-1, -2, -3, -4, -5) } }),
  daemonSet('node-selector', on({ 'kubernetes.io/os': 'linux' })),
  daemonSet('node-selector-with-an-empty-value', on({ 'kubernetes.io/os': 'linux', 'example.com/gpu': '' })),
  daemonSet('node-selector-sorted-as-pairs', on(sortedEitherWay)),
  daemonSet('node-selector-of-80-labels', on(manyLabels(80))),
  daemonSet('node-selector-with-newline', {
    stored: { spec: { template: { spec: { nodeSelector: { zone: texts.newline } } } } },
  }),
  daemonSet('node-affinity-is-not-listed', {
    podSpec: {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/os', operator: 'In', values: ['linux'] }] }],
          },
        },
      },
    },
  }),
  daemonSet('on-delete', { spec: { updateStrategy: { type: 'OnDelete' } }, status: counts(3, 3, 3, 0, 3) }),
];

const named = (serviceName: string) => ({ spec: { serviceName } });
const statefulSets = [
  statefulSet('up', {
    ...named('db'),
    replicas: 3,
    status: { ...replicated(3, 3), updatedReplicas: 3, currentReplicas: 3 },
  }),
  statefulSet('one-not-ready', {
    ...named('db'),
    replicas: 3,
    status: { replicas: 3, readyReplicas: 2, updatedReplicas: 1, currentReplicas: 2 },
  }),
  statefulSet('ready-is-not-available', {
    ...named('db'),
    replicas: 3,
    status: { replicas: 3, readyReplicas: 3, availableReplicas: 0 },
  }),
  statefulSet('zero', { ...named('db'), replicas: 0, status: replicated(0, 0) }),
  statefulSet('more-ready-than-wanted', { ...named('db'), replicas: 1, status: replicated(5, 5) }),
  statefulSet('replicas-left-out', { ...named('db'), status: replicated(1, 1) }),
  statefulSet('replicas-null', { ...named('db'), replicas: 4, stored: { spec: { replicas: null } } }),
  statefulSet('as-many-as-can-be', { ...named('db'), replicas: most, status: replicated(most, most) }),
  statefulSet('negative', { ...named('db'), stored: { spec: { replicas: -1 }, status: { readyReplicas: -2 } } }),
  statefulSet('selector-is-not-listed', {
    ...named('db'),
    ...expressions({ tier: 'b' }, { key: 'tier', operator: 'In', values: ['b', 'a'] }),
  }),
];

export const workloads: Written[] = [
  ...common,
  ...selectors,
  ...replicationControllers,
  ...replicaSets,
  ...deployments,
  ...daemonSets,
  ...statefulSets,
];
