//! ④ and ⑤: what travels between server and page.
//!
//! Binary frames in postcard's format. It is not self-describing, which is fine because both ends
//! are built together: the first frame says which build the server is, and a page of another
//! build reloads.
//!
//! The order of a subscription's frames: `Hello` and `Snapshot`, then `Changes` with consecutive
//! numbers, `Beat`s in between, and `Hello` again when what it says changes. A viewer that finds a gap, or a state hash other
//! than its own, asks for a new snapshot ([`Ask::Resync`]); nothing is patched up by guessing.

pub mod follow;
pub mod strings;

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    api::{Detail, Kind, Kinds, Millis, ObjectKey, Picture, Text},
    model::Change,
};

/// Longest message the server accepts from a viewer, in bytes.
pub const LONGEST_ASK: usize = 1024;

/// How often the server says that all is well, in milliseconds.
pub const BEAT_MS: i64 = 2_000;

/// After this long without any frame a viewer calls the link dead, in milliseconds.
pub const SILENCE_MS: i64 = 8_000;

/// The kinds that are watched in namespaces one by one, or only in one: in which, and whether they may be.
pub type Apart = BTreeMap<Kind, Vec<(Text, bool)>>;

/// What the page is looking at, and with what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct About {
    /// The kubeconfig's context, `in-cluster`, or `demo`.
    pub context: String,
    /// The API server's `gitVersion`; empty until it has answered.
    pub version: String,
    /// The cluster is invented.
    pub demo: bool,
    /// Namespaces that are watched; empty where some kind is watched in all.
    pub namespaces: Vec<String>,
    /// Kinds that are not watched everywhere. One that may be seen in none of its namespaces is
    /// [`KindState::Forbidden`](crate::api::KindState::Forbidden) besides.
    pub apart: Apart,
    /// How far the API server's clock is ahead of Masthead's, in milliseconds.
    pub ahead: i64,
}

impl About {
    /// The namespaces in which a kind is watched one by one, and whether it may be; empty where it is watched wherever it
    /// is.
    pub fn within(&self, kind: Kind) -> &[(Text, bool)] {
        let within = self.apart.get(&kind.watched()).filter(|_| kind.watched().only_in().is_none());
        within.map_or(&[], Vec::as_slice)
    }

    /// What the API server's clock says when Masthead's says `at`.
    pub fn in_cluster(&self, at: Millis) -> Millis {
        at.later(self.ahead)
    }

    /// What Masthead's clock says when the API server's says `at`.
    pub fn by_server(&self, at: Millis) -> Millis {
        at.later(self.ahead.saturating_neg())
    }
}

/// Server to viewer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Frame {
    /// First on every socket, before each snapshot, and when what is being watched changes.
    Hello {
        /// [`crate::BUILD`] of the server.
        build: String,
        /// Changes when the server starts anew: numbers and uids of another epoch mean nothing.
        epoch: u64,
        /// What is being watched.
        about: About,
        /// The server's clock.
        now: Millis,
    },
    /// The whole state of the subscription after change `seq`. [`Packed`] until it is opened.
    Snapshot {
        /// Number of the last change in it.
        seq: u64,
        /// Resets of each kind and their states, string table first.
        packed: Packed,
    },
    /// What happened next.
    Changes {
        /// One more than the frame before.
        seq: u64,
        /// Encoded with the subscription's string table.
        changes: Encoded,
    },
    /// All is well, and how fresh what you have is.
    Beat {
        /// Number of the last change.
        seq: u64,
        /// The server's clock.
        now: Millis,
        /// Hash over the subscription's rows; see [`crate::model::Cluster::hash`].
        hash: u64,
        /// Until when each kind is known to be current.
        as_of: Vec<(Kind, Millis)>,
    },
    /// What the viewer looks at beyond its rows ([`Ask::Look`]); `None` when there is no such object.
    Detail {
        /// Of what.
        key: ObjectKey,
        /// Its detail now.
        detail: Option<Arc<Detail>>,
    },
    /// The picture that the viewer asked for ([`Ask::Draw`]); `None` when there is and was no such workload.
    Picture {
        /// Of what.
        drawing: Drawing,
        /// As it is now.
        picture: Option<Arc<Picture>>,
    },
    /// The socket is about to be closed.
    Bye {
        /// In words, for the person in front of the page.
        why: String,
        /// The right to look has ended: no other socket will be opened before somebody signs in.
        ended: bool,
    },
}

/// Viewer to server: the whole grammar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// From now on these kinds (a new snapshot follows).
    Kinds(Kinds),
    /// Send a new snapshot: a gap, or another state hash.
    Resync,
    /// Send the detail of this object and whatever changes in it; of none with `None`.
    Look(Option<ObjectKey>),
    /// Send this picture, and another whenever it changes; none with `None`.
    Draw(Option<Drawing>),
}

/// Which picture.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Drawing {
    /// Of which workload.
    pub key: ObjectKey,
    /// With what differs between these two of its revisions.
    pub between: Option<(i64, i64)>,
}

/// A snapshot's bytes, gzip inside: compressed once for everybody, inflated by the browser itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packed(#[serde(with = "byte_string")] pub Vec<u8>);

/// Changes, encoded with a string table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encoded(#[serde(with = "byte_string")] pub Vec<u8>);

/// Bytes as one piece; serde would take `Vec<u8>` for a sequence of numbers.
mod byte_string {
    use std::fmt;

    use serde::{Deserializer, Serializer, de::Visitor};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Vec<u8>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
                Ok(bytes)
            }
        }
        deserializer.deserialize_byte_buf(Bytes)
    }
}

/// Bytes that are no frame, or no changes, of this build.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The bytes do not decode.
    #[error("{what} of {bytes} bytes could not be decoded: {error}")]
    Undecodable {
        /// What was expected.
        what: &'static str,
        /// How many bytes came.
        bytes: usize,
        /// postcard's word for it.
        error: postcard::Error,
    },
}

fn undecodable(what: &'static str, bytes: &[u8]) -> impl FnOnce(postcard::Error) -> WireError {
    let bytes = bytes.len();
    move |error| WireError::Undecodable { what, bytes, error }
}

/// Writes anything of the wire. Fails only if memory does, which postcard reports as an error.
pub fn to_bytes<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_allocvec(value).unwrap_or_default()
}

/// Reads a frame.
pub fn frame(bytes: &[u8]) -> Result<Frame, WireError> {
    postcard::from_bytes(bytes).map_err(undecodable("a frame", bytes))
}

/// The build that greets with these bytes, also if nothing else of them can be read: [`Frame::Hello`] stays the first of
/// the frames, and its build the first of its fields.
pub fn greeting(bytes: &[u8]) -> Option<String> {
    let ((frame, build), _) = postcard::take_from_bytes::<(u32, String)>(bytes).ok()?;
    (frame == 0).then_some(build)
}

/// Reads what a viewer asks.
pub fn ask(bytes: &[u8]) -> Result<Ask, WireError> {
    postcard::from_bytes(bytes).map_err(undecodable("a request", bytes))
}

/// Encodes changes with the table; new strings enter it.
pub fn write_changes(table: &mut strings::Written, changes: &[Change]) -> Encoded {
    Encoded(strings::encode(table, || to_bytes(&changes)))
}

/// The inverse of [`write_changes`], with the reading end's table.
pub fn read_changes(table: &mut strings::Read, encoded: &Encoded) -> Result<Vec<Change>, WireError> {
    strings::decode(table, || postcard::from_bytes(&encoded.0)).map_err(undecodable("changes", &encoded.0))
}

/// Encodes a snapshot: the table as a reader who starts here needs it, then the changes. Not yet
/// compressed. Of strings that were written before and are not in the snapshot only the numbers are left.
pub fn write_snapshot(table: &mut strings::Written, changes: &[Change]) -> Vec<u8> {
    let known = table.len();
    table.begin();
    let encoded = write_changes(table, changes);
    table.forget_unused();
    to_bytes(&(table.all().iter().take(known).map(Text::as_str).collect::<Vec<_>>(), encoded))
}

/// The inverse of [`write_snapshot`], after inflating: a fresh table, and the changes.
pub fn read_snapshot(bytes: &[u8]) -> Result<(strings::Read, Vec<Change>), WireError> {
    let (texts, encoded): (Vec<String>, Encoded) =
        postcard::from_bytes(bytes).map_err(undecodable("a snapshot", bytes))?;
    let mut table = strings::Read::of(texts.into_iter().map(Text::from).collect());
    let changes = read_changes(&mut table, &encoded)?;
    Ok((table, changes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_build_can_be_read_of_a_greeting_of_which_nothing_else_can() {
        let hello = Frame::Hello {
            build: "another".to_owned(),
            epoch: 7,
            about: About::default(),
            now: Millis(1_795_446_202_000),
        };
        let bytes = to_bytes(&hello);
        assert_eq!(greeting(&bytes).as_deref(), Some("another"));
        let older = &bytes[..bytes.len() - 3];
        assert!(frame(older).is_err());
        assert_eq!(greeting(older).as_deref(), Some("another"));
        assert_eq!(greeting(&bytes[..4]), None);
        assert_eq!(greeting(&to_bytes(&Frame::Bye { why: "another".to_owned(), ended: false })), None);
    }
}
