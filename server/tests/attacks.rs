//! What nobody may do from outside: each request here is refused, or is only what it says it is.

// A test that cannot go on should stop.
#![allow(clippy::expect_used)]

mod site;
mod viewer;

use site::Site;
use tokio_tungstenite::tungstenite;

/// Every route there is, with a page for all pages.
const ROUTES: [&str; 20] = [
    "/",
    "/pods",
    "/pods/default/a",
    "/nowhere",
    "/favicon.svg",
    "/robots.txt",
    "/pkg/none.js",
    "/api/v1",
    "/api/v1/pods",
    "/api/v1/watch",
    "/api/v1/services/default/web/endpoints",
    "/api/v1/placement",
    "/api/v1/placement/default/pod/a",
    "/api/v1/rollouts/default/deployment/web",
    "/api/v1/rollouts/default/deployment/web/status",
    "/api/v1/rollouts/default/deployment/web/history/1",
    "/live",
    "/livez",
    "/readyz",
    "/metrics",
];

fn status(answer: &str) -> u16 {
    answer.get(9..12).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("no status: {answer:?}"))
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

#[tokio::test]
async fn every_other_method_is_refused_on_every_route() {
    let site = Site::new().await;
    let host = site.address;
    site.get_until("/readyz", "200 OK").await;
    for method in
        ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "QUERY", "get"]
    {
        for path in ROUTES {
            let answer =
                site.request(&format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0")).await;
            // only the socket's route looks at another method, and misses what makes a request a websocket's
            let expected = if path == "/live" { 426 } else { 405 };
            assert_eq!(status(&answer), expected, "{method} {path}: {answer}");
        }
    }
    for target in ["*", "evil.example:443", "localhost:443"] {
        let answer = site.request(&format!("OPTIONS {target} HTTP/1.1\r\nHost: {host}")).await;
        assert!((400..500).contains(&status(&answer)), "OPTIONS {target}: {answer}");
        let answer = site.request(&format!("CONNECT {target} HTTP/1.1\r\nHost: {host}")).await;
        assert!((400..500).contains(&status(&answer)), "CONNECT {target}: {answer}");
    }
    assert_eq!(body(&site.get("/api/v1/pods?output=name").await), "pod/a\npod/b\npod/c\n");
}

#[tokio::test]
async fn no_request_says_that_it_is_another() {
    let site = Site::new().await;
    let host = site.address;
    site.get_until("/readyz", "200 OK").await;
    let plain = body(&site.get("/api/v1/pods?output=name").await).to_owned();
    for header in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"] {
        for method in ["DELETE", "PUT", "POST"] {
            let head = format!("GET /api/v1/pods?output=name HTTP/1.1\r\nHost: {host}\r\n{header}: {method}");
            let answer = site.request(&head).await;
            assert_eq!((status(&answer), body(&answer)), (200, &*plain), "{header}: {method}");
            let head = format!(
                "POST /api/v1/pods?output=name HTTP/1.1\r\nHost: {host}\r\n{header}: GET\r\nContent-Length: 0"
            );
            assert_eq!(status(&site.request(&head).await), 405, "{header}: GET");
        }
    }
    for (path, expected) in [
        ("/api/v1/pods?_method=DELETE", 400),
        ("/api/v1/pods?output=name&_method=PUT", 400),
        ("/pods?_method=DELETE", 200),
    ] {
        let answer = site.get(path).await;
        assert_eq!(status(&answer), expected, "{path}");
        assert!(!answer.contains("href=\"/pods?_method"), "{path} goes on");
    }
    let form = "_method=GET";
    let head = format!(
        "POST /pods HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{form}",
        form.len()
    );
    assert_eq!(status(&site.request(&head).await), 405);
    assert_eq!(body(&site.get("/api/v1/pods?output=name").await), plain);
}

#[tokio::test]
async fn a_secret_in_an_address_opens_nothing_and_goes_nowhere() {
    let site = Site::new().await;
    site.get_until("/readyz", "200 OK").await;
    for name in ["token", "access_token", "auth", "key", "secret"] {
        for path in ["/api/v1/pods", "/api/v1/watch", "/api/v1/placement", "/live"] {
            let answer = site.get(&format!("{path}?{name}=hunter2hunter2hunter2")).await;
            assert!([400, 426].contains(&status(&answer)), "{path}?{name}: {answer}");
            assert!(!answer.contains("hunter2"), "{path}?{name}: {answer}");
        }
        let page = site.get(&format!("/pods?{name}=hunter2hunter2hunter2")).await;
        assert!(!page.contains("hunter2"), "a link of the page hands it on: {name}");
    }
}

#[tokio::test]
async fn only_our_own_names_are_answered_however_they_are_written() {
    let site = Site::new().await;
    let port = site.address.port();
    site.get_until("/readyz", "200 OK").await;
    for path in ROUTES {
        for host in [
            "Host: evil.example".to_owned(),
            format!("Host: evil.example:{port}"),
            format!("Host: 127.0.0.1.evil.example:{port}"),
            format!("Host: localhost:{port}.evil.example"),
            format!("Host: localhost@evil.example:{port}"),
            format!("Host: evil.example\r\nX-Forwarded-Host: localhost:{port}"),
            "Host: 0.0.0.0".to_owned(),
            "Host:".to_owned(),
            // more than one (RFC 9112, 3.2)
            format!("Host: localhost:{port}\r\nHost: evil.example"),
            format!("Host: evil.example\r\nHost: localhost:{port}"),
            "X: y".to_owned(),
        ] {
            let answer = site.request(&format!("GET {path} HTTP/1.1\r\n{host}")).await;
            assert!([400, 421].contains(&status(&answer)), "{path} {host}: {answer}");
        }
        // The name in the target is the one that counts (RFC 9112, 3.2.2); we answer where both are ours.
        let head = format!("GET http://evil.example{path} HTTP/1.1\r\nHost: localhost:{port}");
        assert_eq!(status(&site.request(&head).await), 421, "{head}");
        let head = format!("GET http://localhost:{port}{path} HTTP/1.1\r\nHost: evil.example");
        assert_eq!(status(&site.request(&head).await), 421, "{head}");
    }
    let head = format!("GET http://localhost:{port}/livez HTTP/1.1\r\nHost: localhost:{port}");
    assert_eq!(status(&site.request(&head).await), 200);
}

#[tokio::test]
async fn no_other_origin_opens_a_socket_however_it_is_written() {
    let site = Site::new().await;
    let at = site.address;
    for origin in [
        format!("http://{at}.evil.example"),
        format!("http://{at}@evil.example"),
        format!("http://evil.example/{at}"),
        format!("http://evil.example#{at}"),
        "http://127.0.0.1".to_owned(),
        format!("http://localhost:{}", at.port()),
        format!("ws://{at}"),
        format!("file://{at}"),
        format!("//{at}"),
        at.to_string(),
        "null".to_owned(),
        String::new(),
    ] {
        let refused = site.socket_from("", Some(&origin)).await;
        let Err(tungstenite::Error::Http(answer)) = refused else { panic!("{origin:?} was let in") };
        assert_eq!(answer.status(), 403, "{origin:?}");
    }
    let websocket = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    for origins in [
        format!("Origin: http://{at}\r\nOrigin: http://evil.example"),
        format!("Origin: http://evil.example\r\nOrigin: http://{at}"),
        format!("Sec-WebSocket-Origin: http://{at}"),
        format!("Referer: http://{at}/"),
    ] {
        let answer =
            site.request(&format!("GET /live HTTP/1.1\r\nHost: {at}\r\n{websocket}\r\n{origins}")).await;
        assert!(status(&answer) >= 400, "{origins}: {answer}");
    }
}

#[tokio::test]
async fn no_page_elsewhere_may_show_or_read_what_is_answered() {
    let site = Site::new().await;
    site.get_until("/readyz", "200 OK").await;
    for path in ROUTES {
        let head = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nOrigin: http://evil.example", site.address);
        // a stream has no end to wait for
        let answer =
            if path == "/api/v1/watch" { continue } else { site.request(&head).await.to_lowercase() };
        assert!(answer.contains("frame-ancestors 'none'"), "{path}: {answer}");
        assert!(answer.contains("x-frame-options: deny\r\n"), "{path}: {answer}");
        assert!(answer.contains("x-content-type-options: nosniff\r\n"), "{path}: {answer}");
        assert!(!answer.contains("access-control-"), "{path}: {answer}");
    }
}
