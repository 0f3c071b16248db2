//! Signing in and out, and one's own sessions. The only routes that take anything but GET, and what they change are
//! sessions of this server.

mod oidc;

use app::{
    query::Place,
    shell::door::{self as document, SignIn, Way},
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRequest, OriginalUri, RawQuery, Request, State},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use http::{StatusCode, Uri, header, request::Parts, uri::PathAndQuery};

use super::{access, admit, api::form_urlencoded, assets::STYLESHEET, base::Base};
use crate::audience::{
    Audit, Door, Visitor,
    door::{Mode, Refused, throttle::TooMany},
    sessions::{self, Session},
};

/// Longest form.
pub const LONGEST: usize = 8 << 10;

/// The routes.
pub fn router(door: Door) -> Router {
    let inside = Router::new()
        .route("/sessions", get(own_sessions))
        .route("/sessions/end", post(end_session))
        .layer(axum::middleware::from_fn_with_state(door.clone(), admit::known));
    Router::new()
        .route("/sign-in", get(ask).post(sign_in))
        .route(oidc::PATH, get(oidc::oidc))
        .route("/sign-out", post(sign_out))
        .merge(inside)
        .layer(DefaultBodyLimit::max(LONGEST))
        .layer(axum::middleware::from_fn(access::check_form))
        .with_state(door)
}

/// Where to sign in to come back to `asked`.
pub fn address(base: &Base, asked: &Uri) -> String {
    let asked = asked.path_and_query().map_or("/", PathAndQuery::as_str);
    let mut address = base.address("/sign-in");
    if asked != base.address("/") {
        address.push_str("?next=");
        encode(asked, &mut address);
    }
    address
}

/// Percent-encodes all but letters, digits and `-._~/` for the value of a query (RFC 3986, 2.3 and 3.4).
fn encode(text: &str, into: &mut String) {
    use std::fmt::Write;
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            into.push(char::from(byte));
        } else {
            let _ = write!(into, "%{byte:02X}"); // to a String, which cannot fail
        }
    }
}

/// The place to go on to, if it is one of ours: a path, and nothing that a browser reads as another host's name
/// (`//evil.example`, `/\evil.example`, and either with a tab or a line break in it; WHATWG URL, 4.4).
fn ours(base: &Base, next: &str) -> String {
    let plain = next.starts_with('/')
        && !next.starts_with("//")
        && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        && next.parse::<PathAndQuery>().is_ok();
    let below = Place::default().below(base.as_str()).beside(next).is_some();
    let path = next.split(['?', '#']).next().unwrap_or_default();
    let door = ["/sign-in", "/sign-out"].iter().any(|door| base.address(door) == path);
    if plain && below && !door { next.to_owned() } else { base.address("/") }
}

/// The values of a form or a query, by name; of two the last.
pub fn field(text: &str, name: &str) -> Option<String> {
    fields(text, name).pop()
}

/// All values of one name.
pub fn fields(text: &str, name: &str) -> Vec<String> {
    form_urlencoded(text).filter(|(key, _)| key == name).map(|(_, value)| value).collect()
}

async fn ask(
    State(door): State<Door>,
    base: Base,
    OriginalUri(uri): OriginalUri,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let (mut parts, _) = request.into_parts();
    let query = query.unwrap_or_default();
    let next = ours(&base, &field(&query, "next").unwrap_or_default());
    let refused = match door.visitor(&mut parts).await {
        Ok(_) => return Redirect::to(&next).into_response(),
        Err(refused) => refused,
    };
    // The cookie is SameSite=Strict: who follows a link from elsewhere comes without it, signed in or not.
    let from = parts.headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
    if matches!(from, Some("cross-site" | "same-site")) {
        let href = uri.path_and_query().map_or("/sign-in", PathAndQuery::as_str).to_owned();
        return page(StatusCode::OK, document::again(href, &paper(&base)));
    }
    let said = match field(&query, "said").as_deref() {
        Some("out") => Some("You are signed out.".to_owned()),
        Some("ended") => Some("Your access has ended. Sign in to go on.".to_owned()),
        _ => None,
    };
    let (status, said) = match refused {
        Refused::SignIn if in_the_clear(&parts) => (StatusCode::OK, Some(IN_THE_CLEAR.to_owned())),
        Refused::SignIn => (StatusCode::OK, said),
        other => (admit::status(&other), Some(sentence(&other))),
    };
    sign_in_page(&door, &base, status, SignIn { ways: Vec::new(), next, said, mistyped: false })
}

const IN_THE_CLEAR: &str = "This page seems to have come over plain HTTP: others on the way could read what you type, \
    and your browser will keep no session. Ask for it over HTTPS (--tls-cert, or a proxy that has a certificate).";

/// Whether a browser will drop the cookie, because it does not trust the way that a request came. Those that do trust
/// it send Fetch Metadata, over HTTPS and on this machine; a proxy in front says if they came to it over HTTPS.
fn in_the_clear(request: &Parts) -> bool {
    let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
    let host = header("host").unwrap_or_default();
    let local = ["localhost", "127.", "[::1]"].iter().any(|local| host.starts_with(local));
    let secure = request.extensions.get::<access::OverTls>().is_some()
        || header("x-forwarded-proto") == Some("https")
        || header("sec-fetch-site").is_some();
    !local && !secure
}

async fn sign_in(State(door): State<Door>, base: Base, request: Request) -> Response {
    let (parts, form) = match form(request).await {
        Ok(form) => form,
        Err(refusal) => return refusal,
    };
    let next = ours(&base, &field(&form, "next").unwrap_or_default());
    let secret = field(&form, "secret").unwrap_or_default();
    match door.sign_in(secret.trim(), &parts).await {
        Ok(cookie) => ([(header::SET_COOKIE, cookie)], Redirect::to(&next)).into_response(),
        Err(refused) => {
            let said = Some(sentence(&refused));
            let mistyped = matches!(refused, Refused::WrongToken | Refused::Kubernetes(_));
            let page = SignIn { ways: Vec::new(), next, said, mistyped };
            let mut response = sign_in_page(&door, &base, admit::status(&refused), page);
            if let Refused::TooMany(TooMany { wait }) = refused {
                response.headers_mut().insert(header::RETRY_AFTER, wait.as_secs().max(1).into());
            }
            response
        }
    }
}

/// A refusal, for people.
fn sentence(refused: &Refused) -> String {
    match refused {
        Refused::WrongToken => "That is not the token. Nothing else is wrong: try it again.".to_owned(),
        Refused::TooMany(TooMany { wait }) => {
            format!("Too many wrong tries. The next one counts in {} s.", wait.as_secs().max(1))
        }
        Refused::Oidc(denied) => denied.to_string(),
        Refused::Kubernetes(denied) => format!("{}.", capital(&denied.to_string())),
        other => format!("{}. Expected: {}.", capital(&other.to_string()), other.hint()),
    }
}

/// A sentence of a phrase.
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn sign_in_page(door: &Door, base: &Base, status: StatusCode, page: SignIn) -> Response {
    let way = match door.mode() {
        Mode::Anyone | Mode::Fixed(_) => Way::NotHere("Nobody has to sign in here.".to_owned()),
        Mode::Token(_) => Way::Secret {
            label: "Token".to_owned(),
            hint: "Whoever runs Masthead has it, in the file of --auth-token-file.".to_owned(),
        },
        Mode::Proxy(_) => Way::NotHere("The proxy in front of Masthead signs people in.".to_owned()),
        Mode::Oidc(oidc) => Way::Elsewhere {
            label: format!("Sign in with {}", oidc.provider()),
            href: oidc::begin_at(&page.next, base),
        },
        Mode::Kubernetes(_) => Way::Secret {
            label: "Kubernetes token".to_owned(),
            hint: "A token that the API server knows you by, such as kubectl create token NAME prints. Masthead shows \
                   what it lets you list and watch. It is kept in memory alone, and let go when your sessions have ended."
                .to_owned(),
        },
    };
    let trouble = match door.mode() {
        Mode::Oidc(oidc) => oidc.trouble().map(|trouble| trouble.to_string()),
        _ => None,
    };
    let said = page.said.or(trouble);
    self::page(status, document::sign_in(SignIn { ways: vec![way], said, ..page }, &paper(base)))
}

/// What a document is written on.
pub fn paper(base: &Base) -> document::Paper {
    document::Paper::below(base.as_str(), STYLESHEET)
}

/// A document with forms. Browsers tell the server where these come from in `Origin` only if the page may say where
/// it is (Fetch, "append a request `Origin` header").
pub fn page(status: StatusCode, html: String) -> Response {
    (status, [(header::REFERRER_POLICY, "same-origin")], Html(html)).into_response()
}

async fn sign_out(
    State(door): State<Door>,
    base: Base,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Response {
    let (parts, form) = match form(request).await {
        Ok(form) => form,
        Err(refusal) => return refusal,
    };
    if let Some(visitor) = door.sessions().visitor(&parts.headers) {
        door.sessions().end_of(&visitor, Audit::SignOut);
        if field(&form, "everywhere").is_some() {
            door.sessions().end_all(&visitor.who, None, Audit::SignOut);
        }
        // A form may not lead to another site (Content-Security-Policy, form-action); a page of ours may.
        if let Mode::Oidc(oidc) = door.mode()
            && let Some(href) = oidc::sign_out(oidc, &base, &parts, &uri)
        {
            let out = page(StatusCode::OK, document::again(href, &paper(&base)));
            return ([(header::SET_COOKIE, sessions::FORGET)], out).into_response();
        }
    }
    ([(header::SET_COOKIE, sessions::FORGET)], Redirect::to(&base.address("/sign-in?said=out")))
        .into_response()
}

async fn own_sessions(State(door): State<Door>, base: Base, visitor: Visitor) -> Response {
    let this = visitor.session.as_ref().map(|session| session.handle.clone());
    let sessions =
        door.sessions().of(&visitor.who).into_iter().map(|session| shown(session, this.as_deref()));
    let otherwise = match door.mode() {
        Mode::Anyone => Some("Masthead was started with --auth none: whoever can reach it is let in."),
        Mode::Token(_) => Some(
            "Whoever has the token is the same person to Masthead: the sessions of all of them are here.",
        ),
        Mode::Proxy(_) if this.is_none() => Some(
            "The proxy in front of Masthead says so. Sign out there; what is open here then ends within ten minutes.",
        ),
        _ => None,
    };
    let page = document::Sessions {
        who: visitor.who.name().to_string(),
        sessions: sessions.collect(),
        otherwise: otherwise.map(str::to_owned),
        now: door.sessions().now(),
    };
    self::page(StatusCode::OK, document::sessions(page, &paper(&base)))
}

fn shown(session: Session, this: Option<&str>) -> document::Session {
    let Session { handle, from, since, used, until, open, .. } = session;
    let this = this == Some(&*handle);
    document::Session {
        browser: browser(&from.agent),
        address: from.address.map_or_else(|| "unknown".to_owned(), |address| address.to_string()),
        handle: handle.to_string(),
        open: this || open > 0,
        since,
        used,
        until,
        this,
    }
}

async fn end_session(State(door): State<Door>, base: Base, visitor: Visitor, request: Request) -> Response {
    let (_, form) = match form(request).await {
        Ok(form) => form,
        Err(refusal) => return refusal,
    };
    let asked = field(&form, "session").unwrap_or_default();
    // Only what is one's own.
    if door.sessions().of(&visitor.who).iter().any(|session| session.handle == asked.as_str()) {
        door.sessions().end(&asked, Audit::SignOut);
    }
    Redirect::to(&base.address("/sessions")).into_response()
}

/// A request's head and its form.
pub async fn form(request: Request) -> Result<(Parts, String), Response> {
    let (parts, body) = request.into_parts();
    let whole = Request::from_parts(parts.clone(), body);
    let form = String::from_request(whole, &()).await.map_err(IntoResponse::into_response)?;
    Ok((parts, form))
}

/// A browser in three words, out of what it says of itself. Most of them claim to be several; the first of these that
/// is there is the one.
fn browser(agent: &str) -> String {
    const BROWSERS: [(&str, &str); 9] = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Version/", "Safari"),
        ("curl/", "curl"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iOS"),
        ("iPad", "iPadOS"),
        ("Macintosh", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let product = BROWSERS.iter().find_map(|(token, name)| {
        let (_, rest) = agent.split_once(token)?;
        let version: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Some(format!("{name} {version}").trim_end().to_owned())
    });
    let system = SYSTEMS.iter().find(|(token, _)| agent.contains(token)).map(|(_, name)| *name);
    match (product, system) {
        (Some(product), Some(system)) => format!("{product} on {system}"),
        (Some(product), None) => product,
        (None, _) if agent.is_empty() => "unknown".to_owned(),
        (None, _) => agent.chars().take(40).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_to_places_of_ours_only() {
        for next in
            ["/", "/pods", "/pods?namespace=a&selector=app%3Dweb", "/pods/default/web-1?theme=dark", "/a//b"]
        {
            assert_eq!(ours(&Base::default(), next), next);
        }
        for next in [
            "",
            "pods",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "\t//evil.example",
            " //evil.example",
            "https://evil.example/",
            "https:evil.example",
            "javascript:alert(1)",
            "/pods\r\nSet-Cookie: a=b",
            "/sign-in?next=/sign-in",
            "/sign-out",
            "/\u{2044}/evil.example",
        ] {
            assert_eq!(ours(&Base::default(), next), "/", "{next:?}");
        }
    }

    #[test]
    fn the_place_is_kept_through_signing_in() {
        let asked = "/pods?selector=app%20in%20(a,b)&q=x+y%26z&theme=dark";
        let address = address(&Base::default(), &asked.parse().expect("a URI"));
        let next = field(address.split_once('?').expect("a query").1, "next").expect("the place");
        assert_eq!(ours(&Base::default(), &next), asked);
        assert_eq!(super::address(&Base::default(), &Uri::from_static("/")), "/sign-in");
    }

    #[test]
    fn below_a_base_it_goes_on_to_places_below_it_only() {
        let base: Base = "/masthead".parse().expect("a base");
        for next in ["/masthead", "/masthead/pods?q=a", "/masthead/sign-in-not"] {
            assert_eq!(ours(&base, next), next);
        }
        for next in
            ["", "/", "/pods", "/mastheads", "//masthead/", "/masthead/sign-in", "/masthead/sign-out?x"]
        {
            assert_eq!(ours(&base, next), "/masthead/", "{next:?}");
        }
        let asked = Uri::from_static("/masthead/pods?q=a");
        assert_eq!(address(&base, &asked), "/masthead/sign-in?next=/masthead/pods%3Fq%3Da");
        assert_eq!(address(&base, &Uri::from_static("/masthead/")), "/masthead/sign-in");
    }

    #[test]
    fn a_browser_is_named_in_a_few_words() {
        for (agent, name) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36",
                "Chrome 143 on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 \
                 Safari/537.36 Edg/143.0.0.0",
                "Edge 143 on Windows",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
                "Firefox 145 on Linux",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/26.1 Safari/605.1.15",
                "Safari 26 on macOS",
            ),
            ("curl/8.14.1", "curl 8"),
            ("", "unknown"),
            ("something of one's own", "something of one's own"),
        ] {
            assert_eq!(browser(agent), name);
        }
    }
}
