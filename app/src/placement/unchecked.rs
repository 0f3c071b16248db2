//! What also decides where a pod may run, and cannot be decided from rows.

use super::Rooms;
use crate::api::{Needs, Text, needs::Unread};

/// Something that the scheduler goes by and Masthead does not check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unchecked {
    /// In the pod's own specification.
    Unread(Unread),
    /// Another scheduler decides, by rules of its own.
    Scheduler(Text),
    /// The resource may be had from a DeviceClass, which is not read.
    DeviceClass(Text),
    /// Pods that are there keep others away (`podAntiAffinity`).
    KeptAway,
    /// Room is kept for pods for which others are being preempted.
    Nominated,
    /// What pods have that are not to be seen: of namespaces that Masthead does not watch, or not part of what was shared.
    OtherPods,
}

/// The scheduler that pods get who name none.
pub const DEFAULT_SCHEDULER: &str = "default-scheduler";

/// What is not checked of a pod that asks for this.
pub fn unchecked(needs: &Needs, rooms: &Rooms) -> Vec<Unchecked> {
    let mut all: Vec<Unchecked> = needs.unread.iter().copied().map(Unchecked::Unread).collect();
    if !needs.scheduler.is_empty() && needs.scheduler != DEFAULT_SCHEDULER {
        all.push(Unchecked::Scheduler(needs.scheduler.clone()));
    }
    // kubernetes `pkg/scheduler/framework/plugins/noderesources/fit.go`, `shouldDelegateResourceToDRA`
    let by_class = |name: &&Text| name.contains('/');
    all.extend(
        needs.requests.iter().map(|(name, _)| name).filter(by_class).cloned().map(Unchecked::DeviceClass),
    );
    if rooms.kept_away {
        all.push(Unchecked::KeptAway);
    }
    if rooms.nominated {
        all.push(Unchecked::Nominated);
    }
    all
}

impl Unchecked {
    /// In words, to stand in a list.
    pub fn words(&self) -> String {
        match self {
            Unchecked::Unread(Unread::PodAffinity) => "pods it must be near to (podAffinity)".to_owned(),
            Unchecked::Unread(Unread::PodAntiAffinity) => {
                "pods it must not be near to (podAntiAffinity)".to_owned()
            }
            Unchecked::Unread(Unread::TopologySpread) => {
                "how evenly its like is spread (topologySpreadConstraints)".to_owned()
            }
            Unchecked::Unread(Unread::Volumes) => "its volumes".to_owned(),
            Unchecked::Unread(Unread::ResourceClaims) => "its resource claims".to_owned(),
            Unchecked::Unread(Unread::PodGroup) => {
                "the group it is scheduled with (schedulingGroup)".to_owned()
            }
            Unchecked::Unread(Unread::RuntimeClass) => "what its RuntimeClass adds".to_owned(),
            Unchecked::Scheduler(name) => format!("the rules of its scheduler, {name}"),
            Unchecked::DeviceClass(name) => format!("whether a DeviceClass gives out {name}"),
            Unchecked::KeptAway => "pods that are there and keep others away (podAntiAffinity)".to_owned(),
            Unchecked::Nominated => "room kept for pods for which others are preempted".to_owned(),
            Unchecked::OtherPods => "what pods have that are not to be seen here".to_owned(),
        }
    }
}
