import { type Written } from './corpus';
import { type Random } from './random';

/** One random object of a kind, valid to the API server. `at` makes its name its own. */
export type Generate = (random: Random, namespace: string, at: number) => Written;

/** A generator for each kind that is compared. */
export const generate: Record<string, Generate> = {
  pods: pod,
  nodes: node,
  namespaces: namespaced,
  events: event,
  replicationcontrollers: (random, namespace, at) => {
    const labels = { ...someLabels(random), app: `rc-${at}` };
    return workload(random, 'v1', 'ReplicationController', namespace, at, labels, random.pick([labels, { app: `rc-${at}` }]));
  },
  replicasets: (random, namespace, at) => withSelector(random, 'ReplicaSet', namespace, at),
  deployments: (random, namespace, at) => withSelector(random, 'Deployment', namespace, at),
  daemonsets: (random, namespace, at) => withSelector(random, 'DaemonSet', namespace, at),
  statefulsets: (random, namespace, at) => withSelector(random, 'StatefulSet', namespace, at),
  controllerrevisions: (random, namespace, at) => ({
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: tidy({
      name: `revision-${at}`,
      namespace,
      labels: someLabels(random),
      ownerReferences: random.maybe(0.8, () => [
        { apiVersion: random.pick(['apps/v1', 'v1', 'example.com/v1beta1']), kind: random.pick(['DaemonSet', 'StatefulSet', 'Thing']), name: random.pick(['a', 'b.c']), uid: `u-${at}`, controller: random.chance(0.8) },
      ]),
    }),
    revision: random.pick([0, 1, 2, 99, 9007199254740991]),
    // What is in it is its controller's own affair.
    data: random.pick<unknown>([{ spec: { template: { $patch: 'replace', spec: { containers: [{ name: 'a', image: 'a:1' }] } } } }, { spec: 5 }, {}]),
  }),
  services: service,
  endpointslices: slice,
  poddisruptionbudgets: budget,
  leases: (random, namespace, at) => tidy({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: `lease-${at}`, namespace, labels: someLabels(random), creationTimestamp: time(random) },
    spec: {
      holderIdentity: random.maybe(0.8, () => random.pick(['node-1', 'a.b_c', 'Größe'])),
      leaseDurationSeconds: random.maybe(0.8, () => random.pick([1, 40, 2147483647])),
      renewTime: random.maybe(0.8, () => stamp(-random.whole(0, 5_000)).replace('Z', '.123456Z')),
    },
  }) as Written,
};

const now = Date.now();
const stamp = (seconds: number) => new Date(now + seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');

/** A time as objects have them: a moment ago, years ago, to come, at Go's zero, or null. */
function time(random: Random): string | null {
  const far = random.pick([60, 600, 7_200, 86_400, 86_400 * 8, 86_400 * 400, 86_400 * 4_000]);
  if (random.chance(0.05)) return null;
  return random.chance(0.05) ? stamp(random.whole(30, 100_000)) : stamp(-random.whole(0, far));
}

const keys = ['app', 'team', 'tier', 'example.com/part', 'kubernetes.io/role', 'a.b-c_d'];
const values = ['', 'web', 'api', 'x', '1', '42', '007', 'A_b.C-9', 'true'];
export const alphabet = { keys, values };

const someLabels = (random: Random) =>
  Object.fromEntries(random.subset(keys, 0.4).map((key) => [key, random.pick(values)] as const));

/** Drops what is undefined, as JSON would. */
const tidy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

const reasons = ['', 'CrashLoopBackOff', 'ContainerCreating', 'PodInitializing', 'ImagePullBackOff', 'Completed', 'Error', 'OOMKilled', 'ContainerStatusUnknown', 'Größe', 'a b'];

function state(random: Random): object {
  return random.pick([
    () => ({}),
    () => ({ waiting: { reason: random.pick(reasons), message: random.pick(['', 'back-off 10s']) } }),
    () => ({ running: { startedAt: time(random) } }),
    () => terminated(random),
    () => terminated(random),
  ])();
}

function terminated(random: Random): object {
  return {
    terminated: {
      exitCode: random.pick([0, 0, 1, 2, 137, 143, 255]),
      signal: random.maybe(0.3, () => random.pick([0, 9, 11, 15])),
      reason: random.pick(reasons),
      startedAt: time(random),
      finishedAt: time(random),
    },
  };
}

function containerStatus(random: Random, name: string): object {
  return {
    name,
    image: 'an/image',
    imageID: random.pick(['', 'an/image@sha256:0']),
    ready: random.chance(0.6),
    started: random.maybe(0.8, () => random.chance(0.7)),
    restartCount: random.chance(0.5) ? 0 : random.whole(0, 300),
    state: state(random),
    lastState: random.chance(0.5) ? terminated(random) : state(random),
  };
}

const conditions = ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready', 'example.com/open', 'example.com/warm', 'DisruptionTarget'];

function pod(random: Random, namespace: string, at: number): Written {
  const container = (prefix: string, always: number) => (i: number) => ({
    name: `${prefix}-${i}`,
    image: random.pick(['an/image', 'registry.example.com/team/image:v2', 'image@sha256:' + 'a'.repeat(64)]),
    restartPolicy: random.maybe(always, () => 'Always'),
  });
  const containers = random.some(1, 4, container('main', 0));
  const initContainers = random.some(0, 3, container('init', 0.5));
  const nodeName = random.maybe(0.7, () => `node-${random.whole(0, 9)}`);
  const gates = random.subset(['example.com/open', 'example.com/warm', 'example.com/never'], 0.2);
  const statuses = (of: { name: string }[]) =>
    random.chance(0.1) ? undefined : of.filter(() => random.chance(0.95)).map(({ name }) => containerStatus(random, name));
  const address = random.pick([[], ['10.0.0.7'], ['10.244.31.200', 'fd00::7'], ['fd00:10:244::1f']]);
  const deleting = random.chance(0.15);
  return tidy({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `pod-${at}`,
      namespace,
      labels: someLabels(random),
      creationTimestamp: time(random),
      ...(deleting && { deletionTimestamp: stamp(-random.whole(0, 500)), deletionGracePeriodSeconds: 30 }),
    },
    spec: {
      containers,
      initContainers,
      nodeName,
      readinessGates: gates.map((conditionType) => ({ conditionType })),
      schedulingGates: nodeName ? undefined : random.maybe(0.1, () => [{ name: 'example.com/held' }]),
    },
    status: {
      phase: random.pick(['Pending', 'Running', 'Running', 'Running', 'Succeeded', 'Failed', 'Unknown']),
      reason: random.maybe(0.15, () => random.pick(['Evicted', 'NodeLost', 'Shutdown', 'UnexpectedAdmissionError', 'Terminated'])),
      conditions: random.subset(conditions).map((type) => ({
        type,
        status: random.pick(['True', 'True', 'False', 'Unknown']),
        reason: random.maybe(0.3, () => random.pick(['SchedulingGated', 'Unschedulable', 'ContainersNotReady'])),
        lastTransitionTime: time(random),
      })),
      podIP: address[0],
      podIPs: address.map((ip) => ({ ip })),
      hostIP: nodeName && random.maybe(0.7, () => '192.168.0.7'),
      nominatedNodeName: nodeName ? undefined : random.maybe(0.3, () => 'node-1'),
      initContainerStatuses: statuses(initContainers),
      containerStatuses: statuses(containers),
    },
  }) as Written;
}

function node(random: Random, _: string, at: number): Written {
  const roles = random.subset(['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/worker', 'kubernetes.io/role'], 0.3);
  const word = (from: string[]) => random.pick(['', ...from]);
  return tidy({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: `random-${at}`,
      labels: { ...someLabels(random), ...Object.fromEntries(roles.map((role) => [role, random.pick(['', 'true', 'worker'])])) },
      creationTimestamp: time(random),
    },
    spec: { unschedulable: random.maybe(0.3, () => true) },
    status: {
      conditions: random.subset(['Ready', 'Ready', 'MemoryPressure', 'DiskPressure', 'NetworkUnavailable'], 0.6)
        .filter((type, i, all) => all.indexOf(type) === i)
        .map((type) => ({ type, status: random.pick(['True', 'False', 'Unknown']), reason: 'Why', message: '', lastHeartbeatTime: time(random), lastTransitionTime: time(random) })),
      addresses: random.some(0, 4, (i) => ({
        type: random.pick(['InternalIP', 'ExternalIP', 'Hostname', 'InternalDNS']),
        address: random.pick([`10.0.${i}.7`, `fd00::${i}`, `node-${i}.example.com`]),
      })),
      nodeInfo: {
        machineID: '', systemUUID: '', bootID: '', kubeProxyVersion: '', operatingSystem: 'linux', architecture: 'amd64',
        kubeletVersion: word(['v1.37.2', 'v1.28.0-eks-abc']),
        osImage: word(['Debian GNU/Linux 12 (bookworm)', 'Ünïx']),
        kernelVersion: word(['6.1.0-18-amd64']),
        containerRuntimeVersion: word(['containerd://2.1.0', 'cri-o://1.30']),
      },
    },
  }) as Written;
}

function namespaced(random: Random, _: string, at: number): Written {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: `random-namespace-${at}`, labels: someLabels(random), creationTimestamp: time(random) },
  };
}

function event(random: Random, namespace: string, at: number): Written {
  const message = () =>
    random.pick(['Created container main', ' blanks around ', 'two\nlines', 'a\ttab', 'Größe 大 🚀', '', 'x'.repeat(700), 'cr\rlf\n', 'form\ffeed', 'esc\u001b[31m']);
  const modern = random.chance(0.4);
  const source = random.chance(0.8) ? { component: random.pick(['kubelet', 'default-scheduler', '']), host: random.maybe(0.5, () => 'node-1') } : {};
  return tidy({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `event-${at}.${random.whole(0, 2 ** 31).toString(16)}`, namespace, creationTimestamp: time(random) },
    involvedObject: {
      kind: random.pick(['Pod', 'Node', 'ReplicaSet', '']),
      name: random.pick(['', 'a-pod', 'a-node.example.com']),
      namespace,
      fieldPath: random.maybe(0.4, () => random.pick(['spec.containers{main}', 'spec.initContainers{a}'])),
    },
    type: random.pick(['Normal', 'Warning']),
    reason: random.pick(['Created', 'BackOff', 'Unhealthy']),
    message: message(),
    source,
    count: random.maybe(0.7, () => random.whole(0, 50)),
    firstTimestamp: random.maybe(0.7, () => time(random)),
    lastTimestamp: random.maybe(0.7, () => time(random)),
    ...(modern && {
      eventTime: stamp(-random.whole(0, 5_000)).replace('Z', '.123456Z'),
      reportingComponent: 'example.com/reporter',
      reportingInstance: 'reporter-1',
      action: 'Acting',
      series: random.maybe(0.5, () => ({ count: random.whole(2, 50), lastObservedTime: stamp(-random.whole(0, 900)).replace('Z', '.654321Z') })),
    }),
  }) as Written;
}

function template(random: Random, labels: Record<string, string>) {
  return {
    metadata: { labels },
    spec: {
      containers: random.some(1, 4, (i) => ({ name: `c-${i}`, image: random.pick(['an/image', 'registry.example.com/team/image:v2']) })),
      initContainers: random.maybe(0.2, () => [{ name: 'init', image: 'an/image' }]),
      nodeSelector: random.maybe(0.4, () => someLabels(random)),
    },
  };
}

const many = (random: Random) => random.pick([0, 1, 2, 3, 5, 10, 1_000]);

function workload(random: Random, apiVersion: string, kind: string, namespace: string, at: number, labels: Record<string, string>, selector: object): Written {
  const count = () => random.maybe(0.8, () => many(random));
  const daemon = kind === 'DaemonSet';
  const total = many(random);
  const part = () => (total === 0 ? 0 : random.whole(0, total));
  const status: Record<string, object> = {
    DaemonSet: {
      currentNumberScheduled: many(random), desiredNumberScheduled: many(random), numberMisscheduled: 0, numberReady: many(random),
      updatedNumberScheduled: count(), numberAvailable: count(), observedGeneration: random.whole(0, 3),
    },
    StatefulSet: {
      replicas: total, readyReplicas: part(), updatedReplicas: part(), currentReplicas: part(), availableReplicas: 0, observedGeneration: random.whole(0, 3),
      currentRevision: 'old-1', updateRevision: random.pick(['old-1', 'new-2']),
    },
  };
  const ready = part();
  const replicas = { replicas: total, readyReplicas: ready, availableReplicas: ready === 0 ? 0 : random.whole(0, ready), observedGeneration: random.whole(0, 3) };
  const strategies: Record<string, object> = {
    Deployment: random.pick<object>([{}, { strategy: { type: 'Recreate' } }, { paused: true }]),
    DaemonSet: random.pick<object>([{}, { updateStrategy: { type: 'OnDelete' } }]),
    StatefulSet: random.pick<object>([{}, { updateStrategy: { type: 'OnDelete' } }, { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } }]),
  };
  return tidy({
    apiVersion,
    kind,
    metadata: { name: `${kind.toLowerCase()}-${at}`, namespace, labels: someLabels(random), creationTimestamp: time(random), generation: random.whole(1, 3) },
    spec: {
      ...(!daemon && { replicas: count() }),
      ...(kind === 'StatefulSet' && { serviceName: 'none' }),
      selector,
      template: template(random, labels),
      ...strategies[kind],
    },
    status: status[kind] ?? (kind === 'Deployment' ? { ...replicas, updatedReplicas: part(), conditions: progressing(random) } : replicas),
  }) as Written;
}

function progressing(random: Random): object[] {
  return random.some(0, 1, () => ({
    type: 'Progressing',
    status: random.pick(['True', 'False', 'Unknown']),
    reason: random.pick(['NewReplicaSetAvailable', 'ReplicaSetUpdated', 'ProgressDeadlineExceeded', 'DeploymentPaused']),
    message: 'as it is',
    lastUpdateTime: stamp(-random.whole(0, 500)),
    lastTransitionTime: stamp(-random.whole(0, 500)),
  }));
}

function withSelector(random: Random, kind: string, namespace: string, at: number): Written {
  const labels: Record<string, string> = { app: `${kind.toLowerCase()}-${at}`, tier: random.pick(['web', 'api']), ...random.maybe(0.3, () => ({ 'example.com/part': 'x' })) };
  // Each holds of those labels, whichever are chosen.
  const matchExpressions = random.subset(
    [
      { key: 'tier', operator: 'In', values: ['api', 'web'] },
      { key: 'tier', operator: 'Exists' },
      { key: 'team', operator: 'DoesNotExist' },
      { key: 'app', operator: 'NotIn', values: ['other', 'another'] },
    ],
    0.3,
  );
  const matchLabels = random.chance(0.8) || matchExpressions.length === 0 ? { app: labels.app } : undefined;
  return workload(random, 'apps/v1', kind, namespace, at, labels, tidy({ matchLabels, matchExpressions }));
}

const protocols = ['TCP', 'TCP', 'UDP', 'SCTP'];

function service(random: Random, namespace: string, at: number): Written {
  // One in two has an address of its own: there are 254.
  const type = random.pick(['ClusterIP', 'Headless', 'NodePort', 'LoadBalancer', 'ExternalName', 'ExternalName']);
  const headless = type === 'Headless';
  const ports = random.some(headless || type === 'ExternalName' ? 0 : 1, 4, (i) => ({
    name: `p-${i}`,
    port: random.whole(1, 65_535),
    protocol: random.pick(protocols),
    targetPort: random.maybe(0.5, () => random.pick<number | string>([8080, 'http', 'a-b'])),
    appProtocol: random.maybe(0.2, () => 'kubernetes.io/h2c'),
  }));
  const address = (i: number) => random.pick([`192.0.2.${i + 1}`, `2001:db8::${i + 1}`]);
  return tidy({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: `service-${at}`, namespace, labels: someLabels(random), creationTimestamp: time(random) },
    spec: {
      type: headless ? 'ClusterIP' : type,
      ...(headless && { clusterIP: 'None' }),
      ...(type === 'ExternalName' && { externalName: random.pick(['db.example.com', 'x', 'a-b.c']) }),
      ports,
      selector: random.maybe(0.7, () => someLabels(random)),
      externalIPs: random.chance(0.2) ? random.some(1, 3, address) : undefined,
      publishNotReadyAddresses: random.maybe(0.2, () => true),
      sessionAffinity: headless || type === 'ExternalName' ? undefined : random.maybe(0.3, () => 'ClientIP'),
    },
    status:
      type === 'LoadBalancer' && random.chance(0.6)
        ? { loadBalancer: { ingress: random.some(1, 4, (i) => random.pick([{ ip: `203.0.113.${random.whole(1, 3)}` }, { hostname: `lb-${i}.example.com` }])) } }
        : undefined,
  }) as Written;
}

function slice(random: Random, namespace: string, at: number): Written {
  const addressType = random.pick(['IPv4', 'IPv4', 'IPv6', 'FQDN']);
  const address = () => ({ IPv4: `10.0.${random.whole(0, 9)}.${random.whole(1, 250)}`, IPv6: `fd00::${random.whole(1, 9_999)}`, FQDN: `name-${random.whole(1, 99)}.example.com` })[addressType];
  const yes = () => random.maybe(0.7, () => random.chance(0.6));
  return tidy({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `slice-${at}`,
      namespace,
      labels: { ...someLabels(random), ...random.maybe(0.8, () => ({ 'kubernetes.io/service-name': `service-${at}` })) },
      creationTimestamp: time(random),
    },
    addressType,
    ports: random.some(0, 6, (i) => ({
      name: i === 0 ? random.pick([undefined, '', 'p-0']) : `p-${i}`,
      port: random.maybe(0.8, () => random.whole(1, 65_535)),
      protocol: random.pick(protocols),
    })),
    endpoints: random.some(0, 8, () => ({
      addresses: random.some(1, 3, address),
      conditions: random.maybe(0.8, () => ({ ready: yes(), serving: yes(), terminating: yes() })),
      hostname: random.maybe(0.2, () => 'db-0'),
      nodeName: random.maybe(0.6, () => 'node-1'),
      zone: random.maybe(0.3, () => 'z-1'),
      targetRef: random.maybe(0.7, () => ({ kind: 'Pod', name: `pod-${at}`, namespace, uid: `u-${at}` })),
    })),
  }) as Written;
}

function budget(random: Random, namespace: string, at: number): Written {
  const bound = () => random.pick<number | string>([0, 1, 3, 1_000, '0%', '50%', '100%']);
  return tidy({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: `budget-${at}`, namespace, labels: someLabels(random), creationTimestamp: time(random), generation: random.whole(1, 3) },
    spec: {
      ...random.pick([() => ({ minAvailable: bound() }), () => ({ maxUnavailable: bound() }), () => ({})])(),
      selector: random.pick([undefined, {}, { matchLabels: someLabels(random) }, { matchExpressions: [{ key: 'tier', operator: 'Exists' }] }]),
      unhealthyPodEvictionPolicy: random.maybe(0.3, () => random.pick(['AlwaysAllow', 'IfHealthyBudget'])),
    },
    status: {
      disruptionsAllowed: many(random), currentHealthy: many(random), desiredHealthy: many(random), expectedPods: many(random),
      observedGeneration: random.whole(0, 3),
    },
  }) as Written;
}
