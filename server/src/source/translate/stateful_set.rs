//! A StatefulSet's row (`pkg/printers/internalversion/printers.go`, `printStatefulSet`), and where its
//! rollout is.

use std::sync::Arc;

use app::api::{
    Detail, Health, StatefulSet, StatefulSetRollout, detail::Pace, needs::Unread, picture::Bounds,
};

use super::{
    Translate, count, meta, selector, strategy,
    template::{self, Facts},
};
use crate::source::object::stateful_set as object;

impl Translate for StatefulSet {
    type Object = object::StatefulSet;

    fn translate(set: object::StatefulSet) -> StatefulSet {
        let (spec, status) = (&set.spec, &set.status);
        let rollout = rollout(&set);
        let (health, why) = judge(&set, &rollout);
        StatefulSet {
            meta: meta::meta(&set.metadata),
            desired: count(desired(&set)),
            current: count(status.replicas),
            ready: count(status.ready_replicas),
            updated: count(status.updated_replicas),
            available: available(status),
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

/// The server's default is 1 (`pkg/apis/apps/v1/defaults.go`, `SetDefaults_StatefulSet`).
fn desired(set: &object::StatefulSet) -> i64 {
    set.spec.replicas.unwrap_or(1)
}

/// From which ordinal on pods get the new template; `None` if the strategy says nothing of bounds, which
/// kubectl words otherwise. Left out entirely, it gets 0 from the server (`SetDefaults_StatefulSet`).
fn partition(set: &object::StatefulSet) -> Option<i64> {
    let strategy = &set.spec.update_strategy;
    match &strategy.rolling_update {
        Some(stated) => Some(stated.partition.unwrap_or(0)),
        None => strategy.kind.is_empty().then_some(0),
    }
}

fn available(status: &object::StatefulSetStatus) -> i32 {
    count(status.available_replicas.unwrap_or(status.ready_replicas))
}

/// kubectl `pkg/polymorphichelpers/rollout_status.go`, `StatefulSetStatusViewer.Status`; the first that
/// applies.
fn rollout(set: &object::StatefulSet) -> StatefulSetRollout {
    let status = &set.status;
    let (desired, ready, updated) = (desired(set), status.ready_replicas, status.updated_replicas);
    if !set.spec.update_strategy.rolls() {
        return StatefulSetRollout::NotRolling;
    }
    if status.observed_generation == 0 || set.metadata.generation > status.observed_generation {
        return StatefulSetRollout::Unobserved;
    }
    if ready < desired {
        return StatefulSetRollout::BecomingReady { missing: count(desired.saturating_sub(ready)) };
    }
    match partition(set).map(|partition| desired.saturating_sub(partition)) {
        Some(wanted) if updated < wanted => {
            StatefulSetRollout::UpdatingPartition { updated: count(updated), wanted: count(wanted) }
        }
        Some(_) => StatefulSetRollout::PartitionComplete { updated: count(updated) },
        None if status.update_revision != status.current_revision => {
            StatefulSetRollout::Updating { updated: count(updated), revision: status.update_revision.clone() }
        }
        None => StatefulSetRollout::Complete {
            current: count(status.current_replicas),
            revision: status.current_revision.clone(),
        },
    }
}

/// Pods that fail are told by the pods themselves. Pods that a partition keeps at their template are as
/// wanted. kubectl calls a rollout complete while pods are left over or not available yet; that is on
/// its way.
fn judge(set: &object::StatefulSet, rollout: &StatefulSetRollout) -> (Health, String) {
    let status = &set.status;
    if let Some(unsettled) = strategy::unsettled(&set.metadata, status.observed_generation) {
        return unsettled;
    }
    if !rollout.verdict().ended() {
        return (Health::Progressing, rollout.sentence());
    }
    let (desired, current) = (count(desired(set)), count(status.replicas));
    let (ready, available) = (count(status.ready_replicas), available(status));
    let updated = count(status.updated_replicas);
    if let Some(outdated) = strategy::outdated(&set.spec.update_strategy, current, updated) {
        return outdated;
    }
    if current != desired {
        return (Health::Progressing, format!("{current} current / {desired} desired"));
    }
    if ready < desired {
        return (Health::Progressing, format!("{ready} of {desired} replicas are ready"));
    }
    if available < desired {
        return (Health::Progressing, format!("{available} of {desired} replicas are available"));
    }
    (Health::Healthy, String::new())
}

/// `pkg/controller/statefulset/stateful_set_utils.go`, `getStatefulSetMaxUnavailable`: rounded down, and at
/// least one. There is never a pod too many.
fn bounds(set: &object::StatefulSet) -> Option<Bounds> {
    let (desired, strategy) = (desired(set), &set.spec.update_strategy);
    strategy.rolls().then(|| {
        let stated = strategy.rolling_update.as_ref().and_then(|stated| stated.max_unavailable.as_ref());
        let unavailable = stated.and_then(|bound| bound.scaled(desired, false)).unwrap_or(1).max(1);
        Bounds { floor: count(desired.saturating_sub(unavailable).max(0)), ceiling: count(desired) }
    })
}

/// In the order of kubectl `pkg/describe/describe.go`, `describeStatefulSet`; then the revisions, by which
/// kubectl's sentences call the templates.
fn detail(set: &object::StatefulSet) -> Arc<Detail> {
    let (spec, status) = (&set.spec, &set.status);
    let mut facts = Facts::default();
    facts.add("Service Name", spec.service_name.as_str());
    facts.add("Pod Management Policy", spec.pod_management_policy.as_str());
    facts.add("Update Strategy", spec.update_strategy.name());
    if spec.update_strategy.rolls() {
        facts.maybe("Partition", partition(set));
        let bounds = spec.update_strategy.rolling_update.as_ref();
        let unavailable = bounds.and_then(|bounds| bounds.max_unavailable.as_ref());
        facts.maybe("MaxUnavailable", unavailable.map(|bound| &bound.0));
    }
    strategy::facts(&mut facts, spec.min_ready_seconds, spec.revision_history_limit);
    facts.add("Current Revision", status.current_revision.as_str());
    if status.update_revision != status.current_revision {
        facts.add("Update Revision", status.update_revision.as_str());
    }
    facts.add("Change Cause", set.metadata.annotations.change_cause.as_str());
    let pace = Pace {
        min_ready: count(spec.min_ready_seconds),
        newest: status.update_revision.clone(),
        partition: partition(set).unwrap_or(0),
        ..Pace::default()
    };
    let mut detail = template::detail(&set.metadata, &status.conditions, &spec.template, pace, facts);
    let unread = &mut detail.needs.unread;
    if spec.volume_claim_templates.any() && !unread.contains(&Unread::Volumes) {
        unread.push(Unread::Volumes);
    }
    Arc::new(detail)
}
