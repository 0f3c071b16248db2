//! A Deployment's row (`pkg/printers/internalversion/printers.go`, `printDeployment`), and where its
//! rollout is.

use std::sync::Arc;

use app::api::{Deployment, Detail, Health, Rollout, Timestamp, detail::Pace, picture::Bounds};

use super::{
    Translate, count, line, meta, selector,
    template::{self, Facts},
};
use crate::source::object::{
    deployment as object, meta::Condition, scalar::IntOrString, strategy::RollingUpdate,
};

impl Translate for Deployment {
    type Object = object::Deployment;

    fn translate(deployment: object::Deployment) -> Deployment {
        let (spec, status) = (&deployment.spec, &deployment.status);
        let rollout = rollout(&deployment);
        let (health, why) = judge(&deployment, rollout);
        Deployment {
            meta: meta::meta(&deployment.metadata),
            desired: count(desired(&deployment)),
            current: count(status.replicas),
            ready: count(status.ready_replicas),
            updated: count(status.updated_replicas),
            available: count(status.available_replicas),
            images: template::images(&spec.template.spec),
            selector: selector::format_of_deployment(spec.selector.as_ref()),
            strategy: spec.strategy.name().into(),
            bounds: Some(bounds(&deployment)),
            paused: spec.paused,
            revision: deployment.metadata.annotations.revision(),
            rollout,
            deadline: deadline(&deployment, rollout),
            finished: finished(&deployment),
            health,
            why: why.into(),
            since: since(&deployment, health),
            detail: detail(&deployment),
        }
    }
}

/// The server's default is 1 (`pkg/apis/apps/v1/defaults.go`, `SetDefaults_Deployment`).
fn desired(deployment: &object::Deployment) -> i64 {
    deployment.spec.replicas.unwrap_or(1)
}

/// kubectl `pkg/polymorphichelpers/rollout_status.go`, `DeploymentStatusViewer.Status`; the first that
/// applies.
fn rollout(deployment: &object::Deployment) -> Rollout {
    let status = &deployment.status;
    let (replicas, updated, available) =
        (status.replicas, status.updated_replicas, status.available_replicas);
    if deployment.metadata.generation > status.observed_generation {
        Rollout::Unobserved
    } else if status.condition("Progressing").is_some_and(|c| c.reason == "ProgressDeadlineExceeded") {
        Rollout::DeadlineExceeded
    } else if updated < desired(deployment) {
        Rollout::Updating { updated: count(updated), desired: count(desired(deployment)) }
    } else if replicas > updated {
        Rollout::Terminating { old: count(replicas - updated) }
    } else if available < updated {
        Rollout::BecomingAvailable { available: count(available), updated: count(updated) }
    } else {
        Rollout::Complete
    }
}

/// `pkg/controller/deployment/util/deployment_util.go`, `ResolveFenceposts`, `MaxUnavailable`. `Recreate` ends all
/// pods before it makes new ones.
fn bounds(deployment: &object::Deployment) -> Bounds {
    let desired = desired(deployment);
    let strategy = &deployment.spec.strategy;
    if !strategy.rolls() {
        return Bounds { floor: 0, ceiling: count(desired) };
    }
    let stated = strategy.rolling_update.clone().unwrap_or_default();
    let quarter = || IntOrString("25%".into());
    let surge = stated.max_surge.unwrap_or_else(quarter).scaled(desired, true).unwrap_or_default();
    let mut unavailable =
        stated.max_unavailable.unwrap_or_else(quarter).scaled(desired, false).unwrap_or_default();
    if surge == 0 && unavailable == 0 {
        unavailable = 1;
    }
    let floor = desired.saturating_sub(unavailable.min(desired));
    Bounds { floor: count(floor), ceiling: count(desired.saturating_add(surge)) }
}

/// `NoDeadline`: int32's largest (`HasProgressDeadline`).
const NO_DEADLINE: i64 = i32::MAX as i64;

/// When the controller will give up (`pkg/controller/deployment/util/deployment_util.go`,
/// `DeploymentTimedOut`). It does not while paused, and has nothing to wait for once complete.
fn deadline(deployment: &object::Deployment, rollout: Rollout) -> Option<Timestamp> {
    let progressing = deployment.status.condition("Progressing")?;
    let seconds = deployment.spec.progress_deadline_seconds.filter(|seconds| *seconds != NO_DEADLINE)?;
    let waits = !rollout.verdict().ended()
        && !deployment.spec.paused
        && progressing.reason != "NewReplicaSetAvailable";
    let since = progressing.last_update_time.0.filter(|_| waits)?;
    Some(Timestamp(since.0.saturating_add(seconds)))
}

/// The controller notes `NewReplicaSetAvailable` once a rollout, and then anew when the next one is through: what
/// is scaled afterwards leaves it (`pkg/controller/deployment/progress.go`, `syncRolloutStatus`).
fn finished(deployment: &object::Deployment) -> Option<Timestamp> {
    let progressing = deployment.status.condition("Progressing")?;
    progressing.last_update_time.0.filter(|_| progressing.reason == "NewReplicaSetAvailable")
}

fn judge(deployment: &object::Deployment, rollout: Rollout) -> (Health, String) {
    let status = &deployment.status;
    let sentence = || rollout.sentence(&deployment.metadata.name);
    if rollout == Rollout::Unobserved && deployment.metadata.deletion_timestamp.0.is_none() {
        // the conditions are about a spec that holds no longer
        return (Health::Progressing, sentence());
    }
    let stated = |condition: &Condition| match line(&condition.message) {
        message if message.is_empty() => condition.reason.to_string(),
        message => message,
    };
    let replica_failure = status.condition("ReplicaFailure").filter(|condition| condition.is_true());
    let progressing = status.condition("Progressing");
    // also `ReplicaSetCreateError`
    let stuck = progressing.filter(|condition| condition.status == "False");
    if let Some(condition) = replica_failure.or(stuck) {
        return (Health::Failing, stated(condition));
    }
    if deployment.metadata.deletion_timestamp.0.is_some() {
        return (Health::Progressing, meta::deleting(&deployment.metadata));
    }
    if rollout == Rollout::Complete {
        return (Health::Healthy, String::new());
    }
    if deployment.spec.paused {
        return (Health::Waiting, "paused before the rollout was complete".to_owned());
    }
    let unavailable = status.condition("Available").filter(|condition| condition.status == "False");
    if let Some(condition) = unavailable
        && is_outage(deployment, rollout)
    {
        return (Health::Failing, stated(condition));
    }
    (Health::Progressing, sentence())
}

/// Since when it fails: by the condition that [`judge`] goes by.
fn since(deployment: &object::Deployment, health: Health) -> Option<Timestamp> {
    let stands = |kind: &str, status: &str| {
        deployment.status.condition(kind).filter(|condition| condition.status == status)
    };
    let decides = || {
        stands("ReplicaFailure", "True")
            .or_else(|| stands("Progressing", "False"))
            .or_else(|| stands("Available", "False"))
    };
    (health == Health::Failing).then(decides)??.last_transition_time.0
}

/// The rollout was complete, and now none of its pods is available. Fewer available than wanted is no
/// failure yet: after a pod is killed, or after scaling up, the same counts are on their way.
fn is_outage(deployment: &object::Deployment, rollout: Rollout) -> bool {
    let was_complete =
        deployment.status.condition("Progressing").is_some_and(|c| c.reason == "NewReplicaSetAvailable");
    was_complete && matches!(rollout, Rollout::BecomingAvailable { available: 0, .. })
}

fn pace(deployment: &object::Deployment) -> Pace {
    Pace {
        min_ready: count(deployment.spec.min_ready_seconds),
        deadline: deployment.spec.progress_deadline_seconds.filter(|seconds| *seconds != NO_DEADLINE),
        ..Pace::default()
    }
}

/// In the order of kubectl `pkg/describe/describe.go`, `describeDeployment`.
fn detail(deployment: &object::Deployment) -> Arc<Detail> {
    let spec = &deployment.spec;
    let mut facts = Facts::default();
    facts.add("StrategyType", spec.strategy.kind.as_str());
    facts.add("MinReadySeconds", spec.min_ready_seconds.to_string());
    if let Some(RollingUpdate { max_unavailable, max_surge, .. }) = &spec.strategy.rolling_update {
        let text = |bound: &Option<IntOrString>| bound.clone().map_or_else(|| "25%".into(), |bound| bound.0);
        let (unavailable, surge) = (text(max_unavailable), text(max_surge));
        facts.add("RollingUpdateStrategy", format!("{unavailable} max unavailable, {surge} max surge"));
    }
    let deadline = spec.progress_deadline_seconds.filter(|seconds| *seconds != NO_DEADLINE);
    facts.maybe("Progress Deadline", deadline.map(|seconds| format!("{seconds}s")));
    facts.maybe("Revision History Limit", spec.revision_history_limit);
    facts.add("Change Cause", deployment.metadata.annotations.change_cause.as_str());
    Arc::new(template::detail(
        &deployment.metadata,
        &deployment.status.conditions,
        &spec.template,
        pace(deployment),
        facts,
    ))
}
