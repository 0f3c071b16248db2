//! What `/metrics` counts, in Prometheus' text format.

use std::{
    fmt,
    sync::{Mutex, OnceLock, PoisonError, atomic::AtomicU64},
};

use app::api::Kind;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use tokio::runtime::Handle;

use crate::{
    front::Limits,
    hub::{Remembers, View},
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfKind {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfState {
    kind: &'static str,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfWhat {
    what: &'static str,
}

fn of(kind: Kind) -> OfKind {
    OfKind { kind: kind.plural() }
}

/// The process's counts.
pub struct Metrics {
    registry: Registry,
    events: Family<OfKind, Counter>,
    unreadable: Family<OfKind, Counter>,
    relists: Family<OfKind, Counter>,
    failures: Family<OfKind, Counter>,
    api_server_up: Gauge,
    rows: Family<OfKind, Gauge>,
    states: Family<OfState, Gauge>,
    as_of: Family<OfKind, Gauge<f64, AtomicU64>>,
    ahead: Gauge<f64, AtomicU64>,
    remembers: Family<OfWhat, Gauge>,
    tasks: Gauge,
    viewers: Gauge,
    frames: Counter,
    bytes: Counter,
    overflows: Counter,
    connections: Gauge,
    turned_away: Counter,
    certificate: Gauge,
    limits: OnceLock<Limits>,
    /// Held by whoever sets gauges and reads them again.
    scraping: Mutex<()>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// That a page or a stream is open.
#[derive(Debug)]
pub struct Looks(Gauge);

impl Drop for Looks {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Default for Metrics {
    fn default() -> Metrics {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("masthead"),
            events: Family::default(),
            unreadable: Family::default(),
            relists: Family::default(),
            failures: Family::default(),
            api_server_up: Gauge::default(),
            rows: Family::default(),
            states: Family::default(),
            as_of: Family::default(),
            ahead: Gauge::default(),
            remembers: Family::default(),
            tasks: Gauge::default(),
            viewers: Gauge::default(),
            frames: Counter::default(),
            bytes: Counter::default(),
            overflows: Counter::default(),
            connections: Gauge::default(),
            turned_away: Counter::default(),
            certificate: Gauge::default(),
            limits: OnceLock::new(),
            scraping: Mutex::default(),
        };
        let r = &mut metrics.registry;
        r.register("watch_events", "Watch events received", metrics.events.clone());
        r.register(
            "unreadable_objects",
            "Objects that could not be read and are not shown",
            metrics.unreadable.clone(),
        );
        r.register("relists", "Lists made because a watch could not be resumed", metrics.relists.clone());
        r.register("watch_failures", "Lists and watches that failed", metrics.failures.clone());
        r.register("api_server_up", "1 while the API server answers", metrics.api_server_up.clone());
        r.register("rows", "Objects shown, of kinds that have been listed", metrics.rows.clone());
        r.register("kind_state", "1 for the state a kind is in", metrics.states.clone());
        r.register(
            "kind_as_of_seconds",
            "Until when a kind is known to be current, Unix time",
            metrics.as_of.clone(),
        );
        r.register(
            "api_server_clock_ahead_seconds",
            "How far the API server's clock is ahead of this one's; negative if it is behind",
            metrics.ahead.clone(),
        );
        r.register(
            "remembers",
            "What is remembered beside the rows: topics that are watched, uids that have numbers, pods whose course is known, points in time of workloads, workloads, their revisions, controllers whose pods are known (crews), pods whose containers' course is known, strings in the longest table of a topic",
            metrics.remembers.clone(),
        );
        r.register("tasks", "Tasks that have not ended", metrics.tasks.clone());
        r.register("viewers", "Pages and streams of changes that are open", metrics.viewers.clone());
        r.register("frames_sent", "Frames sent to viewers", metrics.frames.clone());
        r.register("bytes_sent", "Bytes of frames sent to viewers", metrics.bytes.clone());
        r.register(
            "viewer_overflows",
            "Times a viewer was too slow for the stream and began again with a snapshot",
            metrics.overflows.clone(),
        );
        r.register("connections", "Open connections", metrics.connections.clone());
        r.register(
            "connections_turned_away",
            "Connections refused because too many were open",
            metrics.turned_away.clone(),
        );
        r.register(
            "tls_certificate_current",
            "1 while the certificate that is served is the one in its files, 0 when those cannot be used or there is none",
            metrics.certificate.clone(),
        );
        metrics
    }
}

impl Metrics {
    /// Counts the connections that these limits let in.
    pub fn watch_connections(&self, limits: Limits) {
        let _ = self.limits.set(limits); // there is one front
    }

    /// Whether the certificate's files can be used.
    pub fn certificate(&self, good: bool) {
        self.certificate.set(i64::from(good));
    }

    /// A watch event came.
    pub fn event(&self, kind: Kind) {
        self.events.get_or_create(&of(kind)).inc();
    }

    /// An object could not be read.
    pub fn unreadable(&self, kind: Kind) {
        self.unreadable.get_or_create(&of(kind)).inc();
    }

    /// A kind is listed again.
    pub fn relisted(&self, kind: Kind) {
        self.relists.get_or_create(&of(kind)).inc();
    }

    /// A list or watch failed.
    pub fn failed(&self, kind: Kind) {
        self.failures.get_or_create(&of(kind)).inc();
    }

    /// The API server answered, or did not.
    pub fn pulse(&self, answered: bool) {
        self.api_server_up.set(i64::from(answered));
    }

    /// A page or a stream is open until what this gives is dropped.
    pub fn looks(&self) -> Looks {
        self.viewers.inc();
        Looks(self.viewers.clone())
    }

    /// A frame was sent.
    pub fn sent(&self, bytes: usize) {
        self.frames.inc();
        self.bytes.inc_by(bytes as u64);
    }

    /// Viewers were too slow for the stream, so many times more.
    pub fn overflowed(&self, times: u64) {
        self.overflows.inc_by(times);
    }

    /// How often viewers were too slow for the stream so far.
    pub fn overflows_so_far(&self) -> u64 {
        self.overflows.get()
    }

    /// How many objects of a kind could not be read so far.
    pub fn unreadable_so_far(&self, kind: Kind) -> u64 {
        self.unreadable.get_or_create(&of(kind)).get()
    }

    /// The text Prometheus reads, with gauges as `view` has them.
    pub fn text(&self, view: &View) -> String {
        // Two at once would tell of some kinds twice, and of others not at all.
        let _alone = self.scraping.lock().unwrap_or_else(PoisonError::into_inner);
        self.states.clear();
        self.as_of.clear();
        self.rows.clear();
        for kind in Kind::ALL {
            let state = view.state(*kind);
            // Of what is not listed there are not none: nobody knows how many.
            if state.listed() {
                let count = i64::try_from(view.cluster.count(*kind)).unwrap_or(i64::MAX);
                self.rows.get_or_create(&of(*kind)).set(count);
            }
            self.states.get_or_create(&OfState { kind: kind.plural(), state: state.word() }).set(1);
            if let Some(at) = view.as_of(*kind) {
                self.as_of.get_or_create(&of(*kind)).set(at.0 as f64 / 1000.0);
            }
        }
        self.ahead.set(view.about.ahead as f64 / 1000.0);
        let Remembers { topics, uids, pods, points, workloads, revisions, crews, containers, strings } =
            view.remembers;
        for (what, count) in [
            ("topics", topics),
            ("uids", uids),
            ("pods", pods),
            ("points", points),
            ("workloads", workloads),
            ("revisions", revisions),
            ("crews", crews),
            ("containers", containers),
            ("strings", strings),
        ] {
            self.remembers.get_or_create(&OfWhat { what }).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        let tasks = Handle::try_current().map_or(0, |runtime| runtime.metrics().num_alive_tasks());
        self.tasks.set(i64::try_from(tasks).unwrap_or(i64::MAX));
        if let Some(limits) = self.limits.get() {
            self.connections.set(i64::try_from(limits.open_now()).unwrap_or(i64::MAX));
            self.turned_away.inc_by(limits.turned_away().saturating_sub(self.turned_away.get()));
        }
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use app::{
        api::KindState,
        model::{Change, Cluster},
        wire::About,
    };

    use super::*;

    fn view(state: KindState) -> View {
        let mut cluster = Cluster::default();
        Kind::ALL.iter().for_each(|kind| cluster.apply(Change::State(*kind, state.clone())));
        View {
            cluster,
            as_of: Vec::new(),
            about: About::default(),
            is_part: false,
            epoch: 0,
            viewers: 0,
            remembers: Remembers::default(),
        }
    }

    #[test]
    fn who_asks_at_the_same_time_as_others_is_told_one_state_of_each_kind() {
        let metrics = Metrics::default();
        let views = [KindState::Connecting, KindState::Listing { seen: 0 }].map(view);
        std::thread::scope(|scope| {
            for view in &views {
                let metrics = &metrics;
                scope.spawn(move || {
                    for _ in 0..200 {
                        let text = metrics.text(view);
                        let states = text.lines().filter(|line| line.starts_with("masthead_kind_state{"));
                        let is_own = |line: &str| {
                            line.ends_with(&format!("state=\"{}\"}} 1", view.state(Kind::Pod).word()))
                        };
                        assert_eq!(states.filter(|line| is_own(line)).count(), Kind::ALL.len(), "{text}");
                    }
                });
            }
        });
    }
}
