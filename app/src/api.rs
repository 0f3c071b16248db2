//! What the cluster looks like to a viewer: one row type a kind, chosen field by field.
//!
//! A row carries what lists, tiles and counts need; what only an object's own page needs is its
//! [`Detail`], which travels to those who look at it. Timestamps, never ages: an idle cluster
//! sends nothing.

pub mod container;
pub mod controller_revision;
pub mod daemon_set;
pub mod deployment;
pub mod detail;
pub mod endpoint_slice;
pub mod event;
pub mod field;
pub mod lease;
pub mod manifest;
pub mod meta;
pub mod namespace;
pub mod needs;
pub mod node;
pub mod picture;
pub mod pod;
pub mod pod_disruption_budget;
pub mod probe;
pub mod replicas;
pub mod resource_list;
pub mod rollout;
pub mod service;
pub mod stateful_set;
pub mod text;
pub mod time;

use std::{borrow::Cow, cmp::Ordering, fmt, sync::Arc};

pub use container::Container;
pub use controller_revision::ControllerRevision;
pub use daemon_set::{DaemonSet, DaemonSetRollout};
pub use deployment::{Deployment, Rollout};
pub use detail::Detail;
pub use endpoint_slice::EndpointSlice;
pub use event::Event;
pub use field::Field;
pub use lease::Lease;
pub use meta::{Labels, Meta, ObjectKey, Owner, Uid};
pub use namespace::Namespace;
pub use needs::Needs;
pub use node::Node;
pub use picture::Picture;
pub use pod::Pod;
pub use pod_disruption_budget::PodDisruptionBudget;
pub use replicas::{ReplicaSet, ReplicationController};
pub use resource_list::ResourceList;
pub use rollout::RolloutStatus;
use serde::{Deserialize, Serialize};
pub use service::Service;
pub use stateful_set::{StatefulSet, StatefulSetRollout};
pub use text::Text;
pub use time::{Millis, Timestamp};

use crate::{
    format,
    model::{Change, Cluster, Delta, Rows},
};

/// How something is, in the five states the page can draw. A [`Health`] is decided in the server's
/// translation of a kind and nowhere else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// Broken, and it will not mend by waiting alone.
    Failing,
    /// What it is cannot be known (its node does not report).
    Unknown,
    /// Held back by something outside itself.
    Waiting,
    /// On its way, as it should be.
    Progressing,
    /// As it should be.
    #[default]
    Healthy,
}

impl Health {
    /// All states, worst first.
    pub const ALL: [Health; 5] =
        [Health::Failing, Health::Unknown, Health::Waiting, Health::Progressing, Health::Healthy];

    /// The word drawn beside the shape.
    pub fn word(self) -> &'static str {
        match self {
            Health::Failing => "failing",
            Health::Unknown => "unknown",
            Health::Waiting => "waiting",
            Health::Progressing => "progressing",
            Health::Healthy => "healthy",
        }
    }
}

/// A column of `kubectl get`: heading, cell and order in one place, so that the table in the page,
/// `output=table` and `output=wide` cannot differ.
pub struct Column<T: 'static> {
    /// kubectl's heading, upper case.
    pub heading: &'static str,
    /// Only with `-o wide`.
    pub wide: bool,
    /// How the page sets it.
    pub align: Align,
    /// The cell changes as time passes.
    pub ticks: bool,
    /// The cell as kubectl prints it at `now`.
    pub cell: fn(&T, Timestamp) -> Cow<'_, str>,
    /// Ascending order when sorted by this column.
    pub order: fn(&T, &T) -> Ordering,
}

impl<T> Column<T> {
    /// A column of words that `kubectl get` always shows.
    pub const fn new(
        heading: &'static str,
        cell: fn(&T, Timestamp) -> Cow<'_, str>,
        order: fn(&T, &T) -> Ordering,
    ) -> Column<T> {
        Column { heading, wide: false, align: Align::Left, ticks: false, cell, order }
    }

    /// NAME, which every kind has.
    pub const fn name() -> Column<T>
    where
        T: Row,
    {
        Column::new(
            "NAME",
            |row, _| Cow::Borrowed(&row.meta().name),
            |a, b| a.meta().name.cmp(&b.meta().name),
        )
    }

    /// AGE, the youngest first.
    pub const fn age() -> Column<T>
    where
        T: Row,
    {
        let order: fn(&T, &T) -> Ordering = |a, b| b.meta().created.cmp(&a.meta().created);
        Column::new("AGE", |row, now| format::age(row.meta().created, now).into(), order).ticking()
    }

    /// Only with `-o wide`.
    #[must_use]
    pub const fn wide(mut self) -> Column<T> {
        self.wide = true;
        self
    }

    /// Numbers.
    #[must_use]
    pub const fn right(mut self) -> Column<T> {
        self.align = Align::Right;
        self
    }

    /// Changes as time passes.
    #[must_use]
    pub const fn ticking(mut self) -> Column<T> {
        self.ticks = true;
        self
    }
}

/// Words to the left, numbers to the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A kind's row: what every part of Masthead that is not about one kind may know of it.
pub trait Row:
    InCluster + Clone + PartialEq + fmt::Debug + Serialize + for<'de> Deserialize<'de> + Send + Sync + 'static
{
    /// Which kind.
    const KIND: Kind;
    /// `kubectl get`'s columns without NAMESPACE, in `-o wide`'s order.
    const COLUMNS: &'static [Column<Self>];
    /// What a field selector may name. These two are what every kind has that the API server does not treat apart.
    const FIELDS: &'static [Field<Self>] = &[Field::name(), Field::namespace()];

    /// Identity, names, labels, owner.
    fn meta(&self) -> &Meta;
    /// The same, to be renumbered by the hub.
    fn meta_mut(&mut self) -> &mut Meta;
    /// Every further uid the row mentions, to be renumbered by the hub.
    fn other_uids(&mut self, _visit: &mut dyn FnMut(&mut Uid)) {}
    /// Its state in the page's five.
    fn health(&self) -> Health;
    /// Why it is not healthy, in a line; empty when there is nothing to say.
    fn why(&self) -> &str {
        ""
    }
    /// Since when it is not healthy, where the cluster itself says so.
    fn since(&self) -> Option<Timestamp> {
        None
    }
    /// What its own page shows beyond the row.
    fn detail(&self) -> Option<&Arc<Detail>> {
        None
    }
    /// What `kubectl rollout status` says of it, for kinds that roll out.
    fn rollout(&self) -> Option<RolloutStatus> {
        None
    }
}

/// What [`Row`] asks for, of a row that has it in fields of those names.
macro_rules! row_fields {
    () => {
        fn meta(&self) -> &Meta {
            &self.meta
        }
        fn meta_mut(&mut self) -> &mut Meta {
            &mut self.meta
        }
        fn health(&self) -> Health {
            self.health
        }
        fn why(&self) -> &str {
            &self.why
        }
        fn detail(&self) -> Option<&Arc<Detail>> {
            Some(&self.detail)
        }
    };
}
use row_fields;

/// Where a kind's rows are in the model; written by [`each_kind`].
pub trait InCluster: Sized {
    /// The change of this kind.
    fn change(delta: Delta<Self>) -> Change;
    /// The rows of this kind.
    fn rows(cluster: &Cluster) -> &Rows<Self>;
    /// The same, to be folded into.
    fn rows_mut(cluster: &mut Cluster) -> &mut Rows<Self>;
}

/// Runs the macro `$m` once with the list of kinds: `Variant field Row plural singular group namespaced`.
/// Adding a kind adds a line here.
macro_rules! each_kind {
    ($m:ident) => {
        $m! {
            Node nodes Node "nodes" "node" "" false;
            Namespace namespaces Namespace "namespaces" "namespace" "" false;
            Pod pods Pod "pods" "pod" "" true;
            Container containers Container "containers" "container" "" true;
            ReplicationController replication_controllers ReplicationController "replicationcontrollers" "replicationcontroller" "" true;
            Deployment deployments Deployment "deployments" "deployment" "apps" true;
            DaemonSet daemon_sets DaemonSet "daemonsets" "daemonset" "apps" true;
            StatefulSet stateful_sets StatefulSet "statefulsets" "statefulset" "apps" true;
            ReplicaSet replica_sets ReplicaSet "replicasets" "replicaset" "apps" true;
            ControllerRevision controller_revisions ControllerRevision "controllerrevisions" "controllerrevision" "apps" true;
            Service services Service "services" "service" "" true;
            EndpointSlice endpoint_slices EndpointSlice "endpointslices" "endpointslice" "discovery.k8s.io" true;
            PodDisruptionBudget pod_disruption_budgets PodDisruptionBudget "poddisruptionbudgets" "poddisruptionbudget" "policy" true;
            Lease leases Lease "leases" "lease" "coordination.k8s.io" true;
            Event events Event "events" "event" "" true;
        }
    };
}
pub(crate) use each_kind;

macro_rules! define_kind {
    ($($variant:ident $field:ident $row:ident $plural:literal $singular:literal $group:literal $namespaced:literal;)*) => {
        /// The kinds Masthead watches.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[allow(missing_docs)] // Kubernetes' own names
        pub enum Kind { $($variant,)* }

        impl Kind {
            /// Every kind, in the order they are listed.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant,)*];

            /// `Pod`, as in `involvedObject.kind` and owner references.
            pub fn name(self) -> &'static str {
                match self { $(Kind::$variant => stringify!($variant),)* }
            }

            /// `pods`, as in URLs and RBAC rules.
            pub fn plural(self) -> &'static str {
                match self { $(Kind::$variant => $plural,)* }
            }

            /// `pod`, as in `kubectl get pod/NAME`.
            pub fn singular(self) -> &'static str {
                match self { $(Kind::$variant => $singular,)* }
            }

            /// The API group, empty for core.
            pub fn group(self) -> &'static str {
                match self { $(Kind::$variant => $group,)* }
            }

            /// Whether its objects live in namespaces.
            pub fn namespaced(self) -> bool {
                match self { $(Kind::$variant => $namespaced,)* }
            }
        }

        $(impl InCluster for $row {
            fn change(delta: Delta<Self>) -> Change { Change::$variant(delta) }
            fn rows(cluster: &Cluster) -> &Rows<Self> { &cluster.$field }
            fn rows_mut(cluster: &mut Cluster) -> &mut Rows<Self> { &mut cluster.$field }
        })*
    };
}
each_kind!(define_kind);

impl Kind {
    /// The kind of which it is made: itself, but for what the API server has no objects of.
    pub fn watched(self) -> Kind {
        match self {
            Kind::Container => Kind::Pod,
            kind => kind,
        }
    }

    /// Finds `pods`, `pod` or `Pod`.
    pub fn parse(word: &str) -> Option<Kind> {
        Kind::ALL
            .iter()
            .copied()
            .find(|kind| word == kind.plural() || word == kind.singular() || word == kind.name())
    }

    /// The one namespace in which a kind is watched, whichever others are. Leases there are nodes'; elsewhere they
    /// are locks of controllers, renewed every two seconds.
    pub fn only_in(self) -> Option<&'static str> {
        match self {
            Kind::Lease => Some("kube-node-lease"),
            _ => None,
        }
    }

    /// `deployments.apps` or `pods`: what RBAC and errors call it.
    pub fn resource(self) -> String {
        match self.group() {
            "" => self.plural().to_owned(),
            group => format!("{}.{group}", self.plural()),
        }
    }

    /// `deployment.apps` or `pod`: what `kubectl get -o name` puts before the slash.
    pub fn qualified(self) -> String {
        match self.group() {
            "" => self.singular().to_owned(),
            group => format!("{}.{group}", self.singular()),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of kinds, as a scope or a page asks for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Kinds(u32);

impl Kinds {
    /// Every kind.
    pub fn all() -> Kinds {
        Kind::ALL.iter().copied().collect()
    }

    /// Whether `kind` is in it.
    pub fn contains(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u32) != 0
    }

    /// Whether all of `other` is in it.
    pub fn covers(self, other: Kinds) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets together.
    #[must_use]
    pub fn union(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(self, other: Kinds) -> Kinds {
        Kinds(self.0 & other.0)
    }

    /// Each kind in it.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.iter().copied().filter(move |kind| self.contains(*kind))
    }

    /// None at all.
    pub fn is_empty(self) -> bool {
        self.iter().next().is_none()
    }
}

impl FromIterator<Kind> for Kinds {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Kinds {
        Kinds(kinds.into_iter().fold(0, |set, kind| set | 1 << kind as u32))
    }
}

/// Whether a kind's rows are what the cluster holds now. Public in every view, header and metric.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KindState {
    /// No answer yet.
    #[default]
    Connecting,
    /// The first list is under way; there are no rows to show yet, which is not "none".
    Listing {
        /// Objects received so far.
        seen: u32,
    },
    /// There has been no list yet because asking fails; it is tried again.
    Failing {
        /// What went wrong, in words.
        because: Text,
    },
    /// Listed, and the watch is open and confirmed.
    Live,
    /// Listed once, but what has happened since is not known.
    Stale {
        /// Since when, by the server's clock.
        since: Millis,
        /// What went wrong, in words.
        because: Text,
    },
    /// The API server refuses.
    Forbidden {
        /// `list` or `watch`.
        verb: Text,
        /// `pods` or `deployments.apps`.
        resource: Text,
        /// Where: empty for the whole cluster.
        namespace: Text,
    },
}

impl KindState {
    /// The word in `Masthead-State`, metrics and the page.
    pub fn word(&self) -> &'static str {
        match self {
            KindState::Connecting => "connecting",
            KindState::Listing { .. } => "listing",
            KindState::Failing { .. } => "failing",
            KindState::Live => "live",
            KindState::Stale { .. } => "stale",
            KindState::Forbidden { .. } => "forbidden",
        }
    }

    /// Whether there has been a complete list: rows may be drawn (dimmed when stale).
    pub fn listed(&self) -> bool {
        matches!(self, KindState::Live | KindState::Stale { .. })
    }
}
