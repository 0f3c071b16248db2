//! The kept corpora of `server/fuzz` once more, through the same checks, without libFuzzer.

// A test that cannot go on should stop.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)] // clippy.toml allows them in #[test] only

use std::{fs, path::Path};

#[path = "../fuzz/foreign/mod.rs"]
mod foreign;
#[path = "../fuzz/seeds.rs"]
mod seeds;

#[test]
fn what_was_found_once_holds() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut broken = Vec::new();
    for (target, check) in foreign::TARGETS {
        let folder = fs::read_dir(corpora.join(target)).unwrap_or_else(|error| panic!("{target}: {error}"));
        let mut files: Vec<_> = folder.map(|file| file.expect("a file").path()).collect();
        files.sort();
        assert!(!files.is_empty(), "{target} has no corpus");
        for file in files {
            let data = fs::read(&file).expect("a file that can be read");
            if std::panic::catch_unwind(|| check(&data)).is_err() {
                broken.push(file);
            }
        }
    }
    assert!(broken.is_empty(), "what does not hold is said above, of {broken:#?}");
}

/// For `server/fuzz/run seeds`, which says where to.
#[test]
#[ignore = "writes files"]
fn seeds_are_written() {
    seeds::write(Path::new(&std::env::var("SEEDS").expect("where to")));
}
