//! Lists that do not move while somebody is at them.

use std::{collections::HashMap, hash::Hash};

use leptos::prelude::*;

use crate::{
    api::{Kind, Uid},
    components::{here::Here, store},
    store::Store,
};

/// A list that stays as it is while the pointer or the focus is on it.
pub struct Held<K: Send + Sync + 'static> {
    /// As it is drawn.
    pub shown: RwSignal<Vec<K>>,
    /// Whether somebody is at it.
    pub held: RwSignal<bool>,
    /// How many lines of it would come, go or stand elsewhere.
    pub pending: RwSignal<usize>,
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

/// Follows `wanted`, but for when it is held and nothing else was asked for.
pub fn hold<K: Clone + Eq + Hash + Send + Sync + 'static>(wanted: impl Fn() -> Vec<K> + 'static) -> Held<K> {
    let here = Here::get();
    let shown = RwSignal::new(untrack(&wanted));
    let list = Held { shown, held: RwSignal::new(false), pending: RwSignal::new(0) };
    let_go(list.held);
    let last = StoredValue::new(here.place_now());
    Effect::new(move |_| {
        let (place, wanted) = (here.place(), wanted());
        let asked = last.with_value(|last| *last != place);
        last.set_value(place);
        let waits = list.held.get() && !asked;
        let pending = list.shown.with_untracked(|shown| if waits { distance(shown, &wanted) } else { 0 });
        if list.pending.get_untracked() != pending {
            list.pending.set(pending);
        }
        if !waits && list.shown.with_untracked(|shown| *shown != wanted) {
            list.shown.set(wanted);
        }
    });
    list
}

/// How many lines came, went or stand elsewhere.
pub fn distance<K: Eq + Hash>(shown: &[K], wanted: &[K]) -> usize {
    let there: HashMap<&K, usize> = shown.iter().enumerate().map(|(at, key)| (key, at)).collect();
    let kept: Vec<usize> = wanted.iter().filter_map(|key| there.get(key).copied()).collect();
    let (came, went) = (wanted.len() - kept.len(), shown.len() - kept.len());
    let moved = kept.windows(2).filter(|pair| pair[0] > pair[1]).count();
    came + went + moved
}

/// How many changes wait, over the list that is held; whoever presses it lets them in.
#[component]
pub fn Pending(
    /// How many.
    #[prop(into)]
    count: Signal<usize>,
    /// Whether somebody is at the list.
    held: RwSignal<bool>,
) -> impl IntoView {
    view! {
        <button type="button" class="pending" class:any=move || { count.get() > 0 } on:click=move |_| held.set(false)>
            {move || match count.get() {
                0 => String::new(),
                1 => "1 change waiting".to_owned(),
                n => format!("{n} changes waiting"),
            }}
        </button>
    }
    .into_any()
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
    fn what_came_went_and_moved_is_counted() {
        assert_eq!(distance(&[1, 2, 3], &[1, 2, 3]), 0);
        assert_eq!(distance(&[1, 2, 3], &[1, 3, 4]), 2);
        assert_eq!(distance(&[1, 2, 3], &[3, 1, 2]), 1);
    }

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
