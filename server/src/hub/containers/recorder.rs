//! How much the recorder of a kubelet still lets through about one pod: 25 warnings at once, then one each five
//! minutes (client-go `tools/record/events_cache.go`, `EventSourceObjectSpamFilter`; types of events share one
//! budget before 1.31). While it lets nothing through, that nothing is heard says nothing.

use std::collections::HashMap;

use app::api::{Event, Timestamp, Uid};

const BURST: i64 = 25;
/// Seconds in which one more is let through.
const REFILL: i64 = 300;
/// Events of one pod whose counts are kept.
const EVENTS: usize = 100;

/// See the module. At least so much has been used; a kubelet that started again has all of it.
#[derive(Debug)]
pub struct Recorder {
    /// What is left, in seconds of refilling, at that time.
    left: (i64, Timestamp),
    counts: HashMap<Uid, i32>,
}

impl Default for Recorder {
    fn default() -> Recorder {
        Recorder { left: (BURST * REFILL, Timestamp(0)), counts: HashMap::new() }
    }
}

impl Recorder {
    /// An event about the pod came through.
    pub fn hear(&mut self, event: &Event) {
        let Some(at) = event.last.or(event.first) else { return };
        if !event.warns() || !event.source.starts_with("kubelet") {
            return;
        }
        if self.counts.len() > EVENTS {
            self.counts.clear();
        }
        let counts = i64::from(event.count.max(1)).saturating_mul(REFILL);
        let used = match self.counts.insert(event.meta.uid, event.count) {
            // What was counted without having been told was not let through.
            Some(before) => i64::from(event.count.saturating_sub(before).max(0)).saturating_mul(REFILL),
            // Of what was counted before it was watched, that much has been filled up again since.
            None => {
                let lasted = event.first.map_or(0, |first| at.0.saturating_sub(first.0).max(0));
                counts.saturating_sub(lasted).max(REFILL)
            }
        };
        let (left, since) = self.left;
        let refilled = left.saturating_add(at.0.saturating_sub(since.0).max(0)).min(BURST * REFILL);
        self.left = (refilled.saturating_sub(used).max(0), at.max(since));
    }

    /// Until when nothing more comes through, if so.
    pub fn silent_until(&self) -> Option<Timestamp> {
        let (left, at) = self.left;
        (left < REFILL).then(|| Timestamp(at.0.saturating_add(REFILL - left)))
    }
}
