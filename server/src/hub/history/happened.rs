//! What happened to a workload: told from how it stood before and how it stands now.

use std::{collections::VecDeque, sync::Arc};

use app::api::{
    Millis,
    picture::{Course, Happening, What},
};

/// So much of it is kept for each workload.
const KEPT: usize = 60;

/// How a workload stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    pub course: Course,
    pub desired: i32,
    pub paused: bool,
    /// The lane of the newest template, if that is known.
    pub newest: Option<Arc<str>>,
    /// Its revision, if it has one.
    pub revision: Option<i64>,
    /// Pods of other templates.
    pub old: i32,
    /// The course speaks of the newest template: what its controller says may be older than what it has made.
    pub speaks_of_newest: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Happened {
    before: Option<Standing>,
    /// A rollout goes on.
    rolling: bool,
    /// Its deadline has passed.
    overdue: bool,
    /// Since when no template has been the newest: `Recreate` ends the old pods first.
    emptied: Option<Millis>,
    /// When the newest template became that, if not from the beginning.
    pub began: Option<Millis>,
    kept: VecDeque<Happening>,
}

impl Happened {
    /// Oldest first.
    pub fn told(&self) -> Vec<Happening> {
        self.kept.iter().cloned().collect()
    }

    /// Something that does not show in how it stands.
    pub fn note(&mut self, at: Millis, what: What) {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(Happening { at, what });
    }

    /// It stands like this at `now`.
    pub fn stands(&mut self, standing: Standing, now: Millis) {
        let ended = standing.speaks_of_newest && standing.course == Course::Succeeded;
        let Some(before) = self.before.take() else {
            self.rolling = standing.old > 0 && !ended && standing.course != Course::OnDelete;
            self.overdue = standing.course == Course::DeadlineExceeded;
            self.before = Some(standing);
            return;
        };
        match (before.paused, standing.paused) {
            (false, true) => self.note(now, What::Paused),
            (true, false) => self.note(now, What::Resumed),
            _ => {}
        }
        if before.desired != standing.desired {
            self.note(now, What::Scaled { from: before.desired, to: standing.desired });
        }
        if standing.newest.is_none() && !standing.paused {
            self.emptied.get_or_insert(now);
        }
        let newest = standing.newest.clone().or(before.newest.clone());
        if before.newest.is_some() && newest != before.newest {
            if self.rolling {
                self.note(now, What::Ended { course: Course::Replaced });
            }
            let began = self.emptied.unwrap_or(now);
            self.note(began, What::Began { revision: standing.revision });
            self.began = Some(began);
            self.rolling = standing.course != Course::OnDelete;
            self.overdue = false;
        }
        if standing.newest.is_some() {
            self.emptied = None;
        }
        // A new spec that is not observed yet hides it for a moment.
        if standing.course == Course::DeadlineExceeded && !self.overdue {
            self.overdue = true;
            self.note(now, What::Ended { course: Course::DeadlineExceeded });
        }
        if ended {
            self.overdue = false;
        }
        if self.rolling && ended {
            self.rolling = false;
            self.note(now, What::Ended { course: Course::Succeeded });
        }
        self.before = Some(Standing { newest, ..standing });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(newest: &str, course: Course, old: i32) -> Standing {
        Standing {
            course,
            desired: 3,
            paused: false,
            newest: Some(newest.into()),
            revision: newest.strip_prefix('r').and_then(|number| number.parse().ok()),
            old,
            speaks_of_newest: true,
        }
    }

    fn told(standings: impl IntoIterator<Item = Standing>) -> Vec<What> {
        let mut happened = Happened::default();
        for (at, standing) in (0..).zip(standings) {
            happened.stands(standing, Millis(at));
        }
        happened.told().into_iter().map(|happening| happening.what).collect()
    }

    #[test]
    fn a_rollout_begins_and_ends_once() {
        use Course::{Progressing, Succeeded};
        let told = told([
            standing("r1", Succeeded, 0),
            Standing { speaks_of_newest: false, ..standing("r2", Succeeded, 3) },
            standing("r2", Progressing, 2),
            standing("r2", Succeeded, 0),
            standing("r2", Progressing, 0), // a pod lost
            standing("r2", Succeeded, 0),
        ]);
        assert_eq!(told, [What::Began { revision: Some(2) }, What::Ended { course: Succeeded }]);
    }

    #[test]
    fn one_that_is_replaced_says_so_and_scaling_is_no_rollout() {
        use Course::{DeadlineExceeded, Progressing, Replaced, Succeeded};
        let told = told([
            standing("r2", Progressing, 2), // it was on its way when we came
            Standing { desired: 5, ..standing("r2", Progressing, 2) },
            Standing { desired: 5, ..standing("r2", DeadlineExceeded, 2) },
            Standing { desired: 5, ..standing("r2", Progressing, 2) }, // a spec that is not observed yet
            Standing { desired: 5, ..standing("r2", DeadlineExceeded, 2) },
            Standing { desired: 5, paused: true, ..standing("r3", Progressing, 3) },
            Standing { desired: 5, ..standing("r3", Progressing, 3) },
            Standing { desired: 5, ..standing("r3", Succeeded, 0) },
            standing("r3", Progressing, 0),
            standing("r3", Succeeded, 0),
        ]);
        assert_eq!(
            told,
            [
                What::Scaled { from: 3, to: 5 },
                What::Ended { course: DeadlineExceeded },
                What::Paused,
                What::Ended { course: Replaced },
                What::Began { revision: Some(3) },
                What::Resumed,
                What::Ended { course: Succeeded },
                What::Scaled { from: 5, to: 3 },
            ]
        );
    }

    #[test]
    fn recreate_begins_when_the_old_pods_are_told_to_end() {
        let mut happened = Happened::default();
        let none = Standing { newest: None, revision: None, ..standing("r1", Course::Progressing, 3) };
        happened.stands(standing("r1", Course::Succeeded, 0), Millis(1));
        happened.stands(none.clone(), Millis(2));
        happened.stands(none, Millis(3));
        happened.stands(standing("r2", Course::Progressing, 0), Millis(4));
        assert_eq!(happened.began, Some(Millis(2)));
    }

    #[test]
    fn what_is_replaced_by_hand_has_no_rollouts_to_replace() {
        use Course::OnDelete;
        let told =
            told([standing("r1", OnDelete, 0), standing("r2", OnDelete, 3), standing("r3", OnDelete, 3)]);
        assert_eq!(told, [What::Began { revision: Some(2) }, What::Began { revision: Some(3) }]);
    }
}
