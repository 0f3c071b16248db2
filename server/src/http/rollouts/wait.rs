//! `…/wait?timeout=90s`: answers when the rollout has ended, for scripts that go on only then.

use std::time::Duration;

use app::{
    api::{Millis, ObjectKey, Text, rollout::Verdict},
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

/// 200 once it has succeeded; 409 with the reason once it has failed, or when the time is up.
pub async fn wait(State(hub): State<Hub>, object: Object, RawQuery(query): RawQuery) -> Response {
    let asked = target(object.0).and_then(|target| Ok((target, timeout(query)?)));
    let (target, timeout) = match asked {
        Ok(asked) => asked,
        Err(error) => return error.answer(Output::Json),
    };
    let scope = Scope { namespaces: vec![Text::from(target.namespace.as_str())], ..Scope::of(target.kind) };
    let Ok(seat) = hub.subscribe(scope, Encoding::Events).await else { return draining() };
    match tokio::time::timeout(timeout, ended(&hub, &seat, &target)).await {
        Ok(response) => response,
        Err(_) => match look(&hub, &target, None).await {
            Look::Answer(response) | Look::Waits(response) => response,
        },
    }
}

/// Looks whenever something of its kind has changed or was confirmed.
async fn ended(hub: &Hub, seat: &Seat, target: &Target) -> Response {
    // What was asked after a change must not be answered from before it.
    let asked = hub::now();
    loop {
        if let Look::Answer(response) = look(hub, target, Some(asked)).await {
            return response;
        }
        if seat.next().await.is_err() {
            return draining();
        }
    }
}

enum Look {
    Answer(Response),
    /// What to say if nobody waits any longer.
    Waits(Response),
}

async fn look(hub: &Hub, target: &Target, after: Option<Millis>) -> Look {
    let Ok(view) = hub.view().await else { return Look::Answer(draining()) };
    let within = [Text::from(target.namespace.as_str())];
    if let Err(refusal) = current(&view, target.kind, &within) {
        return Look::Waits(stamped(*refusal, &view, target.kind));
    }
    let confirmed = after.is_none_or(|after| view.as_of(target.kind).is_some_and(|at| at > after));
    let status = match status_of(&view, target, None) {
        Ok(status) => status,
        Err(error) if confirmed => {
            return Look::Answer(stamped(error.answer(Output::Json), &view, target.kind));
        }
        Err(error) => return Look::Waits(stamped(error.answer(Output::Json), &view, target.kind)),
    };
    let mut body = told(target, &status);
    if status.verdict != Verdict::Succeeded {
        let key =
            ObjectKey { kind: target.kind, namespace: target.namespace.clone(), name: target.name.clone() };
        let Ok(picture) = hub.picture(key).await else { return Look::Answer(draining()) };
        body["causes"] = json!(picture.map(|picture| picture.causes.clone()).unwrap_or_default());
    }
    let code = if status.verdict == Verdict::Succeeded { StatusCode::OK } else { StatusCode::CONFLICT };
    let response = stamped((code, Json(body)).into_response(), &view, target.kind);
    if status.verdict.ended() && confirmed { Look::Answer(response) } else { Look::Waits(response) }
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
