//! The files a browser loads, out of the binary: the page's program, the stylesheet, `public/`.
//! `build.rs` gathered and compressed them; nothing is read or compressed while serving.

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, StatusCode};

struct Asset {
    path: &'static str,
    content_type: &'static str,
    /// Weak, because the encodings of one file share it.
    etag: &'static str,
    /// The path names the content, so what was once loaded from it never goes stale.
    immutable: bool,
    identity: &'static [u8],
    gzip: Option<&'static [u8]>,
    brotli: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The module that starts the page's program, as it stands in every document that has one.
pub const BOOT: &str = include_str!("../../boot.js");

/// Serves every file at its path, and says no to anything else below `/pkg/`.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    // A page from before an upgrade asks for names that are gone. The server's fallback would
    // answer with a page, which a browser cannot run as a script.
    let mut router = Router::new().route(
        "/pkg/{*name}",
        get(|| async {
            let text = "No such file in this build of Masthead: reload the page.\n";
            (StatusCode::NOT_FOUND, [(CACHE_CONTROL, "no-store")], text)
        }),
    );
    for asset in ASSETS {
        router =
            router.route(asset.path, get(move |headers: HeaderMap| async move { asset.answer(&headers) }));
    }
    router
}

impl Asset {
    fn answer(&'static self, request: &HeaderMap) -> Response {
        let caching = if self.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
        let always = [
            (ETAG, self.etag),
            (CACHE_CONTROL, caching),
            (VARY, "Accept-Encoding"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        if self.is_known_to(request) {
            return (StatusCode::NOT_MODIFIED, always).into_response();
        }

        let kind = [(CONTENT_TYPE, self.content_type)];
        let coded = [("br", self.brotli), ("gzip", self.gzip)];
        let chosen = coded
            .into_iter()
            .find_map(|(coding, body)| Some((coding, body.filter(|_| accepts(request, coding))?)));
        match chosen {
            Some((coding, body)) => (always, kind, [(CONTENT_ENCODING, coding)], body).into_response(),
            None => (always, kind, self.identity).into_response(),
        }
    }

    fn is_known_to(&self, request: &HeaderMap) -> bool {
        let hash = self.etag.trim_start_matches("W/");
        listed(request, IF_NONE_MATCH).any(|known| known == "*" || known.trim_start_matches("W/") == hash)
    }
}

/// Whether the request names this coding, or `*`, with a weight above zero.
fn accepts(request: &HeaderMap, coding: &str) -> bool {
    let weight = |name: &str| {
        listed(request, ACCEPT_ENCODING).find_map(|item| {
            let mut parts = item.split(';').map(str::trim);
            if !parts.next()?.eq_ignore_ascii_case(name) {
                return None;
            }
            let quality = parts.find_map(|part| {
                let (key, value) = part.split_once('=')?;
                key.trim().eq_ignore_ascii_case("q").then_some(value)
            });
            // A weight nobody can read accepts nothing: the plain file is always right.
            Some(quality.map_or(1.0, |value| value.trim().parse().unwrap_or(0.0)))
        })
    };
    weight(coding).or_else(|| weight("*")).is_some_and(|weight: f32| weight > 0.0)
}

/// The items of a header that is a list, over all its lines.
fn listed(request: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    request
        .get_all(name)
        .into_iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)] // a test fails by panicking
mod tests {
    use axum::body::Body;
    use http::{Method, Request};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn ask(method: Method, path: &str, headers: &[(HeaderName, &str)]) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        router::<()>().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    async fn get(path: &str, headers: &[(HeaderName, &str)]) -> Response {
        ask(Method::GET, path, headers).await
    }

    async fn body(response: Response) -> Vec<u8> {
        let whole = response.into_body().collect().await.unwrap();
        whole.to_bytes().to_vec()
    }

    fn header(response: &Response, name: HeaderName) -> Option<&str> {
        response.headers().get(name).map(|value| value.to_str().unwrap())
    }

    fn asset(path: &str) -> &'static Asset {
        ASSETS.iter().find(|asset| asset.path == path).unwrap()
    }

    /// Compresses to something smaller in both codings.
    const SAMPLE: Asset = Asset {
        path: "/sample.txt",
        content_type: "text/plain; charset=utf-8",
        etag: "W/\"00\"",
        immutable: false,
        identity: b"plain",
        gzip: Some(b"gzipped"),
        brotli: Some(b"brotlied"),
    };

    fn coding_for(accept: &str) -> Option<String> {
        static ASSET: Asset = SAMPLE;
        let mut request = HeaderMap::new();
        request.insert(ACCEPT_ENCODING, accept.parse().unwrap());
        header(&ASSET.answer(&request), CONTENT_ENCODING).map(str::to_owned)
    }

    #[test]
    fn the_smallest_accepted_coding_is_served() {
        assert_eq!(coding_for("gzip, deflate, br, zstd").as_deref(), Some("br"));
        assert_eq!(coding_for("gzip, deflate").as_deref(), Some("gzip"));
        assert_eq!(coding_for("GZIP;q=0.1").as_deref(), Some("gzip"));
        assert_eq!(coding_for("*").as_deref(), Some("br"));
        assert_eq!(coding_for("zstd"), None);
        assert_eq!(coding_for(""), None);
    }

    #[test]
    fn a_refused_coding_is_not_served() {
        assert_eq!(coding_for("br;q=0, gzip").as_deref(), Some("gzip"));
        assert_eq!(coding_for("br; q=0.000, *;q=0.5").as_deref(), Some("gzip"));
        assert_eq!(coding_for("br;q=0, *;q=0"), None);
        assert_eq!(coding_for("br;q=much"), None);
    }

    #[tokio::test]
    async fn the_stylesheet_may_be_kept_for_ever() {
        let response = get(STYLESHEET, &[]).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header(&response, CACHE_CONTROL), Some("public, max-age=31536000, immutable"));
        assert_eq!(header(&response, CONTENT_TYPE), Some("text/css; charset=utf-8"));
        assert_eq!(header(&response, VARY), Some("Accept-Encoding"));
        assert_eq!(header(&response, X_CONTENT_TYPE_OPTIONS), Some("nosniff"));
        assert_eq!(body(response).await, asset(STYLESHEET).identity);
    }

    #[tokio::test]
    async fn what_keeps_its_name_is_asked_for_again_and_not_sent_again() {
        let first = get("/favicon.svg", &[]).await;
        assert_eq!(header(&first, CACHE_CONTROL), Some("no-cache"));
        assert_eq!(header(&first, CONTENT_TYPE), Some("image/svg+xml"));
        let etag = header(&first, ETAG).unwrap().to_owned();

        let lists = [etag.clone(), format!("\"other\", {etag}"), etag.replace("W/", ""), "*".to_owned()];
        for known in &lists {
            let again = get("/favicon.svg", &[(IF_NONE_MATCH, known)]).await;
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert_eq!(header(&again, ETAG), Some(etag.as_str()));
            assert_eq!(header(&again, VARY), Some("Accept-Encoding"));
            assert!(body(again).await.is_empty());
        }
        let other = get("/favicon.svg", &[(IF_NONE_MATCH, "\"other\"")]).await;
        assert_eq!(other.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn head_answers_like_get_without_the_content() {
        let response = ask(Method::HEAD, "/robots.txt", &[]).await;
        assert_eq!(response.status(), StatusCode::OK);
        let length = asset("/robots.txt").identity.len().to_string();
        assert_eq!(header(&response, http::header::CONTENT_LENGTH), Some(length.as_str()));
        assert!(body(response).await.is_empty());
    }

    #[tokio::test]
    async fn nothing_is_written() {
        let response = ask(Method::POST, "/robots.txt", &[]).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    }

    #[tokio::test]
    async fn a_name_of_another_build_is_not_found_and_not_kept() {
        let response = get("/pkg/masthead-0000000000000000.js", &[]).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(header(&response, CACHE_CONTROL), Some("no-store"));
    }

    #[tokio::test]
    async fn every_coding_of_every_file_gives_the_same_content() {
        for asset in ASSETS {
            if let Some(gzip) = asset.gzip {
                let mut plain = Vec::new();
                let mut decoder = flate2::read::GzDecoder::new(gzip);
                std::io::Read::read_to_end(&mut decoder, &mut plain).unwrap();
                assert!(plain == asset.identity, "{} as gzip", asset.path);
            }
            for coded in [asset.gzip, asset.brotli].into_iter().flatten() {
                assert!(coded.len() < asset.identity.len(), "{}", asset.path);
            }
        }
    }

    #[tokio::test]
    async fn the_page_starts_from_files_that_are_there() {
        let program = PROGRAM.map(<[&str; 2]>::from); // none where it was built without a page
        for path in program.into_iter().flatten() {
            let response = get(path, &[(ACCEPT_ENCODING, "br")]).await;
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(header(&response, CONTENT_ENCODING), Some("br"));
        }
        // It stands in a document, where \r\n becomes \n and its hash another one.
        assert!(!["</script", "<!--", "\r"].iter().any(|part| BOOT.contains(part)));
    }
}
