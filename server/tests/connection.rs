//! The way to a cluster, as a kubeconfig names it: TLS, HTTP/2 or only HTTP/1.1, and a hop in between that dies without
//! a word.

// A test that cannot go on should stop.
#![allow(clippy::expect_used)]

mod viewer;

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use app::api::{Kind, KindState};
use axum::{
    Router,
    body::Body,
    extract::State,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{Request, StatusCode, header::AUTHORIZATION};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{NoClientAuth, WebPkiClientVerifier, danger::ClientCertVerifier},
};
use server::{
    demo::{self, Demo},
    hub::{Seat, now},
    source::{credentials::Purpose, kubeconfig},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;
use viewer::{Viewer, pod, watching};

/// What nothing here takes.
const PATIENCE: Duration = Duration::from_secs(60);
/// It asks about nobody, and watches all there is.
const PURPOSE: Purpose = Purpose { reviews: false, watches: Kind::ALL.len() };
/// It would watch more than one connection surely has room for.
const MANY: Purpose = Purpose { reviews: false, watches: 81 };
/// By then a hop that has died is found.
const FOUND: Duration = Duration::from_secs(10);

/// Whoever signs API servers' certificates.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Authority {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Authority { pem, issuer: Issuer::new(params, key) }
    }

    /// A certificate that nobody has seen before, and its key.
    fn certified(&self, name: &str) -> (Certificate, KeyPair) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("names");
        (params.signed_by(&key, &self.issuer).expect("a certificate"), key)
    }

    /// TLS with another certificate of ours, for whoever comes.
    fn tls(&self) -> TlsAcceptor {
        self.tls_for(Arc::new(NoClientAuth))
    }

    /// The same, only for those who have a certificate of `theirs`.
    fn tls_for_those_of(&self, theirs: &Authority) -> TlsAcceptor {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(theirs.pem.as_bytes()).expect("PEM")).expect("an authority");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let only = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
        self.tls_for(only.expect("a verifier"))
    }

    /// The same, from an API server, or something in front of it, that does not know HTTP/2.
    fn tls_without_http2(&self) -> TlsAcceptor {
        let mut config = rustls::ServerConfig::clone(self.tls().config());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }

    fn tls_for(&self, only: Arc<dyn ClientCertVerifier>) -> TlsAcceptor {
        let (cert, key) = self.certified("localhost");
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_client_cert_verifier(only)
            .with_single_cert(vec![cert.der().clone()], key)
            .expect("a certificate");
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }
}

/// An API server on a port, with whatever certificate it has now.
struct ApiServer {
    address: SocketAddr,
    tls: Arc<Mutex<TlsAcceptor>>,
    token: Arc<Mutex<&'static str>>,
    _tasks: JoinSet<()>,
}

impl ApiServer {
    async fn start(demo: &Demo, tls: TlsAcceptor) -> ApiServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let tls = Arc::new(Mutex::new(tls));
        let token = Arc::new(Mutex::new("first"));
        let (router, current) = (demo.router(), tls.clone());
        let router = router.layer(axum::middleware::from_fn_with_state(token.clone(), authenticated));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                let acceptor = current.lock().expect("no panic").clone();
                open.spawn(serve(stream, acceptor, router.clone()));
            }
        });
        ApiServer { address, tls, token, _tasks: tasks }
    }

    fn has_another_certificate(&self, tls: TlsAcceptor) {
        *self.tls.lock().expect("no panic") = tls;
    }
}

/// Whoever comes has to have the token there is.
async fn authenticated(
    State(token): State<Arc<Mutex<&'static str>>>,
    request: axum::extract::Request,
    next: Next,
) -> Response {
    let bearer = format!("Bearer {}", token.lock().expect("no panic"));
    match request.headers().get(AUTHORIZATION) {
        Some(given) if given.as_bytes() == bearer.as_bytes() => next.run(request).await,
        _ => StatusCode::UNAUTHORIZED.into_response(),
    }
}

async fn serve(stream: TcpStream, tls: TlsAcceptor, router: Router) {
    let Ok(stream) = tls.accept(stream).await else { return };
    let chosen = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
    let service =
        service_fn(move |request: Request<Incoming>| router.clone().oneshot(request.map(Body::new)));
    let stream = TokioIo::new(stream);
    // hops die here
    match chosen.as_deref() {
        Some(b"h2") => {
            let _ = http2::Builder::new(TokioExecutor::new()).serve_connection(stream, service).await;
        }
        // offered alone, or nothing was
        Some(b"http/1.1") | None => {
            let _ = http1::Builder::new().serve_connection(stream, service).await;
        }
        other => panic!("{other:?} is chosen"),
    }
}

/// In front of it: what goes through can be made to vanish, both ways, while both sides find their sockets well.
struct Hop {
    address: SocketAddr,
    opened: Arc<AtomicUsize>,
    /// Connections below this number are dead.
    dead: watch::Sender<usize>,
    _tasks: JoinSet<()>,
}

impl Hop {
    async fn before(behind: SocketAddr) -> Hop {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (opened, dead) = (Arc::<AtomicUsize>::default(), watch::Sender::new(0));
        let (count, deaths) = (opened.clone(), dead.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (near, _) = listener.accept().await.expect("a connection");
                let nth = count.fetch_add(1, Ordering::Relaxed);
                let Ok(far) = TcpStream::connect(behind).await else { continue };
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                open.spawn(carry(near_in, far_out, nth, deaths.subscribe()));
                open.spawn(carry(far_in, near_out, nth, deaths.subscribe()));
            }
        });
        Hop { address, opened, dead, _tasks: tasks }
    }

    fn opened(&self) -> usize {
        self.opened.load(Ordering::Relaxed)
    }

    /// Forgets every connection there is, and tells nobody; others go through.
    fn dies(&self) {
        self.dead.send_replace(self.opened());
    }

    /// The same of all that are yet to come.
    fn is_dead(&self) {
        self.dead.send_replace(usize::MAX);
    }
}

async fn carry(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    nth: usize,
    dead: watch::Receiver<usize>,
) {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let read = from.read(&mut buffer).await.unwrap_or(0);
        let is_dead = nth < *dead.borrow();
        if is_dead && read == 0 {
            // who is told nothing does not hear of the end either
            return std::future::pending().await;
        }
        if is_dead {
            continue;
        }
        if read == 0 || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// Masthead behind a kubeconfig.
struct Stage {
    demo: Demo,
    authority: Authority,
    api_server: ApiServer,
    hop: Hop,
    seat: Seat,
    viewer: Viewer,
    folder: Folder,
    _tasks: JoinSet<()>,
}

impl Stage {
    async fn new(name: &str) -> Stage {
        Stage::of(name, &[("config", config("token: first"))], Authority::tls).await
    }

    /// Of a kubeconfig and files beside it.
    async fn of(name: &str, files: &[(&str, String)], tls: impl FnOnce(&Authority) -> TlsAcceptor) -> Stage {
        Stage::purposed(name, files, PURPOSE, tls).await
    }

    async fn purposed(
        name: &str,
        files: &[(&str, String)],
        purpose: Purpose,
        tls: impl FnOnce(&Authority) -> TlsAcceptor,
    ) -> Stage {
        let demo = demo::start(demo::Options { play: false, ..demo::Options::default() });
        demo.put(pod("first", &[]));
        let authority = Authority::new();
        let api_server = ApiServer::start(&demo, tls(&authority)).await;
        let hop = Hop::before(api_server.address).await;
        let folder = Folder {
            path: std::env::temp_dir().join(format!("masthead-{name}-{}", std::process::id())),
            port: hop.address.port(),
        };
        std::fs::create_dir_all(&folder.path).expect("a folder");
        folder.write("authority.pem", &authority.pem);
        files.iter().for_each(|(file, text)| folder.write(file, text));
        let found = kubeconfig::find(Some(folder.path.join("config")), None, purpose).await;
        let (seat, tasks) = watching(found.expect("a cluster").api).await;
        Stage { demo, authority, api_server, hop, seat, viewer: Viewer::default(), folder, _tasks: tasks }
    }

    async fn until(&mut self, what: &str, limit: Duration, done: impl Fn(&Viewer) -> bool) {
        let waited = tokio::time::timeout(limit, async {
            while !done(&self.viewer) {
                let bytes = self.seat.next().await.expect("the hub runs").bytes().await;
                self.viewer.take(&bytes);
            }
        });
        assert!(
            waited.await.is_ok(),
            "waited in vain for {what}; pods are {:?}",
            self.viewer.state(Kind::Pod)
        );
    }

    async fn until_live(&mut self) {
        self.until("every kind to be live", PATIENCE, |viewer| {
            Kind::ALL.iter().all(|kind| *viewer.state(*kind) == KindState::Live)
        })
        .await;
    }

    /// Sooner than kube reads a token file again, which is every 50 s.
    async fn until_live_again(&mut self) {
        self.until("pods to be live again", 2 * FOUND, |viewer| *viewer.state(Kind::Pod) == KindState::Live)
            .await;
    }

    async fn until_stale(&mut self) {
        self.until("pods to be stale", FOUND, |viewer| {
            matches!(viewer.state(Kind::Pod), KindState::Stale { .. })
        })
        .await;
    }
}

/// A kubeconfig of one user, who is `user`.
fn config(user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: test\n\
         clusters:\n- name: it\n  cluster: {{server: 'https://localhost:PORT', certificate-authority: authority.pem}}\n\
         users:\n- name: me\n  user: {{{user}}}\n\
         contexts:\n- name: test\n  context: {{cluster: it, user: me}}\n"
    )
}

/// Where the kubeconfig is.
struct Folder {
    path: PathBuf,
    port: u16,
}

impl Folder {
    /// At once, as whoever renews something does.
    fn write(&self, file: &str, text: &str) {
        let new = self.path.join("new");
        let text =
            text.replace("PORT", &self.port.to_string()).replace("FOLDER", &self.path.to_string_lossy());
        std::fs::write(&new, text).expect("a file");
        std::fs::rename(new, self.path.join(file)).expect("the same folder");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hop_that_forgets_its_connections_is_found_and_left_behind() {
    let mut stage = Stage::new("forgets").await;
    stage.until_live().await;
    assert_eq!(stage.hop.opened(), 1, "all watches, lists and the pulse share one connection");
    stage.hop.dies();
    stage.until_stale().await;
    stage.demo.put(pod("second", &[]));
    // Over another connection, since the hop is there: long before TCP gives the first one up.
    stage.until("what happened meanwhile", FOUND, |viewer| viewer.pod("second").is_some()).await;
    stage.until_live().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hop_that_is_dead_for_a_while_is_gone_through_again_when_it_is_not() {
    let mut stage = Stage::new("dead").await;
    stage.until_live().await;
    stage.hop.is_dead();
    stage.until_stale().await;
    stage.demo.put(pod("second", &[]));
    stage.hop.dies(); // those that were tried meanwhile, but none from now on
    stage.until("what happened meanwhile", 2 * FOUND, |viewer| viewer.pod("second").is_some()).await;
    stage.until_live().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_server_with_another_certificate_of_the_same_authority_is_believed_and_no_other() {
    let mut stage = Stage::new("certificate").await;
    stage.until_live().await;
    stage.api_server.has_another_certificate(Authority::new().tls());
    stage.hop.dies();
    stage.until("nothing to be believed", FOUND, |viewer| {
        matches!(viewer.state(Kind::Pod), KindState::Stale { because, .. } if because.contains("certificate"))
    })
    .await;
    stage.api_server.has_another_certificate(stage.authority.tls());
    stage.demo.put(pod("second", &[]));
    stage.until("what happened meanwhile", 2 * FOUND, |viewer| viewer.pod("second").is_some()).await;
    stage.until_live().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_that_is_replaced_is_believed_when_its_file_is() {
    let mut stage = Stage::new("authority").await;
    stage.until_live().await;
    let other = Authority::new();
    stage.api_server.has_another_certificate(other.tls());
    stage.hop.dies();
    stage.until_stale().await;
    stage.demo.put(pod("second", &[]));
    stage.folder.write("authority.pem", &other.pem);
    stage.until("what happened meanwhile", FOUND, |viewer| viewer.pod("second").is_some()).await;
    stage.until_live().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_certificate_that_is_renewed_is_shown_from_then_on() {
    let (before, since) = (Authority::new(), Authority::new());
    let (cert, key) = before.certified("me");
    let files = [
        ("config", config("token: first, client-certificate: me.pem, client-key: me.key")),
        ("me.pem", cert.pem()),
        ("me.key", key.serialize_pem()),
    ];
    let mut stage = Stage::of("client", &files, |authority| authority.tls_for_those_of(&before)).await;
    stage.until_live().await;
    stage.api_server.has_another_certificate(stage.authority.tls_for_those_of(&since));
    stage.hop.dies();
    stage.until_stale().await;
    stage.demo.put(pod("second", &[]));
    let (cert, key) = since.certified("me");
    stage.folder.write("me.pem", &cert.pem());
    stage.folder.write("me.key", &key.serialize_pem());
    stage.until("what happened meanwhile", FOUND, |viewer| viewer.pod("second").is_some()).await;
    stage.until_live().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_replaced_is_used_at_once_in_the_kubeconfig_or_in_a_file() {
    let files = [("config", config("tokenFile: token")), ("token", "first".to_owned())];
    let mut stage = Stage::of("token", &files, Authority::tls).await;
    stage.until_live().await;
    *stage.api_server.token.lock().expect("no panic") = "second";
    stage.until("who asks to be refused", FOUND, |viewer| {
        matches!(viewer.state(Kind::Pod), KindState::Stale { because, .. } if because.contains("401"))
    })
    .await;
    // As an editor leaves it, and `echo`.
    stage.folder.write("token", "second\n");
    stage.until_live_again().await;
    *stage.api_server.token.lock().expect("no panic") = "third";
    stage.folder.write("config", "no kubeconfig");
    stage.until_stale().await;
    stage.folder.write("config", &config("token: third"));
    stage.until_live_again().await;
}

/// What a plugin prints.
fn credential(token: &str) -> String {
    format!(
        r#"{{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {{"token": "{token}"}}}}"#
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_is_run_again_when_what_it_gave_is_not_accepted_any_more() {
    let plugin = "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: cat, \
                  args: [FOLDER/given]}";
    let files = [("config", config(plugin)), ("given", credential("first"))];
    let mut stage = Stage::of("plugin", &files, Authority::tls).await;
    stage.until_live().await;
    stage.folder.write("given", &credential("second"));
    *stage.api_server.token.lock().expect("no panic") = "second";
    stage.until_stale().await;
    stage.demo.put(pod("second", &[]));
    stage.until("what happened meanwhile", PATIENCE, |viewer| viewer.pod("second").is_some()).await;
    stage.until_live().await;
}

/// How an API server takes connections in.
type Acceptor = fn(&Authority) -> TlsAcceptor;

/// Where HTTP/2 is not spoken, for either reason there is. One after the other: what happened to a stage before it is
/// looked at is nobody's matter.
const WITHOUT_HTTP2: [(&str, Purpose, Acceptor); 2] =
    [("old", PURPOSE, Authority::tls_without_http2), ("many", MANY, Authority::tls)];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_http2_each_watch_has_a_connection_and_is_opened_again_when_it_ends() {
    for (why, purpose, tls) in WITHOUT_HTTP2 {
        let files = [("config", config("token: first"))];
        let mut stage = Stage::purposed(&format!("http1-{why}"), &files, purpose, tls).await;
        stage.until_live().await;
        let watched = Kind::ALL.iter().filter(|kind| kind.watched() == **kind).count();
        // The pulse's may be one that a watch has taken over.
        assert!(stage.hop.opened() >= watched, "{} connections", stage.hop.opened());
        #[cfg(target_os = "linux")]
        asked_by_the_system(stage.hop.address, watched).await;
        stage.demo.put(pod("second", &[]));
        stage.until("a change", FOUND, |viewer| viewer.pod("second").is_some()).await;
        for round in ["third", "fourth"] {
            stage.demo.faults().cut_watches("pods");
            stage.demo.put(pod(round, &[]));
            stage.until("what happened since", FOUND, |viewer| viewer.pod(round).is_some()).await;
            stage.until_live_again().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_http2_nothing_is_confirmed_that_came_over_a_connection_that_a_hop_forgot() {
    for (why, purpose, tls) in WITHOUT_HTTP2 {
        let files = [("config", config("token: first"))];
        let mut stage = Stage::purposed(&format!("http1-forgets-{why}"), &files, purpose, tls).await;
        stage.until_live().await;
        // Until no connection is being opened that the hop would not have forgotten, for the pulse to be answered over.
        let beats = stage.viewer.beats;
        stage.until("two pulses", FOUND, |viewer| viewer.beats > beats + 2).await;
        stage.hop.dies();
        stage.demo.put(pod("second", &[]));
        let died = now();
        // Where the pulse asks anew at once, nothing need ever have been doubted: then it is right by then.
        stage
            .until("pods to be doubted, or right", FOUND, |viewer| {
                *viewer.state(Kind::Pod) != KindState::Live || viewer.pod("second").is_some()
            })
            .await;
        // The pulse waits in vain, and then asks at once over another connection, which answers.
        stage
            .until("pods to be confirmed again", PATIENCE, |viewer| {
                let is_confirmed = viewer.as_of(Kind::Pod).is_some_and(|at| at > died);
                assert!(!is_confirmed || viewer.pod("second").is_some(), "without what happened since");
                is_confirmed && *viewer.state(Kind::Pod) == KindState::Live
            })
            .await;
        stage.until_live().await;
    }
}

/// Until the system asks now and then of so many connections to `far` whether anybody is there: their timer of the second
/// sort runs (`Documentation/networking/proc_net_tcp.rst`).
#[cfg(target_os = "linux")]
async fn asked_by_the_system(far: SocketAddr, connections: usize) {
    let far = format!("0100007F:{:04X}", far.port());
    let asked = || {
        let table = std::fs::read_to_string("/proc/self/net/tcp").expect("a table");
        let lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        lines.filter(|line| line[2] == far && line[5].starts_with("02:")).count()
    };
    let wait = async {
        while asked() < connections {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let waited = tokio::time::timeout(FOUND, wait).await;
    assert!(waited.is_ok(), "{} of {connections} are asked", asked());
}
