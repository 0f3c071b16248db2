//! `coordination.k8s.io/v1` Lease.

use app::api::Text;

use super::{meta::ObjectMeta, object, scalar::Time};

object! {
    /// A Lease.
    pub struct Lease {
        /// `metadata`
        pub metadata: ObjectMeta,
        /// `spec`
        pub spec: LeaseSpec,
    }

    /// `spec` of a Lease.
    pub struct LeaseSpec {
        /// `holderIdentity`
        pub holder_identity: Text,
        /// `leaseDurationSeconds`
        pub lease_duration_seconds: Option<i64>,
        /// `renewTime`, in microseconds
        pub renew_time: Time,
    }
}
