//! Time as the demo cluster has it: the wall clock at the start plus what tokio counted since.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// The demo cluster's clock. It follows tokio's, so a test with paused time drives it.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    epoch_ms: i64,
    started: Instant,
    speed: f64,
}

impl Clock {
    pub(super) fn start(epoch_ms: Option<i64>, speed: f64) -> Clock {
        let epoch_ms = epoch_ms.unwrap_or_else(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0))
        });
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Clock { epoch_ms, started: Instant::now(), speed }
    }

    /// Now, in milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.epoch_ms + (self.started.elapsed().as_secs_f64() * 1000.0 * self.speed) as i64
    }

    /// How long to sleep, in tokio's time, until the demo's clock shows `ms`.
    pub(super) fn until(&self, ms: i64) -> Duration {
        let left = (ms - self.now_ms()).max(0) as f64 / 1000.0 / self.speed;
        // Rounded up, for a sleep that ends early would be asked for again and again.
        Duration::from_secs_f64(left.min(3600.0)) + Duration::from_millis(1)
    }
}

/// `metav1.Time`: whole seconds.
pub(super) fn stamp(ms: i64) -> String {
    format(ms, "%Y-%m-%dT%H:%M:%SZ")
}

/// `metav1.MicroTime`, which only new-style events carry.
pub(super) fn micro_stamp(ms: i64) -> String {
    format(ms, "%Y-%m-%dT%H:%M:%S%.6fZ")
}

/// As the header `Date` has it.
pub(super) fn date(ms: i64) -> String {
    format(ms, "%a, %d %b %Y %H:%M:%S GMT")
}

pub(super) fn parse(stamp: &str) -> Option<i64> {
    Some(stamp.parse::<jiff::Timestamp>().ok()?.as_millisecond())
}

/// A duration as Go prints it: `734ms`, `1.5s`, `2m40s`.
pub(super) fn go_duration(ms: i64) -> String {
    if ms < 1000 {
        return format!("{ms}ms");
    }
    let (minutes, rest) = (ms / 60_000, ms % 60_000);
    let mut seconds = format!("{}.{:03}", rest / 1000, rest % 1000);
    seconds.truncate(seconds.trim_end_matches('0').trim_end_matches('.').len());
    match minutes {
        0 => format!("{seconds}s"),
        _ => format!("{minutes}m{seconds}s"),
    }
}

fn format(ms: i64, pattern: &str) -> String {
    let at = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.strftime(pattern).to_string()
}
