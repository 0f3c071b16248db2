//! LIST: pages, versions, selectors (apiserver `storage/etcd3/store.go` `GetList`).

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use http::StatusCode;
use serde_json::json;

use super::api::{ApiServer, Read};
use super::faults::Fault;
use super::form::Form;
use super::object::Object;
use super::pages::Token;
use super::status::{Refusal, json_response};
use super::{table, watching};

/// How long a list waits for a version which does not exist yet.
const FRESH_WITHIN: Duration = Duration::from_secs(3);

pub(super) async fn answer(server: &ApiServer, read: Read) -> Result<Response, Refusal> {
    if !read.parameter("sendInitialEvents").is_empty() {
        return Err(Refusal::new(
            422,
            "Invalid",
            "ListOptions.meta.k8s.io \"\" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list",
        ));
    }
    stalled(server, &read).await?;
    let form = read.form.including(read.parameter("includeObject"));
    let limit = read.number("limit")?.unwrap_or(0) as usize;
    let token = match read.parameter("continue") {
        "" => None,
        text => Some(Token::decode(text).ok_or_else(|| Refusal::bad_request("continue key is not valid"))?),
    };
    validate_version(&read, token.is_some())?;
    if token.is_none() {
        fresh_enough(server, &read).await?;
    }
    let (objects, version) = match (&token, server.faults.stale(read.resource)) {
        (Some(token), _) if token.version > 0 => {
            let compacted = server.store.cursor(read.resource, token.version).is_err();
            let known = server.pages.find(read.resource.plural, token.version).filter(|_| !compacted);
            (known.ok_or_else(|| expired(token))?, token.version)
        }
        (_, Some((objects, version))) => (objects.into(), version),
        (_, None) => {
            let (objects, version) = server.store.list_at(read.resource, None);
            (objects.into(), version)
        }
    };
    let page = take_page(&read, &objects, token.as_ref(), limit);
    let next = page.more.then(|| {
        page.objects.last().map(|last| {
            let after = (last.namespace.clone(), last.name.clone());
            Token { version, after }.encode()
        })
    });
    let next = next.flatten();
    if next.is_some() && token.as_ref().is_none_or(|token| token.version != version) {
        server.pages.keep(read.resource.plural, version, Arc::clone(&objects));
    }
    let remaining = (read.selection.takes_all() && page.more).then_some(page.remaining);
    let body = encode(server, &read, form, &page.objects, version, next, remaining);
    let body = match server.faults.slow(read.resource) {
        Some((bytes, pause)) => watching::trickle(body, bytes, pause, server.stopped.clone()),
        None => Body::from(body),
    };
    Ok(json_response(StatusCode::OK, body))
}

/// Accepted and never answered, until the fault is taken back.
async fn stalled(server: &ApiServer, read: &Read) -> Result<(), Refusal> {
    let mut changes = server.store.changes();
    while server.faults.has(read.resource, &Fault::StallLists) {
        tokio::select! {
            () = server.stopped.cancelled() => return Err(Refusal::stopped()),
            changed = changes.changed() => changed.map_err(|_| Refusal::stopped())?,
        }
    }
    Ok(())
}

/// apimachinery `internalversion/validation/validation.go`.
fn validate_version(read: &Read, continued: bool) -> Result<(), Refusal> {
    let invalid = |message: &str| {
        let message =
            format!("ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: {message}");
        Err(Refusal::new(422, "Invalid", message))
    };
    let version = read.parameter("resourceVersion");
    match read.parameter("resourceVersionMatch") {
        "" => {}
        _ if continued => {
            return invalid("resourceVersionMatch is forbidden when continue is provided");
        }
        _ if version.is_empty() => {
            return invalid("resourceVersionMatch is forbidden unless resourceVersion is provided");
        }
        "Exact" if version == "0" => {
            return invalid("resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
        }
        _ => {}
    }
    if continued && !matches!(version, "" | "0") {
        return Err(Refusal::bad_request("specifying resource version is not allowed when using continue"));
    }
    Ok(())
}

async fn fresh_enough(server: &ApiServer, read: &Read) -> Result<(), Refusal> {
    let Some(asked) = read.number("resourceVersion")? else {
        return Ok(());
    };
    let mut changes = server.store.changes();
    let caught_up = async { while server.store.version() < asked && changes.changed().await.is_ok() {} };
    match tokio::time::timeout(FRESH_WITHIN, caught_up).await {
        Ok(()) => Ok(()),
        Err(_) => Err(Refusal::too_large(asked, server.store.version())),
    }
}

/// The token's version is gone; another token for an inconsistent remainder is offered
/// (apiserver `storage/etcd3/errors.go` `handleExpiredToken`).
fn expired(token: &Token) -> Refusal {
    let mut refusal = Refusal::new(
        410,
        "Expired",
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    );
    refusal.resume = Some(Token { version: 0, after: token.after.clone() }.encode());
    refusal
}

struct Page {
    objects: Vec<Arc<Object>>,
    more: bool,
    remaining: usize,
}

fn take_page(read: &Read, objects: &[Arc<Object>], token: Option<&Token>, limit: usize) -> Page {
    let start = token.map_or(0, |token| {
        let (namespace, name) = &token.after;
        objects.partition_point(|object| (&object.namespace, &object.name) <= (namespace, name))
    });
    let mut left = objects[start..].iter().filter(|object| read.selection.matches(object));
    let page: Vec<_> = match limit {
        0 => left.by_ref().cloned().collect(),
        _ => left.by_ref().take(limit).cloned().collect(),
    };
    let remaining = left.count();
    Page { objects: page, more: remaining > 0, remaining }
}

fn encode(
    server: &ApiServer,
    read: &Read,
    form: Form,
    objects: &[Arc<Object>],
    version: u64,
    next: Option<String>,
    remaining: Option<usize>,
) -> Bytes {
    let mut metadata = json!({"resourceVersion": version.to_string()});
    if let Some(next) = next {
        metadata["continue"] = json!(next);
    }
    if let Some(remaining) = remaining {
        metadata["remainingItemCount"] = json!(remaining);
    }
    if let Form::Table { include } = form {
        let rows = objects
            .iter()
            .map(|object| table::row(read.resource, &object.tree(), include, server.clock.now_ms()));
        let mut whole = table::whole(read.resource, rows.collect(), "", true);
        whole["metadata"] = metadata;
        return whole.to_string().into();
    }
    let (kind, api_version) = match form {
        Form::Metadata => ("PartialObjectMetadata".to_owned(), "meta.k8s.io/v1".to_owned()),
        _ => (read.resource.kind.to_owned(), read.resource.api_version()),
    };
    let mut body = BytesMut::with_capacity(256 + objects.iter().map(|o| o.json.len() + 1).sum::<usize>());
    let head = format!(
        "{{\"kind\":\"{kind}List\",\"apiVersion\":\"{api_version}\",\"metadata\":{metadata},\"items\":["
    );
    body.extend_from_slice(head.as_bytes());
    for (index, object) in objects.iter().enumerate() {
        if index > 0 {
            body.extend_from_slice(b",");
        }
        match server.faults.malformed(read.resource, object) {
            Some(malformed) => body.extend_from_slice(malformed.to_string().as_bytes()),
            None => body.extend_from_slice(&form.object(object)),
        }
    }
    body.extend_from_slice(b"]}\n");
    body.freeze()
}
