//! An event, as `kubectl get events -o wide` sees it. Read from core/v1, which both recorders fill.

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Column, Field, Health, Kind, Meta, Row, Text, Timestamp, Uid};
use crate::format::age;

/// An event's row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Identity and names of the event itself.
    pub meta: Meta,
    /// `firstTimestamp`, else `eventTime`.
    pub first: Option<Timestamp>,
    /// `series.lastObservedTime`, else `lastTimestamp`, else `first`.
    pub last: Option<Timestamp>,
    /// `series.count`, else `count`, where 0 stands for 1.
    pub count: i32,
    /// `Normal` or `Warning`.
    #[serde(rename = "type")]
    pub kind: Text,
    /// A word: `Unhealthy`, `FailedScheduling`…
    pub reason: Text,
    /// `involvedObject.kind`.
    pub object_kind: Text,
    /// `involvedObject.namespace`.
    pub object_namespace: Text,
    /// `involvedObject.name`.
    pub object_name: Arc<str>,
    /// `involvedObject.uid`.
    pub object_uid: Uid,
    /// `involvedObject.fieldPath`: `spec.containers{NAME}`.
    pub subobject: Text,
    /// Who says so: component, and host where known.
    pub source: Text,
    /// `source.component`, else `reportingComponent`.
    pub component: Text,
    /// `reportingComponent`.
    pub reporting_component: Text,
    /// What happened, in its words.
    pub message: Text,
}

impl Event {
    /// OBJECT: `pod/NAME`, or the kind alone.
    pub fn object(&self) -> String {
        // letter by letter, as Go's `strings.ToLower`; Rust's has another letter for the last of a word
        let kind: String = self.object_kind.chars().filter_map(|c| c.to_lowercase().next()).collect();
        if self.object_name.is_empty() { kind } else { format!("{kind}/{}", self.object_name) }
    }

    /// The container it is about, if its field path names one (kubelet `pkg/kubelet/container/ref.go`,
    /// `fieldPath`).
    pub fn container(&self) -> Option<&str> {
        let (list, name) = self.subobject.strip_suffix('}')?.split_once('{')?;
        let list = list.strip_prefix("spec.")?;
        matches!(list, "containers" | "initContainers" | "ephemeralContainers").then_some(name)
    }

    /// Whether it warns.
    pub fn warns(&self) -> bool {
        self.kind == "Warning"
    }
}

impl Row for Event {
    const KIND: Kind = Kind::Event;
    const COLUMNS: &'static [Column<Event>] = &[
        Column::<Self>::new(
            "LAST SEEN",
            |event, now| age(event.last, now).into(),
            |a, b| b.last.cmp(&a.last),
        )
        .ticking(),
        Column::<Self>::new("TYPE", |event, _| Cow::Borrowed(&event.kind), |a, b| a.kind.cmp(&b.kind)),
        Column::<Self>::new(
            "REASON",
            |event, _| Cow::Borrowed(&event.reason),
            |a, b| a.reason.cmp(&b.reason),
        ),
        Column::<Self>::new("OBJECT", |event, _| event.object().into(), |a, b| a.object().cmp(&b.object())),
        Column::<Self>::new(
            "SUBOBJECT",
            |event, _| Cow::Borrowed(&event.subobject),
            |a, b| a.subobject.cmp(&b.subobject),
        )
        .wide(),
        Column::<Self>::new(
            "SOURCE",
            |event, _| Cow::Borrowed(&event.source),
            |a, b| a.source.cmp(&b.source),
        )
        .wide(),
        Column::<Self>::new(
            "MESSAGE",
            |event, _| Cow::Borrowed(event.message.trim()),
            |a, b| a.message.cmp(&b.message),
        ),
        Column::<Self>::new(
            "FIRST SEEN",
            |event, now| age(event.first, now).into(),
            |a, b| b.first.cmp(&a.first),
        )
        .wide()
        .ticking(),
        Column::<Self>::new("COUNT", |event, _| event.count.to_string().into(), |a, b| a.count.cmp(&b.count))
            .wide()
            .right(),
        Column::<Self>::name().wide(),
    ];
    /// `pkg/registry/core/event/strategy.go`, `ToSelectableFields`.
    const FIELDS: &'static [Field<Event>] = &[
        Field::name(),
        Field::namespace(),
        Field::new("involvedObject.kind", |event| Cow::Borrowed(&event.object_kind)),
        Field::new("involvedObject.namespace", |event| Cow::Borrowed(&event.object_namespace)),
        Field::new("involvedObject.name", |event| Cow::Borrowed(&event.object_name)),
        Field::not_kept("involvedObject.uid"),
        Field::not_kept("involvedObject.apiVersion"),
        Field::not_kept("involvedObject.resourceVersion"),
        Field::new("involvedObject.fieldPath", |event| Cow::Borrowed(&event.subobject)),
        Field::new("reason", |event| Cow::Borrowed(&event.reason)),
        Field::new("reportingComponent", |event| Cow::Borrowed(&event.reporting_component)),
        Field::new("source", |event| Cow::Borrowed(&event.component)),
        Field::new("type", |event| Cow::Borrowed(&event.kind)),
    ];

    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
    fn other_uids(&mut self, visit: &mut dyn FnMut(&mut Uid)) {
        visit(&mut self.object_uid);
    }
    fn health(&self) -> Health {
        if self.warns() { Health::Failing } else { Health::Healthy }
    }
}
