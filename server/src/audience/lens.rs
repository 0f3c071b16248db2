//! The cluster as a grant shows it: takes every change of the whole cluster in and gives those of the part.
//!
//! What is granted is decided here and nowhere else, before a hub hears of it; so whatever is made of rows afterwards
//! (counts, pictures, placement, numbers for uids, the strings of the wire, errors) is made of granted rows only.
//!
//! What has labels of its own is chosen by them. The rest follows what it is about: an event its object, an
//! EndpointSlice its Service (with those of its endpoints whose pods are granted), a ControllerRevision its controller,
//! a Lease its node. So a row may come and go because another does.

mod names;
mod rows;
mod words;

use std::{
    any::Any,
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    sync::Arc,
};

use app::{
    api::{
        ControllerRevision, DaemonSet, Deployment, Detail, EndpointSlice, Event, Kind, KindState, Kinds,
        Lease, Meta, Namespace, Node, Owner, Pod, PodDisruptionBudget, ReplicaSet, ReplicationController,
        Row, Service, StatefulSet, Text, Uid,
    },
    model::{Change, Cluster, Delta, Visit, WithRow},
    scope::Scope,
    wire::About,
};
use names::Names;
use rows::Glass;

use super::grant::{Grant, Within};

/// Granted objects that are gone, whose events are still shown.
const FORMERLY: usize = 5_000;

/// See the module.
#[derive(Debug)]
pub struct Lens {
    grant: Arc<Grant>,
    names: Names,
    /// Everything of the kinds and namespaces that are granted at all.
    whole: Cluster,
    shown: HashSet<(Kind, Uid)>,
    /// Which rows mention an object: as their controller, as what they are about, as an endpoint.
    mentions: HashMap<Uid, BTreeSet<(Kind, Uid)>>,
    formerly: Formerly,
}

/// What an object was before it was gone.
#[derive(Debug, Default)]
struct Formerly {
    metas: HashMap<Uid, (Kind, Meta)>,
    order: VecDeque<Uid>,
}

impl Formerly {
    fn put(&mut self, kind: Kind, meta: Meta) {
        self.order.push_back(meta.uid);
        self.metas.insert(meta.uid, (kind, meta));
        if self.order.len() > FORMERLY
            && let Some(oldest) = self.order.pop_front()
        {
            self.metas.remove(&oldest);
        }
    }
}

impl Lens {
    /// That has seen nothing yet.
    pub fn new(grant: Arc<Grant>) -> Lens {
        Lens {
            names: Names::of(&grant),
            grant,
            whole: Cluster::default(),
            shown: HashSet::new(),
            mentions: HashMap::new(),
            formerly: Formerly::default(),
        }
    }

    /// What it has to be told of.
    pub fn scope(&self) -> Scope {
        let mut namespaces = BTreeSet::new();
        for (kind, within) in &self.grant.kinds {
            match within {
                Within::Namespaces(names) => namespaces.extend(names.iter().cloned()),
                Within::All if kind.namespaced() => return Scope { kinds: self.kinds(), ..Scope::default() },
                Within::All => {}
            }
        }
        if namespaces.is_empty() && self.kinds().iter().any(Kind::namespaced) {
            // no namespace at all, which an empty list would not say
            let alone =
                self.kinds().iter().filter(|kind| !kind.namespaced() && *kind != Kind::Namespace).collect();
            return Scope { kinds: alone, ..Scope::default() };
        }
        Scope { kinds: self.kinds(), namespaces: namespaces.into_iter().collect(), ..Scope::default() }
    }

    fn kinds(&self) -> Kinds {
        self.grant.kinds.keys().copied().filter(|kind| kind.watched() == *kind).collect()
    }

    /// What is being watched, without what is not granted.
    pub fn about(&self, about: &About) -> About {
        if self.grant.verbatim {
            return about.clone();
        }
        About { context: String::new(), namespaces: Vec::new(), refused: Vec::new(), ..about.clone() }
    }

    /// How a kind stands, in each of the namespaces in which it is granted (`None`: everywhere). Of what is not granted
    /// there is nothing to see.
    pub fn states(&self, kind: Kind, state: &KindState) -> Vec<(Option<Text>, KindState)> {
        let Some(within) = self.grant.kinds.get(&kind) else { return vec![(None, self.forbidden(kind))] };
        let state = if self.grant.verbatim { state.clone() } else { rows::state(state) };
        match within {
            Within::All => vec![(None, state)],
            Within::Namespaces(names) if names.is_empty() => vec![(None, self.forbidden(kind))],
            Within::Namespaces(names) => {
                names.iter().map(|name| (Some(self.names.text(name)), state.clone())).collect()
            }
        }
    }

    fn forbidden(&self, kind: Kind) -> KindState {
        KindState::Forbidden {
            verb: "list".into(),
            resource: kind.resource().into(),
            namespace: Text::default(),
        }
    }

    /// Takes changes in and gives what they change for those who look through it.
    pub fn take(&mut self, changes: &[Change]) -> Vec<Change> {
        let mut touched = Vec::new();
        for change in changes {
            change.clone().visit(Fold { lens: self, touched: &mut touched });
        }
        let mut out = Vec::new();
        let mut at = 0;
        while let Some((kind, uid)) = touched.get(at).copied() {
            at += 1;
            let row = self.seen(kind, uid);
            let changed = match row {
                Some(put) => {
                    out.push(put);
                    self.shown.insert((kind, uid))
                }
                None if self.shown.remove(&(kind, uid)) => {
                    out.push(kind.with_row(Gone(uid)));
                    true
                }
                None => false,
            };
            if changed {
                touched.extend(self.dependents(kind, uid));
            }
        }
        out
    }

    /// Rows that are shown otherwise, or not at all, if this one is or is not.
    fn dependents(&self, kind: Kind, uid: Uid) -> Vec<(Kind, Uid)> {
        let mut found: Vec<_> = self.mentions.get(&uid).into_iter().flatten().copied().collect();
        match kind {
            Kind::Service => {
                found.extend(self.whole.endpoint_slices.iter().map(|row| (Kind::EndpointSlice, row.meta.uid)))
            }
            Kind::Node => {
                found.extend(self.whole.leases.iter().map(|row| (Kind::Lease, row.meta.uid)));
                let of_nodes = self.whole.events.iter().filter(|event| event.object_kind == "Node");
                found.extend(of_nodes.map(|row| (Kind::Event, row.meta.uid)));
            }
            _ => {}
        }
        found
    }

    /// Whether there is such an object and it is granted.
    fn granted(&self, kind: Kind, uid: Uid) -> bool {
        struct Holds<'a>(&'a Lens, Uid);
        impl WithRow for Holds<'_> {
            type Out = bool;
            fn with<T: Row>(self) -> bool {
                T::rows(&self.0.whole).get(self.1).is_some_and(|row| self.0.holds(&**row))
            }
        }
        kind.with_row(Holds(self, uid))
    }

    fn holds<T: Row>(&self, row: &T) -> bool {
        if !self.grant.holds(row) {
            return false;
        }
        if self.grant.verbatim {
            return true;
        }
        let any: &dyn Any = row;
        if let Some(event) = any.downcast_ref::<Event>() {
            return self.is_about(event).is_some();
        }
        if let Some(slice) = any.downcast_ref::<EndpointSlice>() {
            let service = self.whole.services.named(&slice.meta.namespace, &slice.service);
            return service.is_some_and(|service| self.holds(&**service));
        }
        if let Some(lease) = any.downcast_ref::<Lease>() {
            return self.whole.nodes.named("", &lease.meta.name).is_some_and(|node| self.holds(&**node));
        }
        if T::KIND == Kind::ControllerRevision {
            return row.meta().owner.as_ref().is_some_and(|owner| self.has_owner(owner));
        }
        true
    }

    fn has_owner(&self, owner: &Owner) -> bool {
        Kind::parse(&owner.kind).is_some_and(|kind| self.granted(kind, owner.uid))
    }

    /// What a granted event is about: its kind, what it is or was called, and its uid if it is still there.
    fn is_about(&self, event: &Event) -> Option<(Kind, Meta, Option<Uid>)> {
        struct Find<'a>(&'a Lens, &'a Event);
        impl WithRow for Find<'_> {
            type Out = Option<Meta>;
            fn with<T: Row>(self) -> Option<Meta> {
                let Find(lens, event) = self;
                let rows = T::rows(&lens.whole);
                // the kubelet gives a node's name for its uid
                let by_name = || rows.named("", &event.object_name).filter(|_| T::KIND == Kind::Node);
                let row = rows.get(event.object_uid).or_else(by_name)?;
                lens.holds(&**row).then(|| row.meta().clone())
            }
        }
        let kind = Kind::parse(&event.object_kind)?;
        if let Some(meta) = kind.with_row(Find(self, event)) {
            let uid = meta.uid;
            return Some((kind, meta, Some(uid)));
        }
        let (_, meta) = self.formerly.metas.get(&event.object_uid).filter(|(was, _)| *was == kind)?;
        Some((kind, meta.clone(), None))
    }

    /// The row as it is shown; `None` if it is not, or is not there.
    fn seen(&self, kind: Kind, uid: Uid) -> Option<Change> {
        struct See<'a>(&'a Lens, Uid);
        impl WithRow for See<'_> {
            type Out = Option<Change>;
            fn with<T: Row>(self) -> Option<Change> {
                let row = T::rows(&self.0.whole).get(self.1).filter(|row| self.0.holds(&***row))?;
                if self.0.grant.verbatim {
                    Some(T::change(Delta::Put(row.clone())))
                } else {
                    self.0.through(&**row)
                }
            }
        }
        kind.with_row(See(self, uid))
    }

    fn through<T: Row>(&self, row: &T) -> Option<Change> {
        fn put<T: Row>(row: &dyn Any, see: impl FnOnce(&T) -> T) -> Option<Change> {
            Some(T::change(Delta::Put(Arc::new(see(row.downcast_ref()?)))))
        }
        let about = (row as &dyn Any).downcast_ref::<Event>().map(|event| self.is_about(event));
        let about = match about {
            Some(about) => Some(about?),
            None => None,
        };
        let subject = about.as_ref().map_or(&*row.meta().name, |(_, meta, _)| &*meta.name);
        let other = |word: &str| generated(word, subject).then(|| self.names.name(&word.into()).to_string());
        let glass = Glass {
            names: self.names,
            counts: matches!(self.grant.kinds.get(&Kind::Node), Some(Within::All))
                && self.grant.selector.is_empty(),
            owner: &|owner| self.has_owner(owner),
            other: &other,
        };
        let any: &dyn Any = row;
        match T::KIND {
            Kind::Node => put(any, |row: &Node| glass.node(row)),
            Kind::Namespace => put(any, |row: &Namespace| glass.namespace(row)),
            Kind::Pod => put(any, |row: &Pod| glass.pod(row)),
            Kind::Container => None, // each hub makes its own, of the pods and events it knows
            Kind::ReplicationController => {
                put(any, |row: &ReplicationController| glass.replication_controller(row))
            }
            Kind::Deployment => put(any, |row: &Deployment| glass.deployment(row)),
            Kind::DaemonSet => put(any, |row: &DaemonSet| glass.daemon_set(row)),
            Kind::StatefulSet => put(any, |row: &StatefulSet| glass.stateful_set(row)),
            Kind::ReplicaSet => put(any, |row: &ReplicaSet| glass.replica_set(row)),
            Kind::ControllerRevision => put(any, |row: &ControllerRevision| glass.controller_revision(row)),
            Kind::Service => put(any, |row: &Service| glass.service(row)),
            Kind::EndpointSlice => put(any, |row: &EndpointSlice| {
                glass.endpoint_slice(row, &|endpoint| {
                    endpoint.target.as_ref().is_some_and(|target| self.granted(Kind::Pod, target.uid))
                })
            }),
            Kind::PodDisruptionBudget => {
                put(any, |row: &PodDisruptionBudget| glass.pod_disruption_budget(row))
            }
            Kind::Lease => put(any, |row: &Lease| glass.lease(row)),
            Kind::Event => put(any, |row: &Event| match &about {
                Some((kind, meta, uid)) => {
                    let (detail, node) = self.subject(*kind, *uid);
                    glass.event(row, meta, detail.as_deref(), node.as_ref())
                }
                None => row.clone(),
            }),
        }
    }

    /// The detail and the node of what an event is about.
    fn subject(&self, kind: Kind, uid: Option<Uid>) -> (Option<Arc<Detail>>, Option<Text>) {
        struct DetailOf<'a>(&'a Cluster, Uid);
        impl WithRow for DetailOf<'_> {
            type Out = Option<Arc<Detail>>;
            fn with<T: Row>(self) -> Option<Arc<Detail>> {
                T::rows(self.0).get(self.1)?.detail().cloned()
            }
        }
        let Some(uid) = uid else { return (None, None) };
        let node = self.whole.pods.get(uid).filter(|_| kind == Kind::Pod).map(|pod| pod.node.clone());
        (kind.with_row(DetailOf(&self.whole, uid)), node)
    }
}

/// Whether a name is one that Kubernetes makes of another: a hash, five random letters, an ordinal, or two of them
/// (apimachinery `util/rand`, `SafeEncodeString`).
fn generated(word: &str, from: &str) -> bool {
    let part = |part: &str| {
        let random = part.bytes().all(|b| b"bcdfghjklmnpqrstvwxz2456789".contains(&b));
        let ordinal = part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit());
        !part.is_empty() && (ordinal || random && matches!(part.len(), 5 | 7..=10))
    };
    let Some(rest) = word.strip_prefix(from).and_then(|rest| rest.strip_prefix('-')) else { return false };
    rest.split('-').count() <= 2 && rest.split('-').all(part)
}

struct Gone(Uid);

impl WithRow for Gone {
    type Out = Change;
    fn with<T: Row>(self) -> Change {
        T::change(Delta::Gone(self.0))
    }
}

/// Folds a change into the whole, and notes which rows it touches.
struct Fold<'a> {
    lens: &'a mut Lens,
    touched: &'a mut Vec<(Kind, Uid)>,
}

impl Visit for Fold<'_> {
    type Out = ();

    fn state(self, _: Kind, _: KindState) {}

    fn rows<T: Row>(mut self, delta: Delta<T>) {
        match delta {
            Delta::Put(row) => self.put(row),
            Delta::Gone(uid) => self.gone::<T>(uid),
            Delta::Reset(rows) => {
                let listed: HashSet<Uid> = rows.iter().map(|row| row.meta().uid).collect();
                let gone: Vec<Uid> = T::rows(&self.lens.whole).iter().map(|row| row.meta().uid).collect();
                for uid in gone.into_iter().filter(|uid| !listed.contains(uid)) {
                    self.gone::<T>(uid);
                }
                rows.into_iter().for_each(|row| self.put(row));
            }
        }
    }
}

impl Fold<'_> {
    fn put<T: Row>(&mut self, row: Arc<T>) {
        let uid = row.meta().uid;
        if let Some(replaced) = T::rows(&self.lens.whole).replaced_by(row.meta()) {
            self.gone::<T>(replaced);
        }
        if let Some(old) = T::rows(&self.lens.whole).get(uid).cloned() {
            self.unmention(&*old);
        }
        for mentioned in mentioned(&*row) {
            self.lens.mentions.entry(mentioned).or_default().insert((T::KIND, uid));
        }
        T::rows_mut(&mut self.lens.whole).apply(Delta::Put(row));
        self.touched.push((T::KIND, uid));
    }

    fn gone<T: Row>(&mut self, uid: Uid) {
        let Some(old) = T::rows(&self.lens.whole).get(uid).cloned() else { return };
        self.unmention(&*old);
        if self.lens.shown.contains(&(T::KIND, uid)) && T::KIND != Kind::Event {
            self.lens.formerly.put(T::KIND, old.meta().clone());
        }
        T::rows_mut(&mut self.lens.whole).apply(Delta::Gone(uid));
        self.touched.push((T::KIND, uid));
    }

    fn unmention<T: Row>(&mut self, row: &T) {
        for uid in mentioned(row) {
            if let Some(by) = self.lens.mentions.get_mut(&uid) {
                by.remove(&(T::KIND, row.meta().uid));
                if by.is_empty() {
                    self.lens.mentions.remove(&uid);
                }
            }
        }
    }
}

/// The objects that a row mentions.
fn mentioned<T: Row>(row: &T) -> Vec<Uid> {
    let any: &dyn Any = row;
    let mut uids: Vec<Uid> = row.meta().owner.as_ref().map(|owner| owner.uid).into_iter().collect();
    if let Some(event) = any.downcast_ref::<Event>() {
        uids.push(event.object_uid);
    } else if let Some(slice) = any.downcast_ref::<EndpointSlice>() {
        uids.extend(
            slice.endpoints.iter().filter_map(|endpoint| endpoint.target.as_ref()).map(|target| target.uid),
        );
    }
    uids
}
