//! One version of one object, as the store keeps it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde_json::Value;

use super::clock;
use super::resource::Resource;

/// One version of one object: its JSON, and the few fields the server and controllers select by.
///
/// The tree is kept for the current objects of a small cluster only: ten thousand pods as `Value`
/// are a gigabyte, as text ninety megabytes.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) json: Bytes,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
    pub(super) version: u64,
    pub(super) labels: BTreeMap<String, String>,
    /// UID of the controlling owner.
    pub(super) owner: String,
    pub(super) created: i64,
    pub(super) deleting: bool,
    /// When condition Ready became True, if it is.
    pub(super) ready_since: Option<i64>,
    fields: Vec<(&'static str, String)>,
    tree: Mutex<Option<Arc<Value>>>,
}

/// Whether a field selector may name this path.
pub(super) fn selectable(resource: &Resource, path: &str) -> bool {
    matches!(path, "metadata.name" | "metadata.namespace") || indexed(resource).contains(&path)
}

/// Paths a field selector may name, beside those of the metadata.
fn indexed(resource: &Resource) -> &'static [&'static str] {
    match resource.kind {
        "Pod" => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        "Event" => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        "Node" => &["spec.unschedulable"],
        "Namespace" => &["status.phase"],
        "ReplicaSet" | "ReplicationController" => &["status.replicas"],
        _ => &[],
    }
}

impl Object {
    pub(super) fn new(resource: &Resource, value: Value, version: u64) -> Object {
        Object::index(resource, &value, version).keep(value)
    }

    fn keep(self, value: Value) -> Object {
        *self.tree.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(value));
        self
    }

    /// For an object that is no longer current, or one of very many.
    pub(super) fn forget_tree(&self) {
        *self.tree.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn index(resource: &Resource, value: &Value, version: u64) -> Object {
        let metadata = &value["metadata"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let field = |path: &&'static str| {
            let found = if resource.kind == "Event" && *path == "source" {
                &value["source"]["component"]
            } else {
                path.split('.').fold(value, |value, key| &value[key])
            };
            let found = match found {
                Value::String(text) => text.clone(),
                Value::Null if *path == "spec.unschedulable" => "false".to_owned(),
                Value::Null => String::new(),
                other => other.to_string(),
            };
            (*path, found)
        };
        let labels = metadata["labels"].as_object();
        Object {
            json: Bytes::from(value.to_string()),
            namespace: text(&metadata["namespace"]),
            name: text(&metadata["name"]),
            uid: text(&metadata["uid"]),
            version,
            labels: labels.into_iter().flatten().map(|(k, v)| (k.clone(), text(v))).collect(),
            owner: controller(value).map(|owner| text(&owner["uid"])).unwrap_or_default(),
            created: stamp_of(&metadata["creationTimestamp"]),
            deleting: !metadata["deletionTimestamp"].is_null(),
            ready_since: condition(value, "Ready")
                .filter(|ready| ready["status"] == "True")
                .map(|ready| stamp_of(&ready["lastTransitionTime"])),
            fields: indexed(resource).iter().map(field).collect(),
            tree: Mutex::new(None),
        }
    }

    /// The object, to be changed.
    pub(super) fn value(&self) -> Value {
        Arc::unwrap_or_clone(self.tree())
    }

    /// The object, to be read.
    pub(super) fn tree(&self) -> Arc<Value> {
        let kept = self.tree.lock().unwrap_or_else(PoisonError::into_inner).clone();
        kept.unwrap_or_else(|| Arc::new(serde_json::from_slice(&self.json).unwrap_or_default()))
    }

    pub(super) fn field(&self, path: &str) -> &str {
        match path {
            "metadata.name" => &self.name,
            "metadata.namespace" => &self.namespace,
            _ => self.fields.iter().find(|(key, _)| *key == path).map_or("", |(_, value)| value),
        }
    }
}

/// The one ownerReference with `controller: true`.
pub(super) fn controller(value: &Value) -> Option<&Value> {
    let owners = value["metadata"]["ownerReferences"].as_array()?;
    owners.iter().find(|owner| owner["controller"] == true)
}

pub(super) fn condition<'a>(value: &'a Value, kind: &str) -> Option<&'a Value> {
    let conditions = value["status"]["conditions"].as_array()?;
    conditions.iter().find(|condition| condition["type"] == kind)
}

fn stamp_of(value: &Value) -> i64 {
    value.as_str().and_then(clock::parse).unwrap_or_default()
}
