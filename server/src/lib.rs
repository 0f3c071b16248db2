//! The half of Masthead that knows Kubernetes.
//!
//! Reading order follows one event from the API server to the socket:
//!
//! - ① ② [`source`]: a reflector a kind lists and watches; objects become rows
//! - ③ [`hub`]: one task folds every change into the model and encodes it once for all who watch;
//!   [`audience`]: who is looking, and the hub of what they may see
//! - ④ [`front`], [`http`]: connections and TLS; the live socket, the text API, the page's first paint
//!
//! [`demo`] is a cluster of our own: an API server inside the process that everything above watches as
//! it would any other.

pub mod audience;
pub mod command;
pub mod config;
pub mod demo;
pub mod error;
pub mod front;
pub mod http;
pub mod hub;
pub mod metrics;
pub mod source;

use std::{io::Write, time::Duration};

use flate2::{Compression, write::GzEncoder};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use self::error::StartError;
use self::{audience::Rooms, front::Front, http::Access, hub::Hub, source::Source};

/// Watches `source` and serves it at `front` until `stop`; then gives open connections `drain` to end.
pub async fn run(
    source: Source,
    front: impl Into<Front>,
    access: Access,
    stop: CancellationToken,
    drain: Duration,
) -> Result<(), StartError> {
    let Front { listeners, tls, limits, deadlines } = front.into();
    let metrics = source.metrics.clone();
    metrics.watch_connections(limits.clone());
    let (hub, owner) = Hub::new(source.about.clone(), stop.clone());
    let door = access.door.clone();
    let register = access.register.clone();
    door.attach(&hub);
    let rooms = Rooms::new(hub.clone(), stop.clone());
    let site = http::router(hub.clone(), rooms.clone(), metrics.clone(), access, stop.clone());

    let mut tasks = JoinSet::new();
    tasks.spawn({
        let stop = stop.clone();
        async move {
            owner.await;
            stop.cancel(); // no hub, no server
            Ok(())
        }
    });
    tasks.spawn({
        let stop = stop.clone();
        async move {
            tokio::select! {
                () = source.run(hub) => {}
                () = stop.cancelled() => {}
            }
            Ok(())
        }
    });
    tasks.spawn({
        let stop = stop.clone();
        async move {
            tokio::select! {
                () = door.keep() => {}
                () = stop.cancelled() => {}
            }
            Ok(())
        }
    });
    tasks.spawn({
        let stop = stop.clone();
        async move {
            register.keep(stop).await;
            Ok(())
        }
    });
    if let Some(tls) = tls.clone() {
        let stop = stop.clone();
        tasks.spawn(async move {
            tokio::select! {
                () = tls.keep(&metrics) => {}
                () = stop.cancelled() => {}
            }
            Ok(())
        });
    }
    for listener in listeners {
        let serving =
            front::serve(listener, site.clone(), tls.clone(), limits.clone(), deadlines, stop.clone());
        tasks.spawn(async move {
            serving.await;
            Ok(())
        });
    }

    let mut failed = None;
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => {}
            Some(ended) = tasks.join_next() => failed = failed.or(failure(ended)),
        }
        if failed.is_some() {
            stop.cancel();
        }
    }
    let drained = tokio::time::timeout(drain, async {
        while let Some(ended) = tasks.join_next().await {
            if let Some(error) = failure(ended) {
                tracing::warn!(%error, "while draining");
            }
        }
        rooms.closed().await;
    });
    if drained.await.is_err() {
        tracing::warn!(seconds = drain.as_secs(), "connections were still open at the end of the drain");
    }
    failed.map_or(Ok(()), Err)
}

fn failure(ended: Result<Result<(), StartError>, tokio::task::JoinError>) -> Option<StartError> {
    match ended {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error),
        Err(panic) => Some(StartError::Panicked(panic.to_string())),
    }
}

/// Compresses; writing to memory cannot fail, and if it did the page would say it cannot inflate.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::new(6));
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}
