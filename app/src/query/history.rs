//! The revisions of a workload, as `kubectl rollout history` knows them.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    api::{ControllerRevision, Deployment, Detail, Meta, ReplicaSet, Text, Timestamp},
    selector::Selector,
};

/// A template that is kept, by a ReplicaSet or a ControllerRevision.
#[derive(Clone, Debug)]
pub struct Held {
    /// Who keeps it.
    pub by: Arc<str>,
    /// When that was made.
    pub created: Option<Timestamp>,
    /// The revisions it was before, as far as is noted.
    pub formerly: Vec<i64>,
    /// Pods of it, where they are counted.
    pub replicas: Option<i32>,
    /// Name and image of each regular container.
    pub images: Arc<[(Text, Text)]>,
    /// Annotation `kubernetes.io/change-cause`.
    pub change_cause: Text,
    /// The template.
    pub detail: Arc<Detail>,
}

/// Each revision of `deployment` with the template it holds, oldest first (kubectl
/// `pkg/polymorphichelpers/history.go`, `DeploymentHistoryViewer`): of the ReplicaSets that its selector
/// selects and that it controls, those whose revision is a number. Where two claim one revision, which
/// controllers do not leave so for long, the later by name has it; kubectl gives it to the current one.
pub fn revisions<'a>(
    deployment: &Deployment,
    sets: impl Iterator<Item = &'a Arc<ReplicaSet>>,
) -> BTreeMap<i64, Held> {
    let held = |set: &Arc<ReplicaSet>| {
        let replicas = &set.replicas;
        let held = Held {
            by: set.meta.name.clone(),
            created: set.meta.created,
            formerly: replicas.formerly.clone(),
            replicas: Some(replicas.current),
            images: replicas.images.clone(),
            change_cause: replicas.change_cause.clone(),
            detail: replicas.detail.clone(),
        };
        Some((replicas.revision?, held))
    };
    let owned = owned(&deployment.meta, &deployment.selector, sets.map(|set| (&set.meta, set)));
    owned.into_iter().filter_map(held).collect()
}

/// The same of a DaemonSet or a StatefulSet, `owner`, from its ControllerRevisions (`controlledHistory`).
pub fn controller_revisions<'a>(
    owner: &Meta,
    selector: &str,
    revisions: impl Iterator<Item = &'a Arc<ControllerRevision>>,
) -> BTreeMap<i64, Held> {
    let held = |revision: &Arc<ControllerRevision>| {
        let held = Held {
            by: revision.meta.name.clone(),
            created: revision.meta.created,
            formerly: Vec::new(),
            replicas: None,
            images: revision.images.clone(),
            change_cause: revision.change_cause.clone(),
            detail: revision.detail.clone(),
        };
        (revision.revision, held)
    };
    let owned = owned(owner, selector, revisions.map(|revision| (&revision.meta, revision)));
    owned.into_iter().map(held).collect()
}

/// What `owner` controls and its selector selects, by name.
fn owned<'a, T>(
    owner: &Meta,
    selector: &str,
    all: impl Iterator<Item = (&'a Meta, &'a Arc<T>)>,
) -> Vec<&'a Arc<T>> {
    // A selector that is none selects nothing: there is no workload without one.
    let Ok(selector) = Selector::parse(selector) else { return Vec::new() };
    let mut owned: Vec<_> = all
        .filter(|(meta, _)| meta.owner.as_ref().is_some_and(|of| of.uid == owner.uid))
        .filter(|(meta, _)| meta.namespace == owner.namespace && selector.matches(&meta.labels))
        .collect();
    owned.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
    owned.into_iter().map(|(_, row)| row).collect()
}
