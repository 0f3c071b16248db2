//! An EndpointSlice, as `kubectl get endpointslices` sees it: some of the addresses behind a Service.

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Column, Detail, Health, Kind, Meta, Row, Text, Uid};

/// An EndpointSlice's row. Kubernetes' own controller puts up to 100 endpoints into one; the API server takes 1000 of
/// anybody, and a row holds them all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointSlice {
    /// Identity, names, labels, owner.
    pub meta: Meta,
    /// ADDRESSTYPE: `IPv4`, `IPv6`, `FQDN`.
    pub address_type: Text,
    /// Label `kubernetes.io/service-name`: whose addresses these are. Empty if it is of no Service.
    pub service: Text,
    /// `ports`, on which all its endpoints serve.
    pub ports: Vec<EndpointPort>,
    /// `endpoints`.
    pub endpoints: Vec<Endpoint>,
    /// What its own page shows.
    #[serde(skip)]
    pub detail: Arc<Detail>,
}

/// A port of an EndpointSlice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointPort {
    /// The Service's port of that name; the API server writes an empty one for none.
    pub name: Option<Text>,
    /// Its number at these endpoints; `None` stands for all.
    pub port: Option<i32>,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: Text,
    /// `appProtocol`, may be empty.
    pub app_protocol: Text,
}

/// One who serves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// Where it is reached. All mean the same; clients use the first.
    pub addresses: Vec<Arc<str>>,
    /// What it is, mostly a pod. `None` where nobody said.
    pub target: Option<Target>,
    /// `nodeName`, may be empty.
    pub node: Text,
    /// `zone`, may be empty.
    pub zone: Text,
    /// `hostname`, may be empty.
    pub hostname: Text,
    /// `conditions.ready` as written; see [`Endpoint::is_ready`].
    pub ready: Option<bool>,
    /// `conditions.serving` as written; see [`Endpoint::is_serving`].
    pub serving: Option<bool>,
    /// `conditions.terminating` as written; see [`Endpoint::is_terminating`].
    pub terminating: Option<bool>,
}

/// `targetRef` of an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// `Pod`, mostly.
    pub kind: Text,
    /// Its name.
    pub name: Arc<str>,
    /// Its identity.
    pub uid: Uid,
}

impl Endpoint {
    /// Whether it gets new connections. Nothing said means yes (api `discovery/v1/types.go`, `EndpointConditions`).
    pub fn is_ready(&self) -> bool {
        self.ready.unwrap_or(true)
    }

    /// Whether it could, even if it is on its way out: where no endpoint is ready those that serve and terminate are
    /// used. Nothing said means yes.
    pub fn is_serving(&self) -> bool {
        self.serving.unwrap_or(true)
    }

    /// Whether it is on its way out. Nothing said means no.
    pub fn is_terminating(&self) -> bool {
        self.terminating.unwrap_or(false)
    }

    /// Whether it is this pod.
    pub fn is_pod(&self, uid: Uid) -> bool {
        self.target.as_ref().is_some_and(|target| target.kind == "Pod" && target.uid == uid)
    }
}

impl EndpointSlice {
    /// The label that says whose addresses these are.
    pub const SERVICE_NAME: &str = "kubernetes.io/service-name";

    /// PORTS (`formatDiscoveryPorts`): the first three and how many more.
    pub fn ports_cell(&self) -> String {
        let port = |port: &EndpointPort| match (port.port, &port.name) {
            (Some(number), _) => number.to_string(),
            (None, Some(name)) => name.to_string(),
            (None, None) => "*".to_owned(),
        };
        listed(self.ports.iter().map(port))
    }

    /// ENDPOINTS (`formatDiscoveryEndpoints`): the first three addresses and how many more.
    pub fn endpoints_cell(&self) -> String {
        let addresses = self.endpoints.iter().flat_map(|endpoint| &endpoint.addresses);
        listed(addresses.map(|address| address.to_string()))
    }

    /// Whether it is of this Service.
    pub fn is_of(&self, namespace: &str, service: &str) -> bool {
        *self.meta.namespace == *namespace && *self.service == *service
    }
}

/// `listWithMoreString`: `10.0.0.1,10.0.0.2,10.0.0.3 + 7 more...`, `<unset>` for none.
fn listed(all: impl Iterator<Item = String>) -> String {
    const MOST: usize = 3;
    let mut all = all.fuse();
    let shown = all.by_ref().take(MOST).collect::<Vec<_>>().join(",");
    match all.count() {
        0 if shown.is_empty() => "<unset>".to_owned(),
        0 => shown,
        more => format!("{shown} + {more} more..."),
    }
}

impl Row for EndpointSlice {
    const KIND: Kind = Kind::EndpointSlice;
    const COLUMNS: &'static [Column<EndpointSlice>] = &[
        Column::<Self>::name(),
        Column::<Self>::new(
            "ADDRESSTYPE",
            |row, _| Cow::Borrowed(&row.address_type),
            |a, b| a.address_type.cmp(&b.address_type),
        ),
        Column::<Self>::new(
            "PORTS",
            |row, _| row.ports_cell().into(),
            |a, b| a.ports_cell().cmp(&b.ports_cell()),
        ),
        Column::<Self>::new(
            "ENDPOINTS",
            |row, _| row.endpoints_cell().into(),
            |a, b| a.endpoints.len().cmp(&b.endpoints.len()),
        ),
        Column::<Self>::age(),
    ];

    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
    fn other_uids(&mut self, visit: &mut dyn FnMut(&mut Uid)) {
        self.endpoints
            .iter_mut()
            .filter_map(|endpoint| endpoint.target.as_mut())
            .for_each(|target| visit(&mut target.uid));
    }
    fn health(&self) -> Health {
        Health::Healthy
    }
    fn detail(&self) -> Option<&Arc<Detail>> {
        Some(&self.detail)
    }
}
