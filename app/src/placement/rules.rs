//! The scheduler's filters, one after another, in the order of its default profile
//! (kubernetes `pkg/scheduler/apis/config/v1/default_plugins.go`), as they are in 1.37.

use super::{
    reason::{Mismatch, Reason, Unmet},
    room::Room,
};
use crate::{
    api::{
        Needs, Node, Text,
        needs::{HostPort, NodeTerm, Toleration, TolerationOperator},
        node::Taint,
        resource_list::{CPU, EPHEMERAL_STORAGE, MEMORY, PODS},
    },
    selector::{Operator, Requirement},
};

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
