//! A Kubernetes cluster inside the process: for `--demo`, for tests, and for benchmarks.
//!
//! ```text
//!  script ──▶ objects ──▶ controllers, scheduler, kubelets ──▶ objects …   (cluster, one task)
//!                │
//!              store ──▶ api (LIST, WATCH, discovery) ──▶ Router ──▶ kube::Client or a TCP port
//!                            ▲
//!                          faults
//! ```
//!
//! It speaks the protocol and writes the objects of the real thing, so the rest of Masthead cannot
//! tell it from a cluster and needs no second way to get data. It invents no rows.
//!
//! Nothing here happens by chance or by wall clock: one seed and one [`Clock`] decide all of it.

mod admission;
mod api;
mod clock;
mod cluster;
mod deletion;
mod discovery;
mod disruption;
mod endpoints;
mod faults;
mod form;
mod images;
mod kubelet;
mod list;
mod nodes;
mod object;
mod pages;
mod pod_status;
mod probes;
mod random;
mod recorder;
mod replicas;
mod resource;
mod rollout;
mod rollout_status;
mod run;
mod scale;
mod scheduler;
mod script;
mod selector;
mod status;
mod store;
mod table;
mod tutorial;
mod watching;
mod workload;

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::AbortOnDropHandle;

pub use clock::Clock;
pub use faults::{ALL, Backup, Fault, Faults, Gone, Malformed};

use api::ApiServer;
use cluster::Cluster;
use random::Random;
use scale::Scale;
use store::Store;

/// What the demo cluster is made of.
#[derive(Clone, Debug)]
pub struct Options {
    /// Decides every name, address and duration.
    pub seed: u64,
    /// How much faster than the wall its clock runs.
    pub speed: f64,
    /// Whether the tutorial is played. Without it the store holds two namespaces.
    pub play: bool,
    /// Whether controllers, scheduler and kubelets run although nothing is played.
    pub controllers: bool,
    /// Running pods beyond the tutorial's, for benchmarks.
    pub extra_pods: usize,
    /// Nodes beyond the tutorial's.
    pub extra_nodes: usize,
    /// Changes of extra pods in a second of the demo's time.
    pub churn_per_second: f64,
    /// What the clock shows at the start, in Unix milliseconds; `None` is the wall's time.
    pub epoch_ms: Option<i64>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            seed: 1,
            speed: 1.0,
            play: true,
            controllers: false,
            extra_pods: 0,
            extra_nodes: 0,
            churn_per_second: 0.0,
            epoch_ms: None,
        }
    }
}

/// A running demo cluster. The last clone to be dropped ends it: its controllers, and every open
/// watch.
#[derive(Clone)]
pub struct Demo(Arc<Inner>);

struct Inner {
    server: ApiServer,
    random: Mutex<Random>,
    /// Whether anybody acts on objects, which then need all their defaults.
    controllers: bool,
    _cluster: Option<AbortOnDropHandle<()>>,
    _stop: DropGuard,
}

/// Starts a demo cluster. It must be called inside a tokio runtime.
pub fn start(options: Options) -> Demo {
    let clock = Clock::start(options.epoch_ms, options.speed);
    let controllers = options.play || options.controllers || options.extra_pods + options.extra_nodes > 0;
    let store = Arc::new(Store::new(1024.max(options.extra_pods), controllers));
    let faults = Faults::new(Arc::clone(&store));
    let stopped = CancellationToken::new();
    let server = ApiServer {
        store: Arc::clone(&store),
        faults,
        pages: Arc::default(),
        clock,
        stopped: stopped.clone(),
    };
    let cluster = controllers.then(|| {
        let scale = Scale::new(options.extra_pods, options.extra_nodes, options.churn_per_second);
        let mut cluster = Cluster::new(store, options.seed, clock.now_ms(), scale);
        if options.play {
            cluster.populate(clock.now_ms());
        }
        cluster.fill_up();
        cluster.begin();
        AbortOnDropHandle::new(tokio::spawn(cluster.run(clock, stopped.clone())))
    });
    let demo = Demo(Arc::new(Inner {
        server,
        random: Mutex::new(Random::seeded(!options.seed)),
        controllers,
        _cluster: cluster,
        _stop: stopped.drop_guard(),
    }));
    if !options.play {
        for name in ["default", "kube-system"] {
            demo.put(json!({"kind": "Namespace", "metadata": {"name": name}}));
        }
    }
    demo
}

impl Demo {
    /// The API server, to be handed to a `kube::Client` or served on a port.
    pub fn router(&self) -> Router {
        self.0.server.router()
    }

    /// The handle to break things with.
    pub fn faults(&self) -> Faults {
        self.0.server.faults.clone()
    }

    /// The cluster's clock.
    pub fn clock(&self) -> Clock {
        self.0.server.clock
    }

    /// Creates or replaces an object and returns it as stored. `uid`, `creationTimestamp` and
    /// `status` are kept from the object it replaces, unless given. A kind the demo does not serve
    /// is not stored, and null is returned.
    pub fn put(&self, object: Value) -> Value {
        let _writing = self.0.server.store.writing();
        self.replace(object)
    }

    fn replace(&self, object: Value) -> Value {
        let store = &self.0.server.store;
        let kind = object["kind"].as_str().unwrap_or_default();
        let Some(resource) = resource::by_kind(kind) else {
            return Value::Null;
        };
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let namespace = match resource.namespaced {
            true => object["metadata"]["namespace"].as_str().unwrap_or("default"),
            false => "",
        };
        let known = store.get(resource, namespace, name).map(|known| known.value());
        let now = self.clock().now_ms();
        let object = {
            let mut random = self.0.random.lock().unwrap_or_else(PoisonError::into_inner);
            admission::admit(resource, known.as_ref(), object, now, &mut random, self.0.controllers)
        };
        let stored = store.write(resource, object).value();
        store.kick();
        stored
    }

    /// Changes an object in place, as `kubectl edit` does. False if there is none.
    pub fn edit(&self, resource: &str, namespace: &str, name: &str, change: impl FnOnce(&mut Value)) -> bool {
        let _writing = self.0.server.store.writing();
        let Some(mut object) = self.get(resource, namespace, name) else {
            return false;
        };
        change(&mut object);
        !self.replace(object).is_null()
    }

    /// An object as it is stored.
    pub fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Value> {
        let known = resource::by_name(resource)?;
        Some(self.0.server.store.get(known, namespace, name)?.value())
    }

    /// All objects of a resource, in one namespace or (`""`) wherever they are.
    pub fn list(&self, resource: &str, namespace: &str) -> Vec<Value> {
        let Some(known) = resource::by_name(resource) else {
            return Vec::new();
        };
        let namespace = (!namespace.is_empty()).then_some(namespace);
        let objects = self.0.server.store.list(known, namespace);
        objects.iter().map(|object| object.value()).collect()
    }

    /// How many objects of all kinds there are.
    pub fn count(&self) -> usize {
        self.0.server.store.count()
    }

    /// Takes an object away at once. False if there was none.
    pub fn remove(&self, resource: &str, namespace: &str, name: &str) -> bool {
        let Some(known) = resource::by_name(resource) else {
            return false;
        };
        let removed = self.0.server.store.remove(known, namespace, name).is_some();
        self.0.server.store.kick();
        removed
    }

    /// Deletes as `kubectl delete` does: gracefully, and with what the object controls. False if
    /// there was none. Without controllers nobody stops containers, so pods are gone at once.
    pub fn delete(&self, resource: &str, namespace: &str, name: &str) -> bool {
        let Some(known) = resource::by_name(resource) else {
            return false;
        };
        let store = &self.0.server.store;
        let _writing = store.writing();
        let now = self.clock().now_ms();
        let deleted = deletion::delete(store, known, namespace, name, now, self.0.controllers);
        store.kick();
        deleted
    }

    /// The latest requests, oldest first: method, path and query.
    pub fn request_log(&self) -> Vec<(String, String)> {
        self.0.server.faults.requests()
    }
}
