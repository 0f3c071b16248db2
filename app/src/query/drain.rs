//! What a drain of a node has yet to do, and what holds it up. kubectl `pkg/drain/filters.go` says which pods go;
//! `pkg/registry/core/pod/storage/eviction.go` says which may.

use std::sync::Arc;

use crate::{
    api::{Pod, PodDisruptionBudget},
    selector::Selector,
};

/// A node's pods as a drain sees them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drain {
    /// Those that it evicts, by namespace and name.
    pub left: Vec<Arc<Pod>>,
    /// How many of these are on their way out.
    pub ending: usize,
    /// Those of them that may not be evicted now, and why.
    pub held: Vec<(Arc<Pod>, String)>,
    /// Those of them that nobody would make anew: a drain refuses to go on without `--force`.
    pub unmanaged: usize,
    /// Those that stay: DaemonSets' pods and those that the kubelet runs from files.
    pub staying: usize,
}

impl Drain {
    /// Of a node with these pods. Whether a pod keeps data in an `emptyDir`, for which a drain wants a flag too, is
    /// not read.
    pub fn of(pods: &[Arc<Pod>], budgets: &[Arc<PodDisruptionBudget>]) -> Drain {
        let budgets: Vec<(&PodDisruptionBudget, Selector)> =
            budgets.iter().filter_map(|budget| Some((&**budget, budget.selects()?))).collect();
        let mut drain = Drain::default();
        for pod in pods {
            if stays(pod) {
                drain.staying += 1;
                continue;
            }
            drain.ending += usize::from(pod.meta.deleting.is_some());
            drain.unmanaged += usize::from(pod.meta.owner.is_none() && !has_ended(pod));
            if let Some(why) = held(pod, &budgets) {
                drain.held.push((pod.clone(), why));
            }
            drain.left.push(pod.clone());
        }
        drain.left.sort_by(|a, b| a.meta.key_order(&b.meta));
        drain.held.sort_by(|(a, _), (b, _)| a.meta.key_order(&b.meta));
        drain
    }

    /// `3 pods left that a drain evicts, 1 of them ending`.
    pub fn sentence(&self) -> String {
        let ending = match self.ending {
            0 => String::new(),
            ending => format!(", {ending} of them ending"),
        };
        match self.left.len() {
            0 => "no pod is left that a drain evicts".to_owned(),
            1 => format!("1 pod is left that a drain evicts{ending}"),
            left => format!("{left} pods are left that a drain evicts{ending}"),
        }
    }
}

fn has_ended(pod: &Pod) -> bool {
    matches!(pod.phase.as_str(), "Succeeded" | "Failed")
}

/// `daemonSetFilter` and `mirrorPodFilter`; mirror pods have their node for an owner.
fn stays(pod: &Pod) -> bool {
    let owner = pod.meta.owner.as_ref().map(|owner| owner.kind.as_str());
    owner == Some("Node") || (owner == Some("DaemonSet") && !has_ended(pod))
}

/// Why the API server would refuse to evict a pod now.
fn held(pod: &Pod, budgets: &[(&PodDisruptionBudget, Selector)]) -> Option<String> {
    // `canIgnorePDB`
    if has_ended(pod) || pod.phase == "Pending" || pod.meta.deleting.is_some() {
        return None;
    }
    let mut covering = budgets.iter().filter(|(budget, selector)| {
        budget.meta.namespace == pod.meta.namespace && selector.matches(&pod.meta.labels)
    });
    let (budget, _) = covering.next()?;
    let name = &budget.meta.name;
    if let Some((other, _)) = covering.next() {
        return Some(format!(
            "both {name} and {} cover it, and then nothing may be evicted",
            other.meta.name
        ));
    }
    let enough = budget.current_healthy >= budget.desired_healthy && budget.desired_healthy > 0;
    if !pod.is_ready && (budget.unhealthy_pods == "AlwaysAllow" || enough) {
        return None;
    }
    if !budget.observed {
        return Some(format!("{name} has not been looked at since it was changed"));
    }
    if budget.disruptions_allowed > 0 {
        return None;
    }
    Some(if budget.current_healthy <= budget.desired_healthy {
        let (desired, current) = (budget.desired_healthy, budget.current_healthy);
        format!("{name} needs {desired} healthy pods and has {current}")
    } else {
        format!("{name} does not allow it now")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::{Meta, Owner, Timestamp, Uid},
        query::fixtures::{meta, pod},
    };

    fn web(uid: u128) -> Pod {
        let pod = pod(uid, &format!("web-{uid}"), "web", "worker-1");
        let owner = Some(Owner { kind: "ReplicaSet".into(), name: "web".into(), uid: Uid(1) });
        Pod { meta: Meta { owner, ..pod.meta.clone() }, is_ready: true, ..pod }
    }

    fn of_kind(pod: Pod, kind: &str) -> Pod {
        let owner = Some(Owner { kind: kind.into(), name: "x".into(), uid: Uid(2) });
        Pod { meta: Meta { owner, ..pod.meta.clone() }, ..pod }
    }

    fn budget(name: &str, allowed: i32, current: i32, desired: i32) -> PodDisruptionBudget {
        PodDisruptionBudget {
            meta: meta(90, "default", name),
            selector: Some("app=web".into()),
            disruptions_allowed: allowed,
            current_healthy: current,
            desired_healthy: desired,
            observed: true,
            ..PodDisruptionBudget::default()
        }
    }

    fn of(pods: Vec<Pod>, budgets: Vec<PodDisruptionBudget>) -> Drain {
        let pods: Vec<_> = pods.into_iter().map(Arc::new).collect();
        Drain::of(&pods, &budgets.into_iter().map(Arc::new).collect::<Vec<_>>())
    }

    fn why(pod: Pod, budgets: Vec<PodDisruptionBudget>) -> Option<String> {
        of(vec![pod], budgets).held.pop().map(|(_, why)| why)
    }

    #[test]
    fn daemon_sets_and_mirror_pods_stay_and_all_others_go() {
        let ended = |pod: Pod| Pod { phase: "Succeeded".into(), ..pod };
        let deleting = |pod: Pod| {
            let deleting = Some(Timestamp(0));
            Pod { meta: Meta { deleting, ..pod.meta.clone() }, ..pod }
        };
        let drain = of(
            vec![
                of_kind(web(1), "DaemonSet"),
                of_kind(web(2), "Node"),
                of_kind(ended(web(3)), "DaemonSet"),
                web(4),
                deleting(web(5)),
                pod(6, "alone", "alone", "worker-1"),
            ],
            vec![],
        );
        assert_eq!((drain.left.len(), drain.ending, drain.staying, drain.unmanaged), (4, 1, 2, 1));
        assert_eq!(drain.sentence(), "4 pods are left that a drain evicts, 1 of them ending");
        assert_eq!(
            of(vec![of_kind(web(1), "Node")], vec![]).sentence(),
            "no pod is left that a drain evicts"
        );
    }

    #[test]
    fn a_budget_holds_its_pods_as_the_api_server_does() {
        assert_eq!(why(web(1), vec![budget("web", 1, 3, 2)]), None);
        assert_eq!(
            why(web(1), vec![budget("web", 0, 2, 2)]).as_deref(),
            Some("web needs 2 healthy pods and has 2")
        );
        let elsewhere = PodDisruptionBudget { meta: meta(91, "other", "web"), ..budget("web", 0, 2, 2) };
        assert_eq!(why(web(1), vec![elsewhere]), None);
        let both = why(web(1), vec![budget("a", 1, 3, 2), budget("b", 1, 3, 2)]);
        assert_eq!(both.as_deref(), Some("both a and b cover it, and then nothing may be evicted"));
        let changed = PodDisruptionBudget { observed: false, ..budget("web", 1, 3, 2) };
        assert_eq!(
            why(web(1), vec![changed]).as_deref(),
            Some("web has not been looked at since it was changed")
        );
        for free in [
            Pod { phase: "Pending".into(), ..web(1) },
            Pod { phase: "Failed".into(), ..web(1) },
            of_kind(web(1), "DaemonSet"),
        ] {
            assert_eq!(why(free, vec![budget("web", 0, 2, 2)]), None);
        }
        // One that is not ready may go where the others suffice, or where the budget says so in any case.
        let unready = || Pod { is_ready: false, ..web(1) };
        assert_eq!(why(unready(), vec![budget("web", 0, 2, 2)]), None);
        assert!(why(unready(), vec![budget("web", 0, 1, 2)]).is_some());
        let always = PodDisruptionBudget { unhealthy_pods: "AlwaysAllow".into(), ..budget("web", 0, 1, 2) };
        assert_eq!(why(unready(), vec![always]), None);
    }
}
