//! Waiting longer after each failure, so that a struggling API server is left in peace.

use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(15);

/// Half a second, doubling to fifteen, with a quarter of jitter either way.
#[derive(Debug)]
pub struct Backoff {
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Backoff {
        Backoff { next: SHORTEST }
    }
}

impl Backoff {
    /// How long to wait now.
    pub fn next(&mut self) -> Duration {
        let base = self.next;
        self.next = (base * 2).min(LONGEST);
        jittered(base)
    }

    /// Something worked.
    pub fn reset(&mut self) {
        self.next = SHORTEST;
    }
}

/// A quarter more or less than `base`, so that those who began together do not go on together.
pub fn jittered(base: Duration) -> Duration {
    base.mul_f64(0.75 + fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_cap_and_start_again() {
        let mut backoff = Backoff::default();
        let waits: Vec<Duration> = (0..40).map(|_| backoff.next()).collect();
        assert!(waits[0] >= SHORTEST.mul_f64(0.75) && waits[0] <= SHORTEST.mul_f64(1.25));
        assert!(waits.iter().all(|wait| *wait <= LONGEST.mul_f64(1.25)));
        assert!(waits[10..].iter().all(|wait| *wait >= LONGEST.mul_f64(0.75)));
        backoff.reset();
        assert!(backoff.next() <= SHORTEST.mul_f64(1.25));
    }
}
