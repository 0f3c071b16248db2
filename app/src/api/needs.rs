//! What a pod asks of the node it is to run on: what the scheduler reads of `spec`, as far as Masthead reads it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Labels, ResourceList, Text};
use crate::selector::Requirement;

/// What a pod, or a pod made from a template, asks of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Needs {
    /// `spec.nodeName`: where it is, or the only node it may be on.
    pub node_name: Text,
    /// `spec.schedulerName`, empty for the default.
    pub scheduler: Text,
    /// `spec.nodeSelector`
    pub node_selector: Labels,
    /// `requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms` of its node affinity, of which one must
    /// hold; `None` where nothing is required, and with no terms no node will do.
    pub affinity: Option<Vec<NodeTerm>>,
    /// `spec.tolerations`, in their order.
    pub tolerations: Vec<Toleration>,
    /// The ports of the node that its regular containers and sidecars take.
    pub host_ports: Vec<HostPort>,
    /// What it asks for, as the scheduler adds it up.
    pub requests: ResourceList,
    /// `spec.schedulingGates`: while there is one, the scheduler does not look at it.
    pub gates: Vec<Text>,
    /// `spec.hostNetwork`
    pub host_network: bool,
    /// What else the scheduler goes by, of which only this is known: that it does.
    pub unread: Vec<Unread>,
}

impl Needs {
    /// The tolerations as kubectl prints them, in its order.
    pub fn tolerations_by_key(&self) -> Vec<String> {
        let mut sorted: Vec<_> = self.tolerations.iter().collect();
        sorted.sort_by(|a, b| a.key.cmp(&b.key));
        sorted.into_iter().map(ToString::to_string).collect()
    }
}

/// One of the terms of a required node affinity: all of it must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeTerm {
    /// `matchExpressions`
    pub labels: Vec<Requirement>,
    /// `matchFields`, of which there is but `metadata.name`.
    pub names: Vec<NameRequirement>,
    /// It is empty or not well formed, and so holds for no node.
    pub never: bool,
}

/// What is required of a node's name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NameRequirement {
    /// To be it, or not to be it.
    pub is: bool,
    /// The name.
    pub name: Text,
}

impl NameRequirement {
    /// Whether a node of this name is as required.
    pub fn matches(&self, name: &str) -> bool {
        (self.name == *name) == self.is
    }
}

impl fmt::Display for NameRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "metadata.name{}{}", if self.is { "=" } else { "!=" }, self.name)
    }
}

/// A taint that the pod puts up with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Toleration {
    /// Empty for every key.
    pub key: Text,
    /// How the values are compared.
    pub operator: TolerationOperator,
    /// `value`
    pub value: Text,
    /// Empty for every effect.
    pub effect: Text,
    /// For how long, where that is limited.
    pub seconds: Option<i64>,
}

/// `operator` of a toleration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TolerationOperator {
    /// `Equal`, and what is meant by none.
    #[default]
    Equal,
    /// `Exists`: whatever the value.
    Exists,
    /// `Lt`: the taint's value is a smaller number (KEP 5471).
    Lt,
    /// `Gt`: the taint's value is a larger number.
    Gt,
    /// Some other word, which tolerates nothing.
    Unknown,
}

/// As kubectl prints it (kubectl `pkg/describe/describe.go`, `printTolerationsMultilineWithIndent`).
impl fmt::Display for Toleration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        if !self.value.is_empty() {
            write!(f, "={}", self.value)?;
        }
        if !self.effect.is_empty() {
            write!(f, ":{}", self.effect)?;
        }
        if self.operator == TolerationOperator::Exists && self.value.is_empty() {
            let alone = self.key.is_empty() && self.effect.is_empty();
            f.write_str(if alone { "op=Exists" } else { " op=Exists" })?;
        }
        match self.seconds {
            Some(seconds) => write!(f, " for {seconds}s"),
            None => Ok(()),
        }
    }
}

/// A port of the node.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostPort {
    /// `hostIP`; `0.0.0.0`, the default, is all of them.
    pub ip: Text,
    /// `protocol`: `TCP`, `UDP` or `SCTP`.
    pub protocol: Text,
    /// `hostPort`
    pub port: u16,
}

/// `80/TCP`, on one address `10.0.0.1:80/TCP`.
impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ip != HostPort::EVERY_ADDRESS {
            write!(f, "{}:", self.ip)?;
        }
        write!(f, "{}/{}", self.port, self.protocol)
    }
}

impl HostPort {
    /// Every address of the node.
    pub const EVERY_ADDRESS: &str = "0.0.0.0";

    /// Whether one of the two shuts the other out (kube-scheduler `framework/types.go`,
    /// `HostPortInfo.CheckConflict`).
    pub fn conflicts(&self, other: &HostPort) -> bool {
        let every = |port: &HostPort| port.ip == HostPort::EVERY_ADDRESS;
        self.port == other.port
            && self.protocol == other.protocol
            && (self.ip == other.ip || every(self) || every(other))
    }
}

/// What of a specification also decides where a pod may run, and is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Unread {
    /// Required `podAffinity`.
    PodAffinity,
    /// Required `podAntiAffinity`.
    PodAntiAffinity,
    /// `topologySpreadConstraints` with `DoNotSchedule`.
    TopologySpread,
    /// Volumes of kinds that the scheduler looks at.
    Volumes,
    /// `resourceClaims`
    ResourceClaims,
    /// `schedulingGroup`: it is scheduled with others, or not at all.
    PodGroup,
    /// `runtimeClassName` of a template: the class may add overhead, a node selector and tolerations.
    RuntimeClass,
}
