//! `core/v1` Event, written in either of two styles (client-go `tools/record`, `tools/events`).

use std::sync::Arc;

use app::api::Text;

use super::{meta::ObjectMeta, object, scalar::Time};

object! {
    /// An event.
    pub struct Event {
        /// `metadata`
        pub metadata: ObjectMeta,
        /// `involvedObject`
        pub involved_object: ObjectReference,
        /// `type`: `Normal`, `Warning`
        #[serde(rename = "type")]
        pub kind: Text,
        /// `reason`
        pub reason: Text,
        /// `message`
        pub message: Text,
        /// `source`, old style
        pub source: Source,
        /// `firstTimestamp`, old style
        pub first_timestamp: Time,
        /// `lastTimestamp`, old style
        pub last_timestamp: Time,
        /// `count`, old style
        pub count: i64,
        /// `eventTime`, new style
        pub event_time: Time,
        /// `series`, new style
        pub series: Option<Series>,
        /// `reportingComponent`, new style
        pub reporting_component: Text,
        /// `reportingInstance`, new style
        pub reporting_instance: Text,
    }

    /// What an event is about.
    pub struct ObjectReference {
        /// `kind`
        pub kind: Text,
        /// `namespace`
        pub namespace: Text,
        /// `name`
        pub name: Arc<str>,
        /// `uid`
        pub uid: Arc<str>,
        /// `fieldPath`
        pub field_path: Text,
    }

    /// Who says so.
    pub struct Source {
        /// `component`
        pub component: Text,
        /// `host`
        pub host: Text,
    }

    /// Repetitions.
    pub struct Series {
        /// `count`
        pub count: i64,
        /// `lastObservedTime`
        pub last_observed_time: Time,
    }
}
