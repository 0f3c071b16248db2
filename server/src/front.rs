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
use socket2::{SockRef, TcpKeepalive};
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

/// How long what was sent to a client may go without an answer from its system, or not be sent because its system takes
/// nothing more. Something is sent every two or three
/// seconds to all who watch, so that one who has vanished is found out within ten, where it would be sent again for a
/// quarter of an hour. Elsewhere than on Linux the deadlines below have to do.
#[cfg(target_os = "linux")]
const UNANSWERED: Duration = Duration::from_secs(8);
/// After how long, and how often, the system of a client is asked that nothing is sent to, such as one who waits for
/// the end of a rollout: it too has eight seconds to answer.
const ASKED: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(2));

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// For a TLS handshake.
    pub handshake: Duration,
    /// For the head of a request, from the end of the one before.
    pub head: Duration,
    /// Between two bytes of what is being sent to it: for a stream of events, which nobody answers, what a pong is
    /// for a websocket.
    pub stall: Duration,
}

impl Default for Deadlines {
    fn default() -> Deadlines {
        Deadlines {
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(20),
            stall: Duration::from_secs(10),
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

fn set_up(stream: &TcpStream) -> std::io::Result<()> {
    // A change is one small write; waiting to fill a packet would delay it by tens of milliseconds.
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let (after, every) = ASKED;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(after).with_interval(every).with_retries(2))?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNANSWERED))?;
    Ok(())
}

async fn connection(stream: TcpStream, peer: SocketAddr, place: Place, serving: Serving) {
    if let Err(error) = set_up(&stream) {
        tracing::debug!(%error, "a socket that cannot be set up");
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use app::wire::About;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        time::sleep,
    };

    use super::*;
    use crate::{
        audience::Rooms,
        http::{self as site, Access, Hosts},
        hub::Hub,
        metrics::Metrics,
    };

    /// A connection is closed ten seconds after its client has taken the last byte.
    #[tokio::test(start_paused = true)]
    async fn whoever_does_not_read_a_stream_is_let_go_after_ten_seconds() {
        let stop = CancellationToken::new();
        let (hub, owner) = Hub::new(About::default(), stop.clone());
        let _owner = tokio::spawn(owner);
        let access = Access::open(Hosts::new(&[], &[]));
        let rooms = Rooms::new(hub.clone(), stop.clone());
        let site = site::router(hub.clone(), rooms, Arc::new(Metrics::default()), access, stop.clone());
        let (limits, deadlines) = (Limits::default(), Deadlines::default());
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        let place = limits.admit(peer.ip()).expect("room");
        // What its system would keep for a client that does not read.
        let (mut client, far) = tokio::io::duplex(64);
        let wire = Wire::new(far, place, deadlines.stall);
        let serving = Serving { site, tls: None, limits: limits.clone(), deadlines, stop };
        let served = tokio::spawn(http1(wire, peer, false, serving));
        let head = "GET /api/v1/watch HTTP/1.1\r\nHost: localhost\r\n\r\n";
        client.write_all(head.as_bytes()).await.expect("sent");
        let viewers = async || hub.view().await.expect("a view").viewers;
        sleep(Duration::from_secs(9)).await;
        assert_eq!((viewers().await, limits.open_now()), (1, 1));
        // Slow, but there.
        client.read_exact(&mut [0; 16]).await.expect("some of it");
        sleep(Duration::from_millis(9_900)).await;
        assert!(!served.is_finished() && viewers().await == 1);
        sleep(Duration::from_millis(200)).await;
        assert!(served.is_finished());
        sleep(Duration::from_secs(2)).await; // the hub counts at each beat
        assert_eq!((viewers().await, limits.open_now()), (0, 0));
    }

    #[tokio::test]
    async fn the_system_looks_after_a_connection_too() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (_client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (stream, _) = accepted.expect("a connection");
        set_up(&stream).expect("options");
        let socket = SockRef::from(&stream);
        assert!(stream.nodelay().expect("an option") && socket.keepalive().expect("an option"));
        #[cfg(target_os = "linux")]
        {
            let unanswered = socket.tcp_user_timeout().expect("an option");
            assert_eq!(unanswered, Some(UNANSWERED));
            let asked = socket.tcp_keepalive_time().expect("an option");
            let every = socket.tcp_keepalive_interval().expect("an option");
            assert_eq!((asked, every), ASKED);
        }
    }
}
