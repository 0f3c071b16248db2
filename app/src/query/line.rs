//! A row whose kind the table need not know: one table, one query for all kinds, compiled once.

use std::{any::Any, borrow::Cow, cmp::Ordering, sync::Arc};

use super::{Fact, Group};
use crate::{
    api::{self, Align, Health, Kind, Meta, RolloutStatus, Row, Timestamp, each_kind},
    model::Cluster,
};

/// A column's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heading {
    /// kubectl's word.
    pub text: &'static str,
    /// Only with `-o wide`.
    pub wide: bool,
    /// How it is set.
    pub align: Align,
    /// The cell changes as time passes.
    pub ticks: bool,
}

/// What a table, a filter and a tile need of a row. Implemented for every [`Row`].
pub trait Line: Any + Send + Sync {
    /// Which kind.
    fn kind(&self) -> Kind;
    /// Identity, names, labels, owner.
    fn meta(&self) -> &Meta;
    /// Its state.
    fn health(&self) -> Health;
    /// Why it is not healthy.
    fn why(&self) -> &str;
    /// Since when it is not healthy, where the cluster itself says so.
    fn since(&self) -> Option<Timestamp>;
    /// What `kubectl rollout status` says of it, for kinds that roll out.
    fn rollout(&self) -> Option<RolloutStatus>;
    /// A cell of kubectl's table.
    fn cell(&self, column: usize, now: Timestamp) -> Cow<'_, str>;
    /// Order by a column; rows of different kinds are equal.
    fn order(&self, other: &dyn Line, column: usize) -> Ordering;
    /// Whether a fact of it has this value. Facts its kind does not have do not filter.
    fn fact(&self, fact: Fact, value: &str) -> bool;
    /// Whether name, namespace, labels or any cell that does not tick contain `needle`, which is
    /// in lower case.
    fn mentions(&self, needle: &str) -> bool;
    /// The value of a field that its kind can be selected by; see [`crate::field_selector`].
    fn field(&self, name: &str) -> Option<Cow<'_, str>>;
    /// The group it belongs to; `None` if to none.
    fn group(&self, group: &Group) -> Option<String>;
}

impl<T: Row> Line for T {
    fn kind(&self) -> Kind {
        T::KIND
    }
    fn meta(&self) -> &Meta {
        Row::meta(self)
    }
    fn health(&self) -> Health {
        Row::health(self)
    }
    fn why(&self) -> &str {
        Row::why(self)
    }
    fn since(&self) -> Option<Timestamp> {
        Row::since(self)
    }
    fn rollout(&self) -> Option<RolloutStatus> {
        Row::rollout(self)
    }
    fn cell(&self, column: usize, now: Timestamp) -> Cow<'_, str> {
        T::COLUMNS.get(column).map(|column| (column.cell)(self, now)).unwrap_or_default()
    }
    fn order(&self, other: &dyn Line, column: usize) -> Ordering {
        let other: &dyn Any = other;
        match (other.downcast_ref::<T>(), T::COLUMNS.get(column)) {
            (Some(other), Some(column)) => (column.order)(self, other),
            _ => Ordering::Equal,
        }
    }
    fn fact(&self, fact: Fact, value: &str) -> bool {
        let this: &dyn Any = self;
        if fact == Fact::State {
            return self.health().word() == value;
        }
        if let Some(pod) = this.downcast_ref::<api::Pod>() {
            return match fact {
                Fact::Node => pod.node == value,
                Fact::Image => pod.images.iter().any(|(_, image)| *image == value),
                _ => true,
            };
        }
        if let Some(event) = this.downcast_ref::<api::Event>() {
            return match fact {
                Fact::Type => event.kind == value,
                Fact::Object => event.object() == value,
                _ => true,
            };
        }
        true
    }
    fn mentions(&self, needle: &str) -> bool {
        let meta = Row::meta(self);
        let contains = |text: &str| text.to_lowercase().contains(needle);
        contains(&meta.name)
            || contains(&meta.namespace)
            || meta.labels.iter().any(|(key, value)| contains(&format!("{key}={value}")))
            || contains(Row::why(self))
            || T::COLUMNS
                .iter()
                .any(|column| !column.ticks && contains(&(column.cell)(self, Timestamp::default())))
    }
    fn field(&self, name: &str) -> Option<Cow<'_, str>> {
        T::FIELDS.iter().find(|field| field.name == name)?.value.map(|value| value(self))
    }
    fn group(&self, group: &Group) -> Option<String> {
        let meta = Row::meta(self);
        let text = match group {
            Group::Namespace => meta.namespace.to_string(),
            Group::Label(key) => return meta.labels.get(key).map(|value| format!("{key}={value}")),
            Group::Owner => {
                return meta
                    .owner
                    .as_ref()
                    .map(|owner| format!("{}/{}", owner.kind.to_lowercase(), owner.name));
            }
            Group::Object => {
                let this: &dyn Any = self;
                this.downcast_ref::<api::Event>()
                    .map(|event| event.object_kind.to_string())
                    .unwrap_or_default()
            }
            Group::Node => {
                let this: &dyn Any = self;
                this.downcast_ref::<api::Pod>().map(|pod| pod.node.to_string()).unwrap_or_default()
            }
        };
        Some(text).filter(|text| !text.is_empty())
    }
}

fn headings_of<T: Row>() -> Vec<Heading> {
    T::COLUMNS
        .iter()
        .map(|c| Heading { text: c.heading, wide: c.wide, align: c.align, ticks: c.ticks })
        .collect()
}

fn lines_of<T: Row>(cluster: &Cluster) -> Vec<Arc<dyn Line>> {
    T::rows(cluster).iter().map(|row| row.clone() as Arc<dyn Line>).collect()
}

macro_rules! define_by_kind {
    ($($variant:ident $field:ident $row:ident $plural:literal $singular:literal $group:literal $namespaced:literal;)*) => {
        /// kubectl's columns of a kind, in its order.
        pub fn headings(kind: Kind) -> Vec<Heading> {
            match kind { $(Kind::$variant => headings_of::<api::$row>(),)* }
        }

        /// All rows of a kind, in no order.
        pub fn lines(cluster: &Cluster, kind: Kind) -> Vec<Arc<dyn Line>> {
            match kind { $(Kind::$variant => lines_of::<api::$row>(cluster),)* }
        }

        /// One row.
        pub fn line(cluster: &Cluster, kind: Kind, uid: api::Uid) -> Option<Arc<dyn Line>> {
            match kind {
                $(Kind::$variant => cluster.$field.get(uid).map(|row| row.clone() as Arc<dyn Line>),)*
            }
        }
    };
}
each_kind!(define_by_kind);
