//! EndpointSlices: the addresses behind each Service (kubernetes `pkg/controller/endpointslice`, and
//! `reconciler.go` and `utils.go` of `k8s.io/endpointslice`).

use std::sync::Arc;

use serde_json::{Value, json};

use super::cluster::Cluster;
use super::object::Object;
use super::replicas::owner_reference;
use super::resource::{ENDPOINT_SLICES, NODES, PODS, SERVICES};

/// `maxEndpointsPerSlice`.
const MOST: usize = 100;
const OF_SERVICE: &str = "kubernetes.io/service-name";

/// Ports that some pods serve on, and those pods.
type Group = (Value, Vec<Value>);

impl Cluster {
    /// A pod came, changed or went: whichever Services it is, or was, behind look again.
    pub(super) fn look_at_services(&mut self, namespace: &str) {
        for service in self.store.list(&SERVICES, Some(namespace)) {
            self.sync_endpoints(namespace, &service.name);
        }
    }

    /// Makes a Service's slices what its pods are. Without a selector they are somebody else's affair.
    pub(super) fn sync_endpoints(&mut self, namespace: &str, name: &str) {
        let Some(service) = self.store.get(&SERVICES, namespace, name).map(|service| service.tree()) else {
            return;
        };
        let selector = service["spec"]["selector"].as_object().filter(|selector| !selector.is_empty());
        if selector.is_none() || service["spec"]["type"] == "ExternalName" {
            return;
        }
        let mut slices = self.store.list(&ENDPOINT_SLICES, Some(namespace));
        slices.retain(|slice| slice.labels.get(OF_SERVICE).map(String::as_str) == Some(name));
        let mut groups = self.wanted_endpoints(&service);
        if groups.is_empty() {
            // A Service without pods has one slice, without ports.
            groups.push((Value::Null, Vec::new()));
        }
        for (ports, wanted) in groups {
            let (same, others) = slices.into_iter().partition(|slice| slice.tree()["ports"] == ports);
            slices = others;
            self.fill_slices(&service, &ports, same, wanted);
        }
        for slice in slices {
            self.delete(&ENDPOINT_SLICES, namespace, &slice.name);
        }
    }

    /// The endpoints of a Service's pods, by the ports that these have (a name leads each pod to a port of its own).
    fn wanted_endpoints(&self, service: &Value) -> Vec<Group> {
        let namespace = service["metadata"]["namespace"].as_str().unwrap_or_default();
        let selector = &service["spec"]["selector"];
        let mut groups: Vec<Group> = Vec::new();
        for pod in self.store.list(&PODS, Some(namespace)) {
            let mut pairs = selector.as_object().into_iter().flatten();
            let selected =
                pairs.all(|(key, value)| pod.labels.get(key).map(String::as_str) == value.as_str());
            if !selected || matches!(pod.field("status.phase"), "Succeeded" | "Failed") {
                continue;
            }
            let Some(endpoint) = self.endpoint(service, &pod) else { continue };
            let ports = ports(service, &pod.tree());
            match groups.iter_mut().find(|(of, _)| *of == ports) {
                Some((_, endpoints)) => endpoints.push(endpoint),
                None => groups.push((ports, vec![endpoint])),
            }
        }
        groups
    }

    /// `podToEndpoint`; none for a pod that has no address yet.
    fn endpoint(&self, service: &Value, object: &Object) -> Option<Value> {
        let pod = object.tree();
        let addresses: Vec<&str> =
            pod["status"]["podIPs"].as_array()?.iter().filter_map(|ip| ip["ip"].as_str()).collect();
        if addresses.is_empty() {
            return None;
        }
        let (serving, terminating) = (object.ready_since.is_some(), object.deleting);
        let ready = service["spec"]["publishNotReadyAddresses"] == true || (serving && !terminating);
        let node = object.field("spec.nodeName");
        let mut endpoint = json!({
            "addresses": addresses,
            "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
            "nodeName": node,
            "targetRef": {"kind": "Pod", "namespace": object.namespace, "name": object.name, "uid": object.uid},
        });
        let zone = self.store.get(&NODES, "", node);
        if let Some(zone) = zone.and_then(|node| node.labels.get("topology.kubernetes.io/zone").cloned()) {
            endpoint["zone"] = json!(zone);
        }
        Some(endpoint)
    }

    /// Puts the endpoints that serve on the same ports into slices: who is in one stays there.
    fn fill_slices(
        &mut self,
        service: &Value,
        ports: &Value,
        slices: Vec<Arc<Object>>,
        mut wanted: Vec<Value>,
    ) {
        let uid = |endpoint: &Value| endpoint["targetRef"]["uid"].clone();
        let kept: Vec<Vec<Value>> = slices
            .iter()
            .map(|slice| {
                let tree = slice.tree();
                let there = tree["endpoints"].as_array().map_or(&[][..], Vec::as_slice);
                let stays = |old: &Value| {
                    let at = wanted.iter().position(|endpoint| uid(endpoint) == uid(old))?;
                    Some(wanted.remove(at))
                };
                there.iter().filter_map(stays).collect()
            })
            .collect();
        let empty = wanted.is_empty() && kept.iter().all(Vec::is_empty);
        for (at, (slice, mut endpoints)) in slices.iter().zip(kept).enumerate() {
            let room = MOST.saturating_sub(endpoints.len()).min(wanted.len());
            endpoints.extend(wanted.drain(..room));
            if endpoints.is_empty() && !(empty && at == 0) {
                self.delete(&ENDPOINT_SLICES, &slice.namespace, &slice.name);
            } else {
                self.write_slice(slice, endpoints);
            }
        }
        if slices.is_empty() && wanted.is_empty() {
            self.create(new_slice(service, ports, &[]));
        }
        for chunk in wanted.chunks(MOST) {
            self.create(new_slice(service, ports, chunk));
        }
    }

    fn write_slice(&mut self, slice: &Object, endpoints: Vec<Value>) {
        let endpoints = if endpoints.is_empty() { Value::Null } else { json!(endpoints) };
        let now = self.stamp();
        self.update(&ENDPOINT_SLICES, &slice.namespace, &slice.name, |slice| {
            if slice["endpoints"] == endpoints {
                return;
            }
            slice["endpoints"] = endpoints;
            slice["metadata"]["generation"] =
                json!(slice["metadata"]["generation"].as_i64().unwrap_or(1) + 1);
            slice["metadata"]["annotations"] =
                json!({"endpoints.kubernetes.io/last-change-trigger-time": now});
        });
    }
}

/// `newEndpointSlice`: an owned object with its Service's labels and its own.
fn new_slice(service: &Value, ports: &Value, endpoints: &[Value]) -> Value {
    let metadata = &service["metadata"];
    let mut labels = metadata["labels"].clone();
    if !labels.is_object() {
        labels = json!({});
    }
    labels[OF_SERVICE] = metadata["name"].clone();
    labels["endpointslice.kubernetes.io/managed-by"] = json!("endpointslice-controller.k8s.io");
    if service["spec"]["clusterIP"] == "None" {
        labels["service.kubernetes.io/headless"] = json!("");
    }
    let name = metadata["name"].as_str().unwrap_or_default();
    let endpoints = if endpoints.is_empty() { Value::Null } else { json!(endpoints) };
    json!({
        "kind": "EndpointSlice", "addressType": "IPv4", "ports": ports, "endpoints": endpoints,
        "metadata": {
            "generateName": format!("{name}-"), "namespace": metadata["namespace"], "labels": labels,
            "ownerReferences": [owner_reference(service)],
        },
    })
}

/// `getEndpointPorts`: a port that the pod does not have is left out.
fn ports(service: &Value, pod: &Value) -> Value {
    let ports = service["spec"]["ports"].as_array().map_or(&[][..], Vec::as_slice);
    let resolved = ports.iter().filter_map(|port| {
        let number = find_port(port, pod)?;
        let name = port["name"].as_str().unwrap_or_default();
        let mut found = json!({"name": name, "port": number, "protocol": port["protocol"]});
        if port["appProtocol"].is_string() {
            found["appProtocol"] = port["appProtocol"].clone();
        }
        Some(found)
    });
    let resolved: Vec<Value> = resolved.collect();
    if resolved.is_empty() { Value::Null } else { json!(resolved) }
}

/// `FindPort`: a number as it stands; a name is looked for among the containers' ports.
fn find_port(port: &Value, pod: &Value) -> Option<i64> {
    let target = &port["targetPort"];
    let Some(name) = target.as_str() else {
        return target.as_i64().or_else(|| port["port"].as_i64());
    };
    let containers = pod["spec"]["containers"].as_array()?;
    let mut all = containers.iter().flat_map(|container| container["ports"].as_array().into_iter().flatten());
    all.find(|own| own["name"] == name && own["protocol"] == port["protocol"])?["containerPort"].as_i64()
}
