//! ④ A page that is gone, while nobody has said so, in the middle of a flood of changes: the real websocket, over a cable
//! that loses or keeps whatever is put in. Time is tokio's, as in `stage`.

// A test that cannot go on should stop.
#![allow(clippy::expect_used)]

#[allow(dead_code)]
#[path = "weather/cable.rs"]
mod cable;
mod stage;
mod viewer;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::Router;
use cable::Cable;
use futures::StreamExt;
use http::HeaderValue;
use server::{
    audience::Rooms,
    http::{self as site, Access, Hosts},
};
use stage::Stage;
use tokio::{task::JoinSet, time::Instant};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};
use tokio_util::sync::CancellationToken;
use viewer::{Viewer, pod};

/// By then the server lets go of whoever does not hear it.
const LET_GO: Duration = Duration::from_secs(10);

/// Opens a page's websocket over a cable, and reads it for as long as anything comes; how many changes have come.
async fn page(site: &Router, cable: &Cable, tasks: &mut JoinSet<()>) -> Arc<AtomicU32> {
    let (near, far) = cable.connect(tasks);
    tasks.spawn(cable::serve(site.clone(), far));
    let mut request = "ws://masthead.test/live".into_client_request().expect("a request");
    request.headers_mut().insert("origin", HeaderValue::from_static("http://masthead.test"));
    let (mut socket, _) = tokio_tungstenite::client_async(request, near).await.expect("a socket");
    let changes = Arc::<AtomicU32>::default();
    let counted = changes.clone();
    tasks.spawn(async move {
        let mut viewer = Viewer::default();
        // Reading is also what answers pings.
        while let Some(Ok(message)) = socket.next().await {
            if let Message::Binary(bytes) = message {
                viewer.take(&bytes);
                counted.store(viewer.changes, Ordering::Relaxed);
            }
        }
    });
    changes
}

/// How many look, apart from the stage's own.
async fn viewers(stage: &Stage) -> usize {
    stage.hub.view().await.expect("the hub runs").viewers - 1
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_gone_is_let_go_however_much_there_is_to_send_to_it() {
    // A hop that loses all, so that there is always room for more, one that keeps what it gets until it is full, and two
    // that lose one way only: what the page says, and what it hears. Either way no ping is answered.
    type Hop = (&'static str, fn(&Cable));
    let hops: [Hop; 4] = [
        ("both ways are lost", Cable::swallow),
        ("both ways wait", Cable::stall),
        ("the page is not heard", Cable::mute),
        ("the page does not hear", Cable::deafen),
    ];
    for (what, hop) in hops {
        let mut stage = Stage::new(20).await;
        stage.until_live().await;
        let stop = CancellationToken::new();
        let rooms = Rooms::new(stage.hub.clone(), stop.clone());
        let access = Access::open(Hosts::new(&[], &["masthead.test".to_owned()]));
        let site = site::router(stage.hub.clone(), rooms, stage.metrics.clone(), access, stop.clone());
        let (good, bad) = (Cable::default(), Cable::default());
        let seen_well = page(&site, &good, &mut stage.tasks).await;
        let seen = page(&site, &bad, &mut stage.tasks).await;
        let demo = stage.demo.clone();
        stage.tasks.spawn(async move {
            let mut often = tokio::time::interval(Duration::from_millis(20));
            for nth in 0.. {
                often.tick().await;
                // Never the same twice, so that it has to be sent.
                let much = format!("{nth}-{}", "x".repeat(2_000));
                demo.put(pod(&format!("pod-{}", nth % 20), &[("written", &much)]));
            }
        });
        stage.pass(LET_GO, |_| {}).await;
        assert_eq!(viewers(&stage).await, 2);
        assert!(seen.load(Ordering::Relaxed) > 50, "it is told of changes");
        hop(&bad);
        let died = Instant::now();
        while viewers(&stage).await > 1 {
            stage.pass(Duration::from_millis(100), |_| {}).await;
            assert!(died.elapsed() <= LET_GO, "{what}, and it has a seat after {:?}", died.elapsed());
        }
        // Nobody else has noticed.
        let before = seen_well.load(Ordering::Relaxed);
        stage.pass(LET_GO, |_| {}).await;
        assert_eq!(viewers(&stage).await, 1, "{what}");
        assert!(seen_well.load(Ordering::Relaxed) > before + 20);
    }
}
