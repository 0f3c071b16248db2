//! Bad weather between an API server and the pages that show it: everything in between, from the API server's bytes to
//! the browser's, on a clock that the test drives.
//!
//! A [`Schedule`](schedule::Schedule) says what changes in the cluster and what breaks on the way. [`Run`](run::Run)
//! plays it against the program's own source, hub, site and websockets, with [`Sky`](sky::Sky) in front of the demo's
//! API server and a [`Cable`](cable::Cable) before each [`Page`](page::Page) and the [`Reader`](reader::Reader) of a
//! stream. Whatever these, or [`answers`] to a question, say of rows is held against [`Truth`](truth::Truth), which knows what there was at each moment.
#![allow(dead_code)] // each test file uses its part

pub mod answers;
pub mod cable;
pub mod falling;
pub mod page;
pub mod reader;
pub mod run;
pub mod schedule;
pub mod sky;
pub mod truth;
