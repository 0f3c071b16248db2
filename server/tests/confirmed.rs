//! ④ to scripts and machines: what has not been confirmed for five seconds is called live nowhere, and ends no wait.
//! The source is this file, which confirms what it likes when it likes; time is tokio's and stands still but for waits.

// A test that cannot go on should stop.
#![allow(clippy::expect_used)]

use std::{sync::Arc, time::Duration};

use app::{
    api::{
        ControllerRevision, DaemonSet, Deployment, EndpointSlice, InCluster, Kind, KindState, Meta, Node,
        ObjectKey, Pod, ReplicaSet, Rollout, Service, Text, Uid,
    },
    model::Delta,
    scope::Scope,
    selector::Selector,
    wire::{self, About, Drawing, Frame},
};
use axum::{Router, body::Body, http::Request};
use futures::StreamExt;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use server::{
    audience::{
        Door, Grant, Rooms, Visitor, Who,
        grant::{Hide, Within},
    },
    http::{self as site, Access, Hosts},
    hub::{Encoding, Hub, News, now},
    metrics::Metrics,
    source::translate::{self, Translate},
};
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Longer than anything is waited for here; of the time that stands still.
const LONG: Duration = Duration::from_secs(60);

/// A site, and a hub that knows what it is told here.
struct Stage {
    hub: Hub,
    site: Router,
    _owner: JoinHandle<()>,
}

/// What a request was answered with.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn state(&self) -> (u16, Option<&str>) {
        (self.status.as_u16(), self.header("masthead-state"))
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

impl Stage {
    /// Every kind's watch is open, and none is confirmed.
    async fn new() -> Stage {
        let (hub, owner) = Hub::new(About::default(), CancellationToken::new());
        let site = Stage::site(&hub, None);
        let stage = Stage { hub, site, _owner: tokio::spawn(owner) };
        for kind in watched() {
            stage.tell(News::Watch { kind, within: None, state: KindState::Live }).await;
        }
        stage
    }

    /// As whoever has `grant` finds it.
    fn site(hub: &Hub, grant: Option<Grant>) -> Router {
        let visitor = Visitor::new(Who::Anyone, grant.map(Arc::new));
        let access = Access { door: Door::fixed(visitor), ..Access::open(Hosts::new(&[], &[])) };
        let stop = CancellationToken::new();
        let rooms = Rooms::new(hub.clone(), stop.clone());
        site::router(hub.clone(), rooms, Arc::new(Metrics::default()), access, stop)
    }

    async fn tell(&self, news: News) {
        self.hub.tell(news).await.expect("the hub runs");
        // The hub hears news when it has answered what it was asked.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    /// What was told of these kinds is current as of now.
    async fn confirm(&self, kinds: impl IntoIterator<Item = Kind>) {
        for kind in kinds {
            self.tell(News::Current { kind, within: None, as_of: now() }).await;
        }
    }

    /// How a kind stands in a namespace that is watched by itself.
    async fn within(&self, kind: Kind, namespace: &str, state: KindState) {
        let within = Some(Text::from(namespace));
        self.tell(News::Watch { kind, within: within.clone(), state }).await;
        self.tell(News::Current { kind, within, as_of: now() }).await;
    }

    async fn put<T: Translate>(&self, object: Value) {
        let row: T = translate::row(&object.to_string()).expect("a row");
        let change = T::change(Delta::Put(Arc::new(row)));
        self.tell(News::Change { change, within: None }).await;
    }

    async fn deployment(&self, rollout: Rollout) {
        let meta = Meta { uid: Uid(1), namespace: "default".into(), name: "web".into(), ..Meta::default() };
        let row = Deployment { meta, rollout, ..Deployment::default() };
        let change = Deployment::change(Delta::Put(Arc::new(row)));
        self.tell(News::Change { change, within: None }).await;
    }

    fn ask(&self, path: &str) -> impl Future<Output = axum::response::Response> + Send + use<> {
        let request = Request::get(path).header("host", "localhost").body(Body::empty());
        let answer = self.site.clone().oneshot(request.expect("a request"));
        async move { answer.await.unwrap_or_else(|never| match never {}) }
    }

    fn get(&self, path: &str) -> impl Future<Output = Answer> + Send + use<> {
        let answer = self.ask(path);
        async move {
            let (head, body) = answer.await.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
            let body = String::from_utf8(body.to_vec()).expect("text");
            Answer { status: head.status, headers: head.headers, body }
        }
    }

    /// What is answered when all but this kind is confirmed.
    async fn without(&self, kind: Kind, path: &str) -> Answer {
        tokio::time::sleep(Duration::from_secs(6)).await;
        self.confirm(watched().filter(|other| *other != kind)).await;
        self.get(path).await
    }

    /// A new stream of changes.
    async fn stream(&self, query: &str) -> Events {
        let answer = self.ask(&format!("/api/v1/watch?{query}")).await;
        assert_eq!(answer.status(), 200);
        Events { body: answer.into_body().into_data_stream(), unread: String::new() }
    }
}

/// As it is said of a kind that may be listed nowhere.
fn forbidden(kind: Kind) -> KindState {
    let [verb, resource, namespace] = ["list", &kind.resource(), ""].map(Text::from);
    KindState::Forbidden { verb, resource, namespace }
}

/// Kinds that have watches of their own.
fn watched() -> impl Iterator<Item = Kind> {
    Kind::ALL.iter().copied().filter(|kind| kind.watched() == *kind)
}

/// A stream of events, event by event.
struct Events {
    body: axum::body::BodyDataStream,
    unread: String,
}

impl Events {
    async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((event, rest)) = self.unread.split_once("\n\n") {
                let line =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
                let read = (line("event: ").to_owned(), serde_json::from_str(line("data: ")).expect("JSON"));
                self.unread = rest.to_owned();
                return read;
            }
            let more = tokio::time::timeout(LONG, self.body.next()).await;
            let more = more.expect("in time").expect("an open stream").expect("bytes");
            self.unread.push_str(std::str::from_utf8(&more).expect("text"));
        }
    }

    /// The next of this name.
    async fn event(&mut self, name: &str) -> Value {
        loop {
            let (of, data) = self.next().await;
            if of == name {
                return data;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_calls_live_what_is_confirmed_and_nothing_else() {
    let stage = Stage::new().await;
    let mut first = stage.stream("kinds=pods").await;
    let snapshot = first.event("snapshot").await;
    let state = &snapshot["kinds"][0]["state"];
    assert_eq!(state["stale"]["because"], "not confirmed yet", "an open watch confirms nothing");
    for _ in 0..3 {
        assert_eq!(first.next().await.0, "beat", "nor does time");
    }
    stage.confirm([Kind::Pod]).await;
    let (event, data) = first.next().await;
    let live = json!({"kind": "pods", "state": "live", "within": null});
    assert_eq!((&*event, data), ("state", live), "and not a word before");
    assert_eq!(stage.stream("kinds=pods").await.event("snapshot").await["kinds"][0]["state"], "live");

    // Between two beats, so that nobody has been told yet.
    let since = stage.hub.view().await.expect("a view").as_of(Kind::Pod).expect("confirmed");
    tokio::time::sleep(Duration::from_millis(5_500)).await;
    let stale = stage.stream("kinds=pods").await.event("snapshot").await["kinds"][0]["state"].clone();
    assert_eq!(stale, json!({"stale": {"since": since, "because": "not confirmed for more than 5 s"}}));
    assert_eq!(first.event("state").await["state"], stale, "whoever has been there is told so too");
    let list = stage.get("/api/v1/pods").await;
    assert_eq!((&list.json()["state"], list.header("masthead-state")), (&stale, Some("stale")));

    stage.confirm([Kind::Pod]).await;
    assert_eq!(first.event("state").await["state"], "live");
    let confirmed = Instant::now();
    let told = first.event("state").await;
    assert_eq!(told["state"]["stale"]["because"], "not confirmed for more than 5 s", "by nobody's asking");
    assert!(confirmed.elapsed() < Duration::from_millis(7_100), "{:?}", confirmed.elapsed());
    first.event("beat").await;
    for _ in 0..5 {
        assert_eq!(first.next().await.0, "beat", "for the same reason it is not said again");
    }
}

const WAIT: &str = "/api/v1/rollouts/default/deployment/web/wait";

#[tokio::test(start_paused = true)]
async fn a_wait_ends_with_what_is_known_to_be_so_now() {
    for (rollout, code, succeeded) in
        [(Rollout::Complete, 200, true), (Rollout::DeadlineExceeded, 409, false)]
    {
        let stage = Stage::new().await;
        stage.deployment(Rollout::Terminating { old: 1 }).await;
        stage.confirm(watched()).await;
        let long = tokio::spawn(stage.get(&format!("{WAIT}?timeout=60")));
        let short = tokio::spawn(stage.get(&format!("{WAIT}?timeout=15")));
        tokio::time::sleep(Duration::from_secs(3)).await;
        stage.confirm(watched()).await;
        tokio::time::sleep(Duration::from_secs(6)).await;
        // What a watch that is behind tells may be over since.
        stage.deployment(rollout).await;
        let short = short.await.expect("an answer");
        assert_eq!((short.status.as_u16(), short.header("masthead-state")), (409, Some("stale")));
        let told = short.json();
        assert_eq!((&told["ended"], &told["succeeded"]), (&json!(false), &json!(false)), "{told}");
        assert_eq!(told["state"]["stale"]["because"], "not confirmed for more than 5 s", "{told}");
        let as_of = told["asOf"].as_str().zip(short.header("masthead-as-of"));
        assert!(as_of.is_some_and(|(own, least)| least <= own), "{told}");
        assert!(!long.is_finished(), "there is time to find out");

        stage.confirm(watched()).await;
        let long = long.await.expect("an answer");
        assert_eq!((long.status.as_u16(), long.header("masthead-state")), (code, Some("live")));
        let told = long.json();
        assert_eq!((&told["ended"], &told["succeeded"]), (&json!(true), &json!(succeeded)), "{told}");
        assert_eq!(told["state"], "live");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_as_fresh_as_what_its_causes_are_found_in() {
    for stale in [Kind::Pod, Kind::ReplicaSet, Kind::Event] {
        let stage = Stage::new().await;
        stage.deployment(Rollout::Terminating { old: 1 }).await;
        stage.confirm([stale]).await;
        let as_of = stage.hub.view().await.expect("a view").as_of(stale).expect("confirmed").to_string();
        tokio::time::sleep(Duration::from_secs(6)).await;
        stage.confirm(watched().filter(|kind| *kind != stale)).await;
        let answer = stage.get(&format!("{WAIT}?timeout=0")).await;
        assert_eq!(answer.header("masthead-state"), Some("stale"), "{stale:?}");
        assert_eq!(answer.header("masthead-as-of"), Some(&*as_of), "{stale:?}");
        assert_eq!(answer.json()["state"], "live", "what is said of the Deployment itself");
        stage.confirm([stale]).await;
        assert_eq!(stage.get(&format!("{WAIT}?timeout=0")).await.header("masthead-state"), Some("live"));

        // Nothing of a success is a pod's.
        let waiting = tokio::spawn(stage.get(WAIT));
        tokio::time::sleep(Duration::from_secs(7)).await;
        stage.deployment(Rollout::Complete).await;
        stage.confirm([Kind::Deployment]).await;
        let answer = waiting.await.expect("an answer");
        assert_eq!((answer.status.as_u16(), answer.header("masthead-state")), (200, Some("live")));
    }
    // What nobody may look into makes no answer older, or there would never be a live one.
    let stage = Stage::new().await;
    stage.deployment(Rollout::Terminating { old: 1 }).await;
    stage.confirm(watched()).await;
    stage.tell(News::Watch { kind: Kind::Event, within: None, state: forbidden(Kind::Event) }).await;
    assert_eq!(stage.get(&format!("{WAIT}?timeout=0")).await.header("masthead-state"), Some("live"));
}

#[tokio::test(start_paused = true)]
async fn a_picture_is_as_fresh_as_the_revisions_in_it() {
    let stage = Stage::new().await;
    let logs = json!({"name": "logs", "namespace": "default", "uid": "logs"});
    stage.put::<DaemonSet>(json!({"metadata": logs, "spec": {}, "status": {}})).await;
    stage.deployment(Rollout::Complete).await;
    for (of, stale, state) in [
        ("daemonset/logs", Kind::ControllerRevision, "stale"),
        ("daemonset/logs", Kind::Event, "stale"),
        // who else selects its pods
        ("daemonset/logs", Kind::ReplicaSet, "stale"),
        ("daemonset/logs", Kind::ReplicationController, "stale"),
        ("daemonset/logs", Kind::Service, "live"),
        ("deployment/web", Kind::ReplicaSet, "stale"),
        ("deployment/web", Kind::DaemonSet, "stale"),
        ("deployment/web", Kind::ControllerRevision, "live"),
    ] {
        let answer = stage.without(stale, &format!("/api/v1/rollouts/default/{of}")).await;
        assert_eq!(answer.state(), (200, Some(state)), "{of}, {stale:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_differs_between_templates_is_as_fresh_as_they_are() {
    let stage = Stage::new().await;
    let meta = |name: &str, revision: &str| {
        json!({"name": name, "namespace": "default", "uid": name, "labels": {"app": "web"},
            "annotations": {"deployment.kubernetes.io/revision": revision}})
    };
    let selector = json!({"matchLabels": {"app": "web"}});
    let web = json!({"metadata": meta("web", "2"), "spec": {"selector": selector}, "status": {}});
    stage.put::<Deployment>(web).await;
    for (name, revision) in [("web-1", "1"), ("web-2", "2")] {
        let mut meta = meta(name, revision);
        meta["ownerReferences"] =
            json!([{"kind": "Deployment", "name": "web", "uid": "web", "controller": true}]);
        let template = json!({"spec": {"containers": [{"name": "web", "image": name}]}});
        let spec = json!({"replicas": 1, "selector": selector, "template": template});
        stage.put::<ReplicaSet>(json!({"metadata": meta, "spec": spec, "status": {}})).await;
    }
    stage.tell(News::Watch { kind: Kind::Pod, within: None, state: forbidden(Kind::Pod) }).await;
    for ends in ["", "?from=1&to=2"] {
        let path = format!("/api/v1/rollouts/default/deployment/web/difference{ends}");
        for (stale, state) in [(Kind::Event, "live"), (Kind::ReplicaSet, "stale")] {
            assert_eq!(stage.without(stale, &path).await.state(), (200, Some(state)), "{path}, {stale:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_differs_between_revisions_is_told_as_it_was_when_they_are_not_current() {
    let stage = Stage::new().await;
    let logs = json!({"name": "logs", "namespace": "default", "uid": "logs"});
    let selector = json!({"matchLabels": {"app": "logs"}});
    let template = json!({"metadata": {"labels": {"app": "logs"}}});
    let spec = json!({"selector": selector, "template": template});
    stage.put::<DaemonSet>(json!({"metadata": logs, "spec": spec, "status": {}})).await;
    for revision in 1..3 {
        let name = format!("logs-{revision}");
        let template = json!({"$patch": "replace", "metadata": {"labels": {"app": "logs"}},
            "spec": {"containers": [{"name": "logs", "image": name}]}});
        let owner = json!({"kind": "DaemonSet", "name": "logs", "uid": "logs", "controller": true});
        let meta = json!({"name": name, "namespace": "default", "uid": name, "labels": {"app": "logs"},
            "ownerReferences": [owner]});
        let data = json!({"spec": {"template": template}});
        stage.put::<ControllerRevision>(json!({"metadata": meta, "revision": revision, "data": data})).await;
    }
    stage.confirm(watched()).await;
    const DIFFERENCE: &str = "/api/v1/rollouts/default/daemonset/logs/difference?from=1&to=2&output=text";
    let live = stage.get(DIFFERENCE).await;
    assert_eq!(live.state(), (200, Some("live")), "{}", live.body);
    assert!(live.body.contains("logs-2"), "{}", live.body);
    stage.tell(News::Pulse(Err(Text::from("no answer")))).await;
    let stale = stage.get(DIFFERENCE).await;
    assert_eq!((stale.state(), &stale.body), ((200, Some("stale")), &live.body));
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_since_it_is_not_listed_yet_is_not_said_not_to_be() {
    let stage = Stage::new().await;
    let logs = json!({"name": "logs", "namespace": "default", "uid": "logs"});
    stage.put::<DaemonSet>(json!({"metadata": logs, "spec": {}, "status": {}})).await;
    stage.put::<Pod>(json!({"metadata": {"name": "one", "namespace": "default", "uid": "one"}})).await;
    stage.confirm(watched()).await;
    for (kind, path) in [
        (Kind::ControllerRevision, "/api/v1/rollouts/default/daemonset/logs"),
        (Kind::Event, "/api/v1/rollouts/default/daemonset/logs"),
        (Kind::Event, "/api/v1/placement/default/pod/one"),
        (Kind::Event, "/api/v1/containers"),
    ] {
        let state = |state| stage.tell(News::Watch { kind, within: None, state });
        state(KindState::Failing { because: Text::from("500") }).await;
        let failing = stage.get(path).await;
        assert_eq!(failing.state(), (200, Some("failing")), "{path}");
        if kind == Kind::Event && path.ends_with("containers") {
            assert_eq!(failing.json()["state"], json!({"failing": {"because": "500"}}));
        }
        state(forbidden(kind)).await;
        assert_eq!(stage.get(path).await.state(), (200, Some("live")), "{path}: it never has any");
        state(KindState::Live).await;
        stage.confirm(watched()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_left_out_for_what_it_follows_is_as_fresh_as_that() {
    let mut stage = Stage::new().await;
    stage.within(Kind::Lease, "kube-node-lease", KindState::Live).await;
    let kinds = watched().map(|kind| (kind, Within::All)).collect();
    stage.site = Stage::site(&stage.hub, Some(Grant { kinds, ..Grant::default() }));
    let meta = |name: &str| json!({"name": name, "namespace": "default", "uid": name});
    stage.put::<Service>(json!({"metadata": meta("web"), "spec": {"selector": {"app": "web"}}})).await;
    let endpoint = json!({"addresses": ["10.0.0.1"], "conditions": {"ready": true},
        "targetRef": {"kind": "Pod", "namespace": "default", "name": "one", "uid": "one"}});
    let mut slice = json!({"metadata": meta("web-1"), "addressType": "IPv4", "endpoints": [endpoint]});
    slice["metadata"]["labels"] = json!({"kubernetes.io/service-name": "web"});
    stage.put::<EndpointSlice>(slice).await;
    let state = async |stale: Option<Kind>, kind: Kind| {
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_secs(2)).await;
            let current = watched().filter(|kind| Some(*kind) != stale && *kind != Kind::Lease);
            stage.confirm(current).await;
            if stale != Some(Kind::Lease) {
                stage.within(Kind::Lease, "kube-node-lease", KindState::Live).await;
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let list = stage.get(&format!("/api/v1/{}?output=table", kind.plural())).await;
        let state = list.header("masthead-state").map(str::to_owned);
        (state.expect("a state"), list.body)
    };
    let (live, table) = state(None, Kind::EndpointSlice).await;
    assert!(live == "live" && !table.contains("10.0.0.1"), "there is no such pod: {table}");
    for (stale, kind, said) in [
        (Kind::Pod, Kind::EndpointSlice, "stale"),
        (Kind::Service, Kind::EndpointSlice, "stale"),
        (Kind::Node, Kind::EndpointSlice, "live"),
        (Kind::Pod, Kind::Service, "live"),
        (Kind::Pod, Kind::Event, "stale"),
        (Kind::Node, Kind::Lease, "stale"),
        (Kind::StatefulSet, Kind::ControllerRevision, "stale"),
        (Kind::ReplicaSet, Kind::ControllerRevision, "live"),
    ] {
        assert_eq!(state(Some(stale), kind).await.0, said, "{kind:?} without {stale:?}");
    }
    // An endpoint is as unknown where its pod has not been listed yet, or may not be.
    for unlisted in [KindState::Listing { seen: 0 }, forbidden(Kind::Pod)] {
        stage.tell(News::Watch { kind: Kind::Pod, within: None, state: unlisted }).await;
        assert_eq!(state(Some(Kind::Pod), Kind::EndpointSlice).await.0, "stale");
    }
    assert_eq!(state(Some(Kind::Pod), Kind::Event).await.0, "live", "those about others are all there");
}

#[tokio::test(start_paused = true)]
async fn whoever_sees_a_part_is_not_told_that_it_is_all_nor_what_masthead_may_do() {
    let mut stage = Stage::new().await;
    let within = Within::Namespaces(vec![Text::from("shown")]);
    for verbatim in [true, false] {
        let kinds = [(Kind::Pod, within.clone()), (Kind::Node, Within::All)].into_iter().collect();
        stage.site = Stage::site(&stage.hub, Some(Grant { kinds, verbatim, ..Grant::default() }));
        stage.confirm(watched()).await;
        for path in ["/api/v1/pods?namespace=other", "/api/v1/services"] {
            let withheld = stage.get(path).await;
            assert_eq!(withheld.status, 403, "{}", withheld.body);
            assert!(withheld.body.contains("are not part of what is shown here"), "{}", withheld.body);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn room_on_a_node_is_not_certain_to_whom_not_all_pods_are_shown() {
    for (selector, unchecked) in [("", 0), ("app=web", 1)] {
        let mut stage = Stage::new().await;
        let kinds = watched().map(|kind| (kind, Within::All)).collect();
        let selector = Selector::parse(selector).expect("a selector");
        let grant = Grant { kinds, selector, verbatim: true, ..Grant::default() };
        stage.site = Stage::site(&stage.hub, Some(grant));
        stage.confirm(watched()).await;
        let answer = stage.get("/api/v1/placement?cpu=2").await.json();
        assert_eq!(answer["notChecked"].as_array().map(Vec::len), Some(unchecked), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_behind_a_service_is_as_fresh_as_slices_and_pods() {
    let stage = Stage::new().await;
    let meta = json!({"name": "web", "namespace": "default", "uid": "web"});
    stage.put::<Service>(json!({"metadata": meta, "spec": {"selector": {"app": "web"}}})).await;
    for (name, found) in [("web", 200), ("no-such", 404)] {
        let path = format!("/api/v1/services/default/{name}/endpoints");
        for stale in [Kind::Service, Kind::EndpointSlice, Kind::Pod] {
            assert_eq!(
                stage.without(stale, &path).await.state(),
                (found, Some("stale")),
                "{name}, {stale:?}"
            );
        }
        assert_eq!(stage.without(Kind::Event, &path).await.state(), (found, Some("live")), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_a_pod_fits_is_as_fresh_as_what_the_scheduler_said() {
    let stage = Stage::new().await;
    let meta = json!({"name": "web-1", "namespace": "default", "uid": "web-1"});
    stage.put::<Pod>(json!({"metadata": meta, "spec": {}, "status": {"phase": "Pending"}})).await;
    stage.deployment(Rollout::Complete).await;
    for (of, state) in [("pod/web-1", "stale"), ("deployment/web", "live")] {
        let answer = stage.without(Kind::Event, &format!("/api/v1/placement/default/{of}")).await;
        assert_eq!(answer.state(), (200, Some(state)), "{of}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_says_of_probes_what_can_be_known_of_them() {
    const TABLE: &str = "/api/v1/containers?output=table";
    let stage = Stage::new().await;
    let asks = json!({"tcpSocket": {"port": 5000}});
    stage
        .put::<Pod>(json!({
            "metadata": {"name": "web-1", "namespace": "default", "uid": "web-1"},
            "spec": {"nodeName": "worker", "containers": [
                {"name": "web", "livenessProbe": asks, "readinessProbe": asks}]},
            "status": {"phase": "Running", "containerStatuses": [
                {"name": "web", "ready": true, "started": true, "restartCount": 0, "state": {"running": {}}}]},
        }))
        .await;
    let node = async |ready: &str| {
        let status = json!({"conditions": [{"type": "Ready", "status": ready}]});
        stage
            .put::<Node>(json!({"metadata": {"name": "worker", "uid": "n"}, "spec": {}, "status": status}))
            .await;
    };
    let (quiet, deaf) = ("   no failure seen   ", "   unknown: events are not seen   ");

    node("True").await;
    let seen = stage.without(Kind::Lease, TABLE).await;
    assert_eq!(seen.state(), (200, Some("live")));
    assert!(seen.body.contains(quiet) && seen.body.contains("   passing   "), "{}", seen.body);
    let unheard = stage.without(Kind::Event, TABLE).await;
    assert_eq!(unheard.state(), (200, Some("stale")));
    assert!(unheard.body.contains(deaf) && unheard.body.contains("   passing   "), "{}", unheard.body);
    assert_eq!(stage.without(Kind::Node, TABLE).await.state(), (200, Some("stale")));

    node("Unknown").await;
    let lost = stage.without(Kind::Lease, TABLE).await;
    assert!(!lost.body.contains(quiet) && !lost.body.contains("passing"), "{}", lost.body);

    node("True").await;
    stage.confirm(watched()).await;
    stage.within(Kind::Event, "other", KindState::Live).await;
    let [verb, resource, namespace] = ["list", "events", "default"].map(Text::from);
    stage.within(Kind::Event, "default", KindState::Forbidden { verb, resource, namespace }).await;
    let refused = stage.get(TABLE).await;
    assert_eq!(refused.state(), (200, Some("live")));
    assert!(refused.body.contains(deaf), "{}", refused.body);
}

#[tokio::test(start_paused = true)]
async fn machines_are_told_what_is_not_confirmed() {
    let stage = Stage::new().await;
    stage.confirm(watched().filter(|kind| *kind != Kind::Pod)).await;
    let ready = stage.get("/readyz").await;
    assert_eq!((ready.status.as_u16(), &*ready.body), (200, "ok\npods not current, never confirmed\n"));
    let state = |metrics: &Answer, kind: &str| {
        let line = metrics
            .body
            .lines()
            .find_map(|line| line.strip_prefix(&format!("masthead_kind_state{{kind=\"{kind}\",state=\"")));
        line.map(str::to_owned)
    };
    let metrics = stage.get("/metrics").await;
    let said = (state(&metrics, "pods"), state(&metrics, "nodes"));
    assert_eq!(said, (Some("stale\"} 1".to_owned()), Some("live\"} 1".to_owned())));

    stage.confirm(watched()).await;
    assert_eq!(stage.get("/readyz").await.body, "ok\n");
    tokio::time::sleep(Duration::from_secs(6)).await;
    let ready = stage.get("/readyz").await.body;
    assert_eq!(
        ready.lines().filter(|line| line.contains(" not current, as of 20")).count(),
        watched().count()
    );
    let metrics = stage.get("/metrics").await;
    assert_eq!(state(&metrics, "nodes"), Some("stale\"} 1".to_owned()));
    // No two of them were confirmed at the same moment.
    let view = stage.hub.view().await.expect("a view");
    for kind in watched() {
        let as_of = view.as_of(kind).expect("confirmed");
        let name = format!("masthead_kind_as_of_seconds{{kind=\"{}\"}} ", kind.plural());
        let mut lines = metrics.body.lines();
        let seconds: Option<f64> = lines.find_map(|line| line.strip_prefix(name.as_str())?.parse().ok());
        assert_eq!(seconds, Some(as_of.0 as f64 / 1000.0), "{kind:?}");
        let list = stage.get(&format!("/api/v1/{}", kind.plural())).await;
        let as_of = as_of.to_string();
        assert_eq!(list.header("masthead-as-of"), Some(as_of.as_str()), "{kind:?}");
        assert_eq!(list.header("masthead-state"), Some("stale"), "{kind:?}");
    }
    let index = stage.get("/api/v1").await.json();
    assert!(index["kinds"].as_array().is_some_and(|kinds| kinds.iter().all(|kind| kind["state"] != "live")));
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_what_is_refused_is_not_of_nothing() {
    let stage = Stage::new().await;
    stage.within(Kind::Pod, "allowed", KindState::Live).await;
    stage.within(Kind::Lease, "kube-node-lease", KindState::Live).await;
    let [verb, resource, namespace] = ["watch", "pods", "refused"].map(Text::from);
    let forbidden = KindState::Forbidden { verb, resource, namespace };
    stage.within(Kind::Pod, "refused", forbidden.clone()).await;

    let state = |snapshot: &Value| snapshot["kinds"][0]["state"].clone();
    for of in ["kinds=pods&namespace=allowed", "kinds=leases&namespace=kube-node-lease"] {
        let allowed = stage.stream(of).await.event("snapshot").await;
        assert_eq!(state(&allowed), "live", "{of}");
    }
    for (kinds, namespace) in [("pods", "refused"), ("pods", "elsewhere"), ("leases", "kube-system")] {
        let mut stream = stage.stream(&format!("kinds={kinds}&namespace={namespace}")).await;
        let said = state(&stream.event("snapshot").await);
        assert_eq!(said["forbidden"]["namespace"], namespace, "{said}");
        assert_eq!(stream.event("beat").await["asOf"], json!({}), "as of no time");
    }

    // Given, and taken away again: that is told before what is not to be seen any more goes.
    let mut stream = stage.stream("kinds=pods&namespace=refused").await;
    stream.event("snapshot").await;
    stage.within(Kind::Pod, "refused", KindState::Live).await;
    assert_eq!(stream.event("state").await["state"], "live");
    let meta = Meta { uid: Uid(7), namespace: "refused".into(), name: "one".into(), ..Meta::default() };
    let change = |delta| News::Change { change: Pod::change(delta), within: Some(Text::from("refused")) };
    stage.tell(change(Delta::Put(Arc::new(Pod { meta, ..Pod::default() })))).await;
    assert_eq!(stream.event("change").await["type"], "put");
    stage.within(Kind::Pod, "refused", forbidden).await;
    stage.tell(change(Delta::Reset(Vec::new()))).await;
    let mut told = Vec::new();
    while told.len() < 2 {
        let (event, data) = stream.next().await;
        if event != "beat" {
            told.push((event, data));
        }
    }
    assert_eq!(told[0].0, "state", "{told:?}");
    assert_eq!(told[0].1["state"]["forbidden"]["namespace"], "refused");
    assert_eq!((&*told[1].0, &told[1].1["type"]), ("change", &json!("gone")));
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_about_all_is_told_which_namespaces_that_is_before_what_is_in_others_goes() {
    let stage = Stage::new().await;
    let everywhere = stage.get("/api/v1/nodes").await;
    assert_eq!((everywhere.header("masthead-within"), &everywhere.json()["within"]), (None, &Value::Null));
    for namespace in ["allowed", "other"] {
        stage.within(Kind::Pod, namespace, KindState::Live).await;
        let meta = Meta {
            uid: Uid(if namespace == "other" { 7 } else { 8 }),
            namespace: namespace.into(),
            name: "one".into(),
            ..Meta::default()
        };
        let change = Pod::change(Delta::Put(Arc::new(Pod { meta, ..Pod::default() })));
        stage.tell(News::Change { change, within: Some(Text::from(namespace)) }).await;
    }
    let list = stage.get("/api/v1/pods").await;
    assert_eq!((list.state(), list.header("masthead-within")), ((200, Some("live")), Some("allowed,other")));
    assert_eq!(list.json()["within"], json!(["allowed", "other"]));
    assert_eq!(stage.get("/api/v1/pods?namespace=other").await.header("masthead-within"), None);

    let mut stream = stage.stream("kinds=pods").await;
    let snapshot = stream.event("snapshot").await;
    assert_eq!(snapshot["kinds"][0]["within"], json!(["allowed", "other"]));
    let [verb, resource, namespace] = ["watch", "pods", "other"].map(Text::from);
    stage.within(Kind::Pod, "other", KindState::Forbidden { verb, resource, namespace }).await;
    let change = Pod::change(Delta::Reset(Vec::new()));
    stage.tell(News::Change { change, within: Some(Text::from("other")) }).await;
    let mut told = Vec::new();
    while told.len() < 2 {
        let (event, data) = stream.next().await;
        if event != "beat" {
            told.push((event, data));
        }
    }
    assert_eq!(told[0].0, "state", "{told:?}");
    assert_eq!(told[0].1, json!({"kind": "pods", "state": "live", "within": ["allowed"]}));
    assert_eq!(
        (&*told[1].0, &told[1].1["type"], &told[1].1["namespace"]),
        ("change", &json!("gone"), &json!("other"))
    );
    let list = stage.get("/api/v1/pods").await;
    assert_eq!((list.state(), list.header("masthead-within")), ((200, Some("live")), Some("allowed")));

    // Given back: that is told when it is there.
    let meta = Meta { uid: Uid(7), namespace: "other".into(), name: "one".into(), ..Meta::default() };
    let change = Pod::change(Delta::Put(Arc::new(Pod { meta, ..Pod::default() })));
    stage.tell(News::Change { change, within: Some(Text::from("other")) }).await;
    stage.within(Kind::Pod, "other", KindState::Live).await;
    assert_eq!(stream.event("change").await["type"], "put");
    assert_eq!(stream.event("state").await["within"], json!(["allowed", "other"]));
}

#[tokio::test(start_paused = true)]
async fn a_picture_follows_what_can_be_seen() {
    let stage = Stage::new().await;
    let events = |state| News::Watch { kind: Kind::Event, within: None, state };
    stage.tell(events(KindState::Listing { seen: 0 })).await;
    stage.deployment(Rollout::Updating { updated: 0, desired: 1 }).await;
    let seat = stage.hub.subscribe(Scope::all(), Encoding::Binary).await.expect("a seat");
    let key = ObjectKey { kind: Kind::Deployment, namespace: "default".to_owned(), name: "web".to_owned() };
    seat.draw(Some(Drawing { key, between: None })).await.expect("the hub runs");
    let says = |frame: &Frame| match frame {
        Frame::Picture { picture: Some(picture), .. } => {
            Some(picture.causes.iter().map(|cause| cause.says.clone()).collect::<String>())
        }
        _ => None,
    };
    let drawn = async || {
        loop {
            let bytes = seat.next().await.expect("the hub runs").bytes().await;
            if let Some(says) = says(&wire::frame(&bytes).expect("a frame")) {
                return says;
            }
        }
    };
    let unseen = drawn().await;
    assert!(unseen.contains("events cannot be seen"), "{unseen}");
    // Until all that is known by now has been drawn.
    while tokio::time::timeout(LONG / 10, drawn()).await.is_ok() {}
    stage.tell(events(KindState::Live)).await;
    let seen = tokio::time::timeout(LONG, async {
        loop {
            let says = drawn().await;
            if !says.contains("cannot be seen") {
                return says;
            }
        }
    });
    assert!(seen.await.is_ok(), "it is drawn anew, though no row has changed");
}

#[tokio::test(start_paused = true)]
async fn nor_are_leases_where_they_are_not_watched_to_whoever_sees_a_part() {
    let mut stage = Stage::new().await;
    stage.within(Kind::Lease, "kube-node-lease", KindState::Live).await;
    for (verbatim, names) in [(true, false), (false, false), (false, true)] {
        let kinds = watched().map(|kind| (kind, Within::All)).collect();
        let hide = Hide { names, ..Hide::default() };
        stage.site = Stage::site(&stage.hub, Some(Grant { kinds, hide, verbatim, ..Grant::default() }));
        let list = stage.get("/api/v1/leases?namespace=kube-system").await;
        assert_eq!(list.status, 400, "{}", list.body);
        assert!(list.body.contains("kube-node-lease, the only one"), "{}", list.body);
        let stream = stage.stream("kinds=leases&namespace=kube-system").await.event("snapshot").await;
        assert!(stream["kinds"][0]["state"]["forbidden"].is_object(), "{stream}");
        assert_eq!(stage.get("/api/v1/leases").await.status, 200);
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_wants_one_selection_too_many_is_told_so() {
    let stage = Stage::new().await;
    let mut seats = Vec::new();
    for nth in 0..500 {
        let namespaces = vec![Text::from(format!("namespace-{nth}"))];
        let scope = Scope { namespaces, ..Scope::of(Kind::Node) };
        seats.push(stage.hub.subscribe(scope, Encoding::Events).await.expect("a seat"));
    }
    for path in ["/api/v1/watch?kinds=pods", WAIT] {
        let refused = stage.get(path).await;
        assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, Some("60")), "{path}");
        assert!(refused.body.contains("too many different selections"), "{}", refused.body);
    }
    drop(seats);
    stage.stream("kinds=pods").await.event("snapshot").await;
}
