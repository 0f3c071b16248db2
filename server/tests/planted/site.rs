//! The whole site as one visitor has it, over real sockets, and everything that can be asked of it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use app::api::Kind;
use server::{
    audience::{Door, Grant, Rooms, Visitor, Who},
    http::{Access, Hosts},
    hub::Hub,
    metrics::Metrics,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::world::{Known, name, namespace};

/// Longer than anything here takes on a busy machine; nothing waits for it unless it fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// See the module.
pub struct Site {
    address: SocketAddr,
    _serving: AbortOnDropHandle<()>,
}

impl Site {
    /// For whoever has `grant`.
    pub async fn of(hub: &Hub, rooms: &Rooms, metrics: &Arc<Metrics>, grant: Option<Arc<Grant>>) -> Site {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let visitor = Visitor::new(Who::Anyone, grant);
        let access = Access { door: Door::fixed(visitor), ..Access::open(Hosts::new(&[address], &[])) };
        let stop = CancellationToken::new();
        let router = server::http::router(hub.clone(), rooms.clone(), metrics.clone(), access, stop);
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.expect("served") });
        Site { address, _serving: AbortOnDropHandle::new(serving) }
    }

    /// One answer, head and body.
    pub async fn get(&self, path: &str) -> String {
        self.read(path, |_| false).await
    }

    /// What a stream has said by the time it says `part`.
    pub async fn get_until(&self, path: &str, part: &str) -> String {
        self.read(path, |text| text.contains(part)).await
    }

    async fn read(&self, path: &str, done: impl Fn(&str) -> bool) -> String {
        let reading = async {
            let mut stream = TcpStream::connect(self.address).await.expect("a connection");
            let head = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address);
            stream.write_all(head.as_bytes()).await.expect("sent");
            let mut answer = Vec::new();
            let mut part = [0; 16 << 10];
            loop {
                let length = stream.read(&mut part).await.expect("an answer");
                answer.extend_from_slice(&part[..length]);
                if length == 0 || done(&String::from_utf8_lossy(&answer)) {
                    return String::from_utf8_lossy(&answer).into_owned();
                }
            }
        };
        tokio::time::timeout(PATIENCE, reading).await.unwrap_or_else(|_| panic!("{path} took too long"))
    }
}

/// Everything that answers, with every object there is in its place.
pub fn addresses(all: &[Known]) -> Vec<String> {
    let views = [
        "",
        "pods",
        "workloads",
        "rollouts",
        "probes",
        "services",
        "endpointslices",
        "nodes",
        "placement",
        "namespaces",
        "labels",
        "images",
        "events",
        "nowhere",
    ];
    let mut paths: Vec<String> = views.iter().map(|view| format!("/{view}")).collect();
    paths.push("/api/v1".to_owned());
    paths.push("/api/v1/placement?nodeSelector=a%3Db&cpu=1".to_owned());
    for kind in Kind::ALL {
        for output in ["json", "table", "wide", "name"] {
            paths.push(format!("/api/v1/{}?output={output}", kind.plural()));
        }
    }
    for (of, object) in all {
        let Some(kind) = Kind::parse(of) else { continue };
        let (space, name) = (namespace(object), name(object));
        let (plural, place) = (kind.plural(), format!("{space}/{}/{name}", kind.plural()));
        if space.is_empty() {
            paths.push(format!("/{plural}/{name}"));
        } else {
            paths.push(format!("/{plural}/{space}/{name}"));
            paths.push(format!("/api/v1/{plural}?namespace={space}&fieldSelector=metadata.name%3D{name}"));
        }
        if kind == Kind::Pod || kind.makes_pods() {
            paths.push(format!("/api/v1/placement/{place}"));
            paths.push(format!("/placement?for={plural}%2F{space}%2F{name}"));
        }
        if kind.makes_pods() {
            paths.push(format!("/rollouts/{place}?between=1,2"));
            paths.push(format!("/api/v1/rollouts/{place}"));
            paths.push(format!("/api/v1/rollouts/{place}/difference?from=1&to=2"));
        }
        if kind.rolls_out() {
            for output in ["json", "text"] {
                for of in ["status", "history", "history/1"] {
                    paths.push(format!("/api/v1/rollouts/{place}/{of}?output={output}"));
                }
            }
            paths.push(format!("/api/v1/rollouts/{place}/wait?timeout=0"));
        }
        if kind == Kind::Service {
            paths.push(format!("/api/v1/services/{space}/{name}/endpoints"));
        }
    }
    paths
}
