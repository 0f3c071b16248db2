//! What stands behind a Service: its pods and their addresses, from its EndpointSlices. A Service's row cannot say
//! it; page and API ask here.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use serde::Serialize;

use crate::api::{EndpointSlice, Health, Pod, Service, Text, Uid, endpoint_slice::Endpoint};

/// How an address, or a pod without one, stands in a Service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// It gets new connections.
    Ready,
    /// It ends and still serves: it gets new connections only where no other is ready.
    Draining,
    /// It ends and serves no more.
    Ending,
    /// It gets nothing.
    NotReady,
    /// The Service selects the pod, and no slice has it.
    Absent,
}

impl Standing {
    /// Of an endpoint.
    pub fn of(endpoint: &Endpoint) -> Standing {
        match (endpoint.is_ready(), endpoint.is_terminating(), endpoint.is_serving()) {
            (true, ..) => Standing::Ready,
            (false, true, true) => Standing::Draining,
            (false, true, false) => Standing::Ending,
            (false, false, _) => Standing::NotReady,
        }
    }

    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Standing::Ready => "ready",
            Standing::Draining => "serving while it ends",
            Standing::Ending => "ending",
            Standing::NotReady => "not ready",
            Standing::Absent => "not in any slice",
        }
    }

    /// The shape beside the word.
    pub fn health(self) -> Health {
        match self {
            Standing::Ready => Health::Healthy,
            Standing::Draining | Standing::Ending => Health::Progressing,
            Standing::NotReady | Standing::Absent => Health::Waiting,
        }
    }
}

/// How many addresses a Service has, and how they stand. With two address families each pod counts twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// That get new connections.
    pub ready: usize,
    /// That get them where none is ready.
    pub draining: usize,
    /// All there are.
    pub all: usize,
}

impl Tally {
    fn count(&mut self, endpoint: &Endpoint) {
        self.all += 1;
        match Standing::of(endpoint) {
            Standing::Ready => self.ready += 1,
            Standing::Draining => self.draining += 1,
            _ => {}
        }
    }

    /// `2 of 3 addresses ready`.
    pub fn sentence(self) -> String {
        let addresses = if self.all == 1 { "address" } else { "addresses" };
        match self {
            Tally { all: 0, .. } => "no address".to_owned(),
            Tally { ready: 0, draining: 0, all } => format!("none of {all} {addresses} ready"),
            Tally { ready: 0, draining, all } => {
                let still = if draining == 1 {
                    "1 still serves while it ends"
                } else {
                    "some still serve while they end"
                };
                format!("none of {all} {addresses} ready; {still}")
            }
            Tally { ready, all, .. } => format!("{ready} of {all} {addresses} ready"),
        }
    }

    /// The same under a heading: `2 of 3 ready`.
    pub fn brief(self) -> String {
        match self {
            Tally { all: 0, .. } => "none".to_owned(),
            Tally { ready: 0, all, .. } => format!("none of {all} ready"),
            Tally { ready, all, .. } => format!("{ready} of {all} ready"),
        }
    }

    /// What that makes of the Service: healthy where every address is ready, waiting for one where none is.
    pub fn health(self) -> Health {
        match self {
            Tally { ready: 0, .. } => Health::Waiting,
            Tally { ready, all, .. } if ready < all => Health::Progressing,
            _ => Health::Healthy,
        }
    }
}

/// Each Service's tally, by namespace and name; a Service without slices has none.
pub fn tallies(slices: &[Arc<EndpointSlice>]) -> HashMap<(Text, Text), Tally> {
    let mut tallies: HashMap<(Text, Text), Tally> = HashMap::new();
    for slice in slices.iter().filter(|slice| !slice.service.is_empty()) {
        let tally = tallies.entry((slice.meta.namespace.clone(), slice.service.clone())).or_default();
        slice.endpoints.iter().for_each(|endpoint| tally.count(endpoint));
    }
    tallies
}

/// A Service's tally among all; `None` of one that is another name for something else.
pub fn tally_of(service: &Service, tallies: &HashMap<(Text, Text), Tally>) -> Option<Tally> {
    let key = (service.meta.namespace.clone(), Text::from(&*service.meta.name));
    (service.kind != "ExternalName").then(|| tallies.get(&key).copied().unwrap_or_default())
}

/// An address of a Service, or one of its pods that has none there.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// How it stands.
    pub standing: Standing,
    /// As the slice has it; `None` if none has.
    pub endpoint: Option<Endpoint>,
    /// The slice it is in; empty if it is in none.
    pub slice: Arc<str>,
    /// Of the Service's target ports those that it does not have; it is no endpoint of these.
    pub without: Vec<Text>,
    /// The pod, if it is one that is known.
    pub pod: Option<Arc<Pod>>,
}

impl Member {
    /// Tells it from the others, also when its standing changes: slice and address, or the pod's uid.
    pub fn key(&self) -> (Arc<str>, Arc<str>, Uid) {
        let address = self.endpoint.as_ref().and_then(|endpoint| endpoint.addresses.first()).cloned();
        let pod = self.pod.as_ref().map(|pod| pod.meta.uid).unwrap_or_default();
        (self.slice.clone(), address.unwrap_or_else(|| Arc::from("")), pod)
    }

    /// What it is called: the target's name, or its address.
    pub fn name(&self) -> &str {
        let endpoint = self.endpoint.as_ref();
        let target = endpoint.and_then(|endpoint| endpoint.target.as_ref()).map(|target| &*target.name);
        let pod = || self.pod.as_ref().map(|pod| &*pod.meta.name);
        let address = || endpoint.and_then(|endpoint| endpoint.addresses.first()).map(|address| &**address);
        target.or_else(pod).or_else(address).unwrap_or_default()
    }

    /// Why it gets no connections, as far as that is known.
    pub fn why(&self) -> String {
        let ports = self.without.iter().map(Text::as_str).collect::<Vec<_>>().join(", ");
        match (self.standing, &self.pod) {
            (Standing::Absent, Some(pod)) => absent(pod).to_owned(),
            _ if !ports.is_empty() => format!("it has no port {ports}"),
            (Standing::Ready, _) | (_, None) => String::new(),
            (_, Some(pod)) => pod.why.to_string(),
        }
    }
}

/// Why a pod that is selected is in no slice (`endpointslice/util`, `ShouldPodBeInEndpoints`).
pub fn absent(pod: &Pod) -> &'static str {
    if matches!(pod.phase.as_str(), "Succeeded" | "Failed") {
        "it has ended"
    } else if pod.ip.is_empty() {
        "it has no address yet"
    } else {
        "nobody has put it in yet"
    }
}

/// All that stands behind a Service, by name: its slices' endpoints, and those of the pods it selects that are in none.
pub fn members(service: &Service, slices: &[Arc<EndpointSlice>], pods: &[Arc<Pod>]) -> Vec<Member> {
    let meta = &service.meta;
    let by_uid = by_uid(pods, &meta.namespace);
    let own = slices.iter().filter(|slice| slice.is_of(&meta.namespace, &meta.name));
    let mut members: Vec<Member> =
        own.flat_map(|slice| endpoints(slice, missing_ports(service, slice), &by_uid)).collect();
    let there: HashSet<Uid> =
        members.iter().filter_map(|member| member.pod.as_ref()).map(|pod| pod.meta.uid).collect();
    let absent = by_uid.values().filter(|pod| {
        !there.contains(&pod.meta.uid) && service.selects(&pod.meta.namespace, &pod.meta.labels)
    });
    members.extend(absent.map(|pod| Member {
        standing: Standing::Absent,
        endpoint: None,
        slice: Arc::from(""),
        without: Vec::new(),
        pod: Some(Arc::clone(pod)),
    }));
    members.sort_by(|a, b| a.name().cmp(b.name()).then_with(|| a.key().cmp(&b.key())));
    members
}

/// The endpoints of one slice, by name.
pub fn members_of(slice: &EndpointSlice, pods: &[Arc<Pod>]) -> Vec<Member> {
    let mut members: Vec<Member> =
        endpoints(slice, Vec::new(), &by_uid(pods, &slice.meta.namespace)).collect();
    members.sort_by(|a, b| a.name().cmp(b.name()).then_with(|| a.key().cmp(&b.key())));
    members
}

fn by_uid<'a>(pods: &'a [Arc<Pod>], namespace: &str) -> HashMap<Uid, &'a Arc<Pod>> {
    pods.iter().filter(|pod| *pod.meta.namespace == *namespace).map(|pod| (pod.meta.uid, pod)).collect()
}

/// The target ports of a Service that this slice is not for: its pods have none of that name (`getEndpointPorts`).
fn missing_ports(service: &Service, slice: &EndpointSlice) -> Vec<Text> {
    let has = |name: &str| slice.ports.iter().any(|port| port.name.as_deref().unwrap_or_default() == name);
    let missing = service.ports.iter().filter(|port| service.has_pods() && !has(&port.name));
    missing.map(|port| port.target.clone()).collect()
}

fn endpoints(
    slice: &EndpointSlice,
    without: Vec<Text>,
    pods: &HashMap<Uid, &Arc<Pod>>,
) -> impl Iterator<Item = Member> {
    slice.endpoints.iter().map(move |endpoint| {
        let target = endpoint.target.as_ref().filter(|target| target.kind == "Pod");
        Member {
            standing: Standing::of(endpoint),
            endpoint: Some(endpoint.clone()),
            slice: slice.meta.name.clone(),
            without: without.clone(),
            pod: target.and_then(|target| pods.get(&target.uid)).map(|pod| Arc::clone(pod)),
        }
    })
}

/// How many of these addresses a Service has, and how they stand.
pub fn tally(members: &[Member]) -> Tally {
    let mut tally = Tally::default();
    members.iter().filter_map(|member| member.endpoint.as_ref()).for_each(|endpoint| tally.count(endpoint));
    tally
}

/// The Services behind which a pod stands, by name, and how: those that select it, and those whose slices have it.
pub fn services_of(
    pod: &Pod,
    services: &[Arc<Service>],
    slices: &[Arc<EndpointSlice>],
) -> Vec<(Arc<Service>, Standing)> {
    let meta = &pod.meta;
    let mut standings: HashMap<&str, Standing> = HashMap::new();
    for slice in
        slices.iter().filter(|slice| slice.meta.namespace == meta.namespace && !slice.service.is_empty())
    {
        for endpoint in slice.endpoints.iter().filter(|endpoint| endpoint.is_pod(meta.uid)) {
            let standing = Standing::of(endpoint);
            // in two families it stands twice; the worse counts
            let worst = standings.entry(slice.service.as_str()).or_insert(standing);
            *worst = (*worst).max(standing);
        }
    }
    let mut found: Vec<(Arc<Service>, Standing)> = Vec::new();
    for service in services.iter().filter(|service| service.meta.namespace == meta.namespace) {
        let standing = standings.get(&*service.meta.name).copied();
        let selected = || service.selects(&meta.namespace, &meta.labels).then_some(Standing::Absent);
        if let Some(standing) = standing.or_else(selected) {
            found.push((service.clone(), standing));
        }
    }
    found.sort_by(|(a, _), (b, _)| a.meta.name.cmp(&b.meta.name));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::{
            Meta,
            endpoint_slice::{EndpointPort, Target},
            service::ServicePort,
        },
        query::fixtures::{labels, meta, pod},
    };

    fn service(selector: Option<&[(&str, &str)]>) -> Service {
        Service { meta: meta(1, "default", "web"), selector: selector.map(labels), ..Service::default() }
    }

    fn endpoint(uid: u128, conditions: [Option<bool>; 3]) -> Endpoint {
        let [ready, serving, terminating] = conditions;
        let target = Target { kind: "Pod".into(), name: format!("web-{uid}").into(), uid: Uid(uid) };
        let addresses = vec![Arc::from(format!("10.0.0.{uid}"))];
        Endpoint { addresses, target: Some(target), ready, serving, terminating, ..Endpoint::default() }
    }

    fn slice(name: &str, endpoints: Vec<Endpoint>) -> Arc<EndpointSlice> {
        let meta = meta(100, "default", name);
        Arc::new(EndpointSlice { meta, service: "web".into(), endpoints, ..EndpointSlice::default() })
    }

    fn web(uid: u128) -> Pod {
        pod(uid, &format!("web-{uid}"), "web", "worker-1")
    }

    const READY: [Option<bool>; 3] = [Some(true), Some(true), Some(false)];

    #[test]
    fn what_is_not_said_counts_as_kubernetes_counts_it() {
        let (yes, no) = (Some(true), Some(false));
        for (conditions, standing) in [
            ([None, None, None], Standing::Ready),
            ([yes, yes, no], Standing::Ready),
            ([yes, no, yes], Standing::Ready), // publishNotReadyAddresses
            ([no, yes, yes], Standing::Draining),
            ([no, None, yes], Standing::Draining),
            ([no, no, yes], Standing::Ending),
            ([no, no, None], Standing::NotReady),
            ([no, yes, no], Standing::NotReady),
        ] {
            assert_eq!(Standing::of(&endpoint(1, conditions)), standing, "{conditions:?}");
        }
    }

    #[test]
    fn a_tally_says_how_many_addresses_are_ready() {
        let (yes, no) = (Some(true), Some(false));
        for (endpoints, sentence, health) in [
            (vec![], "no address", Health::Waiting),
            (vec![READY], "1 of 1 address ready", Health::Healthy),
            (vec![READY, [no, no, no], READY], "2 of 3 addresses ready", Health::Progressing),
            (vec![[no, no, no]; 2], "none of 2 addresses ready", Health::Waiting),
            (
                vec![[no, yes, yes], [no, no, no]],
                "none of 2 addresses ready; 1 still serves while it ends",
                Health::Waiting,
            ),
        ] {
            let endpoints = endpoints.into_iter().map(|conditions| endpoint(1, conditions)).collect();
            let tally = tallies(&[slice("web-1", endpoints)])[&("default".into(), "web".into())];
            assert_eq!((tally.sentence().as_str(), tally.health()), (sentence, health));
        }
        let alone =
            EndpointSlice { service: Text::default(), ..(*slice("x", vec![endpoint(1, READY)])).clone() };
        assert!(tallies(&[Arc::new(alone)]).is_empty(), "a slice of no Service");
    }

    #[test]
    fn pods_that_are_selected_and_in_no_slice_are_told_with_the_reason() {
        let service = service(Some(&[("app", "web")]));
        let slices =
            [slice("web-b", vec![endpoint(20, READY)]), slice("web-a", vec![endpoint(21, [Some(false); 3])])];
        let unready = Pod { why: "readiness probe failed".into(), ..web(21) };
        let starting = web(22);
        let ended = Pod { phase: "Succeeded".into(), ip: Arc::from("10.0.0.23"), ..web(23) };
        let waiting = Pod { ip: Arc::from("10.0.0.24"), ..web(24) };
        let other = pod(25, "db-0", "db", "worker-1");
        let elsewhere = web(26);
        let elsewhere =
            Pod { meta: Meta { namespace: "other".into(), ..elsewhere.meta.clone() }, ..elsewhere };
        let pods: Vec<_> = [web(20), unready, starting, ended, waiting, other, elsewhere]
            .into_iter()
            .map(Arc::new)
            .collect();
        let members = members(&service, &slices, &pods);
        let said: Vec<_> =
            members.iter().map(|member| (member.name(), member.standing, member.why())).collect();
        let said: Vec<_> =
            said.iter().map(|(name, standing, why)| (*name, *standing, why.as_str())).collect();
        assert_eq!(
            said,
            [
                ("web-20", Standing::Ready, ""),
                ("web-21", Standing::NotReady, "readiness probe failed"),
                ("web-22", Standing::Absent, "it has no address yet"),
                ("web-23", Standing::Absent, "it has ended"),
                ("web-24", Standing::Absent, "nobody has put it in yet"),
            ]
        );
        assert_eq!(tally(&members), Tally { ready: 1, draining: 0, all: 2 });
    }

    #[test]
    fn a_ready_pod_without_the_port_is_told() {
        let port =
            ServicePort { name: "web".into(), port: 80, target: "http".into(), ..ServicePort::default() };
        let service = Service { ports: vec![port], ..service(Some(&[("app", "web")])) };
        let pods = [Arc::new(web(20))];
        let why = |ports: Vec<EndpointPort>| {
            let slice = EndpointSlice { ports, ..(*slice("web-1", vec![endpoint(20, READY)])).clone() };
            members(&service, &[Arc::new(slice)], &pods)[0].why()
        };
        let port = EndpointPort { name: Some("web".into()), port: Some(8080), ..EndpointPort::default() };
        assert_eq!(why(vec![]), "it has no port http");
        assert_eq!(why(vec![port]), "");
    }

    #[test]
    fn a_pod_is_behind_what_selects_it_and_behind_what_has_it() {
        let pod = web(20);
        let selecting = Arc::new(service(Some(&[("app", "web")])));
        let without = Arc::new(service(None));
        let other = Arc::new(service(Some(&[("app", "db")])));
        let standing = |service: &Arc<Service>, slices: &[Arc<EndpointSlice>]| {
            services_of(&pod, std::slice::from_ref(service), slices).pop().map(|(_, standing)| standing)
        };
        let there = [slice("web-1", vec![endpoint(20, READY), endpoint(21, [Some(false); 3])])];
        assert_eq!(standing(&selecting, &there), Some(Standing::Ready));
        assert_eq!(standing(&selecting, &[]), Some(Standing::Absent));
        assert_eq!(standing(&without, &there), Some(Standing::Ready), "a slice that somebody made");
        assert_eq!(standing(&without, &[]), None);
        assert_eq!(standing(&other, &[]), None);
    }
}
