/** Where a kind is: in the API server, and on which page its table, if it has one. */
export type Kind = { collection: string; page?: string; namespaced: boolean };

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
  events: { collection: '/api/v1/events', page: '/events', namespaced: true },
};

/** Those that have a table. */
export const tables = Object.entries(kinds).flatMap(([kind, { page, namespaced }]) => (page ? [{ kind, page, namespaced }] : []));
