//! ③ The hub: one task owns the cluster model. Sources tell it what happened, viewers subscribe to a
//! scope, and nobody else ever writes.
//!
//! What leaves: at once when the hub is quiet; under load conflated per object (the latest wins) on
//! a beat of 16 to 250 ms, set by what the last one cost. Each change is encoded once per topic, however many
//! watch it. A viewer too slow for its queue loses all of it and gets one fresh snapshot.

mod containers;
mod freshness;
mod history;
#[cfg(test)]
mod model;
mod numbers;
mod queue;
mod topic;

use std::{
    any::Any,
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use app::{
    api::{
        Container, Detail, Event, InCluster, Kind, KindState, Meta, Millis, ObjectKey, Picture, Pod, Row,
        Text, Uid,
    },
    model::{Change, Cluster, Delta, Visit},
    scope::Scope,
    wire::{self, About, Apart, Drawing, Frame},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use self::{
    containers::Containers, freshness::Freshness, history::History, numbers::Numbers, queue::Next,
    topic::Topic,
};
pub use self::{
    freshness::{forbidden, seen_within, unseen},
    queue::{Outgoing, Queue, Told},
    topic::{Encoding, readable},
};

/// How many messages may wait for the hub before a source has to wait for it.
const INBOX: usize = 1024;
/// How many different scopes may be watched at a time, beside those of rooms, which are fewer: each change is held
/// against every one of them.
const TOPICS: usize = 500;
/// The longest and shortest time between two frames of changes under load.
const BEAT: (Duration, Duration) = (Duration::from_millis(16), Duration::from_millis(250));

/// How soon after the pulse the heartbeat follows: watches say in between how current they are.
const BEAT_SOON: Duration = Duration::from_millis(50);

/// Longer than this it takes to look at three clocks only if something else has had the processor.
const HELD_UP: Duration = Duration::from_millis(2);

/// The server's clock. Everything asks here, so that a test can say what time it is.
pub fn now() -> Millis {
    let mut read = Clocks::read();
    // Whoever is held up in between has read two times.
    for _ in 0..10 {
        if read.took < HELD_UP {
            break;
        }
        read = Clocks::read();
    }
    let Clocks { wall, real, tokio, .. } = read;
    // The last two are the same moment, but where a test drives tokio's.
    let driven = wall + tokio.saturating_duration_since(real);
    let driven = driven.saturating_sub(real.saturating_duration_since(tokio));
    Millis(i64::try_from(driven.as_millis()).unwrap_or(i64::MAX))
}

/// What the clocks say, one after the other, and how long that took.
struct Clocks {
    wall: Duration,
    real: std::time::Instant,
    tokio: std::time::Instant,
    took: Duration,
}

impl Clocks {
    fn read() -> Clocks {
        let real = std::time::Instant::now();
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let tokio = Instant::now().into_std();
        Clocks { wall, real, tokio, took: real.elapsed() }
    }
}

/// What sources tell the hub.
#[derive(Debug)]
pub enum News {
    /// Rows changed. A `Reset` speaks for one namespace only if `within` names it.
    Change {
        /// What happened.
        change: Change,
        /// The namespace whose list a `Reset` is.
        within: Option<Text>,
    },
    /// How one watch is doing; a kind watched in several namespaces has several.
    Watch {
        /// Of which kind.
        kind: Kind,
        /// In which namespace; `None` for the whole cluster.
        within: Option<Text>,
        /// How it is doing.
        state: KindState,
    },
    /// All that this watch has told so far is current as of then.
    Current {
        /// Of which kind.
        kind: Kind,
        /// In which namespace; `None` for the whole cluster.
        within: Option<Text>,
        /// By [`now`].
        as_of: Millis,
    },
    /// The API server answered, or did not.
    Pulse(Result<(), Text>),
    /// What is being watched turned out to be this. Where it is watched, the watches say themselves.
    About(About),
    /// What another hub has told of its rows, seen through a lens.
    Seen(Vec<Change>),
    /// Until when another hub knows its kinds to be current.
    Confirmed(Vec<(Kind, Millis)>),
    /// To be answered when all that was told before is known.
    Settle(oneshot::Sender<()>),
}

/// Who wants to know whether there is a seat for them.
type Seated = oneshot::Sender<Result<(), NoSeat>>;

/// What viewers tell the hub.
#[derive(Debug)]
enum Asked {
    Subscribe { viewer: u64, scope: Scope, encoding: Encoding, queue: Arc<Queue>, seated: Seated },
    Resync { viewer: u64 },
    Look { viewer: u64, key: Option<ObjectKey> },
    Draw { viewer: u64, drawing: Option<Drawing> },
    Leave { viewer: u64 },
    View(oneshot::Sender<Arc<View>>),
    Picture(Drawing, oneshot::Sender<Option<Arc<Picture>>>),
}

/// The hub's whole state at one moment, for pages and the text API.
#[derive(Debug)]
pub struct View {
    /// Every row.
    pub cluster: Cluster,
    /// Until when each kind is known to be current.
    pub as_of: Vec<(Kind, Millis)>,
    /// What is being watched.
    pub about: About,
    /// It is a visitor's part of what Masthead sees.
    pub is_part: bool,
    /// See [`Frame::Hello`].
    pub epoch: u64,
    /// How many are subscribed.
    pub viewers: usize,
    /// What the hub remembers beside the rows.
    pub remembers: Remembers,
}

/// How much a hub remembers that is in no row, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remembers {
    /// Selections that somebody watches.
    pub topics: usize,
    /// Uids that have numbers.
    pub uids: usize,
    /// Pods whose course is known, there and gone.
    pub pods: usize,
    /// Points in time of workloads, there and gone.
    pub points: usize,
    /// Workloads that are there, and pictures of those that are gone.
    pub workloads: usize,
    /// What holds a workload's templates.
    pub revisions: usize,
    /// Controllers of which pods are known.
    pub crews: usize,
    /// Pods whose containers' course is known.
    pub containers: usize,
    /// Strings that have a number, in the topic that has most of them.
    pub strings: usize,
}

impl View {
    /// The API server's clock, by which ages are counted.
    pub fn in_cluster(&self) -> Millis {
        self.about.in_cluster(now())
    }

    /// Until when `kind` is known to be current.
    pub fn as_of(&self, kind: Kind) -> Option<Millis> {
        self.as_of.iter().find(|(k, _)| *k == kind).map(|(_, at)| *at)
    }

    /// How far a kind can be trusted now: live only while it is confirmed.
    pub fn state(&self, kind: Kind) -> KindState {
        freshness::called(self.cluster.state(kind), self.as_of(kind), now())
    }
}

/// The way in: a cheap clone for each source and each viewer.
#[derive(Clone, Debug)]
pub struct Hub {
    news: mpsc::Sender<News>,
    asked: mpsc::Sender<Asked>,
}

/// A viewer's place at the hub; leaves when dropped.
#[derive(Debug)]
pub struct Seat {
    viewer: u64,
    hub: Hub,
    queue: Arc<Queue>,
}

/// The hub has ended, which it does only when the process drains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server is shutting down")]
pub struct Ended;

/// Why somebody has no seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSeat {
    /// The hub has ended.
    #[error(transparent)]
    Ended(#[from] Ended),
    /// There are too many scopes.
    #[error("too many different selections are being watched just now")]
    Full,
}

impl Hub {
    /// Makes a hub and the task's body; the caller owns the task.
    pub fn new(about: About, stop: CancellationToken) -> (Hub, impl Future<Output = ()> + Send) {
        Hub::with(about, Freshness::default(), stop)
    }

    /// A hub that knows what another one tells it, and is only as sure as that one is.
    pub fn room(stop: CancellationToken) -> (Hub, impl Future<Output = ()> + Send) {
        Hub::with(About::default(), Freshness::told(), stop)
    }

    fn with(
        about: About,
        freshness: Freshness,
        stop: CancellationToken,
    ) -> (Hub, impl Future<Output = ()> + Send) {
        let (news, news_in) = mpsc::channel(INBOX);
        let (asked, asked_in) = mpsc::channel(INBOX);
        let owner = Owner::new(about, epoch(), freshness);
        (Hub { news, asked }, owner.run(news_in, asked_in, stop))
    }

    /// How many clones of it there are, those of taken seats included.
    pub fn handles(&self) -> usize {
        self.asked.strong_count()
    }

    /// Whether it is the same.
    pub fn is(&self, other: &Hub) -> bool {
        self.asked.same_channel(&other.asked)
    }

    /// Tells what happened; waits when the hub is behind.
    pub async fn tell(&self, news: News) -> Result<(), Ended> {
        self.news.send(news).await.map_err(|_| Ended)
    }

    /// The whole state now.
    pub async fn view(&self) -> Result<Arc<View>, Ended> {
        let (answer, view) = oneshot::channel();
        self.asked.send(Asked::View(answer)).await.map_err(|_| Ended)?;
        view.await.map_err(|_| Ended)
    }

    /// The picture of a workload, if there is or lately was one by that name.
    pub async fn picture(&self, drawing: Drawing) -> Result<Option<Arc<Picture>>, Ended> {
        let (answer, picture) = oneshot::channel();
        self.asked.send(Asked::Picture(drawing, answer)).await.map_err(|_| Ended)?;
        picture.await.map_err(|_| Ended)
    }

    /// Takes a seat and watches `scope`: snapshot first, then every change after it.
    pub async fn subscribe(&self, scope: Scope, encoding: Encoding) -> Result<Seat, NoSeat> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let viewer = NEXT.fetch_add(1, Ordering::Relaxed);
        let seat = Seat { viewer, hub: self.clone(), queue: Arc::default() };
        let seated = seat.turn_to(scope, encoding).await?;
        // A page is told in a frame.
        if encoding == Encoding::Events {
            seated.await.map_err(|_| Ended)??;
        }
        Ok(seat)
    }
}

/// What tells a hub from every other: when it began, and of those of this process how many there were before.
fn epoch() -> u64 {
    static BEFORE: AtomicU64 = AtomicU64::new(0);
    // The same number comes up a million hubs later, and not in the same millisecond.
    (now().0.unsigned_abs() << 20) | (BEFORE.fetch_add(1, Ordering::Relaxed) % (1 << 20))
}

impl Seat {
    /// Watches another scope from now on; a snapshot of it follows.
    pub async fn watch(&self, scope: Scope, encoding: Encoding) -> Result<(), Ended> {
        self.turn_to(scope, encoding).await.map(drop)
    }

    /// The same; what comes of it is whether there is room for one more.
    async fn turn_to(
        &self,
        scope: Scope,
        encoding: Encoding,
    ) -> Result<oneshot::Receiver<Result<(), NoSeat>>, Ended> {
        let (viewer, queue) = (self.viewer, self.queue.clone());
        let (seated, answer) = oneshot::channel();
        self.ask(Asked::Subscribe { viewer, scope, encoding, queue, seated }).await?;
        Ok(answer)
    }

    /// The next frame to send. Cancel-safe.
    pub async fn next(&self) -> Result<Outgoing, Ended> {
        loop {
            match self.queue.next().await {
                Next::Frame(outgoing) => return Ok(outgoing),
                Next::Overflowed(overflow) => {
                    self.resync().await?;
                    self.queue.asked_again(overflow);
                }
                Next::Closed => return Err(Ended),
            }
        }
    }

    /// How often its viewer was too slow for the stream, and began again with a snapshot.
    pub fn overflows(&self) -> u64 {
        self.queue.overflows()
    }

    /// Asks for a new snapshot.
    pub async fn resync(&self) -> Result<(), Ended> {
        self.ask(Asked::Resync { viewer: self.viewer }).await
    }

    /// Asks for an object's detail, and whatever changes in it from now on.
    pub async fn look(&self, key: Option<ObjectKey>) -> Result<(), Ended> {
        self.ask(Asked::Look { viewer: self.viewer, key }).await
    }

    /// Asks for a workload's picture, and another whenever it changes.
    pub async fn draw(&self, drawing: Option<Drawing>) -> Result<(), Ended> {
        self.ask(Asked::Draw { viewer: self.viewer, drawing }).await
    }

    async fn ask(&self, asked: Asked) -> Result<(), Ended> {
        self.hub.asked.send(asked).await.map_err(|_| Ended)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // If the inbox is full just now, the hub finds out when it next pushes: the queue is closed.
        self.queue.close();
        let _ = self.hub.asked.try_send(Asked::Leave { viewer: self.viewer });
    }
}

struct Viewer {
    topic: (Scope, Encoding),
    queue: Arc<Queue>,
    look: Option<ObjectKey>,
    draw: Option<Drawing>,
}

/// The task that owns the model.
struct Owner {
    cluster: Cluster,
    history: History,
    /// Objects that somebody looks at, and that have changed since that was last told.
    details: HashSet<ObjectKey>,
    containers: Containers,
    numbers: Numbers,
    freshness: Freshness,
    /// What is being watched, as the source knows it,
    given: About,
    /// and with what is known of its watches, as viewers are told.
    about: About,
    epoch: u64,
    topics: HashMap<(Scope, Encoding), Topic>,
    viewers: HashMap<u64, Viewer>,
    view: Option<Arc<View>>,
}

impl Owner {
    fn new(about: About, epoch: u64, freshness: Freshness) -> Owner {
        Owner {
            cluster: Cluster::default(),
            history: History::default(),
            details: HashSet::new(),
            containers: Containers::default(),
            numbers: Numbers::default(),
            freshness,
            given: about.clone(),
            about,
            epoch,
            topics: HashMap::new(),
            viewers: HashMap::new(),
            view: None,
        }
    }

    async fn run(
        mut self,
        mut news: mpsc::Receiver<News>,
        mut asked: mpsc::Receiver<Asked>,
        stop: CancellationToken,
    ) {
        let mut beat = tokio::time::interval(Duration::from_millis(wire::BEAT_MS.unsigned_abs()));
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // No frame of changes leaves before this.
        let mut quiet_until = Instant::now();
        let mut pending = false;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(asked) = asked.recv() => self.asked(asked),
                () = tokio::time::sleep_until(quiet_until), if pending => {
                    let began = Instant::now();
                    self.flush();
                    pending = false;
                    quiet_until = began + (began.elapsed() * 4).clamp(BEAT.0, BEAT.1);
                }
                Some(first) = news.recv() => {
                    let mut confirms = self.heard(first);
                    // Whatever else has already arrived goes out in the same frame.
                    while let Ok(more) = news.try_recv() {
                        confirms |= self.heard(more);
                    }
                    pending = true;
                    if confirms {
                        // Told when it is news, or it would be most of a beat older when the next one comes.
                        beat.reset_after(BEAT_SOON);
                    }
                }
                _ = beat.tick() => self.beat(),
                else => break,
            }
        }
        self.bye("the server is shutting down");
    }

    /// The API server's clock: what happens to objects is noted by the clock that stands in them.
    fn in_cluster(&self) -> Millis {
        self.about.in_cluster(now())
    }

    /// Takes news in. Whether it is of those after which kinds are confirmed anew.
    fn heard(&mut self, news: News) -> bool {
        self.view = None;
        let confirms = matches!(
            news,
            News::Pulse(Ok(())) | News::Confirmed(_) | News::Watch { state: KindState::Live, .. }
        );
        match news {
            News::Change { change, within } => change.visit(Fold { owner: self, within }),
            News::Watch { kind, within, state } => {
                let state = self.freshness.watch(kind, within, state);
                self.set_state(kind, state);
                self.set_about();
            }
            News::Current { kind, within, as_of } => self.freshness.current(kind, within, as_of),
            News::Pulse(pulse) => {
                for (kind, state) in self.freshness.pulse(pulse, now()) {
                    self.set_state(kind, state);
                }
            }
            News::About(about) => {
                self.given = about;
                self.set_about();
            }
            News::Seen(changes) => {
                changes.into_iter().for_each(|change| change.visit(Fold { owner: self, within: None }));
            }
            News::Confirmed(as_of) => self.freshness.confirmed(as_of),
            News::Settle(settled) => _ = settled.send(()), // whoever waited may have gone
        }
        confirms
    }

    fn set_about(&mut self) {
        let given = self.given.clone();
        let watched = self.freshness.namespaces();
        let namespaces = if watched.is_empty() { given.namespaces } else { watched };
        let about = About { namespaces, apart: self.freshness.apart(), ..given };
        if about == self.about {
            return;
        }
        let loses = sees_less(&self.about.apart, &about.apart);
        self.about = about;
        self.history.watches(&self.about.apart);
        // That a namespace is refused is told before its kind is called live without it. Otherwise, as when a
        // namespace may be seen again, what had happened by then is told before.
        if loses {
            self.tell_about();
        }
        self.flush();
        if !loses {
            self.tell_about();
        }
    }

    /// Says to each what is being watched, encoded once.
    fn tell_about(&self) {
        let [pages, rooms] = [Encoding::Binary, Encoding::Rows].map(|encoding| self.told_about(encoding));
        for viewer in self.viewers.values() {
            let about = match viewer.topic.1 {
                Encoding::Binary => &pages,
                Encoding::Rows => &rooms,
                Encoding::Events => &None,
            };
            about.iter().for_each(|about| viewer.queue.push(about.clone()));
        }
    }

    fn set_state(&mut self, kind: Kind, state: KindState) {
        if *self.cluster.state(kind) == state {
            return;
        }
        if self.freshness.is_told() {
            tracing::debug!(kind = kind.plural(), state = state.word(), "a room was told of a watch");
        } else {
            tracing::info!(kind = kind.plural(), state = state.word(), "watch state changed");
        }
        for topic in self.topics.values_mut() {
            topic.state(kind, &state);
        }
        self.cluster.apply(Change::State(kind, state.clone()));
        self.history.stands_otherwise();
        let made_of_it = Kind::ALL.iter().filter(|made| made.watched() == kind && **made != kind);
        made_of_it.for_each(|made| self.set_state(*made, state.clone()));
    }

    fn asked(&mut self, asked: Asked) {
        match asked {
            Asked::Subscribe { viewer, scope, encoding, queue, seated } => {
                let key = (scope, encoding);
                let is_full = self.is_full(&key);
                let _ = seated.send(if is_full { Err(NoSeat::Full) } else { Ok(()) }); // not all want to know
                if is_full {
                    return self.turn_away(viewer, &queue, encoding);
                }
                let known =
                    self.viewers.get(&viewer).map(|v| (v.topic.clone(), v.look.clone(), v.draw.clone()));
                let (look, draw) = known.clone().map(|(_, look, draw)| (look, draw)).unwrap_or_default();
                if known.is_none() {
                    self.told_about(encoding).into_iter().for_each(|hello| queue.greet(hello));
                }
                // What is noted of this scope goes to those who are there: the newcomer's first is a snapshot.
                self.flush_topic(&key, &self.called());
                self.viewers.insert(viewer, Viewer { topic: key.clone(), queue, look, draw });
                self.topics.entry(key.clone()).or_insert_with(|| Topic::new(key.0, key.1));
                let is_new = known.is_none();
                if let Some((old, ..)) = known {
                    self.forget_topic(&old);
                }
                if is_new { self.start(viewer, None) } else { self.resync(viewer) }
            }
            Asked::Resync { viewer } => self.resync(viewer),
            Asked::Look { viewer, key } => {
                let Some(known) = self.viewers.get_mut(&viewer) else { return };
                known.look = key;
                self.show(viewer, Owner::detail);
            }
            Asked::Draw { viewer, drawing } => {
                let Some(known) = self.viewers.get_mut(&viewer) else { return };
                known.draw = drawing;
                self.show(viewer, Owner::picture);
            }
            Asked::Leave { viewer } => self.leave(viewer),
            Asked::View(answer) => {
                let view = self.view();
                let _ = answer.send(view); // whoever asked may have gone
            }
            Asked::Picture(drawing, answer) => {
                let picture = self.history.picture(&self.cluster, &drawing, self.in_cluster());
                let _ = answer.send(picture.map(Arc::new)); // whoever asked may have gone
            }
        }
    }

    /// Whether there is no room for one more scope. A room's is not counted: whoever looks through it was let in.
    fn is_full(&self, key: &(Scope, Encoding)) -> bool {
        let is_counted = |encoding: Encoding| encoding != Encoding::Rows;
        let counted = self.topics.keys().filter(|(_, encoding)| is_counted(*encoding)).count();
        is_counted(key.1) && counted >= TOPICS && !self.topics.contains_key(key)
    }

    /// There is no room for one more scope.
    fn turn_away(&mut self, viewer: u64, queue: &Queue, encoding: Encoding) {
        tracing::warn!(
            topics = self.topics.len(),
            "too many different selections are watched; one was refused"
        );
        if encoding == Encoding::Binary {
            let why = NoSeat::Full.to_string();
            queue.push(Outgoing::of(&Frame::Bye { why, ended: false }));
        }
        queue.close();
        self.leave(viewer);
    }

    fn leave(&mut self, viewer: u64) {
        if let Some(gone) = self.viewers.remove(&viewer) {
            self.forget_topic(&gone.topic);
        }
    }

    fn forget_topic(&mut self, key: &(Scope, Encoding)) {
        if !self.viewers.values().any(|viewer| viewer.topic == *key) {
            self.topics.remove(key);
        }
    }

    /// Everything anew for somebody who may have lost what went before: what is being watched as well, which says how
    /// what follows is to be taken.
    fn resync(&mut self, viewer: u64) {
        let encoding = self.viewers.get(&viewer).map(|viewer| viewer.topic.1);
        let about = encoding.and_then(|encoding| self.told_about(encoding));
        self.start(viewer, about);
    }

    /// What there is, after what else is to be known.
    fn start(&mut self, viewer: u64, about: Option<Outgoing>) {
        let Some(seat) = self.viewers.get(&viewer) else { return };
        let key = seat.topic.clone();
        self.flush_topic(&key, &self.called());
        let Some(topic) = self.topics.get_mut(&key) else { return };
        let snapshot = topic.snapshot(&self.cluster);
        // A snapshot says what there is; how far that can be trusted, only a beat does.
        let beat = topic.beat(now(), &self.freshness.as_of());
        let Some(seat) = self.viewers.get(&viewer) else { return };
        seat.queue.restart(about, snapshot, self.beside(seat));
        // Of these it says nothing, but whoever has it takes all that is here for current.
        seat.queue.push(beat);
    }

    /// Sends what somebody has turned to; before, how its kind stands.
    fn show(&mut self, viewer: u64, what: fn(&Owner, &Viewer) -> Option<Outgoing>) {
        let Some(topic) = self.viewers.get(&viewer).map(|seat| seat.topic.clone()) else { return };
        self.flush_topic(&topic, &self.called());
        if let Some(seat) = self.viewers.get(&viewer)
            && let Some(outgoing) = what(self, seat)
        {
            seat.queue.push(outgoing);
        }
    }

    /// What somebody looks at beside rows.
    fn beside(&self, viewer: &Viewer) -> impl Iterator<Item = Outgoing> + use<> {
        [self.detail(viewer), self.picture(viewer)].into_iter().flatten()
    }

    fn detail(&self, viewer: &Viewer) -> Option<Outgoing> {
        Some(self.looked_at(viewer.look.as_ref()?))
    }

    fn looked_at(&self, key: &ObjectKey) -> Outgoing {
        Outgoing::of(&Frame::Detail { key: key.clone(), detail: detail_of(&self.cluster, key) })
    }

    fn picture(&self, viewer: &Viewer) -> Option<Outgoing> {
        Some(self.drawn(viewer.draw.as_ref()?))
    }

    fn drawn(&self, drawing: &Drawing) -> Outgoing {
        let picture = self.history.picture(&self.cluster, drawing, self.in_cluster()).map(Arc::new);
        Outgoing::of(&Frame::Picture { drawing: drawing.clone(), picture })
    }

    /// Sends the pictures that have changed to those who look at them.
    fn redraw(&mut self) {
        let changed = self.history.sample(&self.cluster, self.in_cluster());
        let mut frames: HashMap<&Drawing, Outgoing> = HashMap::new();
        for viewer in self.viewers.values() {
            if let Some(drawing) = viewer.draw.as_ref().filter(|drawing| changed.touches(&drawing.key)) {
                viewer.queue.push(frames.entry(drawing).or_insert_with(|| self.drawn(drawing)).clone());
            }
        }
    }

    fn flush(&mut self) {
        let keys: Vec<_> = self.topics.keys().cloned().collect();
        let called = self.called();
        keys.iter().for_each(|key| self.flush_topic(key, &called));
        // After how their kinds stand: what may not be seen any more has not gone.
        self.redraw();
        for key in std::mem::take(&mut self.details) {
            let frame = self.looked_at(&key);
            let looks = |viewer: &&Viewer| viewer.look.as_ref() == Some(&key);
            self.viewers.values().filter(looks).for_each(|viewer| viewer.queue.push(frame.clone()));
        }
    }

    /// What each kind is called now.
    fn called(&self) -> Vec<(Kind, KindState)> {
        let (as_of, now) = (self.freshness.as_of(), now());
        let of = |kind: Kind| as_of.iter().find(|(known, _)| *known == kind).map(|(_, at)| *at);
        Kind::ALL
            .iter()
            .map(|kind| (*kind, freshness::called(self.cluster.state(*kind), of(*kind), now)))
            .collect()
    }

    fn flush_topic(&mut self, key: &(Scope, Encoding), called: &[(Kind, KindState)]) {
        let Some(topic) = self.topics.get_mut(key) else { return };
        topic.call(called, &self.about.apart);
        let outgoing = if topic.wants_restart() {
            Some((topic.restart(&self.cluster), true))
        } else {
            topic.flush().map(|changes| (changes, false))
        };
        if let Some((outgoing, restart)) = outgoing {
            let about = if restart { self.told_about(key.1) } else { None };
            for viewer in self.viewers.values().filter(|viewer| viewer.topic == *key) {
                if restart {
                    viewer.queue.restart(about.clone(), outgoing.clone(), self.beside(viewer));
                } else {
                    viewer.queue.push(outgoing.clone());
                }
            }
        }
    }

    fn beat(&mut self) {
        // A seat that was dropped while the inbox was full.
        let closed: Vec<u64> =
            self.viewers.iter().filter(|(_, viewer)| viewer.queue.is_closed()).map(|(id, _)| *id).collect();
        closed.into_iter().for_each(|viewer| self.leave(viewer));
        self.numbers.sweep(&mut self.cluster);
        self.flush();
        let as_of = self.freshness.as_of();
        let beats: HashMap<_, _> =
            self.topics.iter().map(|(key, topic)| (key.clone(), topic.beat(now(), &as_of))).collect();
        for viewer in self.viewers.values() {
            if let Some(beat) = beats.get(&viewer.topic) {
                viewer.queue.push(beat.clone());
            }
        }
        self.view = None;
    }

    fn bye(&self, why: &str) {
        let bye = Outgoing::of(&Frame::Bye { why: why.to_owned(), ended: false });
        for viewer in self.viewers.values() {
            if viewer.topic.1 == Encoding::Binary {
                viewer.queue.push(bye.clone());
            }
            viewer.queue.close();
        }
    }

    /// What is being watched, as it is told to those who are to know.
    fn told_about(&self, encoding: Encoding) -> Option<Outgoing> {
        match encoding {
            Encoding::Binary => Some(Outgoing::of(&self.hello())),
            Encoding::Rows => Some(Outgoing::told(Told::About(self.about.clone()))),
            Encoding::Events => None,
        }
    }

    fn hello(&self) -> Frame {
        Frame::Hello {
            build: app::BUILD.to_owned(),
            epoch: self.epoch,
            about: self.about.clone(),
            now: now(),
        }
    }

    fn view(&mut self) -> Arc<View> {
        let (cluster, freshness, about, epoch) = (&self.cluster, &self.freshness, &self.about, self.epoch);
        let viewers = self.viewers.len();
        let (history, topics, uids) = (&self.history, self.topics.len(), self.numbers.len());
        let containers = self.containers.len();
        let strings = self.topics.values().map(Topic::strings).max().unwrap_or_default();
        let view = self.view.get_or_insert_with(|| {
            Arc::new(View {
                cluster: cluster.clone(),
                as_of: freshness.as_of(),
                about: about.clone(),
                is_part: freshness.is_told(),
                epoch,
                viewers,
                remembers: Remembers { topics, uids, containers, strings, ..history.remembers() },
            })
        });
        view.clone()
    }
}

/// Whether some kind is refused in a namespace, or watched no more, that was not before.
fn sees_less(before: &Apart, now: &Apart) -> bool {
    now.iter().any(|(kind, now)| {
        before.get(kind).is_none_or(|before| {
            let refused = now.iter().any(|each| !each.1 && !before.contains(each));
            refused || before.iter().any(|each| each.1 && !now.contains(each))
        })
    })
}

/// The detail of an object, if there is one by that name.
pub fn detail_of(cluster: &Cluster, key: &ObjectKey) -> Option<Arc<Detail>> {
    struct Find<'a>(&'a Cluster, &'a ObjectKey);
    impl app::model::WithRow for Find<'_> {
        type Out = Option<Arc<Detail>>;
        fn with<T: Row>(self) -> Self::Out {
            T::rows(self.0).named(&self.1.namespace, &self.1.name)?.detail().cloned()
        }
    }
    key.kind.with_row(Find(cluster, key))
}

/// Folds a change of any kind into the owner's model and offers it to every topic.
struct Fold<'a> {
    owner: &'a mut Owner,
    within: Option<Text>,
}

impl Visit for Fold<'_> {
    type Out = ();

    fn state(self, kind: Kind, state: KindState) {
        self.owner.set_state(kind, state);
    }

    fn rows<T: Row>(self, delta: Delta<T>) {
        let owner = self.owner;
        match delta {
            Delta::Put(row) => owner.put(Arc::unwrap_or_clone(row)),
            Delta::Gone(uid) => {
                if let Some(uid) = owner.numbers.known(uid) {
                    owner.gone::<T>(uid);
                }
            }
            Delta::Reset(rows) => {
                // Deletions during a gap have no event of their own: what is not listed is gone.
                let mut listed = HashSet::with_capacity(rows.len());
                for row in rows {
                    let mut row = Arc::unwrap_or_clone(row);
                    owner.numbers.renumber(&mut row);
                    listed.insert(row.meta().uid);
                    owner.put_numbered(row);
                }
                let gone: Vec<_> = T::rows(&owner.cluster)
                    .iter()
                    .map(|row| row.meta())
                    .filter(|meta| self.within.as_ref().is_none_or(|namespace| meta.namespace == *namespace))
                    .filter(|meta| !listed.contains(&meta.uid))
                    .map(|meta| meta.uid)
                    .collect();
                gone.into_iter().for_each(|uid| owner.gone::<T>(uid));
            }
        }
    }
}

impl Owner {
    fn put<T: Row>(&mut self, mut row: T) {
        self.numbers.renumber(&mut row);
        self.put_numbered(row);
    }

    fn put_numbered<T: Row>(&mut self, row: T) {
        let uid = row.meta().uid;
        let old = T::rows(&self.cluster).get(uid).cloned();
        if old.as_deref() == Some(&row) {
            return; // a heartbeat, a field nobody shows
        }
        // The same name with another uid: the deletion in between was not seen.
        if let Some(replaced) = T::rows(&self.cluster).replaced_by(row.meta()) {
            self.gone::<T>(replaced);
        }
        let old_hash = T::rows(&self.cluster).hash_of(uid);
        let row = Arc::new(row);
        let now = self.in_cluster();
        self.history.put(&*row, now);
        T::rows_mut(&mut self.cluster).apply(Delta::Put(row.clone()));
        let new_hash = T::rows(&self.cluster).hash_of(uid);
        let other_detail = old.as_ref().and_then(|old| old.detail()) != row.detail();
        for topic in self.topics.values_mut() {
            if old_hash != new_hash || other_detail && topic.has_details() {
                topic.offer(old.as_ref().zip(old_hash), Some(&row).zip(new_hash));
            }
        }
        if other_detail {
            self.detail_changed(&*row);
        }
        let any: &dyn Any = &*row;
        if let Some(pod) = any.downcast_ref::<Pod>() {
            self.put_containers(pod);
        } else if let Some(event) = any.downcast_ref::<Event>().filter(|event| containers::tells(event))
            && let Some(pod) = self.containers.hear(event)
            && let Some(pod) = Pod::rows(&self.cluster).get(pod).cloned()
        {
            self.put_containers(&pod);
        }
    }

    fn put_containers(&mut self, pod: &Pod) {
        for (nth, container) in self.containers.of(pod, self.in_cluster()).into_iter().enumerate() {
            let uid = self.numbers.part(pod.meta.uid, nth);
            let meta = Meta { uid, ..container.meta };
            self.put_numbered(Container { meta, ..container });
        }
    }

    fn gone<T: Row>(&mut self, uid: Uid) {
        let Some(old) = T::rows(&self.cluster).get(uid).cloned() else { return };
        let hash = T::rows(&self.cluster).hash_of(uid);
        let now = self.in_cluster();
        self.history.gone(&self.cluster, &*old, now);
        T::rows_mut(&mut self.cluster).apply(Delta::Gone(uid));
        for topic in self.topics.values_mut() {
            topic.offer(Some(&old).zip(hash), None);
        }
        self.detail_changed(&*old);
        let any: &dyn Any = &*old;
        if let Some(pod) = any.downcast_ref::<Pod>() {
            self.containers.forget(uid);
            for nth in 0..pod.detail.containers.len() {
                let container = self.numbers.part(uid, nth);
                self.gone::<Container>(container);
            }
        }
    }

    fn detail_changed<T: Row>(&mut self, row: &T) {
        let meta = row.meta();
        let looks = |key: &&ObjectKey| {
            key.kind == T::KIND && key.name == *meta.name && key.namespace == meta.namespace.as_str()
        };
        let looked_at = self.viewers.values().filter_map(|viewer| viewer.look.as_ref());
        self.details.extend(looked_at.filter(looks).cloned());
    }
}
