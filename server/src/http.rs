//! ④ What is served: routes and layers, in the order a request meets them.
//!
//! Every route is a GET. There is no method override, and nothing here can reach an API server.

mod access;
mod admit;
mod api;
mod assets;
mod endpoints;
mod live;
mod page;
mod placement;
mod probes;
mod rollouts;
pub mod text;

use std::sync::Arc;

use axum::Router;
use tokio_util::sync::CancellationToken;
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer, trace::TraceLayer};

pub use self::access::Hosts;
use crate::{
    audience::{Door, Rooms},
    hub::Hub,
    metrics::Metrics,
};

/// Who is answered, and how they are told apart.
#[derive(Clone, Debug)]
pub struct Access {
    /// Names of this server.
    pub hosts: Hosts,
    /// Who visitors are.
    pub door: Door,
}

/// The whole site. `stop` ends open streams when the server drains.
pub fn router(
    hub: Hub,
    rooms: Rooms,
    metrics: Arc<Metrics>,
    access: Access,
    stop: CancellationToken,
) -> Router {
    let Access { hosts, door } = access;
    let compressed = Router::new()
        .merge(api::router())
        .merge(endpoints::router())
        .merge(placement::router())
        .merge(rollouts::router())
        .merge(page::router())
        .layer(CompressionLayer::new());
    // What shows something of the cluster, to whom the door has let in.
    let inside = Router::new()
        .merge(live::router(metrics.clone(), stop.clone()))
        .merge(api::watch_router(metrics.clone(), stop))
        .merge(compressed)
        .layer(axum::middleware::from_fn_with_state((door, rooms), admit::admit));
    Router::new()
        .merge(assets::router())
        .merge(probes::router(hub, metrics))
        .merge(inside)
        .layer(axum::middleware::from_fn(access::headers))
        .layer(axum::middleware::from_fn_with_state(hosts, access::check_host))
        .layer(CatchPanicLayer::new())
        .layer(TraceLayer::new_for_http())
}
