//! What waits for one viewer. Bounded: a viewer too slow for the stream loses everything that
//! waits and starts again from a snapshot, and nobody else notices.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use app::{
    api::{Kind, Millis},
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
    /// What is being watched.
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
    raw: Vec<u8>,
    packed: OnceCell<Bytes>,
}

impl Outgoing {
    /// An encoded frame.
    pub fn of(frame: &Frame) -> Outgoing {
        Outgoing::Bytes(wire::to_bytes(frame).into())
    }

    /// A snapshot of change `seq`.
    pub fn snapshot(seq: u64, raw: Vec<u8>) -> Outgoing {
        Outgoing::Snapshot(Arc::new(Unpacked { seq, raw, packed: OnceCell::new() }))
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

    fn len(&self) -> usize {
        match self {
            Outgoing::Bytes(bytes) => bytes.len(),
            Outgoing::Snapshot(_) => 0, // replaces everything else, and is shared
            Outgoing::Told(_) => 0,     // rows are shared
        }
    }
}

impl Unpacked {
    fn frame(&self) -> Frame {
        Frame::Snapshot { seq: self.seq, packed: Packed(crate::gzip(&self.raw)) }
    }
}

#[derive(Debug, Default)]
struct Waiting {
    frames: VecDeque<Outgoing>,
    bytes: usize,
    overflowed: bool,
    asked_again: bool,
    closed: bool,
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

    /// Adds a frame, or drops all of them when there are too many.
    pub fn push(&self, outgoing: Outgoing) {
        let mut waiting = self.lock();
        if waiting.overflowed || waiting.closed {
            return;
        }
        waiting.bytes += outgoing.len();
        waiting.frames.push_back(outgoing);
        if waiting.frames.len() > FRAMES || waiting.bytes > BYTES {
            waiting.frames.clear();
            waiting.bytes = 0;
            waiting.overflowed = true;
        }
        drop(waiting);
        self.arrived.notify_one();
    }

    /// Adds a snapshot, after which the queue takes changes again.
    pub fn restart(&self, snapshot: Outgoing) {
        let mut waiting = self.lock();
        if waiting.overflowed {
            waiting.frames.clear();
            waiting.bytes = 0;
        }
        waiting.overflowed = false;
        waiting.asked_again = false;
        waiting.frames.push_back(snapshot);
        drop(waiting);
        self.arrived.notify_one();
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
            {
                let mut waiting = self.lock();
                if let Some(outgoing) = waiting.frames.pop_front() {
                    waiting.bytes = waiting.bytes.saturating_sub(outgoing.len());
                    return Next::Frame(outgoing);
                }
                match *waiting {
                    Waiting { closed: true, .. } => return Next::Closed,
                    Waiting { overflowed: true, asked_again: false, .. } => {
                        waiting.asked_again = true;
                        return Next::Overflowed;
                    }
                    _ => {}
                }
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
    /// Everything that waited is lost; a snapshot has to be asked for. Said once an overflow.
    Overflowed,
    /// Nothing more will come.
    Closed,
}
