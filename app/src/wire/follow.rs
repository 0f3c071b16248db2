//! ⑤ The reading end of the protocol, without the socket: what a viewer has, what it may believe of it, and when it
//! has to ask for everything anew. The page runs it, and so do the tests' viewers and the model that is checked
//! exhaustively (`server/src/hub/model.rs`; all but the last rule).
//!
//! Four rules. Changes are folded only onto the very state they were made for: a gap leads to [`Ask::Resync`]. After
//! that ask nothing is folded, and nothing is confirmed, until the snapshot is here. A beat confirms what a viewer has
//! only if it counts the same changes and comes to the same hash. What is being watched is said with the rows that it is
//! said of: a snapshot's, if one follows.
//!
//! [`Ask::Resync`]: super::Ask::Resync

use super::{About, Drawing, Encoded, Frame, ObjectKey, WireError, read_changes, read_snapshot, strings};
use crate::{
    api::{Kind, Kinds, Millis},
    model::Change,
};

/// How far one stream has been followed.
#[derive(Clone, Debug, Default)]
pub struct Follower {
    /// Number of the last change, `None` until a snapshot has come.
    seq: Option<u64>,
    /// The kinds of the last snapshot, which the server's hash is over.
    kinds: Kinds,
    /// A snapshot has been asked for; changes are left out until it is here.
    behind: bool,
    strings: strings::Read,
    /// What is being watched by now, which has not been said.
    about: Option<About>,
}

/// What has been asked for beside rows and has not come. What a page shows of it before is from another time, perhaps of
/// another hub, and no beat speaks of it: a page is live on a new socket when nothing is owed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owed {
    detail: Option<ObjectKey>,
    picture: Option<Drawing>,
}

impl Owed {
    /// The detail of this object, or of none any more, has been asked for.
    pub fn look(&mut self, key: Option<ObjectKey>) {
        self.detail = key;
    }

    /// The same of a picture.
    pub fn draw(&mut self, drawing: Option<Drawing>) {
        self.picture = drawing;
    }

    /// A detail has come.
    pub fn detail(&mut self, key: &ObjectKey) {
        self.detail.take_if(|owed| owed == key);
    }

    /// A picture has come.
    pub fn picture(&mut self, drawing: &Drawing) {
        self.picture.take_if(|owed| owed == drawing);
    }

    /// Whether all has come.
    pub fn is_nothing(&self) -> bool {
        *self == Owed::default()
    }
}

/// What is to be done about a frame of changes.
#[derive(Debug)]
pub enum Followed {
    /// Fold these in.
    Changes(Vec<Change>),
    /// Nothing: they belong to what a snapshot on its way replaces.
    LeftOut,
    /// Ask for a snapshot. What is there stays, and nothing confirms it any more.
    Resync,
}

/// What a beat says of what a viewer has.
#[derive(Debug, PartialEq, Eq)]
pub enum Beat {
    /// It is what the server has; until when each kind is known to be current.
    Confirmed(Vec<(Kind, Millis)>),
    /// Nothing: a snapshot is on its way.
    Unknown,
    /// It is something else. Ask for a snapshot.
    Resync,
}

impl Follower {
    /// Whether a snapshot has come.
    pub fn has_snapshot(&self) -> bool {
        self.seq.is_some()
    }

    /// Number of the last change, once a snapshot has come.
    pub fn seq(&self) -> Option<u64> {
        self.seq
    }

    /// Whether a snapshot that was asked for has not come yet.
    pub fn is_behind(&self) -> bool {
        self.behind
    }

    /// The kinds of which a snapshot has come, and changes since.
    pub fn kinds(&self) -> Kinds {
        self.kinds
    }

    /// The server says what is being watched. It does so before each snapshot, and when that changes.
    pub fn hello(&mut self, about: About) {
        self.about = Some(about);
    }

    /// What is being watched, where that is to be said before this frame is taken in. Of a snapshot it is said after
    /// that: a namespace that may be seen again would seem to have none of what is yet to come.
    pub fn about_before(&mut self, frame: &Frame) -> Option<About> {
        if matches!(frame, Frame::Hello { .. } | Frame::Snapshot { .. }) { None } else { self.about_now() }
    }

    /// The same after a snapshot.
    pub fn about_now(&mut self) -> Option<About> {
        if self.behind || self.seq.is_none() { None } else { self.about.take() }
    }

    /// A snapshot of change `seq`, inflated. Its changes are the whole truth about their kinds.
    pub fn snapshot(&mut self, seq: u64, inflated: &[u8]) -> Result<Vec<Change>, WireError> {
        let (strings, all) = read_snapshot(inflated)?;
        self.strings = strings;
        self.seq = Some(seq);
        self.behind = false;
        self.kinds = all.iter().map(Change::kind).collect();
        Ok(all)
    }

    /// Changes numbered `seq`.
    pub fn changes(&mut self, seq: u64, encoded: &Encoded) -> Followed {
        let Some(last) = self.seq.filter(|_| !self.behind) else { return Followed::LeftOut };
        if seq != last + 1 {
            return self.lost();
        }
        match read_changes(&mut self.strings, encoded) {
            Ok(changes) => {
                self.seq = Some(seq);
                Followed::Changes(changes)
            }
            Err(_) => self.lost(),
        }
    }

    /// A beat after change `seq`. `ours` gives the hash over the viewer's rows of the kinds it is asked for, with all
    /// changes folded in.
    pub fn beat(
        &mut self,
        seq: u64,
        hash: u64,
        as_of: Vec<(Kind, Millis)>,
        ours: impl FnOnce(Kinds) -> u64,
    ) -> Beat {
        match self.seq {
            Some(last) if !self.behind => {
                if last == seq && ours(self.kinds) == hash {
                    return Beat::Confirmed(as_of);
                }
                self.behind = true;
                Beat::Resync
            }
            _ => Beat::Unknown,
        }
    }

    /// Something that came was lost, whatever it was.
    pub fn lost(&mut self) -> Followed {
        self.behind = true;
        Followed::Resync
    }
}

/// First and longest wait before another socket is opened, in milliseconds. Where whoever comes too early is refused at
/// once, all are back within ten seconds, and of ten thousand some two thousand a second come by.
const WAIT_MS: (f64, f64) = (500.0, 8_000.0);

/// How long to wait after so many attempts that failed, in milliseconds. Doubles, and `random`, between 0 and 1, spreads
/// out those who were cut off together.
pub fn wait_ms(attempt: u32, random: f64) -> f64 {
    let (first, most) = WAIT_MS;
    let full = (first * 2f64.powi(attempt.min(10) as i32)).min(most);
    full * (0.5 + random / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::Delta,
        wire::{Packed, write_snapshot},
    };

    #[test]
    fn what_is_owed_is_what_was_asked_for_last() {
        let key = |name: &str| ObjectKey { kind: Kind::Pod, namespace: "default".into(), name: name.into() };
        let drawing = Drawing { key: key("api"), between: None };
        let mut owed = Owed::default();
        owed.look(Some(key("a")));
        owed.draw(Some(drawing.clone()));
        owed.look(Some(key("b")));
        owed.detail(&key("a"));
        owed.picture(&Drawing { between: Some((1, 2)), ..drawing.clone() });
        owed.picture(&drawing);
        assert!(!owed.is_nothing(), "of another object");
        owed.detail(&key("b"));
        assert!(owed.is_nothing());
        owed.look(Some(key("c")));
        owed.look(None);
        assert!(owed.is_nothing(), "nobody looks any more");
    }

    #[test]
    fn what_is_watched_is_said_with_the_rows_that_it_is_said_of() {
        let about = |context: &str| About { context: context.to_owned(), ..About::default() };
        let inflated =
            write_snapshot(&mut strings::Written::default(), &[Change::Pod(Delta::Reset(Vec::new()))]);
        let snapshot = Frame::Snapshot { seq: 1, packed: Packed(Vec::new()) };
        let beat = Frame::Beat { seq: 1, now: Millis(0), hash: 0, as_of: Vec::new() };
        let mut follower = Follower::default();
        follower.hello(about("a"));
        assert_eq!(follower.about_before(&beat), None, "rows are of before");
        follower.hello(about("b"));
        assert_eq!(follower.about_before(&snapshot), None);
        follower.snapshot(1, &inflated).expect("a snapshot");
        assert_eq!(follower.about_now(), Some(about("b")));
        assert_eq!(follower.about_now(), None, "once");

        follower.hello(about("c"));
        assert_eq!(follower.about_before(&snapshot), None, "what is there is what was there before");
        assert_eq!(follower.about_before(&beat), Some(about("c")), "it is what there is now");

        follower.lost();
        follower.hello(about("d"));
        assert_eq!(follower.about_before(&beat), None, "changes were left out");
        follower.snapshot(2, &inflated).expect("a snapshot");
        assert_eq!(follower.about_now(), Some(about("d")));
    }

    #[test]
    fn nobody_waits_longer_than_eight_seconds_and_nobody_comes_at_once() {
        for attempt in [0, 1, 4, 5, 10, u32::MAX] {
            assert!((250.0..=8_000.0).contains(&wait_ms(attempt, 0.0)), "{attempt}");
            assert!((500.0..=8_000.0).contains(&wait_ms(attempt, 1.0)), "{attempt}");
        }
    }
}
