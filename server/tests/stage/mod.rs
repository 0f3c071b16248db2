//! A cluster, Masthead, and somebody who looks, with whatever a test puts in between. Time is tokio's and stands still
//! but for waits.
#![allow(dead_code)] // each test file uses its part

use std::{sync::Arc, time::Duration};

use app::{
    api::{Kind, KindState, Text},
    scope::Scope,
    wire::About,
};
use axum::Router;
use server::{
    demo::{self, Demo},
    hub::{Encoding, Hub, Seat},
    metrics::Metrics,
    source::{Source, api_server::ApiServer},
};
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::viewer::{Viewer, pod};

/// A cluster, a hub that watches it, and a viewer of everything.
pub struct Stage {
    pub demo: Demo,
    pub hub: Hub,
    pub seat: Seat,
    pub viewer: Viewer,
    pub metrics: Arc<Metrics>,
    pub tasks: JoinSet<()>,
}

impl Stage {
    pub async fn new(pods: usize) -> Stage {
        Stage::with(pods, &[], None, |_| {}).await
    }

    pub async fn with(
        pods: usize,
        namespaces: &[&str],
        fallback: Option<&str>,
        before: impl FnOnce(&Demo),
    ) -> Stage {
        let demo = demo::start(demo::Options { play: false, ..demo::Options::default() });
        for number in 0..pods {
            demo.put(pod(&format!("pod-{number}"), &[("app", "web")]));
        }
        before(&demo);
        let router = demo.router();
        Stage::over(demo, router, namespaces, fallback).await
    }

    /// Masthead sees the demo through `router`.
    pub async fn over(demo: Demo, router: Router, namespaces: &[&str], fallback: Option<&str>) -> Stage {
        let metrics = Arc::new(Metrics::default());
        let source = Source {
            api: ApiServer::in_process(router),
            namespaces: namespaces.iter().map(|name| Text::from(*name)).collect(),
            fallback: fallback.map(Text::from),
            about: About::default(),
            metrics: metrics.clone(),
        };
        let (hub, owner) = Hub::new(source.about.clone(), CancellationToken::new());
        let mut tasks = JoinSet::new();
        tasks.spawn(owner);
        tasks.spawn(source.run(hub.clone()));
        let seat = hub.subscribe(Scope::all(), Encoding::Binary).await.expect("a seat");
        Stage { demo, hub, seat, viewer: Viewer::default(), metrics, tasks }
    }

    /// Takes frames until `done`; gives up after ten minutes of the stage's time.
    pub async fn until(&mut self, what: &str, done: impl Fn(&Viewer) -> bool) {
        let waited = tokio::time::timeout(Duration::from_secs(600), async {
            while !done(&self.viewer) {
                let bytes = self.seat.next().await.expect("the hub runs").bytes().await;
                self.viewer.take(&bytes);
            }
        });
        if waited.await.is_err() {
            let states: Vec<_> = Kind::ALL.iter().map(|kind| (*kind, self.viewer.state(*kind))).collect();
            panic!("waited in vain for {what}; pods {:?}, states {states:?}", self.viewer.pods());
        }
    }

    pub async fn until_live(&mut self) {
        self.until("every kind to be live", |viewer| {
            Kind::ALL.iter().all(|kind| *viewer.state(*kind) == KindState::Live)
        })
        .await;
    }

    pub async fn until_stale(&mut self, kind: Kind) {
        self.until("a kind to be stale", |viewer| matches!(viewer.state(kind), KindState::Stale { .. }))
            .await;
    }

    /// Takes frames for so long, and holds what each makes to `always`.
    pub async fn pass(&mut self, time: Duration, always: impl Fn(&Viewer)) {
        let end = Instant::now() + time;
        while let Ok(outgoing) = tokio::time::timeout_at(end, self.seat.next()).await {
            self.viewer.take(&outgoing.expect("the hub runs").bytes().await);
            always(&self.viewer);
        }
    }

    /// How many requests with this in them have reached the demo.
    pub fn asked(&self, part: &str) -> usize {
        self.demo.request_log().iter().filter(|(_, path)| path.contains(part)).count()
    }
}
