//! Deployments, ReplicationControllers, DaemonSets, StatefulSets and ReplicaSets, with their pods.

use std::sync::Arc;

use leptos::prelude::*;

use super::selecting::OverlapsNote;
use crate::{
    api::{Kind, Pod, ReplicaSet},
    components::{
        filters::{Tools, no_selector},
        frame::Head,
        gate::{Gate, dims, known_in},
        here::Here,
        store,
        table::{Extra, Owned, Table},
    },
    query::{self, Answer, Line, Page},
    selector::SelectorError,
    store::Store,
};

/// What stands behind kubectl's columns.
pub const DEPLOYMENT: &[Extra] =
    &[Extra::Wide("IMAGES"), Extra::Wide("SELECTOR"), Extra::Pods, Extra::Rollout];
/// The same for DaemonSets and StatefulSets, which have more columns, or no SELECTOR.
pub const SETS: &[Extra] = &[Extra::Wide("IMAGES"), Extra::Pods, Extra::Rollout];
/// The same for kinds without rollouts.
pub const REPLICAS: &[Extra] = &[Extra::Wide("IMAGES"), Extra::Wide("SELECTOR"), Extra::Pods];

/// Provides each controller's pods to the tables below.
pub fn provide_owned(store: &Store) -> Owned {
    let store = store.clone();
    let owned =
        Owned(Memo::new(move |_| query::pods_by_owner(&store.rows::<Pod>(), &store.rows::<ReplicaSet>())));
    provide_context(owned);
    owned
}

/// The view.
#[component]
pub fn Workloads() -> impl IntoView {
    let here = Here::get();
    let store = store();
    provide_owned(&store);
    let deployments = part(Kind::Deployment, |_| true);
    let controllers = part(Kind::ReplicationController, |_| true);
    let daemons = part(Kind::DaemonSet, |_| true);
    let stateful = part(Kind::StatefulSet, |_| true);
    let sets = part(Kind::ReplicaSet, |line| !idle(line));
    let old = part(Kind::ReplicaSet, idle);
    let bad = Memo::new(move |_| deployments.with(|answer| answer.as_ref().err().cloned()));
    let olds = move || count(old).unwrap_or_default();
    let (known, dims) = (known(Kind::ReplicaSet), dims(&store, &[Kind::ReplicaSet]));
    view! {
        <Head title=|| "Workloads" />
        <Tools what="workloads" kinds=Page::Workloads.tables().to_vec() />
        <OverlapsNote />
        {move || bad.get().map(|error| no_selector(&here.place(), &error))}
        <Section kind=Kind::Deployment title="Deployments" answer=deployments extra=DEPLOYMENT />
        <Section kind=Kind::ReplicationController title="ReplicationControllers" answer=controllers extra=REPLICAS />
        {unless_none(Kind::DaemonSet, "DaemonSets", daemons)}
        {unless_none(Kind::StatefulSet, "StatefulSets", stateful)}
        <Section kind=Kind::ReplicaSet title="ReplicaSets" answer=sets extra=REPLICAS />
        <details class="old" class:empty=move || olds() == 0>
            <summary>
                {move || {
                    let said = match count(old).filter(|_| known.get()) {
                        Some(olds) => format!("{olds} ReplicaSets scaled to 0"),
                        None => "ReplicaSets scaled to 0".to_owned(),
                    };
                    view! { <span class:was=move || dims.get()>{said}</span> }
                }}
            </summary>
            <div class="gate drawn" class:stale=move || dims.get()>
                <Table kind=Kind::ReplicaSet answer=old caption="ReplicaSets scaled to 0" extra=REPLICAS />
            </div>
        </details>
    }
    .into_any()
}

/// Whether all that the place shows of a kind is here.
fn known(kind: Kind) -> Memo<bool> {
    let (here, store) = (Here::get(), store());
    Memo::new(move |_| known_in(&store, kind, &here.place().namespaces))
}

/// How many match; of what is no selector nothing is said.
fn count(answer: Memo<Result<Answer, SelectorError>>) -> Option<usize> {
    answer.with(|answer| answer.as_ref().ok().map(|answer| answer.matches))
}

/// The rows of a kind that the place and `keep` keep.
fn part(kind: Kind, keep: fn(&dyn Line) -> bool) -> Memo<Result<Answer, SelectorError>> {
    let here = Here::get();
    let store = store();
    Memo::new(move |_| {
        let mut lines = store.lines(kind);
        lines.retain(|line| keep(&**line));
        query::answer(kind, lines, &here.place())
    })
}

/// A ReplicaSet that wants no pods and has none: what a Deployment keeps to undo to.
fn idle(line: &dyn Line) -> bool {
    let any: &dyn std::any::Any = line;
    any.downcast_ref::<ReplicaSet>().is_some_and(|set| set.replicas.desired == 0 && set.replicas.current == 0)
}

/// A section that is left out where the cluster is known to have none of its kind: the tutorial's
/// clusters stay as small as they are. What is not listed yet, or refused, says so.
fn unless_none(
    kind: Kind,
    title: &'static str,
    answer: Memo<Result<Answer, SelectorError>>,
) -> impl IntoView {
    let store = store();
    let none = Memo::new(move |_| {
        // Rows that have just gone are still drawn.
        let drawn = answer.with(|answer| answer.as_ref().map_or(0, |answer| answer.of));
        store.count(kind) == 0 && drawn == 0 && known_in(&store, kind, &[])
    });
    move || (!none.get()).then(|| view! { <Section kind title answer extra=SETS /> })
}

#[component]
fn Section(
    kind: Kind,
    title: &'static str,
    answer: Memo<Result<Answer, SelectorError>>,
    extra: &'static [Extra],
) -> impl IntoView {
    let id = format!("section-{}", kind.plural());
    let (known, store) = (known(kind), store());
    let old = Memo::new(move |_| store.freshness(kind).dims());
    let none = move || {
        answer
            .with(|answer| answer.as_ref().ok().filter(|answer| answer.matches == 0).map(|answer| answer.of))
            .filter(|_| known.get())
            .map(|of| {
                let said = if of == 0 { "None.".to_owned() } else { format!("None that match, of {of}.") };
                view! { <p class="nothing">{said}</p> }
            })
    };
    view! {
        <section aria-labelledby=id.clone()>
            <h2 id=id.clone()>{title} " " <span class="count drawn" class:was=move || old.get()>{move || count(answer).filter(|_| known.get())}</span></h2>
            <Gate kind>
                <Table kind answer caption=title sortable=true extra />
                {none}
            </Gate>
        </section>
    }
    .into_any()
}

/// Lines of one kind as a table's answer, in kubectl's order.
pub fn fixed(kind: Kind, lines: Vec<Arc<dyn Line>>) -> Result<Answer, SelectorError> {
    query::answer(kind, lines, &query::Place::default())
}
