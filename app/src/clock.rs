//! Another's clock, as told by messages that take their time: the server's in the browser, the API server's in the
//! server.

use std::collections::VecDeque;

use crate::{api::Millis, wire::SILENCE_MS};

/// The best of so many milliseconds is kept, however many messages they had in them,
const SPAN_MS: i64 = 15_000;
/// and of so many of those: a quarter of an hour. Over a line that has more to carry than it can all messages come late,
/// and later and later.
const KEPT: usize = 60;
/// Two clocks drift, and are read in whole milliseconds: only what contradicts by more than this shows that one of them
/// was put.
const SLACK_MS: i64 = 1_000;
/// A clock that is this much further on, or back, than it should be after a second was put, in milliseconds.
const PUT_MS: i64 = 500;
/// Why a socket is left of which nothing has been heard for too long.
const SILENT: &str = "nothing heard from Masthead";
/// Clocks that are further apart than this are said to be, in milliseconds.
const APART_MS: i64 = 2_000;

/// How far another's clock is ahead of ours, in milliseconds. A message is heard some time after it was written, later
/// the busier the network and the reader are: theirs is ahead by what it says or more. If it answers something that we
/// asked, it was written later than that: theirs is ahead by so much or less. Whatever cannot be so any more is forgotten,
/// for then one of the two clocks was put right.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    least: VecDeque<Bound>,
    most: VecDeque<Bound>,
}

/// What the messages of one [`SPAN_MS`] prove, in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Bound {
    span: i64,
    ahead: i64,
}

impl Clock {
    /// Another's from now on, or the same after a while of which nothing is known.
    pub fn forget(&mut self) {
        self.least.clear();
        self.most.clear();
    }

    /// They said `theirs` in a message that was here at `ours`.
    pub fn hear(&mut self, theirs: Millis, ours: Millis) {
        let least = theirs.0 - ours.0;
        self.most.retain(|most| most.ahead + SLACK_MS >= least);
        push(&mut self.least, ours, least, i64::max);
    }

    /// They said `theirs`, at least and at most, in an answer that was here at `ours` to what was asked at `asked`.
    pub fn hear_answer(&mut self, theirs: (Millis, Millis), asked: Millis, ours: Millis) {
        let (least, most) = (theirs.0.0 - ours.0, theirs.1.0 - asked.0);
        if most + SLACK_MS < least {
            return; // ours was put back meanwhile
        }
        let most = most.max(least);
        self.least.retain(|least| least.ahead <= most + SLACK_MS);
        self.hear(theirs.0, ours);
        // After that, so that it is not counted with what has just been forgotten.
        push(&mut self.most, ours, most, i64::min);
    }

    fn least(&self) -> Option<i64> {
        self.least.iter().map(|bound| bound.ahead).max()
    }

    fn most(&self) -> Option<i64> {
        self.most.iter().map(|bound| bound.ahead).min()
    }

    /// Their clock when ours says `ours`: the message that was heard soonest tells it best.
    pub fn at(&self, ours: Millis) -> Millis {
        Millis(ours.0 + self.least().unwrap_or_default())
    }

    /// How far theirs is ahead, as good as it is known: not at all, or as far as was `said`, as long as that may be so.
    pub fn ahead(&self, said: i64) -> i64 {
        let (Some(least), Some(most)) = (self.least(), self.most()) else { return said };
        let may_be = |ahead: &i64| (least.min(most)..=most.max(least)).contains(ahead);
        [said, 0].into_iter().find(may_be).unwrap_or(least + (most - least) / 2)
    }

    /// How far theirs is ahead for certain, if so far that it should be said; less than nought if it is behind.
    pub fn apart(&self) -> Option<i64> {
        let least = self.least().filter(|least| *least > APART_MS);
        least.or(self.most().filter(|most| *most < -APART_MS))
    }
}

/// A socket's part in telling the time: what it hears comes in order, and the first answers its opening. One rule for
/// the page and for what plays the page in tests.
#[derive(Clone, Debug)]
pub struct Told {
    opened: Millis,
    heard: Millis,
    /// How far our clock was ahead of one that nobody puts, when that was last looked at.
    ahead: i64,
    theirs: Option<Millis>,
}

impl Told {
    /// A socket that is opened at `ours`, when a clock that nobody puts says `steady`.
    pub fn new(ours: Millis, steady: Millis) -> Told {
        Told { opened: ours, heard: ours, ahead: ours.0 - steady.0, theirs: None }
    }

    /// Something was heard. Why that is worth nothing, if so: where our clock was put it may have waited since before that,
    /// and would tell the time of then; an answer that took so long tells no time.
    pub fn heard(&mut self, ours: Millis, steady: Millis) -> Option<&'static str> {
        let is_late = self.theirs.is_none() && self.is_silent(ours);
        self.heard = ours;
        self.put(ours, steady).or(is_late.then_some(SILENT))
    }

    /// The server said what its clock says.
    pub fn tells(&mut self, clock: &mut Clock, theirs: Millis, ours: Millis) {
        match self.theirs.replace(theirs) {
            None => clock.hear_answer((theirs, theirs), self.opened, ours),
            Some(before) if theirs.0 + SLACK_MS < before.0 => {
                // theirs was put back
                clock.forget();
                clock.hear(theirs, ours);
            }
            Some(_) => clock.hear(theirs, ours),
        }
    }

    /// Why this socket is worth nothing any more, if so; to be asked each second as well.
    pub fn gone(&mut self, ours: Millis, steady: Millis) -> Option<&'static str> {
        let is_silent = self.is_silent(ours);
        self.put(ours, steady).or(is_silent.then_some(SILENT))
    }

    fn is_silent(&self, ours: Millis) -> bool {
        (ours.0 - self.heard.0).abs() > SILENCE_MS
    }

    /// Only an answer says what that means to the clocks; another socket begins with one.
    fn put(&mut self, ours: Millis, steady: Millis) -> Option<&'static str> {
        let before = std::mem::replace(&mut self.ahead, ours.0 - steady.0);
        ((self.ahead - before).abs() > PUT_MS).then_some("this computer's clock was put, or stood still")
    }
}

/// Whether clocks are so far apart that it should be said.
pub fn are_apart(ahead: i64) -> bool {
    ahead.abs() > APART_MS
}

fn push(kept: &mut VecDeque<Bound>, ours: Millis, ahead: i64, better: fn(i64, i64) -> i64) {
    let span = ours.0.div_euclid(SPAN_MS);
    if let Some(last) = kept.back_mut().filter(|last| last.span == span) {
        last.ahead = better(last.ahead, ahead);
        return;
    }
    if kept.len() == KEPT {
        kept.pop_front();
    }
    kept.push_back(Bound { span, ahead });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_whose_clock_is_put_back_is_believed_by_its_next_message() {
        let (mut clock, mut told) = (Clock::default(), Told::new(Millis(0), Millis(0)));
        told.tells(&mut clock, Millis(7_200_000), Millis(40));
        told.tells(&mut clock, Millis(7_202_000), Millis(2_040));
        told.tells(&mut clock, Millis(7_203_900), Millis(4_100));
        assert_eq!(clock.at(Millis(4_100)), Millis(7_204_060), "what is late puts nothing back");
        told.tells(&mut clock, Millis(3_606_000), Millis(6_040));
        assert_eq!(clock.at(Millis(6_040)), Millis(3_606_000));
    }

    #[test]
    fn a_socket_is_left_when_nothing_is_heard_or_our_clock_was_put() {
        let mut told = Told::new(Millis(100_000), Millis(0));
        assert_eq!(told.gone(Millis(101_000), Millis(1_000)), None);
        assert_eq!(told.gone(Millis(102_400), Millis(2_000)), None, "a clock may be hasty");
        assert!(told.gone(Millis(3_702_400), Millis(3_000)).is_some_and(|why| why.contains("was put")));
        told.tells(&mut Clock::default(), Millis(0), Millis(3_702_400));
        assert_eq!(told.heard(Millis(3_702_400), Millis(3_000)), None);
        assert_eq!(told.gone(Millis(3_703_400), Millis(4_000)), None);
        assert_eq!(told.heard(Millis(3_704_400), Millis(5_000)), None);
        assert_eq!(told.gone(Millis(3_713_000), Millis(13_600)), Some("nothing heard from Masthead"));
    }

    #[test]
    fn what_waited_for_a_computer_that_slept_tells_no_time() {
        let (mut clock, mut told) = (Clock::default(), Told::new(Millis(0), Millis(0)));
        assert_eq!(
            told.clone().heard(Millis(224_000), Millis(224_000)),
            Some(SILENT),
            "what answers its opening"
        );
        assert_eq!(told.heard(Millis(2_000), Millis(2_000)), None);
        told.tells(&mut clock, Millis(0), Millis(2_000));
        let mut busy = told.clone();
        assert_eq!(
            busy.heard(Millis(224_000), Millis(224_000)),
            None,
            "a page may be busy: that is as old as it says"
        );
        let mut slept = told.clone();
        assert!(slept.heard(Millis(224_000), Millis(2_001)).is_some(), "one stood still");
        assert!(told.heard(Millis(2_001), Millis(224_000)).is_some(), "and one was put back meanwhile");
    }

    #[test]
    fn clocks_that_drift_are_not_taken_for_clocks_that_were_put() {
        let mut clock = Clock::default();
        clock.hear_answer((Millis(0), Millis(0)), Millis(86_400_000), Millis(86_400_000));
        // by 50 in a million, for an hour
        for second in 1..3_600 {
            clock.hear(Millis(second * 1_000 + second / 20), Millis(86_400_000 + second * 1_000));
        }
        assert_eq!(clock.apart(), Some(-86_400_000));
    }

    #[test]
    fn a_message_heard_late_does_not_put_the_clock_back() {
        let mut clock = Clock::default();
        clock.hear(Millis(100_000), Millis(40));
        assert_eq!(clock.at(Millis(1_040)), Millis(101_000));
        clock.hear(Millis(101_000), Millis(3_040)); // two seconds on its way
        assert_eq!(clock.at(Millis(3_040)), Millis(103_000));
    }

    #[test]
    fn a_message_heard_sooner_than_all_others_puts_it_forward() {
        let mut clock = Clock::default();
        clock.hear(Millis(100_000), Millis(2_000));
        clock.hear(Millis(101_000), Millis(1_000));
        assert_eq!(clock.at(Millis(1_000)), Millis(101_000));
    }

    #[test]
    fn an_answer_during_which_ours_was_put_back_by_a_little_is_heard_all_the_same() {
        let mut clock = Clock::default();
        clock.hear_answer((Millis(0), Millis(0)), Millis(3_600_001), Millis(3_600_000));
        assert_eq!(clock.apart(), Some(-3_600_000));
    }

    #[test]
    fn a_clock_that_was_just_put_is_told_as_surely_as_before() {
        let mut clock = Clock::default();
        clock.hear_answer((Millis(3_000), Millis(3_000)), Millis(3_603_000), Millis(3_603_000));
        clock.hear_answer((Millis(4_000), Millis(4_000)), Millis(3_601_500), Millis(3_601_500));
        assert_eq!(clock.apart(), Some(-3_597_500));
    }

    #[test]
    fn a_flood_of_late_messages_is_worth_as_much_as_one() {
        let mut clock = Clock::default();
        clock.hear_answer((Millis(0), Millis(0)), Millis(0), Millis(200));
        for late in 1..1_000 {
            clock.hear(Millis(400), Millis(600 + late * 20));
        }
        assert_eq!(clock.at(Millis(20_400)), Millis(20_200), "the first was heard soonest");
    }

    #[test]
    fn what_was_said_long_ago_is_not_held_against_what_is_said_now() {
        let mut clock = Clock::default();
        clock.hear(Millis(500_000), Millis(0));
        let kept = KEPT as i64 * SPAN_MS / 1_000;
        for second in 1..kept {
            clock.hear(Millis(second * 1_000), Millis(second * 1_000));
        }
        assert_eq!(clock.at(Millis(0)), Millis(500_000));
        for second in kept..kept + 30 {
            clock.hear(Millis(second * 1_000), Millis(second * 1_000));
        }
        assert_eq!(clock.at(Millis(0)), Millis(0));
        clock.forget();
        clock.hear(Millis(70_000), Millis(0));
        assert_eq!(clock.at(Millis(0)), Millis(70_000));
    }

    #[test]
    fn an_answer_says_when_one_of_the_clocks_was_put_right() {
        let mut clock = Clock::default();
        clock.hear(Millis(100_000), Millis(0));
        // ours is an hour further on all at once
        let hour = 3_600_000;
        clock.hear(Millis(101_000), Millis(hour + 1_010));
        assert_eq!(clock.at(Millis(hour + 1_000)), Millis(hour + 101_000), "it may have taken an hour");
        clock.hear_answer((Millis(102_000), Millis(102_000)), Millis(hour + 1_950), Millis(hour + 2_010));
        assert_eq!(clock.at(Millis(hour + 2_010)), Millis(102_000), "it took 60 ms at most");
        // and back
        clock.hear(Millis(104_000), Millis(4_000));
        assert_eq!(clock.at(Millis(4_000)), Millis(104_000));
    }

    #[test]
    fn clocks_are_said_to_be_apart_only_when_it_is_certain() {
        let mut clock = Clock::default();
        clock.hear(Millis(10_000), Millis(20_000));
        assert_eq!(clock.apart(), None, "that may all have been the way");
        let answer = |clock: &mut Clock, ahead: i64| {
            clock.hear_answer((Millis(ahead), Millis(ahead)), Millis(-30), Millis(30));
        };
        answer(&mut clock, -10_000);
        assert_eq!(clock.apart(), Some(-9_970));
        answer(&mut clock, -1_990);
        assert_eq!(clock.apart(), None);
        answer(&mut clock, 5_000);
        assert_eq!(clock.apart(), Some(4_970));
        assert!(are_apart(-2_001) && !are_apart(2_000));
    }

    #[test]
    fn what_was_said_of_a_clock_in_whole_seconds_stays_as_long_as_it_may_be_so() {
        let mut clock = Clock::default();
        assert_eq!(clock.ahead(0), 0, "nothing is known");
        // It is 2,600 ms ahead, and says whole seconds.
        let mut said = 0;
        for asked in (0..20_000).step_by(2_130) {
            let theirs = (asked + 20 + 2_600) / 1_000 * 1_000;
            clock.hear_answer((Millis(theirs), Millis(theirs + 999)), Millis(asked), Millis(asked + 40));
            said = clock.ahead(said);
            assert!((said - 2_600).abs() <= 520, "{said}");
        }
        assert!((said - 2_600).abs() <= 150, "it knows better and better: {said}");
        assert_eq!(clock.ahead(2_600), 2_600);
        // It was put right.
        clock.hear_answer((Millis(30_000), Millis(30_999)), Millis(30_480), Millis(30_500));
        assert_eq!(clock.ahead(said), 0);
    }
}
