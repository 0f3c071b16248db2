//! Nothing of what is not granted leaves: not in a row, not in a string table, not in a picture, not as a number.
//!
//! What a grant means, in words, written down here a second time and held against the lens:
//! - A kind is seen in the namespaces that are granted for it. Of namespaces themselves, these are their names; what is
//!   in no namespace is seen or not.
//! - Pods, Services, budgets and all that makes pods are chosen by their labels; nodes and namespaces are not.
//! - An event follows the object it is about: by its uid, or a node by its name. One about an object that was seen
//!   until it was gone stays.
//! - An EndpointSlice follows the Service that its label names, with those of its endpoints that are pods that are seen.
//! - A ControllerRevision follows its controller, a Lease its node, containers their pod.
//! - Whoever would be shown as much by the API server itself (`verbatim`, no labels, nothing hidden) sees what is in
//!   the kinds and namespaces as it is, and nothing follows.
//! - Of an object that is seen, everybody sees what `planted::RULES` lets anyone see, less the classes that are hidden.
//!
//! Every text of every object is a planted word that belongs to it, so each word in any byte says of whom it tells.
//! `SEED=` repeats a run, `GRANTS=` says how many.

// A test that cannot go on should stop.
#![allow(clippy::expect_used)]
#![allow(clippy::unwrap_used, clippy::panic)] // clippy.toml allows them in #[test] only, not beside it

mod planted;
mod viewer;

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    io::Read,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use app::{
    api::{Event, InCluster, Kind, Meta, ObjectKey, Pod, Row, Text, Timestamp, Uid},
    model::{Change, Cluster, Delta, WithRow},
    scope::Scope,
    selector::Selector,
    wire::{self, About, Drawing, Frame},
};
use planted::{
    Class, To,
    site::{self, Site},
    world::{Chance, KINDS, Known, World, name, namespace, text, uid},
};
use serde_json::{Value, json};
use server::{
    audience::{
        Grant, Rooms,
        grant::{Hide, Key, Within},
    },
    hub::{Encoding, Hub, News, Seat, readable},
    metrics::Metrics,
    source::{Source, api_server::ApiServer},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use viewer::Viewer;

/// How many grants there are in one cluster at a time.
const TOGETHER: usize = 50;
/// How often each cluster changes, and how much each time.
const BURSTS: usize = 2;
const CHANGES: usize = 40;
/// The word that the kubeconfig's context is called.
const CONTEXT: usize = 104_000;

/// What labels have to be, evaluated here without the product's own code.
#[derive(Clone, Debug)]
enum Want {
    Is(&'static str, String),
    Not(&'static str, String),
    In(&'static str, Vec<String>),
    NotIn(&'static str, Vec<String>),
    Has(&'static str),
    HasNot(&'static str),
}

impl Want {
    fn written(&self) -> String {
        match self {
            Want::Is(key, value) => format!("{key}={value}"),
            Want::Not(key, value) => format!("{key}!={value}"),
            Want::In(key, values) => format!("{key} in ({})", values.join(",")),
            Want::NotIn(key, values) => format!("{key} notin ({})", values.join(",")),
            Want::Has(key) => (*key).to_owned(),
            Want::HasNot(key) => format!("!{key}"),
        }
    }

    fn met(&self, labels: &Value) -> bool {
        let of = |key: &str| labels.get(key).and_then(Value::as_str);
        let among = |key: &str, values: &[String]| of(key).is_some_and(|v| values.iter().any(|one| one == v));
        match self {
            Want::Is(key, value) => of(key) == Some(value),
            Want::Not(key, value) => of(key) != Some(value),
            Want::In(key, values) => among(key, values),
            Want::NotIn(key, values) => !among(key, values),
            Want::Has(key) => of(key).is_some(),
            Want::HasNot(key) => of(key).is_none(),
        }
    }
}

/// A grant, and what it means.
struct Given {
    grant: Arc<Grant>,
    wants: Vec<Want>,
    /// Objects that were seen until they were gone.
    formerly: BTreeMap<String, Known>,
    /// Every word that could be seen at some time, and what has been looked at for it.
    ever: BTreeSet<String>,
    looked_at: HashSet<String>,
}

impl Given {
    fn by_chance(chance: &Chance, world: &World) -> Given {
        let mut kinds = BTreeMap::new();
        let everything = chance.one_in(4);
        for kind in Kind::ALL.iter().copied().filter(|kind| kind.watched() == *kind) {
            if !everything && chance.one_in(3) {
                continue;
            }
            let within = if everything || chance.one_in(3) || matches!(kind, Kind::Node) {
                Within::All
            } else {
                let mut names: Vec<Text> =
                    world.namespaces.iter().map(|name| Text::from(name.as_str())).collect();
                names.extend(["default", "kube-node-lease", "nowhere"].map(Text::from));
                names.retain(|_| chance.one_in(2));
                names.sort();
                Within::Namespaces(names)
            };
            kinds.insert(kind, within);
        }
        let app = |chance: &Chance| chance.of(&world.apps).clone();
        let mut wants = Vec::new();
        for _ in 0..[0, 0, 1, 1, 2][chance.below(5)] {
            wants.push(match chance.below(7) {
                0 | 1 => Want::Is("app", app(chance)),
                2 => Want::Not("app", app(chance)),
                3 => Want::In("app", vec![app(chance), app(chance)]),
                4 => Want::NotIn("app", vec![app(chance)]),
                5 => Want::Has("tier"),
                _ => Want::HasNot("tier"),
            });
        }
        let hide = Hide {
            node_names: chance.one_in(3),
            images: chance.one_in(3),
            addresses: chance.one_in(3),
            names: chance.one_in(4),
        };
        let hide = if chance.one_in(2) { hide } else { Hide::default() };
        let written: Vec<String> = wants.iter().map(Want::written).collect();
        let grant = Grant {
            kinds,
            selector: Selector::parse(&written.join(",")).expect("a selector"),
            hide,
            key: Key(u128::from(chance.number()) << 64 | u128::from(chance.number())),
            verbatim: chance.one_in(4),
        };
        Given {
            grant: Arc::new(grant),
            wants,
            formerly: BTreeMap::new(),
            ever: BTreeSet::new(),
            looked_at: HashSet::new(),
        }
    }

    /// Whether it sees what the API server would show it, as it is.
    fn is_plain(&self) -> bool {
        self.grant.verbatim && self.wants.is_empty() && self.grant.hide == Hide::default()
    }

    fn hides(&self, class: Class) -> bool {
        let Hide { node_names, images, addresses, names } = self.grant.hide;
        match class {
            Class::Plain => false,
            Class::Name => names,
            Class::NodeName => names || node_names,
            Class::Image => names || images,
            Class::Address => names || addresses,
        }
    }

    fn chosen(&self, kind: &str, object: &Value) -> bool {
        let place = if kind == "Namespace" { name(object) } else { namespace(object) };
        let within = match self.grant.kinds.iter().find(|(of, _)| of.name() == kind).map(|(_, within)| within)
        {
            None => false,
            Some(Within::All) => true,
            Some(Within::Namespaces(names)) => names.iter().any(|name| name.as_str() == place),
        };
        let follows = ["Node", "Namespace", "Lease", "Event", "EndpointSlice", "ControllerRevision"];
        within
            && (follows.contains(&kind)
                || self.wants.iter().all(|want| want.met(&object["metadata"]["labels"])))
    }

    /// Everything it sees of `all`, endpoints that it does not see taken out.
    fn sees(&self, all: &[Known]) -> Vec<Known> {
        let chosen: Vec<_> = all.iter().filter(|(kind, object)| self.chosen(kind, object)).collect();
        if self.is_plain() {
            return chosen.into_iter().cloned().collect();
        }
        let follows = ["Lease", "Event", "EndpointSlice", "ControllerRevision"];
        let own = || chosen.iter().filter(|(kind, _)| !follows.contains(kind));
        let uids: BTreeSet<(&str, &str)> = own().map(|(kind, object)| (*kind, uid(object))).collect();
        let is_there = |of: &str, space: &str, called: &str| {
            own().any(|(kind, object)| *kind == of && namespace(object) == space && name(object) == called)
        };
        let revisions: BTreeSet<&str> = chosen
            .iter()
            .filter(|(kind, revision)| *kind == "ControllerRevision" && controlled(revision, &uids))
            .map(|(_, revision)| uid(revision))
            .collect();
        let mut seen = Vec::new();
        for (kind, object) in &chosen {
            let mut object = object.clone();
            let is_seen = match *kind {
                "Lease" => is_there("Node", "", name(&object)),
                "ControllerRevision" => revisions.contains(uid(&object)),
                "EndpointSlice" => {
                    let service = object["metadata"]["labels"]["kubernetes.io/service-name"].as_str();
                    let service = service.unwrap_or_default().to_owned();
                    if let Some(endpoints) = Rc::make_mut(&mut object)["endpoints"].as_array_mut() {
                        endpoints
                            .retain(|endpoint| uids.contains(&("Pod", text(endpoint, "/targetRef/uid"))));
                    }
                    is_there("Service", namespace(&object), &service)
                }
                "Event" => {
                    let (of, of_uid) =
                        (text(&object, "/involvedObject/kind"), text(&object, "/involvedObject/uid"));
                    uids.contains(&(of, of_uid))
                        || of == "ControllerRevision" && revisions.contains(of_uid)
                        || of == "Node" && is_there("Node", "", text(&object, "/involvedObject/name"))
                        || of == "EndpointSlice" && slice_is_seen(&chosen, of_uid, &is_there)
                        || self.formerly.get(of_uid).is_some_and(|(was, _)| *was == of)
                }
                _ => true,
            };
            if is_seen {
                seen.push((*kind, object));
            }
        }
        seen
    }

    /// The words it may see: of what it sees, and of what events that it sees are about.
    fn words(&self, all: &[Known]) -> BTreeSet<String> {
        let mut words: BTreeSet<String> =
            self.is_plain().then(|| planted::word(CONTEXT)).into_iter().collect();
        let seen = self.sees(all);
        let gone = self.formerly.values().filter(|_| seen.iter().any(|(kind, _)| *kind == "Event"));
        for (kind, object) in seen.iter().chain(gone) {
            self.words_of(kind, object, &mut words);
        }
        if !self.hides(Class::Name) {
            let granted = self.grant.kinds.values().filter_map(|within| match within {
                Within::Namespaces(names) => Some(names),
                Within::All => None,
            });
            words.extend(granted.flatten().flat_map(|name| planted::found(name.as_bytes())));
        }
        // wherever the name of a node stands
        if self.hides(Class::NodeName) {
            let nodes = all.iter().filter(|(kind, _)| *kind == "Node");
            nodes.for_each(|(_, node)| _ = words.remove(name(node)));
        }
        words
    }

    fn words_of(&self, kind: &str, object: &Rc<Value>, words: &mut BTreeSet<String>) {
        for (class, to, carried) in carried(kind, object).iter() {
            if self.is_plain() || *to == To::Anyone && !self.hides(*class) {
                words.extend(carried.iter().cloned());
            }
        }
    }

    /// Something has happened: `before` became `after`.
    fn goes_on(&mut self, before: &[Known], after: &[Known]) {
        let there: BTreeSet<&str> = after.iter().map(|(_, object)| uid(object)).collect();
        for (kind, object) in self.sees(before) {
            if kind != "Event" && !there.contains(uid(&object)) {
                self.formerly.insert(uid(&object).to_owned(), (kind, object));
            }
        }
        for (kind, object) in self.sees(after) {
            if self.looked_at.insert(version(&object)) {
                let mut words = BTreeSet::new();
                self.words_of(kind, &object, &mut words);
                if self.hides(Class::NodeName) {
                    let nodes = after.iter().filter(|(kind, _)| *kind == "Node");
                    nodes.for_each(|(_, node)| _ = words.remove(name(node)));
                }
                self.ever.extend(words);
            }
        }
    }
}

type Carried = Rc<Vec<(Class, To, BTreeSet<String>)>>;

/// The words of an object by who may see them; those that only the API server itself would show among them.
fn carried(kind: &str, object: &Rc<Value>) -> Carried {
    thread_local! {
        static KNOWN: RefCell<HashMap<String, Carried>> = RefCell::default();
    }
    let key = version(object);
    if let Some(known) = KNOWN.with_borrow(|known| known.get(&key).cloned()) {
        return known;
    }
    let mut all = vec![(Class::Plain, To::Signed, planted::found(object.to_string().as_bytes()))];
    for (path, text) in planted::fields(object) {
        // a query may hold anything
        let words = planted::found(text.split('?').next().unwrap_or_default().as_bytes());
        if !words.is_empty() {
            all.extend(
                planted::rules_of(kind, &path).into_iter().map(|rule| (rule.class, rule.to, words.clone())),
            );
        }
    }
    let all = Rc::new(all);
    KNOWN.with_borrow_mut(|known| known.insert(key, all.clone()));
    all
}

/// What tells an object from what it was before, and from what others see of it.
fn version(object: &Value) -> String {
    let endpoints = object["endpoints"].as_array().map_or(String::new(), |all| format!("{all:?}"));
    format!("{} {} {endpoints}", uid(object), text(object, "/metadata/resourceVersion"))
}

fn controlled(object: &Value, uids: &BTreeSet<(&str, &str)>) -> bool {
    uids.contains(&(
        text(object, "/metadata/ownerReferences/0/kind"),
        text(object, "/metadata/ownerReferences/0/uid"),
    ))
}

fn slice_is_seen(chosen: &[&Known], of: &str, is_there: &dyn Fn(&str, &str, &str) -> bool) -> bool {
    chosen.iter().any(|(kind, slice)| {
        let service = slice["metadata"]["labels"]["kubernetes.io/service-name"].as_str().unwrap_or_default();
        *kind == "EndpointSlice" && uid(slice) == of && is_there("Service", namespace(slice), service)
    })
}

/// The words in one frame's bytes, those that are packed included.
fn words_in(bytes: &[u8]) -> BTreeSet<String> {
    let mut words = planted::found(bytes);
    if let Ok(Frame::Snapshot { packed, .. }) = wire::frame(bytes) {
        let mut raw = Vec::new();
        flate2::read::GzDecoder::new(&packed.0[..]).read_to_end(&mut raw).expect("gzip");
        words.extend(planted::found(&raw));
    }
    words
}

/// When each row of a kind was made, and how many endpoints it has.
fn rows_of(cluster: &Cluster, kind: Kind) -> Vec<(String, usize)> {
    struct Rows<'a>(&'a Cluster);
    impl WithRow for Rows<'_> {
        type Out = Vec<(String, usize)>;
        fn with<T: Row>(self) -> Self::Out {
            let endpoints = |row: &T| {
                let any: &dyn std::any::Any = row;
                any.downcast_ref::<app::api::EndpointSlice>().map_or(0, |slice| slice.endpoints.len())
            };
            let mut rows: Vec<_> = T::rows(self.0)
                .iter()
                .map(|row| (row.meta().created.unwrap_or_default().to_string(), endpoints(row)))
                .collect();
            rows.sort();
            rows
        }
    }
    kind.with_row(Rows(cluster))
}

/// The same of what there is to see.
fn rows_expected(seen: &[Known], kind: Kind) -> Vec<(String, usize)> {
    let of = seen.iter().filter(|(of, object)| match kind {
        Kind::Container => *of == "Pod" && object["spec"]["containers"].is_array(),
        kind => *of == kind.name(),
    });
    let mut rows: Vec<_> = of
        .map(|(_, object)| {
            let created = text(object, "/metadata/creationTimestamp");
            (created.to_owned(), object["endpoints"].as_array().map_or(0, Vec::len))
        })
        .collect();
    rows.sort();
    rows
}

/// Cells of kubectl's that say nothing free: each column of each row by name.
fn cells(cluster: &Cluster, kind: Kind) -> BTreeMap<(String, String), Vec<(&'static str, String)>> {
    struct Cells<'a>(&'a Cluster);
    impl WithRow for Cells<'_> {
        type Out = BTreeMap<(String, String), Vec<(&'static str, String)>>;
        fn with<T: Row>(self) -> Self::Out {
            let free: &[&str] = match T::KIND {
                Kind::Event => &["MESSAGE", "NAME", "SOURCE", "SUBOBJECT", "REASON"],
                Kind::EndpointSlice => &["ENDPOINTS"], // counted apart
                _ => &[],
            };
            let columns = || T::COLUMNS.iter().filter(|column| !free.contains(&column.heading));
            let row =
                |row: &T| columns().map(|c| (c.heading, (c.cell)(row, Timestamp(0)).into_owned())).collect();
            let key = |row: &T| match T::KIND {
                Kind::Event => (String::new(), format!("{:?}", row.meta().created)),
                _ => (row.meta().namespace.to_string(), row.meta().name.to_string()),
            };
            T::rows(self.0).iter().map(|r| (key(r), row(r))).collect()
        }
    }
    kind.with_row(Cells(cluster))
}

/// What a cluster as somebody sees it has more or less than it should.
fn difference(given: &Given, seen: &[Known], whole: &Cluster, cluster: &Cluster) -> Option<String> {
    for kind in Kind::ALL.iter().copied() {
        let (is, should) = (rows_of(cluster, kind), rows_expected(seen, kind));
        if is != should {
            let more: Vec<_> = is.iter().filter(|row| !should.contains(row)).collect();
            let less: Vec<_> = should.iter().filter(|row| !is.contains(row)).collect();
            return Some(format!("of {} it sees {more:?} too many, {less:?} too few", kind.plural()));
        }
        if given.grant.hide == Hide::default() {
            let all = cells(whole, kind);
            for (key, row) in cells(cluster, kind) {
                if all.get(&key) != Some(&row) {
                    return Some(format!("{} {key:?} is {row:?}, not {:?}", kind.plural(), all.get(&key)));
                }
            }
        }
    }
    None
}

fn keys(cluster: &Cluster, kind: Kind) -> Vec<ObjectKey> {
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
    kind.with_row(Keys(cluster))
}

/// Every number of a uid in rows.
fn numbers(cluster: &Cluster) -> BTreeSet<u128> {
    struct Numbers<'a>(&'a Cluster);
    impl WithRow for Numbers<'_> {
        type Out = BTreeSet<u128>;
        fn with<T: Row>(self) -> Self::Out {
            let mut numbers = BTreeSet::new();
            for row in T::rows(self.0).iter() {
                let mut row = T::clone(row);
                numbers.insert(row.meta().uid.0);
                numbers.extend(row.meta().owner.as_ref().map(|owner| owner.uid.0));
                row.other_uids(&mut |uid| _ = numbers.insert(uid.0));
            }
            numbers
        }
    }
    Kind::ALL.iter().flat_map(|kind| kind.with_row(Numbers(cluster))).collect()
}

/// Somebody with a grant, in front of everything that they can be in front of.
struct Watching {
    given: Given,
    hub: Hub,
    frames: Seat,
    viewer: Viewer,
    events: Seat,
    told: BTreeSet<String>,
    /// Rows by kind, namespace and name, as events tell of them.
    by_events: BTreeSet<(String, String, String)>,
}

impl Watching {
    async fn new(given: Given, rooms: &Rooms) -> Watching {
        let hub = rooms.hub(Some(&given.grant)).await.expect("a room");
        let frames = hub.subscribe(Scope::all(), Encoding::Binary).await.expect("a seat");
        let events = hub.subscribe(Scope::all(), Encoding::Events).await.expect("a seat");
        let (told, by_events) = (BTreeSet::new(), BTreeSet::new());
        Watching { given, hub, frames, viewer: Viewer::default(), events, told, by_events }
    }

    /// Takes in what comes until it sees what it should; gives up after ten minutes of the stage's time.
    async fn until_equal(&mut self, seen: &[Known], whole: &Cluster) -> Result<(), String> {
        let mut last = None;
        let waited = tokio::time::timeout(Duration::from_secs(600), async {
            loop {
                last = difference(&self.given, seen, whole, &self.viewer.cluster);
                if last.is_none() && self.viewer.snapshots > 0 {
                    return;
                }
                let bytes = self.frames.next().await.expect("the hub runs").bytes().await;
                self.told.extend(words_in(&bytes));
                self.viewer.take(&bytes);
            }
        });
        if waited.await.is_err() {
            return Err(format!("rows: {}", last.unwrap_or_default()));
        }
        let should: BTreeSet<_> = Kind::ALL
            .iter()
            .flat_map(|kind| keys(&self.viewer.cluster, *kind))
            .map(|key| (key.kind.plural().to_owned(), key.namespace, key.name))
            .collect();
        let waited = tokio::time::timeout(Duration::from_secs(600), async {
            while self.by_events != should {
                let bytes = self.events.next().await.expect("the hub runs").bytes().await;
                self.told.extend(planted::found(&bytes));
                self.hear(&bytes);
            }
        });
        waited.await.map_err(|_| "events tell of other rows than frames".to_owned())
    }

    fn hear(&mut self, bytes: &[u8]) {
        let key = |kind: &Value, object: &Value| {
            let of = |field: &str| {
                let held = if object["meta"].is_object() { &object["meta"] } else { object };
                held[field].as_str().unwrap_or_default().to_owned()
            };
            (kind.as_str().unwrap_or_default().to_owned(), of("namespace"), of("name"))
        };
        for line in String::from_utf8_lossy(bytes).lines().filter_map(|line| line.strip_prefix("data: ")) {
            let data: Value = serde_json::from_str(line).expect("JSON");
            if let Some(kinds) = data["kinds"].as_array() {
                self.by_events.clear();
                for kind in kinds {
                    let items = kind["items"].as_array().into_iter().flatten();
                    self.by_events.extend(items.map(|item| key(&kind["kind"], item)));
                }
            } else if data["type"] == "put" {
                self.by_events.insert(key(&data["kind"], &data["object"]));
            } else if data["type"] == "gone" {
                self.by_events.remove(&key(&data["kind"], &data));
            }
        }
    }

    /// Asks for everything there is to ask for; what may not be seen in it.
    async fn leaks(&mut self, all: &[Known], first: bool) -> Vec<String> {
        let now = self.given.words(all);
        let ever: BTreeSet<String> = now.union(&self.given.ever).cloned().collect();
        let mut leaks = Vec::new();
        let mut hold = |what: &str, words: BTreeSet<String>, may: &BTreeSet<String>| {
            leaks
                .extend(words.difference(may).map(|word| format!("{what} has {word}, {}", whose(all, word))));
        };
        hold("what came so far", self.told.clone(), &ever);

        // somebody else with the same grant, who comes now
        let seat = self.hub.subscribe(Scope::all(), Encoding::Binary).await.expect("a seat");
        let mut viewer = Viewer::default();
        while viewer.snapshots == 0 {
            let bytes = seat.next().await.expect("the hub runs").bytes().await;
            hold(
                if viewer.hello.is_some() { "a fresh snapshot" } else { "a greeting" },
                words_in(&bytes),
                &now,
            );
            viewer.take(&bytes);
        }
        // looks at all that is shown, and by its name at all that is not
        let mut looks: Vec<ObjectKey> =
            Kind::ALL.iter().flat_map(|kind| keys(&viewer.cluster, *kind)).collect();
        if first {
            for (kind, object) in all {
                let (namespace, name) = (namespace(object).to_owned(), name(object).to_owned());
                looks.push(ObjectKey { kind: Kind::parse(kind).expect("a kind"), namespace, name });
            }
        }
        let shown: BTreeSet<(Kind, String, String)> = Kind::ALL
            .iter()
            .flat_map(|kind| keys(&viewer.cluster, *kind))
            .map(|key| (key.kind, key.namespace, key.name))
            .collect();
        for key in looks {
            let is_shown = shown.contains(&(key.kind, key.namespace.clone(), key.name.clone()));
            seat.look(Some(key.clone())).await.expect("the hub runs");
            loop {
                let bytes = seat.next().await.expect("the hub runs").bytes().await;
                let Ok(Frame::Detail { key: of, detail }) = wire::frame(&bytes) else { continue };
                if of != key {
                    continue;
                }
                assert!(detail.is_none() || is_shown, "a detail of what is not shown: {key:?}");
                let detail = readable(&detail).to_string();
                hold(
                    &format!("the detail of a {}", key.kind.name()),
                    planted::found(detail.as_bytes()),
                    &now,
                );
                break;
            }
        }
        let workloads = all.iter().filter(|(kind, _)| Kind::parse(kind).is_some_and(Kind::makes_pods));
        let workloads = workloads.map(|(kind, object)| ObjectKey {
            kind: Kind::parse(kind).expect("a kind"),
            namespace: namespace(object).to_owned(),
            name: name(object).to_owned(),
        });
        let shown_workloads =
            Kind::ALL.iter().filter(|kind| kind.makes_pods()).flat_map(|kind| keys(&viewer.cluster, *kind));
        for key in workloads.chain(shown_workloads) {
            let drawing = Drawing { key: key.clone(), between: Some((1, 2)) };
            if let Some(picture) = self.hub.picture(drawing).await.expect("the hub runs") {
                let mut words = planted::found(readable(&*picture).to_string().as_bytes());
                words.extend(planted::found(&wire::to_bytes(&*picture)));
                hold(&format!("the picture of a {}", key.kind.name()), words, &ever);
            }
        }
        let view = self.hub.view().await.expect("the hub runs");
        let about = json!([view.about, view.as_of]).to_string();
        hold("what is watched", planted::found(about.as_bytes()), &now);
        for kind in Kind::ALL {
            struct Items<'a>(&'a Cluster);
            impl WithRow for Items<'_> {
                type Out = String;
                fn with<T: Row>(self) -> String {
                    let rows = T::rows(self.0);
                    let items: Vec<_> = rows.iter().map(|row| readable(&**row)).collect();
                    json!([rows.state, items]).to_string()
                }
            }
            let items = kind.with_row(Items(&view.cluster));
            hold(kind.plural(), planted::found(items.as_bytes()), &now);
        }
        if first {
            let numbers = numbers(&view.cluster);
            let most = numbers.last().copied().unwrap_or_default();
            if most != numbers.len() as u128 {
                leaks.push(format!("{} uids have numbers up to {most}", numbers.len()));
            }
        }
        leaks.sort();
        leaks.dedup();
        leaks
    }
}

/// Of which objects a word is, and where in them.
fn whose(all: &[Known], word: &str) -> String {
    let mut found = Vec::new();
    for (kind, object) in all {
        for (path, text) in planted::fields(object) {
            if text.contains(word) {
                found.push(format!("{} of {kind} {}/{}", path.join("."), namespace(object), name(object)));
            }
        }
    }
    found.truncate(4);
    if found.is_empty() { "of what is gone".to_owned() } else { found.join("; ") }
}

/// A cluster with a hub that watches it, and rooms.
struct Stage {
    world: World,
    hub: Hub,
    rooms: Rooms,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
    _tasks: JoinSet<()>,
}

impl Stage {
    async fn new(seed: u64) -> Stage {
        let world = World::new(seed);
        let source = Source {
            api: ApiServer::in_process(world.demo.router()),
            namespaces: Vec::new(),
            fallback: None,
            about: About { context: planted::word(CONTEXT), ..About::default() },
            metrics: Arc::default(),
        };
        let metrics = source.metrics.clone();
        let stop = CancellationToken::new();
        let (hub, owner) = Hub::new(source.about.clone(), stop.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(owner);
        tasks.spawn(source.run(hub.clone()));
        Stage { world, rooms: Rooms::new(hub.clone(), stop.clone()), hub, metrics, stop, _tasks: tasks }
    }

    /// Waits until the hub knows all that has happened in the cluster; gives it as it is then.
    async fn settled(&mut self) -> Arc<server::hub::View> {
        let round = self.world.mark();
        let seat = self.hub.subscribe(Scope::all(), Encoding::Rows).await.expect("a seat");
        loop {
            let view = self.hub.view().await.expect("the hub runs");
            let marked = |kind: Kind| {
                struct Marked<'a>(&'a Cluster, &'a str);
                impl WithRow for Marked<'_> {
                    type Out = bool;
                    fn with<T: Row>(self) -> bool {
                        let marker = T::rows(self.0).iter().find(|row| &*row.meta().name == "marker");
                        let round = marker.and_then(|row| row.meta().labels.get("round"));
                        round.is_some_and(|round| round.as_str() == self.1)
                    }
                }
                kind.with_row(Marked(&view.cluster, &round))
            };
            if KINDS.iter().all(|(_, kind)| Kind::parse(kind).is_some_and(marked)) {
                return view;
            }
            seat.next().await.expect("the hub runs");
        }
    }
}

async fn hold_apart(seed: u64, grants: usize) -> Vec<String> {
    let mut stage = Stage::new(seed).await;
    let chance = Chance(Cell::new(!seed));
    stage.settled().await;
    let mut watching = Vec::new();
    let mut before = stage.world.all();
    for _ in 0..grants {
        let mut given = Given::by_chance(&chance, &stage.world);
        given.ever = given.words(&before);
        watching.push(Watching::new(given, &stage.rooms).await);
    }
    let mut failed = Vec::new();
    for burst in 0..=BURSTS {
        let whole = stage.settled().await;
        let all = stage.world.all();
        for kind in Kind::ALL {
            assert_eq!(
                rows_of(&whole.cluster, *kind),
                rows_expected(&all, *kind),
                "the whole of {}",
                kind.plural()
            );
        }
        for one in &mut watching {
            let seen = one.given.sees(&all);
            if let Err(error) = one.until_equal(&seen, &whole.cluster).await {
                failed.push(format!("{burst}: {error}; {:?}", one.given.grant));
                continue;
            }
            let leaks = one.leaks(&all, burst == 0).await;
            failed.extend(leaks.into_iter().map(|leak| format!("{burst}: {leak}; {:?}", one.given.grant)));
        }
        if !failed.is_empty() || burst == BURSTS {
            break;
        }
        before = all;
        let mut changed = BTreeSet::new();
        for _ in 0..CHANGES {
            stage.world.change(&mut changed);
            let after = stage.world.all();
            watching.iter_mut().for_each(|one| one.given.goes_on(&before, &after));
            before = after;
        }
    }
    stage.stop.cancel();
    stage.rooms.closed().await;
    failed
}

fn number_of(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Half of the grants, in clusters of their own: two of these run beside each other.
async fn half(second: bool) {
    let (seed, all) = (number_of("SEED", 1), number_of("GRANTS", 500) as usize);
    let first = all.div_ceil(2);
    let mut left = if second { all - first } else { first };
    let skipped = if second { first.div_ceil(TOGETHER) as u64 } else { 0 };
    let mut clusters = seed + skipped..;
    while left > 0 {
        let grants = left.min(TOGETHER);
        let seed = clusters.next().expect("numbers enough");
        let failed = hold_apart(seed, grants).await;
        assert!(
            failed.is_empty(),
            "SEED={seed} GRANTS={grants}: {} leaks\n{}",
            failed.len(),
            failed[..failed.len().min(400)].join("\n")
        );
        left -= grants;
    }
}

#[tokio::test(start_paused = true)]
async fn each_sees_what_is_granted_and_nothing_of_the_rest() {
    half(false).await;
}

#[tokio::test(start_paused = true)]
async fn nor_do_as_many_others() {
    half(true).await;
}

#[tokio::test]
async fn the_site_answers_each_with_their_own() {
    let seed = number_of("SEED", 1);
    let mut stage = Stage::new(seed).await;
    let chance = Chance(Cell::new(!seed));
    let whole = stage.settled().await;
    let all = stage.world.all();
    let paths = site::addresses(&all);
    let mut failed = Vec::new();
    for _ in 0..10 {
        let given = Given::by_chance(&chance, &stage.world);
        let watching = Watching::new(given, &stage.rooms);
        let mut watching = watching.await;
        let seen = watching.given.sees(&all);
        watching.until_equal(&seen, &whole.cluster).await.expect("what it should see");
        let may = watching.given.words(&all);
        let grant = &watching.given.grant;
        let site = Site::of(&stage.hub, &stage.rooms, &stage.metrics, Some(grant.clone())).await;
        let mut hold = |path: &str, answer: &str| {
            // what is asked for by its name is named in the answer
            let asked = planted::found(path.as_bytes());
            for word in
                planted::found(answer.as_bytes()).difference(&may).filter(|word| !asked.contains(*word))
            {
                failed.push(format!("{path} has {word}, {}; {grant:?}", whose(&all, word)));
            }
        };
        for path in &paths {
            // of objects' own addresses a few
            if planted::found(path.as_bytes()).is_empty() || chance.one_in(60) {
                hold(path, &site.get(path).await);
            }
        }
        hold("/api/v1/watch", &site.get_until("/api/v1/watch", "event: beat").await);
        let metrics = site.get("/metrics").await;
        assert!(metrics.starts_with("HTTP/1.1 403"), "{metrics}");
        assert!(!metrics.contains("masthead_"), "{metrics}");
        hold("/metrics", &metrics);
    }
    assert!(
        failed.is_empty(),
        "SEED={seed}: {} leaks\n{}",
        failed.len(),
        failed[..failed.len().min(40)].join("\n")
    );
    let everything = Site::of(&stage.hub, &stage.rooms, &stage.metrics, None).await;
    assert!(
        everything.get("/metrics").await.contains("masthead_"),
        "whoever sees everything sees it counted"
    );
    stage.stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn what_is_back_after_a_refusal_is_not_granted_for_what_it_was() {
    let meta = |uid: u128, name: &str| Meta {
        uid: Uid(uid),
        namespace: "default".into(),
        name: name.into(),
        ..Meta::default()
    };
    let pod = |app: &str| {
        let labels = [(Text::from("app"), Text::from(app))].into_iter().collect();
        let meta = Meta { labels, ..meta(1, "one") };
        Pod::change(Delta::Put(Arc::new(Pod { meta, ..Pod::default() })))
    };
    for comes_back_as in ["web", "db"] {
        let stop = CancellationToken::new();
        let (hub, owner) = Hub::new(About::default(), stop.clone());
        tokio::spawn(owner);
        let rooms = Rooms::new(hub.clone(), stop.clone());
        let grant = Grant {
            kinds: [Kind::Pod, Kind::Event].map(|kind| (kind, Within::All)).into(),
            selector: Selector::parse("app=web").expect("a selector"),
            ..Grant::default()
        };
        let room = rooms.hub(Some(&Arc::new(grant))).await.expect("a room");
        let events = async |change: Change| {
            hub.tell(News::Change { change, within: None }).await.expect("the hub runs");
            tokio::time::sleep(Duration::from_secs(1)).await;
            room.view().await.expect("the room is open").cluster.count(Kind::Event)
        };
        let about = Event {
            meta: meta(2, "one.1"),
            object_kind: "Pod".into(),
            object_namespace: "default".into(),
            object_name: "one".into(),
            object_uid: Uid(1),
            ..Event::default()
        };
        events(pod("web")).await;
        assert_eq!(events(Event::change(Delta::Put(Arc::new(about)))).await, 1);
        assert_eq!(
            events(Pod::change(Delta::Gone(Uid(1)))).await,
            1,
            "what has happened to it is said still"
        );
        events(pod(comes_back_as)).await;
        assert_eq!(events(pod("db")).await, 0);
        assert_eq!(events(Pod::change(Delta::Gone(Uid(1)))).await, 0);
        stop.cancel();
    }
}
