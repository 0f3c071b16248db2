//! Services seen from what is behind them: on the pages of pods and of workloads.

use std::sync::Arc;

use leptos::prelude::*;

use super::super::object::{Found, fact};
use crate::{
    api::{Detail, EndpointSlice, Kind, Labels, ObjectKey, Pod, PodDisruptionBudget, Service},
    components::{
        gate::{Gate, known_in, missing},
        icon, name,
        scroll::{self, words},
        store,
    },
    format::visible,
    query::endpoints::{self, Standing},
    store::Store,
};

/// What says who is behind a Service.
const SERVICES: [Kind; 2] = [Kind::Service, Kind::EndpointSlice];

/// The Services of a pod, how it stands in each and why, or what is missing to say so.
type Served = Result<Vec<(Arc<Service>, Standing, String)>, String>;

/// Which Services a pod is behind, and whether its address is in each.
#[component]
pub fn ServedBy(pod: Memo<Found<Pod>>) -> impl IntoView {
    let store = store();
    let there = Memo::new(move |_| pod.with(|pod| matches!(pod, Found::Here(_))));
    let services: Memo<Served> = Memo::new(move |_| {
        let Found::Here(pod) = pod.get() else { return Ok(Vec::new()) };
        if let Some(missing) = missing(&store, &SERVICES, &[pod.meta.namespace.to_string()]) {
            return Err(missing);
        }
        let services =
            endpoints::services_of(&pod, &store.current::<Service>(), &store.current::<EndpointSlice>());
        let told = services.into_iter().map(|(service, standing)| (service, standing, why(&pod, standing)));
        Ok(told.collect())
    });
    let rows = move || match services.get() {
        Err(missing) => view! { <p class="nothing">{missing}</p> }.into_any(),
        Ok(services) if services.is_empty() => {
            view! { <p class="nothing">"No Service selects it."</p> }.into_any()
        }
        Ok(services) => table(&services),
    };
    move || {
        there.get().then(|| {
            view! {
                <section aria-labelledby="served-by">
                    <h2 id="served-by">"Services"</h2>
                    <Gate kind=Kind::Service>
                        <Gate kind=Kind::EndpointSlice>{rows}</Gate>
                    </Gate>
                </section>
            }
        })
    }
}

fn why(pod: &Pod, standing: Standing) -> String {
    match standing {
        Standing::Ready => String::new(),
        Standing::Absent => endpoints::absent(pod).to_owned(),
        _ => pod.why.to_string(),
    }
}

fn table(services: &[(Arc<Service>, Standing, String)]) -> AnyView {
    let rows = services.iter().map(|(service, standing, why)| {
        view! {
            <tr>
                <th scope="row">{name::link(Kind::Service, &service.meta)}</th>
                <td>{icon::shape(standing.health())} " " {standing.word()}</td>
                <td class="message">{visible(why).into_owned()}</td>
                <td>{visible(&service.kind).into_owned()}</td>
                <td>{visible(&service.ports_cell()).into_owned()}</td>
            </tr>
        }
    });
    let columns = words(["Service", "Its address there", "Why", "Type", "Ports"]);
    scroll::table("Services of this pod", "", columns, rows.collect_view())
}

/// What stands around a workload's pods, as facts: the Services that select them, and the budgets that cover them.
pub fn around(
    store: &Store,
    key: &ObjectKey,
    detail: Memo<Option<Arc<Detail>>>,
) -> impl Fn() -> Option<AnyView> + use<> {
    let (store, namespace) = (store.clone(), key.namespace.clone());
    move || {
        let labels = detail.with(|detail| Some(detail.as_ref()?.template.as_ref()?.labels.clone()))?;
        Some(
            view! {
                {fact("Services", selecting(&store, &namespace, &labels))}
                {fact("Budgets", covering(&store, &namespace, &labels))}
            }
            .into_any(),
        )
    }
}

fn selecting(store: &Store, namespace: &str, labels: &Labels) -> AnyView {
    let within = [namespace.to_owned()];
    if !SERVICES.iter().all(|kind| known_in(store, *kind, &within)) {
        return "not known".into_any();
    }
    let old = SERVICES.iter().any(|kind| store.freshness(*kind).dims());
    let mut services = store.current::<Service>();
    services.retain(|service| service.selects(namespace, labels));
    if services.is_empty() {
        return view! { <span class:was=old>"none selects its pods"</span> }.into_any();
    }
    services.sort_by(|a, b| a.meta.name.cmp(&b.meta.name));
    let tallies = endpoints::tallies(&store.current::<EndpointSlice>());
    let lines = services.iter().map(|service| {
        let tally = endpoints::tally_of(service, &tallies).unwrap_or_default();
        view! {
            <li>
                {icon::state(tally.health())} " " {name::link(Kind::Service, &service.meta)} ": " {tally.sentence()}
            </li>
        }
    });
    view! { <ul class="plain-list" class:was=old>{lines.collect_view()}</ul> }.into_any()
}

fn covering(store: &Store, namespace: &str, labels: &Labels) -> AnyView {
    if !known_in(store, Kind::PodDisruptionBudget, &[namespace.to_owned()]) {
        return "not known".into_any();
    }
    let old = store.freshness(Kind::PodDisruptionBudget).dims();
    let mut budgets = store.current::<PodDisruptionBudget>();
    budgets.retain(|budget| {
        *budget.meta.namespace == *namespace
            && budget.selects().is_some_and(|selector| selector.matches(labels))
    });
    if budgets.is_empty() {
        return view! { <span class:was=old>"none covers its pods"</span> }.into_any();
    }
    budgets.sort_by(|a, b| a.meta.name.cmp(&b.meta.name));
    let lines = budgets.iter().map(|budget| {
        let said = format!(
            "{}: {}; {} may be evicted now",
            budget.meta.name,
            budget.asks(),
            budget.disruptions_allowed
        );
        view! { <li title=visible(&budget.why).into_owned()>{icon::state(budget.health)} " " {visible(&said).into_owned()}</li> }
    });
    // `pkg/registry/core/pod/storage/eviction.go`
    let several = (budgets.len() > 1)
        .then(|| view! { <li>"More than one covers them: their pods cannot be evicted at all."</li> });
    view! { <ul class="plain-list" class:was=old>{lines.collect_view()} {several}</ul> }.into_any()
}
