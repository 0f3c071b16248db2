//! `--base-path` over real sockets: what is below it, what is not, and what only looks like it.

// A test that cannot go on should stop.
#![allow(clippy::expect_used)]

mod site;
mod viewer;

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
        ("/masthead/link/x/../../api", 404),
        ("/masthead/link/x/../../api/v1/pods", 404),
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
            assert_eq!((status, &*body), (404, "There is no such link, or it has ended.\n"), "{path}");
        }
        // the same files for all
        let (status, _) = get(&site, &site.base.address("/link/ab12/favicon.svg")).await;
        assert_eq!(status, 200);
    }
}
