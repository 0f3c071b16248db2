//! Snapshots of lists which clients read in pages: every page shows one and the same version.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::object::Object;

/// How many unfinished lists are kept. An older one is expired, as compaction would do.
const KEPT: usize = 16;

/// A whole list, of which pages are cut.
pub(super) type Objects = Arc<[Arc<Object>]>;

#[derive(Default)]
pub(super) struct Pages {
    open: Mutex<VecDeque<(String, u64, Objects)>>,
}

/// What a `continue` token says: the version of the list (0: whatever is current, which makes the
/// remainder inconsistent) and the last object already served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) version: u64,
    pub(super) after: (String, String),
}

impl Pages {
    pub(super) fn keep(&self, resource: &str, version: u64, objects: Objects) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(of, at, _)| of != resource || *at != version);
        if open.len() == KEPT {
            open.pop_front();
        }
        open.push_back((resource.to_owned(), version, objects));
    }

    pub(super) fn find(&self, resource: &str, version: u64) -> Option<Objects> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let found = open.iter().find(|(of, at, _)| of == resource && *at == version)?;
        Some(Arc::clone(&found.2))
    }
}

impl Token {
    /// Hexadecimal, so that nobody is tempted to read it and no URL has to escape it.
    pub(super) fn encode(&self) -> String {
        let text = format!("{}/{}/{}", self.version, self.after.0, self.after.1);
        text.bytes().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(super) fn decode(text: &str) -> Option<Token> {
        let digits = text.as_bytes().chunks(2);
        let bytes: Option<Vec<u8>> =
            digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
        let plain = String::from_utf8(bytes?).ok()?;
        let mut parts = plain.splitn(3, '/');
        let version = parts.next()?.parse().ok()?;
        Some(Token { version, after: (parts.next()?.to_owned(), parts.next()?.to_owned()) })
    }
}
