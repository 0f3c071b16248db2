//! A pod's specification: the pod's own, or a controller's template.

use std::collections::BTreeMap;

use app::api::{Labels, Text};

use super::{
    container::{Container, Resources},
    meta::{LabelRequirement, LabelSelector, ObjectMeta},
    object,
    quantity::Quantity,
    scalar::{Volumes, Words},
};

object! {
    /// `spec.template` of a controller.
    pub struct PodTemplate {
        /// `metadata`
        pub metadata: ObjectMeta,
        /// `spec`
        pub spec: PodSpec,
    }

    /// `spec` of a pod. Of `volumes` it is read how many there are, and whether there are any that the scheduler looks at.
    pub struct PodSpec {
        /// `nodeName`
        pub node_name: Text,
        /// `initContainers`
        pub init_containers: Vec<Container>,
        /// `containers`
        pub containers: Vec<Container>,
        /// `ephemeralContainers`
        pub ephemeral_containers: Vec<Container>,
        /// `readinessGates`
        pub readiness_gates: Vec<ReadinessGate>,
        /// `nodeSelector`
        pub node_selector: Labels,
        /// `tolerations`
        pub tolerations: Vec<Toleration>,
        /// `restartPolicy`
        pub restart_policy: Text,
        /// `serviceAccountName`
        pub service_account_name: Text,
        /// `priority`
        pub priority: Option<i64>,
        /// `priorityClassName`
        pub priority_class_name: Text,
        /// `runtimeClassName`
        pub runtime_class_name: Text,
        /// `schedulerName`
        pub scheduler_name: Text,
        /// `terminationGracePeriodSeconds`
        pub termination_grace_period_seconds: Option<i64>,
        /// `volumes`
        pub volumes: Volumes,
        /// `topologySpreadConstraints`
        pub topology_spread_constraints: Vec<SpreadConstraint>,
        /// `schedulingGroup`
        pub scheduling_group: SchedulingGroup,
        /// `overhead`
        pub overhead: BTreeMap<Text, Quantity>,
        /// `resources`, of the pod as a whole
        pub resources: Resources,
        /// `affinity`
        pub affinity: Affinity,
        /// `hostNetwork`
        pub host_network: bool,
        /// `schedulingGates`
        pub scheduling_gates: Vec<SchedulingGate>,
        /// `resourceClaims`, its length
        pub resource_claims: Words,
    }

    /// Near what a pod is to be. What is only preferred is not read, nor whom it wants near.
    pub struct Affinity {
        /// `nodeAffinity`
        pub node_affinity: NodeAffinity,
        /// `podAffinity`
        pub pod_affinity: PodAffinity,
        /// `podAntiAffinity`
        pub pod_anti_affinity: PodAffinity,
    }

    /// On which nodes.
    pub struct NodeAffinity {
        /// `requiredDuringSchedulingIgnoredDuringExecution`
        pub required_during_scheduling_ignored_during_execution: Option<NodeSelector>,
    }

    /// Near, or not near, which pods.
    pub struct PodAffinity {
        /// `requiredDuringSchedulingIgnoredDuringExecution`, its length
        pub required_during_scheduling_ignored_during_execution: Words,
    }

    /// Terms of which one must hold.
    pub struct NodeSelector {
        /// `nodeSelectorTerms`
        pub node_selector_terms: Vec<NodeSelectorTerm>,
    }

    /// Requirements that must all hold.
    pub struct NodeSelectorTerm {
        /// `matchExpressions`
        pub match_expressions: Vec<LabelRequirement>,
        /// `matchFields`
        pub match_fields: Vec<LabelRequirement>,
    }

    /// What must be lifted before the pod is scheduled.
    pub struct SchedulingGate {
        /// `name`
        pub name: Text,
    }

    /// How evenly pods are to be spread.
    pub struct SpreadConstraint {
        /// `maxSkew`
        pub max_skew: i64,
        /// `topologyKey`
        pub topology_key: Text,
        /// `whenUnsatisfiable`
        pub when_unsatisfiable: Text,
        /// `labelSelector`
        pub label_selector: Option<LabelSelector>,
    }

    /// Pods that are scheduled together.
    pub struct SchedulingGroup {
        /// `podGroupName`
        pub pod_group_name: Text,
    }

    /// A condition the pod must have to be ready.
    pub struct ReadinessGate {
        /// `conditionType`
        pub condition_type: Text,
    }

    /// A taint the pod puts up with.
    pub struct Toleration {
        /// `key`
        pub key: Text,
        /// `operator`
        pub operator: Text,
        /// `value`
        pub value: Text,
        /// `effect`
        pub effect: Text,
        /// `tolerationSeconds`
        pub toleration_seconds: Option<i64>,
    }
}
