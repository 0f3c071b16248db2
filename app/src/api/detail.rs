//! What an object's own page shows beyond its row. Chosen field by field, like the rows:
//! environment, arguments, volumes' contents and annotations are not in it.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Labels, Needs, Text, Timestamp, manifest::Manifest, probe::Probe};

/// What an object's own page shows. What a kind does not have stays empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Detail {
    /// `metadata.uid` as the API server writes it.
    pub uid: Arc<str>,
    /// When a pod was told to end, at the latest: `metadata.deletionTimestamp` less the time it is given.
    pub told_to_end: Option<Timestamp>,
    /// `status.conditions`, in their order.
    pub conditions: Vec<Condition>,
    /// Containers: a pod's, or a pod template's. Init containers first, then regular, then ephemeral.
    pub containers: Vec<Container>,
    /// What a pod, or a pod of the template, asks of its node.
    pub needs: Needs,
    /// What a pod template has besides; `None` for what is none.
    pub template: Option<Template>,
    /// The pod template as a whole, of kinds whose templates are compared. Stays with the server.
    #[serde(skip)]
    pub manifest: Manifest,
    /// How a controller replaces its pods; of others nothing.
    pub pace: Pace,
    /// Further facts in the words of `kubectl describe`: label and value.
    pub facts: Vec<(Text, Arc<str>)>,
}

impl Detail {
    /// Since when its condition of this type is true.
    pub fn true_since(&self, kind: &str) -> Option<Timestamp> {
        let condition = self.conditions.iter().find(|condition| condition.kind == kind)?;
        condition.last_transition.filter(|_| condition.status == "True")
    }
}

/// How a controller replaces its pods.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pace {
    /// `minReadySeconds`
    pub min_ready: i32,
    /// `progressDeadlineSeconds`; `None` where it waits forever.
    pub deadline: Option<i64>,
    /// `status.updateRevision` of a StatefulSet.
    pub newest: Text,
    /// Annotation `deployment.kubernetes.io/desired-replicas`: how many pods a ReplicaSet's Deployment wanted when that
    /// last scaled it.
    pub scaled_for: Option<i32>,
    /// `partition` of a StatefulSet: from which ordinal on pods get a new template.
    pub partition: i64,
}

/// One condition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// `Ready`, `PodScheduled`, `Progressing`…
    #[serde(rename = "type")]
    pub kind: Text,
    /// `True`, `False`, `Unknown`.
    pub status: Text,
    /// A word.
    pub reason: Text,
    /// A sentence.
    pub message: Arc<str>,
    /// When `status` last changed.
    pub last_transition: Option<Timestamp>,
}

/// What a pod template says of the pods as a whole, beside what they ask of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Template {
    /// `metadata.labels`.
    pub labels: Labels,
    /// Of `metadata.annotations` those that are read, by key.
    pub annotations: Vec<(Text, Text)>,
    /// Whether it has others, which are not.
    pub more_annotations: bool,
    /// `spec.serviceAccountName`.
    pub service_account: Text,
    /// Whether it has volumes, which are not read.
    pub has_volumes: bool,
    /// `spec.topologySpreadConstraints`, as kubectl describe prints them.
    pub spread: Vec<Text>,
    /// `spec.priorityClassName`.
    pub priority_class: Text,
    /// `spec.schedulingGroup.podGroupName`.
    pub pod_group: Text,
}

/// Which part a container plays in its pod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Runs to its end before the regular ones start.
    Init,
    /// An init container with `restartPolicy: Always`.
    Sidecar,
    /// `spec.containers`.
    #[default]
    Regular,
    /// Put in by `kubectl debug`.
    Ephemeral,
}

/// A container: how it is specified and, in a pod, how it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// Its name.
    pub name: Text,
    /// Its part.
    pub role: Role,
    /// `image`, as specified.
    pub image: Text,
    /// Its ports.
    pub ports: Vec<Port>,
    /// `requests` and `limits`: name and quantity as written.
    pub requests: Vec<(Text, Text)>,
    /// The upper bounds.
    pub limits: Vec<(Text, Text)>,
    /// The probes it has, in kubectl's order: liveness, readiness, startup.
    pub probes: Vec<Probe>,
    /// `securityContext.seccompProfile`.
    pub seccomp: Option<Seccomp>,
    /// What it has that is not read.
    pub withheld: Withheld,
    /// How it is, once the kubelet has said so; `None` in a template.
    pub status: Option<ContainerStatus>,
}

/// A port of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Port {
    /// Often empty.
    pub name: Text,
    /// `containerPort`.
    pub number: i64,
    /// `hostPort`, 0 if none.
    pub host: i64,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: Text,
}

/// `5000/TCP`, with a name in front if it has one: `flask-port 5000/TCP`.
impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.name.is_empty() {
            write!(f, "{} ", self.name)?;
        }
        write!(f, "{}/{}", self.number, self.protocol)
    }
}

/// A seccomp profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seccomp {
    /// `RuntimeDefault`, `Localhost`, `Unconfined`.
    #[serde(rename = "type")]
    pub kind: Text,
    /// `localhostProfile`.
    pub localhost: Text,
}

/// What a container has that Masthead does not read, since it may hold secrets: only that it is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Withheld {
    /// `command`
    pub command: bool,
    /// `args`
    pub args: bool,
    /// `env`
    pub environment: bool,
    /// `envFrom`
    pub environment_from: bool,
    /// `volumeMounts`
    pub mounts: bool,
    /// `volumeDevices`
    pub devices: bool,
}

/// How a container is, by the kubelet's words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerStatus {
    /// Serves.
    pub ready: bool,
    /// Past its startup probe; `None` if not said.
    pub started: Option<bool>,
    /// How many times it was started again.
    pub restarts: i32,
    /// Now.
    pub state: ContainerState,
    /// Before its last restart.
    pub last: Option<Terminated>,
    /// What runs, by digest.
    pub image_id: Text,
}

impl ContainerStatus {
    /// Whether what has this stamp happened since the container last began. Stamps are whole seconds, and a container
    /// that has run before may have been asked in the second in which it began again, when it had ended but the
    /// kubelet did not know: that is not known to be of this start.
    pub fn in_this_start(&self, at: Timestamp) -> bool {
        let ContainerState::Running { since: Some(since) } = self.state else { return false };
        at > since || at == since && self.restarts == 0 && self.last.is_none()
    }
}

/// `state` of a container status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ContainerState {
    /// Not said; kubectl treats this as waiting.
    #[default]
    Unknown,
    /// Not started, or not again yet.
    Waiting {
        /// `ContainerCreating`, `CrashLoopBackOff`…
        reason: Text,
        /// In the kubelet's words.
        message: Arc<str>,
    },
    /// Runs.
    Running {
        /// Since.
        since: Option<Timestamp>,
    },
    /// Ended.
    Terminated(Terminated),
}

/// How a container ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Terminated {
    /// `Completed`, `Error`, `OOMKilled`…
    pub reason: Text,
    /// In the kubelet's words.
    pub message: Arc<str>,
    /// Its exit code.
    pub exit_code: i64,
    /// The signal that ended it, 0 if none.
    pub signal: i64,
    /// Began.
    pub started: Option<Timestamp>,
    /// Ended.
    pub finished: Option<Timestamp>,
}

impl fmt::Display for ContainerState {
    /// `Running`, `Waiting: CrashLoopBackOff`, `Terminated: Error`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ContainerState::Unknown => f.write_str("Waiting"),
            ContainerState::Running { .. } => f.write_str("Running"),
            ContainerState::Waiting { reason, .. } if reason.is_empty() => f.write_str("Waiting"),
            ContainerState::Waiting { reason, .. } => write!(f, "Waiting: {reason}"),
            ContainerState::Terminated(end) if end.reason.is_empty() => f.write_str("Terminated"),
            ContainerState::Terminated(end) => write!(f, "Terminated: {}", end.reason),
        }
    }
}
