//! What falls from the sky: the bytes of one answer, carried as the network carries them, whether or not anybody reads
//! them yet. While they come slowly all answers share a line, on which each sends a piece in turn.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use tokio::{sync::mpsc, task::JoinSet};
use tower::BoxError;

use super::sky::{Asked, Mishap, NO_BOOKMARK, SLOWLY, Sky};

/// What comes at once while bytes come slowly,
const AT_ONCE: usize = 700;
/// how much in one piece, if pieces are not as small,
const PIECE: usize = 16_384;
/// and from one to the next.
const APART: Duration = Duration::from_millis(400);
/// How many pieces wait to be read, before the line waits for the reader.
const UNREAD: usize = 4_096;

pub type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>;

/// Whose bytes these are.
#[derive(Clone)]
pub struct Way {
    pub sky: Sky,
    /// When it was asked for, in the sky's ages.
    pub age: u64,
    pub asked: Asked,
    pub collection: String,
}

/// `chunks`, each of which is a line of a watch or the whole of a list, as they come down.
pub fn fall(way: Way, chunks: Chunks) -> Body {
    let (to, from) = mpsc::channel(UNREAD);
    let held = Arc::new(AtomicUsize::new(0));
    let falling = Falling {
        way: way.clone(),
        chunks,
        ready: VecDeque::new(),
        held: None,
        holds: held.clone(),
        whole: false,
        ends: None,
    };
    let mut carrier = JoinSet::new();
    carrier.spawn(falling.run(to));
    let fallen = Fallen { way, from, held, overtaken: false, _carrier: carrier };
    Body::from_stream(stream::unfold(
        fallen,
        |mut fallen| async move { Some((fallen.next().await?, fallen)) },
    ))
}

/// A piece of what comes down.
#[derive(Debug)]
enum Piece {
    Bytes {
        bytes: Bytes,
        place: Place,
        /// The last of a line.
        last: bool,
    },
    /// The end, if all is well; whether what was listed was listed to its end.
    End {
        whole: bool,
    },
    Broken(BoxError),
}

/// Where a line is among others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Own,
    /// It overtakes one that was held.
    Before,
    /// It was held.
    After,
}

/// An answer that is on its way.
struct Falling {
    way: Way,
    chunks: Chunks,
    /// What comes next.
    ready: VecDeque<(Bytes, Place)>,
    /// A line that comes after the next one,
    held: Option<Bytes>,
    /// and how many there have been that nobody has read.
    holds: Arc<AtomicUsize>,
    /// It is the last page of a list, and nothing has befallen it.
    whole: bool,
    ends: Option<Result<(), BoxError>>,
}

impl Falling {
    async fn run(mut self, to: mpsc::Sender<Piece>) {
        let sky = self.way.sky.clone();
        loop {
            let end = self.gather().await;
            sky.passable(self.way.age).await;
            // Until others that wait have sent a piece.
            let _line = sky.line().await;
            let ends = end.is_some();
            let piece = match end {
                Some(end) => end,
                None => self.slowly().await,
            };
            if to.send(piece).await.is_err() || ends {
                return;
            }
        }
    }

    /// Until something is ready, or nothing will be: the end, then.
    async fn gather(&mut self) -> Option<Piece> {
        while self.ready.is_empty() {
            match self.ends.take() {
                Some(Ok(())) => return Some(Piece::End { whole: self.whole }),
                Some(Err(error)) => return Some(Piece::Broken(error)),
                None => {}
            }
            match self.chunks.next().await {
                Some(Ok(chunk)) => self.take(chunk),
                Some(Err(error)) => self.ends = Some(Err(error)),
                None => {
                    self.ready.extend(self.held.take().map(|held| (held, Place::After)));
                    self.ends = Some(Ok(()));
                }
            }
        }
        None
    }

    fn take(&mut self, chunk: Bytes) {
        let Way { sky, asked, collection, .. } = &self.way;
        let is_bookmark = *asked == Asked::Watch && chunk.starts_with(b"{\"type\":\"BOOKMARK\"");
        if is_bookmark && sky.withholds_bookmarks_now() {
            sky.count(NO_BOOKMARK);
            return;
        }
        if let Some(held) = self.held.take() {
            self.ready.extend([(chunk, Place::Before), (held, Place::After)]);
            return;
        }
        let mishap = if is_bookmark { None } else { sky.befalls(*asked) };
        self.whole = mishap.is_none() && *asked == Asked::List && !has_more(&chunk);
        let half = chunk.slice(..chunk.len() / 2);
        match mishap {
            None | Some(Mishap::Expired) => self.ready.push_back((chunk, Place::Own)),
            Some(Mishap::Twice) => self.ready.extend([(chunk.clone(), Place::Own), (chunk, Place::Own)]),
            Some(Mishap::Swapped) => {
                sky.hold(collection);
                self.holds.fetch_add(1, Ordering::Relaxed);
                self.held = Some(chunk);
            }
            Some(Mishap::Lost) => sky.lose(collection),
            Some(Mishap::Garbled) => {
                self.ready.push_back((Bytes::from([b"\xff{", &chunk[..]].concat()), Place::Own));
            }
            Some(Mishap::Reset) => {
                self.ready.push_back((half, Place::Own));
                self.ends = Some(Err("connection reset by peer".into()));
            }
            Some(Mishap::Cut) => {
                self.ready.push_back((half, Place::Own));
                self.ends = Some(Ok(()));
            }
        }
    }

    /// The first bytes of what is ready, the others again later, if the sky is so.
    async fn slowly(&mut self) -> Piece {
        let (mut bytes, place) = self.ready.pop_front().expect("something is ready");
        if self.way.sky.trickles_now() && bytes.len() > AT_ONCE {
            self.way.sky.count(SLOWLY);
            tokio::time::sleep(APART).await;
            let most = if fastrand::bool() { AT_ONCE } else { PIECE };
            if bytes.len() > most {
                self.ready.push_front((bytes.split_off(most), place));
                return Piece::Bytes { bytes, place, last: false };
            }
        }
        Piece::Bytes { bytes, place, last: true }
    }
}

/// An answer as somebody reads it.
struct Fallen {
    way: Way,
    from: mpsc::Receiver<Piece>,
    /// Lines that were held and have not been read.
    held: Arc<AtomicUsize>,
    /// A line has been read that overtook one.
    overtaken: bool,
    _carrier: JoinSet<()>,
}

impl Fallen {
    async fn next(&mut self) -> Option<Result<Bytes, BoxError>> {
        let Way { sky, collection, .. } = &self.way;
        match self.from.recv().await? {
            Piece::Bytes { bytes, place, last } => {
                match place {
                    Place::Own => {}
                    Place::Before => self.overtaken = true,
                    Place::After if last => {
                        self.held.fetch_sub(1, Ordering::Relaxed);
                        self.overtaken = false;
                        sky.no_longer_holds(collection);
                    }
                    Place::After => {}
                }
                Some(Ok(bytes))
            }
            Piece::End { whole } => {
                if whole {
                    sky.listed(collection);
                }
                None
            }
            Piece::Broken(error) => Some(Err(error)),
        }
    }
}

/// Whoever gives a watch up has not been told what was held.
impl Drop for Fallen {
    fn drop(&mut self) {
        let Way { sky, collection, .. } = &self.way;
        (0..self.held.load(Ordering::Relaxed)).for_each(|_| sky.no_longer_holds(collection));
        if self.overtaken {
            sky.lose(collection);
        }
    }
}

/// Whether it is a page of a list after which there is another.
fn has_more(page: &[u8]) -> bool {
    let head = &page[..page.len().min(1_000)];
    let metadata = head.split(|byte| *byte == b'[').next().unwrap_or_default();
    metadata.windows(10).any(|word| word == b"\"continue\"")
}
