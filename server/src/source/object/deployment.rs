//! `apps/v1` Deployment.

use super::{
    meta::{Condition, LabelSelector, ObjectMeta},
    object,
    strategy::Strategy,
    template::PodTemplate,
};

object! {
    /// A Deployment.
    pub struct Deployment {
        /// `metadata`
        pub metadata: ObjectMeta,
        /// `spec`
        pub spec: DeploymentSpec,
        /// `status`
        pub status: DeploymentStatus,
    }

    /// `spec` of a Deployment.
    pub struct DeploymentSpec {
        /// `replicas`; the server's default is 1
        pub replicas: Option<i64>,
        /// `selector`; none selects nothing
        pub selector: Option<LabelSelector>,
        /// `template`
        pub template: PodTemplate,
        /// `strategy`
        pub strategy: Strategy,
        /// `minReadySeconds`
        pub min_ready_seconds: i64,
        /// `revisionHistoryLimit`
        pub revision_history_limit: Option<i64>,
        /// `paused`
        pub paused: bool,
        /// `progressDeadlineSeconds`
        pub progress_deadline_seconds: Option<i64>,
    }

    /// `status` of a Deployment.
    pub struct DeploymentStatus {
        /// `observedGeneration`
        pub observed_generation: i64,
        /// `replicas`
        pub replicas: i64,
        /// `updatedReplicas`
        pub updated_replicas: i64,
        /// `readyReplicas`
        pub ready_replicas: i64,
        /// `availableReplicas`
        pub available_replicas: i64,
        /// `conditions`
        pub conditions: Vec<Condition>,
    }
}

impl DeploymentStatus {
    /// The condition of this type.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }
}
