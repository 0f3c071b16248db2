//! Nodes with what speaks against them, put together where it is the same, so that a thousand can be read.

use super::{Placement, Plugin, Reason, Verdict};
use crate::{api::Text, format::amount};

/// Up to so many nodes, each is told for itself.
pub const EACH: usize = 24;

/// Nodes that can be told in one line.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Their names, in order.
    pub nodes: Vec<Text>,
    /// By filter: what it says, and whether it is this that the scheduler says.
    pub cells: Vec<(Plugin, String, bool)>,
}

impl Group {
    /// The pod fits on them.
    pub fn fits(&self) -> bool {
        self.cells.is_empty()
    }
}

/// One line a node, or, of many nodes, one for those of which the same is to be said. Those that fit come first, then
/// those nearest to it.
pub fn grouped(placement: &Placement) -> Vec<Group> {
    let few = placement.nodes.len() <= EACH;
    let mut groups: Vec<(Vec<Key>, Vec<&Verdict>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for verdict in &placement.nodes {
        let key: Vec<Key> = if few {
            vec![Key(Plugin::NodeName, verdict.node.meta.name.to_string())]
        } else {
            verdict.reasons.iter().map(key).collect()
        };
        let at = *places.entry(key.clone()).or_insert_with(|| {
            groups.push((key, Vec::new()));
            groups.len() - 1
        });
        if let Some((_, verdicts)) = groups.get_mut(at) {
            verdicts.push(verdict);
        }
    }
    let mut told: Vec<Group> = groups.into_iter().map(|(_, verdicts)| tell(&verdicts)).collect();
    told.sort_by_key(|group| (group.cells.len(), std::cmp::Reverse(group.nodes.len())));
    told
}

/// What is the same about two nodes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key(Plugin, String);

/// Of room it is the resource, of labels what is required: how much is left, and what the label is, differs.
fn key(reason: &Reason) -> Key {
    let text = match reason {
        Reason::Resource { name, .. } => name.to_string(),
        Reason::Pods { .. } => "pods".to_owned(),
        _ => coarse(reason),
    };
    Key(reason.plugin(), text)
}

/// What a reason says of several nodes at once.
fn coarse(reason: &Reason) -> String {
    match reason {
        Reason::Labels(unmet) => {
            let mut wants: Vec<&str> = unmet.mismatches().map(|mismatch| mismatch.wants.as_str()).collect();
            wants.dedup();
            if wants.is_empty() { reason.why() } else { format!("wants {}", wants.join(", ")) }
        }
        reason => reason.why(),
    }
}

fn tell(verdicts: &[&Verdict]) -> Group {
    let nodes = verdicts.iter().map(|verdict| Text::from(&*verdict.node.meta.name)).collect();
    let Some(first) = verdicts.first() else { return Group { nodes, cells: Vec::new() } };
    let said: Vec<Plugin> = first.spoken().map(Reason::plugin).collect();
    let mut cells: Vec<(Plugin, String, bool)> = Vec::new();
    for (at, reason) in first.reasons.iter().enumerate() {
        let text = match verdicts {
            [_] => reason.why(),
            several => together(reason, several.iter().filter_map(|verdict| verdict.reasons.get(at))),
        };
        let plugin = reason.plugin();
        match cells.last_mut().filter(|(last, ..)| *last == plugin) {
            Some((_, cell, _)) => *cell = format!("{cell}; {text}"),
            None => cells.push((plugin, text, said.contains(&plugin))),
        }
    }
    Group { nodes, cells }
}

/// The same reason of several nodes; of a resource the most that is left anywhere.
fn together<'a>(reason: &Reason, all: impl Iterator<Item = &'a Reason>) -> String {
    match reason {
        Reason::Resource { name, wants, .. } => {
            let left = all.filter_map(|reason| match reason {
                Reason::Resource { used, allocatable, .. } => Some(allocatable.saturating_sub(*used)),
                _ => None,
            });
            let most = amount(name, left.max().unwrap_or_default());
            format!("{name}: wants {}, at most {most} left", amount(name, *wants))
        }
        Reason::Pods { .. } => "as many pods as there may be".to_owned(),
        reason => coarse(reason),
    }
}

/// The filters that refuse some node, in their order: the columns of a table.
pub fn columns(groups: &[Group]) -> Vec<Plugin> {
    let refuses =
        |plugin: &Plugin| groups.iter().any(|group| group.cells.iter().any(|(of, ..)| of == plugin));
    Plugin::ALL.into_iter().filter(refuses).collect()
}
