//! One EndpointSlice.

use std::sync::Arc;

use leptos::prelude::*;

use super::{
    super::object::{Events, Found, absence, common, fact, follow, owners},
    members::Members,
};
use crate::{
    api::{EndpointSlice, Kind, ObjectKey, Pod},
    components::{
        frame::Head,
        gate::{Gate, dims},
        name, store,
    },
    format::visible,
    query::endpoints::members_of,
    store::Store,
};

/// The view.
#[component]
pub fn EndpointSlicePage(key: ObjectKey) -> impl IntoView {
    let store = store();
    let found = follow::<EndpointSlice>(&store, &key);
    let namespace = StoredValue::new(key.namespace.clone());
    let uid = Memo::new(move |_| found.with(|found| found.last().map(|slice| slice.meta.uid)));
    let title = {
        let name = key.name.clone();
        move || name::cut(&name)
    };
    let members = {
        let store = store.clone();
        Memo::new(move |_| {
            let slice = found.with(|found| found.last().cloned())?;
            Some(members_of(&slice, &store.current::<Pod>()))
        })
    };
    // why an address is not ready, its pod says
    let old = dims(&store, &[Kind::Pod]);
    view! {
        <Head title=title />
        <Gate kind=Kind::EndpointSlice>
            {absence(found, key.clone())}
            <div class="object" class:gone=move || found.with(|found| matches!(found, Found::Gone(..)))>
                {
                    let store = store.clone();
                    move || found.with(|found| found.last().map(|slice| facts(&store, slice)))
                }
                <section aria-labelledby="endpoints">
                    <h2 id="endpoints">"Endpoints"</h2>
                    <div class="gate drawn" class:stale=move || old.get()>
                        <Members members caption="Endpoints of this slice" namespace of_slice=true />
                    </div>
                </section>
                <Events uid=uid.into() />
            </div>
        </Gate>
    }
    .into_any()
}

fn facts(store: &Store, slice: &Arc<EndpointSlice>) -> AnyView {
    let service = if slice.service.is_empty() {
        "<none>".into_any()
    } else {
        name::object_link(Kind::Service, &slice.meta.namespace, &slice.service)
    };
    let ports = slice.ports.iter().map(|port| {
        let name = port.name.as_deref().filter(|name| !name.is_empty()).unwrap_or("<unset>");
        let number = port.port.map_or_else(|| "all ports".to_owned(), |number| number.to_string());
        let app =
            if port.app_protocol.is_empty() { String::new() } else { format!(" ({})", port.app_protocol) };
        view! { <li>{visible(&format!("{name} {number}/{}{app}", port.protocol)).into_owned()}</li> }
    });
    let ports = if slice.ports.is_empty() {
        "<unset>".into_any()
    } else {
        view! { <ul class="plain-list">{ports.collect_view()}</ul> }.into_any()
    };
    view! {
        <dl class="facts">
            {common(store, Kind::EndpointSlice, &slice.meta)}
            {fact("Service", service)}
            {owners(store, &slice.meta)}
            {fact("Address type", visible(&slice.address_type).into_owned())}
            {fact("Ports", ports)}
        </dl>
    }
    .into_any()
}
