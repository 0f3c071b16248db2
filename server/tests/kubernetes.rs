//! Visitors with tokens of their own, held against an API server in this process that knows who they are and what they
//! may do: the demo's, with reviews before it.

// A test that cannot go on should stop.
#![allow(clippy::expect_used)]

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use app::{
    api::{Kind, Text},
    wire::About,
};
use axum::{Json, Router, extract::State, routing::post};
use http::{HeaderMap, StatusCode, header};
use k8s_openapi::api::{
    authentication::v1::{
        SelfSubjectReview, SelfSubjectReviewStatus, TokenReview, TokenReviewStatus, UserInfo,
    },
    authorization::v1::{
        ResourceRule, SelfSubjectAccessReview, SelfSubjectRulesReview, SubjectAccessReviewStatus,
        SubjectRulesReviewStatus,
    },
};
use secrecy::SecretString;
use serde_json::json;
use server::{
    audience::{
        Audit, Door, Grant, Sessions, Visitor,
        door::{
            LIFETIME, Mode,
            kubernetes::{Denied, Kubernetes},
            proxy::Networks,
        },
        grant::Within,
        sessions::{Admitted, Client},
    },
    demo,
    http::{Access, Hosts},
    hub::Hub,
    source::{Source, api_server::ApiServer},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// A rule, where it holds: everywhere, or in one namespace.
type Rule = (Option<&'static str>, ResourceRule);

#[derive(Default)]
struct Rbac {
    /// Users by their tokens.
    tokens: BTreeMap<&'static str, &'static str>,
    rules: BTreeMap<&'static str, Vec<Rule>>,
    /// Whether Masthead's own account may ask whose a token is.
    delegated: bool,
    /// Whether another authorizer, which cannot list its rules, decides.
    opaque: bool,
    down: bool,
    asked: BTreeMap<&'static str, usize>,
}

#[derive(Clone, Default)]
struct Cluster(Arc<Mutex<Rbac>>);

impl Cluster {
    fn rbac(&self) -> std::sync::MutexGuard<'_, Rbac> {
        self.0.lock().expect("nobody panicked")
    }

    fn reviews(&self) -> Router {
        Router::new()
            .route("/apis/authentication.k8s.io/v1/tokenreviews", post(token))
            .route("/apis/authentication.k8s.io/v1/selfsubjectreviews", post(myself))
            .route("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", post(access))
            .route("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", post(rules))
            .with_state(self.clone())
    }

    /// Somebody with a token and these rules.
    fn somebody(&self, token: &'static str, user: &'static str, rules: Vec<Rule>) {
        let mut rbac = self.rbac();
        rbac.tokens.insert(token, user);
        rbac.rules.insert(user, rules);
    }
}

impl Rbac {
    fn asked(&mut self, what: &'static str) -> Result<(), Refusal> {
        *self.asked.entry(what).or_default() += 1;
        if self.down { Err(status(StatusCode::INTERNAL_SERVER_ERROR, "etcd has gone")) } else { Ok(()) }
    }

    fn bearer(&self, headers: &HeaderMap) -> Result<&'static str, Refusal> {
        let token =
            headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let user = token.and_then(|token| self.tokens.get(token));
        user.copied().ok_or_else(|| status(StatusCode::UNAUTHORIZED, "Unauthorized"))
    }

    fn of(&self, user: &str, namespace: Option<&str>) -> Vec<ResourceRule> {
        let rules = self.rules.get(user).into_iter().flatten();
        rules
            .filter(|(within, _)| within.is_none() || *within == namespace)
            .map(|(_, rule)| rule.clone())
            .collect()
    }
}

/// A status and the API server's words.
type Refusal = (StatusCode, Json<serde_json::Value>);

fn status(code: StatusCode, message: &str) -> Refusal {
    (code, Json(json!({"kind": "Status", "code": code.as_u16(), "message": message})))
}

fn user(name: &str) -> UserInfo {
    let groups = Some(vec!["system:authenticated".to_owned()]);
    UserInfo { username: Some(name.to_owned()), groups, ..UserInfo::default() }
}

async fn token(
    State(cluster): State<Cluster>,
    headers: HeaderMap,
    Json(mut review): Json<TokenReview>,
) -> Result<Json<TokenReview>, Refusal> {
    let mut rbac = cluster.rbac();
    rbac.asked("token")?;
    assert!(!headers.contains_key(header::AUTHORIZATION), "Masthead's own account asks this");
    if !rbac.delegated {
        return Err(status(StatusCode::FORBIDDEN, "cannot create resource \"tokenreviews\""));
    }
    let found = review.spec.token.take().and_then(|token| rbac.tokens.get(&*token).copied());
    let authenticated = Some(found.is_some());
    review.status =
        Some(TokenReviewStatus { authenticated, user: found.map(user), ..TokenReviewStatus::default() });
    Ok(Json(review))
}

async fn myself(
    State(cluster): State<Cluster>,
    headers: HeaderMap,
    Json(mut review): Json<SelfSubjectReview>,
) -> Result<Json<SelfSubjectReview>, Refusal> {
    let mut rbac = cluster.rbac();
    rbac.asked("myself")?;
    let user_info = Some(user(rbac.bearer(&headers)?));
    review.status = Some(SelfSubjectReviewStatus { user_info });
    Ok(Json(review))
}

async fn access(
    State(cluster): State<Cluster>,
    headers: HeaderMap,
    Json(mut review): Json<SelfSubjectAccessReview>,
) -> Result<Json<SelfSubjectAccessReview>, Refusal> {
    let mut rbac = cluster.rbac();
    rbac.asked("access")?;
    let user = rbac.bearer(&headers)?;
    let asked = review.spec.resource_attributes.clone().unwrap_or_default();
    let allowed = rbac.of(user, asked.namespace.as_deref()).iter().any(|rule| {
        let has = |words: &[String], word: &Option<String>| {
            words.iter().any(|one| one == "*" || Some(one) == word.as_ref())
        };
        has(&rule.verbs, &asked.verb)
            && has(rule.api_groups.as_deref().unwrap_or_default(), &asked.group)
            && has(rule.resources.as_deref().unwrap_or_default(), &asked.resource)
            && rule.resource_names.as_ref().is_none_or(Vec::is_empty)
    });
    review.status = Some(SubjectAccessReviewStatus { allowed, ..SubjectAccessReviewStatus::default() });
    Ok(Json(review))
}

async fn rules(
    State(cluster): State<Cluster>,
    headers: HeaderMap,
    Json(mut review): Json<SelfSubjectRulesReview>,
) -> Result<Json<SelfSubjectRulesReview>, Refusal> {
    let mut rbac = cluster.rbac();
    rbac.asked("rules")?;
    let user = rbac.bearer(&headers)?;
    let resource_rules =
        if rbac.opaque { Vec::new() } else { rbac.of(user, review.spec.namespace.as_deref()) };
    let incomplete = rbac.opaque;
    review.status =
        Some(SubjectRulesReviewStatus { incomplete, resource_rules, ..SubjectRulesReviewStatus::default() });
    Ok(Json(review))
}

fn rule(groups: &[&str], resources: &[&str], verbs: &[&str]) -> ResourceRule {
    let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    ResourceRule {
        api_groups: Some(owned(groups)),
        resources: Some(owned(resources)),
        verbs: owned(verbs),
        resource_names: None,
    }
}

const LOOKING: [&str; 3] = ["get", "list", "watch"];

/// The demo's cluster, watched, with reviews before it.
async fn watched(cluster: &Cluster, tasks: &mut JoinSet<()>) -> (Kubernetes, demo::Demo) {
    let demo = demo::start(demo::Options::default());
    let api = ApiServer::in_process_with_reviews(cluster.reviews().fallback_service(demo.router()));
    let source = Source {
        api: api.clone(),
        namespaces: Vec::new(),
        fallback: None,
        about: Default::default(),
        metrics: Default::default(),
    };
    let (hub, owner) = Hub::new(source.about.clone(), CancellationToken::new());
    tasks.spawn(owner);
    tasks.spawn(source.run(hub.clone()));
    let mut often = tokio::time::interval(Duration::from_millis(20));
    let listed = async {
        loop {
            often.tick().await;
            let view = hub.view().await.expect("a hub");
            if server::source::ready(|kind| view.cluster.state(kind).clone()).is_ok() {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), listed).await.expect("everything is listed");
    let kubernetes = Kubernetes::new(api);
    kubernetes.attach(hub);
    (kubernetes, demo)
}

fn kinds(grant: Option<Arc<Grant>>) -> BTreeMap<Kind, Within> {
    grant.expect("a part, not everything").kinds.clone()
}

fn namespaces(names: &[&str]) -> Within {
    Within::Namespaces(names.iter().map(|name| Text::from(*name)).collect())
}

#[tokio::test]
async fn a_token_opens_what_the_api_server_lets_its_owner_list_and_watch() {
    let cluster = Cluster::default();
    cluster.rbac().delegated = true;
    let mut tasks = JoinSet::new();
    let (kubernetes, _demo) = watched(&cluster, &mut tasks).await;
    let grant = async |token| kinds(kubernetes.hold(token).await.expect("it is good").grant());

    cluster.somebody("all", "admin", vec![(None, rule(&["*"], &["*"], &["*"]))]);
    assert_eq!(kubernetes.hold("all").await.expect("it is good").grant(), None, "all there is");
    assert_eq!(cluster.rbac().asked.get("rules"), None, "nothing is left to ask");

    cluster.somebody("none", "nobody", vec![]);
    assert_eq!(grant("none").await, BTreeMap::new());

    cluster.somebody("pods", "podder", vec![(None, rule(&[""], &["pods"], &LOOKING))]);
    assert_eq!(grant("pods").await, BTreeMap::from([(Kind::Pod, Within::All)]), "but no events");

    cluster.somebody("list", "lister", vec![(None, rule(&["*"], &["*"], &["list"]))]);
    assert_eq!(grant("list").await, BTreeMap::new(), "whoever may not watch cannot be shown what changes");

    cluster.somebody(
        "one",
        "one",
        vec![
            (Some("default"), rule(&["", "apps"], &["pods", "deployments"], &LOOKING)),
            (Some("kube-system"), rule(&["*"], &["*"], &["list", "watch"])),
            (Some("kube-node-lease"), rule(&["coordination.k8s.io"], &["leases"], &LOOKING)),
            (
                None,
                ResourceRule {
                    resource_names: Some(vec!["default".to_owned()]),
                    ..rule(&[""], &["namespaces", "pods"], &LOOKING)
                },
            ),
        ],
    );
    let one = grant("one").await;
    assert_eq!(one.get(&Kind::Pod), Some(&namespaces(&["default", "kube-system"])));
    assert_eq!(one.get(&Kind::Deployment), Some(&namespaces(&["default", "kube-system"])));
    assert_eq!(one.get(&Kind::Event), Some(&namespaces(&["kube-system"])));
    assert_eq!(one.get(&Kind::Lease), Some(&Within::All), "all there is are in that namespace");
    assert_eq!((one.get(&Kind::Namespace), one.get(&Kind::Node)), (None, None));
    assert!(!cluster.rbac().asked.contains_key("myself"));
}

#[tokio::test]
async fn what_an_authorizer_does_not_list_is_asked_about_kind_by_kind() {
    let cluster = Cluster::default();
    cluster.rbac().opaque = true;
    let mut tasks = JoinSet::new();
    let (kubernetes, _demo) = watched(&cluster, &mut tasks).await;
    cluster.somebody("one", "one", vec![(Some("default"), rule(&[""], &["pods"], &LOOKING))]);
    let granted = kinds(kubernetes.hold("one").await.expect("it is good").grant());
    assert_eq!(granted, BTreeMap::from([(Kind::Pod, namespaces(&["default"]))]));
    assert_eq!(cluster.rbac().asked.get("myself"), Some(&1), "where Masthead may not ask, the token does");
}

#[tokio::test]
async fn what_is_no_good_token_opens_nothing_and_is_not_repeated() {
    let cluster = Cluster::default();
    let api = ApiServer::in_process_with_reviews(cluster.reviews());
    let kubernetes = Kubernetes::new(api);
    for delegated in [false, true] {
        cluster.rbac().delegated = delegated;
        for (token, denied) in [
            ("", Denied::NotAToken),
            ("two words", Denied::NotAToken),
            ("line\r\nbreak: x", Denied::NotAToken),
            ("ünïcode", Denied::NotAToken),
            ("garbage", Denied::NotAccepted),
        ] {
            let error = kubernetes.hold(token).await.map(|holder| holder.who()).expect_err("no token");
            assert_eq!(error, denied, "{token:?}");
            assert!(token.len() < 4 || !format!("{error} {error:?}").contains(token));
        }
    }
    cluster.somebody("anonymous", "system:anonymous", vec![]);
    assert_eq!(kubernetes.hold("anonymous").await.map(|_| ()).expect_err("nobody"), Denied::NotAccepted);
    cluster.somebody("the-secret-itself", "carol", vec![]);
    kubernetes.hold("the-secret-itself").await.expect("it is good");
    assert!(!format!("{kubernetes:?}").contains("the-secret-itself"));
    cluster.rbac().down = true;
    let error = kubernetes.hold("another-secret").await.map(|_| ()).expect_err("nobody knows");
    assert!(
        matches!(error, Denied::Unanswered(_)) && !error.to_string().contains("another-secret"),
        "{error}"
    );
}

/// One session by a token that is good for pods and nodes, looked after by a task, and a script with the same token.
struct SignedIn {
    cluster: Cluster,
    kubernetes: Arc<Kubernetes>,
    sessions: Sessions,
    cookie: HeaderMap,
    _tasks: JoinSet<()>,
}

impl SignedIn {
    async fn new() -> SignedIn {
        let cluster = Cluster::default();
        cluster.somebody("good", "podder", vec![(None, rule(&[""], &["pods", "nodes"], &LOOKING))]);
        let kubernetes = Arc::new(Kubernetes::new(ApiServer::in_process_with_reviews(cluster.reviews())));
        let sessions = Sessions::default();
        let holder = kubernetes.hold("good").await.expect("it is good");
        let opened = sessions.open(Admitted {
            who: holder.who(),
            grant: holder.grant(),
            lifetime: LIFETIME,
            from: Client::default(),
            revoked: holder.over(),
        });
        let (set_cookie, session) = opened.expect("randomness");
        let pair = set_cookie.split(';').next().expect("a pair").parse().expect("a header");
        let cookie = [(header::COOKIE, pair)].into_iter().collect();
        holder.opened(session);
        let mut tasks = JoinSet::new();
        tasks.spawn({
            let (kubernetes, sessions) = (kubernetes.clone(), sessions.clone());
            async move { kubernetes.keep(&sessions).await }
        });
        SignedIn { cluster, kubernetes, sessions, cookie, _tasks: tasks }
    }

    fn visitor(&self) -> Option<Visitor> {
        self.sessions.visitor(&self.cookie)
    }
}

/// Within which whatever has changed must have had its effect.
const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn rights_that_are_taken_away_are_gone_within_a_minute_and_what_is_open_ends() {
    let signed_in = SignedIn::new().await;
    let (page, script) = (signed_in.visitor().expect("a session"), signed_in.kubernetes.hold("good").await);
    let script = script.expect("it is good").visitor();
    tokio::time::sleep(5 * MINUTE).await;
    assert!(!page.ended.is_cancelled() && !script.ended.is_cancelled(), "nothing has changed");

    let fewer = vec![(None, rule(&[""], &["nodes"], &LOOKING))];
    signed_in.cluster.rbac().rules.insert("podder", fewer);
    tokio::time::timeout(MINUTE, page.ended.cancelled()).await.expect("what was open has ended");
    let nodes = BTreeMap::from([(Kind::Node, Within::All)]);
    let page = signed_in.visitor().expect("the session goes on, with less");
    assert_eq!(kinds(page.grant.clone()), nodes);
    assert!(!page.ended.is_cancelled());
    assert!(script.ended.is_cancelled());
    assert_eq!(kinds(signed_in.kubernetes.hold("good").await.expect("still good").grant()), nodes);

    let more = vec![(None, rule(&["", "apps"], &["nodes", "deployments"], &LOOKING))];
    signed_in.cluster.rbac().rules.insert("podder", more);
    tokio::time::timeout(MINUTE, page.ended.cancelled()).await.expect("rights that are new count too");
    assert_eq!(kinds(signed_in.visitor().expect("it goes on").grant).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expires_ends_what_it_opened_within_a_minute() {
    let signed_in = SignedIn::new().await;
    let page = signed_in.visitor().expect("a session");
    signed_in.cluster.rbac().tokens.clear();
    tokio::time::timeout(MINUTE, page.ended.cancelled()).await.expect("what was open has ended");
    assert!(signed_in.visitor().is_none());
    let denied = signed_in.kubernetes.hold("good").await.map(|_| ()).expect_err("it has expired");
    assert_eq!(denied, Denied::NotAccepted);
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_does_not_answer_leaves_rights_as_they_were_for_a_few_minutes_only() {
    let signed_in = SignedIn::new().await;
    let page = signed_in.visitor().expect("a session");
    signed_in.cluster.rbac().down = true;
    tokio::time::sleep(4 * MINUTE).await;
    assert!(signed_in.visitor().is_some() && !page.ended.is_cancelled());
    tokio::time::timeout(3 * MINUTE, page.ended.cancelled()).await.expect("not for ever");
    assert!(signed_in.visitor().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_nobody_uses_is_let_go() {
    let signed_in = SignedIn::new().await;
    let weak = Arc::downgrade(&signed_in.kubernetes.hold("good").await.expect("it is good"));
    tokio::time::sleep(10 * MINUTE).await;
    assert!(weak.upgrade().is_some(), "its session is there");
    signed_in.sessions.end_all(&signed_in.visitor().expect("a session").who, None, Audit::SignOut);
    tokio::time::sleep(5 * MINUTE).await;
    assert!(weak.upgrade().is_none());
}

#[tokio::test]
async fn in_other_modes_nobody_can_ask_about_a_visitor() {
    let cluster = Cluster::default();
    cluster.rbac().delegated = true;
    cluster.somebody("good", "carol", vec![]);
    let api = ApiServer::in_process(cluster.reviews());
    let token = SecretString::from("good");
    assert!(api.review(&SelfSubjectReview::default(), Some(&token)).await.is_err());
    assert!(api.review(&SelfSubjectReview::default(), None).await.is_err());
    assert!(api.review(&TokenReview::default(), None).await.is_err());
    assert!(api.review(&SelfSubjectRulesReview::default(), Some(&token)).await.is_err());
    assert!(cluster.rbac().asked.is_empty(), "nothing was sent");
    // And in this one Masthead's own account asks nothing about itself, and visitors nothing about others.
    let api = ApiServer::in_process_with_reviews(cluster.reviews());
    assert!(api.review(&SelfSubjectReview::default(), None).await.is_err());
    assert!(api.review(&TokenReview::default(), Some(&token)).await.is_err());
    assert!(cluster.rbac().asked.is_empty(), "nothing was sent");
    assert!(api.review(&SelfSubjectReview::default(), Some(&token)).await.is_ok());
}

/// One request by hand; the whole answer, head and body.
async fn request(address: SocketAddr, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let length = body.len();
    let request =
        format!("{head}\r\nHost: {address}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    let read = tokio::time::timeout(MINUTE, stream.read_to_end(&mut answer)).await;
    read.expect("an answer in time").expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn over_sockets_a_token_opens_its_part_of_the_cluster_to_browsers_and_scripts() {
    let cluster = Cluster::default();
    cluster.somebody("good-token", "podder", vec![(None, rule(&[""], &["pods"], &LOOKING))]);
    let demo = demo::start(demo::Options::default());
    let api = ApiServer::in_process_with_reviews(cluster.reviews().fallback_service(demo.router()));
    let door = Door::new(
        Mode::Kubernetes(Kubernetes::new(api.clone())),
        Sessions::default(),
        LIFETIME,
        Networks::default(),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let access = Access { door, ..Access::open(Hosts::new(&[address], &[])) };
    let about = About::default();
    let source = Source { api, namespaces: Vec::new(), fallback: None, about, metrics: Default::default() };
    let mut tasks = JoinSet::new();
    tasks.spawn(server::run(
        source,
        vec![listener],
        access,
        CancellationToken::new(),
        Duration::from_secs(1),
    ));
    let get = async |path: &str, header: &str| {
        request(address, &format!("GET {path} HTTP/1.1\r\n{header}"), "").await
    };
    let listed = async {
        while !get("/readyz", "X-Nothing: 1").await.starts_with("HTTP/1.1 200") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(MINUTE, listed).await.expect("everything is listed");

    let answer = get("/pods", "X-Nothing: 1").await;
    assert!(
        answer.starts_with("HTTP/1.1 303") && answer.contains("location: /sign-in?next=/pods"),
        "{answer}"
    );
    for header in ["X-Nothing: 1", "Authorization: Bearer garbage", "Authorization: Basic good-token"] {
        let answer = get("/api/v1/pods", header).await;
        assert!(
            answer.starts_with("HTTP/1.1 401") && answer.contains("www-authenticate: Bearer"),
            "{answer}"
        );
        assert!(!answer.contains("garbage"), "{answer}");
    }
    let form =
        "POST /sign-in HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: ";
    let answer = request(address, &format!("{form}cross-site"), "secret=good-token").await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    let answer = request(address, &format!("{form}same-origin"), "secret=garbage&next=/pods").await;
    assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("does not accept that token"), "{answer}");
    assert!(!answer.contains("garbage") && !answer.contains("set-cookie"), "{answer}");
    let answer = request(address, &format!("{form}same-origin"), "secret=good-token&next=/pods").await;
    assert!(answer.starts_with("HTTP/1.1 303") && answer.contains("location: /pods"), "{answer}");
    let cookie =
        answer.split("set-cookie: ").nth(1).and_then(|rest| rest.split(';').next()).expect("a cookie");

    for header in [format!("Cookie: {cookie}"), "Authorization: Bearer good-token".to_owned()] {
        let pods = get("/api/v1/pods?output=name", &header).await;
        assert!(pods.starts_with("HTTP/1.1 200") && pods.contains("pod/"), "{pods}");
        let nodes = get("/api/v1/nodes?output=name", &header).await;
        assert!(nodes.starts_with("HTTP/1.1 403") && !nodes.contains("node/"), "{nodes}");
    }
    assert!(get("/pods", &format!("Cookie: {cookie}")).await.starts_with("HTTP/1.1 200"));
}
