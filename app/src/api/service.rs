//! A Service, as `kubectl get services -o wide` sees it.

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Column, Detail, Field, Health, Kind, Labels, Meta, Row, Text, row_fields};

/// A Service's row. How many addresses it has is not in it: that is a matter of its EndpointSlices, see
/// [`crate::query::endpoints`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// Identity, names, labels.
    pub meta: Meta,
    /// TYPE: `ClusterIP`, `NodePort`, `LoadBalancer`, `ExternalName`.
    #[serde(rename = "type")]
    pub kind: Text,
    /// `spec.clusterIPs`, the first of which is CLUSTER-IP; `None` of a headless one.
    #[serde(rename = "clusterIPs")]
    pub cluster_ips: Vec<Arc<str>>,
    /// `spec.externalIPs`.
    #[serde(rename = "externalIPs")]
    pub external_ips: Vec<Arc<str>>,
    /// `status.loadBalancer.ingress`: of each its address, or its name if it has none.
    pub ingress: Vec<Arc<str>>,
    /// `spec.externalName`, of the type of that name.
    pub external_name: Arc<str>,
    /// `spec.ports`.
    pub ports: Vec<ServicePort>,
    /// `spec.selector`. `None` without one, or with an empty one: no pod is selected then, and whoever made the
    /// Service keeps its EndpointSlices (`pkg/controller/endpointslice`, `syncService`).
    pub selector: Option<Labels>,
    /// `spec.publishNotReadyAddresses`: its pods' addresses count as ready before they are, and until they are gone.
    pub publish_not_ready: bool,
    /// Its state in the page's five, as far as the Service itself says it.
    pub health: Health,
    /// Why it is not healthy.
    pub why: Text,
    /// What its own page shows.
    #[serde(skip)]
    pub detail: Arc<Detail>,
}

/// A port of a Service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePort {
    /// Empty where it is the only one.
    pub name: Text,
    /// The Service's own.
    pub port: i32,
    /// The pods': a number, or the name of a container's port, which each pod has where it will.
    pub target: Text,
    /// On every node; 0 if none.
    pub node_port: i32,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: Text,
    /// `appProtocol`, may be empty.
    pub app_protocol: Text,
}

impl Service {
    /// Whether it has no address of its own: names lead to its pods' addresses.
    pub fn is_headless(&self) -> bool {
        self.cluster_ips.first().is_some_and(|ip| **ip == *"None")
    }

    /// Whether it is one whose addresses are those of the pods it selects.
    pub fn has_pods(&self) -> bool {
        self.selector.is_some() && self.kind != "ExternalName"
    }

    /// Whether a pod of `namespace` with these labels is one of its pods.
    pub fn selects(&self, namespace: &str, labels: &Labels) -> bool {
        self.kind != "ExternalName"
            && *self.meta.namespace == *namespace
            && self.selector.as_ref().is_some_and(|selector| {
                selector.iter().all(|(key, value)| labels.get(key).is_some_and(|has| has == value))
            })
    }

    /// CLUSTER-IP.
    pub fn cluster_ip(&self) -> &str {
        self.cluster_ips.first().map_or("<none>", |ip| ip)
    }

    /// EXTERNAL-IP (`getServiceExternalIP`), whole, as the API server prints it also without `-o wide`.
    pub fn external_ip(&self) -> Cow<'_, str> {
        let joined = |ips: &[Arc<str>]| ips.iter().map(|ip| &**ip).collect::<Vec<_>>().join(",");
        match self.kind.as_str() {
            "ClusterIP" | "NodePort" if self.external_ips.is_empty() => "<none>".into(),
            "ClusterIP" | "NodePort" => joined(&self.external_ips).into(),
            "LoadBalancer" => {
                let ingress: Vec<&str> = self.balancers().collect();
                let all: Vec<&str> =
                    ingress.into_iter().chain(self.external_ips.iter().map(|ip| &**ip)).collect();
                if all.is_empty() { "<pending>".into() } else { all.join(",").into() }
            }
            "ExternalName" => Cow::Borrowed(&*self.external_name),
            _ => "<unknown>".into(),
        }
    }

    /// What its load balancers are reached by, each once, in order (`loadBalancerStatusStringer`).
    fn balancers(&self) -> impl Iterator<Item = &str> {
        let mut all: Vec<&str> = self.ingress.iter().map(|ip| &**ip).filter(|ip| !ip.is_empty()).collect();
        all.sort_unstable();
        all.dedup();
        all.into_iter()
    }

    /// PORT(S) (`makePortString`): `80:30080/TCP,443/TCP`.
    pub fn ports_cell(&self) -> String {
        if self.ports.is_empty() {
            return "<none>".to_owned();
        }
        let ports = self.ports.iter().map(|port| {
            if port.node_port > 0 {
                format!("{}:{}/{}", port.port, port.node_port, port.protocol)
            } else {
                format!("{}/{}", port.port, port.protocol)
            }
        });
        ports.collect::<Vec<_>>().join(",")
    }

    /// SELECTOR: `<none>` without one.
    pub fn selector_cell(&self) -> String {
        self.selector.as_ref().map_or_else(|| "<none>".to_owned(), Labels::to_string)
    }
}

impl Row for Service {
    const KIND: Kind = Kind::Service;
    const COLUMNS: &'static [Column<Service>] = &[
        Column::<Self>::name(),
        Column::<Self>::new("TYPE", |row, _| Cow::Borrowed(&row.kind), |a, b| a.kind.cmp(&b.kind)),
        Column::<Self>::new(
            "CLUSTER-IP",
            |row, _| Cow::Borrowed(row.cluster_ip()),
            |a, b| a.cluster_ips.cmp(&b.cluster_ips),
        ),
        Column::<Self>::new(
            "EXTERNAL-IP",
            |row, _| row.external_ip(),
            |a, b| a.external_ip().cmp(&b.external_ip()),
        ),
        Column::<Self>::new(
            "PORT(S)",
            |row, _| row.ports_cell().into(),
            |a, b| {
                let numbers = |row: &Service| row.ports.iter().map(|port| port.port).collect::<Vec<_>>();
                numbers(a).cmp(&numbers(b))
            },
        ),
        Column::<Self>::age(),
        Column::<Self>::new(
            "SELECTOR",
            |row, _| row.selector_cell().into(),
            |a, b| a.selector_cell().cmp(&b.selector_cell()),
        )
        .wide(),
    ];
    /// `pkg/apis/core/v1/conversion.go`, `AddFieldLabelConversionsForService`.
    const FIELDS: &'static [Field<Service>] = &[
        Field::name(),
        Field::namespace(),
        // the first of `clusterIPs`
        Field::new("spec.clusterIP", |row| Cow::Borrowed(row.cluster_ips.first().map_or("", |ip| ip))),
        Field::new("spec.type", |row| Cow::Borrowed(&row.kind)),
    ];

    row_fields!();
}
