//! What `kubectl rollout status` says, for every kind it speaks of: Deployments, DaemonSets and
//! StatefulSets (kubectl `pkg/polymorphichelpers/rollout_status.go`).

use std::fmt;

use super::Kind;

/// What kubectl says where pods are not replaced by a rolling update.
pub const NOT_ROLLING: &str = "rollout status is only available for RollingUpdate strategy type";

/// A rollout of whatever kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolloutStatus {
    /// kubectl's sentence.
    pub sentence: String,
    /// There is nothing to wait for, and nothing was given up: it is complete, or nothing rolls.
    pub done: bool,
    /// Pods of the newest template.
    pub updated: u32,
    /// Pods wanted.
    pub desired: u32,
    /// Pods available, of any template.
    pub available: u32,
}

impl Kind {
    /// Whether `kubectl rollout status` takes it.
    pub fn rolls_out(self) -> bool {
        matches!(self, Kind::Deployment | Kind::DaemonSet | Kind::StatefulSet)
    }
}

/// Go's `%q`; object names need no escapes.
pub(super) struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}
