//! The refusal: one tower layer under everything Masthead sends to an API server.
//!
//! Out goes GET on the allow-list (lists and watches of the kinds we show, version, health), without
//! `Upgrade`. Everything else is refused here, before a transport sees it: `exec`, `attach` and
//! `portforward` are GETs too when they upgrade, and `…/proxy/…` reaches into workloads.
//!
//! With `--auth kubernetes` alone there are four POSTs more, [`Review`]s: questions about a visitor, which create
//! nothing. Each goes to its own path with a body of its own kind, read here once more.

use std::task::{Context, Poll};

use app::api::Kind;
use futures::{
    FutureExt,
    future::{self, Either, Ready},
};
use http::{Method, Request, header};
use kube::client::Body;
use serde::{Deserialize, de::IgnoredAny};
use tower::{BoxError, Layer, Service};

/// A request that Masthead must not make. It was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("refused to send {method} {path}: Masthead only lists, watches, and asks who may")]
pub struct Refused {
    /// Its method.
    pub method: Method,
    /// Its path, without the query.
    pub path: String,
}

/// A question about whoever has a token. The API server answers it and keeps nothing
/// (Kubernetes API reference, authentication.k8s.io/v1 and authorization.k8s.io/v1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Review {
    /// Whose token is it? Asked with Masthead's own account.
    Token,
    /// Who am I? Like the rest asked with the visitor's token.
    Myself,
    /// May I do this?
    Access,
    /// What may I do in this namespace?
    Rules,
}

impl Review {
    fn path(self) -> &'static str {
        match self {
            Review::Token => "/apis/authentication.k8s.io/v1/tokenreviews",
            Review::Myself => "/apis/authentication.k8s.io/v1/selfsubjectreviews",
            Review::Access => "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            Review::Rules => "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
        }
    }

    fn api_version(self) -> &'static str {
        match self {
            Review::Token | Review::Myself => "authentication.k8s.io/v1",
            Review::Access | Review::Rules => "authorization.k8s.io/v1",
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Review::Token => "TokenReview",
            Review::Myself => "SelfSubjectReview",
            Review::Access => "SelfSubjectAccessReview",
            Review::Rules => "SelfSubjectRulesReview",
        }
    }

    /// Whether `body` is one object of its kind, without a name, and nothing else.
    fn is(self, body: &[u8]) -> bool {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        struct Object<'a> {
            api_version: &'a str,
            kind: &'a str,
            #[serde(default)]
            metadata: Nothing,
            #[serde(default)]
            spec: Option<IgnoredAny>,
        }
        #[derive(Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}

        serde_json::from_slice::<Object<'_>>(body).is_ok_and(|object| {
            let Object { api_version, kind, metadata: Nothing {}, spec } = object;
            let asks = spec.is_some() || self == Review::Myself;
            asks && api_version == self.api_version() && kind == self.kind()
        })
    }
}

/// Wraps a client's transport.
#[derive(Clone, Copy, Debug)]
pub struct ReadOnlyLayer {
    lists: bool,
    reviews: &'static [Review],
}

impl ReadOnlyLayer {
    /// Lists, watches, version and health.
    pub const LISTS: ReadOnlyLayer = ReadOnlyLayer { lists: true, reviews: &[] };
    /// The same, and whose a token is: for Masthead's own account with `--auth kubernetes`.
    pub const LISTS_AND_TOKENS: ReadOnlyLayer = ReadOnlyLayer { lists: true, reviews: &[Review::Token] };
    /// What visitors ask about themselves, and nothing else: their tokens fetch nothing.
    pub const VISITORS: ReadOnlyLayer =
        ReadOnlyLayer { lists: false, reviews: &[Review::Myself, Review::Access, Review::Rules] };

    fn allows(self, request: &Request<Body>) -> bool {
        let headers = request.headers();
        if headers.contains_key(header::UPGRADE) || headers.contains_key(header::SEC_WEBSOCKET_KEY) {
            return false;
        }
        match *request.method() {
            Method::GET => self.lists && allowed_path(request.uri().path()),
            Method::POST => self.reviews.iter().any(|review| {
                // No query either, which could ask for more than the path says.
                let asked = request.uri().path_and_query().map(http::uri::PathAndQuery::as_str);
                asked == Some(review.path()) && whole(request.body()).is_some_and(|body| review.is(&body))
            }),
            _ => false,
        }
    }
}

/// A body that is all there; one that is still to come has not been looked at by anybody.
fn whole(body: &Body) -> Option<bytes::Bytes> {
    body.try_clone()?.collect_bytes().now_or_never()?.ok()
}

impl<S> Layer<S> for ReadOnlyLayer {
    type Service = ReadOnly<S>;
    fn layer(&self, inner: S) -> ReadOnly<S> {
        ReadOnly { layer: *self, inner }
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct ReadOnly<S> {
    layer: ReadOnlyLayer,
    inner: S,
}

impl<S> Service<Request<Body>> for ReadOnly<S>
where
    S: Service<Request<Body>>,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future =
        Either<future::MapErr<S::Future, fn(S::Error) -> BoxError>, Ready<Result<S::Response, BoxError>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if self.layer.allows(&request) {
            let sent: S::Future = self.inner.call(request);
            return Either::Left(futures::TryFutureExt::map_err(sent, Into::into));
        }
        let refused = Refused { method: request.method().clone(), path: request.uri().path().to_owned() };
        tracing::error!(%refused, "a bug in Masthead: please report it");
        Either::Right(future::ready(Err(refused.into())))
    }
}

/// `/version`, health, and exactly the collections of the kinds we show, of the cluster or of one
/// namespace. No single object, no subresource.
fn allowed_path(path: &str) -> bool {
    if matches!(path, "/version" | "/livez" | "/readyz" | "/healthz") {
        return true;
    }
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let (group, rest) = match segments.as_slice() {
        ["api", "v1", rest @ ..] => ("", rest),
        ["apis", group, "v1", rest @ ..] => (*group, rest),
        _ => return false,
    };
    let shown = |plural: &str, in_namespace: bool| {
        Kind::ALL.iter().filter(|kind| kind.watched() == **kind).any(|kind| {
            kind.group() == group && kind.plural() == plural && (kind.namespaced() || !in_namespace)
        })
    };
    match rest {
        [plural] => shown(plural, false),
        ["namespaces", namespace, plural] => is_name(namespace) && shown(plural, true),
        _ => false,
    }
}

/// A namespace as Kubernetes allows it; anything else could be a way around the list.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use tower::{ServiceExt, service_fn};

    use super::*;

    const LAYERS: [ReadOnlyLayer; 3] =
        [ReadOnlyLayer::LISTS, ReadOnlyLayer::LISTS_AND_TOKENS, ReadOnlyLayer::VISITORS];

    async fn through(layer: ReadOnlyLayer, request: Request<Body>) -> Result<(), BoxError> {
        let transport = service_fn(|_: Request<Body>| async { Ok::<_, BoxError>(()) });
        layer.layer(transport).oneshot(request).await
    }

    async fn send(method: Method, path: &str, headers: &[(&str, &str)]) -> Result<(), BoxError> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        through(ReadOnlyLayer::LISTS, request.body(Body::empty()).expect("a request")).await
    }

    async fn post(layer: ReadOnlyLayer, path: &str, body: &str) -> Result<(), BoxError> {
        let request = Request::post(path).body(Body::from(body.as_bytes().to_vec()));
        through(layer, request.expect("a request")).await
    }

    const ALLOWED: [&str; 13] = [
        "/version",
        "/livez",
        "/readyz",
        "/healthz",
        "/api/v1/pods",
        "/api/v1/pods?watch=1&resourceVersion=5",
        "/api/v1/nodes",
        "/api/v1/namespaces",
        "/api/v1/namespaces/default/events",
        "/apis/apps/v1/deployments",
        "/apis/apps/v1/namespaces/default/replicasets",
        "/apis/discovery.k8s.io/v1/endpointslices",
        "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases",
    ];

    #[tokio::test]
    async fn lists_watches_version_and_health_pass() {
        for path in ALLOWED {
            assert!(send(Method::GET, path, &[]).await.is_ok(), "{path}");
        }
    }

    #[tokio::test]
    async fn every_other_verb_is_refused_everywhere() {
        let verbs = ["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE", "WATCH", "get"];
        for verb in verbs {
            for path in ALLOWED {
                let method = Method::from_bytes(verb.as_bytes()).expect("a method");
                let refused = send(method, path, &[]).await.expect_err(path);
                assert!(refused.is::<Refused>(), "{verb} {path}");
            }
        }
    }

    #[tokio::test]
    async fn every_other_path_is_refused() {
        for path in [
            "/",
            "/api",
            "/apis",
            "/metrics",
            "/logs/",
            "/openapi/v3",
            "/version/",
            "/api/v1",
            "/api/v1/",
            "/api/v1/secrets",
            "/api/v1/configmaps",
            "/api/v1/serviceaccounts",
            "/api/v1/namespaces/default",
            "/api/v1/namespaces/default/secrets",
            "/api/v1/namespaces/default/pods/web",
            "/api/v1/namespaces/default/pods/web/exec",
            "/api/v1/namespaces/default/pods/web/exec?command=sh",
            "/api/v1/namespaces/default/pods/web/attach",
            "/api/v1/namespaces/default/pods/web/portforward",
            "/api/v1/namespaces/default/pods/web/log",
            "/api/v1/namespaces/default/pods/web/proxy/",
            "/api/v1/namespaces/default/services/web/proxy/admin",
            "/api/v1/nodes/worker/proxy/run/default/web/web",
            "/api/v1/nodes/worker",
            "/api/v1/namespaces/default/nodes",
            "/api/v1/namespaces/../secrets",
            "/api/v1/namespaces/%2e%2e/pods",
            "/api/v1/namespaces//pods",
            "/api/v1//pods",
            "/api/v1/pods/",
            "/api/v1/Pods",
            "/api/v2/pods",
            "/apis/apps/v1/pods",
            "/apis/apps/v1beta1/deployments",
            "/apis/evil.example/v1/pods",
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        ] {
            let refused = send(Method::GET, path, &[]).await.expect_err(path);
            assert!(refused.is::<Refused>(), "{path}");
        }
    }

    #[tokio::test]
    async fn an_upgrade_is_refused_even_on_an_allowed_path() {
        for headers in [[("upgrade", "websocket")], [("Sec-WebSocket-Key", "x")], [("UPGRADE", "SPDY/3.1")]] {
            assert!(send(Method::GET, "/api/v1/pods", &headers).await.is_err());
        }
    }

    const REVIEWS: [(Review, &str); 4] = [
        (
            Review::Token,
            r#"{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":"x"}}"#,
        ),
        (
            Review::Myself,
            r#"{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview","metadata":{}}"#,
        ),
        (
            Review::Access,
            r#"{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","spec":{}}"#,
        ),
        (
            Review::Rules,
            r#"{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectRulesReview","spec":{}}"#,
        ),
    ];

    #[tokio::test]
    async fn a_review_passes_only_where_it_is_asked_and_only_as_itself() {
        for (nth, layer) in LAYERS.into_iter().enumerate() {
            for (review, body) in REVIEWS {
                let asked = match review {
                    Review::Token => nth == 1,
                    _ => nth == 2,
                };
                assert_eq!(post(layer, review.path(), body).await.is_ok(), asked, "{nth} {review:?}");
                for (other, _) in REVIEWS.into_iter().filter(|(other, _)| *other != review) {
                    assert!(post(layer, other.path(), body).await.is_err(), "{nth} {body} to {other:?}");
                }
                for path in [
                    format!("{}?dryRun=All", review.path()),
                    format!("{}/", review.path()),
                    format!("{}/x", review.path()),
                    review.path().replace("/v1/", "/v1beta1/"),
                    review.path().replace("/v1/", "/v1/namespaces/default/"),
                    review.path().replace("selfsubject", "subject").replace("tokenreviews", "tokens"),
                ] {
                    assert!(post(layer, &path, body).await.is_err(), "{nth} {path}");
                }
            }
            for path in ALLOWED {
                assert!(post(layer, path, REVIEWS[0].1).await.is_err(), "{nth} {path}");
                let got = through(layer, Request::get(path).body(Body::empty()).expect("a request")).await;
                assert_eq!(got.is_ok(), nth != 2, "{nth} {path}");
            }
            for path in ["/api/v1/namespaces/default/serviceaccounts/default/token", "/api/v1/namespaces"] {
                assert!(post(layer, path, REVIEWS[0].1).await.is_err(), "{nth} {path}");
            }
        }
    }

    #[tokio::test]
    async fn a_review_with_another_body_is_refused() {
        for body in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"apiVersion":"v1","kind":"Pod","spec":{}}"#,
            r#"{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview"}"#,
            r#"{"apiVersion":"authorization.k8s.io/v1beta1","kind":"SelfSubjectAccessReview","spec":{}}"#,
            r#"{"apiVersion":"authorization.k8s.io/v1","kind":"SubjectAccessReview","spec":{}}"#,
            r#"{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","spec":{},"x":1}"#,
            r#"{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","spec":{},"metadata":{"name":"x"}}"#,
            r#"{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","spec":{}}{}"#,
        ] {
            assert!(post(ReadOnlyLayer::VISITORS, Review::Access.path(), body).await.is_err(), "{body}");
        }
        let (_, good) = REVIEWS[2];
        for verb in ["GET", "PUT", "PATCH", "DELETE", "HEAD", "post"] {
            let request = Request::builder().method(verb).uri(Review::Access.path());
            let request = request.body(Body::from(good.as_bytes().to_vec())).expect("a request");
            assert!(through(ReadOnlyLayer::VISITORS, request).await.is_err(), "{verb}");
        }
        let upgrading = Request::post(Review::Access.path()).header("upgrade", "websocket");
        let upgrading = upgrading.body(Body::from(good.as_bytes().to_vec())).expect("a request");
        assert!(through(ReadOnlyLayer::VISITORS, upgrading).await.is_err());
    }
}
