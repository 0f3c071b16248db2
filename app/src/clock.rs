//! The server's clock, as told by messages that take their time.

use std::collections::VecDeque;

use crate::api::Millis;

/// So many of the last messages count: some minutes of them. Over a line that has more to carry than it can they all
/// come late, and later and later.
const KEPT: usize = 150;

/// What the server's clock says now. A message is heard some time after it was written, later the busier
/// the network and the page are; the one that was heard soonest tells the time best. Only the last few are
/// asked, in case one of the two clocks is put right.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// The server's clock minus ours, in milliseconds, as each of the last messages had it.
    ahead: VecDeque<f64>,
}

impl Clock {
    /// Another server, or the same one after a while of which nothing is known.
    pub fn forget(&mut self) {
        self.ahead.clear();
    }

    /// The server said `theirs` when our clock said `ours` milliseconds.
    pub fn hear(&mut self, theirs: Millis, ours: f64) {
        if self.ahead.len() == KEPT {
            self.ahead.pop_front();
        }
        self.ahead.push_back(theirs.0 as f64 - ours);
    }

    /// The server's clock when ours says `ours` milliseconds.
    pub fn at(&self, ours: f64) -> Millis {
        Millis((ours + self.ahead.iter().copied().reduce(f64::max).unwrap_or_default()) as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_heard_late_does_not_put_the_clock_back() {
        let mut clock = Clock::default();
        clock.hear(Millis(100_000), 40.0);
        assert_eq!(clock.at(1_040.0), Millis(101_000));
        clock.hear(Millis(101_000), 3_040.0); // two seconds on its way
        assert_eq!(clock.at(3_040.0), Millis(103_000));
    }

    #[test]
    fn a_message_heard_sooner_than_all_others_puts_it_forward() {
        let mut clock = Clock::default();
        clock.hear(Millis(100_000), 2_000.0);
        clock.hear(Millis(101_000), 1_000.0);
        assert_eq!(clock.at(1_000.0), Millis(101_000));
    }

    #[test]
    fn what_was_said_long_ago_is_not_held_against_what_is_said_now() {
        let mut clock = Clock::default();
        clock.hear(Millis(500_000), 0.0);
        for second in 1..=KEPT as i64 {
            clock.hear(Millis(second * 1_000), second as f64 * 1_000.0);
        }
        let later = (KEPT as i64 + 1) * 1_000;
        assert_eq!(clock.at(later as f64), Millis(later));
        clock.forget();
        clock.hear(Millis(70_000), 0.0);
        assert_eq!(clock.at(0.0), Millis(70_000));
    }
}
