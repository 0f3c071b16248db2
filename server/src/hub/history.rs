//! What the hub remembers beside the rows: how each workload's pods came and went, and how many there
//! were. The cluster itself says only what is; a rollout's picture needs what was.
//!
//! Bounded, whatever the cluster does: per workload [`COUNTS`] points in time, per template [`GONE`] pods
//! that are no more; of what is gone itself the last [`WORKLOADS`]. A thousand workloads in which all of
//! that is full take some 30 MB, ones at rest some hundred bytes each and 300 a pod.

mod causes;
mod draw;
mod life;

use std::{
    any::Any,
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    sync::Arc,
};

use app::{
    api::{
        DaemonSet, Deployment, Event, InCluster, Kind, Meta, Millis, ObjectKey, Picture, Pod, ReplicaSet,
        ReplicationController, Row, StatefulSet, Uid, picture::Counts,
    },
    model::Cluster,
};
use life::Life;

/// Points in time of one workload.
const COUNTS: usize = 240;
/// Pods of one template that are gone and still drawn.
const GONE: usize = 40;
/// Workloads that are gone and still drawn.
const WORKLOADS: usize = 100;
/// Pods of which only events have come so far.
const HEARD_OF: usize = 5_000;

/// See the module.
#[derive(Debug, Default)]
pub struct History {
    /// When it began, which is when the process did.
    since: Millis,
    workloads: HashMap<Uid, Workload>,
    /// The Deployment of each ReplicaSet that has one.
    deployments: HashMap<Uid, Uid>,
    /// The pods of each controller that makes pods.
    crews: HashMap<Uid, Crew>,
    lives: HashMap<Uid, Life>,
    /// Pods known by their events only, oldest first.
    heard_of: VecDeque<Uid>,
    /// Workloads that are gone, oldest first.
    gone: VecDeque<Uid>,
    /// Of which something has changed since the last [`History::sample`].
    changed: HashSet<Uid>,
}

/// What a person calls a rollout's object: a Deployment, or another controller that has no owner itself.
#[derive(Debug)]
struct Workload {
    key: ObjectKey,
    /// Its ReplicaSets, if it is a Deployment.
    sets: BTreeSet<Uid>,
    counts: VecDeque<Counts>,
    /// The lane of its newest template, and since when it is that, if not from the beginning.
    newest: Option<(Arc<str>, Option<Millis>)>,
    /// What it was like, once it is gone.
    last: Option<(Millis, Box<Picture>)>,
}

/// The pods of one controller, in the order in which they were first seen.
#[derive(Debug, Default)]
struct Crew {
    pods: Vec<Uid>,
    forgotten: u32,
}

impl History {
    /// Empty, from `since` on.
    pub fn new(since: Millis) -> History {
        History { since, ..History::default() }
    }

    /// A row is like this now.
    pub fn put<T: Row>(&mut self, row: &T, now: Millis) {
        let any: &dyn Any = row;
        if let Some(pod) = any.downcast_ref::<Pod>() {
            self.put_pod(pod, now);
        } else if let Some(event) = any.downcast_ref::<Event>() {
            self.put_event(event);
        } else if let Some(set) = any.downcast_ref::<ReplicaSet>() {
            self.put_set(set);
        } else if T::KIND.makes_pods() {
            self.put_workload(T::KIND, row.meta());
        }
    }

    /// A row is gone; `cluster` still has it.
    pub fn gone<T: Row>(&mut self, cluster: &Cluster, row: &T, now: Millis) {
        let uid = row.meta().uid;
        match T::KIND {
            Kind::Pod => self.end_pod(uid, now),
            Kind::ReplicaSet if self.deployments.contains_key(&uid) => self.end_set(uid),
            kind if kind.makes_pods() => self.end_workload(cluster, uid, now),
            _ => {}
        }
    }

    /// Notes how many pods each changed workload has, and says which have changed.
    pub fn sample(&mut self, cluster: &Cluster, now: Millis) -> Vec<ObjectKey> {
        let changed = std::mem::take(&mut self.changed);
        let mut keys = Vec::with_capacity(changed.len());
        for uid in changed {
            let Some(workload) = self.workloads.get(&uid) else { continue };
            keys.push(workload.key.clone());
            let Some(counts) = draw::counts(self, cluster, uid, now) else { continue };
            let newest = draw::newest_lane(self, cluster, uid);
            let Some(workload) = self.workloads.get_mut(&uid) else { continue };
            match (&workload.newest, newest) {
                (None, Some(first)) => workload.newest = Some((first, None)),
                (Some((before, _)), Some(newest)) if *before != newest => {
                    workload.newest = Some((newest, Some(now)));
                }
                _ => {}
            }
            if workload.counts.back().is_some_and(|last| last.alike(&counts)) {
                continue;
            }
            if workload.counts.len() == COUNTS {
                workload.counts.pop_front();
            }
            workload.counts.push_back(counts);
        }
        keys
    }

    /// The picture of a workload: as it is, or as it was when it went.
    pub fn picture(&self, cluster: &Cluster, key: &ObjectKey, now: Millis) -> Option<Picture> {
        if let Some(picture) = draw::picture(self, cluster, key, now) {
            return Some(picture);
        }
        let was = self.gone.iter().rev().filter_map(|uid| self.workloads.get(uid));
        was.filter(|workload| workload.key == *key)
            .find_map(|workload| workload.last.as_ref())
            .map(|(_, picture)| (**picture).clone())
    }

    fn put_workload(&mut self, kind: Kind, meta: &Meta) {
        let workload = self.workloads.entry(meta.uid).or_insert_with(|| Workload {
            key: ObjectKey { kind, namespace: meta.namespace.to_string(), name: meta.name.to_string() },
            sets: BTreeSet::new(),
            counts: VecDeque::new(),
            newest: None,
            last: None,
        });
        workload.last = None;
        self.changed.insert(meta.uid);
    }

    /// A ReplicaSet is its Deployment's, which may come later than it, or stands for itself.
    fn put_set(&mut self, set: &ReplicaSet) {
        let uid = set.meta.uid;
        let owner = set.meta.owner.as_ref().filter(|owner| owner.kind == "Deployment");
        let Some(owner) = owner else {
            if self.deployments.remove(&uid).is_some() {
                self.workloads.values_mut().for_each(|workload| _ = workload.sets.remove(&uid));
            }
            return self.put_workload(Kind::ReplicaSet, &set.meta);
        };
        self.workloads.remove(&uid); // it was an orphan
        self.deployments.insert(uid, owner.uid);
        let key = ObjectKey {
            kind: Kind::Deployment,
            namespace: set.meta.namespace.to_string(),
            name: owner.name.to_string(),
        };
        let workload = self.workloads.entry(owner.uid).or_insert_with(|| Workload {
            key,
            sets: BTreeSet::new(),
            counts: VecDeque::new(),
            newest: None,
            last: None,
        });
        workload.sets.insert(uid);
        self.changed.insert(owner.uid);
    }

    fn put_pod(&mut self, pod: &Pod, now: Millis) {
        let owner = pod.meta.owner.as_ref();
        let owner = owner.filter(|owner| Kind::parse(&owner.kind).is_some_and(Kind::makes_pods));
        let Some(owner) = owner else { return };
        let uid = pod.meta.uid;
        let life = self.lives.entry(uid).or_default();
        let before = life.controller.replace(owner.uid);
        life.see(pod, now);
        if before != Some(owner.uid) {
            // never across lanes: one that is adopted leaves its old controller's
            if let Some(crew) = before.and_then(|before| self.crews.get_mut(&before)) {
                crew.pods.retain(|pod| *pod != uid);
            }
            self.crews.entry(owner.uid).or_default().pods.push(uid);
        }
        self.touch(owner.uid);
    }

    fn put_event(&mut self, event: &Event) {
        if event.object_kind != "Pod" || !life::tells(event) {
            return;
        }
        let uid = event.object_uid;
        if !self.lives.contains_key(&uid) {
            self.heard_of.push_back(uid);
            if self.heard_of.len() > HEARD_OF {
                let forgotten = self.heard_of.pop_front();
                let forgotten =
                    forgotten.filter(|uid| self.lives.get(uid).is_some_and(|l| l.controller.is_none()));
                forgotten.map(|uid| self.lives.remove(&uid));
            }
        }
        let life = self.lives.entry(uid).or_default();
        life.hear(event);
        if let Some(controller) = life.controller {
            self.touch(controller);
        }
    }

    /// Something of a controller's pods has changed.
    fn touch(&mut self, controller: Uid) {
        self.changed.insert(self.deployments.get(&controller).copied().unwrap_or(controller));
    }

    fn end_pod(&mut self, uid: Uid, now: Millis) {
        let Some(life) = self.lives.get_mut(&uid) else { return };
        life.end(now);
        let Some(controller) = life.controller else {
            self.lives.remove(&uid);
            return;
        };
        self.touch(controller);
        let Some(crew) = self.crews.get_mut(&controller) else { return };
        let lives = &self.lives;
        let ended = |uid: &Uid| lives.get(uid).is_none_or(Life::is_over);
        if crew.pods.iter().filter(|uid| ended(uid)).count() > GONE
            && let Some(at) = crew.pods.iter().position(ended)
        {
            let oldest = crew.pods.remove(at);
            crew.forgotten += 1;
            self.lives.remove(&oldest);
        }
    }

    /// A ReplicaSet beyond the history limit: with it goes what is known of its pods.
    fn end_set(&mut self, uid: Uid) {
        let Some(deployment) = self.deployments.remove(&uid) else { return };
        if let Some(workload) = self.workloads.get_mut(&deployment) {
            workload.sets.remove(&uid);
        }
        self.forget_crew(uid);
        self.changed.insert(deployment);
    }

    fn end_workload(&mut self, cluster: &Cluster, uid: Uid, now: Millis) {
        let Some(key) = self.workloads.get(&uid).map(|workload| workload.key.clone()) else { return };
        let picture = draw::picture(self, cluster, &key, now).map(|picture| Picture {
            course: app::api::picture::Course::Deleted,
            causes: Vec::new(),
            deadline: None,
            gone: Some(now),
            ..picture
        });
        if let (Some(picture), Some(workload)) = (picture, self.workloads.get_mut(&uid)) {
            workload.last = Some((now, Box::new(picture)));
            workload.counts.clear(); // the picture has them
        }
        self.changed.insert(uid);
        self.gone.push_back(uid);
        if self.gone.len() > WORKLOADS
            && let Some(oldest) = self.gone.pop_front()
        {
            self.forget_workload(oldest);
        }
    }

    fn forget_workload(&mut self, uid: Uid) {
        let Some(workload) = self.workloads.remove(&uid) else { return };
        for set in workload.sets {
            self.deployments.remove(&set);
            self.forget_crew(set);
        }
        self.forget_crew(uid);
    }

    fn forget_crew(&mut self, controller: Uid) {
        for pod in self.crews.remove(&controller).into_iter().flat_map(|crew| crew.pods) {
            self.lives.remove(&pod);
        }
    }

    /// The remembered pods of a controller, oldest first, and how many more there were.
    fn crew(&self, controller: Uid) -> (Vec<&Life>, u32) {
        let Some(crew) = self.crews.get(&controller) else { return (Vec::new(), 0) };
        (crew.pods.iter().filter_map(|uid| self.lives.get(uid)).collect(), crew.forgotten)
    }
}

/// The row of a workload, as what all of them have.
enum Found {
    Deployment(Arc<Deployment>),
    Set(Arc<ReplicaSet>),
    Controller(Arc<ReplicationController>),
    Daemons(Arc<DaemonSet>),
    Stateful(Arc<StatefulSet>),
}

impl Found {
    fn named(cluster: &Cluster, key: &ObjectKey) -> Option<Found> {
        let (namespace, name) = (key.namespace.as_str(), key.name.as_str());
        match key.kind {
            Kind::Deployment => {
                Deployment::rows(cluster).named(namespace, name).cloned().map(Found::Deployment)
            }
            Kind::ReplicaSet => ReplicaSet::rows(cluster).named(namespace, name).cloned().map(Found::Set),
            Kind::ReplicationController => {
                ReplicationController::rows(cluster).named(namespace, name).cloned().map(Found::Controller)
            }
            Kind::DaemonSet => DaemonSet::rows(cluster).named(namespace, name).cloned().map(Found::Daemons),
            Kind::StatefulSet => {
                StatefulSet::rows(cluster).named(namespace, name).cloned().map(Found::Stateful)
            }
            _ => None,
        }
    }

    fn meta(&self) -> &Meta {
        match self {
            Found::Deployment(row) => &row.meta,
            Found::Set(row) => &row.meta,
            Found::Controller(row) => &row.meta,
            Found::Daemons(row) => &row.meta,
            Found::Stateful(row) => &row.meta,
        }
    }
}
