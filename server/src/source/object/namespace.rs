//! `core/v1` Namespace.

use app::api::Text;

use super::{
    meta::{Condition, ObjectMeta},
    object,
};

object! {
    /// A namespace.
    pub struct Namespace {
        /// `metadata`
        pub metadata: ObjectMeta,
        /// `status`
        pub status: NamespaceStatus,
    }

    /// `status` of a namespace.
    pub struct NamespaceStatus {
        /// `phase`
        pub phase: Text,
        /// `conditions`
        pub conditions: Vec<Condition>,
    }
}
