//! A workload's templates: how each came to be, and what differs between two.

use std::{collections::BTreeMap, sync::Arc};

use app::{
    api::{
        manifest::{self, Difference},
        picture::{Origin, Revision},
    },
    query::Held,
};

/// So many of them are told, the newest.
const TOLD: usize = 50;

/// What is told of the revisions that are `held`, of which `runs` is the one that is wanted; and what differs
/// `between` two of them, unless asked between the last and the one before.
pub fn told(
    held: BTreeMap<i64, Held>,
    runs: Option<&Arc<str>>,
    between: Option<(i64, i64)>,
) -> (Vec<Revision>, Option<Difference>) {
    let templates = Templates(held);
    let skipped = templates.0.len().saturating_sub(TOLD);
    let revisions = templates.0.iter().skip(skipped).map(|(number, held)| Revision {
        number: *number,
        name: held.by.clone(),
        created: held.created,
        replicas: held.replicas,
        images: held.images.clone(),
        change_cause: held.change_cause.clone(),
        runs: runs == Some(&held.by),
        origin: templates.origin(*number),
    });
    let revisions = revisions.collect();
    let between = between.or_else(|| templates.latest());
    (revisions, between.and_then(|(from, to)| templates.difference(from, to)))
}

/// Each revision's template, by number.
struct Templates(BTreeMap<i64, Held>);

impl Templates {
    /// What holds a revision's template, which may be another revision by now.
    fn holder(&self, number: i64) -> Option<(i64, &Held)> {
        self.0
            .get_key_value(&number)
            .or_else(|| self.0.iter().find(|(_, held)| held.formerly.contains(&number)))
            .map(|(number, held)| (*number, held))
    }

    fn origin(&self, number: i64) -> Origin {
        let Some(held) = self.0.get(&number) else { return Origin::Unknown };
        if let Some(was) = held.formerly.last() {
            return Origin::Undo { was: Some(*was) };
        }
        // Nothing notes what a ControllerRevision was before, but it is older then than those in between.
        if self.0.range(..number).any(|(_, earlier)| earlier.created > held.created) {
            return Origin::Undo { was: None };
        }
        let Some((_, before)) = self.holder(number - 1) else { return Origin::Unknown };
        let [before, after] = [before, held].map(|held| held.detail.manifest.field());
        if manifest::is_restart(&before, &after) { Origin::Restart } else { Origin::New }
    }

    /// The last revision and the one that ran before it, by whatever number that has now.
    fn latest(&self) -> Option<(i64, i64)> {
        let mut numbers = self.0.keys().rev();
        let to = *numbers.next()?;
        let before = self.holder(to - 1).map(|(number, _)| number).filter(|from| *from != to);
        Some((before.or(numbers.next().copied())?, to))
    }

    fn difference(&self, from: i64, to: i64) -> Option<Difference> {
        let field = |number| Some(self.0.get(&number)?.detail.manifest.field());
        Some(Difference::between((from, &field(from)?), (to, &field(to)?)))
    }
}
