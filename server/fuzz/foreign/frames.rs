//! Binary frames in both directions, and the seed of a page: what is read is written and read again the same. The
//! first byte says what the rest is taken for.

use std::mem::take;

use app::{
    api::Kinds,
    model::{Change, Cluster},
    scope::Scope,
    seed::Seed,
    wire::{
        self, Encoded, Frame,
        follow::{Beat, Followed, Follower},
        strings,
    },
};

/// See the module.
pub fn check(data: &[u8]) {
    let Some((what, bytes)) = data.split_first() else { return };
    match what.wrapping_sub(b'a') % 6 {
        0 => frame(bytes),
        1 => ask(bytes),
        2 => snapshot(bytes),
        3 => changes(bytes),
        4 => stream(bytes),
        _ => seed(bytes),
    }
}

fn frame(bytes: &[u8]) {
    match wire::frame(bytes) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(frame) => {
            let written = wire::to_bytes(&frame);
            let again = wire::frame(&written).expect("what was written can be read");
            assert_eq!(again, frame);
            assert_eq!(wire::to_bytes(&again), written);
        }
    }
}

fn ask(bytes: &[u8]) {
    if let Ok(ask) = wire::ask(bytes) {
        assert_eq!(wire::ask(&wire::to_bytes(&ask)).expect("what was written can be read"), ask);
    }
}

/// Changes that came from anywhere, written and read again by tables that have seen nothing, and then by those that
/// have seen it all.
fn again(changes: &[Change]) {
    let (mut written, mut read) = (strings::Written::default(), strings::Read::default());
    let mut lengths = Vec::new();
    for _ in 0..2 {
        let encoded = wire::write_changes(&mut written, changes);
        lengths.push(encoded.0.len());
        assert_eq!(wire::read_changes(&mut read, &encoded).expect("what was written can be read"), changes);
    }
    assert!(lengths[1] <= lengths[0], "strings are written once");
    let snapshot = wire::write_snapshot(&mut written, changes);
    let (mut late, read) = wire::read_snapshot(&snapshot).expect("what was written can be read");
    assert_eq!(read, changes);
    // whoever comes late understands what follows, too
    let encoded = wire::write_changes(&mut written, changes);
    assert_eq!(wire::read_changes(&mut late, &encoded).expect("what was written can be read"), changes);
}

fn snapshot(bytes: &[u8]) {
    if let Ok((_, changes)) = wire::read_snapshot(bytes) {
        again(&changes);
        folds(changes);
    }
}

/// The fold comes to the same rows again from its own snapshot.
fn folds(changes: Vec<Change>) {
    let mut cluster = Cluster::default();
    changes.into_iter().for_each(|change| cluster.apply(change));
    let mut other = Cluster::default();
    cluster.snapshot(&Scope::all()).into_iter().for_each(|change| other.apply(change));
    assert_eq!(other.hash(), cluster.hash());
    assert_eq!(other.hash_of(Kinds::all()), cluster.hash());
}

fn changes(bytes: &[u8]) {
    let mut table = strings::Read::of(["", "default", "Running"].map(Into::into).to_vec());
    if let Ok(changes) = wire::read_changes(&mut table, &Encoded(bytes.to_vec())) {
        again(&changes);
        folds(changes);
    }
}

/// Frames as a viewer follows them, each behind its length in two bytes.
fn stream(mut bytes: &[u8]) {
    let (mut follower, mut cluster) = (Follower::default(), Cluster::default());
    while let Some((length, rest)) = bytes.split_at_checked(2) {
        let length = usize::from(u16::from_le_bytes([length[0], length[1]])).min(rest.len());
        let (frame, after) = rest.split_at(length);
        bytes = after;
        let behind = follower.is_behind();
        match wire::frame(frame) {
            // not compressed here: inflating is the browser's own
            Ok(Frame::Snapshot { seq, packed }) => {
                if let Ok(all) = follower.snapshot(seq, &packed.0) {
                    assert!(follower.has_snapshot() && !follower.is_behind());
                    cluster = Cluster::default();
                    all.into_iter().for_each(|change| cluster.apply(change));
                }
            }
            Ok(Frame::Changes { seq, changes }) => match follower.changes(seq, &changes) {
                Followed::Changes(changes) => {
                    assert!(!behind && follower.has_snapshot());
                    changes.into_iter().for_each(|change| cluster.apply(change));
                }
                Followed::LeftOut => assert_eq!(follower.is_behind(), behind),
                Followed::Resync => assert!(follower.is_behind()),
            },
            Ok(Frame::Beat { seq, hash, as_of, .. }) => {
                let mut asked = None;
                let beat = follower.beat(seq, hash, as_of, |kinds| {
                    asked = Some(cluster.hash_of(kinds));
                    cluster.hash_of(kinds)
                });
                if let Beat::Confirmed(_) = beat {
                    assert!(!behind && take(&mut asked) == Some(hash));
                }
            }
            Ok(_) => {}
            Err(_) => _ = follower.lost(),
        }
    }
}

fn seed(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = Seed::build_of(text);
    if let Some(seed) = Seed::from_text(text) {
        let written = seed.to_text();
        assert_eq!(Seed::from_text(&written).expect("what was written can be read"), seed);
        let document = format!("<script id=\"seed\">{written}</script>");
        // in base64 a build longer than this is cut off, and none is that long
        if seed.build.len() < 200 {
            assert_eq!(Seed::build_of(&document).as_deref(), Some(&*seed.build));
        }
        let _ = seed.place();
        folds(seed.changes());
    }
}
