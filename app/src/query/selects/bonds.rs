//! What lies between one pod and one that selects or owns it.

use std::{collections::BTreeMap, sync::Arc};

use super::{Selecting, Selectors};
use crate::{
    api::{Kind, Pod, Uid},
    selector::Selector,
};

/// What lies between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bond {
    /// It is the pod's controller, and selects it.
    Controls,
    /// It is the Deployment of the ReplicaSet that is the pod's controller.
    Through,
    /// It is the pod's controller, and no longer selects it: it gives it up.
    Releases,
    /// It is the pod's controller and no longer selects it, and nothing comes of that: one of them is on its way out.
    Keeps,
    /// The pod has no controller: it takes it over.
    Adopts,
    /// The pod has no controller, and it does not take it over.
    Spares,
    /// It selects the pod, which has another controller.
    Anothers,
    /// It is no controller, as a Service or a PodDisruptionBudget: it selects the pod.
    Selects,
}

impl Bond {
    /// In words, with the object as the subject.
    pub fn says(self) -> &'static str {
        match self {
            Bond::Controls => "is its controller",
            Bond::Through => "owns it through a ReplicaSet",
            Bond::Releases => "is its controller, but selects it no longer: it will be let go, and replaced",
            Bond::Keeps => "is its controller, but selects it no longer",
            Bond::Adopts => "selects it, and will adopt it: it has no controller",
            Bond::Spares => "selects it, and will not adopt it",
            Bond::Anothers => "selects it, but does not own it",
            Bond::Selects => "selects it",
        }
    }
}

/// Neither ends nor is through (`pkg/controller/controller_utils.go`, `IsPodActive`).
fn is_active(pod: &Pod) -> bool {
    pod.meta.deleting.is_none() && !matches!(pod.phase.as_str(), "Succeeded" | "Failed")
}

/// Whether the name is `SET-NUMBER` (`pkg/controller/statefulset/stateful_set_utils.go`, `isMemberOf`).
fn is_member(set: &str, pod: &str) -> bool {
    pod.rsplit_once('-').is_some_and(|(parent, ordinal)| {
        parent == set && !ordinal.is_empty() && ordinal.bytes().all(|b| b.is_ascii_digit())
    })
}

/// Whether it makes a pod without a controller its own, one that it selects. A Deployment adopts ReplicaSets, no pods;
/// what is being deleted adopts nothing; ReplicaSets and ReplicationControllers look at active pods alone
/// (`pkg/controller/replicaset/replica_set.go`), a StatefulSet at those with names of its own.
pub fn adopts(one: &Selecting, pod: &Pod) -> bool {
    pod.meta.owner.is_none()
        && pod.meta.namespace == one.namespace
        && pod.meta.deleting.is_none()
        && !one.deleting
        && match one.kind {
            Kind::ReplicaSet | Kind::ReplicationController => is_active(pod),
            Kind::DaemonSet => true,
            Kind::StatefulSet => is_member(&one.name, &pod.meta.name),
            _ => false,
        }
}

/// Whether it gives up a pod of its own, which it does not select (or, of a StatefulSet, which has another's name).
fn releases(one: &Selecting, pod: &Pod) -> bool {
    let looks = !matches!(one.kind, Kind::ReplicaSet | Kind::ReplicationController) || is_active(pod);
    !one.deleting && looks
}

/// What lies between them; `None` if nothing does. `selector` is what `one` selects with.
pub fn bond(selectors: &Selectors, one: &Selecting, selector: Option<&Selector>, pod: &Pod) -> Option<Bond> {
    if one.namespace != pod.meta.namespace {
        return None;
    }
    let selected = selector.is_some_and(|selector| selector.matches(&pod.meta.labels));
    let fits = one.kind != Kind::StatefulSet || is_member(&one.name, &pod.meta.name);
    match pod.meta.owner.as_ref().map(|owner| owner.uid) {
        Some(owner) if owner == one.uid => Some(match (selected && fits, releases(one, pod)) {
            (true, _) => Bond::Controls,
            (false, true) => Bond::Releases,
            (false, false) => Bond::Keeps,
        }),
        Some(owner) if selectors.get(owner).is_some_and(|set| set.part_of == Some(one.uid)) => {
            Some(Bond::Through)
        }
        _ if !selected => None,
        _ if !one.controls() => Some(Bond::Selects),
        Some(_) => Some(Bond::Anothers),
        None if adopts(one, pod) => Some(Bond::Adopts),
        None => Some(Bond::Spares),
    }
}

/// Everything that selects or owns a pod, the closest first.
pub fn of_pod<'a>(selectors: &'a Selectors, pod: &Pod) -> Vec<(Bond, &'a Selecting)> {
    let mut near = selectors.selecting(&pod.meta.namespace, &pod.meta.labels);
    let owner = pod.meta.owner.as_ref().and_then(|owner| selectors.get(owner.uid));
    let deployment = owner.and_then(|owner| owner.part_of).and_then(|uid| selectors.get(uid));
    for owner in owner.into_iter().chain(deployment) {
        if !near.iter().any(|one| one.uid == owner.uid) {
            near.push(owner);
        }
    }
    let mut found: Vec<(Bond, &Selecting)> = near
        .into_iter()
        .filter_map(|one| Some((bond(selectors, one, selectors.selector(one.uid), pod)?, one)))
        .collect();
    found.sort_by_key(|(bond, _)| *bond);
    found
}

/// A pod by name, which is its order.
type Named = (Arc<str>, Uid);

/// What a selector selects, and how that differs from what its object owns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reach {
    /// How many pods it selects.
    pub matches: usize,
    /// Of those, its own.
    pub own: usize,
    /// Pods without a controller that it takes over.
    pub adopts: Vec<Named>,
    /// Pods without a controller that it does not take over.
    pub spares: Vec<Named>,
    /// Pods of others, by their controller: its kind and name, or empty where it is not known.
    pub anothers: BTreeMap<String, Vec<Named>>,
    /// Its own that it selects no longer and gives up.
    pub releases: Vec<Named>,
    /// Who else selects pods of its own, Services among them, and how many.
    pub also: BTreeMap<Uid, usize>,
}

/// How far a selector reaches among these pods. A Deployment's own pods are given up by its ReplicaSets, each by its own
/// selector.
pub fn reach<'a>(selectors: &Selectors, one: &Selecting, pods: impl IntoIterator<Item = &'a Pod>) -> Reach {
    let mut reach = Reach::default();
    let selector = selectors.selector(one.uid);
    for pod in pods.into_iter().filter(|pod| pod.meta.namespace == one.namespace) {
        let Some(bond) = bond(selectors, one, selector, pod) else { continue };
        let named = (pod.meta.name.clone(), pod.meta.uid);
        let matches = selector.is_some_and(|selector| selector.matches(&pod.meta.labels));
        reach.matches += usize::from(matches);
        if matches!(bond, Bond::Controls | Bond::Through) {
            for also in selectors.selecting(&pod.meta.namespace, &pod.meta.labels) {
                if also.uid != one.uid && also.part_of != Some(one.uid) && one.part_of != Some(also.uid) {
                    *reach.also.entry(also.uid).or_default() += 1;
                }
            }
        }
        match bond {
            Bond::Through => {
                reach.own += usize::from(matches);
                let set = pod.meta.owner.as_ref().and_then(|owner| selectors.get(owner.uid));
                let let_go = set.is_some_and(|set| {
                    self::bond(selectors, set, selectors.selector(set.uid), pod) == Some(Bond::Releases)
                });
                if let_go {
                    reach.releases.push(named);
                }
            }
            Bond::Controls => reach.own += 1,
            Bond::Releases => reach.releases.push(named),
            Bond::Adopts => reach.adopts.push(named),
            Bond::Spares => reach.spares.push(named),
            Bond::Anothers => {
                let owner = pod.meta.owner.as_ref();
                let whose = match selectors.owner_of(pod) {
                    Some(owner) => owner.reference(),
                    None => owner
                        .map(|owner| format!("{}/{}", owner.kind.to_lowercase(), owner.name))
                        .unwrap_or_default(),
                };
                reach.anothers.entry(whose).or_default().push(named);
            }
            Bond::Keeps | Bond::Selects => {}
        }
    }
    let lists = [&mut reach.adopts, &mut reach.spares, &mut reach.releases];
    lists.into_iter().chain(reach.anothers.values_mut()).for_each(|pods| pods.sort_unstable());
    reach
}
