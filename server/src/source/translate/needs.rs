//! What a pod, or a pod of a template, asks of its node: all of `spec` that the scheduler's filters read.

use app::{
    api::{
        Needs, Text,
        needs::{HostPort, NameRequirement, NodeTerm, Toleration, TolerationOperator, Unread},
    },
    selector::{Operator, Requirement, check_key, check_value},
};

use super::requests;
use crate::source::object::{
    meta::LabelRequirement,
    template::{self as object, NodeSelectorTerm, PodSpec},
};

/// Of a pod.
pub fn needs(spec: &PodSpec) -> Needs {
    let node_affinity = &spec.affinity.node_affinity.required_during_scheduling_ignored_during_execution;
    Needs {
        node_name: spec.node_name.clone(),
        scheduler: spec.scheduler_name.clone(),
        node_selector: spec.node_selector.clone(),
        affinity: node_affinity
            .as_ref()
            .map(|required| required.node_selector_terms.iter().map(term).collect()),
        tolerations: spec.tolerations.iter().map(toleration).collect(),
        host_ports: host_ports(spec),
        requests: requests::requests(spec),
        gates: spec.scheduling_gates.iter().map(|gate| gate.name.clone()).collect(),
        host_network: spec.host_network,
        unread: unread(spec),
    }
}

/// Of a pod template: its pods are yet to pass the admission of runtime classes.
pub fn of_template(spec: &PodSpec) -> Needs {
    let mut needs = needs(spec);
    if !spec.runtime_class_name.is_empty() {
        needs.unread.push(Unread::RuntimeClass);
    }
    needs
}

/// Whether it keeps other pods away from where it is.
pub fn keeps_away(spec: &PodSpec) -> bool {
    spec.affinity.pod_anti_affinity.required_during_scheduling_ignored_during_execution.any()
}

/// Those of regular containers and sidecars (kubernetes `pkg/scheduler/util/utils.go`, `GetHostPorts`). In the node's
/// own network every port is one of the node's (`pkg/apis/core/v1/defaults.go`, `defaultHostNetworkPorts`).
pub fn host_ports(spec: &PodSpec) -> Vec<HostPort> {
    let sidecars = spec.init_containers.iter().filter(|container| container.is_sidecar());
    let ports = sidecars.chain(&spec.containers).flat_map(|container| &container.ports);
    let or = |text: &Text, default: &str| if text.is_empty() { default.into() } else { text.clone() };
    let taken = ports.filter_map(|port| {
        let number = match port.host_port {
            0 if spec.host_network => port.container_port,
            number => number,
        };
        let port = HostPort {
            ip: or(&port.host_ip, HostPort::EVERY_ADDRESS),
            protocol: or(&port.protocol, "TCP"),
            port: u16::try_from(number).ok().filter(|number| *number > 0)?,
        };
        Some(port)
    });
    let mut taken: Vec<HostPort> = taken.collect();
    taken.sort();
    taken.dedup();
    taken
}

fn toleration(toleration: &object::Toleration) -> Toleration {
    Toleration {
        key: toleration.key.clone(),
        operator: match toleration.operator.as_str() {
            "" | "Equal" => TolerationOperator::Equal,
            "Exists" => TolerationOperator::Exists,
            "Lt" => TolerationOperator::Lt,
            "Gt" => TolerationOperator::Gt,
            _ => TolerationOperator::Unknown,
        },
        value: toleration.value.clone(),
        effect: toleration.effect.clone(),
        seconds: toleration.toleration_seconds,
    }
}

/// component-helpers `scheduling/corev1/nodeaffinity/nodeaffinity.go`, `newNodeSelectorTerm`.
fn term(term: &NodeSelectorTerm) -> NodeTerm {
    let labels: Vec<_> = term.match_expressions.iter().map(expression).collect();
    let names: Vec<_> = term.match_fields.iter().map(field).collect();
    let empty = labels.is_empty() && names.is_empty();
    NodeTerm {
        never: empty || labels.iter().any(Option::is_none) || names.iter().any(Option::is_none),
        labels: labels.into_iter().flatten().collect(),
        names: names.into_iter().flatten().collect(),
    }
}

/// apimachinery `pkg/labels/selector.go`, `NewRequirement`; `None` for what that refuses.
fn expression(expression: &LabelRequirement) -> Option<Requirement> {
    let LabelRequirement { key, operator, values } = expression;
    check_key(key).ok()?;
    values.iter().try_for_each(|value| check_value(value)).ok()?;
    let mut sorted = values.clone();
    sorted.sort();
    sorted.dedup();
    let bound = || values.first().and_then(|value| value.parse().ok());
    let operator = match (operator.as_str(), values.len()) {
        ("In", 1..) => Operator::In(sorted),
        ("NotIn", 1..) => Operator::NotIn(sorted),
        ("Exists", 0) => Operator::Exists,
        ("DoesNotExist", 0) => Operator::DoesNotExist,
        ("Gt", 1) => Operator::GreaterThan(bound()?),
        ("Lt", 1) => Operator::LessThan(bound()?),
        _ => return None,
    };
    Some(Requirement { key: key.clone(), operator })
}

/// The name is the one field there is (`pkg/apis/core/validation/validation.go`, `ValidateNodeFieldSelectorRequirement`).
fn field(field: &LabelRequirement) -> Option<NameRequirement> {
    let [name] = &field.values[..] else { return None };
    let is = match (field.key.as_str(), field.operator.as_str()) {
        ("metadata.name", "In") => true,
        ("metadata.name", "NotIn") => false,
        _ => return None,
    };
    Some(NameRequirement { is, name: name.clone() })
}

fn unread(spec: &PodSpec) -> Vec<Unread> {
    let near = &spec.affinity.pod_affinity.required_during_scheduling_ignored_during_execution;
    let spread =
        spec.topology_spread_constraints.iter().any(|spread| spread.when_unsatisfiable == "DoNotSchedule");
    [
        (Unread::PodAffinity, near.any()),
        (Unread::PodAntiAffinity, keeps_away(spec)),
        (Unread::TopologySpread, spread),
        (Unread::Volumes, spec.volumes.decide),
        (Unread::ResourceClaims, spec.resource_claims.any()),
        (Unread::PodGroup, !spec.scheduling_group.pod_group_name.is_empty()),
    ]
    .into_iter()
    .filter_map(|(unread, there)| there.then_some(unread))
    .collect()
}
