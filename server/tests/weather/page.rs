//! A page without a browser: the page's own store, clock and reading of the protocol, and a socket that is opened again
//! whenever it is lost.

use std::{
    io::Read,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use app::{
    api::{Kind, Kinds, Millis, ObjectKey},
    clock::{Clock, Told},
    model::Cluster,
    seed::Seed,
    store::{Link, Store},
    wire::{
        self, About, Ask, Frame,
        follow::{self, Beat, Followed, Follower, Owed},
    },
};
use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use http::{HeaderValue, Request, header};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use server::hub::now;
use tokio::{
    io::DuplexStream,
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, MissedTickBehavior},
};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};

use super::truth::{Eye, drawn, looked_at};

/// What a page does that no page of ours does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rude {
    /// Sends bytes that are no question.
    Garbage,
    /// Asks and asks.
    Flood,
    /// Looks at other kinds as well from now on.
    Elsewhere,
}

/// How far one socket has been followed.
#[derive(Default)]
struct Reading {
    follower: Follower,
    owed: Owed,
    is_live: bool,
}

/// Who waits so long for a document loads it anew.
const DOCUMENT: Duration = Duration::from_secs(60);

/// How a page gets a connection: nothing while there is no Masthead.
pub type Connect = Arc<dyn Fn() -> Option<DuplexStream> + Send + Sync>;

/// What one page has and is told.
#[derive(Clone)]
pub struct Page {
    store: Arc<Mutex<Store>>,
    clock: Arc<Mutex<Clock>>,
    /// How far its own clock is ahead of the world's, in milliseconds.
    ahead: Arc<AtomicI64>,
    kinds: Arc<Mutex<Kinds>>,
    /// What of the cluster it sees.
    pub eye: Eye,
    asleep: watch::Sender<bool>,
    /// Its program runs, and not only its document is there.
    runs: Arc<AtomicBool>,
    /// So long after its document its program comes, when it is loaded anew.
    loads: watch::Sender<Option<Duration>>,
    rude: mpsc::Sender<Rude>,
    /// A real page was drawn by the first server it hears.
    has_entered: Arc<AtomicBool>,
    /// It is about one object as well, see [`looked_at`], and about a picture, see [`drawn`].
    looks: bool,
    /// See [`Page::may_be_off`].
    off: Arc<AtomicBool>,
}

impl Page {
    /// A page, and its life.
    pub fn new(
        connect: Connect,
        kinds: Kinds,
        eye: Eye,
        ahead: i64,
        looks: bool,
    ) -> (Page, impl Future<Output = ()> + Send) {
        let seed = Seed::choose(&Cluster::default(), "/pods", &About::default(), 0, &[], now());
        let (rude, rudely) = mpsc::channel(16);
        let page = Page {
            store: Arc::new(Mutex::new(Store::new(&seed))),
            clock: Arc::default(),
            ahead: Arc::new(AtomicI64::new(ahead)),
            kinds: Arc::new(Mutex::new(kinds)),
            eye,
            asleep: watch::Sender::new(false),
            runs: Arc::new(AtomicBool::new(true)),
            loads: watch::Sender::new(None),
            rude,
            has_entered: Arc::default(),
            looks,
            off: Arc::default(),
        };
        page.hear(now());
        // From now on, and not from when it first runs.
        let loads = page.loads.subscribe();
        (page.clone(), page.live(connect, loads, rudely))
    }

    /// What it shows.
    pub fn store(&self) -> Store {
        self.store.lock().expect("no panic").clone()
    }

    /// Somebody loads it anew. Its program comes so long after its document.
    pub fn load(&self, later: Duration) {
        self.runs.store(false, Ordering::Relaxed);
        self.loads.send_replace(Some(later));
    }

    /// The computer it is on is closed, or opened again. What the page shows meanwhile nobody sees.
    pub fn sleep(&self, asleep: bool) {
        if asleep {
            self.put_off();
        }
        self.asleep.send_replace(asleep);
    }

    /// Messages come late from now on, or have.
    pub fn put_off(&self) {
        self.off.store(true, Ordering::Relaxed);
    }

    /// Whether what it takes for the time may be off: by its messages, which told it late, or by its own clock.
    pub fn may_be_off(&self) -> bool {
        self.off.load(Ordering::Relaxed)
    }

    /// Whether rows of this kind are on it.
    pub fn shows(&self, kind: Kind) -> bool {
        self.kinds().contains(kind)
    }

    /// Whether it is about one pod as well, and about a picture.
    pub fn looks(&self) -> bool {
        self.looks
    }

    /// Whether nobody sees what it says: its computer sleeps, or of it there is its document only, which says of when it is.
    pub fn is_unseen(&self) -> bool {
        *self.asleep.borrow() || !self.runs.load(Ordering::Relaxed)
    }

    /// Does something that pages do not do.
    pub fn be_rude(&self, rude: Rude) {
        let _ = self.rude.try_send(rude); // there may be much rudeness already
    }

    /// Its own clock is put on, or back, by so many milliseconds. It looks at it each second.
    pub fn put_clock(&self, later: i64) {
        self.put_off();
        self.ahead.fetch_add(later, Ordering::Relaxed);
    }

    /// How far its own clock is ahead of the world's, in milliseconds.
    pub fn ahead(&self) -> i64 {
        self.ahead.load(Ordering::Relaxed)
    }

    fn own_clock(&self) -> Millis {
        now().later(self.ahead())
    }

    fn tick(&self) {
        let server = self.clock.lock().expect("no panic").at(self.own_clock());
        self.store().tick(server);
        self.store().set_browser_behind(self.clock.lock().expect("no panic").apart());
    }

    fn hear(&self, server: Millis) {
        self.clock.lock().expect("no panic").hear(server, self.own_clock());
    }

    fn told(&self, told: &mut Told, theirs: Millis) {
        told.tells(&mut self.clock.lock().expect("no panic"), theirs, self.own_clock());
        self.tick();
    }

    fn kinds(&self) -> Kinds {
        *self.kinds.lock().expect("no panic")
    }

    async fn live(
        self,
        connect: Connect,
        mut loads: watch::Receiver<Option<Duration>>,
        mut rude: mpsc::Receiver<Rude>,
    ) {
        let mut later = None;
        loop {
            tokio::select! {
                biased;
                Ok(()) = loads.changed() => later = *loads.borrow_and_update(),
                () = self.run(&connect, later, &mut rude) => {}
            }
        }
    }

    /// From its document to its program.
    async fn begin(&self, connect: &Connect, later: Duration) {
        let (seed, came) = loop {
            self.awake().await;
            match self.document(connect).await {
                Some(document) => break document,
                // Somebody tries again.
                None => tokio::time::sleep(Duration::from_secs(1)).await,
            }
        };
        tokio::time::sleep(later).await;
        self.awake().await;
        *self.store.lock().expect("no panic") = Store::new(&seed);
        self.clock.lock().expect("no panic").forget();
        self.has_entered.store(true, Ordering::Relaxed);
        let came = self.own_clock().later(-(came.elapsed().as_millis() as i64));
        self.clock.lock().expect("no panic").hear(seed.now, came);
        self.tick();
        self.runs.store(true, Ordering::Relaxed);
        // Its first socket takes its time.
        self.wait(Duration::from_millis(fastrand::u64(0..1_500))).await;
    }

    /// What Masthead has drawn, and when that began to come.
    async fn document(&self, connect: &Connect) -> Option<(Seed, Instant)> {
        let (mut asks, connection) = http1::handshake(TokioIo::new(connect()?)).await.ok()?;
        let mut driving = JoinSet::new();
        driving.spawn(connection);
        let request = Request::get(self.path()).header(header::HOST, "masthead.test");
        let request = request.body(Empty::<Bytes>::new()).expect("a request");
        let answer = async {
            let answer = asks.send_request(request).await.ok()?;
            let came = Instant::now();
            let body = answer.into_body().collect().await.ok()?.to_bytes();
            let (_, seed) = std::str::from_utf8(&body).ok()?.split_once("id=\"seed\">")?;
            Some((Seed::from_text(seed.split('<').next()?)?, came))
        };
        tokio::time::timeout(DOCUMENT, answer).await.ok()?
    }

    /// Where it is.
    fn path(&self) -> String {
        match (self.looks, looked_at()) {
            (true, ObjectKey { kind, namespace, name }) => format!("/{}/{namespace}/{name}", kind.plural()),
            (false, _) => "/pods".to_owned(),
        }
    }

    async fn run(&self, connect: &Connect, later: Option<Duration>, rude: &mut mpsc::Receiver<Rude>) {
        if let Some(later) = later {
            self.begin(connect, later).await;
        }
        let mut attempt = 0;
        loop {
            let (was_live, why) = match connect() {
                Some(cable) => self.session(cable, rude).await,
                None => (false, "Masthead does not answer".to_owned()),
            };
            attempt = if was_live { 0 } else { attempt + 1 };
            let wait = follow::wait_ms(attempt, fastrand::f64());
            let since = Millis(now().0);
            self.store().set_link(Link::Retrying { since, attempt, why, next_at: since });
            self.wait(Duration::from_millis(wait as u64)).await;
        }
    }

    async fn wait(&self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            tokio::time::sleep_until(until.min(Instant::now() + Duration::from_secs(1))).await;
            self.awake().await;
            self.tick();
        }
    }

    async fn awake(&self) {
        let mut asleep = self.asleep.subscribe();
        let _ = asleep.wait_for(|asleep| !asleep).await; // its sender is ours
    }

    /// One socket; see `app/src/live/session.rs`. Whether it was live, and why it ended.
    async fn session(&self, cable: DuplexStream, rude: &mut mpsc::Receiver<Rude>) -> (bool, String) {
        let mut read = Reading::default();
        let first = self.kinds();
        let names: Vec<_> = first.iter().map(|kind| kind.plural()).collect();
        let url = format!("ws://masthead.test/live?kinds={}{}", names.join(","), self.eye.query());
        let mut request = url.into_client_request().expect("a request");
        request.headers_mut().insert("origin", HeaderValue::from_static("http://masthead.test"));
        let mut told = Told::new(self.own_clock(), now());
        let opened = tokio::select! {
            biased;
            opened = tokio_tungstenite::client_async(request, cable) => opened,
            () = self.wait(Duration::from_secs(20)) => return (false, "no answer".to_owned()),
        };
        let Ok((socket, _)) = opened else { return (false, "no socket".to_owned()) };
        let (mut sink, mut socket) = socket.split();
        // As a browser does: whoever sends does not wait until it has been sent.
        let (sender, mut sent) = mpsc::channel::<Message>(256);
        let mut sending = JoinSet::new();
        sending.spawn(async move {
            while let Some(message) = sent.recv().await {
                if sink.send(message).await.is_err() {
                    return;
                }
            }
        });
        let mut asked = first;
        if self.looks {
            ask(&sender, &Ask::Look(Some(looked_at())));
            read.owed.look(Some(looked_at()));
            ask(&sender, &Ask::Draw(Some(drawn())));
            read.owed.draw(Some(drawn()));
        }
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.awake().await;
            let why = tokio::select! {
                message = socket.next() => {
                    self.awake().await;
                    match message {
                        Some(Ok(Message::Binary(bytes))) => {
                            match told.heard(self.own_clock(), now()) {
                                Some(why) => Some(why.to_owned()),
                                None => {
                                    let asked = (first, &mut asked);
                                    self.message(&bytes, &mut read, &mut told, &sender, asked).err()
                                }
                            }
                        }
                        Some(Ok(_)) => None,
                        Some(Err(error)) => Some(error.to_string()),
                        None => Some("closed".to_owned()),
                    }
                }
                _ = tick.tick() => {
                    self.awake().await;
                    self.tick();
                    told.gone(self.own_clock(), now()).map(str::to_owned)
                }
                Some(rude) = rude.recv() => {
                    self.rudeness(rude, &sender, &mut asked);
                    None
                }
            };
            if let Some(why) = why {
                return (read.is_live, why);
            }
        }
    }

    fn message(
        &self,
        bytes: &[u8],
        read: &mut Reading,
        told: &mut Told,
        socket: &mpsc::Sender<Message>,
        (first, asked): (Kinds, &mut Kinds),
    ) -> Result<(), String> {
        let frame = wire::frame(bytes).map_err(|error| error.to_string())?;
        let about = read.follower.about_before(&frame);
        self.about(about, read);
        match frame {
            Frame::Hello { epoch, about, now, .. } => {
                if self.store().enter(epoch, first) && self.has_entered.swap(true, Ordering::Relaxed) {
                    self.clock.lock().expect("no panic").forget();
                }
                self.told(told, now);
                self.store().set_ahead(about.ahead);
                read.follower.hello(about);
            }
            Frame::Snapshot { seq, packed } => {
                let mut inflated = Vec::new();
                let opened = flate2::read::GzDecoder::new(&packed.0[..]).read_to_end(&mut inflated);
                opened.map_err(|error| error.to_string())?;
                let all = read.follower.snapshot(seq, &inflated).map_err(|error| error.to_string())?;
                self.store().reset(all);
                let about = read.follower.about_now();
                self.about(about, read);
            }
            Frame::Changes { seq, changes } => match read.follower.changes(seq, &changes) {
                Followed::Changes(changes) => self.store().apply(changes),
                Followed::LeftOut => {}
                Followed::Resync => ask(socket, &Ask::Resync),
            },
            Frame::Beat { seq, now, hash, as_of } => {
                self.told(told, now);
                match read.follower.beat(seq, hash, as_of, |kinds| self.store().hash(kinds)) {
                    Beat::Confirmed(as_of) => self.store().set_as_of(as_of),
                    Beat::Unknown => {}
                    Beat::Resync => ask(socket, &Ask::Resync),
                }
            }
            Frame::Bye { why, .. } => return Err(why),
            Frame::Detail { .. } | Frame::Picture { .. } if read.follower.is_behind() => {}
            Frame::Detail { key, detail } => {
                read.owed.detail(&key);
                self.store().set_detail(key, detail);
            }
            Frame::Picture { drawing, picture } => {
                read.owed.picture(&drawing);
                self.store().set_picture(drawing.key, picture);
            }
        }
        if !read.is_live && read.follower.has_snapshot() && read.owed.is_nothing() {
            read.is_live = true;
            self.store().set_link(Link::Live);
        }
        let wanted = self.kinds();
        if !asked.covers(wanted) {
            *asked = wanted;
            ask(socket, &Ask::Kinds(wanted));
        }
        Ok(())
    }

    fn about(&self, about: Option<About>, read: &Reading) {
        if let Some(about) = about {
            self.store().set_about(about, read.follower.kinds());
        }
    }

    fn rudeness(&self, rude: Rude, socket: &mpsc::Sender<Message>, asked: &mut Kinds) {
        match rude {
            Rude::Garbage => send(socket, vec![0xff; 40]),
            Rude::Flood => (0..80).for_each(|_| ask(socket, &Ask::Resync)),
            Rude::Elsewhere => {
                *self.kinds.lock().expect("no panic") = Kinds::all();
                *asked = Kinds::all();
                ask(socket, &Ask::Kinds(Kinds::all()));
            }
        }
    }
}

fn ask(socket: &mpsc::Sender<Message>, ask: &Ask) {
    send(socket, wire::to_bytes(ask));
}

fn send(socket: &mpsc::Sender<Message>, bytes: Vec<u8>) {
    let _ = socket.try_send(Message::Binary(bytes.into())); // more than that nobody asks before it is cut off
}
