//! The pods that wait for a node, those of one owner and one reason together.

use std::{collections::BTreeMap, sync::Arc};

use leptos::prelude::*;

use crate::{
    api::{Health, Kind, Pod, Timestamp, Uid},
    components::{
        filters::{bad_selector, no_selector},
        gate::known_in,
        here::Here,
        icon, name,
        scroll::{self, words},
        store,
    },
    format::visible,
    pages::object::since,
    placement::said::main_reason,
    query::{Filter, Line},
};

/// So many lines are drawn; the rest is counted.
const LINES: usize = 200;

/// Pods of which the same is to be said.
#[derive(Clone, PartialEq)]
struct Alike {
    first: Arc<Pod>,
    count: usize,
    health: Health,
    reason: String,
    since: Option<Timestamp>,
}

/// The section.
#[component]
pub fn Waiting() -> impl IntoView {
    let here = Here::get();
    let store = store();
    let partial = {
        let store = store.clone();
        Memo::new(move |_| store.partial().is_some())
    };
    let bad = bad_selector(Kind::Pod);
    let known = {
        let store = store.clone();
        Memo::new(move |_| bad.with(Option::is_none) && known_in(&store, Kind::Pod, &here.place().namespaces))
    };
    let alike = Memo::new(move |_| {
        let place = here.place();
        let Ok(filter) = Filter::of(&place, Kind::Pod) else { return Vec::new() };
        let mut pods = store.current::<Pod>();
        pods.retain(|pod| pod.pending() && filter.keeps(&**pod as &dyn Line));
        pods.sort_by(|a, b| a.meta.key_order(&b.meta));
        together(pods)
    });
    let body = move || {
        if let Some(error) = bad.get() {
            return no_selector(&here.place(), &error).into_any();
        }
        let alike = alike.get();
        if alike.is_empty() {
            let said = match (partial.get(), known.get()) {
                (true, _) => "Counting: not all rows are here yet…",
                (false, true) => "No pod waits for a node.",
                // what is not in here is said above
                (false, false) => "None is known that waits for a node.",
            };
            return view! { <p class="nothing" role="status">{said}</p> }.into_any();
        }
        let more = alike.len().saturating_sub(LINES);
        let lines = alike.iter().take(LINES).map(line).collect_view();
        let columns = words(["Pod", "Namespace", "Age", "Why"]);
        view! {
            {scroll::table("Pods that wait for a node", "waiting", columns, lines)}
            {(more > 0).then(|| view! { <p class="note">{format!("And {more} more lines.")}</p> })}
        }
        .into_any()
    };
    let count = move || {
        let count = alike.with(|alike| alike.iter().map(|alike| alike.count).sum::<usize>());
        known.get().then_some(count)
    };
    view! {
        <section aria-labelledby="waiting">
            <h2 id="waiting">"Pods that wait for a node " <span class="count">{count}</span></h2>
            {body}
        </section>
    }
    .into_any()
}

/// Those that fail first, then the oldest.
fn together(pods: Vec<Arc<Pod>>) -> Vec<Alike> {
    let mut all: BTreeMap<(Uid, String), Alike> = BTreeMap::new();
    for pod in pods {
        let reason = main_reason(&pod.why);
        let owner = pod.meta.owner.as_ref().map_or(pod.meta.uid, |owner| owner.uid);
        let (health, created) = (pod.health, pod.meta.created);
        let alike = all.entry((owner, reason.clone())).or_insert_with(|| Alike {
            first: pod,
            count: 0,
            health,
            reason,
            since: created,
        });
        alike.count += 1;
        alike.since = alike.since.min(created);
    }
    let mut all: Vec<Alike> = all.into_values().collect();
    all.sort_by(|a, b| {
        (a.health, a.since).cmp(&(b.health, b.since)).then(a.first.meta.key_order(&b.first.meta))
    });
    all
}

fn line(alike: &Alike) -> impl IntoView + use<> {
    let meta = &alike.first.meta;
    let more = (alike.count > 1).then(|| {
        view! { <span class="aside">{format!(" and {} more like it", alike.count - 1)}</span> }
    });
    view! {
        <tr>
            <th scope="row">{name::object_link(Kind::Pod, &meta.namespace, &meta.name)}{more}</th>
            <td>{meta.namespace.to_string()}</td>
            <td class="c-age">{since(&store(), alike.since)}</td>
            <td class="message">{icon::state(alike.health)} {visible(&alike.reason).into_owned()}</td>
        </tr>
    }
    .into_any()
}
