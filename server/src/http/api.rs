//! `/api/v1/…`: the same rows for people and scripts with curl. `table` and `wide` print what
//! `kubectl get` prints; `watch` streams the same changes the page gets.

use std::{any::Any, sync::Arc};

use app::{
    api::{Column, Container, InCluster, Kind, KindState, Kinds, Node, Row, Text, container::lane::Beside},
    field_selector::FieldSelector,
    model::WithRow,
    query::percent_decode,
    scope::Scope,
    selector::{Selector, SelectorError},
};
use axum::{
    Json, Router,
    body::Body,
    extract::{Path, RawQuery, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{base::Base, text};
use crate::{
    audience::Visitor,
    hub::{Encoding, Hub, NoSeat, View, readable, seen_within, unseen},
    metrics::Metrics,
};

const STATE: HeaderName = HeaderName::from_static("masthead-state");
/// The namespaces that an answer about all of them is of, where not all are seen.
const WITHIN: HeaderName = HeaderName::from_static("masthead-within");
const AS_OF: HeaderName = HeaderName::from_static("masthead-as-of");
const NOTE: HeaderName = HeaderName::from_static("masthead-note");

/// Lists.
pub fn router() -> Router {
    Router::new().route("/api/v1", get(index)).route("/api/v1/{kind}", get(list))
}

/// The stream of changes; apart from the lists because it must not be compressed (a compressor would
/// hold events back).
pub fn watch_router(metrics: Arc<Metrics>, stop: CancellationToken) -> Router {
    Router::new().route("/api/v1/watch", get(watch)).with_state((metrics, stop))
}

/// What a request asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    kinds: Option<Kinds>,
    namespaces: Vec<Text>,
    selector: Selector,
    /// As it came: which fields there are depends on the kinds.
    fields: String,
    output: Output,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Output {
    #[default]
    Json,
    Table,
    Wide,
    Name,
}

/// A request that cannot be answered, and what to do instead.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // each says what it is
pub enum AskError {
    #[error("there is no kind '{0}' here")]
    Kind(String),
    #[error("unknown parameter '{0}'")]
    Parameter(String),
    #[error("unknown output '{0}'")]
    Output(String),
    #[error("'{0}' is no namespace's name")]
    Namespace(String),
    #[error("unable to parse labelSelector: {0}")]
    Selector(SelectorError),
    #[error("unable to parse fieldSelector: {error}")]
    Fields { error: SelectorError, kinds: Kinds },
    #[error("Masthead may not list {} in namespace {namespace}", .kind.plural())]
    Refused { kind: Kind, namespace: Text },
    #[error("Masthead does not watch {} in namespace {namespace}", .kind.plural())]
    Unwatched { kind: Kind, namespace: Text, watched: Vec<Text> },
    #[error("{}{} are not part of what is shown here", .kind.plural(), in_namespace(.namespace.as_ref()))]
    Withheld { kind: Kind, namespace: Option<Text> },
}

fn in_namespace(namespace: Option<&Text>) -> String {
    namespace.map_or_else(String::new, |namespace| format!(" in namespace {namespace}"))
}

impl AskError {
    fn hint(&self) -> String {
        match self {
            AskError::Kind(_) => format!("one of {}", plurals()),
            AskError::Parameter(_) => {
                "namespace, labelSelector, fieldSelector, output, and for streams kinds".to_owned()
            }
            AskError::Output(_) => "one of json, table, wide, name".to_owned(),
            AskError::Namespace(_) => {
                "lower-case letters, digits and '-'; separate several with commas".to_owned()
            }
            AskError::Selector(_) => {
                "as in kubectl get -l: app=web,tier!=cache,env in (test,live),!legacy".to_owned()
            }
            AskError::Fields { kinds, .. } => {
                let mut fields = kinds.iter().map(Kind::fields);
                let mut common = fields.next().unwrap_or_default();
                fields.for_each(|of| common.retain(|field| of.contains(field)));
                format!(
                    "as in kubectl get --field-selector: metadata.name!=web; fields are {}",
                    common.join(", ")
                )
            }
            AskError::Refused { kind, .. } => {
                format!("a Role that allows list and watch of {} there", kind.plural())
            }
            AskError::Unwatched { kind, watched, .. } => {
                let watched = watched.iter().map(Text::as_str).collect::<Vec<_>>().join(", ");
                match kind.only_in() {
                    Some(only) => format!("{only}, the only one in which they are watched"),
                    None => format!("one of {watched}, or another --namespace when Masthead is started"),
                }
            }
            AskError::Withheld { kind, .. } => {
                let of = kind.plural();
                format!("a link that shows {of}; or list and watch of {of}, for your token and for Masthead")
            }
        }
    }
}

fn plurals() -> String {
    Kind::ALL.iter().map(|kind| kind.plural()).collect::<Vec<_>>().join(", ")
}

impl IntoResponse for AskError {
    fn into_response(self) -> Response {
        let code = match self {
            AskError::Kind(_) => StatusCode::NOT_FOUND,
            AskError::Refused { .. } | AskError::Withheld { .. } => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        };
        (code, Json(json!({"error": self.to_string(), "expected": self.hint()}))).into_response()
    }
}

impl Asked {
    /// Reads `namespace=a,b&labelSelector=…&fieldSelector=…&output=…&kinds=pods,nodes`.
    pub fn of_query(query: &str) -> Result<Asked, AskError> {
        let mut asked = Asked::default();
        for (name, value) in form_urlencoded(query) {
            let words = || value.split(',').map(str::trim).filter(|word| !word.is_empty());
            match name.as_str() {
                "namespace" | "namespaces" => {
                    for word in words() {
                        let plain =
                            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
                        if !word.bytes().all(plain) {
                            return Err(AskError::Namespace(word.to_owned()));
                        }
                        asked.namespaces.push(Text::from(word));
                    }
                    asked.namespaces.sort();
                    asked.namespaces.dedup();
                }
                "labelSelector" => asked.selector = Selector::parse(&value).map_err(AskError::Selector)?,
                "fieldSelector" => asked.fields = value,
                "kinds" | "kind" => {
                    let kinds: Result<Kinds, AskError> = words()
                        .map(|word| Kind::parse(word).ok_or_else(|| AskError::Kind(word.to_owned())))
                        .collect();
                    asked.kinds = Some(kinds?);
                }
                "output" => {
                    asked.output = match value.as_str() {
                        "json" | "" => Output::Json,
                        "table" => Output::Table,
                        "wide" => Output::Wide,
                        "name" => Output::Name,
                        _ => return Err(AskError::Output(value)),
                    };
                }
                _ => return Err(AskError::Parameter(name)),
            }
        }
        Ok(asked)
    }

    /// The scope it asks for: of the kinds it names, else of `kinds`. A field that one of them has not is an error,
    /// as it is for kubectl.
    pub fn scope(&self, kinds: Kinds) -> Result<Scope, AskError> {
        let kinds = self.kinds.unwrap_or(kinds);
        let fields = FieldSelector::parse_typed(&self.fields, kinds.iter());
        Ok(Scope {
            kinds,
            namespaces: self.namespaces.clone(),
            selector: self.selector.clone(),
            fields: fields.map_err(|error| AskError::Fields { error, kinds })?,
        })
    }
}

/// Names and values of a query string, decoded.
pub fn form_urlencoded(query: &str) -> impl Iterator<Item = (String, String)> {
    let decoded = |text: &str| percent_decode(&text.replace('+', " "));
    query.split('&').filter(|pair| !pair.is_empty()).map(move |pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

async fn index(hub: Hub, base: Base) -> Response {
    let Ok(view) = hub.view().await else { return draining() };
    let kinds: Vec<_> = Kind::ALL
        .iter()
        .map(|kind| {
            let least = least_fresh(&view, &made_of(&view, *kind)).unwrap_or(*kind);
            json!({
                "kind": kind.plural(),
                "url": base.address(&format!("/api/v1/{}", kind.plural())),
                "state": view.state(least),
                "asOf": view.as_of(least).map(|at| at.to_string()),
                "within": seen_within(&view.about.apart, *kind, &[]),
                // Of what is not listed there are not none: nobody knows how many.
                "count": view.state(*kind).listed().then(|| view.cluster.count(*kind)),
            })
        })
        .collect();
    let watch = base.address("/api/v1/watch");
    Json(json!({"about": view.about, "build": app::BUILD, "kinds": kinds, "watch": watch})).into_response()
}

async fn list(hub: Hub, Path(kind): Path<String>, RawQuery(query): RawQuery) -> Response {
    let Some(kind) = Kind::parse(&kind) else { return AskError::Kind(kind).into_response() };
    let asked = match Asked::of_query(&query.unwrap_or_default()) {
        Ok(Asked { kinds: Some(_), .. }) => return AskError::Parameter("kinds".to_owned()).into_response(),
        Ok(asked) => asked,
        Err(error) => return error.into_response(),
    };
    let scope = match asked.scope([kind].into_iter().collect()) {
        Ok(scope) => scope,
        Err(error) => return error.into_response(),
    };
    let Ok(view) = hub.view().await else { return draining() };
    let response = match current(&view, kind, &asked.namespaces) {
        Ok(()) => kind.with_row(Answer { view: &view, scope, output: asked.output }),
        Err(refusal) => *refusal,
    };
    let mut response = response;
    if response.status().is_success()
        && let Some(within) = seen_within(&view.about.apart, kind, &asked.namespaces)
        && let Ok(names) = HeaderValue::from_str(&within.join(","))
    {
        response.headers_mut().insert(WITHIN, names);
    }
    stamped(response, &view, &made_of(&view, kind))
}

/// Whether there are rows of a kind in these namespaces to speak of; if not, the answer that says why.
pub fn current(view: &View, kind: Kind, namespaces: &[Text]) -> Result<(), Box<Response>> {
    let state = view.state(kind);
    match &state {
        KindState::Live | KindState::Stale { .. } => {
            view.sees(kind, namespaces).map_err(|error| Box::new(error.into_response()))
        }
        KindState::Forbidden { .. } if view.is_part => {
            Err(Box::new(AskError::Withheld { kind, namespace: None }.into_response()))
        }
        KindState::Forbidden { verb, resource, namespace } => {
            let place = if namespace.is_empty() {
                "the whole cluster".to_owned()
            } else {
                format!("namespace {namespace}")
            };
            let error = format!("Masthead may not {verb} {resource} in {place}");
            let expected = format!("a Role or ClusterRole that allows list and watch of {resource}");
            let body = Json(json!({"error": error, "expected": expected}));
            Err(Box::new((StatusCode::FORBIDDEN, body).into_response()))
        }
        KindState::Connecting | KindState::Listing { .. } | KindState::Failing { .. } => {
            let error = format!("{} have not been listed yet ({})", kind.plural(), state.word());
            let retry = [(header::RETRY_AFTER, "1")];
            let body = Json(json!({"error": error, "state": state}));
            Err(Box::new((StatusCode::SERVICE_UNAVAILABLE, retry, body).into_response()))
        }
    }
}

/// What is answered instead where one of these kinds is not known in `namespaces`, or all over for kinds without.
pub fn refusal(view: &View, kinds: &[Kind], namespaces: &[Text]) -> Option<Response> {
    kinds.iter().find_map(|kind| {
        let within = if kind.namespaced() { namespaces } else { &[] };
        Some(stamped(*current(view, *kind, within).err()?, view, &[*kind]))
    })
}

/// The answer, with headers that say how far it can be trusted: as far as the least fresh of the kinds it is made of.
pub fn stamped(mut response: Response, view: &View, made_of: &[Kind]) -> Response {
    let Some(kind) = least_fresh(view, made_of) else { return response };
    let headers = response.headers_mut();
    headers.insert(STATE, HeaderValue::from_static(view.state(kind).word()));
    if let Some(at) = view.as_of(kind).and_then(|at| HeaderValue::from_str(&at.to_string()).ok()) {
        headers.insert(AS_OF, at);
    }
    response
}

/// Those of these kinds that may be seen: of what an answer is made beside what it has to have. Of what is refused there
/// never is anything in it; what has not been listed yet may be missing from it.
pub fn seen(view: &View, kinds: &[Kind]) -> Vec<Kind> {
    let refused = |kind: Kind| matches!(view.state(kind), KindState::Forbidden { .. });
    kinds.iter().copied().filter(|kind| !refused(*kind)).collect()
}

/// All that rows of a kind are made of. What probes do is told by events too, and whether that is still so by their nodes.
fn made_of(view: &View, kind: Kind) -> Vec<Kind> {
    let beside: &[Kind] = if kind == Kind::Container { &[Kind::Event, Kind::Node] } else { &[] };
    [&[kind], &*seen(view, beside)].concat()
}

/// The one that says how far an answer can be trusted that is made of all these.
fn least_fresh(view: &View, kinds: &[Kind]) -> Option<Kind> {
    kinds.iter().copied().min_by_key(|kind| (view.state(*kind) == KindState::Live, view.as_of(*kind)))
}

struct Answer<'a> {
    view: &'a View,
    scope: Scope,
    output: Output,
}

impl WithRow for Answer<'_> {
    type Out = Response;

    fn with<T: Row>(self) -> Response {
        let rows: Vec<&T> = T::rows(&self.view.cluster)
            .sorted()
            .into_iter()
            .map(|row| &**row)
            .filter(|row| self.scope.holds(*row))
            .collect();
        let wide = match self.output {
            Output::Json => {
                let items: Vec<_> = rows.iter().map(|row| readable(*row)).collect();
                let least = least_fresh(self.view, &made_of(self.view, T::KIND)).unwrap_or(T::KIND);
                let as_of = self.view.as_of(least).map(|at| at.to_string());
                let within = seen_within(&self.view.about.apart, T::KIND, &self.scope.namespaces);
                return Json(json!({
                    "kind": T::KIND.plural(),
                    "state": self.view.state(least),
                    "asOf": as_of,
                    "within": within,
                    "items": items,
                }))
                .into_response();
            }
            Output::Name => return plain(text::names(&rows)),
            Output::Table => false,
            Output::Wide => true,
        };
        let one = match self.scope.namespaces.as_slice() {
            [one] => Some(one.as_str()),
            _ => None,
        };
        let with_namespace = T::KIND.namespaced() && one.is_none();
        let now = self.view.in_cluster().seconds();
        let beside = (T::KIND == Kind::Container).then(|| beside(self.view));
        let cell = |column: &Column<T>, row: &T| {
            let any: &dyn Any = row;
            let container = any.downcast_ref::<Container>().zip(beside.as_ref());
            let probe = container.and_then(|(row, beside)| row.asked(column.heading, beside.of(row), now));
            probe.unwrap_or_else(|| (column.cell)(row, now).into_owned())
        };
        let mut response = plain(text::table_of(&rows, wide, with_namespace, cell));
        if rows.is_empty() {
            // kubectl says this on stderr; its stdout is empty, and so is the body.
            let note = text::nothing_found(one.filter(|_| T::KIND.namespaced()));
            if let Ok(note) = HeaderValue::from_str(note.trim_end()) {
                response.headers_mut().insert(NOTE, note);
            }
        }
        response
    }
}

/// What is known beside containers.
fn beside(view: &View) -> Beside {
    let nodes = Node::rows(&view.cluster).iter().map(|node| &**node);
    Beside::new(nodes, view.state(Kind::Event) == KindState::Live, view.about.within(Kind::Event))
}

/// Text.
pub fn plain(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

/// What is said while the server ends.
pub fn draining() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"error": "the server is shutting down"}))).into_response()
}

/// What is said to somebody who reads changes, and for whom there is no seat.
pub fn unseated(why: NoSeat) -> Response {
    if why != NoSeat::Full {
        return draining();
    }
    let body = Json(json!({"error": why.to_string(), "expected": "fewer of them; try again in a minute"}));
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "60")], body).into_response()
}

async fn watch(
    State((metrics, stop)): State<(Arc<Metrics>, CancellationToken)>,
    hub: Hub,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Response {
    let asked = Asked::of_query(&query.unwrap_or_default());
    let scope = match asked.and_then(|asked| asked.scope(Kinds::all())) {
        Ok(scope) => scope,
        Err(error) => return error.into_response(),
    };
    let seat = match hub.subscribe(scope, Encoding::Events).await {
        Ok(seat) => seat,
        Err(why) => return unseated(why),
    };
    let looks = metrics.looks();
    let first = Some((seat, looks, metrics, stop, visitor, 0_u64));
    let events = futures::stream::unfold(first, |state| async move {
        let (seat, looks, metrics, stop, visitor, overflows) = state?;
        let outgoing = tokio::select! {
            outgoing = seat.next() => outgoing.ok()?,
            over = visitor.over() => {
                let bye = format!("event: bye\ndata: {}\n\n", json!({"why": over.why()}));
                return Some((Ok(bye.into()), None));
            }
            () = stop.cancelled() => return None,
        };
        let bytes = outgoing.bytes().await;
        metrics.sent(bytes.len());
        let so_far = seat.overflows();
        metrics.overflowed(so_far - overflows);
        let state = Some((seat, looks, metrics, stop, visitor, so_far));
        Some((Ok::<bytes::Bytes, std::convert::Infallible>(bytes), state))
    });
    // nginx would keep events until they fill a buffer of its own.
    let unbuffered = (HeaderName::from_static("x-accel-buffering"), "no");
    ([(header::CONTENT_TYPE, "text/event-stream"), unbuffered], Body::from_stream(events)).into_response()
}

impl View {
    /// Whether a kind is watched in each of these namespaces: one that is not has no rows here, which
    /// says nothing about the cluster.
    fn sees(&self, kind: Kind, namespaces: &[Text]) -> Result<(), AskError> {
        let within = self.about.apart.get(&kind.watched()).map_or(&[][..], Vec::as_slice);
        let Some(namespace) = unseen(within, namespaces) else { return Ok(()) };
        let namespace = namespace.clone();
        if self.is_part && kind.watched().only_in().is_none() {
            return Err(AskError::Withheld { kind, namespace: Some(namespace) });
        }
        if within.contains(&(namespace.clone(), false)) {
            return Err(AskError::Refused { kind, namespace });
        }
        let watched = within.iter().map(|(watched, _)| watched.clone()).collect();
        Err(AskError::Unwatched { kind, namespace, watched })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_read_whole_or_refused() {
        let asked =
            Asked::of_query("namespace=b,a&labelSelector=app%20in+(x%2Cy)&output=wide").expect("a query");
        assert_eq!(asked.namespaces, [Text::from("a"), Text::from("b")]);
        assert_eq!(asked.selector.to_string(), "app in (x,y)");
        assert_eq!(asked.output, Output::Wide);
        assert_eq!(Asked::of_query("").expect("empty"), Asked::default());
        for query in
            ["output=yaml", "namspace=a", "namespace=../x", "labelSelector=a%3D%3D%3D", "kinds=secrets"]
        {
            assert!(Asked::of_query(query).is_err(), "{query}");
        }
        let fields = |query: &str, kind: Kind| {
            Asked::of_query(query)
                .expect("a query")
                .scope([kind].into_iter().collect())
                .map(|scope| scope.fields)
        };
        let query = "fieldSelector=status.phase!%3DRunning,metadata.name%3Da%5C%2Cb";
        let found = fields(query, Kind::Pod).expect("fields of pods").to_string();
        assert_eq!(found, r"metadata.name=a\,b,status.phase!=Running");
        let error = fields(query, Kind::Deployment).expect_err("no fields of deployments");
        assert!(error.to_string().contains("\"status.phase\" is not a known field selector"), "{error}");
        assert!(error.hint().ends_with("fields are metadata.name, metadata.namespace"), "{}", error.hint());
        assert_eq!(form_urlencoded("a=%zz%4").next(), Some(("a".to_owned(), "%zz%4".to_owned())));
    }
}
