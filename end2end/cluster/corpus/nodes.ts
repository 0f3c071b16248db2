import { ago, ages, day, hour, manyLabels, texts, zero } from './written';
import type { Labels, More, Written } from './written';

type Condition = {
  type: string;
  status: string;
  reason?: string;
  lastTransitionTime: string;
  lastHeartbeatTime: string;
};
type Address = { type: string; address: string };

const condition = (type: string, status: string): Condition => ({
  type,
  status,
  reason: `Kubelet${type}`,
  lastTransitionTime: ago(2 * hour),
  lastHeartbeatTime: ago(20),
});
const pressures = (status: string) =>
  ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'NetworkUnavailable'].map((type) => condition(type, status));
const ready = condition('Ready', 'True');

const info = {
  machineID: '1',
  systemUUID: '2',
  bootID: '3',
  kernelVersion: '6.12.41+deb13-amd64',
  osImage: 'Debian GNU/Linux 13 (trixie)',
  containerRuntimeVersion: 'containerd://2.1.4',
  kubeletVersion: 'v1.37.2',
  kubeProxyVersion: '',
  operatingSystem: 'linux',
  architecture: 'amd64',
};

const internal = (address: string): Address => ({ type: 'InternalIP', address });
const external = (address: string): Address => ({ type: 'ExternalIP', address });
const hostname = (address: string): Address => ({ type: 'Hostname', address });

type Node = More & {
  conditions?: Condition[];
  addresses?: Address[];
  /** What differs from a usual node's info, or null for none at all. */
  nodeInfo?: Partial<typeof info> | null;
  labels?: Labels;
  spec?: object;
};

/** A node that is Ready, has an internal address and no role, unless told otherwise. */
function node(
  name: string,
  { conditions = [...pressures('False'), ready], addresses, nodeInfo, ...own }: Node = {},
): Written {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: `corpus-${name}`, creationTimestamp: ago(9 * day + hour), labels: own.labels, ...own.metadata },
    spec: own.spec ?? {},
    status: {
      conditions,
      addresses: addresses ?? [internal('192.168.0.1'), hostname(name)],
      nodeInfo: nodeInfo === null ? undefined : { ...info, ...nodeInfo },
    },
    stored: own.stored,
  };
}

const role = (...names: string[]): Labels =>
  Object.fromEntries(names.map((name) => [`node-role.kubernetes.io/${name}`, '']));
const cordoned = { unschedulable: true, taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] };

const statuses = [
  node('ready'),
  node('not-ready', { conditions: [condition('Ready', 'False')] }),
  node('ready-unknown', { conditions: [...pressures('Unknown'), condition('Ready', 'Unknown')] }),
  node('ready-of-another-word', { conditions: [condition('Ready', 'Perhaps')] }),
  node('ready-of-an-empty-word', { conditions: [condition('Ready', '')] }),
  node('without-ready-condition', { conditions: pressures('False') }),
  node('without-conditions', { conditions: [] }),
  node('ready-under-every-pressure', { conditions: [...pressures('True'), ready] }),
  node('not-ready-under-every-pressure', { conditions: [condition('Ready', 'False'), ...pressures('True')] }),
  // Of two the last one counts.
  node('ready-false-and-then-true', { conditions: [condition('Ready', 'False'), ready] }),
  node('ready-true-and-then-false', { conditions: [ready, condition('Ready', 'False')] }),
  node('cordoned', { spec: cordoned }),
  node('cordoned-not-ready', { spec: cordoned, conditions: [condition('Ready', 'False')] }),
  node('cordoned-unknown', { spec: cordoned, conditions: [] }),
  node('cordoned-by-taint-only', { spec: { taints: cordoned.taints } }),
  node('deleted', {
    metadata: { finalizers: ['example.com/hold'], deletionTimestamp: ago(60), deletionGracePeriodSeconds: 0 },
  }),
  node('nothing-written', { conditions: [], addresses: [], nodeInfo: null, stored: { status: null } }),
];

const roles = [
  node('role', { labels: role('control-plane') }),
  node('roles-sorted-as-bytes', { labels: role('worker', 'etcd', 'Zone', '10', '9', 'control-plane', 'a.b', 'a-b') }),
  node('role-label-with-value', { labels: { 'node-role.kubernetes.io/worker': 'false' } }),
  node('role-legacy', { labels: { 'kubernetes.io/role': 'master' } }),
  node('role-legacy-and-same', { labels: { 'kubernetes.io/role': 'master', ...role('master') } }),
  node('role-legacy-and-others', { labels: { 'kubernetes.io/role': 'm', ...role('worker', 'a') } }),
  node('role-legacy-empty', { labels: { 'kubernetes.io/role': '' } }),
  // A key needs a name behind its prefix, so no API server lets it in.
  node('role-empty-suffix', { stored: { metadata: { labels: { 'node-role.kubernetes.io/': '' } } } }),
  node('role-suffix-with-slash', {
    stored: { metadata: { labels: { 'node-role.kubernetes.io/a/b': '', ...role('c') } } },
  }),
  node('role-of-another-prefix', { labels: { 'node-role.example.com/worker': '', 'beta.kubernetes.io/role': 'x' } }),
  node('many-labels-and-roles', {
    labels: { ...manyLabels(80), ...role(...Array.from({ length: 12 }, (_, i) => `role-${i}`)) },
  }),
];

const addresses = [
  node('addresses-none', { addresses: [] }),
  node('addresses-of-each-type', {
    addresses: [
      hostname('h'),
      external('203.0.113.1'),
      internal('10.1.0.1'),
      { type: 'InternalDNS', address: 'i.example' },
    ],
  }),
  node('addresses-several-of-a-type', {
    addresses: [internal('10.1.0.2'), internal('10.1.0.1'), external('203.0.113.2'), external('203.0.113.1')],
  }),
  node('addresses-dual-stack-v6-first', { addresses: [internal('fd00::1'), internal('10.1.0.1')] }),
  node('addresses-external-only', { addresses: [external('203.0.113.1')] }),
  node('addresses-hostname-only', { addresses: [hostname('h')] }),
  node('addresses-of-no-characters', { addresses: [internal(''), external(''), internal('10.1.0.1')] }),
  node('addresses-of-names', { addresses: [internal('node.example'), { type: 'ExternalDNS', address: 'e.example' }] }),
];

const infos = [
  node('info-none', { nodeInfo: null }),
  node('info-of-empty-strings', {
    nodeInfo: { kernelVersion: '', osImage: '', containerRuntimeVersion: '', kubeletVersion: '', architecture: '' },
  }),
  node('info-without-kernel', { nodeInfo: { kernelVersion: '', architecture: 'arm64' } }),
  node('info-without-architecture', { nodeInfo: { architecture: '' } }),
  node('info-windows', {
    nodeInfo: {
      kernelVersion: '10.0.26100.4652',
      osImage: 'Windows Server 2025 Datacenter',
      operatingSystem: 'windows',
    },
  }),
  node('info-of-a-fork', {
    nodeInfo: {
      kubeletVersion: 'v1.33.4-eks-99d6cc0',
      containerRuntimeVersion: 'cri-o://1.33.4',
      architecture: 'riscv64',
    },
  }),
  node('info-os-with-newline', { nodeInfo: { osImage: texts.newline, kernelVersion: texts['carriage-return'] } }),
  node('info-os-with-escape', { nodeInfo: { osImage: texts.escape, kubeletVersion: '\x1b[1mv1.37.2' } }),
  node('info-os-in-unicode', {
    nodeInfo: { osImage: texts.wide, kernelVersion: texts['right-to-left'], containerRuntimeVersion: texts.emoji },
  }),
  // The architecture stands behind the kernel, and so behind its line end.
  node('info-kernel-ends-in-newline', { nodeInfo: { kernelVersion: '6.12.41\n' } }),
];

const creations = [
  ...['45s', '9m30s', '3h', '2d', '2y1d', '8y'].map((age) =>
    node(`age-${age}`, { metadata: { creationTimestamp: ages[age] } }),
  ),
  node('age-null', { metadata: { creationTimestamp: null } }),
  node('age-zero', { metadata: { creationTimestamp: zero } }),
];

export const nodes: Written[] = [...statuses, ...roles, ...addresses, ...infos, ...creations];
