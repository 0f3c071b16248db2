//! The scheduler's words taken apart, and held against what is found here.
//!
//! `0/5 nodes are available: 2 Insufficient cpu, 3 node(s) had untolerated taint(s). preemption: …` (kubernetes
//! `pkg/scheduler/framework/types.go`, `FitError.Error`). Every version has other words; what is not understood stays
//! as it was said.

use std::collections::BTreeMap;

use super::Placement;

/// What the scheduler said of a pod that fits nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The whole of it.
    pub message: String,
    /// How many nodes it looked at, if it says so.
    pub nodes: Option<u64>,
    /// How many nodes each reason holds for, in the order they are given.
    pub reasons: Vec<(u64, String)>,
    /// What it says of the pod before it looks at any node.
    pub refused: String,
    /// What it says of preemption, and whatever else comes after the reasons.
    pub then: String,
}

/// Takes a message apart. What has another form is only `message`.
pub fn said(message: &str) -> Said {
    let verbatim = || Said { message: message.to_owned(), ..Said::default() };
    let Some((nodes, rest)) = counted_nodes(message) else { return verbatim() };
    let (reasons, then) = sentence(rest);
    let counted = counted(reasons);
    let refused = if counted.is_empty() { reasons.trim().to_owned() } else { String::new() };
    Said {
        message: message.to_owned(),
        nodes: Some(nodes),
        reasons: counted,
        refused,
        then: then.trim().to_owned(),
    }
}

/// `0/5 nodes are available:`, and what follows.
fn counted_nodes(message: &str) -> Option<(u64, &str)> {
    let (head, rest) = message.split_once(" nodes are available:")?;
    let (fitting, all) = head.split_once('/')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(fitting).then_some((all.parse().ok()?, rest))
}

/// Up to the full stop that ends the reasons: those before a word on preemption, else the first that is followed by
/// a space and not within braces, else the last.
fn sentence(text: &str) -> (&str, &str) {
    let before = [". preemption:", ". no new claims"].iter().filter_map(|mark| text.find(mark)).min();
    let mut depth = 0_u32;
    let first = text.char_indices().find_map(|(at, c)| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            '.' if depth == 0 && text[at..].starts_with(". ") => return Some(at),
            _ => {}
        }
        None
    });
    match before.or(first) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text.trim_end_matches('.'), ""),
    }
}

/// `2 Insufficient cpu, 3 node(s) had taint {a: b}, that the pod didn't tolerate`: a reason may have commas, but after
/// the comma between two there is a number. Nothing if it does not begin with one.
fn counted(text: &str) -> Vec<(u64, String)> {
    let mut reasons: Vec<(u64, String)> = Vec::new();
    for part in text.trim().split(", ") {
        let number =
            part.split_once(' ').and_then(|(count, reason)| Some((count.parse().ok()?, reason.to_owned())));
        match (number, reasons.last_mut()) {
            (Some(counted), _) => reasons.push(counted),
            (None, Some((_, last))) => {
                last.push_str(", ");
                last.push_str(part);
            }
            (None, None) => return Vec::new(),
        }
    }
    reasons
}

/// The reason that most nodes have: `Insufficient cpu (3 of 5 nodes)`. What has no counted reasons is told as it is.
pub fn main_reason(message: &str) -> String {
    let said = said(message);
    let most = said.reasons.iter().max_by_key(|(count, _)| *count);
    match (most, said.nodes) {
        (Some((count, reason)), Some(all)) => format!("{reason} ({count} of {all} nodes)"),
        _ if !said.refused.is_empty() => said.refused,
        _ => said.message,
    }
}

/// A reason in the words of 1.37, if it is one of those that are checked here.
fn ours(reason: &str) -> Option<String> {
    let starts = |start: &str| reason.starts_with(start);
    let now = if starts("node(s) had untolerated taint") || starts("node(s) had taint") {
        "node(s) had untolerated taint(s)"
    } else if reason == "node(s) didn't match node selector"
        || reason == "node(s) didn't match Pod's node affinity"
    {
        "node(s) didn't match Pod's node affinity/selector"
    } else if starts("Insufficient ")
        || starts("node(s) didn't satisfy plugin(s) [Node")
        || reason == "Too many pods"
        || reason == "node(s) were unschedulable"
        || reason == "node(s) didn't match Pod's node affinity/selector"
        || reason == "node(s) didn't have free ports for the requested pod ports"
        || reason == "node(s) didn't match the requested node name"
    {
        reason
    } else {
        return None;
    };
    Some(now.to_owned())
}

/// A reason that the scheduler gives for another number of nodes than is found here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// In the scheduler's words.
    pub reason: String,
    /// For how many nodes the scheduler gives it.
    pub said: u64,
    /// For how many it is found.
    pub found: u64,
}

/// How the scheduler's words and what is found here go together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Where they differ. The scheduler's word stands.
    pub differences: Vec<Difference>,
    /// Reasons it gives that are not checked here.
    pub beyond: Vec<(u64, String)>,
    /// So many nodes fit by what is found here, and no reason of the scheduler's is left that could refuse them.
    pub fits_unexplained: u64,
}

impl Comparison {
    /// They say the same, as far as both say it.
    pub fn agrees(&self) -> bool {
        self.differences.is_empty() && self.fits_unexplained == 0
    }
}

/// Holds the scheduler's words against what is found. `None` where it gives no counted reasons, and says nothing of
/// its pod that could be found here.
pub fn compare(said: &Said, placement: &Placement) -> Option<Comparison> {
    let all = said.nodes?;
    if !said.refused.is_empty() {
        let same = placement.refused.is_some_and(|refused| refused == said.refused);
        let beyond = if same { Vec::new() } else { vec![(all, said.refused.clone())] };
        return Some(Comparison { beyond, ..Comparison::default() });
    }
    let mut counts: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut beyond = Vec::new();
    for (count, reason) in &said.reasons {
        match ours(reason) {
            Some(reason) => {
                let said = &mut counts.entry(reason).or_default().0;
                *said = said.saturating_add(*count);
            }
            None => beyond.push((*count, reason.clone())),
        }
    }
    for (reason, count) in placement.counted() {
        counts.entry(reason).or_default().1 += count;
    }
    let mut differences: Vec<Difference> = counts
        .into_iter()
        .filter(|(_, (said, found))| said != found)
        .map(|(reason, (said, found))| Difference { reason, said, found })
        .collect();
    let here = placement.nodes.len() as u64;
    if all != here {
        differences.insert(0, Difference { reason: "nodes".to_owned(), said: all, found: here });
    }
    let elsewhere = beyond.iter().fold(0u64, |sum, (count, _)| sum.saturating_add(*count));
    let fits_unexplained = (placement.fits() as u64).saturating_sub(elsewhere);
    Some(Comparison { differences, beyond, fits_unexplained })
}
