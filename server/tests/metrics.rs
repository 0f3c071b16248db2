//! ④ what is counted, for machines and scripts: nothing that nobody knows, and whoever looks. Time is tokio's and stands
//! still but for waits.

// A test that cannot go on should stop.
#![allow(clippy::expect_used)]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use app::{
    api::{Kind, KindState, Text},
    wire::About,
};
use axum::{Router, body::Body, http::Request, response::Response};
use futures::StreamExt;
use serde_json::{Value, json};
use server::{
    audience::{Grant, Rooms, grant::Within},
    http::{self as site, Access, Hosts},
    hub::{Hub, News, now},
    metrics::Metrics,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// A hub that knows what it is told here, and what is served of that.
struct Stage {
    hub: Hub,
    rooms: Rooms,
    metrics: Arc<Metrics>,
    site: Router,
    _owner: JoinHandle<()>,
}

impl Stage {
    fn new() -> Stage {
        let stop = CancellationToken::new();
        let (hub, owner) = Hub::new(About::default(), stop.clone());
        let rooms = Rooms::new(hub.clone(), stop.clone());
        let metrics = Arc::<Metrics>::default();
        let access = Access::open(Hosts::new(&[], &[]));
        let site = site::router(hub.clone(), rooms.clone(), metrics.clone(), access, stop);
        Stage { hub, rooms, metrics, site, _owner: tokio::spawn(owner) }
    }

    async fn tell(&self, state: KindState) {
        let watch = News::Watch { kind: Kind::Pod, within: None, state };
        let current = News::Current { kind: Kind::Pod, within: None, as_of: now() };
        for news in [watch, current] {
            self.hub.tell(news).await.expect("the hub runs");
        }
        // The hub hears news when it has answered what it was asked.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    async fn ask(&self, path: &str) -> Response {
        let request = Request::get(path).header("host", "localhost").body(Body::empty());
        let answer = self.site.clone().oneshot(request.expect("a request")).await;
        answer.unwrap_or_else(|never| match never {})
    }

    async fn get(&self, path: &str) -> String {
        let body = self.ask(path).await.into_body();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
        String::from_utf8(body.to_vec()).expect("text")
    }

    /// How many there are of each kind, by the index, where that is a number.
    async fn counts(&self) -> BTreeMap<String, u64> {
        let index: Value = serde_json::from_str(&self.get("/api/v1").await).expect("JSON");
        let kinds = index["kinds"].as_array().expect("kinds").clone();
        assert!(kinds.iter().all(|kind| kind["count"].is_u64() || kind["count"] == json!(null)), "{kinds:?}");
        let counted = kinds.iter().filter_map(|kind| {
            Some((kind["kind"].as_str().expect("a name").to_owned(), kind["count"].as_u64()?))
        });
        counted.collect()
    }

    /// The same by what Prometheus is told.
    async fn rows(&self) -> BTreeMap<String, u64> {
        let metrics = self.get("/metrics").await;
        let rows = metrics.lines().filter_map(|line| {
            let (kind, count) = line.strip_prefix("masthead_rows{kind=\"")?.split_once("\"} ")?;
            Some((kind.to_owned(), count.parse().expect("a number")))
        });
        rows.collect()
    }
}

#[tokio::test(start_paused = true)]
async fn of_what_is_not_listed_it_is_not_said_that_there_is_none() {
    let stage = Stage::new();
    // Containers are made of pods, and as well known as they are.
    let none = BTreeMap::from(["pods", "containers"].map(|kind| (kind.to_owned(), 0)));
    let unknown = BTreeMap::new();
    let [verb, resource, namespace] = ["list", "pods", ""].map(Text::from);
    for (state, counts) in [
        (KindState::Connecting, &unknown),
        (KindState::Listing { seen: 3 }, &unknown),
        (KindState::Live, &none),
        (KindState::Forbidden { verb, resource, namespace }, &unknown),
        (KindState::Stale { since: now(), because: Text::from("no answer") }, &none),
        (KindState::Failing { because: Text::from("no answer") }, &unknown),
    ] {
        stage.tell(state.clone()).await;
        assert_eq!(stage.counts().await, *counts, "{state:?}");
        assert_eq!(stage.rows().await, *counts, "{state:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_looks_is_counted_and_a_room_is_nobody() {
    let stage = Stage::new();
    let kinds = BTreeMap::from([(Kind::Pod, Within::All)]);
    let _room = stage.rooms.hub(Some(&Arc::new(Grant { kinds, ..Grant::default() }))).await.expect("a room");
    assert!(stage.get("/metrics").await.contains("\nmasthead_viewers 0\n"));
    let stream = stage.ask("/api/v1/watch?kinds=pods").await;
    assert!(stage.get("/metrics").await.contains("\nmasthead_viewers 1\n"));
    drop(stream);
    assert!(stage.get("/metrics").await.contains("\nmasthead_viewers 0\n"));
}

#[tokio::test(start_paused = true)]
async fn whoever_is_too_slow_for_a_stream_of_events_is_counted_too() {
    let stage = Stage::new();
    let answer = stage.ask("/api/v1/watch?kinds=pods").await;
    // Until more beats than may wait have come.
    tokio::time::sleep(Duration::from_secs(600)).await;
    let mut events = answer.into_body().into_data_stream();
    for _ in 0..3 {
        let event = tokio::time::timeout(Duration::from_secs(60), events.next()).await.expect("in time");
        event.expect("an open stream").expect("bytes");
    }
    assert_eq!(stage.metrics.overflows_so_far(), 1, "each once");
    assert!(stage.get("/metrics").await.contains("\nmasthead_viewer_overflows_total 1\n"));
}
