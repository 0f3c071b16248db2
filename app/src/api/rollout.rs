//! What `kubectl rollout status` says, for every kind it speaks of: Deployments, DaemonSets and
//! StatefulSets (kubectl `pkg/polymorphichelpers/rollout_status.go`).

use std::fmt;

use super::{Kind, picture::Bounds};

/// What kubectl says where pods are not replaced by a rolling update.
pub const NOT_ROLLING: &str = "rollout status is only available for RollingUpdate strategy type";

/// A rollout of whatever kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolloutStatus {
    /// kubectl's sentence.
    pub sentence: String,
    /// Whether there is something to wait for.
    pub verdict: Verdict,
    /// Pods of the newest template.
    pub updated: i32,
    /// Pods wanted.
    pub desired: i32,
    /// Pods there are, of any template.
    pub current: i32,
    /// Pods available, of any template.
    pub available: i32,
    /// Between how many its controller stays.
    pub bounds: Option<Bounds>,
}

impl RolloutStatus {
    /// It is on its way, or was given up.
    pub fn is_under_way(&self) -> bool {
        matches!(self.verdict, Verdict::Waiting | Verdict::Failed)
    }
}

/// Whether `kubectl rollout status` would wait, and how it would end if not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It would.
    Waiting,
    /// The rollout is complete.
    Succeeded,
    /// The rollout was given up: an error.
    Failed,
    /// Nothing rolls here: an error too.
    NotRolling,
}

impl Verdict {
    /// kubectl does not wait any longer.
    pub fn ended(self) -> bool {
        self != Verdict::Waiting
    }

    /// kubectl ends with an error; the sentence is its text.
    pub fn is_error(self) -> bool {
        matches!(self, Verdict::Failed | Verdict::NotRolling)
    }
}

impl Kind {
    /// Whether `kubectl rollout status` takes it.
    pub fn rolls_out(self) -> bool {
        matches!(self, Kind::Deployment | Kind::DaemonSet | Kind::StatefulSet)
    }

    /// Whether it has pods of its own making, and so a picture of them.
    pub fn makes_pods(self) -> bool {
        self.rolls_out() || matches!(self, Kind::ReplicaSet | Kind::ReplicationController)
    }
}

/// Go's `%q`; object names need no escapes.
pub(super) struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}
