//! An event's row (`pkg/printers/internalversion/printers.go`, `printEvent`).

use app::api::{Event, Text};

use super::{Translate, count, meta};
use crate::source::object::event as object;

impl Translate for Event {
    type Object = object::Event;

    fn translate(event: object::Event) -> Event {
        let about = &event.involved_object;
        let first = event.first_timestamp.0.or(event.event_time.0);
        let (last, times) = match &event.series {
            Some(series) => (series.last_observed_time.0, count(series.count)),
            // new-style events that happened once have no count
            None if event.count == 0 => (event.last_timestamp.0.or(first), 1),
            None => (event.last_timestamp.0.or(first), count(event.count)),
        };
        Event {
            first,
            last,
            count: times,
            object_kind: about.kind.clone(),
            object_namespace: about.namespace.clone(),
            object_name: about.name.clone(),
            object_uid: meta::uid(&about.uid, &about.namespace, &about.name),
            subobject: about.field_path.clone(),
            source: source(&event),
            component: component(&event).clone(),
            reporting_component: event.reporting_component.clone(),
            meta: meta::meta(&event.metadata),
            kind: event.kind,
            reason: event.reason,
            message: event.message,
        }
    }
}

fn component(event: &object::Event) -> &Text {
    let old = &event.source.component;
    if old.is_empty() { &event.reporting_component } else { old }
}

/// `formatEventSource`: component, and host where known.
fn source(event: &object::Event) -> Text {
    let component = component(event);
    let old = &event.source.host;
    let host = if old.is_empty() { &event.reporting_instance } else { old };
    if host.is_empty() { component.clone() } else { format!("{component}, {host}").into() }
}
