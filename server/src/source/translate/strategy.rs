//! What DaemonSets and StatefulSets have in common in judging how they are: neither has conditions
//! that say so, as a Deployment has.

use app::api::Health;

use super::{meta, template::Facts};
use crate::source::object::{meta::ObjectMeta, strategy::Strategy};

/// What holds before any count can be believed. The controllers leave the status of what is being
/// deleted as it was (`pkg/controller/daemon/daemon_controller.go`, `syncDaemonSet`); until they have
/// seen the newest spec, it is about another one. Never written, it is no status at all.
pub fn unsettled(metadata: &ObjectMeta, observed_generation: i64) -> Option<(Health, String)> {
    if metadata.deletion_timestamp.0.is_some() {
        return Some((Health::Progressing, meta::deleting(metadata)));
    }
    let observed = observed_generation > 0 && metadata.generation <= observed_generation;
    (!observed).then(|| (Health::Progressing, "the newest spec is not observed yet".to_owned()))
}

/// Pods of an older template where kubectl has no sentence about them. Under `OnDelete` they stay
/// until somebody deletes them: held back from outside, as a paused Deployment is.
pub fn outdated(strategy: &Strategy, current: i32, updated: i32) -> Option<(Health, String)> {
    let old = current.saturating_sub(updated).max(0);
    if strategy.rolls() || old == 0 {
        return None;
    }
    let said = format!("{old} of {current} pods are of an older template");
    Some(match strategy.name() {
        "OnDelete" => (Health::Waiting, format!("{said}, until they are deleted")),
        _ => (Health::Progressing, said),
    })
}

/// `MinReadySeconds` and the like, as both have them.
pub fn facts(facts: &mut Facts, min_ready_seconds: i64, revision_history_limit: Option<i64>) {
    facts.maybe("MinReadySeconds", Some(min_ready_seconds).filter(|seconds| *seconds > 0));
    facts.maybe("Revision History Limit", revision_history_limit);
}
