//! The kinds the demo's API server serves.

/// One served resource, as discovery describes it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resource {
    pub(super) group: &'static str,
    pub(super) plural: &'static str,
    pub(super) singular: &'static str,
    pub(super) kind: &'static str,
    pub(super) short: &'static [&'static str],
    pub(super) namespaced: bool,
    /// In category `all`, that is in `kubectl get all`.
    pub(super) in_all: bool,
}

const fn core(
    plural: &'static str,
    singular: &'static str,
    kind: &'static str,
    short: &'static [&'static str],
    namespaced: bool,
    in_all: bool,
) -> Resource {
    Resource { group: "", plural, singular, kind, short, namespaced, in_all }
}

const fn apps(
    plural: &'static str,
    singular: &'static str,
    kind: &'static str,
    short: &'static [&'static str],
) -> Resource {
    Resource { group: "apps", plural, singular, kind, short, namespaced: true, in_all: true }
}

pub(super) static NODES: Resource = core("nodes", "node", "Node", &["no"], false, false);
pub(super) static NAMESPACES: Resource = core("namespaces", "namespace", "Namespace", &["ns"], false, false);
pub(super) static PODS: Resource = core("pods", "pod", "Pod", &["po"], true, true);
pub(super) static REPLICATION_CONTROLLERS: Resource =
    core("replicationcontrollers", "replicationcontroller", "ReplicationController", &["rc"], true, true);
pub(super) static EVENTS: Resource = core("events", "event", "Event", &["ev"], true, false);
pub(super) static SERVICES: Resource = core("services", "service", "Service", &["svc"], true, true);
pub(super) static DEPLOYMENTS: Resource = apps("deployments", "deployment", "Deployment", &["deploy"]);
pub(super) static REPLICA_SETS: Resource = apps("replicasets", "replicaset", "ReplicaSet", &["rs"]);
// No controller of the demo acts on these two: its one DaemonSet comes with its status and its pods, and
// it has no StatefulSet. They are served because Masthead, like kubectl, asks for them.
pub(super) static DAEMON_SETS: Resource = apps("daemonsets", "daemonset", "DaemonSet", &["ds"]);
pub(super) static STATEFUL_SETS: Resource = apps("statefulsets", "statefulset", "StatefulSet", &["sts"]);

pub(super) static CONTROLLER_REVISIONS: Resource = Resource {
    in_all: false,
    ..apps("controllerrevisions", "controllerrevision", "ControllerRevision", &[])
};

/// A namespaced resource of a group of its own, in no category.
const fn of(
    group: &'static str,
    plural: &'static str,
    singular: &'static str,
    kind: &'static str,
    short: &'static [&'static str],
) -> Resource {
    Resource { group, plural, singular, kind, short, namespaced: true, in_all: false }
}

pub(super) static ENDPOINT_SLICES: Resource =
    of("discovery.k8s.io", "endpointslices", "endpointslice", "EndpointSlice", &[]);
pub(super) static POD_DISRUPTION_BUDGETS: Resource =
    of("policy", "poddisruptionbudgets", "poddisruptionbudget", "PodDisruptionBudget", &["pdb"]);
pub(super) static LEASES: Resource = of("coordination.k8s.io", "leases", "lease", "Lease", &[]);

/// The groups beside the core, in the order of discovery (kubernetes `pkg/controlplane/instance.go`).
pub(super) const GROUPS: [&str; 4] = ["apps", "policy", "coordination.k8s.io", "discovery.k8s.io"];

pub(super) static ALL: [&Resource; 14] = [
    &NODES,
    &NAMESPACES,
    &PODS,
    &REPLICATION_CONTROLLERS,
    &EVENTS,
    &SERVICES,
    &DEPLOYMENTS,
    &REPLICA_SETS,
    &DAEMON_SETS,
    &STATEFUL_SETS,
    &CONTROLLER_REVISIONS,
    &ENDPOINT_SLICES,
    &POD_DISRUPTION_BUDGETS,
    &LEASES,
];

impl Resource {
    /// `v1`, `apps/v1`.
    pub(super) fn api_version(&self) -> String {
        if self.group.is_empty() { "v1".to_owned() } else { format!("{}/v1", self.group) }
    }

    /// How errors name it: `pods`, `deployments.apps`.
    pub(super) fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }
}

pub(super) fn by_plural(group: &str, plural: &str) -> Option<&'static Resource> {
    ALL.into_iter().find(|resource| resource.group == group && resource.plural == plural)
}

pub(super) fn by_kind(kind: &str) -> Option<&'static Resource> {
    ALL.into_iter().find(|resource| resource.kind == kind)
}

pub(super) fn by_name(name: &str) -> Option<&'static Resource> {
    ALL.into_iter().find(|resource| resource.plural == name)
}
