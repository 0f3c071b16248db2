//! The API server: which paths exist, who may read them, and single objects.

use app::query::percent_decode;
use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use tokio_util::sync::CancellationToken;

use super::clock::{self, Clock};
use super::discovery;
use super::faults::{Fault, Faults};
use super::form::Form;
use super::list;
use super::object::selectable;
use super::pages::Pages;
use super::resource::{self, Resource};
use super::selector::Selection;
use super::status::{Refusal, json_response};
use super::store::Store;
use super::{table, watching};

/// What every request is served from.
#[derive(Clone)]
pub(super) struct ApiServer {
    pub(super) store: Arc<Store>,
    pub(super) faults: Faults,
    pub(super) pages: Arc<Pages>,
    pub(super) clock: Clock,
    /// Cancelled when the last [`super::Demo`] is dropped.
    pub(super) stopped: CancellationToken,
}

/// One list or watch request, understood.
pub(super) struct Read {
    pub(super) resource: &'static Resource,
    pub(super) selection: Selection,
    pub(super) query: HashMap<String, String>,
    pub(super) form: Form,
}

impl Read {
    pub(super) fn parameter(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.parameter(name), "1" | "true" | "True" | "TRUE" | "t" | "T")
    }

    /// A number, absent if the parameter is; 400 if it is none.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        match self.parameter(name) {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| {
                Refusal::bad_request(format!(
                    "invalid {name}: strconv.ParseUint: parsing \"{text}\": invalid syntax"
                ))
            }),
        }
    }
}

impl ApiServer {
    pub(super) fn router(&self) -> Router {
        Router::new().fallback(serve).with_state(self.clone())
    }
}

async fn serve(State(server): State<ApiServer>, request: Request) -> Response {
    let path_and_query = request.uri().path_and_query().map_or("/", |whole| whole.as_str());
    server.faults.log_request(request.method().as_str(), path_and_query.to_owned());
    let mut response = answer(&server, &request.into_parts().0).await.unwrap_or_else(Refusal::into_response);
    if let Ok(date) = HeaderValue::from_str(&clock::date(server.clock.now_ms())) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

async fn answer(server: &ApiServer, request: &Parts) -> Result<Response, Refusal> {
    if server.stopped.is_cancelled() {
        return Err(Refusal::stopped());
    }
    if request.method != Method::GET {
        let message = "the server does not allow this method on the requested resource";
        return Err(Refusal::new(405, "MethodNotAllowed", message));
    }
    let accept = request.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let accept = accept.unwrap_or("*/*");
    let path: Vec<&str> = request.uri.path().split('/').filter(|part| !part.is_empty()).collect();
    let of_group = match path.as_slice() {
        ["api", "v1", rest @ ..] if !rest.is_empty() => Some(("", rest)),
        ["apis", group, "v1", rest @ ..] if !rest.is_empty() => Some((*group, rest)),
        _ => None,
    };
    let Some((group, rest)) = of_group else {
        return match server.faults.everywhere() {
            Some(code) => Err(Refusal::scripted(code, &resource::NODES, "get", None, None)),
            None => discovery::answer(&path, accept).ok_or_else(Refusal::no_such_path),
        };
    };
    let (namespace, plural, name) = match rest {
        ["namespaces", namespace, plural] => (Some(*namespace), *plural, None),
        ["namespaces", namespace, plural, name] => (Some(*namespace), *plural, Some(*name)),
        [plural] => (None, *plural, None),
        [plural, name] => (None, *plural, Some(*name)),
        _ => return Err(Refusal::no_such_path()),
    };
    let resource = resource::by_plural(group, plural).ok_or_else(Refusal::no_such_path)?;
    if (namespace.is_some() && !resource.namespaced)
        || (name.is_some() && resource.namespaced && namespace.is_none())
    {
        return Err(Refusal::no_such_path());
    }
    let form = Form::negotiate(accept).ok_or_else(|| {
        Refusal::new(406, "NotAcceptable", "only the following media types are accepted: application/json")
    })?;
    let query = parse_query(request.uri.query().unwrap_or_default());
    if let Some(name) = name {
        permitted(server, resource, "get", namespace, Some(name))?;
        return get(server, resource, namespace.unwrap_or_default(), name, form);
    }
    let text = |key: &str| query.get(key).map_or("", String::as_str);
    let selection = Selection::parse(namespace, text("labelSelector"), text("fieldSelector"))
        .map_err(Refusal::bad_request)?;
    if let Some(key) = selection.field_keys().find(|key| !selectable(resource, key)) {
        let message = format!(
            "Unable to find \"{}\" that match label selector \"{}\", field selector \"{}\": field label not supported: {key}",
            resource.qualified(),
            text("labelSelector"),
            text("fieldSelector")
        );
        return Err(Refusal::bad_request(message));
    }
    let read = Read { resource, selection, query, form };
    if read.flag("watch") {
        permitted(server, resource, "watch", namespace, None)?;
        watching::answer(server, read).await
    } else {
        permitted(server, resource, "list", namespace, None)?;
        list::answer(server, read).await
    }
}

/// Scripted refusals, before anything is read.
fn permitted(
    server: &ApiServer,
    resource: &Resource,
    verb: &str,
    namespace: Option<&str>,
    name: Option<&str>,
) -> Result<(), Refusal> {
    let watch = verb == "watch";
    let refusal = server.faults.find(resource, |fault| match fault {
        Fault::Answer(code) => Some(*code),
        Fault::AnswerLists(code) if !watch => Some(*code),
        Fault::AnswerWatches(code) if watch => Some(*code),
        Fault::NamespacesOnly(allowed) => {
            let inside = namespace.is_some_and(|namespace| allowed.iter().any(|own| own == namespace));
            (!inside).then_some(403)
        }
        _ => None,
    });
    match refusal {
        Some(code) => Err(Refusal::scripted(code, resource, verb, namespace, name)),
        None => Ok(()),
    }
}

fn get(
    server: &ApiServer,
    resource: &Resource,
    namespace: &str,
    name: &str,
    form: Form,
) -> Result<Response, Refusal> {
    let object = server.store.get(resource, namespace, name);
    let object = object.ok_or_else(|| Refusal::not_found(resource, name))?;
    let body = match (server.faults.malformed(resource, &object), form) {
        (Some(malformed), Form::Object) => malformed.to_string().into(),
        (_, Form::Table { include }) => {
            let rows = vec![table::row(resource, &object.tree(), include, server.clock.now_ms())];
            table::whole(resource, rows, &object.version.to_string(), true).to_string().into()
        }
        (_, form) => form.object(&object),
    };
    Ok(json_response(StatusCode::OK, Body::from(body)))
}

fn parse_query(text: &str) -> HashMap<String, String> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let plain = |text: &str| percent_decode(&text.replace('+', " "));
            (plain(key), plain(value))
        })
        .collect()
}
