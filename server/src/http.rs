//! ④ What is served: routes and layers, in the order a request meets them.
//!
//! Every route is a GET. There is no method override, and nothing here can reach an API server.

mod access;
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
use crate::{hub::Hub, metrics::Metrics};

/// The whole site. `stop` ends open streams when the server drains.
pub fn router(hub: Hub, metrics: Arc<Metrics>, hosts: Hosts, stop: CancellationToken) -> Router {
    let compressed = Router::new()
        .merge(api::router(hub.clone()))
        .merge(endpoints::router(hub.clone()))
        .merge(placement::router(hub.clone()))
        .merge(rollouts::router(hub.clone()))
        .merge(page::router(hub.clone()))
        .layer(CompressionLayer::new());
    Router::new()
        .merge(assets::router())
        .merge(live::router(hub.clone(), metrics.clone(), stop.clone()))
        .merge(api::watch_router(hub.clone(), metrics.clone(), stop))
        .merge(probes::router(hub, metrics))
        .merge(compressed)
        .layer(axum::middleware::from_fn(access::headers))
        .layer(axum::middleware::from_fn_with_state(hosts, access::check_host))
        .layer(CatchPanicLayer::new())
        .layer(TraceLayer::new_for_http())
}
