//! PodDisruptionBudgets: how many of their pods may be evicted now
//! (kubernetes `pkg/controller/disruption/disruption.go`).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::cluster::{Cluster, set_condition};
use super::object::Object;
use super::resource::{
    DEPLOYMENTS, POD_DISRUPTION_BUDGETS, PODS, REPLICA_SETS, REPLICATION_CONTROLLERS, Resource,
};

impl Cluster {
    /// A pod came, changed or went, or more are wanted.
    pub(super) fn look_at_budgets(&mut self, namespace: &str) {
        for budget in self.store.list(&POD_DISRUPTION_BUDGETS, Some(namespace)) {
            self.sync_budget(namespace, &budget.name);
        }
    }

    pub(super) fn sync_budget(&mut self, namespace: &str, name: &str) {
        let Some(budget) = self.store.get(&POD_DISRUPTION_BUDGETS, namespace, name) else { return };
        let budget = budget.tree();
        let labels = &budget["spec"]["selector"]["matchLabels"];
        let mut pods = self.store.list(&PODS, Some(namespace));
        pods.retain(|pod| {
            let mut pairs = labels.as_object().into_iter().flatten();
            pairs.all(|(key, value)| pod.labels.get(key).map(String::as_str) == value.as_str())
        });
        let (expected, desired) = self.expected_pods(&budget["spec"], &pods);
        let healthy = pods.iter().filter(|pod| !pod.deleting && pod.ready_since.is_some()).count() as i64;
        let allowed = if expected > 0 { (healthy - desired).max(0) } else { 0 };
        let now = self.now;
        self.update(&POD_DISRUPTION_BUDGETS, namespace, name, |budget| {
            let generation = budget["metadata"]["generation"].clone();
            let conditions = budget["status"]["conditions"].clone();
            budget["status"] = json!({
                "conditions": conditions, "currentHealthy": healthy, "desiredHealthy": desired,
                "disruptionsAllowed": allowed, "expectedPods": expected, "observedGeneration": generation,
            });
            let (status, reason) =
                if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
            let condition = json!({
                "type": "DisruptionAllowed", "status": status, "reason": reason, "message": "",
                "observedGeneration": generation,
            });
            set_condition(&mut budget["status"], condition, now);
        });
    }

    /// `getExpectedPodCount`: how many pods there should be, and how many of them have to be healthy.
    fn expected_pods(&self, spec: &Value, pods: &[Arc<Object>]) -> (i64, i64) {
        let (least, most) = (&spec["minAvailable"], &spec["maxUnavailable"]);
        if !most.is_null() {
            let scale = self.scale_of(pods);
            return (scale, (scale - scaled(most, scale)).max(0));
        }
        match least.as_i64() {
            Some(least) => (pods.len() as i64, least),
            None => {
                let scale = self.scale_of(pods);
                (scale, scaled(least, scale))
            }
        }
    }

    /// `getExpectedScale`: what the pods' controllers are asked for, each counted once.
    fn scale_of(&self, pods: &[Arc<Object>]) -> i64 {
        let mut scales: BTreeMap<String, i64> = BTreeMap::new();
        for pod in pods {
            let by_uid = |resource: &Resource, uid: &str| {
                let all = self.store.list(resource, Some(&pod.namespace));
                all.into_iter().find(|owner| owner.uid == uid)
            };
            let set = by_uid(&REPLICA_SETS, &pod.owner);
            let owner = match set {
                Some(set) => by_uid(&DEPLOYMENTS, &set.owner).or(Some(set)),
                None => by_uid(&REPLICATION_CONTROLLERS, &pod.owner),
            };
            if let Some(owner) = owner {
                scales.insert(owner.uid.clone(), owner.tree()["spec"]["replicas"].as_i64().unwrap_or(1));
            }
        }
        scales.values().sum()
    }
}

/// A number, or a percentage of `total` rounded up.
fn scaled(bound: &Value, total: i64) -> i64 {
    let percent = bound.as_str().and_then(|text| text.strip_suffix('%')?.parse::<i64>().ok());
    match percent {
        Some(percent) => (percent * total + 99).div_euclid(100),
        None => bound.as_i64().unwrap_or_default(),
    }
}
