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
    http::api::{form_urlencoded, seen, stamped},
    hub::{Hub, View, readable},
};

pub async fn picture(hub: Hub, object: Object, RawQuery(query): RawQuery) -> Response {
    let asked = read(query, false).and_then(|query| match query.output {
        Output::Json => target(object.0, Kind::makes_pods),
        Output::Text => Err(RolloutError::Output("text".to_owned())),
    });
    match asked {
        Ok(target) => {
            let (made_of, beside) = made_of(target.kind);
            let find = |picture: &Picture| Ok(Json(readable(picture)).into_response());
            answer(hub, target, (Output::Json, None), &made_of, &beside, find).await
        }
        Err(error) => error.answer(Output::Json),
    }
}

/// What a picture is made of: what it has to have, and what is in it where that may be seen. Causes and stations come
/// from events as well; templates of kinds without ReplicaSets are also known by their pods; and who else selects its
/// pods may be any that makes some.
fn made_of(kind: Kind) -> (Vec<Kind>, Vec<Kind>) {
    let (made_of, beside): (Vec<Kind>, &[Kind]) = match kind {
        Kind::Deployment => (vec![kind, Kind::ReplicaSet, Kind::Pod], &[Kind::Event]),
        _ if kind.rolls_out() => (vec![kind, Kind::Pod], &[Kind::ControllerRevision, Kind::Event]),
        _ => (vec![kind, Kind::Pod], &[Kind::Event]),
    };
    let others = Kind::ALL.iter().filter(|other| kind != Kind::StatefulSet && other.makes_pods());
    (made_of, beside.iter().chain(others).copied().collect())
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
    // Templates differ whatever pods and events say.
    let made_of = [&[target.kind], super::holders(target.kind)].concat();
    let asked = target.clone();
    answer(hub, target, (output, between), &made_of, &[], move |picture| {
        // What is remembered of one that is gone is for its picture, which says so. Here there is none of that name, as
        // in a status or a history.
        if picture.gone.is_some() {
            return Err(RolloutError::NotFound(asked));
        }
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

/// Answers from the picture, if all that this is `made_of` is known; what is `beside` counts where it may be seen.
async fn answer(
    hub: Hub,
    target: Target,
    (output, between): (Output, Option<(i64, i64)>),
    made_of: &[Kind],
    beside: &[Kind],
    find: impl FnOnce(&Picture) -> Result<Response, RolloutError>,
) -> Response {
    let key = ObjectKey { kind: target.kind, namespace: target.namespace.clone(), name: target.name.clone() };
    let (Ok(view), Ok(picture)) = (hub.view().await, hub.picture(Drawing { key, between }).await) else {
        return draining();
    };
    if let Some(refusal) = refusal(&view, made_of, &target.within()) {
        return refusal;
    }
    let found = match &picture {
        Some(picture) => find(picture),
        None => Err(absent(&view, target)),
    };
    let response = found.unwrap_or_else(|error| error.answer(output));
    stamped(response, &view, &[made_of, &seen(&view, beside)].concat())
}

/// There is none of that name, or it is a part of another's picture.
fn absent(view: &View, target: Target) -> RolloutError {
    let set = ReplicaSet::rows(&view.cluster).named(&target.namespace, &target.name);
    match set.filter(|_| target.kind == Kind::ReplicaSet).and_then(|set| set.meta.deployment()) {
        Some(owner) => RolloutError::Owned { set: target.name, deployment: owner.name.as_str().into() },
        None => RolloutError::NotFound(target),
    }
}
