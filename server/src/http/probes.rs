//! For the machines that look after this server: liveness, readiness, metrics.

use std::{fmt::Write, sync::Arc};

use app::api::{Kind, KindState};
use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, header};
use serde_json::json;

use crate::{audience::Visitor, hub::Hub, metrics::Metrics, source};

/// The routes that anybody may ask.
pub fn router(hub: Hub) -> Router {
    Router::new().route("/livez", get(livez)).route("/readyz", get(readyz)).with_state(hub)
}

/// Counts say something of the whole cluster: for those who may look at that.
pub fn metrics_router(hub: Hub, metrics: Arc<Metrics>) -> Router {
    Router::new().route("/metrics", get(scrape)).with_state((hub, metrics))
}

/// Alive is: the hub answers.
async fn livez(State(hub): State<Hub>) -> Response {
    match hub.view().await {
        Ok(_) => "ok\n".into_response(),
        Err(ended) => (StatusCode::SERVICE_UNAVAILABLE, format!("{ended}\n")).into_response(),
    }
}

/// Ready is: every kind that may be listed has been. A kind that goes stale later does not make the server unready: it
/// still shows more, and says so more honestly, than no server. It is named, though, a line a kind: `ok` alone is said
/// only while everything is current.
async fn readyz(State(hub): State<Hub>) -> Response {
    let Ok(view) = hub.view().await else {
        return (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n").into_response();
    };
    match source::ready(|kind| view.cluster.state(kind).clone()) {
        Ok(()) => {
            let mut text = String::from("ok\n");
            for kind in Kind::ALL.iter().filter(|kind| kind.watched() == **kind) {
                // Not why: anybody may ask, and the reason may name what only some may know.
                if matches!(view.state(*kind), KindState::Stale { .. }) {
                    let as_of = view.as_of(*kind).map(|at| format!("as of {at}"));
                    let as_of = as_of.as_deref().unwrap_or("never confirmed");
                    let _ = writeln!(text, "{} not current, {as_of}", kind.plural());
                }
            }
            text.into_response()
        }
        Err(waiting) => {
            let mut text = String::new();
            for (kind, state) in waiting {
                let _ = writeln!(text, "{} not listed yet: {}", kind.plural(), state.word());
            }
            (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
        }
    }
}

async fn scrape(State((hub, metrics)): State<(Hub, Arc<Metrics>)>, visitor: Visitor) -> Response {
    if visitor.grant.is_some() {
        let body = json!({
            "error": "metrics count the whole cluster, of which you may see a part",
            "expected": "somebody who may see all of it",
        });
        return (StatusCode::FORBIDDEN, Json(body)).into_response();
    }
    match hub.view().await {
        Ok(view) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], metrics.text(&view)).into_response()
        }
        Err(ended) => (StatusCode::SERVICE_UNAVAILABLE, format!("{ended}\n")).into_response(),
    }
}
