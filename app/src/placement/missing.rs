//! Which label is missing: what is required of nodes' labels, and what they have instead.

use std::collections::BTreeMap;

use super::{Placement, Reason, names, rules::selector_of};
use crate::{
    api::{Needs, Node, Text},
    selector::Requirement,
};

/// A requirement that not every node meets.
#[derive(Clone, Debug, PartialEq)]
pub struct Missing {
    /// As a selector has it: `project=listingqc`.
    pub requirement: String,
    /// The label's key.
    pub key: Text,
    /// The nodes that meet it.
    pub with: Vec<Text>,
    /// Other values of the label, each with its nodes.
    pub other: Vec<(Text, Vec<Text>)>,
    /// The nodes without the label.
    pub without: Vec<Text>,
}

/// So many nodes are named, and so many other values.
const NAMED: usize = 3;
const VALUES: usize = 4;

/// Of each requirement on labels for which some node is refused, who has what.
pub fn missing(needs: &Needs, placement: &Placement) -> Vec<Missing> {
    let refused = |requirement: &Requirement| {
        let wanted = requirement.to_string();
        placement.nodes.iter().flat_map(|verdict| &verdict.reasons).any(|reason| match reason {
            Reason::Labels(unmet) => unmet.mismatches().any(|mismatch| mismatch.wants == wanted),
            _ => false,
        })
    };
    let terms = needs.affinity.iter().flatten().filter(|term| !term.never);
    let mut required: Vec<Requirement> =
        selector_of(needs).chain(terms.flat_map(|term| term.labels.iter().cloned())).collect();
    let mut seen = Vec::new();
    required.retain(|requirement| {
        let new = !seen.contains(requirement);
        seen.push(requirement.clone());
        new && refused(requirement)
    });
    let nodes = || placement.nodes.iter().map(|verdict| &*verdict.node);
    required.iter().map(|requirement| Missing::of(requirement, nodes())).collect()
}

impl Missing {
    fn of<'a>(requirement: &Requirement, nodes: impl Iterator<Item = &'a Node>) -> Missing {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        let mut other: BTreeMap<Text, Vec<Text>> = BTreeMap::new();
        for node in nodes {
            let name = Text::from(&*node.meta.name);
            if requirement.matches(&node.meta.labels) {
                with.push(name);
            } else if let Some(value) = node.meta.labels.get(&requirement.key) {
                other.entry(value.clone()).or_default().push(name);
            } else {
                without.push(name);
            }
        }
        Missing {
            requirement: requirement.to_string(),
            key: requirement.key.clone(),
            with,
            other: other.into_iter().collect(),
            without,
        }
    }

    /// `no node has project=listingqc; node-2 has project=fraud; worker has no project`.
    pub fn words(&self) -> String {
        let has = |nodes: &[Text]| if nodes.len() == 1 { "has" } else { "have" };
        let mut parts = vec![match &self.with[..] {
            [] => format!("no node has {}", self.requirement),
            with => format!("{} {} {}", names(with, NAMED), has(with), self.requirement),
        }];
        for (value, nodes) in self.other.iter().take(VALUES) {
            parts.push(format!("{} {} {}={value}", names(nodes, NAMED), has(nodes), self.key));
        }
        let more: usize = self.other.iter().skip(VALUES).map(|(_, nodes)| nodes.len()).sum();
        if more > 0 {
            parts.push(format!("{more} more have other values"));
        }
        if !self.without.is_empty() {
            parts.push(format!("{} {} no {}", names(&self.without, NAMED), has(&self.without), self.key));
        }
        parts.join("; ")
    }
}
