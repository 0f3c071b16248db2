//! What waits for one viewer. Bounded: a viewer too slow for the stream loses everything that
//! waits and starts again from a snapshot, and nobody else notices.

use std::{
    collections::VecDeque,
    iter,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use app::{
    api::{Kind, Kinds, Millis},
    model::Change,
    wire::{self, About, Frame, Packed},
};
use bytes::Bytes;
use tokio::sync::{Notify, OnceCell};

/// Frames that may wait.
const FRAMES: usize = 256;
/// Bytes that may wait.
const BYTES: usize = 1 << 20;

/// A frame on its way out.
#[derive(Clone, Debug)]
pub enum Outgoing {
    /// Ready to send.
    Bytes(Bytes),
    /// Still to be compressed, by whichever viewer comes first.
    Snapshot(Arc<Unpacked>),
    /// For another hub in this process; has no bytes.
    Told(Arc<Told>),
}

/// What one hub tells another.
#[derive(Debug)]
pub enum Told {
    /// What is being watched, and what of it only in some namespaces.
    About(About),
    /// What has changed; after a gap, everything there is.
    Changes(Vec<Change>),
    /// Until when each kind is known to be current.
    Beat(Vec<(Kind, Millis)>),
}

/// A snapshot's bytes, compressed once for everybody who gets it.
#[derive(Debug)]
pub struct Unpacked {
    seq: u64,
    /// All that it says anything of.
    kinds: Kinds,
    raw: Vec<u8>,
    packed: OnceCell<Bytes>,
}

impl Outgoing {
    /// An encoded frame.
    pub fn of(frame: &Frame) -> Outgoing {
        Outgoing::Bytes(wire::to_bytes(frame).into())
    }

    /// A snapshot of these kinds, of change `seq`.
    pub fn snapshot(seq: u64, kinds: Kinds, raw: Vec<u8>) -> Outgoing {
        Outgoing::Snapshot(Arc::new(Unpacked { seq, kinds, raw, packed: OnceCell::new() }))
    }

    /// For another hub.
    pub fn told(told: Told) -> Outgoing {
        Outgoing::Told(Arc::new(told))
    }

    /// The bytes to send; compresses a snapshot off the async threads, once.
    pub async fn bytes(self) -> Bytes {
        let unpacked = match self {
            Outgoing::Bytes(bytes) => return bytes,
            Outgoing::Snapshot(unpacked) => unpacked,
            Outgoing::Told(_) => return Bytes::new(),
        };
        let shared = unpacked.clone();
        unpacked
            .packed
            .get_or_init(|| async move {
                let work = move || Bytes::from(wire::to_bytes(&shared.frame()));
                tokio::task::spawn_blocking(work).await.unwrap_or_default()
            })
            .await
            .clone()
    }

    /// Its bytes, a snapshot's before they are compressed.
    #[cfg(test)]
    pub(super) fn plain(&self) -> Bytes {
        match self {
            Outgoing::Bytes(bytes) => bytes.clone(),
            Outgoing::Snapshot(unpacked) => {
                wire::to_bytes(&Frame::Snapshot { seq: unpacked.seq, packed: Packed(unpacked.raw.clone()) })
                    .into()
            }
            Outgoing::Told(_) => Bytes::new(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Outgoing::Bytes(bytes) => bytes.len(),
            Outgoing::Snapshot(_) => 0, // replaces everything else, and is shared
            Outgoing::Told(_) => 0,     // rows are shared
        }
    }

    /// Whether nothing is lost with the other where this snapshot comes.
    fn replaces(&self, other: &Outgoing) -> bool {
        match (self, other) {
            (Outgoing::Snapshot(new), Outgoing::Snapshot(old)) => new.kinds.covers(old.kinds),
            _ => true,
        }
    }
}

impl Unpacked {
    fn frame(&self) -> Frame {
        Frame::Snapshot { seq: self.seq, packed: Packed(crate::gzip(&self.raw)) }
    }
}

/// What waits, and what is owed: [`Queue`] without the waiting itself.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    /// What comes before anything else, and is never lost.
    greeting: Option<Outgoing>,
    /// And how many bytes of each count.
    frames: VecDeque<(Outgoing, usize)>,
    bytes: usize,
    /// A snapshot has been taken.
    has_begun: bool,
    /// How many frames and bytes may wait.
    room: (usize, usize),
    /// A snapshot is owed: what waited was lost, and nothing is taken before it.
    overflowed: bool,
    /// The hub knows that it owes one.
    asked_again: bool,
    /// How often that has happened.
    overflows: u64,
    closed: bool,
}

impl Default for Waiting {
    fn default() -> Waiting {
        Waiting::with_room(FRAMES, BYTES)
    }
}

impl Waiting {
    pub(super) fn with_room(frames: usize, bytes: usize) -> Waiting {
        Waiting {
            greeting: None,
            frames: VecDeque::new(),
            bytes: 0,
            has_begun: false,
            room: (frames, bytes),
            overflowed: false,
            asked_again: false,
            overflows: 0,
            closed: false,
        }
    }

    /// Puts a frame before all others.
    pub(super) fn greet(&mut self, greeting: Outgoing) {
        if !self.closed {
            self.greeting = Some(greeting);
        }
    }

    /// Adds a frame, or drops all of them when there are too many.
    pub(super) fn push(&mut self, outgoing: Outgoing) {
        if self.overflowed || self.closed {
            return;
        }
        let size = outgoing.len();
        self.bytes += size;
        self.frames.push_back((outgoing, size));
        if self.frames.len() > self.room.0 || self.bytes > self.room.1 {
            self.frames.clear();
            self.bytes = 0;
            self.overflowed = true;
            self.overflows += 1;
        }
    }

    /// Puts a snapshot in the place of all that waits, after which changes are taken again. Only the very first, of other
    /// kinds, waits on: a page that another hub has drawn keeps those until that comes.
    pub(super) fn restart(&mut self, snapshot: Outgoing, beside: impl IntoIterator<Item = Outgoing>) {
        if self.closed {
            return;
        }
        self.overflowed = false;
        self.asked_again = false;
        let first = self.frames.pop_front().filter(|_| !self.has_begun);
        let kept = first.filter(|(first, _)| !snapshot.replaces(first));
        self.frames.clear();
        self.frames.extend(kept);
        // However large they are, there is room for them: what is lost now would be lost each time anew.
        self.frames.extend(iter::once(snapshot).chain(beside).map(|outgoing| (outgoing, 0)));
        self.bytes = 0;
    }

    /// What tells it from another with the same room.
    #[cfg(test)]
    pub(super) fn digest(&self) -> (Vec<Bytes>, [bool; 3]) {
        let frames = self.frames.iter().map(|(outgoing, _)| outgoing);
        let all = self.greeting.iter().chain(frames).map(Outgoing::plain);
        (all.collect(), [self.overflowed, self.asked_again, self.has_begun])
    }

    /// The hub knows that it owes a snapshot for this overflow; by now there may have been another.
    pub(super) fn asked_again(&mut self, overflow: u64) {
        self.asked_again = self.overflowed && self.overflows == overflow;
    }

    /// What comes next, if there is anything.
    pub(super) fn take(&mut self) -> Option<Next> {
        if let Some(greeting) = self.greeting.take() {
            return Some(Next::Frame(greeting));
        }
        if let Some((outgoing, size)) = self.frames.pop_front() {
            self.bytes -= size;
            self.has_begun = true;
            return Some(Next::Frame(outgoing));
        }
        if self.closed {
            return Some(Next::Closed);
        }
        (self.overflowed && !self.asked_again).then_some(Next::Overflowed(self.overflows))
    }
}

/// Between the hub, which never waits, and one viewer's task.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // No code that holds the lock can panic; if it did, the queue would still be a queue.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a frame before all others. It is not among those that are lost when there are too many: who speaks has to
    /// be known before anything that is said.
    pub fn greet(&self, greeting: Outgoing) {
        self.lock().greet(greeting);
        self.arrived.notify_one();
    }

    /// Adds a frame, or drops all of them when there are too many.
    pub fn push(&self, outgoing: Outgoing) {
        self.lock().push(outgoing);
        self.arrived.notify_one();
    }

    /// Puts a snapshot in the place of all that waits, after which the queue takes changes again; before it, what else
    /// is to be known, and after it, what is looked at beside rows.
    pub fn restart(
        &self,
        about: Option<Outgoing>,
        snapshot: Outgoing,
        beside: impl IntoIterator<Item = Outgoing>,
    ) {
        let mut waiting = self.lock();
        waiting.restart(snapshot, beside);
        about.into_iter().for_each(|about| waiting.greet(about));
        drop(waiting);
        self.arrived.notify_one();
    }

    /// The hub has been asked for the snapshot that [`Next::Overflowed`] is about.
    pub fn asked_again(&self, overflow: u64) {
        self.lock().asked_again(overflow);
    }

    /// How often everything that waited was lost.
    pub fn overflows(&self) -> u64 {
        self.lock().overflows
    }

    /// Nothing more will come, or be taken.
    pub fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_one();
    }

    /// Whether it has been closed.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// What comes next; waits for it. Cancel-safe.
    pub async fn next(&self) -> Next {
        loop {
            if let Some(next) = self.lock().take() {
                return next;
            }
            self.arrived.notified().await;
        }
    }
}

/// What a viewer's task gets from its queue.
#[derive(Debug)]
pub enum Next {
    /// A frame to send.
    Frame(Outgoing),
    /// Everything that waited is lost, and which time that was; a snapshot has to be asked for. Said until
    /// [`Queue::asked_again`] is: whoever was told may have been cancelled before the hub heard of it.
    Overflowed(u64),
    /// Nothing more will come.
    Closed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_owed_until_the_hub_has_been_asked_for_it() {
        let frame = || Outgoing::Bytes(Bytes::from_static(b"frame"));
        let mut waiting = Waiting::with_room(2, 100);
        (0..3).for_each(|_| waiting.push(frame()));
        // the first to hear of it was cancelled while the hub's inbox was full
        assert!(matches!(waiting.take(), Some(Next::Overflowed(_))));
        assert!(matches!(waiting.take(), Some(Next::Overflowed(_))));
        waiting.asked_again(1);
        assert!(waiting.take().is_none(), "asked once, not again and again");
        waiting.push(frame());
        assert!(waiting.take().is_none(), "changes to what was lost mean nothing");
        waiting.restart(frame(), []);
        waiting.push(frame());
        assert!(matches!(waiting.take(), Some(Next::Frame(_))));
        assert!(matches!(waiting.take(), Some(Next::Frame(_))));
        // the hub's answer came before it was noted that it had been asked
        (0..3).for_each(|_| waiting.push(frame()));
        waiting.restart(frame(), []);
        waiting.asked_again(2);
        (0..3).for_each(|_| waiting.push(frame()));
        assert!(matches!(waiting.take(), Some(Next::Overflowed(3))));
        // and more was lost by then
        waiting.restart(frame(), []);
        (0..3).for_each(|_| waiting.push(frame()));
        waiting.asked_again(3);
        assert!(matches!(waiting.take(), Some(Next::Overflowed(4))), "that of before has been made good");
    }

    #[test]
    fn a_snapshot_takes_the_place_of_all_that_waits() {
        let frame = |text: &'static str| Outgoing::Bytes(Bytes::from_static(text.as_bytes()));
        let mut waiting = Waiting::with_room(9, 6);
        waiting.greet(frame("hello"));
        waiting.restart(frame("a long snapshot"), []);
        waiting.push(frame("beat"));
        waiting.restart(frame("another"), []);
        waiting.push(frame("beat"));
        assert_eq!(waiting.digest().0, ["hello", "another", "beat"]);
        // what is taken out makes as much room as it took
        (0..2).for_each(|_| _ = waiting.take());
        waiting.push(frame("ab"));
        assert_eq!(waiting.digest().0, ["beat", "ab"]);
        waiting.push(frame("c"));
        assert!(matches!(waiting.take(), Some(Next::Overflowed(1))));

        // and of what comes with it nothing is too large either: it would be lost each time anew
        waiting.restart(frame("a third"), [frame("a long picture")]);
        waiting.push(frame("beat"));
        assert_eq!(waiting.digest().0, ["a third", "a long picture", "beat"]);

        let queue = Queue::default();
        queue.greet(frame("hello"));
        for about in ["what", "what else"] {
            queue.restart(Some(frame(about)), frame("snapshot"), []);
            queue.push(frame("beat"));
        }
        assert_eq!(queue.lock().digest().0, ["what else", "snapshot", "beat"]);
    }

    #[test]
    fn the_first_snapshot_waits_on_where_the_next_does_not_say_all_of_it() {
        let [one, other] = [Kind::Pod, Kind::Node].map(|kind| [kind].into_iter().collect::<Kinds>());
        let snapshot = |kinds: Kinds| Outgoing::snapshot(0, kinds, Vec::new());
        let mut waiting = Waiting::default();
        let frames = |waiting: &Waiting| waiting.digest().0.len();
        waiting.restart(snapshot(one), []);
        (0..3).for_each(|_| waiting.restart(snapshot(other), []));
        assert_eq!(frames(&waiting), 2);
        waiting.restart(snapshot(one.union(other)), []);
        assert_eq!(frames(&waiting), 1);
        waiting.take();
        waiting.restart(snapshot(one), []);
        waiting.restart(snapshot(other), []);
        assert_eq!(frames(&waiting), 1, "there is nothing any more that is not of this hub");
    }
}
