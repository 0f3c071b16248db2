//! A container's life as spans: from the times that its status states, and from the moments at which the rest
//! was seen.

use std::collections::VecDeque;

use app::api::{
    Millis, Pod, Text, Timestamp,
    container::{Cause, Phase, SPANS, Span},
    detail::{ContainerState, ContainerStatus, Terminated},
    probe::{Probe, ProbeKind},
};

use super::evidence::Evidence;

/// See the module.
#[derive(Debug, Default)]
pub struct Life {
    spans: VecDeque<(Millis, bool, Stage)>,
    /// The last ends that were put into them, which the status repeats long after their spans have been forgotten.
    ends: VecDeque<Terminated>,
}

/// A status tells of no more than two ends at a time.
const ENDS: usize = 4;

#[derive(Clone, Debug, PartialEq)]
enum Stage {
    Is(Phase),
    Ended(Box<Terminated>),
}

impl Stage {
    fn runs(&self) -> bool {
        matches!(self, Stage::Is(phase) if phase.runs())
    }
}

impl Life {
    /// The container is like this now.
    pub fn see(&mut self, pod: &Pod, probes: &[Probe], status: &ContainerStatus, now: Millis) {
        let watched = !self.spans.is_empty();
        if let Some(end) = &status.last {
            self.end(end, now);
        }
        match &status.state {
            ContainerState::Running { since } => {
                let start = since.map_or((now, true), |since| (since.millis(), false));
                let same =
                    self.spans.back().is_some_and(|(_, _, stage)| stage.runs()) && !self.began_after(start.0);
                let phase = phase(status);
                if !same {
                    self.push(start, Stage::Is(first(probes, &phase, watched)));
                }
                if self.last() != Some(&Stage::Is(phase.clone())) {
                    let told = (phase == Phase::Ready).then(|| ready_since(pod, *since)).flatten();
                    self.push(told.map_or((now, true), |at| (at, false)), Stage::Is(phase));
                }
            }
            ContainerState::Terminated(end) => self.end(end, now),
            ContainerState::Waiting { reason, .. } => self.wait(reason, status, pod, now),
            ContainerState::Unknown => self.wait(&Text::default(), status, pod, now),
        }
    }

    /// As it is drawn: why each ended is what is known by now.
    pub fn spans(&self, evidence: &Evidence) -> Vec<Span> {
        let spans = self.spans.iter().map(|(from, seen, stage)| {
            let phase = match stage {
                Stage::Is(phase) => phase.clone(),
                Stage::Ended(end) => Phase::Ended {
                    reason: end.reason.clone(),
                    exit_code: end.exit_code,
                    signal: end.signal,
                    cause: if end.finished.is_some() { evidence.cause(end) } else { Cause::Unknown },
                },
            };
            Span { from: *from, seen: *seen, phase }
        });
        spans.collect()
    }

    fn last(&self) -> Option<&Stage> {
        self.spans.back().map(|(_, _, stage)| stage)
    }

    /// Whether the present start began before `start`, which is another one's then.
    fn began_after(&self, start: Millis) -> bool {
        let this = self.spans.iter().rev().take_while(|(_, _, stage)| stage.runs()).last();
        this.is_some_and(|(from, _, _)| *from < start)
    }

    fn wait(&mut self, reason: &Text, status: &ContainerStatus, pod: &Pod, now: Millis) {
        let stage = Stage::Is(Phase::Waiting(reason.clone()));
        if self.last() == Some(&stage) {
            return;
        }
        let ended = status.last.as_ref().and_then(|end| end.finished);
        let from = match self.last() {
            Some(Stage::Ended(_)) => ended.map(|at| (at.millis(), false)),
            None => ended.or(pod.meta.created).map(|at| (at.millis(), false)),
            _ => None,
        };
        self.push(from.unwrap_or((now, true)), stage);
    }

    fn end(&mut self, end: &Terminated, now: Millis) {
        if self.ends.contains(end) {
            return;
        }
        if self.ends.len() == ENDS {
            self.ends.pop_front();
        }
        self.ends.push_back(end.clone());
        let running = self.last().is_some_and(Stage::runs);
        if let (false, Some(started)) = (running, end.started.filter(|at| after_creation(*at))) {
            self.push((started.millis(), false), Stage::Is(Phase::Unwatched));
        }
        let at = end.finished.filter(|at| after_creation(*at)).map_or((now, true), |at| (at.millis(), false));
        self.push(at, Stage::Ended(Box::new(end.clone())));
    }

    /// Nothing begins before what was before it; the time of what would have is not the cluster's any more.
    fn push(&mut self, (from, seen): (Millis, bool), stage: Stage) {
        let last = self.spans.back().map_or(from, |(last, _, _)| *last);
        let (from, seen) = (from.max(last), seen || from < last);
        self.spans.push_back((from, seen, stage));
        if self.spans.len() > SPANS {
            self.spans.pop_front();
        }
    }
}

/// A time that was never set is sent as the year 1 or 1970.
fn after_creation(at: Timestamp) -> bool {
    at.0 > 0
}

fn phase(status: &ContainerStatus) -> Phase {
    if status.ready {
        Phase::Ready
    } else if status.started == Some(false) {
        Phase::Starting
    } else {
        Phase::Running
    }
}

/// What a start begins as that is like this when it is first seen; `watched` if the container was before.
fn first(probes: &[Probe], now: &Phase, watched: bool) -> Phase {
    let asked = |wanted: ProbeKind| probes.iter().any(|probe| probe.kind == wanted);
    match now {
        Phase::Ready if !asked(ProbeKind::Startup) && !asked(ProbeKind::Readiness) => Phase::Ready,
        Phase::Starting => Phase::Starting,
        _ if !watched => Phase::Unwatched,
        _ if asked(ProbeKind::Startup) => Phase::Starting,
        _ => Phase::Running,
    }
}

/// Since when all of the pod's containers are ready, which this one is too then, in this start.
fn ready_since(pod: &Pod, running: Option<Timestamp>) -> Option<Millis> {
    let at = pod.detail.true_since("ContainersReady")?;
    (running? <= at).then_some(at.millis())
}
