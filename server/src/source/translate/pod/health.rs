//! How a pod is, in five states, and the line of evidence for it.
//!
//! Failing is what will not mend by waiting alone: a container whose last start failed, a pod that
//! ended badly, a pod that fits on no node. A pod that is on its way (being scheduled, started,
//! made ready, or deleted) is progressing however long that takes; its age tells.

use app::api::{Health, Timestamp};

use super::status;
use crate::source::{
    object::{
        container::{ContainerStatus, Terminated},
        pod::Pod,
    },
    translate::{line, meta},
};

/// Health, and why.
pub fn judge(pod: &Pod) -> (Health, String) {
    lost(pod)
        .or_else(|| ended(pod))
        .or_else(|| deleting(pod))
        .or_else(|| failing(pod))
        .or_else(|| unscheduled(pod))
        .unwrap_or_else(|| on_its_way(pod))
}

/// Since when it is as it is: of a pod without a node since the scheduler found none, of others since they are not
/// ready. A container that comes up for a moment between two crashes makes its pod ready for that moment, if no probe
/// says otherwise, and so this is since the last of them.
pub fn since(pod: &Pod, health: Health) -> Option<Timestamp> {
    if health == Health::Healthy {
        return None;
    }
    let not = |kind: &str| pod.status.condition(kind).filter(|condition| !condition.is_true());
    let condition = not("PodScheduled").or_else(|| not("Ready"))?;
    condition.last_transition_time.0
}

type Verdict = Option<(Health, String)>;

/// Its node does not report.
fn lost(pod: &Pod) -> Verdict {
    let status = &pod.status;
    if status.reason == "NodeLost" || status.phase == "Unknown" {
        let why = if status.message.is_empty() { "its node does not report" } else { &status.message };
        return Some((Health::Unknown, line(why)));
    }
    // The node lifecycle controller turns Ready off for the pods of a silent node and leaves the rest
    // as it was (`pkg/controller/util/node/controller_utils.go`, `MarkPodsNotReady`); the kubelet would
    // have given a reason.
    let silent =
        status.condition("Ready").is_some_and(|ready| ready.status == "False" && ready.reason.is_empty())
            && status.condition("ContainersReady").is_some_and(|ready| ready.is_true());
    silent.then(|| {
        (Health::Unknown, "its node does not report: Ready was set to False from outside".to_owned())
    })
}

/// Nothing more will happen.
fn ended(pod: &Pod) -> Verdict {
    match pod.status.phase.as_str() {
        "Succeeded" => Some((Health::Healthy, String::new())),
        "Failed" => Some((Health::Failing, why_failed(pod))),
        _ => None,
    }
}

fn why_failed(pod: &Pod) -> String {
    let status = &pod.status;
    let stated = match (&*status.reason, &*status.message) {
        ("", message) => line(message),
        (reason, "") => reason.to_owned(),
        (reason, message) => format!("{reason}: {}", line(message)),
    };
    if !stated.is_empty() {
        return stated;
    }
    containers(pod)
        .find_map(|container| failure(pod, container))
        .unwrap_or_else(|| "the pod has failed".to_owned())
}

fn deleting(pod: &Pod) -> Verdict {
    pod.metadata.deletion_timestamp.0?;
    let disrupted = pod.status.condition("DisruptionTarget").filter(|condition| condition.is_true());
    let why = match disrupted {
        Some(condition) if !condition.message.is_empty() => line(&condition.message),
        _ => meta::deleting(&pod.metadata),
    };
    Some((Health::Progressing, why))
}

/// A container is in trouble.
fn failing(pod: &Pod) -> Verdict {
    let why = containers(pod).find_map(|container| failure(pod, container))?;
    Some((Health::Failing, why))
}

fn containers(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    pod.status.init_container_statuses.iter().chain(&pod.status.container_statuses)
}

/// What is wrong with a container, if it is.
fn failure(pod: &Pod, container: &ContainerStatus) -> Option<String> {
    let why = if let Some(waiting) = &container.state.waiting {
        if !is_error(&waiting.reason) {
            return None;
        }
        let stated = if waiting.message.is_empty() {
            waiting.reason.to_string()
        } else {
            anonymous(&line(&waiting.message))
        };
        match &container.last_state.terminated {
            Some(ended) if waiting.reason == "CrashLoopBackOff" => format!("{}; {stated}", ending(ended)),
            // kubectl's word for it, unless the message has it
            _ if !stated.contains(waiting.reason.as_str()) => format!("{}: {stated}", waiting.reason),
            _ => stated,
        }
    } else {
        let ended = container.state.terminated.as_ref()?;
        if ended.exit_code == 0 && ended.signal == 0 && !is_error(&ended.reason) {
            return None;
        }
        match line(&ended.message) {
            message if message.is_empty() => ending(ended),
            message => format!("{}: {message}", ending(ended)),
        }
    };
    let alone = pod.spec.containers.len() + pod.spec.init_containers.len() <= 1;
    Some(if alone || mentions(&why, &container.name) { why } else { format!("{}: {why}", container.name) })
}

/// The kubelet's back-off without the pod's own name and uid, which the row says and which make alike
/// pods look different: `back-off 40s restarting failed container=app pod=web_default(8d3f…)`
/// (`pkg/kubelet/kuberuntime/kuberuntime_manager.go`, `doBackOff`).
fn anonymous(message: &str) -> String {
    match message.split_once(" pod=") {
        Some((stated, _)) if message.starts_with("back-off ") => stated.to_owned(),
        _ => message.to_owned(),
    }
}

/// Whether a name stands in a text, not merely its letters.
fn mentions(text: &str, name: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').any(|word| word == name)
}

/// `exit code 137 (OOMKilled)`.
fn ending(ended: &Terminated) -> String {
    let how = match ended.signal {
        0 => format!("exit code {}", ended.exit_code),
        signal => format!("signal {signal}"),
    };
    if ended.reason.is_empty() { how } else { format!("{how} ({})", ended.reason) }
}

/// Whether a reason names an error. While nothing has gone wrong the kubelet says
/// `ContainerCreating` or `PodInitializing`, and otherwise the error of the last attempt
/// (`pkg/kubelet/kubelet_pods.go`, `convertToAPIContainerStatuses`; names in
/// `pkg/kubelet/images/types.go`, `container/sync_result.go`, `kuberuntime/kuberuntime_container.go`).
fn is_error(reason: &str) -> bool {
    const MARKS: [&str; 11] = [
        "Err",
        "BackOff",
        "CreateContainer",
        "InvalidImageName",
        "OOMKilled",
        "Failed",
        "CannotRun",
        "Unavailable",
        "Deadline",
        "StatusUnknown",
        "Evicted",
    ];
    MARKS.iter().any(|mark| reason.contains(mark))
}

/// It has no node.
fn unscheduled(pod: &Pod) -> Verdict {
    let scheduled = pod.status.condition("PodScheduled");
    match scheduled.map(|condition| (&*condition.reason, condition)) {
        Some(("SchedulingGated", condition)) => {
            let stated = line(&condition.message);
            Some((Health::Waiting, if stated.is_empty() { "SchedulingGated".to_owned() } else { stated }))
        }
        Some((reason, condition)) if condition.status == "False" && !reason.is_empty() => {
            let stated = line(&condition.message);
            Some((Health::Failing, if stated.is_empty() { reason.to_owned() } else { stated }))
        }
        _ if pod.spec.node_name.is_empty() && containers(pod).next().is_none() => {
            Some((Health::Waiting, "not scheduled yet".to_owned()))
        }
        _ => None,
    }
}

/// It has a node and nothing has gone wrong.
fn on_its_way(pod: &Pod) -> (Health, String) {
    let printed = status::print(pod);
    let ready = pod.status.condition("Ready");
    let all = printed.ready == printed.total && pod.status.phase == "Running";
    if all && ready.is_none_or(|condition| condition.is_true()) {
        return (Health::Healthy, String::new());
    }
    let stated = ["Initialized", "ContainersReady", "Ready"]
        .into_iter()
        .filter_map(|kind| pod.status.condition(kind))
        .find(|condition| condition.status == "False" && !condition.message.is_empty());
    let why = match stated {
        Some(condition) => line(&condition.message),
        None if containers(pod).next().is_none() => format!("assigned to node {}", pod.spec.node_name),
        None => format!("{} of {} containers are ready", printed.ready, printed.total),
    };
    (Health::Progressing, why)
}
