//! Bytes that others wrote, and what must hold of whatever is read from them: a module a target.
//!
//! Each `check` takes any bytes and panics when a property is broken. libFuzzer drives them (`make fuzz`), and
//! `server/tests/foreign.rs` includes this file by its path and replays the kept corpora on every `cargo test`, so
//! nothing in here may need a sanitizer, a nightly compiler or libFuzzer itself.

pub mod addresses;
pub mod answers;
pub mod clusters;
pub mod files;
pub mod frames;
pub mod objects;
mod relations;
pub mod requests;
pub mod sign_ins;
pub mod words;

/// Tries one input; panics if something does not hold.
pub type Check = fn(&[u8]);

/// Every target, by the name of its corpus.
pub const TARGETS: [(&str, Check); 9] = [
    ("addresses", addresses::check),
    ("answers", answers::check),
    ("clusters", clusters::check),
    ("files", files::check),
    ("frames", frames::check),
    ("objects", objects::check),
    ("requests", requests::check),
    ("sign_ins", sign_ins::check),
    ("words", words::check),
];

/// The first byte, which chooses, and the rest as text, if it is text.
fn chosen(data: &[u8]) -> Option<(usize, &str)> {
    let (first, rest) = data.split_first()?;
    // from `a`, so that kept inputs can be read and written by hand
    Some((usize::from(first.wrapping_sub(b'a')), std::str::from_utf8(rest).ok()?))
}

/// Runs what waits, in a time that passes only when nothing else is to be done.
fn with_time<T>(work: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
    }
    RUNTIME.with(|runtime| runtime.block_on(work))
}
