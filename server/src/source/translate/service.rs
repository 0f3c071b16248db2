//! A Service's row (`pkg/printers/internalversion/printers.go`, `printService`).

use std::sync::Arc;

use app::api::{Detail, Health, Service, Text, service::ServicePort};

use super::{Translate, count, meta, template::Facts};
use crate::source::object::service as object;

impl Translate for Service {
    type Object = object::Service;

    fn translate(service: object::Service) -> Service {
        let detail = Arc::new(detail(&service));
        let object::Service { metadata, spec, status } = service;
        let ingress = status.load_balancer.ingress.into_iter();
        let row = Service {
            meta: meta::meta(&metadata),
            kind: spec.kind,
            cluster_ips: spec.cluster_ips,
            external_ips: spec.external_ips,
            ingress: ingress.map(|at| if at.ip.is_empty() { at.hostname } else { at.ip }).collect(),
            external_name: spec.external_name,
            ports: spec.ports.into_iter().map(port).collect(),
            selector: Some(spec.selector).filter(|selector| !selector.is_empty()),
            publish_not_ready: spec.publish_not_ready_addresses,
            detail,
            ..Service::default()
        };
        let (health, why) = judge(&row, &metadata);
        Service { health, why, ..row }
    }
}

fn port(port: object::ServicePort) -> ServicePort {
    ServicePort {
        name: port.name,
        port: count(port.port),
        target: port.target_port.0,
        node_port: count(port.node_port),
        protocol: port.protocol,
        app_protocol: port.app_protocol,
    }
}

/// Whether anybody answers is for its EndpointSlices to say.
fn judge(service: &Service, metadata: &crate::source::object::meta::ObjectMeta) -> (Health, Text) {
    if metadata.deletion_timestamp.0.is_some() {
        return (Health::Progressing, meta::deleting(metadata).into());
    }
    if service.external_ip() == "<pending>" {
        return (Health::Waiting, "no load balancer has given it an address yet".into());
    }
    (Health::Healthy, Text::default())
}

/// In the order of kubectl `pkg/describe/describe.go`, `describeService`, without what the row has.
fn detail(service: &object::Service) -> Detail {
    let spec = &service.spec;
    let joined = |texts: &[Text]| texts.iter().map(Text::as_str).collect::<Vec<_>>().join(",");
    let ips = |ips: &[Arc<str>]| ips.iter().map(|ip| &**ip).collect::<Vec<_>>().join(",");
    let mut facts = Facts::default();
    facts.add("IP Family Policy", spec.ip_family_policy.as_str());
    facts.add("IP Families", joined(&spec.ip_families));
    facts.add("IPs", ips(&spec.cluster_ips));
    facts.add("External IPs", ips(&spec.external_ips));
    facts.add("Desired LoadBalancer IP", spec.load_balancer_ip.as_str());
    facts.add("External Name", spec.external_name.clone());
    facts.add("LoadBalancer Ingress", ingress(&service.status.load_balancer.ingress));
    facts.add("LoadBalancer Class", spec.load_balancer_class.as_str());
    facts.add("Session Affinity", spec.session_affinity.as_str());
    facts.add("External Traffic Policy", spec.external_traffic_policy.as_str());
    facts.add("Internal Traffic Policy", spec.internal_traffic_policy.as_str());
    facts.maybe("HealthCheck NodePort", Some(spec.health_check_node_port).filter(|port| *port != 0));
    facts.add("LoadBalancer Source Ranges", joined(&spec.load_balancer_source_ranges));
    facts.add("Traffic Distribution", spec.traffic_distribution.as_str());
    Detail {
        uid: service.metadata.uid.clone(),
        conditions: meta::conditions(&service.status.conditions),
        facts: facts.0,
        ..Detail::default()
    }
}

/// `buildIngressString`.
fn ingress(ingress: &[object::Ingress]) -> String {
    let one = |at: &object::Ingress| match (&*at.ip, at.ip_mode.as_str()) {
        ("", _) => at.hostname.to_string(),
        (ip, "") => ip.to_owned(),
        (ip, mode) => format!("{ip} ({mode})"),
    };
    ingress.iter().map(one).collect::<Vec<_>>().join(", ")
}
