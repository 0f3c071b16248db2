//! What a wall says of the cluster, all of it: made anew when rows change, drawn where it differs.

use std::{collections::HashMap, sync::Arc};

use crate::{
    api::{
        DaemonSet, Deployment, Health, Kind, KindState, Kinds, Node, Owner, Pod, ReplicaSet,
        ReplicationController, RolloutStatus, Row, StatefulSet, Text, Uid,
        resource_list::{CPU, MEMORY},
    },
    components::gate::refused_in,
    placement::room::Rooms,
    query::{
        self, Filter, Page, Place,
        problems::{self, Problem},
    },
    store::Store,
};

/// What makes pods, and is counted as a workload.
pub const MAKERS: &[Kind] =
    &[Kind::Deployment, Kind::ReplicationController, Kind::DaemonSet, Kind::StatefulSet];
/// Those of them that roll out.
pub const ROLLING: &[Kind] = &[Kind::Deployment, Kind::DaemonSet, Kind::StatefulSet];

/// How much is seen of what a wall is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sight {
    /// All of it is here, as far as it can be seen. Until then nothing is known to be well, or to be new.
    pub whole: bool,
    /// Of what is counted that which cannot be seen, or not in all namespaces that the place shows.
    pub unseen: Kinds,
    /// Pods are seen in every namespace there is, so that it is known what is given out on nodes.
    pub fills: bool,
}

impl Sight {
    /// Of what the place keeps.
    pub fn of(store: &Store, place: &Place) -> Sight {
        let fails = |kind: Kind| matches!(store.state(kind), KindState::Failing { .. });
        let lacks = |kind: Kind| fails(kind) || matches!(store.state(kind), KindState::Forbidden { .. });
        let unseen =
            |kind: Kind, within: &[String]| lacks(kind) || !refused_in(store, kind, within).is_empty();
        let here = |kind: Kind| store.state(kind).listed() || lacks(kind);
        let counted = [Kind::Node, Kind::Pod].iter().chain(MAKERS).copied();
        // One that cannot be listed costs itself; where none can, there is nothing to show yet.
        let shows = counted.clone().any(|kind| store.state(kind).listed()) || !counted.clone().any(fails);
        Sight {
            whole: store.partial().is_none() && shows && Page::Wall.kinds().iter().all(here),
            unseen: counted.filter(|kind| unseen(*kind, &place.namespaces)).collect(),
            fills: !lacks(Kind::Pod) && store.about().within(Kind::Pod).is_empty(),
        }
    }
}

/// What is drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Survey {
    /// How much of it was seen when it was made.
    pub sight: Sight,
    /// The worst first.
    pub problems: Vec<Problem>,
    /// Those that are under way or have failed, the worst first.
    pub rollouts: Vec<Rolling>,
    /// Those that are not healthy, then those with the most given out.
    pub nodes: Vec<Filled>,
    /// How many pods are in each state, in the order of [`Health::ALL`].
    pub pods: [usize; 5],
    /// How many of what makes pods are in each state.
    pub workloads: [usize; 5],
}

/// A rollout that is not through.
#[derive(Clone, Debug, PartialEq)]
pub struct Rolling {
    /// Of what.
    pub kind: Kind,
    /// Where.
    pub namespace: Text,
    /// Its name.
    pub name: Arc<str>,
    /// Its state.
    pub health: Health,
    /// Why it is not healthy.
    pub why: String,
    /// How far it is.
    pub rollout: RolloutStatus,
}

/// A node and what is given out on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Filled {
    /// Its name.
    pub name: Arc<str>,
    /// Its state.
    pub health: Health,
    /// kubectl's STATUS.
    pub status: &'static str,
    /// Why it is not healthy.
    pub why: Text,
    /// Pods on it that have not ended.
    pub pods: u64,
    /// CPU in thousandths of a core: asked for, and there to give.
    pub cpu: (u64, u64),
    /// Memory in bytes: asked for, and there to give.
    pub memory: (u64, u64),
}

impl Filled {
    /// The larger share of the two, in percent.
    fn share(&self) -> u128 {
        let share = |(part, whole): (u64, u64)| (u128::from(part) * 100).checked_div(u128::from(whole));
        share(self.cpu).max(share(self.memory)).unwrap_or_default()
    }
}

impl Survey {
    /// Of what the place keeps. Nodes are everybody's: they are all of them, whatever it keeps.
    pub fn of(store: &Store, place: &Place) -> Survey {
        let nodes = store.current::<Node>();
        let all = store.current::<Pod>();
        let sight = Sight::of(store, place);
        let mut survey = Survey { sight, nodes: filled(&nodes, &all), ..Survey::default() };

        let pods = kept(all, place);
        let mut makers = Makers { survey: &mut survey, found: Vec::new() };
        problems::add(&mut makers.found, &nodes);
        makers.add(&kept(store.current::<Deployment>(), place));
        makers.add(&kept(store.current::<ReplicationController>(), place));
        makers.add(&kept(store.current::<DaemonSet>(), place));
        makers.add(&kept(store.current::<StatefulSet>(), place));
        let mut found = makers.found;
        problems::add(&mut found, &pods);
        let sets = store.current::<ReplicaSet>();
        by_deployment(&mut found, &sets);
        survey.problems = problems::told(found);

        survey.rollouts.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
        survey.rollouts.sort_by_key(|rolling| rolling.health);
        survey.pods = query::tally(pods.iter().map(|pod| pod.health));
        survey
    }

    /// Whether there is anything at all of what the place keeps.
    pub fn is_empty(&self) -> bool {
        self.pods.iter().chain(&self.workloads).all(|count| *count == 0)
    }

    /// Whether all of these kinds may be seen.
    pub fn sees(&self, kinds: &[Kind]) -> bool {
        kinds.iter().all(|kind| !self.sight.unseen.contains(*kind))
    }

    /// Nodes that are ready and take pods, and all of them.
    pub fn nodes_ready(&self) -> (usize, usize) {
        (self.nodes.iter().filter(|node| node.health == Health::Healthy).count(), self.nodes.len())
    }
}

fn kept<T: Row>(mut rows: Vec<Arc<T>>, place: &Place) -> Vec<Arc<T>> {
    // a selector that is none has been taken out of the plan's place
    if let Ok(filter) = Filter::of(place, T::KIND) {
        rows.retain(|row| filter.keeps(&**row));
    }
    rows.sort_by(|a, b| (&a.meta().namespace, &a.meta().name).cmp(&(&b.meta().namespace, &b.meta().name)));
    rows
}

/// What makes pods, gathered kind by kind.
struct Makers<'a> {
    survey: &'a mut Survey,
    found: Vec<Problem>,
}

impl Makers<'_> {
    fn add<T: Row>(&mut self, rows: &[Arc<T>]) {
        problems::add(&mut self.found, rows);
        let counts = query::tally(rows.iter().map(|row| row.health()));
        for (all, count) in self.survey.workloads.iter_mut().zip(counts) {
            *all += count;
        }
        self.survey.rollouts.extend(rows.iter().filter_map(|row| {
            let rollout = row.rollout().filter(RolloutStatus::is_under_way)?;
            let meta = row.meta();
            Some(Rolling {
                kind: T::KIND,
                namespace: meta.namespace.clone(),
                name: meta.name.clone(),
                health: row.health(),
                why: row.why().to_owned(),
                rollout,
            })
        }));
    }
}

/// The pods of a ReplicaSet are its Deployment's, of whichever template.
fn by_deployment(found: &mut [Problem], sets: &[Arc<ReplicaSet>]) {
    let deployments: HashMap<Uid, &Owner> =
        sets.iter().filter_map(|set| Some((set.meta.uid, set.meta.owner.as_ref()?))).collect();
    for problem in found {
        if let Some(owner) = &problem.owner
            && let Some(deployment) = deployments.get(&owner.uid)
        {
            problem.owner = Some((*deployment).clone());
        }
    }
}

fn filled(nodes: &[Arc<Node>], pods: &[Arc<Pod>]) -> Vec<Filled> {
    let rooms = Rooms::of_pods(pods, |_| false);
    let mut filled: Vec<Filled> = nodes
        .iter()
        .map(|node| {
            let room = rooms.of(&node.meta.name);
            let whole = if node.allocatable.is_empty() { &node.capacity } else { &node.allocatable };
            Filled {
                name: node.meta.name.clone(),
                health: node.health,
                status: node.status(),
                why: node.why.clone(),
                pods: room.pods,
                cpu: (room.requested.get(CPU), whole.get(CPU)),
                memory: (room.requested.get(MEMORY), whole.get(MEMORY)),
            }
        })
        .collect();
    filled.sort_by(|a, b| {
        (a.health, std::cmp::Reverse(a.share()), &a.name).cmp(&(
            b.health,
            std::cmp::Reverse(b.share()),
            &b.name,
        ))
    });
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        query::fixtures::{NOW, about, as_of, cluster},
        seed::Seed,
    };

    fn survey(url: &str) -> Survey {
        let cluster = cluster();
        let place = Place::parse(url);
        Survey::of(&Store::new(&Seed::choose(&cluster, url, &about(), 1, &as_of(), NOW)), &place)
    }

    #[test]
    fn it_says_what_is_broken_what_rolls_and_how_many_there_are() {
        let survey = survey("/wall");
        let names: Vec<_> = survey.problems.iter().map(|problem| &*problem.name).collect();
        assert!(names.contains(&"rf-xyzzy"), "{names:?}");
        assert_eq!(survey.rollouts.iter().map(|rolling| &*rolling.name).collect::<Vec<_>>(), ["web"]);
        assert_eq!(survey.nodes_ready(), (2, 2));
        assert_eq!(survey.pods.iter().sum::<usize>(), 4);
        assert!(!survey.is_empty());
    }

    #[test]
    fn a_place_keeps_its_part_and_all_nodes() {
        let survey = survey("/wall?namespace=elsewhere");
        assert!(survey.is_empty() && survey.problems.is_empty() && survey.rollouts.is_empty());
        assert_eq!(survey.nodes_ready(), (2, 2));
    }
}
