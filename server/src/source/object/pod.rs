//! `core/v1` Pod.

use std::{collections::BTreeMap, sync::Arc};

use app::api::Text;

use super::{
    container::{ContainerStatus, RunningResources},
    meta::{Condition, ObjectMeta},
    object,
    quantity::Quantity,
    scalar::Time,
    template::PodSpec,
};

object! {
    /// A pod.
    pub struct Pod {
        /// `metadata`
        pub metadata: ObjectMeta,
        /// `spec`
        pub spec: PodSpec,
        /// `status`
        pub status: PodStatus,
    }

    /// `status` of a pod.
    pub struct PodStatus {
        /// `phase`
        pub phase: Text,
        /// `reason`
        pub reason: Text,
        /// `message`
        pub message: Arc<str>,
        /// `conditions`
        pub conditions: Vec<Condition>,
        /// `initContainerStatuses`
        pub init_container_statuses: Vec<ContainerStatus>,
        /// `containerStatuses`
        pub container_statuses: Vec<ContainerStatus>,
        /// `ephemeralContainerStatuses`
        pub ephemeral_container_statuses: Vec<ContainerStatus>,
        /// `podIP`
        #[serde(rename = "podIP")]
        pub pod_ip: Arc<str>,
        /// `podIPs`
        #[serde(rename = "podIPs")]
        pub pod_ips: Vec<PodIp>,
        /// `hostIP`
        #[serde(rename = "hostIP")]
        pub host_ip: Arc<str>,
        /// `nominatedNodeName`
        pub nominated_node_name: Text,
        /// `qosClass`
        pub qos_class: Text,
        /// `startTime`
        pub start_time: Time,
        /// `allocatedResources`: what the node has set aside for the pod as a whole
        pub allocated_resources: Option<BTreeMap<Text, Quantity>>,
        /// `resources`: what the pod as a whole runs with
        pub resources: RunningResources,
    }

    /// One of `podIPs`.
    pub struct PodIp {
        /// `ip`
        pub ip: Arc<str>,
    }
}

impl PodStatus {
    /// The condition of this type.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }
}
