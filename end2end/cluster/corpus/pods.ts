import { ages, ago, ahead, day, hour, manyLabels, minute, texts, zero } from './written';
import type { More, Written } from './written';

type State = {
  running?: { startedAt?: string };
  waiting?: { reason?: string; message?: string };
  terminated?: Terminated;
};
type Terminated = {
  exitCode: number;
  signal?: number;
  reason?: string;
  message?: string;
  startedAt?: string;
  finishedAt?: string | null;
};
type Container = { name: string; image: string; [field: string]: unknown };
type ContainerStatus = {
  name: string;
  image: string;
  imageID: string;
  ready: boolean;
  restartCount: number;
  started?: boolean;
  state?: State;
  lastState?: State;
};
type Condition = {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason?: string;
  message?: string;
  lastTransitionTime: string;
};
type PodStatus = {
  phase?: string;
  reason?: string;
  message?: string;
  podIP?: string;
  podIPs?: { ip: string }[];
  hostIP?: string;
  hostIPs?: { ip: string }[];
  nominatedNodeName?: string;
  ephemeralContainerStatuses?: ContainerStatus[];
};

const container = (name: string, more: object = {}): Container => ({ name, image: `${name}:1`, ...more });
/** An init container that keeps running beside the others. */
const sidecar = (name: string): Container => container(name, { restartPolicy: 'Always' });

const running = (startedAt = ago(10 * minute)): State => ({ running: { startedAt } });
const waiting = (reason?: string, message?: string): State => ({ waiting: { reason, message } });
const terminated = (how: Partial<Terminated> = {}): State => ({
  terminated: { exitCode: 0, startedAt: ago(20 * minute), finishedAt: ago(15 * minute + 20), ...how },
});
const completed = terminated({ reason: 'Completed' });
const failed = terminated({ exitCode: 1, reason: 'Error' });
/** How it ended the last time, which is what RESTARTS is dated by. */
const last = (finishedAt?: string | null) => ({ lastState: terminated({ exitCode: 1, reason: 'Error', finishedAt }) });

const status = (name: string, state: State, more: Partial<ContainerStatus> = {}): ContainerStatus => ({
  name,
  image: `${name}:1`,
  imageID: `sha256:${name}`,
  ready: false,
  restartCount: 0,
  state,
  ...more,
});
const up = (name: string, more: Partial<ContainerStatus> = {}) =>
  status(name, running(), { ready: true, started: true, ...more });
const notReady = (name: string, more: Partial<ContainerStatus> = {}) =>
  status(name, running(), { started: true, ...more });

const condition = (type: string, status: Condition['status'] = 'True', reason?: string): Condition => ({
  type,
  status,
  reason,
  lastTransitionTime: ago(10 * minute),
});
const initialized = condition('Initialized');
const ready = condition('Ready');
const gated = condition('PodScheduled', 'False', 'SchedulingGated');

const deleted = { deletionTimestamp: ago(20), deletionGracePeriodSeconds: 30 };

type Pod = More & {
  namespace?: string;
  containers?: Container[];
  init?: Container[];
  /** The container statuses, of the regular and of the init containers. */
  now?: ContainerStatus[];
  initNow?: ContainerStatus[];
  conditions?: Condition[];
  phase?: string;
  spec?: object;
  status?: PodStatus;
};

/** A pod of one container `app`, unless told otherwise. */
function pod(name: string, { namespace = 'corpus-pods', phase = 'Running', ...own }: Pod = {}): Written {
  const { containers = [container('app')], init, now, initNow, conditions, metadata, spec, status, stored } = own;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, creationTimestamp: ago(30 * hour + 10), ...metadata },
    spec: { containers, initContainers: init, ...spec },
    status: { phase, conditions, containerStatuses: now, initContainerStatuses: initNow, ...status },
    stored,
  };
}

/** Containers of these names, one after the other. */
const named = (...names: string[]) => names.map((name) => container(name));

const phases = [
  pod('running', { now: [up('app')], conditions: [initialized, ready] }),
  pod('no-status-at-all', { phase: 'Pending' }),
  pod('no-phase', { status: { phase: '' } }),
  pod('phase-unknown', { phase: 'Unknown', spec: { nodeName: 'node-1' } }),
  pod('phase-of-another-version', { phase: 'Hibernated' }),
  pod('phase-succeeded-without-statuses', { phase: 'Succeeded' }),
  pod('phase-failed-without-statuses', { phase: 'Failed' }),
  pod('phase-failed-while-a-container-runs', { phase: 'Failed', now: [up('app')] }),
  pod('pending-on-a-node', { phase: 'Pending', spec: { nodeName: 'node-1' }, conditions: [condition('PodScheduled')] }),
  pod('unschedulable', { phase: 'Pending', conditions: [condition('PodScheduled', 'False', 'Unschedulable')] }),
  pod('scheduling-gated', {
    phase: 'Pending',
    spec: { schedulingGates: [{ name: 'example.com/quota' }] },
    conditions: [gated],
  }),
  // Only the condition counts, whatever its status, and whatever the spec says.
  pod('scheduling-gated-true-without-gates', { phase: 'Pending', conditions: [{ ...gated, status: 'True' }] }),
  pod('scheduling-gated-over-status-reason', { phase: 'Pending', conditions: [gated], status: { reason: 'Evicted' } }),
  pod('scheduling-gated-in-the-second-condition', { phase: 'Pending', conditions: [condition('PodScheduled'), gated] }),
  pod('scheduling-gated-yet-creating', {
    phase: 'Pending',
    conditions: [gated],
    now: [status('app', waiting('ContainerCreating'))],
  }),
  pod('scheduling-gated-reason-of-another-condition', { phase: 'Pending', conditions: [{ ...gated, type: 'Ready' }] }),
  pod('evicted', { phase: 'Failed', status: { reason: 'Evicted', message: 'The node was low on resource: memory. ' } }),
  pod('evicted-with-statuses', { phase: 'Failed', now: [status('app', failed)], status: { reason: 'Evicted' } }),
  pod('evicted-with-a-container-without-state', {
    phase: 'Failed',
    now: [status('app', {})],
    status: { reason: 'Evicted' },
  }),
  pod('node-lost', { now: [up('app')], conditions: [ready], status: { reason: 'NodeLost' } }),
  pod('node-affinity-refused', { phase: 'Failed', spec: { nodeName: 'node-1' }, status: { reason: 'NodeAffinity' } }),
  pod('unexpected-admission-error', { phase: 'Failed', status: { reason: 'UnexpectedAdmissionError' } }),
];

const deletions = [
  pod('terminating', { now: [up('app')], metadata: deleted, conditions: [ready] }),
  pod('terminating-not-ready', { now: [notReady('app')], metadata: deleted }),
  pod('terminating-in-the-future', {
    now: [up('app')],
    metadata: { deletionTimestamp: ahead(hour), deletionGracePeriodSeconds: 3600 },
  }),
  pod('terminating-while-crashing', {
    now: [status('app', waiting('CrashLoopBackOff'), { restartCount: 3 })],
    metadata: deleted,
  }),
  pod('terminating-while-initializing', {
    phase: 'Pending',
    init: named('setup'),
    initNow: [notReady('setup')],
    metadata: deleted,
  }),
  pod('terminating-completed-but-phase-running', { now: [status('app', completed)], metadata: deleted }),
  pod('terminating-held-by-a-finalizer', {
    now: [up('app')],
    metadata: { ...deleted, finalizers: ['example.com/hold'] },
  }),
  pod('finalizer-without-deletion', { now: [up('app')], metadata: { finalizers: ['example.com/hold'] } }),
  pod('terminating-without-phase', { status: { phase: '' }, metadata: deleted }),
  pod('terminating-phase-unknown', { phase: 'Unknown', metadata: deleted }),
  pod('terminating-while-gated', { phase: 'Pending', conditions: [gated], metadata: deleted }),
  pod('deleted-on-a-lost-node', { now: [up('app')], metadata: deleted, status: { reason: 'NodeLost' } }),
  pod('deleted-on-a-lost-node-after-it-failed', {
    phase: 'Failed',
    now: [status('app', failed)],
    metadata: deleted,
    status: { reason: 'NodeLost' },
  }),
  pod('deleted-after-it-succeeded', {
    phase: 'Succeeded',
    now: [status('app', completed)],
    metadata: { ...deleted, finalizers: ['example.com/hold'] },
  }),
  pod('deleted-after-it-failed', {
    phase: 'Failed',
    now: [status('app', failed)],
    metadata: { ...deleted, finalizers: ['example.com/hold'] },
  }),
  pod('deleted-after-it-was-evicted', { phase: 'Failed', metadata: deleted, status: { reason: 'Evicted' } }),
];

const containers = [
  pod('container-creating', { phase: 'Pending', now: [status('app', waiting('ContainerCreating'))] }),
  pod('image-pull-back-off', {
    phase: 'Pending',
    now: [status('app', waiting('ImagePullBackOff', 'Back-off pulling image "app:1"'))],
  }),
  pod('waiting-without-reason', { now: [status('app', waiting())] }),
  pod('waiting-yet-ready', { now: [status('app', waiting('CrashLoopBackOff'), { ready: true })] }),
  pod('running-not-ready', { now: [notReady('app')], conditions: [condition('Ready', 'False', 'ContainersNotReady')] }),
  pod('running-while-phase-pending', { phase: 'Pending', now: [up('app')] }),
  pod('ready-without-a-state', { now: [status('app', {}, { ready: true })] }),
  pod('running-and-waiting-at-once', {
    now: [status('app', { ...running(), ...waiting('ErrImagePull') }, { ready: true })],
  }),
  pod('running-and-terminated-at-once', { now: [status('app', { ...running(), ...failed }, { ready: true })] }),
  pod('completed', { phase: 'Succeeded', now: [status('app', completed)] }),
  pod('error', { phase: 'Failed', now: [status('app', failed)] }),
  pod('oom-killed', { phase: 'Failed', now: [status('app', terminated({ exitCode: 137, reason: 'OOMKilled' }))] }),
  pod('exit-code', { phase: 'Failed', now: [status('app', terminated({ exitCode: 3 }))] }),
  pod('exit-code-0', { phase: 'Succeeded', now: [status('app', terminated())] }),
  pod('exit-code-negative', { phase: 'Failed', now: [status('app', terminated({ exitCode: -1 }))] }),
  pod('exit-code-of-windows', { phase: 'Failed', now: [status('app', terminated({ exitCode: -1073741819 }))] }),
  pod('signal', { phase: 'Failed', now: [status('app', terminated({ exitCode: 137, signal: 9 }))] }),
  pod('signal-negative', { phase: 'Failed', now: [status('app', terminated({ exitCode: 1, signal: -6 }))] }),
  pod('signal-with-exit-code-0', { phase: 'Failed', now: [status('app', terminated({ signal: 15 }))] }),
  pod('signal-with-reason', {
    phase: 'Failed',
    now: [status('app', terminated({ exitCode: 137, signal: 9, reason: 'Error' }))],
  }),
  pod('first-of-two-waiting-wins', {
    containers: named('first', 'second'),
    now: [status('first', waiting('ImagePullBackOff')), status('second', waiting('CrashLoopBackOff'))],
  }),
  pod('second-waiting-while-first-runs', {
    containers: named('first', 'second'),
    now: [
      up('first'),
      status('second', waiting('CrashLoopBackOff'), { restartCount: 7, ...last(ago(3 * minute + 20)) }),
    ],
  }),
  pod('first-error-hides-second-waiting', {
    containers: named('first', 'second', 'third'),
    now: [status('first', failed), status('second', waiting('CrashLoopBackOff')), up('third')],
  }),
  // Statuses count in their own order, which need not be that of the spec.
  pod('statuses-in-another-order', {
    containers: named('first', 'second'),
    now: [status('second', waiting('ErrImagePull')), status('first', waiting('CrashLoopBackOff'))],
  }),
  pod('waiting-without-reason-beside-an-error', {
    containers: named('first', 'second'),
    now: [status('first', waiting()), status('second', failed)],
  }),
  pod('completed-while-other-ready', {
    containers: named('job', 'other'),
    now: [status('job', completed), up('other')],
    conditions: [ready],
  }),
  pod('completed-while-other-ready-but-pod-is-not', {
    containers: named('job', 'other'),
    now: [status('job', completed), up('other')],
    conditions: [condition('Ready', 'False', 'ContainersNotReady')],
  }),
  pod('completed-while-other-ready-without-conditions', {
    containers: named('job', 'other'),
    now: [status('job', completed), up('other')],
  }),
  pod('completed-while-other-not-ready', {
    containers: named('job', 'other'),
    now: [status('job', completed), notReady('other')],
    conditions: [ready],
  }),
  pod('completed-after-a-running-one', {
    containers: named('other', 'job'),
    now: [up('other'), status('job', completed)],
    conditions: [ready],
  }),
  // Any Ready condition that is True will do here, not only the first.
  pod('completed-with-two-ready-conditions', {
    containers: named('job', 'other'),
    now: [status('job', completed), up('other')],
    conditions: [condition('Ready', 'False'), ready],
  }),
  // What failed shows behind what completed. Servers up to 1.35 print Completed here.
  pod('completed-while-other-failed', {
    phase: 'Failed',
    containers: named('job', 'other'),
    now: [status('job', completed), status('other', failed)],
  }),
  pod('completed-while-others-failed-and-run', {
    containers: named('job', 'broken', 'other'),
    now: [
      status('job', completed),
      status('broken', terminated({ exitCode: 137, reason: 'OOMKilled' })),
      notReady('other'),
    ],
  }),
  pod('completed-while-others-failed-and-ready', {
    containers: named('job', 'broken', 'other'),
    now: [status('job', completed), status('broken', terminated({ exitCode: 4 })), up('other')],
    conditions: [condition('Ready', 'False')],
  }),
  pod('completed-while-other-failed-and-pod-is-ready', {
    containers: named('job', 'broken', 'other'),
    now: [status('job', completed), status('broken', failed), up('other')],
    conditions: [ready],
  }),
  pod('completed-while-two-failed', {
    phase: 'Failed',
    containers: named('job', 'second', 'third'),
    now: [
      status('job', completed),
      status('second', terminated({ exitCode: 2, signal: 11 })),
      status('third', terminated({ exitCode: 137, reason: 'OOMKilled' })),
    ],
  }),
  pod('completed-with-a-code-of-its-own', {
    phase: 'Failed',
    now: [status('app', terminated({ exitCode: 9, reason: 'Completed' }))],
  }),
  pod('failed-before-completed', {
    phase: 'Failed',
    containers: named('broken', 'job'),
    now: [status('broken', failed), status('job', completed)],
  }),
  pod('completed-by-status-reason', { now: [up('app')], conditions: [ready], status: { reason: 'Completed' } }),
  pod('completed-by-waiting-reason', { now: [status('app', waiting('Completed')), up('app')], conditions: [] }),
];

const initContainers = [
  pod('init-waiting', {
    phase: 'Pending',
    init: named('setup'),
    initNow: [status('setup', waiting())],
    now: [status('app', waiting('PodInitializing'))],
  }),
  pod('init-pod-initializing', {
    phase: 'Pending',
    init: named('one', 'two'),
    initNow: [status('one', waiting('PodInitializing')), status('two', waiting('PodInitializing'))],
    now: [status('app', waiting('PodInitializing'))],
  }),
  pod('init-running', {
    phase: 'Pending',
    init: named('one', 'two'),
    initNow: [notReady('one'), status('two', waiting('PodInitializing'))],
  }),
  pod('init-second-running', {
    phase: 'Pending',
    init: named('one', 'two', 'three'),
    initNow: [status('one', completed), notReady('two')],
  }),
  pod('init-without-a-state', { phase: 'Pending', init: named('setup'), initNow: [status('setup', {})] }),
  pod('init-statuses-missing', {
    phase: 'Pending',
    init: named('setup'),
    now: [status('app', waiting('PodInitializing'))],
  }),
  pod('init-creating', {
    phase: 'Pending',
    init: named('setup'),
    initNow: [status('setup', waiting('ContainerCreating'))],
  }),
  pod('init-crash-loop', {
    phase: 'Pending',
    init: named('one', 'two'),
    initNow: [
      status('one', completed, { restartCount: 1, ...last(ago(4 * hour + 10 * minute + 10)) }),
      status('two', waiting('CrashLoopBackOff'), { restartCount: 5, ...last(ago(6 * minute + 20)) }),
    ],
  }),
  pod('init-error', { phase: 'Pending', init: named('setup'), initNow: [status('setup', failed)] }),
  pod('init-oom-killed', {
    phase: 'Pending',
    init: named('setup'),
    initNow: [status('setup', terminated({ exitCode: 137, reason: 'OOMKilled' }))],
  }),
  pod('init-crash-exit-code', {
    phase: 'Failed',
    init: named('setup'),
    initNow: [status('setup', terminated({ exitCode: 2 }))],
  }),
  pod('init-crash-signal', {
    phase: 'Failed',
    init: named('setup'),
    initNow: [status('setup', terminated({ exitCode: 139, signal: 11 }))],
  }),
  // Exit code 0 is the end of it, whatever else is said.
  pod('init-exit-code-0-by-signal', {
    init: named('setup'),
    initNow: [status('setup', terminated({ signal: 9, reason: 'Error' }))],
    now: [up('app')],
  }),
  pod('init-done-before-the-app-starts', {
    phase: 'Pending',
    init: named('setup'),
    initNow: [status('setup', completed)],
    now: [status('app', waiting('PodInitializing'))],
  }),
  // What comes after the one that is not done is not looked at, nor are its restarts.
  pod('init-restarts-up-to-the-one-not-done', {
    phase: 'Pending',
    init: named('one', 'two', 'three'),
    initNow: [
      status('one', completed, { restartCount: 2 }),
      status('two', waiting('CrashLoopBackOff'), { restartCount: 3 }),
      status('three', waiting('PodInitializing'), { restartCount: 100, ...last(ago(2 * day + 10)) }),
    ],
    now: [status('app', waiting('PodInitializing'), { restartCount: 1000, ...last(ago(3 * hour + 10)) })],
  }),
  pod('init-done-restarts-are-forgotten', {
    init: named('setup'),
    initNow: [status('setup', completed, { restartCount: 4, ...last(ago(minute)) })],
    now: [up('app', { restartCount: 1, ...last(ago(9 * hour)) })],
  }),
  // With a new sandbox an init container runs again, and Initialized may still be True: then the app counts too.
  pod('initialized-while-init-runs', {
    init: named('setup'),
    initNow: [notReady('setup')],
    now: [up('app')],
    conditions: [initialized, ready],
  }),
  pod('initialized-while-init-runs-app-crashes', {
    init: named('setup'),
    initNow: [notReady('setup', { restartCount: 2 })],
    now: [status('app', waiting('CrashLoopBackOff'), { restartCount: 3, ...last(ago(5 * minute + 20)) })],
    conditions: [initialized],
  }),
  pod('initialized-while-init-failed-app-completed', {
    phase: 'Succeeded',
    init: named('setup'),
    initNow: [status('setup', failed)],
    now: [status('app', completed)],
    conditions: [initialized],
  }),
  pod('initialized-false-while-init-runs', {
    init: named('setup'),
    initNow: [notReady('setup')],
    now: [up('app')],
    conditions: [condition('Initialized', 'False')],
  }),
  pod('initialized-unknown-while-init-runs', {
    init: named('setup'),
    initNow: [notReady('setup')],
    now: [up('app')],
    conditions: [condition('Initialized', 'Unknown')],
  }),
  // Here the first of its conditions decides.
  pod('initialized-false-and-then-true', {
    init: named('setup'),
    initNow: [notReady('setup')],
    now: [up('app')],
    conditions: [condition('Initialized', 'False'), initialized],
  }),
  pod('init-status-without-init-containers', { initNow: [notReady('ghost')], now: [up('app')] }),
  pod('init-status-of-another-name', {
    init: [sidecar('proxy')],
    initNow: [notReady('ghost', { restartCount: 1 })],
    now: [up('app')],
  }),
  pod('init-status-repeated', {
    init: named('setup'),
    initNow: [status('setup', completed), status('setup', completed), notReady('setup')],
  }),
  pod('init-of-a-finished-pod', {
    phase: 'Failed',
    init: named('setup'),
    initNow: [status('setup', failed)],
    now: [status('app', waiting('PodInitializing'))],
    metadata: deleted,
  }),
];

const sidecars = [
  pod('sidecar-ready', {
    init: [sidecar('proxy')],
    initNow: [up('proxy')],
    now: [up('app')],
    conditions: [initialized, ready],
  }),
  pod('sidecar-not-ready', { init: [sidecar('proxy')], initNow: [notReady('proxy')], now: [up('app')] }),
  pod('sidecar-not-started', {
    phase: 'Pending',
    init: [sidecar('proxy')],
    initNow: [status('proxy', running(), { started: false })],
  }),
  pod('sidecar-started-missing-yet-ready', {
    phase: 'Pending',
    init: [sidecar('proxy')],
    initNow: [status('proxy', running(), { ready: true })],
  }),
  pod('sidecar-creating', {
    phase: 'Pending',
    init: [sidecar('proxy'), container('setup')],
    initNow: [status('proxy', waiting('ContainerCreating'))],
  }),
  pod('sidecar-up-while-init-runs', {
    phase: 'Pending',
    init: [sidecar('proxy'), container('setup'), sidecar('logs')],
    initNow: [
      up('proxy', { restartCount: 1, ...last(ago(11 * minute + 10)) }),
      notReady('setup'),
      status('logs', waiting('PodInitializing')),
    ],
  }),
  pod('sidecar-crash-loop-after-initialisation', {
    init: [sidecar('proxy')],
    initNow: [
      status('proxy', waiting('CrashLoopBackOff'), { started: false, restartCount: 6, ...last(ago(2 * minute + 20)) }),
    ],
    now: [up('app')],
    conditions: [initialized, ready],
  }),
  pod('sidecar-failed-after-initialisation', {
    init: [sidecar('proxy')],
    initNow: [status('proxy', terminated({ exitCode: 139, signal: 11 }), { started: false, restartCount: 1 })],
    now: [up('app')],
    conditions: [initialized],
  }),
  // The one behind it is not reached, so neither is its readiness nor its restarts.
  pod('sidecar-crash-loop-before-a-ready-one', {
    init: [sidecar('proxy'), sidecar('logs')],
    initNow: [
      status('proxy', waiting('CrashLoopBackOff'), { started: false, restartCount: 2 }),
      up('logs', { restartCount: 40 }),
    ],
    now: [up('app', { restartCount: 1 })],
    conditions: [initialized],
  }),
  pod('sidecar-terminated-0', {
    init: [sidecar('proxy')],
    initNow: [status('proxy', completed, { started: true, ready: true, restartCount: 2 })],
    now: [up('app')],
  }),
  pod('sidecar-terminated-1-still-started', {
    init: [sidecar('proxy')],
    initNow: [status('proxy', failed, { started: true })],
    now: [status('app', completed)],
    phase: 'Succeeded',
  }),
  pod('sidecar-terminated-1-with-the-job', {
    phase: 'Succeeded',
    init: [sidecar('proxy')],
    initNow: [status('proxy', failed, { started: false })],
    now: [status('app', completed)],
    conditions: [initialized],
  }),
  pod('sidecar-waiting-still-started', {
    init: [sidecar('proxy')],
    initNow: [status('proxy', waiting('CrashLoopBackOff'), { started: true, ready: true })],
    now: [up('app')],
  }),
  pod('sidecar-restarts-and-app-restarts', {
    init: [container('setup'), sidecar('proxy')],
    initNow: [
      status('setup', completed, { restartCount: 100, ...last(ago(30)) }),
      up('proxy', { restartCount: 20, ...last(ago(3 * hour + 10)) }),
    ],
    now: [up('app', { restartCount: 3, ...last(ago(5 * hour + 10 * minute + 10)) })],
    conditions: [initialized, ready],
  }),
  pod('sidecar-ready-while-job-is-completed', {
    init: [sidecar('proxy')],
    initNow: [up('proxy')],
    now: [status('app', completed)],
    conditions: [initialized],
  }),
  pod('sidecars-of-which-some-ready', {
    init: [sidecar('one'), sidecar('two'), sidecar('three')],
    initNow: [up('one'), notReady('two'), up('three')],
    containers: named('app', 'other'),
    now: [up('app'), notReady('other')],
    conditions: [initialized],
  }),
  pod('init-started-is-no-sidecar', {
    phase: 'Pending',
    init: named('setup'),
    initNow: [up('setup')],
    now: [status('app', waiting('PodInitializing'))],
  }),
];

const statuses = [
  pod('statuses-fewer-than-containers', { containers: named('first', 'second', 'third'), now: [up('second')] }),
  pod('statuses-more-than-containers', { now: [up('app'), up('ghost'), up('phantom')] }),
  pod('statuses-of-other-names', {
    containers: named('first', 'second'),
    now: [up('ghost', { restartCount: 2 }), status('phantom', waiting('CrashLoopBackOff'))],
  }),
  pod('statuses-of-one-name-twice', { now: [up('app', { restartCount: 1 }), up('app', { restartCount: 1 })] }),
  pod('status-without-name', { now: [up('')] }),
  pod('ephemeral-container-does-not-count', {
    now: [up('app')],
    status: { ephemeralContainerStatuses: [status('debugger', waiting('CrashLoopBackOff'), { restartCount: 9 })] },
    // One is never created with the pod.
    stored: {
      spec: {
        ephemeralContainers: [
          { ...container('debugger'), imagePullPolicy: 'Always', terminationMessagePolicy: 'File' },
        ],
      },
    },
  }),
  pod('twelve-containers', {
    containers: named(...Array.from({ length: 12 }, (_, i) => `c${i}`)),
    now: Array.from({ length: 12 }, (_, i) => (i % 3 ? up(`c${i}`) : notReady(`c${i}`))),
  }),
];

const restarts = [
  pod('restarted-at-the-zero-time', { now: [up('app', { restartCount: 3, ...last(zero) })] }),
  pod('restarted-at-null', { now: [up('app', { restartCount: 3, ...last(null) })] }),
  pod('restarted-before-the-zero-time', { now: [up('app', { restartCount: 3, ...last('0000-06-01T00:00:00Z') })] }),
  pod('restarted-without-last-state', { now: [up('app', { restartCount: 3 })] }),
  pod('restarted-with-last-state-running', { now: [up('app', { restartCount: 3, lastState: running() })] }),
  pod('restarted-0-with-last-state', { now: [up('app', last(ago(hour)))] }),
  pod('restarted-latest-of-two', {
    containers: named('first', 'second', 'third'),
    now: [
      up('first', { restartCount: 1, ...last(ago(5 * hour + 10 * minute + 10)) }),
      up('second', { restartCount: 2, ...last(ago(20 * minute + 10)) }),
      up('third', { restartCount: 4, ...last(ago(2 * day + 10)) }),
    ],
  }),
  // Dated by any container's last state, whether or not that one counts restarts.
  pod('restarted-dated-by-the-other-container', {
    containers: named('first', 'second'),
    now: [up('first', { restartCount: 2 }), up('second', last(ago(40 * minute + 10)))],
  }),
  pod('restarted-more-than-32-bits', {
    containers: named('first', 'second'),
    now: [
      up('first', { restartCount: 2147483647 }),
      up('second', { restartCount: 2147483647, ...last(ago(hour + 10)) }),
    ],
  }),
  pod('restarted-a-negative-number-of-times', { now: [up('app', { restartCount: -2, ...last(ago(hour + 10)) })] }),
  pod('restarted-in-another-time-zone', {
    now: [up('app', { restartCount: 1 })],
    stored: {
      status: { containerStatuses: [up('app', { restartCount: 1, ...last('2020-02-29T23:30:00.25-11:30') })] },
    },
  }),
];

const gates = (...types: string[]) => ({ readinessGates: types.map((conditionType) => ({ conditionType })) });
const wide = [
  pod('gates-none-of-two', { now: [up('app')], spec: gates('example.com/a', 'example.com/b') }),
  pod('gates-one-of-two', {
    now: [up('app')],
    spec: gates('example.com/a', 'example.com/b'),
    conditions: [condition('example.com/a'), condition('example.com/b', 'False')],
  }),
  pod('gates-all', {
    now: [up('app')],
    spec: gates('example.com/a', 'example.com/b'),
    conditions: [condition('example.com/b'), condition('example.com/a')],
  }),
  pod('gates-unknown', {
    now: [up('app')],
    spec: gates('example.com/a'),
    conditions: [condition('example.com/a', 'Unknown'), condition('example.com/c')],
  }),
  pod('gates-repeated', {
    now: [up('app')],
    spec: gates('example.com/a', 'example.com/a'),
    conditions: [condition('example.com/a')],
  }),
  // The first condition of the type decides.
  pod('gates-false-and-then-true', {
    now: [up('app')],
    spec: gates('example.com/a'),
    conditions: [condition('example.com/a', 'False'), condition('example.com/a')],
  }),
  pod('gates-on-ready-itself', { now: [up('app')], spec: gates('Ready'), conditions: [ready] }),
  pod('nominated', { phase: 'Pending', status: { nominatedNodeName: 'node-7' } }),
  // Refused since the scheduler's nomination is cleared by binding.
  pod('nominated-and-bound', { spec: { nodeName: 'node-1' }, stored: { status: { nominatedNodeName: 'node-7' } } }),
  pod('ip-v4', {
    now: [up('app')],
    spec: { nodeName: 'node-1' },
    status: { podIP: '10.0.0.5', podIPs: [{ ip: '10.0.0.5' }], hostIP: '192.168.0.1' },
  }),
  pod('ip-v6', { now: [up('app')], status: { podIP: 'fd00::5', podIPs: [{ ip: 'fd00::5' }] } }),
  pod('ip-dual-stack', {
    now: [up('app')],
    status: { podIP: '10.0.0.5', podIPs: [{ ip: '10.0.0.5' }, { ip: 'fd00::5' }] },
  }),
  pod('ip-dual-stack-v6-first', {
    now: [up('app')],
    status: { podIP: 'fd00::5', podIPs: [{ ip: 'fd00::5' }, { ip: '10.0.0.5' }] },
  }),
  pod('ip-of-the-host-only', { now: [up('app')], status: { hostIP: '192.168.0.1', hostIPs: [{ ip: '192.168.0.1' }] } }),
  // Before 1.16 there was only podIP. Each is filled in from the other when it is read, and podIP wins.
  pod('ip-singular-only', { now: [up('app')], stored: { status: { podIP: '10.0.0.6' } } }),
  pod('ip-plural-only', { now: [up('app')], stored: { status: { podIPs: [{ ip: '10.0.0.7' }] } } }),
  pod('ip-singular-against-plural', {
    now: [up('app')],
    stored: { status: { podIP: '10.0.0.8', podIPs: [{ ip: '10.0.0.9' }, { ip: 'fd00::9' }] } },
  }),
  pod('ip-empty-in-the-list', { now: [up('app')], stored: { status: { podIPs: [{ ip: '' }, { ip: '10.0.0.9' }] } } }),
  pod('ip-with-leading-zeros', {
    now: [up('app')],
    stored: { status: { podIP: '010.000.000.005', podIPs: [{ ip: '010.000.000.005' }] } },
  }),
  pod('on-a-node-that-is-not-there', { now: [up('app')], spec: { nodeName: 'node.that.is-not-there.example' } }),
  pod('many-labels', { now: [up('app')], metadata: { labels: manyLabels(80), annotations: manyLabels(80) } }),
  pod('owned', {
    now: [up('app')],
    metadata: {
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: 'gone',
          uid: '0a1b2c3d-0000-4000-8000-000000000001',
          controller: true,
        },
      ],
    },
  }),
];

const named253 = Array.from({ length: 4 }, (_, i) => `a-name-as-long-as-a-name-may-be-part-${i}-`.padEnd(62, 'x') + 'x')
  .join('.')
  .slice(0, 253);
const names = [
  // As bytes: "-" comes before ".", before digits, before letters; and a longer name after its beginning.
  ...['sort', 'sort-1', 'sort.1', 'sort0', 'sorta', 'sort-10', 'sort-2', '0-sort'].map((name) =>
    pod(name, { now: [up('app')] }),
  ),
  pod(named253, { now: [up('app')] }),
  // A namespace that begins another's name: etcd has "corpus-pods/" before "corpus/".
  pod('in-a-namespace-that-begins-another', { namespace: 'corpus', now: [up('app')] }),
];

const creations = [
  // Both as old as the name says: the pod, and its last restart.
  ...Object.entries(ages).map(([age, time]) =>
    pod(`age-${age}`, { now: [up('app', { restartCount: 3, ...last(time) })], metadata: { creationTimestamp: time } }),
  ),
  pod('age-zero', { now: [up('app')], metadata: { creationTimestamp: zero } }),
  pod('age-null', { now: [up('app')], metadata: { creationTimestamp: null } }),
];

const strange = [
  ...['newline', 'carriage-return', 'escape', 'wide', 'emoji', 'right-to-left', 'markup'].map((text) =>
    pod(`reason-with-${text}`, { phase: 'Failed', status: { reason: texts[text] } }),
  ),
  pod('waiting-reason-with-newline', { now: [status('app', waiting(texts.newline))] }),
  pod('init-reason-with-escape', {
    phase: 'Pending',
    init: named('setup'),
    initNow: [status('setup', waiting(texts.escape))],
  }),
  pod('terminated-reason-of-blanks', { now: [status('app', terminated({ exitCode: 1, reason: '  ' }))] }),
  pod('waiting-reason-with-tab', { now: [status('app', waiting('Not\tYet'))] }),
  pod('reason-of-1kb', { phase: 'Failed', status: { reason: 'Long'.repeat(256) } }),
];

export const pods: Written[] = [
  ...phases,
  ...deletions,
  ...containers,
  ...initContainers,
  ...sidecars,
  ...statuses,
  ...restarts,
  ...wide,
  ...names,
  ...creations,
  ...strange,
];
