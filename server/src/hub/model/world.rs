//! One state of the world, and what each of its parts can do in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use app::{
    api::{Kinds, Millis},
    scope::Scope,
};

use super::{
    KINDS, Limits,
    owner::{Hub, number},
    page::Page,
    viewer::{Asked, Part, Socket, Viewer},
};
use crate::hub::{
    queue::{Next, Waiting},
    topic::Topic,
};

/// See the module.
#[derive(Clone, Debug)]
pub struct World {
    pub left: Limits,
    /// What the API server has.
    there: BTreeMap<u128, &'static str>,
    /// How many changes there have been: time, as far as it matters.
    time: i64,
    hub: Hub,
    viewers: Vec<Viewer>,
    /// How each hub's rows were at each time, of each kind, as their hash.
    rows: BTreeMap<(u64, i64), [u64; KINDS.len()]>,
    /// Which rows there were after each change of each topic, as their hash.
    sent: BTreeSet<(u64, u32, u64, u64)>,
    wrong: Option<&'static str>,
}

/// What one part does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// A row comes, or is another, or goes.
    Change(u128),
    /// The hub sends what has changed.
    Flush,
    /// The hub's heartbeat.
    Beat,
    /// The strings' numbers start anew.
    NewTable,
    /// Another hub begins, with numbers of its own, and nobody is connected.
    Restart,
    /// It is told all there is.
    List,
    /// What one viewer, or its task, or the hub for it, does.
    Of(usize, Part),
}

impl World {
    pub fn new(left: Limits) -> World {
        let there = left.rows.iter().filter(|_| left.begins_with_rows).map(|number| (*number, "Active"));
        let mut world = World {
            there: there.collect(),
            time: 0,
            hub: Hub::new(1),
            viewers: Vec::new(),
            rows: BTreeMap::new(),
            sent: BTreeSet::new(),
            wrong: None,
            left,
        };
        world.list();
        let all = Scope { kinds: KINDS.into_iter().collect(), ..Scope::all() };
        let page = Arc::new(Page::painted(world.hub.cluster.snapshot(&all), 1, &world.hub.as_of(0)));
        for nth in 0..world.left.viewers {
            let wanted = [KINDS[0]].into_iter().collect();
            world.viewers.push(Viewer { page: page.clone(), wanted, socket: None });
            world.open(nth);
        }
        if world.left.restarts == 0 {
            // There is one hub, and everybody knows who it is.
            world.each(&[Part::Send, Part::Take]);
        }
        world
    }

    pub fn may(&self, act: Act) -> bool {
        match act {
            Act::Change(_) => self.left.changes > 0,
            Act::Flush => self.hub.topics.iter().any(|(_, topic)| !topic.is_quiet()),
            Act::Beat => self.left.beats > 0,
            Act::NewTable => self.left.new_tables > 0,
            Act::Restart => self.left.restarts > 0,
            Act::List => !self.hub.has_listed,
            Act::Of(nth, part) => self.viewers[nth].may(part, &self.left),
        }
    }

    pub fn act(&mut self, act: Act) {
        match act {
            Act::Change(number) => {
                self.left.changes -= 1;
                self.change(number);
            }
            Act::Flush => self.flush_all(),
            Act::Beat => {
                self.left.beats -= 1;
                self.beat();
            }
            Act::NewTable => {
                self.left.new_tables -= 1;
                self.new_tables();
            }
            Act::Restart => {
                self.left.restarts -= 1;
                self.hub = Hub::new(self.hub.epoch + 1);
                self.viewers.iter_mut().for_each(Viewer::cut_off);
                if self.left.is_prompt {
                    self.list();
                    (0..self.viewers.len()).for_each(|nth| self.open(nth));
                }
            }
            Act::List => self.list(),
            Act::Of(nth, part) => self.part(nth, part),
        }
    }

    fn part(&mut self, nth: usize, part: Part) {
        match part {
            Part::Open => return self.open(nth),
            Part::Take => return self.take(nth),
            Part::Turn => {
                self.left.turns -= 1;
                self.viewers[nth].wanted = KINDS.into_iter().collect();
                return self.viewers[nth].want();
            }
            Part::Cut => {
                self.left.cuts -= 1;
                self.viewers[nth].cut_off();
                self.forget_topics();
                if self.left.is_prompt {
                    self.open(nth);
                }
                return;
            }
            Part::Answer | Part::Send | Part::AskCancelled | Part::Lose | Part::Ask => {}
        }
        let Some(socket) = &mut self.viewers[nth].socket else { return };
        match part {
            Part::Answer => match socket.inbox.pop_front() {
                Some(Asked::Resync) => self.resync(nth),
                Some(Asked::Watch(kinds)) => self.watch(nth, kinds),
                None => {}
            },
            Part::Send => match socket.seat.take() {
                Some(Next::Frame(frame)) => socket.down.push_back(frame.plain()),
                Some(Next::Overflowed(overflow)) => {
                    socket.inbox.push_back(Asked::Resync);
                    socket.seat.asked_again(overflow);
                }
                Some(Next::Closed) | None => {}
            },
            Part::AskCancelled => socket.inbox.push_back(Asked::Resync),
            Part::Lose => {
                self.left.losses -= 1;
                socket.down.pop_front();
                socket.follower.lost();
                socket.confirmed = false;
                socket.up.push_back(Asked::Resync);
            }
            Part::Ask => socket.inbox.extend(socket.up.pop_front()),
            Part::Open | Part::Take | Part::Turn | Part::Cut => {}
        }
    }

    fn change(&mut self, number: u128) {
        let status = match self.there.get(&number).copied() {
            None => Some("Active"),
            Some("Active") => Some("Terminating"),
            Some(_) => None,
        };
        match status {
            Some(status) => _ = self.there.insert(number, status),
            None => _ = self.there.remove(&number),
        }
        self.time += i64::from(!self.left.is_prompt);
        if self.hub.has_listed {
            self.hub.told(number, status);
            self.note_rows();
        }
    }

    fn list(&mut self) {
        self.hub.list(&self.there);
        self.note_rows();
    }

    fn note_rows(&mut self) {
        if self.left.is_prompt {
            return;
        }
        let rows = KINDS.map(|kind| self.hub.cluster.hash_of([kind].into_iter().collect()));
        self.rows.insert((self.hub.epoch, self.time), rows);
    }

    /// To be noted whenever a topic has counted another change.
    fn note_sent(&mut self, kinds: Kinds) {
        let Some(seq) = self.hub.topic(kinds).map(|topic| topic.seq()) else { return };
        self.sent.insert((self.hub.epoch, number(kinds), seq, self.hub.cluster.hash_of(kinds)));
    }

    fn seats(&mut self, kinds: Kinds) -> impl Iterator<Item = &mut Waiting> {
        let sockets = self.viewers.iter_mut().filter_map(|viewer| viewer.socket.as_mut());
        sockets.filter(move |socket| socket.topic == kinds).map(|socket| &mut socket.seat)
    }

    /// As `Owner::flush_topic` does it.
    fn flush(&mut self, kinds: Kinds) {
        let Some(changes) = self.hub.topic(kinds).and_then(Topic::flush) else { return };
        self.note_sent(kinds);
        self.seats(kinds).for_each(|seat| seat.push(changes.clone()));
    }

    fn flush_all(&mut self) {
        self.hub.watched().into_iter().for_each(|kinds| self.flush(kinds));
    }

    fn new_tables(&mut self) {
        for kinds in self.hub.watched() {
            let cluster = self.hub.cluster.clone();
            let Some(snapshot) = self.hub.topic(kinds).map(|topic| topic.restart(&cluster)) else { continue };
            self.note_sent(kinds);
            self.seats(kinds).for_each(|seat| seat.restart(snapshot.clone(), []));
        }
    }

    /// As `Owner::beat` does it.
    fn beat(&mut self) {
        self.flush_all();
        let as_of = self.hub.as_of(self.time);
        for kinds in self.hub.watched() {
            let Some(beat) = self.hub.topic(kinds).map(|topic| topic.beat(Millis(0), &as_of)) else {
                continue;
            };
            self.seats(kinds).for_each(|seat| seat.push(beat.clone()));
        }
    }

    /// As `Owner::resync` does it. What is said of the cluster beside its rows is left out here.
    fn resync(&mut self, nth: usize) {
        let Some(kinds) = self.viewers[nth].socket.as_ref().map(|socket| socket.topic) else { return };
        self.flush(kinds);
        let (as_of, cluster) = (self.hub.as_of(self.time), self.hub.cluster.clone());
        let Some(topic) = self.hub.topic(kinds) else { return };
        let (snapshot, beat) = (topic.snapshot(&cluster), topic.beat(Millis(0), &as_of));
        self.note_sent(kinds);
        if let Some(socket) = &mut self.viewers[nth].socket {
            socket.seat.restart(snapshot, []);
            socket.seat.push(beat);
        }
    }

    /// As `Owner::asked` subscribes somebody new, and below somebody who is there.
    fn open(&mut self, nth: usize) {
        let wanted = self.viewers[nth].wanted;
        // what is noted goes to those who are there
        self.flush(wanted);
        self.viewers[nth].socket = Some(Socket::new(wanted, &self.hub.hello()));
        self.watch(nth, wanted);
    }

    fn watch(&mut self, nth: usize, kinds: Kinds) {
        self.flush(kinds);
        if let Some(socket) = &mut self.viewers[nth].socket {
            socket.topic = kinds;
        }
        self.hub.begin_topic(kinds);
        self.forget_topics();
        self.resync(nth);
    }

    fn forget_topics(&mut self) {
        for kinds in self.hub.watched() {
            if self.seats(kinds).next().is_none() {
                self.hub.topics.retain(|(watched, _)| *watched != kinds);
            }
        }
    }

    fn take(&mut self, nth: usize) {
        let viewer = &mut self.viewers[nth];
        match viewer.take() {
            Ok(None) => {}
            Ok(Some((seq, wrong))) => {
                let kinds = viewer.socket.as_ref().map(|socket| socket.told).unwrap_or_default();
                let (epoch, hash) = (self.hub.epoch, viewer.page.hash_of(kinds));
                if !self.sent.contains(&(epoch, number(kinds), seq, hash)) {
                    self.wrong = Some(wrong);
                }
            }
            Err(wrong) => self.wrong = Some(wrong),
        }
    }

    /// See the module's first two.
    pub fn is_right(&self) -> bool {
        self.wrong.is_none()
    }

    /// See the module's third.
    pub fn claims_hold(&self) -> bool {
        self.left.is_prompt
            || self.viewers.iter().all(|viewer| {
                let holds = |epoch: u64| {
                    viewer.page.seen().iter().enumerate().all(|(at, (shown, _, live))| {
                        let Some(as_of) = live else { return true };
                        self.rows.range((epoch, as_of.0)..(epoch + 1, 0)).any(|(_, rows)| rows[at] == *shown)
                    })
                };
                (1..=self.hub.epoch).any(holds)
            })
    }

    /// See the module's fourth.
    pub fn settles(&self) -> bool {
        let mut world = self.clone();
        for round in 0..10 {
            let mut acted = world.each(&[Part::Open, Part::Ask, Part::Answer]);
            for act in [Act::List, Act::Flush] {
                if world.may(act) {
                    world.act(act);
                    acted = true;
                }
            }
            acted |= world.each(&[Part::Send, Part::Take]);
            if !acted && world.is_settled() {
                return true; // nothing is on its way any more
            }
            if round % 3 == 2 {
                world.beat();
            }
        }
        // What is still on its way comes to rest.
        let mut left = 20;
        while left > 0 && world.each(&[Part::Ask, Part::Answer, Part::Send, Part::Take]) {
            left -= 1;
        }
        world.is_settled()
    }

    fn is_settled(&self) -> bool {
        self.is_right() && self.viewers.iter().all(|viewer| viewer.has_all_of(&self.hub.cluster))
    }

    /// Each viewer does these, as far as it can. Whether any could do anything.
    fn each(&mut self, parts: &[Part]) -> bool {
        let mut acted = false;
        for nth in 0..self.viewers.len() {
            for part in parts {
                let act = Act::Of(nth, *part);
                if self.may(act) {
                    self.act(act);
                    acted = true;
                }
            }
        }
        acted
    }

    /// Whether a queue has lost what it had.
    pub fn has_overflowed(&self) -> bool {
        let mut sockets = self.viewers.iter().filter_map(|viewer| viewer.socket.as_ref());
        sockets.any(Socket::has_overflowed)
    }

    /// Whether a page has asked for a snapshot that has not come.
    pub fn is_behind(&self) -> bool {
        let mut sockets = self.viewers.iter().filter_map(|viewer| viewer.socket.as_ref());
        sockets.any(|socket| socket.follower.is_behind())
    }

    /// Whether pages watch different things.
    pub fn is_split(&self) -> bool {
        self.hub.topics.len() > 1
    }

    /// Whether a page calls both kinds live, as this hub has them and the first did not.
    pub fn is_new(&self) -> bool {
        let live = |viewer: &Viewer| viewer.page.seen().iter().all(|(.., live)| live.is_some());
        self.hub.epoch > 1 && self.viewers.iter().any(live)
    }
}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.left, &self.there, self.time, &self.rows, &self.sent, self.wrong).hash(state);
        let Hub { epoch, cluster, has_listed, topics, .. } = &self.hub;
        // which numbers there are shows in the rows, and in what was there before
        (epoch, cluster.hash(), has_listed, topics.len()).hash(state);
        topics.iter().for_each(|(kinds, topic)| (kinds, topic.digest()).hash(state));
        // Who is who does not matter.
        let mut viewers: Vec<u64> = self.viewers.iter().map(hash_of).collect();
        viewers.sort_unstable();
        viewers.hash(state);
    }
}

impl PartialEq for World {
    fn eq(&self, other: &World) -> bool {
        hash_of(self) == hash_of(other)
    }
}

fn hash_of<T: Hash>(what: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
