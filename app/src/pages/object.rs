//! What the pages of single objects share: following an object that may go, facts, conditions,
//! events.

use std::sync::Arc;

use leptos::prelude::*;

use crate::{
    api::{Detail, Event, Kind, Meta, Millis, ObjectKey, Row, Timestamp, Uid},
    components::{
        chip,
        gate::{Gate, known_everywhere, known_in},
        here::Here,
        name,
        scroll::{self, words},
        store,
        table::Table,
    },
    format::{age, visible},
    query::{self, Page, Place},
    store::Store,
};

/// An object by name. What was there once stays, with the time it was missed.
#[derive(Clone, Debug, PartialEq)]
pub enum Found<T> {
    /// Not seen since the page was opened.
    Never,
    /// There.
    Here(Arc<T>),
    /// It was like this, and at that time it was gone.
    Gone(Arc<T>, Millis),
}

impl<T> Found<T> {
    /// The object as it is or was.
    pub fn last(&self) -> Option<&Arc<T>> {
        match self {
            Found::Never => None,
            Found::Here(row) | Found::Gone(row, _) => Some(row),
        }
    }
}

/// Follows the object of this name. While it may not be seen, or its kind is listed anew, nobody knows whether it is
/// there: it has gone when that is known, and not before.
pub fn follow<T: Row>(store: &Store, key: &ObjectKey) -> Memo<Found<T>> {
    let (store, key) = (store.clone(), key.clone());
    let within = [key.namespace.clone()];
    Memo::new(move |before: Option<&Found<T>>| match (store.named::<T>(&key.namespace, &key.name), before) {
        (Some(row), _) => Found::Here(row),
        (None, Some(Found::Here(row))) if known_in(&store, T::KIND, &within) => {
            Found::Gone(row.clone(), untrack(|| store.now()))
        }
        (None, Some(before)) => before.clone(),
        (None, None) => Found::Never,
    })
}

/// The detail of the object, kept as it last was.
pub fn detail(store: &Store, key: &ObjectKey) -> Memo<Option<Arc<Detail>>> {
    let (store, key) = (store.clone(), key.clone());
    Memo::new(move |before: Option<&Option<Arc<Detail>>>| {
        store.detail(&key).flatten().or_else(|| before.cloned().flatten())
    })
}

/// Says that there is no such object, or that it has gone, where that is known.
pub fn absence<T: Row>(found: Memo<Found<T>>, key: ObjectKey) -> impl IntoView {
    let (here, store) = (Here::get(), store());
    let known = {
        let (kind, within) = (key.kind, [key.namespace.clone()]);
        Memo::new(move |_| known_in(&store, kind, &within))
    };
    move || {
        if !known.get() {
            return None;
        }
        let list = here.place_now().elsewhere(Page::Object(key.clone()).view()).href();
        match found.get() {
            Found::Here(_) => None,
            Found::Gone(_, at) => Some(view! {
                <p class="notice gone-notice" role="status">
                    {format!("This {} is gone since {} UTC. Below is what it was like. ", key.kind.singular(), at.seconds().clock())}
                    <a href=list>"What is there now"</a>
                </p>
            }),
            Found::Never => {
                let place = if key.namespace.is_empty() {
                    String::new()
                } else {
                    format!(" in namespace {}", key.namespace)
                };
                Some(view! {
                    <p class="notice gone-notice" role="status">
                        {format!("There is no {} {}{place}. ", key.kind.singular(), visible(&key.name))}
                        <a href=list>"What is there"</a>
                    </p>
                })
            }
        }
    }
}

/// A term and what it is, left out when there is nothing.
pub fn fact(term: impl Into<String>, value: impl IntoView + 'static) -> AnyView {
    view! {
        <div class="fact">
            <dt>{term.into()}</dt>
            <dd>{value.into_view()}</dd>
        </div>
    }
    .into_any()
}

/// `5m ago`, ticking.
pub fn since(
    store: &Store,
    at: Option<Timestamp>,
) -> impl Fn() -> String + Clone + Send + Sync + 'static + use<> {
    let store = store.clone();
    move || age(at, store.now().seconds())
}

/// Namespace, labels and age, which everything has.
pub fn common(store: &Store, kind: Kind, meta: &Meta) -> AnyView {
    let here = Here::get().place_now();
    let namespace = (!meta.namespace.is_empty()).then(|| {
        let namespace = meta.namespace.to_string();
        let href = here.elsewhere(Page::Pods).with(|place| place.namespaces = vec![namespace.clone()]).href();
        fact("Namespace", view! { <a href=href>{namespace}</a> })
    });
    let created = meta.created.map(|at| format!(" (since {at})"));
    let labels = if meta.labels.is_empty() {
        "<none>".into_any()
    } else {
        chip::labels(kind, &meta.labels).into_any()
    };
    view! {
        {namespace}
        {fact("Age", view! { {since(store, meta.created)} <span class="aside">{created}</span> })}
        {fact("Labels", labels)}
    }
    .into_any()
}

/// The controller, and its controller, and so on, as links.
pub fn owners(store: &Store, meta: &Meta) -> AnyView {
    let mut chain = Vec::new();
    let mut owner = meta.owner.clone();
    // Longer chains are legal, loops are not.
    while let (Some(next), true) = (owner.take(), chain.len() < 5) {
        let kind = Kind::parse(&next.kind);
        let link = match kind {
            Some(kind) => name::object_link(kind, &meta.namespace, &next.name),
            None => view! { <span>{next.name.to_string()}</span> }.into_any(),
        };
        chain.push(view! { <li><span class="of-kind">{next.kind.to_string()}"/"</span>{link}</li> });
        owner = kind.and_then(|kind| store.line(kind, next.uid)).and_then(|line| line.meta().owner.clone());
    }
    if chain.is_empty() {
        return fact("Controlled by", "nothing: if it goes, it does not come back");
    }
    fact("Controlled by", view! { <ol class="chain">{chain}</ol> })
}

/// The conditions as a table.
pub fn conditions(store: &Store, detail: Memo<Option<Arc<Detail>>>) -> impl IntoView + use<> {
    let store = store.clone();
    move || {
        let store = store.clone();
        detail.get().filter(|detail| !detail.conditions.is_empty()).map(|detail| {
            let rows = detail.conditions.iter().map(|condition| {
                let message = visible(&condition.message).into_owned();
                view! {
                    <tr>
                        <th scope="row">{condition.kind.to_string()}</th>
                        <td>{condition.status.to_string()}</td>
                        <td class="c-age">{since(&store, condition.last_transition)}</td>
                        <td>{condition.reason.to_string()}</td>
                        <td class="message">{message}</td>
                    </tr>
                }
            });
            view! {
                <section aria-labelledby="conditions">
                    <h2 id="conditions">"Conditions"</h2>
                    {scroll::table("Conditions", "conditions", words(["Type", "Status", "Since", "Reason", "Message"]), rows.collect_view())}
                </section>
            }
        })
    }
}

/// The events about an object, newest first.
#[component]
pub fn Events(uid: Signal<Option<Uid>>) -> impl IntoView {
    let (here, store) = (Here::get(), store());
    let known = {
        let store = store.clone();
        Memo::new(move |_| {
            match here.page.get() {
                Page::Object(key) if !key.namespace.is_empty() => {
                    known_in(&store, Kind::Event, &[key.namespace])
                }
                // those about what is in no namespace are in some
                _ => known_everywhere(&store, Kind::Event),
            }
        })
    };
    let answer = Memo::new(move |_| {
        let mut lines = store.lines(Kind::Event);
        let wanted = uid.get();
        lines.retain(|line| {
            let any: &dyn std::any::Any = &**line;
            wanted.is_some() && any.downcast_ref::<Event>().map(|event| event.object_uid) == wanted
        });
        query::answer(Kind::Event, lines, &Place::default())
    });
    let none = move || {
        let none = answer.with(|answer| answer.as_ref().is_ok_and(|answer| answer.matches == 0));
        (none && known.get()).then(
            || view! { <p class="nothing">"None. The API server forgets events, usually after an hour."</p> },
        )
    };
    view! {
        <section aria-labelledby="events">
            <h2 id="events">"Events"</h2>
            <Gate kind=Kind::Event>
                <Table kind=Kind::Event answer caption="Events" extra=&[crate::components::table::Extra::Wide("COUNT")] />
                {none}
            </Gate>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::{KindState, Pod, Text},
        model::{Change, Delta},
        query::fixtures::{NOW, about, as_of, cluster},
        seed::Seed,
    };

    #[test]
    fn what_could_not_be_seen_for_a_while_is_gone_since_that_is_known() {
        let owner = Owner::new();
        owner.with(|| {
            let (verb, resource) = ("list".into(), "pods".into());
            let refused = KindState::Forbidden { verb, resource, namespace: Text::default() };
            for unknown in [refused, KindState::Connecting, KindState::Listing { seen: 0 }] {
                let url = "/pods/default/rf-xyzzy";
                let store = Store::new(&Seed::choose(&cluster(), url, &about(), 1, &as_of(), NOW));
                let (namespace, name) = ("default".to_owned(), "rf-xyzzy".to_owned());
                let found = follow::<Pod>(&store, &ObjectKey { kind: Kind::Pod, namespace, name });
                assert!(matches!(found.get(), Found::Here(_)));
                let none = || Change::Pod(Delta::Reset(Vec::new()));
                store.apply(vec![Change::State(Kind::Pod, unknown.clone()), none()]);
                assert!(matches!(found.get(), Found::Here(_)), "{unknown:?}: it may still be there");
                let later = NOW.later(7_200_000);
                store.tick(later);
                store.apply(vec![none(), Change::State(Kind::Pod, KindState::Live)]);
                assert!(matches!(found.get(), Found::Gone(_, at) if at == later), "{unknown:?}");
                store.tick(later.later(60_000));
                store.apply(vec![Change::State(Kind::Pod, unknown)]);
                assert!(matches!(found.get(), Found::Gone(_, at) if at == later), "it stays gone");
            }
        });
    }
}
