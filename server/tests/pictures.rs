//! The hub's history: objects in, a rollout's picture out.

// A test that cannot go on should stop.
#![allow(clippy::expect_used, clippy::panic)]

mod viewer;

use app::{
    api::{
        DaemonSet, Deployment, Detail, Event, Kind, KindState, Millis, ObjectKey, Picture, Pod, ReplicaSet,
        ReplicationController, StatefulSet,
        picture::{
            Bounds, Course, Lane, Reached,
            Station::{self, Available, Gone, Ready, Scheduled, Started, Terminating},
            Witness,
        },
    },
    model::Delta,
    scope::Scope,
    wire::{About, Frame},
};
use serde_json::{Value, json};
use server::{
    hub::{self, Encoding, Hub, News, Seat},
    source::translate::{self, Translate},
};
use tokio::task::JoinHandle;
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
        seat.draw(Some(key.clone())).await.expect("a hub");
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

    /// The first picture that is as wanted; a test that waits for none hangs, and its runner says so.
    async fn until(&mut self, wanted: impl Fn(&Picture) -> bool) -> Picture {
        loop {
            if let Some(Frame::Picture { key, picture: Some(picture) }) = &self.viewer.picture
                && *key == self.key
                && wanted(picture)
            {
                return Picture::clone(picture);
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
        row.detail().map(|detail: &std::sync::Arc<Detail>| detail.pace.bounds)?
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
    assert_eq!(stage.hub.picture(key).await, Ok(None));
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
