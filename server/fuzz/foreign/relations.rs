//! What pages make of the rows of a whole cluster, whatever stands in them.

use std::sync::Arc;

use app::{
    api::{Kind, Row, Timestamp, container::lane::Known, event::Event, pod::Pod},
    model::{Cluster, Rows},
    placement::{Case, Seen},
    query::{
        Place,
        advice::advice,
        answer, controller_revisions,
        drain::Drain,
        endpoints::{members, members_of, services_of, tallies, tally, tally_of},
        line, pods_by_owner,
        probed::{lanes, probed},
        problems, revisions,
        selects::{Selecting, Selectors, bonds, survey::survey},
    },
    seed::Seed,
};

/// A moment in the middle, and the ends of time.
const MOMENTS: [Timestamp; 3] = [Timestamp(1_795_446_202), Timestamp(i64::MIN), Timestamp(i64::MAX)];

/// See the module.
pub fn check(cluster: &Cluster) {
    selectors(cluster);
    services(cluster);
    probes(cluster);
    owners(cluster);
    nodes(cluster);
    tables(cluster);
}

fn all<T: Row>(rows: &Rows<T>) -> Vec<Arc<T>> {
    rows.sorted().into_iter().cloned().collect()
}

fn selectors(cluster: &Cluster) {
    fn of<'a, T: Row>(rows: &'a Rows<T>) -> impl Iterator<Item = Selecting> + 'a
    where
        Selecting: From<&'a T>,
    {
        rows.sorted().into_iter().map(|row| Selecting::from(&**row))
    }
    let selecting = of(&cluster.deployments)
        .chain(of(&cluster.replica_sets))
        .chain(of(&cluster.replication_controllers))
        .chain(of(&cluster.daemon_sets))
        .chain(of(&cluster.stateful_sets))
        .chain(of(&cluster.services))
        .chain(of(&cluster.pod_disruption_budgets));
    let selectors = Selectors::of(selecting.collect());
    let found = survey(&selectors, cluster.pods.iter().map(|pod| &**pod));
    assert!(found.overlaps.iter().all(|overlap| overlap.by != overlap.of), "nothing overlaps itself");
    for pod in cluster.pods.iter() {
        for (bond, one) in bonds::of_pod(&selectors, pod) {
            let _ = (bond.says(), one.reference());
            assert_eq!(bonds::bond(&selectors, one, selectors.selector(one.uid), pod), Some(bond));
        }
        for one in selectors.selecting(&pod.meta.namespace, &pod.meta.labels) {
            let selector = selectors.selector(one.uid).expect("what selects has a selector");
            assert!(selector.matches(&pod.meta.labels) && one.namespace == pod.meta.namespace);
        }
    }
    let _ = selectors.required();
}

fn services(cluster: &Cluster) {
    let (slices, pods) = (all(&cluster.endpoint_slices), all(&cluster.pods));
    let services = all(&cluster.services);
    let tallies = tallies(&slices);
    for service in &services {
        let members = members(service, &slices, &pods);
        for member in &members {
            let _ = (member.key(), member.name(), member.why());
        }
        let counted = tally(&members);
        let _ = (counted.sentence(), counted.brief(), counted.health(), tally_of(service, &tallies));
    }
    slices.iter().for_each(|slice| _ = members_of(slice, &pods));
    pods.iter().for_each(|pod| _ = services_of(pod, &services, &slices));
}

fn probes(cluster: &Cluster) {
    let containers = all(&cluster.containers);
    for now in MOMENTS {
        for known in [Known::default(), Known { node_lost: true, no_events: true }] {
            for container in &containers {
                for lane in lanes(container, known, now) {
                    let _ = (lane.doing.to_string(), lane.health());
                }
                container.life.iter().for_each(|span| _ = span.phase.words());
                let _ = (container.back_off(), container.running_since());
            }
            let (sets, services) = (all(&cluster.replica_sets), all(&cluster.services));
            let asked = probed(&containers, &containers, &sets, &services, &|_| known, now);
            let all: usize = asked.iter().map(|(_, asked)| asked.containers.len()).sum();
            assert!(all <= containers.len());
            asked.iter().for_each(|(_, asked)| _ = (asked.title(), advice(asked)));
        }
    }
}

fn owners(cluster: &Cluster) {
    let pods = all(&cluster.pods);
    let owned = pods_by_owner(&pods, &all(&cluster.replica_sets));
    assert!(owned.values().flatten().all(|uid| cluster.pods.get(*uid).is_some()));
    for deployment in cluster.deployments.iter() {
        let _ = revisions(deployment, cluster.replica_sets.iter());
    }
    for set in cluster.stateful_sets.iter() {
        let _ = controller_revisions(&set.meta, &set.selector, cluster.controller_revisions.iter());
    }
    let mut found = Vec::new();
    problems::add(&mut found, &pods);
    problems::add(&mut found, &all(&cluster.deployments));
    let pods_before: usize = found.iter().map(|problem| problem.pods).sum();
    let told = problems::told(found);
    assert_eq!(told.iter().map(|problem| problem.pods).sum::<usize>(), pods_before, "no problem gets lost");
}

fn nodes(cluster: &Cluster) {
    let (nodes, pods) = (all(&cluster.nodes), all(&cluster.pods));
    let seen = Seen { nodes: &nodes, pods: &pods, every_pod: true };
    let drain = Drain::of(&pods, &all(&cluster.pod_disruption_budgets));
    assert_eq!(drain.left.len() + drain.staying, pods.len());
    let events: Vec<Arc<Event>> = all(&cluster.events);
    for pod in &pods {
        let pod: &Pod = pod;
        let case = Case::of_pod(pod, &pod.detail, &events, seen);
        assert_eq!(case.placement.nodes.len(), nodes.len());
        case.told.iter().for_each(|told| _ = told.sentences());
    }
}

/// Every table, in each order that can be asked for.
fn tables(cluster: &Cluster) {
    for kind in Kind::ALL {
        let lines = line::lines(cluster, *kind);
        for heading in line::headings(*kind) {
            let by = heading.text.to_lowercase().replace(' ', "-");
            let place = Place::parse(&format!("/pods?sort={by},desc&group=owner&q=a"));
            let answer = answer(*kind, lines.clone(), &place).expect("no selector, no error");
            assert!(answer.matches <= answer.of && answer.of == lines.len());
        }
    }
    for url in ["/", "/pods", "/placement", "/rollouts/default/web", "/wall"] {
        let seed = Seed::choose(cluster, url, &Default::default(), 1, &[], app::api::Millis(0));
        assert_eq!(Seed::from_text(&seed.to_text()).as_ref(), Some(&seed));
        assert!(!seed.complete || !seed.changes().is_empty());
    }
}
