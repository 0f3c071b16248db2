//! Containers as an object's own page shows them.

use std::collections::{BTreeMap, HashMap};

use app::api::{
    Text,
    detail::{Container, ContainerState, ContainerStatus, Port, Role, Seccomp, Terminated, Withheld},
    probe::{Probe, ProbeHandler, ProbeKind},
};

use super::count;
use crate::source::object::{container as object, quantity::Quantity, template::PodSpec};

/// Every container of a pod or template: init containers first, then regular, then ephemeral.
/// `statuses` are those of the same three lists, in that order.
pub fn containers(spec: &PodSpec, statuses: [&[object::ContainerStatus]; 3]) -> Vec<Container> {
    let statuses = statuses.map(by_name);
    let init = spec.init_containers.iter().map(|container| {
        let role = if container.is_sidecar() { Role::Sidecar } else { Role::Init };
        self::container(container, role, &statuses[0])
    });
    let regular = spec.containers.iter().map(|c| container(c, Role::Regular, &statuses[1]));
    let ephemeral = spec.ephemeral_containers.iter().map(|c| container(c, Role::Ephemeral, &statuses[2]));
    init.chain(regular).chain(ephemeral).collect()
}

/// Statuses by their containers' names, of two the first. There is room for tens of thousands in one pod, so nobody
/// looks through all of them for each container.
pub type ByName<'a> = HashMap<&'a str, &'a object::ContainerStatus>;

/// See [`ByName`].
pub fn by_name<'a>(
    statuses: impl IntoIterator<Item = &'a object::ContainerStatus, IntoIter: DoubleEndedIterator>,
) -> ByName<'a> {
    statuses.into_iter().rev().map(|status| (status.name.as_str(), status)).collect()
}

fn container(spec: &object::Container, role: Role, statuses: &ByName<'_>) -> Container {
    let probes = [
        (ProbeKind::Liveness, &spec.liveness_probe),
        (ProbeKind::Readiness, &spec.readiness_probe),
        (ProbeKind::Startup, &spec.startup_probe),
    ];
    Container {
        name: spec.name.clone(),
        role,
        image: spec.image.clone(),
        ports: spec.ports.iter().map(port).collect(),
        requests: quantities(&spec.resources.requests),
        limits: quantities(&spec.resources.limits),
        probes: probes
            .into_iter()
            .filter_map(|(kind, spec)| spec.as_ref().map(|spec| probe(kind, spec)))
            .collect(),
        seccomp: spec.security_context.seccomp_profile.as_ref().map(|profile| Seccomp {
            kind: profile.kind.clone(),
            localhost: profile.localhost_profile.clone(),
        }),
        withheld: withheld(spec),
        status: statuses.get(spec.name.as_str()).copied().map(status),
    }
}

fn port(port: &object::Port) -> Port {
    Port {
        name: port.name.clone(),
        number: port.container_port,
        host: port.host_port,
        protocol: or(&port.protocol, "TCP").into(),
    }
}

fn withheld(spec: &object::Container) -> Withheld {
    Withheld {
        command: spec.command.any(),
        args: spec.args.any(),
        environment: spec.env.any(),
        environment_from: spec.env_from.any(),
        mounts: spec.volume_mounts.any(),
        devices: spec.volume_devices.any(),
    }
}

fn quantities(quantities: &BTreeMap<Text, Quantity>) -> Vec<(Text, Text)> {
    quantities.iter().map(|(name, quantity)| (name.clone(), quantity.0.clone())).collect()
}

/// A probe with the defaults the API server fills in (`pkg/apis/core/v1/defaults.go`,
/// `SetDefaults_Probe`, `SetDefaults_HTTPGetAction`), where 0 means unset.
fn probe(kind: ProbeKind, probe: &object::Probe) -> Probe {
    let unset = |number: i64, default: i64| if number == 0 { default } else { number };
    Probe {
        kind,
        handler: handler(probe),
        delay: probe.initial_delay_seconds,
        timeout: unset(probe.timeout_seconds, 1),
        period: unset(probe.period_seconds, 10),
        success: unset(probe.success_threshold, 1),
        failure: unset(probe.failure_threshold, 3),
        grace: probe.termination_grace_period_seconds,
    }
}

fn handler(probe: &object::Probe) -> ProbeHandler {
    if let Some(exec) = &probe.exec {
        ProbeHandler::Exec { words: exec.command.0 }
    } else if let Some(get) = &probe.http_get {
        ProbeHandler::HttpGet {
            scheme: or(&get.scheme, "HTTP").to_ascii_lowercase().into(),
            host: get.host.clone(),
            port: get.port.0.clone(),
            path: or(&get.path, "/").into(),
            headers: get.http_headers.iter().map(|header| header.name.clone()).collect(),
        }
    } else if let Some(tcp) = &probe.tcp_socket {
        ProbeHandler::TcpSocket { host: tcp.host.clone(), port: tcp.port.0.clone() }
    } else if let Some(grpc) = &probe.grpc {
        ProbeHandler::Grpc { port: grpc.port.to_string().into(), service: grpc.service.clone() }
    } else {
        ProbeHandler::Unknown
    }
}

fn or<'a>(text: &'a str, default: &'a str) -> &'a str {
    if text.is_empty() { default } else { text }
}

fn status(status: &object::ContainerStatus) -> ContainerStatus {
    ContainerStatus {
        ready: status.ready,
        started: status.started,
        restarts: count(status.restart_count),
        state: state(&status.state),
        last: status.last_state.terminated.as_ref().map(terminated),
        image_id: status.image_id.clone(),
    }
}

/// In kubectl's order of trying (kubectl `pkg/describe/describe.go`, `describeStatus`).
fn state(state: &object::State) -> ContainerState {
    if let Some(running) = &state.running {
        ContainerState::Running { since: running.started_at.0 }
    } else if let Some(waiting) = &state.waiting {
        ContainerState::Waiting { reason: waiting.reason.clone(), message: waiting.message.clone() }
    } else if let Some(ended) = &state.terminated {
        ContainerState::Terminated(terminated(ended))
    } else {
        ContainerState::Unknown
    }
}

fn terminated(ended: &object::Terminated) -> Terminated {
    Terminated {
        reason: ended.reason.clone(),
        message: ended.message.clone(),
        exit_code: ended.exit_code,
        signal: ended.signal,
        started: ended.started_at.0,
        finished: ended.finished_at.0,
    }
}
