//! A viewer: a page, and a socket with what both its ends know.

use std::{
    collections::VecDeque,
    hash::{Hash, Hasher},
    sync::Arc,
};

use app::{
    api::Kinds,
    model::{Change, Cluster},
    wire::{
        self, Frame,
        follow::{Beat, Followed, Follower},
    },
};
use bytes::Bytes;

use super::{KINDS, Limits, page::Page};
use crate::hub::{
    Outgoing,
    queue::{Next, Waiting},
};

#[derive(Clone, Debug)]
pub struct Viewer {
    // shared by the states in which it has the same
    pub page: Arc<Page>,
    pub wanted: Kinds,
    pub socket: Option<Socket>,
}

/// A connection, and what both its ends know.
#[derive(Clone, Debug)]
pub struct Socket {
    /// What the hub has it for.
    pub topic: Kinds,
    pub seat: Waiting,
    pub inbox: VecDeque<Asked>,
    pub down: VecDeque<Bytes>,
    pub up: VecDeque<Asked>,
    /// What it was opened for, and what it has been asked for since.
    pub opened: Kinds,
    pub asked: Kinds,
    /// What the last snapshot was of.
    pub told: Kinds,
    pub follower: Follower,
    /// Whether the last beat confirmed what the page has.
    pub confirmed: bool,
}

/// What is on its way to the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asked {
    Resync,
    Watch(Kinds),
}

/// What one viewer, or its task, or the hub for it, does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// A socket is opened.
    Open,
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
    /// The page turns to a view of both kinds.
    Turn,
    /// The connection is lost.
    Cut,
}

impl Part {
    pub const ALL: [Part; 9] = [
        Part::Open,
        Part::Answer,
        Part::Send,
        Part::AskCancelled,
        Part::Take,
        Part::Lose,
        Part::Ask,
        Part::Turn,
        Part::Cut,
    ];
}

impl Viewer {
    pub fn may(&self, part: Part, left: &Limits) -> bool {
        let Some(socket) = &self.socket else {
            return match part {
                Part::Open => true,
                Part::Turn => left.turns > 0 && self.wanted.iter().count() < KINDS.len(),
                _ => false,
            };
        };
        match part {
            Part::Open => false,
            Part::Answer => !socket.inbox.is_empty(),
            Part::Send => socket.down.is_empty() && socket.seat.clone().take().is_some(),
            Part::AskCancelled => socket.inbox.is_empty() && socket.has_overflowed(),
            Part::Take => !socket.down.is_empty(),
            Part::Lose => left.losses > 0 && !socket.down.is_empty(),
            Part::Ask => !socket.up.is_empty(),
            Part::Turn => left.turns > 0 && self.wanted.iter().count() < KINDS.len(),
            Part::Cut => left.cuts > 0,
        }
    }

    /// As the page's session asks for what it wants and has not asked for.
    pub fn want(&mut self) {
        if let Some(socket) = &mut self.socket
            && !socket.asked.covers(self.wanted)
        {
            socket.up.push_back(Asked::Watch(self.wanted));
            socket.asked = self.wanted;
        }
    }

    pub fn cut_off(&mut self) {
        self.socket = None;
        Arc::make_mut(&mut self.page).cut_off();
    }

    pub fn has_all_of(&self, cluster: &Cluster) -> bool {
        self.socket.as_ref().is_some_and(|socket| socket.confirmed && socket.told == self.wanted)
            && KINDS
                .iter()
                .zip(self.page.seen())
                .all(|(kind, (.., live))| !self.wanted.contains(*kind) || live.is_some())
            && self.page.hash_of(self.wanted) == cluster.hash_of(self.wanted)
    }

    /// Takes a frame in, as the page's session does it. Gives what has to have been so after which change, if it was one
    /// that says so, and what it is if it was not.
    pub fn take(&mut self) -> Result<Option<(u64, &'static str)>, &'static str> {
        let Some(socket) = &mut self.socket else { return Ok(None) };
        let Some(bytes) = socket.down.pop_front() else { return Ok(None) };
        match wire::frame(&bytes).map_err(|_| "a frame cannot be read")? {
            Frame::Hello { epoch, .. } => {
                Arc::make_mut(&mut self.page).enter(epoch, socket.opened);
                self.want();
                Ok(None)
            }
            Frame::Snapshot { seq, packed } => {
                let all = socket.follower.snapshot(seq, &packed.0);
                let all = all.map_err(|_| "a snapshot cannot be read")?;
                socket.told = all.iter().map(Change::kind).collect();
                Arc::make_mut(&mut self.page).reset(all);
                Ok(Some((seq, "a snapshot is not what the hub had")))
            }
            Frame::Changes { seq, changes } => match socket.follower.changes(seq, &changes) {
                Followed::Changes(changes) => {
                    Arc::make_mut(&mut self.page).apply(changes);
                    socket.confirmed = false;
                    Ok(Some((seq, "changes were folded onto another state")))
                }
                Followed::LeftOut => Ok(None),
                Followed::Resync => {
                    socket.up.push_back(Asked::Resync);
                    Ok(None)
                }
            },
            Frame::Beat { seq, hash, as_of, .. } => {
                match socket.follower.beat(seq, hash, as_of, |kinds| self.page.hash_of(kinds)) {
                    Beat::Confirmed(as_of) => {
                        Arc::make_mut(&mut self.page).confirmed(as_of);
                        socket.confirmed = true;
                        Ok(Some((seq, "a beat confirmed what the hub had not")))
                    }
                    Beat::Unknown => Ok(None),
                    Beat::Resync => {
                        socket.confirmed = false;
                        socket.up.push_back(Asked::Resync);
                        Ok(None)
                    }
                }
            }
            _ => Err("a frame that nobody sent"),
        }
    }
}

impl Socket {
    /// Opened for these; who speaks is what comes first.
    pub fn new(kinds: Kinds, hello: &Frame) -> Socket {
        let mut socket = Socket {
            topic: kinds,
            seat: Waiting::with_room(2, 1 << 16),
            inbox: VecDeque::new(),
            down: VecDeque::new(),
            up: VecDeque::new(),
            opened: kinds,
            asked: kinds,
            told: Kinds::default(),
            follower: Follower::default(),
            confirmed: false,
        };
        socket.seat.greet(Outgoing::of(hello));
        socket
    }

    /// Whether its queue has lost what it had.
    pub fn has_overflowed(&self) -> bool {
        matches!(self.seat.clone().take(), Some(Next::Overflowed(_)))
    }
}

impl Hash for Viewer {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&*self.page, self.wanted, self.socket.is_some()).hash(state);
        let Some(socket) = &self.socket else { return };
        (socket.topic, socket.opened, socket.asked, socket.told, socket.confirmed).hash(state);
        socket.seat.digest().hash(state);
        (&socket.inbox, &socket.down, &socket.up).hash(state);
        // what it has read decides how it reads on
        format!("{:?}", socket.follower).hash(state);
    }
}
