//! A moment, by two clocks.

use std::time::Duration;

use app::api::Millis;
use tokio::time::Instant;

use crate::hub::now;

/// A moment by a clock that nobody puts, and by the one that viewers are told. The first tells what came before what,
/// the other stands in claims. A computer that sleeps may stop the first, and somebody may put the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// By the one that nobody puts.
    pub steady: Instant,
    /// By the one that viewers are told.
    pub told: Millis,
}

impl Moment {
    /// This one.
    pub fn now() -> Moment {
        Moment { steady: Instant::now(), told: now() }
    }

    /// How long before this one an `earlier` one was, by whichever clock says longer.
    pub fn since(self, earlier: Moment) -> Duration {
        let told = Duration::from_millis(u64::try_from(self.told.0 - earlier.told.0).unwrap_or_default());
        self.steady.saturating_duration_since(earlier.steady).max(told)
    }

    /// Whether it is later than another.
    pub fn is_after(self, other: Moment) -> bool {
        self.steady > other.steady
    }

    /// The later of the two.
    pub fn later(self, other: Moment) -> Moment {
        if other.is_after(self) { other } else { self }
    }

    /// The earlier of the two.
    pub fn earlier(self, other: Moment) -> Moment {
        if self.is_after(other) { other } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_a_clock_that_is_put_nor_one_that_stands_still_makes_time_shorter() {
        let before = Moment { steady: Instant::now(), told: Millis(3_600_000) };
        let later = |steady: u64, told: i64| Moment {
            steady: before.steady + Duration::from_secs(steady),
            told: before.told.later(told * 1_000),
        };
        assert_eq!(later(7, 7).since(before), Duration::from_secs(7));
        assert_eq!(later(7, -3_000).since(before), Duration::from_secs(7), "put back");
        assert_eq!(later(0, 900).since(before), Duration::from_secs(900), "asleep");
        assert!(later(7, -3_000).is_after(before) && !before.is_after(before));
    }
}
