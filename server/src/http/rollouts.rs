//! `/api/v1/rollouts/{namespace}/{kind}/{name}`: a rollout's picture, what differs between two of its revisions, its
//! end for those who wait for it, and what `kubectl rollout status` and `kubectl rollout history` say, as JSON or,
//! with `output=text`, in kubectl's own lines.

mod picture;
mod wait;

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use app::{
    api::{
        ControllerRevision, DaemonSet, Deployment, InCluster, Kind, ReplicaSet, RolloutStatus, Row,
        StatefulSet, Text, rollout::Verdict,
    },
    model::WithRow,
    query::{self, Held},
};
use axum::{
    Json, Router,
    extract::{Path, RawQuery},
    response::{IntoResponse, Response},
    routing::get,
};
use http::StatusCode;
use serde_json::json;

use super::{
    access::deadline,
    api::{draining, form_urlencoded, plain, refusal, stamped},
    text::{columns::Columns, template},
};
use crate::hub::{Hub, View, readable};

/// The routes.
pub fn router() -> Router {
    const OBJECT: &str = "/api/v1/rollouts/{namespace}/{kind}/{name}";
    Router::new()
        .route(OBJECT, get(picture::picture))
        .route(&format!("{OBJECT}/difference"), get(picture::difference))
        .route(&format!("{OBJECT}/status"), get(status))
        .route(&format!("{OBJECT}/history"), get(history))
        .route(&format!("{OBJECT}/history/{{revision}}"), get(revision))
        .layer(axum::middleware::from_fn(deadline))
        .route(&format!("{OBJECT}/wait"), get(wait::wait)) // which takes as long as is asked
}

/// What kubectl says where no ReplicaSet has a revision yet.
const NO_HISTORY: &str = "No rollout history found.";

/// Which object is asked about.
#[derive(Clone, Debug)]
struct Target {
    kind: Kind,
    namespace: String,
    name: String,
}

impl Target {
    /// Where it is, which is where its kinds have to be known.
    fn within(&self) -> [Text; 1] {
        [Text::from(self.namespace.as_str())]
    }
}

/// Why there is no answer, in kubectl's words where it has some.
#[derive(Debug, thiserror::Error)]
enum RolloutError {
    #[error("'{0}' does not roll out")]
    Kind(String),
    #[error("unknown parameter '{0}'")]
    Parameter(String),
    #[error("timeout must be 0 to {longest} seconds: {given}", longest = wait::LONGEST.as_secs())]
    Timeout { given: String },
    #[error("unknown output '{0}'")]
    Output(String),
    #[error("revision must be a positive integer: {0}")]
    Revision(String),
    #[error("{} \"{}\" not found", .0.kind.resource(), .0.name)]
    NotFound(Target),
    #[error("replicasets.apps \"{set}\" is rolled out by deployment \"{deployment}\"")]
    Owned { set: String, deployment: Arc<str> },
    #[error("unable to find the specified revision")]
    NoRevision,
    #[error("desired revision ({wanted}) is different from the running revision ({running})")]
    OtherRevision { wanted: i64, running: i64 },
    #[error("one revision alone does not differ")]
    OneEnd,
}

impl RolloutError {
    fn code(&self) -> StatusCode {
        match self {
            RolloutError::NotFound(_)
            | RolloutError::Owned { .. }
            | RolloutError::NoRevision
            | RolloutError::Kind(_) => StatusCode::NOT_FOUND,
            RolloutError::OtherRevision { .. } => StatusCode::CONFLICT,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            RolloutError::Kind(_) => {
                "one of deployment, daemonset, statefulset; for a picture also replicationcontroller, replicaset"
            }
            RolloutError::Parameter(_) => {
                "output; of a status also revision, of a difference from and to, of a wait only timeout and revision"
            }
            RolloutError::OneEnd => "both from and to, or neither",
            RolloutError::Timeout { .. } => "such as timeout=90 or timeout=90s",
            RolloutError::Output(_) => "one of json, text",
            RolloutError::Revision(_) => "a revision that …/history names",
            RolloutError::NotFound(_) => "the name of one that …/api/v1/{kind} lists",
            RolloutError::Owned { .. } => "the picture of that deployment",
            RolloutError::NoRevision | RolloutError::OtherRevision { .. } => {
                "a revision that …/history names"
            }
        }
    }

    fn answer(&self, output: Output) -> Response {
        let text = match (output, self) {
            (Output::Json, _) => {
                let body = json!({"error": self.to_string(), "expected": self.hint()});
                return (self.code(), Json(body)).into_response();
            }
            (Output::Text, RolloutError::NotFound(_)) => format!("Error from server (NotFound): {self}\n"),
            (Output::Text, _) => format!("error: {self}\n"),
        };
        (self.code(), plain(text)).into_response()
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Output {
    #[default]
    Json,
    Text,
}

/// What a query asks for.
#[derive(Clone, Copy, Debug, Default)]
struct Query {
    output: Output,
    revision: Option<i64>,
}

/// Of a status a revision may be asked; a history names it in its path.
fn read(query: Option<String>, revision: bool) -> Result<Query, RolloutError> {
    let mut asked = Query::default();
    for (name, value) in form_urlencoded(&query.unwrap_or_default()) {
        match (name.as_str(), value.as_str()) {
            ("output", "json") => asked.output = Output::Json,
            ("output", "text") => asked.output = Output::Text,
            ("output", _) => return Err(RolloutError::Output(value)),
            ("revision", _) if revision => asked.revision = Some(number(value)?),
            _ => return Err(RolloutError::Parameter(name)),
        }
    }
    Ok(asked)
}

fn number(text: String) -> Result<i64, RolloutError> {
    text.parse().ok().filter(|number| *number >= 0).ok_or(RolloutError::Revision(text))
}

/// The object of a path, if it is of a kind that is taken there.
fn target(
    (namespace, kind, name): (String, String, String),
    takes: fn(Kind) -> bool,
) -> Result<Target, RolloutError> {
    match Kind::parse(&kind).filter(|kind| takes(*kind)) {
        Some(kind) => Ok(Target { kind, namespace, name }),
        None => Err(RolloutError::Kind(kind)),
    }
}

/// Answers from the rows of `target`'s kind and of the `others` that belong to it, if they are known.
async fn answer(
    hub: Hub,
    target: Result<Target, RolloutError>,
    query: Result<Query, RolloutError>,
    others: fn(Kind) -> &'static [Kind],
    find: impl FnOnce(&View, &Target, Query) -> Result<Response, RolloutError>,
) -> Response {
    let query = match query {
        Ok(query) => query,
        Err(error) => return error.answer(Output::Json),
    };
    let target = match target {
        Ok(target) => target,
        Err(error) => return error.answer(query.output),
    };
    let Ok(view) = hub.view().await else { return draining() };
    let made_of = [&[target.kind], others(target.kind)].concat();
    if let Some(refusal) = refusal(&view, &made_of, &target.within()) {
        return refusal;
    }
    let response = find(&view, &target, query).unwrap_or_else(|error| error.answer(query.output));
    stamped(response, &view, &made_of)
}

type Object = Path<(String, String, String)>;

/// The verdict as scripts read it, and how the object is known that it is about.
fn told(view: &View, target: &Target, status: &RolloutStatus) -> serde_json::Value {
    json!({
        "kind": target.kind.plural(),
        "namespace": target.namespace,
        "name": target.name,
        "message": status.sentence,
        "ended": status.verdict.ended(),
        "succeeded": status.verdict == Verdict::Succeeded,
        "state": view.state(target.kind),
        "asOf": view.as_of(target.kind).map(|at| at.to_string()),
    })
}

async fn status(hub: Hub, Path(object): Object, RawQuery(query): RawQuery) -> Response {
    answer(
        hub,
        target(object, Kind::rolls_out),
        read(query, true),
        |_| &[],
        |view, target, query| {
            let status = status_of(view, target, query.revision)?;
            Ok(match query.output {
                Output::Json => Json(told(view, target, &status)).into_response(),
                Output::Text if status.verdict.is_error() => plain(format!("error: {}\n", status.sentence)),
                Output::Text => plain(format!("{}\n", status.sentence)),
            })
        },
    )
    .await
}

fn status_of(view: &View, target: &Target, revision: Option<i64>) -> Result<RolloutStatus, RolloutError> {
    let status = target.kind.with_row(Status { view, target });
    let status = status.ok_or_else(|| RolloutError::NotFound(target.clone()))?;
    // kubectl asks only Deployments (`DaemonSetStatusViewer`: "ignoring revision")
    let wanted = revision.filter(|wanted| *wanted > 0 && target.kind == Kind::Deployment);
    let running = Deployment::rows(&view.cluster).named(&target.namespace, &target.name);
    match (wanted, running.and_then(|row| row.revision)) {
        (Some(wanted), Some(running)) if wanted != running => {
            Err(RolloutError::OtherRevision { wanted, running })
        }
        _ => Ok(status),
    }
}

struct Status<'a> {
    view: &'a View,
    target: &'a Target,
}

impl WithRow for Status<'_> {
    type Out = Option<RolloutStatus>;

    fn with<T: Row>(self) -> Option<RolloutStatus> {
        T::rows(&self.view.cluster).named(&self.target.namespace, &self.target.name)?.rollout()
    }
}

async fn history(hub: Hub, Path(object): Object, RawQuery(query): RawQuery) -> Response {
    answer(hub, target(object, Kind::rolls_out), read(query, false), holders, |view, target, query| {
        let revisions = revisions(view, target)?;
        if query.output == Output::Json {
            let list: Vec<_> = revisions
                .iter()
                .map(|(revision, held)| {
                    json!({
                        "revision": revision,
                        "changeCause": held.change_cause,
                        "heldBy": held.by,
                        "created": held.created,
                        "images": held.images,
                        "replicas": held.replicas,
                    })
                })
                .collect();
            return Ok(Json(json!({"name": target.name, "revisions": list})).into_response());
        }
        Ok(plain(named(target, "", &listed(&revisions))))
    })
    .await
}

async fn revision(
    hub: Hub,
    Path((namespace, kind, name, revision)): Path<(String, String, String, String)>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = read(query, false).and_then(|query| match number(revision)? {
        0 => Err(RolloutError::Revision("0".to_owned())),
        revision => Ok(Query { revision: Some(revision), ..query }),
    });
    answer(hub, target((namespace, kind, name), Kind::rolls_out), query, holders, |view, target, query| {
        let number = query.revision.unwrap_or_default();
        let revisions = revisions(view, target)?;
        let about = format!("with revision #{number}");
        if revisions.is_empty() && query.output == Output::Text {
            return Ok(plain(named(target, &about, NO_HISTORY)));
        }
        let Some(held) = revisions.get(&number) else { return Err(RolloutError::NoRevision) };
        Ok(match query.output {
            Output::Json => Json(json!({
                "revision": number,
                "heldBy": held.by,
                "created": held.created,
                "changeCause": held.change_cause,
                "template": readable(&*held.detail),
            }))
            .into_response(),
            Output::Text => plain(named(
                target,
                &about,
                // kubectl puts the cause into a Deployment's template only (`DeploymentHistoryViewer`)
                &template::describe(
                    &held.detail,
                    if target.kind == Kind::Deployment { &held.change_cause } else { "" },
                ),
            )),
        })
    })
    .await
}

/// What holds the templates of a kind.
fn holders(kind: Kind) -> &'static [Kind] {
    if kind == Kind::Deployment { &[Kind::ReplicaSet] } else { &[Kind::ControllerRevision] }
}

fn revisions(view: &View, target: &Target) -> Result<BTreeMap<i64, Held>, RolloutError> {
    let (cluster, namespace, name) = (&view.cluster, &target.namespace, &target.name);
    let kept = || ControllerRevision::rows(cluster).iter();
    let held = match target.kind {
        Kind::Deployment => Deployment::rows(cluster)
            .named(namespace, name)
            .map(|row| query::revisions(row, ReplicaSet::rows(cluster).iter())),
        Kind::DaemonSet => DaemonSet::rows(cluster)
            .named(namespace, name)
            .map(|row| query::controller_revisions(&row.meta, &row.selector, kept())),
        _ => StatefulSet::rows(cluster)
            .named(namespace, name)
            .map(|row| query::controller_revisions(&row.meta, &row.selector, kept())),
    };
    held.ok_or_else(|| RolloutError::NotFound(target.clone()))
}

/// What kubectl's name printer puts around it (cli-runtime `pkg/printers/name.go`).
fn named(target: &Target, about: &str, text: &str) -> String {
    format!("{}/{} {about}\n{text}\n", target.kind.qualified(), target.name)
}

/// The table of `kubectl rollout history`.
fn listed(revisions: &BTreeMap<i64, Held>) -> String {
    if revisions.is_empty() {
        return NO_HISTORY.to_owned();
    }
    let mut text = String::from("REVISION\tCHANGE-CAUSE");
    for (revision, held) in revisions {
        let cause = &held.change_cause;
        let _ = write!(text, "\n{revision}\t{}", if cause.is_empty() { "<none>" } else { cause });
    }
    let mut columns = Columns::of_history();
    text.split('\n').for_each(|line| columns.write(line));
    columns.finish()
}
