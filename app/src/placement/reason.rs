//! What a filter has against a node, in the scheduler's words and in words for people.

use crate::{
    api::{Text, needs::HostPort, node::Taint},
    format,
};

/// A filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // the plugins' own names
pub enum Plugin {
    NodeName,
    NodeUnschedulable,
    TaintToleration,
    NodeAffinity,
    NodePorts,
    NodeResourcesFit,
}

impl Plugin {
    /// All of them, in the order in which they are asked.
    pub const ALL: [Plugin; 6] = [
        Plugin::NodeName,
        Plugin::NodeUnschedulable,
        Plugin::TaintToleration,
        Plugin::NodeAffinity,
        Plugin::NodePorts,
        Plugin::NodeResourcesFit,
    ];

    /// As in the scheduler's configuration.
    pub fn name(self) -> &'static str {
        match self {
            Plugin::NodeName => "NodeName",
            Plugin::NodeUnschedulable => "NodeUnschedulable",
            Plugin::TaintToleration => "TaintToleration",
            Plugin::NodeAffinity => "NodeAffinity",
            Plugin::NodePorts => "NodePorts",
            Plugin::NodeResourcesFit => "NodeResourcesFit",
        }
    }

    /// What it is about, in a word.
    pub fn about(self) -> &'static str {
        match self {
            Plugin::NodeName => "Name",
            Plugin::NodeUnschedulable => "Cordon",
            Plugin::TaintToleration => "Taints",
            Plugin::NodeAffinity => "Labels",
            Plugin::NodePorts => "Ports",
            Plugin::NodeResourcesFit => "Room",
        }
    }
}

/// What speaks against a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// The pod names other nodes by these filters, so that the scheduler does not even ask about this one.
    NotNamed(&'static str),
    /// `spec.nodeName` is another.
    OtherNode(Text),
    /// Cordoned.
    Unschedulable,
    /// Taints that the pod does not tolerate, in the node's order.
    Taints(Vec<Taint>),
    /// Its labels, or its name, are not as required.
    Labels(Unmet),
    /// These ports are taken.
    Ports(Vec<HostPort>),
    /// There are as many pods as there may be.
    Pods {
        /// How many there are.
        used: u64,
        /// How many there may be.
        allowed: u64,
    },
    /// There is not enough left of a resource.
    Resource {
        /// Which.
        name: Text,
        /// What the pod asks for.
        wants: u64,
        /// What is given out.
        used: u64,
        /// What the node has to give.
        allocatable: u64,
    },
}

/// Why labels are not as required.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unmet {
    /// Of the node selector.
    pub selector: Vec<Mismatch>,
    /// Of each term of the node affinity, if none of them holds; empty for a term that holds for no node.
    pub terms: Option<Vec<Vec<Mismatch>>>,
}

/// A requirement, and what the node has instead.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// The label's key; `metadata.name` for the name.
    pub key: Text,
    /// What is required, as a selector has it: `project=listingqc`.
    pub wants: String,
    /// The label's value, or the name; `None` without the label.
    pub has: Option<Text>,
}

impl Reason {
    /// Whose reason it is.
    pub fn plugin(&self) -> Plugin {
        match self {
            Reason::NotNamed(_) | Reason::OtherNode(_) => Plugin::NodeName,
            Reason::Unschedulable => Plugin::NodeUnschedulable,
            Reason::Taints(_) => Plugin::TaintToleration,
            Reason::Labels(_) => Plugin::NodeAffinity,
            Reason::Ports(_) => Plugin::NodePorts,
            Reason::Pods { .. } | Reason::Resource { .. } => Plugin::NodeResourcesFit,
        }
    }

    /// The scheduler's words.
    pub fn words(&self) -> String {
        match self {
            Reason::NotNamed(plugins) => format!("node(s) didn't satisfy plugin(s) {plugins}"),
            Reason::OtherNode(_) => "node(s) didn't match the requested node name".to_owned(),
            Reason::Unschedulable => "node(s) were unschedulable".to_owned(),
            Reason::Taints(_) => "node(s) had untolerated taint(s)".to_owned(),
            Reason::Labels(_) => "node(s) didn't match Pod's node affinity/selector".to_owned(),
            Reason::Ports(_) => "node(s) didn't have free ports for the requested pod ports".to_owned(),
            Reason::Pods { .. } => "Too many pods".to_owned(),
            Reason::Resource { name, .. } => format!("Insufficient {name}"),
        }
    }

    /// What is the matter with this node, for people.
    pub fn why(&self) -> String {
        match self {
            Reason::NotNamed(_) => "the pod names other nodes".to_owned(),
            Reason::OtherNode(name) => format!("the pod names node {name}"),
            Reason::Unschedulable => "cordoned".to_owned(),
            Reason::Taints(taints) => {
                let taints: Vec<_> = taints.iter().map(ToString::to_string).collect();
                let are = if taints.len() == 1 { "taint" } else { "taints" };
                format!("{are} not tolerated: {}", taints.join(", "))
            }
            Reason::Labels(unmet) => unmet.why(),
            Reason::Ports(ports) => {
                let ports: Vec<_> = ports.iter().map(ToString::to_string).collect();
                let are = if ports.len() == 1 { "port is" } else { "ports are" };
                format!("{are} taken: {}", ports.join(", "))
            }
            Reason::Pods { used, allowed } => format!("{used} pods, of {allowed} there may be"),
            Reason::Resource { name, wants, used, allocatable } => format!(
                "{name}: wants {}, {} of {} left",
                format::amount(name, *wants),
                format::amount(name, allocatable.saturating_sub(*used)),
                format::amount(name, *allocatable),
            ),
        }
    }
}

impl Unmet {
    fn why(&self) -> String {
        let all =
            |mismatches: &[Mismatch]| mismatches.iter().map(Mismatch::why).collect::<Vec<_>>().join(", ");
        let terms = self.terms.as_deref().map(|terms| match terms {
            [] => "the node affinity has no terms, which no node fulfils".to_owned(),
            terms => {
                let term = |term: &Vec<Mismatch>| match &term[..] {
                    [] => "a term of the node affinity fits no node".to_owned(),
                    mismatches => all(mismatches),
                };
                terms.iter().map(term).collect::<Vec<_>>().join("; or ")
            }
        });
        match (&self.selector[..], terms) {
            ([], terms) => terms.unwrap_or_default(),
            (selector, None) => all(selector),
            (selector, Some(terms)) => format!("{}; and {terms}", all(selector)),
        }
    }

    /// Every requirement that is not met.
    pub fn mismatches(&self) -> impl Iterator<Item = &Mismatch> {
        self.selector.iter().chain(self.terms.iter().flatten().flatten())
    }
}

impl Mismatch {
    /// `label project is fraud, wants listingqc`.
    pub fn why(&self) -> String {
        let wants = self.wants.strip_prefix(&format!("{}=", self.key)).unwrap_or(&self.wants);
        match &self.has {
            Some(name) if self.key == "metadata.name" => format!("is {name}, wants {wants}"),
            Some(value) if value.is_empty() => format!("label {} is empty, wants {wants}", self.key),
            Some(value) => format!("label {} is {value}, wants {wants}", self.key),
            None => format!("no label {}, wants {wants}", self.key),
        }
    }
}
