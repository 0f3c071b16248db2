//! A crowd that was cut off comes back all at once. In figures, ten thousand of them:
//! `VIEWERS=10000 AWAY=20 cargo test --profile demo -p app -p server --test crowd -- --nocapture`

// A test that cannot go on should stop; what was reached is worth reading.
#![allow(clippy::expect_used, clippy::print_stdout)]

mod site;
mod viewer;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use app::wire::{self, Frame, follow};
use futures::StreamExt;
use site::Process;
use tokio::{net::TcpStream, sync::mpsc, task::JoinSet};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest},
};

/// How many there are, unless `VIEWERS` says. `AWAY` is for how many seconds there is nobody to come back to.
const VIEWERS: usize = 200;
/// Whatever a restart takes, here and in debug.
const PATIENCE: Duration = Duration::from_secs(120);
/// Four views' kinds: what a server has to tell apart.
const VIEWS: [&str; 4] = [
    "kinds=pods,replicasets,namespaces",
    "kinds=nodes,pods,namespaces",
    "kinds=deployments,daemonsets,statefulsets,namespaces",
    "kinds=services,endpointslices,namespaces",
];

/// One viewer, for as long as the crowd is there: opens a socket whenever it has none, and waits as a page does.
/// Says when it has all that there is, and knows it to be current.
async fn viewer(nth: usize, address: SocketAddr, served: mpsc::Sender<(usize, Instant)>) {
    let mut attempt = 0;
    loop {
        if let Some(mut socket) = open(nth, address).await
            && confirmed(&mut socket).await
        {
            attempt = 0;
            if served.send((nth, Instant::now())).await.is_err() {
                return;
            }
            while let Some(Ok(_)) = socket.next().await {}
        }
        tokio::time::sleep(Duration::from_millis(follow::wait_ms(attempt, fastrand::f64()) as u64)).await;
        attempt += 1;
    }
}

async fn open(nth: usize, address: SocketAddr) -> Option<WebSocketStream<TcpStream>> {
    let stream = TcpStream::connect(address).await.ok()?;
    let url = format!("ws://{address}/live?{}", VIEWS[nth % VIEWS.len()]);
    let mut request = url.into_client_request().expect("a request");
    let origin = format!("http://{address}").parse().expect("a header");
    request.headers_mut().insert("origin", origin);
    tokio_tungstenite::client_async(request, stream).await.ok().map(|(socket, _)| socket)
}

async fn confirmed(socket: &mut WebSocketStream<TcpStream>) -> bool {
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

/// When each of them was served.
async fn all_served(count: usize, served: &mut mpsc::Receiver<(usize, Instant)>) -> Vec<Instant> {
    let mut all = BTreeMap::new();
    let waited = tokio::time::timeout(PATIENCE, async {
        while all.len() < count {
            let (nth, at) = served.recv().await.expect("viewers");
            all.entry(nth).or_insert(at);
        }
    });
    let in_time = waited.await.is_ok();
    assert!(in_time, "{} of {count} were served", all.len());
    all.into_values().collect()
}

fn report(what: &str, began: Instant, mut served: Vec<Instant>) {
    served.sort_unstable();
    let after = |part: f64| {
        let nth = ((served.len() - 1) as f64 * part) as usize;
        served[nth].saturating_duration_since(began).as_secs_f64()
    };
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
    let address = process.address;
    let (sender, mut served) = mpsc::channel(count);
    let mut viewers = JoinSet::new();
    let began = Instant::now();
    for nth in 0..count {
        viewers.spawn(viewer(nth, address, sender.clone()));
    }
    report("they come", began, all_served(count, &mut served).await);
    println!("memory {} MB, {} files", process.memory("VmRSS") >> 20, process.files());
    drop(process); // killed, so that nobody is told
    tokio::time::sleep(Duration::from_secs(number("AWAY", 0) as u64)).await;
    let process = Process::start_at(address, &args);
    let began = Instant::now();
    report("they come back", began, all_served(count, &mut served).await);
    println!("memory {} MB, {} files", process.memory("VmRSS") >> 20, process.files());
}
