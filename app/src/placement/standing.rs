//! Where a pod is on its way to a node.

use std::sync::Arc;

use super::{
    said::{Said, said},
    unchecked::DEFAULT_SCHEDULER,
};
use crate::api::{Detail, Event, Pod, Text, Timestamp};

/// Where a pod is on its way to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has ended.
    Ended,
    /// It has a node.
    Placed(Text),
    /// It is being deleted, and no scheduler looks at it any more.
    Deleting,
    /// It is held by these gates, and no scheduler looks at it before they are lifted.
    Gated(Vec<Text>),
    /// Others are made to leave this node for it.
    Nominated(Text),
    /// Another scheduler is to find it a node.
    Elsewhere(Text),
    /// The scheduler has found no node.
    Refused,
    /// The scheduler has not said anything yet.
    Waiting,
}

/// Where it is. What the scheduler said is told by [`heard`].
pub fn standing(pod: &Pod, detail: &Detail) -> Standing {
    let needs = &detail.needs;
    let scheduled = detail.conditions.iter().find(|condition| condition.kind == "PodScheduled");
    if pod.ended() {
        Standing::Ended
    } else if !pod.node.is_empty() {
        Standing::Placed(pod.node.clone())
    } else if pod.meta.deleting.is_some() {
        Standing::Deleting
    } else if !needs.gates.is_empty() {
        Standing::Gated(needs.gates.clone())
    } else if !pod.nominated_node.is_empty() {
        Standing::Nominated(pod.nominated_node.clone())
    } else if scheduled
        .is_some_and(|condition| condition.status == "False" && condition.reason != "SchedulingGated")
    {
        Standing::Refused
    } else if !needs.scheduler.is_empty() && needs.scheduler != DEFAULT_SCHEDULER {
        Standing::Elsewhere(needs.scheduler.clone())
    } else {
        Standing::Waiting
    }
}

impl Standing {
    /// In JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Standing::Ended => "ended",
            Standing::Placed(_) => "placed",
            Standing::Deleting => "deleting",
            Standing::Gated(_) => "gated",
            Standing::Nominated(_) => "nominated",
            Standing::Elsewhere(_) => "otherScheduler",
            Standing::Refused => "refused",
            Standing::Waiting => "waiting",
        }
    }

    /// What it means, where the scheduler's own words do not say it.
    pub fn sentence(&self) -> Option<String> {
        Some(match self {
            Standing::Gated(gates) => {
                let gates: Vec<&str> = gates.iter().map(Text::as_str).collect();
                let are = if gates.len() == 1 { "a scheduling gate" } else { "scheduling gates" };
                format!(
                    "It is held by {are}: {}. The scheduler looks at it once that is lifted.",
                    gates.join(", ")
                )
            }
            Standing::Nominated(node) => {
                format!("It is nominated to {node}: pods of lower priority are made to leave there for it.")
            }
            Standing::Elsewhere(name) => format!("Its scheduler is {name}, which has not said anything."),
            Standing::Waiting => "The scheduler has not said anything of it yet.".to_owned(),
            Standing::Deleting => "It is being deleted; the scheduler looks at it no more.".to_owned(),
            Standing::Ended | Standing::Placed(_) | Standing::Refused => return None,
        })
    }
}

/// What the scheduler last said of a pod, and since when at least that is its word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Its words.
    pub said: Said,
    /// `None` where nothing says when.
    pub at: Option<Timestamp>,
}

/// From the condition PodScheduled, else from the newest FailedScheduling among `events`, which are about the pod. A
/// condition's time is when it became False; an event with the same words may be later.
pub fn heard<'a>(detail: &Detail, events: impl IntoIterator<Item = &'a Arc<Event>>) -> Option<Heard> {
    let condition = detail.conditions.iter().find(|condition| {
        condition.kind == "PodScheduled"
            && condition.status == "False"
            && condition.reason != "SchedulingGated"
    });
    let failed = events.into_iter().filter(|event| event.reason == "FailedScheduling");
    let event = failed.max_by_key(|event| event.last);
    match (condition.filter(|condition| !condition.message.is_empty()), event) {
        (Some(condition), event) => {
            let same = event.filter(|event| *event.message == *condition.message);
            let at = condition.last_transition.max(same.and_then(|event| event.last));
            Some(Heard { said: said(&condition.message), at })
        }
        (None, Some(event)) => Some(Heard { said: said(&event.message), at: event.last }),
        (None, None) => None,
    }
}
