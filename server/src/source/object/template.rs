//! A pod's specification: the pod's own, or a controller's template.

use std::collections::BTreeMap;

use app::api::{Labels, Text};

use super::{
    container::{Container, Resources},
    meta::{LabelSelector, ObjectMeta},
    object,
    quantity::Quantity,
    scalar::Words,
};

object! {
    /// `spec.template` of a controller.
    pub struct PodTemplate {
        /// `metadata`
        pub metadata: ObjectMeta,
        /// `spec`
        pub spec: PodSpec,
    }

    /// `spec` of a pod. Of `volumes` only the length is read.
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
        /// `volumes`, its length
        pub volumes: Words,
        /// `topologySpreadConstraints`
        pub topology_spread_constraints: Vec<SpreadConstraint>,
        /// `schedulingGroup`
        pub scheduling_group: SchedulingGroup,
        /// `overhead`
        pub overhead: BTreeMap<Text, Quantity>,
        /// `resources`, of the pod as a whole
        pub resources: Resources,
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
