//! Which node a pod goes to, and what is said if there is none
//! (kubernetes `pkg/scheduler/framework/types.go` `FitError`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::cluster::{Cluster, set_condition};
use super::object::Object;
use super::resource::{NODES, PODS};

impl Cluster {
    /// Tries every pod without a node, as after a change of any node.
    pub(super) fn schedule_pending(&mut self) {
        for pod in self.pending() {
            self.schedule(&pod);
        }
    }

    pub(super) fn pending_uids(&self) -> BTreeSet<String> {
        self.pending().iter().map(|pod| pod.uid.clone()).collect()
    }

    fn pending(&self) -> Vec<Arc<Object>> {
        let mut pods = self.store.list(&PODS, None);
        pods.retain(|pod| pod.field("spec.nodeName").is_empty() && !pod.deleting);
        pods
    }

    pub(super) fn schedule(&mut self, object: &Object) {
        let pod = object.tree();
        let nodes: Vec<Arc<Value>> = self.store.list(&NODES, None).iter().map(|node| node.tree()).collect();
        let mut reasons: BTreeMap<&'static str, usize> = BTreeMap::new();
        let mut fitting = Vec::new();
        for node in &nodes {
            match objection(&pod, node) {
                Some(reason) => *reasons.entry(reason).or_default() += 1,
                None => fitting.push(node["metadata"]["name"].as_str().unwrap_or_default()),
            }
        }
        match self.emptiest(&fitting, &object.namespace) {
            Some(node) => self.bind(&pod, object, &node),
            None => self.refuse(&pod, object, nodes.len(), reasons),
        }
    }

    /// The node with the fewest pods of this namespace, then the fewest at all; among equals, the
    /// first by name.
    fn emptiest(&self, fitting: &[&str], namespace: &str) -> Option<String> {
        let mut load: BTreeMap<&str, (usize, usize)> = fitting.iter().map(|node| (*node, (0, 0))).collect();
        let pods = self.store.list(&PODS, None);
        for pod in pods.iter().filter(|pod| !self.scale.owns(&pod.namespace)) {
            if let Some((own, all)) = load.get_mut(pod.field("spec.nodeName")) {
                *own += usize::from(pod.namespace == namespace);
                *all += 1;
            }
        }
        let (node, _) = load.into_iter().min_by_key(|(_, load)| *load)?;
        Some(node.to_owned())
    }

    fn bind(&mut self, pod: &Value, object: &Object, node: &str) {
        self.recorder.unschedulable.remove(&object.uid);
        let now = self.now;
        self.update(&PODS, &object.namespace, &object.name, |pod| {
            pod["spec"]["nodeName"] = json!(node);
            let generation = pod["metadata"]["generation"].clone();
            let scheduled = json!({"type": "PodScheduled", "status": "True", "lastProbeTime": null, "observedGeneration": generation});
            set_condition(&mut pod["status"], scheduled, now);
        });
        let note = format!("Successfully assigned {}/{} to {node}", object.namespace, object.name);
        self.record_scheduling(pod, false, "Scheduled", "Binding", &note);
    }

    fn refuse(&mut self, pod: &Value, object: &Object, nodes: usize, reasons: BTreeMap<&'static str, usize>) {
        self.recorder.unschedulable.insert(object.uid.clone());
        let message = if nodes == 0 {
            "no nodes available to schedule pods".to_owned()
        } else {
            let mut counted: Vec<String> =
                reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
            counted.sort();
            format!(
                "0/{nodes} nodes are available: {}. preemption: 0/{nodes} nodes are available: {nodes} Preemption is not helpful for scheduling.",
                counted.join(", ")
            )
        };
        let now = self.now;
        self.update(&PODS, &object.namespace, &object.name, |pod| {
            let generation = pod["metadata"]["generation"].clone();
            let unscheduled = json!({
                "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message,
                "lastProbeTime": null, "observedGeneration": generation,
            });
            set_condition(&mut pod["status"], unscheduled, now);
        });
        self.record_scheduling(pod, true, "FailedScheduling", "Scheduling", &message);
    }
}

/// Why a pod does not fit a node: the first plugin that filters it out speaks.
fn objection(pod: &Value, node: &Value) -> Option<&'static str> {
    let tolerations = pod["spec"]["tolerations"].as_array().map_or(&[][..], Vec::as_slice);
    let tolerated = |taint: &Value| tolerations.iter().any(|toleration| tolerates(toleration, taint));
    if node["spec"]["unschedulable"] == true {
        let cordon = json!({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"});
        if !tolerated(&cordon) {
            return Some("node(s) were unschedulable");
        }
    }
    let taints = node["spec"]["taints"].as_array().map_or(&[][..], Vec::as_slice);
    let hard = |taint: &&Value| matches!(taint["effect"].as_str(), Some("NoSchedule" | "NoExecute"));
    if taints.iter().filter(hard).any(|taint| !tolerated(taint)) {
        return Some("node(s) had untolerated taint(s)");
    }
    let selector = pod["spec"]["nodeSelector"].as_object();
    let fits = |(key, value): (&String, &Value)| node["metadata"]["labels"][key] == *value;
    if !selector.into_iter().flatten().all(fits) {
        return Some("node(s) didn't match Pod's node affinity/selector");
    }
    None
}

/// api `core/v1/toleration.go` `ToleratesTaint`.
fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let free_or_equal =
        |key: &str| text(&toleration[key]).is_empty() || text(&toleration[key]) == text(&taint[key]);
    free_or_equal("effect")
        && free_or_equal("key")
        && (toleration["operator"] == "Exists" || text(&toleration["value"]) == text(&taint["value"]))
}
