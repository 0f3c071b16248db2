//! Small numbers for uids: 16 random bytes a row would be most of what a snapshot weighs.

use std::collections::{HashMap, HashSet};

use app::{
    api::{Kind, Row, Uid},
    model::{Cluster, WithRow},
};

/// Forgotten only when this many more are known than are in use.
const SLACK: usize = 10_000;

/// No uid of the API server's looks like that: its version bits are 0.
const PART: u128 = 1 << 127;

/// Which number stands for which `metadata.uid`. Numbers are never used twice in an epoch.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    known: HashMap<u128, u128>,
    last: u128,
}

impl Numbers {
    /// How many uids have one.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// The number of a uid, if it has one.
    pub fn known(&self, uid: Uid) -> Option<Uid> {
        self.known.get(&uid.0).copied().map(Uid)
    }

    /// Puts numbers in the place of every uid the row mentions.
    pub fn renumber<T: Row>(&mut self, row: &mut T) {
        let meta = row.meta_mut();
        meta.uid = self.number(meta.uid);
        if let Some(owner) = &mut meta.owner {
            owner.uid = self.number(owner.uid);
        }
        row.other_uids(&mut |uid| *uid = self.number(*uid));
    }

    /// The number of the `nth` thing made of the object that has the number `of`.
    pub fn part(&mut self, of: Uid, nth: usize) -> Uid {
        self.number(Uid(PART | of.0 << 16 | nth as u128))
    }

    fn number(&mut self, uid: Uid) -> Uid {
        let last = &mut self.last;
        Uid(*self.known.entry(uid.0).or_insert_with(|| {
            *last += 1;
            *last
        }))
    }

    /// Forgets uids that no row mentions any more, once there are many of them. A uid that comes
    /// up again later gets a new number, which only an owner seen after its dependants could notice.
    pub fn sweep(&mut self, cluster: &mut Cluster) {
        let rows: usize = Kind::ALL.iter().map(|kind| cluster.count(*kind)).sum();
        if self.known.len() < 3 * rows + SLACK {
            return;
        }
        let mut used = HashSet::with_capacity(rows * 2);
        for kind in Kind::ALL {
            kind.with_row(Mentioned { cluster, used: &mut used });
        }
        self.known.retain(|_, number| used.contains(number));
    }
}

struct Mentioned<'a> {
    cluster: &'a Cluster,
    used: &'a mut HashSet<u128>,
}

impl WithRow for Mentioned<'_> {
    type Out = ();
    fn with<T: Row>(self) {
        for row in T::rows(self.cluster).iter() {
            let meta = row.meta();
            self.used.insert(meta.uid.0);
            self.used.extend(meta.owner.as_ref().map(|owner| owner.uid.0));
            let mut copy = T::clone(row);
            copy.other_uids(&mut |uid| _ = self.used.insert(uid.0));
        }
    }
}
