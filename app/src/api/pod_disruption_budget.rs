//! A PodDisruptionBudget, as `kubectl get poddisruptionbudgets` sees it: how many of some pods may be evicted.

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Column, Detail, Health, Kind, Meta, Row, Text, row_fields};
use crate::selector::Selector;

/// A PodDisruptionBudget's row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodDisruptionBudget {
    /// Identity, names, labels.
    pub meta: Meta,
    /// MIN AVAILABLE as written, a number or a percentage; `None` prints as `N/A`.
    pub min_available: Option<Text>,
    /// MAX UNAVAILABLE, the same.
    pub max_unavailable: Option<Text>,
    /// ALLOWED DISRUPTIONS: `status.disruptionsAllowed`, how many of its pods may be evicted now.
    pub disruptions_allowed: i32,
    /// `status.currentHealthy`: its pods that are ready.
    pub current_healthy: i32,
    /// `status.desiredHealthy`: how many have to stay so.
    pub desired_healthy: i32,
    /// `status.expectedPods`: how many there should be.
    pub expected_pods: i32,
    /// `spec.selector` as kubectl prints it. `None` if it is unset, which covers no pod; an empty one (`<none>`)
    /// covers every pod of the namespace. See [`PodDisruptionBudget::selects`].
    pub selector: Option<Text>,
    /// `spec.unhealthyPodEvictionPolicy`: `AlwaysAllow`, or `IfHealthyBudget`, which is the default.
    pub unhealthy_pods: Text,
    /// `metadata.generation` is what its status is about.
    pub observed: bool,
    /// Its state in the page's five.
    pub health: Health,
    /// Why it is not healthy.
    pub why: Text,
    /// What its own page would show.
    #[serde(skip)]
    pub detail: Arc<Detail>,
}

impl PodDisruptionBudget {
    /// Which pods of its namespace it covers; `None` if none at all.
    pub fn selects(&self) -> Option<Selector> {
        match self.selector.as_ref()?.as_str() {
            "<none>" => Some(Selector::default()),
            // `<error>` is no selector either
            text => Selector::parse(text).ok(),
        }
    }

    /// What it asks for: `at least 2 available`, `at most 25% unavailable`.
    pub fn asks(&self) -> String {
        match (&self.min_available, &self.max_unavailable) {
            (Some(least), _) => format!("at least {least} available"),
            (None, Some(most)) => format!("at most {most} unavailable"),
            (None, None) => "nothing".to_owned(),
        }
    }
}

fn or_not_applicable(bound: Option<&Text>) -> Cow<'_, str> {
    Cow::Borrowed(bound.map_or("N/A", Text::as_str))
}

impl Row for PodDisruptionBudget {
    const KIND: Kind = Kind::PodDisruptionBudget;
    const COLUMNS: &'static [Column<PodDisruptionBudget>] = &[
        Column::<Self>::name(),
        Column::<Self>::new(
            "MIN AVAILABLE",
            |row, _| or_not_applicable(row.min_available.as_ref()),
            |a, b| a.min_available.cmp(&b.min_available),
        ),
        Column::<Self>::new(
            "MAX UNAVAILABLE",
            |row, _| or_not_applicable(row.max_unavailable.as_ref()),
            |a, b| a.max_unavailable.cmp(&b.max_unavailable),
        ),
        Column::<Self>::new(
            "ALLOWED DISRUPTIONS",
            |row, _| row.disruptions_allowed.to_string().into(),
            |a, b| a.disruptions_allowed.cmp(&b.disruptions_allowed),
        )
        .right(),
        Column::<Self>::age(),
    ];

    row_fields!();
}
