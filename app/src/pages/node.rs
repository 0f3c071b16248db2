//! One node: what it can give out, what is asked of it, who runs on it.

use std::sync::Arc;

use leptos::prelude::*;

use super::object::{Events, Found, absence, common, conditions, detail, fact, follow};
use crate::{
    api::{Kind, Node, ObjectKey, Pod},
    components::{frame::Head, gate::Gate, icon, meter::meter, name, store, table::Table},
    format::{bytes, cpu, visible},
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
        <Head title=title aside=status />
        <Gate kind=Kind::Node>
            {absence(found, key.clone())}
            <div class="object" class:gone=move || found.with(|found| matches!(found, Found::Gone(..)))>
                {let store = store.clone(); move || found.with(|found| found.last().map(|node| facts(&store, node)))}
                {move || found.with(|found| found.last().map(|node| requests(node, &pods.get())))}
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

fn facts(store: &Store, node: &Arc<Node>) -> AnyView {
    let taints = if node.taints.is_empty() {
        "<none>".into_any()
    } else {
        let taints = node
            .taints
            .iter()
            .map(|taint| view! { <li><code>{visible(&taint.to_string()).into_owned()}</code></li> });
        view! { <ul class="plain-list">{taints.collect_view()}</ul> }.into_any()
    };
    view! {
        <dl class="facts">
            {common(store, Kind::Node, &node.meta)}
            {fact("Roles", node.roles_cell())}
            {fact("Taints", taints)}
            {fact("Internal IP", node.internal_ip.as_deref().unwrap_or("<none>").to_owned())}
            {fact("External IP", node.external_ip.as_deref().unwrap_or("<none>").to_owned())}
            {fact("Kubelet", node.version.to_string())}
            {fact("System", format!("{}, kernel {}", node.os_image, node.kernel_version))}
            {fact("Container runtime", node.container_runtime.to_string())}
        </dl>
    }
    .into_any()
}

/// Requests of its pods against what it may give out. Pods that have ended ask for nothing.
fn requests(node: &Arc<Node>, pods: &[Arc<Pod>]) -> impl IntoView + use<> {
    let counted = || pods.iter().filter(|pod| pod.phase != "Succeeded" && pod.phase != "Failed");
    let cpus = counted().map(|pod| pod.cpu_requests).sum();
    let memory = counted().map(|pod| pod.memory_requests).sum();
    let count = counted().count() as u64;
    view! {
        <section aria-labelledby="requests">
            <h2 id="requests">"Requests against allocatable"</h2>
            <div class="meters">
                {meter("CPU", cpus, node.allocatable.cpu, cpu)} {meter("Memory", memory, node.allocatable.memory, bytes)}
                {meter("Pods", count, node.allocatable.pods, |pods| pods.to_string())}
            </div>
        </section>
    }
    .into_any()
}
