//! What a page has: the store that every page has, of which each state of the world needs one of its own.

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::OnceLock,
};

use app::{
    api::{Kind, Kinds, Lease, Millis, Namespace},
    model::{Change, Delta},
    seed::Seed,
    store::{Freshness, Link, Store},
};

use super::KINDS;

/// See the module.
pub struct Page {
    store: Store,
    /// Of which server it has heard last.
    epoch: u64,
    /// What is asked of it in every state that shares it.
    seen: OnceLock<Seen>,
}

/// Of each kind: its rows' hash, what is said of them, and until when it is known to be live, if it is.
type Seen = [(u64, String, Option<Millis>); KINDS.len()];

impl Page {
    /// As a server draws it, with all of its rows; no socket has said anything yet.
    pub fn painted(all: Vec<Change>, epoch: u64, as_of: &[(Kind, Millis)]) -> Page {
        let mut seed = Seed::default();
        (seed.epoch, seed.as_of) = (epoch, as_of.to_vec());
        let store = Store::new(&seed);
        store.reset(all);
        Page { store, epoch, seen: OnceLock::new() }
    }

    /// A server says who it is, and will speak of these kinds.
    pub fn enter(&mut self, epoch: u64, kinds: Kinds) {
        self.seen.take();
        self.store.enter(epoch, kinds);
        self.epoch = epoch;
    }

    /// A snapshot.
    pub fn reset(&mut self, all: Vec<Change>) {
        self.seen.take();
        self.store.reset(all);
        self.store.set_link(Link::Live);
    }

    /// Changes after it.
    pub fn apply(&mut self, changes: Vec<Change>) {
        self.seen.take();
        self.store.apply(changes);
    }

    /// What it has was confirmed.
    pub fn confirmed(&mut self, as_of: Vec<(Kind, Millis)>) {
        self.seen.take();
        self.store.set_as_of(as_of);
    }

    /// Its socket is lost.
    pub fn cut_off(&mut self) {
        self.seen.take();
        let (since, next_at) = (Millis(0), Millis(0));
        self.store.set_link(Link::Retrying { since, attempt: 1, why: String::new(), next_at });
    }

    /// Over its rows of these kinds, as the server counts it.
    pub fn hash_of(&self, kinds: Kinds) -> u64 {
        self.store.hash(kinds)
    }

    /// See [`Seen`].
    pub fn seen(&self) -> &Seen {
        self.seen.get_or_init(|| {
            KINDS.map(|kind| {
                let freshness = self.store.freshness(kind);
                let as_of = self.store.as_of(kind);
                let (said, live) = (format!("{freshness:?} {as_of:?}"), freshness == Freshness::Live);
                (self.hash_of([kind].into_iter().collect()), said, as_of.filter(|_| live))
            })
        })
    }

    fn all(&self) -> Vec<Change> {
        let states = KINDS.into_iter().map(|kind| Change::State(kind, self.store.state(kind)));
        let namespaces = Change::Namespace(Delta::Reset(self.store.current::<Namespace>()));
        let leases = Change::Lease(Delta::Reset(self.store.current::<Lease>()));
        states.chain([namespaces, leases]).collect()
    }

    fn as_of(&self) -> Vec<(Kind, Millis)> {
        KINDS.into_iter().filter_map(|kind| Some((kind, self.store.as_of(kind)?))).collect()
    }
}

impl Clone for Page {
    fn clone(&self) -> Page {
        let page = Page::painted(self.all(), self.epoch, &self.as_of());
        page.store.set_link(self.store.link());
        page
    }
}

impl Hash for Page {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.epoch, self.seen()).hash(state);
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&(self.epoch, self.seen()), f)
    }
}
