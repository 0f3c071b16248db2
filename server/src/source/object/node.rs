//! `core/v1` Node.

use std::{collections::BTreeMap, sync::Arc};

use app::api::Text;

use super::{
    meta::{Condition, ObjectMeta},
    object,
    quantity::Quantity,
};

object! {
    /// A node.
    pub struct Node {
        /// `metadata`
        pub metadata: ObjectMeta,
        /// `spec`
        pub spec: NodeSpec,
        /// `status`
        pub status: NodeStatus,
    }

    /// `spec` of a node.
    pub struct NodeSpec {
        /// `unschedulable`
        pub unschedulable: bool,
        /// `taints`
        pub taints: Vec<Taint>,
        /// `podCIDR`
        #[serde(rename = "podCIDR")]
        pub pod_cidr: Text,
        /// `podCIDRs`
        #[serde(rename = "podCIDRs")]
        pub pod_cidrs: Vec<Text>,
        /// `providerID`
        #[serde(rename = "providerID")]
        pub provider_id: Text,
    }

    /// What keeps pods away that do not tolerate it.
    pub struct Taint {
        /// `key`
        pub key: Text,
        /// `value`
        pub value: Text,
        /// `effect`
        pub effect: Text,
    }

    /// `status` of a node.
    pub struct NodeStatus {
        /// `conditions`
        pub conditions: Vec<Condition>,
        /// `addresses`
        pub addresses: Vec<Address>,
        /// `capacity`
        pub capacity: BTreeMap<Text, Quantity>,
        /// `allocatable`
        pub allocatable: BTreeMap<Text, Quantity>,
        /// `nodeInfo`
        pub node_info: NodeInfo,
    }

    /// An address.
    pub struct Address {
        /// `type`: `InternalIP`, `ExternalIP`, `Hostname`…
        #[serde(rename = "type")]
        pub kind: Text,
        /// `address`
        pub address: Arc<str>,
    }

    /// What the machine says of itself.
    pub struct NodeInfo {
        /// `architecture`
        pub architecture: Text,
        /// `operatingSystem`
        pub operating_system: Text,
        /// `osImage`
        pub os_image: Text,
        /// `kernelVersion`
        pub kernel_version: Text,
        /// `containerRuntimeVersion`
        pub container_runtime_version: Text,
        /// `kubeletVersion`
        pub kubelet_version: Text,
    }
}
