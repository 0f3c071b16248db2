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
        Lease, Meta, Millis, Namespace, Node, Owner, Pod, PodDisruptionBudget, ReplicaSet,
        ReplicationController, Row, Service, StatefulSet, Text, Uid,
    },
    model::{Change, Cluster, Delta, Visit, WithRow},
    scope::Scope,
    wire::{About, Apart},
};
use names::Names;
use rows::Glass;

use super::grant::{Grant, Within};
use crate::hub::forbidden;

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
    /// Which rows mention an object.
    mentions: HashMap<Mention, BTreeSet<(Kind, Uid)>>,
    formerly: Formerly,
    /// Of what Masthead does not watch, or may not, there is nothing to see either.
    apart: Apart,
}

/// How a row mentions an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Mention {
    /// As its controller, as what it is about, as an endpoint.
    Uid(Uid),
    /// As the node it is of.
    Node(Arc<str>),
    /// As the Service it is of, in this namespace.
    Service(Text, Arc<str>),
    /// In its text, by a name that may have been made of its object's, in this namespace.
    Made(Text, Arc<str>),
}

impl Mention {
    /// As what an object may be mentioned by its name.
    fn by_name(kind: Kind, meta: &Meta) -> Option<Mention> {
        match kind {
            Kind::Node => Some(Mention::Node(meta.name.clone())),
            Kind::Service => Some(Mention::Service(meta.namespace.clone(), meta.name.clone())),
            Kind::Pod | Kind::ReplicaSet | Kind::ControllerRevision => {
                Some(Mention::Made(meta.namespace.clone(), meta.name.clone()))
            }
            _ => None,
        }
    }
}

/// An object as far as what is said about it needs it.
#[derive(Clone, Debug)]
struct Subject {
    kind: Kind,
    meta: Meta,
    detail: Option<Arc<Detail>>,
    /// Where it is, if it is a pod.
    node: Text,
}

impl Subject {
    fn of<T: Row>(row: &T) -> Subject {
        let any: &dyn Any = row;
        let node = any.downcast_ref::<Pod>().map(|pod| pod.node.clone()).unwrap_or_default();
        Subject { kind: T::KIND, meta: row.meta().clone(), detail: row.detail().cloned(), node }
    }

    /// Whether what is said about one reads as if it were said about the other.
    fn reads_as(&self, other: &Subject) -> bool {
        fn containers(subject: &Subject) -> impl Iterator<Item = (&Text, &Text)> {
            let all = subject.detail.iter().flat_map(|detail| &detail.containers);
            all.map(|container| (&container.name, &container.image))
        }
        self.node == other.node
            && self.meta.owner == other.meta.owner
            && containers(self).eq(containers(other))
    }
}

/// What granted objects were before they were gone.
#[derive(Debug, Default)]
struct Formerly {
    subjects: HashMap<Uid, Subject>,
    names: HashMap<(Text, Arc<str>), usize>,
    order: VecDeque<Uid>,
}

impl Formerly {
    fn put(&mut self, subject: Subject) {
        let (uid, meta) = (subject.meta.uid, &subject.meta);
        if self.subjects.contains_key(&uid) {
            return;
        }
        *self.names.entry((meta.namespace.clone(), meta.name.clone())).or_default() += 1;
        self.order.push_back(uid);
        self.subjects.insert(uid, subject);
        if self.order.len() > FORMERLY
            && let Some(oldest) = self.order.pop_front()
        {
            self.forget(oldest);
        }
    }

    /// It is there again, as after a refusal that has passed, and says itself what it is now. Whether it was known.
    fn comes_back(&mut self, uid: Uid) -> bool {
        let was_known = self.forget(uid);
        if was_known {
            self.order.retain(|gone| *gone != uid);
        }
        was_known
    }

    fn forget(&mut self, uid: Uid) -> bool {
        let Some(Subject { meta, .. }) = self.subjects.remove(&uid) else { return false };
        let name = (meta.namespace, meta.name);
        if let Some(count) = self.names.get_mut(&name) {
            *count -= 1;
            if *count == 0 {
                self.names.remove(&name);
            }
        }
        true
    }

    fn called(&self, namespace: &Text, name: &str) -> bool {
        self.names.contains_key(&(namespace.clone(), name.into()))
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
            apart: Apart::new(),
        }
    }

    /// What it has to be told of.
    pub fn scope(&self) -> Scope {
        if matches!(self.grant.kinds.get(&Kind::Namespace), Some(Within::All)) {
            // of the namespaces themselves only those would be told that others are seen in
            return Scope { kinds: self.kinds(), ..Scope::default() };
        }
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

    /// Takes in what is being watched where; gives the kinds of which that is news.
    pub fn hear(&mut self, apart: &Apart) -> Kinds {
        let before = std::mem::replace(&mut self.apart, apart.clone());
        let either = before.keys().chain(apart.keys());
        either.copied().filter(|kind| before.get(kind) != apart.get(kind)).collect()
    }

    /// What is being watched, without what is not granted.
    pub fn about(&self, about: &About) -> About {
        if self.grant.is_plain() {
            let granted = |name: &String| {
                self.kinds().iter().any(|kind| kind.namespaced() && self.grant.grants(kind, name))
            };
            let namespaces = about.namespaces.iter().filter(|name| granted(name)).cloned().collect();
            return About { namespaces, apart: Apart::new(), ..about.clone() };
        }
        About { context: String::new(), namespaces: Vec::new(), apart: Apart::new(), ..about.clone() }
    }

    /// How a kind stands, in each of the namespaces in which it is granted (`None`: everywhere). Of what is not granted
    /// there is nothing to see; nor of what Masthead itself is refused or does not watch, which is not the same as that
    /// there is none.
    pub fn states(&self, kind: Kind, state: &KindState) -> Vec<(Option<Text>, KindState)> {
        let Some(within) = self.grant.kinds.get(&kind) else {
            return vec![(None, forbidden(kind, &Text::default()))];
        };
        // How many there are elsewhere, or why they are not known, is not for those who have a part.
        let is_part = !self.grant.is_plain() || matches!(within, Within::Namespaces(_));
        let state = if is_part { rows::state(state) } else { state.clone() };
        if let Some(only) = kind.only_in() {
            // That is so in every cluster, and so no secret of this one.
            return match within.has(only) {
                true => vec![(Some(self.names.text(&Text::from(only))), state)],
                false => vec![(None, forbidden(kind, &Text::default()))],
            };
        }
        let each = self.apart.get(&kind);
        let of = |name: &Text| match each.is_none_or(|each| each.contains(&(name.clone(), true))) {
            true => state.clone(),
            false => forbidden(kind, &Text::default()),
        };
        match (within, each) {
            // Others are not told the names of namespaces that may have nothing for them.
            (Within::All, Some(each)) if self.grant.is_plain() || self.names_namespaces() => {
                each.iter().map(|(name, _)| (Some(name.clone()), of(name))).collect()
            }
            (Within::All, _) => vec![(None, state)],
            (Within::Namespaces(names), _) if names.is_empty() => {
                vec![(None, forbidden(kind, &Text::default()))]
            }
            (Within::Namespaces(names), _) => {
                names.iter().map(|name| (Some(self.names.text(name)), of(name))).collect()
            }
        }
    }

    /// Until when what is shown of each kind is current, of what is `told` of the whole: no longer than what its rows
    /// follow, for which of them are shown is as old as that. Which kinds are `refused` is no secret.
    pub fn as_of(&self, told: &[(Kind, Millis)], refused: impl Fn(Kind) -> bool) -> Vec<(Kind, Millis)> {
        let known = |kind: Kind| told.iter().find(|(known, _)| *known == kind).map(|(_, at)| *at);
        let granted =
            |kind: Kind| self.grant.kinds.keys().copied().filter(move |other| follows(kind, *other));
        let current = |(kind, own): (Kind, Millis)| {
            // What is about any of several kinds is shown of those that may be seen.
            let any = matches!(kind, Kind::Event | Kind::ControllerRevision);
            let followed = granted(kind).filter(|other| !(any && refused(*other)));
            let least = followed.map(known).try_fold(own, |least, at| Some(least.min(at?)));
            Some((kind, if self.grant.is_plain() { own } else { least? }))
        };
        let shown = told.iter().copied().filter(|(kind, _)| self.grant.kinds.contains_key(kind));
        shown.filter_map(current).collect()
    }

    /// Whether all namespaces are shown, by their names.
    fn names_namespaces(&self) -> bool {
        !self.grant.hide.names && matches!(self.grant.kinds.get(&Kind::Namespace), Some(Within::All))
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
                self.dependents(kind, uid, &mut touched);
            }
        }
        out
    }

    /// Rows that are shown otherwise, or not at all, if this one is or is not.
    fn dependents(&self, kind: Kind, uid: Uid, found: &mut Vec<(Kind, Uid)>) {
        struct ByName<'a>(&'a Lens, Uid);
        impl WithRow for ByName<'_> {
            type Out = Option<Mention>;
            fn with<T: Row>(self) -> Option<Mention> {
                Mention::by_name(T::KIND, T::rows(&self.0.whole).get(self.1)?.meta())
            }
        }
        self.mentioning(&Mention::Uid(uid), found);
        // who is gone has been found by its name when it went
        if let Some(name) = kind.with_row(ByName(self, uid)) {
            self.mentioning(&name, found);
        }
    }

    /// Rows that mention an object, and what is said about them: that may name the object as well.
    fn mentioning(&self, mention: &Mention, found: &mut Vec<(Kind, Uid)>) {
        for row in self.mentions.get(mention).into_iter().flatten() {
            found.push(*row);
            if row.0 != Kind::Event {
                found.extend(self.said_of(row.1));
            }
        }
    }

    /// Events about an object.
    fn said_of(&self, uid: Uid) -> impl Iterator<Item = (Kind, Uid)> {
        let all = self.mentions.get(&Mention::Uid(uid)).into_iter().flatten();
        all.filter(|(kind, _)| *kind == Kind::Event).copied()
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
        if self.grant.is_plain() {
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

    /// What a granted event is about, or was until it was gone.
    fn is_about(&self, event: &Event) -> Option<Subject> {
        struct Find<'a>(&'a Lens, &'a Event);
        impl WithRow for Find<'_> {
            type Out = Option<Subject>;
            fn with<T: Row>(self) -> Option<Subject> {
                let Find(lens, event) = self;
                let rows = T::rows(&lens.whole);
                // the kubelet gives a node's name for its uid
                let by_name = || rows.named("", &event.object_name).filter(|_| T::KIND == Kind::Node);
                let row = rows.get(event.object_uid).or_else(by_name)?;
                lens.holds(&**row).then(|| Subject::of(&**row))
            }
        }
        let kind = Kind::parse(&event.object_kind)?;
        let formerly = || self.formerly.subjects.get(&event.object_uid).filter(|was| was.kind == kind);
        kind.with_row(Find(self, event)).or_else(|| formerly().cloned())
    }

    /// Whether a word in what is said about an object names one that is granted: one that was made by it. What is
    /// gone, or has not come yet, passes where any such would be granted.
    fn names_granted(&self, word: &str, kind: Kind, subject: &Meta) -> bool {
        struct Named<'a>(&'a Lens, &'a str, &'a str);
        impl WithRow for Named<'_> {
            type Out = Option<bool>;
            fn with<T: Row>(self) -> Option<bool> {
                let Named(lens, namespace, name) = self;
                T::rows(&lens.whole).named(namespace, name).map(|row| lens.holds(&**row))
            }
        }
        let Some(shape) = generated(word, &subject.name) else { return false };
        let kinds = [Kind::Pod, Kind::ReplicaSet, Kind::ControllerRevision];
        let named = |of: Kind| of.with_row(Named(self, &subject.namespace, word));
        let all: Vec<bool> = kinds.into_iter().filter_map(named).collect();
        if !all.is_empty() {
            return all.into_iter().all(|granted| granted);
        }
        let made = made_by(kind, shape);
        made.is_some_and(|made| self.grant.selector.is_empty() && self.grant.grants(made, &subject.namespace))
            || self.formerly.called(&subject.namespace, word)
    }

    /// The row as it is shown; `None` if it is not, or is not there.
    fn seen(&self, kind: Kind, uid: Uid) -> Option<Change> {
        struct See<'a>(&'a Lens, Uid);
        impl WithRow for See<'_> {
            type Out = Option<Change>;
            fn with<T: Row>(self) -> Option<Change> {
                let row = T::rows(&self.0.whole).get(self.1).filter(|row| self.0.holds(&***row))?;
                if self.0.grant.is_plain() {
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
        let (of, subject) = about.as_ref().map_or((T::KIND, row.meta()), |about| (about.kind, &about.meta));
        let other = |word: &str| {
            self.names_granted(word, of, subject).then(|| self.names.name(&word.into()).to_string())
        };
        let glass = Glass {
            names: self.names,
            counts: matches!(self.grant.kinds.get(&Kind::Node), Some(Within::All))
                && self.grant.selector.is_empty(),
            owner: &|owner| self.has_owner(owner),
            other: &other,
            node: &|name| self.whole.nodes.named("", name).is_some_and(|node| self.holds(&**node)),
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
                Some(Subject { meta, detail, node, .. }) => glass.event(row, meta, detail.as_deref(), node),
                None => row.clone(),
            }),
        }
    }
}

/// Whether rows of a kind are shown, and whole, only with those of another that they are about.
fn follows(kind: Kind, other: Kind) -> bool {
    match kind {
        Kind::Event => other != Kind::Event,
        Kind::EndpointSlice => matches!(other, Kind::Service | Kind::Pod),
        Kind::ControllerRevision => matches!(other, Kind::DaemonSet | Kind::StatefulSet),
        Kind::Lease => other == Kind::Node,
        _ => false,
    }
}

/// What Kubernetes puts behind a name to make another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// A hash of a template: `SafeEncodeString` of apimachinery's `util/rand`.
    Hash,
    /// Five letters by chance: `util/rand.String`.
    Letters,
    /// A number that counts.
    Ordinal,
    /// A hash and letters behind it.
    HashAndLetters,
    /// Two such parts that nothing is known to put together.
    Other,
}

/// How a name has been made of another, if it may have been.
fn generated(word: &str, from: &str) -> Option<Shape> {
    let part = |part: &str| {
        let random = !part.is_empty() && part.bytes().all(|b| b"bcdfghjklmnpqrstvwxz2456789".contains(&b));
        match part.len() {
            1..=4 if part.bytes().all(|b| b.is_ascii_digit()) => Some(Shape::Ordinal),
            5 if random => Some(Shape::Letters),
            6..=10 if random => Some(Shape::Hash),
            _ => None,
        }
    };
    let rest = word.strip_prefix(from).and_then(|rest| rest.strip_prefix('-'))?;
    match rest.split_once('-') {
        None => part(rest),
        Some((first, second)) => match (part(first)?, part(second)?) {
            (Shape::Hash, Shape::Letters) => Some(Shape::HashAndLetters),
            _ => Some(Shape::Other),
        },
    }
}

/// What an object of a kind makes that is called so.
fn made_by(kind: Kind, shape: Shape) -> Option<Kind> {
    match (kind, shape) {
        (Kind::Deployment, Shape::Hash) => Some(Kind::ReplicaSet),
        (Kind::Deployment, Shape::HashAndLetters) => Some(Kind::Pod),
        (Kind::ReplicaSet | Kind::ReplicationController | Kind::DaemonSet, Shape::Letters) => Some(Kind::Pod),
        (Kind::StatefulSet, Shape::Ordinal) => Some(Kind::Pod),
        (Kind::StatefulSet | Kind::DaemonSet, Shape::Hash) => Some(Kind::ControllerRevision),
        _ => None,
    }
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
        let old = T::rows(&self.lens.whole).get(uid).cloned();
        self.touched.push((T::KIND, uid));
        match &old {
            Some(old) => {
                self.unmention(&**old);
                if !Subject::of(&**old).reads_as(&Subject::of(&*row)) {
                    self.touched.extend(self.lens.said_of(uid));
                }
            }
            None => {
                if self.lens.formerly.comes_back(uid) {
                    self.touched.extend(self.lens.said_of(uid));
                }
                self.touch_by_name::<T>(row.meta());
            }
        }
        for mention in mentions(&*row) {
            self.lens.mentions.entry(mention).or_default().insert((T::KIND, uid));
        }
        T::rows_mut(&mut self.lens.whole).apply(Delta::Put(row));
    }

    fn gone<T: Row>(&mut self, uid: Uid) {
        let Some(old) = T::rows(&self.lens.whole).get(uid).cloned() else { return };
        self.unmention(&*old);
        if T::KIND != Kind::Event && self.lens.holds(&*old) {
            self.lens.formerly.put(Subject::of(&*old));
        }
        T::rows_mut(&mut self.lens.whole).apply(Delta::Gone(uid));
        self.touched.push((T::KIND, uid));
        self.touch_by_name::<T>(old.meta());
    }

    fn touch_by_name<T: Row>(&mut self, meta: &Meta) {
        if let Some(name) = Mention::by_name(T::KIND, meta) {
            self.lens.mentioning(&name, self.touched);
        }
    }

    fn unmention<T: Row>(&mut self, row: &T) {
        for mention in mentions(row) {
            if let Some(by) = self.lens.mentions.get_mut(&mention) {
                by.remove(&(T::KIND, row.meta().uid));
                if by.is_empty() {
                    self.lens.mentions.remove(&mention);
                }
            }
        }
    }
}

/// The objects that a row mentions.
fn mentions<T: Row>(row: &T) -> Vec<Mention> {
    let (any, meta): (&dyn Any, &Meta) = (row, row.meta());
    let mut all: Vec<Mention> = meta.owner.iter().map(|owner| Mention::Uid(owner.uid)).collect();
    if let Some(event) = any.downcast_ref::<Event>() {
        all.push(Mention::Uid(event.object_uid));
        if event.object_kind == Kind::Node.name() {
            all.push(Mention::Node(event.object_name.clone()));
        }
        all.extend(made_of(&event.message, &event.object_name, &event.object_namespace));
    } else if let Some(slice) = any.downcast_ref::<EndpointSlice>() {
        all.push(Mention::Service(meta.namespace.clone(), slice.service.as_str().into()));
        let targets = slice.endpoints.iter().filter_map(|endpoint| endpoint.target.as_ref());
        all.extend(targets.map(|target| Mention::Uid(target.uid)));
    } else if T::KIND == Kind::Lease {
        all.push(Mention::Node(meta.name.clone()));
    } else if let Some(detail) = row.detail() {
        let messages = detail.conditions.iter().map(|condition| &*condition.message);
        all.extend(messages.chain([row.why()]).flat_map(|text| made_of(text, &meta.name, &meta.namespace)));
    }
    all
}

/// Names in a text that may have been made of an object's.
fn made_of(text: &str, name: &str, namespace: &Text) -> Vec<Mention> {
    let made = words::names_in(text).filter(|word| generated(word, name).is_some());
    made.map(|word| Mention::Made(namespace.clone(), word.into())).collect()
}
