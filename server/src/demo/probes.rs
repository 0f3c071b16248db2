//! Probes: one worker per container and kind (kubernetes `pkg/kubelet/prober/worker.go`).

use serde_json::Value;

use super::cluster::Cluster;
use super::kubelet::Step;
use super::run::State;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProbeKind {
    Startup,
    Liveness,
    Readiness,
}

impl ProbeKind {
    fn name(self) -> &'static str {
        match self {
            ProbeKind::Startup => "Startup",
            ProbeKind::Liveness => "Liveness",
            ProbeKind::Readiness => "Readiness",
        }
    }
}

/// One probe of one container, and the run of equal results it is in.
#[derive(Clone, Debug)]
pub(super) struct Prober {
    pub(super) kind: ProbeKind,
    initial_delay: i64,
    period: i64,
    success: i64,
    failure: i64,
    /// Path and port of a GET; other kinds of probe always succeed here.
    get: Option<(String, i64)>,
    failed: bool,
    in_a_row: i64,
}

impl Prober {
    pub(super) fn all(container: &Value) -> Vec<Prober> {
        let kinds = [
            ("startupProbe", ProbeKind::Startup),
            ("livenessProbe", ProbeKind::Liveness),
            ("readinessProbe", ProbeKind::Readiness),
        ];
        let set = kinds.into_iter().filter(|(key, _)| container[key].is_object());
        set.map(|(key, kind)| Prober::of(&container[key], kind, container)).collect()
    }

    fn of(probe: &Value, kind: ProbeKind, container: &Value) -> Prober {
        let number = |key: &str, default: i64| probe[key].as_i64().filter(|n| *n > 0).unwrap_or(default);
        let port = &probe["httpGet"]["port"];
        let ports = container["ports"].as_array().map_or(&[][..], Vec::as_slice);
        let named = || ports.iter().find(|known| known["name"] == *port)?["containerPort"].as_i64();
        let port = port.as_i64().or_else(named).unwrap_or(80);
        let path = probe["httpGet"]["path"].as_str().map(str::to_owned);
        Prober {
            kind,
            initial_delay: number("initialDelaySeconds", 0) * 1000,
            period: number("periodSeconds", 10) * 1000,
            success: number("successThreshold", 1),
            failure: number("failureThreshold", 3),
            get: path.map(|path| (path, port)),
            failed: false,
            in_a_row: 0,
        }
    }

    pub(super) fn reset(&mut self) {
        (self.failed, self.in_a_row) = (false, 0);
    }

    /// Notes a result; true once as many in a row as it takes to have an effect.
    fn note(&mut self, failed: bool) -> bool {
        self.in_a_row = if failed == self.failed { self.in_a_row + 1 } else { 1 };
        self.failed = failed;
        self.in_a_row >= if failed { self.failure } else { self.success }
    }
}

impl Cluster {
    /// Plans the probes a started container is due: only the startup probe, until it has passed.
    pub(super) fn plan_probes(&mut self, uid: &str, index: usize) {
        let Some(run) = self.runs.get(uid) else {
            return;
        };
        let Some(container) = run.containers.get(index) else {
            return;
        };
        let State::Running { since, .. } = container.state else {
            return;
        };
        let (worker, instance, started) = (run.since, container.instance, container.started);
        let due: Vec<(ProbeKind, i64)> = container
            .probers
            .iter()
            .filter(|prober| (prober.kind == ProbeKind::Startup) != started)
            .map(|prober| {
                // The worker ticks from the moment it was made, not from the container's start.
                let earliest = self.now.max(since + prober.initial_delay) - worker;
                let ticks = (earliest + prober.period - 1).div_euclid(prober.period);
                (prober.kind, worker + ticks * prober.period)
            })
            .collect();
        for (kind, at) in due {
            let wait = (at - self.now).max(0);
            self.plan(uid, wait, Step::Probe { container: index, kind, instance });
        }
    }

    pub(super) fn probe(&mut self, uid: &str, index: usize, kind: ProbeKind, instance: i64) {
        let now = self.now;
        let Some(run) = self.runs.get_mut(uid) else {
            return;
        };
        let ip = run.ip.clone().unwrap_or_default();
        let Some(container) = run.containers.get_mut(index) else {
            return;
        };
        let State::Running { since, .. } = container.state else {
            return;
        };
        if container.instance != instance {
            return;
        }
        let (workload, elapsed) = (container.workload.clone(), now - since);
        let Some(prober) = container.probers.iter_mut().find(|prober| prober.kind == kind) else {
            return;
        };
        let result = match &prober.get {
            Some((path, port)) => workload.get(&format!("http://{ip}:{port}"), path, elapsed),
            None => Ok(()),
        };
        let (effective, period) = (prober.note(result.is_err()), prober.period);
        let (was_ready, failed) = (container.ready, result.is_err());
        match kind {
            ProbeKind::Startup if effective && !failed => {
                container.started = true;
                container.ready = !container.probers.iter().any(|p| p.kind == ProbeKind::Readiness);
            }
            ProbeKind::Readiness if effective => container.ready = !failed,
            _ => {}
        }
        let (passed, ready) = (kind == ProbeKind::Startup && container.started, container.ready);
        if let Err(output) = result {
            let message = format!("{} probe failed: {output}", kind.name());
            self.record_container(uid, index, true, "Unhealthy", |_| message.clone());
        }
        if passed || ready != was_ready {
            self.report_pod(uid);
        }
        if passed {
            return self.plan_probes(uid, index);
        }
        if failed && effective && kind != ProbeKind::Readiness {
            let word = kind.name().to_lowercase();
            self.record_container(uid, index, false, "Killing", |container| {
                format!("Container {} failed {word} probe, will be restarted", container.name)
            });
            let dying = self.random.between(700, 2500);
            return self.plan(uid, dying, Step::Exit { container: index, instance, code: 137, killed: true });
        }
        // An answer that cannot change any more needs no asking.
        if failed || !effective || !workload.steady(elapsed) {
            self.plan(uid, period, Step::Probe { container: index, kind, instance });
        }
    }
}
