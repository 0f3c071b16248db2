//! What is shared: making links and looking at them first, letting walls in, ending both; and the ways in of those they
//! are for. What these routes change are Masthead's own links and walls.

use std::sync::Arc;

use app::{
    api::{Kind, Millis, Text},
    shell::links as document,
};
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, Request, State},
    middleware::Next,
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use http::{HeaderMap, StatusCode, header, request::Parts};
use serde_json::json;

use super::{
    OverTls, access, admit,
    admit::Admission,
    api::draining,
    base::Base,
    sign_in::{LONGEST, capital, field, fields, form, page, paper},
};
use crate::audience::{
    Grant, Sharer, Visitor, Who,
    grant::Within,
    links::{self, Closed, HIDDEN, LinkError, SHOWN, Wanted},
    register,
    walls::Pairing,
};

/// The routes of those who share.
pub fn router(admission: Admission) -> Router {
    let inside = Router::new()
        .route("/links", get(list).post(draft))
        .route("/links/{id}", get(one))
        .route("/links/{id}/hand-out", post(hand_out))
        .route("/links/{id}/revoke", post(revoke))
        .route("/walls", post(let_in))
        .route("/walls/{id}/revoke", post(revoke_wall))
        .layer(axum::middleware::from_fn_with_state(admission.clone(), only_who_may_share))
        .layer(axum::middleware::from_fn_with_state(admission.door.clone(), admit::known));
    Router::new()
        .route("/link", get(enter_page).post(enter))
        .route("/wall/pair", post(pair))
        .merge(inside)
        .layer(DefaultBodyLimit::max(LONGEST))
        .layer(axum::middleware::from_fn(access::check_form))
        .with_state(admission)
}

/// See [`Admission::may_share`].
async fn only_who_may_share(
    State(admission): State<Admission>,
    visitor: Visitor,
    request: Request,
    next: Next,
) -> Response {
    if admission.may_share(&visitor) {
        return next.run(request).await;
    }
    let text = "Refused: only who sees all that Masthead watches can share it, and with --auth kubernetes nobody can.\n";
    (StatusCode::FORBIDDEN, text).into_response()
}

async fn list(State(admission): State<Admission>, base: Base, visitor: Visitor) -> Response {
    listed(&admission, &base, &visitor, None)
}

fn listed(admission: &Admission, base: &Base, visitor: &Visitor, said: Option<&LinkError>) -> Response {
    let register = admission.links.register();
    let records = register.records();
    let chosen: Vec<&str> = SHOWN.split(',').collect();
    let shared = document::Shared {
        links: records.links.iter().rev().map(|link| shown(admission, link)).collect(),
        walls: records.walls.iter().rev().map(wall).collect(),
        kept: register.is_kept(),
        kinds: links::shareable().map(|kind| (kind, chosen.contains(&kind.plural()))).collect(),
        hide: HIDDEN.into_iter().zip(MEANINGS).collect(),
        said: said.map(|error| format!("{error}.")),
        open: visitor.who == Who::Anyone,
        now: register.now(),
    };
    let status = match said {
        None => StatusCode::OK,
        Some(LinkError::Register(_) | LinkError::NoRandomness(_)) => StatusCode::INTERNAL_SERVER_ERROR,
        Some(_) => StatusCode::BAD_REQUEST,
    };
    page(status, document::shared(shared, &paper(base)))
}

/// Of [`HIDDEN`].
const MEANINGS: [&str; 4] =
    ["names of nodes", "images", "addresses", "every name and label (others take their place)"];

fn shown(admission: &Admission, link: &register::Link) -> document::Link {
    document::Link {
        id: link.id.to_string(),
        name: link.name.to_string(),
        shows: sentence(Some(&link.grant)),
        by: link.by.to_string(),
        until: link.until,
        viewers: (admission.links.looking(&link.id), link.viewers),
        used: link.used,
        draft: link.is_draft(),
    }
}

fn wall(wall: &register::Wall) -> document::Wall {
    document::Wall {
        id: wall.id.to_string(),
        name: wall.name.to_string(),
        shows: sentence(wall.grant.as_ref()),
        by: wall.by.to_string(),
        until: wall.until,
        used: wall.used,
    }
}

/// What a grant shows, for those who give it.
pub fn sentence(grant: Option<&Grant>) -> String {
    let Some(grant) = grant else { return "Everything".to_owned() };
    let kinds: Vec<_> =
        links::shareable().filter(|kind| grant.kinds.contains_key(kind)).map(Kind::plural).collect();
    let namespaces = grant.kinds.values().find_map(|within| match within {
        Within::Namespaces(names) => Some(names.iter().map(Text::as_str).collect::<Vec<_>>().join(", ")),
        Within::All => None,
    });
    let place = namespaces.map_or_else(|| "everywhere".to_owned(), |names| format!("in {names}"));
    let selector = match grant.selector.is_empty() {
        true => String::new(),
        false => format!(", of {}", grant.selector),
    };
    let hides = [grant.hide.node_names, grant.hide.images, grant.hide.addresses, grant.hide.names];
    let hidden: Vec<_> =
        MEANINGS.iter().zip(hides).filter(|(_, hidden)| *hidden).map(|(word, _)| *word).collect();
    let hidden = if hidden.is_empty() { String::new() } else { format!("; hidden: {}", hidden.join(", ")) };
    format!("Shows {} {place}{selector}{hidden}", kinds.join(", "))
}

async fn draft(
    State(admission): State<Admission>,
    base: Base,
    visitor: Visitor,
    request: Request,
) -> Response {
    let (parts, form) = match form(request).await {
        Ok(form) => form,
        Err(refusal) => return refusal,
    };
    let one = |name: &str| field(&form, name).unwrap_or_default();
    let wanted = Wanted {
        name: one("name"),
        namespaces: one("namespaces").split(',').map(str::to_owned).collect(),
        selector: one("selector"),
        kinds: fields(&form, "show"),
        hide: fields(&form, "hide"),
        lasts: one("for"),
        viewers: one("viewers").trim().parse().unwrap_or_default(),
    };
    let (links, by) = (admission.links.clone(), sharer(&admission, &visitor, &parts));
    match writing(move || links.draft(&wanted, &by)).await {
        Ok(id) => Redirect::to(&base.address(&format!("/links/{id}"))).into_response(),
        Err(error) => listed(&admission, &base, &visitor, Some(&error)),
    }
}

/// Files block.
async fn writing<T: Send + 'static>(
    write: impl FnOnce() -> Result<T, LinkError> + Send + 'static,
) -> Result<T, LinkError> {
    let written = tokio::task::spawn_blocking(write).await.unwrap_or(Err(LinkError::Gone));
    if let Err(error @ (LinkError::Register(_) | LinkError::NoRandomness(_))) = &written {
        tracing::error!(%error, "what is shared could not be changed");
    }
    written
}

async fn one(
    State(admission): State<Admission>,
    base: Base,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    let Some(link) = admission.links.find(&id) else {
        return listed(&admission, &base, &visitor, Some(&LinkError::Gone));
    };
    let hub = match admission.rooms.hub(Some(&Arc::new(link.grant.clone()))).await {
        Ok(hub) => hub,
        Err(why) => return admit::no_room(why),
    };
    let Ok(view) = hub.view().await else { return draining() };
    let granted = links::shareable().filter(|kind| link.grant.kinds.contains_key(kind));
    let counts = granted
        .map(|kind| document::Counted {
            kind,
            count: view.cluster.count(kind),
            state: view.state(kind),
            as_of: view.as_of(kind),
        })
        .collect();
    let now = admission.links.register().now();
    page(StatusCode::OK, document::link(shown(&admission, &link), counts, now, &paper(&base)))
}

async fn hand_out(
    State(admission): State<Admission>,
    base: Base,
    visitor: Visitor,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let site = format!(
        "{}{base}",
        admission.origin(request.headers(), request.extensions().get::<OverTls>().is_some())
    );
    let (links, handed) = (admission.links.clone(), id.clone());
    let by = sharer(&admission, &visitor, &request.into_parts().0);
    let secret = match writing(move || links.hand_out(&handed, &by)).await {
        Ok(secret) => secret,
        Err(error) => return listed(&admission, &base, &visitor, Some(&error)),
    };
    let name = admission.links.find(&id).map(|link| sentence(Some(&link.grant))).unwrap_or_default();
    let address = links::address(&site, &id, &secret);
    page(StatusCode::OK, document::handed_out(&format!("this ({name})"), address, &paper(&base)))
}

async fn revoke(
    State(admission): State<Admission>,
    base: Base,
    visitor: Visitor,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let (links, by) = (admission.links.clone(), sharer(&admission, &visitor, &request.into_parts().0));
    let revoked = writing(move || links.revoke(&id, &by)).await;
    ended(&admission, &base, &visitor, revoked)
}

fn sharer(admission: &Admission, visitor: &Visitor, request: &Parts) -> Sharer {
    Sharer { name: visitor.who.name(), from: admission.door.client(request).address }
}

/// What has ended already has ended too.
fn ended(admission: &Admission, base: &Base, visitor: &Visitor, revoked: Result<(), LinkError>) -> Response {
    match revoked {
        Ok(()) | Err(LinkError::Gone) => Redirect::to(&base.address("/links")).into_response(),
        Err(error) => listed(admission, base, visitor, Some(&error)),
    }
}

async fn let_in(
    State(admission): State<Admission>,
    base: Base,
    visitor: Visitor,
    request: Request,
) -> Response {
    let (parts, form) = match form(request).await {
        Ok(form) => form,
        Err(refusal) => return refusal,
    };
    let one = |name: &str| field(&form, name).unwrap_or_default();
    let by = sharer(&admission, &visitor, &parts);
    let (walls, now) = (admission.walls.clone(), admission.links.register().now());
    let (code, name, namespaces, lasts) = (one("code"), one("name"), one("namespaces"), one("for"));
    let written = writing(move || {
        let grant = walls_grant(&namespaces)?;
        let until = walls_end(&lasts, now)?;
        walls.let_in(&code, &name, grant, until, &by)
    });
    match written.await {
        Ok(()) => Redirect::to(&base.address("/links")).into_response(),
        Err(error) => listed(&admission, &base, &visitor, Some(&error)),
    }
}

/// A wall is the team's own: what it shows is in the cluster's words.
fn walls_grant(namespaces: &str) -> Result<Option<Grant>, LinkError> {
    let namespaces: Vec<String> =
        namespaces.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    if namespaces.is_empty() {
        return Ok(None);
    }
    let wanted = Wanted {
        name: String::new(),
        namespaces,
        selector: String::new(),
        kinds: links::shareable().map(|kind| kind.plural().to_owned()).collect(),
        hide: Vec::new(),
        lasts: String::new(),
        viewers: 1,
    };
    Ok(Some(Grant { verbatim: true, ..wanted.grant()? }))
}

/// When it ends: not at all only where that was chosen.
fn walls_end(lasts: &str, now: Millis) -> Result<Option<Millis>, LinkError> {
    if lasts == "forever" {
        return Ok(None);
    }
    let lasts = links::lasts(lasts).ok_or_else(|| LinkError::Lasts(lasts.to_owned()))?;
    Ok(Some(Millis(now.0.saturating_add(lasts))))
}

async fn revoke_wall(
    State(admission): State<Admission>,
    base: Base,
    visitor: Visitor,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let (walls, by) = (admission.walls.clone(), sharer(&admission, &visitor, &request.into_parts().0));
    let revoked = writing(move || walls.revoke(&id, &by)).await;
    ended(&admission, &base, &visitor, revoked)
}

/// Where a link's address leads. The secret is behind its `#`, and comes with the next request.
async fn enter_page(base: Base) -> Html<String> {
    Html(document::enter("/link.js", &paper(&base)))
}

async fn enter(State(admission): State<Admission>, request: Request) -> Response {
    let (parts, form) = match form(request).await {
        Ok(form) => form,
        Err(refusal) => return refusal,
    };
    let from = admission.door.client(&parts).address;
    let attempt = match admission.door.throttle().attempt(from) {
        Ok(attempt) => attempt,
        Err(error) => {
            let retry = [(header::RETRY_AFTER, error.wait.as_secs().max(1).to_string())];
            return (StatusCode::TOO_MANY_REQUESTS, retry, format!("Refused: {error}. Try again later.\n"))
                .into_response();
        }
    };
    let one = |name: &str| field(&form, name).unwrap_or_default();
    let (links, id, secret) = (admission.links.clone(), one("id"), one("secret"));
    let entered = tokio::task::spawn_blocking(move || links.enter(&id, &secret, from)).await;
    match entered.unwrap_or(Err(Closed::Gone)) {
        Ok(cookie) => {
            attempt.right();
            ([(header::SET_COOKIE, cookie)], StatusCode::NO_CONTENT).into_response()
        }
        Err(closed) => {
            (closed_status(closed), format!("{}.\n", capital(&closed.to_string()))).into_response()
        }
    }
}

/// What a closed link is in HTTP's terms.
pub fn closed_status(closed: Closed) -> StatusCode {
    match closed {
        Closed::Gone => StatusCode::UNAUTHORIZED,
        Closed::Full => StatusCode::TOO_MANY_REQUESTS,
    }
}

/// A wall that is not let in: its code.
pub fn pairing_page(base: &Base) -> Response {
    (StatusCode::OK, Html(document::pair("/pair.js", &paper(base)))).into_response()
}

async fn pair(State(admission): State<Admission>, headers: HeaderMap, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let from = admission.door.client(&parts).address;
    match admission.walls.pair(&headers, from) {
        Ok(Pairing::In) => Json(json!({"state": "in"})).into_response(),
        Ok(Pairing::Waits { code, cookie }) => {
            let answer = Json(json!({"state": "waits", "code": code}));
            match cookie {
                Some(cookie) => ([(header::SET_COOKIE, cookie)], answer).into_response(),
                None => answer.into_response(),
            }
        }
        Ok(Pairing::Full) => {
            let body = json!({"error": "too many walls wait to be let in", "expected": "another try in ten minutes"});
            (StatusCode::TOO_MANY_REQUESTS, Json(body)).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a wall cannot be given a code");
            (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({"error": error.to_string()}))).into_response()
        }
    }
}
