//! ReplicationControllers and ReplicaSets: as many pods as asked for
//! (kubernetes `pkg/controller/replicaset/replica_set.go`; the former is the latter in disguise).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::admission::or_set;
use super::cluster::{Action, Cluster};
use super::object::Object;
use super::recorder::Source;
use super::resource::{PODS, REPLICA_SETS, Resource};

impl Cluster {
    pub(super) fn sync_replicas(&mut self, resource: &'static Resource, namespace: &str, name: &str) {
        if self.scale.owns(namespace) {
            return;
        }
        let Some(object) = self.store.get(resource, namespace, name) else {
            return;
        };
        let owner = object.tree();
        let source = match resource == &REPLICA_SETS {
            true => Source::controller("replicaset-controller"),
            false => Source::controller("replication-controller"),
        };
        let wanted = owner["spec"]["replicas"].as_u64().unwrap_or(0) as usize;
        let active = self.active_pods(namespace, &object.uid);
        for _ in active.len()..wanted {
            self.create_replica(&owner, source.clone());
        }
        if active.len() > wanted {
            for pod in self.ranked_for_deletion(&active).into_iter().take(active.len() - wanted) {
                self.delete(&PODS, namespace, &pod.name);
                let message = format!("Deleted pod: {}", pod.name);
                self.record(source.clone(), &owner, "", false, "SuccessfulDelete", &message);
            }
        }
        self.report_replicas(resource, &object, &owner);
    }

    /// Neither finished nor on their way out (`controller.FilterActivePods`).
    fn active_pods(&self, namespace: &str, owner: &str) -> Vec<Arc<Object>> {
        let mut pods = self.pods_of(namespace, owner);
        pods.retain(|pod| !pod.deleting && !matches!(pod.field("status.phase"), "Succeeded" | "Failed"));
        pods
    }

    fn create_replica(&mut self, owner: &Value, source: Source<'_>) {
        let (metadata, template) = (&owner["metadata"], &owner["spec"]["template"]);
        let name = metadata["name"].as_str().unwrap_or_default();
        let mut pod = json!({
            "kind": "Pod",
            "metadata": {
                "generateName": format!("{name}-"), "namespace": metadata["namespace"],
                "ownerReferences": [owner_reference(owner)],
            },
            "spec": template["spec"],
        });
        for key in ["labels", "annotations"] {
            or_set(&mut pod["metadata"], key, template["metadata"][key].clone());
        }
        let Some(pod) = self.create(pod) else { return };
        self.record(source, owner, "", false, "SuccessfulCreate", &format!("Created pod: {}", pod.name));
    }

    /// Those nobody misses first (`controller.ActivePodsWithRanks`): without a node, not running,
    /// not ready, crowded on one node, lately ready, often restarted, young.
    fn ranked_for_deletion(&self, active: &[Arc<Object>]) -> Vec<Arc<Object>> {
        let mut crowd: BTreeMap<&str, i64> = BTreeMap::new();
        for pod in active {
            *crowd.entry(pod.field("spec.nodeName")).or_default() += 1;
        }
        let restarts = |pod: &Object| self.runs.get(&pod.uid).map_or(0, |run| run.restarts());
        let mut ranked = active.to_vec();
        ranked.sort_by_key(|pod| {
            let node = pod.field("spec.nodeName");
            (
                !node.is_empty(),
                pod.field("status.phase") == "Running",
                pod.ready_since.is_some(),
                -crowd.get(node).copied().unwrap_or_default(),
                -pod.ready_since.unwrap_or_default(),
                -restarts(pod),
                -pod.created,
                pod.name.clone(),
            )
        });
        ranked
    }

    fn report_replicas(&mut self, resource: &'static Resource, object: &Object, owner: &Value) {
        let active = self.active_pods(&object.namespace, &object.uid);
        let terminating =
            self.pods_of(&object.namespace, &object.uid).iter().filter(|pod| pod.deleting).count();
        let wait = owner["spec"]["minReadySeconds"].as_i64().unwrap_or(0) * 1000;
        let ready: Vec<i64> = active.iter().filter_map(|pod| pod.ready_since).collect();
        let available = ready.iter().filter(|since| **since + wait <= self.now).count();
        if let Some(next) = ready.iter().map(|since| since + wait).filter(|at| *at > self.now).min() {
            let key = (resource.plural, object.namespace.clone(), object.name.clone());
            self.at(next, Action::Sync(key));
        }
        let template = owner["spec"]["template"]["metadata"]["labels"].as_object();
        let labelled = |pod: &&Arc<Object>| {
            template
                .into_iter()
                .flatten()
                .all(|(key, value)| pod.labels.get(key).map(String::as_str) == value.as_str())
        };
        let labelled = active.iter().filter(labelled).count();
        let is_set = resource == &REPLICA_SETS;
        self.update(resource, &object.namespace, &object.name, |owner| {
            let mut status =
                json!({"replicas": active.len(), "observedGeneration": owner["metadata"]["generation"]});
            let counts = [
                ("fullyLabeledReplicas", labelled),
                ("readyReplicas", ready.len()),
                ("availableReplicas", available),
            ];
            for (key, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
                status[key] = json!(count);
            }
            if is_set {
                // On since 1.35 (gate DeploymentReplicaSetTerminatingReplicas), zero included.
                status["terminatingReplicas"] = json!(terminating);
            }
            owner["status"] = status;
        });
    }
}

pub(super) fn owner_reference(owner: &Value) -> Value {
    json!({
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
    })
}
