//! Tables, for a real `kubectl get` (kubernetes `pkg/printers/internalversion/printers.go`).
//!
//! Only kubectl asks for them: Masthead reads objects and computes its own cells, which tests then
//! hold against these.

use serde_json::{Value, json};

use super::clock;
use super::form::{Include, metadata_only};
use super::object::condition;
use super::resource::Resource;

/// Column names of a resource; those after the `|` are shown by `-o wide` only.
fn columns(resource: &Resource) -> &'static [&'static str] {
    match resource.kind {
        "Pod" => &[
            "Name",
            "Ready",
            "Status",
            "Restarts",
            "Age",
            "|IP",
            "|Node",
            "|Nominated Node",
            "|Readiness Gates",
        ],
        "Node" => &[
            "Name",
            "Status",
            "Roles",
            "Age",
            "Version",
            "|Internal-IP",
            "|External-IP",
            "|OS-Image",
            "|Kernel-Version",
            "|Container-Runtime",
        ],
        "Namespace" => &["Name", "Status", "Age"],
        "Event" => &[
            "Last Seen",
            "Type",
            "Reason",
            "Object",
            "|Subobject",
            "|Source",
            "Message",
            "|First Seen",
            "|Count",
            "|Name",
        ],
        "Service" => &["Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "|Selector"],
        "Deployment" => {
            &["Name", "Ready", "Up-to-date", "Available", "Age", "|Containers", "|Images", "|Selector"]
        }
        "StatefulSet" => &["Name", "Ready", "Age", "|Containers", "|Images"],
        "ControllerRevision" => &["Name", "Controller", "Revision", "Age"],
        "EndpointSlice" => &["Name", "AddressType", "Ports", "Endpoints", "Age"],
        "PodDisruptionBudget" => &["Name", "Min Available", "Max Unavailable", "Allowed Disruptions", "Age"],
        "Lease" => &["Name", "Holder", "Age"],
        "DaemonSet" => &[
            "Name",
            "Desired",
            "Current",
            "Ready",
            "Up-to-date",
            "Available",
            "Node Selector",
            "Age",
            "|Containers",
            "|Images",
            "|Selector",
        ],
        _ => &["Name", "Desired", "Current", "Ready", "Age", "|Containers", "|Images", "|Selector"],
    }
}

/// A whole Table; watches send the columns once only.
pub(super) fn whole(resource: &Resource, rows: Vec<Value>, version: &str, with_columns: bool) -> Value {
    let columns: Vec<Value> = columns(resource)
        .iter()
        .map(|name| {
            let (name, priority) = name.strip_prefix('|').map_or((*name, 0), |name| (name, 1));
            let format = if name == "Name" { "name" } else { "" };
            json!({"name": name, "type": "string", "format": format, "description": "", "priority": priority})
        })
        .collect();
    let columns = if with_columns { json!(columns) } else { Value::Null };
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": version}, "columnDefinitions": columns, "rows": rows,
    })
}

pub(super) fn row(resource: &Resource, object: &Value, include: Include, now: i64) -> Value {
    let cells = match resource.kind {
        "Pod" => pod(object, now),
        "Node" => node(object, now),
        "Namespace" => vec![name(object), text(&object["status"]["phase"]), age(object, now)],
        "Event" => event(object, now),
        "Service" => service(object, now),
        "EndpointSlice" => endpoint_slice(object, now),
        "PodDisruptionBudget" => {
            let bound = |key: &str| match &object["spec"][key] {
                Value::Null => "N/A".to_owned(),
                Value::String(percent) => percent.clone(),
                number => count(number),
            };
            let allowed = count(&object["status"]["disruptionsAllowed"]);
            vec![name(object), bound("minAvailable"), bound("maxUnavailable"), allowed, age(object, now)]
        }
        "Lease" => vec![name(object), text(&object["spec"]["holderIdentity"]), age(object, now)],
        "Deployment" => {
            let (spec, status) = (&object["spec"], &object["status"]);
            let ready = format!("{}/{}", count(&status["readyReplicas"]), count(&spec["replicas"]));
            let mut cells = vec![name(object), ready];
            cells.extend([&status["updatedReplicas"], &status["availableReplicas"]].map(count));
            cells.push(age(object, now));
            cells.extend(layout(object));
            cells
        }
        "StatefulSet" => {
            let (spec, status) = (&object["spec"], &object["status"]);
            let ready = format!("{}/{}", count(&status["readyReplicas"]), count(&spec["replicas"]));
            let [containers, images, _] = layout(object);
            vec![name(object), ready, age(object, now), containers, images]
        }
        "ControllerRevision" => {
            let owner = &object["metadata"]["ownerReferences"][0];
            let controller = format!("{}.apps/{}", text(&owner["kind"]).to_lowercase(), text(&owner["name"]));
            vec![name(object), controller, count(&object["revision"]), age(object, now)]
        }
        "DaemonSet" => {
            let mut cells = vec![name(object)];
            let counts = [
                "desiredNumberScheduled",
                "currentNumberScheduled",
                "numberReady",
                "updatedNumberScheduled",
                "numberAvailable",
            ];
            cells.extend(counts.map(|key| count(&object["status"][key])));
            cells.push(pairs(&object["spec"]["template"]["spec"]["nodeSelector"]));
            cells.push(age(object, now));
            cells.extend(layout(object));
            cells
        }
        _ => {
            let (spec, status) = (&object["spec"], &object["status"]);
            let mut cells = vec![name(object)];
            cells.extend([&spec["replicas"], &status["replicas"], &status["readyReplicas"]].map(count));
            cells.push(age(object, now));
            cells.extend(layout(object));
            cells
        }
    };
    match include {
        Include::None => json!({"cells": cells}),
        Include::Metadata => json!({"cells": cells, "object": metadata_only(object)}),
        Include::Object => json!({"cells": cells, "object": object}),
    }
}

/// `printPod`.
fn pod(pod: &Value, now: i64) -> Vec<String> {
    let (spec, status) = (&pod["spec"], &pod["status"]);
    let statuses = list(&status["containerStatuses"]);
    let mut reason = match status["reason"].as_str() {
        Some(reason) if !reason.is_empty() => reason.to_owned(),
        _ => text(&status["phase"]),
    };
    let (mut ready, mut restarts, mut running, mut last_restart) = (0, 0, false, None::<i64>);
    for container in statuses.iter().rev() {
        restarts += container["restartCount"].as_i64().unwrap_or(0);
        let finished = container["lastState"]["terminated"]["finishedAt"].as_str();
        last_restart = last_restart.max(finished.and_then(clock::parse));
        let (waiting, ended) = (&container["state"]["waiting"], &container["state"]["terminated"]);
        if let Some(why) = waiting["reason"].as_str() {
            reason = why.to_owned();
        } else if let Some(why) = ended["reason"].as_str() {
            reason = why.to_owned();
        } else if ended.is_object() {
            reason = match ended["signal"].as_i64() {
                Some(signal) if signal != 0 => format!("Signal:{signal}"),
                _ => format!("ExitCode:{}", count(&ended["exitCode"])),
            };
        } else if container["ready"] == true && container["state"]["running"].is_object() {
            running = true;
            ready += 1;
        }
    }
    if reason == "Completed" && running {
        let is_ready = condition(pod, "Ready").is_some_and(|ready| ready["status"] == "True");
        reason = if is_ready { "Running" } else { "NotReady" }.to_owned();
    }
    let over = matches!(status["phase"].as_str(), Some("Succeeded" | "Failed"));
    if !pod["metadata"]["deletionTimestamp"].is_null() && !over {
        reason = "Terminating".to_owned();
    }
    let restarts = match last_restart {
        Some(at) if restarts > 0 => format!("{restarts} ({} ago)", human(now - at)),
        _ => restarts.to_string(),
    };
    let or_none = |value: &Value| Some(text(value)).filter(|text| !text.is_empty()).unwrap_or_else(none);
    vec![
        name(pod),
        format!("{ready}/{}", list(&spec["containers"]).len()),
        reason,
        restarts,
        age(pod, now),
        or_none(&status["podIPs"][0]["ip"]),
        or_none(&spec["nodeName"]),
        or_none(&status["nominatedNodeName"]),
        none(),
    ]
}

/// `printNode`.
fn node(node: &Value, now: i64) -> Vec<String> {
    let mut state = match condition(node, "Ready") {
        Some(ready) if ready["status"] == "True" => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if node["spec"]["unschedulable"] == true {
        state.push_str(",SchedulingDisabled");
    }
    let labels = node["metadata"]["labels"].as_object();
    let roles = labels.into_iter().flatten();
    let roles: Vec<&str> =
        roles.filter_map(|(key, _)| key.strip_prefix("node-role.kubernetes.io/")).collect();
    let address = |kind: &str| {
        let of_kind = list(&node["status"]["addresses"]).iter().find(|address| address["type"] == kind);
        of_kind.map_or_else(none, |address| text(&address["address"]))
    };
    let info = &node["status"]["nodeInfo"];
    vec![
        name(node),
        state,
        if roles.is_empty() { none() } else { roles.join(",") },
        age(node, now),
        text(&info["kubeletVersion"]),
        address("InternalIP"),
        address("ExternalIP"),
        text(&info["osImage"]),
        text(&info["kernelVersion"]),
        text(&info["containerRuntimeVersion"]),
    ]
}

/// `printEvent`.
fn event(event: &Value, now: i64) -> Vec<String> {
    let at = |value: &Value| value.as_str().and_then(clock::parse);
    let first = at(&event["firstTimestamp"]).or_else(|| at(&event["eventTime"]));
    let last = at(&event["series"]["lastObservedTime"]).or_else(|| at(&event["lastTimestamp"])).or(first);
    let since = |at: Option<i64>| at.map_or("<unknown>".to_owned(), |at| human(now - at));
    let object = &event["involvedObject"];
    let times = event["series"]["count"].as_i64().or_else(|| event["count"].as_i64()).unwrap_or(1);
    let component = event["source"]["component"].as_str().filter(|component| !component.is_empty());
    let mut source = component.map_or_else(|| text(&event["reportingComponent"]), str::to_owned);
    let host = event["source"]["host"].as_str().or_else(|| event["reportingInstance"].as_str());
    if let Some(host) = host.filter(|host| !host.is_empty()) {
        source.push_str(&format!(", {host}"));
    }
    vec![
        since(last),
        text(&event["type"]),
        text(&event["reason"]),
        format!("{}/{}", text(&object["kind"]).to_lowercase(), text(&object["name"])),
        text(&object["fieldPath"]),
        source,
        text(&event["message"]).trim().to_owned(),
        since(first),
        times.max(1).to_string(),
        name(event),
    ]
}

/// `printService`.
fn service(service: &Value, now: i64) -> Vec<String> {
    let spec = &service["spec"];
    let ports = list(&spec["ports"]).iter().map(|port| {
        let protocol = text(&port["protocol"]);
        match port["nodePort"].as_i64() {
            Some(node) if node > 0 => format!("{}:{node}/{protocol}", count(&port["port"])),
            _ => format!("{}/{protocol}", count(&port["port"])),
        }
    });
    let ports: Vec<String> = ports.collect();
    let balancer = &service["status"]["loadBalancer"]["ingress"][0]["ip"];
    let external = match text(&spec["type"]).as_str() {
        "ExternalName" => text(&spec["externalName"]),
        "LoadBalancer" if balancer.is_null() => "<pending>".to_owned(),
        "LoadBalancer" => text(balancer),
        _ => none(),
    };
    vec![
        name(service),
        text(&spec["type"]),
        spec["clusterIPs"][0].as_str().map_or_else(none, str::to_owned),
        external,
        if ports.is_empty() { none() } else { ports.join(",") },
        age(service, now),
        pairs(&spec["selector"]),
    ]
}

/// `printEndpointSlice`.
fn endpoint_slice(slice: &Value, now: i64) -> Vec<String> {
    let some = |all: Vec<String>| match all.len() {
        0 => "<unset>".to_owned(),
        1..=3 => all.join(","),
        many => format!("{} + {} more...", all[..3].join(","), many - 3),
    };
    let ports = list(&slice["ports"]).iter().map(|port| match port["port"].as_i64() {
        Some(number) => number.to_string(),
        None => port["name"].as_str().unwrap_or("*").to_owned(),
    });
    let addresses = list(&slice["endpoints"]).iter().flat_map(|endpoint| list(&endpoint["addresses"]));
    vec![
        name(slice),
        text(&slice["addressType"]),
        some(ports.collect()),
        some(addresses.map(text).collect()),
        age(slice, now),
    ]
}

/// `layoutContainerCells`, then the selector.
fn layout(object: &Value) -> [String; 3] {
    let containers = list(&object["spec"]["template"]["spec"]["containers"]);
    let join = |key: &str| containers.iter().map(|c| text(&c[key])).collect::<Vec<_>>().join(",");
    let selector = &object["spec"]["selector"];
    let labels = if selector["matchLabels"].is_object() { &selector["matchLabels"] } else { selector };
    [join("name"), join("image"), pairs(labels)]
}

fn pairs(labels: &Value) -> String {
    let pairs = labels.as_object().into_iter().flatten();
    let pairs: Vec<String> = pairs.map(|(key, value)| format!("{key}={}", text(value))).collect();
    if pairs.is_empty() { none() } else { pairs.join(",") }
}

fn name(object: &Value) -> String {
    text(&object["metadata"]["name"])
}

fn age(object: &Value, now: i64) -> String {
    let created = object["metadata"]["creationTimestamp"].as_str().and_then(clock::parse);
    created.map_or("<unknown>".to_owned(), |created| human(now - created))
}

fn none() -> String {
    "<none>".to_owned()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn count(value: &Value) -> String {
    value.as_i64().unwrap_or(0).to_string()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// `HumanDuration` (apimachinery `pkg/util/duration/duration.go`).
fn human(ms: i64) -> String {
    let seconds = ms / 1000;
    let pair = |big: i64, unit: &str, small: i64, of: &str| match small {
        0 => format!("{big}{unit}"),
        _ => format!("{big}{unit}{small}{of}"),
    };
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let days = hours / 24;
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1..=0 => "0s".to_owned(),
        1..120 => format!("{seconds}s"),
        120..600 => pair(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => pair(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => pair(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => pair(days / 365, "y", days % 365, "d"),
        _ => format!("{}y", days / 365),
    }
}
