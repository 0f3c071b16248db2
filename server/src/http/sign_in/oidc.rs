//! `/sign-in/oidc`: the way out to the identity provider, and the way back from it.

use app::shell::door::{self as document, SignIn};
use axum::{
    extract::{OriginalUri, RawQuery, Request, State},
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, StatusCode, Uri, header, request::Parts};

use super::{encode, field, ours, page, paper, sentence, sign_in_page};
use crate::{
    audience::{
        Door,
        door::{
            Mode, Refused,
            oidc::{Begun, COOKIE, Oidc, Returned},
        },
        sessions::cookies,
    },
    http::{
        access::{OverTls, authority},
        admit,
        base::Base,
    },
};

/// The address; with `next`, a path of ours, as the place to go on to.
pub const PATH: &str = "/sign-in/oidc";

/// Where to begin, to come back to `next`.
pub fn begin_at(next: &str, base: &Base) -> String {
    let mut href = format!("{}?next=", base.address(PATH));
    encode(next, &mut href);
    href
}

/// Begins, or finishes what comes back.
pub async fn oidc(
    State(door): State<Door>,
    base: Base,
    OriginalUri(uri): OriginalUri,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let Mode::Oidc(oidc) = door.mode() else { return StatusCode::NOT_FOUND.into_response() };
    let (parts, _) = request.into_parts();
    let query = query.unwrap_or_default();
    let field = |name: &str| field(&query, name);
    let cookie = cookies(&parts.headers, COOKIE).next();
    if ["state", "code", "error"].into_iter().all(|name| field(name).is_none()) {
        let next = ours(&base, &field("next").unwrap_or_default());
        let redirect = origin(oidc, &parts, &uri) + &base.address(PATH);
        return match oidc.begin(&redirect, &next, cookie).await {
            Ok(Begun { location, cookie }) => ([set(&cookie, 600)], Redirect::to(&location)).into_response(),
            Err(denied) => refuse(&door, &base, next, &denied.into()),
        };
    }
    let returned = Returned {
        state: field("state"),
        code: field("code"),
        iss: field("iss"),
        error: field("error"),
        error_description: field("error_description"),
    };
    match door.sign_in_with_oidc(oidc, cookie, returned, &parts).await {
        // The provider sent the browser here, so that it would keep the session's cookie, which is SameSite=Strict, to
        // itself on the way on: it goes on from a page of ours.
        Ok((session, next)) => {
            let mut response = page(StatusCode::OK, document::again(next, &paper(&base)));
            forget_attempt(response.headers_mut());
            if let Ok(session) = session.parse() {
                response.headers_mut().append(header::SET_COOKIE, session);
            }
            response
        }
        Err(refused) => refuse(&door, &base, base.address("/"), &refused),
    }
}

/// Where a browser that has signed out here goes to sign out at the provider, if that can be.
pub fn sign_out(oidc: &Oidc, base: &Base, request: &Parts, uri: &Uri) -> Option<String> {
    oidc.sign_out(&(origin(oidc, request, uri) + &base.address("/sign-in")))
}

fn refuse(door: &Door, base: &Base, next: String, refused: &Refused) -> Response {
    let said = Some(sentence(refused));
    sign_in_page(door, base, admit::status(refused), SignIn { ways: Vec::new(), next, said, mistyped: false })
}

/// Masthead's own address: as `--public-url` says, or by the name that the request was for, which is one of ours.
fn origin(oidc: &Oidc, request: &Parts, uri: &Uri) -> String {
    if let Some(public) = oidc.public() {
        return public.to_owned();
    }
    let scheme = if request.extensions.get::<OverTls>().is_some() { "https" } else { "http" };
    format!("{scheme}://{}", authority(&request.headers, uri).unwrap_or_default())
}

fn set(cookie: &str, seconds: u32) -> (header::HeaderName, String) {
    let cookie = format!("{COOKIE}={cookie}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax");
    (header::SET_COOKIE, cookie)
}

fn forget_attempt(headers: &mut HeaderMap) {
    let (name, value) = set("", 0);
    if let Ok(value) = value.parse() {
        headers.append(name, value);
    }
}
