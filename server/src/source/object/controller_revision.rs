//! `apps/v1` ControllerRevision, as DaemonSets and StatefulSets write it.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{manifest::Written, meta::ObjectMeta, object, template::PodTemplate};

object! {
    /// A ControllerRevision.
    pub struct ControllerRevision {
        /// `metadata`
        pub metadata: ObjectMeta,
        /// `data`, which is its controller's own affair
        pub data: Foreign<Patch>,
        /// `revision`
        pub revision: i64,
    }

    /// What a DaemonSet or a StatefulSet is patched with to have that revision again.
    pub struct Patch {
        /// `spec`
        pub spec: PatchSpec,
    }

    /// `spec` of such a patch.
    pub struct PatchSpec {
        /// `template`
        pub template: Written<PodTemplate>,
    }
}

/// Something that is read if it is what we know, and otherwise left alone: its writers owe us nothing.
#[derive(Clone, Debug, Default)]
pub struct Foreign<T>(pub T);

impl<'de, T: DeserializeOwned + Default> Deserialize<'de> for Foreign<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Foreign<T>, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Foreign(serde_json::from_str(json.get()).unwrap_or_default()))
    }
}
