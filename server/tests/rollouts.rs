//! ④ what is asked about a rollout while its kind is refused, and once its object is gone. Time is tokio's and stands
//! still but for waits.

// A test that cannot go on should stop.
#![allow(clippy::expect_used)]

mod stage;
mod viewer;

use std::time::Duration;

use app::api::{Kind, KindState};
use axum::{body::Body, http::Request};
use http::StatusCode;
use serde_json::{Value, json};
use server::{
    audience::Rooms,
    demo::{Demo, Fault},
    http::{self as site, Access, Hosts},
};
use stage::Stage;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use viewer::Viewer;

const WEB: &str = "/api/v1/rollouts/default/deployment/web";

/// What somebody was answered, and when.
struct Answer {
    status: StatusCode,
    body: String,
    at: Instant,
}

/// Asks what is served of what `stage`'s hub knows.
fn ask(stage: &Stage, path: &str) -> impl Future<Output = Answer> + Send + use<> {
    let stop = CancellationToken::new();
    let rooms = Rooms::new(stage.hub.clone(), stop.clone());
    let access = Access::open(Hosts::new(&[], &[]));
    let site = site::router(stage.hub.clone(), rooms, stage.metrics.clone(), access, stop);
    let request = Request::get(path).header("host", "localhost").body(Body::empty());
    let answer = site.oneshot(request.expect("a request"));
    async move {
        let (head, body) = answer.await.unwrap_or_else(|never| match never {}).into_parts();
        let at = Instant::now();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
        Answer { status: head.status, body: String::from_utf8_lossy(&body).into_owned(), at }
    }
}

/// Deployment web of three pods, of which so many are there.
fn web(available: u32) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "web", "namespace": "default", "uid": "u", "generation": 2,
            "annotations": {"deployment.kubernetes.io/revision": "2"},
        },
        "spec": {
            "replicas": 3, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}},
        },
        "status": {
            "observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": available,
        },
    })
}

/// One of its ReplicaSets.
fn set(revision: u32) -> Value {
    let name = format!("web-{revision}");
    let owner =
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "u", "controller": true});
    let container = json!({"name": "main", "image": format!("i:{revision}")});
    json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": name, "namespace": "default", "uid": name, "labels": {"app": "web"},
            "ownerReferences": [owner],
            "annotations": {"deployment.kubernetes.io/revision": revision.to_string()},
        },
        "spec": {
            "replicas": 1, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}},
        },
    })
}

fn begun(demo: &Demo) {
    demo.put(web(0));
    demo.put(set(1));
    demo.put(set(2));
}

/// As an API server may that has just started: open watches of Deployments end, and whoever asks is refused.
async fn refuse(stage: &mut Stage) {
    let faults = stage.demo.faults();
    faults.set("deployments", Fault::Answer(403));
    faults.cut_watches("deployments");
    let is_refused = |viewer: &Viewer| matches!(viewer.state(Kind::Deployment), KindState::Forbidden { .. });
    stage.until("the refusal", is_refused).await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_does_not_end_with_a_refusal_that_passes() {
    let mut stage = Stage::with(1, &[], None, begun).await;
    stage.until_live().await;
    let waiting = tokio::spawn(ask(&stage, &format!("{WEB}/wait?timeout=300s")));
    stage.pass(Duration::from_secs(5), |_| {}).await;
    refuse(&mut stage).await;
    stage.demo.faults().clear("deployments");
    let is_live = |viewer: &Viewer| *viewer.state(Kind::Deployment) == KindState::Live;
    stage.until("Deployments to be live", is_live).await;
    assert!(!waiting.is_finished(), "it may be seen again");
    stage.demo.put(web(3));
    let answer = waiting.await.expect("an answer");
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert!(answer.body.contains("successfully rolled out"), "{}", answer.body);
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_with_a_refusal_that_stays_and_one_that_is_refused_from_the_start_at_once() {
    let mut stage = Stage::with(1, &[], None, begun).await;
    stage.until_live().await;
    let waiting = tokio::spawn(ask(&stage, &format!("{WEB}/wait?timeout=300s")));
    stage.pass(Duration::from_secs(5), |_| {}).await;
    refuse(&mut stage).await;
    let refused = Instant::now();
    let answer = waiting.await.expect("an answer");
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
    let took = answer.at - refused;
    assert!((9..12).contains(&took.as_secs()), "{took:?}");

    let began = Instant::now();
    let answer = ask(&stage, &format!("{WEB}/wait?timeout=300s")).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
    let took = answer.at - began;
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn of_what_is_gone_there_is_a_picture_and_nothing_else() {
    let mut stage = Stage::with(1, &[], None, begun).await;
    stage.until_live().await;
    for ends in ["", "?from=1&to=2"] {
        let answer = ask(&stage, &format!("{WEB}/difference{ends}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    }
    stage.demo.remove("deployments", "default", "web");
    stage.until("it to be gone", |viewer| viewer.cluster.count(Kind::Deployment) == 0).await;
    let picture = ask(&stage, WEB).await;
    assert_eq!(picture.status, StatusCode::OK, "{}", picture.body);
    assert!(picture.body.contains("\"course\":\"deleted\""), "{}", picture.body);
    let asked = ["/difference", "/difference?from=1&to=2", "/difference?output=text", "/status", "/history"];
    for what in asked {
        let answer = ask(&stage, &format!("{WEB}{what}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{what}: {}", answer.body);
        // In kubectl's words, quoted once more in JSON.
        assert!(answer.body.contains("deployments.apps") && answer.body.contains("not found"), "{what}");
    }
}
