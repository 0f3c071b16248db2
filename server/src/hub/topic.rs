//! A topic: one stream of frames for all viewers of the same scope. Exists once per distinct
//! scope, for as long as somebody watches it.

use std::{collections::BTreeMap, sync::Arc};

use app::{
    api::{Kind, KindState, Millis, Row, Text, Uid},
    model::{Change, Cluster, Delta},
    scope::Scope,
    wire::{self, Apart, Frame, strings},
};
use serde::Serialize;
use serde_json::json;

use super::{
    Outgoing, Told,
    freshness::{forbidden, seen_within, unseen},
};

/// The string table starts anew when it is this long and mostly unused.
const LONG_TABLE: usize = 20_000;

/// How frames are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// postcard, for the page.
    Binary,
    /// Server-sent events with JSON inside, for people and scripts.
    Events,
    /// As they are, with their details, for another hub in this process.
    Rows,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Topic {
    scope: Scope,
    encoding: Encoding,
    seq: u64,
    hash: u64,
    strings: strings::Written,
    /// Strings in use at the last snapshot.
    table: usize,
    /// What has changed since the last frame: the latest of each object.
    changed: BTreeMap<(Kind, Uid), Pending>,
    states: BTreeMap<Kind, KindState>,
    /// Kinds that are seen in fewer namespaces than scripts have been told, and what they have been called.
    narrowed: BTreeMap<Kind, KindState>,
    /// What its readers were last told of each kind, where those do not count themselves how long ago it was confirmed.
    called: BTreeMap<Kind, Called>,
    /// The snapshot of this very `seq`, if somebody has asked for it.
    snapshot: Option<Outgoing>,
}

#[derive(Clone, Debug)]
struct Pending {
    change: Change,
    event: Option<serde_json::Value>,
}

/// What scripts have been told of a kind.
#[derive(Clone, Debug, Default)]
struct Called {
    state: KindState,
    /// See [`seen_within`].
    within: Option<Vec<Text>>,
}

impl Topic {
    /// A topic nobody has had a snapshot of.
    pub fn new(scope: Scope, encoding: Encoding) -> Topic {
        Topic {
            scope,
            encoding,
            seq: 0,
            hash: 0,
            strings: strings::Written::default(),
            table: 0,
            changed: BTreeMap::new(),
            states: BTreeMap::new(),
            narrowed: BTreeMap::new(),
            called: BTreeMap::new(),
            snapshot: None,
        }
    }

    /// Number of the last change.
    #[cfg(test)]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// What tells it from another of the same scope: two that are equal here go on alike.
    #[cfg(test)]
    pub fn digest(&self) -> impl std::hash::Hash {
        let pending: Vec<_> = self.changed.values().map(|pending| wire::to_bytes(&pending.change)).collect();
        let strings: Vec<String> = self.strings.all().iter().map(ToString::to_string).collect();
        let states = format!("{:?}", self.states);
        (self.seq, self.hash, strings, pending, states, self.snapshot.is_some())
    }

    /// Nothing has changed since the last frame.
    #[cfg(test)]
    pub fn is_quiet(&self) -> bool {
        self.changed.is_empty() && self.states.is_empty()
    }

    /// How many strings have a number.
    pub fn strings(&self) -> usize {
        self.strings.len()
    }

    /// Whether its rows come with their details.
    pub fn has_details(&self) -> bool {
        self.encoding == Encoding::Rows
    }

    /// A row was `old` and is `new`: notes what that means for this scope, entering and leaving included.
    pub fn offer<T: Row>(&mut self, old: Option<(&Arc<T>, u64)>, new: Option<(&Arc<T>, u64)>) {
        if !self.scope.kinds.contains(T::KIND) {
            return;
        }
        let old = old.filter(|(row, _)| self.scope.holds(&***row));
        let new = new.filter(|(row, _)| self.scope.holds(&***row));
        if let Some((_, hash)) = old {
            self.hash = self.hash.wrapping_sub(hash);
        }
        if let Some((_, hash)) = new {
            self.hash = self.hash.wrapping_add(hash);
        }
        let Some(row) = new.or(old).map(|(row, _)| row) else { return };
        let uid = row.meta().uid;
        let delta = if new.is_some() { Delta::Put(row.clone()) } else { Delta::Gone(uid) };
        let event = (self.encoding == Encoding::Events).then(|| match new {
            Some((row, _)) => json!({"type": "put", "kind": T::KIND.plural(), "object": readable(&**row)}),
            None => json!({
                "type": "gone",
                "kind": T::KIND.plural(),
                "namespace": row.meta().namespace,
                "name": row.meta().name,
                "uid": uid,
            }),
        });
        self.changed.insert((T::KIND, uid), Pending { change: T::change(delta), event });
    }

    /// A kind's state has changed. People and scripts are told what it is called, see [`Topic::call`].
    pub fn state(&mut self, kind: Kind, state: &KindState) {
        if self.scope.kinds.contains(kind) && self.encoding != Encoding::Events {
            self.states.insert(kind, state.clone());
        }
    }

    /// What each kind is called now, and where kinds are watched. A page finds out by itself what has not been confirmed
    /// for too long, and what of its namespaces is refused.
    pub fn call(&mut self, called: &[(Kind, KindState)], apart: &Apart) {
        if self.encoding != Encoding::Events {
            return;
        }
        for (kind, now) in called.iter().filter(|(kind, _)| self.scope.kinds.contains(*kind)) {
            let unseen = apart.get(&kind.watched()).and_then(|within| unseen(within, &self.scope.namespaces));
            let state = unseen.map_or_else(|| now.clone(), |namespace| forbidden(*kind, namespace));
            let now = Called { state, within: seen_within(apart, *kind, &self.scope.namespaces) };
            // Whoever is there has had a snapshot, and before the first one nobody is.
            let Some(before) = self.called.get(kind) else {
                self.called.insert(*kind, now);
                continue;
            };
            let same = match (&before.state, &now.state) {
                // Until something is confirmed that would be since now, time and again.
                (KindState::Stale { because: a, .. }, KindState::Stale { because: b, .. }) => a == b,
                (before, now) => before == now,
            };
            if same && before.within == now.within {
                continue;
            }
            let is_narrowed = now.is_narrower_than(before);
            if is_narrowed {
                self.narrowed.entry(*kind).or_insert_with(|| before.state.clone());
            }
            if !same || !is_narrowed {
                self.states.insert(*kind, now.state.clone());
            }
            self.called.insert(*kind, now);
        }
    }

    /// The frame of everything noted since the last one; `None` when there is nothing.
    pub fn flush(&mut self) -> Option<Outgoing> {
        if self.changed.is_empty() && self.states.is_empty() && self.narrowed.is_empty() {
            return None;
        }
        self.seq += 1;
        self.snapshot = None;
        let changed = std::mem::take(&mut self.changed);
        let states = std::mem::take(&mut self.states);
        let narrowed = std::mem::take(&mut self.narrowed);
        if self.encoding == Encoding::Events {
            let mut text = String::new();
            // Nothing is called live that is not there yet.
            let (live, others): (Vec<_>, Vec<_>) =
                states.into_iter().partition(|(_, state)| *state == KindState::Live);
            let told = |(kind, state): (Kind, KindState)| {
                let within = self.called.get(&kind).and_then(|called| called.within.as_ref());
                ("state", json!({"kind": kind.plural(), "state": state, "within": within}))
            };
            // Scripts know objects by name: what is gone would take away another that has its name by now.
            let events = changed.into_values().filter_map(|pending| pending.event);
            let (gone, put): (Vec<_>, Vec<_>) = events.partition(|event| event["type"] == "gone");
            let changes = gone.into_iter().chain(put).map(|event| ("change", event));
            // What is not to be seen any more has not gone: where it is not is said first.
            let others = narrowed.into_iter().chain(others).map(told);
            for (name, data) in others.chain(changes).chain(live.into_iter().map(told)) {
                push_event(&mut text, name, self.seq, &data);
            }
            return Some(Outgoing::Bytes(text.into()));
        }
        let changes: Vec<Change> = states
            .into_iter()
            .map(|(kind, state)| Change::State(kind, state))
            .chain(changed.into_values().map(|pending| pending.change))
            .collect();
        if self.encoding == Encoding::Rows {
            return Some(Outgoing::told(Told::Changes(changes)));
        }
        let changes = wire::write_changes(&mut self.strings, &changes);
        Some(Outgoing::of(&Frame::Changes { seq: self.seq, changes }))
    }

    /// The snapshot of now, made at most once per `seq`. Flush first: what is noted but not sent
    /// would otherwise be in it and be sent again.
    pub fn snapshot(&mut self, cluster: &Cluster) -> Outgoing {
        if let Some(snapshot) = &self.snapshot {
            return snapshot.clone();
        }
        let snapshot = match self.encoding {
            Encoding::Binary => {
                let changes = cluster.snapshot(&self.scope);
                let bytes = wire::write_snapshot(&mut self.strings, &changes);
                // Not how many have a number: of those that are gone that only grows, and with it what is out of proportion.
                self.table = self.strings.in_use();
                Outgoing::snapshot(self.seq, self.scope.kinds, bytes)
            }
            Encoding::Events => {
                Outgoing::Bytes(snapshot_event(self.seq, cluster, &self.scope, &self.called).into())
            }
            Encoding::Rows => Outgoing::told(Told::Changes(cluster.snapshot(&self.scope))),
        };
        self.hash = scope_hash(cluster, &self.scope);
        self.snapshot = Some(snapshot.clone());
        snapshot
    }

    /// Whether the string table has grown out of proportion (months of new image tags).
    pub fn wants_restart(&self) -> bool {
        self.strings.len() > LONG_TABLE && self.strings.len() > 4 * self.table
    }

    /// Starts the string table anew: a snapshot for everybody who is there.
    pub fn restart(&mut self, cluster: &Cluster) -> Outgoing {
        self.seq += 1;
        self.strings = strings::Written::default();
        self.table = 0;
        self.changed.clear();
        self.states.clear();
        self.narrowed.clear();
        self.snapshot = None;
        self.snapshot(cluster)
    }

    /// The heartbeat.
    pub fn beat(&self, now: Millis, as_of: &[(Kind, Millis)]) -> Outgoing {
        let as_of: Vec<_> =
            as_of.iter().copied().filter(|(kind, _)| self.scope.kinds.contains(*kind)).collect();
        match self.encoding {
            Encoding::Binary => Outgoing::of(&Frame::Beat { seq: self.seq, now, hash: self.hash, as_of }),
            Encoding::Rows => Outgoing::told(Told::Beat(as_of)),
            Encoding::Events => {
                let is_seen = |kind: &Kind| !self.called.get(kind).is_some_and(Called::is_forbidden);
                let as_of: serde_json::Map<_, _> = as_of
                    .into_iter()
                    .filter(|(kind, _)| is_seen(kind))
                    .map(|(kind, at)| (kind.plural().to_owned(), json!(at.to_string())))
                    .collect();
                let mut text = String::new();
                push_event(&mut text, "beat", self.seq, &json!({"now": now.to_string(), "asOf": as_of}));
                Outgoing::Bytes(text.into())
            }
        }
    }
}

impl Called {
    fn is_forbidden(&self) -> bool {
        matches!(self.state, KindState::Forbidden { .. })
    }

    fn is_narrower_than(&self, before: &Called) -> bool {
        let Some(within) = &self.within else { return false };
        before.within.as_ref().is_none_or(|before| before.iter().any(|name| !within.contains(name)))
    }
}

/// The hash a viewer computes over the same rows.
fn scope_hash(cluster: &Cluster, scope: &Scope) -> u64 {
    struct Sum<'a>(&'a Cluster, &'a Scope);
    impl app::model::WithRow for Sum<'_> {
        type Out = u64;
        fn with<T: Row>(self) -> u64 {
            let rows = T::rows(self.0);
            rows.iter()
                .filter(|row| self.1.holds(&***row))
                .filter_map(|row| rows.hash_of(row.meta().uid))
                .fold(0, u64::wrapping_add)
        }
    }
    scope.kinds.iter().map(|kind| kind.with_row(Sum(cluster, scope))).fold(0, u64::wrapping_add)
}

/// A row as the JSON API prints it.
pub fn readable<T: Serialize>(row: &T) -> serde_json::Value {
    serde_json::to_value(row).unwrap_or_default()
}

fn push_event(text: &mut String, name: &str, seq: u64, data: &serde_json::Value) {
    use std::fmt::Write;
    // JSON has no raw line breaks, so one data line is always enough.
    let _ = write!(text, "event: {name}\nid: {seq}\ndata: {data}\n\n");
}

fn snapshot_event(seq: u64, cluster: &Cluster, scope: &Scope, called: &BTreeMap<Kind, Called>) -> String {
    struct Items<'a>(&'a Cluster, &'a Scope, &'a BTreeMap<Kind, Called>);
    impl app::model::WithRow for Items<'_> {
        type Out = serde_json::Value;
        fn with<T: Row>(self) -> serde_json::Value {
            let rows = T::rows(self.0);
            let items: Vec<_> = rows
                .sorted()
                .into_iter()
                .filter(|row| self.1.holds(&***row))
                .map(|row| readable(&**row))
                .collect();
            let Called { state, within } = self.2.get(&T::KIND).cloned().unwrap_or_default();
            json!({"kind": T::KIND.plural(), "state": state, "within": within, "items": items})
        }
    }
    let kinds: Vec<_> = scope.kinds.iter().map(|kind| kind.with_row(Items(cluster, scope, called))).collect();
    let mut text = String::new();
    push_event(&mut text, "snapshot", seq, &json!({"kinds": kinds}));
    text
}

#[cfg(test)]
mod tests {
    use app::api::{InCluster, Meta, Namespace};

    use super::*;

    #[test]
    fn a_table_of_what_has_gone_begins_anew_however_often_somebody_comes() {
        let mut cluster = Cluster::default();
        let mut topic = Topic::new(Scope::of(Kind::Namespace), Encoding::Binary);
        for number in 0..30_000u32 {
            let meta = Meta { uid: Uid(1), name: "one".into(), ..Meta::default() };
            let row = Namespace { meta, phase: Text::from(number.to_string()), ..Namespace::default() };
            cluster.apply(Change::Namespace(Delta::Put(Arc::new(row))));
            let rows = Namespace::rows(&cluster);
            topic.offer(None, rows.get(Uid(1)).zip(rows.hash_of(Uid(1))));
            topic.flush();
            if number % 1_000 == 0 {
                topic.snapshot(&cluster);
            }
            if topic.wants_restart() {
                topic.restart(&cluster);
                assert!(topic.strings() < 10, "{} of one row", topic.strings());
                return;
            }
        }
        panic!("{} strings, and one row", topic.strings());
    }
}
