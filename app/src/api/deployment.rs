//! A Deployment, as `kubectl get deployments -o wide` and `kubectl rollout status` see it.

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    Column, Detail, Health, Kind, Meta, Row, Text, Timestamp,
    picture::Bounds,
    rollout::{Quoted, RolloutStatus, Verdict},
    row_fields,
};
use crate::format::{containers, images};

/// A Deployment's row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    /// Identity, names, labels.
    pub meta: Meta,
    /// READY, right of the slash: `spec.replicas`.
    pub desired: i32,
    /// `status.replicas`: pods of all its ReplicaSets.
    pub current: i32,
    /// READY, left of the slash.
    pub ready: i32,
    /// UP-TO-DATE: `status.updatedReplicas`.
    pub updated: i32,
    /// AVAILABLE: `status.availableReplicas`.
    pub available: i32,
    /// Name and image of each regular container of the template.
    pub images: Arc<[(Text, Text)]>,
    /// SELECTOR as kubectl prints it; [`crate::selector::Selector`] reads it.
    pub selector: Text,
    /// `RollingUpdate` or `Recreate`.
    pub strategy: Text,
    /// Between how many pods its controller stays.
    pub bounds: Option<Bounds>,
    /// `spec.paused`.
    pub paused: bool,
    /// Annotation `deployment.kubernetes.io/revision`: 0 without it, `None` if it is no number.
    pub revision: Option<i64>,
    /// Where its rollout is.
    pub rollout: Rollout,
    /// When the controller gives the rollout up, unless there is progress; `None` if it will not.
    pub deadline: Option<Timestamp>,
    /// When its last rollout was through; `None` while one goes on, or if its controller has not said.
    pub finished: Option<Timestamp>,
    /// Its state in the page's five.
    pub health: Health,
    /// Why it is not healthy.
    pub why: Text,
    /// Since when it is not healthy, by its conditions; `None` when it is, or where they do not say.
    pub since: Option<Timestamp>,
    /// What its own page shows.
    #[serde(skip)]
    pub detail: Arc<Detail>,
}

/// Where a Deployment's rollout is: the cases of kubectl's `DeploymentStatusViewer.Status`
/// (`pkg/polymorphichelpers/rollout_status.go`), in the order they are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Rollout {
    /// The controller has not seen the newest spec.
    #[default]
    Unobserved,
    /// Condition Progressing says `ProgressDeadlineExceeded`.
    DeadlineExceeded,
    /// Not all replicas are of the new template.
    Updating {
        /// Replicas of the new template.
        updated: i32,
        /// Replicas wanted.
        desired: i32,
    },
    /// Old replicas are still there.
    Terminating {
        /// How many.
        old: i32,
    },
    /// New replicas are not all available.
    BecomingAvailable {
        /// How many are.
        available: i32,
        /// Of how many.
        updated: i32,
    },
    /// Done.
    Complete,
}

impl Rollout {
    /// The sentence of `kubectl rollout status`, for the Deployment named `name`.
    pub fn sentence(self, name: &str) -> String {
        let name = Quoted(name);
        match self {
            Rollout::Unobserved => "Waiting for deployment spec update to be observed...".to_owned(),
            Rollout::DeadlineExceeded => format!("deployment {name} exceeded its progress deadline"),
            Rollout::Updating { updated, desired } => format!(
                "Waiting for deployment {name} rollout to finish: {updated} out of {desired} new replicas have been updated..."
            ),
            Rollout::Terminating { old } => format!(
                "Waiting for deployment {name} rollout to finish: {old} old replicas are pending termination..."
            ),
            Rollout::BecomingAvailable { available, updated } => format!(
                "Waiting for deployment {name} rollout to finish: {available} of {updated} updated replicas are available..."
            ),
            Rollout::Complete => format!("deployment {name} successfully rolled out"),
        }
    }

    /// Whether there is something to wait for.
    pub fn verdict(self) -> Verdict {
        match self {
            Rollout::Complete => Verdict::Succeeded,
            Rollout::DeadlineExceeded => Verdict::Failed,
            _ => Verdict::Waiting,
        }
    }
}

impl Row for Deployment {
    const KIND: Kind = Kind::Deployment;
    const COLUMNS: &'static [Column<Deployment>] = &[
        Column::<Self>::name(),
        Column::<Self>::new(
            "READY",
            |row, _| format!("{}/{}", row.ready, row.desired).into(),
            |a, b| (a.ready, a.desired).cmp(&(b.ready, b.desired)),
        ),
        Column::<Self>::new(
            "UP-TO-DATE",
            |row, _| row.updated.to_string().into(),
            |a, b| a.updated.cmp(&b.updated),
        )
        .right(),
        Column::<Self>::new(
            "AVAILABLE",
            |row, _| row.available.to_string().into(),
            |a, b| a.available.cmp(&b.available),
        )
        .right(),
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
        Column::<Self>::new(
            "SELECTOR",
            |row, _| Cow::Borrowed(&row.selector),
            |a, b| a.selector.cmp(&b.selector),
        )
        .wide(),
    ];

    row_fields!();

    fn since(&self) -> Option<Timestamp> {
        self.since
    }
    fn rollout(&self) -> Option<RolloutStatus> {
        Some(RolloutStatus {
            sentence: self.rollout.sentence(&self.meta.name),
            verdict: self.rollout.verdict(),
            updated: self.updated,
            desired: self.desired,
            current: self.current,
            available: self.available,
            bounds: self.bounds,
        })
    }
}
