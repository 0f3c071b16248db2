//! Lists that do not move while somebody is at them.

use leptos::prelude::*;

use crate::{
    api::{Kind, Uid},
    components::store,
    store::Store,
};

/// A list that stays as it is while the pointer or the focus is on it.
pub struct Held<K: Send + Sync + 'static> {
    /// As it is drawn.
    pub shown: RwSignal<Vec<K>>,
    /// Whether somebody is at it.
    pub held: RwSignal<bool>,
}

impl<K: Send + Sync + 'static> Clone for Held<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: Send + Sync + 'static> Copy for Held<K> {}

/// Lets go of a list whose rows another server has numbered: those that it shows are none of these.
pub fn let_go(held: RwSignal<bool>) {
    let store = store();
    Effect::new(move |before: Option<u64>| {
        let numbered = store.numbered();
        if before.is_some_and(|before| before != numbered) {
            held.set(false);
        }
        numbered
    });
}

/// Whether a row that is drawn has gone: the store says so for a moment only, and not of what went unseen.
pub fn gone(store: &Store, kind: Kind, uid: Uid) -> Memo<bool> {
    let store = store.clone();
    let last = StoredValue::new(untrack(|| store.numbered()));
    Memo::new(move |_| {
        let numbered = store.numbered();
        let is_there = store.there(kind, uid);
        if is_there {
            last.set_value(numbered);
        }
        // of one that had its number from another server, nothing is known
        store.gone(kind, uid) || !is_there && last.get_value() == numbered
    })
}

/// Follows `wanted`, but for when it is held.
pub fn hold<K: Clone + PartialEq + Send + Sync + 'static>(wanted: impl Fn() -> Vec<K> + 'static) -> Held<K> {
    let list = Held { shown: RwSignal::new(untrack(&wanted)), held: RwSignal::new(false) };
    let_go(list.held);
    Effect::new(move |_| {
        let wanted = wanted();
        if !list.held.get() && list.shown.with_untracked(|shown| *shown != wanted) {
            list.shown.set(wanted);
        }
    });
    list
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        model::{Change, Delta},
        query::fixtures::{NOW, about, as_of, cluster, pod},
        seed::Seed,
    };

    #[test]
    fn a_row_that_went_stays_struck_through_until_numbers_mean_other_rows() {
        let owner = Owner::new();
        owner.with(|| {
            let store = Store::new(&Seed::choose(&cluster(), "/pods", &about(), 1, &as_of(), NOW));
            let [deleted, missed] = [22, 23].map(|number| gone(&store, Kind::Pod, Uid(number)));
            assert!(!deleted.get() && !missed.get());
            store.apply(vec![Change::Pod(Delta::Gone(Uid(22)))]);
            assert!(deleted.get());
            store.tick(NOW.later(2_000));
            assert!(deleted.get() && !missed.get());
            let none = || vec![Change::Pod(Delta::Reset(Vec::new()))];
            store.reset(none());
            assert!(deleted.get() && missed.get(), "after an outage");
            store.enter(2, [Kind::Pod].into_iter().collect());
            store.reset(none());
            assert!(!deleted.get() && !missed.get());
            // By now the number is another's.
            store.apply(vec![Change::Pod(Delta::Put(Arc::new(pod(22, "other", "other", "worker-1"))))]);
            assert!(!deleted.get());
            store.apply(vec![Change::Pod(Delta::Gone(Uid(22)))]);
            store.tick(NOW.later(9_000));
            assert!(deleted.get() && !missed.get());
        });
    }
}
