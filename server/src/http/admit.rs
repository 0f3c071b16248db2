//! Nobody reads from a hub who has not come through the door: finds out who asks, and hands on the hub of what they
//! may see. Handlers take [`Hub`] and [`Visitor`] as arguments.

use axum::{
    Json,
    extract::{FromRequestParts, OriginalUri, Request, State},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderValue, StatusCode, header, request::Parts};
use serde_json::json;

use super::{
    api::draining,
    base::{Base, Link},
    sign_in,
};
use crate::{
    audience::{
        Door, NoRoom, Rooms, Visitor,
        door::{Refused, throttle::TooMany},
    },
    hub::Hub,
};

/// Lets in, with what there is for them to see.
pub async fn admit(State((door, rooms)): State<(Door, Rooms)>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    if parts.extensions.get::<Link>().is_some() {
        let text = "There is no such link, or it has ended.\n";
        return (StatusCode::NOT_FOUND, text).into_response();
    }
    let visitor = match door.visitor(&mut parts).await {
        Ok(visitor) => visitor,
        Err(refused) => return refuse(&refused, &parts),
    };
    let hub = match rooms.hub(visitor.grant.as_ref()).await {
        Ok(hub) => hub,
        Err(NoRoom::Ended(_)) => return draining(),
        Err(full @ NoRoom::Full) => return overloaded(full),
    };
    let ended = visitor.ended.clone();
    parts.extensions.insert(hub);
    parts.extensions.insert(visitor);
    let asked = parts.clone();
    // An answer may be long in coming, and the right to it be gone before.
    tokio::select! {
        answer = next.run(Request::from_parts(parts, body)) => answer,
        () = ended.cancelled() => refuse(&Refused::SignIn, &asked),
    }
}

fn overloaded(why: NoRoom) -> Response {
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
    let path = request.uri.path();
    let program = ["/api", "/live", "/metrics"]
        .iter()
        .any(|route| path.strip_prefix(route).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
    if *refused == Refused::SignIn && !program {
        let asked = request.extensions.get::<OriginalUri>().map_or(&request.uri, |OriginalUri(uri)| uri);
        let base = request.extensions.get::<Base>().cloned().unwrap_or_default();
        return Redirect::to(&base.address(&sign_in::address(asked))).into_response();
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
        Refused::WrongToken => Some("Bearer realm=\"Masthead\", error=\"invalid_token\""),
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

/// What a refusal is in HTTP's terms.
pub fn status(refused: &Refused) -> StatusCode {
    match refused {
        Refused::SignIn | Refused::WrongToken => StatusCode::UNAUTHORIZED,
        Refused::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
        Refused::NoSecret | Refused::SecretInAddress | Refused::SaidTwice => StatusCode::BAD_REQUEST,
        Refused::NotTheProxy { .. } | Refused::NobodySaid | Refused::NotAllowed { .. } => {
            StatusCode::FORBIDDEN
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
