//! A namespace, as `kubectl get namespaces` sees it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Column, Field, Health, Kind, Meta, Row, Text};

/// A namespace's row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Namespace {
    /// Identity, names, labels.
    pub meta: Meta,
    /// `status.phase`: `Active`, `Terminating`.
    pub phase: Text,
    /// Its state in the page's five.
    pub health: Health,
}

impl Row for Namespace {
    const KIND: Kind = Kind::Namespace;
    const COLUMNS: &'static [Column<Namespace>] = &[
        Column::<Self>::name(),
        Column::<Self>::new(
            "STATUS",
            |namespace, _| Cow::Borrowed(&namespace.phase),
            |a, b| a.phase.cmp(&b.phase),
        ),
        Column::<Self>::age(),
    ];
    /// `pkg/apis/core/v1/conversion.go`, `AddFieldLabelConversionsForNamespace`.
    const FIELDS: &'static [Field<Namespace>] =
        &[Field::name(), Field::new("status.phase", |namespace| Cow::Borrowed(&namespace.phase))];

    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
    fn health(&self) -> Health {
        self.health
    }
}
