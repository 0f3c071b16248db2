//! ⑥ The cluster behind signals: the same fold as the hub's, and only a changed row notifies.
//!
//! The rows live in one plain [`Cluster`]. What is reactive is knowing that they changed: a trigger
//! a row, made when something on screen first looks at it, and a trigger a kind. Both carry no
//! value, so a change costs the same whatever the row is.

mod freshness;
mod trace;

use std::{
    any::Any,
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

pub use freshness::{Freshness, Link};
use leptos::prelude::*;
use trace::Traces;

use crate::{
    api::{self, Detail, Kind, KindState, Kinds, Millis, ObjectKey, Picture, Row, Uid, each_kind},
    model::{Change, Cluster, Delta, WithRow},
    query::{Line, Place, line},
    seed::Seed,
    wire::{About, Drawing},
};

/// The cluster as this page knows it. Cheap to clone; one a page, provided by context.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    cluster: RwLock<Cluster>,
    rows: Mutex<HashMap<(Kind, Uid), ArcTrigger>>,
    kinds: Vec<ArcTrigger>,
    traces: Mutex<Traces>,
    states: ArcTrigger,
    about: ArcRwSignal<About>,
    now: ArcRwSignal<Millis>,
    browser_behind: ArcRwSignal<Option<i64>>,
    link: ArcRwSignal<Link>,
    /// See [`crate::wire::Frame::Hello`].
    epoch: AtomicU64,
    numbered: ArcRwSignal<u64>,
    as_of: ArcRwSignal<HashMap<Kind, Millis>>,
    /// The same, of which nothing is believed before the page is live.
    confirmed: Mutex<HashMap<Kind, Millis>>,
    detail: Looked<Detail>,
    picture: Looked<Picture>,
    wished: ArcRwSignal<Option<Drawing>>,
    partial: ArcRwSignal<Option<Partial>>,
    /// Kinds of which there is more than the first paint brought.
    lacks: Mutex<Kinds>,
    news: ArcRwSignal<String>,
}

/// What is looked at beyond rows: of which object, and what it is, if there is such an object.
type Looked<T> = ArcRwSignal<Option<(ObjectKey, Option<Arc<T>>)>>;

/// How much there is beyond the rows that the first paint brought.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Partial {
    /// Rows of each kind in the cluster.
    pub totals: HashMap<Kind, u32>,
    /// Where the first page is.
    pub place: Place,
    /// Rows that match its question.
    pub matches: u32,
}

impl Store {
    /// The store as the first paint needs it, on the server and in the browser alike.
    pub fn new(seed: &Seed) -> Store {
        let mut cluster = Cluster::default();
        for change in seed.changes() {
            cluster.apply(change);
        }
        let lacks = seed.totals.iter().filter(|(kind, total)| *total as usize > cluster.count(*kind));
        let lacks: Kinds = lacks.map(|(kind, _)| *kind).collect();
        let partial = (!seed.complete).then(|| Partial {
            totals: seed.totals.iter().copied().collect(),
            place: seed.place(),
            matches: seed.matches,
        });
        Store(Arc::new(Inner {
            cluster: RwLock::new(cluster),
            rows: Mutex::default(),
            kinds: Kind::ALL.iter().map(|_| ArcTrigger::new()).collect(),
            traces: Mutex::default(),
            states: ArcTrigger::new(),
            about: ArcRwSignal::new(seed.about.clone()),
            now: ArcRwSignal::new(seed.now),
            browser_behind: ArcRwSignal::new(None),
            link: ArcRwSignal::new(Link::Connecting),
            epoch: AtomicU64::new(seed.epoch),
            numbered: ArcRwSignal::new(seed.epoch),
            as_of: ArcRwSignal::new(seed.as_of.iter().copied().collect()),
            confirmed: Mutex::default(),
            detail: ArcRwSignal::new(seed.detail.clone()),
            picture: ArcRwSignal::new(seed.picture.clone()),
            wished: ArcRwSignal::new(None),
            partial: ArcRwSignal::new(partial),
            lacks: Mutex::new(lacks),
            news: ArcRwSignal::new(String::new()),
        }))
    }

    // ---- What pages read; each of these is tracked ------------------------------------------

    /// One row, also for a moment after it went.
    pub fn line(&self, kind: Kind, uid: Uid) -> Option<Arc<dyn Line>> {
        self.track_row(kind, uid);
        let found = line::line(&self.cluster(), kind, uid);
        found.or_else(|| self.traces().leaving(kind, uid))
    }

    /// All rows of a kind, and those that have just gone.
    pub fn lines(&self, kind: Kind) -> Vec<Arc<dyn Line>> {
        self.track_kind(kind);
        let mut lines = line::lines(&self.cluster(), kind);
        lines.extend(self.traces().all_leaving(kind));
        lines
    }

    /// All rows of a kind, and those that have just gone, as what they are.
    pub fn rows<T: Row>(&self) -> Vec<Arc<T>> {
        self.track_kind(T::KIND);
        let mut rows: Vec<Arc<T>> = T::rows(&self.cluster()).iter().cloned().collect();
        rows.extend(self.traces().all_leaving(T::KIND).filter_map(typed));
        rows
    }

    /// All rows of a kind as what they are, without those that have just gone: for what is counted.
    pub fn current<T: Row>(&self) -> Vec<Arc<T>> {
        self.track_kind(T::KIND);
        T::rows(&self.cluster()).iter().cloned().collect()
    }

    /// One row as what it is.
    pub fn row<T: Row>(&self, uid: Uid) -> Option<Arc<T>> {
        self.track_row(T::KIND, uid);
        T::rows(&self.cluster()).get(uid).cloned()
    }

    /// The row of this name. Looks again whenever its kind changes.
    pub fn named<T: Row>(&self, namespace: &str, name: &str) -> Option<Arc<T>> {
        self.track_kind(T::KIND);
        T::rows(&self.cluster()).named(namespace, name).cloned()
    }

    /// How many rows of a kind the cluster has, whether or not they are here.
    pub fn count(&self, kind: Kind) -> usize {
        self.track_kind(kind);
        let there = self.cluster().count(kind);
        self.0.partial.with(|partial| match partial {
            Some(partial) => partial.totals.get(&kind).map_or(there, |total| *total as usize),
            None => there,
        })
    }

    /// Follows rows of these kinds where it is called, though at most each second: for what is counted over all of them,
    /// and need not be counted anew for each. When more of them is known than before, or they are known to be current
    /// again, it does not wait: for the rest of the second what was counted of old rows would stand there as live.
    pub fn lately(&self, kinds: &'static [Kind]) -> impl Fn() + Copy + Send + Sync + 'static {
        let (store, clock, trust, states) = (self.clone(), self.clone(), self.clone(), self.clone());
        let version = Memo::new(move |before: Option<&u64>| {
            kinds.iter().for_each(|kind| store.track_kind(*kind));
            before.map_or(0, |before| before + 1)
        });
        let second = Memo::new(move |_| clock.now().seconds());
        let old = Memo::new(move |_| kinds.iter().any(|kind| trust.freshness(*kind).dims()));
        let lately = Memo::new(move |_| {
            second.get();
            old.get();
            // every snapshot brings them
            states.0.states.track();
            version.get_untracked()
        });
        // not `track`, which leaves a memo that nobody has read without what it follows itself
        move || _ = lately.get()
    }

    /// `Some` until the rows behind the first screenful have come.
    pub fn partial(&self) -> Option<Partial> {
        self.0.partial.get()
    }

    /// How far the server trusts a kind.
    pub fn state(&self, kind: Kind) -> KindState {
        self.0.states.track();
        self.cluster().state(kind).clone()
    }

    /// What is being watched.
    pub fn about(&self) -> About {
        self.0.about.get()
    }

    /// The API server's clock, each second: ages are counted by the clock that wrote down when things began.
    pub fn now(&self) -> Millis {
        self.in_cluster(self.server_now())
    }

    /// Masthead's clock, each second: how current things are is counted by it.
    pub fn server_now(&self) -> Millis {
        self.0.now.get()
    }

    /// What the API server's clock says when Masthead's says `at`.
    pub fn in_cluster(&self, at: Millis) -> Millis {
        self.0.about.with(|about| about.in_cluster(at))
    }

    /// What Masthead's clock says when the API server's says `at`.
    pub fn by_server(&self, at: Millis) -> Millis {
        self.0.about.with(|about| about.by_server(at))
    }

    /// How far Masthead's clock is ahead of the browser's, if that should be said, in milliseconds.
    pub fn browser_behind(&self) -> Option<i64> {
        self.0.browser_behind.get()
    }

    /// The socket.
    pub fn link(&self) -> Link {
        self.0.link.get()
    }

    /// Until when a kind was known to be current.
    pub fn as_of(&self, kind: Kind) -> Option<Millis> {
        self.0.as_of.with(|as_of| as_of.get(&kind).copied())
    }

    /// The detail of the object that is looked at; the outer `None` while it has not come.
    pub fn detail(&self, key: &ObjectKey) -> Option<Option<Arc<Detail>>> {
        self.0.detail.with(|detail| match detail {
            Some((of, detail)) if of == key => Some(detail.clone()),
            _ => None,
        })
    }

    /// The picture of the workload that is looked at; the outer `None` while it has not come.
    pub fn picture(&self, key: &ObjectKey) -> Option<Option<Arc<Picture>>> {
        self.0.picture.with(|picture| match picture {
            Some((of, picture)) if of == key => Some(picture.clone()),
            _ => None,
        })
    }

    /// The picture that something on the page would like to have beyond what its address asks for.
    pub fn wished(&self) -> Option<Drawing> {
        self.0.wished.get()
    }

    /// Wishes for a picture; there is one at a time.
    pub fn wish(&self, drawing: Option<Drawing>) {
        if self.0.wished.with_untracked(|wished| *wished != drawing) {
            self.0.wished.set(drawing);
        }
    }

    /// What a screen reader should be told now.
    pub fn news(&self) -> String {
        self.0.news.get()
    }

    /// Whether the row has gone and is drawn struck through for a moment.
    pub fn gone(&self, kind: Kind, uid: Uid) -> bool {
        self.track_row(kind, uid);
        self.traces().leaving(kind, uid).is_some()
    }

    /// Whether the cluster has an object of this name, as far as is known. Looks again whenever its kind changes.
    pub fn has(&self, key: &ObjectKey) -> bool {
        self.track_kind(key.kind);
        self.cluster().uid_of(key).is_some()
    }

    /// Whether the cluster has the row, as far as is known.
    pub fn there(&self, kind: Kind, uid: Uid) -> bool {
        self.track_row(kind, uid);
        line::line(&self.cluster(), kind, uid).is_some()
    }

    /// Which server has numbered the rows: a uid of another one's says nothing here.
    pub fn numbered(&self) -> u64 {
        self.0.numbered.get()
    }

    /// The class of a cell that has just changed. Two that differ in name only take turns, so that
    /// a second change starts the animation anew.
    pub fn mark(&self, kind: Kind, uid: Uid, column: usize) -> &'static str {
        self.track_row(kind, uid);
        self.traces().mark(kind, uid, column)
    }

    /// Whether the row has just come.
    pub fn fresh(&self, kind: Kind, uid: Uid) -> bool {
        self.track_row(kind, uid);
        self.traces().fresh(kind, uid)
    }

    // ---- What the socket writes ---------------------------------------------------------------

    /// Folds in what happened next.
    pub fn apply(&self, changes: Vec<Change>) {
        self.fold(changes, true);
    }

    /// Takes a snapshot for the whole truth about its kinds; nothing is marked as changed.
    pub fn reset(&self, changes: Vec<Change>) {
        let epoch = self.0.epoch.load(Ordering::Relaxed);
        if self.0.numbered.get_untracked() != epoch {
            self.0.numbered.set(epoch);
            // What another server's number left behind is nothing of the one that has it now.
            *self.traces() = Traces::default();
        }
        self.0.partial.set(None);
        // Of what is not told here, the first paint's part would seem to be all there is.
        let lacks = std::mem::take(&mut *lock(&self.0.lacks));
        let told: Kinds = changes.iter().map(Change::kind).collect();
        self.forget(|kind| lacks.contains(kind) && !told.contains(kind));
        self.fold(changes, false);
    }

    /// A server of this epoch will speak of these kinds. What is here of others was numbered by another server, so
    /// that it may seem to belong to what it does not: it goes. Whether it is another server than before.
    pub fn enter(&self, epoch: u64, kinds: Kinds) -> bool {
        let is_other = self.0.epoch.swap(epoch, Ordering::Relaxed) != epoch;
        if is_other {
            self.forget(|kind| !kinds.contains(kind));
        }
        is_other
    }

    /// Says what is being watched; rows of the kinds that are `followed` are of then. Those of others, of which other
    /// namespaces might be seen, would be taken for all there are, or for ones that may be seen: they go.
    pub fn set_about(&self, about: About, followed: Kinds) {
        let old = self.0.about.get_untracked();
        if old != about {
            self.forget(|kind| !followed.contains(kind) && old.within(kind) != about.within(kind));
            self.0.about.set(about);
        }
    }

    /// Says how far the API server's clock is ahead of Masthead's, as soon as the page goes by that.
    pub fn set_ahead(&self, millis: i64) {
        if self.0.about.with_untracked(|old| old.ahead != millis) {
            self.0.about.update(|about| about.ahead = millis);
        }
    }

    /// What is here of these kinds is not known any more.
    fn forget(&self, is_forgotten: impl Fn(Kind) -> bool) {
        let kinds = Kind::ALL.iter().filter(|kind| is_forgotten(**kind));
        self.fold(kinds.flat_map(|kind| kind.with_row(Nothing)).collect(), false);
    }

    /// Says how far Masthead's clock is ahead of the browser's, if it should be said.
    pub fn set_browser_behind(&self, millis: Option<i64>) {
        if self.0.browser_behind.get_untracked() != millis {
            self.0.browser_behind.set(millis);
        }
    }

    /// Moves the clock, and lets go what was on its way out.
    pub fn tick(&self, now: Millis) {
        self.0.now.set(now);
        let (rows, kinds) = self.traces().expire(now);
        self.notify(rows, kinds);
    }

    /// Says how the socket is.
    pub fn set_link(&self, link: Link) {
        if self.0.link.with_untracked(|old| *old != link) {
            let confirmed = std::mem::take(&mut *lock(&self.0.confirmed));
            if link == Link::Live {
                self.0.as_of.update(|known| known.extend(confirmed));
            }
            self.0.link.set(link);
        }
    }

    /// Until when kinds are known to be current. Of a socket that is not live rows may be: what stands beside them is of
    /// before still, and no younger than was said of that.
    pub fn set_as_of(&self, as_of: Vec<(Kind, Millis)>) {
        if self.0.link.with_untracked(|link| *link == Link::Live) {
            self.0.as_of.update(|known| known.extend(as_of));
        } else {
            lock(&self.0.confirmed).extend(as_of);
        }
    }

    /// What is there of an object was of the last time that somebody looked: it is not shown to who looks again.
    pub fn forget_detail(&self) {
        self.0.detail.set(None);
    }

    /// The same of a picture.
    pub fn forget_picture(&self) {
        self.0.picture.set(None);
    }

    /// The detail of an object.
    pub fn set_detail(&self, key: ObjectKey, detail: Option<Arc<Detail>>) {
        self.0.detail.set(Some((key, detail)));
    }

    /// The picture of a workload.
    pub fn set_picture(&self, key: ObjectKey, picture: Option<Arc<Picture>>) {
        self.0.picture.set(Some((key, picture)));
    }

    /// Tells screen readers.
    pub fn tell(&self, news: String) {
        self.0.news.set(news);
    }

    /// Equal to the hub's over the same kinds. Others may be here too, from the first paint.
    pub fn hash(&self, kinds: Kinds) -> u64 {
        self.cluster().hash_of(kinds)
    }

    fn fold(&self, changes: Vec<Change>, traced: bool) {
        let mut touched =
            Touched { traced, now: self.0.now.get_untracked(), rows: Vec::new(), states: false };
        macro_rules! fold {
            ($($variant:ident $field:ident $row:ident $plural:literal $singular:literal $group:literal $namespaced:literal;)*) => {
                for change in changes {
                    match change {
                        Change::State(..) => {
                            touched.states = true;
                            self.write().apply(change);
                        }
                        $(Change::$variant(delta) => self.fold_rows::<api::$row>(delta, &mut touched),)*
                    }
                }
            };
        }
        each_kind!(fold);
        let mut kinds: Vec<Kind> = touched.rows.iter().map(|(kind, _)| *kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        self.notify(touched.rows, kinds);
        if touched.states {
            self.0.states.notify();
        }
    }

    fn fold_rows<T: Row>(&self, delta: Delta<T>, touched: &mut Touched) {
        let mut cluster = self.write();
        let rows = T::rows_mut(&mut cluster);
        match &delta {
            Delta::Put(row) => {
                let uid = row.meta().uid;
                touched.rows.push((T::KIND, uid));
                if touched.traced {
                    self.traces().changed(rows.get(uid).map(|old| &**old), row, touched.now);
                }
            }
            Delta::Gone(uid) => {
                touched.rows.push((T::KIND, *uid));
                if touched.traced
                    && let Some(old) = rows.get(*uid)
                {
                    self.traces().went(old.clone(), touched.now);
                }
            }
            // A new list is mostly what there was: only what differs redraws.
            Delta::Reset(all) => {
                let kept: HashMap<Uid, &Arc<T>> = all.iter().map(|row| (row.meta().uid, row)).collect();
                let gone = rows.iter().filter(|row| !kept.contains_key(&row.meta().uid));
                touched.rows.extend(gone.map(|row| (T::KIND, row.meta().uid)));
                let new = all.iter().filter(|row| rows.get(row.meta().uid) != Some(row));
                touched.rows.extend(new.map(|row| (T::KIND, row.meta().uid)));
            }
        }
        rows.apply(delta);
    }

    fn notify(&self, rows: Vec<(Kind, Uid)>, kinds: Vec<Kind>) {
        let there: Vec<bool> = {
            let (cluster, traces) = (self.cluster(), self.traces());
            let leaving = |kind, uid| traces.leaving(kind, uid).is_some();
            rows.iter()
                .map(|(kind, uid)| line::line(&cluster, *kind, *uid).is_some() || leaving(*kind, *uid))
                .collect()
        };
        // Whoever still looks at a row that is gone asks for its trigger again, and the map does not grow by every pod
        // there ever was.
        let triggers: Vec<ArcTrigger> = {
            let mut known = lock(&self.0.rows);
            let of =
                |(row, there): (_, bool)| if there { known.get(row).cloned() } else { known.remove(row) };
            rows.iter().zip(there).filter_map(of).collect()
        };
        triggers.iter().for_each(Notify::notify);
        for kind in kinds {
            if let Some(trigger) = self.0.kinds.get(kind as usize) {
                trigger.notify();
            }
        }
    }

    fn track_row(&self, kind: Kind, uid: Uid) {
        lock(&self.0.rows).entry((kind, uid)).or_default().clone().track();
    }

    fn track_kind(&self, kind: Kind) {
        if let Some(trigger) = self.0.kinds.get(kind as usize) {
            trigger.track();
        }
    }

    fn cluster(&self) -> std::sync::RwLockReadGuard<'_, Cluster> {
        self.0.cluster.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Cluster> {
        self.0.cluster.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn traces(&self) -> MutexGuard<'_, Traces> {
        lock(&self.0.traces)
    }
}

/// The changes after which a kind is as unknown as it was at first.
struct Nothing;

impl WithRow for Nothing {
    type Out = [Change; 2];
    fn with<T: Row>(self) -> [Change; 2] {
        [Change::State(T::KIND, KindState::Connecting), T::change(Delta::Reset(Vec::new()))]
    }
}

/// What a fold has touched, to be notified when no lock is held any more.
struct Touched {
    traced: bool,
    now: Millis,
    rows: Vec<(Kind, Uid)>,
    states: bool,
}

/// A poisoned lock only says that a render panicked; the data is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn typed<T: Row>(line: Arc<dyn Line>) -> Option<Arc<T>> {
    let any: Arc<dyn Any + Send + Sync> = line;
    any.downcast().ok()
}

#[cfg(test)]
mod tests;
