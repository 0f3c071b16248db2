//! The play: six days of past in an instant, then the tutorial, over and over.

use serde_json::{Value, json};

use super::clock::stamp;
use super::cluster::{Action, Cluster};
use super::replicas::owner_reference;
use super::resource::{DEPLOYMENTS, NODES, PODS, REPLICA_SETS, REPLICATION_CONTROLLERS, Resource};
use super::rollout::REVISION;
use super::tutorial::{
    self, CONTROLLER, DEPLOYMENT, FOREST_V2, GOOD_PATH, HEALTHCHECK, MISTYPED, SELECTED, SLOW,
};
use super::workload::full_name;

/// How long one round of the play takes.
pub(super) const ROUND_MS: i64 = 280_000;
const SECOND: i64 = 1000;
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const CORDONED: &str = "demo-worker3";
const LABELLED: &str = "demo-worker2";

/// One thing the tutorial makes you type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scene {
    Update,
    KillReplica,
    DeployForNodes,
    BreakLiveness,
    RestartRanker,
    Cordon,
    Mistype,
    LabelNode,
    Undo,
    RestartSlow,
    Uncordon,
    MendLiveness,
    UnlabelNode,
    CleanUp,
    ScaleUp,
    ScaleDown,
    Again,
}

const ROUND: [(i64, Scene); 18] = [
    (4, Scene::Update),
    (12, Scene::BreakLiveness),
    (25, Scene::KillReplica),
    (40, Scene::DeployForNodes),
    (85, Scene::RestartRanker),
    (95, Scene::Cordon),
    (100, Scene::Mistype),
    (120, Scene::LabelNode),
    (140, Scene::Undo),
    (150, Scene::RestartSlow),
    (165, Scene::Uncordon),
    (200, Scene::KillReplica),
    (245, Scene::UnlabelNode),
    (250, Scene::CleanUp),
    (258, Scene::ScaleUp),
    (272, Scene::ScaleDown),
    (276, Scene::MendLiveness),
    (280, Scene::Again),
];

impl Cluster {
    /// Plays the past up to `now`, so that the cluster is found settled, with ages from seconds to
    /// days. The clock is set back for it: nothing tells it from a past that took place.
    pub(super) fn populate(&mut self, now: i64) {
        self.now = now - 6 * DAY - HOUR;
        for namespace in ["default", "kube-node-lease", "kube-public", "kube-system"] {
            self.create(tutorial::namespace(namespace));
        }
        for node in ["demo-control-plane", "demo-worker", LABELLED, CORDONED] {
            self.create(tutorial::node(node));
            self.run_until(self.now + 9 * SECOND);
        }
        self.system();
        self.pass_until(now - 5 * DAY);
        for team in ["team-fraud", "team-listing"] {
            self.create(tutorial::namespace(team));
        }
        let host = self.node_address("demo-control-plane");
        let services = tutorial::services().into_iter().chain([tutorial::kubernetes_slice(&host)]);
        for each in tutorial::teams().into_iter().chain(services).chain(tutorial::budgets()) {
            self.create(each);
        }
        self.pass_until(now - 2 * DAY);
        self.create(tutorial::replication_controller());
        self.pass_until(now - 26 * HOUR);
        self.create(tutorial::pod());
        self.pass_until(now - 3 * HOUR);
        for each in [tutorial::rolling(), tutorial::healthcheck(), tutorial::slow_start()] {
            self.create(each);
            self.run_until(self.now + 240 * SECOND);
        }
        self.pass_until(now - ROUND_MS);
        self.round();
        self.run_until(now);
    }

    fn round(&mut self) {
        for (second, scene) in ROUND {
            self.after(second * SECOND, Action::Play(scene));
        }
    }

    /// Lets everything come to rest, then time pass without anybody looking.
    fn pass_until(&mut self, ms: i64) {
        self.run_until((self.now + 240 * SECOND).min(ms));
        self.run_until(ms);
        self.expire_events();
    }

    fn system(&mut self) {
        let Some(host) = self.store.get(&NODES, "", "demo-control-plane").map(|node| node.value()) else {
            return;
        };
        for component in ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] {
            self.create(tutorial::static_pod(component, &host));
        }
        self.create(tutorial::coredns());
        let Some(proxies) = self.create(tutorial::kube_proxy()).map(|set| set.value()) else {
            return;
        };
        self.create(tutorial::controller_revision(&proxies, "6f9d4b7c8d"));
        for node in self.store.list(&NODES, None) {
            let mut pod = json!({
                "kind": "Pod",
                "metadata": {
                    "generateName": "kube-proxy-", "namespace": "kube-system",
                    "labels": {"k8s-app": "kube-proxy", "controller-revision-hash": "6f9d4b7c8d", "pod-template-generation": "1"},
                    "ownerReferences": [owner_reference(&proxies)],
                },
                "spec": proxies["spec"]["template"]["spec"],
            });
            pod["spec"]["nodeName"] = json!(node.name);
            self.create(pod);
        }
    }

    pub(super) fn play(&mut self, scene: Scene) {
        match scene {
            Scene::Update => self.edit_deployment(DEPLOYMENT, |deployment| {
                deployment["metadata"]["annotations"]["kubernetes.io/change-cause"] = json!(format!(
                    "kubectl set image deployment/{DEPLOYMENT} simple-randomforest={FOREST_V2}"
                ));
                container(deployment)["image"] = json!(FOREST_V2);
            }),
            Scene::Undo => self.undo("default", DEPLOYMENT),
            Scene::KillReplica => self.kill_one(&REPLICATION_CONTROLLERS, "default", CONTROLLER),
            Scene::DeployForNodes => {
                self.create(tutorial::node_selector());
                self.create(tutorial::crashing());
            }
            Scene::LabelNode => self.edit_node(LABELLED, |node| {
                node["metadata"]["labels"]["project"] = json!("listingqc");
            }),
            Scene::UnlabelNode => self.edit_node(LABELLED, |node| {
                if let Some(labels) = node["metadata"]["labels"].as_object_mut() {
                    labels.remove("project");
                }
            }),
            Scene::BreakLiveness => self.set_liveness("/predict"),
            Scene::MendLiveness => self.set_liveness(GOOD_PATH),
            Scene::RestartRanker => self.kill_one_of_deployment("team-listing", "listing-ranker"),
            Scene::Cordon => self.cordon(true),
            Scene::Uncordon => self.cordon(false),
            Scene::Mistype => drop(self.create(tutorial::mistyped())),
            Scene::RestartSlow => {
                let now = stamp(self.now);
                self.edit_deployment(SLOW, |slow| {
                    slow["spec"]["template"]["metadata"]["annotations"] =
                        json!({"kubectl.kubernetes.io/restartedAt": now});
                });
            }
            Scene::CleanUp => {
                for name in [SELECTED, MISTYPED] {
                    self.delete(&DEPLOYMENTS, "default", name);
                }
                self.delete(&DEPLOYMENTS, "team-listing", tutorial::CRASHING);
            }
            Scene::ScaleUp => {
                self.edit_deployment(DEPLOYMENT, |deployment| deployment["spec"]["replicas"] = json!(4))
            }
            Scene::ScaleDown => {
                self.edit_deployment(DEPLOYMENT, |deployment| deployment["spec"]["replicas"] = json!(3))
            }
            Scene::Again => {
                // The kubelets' image garbage collection: the next update pulls v2 anew.
                let unused = full_name(FOREST_V2);
                self.images.retain(|(_, image)| *image != unused);
                self.round();
            }
        }
    }

    fn edit_deployment(&mut self, name: &str, change: impl FnOnce(&mut Value)) {
        self.update(&DEPLOYMENTS, "default", name, change);
    }

    fn edit_node(&mut self, name: &str, change: impl FnOnce(&mut Value)) {
        self.update(&NODES, "", name, change);
    }

    fn set_liveness(&mut self, path: &str) {
        self.edit_deployment(HEALTHCHECK, |deployment| {
            container(deployment)["livenessProbe"]["httpGet"]["path"] = json!(path);
        });
    }

    /// `kubectl cordon`, and the taint the node controller adds to a cordoned node.
    fn cordon(&mut self, on: bool) {
        let now = self.stamp();
        self.edit_node(CORDONED, |node| {
            let Some(spec) = node["spec"].as_object_mut() else { return };
            if on {
                let taint = json!({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "timeAdded": now});
                spec.insert("unschedulable".to_owned(), json!(true));
                spec.insert("taints".to_owned(), json!([taint]));
            } else {
                spec.remove("unschedulable");
                spec.remove("taints");
            }
        });
        let state = if on { "NodeNotSchedulable" } else { "NodeSchedulable" };
        let Some(node) = self.store.get(&NODES, "", CORDONED) else {
            return;
        };
        let about = json!({"kind": "Node", "metadata": {"name": CORDONED, "uid": node.uid}});
        let message = format!("Node {CORDONED} status is now: {state}");
        self.record(super::recorder::Source::kubelet(CORDONED), &about, "", false, state, &message);
    }

    fn kill_one(&mut self, resource: &Resource, namespace: &str, name: &str) {
        let Some(owner) = self.store.get(resource, namespace, name) else {
            return;
        };
        let mut pods = self.pods_of(namespace, &owner.uid);
        pods.retain(|pod| !pod.deleting);
        let chosen = self.random.between(0, pods.len() as i64);
        if let Some(pod) = pods.get(chosen as usize) {
            self.delete(&PODS, namespace, &pod.name);
        }
    }

    fn kill_one_of_deployment(&mut self, namespace: &str, name: &str) {
        let Some(deployment) = self.store.get(&DEPLOYMENTS, namespace, name) else {
            return;
        };
        let sets = self.store.list(&REPLICA_SETS, Some(namespace));
        if let Some(set) = sets.iter().find(|set| set.owner == deployment.uid) {
            self.kill_one(&REPLICA_SETS, namespace, &set.name);
        }
    }

    /// `kubectl rollout undo`: the template of the second-highest revision is copied back, with
    /// its change cause (kubectl `pkg/polymorphichelpers/rollback.go`).
    pub(super) fn undo(&mut self, namespace: &str, name: &str) {
        let Some(deployment) = self.store.get(&DEPLOYMENTS, namespace, name) else {
            return;
        };
        let owned = self.store.list(&REPLICA_SETS, Some(namespace));
        let owned = owned.iter().filter(|set| set.owner == deployment.uid);
        let mut sets: Vec<Value> = owned.map(|set| set.value()).collect();
        sets.sort_by_key(|set| {
            let revision = set["metadata"]["annotations"][REVISION].as_str();
            revision.and_then(|text| text.parse::<i64>().ok()).unwrap_or(0)
        });
        let Some(target) = sets.iter().rev().nth(1) else {
            return;
        };
        let mut template = target["spec"]["template"].clone();
        if let Some(labels) = template["metadata"]["labels"].as_object_mut() {
            labels.remove("pod-template-hash");
        }
        let cause = target["metadata"]["annotations"]["kubernetes.io/change-cause"].clone();
        self.update(&DEPLOYMENTS, namespace, name, |deployment| {
            deployment["spec"]["template"] = template;
            if cause.is_string() {
                deployment["metadata"]["annotations"]["kubernetes.io/change-cause"] = cause;
            }
        });
    }
}

fn container(deployment: &mut Value) -> &mut Value {
    &mut deployment["spec"]["template"]["spec"]["containers"][0]
}
