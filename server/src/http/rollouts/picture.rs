//! The picture as JSON: lanes, pods with their stations, counts through time, bounds, sentence, causes.

use app::api::{InCluster, Kind, KindState, ObjectKey, ReplicaSet};
use axum::{
    Json,
    extract::{Path, RawQuery, State},
    response::{IntoResponse, Response},
};

use super::{Object, Output, RolloutError, Target, draining, read};
use crate::{
    http::api::{current, stamped},
    hub::{Hub, View, readable},
};

pub async fn picture(
    State(hub): State<Hub>,
    Path((namespace, kind, name)): Object,
    RawQuery(query): RawQuery,
) -> Response {
    if let Err(error) = read(query, false).and_then(|query| match query.output {
        Output::Json => Ok(()),
        Output::Text => Err(RolloutError::Output("text".to_owned())),
    }) {
        return error.answer(Output::Json);
    }
    let Some(kind) = Kind::parse(&kind).filter(|kind| kind.makes_pods()) else {
        return RolloutError::Kind(kind).answer(Output::Json);
    };
    let target = Target { kind, namespace, name };
    let key = ObjectKey { kind, namespace: target.namespace.clone(), name: target.name.clone() };
    let (Ok(view), Ok(picture)) = (hub.view().await, hub.picture(key).await) else { return draining() };
    let within = [target.namespace.as_str().into()];
    let made_of = match kind {
        Kind::Deployment => &[Kind::Deployment, Kind::ReplicaSet, Kind::Pod][..],
        _ => &[kind, Kind::Pod],
    };
    for kind in made_of {
        if let Err(refusal) = current(&view, *kind, &within) {
            return stamped(*refusal, &view, *kind);
        }
    }
    // it is as fresh as the least fresh thing in it
    let oldest =
        made_of.iter().min_by_key(|kind| (view.state(**kind) == KindState::Live, view.as_of(**kind)));
    let response = match picture {
        Some(picture) => Json(readable(&*picture)).into_response(),
        None => absent(&view, target).answer(Output::Json),
    };
    stamped(response, &view, oldest.copied().unwrap_or(kind))
}

/// There is none of that name, or it is a part of another's picture.
fn absent(view: &View, target: Target) -> RolloutError {
    let set = ReplicaSet::rows(&view.cluster).named(&target.namespace, &target.name);
    match set.filter(|_| target.kind == Kind::ReplicaSet).and_then(|set| set.meta.owner.as_ref()) {
        Some(owner) => RolloutError::Owned { set: target.name, deployment: owner.name.as_str().into() },
        None => RolloutError::NotFound(target),
    }
}
