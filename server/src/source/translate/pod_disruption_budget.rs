//! A PodDisruptionBudget's row (`pkg/printers/internalversion/printers.go`, `printPodDisruptionBudget`).

use std::sync::Arc;

use app::api::{Detail, Health, PodDisruptionBudget};

use super::{Translate, count, line, meta, selector, template::Facts};
use crate::source::object::pod_disruption_budget as object;

impl Translate for PodDisruptionBudget {
    type Object = object::PodDisruptionBudget;

    fn translate(budget: object::PodDisruptionBudget) -> PodDisruptionBudget {
        let (spec, status) = (&budget.spec, &budget.status);
        let (health, why) = judge(&budget);
        PodDisruptionBudget {
            meta: meta::meta(&budget.metadata),
            min_available: spec.min_available.as_ref().map(|bound| bound.0.clone()),
            max_unavailable: spec.max_unavailable.as_ref().map(|bound| bound.0.clone()),
            disruptions_allowed: count(status.disruptions_allowed),
            current_healthy: count(status.current_healthy),
            desired_healthy: count(status.desired_healthy),
            expected_pods: count(status.expected_pods),
            selector: spec.selector.as_ref().map(|selector| selector::format(Some(selector))),
            unhealthy_pods: spec.unhealthy_pod_eviction_policy.clone(),
            observed: is_observed(&budget),
            health,
            why: why.into(),
            detail: Arc::new(detail(&budget)),
        }
    }
}

fn is_observed(budget: &object::PodDisruptionBudget) -> bool {
    budget.status.observed_generation >= budget.metadata.generation
}

/// A budget that lets nothing be evicted is doing what it is for; one whose own pods are missing is waiting for them.
/// `pkg/controller/disruption/disruption.go` says in its condition when it could not work it out.
fn judge(budget: &object::PodDisruptionBudget) -> (Health, String) {
    if budget.metadata.deletion_timestamp.0.is_some() {
        return (Health::Progressing, meta::deleting(&budget.metadata));
    }
    let status = &budget.status;
    let failed = status.conditions.iter().find(|condition| condition.reason == "SyncFailed");
    if let Some(failed) = failed {
        return (Health::Failing, line(&failed.message));
    }
    if !is_observed(budget) {
        return (Health::Progressing, "the newest spec is not observed yet".to_owned());
    }
    let (current, desired) = (count(status.current_healthy), count(status.desired_healthy));
    if current < desired {
        return (Health::Waiting, format!("{current} of the {desired} pods that it wants healthy are"));
    }
    (Health::Healthy, String::new())
}

/// In the words of kubectl `pkg/describe/describe.go`, `describePodDisruptionBudgetV1`.
fn detail(budget: &object::PodDisruptionBudget) -> Detail {
    let (spec, status) = (&budget.spec, &budget.status);
    let mut facts = Facts::default();
    if let Some(least) = &spec.min_available {
        facts.add("Min available", least.0.as_str());
    } else if let Some(most) = &spec.max_unavailable {
        facts.add("Max unavailable", most.0.as_str());
    }
    let selector = spec.selector.as_ref().map(|selector| selector::format(Some(selector)));
    facts.add("Selector", selector.as_ref().map_or("<unset>", |selector| selector.as_str()));
    facts.add("Allowed disruptions", count(status.disruptions_allowed).to_string());
    facts.add("Current", count(status.current_healthy).to_string());
    facts.add("Desired", count(status.desired_healthy).to_string());
    facts.add("Total", count(status.expected_pods).to_string());
    facts.add("Unhealthy Pod Eviction Policy", spec.unhealthy_pod_eviction_policy.as_str());
    Detail {
        uid: budget.metadata.uid.clone(),
        conditions: meta::conditions(&status.conditions),
        facts: facts.0,
        ..Detail::default()
    }
}
