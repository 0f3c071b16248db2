//! A container of a pod, with what its probes do and how its life went. The API server has no such object:
//! the hub makes one a container from the pod and from events about it, for as long as it watches.

pub mod lane;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    Column, Health, Kind, Meta, Millis, Row, Text, Timestamp, Uid,
    detail::{ContainerState, ContainerStatus, Port, Role, Terminated},
    probe::{Probe, ProbeKind},
};
use lane::Known;

/// A container's row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// Named `POD/CONTAINER`; labels, owner and times are the pod's.
    pub meta: Meta,
    /// The pod's name.
    pub pod: Arc<str>,
    /// The pod.
    pub pod_uid: Uid,
    /// Where it runs, empty while unscheduled.
    pub node: Text,
    /// The container's own name.
    pub name: Text,
    /// Its part.
    pub role: Role,
    /// Its ports.
    pub ports: Arc<[Port]>,
    /// The probes it has: liveness, readiness, startup.
    pub probes: Arc<[Probe]>,
    /// How it is, once the kubelet has said so.
    pub status: Option<ContainerStatus>,
    /// What was heard of its probes.
    pub heard: Vec<Heard>,
    /// Until then the kubelet holds back further events about its pod, so that hearing none means nothing.
    pub silent_until: Option<Timestamp>,
    /// What its restarts are put down to.
    pub restarts: Restarts,
    /// Its life, oldest first, at most [`SPANS`].
    pub life: Vec<Span>,
    /// Its state in the page's five.
    pub health: Health,
}

/// So many spans of a life are kept.
pub const SPANS: usize = 40;

/// What was heard of one probe, which is what goes wrong: there is no event for a success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Heard {
    /// Which.
    pub kind: ProbeKind,
    /// The last failed attempt, of this start of the container or of an earlier one.
    pub failure: Option<Failure>,
    /// The kubelet's last word that it ends the container over it.
    pub killed: Option<Killed>,
}

/// The kubelet says that it ends a container over a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Killed {
    /// When.
    pub at: Timestamp,
    /// And that it starts it again, which it does not where the policy is `Never`.
    pub again: bool,
}

/// A failed attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// When.
    pub at: Timestamp,
    /// In the kubelet's words.
    pub message: Text,
    /// So many attempts are known to have failed in a row, this one included. Never too many: failures too far
    /// apart to exclude a success between them are not put together, and events get lost.
    pub run: u32,
    /// Since when they have.
    pub since: Timestamp,
    /// Failures heard of in this start of the container.
    pub heard: u32,
    /// The attempt could not be made ("errored"), which the kubelet does not count.
    pub errored: bool,
    /// One of them ran into its timeout.
    pub timed_out: bool,
}

/// What restarts are put down to, of those that were watched or are told by `lastState`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Restarts {
    /// The kubelet ended it over its liveness probe.
    pub liveness: u32,
    /// The same over its startup probe.
    pub startup: u32,
    /// It took more memory than it may.
    pub out_of_memory: u32,
    /// It ended with an exit code other than 0, or by a signal, and nothing says that a probe was the reason.
    pub failed: u32,
    /// It ended with exit code 0, and nothing says that a probe was the reason.
    pub completed: u32,
    /// Restarts whose end was not seen.
    pub not_seen: u32,
}

/// Why a container ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// The kubelet ended it over this probe, as its event says.
    Probe(ProbeKind),
    /// `OOMKilled`.
    OutOfMemory,
    /// Nothing says why: by itself or by a signal, or the kubelet's word was not heard.
    Unknown,
}

/// A part of a container's life, until the next one begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Span {
    /// When it began.
    pub from: Millis,
    /// That is when Masthead saw it; the cluster has no time for it.
    pub seen: bool,
    /// How the container was.
    pub phase: Phase,
}

/// How a container is or was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// Not running, for this reason.
    Waiting(Text),
    /// Running, its startup probe not passed.
    Starting,
    /// Running, not ready.
    Running,
    /// Running and ready.
    Ready,
    /// Running, and whether ready was not seen.
    Unwatched,
    /// Ended.
    Ended {
        /// `Error`, `OOMKilled`…
        reason: Text,
        /// Its exit code.
        exit_code: i64,
        /// The signal that ended it, 0 if none.
        signal: i64,
        /// What is known of why.
        cause: Cause,
    },
}

impl Phase {
    /// Whether it ran.
    pub fn runs(&self) -> bool {
        matches!(self, Phase::Starting | Phase::Running | Phase::Ready | Phase::Unwatched)
    }

    /// A word or two.
    pub fn words(&self) -> String {
        match self {
            Phase::Waiting(reason) if reason.is_empty() => "waiting".to_owned(),
            Phase::Waiting(reason) => format!("waiting: {reason}"),
            Phase::Starting => "running, not started".to_owned(),
            Phase::Running => "running, not ready".to_owned(),
            Phase::Unwatched => "running, not watched".to_owned(),
            Phase::Ready => "ready".to_owned(),
            Phase::Ended { reason, exit_code, signal, cause } => {
                let how =
                    if *signal == 0 { format!("exit code {exit_code}") } else { format!("signal {signal}") };
                let why = match cause {
                    Cause::Probe(kind) => format!(" over its {} probe", kind.word().to_lowercase()),
                    Cause::OutOfMemory | Cause::Unknown => String::new(),
                };
                let reason = if reason.is_empty() { "Terminated" } else { reason };
                format!("ended{why}: {reason}, {how}")
            }
        }
    }
}

impl Container {
    /// What was heard of a probe.
    pub fn heard(&self, kind: ProbeKind) -> Option<&Heard> {
        self.heard.iter().find(|heard| heard.kind == kind)
    }

    /// Its probe of this kind.
    pub fn probe(&self, kind: ProbeKind) -> Option<&Probe> {
        self.probes.iter().find(|probe| probe.kind == kind)
    }

    /// What is printed of it under a heading that is a probe's, with what is known beside it. Its columns know only the
    /// row.
    pub fn asked(&self, heading: &str, known: Known, now: Timestamp) -> Option<String> {
        let kinds = [ProbeKind::Startup, ProbeKind::Liveness, ProbeKind::Readiness];
        let kind = kinds.into_iter().find(|kind| kind.word().eq_ignore_ascii_case(heading))?;
        Some(doing(self, kind, known, now))
    }

    /// Since when it runs.
    pub fn running_since(&self) -> Option<Timestamp> {
        match self.status.as_ref()?.state {
            ContainerState::Running { since } => since,
            _ => None,
        }
    }

    /// When the kubelet will start it again, while it holds it back after failures, and how long it does
    /// (kubelet `kuberuntime_manager.go`, `doBackOff`: counted from when the container ended).
    pub fn back_off(&self) -> Option<(Timestamp, i64)> {
        let status = self.status.as_ref()?;
        let ContainerState::Waiting { message, .. } = &status.state else { return None };
        let rest = message.strip_prefix("back-off ")?;
        let (duration, _) = rest.split_once(" restarting failed container=")?;
        let seconds = go_duration(duration)?;
        Some((Timestamp(status.last.as_ref()?.finished?.0.saturating_add(seconds)), seconds))
    }
}

/// Whole seconds of a duration as Go prints it: `10s`, `1m20s`, `5m0s`.
fn go_duration(text: &str) -> Option<i64> {
    let mut seconds = 0i64;
    let mut number = 0i64;
    for c in text.chars() {
        match c {
            '0'..='9' => number = number.checked_mul(10)?.checked_add(i64::from(c as u8 - b'0'))?,
            'h' | 'm' | 's' => {
                let unit = match c {
                    'h' => 3600,
                    'm' => 60,
                    _ => 1,
                };
                seconds = seconds.checked_add(number.checked_mul(unit)?)?;
                number = 0;
            }
            _ => return None,
        }
    }
    (number == 0).then_some(seconds)
}

/// A container in the page's five states, by the kubelet's words alone.
pub fn judge(status: Option<&ContainerStatus>) -> Health {
    let Some(status) = status else { return Health::Waiting };
    match &status.state {
        ContainerState::Running { .. } if status.ready => Health::Healthy,
        ContainerState::Running { .. } => Health::Progressing,
        ContainerState::Waiting { .. } | ContainerState::Unknown if status.restarts > 0 => Health::Failing,
        ContainerState::Waiting { .. } | ContainerState::Unknown => Health::Waiting,
        ContainerState::Terminated(Terminated { exit_code: 0, .. }) => Health::Healthy,
        ContainerState::Terminated(_) => Health::Failing,
    }
}

/// The cell of a probe: what it is doing, `<none>` if there is no such probe.
fn doing(container: &Container, kind: ProbeKind, known: Known, now: Timestamp) -> String {
    match container.probe(kind) {
        None => "<none>".to_owned(),
        Some(probe) => lane::of(container, probe, known, now).doing.to_string(),
    }
}

fn by_doing(a: &Container, b: &Container, kind: ProbeKind) -> std::cmp::Ordering {
    let rank = |container: &Container| {
        let probe = container.probe(kind)?;
        let now = container.heard(kind).and_then(|heard| heard.failure.as_ref()).map(|failure| failure.at);
        Some(lane::of(container, probe, Known::default(), now.unwrap_or_default()).health())
    };
    rank(a).cmp(&rank(b))
}

impl Row for Container {
    const KIND: Kind = Kind::Container;
    // kubectl has no such table; these are its words where it has words.
    const COLUMNS: &'static [Column<Container>] = &[
        Column::<Self>::name(),
        Column::<Self>::new(
            "STATE",
            |row, _| row.status.as_ref().map(|status| status.state.to_string()).unwrap_or_default().into(),
            |a, b| (a.health, &a.meta.name).cmp(&(b.health, &b.meta.name)),
        ),
        Column::<Self>::new(
            "RESTARTS",
            |row, _| row.status.as_ref().map_or(0, |status| status.restarts).to_string().into(),
            |a, b| {
                let restarts = |row: &Container| row.status.as_ref().map_or(0, |status| status.restarts);
                restarts(a).cmp(&restarts(b))
            },
        ),
        Column::<Self>::new(
            "STARTUP",
            |row, now| doing(row, ProbeKind::Startup, Known::default(), now).into(),
            |a, b| by_doing(a, b, ProbeKind::Startup),
        )
        .ticking(),
        Column::<Self>::new(
            "LIVENESS",
            |row, now| doing(row, ProbeKind::Liveness, Known::default(), now).into(),
            |a, b| by_doing(a, b, ProbeKind::Liveness),
        )
        .ticking(),
        Column::<Self>::new(
            "READINESS",
            |row, now| doing(row, ProbeKind::Readiness, Known::default(), now).into(),
            |a, b| by_doing(a, b, ProbeKind::Readiness),
        )
        .ticking(),
        Column::<Self>::age(),
        Column::<Self>::new("NODE", |row, _| crate::format::or_none(&row.node), |a, b| a.node.cmp(&b.node))
            .wide(),
    ];

    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
    fn other_uids(&mut self, visit: &mut dyn FnMut(&mut Uid)) {
        visit(&mut self.pod_uid);
    }
    fn health(&self) -> Health {
        self.health
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_is_counted_from_the_end() {
        let waiting = |message: &str| Container {
            status: Some(ContainerStatus {
                state: ContainerState::Waiting { reason: "CrashLoopBackOff".into(), message: message.into() },
                last: Some(Terminated { finished: Some(Timestamp(100)), ..Terminated::default() }),
                ..ContainerStatus::default()
            }),
            ..Container::default()
        };
        for (message, until) in [
            ("back-off 10s restarting failed container=a pod=b_c(d)", Some((Timestamp(110), 10))),
            ("back-off 1m20s restarting failed container=a pod=b_c(d)", Some((Timestamp(180), 80))),
            ("back-off 5m0s restarting failed container=a pod=b_c(d)", Some((Timestamp(400), 300))),
            ("back-off soon restarting failed container=a pod=b_c(d)", None),
            ("Back-off pulling image \"x\"", None),
            ("", None),
        ] {
            assert_eq!(waiting(message).back_off(), until, "{message}");
        }
    }
}
