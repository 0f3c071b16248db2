//! `core/v1` ReplicationController and `apps/v1` ReplicaSet: alike but for the selector.

use app::api::Labels;

use super::{
    manifest::Written,
    meta::{Condition, LabelSelector, ObjectMeta},
    object,
    template::PodTemplate,
};

object! {
    /// A ReplicationController.
    pub struct ReplicationController {
        /// `metadata`
        pub metadata: ObjectMeta,
        /// `spec`
        pub spec: ReplicationControllerSpec,
        /// `status`
        pub status: ReplicasStatus,
    }

    /// `spec` of a ReplicationController.
    pub struct ReplicationControllerSpec {
        /// `replicas`; the server's default is 1
        pub replicas: Option<i64>,
        /// `selector`; the server's default is the template's labels
        pub selector: Labels,
        /// `template`
        pub template: PodTemplate,
        /// `minReadySeconds`
        pub min_ready_seconds: i64,
    }

    /// A ReplicaSet.
    pub struct ReplicaSet {
        /// `metadata`
        pub metadata: ObjectMeta,
        /// `spec`
        pub spec: ReplicaSetSpec,
        /// `status`
        pub status: ReplicasStatus,
    }

    /// `spec` of a ReplicaSet.
    pub struct ReplicaSetSpec {
        /// `replicas`; the server's default is 1
        pub replicas: Option<i64>,
        /// `selector`; none selects nothing
        pub selector: Option<LabelSelector>,
        /// `template`
        pub template: Written<PodTemplate>,
        /// `minReadySeconds`
        pub min_ready_seconds: i64,
    }

    /// `status` of both.
    pub struct ReplicasStatus {
        /// `observedGeneration`
        pub observed_generation: i64,
        /// `replicas`
        pub replicas: i64,
        /// `readyReplicas`
        pub ready_replicas: i64,
        /// `availableReplicas`
        pub available_replicas: i64,
        /// `conditions`
        pub conditions: Vec<Condition>,
    }
}
