//! ① against an API server that sends more than there should be: what is too much is given up and said, costs its own kind
//! alone, and is not asked for in a loop. What is merely much is shown.

// A test that cannot go on should stop.
#![allow(clippy::expect_used)]

mod stage;
mod viewer;

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use app::api::{Kind, KindState};
use axum::{Router, body::Body, extract::Request, middleware::Next, response::Response};
use bytes::Bytes;
use futures::{StreamExt, stream};
use serde_json::Value;
use server::demo::{self, Demo, Gone};
use stage::Stage;
use tokio::time::Instant;
use viewer::{Viewer, pod};

/// What one event, and one page of a list, may have at most.
const EVENT: usize = 8 << 20;
const PAGE: usize = 1 << 30;
/// Bytes that come at a time, as over a network; of what has no end as well, but for lists, which are soon read that way.
const PIECE: usize = 64 << 10;
const LARGE_PIECE: usize = 1 << 20;

/// What comes of pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comes {
    AsItIs,
    EndlessWatches,
    EndlessLists,
}

/// A cheap clone.
#[derive(Clone)]
struct Pipe {
    comes: Arc<Mutex<Comes>>,
    /// Of each answer without an end, how many bytes were taken.
    taken: Arc<Mutex<Vec<usize>>>,
}

impl Pipe {
    fn new(comes: Comes) -> Pipe {
        Pipe { comes: Arc::new(Mutex::new(comes)), taken: Arc::default() }
    }

    fn becomes(&self, comes: Comes) {
        *self.comes.lock().expect("no panic") = comes;
    }

    fn taken(&self) -> Vec<usize> {
        self.taken.lock().expect("no panic").clone()
    }

    /// The demo at the other end.
    fn over(&self, demo: &Demo) -> Router {
        let pipe = self.clone();
        demo.router().layer(axum::middleware::from_fn(move |request: Request, next: Next| {
            let pipe = pipe.clone();
            async move {
                let target = request.uri().to_string();
                let (is_pods, is_watch) = (target.contains("/pods?"), target.contains("watch=1"));
                let comes = *pipe.comes.lock().expect("no panic");
                match comes {
                    Comes::EndlessWatches if is_pods && is_watch => pipe.endless(PIECE),
                    Comes::EndlessLists if is_pods && !is_watch => pipe.endless(LARGE_PIECE),
                    _ if is_pods => next.run(request).await.map(in_pieces),
                    _ => next.run(request).await,
                }
            }
        }))
    }

    fn endless(&self, piece: usize) -> Response {
        let taken = self.taken.clone();
        let nth = {
            let mut taken = taken.lock().expect("no panic");
            taken.push(0);
            taken.len() - 1
        };
        // The same bytes each time, so that it is not the test that takes the room.
        let bytes = Bytes::from(vec![b'x'; piece]);
        Response::new(Body::from_stream(stream::repeat_with(move || {
            taken.lock().expect("no panic")[nth] += piece;
            Ok::<_, Infallible>(bytes.clone())
        })))
    }
}

fn in_pieces(body: Body) -> Body {
    Body::from_stream(body.into_data_stream().flat_map(|chunk| {
        let mut left = chunk.expect("bytes");
        let pieces = std::iter::from_fn(move || {
            let piece = left.split_to(left.len().min(PIECE));
            (!piece.is_empty()).then_some(Ok::<_, Infallible>(piece))
        });
        stream::iter(pieces)
    }))
}

/// A cluster of two pods, and what is in between.
async fn stage(comes: Comes) -> (Stage, Pipe) {
    let demo = demo::start(demo::Options { play: false, ..demo::Options::default() });
    (0..2).for_each(|nth| _ = demo.put(pod(&format!("pod-{nth}"), &[])));
    let pipe = Pipe::new(comes);
    let router = pipe.over(&demo);
    (Stage::over(demo, router, &[], None).await, pipe)
}

/// A pod with so many bytes that nobody looks at.
fn large(name: &str, written: &str, bytes: usize) -> Value {
    let mut large = pod(name, &[("written", written)]);
    large["metadata"]["annotations"] = serde_json::json!({"much": "x".repeat(bytes)});
    large
}

fn is_written(viewer: &Viewer, name: &str, written: &str) -> bool {
    let label = |name| viewer.pod(name)?.meta.labels.get("written").map(|label| label.to_string());
    label(name).as_deref() == Some(written)
}

fn is_live(viewer: &Viewer) -> bool {
    *viewer.state(Kind::Pod) == KindState::Live
}

/// Pods are stale, or have yet to come, because of this.
fn is_because(viewer: &Viewer, why: &str) -> bool {
    match viewer.state(Kind::Pod) {
        KindState::Stale { because, .. } | KindState::Failing { because } => because.contains(why),
        _ => false,
    }
}

/// Whatever is not about pods has nothing to do with it.
fn others_are_live(viewer: &Viewer) {
    for kind in Kind::ALL.iter().filter(|kind| kind.watched() != Kind::Pod) {
        assert_eq!(*viewer.state(*kind), KindState::Live, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_enormous_object_that_the_api_server_takes_is_shown() {
    let (mut stage, _) = stage(Comes::AsItIs).await;
    stage.until_live().await;
    let was_live = |viewer: &Viewer| {
        others_are_live(viewer);
        assert!(is_live(viewer));
    };
    // etcd's limit is 1.5 MiB
    stage.demo.put(large("pod-0", "enormous", 1_500_000));
    stage.pass(Duration::from_secs(1), was_live).await;
    assert!(is_written(&stage.viewer, "pod-0", "enormous"));
    stage.demo.put(large("new", "enormous", 1_500_000));
    stage.pass(Duration::from_secs(60), was_live).await;
    assert!(is_written(&stage.viewer, "new", "enormous"));
    assert_eq!(stage.asked("/pods?limit=500"), 1);
}

#[tokio::test(start_paused = true)]
async fn an_event_without_an_end_is_given_up_and_said() {
    let (mut stage, pipe) = stage(Comes::AsItIs).await;
    stage.until_live().await;
    pipe.becomes(Comes::EndlessWatches);
    stage.demo.faults().cut_watches("pods");
    stage
        .until("the reason to be said", |viewer| {
            others_are_live(viewer);
            is_because(viewer, "a watch event of more than 8388608 bytes")
        })
        .await;
    stage.pass(Duration::from_secs(60), others_are_live).await;
    let taken = pipe.taken();
    assert!((2..20).contains(&taken.len()), "{} watches in a minute", taken.len());
    assert!(taken.iter().all(|taken| *taken <= EVENT + 2 * PIECE), "{taken:?}");
    pipe.becomes(Comes::AsItIs);
    stage.demo.put(pod("after", &[]));
    stage.until("what came after", |viewer| is_live(viewer) && viewer.pod("after").is_some()).await;
    let lists = stage.asked("/pods?limit=500");
    stage.demo.put(pod("again", &[]));
    stage.pass(Duration::from_secs(60), |viewer| assert!(is_live(viewer))).await;
    assert!(stage.viewer.pod("again").is_some());
    assert_eq!(stage.asked("/pods?limit=500"), lists, "all is as it was");
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_too_large_for_an_event_comes_with_a_list() {
    let (mut stage, _) = stage(Comes::AsItIs).await;
    stage.until_live().await;
    // What is noticed is that so much has come without an end.
    let too_large = EVENT + 2 * PIECE;
    stage.demo.put(large("pod-0", "first", too_large));
    stage
        .until("the reason to be said", |viewer| {
            others_are_live(viewer);
            is_because(viewer, "a watch event of more than 8388608 bytes")
        })
        .await;
    let began = Instant::now();
    stage.until("a list", |viewer| is_live(viewer) && is_written(viewer, "pod-0", "first")).await;
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    // It is written again and again.
    let lists = stage.asked("/pods?limit=500");
    for nth in 0..12 {
        stage.demo.put(large("pod-0", &format!("again-{nth}"), too_large));
        stage.pass(Duration::from_secs(5), others_are_live).await;
    }
    let made = stage.asked("/pods?limit=500") - lists;
    assert!((2..15).contains(&made), "{made} lists in a minute");
    stage.until("the last one", |viewer| is_live(viewer) && is_written(viewer, "pod-0", "again-11")).await;
    stage.demo.put(large("pod-0", "small", 1));
    stage.until("what it is now", |viewer| is_live(viewer) && is_written(viewer, "pod-0", "small")).await;
    let lists = stage.asked("/pods?limit=500");
    stage.pass(Duration::from_secs(60), |viewer| assert!(is_live(viewer))).await;
    assert_eq!(stage.asked("/pods?limit=500"), lists, "all is as it was");
}

#[tokio::test(start_paused = true)]
async fn a_first_list_without_an_end_is_given_up_and_said() {
    let (mut stage, pipe) = stage(Comes::EndlessLists).await;
    stage.until("the reason to be said", |viewer| is_because(viewer, "more than 1073741824 bytes")).await;
    stage
        .until("the others to be live", |viewer| {
            let mut others = Kind::ALL.iter().filter(|kind| kind.watched() != Kind::Pod);
            others.all(|kind| *viewer.state(*kind) == KindState::Live)
        })
        .await;
    stage
        .pass(Duration::from_secs(60), |viewer| {
            others_are_live(viewer);
            assert!(!viewer.state(Kind::Pod).listed(), "nothing is not the same as none");
        })
        .await;
    let taken = pipe.taken();
    assert!((2..15).contains(&taken.len()), "{} lists in a minute", taken.len());
    assert!(taken.iter().all(|taken| *taken <= PAGE + LARGE_PIECE), "{taken:?}");
    pipe.becomes(Comes::AsItIs);
    stage.until("the pods", |viewer| is_live(viewer) && viewer.pods() == ["pod-0", "pod-1"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_list_without_an_end_says_nothing_of_other_kinds() {
    let (mut stage, pipe) = stage(Comes::AsItIs).await;
    stage.until_live().await;
    pipe.becomes(Comes::EndlessLists);
    stage.demo.faults().forget_history("pods", Gone::InStream);
    stage.demo.faults().cut_watches("pods");
    stage
        .until("the reason to be said", |viewer| {
            others_are_live(viewer);
            is_because(viewer, "more than 1073741824 bytes")
        })
        .await;
    // The pulse, too, reads pods now and then.
    let pulses = stage.demo.request_log().len();
    stage.pass(Duration::from_secs(120), others_are_live).await;
    assert!(stage.demo.request_log().len() > pulses + 30);
    assert_eq!(stage.viewer.pods().len(), 2, "what was known stays");
    assert!(!is_live(&stage.viewer), "and is marked");
    let taken = pipe.taken();
    assert!(taken.iter().all(|taken| *taken <= PAGE + LARGE_PIECE), "{taken:?}");
    pipe.becomes(Comes::AsItIs);
    stage.demo.put(pod("after", &[]));
    stage.until("the pods", |viewer| is_live(viewer) && viewer.pods() == ["after", "pod-0", "pod-1"]).await;
}
