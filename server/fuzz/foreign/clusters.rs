//! What becomes of objects together: a line an object, told to a hub one after another, and everything that is made of
//! them. A line begins with its kind's letter, in upper case when the object is gone. The first byte of all says what
//! is hidden from a stranger who looks at it too.

use std::{io::Read, sync::Arc};

use app::{
    api::{
        ControllerRevision, DaemonSet, Deployment, EndpointSlice, Event, Kind, KindState, Lease, Namespace,
        Node, ObjectKey, Pod, PodDisruptionBudget, ReplicaSet, ReplicationController, Row, Service,
        StatefulSet,
    },
    model::{Cluster, Delta},
    scope::Scope,
    selector::Selector,
    wire::{
        self, About, Drawing, Frame,
        follow::{Beat, Followed, Follower},
    },
};
use server::{
    audience::{
        Grant, Rooms,
        grant::{Hide, Key, Within},
    },
    hub::{Encoding, Hub, News, Seat},
    source::translate::{self, Translate},
};
use tokio_util::sync::CancellationToken;

use super::relations;

/// More objects than this say nothing new.
const MOST: usize = 40;

/// See the module.
pub fn check(data: &[u8]) {
    let Some((hidden, lines)) = super::chosen(data) else { return };
    super::with_time(async {
        let stop = CancellationToken::new();
        let (hub, owner) = Hub::new(About::default(), stop.clone());
        let owner = tokio::spawn(owner);
        let rooms = Rooms::new(hub.clone(), stop.clone());
        for kind in Kind::ALL {
            hub.tell(News::Watch { kind: *kind, within: None, state: KindState::Live }).await.expect("a hub");
        }
        let mut viewer = Viewer::new(&hub).await;
        let lines: Vec<&str> = lines.lines().take(MOST).collect();
        // the stranger comes in the middle: some of it is there, and some is told
        let (before, after) = lines.split_at(lines.len() / 2);
        told(&hub, before).await;
        let room = rooms.hub(Some(&Arc::new(grant(hidden)))).await.expect("a room");
        let mut stranger = Viewer::new(&room).await;
        told(&hub, after).await;
        let whole = viewer.settles(&hub).await;
        let part = stranger.settles(&room).await;
        for kind in Kind::ALL.iter().filter(|kind| kind.watched() == **kind) {
            assert!(part.count(*kind) <= whole.count(*kind), "a stranger sees more {kind}");
        }
        drop((viewer, stranger, room, hub));
        stop.cancel();
        owner.await.expect("the hub has not panicked");
        rooms.closed().await;
    });
}

/// A stranger's right: all of it or a part, with some of it hidden.
fn grant(hidden: usize) -> Grant {
    let has = |bit: usize| hidden & (1 << bit) != 0;
    let within = |kind: Kind| match has(4) && kind.namespaced() {
        true => Within::Namespaces(vec!["default".into()]),
        false => Within::All,
    };
    let watched = Kind::ALL.iter().copied().filter(|kind| kind.watched() == *kind);
    Grant {
        kinds: watched.map(|kind| (kind, within(kind))).collect(),
        selector: Selector::parse(if has(5) { "app" } else { "" }).expect("a selector"),
        hide: Hide { node_names: has(0), images: has(1), addresses: has(2), names: has(3) },
        key: Key(7),
        verbatim: false,
    }
}

/// Tells a hub of each object, and waits until it knows.
async fn told(hub: &Hub, lines: &[&str]) {
    for line in lines {
        let Some(letter) = line.chars().next().filter(char::is_ascii) else { continue };
        let (gone, json) = (letter.is_ascii_uppercase(), &line[1..]);
        let news = match letter.to_ascii_lowercase() {
            'a' => news::<Node>(gone, json),
            'b' => news::<Namespace>(gone, json),
            'c' => news::<Pod>(gone, json),
            'd' => news::<ReplicationController>(gone, json),
            'e' => news::<Deployment>(gone, json),
            'f' => news::<DaemonSet>(gone, json),
            'g' => news::<StatefulSet>(gone, json),
            'h' => news::<ReplicaSet>(gone, json),
            'i' => news::<ControllerRevision>(gone, json),
            'j' => news::<Service>(gone, json),
            'k' => news::<EndpointSlice>(gone, json),
            'l' => news::<PodDisruptionBudget>(gone, json),
            'm' => news::<Lease>(gone, json),
            _ => news::<Event>(gone, json),
        };
        if let Some(news) = news {
            hub.tell(news).await.expect("a hub");
        }
    }
    let (answer, settled) = tokio::sync::oneshot::channel();
    hub.tell(News::Settle(answer)).await.expect("a hub");
    settled.await.expect("a hub that has not panicked");
}

fn news<T: Translate>(gone: bool, json: &str) -> Option<News> {
    let delta = match gone {
        true => Delta::Gone(translate::head(json).uid),
        false => Delta::Put(Arc::new(translate::row::<T>(json).ok()?)),
    };
    Some(News::Change { change: T::change(delta), within: None })
}

/// A page, without the page.
struct Viewer {
    seat: Seat,
    follower: Follower,
    cluster: Cluster,
}

impl Viewer {
    async fn new(hub: &Hub) -> Viewer {
        let seat = hub.subscribe(Scope::all(), Encoding::Binary).await.expect("a seat");
        Viewer { seat, follower: Follower::default(), cluster: Cluster::default() }
    }

    /// Follows until it has what the hub has, as it must, and looks at all of that.
    async fn settles(&mut self, hub: &Hub) -> Cluster {
        for _ in 0..1_000 {
            self.follow().await;
            let view = hub.view().await.expect("a hub that has not panicked");
            if view.cluster.hash() == self.cluster.hash() {
                relations::check(&view.cluster);
                pictures(hub, &view.cluster).await;
                return view.cluster.clone();
            }
        }
        panic!("a viewer that is told everything does not get there");
    }

    async fn follow(&mut self) {
        let bytes = self.seat.next().await.expect("a hub that has not panicked").bytes().await;
        match wire::frame(&bytes).expect("a frame") {
            Frame::Snapshot { seq, packed } => {
                let mut raw = Vec::new();
                flate2::read::GzDecoder::new(&packed.0[..]).read_to_end(&mut raw).expect("gzip");
                self.cluster = Cluster::default();
                let all = self.follower.snapshot(seq, &raw).expect("a snapshot");
                all.into_iter().for_each(|change| self.cluster.apply(change));
            }
            Frame::Changes { seq, changes } => match self.follower.changes(seq, &changes) {
                Followed::Changes(changes) => {
                    changes.into_iter().for_each(|change| self.cluster.apply(change))
                }
                other => panic!("changes are numbered one by one: {other:?}"),
            },
            Frame::Beat { seq, hash, as_of, .. } => {
                let beat = self.follower.beat(seq, hash, as_of, |kinds| self.cluster.hash_of(kinds));
                assert!(matches!(beat, Beat::Confirmed(_)), "both sides hold the same rows: {beat:?}");
            }
            Frame::Hello { .. } | Frame::Detail { .. } | Frame::Picture { .. } | Frame::Bye { .. } => {}
        }
    }
}

/// Every workload's picture, which travels.
async fn pictures(hub: &Hub, cluster: &Cluster) {
    async fn of<T: Row>(hub: &Hub, cluster: &Cluster) {
        for row in T::rows(cluster).sorted() {
            let meta = row.meta();
            let (namespace, name) = (meta.namespace.to_string(), meta.name.to_string());
            let key = ObjectKey { kind: T::KIND, namespace, name };
            let drawing = Drawing { key, between: Some((1, 2)) };
            let picture = hub.picture(drawing.clone()).await.expect("a hub that has not panicked");
            let frame = Frame::Picture { drawing, picture };
            assert_eq!(wire::frame(&wire::to_bytes(&frame)).expect("a frame"), frame);
        }
    }
    of::<Deployment>(hub, cluster).await;
    of::<DaemonSet>(hub, cluster).await;
    of::<StatefulSet>(hub, cluster).await;
    of::<ReplicaSet>(hub, cluster).await;
}
