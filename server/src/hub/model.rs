//! The resync protocol, checked in every order in which its parts can act, for small cases: with the topic that numbers
//! frames, the queue that may lose them, and the page's own reading of them.
//!
//! The world is one hub with two rows, one viewer with room for two frames, a connection that holds one each way, and
//! few mishaps. Three things hold in each state there is:
//!
//! 1. what a viewer has, unless it knows itself to be behind, is what the hub had after the same change;
//! 2. what a beat confirms is what the hub had when it was sent;
//! 3. if from here on nothing goes wrong any more, the viewer has and is told to have what the hub has, before each side
//!    has acted ten times.

use std::{
    collections::{BTreeMap, VecDeque},
    hash::{Hash, Hasher},
    sync::Arc,
};

use app::{
    api::{InCluster, Kind, Kinds, Meta, Millis, Namespace, Text, Uid},
    model::{Change, Cluster, Delta},
    scope::Scope,
    wire::{
        self, Frame,
        follow::{Beat, Followed, Follower},
    },
};
use bytes::Bytes;
use stateright::{Checker, Model, Property};

use super::{
    Encoding,
    queue::{Next, Waiting},
    topic::Topic,
};

/// What may happen, how often.
#[derive(Clone, Debug)]
struct Limits {
    changes: u8,
    beats: u8,
    cuts: u8,
    losses: u8,
    new_tables: u8,
    restarts: u8,
}

/// What the viewer's task has asked the hub, or is on its way there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Resync;

#[derive(Clone, Debug)]
struct World {
    left: Limits,
    cluster: Cluster,
    topic: Topic,
    /// Which topic it is, of all that were.
    life: u64,
    /// Which rows there were after each change of each topic, as their hash.
    past: BTreeMap<(u64, u64), u64>,
    seat: Waiting,
    inbox: VecDeque<Resync>,
    down: VecDeque<Bytes>,
    up: VecDeque<Resync>,
    page: Cluster,
    follower: Follower,
    /// Whether the last beat confirmed what the page has.
    confirmed: bool,
    wrong: Option<&'static str>,
}

/// What one part does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Act {
    /// A row comes, or is another, or goes.
    Change(u128),
    /// The hub sends what has changed.
    Flush,
    /// The hub's heartbeat.
    Beat,
    /// The hub answers what it was asked.
    Answer,
    /// The viewer's task sends a frame, or asks for a snapshot.
    Send,
    /// It asks for a snapshot, and is cancelled before it has noted that.
    AskCancelled,
    /// The page takes a frame in.
    Take,
    /// The page has no room for it.
    Lose,
    /// What the page asks reaches the viewer's task.
    Ask,
    /// The connection is lost, and opened again.
    Cut,
    /// The strings' numbers start anew.
    NewTable,
    /// Another hub has the same rows.
    Restart,
}

const SCOPE: Kind = Kind::Namespace;

impl World {
    fn new(left: Limits) -> World {
        let mut world = World {
            left,
            cluster: Cluster::default(),
            topic: topic(),
            life: 0,
            past: BTreeMap::new(),
            seat: Waiting::with_room(2, 1 << 16),
            inbox: VecDeque::new(),
            down: VecDeque::new(),
            up: VecDeque::new(),
            page: Cluster::default(),
            follower: Follower::default(),
            confirmed: false,
            wrong: None,
        };
        world.answer();
        world
    }

    fn may(&self, act: Act) -> bool {
        match act {
            Act::Change(_) => self.left.changes > 0,
            Act::Flush => self.topic.clone().flush().is_some(),
            Act::Beat => self.left.beats > 0,
            Act::Answer => !self.inbox.is_empty(),
            Act::Send => self.down.is_empty() && self.seat.clone().take().is_some(),
            Act::AskCancelled => {
                self.inbox.is_empty() && matches!(self.seat.clone().take(), Some(Next::Overflowed))
            }
            Act::Take => !self.down.is_empty(),
            Act::Lose => self.left.losses > 0 && !self.down.is_empty(),
            Act::Ask => !self.up.is_empty(),
            Act::Cut => self.left.cuts > 0,
            Act::NewTable => self.left.new_tables > 0,
            Act::Restart => self.left.restarts > 0,
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Change(number) => {
                self.left.changes -= 1;
                self.change(number);
            }
            Act::Flush => self.flush(),
            Act::Beat => {
                self.left.beats -= 1;
                self.beat();
            }
            Act::Answer => {
                self.inbox.pop_front();
                self.answer();
            }
            Act::Send => match self.seat.take() {
                Some(Next::Frame(frame)) => self.down.push_back(frame.plain()),
                Some(Next::Overflowed) => {
                    self.inbox.push_back(Resync);
                    self.seat.asked_again();
                }
                Some(Next::Closed) | None => {}
            },
            Act::AskCancelled => self.inbox.push_back(Resync),
            Act::Take => self.take(),
            Act::Lose => {
                self.left.losses -= 1;
                self.down.pop_front();
                self.follower.lost();
                self.confirmed = false;
                self.up.push_back(Resync);
            }
            Act::Ask => {
                self.up.pop_front();
                self.inbox.push_back(Resync);
            }
            Act::Cut => {
                self.left.cuts -= 1;
                self.reconnect();
            }
            Act::NewTable => {
                self.left.new_tables -= 1;
                let snapshot = self.topic.restart(&self.cluster);
                self.note();
                self.seat.restart(snapshot);
            }
            Act::Restart => {
                self.left.restarts -= 1;
                self.topic = topic();
                self.life += 1;
                self.reconnect();
            }
        }
    }

    /// As `Owner::put_numbered` and `Owner::gone` do it.
    fn change(&mut self, number: u128) {
        let uid = Uid(number);
        let rows = Namespace::rows(&self.cluster);
        let old = rows.get(uid).cloned().zip(rows.hash_of(uid));
        let status = match &old {
            None => Some("Active"),
            Some((row, _)) if row.phase == "Active" => Some("Terminating"),
            Some(_) => None,
        };
        let new = status.map(|status| {
            let meta = Meta { uid, name: Arc::from(format!("row-{number}")), ..Meta::default() };
            Arc::new(Namespace { meta, phase: Text::from(status), ..Namespace::default() })
        });
        let delta = new.clone().map_or(Delta::Gone(uid), Delta::Put);
        self.cluster.apply(Change::Namespace(delta));
        let hash = Namespace::rows(&self.cluster).hash_of(uid);
        self.topic.offer(old.as_ref().map(|(row, hash)| (row, *hash)), new.as_ref().zip(hash));
    }

    fn flush(&mut self) {
        if let Some(changes) = self.topic.flush() {
            self.note();
            self.seat.push(changes);
        }
    }

    fn beat(&mut self) {
        self.flush();
        self.seat.push(self.topic.beat(Millis(0), &[(SCOPE, Millis(0))]));
    }

    /// As `Owner::resync` does it.
    fn answer(&mut self) {
        self.flush();
        let snapshot = self.topic.snapshot(&self.cluster);
        self.note();
        self.seat.restart(snapshot);
        self.seat.push(self.topic.beat(Millis(0), &[(SCOPE, Millis(0))]));
    }

    fn note(&mut self) {
        self.past.insert((self.life, self.topic.seq()), self.cluster.hash());
    }

    fn reconnect(&mut self) {
        self.seat = Waiting::with_room(2, 1 << 16);
        self.inbox.clear();
        self.down.clear();
        self.up.clear();
        self.follower = Follower::default();
        self.confirmed = false;
        self.answer();
    }

    /// As the page's session does it.
    fn take(&mut self) {
        let Some(bytes) = self.down.pop_front() else { return };
        let Ok(frame) = wire::frame(&bytes) else {
            self.wrong = Some("a frame cannot be read");
            return;
        };
        let was = |world: &World, seq| world.past.get(&(world.life, seq)) == Some(&world.page.hash());
        match frame {
            Frame::Snapshot { seq, packed } => match self.follower.snapshot(seq, &packed.0) {
                Ok(all) => {
                    self.page = Cluster::default();
                    all.into_iter().for_each(|change| self.page.apply(change));
                    if !was(self, seq) {
                        self.wrong = Some("a snapshot is not what the hub had");
                    }
                }
                Err(_) => self.wrong = Some("a snapshot cannot be read"),
            },
            Frame::Changes { seq, changes } => match self.follower.changes(seq, &changes) {
                Followed::Changes(changes) => {
                    changes.into_iter().for_each(|change| self.page.apply(change));
                    self.confirmed = false;
                    if !was(self, seq) {
                        self.wrong = Some("changes were folded onto another state");
                    }
                }
                Followed::LeftOut => {}
                Followed::Resync => self.up.push_back(Resync),
            },
            Frame::Beat { seq, hash, as_of, .. } => {
                let page = &self.page;
                match self.follower.beat(seq, hash, as_of, |kinds| page.hash_of(kinds)) {
                    Beat::Confirmed(_) => {
                        self.confirmed = true;
                        if !was(self, seq) {
                            self.wrong = Some("a beat confirmed what the hub had not");
                        }
                    }
                    Beat::Unknown => {}
                    Beat::Resync => {
                        self.confirmed = false;
                        self.up.push_back(Resync);
                    }
                }
            }
            _ => self.wrong = Some("a frame that nobody sent"),
        }
    }

    /// See the module's third.
    fn settles(&self) -> bool {
        let mut world = self.clone();
        for round in 0..10 {
            for act in [Act::Ask, Act::Answer, Act::Flush, Act::Send, Act::Take] {
                if world.may(act) {
                    world.act(act);
                }
            }
            if round % 3 == 2 {
                world.beat();
            }
        }
        // What is still on its way comes to rest.
        for _ in 0..20 {
            for act in [Act::Ask, Act::Answer, Act::Send, Act::Take] {
                if world.may(act) {
                    world.act(act);
                }
            }
        }
        world.wrong.is_none() && world.confirmed && world.page.hash() == world.cluster.hash()
    }
}

fn topic() -> Topic {
    Topic::new(Scope { kinds: [SCOPE].into_iter().collect::<Kinds>(), ..Scope::all() }, Encoding::Binary)
}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Limits { changes, beats, cuts, losses, new_tables, restarts } = self.left;
        (changes, beats, cuts, losses, new_tables, restarts, self.life).hash(state);
        (self.cluster.hash(), self.page.hash(), self.confirmed, self.wrong).hash(state);
        self.topic.digest().hash(state);
        self.seat.digest().hash(state);
        (&self.inbox, &self.down, &self.up, &self.past).hash(state);
        // what it has read decides how it reads on
        format!("{:?}", self.follower).hash(state);
    }
}

impl PartialEq for World {
    fn eq(&self, other: &World) -> bool {
        let hash = |world: &World| {
            let mut hasher = std::hash::DefaultHasher::new();
            world.hash(&mut hasher);
            hasher.finish()
        };
        hash(self) == hash(other)
    }
}

impl Model for Limits {
    type State = World;
    type Action = Act;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self.clone())]
    }

    fn actions(&self, world: &World, acts: &mut Vec<Act>) {
        let all = [
            Act::Change(1),
            Act::Change(2),
            Act::Flush,
            Act::Beat,
            Act::Answer,
            Act::Send,
            Act::AskCancelled,
            Act::Take,
            Act::Lose,
            Act::Ask,
            Act::Cut,
            Act::NewTable,
            Act::Restart,
        ];
        acts.extend(all.into_iter().filter(|act| world.may(*act)));
    }

    fn next_state(&self, world: &World, act: Act) -> Option<World> {
        let mut world = world.clone();
        world.act(act);
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Limits>> {
        vec![
            Property::always("nothing is folded or confirmed that is not so", |_, world: &World| {
                world.wrong.is_none()
            }),
            Property::always("it settles", |_, world: &World| world.settles()),
            // Or the first two would prove little.
            Property::sometimes("a queue overflows", |_, world: &World| {
                matches!(world.seat.clone().take(), Some(Next::Overflowed))
            }),
            Property::sometimes("a page is behind, where it can be", |limits: &Limits, world: &World| {
                world.follower.is_behind() || limits.losses == 0
            }),
        ]
    }
}

fn check(limits: Limits) {
    let checked = limits.checker().threads(2).spawn_bfs().join();
    checked.assert_properties();
    println_states(checked.unique_state_count());
}

#[allow(clippy::print_stdout)] // said with --nocapture
fn println_states(states: usize) {
    println!("{states} states");
}

#[test]
fn a_slow_viewer_is_lost_and_found_in_every_order() {
    check(Limits { changes: 3, beats: 2, cuts: 0, losses: 0, new_tables: 0, restarts: 0 });
}

#[test]
fn what_the_page_loses_and_new_tables_in_every_order() {
    check(Limits { changes: 2, beats: 1, cuts: 0, losses: 1, new_tables: 1, restarts: 0 });
}

#[test]
fn cuts_and_restarts_in_every_order() {
    check(Limits { changes: 2, beats: 1, cuts: 1, losses: 0, new_tables: 0, restarts: 1 });
}
