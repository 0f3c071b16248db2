//! What the kubelet's events say of one container's probes, and what its restarts are put down to.

use std::collections::{HashMap, VecDeque};

use app::api::{
    Event, Text, Timestamp, Uid,
    container::{Cause, Failure, Heard, Killed, Restarts},
    detail::{ContainerState, ContainerStatus, Terminated},
    probe::{Probe, ProbeKind},
};

/// Ends of one container, and announcements of them, that are kept.
pub const ENDS: usize = 40;
/// Events of one container whose counts are kept.
const EVENTS: usize = 40;

/// See the module.
#[derive(Debug, Default)]
pub struct Evidence {
    probes: Vec<Probe>,
    /// As it was when it was last seen running.
    running: Option<ContainerStatus>,
    failures: [Option<Failure>; KINDS.len()],
    kills: VecDeque<(ProbeKind, Killed)>,
    ends: VecDeque<Terminated>,
    /// How often each event had been counted when it was last heard of, and of when that was.
    counts: HashMap<Uid, (i32, Timestamp)>,
}

const KINDS: [ProbeKind; 3] = [ProbeKind::Liveness, ProbeKind::Readiness, ProbeKind::Startup];

/// What one event says.
enum Said {
    Failed { kind: ProbeKind, errored: bool },
    Killed { kind: ProbeKind, again: bool },
}

/// Reads by how a message begins: its end is free text, and differs from release to release.
fn said(event: &Event) -> Option<Said> {
    let message = event.message.as_str();
    let message = message.strip_prefix("(combined from similar events): ").unwrap_or(message);
    if event.reason == "Unhealthy" {
        let kind = KINDS.into_iter().find(|kind| message.starts_with(kind.word()))?;
        let rest = message[kind.word().len()..].strip_prefix(" probe ")?;
        let errored = rest.starts_with("errored");
        return (errored || rest.starts_with("failed")).then_some(Said::Failed { kind, errored });
    }
    // "Container web failed liveness probe, will be restarted", and without that where the policy is Never; "Init
    // container web failed startup probe", which is a sidecar and so always started again
    let again = message.ends_with(", will be restarted") || message.starts_with("Init container ");
    let killed = |kind: ProbeKind| message.contains(&format!(" failed {} probe", kind.word().to_lowercase()));
    (event.reason == "Killing")
        .then(|| [ProbeKind::Liveness, ProbeKind::Startup].into_iter().find(|kind| killed(*kind)))
        .flatten()
        .map(|kind| Said::Killed { kind, again })
}

/// Whether a failure says that the answer took too long: of http, of exec and tcp, of gRPC
/// (`pkg/probe/{http,exec,tcp,grpc}`).
fn timed_out(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["timeout exceeded", "context deadline exceeded", "timed out", "i/o timeout", "timeout:"]
        .iter()
        .any(|words| message.contains(words))
}

impl Evidence {
    /// What the container is like now.
    pub fn see(&mut self, probes: &[Probe], status: &ContainerStatus) {
        if self.probes != probes {
            self.probes = probes.to_vec();
        }
        if matches!(status.state, ContainerState::Running { .. }) {
            let before = self.running.take().filter(|before| before.state == status.state);
            self.begin_anew(status);
            // a success that shows begins the count anew
            if status.started == Some(true)
                && before.as_ref().is_none_or(|before| before.started != Some(true))
            {
                self.success(ProbeKind::Startup);
            }
            if status.ready && before.is_none_or(|before| !before.ready) {
                self.success(ProbeKind::Readiness);
            }
            self.running = Some(status.clone());
        }
        if let Some(end) = &status.last {
            self.end(end);
        }
        if let ContainerState::Terminated(end) = &status.state {
            self.end(end);
        }
    }

    /// A failure of this start that was heard of before the start itself was put together with those before it.
    fn begin_anew(&mut self, status: &ContainerStatus) {
        for failure in self.failures.iter_mut().flatten() {
            if status.in_this_start(failure.at) && !status.in_this_start(failure.since) {
                failure.since = failure.at;
                failure.run = failure.run.min(u32::from(!failure.errored));
                failure.heard = 1;
            }
        }
    }

    fn success(&mut self, kind: ProbeKind) {
        if let Some(failure) = &mut self.failures[kind as usize] {
            failure.run = 0;
        }
    }

    fn end(&mut self, end: &Terminated) {
        if self.ends.contains(end) {
            return;
        }
        self.ends.push_back(end.clone());
        if self.ends.len() > ENDS {
            self.ends.pop_front();
        }
    }

    /// What an event says.
    pub fn hear(&mut self, event: &Event) {
        let Some(said) = said(event) else { return };
        let Some(at) = event.last.or(event.first) else { return };
        let before = self.counts(event, at);
        match said {
            Said::Killed { kind, again } => {
                for at in [event.first.unwrap_or(at), at] {
                    let killed = (kind, Killed { at, again });
                    if !self.kills.contains(&killed) {
                        self.kills.push_back(killed);
                    }
                }
                while self.kills.len() > ENDS {
                    self.kills.pop_front();
                }
            }
            Said::Failed { kind, errored } => {
                let known = self.failures[kind as usize].as_ref();
                // of an event that was counted before it was first heard of only the last time is known
                let new = before.map_or(1, |(count, _)| event.count.saturating_sub(count));
                if new > 0 && known.is_none_or(|known| at >= known.at) {
                    // and of what was counted meanwhile not which came before another event's failure
                    let since_known = before.is_some_and(|(_, at)| known.is_some_and(|known| known.at == at));
                    let new = if since_known { u32::try_from(new).unwrap_or(1) } else { 1 };
                    self.failures[kind as usize] = Some(self.failed(kind, at, new, &event.message, errored));
                }
            }
        }
    }

    /// How often the event had been counted when it was heard of before, if it was, and of when that was.
    fn counts(&mut self, event: &Event, at: Timestamp) -> Option<(i32, Timestamp)> {
        if self.counts.len() > EVENTS {
            self.counts.clear();
        }
        self.counts.insert(event.meta.uid, (event.count, at))
    }

    /// The failure at `at`, `new` of which are new, put together with those before it.
    fn failed(&self, kind: ProbeKind, at: Timestamp, new: u32, message: &Text, errored: bool) -> Failure {
        let before = self.failures[kind as usize].as_ref();
        let before = before
            .filter(|before| self.running.as_ref().is_some_and(|running| running.in_this_start(before.at)));
        let timed_out = timed_out(message);
        let alone = Failure {
            at,
            message: message.clone(),
            run: if errored { 0 } else { 1 },
            since: at,
            heard: new,
            errored,
            timed_out,
        };
        let Some(before) = before else { return alone };
        let heard = before.heard.saturating_add(new);
        let timed_out = timed_out || before.timed_out;
        let in_a_row = self.longest(kind, new).is_some_and(|longest| at.0 - before.at.0 <= longest);
        if errored {
            // the kubelet keeps its count as it was
            return Failure { heard, timed_out, run: before.run, since: before.since, ..alone };
        }
        if in_a_row && before.run > 0 {
            return Failure {
                heard,
                timed_out,
                run: before.run.saturating_add(new),
                since: before.since,
                ..alone
            };
        }
        Failure { heard, timed_out, ..alone }
    }

    /// The longest time in seconds that has room for no success beside `new` failures after one: an attempt is made
    /// each period and may last its timeout; stamps are whole seconds.
    fn longest(&self, kind: ProbeKind, new: u32) -> Option<i64> {
        let probe = self.probes.iter().find(|probe| probe.kind == kind)?;
        // What is not ready is asked out of turn as well, whenever its pod is looked at (`UpdatePodStatus`). One success
        // would show, by its being ready; the first of several would not.
        let ready = self.running.as_ref().is_some_and(|running| running.ready);
        if kind == ProbeKind::Readiness && probe.success > 1 && !ready {
            return None;
        }
        let attempts = i64::from(new).saturating_add(1);
        let longest = probe.period.saturating_mul(attempts).saturating_sub(probe.timeout).saturating_sub(1);
        (longest > 0).then_some(longest)
    }

    /// What was heard of a probe.
    pub fn heard(&self, kind: ProbeKind) -> Heard {
        let kills = self.kills.iter().filter(|(of, _)| *of == kind);
        let killed = kills.map(|(_, killed)| *killed).max_by_key(|killed| killed.at);
        Heard { kind, failure: self.failures[kind as usize].clone(), killed }
    }

    /// Why it ended then: the kubelet announces what it does over a probe between start and end, once for each end.
    pub fn cause(&self, end: &Terminated) -> Cause {
        if end.reason == "OOMKilled" {
            return Cause::OutOfMemory;
        }
        let announced =
            self.kills.iter().rev().find(|(_, killed)| self.announced_then(killed.at) == Some(end));
        announced.map_or(Cause::Unknown, |(kind, _)| Cause::Probe(*kind))
    }

    /// The end that was announced then: the first that fits, since the next start may have begun in that second.
    fn announced_then(&self, at: Timestamp) -> Option<&Terminated> {
        let fits =
            |end: &&Terminated| end.started <= Some(at) && end.finished >= Some(at) && end.started.is_some();
        self.ends.iter().filter(fits).min_by_key(|end| end.finished)
    }

    /// What `count` restarts are put down to.
    pub fn restarts(&self, count: i32) -> Restarts {
        let mut restarts = Restarts::default();
        // the last end is no restart until the container has begun again
        let since = self.running.as_ref().and_then(|running| match running.state {
            ContainerState::Running { since } => since,
            _ => None,
        });
        let begun_again = |end: &&Terminated| {
            end.finished.is_none() || since.is_some_and(|since| end.finished <= Some(since))
        };
        for end in self.ends.iter().filter(begun_again) {
            let which = match self.cause(end) {
                Cause::Probe(ProbeKind::Startup) => &mut restarts.startup,
                Cause::Probe(_) => &mut restarts.liveness,
                Cause::OutOfMemory => &mut restarts.out_of_memory,
                Cause::Unknown if end.exit_code == 0 && end.signal == 0 => &mut restarts.completed,
                Cause::Unknown => &mut restarts.failed,
            };
            *which += 1;
        }
        let Restarts { liveness, startup, out_of_memory, failed, completed, .. } = restarts;
        let seen = liveness + startup + out_of_memory + failed + completed;
        restarts.not_seen = u32::try_from(count).unwrap_or_default().saturating_sub(seen);
        restarts
    }
}
