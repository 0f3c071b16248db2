//! What every object has.

use std::sync::Arc;

use app::api::{Labels, Text};

use super::{
    object,
    scalar::{Loose, Time},
};

object! {
    /// An object of which only the name matters.
    pub struct AnyObject {
        /// `metadata`
        pub metadata: AnyMeta,
    }

    /// What names an object, whatever else is wrong with it.
    pub struct AnyMeta {
        /// `metadata.namespace`
        pub namespace: Loose,
        /// `metadata.name`
        pub name: Loose,
        /// `metadata.uid`
        pub uid: Loose,
        /// `metadata.resourceVersion`
        pub resource_version: Loose,
    }

    /// `metadata`.
    pub struct ObjectMeta {
        /// `metadata.name`
        pub name: Arc<str>,
        /// `metadata.namespace`
        pub namespace: Text,
        /// `metadata.uid`
        pub uid: Arc<str>,
        /// `metadata.generation`
        pub generation: i64,
        /// `metadata.creationTimestamp`
        pub creation_timestamp: Time,
        /// `metadata.deletionTimestamp`
        pub deletion_timestamp: Time,
        /// `metadata.deletionGracePeriodSeconds`
        pub deletion_grace_period_seconds: Option<i64>,
        /// `metadata.finalizers`
        pub finalizers: Vec<Text>,
        /// `metadata.labels`
        pub labels: Labels,
        /// `metadata.annotations`, the few that are shown
        pub annotations: Annotations,
        /// `metadata.ownerReferences`
        pub owner_references: Vec<OwnerReference>,
    }

    /// One owner.
    pub struct OwnerReference {
        /// `kind`
        pub kind: Text,
        /// `name`
        pub name: Text,
        /// `uid`
        pub uid: Arc<str>,
        /// `controller`
        pub controller: bool,
    }

    /// The annotations that are read. The rest may hold anything and are skipped.
    pub struct Annotations {
        /// Of a ReplicaSet, copied to its Deployment.
        #[serde(rename = "deployment.kubernetes.io/revision")]
        pub revision: Text,
        /// What a person wrote down as the reason of a rollout.
        #[serde(rename = "kubernetes.io/change-cause")]
        pub change_cause: Text,
        /// Of a template, by `kubectl rollout restart`.
        #[serde(rename = "kubectl.kubernetes.io/restartedAt")]
        pub restarted_at: Text,
    }

    /// One condition, of any kind.
    pub struct Condition {
        /// `type`
        #[serde(rename = "type")]
        pub kind: Text,
        /// `status`: `True`, `False`, `Unknown`
        pub status: Text,
        /// `reason`
        pub reason: Text,
        /// `message`
        pub message: Arc<str>,
        /// `lastTransitionTime`
        pub last_transition_time: Time,
        /// `lastUpdateTime`, of Deployments
        pub last_update_time: Time,
    }

    /// `metav1.LabelSelector`.
    pub struct LabelSelector {
        /// `matchLabels`
        pub match_labels: Labels,
        /// `matchExpressions`
        pub match_expressions: Vec<LabelRequirement>,
    }

    /// One of `matchExpressions`.
    pub struct LabelRequirement {
        /// `key`
        pub key: Text,
        /// `operator`: `In`, `NotIn`, `Exists`, `DoesNotExist`
        pub operator: Text,
        /// `values`
        pub values: Vec<Text>,
    }
}

impl Condition {
    /// Whether its status is `True`.
    pub fn is_true(&self) -> bool {
        self.status == "True"
    }
}
