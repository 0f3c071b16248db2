//! ④ the door over real sockets: who is let in, what they have to do first, and when it ends.

// A test that cannot go on should stop.
#![allow(clippy::expect_used)]

mod viewer;

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use app::{
    api::Millis,
    wire::{self, About, Frame},
};
use axum::{body::Body, extract::ConnectInfo, http::Request};
use futures::StreamExt;
use server::{
    StartError,
    audience::{
        Door, Rooms, Sessions,
        door::{
            LIFETIME, Mode,
            proxy::{Networks, Proxy},
            token::{Token, TokenError},
        },
        sessions::Clock,
    },
    demo::{self, Demo},
    front::{Deadlines, Front, Limits, Tls},
    http::{Access, Hosts},
    hub::Hub,
    source::{Source, api_server::ApiServer},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::Instant,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{self, Message, client::IntoClientRequest},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use viewer::{pod, within};

/// Longer than anything here takes on a busy machine; nothing waits for it unless it fails.
const PATIENCE: Duration = Duration::from_secs(30);

const TOKEN: &str = "correct-horse-battery-staple";

/// A file that goes when it is dropped.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> File {
        static NEXT: AtomicI64 = AtomicI64::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let file = File(std::env::temp_dir().join(format!("masthead-{}-{n}-{name}", std::process::id())));
        file.write(text);
        file
    }

    fn write(&self, text: &str) {
        std::fs::write(&self.0, text).expect("a file");
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A server on a port of its own, with a pod named `secret-pod` in its cluster.
struct Site {
    demo: Demo,
    address: SocketAddr,
    stop: CancellationToken,
    running: JoinHandle<Result<(), StartError>>,
    /// What its sessions take for the time of day.
    now: Arc<AtomicI64>,
    sessions: Sessions,
    token: Option<File>,
}

impl Site {
    /// With `--auth token`.
    async fn new() -> Site {
        let token = File::new("token", &format!("{TOKEN}\n"));
        let mode = Mode::Token(Token::open(&token.0).expect("a token"));
        let mut site = Site::with(mode, Networks::default(), |front| front).await;
        site.token = Some(token);
        site
    }

    /// With `--auth proxy` for these networks.
    async fn behind(networks: &[&str]) -> Site {
        let (mode, from) = behind(networks);
        Site::with(mode, from, |front| front).await
    }

    async fn with(mode: Mode, proxies: Networks, front: impl FnOnce(Front) -> Front) -> Site {
        let demo = demo::start(demo::Options { play: false, ..demo::Options::default() });
        demo.put(pod("secret-pod", &[]));
        let source = Source {
            api: ApiServer::in_process(demo.router()),
            namespaces: Vec::new(),
            fallback: None,
            about: About { context: "secret-context".to_owned(), ..About::default() },
            metrics: Arc::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let now = Arc::new(AtomicI64::new(1_000_000));
        let clock = now.clone();
        let sessions = Sessions::with_clock(Clock::new(move || Millis(clock.load(Ordering::SeqCst))));
        let door = Door::new(mode, sessions.clone(), LIFETIME, proxies);
        let access = Access { door, ..Access::open(Hosts::new(&[address], &["dash.example".to_owned()])) };
        let stop = CancellationToken::new();
        let front = front(Front::from(vec![listener]));
        let running = tokio::spawn(server::run(source, front, access, stop.clone(), Duration::from_secs(5)));
        Site { demo, address, stop, running, now, sessions, token: None }
    }

    fn pass(&self, time: Duration) {
        self.now.fetch_add(i64::try_from(time.as_millis()).expect("a time"), Ordering::SeqCst);
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// One request with these header lines.
    async fn ask(&self, line: &str, headers: &[&str], body: &str) -> Answer {
        exchange(self.connect().await, self.address, line, headers, body).await
    }

    async fn get(&self, path: &str, headers: &[&str]) -> Answer {
        self.ask(&format!("GET {path}"), headers, "").await
    }

    /// A form that one of our own pages sends.
    async fn post(&self, path: &str, headers: &[&str], body: &str) -> Answer {
        let headers = [&["Sec-Fetch-Site: same-origin"], headers].concat();
        self.ask(&format!("POST {path}"), &headers, body).await
    }

    /// Signs in; the header with the cookie.
    async fn sign_in(&self) -> String {
        let answer = self.post("/sign-in", &[], &format!("secret={TOKEN}")).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        answer.cookie()
    }

    async fn socket(&self, headers: &[&str]) -> Result<WebSocketStream<TcpStream>, tungstenite::Error> {
        socket(self.connect().await, "ws", self.address, headers).await
    }

    /// Asks until `done` with the answer.
    async fn get_until(&self, path: &str, headers: &[&str], done: impl Fn(&Answer) -> bool) -> Answer {
        let asking = async {
            loop {
                let answer = self.get(path, headers).await;
                if done(&answer) {
                    return answer;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, asking).await.expect("an answer like that")
    }

    async fn end(self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(PATIENCE, self.running).await;
        ended.expect("an end in time").expect("no panic").expect("a good end");
    }
}

/// `--auth proxy` for these networks.
fn behind(networks: &[&str]) -> (Mode, Networks) {
    let from = Networks::new(networks.iter().map(|network| network.parse().expect("a network")).collect());
    let proxy = Proxy {
        from: from.clone(),
        user: "x-forwarded-user".parse().expect("a header"),
        groups: Some("x-forwarded-groups".parse().expect("a header")),
        allow_users: Vec::new(),
        allow_groups: vec!["ops".to_owned()],
    };
    (Mode::Proxy(proxy), from)
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// As a browser sends it back.
    fn cookie(&self) -> String {
        let set = self.header("set-cookie").expect("a cookie");
        format!("Cookie: {}", set.split(';').next().expect("a pair"))
    }
}

async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    address: SocketAddr,
    line: &str,
    headers: &[&str],
    body: &str,
) -> Answer {
    let mut head = format!("{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    if line.starts_with("POST") {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    // Whoever is refused early may find the connection closed before everything is sent.
    let _ = stream.write_all(format!("{head}\r\n{body}").as_bytes()).await;
    let answer = read(stream).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Answer { status: status.unwrap_or_default(), head: head.to_owned(), body: body.to_owned() }
}

/// All that comes until the other side closes.
async fn read(mut stream: impl AsyncRead + Unpin) -> String {
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    let reading = async {
        while let Ok(count @ 1..) = stream.read(&mut piece).await {
            answer.extend_from_slice(&piece[..count]);
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("an end in time");
    String::from_utf8_lossy(&answer).into_owned()
}

async fn socket<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    scheme: &str,
    address: SocketAddr,
    headers: &[&str],
) -> Result<WebSocketStream<S>, tungstenite::Error> {
    let mut request = format!("{scheme}://{address}/live").into_client_request()?;
    let origin = format!("{}://{address}", scheme.replace("ws", "http"));
    request.headers_mut().insert("origin", origin.parse().expect("a header"));
    for header in headers {
        let (name, value) = header.split_once(": ").expect("a header");
        let name: http::HeaderName = name.parse().expect("a name");
        request.headers_mut().insert(name, value.parse().expect("a value"));
    }
    let (socket, _) = tokio_tungstenite::client_async(request, stream).await?;
    Ok(socket)
}

/// Reads on until there is a snapshot.
async fn snapshot<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>) {
    let reading = async {
        loop {
            let message = socket.next().await.expect("an open socket").expect("a message");
            if let Message::Binary(bytes) = message
                && let Ok(Frame::Snapshot { .. }) = wire::frame(&bytes)
            {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("a snapshot in time");
}

/// Reads to the end; whether the server said that the right to look has ended.
async fn until_closed(mut socket: WebSocketStream<TcpStream>) -> bool {
    let mut said = false;
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Binary(bytes) = message
            && let Ok(Frame::Bye { ended, .. }) = wire::frame(&bytes)
        {
            said = ended;
        }
    }
    said
}

async fn closes(socket: WebSocketStream<TcpStream>) {
    let closed = tokio::time::timeout(PATIENCE, until_closed(socket)).await;
    assert!(closed.expect("closed in time"), "it did not say that the access has ended");
}

fn refused(socket: Result<WebSocketStream<TcpStream>, tungstenite::Error>) -> u16 {
    match socket {
        Err(tungstenite::Error::Http(response)) => response.status().as_u16(),
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn who_has_not_signed_in_sees_nothing_of_the_cluster_and_is_told_how_to() {
    let site = Site::new().await;
    for (path, next) in [
        ("/", "/sign-in"),
        ("/pods?selector=app%3Dweb&q=a", "/sign-in?next=/pods%3Fselector%3Dapp%253Dweb%26q%3Da"),
        ("/nowhere", "/sign-in?next=/nowhere"),
        ("/sessions", "/sign-in?next=/sessions"),
    ] {
        let answer = site.get(path, &[]).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some(next)), "{path}");
    }
    for path in ["/api/v1", "/api/v1/pods", "/api/v1/watch", "/metrics", "/live", "/api/nowhere"] {
        let answer = site.get(path, &[]).await;
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"Masthead\""), "{path}");
        let body: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
        assert!(body["error"].is_string() && body["expected"].is_string(), "{path}: {body}");
    }
    assert_eq!(refused(site.socket(&[]).await), 401);
    for path in ["/favicon.svg", "/robots.txt", "/livez", "/sign-in"] {
        let answer = site.get(path, &[]).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(!answer.body.contains("secret-"), "{path} tells something of the cluster");
    }
    site.get_until("/readyz", &[], |answer| answer.status == 200).await;
    site.end().await;
}

#[tokio::test]
async fn the_token_opens_a_session_that_the_cookie_stands_for() {
    let site = Site::new().await;
    let form = format!("next=/pods%3Fq%3Dx&secret={TOKEN}");
    let answer = site.post("/sign-in", &[], &form).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/pods?q=x")));
    let set = answer.header("set-cookie").expect("a cookie");
    for part in
        ["__Host-masthead=", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict", "; Max-Age=43200"]
    {
        assert!(set.contains(part), "{set} lacks {part}");
    }
    assert!(!set.contains("Domain"), "{set}");
    let cookie = answer.cookie();
    let pods = site.get_until("/api/v1/pods?output=name", &[&cookie], |answer| answer.status == 200).await;
    assert_eq!(pods.body.trim(), "pod/secret-pod");
    let page = site.get("/pods", &[&cookie]).await;
    assert!(page.body.contains("secret-pod") && page.body.contains("token holder"));
    assert!(page.body.contains("<title>Pods · secret-context · Masthead</title>"));
    assert_eq!(site.get("/sign-in?next=/pods", &[&cookie]).await.header("location"), Some("/pods"));
    let mut socket = site.socket(&[&cookie]).await.expect("a socket");
    snapshot(&mut socket).await;
    drop(socket);
    // Nothing that is kept or shown lets anybody in.
    let id = cookie.split('=').nth(1).expect("an id");
    assert_eq!(id.len(), 64);
    let kept = site.sessions.kept(|_| true);
    assert_eq!(kept.len(), 1);
    assert_ne!(kept[0].hash, id);
    let forged = format!("Cookie: __Host-masthead={}", kept[0].hash);
    assert_eq!(site.get("/api/v1", &[&forged]).await.status, 401);
    site.end().await;
}

#[tokio::test]
async fn scripts_send_the_token_as_a_header_and_never_in_an_address() {
    let site = Site::new().await;
    let bearer = format!("Authorization: Bearer {TOKEN}");
    site.get_until("/api/v1/pods", &[&bearer], |answer| answer.body.contains("secret-pod")).await;
    let metrics = site.get("/metrics", &[&bearer]).await;
    assert!(metrics.status == 200 && metrics.body.contains("masthead_connections 1"), "{}", metrics.body);
    let lower = format!("Authorization: bearer {TOKEN}");
    assert_eq!(site.get("/api/v1", &[&lower]).await.status, 200);
    let answer = site.get("/api/v1", &["Authorization: Bearer nonsense"]).await;
    assert_eq!(answer.status, 401);
    assert!(answer.header("www-authenticate").expect("a challenge").contains("invalid_token"));
    let basic = format!("Authorization: Basic {TOKEN}");
    for none in [basic.as_str(), "Authorization: Bearer", &format!("Authorization: {TOKEN}")] {
        let answer = site.get("/api/v1", &[none]).await;
        assert_eq!(
            (answer.status, answer.header("www-authenticate")),
            (401, Some("Bearer realm=\"Masthead\""))
        );
    }
    for path in [format!("/api/v1/pods?token={TOKEN}"), format!("/?access_token={TOKEN}")] {
        let answer = site.get(&path, &[]).await;
        assert_eq!(answer.status, 400);
        assert!(answer.body.contains("does not belong into an address"), "{}", answer.body);
        assert_eq!(site.get(&path, &[&bearer]).await.status, 400, "whoever sends it");
    }
    site.end().await;
}

#[tokio::test]
async fn a_wrong_token_is_said_in_words_and_after_some_of_them_none_is_looked_at() {
    let site = Site::new().await;
    let right = format!("secret={TOKEN}");
    for _ in 0..20 {
        assert_eq!(site.post("/sign-in", &[], &right).await.status, 303, "right ones do not count");
    }
    for n in 0..10 {
        let wrong = format!("secret={TOKEN}{n}&next=/pods");
        let answer = site.post("/sign-in", &[], &wrong).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (401, None));
        assert!(answer.body.contains("role=\"alert\"") && answer.body.contains("That is not the token"));
        assert!(answer.body.contains("<title>Sign in · Masthead</title>"));
        assert!(answer.body.contains("value=\"/pods\""), "the place is kept");
        assert!(!answer.body.contains(TOKEN), "what was typed is not sent back");
    }
    let answer = site.post("/sign-in", &[], &right).await;
    assert_eq!((answer.status, answer.header("set-cookie")), (429, None));
    let wait: u64 = answer.header("retry-after").expect("a time").parse().expect("seconds");
    assert!((1..=6).contains(&wait), "{wait}");
    let answer = site.get("/api/v1", &[&format!("Authorization: Bearer {TOKEN}")]).await;
    assert_eq!(answer.status, 429);
    assert!(answer.header("retry-after").is_some());
    site.end().await;
}

#[tokio::test]
async fn an_id_that_the_browser_brought_is_never_used() {
    let site = Site::new().await;
    let planted = format!("Cookie: __Host-masthead={}", "a".repeat(64));
    let form = format!("secret={TOKEN}");
    let first = site.post("/sign-in", &[&planted], &form).await.cookie();
    assert_ne!(first, planted);
    assert_eq!(site.get("/api/v1", &[&planted]).await.status, 401);
    assert_eq!(site.get("/api/v1", &[&first]).await.status, 200);
    let second = site.post("/sign-in", &[&first], &form).await.cookie();
    assert_ne!(second, first);
    assert_eq!(site.get("/api/v1", &[&first]).await.status, 401, "the one before has ended");
    assert_eq!(site.get("/api/v1", &[&second]).await.status, 200);
    site.end().await;
}

#[tokio::test]
async fn signing_out_ends_the_session_and_what_is_open_with_it_within_a_second() {
    let site = Site::new().await;
    let (cookie, other) = (site.sign_in().await, site.sign_in().await);
    let mut socket = site.socket(&[&cookie]).await.expect("a socket");
    snapshot(&mut socket).await;
    let mut others = site.socket(&[&other]).await.expect("a socket");
    snapshot(&mut others).await;
    let events = {
        let mut stream = site.connect().await;
        let head = format!(
            "GET /api/v1/watch HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{cookie}\r\n\r\n",
            site.address
        );
        stream.write_all(head.as_bytes()).await.expect("sent");
        let mut first = [0; 1024];
        assert!(stream.read(&mut first).await.expect("an answer") > 0);
        stream
    };
    let closed = tokio::spawn(until_closed(socket));
    let stream_ended = tokio::spawn(read(events));
    let answer = site.post("/sign-out", &[&cookie], "").await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/sign-in?said=out")));
    assert!(answer.header("set-cookie").expect("a cookie").contains("Max-Age=0"));
    // The promise itself is a second.
    assert!(within(1, closed).await.expect("read"), "and says why");
    let streamed = within(1, stream_ended).await.expect("read");
    assert!(streamed.contains("event: bye\ndata: {\"why\":\"your access has ended\"}"), "{streamed}");
    assert!(streamed.ends_with("0\r\n\r\n"), "the stream has an end");
    assert_eq!(site.get("/api/v1", &[&cookie]).await.status, 401, "no replay");
    assert_eq!(refused(site.socket(&[&cookie]).await), 401);
    assert_eq!(site.get("/api/v1", &[&other]).await.status, 200, "another session goes on");
    let third = site.sign_in().await;
    assert_eq!(site.post("/sign-out", &[&third], "everywhere=1").await.status, 303);
    closes(others).await;
    assert_eq!(site.get("/api/v1", &[&other]).await.status, 401);
    site.end().await;
}

#[tokio::test]
async fn what_is_waited_for_is_not_told_to_somebody_whose_access_has_ended() {
    let site = Site::new().await;
    let cookie = site.sign_in().await;
    site.demo.put(serde_json::json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "web", "namespace": "default", "uid": "u", "generation": 2,
            "annotations": {"deployment.kubernetes.io/revision": "2"},
        },
        "spec": {
            "replicas": 1, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}},
        },
    }));
    let listed = |answer: &Answer| answer.body.contains("\"web\"");
    site.get_until("/api/v1/deployments", &[&cookie], listed).await;
    // A revision that never comes.
    let path = "/api/v1/rollouts/default/deployments/web/wait?timeout=3600s&revision=7";
    let waiting = {
        let mut stream = site.connect().await;
        let head =
            format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{cookie}\r\n\r\n", site.address);
        stream.write_all(head.as_bytes()).await.expect("sent");
        tokio::spawn(read(stream))
    };
    // It is being answered once its session is in use.
    let used = async {
        while site.sessions.all().iter().all(|session| session.open == 0) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, used).await.expect("used in time");
    site.post("/sign-out", &[&cookie], "").await;
    let answer = tokio::time::timeout(PATIENCE, waiting).await.expect("in time").expect("read");
    assert!(answer.starts_with("HTTP/1.1 401") && !answer.contains("revision"), "{answer}");
    site.end().await;
}

#[tokio::test]
async fn sessions_expire_and_fall_idle_and_take_what_is_open_along() {
    let site = Site::new().await;
    let (hour, minute) = (Duration::from_secs(3600), Duration::from_secs(60));
    let (watching, away) = (site.sign_in().await, site.sign_in().await);
    let mut socket = site.socket(&[&watching]).await.expect("a socket");
    snapshot(&mut socket).await;
    site.pass(2 * hour - minute);
    assert_eq!(site.get("/api/v1", &[&away]).await.status, 200);
    site.pass(2 * hour);
    assert_eq!(site.get("/api/v1", &[&away]).await.status, 401, "two hours without use");
    assert_eq!(site.get("/api/v1", &[&watching]).await.status, 200, "an open page is use");
    site.pass(8 * hour);
    assert_eq!(site.get("/api/v1", &[&watching]).await.status, 200);
    site.pass(minute);
    assert_eq!(site.get("/api/v1", &[&watching]).await.status, 401, "twelve hours in all");
    closes(socket).await;
    assert_eq!(site.sessions.all().len(), 0);
    site.end().await;
}

#[tokio::test]
async fn another_token_in_the_file_ends_what_the_old_one_opened() {
    let site = Site::new().await;
    let file = site.token.as_ref().expect("a file");
    let cookie = site.sign_in().await;
    let mut socket = site.socket(&[&cookie]).await.expect("a socket");
    snapshot(&mut socket).await;
    let bearer = format!("Authorization: Bearer {TOKEN}");
    let mut scripts = site.socket(&[&bearer]).await.expect("a socket");
    snapshot(&mut scripts).await;

    file.write("short\n");
    let other = "another-token-of-some-length";
    // Two looks at the file later it would have been taken.
    tokio::time::timeout(Duration::from_millis(1500), socket.next()).await.ok();
    assert_eq!(site.get("/api/v1", &[&cookie]).await.status, 200, "what cannot be used changes nothing");

    file.write(other);
    closes(socket).await;
    closes(scripts).await;
    assert_eq!(site.get("/api/v1", &[&cookie]).await.status, 401);
    assert_eq!(site.get("/api/v1", &[&bearer]).await.status, 401);
    assert_eq!(site.get("/api/v1", &[&format!("Authorization: Bearer {other}")]).await.status, 200);
    assert_eq!(site.post("/sign-in", &[], &format!("secret={other}")).await.status, 303);
    site.end().await;
}

#[test]
fn a_file_without_a_good_token_is_refused() {
    let open = |text: &str| Token::open(&File::new("bad", text).0);
    assert!(matches!(open(""), Err(TokenError::Empty { .. })));
    assert!(matches!(open("\r\n\n"), Err(TokenError::Empty { .. })));
    assert!(matches!(open("fifteen-letters\n"), Err(TokenError::Short { .. })));
    assert!(matches!(open(&"x".repeat(5000)), Err(TokenError::NotAToken { .. })));
    assert!(open("sixteen-letters!\r\n").expect("a token").good("sixteen-letters!").is_some());
    assert!(open("sixteen-letters!").expect("a token").good("sixteen-letters!\n").is_none());
    assert!(matches!(Token::open(&std::env::temp_dir()), Err(TokenError::Unreadable { .. })));
}

#[tokio::test]
async fn the_proxy_s_word_counts_and_nobody_else_s() {
    let site = Site::behind(&["127.0.0.0/8"]).await;
    let ann = ["X-Forwarded-User: ann", "X-Forwarded-Groups: dev,ops"];
    let page = site.get_until("/pods", &ann, |answer| answer.body.contains("secret-pod")).await;
    assert!(page.body.contains(">ann<"), "her name is on the page");
    let mut socket = site.socket(&ann).await.expect("a socket");
    snapshot(&mut socket).await;
    for (headers, status, part) in [
        (&["X-Forwarded-User: eve", "X-Forwarded-Groups: dev"][..], 403, "eve may not look"),
        (&[], 403, "did not say who you are"),
        (&["X-Forwarded-Groups: ops"], 403, "did not say who you are"),
        (
            &["X-Forwarded-User: ann", "X-Forwarded-User: eve", "X-Forwarded-Groups: ops"],
            400,
            "more than once",
        ),
        (
            &["X-Forwarded-User: ann", "X-Forwarded-Groups: dev", "X-Forwarded-Groups: ops"],
            400,
            "more than once",
        ),
        (&["X-Forwarded-User: \u{fc}nicode", "X-Forwarded-Groups: ops"], 403, "did not say who you are"),
    ] {
        for path in ["/pods", "/api/v1/pods"] {
            let answer = site.get(path, headers).await;
            assert_eq!(answer.status, status, "{headers:?} {path}");
            assert!(answer.body.contains(part), "{headers:?} {path}: {}", answer.body);
            assert!(!answer.body.contains("secret-"), "{headers:?} {path}");
        }
    }
    assert_eq!(refused(site.socket(&[]).await), 403);
    drop(socket);
    site.end().await;

    let site = Site::behind(&["10.0.0.0/8", "::1/128"]).await;
    let headers = [&ann[..], &["X-Forwarded-For: 10.0.0.1", "X-Real-IP: 10.0.0.1"]].concat();
    for path in ["/", "/api/v1/pods", "/live", "/metrics", "/sessions"] {
        let answer = site.get(path, &headers).await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(answer.body.contains("only through its proxy, not to 127.0.0.1"), "{path}: {}", answer.body);
    }
    assert_eq!(site.get("/livez", &[]).await.status, 200, "a kubelet is no proxy");
    site.end().await;
}

/// In this process, where time stands still but for waits.
#[tokio::test(start_paused = true)]
async fn who_waits_for_long_is_asked_again_who_they_are() {
    let stop = CancellationToken::new();
    let (hub, owner) = Hub::new(About::default(), stop.clone());
    let _owner = tokio::spawn(owner);
    let (mode, from) = behind(&["127.0.0.0/8"]);
    let door = Door::new(mode, Sessions::default(), LIFETIME, from);
    let access = Access { door, ..Access::open(Hosts::new(&[], &[])) };
    let rooms = Rooms::new(hub.clone(), stop.clone());
    let site = server::http::router(hub, rooms, Arc::default(), access, stop);
    // Nothing is listed here, ever.
    let request = Request::get("/api/v1/rollouts/default/deployments/web/wait?timeout=3600s")
        .header("host", "localhost")
        .header("x-forwarded-user", "ann")
        .header("x-forwarded-groups", "ops")
        .extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1))))
        .body(Body::empty())
        .expect("a request");
    let began = Instant::now();
    let answer = site.oneshot(request).await.unwrap_or_else(|never| match never {});
    let took = began.elapsed();
    assert!((600..610).contains(&took.as_secs()), "as long as the proxy's word is taken for: {took:?}");
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["retry-after"], "1");
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
    let body = String::from_utf8_lossy(&body);
    assert!(body.contains("who you are has to be asked again"), "{body}");
}

#[tokio::test]
async fn signing_in_leads_to_places_of_ours_only() {
    let site = Site::new().await;
    for (next, to) in [
        ("/pods", "/pods"),
        ("//evil.example", "/"),
        ("%2F%2Fevil.example", "/"),
        ("/%5Cevil.example", "/"),
        ("/%09/evil.example", "/"),
        ("/%0a/evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/pods%0d%0aX-Injected:1", "/"),
        ("evil.example", "/"),
        ("/sign-in", "/"),
    ] {
        let answer = site.post("/sign-in", &[], &format!("secret={TOKEN}&next={next}")).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some(to)), "{next}");
        let cookie = answer.cookie();
        let answer = site.get(&format!("/sign-in?next={next}"), &[&cookie]).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some(to)), "{next}");
        assert_eq!(answer.header("x-injected"), None);
    }
    site.end().await;
}

#[tokio::test]
async fn forms_of_other_sites_are_refused() {
    let site = Site::new().await;
    let cookie = site.sign_in().await;
    let here = format!("Origin: http://{}", site.address);
    for path in ["/sign-in", "/sign-out", "/sessions/end"] {
        for headers in [
            &[][..],
            &["Sec-Fetch-Site: cross-site"],
            &["Sec-Fetch-Site: same-site"],
            &["Sec-Fetch-Site: none"],
            &["Sec-Fetch-Site: cross-site", &here],
            &["Origin: http://evil.example"],
            &["Origin: null"],
        ] {
            let headers = [&[cookie.as_str()], headers].concat();
            let answer = site.ask(&format!("POST {path}"), &headers, &format!("secret={TOKEN}")).await;
            assert_eq!((answer.status, answer.header("set-cookie")), (403, None), "{path} {headers:?}");
        }
        for method in ["PUT", "DELETE", "PATCH"] {
            let answer =
                site.ask(&format!("{method} {path}"), &[&cookie, "Sec-Fetch-Site: same-origin"], "").await;
            assert!([405, 404].contains(&answer.status), "{method} {path} {}", answer.status);
        }
    }
    assert_eq!(site.get("/api/v1", &[&cookie]).await.status, 200, "still signed in");
    assert_eq!(site.get("/sign-out", &[&cookie]).await.status, 405, "a link does not sign out");
    let answer = site.ask("POST /sign-out", &[&cookie, &here], "").await;
    assert_eq!(answer.status, 303, "a browser without Fetch Metadata names its origin");
    site.end().await;
}

#[tokio::test]
async fn who_comes_from_another_site_with_a_session_is_not_asked_again() {
    let site = Site::new().await;
    // SameSite=Strict: this request comes without the cookie, and so does the one it is sent on to.
    let answer = site.get("/sign-in?next=/pods", &["Sec-Fetch-Site: cross-site"]).await;
    assert_eq!(answer.status, 200);
    assert!(
        answer.body.contains("http-equiv=\"refresh\"") && answer.body.contains("0; url=/sign-in?next=/pods")
    );
    let answer = site.get("/sign-in?next=/pods", &["Sec-Fetch-Site: same-origin"]).await;
    assert!(answer.body.contains("name=\"secret\""), "without a session there is something to type");
    let in_the_clear = "come over plain HTTP";
    assert!(!answer.body.contains(in_the_clear));
    let elsewhere = "GET /sign-in HTTP/1.1\r\nHost: dash.example\r\nConnection: close\r\n";
    for (more, said) in
        [("", true), ("X-Forwarded-Proto: https\r\n", false), ("Sec-Fetch-Site: none\r\n", false)]
    {
        let mut stream = site.connect().await;
        stream.write_all(format!("{elsewhere}{more}\r\n").as_bytes()).await.expect("sent");
        assert_eq!(read(stream).await.contains(in_the_clear), said, "{more}");
    }
    site.end().await;
}

#[tokio::test]
async fn one_sees_one_s_own_sessions_and_ends_them() {
    let site = Site::behind(&["127.0.0.0/8"]).await;
    let ann = ["X-Forwarded-User: ann", "X-Forwarded-Groups: ops"];
    let page = site.get("/sessions", &ann).await;
    assert!(page.status == 200 && page.body.contains("Sign out there"), "{}", page.body);
    site.end().await;

    let site = Site::new().await;
    let agent = "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
    let other = site.post("/sign-in", &[agent], &format!("secret={TOKEN}")).await.cookie();
    let evil = "User-Agent: <script>alert(1)</script>";
    let cookie = site.post("/sign-in", &[evil], &format!("secret={TOKEN}")).await.cookie();
    let page = site.get("/sessions", &[&cookie]).await;
    assert_eq!(
        page.header("referrer-policy"),
        Some("same-origin"),
        "so that its forms say where they come from"
    );
    assert!(page.body.contains("Firefox 145 on Linux") && page.body.contains("127.0.0.1"), "{}", page.body);
    assert!(page.body.contains("&lt;script&gt;") && !page.body.contains("<script>alert"));
    assert_eq!(page.body.matches("this one").count(), 1);
    let handle = site
        .sessions
        .all()
        .into_iter()
        .find(|session| session.from.agent.contains("Firefox"))
        .expect("the other")
        .handle;
    assert!(!other.contains(&*handle), "a handle is no part of the id");
    assert_eq!(site.post("/sessions/end", &[&cookie], "session=0123456789ab").await.status, 303);
    assert_eq!(site.get("/api/v1", &[&other]).await.status, 200);
    assert_eq!(site.post("/sessions/end", &[&cookie], &format!("session={handle}")).await.status, 303);
    assert_eq!(site.get("/api/v1", &[&other]).await.status, 401);
    assert_eq!(site.get("/api/v1", &[&cookie]).await.status, 200);
    site.end().await;
}

#[tokio::test]
async fn what_is_too_long_is_refused() {
    let site = Site::new().await;
    let answer = site.post("/sign-in", &[], &format!("secret={}", "x".repeat(9000))).await;
    assert_eq!((answer.status, answer.header("set-cookie")), (413, None));
    let answer = site.get(&format!("/pods?q={}", "x".repeat(9000)), &[]).await;
    assert_eq!(answer.status, 414);
    let answer = site.get("/livez", &[&format!("X-Long: {}", "x".repeat(17 << 10))]).await;
    assert_eq!(answer.status, 431);
    assert_eq!(site.get("/livez", &[&format!("X-Long: {}", "x".repeat(7 << 10))]).await.status, 200);
    site.end().await;
}

#[tokio::test]
async fn every_answer_says_what_a_browser_may_do_with_it() {
    let site = Site::new().await;
    let cookie = site.sign_in().await;
    for (path, headers) in
        [("/", &[cookie.as_str()][..]), ("/sign-in", &[]), ("/api/v1", &[]), ("/livez", &[])]
    {
        let answer = site.get(path, headers).await;
        for (name, part) in [
            ("content-security-policy", "frame-ancestors 'none'"),
            ("content-security-policy", "form-action 'self'"),
            ("content-security-policy", "default-src 'none'"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("permissions-policy", "camera=()"),
            ("x-robots-tag", "noindex"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
        ] {
            let value = answer.header(name).unwrap_or_default();
            assert!(value.contains(part), "{path}: {name} is {value:?}");
        }
        assert_eq!(
            answer.header("strict-transport-security"),
            None,
            "{path}: no TLS of ours, no promise of it"
        );
    }
    site.end().await;
}

#[tokio::test]
async fn who_connects_and_says_nothing_is_let_go() {
    let quick = Duration::from_millis(200);
    let site = Site::with(Mode::Anyone, Networks::default(), |front| Front {
        deadlines: Deadlines { head: quick, ..Deadlines::default() },
        ..front
    })
    .await;
    assert_eq!(read(site.connect().await).await, "", "silent from the start");
    let mut half = site.connect().await;
    half.write_all(b"GET /livez HTTP/1.1\r\nHost: loca").await.expect("sent");
    let answer = read(half).await;
    assert!(!answer.contains("200 OK"), "{answer}");
    site.end().await;
}

#[tokio::test]
async fn who_does_not_read_a_stream_is_let_go() {
    let quick = Duration::from_millis(300);
    let site = Site::with(Mode::Anyone, Networks::default(), |front| Front {
        deadlines: Deadlines { stall: quick, ..Deadlines::default() },
        ..front
    })
    .await;
    // More than what the system keeps for whoever does not read.
    for nth in 0..6 {
        site.demo.put(pod(&format!("long-{nth}"), &[("long", &"x".repeat(1 << 20))]));
    }
    site.get_until("/api/v1/pods?output=name", &[], |answer| answer.body.contains("long-5\n")).await;
    let mut stream = site.connect().await;
    let head = format!("GET /api/v1/watch HTTP/1.1\r\nHost: {}\r\n\r\n", site.address);
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut begin = [0; 12];
    stream.read_exact(&mut begin).await.expect("an answer");
    assert_eq!(&begin, b"HTTP/1.1 200");
    let let_go = site.get_until("/metrics", &[], |answer| answer.body.contains("masthead_connections 1\n"));
    // The system would do it by itself after eight.
    within(5, let_go).await;
    drop(stream);
    site.end().await;
}

/// What the system says of the socket at `near` that is connected to `far`: which of its timers runs, and the
/// hundredths of a second it has left (`Documentation/networking/proc_net_tcp.rst`).
#[cfg(target_os = "linux")]
fn timer(near: SocketAddr, far: SocketAddr) -> Option<(String, u64)> {
    let hex = |address: SocketAddr| format!("0100007F:{:04X}", address.port());
    let sockets = std::fs::read_to_string("/proc/self/net/tcp").expect("a table");
    let mut lines = sockets.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let line = lines.find(|line| line[1..3] == [hex(near), hex(far)])?;
    let (timer, left) = line[5].split_once(':')?;
    Some((timer.to_owned(), u64::from_str_radix(left, 16).ok()?))
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn who_is_silent_is_asked_by_the_system_whether_they_are_there() {
    let site = Site::with(Mode::Anyone, Networks::default(), |front| front).await;
    let mut stream = site.connect().await;
    let head = format!("GET /livez HTTP/1.1\r\nHost: {}\r\n\r\n", site.address);
    stream.write_all(head.as_bytes()).await.expect("sent");
    stream.read_exact(&mut [0; 12]).await.expect("an answer");
    let far = stream.local_addr().expect("an address");
    let keeps_asking = async {
        // what was sent last is acknowledged first
        while !timer(site.address, far).is_some_and(|(timer, left)| timer == "02" && left <= 400) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, keeps_asking).await.expect("it asks");
    drop(stream);
    site.end().await;
}

#[tokio::test]
async fn there_is_a_limit_on_open_connections() {
    let site = Site::with(Mode::Anyone, Networks::default(), |front| Front {
        limits: Limits::new(3, Networks::default()),
        ..front
    })
    .await;
    let mut socket = site.socket(&[]).await.expect("a socket");
    snapshot(&mut socket).await;
    let held = [site.connect().await, site.connect().await];
    let answer = site.get("/livez", &[]).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")));
    drop(held);
    site.get_until("/livez", &[], |answer| answer.status == 200).await;
    let metrics = site.get_until("/metrics", &[], |answer| answer.status == 200).await;
    let turned_away =
        metrics.body.lines().find(|line| line.starts_with("masthead_connections_turned_away_total"));
    assert!(turned_away.is_some_and(|line| !line.ends_with(" 0")), "{turned_away:?}");
    drop(socket);
    site.end().await;
}

/// A certificate for `localhost` of its own making.
fn certificate() -> (String, String, rustls::pki_types::CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    (made.cert.pem(), made.signing_key.serialize_pem(), made.cert.der().clone())
}

/// Connects with TLS, trusting one certificate only.
async fn secured(
    site: &Site,
    trusted: &rustls::pki_types::CertificateDer<'static>,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trusted.clone()).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = "localhost".try_into().expect("a name");
    tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, site.connect().await).await
}

#[tokio::test]
async fn tls_ends_here_and_its_certificate_is_read_anew() {
    let (pem, key, der) = certificate();
    let (cert_file, key_file) = (File::new("cert.pem", &pem), File::new("key.pem", &key));
    let tls = Tls::open(&cert_file.0, &key_file.0).expect("a certificate");
    let site = Site::with(Mode::Anyone, Networks::default(), |front| Front { tls: Some(tls), ..front }).await;
    let both = [&rustls::version::TLS13, &rustls::version::TLS12];
    for version in both {
        let stream = secured(&site, &der, &[version]).await.expect("TLS");
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        let answer = exchange(stream, site.address, "GET /livez", &[], "").await;
        assert_eq!(answer.status, 200);
        assert!(answer.header("strict-transport-security").expect("HSTS").starts_with("max-age="));
    }
    let stream = secured(&site, &der, &both).await.expect("TLS");
    let mut live = socket(stream, "wss", site.address, &[]).await.expect("a socket over TLS");
    snapshot(&mut live).await;
    assert_eq!(site.get("/livez", &[]).await.status, 0, "nothing in the clear");

    let (pem, key, other) = certificate();
    cert_file.write(&pem);
    let metric = |good: u8| format!("masthead_tls_certificate_current {good}\n");
    let metrics_until = async |part: String| {
        let asking = async {
            loop {
                // Either of them, at whatever moment they change places.
                let stream = match secured(&site, &der, &both).await {
                    Ok(stream) => stream,
                    Err(_) => match secured(&site, &other, &both).await {
                        Ok(stream) => stream,
                        Err(_) => continue,
                    },
                };
                if exchange(stream, site.address, "GET /metrics", &[], "").await.body.contains(&part) {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, asking).await.expect("a metric like that");
    };
    // The certificate of another key: the old one stays.
    metrics_until(metric(0)).await;
    secured(&site, &der, &both).await.expect("the old certificate");
    key_file.write(&key);
    metrics_until(metric(1)).await;
    secured(&site, &other, &both).await.expect("the new certificate");
    secured(&site, &der, &both).await.expect_err("the old one has gone");
    std::fs::remove_file(&key_file.0).expect("removed");
    metrics_until(metric(0)).await;
    secured(&site, &other, &both).await.expect("still served");
    drop(live);
    site.end().await;
}

#[tokio::test]
async fn a_handshake_has_a_deadline_too() {
    let (pem, key, _) = certificate();
    let (cert_file, key_file) = (File::new("cert.pem", &pem), File::new("key.pem", &key));
    let tls = Tls::open(&cert_file.0, &key_file.0).expect("a certificate");
    let site = Site::with(Mode::Anyone, Networks::default(), |front| Front {
        tls: Some(tls),
        deadlines: Deadlines { handshake: Duration::from_millis(200), ..Deadlines::default() },
        ..front
    })
    .await;
    assert_eq!(read(site.connect().await).await, "");
    site.end().await;
}

#[derive(Clone, Default)]
struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// One thread runs all of it, so that its log is heard.
#[tokio::test]
async fn who_came_and_went_is_in_the_log_and_no_secret_is() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone());
    let heard = tracing::subscriber::set_default(subscriber.finish());
    let site = Site::new().await;
    let cookie = site.sign_in().await;
    site.post("/sign-in", &[], "secret=wrong-wrong-wrong-wrong").await;
    let handle = site.sessions.all()[0].handle.clone();
    site.post("/sign-out", &[&cookie], "").await;
    site.sign_in().await;
    site.pass(Duration::from_secs(86_400));
    let gone = async {
        while !site.sessions.all().is_empty() || site.sessions.kept(|_| true).len() == 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("swept in time");
    site.end().await;
    drop(heard);
    let text = String::from_utf8(log.0.lock().expect("a log").clone()).expect("text");
    let audit: Vec<serde_json::Value> = text
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|line| line["target"] == "audit")
        .map(|line| line["fields"].clone())
        .collect();
    let what: Vec<&str> = audit.iter().filter_map(|fields| fields["what"].as_str()).collect();
    assert_eq!(what, ["sign-in", "refused", "sign-out", "sign-in", "session-end"]);
    assert!(audit.iter().all(|fields| fields["from"] == "127.0.0.1"), "{audit:?}");
    assert_eq!((&audit[0]["who"], &audit[0]["session"]), (&"token holder".into(), &(*handle).into()));
    assert_eq!((&audit[2]["session"], &audit[4]["why"]), (&audit[0]["session"], &"expired".into()));
    let id = cookie.split('=').nth(1).expect("an id");
    for secret in [TOKEN, "wrong-wrong", id] {
        assert!(!text.contains(secret), "{secret} is in the log");
    }
}
