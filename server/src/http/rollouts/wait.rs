//! `…/wait?timeout=90s`: answers when the rollout has ended, for scripts that go on only then. With `revision=3` that of
//! this revision, which ends too when another takes its place.

use std::time::Duration;

use app::{
    api::{Kind, KindState, Millis, ObjectKey, Text, rollout::Verdict},
    scope::Scope,
    wire::Drawing,
};
use axum::{
    Json,
    extract::RawQuery,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::json;
use tokio::time::Instant;

use super::{Object, Output, RolloutError, Target, draining, number, status_of, target, told};
use crate::{
    http::api::{form_urlencoded, refusal, seen, stamped, unseated},
    hub::{self, Encoding, Hub, Seat},
};

/// The longest that may be waited in one request.
pub const LONGEST: Duration = Duration::from_secs(3600);
/// What is waited unless something else is asked.
const USUAL: Duration = Duration::from_secs(300);

/// A watch that is confirmed is not further behind than this.
const BEHIND_MS: i64 = 1_000;

/// What was not refused when somebody began to wait may be allowed all the same: an API server that has just started may
/// refuse what it does not know yet to be allowed (kubernetes/kubernetes#121635). It is asked again two seconds later
/// (`JUST_FORBIDDEN`), and the rest of this is for its list. What is refused for longer is refused.
const PASSING: Duration = Duration::from_secs(10);

/// What waiting longer would change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outlook {
    /// It may end.
    Open,
    /// It cannot be seen, and so not how it ends.
    Unseen,
    /// Nothing: it has ended.
    Ended,
}

impl Outlook {
    fn ended(ended: bool) -> Outlook {
        if ended { Outlook::Ended } else { Outlook::Open }
    }
}

/// 200 once it has succeeded; 409 with the reason once it has failed, or when the time is up.
pub async fn wait(hub: Hub, object: Object, RawQuery(text): RawQuery) -> Response {
    let asked = target(object.0, Kind::rolls_out).and_then(|target| Ok((target, query(text)?)));
    let (target, Query { timeout, revision }) = match asked {
        Ok(asked) => asked,
        Err(error) => return error.answer(Output::Json),
    };
    let scope = Scope { namespaces: vec![Text::from(target.namespace.as_str())], ..Scope::of(target.kind) };
    let seat = match hub.subscribe(scope, Encoding::Events).await {
        Ok(seat) => seat,
        Err(why) => return unseated(why),
    };
    // What is asked after a change must not be answered from before it.
    let asked = hub::now();
    match tokio::time::timeout(timeout, ended(&hub, &seat, &target, revision, asked)).await {
        Ok(response) => response,
        Err(_) => look(&hub, &target, revision, asked).await.1,
    }
}

/// Looks whenever something of its kind has changed or was confirmed. What cannot be seen from the start is said at
/// once.
async fn ended(
    hub: &Hub,
    seat: &Seat,
    target: &Target,
    revision: Option<i64>,
    mut asked: Millis,
) -> Response {
    let mut is_first = true;
    // Since when it cannot be seen.
    let mut unseen: Option<Instant> = None;
    loop {
        // The clock may be put back meanwhile.
        asked = Millis(asked.0.min(hub::now().0));
        let (outlook, response) = look(hub, target, revision, asked).await;
        unseen = match outlook {
            Outlook::Open => None,
            Outlook::Unseen => Some(unseen.unwrap_or_else(Instant::now)),
            Outlook::Ended => return response,
        };
        if unseen.is_some_and(|since| is_first || since.elapsed() >= PASSING) {
            return response;
        }
        is_first = false;
        // That a refusal stays is nobody's news.
        let stays = async {
            match unseen {
                Some(since) => tokio::time::sleep_until(since + PASSING).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            news = seat.next() => if news.is_err() {
                return draining();
            },
            () = stays => {}
        }
    }
}

/// The answer as it is now, and what waiting longer would change. It has ended only if that is known
/// of a time after `asked`, and of now: of what is stale, nobody knows whether it has gone on since.
async fn look(hub: &Hub, target: &Target, revision: Option<i64>, asked: Millis) -> (Outlook, Response) {
    let Ok(view) = hub.view().await else { return (Outlook::Ended, draining()) };
    if let Some(refusal) = refusal(&view, &[target.kind], &target.within()) {
        // What has not been listed yet will be; what may not be seen, or is not watched, is waited for in vain.
        let will_be = refusal.status() == StatusCode::SERVICE_UNAVAILABLE;
        return (if will_be { Outlook::Open } else { Outlook::Unseen }, refusal);
    }
    let state = view.state(target.kind);
    let as_of = view.as_of(target.kind);
    let confirmed = state == KindState::Live && as_of.is_some_and(|at| at.0 > asked.0 + BEHIND_MS);
    let status = match status_of(&view, target, revision) {
        Ok(status) => status,
        Err(error) => {
            let to_come =
                matches!(&error, RolloutError::OtherRevision { wanted, running } if wanted > running);
            let ended = Outlook::ended(confirmed && !to_come);
            return (ended, stamped(error.answer(Output::Json), &view, &[target.kind]));
        }
    };
    let ended = confirmed && status.verdict.ended();
    let succeeded = ended && status.verdict == Verdict::Succeeded;
    let mut body = told(&view, target, &status);
    body["ended"] = json!(ended);
    body["succeeded"] = json!(succeeded);
    let mut made_of = vec![target.kind];
    if !succeeded {
        let key =
            ObjectKey { kind: target.kind, namespace: target.namespace.clone(), name: target.name.clone() };
        let Ok(picture) = hub.picture(Drawing { key, between: None }).await else {
            return (Outlook::Ended, draining());
        };
        body["causes"] = json!(picture.map(|picture| picture.causes.clone()).unwrap_or_default());
        // Of what is refused there is nothing in it, and a cause says so where that may matter.
        made_of.extend(seen(&view, asked_for_causes(target.kind)));
    }
    let code = if succeeded { StatusCode::OK } else { StatusCode::CONFLICT };
    (Outlook::ended(ended), stamped((code, Json(body)).into_response(), &view, &made_of))
}

/// Where causes are looked for beside the object itself.
fn asked_for_causes(kind: Kind) -> &'static [Kind] {
    match kind {
        Kind::Deployment => &[Kind::ReplicaSet, Kind::Pod, Kind::Event],
        _ => &[Kind::Pod, Kind::Event],
    }
}

struct Query {
    timeout: Duration,
    revision: Option<i64>,
}

fn query(text: Option<String>) -> Result<Query, RolloutError> {
    let mut query = Query { timeout: USUAL, revision: None };
    for (name, value) in form_urlencoded(&text.unwrap_or_default()) {
        match name.as_str() {
            "timeout" => query.timeout = timeout(value)?,
            "revision" => query.revision = Some(number(value)?),
            _ => return Err(RolloutError::Parameter(name)),
        }
    }
    Ok(query)
}

/// `90` or `90s`, in seconds.
fn timeout(value: String) -> Result<Duration, RolloutError> {
    let seconds = value.strip_suffix('s').unwrap_or(&value).parse().ok().map(Duration::from_secs);
    seconds.filter(|wanted| *wanted <= LONGEST).ok_or(RolloutError::Timeout { given: value })
}
