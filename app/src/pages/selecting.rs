//! Who selects whom, as parts of pages: what selects a pod, what a workload selects, and what is to be pointed out of
//! all selectors.

mod pointed_out;

use std::sync::Arc;

use leptos::prelude::*;
pub use pointed_out::{OverlapsNote, PointedOut};

use crate::{
    api::{
        DaemonSet, Deployment, Kind, Pod, PodDisruptionBudget, ReplicaSet, ReplicationController, Service,
        StatefulSet, Uid,
    },
    components::{
        gate::{Gate, dims, missing},
        here::Here,
        name, store,
    },
    format::visible,
    query::{
        Page,
        selects::{
            Selecting, Selectors,
            bonds::{Bond, Reach, of_pod, reach},
            survey::covered,
        },
    },
    store::Store,
};

/// So many are named; the rest is counted.
const NAMED: usize = 8;

/// The selectors of the cluster. They are read anew only when one of them has changed, which status does not do.
pub fn selectors(store: &Store) -> Memo<Arc<Selectors>> {
    let store = store.clone();
    let all = Memo::new(move |_| {
        let mut all: Vec<Selecting> = Vec::new();
        all.extend(store.rows::<Deployment>().iter().map(|row| Selecting::from(&**row)));
        all.extend(store.rows::<ReplicationController>().iter().map(|row| Selecting::from(&**row)));
        all.extend(store.rows::<DaemonSet>().iter().map(|row| Selecting::from(&**row)));
        all.extend(store.rows::<StatefulSet>().iter().map(|row| Selecting::from(&**row)));
        all.extend(store.rows::<ReplicaSet>().iter().map(|row| Selecting::from(&**row)));
        all.extend(store.rows::<Service>().iter().map(|row| Selecting::from(&**row)));
        all.extend(store.rows::<PodDisruptionBudget>().iter().map(|row| Selecting::from(&**row)));
        all.sort_by(|a, b| (&a.namespace, a.kind, &a.name).cmp(&(&b.namespace, b.kind, &b.name)));
        all
    });
    Memo::new(move |_| Arc::new(Selectors::of(all.get())))
}

/// The kinds whose rows select pods.
const KINDS: &[Kind] = &[
    Kind::Deployment,
    Kind::ReplicationController,
    Kind::DaemonSet,
    Kind::StatefulSet,
    Kind::ReplicaSet,
    Kind::Service,
    Kind::PodDisruptionBudget,
];

/// `deployment/web` as a link, where its kind has a page.
pub fn reference(one: &Selecting) -> AnyView {
    view! {
        <span class="ref">
            <span class="of-kind">{format!("{}/", one.kind.singular())}</span>
            {name::object_link(one.kind, &one.namespace, &one.name)}
        </span>
    }
    .into_any()
}

/// What selects or owns a pod.
#[component]
pub fn SelectedBy(pod: Signal<Option<Arc<Pod>>>) -> impl IntoView {
    let store = store();
    let (selectors, dims) = (selectors(&store), dims(&store, KINDS));
    let lacks = Memo::new(move |_| missing(&store, KINDS, &[pod.get()?.meta.namespace.to_string()]));
    let bonds = Memo::new(move |_| {
        let Some(pod) = pod.get() else { return Vec::new() };
        let selectors = selectors.get();
        let mut bonds = of_pod(&selectors, &pod);
        // without its ReplicaSet it is not known whether a Deployment owns it
        let part = |kind: &str, uid| kind == Kind::ReplicaSet.name() && selectors.get(uid).is_none();
        if pod.meta.owner.as_ref().is_some_and(|owner| part(&owner.kind, owner.uid)) {
            bonds.retain(|(bond, one)| *bond != Bond::Anothers || one.kind != Kind::Deployment);
        }
        bonds.into_iter().map(|(bond, one)| (bond, one.clone())).collect::<Vec<_>>()
    });
    let last = move || {
        let said = match lacks.get() {
            None if bonds.with(Vec::is_empty) => "Nothing that is shown here.".to_owned(),
            lacks => lacks?,
        };
        Some(view! { <p class="nothing">{said}</p> })
    };
    let lines = move || bonds.get().into_iter().map(|(bond, one)| bond_line(bond, &one)).collect_view();
    view! {
        <section aria-labelledby="selected-by">
            <h2 id="selected-by">"Selected by"</h2>
            <div class="gate drawn" class:stale=move || dims.get()>
                <ul class="bonds">{lines}</ul>
                {last}
            </div>
        </section>
    }
    .into_any()
}

fn bond_line(bond: Bond, one: &Selecting) -> impl IntoView + use<> {
    let selector = one.written.read();
    let selector = selector.map(|selector| {
        view! { <code class="aside">{visible(&selector.to_string()).into_owned()}</code> }
    });
    let notable = matches!(bond, Bond::Releases | Bond::Adopts | Bond::Anothers);
    view! { <li class:notable=notable>{reference(one)} " " <span>{bond.says()}</span> " " {selector}</li> }
}

/// What a workload selects, and how that differs from what it owns.
#[component]
pub fn Selects(uid: Signal<Option<Uid>>) -> impl IntoView {
    let store = store();
    let (selectors, dims) = (selectors(&store), dims(&store, KINDS));
    let found = {
        let store = store.clone();
        Memo::new(move |_| {
            let selectors = selectors.get();
            let one = selectors.get(uid.get()?)?.clone();
            let pods = store.rows::<Pod>();
            let reach = reach(&selectors, &one, pods.iter().map(|pod| &**pod));
            Some((one, reach))
        })
    };
    let lacks = Memo::new(move |_| {
        // a Deployment's pods are its own through its ReplicaSets
        let kinds: &[Kind] = match found.with(|found| found.as_ref().map(|(one, _)| one.kind)) {
            Some(Kind::Deployment) => &[Kind::Pod, Kind::ReplicaSet],
            _ => &[Kind::Pod],
        };
        let namespace = found.with(|found| found.as_ref().map(|(one, _)| one.namespace.to_string()))?;
        missing(&store, kinds, &[namespace])
    });
    let told = move || {
        let (one, reach) = found.get()?;
        Some(match lacks.get() {
            Some(lacks) => view! { <p class="nothing">{lacks}</p> }.into_any(),
            None => view! { <ul class="bonds">{reach_lines(&selectors.get(), &one, &reach)}</ul> }.into_any(),
        })
    };
    view! {
        <section aria-labelledby="selects">
            <h2 id="selects">"What it selects"</h2>
            <Gate kind=Kind::Pod>
                <div class="gate drawn" class:stale=move || dims.get()>{told}</div>
            </Gate>
        </section>
    }
    .into_any()
}

/// A line each: what it matches, what follows from that, and who else is there.
fn reach_lines(selectors: &Selectors, one: &Selecting, reach: &Reach) -> Vec<AnyView> {
    let Some(selector) = one.written.read() else {
        return vec![line(
            false,
            "No selector, or none that could be told: no pod is said to match.".into_any(),
        )];
    };
    let mut lines = Vec::new();
    let place = Here::get().place_now().elsewhere(Page::Pods);
    let place = place.with(|place| {
        place.namespaces = vec![one.namespace.to_string()];
        place.selector = selector.to_string();
    });
    let shown = visible(&place.selector).into_owned();
    if reach.matches > 0 {
        let own = match reach.own {
            own if own == reach.matches => "all of them its own".to_owned(),
            own => format!("{own} of them its own"),
        };
        let matches = pods(reach.matches);
        lines.push(line(
            false,
            view! { <a href=place.href()>{matches}</a> {format!(" with {shown}, {own}")} }.into_any(),
        ));
    } else {
        let wants = if one.wants { ", though there should be some" } else { ", and there should be none" };
        lines.push(line(one.wants, format!("No pod has {shown}{wants}").into_any()));
    }
    let mut some = |which: &[(Arc<str>, Uid)], says: &str| {
        if !which.is_empty() {
            let many = format!("{} {says}: ", pods(which.len()));
            lines.push(line(true, view! { {many} {named(&one.namespace, which)} }.into_any()));
        }
    };
    some(&reach.adopts, "without a controller will be adopted");
    some(&reach.spares, "without a controller will not be adopted");
    some(&reach.releases, "of its own will be let go, since their labels match no longer");
    for (whose, uids) in &reach.anothers {
        let says = if uids.len() == 1 {
            "matches too, and stays with that"
        } else {
            "match too, and stay with that"
        };
        some(uids, &format!("of {} {says}", visible(whose)));
    }
    let by_pods = |other: &Selecting| reach.anothers.contains_key(&other.reference());
    for other in covered(selectors, one).into_iter().filter(|other| !by_pods(other)) {
        let says = " has a selector whose pods all match this one too";
        lines.push(line(true, view! { {reference(other)} {says} }.into_any()));
    }
    for (other, count) in &reach.also {
        let Some(other) = selectors.get(*other) else { continue };
        let says = format!(" selects {} of its own", pods(*count));
        lines.push(line(other.controls(), view! { {reference(other)} {says} }.into_any()));
    }
    lines
}

fn line(notable: bool, content: AnyView) -> AnyView {
    view! { <li class:notable=notable>{content}</li> }.into_any()
}

fn pods(count: usize) -> String {
    if count == 1 { "1 pod".to_owned() } else { format!("{count} pods") }
}

/// The first of these pods, as links.
fn named(namespace: &str, pods: &[(Arc<str>, Uid)]) -> AnyView {
    let rest = pods.len().saturating_sub(NAMED);
    let links = pods.iter().take(NAMED).map(|(name, _)| {
        view! { <span class="ref">{name::object_link(Kind::Pod, namespace, name)}</span> " " }
    });
    let rest = (rest > 0).then(|| format!("and {rest} more"));
    view! { {links.collect_view()} {rest} }.into_any()
}
