//! `/api/v1/services/NAMESPACE/NAME/endpoints`: who is behind a Service, as its page says it.

use app::{
    api::{EndpointSlice, InCluster, Kind, Pod, Row, Service, Text},
    query::endpoints::{self, Member},
};
use axum::{
    Json, Router,
    extract::Path,
    response::{IntoResponse, Response},
    routing::get,
};
use http::StatusCode;
use serde_json::{Value, json};

use super::api::{draining, refusal, stamped};
use crate::hub::Hub;

/// The route.
pub fn router() -> Router {
    Router::new().route("/api/v1/services/{namespace}/{name}/endpoints", get(answer))
}

/// What it is answered from. All have to be known: a pod that is not listed yet would not be missed.
const KINDS: [Kind; 3] = [Kind::Service, Kind::EndpointSlice, Kind::Pod];

async fn answer(hub: Hub, Path((namespace, name)): Path<(String, String)>) -> Response {
    let Ok(view) = hub.view().await else { return draining() };
    let within = [Text::from(namespace.as_str())];
    if let Some(refusal) = refusal(&view, &KINDS, &within) {
        return refusal;
    }
    let cluster = &view.cluster;
    let Some(service) = Service::rows(cluster).named(&namespace, &name) else {
        let body = json!({
            "error": format!("services \"{name}\" not found"),
            "expected": "the name of one that …/api/v1/services lists",
        });
        return stamped((StatusCode::NOT_FOUND, Json(body)).into_response(), &view, &KINDS);
    };
    fn all<T: Row>(cluster: &app::model::Cluster) -> Vec<std::sync::Arc<T>> {
        T::rows(cluster).iter().cloned().collect()
    }
    let members = endpoints::members(service, &all::<EndpointSlice>(cluster), &all::<Pod>(cluster));
    let tally = endpoints::tally(&members);
    let body = json!({
        "namespace": namespace,
        "name": name,
        "addresses": tally,
        "sentence": tally.sentence(),
        "members": members.iter().map(member).collect::<Vec<_>>(),
    });
    stamped(Json(body).into_response(), &view, &KINDS)
}

/// Conditions as written: null where nothing is.
fn member(member: &Member) -> Value {
    let endpoint = member.endpoint.as_ref();
    let pod = member.pod.as_ref();
    json!({
        "name": member.name(),
        "standing": member.standing,
        "why": member.why(),
        "pod": pod.map(|pod| &pod.meta.name),
        "node": endpoint.map(|endpoint| &endpoint.node).or(pod.map(|pod| &pod.node)),
        "slice": endpoint.map(|_| &member.slice),
        "addresses": endpoint.map_or(&[][..], |endpoint| &endpoint.addresses),
        "ready": endpoint.and_then(|endpoint| endpoint.ready),
        "serving": endpoint.and_then(|endpoint| endpoint.serving),
        "terminating": endpoint.and_then(|endpoint| endpoint.terminating),
    })
}
