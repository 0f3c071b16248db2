//! Below which path a request finds the site. There are two prefixes, one after the other: the server's own
//! (`--base-path`) and that of a shared link (`/link/<id>`), whose viewers see the same site below it.
//!
//! Both are taken off before anything is routed, so that no route knows of them. Whoever writes an address into an
//! answer asks for [`Base`]; pages get it with their seed, and write it in `Place::href` alone.

use std::{fmt, str::FromStr};

use app::api::Text;
use axum::{
    Router,
    extract::{FromRequestParts, Request, State},
    response::{IntoResponse, Response},
};
use http::{StatusCode, Uri, request::Parts, uri::PathAndQuery};
use tower::ServiceExt;

/// What stands before every path of the site that a request is for: empty, or without a slash at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Base(Text);

/// The shared link that a request comes by: the id in its path. Says nothing about a right to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link(pub Text);

/// A path that nothing can be served below, and why.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each says what it is
pub enum BaseError {
    #[error("a base path begins with '/', such as /masthead")]
    Relative,
    #[error("a base path does not end with '/'; leave it out to serve at the root")]
    Slash,
    #[error("a base path has no empty parts ('//'), no '.' and no '..'")]
    Dots,
    #[error("a base path has only letters, digits, '-', '.', '_', '~' and '/', not '{0}'")]
    Reserved(char),
}

impl Base {
    /// The path itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The whole path of `path`, which begins with a slash.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// The same request's target without this prefix, if it is below it. Bytes are compared as they came: what is
    /// escaped or written in another case is another path.
    fn off(&self, target: &Uri) -> Option<Uri> {
        if self.0.is_empty() {
            return Some(target.clone());
        }
        let rest = target.path().strip_prefix(self.as_str())?;
        if !rest.is_empty() && !rest.starts_with('/') {
            return None;
        }
        let slash = if rest.is_empty() { "/" } else { "" };
        let query = target.query().map(|query| format!("?{query}")).unwrap_or_default();
        let mut parts = target.clone().into_parts();
        parts.path_and_query = Some(PathAndQuery::try_from(format!("{slash}{rest}{query}")).ok()?);
        Uri::from_parts(parts).ok()
    }
}

impl FromStr for Base {
    type Err = BaseError;

    /// Reads `--base-path`; unreserved characters are those of RFC 3986, section 2.3.
    fn from_str(path: &str) -> Result<Base, BaseError> {
        if path.is_empty() {
            return Ok(Base::default());
        }
        let parts = path.strip_prefix('/').ok_or(BaseError::Relative)?;
        if parts.is_empty() || (parts.ends_with('/') && !parts.ends_with("//")) {
            return Err(BaseError::Slash);
        }
        if parts.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(BaseError::Dots);
        }
        match parts.chars().find(|c| !c.is_ascii_alphanumeric() && !"-._~/".contains(*c)) {
            Some(reserved) => Err(BaseError::Reserved(reserved)),
            None => Ok(Base(Text::from(path))),
        }
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Clone)]
struct Sites {
    base: Base,
    site: Router,
    linked: Router,
}

/// `site` below `base`, and `linked` below `/link/<id>` in it.
pub fn router(base: Base, site: Router, linked: Router) -> Router {
    // A fallback, because a route with an id in its path would hand that to the handlers as theirs.
    Router::new().fallback(find).with_state(Sites { base, site, linked })
}

async fn find(State(Sites { base, site, linked }): State<Sites>, mut request: Request) -> Response {
    let Some(target) = base.off(request.uri()) else { return elsewhere(&base) };
    let (base, target, link, site) = match link(&target) {
        Some((link, prefix, target)) => {
            (Base(Text::from(base.address(&prefix.0))), target, Some(link), linked)
        }
        None => (base, target, None, site),
    };
    *request.uri_mut() = target;
    request.extensions_mut().insert(base);
    if let Some(link) = link {
        request.extensions_mut().insert(link);
    }
    site.oneshot(request).await.into_response()
}

/// The link in a target, its prefix, and the target below that.
fn link(target: &Uri) -> Option<(Link, Base, Uri)> {
    let id = target.path().strip_prefix("/link/")?.split('/').next()?;
    // Of our own making: whatever else stands there never was a link.
    let ours = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !(1..=64).contains(&id.len()) || !id.bytes().all(ours) {
        return None;
    }
    let prefix = Base(Text::from(format!("/link/{id}")));
    let below = prefix.off(target)?;
    Some((Link(Text::from(id)), prefix, below))
}

/// For whoever looks where the site is not.
fn elsewhere(base: &Base) -> Response {
    let text = format!("There is nothing here. Masthead is at {}\n", base.address("/"));
    (StatusCode::NOT_FOUND, text).into_response()
}

impl<S: Sync> FromRequestParts<S> for Base {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Base, Response> {
        parts.extensions.get().cloned().ok_or_else(|| {
            tracing::error!("a route asked for its base without one: a bug in Masthead, please report it");
            (StatusCode::INTERNAL_SERVER_ERROR, "this cannot be shown: a bug in Masthead\n").into_response()
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)] // a test fails by panicking
mod tests {
    use axum::{body::Body, extract::Path, routing::get};
    use http_body_util::BodyExt;

    use super::*;

    #[test]
    fn a_base_is_a_plain_absolute_path() {
        for path in ["", "/masthead", "/team/masthead", "/a-b_c.d~e/1", "/..a", "/link"] {
            assert_eq!(path.parse::<Base>().map(|base| base.to_string()), Ok(path.to_owned()));
        }
        for (path, error) in [
            ("masthead", BaseError::Relative),
            ("https://dash.example/masthead", BaseError::Relative),
            ("/", BaseError::Slash),
            ("/masthead/", BaseError::Slash),
            ("//masthead", BaseError::Dots),
            ("/team//masthead", BaseError::Dots),
            ("/masthead//", BaseError::Dots),
            ("/..", BaseError::Dots),
            ("/a/../b", BaseError::Dots),
            ("/./a", BaseError::Dots),
            ("/mast%68ead", BaseError::Reserved('%')),
            ("/mast head", BaseError::Reserved(' ')),
            ("/masthead?x", BaseError::Reserved('?')),
            ("/\u{3bc}", BaseError::Reserved('\u{3bc}')),
            ("/{id}", BaseError::Reserved('{')),
            ("/\"><script", BaseError::Reserved('"')),
        ] {
            assert_eq!(path.parse::<Base>(), Err(error), "{path}");
        }
    }

    async fn ask(base: &str, path: &str) -> (u16, String) {
        let place = |what: &'static str| {
            let of = move |base: Base, uri: Uri, link: Option<axum::Extension<Link>>| async move {
                let link = link.map(|link| link.0.0);
                format!("{what} base={base} target={uri} link={link:?}")
            };
            let one = |Path(one): Path<String>| async move { one };
            Router::new().route("/only/{one}", get(one)).fallback(of)
        };
        let site = router(base.parse().unwrap(), place("site"), place("linked"));
        let answer = site.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    #[tokio::test]
    async fn prefixes_are_taken_off_before_anything_is_routed() {
        for (base, path, said) in [
            ("", "/", "site base= target=/ link=None"),
            ("", "/pods?q=a%2Fb", "site base= target=/pods?q=a%2Fb link=None"),
            ("", "/link", "site base= target=/link link=None"),
            ("", "/link/", "site base= target=/link/ link=None"),
            ("", "/links", "site base= target=/links link=None"),
            ("", "/link/a%2Fb/x", "site base= target=/link/a%2Fb/x link=None"),
            ("", "/link/ab12", "linked base=/link/ab12 target=/ link=Some(\"ab12\")"),
            ("/m", "/m", "site base=/m target=/ link=None"),
            ("/m", "/m?theme=dark", "site base=/m target=/?theme=dark link=None"),
            ("/m", "/m//pods", "site base=/m target=//pods link=None"),
            ("/m", "/m/../m/pods", "site base=/m target=/../m/pods link=None"),
            ("/m", "/m/link/ab12/pods?q=1", "linked base=/m/link/ab12 target=/pods?q=1 link=Some(\"ab12\")"),
            ("/m", "/m/link/x/link/y", "linked base=/m/link/x target=/link/y link=Some(\"x\")"),
            ("/m", "/m/link/x/../../api", "linked base=/m/link/x target=/../../api link=Some(\"x\")"),
            // only one parameter, whatever prefixes there were
            ("/m", "/m/link/x/only/a", "a"),
        ] {
            assert_eq!(ask(base, path).await, (200, said.to_owned()), "{base} {path}");
        }
    }

    #[tokio::test]
    async fn what_is_outside_is_told_where_the_site_is() {
        for path in [
            "/",
            "/pods",
            "/M",
            "/M/pods",
            "/mm",
            "/m%2F",
            "/m%2f..",
            "/%6d/",
            "//m/",
            "/x/../m/",
            "/link/x/m",
        ] {
            let (status, said) = ask("/m", path).await;
            assert_eq!((status, &*said), (404, "There is nothing here. Masthead is at /m/\n"), "{path}");
        }
    }
}
