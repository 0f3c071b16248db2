//! Many pods cheaply: Deployments nobody controls, for benchmarks.

use std::sync::Arc;

use serde_json::{Value, json};

use super::clock::stamp;
use super::cluster::{Action, Cluster};
use super::object::Object;
use super::replicas::owner_reference;
use super::resource::PODS;
use super::tutorial;

const PODS_PER_SET: usize = 20;
const PODS_PER_NAMESPACE: usize = 1000;
/// Steps of the churn are never planned closer than this; several changes are made at once then.
const BEAT_MS: f64 = 20.0;

/// How much there is beyond the tutorial.
#[derive(Clone, Debug, Default)]
pub(super) struct Scale {
    pub(super) pods: usize,
    pub(super) nodes: usize,
    pub(super) churn_per_second: f64,
    /// Namespaces made, so that a change can pick one.
    namespaces: usize,
    /// Changes owed: the fraction of one that a beat left over.
    owed: f64,
}

impl Scale {
    pub(super) fn new(pods: usize, nodes: usize, churn_per_second: f64) -> Scale {
        Scale { pods, nodes, churn_per_second, ..Scale::default() }
    }

    /// Whether a node is there for its number only.
    pub(super) fn owns_node(&self, name: &str) -> bool {
        self.nodes > 0 && name.starts_with("scale-node-")
    }

    /// Whether the objects of a namespace are left alone by the controllers.
    pub(super) fn owns(&self, namespace: &str) -> bool {
        self.pods > 0 && namespace.starts_with("scale-")
    }
}

impl Cluster {
    pub(super) fn fill_up(&mut self) {
        let begun = self.now - 7_200_000;
        let now = std::mem::replace(&mut self.now, begun);
        for number in 0..self.scale.nodes {
            let mut node = tutorial::node(&format!("scale-node-{number:04}"));
            // Kept free of the tutorial's pods, as kwok's nodes are.
            node["spec"]["taints"] =
                json!([{"key": "masthead.dev/scale", "value": "extra", "effect": "NoSchedule"}]);
            if let Some(node) = self.create(node) {
                self.register(&node);
            }
        }
        let mut left = self.scale.pods;
        let mut number = 0;
        while left > 0 {
            if (number * PODS_PER_SET).is_multiple_of(PODS_PER_NAMESPACE) {
                let namespace = format!("scale-{:03}", self.scale.namespaces);
                self.create(tutorial::namespace(&namespace));
                self.scale.namespaces += 1;
            }
            let size = left.min(PODS_PER_SET);
            self.fill_set(number, size);
            left -= size;
            number += 1;
        }
        self.now = now;
        if self.scale.pods > 0 && self.scale.churn_per_second > 0.0 {
            self.after(BEAT_MS as i64, Action::Churn);
        }
    }

    fn fill_set(&mut self, number: usize, size: usize) {
        let namespace = format!("scale-{:03}", self.scale.namespaces.saturating_sub(1));
        let (name, hash) = (format!("load-{number:04}"), self.random.suffix(10));
        let labels = json!({"app": name, "environment": (["dev", "test", "live"][number % 3]), "team": (["mt", "listing", "fraud"][number % 3])});
        let container = json!({
            "name": "app", "image": format!("registry.example.com/load/app:{}", number % 7),
            "ports": [{"containerPort": 8080}], "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}},
        });
        let counts = json!({"replicas": size, "readyReplicas": size, "availableReplicas": size, "observedGeneration": 1});
        let mut template = json!({"metadata": {"labels": labels}, "spec": {"containers": [container]}});
        let mut status = counts.clone();
        status["updatedReplicas"] = json!(size);
        status["conditions"] = json!([
            {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable", "message": "Deployment has minimum availability.", "lastUpdateTime": self.stamp(), "lastTransitionTime": self.stamp()},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable", "message": format!("ReplicaSet \"{name}-{hash}\" has successfully progressed."), "lastUpdateTime": self.stamp(), "lastTransitionTime": self.stamp()},
        ]);
        let revision = json!({"deployment.kubernetes.io/revision": "1"});
        let deployment = self.create(json!({
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": namespace, "labels": labels, "annotations": revision},
            "spec": {"replicas": size, "selector": {"matchLabels": labels}, "template": template}, "status": status,
        }));
        template["metadata"]["labels"]["pod-template-hash"] = json!(hash);
        let Some(deployment) = deployment.map(|deployment| deployment.value()) else {
            return;
        };
        let set = self.create(json!({
            "kind": "ReplicaSet",
            "metadata": {
                "name": format!("{name}-{hash}"), "namespace": namespace, "labels": template["metadata"]["labels"],
                "annotations": revision, "ownerReferences": [owner_reference(&deployment)],
            },
            "spec": {"replicas": size, "selector": {"matchLabels": template["metadata"]["labels"]}, "template": template},
            "status": counts,
        }));
        let Some(set) = set.map(|set| set.value()) else {
            return;
        };
        for _ in 0..size {
            self.fill_pod(&set);
        }
    }

    /// A pod that has been running for a while.
    fn fill_pod(&mut self, set: &Value) {
        let node = match self.scale.nodes {
            0 => "demo-worker".to_owned(),
            nodes => format!("scale-node-{:04}", self.random.between(0, nodes as i64)),
        };
        let prefix = format!("{}-", set["metadata"]["name"].as_str().unwrap_or_default());
        let mut pod = json!({
            "kind": "Pod",
            "metadata": {
                "generateName": prefix, "namespace": set["metadata"]["namespace"],
                "labels": set["spec"]["template"]["metadata"]["labels"], "ownerReferences": [owner_reference(set)],
            },
            "spec": set["spec"]["template"]["spec"],
        });
        pod["spec"]["nodeName"] = json!(node);
        let at = self.stamp();
        let condition = |kind: &str| json!({"type": kind, "status": "True", "lastProbeTime": null, "lastTransitionTime": at});
        let kinds = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];
        let ip = format!(
            "10.{}.{}.{}",
            self.random.between(16, 240),
            self.random.between(0, 256),
            self.random.between(1, 255)
        );
        let image = pod["spec"]["containers"][0]["image"].clone();
        let id = self.random.hex(64);
        pod["status"] = json!({
            "phase": "Running", "conditions": kinds.map(condition), "hostIP": "172.18.0.9", "startTime": at,
            "podIP": ip, "podIPs": [{"ip": ip}],
            "containerStatuses": [{
                "name": "app", "image": image, "imageID": format!("registry.example.com/load/app@sha256:{id}"),
                "containerID": format!("containerd://{id}"), "restartCount": 0, "ready": true, "started": true,
                "state": {"running": {"startedAt": at}}, "lastState": {},
            }],
        });
        self.create(pod);
    }

    /// Some pods change: readiness, a restart, or a replacement.
    pub(super) fn churn(&mut self) {
        self.scale.owed += self.scale.churn_per_second * BEAT_MS / 1000.0;
        while self.scale.owed >= 1.0 {
            self.scale.owed -= 1.0;
            self.change_one();
        }
        self.after(BEAT_MS as i64, Action::Churn);
    }

    fn change_one(&mut self) {
        let namespace = format!("scale-{:03}", self.random.between(0, self.scale.namespaces as i64));
        let pods = self.store.list(&PODS, Some(&namespace));
        let chosen = self.random.between(0, pods.len() as i64) as usize;
        let Some(pod) = pods.get(chosen) else { return };
        match self.random.between(0, 10) {
            0..=4 => self.flip_ready(pod),
            5..=7 => self.restart_one(pod),
            _ => self.replace_one(pod),
        }
    }

    fn flip_ready(&mut self, pod: &Arc<Object>) {
        let (ready, now) = (pod.ready_since.is_none(), self.stamp());
        self.update(&PODS, &pod.namespace, &pod.name, |pod| {
            pod["status"]["containerStatuses"][0]["ready"] = json!(ready);
            for condition in pod["status"]["conditions"].as_array_mut().into_iter().flatten() {
                if condition["type"] == "Ready" || condition["type"] == "ContainersReady" {
                    condition["status"] = json!(if ready { "True" } else { "False" });
                    condition["lastTransitionTime"] = json!(now);
                }
            }
        });
    }

    fn restart_one(&mut self, pod: &Arc<Object>) {
        let now = stamp(self.now);
        self.update(&PODS, &pod.namespace, &pod.name, |pod| {
            let status = &mut pod["status"]["containerStatuses"][0];
            let started = status["state"]["running"]["startedAt"].clone();
            status["restartCount"] = json!(status["restartCount"].as_i64().unwrap_or(0) + 1);
            status["lastState"] = json!({"terminated": {
                "exitCode": 1, "reason": "Error", "startedAt": started, "finishedAt": now, "containerID": status["containerID"],
            }});
            status["state"] = json!({"running": {"startedAt": now}});
        });
    }

    fn replace_one(&mut self, pod: &Arc<Object>) {
        let sets = self.store.list(&super::resource::REPLICA_SETS, Some(&pod.namespace));
        self.store.remove(&PODS, &pod.namespace, &pod.name);
        if let Some(set) = sets.iter().find(|set| set.uid == pod.owner) {
            let set = set.value();
            self.fill_pod(&set);
        }
    }
}
