//! The way to a cluster's API server: one HTTP/2 connection for all watches, lists and the pulse, so that the pulse
//! proves the very connection that the watches are on. A hop in between that has died, and says nothing of it, is
//! found by pings within seven seconds, as client-go finds it (`ReadIdleTimeout` in apimachinery's `util/net/http.go`;
//! there it takes 45 s). Where HTTP/2 is not offered, or one connection may not carry all watches, each has one of its
//! own ([`Alone`]), which the system's own keep-alive looks after, and which is doubted once the pulse has lost its
//! own: a hop that ends connections itself may forget both halves of one and keep either end well.
//!
//! Apart from that it is the client that `kube::Client::try_from` would have made; kube 5 itself speaks HTTP/1 only.

use std::time::Duration;

use http::{Response, Version};
use hyper::body::Incoming;
use hyper_rustls::{FixedServerNameResolver, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use kube::{
    Client, Config,
    client::{Body, ConfigExt, RustlsTlsError},
};
use tower::{BoxError, ServiceBuilder, ServiceExt};

use super::read_only::ReadOnlyLayer;

/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(5);
/// After so long a silence the other end is asked whether it is there,
const PING: Duration = Duration::from_secs(3);
/// and it has so long to say so.
const PONG: Duration = Duration::from_secs(4);
/// API servers let a connection have 100 streams at least (`http2-max-streams-per-connection`); some are for lists and
/// the pulse.
const STREAMS: usize = 80;

/// So many bytes may be on their way in one stream.
const WINDOW: u32 = 1 << 20;

/// Said of an answer that shares its connection with no other: it came over HTTP/1.
#[derive(Clone, Copy, Debug)]
pub struct Alone;

/// A client that sends what `layer` lets pass. `watches` is how many it will have open.
pub fn client(config: Config, layer: ReadOnlyLayer, watches: usize) -> kube::Result<Client> {
    if let Some(proxy_url) = config.proxy_url {
        let proxy_url = Box::new(proxy_url);
        return Err(kube::Error::ProxyProtocolDisabled { proxy_url, protocol_feature: "kube/http-proxy" });
    }
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(CONNECT));
    http.set_keepalive(Some(PING));
    http.set_keepalive_interval(Some(PONG / 2));
    http.set_keepalive_retries(Some(2));
    let mut https =
        HttpsConnectorBuilder::new().with_tls_config(config.rustls_client_config()?).https_or_http();
    if let Some(name) = config.tls_server_name.clone() {
        let name = name.try_into().map_err(RustlsTlsError::InvalidServerName);
        https = https
            .with_server_name_resolver(FixedServerNameResolver::new(name.map_err(kube::Error::RustlsTls)?));
    }
    let connector = match watches > STREAMS {
        true => https.enable_http1().wrap_connector(http),
        false => https.enable_all_versions().wrap_connector(http),
    };
    let client = legacy::Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .http2_keep_alive_interval(PING)
        .http2_keep_alive_timeout(PONG)
        .http2_keep_alive_while_idle(true)
        // Whatever watches have not been read from yet, there is room for an answer beside them.
        .http2_initial_stream_window_size(WINDOW)
        .http2_initial_connection_window_size(WINDOW * (STREAMS as u32 + 20))
        // Each that has died unnoticed costs the next request its patience.
        .pool_max_idle_per_host(1)
        .build::<_, Body>(connector);
    let service = ServiceBuilder::new()
        .layer(layer)
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_response(|mut response: Response<Incoming>| {
            if response.version() < Version::HTTP_2 {
                response.extensions_mut().insert(Alone);
            }
            response
        })
        .map_err(BoxError::from)
        .service(client);
    Ok(Client::new(service.boxed(), config.default_namespace))
}
