//! Canaries: a word that stands nowhere else in every text of every kind of object, and in much that nobody reads.
//! `planted::RULES` lists the fields that somebody may see, and who; whatever else sings, sings in vain: no frame,
//! page, answer, log line or number may have it.

// A test that cannot go on should stop.
#![allow(clippy::expect_used)]
#![allow(clippy::print_stdout)] // how many words are planted
#![allow(clippy::unwrap_used, clippy::panic)] // clippy.toml allows them in #[test] only, not beside it

mod planted;
mod viewer;

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    io::{Read, Write},
    rc::Rc,
    sync::{Arc, Mutex},
};

use app::{
    api::{Kind, ObjectKey, Row, Text},
    model::{Cluster, WithRow},
    scope::Scope,
    selector::Selector,
    wire::{self, About, Drawing, Frame},
};
use planted::{
    Class, To,
    site::{self, Site},
    world::{Chance, KINDS, Known, name, namespace, text, uid},
};
use serde_json::{Value, json};
use server::{
    audience::{
        Grant, Rooms,
        grant::{Hide, Key, Within},
    },
    demo::{self, Demo},
    hub::{Encoding, Hub},
    metrics::Metrics,
    source::{Source, api_server::ApiServer},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::fmt::MakeWriter;
use viewer::Viewer;

/// Fields that may be seen and have no words of their own here: others are read before them, or they say what has to
/// hold. The objects of `planted::world` have them.
const ELSEWHERE: [&str; 5] = [
    "metadata.namespace",
    "metadata.ownerReferences.[].kind",
    "**.nodeName",
    "status.podIP",
    "spec.clusterIP",
];
/// Where each kind is planted once.
const SPACES: [&str; 2] = ["one", "two"];
/// At least so many words have to be planted.
const ENOUGH: usize = 1_000;
/// Keys whose values Kubernetes lets be nothing but one of a few words, a number, or a reference that has to hold.
const FIXED: &[&str] = &[
    "kind",
    "apiVersion",
    "type",
    "status",
    "operator",
    "effect",
    "protocol",
    "scheme",
    "phase",
    "restartPolicy",
    "imagePullPolicy",
    "qosClass",
    "addressType",
    "podManagementPolicy",
    "whenDeleted",
    "whenScaled",
    "ipFamilyPolicy",
    "sessionAffinity",
    "externalTrafficPolicy",
    "internalTrafficPolicy",
    "unhealthyPodEvictionPolicy",
    "strategy",
    "minAvailable",
    "maxUnavailable",
    "maxSurge",
    "uid",
    "resourceVersion",
    "cpu",
    "memory",
    "ipMode",
    "operatingSystem",
    "architecture",
    "deployment.kubernetes.io/revision",
    "deployment.kubernetes.io/desired-replicas",
    "deprecated.daemonset.template.generation",
    "namespace",
    "ipFamilies",
];

/// A kind, the namespace of an object (or the name of one), and a path in it.
type Place = (String, String, Vec<String>);

/// Which words stand where.
#[derive(Default)]
struct Planted {
    words: BTreeMap<String, Place>,
    next: Cell<usize>,
}

impl Planted {
    fn word(&self) -> String {
        self.next.set(self.next.get() + 1);
        planted::word(self.next.get())
    }

    /// Puts a word in the place of every text that may be any, and of every key that somebody chose.
    fn plant(&self, value: Value, path: &mut Vec<String>) -> Value {
        match value {
            Value::String(text) => {
                let key = path.iter().rev().find(|segment| *segment != "[]").map_or("", String::as_str);
                let is_time = text.starts_with("20") && text.ends_with('Z') && text.contains('T');
                let is_field = text == "metadata.name"
                    || path.ends_with(&["matchFields".into(), "[]".into(), "key".into()]);
                let is_amount = key.starts_with("example.com/") && text.parse::<u32>().is_ok();
                match key {
                    _ if is_amount => text.into(),
                    _ if FIXED.contains(&key) || is_time || is_field => text.into(),
                    // both have a form, in which the words are
                    "fieldPath" if text.starts_with("spec.containers") => {
                        format!("spec.containers{{{}}}", self.word()).into()
                    }
                    "path" if text.contains('?') => format!("/{}?{}", self.word(), self.word()).into(),
                    _ => self.word().into(),
                }
            }
            Value::Array(list) => list
                .into_iter()
                .map(|element| {
                    path.push("[]".to_owned());
                    let planted = self.plant(element, path);
                    path.pop();
                    planted
                })
                .collect::<Vec<_>>()
                .into(),
            Value::Object(map) => {
                let chosen = path.last().is_some_and(|last| {
                    matches!(
                        last.as_str(),
                        "labels" | "matchLabels" | "nodeSelector" | "volumeAttributes" | "options"
                    )
                });
                let mut planted = serde_json::Map::new();
                for (key, value) in map {
                    path.push(key.clone());
                    let value = self.plant(value, path);
                    path.pop();
                    let own = key.contains("kubernetes.io/");
                    let key = match key.as_str() {
                        "example.com/device" => format!("example.com/{}", self.word()),
                        _ if chosen && !own => self.word(),
                        _ => key,
                    };
                    planted.insert(key, value);
                }
                planted.into()
            }
            other => other,
        }
    }

    /// Notes what stands where in an object as it is stored.
    fn note(&mut self, kind: &str, object: &Value) {
        for (path, text) in planted::fields(object) {
            for word in planted::found(text.as_bytes()) {
                let space = if kind == "Namespace" { name(object) } else { namespace(object) };
                let place = (kind.to_owned(), space.to_owned(), path.clone());
                self.words.entry(word).or_insert(place);
            }
        }
    }
}

fn merged(mut object: Value, with: &Value) -> Value {
    if let (Some(into), Some(with)) = (object.as_object_mut(), with.as_object()) {
        for (key, value) in with {
            let there = into.remove(key).unwrap_or_default();
            into.insert(
                key.clone(),
                if value.is_object() { merged(there_or_empty(there), value) } else { value.clone() },
            );
        }
    }
    object
}

fn there_or_empty(value: Value) -> Value {
    if value.is_object() { value } else { json!({}) }
}

/// Every kind with all its fields, in each of the namespaces; gives what is planted.
fn fill(demo: &Demo) -> Planted {
    let whole = |text: &str| serde_json::from_str::<Value>(text).expect("a whole object");
    let canary = whole(include_str!("fixtures/canary.json"));
    let template = json!({"spec": {"template": {"spec": canary["podSpec"]}}});
    let mut planted = Planted::default();
    let put = |planted: &mut Planted, object: Value, space: &str, kept: Value| {
        let mut object = merged(merged(object, &json!({"metadata": canary["metadata"]})), &json!({}));
        object["metadata"]["uid"] = Value::Null;
        let mut object = merged(planted.plant(object, &mut Vec::new()), &kept);
        for (of, status) in [
            ("initContainers", "initContainerStatuses"),
            ("containers", "containerStatuses"),
            ("ephemeralContainers", "ephemeralContainerStatuses"),
        ] {
            let called = object["spec"][of][0]["name"].clone();
            if object["status"][status].is_array() {
                object["status"][status][0]["name"] = called;
            }
        }
        let object = if space.is_empty() {
            object
        } else {
            merged(object, &json!({"metadata": {"namespace": space}}))
        };
        let kind = text(&object, "/kind").to_owned();
        let stored = demo.put(object);
        assert!(!stored.is_null(), "the demo serves every {kind}");
        planted.note(&kind, &stored);
        stored
    };
    for space in SPACES {
        let named = json!({"metadata": {"name": space}});
        put(&mut planted, canary["namespace"].clone(), "", named);
        let node = put(&mut planted, canary["node"].clone(), "", json!({}));
        let mut pod = whole(include_str!("fixtures/whole/pod.json"));
        pod = merged(pod, &json!({"spec": canary["podSpec"], "status": canary["podStatus"]}));
        let pod = put(&mut planted, pod, space, json!({"spec": {"nodeName": name(&node)}}));
        let deployment = merged(whole(include_str!("fixtures/whole/deployment.json")), &template);
        let deployment = put(&mut planted, deployment, space, json!({}));
        let daemons = merged(whole(include_str!("fixtures/whole/daemonset.json")), &template);
        put(&mut planted, daemons, space, json!({}));
        let stateful = merged(whole(include_str!("fixtures/whole/statefulset.json")), &template);
        let stateful = put(&mut planted, stateful, space, json!({}));
        let owned = |by: &Value| {
            json!({"metadata": {"ownerReferences": [{
                "apiVersion": "apps/v1", "kind": by["kind"], "name": name(by), "uid": uid(by), "controller": true,
            }]}})
        };
        let set = merged(whole(include_str!("fixtures/whole/deployment.json")), &template);
        let set = merged(set, &json!({"kind": "ReplicaSet", "status": {"replicas": 1}}));
        put(&mut planted, set, space, owned(&deployment));
        let controller = json!({
            "kind": "ReplicationController", "metadata": {"name": "rc", "labels": {"app": "web"}},
            "spec": {"replicas": 1, "selector": {"app": "web"}}, "status": {"conditions": [
                {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "m"},
            ]},
        });
        put(&mut planted, merged(controller, &template), space, json!({}));
        let revision = json!({
            "kind": "ControllerRevision", "metadata": {"name": "db-1", "labels": {"app": "db"}}, "revision": 1,
            "data": {"spec": {"template": {"metadata": {"labels": {"app": "db"}}, "spec": canary["podSpec"]}}},
        });
        put(&mut planted, revision, space, owned(&stateful));
        let service = put(&mut planted, whole(include_str!("fixtures/whole/service.json")), space, json!({}));
        let of_service = json!({"metadata": {"labels": {"kubernetes.io/service-name": name(&service)}}});
        let mut slice = whole(include_str!("fixtures/whole/endpointslice.json"));
        slice["endpoints"][0]["targetRef"]["uid"] = pod["metadata"]["uid"].clone();
        put(&mut planted, slice, space, of_service);
        put(&mut planted, whole(include_str!("fixtures/whole/poddisruptionbudget.json")), space, json!({}));
        put(&mut planted, whole(include_str!("fixtures/whole/lease.json")), "kube-node-lease", json!({}));
        let about = json!({"involvedObject": {"uid": uid(&pod)}});
        put(&mut planted, canary["event"].clone(), space, about);
        for unserved in canary["unserved"].as_array().into_iter().flatten() {
            let object = planted.plant(unserved.clone(), &mut Vec::new());
            planted.note(text(unserved, "/kind"), &object);
            demo.put(object);
        }
    }
    planted
}

/// What is logged, as far as words are in it: each line once for each word.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<BTreeMap<String, String>>>);

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let mut lines = self.0.lock().expect("nobody panicked");
        for word in planted::found(line) {
            lines.entry(word).or_insert_with(|| String::from_utf8_lossy(line).into_owned());
        }
        Ok(line.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;
    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}

/// Everything that somebody with a grant can get: each word and where it was.
async fn everything(
    hub: &Hub,
    rooms: &Rooms,
    metrics: &Arc<Metrics>,
    grant: Option<Arc<Grant>>,
    paths: &[String],
) -> BTreeMap<String, String> {
    let mut heard = BTreeMap::new();
    let mut hear = |what: &str, bytes: &[u8], asked: &str| {
        for word in planted::found(bytes).into_iter().filter(|word| !asked.contains(word)) {
            heard.entry(word).or_insert_with(|| what.to_owned());
        }
    };
    let room = rooms.hub(grant.as_ref()).await.expect("a room");
    let seat = room.subscribe(Scope::all(), Encoding::Binary).await.expect("a seat");
    let mut viewer = Viewer::default();
    while viewer.beats == 0 || viewer.snapshots == 0 {
        let bytes = seat.next().await.expect("the hub runs").bytes().await;
        hear("a frame", &bytes, "");
        if let Ok(Frame::Snapshot { packed, .. }) = wire::frame(&bytes) {
            let mut raw = Vec::new();
            flate2::read::GzDecoder::new(&packed.0[..]).read_to_end(&mut raw).expect("gzip");
            hear("a snapshot", &raw, "");
        }
        viewer.take(&bytes);
    }
    for key in Kind::ALL.iter().flat_map(|kind| kind.with_row(Keys(&viewer.cluster))) {
        seat.look(Some(key.clone())).await.expect("the hub runs");
        loop {
            let bytes = seat.next().await.expect("the hub runs").bytes().await;
            if let Ok(Frame::Detail { key: of, detail }) = wire::frame(&bytes)
                && of == key
            {
                hear("a detail", json!(detail).to_string().as_bytes(), "");
                break;
            }
        }
        let picture = room.picture(Drawing { key, between: Some((1, 2)) }).await.expect("the hub runs");
        hear("a picture", json!(picture).to_string().as_bytes(), "");
    }
    let site = Site::of(hub, rooms, metrics, grant).await;
    for path in paths {
        hear(path, site.get(path).await.as_bytes(), path);
    }
    hear("/api/v1/watch", site.get_until("/api/v1/watch", "event: beat").await.as_bytes(), "");
    hear("/metrics", site.get("/metrics").await.as_bytes(), "");
    heard
}

struct Keys<'a>(&'a Cluster);

impl WithRow for Keys<'_> {
    type Out = Vec<ObjectKey>;
    fn with<T: Row>(self) -> Self::Out {
        let key = |row: &Arc<T>| ObjectKey {
            kind: T::KIND,
            namespace: row.meta().namespace.to_string(),
            name: row.meta().name.to_string(),
        };
        T::rows(self.0).iter().map(key).collect()
    }
}

/// Whether somebody may see what stands there: a word of a granted object, in a field for them, of no hidden class.
fn may_be_seen(grant: Option<&Grant>, (kind, space, path): &Place) -> bool {
    let rules = planted::rules_of(kind, path);
    let Some(grant) = grant else { return !rules.is_empty() };
    let Hide { node_names, images, addresses, names } = grant.hide;
    let hidden = |class: Class| match class {
        Class::Plain => false,
        Class::Name => names,
        Class::NodeName => names || node_names,
        Class::Image => names || images,
        Class::Address => names || addresses,
    };
    let of_kind = |kind: Kind| match grant.kinds.get(&kind) {
        Some(Within::All) => true,
        Some(Within::Namespaces(within)) => within.iter().any(|one| one.as_str() == space),
        None => false,
    };
    // a pod says where it is, so its node's name is its own as well
    let granted = Kind::parse(kind).is_some_and(of_kind)
        || kind == "Node"
            && path.last().is_some_and(|last| last == "name")
            && grant.kinds.contains_key(&Kind::Pod);
    granted && rules.iter().any(|rule| rule.to == To::Anyone && !hidden(rule.class))
}

fn by_chance(chance: &Chance, hide: Hide) -> Grant {
    let mut kinds = BTreeMap::new();
    for (_, kind) in KINDS {
        let kind = Kind::parse(kind).expect("a kind");
        if chance.one_in(4) {
            continue;
        }
        let mut within: Vec<Text> = SPACES.map(Text::from).into_iter().filter(|_| chance.one_in(2)).collect();
        within.push("kube-node-lease".into());
        within.sort();
        let everywhere = kind == Kind::Node || chance.one_in(2);
        kinds.insert(kind, if everywhere { Within::All } else { Within::Namespaces(within) });
    }
    let key = Key(u128::from(chance.number()) << 64 | u128::from(chance.number()));
    Grant { kinds, selector: Selector::default(), hide, key, verbatim: false }
}

fn all_kinds() -> BTreeMap<Kind, Within> {
    KINDS.iter().filter_map(|(_, kind)| Some((Kind::parse(kind)?, Within::All))).collect()
}

#[tokio::test]
async fn nothing_sings_that_may_not() {
    let log = Log::default();
    tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).init();
    let demo = demo::start(demo::Options { play: false, ..demo::Options::default() });
    let planted = fill(&demo);
    println!("{} words are planted", planted.words.len());
    assert!(planted.words.len() >= ENOUGH, "{} words are planted", planted.words.len());

    let source = Source {
        api: ApiServer::in_process(demo.router()),
        namespaces: Vec::new(),
        fallback: None,
        about: About::default(),
        metrics: Arc::default(),
    };
    let metrics = source.metrics.clone();
    let stop = CancellationToken::new();
    let (hub, owner) = Hub::new(source.about.clone(), stop.clone());
    let rooms = Rooms::new(hub.clone(), stop.clone());
    let mut tasks = JoinSet::new();
    tasks.spawn(owner);
    tasks.spawn(source.run(hub.clone()));
    let seat = hub.subscribe(Scope::all(), Encoding::Rows).await.expect("a seat");
    loop {
        let view = hub.view().await.expect("the hub runs");
        let listed = |(plural, kind): &(&str, &str)| {
            let kind = Kind::parse(kind).expect("a kind");
            let is_of = |object: &Value| kind.only_in().is_none_or(|only| namespace(object) == only);
            view.cluster.count(kind) == demo.list(plural, "").iter().filter(|object| is_of(object)).count()
        };
        if KINDS.iter().all(listed) {
            break;
        }
        seat.next().await.expect("the hub runs");
    }
    drop(seat);

    let all: Vec<Known> = KINDS
        .into_iter()
        .flat_map(|(plural, kind)| {
            demo.list(plural, "").into_iter().map(move |object| (kind, Rc::new(object)))
        })
        .collect();
    let paths = site::addresses(&all);
    let chance = Chance(Cell::new(7));
    let mut audiences: Vec<Option<Grant>> = vec![None];
    audiences.push(Some(Grant { kinds: all_kinds(), ..Grant::default() }));
    audiences.extend((0..50).map(|_| {
        let hide = Hide {
            node_names: chance.one_in(3),
            images: chance.one_in(3),
            addresses: chance.one_in(3),
            names: false,
        };
        Some(by_chance(&chance, hide))
    }));
    let hide = Hide { names: true, ..Hide::default() };
    audiences.push(Some(Grant { kinds: all_kinds(), hide, key: Key(9), ..Grant::default() }));
    audiences.extend((0..5).map(|_| Some(by_chance(&chance, hide))));

    let mut wrong = Vec::new();
    let mut shown: BTreeSet<&str> = BTreeSet::new();
    for (number, grant) in audiences.into_iter().enumerate() {
        let grant = grant.map(Arc::new);
        // every page for the first of each sort; for the others some
        let every = number < 2 || grant.as_ref().is_some_and(|grant| grant.key == Key(9));
        let some: Vec<String> = paths.iter().filter(|_| every || chance.one_in(12)).cloned().collect();
        let heard = everything(&hub, &rooms, &metrics, grant.clone(), &some).await;
        for (word, place) in heard {
            let Some(planted) = planted.words.get(&word) else {
                wrong.push(format!("{place} has {word}, which is planted nowhere"));
                continue;
            };
            let (kind, space, path) = planted;
            if !may_be_seen(grant.as_deref(), planted) {
                wrong.push(format!("{place} has {} of a {kind} in {space:?}: {grant:?}", path.join(".")));
            }
            shown.extend(planted::rules_of(&planted.0, &planted.2).iter().map(|rule| rule.path));
        }
    }
    for (word, line) in log.0.lock().expect("nobody panicked").iter() {
        if planted.words.get(word).is_none_or(|place| !may_be_seen(None, place)) {
            wrong.push(format!("{word} {:?} is logged: {line}", planted.words.get(word)));
        }
    }
    wrong.sort();
    wrong.dedup();
    let first = wrong[..wrong.len().min(60)].join("\n");
    assert!(wrong.is_empty(), "{} of {} words\n{first}", wrong.len(), planted.words.len());
    let idle = planted::RULES
        .iter()
        .map(|rule| rule.path)
        .filter(|path| !shown.contains(path) && !ELSEWHERE.contains(path));
    let idle: Vec<&str> = idle.collect();
    assert!(idle.is_empty(), "nobody is shown what these allow: {idle:?}");
    for (method, path) in demo.request_log() {
        assert!(!path.contains("secrets") && !path.contains("configmaps"), "{method} {path}");
    }
    stop.cancel();
}
