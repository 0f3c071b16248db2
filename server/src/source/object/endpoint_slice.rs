//! `discovery.k8s.io/v1` EndpointSlice.

use std::sync::Arc;

use app::api::Text;

use super::{meta::ObjectMeta, object};

object! {
    /// An EndpointSlice.
    pub struct EndpointSlice {
        /// `metadata`
        pub metadata: ObjectMeta,
        /// `addressType`
        pub address_type: Text,
        /// `ports`
        pub ports: Vec<EndpointPort>,
        /// `endpoints`
        pub endpoints: Vec<Endpoint>,
    }

    /// A port of an EndpointSlice.
    pub struct EndpointPort {
        /// `name`
        pub name: Option<Text>,
        /// `port`
        pub port: Option<i64>,
        /// `protocol`
        pub protocol: Text,
        /// `appProtocol`
        pub app_protocol: Text,
    }

    /// One endpoint.
    pub struct Endpoint {
        /// `addresses`
        pub addresses: Vec<Arc<str>>,
        /// `conditions`
        pub conditions: EndpointConditions,
        /// `hostname`
        pub hostname: Text,
        /// `targetRef`
        pub target_ref: Option<ObjectReference>,
        /// `nodeName`
        pub node_name: Text,
        /// `zone`
        pub zone: Text,
    }

    /// `conditions` of an endpoint.
    pub struct EndpointConditions {
        /// `ready`
        pub ready: Option<bool>,
        /// `serving`
        pub serving: Option<bool>,
        /// `terminating`
        pub terminating: Option<bool>,
    }

    /// What an endpoint is.
    pub struct ObjectReference {
        /// `kind`
        pub kind: Text,
        /// `namespace`
        pub namespace: Text,
        /// `name`
        pub name: Arc<str>,
        /// `uid`
        pub uid: Arc<str>,
    }
}
