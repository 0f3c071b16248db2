//! One pod's way through its stations: from what it says of itself, from events about it, and from the
//! moments at which that was heard.

use std::sync::Arc;

use app::api::{
    Detail, Event, Health, Millis, Pod, Text, Timestamp, Uid,
    detail::{ContainerState, Role},
    picture::{Reached, Station, Tile, Witness},
    probe::ProbeKind,
};

/// What is known of a pod.
#[derive(Debug, Default)]
pub struct Life {
    /// Who makes pods like it; `None` while only its events are known.
    pub controller: Option<Uid>,
    pub name: Arc<str>,
    /// Label `controller-revision-hash`, which DaemonSets and StatefulSets tell templates apart by.
    pub template: Text,
    /// Label `pod-template-generation` of a DaemonSet's pod.
    pub generation: i64,
    pub node: Text,
    pub status: Text,
    pub health: Health,
    pub why: Text,
    pub created: Option<Timestamp>,
    /// `status.phase`
    pub phase: Text,
    /// The last failure of its readiness probes, in the kubelet's words, and when.
    unready: Option<(Text, Millis)>,
    /// The same of liveness and startup probes, over which the kubelet ends containers.
    unhealthy: Option<(Text, Millis)>,
    /// When a container of it last ended.
    ended: Option<Millis>,
    /// When it was first ready.
    pub first_ready: Option<Millis>,
    /// When it had failed as a whole.
    failed: Option<Millis>,
    reached: [Option<(Millis, Witness)>; Station::ALL.len()],
}

/// Whether an event says something that is kept.
pub fn tells(event: &Event) -> bool {
    matches!(event.reason.as_str(), "Pulling" | "Created" | "Unhealthy")
}

impl Life {
    /// What the pod says at `now`. Stations that it has left (not ready any more, a container that ended)
    /// are not reached any more.
    pub fn see(&mut self, pod: &Pod, now: Millis) {
        self.name = pod.meta.name.clone();
        self.template = label(pod, "controller-revision-hash");
        self.generation = label(pod, "pod-template-generation").parse().unwrap_or_default();
        self.phase = pod.phase.clone();
        self.node = pod.node.clone();
        self.status = pod.status.to_string().into();
        self.health = pod.health;
        self.why = pod.why.clone();
        self.created = pod.meta.created;
        let detail = &*pod.detail;
        let seen = |before: Option<(Millis, Witness)>| before.or(Some((now, Witness::Seen)));
        let scheduled = self.at(Station::Scheduled);
        self.set(
            Station::Scheduled,
            since(detail, "PodScheduled")
                .or_else(|| (!pod.node.is_empty()).then(|| seen(scheduled)).flatten()),
        );
        self.set(Station::Started, started(detail));
        let passed = self.at(Station::StartupPassed);
        self.set(Station::StartupPassed, startup_passed(detail).then(|| seen(passed)).flatten());
        // Told to end, it is not ready any more; how long it was stays told.
        let was = self.at(Station::Ready).filter(|_| pod.meta.deleting.is_some());
        self.set(Station::Ready, since(detail, "Ready").or(was));
        self.first_ready = self.first_ready.or(self.ready());
        self.ended = ended(detail).or(self.ended);
        if pod.phase == "Failed" {
            self.failed = self.failed.or(self.ended).or(Some(now));
        }
        self.set(Station::Gone, None); // a list that lacked it was wrong
        let told = self.at(Station::Terminating);
        let said = detail.told_to_end.map(|at| (at.millis(), Witness::Pod));
        // Who shortens the time it is given, as its kubelet does at last, moves that to the present.
        let said = said.map(|said| told.filter(|(at, _)| *at <= said.0).unwrap_or(said));
        self.set(Station::Terminating, said.or_else(|| pod.meta.deleting.and_then(|_| seen(told))));
    }

    /// What an event says of it. The first of each counts; of several containers the last one's.
    pub fn hear(&mut self, event: &Event) {
        let Some(first) = event.first.or(event.last).map(Timestamp::millis) else { return };
        let station = match event.reason.as_str() {
            "Pulling" => Station::Pulling,
            "Created" => Station::Created,
            _ => {
                let last = event.last.or(event.first).map_or(first, Timestamp::millis);
                let ready = event.message.starts_with("Readiness");
                let before = if ready { &mut self.unready } else { &mut self.unhealthy };
                if before.as_ref().is_none_or(|(_, before)| *before <= last) {
                    *before = Some((event.message.clone(), last));
                }
                return;
            }
        };
        let before = self.at(station).map(|(at, _)| at);
        let at = match station {
            Station::Pulling => before.map_or(first, |before| before.min(first)),
            _ => before.map_or(first, |before| before.max(first)),
        };
        self.set(station, Some((at, Witness::Event)));
    }

    /// It is gone.
    pub fn end(&mut self, now: Millis) {
        self.set(Station::Gone, Some((now, Witness::Seen)));
    }

    /// Whether it is gone.
    pub fn is_over(&self) -> bool {
        self.gone().is_some()
    }

    /// When it was found to be gone.
    pub fn gone(&self) -> Option<Millis> {
        self.at(Station::Gone).map(|(at, _)| at)
    }

    /// When its controller lost it: it failed, was told to end, or was gone.
    pub fn lost(&self) -> Option<Millis> {
        let stations =
            [Station::Terminating, Station::Gone].map(|station| self.at(station).map(|(at, _)| at));
        [self.failed].into_iter().chain(stations).flatten().min()
    }

    /// Whether it was told to end.
    pub fn is_ending(&self) -> bool {
        self.at(Station::Terminating).is_some()
    }

    /// Since when it is ready.
    pub fn ready(&self) -> Option<Millis> {
        self.at(Station::Ready).map(|(at, _)| at)
    }

    /// When it was or will be available, if it stays ready.
    pub fn available(&self, min_ready: i32) -> Option<Millis> {
        self.ready().map(|ready| Millis(ready.0.saturating_add(i64::from(min_ready.max(0)) * 1000)))
    }

    /// A probe that has failed since its containers run, in the kubelet's words, and when it last did.
    pub fn failing_probe(&self) -> Option<&(Text, Millis)> {
        let since = self.at(Station::Started).map(|(at, _)| at)?;
        let told = [&self.unready, &self.unhealthy].into_iter().flatten();
        told.filter(|(_, at)| *at >= since).max_by_key(|(_, at)| *at)
    }

    /// What a liveness or startup probe had failed with in the minute before a container last ended.
    pub fn fatal_probe(&self) -> Option<&Text> {
        let (message, at) = self.unhealthy.as_ref()?;
        let before = self.ended?.0 - at.0;
        (-1_000..60_000).contains(&before).then_some(message)
    }

    /// As it is drawn.
    pub fn tile(&self, min_ready: i32) -> Tile {
        // one that was told to end before it was available never was
        let ends = [Station::Terminating, Station::Gone].into_iter().filter_map(|station| self.at(station));
        let end = ends.map(|(at, _)| at).min();
        let available = self.available(min_ready).filter(|at| end.is_none_or(|end| *at <= end));
        let available = available.map(|at| (at, Witness::Pod));
        let reached = Station::ALL.into_iter().filter_map(|station| {
            let (at, by) = if station == Station::Available { available } else { self.at(station) }?;
            Some(Reached { station, at, by })
        });
        Tile {
            name: self.name.clone(),
            node: self.node.clone(),
            status: self.status.clone(),
            health: self.health,
            why: self.why.clone(),
            created: self.created,
            reached: reached.collect(),
            replaces: None,
        }
    }

    fn at(&self, station: Station) -> Option<(Millis, Witness)> {
        self.reached[station as usize]
    }

    fn set(&mut self, station: Station, at: Option<(Millis, Witness)>) {
        self.reached[station as usize] = at;
    }
}

fn label(pod: &Pod, key: &str) -> Text {
    pod.meta.labels.get(key).cloned().unwrap_or_default()
}

/// Since when a condition is true.
fn since(detail: &Detail, kind: &str) -> Option<(Millis, Witness)> {
    Some((detail.true_since(kind)?.millis(), Witness::Pod))
}

/// When the last of the regular containers began, once all have. One that has ended well has begun too.
fn started(detail: &Detail) -> Option<(Millis, Witness)> {
    let regular = || detail.containers.iter().filter(|container| container.role == Role::Regular);
    let began = regular().map(|container| match &container.status.as_ref()?.state {
        ContainerState::Running { since } => *since,
        ContainerState::Terminated(end) => end.started.filter(|_| end.exit_code == 0),
        _ => None,
    });
    let began: Option<Vec<Timestamp>> = began.collect();
    began?.into_iter().max().map(|at| (at.millis(), Witness::Pod))
}

/// When the last container that was restarted, or has ended, did.
fn ended(detail: &Detail) -> Option<Millis> {
    let statuses = detail.containers.iter().filter_map(|container| container.status.as_ref());
    let ends = statuses.flat_map(|status| {
        let now = match &status.state {
            ContainerState::Terminated(end) => end.finished,
            _ => None,
        };
        [now, status.last.as_ref().and_then(|end| end.finished)]
    });
    ends.flatten().max().map(Timestamp::millis)
}

/// Whether there are startup probes, and all have passed. The status has no time for it.
fn startup_passed(detail: &Detail) -> bool {
    let mut probed = detail
        .containers
        .iter()
        .filter(|container| container.probes.iter().any(|probe| probe.kind == ProbeKind::Startup))
        .peekable();
    probed.peek().is_some()
        && probed
            .all(|container| container.status.as_ref().is_some_and(|status| status.started == Some(true)))
}
