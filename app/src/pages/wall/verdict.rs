//! Whether what a wall shows may be believed, all of it together.

use super::local::Local;
use crate::{
    api::{Kind, Millis},
    format::duration,
    query::Page,
    store::{Freshness, Link, Store},
};

/// How fresh the wall is.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Everything on it is current.
    Live,
    /// Drawn by the server a moment ago; the socket is being opened.
    Painted(Millis),
    /// The first lists are under way: these kinds are not there yet.
    Listing(Vec<(Kind, u32)>),
    /// Something on it is not known to be current.
    NotLive {
        /// Until when everything was; `None` if it never was.
        since: Option<Millis>,
        /// Why, in words.
        because: String,
    },
}

impl Verdict {
    /// In the bar.
    pub fn said(&self, local: &Local) -> String {
        match self {
            Verdict::Live => "live".to_owned(),
            Verdict::Painted(at) => format!("as of {}", local.since(*at)),
            Verdict::Listing(_) => "listing".to_owned(),
            Verdict::NotLive { .. } => "not live".to_owned(),
        }
    }
}

/// Of all kinds that a wall is made of. What may not be seen does not make the rest old.
pub fn verdict(store: &Store) -> Verdict {
    let mut old: Option<(Option<Millis>, String)> = None;
    let (mut listing, mut painted, mut forbidden, mut all) = (Vec::new(), None, 0, 0);
    for kind in Page::Wall.kinds().iter() {
        all += 1;
        match store.freshness(kind) {
            Freshness::Live => {}
            Freshness::Painted(at) => painted = Some(at),
            Freshness::Listing(seen) => listing.push((kind, seen)),
            Freshness::Forbidden { .. } => forbidden += 1,
            Freshness::Failing(because) => {
                old = Some((None, format!("no list of {} yet: {because}", kind.plural())));
            }
            Freshness::Old { as_of, because } => {
                // of several the one that has been old for longest
                if old.as_ref().is_none_or(|(since, _)| as_of < *since) {
                    old = Some((as_of, told(store, kind, because)));
                }
            }
        }
    }
    if forbidden == all {
        return Verdict::NotLive { since: None, because: "Masthead may not list anything here".to_owned() };
    }
    match (old, painted) {
        (Some((since, because)), _) => Verdict::NotLive { since, because },
        (None, _) if !listing.is_empty() => Verdict::Listing(listing),
        (None, Some(at)) => Verdict::Painted(at),
        (None, None) => Verdict::Live,
    }
}

/// The reason, and what is done about it.
fn told(store: &Store, kind: Kind, because: String) -> String {
    match store.link() {
        Link::Live => format!("{}: {because}", kind.plural()),
        Link::Retrying { next_at, attempt, .. } => {
            let tries = if attempt == 1 { "tried once".to_owned() } else { format!("tried {attempt} times") };
            match (next_at.0 - store.server_now().0 + 999) / 1_000 {
                seconds @ 1.. => format!("{because}; {tries}, again in {}", duration(seconds)),
                _ => format!("{because}; {tries}, trying"),
            }
        }
        Link::Connecting | Link::Closed { .. } => because,
    }
}
