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
            meta: meta::meta(&event.metadata),
            kind: event.kind,
            reason: event.reason,
            message: event.message,
        }
    }
}

/// `formatEventSource`: component, and host where known.
fn source(event: &object::Event) -> Text {
    let first = |a: &Text, b: &Text| if a.is_empty() { b.clone() } else { a.clone() };
    let component = first(&event.source.component, &event.reporting_component);
    let host = first(&event.source.host, &event.reporting_instance);
    if host.is_empty() { component } else { format!("{component}, {host}").into() }
}
