//! One node: what it can give out, what is asked of it, who runs on it, and whether its kubelet is heard.

mod drain;
mod kubelet;

use std::sync::Arc;

use drain::Draining;
pub use kubelet::Nodes;
use leptos::prelude::*;

use super::object::{Events, Found, absence, common, conditions, detail, fact, follow};
use crate::{
    api::{
        Detail, Kind, Node, ObjectKey, Pod, ResourceList, Text,
        resource_list::{CPU, EPHEMERAL_STORAGE, HUGE_PAGES, MEMORY, PODS},
    },
    components::{
        frame::Head,
        gate::{Gate, dims, known_everywhere},
        icon,
        meter::{meter, overcommitted},
        name, store,
        table::Table,
    },
    format::{self, visible},
    query::{self, Fact, Line, Page, Place},
    store::Store,
};

/// The view.
#[component]
pub fn NodePage(key: ObjectKey) -> impl IntoView {
    let store = store();
    let found = follow::<Node>(&store, &key);
    let detail = detail(&store, &key);
    let uid = Memo::new(move |_| found.with(|found| found.last().map(|node| node.meta.uid)));
    let title = {
        let name = key.name.clone();
        move || name::cut(&name)
    };
    let status = move || {
        found.with(|found| {
            found.last().map(|node| {
                view! {
                    <span class="status">{icon::state(node.health)} {node.status()}</span>
                    <span class="why">{visible(&node.why).into_owned()}</span>
                }
            })
        })
    };
    let pods = {
        let (store, name) = (store.clone(), key.name.clone());
        Memo::new(move |_| {
            let mut pods = store.rows::<Pod>();
            pods.retain(|pod| *pod.node == *name);
            pods
        })
    };
    let cordoned =
        Memo::new(move |_| found.with(|found| found.last().is_some_and(|node| node.unschedulable)));
    // What is counted leaves out those that have just gone.
    let there = {
        let (store, name) = (store.clone(), key.name.clone());
        Memo::new(move |_| {
            let mut pods = store.current::<Pod>();
            pods.retain(|pod| *pod.node == *name);
            pods
        })
    };
    let known = {
        let store = store.clone();
        Memo::new(move |_| known_everywhere(&store, Kind::Pod))
    };
    let answer = Memo::new(move |_| {
        let lines = pods.get().into_iter().map(|pod| pod as Arc<dyn Line>).collect();
        query::answer(Kind::Pod, lines, &Place::default())
    });
    let all = {
        let name = key.name.clone();
        let here = crate::components::here::Here::get();
        move || here.place().elsewhere(Page::Pods).with_only(Fact::Node, Some(name.clone())).href()
    };
    view! {
        <Head title=title of=vec![Kind::Node] aside=status />
        <Gate kind=Kind::Node>
            {absence(found, key.clone())}
            <div class="object" class:gone=move || found.with(|found| matches!(found, Found::Gone(..)))>
                {let store = store.clone(); move || found.with(|found| found.last().map(|node| facts(&store, node, detail, there, known)))}
                <Draining cordoned pods=there known />
                <Requests found pods=there known />
                {conditions(&store, detail)}
                <section aria-labelledby="pods-here">
                    <h2 id="pods-here">"Pods on it " <a class="aside" href=all.clone()>"with all tools"</a></h2>
                    <Gate kind=Kind::Pod>
                        <Table kind=Kind::Pod answer caption="Pods on this node" />
                    </Gate>
                </section>
                <Events uid=uid.into() />
            </div>
        </Gate>
    }
    .into_any()
}

fn facts(
    store: &Store,
    node: &Arc<Node>,
    detail: Memo<Option<Arc<Detail>>>,
    pods: Memo<Vec<Arc<Pod>>>,
    known: Memo<bool>,
) -> AnyView {
    let old = dims(store, &[Kind::Pod]);
    let phases = move || match known.get() {
        true => {
            let phases = pods.with(|pods| kubelet::phases(pods));
            view! { <span class:was=move || old.get()>{phases}</span> }.into_any()
        }
        false => "not known".into_any(),
    };
    let taints = if node.taints.is_empty() {
        "<none>".into_any()
    } else {
        let taints = node
            .taints
            .iter()
            .map(|taint| view! { <li><code>{visible(&taint.to_string()).into_owned()}</code></li> });
        view! { <ul class="plain-list">{taints.collect_view()}</ul> }.into_any()
    };
    let reported = {
        let store = store.clone();
        move || detail.get().map(|detail| kubelet::reported(&store, &detail))
    };
    view! {
        <dl class="facts">
            {common(store, Kind::Node, &node.meta)}
            {kubelet::heard(store, &node.meta.name)}
            {reported}
            {fact("Pods", phases)}
            {fact("Roles", node.roles_cell())}
            {fact("Taints", taints)}
            {fact("Internal IP", node.internal_ip.as_deref().unwrap_or("<none>").to_owned())}
            {fact("External IP", node.external_ip.as_deref().unwrap_or("<none>").to_owned())}
            {kubelet::version(store, node)}
            {fact("System", format!("{}, kernel {}", node.os_image, node.kernel_version))}
            {fact("Container runtime", node.container_runtime.to_string())}
        </dl>
    }
    .into_any()
}

/// What its pods ask for, once all of them are known.
#[component]
fn Requests(found: Memo<Found<Node>>, pods: Memo<Vec<Arc<Pod>>>, known: Memo<bool>) -> impl IntoView {
    let any = Memo::new(move |_| found.with(|found| found.last().is_some()));
    let drawn = move || match known.get() {
        true => found.with(|found| found.last().map(|node| pods.with(|pods| requests(node, pods)))),
        false => Some(view! { <p class="nothing">"Not known: not all of its pods are here."</p> }.into_any()),
    };
    move || {
        any.get().then(|| {
            view! {
                <section aria-labelledby="requests">
                    <h2 id="requests">"Allocated resources"</h2>
                    <Gate kind=Kind::Pod>{drawn}</Gate>
                </section>
            }
        })
    }
}

/// What its pods ask for and what bounds them, against what it may give out, as kubectl counts: pods that have ended ask
/// for nothing (kubectl `pkg/describe/describe.go`, `describeNodeResource`).
fn requests(node: &Arc<Node>, pods: &[Arc<Pod>]) -> AnyView {
    let (mut asked, mut bounded) = (ResourceList::default(), ResourceList::default());
    let mut count = 0;
    for pod in pods.iter().filter(|pod| !pod.ended()) {
        asked.add(&pod.requests);
        bounded.add(&pod.limits);
        count += 1;
    }
    let whole = if node.allocatable.is_empty() { &node.capacity } else { &node.allocatable };
    let bars = allocated(whole).into_iter().map(|name| {
        let print = |amount: u64| format::amount(&name, amount);
        let (asked, bounded, whole) = (asked.get(&name), bounded.get(&name), whole.get(&name));
        view! {
            <div class="resource">
                <h3>{visible(&name).into_owned()}</h3>
                {meter("Requests", asked, whole, print)}
                // more limits than there is to give is allowed: not all of them are reached at once
                {overcommitted("Limits", bounded, whole, print)}
            </div>
        }
    });
    view! {
        <div class="meters">
            {bars.collect_view()}
            <div class="resource">
                <h3>"pods"</h3>
                {meter("On it", count, whole.get(PODS), |pods| pods.to_string())}
            </div>
        </div>
    }
    .into_any()
}

/// The resources of a node in kubectl's order: those that every node has, huge pages, extended ones.
fn allocated(whole: &ResourceList) -> Vec<Text> {
    const ALWAYS: [&str; 3] = [CPU, MEMORY, EPHEMERAL_STORAGE];
    let others =
        whole.iter().map(|(name, _)| name).filter(|name| !ALWAYS.contains(&name.as_str()) && **name != PODS);
    let (huge, extended): (Vec<&Text>, Vec<&Text>) = others.partition(|name| name.starts_with(HUGE_PAGES));
    ALWAYS.into_iter().map(Text::from).chain(huge.into_iter().chain(extended).cloned()).collect()
}
