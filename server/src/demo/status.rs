//! Errors in the API server's own form: a `Status` object (apimachinery `api/errors/errors.go`).

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::resource::Resource;

/// A refusal, before it becomes a response or an ERROR event.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refusal {
    pub(super) code: u16,
    reason: &'static str,
    message: String,
    details: Value,
    /// A `continue` token the client may go on with.
    pub(super) resume: Option<String>,
}

/// The name every request comes from: the demo authenticates nobody.
const USER: &str = "demo";

impl Refusal {
    pub(super) fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { code, reason, message: message.into(), details: json!({}), resume: None }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Refusal {
        Refusal::new(400, "BadRequest", message)
    }

    /// What an authorizer without a matching rule says
    /// (apiserver `endpoints/handlers/responsewriters/errors.go` `forbiddenMessage`).
    pub(super) fn forbidden(
        resource: &Resource,
        verb: &str,
        namespace: Option<&str>,
        name: Option<&str>,
    ) -> Refusal {
        let place = match namespace {
            Some(namespace) => format!("in the namespace \"{namespace}\""),
            None => "at the cluster scope".to_owned(),
        };
        let object = name.map(|name| format!(" \"{name}\"")).unwrap_or_default();
        let message = format!(
            "{}{object} is forbidden: User \"{USER}\" cannot {verb} resource \"{}\" in API group \"{}\" {place}",
            resource.qualified(),
            resource.plural,
            resource.group
        );
        Refusal::new(403, "Forbidden", message).about(resource, name)
    }

    pub(super) fn not_found(resource: &Resource, name: &str) -> Refusal {
        let message = format!("{} \"{name}\" not found", resource.qualified());
        Refusal::new(404, "NotFound", message).about(resource, Some(name))
    }

    pub(super) fn no_such_path() -> Refusal {
        Refusal::new(404, "NotFound", "the server could not find the requested resource")
    }

    pub(super) fn too_old(asked: u64, oldest: u64) -> Refusal {
        Refusal::new(410, "Expired", format!("too old resource version: {asked} ({oldest})"))
    }

    pub(super) fn too_large(asked: u64, current: u64) -> Refusal {
        let message = format!("Timeout: Too large resource version: {asked}, current: {current}");
        let mut refusal = Refusal::new(504, "Timeout", message);
        let cause = json!({"reason": "ResourceVersionTooLarge", "message": "Too large resource version"});
        refusal.details = json!({"causes": [cause], "retryAfterSeconds": 1});
        refusal
    }

    pub(super) fn stopped() -> Refusal {
        Refusal::new(503, "ServiceUnavailable", "apiserver is shutting down")
    }

    /// A scripted answer of any status, worded as the real one would be.
    pub(super) fn scripted(
        code: u16,
        resource: &Resource,
        verb: &str,
        namespace: Option<&str>,
        name: Option<&str>,
    ) -> Refusal {
        match code {
            401 => Refusal::new(401, "Unauthorized", "Unauthorized"),
            403 => Refusal::forbidden(resource, verb, namespace, name),
            404 => Refusal::no_such_path(),
            410 => Refusal::new(410, "Expired", "The resourceVersion for the provided watch is too old."),
            429 => {
                let mut refusal = Refusal::new(
                    429,
                    "TooManyRequests",
                    "the server has received too many requests and has asked us to try again later",
                );
                refusal.details = json!({"retryAfterSeconds": 1});
                refusal
            }
            500 => Refusal::new(500, "InternalError", "Internal error occurred: etcdserver: no leader"),
            503 => Refusal::new(
                503,
                "ServiceUnavailable",
                "the server is currently unable to handle the request",
            ),
            504 => Refusal::new(504, "Timeout", "request did not complete within the allotted timeout"),
            other => Refusal::new(other, "", format!("the demo was told to answer {other}")),
        }
    }

    fn about(mut self, resource: &Resource, name: Option<&str>) -> Refusal {
        let mut details = json!({"kind": resource.plural});
        if !resource.group.is_empty() {
            details["group"] = json!(resource.group);
        }
        if let Some(name) = name {
            details["name"] = json!(name);
        }
        self.details = details;
        self
    }

    /// The `Status` object, as an ERROR event of a watch carries it.
    pub(super) fn status(&self) -> Value {
        let metadata = match &self.resume {
            Some(token) => json!({"continue": token}),
            None => json!({}),
        };
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": metadata, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code,
        });
        if self.details.as_object().is_some_and(|details| !details.is_empty()) {
            status["details"] = self.details.clone();
        }
        status
    }

    pub(super) fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json_response(status, self.status().to_string());
        if let Some(seconds) = self.details["retryAfterSeconds"].as_u64() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

pub(super) fn json_response(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
