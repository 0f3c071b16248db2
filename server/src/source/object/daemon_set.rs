//! `apps/v1` DaemonSet.

use super::{
    manifest::Written,
    meta::{Condition, LabelSelector, ObjectMeta},
    object,
    strategy::Strategy,
    template::PodTemplate,
};

object! {
    /// A DaemonSet.
    pub struct DaemonSet {
        /// `metadata`
        pub metadata: ObjectMeta,
        /// `spec`
        pub spec: DaemonSetSpec,
        /// `status`
        pub status: DaemonSetStatus,
    }

    /// `spec` of a DaemonSet.
    pub struct DaemonSetSpec {
        /// `selector`; none selects nothing
        pub selector: Option<LabelSelector>,
        /// `template`
        pub template: Written<PodTemplate>,
        /// `updateStrategy`
        pub update_strategy: Strategy,
        /// `minReadySeconds`
        pub min_ready_seconds: i64,
        /// `revisionHistoryLimit`
        pub revision_history_limit: Option<i64>,
    }

    /// `status` of a DaemonSet.
    pub struct DaemonSetStatus {
        /// `observedGeneration`
        pub observed_generation: i64,
        /// `desiredNumberScheduled`
        pub desired_number_scheduled: i64,
        /// `currentNumberScheduled`
        pub current_number_scheduled: i64,
        /// `numberMisscheduled`: nodes that have its pod and should not
        pub number_misscheduled: i64,
        /// `updatedNumberScheduled`
        pub updated_number_scheduled: i64,
        /// `numberReady`
        pub number_ready: i64,
        /// `numberAvailable`
        pub number_available: i64,
        /// `conditions`; Kubernetes itself sets none
        pub conditions: Vec<Condition>,
    }
}
