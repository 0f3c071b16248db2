//! A crowd that was cut off comes back. Ten thousand of them, who are all to be back within ten seconds:
//! `VIEWERS=10000 AWAY=20 cargo test --profile demo -p app -p server --test crowd -- --nocapture`
//!
//! How fast a machine is, is asserted by that command only. What would make a herd of a crowd, or lose somebody, shows
//! in how often each of them knocks, and when: that is asserted each time, on a clock that the test drives.

// A test that cannot go on should stop; what was reached is worth reading.
#![allow(clippy::expect_used, clippy::print_stdout)]

mod site;
mod viewer;

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use app::wire::{self, About, Frame, follow};
use axum::body::Body;
use futures::StreamExt;
use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use server::{
    audience::Rooms,
    demo::{self, Demo},
    http::{self as site_of, Access, Hosts},
    hub::Hub,
    metrics::Metrics,
    source::{Source, api_server::ApiServer},
};
use site::Process;
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream},
    net::TcpStream,
    sync::mpsc,
    task::JoinSet,
    time::Instant,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// How many there are, unless `VIEWERS` says. `AWAY` is for how many seconds there is nobody to come back to.
const VIEWERS: usize = 200;
/// Whatever a restart takes, here and in debug.
const PATIENCE: Duration = Duration::from_secs(120);
/// By then all are back: nobody waits for longer than eight seconds ([`follow::wait_ms`]) before they knock.
const BACK: Duration = Duration::from_secs(10);
/// Four views' kinds: what a server has to tell apart.
const VIEWS: [&str; 4] = [
    "kinds=pods,replicasets,namespaces",
    "kinds=nodes,pods,namespaces",
    "kinds=deployments,daemonsets,statefulsets,namespaces",
    "kinds=services,endpointslices,namespaces",
];

/// How a viewer gets to Masthead.
#[derive(Clone)]
enum Way {
    /// To another process.
    Network(SocketAddr),
    /// To one inside this process, when there is one.
    Cable(Arc<Mutex<Option<Masthead>>>),
}

trait Line: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Line for T {}

impl Way {
    async fn connect(&self) -> Option<Box<dyn Line>> {
        match self {
            Way::Network(address) => Some(Box::new(TcpStream::connect(address).await.ok()?)),
            Way::Cable(masthead) => Some(Box::new(masthead.lock().expect("no panic").as_mut()?.connect())),
        }
    }

    fn host(&self) -> String {
        match self {
            Way::Network(address) => address.to_string(),
            Way::Cable(_) => "masthead.test".to_owned(),
        }
    }
}

/// A viewer that has all there is, and knows it to be current.
struct Served {
    nth: usize,
    at: Instant,
    /// When it knocked, in vain but for the last time, since it was served before.
    knocked: Vec<Instant>,
}

/// One viewer, for as long as the crowd is there: opens a socket whenever it has none, and waits as a page does.
async fn viewer(nth: usize, way: Way, served: mpsc::Sender<Served>) {
    let mut chance = fastrand::Rng::with_seed(nth as u64);
    let mut attempt = 0;
    let mut knocked = Vec::new();
    loop {
        knocked.push(Instant::now());
        if let Some(mut socket) = open(nth, &way).await
            && confirmed(&mut socket).await
        {
            attempt = 0;
            let (at, knocked) = (Instant::now(), std::mem::take(&mut knocked));
            if served.send(Served { nth, at, knocked }).await.is_err() {
                return;
            }
            while let Some(Ok(_)) = socket.next().await {}
        }
        tokio::time::sleep(Duration::from_millis(follow::wait_ms(attempt, chance.f64()) as u64)).await;
        attempt += 1;
    }
}

async fn open(nth: usize, way: &Way) -> Option<WebSocketStream<Box<dyn Line>>> {
    let line = way.connect().await?;
    let host = way.host();
    let url = format!("ws://{host}/live?{}", VIEWS[nth % VIEWS.len()]);
    let mut request = url.into_client_request().expect("a request");
    let origin = format!("http://{host}").parse().expect("a header");
    request.headers_mut().insert("origin", origin);
    tokio_tungstenite::client_async(request, line).await.ok().map(|(socket, _)| socket)
}

async fn confirmed(socket: &mut WebSocketStream<Box<dyn Line>>) -> bool {
    let mut has_snapshot = false;
    while let Some(Ok(message)) = socket.next().await {
        let Message::Binary(bytes) = message else { continue };
        match wire::frame(&bytes).expect("a frame") {
            Frame::Snapshot { .. } => has_snapshot = true,
            // Before its kinds are listed a server confirms nothing.
            Frame::Beat { as_of, .. } if has_snapshot && !as_of.is_empty() => return true,
            _ => {}
        }
    }
    false
}

/// How each of them was served.
async fn all_served(count: usize, served: &mut mpsc::Receiver<Served>) -> Vec<Served> {
    let mut all = BTreeMap::new();
    let waited = tokio::time::timeout(PATIENCE, async {
        while all.len() < count {
            let one = served.recv().await.expect("viewers");
            all.entry(one.nth).or_insert(one);
        }
    });
    let in_time = waited.await.is_ok();
    assert!(in_time, "{} of {count} were served", all.len());
    all.into_values().collect()
}

/// After how long so many of them had been served.
fn after(part: f64, began: Instant, served: &[Served]) -> Duration {
    let mut times: Vec<Instant> = served.iter().map(|one| one.at).collect();
    times.sort_unstable();
    times[((times.len() - 1) as f64 * part) as usize].saturating_duration_since(began)
}

fn report(what: &str, began: Instant, served: &[Served]) {
    let after = |part| after(part, began, served).as_secs_f64();
    println!(
        "{what}: of {} half are served after {:.2} s, 99 of 100 after {:.2} s, all after {:.2} s",
        served.len(),
        after(0.5),
        after(0.99),
        after(1.0)
    );
}

fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_was_cut_off_by_a_restart_is_served_again_without_a_reload() {
    let count = number("VIEWERS", VIEWERS);
    let most = (count + 100).to_string();
    let args = ["--demo", "--demo-pods", "1000", "--max-connections", &most];
    let process = Process::start(&args);
    process.get_until("/readyz", "200 OK").await;
    let way = Way::Network(process.address);
    let (sender, mut served) = mpsc::channel(count);
    let mut viewers = JoinSet::new();
    let began = Instant::now();
    for nth in 0..count {
        viewers.spawn(viewer(nth, way.clone(), sender.clone()));
    }
    report("they come", began, &all_served(count, &mut served).await);
    println!("memory {} MB, {} files", process.memory("VmRSS") >> 20, process.files());
    let address = process.address;
    drop(process); // killed, so that nobody is told
    tokio::time::sleep(Duration::from_secs(number("AWAY", 0) as u64)).await;
    let process = Process::start_at(address, &args);
    let began = Instant::now();
    let back = all_served(count, &mut served).await;
    report("they come back", began, &back);
    println!("memory {} MB, {} files", process.memory("VmRSS") >> 20, process.files());
    let metrics = process.get("/metrics").await;
    let turned_away = "\nmasthead_connections_turned_away_total 0\n";
    assert!(metrics.contains(turned_away), "there was room for all of them: {metrics}");
    if std::env::var_os("VIEWERS").is_some() {
        let last = after(1.0, began, &back);
        assert!(last <= BACK, "the last one is back after {last:?}");
    }
}

/// Masthead inside this process, and what is plugged into it; whoever drops it has killed it.
struct Masthead {
    site: axum::Router,
    /// Sides of connections, and what carries between them.
    tasks: JoinSet<()>,
}

impl Masthead {
    fn start(demo: &Demo) -> Masthead {
        let source = Source {
            api: ApiServer::in_process(demo.router()),
            namespaces: Vec::new(),
            fallback: None,
            about: About::default(),
            metrics: Arc::new(Metrics::default()),
        };
        let stop = CancellationToken::new();
        let (hub, owner) = Hub::new(source.about.clone(), stop.clone());
        let rooms = Rooms::new(hub.clone(), stop.clone());
        let access = Access::open(Hosts::new(&[], &["masthead.test".to_owned()]));
        let site = site_of::router(hub.clone(), rooms, source.metrics.clone(), access, stop);
        let mut tasks = JoinSet::new();
        tasks.spawn(owner);
        tasks.spawn(source.run(hub));
        Masthead { site, tasks }
    }

    fn connect(&mut self) -> DuplexStream {
        let (theirs, mut near) = tokio::io::duplex(16 << 10);
        let (mut far, ours) = tokio::io::duplex(16 << 10);
        self.tasks.spawn(async move {
            let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await; // until one end has gone
        });
        let site = self.site.clone();
        self.tasks.spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let answer = site.clone().oneshot(request.map(Body::new));
                async move { Ok::<_, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
            });
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new());
            let _ = http.serve_connection(TokioIo::new(ours), service).with_upgrades().await; // it may be cut
        });
        theirs
    }
}

/// How many knock within any one second, at most.
fn most_in_a_second(mut knocks: Vec<Instant>) -> usize {
    knocks.sort_unstable();
    let within = |from: &Instant| {
        knocks.iter().filter(|at| **at >= *from && **at < *from + Duration::from_secs(1)).count()
    };
    knocks.iter().map(within).max().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn a_crowd_comes_back_spread_out_and_each_of_it_at_the_first_knock_that_is_heard() {
    let demo = demo::start(demo::Options { play: false, ..demo::Options::default() });
    for nth in 0..20 {
        demo.put(viewer::pod(&format!("pod-{nth}"), &[]));
    }
    let masthead = Arc::new(Mutex::new(Some(Masthead::start(&demo))));
    let (sender, mut served) = mpsc::channel(VIEWERS);
    let mut viewers = JoinSet::new();
    for nth in 0..VIEWERS {
        viewers.spawn(viewer(nth, Way::Cable(masthead.clone()), sender.clone()));
    }
    all_served(VIEWERS, &mut served).await;
    for away in [0, 5, 20, 60].map(Duration::from_secs) {
        *masthead.lock().expect("no panic") = None;
        let gone = Instant::now();
        tokio::time::sleep(away).await;
        *masthead.lock().expect("no panic") = Some(Masthead::start(&demo));
        let began = Instant::now();
        let back = all_served(VIEWERS, &mut served).await;
        let herd = most_in_a_second(back.iter().filter_map(|one| one.knocked.last().copied()).collect());
        let in_vain = back.iter().map(|one| one.knocked.iter().filter(|at| **at < began).count());
        let (most, last) = (in_vain.max().unwrap_or_default(), after(1.0, began, &back));
        println!(
            "{away:?} away: {most} knocks in vain, the last one back after {last:?}, {herd} in a second"
        );
        assert!(last <= BACK, "{away:?} away, somebody was back after {last:?}");
        // five while the waits grow, and then one each four seconds
        assert!(
            most <= 5 + away.as_secs() as usize / 4,
            "{away:?} away, somebody knocked {most} times in vain"
        );
        if away >= Duration::from_secs(20) {
            assert!(herd <= VIEWERS / 4, "{away:?} away, {herd} came within a second");
        }
        for one in &back {
            let knocks = one.knocked.iter().filter(|at| **at >= began).count();
            assert_eq!(knocks, 1, "viewer {} was not let in at once, {away:?} away", one.nth);
            let first = *one.knocked.first().expect("a knock");
            assert!(first >= gone + Duration::from_millis(250), "viewer {} came at once", one.nth);
        }
    }
}
