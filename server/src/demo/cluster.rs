//! The one task that plays every component of the cluster: a discrete-event simulation.
//!
//! What is to happen stands on an agenda, by time; what changed in the store is looked at by the
//! controllers until nothing changes any more. An action is stamped with the time it was due, not
//! with the time the task got to run, so a busy machine does not alter the trace, and the past can
//! be played in an instant at the start.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::admission;
use super::clock::{Clock, stamp};
use super::deletion;
use super::kubelet::Step;
use super::object::Object;
use super::random::Random;
use super::recorder::Recorder;
use super::resource::{self, DEPLOYMENTS, NODES, PODS, REPLICA_SETS, REPLICATION_CONTROLLERS, Resource};
use super::run::Run;
use super::scale::Scale;
use super::script::Scene;
use super::store::{Key, Store};

/// Something due at a time.
#[derive(Clone, Debug)]
pub(super) enum Action {
    /// A kubelet goes on with a pod, named by UID.
    Kubelet(String, Step),
    /// A controller looks at an object again.
    Sync(Key),
    /// The scheduler tries pods it could not place.
    Reschedule,
    /// A node reports its status although nothing changed.
    Heartbeat(String),
    /// A node's kubelet renews its lease.
    Renew(String),
    /// Events that are an hour old go.
    ExpireEvents,
    /// The next line of the script.
    Play(Scene),
    /// Some extra pod changes.
    Churn,
}

pub(super) struct Cluster {
    pub(super) store: Arc<Store>,
    /// The time of the action being carried out.
    pub(super) now: i64,
    pub(super) random: Random,
    pub(super) recorder: Recorder,
    /// What the kubelets know of the pods they run, by UID.
    pub(super) runs: BTreeMap<String, Run>,
    /// Images present, by node.
    pub(super) images: BTreeSet<(String, String)>,
    pub(super) addresses: BTreeMap<String, u32>,
    pub(super) scale: Scale,
    /// Whether the present has begun: the past is played without what repeats itself in it.
    pub(super) begun: bool,
    agenda: BTreeMap<(i64, u64), Action>,
    planned: u64,
}

impl Cluster {
    pub(super) fn new(store: Arc<Store>, seed: u64, now: i64, scale: Scale) -> Cluster {
        Cluster {
            store,
            now,
            random: Random::seeded(seed),
            recorder: Recorder::default(),
            runs: BTreeMap::new(),
            images: BTreeSet::new(),
            addresses: BTreeMap::new(),
            scale,
            begun: false,
            agenda: BTreeMap::new(),
            planned: 0,
        }
    }

    /// From here on time is the clock's, and what goes on for ever begins.
    pub(super) fn begin(&mut self) {
        self.begun = true;
        self.begin_heartbeats();
        self.after(30_000, Action::ExpireEvents);
        self.after(300_000, Action::Reschedule);
    }

    /// Lives until it is dropped or `stopped`.
    pub(super) async fn run(mut self, clock: Clock, stopped: CancellationToken) {
        loop {
            self.run_until(clock.now_ms());
            let next = self.agenda.keys().next().map_or(i64::MAX, |(at, _)| *at);
            tokio::select! {
                () = stopped.cancelled() => return,
                () = self.store.kicked() => {}
                () = tokio::time::sleep(clock.until(next)) => {}
            }
        }
    }

    /// Carries out everything due until `end`, in order.
    pub(super) fn run_until(&mut self, end: i64) {
        // What a client wrote since then is looked at as of now, not as of the last action.
        let next = self.agenda.keys().next().map_or(end, |(at, _)| *at);
        self.now = self.now.max(next.min(end));
        self.settle();
        while let Some(entry) = self.agenda.first_entry() {
            let at = entry.key().0;
            if at > end {
                break;
            }
            let action = entry.remove();
            self.now = self.now.max(at);
            self.act(action);
            self.settle();
        }
        self.now = self.now.max(end);
    }

    pub(super) fn after(&mut self, ms: i64, action: Action) {
        self.at(self.now + ms, action);
    }

    pub(super) fn at(&mut self, ms: i64, action: Action) {
        self.planned += 1;
        self.agenda.insert((ms, self.planned), action);
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Kubelet(uid, step) => self.kubelet(&uid, step),
            Action::Sync(key) => self.look(&key),
            Action::Reschedule => {
                self.schedule_pending();
                // kubernetes `pkg/scheduler/backend/queue`: what did not fit is tried again after
                // five minutes even if nothing happened.
                self.after(300_000, Action::Reschedule);
            }
            Action::Heartbeat(node) => self.heartbeat(&node),
            Action::Renew(node) => self.renew(&node),
            Action::ExpireEvents => {
                self.expire_events();
                self.after(30_000, Action::ExpireEvents);
            }
            Action::Play(scene) => self.play(scene),
            Action::Churn => self.churn(),
        }
    }

    /// Lets the controllers look at what changed until they are content.
    fn settle(&mut self) {
        while let Some(key) = self.store.next_dirty() {
            self.look(&key);
        }
    }

    fn look(&mut self, key: &Key) {
        let (plural, namespace, name) = key;
        match *plural {
            "pods" => self.look_at_pod(namespace, name),
            "replicasets" => {
                self.sync_replicas(&REPLICA_SETS, namespace, name);
                self.look_at_owner(&REPLICA_SETS, namespace, name);
            }
            "replicationcontrollers" => self.sync_replicas(&REPLICATION_CONTROLLERS, namespace, name),
            "deployments" => {
                self.sync_deployment(namespace, name);
                self.look_at_budgets(namespace);
            }
            "services" => self.sync_endpoints(namespace, name),
            "poddisruptionbudgets" => self.sync_budget(namespace, name),
            "nodes" => self.look_at_node(name),
            _ => {}
        }
    }

    fn look_at_pod(&mut self, namespace: &str, name: &str) {
        if self.scale.owns(namespace) {
            return;
        }
        self.look_at_services(namespace);
        self.look_at_budgets(namespace);
        let Some(pod) = self.store.get(&PODS, namespace, name) else {
            // Gone: whoever owned it has one fewer. The owner is no longer known, so all look.
            for kind in [&REPLICA_SETS, &REPLICATION_CONTROLLERS] {
                for owner in self.store.list(kind, Some(namespace)) {
                    self.sync_replicas(kind, namespace, &owner.name);
                }
            }
            self.runs.retain(|_, run| run.namespace != namespace || run.name != name);
            return;
        };
        if !pod.owner.is_empty() {
            for kind in [&REPLICA_SETS, &REPLICATION_CONTROLLERS] {
                let owners = self.store.list(kind, Some(namespace));
                if let Some(owner) = owners.iter().find(|owner| owner.uid == pod.owner) {
                    self.sync_replicas(kind, namespace, &owner.name);
                }
            }
        }
        if pod.field("spec.nodeName").is_empty() {
            if pod.field("status.phase") == "Pending" && !self.recorder.unschedulable.contains(&pod.uid) {
                self.schedule(&pod);
            }
        } else {
            self.observe_pod(&pod);
        }
    }

    fn look_at_owner(&mut self, resource: &Resource, namespace: &str, name: &str) {
        let Some(object) = self.store.get(resource, namespace, name) else {
            return;
        };
        let owners = self.store.list(&DEPLOYMENTS, Some(namespace));
        if let Some(owner) = owners.iter().find(|owner| owner.uid == object.owner) {
            self.sync_deployment(namespace, &owner.name);
        }
    }

    fn look_at_node(&mut self, name: &str) {
        if let Some(node) = self.store.get(&NODES, "", name) {
            self.register(&node);
        }
        self.schedule_pending();
    }

    /// Creates an object as a client of the API server would.
    pub(super) fn create(&mut self, object: Value) -> Option<Arc<Object>> {
        let resource = resource::by_kind(object["kind"].as_str()?)?;
        let object = admission::admit(resource, None, object, self.now, &mut self.random, true);
        Some(self.store.write(resource, object))
    }

    /// Changes an object if there is one and the change is one. A changed spec is a new
    /// generation.
    pub(super) fn update(
        &mut self,
        resource: &Resource,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut Value),
    ) -> Option<Arc<Object>> {
        let store = Arc::clone(&self.store);
        let _writing = store.writing();
        let known = store.get(resource, namespace, name)?;
        let before = known.tree();
        let mut after = Value::clone(&before);
        change(&mut after);
        if after == *before {
            return Some(known);
        }
        if after["spec"] != before["spec"] && before["metadata"]["generation"].is_i64() {
            let generation = before["metadata"]["generation"].as_i64().unwrap_or(1);
            // Binding a pod to a node is no change of its spec's meaning.
            if resource != &PODS && resource != &NODES {
                after["metadata"]["generation"] = json!(generation + 1);
            }
        }
        Some(store.write(resource, after))
    }

    pub(super) fn delete(&mut self, resource: &'static Resource, namespace: &str, name: &str) {
        let _writing = self.store.writing();
        deletion::delete(&self.store, resource, namespace, name, self.now, true);
    }

    /// The pods an object controls, oldest name first.
    pub(super) fn pods_of(&self, namespace: &str, owner: &str) -> Vec<Arc<Object>> {
        let mut pods = self.store.list(&PODS, Some(namespace));
        pods.retain(|pod| pod.owner == owner);
        pods
    }

    pub(super) fn stamp(&self) -> String {
        stamp(self.now)
    }
}

/// Writes a condition. Its transition time moves only when its status does.
pub(super) fn set_condition(status: &mut Value, mut condition: Value, now: i64) {
    if !status["conditions"].is_array() {
        status["conditions"] = json!([]);
    }
    let Some(conditions) = status["conditions"].as_array_mut() else {
        return;
    };
    let known = conditions.iter_mut().find(|known| known["type"] == condition["type"]);
    match known {
        Some(known) => {
            let unchanged = known["status"] == condition["status"];
            condition["lastTransitionTime"] =
                if unchanged { known["lastTransitionTime"].clone() } else { json!(stamp(now)) };
            *known = condition;
        }
        None => {
            condition["lastTransitionTime"] = json!(stamp(now));
            conditions.push(condition);
        }
    }
}
