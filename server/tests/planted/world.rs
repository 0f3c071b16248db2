//! A cluster of every kind in several namespaces and apps, every text of which is a planted word, and what happens
//! in it by chance. One seed decides all of it.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeSet, HashMap},
    rc::Rc,
};

use serde_json::{Value, json};
use server::demo::{self, Demo};

use super::{address, word};

/// The plural of every kind that is watched, and its name.
pub const KINDS: [(&str, &str); 14] = [
    ("nodes", "Node"),
    ("namespaces", "Namespace"),
    ("pods", "Pod"),
    ("replicationcontrollers", "ReplicationController"),
    ("deployments", "Deployment"),
    ("daemonsets", "DaemonSet"),
    ("statefulsets", "StatefulSet"),
    ("replicasets", "ReplicaSet"),
    ("controllerrevisions", "ControllerRevision"),
    ("services", "Service"),
    ("endpointslices", "EndpointSlice"),
    ("poddisruptionbudgets", "PodDisruptionBudget"),
    ("leases", "Lease"),
    ("events", "Event"),
];
/// Where nodes' Leases are.
const LEASES: &str = "kube-node-lease";
/// The object of each kind by which one knows that all that happened before has arrived.
const MARKER: &str = "marker";

/// Numbers by chance (splitmix64).
pub struct Chance(pub Cell<u64>);

impl Chance {
    pub fn number(&self) -> u64 {
        let mut mixed = self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0.set(mixed);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
    pub fn below(&self, end: usize) -> usize {
        (self.number() % end.max(1) as u64) as usize
    }
    pub fn one_in(&self, times: usize) -> bool {
        self.below(times) == 0
    }
    pub fn of<'a, T>(&self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// An object, and its kind's name.
pub type Known = (&'static str, Rc<Value>);

/// See the module.
pub struct World {
    pub demo: Demo,
    pub chance: Chance,
    pub namespaces: Vec<String>,
    pub apps: Vec<String>,
    words: Cell<usize>,
    addresses: Cell<usize>,
    seconds: Cell<usize>,
    round: Cell<usize>,
    /// What has been listed and not changed since, by kind.
    listed: RefCell<HashMap<&'static str, Vec<Known>>>,
}

/// An object's text at a path of keys and numbers.
pub fn text<'a>(object: &'a Value, path: &str) -> &'a str {
    object.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

pub fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

pub fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

pub fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

fn controlled_by(owner: &Value) -> Value {
    json!([{
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"], "controller": true,
    }])
}

fn next(count: &Cell<usize>) -> usize {
    count.set(count.get() + 1);
    count.get()
}

impl World {
    pub fn new(seed: u64) -> World {
        // uids are made of the seed too: what is known of one cluster's objects is not said of another's
        let demo = demo::start(demo::Options { play: false, seed, ..demo::Options::default() });
        let mut world = World {
            demo,
            chance: Chance(Cell::new(seed)),
            namespaces: Vec::new(),
            apps: Vec::new(),
            words: Cell::default(),
            addresses: Cell::default(),
            seconds: Cell::default(),
            round: Cell::default(),
            listed: RefCell::default(),
        };
        world.fill();
        world
    }

    pub fn word(&self) -> String {
        word(next(&self.words))
    }

    fn address(&self) -> String {
        address(next(&self.addresses))
    }

    /// Each object is made in a second of its own, by which it is known whatever it is called.
    fn created(&self) -> String {
        let at = next(&self.seconds);
        let (hours, minutes, seconds) = (at / 3600, at / 60 % 60, at % 60);
        format!("2026-11-{:02}T{:02}:{minutes:02}:{seconds:02}Z", 1 + hours / 24, hours % 24)
    }

    fn put(&self, mut object: Value) -> Value {
        object["metadata"]["creationTimestamp"] = self.created().into();
        self.listed.borrow_mut().retain(|kind, _| object["kind"] != *kind);
        self.demo.put(object)
    }

    /// Every object there is, with its kind's name.
    pub fn all(&self) -> Vec<Known> {
        let mut listed = self.listed.borrow_mut();
        let of = |(plural, kind): (&'static str, &'static str)| {
            let list =
                || self.demo.list(plural, "").into_iter().map(|object| (kind, Rc::new(object))).collect();
            listed.entry(kind).or_insert_with(list).clone()
        };
        KINDS.into_iter().flat_map(of).collect()
    }

    fn edit(&self, kind: &str, object: &Value, change: impl FnOnce(&mut Value)) -> bool {
        let Some((plural, _)) = KINDS.into_iter().find(|(_, of)| *of == kind) else { return false };
        self.listed.borrow_mut().remove(kind);
        self.demo.edit(plural, namespace(object), name(object), change)
    }

    fn remove(&self, kind: &str, object: &Value) {
        if let Some((plural, _)) = KINDS.into_iter().find(|(_, of)| *of == kind) {
            self.listed.borrow_mut().remove(kind);
            self.demo.remove(plural, namespace(object), name(object));
        }
    }

    fn fill(&mut self) {
        self.namespaces = (0..4).map(|_| self.word()).collect();
        self.apps = (0..3).map(|_| self.word()).collect();
        for name in [self.namespaces.clone(), vec![LEASES.to_owned()]].concat() {
            let (key, value) = (self.word(), self.word());
            self.put(json!({
                "kind": "Namespace", "metadata": {"name": name, "labels": {key: value}}, "status": {"phase": "Active"},
            }));
        }
        let nodes: Vec<Value> = (0..4).map(|_| self.node()).collect();
        for namespace in self.namespaces.clone() {
            for app in self.apps.clone() {
                self.app(&namespace, &app, &nodes);
            }
            let node = self.chance.of(&nodes).clone();
            let mirror = format!("{}-{}", self.word(), name(&node));
            let app = self.chance.of(&self.apps.clone()).clone();
            let mut pod = self.pod(&namespace, &mirror, &app, &node);
            pod["metadata"]["ownerReferences"] = controlled_by(&node);
            self.put(pod);
        }
        for _ in 0..60 {
            self.event();
        }
        self.mark();
    }

    fn node(&self) -> Value {
        let name = self.word();
        let (role, key, zone, taint) = (self.word(), self.word(), self.word(), self.word());
        let (os, word) = (self.word(), self.word());
        let node = self.put(json!({
            "kind": "Node",
            "metadata": {"name": name, "labels": {
                "kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone,
                (format!("node-role.kubernetes.io/{role}")): "", key: name,
            }},
            "spec": {"taints": [{"key": taint, "value": word, "effect": "NoSchedule"}], "providerID": self.word()},
            "status": {
                "addresses": [
                    {"type": "InternalIP", "address": self.address()}, {"type": "ExternalIP", "address": self.address()},
                ],
                "conditions": [{"type": "Ready", "status": "False", "reason": self.word(), "message": self.word()}],
                "nodeInfo": {"osImage": os, "kubeletVersion": self.word(), "architecture": "amd64"},
                "capacity": {"cpu": "4", (format!("example.com/{}", self.word())): "1"},
            },
        }));
        self.put(json!({
            "kind": "Lease",
            "metadata": {"name": name, "namespace": LEASES, "ownerReferences": controlled_by(&node)},
            "spec": {"holderIdentity": name, "leaseDurationSeconds": 40},
        }));
        node
    }

    /// A template's or a pod's containers.
    fn containers(&self) -> Value {
        json!([{
            "name": self.word(), "image": format!("{}/{}:{}", self.word(), self.word(), self.word()),
            "ports": [{"name": self.word(), "containerPort": 80}],
            "env": [{"name": self.word(), "value": self.word()}],
            "livenessProbe": {"httpGet": {"path": format!("/{}?{}", self.word(), self.word()), "port": self.word()}},
        }])
    }

    fn pod(&self, namespace: &str, name: &str, app: &str, node: &Value) -> Value {
        let tier = if self.chance.one_in(2) {
            json!({"app": app, "tier": self.word()})
        } else {
            json!({"app": app})
        };
        let containers = self.containers();
        json!({
            "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace, "labels": tier},
            "spec": {
                "nodeName": node["metadata"]["name"], "containers": containers,
                "nodeSelector": {(self.word()): self.word()},
                "tolerations": [{"key": self.word(), "value": self.word(), "effect": "NoSchedule"}],
                "serviceAccountName": self.word(),
            },
            "status": {
                "phase": "Running", "podIP": self.address(), "hostIP": node["status"]["addresses"][0]["address"],
                "conditions": [
                    {"type": "Ready", "status": "False", "reason": "ContainersNotReady", "message": format!(
                        "containers with unready status: [{}] {}", text(&containers, "/0/name"), self.word(),
                    )},
                ],
                "containerStatuses": [{
                    "name": containers[0]["name"], "ready": false, "restartCount": 1, "imageID": containers[0]["image"],
                    "state": {"waiting": {"reason": "CrashLoopBackOff", "message": self.word()}},
                    "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "message": self.word()}},
                }],
            },
        })
    }

    /// An app with everything that apps have.
    fn app(&self, space: &str, app: &str, nodes: &[Value]) {
        let labels = json!({"app": app, (self.word()): self.word()});
        let containers = self.containers();
        let template = json!({"metadata": {"labels": {"app": app}}, "spec": {"containers": containers}});
        let spec = json!({"replicas": 2, "selector": {"matchLabels": {"app": app}}, "template": template});
        let called = self.word();
        let object = |kind: &str, name: &str, spec: &Value| json!({"kind": kind, "metadata": {"name": name, "namespace": space, "labels": labels}, "spec": spec});
        let mut deployment = object("Deployment", &called, &spec);
        deployment["status"] = json!({"conditions": [
            {"type": "Available", "status": "False", "reason": self.word(), "message": self.word()},
        ]});
        let deployment = self.put(deployment);
        let set = format!("{called}-{}", self.word());
        let mut replicas = object("ReplicaSet", &set, &spec);
        replicas["metadata"]["ownerReferences"] = controlled_by(&deployment);
        replicas["metadata"]["annotations"] =
            json!({"deployment.kubernetes.io/revision": "1", "kubernetes.io/change-cause": self.word()});
        let replicas = self.put(replicas);
        let stateful = object("StatefulSet", &self.word(), &spec);
        let stateful = self.put(stateful);
        let agents = object("DaemonSet", &self.word(), &spec);
        let agents = self.put(agents);
        for owner in [&stateful, &agents] {
            let mut revision =
                object("ControllerRevision", &format!("{}-{}", name(owner), self.word()), &json!(null));
            revision["metadata"]["ownerReferences"] = controlled_by(owner);
            revision["revision"] = json!(1);
            revision["data"] = json!({"spec": {"template": template}});
            self.put(revision);
        }
        let mut controller = object("ReplicationController", &self.word(), &spec);
        controller["spec"]["selector"] = json!({"app": app});
        let controller = self.put(controller);
        let service = self.word();
        self.put(json!({
            "kind": "Service",
            "metadata": {"name": service, "namespace": space, "labels": labels},
            "spec": {
                "clusterIP": self.address(), "selector": {"app": app}, "type": "LoadBalancer",
                "ports": [{"name": self.word(), "port": 80, "targetPort": self.word(), "protocol": "TCP"}],
            },
            "status": {"loadBalancer": {"ingress": [{"hostname": format!("{}.example.com", self.word())}]}},
        }));
        let mut pods = Vec::new();
        for (owner, at) in
            [(&replicas, ""), (&replicas, ""), (&stateful, "0"), (&agents, ""), (&controller, "")]
        {
            let suffix = if at.is_empty() { self.word() } else { at.to_owned() };
            let node = self.chance.of(nodes).clone();
            let mut pod = self.pod(space, &format!("{}-{suffix}", name(owner)), app, &node);
            pod["metadata"]["ownerReferences"] = controlled_by(owner);
            pods.push(self.put(pod));
        }
        let slice = format!("{service}-{}", self.word());
        let ports = json!([{"name": self.word(), "port": 80, "protocol": "TCP"}]);
        let endpoints = self.endpoints(&pods);
        self.put(json!({
            "kind": "EndpointSlice",
            "metadata": {"name": slice, "namespace": space, "labels": {"kubernetes.io/service-name": service}},
            "addressType": "IPv4", "ports": ports, "endpoints": endpoints,
        }));
        self.put(json!({
            "kind": "PodDisruptionBudget",
            "metadata": {"name": self.word(), "namespace": space, "labels": labels},
            "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": app, "tier": self.word()}}},
        }));
    }

    fn endpoints(&self, pods: &[Value]) -> Value {
        let one = |pod: &Value| {
            let zone = self.word();
            json!({
                "addresses": [pod["status"]["podIP"]], "conditions": {"ready": true}, "zone": zone,
                "nodeName": pod["spec"]["nodeName"],
                "targetRef": {
                    "kind": "Pod", "name": pod["metadata"]["name"], "namespace": pod["metadata"]["namespace"],
                    "uid": pod["metadata"]["uid"],
                },
            })
        };
        pods.iter().map(one).collect::<Vec<_>>().into()
    }

    /// Something is said of an object, in words in which others are named.
    pub fn event(&self) {
        let all = self.all();
        let (kind, about) = self.chance.of(&all).clone();
        // what follows something else may go before or after it
        if matches!(kind, "Event" | "Namespace" | "Lease" | "EndpointSlice" | "ControllerRevision")
            || name(&about) == MARKER
        {
            return;
        }
        let (_, other) = self.chance.of(&all).clone();
        let own = self.words_of(&about);
        let others = self.words_of(&other);
        let (mine, theirs) = (self.chance.of(&own).clone(), self.chance.of(&others).clone());
        let called = name(&about).to_owned();
        let message = match self.chance.below(9) {
            0 => format!("Successfully assigned {}/{} to {mine}", namespace(&about), name(&about)),
            1 => format!("Scaled up replica set {} from 0 to 1", name(&other)),
            2 => format!("Created pod: {called}-of-{theirs}, {}", name(&other)),
            3 => format!("MountVolume.SetUp failed for volume \"{theirs}\" : secret \"{mine}\" not found"),
            4 => format!(
                "Back-off restarting failed container {mine} in pod {called}_{}({theirs})",
                namespace(&about)
            ),
            5 => format!("Get \"http://{theirs}:8080/\": dial tcp {theirs}: connect: connection refused"),
            6 => format!(
                "node(s) had untolerated taint {{{theirs}: {mine}}}. {called}/{theirs} {theirs}_{called}."
            ),
            7 => format!("{} {}.{theirs} '{theirs}' {theirs}, {called}", name(&other), name(&other)),
            _ => format!("Killing container {mine}: {called} of {theirs}"),
        };
        let space = match namespace(&about) {
            "" => self.namespaces[0].clone(),
            space if self.chance.one_in(8) => {
                self.chance.of(&[self.namespaces.clone(), vec![space.to_owned()]].concat()).clone()
            }
            space => space.to_owned(),
        };
        let title = if self.chance.one_in(4) { theirs.clone() } else { called.clone() };
        let title = format!("{title}.{:x}", self.chance.number());
        let container = text(&about, "/spec/containers/0/name").to_owned();
        let container = if self.chance.one_in(3) { theirs.clone() } else { container };
        let within = if self.chance.one_in(6) { namespace(&other) } else { namespace(&about) };
        let host = if self.chance.one_in(2) { text(&about, "/spec/nodeName").to_owned() } else { theirs };
        let component = if self.chance.one_in(3) { self.word() } else { "kubelet".to_owned() };
        self.put(json!({
            "kind": "Event",
            "metadata": {"name": title, "namespace": space},
            "involvedObject": {
                "kind": kind, "name": called, "namespace": within, "uid": uid(&about),
                "fieldPath": format!("spec.containers{{{container}}}"),
            },
            "type": "Warning", "reason": if self.chance.one_in(4) { self.word() } else { "BackOff".to_owned() },
            "message": message, "count": 2, "source": {"component": component, "host": host},
            "reportingComponent": component, "firstTimestamp": "2026-11-23T15:00:00Z",
            "lastTimestamp": "2026-11-23T15:00:00Z",
        }));
    }

    /// What an object says, piece by piece.
    fn words_of(&self, object: &Value) -> Vec<String> {
        let mut words: BTreeSet<String> = super::found(object.to_string().as_bytes());
        words.insert(name(object).to_owned());
        words.into_iter().collect()
    }

    /// One change of an object that is not in `changed` yet.
    pub fn change(&self, changed: &mut BTreeSet<String>) {
        let all = self.all();
        let free = |(_, object): &&Known| name(object) != MARKER && !changed.contains(uid(object));
        let free: Vec<_> = all.iter().filter(free).cloned().collect();
        if free.is_empty() {
            return;
        }
        let (kind, object) = self.chance.of(&free).clone();
        let mut object = Value::clone(&object);
        let before = object.clone();
        changed.insert(uid(&object).to_owned());
        let action = self.chance.below(10);
        match (action, kind) {
            (_, "Namespace" | "Lease") => {}
            (0, _) => self.remove(kind, &before),
            (1, _) => {
                self.remove(kind, &before);
                object["metadata"]["uid"] = Value::Null;
                let new = self.put(object);
                changed.insert(uid(&new).to_owned());
            }
            (2, _) => {
                self.edit(kind, &before, |object| object["metadata"]["ownerReferences"] = Value::Null);
            }
            (3, _) => {
                self.event();
            }
            (_, "EndpointSlice") => {
                let pods = self.demo.list("pods", namespace(&before));
                let some: Vec<Value> = pods.into_iter().filter(|_| self.chance.one_in(3)).collect();
                let endpoints = self.endpoints(&some);
                self.edit(kind, &before, |slice| slice["endpoints"] = endpoints);
            }
            (4, "Pod") => {
                let (address, word) = (self.address(), self.word());
                self.edit(kind, &before, |pod| {
                    pod["status"]["podIP"] = address.into();
                    pod["spec"]["containers"][0]["image"] = word.into();
                });
            }
            (_, "Event" | "ControllerRevision") => {}
            _ => {
                let app = self.chance.of(&self.apps.clone()).clone();
                let tier = self.chance.one_in(2).then(|| self.word());
                self.edit(kind, &before, |object| {
                    object["metadata"]["labels"]["app"] = app.into();
                    match tier {
                        Some(tier) => object["metadata"]["labels"]["tier"] = tier.into(),
                        None => {
                            if let Some(labels) = object["metadata"]["labels"].as_object_mut() {
                                labels.remove("tier");
                            }
                        }
                    }
                });
            }
        }
    }

    /// Marks in every kind that everything before has been said; gives what each marker then says.
    pub fn mark(&self) -> String {
        let round = next(&self.round).to_string();
        for (_, kind) in KINDS {
            let mut marker =
                json!({"kind": kind, "metadata": {"name": MARKER, "labels": {"round": round.clone()}}});
            match kind {
                "Node" | "Namespace" => {}
                "Lease" => marker["metadata"]["namespace"] = LEASES.into(),
                _ => marker["metadata"]["namespace"] = "default".into(),
            }
            let known = self
                .edit(kind, &marker, |known| known["metadata"]["labels"] = json!({"round": round.clone()}));
            if !known {
                self.put(marker);
            }
        }
        round
    }
}
