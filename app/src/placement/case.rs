//! One question answered whole: what is asked for, what every node says, what the scheduler said, and how both go
//! together. The page draws it, the server gives it to scripts.

use std::sync::Arc;

use super::{
    Placement, Rooms, Unchecked,
    missing::{Missing, missing},
    place,
    said::{Comparison, compare},
    standing::{Heard, Standing, heard, standing},
    template, unchecked,
};
use crate::api::{Detail, Event, Kind, Needs, Node, Pod, Text, Timestamp, Uid};

/// The cluster, as far as it decides where a pod may run.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// All nodes.
    pub nodes: &'a [Arc<Node>],
    /// All pods that are seen.
    pub pods: &'a [Arc<Pod>],
    /// Whether those are all that there are.
    pub every_pod: bool,
}

/// A question and its answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Case {
    /// What every node says.
    pub placement: Placement,
    /// Which labels would help.
    pub missing: Vec<Missing>,
    /// What is not checked.
    pub unchecked: Vec<Unchecked>,
    /// The node that the pods of a template name, so that no scheduler is asked.
    pub direct: Option<Text>,
    /// Of a pod: where it is, and what the scheduler said.
    pub told: Option<Told>,
}

/// Where a pod is, and what was said of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Where it is.
    pub standing: Standing,
    /// What the scheduler said.
    pub heard: Option<Heard>,
    /// How that goes with what is found.
    pub comparison: Option<Comparison>,
    /// The node that was last changed, if that was after the scheduler's words.
    pub newer: Option<(Text, Timestamp)>,
}

impl Case {
    /// Of a pod. `events` are about it. Where it has a node already, the question is where else it would fit.
    pub fn of_pod<'a>(
        pod: &Pod,
        detail: &Detail,
        events: impl IntoIterator<Item = &'a Arc<Event>>,
        seen: Seen,
    ) -> Case {
        let mut needs = detail.needs.clone();
        // the scheduler wrote it there
        needs.node_name = Text::default();
        let mut case = Case::answer(&needs, &Rooms::without(seen.pods, Some(pod.meta.uid)), seen);
        let standing = standing(pod, detail);
        let heard = heard(detail, events).filter(|_| pod.pending());
        let comparison = heard.as_ref().and_then(|heard| compare(&heard.said, &case.placement));
        let newer = heard.as_ref().and_then(|heard| newer(heard.at?, seen.nodes));
        case.told = Some(Told { standing, heard, comparison, newer });
        case
    }

    /// Of one more pod of a workload. A DaemonSet's own pods do not stand in its way: it has one on each node.
    pub fn of_template(kind: Kind, uid: Uid, template: &Needs, seen: Seen) -> Case {
        let own = |pod: &Pod| {
            kind == Kind::DaemonSet && pod.meta.owner.as_ref().is_some_and(|owner| owner.uid == uid)
        };
        let rooms = Rooms::of_pods(seen.pods, own);
        let direct = Some(&template.node_name).filter(|name| !name.is_empty()).cloned();
        Case { direct, ..Case::answer(&template::of_pod(kind, template), &rooms, seen) }
    }

    /// Of what somebody typed in.
    pub fn of_needs(needs: &Needs, seen: Seen) -> Case {
        Case::answer(needs, &Rooms::without(seen.pods, None), seen)
    }

    fn answer(needs: &Needs, rooms: &Rooms, seen: Seen) -> Case {
        let placement = place(needs, seen.nodes, rooms);
        let mut unchecked = unchecked(needs, rooms);
        if !seen.every_pod {
            unchecked.push(Unchecked::OtherPods);
        }
        Case { missing: missing(needs, &placement), placement, unchecked, ..Case::default() }
    }

    /// `Fits on 3 of 4 nodes`.
    pub fn sentence(&self) -> String {
        match (self.placement.fits(), self.placement.nodes.len()) {
            (_, 0) => "There are no nodes".to_owned(),
            (0, 1) => "Does not fit on the one node there is".to_owned(),
            (0, all) => format!("Fits on none of {all} nodes"),
            (fits, all) => format!("Fits on {fits} of {all} nodes"),
        }
    }
}

/// Which node was written last, if that was later.
fn newer(than: Timestamp, nodes: &[Arc<Node>]) -> Option<(Text, Timestamp)> {
    let written = nodes.iter().filter_map(|node| Some((node, node.changed.max(node.meta.created)?)));
    let (node, at) = written.filter(|(_, at)| *at > than).max_by_key(|(_, at)| *at)?;
    Some((Text::from(&*node.meta.name), at))
}

impl Told {
    /// How the scheduler's words and what is found go together, a sentence each.
    pub fn sentences(&self) -> Vec<String> {
        let Some(comparison) = &self.comparison else { return Vec::new() };
        let mut all = Vec::new();
        if comparison.agrees() && comparison.beyond.is_empty() {
            all.push("The same is found here, node by node.".to_owned());
        }
        if !comparison.agrees() {
            all.push("What is found here is not what the scheduler said; its word stands.".to_owned());
        }
        for difference in &comparison.differences {
            let said = nodes(difference.said);
            all.push(match difference.reason.as_str() {
                "nodes" => format!("It looked at {said}; here there are {}.", difference.found),
                reason => format!("{reason}: it said so of {said}, here it is {}.", difference.found),
            });
        }
        match comparison.fits_unexplained {
            0 => {}
            1 => all.push(
                "By what is checked here it fits on 1 node, and the scheduler refused that.".to_owned(),
            ),
            some => all.push(format!(
                "By what is checked here it fits on {some} nodes, and the scheduler refused those."
            )),
        }
        if let (false, Some((node, at))) = (comparison.agrees(), &self.newer) {
            all.push(format!(
                "Node {node} was changed after that, at {at}: the scheduler may not have looked again."
            ));
        }
        if !comparison.beyond.is_empty() {
            let beyond: Vec<_> = comparison.beyond.iter().map(|(_, reason)| reason.as_str()).collect();
            all.push(format!("Given by the scheduler and not checked here: {}.", beyond.join("; ")));
        }
        all
    }
}

fn nodes(count: u64) -> String {
    if count == 1 { "1 node".to_owned() } else { format!("{count} nodes") }
}
