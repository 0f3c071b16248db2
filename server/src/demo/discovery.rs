//! Version, health and the discovery documents that `kubectl get` asks for first.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

use super::resource;
use super::status::json_response;

/// The version the demo claims, and writes its events like.
pub(super) const KUBERNETES: &str = "v1.37.2";

/// The answer for a path which names no resource.
pub(super) fn answer(path: &[&str], accept: &str) -> Option<Response> {
    let document = match path {
        ["healthz" | "livez" | "readyz"] => return Some("ok".into_response()),
        ["version"] => version(),
        // Aggregated discovery is optional: a client that offers only it is told so.
        _ if !accept.split(',').any(plain_json) => return None,
        ["api"] => {
            json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [
                {"clientCIDR": "0.0.0.0/0", "serverAddress": "demo"}
            ]})
        }
        ["apis"] => {
            json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": resource::GROUPS.map(group)})
        }
        ["apis", name] if resource::GROUPS.contains(name) => {
            let mut group = group(name);
            group["kind"] = json!("APIGroup");
            group["apiVersion"] = json!("v1");
            group
        }
        ["api", "v1"] => resources("", "v1"),
        ["apis", name, "v1"] if resource::GROUPS.contains(name) => resources(name, &format!("{name}/v1")),
        _ => return None,
    };
    Some(json_response(StatusCode::OK, document.to_string()))
}

fn plain_json(offer: &str) -> bool {
    let offer = offer.trim();
    !offer.contains("as=")
        && ["application/json", "*/*", "application/*"].iter().any(|kind| offer.starts_with(kind))
}

fn version() -> Value {
    json!({
        "major": "1", "minor": "37", "gitVersion": KUBERNETES,
        "gitCommit": "0000000000000000000000000000000000000000", "gitTreeState": "clean",
        "buildDate": "2026-10-14T00:00:00Z", "goVersion": "go1.26.3", "compiler": "gc",
        "platform": "linux/amd64",
    })
}

fn group(name: &str) -> Value {
    let version = json!({"groupVersion": format!("{name}/v1"), "version": "v1"});
    json!({"name": name, "versions": [version], "preferredVersion": version})
}

fn resources(group: &str, group_version: &str) -> Value {
    let served = resource::ALL.iter().filter(|resource| resource.group == group);
    let resources: Vec<Value> = served
        .map(|resource| {
            let mut entry = json!({
                "name": resource.plural, "singularName": resource.singular,
                "namespaced": resource.namespaced, "kind": resource.kind,
                "verbs": ["get", "list", "watch"], "shortNames": resource.short,
            });
            if resource.in_all {
                entry["categories"] = json!(["all"]);
            }
            entry
        })
        .collect();
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources})
}
