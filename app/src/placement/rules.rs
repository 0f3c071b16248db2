//! The scheduler's filters, one after another, in the order of its default profile
//! (kubernetes `pkg/scheduler/apis/config/v1/default_plugins.go`), and the words that 1.37 has for them.

use super::room::Room;
use crate::{
    api::{
        Needs, Node, Text,
        needs::{HostPort, NodeTerm, Toleration, TolerationOperator},
        node::Taint,
        resource_list::{CPU, EPHEMERAL_STORAGE, MEMORY, PODS},
    },
    format,
    selector::{Operator, Requirement},
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

/// Which nodes the scheduler asks about, by names in the pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named<'a> {
    /// All of them.
    Any,
    /// These, by these filters.
    These(Vec<&'a str>, &'static str),
    /// None, which is said instead of any node's reasons.
    Nowhere(&'static str),
}

impl Named<'_> {
    fn keeps(&self, node: &str) -> bool {
        match self {
            Named::Any | Named::Nowhere(_) => true,
            Named::These(names, _) => names.contains(&node),
        }
    }
}

/// The filters' first step (`PreFilter` of `nodename/node_name.go` and `nodeaffinity/node_affinity.go`, put together in
/// `framework/runtime/framework.go`, `RunPreFilterPlugins`).
pub fn named(needs: &Needs) -> Named<'_> {
    let by_name = (!needs.node_name.is_empty()).then_some(needs.node_name.as_str());
    let by_affinity = match affinity_names(needs) {
        Some(names) if names.is_empty() => return Named::Nowhere("pod affinity terms conflict"),
        names => names,
    };
    match (by_name, by_affinity) {
        (None, None) => Named::Any,
        (Some(name), None) => Named::These(vec![name], "[NodeName]"),
        (None, Some(names)) => Named::These(names, "[NodeAffinity]"),
        (Some(name), Some(names)) if names.contains(&name) => {
            Named::These(vec![name], "[NodeAffinity NodeName]")
        }
        (Some(_), Some(_)) => {
            Named::Nowhere("node(s) didn't satisfy plugin(s) [NodeAffinity NodeName] simultaneously")
        }
    }
}

/// The names that the terms of the affinity allow; `None` if one of them allows any.
fn affinity_names(needs: &Needs) -> Option<Vec<&str>> {
    let terms = needs.affinity.as_ref().filter(|terms| !terms.is_empty())?;
    let mut all = Vec::new();
    for term in terms {
        let mut wanted = term.names.iter().filter(|name| name.is).map(|name| name.name.as_str());
        let first = wanted.next()?;
        if wanted.all(|other| other == first) && !all.contains(&first) {
            all.push(first);
        }
    }
    Some(all)
}

/// Everything that speaks against a node, filter by filter.
pub fn reasons(needs: &Needs, named: &Named, node: &Node, room: &Room) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if let Named::These(_, plugins) = named
        && !named.keeps(&node.meta.name)
    {
        reasons.push(Reason::NotNamed(plugins));
    } else if !needs.node_name.is_empty() && needs.node_name != *node.meta.name {
        reasons.push(Reason::OtherNode(needs.node_name.clone()));
    }
    if node.unschedulable && !tolerated(&needs.tolerations, &cordon()) {
        reasons.push(Reason::Unschedulable);
    }
    let taints: Vec<Taint> = untolerated(&needs.tolerations, &node.taints).cloned().collect();
    if !taints.is_empty() {
        reasons.push(Reason::Taints(taints));
    }
    reasons.extend(labels(needs, node).map(Reason::Labels));
    let taken: Vec<HostPort> = needs
        .host_ports
        .iter()
        .filter(|wanted| room.ports.iter().any(|taken| wanted.conflicts(taken)))
        .cloned()
        .collect();
    if !taken.is_empty() {
        reasons.push(Reason::Ports(taken));
    }
    resources(needs, node, room, &mut reasons);
    reasons
}

/// The taint that stands for a cordon (`nodeunschedulable/node_unschedulable.go`).
fn cordon() -> Taint {
    Taint {
        key: "node.kubernetes.io/unschedulable".into(),
        value: Text::default(),
        effect: "NoSchedule".into(),
    }
}

/// The taints that keep the pod off (`tainttoleration/taint_toleration.go`; component-helpers
/// `scheduling/corev1/helpers.go`, `FindMatchingUntoleratedTaint`).
pub fn untolerated<'a>(
    tolerations: &'a [Toleration],
    taints: &'a [Taint],
) -> impl Iterator<Item = &'a Taint> {
    taints
        .iter()
        .filter(|taint| taint.effect == "NoSchedule" || taint.effect == "NoExecute")
        .filter(|taint| !tolerated(tolerations, taint))
}

fn tolerated(tolerations: &[Toleration], taint: &Taint) -> bool {
    tolerations.iter().any(|toleration| tolerates(toleration, taint))
}

/// api `core/v1/toleration.go`, `ToleratesTaint`. `Lt` and `Gt` count: an API server whose gate
/// `TaintTolerationComparisonOperators` is off takes no pod that has them.
pub fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let either = |wanted: &Text, found: &Text| wanted.is_empty() || wanted == found;
    if !either(&toleration.effect, &taint.effect) || !either(&toleration.key, &taint.key) {
        return false;
    }
    let numbers = || Some((decimal(&taint.value)?, decimal(&toleration.value)?));
    match toleration.operator {
        TolerationOperator::Equal => toleration.value == taint.value,
        TolerationOperator::Exists => true,
        TolerationOperator::Lt => numbers().is_some_and(|(taint, bound)| taint < bound),
        TolerationOperator::Gt => numbers().is_some_and(|(taint, bound)| taint > bound),
        TolerationOperator::Unknown => false,
    }
}

/// An integer as people write it: no sign but `-`, no zeros in front (apimachinery
/// `pkg/api/validate/content/decimal_int.go`, `IsDecimalInteger`).
fn decimal(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().filter(|number| number.to_string() == text)
}

/// component-helpers `scheduling/corev1/nodeaffinity/nodeaffinity.go`, `RequiredNodeAffinity.Match`.
fn labels(needs: &Needs, node: &Node) -> Option<Unmet> {
    let selector: Vec<Mismatch> =
        selector_of(needs).filter_map(|required| mismatch(&required, node)).collect();
    let terms = needs.affinity.as_ref().and_then(|terms| {
        let unmet: Vec<Option<Vec<Mismatch>>> = terms.iter().map(|term| unmet(term, node)).collect();
        unmet.into_iter().collect::<Option<Vec<_>>>()
    });
    (!selector.is_empty() || terms.is_some()).then_some(Unmet { selector, terms })
}

/// The node selector as requirements.
pub fn selector_of(needs: &Needs) -> impl Iterator<Item = Requirement> {
    let required = |(key, value): &(Text, Text)| Requirement {
        key: key.clone(),
        operator: Operator::Equals(value.clone()),
    };
    needs.node_selector.iter().map(required)
}

/// What of a term does not hold; `None` if it holds.
fn unmet(term: &NodeTerm, node: &Node) -> Option<Vec<Mismatch>> {
    let mut unmet: Vec<Mismatch> =
        term.labels.iter().filter_map(|required| mismatch(required, node)).collect();
    let names = term.names.iter().filter(|name| !name.matches(&node.meta.name));
    unmet.extend(names.map(|name| Mismatch {
        key: "metadata.name".into(),
        wants: name.to_string(),
        has: Some(Text::from(&*node.meta.name)),
    }));
    (term.never || !unmet.is_empty()).then_some(unmet)
}

fn mismatch(required: &Requirement, node: &Node) -> Option<Mismatch> {
    (!required.matches(&node.meta.labels)).then(|| Mismatch {
        key: required.key.clone(),
        wants: required.to_string(),
        has: node.meta.labels.get(&required.key).cloned(),
    })
}

/// `noderesources/fit.go`, `fitsRequest`.
fn resources(needs: &Needs, node: &Node, room: &Room, reasons: &mut Vec<Reason>) {
    let allowed = node.allocatable.get(PODS);
    if room.pods >= allowed {
        reasons.push(Reason::Pods { used: room.pods, allowed });
    }
    let rank =
        |name: &Text| [CPU, MEMORY, EPHEMERAL_STORAGE].iter().position(|first| name == first).unwrap_or(3);
    let mut wanted: Vec<(&Text, u64)> = needs.requests.iter().filter(|(_, wants)| *wants > 0).collect();
    wanted.sort_by_key(|(name, _)| rank(name));
    for (name, wants) in wanted {
        let (used, allocatable) = (room.requested.get(name), node.allocatable.get(name));
        // what is left may be less than nothing
        if wants > allocatable.saturating_sub(used) {
            reasons.push(Reason::Resource { name: name.clone(), wants, used, allocatable });
        }
    }
}
