//! What every object has.

use std::{fmt, sync::Arc};

use app::api::{Labels, Text};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

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
        /// `metadata.resourceVersion`, read as in [`AnyMeta`], so that what has no head has no row
        pub resource_version: Loose,
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
        /// `metadata.managedFields`, of which only the last time of writing is read
        pub managed_fields: LastWritten,
    }

    /// One owner.
    pub struct OwnerReference {
        /// `apiVersion`
        pub api_version: Text,
        /// `kind`
        pub kind: Text,
        /// `name`
        pub name: Text,
        /// `uid`
        pub uid: Arc<str>,
        /// `controller`
        pub controller: bool,
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

/// The annotations that are read. The rest may hold anything: only that there are some is kept.
#[derive(Clone, Debug, Default)]
pub struct Annotations {
    /// Of a ReplicaSet, copied to its Deployment.
    pub revision: Option<Text>,
    /// Of a ReplicaSet: what `revision` was before, separated by commas.
    pub revision_history: Text,
    /// Of a ReplicaSet: how many pods its Deployment wanted when that last scaled it.
    pub desired_replicas: Option<Text>,
    /// What a person wrote down as the reason of a rollout.
    pub change_cause: Text,
    /// Of a template, by `kubectl rollout restart`.
    pub restarted_at: Text,
    /// Whether there are others, beside the copy of itself that `kubectl apply` leaves in an object.
    pub others: bool,
}

impl Annotations {
    /// The key of `change_cause`.
    pub const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";
    /// The key of `restarted_at`.
    pub const RESTARTED_AT: &str = app::api::manifest::RESTARTED_AT;
    const REVISION: &str = "deployment.kubernetes.io/revision";
    const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
    const DESIRED_REPLICAS: &str = "deployment.kubernetes.io/desired-replicas";
    const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

    /// The revisions it was before (`pkg/controller/deployment/util/deployment_util.go`,
    /// `SetNewReplicaSetAnnotations`).
    pub fn formerly(&self) -> Vec<i64> {
        self.revision_history.split(',').filter_map(|revision| revision.parse().ok()).collect()
    }

    /// 0 without one, `None` if it is no number (kubectl `pkg/util/deployment`, `Revision`).
    pub fn revision(&self) -> Option<i64> {
        self.revision.as_ref().map_or(Some(0), |revision| revision.parse().ok())
    }
}

impl<'de> Deserialize<'de> for Annotations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Annotations, D::Error> {
        deserializer.deserialize_map(AnnotationsVisitor)
    }
}

struct AnnotationsVisitor;

impl<'de> Visitor<'de> for AnnotationsVisitor {
    type Value = Annotations;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("annotations")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Annotations, A::Error> {
        let mut read = Annotations::default();
        while let Some(key) = map.next_key::<Text>()? {
            match key.as_str() {
                Annotations::REVISION => read.revision = map.next_value()?,
                Annotations::CHANGE_CAUSE => {
                    read.change_cause = map.next_value::<Option<Text>>()?.unwrap_or_default();
                }
                Annotations::RESTARTED_AT => {
                    read.restarted_at = map.next_value::<Option<Text>>()?.unwrap_or_default();
                }
                Annotations::REVISION_HISTORY => {
                    read.revision_history = map.next_value::<Option<Text>>()?.unwrap_or_default();
                }
                Annotations::DESIRED_REPLICAS => read.desired_replicas = map.next_value()?,
                Annotations::LAST_APPLIED => _ = map.next_value::<IgnoredAny>()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    read.others = true;
                }
            }
        }
        Ok(read)
    }
}

/// When anything but the status was last written, by `metadata.managedFields`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastWritten(pub Time);

object! {
    /// One of `managedFields`.
    pub struct ManagedFields {
        /// `time`
        pub time: Loose,
        /// `subresource`
        pub subresource: Loose,
    }
}

impl<'de> Deserialize<'de> for LastWritten {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<LastWritten, D::Error> {
        deserializer.deserialize_seq(LastWrittenVisitor)
    }
}

struct LastWrittenVisitor;

impl<'de> Visitor<'de> for LastWrittenVisitor {
    type Value = LastWritten;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("managedFields")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<LastWritten, A::Error> {
        // stamps of one form, to the second and in UTC, are in the order of their letters
        let mut last = Loose::default();
        while let Some(fields) = list.next_element::<Option<ManagedFields>>()? {
            let fields = fields.unwrap_or_default();
            if fields.subresource.0.is_empty() && fields.time.0 > last.0 {
                last = fields.time;
            }
        }
        Ok(LastWritten(Time::parse(&last.0)))
    }
}

impl Condition {
    /// Whether its status is `True`.
    pub fn is_true(&self) -> bool {
        self.status == "True"
    }
}
