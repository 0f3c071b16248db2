//! Containers as they were: by what the kubelet did, and by when the API server told of it.

use app::api::probe::ProbeKind::{self, Liveness, Readiness, Startup};
use serde_json::Value;

use super::{Deed, Did, Outcome, SECOND, Told, list, stamp, text};

/// From a container's start to its end.
#[derive(Clone, Debug)]
pub struct Start {
    pub at: i64,
    /// It ran at least until then.
    pub until: i64,
    /// From then on it did not, and the API server had said so.
    pub gone: i64,
    pub deeds: Vec<Deed>,
    /// Reason and exit code.
    pub end: Option<(String, i64)>,
}

impl Start {
    /// Over which probes the kubelet ended it, and when it said so. One that is busy may say so of a container that has
    /// ended by itself.
    pub fn ended_over(&self) -> impl Iterator<Item = (ProbeKind, i64)> {
        let before = self.until.saturating_add(SECOND);
        self.deeds.iter().filter(move |deed| deed.at < before).filter_map(|deed| match deed.did {
            Did::End(kind, _) => Some((kind, deed.at)),
            _ => None,
        })
    }
}

/// A container as it was.
#[derive(Default)]
pub struct Truth {
    pub starts: Vec<Start>,
    /// Whether its status said that it runs, from when on.
    said: Vec<(i64, bool)>,
    /// When its pod was seen to be deleted.
    pub deleting: Option<i64>,
    /// When warnings about its pod came through.
    pub warnings: Vec<i64>,
    /// Of failures and errors that events told: which, when, and their stamps.
    heard: Vec<(ProbeKind, i64, i64)>,
    /// Stamps of the ends over a probe that events told.
    told_ends: Vec<i64>,
    /// Stamps that its status ever had.
    pub stamps: Stamps,
}

#[derive(Default)]
pub struct Stamps {
    pub started: Vec<i64>,
    pub finished: Vec<i64>,
    pub ready: Vec<i64>,
    pub created: Vec<i64>,
}

impl Truth {
    pub fn of(pod: &str, name: &str, told: &[Told], deeds: Vec<Deed>) -> Truth {
        let mut truth = Truth::default();
        for deed in deeds {
            match (deed.did, truth.starts.last_mut()) {
                (Did::Start, _) => {
                    let start =
                        Start { at: deed.at, until: i64::MAX, gone: i64::MAX, deeds: Vec::new(), end: None };
                    truth.starts.push(start);
                }
                (_, Some(start)) => start.deeds.push(deed),
                (_, None) => {}
            }
        }
        for Told { at, gone, object } in told {
            if object["kind"] == "Event" && object["involvedObject"]["name"] == pod {
                truth.event(*at, name, object);
            } else if object["metadata"]["name"] == pod {
                truth.status(*at, *gone, name, object);
            }
        }
        truth
    }

    fn event(&mut self, at: i64, name: &str, event: &Value) {
        let (reason, message) = (text(&event["reason"]), text(&event["message"]));
        if reason != "Killing" {
            self.warnings.push(at);
        }
        let of_it = text(&event["involvedObject"]["fieldPath"]).ends_with(&format!("{{{name}}}"));
        let Some(stamp) = stamp(&event["lastTimestamp"]).filter(|_| of_it) else { return };
        let message = message.strip_prefix("(combined from similar events): ").unwrap_or(message);
        if reason == "Killing" && message.contains(" failed ") {
            self.told_ends.push(stamp);
        }
        let kind = [Liveness, Readiness, Startup].into_iter().find(|kind| message.starts_with(kind.word()));
        if let Some(kind) = kind.filter(|_| reason == "Unhealthy") {
            self.heard.push((kind, at, stamp));
        }
    }

    fn status(&mut self, at: i64, gone: bool, name: &str, pod: &Value) {
        self.stamps.created.extend(stamp(&pod["metadata"]["creationTimestamp"]));
        if pod["metadata"]["deletionTimestamp"].is_string() {
            self.deleting.get_or_insert(at);
        }
        for condition in list(&pod["status"]["conditions"]) {
            if condition["type"] == "ContainersReady" && condition["status"] == "True" {
                self.stamps.ready.extend(stamp(&condition["lastTransitionTime"]));
            }
        }
        let statuses = &pod["status"];
        for status in list(&statuses["containerStatuses"]).chain(list(&statuses["initContainerStatuses"])) {
            if status["name"] != name {
                continue;
            }
            self.stamps.started.extend(stamp(&status["state"]["running"]["startedAt"]));
            for end in [&status["lastState"]["terminated"], &status["state"]["terminated"]] {
                self.end(at, end);
            }
            self.said.push((at, status["state"]["running"].is_object()));
        }
        let deleting = self.deleting.unwrap_or(at);
        if let Some(last) = self.starts.last_mut().filter(|last| gone && last.gone == i64::MAX) {
            (last.until, last.gone) = (deleting, at);
        }
    }

    fn end(&mut self, at: i64, end: &Value) {
        let (Some(started), Some(finished)) = (stamp(&end["startedAt"]), stamp(&end["finishedAt"])) else {
            return;
        };
        self.stamps.started.push(started);
        self.stamps.finished.push(finished);
        // The kubelet says that it started it a moment after it did.
        let fits = |start: &&mut Start| {
            (started..started + 2 * SECOND).contains(&start.at) && start.at < finished + SECOND
        };
        if let Some(start) = self.starts.iter_mut().rev().find(fits).filter(|start| start.end.is_none()) {
            (start.until, start.gone) = (finished, at.max(finished + SECOND));
            start.end = Some((text(&end["reason"]).to_owned(), end["exitCode"].as_i64().unwrap_or_default()));
        }
    }

    pub fn at(&self, time: i64) -> Moment<'_> {
        Moment { truth: self, time, start: self.starts.iter().rev().find(|start| start.at <= time) }
    }

    /// Moments within a time at which something is different from the one before, its end among them.
    pub fn turns(&self, from: i64, to: i64) -> Vec<i64> {
        let deeds = self.starts.iter().flat_map(|start| start.deeds.iter().map(|deed| deed.at));
        let starts = self.starts.iter().flat_map(|start| [start.at, start.until, start.gone]);
        let said = self.said.iter().map(|(at, _)| *at).chain(self.heard.iter().map(|(_, at, _)| *at));
        let turns = deeds.chain(starts).chain(said).chain(self.deleting);
        let turns = turns.flat_map(|at| [at.saturating_sub(1), at]).filter(|at| (from..to).contains(at));
        turns.chain([from, to]).collect()
    }

    /// Whether any attempt of the probe ends after that time.
    pub fn asked_after(&self, kind: ProbeKind, time: i64) -> bool {
        let deeds = self.starts.iter().flat_map(|start| &start.deeds);
        deeds.into_iter().any(|deed| deed.at > time && matches!(deed.did, Did::Attempt(of, _) if of == kind))
    }

    /// Over which probe the kubelet ended this start, if an event told.
    pub fn told_end(&self, start: &Start) -> Option<ProbeKind> {
        let mut told = start.ended_over().filter(|(_, at)| self.told_ends.contains(&(at / SECOND * SECOND)));
        told.next().map(|(kind, _)| kind)
    }
}

/// A container at a moment.
pub struct Moment<'a> {
    pub truth: &'a Truth,
    pub time: i64,
    start: Option<&'a Start>,
}

impl Moment<'_> {
    /// Since when it runs, if it does.
    pub fn started(&self) -> Option<i64> {
        self.start.filter(|start| self.time < start.gone).map(|start| start.at)
    }

    /// Whether it runs without a doubt, and its status says so.
    pub fn surely_runs(&self) -> bool {
        let said = self.truth.said.iter().rev().find(|(at, _)| *at <= self.time);
        self.start.is_some_and(|start| self.time < start.until) && said.is_some_and(|(_, runs)| *runs)
    }

    fn past(&self) -> impl DoubleEndedIterator<Item = &Deed> {
        let deeds = self.start.map_or(&[][..], |start| &start.deeds);
        deeds.iter().filter(|deed| deed.at <= self.time)
    }

    /// Attempts of a probe in this start up to now.
    pub fn attempts(&self, kind: ProbeKind) -> Vec<(i64, Outcome)> {
        let attempts = self.past().filter_map(|deed| match deed.did {
            Did::Attempt(of, outcome) if of == kind => Some((deed.at, outcome)),
            _ => None,
        });
        attempts.collect()
    }

    /// The same without those that count for nothing.
    pub fn counted(&self, kind: ProbeKind) -> Vec<(i64, Outcome)> {
        let mut attempts = self.attempts(kind);
        attempts.retain(|(_, outcome)| *outcome != Outcome::Error);
        attempts
    }

    pub fn succeeded(&self, kind: ProbeKind) -> bool {
        self.attempts(kind).iter().any(|(_, outcome)| *outcome == Outcome::Success)
    }

    /// The last failure that counts, and how many in a row it is the last of.
    pub fn failed(&self, kind: ProbeKind) -> Option<(i64, u32)> {
        let counted = self.counted(kind);
        let last = counted.iter().rposition(|(_, outcome)| *outcome == Outcome::Failure)?;
        let run =
            counted[..=last].iter().rev().take_while(|(_, outcome)| *outcome == Outcome::Failure).count();
        Some((counted[last].0, run as u32))
    }

    /// When an attempt last failed, or could not be made.
    pub fn trouble(&self, kind: ProbeKind) -> Option<i64> {
        let attempts = self.attempts(kind);
        attempts.iter().rev().find(|(_, outcome)| *outcome != Outcome::Success).map(|(at, _)| *at)
    }

    /// The result that is in effect, as the kubelet counts (`pkg/kubelet/prober/worker.go`, `doProbe`).
    pub fn effect(&self, kind: ProbeKind, successes: i64, failures: i64) -> Option<Outcome> {
        let (mut effect, mut last, mut run) = (None, None, 0);
        for (_, outcome) in self.counted(kind) {
            run = if last == Some(outcome) { run + 1 } else { 1 };
            last = Some(outcome);
            let wanted = if outcome == Outcome::Success { successes } else { failures };
            if run >= wanted {
                effect = last;
            }
        }
        effect
    }

    /// Whether the kubelet has said in this start that it ends it over this probe, to start it again or not.
    pub fn ending(&self, kind: ProbeKind, again: bool) -> bool {
        self.past().any(|deed| deed.did == Did::End(kind, again))
    }

    /// The stamp of the last failure in this start that an event has told.
    pub fn told(&self, kind: ProbeKind) -> Option<i64> {
        let attempts = self.start.map_or(&[][..], |start| &start.deeds);
        let own = |stamp: i64| {
            attempts.iter().any(|deed| {
                deed.at / SECOND * SECOND == stamp
                    && matches!(deed.did, Did::Attempt(of, outcome) if of == kind && outcome != Outcome::Success)
            })
        };
        let heard =
            self.truth.heard.iter().filter(|(of, at, stamp)| *of == kind && *at <= self.time && own(*stamp));
        heard.map(|(_, _, stamp)| *stamp).max()
    }
}
