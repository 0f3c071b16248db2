//! One Deployment, DaemonSet, StatefulSet, ReplicaSet or ReplicationController: what it wants, what it
//! has, its pods.

use std::sync::Arc;

use leptos::prelude::*;

use super::{
    containers::Containers,
    object::{Events, Found, absence, common, conditions, detail, fact, follow, owners},
    placement::Fits,
    pod::placement,
    probes::ProbesOf,
    selecting::Selects,
    services::around,
    workloads::{REPLICAS, fixed, provide_owned},
};
use crate::{
    api::{
        DaemonSet, Deployment, Kind, ObjectKey, ReplicaSet, ReplicationController, Row, StatefulSet, Text,
        detail::Role,
    },
    components::{
        command::copyable,
        frame::Head,
        gate::Gate,
        here::Here,
        icon, name, store,
        table::{Owned, Table},
        tiles::Tiles,
    },
    format::visible,
    query::{Line, Page, rollout},
    store::Store,
};

/// The view.
#[component]
pub fn WorkloadPage(key: ObjectKey) -> impl IntoView {
    match key.kind {
        Kind::Deployment => of::<Deployment>(key, deployment).into_any(),
        Kind::DaemonSet => of::<DaemonSet>(key, daemon_set).into_any(),
        Kind::StatefulSet => of::<StatefulSet>(key, stateful_set).into_any(),
        Kind::ReplicaSet => of::<ReplicaSet>(key, |row, store| {
            let revision = row.replicas.revision.map(|revision| fact("Revision", revision.to_string()));
            view! { {owners(store, &row.meta)} {replicas(&row.replicas)} {revision} }.into_any()
        })
        .into_any(),
        _ => of::<ReplicationController>(key, |row, _| replicas(&row.replicas)).into_any(),
    }
}

fn of<T: Row>(key: ObjectKey, facts: fn(&Arc<T>, &Store) -> AnyView) -> impl IntoView {
    let store = store();
    let Owned(owned) = provide_owned(&store);
    let found = follow::<T>(&store, &key);
    let detail = detail(&store, &key);
    let uid = Memo::new(move |_| found.with(|found| found.last().map(|row| row.meta().uid)));
    let uids = Signal::derive(move || {
        uid.get().and_then(|uid| owned.with(|owned| owned.get(&uid).cloned())).unwrap_or_default()
    });
    let title = {
        let name = key.name.clone();
        move || name::cut(&name)
    };
    let status = move || {
        found.with(|found| {
            found.last().map(|row| {
                view! {
                    <span class="status">{icon::shape(row.health())} {row.health().word()}</span>
                    <span class="why">{visible(row.why()).into_owned()}</span>
                }
            })
        })
    };
    let pods = {
        let store = store.clone();
        Memo::new(move |_| {
            let lines = uids.get().into_iter().filter_map(|uid| store.line(Kind::Pod, uid)).collect();
            fixed(Kind::Pod, lines)
        })
    };
    // A template's node selector and tolerations; a workload has no placement of its own.
    let template = move || {
        detail
            .get()
            .filter(|detail| detail.containers.iter().any(|c| c.role == Role::Regular))
            .map(|detail| placement(&detail))
    };
    let command = key.kind.rolls_out().then(|| copyable(rollout(&key)));
    // Most ReplicaSets are a part of their Deployment's.
    let picture = (key.kind != Kind::ReplicaSet).then(|| {
        let href = Here::get().place_now().elsewhere(Page::Rollout(key.clone())).href();
        view! { <p><a href=href>"Its pods through their stations, and how many there were"</a></p> }
    });
    view! {
        <Head title=title of=vec![key.kind] aside=status />
        {command}
        {picture}
        <Gate kind=key.kind>
            {absence(found, key.clone())}
            <div class="object" class:gone=move || found.with(|found| matches!(found, Found::Gone(..)))>
                <dl class="facts">
                    {
                        let store = store.clone();
                        move || {
                            found.with(|found| {
                                found.last().map(|row| view! { {common(&store, T::KIND, row.meta())} {facts(row, &store)} })
                            })
                        }
                    }
                    {around(&store, &key, detail)}
                    {template}
                </dl>
                {(key.kind == Kind::Deployment).then(|| view! { <Sets uid=uid.into() /> })}
                <Fits kind=key.kind uid detail />
                <section aria-labelledby="owned-pods">
                    <h2 id="owned-pods">"Its pods"</h2>
                    <Gate kind=Kind::Pod>
                        <Tiles kind=Kind::Pod uids label="Its pods" />
                        <Table kind=Kind::Pod answer=pods caption="Its pods" />
                    </Gate>
                </section>
                <ProbesOf uid />
                <Selects uid=uid.into() />
                <Containers detail />
                {conditions(&store, detail)}
                <Events uid=uid.into() />
            </div>
        </Gate>
    }
    .into_any()
}

fn deployment(row: &Arc<Deployment>, _store: &Store) -> AnyView {
    let paused = row.paused.then(|| fact("Paused", "yes: changes to its template do not roll out"));
    view! {
        {rollout_fact(&**row)}
        {fact("Replicas", format!(
            "{} desired, {} there, {} up to date, {} ready, {} available",
            row.desired, row.current, row.updated, row.ready, row.available,
        ))}
        {selector(&row.selector)}
        {row.revision.map(|revision| fact("Revision", revision.to_string()))}
        {paused}
    }
    .into_any()
}

fn daemon_set(row: &Arc<DaemonSet>, store: &Store) -> AnyView {
    view! {
        {row.meta.owner.is_some().then(|| owners(store, &row.meta))}
        {rollout_fact(&**row)}
        {fact("Nodes", format!(
            "{} desired, {} with its pod, {} up to date, {} ready, {} available",
            row.desired, row.current, row.updated, row.ready, row.available,
        ))}
        {selector(&row.selector)}
    }
    .into_any()
}

fn stateful_set(row: &Arc<StatefulSet>, store: &Store) -> AnyView {
    view! {
        {row.meta.owner.is_some().then(|| owners(store, &row.meta))}
        {rollout_fact(&**row)}
        {fact("Replicas", format!(
            "{} desired, {} there, {} up to date, {} ready, {} available",
            row.desired, row.current, row.updated, row.ready, row.available,
        ))}
        {selector(&row.selector)}
    }
    .into_any()
}

/// The sentence of `kubectl rollout status`.
fn rollout_fact(row: &impl Row) -> Option<AnyView> {
    row.rollout().map(|rollout| {
        fact("Rollout", view! { <span class="says">{visible(&rollout.sentence).into_owned()}</span> })
    })
}

fn replicas(replicas: &crate::api::replicas::Replicas) -> AnyView {
    let cause = (!replicas.change_cause.is_empty())
        .then(|| fact("Change cause", visible(&replicas.change_cause).into_owned()));
    view! {
        {fact("Replicas", format!(
            "{} desired, {} there, {} ready, {} available",
            replicas.desired, replicas.current, replicas.ready, replicas.available,
        ))}
        {selector(&replicas.selector)}
        {cause}
    }
    .into_any()
}

/// The selector, as a link to the pods that match it, owned or not.
fn selector(text: &Text) -> AnyView {
    let shown = text.to_string();
    let href =
        Here::get().place_now().elsewhere(Page::Pods).with(|place| place.selector = shown.clone()).href();
    fact("Selector", view! { <a class="image" href=href>{shown}</a> })
}

/// A Deployment's ReplicaSets, newest revision first.
#[component]
fn Sets(uid: Signal<Option<crate::api::Uid>>) -> impl IntoView {
    let store = store();
    let answer = Memo::new(move |_| {
        let wanted = uid.get();
        let mut sets = store.rows::<ReplicaSet>();
        sets.retain(|set| wanted.is_some() && set.meta.owner.as_ref().map(|owner| owner.uid) == wanted);
        fixed(Kind::ReplicaSet, sets.into_iter().map(|set| set as Arc<dyn Line>).collect())
    });
    view! {
        <section aria-labelledby="sets">
            <h2 id="sets">"ReplicaSets"</h2>
            <Gate kind=Kind::ReplicaSet>
                <Table kind=Kind::ReplicaSet answer caption="Its ReplicaSets" extra=REPLICAS />
            </Gate>
        </section>
    }
    .into_any()
}
