//! Deployments: one ReplicaSet per template, and the steps from one to the next
//! (kubernetes `pkg/controller/deployment/{sync,rolling,progress}.go`, `util/deployment_util.go`).

use std::sync::Arc;

use serde_json::{Value, json};

use super::cluster::Cluster;
use super::object::{Object, condition};
use super::random::template_hash;
use super::recorder::Source;
use super::replicas::owner_reference;
use super::resource::{DEPLOYMENTS, REPLICA_SETS};
use super::rollout_status::set_progress;

pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
const HISTORY: &str = "deployment.kubernetes.io/revision-history";
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
const MAXIMUM: &str = "deployment.kubernetes.io/max-replicas";
const CONTROLLER: Source<'static> = Source::controller("deployment-controller");

/// A ReplicaSet of the Deployment, with what the controller reads of it.
pub(super) struct Set {
    pub(super) name: String,
    created: i64,
    value: Arc<Value>,
}

impl Set {
    pub(super) fn replicas(&self) -> i64 {
        self.value["spec"]["replicas"].as_i64().unwrap_or(0)
    }

    pub(super) fn status(&self, key: &str) -> i64 {
        self.value["status"][key].as_i64().unwrap_or(0)
    }

    fn revision(&self) -> i64 {
        let annotation = self.value["metadata"]["annotations"][REVISION].as_str();
        annotation.and_then(|text| text.parse().ok()).unwrap_or(0)
    }
}

/// How far a rollout may stray from the wished number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) surge: i64,
    pub(super) unavailable: i64,
}

impl Bounds {
    /// `ResolveFenceposts`: surge is rounded up, unavailability down, and both cannot be none.
    pub(super) fn of(deployment: &Value) -> Bounds {
        let replicas = deployment["spec"]["replicas"].as_i64().unwrap_or(0);
        if deployment["spec"]["strategy"]["type"] == "Recreate" {
            return Bounds { surge: 0, unavailable: 0 };
        }
        let rolling = &deployment["spec"]["strategy"]["rollingUpdate"];
        let resolve = |value: &Value, up: bool| {
            let percent = value.as_str().unwrap_or("25%").trim_end_matches('%').parse().unwrap_or(25);
            let scaled = replicas * percent;
            value.as_i64().unwrap_or(if up { (scaled + 99) / 100 } else { scaled / 100 })
        };
        let (surge, unavailable) =
            (resolve(&rolling["maxSurge"], true), resolve(&rolling["maxUnavailable"], false));
        let unavailable = if surge == 0 && unavailable == 0 { 1 } else { unavailable.min(replicas) };
        Bounds { surge, unavailable }
    }
}

impl Cluster {
    pub(super) fn sync_deployment(&mut self, namespace: &str, name: &str) {
        if self.scale.owns(namespace) {
            return;
        }
        let Some(object) = self.store.get(&DEPLOYMENTS, namespace, name) else {
            return;
        };
        let deployment = object.tree();
        let Some(new) = self.new_set(&object, &deployment) else {
            return;
        };
        let sets = self.sets(namespace, &object.uid);
        // Copied after the sets were read: the new one's revision is the Deployment's.
        let Some(object) = self.store.get(&DEPLOYMENTS, namespace, name) else {
            return;
        };
        let deployment = object.tree();
        if deployment["spec"]["paused"] != true {
            self.roll(&deployment, &sets, &new);
        }
        self.clean_up(&deployment, namespace, &object.uid, &new);
        self.report_rollout(&object, &new);
    }

    pub(super) fn sets(&self, namespace: &str, owner: &str) -> Vec<Set> {
        let owned = self.store.list(&REPLICA_SETS, Some(namespace));
        let owned = owned.iter().filter(|set| set.owner == owner);
        let mut sets: Vec<Set> = owned
            .map(|set| Set { name: set.name.clone(), created: set.created, value: set.tree() })
            .collect();
        sets.sort_by(|a, b| (a.created, &a.name).cmp(&(b.created, &b.name)));
        sets
    }

    /// Finds or creates the ReplicaSet of the current template, sees to its revision, and returns
    /// its name (`getNewReplicaSet`).
    fn new_set(&mut self, object: &Arc<Object>, deployment: &Value) -> Option<String> {
        let sets = self.sets(&object.namespace, &object.uid);
        let found = sets.iter().find(|set| same_template(&set.value, deployment));
        let old = sets.iter().filter(|set| found.is_none_or(|found| found.name != set.name));
        let revision = old.map(Set::revision).max().unwrap_or(0) + 1;
        let Bounds { surge, .. } = Bounds::of(deployment);
        let wanted = deployment["spec"]["replicas"].as_i64().unwrap_or(0);
        let name = match found {
            Some(found) => {
                self.annotate_new(found, deployment, revision);
                found.name.clone()
            }
            None => self.create_set(deployment, revision, &sets, wanted, surge)?,
        };
        let set = self.store.get(&REPLICA_SETS, &object.namespace, &name)?.tree();
        let revision = set["metadata"]["annotations"][REVISION].clone();
        let fresh = found.is_none();
        let now = self.now;
        self.update(&DEPLOYMENTS, &object.namespace, &object.name, |deployment| {
            annotate(deployment, REVISION, revision);
            let known = condition(deployment, "Progressing").is_some();
            if fresh || !known {
                let (reason, message) = match fresh {
                    true => ("NewReplicaSetCreated", format!("Created new replica set \"{name}\"")),
                    false => ("FoundNewReplicaSet", format!("Found new replica set \"{name}\"")),
                };
                set_progress(&mut deployment["status"], "True", reason, &message, now);
            }
        });
        Some(name)
    }

    fn create_set(
        &mut self,
        deployment: &Value,
        revision: i64,
        sets: &[Set],
        wanted: i64,
        surge: i64,
    ) -> Option<String> {
        let metadata = &deployment["metadata"];
        let mut template = deployment["spec"]["template"].clone();
        let hash = template_hash(&template.to_string());
        let name = format!("{}-{hash}", metadata["name"].as_str().unwrap_or_default());
        template["metadata"]["labels"]["pod-template-hash"] = json!(hash);
        let mut selector = deployment["spec"]["selector"].clone();
        selector["matchLabels"]["pod-template-hash"] = json!(hash);
        let all: i64 = sets.iter().map(Set::replicas).sum();
        let replicas = (wanted + surge - all).clamp(0, wanted);
        // A blue pod beside the green ones only if the strategy lets it be.
        let replicas =
            if deployment["spec"]["strategy"]["type"] == "Recreate" && all > 0 { 0 } else { replicas };
        let mut set = json!({
            "kind": "ReplicaSet",
            "metadata": {
                "name": name, "namespace": metadata["namespace"], "labels": template["metadata"]["labels"],
                "annotations": {
                    REVISION: revision.to_string(), DESIRED: wanted.to_string(), MAXIMUM: (wanted + surge).to_string(),
                },
                "ownerReferences": [owner_reference(deployment)],
            },
            "spec": {"replicas": replicas, "selector": selector, "template": template},
        });
        copy_annotations(deployment, &mut set);
        if let Some(wait) = deployment["spec"]["minReadySeconds"].as_i64() {
            set["spec"]["minReadySeconds"] = json!(wait);
        }
        self.create(set)?;
        if replicas > 0 {
            let message = format!("Scaled up replica set {name} from 0 to {replicas}");
            self.record(CONTROLLER, deployment, "", false, "ScalingReplicaSet", &message);
        }
        Some(name)
    }

    /// A reused ReplicaSet gets the next revision and remembers the one it had
    /// (`SetNewReplicaSetAnnotations`).
    fn annotate_new(&mut self, set: &Set, deployment: &Value, revision: i64) {
        let namespace = deployment["metadata"]["namespace"].as_str().unwrap_or_default();
        let had = set.revision();
        self.update(&REPLICA_SETS, namespace, &set.name, |set| {
            copy_annotations(deployment, set);
            if had < revision {
                if had > 0 {
                    let past = set["metadata"]["annotations"][HISTORY].as_str();
                    let mut past = past.map_or(had.to_string(), |past| format!("{past},{had}"));
                    // `maxRevHistoryLengthInChars`: the oldest numbers are forgotten.
                    while past.len() > 2000 {
                        past = past.split_once(',').map(|(_, rest)| rest.to_owned()).unwrap_or_default();
                    }
                    annotate(set, HISTORY, json!(past));
                }
                annotate(set, REVISION, json!(revision.to_string()));
            }
        });
    }

    /// One step at a time: up if there is room, else down if enough are available.
    fn roll(&mut self, deployment: &Value, sets: &[Set], new: &str) {
        let wanted = deployment["spec"]["replicas"].as_i64().unwrap_or(0);
        let Bounds { surge, unavailable } = Bounds::of(deployment);
        let Some(new) = sets.iter().find(|set| set.name == new) else {
            return;
        };
        let old: Vec<&Set> = sets.iter().filter(|set| set.name != new.name && set.replicas() > 0).collect();
        let all: i64 = sets.iter().map(Set::replicas).sum();
        if deployment["spec"]["strategy"]["type"] == "Recreate" {
            for set in &old {
                self.scale_set(deployment, set, 0, wanted, surge);
            }
            let gone = old.is_empty()
                && sets.iter().all(|s| {
                    s.name == new.name || (s.status("replicas") == 0 && s.status("terminatingReplicas") == 0)
                });
            if gone && new.replicas() != wanted {
                self.scale_set(deployment, new, wanted, wanted, surge);
            }
            return;
        }
        if new.replicas() > wanted {
            return self.scale_set(deployment, new, wanted, wanted, surge);
        }
        let room = (wanted + surge - all).min(wanted - new.replicas());
        if room > 0 {
            return self.scale_set(deployment, new, new.replicas() + room, wanted, surge);
        }
        self.mark_wanted(deployment, new, wanted, surge);
        if old.is_empty() {
            return;
        }
        let least = wanted - unavailable;
        let missing = new.replicas() - new.status("availableReplicas");
        let mut spare = all - least - missing;
        let mut left: Vec<(&Set, i64)> = old.iter().map(|set| (*set, set.replicas())).collect();
        // Unhealthy pods of old revisions go first: they are no loss (`cleanupUnhealthyReplicas`).
        for (set, replicas) in &mut left {
            let unhealthy = (*replicas - set.status("availableReplicas")).clamp(0, spare.max(0));
            if unhealthy > 0 {
                *replicas -= unhealthy;
                spare -= unhealthy;
                self.scale_set(deployment, set, *replicas, wanted, surge);
            }
        }
        if spare <= 0 {
            return;
        }
        let available: i64 = sets.iter().map(|set| set.status("availableReplicas")).sum();
        let mut excess = (available - least).max(0);
        for (set, replicas) in &mut left {
            let down = (*replicas).min(excess);
            if down > 0 {
                excess -= down;
                *replicas -= down;
                self.scale_set(deployment, set, *replicas, wanted, surge);
            }
        }
    }

    fn scale_set(&mut self, deployment: &Value, set: &Set, to: i64, wanted: i64, surge: i64) {
        let namespace = deployment["metadata"]["namespace"].as_str().unwrap_or_default();
        let Some(now) = self.store.get(&REPLICA_SETS, namespace, &set.name) else {
            return;
        };
        let from = now.tree()["spec"]["replicas"].as_i64().unwrap_or(0);
        if from == to {
            return;
        }
        self.update(&REPLICA_SETS, namespace, &set.name, |set| {
            set["spec"]["replicas"] = json!(to);
            annotate(set, DESIRED, json!(wanted.to_string()));
            annotate(set, MAXIMUM, json!((wanted + surge).to_string()));
        });
        let verb = if to > from { "up" } else { "down" };
        let message = format!("Scaled {verb} replica set {} from {from} to {to}", set.name);
        self.record(CONTROLLER, deployment, "", false, "ScalingReplicaSet", &message);
    }

    fn mark_wanted(&mut self, deployment: &Value, set: &Set, wanted: i64, surge: i64) {
        let namespace = deployment["metadata"]["namespace"].as_str().unwrap_or_default();
        self.update(&REPLICA_SETS, namespace, &set.name, |set| {
            annotate(set, DESIRED, json!(wanted.to_string()));
            annotate(set, MAXIMUM, json!((wanted + surge).to_string()));
        });
    }

    /// Empty ReplicaSets beyond the history limit go, the oldest revision first.
    fn clean_up(&mut self, deployment: &Value, namespace: &str, uid: &str, new: &str) {
        let limit = deployment["spec"]["revisionHistoryLimit"].as_u64().unwrap_or(10) as usize;
        let mut empty = self.sets(namespace, uid);
        empty.retain(|set| set.name != new && set.replicas() == 0 && set.status("replicas") == 0);
        empty.sort_by_key(Set::revision);
        let surplus = empty.len().saturating_sub(limit);
        for set in empty.into_iter().take(surplus) {
            self.delete(&REPLICA_SETS, namespace, &set.name);
        }
    }
}

fn annotate(object: &mut Value, key: &str, value: Value) {
    if !object["metadata"]["annotations"].is_object() {
        object["metadata"]["annotations"] = json!({});
    }
    object["metadata"]["annotations"][key] = value;
}

/// The change cause goes along; what belongs to either of the two does not
/// (`skipCopyAnnotation`).
fn copy_annotations(from: &Value, to: &mut Value) {
    let annotations = from["metadata"]["annotations"].as_object();
    for (key, value) in annotations.into_iter().flatten() {
        let own = [REVISION, HISTORY, DESIRED, MAXIMUM, "kubectl.kubernetes.io/last-applied-configuration"];
        if !own.contains(&key.as_str()) {
            annotate(to, key, value.clone());
        }
    }
}

/// `EqualIgnoreHash`.
fn same_template(set: &Value, deployment: &Value) -> bool {
    let plain = |template: &Value| {
        let mut template = template.clone();
        if let Some(labels) = template["metadata"]["labels"].as_object_mut() {
            labels.remove("pod-template-hash");
        }
        template
    };
    plain(&set["spec"]["template"]) == plain(&deployment["spec"]["template"])
}
