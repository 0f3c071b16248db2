//! Events, as each component writes them (client-go `tools/record`, `tools/events`).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::clock::{micro_stamp, parse, stamp};
use super::cluster::Cluster;
use super::resource::EVENTS;

/// kube-apiserver `--event-ttl`.
const TTL_MS: i64 = 3_600_000;
/// More events than this are never kept, however young: the demo runs for months.
const KEPT: usize = 1500;
/// `defaultSpamBurst` and `defaultSpamQPS` of the event correlator.
const BURST: f64 = 25.0;
const PER_MS: f64 = 1.0 / 300_000.0;
/// `defaultAggregateMaxEvents` and `defaultAggregateIntervalInSeconds`.
const SIMILAR: usize = 10;
const SIMILAR_MS: i64 = 600_000;

/// What the components remember of the events they wrote.
#[derive(Default)]
pub(super) struct Recorder {
    /// Namespace and name of an event, by everything that makes two events the same.
    known: BTreeMap<String, (String, String)>,
    /// Tokens left, and since when, by source and object.
    tokens: BTreeMap<String, (f64, i64)>,
    /// Distinct messages of one reason about one object, and when the last of them was written.
    similar: BTreeMap<String, (BTreeSet<String>, i64)>,
    /// Pods the scheduler has given up on until something changes.
    pub(super) unschedulable: BTreeSet<String>,
}

/// Who writes an event.
#[derive(Clone, Debug)]
pub(super) struct Source<'a> {
    pub(super) component: &'a str,
    pub(super) host: &'a str,
}

impl Source<'static> {
    pub(super) const fn controller(component: &'static str) -> Source<'static> {
        Source { component, host: "" }
    }
}

impl<'a> Source<'a> {
    pub(super) fn kubelet(node: &'a str) -> Source<'a> {
        Source { component: "kubelet", host: node }
    }
}

impl Cluster {
    /// An old-style event: identical ones are counted, on the same object.
    pub(super) fn record(
        &mut self,
        source: Source<'_>,
        about: &Value,
        field_path: &str,
        warning: bool,
        reason: &str,
        message: &str,
    ) {
        let object = reference(about, field_path);
        let kind = if warning { "Warning" } else { "Normal" };
        let subject = format!("{}/{}/{}/{kind}", source.component, source.host, object["uid"]);
        let group = format!("{subject}/{field_path}/{reason}");
        if !self.may_record(subject) {
            return;
        }
        let combined = self.combine(&group, message);
        let (same, message) = match combined {
            true => (group, format!("(combined from similar events): {message}")),
            false => (format!("{group}/{message}"), message.to_owned()),
        };
        let now = stamp(self.now);
        if let Some((namespace, name)) = self.recorder.known.get(&same).cloned() {
            let counted = self.update(&EVENTS, &namespace, &name, |event| {
                event["count"] = json!(event["count"].as_i64().unwrap_or(1) + 1);
                event["lastTimestamp"] = json!(now);
                event["message"] = json!(message);
            });
            if counted.is_some() {
                return;
            }
        }
        let (namespace, name) = self.event_name(&object);
        self.recorder.known.insert(same, (namespace.clone(), name.clone()));
        let mut by = json!({"component": source.component});
        if !source.host.is_empty() {
            by["host"] = json!(source.host);
        }
        self.create(json!({
            "kind": "Event", "metadata": {"name": name, "namespace": namespace},
            "involvedObject": object, "reason": reason, "message": message, "source": by,
            "firstTimestamp": now, "lastTimestamp": now, "count": 1, "type": kind,
            "eventTime": null,
            // The aggregated event is a new one, in which nobody fills these in.
            "reportingComponent": if combined { "" } else { source.component },
            "reportingInstance": if combined { "" } else { source.host },
        }));
    }

    /// A new-style event, which only the scheduler writes: no first and last timestamps, and a
    /// series instead of a count.
    pub(super) fn record_scheduling(
        &mut self,
        pod: &Value,
        warning: bool,
        reason: &str,
        action: &str,
        note: &str,
    ) {
        let object = reference(pod, "");
        let same = format!("scheduler/{}/{reason}/{note}", object["uid"]);
        let at = micro_stamp(self.now);
        if let Some((namespace, name)) = self.recorder.known.get(&same).cloned() {
            let counted = self.update(&EVENTS, &namespace, &name, |event| {
                let count = event["series"]["count"].as_i64().unwrap_or(1) + 1;
                event["series"] = json!({"count": count, "lastObservedTime": at});
            });
            if counted.is_some() {
                return;
            }
        }
        let (namespace, name) = self.event_name(&object);
        self.recorder.known.insert(same, (namespace.clone(), name.clone()));
        self.create(json!({
            "kind": "Event", "metadata": {"name": name, "namespace": namespace},
            "involvedObject": object, "reason": reason, "message": note, "source": {},
            "firstTimestamp": null, "lastTimestamp": null,
            "type": if warning { "Warning" } else { "Normal" }, "eventTime": at, "action": action,
            "reportingComponent": "default-scheduler",
            "reportingInstance": "default-scheduler-demo-control-plane",
        }));
    }

    /// Events live an hour after their last repeat, and there are never too many.
    pub(super) fn expire_events(&mut self) {
        let events = self.store.list(&EVENTS, None);
        let mut aged: Vec<(i64, String, String)> = events
            .iter()
            .map(|event| {
                let value = event.tree();
                let last =
                    [&value["series"]["lastObservedTime"], &value["lastTimestamp"], &value["eventTime"]];
                let last = last.into_iter().find_map(|at| parse(at.as_str()?));
                (last.unwrap_or(event.created), event.namespace.clone(), event.name.clone())
            })
            .collect();
        aged.sort();
        let surplus = aged.len().saturating_sub(KEPT);
        for (index, (last, namespace, name)) in aged.into_iter().enumerate() {
            if index < surplus || last + TTL_MS <= self.now {
                self.store.remove(&EVENTS, &namespace, &name);
            }
        }
        let store = &self.store;
        self.recorder.known.retain(|_, (namespace, name)| store.get(&EVENTS, namespace, name).is_some());
        let now = self.now;
        self.recorder.tokens.retain(|_, (_, since)| *since + TTL_MS > now);
        self.recorder.similar.retain(|_, (_, last)| *last + SIMILAR_MS > now);
        let pending = self.pending_uids();
        self.recorder.unschedulable.retain(|uid| pending.contains(uid));
    }

    /// `EventAggregator`: the tenth different message within ten minutes, and all after it, go into
    /// one event.
    fn combine(&mut self, group: &str, message: &str) -> bool {
        let now = self.now;
        let (messages, last) = self.recorder.similar.entry(group.to_owned()).or_default();
        if now - *last > SIMILAR_MS {
            messages.clear();
        }
        *last = now;
        messages.insert(message.to_owned());
        let combined = messages.len() >= SIMILAR;
        if combined {
            messages.pop_first();
        }
        combined
    }

    /// The correlator's spam filter: what is over the rate is lost, as it is in real clusters.
    fn may_record(&mut self, subject: String) -> bool {
        let (left, since) = self.recorder.tokens.entry(subject).or_insert((BURST, self.now));
        *left = (*left + (self.now - *since) as f64 * PER_MS).min(BURST);
        *since = self.now;
        let may = *left >= 1.0;
        if may {
            *left -= 1.0;
        }
        may
    }

    fn event_name(&mut self, object: &Value) -> (String, String) {
        let namespace = object["namespace"].as_str().unwrap_or("default");
        let name = object["name"].as_str().unwrap_or_default();
        // Nanoseconds since 1970, in hexadecimal; the last six digits are the recorder's own.
        let nanos = self.now as u64 * 1_000_000 + self.random.next() % 1_000_000;
        (namespace.to_owned(), format!("{name}.{nanos:x}"))
    }
}

fn reference(about: &Value, field_path: &str) -> Value {
    let metadata = &about["metadata"];
    let mut object = json!({
        "kind": about["kind"], "name": metadata["name"], "uid": metadata["uid"],
        "apiVersion": about["apiVersion"], "resourceVersion": metadata["resourceVersion"],
    });
    if about["kind"] == "Node" {
        object =
            json!({"kind": "Node", "apiVersion": "v1", "name": metadata["name"], "uid": metadata["uid"]});
    } else {
        object["namespace"] = metadata["namespace"].clone();
    }
    if !field_path.is_empty() {
        object["fieldPath"] = json!(field_path);
    }
    object
}
