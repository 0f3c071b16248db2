//! A node's Lease, as `kubectl get leases -n kube-node-lease` sees it: its kubelet says with it that it lives.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Column, Health, Kind, Meta, Row, Text, Timestamp};

/// A Lease's row. Only those of nodes are watched, see [`Kind::only_in`]. Each changes every ten seconds, so they
/// go to those alone who ask for them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lease {
    /// Identity and names; the name is the node's.
    pub meta: Meta,
    /// HOLDER: `spec.holderIdentity`, the node's name again; empty if nobody holds it.
    pub holder: Text,
    /// `spec.renewTime` by the kubelet's clock, to the second.
    pub renewed: Option<Timestamp>,
    /// `spec.leaseDurationSeconds`: for how long a renewal is good.
    pub duration: Option<i32>,
}

impl Lease {
    /// For how many seconds the kubelet has not been heard; `None` if it never was. A clock that is ahead of ours
    /// makes that none.
    pub fn silent_for(&self, now: Timestamp) -> Option<i64> {
        self.renewed.map(|renewed| now.0.saturating_sub(renewed.0).max(0))
    }

    /// Whether it ran out without having been renewed; never without a duration.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        match (self.silent_for(now), self.duration) {
            (Some(silent), Some(duration)) => silent > i64::from(duration),
            _ => false,
        }
    }
}

impl Row for Lease {
    const KIND: Kind = Kind::Lease;
    const COLUMNS: &'static [Column<Lease>] = &[
        Column::<Self>::name(),
        Column::<Self>::new("HOLDER", |row, _| Cow::Borrowed(&row.holder), |a, b| a.holder.cmp(&b.holder)),
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
}
