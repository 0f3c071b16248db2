//! What there was, at each moment: the shadow that every claim is held against.

use std::{
    any::Any,
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use app::{
    api::{
        Container, ControllerRevision, DaemonSet, Deployment, Detail, EndpointSlice, Event, Kind, KindState,
        Lease, Meta, Millis, Namespace, Node, ObjectKey, Pod, PodDisruptionBudget, ReplicaSet,
        ReplicationController, Row, Service, StatefulSet, Text, Uid,
        container::{self, Restarts},
    },
    model::{Cluster, WithRow},
    scope::Scope,
    selector::Selector,
    store::{Freshness, Store},
    wire::{self, About, Drawing},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use server::{
    audience::{Grant, grant::Within},
    demo::Demo,
    hub::{View, now},
    source::translate::{self, Translate},
};

/// A kind's rows by namespace and name.
pub type Rows = BTreeMap<(String, String), Line>;

/// What tells a row from any other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The label that each has which is written; no two have the same.
    written: String,
    /// All of it, but for uids, which are numbers of the hub's own on one side, and for what a hub saw of a container
    /// before. Nothing, of what was printed.
    whole: Vec<u8>,
}

/// The label by which one object that was written is told from another.
pub const WRITTEN: &str = "written";

use super::{page::Page, reader::Reader};

/// The label that parts are chosen by; it is `0` or `1`.
pub const PARITY: &str = "parity";

/// What a page sees of the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Eye {
    /// All of it.
    Whole,
    /// What is in one namespace and has one of two labels.
    Part,
    /// What a link to one namespace shows, through a hub of its own.
    Room,
}

impl Eye {
    /// Of the page that was opened as this one.
    pub fn of(page: u8) -> Eye {
        match page {
            0 | 1 => Eye::Whole,
            2 => Eye::Part,
            _ => Eye::Room,
        }
    }

    /// The kinds of which what is said is looked at: of containers, which each hub makes by itself, not those of a room.
    pub fn kinds(self) -> impl Iterator<Item = Kind> {
        let made = (self != Eye::Room).then_some(Kind::Container);
        KINDS.into_iter().chain(made)
    }

    /// What it asks for in its address, beside the kinds.
    pub fn query(self) -> String {
        match self {
            Eye::Part => format!("&namespace=other&labelSelector={PARITY}%3D0"),
            Eye::Whole | Eye::Room => String::new(),
        }
    }

    /// What it is granted, if that is not everything.
    pub fn grant(self) -> Option<Grant> {
        let within = |kind: Kind| match kind.namespaced() && kind.only_in().is_none() {
            true => Within::Namespaces(vec![Text::from("default")]),
            false => Within::All,
        };
        (self == Eye::Room).then(|| Grant {
            kinds: KINDS.into_iter().map(|kind| (kind, within(kind))).collect(),
            verbatim: true,
            ..Grant::default()
        })
    }

    fn scope(self) -> Scope {
        match self {
            Eye::Part => Scope {
                namespaces: vec![Text::from("other")],
                selector: Selector::parse(&format!("{PARITY}=0")).expect("a selector"),
                ..Scope::all()
            },
            Eye::Whole | Eye::Room => Scope::all(),
        }
    }
}

/// The same rows as each [`Eye`] sees them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen([Rows; 3]);

/// The rows of each kind as a page last had them, with the hash that it had of them: they are looked at far more often
/// than they change.
pub type Looked = BTreeMap<Kind, (u64, Rows)>;

/// The kinds of which there are objects.
pub const KINDS: [Kind; 14] = [
    Kind::Pod,
    Kind::Node,
    Kind::Namespace,
    Kind::Deployment,
    Kind::ReplicaSet,
    Kind::ReplicationController,
    Kind::StatefulSet,
    Kind::DaemonSet,
    Kind::ControllerRevision,
    Kind::Service,
    Kind::EndpointSlice,
    Kind::PodDisruptionBudget,
    Kind::Lease,
    Kind::Event,
];

/// How long a watch's events may be on their way when an answer that was asked for later is here, in milliseconds.
const ON_ITS_WAY: i64 = 1_000;
/// How long the machine may be busy with something else between the two clocks of which the time is made, in
/// milliseconds.
const BUSY: i64 = 200;
/// How old what a hub calls live may be, in milliseconds, or what a script takes for it, which has the same clock;
const CALLED: i64 = 5_000 + BUSY;
/// what a page does, which looks at its clock each second;
const SHOWN: i64 = 6_000 + BUSY;
/// and a page that was told the time by a message that may have taken a second, or whose clock may have been put by half
/// of one.
const SHOWN_LATE: i64 = 7_500;

/// A pod's uid, and the images of its containers.
type Images = (String, Vec<String>);

/// Rows as somebody sees them.
type As<'a> = &'a dyn for<'r> Fn(&'r Rows) -> Cow<'r, Rows>;

/// What is said of how current rows are.
#[derive(Clone, Copy, Debug)]
struct Claim {
    /// Until when they were so, if that is said.
    as_of: Option<Millis>,
    /// They are called live.
    is_live: bool,
    /// How old they may be then, in milliseconds.
    at_most: i64,
}

/// The numbers that one hub has given to objects.
#[derive(Default)]
struct Numbered {
    /// Whose each is, by the uid that the API server knows it by.
    objects: BTreeMap<Uid, String>,
    /// The same the other way round.
    numbers: BTreeMap<String, Uid>,
    /// The hash of each kind's rows when they were last looked at.
    hashes: BTreeMap<Kind, u64>,
}

/// A cluster's past.
#[derive(Default)]
pub struct Truth {
    /// Namespaces are watched one by one: what is claimed is true of each by itself.
    apart: bool,
    /// Pods that are sent as nobody can read them: as good as not there.
    malformed: BTreeSet<String>,
    /// When each last became one of these, or one of them no longer. What was written before, and is told after, is told
    /// as it is by then, and there never was such a whole.
    switched: BTreeMap<String, Millis>,
    /// The uid of the object that was written with a label.
    uids: BTreeMap<String, String>,
    /// What hubs have made of these, by their epochs.
    numbered: BTreeMap<u64, Numbered>,
    past: BTreeMap<Kind, Vec<(Millis, Seen)>>,
    /// The uid and the images of the pod that is looked at, if there was one, since when.
    details: Vec<(Millis, Option<Images>)>,
    /// Until when a kind may be claimed to be what it is not: what was kept back cannot be known yet.
    excused: BTreeMap<Kind, Millis>,
    claims: Claims,
}

/// How often a page was looked at for what it says of a kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Claims {
    /// All of them.
    pub looked_at: u64,
    /// Those that were about what a document said.
    pub painted: u64,
    /// Those that nobody could have known to be untrue, had they been.
    pub excused: u64,
    /// Those of these that were.
    pub untrue: u64,
}

impl Truth {
    /// Of a cluster whose namespaces are watched one by one, or all together.
    pub fn new(apart: bool) -> Truth {
        Truth { apart, ..Truth::default() }
    }

    /// A pod of `default` cannot be read from now on, or can.
    pub fn malformed(&mut self, demo: &Demo, name: &str, malformed: bool) {
        let mut unreadable = self.malformed.clone();
        if malformed {
            unreadable.insert(name.to_owned());
        } else {
            unreadable.remove(name);
        }
        self.turn(unreadable);
        self.note(demo, Kind::Pod);
    }

    /// Those cannot be read from now on, and no others.
    fn turn(&mut self, unreadable: BTreeSet<String>) {
        let switched = self.malformed.symmetric_difference(&unreadable).map(|name| (name.clone(), now()));
        self.switched.extend(switched);
        self.malformed = unreadable;
    }

    /// This was stored.
    pub fn wrote(&mut self, stored: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let metadata = &stored["metadata"];
        self.uids.insert(text(&metadata["labels"][WRITTEN]), text(&metadata["uid"]));
    }

    /// The pods that cannot be read.
    pub fn unreadable(&self) -> BTreeSet<String> {
        self.malformed.clone()
    }

    /// It is all what it was when those could not be read.
    pub fn restored(&mut self, demo: &Demo, unreadable: &BTreeSet<String>) {
        self.turn(unreadable.clone());
        self.note_all(demo);
    }

    /// Everything can be read.
    pub fn mended(&mut self, demo: &Demo) {
        self.turn(BTreeSet::new());
        self.note(demo, Kind::Pod);
    }

    /// Until when something may be what it does not seem to be.
    pub fn excused_until(&self) -> Millis {
        self.excused.values().copied().max().unwrap_or_default()
    }

    /// What was claimed so far.
    pub fn claims(&self) -> Claims {
        self.claims
    }

    /// Notes what there is now of all kinds.
    pub fn note_all(&mut self, demo: &Demo) {
        KINDS.iter().for_each(|kind| self.note(demo, *kind));
    }

    /// Notes what there is now of one kind, and of what is made of it.
    pub fn note(&mut self, demo: &Demo, kind: Kind) {
        let rows = match kind {
            Kind::Pod => {
                self.note_detail(demo);
                let mut pods = parsed::<Pod>(demo);
                pods.retain(|pod| {
                    pod.meta.namespace.as_str() != "default" || !self.malformed.contains(&*pod.meta.name)
                });
                let made: Vec<Container> = pods.iter().flat_map(containers).collect();
                self.record(Kind::Container, seen(&made));
                seen(&pods)
            }
            Kind::Node => there_is::<Node>(demo),
            Kind::Namespace => there_is::<Namespace>(demo),
            Kind::Deployment => there_is::<Deployment>(demo),
            Kind::ReplicaSet => there_is::<ReplicaSet>(demo),
            Kind::ReplicationController => there_is::<ReplicationController>(demo),
            Kind::StatefulSet => there_is::<StatefulSet>(demo),
            Kind::DaemonSet => there_is::<DaemonSet>(demo),
            Kind::ControllerRevision => there_is::<ControllerRevision>(demo),
            Kind::Service => there_is::<Service>(demo),
            Kind::EndpointSlice => there_is::<EndpointSlice>(demo),
            Kind::PodDisruptionBudget => there_is::<PodDisruptionBudget>(demo),
            Kind::Lease => there_is::<Lease>(demo),
            Kind::Event => there_is::<Event>(demo),
            Kind::Container => panic!("containers are in pods"),
        };
        self.record(kind, rows);
    }

    fn record(&mut self, kind: Kind, rows: Seen) {
        let past = self.past.entry(kind).or_default();
        if past.last().is_none_or(|(_, last)| *last != rows) {
            past.push((now(), rows));
        }
    }

    fn note_detail(&mut self, demo: &Demo) {
        let key = looked_at();
        let pods = demo.list(key.kind.plural(), &key.namespace);
        let is_it = |pod: &&Value| pod["metadata"]["name"] == key.name.as_str();
        let pod = pods.iter().find(is_it).filter(|_| !self.malformed.contains(&key.name));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let detail = pod.map(|pod| {
            let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
            (text(&pod["metadata"]["uid"]), containers.map(|container| text(&container["image"])).collect())
        });
        if self.details.last().is_none_or(|(_, last)| *last != detail) {
            self.details.push((now(), detail));
        }
    }

    /// Whether a page that looks at a pod shows what it is now.
    pub fn is_detail(&self, store: &Store) -> bool {
        let shown = store.detail(&looked_at()).map(|of| of.map(|of| (of.uid.to_string(), images(&of))));
        shown.is_some_and(|shown| self.details.last().is_some_and(|(_, is)| *is == shown))
    }

    /// From now on nobody can know whether `kind` is what it seems to be, for so many milliseconds.
    pub fn excuse(&mut self, kind: Kind, millis: i64) {
        let until = Millis(now().0.saturating_add(millis));
        let excused = self.excused.entry(kind).or_default();
        *excused = until.max(*excused);
    }

    /// What there is of a kind, for one who sees so much of it.
    pub fn rows(&self, kind: Kind, eye: Eye) -> Rows {
        let now = self.past.get(&kind).and_then(|past| past.last());
        now.map(|(_, seen)| seen.0[eye as usize].clone()).unwrap_or_default()
    }

    /// Whether what a page says of a kind is so.
    pub fn allows(&mut self, page: &Page, kind: Kind, looked: &mut Looked) -> Result<(), String> {
        let store = page.store();
        let at_most = if page.may_be_off() { SHOWN_LATE } else { SHOWN };
        let (as_of, is_live) = match store.freshness(kind) {
            Freshness::Live => (store.as_of(kind), true),
            Freshness::Painted(as_of) => {
                self.claims.painted += 1;
                (Some(as_of), true)
            }
            Freshness::Old { as_of, .. } => (as_of, false),
            // Nothing is said of when it was so, but it was so once.
            Freshness::Listing(_) | Freshness::Failing(_) | Freshness::Forbidden { .. } => {
                (Some(Millis(0)), false)
            }
        };
        let rows = remembered(looked, kind, store.hash([kind].into_iter().collect()), || shown(&store, kind));
        let is_refused = |name: &str| is_refused(&store.about(), kind, name);
        let claim = Claim { as_of, is_live, at_most };
        self.is_so(kind, page.eye, claim, (rows, &|rows| Cow::Borrowed(rows)), &is_refused)
    }

    /// Whether what a script has been told of a kind is so, where namespaces may be refused.
    pub fn allows_reader(&mut self, reader: &Reader, kind: Kind, may_be_refused: bool) -> Result<(), String> {
        let rows = reader.rows(kind);
        let (as_of, is_live) = reader.claims(kind);
        self.is_so(
            kind,
            reader.eye,
            Claim { as_of, is_live, at_most: CALLED },
            (&rows, &|rows| Cow::Owned(as_printed(rows))),
            &|_| may_be_refused,
        )
    }

    /// Whether the image of the pod that a page looks at was that until its pods were confirmed.
    pub fn allows_detail(&mut self, store: &Store) -> Result<(), String> {
        let Some(detail) = store.detail(&looked_at()) else { return Ok(()) };
        let Some(as_of) = store.as_of(Kind::Pod) else { return Ok(()) };
        let is_refused = is_refused(&store.about(), Kind::Pod, "default");
        let is_excused = self.excused.get(&Kind::Pod) >= Some(&now());
        let is_live = matches!(store.freshness(Kind::Pod), Freshness::Live | Freshness::Painted(_));
        let from = Millis(as_of.0 - ON_ITS_WAY);
        if !is_live || is_refused || is_excused || has_switched(&self.switched, &looked_at().name, from) {
            return Ok(());
        }
        let shown = detail.map(|detail| (detail.uid.to_string(), images(&detail)));
        let last = self.details.iter().rposition(|(since, _)| *since <= from).unwrap_or_default();
        let was = self.details.get(last..).is_some_and(|of| of.iter().any(|(_, was)| *was == shown));
        self.claims.looked_at += 1;
        if was { Ok(()) } else { Err(format!("of the pod that is looked at {shown:?} is shown as live")) }
    }

    /// Whether what the API says of a kind is so, to whoever reads from this hub.
    pub fn allows_api(
        &mut self,
        view: &View,
        kind: Kind,
        eye: Eye,
        looked: &mut Looked,
    ) -> Result<(), String> {
        let as_of = view.as_of(kind);
        let (as_of, is_live) = match view.state(kind) {
            KindState::Live => (as_of, true),
            KindState::Stale { since, .. } => (Some(as_of.map_or(since, |as_of| as_of.min(since))), false),
            _ => (Some(Millis(0)), false),
        };
        let claim = Claim { as_of, is_live, at_most: CALLED };
        let hash = view.cluster.hash_of([kind].into_iter().collect());
        let rows = remembered(looked, kind, hash, || held(&view.cluster, kind));
        let is_refused = |name: &str| is_refused(&view.about, kind, name);
        self.is_so(kind, eye, claim, (rows, &|rows| Cow::Borrowed(rows)), &is_refused)
    }

    /// Whether each number that a hub has given is one object's, and each object has one number. Wherever else rows are
    /// looked at their uids are left out, for the cluster knows nothing of numbers.
    pub fn allows_numbers(&mut self, view: &View) -> Result<(), String> {
        let hub = self.numbered.entry(view.epoch).or_default();
        for kind in KINDS {
            let hash = view.cluster.hash_of([kind].into_iter().collect());
            if hub.hashes.insert(kind, hash) == Some(hash) {
                continue;
            }
            for (number, written) in numbers(&view.cluster, kind) {
                let Some(uid) = self.uids.get(&written) else { continue };
                let object = hub.objects.entry(number).or_insert_with(|| uid.clone());
                let known = hub.numbers.entry(uid.clone()).or_insert(number);
                if *object != *uid || *known != number {
                    return Err(format!(
                        "{kind} {uid} has number {}, which is that of {object}, and had {}",
                        number.0, known.0
                    ));
                }
            }
        }
        for container in view.cluster.containers.iter() {
            let pod = view.cluster.pods.get(container.pod_uid);
            if pod.is_none_or(|pod| pod.meta.name != container.pod) {
                return Err(format!("container {} says that it is of another pod", container.meta.name));
            }
            if let Some(object) = hub.objects.get(&container.meta.uid) {
                return Err(format!("container {} has the number of {object}", container.meta.name));
            }
        }
        Ok(())
    }

    /// Whether these were a kind's rows until then, as `seen`; if they are called live, that was a moment ago.
    fn is_so(
        &mut self,
        kind: Kind,
        eye: Eye,
        Claim { as_of, is_live, at_most }: Claim,
        (now_shown, seen): (&Rows, As<'_>),
        is_refused: &dyn Fn(&str) -> bool,
    ) -> Result<(), String> {
        let now = now();
        let Some(as_of) = as_of else {
            return if is_live { Err(format!("{kind} is called live as of nothing")) } else { Ok(()) };
        };
        if is_live && now.0 - as_of.0 > at_most {
            return Err(format!("{kind} is called live {} ms after it was confirmed", now.0 - as_of.0));
        }
        if as_of.0 > now.0 + BUSY {
            return Err(format!("{kind} is confirmed in the future"));
        }
        let from = Millis(as_of.0 - ON_ITS_WAY);
        let past = self.past.get(&kind).map(Vec::as_slice).unwrap_or_default();
        let lasted = |nth: usize| past.get(nth + 1).is_none_or(|(ended, _)| *ended >= from);
        let was = |same: &dyn Fn(&Rows) -> bool| {
            let late = (0..past.len()).rev().take_while(|nth| lasted(*nth));
            late.into_iter().any(|nth| past.get(nth).is_some_and(|(_, seen)| same(&seen.0[eye as usize])))
        };
        let part = |rows: &Rows, namespace: &str| -> Rows {
            let of = rows.iter().filter(|((of, _), _)| of == namespace);
            of.map(|(key, row)| (key.clone(), row.clone())).collect()
        };
        let switched = &self.switched;
        let readable = |rows: &Rows| -> Rows {
            let is_so = |namespace: &str, name: &str| {
                // a container's name begins with its pod's
                let pod = name.split('/').next().unwrap_or(name);
                namespace != "default" || !has_switched(switched, pod, from)
            };
            let rows = rows.iter().filter(|((namespace, name), _)| is_so(namespace, name));
            rows.map(|(key, row)| (key.clone(), row.clone())).collect()
        };
        let was_so = |now_shown: &Rows, seen: As<'_>| {
            if self.apart {
                let namespaces = ["", "default", "other", "kube-node-lease"];
                let was_so = |name: &str| was(&|rows| part(&seen(rows), name) == part(now_shown, name));
                namespaces.iter().all(|name| match is_refused(name) {
                    // said to be refused, and not there, once that has been told, too
                    true => part(now_shown, name).is_empty() || was_so(name),
                    false => was_so(name) || as_of == Millis(0) && part(now_shown, name).is_empty(),
                })
            } else {
                was(&|rows| *seen(rows) == *now_shown)
            }
        };
        let exactly = was_so(now_shown, seen);
        // Only until all has been told that was written before one could not be read any more, or could be again: whoever
        // says how it was later than that has been told.
        let but_for_malformed = || {
            kind.watched() == Kind::Pod
                && switched.keys().any(|pod| has_switched(switched, pod, from))
                && was_so(&readable(now_shown), &|rows| Cow::Owned(readable(&seen(rows))))
        };
        // What is said to be no newer than that has not been told anew since.
        let until = self.excused.get(&kind.watched());
        let excused =
            until >= Some(&now) || !is_live && until >= Some(&as_of) || !exactly && but_for_malformed();
        let was = exactly || now_shown.is_empty() && (past.is_empty() || as_of == Millis(0));
        self.claims.looked_at += 1;
        self.claims.excused += u64::from(excused);
        self.claims.untrue += u64::from(excused && !was);
        if was || excused {
            return Ok(());
        }
        let ever = past.iter().rposition(|(_, was)| *seen(&was.0[eye as usize]) == *now_shown);
        let is = self.rows(kind, eye);
        Err(format!(
            "{kind} is said to be{} what it was {} s ago, and is not: shown {:?}, there is {:?}, others are {:?}; it {}",
            if is_live { " live, and as of at least" } else { "" },
            (now.0 - as_of.0) as f64 / 1000.0,
            now_shown.keys().map(|(namespace, name)| format!("{namespace}/{name}")).collect::<Vec<_>>(),
            is.keys().map(|(namespace, name)| format!("{namespace}/{name}")).collect::<Vec<_>>(),
            is.iter()
                .filter(|(key, row)| now_shown.get(*key).is_some_and(|shown| shown != *row))
                .map(|((namespace, name), _)| format!("{namespace}/{name}"))
                .collect::<Vec<_>>(),
            match ever.map(|nth| past.get(nth + 1)) {
                Some(Some((ended, _))) =>
                    format!("ended being so {} s ago", (now.0 - ended.0) as f64 / 1000.0),
                Some(None) => "is so only as a whole".to_owned(),
                None => "never was so".to_owned(),
            }
        ))
    }
}

/// Rows, made anew only if their hash is another.
fn remembered(looked: &mut Looked, kind: Kind, hash: u64, rows: impl FnOnce() -> Rows) -> &Rows {
    let seen = looked.entry(kind).or_default();
    if seen.0 != hash || seen.1.is_empty() {
        *seen = (hash, rows());
    }
    &seen.1
}

fn there_is<T: Translate>(demo: &Demo) -> Seen {
    seen(&parsed::<T>(demo))
}

fn parsed<T: Translate>(demo: &Demo) -> Vec<T> {
    let namespace = T::KIND.only_in().unwrap_or_default();
    let objects = demo.list(T::KIND.plural(), namespace);
    objects.into_iter().filter_map(|object| translate::row::<T>(&object.to_string()).ok()).collect()
}

/// The containers of a pod as rows, as far as they are made of what the pod is now.
fn containers(pod: &Pod) -> Vec<Container> {
    let each = pod.detail.containers.iter().map(|spec| Container {
        meta: Meta { name: format!("{}/{}", pod.meta.name, spec.name).into(), ..pod.meta.clone() },
        pod: pod.meta.name.clone(),
        node: pod.node.clone(),
        name: spec.name.clone(),
        role: spec.role,
        ports: spec.ports.as_slice().into(),
        probes: spec.probes.as_slice().into(),
        status: spec.status.clone(),
        health: container::judge(spec.status.as_ref()),
        ..Container::default()
    });
    each.collect()
}

fn seen<T: Row>(rows: &[T]) -> Seen {
    Seen([Eye::Whole, Eye::Part, Eye::Room].map(|eye| {
        let (scope, grant) = (eye.scope(), eye.grant());
        let holds = |row: &&T| scope.holds(*row) && grant.as_ref().is_none_or(|grant| grant.holds(*row));
        rows.iter().filter(holds).map(line).collect()
    }))
}

/// The rows of a kind that a page has.
pub fn shown(store: &Store, kind: Kind) -> Rows {
    struct Shown<'a>(&'a Store);
    impl WithRow for Shown<'_> {
        type Out = Rows;
        fn with<T: Row>(self) -> Rows {
            self.0.current::<T>().iter().map(|row| line(&**row)).collect()
        }
    }
    kind.with_row(Shown(store))
}

/// The same of a hub.
pub fn held(cluster: &Cluster, kind: Kind) -> Rows {
    struct Held<'a>(&'a Cluster);
    impl WithRow for Held<'_> {
        type Out = Rows;
        fn with<T: Row>(self) -> Rows {
            T::rows(self.0).iter().map(|row| line(&**row)).collect()
        }
    }
    kind.with_row(Held(cluster))
}

/// The number of each row of a hub's that was written here, and the label that it was written with.
fn numbers(cluster: &Cluster, kind: Kind) -> Vec<(Uid, String)> {
    struct Numbers<'a>(&'a Cluster);
    impl WithRow for Numbers<'_> {
        type Out = Vec<(Uid, String)>;
        fn with<T: Row>(self) -> Vec<(Uid, String)> {
            let written = T::rows(self.0).iter().filter_map(|row| {
                let meta = row.meta();
                Some((meta.uid, meta.labels.get(WRITTEN)?.to_string()))
            });
            written.collect()
        }
    }
    kind.with_row(Numbers(cluster))
}

/// Rows as an answer prints them.
pub fn as_printed(rows: &Rows) -> Rows {
    let printed = |line: &Line| Line { written: line.written.clone(), whole: Vec::new() };
    rows.iter().map(|(key, line)| (key.clone(), printed(line))).collect()
}

/// One of an answer's items.
pub fn printed(item: &Value) -> ((String, String), Line) {
    let meta = &item["meta"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let line = Line { written: text(&meta["labels"][WRITTEN]), whole: Vec::new() };
    ((text(&meta["namespace"]), text(&meta["name"])), line)
}

/// The pod that some pages look at.
pub fn looked_at() -> ObjectKey {
    ObjectKey { kind: Kind::Pod, namespace: "default".into(), name: "pods-0".into() }
}

/// The picture that the same pages draw.
pub fn drawn() -> Drawing {
    let key = ObjectKey { kind: Kind::Deployment, namespace: "default".into(), name: "deployments-0".into() };
    Drawing { key, between: None }
}

/// Whether a pod of `default` became unreadable then or later, or readable again.
fn has_switched(switched: &BTreeMap<String, Millis>, pod: &str, from: Millis) -> bool {
    switched.get(pod).is_some_and(|at| *at >= from)
}

fn images(detail: &Detail) -> Vec<String> {
    detail.containers.iter().map(|container| container.image.to_string()).collect()
}

fn is_refused(about: &About, kind: Kind, namespace: &str) -> bool {
    about.within(kind).iter().any(|(name, allowed)| !allowed && *name == namespace)
}

fn line<T: Row>(row: &T) -> ((String, String), Line) {
    let mut row = row.clone();
    row.other_uids(&mut |uid| *uid = Uid(0));
    let meta = row.meta_mut();
    meta.uid = Uid(0);
    if let Some(owner) = &mut meta.owner {
        owner.uid = Uid(0);
    }
    // What was seen of a container before, one hub may have seen and another not.
    let any: &mut dyn Any = &mut row;
    if let Some(container) = any.downcast_mut::<Container>() {
        container.heard.clear();
        container.silent_until = None;
        container.restarts = Restarts::default();
        container.life.clear();
    }
    let key = (row.meta().namespace.to_string(), row.meta().name.to_string());
    let written = row.meta().labels.get(WRITTEN).map(ToString::to_string).unwrap_or_default();
    (key, Line { written, whole: wire::to_bytes(&row) })
}
