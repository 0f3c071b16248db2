//! A cordoned node: what is left on it, and what holds it up.

use std::sync::Arc;

use leptos::prelude::*;

use crate::{
    api::{Kind, Pod, PodDisruptionBudget},
    components::{
        gate::Gate,
        name,
        scroll::{self, words},
        store,
    },
    format::visible,
    query::drain::Drain,
};

/// What a drain has yet to do, while the node is cordoned. Whether anybody drains it, the cluster does not say: pods
/// that leave do.
#[component]
pub fn Draining(
    cordoned: Memo<bool>,
    pods: Memo<Vec<Arc<Pod>>>,
    /// Whether those are all of its pods.
    known: Memo<bool>,
) -> impl IntoView {
    let store = store();
    let drain = Memo::new(move |_| {
        let whole = cordoned.get() && known.get();
        whole.then(|| Drain::of(&pods.get(), &store.current::<PodDisruptionBudget>()))
    });
    let said = move || {
        drain.with(|drain| {
            drain.as_ref().map(|drain| {
                let stay = match drain.staying {
                    0 => String::new(),
                    1 => "; 1 stays, as a DaemonSet's or the kubelet's own".to_owned(),
                    many => format!("; {many} stay, as DaemonSets' or the kubelet's own"),
                };
                let alone = (drain.unmanaged > 0).then(|| {
                    let text = match drain.unmanaged {
                        1 => "1 of them has no controller: a drain wants --force for it.".to_owned(),
                        many => format!("{many} of them have no controller: a drain wants --force for them."),
                    };
                    view! { <p>{text}</p> }
                });
                let left = format!("New pods are kept away; {}{stay}.", drain.sentence());
                view! { <p>{left}</p> {alone} }
            })
        })
    };
    let held = move || {
        drain
            .with(|drain| drain.as_ref().map(|drain| drain.held.clone()))
            .filter(|held| !held.is_empty())
            .map(held_up)
    };
    move || {
        cordoned.get().then(|| {
            view! {
                <section aria-labelledby="drain">
                    <h2 id="drain">"Cordoned"</h2>
                    <Gate kind=Kind::Pod>
                        {said}
                        <Gate kind=Kind::PodDisruptionBudget>{held}</Gate>
                    </Gate>
                </section>
            }
        })
    }
}

/// Pods whose eviction the API server refuses now.
fn held_up(held: Vec<(Arc<Pod>, String)>) -> AnyView {
    let rows = held.into_iter().map(|(pod, why)| {
        view! {
            <tr>
                <th scope="row">{name::link(Kind::Pod, &pod.meta)}</th>
                <td>{pod.meta.namespace.to_string()}</td>
                <td class="message">{visible(&why).into_owned()}</td>
            </tr>
        }
    });
    view! {
        <p>"These may not be evicted now:"</p>
        {scroll::table("Pods that may not be evicted", "", words(["Pod", "Namespace", "Budget"]), rows.collect_view())}
    }
    .into_any()
}
