//! What the hub remembers beside the rows: how each workload's pods came and went, and how many there
//! were. The cluster itself says only what is; a rollout's picture needs what was.
//!
//! Bounded, whatever the cluster does: per workload [`COUNTS`] points in time (10 KB) and [`GONE`] pods that
//! are no more (some 25 KB), 60 happenings (3 KB) and [`LEFT`] pods of each controller that it gave up; of what is
//! gone itself the last [`PICTURES`] pictures. For each pod that is there,
//! some 400 bytes and its last failing probe's words. What nothing happens to has one point in time.

mod causes;
mod draw;
mod happened;
mod holders;
mod life;
mod notes;
mod revisions;

use std::{
    any::Any,
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use app::{
    api::{
        DaemonSet, Deployment, Event, InCluster, Kind, KindState, Labels, Meta, Millis, ObjectKey, Picture,
        Pod, ReplicaSet, ReplicationController, Row, StatefulSet, Text, Timestamp, Uid,
        manifest::Difference,
        picture::{Counts, Course, What},
    },
    model::Cluster,
    wire::{Apart, Drawing},
};
use happened::Happened;
use holders::Holders;
use life::Life;

use super::{Remembers, unseen};

/// Points in time of one workload.
const COUNTS: usize = 240;
/// Pods of one workload that are gone and still drawn.
const GONE: usize = 60;
/// Workloads that are gone and still drawn.
const PICTURES: usize = 100;
/// Pods of one controller that are its no longer.
const LEFT: usize = 20;
/// Pods of which only events have come so far, or which are out of sight.
const HEARD_OF: usize = 5_000;

/// See the module.
#[derive(Debug, Default)]
pub struct History {
    /// When the first row came, by the API server's clock as it was known then. Like all that is noted here it is not
    /// put when that clock is, nor is what stands in the objects.
    since: Option<Millis>,
    workloads: HashMap<Uid, Workload>,
    holders: Holders,
    /// The pods of each controller that makes pods.
    crews: HashMap<Uid, Crew>,
    lives: HashMap<Uid, Life>,
    /// Pods that are there and have no controller.
    strays: HashSet<Uid>,
    /// Pods known by their events only, or out of sight, oldest first.
    heard_of: VecDeque<Uid>,
    /// Workloads that are gone, as they were then, oldest first.
    gone: VecDeque<Picture>,
    /// Of which something has changed since the last [`History::sample`].
    changed: HashSet<Uid>,
    /// Of which something has changed that could not be counted yet.
    uncounted: HashSet<Uid>,
    /// What has gone since then.
    ended: Vec<ObjectKey>,
    /// Where a workload, or a pod without controller, came or went since then: others may select it.
    stirred: HashSet<Text>,
    /// See [`History::stands_otherwise`].
    otherwise: bool,
    /// See [`History::watches`].
    apart: Apart,
}

/// Of what the picture has changed.
#[derive(Debug, Default)]
pub struct Changed {
    keys: HashSet<ObjectKey>,
    /// All in these may have.
    namespaces: HashSet<Text>,
    /// All may have.
    all: bool,
}

impl Changed {
    /// Whether this one's has.
    pub fn touches(&self, key: &ObjectKey) -> bool {
        self.all || self.keys.contains(key) || self.namespaces.contains(key.namespace.as_str())
    }
}

/// What a person calls a rollout's object: a Deployment, or another controller that no Deployment made.
#[derive(Debug)]
struct Workload {
    key: ObjectKey,
    /// Of its template, by which others may select its pods.
    labels: Option<Labels>,
    counts: VecDeque<Counts>,
    happened: Happened,
    /// Its pods that are gone and still drawn, oldest first, and whose they were.
    ended: VecDeque<(Uid, Uid)>,
}

/// The pods of one controller, in the order in which they were first seen.
#[derive(Debug, Default)]
struct Crew {
    pods: Vec<Uid>,
    forgotten: u32,
    /// The last ones that became somebody else's, or nobody's.
    left: VecDeque<Left>,
}

/// A pod that is not its controller's any more.
#[derive(Clone, Debug)]
struct Left {
    name: Arc<str>,
    created: Option<Timestamp>,
    since: Millis,
}

impl History {
    /// How much of it there is.
    pub fn remembers(&self) -> Remembers {
        let gone = self.gone.iter().map(|picture| picture.counts.len()).sum::<usize>();
        let there = self.workloads.values().map(|workload| workload.counts.len()).sum::<usize>();
        Remembers {
            pods: self.lives.len(),
            points: gone + there,
            workloads: self.workloads.len() + self.gone.len(),
            revisions: self.holders.len(),
            crews: self.crews.len(),
            ..Remembers::default()
        }
    }

    /// A row is like this now.
    pub fn put<T: Row>(&mut self, row: &T, now: Millis) {
        self.since.get_or_insert(now);
        let any: &dyn Any = row;
        if let Some(pod) = any.downcast_ref::<Pod>() {
            self.put_pod(pod, now);
        } else if let Some(event) = any.downcast_ref::<Event>() {
            self.put_event(event);
        } else if let Some(set) = any.downcast_ref::<ReplicaSet>() {
            self.put_set(set);
        } else if T::KIND == Kind::ControllerRevision {
            self.put_holder(row.meta().uid, row.meta().owner.as_ref().map(|owner| owner.uid));
        } else if T::KIND.makes_pods() {
            self.put_workload(row);
        }
    }

    /// A row is gone; `cluster` still has it. What is only out of sight may be there all the same.
    pub fn gone<T: Row>(&mut self, cluster: &Cluster, row: &T, now: Millis) {
        let uid = row.meta().uid;
        let is_unseen = self.is_unseen(cluster, T::KIND, &row.meta().namespace);
        match T::KIND {
            Kind::Pod => {
                if self.strays.remove(&uid) {
                    self.stirred.insert(row.meta().namespace.clone());
                }
                if is_unseen { self.lose_pod(uid) } else { self.end_pod(uid, now) }
            }
            Kind::ControllerRevision => self.end_holder(uid),
            Kind::ReplicaSet if self.holders.owner(uid).is_some() => self.end_set(uid),
            kind if kind.makes_pods() => {
                if !is_unseen {
                    self.keep_picture(cluster, uid, now);
                }
                self.end_workload(uid);
            }
            _ => {}
        }
    }

    /// A kind is current, or is not any more: what a picture says of why nothing happens may be otherwise.
    pub fn stands_otherwise(&mut self) {
        self.otherwise = true;
    }

    /// The kinds that are watched in namespaces one by one: in which, and whether they may be.
    pub fn watches(&mut self, apart: &Apart) {
        if self.apart != *apart {
            self.apart = apart.clone();
            self.stands_otherwise();
        }
    }

    /// Whether a kind is not to be seen in a namespace: it is refused there, or not watched.
    fn is_unseen(&self, cluster: &Cluster, kind: Kind, namespace: &Text) -> bool {
        let within = self.apart.get(&kind).map_or(&[][..], Vec::as_slice);
        matches!(cluster.state(kind), KindState::Forbidden { .. })
            || unseen(within, std::slice::from_ref(namespace)).is_some()
    }

    /// Notes how many pods each changed workload has, and says which have changed. What cannot be counted
    /// because a list is not complete or not current is counted once it is.
    pub fn sample(&mut self, cluster: &Cluster, now: Millis) -> Changed {
        let mut keys = HashSet::from_iter(std::mem::take(&mut self.ended));
        let mut changed = std::mem::take(&mut self.changed);
        self.uncounted.retain(|uid| {
            let Some(workload) = self.workloads.get(uid) else { return false };
            let waits = !draw::is_current(cluster, &workload.key);
            if !waits {
                changed.insert(*uid);
            }
            waits
        });
        for uid in changed {
            let Some(workload) = self.workloads.get(&uid) else { continue };
            keys.insert(workload.key.clone());
            if !draw::is_current(cluster, &workload.key) {
                self.uncounted.insert(uid);
                continue;
            }
            let Some(counts) = draw::counts(self, cluster, uid, now) else { continue };
            let standing = draw::standing(self, cluster, uid, &counts);
            let Some(workload) = self.workloads.get_mut(&uid) else { continue };
            if let Some(standing) = standing {
                workload.happened.stands(standing, now);
            }
            if workload.counts.back().is_some_and(|last| last.alike(&counts)) {
                continue;
            }
            if workload.counts.len() == COUNTS {
                workload.counts.pop_front();
            }
            workload.counts.push_back(counts);
        }
        let (namespaces, all) = (std::mem::take(&mut self.stirred), std::mem::take(&mut self.otherwise));
        Changed { keys, namespaces, all }
    }

    /// The picture of a workload: as it is, or as it was when it went, unless it may have come back unseen. A ReplicaSet
    /// that a Deployment made has none of its own.
    pub fn picture(&self, cluster: &Cluster, drawing: &Drawing, now: Millis) -> Option<Picture> {
        draw::picture(self, cluster, drawing, now).or_else(|| {
            let ObjectKey { kind, namespace, .. } = &drawing.key;
            if self.is_unseen(cluster, *kind, &namespace.as_str().into())
                || cluster.uid_of(&drawing.key).is_some()
            {
                return None;
            }
            let gone = self.gone.iter().rev().find(|picture| picture.key == drawing.key)?.clone();
            // of what is gone only its last two revisions were held against each other
            let asked = |d: &Difference| drawing.between.is_none_or(|between| between == (d.from, d.to));
            let difference = gone.difference.clone().filter(asked);
            Some(Picture { between: drawing.between, difference, ..gone })
        })
    }

    fn put_workload<T: Row>(&mut self, row: &T) {
        let meta = row.meta();
        let workload = self.workloads.entry(meta.uid).or_insert_with(|| {
            let (namespace, name) = (meta.namespace.to_string(), meta.name.to_string());
            let key = ObjectKey { kind: T::KIND, namespace, name };
            // When this goes nobody may see it, and what another of its name was like is not what it was like.
            self.gone.retain(|picture| picture.key != key);
            Workload {
                key,
                labels: None,
                counts: VecDeque::new(),
                happened: Happened::default(),
                ended: VecDeque::new(),
            }
        });
        let labels = row.detail().and_then(|detail| Some(detail.template.as_ref()?.labels.clone()));
        let labels = labels.unwrap_or_default();
        if workload.labels.replace(labels.clone()) != Some(labels) {
            self.stirred.insert(meta.namespace.clone());
        }
        self.changed.insert(meta.uid);
    }

    /// A ReplicaSet is its Deployment's, or stands for itself; it may be given up and taken over.
    fn put_set(&mut self, set: &ReplicaSet) {
        let uid = set.meta.uid;
        let owner = set.meta.deployment().map(|owner| owner.uid);
        self.put_holder(uid, owner);
        match owner {
            Some(_) => self.join_workload(&set.meta),
            None => self.put_workload(set),
        }
    }

    /// A ReplicaSet is a part of its Deployment's picture: it has none of its own any more, nor has one of its name that
    /// went.
    fn join_workload(&mut self, meta: &Meta) {
        let went = |key: &ObjectKey| {
            key.kind == Kind::ReplicaSet && key.name == *meta.name && key.namespace == *meta.namespace
        };
        let own = self.workloads.remove(&meta.uid).map(|workload| workload.key);
        if own.is_some() {
            self.stirred.insert(meta.namespace.clone());
        }
        let before = self.gone.iter().map(|picture| &picture.key).find(|key| went(key)).cloned();
        self.gone.retain(|picture| Some(&picture.key) != before.as_ref());
        self.ended.extend(before.into_iter().chain(own));
    }

    /// A ReplicaSet or a ControllerRevision is this owner's now, or nobody's.
    fn put_holder(&mut self, holder: Uid, owner: Option<Uid>) {
        let left = self.holders.put(holder, owner);
        self.changed.extend(left.into_iter().chain(owner));
    }

    fn end_holder(&mut self, holder: Uid) {
        self.changed.extend(self.holders.leave(holder));
    }

    fn put_pod(&mut self, pod: &Pod, now: Millis) {
        let uid = pod.meta.uid;
        let owner = pod.meta.owner.as_ref();
        let owner = owner.filter(|owner| Kind::parse(&owner.kind).is_some_and(Kind::makes_pods));
        let before = self.lives.get(&uid).and_then(|life| life.controller);
        if let Some(before) = before.filter(|before| owner.is_none_or(|owner| owner.uid != *before)) {
            // given up (its labels were changed) or taken over: a tile never goes from one lane to another
            self.leave_crew(before, uid);
            if self.workloads.contains_key(&self.workload_of(before)) {
                let left = Left { name: pod.meta.name.clone(), created: pod.meta.created, since: now };
                let crew = self.crews.entry(before).or_default();
                crew.left.push_back(left);
                if crew.left.len() > LEFT {
                    crew.left.pop_front();
                }
            }
            self.note(before, now, What::Released { pod: pod.meta.name.clone() });
        }
        let was_stray = match pod.meta.owner {
            None => !self.strays.insert(uid),
            Some(_) => self.strays.remove(&uid),
        };
        if was_stray || pod.meta.owner.is_none() {
            self.stirred.insert(pod.meta.namespace.clone());
        }
        let Some(owner) = owner else { return };
        if was_stray {
            self.note(owner.uid, now, What::Adopted { pod: pod.meta.name.clone() });
        }
        let life = self.lives.entry(uid).or_default();
        let joins = life.controller.replace(owner.uid) != Some(owner.uid);
        life.see(pod, now);
        if joins {
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
            self.hear_of(uid);
        }
        let life = self.lives.entry(uid).or_default();
        life.hear(event);
        if let Some(controller) = life.controller {
            self.touch(controller);
        }
    }

    /// A pod is known by its events only. Of too many the oldest is forgotten.
    fn hear_of(&mut self, pod: Uid) {
        self.heard_of.push_back(pod);
        if self.heard_of.len() > HEARD_OF
            && let Some(oldest) = self.heard_of.pop_front()
            && self.lives.get(&oldest).is_some_and(|life| life.controller.is_none())
        {
            self.lives.remove(&oldest);
        }
    }

    /// Something has happened to a controller's pods.
    fn note(&mut self, controller: Uid, now: Millis, what: What) {
        let uid = self.workload_of(controller);
        if let Some(workload) = self.workloads.get_mut(&uid) {
            workload.happened.note(now, what);
        }
    }

    /// Whose picture shows the pods of a controller.
    fn workload_of(&self, controller: Uid) -> Uid {
        self.holders.owner(controller).unwrap_or(controller)
    }

    /// Something of a controller's pods has changed.
    fn touch(&mut self, controller: Uid) {
        self.changed.insert(self.workload_of(controller));
    }

    /// A pod is this controller's no longer, or is drawn no longer.
    fn leave_crew(&mut self, controller: Uid, pod: Uid) {
        self.lives.remove(&pod);
        if let Some(crew) = self.crews.get_mut(&controller) {
            if let Some(at) = crew.pods.iter().position(|uid| *uid == pod) {
                crew.pods.remove(at);
            }
            if crew.pods.is_empty() && crew.forgotten == 0 && crew.left.is_empty() {
                self.crews.remove(&controller);
            }
        }
        self.touch(controller);
    }

    fn end_pod(&mut self, uid: Uid, now: Millis) {
        let Some(life) = self.lives.get_mut(&uid) else { return };
        life.end(now);
        let Some(controller) = life.controller else {
            self.lives.remove(&uid);
            return;
        };
        self.touch(controller);
        let workload = self.workload_of(controller);
        let Some(workload) = self.workloads.get_mut(&workload) else {
            // gone before its pods, or one that may not be seen: nobody can ask for it
            return self.leave_crew(controller, uid);
        };
        workload.ended.push_back((controller, uid));
        if workload.ended.len() > GONE
            && let Some((controller, oldest)) = workload.ended.pop_front()
            && self.lives.get(&oldest).is_some_and(Life::is_over)
        {
            if let Some(crew) = self.crews.get_mut(&controller) {
                crew.forgotten += 1;
            }
            self.leave_crew(controller, oldest);
        }
    }

    /// A pod is out of sight. It is drawn no longer, and is not one that is gone; what was heard of it would not be
    /// told again when it comes back.
    fn lose_pod(&mut self, uid: Uid) {
        let Some(mut life) = self.lives.remove(&uid) else { return };
        if let Some(controller) = life.controller.take() {
            self.leave_crew(controller, uid);
            self.hear_of(uid);
        }
        self.lives.insert(uid, life);
    }

    /// A ReplicaSet beyond the history limit, or out of sight: with it goes what is known of its pods that are gone.
    fn end_set(&mut self, uid: Uid) {
        self.end_holder(uid);
        self.forget_crew(uid);
    }

    /// What a workload was like when it went.
    fn keep_picture(&mut self, cluster: &Cluster, uid: Uid, now: Millis) {
        let Some(workload) = self.workloads.get(&uid) else { return };
        let drawing = Drawing { key: workload.key.clone(), between: None };
        let Some(picture) = draw::picture(self, cluster, &drawing, now) else { return };
        let (course, causes, notes) = (Course::Deleted, Vec::new(), Vec::new());
        self.gone.push_back(Picture { course, causes, notes, deadline: None, gone: Some(now), ..picture });
        if self.gone.len() > PICTURES {
            self.gone.pop_front();
        }
    }

    fn end_workload(&mut self, uid: Uid) {
        let Some(Workload { key, .. }) = self.workloads.remove(&uid) else { return };
        self.stirred.insert(key.namespace.as_str().into());
        for holder in self.holders.of(uid).collect::<Vec<_>>() {
            self.forget_crew(holder);
        }
        self.forget_crew(uid);
        self.ended.push(key);
    }

    /// Forgets the pods of a controller but those that are there. These are forgotten when they go; until then their
    /// controller may come back, and nothing would be told of them again.
    fn forget_crew(&mut self, controller: Uid) {
        let Some(crew) = self.crews.get_mut(&controller) else { return };
        crew.pods.retain(|pod| {
            let is_there = self.lives.get(pod).is_some_and(|life| !life.is_over());
            if !is_there {
                self.lives.remove(pod);
            }
            is_there
        });
        crew.forgotten = 0;
        crew.left.clear();
        if crew.pods.is_empty() {
            self.crews.remove(&controller);
        }
    }

    /// The last pods that became somebody else's, or nobody's.
    fn left(&self, controller: Uid) -> impl Iterator<Item = &Left> {
        self.crews.get(&controller).into_iter().flat_map(|crew| &crew.left)
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
