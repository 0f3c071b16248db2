//! What is to be pointed out of selectors: two that select the same pods, and those that select none.

use std::collections::{BTreeMap, HashSet};

use super::{Selecting, Selectors, may_overlap};
use crate::{
    api::{Pod, Uid},
    selector::{Operator, Selector},
};

/// Two controllers of which one selects pods of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Overlap {
    /// The one whose selector reaches further than its own pods.
    pub by: Uid,
    /// Whose pods it selects.
    pub of: Uid,
    /// Whether it is the same the other way round.
    pub mutual: bool,
}

/// What there is to point out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Survey {
    /// Overlaps, each pair once.
    pub overlaps: Vec<Overlap>,
    /// Those that select no pod, though there should be some.
    pub empty: Vec<Uid>,
}

/// Looks at all selectors and at all pods once. That one selector selects whatever another does is told from the two;
/// what is more than that, from pods.
pub fn survey<'a>(selectors: &Selectors, pods: impl IntoIterator<Item = &'a Pod>) -> Survey {
    let mut reaches: HashSet<(Uid, Uid)> = HashSet::new();
    for (other, selector) in selectors.iter() {
        let Some(narrow) = selector else { continue };
        let pairs = narrow.requirements().iter().flat_map(|requirement| {
            let values = match &requirement.operator {
                Operator::Equals(value) => std::slice::from_ref(value),
                Operator::In(values) => &values[..],
                _ => &[],
            };
            values.iter().map(|value| (&requirement.key, value))
        });
        for at in selectors.near(&other.namespace, pairs) {
            let (one, wide) = &selectors.all[at];
            if may_overlap(one, other) && wide.as_ref().is_some_and(|wide| wide.covers(narrow)) {
                reaches.insert((one.uid, other.uid));
            }
        }
    }
    let mut reached: HashSet<Uid> = HashSet::new();
    for pod in pods {
        let owner = selectors.owner_of(pod);
        for one in selectors.selecting(&pod.meta.namespace, &pod.meta.labels) {
            reached.insert(one.uid);
            if let Some(owner) = owner
                && may_overlap(one, owner)
                // a ReplicaSet's own pods are its Deployment's
                && pod.meta.owner.as_ref().is_none_or(|owner| owner.uid != one.uid)
            {
                reaches.insert((one.uid, owner.uid));
            }
        }
    }
    let empty =
        |one: &Selecting| one.wants && !one.deleting && one.part_of.is_none() && !reached.contains(&one.uid);
    Survey {
        overlaps: pairs(selectors, reaches),
        empty: selectors
            .iter()
            .filter(|(one, selector)| selector.is_some() && empty(one))
            .map(|(one, _)| one.uid)
            .collect(),
    }
}

/// Those of which one surely selects every pod, whatever pods there are.
pub fn covered<'a>(selectors: &'a Selectors, one: &Selecting) -> Vec<&'a Selecting> {
    let Some(wide) = selectors.selector(one.uid) else { return Vec::new() };
    let covers = |(other, narrow): (&'a Selecting, Option<&Selector>)| {
        (may_overlap(one, other) && wide.covers(narrow?)).then_some(other)
    };
    selectors.iter().filter_map(covers).collect()
}

/// Each pair once, in the order of the objects; a ReplicaSet's overlaps are its Deployment's.
fn pairs(selectors: &Selectors, reaches: HashSet<(Uid, Uid)>) -> Vec<Overlap> {
    let place = |uid: Uid| selectors.by_uid.get(&uid).copied().unwrap_or(usize::MAX);
    let speaks = |uid: Uid| selectors.get(uid).and_then(|one| one.part_of).unwrap_or(uid);
    let reaches: HashSet<(Uid, Uid)> = reaches
        .into_iter()
        .map(|(by, of)| (speaks(by), of))
        .filter(|(by, of)| by != of && selectors.get(*by).is_some())
        .collect();
    let mut found: BTreeMap<(usize, usize), Overlap> = BTreeMap::new();
    for (by, of) in &reaches {
        let mutual = reaches.contains(&(*of, *by));
        let (by, of) = if mutual && place(*of) < place(*by) { (*of, *by) } else { (*by, *of) };
        found.insert((place(by), place(of)), Overlap { by, of, mutual });
    }
    found.into_values().collect()
}
