//! `…/wait?timeout=90s`: answers when the rollout has ended, for scripts that go on only then.

use std::time::Duration;

use app::{
    api::{KindState, Millis, ObjectKey, Text, rollout::Verdict},
    scope::Scope,
};
use axum::{
    Json,
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::json;

use super::{Object, Output, RolloutError, Target, draining, status_of, target, told};
use crate::{
    http::api::{current, form_urlencoded, stamped},
    hub::{self, Encoding, Hub, Seat},
};

/// The longest that may be waited in one request.
pub const LONGEST: Duration = Duration::from_secs(3600);
/// What is waited unless something else is asked.
const USUAL: Duration = Duration::from_secs(300);

/// A watch that is confirmed is not further behind than this.
const BEHIND_MS: i64 = 1_000;

/// 200 once it has succeeded; 409 with the reason once it has failed, or when the time is up.
pub async fn wait(State(hub): State<Hub>, object: Object, RawQuery(query): RawQuery) -> Response {
    let asked = target(object.0).and_then(|target| Ok((target, timeout(query)?)));
    let (target, timeout) = match asked {
        Ok(asked) => asked,
        Err(error) => return error.answer(Output::Json),
    };
    let scope = Scope { namespaces: vec![Text::from(target.namespace.as_str())], ..Scope::of(target.kind) };
    let Ok(seat) = hub.subscribe(scope, Encoding::Events).await else { return draining() };
    // What is asked after a change must not be answered from before it.
    let asked = hub::now();
    match tokio::time::timeout(timeout, ended(&hub, &seat, &target, asked)).await {
        Ok(response) => response,
        Err(_) => look(&hub, &target, asked).await.1,
    }
}

/// Looks whenever something of its kind has changed or was confirmed.
async fn ended(hub: &Hub, seat: &Seat, target: &Target, asked: Millis) -> Response {
    loop {
        if let (true, response) = look(hub, target, asked).await {
            return response;
        }
        if seat.next().await.is_err() {
            return draining();
        }
    }
}

/// The answer as it is now, and whether waiting longer would change nothing. It has ended only if that is known
/// of a time after `asked`.
async fn look(hub: &Hub, target: &Target, asked: Millis) -> (bool, Response) {
    let Ok(view) = hub.view().await else { return (true, draining()) };
    let within = [Text::from(target.namespace.as_str())];
    if let Err(refusal) = current(&view, target.kind, &within) {
        let forbidden = matches!(view.state(target.kind), KindState::Forbidden { .. });
        return (forbidden, stamped(*refusal, &view, target.kind));
    }
    let confirmed = view.as_of(target.kind).is_some_and(|at| at.0 > asked.0 + BEHIND_MS);
    let status = match status_of(&view, target, None) {
        Ok(status) => status,
        Err(error) => return (confirmed, stamped(error.answer(Output::Json), &view, target.kind)),
    };
    let ended = confirmed && status.verdict.ended();
    let succeeded = ended && status.verdict == Verdict::Succeeded;
    let mut body = told(target, &status);
    body["ended"] = json!(ended);
    body["succeeded"] = json!(succeeded);
    if !succeeded {
        let key =
            ObjectKey { kind: target.kind, namespace: target.namespace.clone(), name: target.name.clone() };
        let Ok(picture) = hub.picture(key).await else { return (true, draining()) };
        body["causes"] = json!(picture.map(|picture| picture.causes.clone()).unwrap_or_default());
    }
    let code = if succeeded { StatusCode::OK } else { StatusCode::CONFLICT };
    (ended, stamped((code, Json(body)).into_response(), &view, target.kind))
}

/// `timeout=90` or `90s`, in seconds.
fn timeout(query: Option<String>) -> Result<Duration, RolloutError> {
    let mut timeout = USUAL;
    for (name, value) in form_urlencoded(&query.unwrap_or_default()) {
        if name != "timeout" {
            return Err(RolloutError::Parameter(name));
        }
        let seconds = value.strip_suffix('s').unwrap_or(&value).parse().ok().map(Duration::from_secs);
        timeout =
            seconds.filter(|wanted| *wanted <= LONGEST).ok_or(RolloutError::Timeout { given: value })?;
    }
    Ok(timeout)
}
