//! The refusal: one tower layer under everything Masthead sends to an API server.
//!
//! Out goes GET on the allow-list (lists and watches of the kinds we show, version, health), without
//! `Upgrade`. Everything else is refused here, before a transport sees it: `exec`, `attach` and
//! `portforward` are GETs too when they upgrade, and `…/proxy/…` reaches into workloads.

use std::task::{Context, Poll};

use app::api::Kind;
use futures::future::{self, Either, Ready};
use http::{Method, Request, header};
use tower::{BoxError, Layer, Service};

/// A request that Masthead must not make. It was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("refused to send {method} {path}: Masthead only lists and watches")]
pub struct Refused {
    /// Its method.
    pub method: Method,
    /// Its path, without the query.
    pub path: String,
}

/// Wraps a client's transport.
#[derive(Clone, Copy, Debug)]
pub struct ReadOnlyLayer;

impl<S> Layer<S> for ReadOnlyLayer {
    type Service = ReadOnly<S>;
    fn layer(&self, inner: S) -> ReadOnly<S> {
        ReadOnly { inner }
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct ReadOnly<S> {
    inner: S,
}

impl<S, B> Service<Request<B>> for ReadOnly<S>
where
    S: Service<Request<B>>,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future =
        Either<future::MapErr<S::Future, fn(S::Error) -> BoxError>, Ready<Result<S::Response, BoxError>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if allowed(&request) {
            let sent: S::Future = self.inner.call(request);
            return Either::Left(futures::TryFutureExt::map_err(sent, Into::into));
        }
        let refused = Refused { method: request.method().clone(), path: request.uri().path().to_owned() };
        tracing::error!(%refused, "a bug in Masthead: please report it");
        Either::Right(future::ready(Err(refused.into())))
    }
}

fn allowed<B>(request: &Request<B>) -> bool {
    request.method() == Method::GET
        && !request.headers().contains_key(header::UPGRADE)
        && !request.headers().contains_key(header::SEC_WEBSOCKET_KEY)
        && allowed_path(request.uri().path())
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

    async fn send(method: Method, path: &str, headers: &[(&str, &str)]) -> Result<(), BoxError> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let transport = service_fn(|_: Request<()>| async { Ok::<_, BoxError>(()) });
        ReadOnlyLayer.layer(transport).oneshot(request.body(()).expect("a request")).await
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
}
