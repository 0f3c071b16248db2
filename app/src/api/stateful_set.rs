//! A StatefulSet, as `kubectl get statefulsets -o wide` and `kubectl rollout status` see it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    Column, Detail, Health, Kind, Meta, Row, Text,
    picture::Bounds,
    rollout::{NOT_ROLLING, RolloutStatus, Verdict},
    row_fields,
};
use crate::format::{containers, images};

/// A StatefulSet's row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatefulSet {
    /// Identity, names, labels.
    pub meta: Meta,
    /// READY, right of the slash: `spec.replicas`.
    pub desired: i32,
    /// `status.replicas`.
    pub current: i32,
    /// READY, left of the slash: `status.readyReplicas`.
    pub ready: i32,
    /// `status.updatedReplicas`: of the newest template.
    pub updated: i32,
    /// `status.availableReplicas`; those that are ready where the server does not count them (before
    /// Kubernetes 1.22).
    pub available: i32,
    /// Name and image of each regular container of the template.
    pub images: Arc<[(Text, Text)]>,
    /// The selector as kubectl prints selectors, though not this one;
    /// [`crate::selector::Selector`] reads it.
    pub selector: Text,
    /// Where its rollout is.
    pub rollout: StatefulSetRollout,
    /// Between how many pods its controller stays; `None` if it does not roll.
    pub bounds: Option<Bounds>,
    /// Its state in the page's five.
    pub health: Health,
    /// Why it is not healthy.
    pub why: Text,
    /// What its own page shows.
    #[serde(skip)]
    pub detail: Arc<Detail>,
}

/// Where a StatefulSet's rollout is: the cases of kubectl's `StatefulSetStatusViewer.Status`
/// (`pkg/polymorphichelpers/rollout_status.go`), in the order they are tried.
///
/// Those of partitions are the usual ones: a strategy that says nothing gets partition 0 from the API
/// server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StatefulSetRollout {
    /// Its strategy is not `RollingUpdate`, so nothing rolls.
    NotRolling,
    /// The controller has not seen the newest spec.
    #[default]
    Unobserved,
    /// Not all pods are ready, of whatever template.
    BecomingReady {
        /// How many are not.
        missing: i32,
    },
    /// Not all pods from the partition on are of the new template.
    UpdatingPartition {
        /// Pods of the new template.
        updated: i32,
        /// Pods from the partition on.
        wanted: i32,
    },
    /// Done, from the partition on.
    PartitionComplete {
        /// Pods of the new template.
        updated: i32,
    },
    /// Not all pods are of the new template, and there is no partition.
    Updating {
        /// Pods of the new template.
        updated: i32,
        /// `status.updateRevision`: the name of the new template.
        revision: Text,
    },
    /// Done, and there is no partition.
    Complete {
        /// `status.currentReplicas`.
        current: i32,
        /// `status.currentRevision`: the name of the template.
        revision: Text,
    },
}

impl StatefulSetRollout {
    /// The sentence of `kubectl rollout status`, which for StatefulSets names none.
    pub fn sentence(&self) -> String {
        match self {
            StatefulSetRollout::NotRolling => NOT_ROLLING.to_owned(),
            StatefulSetRollout::Unobserved => {
                "Waiting for statefulset spec update to be observed...".to_owned()
            }
            StatefulSetRollout::BecomingReady { missing } => {
                format!("Waiting for {missing} pods to be ready...")
            }
            StatefulSetRollout::UpdatingPartition { updated, wanted } => format!(
                "Waiting for partitioned roll out to finish: {updated} out of {wanted} new pods have been updated..."
            ),
            StatefulSetRollout::PartitionComplete { updated } => {
                format!("partitioned roll out complete: {updated} new pods have been updated...")
            }
            StatefulSetRollout::Updating { updated, revision } => format!(
                "waiting for statefulset rolling update to complete {updated} pods at revision {revision}..."
            ),
            StatefulSetRollout::Complete { current, revision } => {
                format!("statefulset rolling update complete {current} pods at revision {revision}...")
            }
        }
    }

    /// Whether there is something to wait for.
    pub fn verdict(&self) -> Verdict {
        match self {
            StatefulSetRollout::NotRolling => Verdict::NotRolling,
            StatefulSetRollout::PartitionComplete { .. } | StatefulSetRollout::Complete { .. } => {
                Verdict::Succeeded
            }
            _ => Verdict::Waiting,
        }
    }
}

impl Row for StatefulSet {
    const KIND: Kind = Kind::StatefulSet;
    const COLUMNS: &'static [Column<StatefulSet>] = &[
        Column::<Self>::name(),
        Column::<Self>::new(
            "READY",
            |row, _| format!("{}/{}", row.ready, row.desired).into(),
            |a, b| (a.ready, a.desired).cmp(&(b.ready, b.desired)),
        ),
        Column::<Self>::age(),
        Column::<Self>::new(
            "CONTAINERS",
            |row, _| containers(&row.images).into(),
            |a, b| a.images.cmp(&b.images),
        )
        .wide(),
        Column::<Self>::new(
            "IMAGES",
            |row, _| images(&row.images).into(),
            |a, b| images(&a.images).cmp(&images(&b.images)),
        )
        .wide(),
    ];

    row_fields!();
    fn rollout(&self) -> Option<RolloutStatus> {
        Some(RolloutStatus {
            sentence: self.rollout.sentence(),
            verdict: self.rollout.verdict(),
            updated: self.updated,
            desired: self.desired,
            current: self.current,
            available: self.available,
            bounds: self.bounds,
        })
    }
}
