//! What is said of a probe, and what of the kubelet's doings that says.

use app::api::{
    container::lane::{Doing, Lane, Run, Why},
    probe::{
        Probe,
        ProbeKind::{self, Liveness, Readiness, Startup},
    },
};

use super::{Moment, Outcome, Truth};

const SECOND: i64 = 1000;
/// So old may news be: what is said was true at some moment of the last two seconds.
const NEWS: i64 = 2 * SECOND;
/// A kubelet's recorder holds warnings back after so many.
const BURST: usize = 25;

/// Whether what is said of a probe at `time` was true at some moment that it may be news of. What comes by the pod and
/// what comes by events may be news of different moments.
pub fn holds(lane: &Lane, probe: &Probe, truth: &Truth, time: i64) -> bool {
    let moments: Vec<Moment<'_>> =
        truth.turns(time - NEWS, time).into_iter().map(|time| truth.at(time)).collect();
    moments.iter().any(|now| by_status(lane.doing, probe, now))
        && moments.iter().any(|now| by_events(lane.doing, probe, now))
}

/// The part that comes by the pod's status.
fn by_status(doing: Doing, probe: &Probe, now: &Moment<'_>) -> bool {
    let kind = probe.kind;
    let runs = now.started().is_some();
    match doing {
        Doing::NotRunning => !now.surely_runs(),
        // the kubelet hears of the deletion when it does, and an attempt that is under way then still ends
        Doing::Stopped => {
            now.truth.deleting.is_some_and(|at| now.time >= at)
                && !now.truth.asked_after(kind, now.time + NEWS)
        }
        Doing::HeldBack => runs && !now.succeeded(Startup) && now.attempts(kind).is_empty(),
        // the start's own stamp may be a second before the kubelet says that it started
        Doing::Delayed { until } => now.started().is_some_and(|started| {
            let after = started + probe.delay * SECOND;
            let stamped = (after - 2 * SECOND < until.0 * SECOND) && until.0 * SECOND <= after;
            stamped && now.attempts(kind).is_empty() && now.time < after
        }),
        // ready is what the kubelet counted together
        Doing::Passing { .. } => runs && effect(probe, now) == Some(Outcome::Success),
        Doing::Failing(_) | Doing::Waiting { .. } if kind == Readiness => {
            runs && effect(probe, now) != Some(Outcome::Success)
        }
        Doing::Failing(_) | Doing::Waiting { .. } if kind == Startup => runs && !now.succeeded(kind),
        Doing::Passed => runs && now.succeeded(kind),
        Doing::Errored => runs && effect(probe, now).is_none(),
        _ => runs,
    }
}

/// The part that comes by events.
fn by_events(doing: Doing, probe: &Probe, now: &Moment<'_>) -> bool {
    let kind = probe.kind;
    match doing {
        // a failure that was told, and that no success has followed, is said
        Doing::Passing { failed: None } => {
            let last = now.counted(kind).last().copied();
            last.is_none_or(|(at, outcome)| outcome == Outcome::Success || now.told(kind) != Some(stamp(at)))
        }
        // an attempt that succeeded since is not told by anything
        Doing::Passing { failed: Some(run) } => {
            failed(run, probe, now) && lately(now.failed(kind), probe, now)
        }
        // a liveness probe has no other news of a success than that there is none of a failure
        Doing::Failing(run) if kind == Liveness => {
            failed(run, probe, now) && lately(now.failed(kind), probe, now)
        }
        // so often it has failed too if that was before, and it has not succeeded as often as it takes since
        Doing::Failing(run) if kind == Readiness && run.failed == run.of => {
            failed(run, probe, now) || effect(probe, now) == Some(Outcome::Failure)
        }
        Doing::Failing(run) => failed(run, probe, now),
        Doing::Errored => {
            let error = now.attempts(kind).into_iter().rev().find(|(_, outcome)| *outcome == Outcome::Error);
            error.is_some_and(|error| kind != Liveness || lately(Some((error.0, 0)), probe, now))
        }
        // where a failure of this start was told, that is said; and a success is where one is enough
        Doing::Waiting { wanted } => {
            let told = now.told(kind).is_some_and(|told| Some(told) > now.started());
            !told && (wanted > 1 || !now.succeeded(kind)) && i64::from(wanted) == probe.success
        }
        // none that was not seen either: where events are held back nothing is said
        Doing::Quiet { failed: None, deaf: false } => now.trouble(kind).is_none(),
        // one in the second of a start may be of the start before
        Doing::Quiet { failed: Some(at), deaf: false } => {
            now.trouble(kind).or(now.started()).map(stamp) == Some(at.0 * SECOND)
        }
        Doing::Unknown(Why::Silence) => {
            now.truth.warnings.iter().filter(|at| **at <= now.time).count() >= BURST
        }
        Doing::Restarting => now.ending(kind, true),
        Doing::Ending => now.ending(kind, false),
        // no node is lost in a trace, no status without `started`, and events are seen
        Doing::Unknown(Why::Node | Why::Started) | Doing::Quiet { deaf: true, .. } => false,
        Doing::NotRunning | Doing::Stopped | Doing::HeldBack | Doing::Delayed { .. } | Doing::Passed => true,
    }
}

/// The same where events cannot be seen: nothing is heard of failures, and that is said of what has no other news.
pub fn holds_unheard(lane: &Lane, probe: &Probe, truth: &Truth, time: i64) -> bool {
    let told_by_none = match lane.doing {
        Doing::Quiet { failed: None, deaf: true } => true,
        Doing::Waiting { wanted } => i64::from(wanted) == probe.success,
        Doing::Passing { failed: None } => true,
        Doing::Failing(run) => lane.kind == Readiness && run.failed == run.of,
        Doing::Quiet { .. } | Doing::Passing { .. } | Doing::Errored | Doing::Restarting | Doing::Ending => {
            false
        }
        Doing::Unknown(_) => false,
        _ => true,
    };
    told_by_none
        && truth
            .turns(time - NEWS, time)
            .into_iter()
            .any(|time| by_status(lane.doing, probe, &truth.at(time)))
}

fn effect(probe: &Probe, now: &Moment<'_>) -> Option<Outcome> {
    now.effect(probe.kind, probe.success, probe.failure)
}

/// At least so many failures in a row were the last that counted.
fn failed(run: Run, probe: &Probe, now: &Moment<'_>) -> bool {
    let known = now.failed(probe.kind).map_or(0, |(_, run)| run);
    run.failed >= 1 && i64::from(run.of) == probe.failure && known >= run.failed
}

/// The attempt after that one has not ended yet, or is not heard of.
fn lately(last: Option<(i64, u32)>, probe: &Probe, now: &Moment<'_>) -> bool {
    let next = (probe.period + probe.timeout + 1) * SECOND + NEWS;
    last.is_some_and(|(at, _)| now.time - at <= next)
}

/// Stamps are whole seconds.
fn stamp(at: i64) -> i64 {
    at / SECOND * SECOND
}

/// What kind of claim it is.
pub fn name(doing: Doing, kind: ProbeKind) -> String {
    let words = match doing {
        Doing::Unknown(_) => "unknown",
        Doing::NotRunning => "not running",
        Doing::Stopped => "not asked any more",
        Doing::HeldBack => "held back",
        Doing::Delayed { .. } => "not asked before",
        Doing::Waiting { wanted: 1 } => "no success yet",
        Doing::Waiting { .. } => "not so many successes yet",
        Doing::Passing { failed: None } => "passing",
        Doing::Passing { failed: Some(_) } => "passing, but failed",
        Doing::Passed => "passed",
        Doing::Quiet { deaf: true, .. } => "not heard",
        Doing::Quiet { failed: None, .. } => "no failure seen",
        Doing::Quiet { failed: Some(_), .. } => "no failure seen since",
        Doing::Failing(_) => "failing",
        Doing::Errored => "could not be asked",
        Doing::Restarting => "being restarted",
        Doing::Ending => "being ended",
    };
    format!("{}: {words}", kind.word())
}
