import { ages, ago, ahead, day, hour, manyLabels, micro, sortedEitherWay, texts, zero } from './written';
import type { Labels, More, Written } from './written';

const namespace = 'corpus-services';
const metadata = (name: string, more: More['metadata'] = {}) => ({
  name,
  namespace,
  creationTimestamp: ago(20 * day + hour),
  ...more,
});
const most = 2147483647;

type Port = { port: number; name?: string; protocol?: string; targetPort?: number | string; nodePort?: number };
type Service = More & { type?: string; ports?: Port[]; selector?: Labels; spec?: object; status?: object };

function service(name: string, { type = 'ClusterIP', ports = [{ port: 80 }], selector, ...own }: Service = {}): Written {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(`service-${name}`, own.metadata),
    spec: { type, ports, selector, ...own.spec },
    status: own.status,
    stored: own.stored,
  };
}

const app = { app: 'web' };
const http = { name: 'http', port: 80 };
const https = { name: 'https', port: 443, targetPort: 'tls' };
const balanced = (...ingress: object[]) => ({ loadBalancer: { ingress } });

const services = [
  service('one-port', { selector: app }),
  service('several-ports', { ports: [http, https, { name: 'dns', port: 53, protocol: 'UDP' }], selector: app }),
  service('sctp', { ports: [{ port: 9, protocol: 'SCTP' }] }),
  service('headless', { spec: { clusterIP: 'None' }, selector: app }),
  service('headless-without-ports', { ports: [], spec: { clusterIP: 'None' }, selector: app }),
  service('without-selector'),
  service('selector-sorted', { selector: sortedEitherWay }),
  service('selector-of-many-labels', { selector: manyLabels(30) }),
  service('selector-of-an-empty-value', { selector: { app: '' } }),
  service('external-addresses', { spec: { externalIPs: ['192.0.2.9', '192.0.2.1', '2001:db8::1'] } }),
  service('unready-addresses-too', { spec: { publishNotReadyAddresses: true }, selector: app }),
  service('node-port', { type: 'NodePort', selector: app }),
  service('node-ports', { type: 'NodePort', ports: [http, https] }),
  service('node-port-with-external-address', { type: 'NodePort', spec: { externalIPs: ['192.0.2.9'] } }),
  service('balancer-pending', { type: 'LoadBalancer', selector: app }),
  service('balancer-without-node-ports', {
    type: 'LoadBalancer',
    spec: { allocateLoadBalancerNodePorts: false },
    status: balanced({ ip: '203.0.113.9' }),
  }),
  service('balancer-of-each', {
    type: 'LoadBalancer',
    status: balanced({ hostname: 'lb.example.com' }, { ip: '203.0.113.9' }, { ip: '203.0.113.10' }, { ip: '203.0.113.9' }),
  }),
  service('balancer-by-a-long-name', {
    type: 'LoadBalancer',
    status: balanced({ hostname: 'a0123456789abcdef0123456789abcdef-0123456789.eu-central-1.elb.example.com' }),
  }),
  service('balancer-and-external-address', {
    type: 'LoadBalancer',
    spec: { externalIPs: ['192.0.2.9'] },
    status: balanced({ ip: '203.0.113.9' }),
  }),
  service('pending-but-for-an-external-address', { type: 'LoadBalancer', spec: { externalIPs: ['192.0.2.9'] } }),
  service('another-name', { type: 'ExternalName', ports: [], spec: { externalName: 'db.example.com' } }),
  service('another-name-with-ports', { type: 'ExternalName', spec: { externalName: 'db.example.com' }, selector: app }),
  service('deleted', { metadata: { finalizers: ['example.com/hold'], deletionTimestamp: ago(60) } }),
  // What the API server refuses today.
  service('of-an-unknown-type', { stored: { spec: { type: 'Teapot' } } }),
  service('of-no-type', { stored: { spec: { type: '' } } }),
  service('without-addresses', { stored: { spec: { clusterIP: null, clusterIPs: null } } }),
  service('of-an-old-server', { stored: { spec: { clusterIPs: null } } }),
  service('without-ports', { stored: { spec: { ports: null } } }),
  service('of-large-ports', { stored: { spec: { ports: [{ port: most, nodePort: most, protocol: 'TCP' }, { port: -1, nodePort: -1, protocol: '' }] } } }),
  service('of-odd-texts', { stored: { spec: { type: 'ExternalName', externalName: texts.escape } } }),
  service('of-a-name-in-two-lines', { stored: { spec: { type: 'ExternalName', externalName: texts.newline } } }),
  ...['100s', '10m', '8h', '365d'].map((age) => service(`age-${age}`, { metadata: { creationTimestamp: ages[age] } })),
  service('age-null', { metadata: { creationTimestamp: null } }),
  service('age-zero', { metadata: { creationTimestamp: zero } }),
];

type Slice = More & { addressType?: string; endpoints?: object[] | null; ports?: object[] | null };

function slice(name: string, { addressType = 'IPv4', endpoints = [endpoint('10.1.0.1')], ports = [{ port: 80 }], ...own }: Slice = {}): Written {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: metadata(`slice-${name}`, { labels: { 'kubernetes.io/service-name': 'service-one-port' }, ...own.metadata }),
    addressType,
    endpoints,
    ports,
    stored: own.stored,
  };
}

const endpoint = (address: string, more: object = {}) => ({ addresses: [address], conditions: { ready: true }, ...more });
const addresses = (count: number) => Array.from({ length: count }, (_, i) => `10.1.${Math.floor(i / 200)}.${(i % 200) + 1}`);
const named = (...names: string[]) => names.map((name, i) => ({ name, port: 8000 + i }));

const slices = [
  slice('one'),
  slice('none', { endpoints: [], ports: [] }),
  slice('none-with-ports', { endpoints: [] }),
  slice('three', { endpoints: addresses(3).map((address) => endpoint(address)), ports: named('a', 'b', 'c') }),
  slice('four', { endpoints: addresses(4).map((address) => endpoint(address)), ports: named('a', 'b', 'c', 'd') }),
  slice('a-thousand', { endpoints: addresses(1_000).map((address) => endpoint(address)) }),
  slice('a-hundred-addresses-of-one', { endpoints: [{ addresses: addresses(100), conditions: {} }] }),
  slice('all-ports', { ports: [{ name: 'any' }] }),
  slice('all-ports-without-a-name', { ports: [{}] }),
  slice('ports-of-each-protocol', { ports: [{ name: 't', port: 1 }, { name: 'u', port: 2, protocol: 'UDP' }, { name: 's', port: 3, protocol: 'SCTP' }] }),
  slice('six', { addressType: 'IPv6', endpoints: [endpoint('fd00::1'), endpoint('fd00::2')] }),
  slice('names', { addressType: 'FQDN', endpoints: [endpoint('db.example.com', { hostname: 'db' })] }),
  slice('nothing-said', { endpoints: [{ addresses: ['10.1.0.1'] }] }),
  slice('ending', { endpoints: [endpoint('10.1.0.1', { conditions: { ready: false, serving: true, terminating: true } })] }),
  slice('of-pods', {
    endpoints: [endpoint('10.1.0.1', { nodeName: 'node-1', zone: 'z', targetRef: { kind: 'Pod', name: 'web', namespace, uid: 'u' } })],
  }),
  slice('of-no-service', { metadata: { labels: {} } }),
  slice('empty-in-the-store', { stored: { endpoints: null, ports: null } }),
  slice('of-odd-addresses', { stored: { endpoints: [{ addresses: ['', texts.escape] }, { addresses: null }] } }),
  slice('of-odd-ports', { stored: { ports: [{ name: 'x', port: most }, { name: texts.wide }, { port: -1 }] } }),
  slice('age-null', { metadata: { creationTimestamp: null } }),
];

type Budget = More & { spec: object; status?: object };

function budget(name: string, { spec, status, ...own }: Budget): Written {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata(`budget-${name}`, own.metadata),
    spec: { selector: { matchLabels: app }, ...spec },
    status,
    stored: own.stored,
  };
}

const counted = (disruptionsAllowed: number) => ({ disruptionsAllowed, currentHealthy: 3, desiredHealthy: 2, expectedPods: 3 });

const budgets = [
  budget('number', { spec: { minAvailable: 2 }, status: counted(1) }),
  budget('percentage', { spec: { minAvailable: '50%' }, status: counted(1) }),
  budget('most', { spec: { maxUnavailable: 0 }, status: counted(0) }),
  budget('most-as-percentage', { spec: { maxUnavailable: '100%' }, status: counted(3) }),
  budget('neither', { spec: {} }),
  budget('both', { spec: { minAvailable: 1 }, stored: { spec: { maxUnavailable: '1%' } } }),
  budget('of-all', { spec: { minAvailable: 1, selector: {} } }),
  budget('of-none', { spec: { minAvailable: 1, selector: null } }),
  budget('large', { spec: { minAvailable: most }, status: counted(most) }),
  budget('negative', { spec: {}, stored: { spec: { minAvailable: -1 }, status: { disruptionsAllowed: -1 } } }),
  budget('no-number', { spec: {}, stored: { spec: { minAvailable: texts.percent } } }),
  budget('deleted', { spec: {}, metadata: { finalizers: ['example.com/hold'], deletionTimestamp: ago(60) } }),
  budget('age-zero', { spec: {}, metadata: { creationTimestamp: zero } }),
];

type Lease = More & { spec: object };

/** In the namespace of nodes' leases, the only ones that are shown. */
const lease = (name: string, { spec, ...own }: Lease): Written => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { ...metadata(`corpus-${name}`, own.metadata), namespace: 'kube-node-lease' },
  spec,
  stored: own.stored,
});

const leases = [
  lease('held', { spec: { holderIdentity: 'corpus-held', leaseDurationSeconds: 40, renewTime: micro(ago(5)) } }),
  lease('expired', { spec: { holderIdentity: 'corpus-expired', leaseDurationSeconds: 40, renewTime: micro(ago(hour)) } }),
  lease('of-a-clock-that-is-ahead', { spec: { holderIdentity: 'x', leaseDurationSeconds: 1, renewTime: micro(ahead(hour)) } }),
  lease('nobodys', { spec: {} }),
  lease('of-an-empty-holder', { spec: {}, stored: { spec: { holderIdentity: '' } } }),
  lease('of-an-odd-holder', { spec: {}, stored: { spec: { holderIdentity: texts.wide, leaseDurationSeconds: -1 } } }),
  lease('age-null', { spec: {}, metadata: { creationTimestamp: null } }),
];

export const around: Written[] = [...services, ...slices, ...budgets, ...leases];
