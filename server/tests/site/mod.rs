//! The whole server on port 0, the demo's API server behind it; or its binary; and what tests ask either with.
#![allow(dead_code)] // each test file uses its part

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    ops::Deref,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use app::{
    api::Text,
    wire::{self, About, Ask},
};
use futures::{SinkExt, StreamExt};
use server::{
    StartError,
    audience::Door,
    demo::{self, Demo},
    http::{Access, Base, Hosts},
    source::{Source, api_server::ApiServer},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{self, Message, client::IntoClientRequest},
};
use tokio_util::sync::CancellationToken;

use crate::viewer::{Viewer, pod};

/// Longer than anything here takes on a busy machine; nothing waits for it unless it fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Where a server is, and what it is asked.
pub struct Server {
    pub address: SocketAddr,
    pub base: Base,
}

/// A server on a port of its own.
pub struct Site {
    pub demo: Demo,
    server: Server,
    pub stop: CancellationToken,
    pub running: JoinHandle<Result<(), StartError>>,
}

impl Site {
    pub async fn new() -> Site {
        Site::with(|_| {}).await
    }

    pub async fn with(before: impl FnOnce(&Demo)) -> Site {
        Site::within(&[], before).await
    }

    /// As with `--namespace`.
    pub async fn within(namespaces: &[&str], before: impl FnOnce(&Demo)) -> Site {
        let demo = Site::pods();
        before(&demo);
        Site::of(demo, namespaces).await
    }

    /// Three of them.
    fn pods() -> Demo {
        let demo = demo::start(demo::Options { play: false, ..demo::Options::default() });
        for (name, app) in [("a", "web"), ("b", "web"), ("c", "db")] {
            demo.put(pod(name, &[("app", app)]));
        }
        demo
    }

    /// As with `--base-path`.
    pub async fn below(base: &str) -> Site {
        Site::behind(base, Door::default()).await
    }

    /// The same, with a door that is not open to anyone.
    pub async fn behind(base: &str, door: Door) -> Site {
        Site::started(Site::pods(), &[], base, door).await
    }

    pub async fn of(demo: Demo, namespaces: &[&str]) -> Site {
        Site::started(demo, namespaces, "", Door::default()).await
    }

    /// With three pods, for whom `access` lets in.
    pub async fn admitting(access: impl FnOnce(Access) -> Access) -> Site {
        Site::serving(Site::pods(), &[], access).await
    }

    async fn started(demo: Demo, namespaces: &[&str], base: &str, door: Door) -> Site {
        let base: Base = base.parse().expect("a base path");
        Site::serving(demo, namespaces, |access| Access { base, door, ..access }).await
    }

    async fn serving(demo: Demo, namespaces: &[&str], access: impl FnOnce(Access) -> Access) -> Site {
        let source = Source {
            api: ApiServer::in_process(demo.router()),
            namespaces: namespaces.iter().copied().map(Text::from).collect(),
            fallback: None,
            about: About { context: "test".to_owned(), ..About::default() },
            metrics: Arc::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = CancellationToken::new();
        let access = access(Access::open(Hosts::new(&[address], &[])));
        let base = access.base.clone();
        let running =
            tokio::spawn(server::run(source, vec![listener], access, stop.clone(), Duration::from_secs(5)));
        Site { demo, server: Server { address, base }, stop, running }
    }
}

impl Deref for Site {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Server {
    pub async fn socket(&self, query: &str) -> Socket {
        self.socket_from(query, Some(&format!("http://{}", self.address))).await.expect("a socket")
    }

    pub async fn socket_from(&self, query: &str, origin: Option<&str>) -> Result<Socket, tungstenite::Error> {
        let live = self.base.address("/live");
        let mut request = format!("ws://{}{live}?{query}", self.address).into_client_request()?;
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().expect("a header"));
        }
        let (stream, _) = tokio_tungstenite::connect_async(request).await?;
        Ok(Socket { stream, viewer: Viewer::default() })
    }

    /// One request by hand; the whole answer, head and body.
    pub async fn request(&self, head: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.expect("a connection");
        stream.write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes()).await.expect("sent");
        let mut answer = Vec::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        read.expect("an answer in time").expect("an answer");
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub async fn get(&self, path: &str) -> String {
        self.request(&format!("GET {path} HTTP/1.1\r\nHost: {}", self.address)).await
    }

    /// Asks until the answer has `part` in it.
    pub async fn get_until(&self, path: &str, part: &str) -> String {
        let asking = async {
            loop {
                let answer = self.get(path).await;
                if answer.contains(part) {
                    return answer;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, asking).await.unwrap_or_else(|_| panic!("{path} never had {part:?}"))
    }
}

/// The binary, as it is run.
pub struct Process {
    child: Child,
    server: Server,
}

impl Process {
    /// With these arguments and a port of its own.
    pub fn start(args: &[&str]) -> Process {
        Process::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), args)
    }

    /// With these arguments, at an address that another has left.
    pub fn start_at(address: SocketAddr, args: &[&str]) -> Process {
        let mut child = Command::new(env!("CARGO_BIN_EXE_masthead"))
            .args(args)
            .args(["--listen", &address.to_string(), "--log", "error"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let mut said = String::new();
        let out = child.stdout.take().expect("its words");
        BufReader::new(out).read_line(&mut said).expect("where it is");
        let address = said.trim().strip_prefix("Masthead is at http://").and_then(|at| at.parse().ok());
        Process { child, server: Server { address: address.expect(&said), base: Base::default() } }
    }

    /// Bytes of memory it holds (`VmRSS`), or held at most (`VmHWM`): proc(5).
    pub fn memory(&self, field: &str) -> u64 {
        memory(&self.child.id().to_string(), field)
    }

    /// Files and sockets that it has open.
    pub fn files(&self) -> usize {
        files(&self.child.id().to_string())
    }
}

/// See [`Process::memory`]; `self` is this very process.
pub fn memory(process: &str, field: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).expect(field);
    1024 * line.trim().trim_end_matches(" kB").parse::<u64>().expect("kilobytes")
}

/// See [`Process::files`].
pub fn files(process: &str) -> usize {
    std::fs::read_dir(format!("/proc/{process}/fd")).expect("it runs").count()
}

impl Deref for Process {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub struct Socket {
    pub stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub viewer: Viewer,
}

impl Socket {
    pub async fn ask(&mut self, ask: &Ask) {
        self.stream.send(Message::Binary(wire::to_bytes(ask).into())).await.expect("sent");
    }

    pub async fn until(&mut self, what: &str, done: impl Fn(&Viewer) -> bool) {
        let waited = tokio::time::timeout(PATIENCE, async {
            while !done(&self.viewer) {
                match self.stream.next().await.expect("an open socket").expect("a message") {
                    Message::Binary(bytes) => self.viewer.take(&bytes),
                    Message::Ping(_) | Message::Pong(_) => {}
                    other => panic!("unexpected {other:?}"),
                }
            }
        });
        waited.await.unwrap_or_else(|_| panic!("waited in vain for {what}; pods {:?}", self.viewer.pods()));
    }

    /// Reads to the end; why the server closed.
    pub async fn until_closed(mut self) -> Option<String> {
        let read = async {
            while let Some(Ok(message)) = self.stream.next().await {
                if let Message::Binary(bytes) = message {
                    self.viewer.take(&bytes);
                }
            }
            self.viewer.bye
        };
        tokio::time::timeout(PATIENCE, read).await.expect("closed in time")
    }
}
