//! One pod: what it runs, how that is, who made it, where it is, what happened to it.

use std::sync::Arc;

use leptos::prelude::*;

use super::{
    containers::Containers,
    object::{Events, Found, absence, common, conditions, detail, fact, follow, owners},
    placement::WhyPending,
    selecting::SelectedBy,
    services::ServedBy,
};
use crate::{
    api::{Detail, Kind, ObjectKey, Pod},
    components::{frame::Head, gate::Gate, icon, name, store},
    format::{or_none, resources, visible},
    store::Store,
};

/// The view.
#[component]
pub fn PodPage(key: ObjectKey) -> impl IntoView {
    let store = store();
    let found = follow::<Pod>(&store, &key);
    let detail = detail(&store, &key);
    let uid = Memo::new(move |_| found.with(|found| found.last().map(|pod| pod.meta.uid)));
    let pod = Signal::derive(move || found.with(|found| found.last().cloned()));
    let there = Memo::new(move |_| uid.get().is_some());
    let title = {
        let name = key.name.clone();
        move || name::cut(&name)
    };
    view! {
        <Head title=title of=vec![Kind::Pod] aside=move || view! { <Status found /> } />
        <Gate kind=Kind::Pod>
            {absence(found, key.clone())}
            {
                let (store, key) = (store.clone(), key.clone());
                move || {
                    let (store, key) = (store.clone(), key.clone());
                    there.get().then(|| view! {
                        <div class="object" class:gone=move || found.with(|found| matches!(found, Found::Gone(..)))>
                            <WhyPending found detail />
                            {move || found.with(|found| found.last().map(|pod| facts(&store, pod, detail)))}
                            <ServedBy pod=found />
                            <Containers detail of=key />
                            <SelectedBy pod />
                            {conditions(&crate::components::store(), detail)}
                            <Events uid=uid.into() />
                        </div>
                    })
                }
            }
        </Gate>
    }
    .into_any()
}

/// STATUS with its shape, READY, and why.
#[component]
fn Status(found: Memo<Found<Pod>>) -> impl IntoView {
    move || {
        found.with(|found| {
            found.last().map(|pod| {
                let why = visible(&pod.why).into_owned();
                view! {
                    <span class="status">{icon::state(pod.health)} {pod.status.to_string()}</span>
                    <span>{format!("{}/{} ready", pod.ready, pod.total)}</span>
                    <span class="why">{why}</span>
                }
            })
        })
    }
}

fn facts(store: &Store, pod: &Arc<Pod>, detail: Memo<Option<Arc<Detail>>>) -> AnyView {
    let node = if pod.node.is_empty() {
        "not scheduled".into_any()
    } else {
        name::object_link(Kind::Node, "", &pod.node)
    };
    let restarts = {
        let (store, pod) = (store.clone(), pod.clone());
        move || pod.restarts_cell(store.now().seconds())
    };
    let requests = resources(&pod.requests);
    let deleting = pod.meta.deleting.map(|at| fact("Being deleted", format!("since {at}")));
    let gates = pod.gates.map(|(open, all)| fact("Readiness gates", format!("{open} of {all} true")));
    view! {
        <dl class="facts">
            {common(store, Kind::Pod, &pod.meta)}
            {owners(store, &pod.meta)}
            {fact("Node", node)}
            {fact("IP", or_none(&pod.ip).into_owned())}
            {fact("Phase", pod.phase.to_string())}
            {fact("Restarts", restarts)}
            {fact("Requests", requests)}
            {deleting}
            {gates}
            {move || detail.get().map(|detail| placement(&detail))}
        </dl>
    }
    .into_any()
}

/// What keeps it on, or off, nodes, and further facts.
pub fn placement(detail: &Detail) -> impl IntoView + use<> {
    let needs = &detail.needs;
    let selector = (!needs.node_selector.is_empty()).then(|| {
        let pairs = needs.node_selector.iter().map(|(key, value)| {
            view! { <li><code>{visible(&format!("{key}={value}")).into_owned()}</code></li> }
        });
        fact("Only on nodes with", view! { <ul class="plain-list">{pairs.collect_view()}</ul> })
    });
    let tolerations = (!needs.tolerations.is_empty()).then(|| {
        let lines = needs
            .tolerations_by_key()
            .into_iter()
            .map(|line| view! { <li><code>{visible(&line).into_owned()}</code></li> });
        fact("Tolerates", view! { <ul class="plain-list">{lines.collect_view()}</ul> })
    });
    let others = detail
        .facts
        .iter()
        .map(|(term, value)| fact(term.to_string(), visible(value).into_owned()))
        .collect_view();
    view! { {selector}{tolerations}{others} }
}
