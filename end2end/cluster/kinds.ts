/**
 * Where a kind is: in the API server, and on which page its table, if it has one. Of some kinds those of one
 * namespace `only` are watched; they change by themselves.
 */
export type Kind = { collection: string; page?: string; namespaced: boolean; only?: string };

/** Every kind that is compared, by what `kubectl get` calls it. A new kind is a line here. */
export const kinds: Record<string, Kind> = {
  nodes: { collection: '/api/v1/nodes', page: '/nodes', namespaced: false },
  namespaces: { collection: '/api/v1/namespaces', page: '/namespaces', namespaced: false },
  pods: { collection: '/api/v1/pods', page: '/pods', namespaced: true },
  replicationcontrollers: { collection: '/api/v1/replicationcontrollers', page: '/workloads', namespaced: true },
  deployments: { collection: '/apis/apps/v1/deployments', page: '/workloads', namespaced: true },
  replicasets: { collection: '/apis/apps/v1/replicasets', page: '/workloads', namespaced: true },
  daemonsets: { collection: '/apis/apps/v1/daemonsets', page: '/workloads', namespaced: true },
  statefulsets: { collection: '/apis/apps/v1/statefulsets', page: '/workloads', namespaced: true },
  controllerrevisions: { collection: '/apis/apps/v1/controllerrevisions', namespaced: true },
  services: { collection: '/api/v1/services', page: '/services', namespaced: true },
  endpointslices: { collection: '/apis/discovery.k8s.io/v1/endpointslices', page: '/endpointslices', namespaced: true },
  poddisruptionbudgets: { collection: '/apis/policy/v1/poddisruptionbudgets', namespaced: true },
  leases: { collection: '/apis/coordination.k8s.io/v1/leases', namespaced: true, only: 'kube-node-lease' },
  events: { collection: '/api/v1/events', page: '/events', namespaced: true },
};

/** Those that stay as they are while nobody does anything. */
export const calm = Object.keys(kinds).filter((kind) => !kinds[kind].only);

/** Those that have a table. */
export const tables = Object.entries(kinds).flatMap(([kind, { page, namespaced }]) => (page ? [{ kind, page, namespaced }] : []));
