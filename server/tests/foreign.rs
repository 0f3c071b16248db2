//! The kept corpora of `server/fuzz` once more, through the same checks, without libFuzzer; and what becomes of them when
//! a few bytes are changed. `MUTATIONS=100000 cargo test --package server --test foreign` tries so many of each target.

// A test that cannot go on should stop.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)] // clippy.toml allows them in #[test] only

use std::{
    fs,
    path::{Path, PathBuf},
};

#[path = "../fuzz/foreign/mod.rs"]
mod foreign;
#[path = "../fuzz/seeds.rs"]
mod seeds;

/// Changed inputs of each target, unless `MUTATIONS` says.
const MUTATIONS: usize = 1_000;
/// As in `server/fuzz/run`.
const LONGEST: usize = 16_384;

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

/// The kept inputs of a target, with their files.
fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let files = fs::read_dir(folder(target)).unwrap_or_else(|error| panic!("{target}: {error}"));
    let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{target} has no corpus");
    files.into_iter().map(|file| (file.clone(), fs::read(file).expect("a file that can be read"))).collect()
}

#[test]
fn what_was_found_once_holds() {
    let mut broken = Vec::new();
    for (target, check) in foreign::TARGETS {
        for (file, data) in corpus(target) {
            if std::panic::catch_unwind(|| check(&data)).is_err() {
                broken.push(file);
            }
        }
    }
    assert!(broken.is_empty(), "what does not hold is said above, of {broken:#?}");
}

#[test]
fn what_is_almost_that_holds_too() {
    let count = std::env::var("MUTATIONS").map_or(MUTATIONS, |count| count.parse().expect("a number"));
    let mut broken = Vec::new();
    for (target, check) in foreign::TARGETS {
        let corpus: Vec<_> = corpus(target).into_iter().map(|(_, data)| data).collect();
        for seed in 0..count as u64 {
            let data = mutated(&corpus, &mut fastrand::Rng::with_seed(seed));
            if std::panic::catch_unwind(|| check(&data)).is_err() {
                let file = folder(target).join(format!("found-mutation-{seed}"));
                fs::write(&file, &data).expect("a place for it");
                broken.push(file);
                break;
            }
        }
    }
    assert!(broken.is_empty(), "what does not hold is said above, and kept: {broken:#?}");
}

/// One of them after one to four of the changes that libFuzzer makes, too.
fn mutated(corpus: &[Vec<u8>], chance: &mut fastrand::Rng) -> Vec<u8> {
    let some = |chance: &mut fastrand::Rng| &corpus[chance.usize(..corpus.len())];
    let mut data = some(chance).clone();
    for _ in 0..chance.usize(1..=4) {
        let at = chance.usize(..=data.len());
        let end = chance.usize(at..=data.len()).min(at + 64);
        match chance.u8(..8) {
            0 => data.truncate(at),
            1 => _ = data.drain(at..end),
            2 => {
                let again = data[at..end].to_vec();
                data.splice(at..at, again);
            }
            3 => {
                let other = some(chance);
                let from = chance.usize(..=other.len());
                let until = chance.usize(from..=other.len()).min(from + 256);
                data.splice(at..end, other[from..until].iter().copied());
            }
            4 => {
                let odd = [
                    &b"-1"[..],
                    b"1e999",
                    b"18446744073709551616",
                    b"null",
                    b"[]",
                    b"\xff\xfe",
                    b"\\ud800",
                    b"\"",
                    b"\n",
                    b"%00",
                ];
                data.splice(at..end, odd[chance.usize(..odd.len())].iter().copied());
            }
            5 => data.insert(at, chance.u8(..)),
            6 if at < data.len() => data[at] ^= 1 << chance.u8(..8),
            _ if at < data.len() => data[at] = chance.u8(..),
            _ => {}
        }
    }
    data.truncate(LONGEST);
    data
}

/// For `server/fuzz/run seeds`, which says where to.
#[test]
#[ignore = "writes files"]
fn seeds_are_written() {
    seeds::write(Path::new(&std::env::var("SEEDS").expect("where to")));
}
