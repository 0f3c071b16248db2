//! What holds a workload's templates: a Deployment's ReplicaSets, a DaemonSet's or StatefulSet's ControllerRevisions.

use std::collections::{BTreeSet, HashMap};

use app::api::Uid;

/// Whose each of them is. They may come before their owner and go after it.
#[derive(Debug, Default)]
pub struct Holders {
    of: HashMap<Uid, BTreeSet<Uid>>,
    owners: HashMap<Uid, Uid>,
}

impl Holders {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.owners.len()
    }

    /// Whose it is, if anybody's.
    pub fn owner(&self, holder: Uid) -> Option<Uid> {
        self.owners.get(&holder).copied()
    }

    /// All that are this owner's.
    pub fn of(&self, owner: Uid) -> impl Iterator<Item = Uid> {
        self.of.get(&owner).into_iter().flatten().copied()
    }

    /// It is this owner's now, or nobody's; whose it no longer is.
    pub fn put(&mut self, holder: Uid, owner: Option<Uid>) -> Option<Uid> {
        let left = if self.owner(holder) == owner { None } else { self.leave(holder) };
        if let Some(owner) = owner {
            self.owners.insert(holder, owner);
            self.of.entry(owner).or_default().insert(holder);
        }
        left
    }

    /// It is nobody's any more; whose it was.
    pub fn leave(&mut self, holder: Uid) -> Option<Uid> {
        let owner = self.owners.remove(&holder)?;
        if let Some(all) = self.of.get_mut(&owner) {
            all.remove(&holder);
            if all.is_empty() {
                self.of.remove(&owner);
            }
        }
        Some(owner)
    }
}
