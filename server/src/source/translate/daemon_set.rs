//! A DaemonSet's row (`pkg/printers/internalversion/printers.go`, `printDaemonSet`), and where its
//! rollout is.

use std::sync::Arc;

use app::api::{DaemonSet, DaemonSetRollout, Detail, Health, detail::Pace, picture::Bounds};

use super::{
    Translate, count, meta, selector, strategy,
    template::{self, Facts},
};
use crate::source::object::{daemon_set as object, scalar::IntOrString};

impl Translate for DaemonSet {
    type Object = object::DaemonSet;

    fn translate(set: object::DaemonSet) -> DaemonSet {
        let (spec, status) = (&set.spec, &set.status);
        let rollout = rollout(&set);
        let (health, why) = judge(&set, rollout);
        DaemonSet {
            meta: meta::meta(&set.metadata),
            desired: count(status.desired_number_scheduled),
            current: count(status.current_number_scheduled),
            ready: count(status.number_ready),
            updated: count(status.updated_number_scheduled),
            available: count(status.number_available),
            node_selector: selector::format_labels(&spec.template.spec.node_selector),
            images: template::images(&spec.template.spec),
            selector: selector::format(spec.selector.as_ref()),
            rollout,
            bounds: bounds(&set),
            health,
            why: why.into(),
            detail: detail(&set),
        }
    }
}

/// kubectl `pkg/polymorphichelpers/rollout_status.go`, `DaemonSetStatusViewer.Status`; the first that
/// applies.
fn rollout(set: &object::DaemonSet) -> DaemonSetRollout {
    let status = &set.status;
    let (desired, updated, available) =
        (status.desired_number_scheduled, status.updated_number_scheduled, status.number_available);
    if !set.spec.update_strategy.rolls() {
        DaemonSetRollout::NotRolling
    } else if set.metadata.generation > status.observed_generation {
        DaemonSetRollout::Unobserved
    } else if updated < desired {
        DaemonSetRollout::Updating { updated: count(updated), desired: count(desired) }
    } else if available < desired {
        DaemonSetRollout::BecomingAvailable { available: count(available), desired: count(desired) }
    } else {
        DaemonSetRollout::Complete
    }
}

/// Pods that fail are told by the pods themselves. Pods on nodes they should not be on are no fault: a
/// taint that came later leaves them there (`NodeShouldRunDaemonPod`).
fn judge(set: &object::DaemonSet, rollout: DaemonSetRollout) -> (Health, String) {
    let status = &set.status;
    if let Some(unsettled) = strategy::unsettled(&set.metadata, status.observed_generation) {
        return unsettled;
    }
    if !rollout.verdict().ended() {
        return (Health::Progressing, rollout.sentence(&set.metadata.name));
    }
    let (desired, current) = (count(status.desired_number_scheduled), count(status.current_number_scheduled));
    let (updated, available) = (count(status.updated_number_scheduled), count(status.number_available));
    if let Some(outdated) = strategy::outdated(&set.spec.update_strategy, current, updated) {
        return outdated;
    }
    if available < desired {
        return (Health::Progressing, format!("{available} of {desired} pods are available"));
    }
    (Health::Healthy, String::new())
}

/// `pkg/controller/daemon/update.go`, `updatedDesiredNodeCounts`: both rounded up, and where both come to
/// nothing one may be unavailable.
fn bounds(set: &object::DaemonSet) -> Option<Bounds> {
    let desired = set.status.desired_number_scheduled;
    let strategy = &set.spec.update_strategy;
    strategy.rolls().then(|| {
        let stated = strategy.rolling_update.clone().unwrap_or_default();
        let pods = |bound: Option<IntOrString>, default: i64| {
            bound.map_or(default, |bound| bound.scaled(desired, true).unwrap_or_default())
        };
        let (surge, unavailable) = (pods(stated.max_surge, 0), pods(stated.max_unavailable, 1));
        let unavailable = if surge == 0 { unavailable.max(1) } else { unavailable };
        let floor = desired.saturating_sub(unavailable).max(0);
        Bounds { floor: count(floor), ceiling: count(desired.saturating_add(surge)) }
    })
}

/// In the words of kubectl `pkg/describe/describe.go`, `describeDaemonSet`, and of `describeDeployment`
/// for what that leaves out.
fn detail(set: &object::DaemonSet) -> Arc<Detail> {
    let spec = &set.spec;
    let mut facts = Facts::default();
    let misscheduled = count(set.status.number_misscheduled);
    facts.maybe("Number of Nodes Misscheduled", Some(misscheduled).filter(|nodes| *nodes > 0));
    facts.add("Update Strategy", spec.update_strategy.name());
    if spec.update_strategy.rolls() {
        // `pkg/apis/apps/v1/defaults.go`, `SetDefaults_DaemonSet`
        let stated = spec.update_strategy.rolling_update.clone().unwrap_or_default();
        let text =
            |bound: Option<IntOrString>, default: &str| bound.map_or_else(|| default.into(), |bound| bound.0);
        let (unavailable, surge) = (text(stated.max_unavailable, "1"), text(stated.max_surge, "0"));
        facts.add("RollingUpdateStrategy", format!("{unavailable} max unavailable, {surge} max surge"));
    }
    strategy::facts(&mut facts, spec.min_ready_seconds, spec.revision_history_limit);
    facts.add("Change Cause", set.metadata.annotations.change_cause.as_str());
    let pace = Pace { min_ready: count(spec.min_ready_seconds), ..Pace::default() };
    let detail = template::detail(&set.metadata, &set.status.conditions, &spec.template, pace, facts);
    Arc::new(Detail { manifest: spec.template.manifest.clone(), ..detail })
}
