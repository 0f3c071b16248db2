//! One schedule, played.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use app::{
    api::{Kind, KindState, Kinds, Millis, Text},
    store::Freshness,
    wire::About,
};
use futures::FutureExt;
use serde_json::{Value, json};
use server::{
    audience::Rooms,
    demo::{self, ALL, Backup, Demo, Gone, Malformed},
    http::{self as site, Access, Hosts},
    hub::{Hub, View, now},
    metrics::Metrics,
    source::{Source, api_server::ApiServer},
};
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    answers,
    cable::{self, Cable},
    page::{Connect, Page},
    reader::Reader,
    schedule::{Fault, Mischief, Object, READER, Schedule, Step, Written},
    sky::{Befallen, Sky},
    truth::{self, Claims, Eye, KINDS, Looked, PARITY, Truth, WRITTEN},
};

/// By then, after the last fault, every page shows what there is. The longest road: a list that hangs in the middle is
/// given up after 60 s, and asked for again up to 19 s later.
pub const SETTLED: Duration = Duration::from_secs(100);
/// And stays so; for so many seconds, in which a page would find out that its connection is dead.
const WELL: u32 = 12;
/// How old what the API calls live may be, in milliseconds.
const FRESH: i64 = 5_000;
/// From one change of a storm to the next.
const BETWEEN: Duration = Duration::from_millis(20);
/// Of so many questions to the API one is asked over HTTP.
const SELDOM: usize = 16;
/// How often pages are looked at while time passes.
const LOOK: Duration = Duration::from_millis(500);
/// What a watch that is still open keeps back is found out when a bookmark is due, in milliseconds.
const BOOKMARK: i64 = 80_000;
/// So much later a watch that has ended is open again, in milliseconds.
const REOPENED: i64 = 20_000;
/// So much later an API server that was stopped may be written to.
const STARTS: Duration = Duration::from_millis(50);
/// What was lost is found when it is all listed again, which it is so often, in milliseconds.
const LIST_AGAIN: i64 = 45 * 60_000;

/// How far off a clock may be taken to be, in milliseconds: below two seconds it need not be said, it is told in whole
/// seconds, and pages look at theirs each second.
const CLOCK: i64 = 3_000;

/// Masthead, as one process.
struct Masthead {
    hub: Hub,
    rooms: Rooms,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
    _tasks: JoinSet<()>,
}

impl Masthead {
    fn start(api: ApiServer, namespaces: &[&str]) -> Masthead {
        let source = Source {
            api,
            namespaces: namespaces.iter().map(|name| Text::from(*name)).collect(),
            fallback: None,
            about: About::default(),
            metrics: Arc::new(Metrics::default()),
        };
        let stop = CancellationToken::new();
        let (hub, owner) = Hub::new(source.about.clone(), stop.clone());
        let rooms = Rooms::new(hub.clone(), stop.clone());
        let metrics = source.metrics.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(owner);
        tasks.spawn(source.run(hub.clone()));
        Masthead { hub, rooms, metrics, stop, _tasks: tasks }
    }

    /// The site as somebody meets it who may see so much.
    fn site(&self, eye: Eye) -> impl Future<Output = Option<(Hub, axum::Router)>> + Send + use<> {
        let grant = eye.grant().map(Arc::new);
        let (rooms, metrics, stop) = (self.rooms.clone(), self.metrics.clone(), self.stop.clone());
        async move {
            let hub = rooms.hub(grant.as_ref()).await.ok()?;
            let rooms = Rooms::new(hub.clone(), stop.clone());
            let access = Access::open(Hosts::new(&[], &["masthead.test".to_owned()]));
            Some((hub.clone(), site::router(hub, rooms, metrics, access, stop)))
        }
    }
}

/// What came of a schedule.
#[derive(Clone, Debug, Default)]
pub struct Played {
    /// What pages said meanwhile.
    pub claims: Claims,
    /// How often one was too slow for the stream.
    pub overflows: u64,
    /// What happened on the way to the API server.
    pub befallen: Befallen,
}

/// Everything that takes part.
pub struct Run {
    demo: Demo,
    sky: Sky,
    truth: Truth,
    masthead: Arc<Mutex<Option<Masthead>>>,
    by_namespace: bool,
    pages: Vec<(Page, Cable)>,
    reader: Option<(Reader, Cable)>,
    /// How often the API has been asked, if it is to be asked over HTTP as well.
    questions: Option<usize>,
    /// Namespaces that are watched one by one may be refused, of which nobody tells the reader.
    may_be_refused: bool,
    looked: Vec<Looked>,
    /// The same of what the API says of everything, and through a room.
    asked: [Looked; 2],
    /// The last one; of the beginning, if there was no other.
    backup: (Backup, BTreeSet<String>),
    /// Objects so far; each has a label that no other has.
    written: u64,
    /// Kinds of which watches say nothing, those that are opened from now on as well.
    stalled: BTreeSet<Kind>,
    /// Watches that are silent now will not be heard again.
    forgot: bool,
    /// How often a page was too slow for a Masthead that has ended.
    overflows: u64,
    _tasks: JoinSet<()>,
}

impl Run {
    /// Plays it; says what was claimed that was not so, or what did not come to be.
    pub async fn play(schedule: &Schedule) -> Result<Played, String> {
        fastrand::seed(schedule.chance);
        // It begins at a moment of the minute that is the schedule's as well: much is done once a second.
        let moment = (schedule.chance % 60_000) as i64;
        tokio::time::advance(Duration::from_millis((moment - now().0).rem_euclid(60_000) as u64)).await;
        let mut run = Run::new(schedule);
        for (nth, step) in schedule.steps.iter().enumerate() {
            let played = run.step(step).await;
            played.map_err(|wrong| format!("in step {nth}, {step:?}: {wrong}"))?;
        }
        run.settle().await?;
        run.end();
        Ok(Played { claims: run.truth.claims(), overflows: run.overflows, befallen: run.sky.befallen() })
    }

    fn new(schedule: &Schedule) -> Run {
        let epoch_ms = Some(now().0 + i64::from(schedule.cluster_ahead) * 3_600_000);
        let demo = demo::start(demo::Options { play: false, epoch_ms, ..demo::Options::default() });
        for name in ["other", "kube-node-lease"] {
            demo.put(json!({"kind": "Namespace", "metadata": {"name": name}}));
        }
        let masthead = Arc::new(Mutex::new(None));
        let sky = Sky::clear();
        sky.put_clock(i64::from(schedule.cluster_ahead) * 3_600_000);
        let mut run = Run {
            backup: (demo.faults().save(), BTreeSet::new()),
            demo,
            sky,
            truth: Truth::new(schedule.by_namespace),
            masthead: masthead.clone(),
            by_namespace: schedule.by_namespace,
            pages: Vec::new(),
            reader: None,
            questions: schedule.reads.then_some(0),
            may_be_refused: schedule.steps.iter().any(Step::may_refuse),
            looked: vec![Looked::new(); usize::from(schedule.pages)],
            asked: Default::default(),
            written: 0,
            stalled: BTreeSet::new(),
            forgot: false,
            overflows: 0,
            _tasks: JoinSet::new(),
        };
        for number in 0..3 {
            run.put(Object { kind: Written::Pod, number, elsewhere: false }, Value::Null);
        }
        run.truth.note_all(&run.demo);
        run.start();
        for nth in 0..schedule.pages {
            let cable = Cable::default();
            let eye = Eye::of(nth);
            let connect = connect(cable.clone(), masthead.clone(), eye);
            let kinds: Kinds =
                if nth == 1 { [Kind::Pod, Kind::Node].into_iter().collect() } else { Kinds::all() };
            let ahead = i64::from(schedule.pages_ahead) * 3_600_000;
            let (page, life) = Page::new(connect, kinds, eye, ahead, schedule.reads && nth == 0);
            run._tasks.spawn(life);
            run.pages.push((page, cable));
        }
        if schedule.reads {
            let cable = Cable::default();
            let eye = [Eye::Whole, Eye::Part, Eye::Room][(schedule.chance % 3) as usize];
            let (reader, life) = Reader::new(connect(cable.clone(), masthead, eye), eye);
            run._tasks.spawn(life);
            run.reader = Some((reader, cable));
        }
        run
    }

    fn start(&mut self) {
        let namespaces: &[&str] = if self.by_namespace { &["default", "other"] } else { &[] };
        let started = Masthead::start(self.sky.over(self.demo.router()), namespaces);
        *self.masthead.lock().expect("no panic") = Some(started);
    }

    async fn step(&mut self, step: &Step) -> Result<(), String> {
        let faults = self.demo.faults();
        if step.may_end_watches() {
            // Before they are found out, and those that are opened again are stalled as well.
            let stalled = self.stalled.clone();
            self.kept_back(stalled, REOPENED);
        }
        match step {
            Step::Pass { millis } => return self.pass(Duration::from_millis(u64::from(*millis))).await,
            Step::Put { object } => self.put(*object, Value::Null),
            Step::Remove { object } => self.remove(*object),
            Step::Replace { object } => {
                self.remove(*object);
                self.put(*object, Value::Null);
            }
            Step::Again { object, times } => (0..*times).for_each(|_| self.put(*object, Value::Null)),
            Step::Burst { objects } => {
                for nth in 0..*objects {
                    let object = Object { kind: Written::Pod, number: nth % 7, elsewhere: nth % 3 == 0 };
                    if nth % 5 == 4 { self.remove(object) } else { self.put(object, Value::Null) }
                }
            }
            Step::Storm { changes } => {
                for nth in 0..*changes {
                    let number = (nth % 5) as u8;
                    self.put(Object { kind: Written::Pod, number, elsewhere: nth % 2 == 0 }, Value::Null);
                    tokio::time::sleep(BETWEEN).await;
                    if nth % LOOK.div_duration_f64(BETWEEN) as u16 == 0 {
                        self.look()?;
                        self.ask().await?;
                    }
                }
            }
            Step::Enormous => {
                let object = Object { kind: Written::Pod, number: 0, elsewhere: false };
                self.put(object, json!({"note": "x".repeat(1_500_000)}));
            }
            Step::Malform { number } => {
                let how = if number % 2 == 0 { Malformed::Containers } else { Malformed::Labels };
                faults.malform("pods", "default", &name(Written::Pod, *number), how);
                self.truth.malformed(&self.demo, &name(Written::Pod, *number), true);
            }
            Step::Mend { number } => {
                faults.mend("pods", "default", &name(Written::Pod, *number));
                self.truth.malformed(&self.demo, &name(Written::Pod, *number), false);
            }
            Step::Fault { fault, kind } => {
                if *fault == Fault::StallsWatches {
                    let of = |of: &Kind| kind.is_none_or(|kind| kind.plural() == of.plural());
                    self.stalled.extend(KINDS.into_iter().filter(of));
                    self.kept_back(KINDS.into_iter().filter(of), 0);
                }
                faults.set(kind.map_or(ALL, Written::plural), as_fault(*fault));
            }
            Step::NoFault => {
                self.stalled.clear();
                KINDS.iter().for_each(|kind| faults.clear(kind.plural()));
                faults.clear(ALL);
            }
            Step::CutWatches { kind } => faults.cut_watches(kind.map_or(ALL, Written::plural)),
            Step::ForgetHistory { kind, in_stream } => {
                let form = if *in_stream { Gone::InStream } else { Gone::Status };
                faults.forget_history(kind.map_or(ALL, Written::plural), form);
            }
            Step::BackUp => self.backup = (faults.save(), self.truth.unreadable()),
            Step::Restore => {
                self.sky.restores();
                faults.restore(&self.backup.0);
                self.truth.restored(&self.demo, &self.backup.1);
                // API servers are stopped for that ("Restoring an etcd cluster" in Kubernetes' documentation), so that whoever
                // watched has asked again before anything is written.
                return self.pass(STARTS).await;
            }
            Step::OtherCluster => {
                for kind in KINDS.into_iter().filter(|kind| *kind != Kind::Namespace) {
                    for mut object in self.demo.list(kind.plural(), "") {
                        let metadata = object["metadata"].clone();
                        let text = |key: &str| metadata[key].as_str().unwrap_or_default().to_owned();
                        self.demo.remove(kind.plural(), &text("namespace"), &text("name"));
                        object["metadata"] = json!({"name": text("name"), "namespace": text("namespace")});
                        self.demo.put(object);
                    }
                }
                faults.restart();
                self.truth.note_all(&self.demo);
            }
            Step::Refuse { refuses } => self.sky.refuse(*refuses),
            Step::Silence { for_ever } => {
                // Nothing is told of anything meanwhile; what says nothing when it is over is found out then.
                self.forgot |= *for_ever;
                self.sky.fall_silent(*for_ever);
            }
            Step::Forget => {
                self.kept_back(KINDS, 0);
                self.sky.forget();
            }
            Step::WithholdBookmarks => self.sky.withhold_bookmarks(true),
            Step::ShortPages => self.sky.shorten_pages(true),
            Step::Trickle => self.sky.trickle(true),
            Step::ClusterClock { millis } => self.sky.put_clock(i64::from(*millis)),
            Step::RetryAfter { seconds } => self.sky.retry_after(*seconds),
            Step::Befall { mishap } => self.sky.befall(*mishap),
            Step::ClearSky => self.clear_up(),
            Step::Restart { millis } => {
                self.end();
                self.cables().for_each(Cable::cut);
                self.pass(Duration::from_millis(u64::from(*millis))).await?;
                self.start();
            }
            Step::Cable { page, mischief } => {
                if let Some((page, _)) = self.pages.get(usize::from(*page))
                    && matches!(mischief, Mischief::Stall | Mischief::Slow)
                {
                    page.put_off();
                }
                let of_page = self.pages.get(usize::from(*page)).map(|(_, cable)| cable);
                let of_reader = self.reader.as_ref().filter(|_| *page == READER).map(|(_, cable)| cable);
                if let Some(cable) = of_page.or(of_reader) {
                    match mischief {
                        Mischief::Cut => cable.cut(),
                        Mischief::Stall => cable.stall(),
                        Mischief::Swallow => cable.swallow(),
                        Mischief::Deafen => cable.deafen(),
                        Mischief::Mute => cable.mute(),
                        Mischief::Garble => cable.garble(),
                        Mischief::Slow => cable.slow_down(),
                        Mischief::Mend => cable.mend(),
                    }
                }
            }
            Step::Sleep { page, asleep } => {
                if let Some((page, _)) = self.pages.get(usize::from(*page)) {
                    page.sleep(*asleep);
                }
                if !asleep {
                    // A page that wakes up looks at its clock before the screen is on.
                    return self.pass(Duration::from_millis(1)).await;
                }
            }
            Step::Load { page, later } => {
                // A script's page has no document.
                if let Some((page, _)) = self.pages.get(usize::from(*page))
                    && page.eye != Eye::Part
                {
                    page.load(Duration::from_millis(u64::from(*later)));
                }
            }
            Step::PageClock { page, millis } => {
                if let Some((page, _)) = self.pages.get(usize::from(*page)) {
                    page.put_clock(i64::from(*millis));
                }
            }
            Step::Rude { page, rude } => {
                if let Some((page, _)) = self.pages.get(usize::from(*page)) {
                    page.be_rude(*rude);
                }
            }
        }
        self.look()
    }

    fn cables(&self) -> impl Iterator<Item = &Cable> {
        self.pages.iter().map(|(_, cable)| cable).chain(self.reader.iter().map(|(_, cable)| cable))
    }

    /// Masthead is killed.
    fn end(&mut self) {
        if let Some(masthead) = self.masthead.lock().expect("no panic").take() {
            self.overflows += masthead.metrics.overflows_so_far();
            masthead.stop.cancel();
        }
    }

    fn put(&mut self, object: Object, annotations: Value) {
        let (kind, namespace, name) = self.place(object);
        self.written += 1;
        let labels = json!({WRITTEN: self.written.to_string(), PARITY: (self.written % 2).to_string()});
        let metadata =
            json!({"name": name, "namespace": namespace, "labels": labels, "annotations": annotations});
        let replicas = json!({"replicas": self.written % 4, "selector": {"matchLabels": {"app": "web"}}});
        let mut written = match object.kind {
            Written::Pod => {
                let image = format!("example/web:{}", self.written % 4);
                json!({"spec": {"containers": [{"name": "web", "image": image}]}})
            }
            Written::Node => json!({"spec": {}}),
            Written::Deployment | Written::ReplicaSet | Written::StatefulSet | Written::DaemonSet => {
                json!({"spec": replicas})
            }
            Written::ReplicationController => {
                json!({"spec": {"replicas": self.written % 4, "selector": {"app": "web"}}})
            }
            Written::ControllerRevision => json!({"revision": self.written, "data": {}}),
            Written::Service => json!({"spec": {"clusterIP": "10.0.0.9"}}),
            Written::EndpointSlice => json!({"addressType": "IPv4", "endpoints": [], "ports": []}),
            Written::PodDisruptionBudget => json!({"spec": {"minAvailable": self.written % 4}}),
            Written::Lease => json!({"spec": {"holderIdentity": name}}),
            Written::Event => json!({
                "involvedObject": {"kind": "Pod", "namespace": namespace, "name": "pods-0"},
                "reason": "Written", "message": format!("for the {}th time", self.written), "type": "Normal",
                "count": self.written,
            }),
        };
        written["kind"] = json!(kind.name());
        written["metadata"] = metadata;
        let stored = self.demo.put(written);
        self.truth.wrote(&stored);
        self.truth.note(&self.demo, kind);
    }

    fn remove(&mut self, object: Object) {
        let (kind, namespace, name) = self.place(object);
        self.demo.remove(object.kind.plural(), namespace, &name);
        self.truth.note(&self.demo, kind);
    }

    fn place(&self, object: Object) -> (Kind, &'static str, String) {
        let namespaced = if object.elsewhere { "other" } else { "default" };
        let kind = object.kind.kind();
        let namespace = kind.only_in().unwrap_or(if kind.namespaced() { namespaced } else { "" });
        (kind, namespace, name(object.kind, object.number))
    }

    fn clear_up(&mut self) {
        if std::mem::take(&mut self.forgot) {
            self.kept_back(KINDS, 0);
        }
        self.sky.clear_up();
    }

    /// Watches that are open, or will be so many milliseconds later, say less than there is to say, while everything else
    /// may look well.
    fn kept_back(&mut self, kinds: impl IntoIterator<Item = Kind>, later: i64) {
        kinds.into_iter().for_each(|kind| self.truth.excuse(kind, BOOKMARK + later));
    }

    /// Looks at the pages while time passes.
    async fn pass(&mut self, time: Duration) -> Result<(), String> {
        let end = Instant::now() + time;
        let look = LOOK.max(time / 400);
        while Instant::now() < end {
            tokio::time::sleep_until(end.min(Instant::now() + look)).await;
            self.look()?;
            self.ask().await?;
        }
        Ok(())
    }

    /// What the API would answer now, and what its headers would say.
    async fn ask(&mut self) -> Result<(), String> {
        let hubs = self.masthead.lock().expect("no panic").as_ref().map(|masthead| {
            let room = Eye::Room.grant().filter(|_| self.pages.len() > Eye::Room as usize + 1).map(Arc::new);
            // It opens with the first who asks, and is not waited for.
            let room = room.and_then(|grant| masthead.rooms.hub(Some(&grant)).now_or_never()?.ok());
            (masthead.hub.clone(), room)
        });
        let Some((hub, room)) = hubs else { return Ok(()) };
        let [of_all, of_room] = &mut self.asked;
        for (eye, hub, looked) in [(Eye::Whole, Some(hub), of_all), (Eye::Room, room, of_room)] {
            let Some(hub) = hub else { continue };
            let Ok(view) = hub.view().await else { continue }; // it is about to end
            Self::is_fresh(&view)?;
            let allowed = self.truth.allows_numbers(&view);
            allowed.map_err(|wrong| format!("what numbers there are, of {eye:?}: {wrong}"))?;
            for kind in eye.kinds() {
                let allowed = self.truth.allows_api(&view, kind, eye, looked);
                allowed.map_err(|wrong| format!("the API says, of {eye:?}: {wrong}"))?;
            }
        }
        if let Some(questions) = &mut self.questions {
            *questions += 1;
            if questions.is_multiple_of(SELDOM) {
                let nth = *questions / SELDOM;
                return self.ask_over_http(nth).await;
            }
        }
        Ok(())
    }

    /// Each time about another kind, and now and then through the room.
    async fn ask_over_http(&self, nth: usize) -> Result<(), String> {
        let kind = KINDS[nth % KINDS.len()];
        let has_room = self.pages.len() > Eye::Room as usize + 1;
        let eye = if has_room && nth.is_multiple_of(3) { Eye::Room } else { Eye::Whole };
        let site = self.masthead.lock().expect("no panic").as_ref().map(|masthead| masthead.site(eye));
        let Some(site) = site else { return Ok(()) };
        let Some((hub, site)) = site.await else { return Ok(()) };
        answers::are_so(&site, &hub, kind).await
    }

    fn is_fresh(view: &View) -> Result<(), String> {
        for kind in Kinds::all().iter() {
            let is_old = view.as_of(kind).is_none_or(|at| now().0 - at.0 > FRESH);
            if is_old && view.state(kind) == KindState::Live {
                return Err(format!("the API calls {kind} live as of {:?}", view.as_of(kind)));
            }
        }
        Ok(())
    }

    fn look(&mut self) -> Result<(), String> {
        // Of two events the second alone makes what never was.
        let kept_back = self.sky.kept_back();
        for kind in KINDS.into_iter().filter(|kind| kept_back.contains(kind.plural())) {
            self.truth.excuse(kind, REOPENED);
        }
        if let Some((reader, _)) = &self.reader {
            for kind in KINDS {
                let allowed = self.truth.allows_reader(reader, kind, self.may_be_refused);
                allowed.map_err(|wrong| format!("a stream, of {:?}, says: {wrong}", reader.eye))?;
            }
        }
        for (nth, ((page, _), looked)) in self.pages.iter().zip(&mut self.looked).enumerate() {
            if page.is_unseen() {
                continue;
            }
            for kind in page.eye.kinds() {
                let allowed = self.truth.allows(page, kind, looked);
                allowed.map_err(|wrong| format!("on page {nth}: {wrong}"))?;
            }
            if page.looks() {
                self.truth.allows_detail(&page.store()).map_err(|wrong| format!("on page {nth}: {wrong}"))?;
            }
        }
        Ok(())
    }

    /// All is well from now on.
    async fn settle(&mut self) -> Result<(), String> {
        let faults = self.demo.faults();
        for number in 0..5 {
            faults.mend("pods", "default", &name(Written::Pod, number));
        }
        faults.clear_all();
        self.truth.mended(&self.demo);
        self.clear_up();
        self.cables().for_each(Cable::mend);
        self.pages.iter().for_each(|(page, _)| page.sleep(false));
        let lost = if self.sky.has_lost() { LIST_AGAIN } else { 0 };
        let end = self.truth.excused_until().max(now().later(lost)).0 + SETTLED.as_millis() as i64;
        let mut well = 0;
        loop {
            let missing = self.missing().await;
            match missing {
                None if well == WELL => return Ok(()),
                None => well += 1,
                Some(missing) if now() > Millis(end) => return Err(format!("at the end: {missing}")),
                Some(_) => well = 0,
            }
            self.pass(Duration::from_secs(1)).await?;
        }
    }

    /// What is not yet as it should be.
    async fn missing(&self) -> Option<String> {
        let hub = self.masthead.lock().expect("no panic").as_ref().map(|masthead| masthead.hub.clone());
        let Some(hub) = hub else { return Some("there is no Masthead".to_owned()) };
        for (nth, (page, _)) in self.pages.iter().enumerate() {
            if page.is_unseen() {
                return Some(format!("page {nth} cannot be seen"));
            }
            let off = page.store().now().0 - now().later(self.sky.ahead()).0;
            if off.abs() > CLOCK {
                return Some(format!("page {nth} counts ages {off} ms off"));
            }
            let behind = page.store().browser_behind().unwrap_or_default();
            if (behind + page.ahead()).abs() > CLOCK {
                let ahead = page.ahead();
                return Some(format!("page {nth}, {ahead} ms ahead, takes itself to be {behind} behind"));
            }
            for kind in page.eye.kinds() {
                let freshness = page.store().freshness(kind);
                if page.shows(kind) && !matches!(freshness, Freshness::Live) {
                    return Some(format!("page {nth} calls {kind} {freshness:?}"));
                }
                if page.shows(kind) && truth::shown(&page.store(), kind) != self.truth.rows(kind, page.eye) {
                    let shown: Vec<_> = truth::shown(&page.store(), kind).into_keys().collect();
                    return Some(format!("page {nth} shows of {kind} {shown:?}"));
                }
            }
            if page.looks() && !self.truth.is_detail(&page.store()) {
                return Some(format!("page {nth} shows another pod than the one it looks at"));
            }
            let drawn = truth::drawn();
            if page.looks() && page.store().picture(&drawn.key) != hub.picture(drawn).await.ok() {
                return Some(format!("page {nth} shows another picture than the hub has"));
            }
        }
        for kind in KINDS {
            let Some((reader, _)) = &self.reader else { break };
            // Where it looks there are none, and it is told that they are not watched there.
            if reader.eye == Eye::Part && kind.only_in().is_some() {
                continue;
            }
            let is = truth::as_printed(&self.truth.rows(kind, reader.eye));
            if !reader.claims(kind).1 || reader.rows(kind) != is {
                return Some(format!(
                    "a stream, of {:?}, says of {kind}: {:?}",
                    reader.eye,
                    reader.rows(kind)
                ));
            }
        }
        let Ok(view) = hub.view().await else { return Some("the hub has ended".to_owned()) };
        let wrong = Eye::Whole
            .kinds()
            .find(|kind| truth::held(&view.cluster, *kind) != self.truth.rows(*kind, Eye::Whole));
        if let Some(kind) = wrong {
            return Some(format!("the hub has other {kind}s"));
        }
        // The hub's numbers as well, and what containers were before: nobody else knows of these.
        let differs = self.pages.iter().position(|(page, _)| {
            let kinds: Kinds = Kinds::all().iter().filter(|kind| page.shows(*kind)).collect();
            page.eye == Eye::Whole && page.store().hash(kinds) != view.cluster.hash_of(kinds)
        });
        differs.map(|nth| format!("page {nth} has rows, or numbers of rows, that the hub has not"))
    }
}

fn name(kind: Written, number: u8) -> String {
    format!("{}-{number}", kind.plural())
}

fn as_fault(fault: Fault) -> demo::Fault {
    match fault {
        Fault::Answers(code) => demo::Fault::Answer(code),
        Fault::AnswersLists(code) => demo::Fault::AnswerLists(code),
        Fault::AnswersWatches(code) => demo::Fault::AnswerWatches(code),
        Fault::StallsLists => demo::Fault::StallLists,
        Fault::StallsWatches => demo::Fault::StallWatches,
        Fault::EmptyWatches => demo::Fault::EmptyWatches,
        Fault::OnlyElsewhere => demo::Fault::NamespacesOnly(vec!["other".to_owned()]),
    }
}

/// How pages find Masthead: whichever runs now.
fn connect(cable: Cable, masthead: Arc<Mutex<Option<Masthead>>>, eye: Eye) -> Connect {
    let tasks = Mutex::new(JoinSet::new());
    Arc::new(move || {
        let masthead = masthead.lock().expect("no panic");
        let site = masthead.as_ref()?.site(eye);
        let mut tasks = tasks.lock().expect("no panic");
        let (page, far) = cable.connect(&mut tasks);
        tasks.spawn(async move {
            if let Some((_, site)) = site.await {
                cable::serve(site, far).await;
            }
        });
        Some(page)
    })
}
