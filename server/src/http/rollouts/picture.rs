//! The picture as JSON: lanes, pods with their stations, counts through time, bounds, sentence, causes; and what
//! differs between two of its revisions, as JSON or text.

use std::fmt::Write;

use app::{
    api::{InCluster, Kind, ObjectKey, Picture, ReplicaSet, manifest::Difference},
    wire::Drawing,
};
use axum::{
    Json,
    extract::RawQuery,
    response::{IntoResponse, Response},
};

use super::{Object, Output, RolloutError, Target, draining, number, plain, read, refusal, target};
use crate::{
    http::api::{form_urlencoded, stamped},
    hub::{Hub, View, readable},
};

pub async fn picture(hub: Hub, object: Object, RawQuery(query): RawQuery) -> Response {
    let asked = read(query, false).and_then(|query| match query.output {
        Output::Json => target(object.0, Kind::makes_pods),
        Output::Text => Err(RolloutError::Output("text".to_owned())),
    });
    match asked {
        Ok(target) => {
            answer(
                hub,
                target,
                Output::Json,
                None,
                &[],
                |picture| Ok(Json(readable(picture)).into_response()),
            )
            .await
        }
        Err(error) => error.answer(Output::Json),
    }
}

/// `…/difference?from=1&to=3`; without both, of the last two.
pub async fn difference(hub: Hub, object: Object, RawQuery(query): RawQuery) -> Response {
    let (output, between) = match ends(query) {
        Ok(asked) => asked,
        Err(error) => return error.answer(Output::Json),
    };
    let target = match target(object.0, Kind::rolls_out) {
        Ok(target) => target,
        Err(error) => return error.answer(output),
    };
    let holders = super::holders(target.kind);
    answer(hub, target, output, between, holders, |picture| {
        let difference = picture.difference.as_ref().ok_or(RolloutError::NoRevision)?;
        Ok(match output {
            Output::Json => Json(readable(difference)).into_response(),
            Output::Text => plain(text(difference)),
        })
    })
    .await
}

/// Each line with its sign, as in a unified diff; `~` is another value that is withheld.
fn text(difference: &Difference) -> String {
    let mut text = String::new();
    for line in &difference.lines {
        _ = writeln!(text, "{}{}{}", line.mark.sign(), "  ".repeat(line.depth.into()), line.text);
    }
    if difference.more > 0 {
        _ = writeln!(text, "and {} lines more", difference.more);
    }
    text
}

fn ends(query: Option<String>) -> Result<(Output, Option<(i64, i64)>), RolloutError> {
    let (mut output, mut from, mut to) = (Output::Json, None, None);
    for (name, value) in form_urlencoded(&query.unwrap_or_default()) {
        match (name.as_str(), value.as_str()) {
            ("output", "json") => output = Output::Json,
            ("output", "text") => output = Output::Text,
            ("output", _) => return Err(RolloutError::Output(value)),
            ("from", _) => from = Some(number(value)?),
            ("to", _) => to = Some(number(value)?),
            _ => return Err(RolloutError::Parameter(name)),
        }
    }
    match (from, to) {
        (None, None) => Ok((output, None)),
        (Some(from), Some(to)) => Ok((output, Some((from, to)))),
        _ => Err(RolloutError::OneEnd),
    }
}

/// Answers from the picture, if all that it is made of, and `others`, is known.
async fn answer(
    hub: Hub,
    target: Target,
    output: Output,
    between: Option<(i64, i64)>,
    others: &[Kind],
    find: impl FnOnce(&Picture) -> Result<Response, RolloutError>,
) -> Response {
    let kind = target.kind;
    let key = ObjectKey { kind, namespace: target.namespace.clone(), name: target.name.clone() };
    // Causes and stations come from events as well, where these may be seen; a difference does not.
    let has_events = between.is_none();
    let (Ok(view), Ok(picture)) = (hub.view().await, hub.picture(Drawing { key, between }).await) else {
        return draining();
    };
    let made_of = match kind {
        Kind::Deployment => &[Kind::Deployment, Kind::ReplicaSet, Kind::Pod][..],
        _ => &[kind, Kind::Pod],
    };
    let made_of = [made_of, others].concat();
    if let Some(refusal) = refusal(&view, &made_of, &target.within()) {
        return refusal;
    }
    let found = match &picture {
        Some(picture) => find(picture),
        None => Err(absent(&view, target)),
    };
    let response = found.unwrap_or_else(|error| error.answer(output));
    let events = [Kind::Event].into_iter().filter(|kind| has_events && view.state(*kind).listed());
    stamped(response, &view, &made_of.into_iter().chain(events).collect::<Vec<_>>())
}

/// There is none of that name, or it is a part of another's picture.
fn absent(view: &View, target: Target) -> RolloutError {
    let set = ReplicaSet::rows(&view.cluster).named(&target.namespace, &target.name);
    match set.filter(|_| target.kind == Kind::ReplicaSet).and_then(|set| set.meta.owner.as_ref()) {
        Some(owner) => RolloutError::Owned { set: target.name, deployment: owner.name.as_str().into() },
        None => RolloutError::NotFound(target),
    }
}
