//! Who may ask, and what a browser may do with the answer.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, LazyLock},
    time::Duration,
};

use axum::{
    extract::{OriginalUri, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use sha2::{Digest, Sha256};

use super::assets::BOOT;
use crate::audience::{
    Door,
    door::throttle::{Size, Throttle, TooMany},
};

/// The page's own scripts, styles and socket; nothing else, nothing inline but what starts it, in nobody's frame.
static CONTENT_SECURITY_POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let boot = BASE64_STANDARD.encode(Sha256::digest(BOOT));
    let policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval' 'sha256-{boot}'; style-src 'self'; \
         img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// None of what a browser can do beyond showing a page; a wall keeps its screen awake.
const PERMISSIONS_POLICY: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
    hid=(), magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=(), clipboard-read=(), \
    screen-wake-lock=(self)";

/// How long a browser insists on TLS once it was spoken here (RFC 6797): half a year.
const STRICT_TRANSPORT: &str = "max-age=15768000";

/// The request came over TLS that ended here.
#[derive(Clone, Copy, Debug)]
pub struct OverTls;

/// Host names a browser may use for this server. A page elsewhere whose name was made to point here
/// (DNS rebinding) is refused, because its browser sends its own name.
#[derive(Clone, Debug)]
pub struct Hosts {
    names: Arc<Vec<String>>,
    /// Any address will do: it listens on all there are. Only names can be made to point elsewhere.
    addresses: bool,
}

impl Hosts {
    /// Localhost, what the server listens on, and what else was named.
    pub fn new(listening: &[SocketAddr], named: &[String]) -> Hosts {
        let mut hosts: Vec<String> = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).to_vec();
        hosts.extend(listening.iter().map(|address| match address {
            SocketAddr::V4(address) => address.ip().to_string(),
            SocketAddr::V6(address) => format!("[{}]", address.ip()),
        }));
        hosts.extend(named.iter().map(|name| name.to_ascii_lowercase()));
        let addresses = listening.iter().any(|address| address.ip().is_unspecified());
        Hosts { names: Arc::new(hosts), addresses }
    }

    fn allow(&self, authority: &str) -> bool {
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => authority,
        };
        let address = || match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(host) => host.parse::<Ipv6Addr>().is_ok(),
            None => host.parse::<Ipv4Addr>().is_ok(),
        };
        self.names.iter().any(|allowed| allowed.eq_ignore_ascii_case(host)) || self.addresses && address()
    }
}

/// The one value of a header. Of several nobody knows which a proxy in front goes by.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    value.to_str().ok().filter(|_| values.next().is_none())
}

/// What the client calls this server: `Host`, or the target's authority; nothing where those are two names
/// (RFC 9112, 3.2).
pub fn authority(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let host = only(headers, &header::HOST);
    match uri.authority().map(|authority| authority.as_str()) {
        None => host.map(str::to_owned),
        Some(named) if headers.contains_key(header::HOST) => {
            host.filter(|host| *host == named).map(str::to_owned)
        }
        Some(named) => Some(named.to_owned()),
    }
}

/// Refuses requests for any other host.
pub async fn check_host(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    let asked = authority(request.headers(), request.uri()).unwrap_or_default();
    if !hosts.allow(&asked) {
        let text = format!(
            "Masthead does not answer to the name '{}'.\nIf it should, start it with --host and that name.\n",
            asked.chars().filter(|c| !c.is_control()).take(100).collect::<String>()
        );
        return (StatusCode::MISDIRECTED_REQUEST, text).into_response();
    }
    next.run(request).await
}

/// Adds to every answer what keeps a browser from doing more with it than showing it.
pub async fn headers(request: Request, next: Next) -> Response {
    let ours = request.extensions().get::<OverTls>().is_some();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY.clone());
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS_POLICY),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if ours {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(STRICT_TRANSPORT));
    }
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// How long an answer may take that is neither a stream nor waits for something to happen, the reading of a form
/// included.
const DEADLINE: Duration = Duration::from_secs(30);

/// Gives up on what takes too long.
pub async fn deadline(request: Request, next: Next) -> Response {
    match tokio::time::timeout(DEADLINE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let text = format!("This took longer than {} s; try it again.\n", DEADLINE.as_secs());
            (StatusCode::REQUEST_TIMEOUT, text).into_response()
        }
    }
}

/// Requests from one address and from all: more than people with many tabs send, and scripts that are in a hurry.
const PACE: (Size, Size) = (
    Size { burst: 1_000.0, every: Duration::from_millis(10) },
    Size { burst: 20_000.0, every: Duration::from_micros(500) },
);

/// How fast requests may come.
#[derive(Clone, Debug)]
pub struct Pace {
    door: Door,
    throttle: Arc<Throttle>,
}

impl Pace {
    /// Of those that come to `door`, which knows whom its proxies speak for.
    pub fn of(door: Door) -> Pace {
        Pace { door, throttle: Arc::new(Throttle::new(PACE.0, PACE.1)) }
    }
}

/// Turns away those who ask too fast, but for this machine itself.
pub async fn check_pace(State(pace): State<Pace>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let address = pace.door.client(&parts).address.filter(|address| !address.to_canonical().is_loopback());
    if address.is_some()
        && let Err(TooMany { wait }) = pace.throttle.attempt(address)
    {
        let retry = [(header::RETRY_AFTER, wait.as_secs().max(1).to_string())];
        let text = "Too many requests from this address; try again in a moment.\n";
        return (StatusCode::TOO_MANY_REQUESTS, retry, text).into_response();
    }
    next.run(Request::from_parts(parts, body)).await
}

/// Longest request target that is looked at.
const LONGEST_TARGET: usize = 8 << 10;

/// Refuses addresses that none of our pages has.
pub async fn check_length(request: Request, next: Next) -> Response {
    let uri = request.uri();
    let length = uri.path().len() + uri.query().map_or(0, str::len);
    if length > LONGEST_TARGET {
        let text = format!("This address is {length} bytes long; Masthead reads {LONGEST_TARGET}.\n");
        return (StatusCode::URI_TOO_LONG, text).into_response();
    }
    next.run(request).await
}

/// Refuses whatever would change something and does not come from one of our own pages.
pub async fn check_form(OriginalUri(uri): OriginalUri, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads && !from_our_own_page(request.headers(), &uri) {
        let text = "refused: only Masthead's own pages may send this. Browsers say where a form comes from over \
            HTTPS and on localhost; over plain HTTP it cannot be known, nor would they keep a session.\n";
        return (StatusCode::FORBIDDEN, text).into_response();
    }
    next.run(request).await
}

/// Whether a request was made by one of our own pages (cross-site request forgery): the browser says so itself
/// (Fetch Metadata, `Sec-Fetch-Site`), or, where it is too old for that, in `Origin`.
pub fn from_our_own_page(headers: &HeaderMap, uri: &Uri) -> bool {
    match headers.get("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => same_origin(headers, uri),
    }
}

/// Whether a websocket comes from a page of this very server. The browser does not check this itself
/// (cross-site websocket hijacking), so a missing `Origin` is refused as well.
pub fn same_origin(headers: &HeaderMap, uri: &Uri) -> bool {
    let origin = only(headers, &header::ORIGIN);
    let asked = authority(headers, uri);
    match (origin.and_then(|origin| origin.split_once("://")), asked) {
        (Some(("http" | "https", from)), Some(asked)) => from.eq_ignore_ascii_case(&asked),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (k.parse().expect("a name"), HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn only_our_own_names_are_answered() {
        let hosts =
            Hosts::new(&["127.0.0.1:8080".parse().expect("an address")], &["Dash.Example".to_owned()]);
        for name in
            ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080", "dash.example", "DASH.example:443"]
        {
            assert!(hosts.allow(name), "{name}");
        }
        for name in
            ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8080", "169.254.169.254"]
        {
            assert!(!hosts.allow(name), "{name}");
        }
    }

    #[test]
    fn whoever_listens_everywhere_answers_to_every_address_and_to_no_other_name() {
        let hosts = Hosts::new(&["0.0.0.0:8080".parse().expect("an address")], &[]);
        for name in ["10.1.2.3:8080", "192.0.2.1", "[2001:db8::1]:8080", "localhost"] {
            assert!(hosts.allow(name), "{name}");
        }
        for name in
            ["", "evil.example", "10.1.2.3.evil.example", "2001:db8::1", "[evil.example]", "[10.1.2.3]", "1"]
        {
            assert!(!hosts.allow(name), "{name}");
        }
    }

    #[test]
    fn a_socket_must_come_from_our_own_page() {
        let uri = Uri::from_static("/live");
        for (pairs, allowed) in [
            (&[("host", "localhost:1"), ("origin", "http://localhost:1")][..], true),
            (&[("host", "localhost:1"), ("origin", "https://LOCALHOST:1")], true),
            (&[("host", "localhost:1"), ("origin", "http://localhost:2")], false),
            (&[("host", "localhost:1"), ("origin", "http://evil.example")], false),
            (&[("host", "localhost:1"), ("origin", "null")], false),
            (&[("host", "localhost:1"), ("origin", "file://localhost:1")], false),
            (&[("host", "localhost:1")], false),
            (&[("origin", "http://localhost:1")], false),
            (&[("host", "localhost:1"), ("host", "evil.example"), ("origin", "http://localhost:1")], false),
            (
                &[
                    ("host", "localhost:1"),
                    ("origin", "http://localhost:1"),
                    ("origin", "http://evil.example"),
                ],
                false,
            ),
        ] {
            assert_eq!(same_origin(&headers(pairs), &uri), allowed, "{pairs:?}");
        }
    }

    #[test]
    fn a_form_must_come_from_our_own_page() {
        let uri = Uri::from_static("/sign-in");
        for (pairs, allowed) in [
            (&[("host", "localhost:1"), ("sec-fetch-site", "same-origin"), ("origin", "null")][..], true),
            (
                &[("host", "localhost:1"), ("sec-fetch-site", "same-site"), ("origin", "http://localhost:1")],
                false,
            ),
            (&[("host", "localhost:1"), ("sec-fetch-site", "cross-site")], false),
            (&[("host", "localhost:1"), ("sec-fetch-site", "none")], false),
            (&[("host", "localhost:1"), ("origin", "http://localhost:1")], true),
            (&[("host", "localhost:1"), ("origin", "http://evil.example")], false),
            (&[("host", "localhost:1"), ("origin", "null")], false),
            (&[("host", "localhost:1")], false),
        ] {
            assert_eq!(from_our_own_page(&headers(pairs), &uri), allowed, "{pairs:?}");
        }
    }
}
