//! A DaemonSet, as `kubectl get daemonsets -o wide` and `kubectl rollout status` see it.

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    Column, Detail, Health, Kind, Meta, Row, Text,
    picture::Bounds,
    rollout::{NOT_ROLLING, Quoted, RolloutStatus, Verdict},
    row_fields,
};
use crate::format::{containers, images};

/// A DaemonSet's row. Its counts are of nodes: each has one of its pods, or several while it surges.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DaemonSet {
    /// Identity, names, labels.
    pub meta: Meta,
    /// DESIRED: `status.desiredNumberScheduled`, the nodes its pods should run on.
    pub desired: i32,
    /// CURRENT: `status.currentNumberScheduled`, those of them that have a pod.
    pub current: i32,
    /// READY: `status.numberReady`.
    pub ready: i32,
    /// UP-TO-DATE: `status.updatedNumberScheduled`.
    pub updated: i32,
    /// AVAILABLE: `status.numberAvailable`.
    pub available: i32,
    /// NODE SELECTOR as kubectl prints it: the template's, `<none>` if it has none.
    pub node_selector: Text,
    /// Name and image of each regular container of the template.
    pub images: Arc<[(Text, Text)]>,
    /// SELECTOR as kubectl prints it; [`crate::selector::Selector`] reads it.
    pub selector: Text,
    /// Where its rollout is.
    pub rollout: DaemonSetRollout,
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

/// Where a DaemonSet's rollout is: the cases of kubectl's `DaemonSetStatusViewer.Status`
/// (`pkg/polymorphichelpers/rollout_status.go`), in the order they are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DaemonSetRollout {
    /// Its strategy is not `RollingUpdate`, so nothing rolls.
    NotRolling,
    /// The controller has not seen the newest spec.
    #[default]
    Unobserved,
    /// Not all pods are of the new template.
    Updating {
        /// Pods of the new template.
        updated: i32,
        /// Pods wanted.
        desired: i32,
    },
    /// Not all pods are available.
    BecomingAvailable {
        /// How many are.
        available: i32,
        /// Of how many.
        desired: i32,
    },
    /// Done.
    Complete,
}

impl DaemonSetRollout {
    /// The sentence of `kubectl rollout status`, for the DaemonSet named `name`.
    pub fn sentence(&self, name: &str) -> String {
        let name = Quoted(name);
        match self {
            DaemonSetRollout::NotRolling => NOT_ROLLING.to_owned(),
            DaemonSetRollout::Unobserved => "Waiting for daemon set spec update to be observed...".to_owned(),
            DaemonSetRollout::Updating { updated, desired } => format!(
                "Waiting for daemon set {name} rollout to finish: {updated} out of {desired} new pods have been updated..."
            ),
            DaemonSetRollout::BecomingAvailable { available, desired } => format!(
                "Waiting for daemon set {name} rollout to finish: {available} of {desired} updated pods are available..."
            ),
            DaemonSetRollout::Complete => format!("daemon set {name} successfully rolled out"),
        }
    }

    /// Whether there is something to wait for.
    pub fn verdict(&self) -> Verdict {
        match self {
            DaemonSetRollout::NotRolling => Verdict::NotRolling,
            DaemonSetRollout::Complete => Verdict::Succeeded,
            _ => Verdict::Waiting,
        }
    }
}

impl Row for DaemonSet {
    const KIND: Kind = Kind::DaemonSet;
    const COLUMNS: &'static [Column<DaemonSet>] = &[
        Column::<Self>::name(),
        Column::<Self>::new(
            "DESIRED",
            |row, _| row.desired.to_string().into(),
            |a, b| a.desired.cmp(&b.desired),
        )
        .right(),
        Column::<Self>::new(
            "CURRENT",
            |row, _| row.current.to_string().into(),
            |a, b| a.current.cmp(&b.current),
        )
        .right(),
        Column::<Self>::new("READY", |row, _| row.ready.to_string().into(), |a, b| a.ready.cmp(&b.ready))
            .right(),
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
        Column::<Self>::new(
            "NODE SELECTOR",
            |row, _| Cow::Borrowed(&row.node_selector),
            |a, b| a.node_selector.cmp(&b.node_selector),
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
        Column::<Self>::new(
            "SELECTOR",
            |row, _| Cow::Borrowed(&row.selector),
            |a, b| a.selector.cmp(&b.selector),
        )
        .wide(),
    ];

    row_fields!();
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
