//! Requests to the whole site: a line `METHOD TARGET`, headers, an empty line, a form. The first byte chooses the site.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use app::{
    api::{Deployment, Kind, KindState, Millis, Node, Pod, Service, Text},
    model::Delta,
    wire::About,
};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, HeaderName, HeaderValue, Request, header},
};
use server::{
    audience::{
        Door, Grant, Register, Rooms, Sessions,
        door::{
            LIFETIME, Mode,
            kubernetes::Kubernetes,
            proxy::{Networks, Proxy},
        },
        grant::{Hide, Within},
        register::Link,
    },
    http::{Access, Base, Hosts, router},
    hub::{Hub, News},
    metrics::Metrics,
    source::{
        api_server::ApiServer,
        translate::{self, Translate},
    },
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// What no page of ours has in it, and an address may.
const PLANTED: &str = "<zz";
/// Longer answers than this have gone wrong.
const LARGEST: usize = 4 << 20;
/// Longer than anything takes that does not wait for something to happen.
const PATIENCE: Duration = Duration::from_secs(600);

/// See the module.
pub fn check(data: &[u8]) {
    let Some((site, text)) = data.split_first() else { return };
    let Some(request) = read(text) else { return };
    super::with_time(async {
        let stop = CancellationToken::new();
        let (hub, owner) = Hub::new(About::default(), stop.clone());
        let owner = tokio::spawn(owner);
        let rooms = Rooms::new(hub.clone(), stop.clone());
        fill(&hub).await;
        let access = access(*site);
        let base = access.base.clone();
        let site = router(hub, rooms.clone(), Arc::new(Metrics::default()), access, stop.clone());
        answered(site, request, &base).await;
        stop.cancel();
        owner.await.expect("the hub has not panicked");
        rooms.closed().await;
    });
}

/// A request as it stands in a file; nothing where HTTP would not take it.
fn read(text: &[u8]) -> Option<Request<Body>> {
    let end = text.windows(2).position(|pair| pair == b"\n\n").unwrap_or(text.len());
    let (head, body) = (&text[..end], text.get(end + 2..).unwrap_or_default());
    let mut lines = head.split(|byte| *byte == b'\n');
    let (method, target) = std::str::from_utf8(lines.next()?).ok()?.split_once(' ')?;
    let mut request = Request::builder().method(method).uri(target).body(Body::from(body.to_vec())).ok()?;
    let headers = request.headers_mut();
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        headers.append(name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?);
    }
    headers.entry(header::HOST).or_insert(HeaderValue::from_static("localhost"));
    let peer: SocketAddr = ([10, 0, 0, 1], 4_000).into();
    request.extensions_mut().insert(ConnectInfo(peer));
    Some(request)
}

async fn answered(site: Router, request: Request<Body>, base: &Base) {
    let target = request.uri().to_string();
    // some wait for a rollout for as long as is asked
    let answer = tokio::time::timeout(PATIENCE, site.oneshot(request)).await;
    let Ok(answer) = answer else { return };
    let answer = answer.expect("a router that answers");
    let (status, headers) = (answer.status(), answer.headers().clone());
    assert!(status.as_u16() != 500, "{target:?} has met a bug");
    assert!(headers.contains_key(header::CONTENT_SECURITY_POLICY), "{target:?} is answered past the layers");
    if let Some(to) = headers.get(header::LOCATION) {
        let to = to.to_str().expect("an address is ASCII");
        let below = to.strip_prefix(base.as_str()).is_some_and(|path| path.starts_with('/'));
        assert!(below && !to.starts_with("//") && !to.contains('\\'), "{target:?} leads to {to:?}");
    }
    for cookie in headers.get_all(header::SET_COOKIE) {
        let cookie = cookie.to_str().expect("a cookie is ASCII");
        assert!(cookie.starts_with("__Host-") && cookie.contains("; HttpOnly"), "{cookie}");
    }
    let kind = kind(&headers).to_owned();
    if kind.starts_with("text/event-stream") || headers.contains_key(header::CONTENT_ENCODING) {
        return;
    }
    let read = tokio::time::timeout(PATIENCE, to_bytes(answer.into_body(), LARGEST));
    let Ok(body) = read.await else { return };
    let body = body.expect("an answer that ends and is not too long");
    let text = String::from_utf8_lossy(&body);
    if kind.starts_with("text/html") {
        assert!(!text.contains(PLANTED), "{target:?} comes back as HTML");
    }
    if kind.starts_with("application/json") && !body.is_empty() {
        assert!(serde_json::from_slice::<serde_json::Value>(&body).is_ok(), "{target:?}: {text}");
    }
}

fn kind(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default()
}

/// Sites: open to anyone, below a path, behind a proxy, for who has a token of the cluster, for strangers.
fn access(site: u8) -> Access {
    let listening = [([127, 0, 0, 1], 8080).into()];
    let open =
        Access { register: shared(), ..Access::open(Hosts::new(&listening, &["dash.example".to_owned()])) };
    match site.wrapping_sub(b'a') % 5 {
        0 => open,
        1 => Access { base: "/masthead".parse().expect("a base"), ..open },
        2 => {
            let from = Networks::new(vec!["10.0.0.0/8".parse().expect("a network")]);
            let proxy = Proxy {
                from: from.clone(),
                user: HeaderName::from_static("x-forwarded-user"),
                groups: Some(HeaderName::from_static("x-forwarded-groups")),
                allow_users: vec!["ann".to_owned()],
                allow_groups: vec!["ops".to_owned()],
            };
            Access { door: Door::new(Mode::Proxy(proxy), Sessions::default(), LIFETIME, from), ..open }
        }
        3 => {
            // an API server that knows everybody and lets everybody see everything
            let yes =
                r#"{"spec":{},"status":{"authenticated":true,"user":{"username":"ann"},"allowed":true}}"#;
            let api = ApiServer::in_process_with_reviews(Router::new().fallback(move || async move { yes }));
            let mode = Mode::Kubernetes(Kubernetes::new(api));
            Access { door: Door::new(mode, Sessions::default(), LIFETIME, Networks::default()), ..open }
        }
        _ => Access { public: true, public_url: Some("https://dash.example".to_owned()), ..open },
    }
}

/// One link, that whoever may see everything may look at too: `/link/ab12`.
fn shared() -> Register {
    let register = Register::default();
    let link = Link {
        id: Text::from("ab12"),
        name: Text::from("for the auditors"),
        hash: "00".repeat(32),
        grant: Grant {
            kinds: [Kind::Pod, Kind::Deployment].map(|kind| (kind, Within::All)).into_iter().collect(),
            hide: Hide { node_names: true, images: true, addresses: true, names: false },
            ..Grant::default()
        },
        by: Text::from("ann"),
        since: Millis(0),
        until: Millis(i64::MAX),
        viewers: 2,
        used: None,
    };
    register
        .change(|records| {
            records.links.push(link);
            Ok(())
        })
        .expect("memory is all it takes");
    register
}

/// A small cluster, all of it listed.
async fn fill(hub: &Hub) {
    async fn of<T: Translate>(hub: &Hub, objects: &[&str]) {
        let rows = objects.iter().map(|json| Arc::new(translate::row::<T>(json).expect("an object")));
        let change = T::change(Delta::Reset(rows.collect()));
        hub.tell(News::Change { change, within: None }).await.expect("a hub");
    }
    of::<Node>(
        hub,
        &[r#"{"metadata":{"name":"worker-1"},"status":{"nodeInfo":{"kubeletVersion":"v1.37.2"}}}"#],
    )
    .await;
    of::<Pod>(hub, &[include_str!("../../tests/fixtures/whole/pod.json")]).await;
    of::<Deployment>(hub, &[include_str!("../../tests/fixtures/whole/deployment.json")]).await;
    of::<Service>(hub, &[include_str!("../../tests/fixtures/whole/service.json")]).await;
    for kind in Kind::ALL {
        hub.tell(News::Watch { kind: *kind, within: None, state: KindState::Live }).await.expect("a hub");
    }
}
