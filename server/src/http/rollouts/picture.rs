//! The picture as JSON: lanes, pods with their stations, counts through time, bounds, sentence, causes.

use app::api::{Kind, ObjectKey};
use axum::{
    Json,
    extract::{Path, RawQuery, State},
    response::{IntoResponse, Response},
};

use super::{Object, Output, RolloutError, Target, draining, read};
use crate::{
    http::api::{current, stamped},
    hub::{Hub, readable},
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
    for kind in [kind, Kind::ReplicaSet, Kind::Pod] {
        if let Err(refusal) = current(&view, kind, &within) {
            return stamped(*refusal, &view, kind);
        }
    }
    let response = match picture {
        Some(picture) => Json(readable(&*picture)).into_response(),
        None => RolloutError::NotFound(target).answer(Output::Json),
    };
    stamped(response, &view, kind)
}
