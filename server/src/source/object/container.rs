//! Containers: how they are specified, and how the kubelet says they are.

use std::{collections::BTreeMap, sync::Arc};

use app::api::Text;

use super::{
    object,
    quantity::Quantity,
    scalar::{IntOrString, Time, Words},
};

object! {
    /// A container's specification. Of `env`, `envFrom`, `args`, `command`, `volumeMounts` and `volumeDevices`
    /// only the length is read.
    pub struct Container {
        /// `name`
        pub name: Text,
        /// `image`
        pub image: Text,
        /// `restartPolicy`; `Always` makes an init container a sidecar
        pub restart_policy: Text,
        /// `ports`
        pub ports: Vec<Port>,
        /// `resources`
        pub resources: Resources,
        /// `livenessProbe`
        pub liveness_probe: Option<Probe>,
        /// `readinessProbe`
        pub readiness_probe: Option<Probe>,
        /// `startupProbe`
        pub startup_probe: Option<Probe>,
        /// `command`, its length
        pub command: Words,
        /// `args`, its length
        pub args: Words,
        /// `env`, its length
        pub env: Words,
        /// `envFrom`, its length
        pub env_from: Words,
        /// `volumeMounts`, its length
        pub volume_mounts: Words,
        /// `volumeDevices`, its length
        pub volume_devices: Words,
        /// `securityContext`
        pub security_context: SecurityContext,
    }

    /// A container's security context, of which only the seccomp profile is read.
    pub struct SecurityContext {
        /// `seccompProfile`
        pub seccomp_profile: Option<SeccompProfile>,
    }

    /// A seccomp profile.
    pub struct SeccompProfile {
        /// `type`
        #[serde(rename = "type")]
        pub kind: Text,
        /// `localhostProfile`
        pub localhost_profile: Text,
    }

    /// A port.
    pub struct Port {
        /// `name`
        pub name: Text,
        /// `containerPort`
        pub container_port: i64,
        /// `hostPort`
        pub host_port: i64,
        /// `hostIP`
        #[serde(rename = "hostIP")]
        pub host_ip: Text,
        /// `protocol`
        pub protocol: Text,
    }

    /// Requests and limits, by resource name.
    pub struct Resources {
        /// `requests`
        pub requests: BTreeMap<Text, Quantity>,
        /// `limits`
        pub limits: BTreeMap<Text, Quantity>,
    }

    /// A probe.
    pub struct Probe {
        /// `exec`
        pub exec: Option<Exec>,
        /// `httpGet`
        pub http_get: Option<HttpGet>,
        /// `tcpSocket`
        pub tcp_socket: Option<TcpSocket>,
        /// `grpc`
        pub grpc: Option<Grpc>,
        /// `initialDelaySeconds`
        pub initial_delay_seconds: i64,
        /// `timeoutSeconds`
        pub timeout_seconds: i64,
        /// `periodSeconds`
        pub period_seconds: i64,
        /// `successThreshold`
        pub success_threshold: i64,
        /// `failureThreshold`
        pub failure_threshold: i64,
        /// `terminationGracePeriodSeconds`
        pub termination_grace_period_seconds: Option<i64>,
    }

    /// A probe that runs a command.
    pub struct Exec {
        /// `command`, its length
        pub command: Words,
    }

    /// A probe that GETs a URL.
    pub struct HttpGet {
        /// `scheme`
        pub scheme: Text,
        /// `host`
        pub host: Text,
        /// `port`
        pub port: IntOrString,
        /// `path`
        pub path: Text,
        /// `httpHeaders`
        pub http_headers: Vec<Header>,
    }

    /// A header, of which only the name is read.
    pub struct Header {
        /// `name`
        pub name: Text,
    }

    /// A probe that opens a connection.
    pub struct TcpSocket {
        /// `host`
        pub host: Text,
        /// `port`
        pub port: IntOrString,
    }

    /// A probe that asks gRPC's health service.
    pub struct Grpc {
        /// `port`
        pub port: i64,
        /// `service`
        pub service: Text,
    }

    /// How a container is.
    pub struct ContainerStatus {
        /// `name`
        pub name: Text,
        /// `ready`
        pub ready: bool,
        /// `started`
        pub started: Option<bool>,
        /// `restartCount`
        pub restart_count: i64,
        /// `state`
        pub state: State,
        /// `lastState`
        pub last_state: State,
        /// `imageID`
        #[serde(rename = "imageID")]
        pub image_id: Text,
        /// `allocatedResources`: what the node has set aside for it
        pub allocated_resources: Option<BTreeMap<Text, Quantity>>,
        /// `resources`: what it runs with
        pub resources: RunningResources,
    }

    /// Requests a container, or a pod, runs with.
    pub struct RunningResources {
        /// `requests`
        pub requests: Option<BTreeMap<Text, Quantity>>,
    }

    /// At most one of the three is set.
    pub struct State {
        /// `waiting`
        pub waiting: Option<Waiting>,
        /// `running`
        pub running: Option<Running>,
        /// `terminated`
        pub terminated: Option<Terminated>,
    }

    /// Not started, or not again yet.
    pub struct Waiting {
        /// `reason`
        pub reason: Text,
        /// `message`
        pub message: Arc<str>,
    }

    /// Runs.
    pub struct Running {
        /// `startedAt`
        pub started_at: Time,
    }

    /// Ended.
    pub struct Terminated {
        /// `reason`
        pub reason: Text,
        /// `message`
        pub message: Arc<str>,
        /// `exitCode`
        pub exit_code: i64,
        /// `signal`
        pub signal: i64,
        /// `startedAt`
        pub started_at: Time,
        /// `finishedAt`
        pub finished_at: Time,
    }
}

impl Container {
    /// As an init container: one that keeps running beside the regular ones.
    pub fn is_sidecar(&self) -> bool {
        self.restart_policy == "Always"
    }
}
