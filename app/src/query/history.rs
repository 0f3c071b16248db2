//! The revisions of a Deployment, as `kubectl rollout history` knows them.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    api::{Deployment, ReplicaSet},
    selector::Selector,
};

/// Each revision of `deployment` with the ReplicaSet that holds its template, oldest first (kubectl
/// `pkg/polymorphichelpers/history.go`, `DeploymentHistoryViewer`): of the ReplicaSets that its selector
/// selects and that it controls, those whose revision is a number. Where two claim one revision, which
/// controllers do not leave so for long, the later by name has it; kubectl gives it to the current one.
pub fn revisions<'a>(
    deployment: &Deployment,
    sets: impl Iterator<Item = &'a Arc<ReplicaSet>>,
) -> BTreeMap<i64, Arc<ReplicaSet>> {
    // A selector that is none selects nothing: there is no Deployment without one.
    let Ok(selector) = Selector::parse(&deployment.selector) else { return BTreeMap::new() };
    let mut owned: Vec<&Arc<ReplicaSet>> = sets
        .filter(|set| set.meta.owner.as_ref().is_some_and(|owner| owner.uid == deployment.meta.uid))
        .filter(|set| set.meta.namespace == deployment.meta.namespace && selector.matches(&set.meta.labels))
        .collect();
    owned.sort_by(|a, b| a.meta.name.cmp(&b.meta.name));
    owned.into_iter().filter_map(|set| Some((set.replicas.revision?, set.clone()))).collect()
}
