//! The manifests of the play: the tutorial's, and the neighbours that make it a cluster.

use serde_json::{Value, json};

use super::replicas::owner_reference;

pub(super) const FOREST: &str = "aishpra/simple-randomforest";
pub(super) const FOREST_V2: &str = "aishpra/simple-randomforest:v2";
pub(super) const DEPLOYMENT: &str = "example-deployment-randomforest";
pub(super) const HEALTHCHECK: &str = "example-deployment-randomforest-healthcheck";
pub(super) const SLOW: &str = "example-deployment-randomforest-slowstart";
pub(super) const SELECTED: &str = "example-deployment-randomforest-nodeselector";
pub(super) const MISTYPED: &str = "example-deployment-randomforest-typo";
pub(super) const CRASHING: &str = "listing-import";
pub(super) const CONTROLLER: &str = "example-replicacontroller-randomforest";
pub(super) const GOOD_PATH: &str = "/predict?s_length=1&s_width=2&p_length=3&p_width=4";

pub(super) fn node(name: &str) -> Value {
    let mut node = json!({"kind": "Node", "metadata": {"name": name, "labels": {}}, "spec": {}});
    if name.ends_with("control-plane") {
        node["metadata"]["labels"]["node-role.kubernetes.io/control-plane"] = json!("");
        node["spec"]["taints"] =
            json!([{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]);
    }
    node
}

pub(super) fn namespace(name: &str) -> Value {
    json!({"kind": "Namespace", "metadata": {"name": name}})
}

fn forest(image: &str) -> Value {
    json!({"name": "simple-randomforest", "image": image, "ports": [{"containerPort": 5000}]})
}

fn named_port() -> Value {
    let mut container = forest(FOREST);
    container["ports"] = json!([{"name": "flask-port", "containerPort": 5000}]);
    container
}

fn probe(path: &str) -> Value {
    json!({"httpGet": {"path": path, "port": "flask-port"}, "initialDelaySeconds": 15, "timeoutSeconds": 30})
}

pub(super) fn pod() -> Value {
    json!({
        "kind": "Pod",
        "metadata": {"name": "example-pod-randomforest", "namespace": "default", "labels": {"app": "random-forest-app"}},
        "spec": {"containers": [forest(FOREST)]},
    })
}

pub(super) fn replication_controller() -> Value {
    json!({
        "kind": "ReplicationController",
        "metadata": {"name": CONTROLLER, "namespace": "default"},
        "spec": {
            "replicas": 5, "selector": {"app": "rc-randomforest"},
            "template": {
                "metadata": {"labels": {"app": "rc-randomforest"}},
                "spec": {"containers": [forest(FOREST)]},
            },
        },
    })
}

/// A Deployment; `labels` select its pods.
fn deployment(namespace: &str, name: &str, replicas: i64, labels: Value, container: Value) -> Value {
    json!({
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    })
}

pub(super) fn rolling() -> Value {
    let mut rolling =
        deployment("default", DEPLOYMENT, 3, json!({"app": "dep-randomforest"}), forest(FOREST));
    rolling["metadata"]["annotations"] =
        json!({"kubernetes.io/change-cause": "kubectl apply --filename=src/deployment-randomforest.yml"});
    rolling
}

pub(super) fn healthcheck() -> Value {
    let mut container = named_port();
    container["livenessProbe"] = probe(GOOD_PATH);
    deployment("default", HEALTHCHECK, 3, json!({"app": "dep-randomforest-healthcheck"}), container)
}

pub(super) fn slow_start() -> Value {
    let mut container = named_port();
    container["env"] = json!([{"name": "START_AFTER", "value": "55s"}]);
    container["startupProbe"] = json!({
        "httpGet": {"path": GOOD_PATH, "port": "flask-port"}, "failureThreshold": 30, "periodSeconds": 10,
    });
    container["livenessProbe"] = probe(GOOD_PATH);
    container["readinessProbe"] = probe(GOOD_PATH);
    let mut slow = deployment("default", SLOW, 2, json!({"app": "dep-randomforest-slowstart"}), container);
    slow["spec"]["revisionHistoryLimit"] = json!(3);
    slow
}

pub(super) fn node_selector() -> Value {
    let labels = json!({"app": "dep-randomforest-nodeselector"});
    let mut selected = deployment("default", SELECTED, 3, labels, forest(FOREST));
    selected["spec"]["template"]["spec"]["nodeSelector"] = json!({"project": "listingqc"});
    selected
}

pub(super) fn mistyped() -> Value {
    let labels = json!({"app": "dep-randomforest-typo"});
    let mut mistyped = deployment("default", MISTYPED, 2, labels, forest("aishpra/simple-randomfrost:v2"));
    mistyped["spec"]["progressDeadlineSeconds"] = json!(80);
    mistyped
}

/// The teams of the tutorial's label example, with requests, a secret in the environment, and a
/// readiness that arrives late.
pub(super) fn teams() -> Vec<Value> {
    let api = json!({
        "name": "api", "image": "registry.example.com/fraud/api:1.14.2",
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [
            {"name": "DB_HOST", "value": "postgres.team-fraud.svc"},
            {"name": "DB_PASSWORD", "value": "hunter2-correct-horse-battery"},
        ],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 5},
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": "http"}},
    });
    let scorer = json!({
        "name": "scorer", "image": "registry.example.com/fraud/scorer:2026-11-02",
        "resources": {"requests": {"cpu": "500m", "memory": "512Mi"}, "limits": {"cpu": "500m", "memory": "512Mi"}},
    });
    let ranker = json!({
        "name": "ranker", "image": "registry.example.com/listing/ranker:7c1e9f2",
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [{"name": "READY_AFTER", "value": "25s"}],
        "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 5},
    });
    let labels = |app: &str, team: &str, environment: &str| json!({"app": app, "team": team, "environment": environment});
    vec![
        deployment("team-fraud", "fraud-api", 2, labels("fraud-api", "fraud", "live"), api),
        deployment("team-fraud", "fraud-scorer", 1, labels("fraud-scorer", "fraud", "test"), scorer),
        deployment("team-listing", "listing-ranker", 2, labels("listing-ranker", "listing", "live"), ranker),
    ]
}

/// A program that ends by itself, soon and badly.
pub(super) fn crashing() -> Value {
    let labels = json!({"app": CRASHING, "team": "listing", "environment": "dev"});
    let container = json!({
        "name": "import", "image": "registry.example.com/listing/import:0.3.0",
        "env": [{"name": "EXIT_AFTER", "value": "6s"}, {"name": "EXIT_CODE", "value": "1"}],
    });
    deployment("team-listing", CRASHING, 1, labels, container)
}

pub(super) fn services() -> Vec<Value> {
    let service = |namespace: &str, name: &str, ip: &str, port: i64, protocol: &str, selector: Value| {
        json!({
            "kind": "Service", "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "type": "ClusterIP", "clusterIP": ip, "clusterIPs": [ip], "sessionAffinity": "None",
                "internalTrafficPolicy": "Cluster", "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack",
                "ports": [{"port": port, "protocol": protocol, "targetPort": port}], "selector": selector,
            },
            "status": {"loadBalancer": {}},
        })
    };
    vec![
        to_api_server(service("default", "kubernetes", "10.96.0.1", 443, "TCP", Value::Null)),
        service("kube-system", "kube-dns", "10.96.0.10", 53, "UDP", json!({"k8s-app": "kube-dns"})),
        service("default", "randomforest", "10.96.44.7", 5000, "TCP", json!({"app": "dep-randomforest"})),
        service(
            "default",
            "randomforest-slowstart",
            "10.96.71.12",
            5000,
            "TCP",
            json!({"app": "dep-randomforest-slowstart"}),
        ),
        service("team-fraud", "fraud-api", "10.96.118.20", 8080, "TCP", json!({"app": "fraud-api"})),
        // Its selector is mistyped: whoever wrote it meant listing-ranker.
        service("team-listing", "ranker", "10.96.9.140", 80, "TCP", json!({"app": "ranker"})),
        node_port(service(
            "team-listing",
            "listing-ranker",
            "10.96.200.31",
            80,
            "TCP",
            json!({"app": "listing-ranker"}),
        )),
    ]
}

/// Leads to the API server, by a name that its slice has too.
fn to_api_server(mut service: Value) -> Value {
    service["spec"]["ports"][0]["name"] = json!("https");
    service["spec"]["ports"][0]["targetPort"] = json!(6443);
    service
}

/// Open on every node, and to the pods' port by its name.
fn node_port(mut service: Value) -> Value {
    service["spec"]["type"] = json!("NodePort");
    service["spec"]["externalTrafficPolicy"] = json!("Cluster");
    service["spec"]["ports"][0]["name"] = json!("web");
    service["spec"]["ports"][0]["targetPort"] = json!("http");
    service["spec"]["ports"][0]["nodePort"] = json!(30_080);
    service
}

/// Where the API server itself answers: a Service without a selector, whose slice the API server keeps.
pub(super) fn kubernetes_slice(host: &str) -> Value {
    json!({
        "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {"name": "kubernetes", "namespace": "default", "labels": {"kubernetes.io/service-name": "kubernetes"}},
        "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}],
        "endpoints": [{"addresses": [host], "conditions": {"ready": true}}],
    })
}

/// Of the rolling Deployment's three pods two are to stay. Of fraud-api none may go, which holds up every drain.
pub(super) fn budgets() -> [Value; 2] {
    let budget = |namespace: &str, name: &str, app: &str, bound: &str, pods: i64| {
        json!({
            "kind": "PodDisruptionBudget", "metadata": {"name": name, "namespace": namespace},
            "spec": {(bound): pods, "selector": {"matchLabels": {"app": app}}},
        })
    };
    [
        budget("default", "randomforest", "dep-randomforest", "minAvailable", 2),
        budget("team-fraud", "fraud-api", "fraud-api", "maxUnavailable", 0),
    ]
}

pub(super) fn coredns() -> Value {
    let container = json!({
        "name": "coredns", "image": "registry.k8s.io/coredns/coredns:v1.13.1",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "ports": [{"name": "dns", "containerPort": 53, "protocol": "UDP"}],
        "livenessProbe": {"httpGet": {"path": "/health", "port": 8080}, "initialDelaySeconds": 60, "timeoutSeconds": 5, "failureThreshold": 5},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}},
        "resources": {"limits": {"memory": "170Mi"}, "requests": {"cpu": "100m", "memory": "70Mi"}},
    });
    deployment("kube-system", "coredns", 2, json!({"k8s-app": "kube-dns"}), container)
}

pub(super) fn kube_proxy() -> Value {
    let labels = json!({"k8s-app": "kube-proxy"});
    json!({
        "kind": "DaemonSet",
        "metadata": {"name": "kube-proxy", "namespace": "kube-system", "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels}, "revisionHistoryLimit": 10,
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
            "template": {"metadata": {"labels": labels}, "spec": {
                "nodeSelector": {"kubernetes.io/os": "linux"}, "hostNetwork": true,
                "priorityClassName": "system-node-critical", "tolerations": [{"operator": "Exists"}],
                "containers": [{"name": "kube-proxy", "image": "registry.k8s.io/kube-proxy:v1.37.2"}],
            }},
        },
        "status": {
            "currentNumberScheduled": 4, "desiredNumberScheduled": 4, "numberAvailable": 4,
            "numberMisscheduled": 0, "numberReady": 4, "observedGeneration": 1, "updatedNumberScheduled": 4,
        },
    })
}

/// The template of `set`, a DaemonSet, as its controller keeps it.
pub(super) fn controller_revision(set: &Value, hash: &str) -> Value {
    let mut template = set["spec"]["template"].clone();
    template["$patch"] = json!("replace");
    let name = set["metadata"]["name"].as_str().unwrap_or_default();
    let mut labels = set["metadata"]["labels"].clone();
    labels["controller-revision-hash"] = json!(hash);
    json!({
        "kind": "ControllerRevision",
        "metadata": {
            "name": format!("{name}-{hash}"), "namespace": set["metadata"]["namespace"], "labels": labels,
            "ownerReferences": [owner_reference(set)],
        },
        "revision": 1,
        "data": {"spec": {"template": template}},
    })
}

/// A pod of the control plane, which its kubelet runs from a file and mirrors to the API server.
pub(super) fn static_pod(component: &str, node: &Value) -> Value {
    let host = &node["metadata"]["name"];
    let image = match component {
        "etcd" => "registry.k8s.io/etcd:3.6.6-0".to_owned(),
        _ => format!("registry.k8s.io/{component}:v1.37.2"),
    };
    json!({
        "kind": "Pod",
        "metadata": {
            "name": format!("{component}-{}", host.as_str().unwrap_or_default()), "namespace": "kube-system",
            "labels": {"component": component, "tier": "control-plane"},
            "annotations": {"kubernetes.io/config.mirror": "7b3f", "kubernetes.io/config.source": "file"},
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": host, "uid": node["metadata"]["uid"], "controller": true}],
        },
        "spec": {
            "nodeName": host, "hostNetwork": true, "priorityClassName": "system-node-critical",
            "tolerations": [{"effect": "NoExecute", "operator": "Exists"}],
            "containers": [{
                "name": component, "image": image, "command": [component],
                "resources": {"requests": {"cpu": "100m", "memory": "100Mi"}},
            }],
        },
    })
}
