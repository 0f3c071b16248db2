//! Nodes: what a kubelet registers, and the signs of life it repeats
//! (kubernetes `pkg/kubelet/kubelet_node_status.go`, component-helpers `apimachinery/lease/controller.go`).

use serde_json::{Value, json};

use super::admission::or_set;
use super::clock::{micro_stamp, stamp};
use super::cluster::{Action, Cluster};
use super::discovery::KUBERNETES;
use super::object::Object;
use super::recorder::Source;
use super::resource::{LEASES, NODES};

/// `nodeStatusReportFrequency`: an unchanged status is written this rarely; liveness is a matter of
/// Leases.
const REPORT_MS: i64 = 300_000;
/// `nodeLeaseDurationSeconds`, and the quarter of it after which a kubelet renews.
const LEASE_S: i64 = 40;
const RENEW_MS: i64 = LEASE_S * 1000 / 4;
/// Where nodes' leases are.
const LEASE_NAMESPACE: &str = "kube-node-lease";

impl Cluster {
    /// Fills in what the kubelet of a new node reports about it.
    pub(super) fn register(&mut self, object: &Object) {
        let number = match self.addresses.get(&object.name) {
            Some(_) => return,
            None => self.addresses.len() as u32 + 2,
        };
        self.addresses.insert(object.name.clone(), 0);
        self.take_lease(object);
        let known = object.tree();
        if known["status"]["conditions"].is_array() {
            return;
        }
        let ids = [self.random.uuid(), self.random.uuid(), self.random.hex(32)];
        let now = self.now;
        let name = object.name.clone();
        self.update(&NODES, "", &name, |node| fill_in(node, number, ids, now));
        let about = json!({"kind": "Node", "metadata": {"name": name, "uid": object.uid}});
        for (reason, message) in [
            ("Starting", "Starting kubelet.".to_owned()),
            ("NodeReady", format!("Node {name} status is now: NodeReady")),
        ] {
            self.record(Source::kubelet(&name), &about, "", false, reason, &message);
        }
        let message = format!("Node {name} event: Registered Node {name} in Controller");
        self.record(Source::controller("node-controller"), &about, "", false, "RegisteredNode", &message);
    }

    /// A kubelet's lease. Nodes that are there for their number only have none: a thousand of them would be a hundred
    /// writes a second.
    fn take_lease(&mut self, node: &Object) {
        if self.scale.owns_node(&node.name) {
            return;
        }
        self.create(json!({
            "kind": "Lease",
            "metadata": {
                "name": node.name, "namespace": LEASE_NAMESPACE,
                "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": node.name, "uid": node.uid}],
            },
            "spec": {
                "holderIdentity": node.name, "leaseDurationSeconds": LEASE_S, "renewTime": micro_stamp(self.now),
            },
        }));
        if self.begun {
            self.after(RENEW_MS, Action::Renew(node.name.clone()));
        }
    }

    /// Goes on for as long as there is such a lease, and its node.
    pub(super) fn renew(&mut self, name: &str) {
        if self.store.get(&NODES, "", name).is_none() {
            return;
        }
        let now = micro_stamp(self.now);
        let renewed =
            self.update(&LEASES, LEASE_NAMESPACE, name, |lease| lease["spec"]["renewTime"] = json!(now));
        if renewed.is_some() {
            self.after(RENEW_MS, Action::Renew(name.to_owned()));
        }
    }

    pub(super) fn heartbeat(&mut self, name: &str) {
        if self.report_node(name) {
            self.after(REPORT_MS, Action::Heartbeat(name.to_owned()));
        }
    }

    fn report_node(&mut self, name: &str) -> bool {
        let now = self.stamp();
        let reported = self.update(&NODES, "", name, |node| {
            for condition in node["status"]["conditions"].as_array_mut().into_iter().flatten() {
                condition["lastHeartbeatTime"] = json!(now);
            }
        });
        reported.is_some()
    }

    /// Heartbeats begin, spread over the interval; those of the past were skipped but for the last.
    pub(super) fn begin_heartbeats(&mut self) {
        for node in self.store.list(&NODES, None) {
            self.report_node(&node.name);
            let first = self.random.between(0, REPORT_MS);
            self.after(first, Action::Heartbeat(node.name.clone()));
            self.renew(&node.name);
        }
    }

    pub(super) fn node_address(&self, name: &str) -> String {
        let node = self.store.get(&NODES, "", name).map(|node| node.tree()).unwrap_or_default();
        node["status"]["addresses"][0]["address"].as_str().unwrap_or("172.18.0.1").to_owned()
    }

    /// The next address of the node's pod range.
    pub(super) fn next_address(&mut self, name: &str) -> String {
        let range = self.addresses.keys().position(|node| node == name).unwrap_or(0);
        let used = self.addresses.entry(name.to_owned()).or_default();
        *used += 1;
        format!("10.244.{}.{}", range % 256, 2 + (*used - 1) % 252)
    }
}

fn fill_in(node: &mut Value, number: u32, ids: [String; 3], now: i64) {
    let name = node["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let at = stamp(now);
    let [machine, system, boot] = ids;
    or_set(&mut node["metadata"], "labels", json!({}));
    for (key, value) in [
        ("beta.kubernetes.io/arch", "amd64"),
        ("beta.kubernetes.io/os", "linux"),
        ("kubernetes.io/arch", "amd64"),
        ("kubernetes.io/hostname", name.as_str()),
        ("kubernetes.io/os", "linux"),
    ] {
        or_set(&mut node["metadata"]["labels"], key, json!(value));
    }
    or_set(
        &mut node["metadata"],
        "annotations",
        json!({
            "node.alpha.kubernetes.io/ttl": "0",
            "volumes.kubernetes.io/controller-managed-attach-detach": "true",
        }),
    );
    or_set(node, "spec", json!({}));
    let range = format!("10.244.{}.0/24", number.saturating_sub(2) % 256);
    or_set(&mut node["spec"], "podCIDR", json!(range));
    or_set(&mut node["spec"], "podCIDRs", json!([range]));
    or_set(&mut node["spec"], "providerID", json!(format!("demo://docker/demo/{name}")));
    let condition = |kind: &str, good: &str, reason: &str, message: &str| {
        json!({
            "type": kind, "status": good, "reason": reason, "message": message,
            "lastHeartbeatTime": at, "lastTransitionTime": at,
        })
    };
    let amounts = |memory: &str| {
        json!({
            "cpu": "4", "ephemeral-storage": "102107096Ki", "hugepages-1Gi": "0", "hugepages-2Mi": "0",
            "memory": memory, "pods": "110",
        })
    };
    node["status"] = json!({
        "addresses": [
            {"type": "InternalIP", "address": format!("172.18.{}.{}", number / 254, number % 254 + 1)},
            {"type": "Hostname", "address": name},
        ],
        "allocatable": amounts("8026716Ki"),
        "capacity": amounts("8129116Ki"),
        "conditions": [
            condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "images": [],
        "nodeInfo": {
            "architecture": "amd64", "bootID": boot, "containerRuntimeVersion": "containerd://2.2.1",
            "kernelVersion": "6.12.48+deb13-amd64", "kubeProxyVersion": "", "kubeletVersion": KUBERNETES,
            "machineID": machine.replace('-', ""), "operatingSystem": "linux",
            "osImage": "Debian GNU/Linux 13 (trixie)", "systemUUID": system,
        },
    });
}
