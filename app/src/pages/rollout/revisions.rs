//! `kubectl rollout history` with what belongs to it: when, which images, how many pods.

use leptos::prelude::*;

use crate::{
    api::{Deployment, Kind, ObjectKey, ReplicaSet},
    components::{gate::Gate, name, store},
    format::{age, images, visible},
    query,
};

/// The revisions of a Deployment, newest first.
#[component]
pub fn Revisions(key: ObjectKey) -> impl IntoView {
    let store = store();
    let running = {
        let (store, key) = (store.clone(), key.clone());
        Memo::new(move |_| store.named::<Deployment>(&key.namespace, &key.name))
    };
    let namespace = key.namespace;
    let revisions = {
        let store = store.clone();
        Memo::new(move |_| {
            running.get().map(|deployment| query::revisions(&deployment, store.rows::<ReplicaSet>().iter()))
        })
    };
    let rows = move || {
        let (deployment, revisions) = (running.get()?, revisions.get()?);
        let rows = revisions.into_iter().rev().map(|(revision, set)| {
            let (now, created) = (store.clone(), set.meta.created);
            let current = deployment.revision == Some(revision);
            view! {
                <tr class:current=current>
                    <th scope="row">{revision} {current.then_some(" (runs now)")}</th>
                    <td>{name::object_link(Kind::ReplicaSet, &namespace, &set.meta.name)}</td>
                    <td>{move || age(created, now.now().seconds())}</td>
                    <td class="right">{set.replicas.current}</td>
                    <td class="image">{visible(&images(&set.replicas.images)).into_owned()}</td>
                    <td>{visible(&set.replicas.change_cause).into_owned()}</td>
                </tr>
            }
        });
        Some(rows.collect_view())
    };
    view! {
        <section aria-labelledby="revisions">
            <h2 id="revisions">"Revisions"</h2>
            <Gate kind=Kind::ReplicaSet>
                <div class="scroll" tabindex="0" role="group" aria-label="Revisions">
                    <table class="plain revisions">
                        <thead>
                            <tr>
                                <th scope="col">"Revision"</th>
                                <th scope="col">"ReplicaSet"</th>
                                <th scope="col">"Age"</th>
                                <th scope="col" class="right">"Pods"</th>
                                <th scope="col">"Images"</th>
                                <th scope="col">"Change cause"</th>
                            </tr>
                        </thead>
                        <tbody>{rows.clone()}</tbody>
                    </table>
                </div>
            </Gate>
        </section>
    }
    .into_any()
}
