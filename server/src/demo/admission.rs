//! What an API server adds to an object before storing it: identity, and the defaults of its kind
//! (kubernetes `pkg/apis/core/v1/defaults.go`, `pkg/apis/apps/v1/defaults.go`, and the
//! ServiceAccount, DefaultTolerationSeconds and Priority admission plugins).

use serde_json::{Map, Value, json};

use super::clock::stamp;
use super::random::Random;
use super::resource::Resource;

/// Fills in identity; with `defaults`, the rest of what a real cluster would hold too.
pub(super) fn admit(
    resource: &Resource,
    known: Option<&Value>,
    mut object: Value,
    now: i64,
    random: &mut Random,
    defaults: bool,
) -> Value {
    if !object.is_object() {
        object = json!({});
    }
    object["apiVersion"] = json!(resource.api_version());
    object["kind"] = json!(resource.kind);
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    let metadata = &mut object["metadata"];
    if resource.namespaced {
        or_set(metadata, "namespace", json!("default"));
    }
    if let Some(prefix) = metadata["generateName"].as_str().map(str::to_owned) {
        or_set(metadata, "name", json!(format!("{prefix}{}", random.suffix(5))));
    }
    for (key, fresh) in [("uid", random.uuid()), ("creationTimestamp", stamp(now))] {
        let kept = known.map(|known| known["metadata"][key].clone()).filter(Value::is_string);
        or_set(metadata, key, kept.unwrap_or(json!(fresh)));
    }
    if let Some(status) = known.map(|known| known["status"].clone()).filter(|status| !status.is_null()) {
        or_set(&mut object, "status", status);
    }
    if defaults {
        match resource.kind {
            "Pod" if known.is_none() => pod(&mut object, random),
            "Deployment" => deployment(&mut object),
            "DaemonSet" | "StatefulSet" => set(&mut object),
            "ReplicaSet" | "ReplicationController" => replicated(&mut object),
            "Namespace" => namespace(&mut object),
            _ => {}
        }
    }
    let counted = ["Pod", "ReplicationController", "EndpointSlice", "PodDisruptionBudget"];
    if resource.group == "apps" || counted.contains(&resource.kind) {
        let generation = match known {
            None => 1,
            Some(known) => {
                let was = known["metadata"]["generation"].as_i64().unwrap_or(1);
                was + i64::from(known["spec"] != object["spec"])
            }
        };
        match known {
            None => or_set(&mut object["metadata"], "generation", json!(generation)),
            Some(_) => object["metadata"]["generation"] = json!(generation),
        }
    }
    if defaults && known.is_none() && resource.kind != "Event" {
        let fields = managed_fields(&object, now);
        or_set(&mut object["metadata"], "managedFields", fields);
    }
    object
}

/// Sets a member which is absent or null.
pub(super) fn or_set(object: &mut Value, key: &str, value: Value) {
    if object[key].is_null() && !value.is_null() {
        object[key] = value;
    }
}

fn namespace(namespace: &mut Value) {
    let name = namespace["metadata"]["name"].clone();
    or_set(&mut namespace["metadata"], "labels", json!({}));
    namespace["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
    or_set(namespace, "spec", json!({"finalizers": ["kubernetes"]}));
    or_set(namespace, "status", json!({"phase": "Active"}));
}

fn deployment(deployment: &mut Value) {
    let spec = &mut deployment["spec"];
    or_set(spec, "replicas", json!(1));
    or_set(spec, "revisionHistoryLimit", json!(10));
    or_set(spec, "progressDeadlineSeconds", json!(600));
    or_set(spec, "strategy", json!({}));
    or_set(&mut spec["strategy"], "type", json!("RollingUpdate"));
    if spec["strategy"]["type"] == "RollingUpdate" {
        or_set(&mut spec["strategy"], "rollingUpdate", json!({}));
        or_set(&mut spec["strategy"]["rollingUpdate"], "maxSurge", json!("25%"));
        or_set(&mut spec["strategy"]["rollingUpdate"], "maxUnavailable", json!("25%"));
    }
    template(&mut spec["template"]);
    or_set(deployment, "status", json!({}));
}

/// A DaemonSet or a StatefulSet; with a strategy that says nothing, each gets its own bounds.
fn set(set: &mut Value) {
    let stateful = set["kind"] == "StatefulSet";
    let spec = &mut set["spec"];
    or_set(spec, "revisionHistoryLimit", json!(10));
    let bounds = match stateful {
        true => json!({"partition": 0}),
        false => json!({"maxSurge": 0, "maxUnavailable": 1}),
    };
    or_set(spec, "updateStrategy", json!({"type": "RollingUpdate", "rollingUpdate": bounds}));
    if stateful {
        or_set(spec, "replicas", json!(1));
        or_set(spec, "podManagementPolicy", json!("OrderedReady"));
    }
    template(&mut spec["template"]);
    let status = match stateful {
        true => json!({"replicas": 0, "availableReplicas": 0}),
        false => json!({
            "currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0
        }),
    };
    or_set(set, "status", status);
}

fn replicated(owner: &mut Value) {
    or_set(&mut owner["spec"], "replicas", json!(1));
    template(&mut owner["spec"]["template"]);
    if owner["kind"] == "ReplicationController" {
        let labels = owner["spec"]["template"]["metadata"]["labels"].clone();
        or_set(&mut owner["spec"], "selector", labels.clone());
        or_set(&mut owner["metadata"], "labels", labels);
    }
    or_set(owner, "status", json!({"replicas": 0}));
}

fn template(template: &mut Value) {
    or_set(template, "metadata", json!({}));
    or_set(&mut template["metadata"], "creationTimestamp", Value::Null);
    pod_spec(&mut template["spec"]);
}

fn pod_spec(spec: &mut Value) {
    or_set(spec, "restartPolicy", json!("Always"));
    or_set(spec, "terminationGracePeriodSeconds", json!(30));
    or_set(spec, "dnsPolicy", json!("ClusterFirst"));
    or_set(spec, "securityContext", json!({}));
    or_set(spec, "schedulerName", json!("default-scheduler"));
    for container in spec["containers"].as_array_mut().into_iter().flatten() {
        or_set(container, "terminationMessagePath", json!("/dev/termination-log"));
        or_set(container, "terminationMessagePolicy", json!("File"));
        or_set(container, "resources", json!({}));
        let image = container["image"].as_str().unwrap_or_default();
        // No tag, or the tag latest: the registry is asked at each start.
        let policy = if tag(image) == "latest" { "Always" } else { "IfNotPresent" };
        or_set(container, "imagePullPolicy", json!(policy));
        for port in container["ports"].as_array_mut().into_iter().flatten() {
            or_set(port, "protocol", json!("TCP"));
        }
        for kind in ["livenessProbe", "readinessProbe", "startupProbe"] {
            if container[kind].is_object() {
                probe(&mut container[kind]);
            }
        }
    }
}

pub(super) fn tag(image: &str) -> &str {
    let last = image.rsplit('/').next().unwrap_or(image);
    last.split_once(':').map_or("latest", |(_, tag)| tag)
}

fn probe(probe: &mut Value) {
    or_set(probe, "timeoutSeconds", json!(1));
    or_set(probe, "periodSeconds", json!(10));
    or_set(probe, "successThreshold", json!(1));
    or_set(probe, "failureThreshold", json!(3));
    if probe["httpGet"].is_object() {
        or_set(&mut probe["httpGet"], "path", json!("/"));
        or_set(&mut probe["httpGet"], "scheme", json!("HTTP"));
    }
}

fn pod(pod: &mut Value, random: &mut Random) {
    let spec = &mut pod["spec"];
    pod_spec(spec);
    or_set(spec, "serviceAccountName", json!("default"));
    spec["serviceAccount"] = spec["serviceAccountName"].clone();
    or_set(spec, "enableServiceLinks", json!(true));
    or_set(spec, "priority", json!(0));
    or_set(spec, "preemptionPolicy", json!("PreemptLowerPriority"));
    let tolerate = |key: &str| json!({"key": format!("node.kubernetes.io/{key}"), "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300});
    or_set(spec, "tolerations", json!([tolerate("not-ready"), tolerate("unreachable")]));
    let volume = format!("kube-api-access-{}", random.suffix(5));
    or_set(
        spec,
        "volumes",
        json!([{
            "name": volume,
            "projected": {"defaultMode": 420, "sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}], "name": "kube-root-ca.crt"}},
                {"downwardAPI": {"items": [{
                    "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}, "path": "namespace"
                }]}}
            ]}
        }]),
    );
    for container in spec["containers"].as_array_mut().into_iter().flatten() {
        or_set(
            container,
            "volumeMounts",
            json!([{
                "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "name": volume, "readOnly": true
            }]),
        );
    }
    let qos = qos_class(&pod["spec"]);
    or_set(pod, "status", json!({}));
    or_set(&mut pod["status"], "phase", json!("Pending"));
    or_set(&mut pod["status"], "qosClass", json!(qos));
}

/// kubernetes `pkg/apis/core/v1/helper/qos/qos.go`.
fn qos_class(spec: &Value) -> &'static str {
    let containers = spec["containers"].as_array().map_or(&[][..], Vec::as_slice);
    let asked = |container: &Value, of: &str| {
        container["resources"][of].as_object().is_some_and(|amounts| !amounts.is_empty())
    };
    let bounded = |container: &Value| {
        let (limits, requests) = (&container["resources"]["limits"], &container["resources"]["requests"]);
        ["cpu", "memory"].iter().all(|key| limits[key].is_string() && limits[key] == requests[key])
    };
    if containers.iter().all(bounded) {
        "Guaranteed"
    } else if containers.iter().any(|c| asked(c, "requests") || asked(c, "limits")) {
        "Burstable"
    } else {
        "BestEffort"
    }
}

/// What server-side apply records: who set which field. Half the bytes of a real object.
fn managed_fields(object: &Value, now: i64) -> Value {
    let mut fields = Map::new();
    for part in ["metadata", "spec"] {
        let mut owned = owned_fields(&object[part]);
        if let Some(owned) = owned.as_object_mut() {
            for server_side in ["f:uid", "f:creationTimestamp", "f:namespace", "f:name", "f:generation"] {
                owned.remove(server_side);
            }
        }
        if owned.as_object().is_some_and(|owned| !owned.is_empty()) {
            fields.insert(format!("f:{part}"), owned);
        }
    }
    let by_controller = object["metadata"]["ownerReferences"].is_array();
    let manager = if by_controller { "kube-controller-manager" } else { "kubectl-client-side-apply" };
    json!([{
        "manager": manager, "operation": "Update", "apiVersion": object["apiVersion"],
        "time": stamp(now), "fieldsType": "FieldsV1", "fieldsV1": fields,
    }])
}

fn owned_fields(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            members.iter().map(|(key, value)| (format!("f:{key}"), owned_fields(value))).collect()
        }
        Value::Array(items) => {
            let named = items.iter().filter_map(|item| Some((item.get("name")?, item)));
            let keyed = named.map(|(name, item)| {
                let mut fields = owned_fields(item);
                fields["."] = json!({});
                (format!("k:{{\"name\":{name}}}"), fields)
            });
            keyed.collect()
        }
        _ => json!({}),
    }
}
