//! Who owns which pods: by uid, never by name or selector, since labels may match and not own.

use std::{collections::HashMap, sync::Arc};

use crate::api::{Pod, ReplicaSet, Uid};

/// Each controller's pods in the order of their names, a Deployment's through its ReplicaSets.
pub fn pods_by_owner(pods: &[Arc<Pod>], replica_sets: &[Arc<ReplicaSet>]) -> HashMap<Uid, Vec<Uid>> {
    let deployments: HashMap<Uid, Uid> =
        replica_sets.iter().filter_map(|set| Some((set.meta.uid, set.meta.owner.as_ref()?.uid))).collect();
    let mut sorted: Vec<&Arc<Pod>> = pods.iter().collect();
    sorted.sort_by(|a, b| a.meta.name.cmp(&b.meta.name));
    let mut owned: HashMap<Uid, Vec<Uid>> = HashMap::new();
    for pod in sorted {
        let Some(owner) = &pod.meta.owner else { continue };
        owned.entry(owner.uid).or_default().push(pod.meta.uid);
        if let Some(deployment) = deployments.get(&owner.uid) {
            owned.entry(*deployment).or_default().push(pod.meta.uid);
        }
    }
    owned
}
