//! A node's row (Kubernetes 1.37 `pkg/printers/internalversion/printers.go`, `printNode`).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use app::api::{
    Detail, Health, Labels, Node, ResourceList, Text, Timestamp, node::Taint, resource_list::CPU,
};

use super::{Translate, line, meta, template::Facts};
use crate::source::object::{meta::Condition, node as object, quantity::Quantity};

impl Translate for Node {
    type Object = object::Node;

    fn translate(node: object::Node) -> Node {
        let (health, why) = judge(&node);
        let info = &node.status.node_info;
        Node {
            meta: meta::meta(&node.metadata),
            ready: condition(&node, "Ready").map(Condition::is_true),
            unschedulable: node.spec.unschedulable,
            roles: roles(&node.metadata.labels),
            version: info.kubelet_version.clone(),
            internal_ip: address(&node, "InternalIP"),
            external_ip: address(&node, "ExternalIP"),
            os_image: info.os_image.clone(),
            kernel_version: info.kernel_version.clone(),
            architecture: info.architecture.clone(),
            container_runtime: info.container_runtime_version.clone(),
            taints: node.spec.taints.iter().map(taint).collect(),
            allocatable: resources(&node.status.allocatable),
            capacity: resources(&node.status.capacity),
            changed: node.metadata.managed_fields.0.0,
            health,
            why: why.into(),
            since: since(&node, health),
            detail: Arc::new(detail(&node)),
        }
    }
}

/// The last of a type, as in a map that is filled in order.
fn condition<'a>(node: &'a object::Node, kind: &str) -> Option<&'a Condition> {
    node.status.conditions.iter().rev().find(|condition| condition.kind == kind)
}

/// `findNodeRoles`.
fn roles(labels: &Labels) -> Vec<Text> {
    let role = |(key, value): &(Text, Text)| match key.strip_prefix("node-role.kubernetes.io/") {
        Some(role) => Some(Text::from(role)),
        None => (*key == "kubernetes.io/role").then(|| value.clone()),
    };
    let roles: BTreeSet<Text> = labels.iter().filter_map(role).filter(|role| !role.is_empty()).collect();
    roles.into_iter().collect()
}

fn address(node: &object::Node, kind: &str) -> Option<Arc<str>> {
    let address = node.status.addresses.iter().find(|address| address.kind == kind);
    address.map(|address| address.address.clone())
}

fn taint(taint: &object::Taint) -> Taint {
    Taint { key: taint.key.clone(), value: taint.value.clone(), effect: taint.effect.clone() }
}

fn resources(list: &BTreeMap<Text, Quantity>) -> ResourceList {
    let amount = |(name, quantity): (&Text, &Quantity)| {
        let amount = if *name == CPU { quantity.milli() } else { quantity.value() };
        Some((name.clone(), amount?))
    };
    list.iter().filter_map(amount).collect()
}

/// What is wrong with a node when it is True.
const PRESSURES: [&str; 4] = ["MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"];

fn judge(node: &object::Node) -> (Health, String) {
    let stated = |condition: &Condition| match &*condition.message {
        "" if condition.reason.is_empty() => format!("{} is {}", condition.kind, condition.status),
        "" => condition.reason.to_string(),
        message => line(message),
    };
    let Some(ready) = condition(node, "Ready") else {
        return (Health::Unknown, "no condition Ready".to_owned());
    };
    match ready.status.as_str() {
        "True" => {}
        "False" => return (Health::Failing, stated(ready)),
        _ => return (Health::Unknown, stated(ready)),
    }
    let pressure =
        PRESSURES.iter().filter_map(|kind| condition(node, kind)).find(|condition| condition.is_true());
    if let Some(pressure) = pressure {
        return (Health::Failing, format!("{}: {}", pressure.kind, stated(pressure)));
    }
    if node.metadata.deletion_timestamp.0.is_some() {
        return (Health::Progressing, meta::deleting(&node.metadata));
    }
    if node.spec.unschedulable {
        return (Health::Waiting, "cordoned: new pods are kept away".to_owned());
    }
    (Health::Healthy, String::new())
}

/// Since when it is as it is: not ready, or under pressure. When a node was cordoned it does not say.
fn since(node: &object::Node, health: Health) -> Option<Timestamp> {
    if health > Health::Unknown {
        return None;
    }
    let pressure = || PRESSURES.iter().filter_map(|kind| condition(node, kind)).find(|found| found.is_true());
    let decides = condition(node, "Ready").filter(|ready| !ready.is_true()).or_else(pressure)?;
    decides.last_transition_time.0
}

/// In the order of kubectl `pkg/describe/describe.go`, `describeNode`.
fn detail(node: &object::Node) -> Detail {
    let (spec, info) = (&node.spec, &node.status.node_info);
    let mut facts = Facts::default();
    for address in &node.status.addresses {
        facts.add(&address.kind, address.address.clone());
    }
    facts.add("Kernel Version", info.kernel_version.as_str());
    facts.add("OS Image", info.os_image.as_str());
    facts.add("Operating System", info.operating_system.as_str());
    facts.add("Architecture", info.architecture.as_str());
    facts.add("Container Runtime Version", info.container_runtime_version.as_str());
    facts.add("Kubelet Version", info.kubelet_version.as_str());
    facts.add("PodCIDR", spec.pod_cidr.as_str());
    facts.add("PodCIDRs", spec.pod_cidrs.iter().map(|cidr| cidr.as_str()).collect::<Vec<_>>().join(","));
    facts.add("ProviderID", spec.provider_id.as_str());
    for (label, list) in [("Capacity", &node.status.capacity), ("Allocatable", &node.status.allocatable)] {
        for (name, quantity) in list {
            facts.add(&format!("{label} {name}"), quantity.0.as_str());
        }
    }
    Detail {
        uid: node.metadata.uid.clone(),
        conditions: meta::conditions(&node.status.conditions),
        facts: facts.0,
        ..Detail::default()
    }
}
