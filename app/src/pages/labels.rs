//! Which labels are in use: keys, their values, and how many objects of each kind have them.

use std::{collections::BTreeMap, sync::Arc};

use leptos::prelude::*;

use crate::{
    api::Kind,
    components::{frame::Head, gate::Gate, here::Here, store},
    format::visible,
    query::{Filter, Group, Page, Place},
    store::Store,
};

/// Kinds that are counted, in columns.
const KINDS: [Kind; 7] = [
    Kind::Pod,
    Kind::Deployment,
    Kind::ReplicaSet,
    Kind::ReplicationController,
    Kind::DaemonSet,
    Kind::StatefulSet,
    Kind::Node,
];

type Counts = [usize; KINDS.len()];
type Used = BTreeMap<Arc<str>, BTreeMap<Arc<str>, Counts>>;

/// Counts every label of what the place keeps.
fn used(store: &Store, place: &Place) -> Used {
    let mut used = Used::new();
    for (at, kind) in KINDS.into_iter().enumerate() {
        let Ok(filter) = Filter::of(place, kind) else { return used };
        for line in store.lines(kind).iter().filter(|line| filter.keeps(&***line)) {
            for (key, value) in line.meta().labels.iter() {
                let values = used.entry(key.clone().into()).or_default();
                values.entry(value.clone().into()).or_default()[at] += 1;
            }
        }
    }
    used
}

/// The view.
#[component]
pub fn LabelsPage() -> impl IntoView {
    let here = Here::get();
    let store = store();
    let whole = {
        let store = store.clone();
        Memo::new(move |_| store.partial().is_none())
    };
    let used = Memo::new(move |_| used(&store, &here.place()));
    let keys = move || used.with(|used| used.keys().cloned().collect::<Vec<_>>());
    let aside = move || format!("{} keys in use", used.with(BTreeMap::len));
    view! {
        <Head title=|| "Labels" aside=move || view! { <span>{aside}</span> } />
        <Gate kind=Kind::Pod>
            {move || {
                if whole.get() {
                    view! { <For each=keys key=Clone::clone children=move |key| view! { <Key key used /> } /> }.into_any()
                } else {
                    view! { <p role="status" class="nothing">"Counting: not all rows are here yet…"</p> }.into_any()
                }
            }}
        </Gate>
    }
    .into_any()
}

/// One key and its values, most used first.
#[component]
fn Key(key: Arc<str>, used: Memo<Used>) -> impl IntoView {
    let here = Here::get();
    let values = {
        let key = key.clone();
        Memo::new(move |_| {
            let values = used.with(|used| used.get(&key).cloned().unwrap_or_default());
            let mut values: Vec<(Arc<str>, Counts)> = values.into_iter().collect();
            values.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.iter().sum::<usize>()));
            values
        })
    };
    let group = {
        let key = key.to_string();
        move || {
            here.place()
                .elsewhere(Page::Pods)
                .with(|place| place.group = Some(Group::Label(key.clone())))
                .href()
        }
    };
    let id = format!("key-{key}");
    let rows = {
        let key = key.clone();
        move || values.get().into_iter().map(|(value, counts)| row(here, &key, &value, counts)).collect_view()
    };
    view! {
        <section class="label-key" aria-labelledby=id.clone()>
            <h2 id=id.clone()>
                <span class="mono">{visible(&key).into_owned()}</span>
                <span class="count">{move || values.with(Vec::len)}</span>
                <a class="aside" href=group>"pods by this label"</a>
            </h2>
            <table class="plain counts">
                <thead>
                    <tr>
                        <th scope="col">"Value"</th>
                        {KINDS.map(|kind| view! { <th scope="col" class=format!("right of-{}", kind.plural())>{kind.plural()}</th> }).into_iter().collect_view()}
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
    .into_any()
}

fn row(here: Here, key: &str, value: &str, counts: Counts) -> impl IntoView + use<> {
    let requirement = crate::selector::Requirement::equals(&key.into(), &value.into());
    let to = |page: Page| here.place().elsewhere(page).with_requirement(&requirement).href();
    let cells = KINDS.into_iter().zip(counts).map(|(kind, count)| {
        let page = match kind {
            Kind::Pod => Page::Pods,
            Kind::Node => Page::Nodes,
            _ => Page::Workloads,
        };
        let cell = match count {
            0 => view! { <span class="none">"–"</span> }.into_any(),
            _ => view! { <a href=to(page)>{count}</a> }.into_any(),
        };
        view! { <td class="right">{cell}</td> }
    });
    let shown = if value.is_empty() { "(empty)".to_owned() } else { visible(value).into_owned() };
    view! {
        <tr>
            <th scope="row" class="mono">{shown}</th>
            {cells.collect_view()}
        </tr>
    }
    .into_any()
}
