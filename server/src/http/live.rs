//! ④ `/live`: one websocket a viewer. Frames out ([`app::wire`]); in comes a closed grammar of at most
//! a kilobyte a message.

use std::{sync::Arc, time::Duration};

use app::{
    api::Kinds,
    scope::Scope,
    wire::{self, Ask, Frame, LONGEST_ASK},
};
use axum::{
    Router,
    extract::{
        State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    response::{IntoResponse, Response},
    routing::any,
};
use futures::{SinkExt, StreamExt, stream::SplitSink};
use http::{HeaderMap, StatusCode, Uri};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::{access::same_origin, api::Asked, base::Base};
use crate::{
    audience::{Over, Visitor},
    hub::{Encoding, Hub},
    metrics::Metrics,
};

/// How often a silent viewer is pinged.
const PING: Duration = Duration::from_secs(3);
/// After this long without a word, pongs included, a viewer is gone: found out within 9 s.
const SILENCE: Duration = Duration::from_secs(6);
/// How many asks a viewer may send at once, and how long until there is room for another. A page asks when somebody
/// turns to another view.
const ASKS: (u32, Duration) = (60, Duration::from_millis(100));
/// So long after the last word of a viewer something may still be on its way out: a hop that has died is found out by
/// then, also where there is much to send.
const SENT: Duration = Duration::from_secs(10);
/// Whoever made a frame wait that long, and took it then, is there.
const WAITED: Duration = Duration::from_secs(1);

#[derive(Clone)]
struct Live {
    metrics: Arc<Metrics>,
    stop: CancellationToken,
}

/// The route.
pub fn router(metrics: Arc<Metrics>, stop: CancellationToken) -> Router {
    // `any`, because HTTP/2 opens websockets with CONNECT.
    Router::new().route("/live", any(open)).with_state(Live { metrics, stop })
}

async fn open(
    State(live): State<Live>,
    hub: Hub,
    visitor: Visitor,
    base: Base,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(_) => {
            let watch = base.address("/api/v1/watch");
            let text = format!("this is the page's websocket; for scripts there is {watch}\n");
            return (StatusCode::UPGRADE_REQUIRED, text).into_response();
        }
    };
    if !same_origin(&headers, &uri) {
        let text = "refused: only pages of this server may open its websocket\n";
        return (StatusCode::FORBIDDEN, text).into_response();
    }
    let asked = Asked::of_query(uri.query().unwrap_or_default());
    let scope = match asked.and_then(|asked| asked.scope(Kinds::all())) {
        Ok(scope) => scope,
        Err(error) => return error.into_response(),
    };
    // The defaults reserve 256 KiB a connection; a viewer sends next to nothing.
    upgrade
        .max_message_size(LONGEST_ASK)
        .max_frame_size(LONGEST_ASK)
        .read_buffer_size(4 << 10)
        .write_buffer_size(0)
        .max_write_buffer_size(64 << 20)
        .on_upgrade(move |socket| async move {
            let why = talk(socket, live, hub, visitor, scope).await;
            tracing::debug!(why, "viewer left");
        })
}

/// Talks to one viewer until one side ends it; says why.
async fn talk(socket: WebSocket, live: Live, hub: Hub, visitor: Visitor, mut scope: Scope) -> &'static str {
    let (mut out, mut incoming) = socket.split();
    let Ok(seat) = hub.subscribe(scope.clone(), Encoding::Binary).await else {
        return "shutting down";
    };
    let _looks = live.metrics.looks();
    let mut ping = tokio::time::interval(PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    let mut overflows = 0;
    // When the bucket of asks is full again.
    let mut asks_full = Instant::now();
    loop {
        tokio::select! {
            outgoing = seat.next() => {
                let Ok(outgoing) = outgoing else {
                    // Whoever closed the queue has said why, but for the server's own end.
                    if live.stop.is_cancelled() {
                        bye(&mut out, "the server is shutting down", false).await;
                    }
                    return "the hub closed the seat";
                };
                let bytes = outgoing.bytes().await;
                let size = bytes.len();
                let began = Instant::now();
                match tokio::time::timeout_at(heard + SENT, out.send(Message::Binary(bytes))).await {
                    Ok(Ok(())) => live.metrics.sent(size),
                    Ok(Err(_)) => return "connection lost",
                    Err(_) => return "too slow",
                }
                let so_far = seat.overflows();
                live.metrics.overflowed(so_far - std::mem::replace(&mut overflows, so_far));
                if began.elapsed() > WAITED {
                    heard = Instant::now();
                }
            }
            message = incoming.next() => {
                heard = Instant::now();
                let ask = match message {
                    Some(Ok(Message::Binary(bytes))) => wire::ask(&bytes),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                    Some(Ok(Message::Close(_))) | None => return "closed by the viewer",
                    Some(Ok(Message::Text(_))) | Some(Err(_)) => {
                        bye(&mut out, "that is not what a page of this server sends", false).await;
                        return "spoke out of turn";
                    }
                };
                // Each costs a snapshot or a picture.
                let now = Instant::now();
                asks_full = asks_full.max(now) + ASKS.1;
                if asks_full - now > ASKS.1 * ASKS.0 {
                    bye(&mut out, "this page asks for more than a person would", false).await;
                    return "asked too often";
                }
                let done = match ask {
                    Ok(Ask::Resync) => seat.resync().await,
                    Ok(Ask::Look(key)) => seat.look(key).await,
                    Ok(Ask::Draw(drawing)) => seat.draw(drawing).await,
                    Ok(Ask::Kinds(kinds)) => {
                        scope.kinds = kinds;
                        seat.watch(scope.clone(), Encoding::Binary).await
                    }
                    Err(error) => {
                        tracing::debug!(%error, "a viewer sent something else");
                        bye(&mut out, "that is not what a page of this server sends", false).await;
                        return "spoke out of turn";
                    }
                };
                if done.is_err() {
                    return "shutting down";
                }
            }
            _ = ping.tick() => {
                if heard.elapsed() > SILENCE {
                    return "silent";
                }
                let sent = tokio::time::timeout_at(heard + SENT, out.send(Message::Ping(bytes::Bytes::new()))).await;
                if !matches!(sent, Ok(Ok(()))) {
                    return "connection lost";
                }
            }
            over = visitor.over() => {
                bye(&mut out, over.why(), over == Over::Ended).await;
                return "access ended";
            }
            () = live.stop.cancelled() => {
                bye(&mut out, "the server is shutting down", false).await;
                return "shutting down";
            }
        }
    }
}

/// Says why before closing; a viewer that does not listen any more is no error.
async fn bye(out: &mut SplitSink<WebSocket, Message>, why: &str, ended: bool) {
    let frame = wire::to_bytes(&Frame::Bye { why: why.to_owned(), ended });
    let _ = tokio::time::timeout(Duration::from_secs(1), async {
        out.send(Message::Binary(frame.into())).await?;
        out.close().await
    })
    .await;
}
