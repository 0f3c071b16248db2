//! ② Translation: an object becomes a row. One file a kind, pure: no clock, no I/O.
//!
//! Each file is the only home of its kind's rules, which are Kubernetes' own; the sources are named
//! where a rule is taken from them.

pub mod container;
pub mod controller_revision;
pub mod daemon_set;
pub mod deployment;
pub mod endpoint_slice;
pub mod event;
pub mod lease;
pub mod meta;
pub mod namespace;
pub mod needs;
pub mod node;
pub mod pod;
pub mod pod_disruption_budget;
pub mod replicas;
pub mod requests;
pub mod selector;
pub mod service;
pub mod stateful_set;
pub mod strategy;
pub mod template;

use std::{
    collections::BTreeMap,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use app::api::{Kind, Row, Uid};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::object::meta::{AnyMeta, AnyObject};

/// A row that is made from an object.
pub trait Translate: Row {
    /// The object, as far as it is read.
    type Object: DeserializeOwned;

    /// The row of `object`.
    fn translate(object: Self::Object) -> Self;
}

/// The row of an object as the API server sent it.
pub fn row<T: Translate>(json: &str) -> Result<T, TranslateError> {
    match serde_json::from_str::<T::Object>(json) {
        Ok(object) => Ok(T::translate(object)),
        Err(because) => {
            let head = head(json);
            Err(TranslateError { kind: T::KIND, namespace: head.namespace, name: head.name, because })
        }
    }
}

/// An object that could not be read, by name where that could be read at all.
#[derive(Debug, thiserror::Error)]
pub struct TranslateError {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace, or empty.
    pub namespace: Arc<str>,
    /// Its name, or empty.
    pub name: Arc<str>,
    /// What is wrong with it.
    #[source]
    pub because: serde_json::Error,
}

impl fmt::Display for TranslateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() { "(no name)" } else { &self.name };
        let slash = if self.namespace.is_empty() { "" } else { "/" };
        write!(f, "{} {}{slash}{name} cannot be read: {}", self.kind, self.namespace, self.because)
    }
}

/// What names an object, whatever else is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// `metadata.namespace`, or empty.
    pub namespace: Arc<str>,
    /// `metadata.name`, or empty.
    pub name: Arc<str>,
    /// Its identity, as in the row's [`app::api::Meta`].
    pub uid: Uid,
    /// `metadata.resourceVersion`, or empty.
    pub resource_version: Arc<str>,
}

/// Reads only what names an object. Never fails: what cannot be read is empty.
pub fn head(json: &str) -> Head {
    let object: AnyObject = serde_json::from_str(json).unwrap_or_default();
    let AnyMeta { namespace, name, uid, resource_version } = object.metadata;
    Head {
        uid: meta::uid(&uid.0, &namespace.0, &name.0),
        namespace: namespace.0,
        name: name.0,
        resource_version: resource_version.0,
    }
}

/// A hash of all that is said of an object. An item of a list does not say what it is, so `kind` and `apiVersion` are left
/// out. By this one writing of an object is told from another, also from one of the same version in another history:
/// whoever sets something leaves the time in `metadata.managedFields`. What takes something away does not.
///
/// An API server says the same in a watch and in a list but of some Services (`defaultOnRead` in
/// `pkg/registry/core/service/storage`), and one of the next version may say more: then there is one list too many.
pub fn fingerprint(json: &str) -> u64 {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(json).unwrap_or_default();
    let mut hasher = DefaultHasher::new();
    for (name, value) in members {
        if name != "kind" && name != "apiVersion" {
            (name, value.get()).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// A count, an int32 of Kubernetes. The API server takes negative ones here and there, and prints them.
fn count(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX })
}

/// A message as one line.
fn line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
