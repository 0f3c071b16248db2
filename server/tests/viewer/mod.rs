//! A viewer as the page is one: folds frames, holds the server to the protocol on every one of them.
#![allow(dead_code)] // each test file uses its part

use std::{io::Read, sync::Arc, time::Duration};

use app::{
    api::{Kind, KindState, Millis, Pod},
    model::Cluster,
    scope::Scope,
    wire::{
        self, About, Frame,
        follow::{Beat, Followed, Follower},
    },
};
use server::{
    hub::{Encoding, Hub, Seat},
    source::{Source, api_server::ApiServer},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What one socket, or one seat, has said so far.
#[derive(Default)]
pub struct Viewer {
    pub cluster: Cluster,
    pub hello: Option<Frame>,
    pub detail: Option<Frame>,
    pub bye: Option<String>,
    pub snapshots: u32,
    pub changes: u32,
    pub beats: u32,
    pub beat: Option<Frame>,
    pub picture: Option<Frame>,
    follower: Follower,
}

impl Viewer {
    /// Takes one frame in. Panics where a page would have to ask for a new snapshot.
    pub fn take(&mut self, bytes: &[u8]) {
        let frame = wire::frame(bytes).expect("a frame");
        match frame {
            Frame::Hello { .. } => self.hello = Some(frame),
            Frame::Snapshot { seq, packed } => {
                let mut raw = Vec::new();
                flate2::read::GzDecoder::new(&packed.0[..]).read_to_end(&mut raw).expect("gzip");
                let changes = self.follower.snapshot(seq, &raw).expect("a snapshot");
                self.cluster = Cluster::default();
                changes.into_iter().for_each(|change| self.cluster.apply(change));
                self.snapshots += 1;
            }
            Frame::Changes { seq, changes } => {
                let Followed::Changes(changes) = self.follower.changes(seq, &changes) else {
                    panic!("changes are numbered one by one");
                };
                changes.into_iter().for_each(|change| self.cluster.apply(change));
                self.changes += 1;
            }
            Frame::Beat { seq, hash, ref as_of, .. } => {
                let beat = self.follower.beat(seq, hash, as_of.clone(), |_| self.cluster.hash());
                assert!(
                    matches!(beat, Beat::Confirmed(_)),
                    "both sides hold the same rows after the same changes"
                );
                self.beats += 1;
                self.beat = Some(frame);
            }
            Frame::Detail { .. } => self.detail = Some(frame),
            Frame::Picture { .. } => self.picture = Some(frame),
            Frame::Bye { why, .. } => self.bye = Some(why),
        }
    }

    /// Names of the pods, sorted.
    pub fn pods(&self) -> Vec<String> {
        self.cluster.pods.sorted().iter().map(|pod| pod.meta.name.to_string()).collect()
    }

    /// A pod by name, in `default`.
    pub fn pod(&self, name: &str) -> Option<&Pod> {
        self.cluster.pods.named("default", name).map(|pod| &**pod)
    }

    /// Until when a kind is known to be current, by the last beat.
    pub fn as_of(&self, kind: Kind) -> Option<Millis> {
        let Some(Frame::Beat { as_of, .. }) = &self.beat else { return None };
        as_of.iter().find(|(of, _)| *of == kind).map(|(_, at)| *at)
    }

    /// A kind's state.
    pub fn state(&self, kind: Kind) -> &KindState {
        self.cluster.state(kind)
    }
}

/// A Masthead that watches all there is, and a seat before it.
pub async fn watching(api: ApiServer) -> (Seat, JoinSet<()>) {
    let source = Source {
        api,
        namespaces: Vec::new(),
        fallback: None,
        about: About::default(),
        metrics: Arc::default(),
    };
    let (hub, owner) = Hub::new(source.about.clone(), CancellationToken::new());
    let mut tasks = JoinSet::new();
    tasks.spawn(owner);
    tasks.spawn(source.run(hub.clone()));
    let seat = hub.subscribe(Scope::all(), Encoding::Binary).await.expect("a seat");
    (seat, tasks)
}

/// What comes of it within the seconds that are promised; of those in which this process runs, so that nothing is late
/// because the machine is.
pub async fn within<T>(seconds: usize, of: impl Future<Output = T>) -> T {
    let promised = async {
        for _ in 0..100 * seconds {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        biased;
        done = of => done,
        () = promised => panic!("not within {seconds} s"),
    }
}

/// A pod as a manifest has it.
pub fn pod(name: &str, labels: &[(&str, &str)]) -> serde_json::Value {
    let labels: serde_json::Map<_, _> = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).into())).collect();
    serde_json::json!({
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": name, "namespace": "default", "labels": labels},
        "spec": {"nodeName": "worker", "containers": [{"name": "web", "image": "example/web:1"}]},
        "status": {"phase": "Running", "containerStatuses": [
            {"name": "web", "ready": true, "started": true, "restartCount": 0, "state": {"running": {}}}
        ]},
    })
}
