//! What scripts and machines that ask are told. It has to be what the hub says of a kind, which is held against what
//! there was.

use app::api::{Kind, KindState, Millis};
use axum::{Router, body::Body};
use http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use server::hub::{Hub, View};
use tower::ServiceExt;

use super::truth::{self, Rows};

/// What is answered about a kind by the site that tells of this hub. A kind may stand otherwise and as before again while
/// it is asked, which it does not do each time.
pub async fn are_so(site: &Router, hub: &Hub, kind: Kind) -> Result<(), String> {
    for _ in 0..2 {
        if once(site, hub, kind).await.is_ok() {
            return Ok(());
        }
    }
    once(site, hub, kind).await
}

async fn once(site: &Router, hub: &Hub, kind: Kind) -> Result<(), String> {
    let Ok(before) = hub.view().await else { return Ok(()) }; // it is about to end
    let list = Answer::to(site, &format!("/api/v1/{}", kind.plural())).await;
    let metrics = Answer::to(site, "/metrics").await;
    let ready = Answer::to(site, "/readyz").await;
    let Ok(view) = hub.view().await else { return Ok(()) };
    if said(&before, kind) != said(&view, kind) {
        return Ok(()); // each may be of either, or of what was between them
    }
    is_list(&list, &view, kind).map_err(|wrong| format!("a list of {kind}: {wrong}"))?;
    are_metrics(&metrics, &view, kind).map_err(|wrong| format!("metrics of {kind}: {wrong}"))?;
    is_ready(&ready, &view, kind).map_err(|wrong| format!("/readyz, of {kind}: {wrong}"))
}

fn said(view: &View, kind: Kind) -> (KindState, Option<Millis>, u64) {
    (view.state(kind), view.as_of(kind), view.cluster.hash_of([kind].into_iter().collect()))
}

fn is_list(list: &Answer, view: &View, kind: Kind) -> Result<(), String> {
    let (state, as_of) = (view.state(kind), view.as_of(kind).map(|at| at.to_string()));
    same("its state", list.header("masthead-state"), Some(state.word()))?;
    same("as of when", list.header("masthead-as-of"), as_of.as_deref())?;
    let status = match state {
        KindState::Live | KindState::Stale { .. } => StatusCode::OK,
        KindState::Forbidden { .. } => StatusCode::FORBIDDEN,
        KindState::Connecting | KindState::Listing { .. } | KindState::Failing { .. } => {
            return same("its status", list.status, StatusCode::SERVICE_UNAVAILABLE);
        }
    };
    same("its status", list.status, status)?;
    if status == StatusCode::FORBIDDEN {
        return Ok(());
    }
    let body: Value = serde_json::from_str(&list.body).map_err(|error| error.to_string())?;
    same("its state within", &body["state"], &serde_json::to_value(state).unwrap_or_default())?;
    same("as of when within", body["asOf"].as_str(), as_of.as_deref())?;
    let items: Rows = body["items"].as_array().into_iter().flatten().map(truth::printed).collect();
    let held = truth::held(&view.cluster, kind);
    same("its items", &items, &truth::as_printed(&held))
}

fn are_metrics(metrics: &Answer, view: &View, kind: Kind) -> Result<(), String> {
    let of_kind = format!("{{kind=\"{}\"", kind.plural());
    let of = |name: &str| -> Vec<&str> {
        let lines = metrics.body.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(&of_kind));
        lines.collect()
    };
    let state = format!(",state=\"{}\"}} 1", view.state(kind).word());
    same("its state", of("masthead_kind_state"), vec![state.as_str()])?;
    let as_of = of("masthead_kind_as_of_seconds");
    let seconds: Vec<f64> = as_of.iter().filter_map(|line| line.strip_prefix("} ")?.parse().ok()).collect();
    same("as of when", seconds, view.as_of(kind).map(|at| at.0 as f64 / 1000.0).into_iter().collect())
}

fn is_ready(ready: &Answer, view: &View, kind: Kind) -> Result<(), String> {
    if ready.status != StatusCode::OK {
        return Ok(()); // of no kind then it says that it is current
    }
    let as_of = view.as_of(kind).map_or("never confirmed".to_owned(), |at| format!("as of {at}"));
    let line = format!("{} not current, {as_of}", kind.plural());
    let is_stale = matches!(view.state(kind), KindState::Stale { .. });
    same("that it is not current", ready.body.lines().any(|said| said == line), is_stale)
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, said: T, is: T) -> Result<(), String> {
    if said == is { Ok(()) } else { Err(format!("{what} is said to be {said:?}, and is {is:?}")) }
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    async fn to(site: &Router, path: &str) -> Answer {
        let request = Request::get(path).header("host", "masthead.test").body(Body::empty());
        let answer = site.clone().oneshot(request.expect("a request")).await;
        let (head, body) = answer.unwrap_or_else(|never| match never {}).into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
        let body = String::from_utf8(body.to_vec()).expect("text");
        Answer { status: head.status, headers: head.headers, body }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
