//! ReplicationControllers and ReplicaSets: the same table, the same row but for the name.

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Column, Detail, Field, Health, Kind, Meta, Row, Text};
use crate::format::{containers, images};

/// What both controllers say of their pods.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Replicas {
    /// DESIRED: `spec.replicas`.
    pub desired: i32,
    /// CURRENT: `status.replicas`.
    pub current: i32,
    /// READY: `status.readyReplicas`.
    pub ready: i32,
    /// `status.availableReplicas`: ready for `minReadySeconds`.
    pub available: i32,
    /// Name and image of each regular container of the template.
    pub images: Arc<[(Text, Text)]>,
    /// SELECTOR as kubectl prints it; [`crate::selector::Selector`] reads it.
    pub selector: Text,
    /// Annotation `deployment.kubernetes.io/revision`, of ReplicaSets that a Deployment made: 0 without it,
    /// `None` if it is no number.
    pub revision: Option<i64>,
    /// The revisions it was before an undo made it this one, oldest first: annotation
    /// `deployment.kubernetes.io/revision-history`.
    pub formerly: Vec<i64>,
    /// Annotation `kubernetes.io/change-cause`.
    pub change_cause: Text,
    /// Its state in the page's five.
    pub health: Health,
    /// Why it is not healthy.
    pub why: Text,
    /// What its own page shows.
    #[serde(skip)]
    pub detail: Arc<Detail>,
}

// `serde(flatten)` is not for postcard; the nesting stays visible in JSON too.
macro_rules! replicas_kind {
    ($Row:ident, $doc:literal, $fields:expr) => {
        #[doc = $doc]
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        pub struct $Row {
            /// Identity, names, labels, owner.
            pub meta: Meta,
            /// What it says of its pods.
            pub replicas: Replicas,
        }

        impl Row for $Row {
            const KIND: Kind = Kind::$Row;
            const COLUMNS: &'static [Column<$Row>] = &[
                Column::<Self>::name(),
                Column::<Self>::new(
                    "DESIRED",
                    |row, _| row.replicas.desired.to_string().into(),
                    |a, b| a.replicas.desired.cmp(&b.replicas.desired),
                )
                .right(),
                Column::<Self>::new(
                    "CURRENT",
                    |row, _| row.replicas.current.to_string().into(),
                    |a, b| a.replicas.current.cmp(&b.replicas.current),
                )
                .right(),
                Column::<Self>::new(
                    "READY",
                    |row, _| row.replicas.ready.to_string().into(),
                    |a, b| a.replicas.ready.cmp(&b.replicas.ready),
                )
                .right(),
                Column::<Self>::age(),
                Column::<Self>::new(
                    "CONTAINERS",
                    |row, _| containers(&row.replicas.images).into(),
                    |a, b| a.replicas.images.cmp(&b.replicas.images),
                )
                .wide(),
                Column::<Self>::new(
                    "IMAGES",
                    |row, _| images(&row.replicas.images).into(),
                    |a, b| images(&a.replicas.images).cmp(&images(&b.replicas.images)),
                )
                .wide(),
                Column::<Self>::new(
                    "SELECTOR",
                    |row, _| Cow::Borrowed(&row.replicas.selector),
                    |a, b| a.replicas.selector.cmp(&b.replicas.selector),
                )
                .wide(),
            ];
            const FIELDS: &'static [Field<$Row>] = $fields;

            fn meta(&self) -> &Meta {
                &self.meta
            }
            fn meta_mut(&mut self) -> &mut Meta {
                &mut self.meta
            }
            fn health(&self) -> Health {
                self.replicas.health
            }
            fn why(&self) -> &str {
                &self.replicas.why
            }
            fn detail(&self) -> Option<&Arc<Detail>> {
                Some(&self.replicas.detail)
            }
        }
    };
}

// Only of the older of the two does `pkg/apis/core/v1/conversion.go` know the count.
replicas_kind!(
    ReplicationController,
    "A ReplicationController's row.",
    &[
        Field::name(),
        Field::namespace(),
        Field::new("status.replicas", |row| row.replicas.current.to_string().into()),
    ]
);
replicas_kind!(ReplicaSet, "A ReplicaSet's row.", &[Field::name(), Field::namespace()]);
