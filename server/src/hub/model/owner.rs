//! What the hub of the world is made of, and how it is told of objects: as `Owner` has it and does it, which has more.

use std::{collections::BTreeMap, sync::Arc};

use app::{
    api::{Kind, KindState, Kinds, Lease, Meta, Millis, Namespace, Row, Text, Uid},
    model::{Change, Cluster, Delta},
    scope::Scope,
    wire::{About, Frame},
};

use super::KINDS;
use crate::hub::{Encoding, numbers::Numbers, topic::Topic};

/// See the module.
#[derive(Clone, Debug)]
pub struct Hub {
    pub epoch: u64,
    numbers: Numbers,
    // shared by the states in which it is the same
    pub cluster: Arc<Cluster>,
    pub has_listed: bool,
    /// The narrow one first.
    pub topics: Vec<(Kinds, Topic)>,
}

impl Hub {
    /// One that knows nothing yet.
    pub fn new(epoch: u64) -> Hub {
        let (numbers, cluster) = (Numbers::default(), Arc::default());
        Hub { epoch, numbers, cluster, has_listed: false, topics: Vec::new() }
    }

    pub fn topic(&mut self, kinds: Kinds) -> Option<&mut Topic> {
        self.topics.iter_mut().find(|(watched, _)| *watched == kinds).map(|(_, topic)| topic)
    }

    /// A topic of these, unless there is one.
    pub fn begin_topic(&mut self, kinds: Kinds) {
        if self.topic(kinds).is_none() {
            let scope = Scope { kinds, ..Scope::all() };
            self.topics.push((kinds, Topic::new(scope, Encoding::Binary)));
            self.topics.sort_by_key(|(kinds, _)| number(*kinds));
        }
    }

    pub fn watched(&self) -> Vec<Kinds> {
        self.topics.iter().map(|(kinds, _)| *kinds).collect()
    }

    pub fn hello(&self) -> Frame {
        let (build, about) = (app::BUILD.to_owned(), About::default());
        Frame::Hello { build, epoch: self.epoch, about, now: Millis(0) }
    }

    /// Until when it knows its kinds to be current, if that is now.
    pub fn as_of(&self, now: i64) -> Vec<(Kind, Millis)> {
        KINDS.into_iter().filter(|_| self.has_listed).map(|kind| (kind, Millis(now))).collect()
    }

    /// All there is. A list comes in another order than what it lists did.
    pub fn list(&mut self, there: &BTreeMap<u128, &'static str>) {
        for (number, status) in there.iter().rev() {
            self.told(*number, Some(*status));
        }
        for kind in KINDS {
            Arc::make_mut(&mut self.cluster).apply(Change::State(kind, KindState::Live));
            self.topics.iter_mut().for_each(|(_, topic)| topic.state(kind, &KindState::Live));
        }
        self.has_listed = true;
    }

    /// An object is like this, or gone. Odd ones are namespaces.
    pub fn told(&mut self, number: u128, status: Option<&'static str>) {
        let name = Arc::from(format!("row-{number}"));
        let meta = Meta { uid: Uid(1_000 + number), name, ..Meta::default() };
        let (uid, status) = (meta.uid, status.map(Text::from));
        if number % 2 == 1 {
            self.fold(uid, status.map(|phase| Namespace { meta, phase, ..Namespace::default() }));
        } else {
            self.fold(uid, status.map(|holder| Lease { meta, holder, ..Lease::default() }));
        }
    }

    /// As `Owner::put`, `Owner::put_numbered` and `Owner::gone` do it.
    fn fold<T: Row>(&mut self, uid: Uid, new: Option<T>) {
        let new = new.map(|mut row| {
            self.numbers.renumber(&mut row);
            Arc::new(row)
        });
        let Some(uid) = self.numbers.known(uid) else { return };
        let rows = T::rows(&self.cluster);
        let old = rows.get(uid).cloned().zip(rows.hash_of(uid));
        T::rows_mut(Arc::make_mut(&mut self.cluster)).apply(new.clone().map_or(Delta::Gone(uid), Delta::Put));
        let hash = T::rows(&self.cluster).hash_of(uid);
        for (_, topic) in &mut self.topics {
            topic.offer(old.as_ref().map(|(row, hash)| (row, *hash)), new.as_ref().zip(hash));
        }
    }
}

/// Of kinds, which have no order of their own.
pub fn number(kinds: Kinds) -> u32 {
    kinds.iter().map(|kind| 1u32 << kind as u32).sum()
}
