//! ④ Where it is served: sockets are accepted, counted, wrapped in TLS where that is ours, held to deadlines, and
//! drained at the end.
//!
//! In one place, because each of these bounds what a stranger can make the server hold: who connects and says nothing
//! or does not read what they asked for ([`Deadlines`]), and who comes too often ([`Limits`]).

pub mod limits;
pub mod tls;
mod wire;

use std::{convert::Infallible, net::SocketAddr, pin::pin, time::Duration};

use axum::{body::Body, extract::ConnectInfo};
use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

pub use self::{limits::Limits, tls::Tls};
use self::{limits::Place, wire::Wire};
use crate::http::OverTls;

/// Longest head of a request.
const LONGEST_HEAD: usize = 16 << 10;
/// What one connection may hold of what it has received and not yet been read.
const BUFFER: usize = 32 << 10;
/// How long nothing is accepted when the system has no more sockets to give.
const BREATH: Duration = Duration::from_millis(250);

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// For a TLS handshake.
    pub handshake: Duration,
    /// For the head of a request, from the end of the one before.
    pub head: Duration,
    /// Between two bytes of what is being sent to it.
    pub stall: Duration,
}

impl Default for Deadlines {
    fn default() -> Deadlines {
        Deadlines {
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(20),
            stall: Duration::from_secs(30),
        }
    }
}

/// Where it is served, and how.
#[derive(Debug)]
pub struct Front {
    /// Already bound.
    pub listeners: Vec<TcpListener>,
    /// With a certificate, if TLS ends here.
    pub tls: Option<Tls>,
    /// How many may come.
    pub limits: Limits,
    /// How long they may take.
    pub deadlines: Deadlines,
}

impl From<Vec<TcpListener>> for Front {
    fn from(listeners: Vec<TcpListener>) -> Front {
        Front { listeners, tls: None, limits: Limits::default(), deadlines: Deadlines::default() }
    }
}

/// What the connections of one listener share.
#[derive(Clone)]
struct Serving {
    site: axum::Router,
    tls: Option<Tls>,
    limits: Limits,
    deadlines: Deadlines,
    stop: CancellationToken,
}

/// Serves `site` at one of them until `stop`; then waits until everybody has gone.
pub(crate) async fn serve(
    listener: TcpListener,
    site: axum::Router,
    tls: Option<Tls>,
    limits: Limits,
    deadlines: Deadlines,
    stop: CancellationToken,
) {
    let serving = Serving { site, tls, limits, deadlines, stop };
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = serving.stop.cancelled() => break,
            Some(ended) = connections.join_next() => {
                if let Err(panic) = ended {
                    tracing::error!(%panic, "a connection panicked: a bug in Masthead, please report it");
                }
            }
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    if let Some(place) = serving.limits.admit(peer.ip()) {
                        connections.spawn(connection(stream, peer, place, serving.clone()));
                    } else {
                        turn_away(stream, serving.tls.is_some());
                    }
                }
                Err(error) if is_the_clients(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "no connection can be accepted");
                    tokio::time::sleep(BREATH).await;
                }
            },
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
    // A websocket goes on when its connection has been handed over.
    serving.limits.empty().await;
}

/// An error of one connection that was gone before it was accepted.
fn is_the_clients(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
    )
}

/// Says why, as far as that can be said without waiting.
fn turn_away(stream: TcpStream, tls: bool) {
    use std::io::Write;
    const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\n\
        Content-Type: text/plain; charset=utf-8\r\nContent-Length: 61\r\n\r\n\
        Too many connections are open. More: see --max-connections.\r\n";
    if tls {
        return;
    }
    // The socket is not blocking: what does not fit at once is not sent.
    if let Ok(mut stream) = stream.into_std() {
        let _ = stream.write(FULL);
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, place: Place, serving: Serving) {
    // A change is one small write; waiting to fill a packet would delay it by tens of milliseconds.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let wire = Wire::new(stream, place, serving.deadlines.stall);
    let Some(tls) = &serving.tls else { return http1(wire, peer, false, serving).await };
    let handshake = tokio::time::timeout(serving.deadlines.handshake, tls.accept(wire));
    let shaken = tokio::select! {
        shaken = handshake => shaken,
        () = serving.stop.cancelled() => return,
    };
    match shaken {
        Ok(Ok(stream)) => http1(stream, peer, true, serving).await,
        Ok(Err(error)) => tracing::debug!(%error, %peer, "no TLS"),
        Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
    }
}

async fn http1(
    io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    peer: SocketAddr,
    tls: bool,
    serving: Serving,
) {
    let Serving { site, stop, deadlines, .. } = serving;
    let service = service_fn(move |mut request: Request<Incoming>| {
        let site = site.clone();
        request.extensions_mut().insert(ConnectInfo(peer));
        if tls {
            request.extensions_mut().insert(OverTls);
        }
        async move {
            Ok::<_, Infallible>(
                site.oneshot(request.map(Body::new)).await.unwrap_or_else(|never| match never {}),
            )
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(deadlines.head)
        .max_header_size(LONGEST_HEAD)
        .max_buf_size(BUFFER);
    let mut served = pin!(http.serve_connection(TokioIo::new(io), service).with_upgrades());
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, %peer, "a connection ended");
    }
}
