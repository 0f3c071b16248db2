//! The door: says who makes a request, or what they have to do first.

use http::request::Parts;
use tokio_util::sync::CancellationToken;

use super::{Visitor, Who};

/// How visitors are told apart. A cheap clone.
#[derive(Clone, Debug, Default)]
pub struct Door {}

impl Door {
    /// Who makes this request.
    pub async fn visitor(&self, _request: &mut Parts) -> Visitor {
        Visitor { who: Who::Anyone, grant: None, ended: CancellationToken::new() }
    }
}
