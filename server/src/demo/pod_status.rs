//! The status a kubelet writes (kubernetes `pkg/kubelet/kubelet_pods.go`, `status/generate.go`).

use serde_json::{Value, json};

use super::clock::stamp;
use super::cluster::{Cluster, set_condition};
use super::object::condition;
use super::resource::PODS;
use super::run::{Container, Ended, Run, State};
use super::workload::{full_name, image_id};

/// The order in which a kubelet writes the conditions.
const ORDER: [&str; 5] =
    ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];

impl Cluster {
    pub(super) fn report_pod(&mut self, uid: &str) {
        let Some(run) = self.runs.get(uid) else {
            return;
        };
        let (now, host) = (self.now, self.node_address(&run.node));
        let statuses: Vec<Value> = run.containers.iter().map(container_status).collect();
        let unready: Vec<&str> =
            run.containers.iter().filter(|c| !c.ready).map(|c| c.name.as_str()).collect();
        let (phase, over) = (phase(run), run.over());
        let (ip, since, unready) = (run.ip.clone(), run.since, unready.join(" "));
        let (namespace, name) = (run.namespace.clone(), run.name.clone());
        self.update(&PODS, &namespace, &name, |pod| {
            let generation = pod["metadata"]["generation"].clone();
            let status = &mut pod["status"];
            status["phase"] = json!(phase);
            status["observedGeneration"] = generation.clone();
            status["hostIP"] = json!(host);
            status["hostIPs"] = json!([{"ip": host}]);
            status["startTime"] = json!(stamp(since));
            if let Some(ip) = &ip {
                status["podIP"] = json!(ip);
                status["podIPs"] = json!([{"ip": ip}]);
            }
            status["containerStatuses"] = json!(statuses);
            let mut set = |kind: &str, good: bool, reason: &str, message: &str| {
                let mut condition = json!({
                    "type": kind, "status": if good { "True" } else { "False" },
                    "lastProbeTime": null, "observedGeneration": generation,
                });
                if !good && !reason.is_empty() {
                    condition["reason"] = json!(reason);
                    condition["message"] = json!(message);
                }
                set_condition(status, condition, now);
            };
            set("PodReadyToStartContainers", ip.is_some() && over.is_none(), "", "");
            set("Initialized", true, "", "");
            let (reason, message) = match over {
                Some("Succeeded") => ("PodCompleted", String::new()),
                Some(_) => ("PodFailed", String::new()),
                None => ("ContainersNotReady", format!("containers with unready status: [{unready}]")),
            };
            let ready = unready.is_empty() && over.is_none();
            set("Ready", ready, reason, &message);
            set("ContainersReady", ready, reason, &message);
            if condition(pod, "PodScheduled").is_none() {
                let condition = json!({"type": "PodScheduled", "status": "True", "lastProbeTime": null, "observedGeneration": generation});
                set_condition(&mut pod["status"], condition, now);
            }
            if let Some(conditions) = pod["status"]["conditions"].as_array_mut() {
                conditions.sort_by_key(|condition| ORDER.iter().position(|kind| condition["type"] == *kind));
            }
        });
    }
}

/// `getPhase`: one that has run counts as running while it waits to be restarted.
fn phase(run: &Run) -> &'static str {
    if let Some(over) = run.over() {
        return over;
    }
    let new =
        |container: &Container| matches!(container.state, State::Waiting { .. }) && container.last.is_none();
    if run.containers.iter().any(new) { "Pending" } else { "Running" }
}

fn container_status(container: &Container) -> Value {
    let mut status = json!({
        "name": container.name, "image": container.image, "imageID": "", "restartCount": container.restarts,
        "ready": container.ready, "started": container.started, "state": {}, "lastState": {},
    });
    if let Some(last) = &container.last {
        status["lastState"] = json!({"terminated": ended(last)});
        status["containerID"] = json!(last.id);
    }
    if container.instance > 0 {
        status["image"] = json!(full_name(&container.image));
        status["imageID"] = json!(image_id(&container.image));
        status["resources"] = container.resources.clone();
        status["user"] = json!({"linux": {"gid": 0, "supplementalGroups": [0], "uid": 0}});
    }
    if container.mounts.is_array() {
        let mut mounts = container.mounts.clone();
        for mount in mounts.as_array_mut().into_iter().flatten() {
            mount["recursiveReadOnly"] = json!("Disabled");
        }
        status["volumeMounts"] = mounts;
    }
    match &container.state {
        State::Waiting { reason, message } => {
            status["state"] = json!({"waiting": {"reason": reason}});
            if !message.is_empty() {
                status["state"]["waiting"]["message"] = json!(message);
            }
        }
        State::Running { since, id } => {
            status["state"] = json!({"running": {"startedAt": stamp(*since)}});
            status["containerID"] = json!(id);
        }
        State::Ended(it) => {
            status["state"] = json!({"terminated": ended(it)});
            status["containerID"] = json!(it.id);
        }
    }
    status
}

fn ended(ended: &Ended) -> Value {
    json!({
        "exitCode": ended.code, "reason": if ended.code == 0 { "Completed" } else { "Error" },
        "startedAt": stamp(ended.started), "finishedAt": stamp(ended.finished), "containerID": ended.id,
    })
}
