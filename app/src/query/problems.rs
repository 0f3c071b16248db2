//! What is not as it should be and will not get there by itself: a line a cause, not a line a pod.

use std::{
    any::Any,
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use crate::api::{Health, Kind, Owner, Pod, Row, Text, Timestamp, Uid};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Problem {
    /// How bad it is.
    pub health: Health,
    /// Of what: of the only one, or of the first of several pods.
    pub kind: Kind,
    /// Empty for kinds without namespaces.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// In words.
    pub why: String,
    /// Who made the pods.
    pub owner: Option<Owner>,
    /// How many pods of `owner` have this problem.
    pub pods: usize,
    /// The nodes that those are on.
    pub nodes: BTreeSet<Text>,
    /// Since when, where the cluster says so; of several pods, the earliest.
    pub since: Option<Timestamp>,
    /// How often containers of those pods have been started again.
    pub restarts: i64,
}

/// By what a problem is known from one moment to the next, whatever is wrong: kind, namespace and name of what has it,
/// or of who made the pods that have it.
pub type Identity = (Kind, Arc<str>, Arc<str>);

impl Problem {
    /// See [`Identity`].
    pub fn identity(&self) -> Identity {
        let name = self.owner.as_ref().map_or_else(|| self.name.clone(), |owner| owner.name.clone().into());
        (self.kind, self.namespace.clone(), name)
    }
}

/// Adds those of rows.
pub fn add<T: Row>(found: &mut Vec<Problem>, rows: &[Arc<T>]) {
    found.extend(rows.iter().filter(|row| row.health() < Health::Progressing).map(|row| {
        let any: &dyn Any = &**row;
        let pod = any.downcast_ref::<Pod>();
        let node = pod.map(|pod| pod.node.clone()).filter(|node| !node.is_empty());
        Problem {
            health: row.health(),
            kind: T::KIND,
            namespace: row.meta().namespace.clone().into(),
            name: row.meta().name.clone(),
            why: row.why().to_owned(),
            owner: pod.and_then(|pod| pod.meta.owner.clone()),
            pods: 1,
            nodes: node.into_iter().collect(),
            since: row.since(),
            restarts: pod.map_or(0, |pod| pod.restarts),
        }
    }));
}

/// Pods of one owner with the same trouble as one problem; the worst first, and otherwise in the order in which they
/// were found.
pub fn told(found: Vec<Problem>) -> Vec<Problem> {
    let mut told: Vec<Problem> = Vec::new();
    let mut places: HashMap<(Uid, Health, String), usize> = HashMap::new();
    for problem in found {
        let key = problem.owner.as_ref().map(|owner| (owner.uid, problem.health, problem.why.clone()));
        match key.as_ref().and_then(|key| places.get(key)).and_then(|at| told.get_mut(*at)) {
            Some(first) => {
                first.pods += 1;
                first.restarts = first.restarts.saturating_add(problem.restarts);
                first.since = first.since.into_iter().chain(problem.since).min();
                first.nodes.extend(problem.nodes);
            }
            None => {
                if let Some(key) = key {
                    places.insert(key, told.len());
                }
                told.push(problem);
            }
        }
    }
    told.sort_by_key(|problem| problem.health);
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_of_one_owner_with_one_trouble_are_one_problem() {
        let pod = |name: &str, owner: Option<u128>, why: &str| {
            let mut pod = Pod { health: Health::Failing, why: why.into(), restarts: 2, ..Pod::default() };
            pod.meta.name = name.into();
            pod.meta.owner =
                owner.map(|uid| Owner { kind: "Job".into(), name: "import".into(), uid: Uid(uid) });
            pod.node = format!("node-{name}").into();
            pod.since = Some(Timestamp(100 - i64::from(name.as_bytes()[0])));
            Arc::new(pod)
        };
        let mut found = Vec::new();
        add(
            &mut found,
            &[
                pod("a", Some(1), "exit code 1"),
                pod("b", Some(1), "exit code 2"),
                pod("c", None, "exit code 1"),
                pod("d", Some(2), "exit code 1"),
                pod("e", Some(1), "exit code 1"),
                pod("f", None, "exit code 1"),
            ],
        );
        let told = told(found);
        let counted: Vec<(&str, usize)> = told.iter().map(|problem| (&*problem.name, problem.pods)).collect();
        assert_eq!(counted, [("a", 2), ("b", 1), ("c", 1), ("d", 1), ("f", 1)]);
        let first = &told[0];
        assert_eq!((first.restarts, first.since), (4, Some(Timestamp(100 - i64::from(b'e')))));
        assert_eq!(first.nodes.iter().map(Text::as_str).collect::<Vec<_>>(), ["node-a", "node-e"]);
    }

    #[test]
    fn what_is_healthy_or_on_its_way_is_no_problem_and_the_worst_stands_first() {
        let pod = |name: &str, health: Health| {
            let mut pod = Pod { health, ..Pod::default() };
            pod.meta.name = name.into();
            Arc::new(pod)
        };
        let mut found = Vec::new();
        let states = Health::ALL.into_iter().rev().map(|health| pod(health.word(), health));
        add(&mut found, &states.collect::<Vec<_>>());
        let names: Vec<_> = told(found).into_iter().map(|problem| problem.name.to_string()).collect();
        assert_eq!(names, ["failing", "unknown", "waiting"]);
    }
}
