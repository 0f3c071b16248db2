//! A kubelet for every node: pulls, starts, restarts and stops containers in name only
//! (kubernetes `pkg/kubelet/kuberuntime/kuberuntime_manager.go`).

use serde_json::json;

use super::cluster::{Action, Cluster};
use super::object::Object;
use super::probes::{ProbeKind, Prober};
use super::recorder::Source;
use super::resource::PODS;
use super::run::{Container, Ended, Run, State};

/// `initialBackOff` and `MaxContainerBackOff` of images and containers alike.
pub(super) const FIRST_BACK_OFF_MS: i64 = 10_000;
pub(super) const LAST_BACK_OFF_MS: i64 = 300_000;
/// How often a pod worker comes back to a container it holds off, and says so.
pub(super) const SYNC_MS: i64 = 12_000;

/// What a kubelet does next with a pod; numbers are containers by index.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Sandbox,
    Pull(usize),
    Pulled {
        container: usize,
        took: i64,
    },
    PullFailed(usize),
    PullBackOff {
        container: usize,
        until: i64,
    },
    Start(usize),
    Probe {
        container: usize,
        kind: ProbeKind,
        instance: i64,
    },
    Exit {
        container: usize,
        instance: i64,
        code: i64,
        /// By a probe, not by itself.
        killed: bool,
    },
    CrashLoop {
        container: usize,
        until: i64,
    },
    Stopped,
    Remove,
}

impl Cluster {
    /// A pod of some node changed, or is new there.
    pub(super) fn observe_pod(&mut self, object: &Object) {
        match self.runs.get_mut(&object.uid) {
            None => self.accept(object),
            Some(run) if object.deleting && !run.stopping => {
                run.stopping = true;
                self.stop(&object.uid);
            }
            Some(_) => {}
        }
    }

    fn accept(&mut self, object: &Object) {
        let pod = object.value();
        let known = pod["status"]["containerStatuses"].is_array();
        let containers = pod["spec"]["containers"].as_array();
        let run = Run {
            namespace: object.namespace.clone(),
            name: object.name.clone(),
            node: object.field("spec.nodeName").to_owned(),
            host_network: pod["spec"]["hostNetwork"] == true,
            ip: None,
            since: self.now,
            stopping: false,
            policy: object.field("spec.restartPolicy").to_owned(),
            containers: containers.into_iter().flatten().map(Container::of).collect(),
        };
        self.runs.insert(object.uid.clone(), run);
        if object.deleting {
            self.plan(&object.uid, 500, Step::Remove);
        } else if !known {
            // A pod put with a status of its own is left as it was put.
            self.report_pod(&object.uid);
            let sandbox = self.random.between(300, 900);
            self.plan(&object.uid, sandbox, Step::Sandbox);
        }
    }

    fn stop(&mut self, uid: &str) {
        let Some(run) = self.runs.get(uid) else {
            return;
        };
        let running = run.containers.iter().enumerate();
        let running: Vec<usize> = running
            .filter(|(_, c)| matches!(c.state, State::Running { .. }))
            .map(|(index, _)| index)
            .collect();
        for index in &running {
            self.record_container(uid, *index, false, "Killing", |c| {
                format!("Stopping container {}", c.name)
            });
        }
        let grace = if running.is_empty() { 300 } else { self.random.between(1500, 5000) };
        self.plan(uid, grace, Step::Stopped);
    }

    pub(super) fn plan(&mut self, uid: &str, ms: i64, step: Step) {
        self.after(ms, Action::Kubelet(uid.to_owned(), step));
    }

    pub(super) fn kubelet(&mut self, uid: &str, step: Step) {
        let Some(run) = self.runs.get(uid) else {
            return;
        };
        let ending =
            matches!(step, Step::Stopped | Step::Remove | Step::Probe { kind: ProbeKind::Readiness, .. });
        if run.stopping && !ending {
            return;
        }
        match step {
            Step::Sandbox => self.sandbox(uid),
            Step::Pull(index) => self.pull(uid, index),
            Step::Pulled { container, took } => self.pulled(uid, container, took),
            Step::PullFailed(index) => self.pull_failed(uid, index),
            Step::PullBackOff { container, until } => self.pull_back_off(uid, container, until),
            Step::Start(index) => self.start(uid, index),
            Step::Probe { container, kind, instance } => self.probe(uid, container, kind, instance),
            Step::Exit { container, instance, code, killed } => {
                self.exit(uid, container, instance, code, killed)
            }
            Step::CrashLoop { container, until } => self.crash_loop(uid, container, until),
            Step::Stopped => self.stopped(uid),
            Step::Remove => {
                if let Some(run) = self.runs.remove(uid) {
                    self.store.remove(&PODS, &run.namespace, &run.name);
                }
            }
        }
    }

    pub(super) fn container(&mut self, uid: &str, index: usize) -> Option<&mut Container> {
        self.runs.get_mut(uid)?.containers.get_mut(index)
    }

    fn sandbox(&mut self, uid: &str) {
        let Some(run) = self.runs.get(uid) else {
            return;
        };
        let (node, host, count) = (run.node.clone(), run.host_network, run.containers.len());
        let ip = if host { self.node_address(&node) } else { self.next_address(&node) };
        if let Some(run) = self.runs.get_mut(uid) {
            run.ip = Some(ip);
        }
        self.report_pod(uid);
        for index in 0..count {
            self.plan(uid, 20 * index as i64, Step::Pull(index));
        }
    }

    fn start(&mut self, uid: &str, index: usize) {
        let (now, id) = (self.now, format!("containerd://{}", self.random.hex(64)));
        let Some(container) = self.container(uid, index) else {
            return;
        };
        if let State::Ended(ended) = &container.state {
            container.last = Some(ended.clone());
        }
        container.restarts += i64::from(container.instance > 0);
        container.instance += 1;
        container.state = State::Running { since: now, id };
        container.probers.iter_mut().for_each(Prober::reset);
        container.started = !container.probers.iter().any(|p| p.kind == ProbeKind::Startup);
        container.ready =
            container.started && !container.probers.iter().any(|p| p.kind == ProbeKind::Readiness);
        let (instance, exit) = (container.instance, container.workload.exit);
        self.record_container(uid, index, false, "Created", |_| "Container created".to_owned());
        self.record_container(uid, index, false, "Started", |_| "Container started".to_owned());
        self.report_pod(uid);
        self.plan_probes(uid, index);
        if let Some((after, code)) = exit {
            self.plan(uid, after, Step::Exit { container: index, instance, code, killed: false });
        }
    }

    /// A container ended, by itself or because it was killed.
    fn exit(&mut self, uid: &str, index: usize, instance: i64, code: i64, killed: bool) {
        let now = self.now;
        let Some(container) = self.container(uid, index) else {
            return;
        };
        let State::Running { since, id } = &container.state else {
            return;
        };
        if container.instance != instance {
            return;
        }
        let ran = now - since;
        container.state = State::Ended(Ended { code, started: *since, finished: now, id: id.clone() });
        (container.started, container.ready) = (false, false);
        // Ten minutes without a crash are forgiven (client-go `util/flowcontrol/backoff.go`).
        if ran > 2 * LAST_BACK_OFF_MS {
            container.back_off = 0;
        }
        // `doBackOff` measures from the latest instance it knows to have exited. One that a probe
        // just killed still counts as running then, so it is the one before, and there is no
        // CrashLoopBackOff until the back-off has outgrown the time between two kills.
        let idle = match (killed, &container.last) {
            (false, _) => Some(0),
            (true, Some(last)) => Some(now - last.finished),
            (true, None) => None,
        };
        let back_off = container.back_off;
        if idle.is_some() {
            container.back_off = (back_off * 2).clamp(FIRST_BACK_OFF_MS, LAST_BACK_OFF_MS);
        }
        let held = idle.is_some_and(|idle| idle < back_off);
        let restarts = self.runs.get(uid).is_some_and(|run| run.restarts_after(code));
        if held || !killed || !restarts {
            self.report_pod(uid);
        }
        if !restarts {
            return;
        }
        let soon = self.random.between(200, 900);
        let step = match held {
            true => Step::CrashLoop { container: index, until: now + back_off },
            false => Step::Pull(index),
        };
        self.plan(uid, soon, step);
    }

    fn crash_loop(&mut self, uid: &str, index: usize, until: i64) {
        let now = self.now;
        let Some(run) = self.runs.get_mut(uid) else {
            return;
        };
        let whole = format!("{}_{}({uid})", run.name, run.namespace);
        let Some(container) = run.containers.get_mut(index) else {
            return;
        };
        let name = container.name.clone();
        if let State::Ended(ended) = &container.state {
            container.last = Some(ended.clone());
        }
        let since = container.last.as_ref().map_or(now, |ended| ended.finished);
        let back_off = go_duration_of_back_off(until - since);
        let message = format!("back-off {back_off} restarting failed container={name} pod={whole}");
        container.state = State::Waiting { reason: "CrashLoopBackOff", message };
        self.record_container(uid, index, true, "BackOff", |_| {
            format!("Back-off restarting failed container {name} in pod {whole}")
        });
        self.report_pod(uid);
        let left = until - now;
        match left > SYNC_MS {
            true => self.plan(uid, SYNC_MS, Step::CrashLoop { container: index, until }),
            false => self.plan(uid, left.max(0), Step::Pull(index)),
        }
    }

    /// All containers of a pod being deleted have ended: one last status, then it is gone.
    fn stopped(&mut self, uid: &str) {
        let now = self.now;
        let Some(run) = self.runs.get_mut(uid) else {
            return;
        };
        for container in &mut run.containers {
            if let State::Running { since, id } = &container.state {
                container.state =
                    State::Ended(Ended { code: 0, started: *since, finished: now, id: id.clone() });
            }
            (container.started, container.ready) = (false, false);
        }
        self.report_pod(uid);
        self.plan(uid, 60, Step::Remove);
    }

    pub(super) fn record_container(
        &mut self,
        uid: &str,
        index: usize,
        warning: bool,
        reason: &str,
        message: impl Fn(&Container) -> String,
    ) {
        let Some(run) = self.runs.get(uid) else {
            return;
        };
        let Some(container) = run.containers.get(index) else {
            return;
        };
        let Some(pod) = self.store.get(&PODS, &run.namespace, &run.name) else {
            return;
        };
        let about = json!({"kind": "Pod", "apiVersion": "v1", "metadata": {
            "name": pod.name, "namespace": pod.namespace, "uid": pod.uid, "resourceVersion": pod.version.to_string(),
        }});
        let (path, message) = (format!("spec.containers{{{}}}", container.name), message(container));
        let node = run.node.clone();
        self.record(Source::kubelet(&node), &about, &path, warning, reason, &message);
    }
}

/// Whole seconds print as Go prints them: `10s`, `1m20s`, `5m0s`.
fn go_duration_of_back_off(ms: i64) -> String {
    let seconds = ms / 1000;
    match seconds / 60 {
        0 => format!("{seconds}s"),
        minutes => format!("{minutes}m{}s", seconds % 60),
    }
}
