//! What a Deployment says of its rollout (kubernetes `pkg/controller/deployment/progress.go`).

use std::sync::Arc;

use serde_json::{Value, json};

use super::clock::{parse, stamp};
use super::cluster::{Action, Cluster, set_condition};
use super::object::{Object, condition};
use super::resource::DEPLOYMENTS;
use super::rollout::Bounds;

impl Cluster {
    /// `syncRolloutStatus` and `calculateStatus`.
    pub(super) fn report_rollout(&mut self, object: &Arc<Object>, new: &str) {
        let sets = self.sets(&object.namespace, &object.uid);
        let sum = |key: &str| sets.iter().map(|set| set.status(key)).sum::<i64>();
        let (total, ready, available) = (sum("replicas"), sum("readyReplicas"), sum("availableReplicas"));
        let terminating = sum("terminatingReplicas");
        let updated = sets.iter().find(|set| set.name == new).map_or(0, |set| set.status("replicas"));
        let now = self.now;
        let mut look_again = None;
        self.update(&DEPLOYMENTS, &object.namespace, &object.name, |deployment| {
            let wanted = deployment["spec"]["replicas"].as_i64().unwrap_or(0);
            let Bounds { unavailable, .. } = Bounds::of(deployment);
            let deadline = deployment["spec"]["progressDeadlineSeconds"].as_i64().filter(|s| *s < 2_147_483_647);
            let (generation, before) = (deployment["metadata"]["generation"].clone(), deployment["status"].clone());
            let mut status = json!({"observedGeneration": generation, "conditions": before["conditions"], "terminatingReplicas": terminating});
            let counts = [("replicas", total), ("updatedReplicas", updated), ("readyReplicas", ready), ("availableReplicas", available), ("unavailableReplicas", total.max(wanted) - available)];
            for (key, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
                status[key] = json!(count);
            }
            let enough = available >= wanted - unavailable;
            let (word, reason, message) = match enough {
                true => ("True", "MinimumReplicasAvailable", "Deployment has minimum availability."),
                false => ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability."),
            };
            let stale = condition(deployment, "Available").is_none_or(|known| known["status"] != word);
            if stale {
                let updated = json!({"type": "Available", "status": word, "reason": reason, "message": message, "lastUpdateTime": stamp(now)});
                set_condition(&mut status, updated, now);
            }
            let count = |key: &str| before[key].as_i64().unwrap_or(0);
            let progressing = condition(deployment, "Progressing").cloned().unwrap_or_default();
            let complete = updated == wanted && total == wanted && available == wanted;
            let progress = updated > count("updatedReplicas")
                || ready > count("readyReplicas")
                || available > count("availableReplicas")
                || total - updated < count("replicas") - count("updatedReplicas");
            let since = progressing["lastUpdateTime"].as_str().and_then(parse).unwrap_or(now);
            let done = progressing["reason"] == "NewReplicaSetAvailable";
            if complete && !done {
                set_progress(&mut status, "True", "NewReplicaSetAvailable", &format!("ReplicaSet \"{new}\" has successfully progressed."), now);
            } else if !complete && progress {
                set_progress(&mut status, "True", "ReplicaSetUpdated", &format!("ReplicaSet \"{new}\" is progressing."), now);
            } else if let Some(deadline) = deadline.filter(|_| !complete && !done && progressing["reason"] != "ProgressDeadlineExceeded") {
                let at = since + deadline * 1000;
                if at <= now {
                    set_progress(&mut status, "False", "ProgressDeadlineExceeded", &format!("ReplicaSet \"{new}\" has timed out progressing."), now);
                } else {
                    look_again = Some(at);
                }
            }
            deployment["status"] = status;
        });
        if let Some(at) = look_again {
            self.at(at, Action::Sync((DEPLOYMENTS.plural, object.namespace.clone(), object.name.clone())));
        }
    }
}

pub(super) fn set_progress(status: &mut Value, word: &str, reason: &str, message: &str, now: i64) {
    let progressing = json!({"type": "Progressing", "status": word, "reason": reason, "message": message, "lastUpdateTime": stamp(now)});
    set_condition(status, progressing, now);
}
