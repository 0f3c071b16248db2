//! ④ What is served: routes and layers, in the order a request meets them.
//!
//! What shows something of a cluster is a GET; a POST is about sign-ins ([`sign_in`]), links and walls of this
//! server's own. There is no method override, and nothing here can reach an API server.

mod access;
mod admit;
mod api;
mod assets;
pub mod base;
mod endpoints;
mod links;
mod live;
mod page;
mod placement;
mod probes;
mod rollouts;
mod sign_in;
pub mod text;

use std::sync::Arc;

use app::api::Text;
use axum::Router;
use tokio_util::sync::CancellationToken;
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer, trace::TraceLayer};

pub use self::{
    access::{Hosts, OverTls},
    base::Base,
    links::sentence,
};
use crate::{
    audience::{Door, Links, Register, Rooms, Walls},
    hub::Hub,
    metrics::Metrics,
};

/// Who is answered, and how they are told apart.
#[derive(Clone, Debug)]
pub struct Access {
    /// Names of this server.
    pub hosts: Hosts,
    /// What stands before every path.
    pub base: Base,
    /// Who visitors are.
    pub door: Door,
    /// What is shared, and with whom.
    pub register: Register,
    /// Where browsers find this server, if it has been said: `https://dash.example`, without the base.
    pub public_url: Option<String>,
    /// It is for strangers: nobody signs in, nothing is shared, nothing is counted for anybody.
    pub public: bool,
}

impl Access {
    /// For anyone, at the root, with nothing shared yet.
    pub fn open(hosts: Hosts) -> Access {
        Access {
            hosts,
            base: Base::default(),
            door: Door::default(),
            register: Register::default(),
            public_url: None,
            public: false,
        }
    }
}

/// The whole site. `stop` ends open streams when the server drains.
pub fn router(
    hub: Hub,
    rooms: Rooms,
    metrics: Arc<Metrics>,
    access: Access,
    stop: CancellationToken,
) -> Router {
    let Access { hosts, base, door, register, public_url, public } = access;
    let pace = access::Pace::of(door.clone());
    let admission = admit::Admission {
        links: Links::of(register.clone()),
        walls: Walls::of(register),
        door: door.clone(),
        public_url: public_url.map(Text::from),
        public,
        rooms,
    };
    let compressed = Router::new()
        .merge(api::router())
        .merge(endpoints::router())
        .merge(placement::router())
        .merge(page::router())
        .layer(axum::middleware::from_fn(access::deadline))
        .merge(rollouts::router())
        .layer(CompressionLayer::new());
    // What shows something of the cluster, to whom the door has let in.
    let inside = Router::new()
        .merge(live::router(metrics.clone(), stop.clone()))
        .merge(api::watch_router(metrics.clone(), stop))
        .merge(compressed)
        .layer(axum::middleware::from_fn_with_state(admission.clone(), admit::admit));
    // What there is below a link as well, for whoever was given it.
    let linked = Router::new().merge(assets::router()).merge(inside);
    let mut apart = Router::new().merge(probes::router(hub.clone()));
    if !public {
        let counted = probes::metrics_router(hub, metrics)
            .layer(axum::middleware::from_fn_with_state(door.clone(), admit::known));
        apart = apart.merge(counted).merge(sign_in::router(door)).merge(links::router(admission));
    }
    let site = linked.clone().merge(apart.layer(axum::middleware::from_fn(access::deadline)));
    base::router(base, site, linked)
        .layer(axum::middleware::from_fn(access::check_length))
        .layer(axum::middleware::from_fn_with_state(pace, access::check_pace))
        .layer(axum::middleware::from_fn_with_state(hosts, access::check_host))
        .layer(axum::middleware::from_fn(access::headers))
        .layer(CatchPanicLayer::new())
        // Errors are logged where they are handled; a server that is not ready yet is none.
        .layer(TraceLayer::new_for_http().on_failure(()))
}
