//! What etcd and the watch cache are to a real cluster: objects by resource, one version counter,
//! and for each resource a bounded log of changes which watches read at their own pace.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::{Notify, watch};

use super::object::Object;
use super::resource::{self, Resource};

/// One entry of a resource's log.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) version: u64,
    /// The state before, absent for a creation.
    pub(super) before: Option<Arc<Object>>,
    /// The state after; for a deletion the last state, with the deletion's version.
    pub(super) after: Arc<Object>,
    pub(super) deleted: bool,
}

/// A place in a resource's log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor {
    at: u64,
    /// Changes up to this version are skipped, as the watch cache skips them.
    from: u64,
    era: u64,
}

/// Why a watch cannot go on from where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooOld {
    pub(super) asked: u64,
    pub(super) oldest: u64,
}

/// Up to so many objects of a resource keep their tree.
const TREES_KEPT: usize = 400;

pub(super) type Key = (&'static str, String, String);

pub(super) struct Store {
    shelves: Mutex<Shelves>,
    poke: watch::Sender<u64>,
    kick: Notify,
    writing: Mutex<()>,
    log_length: usize,
}

struct Shelves {
    version: u64,
    era: u64,
    by_resource: BTreeMap<&'static str, Shelf>,
    /// What the controllers have yet to look at; `None` if none run.
    dirty: Option<(VecDeque<Key>, BTreeSet<Key>)>,
}

#[derive(Default)]
struct Shelf {
    objects: BTreeMap<(String, String), Arc<Object>>,
    log: VecDeque<Change>,
    /// Index of the log's first entry, counted from the beginning of the era.
    first: u64,
    /// Versions before this one can no longer be watched from.
    oldest: u64,
    /// Changes to come which no watch will ever see.
    unseen: usize,
}

impl Store {
    pub(super) fn new(log_length: usize, controllers: bool) -> Store {
        let by_resource = resource::ALL.iter().map(|r| (r.plural, Shelf::default())).collect();
        let dirty = controllers.then(Default::default);
        Store {
            shelves: Mutex::new(Shelves { version: 1, era: 0, by_resource, dirty }),
            poke: watch::Sender::new(0),
            kick: Notify::new(),
            writing: Mutex::default(),
            log_length,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held from reading an object until writing it back, so that no writer undoes another's work.
    pub(super) fn writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fires at each change; watches look at the log when it does.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.poke.subscribe()
    }

    /// Makes every open request look up, for a fault or for the end.
    pub(super) fn poke(&self) {
        self.poke.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Wakes the controllers after a write which is not their own.
    pub(super) fn kick(&self) {
        self.kick.notify_one();
    }

    pub(super) async fn kicked(&self) {
        self.kick.notified().await;
    }

    pub(super) fn version(&self) -> u64 {
        self.lock().version
    }

    pub(super) fn next_dirty(&self) -> Option<Key> {
        let mut shelves = self.lock();
        let (queue, known) = shelves.dirty.as_mut()?;
        let key = queue.pop_front()?;
        known.remove(&key);
        Some(key)
    }

    pub(super) fn get(&self, resource: &Resource, namespace: &str, name: &str) -> Option<Arc<Object>> {
        let shelves = self.lock();
        let shelf = shelves.by_resource.get(resource.plural)?;
        shelf.objects.get(&(namespace.to_owned(), name.to_owned())).cloned()
    }

    /// The objects of one namespace, or of all.
    pub(super) fn list(&self, resource: &Resource, namespace: Option<&str>) -> Vec<Arc<Object>> {
        self.list_at(resource, namespace).0
    }

    /// The same, with the version at which that was the state.
    pub(super) fn list_at(&self, resource: &Resource, namespace: Option<&str>) -> (Vec<Arc<Object>>, u64) {
        let shelves = self.lock();
        let version = shelves.version;
        let Some(shelf) = shelves.by_resource.get(resource.plural) else {
            return (Vec::new(), version);
        };
        let objects = match namespace {
            None => shelf.objects.values().cloned().collect(),
            Some(namespace) => {
                let start = Bound::Included((namespace.to_owned(), String::new()));
                let range = shelf.objects.range((start, Bound::Unbounded));
                let own = range.take_while(|((of, _), _)| of == namespace);
                own.map(|(_, object)| Arc::clone(object)).collect()
            }
        };
        (objects, version)
    }

    pub(super) fn count(&self) -> usize {
        self.lock().by_resource.values().map(|shelf| shelf.objects.len()).sum()
    }

    /// Creates or replaces an object, and returns what was stored.
    pub(super) fn write(&self, resource: &Resource, mut value: Value) -> Arc<Object> {
        let mut shelves = self.lock();
        shelves.version += 1;
        let version = shelves.version;
        value["metadata"]["resourceVersion"] = json!(version.to_string());
        let object = Arc::new(Object::new(resource, value, version));
        let key = (object.namespace.clone(), object.name.clone());
        shelves.mark(resource.plural, &key);
        if let Some(shelf) = shelves.by_resource.get_mut(resource.plural) {
            let before = shelf.objects.insert(key, Arc::clone(&object));
            if let Some(before) = &before {
                before.forget_tree();
            }
            if shelf.objects.len() > TREES_KEPT {
                object.forget_tree();
            }
            let after = Arc::clone(&object);
            shelf.record(Change { version, before, after, deleted: false }, self.log_length);
        }
        drop(shelves);
        self.poke();
        object
    }

    /// Takes an object away at once.
    pub(super) fn remove(&self, resource: &Resource, namespace: &str, name: &str) -> Option<Arc<Object>> {
        let key = (namespace.to_owned(), name.to_owned());
        let mut shelves = self.lock();
        let before = shelves.by_resource.get_mut(resource.plural)?.objects.remove(&key)?;
        shelves.version += 1;
        let version = shelves.version;
        let mut value = before.value();
        value["metadata"]["resourceVersion"] = json!(version.to_string());
        let after = Arc::new(Object::new(resource, value, version));
        shelves.mark(resource.plural, &key);
        before.forget_tree();
        after.forget_tree();
        if let Some(shelf) = shelves.by_resource.get_mut(resource.plural) {
            let change = Change { version, before: Some(Arc::clone(&before)), after, deleted: true };
            shelf.record(change, self.log_length);
        }
        drop(shelves);
        self.poke();
        Some(before)
    }

    /// Where a watch that saw everything up to `version` begins to read.
    pub(super) fn cursor(&self, resource: &Resource, version: u64) -> Result<Cursor, TooOld> {
        let shelves = self.lock();
        let (era, shelf) = (shelves.era, shelves.by_resource.get(resource.plural));
        let Some(shelf) = shelf else {
            return Ok(Cursor { at: 0, from: version, era });
        };
        if version < shelf.oldest {
            return Err(TooOld { asked: version, oldest: shelf.oldest });
        }
        let passed = shelf.log.partition_point(|change| change.version <= version);
        Ok(Cursor { at: shelf.first + passed as u64, from: version, era })
    }

    /// The next changes after a cursor, some at a time, and the version they reach. A cursor
    /// which the log has left behind (or which is of another era) is too old.
    pub(super) fn read(
        &self,
        resource: &Resource,
        cursor: &mut Cursor,
    ) -> Result<(Vec<Change>, u64), TooOld> {
        let shelves = self.lock();
        let version = shelves.version;
        let Some(shelf) = shelves.by_resource.get(resource.plural) else {
            return Ok((Vec::new(), version));
        };
        if cursor.at < shelf.first || cursor.era != shelves.era {
            return Err(TooOld { asked: cursor.from, oldest: shelf.oldest });
        }
        let start = usize::try_from(cursor.at - shelf.first).unwrap_or(usize::MAX);
        let read: Vec<Change> = shelf.log.iter().skip(start).take(256).cloned().collect();
        cursor.at += read.len() as u64;
        let all = start + read.len() >= shelf.log.len();
        let reached = if all { version } else { read.last().map_or(version, |change| change.version) };
        let fresh = read.into_iter().filter(|change| change.version > cursor.from).collect();
        cursor.from = cursor.from.max(reached);
        Ok((fresh, reached.max(cursor.from)))
    }

    /// Compaction: from now on no watch can begin before the present. Open ones go on.
    pub(super) fn forget(&self, resource: Option<&str>) {
        let mut shelves = self.lock();
        shelves.version += 1;
        let version = shelves.version;
        for (plural, shelf) in &mut shelves.by_resource {
            if resource.is_none_or(|only| only == *plural) {
                shelf.oldest = version;
            }
        }
    }

    /// The next changes of a resource will reach no watch.
    pub(super) fn lose(&self, resource: &str, count: usize) {
        if let Some(shelf) = self.lock().by_resource.get_mut(resource) {
            shelf.unseen += count;
        }
    }

    /// A restore from backup: the counter goes back, and nothing that was logged is known.
    pub(super) fn rewind(&self, to: u64) {
        let mut shelves = self.lock();
        shelves.version = to.max(1);
        shelves.era += 1;
        let Shelves { version, by_resource, .. } = &mut *shelves;
        for (plural, shelf) in by_resource.iter_mut() {
            let Some(resource) = resource::by_name(plural) else {
                continue;
            };
            shelf.log.clear();
            shelf.first = 0;
            for object in shelf.objects.values_mut() {
                *version += 1;
                let mut value = object.value();
                value["metadata"]["resourceVersion"] = json!(version.to_string());
                *object = Arc::new(Object::new(resource, value, *version));
            }
        }
        let oldest = shelves.version;
        for shelf in shelves.by_resource.values_mut() {
            shelf.oldest = oldest;
        }
    }

    /// Everything there is, with the versions it has.
    pub(super) fn save(&self) -> Saved {
        let shelves = self.lock();
        let objects = shelves.by_resource.iter().map(|(plural, shelf)| (*plural, shelf.objects.clone()));
        Saved { version: shelves.version, objects: objects.collect() }
    }

    /// Everything is as it was, and the versions that were given since will be given again.
    pub(super) fn restore(&self, saved: &Saved) {
        let mut shelves = self.lock();
        shelves.version = saved.version;
        shelves.era += 1;
        for (plural, shelf) in &mut shelves.by_resource {
            let objects = saved.objects.get(plural).cloned().unwrap_or_default();
            *shelf = Shelf { objects, oldest: saved.version, ..Shelf::default() };
        }
    }
}

/// What a backup of etcd has in it.
#[derive(Clone)]
pub(super) struct Saved {
    version: u64,
    objects: BTreeMap<&'static str, BTreeMap<(String, String), Arc<Object>>>,
}

impl Shelves {
    fn mark(&mut self, plural: &'static str, (namespace, name): &(String, String)) {
        if let Some((queue, known)) = &mut self.dirty {
            let key = (plural, namespace.clone(), name.clone());
            if known.insert(key.clone()) {
                queue.push_back(key);
            }
        }
    }
}

impl Shelf {
    fn record(&mut self, change: Change, length: usize) {
        if self.unseen > 0 {
            self.unseen -= 1;
            return;
        }
        self.log.push_back(change);
        while self.log.len() > length {
            if let Some(dropped) = self.log.pop_front() {
                self.first += 1;
                self.oldest = self.oldest.max(dropped.version);
            }
        }
    }
}
