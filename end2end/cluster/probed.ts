import * as tutorial from './tutorial';

const serves = 5000;
const get = (path: string, more: object = {}) => ({ httpGet: { path, port: serves }, periodSeconds: 1, ...more });
const connect = (more: object = {}) => ({ tcpSocket: { port: serves }, periodSeconds: 1, ...more });
const env = (values: Record<string, string>) => ({ env: Object.entries(values).map(([name, value]) => ({ name, value })) });
/** So long it goes on running once it is told to end. */
const lingers = (seconds: number) => ({ lifecycle: { preStop: { sleep: { seconds } } } });
const idle = { command: ['/service', 'pause'] };

/** What is written of a pod here: its containers, or the one it has. */
type Written = { service?: object; containers?: object[]; initContainers?: object[]; [more: string]: unknown };

/** Pods by what they have in common. */
const written: Record<string, Record<string, Written>> = {
  starting: {
    'slow-shielded': { service: { ...env({ START_AFTER: '12s' }), startupProbe: connect({ failureThreshold: 40 }), livenessProbe: get('/healthz', { failureThreshold: 1, periodSeconds: 2 }), readinessProbe: get('/healthz', { initialDelaySeconds: 18 }) } },
    'slow-killed': { service: { ...env({ START_AFTER: '30s' }), livenessProbe: get('/healthz', { periodSeconds: 2, failureThreshold: 2 }), readinessProbe: get('/healthz', { periodSeconds: 3 }) } },
    'startup-killed': { service: { ...env({ START_AFTER: '30s' }), ...lingers(2), startupProbe: get('/healthz', { failureThreshold: 4 }), livenessProbe: get('/healthz') } },
    sidecar: {
      initContainers: [{ name: 'helper', restartPolicy: 'Always', ...env({ START_AFTER: '6s' }), startupProbe: connect({ failureThreshold: 30 }), livenessProbe: connect() }],
      containers: [{ name: 'service', ...idle, readinessProbe: connect() }],
    },
    'sidecar-killed': {
      initContainers: [{ name: 'helper', restartPolicy: 'Always', ...env({ START_AFTER: '60s' }), startupProbe: connect({ failureThreshold: 4 }) }],
      containers: [{ name: 'service', ...idle }],
    },
  },
  ready: {
    'ready-later': { service: { ...env({ READY_AFTER: '15s' }), readinessProbe: get('/ready', { failureThreshold: 1 }), livenessProbe: get('/healthz', { initialDelaySeconds: 8 }) } },
    'ready-twice': { service: { ...env({ READY_AFTER: '9s' }), readinessProbe: get('/ready', { successThreshold: 2, periodSeconds: 3 }) } },
    'ready-thrice': { service: { readinessProbe: get('/healthz', { successThreshold: 3, periodSeconds: 5, initialDelaySeconds: 4 }) } },
    unready: { service: { ...env({ FAIL_AFTER: '25s' }), readinessProbe: get('/healthz', { periodSeconds: 3 }) } },
    connected: { service: { ...env({ START_AFTER: '5s' }), readinessProbe: connect(), livenessProbe: connect({ failureThreshold: 20 }) } },
    // What one is asked the other answers, while it runs.
    neighbours: {
      containers: [
        { name: 'asked', ...idle, readinessProbe: connect({ periodSeconds: 5, successThreshold: 2, failureThreshold: 4 }) },
        { name: 'answers', ...env({ EXIT_AFTER: '3s' }) },
      ],
    },
  },
  failing: {
    sick: { service: { ...env({ FAIL_AFTER: '6s' }), ...lingers(3), livenessProbe: get('/healthz', { periodSeconds: 2 }), readinessProbe: get('/predict?s_length=1&s_width=2&p_length=3&p_width=4') } },
    'sick-at-once': { service: { ...env({ FAIL_AFTER: '4s' }), livenessProbe: get('/healthz', { failureThreshold: 1 }) } },
    // More failures than the kubelet's recorder lets through.
    untold: { service: { ...env({ FAIL_AFTER: '1s' }), livenessProbe: get('/healthz', { failureThreshold: 40 }) } },
    // Nothing is started again here; the other one keeps the pod, so that the kubelet says over which probe it ends this.
    never: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 12,
      containers: [
        { name: 'service', ...env({ FAIL_AFTER: '10s' }), ...lingers(10), livenessProbe: get('/healthz') },
        { name: 'other', ...idle },
      ],
    },
    deleted: { terminationGracePeriodSeconds: 20, service: { ...lingers(14), livenessProbe: get('/healthz'), readinessProbe: get('/healthz') } },
  },
  crashing: {
    crashing: { service: { ...env({ EXIT_AFTER: '4s', EXIT_CODE: '3' }), livenessProbe: get('/healthz'), readinessProbe: get('/healthz') } },
    ending: { service: { ...env({ EXIT_AFTER: '5s' }), livenessProbe: connect(), startupProbe: connect() } },
    hungry: { service: { resources: { limits: { memory: '48Mi' } }, livenessProbe: connect({ failureThreshold: 60 }), readinessProbe: connect() } },
  },
  asking: {
    'exec-slow': { service: { ...idle, readinessProbe: { exec: { command: ['/service', 'pause'] }, periodSeconds: 3 } } },
    'exec-missing': { service: { ...idle, readinessProbe: { exec: { command: ['/missing'] }, periodSeconds: 3 } } },
    grpc: { service: { readinessProbe: { grpc: { port: serves }, periodSeconds: 3 }, livenessProbe: { grpc: { port: serves, service: 'web' }, periodSeconds: 3, failureThreshold: 12 } } },
    'no-such-port': { service: { ports: [{ name: 'web', containerPort: serves }], livenessProbe: get('/', { httpGet: { port: 'nowhere' }, periodSeconds: 3 }), readinessProbe: get('/', { httpGet: { port: 'nowhere' }, periodSeconds: 3 }) } },
  },
};

/** Of which a trace each is kept; the tutorial's pods are named by their ReplicaSets. */
export const groups: Record<string, (pod: string) => boolean> = {
  ...Object.fromEntries(Object.entries(written).map(([group, pods]) => [group, (pod: string) => pod in pods])),
  tutorial: (pod) => pod.startsWith('tutorial-'),
};

const whole = (image: string, name: string, { service, containers = [{ name: 'service', ...service }], initContainers, ...spec }: Written): object => {
  const each = (list?: object[]) => list?.map((container) => ({ image, ...container }));
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { terminationGracePeriodSeconds: 5, ...spec, containers: each(containers), initContainers: each(initContainers) } };
};

/** Containers made slow, unready, sick and crashing, that are asked in every way there is. */
export const pods = (image: string): object[] => Object.values(written).flatMap((group) => Object.entries(group).map(([name, pod]) => whole(image, name, pod)));

/** The four of the tutorial's health checks, a pod each, side by side. */
export const deployments = (['live', 'broken', 'ready', 'slow'] as const).map((which) => {
  const { spec, ...deployment } = tutorial[which];
  const name = `tutorial-${which}`;
  const labels = { app: name };
  const template = { ...spec.template, metadata: { labels } };
  return { ...deployment, metadata: { name, labels }, spec: { ...spec, replicas: 1, selector: { matchLabels: labels }, template } };
});
