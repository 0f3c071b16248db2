//! `policy/v1` PodDisruptionBudget.

use app::api::Text;

use super::{
    meta::{Condition, LabelSelector, ObjectMeta},
    object,
    scalar::IntOrString,
};

object! {
    /// A PodDisruptionBudget.
    pub struct PodDisruptionBudget {
        /// `metadata`
        pub metadata: ObjectMeta,
        /// `spec`
        pub spec: PodDisruptionBudgetSpec,
        /// `status`
        pub status: PodDisruptionBudgetStatus,
    }

    /// `spec` of a PodDisruptionBudget.
    pub struct PodDisruptionBudgetSpec {
        /// `minAvailable`
        pub min_available: Option<IntOrString>,
        /// `maxUnavailable`
        pub max_unavailable: Option<IntOrString>,
        /// `selector`; none selects nothing, an empty one everything
        pub selector: Option<LabelSelector>,
        /// `unhealthyPodEvictionPolicy`
        pub unhealthy_pod_eviction_policy: Text,
    }

    /// `status` of a PodDisruptionBudget.
    pub struct PodDisruptionBudgetStatus {
        /// `observedGeneration`
        pub observed_generation: i64,
        /// `disruptionsAllowed`
        pub disruptions_allowed: i64,
        /// `currentHealthy`
        pub current_healthy: i64,
        /// `desiredHealthy`
        pub desired_healthy: i64,
        /// `expectedPods`
        pub expected_pods: i64,
        /// `conditions`
        pub conditions: Vec<Condition>,
    }
}
