//! `core/v1` Service.

use std::sync::Arc;

use app::api::{Labels, Text};

use super::{
    meta::{Condition, ObjectMeta},
    object,
    scalar::IntOrString,
};

object! {
    /// A Service.
    pub struct Service {
        /// `metadata`
        pub metadata: ObjectMeta,
        /// `spec`
        pub spec: ServiceSpec,
        /// `status`
        pub status: ServiceStatus,
    }

    /// `spec` of a Service.
    pub struct ServiceSpec {
        /// `type`
        #[serde(rename = "type")]
        pub kind: Text,
        /// `clusterIPs`
        #[serde(rename = "clusterIPs")]
        pub cluster_ips: Vec<Arc<str>>,
        /// `externalIPs`
        #[serde(rename = "externalIPs")]
        pub external_ips: Vec<Arc<str>>,
        /// `externalName`
        pub external_name: Arc<str>,
        /// `ports`
        pub ports: Vec<ServicePort>,
        /// `selector`
        pub selector: Labels,
        /// `publishNotReadyAddresses`
        pub publish_not_ready_addresses: bool,
        /// `ipFamilyPolicy`
        pub ip_family_policy: Text,
        /// `ipFamilies`
        pub ip_families: Vec<Text>,
        /// `loadBalancerIP`
        #[serde(rename = "loadBalancerIP")]
        pub load_balancer_ip: Text,
        /// `loadBalancerClass`
        pub load_balancer_class: Text,
        /// `loadBalancerSourceRanges`
        pub load_balancer_source_ranges: Vec<Text>,
        /// `sessionAffinity`
        pub session_affinity: Text,
        /// `externalTrafficPolicy`
        pub external_traffic_policy: Text,
        /// `internalTrafficPolicy`
        pub internal_traffic_policy: Text,
        /// `healthCheckNodePort`
        pub health_check_node_port: i64,
        /// `trafficDistribution`
        pub traffic_distribution: Text,
    }

    /// A port of a Service.
    pub struct ServicePort {
        /// `name`
        pub name: Text,
        /// `port`
        pub port: i64,
        /// `targetPort`
        pub target_port: IntOrString,
        /// `nodePort`
        pub node_port: i64,
        /// `protocol`
        pub protocol: Text,
        /// `appProtocol`
        pub app_protocol: Text,
    }

    /// `status` of a Service.
    pub struct ServiceStatus {
        /// `loadBalancer`
        pub load_balancer: LoadBalancer,
        /// `conditions`
        pub conditions: Vec<Condition>,
    }

    /// `status.loadBalancer`.
    pub struct LoadBalancer {
        /// `ingress`
        pub ingress: Vec<Ingress>,
    }

    /// Where a load balancer is reached.
    pub struct Ingress {
        /// `ip`
        pub ip: Arc<str>,
        /// `hostname`
        pub hostname: Arc<str>,
        /// `ipMode`
        pub ip_mode: Text,
    }
}
