//! The hub's history: objects in, a rollout's picture out.

// A test that cannot go on should stop.
#![allow(clippy::expect_used, clippy::panic)]

mod viewer;

use app::{
    api::{
        ControllerRevision, DaemonSet, Deployment, Event, Kind, KindState, Millis, ObjectKey, Picture, Pod,
        ReplicaSet, ReplicationController, StatefulSet, Text,
        picture::{
            Bounds, Course, Lane, Origin, Reached,
            Station::{self, Available, Gone, Ready, Scheduled, Started, Terminating},
            What, Witness,
        },
    },
    model::Delta,
    scope::Scope,
    wire::{About, Drawing, Frame},
};
use serde_json::{Value, json};
use server::{
    hub::{self, Encoding, Hub, News, Seat},
    source::translate::{self, Translate},
};
use tokio::{sync::oneshot, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use viewer::Viewer;

fn read<T: Translate>(object: &Value) -> T {
    translate::row(&object.to_string()).unwrap_or_else(|error| panic!("{error}"))
}

/// RFC 3339 of so many seconds ago.
fn ago(seconds: i64) -> String {
    Millis(hub::now().0 - seconds * 1000).seconds().to_string()
}

fn at(stamp: &str) -> Millis {
    let row: Pod = read(&json!({"metadata": {"name": "a", "creationTimestamp": stamp}}));
    Millis(row.meta.created.expect("a stamp").0 * 1000)
}

/// A hub that is told what happens, and somebody who looks at one workload.
struct Stage {
    hub: Hub,
    seat: Seat,
    viewer: Viewer,
    key: ObjectKey,
    _owner: JoinHandle<()>,
}

impl Stage {
    async fn new(kind: Kind, name: &str) -> Stage {
        let stage = Stage::unlisted(kind, name).await;
        stage.live().await;
        stage
    }

    /// Every list is complete and watched.
    async fn live(&self) {
        for kind in Kind::ALL {
            let news = News::Watch { kind: *kind, within: None, state: KindState::Live };
            self.hub.tell(news).await.expect("a hub");
        }
    }

    async fn unlisted(kind: Kind, name: &str) -> Stage {
        let (hub, owner) = Hub::new(About::default(), CancellationToken::new());
        let owner = tokio::spawn(owner);
        let seat = hub.subscribe(Scope::all(), Encoding::Binary).await.expect("a seat");
        let key = ObjectKey { kind, namespace: "shop".to_owned(), name: name.to_owned() };
        seat.draw(Some(Drawing { key: key.clone(), between: None })).await.expect("a hub");
        Stage { hub, seat, viewer: Viewer::default(), key, _owner: owner }
    }

    async fn put<T: Translate>(&self, object: Value) {
        let change = T::change(Delta::Put(std::sync::Arc::new(read::<T>(&object))));
        self.hub.tell(News::Change { change, within: None }).await.expect("a hub");
    }

    async fn gone<T: Translate>(&self, object: Value) {
        let change = T::change(Delta::Gone(read::<T>(&object).meta().uid));
        self.hub.tell(News::Change { change, within: None }).await.expect("a hub");
    }

    /// These are all that are listed.
    async fn reset<T: Translate>(&self, objects: &[Value]) {
        let rows = objects.iter().map(|object| std::sync::Arc::new(read::<T>(object))).collect();
        let change = T::change(Delta::Reset(rows));
        self.hub.tell(News::Change { change, within: None }).await.expect("a hub");
    }

    async fn watch(&self, kind: Kind, within: Option<&str>, state: KindState) {
        let within = within.map(Text::from);
        self.hub.tell(News::Watch { kind, within, state }).await.expect("a hub");
    }

    /// The first picture that is as wanted; a test that waits for none hangs, and its runner says so.
    async fn until(&mut self, wanted: impl Fn(&Picture) -> bool) -> Picture {
        self.told_until(|picture| picture.is_some_and(&wanted)).await.expect("what is wanted is one")
    }

    /// The same, also of being told that there is none.
    async fn told_until(&mut self, wanted: impl Fn(Option<&Picture>) -> bool) -> Option<Picture> {
        loop {
            if let Some(Frame::Picture { drawing, picture }) = &self.viewer.picture
                && drawing.key == self.key
                && wanted(picture.as_deref())
            {
                return picture.as_deref().cloned();
            }
            let frame = self.seat.next().await.expect("a hub");
            self.viewer.take(&frame.bytes().await);
        }
    }
}

fn deployment(more: Value) -> Value {
    let mut object = json!({
        "metadata": {"name": "web", "namespace": "shop", "uid": "d", "generation": 2,
            "annotations": {"deployment.kubernetes.io/revision": "2"}},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "minReadySeconds": 0, "progressDeadlineSeconds": 600},
        "status": {"observedGeneration": 2, "replicas": 4, "updatedReplicas": 1, "readyReplicas": 3, "availableReplicas": 3,
            "conditions": [{"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated", "lastUpdateTime": ago(60)}]},
    });
    merge(&mut object, more);
    object
}

fn set(name: &str, revision: i64, desired: i64, current: i64, ready: i64) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "shop", "uid": name, "creationTimestamp": ago(1000 - revision),
            "annotations": {"deployment.kubernetes.io/revision": revision.to_string()}, "labels": {"app": "web"},
            "ownerReferences": [{"kind": "Deployment", "name": "web", "uid": "d", "controller": true}]},
        "spec": {"replicas": desired, "selector": {"matchLabels": {"app": "web"}},
            "template": {"spec": {"containers": [{"name": "web", "image": format!("shop/web:v{revision}")}]}}},
        "status": {"replicas": current, "readyReplicas": ready, "availableReplicas": ready},
    })
}

fn pod(name: &str, owner: (&str, &str), status: Value) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "shop", "uid": name, "creationTimestamp": ago(50),
            "ownerReferences": [{"kind": owner.0, "name": owner.1, "uid": owner.1, "controller": true}]},
        "spec": {"nodeName": "node-1", "containers": [{"name": "web", "image": "shop/web"}]},
        "status": status,
    })
}

/// Scheduled 49 s ago, started 45 s ago, ready so many seconds ago.
fn serving(ready: i64) -> Value {
    json!({"phase": "Running",
        "conditions": [
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": ago(49)},
            {"type": "Ready", "status": "True", "lastTransitionTime": ago(ready)},
        ],
        "containerStatuses": [{"name": "web", "ready": true, "started": true, "state": {"running": {"startedAt": ago(45)}}}],
    })
}

fn waiting(reason: &str, message: &str) -> Value {
    json!({"phase": "Pending",
        "conditions": [{"type": "PodScheduled", "status": "True", "lastTransitionTime": ago(49)}],
        "containerStatuses": [{"name": "web", "state": {"waiting": {"reason": reason, "message": message}}}],
    })
}

fn event(name: &str, pod: &str, reason: &str, message: &str, seconds: i64) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "shop", "uid": name},
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": pod, "uid": pod},
        "reason": reason, "message": message, "type": "Normal",
        "firstTimestamp": ago(seconds), "lastTimestamp": ago(seconds),
    })
}

fn forbidden(kind: Kind) -> KindState {
    let (verb, resource) = (Text::from("list"), Text::from(kind.resource()));
    KindState::Forbidden { verb, resource, namespace: Text::default() }
}

fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (key, value) in more {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, more) => *into = more,
    }
}

fn reached(lane: &Lane, name: &str, station: Station) -> Option<Reached> {
    let tile = lane.tiles.iter().find(|tile| *tile.name == *name).expect("a tile");
    tile.reached.iter().find(|reached| reached.station == station).copied()
}

#[tokio::test]
async fn each_template_has_a_lane_and_each_pod_its_stations() {
    let mut stage = Stage::new(Kind::Deployment, "web").await;
    stage.put::<Deployment>(deployment(json!({}))).await;
    stage.put::<ReplicaSet>(set("web-1", 1, 2, 3, 3)).await;
    stage.put::<ReplicaSet>(set("web-2", 2, 1, 1, 0)).await;
    stage.put::<ReplicaSet>(set("web-0", 0, 0, 0, 0)).await; // long forgotten: no lane
    // an event may come before its pod
    stage.put::<Event>(event("e1", "new", "Pulling", "Pulling image", 48)).await;
    stage.put::<Pod>(pod("old", ("ReplicaSet", "web-1"), serving(40))).await;
    stage.put::<Pod>(pod("new", ("ReplicaSet", "web-2"), waiting("ContainerCreating", ""))).await;
    stage.put::<Event>(event("e2", "new", "Created", "Container created", 46)).await;
    let picture = stage.until(|p| p.lanes.len() == 2 && p.counts.last().is_some_and(|c| c.old == 3)).await;
    assert_eq!(picture.course, Course::Progressing);
    assert_eq!(
        picture.sentence.as_deref(),
        Some(
            "Waiting for deployment \"web\" rollout to finish: 1 out of 3 new replicas have been updated..."
        )
    );
    assert_eq!(picture.bounds, Some(Bounds { floor: 3, ceiling: 4 }));
    let deadline = picture.deadline.expect("a deadline");
    assert_eq!(deadline.at.0 - deadline.since.0, 600);
    let [old, new] = &picture.lanes[..] else { panic!("two lanes") };
    assert_eq!((old.newest, old.revision, &*old.name), (false, Some(1), "web-1"));
    assert_eq!((new.newest, new.revision, &*new.name), (true, Some(2), "web-2"));
    assert_eq!(&*new.images[0].1, "shop/web:v2");
    let counts = picture.counts.last().expect("counts");
    assert_eq!((counts.old, counts.new, counts.ready, counts.available), (3, 1, 3, 3));

    for (station, seconds, by) in [
        (Scheduled, 49, Witness::Pod),
        (Started, 45, Witness::Pod),
        (Ready, 40, Witness::Pod),
        (Available, 40, Witness::Pod),
    ] {
        let reached = reached(old, "old", station).expect("reached");
        assert!((reached.at.0 - at(&ago(seconds)).0).abs() <= 1000, "{station:?}: {reached:?}");
        assert_eq!(reached.by, by, "{station:?}");
    }
    for (station, seconds) in [(Station::Pulling, 48), (Station::Created, 46)] {
        let reached = reached(new, "new", station).expect("reached");
        assert!((reached.at.0 - at(&ago(seconds)).0).abs() <= 1000, "{station:?}: {reached:?}");
        assert_eq!(reached.by, Witness::Event, "{station:?}");
    }
    assert_eq!(reached(new, "new", Ready), None);
    // it has no startup probe, so there is no such station
    assert_eq!(reached(old, "old", Station::StartupPassed), None);
}

#[tokio::test]
async fn a_pod_that_goes_stays_in_its_lane_and_only_the_last_ones_do() {
    let mut stage = Stage::new(Kind::Deployment, "web").await;
    stage.put::<Deployment>(deployment(json!({}))).await;
    stage.put::<ReplicaSet>(set("web-1", 1, 2, 3, 3)).await;
    stage.put::<ReplicaSet>(set("web-2", 2, 1, 1, 0)).await;
    let old = pod("old", ("ReplicaSet", "web-1"), serving(40));
    stage.put::<Pod>(old.clone()).await;
    let mut told = old.clone();
    merge(
        &mut told,
        json!({"metadata": {"deletionTimestamp": ago(-30)}, "status": {"conditions": [
        {"type": "PodScheduled", "status": "True", "lastTransitionTime": ago(49)}, {"type": "Ready", "status": "False", "lastTransitionTime": ago(0)}]}}),
    );
    stage.put::<Pod>(told).await;
    stage.gone::<Pod>(old).await;
    let over = |p: &Picture| {
        p.lanes.iter().any(|lane| lane.tiles.iter().any(|t| t.reached.iter().any(|r| r.station == Gone)))
    };
    let picture = stage.until(over).await;
    let lane = &picture.lanes[0];
    assert_eq!(&*lane.name, "web-1");
    let stations: Vec<Station> = lane.tiles[0].reached.iter().map(|reached| reached.station).collect();

    assert_eq!(
        stations,
        [Scheduled, Started, Ready, Available, Terminating, Gone],
        "how long it was ready stays told"
    );

    for number in 0..200 {
        let pod = pod(&format!("old-{number}"), ("ReplicaSet", "web-1"), serving(40));
        stage.put::<Pod>(pod.clone()).await;
        stage.gone::<Pod>(pod).await;
    }
    let picture = stage.until(|p| p.lanes[0].forgotten == 141).await;
    assert_eq!(picture.began, None, "revision 2 was there from the beginning");
    stage.put::<ReplicaSet>(set("web-3", 3, 1, 1, 0)).await;
    let later = stage.until(|p| p.lanes.len() == 3).await;
    assert!(later.began.is_some(), "revision 3 was not");
    let parts: Vec<bool> = later.lanes.iter().map(|lane| lane.takes_part).collect();
    assert_eq!(parts, [true, true, true], "all of them want pods");
    assert_eq!(picture.lanes[0].tiles.len(), 60, "of 201 that are gone");
}

#[tokio::test]
async fn what_it_waits_for_is_told_with_its_evidence() {
    let quota = json!({"status": {"conditions": [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
        "message": "pods \"web-2-x\" is forbidden: exceeded quota: few, requested: pods=1"}]}});
    let mut limited = set("web-2", 2, 1, 0, 0);
    merge(&mut limited, quota);
    let unschedulable = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "message": "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector."}]});
    let running = json!({"phase": "Running", "conditions": [
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": ago(49)},
            {"type": "Ready", "status": "False", "message": "containers with unready status: [web]"}],
        "containerStatuses": [{"name": "web", "ready": false, "state": {"running": {"startedAt": ago(45)}}}]});
    let crashing = json!({"phase": "Running", "conditions": [{"type": "PodScheduled", "status": "True", "lastTransitionTime": ago(49)}],
        "containerStatuses": [{"name": "web", "restartCount": 3,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting failed container=web pod=x_shop(1)"}},
            "lastState": {"terminated": {"exitCode": 3, "reason": "Error"}}}]});
    let plain = || set("web-2", 2, 1, 1, 0);
    let none = Value::Null;
    // the Deployment's difference, its new ReplicaSet, the new pod's status, an event's message; what is said
    let cases: [(Value, Value, Value, &str, &str, &str); 10] = [
        (json!({}), limited, none.clone(), "", "A quota does not allow more pods", "exceeded quota"),
        (json!({}), plain(), unschedulable, "", "A pod fits on no node", "didn't match Pod's node affinity"),
        (
            json!({}),
            plain(),
            waiting("ImagePullBackOff", "Back-off pulling image \"nope\""),
            "",
            "A pod cannot get its image (ImagePullBackOff)",
            "Back-off pulling image",
        ),
        (
            json!({}),
            plain(),
            crashing,
            "",
            "A pod: a container ends again and again (CrashLoopBackOff)",
            "exit code 3 (Error); back-off 40s",
        ),
        (
            json!({}),
            plain(),
            waiting("CreateContainerConfigError", "configmap \"web\" not found"),
            "",
            "A pod: CreateContainerConfigError",
            "configmap \"web\" not found",
        ),
        (
            json!({}),
            plain(),
            running.clone(),
            "Readiness probe failed: HTTP probe failed with statuscode: 503",
            "A pod is not ready, and a probe fails",
            "statuscode: 503",
        ),
        (json!({}), plain(), running, "", "A pod is on the way: started", "containers with unready status"),
        (
            json!({"spec": {"minReadySeconds": 3600}}),
            plain(),
            serving(10),
            "",
            "A pod is ready, but not yet for minReadySeconds (3600 s)",
            "",
        ),
        (json!({"spec": {"paused": true}}), plain(), none.clone(), "", "It is paused", "spec.paused: true"),
        (
            json!({"metadata": {"generation": 3}}),
            plain(),
            none,
            "",
            "Its controller has not seen the newest spec yet",
            "",
        ),
    ];
    for (difference, new, status, unhealthy, says, evidence) in cases {
        let mut stage = Stage::new(Kind::Deployment, "web").await;
        stage.put::<ReplicaSet>(set("web-1", 1, 3, 3, 3)).await;
        stage.put::<ReplicaSet>(new).await;
        if !status.is_null() {
            let mut new = pod("new", ("ReplicaSet", "web-2"), status);
            if evidence.contains("affinity") {
                merge(&mut new, json!({"spec": {"nodeName": ""}}));
            }
            stage.put::<Pod>(new).await;
        }
        if !unhealthy.is_empty() {
            stage.put::<Event>(event("e", "new", "Unhealthy", unhealthy, 1)).await;
        }
        stage.put::<Deployment>(deployment(difference)).await;
        let picture = stage.until(|p| !p.causes.is_empty()).await;
        let first = &picture.causes[0];
        assert!(first.says.starts_with(says), "{says}: {:?}", picture.causes);
        assert!(first.evidence.contains(evidence), "{says}: {:?}", picture.causes);
    }
}

#[tokio::test]
async fn where_nothing_says_why_that_is_what_is_said() {
    let mut stage = Stage::new(Kind::Deployment, "web").await;
    stage.put::<ReplicaSet>(set("web-1", 1, 2, 2, 2)).await;
    stage.put::<Deployment>(deployment(json!({}))).await;
    let picture = stage.until(|p| !p.causes.is_empty()).await;
    assert!(
        picture.causes[0].says.starts_with("2 of 3 pods are there, and nothing says why"),
        "{:?}",
        picture.causes
    );
}

#[tokio::test]
async fn a_deployment_without_anything_to_wait_for_names_no_cause_and_its_end_is_kept() {
    let mut stage = Stage::new(Kind::Deployment, "web").await;
    let through = deployment(json!({"status": {"replicas": 3, "updatedReplicas": 3}}));
    stage.put::<ReplicaSet>(set("web-2", 2, 3, 3, 3)).await;
    stage.put::<Deployment>(through.clone()).await;
    let picture = stage.until(|p| p.counts.last().is_some_and(|c| c.new == 3)).await;
    assert_eq!((picture.course, picture.causes.len(), picture.deadline), (Course::Succeeded, 0, None));
    stage.gone::<Deployment>(through).await;
    let picture = stage.until(|p| p.gone.is_some()).await;
    assert_eq!(picture.course, Course::Deleted);
    assert_eq!(picture.counts.last().map(|counts| counts.new), Some(3), "what it was like stays");
}

#[tokio::test]
async fn a_workload_that_comes_back_has_the_pods_that_stayed() {
    let mut stage = Stage::new(Kind::Deployment, "web").await;
    let tiles = |p: &Picture| p.lanes.iter().map(|lane| lane.tiles.len()).sum::<usize>();
    stage.put::<Deployment>(deployment(json!({}))).await;
    stage.put::<ReplicaSet>(set("web-2", 2, 2, 2, 2)).await;
    for name in ["a", "b"] {
        stage.put::<Pod>(pod(name, ("ReplicaSet", "web-2"), serving(40))).await;
    }
    stage.until(|p| tiles(p) == 2).await;
    stage.gone::<Deployment>(deployment(json!({}))).await;
    stage.put::<Deployment>(deployment(json!({"spec": {"replicas": 4}}))).await;
    let back = stage.until(|p| p.desired == 4).await;
    assert_eq!(tiles(&back), 2, "of them nothing is told again");
    stage.gone::<ReplicaSet>(set("web-2", 2, 2, 2, 2)).await;
    stage.put::<ReplicaSet>(set("web-2", 2, 3, 2, 2)).await;
    let back = stage.until(|p| p.lanes.iter().any(|lane| lane.desired == Some(3))).await;
    assert_eq!(tiles(&back), 2, "nor of these");
}

#[tokio::test]
async fn what_may_not_be_seen_for_a_moment_is_not_gone() {
    let mut stage = Stage::new(Kind::DaemonSet, "logs").await;
    let logs = json!({"metadata": {"name": "logs", "namespace": "shop", "uid": "d"},
        "spec": {"selector": {"matchLabels": {"app": "logs"}}},
        "status": {"desiredNumberScheduled": 100, "currentNumberScheduled": 100}});
    let named = |nth: i32| pod(&format!("logs-{nth}"), ("DaemonSet", "d"), serving(40));
    let pods: Vec<Value> = (0..100).map(named).collect();
    stage.put::<DaemonSet>(logs).await;
    stage.reset::<Pod>(&pods[..99]).await;
    stage.put::<Event>(event("e", "logs-0", "Pulling", "Pulling image", 48)).await;
    stage.until(|p| p.lanes[0].tiles.len() == 99).await;

    stage.watch(Kind::Pod, None, forbidden(Kind::Pod)).await;
    stage.reset::<Pod>(&[]).await;
    stage.reset::<Pod>(&pods).await;
    stage.watch(Kind::Pod, None, KindState::Live).await;
    let back = stage.until(|p| p.lanes[0].tiles.len() == 100).await;
    assert_eq!(back.lanes[0].forgotten, 0, "none is gone, and so none of them is left out");
    assert!(reached(&back.lanes[0], "logs-0", Station::Pulling).is_some(), "which is told once");

    stage.watch(Kind::DaemonSet, None, forbidden(Kind::DaemonSet)).await;
    stage.reset::<DaemonSet>(&[]).await;
    let (settle, settled) = oneshot::channel();
    stage.hub.tell(News::Settle(settle)).await.expect("a hub");
    settled.await.expect("a hub");
    let drawing = Drawing { key: stage.key.clone(), between: None };
    assert_eq!(stage.hub.picture(drawing).await, Ok(None), "nobody has seen it go");
}

#[tokio::test]
async fn what_may_not_be_seen_is_not_called_gone_for_being_so_once() {
    let mut stage = Stage::new(Kind::Deployment, "web").await;
    stage.watch(Kind::Deployment, Some("other"), KindState::Live).await;
    stage.watch(Kind::Deployment, Some("shop"), KindState::Live).await;
    stage.put::<Deployment>(deployment(json!({}))).await;
    stage.gone::<Deployment>(deployment(json!({}))).await;
    stage.until(|p| p.gone.is_some()).await;
    stage.watch(Kind::Deployment, Some("shop"), forbidden(Kind::Deployment)).await;
    stage.told_until(|picture| picture.is_none()).await; // it may have come back
    stage.watch(Kind::Deployment, Some("shop"), KindState::Live).await;
    stage.until(|p| p.gone.is_some()).await;

    let again = deployment(json!({"metadata": {"uid": "again"}}));
    stage.put::<Deployment>(again.clone()).await;
    stage.until(|p| p.gone.is_none()).await;
    stage.watch(Kind::Deployment, Some("shop"), forbidden(Kind::Deployment)).await;
    stage.reset::<Deployment>(&[]).await;
    stage.told_until(|picture| picture.is_none()).await;
    stage.watch(Kind::Deployment, Some("shop"), KindState::Live).await;
    let (settle, settled) = oneshot::channel();
    stage.hub.tell(News::Settle(settle)).await.expect("a hub");
    settled.await.expect("a hub");
    let drawing = Drawing { key: stage.key.clone(), between: None };
    assert_eq!(stage.hub.picture(drawing).await, Ok(None), "that one went before there was this");
}

#[tokio::test]
async fn what_may_not_be_seen_in_its_namespace_is_not_called_silent() {
    let mut stage = Stage::new(Kind::Deployment, "web").await;
    stage.watch(Kind::Event, Some("other"), KindState::Live).await;
    stage.watch(Kind::Event, Some("shop"), forbidden(Kind::Event)).await;
    stage.put::<ReplicaSet>(set("web-1", 1, 2, 2, 2)).await;
    stage.put::<Deployment>(deployment(json!({}))).await;
    let causes = stage.until(|p| !p.causes.is_empty()).await.causes;
    assert!(causes[0].says.contains("; events cannot be seen"), "{causes:?}");
    stage.watch(Kind::Event, Some("shop"), KindState::Live).await;
    stage.until(|p| p.causes.iter().any(|cause| cause.says.contains("nothing says why"))).await;
}

#[tokio::test]
async fn a_controllers_own_pods_are_its_one_lane() {
    let mut stage = Stage::new(Kind::ReplicationController, "web").await;
    stage
        .put::<ReplicationController>(json!({
            "metadata": {"name": "web", "namespace": "shop", "uid": "rc"},
            "spec": {"replicas": 2, "selector": {"app": "web"}},
            "status": {"replicas": 2, "readyReplicas": 1, "availableReplicas": 1},
        }))
        .await;
    let mut owned = pod("a", ("ReplicationController", "web"), serving(40));
    merge(
        &mut owned,
        json!({"metadata": {"ownerReferences": [{"kind": "ReplicationController", "name": "web", "uid": "rc", "controller": true}]}}),
    );
    stage.put::<Pod>(owned).await;
    let picture = stage.until(|p| p.lanes.iter().any(|lane| !lane.tiles.is_empty())).await;
    assert_eq!((picture.sentence, picture.bounds, picture.lanes.len()), (None, None, 1));
    assert_eq!(picture.course, Course::Progressing);
}

#[test]
fn bounds_are_rounded_as_the_controllers_round_them() {
    fn bounds<T: Translate>(spec: Value) -> Option<Bounds> {
        let row: T =
            read(&json!({"metadata": {"name": "a"}, "spec": spec, "status": {"desiredNumberScheduled": 10}}));
        row.rollout()?.bounds
    }
    let rolling = |replicas: i64, surge: Value, unavailable: Value| json!({"replicas": replicas, "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}});
    for (spec, floor, ceiling) in [
        (json!({"replicas": 10}), 8, 13), // 25 %, down and up
        (json!({"replicas": 3}), 3, 4),
        (rolling(3, json!(0), json!("10%")), 2, 3), // both come to 0: one may be unavailable
        (rolling(3, json!(0), json!(0)), 2, 3),
        (rolling(4, json!("100%"), json!(9)), 0, 8),
        (json!({"replicas": 4, "strategy": {"type": "Recreate"}}), 0, 4),
        (json!({"replicas": 0}), 0, 0),
    ] {
        assert_eq!(bounds::<Deployment>(spec.clone()), Some(Bounds { floor, ceiling }), "{spec}");
    }
    let daemons = |update: Value| json!({"updateStrategy": update});
    for (spec, expected) in [
        (daemons(json!({})), Some(Bounds { floor: 9, ceiling: 10 })),
        (
            daemons(json!({"rollingUpdate": {"maxUnavailable": "25%"}})),
            Some(Bounds { floor: 7, ceiling: 10 }),
        ),
        (
            daemons(json!({"rollingUpdate": {"maxUnavailable": 0, "maxSurge": "5%"}})),
            Some(Bounds { floor: 10, ceiling: 11 }),
        ),
        (
            daemons(json!({"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 0}})),
            Some(Bounds { floor: 9, ceiling: 10 }),
        ),
        (daemons(json!({"type": "OnDelete"})), None),
    ] {
        assert_eq!(bounds::<DaemonSet>(spec.clone()), expected, "{spec}");
    }
    for (spec, expected) in [
        (json!({"replicas": 5}), Some(Bounds { floor: 4, ceiling: 5 })),
        (
            json!({"replicas": 5, "updateStrategy": {"rollingUpdate": {"maxUnavailable": "45%"}}}),
            Some(Bounds { floor: 3, ceiling: 5 }),
        ),
        (
            json!({"replicas": 5, "updateStrategy": {"rollingUpdate": {"maxUnavailable": "1%"}}}),
            Some(Bounds { floor: 4, ceiling: 5 }),
        ),
        (json!({"replicas": 5, "updateStrategy": {"type": "OnDelete"}}), None),
    ] {
        assert_eq!(bounds::<StatefulSet>(spec.clone()), expected, "{spec}");
    }
}

#[tokio::test]
async fn what_was_listed_before_the_watch_was_live_is_counted_once_it_is() {
    let mut stage = Stage::unlisted(Kind::Deployment, "web").await;
    stage.put::<Deployment>(deployment(json!({}))).await;
    stage.put::<ReplicaSet>(set("web-1", 1, 2, 3, 3)).await;
    let before = stage.until(|p| !p.lanes.is_empty()).await;
    assert_eq!(before.counts, [], "not counted halfway through the lists");
    stage.live().await;
    let picture = stage.until(|p| !p.counts.is_empty()).await;
    assert_eq!(picture.counts[0].new, 3);
}

#[tokio::test]
async fn what_was_noted_stays_where_it_was_when_the_api_servers_clock_is_put() {
    const HOUR: i64 = 3_600_000;
    let mut stage = Stage::unlisted(Kind::Deployment, "web").await;
    let told = |ahead: i64| News::About(About { ahead, ..About::default() });
    stage.hub.tell(told(HOUR)).await.expect("a hub");
    stage.put::<Deployment>(deployment(json!({}))).await;
    stage.put::<ReplicaSet>(set("web-1", 1, 2, 3, 3)).await;
    stage.live().await;
    let before = stage.until(|p| !p.counts.is_empty()).await;
    let an_hour_on = hub::now().later(HOUR);
    assert!((0..10_000).contains(&(an_hour_on.0 - before.watched_since.0)), "{before:?}");
    stage.hub.tell(told(-HOUR)).await.expect("a hub");
    stage.put::<ReplicaSet>(set("web-1", 1, 2, 3, 2)).await;
    let picture = stage.until(|p| p.counts.len() == 2).await;
    assert_eq!((picture.watched_since, &picture.counts[0]), (before.watched_since, &before.counts[0]));
}

#[tokio::test]
async fn a_pod_that_its_controller_gave_up_leaves_its_lane() {
    let mut stage = Stage::new(Kind::Deployment, "web").await;
    stage.put::<Deployment>(deployment(json!({}))).await;
    stage.put::<ReplicaSet>(set("web-2", 2, 1, 1, 0)).await;
    stage.put::<Pod>(pod("x", ("ReplicaSet", "web-2"), serving(40))).await;
    stage.until(|p| p.lanes[0].tiles.len() == 1).await;
    let mut given_up = pod("x", ("ReplicaSet", "web-2"), serving(40));
    merge(&mut given_up, json!({"metadata": {"ownerReferences": []}}));
    stage.put::<Pod>(given_up).await;
    stage.until(|p| p.lanes[0].tiles.is_empty()).await;
}

#[tokio::test]
async fn recreate_has_no_newest_template_until_the_old_pods_are_gone() {
    let mut stage = Stage::new(Kind::Deployment, "web").await;
    let ending =
        deployment(json!({"spec": {"strategy": {"type": "Recreate"}}, "status": {"updatedReplicas": 0}}));
    stage.put::<ReplicaSet>(set("web-1", 1, 0, 3, 3)).await;
    stage.put::<Deployment>(ending).await;
    let mut old = pod("old", ("ReplicaSet", "web-1"), serving(40));
    merge(&mut old, json!({"metadata": {"deletionTimestamp": ago(-30), "deletionGracePeriodSeconds": 30}}));
    stage.put::<Pod>(old).await;
    let picture =
        stage.until(|p| p.lanes.iter().any(|lane| !lane.tiles.is_empty()) && !p.counts.is_empty()).await;
    assert!(picture.lanes.iter().all(|lane| !lane.newest), "{:?}", picture.lanes);
    assert_eq!(picture.counts.last().map(|counts| (counts.old, counts.new)), Some((3, 0)));
    assert_eq!(picture.causes[0].says, "A pod is ending");
}

#[tokio::test]
async fn a_replica_set_of_a_deployment_has_no_picture_of_its_own() {
    let stage = Stage::new(Kind::Deployment, "web").await;
    stage.put::<ReplicaSet>(set("web-1", 1, 2, 3, 3)).await;
    stage.put::<Deployment>(deployment(json!({}))).await;
    let key = ObjectKey { kind: Kind::ReplicaSet, namespace: "shop".to_owned(), name: "web-1".to_owned() };
    assert_eq!(stage.hub.picture(Drawing { key, between: None }).await, Ok(None));
}

#[tokio::test]
async fn a_replica_set_that_a_deployment_takes_over_has_none_any_more() {
    let mut stage = Stage::new(Kind::ReplicaSet, "web-1").await;
    let owned = set("web-1", 1, 2, 3, 3);
    let mut orphan = owned.clone();
    orphan["metadata"]["ownerReferences"] = json!([]);
    stage.put::<ReplicaSet>(orphan.clone()).await;
    stage.until(|p| p.desired == 2).await;
    stage.put::<ReplicaSet>(owned).await;
    stage.told_until(|picture| picture.is_none()).await;
    // nor is it gone, when one of its name was before
    stage.gone::<ReplicaSet>(orphan.clone()).await;
    stage.put::<ReplicaSet>(orphan.clone()).await;
    stage.until(|p| p.desired == 2).await;
    stage.gone::<ReplicaSet>(orphan).await;
    stage.until(|p| p.gone.is_some()).await;
    stage.put::<ReplicaSet>(set("web-1", 1, 2, 3, 3)).await;
    stage.told_until(|picture| picture.is_none()).await;
}

#[tokio::test]
async fn of_many_pods_with_messages_of_their_own_a_few_are_told_and_the_rest_counted() {
    let mut stage = Stage::new(Kind::Deployment, "web").await;
    stage.put::<Deployment>(deployment(json!({}))).await;
    stage.put::<ReplicaSet>(set("web-2", 2, 300, 300, 0)).await;
    for number in 0..300 {
        let status =
            waiting("ErrImagePull", &format!("none such for 10.0.{number}.1: {}", "x".repeat(4_000)));
        stage.put::<Pod>(pod(&format!("bad-{number}"), ("ReplicaSet", "web-2"), status)).await;
    }
    let all = |p: &Picture| p.causes.iter().any(|cause| cause.says.starts_with("293 pods"));
    let causes = stage.until(all).await.causes;
    let causes: Vec<_> = causes.iter().filter(|cause| cause.says.contains("image")).collect();
    assert_eq!(causes.len(), 8, "{causes:?}");
    assert_eq!(causes[0].says, "A pod cannot get its image (ErrImagePull)");
    assert_eq!(causes[7].says, "293 pods cannot get their image (ErrImagePull)");
    assert!(causes[7].evidence.ends_with("x; and 292 more such messages"), "{}", causes[7].evidence);
}

#[tokio::test]
async fn of_many_pods_those_that_fail_are_drawn_and_the_rest_is_counted() {
    let mut stage = Stage::new(Kind::Deployment, "web").await;
    stage.put::<Deployment>(deployment(json!({}))).await;
    stage.put::<ReplicaSet>(set("web-2", 2, 1000, 1000, 999)).await;
    stage.put::<Pod>(pod("bad", ("ReplicaSet", "web-2"), waiting("ErrImagePull", "none such"))).await;
    for number in 0..999 {
        stage.put::<Pod>(pod(&format!("good-{number}"), ("ReplicaSet", "web-2"), serving(40))).await;
    }
    let picture = stage.until(|p| p.lanes[0].tiles.len() == 200 && p.lanes[0].hidden == 800).await;
    assert!(picture.lanes[0].tiles.iter().any(|tile| &*tile.name == "bad"));
}

#[tokio::test]
async fn a_daemon_sets_templates_are_known_by_their_controller_revisions() {
    let mut stage = Stage::new(Kind::DaemonSet, "logs").await;
    let kept = |hash: &str, revision: i64, image: &str, age: i64| {
        json!({
            "metadata": {"name": format!("logs-{hash}"), "namespace": "shop", "uid": hash, "creationTimestamp": ago(age),
                "labels": {"app": "logs", "controller-revision-hash": hash},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "logs", "uid": "d", "controller": true}]},
            "revision": revision,
            "data": {"spec": {"template": {"$patch": "replace", "spec": {"containers": [{"name": "logs", "image": image}]}}}},
        })
    };
    stage
        .put::<DaemonSet>(json!({"metadata": {"name": "logs", "namespace": "shop", "uid": "d"},
            "spec": {"selector": {"matchLabels": {"app": "logs"}}}, "status": {"desiredNumberScheduled": 2, "currentNumberScheduled": 2}}))
        .await;
    let mut old = pod("logs-1", ("DaemonSet", "d"), serving(40));
    merge(&mut old, json!({"metadata": {"labels": {"controller-revision-hash": "b"}}}));
    stage.put::<Pod>(old).await;
    stage.put::<ControllerRevision>(kept("a", 3, "logs:1", 900)).await; // it was revision 1
    stage.put::<ControllerRevision>(kept("b", 2, "logs:2", 600)).await;
    let picture = stage.until(|p| p.revisions.len() == 2 && p.lanes.len() == 2).await;
    let lanes: Vec<_> = picture.lanes.iter().map(|lane| (&*lane.name, lane.revision, lane.newest)).collect();
    assert_eq!(
        lanes,
        [("b", Some(2), false), ("a", Some(3), true)],
        "the newest is known before it has pods"
    );
    assert_eq!(&*picture.lanes[0].images[0].1, "logs:2");
    let told_revisions: Vec<_> = picture.revisions.iter().map(|r| (r.number, r.origin, r.runs)).collect();
    assert_eq!(
        told_revisions,
        [(2, Origin::Unknown, false), (3, Origin::Undo { was: None }, true)],
        "older than what it follows"
    );
    assert_eq!(told(&picture)[2..4], ["-  - image: logs:2", "+  - image: logs:1"]);
}

#[tokio::test]
async fn a_daemon_sets_rollout_ends_once_its_own_row_is_of_the_newest_template() {
    let mut stage = Stage::new(Kind::DaemonSet, "logs").await;
    let template = |image: &str| json!({"spec": {"containers": [{"name": "logs", "image": image}]}});
    let kept = |hash: &str, revision: i64, image: &str| {
        let mut patch = template(image);
        merge(&mut patch, json!({"$patch": "replace"}));
        json!({
            "metadata": {"name": format!("logs-{hash}"), "namespace": "shop", "uid": hash, "labels": {"controller-revision-hash": hash},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "logs", "uid": "d", "controller": true}]},
            "revision": revision,
            "data": {"spec": {"template": patch}},
        })
    };
    let set = |generation: i64, image: &str, updated: i64| {
        json!({"metadata": {"name": "logs", "namespace": "shop", "uid": "d", "generation": generation},
            "spec": {"template": template(image)},
            "status": {"observedGeneration": generation, "desiredNumberScheduled": 2, "currentNumberScheduled": 2,
                "updatedNumberScheduled": updated, "numberReady": 2, "numberAvailable": 2}})
    };
    stage.put::<ControllerRevision>(kept("a", 1, "logs:1")).await;
    stage.put::<DaemonSet>(set(1, "logs:1", 2)).await;
    stage.until(|p| p.course == Course::Succeeded && p.counts.len() == 1).await;
    stage.put::<ControllerRevision>(kept("b", 2, "logs:2")).await;
    let began = stage.until(|p| p.began.is_some()).await;
    let happened =
        |p: &Picture| p.happened.iter().map(|happening| happening.what.clone()).collect::<Vec<_>>();
    assert_eq!(happened(&began), [What::Began { revision: Some(2) }], "its row still speaks of the old one");
    stage.put::<DaemonSet>(set(2, "logs:2", 1)).await;
    stage.until(|p| p.course == Course::Progressing).await;
    stage.put::<DaemonSet>(set(2, "logs:2", 2)).await;
    let through = stage.until(|p| p.course == Course::Succeeded).await;
    assert_eq!(happened(&through)[1..], [What::Ended { course: Course::Succeeded }]);
}

#[tokio::test]
async fn a_change_that_the_controller_takes_for_a_scaling_for_ever_is_told() {
    let mut stage = Stage::new(Kind::Deployment, "web").await;
    // as it was seen: another image, and 1 replica for 4, while the ReplicaSet had 1 by then
    let stuck = json!({"metadata": {"generation": 4}, "spec": {"replicas": 1},
        "status": {"observedGeneration": 4, "replicas": 1, "updatedReplicas": 0, "readyReplicas": 1, "availableReplicas": 1}});
    let mut active = set("web-2", 2, 1, 1, 1);
    merge(
        &mut active,
        json!({"metadata": {"annotations": {"deployment.kubernetes.io/desired-replicas": "4"}}}),
    );
    stage.put::<ReplicaSet>(active.clone()).await;
    stage.put::<Deployment>(deployment(stuck)).await;
    let causes = stage.until(|p| !p.causes.is_empty() && p.desired == 1).await.causes;
    assert!(causes[0].says.starts_with("Its controller takes the change for a scaling"), "{causes:?}");
    assert_eq!(causes[0].evidence, "deployment.kubernetes.io/desired-replicas: \"4\"");
    merge(
        &mut active,
        json!({"metadata": {"annotations": {"deployment.kubernetes.io/desired-replicas": "1"}}}),
    );
    stage.put::<ReplicaSet>(active).await;
    let freed = stage.until(|p| p.causes.iter().all(|cause| !cause.says.contains("scaling"))).await;
    assert_eq!(freed.course, Course::Progressing);
}

#[tokio::test]
async fn a_partition_is_pointed_out() {
    let mut stage = Stage::new(Kind::StatefulSet, "db").await;
    let set = |partition: i64| {
        json!({"metadata": {"name": "db", "namespace": "shop", "uid": "db"},
            "spec": {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": partition}}}})
    };
    stage.put::<StatefulSet>(set(0)).await;
    assert_eq!(stage.until(|_| true).await.notes, []);
    stage.put::<StatefulSet>(set(2)).await;
    let notes = stage.until(|p| !p.notes.is_empty()).await.notes;
    assert!(
        notes[0].says.starts_with("Its partition is 2: so many of its first pods keep their template"),
        "{notes:?}"
    );
}

#[tokio::test]
async fn when_a_pod_was_told_to_end_is_its_own_word() {
    let mut stage = Stage::new(Kind::ReplicationController, "web").await;
    stage
        .put::<ReplicationController>(
            json!({"metadata": {"name": "web", "namespace": "shop", "uid": "web"}, "spec": {"replicas": 1}}),
        )
        .await;
    let mut ending = pod("ending", ("ReplicationController", "web"), serving(40));
    // 20 of its 30 seconds are over
    merge(
        &mut ending,
        json!({"metadata": {"deletionTimestamp": ago(-10), "deletionGracePeriodSeconds": 30}}),
    );
    stage.put::<Pod>(ending.clone()).await;
    stage.until(|p| p.lanes[0].tiles.len() == 1).await;
    // The kubelet, once its containers have ended, cuts its time to nothing.
    merge(
        &mut ending,
        json!({"metadata": {"deletionTimestamp": ago(0), "deletionGracePeriodSeconds": 0}, "status": {"phase": "Succeeded"}}),
    );
    stage.put::<Pod>(ending).await;
    stage.put::<Pod>(pod("later", ("ReplicationController", "web"), serving(1))).await;
    let picture = stage.until(|p| p.lanes[0].tiles.len() == 2).await;
    let told = reached(&picture.lanes[0], "ending", Terminating).expect("reached");
    assert!((told.at.0 - at(&ago(20)).0).abs() <= 1000, "{told:?}");
    assert_eq!(told.by, Witness::Pod);
}

/// A ReplicaSet of revision `number`, which was `formerly` others, with more in its template.
fn template(name: &str, number: i64, formerly: &str, more: Value) -> Value {
    let mut object = set(name, number, 1, 1, 1);
    merge(
        &mut object,
        json!({
            "metadata": {"annotations": {"deployment.kubernetes.io/revision-history": formerly}},
            "spec": {"template": {"metadata": {"labels": {"app": "web", "pod-template-hash": name}}, "spec": {"containers": null}}},
        }),
    );
    merge(&mut object, json!({"spec": {"template": more}}));
    object
}

fn told(picture: &Picture) -> Vec<String> {
    let lines = picture.difference.iter().flat_map(|difference| &difference.lines);
    lines.map(|line| format!("{}{}{}", line.mark.sign(), "  ".repeat(line.depth.into()), line.text)).collect()
}

#[tokio::test]
async fn revisions_say_how_they_came_to_be_and_what_differs() {
    let mut stage = Stage::new(Kind::Deployment, "web").await;
    stage
        .put::<Deployment>(deployment(
            json!({"metadata": {"annotations": {"deployment.kubernetes.io/revision": "5"}}}),
        ))
        .await;
    let image = |image: &str, token: &str| json!({"spec": {"containers": [{"name": "web", "image": image, "env": [{"name": "TOKEN", "value": token}]}]}});
    let mut restarted = image("web:2", "b");
    merge(
        &mut restarted,
        json!({"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-11-24T12:00:00Z"}}}),
    );
    // 1: web:1; 2: web:2 with another token; 3: restarted; 4 had been 1, and was undone to; 5 is web:3
    stage.put::<ReplicaSet>(template("web-b", 2, "", image("web:2", "b"))).await;
    stage.put::<ReplicaSet>(template("web-c", 3, "", restarted)).await;
    stage.put::<ReplicaSet>(template("web-a", 4, "1", image("web:1", "a"))).await;
    stage.put::<ReplicaSet>(template("web-d", 5, "", image("web:3", "a"))).await;
    let picture = stage.until(|p| p.revisions.len() == 4).await;
    let origins: Vec<(i64, Origin, bool)> =
        picture.revisions.iter().map(|revision| (revision.number, revision.origin, revision.runs)).collect();
    assert_eq!(
        origins,
        [
            (2, Origin::New, false), // revision 1 is there by another number
            (3, Origin::Restart, false),
            (4, Origin::Undo { was: Some(1) }, false),
            (5, Origin::New, true),
        ]
    );
    // unless asked: the last and the one before
    assert_eq!(picture.difference.as_ref().map(|d| (d.from, d.to)), Some((4, 5)));
    let containers = [" spec:", "   containers:"];
    assert_eq!(
        told(&picture),
        [&containers[..], &["-  - image: web:1", "+  - image: web:3", "     name: web"]].concat()
    );

    let asked = async |between| {
        let drawing = Drawing { key: stage.key.clone(), between: Some(between) };
        stage.hub.picture(drawing).await.expect("a hub").expect("a picture")
    };
    assert_eq!(
        told(&*asked((4, 2)).await),
        [
            &containers[..],
            &[
                "   - env:",
                "     - name: TOKEN",
                "~      value: <withheld>",
                "-    image: web:1",
                "+    image: web:2",
                "     name: web"
            ]
        ]
        .concat()
    );
    assert_eq!(
        told(&*asked((2, 3)).await),
        [" metadata:", "+  annotations:", "+    kubectl.kubernetes.io/restartedAt: \"2026-11-24T12:00:00Z\"",]
    );
    assert_eq!(told(&*asked((3, 3)).await), Vec::<String>::new());
    assert_eq!(asked((1, 3)).await.difference, None, "revision 1 is there no more");
}

#[tokio::test]
async fn what_happened_is_told_in_order() {
    let mut stage = Stage::new(Kind::Deployment, "web").await;
    let at = |generation: i64, revision: &str, replicas: i64, updated: i64| {
        deployment(json!({
            "metadata": {"generation": generation, "annotations": {"deployment.kubernetes.io/revision": revision}},
            "spec": {"replicas": replicas},
            "status": {"observedGeneration": generation, "replicas": replicas, "updatedReplicas": updated, "readyReplicas": replicas, "availableReplicas": replicas},
        }))
    };
    let happened =
        |p: &Picture| p.happened.iter().map(|happening| happening.what.clone()).collect::<Vec<_>>();
    stage.put::<ReplicaSet>(set("web-2", 2, 3, 3, 3)).await;
    stage.put::<Deployment>(at(2, "2", 3, 3)).await;
    stage.until(|p| p.course == Course::Succeeded && p.counts.len() == 1).await;
    // The ReplicaSet may be heard of before its Deployment says anything of it.
    stage.put::<ReplicaSet>(set("web-3", 3, 1, 1, 0)).await;
    stage.until(|p| p.began.is_some()).await;
    stage.put::<Deployment>(at(3, "3", 3, 1)).await;
    stage.until(|p| p.course == Course::Progressing).await;
    stage.put::<ReplicaSet>(set("web-4", 4, 1, 1, 0)).await;
    stage.put::<Deployment>(at(4, "4", 5, 1)).await;
    stage.until(|p| p.desired == 5).await;
    stage.put::<Deployment>(at(5, "4", 5, 5)).await;
    let picture = stage.until(|p| p.course == Course::Succeeded).await;
    let mut told = happened(&picture);
    // one frame may tell of the scaling and the new template together, or of each
    let scaled = told.iter().position(|what| *what == What::Scaled { from: 3, to: 5 }).expect("scaled");
    told.remove(scaled);
    assert_eq!(
        told,
        [
            What::Began { revision: Some(3) },
            What::Ended { course: Course::Replaced },
            What::Began { revision: Some(4) },
            What::Ended { course: Course::Succeeded },
        ]
    );
}

#[tokio::test]
async fn pods_of_an_earlier_rollout_are_not_drawn_in_a_lane_that_is_taken_up_again() {
    let mut stage = Stage::new(Kind::Deployment, "web").await;
    stage.put::<Deployment>(deployment(json!({}))).await;
    stage.put::<ReplicaSet>(set("web-1", 1, 0, 0, 0)).await;
    stage.put::<ReplicaSet>(set("web-2", 2, 3, 3, 3)).await;
    let old = pod("old", ("ReplicaSet", "web-1"), serving(40));
    stage.put::<Pod>(old.clone()).await;
    stage.gone::<Pod>(old).await;
    stage.until(|p| p.lanes.iter().any(|lane| *lane.name == *"web-1" && lane.tiles.len() == 1)).await;
    stage.put::<ReplicaSet>(set("web-1", 3, 1, 1, 0)).await; // undone to
    let picture = stage.until(|p| p.lanes.iter().any(|lane| lane.newest && *lane.name == *"web-1")).await;
    let lane = picture.lanes.iter().find(|lane| lane.newest).expect("a lane");
    assert_eq!((lane.tiles.len(), lane.forgotten), (0, 1));
}

#[tokio::test]
async fn who_else_selects_its_pods_is_pointed_out() {
    let mut stage = Stage::new(Kind::ReplicationController, "web").await;
    let controller = |name: &str, app: &str| {
        json!({"metadata": {"name": name, "namespace": "shop", "uid": name},
            "spec": {"replicas": 1, "selector": {"app": app}, "template": {"metadata": {"labels": {"app": app, "tier": "front"}}}}})
    };
    let stray = json!({"metadata": {"name": "stray", "namespace": "shop", "uid": "stray", "labels": {"app": "web"}}, "status": {"phase": "Running"}});
    stage.put::<ReplicationController>(controller("other", "other")).await;
    stage.put::<ReplicationController>(controller("web", "web")).await;
    assert_eq!(stage.until(|p| !p.lanes.is_empty()).await.notes, []);
    stage.put::<Pod>(stray).await;
    stage
        .put::<Deployment>(deployment(json!({"metadata": {"name": "shop"}, "spec": {"template": {"metadata": {"labels": {"app": "web"}}}}})))
        .await;
    let notes = stage.until(|p| p.notes.len() == 2).await.notes;
    assert_eq!(
        notes[0].says,
        "Pod stray has no controller and is selected: it will be adopted, and counts then"
    );
    assert!(
        notes[1].says.starts_with("Its selector (app=web) also selects the pods of deployment shop."),
        "{notes:?}"
    );
    assert_eq!(notes[1].source, "deployment/shop");

    let mine = |mut pod: Value, labels: Value| {
        merge(&mut pod, json!({"metadata": {"labels": labels}}));
        pod
    };
    stage
        .put::<Pod>(mine(pod("stray", ("ReplicationController", "web"), serving(40)), json!({"app": "web"})))
        .await;
    let adopted = stage.until(|p| p.lanes[0].tiles.len() == 1).await;
    assert_eq!(adopted.happened.last().map(|h| &h.what), Some(&What::Adopted { pod: "stray".into() }));
    assert_eq!(adopted.notes.len(), 1, "it is nobody's no longer");
    let freed =
        json!({"metadata": {"name": "stray", "namespace": "shop", "uid": "stray", "labels": {"app": "x"}}});
    stage.put::<Pod>(freed).await;
    let released = stage.until(|p| p.lanes[0].tiles.is_empty()).await;
    assert_eq!(released.happened.last().map(|h| &h.what), Some(&What::Released { pod: "stray".into() }));
}

#[tokio::test]
async fn a_lost_pod_and_the_one_in_its_place_are_told_together() {
    let mut stage = Stage::new(Kind::ReplicationController, "web").await;
    let controller = json!({"metadata": {"name": "web", "namespace": "shop", "uid": "web"},
        "spec": {"replicas": 2, "selector": {"app": "web"}}, "status": {"replicas": 2}});
    stage.put::<ReplicationController>(controller).await;
    let owner = ("ReplicationController", "web");
    let (lost, stays) = (pod("lost", owner, serving(40)), pod("stays", owner, serving(40)));
    stage.put::<Pod>(lost.clone()).await;
    stage.put::<Pod>(stays).await;
    stage.gone::<Pod>(lost).await;
    let mut next = pod("next", owner, serving(0));
    merge(&mut next, json!({"metadata": {"creationTimestamp": ago(0)}}));
    stage.put::<Pod>(next).await;
    let picture = stage.until(|p| p.lanes[0].tiles.len() == 3).await;
    let replaces = |name: &str| {
        let tile = picture.lanes[0].tiles.iter().find(|tile| *tile.name == *name).expect("a tile");
        tile.replaces.as_ref().map(|replaced| replaced.pod.to_string())
    };
    assert_eq!(["lost", "stays", "next"].map(replaces), [None, None, Some("lost".to_owned())]);

    // One that is given up is lost as well, and had taken a place.
    let freed = json!({"metadata": {"name": "next", "namespace": "shop", "uid": "next", "creationTimestamp": ago(0), "labels": {"app": "x"}}});
    stage.put::<Pod>(freed).await;
    let mut last = pod("last", owner, serving(0));
    merge(&mut last, json!({"metadata": {"creationTimestamp": ago(-1)}}));
    stage.put::<Pod>(last).await;
    let picture = stage.until(|p| p.lanes[0].tiles.iter().any(|tile| *tile.name == *"last")).await;
    let tile = picture.lanes[0].tiles.iter().find(|tile| *tile.name == *"last").expect("a tile");
    assert_eq!(tile.replaces.as_ref().map(|replaced| &*replaced.pod), Some("next"));
}
