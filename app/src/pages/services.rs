//! Services: what leads to pods, and whether anybody answers there.

mod around;
mod members;
mod slice;

use std::sync::Arc;

pub use around::{ServedBy, around};
use leptos::prelude::*;
use members::Members;
pub use slice::EndpointSlicePage;

use super::{
    listing::Listing,
    object::{Events, Found, absence, common, conditions, detail, fact, follow},
};
use crate::{
    api::{Align, Detail, EndpointSlice, Kind, ObjectKey, Pod, Service, service::ServicePort},
    components::{
        chip,
        frame::Head,
        gate::{Gate, dims, is_seen_in, known_in},
        here::Here,
        icon, name, scroll, store,
        table::Addresses,
    },
    format::visible,
    query::{
        Page,
        endpoints::{self, Member},
    },
    store::Store,
};

/// All of them, with how many of their addresses are ready.
#[component]
pub fn Services() -> impl IntoView {
    let store = store();
    let here = Here::get();
    let old = dims(&store, &[Kind::EndpointSlice]);
    let tallies = Memo::new(move |_| {
        let whole = store.partial().is_none() && store.state(Kind::EndpointSlice).listed();
        whole.then(|| {
            let tallies = endpoints::tallies(&store.current::<EndpointSlice>());
            let services = store.current::<Service>();
            services
                .iter()
                // who is behind others is not known
                .filter(|service| is_seen_in(&store, Kind::EndpointSlice, &service.meta.namespace))
                .map(|service| (service.meta.uid, endpoints::tally_of(service, &tallies)))
                .collect()
        })
    });
    provide_context(Addresses { tallies, old });
    let slices = move || here.place().elsewhere(Page::EndpointSlices).href();
    let note = move || {
        view! { <p><a href=slices>"EndpointSlices"</a>": the addresses behind them, as Kubernetes keeps them"</p> }
    };
    view! { <Listing kind=Kind::Service note /> }
}

/// One Service: where it is reached, who is behind it.
#[component]
pub fn ServicePage(key: ObjectKey) -> impl IntoView {
    let store = store();
    let found = follow::<Service>(&store, &key);
    let detail = detail(&store, &key);
    let namespace = StoredValue::new(key.namespace.clone());
    let uid = Memo::new(move |_| found.with(|found| found.last().map(|service| service.meta.uid)));
    let title = {
        let name = key.name.clone();
        move || name::cut(&name)
    };
    let members = {
        let store = store.clone();
        Memo::new(move |_| {
            let service = found.with(|found| found.last().cloned())?;
            known_in(&store, Kind::EndpointSlice, &[namespace.get_value()]).then(|| {
                endpoints::members(&service, &store.current::<EndpointSlice>(), &store.current::<Pod>())
            })
        })
    };
    let pods = {
        let store = store.clone();
        Memo::new(move |_| known_in(&store, Kind::Pod, &[namespace.get_value()]))
    };
    let old = dims(&store, &[Kind::Pod]);
    let note = move || {
        found.with(|found| {
            let service = found.last()?;
            members.with(|members| {
                let said = without(service, members.as_ref()?, pods.get())?;
                Some(view! { <p class="notice" role="note">{said}</p> })
            })
        })
    };
    view! {
        <Head title=title of=vec![Kind::Service] aside=move || view! { <Status found members /> } />
        <Gate kind=Kind::Service>
            {absence(found, key.clone())}
            <div class="object" class:gone=move || found.with(|found| matches!(found, Found::Gone(..)))>
                {
                    let store = store.clone();
                    move || found.with(|found| found.last().map(|service| facts(&store, service, detail)))
                }
                {move || found.with(|found| found.last().map(ports))}
                <section aria-labelledby="addresses">
                    <h2 id="addresses">"Addresses"</h2>
                    <Gate kind=Kind::EndpointSlice>
                        <div class="gate drawn" class:stale=move || old.get()>
                            {note}
                            <Members members caption="Addresses of this Service" namespace of_slice=false />
                        </div>
                    </Gate>
                </section>
                {conditions(&store, detail)}
                <Events uid=uid.into() />
            </div>
        </Gate>
    }
    .into_any()
}

/// What is to be said of the Service itself, and how many of its addresses are ready.
#[component]
fn Status(found: Memo<Found<Service>>, members: Memo<Option<Vec<Member>>>) -> impl IntoView {
    // the addresses may be older than the Service
    let old = dims(&store(), &[Kind::EndpointSlice]);
    move || {
        found.with(|found| {
            let service = found.last()?;
            let own = (!service.why.is_empty()).then(|| {
                view! {
                    <span class="status">{icon::shape(service.health)} {service.health.word()}</span>
                    <span class="why">{visible(&service.why).into_owned()}</span>
                }
            });
            let tally = members.with(|members| members.as_ref().map(|members| endpoints::tally(members)));
            let said = tally.filter(|_| service.kind != "ExternalName").map(|tally| {
                view! { <span class="status" class:was=move || old.get()>{icon::state(tally.health())} {tally.sentence()}</span> }
            });
            Some(view! { {own} {said} })
        })
    }
}

/// Why nobody is behind a Service, where that is known: of pods only once they are.
fn without(service: &Service, members: &[Member], pods: bool) -> Option<String> {
    if service.kind == "ExternalName" {
        return Some(format!(
            "It is another name for {}; nobody of this cluster is behind it.",
            visible(&service.external_name)
        ));
    }
    if !members.is_empty() {
        return None;
    }
    Some(match &service.selector {
        Some(_) if !pods => return None,
        Some(selector) => {
            format!("No pod of this namespace has the labels {}.", visible(&selector.to_string()))
        }
        None => "It has no selector: its addresses are whatever EndpointSlices somebody writes for it, and there are none.".to_owned(),
    })
}

fn facts(store: &Store, service: &Arc<Service>, detail: Memo<Option<Arc<Detail>>>) -> AnyView {
    let here = Here::get().place_now();
    let selector = match &service.selector {
        None => "<none>".into_any(),
        Some(selector) => {
            let (namespace, text) = (service.meta.namespace.to_string(), selector.to_string());
            let pods = here.elsewhere(Page::Pods).with(|place| {
                place.namespaces = vec![namespace];
                place.selector = text;
            });
            view! { {chip::labels(Kind::Pod, selector)} <a class="aside" href=pods.href()>"pods that have them"</a> }
                .into_any()
        }
    };
    let unready = service
        .publish_not_ready
        .then(|| fact("Unready addresses", "published: its pods count as ready before they are"));
    let headless = service.is_headless().then_some(" (headless: its name leads to the addresses themselves)");
    let others = move || {
        detail.get().map(|detail| {
            detail
                .facts
                .iter()
                .map(|(term, value)| fact(term.to_string(), visible(value).into_owned()))
                .collect_view()
        })
    };
    view! {
        <dl class="facts">
            {common(store, Kind::Service, &service.meta)}
            {fact("Type", visible(&service.kind).into_owned())}
            {fact("Cluster IP", view! { {visible(service.cluster_ip()).into_owned()} {headless} })}
            {fact("External IP", visible(&service.external_ip()).into_owned())}
            {fact("Selector", selector)}
            {unready}
            {others}
        </dl>
    }
    .into_any()
}

/// Its own ports, and where they lead.
fn ports(service: &Arc<Service>) -> Option<AnyView> {
    if service.ports.is_empty() {
        return None;
    }
    let row = |port: &ServicePort| {
        let or_unset =
            |text: &str| if text.is_empty() { "<unset>".to_owned() } else { visible(text).into_owned() };
        let node = if port.node_port > 0 { port.node_port.to_string() } else { "<none>".to_owned() };
        view! {
            <tr>
                <th scope="row">{or_unset(&port.name)}</th>
                <td class="right">{port.port}</td>
                <td>{or_unset(&port.target)}</td>
                <td class="right">{node}</td>
                <td>{visible(&port.protocol).into_owned()}</td>
                <td>{or_unset(&port.app_protocol)}</td>
            </tr>
        }
    };
    let rows = service.ports.iter().map(row).collect_view();
    let columns = [
        ("Name", Align::Left),
        ("Port", Align::Right),
        ("Target port", Align::Left),
        ("Node port", Align::Right),
        ("Protocol", Align::Left),
        ("App protocol", Align::Left),
    ];
    Some(
        view! {
            <section aria-labelledby="ports">
                <h2 id="ports">"Ports"</h2>
                {scroll::table("Ports", "", columns, rows)}
            </section>
        }
        .into_any(),
    )
}
