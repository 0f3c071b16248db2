//! Whether an answer of the pulse confirms what a watch has told. Both come over one connection, but each in a stream
//! of its own: where there is much to send, or the line is slow, an answer overtakes events that happened before it. It
//! confirms a watch on which nothing came while it was under way: had anything been waiting, some of it would have come
//! first, since an API server sends a piece of each stream in turn. It confirms any other once that has told as much as
//! the answer counts: events of a watch come in the order of their versions. It confirms nothing where less is counted
//! than had been told before: there is another history there by now.
//!
//! An answer that tells nothing of what a kind counts confirms no watch on which something came meanwhile, if others do
//! tell. Where none does, as of Events, each is as good as one over a fast line, and may be wrong for as long as that is
//! not.

use std::collections::VecDeque;

use app::api::Kind;
use tokio::time::Instant;

use crate::source::{
    moment::Moment,
    pulse::{Answer, is_counted_apart},
};

/// So many answers wait. By the time that there are more, the first is older than what is called live.
const HELD: usize = 4;

/// What has come on a watch, and which answers wait for what has not.
#[derive(Debug, Default)]
pub struct Overtaken {
    /// When something last came.
    came: Option<Instant>,
    /// All has been told until this version.
    until: u64,
    /// When the API server had last been asked, the last time that something came, and until which version all had been
    /// told by then.
    told_when_asked: Option<(Instant, u64)>,
    /// An answer about another kind counted less than had been told.
    is_doubted: bool,
    /// And one about this kind has counted more, since: this kind is counted for itself.
    is_apart: bool,
    /// When the API server was asked, and the version that it counted, the first first.
    held: VecDeque<(Moment, u64)>,
}

impl Overtaken {
    /// Another watch begins.
    pub fn begin(&mut self) {
        *self = Overtaken { is_apart: self.is_apart, ..Overtaken::default() };
    }

    /// Something came, by which all has been told until this version, if it is one; the API server had last been `asked`
    /// then. As of when what has been told is current, if that is known now.
    pub fn came(&mut self, at: Instant, until: Option<u64>, asked: Instant) -> Option<Moment> {
        self.came = Some(at);
        if self.told_when_asked.is_none_or(|(before, _)| before < asked) {
            self.told_when_asked = Some((asked, self.until));
        }
        self.until = until?;
        let told = self.held.iter().filter(|(_, counted)| *counted <= self.until);
        let at = told.map(|(at, _)| *at).next_back()?;
        self.confirm(at)
    }

    /// The API server has answered: as of when all of a `kind` that has been told is current, if that is known now.
    pub fn answered(&mut self, answer: &Answer, kind: Kind, is_amid_event: bool) -> Option<Moment> {
        // That of its own first, which is counted as it is itself in any case.
        let own = answer.counted().find(|(of, _)| *of == kind);
        let like = || {
            answer.counted().find(|(of, _)| !self.is_apart && is_counted_apart(*of) == is_counted_apart(kind))
        };
        let (of, counted) = own.or_else(like).unzip();
        let is_past = counted.is_some_and(|counted| counted < self.until_at(answer.at.steady));
        self.is_apart |= of == Some(kind) && self.is_doubted && !is_past;
        self.is_doubted |= of != Some(kind) && is_past;
        let is_quiet = !is_amid_event && self.came.is_none_or(|came| came < answer.at.steady);
        match counted {
            // What was told before it was asked did not happen there.
            _ if is_past => None,
            _ if is_quiet => self.confirm(answer.at),
            Some(counted) if counted > self.until => {
                if self.held.len() < HELD {
                    self.held.push_back((answer.at, counted));
                }
                None
            }
            // Nobody could tell when it has told enough.
            None if is_amid_event => None,
            // The next one tells.
            None if self.is_told_of(kind) && answer.counted().next().is_some() => None,
            Some(_) | None => self.confirm(answer.at),
        }
    }

    /// Whether answers about other kinds tell what this one counts.
    fn is_told_of(&self, kind: Kind) -> bool {
        !self.is_apart && is_counted_apart(kind).is_none()
    }

    /// Until which version all had been told when the API server was asked.
    fn until_at(&self, asked: Instant) -> u64 {
        self.told_when_asked.filter(|(known, _)| *known >= asked).map_or(self.until, |(_, until)| until)
    }

    fn confirm(&mut self, at: Moment) -> Option<Moment> {
        self.held.retain(|(held, _)| held.is_after(at));
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use app::api::Millis;

    use super::*;

    struct Scene {
        epoch: Instant,
        overtaken: Overtaken,
    }

    impl Scene {
        fn new() -> Scene {
            Scene { epoch: Instant::now(), overtaken: Overtaken::default() }
        }

        fn at(&self, seconds: u64) -> Moment {
            Moment {
                steady: self.epoch + Duration::from_secs(seconds),
                told: Millis(0).later(seconds as i64 * 1_000),
            }
        }

        fn answered(&mut self, asked: u64, of: Kind, counted: Option<u64>, amid: bool) -> Option<Moment> {
            let answer = Answer::new(self.at(asked), [counted.map(|counted| (of, counted)), None]);
            self.overtaken.answered(&answer, Kind::Pod, amid)
        }

        fn came(&mut self, at: u64, until: u64) -> Option<Moment> {
            self.came_after(at, until, at)
        }

        fn came_after(&mut self, at: u64, until: u64, asked: u64) -> Option<Moment> {
            self.overtaken.came(self.at(at).steady, Some(until), self.at(asked).steady)
        }
    }

    #[test]
    fn an_answer_confirms_a_watch_that_was_quiet_meanwhile() {
        let mut scene = Scene::new();
        assert_eq!(scene.answered(1, Kind::Node, Some(99), false), Some(scene.at(1)), "nothing ever came");
        assert_eq!(scene.came(2, 12), None);
        assert_eq!(scene.answered(3, Kind::Node, Some(99), false), Some(scene.at(3)), "nothing came since");
    }

    #[test]
    fn or_one_that_has_told_as_much_by_then_or_later() {
        let mut scene = Scene::new();
        scene.came(5, 12);
        assert_eq!(scene.answered(4, Kind::Node, Some(12), false), Some(scene.at(4)));
        assert_eq!(scene.answered(4, Kind::Node, Some(14), false), None, "13 may be on its way");
        assert_eq!(scene.answered(5, Kind::Node, Some(20), false), None);
        assert_eq!(scene.came(6, 13), None);
        assert_eq!(scene.came(6, 15), Some(scene.at(4)));
        assert_eq!(scene.came(6, 16), None, "once");
        assert_eq!(scene.answered(7, Kind::Node, Some(30), false), Some(scene.at(7)), "quiet");
        assert_eq!(scene.came(8, 31), None, "whatever was asked before is of no interest");
    }

    #[test]
    fn what_counts_less_than_was_told_before_is_another_history() {
        let mut scene = Scene::new();
        scene.came_after(2, 12, 1);
        assert_eq!(scene.answered(3, Kind::Node, Some(11), false), None, "quiet, and impossible");
        assert_eq!(scene.answered(3, Kind::Node, Some(12), false), Some(scene.at(3)));
        // Told while it was under way: that happened after it was counted, perhaps.
        scene.came_after(5, 14, 4);
        scene.came_after(6, 15, 4);
        assert_eq!(scene.answered(4, Kind::Node, Some(12), false), Some(scene.at(4)));
        assert_eq!(scene.answered(4, Kind::Node, Some(11), false), None);
        scene.came_after(8, 16, 7);
        assert_eq!(scene.answered(7, Kind::Node, Some(14), false), None);
    }

    #[test]
    fn a_kind_that_counts_for_itself_is_found_out() {
        let mut scene = Scene::new();
        scene.came_after(2, 1_000, 1);
        assert_eq!(scene.answered(3, Kind::Node, Some(11), false), None);
        assert_eq!(scene.answered(5, Kind::Pod, Some(999), false), None, "another history, so far");
        assert_eq!(scene.answered(7, Kind::Pod, Some(1_001), false), Some(scene.at(7)));
        assert_eq!(
            scene.answered(9, Kind::Node, Some(12), false),
            Some(scene.at(9)),
            "of no interest any more"
        );
        scene.overtaken.begin();
        scene.came_after(12, 1_002, 11);
        assert_eq!(scene.answered(13, Kind::Node, Some(13), false), Some(scene.at(13)));
        assert_eq!(scene.answered(15, Kind::Pod, Some(1_001), false), None, "its own is");
    }

    #[test]
    fn half_an_event_is_no_quiet() {
        let mut scene = Scene::new();
        assert_eq!(scene.answered(1, Kind::Node, Some(14), true), None);
        assert_eq!(scene.came(2, 14), Some(scene.at(1)));
        assert_eq!(scene.answered(3, Kind::Event, Some(14), true), None);
        assert_eq!(scene.answered(3, Kind::Node, None, true), None);
    }

    #[test]
    fn versions_that_are_counted_elsewhere_say_nothing() {
        let mut scene = Scene::new();
        scene.came(5, 12);
        assert_eq!(scene.answered(4, Kind::Event, Some(99), false), None, "13 may be on its way");
        assert_eq!(scene.answered(6, Kind::Event, Some(99), false), Some(scene.at(6)), "quiet");
        assert_eq!(scene.answered(4, Kind::Node, None, false), Some(scene.at(4)), "that is so of all, then");
        let both = Answer::new(scene.at(4), [Some((Kind::Event, 99)), Some((Kind::Node, 12))]);
        assert_eq!(scene.overtaken.answered(&both, Kind::Pod, false), Some(scene.at(4)));
        let both = Answer::new(scene.at(4), [Some((Kind::Event, 1)), Some((Kind::Node, 13))]);
        assert_eq!(scene.overtaken.answered(&both, Kind::Pod, false), None);
        assert_eq!(scene.overtaken.came(scene.at(6).steady, None, scene.at(4).steady), None);
    }

    #[test]
    fn answers_do_not_pile_up() {
        let mut scene = Scene::new();
        scene.came(100, 12);
        (1..50).for_each(|nth| _ = scene.answered(nth, Kind::Node, Some(100 + nth), false));
        assert_eq!(scene.overtaken.held.len(), HELD);
        assert_eq!(scene.came(101, 1000), Some(scene.at(HELD as u64)));
        assert!(scene.overtaken.held.is_empty());
    }
}
