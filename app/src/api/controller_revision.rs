//! A ControllerRevision, as `kubectl get controllerrevisions` sees it: a template that a DaemonSet or a StatefulSet
//! has, or had.

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Column, Detail, Health, Kind, Meta, Row, Text};

/// A ControllerRevision's row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ControllerRevision {
    /// Identity, names, labels, owner.
    pub meta: Meta,
    /// CONTROLLER: `daemonset.apps/kube-proxy`.
    pub controller: Text,
    /// REVISION.
    pub revision: i64,
    /// Name and image of each regular container of the template.
    pub images: Arc<[(Text, Text)]>,
    /// Annotation `kubernetes.io/change-cause`.
    pub change_cause: Text,
    /// The template, as of other controllers.
    #[serde(skip)]
    pub detail: Arc<Detail>,
}

impl ControllerRevision {
    /// Whether pods with this label `controller-revision-hash` are of it: DaemonSets write the hash there, StatefulSets
    /// the name.
    pub fn is_of(&self, label: &str) -> bool {
        *self.meta.name == *label
            || self.meta.labels.get("controller-revision-hash").is_some_and(|hash| *hash == *label)
    }
}

impl Row for ControllerRevision {
    const KIND: Kind = Kind::ControllerRevision;
    const COLUMNS: &'static [Column<ControllerRevision>] = &[
        Column::<Self>::name(),
        Column::<Self>::new(
            "CONTROLLER",
            |row, _| Cow::Borrowed(&row.controller),
            |a, b| a.controller.cmp(&b.controller),
        ),
        Column::<Self>::new(
            "REVISION",
            |row, _| row.revision.to_string().into(),
            |a, b| a.revision.cmp(&b.revision),
        )
        .right(),
        Column::<Self>::age(),
    ];

    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
    fn health(&self) -> Health {
        Health::Healthy
    }
    fn detail(&self) -> Option<&Arc<Detail>> {
        Some(&self.detail)
    }
}
