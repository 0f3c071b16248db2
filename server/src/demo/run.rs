//! What a kubelet knows of a pod it runs.

use serde_json::Value;

use super::probes::Prober;
use super::workload::Workload;

/// A pod on its node.
pub(super) struct Run {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) node: String,
    pub(super) host_network: bool,
    pub(super) ip: Option<String>,
    pub(super) since: i64,
    pub(super) stopping: bool,
    pub(super) policy: String,
    pub(super) containers: Vec<Container>,
}

pub(super) struct Container {
    pub(super) name: String,
    pub(super) image: String,
    pub(super) always_pull: bool,
    pub(super) workload: Workload,
    pub(super) probers: Vec<Prober>,
    pub(super) state: State,
    pub(super) last: Option<Ended>,
    pub(super) restarts: i64,
    /// Counts starts, so that what was planned for an earlier instance is dropped.
    pub(super) instance: i64,
    pub(super) started: bool,
    pub(super) ready: bool,
    pub(super) resources: Value,
    pub(super) mounts: Value,
    pub(super) pull_back_off: i64,
    pub(super) back_off: i64,
}

#[derive(Clone, Debug)]
pub(super) enum State {
    Waiting { reason: &'static str, message: String },
    Running { since: i64, id: String },
    Ended(Ended),
}

#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) code: i64,
    pub(super) started: i64,
    pub(super) finished: i64,
    pub(super) id: String,
}

impl Run {
    pub(super) fn restarts(&self) -> i64 {
        self.containers.iter().map(|container| container.restarts).sum()
    }

    /// The phase, if all containers ended for good.
    pub(super) fn over(&self) -> Option<&'static str> {
        let code = |container: &Container| match &container.state {
            State::Ended(ended) => Some(ended.code),
            _ => None,
        };
        let codes: Option<Vec<i64>> = self.containers.iter().map(code).collect();
        let codes =
            codes.filter(|codes| self.stopping || codes.iter().all(|code| !self.restarts_after(*code)))?;
        Some(if codes.iter().all(|code| *code == 0) { "Succeeded" } else { "Failed" })
    }

    pub(super) fn restarts_after(&self, code: i64) -> bool {
        match self.policy.as_str() {
            "Never" => false,
            "OnFailure" => code != 0,
            _ => true,
        }
    }
}

impl Container {
    pub(super) fn of(spec: &Value) -> Container {
        let text = |key: &str| spec[key].as_str().unwrap_or_default().to_owned();
        Container {
            name: text("name"),
            image: text("image"),
            always_pull: spec["imagePullPolicy"] == "Always",
            workload: Workload::of(spec),
            probers: Prober::all(spec),
            state: State::Waiting { reason: "ContainerCreating", message: String::new() },
            last: None,
            restarts: 0,
            instance: 0,
            started: false,
            ready: false,
            resources: spec["resources"].clone(),
            mounts: spec["volumeMounts"].clone(),
            pull_back_off: 0,
            back_off: 0,
        }
    }
}
