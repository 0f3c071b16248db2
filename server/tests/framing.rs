//! ① against answers about pods that are none, below the level of bodies: over HTTP/1.1 chunks, lengths and heads that
//! are wrong, cut off or without an end, over HTTP/2 streams that are reset and connections that are left. They are
//! never taken for what there is, cost their own kind alone, and are not asked for in a loop.

// A test that cannot go on should stop.
#![allow(clippy::expect_used)]

mod viewer;

use std::{
    convert::Infallible,
    io,
    panic::{self, AssertUnwindSafe},
    path::PathBuf,
    pin::pin,
    sync::{
        Arc, LazyLock, Mutex, Once,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use app::api::{Kind, KindState, Millis};
use axum::{Router, body::Body, response::Response};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::{FutureExt, StreamExt, future, stream};
use http::{
    Request,
    header::{ACCEPT, CONTENT_TYPE, DATE},
};
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use server::{
    demo::{self, Demo, Gone},
    hub::{Seat, now},
    source::{credentials::Purpose, kubeconfig},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{Instant, MissedTickBehavior},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use viewer::{Viewer, pod, watching};

/// What nothing here takes.
const PATIENCE: Duration = Duration::from_secs(60);
/// By then it is found what has become of a connection.
const FOUND: Duration = Duration::from_secs(10);
/// By then all is well again: a request without an answer is given up after 15 s, and the next may be 19 s later.
const SETTLED: Duration = Duration::from_secs(40);
/// How long it is watched what comes of a fault.
const HOLD: Duration = Duration::from_secs(5);
/// Requests for pods in that time, and in what it takes nodes to be confirmed once more: ten tries at most, as pauses
/// grow and may begin again with each other pulse, of four requests each.
const MOST: usize = 60;
/// The most that is taken of a head without an end (hyper's `DEFAULT_MAX_BUFFER_SIZE`), with room for what is under way.
const HEAD: usize = 700 << 10;
/// Between two pieces of what has no end. Without it a test would show how fast this machine is.
const PACE: Duration = Duration::from_millis(10);

/// The end of a chunked body.
const LAST: &[u8] = b"0\r\n\r\n";
/// There are no pods, it says.
const NONE: &[u8] =
    br#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1000000"},"items":[]}"#;

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    /// The largest chunk that can be said.
    LargestChunk,
    /// A larger one.
    TooLargeChunk,
    /// The size of a chunk that is no number.
    NoNumber,
    CutInSize,
    CutInData,
    NoLastChunk,
    /// The last chunk, as it should be, of a watch that has hardly begun.
    TooSoon,
    /// Another answer right after it, that nobody asked for.
    Unasked,
    LongerLength,
    ShorterLength,
    EndlessHeaders,
    EndlessHeader,
    EndlessContinue,
    EndlessHints,
    NoStatus,
    /// RST_STREAM in the middle of the body.
    Reset,
    /// GOAWAY in the middle of the body, and then the end of the connection.
    GoAway,
}

const OVER_HTTP1: [Broken; 15] = [
    Broken::LargestChunk,
    Broken::TooLargeChunk,
    Broken::NoNumber,
    Broken::CutInSize,
    Broken::CutInData,
    Broken::NoLastChunk,
    Broken::TooSoon,
    Broken::Unasked,
    Broken::LongerLength,
    Broken::ShorterLength,
    Broken::EndlessHeaders,
    Broken::EndlessHeader,
    Broken::EndlessContinue,
    Broken::EndlessHints,
    Broken::NoStatus,
];
const OVER_HTTP2: [Broken; 2] = [Broken::Reset, Broken::GoAway];

/// Which answers are broken. The pulse reads lists, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    Lists,
    Watches,
}

type Fault = (Broken, On);

impl Broken {
    /// What is sent over HTTP/1.1 instead of an answer with this body, and what after that again and again.
    fn bytes(self, body: &[u8]) -> (Vec<u8>, &'static str) {
        let (half, rest) = body.split_at(body.len() / 2);
        let whole = chunked(&[&chunk(body), LAST]);
        let of_length = |length: usize| [head(&format!("Content-Length: {length}")), body.to_vec()].concat();
        let first = match self {
            Broken::LargestChunk => chunked(&[b"ffffffffffffffff\r\n", body]),
            Broken::TooLargeChunk => chunked(&[b"1ffffffffffffffff\r\n", body]),
            Broken::NoNumber => chunked(&[&chunk(half), b"zz\r\n", rest]),
            Broken::CutInSize => chunked(&[&chunk(half), b"1"]),
            Broken::CutInData => chunked(&[format!("{:x}\r\n", body.len()).as_bytes(), half]),
            Broken::NoLastChunk => chunked(&[&chunk(body)]),
            Broken::TooSoon => whole,
            Broken::Unasked => [whole, chunked(&[&chunk(NONE), LAST])].concat(),
            Broken::LongerLength => of_length(body.len() + 1000),
            Broken::ShorterLength => of_length(half.len()),
            Broken::EndlessHeaders => b"HTTP/1.1 200 OK\r\n".to_vec(),
            Broken::EndlessHeader => b"HTTP/1.1 200 OK\r\nx-nothing: ".to_vec(),
            Broken::NoStatus => b"I am no API server\r\n\r\n".to_vec(),
            Broken::EndlessContinue | Broken::EndlessHints | Broken::Reset | Broken::GoAway => Vec::new(),
        };
        let then = match self {
            Broken::EndlessHeaders => "x-nothing: of interest\r\n",
            Broken::EndlessHeader => "of interest ",
            Broken::EndlessContinue => "HTTP/1.1 100 Continue\r\n\r\n",
            Broken::EndlessHints => "HTTP/1.1 103 Early Hints\r\nx-nothing: of interest\r\n\r\n",
            _ => "",
        };
        (first, then)
    }

    /// Whether the connection looks as if it could be used again.
    fn stays_open(self) -> bool {
        matches!(self, Broken::TooSoon | Broken::Unasked | Broken::ShorterLength)
    }
}

fn head(length: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{length}\r\n\r\n").into_bytes()
}

fn chunked(parts: &[&[u8]]) -> Vec<u8> {
    [head("Transfer-Encoding: chunked"), parts.concat()].concat()
}

/// A chunk with this in it; none for nothing, as that would be the last.
fn chunk(data: &[u8]) -> Vec<u8> {
    match data {
        [] => Vec::new(),
        data => [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat(),
    }
}

/// A certificate that vouches for itself, and TLS with it.
static TLS: LazyLock<(String, TlsAcceptor)> = LazyLock::new(|| {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(signing_key.serialize_pem().as_bytes()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .expect("a certificate");
    config.alpn_protocols = vec![b"h2".to_vec()];
    (cert.pem(), TlsAcceptor::from(Arc::new(config)))
});

/// The demo on a port, where some answers about pods are broken. A cheap clone.
#[derive(Clone)]
struct Front {
    router: Router,
    fault: watch::Sender<Option<Fault>>,
    /// Requests for pods while there was one.
    asked: Arc<AtomicUsize>,
    /// The most bytes that were taken of something without an end.
    taken: Arc<AtomicUsize>,
    /// Connections that there have been.
    opened: watch::Sender<usize>,
    /// With each change those that there are over HTTP/2 are left, and held as soon as there is another one.
    left: watch::Sender<()>,
    held: CancellationToken,
}

impl Front {
    async fn start(demo: &Demo, is_http2: bool) -> (Front, u16, JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let front = Front {
            router: demo.router(),
            fault: watch::Sender::new(None),
            asked: Arc::default(),
            taken: Arc::default(),
            opened: watch::Sender::new(0),
            left: watch::Sender::new(()),
            held: CancellationToken::new(),
        };
        let accepting = front.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                let _ = stream.set_nodelay(true); // whoever is gone again is not in a hurry
                accepting.opened.send_modify(|opened| *opened += 1);
                let (front, nth) = (accepting.clone(), *accepting.opened.borrow());
                match is_http2 {
                    true => open.spawn(front.over_http2(stream, nth)),
                    false => open.spawn(front.over_http1(stream).map(drop)),
                };
            }
        });
        (front, port, tasks)
    }

    /// What is broken of the answer to this, if anything is.
    fn broken(&self, target: &str) -> Option<Broken> {
        let (broken, on) = (*self.fault.borrow())?;
        if !target.contains("/pods?") {
            return None;
        }
        self.asked.fetch_add(1, Ordering::Relaxed);
        let is_watch = target.contains("watch=1");
        (is_watch == (on == On::Watches)).then_some(broken)
    }

    async fn over_http1(self, mut stream: TcpStream) -> io::Result<()> {
        while let Some(target) = next_target(&mut stream).await? {
            let broken = self.broken(&target);
            let answer = ask(self.router.clone(), &target).await;
            let Some(broken) = broken else {
                forward(&mut stream, answer).await?;
                continue;
            };
            let (first, then) = broken.bytes(&told(answer.into_body()));
            stream.write_all(&first).await?;
            if !then.is_empty() {
                let mut lifted = self.fault.subscribe();
                tokio::select! {
                    ended = flood(&mut stream, then, &self.taken) => return ended,
                    () = async { let _ = lifted.wait_for(Option::is_none).await; } => {}
                }
            }
            if !broken.stays_open() {
                break;
            }
        }
        Ok(())
    }

    async fn over_http2(self, stream: TcpStream, nth: usize) {
        let (mut opened, mut left) = (self.opened.subscribe(), self.left.subscribe());
        let Ok(stream) = TLS.1.accept(stream).await else { return };
        let torn = CancellationToken::new();
        let (front, tears) = (self.clone(), torn.clone());
        let service =
            service_fn(move |request: Request<Incoming>| front.clone().answer(request, tears.clone()));
        let mut connection =
            pin!(http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service));
        let is_held = tokio::select! {
            _ = connection.as_mut() => return,
            () = torn.cancelled() => false,
            _ = left.changed() => true,
        };
        connection.as_mut().graceful_shutdown();
        // Whoever has heard of it comes back over another, the pulse at the latest.
        tokio::select! {
            _ = connection.as_mut() => return,
            () = async { let _ = opened.wait_for(|opened| *opened > nth).await; } => {}
        }
        if is_held {
            self.held.cancel();
            // Its socket stays open, and nobody reads or writes.
            future::pending::<()>().await;
        }
    }

    async fn answer(
        self,
        request: Request<Incoming>,
        torn: CancellationToken,
    ) -> Result<Response, Infallible> {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str()).to_owned();
        let broken = self.broken(&target);
        let answer = ask(self.router, &target).await;
        let Some(broken) = broken else { return Ok(answer) };
        Ok(answer.map(|body| {
            let mut half = told(body);
            half.truncate(half.len() / 2);
            let end = async move {
                // A reset at once would take back what has not been sent by then.
                tokio::time::sleep(PACE).await;
                if broken == Broken::GoAway {
                    torn.cancel();
                    future::pending::<()>().await;
                }
                Err::<Bytes, _>(io::Error::other("reset"))
            };
            let half = stream::iter([Ok::<_, io::Error>(Bytes::from(half))]);
            Body::from_stream(half.chain(stream::once(end)))
        }))
    }
}

/// What is asked for next over HTTP/1.1, if anything is.
async fn next_target(stream: &mut TcpStream) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(None);
        }
    }
    Ok(String::from_utf8_lossy(&head).split(' ').nth(1).map(str::to_owned))
}

async fn ask(router: Router, target: &str) -> Response {
    let request = Request::get(target).header(ACCEPT, "application/json").body(Body::empty());
    router.oneshot(request.expect("a request")).await.expect("an answer")
}

/// What there is of a body now: of a list all, of a watch what has happened.
fn told(body: Body) -> Vec<u8> {
    let mut pieces = body.into_data_stream();
    let mut told = Vec::new();
    while let Some(Some(piece)) = pieces.next().now_or_never() {
        told.extend_from_slice(&piece.expect("bytes"));
    }
    told
}

/// An answer as it is, piece by piece.
async fn forward(stream: &mut TcpStream, answer: Response) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {}\r\nTransfer-Encoding: chunked\r\n", answer.status());
    for name in [CONTENT_TYPE, DATE] {
        if let Some(value) = answer.headers().get(&name) {
            head.push_str(&format!("{name}: {}\r\n", value.to_str().expect("text")));
        }
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await?;
    let mut pieces = answer.into_body().into_data_stream();
    while let Some(piece) = pieces.next().await {
        stream.write_all(&chunk(&piece.expect("bytes"))).await?;
    }
    stream.write_all(LAST).await
}

/// The same again and again, until nobody takes it any more.
async fn flood(stream: &mut TcpStream, again: &str, most: &AtomicUsize) -> io::Result<()> {
    let piece = again.repeat(2048 / again.len());
    let mut pace = tokio::time::interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut taken = 0;
    loop {
        pace.tick().await;
        stream.write_all(piece.as_bytes()).await?;
        taken += piece.len();
        most.fetch_max(taken, Ordering::Relaxed);
    }
}

/// Where panics were that are no test's.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Tasks that panic are missed by nobody otherwise.
fn hear_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let at = info.location().map(ToString::to_string).unwrap_or_default();
            if !at.contains("/tests/") {
                PANICS.lock().expect("no panic").push(at);
            }
            usual(info);
        }));
    });
}

/// A kubeconfig.
struct File(PathBuf);

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Masthead, which may see pods and nodes alone, so that every other pulse reads pods.
struct Stage {
    name: String,
    demo: Demo,
    front: Front,
    seat: Seat,
    viewer: Viewer,
    /// Which pods there are, and were; by then it was so.
    truths: Vec<(Millis, &'static [&'static str])>,
    _kubeconfig: File,
    _tasks: [JoinSet<()>; 2],
}

impl Stage {
    async fn new(name: String, is_http2: bool) -> Stage {
        hear_panics();
        let demo = demo::start(demo::Options { play: false, ..demo::Options::default() });
        let seen = [Kind::Pod, Kind::Node];
        for kind in Kind::ALL.iter().filter(|kind| !seen.contains(&kind.watched())) {
            demo.faults().set(kind.plural(), demo::Fault::Answer(403));
        }
        demo.put(serde_json::json!({"kind": "Node", "metadata": {"name": "worker"}}));
        demo.put(pod("gone", &[]));
        let gone: &'static [&'static str] = &["gone"];
        let truths = vec![(now(), gone)];
        let (front, port, serving) = Front::start(&demo, is_http2).await;
        let server = match is_http2 {
            true => format!("https://localhost:{port}"),
            false => format!("http://127.0.0.1:{port}"),
        };
        let authority = STANDARD.encode(&TLS.0);
        let file = format!("masthead-framing-{}-{port}", std::process::id());
        let kubeconfig = File(std::env::temp_dir().join(file));
        let config = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: test\n\
             clusters:\n- name: it\n  cluster: {{server: '{server}', certificate-authority-data: '{authority}'}}\n\
             users:\n- name: me\n  user: {{token: first}}\n\
             contexts:\n- name: test\n  context: {{cluster: it, user: me}}\n"
        );
        std::fs::write(&kubeconfig.0, config).expect("a file");
        let purpose = Purpose { reviews: false, watches: Kind::ALL.len() };
        let found = kubeconfig::find(Some(kubeconfig.0.clone()), None, purpose).await;
        let (seat, tasks) = watching(found.expect("a cluster").api).await;
        let viewer = Viewer::default();
        Stage { name, demo, front, seat, viewer, truths, _kubeconfig: kubeconfig, _tasks: [serving, tasks] }
    }

    fn put(&mut self, name: &str, makes: &'static [&'static str]) {
        self.demo.put(pod(name, &[]));
        self.truths.push((now(), makes));
    }

    fn remove(&mut self, name: &str, makes: &'static [&'static str]) {
        assert!(self.demo.remove("pods", "default", name));
        self.truths.push((now(), makes));
    }

    /// A frame. What it confirms as of some moment is all there was by then, or later.
    fn take(&mut self, bytes: &[u8]) {
        self.viewer.take(bytes);
        let Some(as_of) = self.viewer.as_of(Kind::Pod) else { return };
        let (pods, last) = (self.viewer.pods(), self.truths.iter().rposition(|(at, _)| *at < as_of));
        let truths = &self.truths[last.unwrap_or(0)..];
        assert!(
            truths.iter().any(|(_, truth)| pods == *truth),
            "{}: {pods:?} are confirmed as of {as_of:?}, and there were {truths:?}",
            self.name
        );
    }

    async fn until(&mut self, what: &str, limit: Duration, done: impl Fn(&Viewer) -> bool) {
        let waited = tokio::time::timeout(limit, async {
            while !done(&self.viewer) {
                let bytes = self.seat.next().await.expect("the hub runs").bytes().await;
                self.take(&bytes);
            }
        });
        let is_done = waited.await.is_ok();
        let (pods, nodes) = (self.viewer.state(Kind::Pod), self.viewer.state(Kind::Node));
        assert!(is_done, "{}: waited in vain for {what}; pods are {pods:?}, nodes {nodes:?}", self.name);
    }

    async fn until_live(&mut self) {
        self.until("pods and nodes to be live", PATIENCE, |viewer| {
            [Kind::Pod, Kind::Node].iter().all(|kind| is_confirmed(viewer, *kind, Millis(0)))
        })
        .await;
    }

    /// Takes frames for so long.
    async fn pass(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while let Ok(outgoing) = tokio::time::timeout_at(end, self.seat.next()).await {
            let bytes = outgoing.expect("the hub runs").bytes().await;
            self.take(&bytes);
        }
    }
}

/// Whether a kind is live, and known to be as it is after a moment.
fn is_confirmed(viewer: &Viewer, kind: Kind, after: Millis) -> bool {
    *viewer.state(kind) == KindState::Live && viewer.as_of(kind).is_some_and(|at| at > after)
}

async fn with((broken, on): Fault) {
    let mut stage = Stage::new(format!("{broken:?}, {on:?}"), OVER_HTTP2.contains(&broken)).await;
    stage.until_live().await;
    // An event, so that there is something that a watch which was torn off can go on from.
    stage.put("first", &["first", "gone"]);
    stage.until("the first pod", FOUND, |viewer| viewer.pod("first").is_some()).await;

    stage.front.fault.send_replace(Some((broken, on)));
    let faults = stage.demo.faults();
    if on == On::Lists {
        faults.forget_history("pods", Gone::Status);
    }
    faults.cut_watches("pods");
    stage.put("second", &["first", "gone", "second"]);
    stage.remove("gone", &["first", "second"]);
    stage.pass(HOLD).await;
    // Others share the connection that is left. Where the pulse fails with every other kind, a claim takes two of those
    // that do not until it is told.
    if broken != Broken::GoAway {
        let since = now();
        let nodes = |viewer: &Viewer| is_confirmed(viewer, Kind::Node, since);
        stage.until("nodes to be confirmed meanwhile", SETTLED, nodes).await;
    }
    let asked = stage.front.asked.load(Ordering::Relaxed);
    assert!((1..MOST).contains(&asked), "{}: {asked} requests for pods", stage.name);
    let taken = stage.front.taken.load(Ordering::Relaxed);
    if matches!(broken, Broken::EndlessHeaders | Broken::EndlessHeader) {
        assert!((1..HEAD).contains(&taken), "{}: {taken} bytes of a head", stage.name);
    }

    stage.front.fault.send_replace(None);
    stage.put("third", &["first", "second", "third"]);
    let lifted = now();
    let pods = |viewer: &Viewer| is_confirmed(viewer, Kind::Pod, lifted);
    stage.until("pods to be live again", SETTLED, pods).await;
}

/// All of them at once, each on a stage of its own.
async fn with_each(broken: &[Broken]) {
    let faults = broken.iter().flat_map(|broken| [(*broken, On::Lists), (*broken, On::Watches)]);
    // A list has to end.
    let faults = faults.filter(|fault| *fault != (Broken::TooSoon, On::Lists));
    let tried = faults.map(|fault| async move {
        let is_well = AssertUnwindSafe(with(fault)).catch_unwind().await.is_ok();
        (fault, is_well)
    });
    let tried = future::join_all(tried).await.into_iter();
    let failed: Vec<Fault> = tried.filter(|(_, is_well)| !is_well).map(|(fault, _)| fault).collect();
    assert!(failed.is_empty(), "not as it should be, for reasons said before: {failed:?}");
    let panics = PANICS.lock().expect("no panic").clone();
    assert!(panics.is_empty(), "{panics:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_http1_confirms_nothing_costs_pods_alone_and_is_not_asked_for_in_a_loop() {
    with_each(&OVER_HTTP1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_are_reset_and_connections_that_are_left_over_http2_confirm_nothing_either() {
    with_each(&OVER_HTTP2).await;
}

/// An API server leaves connections now and then (`--goaway-chance`), and they stay open for what goes on over them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_went_on_over_a_connection_that_was_left_is_not_confirmed_over_another_when_it_dies() {
    let mut stage = Stage::new("left".to_owned(), true).await;
    stage.until_live().await;
    stage.front.left.send_replace(());
    let held = tokio::time::timeout(FOUND, stage.front.held.cancelled()).await;
    assert!(held.is_ok(), "nobody came over another connection");
    stage.put("second", &["gone", "second"]);
    let since = now();
    let pods = |viewer: &Viewer| is_confirmed(viewer, Kind::Pod, since);
    stage.until("pods to be confirmed again", PATIENCE, pods).await;
}
