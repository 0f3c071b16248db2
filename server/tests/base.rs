//! `--base-path` over real sockets: what is below it, what is not, and what only looks like it.

// A test that cannot go on should stop.
#![allow(clippy::expect_used)]

mod site;
mod viewer;

use server::audience::{
    Door, Sessions,
    door::{LIFETIME, Mode, proxy::Networks, token::Token},
};
use site::Site;

/// Status and body.
async fn get(site: &Site, path: &str) -> (u16, String) {
    let answer = site.get(path).await;
    let status = answer.get(9..12).and_then(|code| code.parse().ok()).expect("a status");
    (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}

#[tokio::test]
async fn the_whole_site_is_below_it() {
    let site = Site::below("/team/masthead").await;
    site.get_until("/team/masthead/readyz", "200 OK").await;
    for path in
        ["", "/", "/pods", "/pods/default/a", "/metrics", "/livez", "/favicon.svg", "/robots.txt", "/api/v1"]
    {
        let (status, body) = get(&site, &format!("/team/masthead{path}")).await;
        assert_eq!(status, 200, "{path}: {body}");
    }
    let mut socket = site.socket("kinds=pods").await;
    socket.until("three pods", |viewer| viewer.pods() == ["a", "b", "c"]).await;

    let (_, index) = get(&site, "/team/masthead/api/v1").await;
    let index: serde_json::Value = serde_json::from_str(&index).expect("JSON");
    assert_eq!(index["watch"], "/team/masthead/api/v1/watch");
    for kind in index["kinds"].as_array().expect("kinds") {
        let url = kind["url"].as_str().expect("an address");
        let (status, body) = get(&site, &format!("{url}?output=json")).await;
        assert!(url.starts_with("/team/masthead/api/v1/") && status == 200, "{url}: {status} {body}");
    }
    let (status, said) = get(&site, "/team/masthead/live").await;
    assert!(status == 426 && said.contains(" /team/masthead/api/v1/watch\n"), "{said}");
}

#[tokio::test]
async fn every_address_in_a_page_is_answered_below_it() {
    let site = Site::below("/team/masthead").await;
    site.get_until("/team/masthead/readyz", "200 OK").await;
    let (_, page) = get(&site, "/team/masthead/pods").await;
    let addresses: Vec<&str> = ["href=\"", "src=\""]
        .iter()
        .flat_map(|attribute| page.split(attribute).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .filter(|address| !address.starts_with('#'))
        .collect();
    assert!(addresses.len() > 20, "{addresses:?}");
    for address in addresses {
        let address = address.replace("&amp;", "&");
        let (status, _) = get(&site, &address).await;
        assert!(address.starts_with("/team/masthead/") && status == 200, "{address}: {status}");
    }
}

#[tokio::test]
async fn outside_of_it_there_is_nothing_but_where_it_is() {
    let site = Site::below("/masthead").await;
    for path in [
        "/",
        "/pods",
        "/live",
        "/api/v1/pods",
        "/livez",
        "/metrics",
        "/favicon.svg",
        "/MASTHEAD",
        "/MASTHEAD/pods",
        "/masthead2/pods",
        "/masthead%2f..",
        "/masthead%2Fpods",
        "/%6dasthead/pods",
        "//masthead/pods",
        "/./masthead/pods",
        "/../masthead/pods",
        "/link/x/masthead/pods",
    ] {
        let (status, body) = get(&site, path).await;
        assert_eq!((status, &*body), (404, "There is nothing here. Masthead is at /masthead/\n"), "{path}");
    }
    let elsewhere =
        site.request(&format!("POST / HTTP/1.1\r\nHost: {}\r\nContent-Length: 0", site.address)).await;
    assert!(elsewhere.starts_with("HTTP/1.1 404"), "{elsewhere}");
    let elsewhere = elsewhere.to_lowercase();
    assert!(elsewhere.contains("content-security-policy: default-src 'none'"), "{elsewhere}");
    let rebound = site.request("GET /masthead/ HTTP/1.1\r\nHost: rebound.example").await;
    assert!(rebound.starts_with("HTTP/1.1 421"), "{rebound}");
}

#[tokio::test]
async fn no_trick_in_a_path_leads_out_or_to_something_else() {
    let site = Site::below("/masthead").await;
    site.get_until("/masthead/readyz", "200 OK").await;
    for (path, expected) in [
        // one part too many, and the same view
        ("/masthead//pods", 200),
        ("/masthead/../", 404),
        ("/masthead/../pods", 404),
        ("/masthead/../masthead/pods", 404),
        ("/masthead/./pods", 404),
        ("/masthead/%2e%2e/pods", 404),
        ("/masthead/masthead/pods", 404),
        ("/masthead//api/v1/pods", 404),
        ("/masthead/api%2fv1%2fpods", 404),
        ("/masthead/api/v1/../v1/pods", 404),
        ("/masthead/api/v1/%2e%2e", 404),
        ("/masthead/pkg/../favicon.svg", 404),
        ("/masthead/link/x/../../api", 401),
        ("/masthead/link/x/../../api/v1/pods", 401),
        ("/masthead/link/../api/v1/pods", 404),
        ("/masthead/link/x%2f..%2f..%2fpods", 404),
    ] {
        let (status, body) = get(&site, path).await;
        assert_eq!(status, expected, "{path}: {body}");
        let rows = body.contains("\"items\"");
        assert!(!rows, "{path} was answered by the API: {body}");
        for address in body.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(address.starts_with("/masthead/") || address.starts_with('#'), "{path}: {address}");
        }
    }
}

#[tokio::test]
async fn signing_in_and_out_stays_below_it() {
    const SECRET: &str = "correct-horse-battery-staple";
    let file = std::env::temp_dir().join(format!("masthead-base-{}", std::process::id()));
    std::fs::write(&file, SECRET).expect("a file");
    let token = Token::open(&file).expect("a token");
    let door = Door::new(Mode::Token(token), Sessions::default(), LIFETIME, Networks::default());
    let site = Site::behind("/masthead", door).await;
    let header = |answer: &str, name: &str| {
        let line = answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("no {name}: {answer}")).to_owned()
    };
    let below = |answer: &str| {
        for attribute in ["href=\"", "src=\"", "action=\""] {
            for address in answer.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(address.starts_with("/masthead/") || address.starts_with('#'), "{address}");
            }
        }
    };
    let send = async |path: &str, cookie: &str, form: &str| {
        let host = site.address;
        site.request(&format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nSec-Fetch-Site: same-origin\r\nCookie: {cookie}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{form}",
            form.len()
        ))
        .await
    };

    let sent_on = site.get("/masthead/pods?q=a").await;
    assert!(sent_on.starts_with("HTTP/1.1 303"), "{sent_on}");
    let sign_in = header(&sent_on, "location");
    assert_eq!(sign_in, "/masthead/sign-in?next=/masthead/pods%3Fq%3Da");
    let page = site.get(&sign_in).await;
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("action=\"/masthead/sign-in\""), "{page}");
    below(&page);

    for (next, expected) in
        [("/masthead/pods?q=a", "/masthead/pods?q=a"), ("/pods", "/masthead/"), ("", "/masthead/")]
    {
        let form = format!(
            "secret={SECRET}&next={}",
            next.replace('/', "%2F").replace('?', "%3F").replace('=', "%3D")
        );
        let signed_in = send("/masthead/sign-in", "", &form).await;
        assert!(signed_in.starts_with("HTTP/1.1 303"), "{signed_in}");
        assert_eq!(header(&signed_in, "location"), expected, "{next}");
        let cookie = header(&signed_in, "set-cookie");
        // A cookie with this prefix has to be for every path; the name says nothing of the base.
        assert!(cookie.starts_with("__Host-masthead=") && cookie.contains("Path=/;"), "{cookie}");
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();

        let head = format!("GET /masthead/sessions HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}", site.address);
        let sessions = site.request(&head).await;
        assert!(sessions.starts_with("HTTP/1.1 200"), "{sessions}");
        assert!(sessions.contains("action=\"/masthead/sign-out\""), "{sessions}");
        below(&sessions);
        let out = send("/masthead/sign-out", &cookie, "").await;
        assert_eq!(header(&out, "location"), "/masthead/sign-in?said=out");
    }
    for path in ["/sign-in", "/sessions", "/sign-out"] {
        assert_eq!(get(&site, path).await.0, 404, "{path}");
        let (status, body) = get(&site, &format!("/masthead/link/ab12{path}")).await;
        assert!(
            status == 401 && body.contains("his link has ended, or never was one"),
            "{path}: {status} {body}"
        );
    }
    std::fs::remove_file(&file).expect("removed");
}

#[tokio::test]
async fn below_a_link_that_does_not_exist_nothing_of_the_cluster_is_seen() {
    for site in [Site::new().await, Site::below("/masthead").await] {
        site.get_until(&site.base.address("/readyz"), "200 OK").await;
        for path in [
            "",
            "/",
            "/pods",
            "/pods/default/a",
            "/api/v1",
            "/api/v1/pods",
            "/api/v1/watch",
            "/live",
            "/metrics",
            "/readyz",
        ] {
            let (status, body) = get(&site, &site.base.address(&format!("/link/ab12{path}"))).await;
            assert!(
                status == 401 && body.contains("his link has ended, or never was one"),
                "{path}: {status} {body}"
            );
        }
        // the same files for all
        let (status, _) = get(&site, &site.base.address("/link/ab12/favicon.svg")).await;
        assert_eq!(status, 200);
    }
}
