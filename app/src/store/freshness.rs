//! Whether what is drawn is what the cluster holds now, said per kind and never guessed.

use crate::{
    api::{Kind, KindState, Kinds, Millis, Text},
    store::Store,
};

/// Data older than this is marked even when the socket seems open.
const OLD_MS: i64 = 5_000;

/// The socket to the server.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Link {
    /// Opening for the first time.
    #[default]
    Connecting,
    /// Open, and heard from.
    Live,
    /// Lost; the next attempt is due.
    Retrying {
        /// Since when, by the server's clock.
        since: Millis,
        /// How many attempts have failed.
        attempt: u32,
        /// In words.
        why: String,
        /// When the next attempt starts.
        next_at: Millis,
    },
    /// It will not come back by itself.
    Closed {
        /// In words.
        why: String,
    },
}

/// How fresh a kind's rows are.
#[derive(Clone, Debug, PartialEq)]
pub enum Freshness {
    /// Drawn by the server a moment ago; the socket is being opened.
    Painted(Millis),
    /// Current.
    Live,
    /// Not there yet, which is not "none".
    Listing(u32),
    /// Not there yet, because asking fails.
    Failing(String),
    /// What was true then.
    Old {
        /// When it was last known to be current.
        as_of: Option<Millis>,
        /// Why it is not.
        because: String,
    },
    /// The API server refuses.
    Forbidden {
        /// `list` or `watch`.
        verb: Text,
        /// `pods` or `deployments.apps`.
        resource: Text,
        /// Empty for the whole cluster.
        namespace: Text,
    },
}

impl Freshness {
    /// Whether rows must be drawn as not known to be current.
    pub fn dims(&self) -> bool {
        matches!(self, Freshness::Old { .. })
    }
}

impl Store {
    /// How fresh a kind's rows are now.
    pub fn freshness(&self, kind: Kind) -> Freshness {
        let as_of = self.as_of(kind);
        match self.state(kind) {
            KindState::Forbidden { verb, resource, namespace } => {
                return Freshness::Forbidden { verb, resource, namespace };
            }
            KindState::Connecting => return Freshness::Listing(0),
            KindState::Listing { seen } => return Freshness::Listing(seen),
            KindState::Failing { because } => return Freshness::Failing(because.to_string()),
            KindState::Stale { since, because } => {
                let as_of = Some(as_of.map_or(since, |as_of| Millis(as_of.0.min(since.0))));
                return Freshness::Old { as_of, because: because.to_string() };
            }
            KindState::Live => {}
        }
        let old = as_of.is_none_or(|as_of| self.server_now().0.abs_diff(as_of.0) > OLD_MS.unsigned_abs());
        match self.link() {
            Link::Retrying { why, .. } | Link::Closed { why } => Freshness::Old { as_of, because: why },
            Link::Connecting if old => {
                Freshness::Old { as_of, because: "no answer from Masthead yet".to_owned() }
            }
            Link::Connecting => Freshness::Painted(as_of.unwrap_or_default()),
            Link::Live if old => {
                Freshness::Old { as_of, because: "the server has not confirmed it since".to_owned() }
            }
            Link::Live => Freshness::Live,
        }
    }

    /// The least fresh of several kinds: what may be said about all of them together.
    pub fn freshness_of(&self, kinds: Kinds) -> Freshness {
        let rank = |freshness: &Freshness| match freshness {
            Freshness::Live => 0,
            Freshness::Painted(_) => 1,
            Freshness::Forbidden { .. } => 2,
            Freshness::Listing(_) => 3,
            Freshness::Failing(_) => 4,
            Freshness::Old { .. } => 5,
        };
        kinds.iter().map(|kind| self.freshness(kind)).max_by_key(rank).unwrap_or(Freshness::Live)
    }
}
