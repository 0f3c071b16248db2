//! What months do to a server, in minutes: workloads, pods, templates, events and viewers come and go, watches break and
//! history is forgotten, and what it holds stays what it was; when all but one have gone, it is what it was before they
//! came. `EVENTS=10000000 cargo test --profile demo -p app -p server --test endurance -- --nocapture`, or `make endurance`;
//! with `EVENTS=100000000` it is a year of a busy cluster. The small run that is made each time is about files, tasks,
//! topics, workloads and what the witness sees; it takes some hundred thousand until uids and pods are at their bounds, and
//! some million until strings are.

// A test that cannot go on should stop; what was reached is worth reading.
#![allow(clippy::expect_used, clippy::print_stdout)]

mod site;
mod viewer;

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use app::{
    api::{Deployment, Kind, Node, ObjectKey, Pod, ReplicaSet, Row, Uid},
    model::Cluster,
    wire::{self, Ask, Drawing},
};
use futures::StreamExt;
use serde_json::{Value, json};
use server::{
    demo::{self, ALL, Demo, Gone},
    http::Base,
    source::translate::{self, Translate},
};
use site::{PATIENCE, Server, Site, Socket};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

/// How many changes there are, unless `EVENTS` says.
const EVENTS: u64 = 20_000;
/// Changes between two looks at whether all viewers have been told.
const BATCH: u64 = 1_000;
/// Batches from one time that the API server misbehaves to the next, where that is four times in a run at least.
const CALM: u64 = 25;
/// Of what it forgets the history, one after the other.
const FORGOTTEN: [&str; 5] = ["pods", "replicasets", "deployments", "nodes", "events"];
/// Deployments, with so many pods each.
const WORKLOADS: usize = 40;
const PODS: usize = 20;
/// Revisions of a Deployment that are kept, and events.
const REVISIONS: usize = 10;
const MESSAGES: usize = 500;
/// Pictures of workloads that are gone.
const PICTURES: usize = 100;
/// Viewers that come and go at any time.
const VIEWERS: usize = 12;
/// After a tenth of the run, and the second time that the API server misbehaves, memory may grow by this much: what an
/// allocator does not give back, with some room.
const DRIFT: u64 = 48 << 20;
/// What the witness watches. Others come and look at the same, and get snapshots in between.
const WITNESSED: &str = "kinds=pods,replicasets,deployments,nodes,containers";

/// What may be remembered, whatever happens: bounds of `hub/history.rs`, `hub/containers.rs`, `hub/numbers.rs` and
/// `hub/topic.rs`, of so many rows and viewers.
const BOUNDS: [(&str, u64); 10] = [
    // those there are, 60 gone of each workload, and 5,000 of which only events have come
    ("remembers{what=\"pods\"}", (WORKLOADS * (PODS + 60) + 5_000) as u64),
    // 240 of each, and of each that is drawn still
    ("remembers{what=\"points\"}", 240 * (WORKLOADS + PICTURES) as u64),
    ("remembers{what=\"workloads\"}", (WORKLOADS + PICTURES) as u64),
    // one more until the oldest has gone
    ("remembers{what=\"revisions\"}", (WORKLOADS * (REVISIONS + 1)) as u64),
    ("remembers{what=\"crews\"}", (WORKLOADS * (REVISIONS + 1)) as u64),
    // those there, the sign, and 5,000 of which only events have come
    ("remembers{what=\"containers\"}", (WORKLOADS * PODS + 1 + 5_000) as u64),
    // a table begins anew at 20,000; and what one frame brings
    ("remembers{what=\"strings\"}", 20_000 + 5 * BATCH),
    // three for each row, containers and sets included, and 10,000; and what comes between two beats, when it is looked at
    (
        "remembers{what=\"uids\"}",
        (3 * (WORKLOADS * (2 * PODS + REVISIONS + 1) + MESSAGES) + 10_000 + 30_000) as u64,
    ),
    ("remembers{what=\"topics\"}", 4 * VIEWERS as u64),
    ("tasks", 40 + 8 * VIEWERS as u64),
];

/// What comes and goes with viewers, beside files.
const OF_VIEWERS: [&str; 4] = ["viewers", "connections", "remembers{what=\"topics\"}", "tasks"];

/// Everything that changes, one change at a time.
struct World {
    demo: Demo,
    chance: fastrand::Rng,
    workloads: Vec<Workload>,
    names: Names,
    messages: VecDeque<String>,
    written: u64,
}

/// What the workloads are called that there are, for those who come and look.
type Names = Arc<Mutex<Vec<String>>>;

#[derive(Default)]
struct Workload {
    name: String,
    uid: Value,
    /// ReplicaSets by their revision and uid, oldest first.
    sets: VecDeque<(u64, Value)>,
    pods: VecDeque<String>,
}

impl World {
    fn new() -> World {
        let demo = demo::start(demo::Options { play: false, ..demo::Options::default() });
        let mut world = World {
            demo,
            chance: fastrand::Rng::with_seed(1),
            workloads: Vec::new(),
            names: Names::default(),
            messages: VecDeque::new(),
            written: 0,
        };
        for nth in 0..5 {
            world.node(nth);
        }
        for nth in 0..WORKLOADS {
            world.workloads.push(Workload::default());
            world.names.lock().expect("no panic").push(String::new());
            world.begin(nth);
        }
        world
    }

    /// A Deployment that there never was, with its pods.
    fn begin(&mut self, nth: usize) {
        let name = format!("web-{:x}", self.written);
        self.names.lock().expect("no panic")[nth] = name.clone();
        self.workloads[nth] = Workload { name, ..Workload::default() };
        self.roll(nth);
        (0..PODS).for_each(|_| self.add(nth));
    }

    /// A Deployment goes, and what it owns after it, as the garbage collector does it.
    fn end(&mut self, nth: usize) {
        let Workload { name, sets, pods, .. } = std::mem::take(&mut self.workloads[nth]);
        self.remove("deployments", &name);
        sets.iter().for_each(|(revision, _)| self.remove("replicasets", &format!("{name}-{revision:x}")));
        pods.iter().for_each(|pod| self.remove("pods", pod));
    }

    fn put(&mut self, mut object: Value) -> Value {
        self.written += 1;
        object["metadata"]["annotations"] = json!({"written": self.written.to_string()});
        self.demo.put(object)
    }

    fn remove(&mut self, plural: &'static str, name: &str) {
        self.written += 1;
        self.demo.remove(plural, "default", name);
    }

    /// So many changes, or a few more.
    fn go_on(&mut self, changes: u64) {
        let until = self.written + changes;
        while self.written < until {
            self.change();
        }
    }

    /// For the `nth` time the API server ends all watches in mid-air; every other time nobody knows any more what some
    /// kind was.
    fn misbehave(&self, nth: u64) {
        let faults = self.demo.faults();
        if nth % 2 == 1 {
            let nth = nth as usize / 2;
            let form = if nth.is_multiple_of(2) { Gone::InStream } else { Gone::Status };
            faults.forget_history(FORGOTTEN[nth % FORGOTTEN.len()], form);
        }
        faults.cut_watches(ALL);
    }

    /// One thing happens, as often as it does.
    fn change(&mut self) {
        let nth = self.chance.usize(..WORKLOADS);
        match self.chance.u8(..100) {
            0..70 => self.stir(nth),
            70..82 => {
                if let Some(oldest) = self.workloads[nth].pods.pop_front() {
                    self.remove("pods", &oldest);
                }
                self.add(nth);
            }
            82..84 => self.roll(nth),
            84..88 => {
                if let Some((newest, _)) = self.workloads[nth].sets.back() {
                    self.set(nth, *newest);
                }
            }
            88..96 => self.tell(nth),
            96..97 => {
                self.end(nth);
                self.begin(nth);
            }
            _ => {
                let node = self.chance.usize(..5);
                self.node(node);
            }
        }
    }

    /// A Deployment has another template: a new ReplicaSet, and the oldest goes.
    fn roll(&mut self, nth: usize) {
        let revision = self.written;
        let name = self.workloads[nth].name.clone();
        let image = format!("registry.example/{name}:{revision}");
        let deployment = self.put(json!({
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": "default", "labels": {"app": name}},
            "spec": {"replicas": PODS, "selector": {"matchLabels": {"app": name}}, "template": template(&name, &image)},
            "status": {"observedGeneration": revision + 1_000_000, "replicas": PODS, "updatedReplicas": revision % PODS as u64},
        }));
        self.workloads[nth].uid = deployment["metadata"]["uid"].clone();
        let uid = self.set(nth, revision);
        self.workloads[nth].sets.push_back((revision, uid));
        if self.workloads[nth].sets.len() > REVISIONS
            && let Some((oldest, _)) = self.workloads[nth].sets.pop_front()
        {
            self.remove("replicasets", &format!("{name}-{oldest:x}"));
        }
    }

    /// A ReplicaSet is as it may be; its uid.
    fn set(&mut self, nth: usize, revision: u64) -> Value {
        let Workload { name, uid, .. } = &self.workloads[nth];
        let owner = json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": uid, "controller": true}]);
        let ready = self.chance.usize(..=PODS);
        let set = json!({
            "kind": "ReplicaSet",
            "metadata": {
                "name": format!("{name}-{revision:x}"), "namespace": "default", "labels": {"app": name}, "ownerReferences": owner,
            },
            "spec": {
                "replicas": PODS, "selector": {"matchLabels": {"app": name}},
                "template": template(name, &format!("registry.example/{name}:{revision}")),
            },
            "status": {"observedGeneration": 1, "replicas": PODS, "readyReplicas": ready, "availableReplicas": ready},
        });
        self.put(set)["metadata"]["uid"].clone()
    }

    /// A pod that there never was.
    fn add(&mut self, nth: usize) {
        let name = format!("{}-{:x}", self.workloads[nth].name, self.written);
        self.workloads[nth].pods.push_back(name.clone());
        self.pod(nth, &name, true);
    }

    fn stir(&mut self, nth: usize) {
        let pods = &self.workloads[nth].pods;
        let Some(name) = pods.get(self.chance.usize(..pods.len())).cloned() else { return };
        let is_ready = self.chance.u8(..4) > 0;
        self.pod(nth, &name, is_ready);
    }

    fn pod(&mut self, nth: usize, name: &str, is_ready: bool) {
        let workload = &self.workloads[nth];
        let Some((revision, uid)) = workload.sets.back() else { return };
        let set = format!("{}-{revision:x}", workload.name);
        let owner = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": set, "uid": uid, "controller": true}]);
        let state = match is_ready {
            true => json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}}),
            false => {
                json!({"waiting": {"reason": "CrashLoopBackOff", "message": format!("back-off {}", self.written)}})
            }
        };
        let node = format!("node-{}", self.written % 5);
        let app = workload.name.clone();
        self.put(json!({
            "kind": "Pod",
            "metadata": {"name": name, "namespace": "default", "labels": {"app": app}, "ownerReferences": owner},
            "spec": {"nodeName": node, "containers": [{"name": "web", "image": "example/web:1"}]},
            "status": {"phase": "Running", "containerStatuses": [
                {"name": "web", "ready": is_ready, "started": is_ready, "restartCount": self.written % 50, "state": state}
            ]},
        }));
    }

    fn tell(&mut self, nth: usize) {
        let Some(pod) = self.workloads[nth].pods.back().cloned() else { return };
        let name = format!("{pod}.{:x}", self.written);
        self.messages.push_back(name.clone());
        self.put(json!({
            "kind": "Event", "metadata": {"name": name, "namespace": "default"},
            "involvedObject": {"kind": "Pod", "namespace": "default", "name": pod},
            "type": "Warning", "reason": "Unhealthy", "count": 1,
            "message": format!("Readiness probe failed: HTTP probe failed with statuscode: {}", 500 + self.written % 9),
        }));
        if self.messages.len() > MESSAGES
            && let Some(oldest) = self.messages.pop_front()
        {
            self.remove("events", &oldest);
        }
    }

    fn node(&mut self, nth: usize) {
        let memory = format!("{}Ki", 1_000_000 + self.written);
        self.put(json!({
            "kind": "Node", "metadata": {"name": format!("node-{nth}")},
            "status": {"allocatable": {"cpu": "8", "memory": memory, "pods": "200"}},
        }));
    }

    /// A sign by which a viewer knows that it has been told of all until now.
    fn sign(&mut self, number: u64) {
        self.demo.put(viewer::pod("sign", &[("until", &number.to_string())]));
    }
}

fn template(app: &str, image: &str) -> Value {
    json!({"metadata": {"labels": {"app": app}}, "spec": {"containers": [{"name": "web", "image": image}]}})
}

/// A kind's rows by namespace and name. Of each what tells it from any other, but for uids, which are numbers of the
/// hub's own on one side.
type Rows = BTreeMap<(String, String), Vec<u8>>;

fn rows<T: Row>(rows: impl Iterator<Item = T>) -> Rows {
    let line = |mut row: T| {
        row.other_uids(&mut |uid| *uid = Uid(0));
        let meta = row.meta_mut();
        meta.uid = Uid(0);
        if let Some(owner) = &mut meta.owner {
            owner.uid = Uid(0);
        }
        let key = (row.meta().namespace.to_string(), row.meta().name.to_string());
        (key, wire::to_bytes(&row))
    };
    rows.map(line).collect()
}

/// What the API server has of the kinds that the witness watches.
fn written(demo: &Demo) -> [Rows; 4] {
    fn of<T: Translate>(demo: &Demo) -> Rows {
        let objects = demo.list(T::KIND.plural(), "").into_iter();
        rows(objects.map(|object| translate::row::<T>(&object.to_string()).expect("a row")))
    }
    [of::<Pod>(demo), of::<ReplicaSet>(demo), of::<Deployment>(demo), of::<Node>(demo)]
}

/// What a viewer has of them.
fn shown(cluster: &Cluster) -> [Rows; 4] {
    fn of<T: Row>(cluster: &Cluster) -> Rows {
        rows(T::rows(cluster).iter().map(|row| T::clone(row)))
    }
    [of::<Pod>(cluster), of::<ReplicaSet>(cluster), of::<Deployment>(cluster), of::<Node>(cluster)]
}

/// The witness has all that there is at the API server; containers are one a pod.
async fn has_all(witness: &mut Socket, demo: &Demo) {
    let written = written(demo);
    let is_all = |cluster: &Cluster| {
        cluster.count(Kind::Container) == cluster.count(Kind::Pod) && shown(cluster) == written
    };
    witness.until("what the API server has", |viewer| is_all(&viewer.cluster)).await;
}

/// Some of it for others, who see that through a room of their own, which is open from now on; what stands before their
/// paths.
async fn shared(site: &Server) -> Base {
    let post = async |path: &str, form: &str| {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nSec-Fetch-Site: same-origin\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{form}",
            site.address,
            form.len()
        );
        site.request(&head).await
    };
    let drafted = post("/links", "name=some&show=deployments&for=90d&viewers=1").await;
    let (_, rest) = drafted.split_once("location: /links/").expect(&drafted);
    let id: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
    // A draft would be gone after an hour. Who has made a link may look at it whenever they like.
    post(&format!("/links/{id}/hand-out"), "").await;
    let base: Base = format!("/link/{id}").parse().expect("a base path");
    site.get_until(&base.address("/api/v1/deployments"), "200 OK").await;
    base
}

/// Comes, looks at something for a while, and goes, again and again, by either way; some read nothing.
async fn passer_by(address: SocketAddr, ways: [Base; 2], names: Names, seed: u64) {
    let mut chance = fastrand::Rng::with_seed(seed);
    loop {
        let base = ways[usize::from(chance.u8(..4) == 0)].clone();
        let server = Server { address, base };
        let app = names.lock().expect("no panic")[chance.usize(..WORKLOADS)].clone();
        let query = match chance.u8(..6) {
            0 => String::new(),
            1 => "kinds=pods,nodes".to_owned(),
            2 => format!("kinds=pods&labelSelector=app%3D{app}"),
            3 => "kinds=deployments,replicasets".to_owned(),
            4 => WITNESSED.to_owned(),
            _ => "kinds=events".to_owned(),
        };
        let reads = chance.usize(..200) * usize::from(chance.u8(..4) > 0);
        if chance.u8(..8) == 0 {
            listen(&server, &query, reads).await;
            continue;
        }
        let mut socket = server.socket(&query).await;
        let key = ObjectKey { kind: Kind::Deployment, namespace: "default".to_owned(), name: app };
        if chance.bool() {
            socket.ask(&Ask::Look(Some(key.clone()))).await;
        }
        if chance.bool() {
            socket.ask(&Ask::Draw(Some(Drawing { key, between: None }))).await;
        }
        for _ in 0..reads {
            let Some(Ok(_)) = socket.stream.next().await else { break };
        }
        if reads == 0 {
            // As long as it takes to have more than it has room for.
            tokio::time::sleep(Duration::from_millis(chance.u64(100..1_500))).await;
        }
    }
}

/// Reads events as a script does, and vanishes in the middle of one.
async fn listen(server: &Server, query: &str, reads: usize) {
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    let path = server.base.address("/api/v1/watch");
    let head = format!("GET {path}?{query} HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut begin = [0; 12];
    stream.read_exact(&mut begin).await.expect("an answer");
    assert_eq!(&begin, b"HTTP/1.1 200");
    let mut some = vec![0; 16 << 10];
    for _ in 0..reads {
        let Ok(1..) = stream.read(&mut some).await else { break };
    }
}

/// What there is of everything that could grow.
#[derive(Clone, Debug, Default)]
struct Held {
    memory: u64,
    files: usize,
    /// As `/metrics` has it.
    counts: BTreeMap<String, u64>,
}

impl Held {
    async fn of(server: &Server) -> Held {
        let (memory, files) = (site::memory("self", "VmRSS"), site::files("self"));
        let metrics = server.get("/metrics").await;
        let counts = metrics.lines().filter_map(|line| {
            let (name, value) = line.strip_prefix("masthead_")?.rsplit_once(' ')?;
            let is_one =
                ["remembers", "tasks", "viewers", "connections"].iter().any(|one| name.starts_with(one));
            is_one.then(|| Some((name.to_owned(), value.parse().ok()?)))?
        });
        Held { memory, files, counts: counts.collect() }
    }

    fn count(&self, name: &str) -> u64 {
        self.counts.get(name).copied().expect(name)
    }

    /// There is no more than `before` of what comes and goes with viewers.
    fn is_within(&self, before: &Held) -> bool {
        self.files <= before.files && OF_VIEWERS.iter().all(|name| self.count(name) <= before.count(name))
    }
}

/// What is held once `is_so` of that; looks at each beat, for so those are counted who watch.
async fn settled(site: &Server, witness: &mut Socket, is_so: impl Fn(&Held) -> bool) -> Held {
    let end = Instant::now() + PATIENCE;
    loop {
        let beats = witness.viewer.beats;
        witness.until("a beat", |viewer| viewer.beats > beats).await;
        let held = Held::of(site).await;
        if is_so(&held) {
            return held;
        }
        assert!(Instant::now() < end, "what has gone is held still: {held:?}");
    }
}

fn report(written: u64, began: Instant, held: &Held) {
    let counts: Vec<_> = held.counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    println!(
        "{written} changes in {:.0} s: memory {} MB, files {}, {}",
        began.elapsed().as_secs_f64(),
        held.memory >> 20,
        held.files,
        counts.join(", ")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_comes_and_goes_for_however_long_what_is_held_stays_what_it_was() {
    let events = std::env::var("EVENTS").map_or(EVENTS, |count| count.parse().expect("a number"));
    let mut world = World::new();
    let site = Site::of(world.demo.clone(), &[]).await;
    site.get_until("/readyz", "200 OK").await;
    let ways = [site.base.clone(), shared(&site).await];
    // It folds every frame for as long as it all takes, and holds each beat's hash against what it has.
    let mut witness: Socket = site.socket(WITNESSED).await;
    witness.until("its first beat", |viewer| viewer.beats > 0).await;
    // The witness's own, and the one that it is asked by.
    let alone = settled(&site, &mut witness, |held| held.count("connections") <= 2).await;
    let (began, start) = (Instant::now(), world.written);
    report(0, began, &alone);
    let mut passers_by = JoinSet::new();
    for seed in 0..VIEWERS as u64 {
        passers_by.spawn(passer_by(site.address, ways.clone(), world.names.clone(), seed));
    }
    let calm = (events / BATCH / 4).clamp(1, CALM);
    let mut first = None::<Held>;
    let (mut batch, mut said) = (0, 0);
    while world.written - start < events {
        batch += 1;
        let misbehaves = batch % calm == 0;
        world.go_on(BATCH / 2);
        if misbehaves {
            world.misbehave(batch / calm);
        }
        world.go_on(BATCH / 2);
        world.sign(batch);
        let sign = batch.to_string();
        witness
            .until("all of it", |viewer| {
                let labels = viewer.pod("sign").map(|pod| pod.meta.labels.clone()).unwrap_or_default();
                labels.iter().any(|(_, value)| **value == *sign)
            })
            .await;
        if misbehaves {
            has_all(&mut witness, &world.demo).await;
        }
        let done = world.written - start;
        if done * 20 / events > said {
            said = done * 20 / events;
            let held = Held::of(&site).await;
            report(done, began, &held);
            // Before that it begins to hold what it then goes on to hold.
            if said < 2 || batch < 2 * calm {
                continue;
            }
            let first = first.get_or_insert_with(|| held.clone());
            assert!(held.memory < first.memory + DRIFT, "memory: {first:?}, then {held:?}");
            assert!(held.files < first.files + 4 * VIEWERS, "files: {first:?}, then {held:?}");
            for (name, most) in BOUNDS {
                let now = held.count(name);
                assert!(now <= most, "{name}: {now}, and {most} are the most");
            }
        }
    }
    passers_by.abort_all();
    while let Some(ended) = passers_by.join_next().await {
        assert!(ended.is_err_and(|why| why.is_cancelled()), "a viewer that went on and on");
    }
    let left = settled(&site, &mut witness, |held| held.is_within(&alone)).await;
    report(world.written - start, began, &left);
    has_all(&mut witness, &world.demo).await;
    let metrics = site.get("/metrics").await;
    assert!(metrics.contains("\nmasthead_relists_total{kind=\"pods\"} "), "nothing was forgotten: {metrics}");
}
