//! `/api/v1/placement/{namespace}/{kind}/{name}`: which nodes a pod, or one more pod of a workload, fits on, why not on
//! the others, and what the scheduler said of it; `/api/v1/placement?nodeSelector=…&cpu=…&memory=…&tolerate=…` the same
//! of what is asked for there.

use std::sync::Arc;

use app::{
    api::{Detail, Event, InCluster, Kind, Node, ObjectKey, Pod, Text},
    placement::{
        Case, Seen,
        asked::{Asked, AskedError},
        case::Told,
    },
};
use axum::{
    Json, Router,
    extract::{Path, RawQuery},
    response::{IntoResponse, Response},
    routing::get,
};
use http::StatusCode;
use serde_json::{Value, json};

use super::api::{draining, form_urlencoded, refusal, seen, stamped};
use crate::{
    audience::Visitor,
    hub::{Hub, View, detail_of},
};

/// The routes.
pub fn router() -> Router {
    Router::new()
        .route("/api/v1/placement", get(typed))
        .route("/api/v1/placement/{namespace}/{kind}/{name}", get(object))
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum PlacementError {
    #[error("'{0}' is neither a pod nor does it make any")]
    Kind(String),
    #[error("unknown parameter '{0}'")]
    Parameter(String),
    #[error("{0}")]
    Asked(#[from] AskedError),
    #[error("nothing is asked for")]
    Nothing,
    #[error("{} \"{}\" not found", .0.kind.resource(), .0.name)]
    NotFound(ObjectKey),
}

impl IntoResponse for PlacementError {
    fn into_response(self) -> Response {
        let (code, expected) = match &self {
            PlacementError::Kind(_) => (
                StatusCode::NOT_FOUND,
                "one of pod, deployment, daemonset, statefulset, replicaset, replicationcontroller",
            ),
            PlacementError::Parameter(_) | PlacementError::Nothing => {
                (StatusCode::BAD_REQUEST, "nodeSelector, cpu, memory, tolerate; of an object none of them")
            }
            PlacementError::Asked(error) => (
                StatusCode::BAD_REQUEST,
                match error.part {
                    "nodeSelector" => "as in kubectl get nodes -l: project=listingqc,zone in (a,b)",
                    "tolerate" => {
                        "key=value:NoSchedule, key:NoExecute, key, :NoSchedule or *, separated by commas"
                    }
                    _ => "a quantity: 500m, 2, 512Mi, 2Gi",
                },
            ),
            PlacementError::NotFound(_) => {
                (StatusCode::NOT_FOUND, "the name of one that …/api/v1/{kind} lists")
            }
        };
        (code, Json(json!({"error": self.to_string(), "expected": expected}))).into_response()
    }
}

async fn object(
    hub: Hub,
    visitor: Visitor,
    Path((namespace, kind, name)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
) -> Response {
    if let Some((name, _)) = form_urlencoded(&query.unwrap_or_default()).next() {
        return PlacementError::Parameter(name).into_response();
    }
    let Some(kind) = Kind::parse(&kind).filter(|kind| *kind == Kind::Pod || kind.makes_pods()) else {
        return PlacementError::Kind(kind).into_response();
    };
    let key = ObjectKey { kind, namespace, name };
    // What the scheduler said of a pod is in events.
    let beside: &[Kind] = if kind == Kind::Pod { &[Kind::Event] } else { &[] };
    answer(hub, visitor, &[kind, Kind::Node, Kind::Pod], beside, Some(&key.namespace), |view, seen| {
        let cluster = &view.cluster;
        let found = detail_of(cluster, &key).ok_or_else(|| PlacementError::NotFound(key.clone()))?;
        let case = match Pod::rows(cluster).named(&key.namespace, &key.name).filter(|_| kind == Kind::Pod) {
            Some(pod) => of_pod(pod, &found, view, seen),
            None => cluster
                .uid_of(&key)
                .map_or_else(Case::default, |uid| Case::of_template(kind, uid, &found.needs, seen)),
        };
        let mut answer = told(&case);
        for (field, value) in [("kind", kind.plural()), ("namespace", &key.namespace), ("name", &key.name)] {
            answer[field] = json!(value);
        }
        Ok(answer)
    })
    .await
}

fn of_pod(pod: &Pod, detail: &Detail, view: &View, seen: Seen) -> Case {
    let about = |event: &&Arc<Event>| event.object_uid == pod.meta.uid;
    Case::of_pod(pod, detail, Event::rows(&view.cluster).iter().filter(about), seen)
}

async fn typed(hub: Hub, visitor: Visitor, RawQuery(query): RawQuery) -> Response {
    let needs = read(&query.unwrap_or_default());
    match needs {
        Ok(needs) => {
            answer(hub, visitor, &[Kind::Node, Kind::Pod], &[], None, |_, seen| {
                Ok(told(&Case::of_needs(&needs, seen)))
            })
            .await
        }
        Err(error) => error.into_response(),
    }
}

fn read(query: &str) -> Result<app::api::Needs, PlacementError> {
    let mut asked = Asked::default();
    for (name, value) in form_urlencoded(query) {
        if name == "for" || !asked.set(&name, value) {
            return Err(PlacementError::Parameter(name));
        }
    }
    if asked.is_empty() {
        return Err(PlacementError::Nothing);
    }
    Ok(asked.needs()?)
}

/// Answers, if all that it is made of is known; it is as fresh as the least fresh of it, and of what is `beside` where
/// that may be seen.
async fn answer(
    hub: Hub,
    visitor: Visitor,
    kinds: &[Kind],
    beside: &[Kind],
    namespace: Option<&str>,
    find: impl FnOnce(&View, Seen) -> Result<Value, PlacementError>,
) -> Response {
    let Ok(view) = hub.view().await else { return draining() };
    let within: Vec<Text> = namespace.into_iter().map(Text::from).collect();
    if let Some(refusal) = refusal(&view, kinds, &within) {
        return refusal;
    }
    let nodes: Vec<Arc<Node>> = Node::rows(&view.cluster).iter().cloned().collect();
    let pods: Vec<Arc<Pod>> = Pod::rows(&view.cluster).iter().cloned().collect();
    let shows_all = visitor.grant.is_none_or(|grant| grant.is_plain());
    let every_pod = shows_all && view.about.within(Kind::Pod).is_empty();
    let response = match find(&view, Seen { nodes: &nodes, pods: &pods, every_pod }) {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => error.into_response(),
    };
    stamped(response, &view, &[kinds, &seen(&view, beside)].concat())
}

fn told(case: &Case) -> Value {
    let placement = &case.placement;
    let counted = |reasons: &mut dyn Iterator<Item = (u64, String)>| -> Vec<Value> {
        reasons.map(|(count, reason)| json!({"count": count, "reason": reason})).collect()
    };
    let verdicts = placement.nodes.iter().map(|verdict| {
        let spoken = verdict.spoken().count();
        let reasons = verdict.reasons.iter().enumerate().map(|(at, reason)| {
            json!({
                "plugin": reason.plugin().name(),
                "reason": reason.words(),
                "why": reason.why(),
                "spoken": at < spoken,
            })
        });
        json!({
            "node": verdict.node.meta.name,
            "fits": verdict.fits(),
            "reasons": reasons.collect::<Vec<_>>(),
        })
    });
    let missing = case.missing.iter().map(|missing| {
        let other = missing.other.iter().map(|(value, nodes)| json!({"value": value, "nodes": nodes}));
        json!({
            "requirement": missing.requirement,
            "with": missing.with,
            "other": other.collect::<Vec<_>>(),
            "without": missing.without,
            "sentence": missing.words(),
        })
    });
    json!({
        "nodes": placement.nodes.len(),
        "fits": placement.fits(),
        "message": placement.message(),
        "reasons": counted(&mut placement.counted().into_iter().map(|(reason, count)| (count, reason))),
        "standing": case.told.as_ref().map(|told| told.standing.word()),
        "scheduler": case.told.as_ref().and_then(scheduler),
        "namesItsNode": case.direct,
        "missing": missing.collect::<Vec<_>>(),
        "notChecked": case.unchecked.iter().map(app::placement::Unchecked::words).collect::<Vec<_>>(),
        "verdicts": verdicts.collect::<Vec<_>>(),
    })
}

fn scheduler(told: &Told) -> Option<Value> {
    let heard = told.heard.as_ref()?;
    let said = &heard.said;
    let reasons: Vec<Value> =
        said.reasons.iter().map(|(count, reason)| json!({"count": count, "reason": reason})).collect();
    let comparison = told.comparison.as_ref().map(|comparison| {
        let differences = comparison.differences.iter().map(|difference| {
            json!({"reason": difference.reason, "said": difference.said, "found": difference.found})
        });
        let beyond =
            comparison.beyond.iter().map(|(count, reason)| json!({"count": count, "reason": reason}));
        json!({
            "agrees": comparison.agrees(),
            "differences": differences.collect::<Vec<_>>(),
            "notChecked": beyond.collect::<Vec<_>>(),
            "fitsUnexplained": comparison.fits_unexplained,
        })
    });
    Some(json!({
        "message": said.message,
        "at": heard.at,
        "nodes": said.nodes,
        "reasons": reasons,
        "refused": said.refused,
        "then": said.then,
        "comparison": comparison,
        "nodeChangedSince": told.newer.as_ref().map(|(node, at)| json!({"node": node, "at": at})),
    }))
}
