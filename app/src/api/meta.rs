//! What every object has: identity, names, labels, owner.

use std::{cmp::Ordering, fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Kind, Text, Timestamp};

/// An object's identity for as long as it exists.
///
/// As the source reads it, all 128 bits of `metadata.uid`; behind the hub, a small number the hub
/// gave it, so that rows stay small. Either way: equal means the same object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Uid(pub u128);

/// Labels, sorted by key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Labels(pub Arc<[(Text, Text)]>);

impl Default for Labels {
    fn default() -> Labels {
        Labels(Arc::from([]))
    }
}

impl Labels {
    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Text> {
        let at = self.0.binary_search_by(|(k, _)| k.as_str().cmp(key)).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// Each key and value, by key.
    pub fn iter(&self) -> impl Iterator<Item = &(Text, Text)> {
        self.0.iter()
    }

    /// No labels at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(Text, Text)> for Labels {
    fn from_iter<I: IntoIterator<Item = (Text, Text)>>(pairs: I) -> Labels {
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.sort();
        Labels(pairs.into())
    }
}

/// `a=b,c=d`, empty as `<none>` (apimachinery `labels.FormatLabels`).
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("<none>");
        }
        // sorted as printed, which is not by key: `a-b=1` comes before `a=2`
        let mut pairs: Vec<_> = self.iter().map(|(key, value)| format!("{key}={value}")).collect();
        pairs.sort();
        f.write_str(&pairs.join(","))
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_map(self.iter().map(|(key, value)| (key, value)))
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Labels, D::Error> {
        if deserializer.is_human_readable() {
            let map = std::collections::BTreeMap::<Text, Text>::deserialize(deserializer)?;
            return Ok(map.into_iter().collect());
        }
        Arc::<[(Text, Text)]>::deserialize(deserializer).map(Labels)
    }
}

/// The controller of an object: the one owner reference with `controller: true`
/// (apimachinery `controller_ref.go`). Compared by uid, never by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// Any kind, watched or not: `ReplicaSet`, `DaemonSet`, `Job`…
    pub kind: Text,
    /// Its name.
    pub name: Text,
    /// Its identity.
    pub uid: Uid,
}

/// What every object has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    /// Identity.
    pub uid: Uid,
    /// Empty for kinds without namespaces.
    pub namespace: Text,
    /// Unique in namespace and kind.
    pub name: Arc<str>,
    /// `metadata.creationTimestamp`.
    pub created: Option<Timestamp>,
    /// `metadata.deletionTimestamp`: it is being deleted.
    pub deleting: Option<Timestamp>,
    /// `metadata.labels`.
    pub labels: Labels,
    /// Its controller.
    pub owner: Option<Owner>,
}

impl Meta {
    /// The order in which the API server lists, and kubectl prints: of the keys in etcd, `namespace/name`. In
    /// it `web-1` comes before `web`, since `-` comes before `/`.
    pub fn key_order(&self, other: &Meta) -> Ordering {
        fn key(meta: &Meta) -> impl Iterator<Item = u8> {
            meta.namespace.bytes().chain([b'/']).chain(meta.name.bytes())
        }
        key(self).cmp(key(other))
    }

    /// The Deployment that owns it; of a ReplicaSet, the one whose template it keeps.
    pub fn deployment(&self) -> Option<&Owner> {
        self.owner.as_ref().filter(|owner| owner.kind == "Deployment")
    }
}

/// Names one object the way URLs and kubectl do.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ObjectKey {
    /// Which kind.
    pub kind: Kind,
    /// Empty for kinds without namespaces.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ObjectKey {
    /// Whether an object may be called so: no name is longer than 253 bytes, no namespace than 63 (apimachinery
    /// `pkg/util/validation/validation.go`, `DNS1123SubdomainMaxLength`, `DNS1123LabelMaxLength`).
    pub fn may_be(&self) -> bool {
        self.name.len() <= 253 && self.namespace.len() <= 63
    }
}
