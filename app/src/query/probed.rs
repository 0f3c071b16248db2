//! Containers that are probed, put together where they are asked the same: those of one workload's pods.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use crate::api::{
    Container, Health, Owner, ReplicaSet, Service, Text, Timestamp, Uid,
    container::lane::{self, Known, Lane},
    detail::Port,
    probe::Probe,
};

/// Containers of the same name, of one workload, with the same probes.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Whose pods they are in: a Deployment rather than its ReplicaSet. `None` for a pod of its own.
    pub owner: Option<Owner>,
    /// Their pods' template, as label `pod-template-hash` has it, if they have one in common.
    pub template: Option<Text>,
    /// Where.
    pub namespace: Text,
    /// The container's name.
    pub name: Text,
    /// What they are asked.
    pub probes: Arc<[Probe]>,
    /// Their ports.
    pub ports: Arc<[Port]>,
    /// Port numbers and names that any container of such a pod declares.
    pub declared: Vec<(Text, i64)>,
    /// A Service sends requests to one of its ports.
    pub served: bool,
    /// In the page's five, by the worst probe of them.
    pub health: Health,
    /// Each of them, the worst first.
    pub containers: Vec<Arc<Container>>,
}

/// What the containers in one [`Asked`] have in common: their workload or pod, the container's name, and which of
/// its sets of probes, the first one seen being 0.
pub type AskedKey = (Uid, Text, usize);

/// What is known beside a container.
pub type KnownOf<'a> = dyn Fn(&Container) -> Known + 'a;

/// Puts them together, those with the worst probes first. `now` decides what is worst; `all` are those of all pods, for
/// what their neighbours declare.
pub fn probed(
    containers: &[Arc<Container>],
    all: &[Arc<Container>],
    replica_sets: &[Arc<ReplicaSet>],
    services: &[Arc<Service>],
    known: &KnownOf<'_>,
    now: Timestamp,
) -> Vec<(AskedKey, Asked)> {
    let deployments: HashMap<Uid, &Owner> =
        replica_sets.iter().filter_map(|set| Some((set.meta.uid, set.meta.owner.as_ref()?))).collect();
    let mut declared: HashMap<Uid, Vec<(Text, i64)>> = HashMap::new();
    for container in all {
        let ports = container.ports.iter().map(|port| (port.name.clone(), port.number));
        declared.entry(container.pod_uid).or_default().extend(ports);
    }
    let mut sorted: Vec<&Arc<Container>> = containers.iter().filter(|one| !one.probes.is_empty()).collect();
    sorted.sort_by(|a, b| a.meta.key_order(&b.meta));
    let mut sets: HashMap<(Uid, Text), Vec<Arc<[Probe]>>> = HashMap::new();
    let worsts: HashMap<Uid, Worst> =
        sorted.iter().map(|one| (one.meta.uid, worst(one, known(one), now))).collect();
    let worst = |container: &Arc<Container>| worsts.get(&container.meta.uid).copied();
    let mut asked: BTreeMap<AskedKey, Asked> = BTreeMap::new();
    for container in sorted {
        let owner = container.meta.owner.as_ref();
        let owner = owner.map(|owner| deployments.get(&owner.uid).copied().unwrap_or(owner));
        let of = owner.map_or(container.pod_uid, |owner| owner.uid);
        let sets = sets.entry((of, container.name.clone())).or_default();
        let set = sets.iter().position(|probes| *probes == container.probes).unwrap_or_else(|| {
            sets.push(container.probes.clone());
            sets.len() - 1
        });
        let one = asked.entry((of, container.name.clone(), set)).or_insert_with(|| Asked {
            owner: owner.cloned(),
            template: template(container),
            namespace: container.meta.namespace.clone(),
            name: container.name.clone(),
            probes: container.probes.clone(),
            ports: container.ports.clone(),
            declared: declared.get(&container.pod_uid).cloned().unwrap_or_default(),
            served: services.iter().any(|service| serves(service, container)),
            health: Health::Healthy,
            containers: Vec::new(),
        });
        if one.template != template(container) {
            one.template = None;
        }
        one.containers.push(container.clone());
    }
    let mut asked: Vec<(AskedKey, Asked)> = asked.into_iter().collect();
    for (_, one) in &mut asked {
        one.containers.sort_by_key(worst);
        one.health = one.containers.first().and_then(worst).map_or(Health::Healthy, |(probes, _)| probes);
    }
    asked.sort_by_cached_key(|(_, one)| {
        (one.containers.first().and_then(worst), one.namespace.clone(), one.title())
    });
    asked
}

fn template(container: &Container) -> Option<Text> {
    container.meta.labels.get("pod-template-hash").cloned()
}

/// Whether the Service's requests go to a port of this container.
fn serves(service: &Service, container: &Container) -> bool {
    let is = |target: &Text| {
        container.ports.iter().any(|port| port.name == target.as_str() || *target == *port.number.to_string())
    };
    service.selects(&container.meta.namespace, &container.meta.labels)
        && service.ports.iter().any(|port| is(&port.target))
}

impl Asked {
    /// `deployment/web`, or `pod/web-1`.
    pub fn title(&self) -> String {
        match (&self.owner, self.containers.first()) {
            (Some(owner), _) => format!("{}/{}", owner.kind.to_lowercase(), owner.name),
            (None, Some(container)) => format!("pod/{}", container.pod),
            (None, None) => String::new(),
        }
    }
}

/// What each of its probes does.
pub fn lanes(container: &Container, known: Known, now: Timestamp) -> Vec<Lane> {
    container.probes.iter().map(|probe| lane::of(container, probe, known, now)).collect()
}

/// The worst of a container's probes, then the container itself.
type Worst = (Health, Health);

fn worst(container: &Container, known: Known, now: Timestamp) -> Worst {
    let probes = lanes(container, known, now).iter().map(Lane::health).min().unwrap_or(Health::Healthy);
    // what is not asked because it does not run is as bad as that
    (probes.min(container.health), container.health)
}
