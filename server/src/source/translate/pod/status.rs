//! READY, STATUS, RESTARTS and READINESS GATES (Kubernetes 1.37
//! `pkg/printers/internalversion/printers.go`, `printPod`).

use std::collections::HashMap;

use app::api::{Text, Timestamp, pod::PodStatus};

use crate::source::{
    object::{
        container::{ContainerStatus, Terminated},
        meta::Condition,
        pod::Pod,
        scalar::GO_ZERO,
    },
    translate::count,
};

/// The cells.
pub struct Printed {
    /// READY, left of the slash.
    pub ready: i32,
    /// READY, right of the slash.
    pub total: i32,
    /// STATUS.
    pub status: PodStatus,
    /// RESTARTS.
    pub restarts: i64,
    /// RESTARTS, in parentheses.
    pub last_restart: Option<Timestamp>,
}

/// Restarts, and when the last of the restarted containers had ended.
#[derive(Clone, Copy, Default)]
struct Restarts {
    sum: i64,
    last: Option<Timestamp>,
}

impl Restarts {
    fn add(&mut self, container: &ContainerStatus) {
        self.sum = self.sum.saturating_add(container.restart_count);
        let ended = container.last_state.terminated.as_ref().and_then(|ended| ended.finished_at.0);
        // none is Go's zero time, before which nothing counts
        self.last = self.last.max(ended.filter(|ended| ended.0 > GO_ZERO));
    }
}

/// Every step may overwrite what the one before it has found.
pub fn print(pod: &Pod) -> Printed {
    let spec = &pod.spec;
    let sidecars = spec.init_containers.iter().filter(|container| container.is_sidecar()).count();
    let mut printed = Printed {
        ready: 0,
        total: count((spec.containers.len() + sidecars) as i64),
        status: PodStatus::Reason(first_reason(pod)),
        restarts: 0,
        last_restart: None,
    };

    let Initialization { ready, stopped_at, mut restarts, sidecar_restarts } = initialization(pod);
    printed.ready = ready;
    let initializing = stopped_at.is_some();
    if let Some(status) = stopped_at {
        printed.status = status;
    }
    if !initializing || is_initialized(pod) {
        restarts = sidecar_restarts;
        regular_containers(pod, &mut printed, &mut restarts);
    }
    if pod.metadata.deletion_timestamp.0.is_some() {
        if pod.status.reason == "NodeLost" {
            printed.status = PodStatus::Reason("Unknown".into());
        } else if !is_terminal(pod) {
            printed.status = PodStatus::Reason("Terminating".into());
        }
    }

    printed.restarts = restarts.sum;
    printed.last_restart = restarts.last;
    printed
}

fn first_reason(pod: &Pod) -> Text {
    if pod.status.conditions.iter().any(is_scheduling_gate) {
        return "SchedulingGated".into();
    }
    let status = &pod.status;
    if status.reason.is_empty() { status.phase.clone() } else { status.reason.clone() }
}

fn is_scheduling_gate(condition: &Condition) -> bool {
    condition.kind == "PodScheduled" && condition.reason == "SchedulingGated"
}

/// What the init containers' statuses say.
struct Initialization {
    /// Sidecars that are ready.
    ready: i32,
    /// The status by the first init container that is not done.
    stopped_at: Option<PodStatus>,
    /// Of those up to it.
    restarts: Restarts,
    /// Of the sidecars among them.
    sidecar_restarts: Restarts,
}

fn initialization(pod: &Pod) -> Initialization {
    let mut found = Initialization {
        ready: 0,
        stopped_at: None,
        restarts: Restarts::default(),
        sidecar_restarts: Restarts::default(),
    };
    let specs = &pod.spec.init_containers;
    // the last of a name, as in a map that is filled in order
    let sidecars: HashMap<&str, bool> =
        specs.iter().map(|spec| (spec.name.as_str(), spec.is_sidecar())).collect();
    for (done, container) in pod.status.init_container_statuses.iter().enumerate() {
        let sidecar = sidecars.get(container.name.as_str()).copied().unwrap_or_default();
        found.restarts.add(container);
        if sidecar {
            found.sidecar_restarts.add(container);
        }
        let waiting = container.state.waiting.as_ref().map(|waiting| &waiting.reason);
        found.stopped_at = Some(match &container.state.terminated {
            Some(ended) if ended.exit_code == 0 => continue,
            _ if sidecar && container.started == Some(true) => {
                found.ready += i32::from(container.ready);
                continue;
            }
            Some(ended) if !ended.reason.is_empty() => PodStatus::InitReason(ended.reason.clone()),
            Some(ended) if ended.signal != 0 => PodStatus::InitSignal(ended.signal),
            Some(ended) => PodStatus::InitExitCode(ended.exit_code),
            None => match waiting {
                Some(reason) if !reason.is_empty() && *reason != "PodInitializing" => {
                    PodStatus::InitReason(reason.clone())
                }
                _ => PodStatus::Init(count(done as i64), count(specs.len() as i64)),
            },
        });
        break;
    }
    found
}

/// From the last to the first, so that the first has the last word.
fn regular_containers(pod: &Pod, printed: &mut Printed, restarts: &mut Restarts) {
    let mut has_running = false;
    let mut error = None;
    for container in pod.status.container_statuses.iter().rev() {
        restarts.add(container);
        let waiting = container.state.waiting.as_ref().map(|waiting| &waiting.reason);
        if let Some(reason) = waiting.filter(|reason| !reason.is_empty()) {
            printed.status = PodStatus::Reason(reason.clone());
        } else if let Some(ended) = &container.state.terminated {
            printed.status = ending(ended);
            if ended.exit_code != 0 {
                error = Some(printed.status.clone());
            }
        } else if container.ready && container.state.running.is_some() {
            has_running = true;
            printed.ready += 1;
        }
    }
    if printed.status == PodStatus::Reason("Completed".into()) {
        // not all have: one still runs, or one ended badly
        if has_running && pod.status.conditions.iter().any(is_ready) {
            printed.status = PodStatus::Reason("Running".into());
        } else if let Some(error) = error {
            printed.status = error;
        } else if has_running {
            printed.status = PodStatus::Reason("NotReady".into());
        }
    }
}

fn is_ready(condition: &Condition) -> bool {
    condition.kind == "Ready" && condition.is_true()
}

fn ending(ended: &Terminated) -> PodStatus {
    if !ended.reason.is_empty() {
        PodStatus::Reason(ended.reason.clone())
    } else if ended.signal != 0 {
        PodStatus::Signal(ended.signal)
    } else {
        PodStatus::ExitCode(ended.exit_code)
    }
}

/// Condition Initialized is True (`isPodInitializedConditionTrue`).
fn is_initialized(pod: &Pod) -> bool {
    pod.status.condition("Initialized").is_some_and(|condition| condition.is_true())
}

/// `IsPodPhaseTerminal`.
pub fn is_terminal(pod: &Pod) -> bool {
    pod.status.phase == "Succeeded" || pod.status.phase == "Failed"
}

/// How many readiness gates are open, of how many.
pub fn gates(pod: &Pod) -> Option<(i32, i32)> {
    let gates = &pod.spec.readiness_gates;
    let is_open = |kind: &Text| pod.status.condition(kind).is_some_and(|condition| condition.is_true());
    let open = gates.iter().filter(|gate| is_open(&gate.condition_type)).count();
    (!gates.is_empty()).then(|| (count(open as i64), count(gates.len() as i64)))
}
