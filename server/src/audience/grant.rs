//! What a visitor may see of the cluster.

use std::collections::BTreeMap;

use app::{
    api::{Kind, Kinds, Row, Text},
    selector::Selector,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A part of the cluster, and how much of it. Equal grants share one hub.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// Which kinds, and of each the namespaces in which; kinds without namespaces have [`Within::All`].
    pub kinds: BTreeMap<Kind, Within>,
    /// Of all of them, those with such labels. What has no labels of its own to choose by follows what it is about.
    pub selector: Selector,
    /// What is left out of what is shown.
    pub hide: Hide,
    /// What the names that take the place of others are made with. Of no consequence where nothing is hidden.
    pub key: Key,
    /// Everything is shown as it is, whatever its text may mention: for those whom the API server itself would show it.
    /// It shows whole kinds and namespaces, so this is of no consequence where labels choose or something is hidden.
    pub verbatim: bool,
}

/// Where a kind may be seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Within {
    /// Everywhere.
    All,
    /// In these namespaces, sorted.
    Namespaces(Vec<Text>),
}

/// What is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hide {
    /// Names of nodes, wherever they stand; others take their place.
    pub node_names: bool,
    /// Names of images.
    pub images: bool,
    /// Addresses of pods, nodes and Services.
    pub addresses: bool,
    /// Every name and label; others take their place, the same for the same.
    pub names: bool,
}

/// 128 random bits that pseudonyms are made with: the same name has another one for each key.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Key(pub u128);

/// In hexadecimal digits: JSON's numbers end before.
impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:032x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Key, D::Error> {
        let digits = String::deserialize(deserializer)?;
        u128::from_str_radix(&digits, 16).map(Key).map_err(serde::de::Error::custom)
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Within {
    /// Whether it has `namespace`, which is empty for what is in none.
    pub fn has(&self, namespace: &str) -> bool {
        match self {
            Within::All => true,
            Within::Namespaces(names) => {
                namespace.is_empty() || names.binary_search_by(|name| name.as_str().cmp(namespace)).is_ok()
            }
        }
    }
}

impl Grant {
    /// Whether it shows what the API server would: whole kinds and namespaces, as they are.
    pub fn is_plain(&self) -> bool {
        self.verbatim && self.selector.is_empty() && self.hide == Hide::default()
    }

    /// Whether a row is granted by what it says of itself. What has no labels of its own to be chosen by is not asked
    /// for them: it is granted with what it is about.
    pub fn holds<T: Row>(&self, row: &T) -> bool {
        let meta = row.meta();
        let namespace = if T::KIND == Kind::Namespace { &*meta.name } else { meta.namespace.as_str() };
        let follows = matches!(
            T::KIND,
            Kind::Node
                | Kind::Namespace
                | Kind::Lease
                | Kind::Event
                | Kind::EndpointSlice
                | Kind::ControllerRevision
        );
        self.grants(T::KIND, namespace) && (follows || self.selector.matches(&meta.labels))
    }

    /// Whether a kind is granted in a namespace, which is empty for what is in none.
    pub fn grants(&self, kind: Kind, namespace: &str) -> bool {
        self.kinds.get(&kind.watched()).is_some_and(|within| within.has(namespace))
    }

    /// The kinds that are granted, with what is made of them.
    pub fn shown(&self) -> Kinds {
        Kind::ALL.iter().copied().filter(|kind| self.kinds.contains_key(&kind.watched())).collect()
    }
}
