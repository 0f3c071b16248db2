//! Nobody reads from a hub who has not come through the door: finds out who asks, and hands on the hub of what they
//! may see. Handlers take [`Hub`] and [`Visitor`] as arguments.

use app::{api::Text, seed::Shared};
use axum::{
    Json,
    extract::{FromRequestParts, OriginalUri, Request, State},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use serde_json::json;

use super::{
    api::draining,
    base::{Base, Link},
    links, sign_in,
};
use crate::{
    audience::{
        Door, Links, NoRoom, Over, Rooms, Visitor, Walls, Who,
        door::{Mode, Refused, kubernetes, oidc, throttle::TooMany},
        links::Closed,
    },
    hub::Hub,
};

/// All that decides who is let in.
#[derive(Clone, Debug)]
pub struct Admission {
    /// Who visitors are.
    pub door: Door,
    /// Links, for those who have none of the door's.
    pub links: Links,
    /// The same, walls.
    pub walls: Walls,
    /// What there is to see for each.
    pub rooms: Rooms,
    /// Where browsers find this server, if it has been said.
    pub public_url: Option<Text>,
    /// It is for strangers, and nothing is shared with anybody.
    pub public: bool,
}

/// Whether a visitor may share what they see, for the page. In a request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MayShare(pub bool);

impl Admission {
    /// Only who sees everything may give some of it away; nobody where the cluster itself says what each may see, and
    /// may say otherwise tomorrow.
    pub fn may_share(&self, visitor: &Visitor) -> bool {
        visitor.grant.is_none()
            && !self.public
            && !matches!(visitor.who, Who::Link(_) | Who::Wall(_))
            && !matches!(self.door.mode(), Mode::Kubernetes(_))
    }

    /// `https://dash.example`: where a browser that sent this request finds the server.
    pub fn origin(&self, headers: &HeaderMap, over_tls: bool) -> String {
        if let Some(url) = &self.public_url {
            return url.trim_end_matches('/').to_owned();
        }
        // Our own page's, as its browser says: the route has checked it.
        let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
        if let Some(origin) = origin.filter(|origin| origin.contains("://")) {
            return origin.to_owned();
        }
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        format!("{}://{host}", if over_tls { "https" } else { "http" })
    }

    async fn visitor(&self, parts: &mut Parts) -> Result<Admitted, Response> {
        if let Some(Link(id)) = parts.extensions.get::<Link>().cloned() {
            return self.by_link(&id, parts).await;
        }
        let refused = match self.door.visitor(parts).await {
            Ok(visitor) => return Ok(Admitted { visitor, shared: None, cookie: None }),
            Err(refused) => refused,
        };
        // A proxy in front lets a wall through as nobody.
        if !matches!(refused, Refused::SignIn | Refused::NobodySaid) {
            return Err(refuse(&refused, parts));
        }
        match self.walls.visitor(&parts.headers) {
            Some((visitor, cookie)) => {
                Ok(Admitted { visitor, shared: None, cookie: HeaderValue::from_str(&cookie).ok() })
            }
            None if parts.uri.path() == "/wall" => {
                Err(links::pairing_page(&parts.extensions.get::<Base>().cloned().unwrap_or_default()))
            }
            None => Err(refuse(&refused, parts)),
        }
    }

    async fn by_link(&self, id: &str, parts: &mut Parts) -> Result<Admitted, Response> {
        let ((visitor, link), preview) = match self.links.visitor(id, &parts.headers) {
            Ok(viewer) => (viewer, false),
            Err(closed) => match self.door.visitor(parts).await {
                Ok(person) if self.may_share(&person) => match self.links.preview(id, person) {
                    Ok(previewer) => (previewer, true),
                    Err(closed) => return Err(closed_link(closed, parts)),
                },
                _ => return Err(closed_link(closed, parts)),
            },
        };
        let shared = Shared {
            name: link.name.to_string(),
            by: link.by.to_string(),
            until: link.until,
            kinds: link.grant.shown(),
            preview,
        };
        Ok(Admitted { visitor, shared: Some(shared), cookie: None })
    }
}

/// Somebody who is let in.
struct Admitted {
    visitor: Visitor,
    /// By what link.
    shared: Option<Shared>,
    /// What the browser is to keep.
    cookie: Option<HeaderValue>,
}

/// Lets in, with what there is for them to see.
pub async fn admit(State(admission): State<Admission>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let Admitted { visitor, shared, cookie } = match admission.visitor(&mut parts).await {
        Ok(admitted) => admitted,
        Err(refusal) => return refusal,
    };
    let hub = match admission.rooms.hub(visitor.grant.as_ref()).await {
        Ok(hub) => hub,
        Err(why) => return no_room(why),
    };
    // For a refusal. Without the visitor, of whom each copy counts as one that looks.
    let asked = parts.clone();
    parts.extensions.insert(MayShare(admission.may_share(&visitor)));
    parts.extensions.insert(hub);
    parts.extensions.insert(visitor.clone());
    if let Some(shared) = shared {
        parts.extensions.insert(shared);
    }
    // An answer may be long in coming, and the right to it be gone before.
    let mut answer = tokio::select! {
        answer = next.run(Request::from_parts(parts, body)) => answer,
        over = visitor.over() => match over {
            Over::Ended => refuse(&Refused::SignIn, &asked),
            Over::AskAgain => ask_again(),
        },
    };
    if let Some(cookie) = cookie {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}

/// What is answered where a link does not lead any more, or not now.
fn closed_link(closed: Closed, request: &Parts) -> Response {
    let status = links::closed_status(closed);
    if is_program(request) {
        let expected = "a link that has not ended, opened at the address that was given out";
        return (status, Json(json!({"error": closed.to_string(), "expected": expected}))).into_response();
    }
    let text = match closed {
        Closed::Gone => {
            "This link has ended, or never was one. Open it again as it was given to you, or ask for another.\n"
        }
        Closed::Full => {
            "As many people as this link allows are looking at it just now. Try again in a minute.\n"
        }
    };
    (status, text).into_response()
}

/// Nobody knows any more whether whoever waits is still let in. Their next request will tell.
fn ask_again() -> Response {
    let body = Json(json!({"error": Over::AskAgain.why(), "expected": "the same request once more"}));
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], body).into_response()
}

/// What is said to somebody for whom there is no hub to read from.
pub fn no_room(why: NoRoom) -> Response {
    if why != NoRoom::Full {
        return draining();
    }
    tracing::warn!(%why, "a visitor was turned away");
    let body = Json(json!({"error": why.to_string(), "expected": "fewer of them; try again in a minute"}));
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "60")], body).into_response()
}

/// The same for what shows nothing of the cluster.
pub async fn known(State(door): State<Door>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    match door.visitor(&mut parts).await {
        Ok(visitor) => parts.extensions.insert(visitor),
        Err(refused) => return refuse(&refused, &parts),
    };
    next.run(Request::from_parts(parts, body)).await
}

/// What is answered to somebody who is not let in: to a browser the way to sign in, to a program a status and words.
fn refuse(refused: &Refused, request: &Parts) -> Response {
    let program = is_program(request);
    if *refused == Refused::SignIn && !program {
        let asked = request.extensions.get::<OriginalUri>().map_or(&request.uri, |OriginalUri(uri)| uri);
        let base = request.extensions.get::<Base>().cloned().unwrap_or_default();
        return Redirect::to(&sign_in::address(&base, asked)).into_response();
    }
    let status = status(refused);
    let (error, expected) = (refused.to_string(), refused.hint());
    let mut response = if program {
        (status, Json(json!({"error": error, "expected": expected}))).into_response()
    } else {
        (status, format!("Refused: {error}.\nExpected: {expected}.\n")).into_response()
    };
    let headers = response.headers_mut();
    // RFC 6750, 3: what kind of credentials would do, and whether there were any.
    let challenge = match refused {
        Refused::SignIn => Some("Bearer realm=\"Masthead\""),
        Refused::WrongToken | Refused::Kubernetes(kubernetes::Denied::NotAccepted) => {
            Some("Bearer realm=\"Masthead\", error=\"invalid_token\"")
        }
        _ => None,
    };
    if let Some(challenge) = challenge {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    if let Refused::TooMany(TooMany { wait }) = refused {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    }
    response
}

/// Whether a route is for programs, the page's own included.
fn is_program(request: &Parts) -> bool {
    let path = request.uri.path();
    ["/api", "/live", "/metrics"]
        .iter()
        .any(|route| path.strip_prefix(route).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// What a refusal is in HTTP's terms.
pub fn status(refused: &Refused) -> StatusCode {
    match refused {
        Refused::SignIn | Refused::WrongToken => StatusCode::UNAUTHORIZED,
        Refused::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
        Refused::NoSecret | Refused::SecretInAddress | Refused::SaidTwice => StatusCode::BAD_REQUEST,
        Refused::NotTheProxy { .. } | Refused::NobodySaid | Refused::NotAllowed { .. } => {
            StatusCode::FORBIDDEN
        }
        Refused::Oidc(oidc::Denied::NotBegunHere) => StatusCode::BAD_REQUEST,
        Refused::Oidc(oidc::Denied::Unreachable { .. }) => StatusCode::SERVICE_UNAVAILABLE,
        Refused::Oidc(oidc::Denied::Untrusted { .. }) => StatusCode::BAD_GATEWAY,
        Refused::Oidc(oidc::Denied::Refused { .. } | oidc::Denied::NotAllowed { .. }) => {
            StatusCode::FORBIDDEN
        }
        Refused::Kubernetes(kubernetes::Denied::NotAToken | kubernetes::Denied::NotAccepted) => {
            StatusCode::UNAUTHORIZED
        }
        Refused::Kubernetes(kubernetes::Denied::Unanswered(_) | kubernetes::Denied::Full) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Refused::NoRandomness(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A route that is not behind [`admit`] cannot be answered: it would not know for whom.
fn unguarded() -> Response {
    tracing::error!(
        "a route asked for a visitor without the door before it: a bug in Masthead, please report it"
    );
    (StatusCode::INTERNAL_SERVER_ERROR, "this cannot be shown: a bug in Masthead\n").into_response()
}

impl<S: Sync> FromRequestParts<S> for Hub {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Hub, Response> {
        parts.extensions.get().cloned().ok_or_else(unguarded)
    }
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Visitor, Response> {
        parts.extensions.get().cloned().ok_or_else(unguarded)
    }
}
