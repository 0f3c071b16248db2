//! Which labels are in use: keys, their values, how many objects of each kind have them and how many have not, and who
//! selects on them.
//!
//! Keys stand in the order of their letters, and not by how many have them: that changes all the time, and a key that
//! one looks for is found where it was. Values stand by use, since of thousands only the first can be shown; while the
//! pointer or the focus is on them, they keep their order.

use std::{collections::HashMap, sync::Arc};

use leptos::prelude::*;

use super::selecting::{PointedOut, reference, selectors};
use crate::{
    api::{Kind, Text},
    components::{
        filters::{Active, SearchBox, bad_selector, no_selector},
        frame::Head,
        gate::{Gate, dims, missing},
        here::Here,
        store,
    },
    format::visible,
    query::{
        Filter, Group, InUse, Page, Place,
        in_use::{Family, KeyFound, ValueFound, found},
        selects::{Required, Selecting},
    },
    selector::{Operator, Requirement},
};

/// Kinds that are counted.
const KINDS: &[Kind] = &[
    Kind::Pod,
    Kind::Deployment,
    Kind::ReplicationController,
    Kind::DaemonSet,
    Kind::StatefulSet,
    Kind::ReplicaSet,
    Kind::Service,
    Kind::EndpointSlice,
    Kind::PodDisruptionBudget,
    Kind::Node,
    Kind::Namespace,
];
/// So many values of a key are shown among others.
const SOME: usize = 20;
/// So many where the key is what one searches for.
const MANY: usize = 500;
/// So many that select on a value are named.
const NAMED: usize = 5;

/// What is found, by key.
type Found = Arc<HashMap<Text, KeyFound>>;

/// The view.
#[component]
pub fn LabelsPage() -> impl IntoView {
    let here = Here::get();
    let store = store();
    let selectors = selectors(&store);
    let required = Memo::new(move |_| Arc::new(selectors.get().required()));
    let whole = {
        let store = store.clone();
        Memo::new(move |_| store.partial().is_none())
    };
    let (dims, lacks) = {
        let store = store.clone();
        let dims = dims(&store, KINDS);
        (dims, Memo::new(move |_| missing(&store, KINDS, &here.place().namespaces)))
    };
    // Without the search, so that what is typed there counts nothing anew.
    let scope = Memo::new(move |_| here.place().with(|place| place.text.clear()));
    let counted: Vec<(Kind, Memo<Arc<InUse>>)> = KINDS
        .iter()
        .zip(KINDS.chunks(1))
        .map(|(kind, alone)| {
            let (store, lately) = (store.clone(), store.lately(alone));
            let count = move |_: Option<&Arc<InUse>>| {
                lately();
                whole.get();
                scope.with(|place| {
                    let lines = untrack(|| store.lines(*kind));
                    let Ok(filter) = Filter::of(place, *kind) else { return Arc::default() };
                    Arc::new(InUse::labels(
                        lines.iter().map(|line| &**line).filter(|line| filter.keeps(*line)),
                    ))
                })
            };
            (*kind, Memo::new(count))
        })
        .collect();
    let needle = Memo::new(move |_| here.place().text.trim().to_lowercase());
    let list = Memo::new(move |_| {
        let counted: Vec<(Kind, Arc<InUse>)> =
            counted.iter().map(|(kind, memo)| (*kind, memo.get())).collect();
        needle.with(|needle| found(&counted, needle, SOME, MANY))
    });
    let by_key: Memo<Found> =
        Memo::new(move |_| Arc::new(list.get().into_iter().map(|it| (it.key.clone(), it)).collect()));
    let of = move |kubernetes: bool| {
        let keys = list.with(|list| list.iter().map(|it| it.key.clone()).collect::<Vec<_>>());
        keys.into_iter()
            .filter(|key| (Family::of(key) == Family::Kubernetes) == kubernetes)
            .collect::<Vec<_>>()
    };
    let own = Memo::new(move |_| of(false));
    let kubernetes = Memo::new(move |_| of(true));
    let bad = bad_selector(Kind::Pod);
    let known = Memo::new(move |_| bad.with(Option::is_none) && lacks.with(Option::is_none));
    let aside = move || known.get().then(|| format!("{} keys in use", list.with(Vec::len)));
    let none = move || {
        let needle = needle.get();
        (known.get() && list.with(Vec::is_empty)).then(|| {
            let said = if needle.is_empty() {
                "Nothing that is shown has labels.".to_owned()
            } else {
                format!("No key and no value contains “{needle}”.")
            };
            view! { <p class="nothing">{visible(&said).into_owned()}</p> }
        })
    };
    let keys = move || {
        view! {
            <For each=move || own.get() key=Clone::clone children=move |key| view! { <Key key by_key required needle /> } />
            {none}
            {move || lacks.get().map(|lacks| view! { <p class="note" role="note">{lacks}</p> })}
            <details
                class="old"
                class:empty=move || kubernetes.with(Vec::is_empty)
                open=move || needle.with(|needle| !needle.is_empty()) || own.with(Vec::is_empty)
            >
                <summary>
                    {move || match kubernetes.with(Vec::len) {
                        1 => "1 key of Kubernetes' own".to_owned(),
                        keys => format!("{keys} keys of Kubernetes' own"),
                    }}
                </summary>
                <For each=move || kubernetes.get() key=Clone::clone children=move |key| view! { <Key key by_key required needle /> } />
            </details>
        }
    };
    view! {
        <Head title=|| "Labels" aside=move || view! { <span class:was=move || dims.get()>{aside}</span> } />
        <div class="tools">
            <SearchBox what="keys and values" />
            <Active />
        </div>
        <Gate kind=Kind::Pod>
            <PointedOut selectors />
            {move || {
                if let Some(error) = bad.get() {
                    no_selector(&here.place(), &error).into_any()
                } else if whole.get() {
                    view! { <div class="gate drawn" class:stale=move || dims.get()>{keys()}</div> }.into_any()
                } else {
                    view! { <p role="status" class="nothing">"Counting: not all rows are here yet…"</p> }.into_any()
                }
            }}
        </Gate>
    }
    .into_any()
}

/// One key: who has not got it, and its values, most used first.
#[component]
fn Key(key: Text, by_key: Memo<Found>, required: Memo<Arc<Required>>, needle: Memo<String>) -> impl IntoView {
    let here = Here::get();
    let id = format!("key-{key}");
    let held = RwSignal::new(false);
    let this = {
        let key = key.clone();
        Memo::new(move |_| by_key.with(|found| found.get(&key).cloned()))
    };
    let values = Memo::new(move |before: Option<&Vec<ValueFound>>| {
        let mut values = this.with(|this| this.as_ref().map(|this| this.values.clone()).unwrap_or_default());
        if let (true, Some(before)) = (held.get(), before) {
            let place: HashMap<&Text, usize> = before.iter().map(|it| &it.value).zip(0..).collect();
            values.sort_by_key(|it| place.get(&it.value).copied().unwrap_or(usize::MAX));
        }
        values
    });
    let count = move || this.with(|this| this.as_ref().map(|this| this.values.len() + this.more));
    let listing = {
        let key = key.to_string();
        move || {
            let kind =
                this.with(|this| this.as_ref().and_then(|this| this.has.first()).map(|(kind, _)| *kind));
            let page = Page::listing(kind.unwrap_or(Kind::Pod));
            let title = format!("{} by this label", page.title().to_lowercase());
            let place =
                there(&here.place(), page).with(|place| place.group = Some(Group::Label(key.clone())));
            (title, place.href())
        }
    };
    let by_this = {
        let listing = listing.clone();
        move || {
            let (title, href) = listing();
            view! { <a class="aside" href=href>{title}</a> }
        }
    };
    let lacks = {
        let key = key.clone();
        move || {
            this.with(|this| lacking(&here.place(), &key, this.as_ref().map_or(&[][..], |this| &this.lacks)))
        }
    };
    let anyhow = {
        let key = key.clone();
        move || {
            let who = required.with(|required| required.keys.get(&key).map(|who| named(who)));
            who.map(|who| view! { <p class="aside">"Selected with any value by " {who}</p> })
        }
    };
    let more = {
        let key = key.clone();
        move || {
            let more = this.with(|this| this.as_ref().map_or(0, |this| this.more));
            // All of them are where the key is searched for; or, if that is too many, as groups.
            let href = if needle.with(|needle| **needle == *key.to_lowercase()) {
                listing().1
            } else {
                here.place().with(|place| place.text = key.to_string()).href()
            };
            (more > 0).then(|| view! { <p><a href=href>{format!("and {more} more values")}</a></p> })
        }
    };
    let recommended = (Family::of(&key) == Family::Recommended)
        .then(|| view! { <span class="badge" title="Named as Kubernetes recommends">"recommended"</span> });
    let row = {
        let key = key.clone();
        move |found: ValueFound| {
            let value = found.value.clone();
            // The row stays while its numbers change: whoever is at one of its links stays there.
            let has = Memo::new(move |before: Option<&Vec<(Kind, usize)>>| {
                let now = values
                    .with(|values| values.iter().find(|one| one.value == value).map(|one| one.has.clone()));
                now.or_else(|| before.cloned()).unwrap_or_default()
            });
            row(here, &key, &found.value, has, required)
        }
    };
    view! {
        <section class="label-key" aria-labelledby=id.clone()>
            <h2 id=id.clone()>
                <span class="mono">{visible(&key).into_owned()}</span>
                <span class="count">{count}</span>
                {recommended}
                {by_this}
            </h2>
            {lacks}
            {anyhow}
            <table
                class="plain counts"
                on:pointerenter=move |event| held.set(event.pointer_type() == "mouse")
                on:pointerleave=move |_| held.set(false)
                on:focusin=move |_| held.set(true)
                on:focusout=move |_| held.set(false)
            >
                <thead>
                    <tr>
                        <th scope="col">"Value"</th>
                        <th scope="col">"On"</th>
                        <th scope="col">"Selected by"</th>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || values.get() key=|found| found.value.clone() children=row />
                </tbody>
            </table>
            {more}
        </section>
    }
    .into_any()
}

/// Another view of what is counted here.
fn there(place: &Place, page: Page) -> Place {
    place.elsewhere(page).with(|there| there.selector.clone_from(&place.selector))
}

/// `42 pods, 3 nodes have no team`, each number a link to those.
fn lacking(place: &Place, key: &Text, lacks: &[(Kind, usize)]) -> Option<impl IntoView + use<>> {
    let without = Requirement { key: key.clone(), operator: Operator::DoesNotExist };
    let one = matches!(lacks, [(_, 1)]);
    let links = lacks.iter().enumerate().map(|(at, (kind, count))| {
        let comma = (at > 0).then_some(", ");
        view! { {comma} {number(place, *kind, *count, &without)} }
    });
    let says = if one { " has no " } else { " have no " };
    let key = visible(key).into_owned();
    (!lacks.is_empty()).then(|| view! { <p class="aside">{links.collect_view()} {says} {key}</p> })
}

/// So many of a kind, as a link to them where there is a view of that kind.
fn number(place: &Place, kind: Kind, count: usize, requirement: &Requirement) -> AnyView {
    let page = Page::listing(kind);
    let said = counted(kind, count);
    if !page.tables().contains(&kind) {
        return said.into_any();
    }
    let href = there(place, page).with_requirement(requirement).href();
    view! { <a href=href>{said}</a> }.into_any()
}

fn counted(kind: Kind, count: usize) -> String {
    format!("{count} {}", if count == 1 { kind.singular() } else { kind.plural() })
}

fn row(
    here: Here,
    key: &Text,
    value: &Text,
    has: Memo<Vec<(Kind, usize)>>,
    required: Memo<Arc<Required>>,
) -> impl IntoView + use<> {
    let requirement = Requirement::equals(key, value);
    let shown = if value.is_empty() { "(empty)".to_owned() } else { visible(value).into_owned() };
    let pair = (key.clone(), value.clone());
    let on = move || {
        let place = here.place();
        let number = |(kind, count): &(Kind, usize)| {
            view! { <span class="number">{number(&place, *kind, *count, &requirement)}</span> " " }
        };
        has.with(|has| has.iter().map(number).collect_view())
    };
    let who = move || required.with(|required| required.values.get(&pair).map(|who| named(who)));
    view! {
        <tr>
            <th scope="row" class="mono">{shown}</th>
            <td class="on">{on}</td>
            <td class="who">{who}</td>
        </tr>
    }
    .into_any()
}

/// The first of these, as links.
fn named(who: &[Selecting]) -> AnyView {
    let rest = who.len().saturating_sub(NAMED);
    let links = who.iter().take(NAMED).map(|one| view! { {reference(one)} " " }).collect_view();
    let rest = (rest > 0).then(|| format!("and {rest} more"));
    view! { {links} {rest} }.into_any()
}
