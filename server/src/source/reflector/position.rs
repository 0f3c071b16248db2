//! How far a collection has been told, and by what an API server is known to be the one that told it.
//!
//! A version alone does not tell: after etcd was restored from a backup its versions count up again through numbers
//! that stood for something else before, and a watch from one of these would leave out, without a word, what the backup
//! did not have. What was written last is in no history but one: an object that still has the version it was last seen
//! with.

use std::{collections::VecDeque, sync::Arc};

use app::api::Uid;

use crate::source::translate::Head;

/// So many of the last objects are kept, in case the last ones are deleted.
const WITNESSES: usize = 4;

/// An object, as it was when it was last written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// Its namespace, or empty.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// By which it is told from another of that name.
    pub uid: Uid,
    /// The version that it was given then.
    pub version: Arc<str>,
    /// Of all that was said of it ([`translate::fingerprint`]): after a restore the same version is given to the same
    /// object again, for something else.
    ///
    /// [`translate::fingerprint`]: crate::source::translate::fingerprint
    fingerprint: u64,
}

impl Witness {
    /// Of an object.
    pub fn of(head: Head, fingerprint: u64) -> Option<Witness> {
        let known = !head.name.is_empty() && head.resource_version.parse::<u64>().is_ok();
        known.then_some(Witness {
            namespace: head.namespace,
            name: head.name,
            uid: head.uid,
            version: head.resource_version,
            fingerprint,
        })
    }
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Position {
    /// Where a watch goes on.
    pub version: String,
    /// The furthest that has been told, which is further where something is told again.
    furthest: u64,
    /// Whether anything has been told since the list.
    told: bool,
    /// Of the watch's last event, which object it was about, and its version.
    last: Option<(Uid, Arc<str>)>,
    /// The objects that were written last, the latest last.
    witnesses: VecDeque<Witness>,
    /// What was deleted after that.
    gone: Option<Gone>,
}

/// An object that was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// Its namespace, or empty.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// By which it is told from the next of that name.
    pub uid: Uid,
}

impl Position {
    /// A list had this in it, of a fingerprint that is only made if anybody has to know.
    pub fn listed(&mut self, head: Head, fingerprint: impl FnOnce() -> u64) {
        let number = |version: &str| version.parse::<u64>().unwrap_or_default();
        let version = number(&head.resource_version);
        let after = self.witnesses.partition_point(|known| number(&known.version) < version);
        if after == 0 && self.witnesses.len() == WITNESSES {
            return;
        }
        if let Some(witness) = Witness::of(head, fingerprint()) {
            self.witnesses.insert(after, witness);
            self.forget_oldest();
        }
    }

    /// Whether an event of this version comes after all that came so far. Versions of one resource may be compared as
    /// numbers (KEP-5504); others are not compared.
    pub fn precedes(&self, version: &str) -> bool {
        match (self.version.parse::<u64>(), version.parse::<u64>()) {
            (Ok(told), Ok(next)) => next > told,
            _ => true,
        }
    }

    /// Whether an object that is gone went with the last one: what has expired is deleted all at once, as one version
    /// (kubernetes/kubernetes#110210), and a watch tells one after the other.
    pub fn is_beside_gone(&self, head: &Head) -> bool {
        self.gone.is_some()
            && self.last.as_ref().is_some_and(|(_, version)| *version == head.resource_version)
    }

    /// The version before the last one, if that is of what is gone: more may be gone by it.
    pub fn before_gone(&self) -> Option<String> {
        self.gone.as_ref()?;
        let (_, last) = self.last.as_ref().filter(|(_, last)| **last == *self.version)?;
        Some(last.parse::<u64>().ok()?.checked_sub(1)?.to_string())
    }

    /// A watch begins from here. What another said last may be told again, or be something else of the same version.
    pub fn begin(&mut self, from: String) {
        self.version = from;
        self.last = None;
    }

    /// Whether this is the watch's last event once more.
    pub fn is_last(&self, head: &Head) -> bool {
        self.last.as_ref().is_some_and(|(uid, version)| *uid == head.uid && *version == head.resource_version)
    }

    /// An object was written.
    pub fn put(&mut self, head: Head, fingerprint: u64) {
        self.forget(head.uid);
        self.at(&head);
        self.gone = None;
        self.witnesses.extend(Witness::of(head, fingerprint));
        self.forget_oldest();
    }

    /// An object was deleted, by which time the version was this.
    pub fn deleted(&mut self, head: &Head) {
        self.forget(head.uid);
        self.at(head);
        self.gone = Some(Gone { namespace: head.namespace.clone(), name: head.name.clone(), uid: head.uid });
    }

    /// Nothing else happened until this version.
    pub fn bookmark(&mut self, version: String) {
        self.furthest = self.furthest.max(version.parse().unwrap_or_default());
        self.version = version;
    }

    /// Where to go on so that whatever has no witness is told again; `None` if nobody can witness anything.
    pub fn since_witness(&self) -> Option<String> {
        // What was deleted before the list has none.
        let witness = self.witnesses().next().filter(|_| self.told)?;
        Some(witness.version.to_string())
    }

    /// Whether a version is before something that has been told.
    pub fn is_past(&self, version: &str) -> bool {
        version.parse().is_ok_and(|version| self.is_before_furthest(version))
    }

    /// The same of a number.
    pub fn is_before_furthest(&self, version: u64) -> bool {
        version < self.furthest
    }

    /// The objects that were written last and are still there, the latest first.
    pub fn witnesses(&self) -> impl Iterator<Item = &Witness> {
        self.witnesses.iter().rev()
    }

    /// Whether nobody can witness anything, because there is nothing.
    pub fn has_no_witness(&self) -> bool {
        self.witnesses.is_empty()
    }

    /// The object that is there no more, if its deletion is the last that was told.
    pub fn gone(&self) -> Option<&Gone> {
        self.gone.as_ref()
    }

    /// Whether a version is after all that has been told.
    pub fn is_ahead(&self, version: &str) -> bool {
        version.parse().is_ok_and(|version: u64| version > self.furthest)
    }

    fn at(&mut self, head: &Head) {
        self.bookmark(head.resource_version.to_string());
        self.told = true;
        self.last = Some((head.uid, head.resource_version.clone()));
    }

    fn forget_oldest(&mut self) {
        self.witnesses.drain(..self.witnesses.len().saturating_sub(WITNESSES));
    }

    fn forget(&mut self, uid: Uid) {
        self.witnesses.retain(|witness| witness.uid != uid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(name: &str, version: u64) -> Head {
        Head {
            namespace: Arc::from("default"),
            name: Arc::from(name),
            uid: Uid(name.len() as u128),
            resource_version: Arc::from(version.to_string()),
        }
    }

    #[test]
    fn whoever_was_written_last_and_is_still_there_is_the_witness() {
        let mut position = Position::default();
        for (name, version) in [("a", 3), ("bb", 7), ("ccc", 5)] {
            position.listed(head(name, version), || 1);
        }
        position.bookmark("9".to_owned());
        let named = |position: &Position| position.witnesses().next().map(|witness| witness.name.to_string());
        assert_eq!(named(&position), Some("bb".to_owned()));
        position.put(head("a", 10), 1);
        assert_eq!((named(&position), position.version.as_str()), (Some("a".to_owned()), "10"));
        position.deleted(&head("a", 11));
        assert_eq!((named(&position), position.version.as_str()), (Some("bb".to_owned()), "11"));
        let witness = position.witnesses().next().cloned();
        assert_eq!(witness, Witness::of(head("bb", 7), 1));
        assert_ne!(witness, Witness::of(head("bb", 8), 1), "written since");
        assert_ne!(witness, Witness::of(head("bb", 7), 2), "by the same version something else");
        assert_ne!(witness, Witness::of(head("other", 7), 1));
        position.deleted(&head("bb", 12));
        assert_eq!(named(&position), Some("ccc".to_owned()));
        position.deleted(&head("ccc", 13));
        assert!(position.has_no_witness(), "nobody can tell");
    }

    #[test]
    fn what_is_told_again_is_past_until_all_of_it_was() {
        let mut position = Position::default();
        position.listed(head("a", 3), || 1);
        position.bookmark("5".to_owned());
        assert_eq!(position.since_witness(), None, "nothing tells what was deleted before");
        position.put(head("bb", 7), 1);
        position.deleted(&head("ccc", 9));
        assert_eq!(position.since_witness(), Some("7".to_owned()));
        position.begin("7".to_owned());
        assert!(!position.is_last(&head("ccc", 9)), "it may be another by now");
        assert!(position.is_past("7") && position.is_past("8") && !position.is_past("9"));
        position.put(head("d", 8), 1);
        assert!(position.is_past(&position.version), "torn off again on the way");
    }

    #[test]
    fn of_a_list_those_that_were_written_last_are_known() {
        let mut position = Position::default();
        for version in [5, 90, 40, 7, 80, 60, 1] {
            position.listed(head(&"x".repeat(version as usize), version), || version);
        }
        let versions: Vec<_> = position.witnesses().map(|witness| witness.version.to_string()).collect();
        assert_eq!(versions, ["90", "80", "60", "40"]);
    }

    #[test]
    fn events_come_in_order() {
        let mut position = Position::default();
        position.put(head("a", 8), 1);
        assert!(position.is_last(&head("a", 8)) && !position.is_last(&head("bb", 8)));
        position.bookmark("9".to_owned());
        assert!(!position.is_last(&head("bb", 9)), "a bookmark was about nothing");
        assert!(position.precedes("10") && !position.precedes("9") && !position.precedes("8"));
        assert!(position.precedes("not-a-number"));
    }
}
