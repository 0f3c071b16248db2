//! Everything that can go wrong between a client and an API server, on request.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::object::Object;
use super::resource::{self, Resource};
use super::store::{Saved, Store};

/// Names all resources at once, wherever a resource is asked for.
pub const ALL: &str = "*";

/// A lasting fault of one resource, or of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Every request is answered with this status and a fitting `Status` object.
    Answer(u16),
    /// The same for lists and single objects only.
    AnswerLists(u16),
    /// The same for watches only.
    AnswerWatches(u16),
    /// 403 for the whole cluster; these namespaces may be listed and watched.
    NamespacesOnly(Vec<String>),
    /// Lists are accepted and never answered.
    StallLists,
    /// Watches, open ones too, are accepted and send nothing.
    StallWatches,
    /// Bodies trickle: so many bytes, then a pause.
    Slow {
        /// Bytes in a chunk.
        bytes: usize,
        /// Time between two chunks.
        pause: Duration,
    },
    /// Each watch ends at once with 200 and nothing in it.
    EmptyWatches,
    /// Lists show the state of the moment this fault was set: a server that lags behind.
    StaleLists,
    /// `sendInitialEvents` is refused with 422, as without the WatchList feature.
    NoStreamingLists,
}

/// In which form a client learns that its version is too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// HTTP status 410.
    Status,
    /// HTTP 200, then an ERROR event with code 410. The watch cache does this.
    InStream,
}

/// What is wrong with an object that cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// `spec.containers` is a string.
    Containers,
    /// `metadata.labels` is a number.
    Labels,
    /// There is no `metadata`.
    NoMetadata,
}

/// The handle tests and benchmarks break the demo's API server with. Cheap to clone.
#[derive(Clone)]
pub struct Faults {
    script: Arc<Mutex<Script>>,
    store: Arc<Store>,
}

/// See [`Faults::save`].
#[derive(Clone)]
pub struct Backup {
    saved: Saved,
    malformed: BTreeMap<(String, String, String), Malformed>,
}

type Snapshot = (Vec<Arc<Object>>, u64);

#[derive(Default)]
struct Script {
    lasting: BTreeMap<String, Vec<Fault>>,
    stale: BTreeMap<&'static str, Snapshot>,
    malformed: BTreeMap<(String, String, String), Malformed>,
    gone: BTreeMap<String, Gone>,
    /// Watches opened before their resource's cut end.
    cuts: BTreeMap<String, u64>,
    restarts: u64,
    /// How often an object was written so that it is sent.
    touched: u64,
    requests: VecDeque<(String, String)>,
}

/// How many requests the log keeps.
const REQUESTS_KEPT: usize = 4096;

impl Faults {
    pub(super) fn new(store: Arc<Store>) -> Faults {
        Faults { script: Arc::default(), store }
    }

    /// Adds a fault to a resource (`"pods"`) or to [`ALL`]; one of the same sort is replaced.
    pub fn set(&self, resource: &str, fault: Fault) {
        let mut script = self.lock();
        if fault == Fault::StaleLists {
            for each in resource::ALL.iter().filter(|each| resource == ALL || each.plural == resource) {
                script.stale.insert(each.plural, self.store.list_at(each, None));
            }
        }
        let faults = script.lasting.entry(resource.to_owned()).or_default();
        let sort = std::mem::discriminant(&fault);
        faults.retain(|known| std::mem::discriminant(known) != sort);
        faults.push(fault);
        drop(script);
        self.store.poke();
    }

    /// Takes back what was [set](Faults::set) for this very name.
    pub fn clear(&self, resource: &str) {
        let mut script = self.lock();
        script.lasting.remove(resource);
        if resource == ALL {
            script.stale.clear();
        }
        script.stale.retain(|plural, _| *plural != resource);
        drop(script);
        self.store.poke();
    }

    /// Takes back every lasting fault and mends every malformed object.
    pub fn clear_all(&self) {
        let mut script = self.lock();
        script.lasting.clear();
        script.stale.clear();
        script.malformed.clear();
        script.gone.clear();
        drop(script);
        self.store.poke();
    }

    /// Ends the open watches of a resource, or of [`ALL`], in mid-air.
    pub fn cut_watches(&self, resource: &str) {
        *self.lock().cuts.entry(resource.to_owned()).or_default() += 1;
        self.store.poke();
    }

    /// Compaction: watches can no longer begin in the past, and learn it in this form.
    pub fn forget_history(&self, resource: &str, form: Gone) {
        self.lock().gone.insert(resource.to_owned(), form);
        self.store.forget((resource != ALL).then_some(resource));
    }

    /// Serves one object malformed, in lists and in watches. A change of it is sent at once.
    pub fn malform(&self, resource: &str, namespace: &str, name: &str, how: Malformed) {
        let key = (resource.to_owned(), namespace.to_owned(), name.to_owned());
        self.lock().malformed.insert(key, how);
        self.touch(resource, namespace, name);
    }

    /// Serves the object as it is again.
    pub fn mend(&self, resource: &str, namespace: &str, name: &str) {
        let key = (resource.to_owned(), namespace.to_owned(), name.to_owned());
        self.lock().malformed.remove(&key);
        self.touch(resource, namespace, name);
    }

    /// The next `count` changes of a resource reach no watch.
    pub fn lose_changes(&self, resource: &str, count: usize) {
        self.store.lose(resource, count);
    }

    /// Takes an object away without any watch being told.
    pub fn remove_unseen(&self, resource: &str, namespace: &str, name: &str) -> bool {
        let Some(known) = resource::by_name(resource) else {
            return false;
        };
        if self.store.get(known, namespace, name).is_none() {
            return false;
        }
        self.store.lose(resource, 1);
        self.store.remove(known, namespace, name).is_some()
    }

    /// The version counter goes back by this much, as after a restore from backup: every watch is
    /// cut, objects get new (possibly used) versions, history is gone.
    pub fn rewind(&self, by: u64) {
        self.store.rewind(self.store.version().saturating_sub(by));
        self.cut_watches(ALL);
    }

    /// A backup of all there is.
    pub fn save(&self) -> Backup {
        Backup { saved: self.store.save(), malformed: self.lock().malformed.clone() }
    }

    /// Etcd is restored from a backup, and the API server started anew: objects are what they were, also if malformed, with
    /// the versions they had, and whatever is written next gets versions that stood for something else before.
    pub fn restore(&self, backup: &Backup) {
        self.lock().malformed.clone_from(&backup.malformed);
        self.store.restore(&backup.saved);
        self.cut_watches(ALL);
    }

    /// Another cluster answers at the same address: versions begin anew and the UID of namespace
    /// `kube-system`, by which clusters are told apart, is another.
    pub fn restart(&self) {
        self.lock().restarts += 1;
        self.store.rewind(1);
        if let Some(system) = self.store.get(&resource::NAMESPACES, "", "kube-system") {
            let mut value = system.value();
            let restarts = self.lock().restarts;
            value["metadata"]["uid"] = json!(super::random::Random::seeded(restarts).uuid());
            self.store.write(&resource::NAMESPACES, value);
        }
        self.cut_watches(ALL);
    }

    fn touch(&self, resource: &str, namespace: &str, name: &str) {
        let Some(known) = resource::by_name(resource) else {
            return;
        };
        if let Some(object) = self.store.get(known, namespace, name) {
            let mut value = object.value();
            let mut script = self.lock();
            // An API server writes nothing where nothing changes.
            script.touched += 1;
            value["metadata"]["annotations"]["touched"] = json!(script.touched.to_string());
            drop(script);
            self.store.write(known, value);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn log_request(&self, method: &str, path: String) {
        let requests = &mut self.lock().requests;
        if requests.len() == REQUESTS_KEPT {
            requests.pop_front();
        }
        requests.push_back((method.to_owned(), path));
    }

    pub(super) fn requests(&self) -> Vec<(String, String)> {
        self.lock().requests.iter().cloned().collect()
    }

    /// The first lasting fault of a resource that `pick` accepts.
    pub(super) fn find<T>(&self, resource: &Resource, pick: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        let script = self.lock();
        let own = script.lasting.get(resource.plural).into_iter().flatten();
        own.chain(script.lasting.get(ALL).into_iter().flatten()).find_map(pick)
    }

    pub(super) fn has(&self, resource: &Resource, fault: &Fault) -> bool {
        self.find(resource, |known| (known == fault).then_some(())).is_some()
    }

    /// The status every path is answered with, resource or not.
    pub(super) fn everywhere(&self) -> Option<u16> {
        let script = self.lock();
        script.lasting.get(ALL)?.iter().find_map(|fault| match fault {
            Fault::Answer(code) => Some(*code),
            _ => None,
        })
    }

    pub(super) fn slow(&self, resource: &Resource) -> Option<(usize, Duration)> {
        self.find(resource, |fault| match fault {
            Fault::Slow { bytes, pause } => Some(((*bytes).max(1), *pause)),
            _ => None,
        })
    }

    pub(super) fn stale(&self, resource: &Resource) -> Option<Snapshot> {
        if !self.has(resource, &Fault::StaleLists) {
            return None;
        }
        self.lock().stale.get(resource.plural).cloned()
    }

    pub(super) fn gone_form(&self, resource: &Resource) -> Gone {
        let script = self.lock();
        let form = script.gone.get(resource.plural).or_else(|| script.gone.get(ALL));
        form.copied().unwrap_or(Gone::InStream)
    }

    /// A number that changes when the watches of this resource are cut.
    pub(super) fn cut(&self, resource: &Resource) -> u64 {
        let script = self.lock();
        let of = |name: &str| script.cuts.get(name).copied().unwrap_or_default();
        of(resource.plural) + of(ALL)
    }

    /// The object as it is to be served, if that is not as it is.
    pub(super) fn malformed(&self, resource: &Resource, object: &Object) -> Option<Value> {
        let script = self.lock();
        if script.malformed.is_empty() {
            return None;
        }
        let key = (resource.plural.to_owned(), object.namespace.clone(), object.name.clone());
        let how = script.malformed.get(&key)?;
        let mut value = object.value();
        match how {
            Malformed::Containers => value["spec"]["containers"] = json!("simple-randomforest"),
            Malformed::Labels => value["metadata"]["labels"] = json!(7),
            Malformed::NoMetadata => {
                value.as_object_mut()?.remove("metadata");
            }
        }
        Some(value)
    }
}
