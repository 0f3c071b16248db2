//! Lists that do not move while somebody is at them.

use leptos::prelude::*;

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

/// Follows `wanted`, but for when it is held.
pub fn hold<K: Clone + PartialEq + Send + Sync + 'static>(wanted: impl Fn() -> Vec<K> + 'static) -> Held<K> {
    let list = Held { shown: RwSignal::new(untrack(&wanted)), held: RwSignal::new(false) };
    Effect::new(move |_| {
        let wanted = wanted();
        if !list.held.get() && list.shown.with_untracked(|shown| *shown != wanted) {
            list.shown.set(wanted);
        }
    });
    list
}
