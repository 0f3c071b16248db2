//! A workload's templates: how each came to be, and what differs between two.

use std::{collections::BTreeMap, sync::Arc};

use app::{
    api::{
        Deployment, ReplicaSet,
        manifest::{self, Difference},
        picture::{Origin, Revision},
    },
    query,
};

use super::draw::newest;

/// So many of them are told, the newest.
const TOLD: usize = 50;

/// The revisions of a Deployment, whose ReplicaSets are `sets`, and what differs `between` two of them; unless
/// asked, between the last and the one before.
pub fn of_deployment(
    row: &Deployment,
    sets: &[Arc<ReplicaSet>],
    between: Option<(i64, i64)>,
) -> (Vec<Revision>, Option<Difference>) {
    let history = History(query::revisions(row, sets.iter()));
    let runs = newest(sets, row).map(|set| set.meta.uid);
    let skipped = history.0.len().saturating_sub(TOLD);
    let revisions = history.0.iter().skip(skipped).map(|(number, set)| Revision {
        number: *number,
        name: set.meta.name.clone(),
        created: set.meta.created,
        replicas: Some(set.replicas.current),
        images: set.replicas.images.clone(),
        change_cause: set.replicas.change_cause.clone(),
        runs: runs == Some(set.meta.uid),
        origin: history.origin(*number),
    });
    let revisions = revisions.collect();
    let between = between.or_else(|| history.latest());
    (revisions, between.and_then(|(from, to)| history.difference(from, to)))
}

/// Each revision's ReplicaSet, by number.
struct History(BTreeMap<i64, Arc<ReplicaSet>>);

impl History {
    /// What held a revision's template, which may be another revision by now.
    fn holder(&self, number: i64) -> Option<&Arc<ReplicaSet>> {
        self.0.get(&number).or_else(|| self.0.values().find(|set| set.replicas.formerly.contains(&number)))
    }

    fn origin(&self, number: i64) -> Origin {
        let Some(set) = self.0.get(&number) else { return Origin::Unknown };
        if let Some(was) = set.replicas.formerly.last() {
            return Origin::Undo { was: *was };
        }
        let Some(before) = self.holder(number - 1) else { return Origin::Unknown };
        let [before, after] = [before, set].map(|set| set.replicas.detail.manifest.field());
        if manifest::is_restart(&before, &after) { Origin::Restart } else { Origin::New }
    }

    /// The last revision and the one that ran before it, by whatever number that has now.
    fn latest(&self) -> Option<(i64, i64)> {
        let mut numbers = self.0.keys().rev();
        let to = *numbers.next()?;
        let before = self.holder(to - 1).and_then(|set| set.replicas.revision).filter(|from| *from != to);
        Some((before.or(numbers.next().copied())?, to))
    }

    fn difference(&self, from: i64, to: i64) -> Option<Difference> {
        let field = |number| Some(self.0.get(&number)?.replicas.detail.manifest.field());
        Some(Difference::between((from, &field(from)?), (to, &field(to)?)))
    }
}
