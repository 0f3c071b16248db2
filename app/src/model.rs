//! ③ and ⑥: the fold. The hub and every browser run this same code, so that the same changes give
//! the same cluster on both sides.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hasher},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{
    api::{Kind, KindState, Meta, ObjectKey, Row, Text, Uid, each_kind},
    scope::Scope,
    wire,
};

/// One change to the rows of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Delta<T> {
    /// It is like this now, whether it was there before or not.
    Put(Arc<T>),
    /// It is gone.
    Gone(Uid),
    /// These are all there are.
    Reset(Vec<Arc<T>>),
}

/// The rows of one kind, and how far they can be trusted.
#[derive(Clone, Debug)]
pub struct Rows<T> {
    rows: HashMap<Uid, (Arc<T>, u64)>,
    names: HashMap<(Text, Arc<str>), Uid>,
    hash: u64,
    /// Whether they are what the cluster holds.
    pub state: KindState,
}

impl<T> Default for Rows<T> {
    fn default() -> Rows<T> {
        Rows { rows: HashMap::new(), names: HashMap::new(), hash: 0, state: KindState::default() }
    }
}

/// The hash of one row, without its details: SipHash over its bytes, the same in every program of a build. The sum over
/// all rows does not depend on order. It takes one that scatters: of FNV-1a the sum is often the same after one byte of
/// one row and one of another have changed.
fn row_hash<T: Serialize>(row: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(&wire::to_bytes(row));
    hasher.finish()
}

impl<T: Row> Rows<T> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// None at all; look at `state` before saying so.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row of `uid`.
    pub fn get(&self, uid: Uid) -> Option<&Arc<T>> {
        self.rows.get(&uid).map(|(row, _)| row)
    }

    /// The hash of the row of `uid`; equal for rows that look equal to those who see no detail.
    pub fn hash_of(&self, uid: Uid) -> Option<u64> {
        self.rows.get(&uid).map(|(_, hash)| *hash)
    }

    /// All rows, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.rows.values().map(|(row, _)| row)
    }

    /// All rows in the API server's order, and kubectl's; see [`Meta::key_order`].
    pub fn sorted(&self) -> Vec<&Arc<T>> {
        let mut rows: Vec<_> = self.iter().collect();
        rows.sort_by(|a, b| a.meta().key_order(b.meta()));
        rows
    }

    /// The row with this name.
    pub fn named(&self, namespace: &str, name: &str) -> Option<&Arc<T>> {
        self.get(*self.names.get(&(Text::from(namespace), Arc::from(name)))?)
    }

    /// The row that has the place of `meta` now, if that is another object: the deletion between
    /// the two was not seen.
    pub fn replaced_by(&self, meta: &Meta) -> Option<Uid> {
        let uid = *self.names.get(&(meta.namespace.clone(), meta.name.clone()))?;
        (uid != meta.uid).then_some(uid)
    }

    /// Folds one change in.
    pub fn apply(&mut self, delta: Delta<T>) {
        match delta {
            Delta::Put(row) => self.put(row),
            Delta::Gone(uid) => self.remove(uid),
            Delta::Reset(rows) => {
                self.rows.clear();
                self.names.clear();
                self.hash = 0;
                for row in rows {
                    self.put(row);
                }
            }
        }
    }

    fn put(&mut self, row: Arc<T>) {
        let meta = row.meta();
        if let Some(replaced) = self.replaced_by(meta) {
            self.remove(replaced);
        }
        let (uid, hash) = (meta.uid, row_hash(&*row));
        let name = (meta.namespace.clone(), meta.name.clone());
        self.hash = self.hash.wrapping_add(hash);
        if let Some((before, old)) = self.rows.insert(uid, (row, hash)) {
            self.hash = self.hash.wrapping_sub(old);
            if (&before.meta().namespace, &before.meta().name) != (&name.0, &name.1) {
                self.free(&before);
            }
        }
        self.names.insert(name, uid);
    }

    fn remove(&mut self, uid: Uid) {
        if let Some((row, old)) = self.rows.remove(&uid) {
            self.free(&row);
            self.hash = self.hash.wrapping_sub(old);
        }
    }

    /// The name of a row that is not there any more, or not by that name, unless another has it by now. In one frame
    /// rows come in the order of their numbers, whatever they were called in between.
    fn free(&mut self, row: &T) {
        let name = (row.meta().namespace.clone(), row.meta().name.clone());
        if self.names.get(&name) == Some(&row.meta().uid) {
            self.names.remove(&name);
        }
    }
}

/// Something done to a change whatever its kind is.
pub trait Visit {
    /// What comes of it.
    type Out;
    /// Rows of a kind have changed.
    fn rows<T: Row>(self, delta: Delta<T>) -> Self::Out;
    /// How far a kind can be trusted has changed.
    fn state(self, kind: Kind, state: KindState) -> Self::Out;
}

/// Something done with the rows of a kind that is only known when running.
pub trait WithRow {
    /// What comes of it.
    type Out;
    /// `T` is the kind's row.
    fn with<T: Row>(self) -> Self::Out;
}

macro_rules! define_cluster {
    ($($variant:ident $field:ident $row:ident $plural:literal $singular:literal $group:literal $namespaced:literal;)*) => {
        /// One change to the cluster: a variant a kind, and one for the kinds' states.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[allow(missing_docs)] // the kinds' own names
        pub enum Change {
            /// How far a kind can be trusted has changed.
            State(Kind, KindState),
            $($variant(Delta<crate::api::$row>),)*
        }

        impl Change {
            /// Which kind it is about.
            pub fn kind(&self) -> Kind {
                match self {
                    Change::State(kind, _) => *kind,
                    $(Change::$variant(_) => Kind::$variant,)*
                }
            }
        }

        impl Change {
            /// Hands the change, typed, to `visit`.
            pub fn visit<V: Visit>(self, visit: V) -> V::Out {
                match self {
                    Change::State(kind, state) => visit.state(kind, state),
                    $(Change::$variant(delta) => visit.rows(delta),)*
                }
            }
        }

        impl Kind {
            /// Runs `work` with the kind's row type.
            pub fn with_row<W: WithRow>(self, work: W) -> W::Out {
                match self { $(Kind::$variant => work.with::<crate::api::$row>(),)* }
            }
        }

        /// The cluster as a viewer knows it.
        #[derive(Clone, Debug, Default)]
        #[allow(missing_docs)] // the kinds' own names
        pub struct Cluster {
            $(pub $field: Rows<crate::api::$row>,)*
        }

        impl Cluster {
            /// Folds one change in.
            pub fn apply(&mut self, change: Change) {
                match change {
                    Change::State(kind, state) => *self.state_mut(kind) = state,
                    $(Change::$variant(delta) => self.$field.apply(delta),)*
                }
            }

            /// How far a kind can be trusted.
            pub fn state(&self, kind: Kind) -> &KindState {
                match kind { $(Kind::$variant => &self.$field.state,)* }
            }

            fn state_mut(&mut self, kind: Kind) -> &mut KindState {
                match kind { $(Kind::$variant => &mut self.$field.state,)* }
            }

            /// How many rows of a kind there are.
            pub fn count(&self, kind: Kind) -> usize {
                match kind { $(Kind::$variant => self.$field.len(),)* }
            }

            /// The identity of the object of this name, if there is one.
            pub fn uid_of(&self, key: &ObjectKey) -> Option<Uid> {
                match key.kind {
                    $(Kind::$variant => {
                        self.$field.named(&key.namespace, &key.name).map(|row| row.meta().uid)
                    })*
                }
            }

            /// Equal for equal rows, on both sides of the wire: a sum over all rows of all kinds.
            pub fn hash(&self) -> u64 {
                let mut hash = 0u64;
                $(hash = hash.wrapping_add(self.$field.hash);)*
                hash
            }

            /// The same over some kinds only, as a viewer counts what it has subscribed to.
            pub fn hash_of(&self, kinds: crate::api::Kinds) -> u64 {
                let mut hash = 0u64;
                $(if kinds.contains(Kind::$variant) {
                    hash = hash.wrapping_add(self.$field.hash);
                })*
                hash
            }

            /// What leads from nothing to this cluster, as far as `scope` sees it.
            pub fn snapshot(&self, scope: &Scope) -> Vec<Change> {
                let mut changes = Vec::new();
                $(if scope.kinds.contains(Kind::$variant) {
                    changes.push(Change::State(Kind::$variant, self.$field.state.clone()));
                    let rows = self.$field.sorted();
                    changes.push(Change::$variant(Delta::Reset(
                        rows.into_iter().filter(|row| scope.holds(&***row)).cloned().collect(),
                    )));
                })*
                changes
            }
        }
    };
}
each_kind!(define_cluster);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        api::{Meta, Namespace, Pod, Text, pod::PodStatus},
        wire::{self, strings},
    };

    fn pod(number: u128, status: &str) -> Arc<Pod> {
        Arc::new(Pod {
            meta: Meta {
                uid: Uid(number),
                namespace: Text::from(if number.is_multiple_of(2) { "even" } else { "odd" }),
                name: format!("pod-{number}").into(),
                labels: [(Text::from("n"), Text::from(number.to_string()))].into_iter().collect(),
                ..Meta::default()
            },
            status: PodStatus::Reason(Text::from(status)),
            ..Pod::default()
        })
    }

    fn change() -> impl Strategy<Value = Change> {
        let status = prop_oneof![Just("Running"), Just("Pending"), Just("Error")];
        prop_oneof![
            4 => (0u128..12, status).prop_map(|(n, status)| Change::Pod(Delta::Put(pod(n, status)))),
            2 => (0u128..12).prop_map(|n| Change::Pod(Delta::Gone(Uid(n)))),
            1 => proptest::collection::btree_set(0u128..12, 0..6)
                .prop_map(|set| Change::Pod(Delta::Reset(set.into_iter().map(|n| pod(n, "Listed")).collect()))),
            1 => (0u128..3).prop_map(|n| Change::Namespace(Delta::Put(Arc::new(Namespace {
                meta: Meta { uid: Uid(100 + n), name: format!("ns-{n}").into(), ..Meta::default() },
                ..Namespace::default()
            })))),
            1 => Just(Change::State(Kind::Pod, KindState::Live)),
        ]
    }

    #[test]
    fn what_happens_to_one_row_is_not_undone_by_what_happens_to_another() {
        let letters = || (b'a'..=b'z').map(|letter| char::from(letter).to_string());
        let pairs = letters().flat_map(|one| letters().map(move |other| (one.clone(), other)));
        let sums: std::collections::HashSet<u64> = pairs
            .map(|(one, other)| row_hash(&*pod(1, &one)).wrapping_add(row_hash(&*pod(2, &other))))
            .collect();
        assert_eq!(sums.len(), 26 * 26);
    }

    #[test]
    fn a_snapshot_brings_no_string_of_what_has_gone() {
        let mut hub = Cluster::default();
        hub.apply(Change::Pod(Delta::Put(pod(1, "Gone"))));
        hub.apply(Change::Pod(Delta::Put(pod(2, "Running"))));
        let mut written = strings::Written::default();
        let first = wire::write_snapshot(&mut written, &hub.snapshot(&Scope::all()));
        let (mut early, _) = wire::read_snapshot(&first).expect("own bytes");
        hub.apply(Change::Pod(Delta::Gone(Uid(1))));
        let second = wire::write_snapshot(&mut written, &hub.snapshot(&Scope::all()));
        assert!(
            second.windows(7).any(|part| part == b"Running")
                && !second.windows(4).any(|part| part == b"Gone")
        );
        // it comes again, and is read by those who know its first number and by those who do not
        let (mut late, _) = wire::read_snapshot(&second).expect("own bytes");
        let again = [Change::Pod(Delta::Put(pod(3, "Gone")))];
        let bytes = wire::write_changes(&mut written, &again);
        for reader in [&mut early, &mut late] {
            assert_eq!(wire::read_changes(reader, &bytes).expect("own bytes"), again);
        }
    }

    fn same(a: &Cluster, b: &Cluster) -> bool {
        a.hash() == b.hash() && a.snapshot(&Scope::all()) == b.snapshot(&Scope::all())
    }

    #[test]
    fn a_row_that_is_called_otherwise_frees_its_name() {
        let called = |number: u128, name: &str| {
            let pod = pod(number, "Running");
            let meta = Meta { namespace: "x".into(), name: name.into(), ..pod.meta.clone() };
            Arc::new(Pod { meta, ..(*pod).clone() })
        };
        let mut cluster = Cluster::default();
        // containers that change places in their pod: each has its number by its place
        for (number, name) in [(1, "a"), (2, "b"), (1, "b"), (2, "a")] {
            cluster.apply(Change::Pod(Delta::Put(called(number, name))));
        }
        let named = |name: &str| cluster.pods.named("x", name).map(|pod| pod.meta.uid);
        assert_eq!((cluster.pods.len(), named("a"), named("b")), (2, Some(Uid(2)), Some(Uid(1))));
    }

    proptest! {
        /// The invariant everything rests on.
        #[test]
        fn a_snapshot_and_the_changes_after_it_equal_the_next_snapshot(
            before in proptest::collection::vec(change(), 0..30),
            after in proptest::collection::vec(change(), 0..30),
        ) {
            let mut hub = Cluster::default();
            before.into_iter().for_each(|change| hub.apply(change));

            let mut written = strings::Written::default();
            let snapshot = wire::write_snapshot(&mut written, &hub.snapshot(&Scope::all()));
            let (mut read, changes) = wire::read_snapshot(&snapshot).expect("own bytes");
            let mut viewer = Cluster::default();
            changes.into_iter().for_each(|change| viewer.apply(change));
            prop_assert!(same(&hub, &viewer));

            for change in after {
                let bytes = wire::write_changes(&mut written, std::slice::from_ref(&change));
                hub.apply(change);
                for change in wire::read_changes(&mut read, &bytes).expect("own bytes") {
                    viewer.apply(change);
                }
                prop_assert!(same(&hub, &viewer));
            }
        }

        /// A viewer who comes later gets the same strings' numbers as those who are there.
        #[test]
        fn a_late_viewer_reads_the_same_changes(
            changes in proptest::collection::vec(change(), 1..20),
            late in 0usize..20,
        ) {
            let mut hub = Cluster::default();
            let mut written = strings::Written::default();
            let mut viewers: Vec<(strings::Read, Cluster)> = Vec::new();
            for (at, change) in changes.into_iter().enumerate() {
                if at == 0 || at == late {
                    let bytes = wire::write_snapshot(&mut written, &hub.snapshot(&Scope::all()));
                    let (read, changes) = wire::read_snapshot(&bytes).expect("own bytes");
                    let mut cluster = Cluster::default();
                    changes.into_iter().for_each(|change| cluster.apply(change));
                    viewers.push((read, cluster));
                }
                let bytes = wire::write_changes(&mut written, std::slice::from_ref(&change));
                hub.apply(change);
                for (read, cluster) in &mut viewers {
                    for change in wire::read_changes(read, &bytes).expect("own bytes") {
                        cluster.apply(change);
                    }
                    prop_assert!(same(&hub, cluster));
                }
            }
        }

        /// Foreign bytes are an error, never a panic.
        #[test]
        fn foreign_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = wire::frame(&bytes);
            let _ = wire::ask(&bytes);
            let _ = wire::read_snapshot(&bytes);
            let _ = wire::read_changes(&mut strings::Read::default(), &wire::Encoded(bytes));
        }
    }

    #[test]
    fn a_scope_holds_its_namespaces_and_labels_only() {
        let mut hub = Cluster::default();
        (0..6).for_each(|n| hub.apply(Change::Pod(Delta::Put(pod(n, "Running")))));
        let scope = Scope {
            namespaces: vec![Text::from("even")],
            selector: crate::selector::Selector::parse("n in (1,2,4)").expect("a selector"),
            ..Scope::of(Kind::Pod)
        };
        let Some(Change::Pod(Delta::Reset(rows))) = hub.snapshot(&scope).pop() else { panic!("a reset") };
        let names: Vec<_> = rows.iter().map(|row| row.meta.name.to_string()).collect();
        assert_eq!(names, ["pod-2", "pod-4"]);
    }
}
