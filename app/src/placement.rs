//! Which nodes a pod fits on, by the rules of the scheduler's own filters, as far as they can be decided from rows.
//!
//! Pure: no clock, no I/O. The page and the server ask the same functions. [`rules`] holds one filter after another,
//! [`reason`] what they say, [`Placement`] what they say of every node, [`missing`](mod@missing) which labels would
//! help, [`said`] the scheduler's words taken apart, [`standing`] where a pod is on its way to a node, [`asked`] what
//! somebody typed in, and [`case`](mod@case) puts it together. What decides besides and is not checked is named
//! ([`Unchecked`]).

pub mod asked;
pub mod case;
pub mod grouped;
pub mod missing;
pub mod reason;
pub mod room;
pub mod rules;
pub mod said;
pub mod standing;
pub mod template;
mod unchecked;

use std::{collections::BTreeMap, sync::Arc};

pub use case::{Case, Seen};
pub use reason::{Plugin, Reason};
pub use room::Rooms;
pub use unchecked::{Unchecked, unchecked};

use crate::api::{Needs, Node, Text};

/// What the filters say of every node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Placement {
    /// Each node by name, and what speaks against it.
    pub nodes: Vec<Verdict>,
    /// What the scheduler says before it looks at any node, if it looks at none.
    pub refused: Option<&'static str>,
}

/// What speaks against a node, in the order of the scheduler's filters; nothing where the pod fits.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The node.
    pub node: Arc<Node>,
    /// All of it, also what the scheduler does not get to.
    pub reasons: Vec<Reason>,
}

impl Verdict {
    /// The pod fits.
    pub fn fits(&self) -> bool {
        self.reasons.is_empty()
    }

    /// What the scheduler gives as the reasons: those of the first filter that refuses
    /// (kubernetes `pkg/scheduler/framework/runtime/framework.go`, `RunFilterPlugins`).
    pub fn spoken(&self) -> impl Iterator<Item = &Reason> {
        let first = self.reasons.first().map(Reason::plugin);
        self.reasons.iter().take_while(move |reason| Some(reason.plugin()) == first)
    }
}

/// Looks at every node.
pub fn place(needs: &Needs, nodes: &[Arc<Node>], rooms: &Rooms) -> Placement {
    let named = rules::named(needs);
    let refused = match &named {
        rules::Named::Nowhere(because) => Some(*because),
        _ => None,
    };
    let mut sorted: Vec<&Arc<Node>> = nodes.iter().collect();
    sorted.sort_by(|a, b| a.meta.name.cmp(&b.meta.name));
    let verdict = |node: &Arc<Node>| Verdict {
        node: node.clone(),
        reasons: rules::reasons(needs, &named, node, rooms.of(&node.meta.name)),
    };
    Placement { nodes: sorted.into_iter().map(verdict).collect(), refused }
}

impl Placement {
    /// The nodes it fits on.
    pub fn fitting(&self) -> impl Iterator<Item = &Arc<Node>> {
        self.nodes.iter().filter(|verdict| verdict.fits()).map(|verdict| &verdict.node)
    }

    /// How many they are.
    pub fn fits(&self) -> usize {
        self.fitting().count()
    }

    /// How many nodes each reason holds for, in the scheduler's words. A node may have several of one filter.
    pub fn counted(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        if self.refused.is_none() {
            for reason in self.nodes.iter().flat_map(Verdict::spoken) {
                *counts.entry(reason.words()).or_default() += 1;
            }
        }
        counts
    }

    /// What the scheduler would say, without its word on preemption (kubernetes `pkg/scheduler/framework/types.go`,
    /// `FitError.Error`); nothing if it fits somewhere.
    pub fn message(&self) -> String {
        if self.nodes.is_empty() {
            return "no nodes available to schedule pods".to_owned();
        }
        if self.fits() > 0 {
            return String::new();
        }
        let mut reasons: Vec<String> =
            self.counted().into_iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        reasons.sort();
        let reasons = self.refused.map_or_else(|| reasons.join(", "), str::to_owned);
        format!("0/{} nodes are available: {reasons}.", self.nodes.len())
    }

    /// What is said of one node.
    pub fn of(&self, node: &str) -> Option<&Verdict> {
        self.nodes.iter().find(|verdict| *verdict.node.meta.name == *node)
    }
}

/// `a`, `a and b`, `a, b and 3 others`: at most `most` by name.
pub(crate) fn names(all: &[Text], most: usize) -> String {
    let shown: Vec<&str> = all.iter().take(most).map(Text::as_str).collect();
    match (all.len() - shown.len(), &shown[..]) {
        (0, []) => "none".to_owned(),
        (0, [one]) => (*one).to_owned(),
        (0, [first @ .., last]) => format!("{} and {last}", first.join(", ")),
        (1, _) => format!("{} and 1 other", shown.join(", ")),
        (more, _) => format!("{} and {more} others", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests;
