//! Who selects pods by their labels. What follows for a pod and for its selector is in [`bonds`]; what is wrong with
//! selectors, in [`survey`].
//!
//! A controller keeps to the pods whose `ownerReferences` name it. Its selector says which it takes over and which it
//! lets go (`pkg/controller/controller_ref_manager.go`, `ClaimObject`). For a Service the selector is all there is.

pub mod bonds;
pub mod survey;

use std::{collections::HashMap, sync::Arc};

use crate::{
    api::{
        DaemonSet, Deployment, Kind, Labels, Meta, Pod, PodDisruptionBudget, ReplicaSet,
        ReplicationController, Row, Service, StatefulSet, Text, Uid,
    },
    selector::{Operator, Requirement, Selector},
};

/// A selector of pods, as the object that has it writes it.
#[derive(Clone, Debug, PartialEq)]
pub enum Written {
    /// A label selector as kubectl prints it. What is empty there is no selector or one that selects everything; of
    /// the kinds whose rows have it printed, the API server takes neither (`pkg/apis/apps/validation`), and so nothing
    /// is said of it.
    Printed(Text),
    /// A plain map, all pairs required, as Services have it; an empty one is none.
    Pairs(Labels),
    /// One that is read already: `None` for no selector, and an empty one selects everything.
    Read(Option<Selector>),
}

impl Written {
    /// The selector; `None` for what selects nothing, or nothing that could be told.
    pub fn read(&self) -> Option<Selector> {
        match self {
            Written::Printed(text) => Selector::parse(text).ok().filter(|selector| !selector.is_empty()),
            Written::Read(selector) => selector.clone(),
            Written::Pairs(pairs) if pairs.is_empty() => None,
            Written::Pairs(pairs) => {
                Some(Selector::of(pairs.iter().map(|(key, value)| Requirement::equals(key, value)).collect()))
            }
        }
    }
}

/// An object that selects pods of its namespace.
#[derive(Clone, Debug, PartialEq)]
pub struct Selecting {
    /// Which kind.
    pub kind: Kind,
    /// Its identity.
    pub uid: Uid,
    /// Its namespace.
    pub namespace: Text,
    /// Its name.
    pub name: Arc<str>,
    /// What it selects.
    pub written: Written,
    /// Whether there should be pods that it selects.
    pub wants: bool,
    /// Whether it is being deleted: then it takes over nothing and lets nothing go.
    pub deleting: bool,
    /// The Deployment that it is a ReplicaSet of.
    pub part_of: Option<Uid>,
}

impl Selecting {
    /// One that wants pods whenever it has a selector, as a Service does.
    pub fn of(kind: Kind, meta: &Meta, written: Written) -> Selecting {
        let owner = meta.deployment().filter(|_| kind == Kind::ReplicaSet);
        Selecting {
            kind,
            uid: meta.uid,
            namespace: meta.namespace.clone(),
            name: meta.name.clone(),
            written,
            wants: true,
            deleting: meta.deleting.is_some(),
            part_of: owner.map(|owner| owner.uid),
        }
    }

    /// `deployment/web`
    pub fn reference(&self) -> String {
        format!("{}/{}", self.kind.singular(), self.name)
    }

    /// Whether it makes and owns pods, as a controller; a Service does not.
    pub fn controls(&self) -> bool {
        self.kind.makes_pods()
    }

    fn workload<T: Row>(row: &T, printed: &Text, desired: i32) -> Selecting {
        let written = Written::Printed(printed.clone());
        Selecting { wants: desired > 0, ..Selecting::of(T::KIND, row.meta(), written) }
    }
}

impl From<&Deployment> for Selecting {
    fn from(row: &Deployment) -> Selecting {
        Selecting::workload(row, &row.selector, row.desired)
    }
}

impl From<&ReplicaSet> for Selecting {
    fn from(row: &ReplicaSet) -> Selecting {
        Selecting::workload(row, &row.replicas.selector, row.replicas.desired)
    }
}

impl From<&ReplicationController> for Selecting {
    fn from(row: &ReplicationController) -> Selecting {
        Selecting::workload(row, &row.replicas.selector, row.replicas.desired)
    }
}

impl From<&DaemonSet> for Selecting {
    fn from(row: &DaemonSet) -> Selecting {
        Selecting::workload(row, &row.selector, row.desired)
    }
}

impl From<&StatefulSet> for Selecting {
    fn from(row: &StatefulSet) -> Selecting {
        Selecting::workload(row, &row.selector, row.desired)
    }
}

impl From<&Service> for Selecting {
    fn from(row: &Service) -> Selecting {
        let pairs = row.selector.clone().filter(|_| row.has_pods()).unwrap_or_default();
        Selecting::of(Kind::Service, &row.meta, Written::Pairs(pairs))
    }
}

impl From<&PodDisruptionBudget> for Selecting {
    fn from(row: &PodDisruptionBudget) -> Selecting {
        Selecting::of(Kind::PodDisruptionBudget, &row.meta, Written::Read(row.selects()))
    }
}

/// Everything that selects pods, so that the few that may select a pod are found without asking all.
#[derive(Clone, Debug, Default)]
pub struct Selectors {
    all: Vec<(Selecting, Option<Selector>)>,
    by_uid: HashMap<Uid, usize>,
    /// Those that require a value of a label, under one such pair.
    by_pair: HashMap<(Text, Text), HashMap<Text, Vec<usize>>>,
    /// The others, by namespace.
    others: HashMap<Text, Vec<usize>>,
}

/// The same objects with the same selectors; the rest follows from them.
impl PartialEq for Selectors {
    fn eq(&self, other: &Selectors) -> bool {
        self.all == other.all
    }
}

impl Selectors {
    /// Reads their selectors.
    pub fn of(all: Vec<Selecting>) -> Selectors {
        let mut selectors = Selectors::default();
        for one in all {
            let (at, selector) = (selectors.all.len(), one.written.read());
            selectors.by_uid.insert(one.uid, at);
            if let Some(selector) = &selector {
                let namespace = one.namespace.clone();
                match pair(selector) {
                    Some((key, value)) => {
                        let values = selectors.by_pair.entry((namespace, key.clone())).or_default();
                        values.entry(value.clone()).or_default().push(at);
                    }
                    None => selectors.others.entry(namespace).or_default().push(at),
                }
            }
            selectors.all.push((one, selector));
        }
        selectors
    }

    /// The one with this identity.
    pub fn get(&self, uid: Uid) -> Option<&Selecting> {
        self.by_uid.get(&uid).map(|at| &self.all[*at].0)
    }

    /// Its selector, if it selects anything.
    pub fn selector(&self, uid: Uid) -> Option<&Selector> {
        self.by_uid.get(&uid).and_then(|at| self.all[*at].1.as_ref())
    }

    /// Each of them with its selector.
    pub fn iter(&self) -> impl Iterator<Item = (&Selecting, Option<&Selector>)> {
        self.all.iter().map(|(one, selector)| (one, selector.as_ref()))
    }

    /// Those that select a pod with these labels, in the order they were given.
    pub fn selecting(&self, namespace: &Text, labels: &Labels) -> Vec<&Selecting> {
        let mut found = self.near(namespace, labels.iter().map(|(key, value)| (key, value)));
        found.retain(|at| self.all[*at].1.as_ref().is_some_and(|selector| selector.matches(labels)));
        found.into_iter().map(|at| &self.all[at].0).collect()
    }

    /// Those that may select what has these labels, as far as is quickly told.
    fn near<'a>(&self, namespace: &Text, pairs: impl Iterator<Item = (&'a Text, &'a Text)>) -> Vec<usize> {
        let mut found = self.others.get(namespace).cloned().unwrap_or_default();
        for (key, value) in pairs {
            let values = self.by_pair.get(&(namespace.clone(), key.clone()));
            found.extend(values.and_then(|values| values.get(value)).into_iter().flatten());
        }
        found.sort_unstable();
        found
    }

    /// Whose pod it is: its controller, or the Deployment behind that.
    pub fn owner_of(&self, pod: &Pod) -> Option<&Selecting> {
        let owner = self.get(pod.meta.owner.as_ref()?.uid)?;
        Some(owner.part_of.and_then(|deployment| self.get(deployment)).unwrap_or(owner))
    }
}

/// Who requires which labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Required {
    /// A value, or one of some.
    pub values: HashMap<(Text, Text), Vec<Selecting>>,
    /// A key, with any value.
    pub keys: HashMap<Text, Vec<Selecting>>,
}

impl Selectors {
    /// Who requires which labels. What a ReplicaSet requires as its Deployment does is told of the Deployment alone.
    pub fn required(&self) -> Required {
        let mut required = Required::default();
        for (one, selector) in self.iter() {
            let Some(selector) = selector else { continue };
            let deployment = one.part_of.and_then(|uid| self.selector(uid));
            for requirement in selector.requirements() {
                if deployment.is_some_and(|deployment| deployment.requirements().contains(requirement)) {
                    continue;
                }
                let key = || requirement.key.clone();
                let value = |value: &Text| (key(), value.clone());
                match &requirement.operator {
                    Operator::Equals(it) => required.values.entry(value(it)).or_default().push(one.clone()),
                    Operator::In(values) => {
                        for it in values {
                            required.values.entry(value(it)).or_default().push(one.clone());
                        }
                    }
                    Operator::Exists => required.keys.entry(key()).or_default().push(one.clone()),
                    _ => {}
                }
            }
        }
        required
    }
}

/// A label that must have one value.
fn pair(selector: &Selector) -> Option<(&Text, &Text)> {
    selector.requirements().iter().find_map(|requirement| match &requirement.operator {
        Operator::Equals(value) => Some((&requirement.key, value)),
        Operator::In(values) => match &values[..] {
            [value] => Some((&requirement.key, value)),
            _ => None,
        },
        _ => None,
    })
}

/// Whether `one` has any claim to be told apart from that of `other`: not to itself, nor between a Deployment and its
/// ReplicaSets, which select the same pods on purpose and for which the Deployment speaks. A StatefulSet takes only pods
/// with names of its own.
pub fn may_overlap(one: &Selecting, other: &Selecting) -> bool {
    one.controls()
        && other.controls()
        && one.kind != Kind::StatefulSet
        && one.namespace == other.namespace
        && one.uid != other.uid
        && other.part_of.is_none()
        && one.part_of != Some(other.uid)
}

#[cfg(test)]
mod tests;
