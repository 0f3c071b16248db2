//! Who is looking, and what of the cluster they may see: decided before a byte is encoded.
//!
//! Every request that is answered from the cluster has a [`Visitor`], made by the [`Door`], and reads from the hub
//! that the [`Rooms`] have for their [`Grant`]: the whole cluster's, or one that has never been told anything but
//! what is granted.

mod door;
pub mod grant;
mod lens;
mod rooms;

use std::sync::Arc;

use app::api::Text;
use tokio_util::sync::CancellationToken;

pub use self::{
    door::Door,
    grant::Grant,
    rooms::{NoRoom, Rooms},
};

/// Somebody who is looking.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// As whom they came in.
    pub who: Who,
    /// What they may see; `None` is everything that is watched.
    pub grant: Option<Arc<Grant>>,
    /// Cancelled at the moment their right ends: signed out, revoked, expired. Open streams end with it.
    pub ended: CancellationToken,
}

/// As whom a visitor came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Whoever can reach the server: `--auth none`.
    Anyone,
}

impl Who {
    /// For the page and the audit line.
    pub fn name(&self) -> Text {
        match self {
            Who::Anyone => Text::from("anyone"),
        }
    }
}
