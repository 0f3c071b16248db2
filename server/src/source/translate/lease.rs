//! A Lease's row (`pkg/printers/internalversion/printers.go`, `printLease`).

use app::api::Lease;

use super::{Translate, count, meta};
use crate::source::object::lease as object;

impl Translate for Lease {
    type Object = object::Lease;

    fn translate(lease: object::Lease) -> Lease {
        Lease {
            meta: meta::meta(&lease.metadata),
            holder: lease.spec.holder_identity,
            renewed: lease.spec.renew_time.0,
            duration: lease.spec.lease_duration_seconds.map(count),
        }
    }
}
