//! What a viewer may see and asks to see: decided on the server before anything is encoded.

use crate::{
    api::{Kind, Kinds, Row, Text},
    field_selector::FieldSelector,
    selector::Selector,
};

/// A part of the cluster: kinds, namespaces, labels, fields. Equal scopes share one stream of frames.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scope {
    /// Which kinds.
    pub kinds: Kinds,
    /// Which namespaces, sorted; empty for all. Kinds without namespaces are in every scope, but
    /// of the namespaces themselves only these.
    pub namespaces: Vec<Text>,
    /// Which labels.
    pub selector: Selector,
    /// Which fields; read for all of the kinds.
    pub fields: FieldSelector,
}

impl Scope {
    /// Everything.
    pub fn all() -> Scope {
        Scope { kinds: Kinds::all(), ..Scope::default() }
    }

    /// Everything of one kind.
    pub fn of(kind: Kind) -> Scope {
        Scope { kinds: [kind].into_iter().collect(), ..Scope::default() }
    }

    /// Whether `row` is in it.
    pub fn holds<T: Row>(&self, row: &T) -> bool {
        let meta = row.meta();
        let name = match T::KIND {
            Kind::Namespace => &*meta.name,
            kind if kind.namespaced() => meta.namespace.as_str(),
            _ => "",
        };
        self.kinds.contains(T::KIND)
            && (self.namespaces.is_empty()
                || name.is_empty()
                || self.namespaces.binary_search_by(|n| n.as_str().cmp(name)).is_ok())
            && self.selector.matches(&meta.labels)
            && self.fields.matches(row)
    }
}
