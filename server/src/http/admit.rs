//! Nobody reads from a hub who has not come through the door: finds out who asks, and hands on the hub of what they
//! may see. Handlers take [`Hub`] and [`Visitor`] as arguments.

use axum::{
    Json,
    extract::{FromRequestParts, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header, request::Parts};
use serde_json::json;

use super::api::draining;
use crate::{
    audience::{Door, NoRoom, Rooms, Visitor},
    hub::Hub,
};

/// Lets in, with what there is for them to see.
pub async fn admit(State((door, rooms)): State<(Door, Rooms)>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let visitor = door.visitor(&mut parts).await;
    let hub = match rooms.hub(visitor.grant.as_ref()).await {
        Ok(hub) => hub,
        Err(NoRoom::Ended(_)) => return draining(),
        Err(full @ NoRoom::Full) => return overloaded(full),
    };
    parts.extensions.insert(hub);
    parts.extensions.insert(visitor);
    next.run(Request::from_parts(parts, body)).await
}

fn overloaded(why: NoRoom) -> Response {
    tracing::warn!(%why, "a visitor was turned away");
    let body = Json(json!({"error": why.to_string(), "expected": "fewer of them; try again in a minute"}));
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "60")], body).into_response()
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
