//! An EndpointSlice's row (`pkg/printers/internalversion/printers.go`, `printEndpointSlice`).

use std::sync::Arc;

use app::api::{
    Detail, EndpointSlice,
    endpoint_slice::{Endpoint, EndpointPort, Target},
};

use super::{Translate, count, meta};
use crate::source::object::endpoint_slice as object;

impl Translate for EndpointSlice {
    type Object = object::EndpointSlice;

    fn translate(slice: object::EndpointSlice) -> EndpointSlice {
        EndpointSlice {
            meta: meta::meta(&slice.metadata),
            address_type: slice.address_type,
            service: slice.metadata.labels.get(EndpointSlice::SERVICE_NAME).cloned().unwrap_or_default(),
            ports: slice.ports.into_iter().map(port).collect(),
            endpoints: slice.endpoints.into_iter().map(endpoint).collect(),
            detail: Arc::new(Detail { uid: slice.metadata.uid, ..Detail::default() }),
        }
    }
}

fn port(port: object::EndpointPort) -> EndpointPort {
    EndpointPort {
        name: port.name,
        port: port.port.map(count),
        protocol: port.protocol,
        app_protocol: port.app_protocol,
    }
}

fn endpoint(endpoint: object::Endpoint) -> Endpoint {
    let object::EndpointConditions { ready, serving, terminating } = endpoint.conditions;
    Endpoint {
        addresses: endpoint.addresses,
        target: endpoint.target_ref.map(|target| Target {
            uid: meta::uid(&target.uid, &target.namespace, &target.name),
            kind: target.kind,
            name: target.name,
        }),
        node: endpoint.node_name,
        zone: endpoint.zone,
        hostname: endpoint.hostname,
        ready,
        serving,
        terminating,
    }
}
