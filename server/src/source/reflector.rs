//! ① One kind in one place (the cluster or a namespace): list, then watch, then for ever. client-go
//! calls this a Reflector (`tools/cache/reflector.go`).
//!
//! It is our own loop over list and watch, because what a viewer is told about freshness depends on
//! moments a ready-made watcher keeps to itself: when a watch is open again, that one ended with
//! nothing in it, that the first list is not getting anywhere. The traps it closes:
//!
//! - a list that hangs: each page must begin within [`ApiServer`]'s patience and arrive in [`PAGE_DEADLINE`];
//! - a watch that hangs: one that says nothing for so long that a bookmark should have come is given up
//!   ([`BOOKMARK_DUE`]), and any is a little after it should have ended by itself ([`WATCH`]);
//! - 410 as a status and inside the watch: list again;
//! - deletions during a gap: a new list replaces the old rows, and the hub finds what is missing;
//! - a watch that ends at once with nothing in it: counts as a failure, with backoff, then list again;
//! - a version that goes backwards (etcd restored from a backup): looked for before a watch is resumed, for
//!   a watch from a version that is yet to come says nothing until it has;
//! - a watch that begins in the past: it first tells what has happened since, and nothing in it says where that
//!   ends. Its kind is not live before it has caught up ([`CATCH_UP`]);
//! - events that are here and not yet told, when the pulse is felt: rows are confirmed by the pulse only when
//!   everything has been told that came before it;
//! - events that never came: every [`LIST_AGAIN`], where a list is quick, it lists again;
//! - one object that cannot be read: logged, counted, skipped;
//! - 403: said, and asked again now and then, in case rights are given.

use std::{sync::Arc, time::Duration};

use app::{
    api::{KindState, Millis, Row, Text},
    model::Delta,
};

use tokio::time::Instant;

use super::{
    Source,
    api_server::{ApiError, ApiServer, Collection, WatchEvent},
    backoff::{Backoff, jittered},
    pulse::Pulse,
    translate::{self, Translate},
};
use crate::{
    hub::{Ended, Hub, News, now},
    metrics::Metrics,
};

/// How long a watch is asked to last. Some load balancers drop a silent connection after 240 s.
const WATCH: Duration = Duration::from_secs(200);
/// After this a watch that should have ended is given up.
const WATCH_GIVEN_UP: Duration = Duration::from_secs(210);
/// How long one page may take to arrive.
const PAGE_DEADLINE: Duration = Duration::from_secs(60);
/// A watch that ended sooner than this with nothing in it has failed.
const TOO_SHORT: Duration = Duration::from_secs(2);
/// A watch that has sent bookmarks is given up after so long a silence. The API server sends one about every minute
/// (`bookmarkFrequency` in apiserver's `storage/cacher/cacher.go`).
const BOOKMARK_DUE: Duration = Duration::from_secs(75);
/// What has been confirmed within this time, in milliseconds, is still called live, and a watch that begins there has
/// next to nothing to catch up with.
const TRUSTED: i64 = 5_000;
/// How long a watch lasts that has to catch up first. The API server sends a bookmark two seconds before the end of a
/// watch (`nextBookmarkTime` in `storage/cacher/cache_watcher.go`), and whatever was before it has been told then.
const CATCH_UP: Duration = Duration::from_secs(3);
/// How often it lists again though nothing seems to be wrong, with a quarter of jitter either way.
const LIST_AGAIN: Duration = Duration::from_secs(1800);
/// It does not where a list takes longer than this: for so long nothing would be confirmed.
const QUICK: Duration = Duration::from_secs(2);
/// So many failed watches in a row, and what they resume from is doubted: list again.
const DOUBT: u32 = 4;
/// How often a refused list is tried again.
const FORBIDDEN_RETRY: Duration = Duration::from_secs(20);

/// See the module.
pub struct Reflector {
    api: ApiServer,
    collection: Collection,
    hub: Hub,
    metrics: Arc<Metrics>,
    pulse: Pulse,
    backoff: Backoff,
    listed: bool,
    /// Until when what the hub has been told is known to be current.
    known: Millis,
    /// It is not, whatever the pulse says: a watch has kept something back.
    doubted: bool,
    /// Bookmarks come here.
    bookmarked: bool,
    /// When to list again though nothing seems to be wrong.
    list_again: Option<Instant>,
}

/// Why a round ended.
enum Over {
    /// The hub has ended: so do we.
    Ended,
    /// A new list is needed.
    Relist,
    /// Something failed.
    Failed(ApiError),
}

impl From<Ended> for Over {
    fn from(_: Ended) -> Over {
        Over::Ended
    }
}

impl From<ApiError> for Over {
    fn from(error: ApiError) -> Over {
        match error {
            ApiError::Gone => Over::Relist,
            error => Over::Failed(error),
        }
    }
}

impl Reflector {
    /// A reflector that has not begun.
    pub fn new(source: &Source, collection: Collection, hub: Hub, pulse: Pulse) -> Reflector {
        Reflector {
            api: source.api.clone(),
            collection,
            hub,
            metrics: source.metrics.clone(),
            pulse,
            backoff: Backoff::default(),
            listed: false,
            known: Millis(0),
            doubted: false,
            bookmarked: false,
            list_again: None,
        }
    }

    /// Runs until the hub ends, or, if `when_forbidden` says so, until the first refusal, which it returns.
    pub async fn run<T: Translate>(mut self, when_forbidden: WhenForbidden) -> Option<KindState> {
        loop {
            let over = match self.list::<T>().await {
                Ok(version) => self.follow::<T>(version).await,
                Err(over) => over,
            };
            match over {
                Over::Ended => return None,
                Over::Relist => {
                    tracing::debug!(kind = T::KIND.plural(), "listing again");
                    self.metrics.relisted(T::KIND);
                }
                Over::Failed(ApiError::Forbidden { message }) => {
                    let state = self.forbidden();
                    self.pulse.readable.remove(&self.collection);
                    if when_forbidden == WhenForbidden::Return {
                        return Some(state);
                    }
                    tracing::warn!(kind = T::KIND.plural(), message, "forbidden; will ask again");
                    if self.report(state).await.is_err() {
                        return None;
                    }
                    self.listed = false;
                    tokio::time::sleep(FORBIDDEN_RETRY).await;
                }
                Over::Failed(error) => {
                    if self.failed(&error).await.is_err() {
                        return None;
                    }
                    self.pause(&error).await;
                }
            }
        }
    }

    /// Lists all pages and swaps them in. Gives the version to watch from.
    async fn list<T: Translate>(&mut self) -> Result<String, Over> {
        if !self.listed {
            self.report(KindState::Listing { seen: 0 }).await?;
        }
        let (began, begun) = (Instant::now(), now());
        let mut rows: Vec<Arc<T>> = Vec::new();
        let mut next = String::new();
        loop {
            let page = tokio::time::timeout(PAGE_DEADLINE, self.api.list(&self.collection, &next))
                .await
                .map_err(|_| ApiError::Silent(PAGE_DEADLINE))??;
            for json in page.items()? {
                rows.extend(self.read::<T>(json).map(Arc::new));
            }
            if page.next.is_empty() {
                self.tell::<T>(Delta::Reset(rows)).await?;
                self.listed = true;
                // A list shows at least what there was when its first page was asked for.
                self.known = begun;
                self.doubted = false;
                self.list_again = (began.elapsed() < QUICK).then(|| Instant::now() + jittered(LIST_AGAIN));
                self.pulse.readable.add(self.collection.clone());
                return Ok(page.resource_version);
            }
            if !self.listed {
                let seen = u32::try_from(rows.len()).unwrap_or(u32::MAX);
                self.report(KindState::Listing { seen }).await?;
            }
            next = page.next;
        }
    }

    /// Watches from `version`, again and again, until a new list is needed.
    async fn follow<T: Translate>(&mut self, mut version: String) -> Over {
        let mut failures = 0;
        let mut resumed = false;
        loop {
            let began = Instant::now();
            let watched = match resumed {
                true => self.resume::<T>(&mut version).await,
                false => self.watch::<T>(&mut version, None).await,
            };
            resumed = true;
            match watched {
                Ok(0) if began.elapsed() < TOO_SHORT => {
                    let error = ApiError::Connection("the watch ended at once with nothing in it".to_owned());
                    if self.failed(&error).await.is_err() {
                        return Over::Ended;
                    }
                    failures += 1;
                    self.pause(&error).await;
                }
                Ok(_) => {
                    failures = 0;
                    self.backoff.reset();
                }
                Err(Over::Failed(error)) if !matches!(error, ApiError::Forbidden { .. }) => {
                    if self.failed(&error).await.is_err() {
                        return Over::Ended;
                    }
                    failures += 1;
                    self.pause(&error).await;
                }
                Err(over) => return over,
            }
            if failures >= DOUBT || self.list_again.is_some_and(|due| due <= Instant::now()) {
                return Over::Relist;
            }
        }
    }

    /// A watch that goes on where the last one ended, if that is still in the API server's past.
    async fn resume<T: Translate>(&mut self, version: &mut String) -> Result<u64, Over> {
        let asked = now();
        let latest = self.api.version_of(&self.collection).await?;
        if latest == *version {
            // Nothing has happened since, anywhere.
            self.known = asked;
            self.doubted = false;
        }
        // Versions of one resource may be compared as numbers (KEP-5504); others are not compared at all.
        let latest = latest.parse::<u64>().ok();
        if let (Some(latest), Ok(then)) = (latest, version.parse::<u64>())
            && latest < then
        {
            let kind = T::KIND.plural();
            tracing::warn!(kind, latest, then, "the API server's versions went backwards");
            return Err(Over::Relist);
        }
        self.watch::<T>(version, latest).await
    }

    /// One watch, from its opening to its end. Counts what came, bookmarks included. `latest` is a version that it has
    /// caught up with the past at.
    async fn watch<T: Translate>(&mut self, version: &mut String, latest: Option<u64>) -> Result<u64, Over> {
        let opened = now();
        let mut catching_up = self.doubted || opened.0 - self.known.0 > TRUSTED;
        let timeout = if catching_up { CATCH_UP } else { WATCH };
        let mut watch = self.api.watch(&self.collection, version, timeout).await?;
        if catching_up {
            let because = Text::from("catching up with what has happened since");
            self.report(KindState::Stale { since: self.known, because }).await?;
        } else {
            self.live().await?;
        }
        let mut live = !catching_up;
        let end = Instant::now() + WATCH_GIVEN_UP;
        let (mut heard, mut heard_at) = (Instant::now(), opened);
        let mut seen = 0;
        loop {
            let due = if self.bookmarked { end.min(heard + BOOKMARK_DUE) } else { end };
            let event = tokio::select! {
                biased; // what is here is told before the pulse confirms it
                event = tokio::time::timeout_at(due, watch.next()) => event,
                Ok(()) = self.pulse.answered.changed() => {
                    let answered = *self.pulse.answered.borrow_and_update();
                    let Some(at) = answered.filter(|_| !catching_up && !watch.is_amid_event()) else { continue };
                    if at.0 - self.known.0 > TRUSTED {
                        // It has lived through a time of which nothing is known.
                        return Ok(seen);
                    }
                    self.current(at).await?;
                    continue;
                }
            };
            let Ok(event) = event else {
                if due == end {
                    return Err(ApiError::Silent(WATCH_GIVEN_UP).into());
                }
                // Whatever was said of it since.
                self.doubted = true;
                self.current(heard_at).await?;
                return Err(ApiError::Withheld(BOOKMARK_DUE).into());
            };
            let event = event?;
            if catching_up && event.as_ref().is_none_or(|event| event.has_reached(latest)) {
                catching_up = false;
                self.doubted = false;
                self.known = opened;
            }
            let Some(event) = event else { return Ok(seen) };
            (heard, heard_at) = (Instant::now(), now());
            seen += 1;
            match event {
                WatchEvent::Bookmark(at) => {
                    self.bookmarked |= timeout == WATCH;
                    *version = at;
                }
                WatchEvent::Put(object) => {
                    self.metrics.event(T::KIND);
                    if let Some(row) = self.read::<T>(&object.json) {
                        self.tell::<T>(Delta::Put(Arc::new(row))).await?;
                    }
                    *version = object.resource_version;
                }
                WatchEvent::Deleted(object) => {
                    self.metrics.event(T::KIND);
                    // Its name is enough: also an object that cannot be read is gone.
                    self.tell::<T>(Delta::Gone(translate::head(&object.json).uid)).await?;
                    *version = object.resource_version;
                }
            }
            if !catching_up && !live {
                live = true;
                self.live().await?;
            }
        }
    }

    fn read<T: Translate>(&self, json: &str) -> Option<T> {
        match translate::row::<T>(json) {
            Ok(row) => Some(row),
            Err(error) => {
                tracing::warn!(%error, "an object cannot be read and is not shown");
                self.metrics.unreadable(T::KIND);
                None
            }
        }
    }

    async fn tell<T: Row>(&self, delta: Delta<T>) -> Result<(), Ended> {
        self.hub.tell(News::Change { change: T::change(delta), within: self.collection.within.clone() }).await
    }

    /// All that the hub has been told so far is current as of then.
    async fn current(&mut self, as_of: Millis) -> Result<(), Ended> {
        self.known = as_of;
        self.hub
            .tell(News::Current { kind: self.collection.kind, within: self.collection.within.clone(), as_of })
            .await
    }

    async fn live(&mut self) -> Result<(), Ended> {
        self.current(self.known).await?;
        self.report(KindState::Live).await
    }

    async fn report(&self, state: KindState) -> Result<(), Ended> {
        let (kind, within) = (self.collection.kind, self.collection.within.clone());
        self.hub.tell(News::Watch { kind, within, state }).await
    }

    /// Says that what is shown may be old from now on.
    async fn failed(&self, error: &ApiError) -> Result<(), Ended> {
        let kind = self.collection.kind;
        tracing::warn!(kind = kind.plural(), within = self.collection.within.as_deref(), %error, "watch failed");
        self.metrics.failed(kind);
        let because = Text::from(error.to_string());
        if self.listed {
            self.report(KindState::Stale { since: now(), because }).await
        } else {
            // Nothing to be stale yet; the page says why it is still connecting.
            self.report(KindState::Failing { because }).await
        }
    }

    fn forbidden(&self) -> KindState {
        let kind = self.collection.kind;
        KindState::Forbidden {
            verb: Text::from(if self.listed { "watch" } else { "list" }),
            resource: Text::from(kind.resource()),
            namespace: self.collection.within.clone().unwrap_or_default(),
        }
    }

    async fn pause(&mut self, error: &ApiError) {
        let asked = match error {
            ApiError::Status { retry_after, .. } => *retry_after,
            _ => None,
        };
        let pause = self.backoff.next().max(asked.unwrap_or_default().min(Duration::from_secs(60)));
        tokio::time::sleep(pause).await;
    }
}

/// What a reflector does when it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenForbidden {
    /// Says so and asks again now and then.
    Retry,
    /// Ends, so that narrower rights can be tried.
    Return,
}
