//! `apps/v1` StatefulSet.

use app::api::Text;

use super::{
    meta::{Condition, LabelSelector, ObjectMeta},
    object,
    scalar::Words,
    strategy::Strategy,
    template::PodTemplate,
};

object! {
    /// A StatefulSet. Of its `volumeClaimTemplates` only the length is read.
    pub struct StatefulSet {
        /// `metadata`
        pub metadata: ObjectMeta,
        /// `spec`
        pub spec: StatefulSetSpec,
        /// `status`
        pub status: StatefulSetStatus,
    }

    /// `spec` of a StatefulSet.
    pub struct StatefulSetSpec {
        /// `replicas`; the server's default is 1
        pub replicas: Option<i64>,
        /// `selector`; none selects nothing
        pub selector: Option<LabelSelector>,
        /// `template`
        pub template: PodTemplate,
        /// `serviceName`
        pub service_name: Text,
        /// `podManagementPolicy`: `OrderedReady`, `Parallel`
        pub pod_management_policy: Text,
        /// `updateStrategy`
        pub update_strategy: Strategy,
        /// `minReadySeconds`
        pub min_ready_seconds: i64,
        /// `revisionHistoryLimit`
        pub revision_history_limit: Option<i64>,
        /// `volumeClaimTemplates`, its length
        pub volume_claim_templates: Words,
    }

    /// `status` of a StatefulSet.
    pub struct StatefulSetStatus {
        /// `observedGeneration`
        pub observed_generation: i64,
        /// `replicas`
        pub replicas: i64,
        /// `readyReplicas`
        pub ready_replicas: i64,
        /// `currentReplicas`: of the template before the newest
        pub current_replicas: i64,
        /// `updatedReplicas`: of the newest template
        pub updated_replicas: i64,
        /// `availableReplicas`; counted since Kubernetes 1.22
        pub available_replicas: Option<i64>,
        /// `currentRevision`
        pub current_revision: Text,
        /// `updateRevision`
        pub update_revision: Text,
        /// `conditions`; Kubernetes itself sets none but (alpha in 1.37) `Progressing`, False once complete
        pub conditions: Vec<Condition>,
    }
}
