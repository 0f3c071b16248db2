//! What a probe is doing: only what follows from the pod's status and from events about it. The kubelet tells of
//! failed attempts, and of those not always; of successes only what they bring about (`started`, `ready`). So
//! "no failure seen" is as much as can be said of a liveness probe, and nothing here counts successes.
//!
//! The rules are the kubelet's (`pkg/kubelet/prober/worker.go`, `doProbe`; `prober_manager.go`, `UpdatePodStatus`).

use std::{collections::HashSet, fmt};

use super::{Container, Failure, Heard, Phase};
use crate::api::{
    Health, Millis, Node, Text, Timestamp,
    detail::ContainerState,
    probe::{Probe, ProbeKind},
};

/// What is known beside the container itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Its node has stopped reporting, so that nothing here is current.
    pub node_lost: bool,
    /// Events cannot be seen, so that no failure is heard of.
    pub no_events: bool,
}

/// What is known beside all containers: which nodes report, and where events can be seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Beside {
    lost: HashSet<String>,
    no_events: bool,
    within: Vec<(Text, bool)>,
}

impl Beside {
    /// Of these nodes, of whether events are current, and of the namespaces in which they are watched one by one, if they
    /// are, and whether they may be.
    pub fn new<'a>(
        nodes: impl IntoIterator<Item = &'a Node>,
        hears: bool,
        within: &[(Text, bool)],
    ) -> Beside {
        let lost = nodes.into_iter().filter(|node| node.health == Health::Unknown);
        Beside {
            lost: lost.map(|node| node.meta.name.to_string()).collect(),
            no_events: !hears,
            within: within.to_vec(),
        }
    }

    fn hears_in(&self, namespace: &Text) -> bool {
        let heard = |(name, allowed): &(Text, bool)| *allowed && name == namespace;
        self.within.is_empty() || self.within.iter().any(heard)
    }

    /// Of a container.
    pub fn of(&self, container: &Container) -> Known {
        Known {
            node_lost: self.lost.contains(container.node.as_str()),
            no_events: self.no_events || !self.hears_in(&container.meta.namespace),
        }
    }
}

/// One probe's lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Whose.
    pub kind: ProbeKind,
    /// Now.
    pub doing: Doing,
    /// Since when, and whether that is only when Masthead saw it.
    pub since: Option<(Millis, bool)>,
    /// The last failure in the kubelet's words, and when.
    pub last: Option<(Text, Timestamp)>,
    /// That failure was of an earlier start of the container.
    pub earlier: bool,
}

/// What a probe is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doing {
    /// It cannot be known, for this reason.
    Unknown(Why),
    /// The container does not run, so nothing is asked.
    NotRunning,
    /// Liveness and startup are not asked any more: the pod is being deleted.
    Stopped,
    /// Not asked before the startup probe has passed.
    HeldBack,
    /// Not asked before then.
    Delayed {
        /// `startedAt` and its delay.
        until: Timestamp,
    },
    /// Asked, and neither a success that counts nor a failure is known.
    Waiting {
        /// So many successes in a row count.
        wanted: u32,
    },
    /// Readiness: its last result that counted was a success.
    Passing {
        /// So many attempts have just failed, which are not enough to count.
        failed: Option<Run>,
    },
    /// Startup: it has passed, once and for all of this start.
    Passed,
    /// Liveness: no failure was heard of lately.
    Quiet {
        /// The last one in this start.
        failed: Option<Timestamp>,
        /// None could have been: events cannot be seen.
        deaf: bool,
    },
    /// It fails. Of readiness, all that count means that it has failed so often in a row, and not succeeded as often
    /// as it takes since.
    Failing(Run),
    /// The last attempt could not be made, and of those before it no failure is known that still counts.
    Errored,
    /// It has failed often enough: the kubelet is ending the container, to start it again.
    Restarting,
    /// The same, and the kubelet does not say that it will start it again.
    Ending,
}

/// Failures in a row, of those that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Run {
    /// At least so many.
    pub failed: u32,
    /// `failureThreshold`
    pub of: u32,
}

/// Why it cannot be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Its node does not report.
    Node,
    /// The kubelet has not said whether the container has started.
    Started,
    /// The kubelet holds back further events.
    Silence,
}

/// The lane of one of the container's probes at `now`, by the API server's clock.
pub fn of(container: &Container, probe: &Probe, known: Known, now: Timestamp) -> Lane {
    let heard = container.heard(probe.kind);
    let failure = heard.and_then(|heard| heard.failure.as_ref());
    let status = container.status.as_ref();
    let current = failure.filter(|failure| status.is_some_and(|status| status.in_this_start(failure.at)));
    let doing = doing(container, probe, heard, current, known, now);
    Lane {
        kind: probe.kind,
        since: since_when(container, probe.kind, doing, current),
        doing,
        last: failure.map(|failure| (failure.message.clone(), failure.at)),
        earlier: failure
            .is_some_and(|failure| container.running_since().is_some_and(|since| failure.at < since)),
    }
}

fn doing(
    container: &Container,
    probe: &Probe,
    heard: Option<&Heard>,
    failure: Option<&Failure>,
    known: Known,
    now: Timestamp,
) -> Doing {
    if known.node_lost {
        return Doing::Unknown(Why::Node);
    }
    let Some(status) = &container.status else { return Doing::NotRunning };
    let ContainerState::Running { since } = status.state else { return Doing::NotRunning };
    let asks_startup = container.probe(ProbeKind::Startup).is_some();
    let started = match status.started {
        Some(started) => started,
        None if asks_startup => return Doing::Unknown(Why::Started),
        None => true,
    };
    if probe.kind == ProbeKind::Startup && started {
        return Doing::Passed;
    }
    if probe.kind == ProbeKind::Readiness && started && status.ready {
        let failed = failure.filter(|failure| failure.run > 0 && lately(failure, probe, now));
        return Doing::Passing { failed: failed.map(|failure| run(failure, probe)) };
    }
    let killed = heard.and_then(|heard| heard.killed);
    if probe.kind != ProbeKind::Readiness {
        if let Some(killed) = killed.filter(|killed| status.in_this_start(killed.at)) {
            return if killed.again { Doing::Restarting } else { Doing::Ending };
        }
        if container.meta.deleting.is_some() {
            return Doing::Stopped;
        }
    }
    let waiting = Doing::Waiting { wanted: u32::try_from(probe.success).unwrap_or(1).max(1) };
    if !started && probe.kind != ProbeKind::Startup {
        return if asks_startup { Doing::HeldBack } else { waiting };
    }
    if let Some(until) = since.map(|since| Timestamp(since.0.saturating_add(probe.delay)))
        && probe.delay > 0
        && now < until
    {
        return Doing::Delayed { until };
    }
    match (probe.kind, failure) {
        (ProbeKind::Liveness, Some(failure)) if lately(failure, probe, now) => failing(failure, probe),
        (ProbeKind::Liveness, _) if container.silent_until.is_some_and(|until| now < until) => {
            Doing::Unknown(Why::Silence)
        }
        (ProbeKind::Liveness, _) => {
            // one that may be of the start before still is the last that was seen
            let failed = heard.and_then(|heard| heard.failure.as_ref()).map(|failure| failure.at);
            Doing::Quiet {
                failed: failed.filter(|at| since.is_some_and(|since| *at >= since)),
                deaf: known.no_events,
            }
        }
        // what was ready in this start and is not any more has failed as often as it takes
        (ProbeKind::Readiness, _) if was_ready(container) => {
            Doing::Failing(Run { failed: threshold(probe), of: threshold(probe) })
        }
        (_, Some(failure)) => failing(failure, probe),
        (_, None) => waiting,
    }
}

fn failing(failure: &Failure, probe: &Probe) -> Doing {
    if failure.run == 0 && failure.errored { Doing::Errored } else { Doing::Failing(run(failure, probe)) }
}

/// Whether the attempt after that failure may not have ended yet, or not have been heard of.
fn lately(failure: &Failure, probe: &Probe, now: Timestamp) -> bool {
    let next = probe.period.saturating_add(probe.timeout).saturating_add(HEARD_WITHIN);
    now.0.saturating_sub(failure.at.0) <= next
}

/// An event is here within so many seconds.
const HEARD_WITHIN: i64 = 2;

fn run(failure: &Failure, probe: &Probe) -> Run {
    Run { failed: failure.run.min(threshold(probe)), of: threshold(probe) }
}

fn threshold(probe: &Probe) -> u32 {
    u32::try_from(probe.failure).unwrap_or(1).max(1)
}

/// Whether it was ready since it runs.
fn was_ready(container: &Container) -> bool {
    let since = container.running_since().unwrap_or_default().millis();
    let this_start = container.life.iter().rev().take_while(|span| span.phase.runs() && span.from >= since);
    this_start.into_iter().any(|span| span.phase == Phase::Ready)
}

/// Since when it is so, where anything tells.
fn since_when(
    container: &Container,
    kind: ProbeKind,
    doing: Doing,
    failure: Option<&Failure>,
) -> Option<(Millis, bool)> {
    let span = |wanted: fn(&Phase) -> bool| {
        // the last of the spans without a break that are like that
        let life = container.life.iter().rev();
        life.take_while(|span| wanted(&span.phase)).last().map(|span| (span.from, span.seen))
    };
    match doing {
        Doing::Passing { .. } => span(|phase| *phase == Phase::Ready),
        Doing::Passed => {
            // before that, while it was not watched, it may have passed as well
            let unwatched = container.life.iter().rev().take_while(|span| span.phase.runs());
            let unwatched = unwatched.into_iter().any(|span| span.phase == Phase::Unwatched);
            span(|phase| matches!(phase, Phase::Running | Phase::Ready))
                .map(|(from, seen)| (from, seen || unwatched))
        }
        Doing::NotRunning => span(|phase| !phase.runs()),
        Doing::Failing(_) if kind == ProbeKind::Readiness => span(|phase| *phase == Phase::Running),
        Doing::Failing(_) => failure.map(|failure| (failure.since.millis(), false)),
        Doing::HeldBack
        | Doing::Waiting { .. }
        | Doing::Delayed { .. }
        | Doing::Quiet { failed: None, .. } => container.running_since().map(|at| (at.millis(), false)),
        _ => None,
    }
}

impl Lane {
    /// In the page's five states.
    pub fn health(&self) -> Health {
        match self.doing {
            Doing::Unknown(_) | Doing::Quiet { deaf: true, .. } => Health::Unknown,
            Doing::NotRunning | Doing::Stopped | Doing::HeldBack | Doing::Delayed { .. } => Health::Waiting,
            // a slow start may fail for as long as its threshold allows
            Doing::Failing(_) | Doing::Errored if self.kind == ProbeKind::Startup => Health::Progressing,
            Doing::Waiting { .. } | Doing::Passing { failed: Some(_) } => Health::Progressing,
            Doing::Passing { failed: None } | Doing::Passed | Doing::Quiet { .. } => Health::Healthy,
            Doing::Failing(_) | Doing::Errored | Doing::Restarting | Doing::Ending => Health::Failing,
        }
    }
}

/// A few words, without times that tick but for the delay's end.
impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Doing::Unknown(_) => f.write_str("unknown"),
            Doing::NotRunning => f.write_str("not asked: not running"),
            Doing::Stopped => f.write_str("not asked any more"),
            Doing::HeldBack => f.write_str("held back by startup"),
            Doing::Delayed { until } => write!(f, "not asked before {}", until.clock()),
            Doing::Waiting { wanted: 1 } => f.write_str("no success yet"),
            Doing::Waiting { wanted } => write!(f, "not {wanted} successes in a row yet"),
            Doing::Passing { failed: None } => f.write_str("passing"),
            Doing::Passing { failed: Some(run) } => write!(f, "passing, but failed {run}"),
            Doing::Passed => f.write_str("passed"),
            Doing::Quiet { deaf: true, .. } => f.write_str("unknown: events are not seen"),
            Doing::Quiet { failed: None, .. } => f.write_str("no failure seen"),
            Doing::Quiet { failed: Some(at), .. } => write!(f, "no failure seen since {}", at.clock()),
            Doing::Failing(run) => write!(f, "failing {run}"),
            Doing::Errored => f.write_str("could not be asked"),
            Doing::Restarting => f.write_str("failed: being restarted"),
            Doing::Ending => f.write_str("failed: being ended"),
        }
    }
}

/// `2 of 3`
impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.failed, self.of)
    }
}

impl Why {
    /// What follows "because".
    pub fn words(self) -> &'static str {
        match self {
            Why::Node => "its node does not report, so this is as it was last",
            Why::Started => "the kubelet has not said whether the container has started",
            Why::Silence => {
                "so much went wrong with its pod that the kubelet holds back further events: one in five minutes is let through"
            }
        }
    }
}
