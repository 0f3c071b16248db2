//! ① One kind in one place (the cluster or a namespace): list, then watch, then for ever. client-go
//! calls this a Reflector (`tools/cache/reflector.go`).
//!
//! It is our own loop over list and watch, because what a viewer is told about freshness depends on
//! moments a ready-made watcher keeps to itself: when a watch is open again, that one ended with
//! nothing in it, that the first list is not getting anywhere. The traps it closes:
//!
//! - a list that hangs: each page must begin within [`ApiServer`]'s patience and arrive in [`PAGE_DEADLINE`];
//! - a list whose version is forgotten before its last page is asked for: the next is asked for in one page, as client-go
//!   does (`FullListIfExpired` in `tools/pager/pager.go`);
//! - a watch that hangs: one that says nothing for so long that a bookmark should have come is given up
//!   ([`BOOKMARK_DUE`]), and any is a little after it should have ended by itself ([`GRACE`]). The next one has to say something first;
//! - 410 as a status and inside the watch: list again; more than once in a moment, with backoff;
//! - deletions during a gap: a new list replaces the old rows, and the hub finds what is missing;
//! - a watch that ends at once with nothing in it: counts as a failure, with backoff, then list again;
//! - an API server that is another one, or the same with an older etcd: once a watch is open that goes on where another, or
//!   a list, ended, a witness is asked for ([`position`]); where it says otherwise, or a watch was torn off and there is
//!   none, it lists again;
//! - events in another order than they happened: list again;
//! - a watch that begins in the past: it first tells what has happened since, and nothing in it says where that
//!   ends. Its kind is not live before it has caught up ([`CATCH_UP`]);
//! - events that are here and not yet told, or still on their way, when the pulse is felt: rows are confirmed by the
//!   pulse only when everything has been told that happened before it ([`overtaken`]);
//! - events that never came: every [`LIST_AGAIN`], where a list is quick, it lists again;
//! - one object that cannot be read: logged, counted, skipped;
//! - 403: said, and asked again now and then, in case rights are given.

mod open;
mod overtaken;
mod position;

use std::{collections::HashMap, sync::Arc, time::Duration};

use app::{
    api::{KindState, Row, Text},
    model::Delta,
};

use tokio::time::Instant;

use self::{
    open::{Before, Open},
    overtaken::Overtaken,
    position::Position,
};
use super::{
    Source,
    api_server::{self, ApiError, ApiServer, Collection, RawObject, WatchEvent},
    backoff::{Backoff, jittered},
    moment::Moment,
    pulse::{Pulse, TRUSTED},
    translate::{self, Translate},
};
use crate::{
    hub::{Ended, Hub, News},
    metrics::Metrics,
};

/// How long a watch is asked to last. Some load balancers drop a silent connection after 240 s.
const WATCH: Duration = Duration::from_secs(200);
/// So long after a watch should have ended it is given up.
const GRACE: Duration = Duration::from_secs(10);
/// How long one page may take to arrive.
const PAGE_DEADLINE: Duration = Duration::from_secs(60);
/// A watch that ended sooner than this with nothing in it has failed.
const TOO_SHORT: Duration = Duration::from_secs(2);
/// How long it is to last where no bookmark has ever come, as it is at first: the end of a watch proves as much.
const UNMARKED: Duration = Duration::from_secs(15);
/// And how long, with a quarter of jitter either way, where none came until the end: what is kept back is found as soon
/// as by a bookmark that does not come.
const NEVER_MARKED: Duration = Duration::from_secs(50);
/// A watch that has sent bookmarks is given up after so long a silence. The API server sends one about every minute
/// (`bookmarkFrequency` in apiserver's `storage/cacher/cacher.go`).
const BOOKMARK_DUE: Duration = Duration::from_secs(75);
/// How soon all begin again when the API server is back, one a little later than the other.
const SPREAD: Duration = Duration::from_millis(400);
/// So many events at most are looked through for what became of an object before they are told once more.
const HELD: usize = 10_000;
/// How long a watch lasts that has to catch up first. The API server sends a bookmark two seconds before the end of a
/// watch (`nextBookmarkTime` in `storage/cacher/cache_watcher.go`), and whatever was before it has been told then.
const CATCH_UP: Duration = Duration::from_secs(3);
/// Where something was told so shortly before its end, there may be more.
const FLOWING: Duration = Duration::from_millis(700);
/// The last bookmark is not longer ago when a watch ends by itself,
const LAST_BOOKMARK: Duration = Duration::from_secs(4);
/// and that is not later than this.
const AN_END: Duration = Duration::from_secs(1);
/// How often it lists again though nothing seems to be wrong, with a quarter of jitter either way.
const LIST_AGAIN: Duration = Duration::from_secs(1800);
/// It does not where such a list takes longer than this: for so long nothing is confirmed.
const QUICK: Duration = Duration::from_secs(2);
/// So many failed watches in a row, and what they resume from is doubted: list again.
const DOUBT: u32 = 4;
/// How often a refused list is tried again,
const FORBIDDEN_RETRY: Duration = Duration::from_secs(20);
/// and how soon for the first time: an API server that has just started may refuse what it does not know yet to be
/// allowed (kubernetes/kubernetes#121635).
const JUST_FORBIDDEN: Duration = Duration::from_secs(2);

/// See the module.
pub struct Reflector {
    api: ApiServer,
    collection: Collection,
    hub: Hub,
    metrics: Arc<Metrics>,
    pulse: Pulse,
    backoff: Backoff,
    listed: bool,
    /// The version of the last list was forgotten on the way.
    has_expired: bool,
    /// Until when what the hub has been told is known to be current.
    known: Moment,
    /// A watch has kept something back, whatever the pulse said: the next has to say something first.
    withheld: bool,
    /// When to list again though nothing seems to be wrong.
    list_again: Option<Instant>,
    /// Nothing seems to be wrong.
    is_calm: bool,
    /// It has been refused, and not been live since: what fails meanwhile says nothing of that.
    is_refused: bool,
    /// That it is refused is what was last said of it.
    says_refused: bool,
    overtaken: Overtaken,
    /// Since when it has been live after the last list.
    live_since: Option<Instant>,
    bookmarks: Bookmarks,
}

/// Whether bookmarks come of a kind: servers are free to send none, and send none of kinds that they keep no cache of,
/// which Events are (`storageFactory` in kubeapiserver's `default_storage_factory_builder.go`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bookmarks {
    /// Not known yet.
    Unknown,
    /// One has come.
    Come,
    /// The last watch ended by itself, and none had ever come.
    Never,
    /// One did not come when it was due, and none is waited for any more. Until 1.30 none comes of a kind of which nothing
    /// has happened since the last one.
    Missed,
}

impl Bookmarks {
    /// How long a watch is to last so that what is kept back is found by its end, or by a bookmark that does not come.
    fn timeout(self) -> Duration {
        match self {
            Bookmarks::Unknown => UNMARKED,
            Bookmarks::Come => WATCH,
            Bookmarks::Never | Bookmarks::Missed => Duration::from_secs(jittered(NEVER_MARKED).as_secs()),
        }
    }
}

/// Why a round ended.
enum Over {
    /// The hub has ended: so do we.
    Ended,
    /// A new list is needed, because of this.
    Relist(ApiError),
    /// Listing again is as good as going on.
    Again,
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
            ApiError::Gone => Over::Relist(error),
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
            has_expired: false,
            known: Moment::now(),
            withheld: false,
            list_again: None,
            is_calm: false,
            is_refused: false,
            says_refused: false,
            overtaken: Overtaken::default(),
            live_since: None,
            bookmarks: Bookmarks::Unknown,
        }
    }

    /// Runs until the hub ends, or, if `when_forbidden` says so, until the first refusal, which it returns.
    pub async fn run<T: Translate>(mut self, when_forbidden: WhenForbidden) -> Option<KindState> {
        loop {
            let over = match self.list::<T>().await {
                Ok(position) => self.follow::<T>(position, Before::List).await,
                Err(over) => over,
            };
            match over {
                Over::Ended => return None,
                Over::Again => {
                    self.is_calm = true;
                    tracing::debug!(kind = T::KIND.plural(), "listing again, as it does");
                }
                Over::Relist(error) => {
                    tracing::debug!(kind = T::KIND.plural(), %error, "listing again");
                    self.metrics.relisted(T::KIND);
                    // Otherwise the last list came to nothing, and this one may.
                    if self.live_since.is_none_or(|since| since.elapsed() < UNMARKED) {
                        if self.failed(&error).await.is_err() {
                            return None;
                        }
                        self.pause(&error).await;
                    }
                }
                Over::Failed(ApiError::Forbidden { message }) => {
                    let state = self.forbidden();
                    self.pulse.readable.remove(&self.collection);
                    let was_listed = std::mem::take(&mut self.listed);
                    // Lists may be allowed where watches are not.
                    let was_refused = std::mem::replace(&mut self.is_refused, true);
                    let is_first = !was_refused;
                    let narrows = when_forbidden == WhenForbidden::Return;
                    let returns = narrows && !is_first;
                    if returns && !was_listed {
                        return Some(state);
                    }
                    // Where nothing was shown yet nothing is said of what may have passed in a moment.
                    let waits = narrows && !was_listed;
                    self.says_refused |= !waits;
                    if !waits && self.report(state.clone()).await.is_err() {
                        return None;
                    }
                    // What may not be seen is not shown, and would be as of nobody knows when. After it was said why.
                    if was_listed && self.tell::<T>(Delta::Reset(Vec::new())).await.is_err() {
                        return None;
                    }
                    if returns {
                        return Some(state);
                    }
                    tracing::warn!(kind = T::KIND.plural(), message, "forbidden; will ask again");
                    tokio::time::sleep(if is_first { JUST_FORBIDDEN } else { FORBIDDEN_RETRY }).await;
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

    /// Lists all pages and swaps them in. Gives where to watch from.
    async fn list<T: Translate>(&mut self) -> Result<Position, Over> {
        if !self.listed && !self.says_refused {
            self.report(KindState::Listing { seen: 0 }).await?;
        }
        let begun = Moment::now();
        let is_calm = std::mem::take(&mut self.is_calm);
        self.live_since = None;
        let mut rows: Vec<Arc<T>> = Vec::new();
        let mut position = Position::default();
        let mut next = String::new();
        let limit = if std::mem::take(&mut self.has_expired) { api_server::ALL } else { api_server::PAGE };
        loop {
            let page = tokio::time::timeout(PAGE_DEADLINE, self.api.list(&self.collection, limit, &next))
                .await
                .map_err(|_| ApiError::Silent(PAGE_DEADLINE))?;
            self.has_expired = !next.is_empty() && matches!(page, Err(ApiError::Gone));
            let page = page?;
            for some in page.items()?.chunks(api_server::PAGE) {
                for json in some {
                    position.listed(translate::head(json), || translate::fingerprint(json));
                    rows.extend(self.read::<T>(json).map(Arc::new));
                }
                // The connection has to be looked after meanwhile, however many there are.
                tokio::task::yield_now().await;
            }
            if page.next.is_empty() {
                if !self.listed && self.says_refused {
                    // What is here now is not refused, and not live either.
                    self.report(KindState::Listing { seen: u32::try_from(rows.len()).unwrap_or(u32::MAX) })
                        .await?;
                }
                self.tell::<T>(Delta::Reset(rows)).await?;
                self.listed = true;
                // A list shows at least what there was when its first page was asked for.
                self.current(begun).await?;
                // What was slow while something was wrong may be quick when nothing is.
                let is_slow = is_calm && begun.steady.elapsed() > QUICK;
                self.list_again = (!is_slow).then(|| Instant::now() + jittered(LIST_AGAIN));
                self.pulse.readable.add(self.collection.clone());
                position.bookmark(page.resource_version);
                return Ok(position);
            }
            if !self.listed && !self.says_refused {
                let seen = u32::try_from(rows.len()).unwrap_or(u32::MAX);
                self.report(KindState::Listing { seen }).await?;
            }
            next = page.next;
        }
    }

    /// Watches from `position`, again and again, until a new list is needed.
    async fn follow<T: Translate>(&mut self, mut position: Position, mut before: Before) -> Over {
        let mut failures = 0;
        loop {
            let began = Instant::now();
            // Also if it cannot be opened: whoever is too busy now may be restored by the time that it can.
            let last = std::mem::replace(&mut before, Before::Torn);
            let watched = match self.open(&mut position, last).await {
                Ok(open) => self.watch::<T>(open, &mut position).await,
                Err(over) => Err(over),
            };
            let error = match watched {
                Ok((0, _)) if began.elapsed() < TOO_SHORT => {
                    ApiError::Connection("the watch ended at once with nothing in it".to_owned())
                }
                Ok((_, ended)) => {
                    failures = 0;
                    before = ended;
                    match began.elapsed() < TOO_SHORT {
                        // Somebody on the way may end each after the first thing it tells.
                        true => tokio::time::sleep_until(began + jittered(TOO_SHORT)).await,
                        false => self.backoff.reset(),
                    }
                    if self.list_again.is_some_and(|due| due <= Instant::now()) {
                        return Over::Again;
                    }
                    continue;
                }
                Err(Over::Failed(error)) if !matches!(error, ApiError::Forbidden { .. }) => error,
                Err(over) => return over,
            };
            failures += 1;
            if self.failed(&error).await.is_err() {
                return Over::Ended;
            }
            self.pause(&error).await;
            if failures >= DOUBT || matches!(error, ApiError::Disordered { .. }) {
                return Over::Relist(error);
            }
        }
    }

    /// A watch that is open, to its end. Counts what came, bookmarks included.
    async fn watch<T: Translate>(
        &mut self,
        open: Open,
        position: &mut Position,
    ) -> Result<(u64, Before), Over> {
        let Open { mut watch, timeout, asked, opened, mut catching_up, mut again, latest, mut owed } = open;
        let sent = asked.steady;
        if catching_up || !owed.is_empty() {
            let because = Text::from("catching up with what has happened since");
            self.report(KindState::Stale { since: self.known.told, because }).await?;
        } else {
            self.live().await?;
        }
        let end = sent + timeout + GRACE;
        let (mut heard, mut known) = (Instant::now(), self.known);
        let (mut seen, mut marked, mut told, mut held) = (0, None::<Instant>, None, Vec::new());
        self.overtaken.begin();
        loop {
            let is_behind = catching_up || !owed.is_empty();
            let due = match self.bookmarks {
                Bookmarks::Come => end.min(heard + BOOKMARK_DUE),
                Bookmarks::Unknown | Bookmarks::Never | Bookmarks::Missed => end,
            };
            let event = tokio::select! {
                biased; // what is here is told before the pulse confirms it
                event = tokio::time::timeout_at(due, watch.next()) => event,
                Ok(()) = self.pulse.answered.changed() => {
                    let answered = *self.pulse.answered.borrow_and_update();
                    let Some(answer) = answered else { continue };
                    let is_doubted = answer.has_gap_since(opened)
                        || watch.is_alone() && answer.has_missed_since(opened)
                        || answer.at.is_after(opened) && watch.is_left_behind(answer.over);
                    if is_doubted {
                        // All others do the same just now.
                        tokio::time::sleep(jittered(SPREAD)).await;
                        return Ok((seen, Before::Torn));
                    }
                    let is_in_doubt = self.pulse.readable.has_failed(&self.collection);
                    if !is_behind && !is_in_doubt && answer.at.is_after(opened) {
                        let (kind, is_amid_event) = (self.collection.kind, watch.is_amid_event());
                        if let Some(at) = self.overtaken.answered(&answer, kind, is_amid_event) {
                            self.current(at).await?;
                        }
                    }
                    continue;
                }
            };
            let Ok(event) = event else {
                self.withheld = true;
                if !is_behind {
                    // Whatever was said of it since.
                    self.current(known).await?;
                }
                let late = due == end;
                if !late {
                    self.bookmarks = Bookmarks::Missed;
                }
                let error =
                    if late { ApiError::Silent(timeout + GRACE) } else { ApiError::Withheld(BOOKMARK_DUE) };
                return Err(error.into());
            };
            let event = event?;
            // An API server that shuts down ends its watches as politely as they end by themselves, but at another time. It
            // counts from somewhere between the two moments.
            let in_time = sent.elapsed() >= timeout && opened.steady.elapsed() < timeout + AN_END;
            // It ends them whatever is left to tell (`HandleHTTP` in apiserver's `endpoints/handlers/watch.go`).
            let is_flowing = told.is_some_and(|told: Instant| told.elapsed() < FLOWING);
            let has_caught_up =
                is_behind && event.as_ref().map_or(in_time && !is_flowing, |event| event.has_reached(latest));
            if matches!(event, Some(WatchEvent::Bookmark(_))) {
                marked = Some(Instant::now());
            }
            known = Moment::now();
            heard = known.steady;
            seen += u64::from(event.is_some());
            let is_over = event.is_none();
            if let Some(object) = event.as_ref().and_then(WatchEvent::object) {
                told = Some(heard);
                owed.retain(|uid| *uid != object.head.uid);
            }
            // What was told before comes again, and then what became of it: nobody is to see again what has gone since.
            again &= !is_over && !has_caught_up && held.len() < HELD;
            again &= event
                .as_ref()
                .and_then(WatchEvent::told_until)
                .is_some_and(|v| position.is_before_furthest(v));
            held.extend(event);
            // Until then they may be of a history that has nothing to do with what is shown. Where there is more to tell
            // than a watch has time for, the witness may be among the rest.
            let is_witnessed = owed.is_empty() || is_over && in_time && is_flowing;
            let told_now = if is_witnessed && !again { latest_of_each(&mut held) } else { Vec::new() };
            for event in told_now {
                let until = event.told_until();
                self.event::<T>(event, position).await?;
                let asked = self.pulse.asked.borrow().steady;
                if let Some(at) = self.overtaken.came(heard, until, asked) {
                    self.current(at).await?;
                }
            }
            if has_caught_up && !owed.is_empty() {
                return Err(Over::Relist(ApiError::Unwitnessed));
            }
            if has_caught_up {
                catching_up = false;
                self.withheld = false;
                // An API server that has lost its etcd serves watches from what it remembers: only the pulse says more.
                let answered = *self.pulse.answered.borrow();
                self.known = self.known.later(answered.map_or(self.known, |answer| asked.earlier(answer.at)));
                self.live().await?;
            } else if is_behind && owed.is_empty() && !catching_up {
                // All that is known to have happened has been told. If that took long, nobody knows of the rest.
                catching_up = Moment::now().since(self.known) > TRUSTED;
                if !catching_up {
                    self.live().await?;
                }
            }
            if is_over {
                let is_marked = marked.is_some_and(|marked| marked.elapsed() < LAST_BOOKMARK);
                let is_end = in_time && (is_marked || is_flowing || self.bookmarks != Bookmarks::Come);
                if matches!(self.bookmarks, Bookmarks::Unknown | Bookmarks::Never) {
                    self.bookmarks = if is_end { Bookmarks::Never } else { Bookmarks::Unknown };
                }
                return Ok((seen, if is_end { Before::End } else { Before::Torn }));
            }
        }
    }

    async fn event<T: Translate>(&mut self, event: WatchEvent, position: &mut Position) -> Result<(), Over> {
        let (object, is_deleted) = match event {
            WatchEvent::Bookmark(at) => {
                if self.bookmarks != Bookmarks::Missed {
                    self.bookmarks = Bookmarks::Come;
                }
                position.bookmark(at);
                return Ok(());
            }
            WatchEvent::Put(object) => (object, false),
            WatchEvent::Deleted(object) => (object, true),
        };
        self.metrics.event(T::KIND);
        let RawObject { json, head } = *object;
        if position.is_last(&head) {
            return Ok(()); // once more
        }
        let in_order =
            position.precedes(&head.resource_version) || is_deleted && position.is_beside_gone(&head);
        if !in_order {
            return Err(ApiError::Disordered {
                version: head.resource_version.to_string(),
                after: position.version.clone(),
            }
            .into());
        }
        if is_deleted {
            self.tell::<T>(Delta::Gone(head.uid)).await?;
            position.deleted(&head);
            return Ok(());
        }
        // Whoever cannot be read is not what it was any more.
        let delta = self.read::<T>(&json).map_or(Delta::Gone(head.uid), |row| Delta::Put(Arc::new(row)));
        self.tell::<T>(delta).await?;
        position.put(head, translate::fingerprint(&json));
        Ok(())
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
    async fn current(&mut self, as_of: Moment) -> Result<(), Ended> {
        self.known = as_of;
        let as_of = as_of.told;
        self.hub
            .tell(News::Current { kind: self.collection.kind, within: self.collection.within.clone(), as_of })
            .await
    }

    async fn live(&mut self) -> Result<(), Ended> {
        (self.is_refused, self.says_refused) = (false, false);
        self.live_since.get_or_insert_with(Instant::now);
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
            self.report(KindState::Stale { since: self.known.told, because }).await
        } else if self.says_refused {
            Ok(()) // still, for all that is known
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
        let (asked, is_its_own) = match error {
            // It answers. Whoever is in front of one that does not has no other answer than that.
            ApiError::Status { retry_after, code, .. } => {
                (*retry_after, *code < 500 || retry_after.is_some())
            }
            _ => (None, false),
        };
        let pause = self.backoff.next().max(asked.unwrap_or_default().min(Duration::from_secs(60)));
        let mut returned = self.pulse.returned.clone();
        returned.mark_unchanged();
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            // What kept it from everybody is over.
            Ok(()) = returned.changed(), if !is_its_own => {
                self.backoff.reset();
                tokio::time::sleep(jittered(SPREAD)).await;
            }
        }
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

/// All that was held, but of each object only what was said last. What was said before and is of a later version, or of
/// one that cannot be compared, stays: it is not in order, and whoever takes it in has to see that.
fn latest_of_each(held: &mut Vec<WatchEvent>) -> Vec<WatchEvent> {
    let mut events = std::mem::take(held);
    if let [_, _, ..] = *events {
        let mut later = HashMap::new();
        events.reverse();
        events.retain(|event| {
            let Some(RawObject { head, .. }) = event.object() else { return true };
            let version = head.resource_version.parse::<u64>().ok();
            match later.insert(head.uid, version) {
                Some(after) => version.is_none() || version > after,
                None => true,
            }
        });
        events.reverse();
    }
    events
}
