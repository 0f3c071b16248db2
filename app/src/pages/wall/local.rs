//! Times as a clock on the wall shows them.

use leptos::prelude::*;

use crate::{
    api::{Millis, Timestamp},
    format::duration,
    store::Store,
};

/// The server's clock, in the browser's time zone. Until the page's program runs that is UTC, and says so.
#[derive(Clone)]
pub struct Local {
    store: Store,
    /// Minutes east of UTC.
    offset: RwSignal<Option<i32>>,
}

impl Local {
    /// Of this page.
    pub fn new(store: &Store) -> Local {
        let local = Local { store: store.clone(), offset: RwSignal::new(None) };
        local.follow();
        local
    }

    #[cfg(not(feature = "hydrate"))]
    fn follow(&self) {}

    /// Asks the browser, again and again: summer ends.
    #[cfg(feature = "hydrate")]
    fn follow(&self) {
        let (store, offset) = (self.store.clone(), self.offset);
        Effect::new(move |_| {
            let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(store.server_now().0 as f64));
            let found = Some(-(date.get_timezone_offset() as i32));
            if offset.get_untracked() != found {
                offset.set(found);
            }
        });
    }

    fn shift(&self, at: Timestamp) -> Timestamp {
        Timestamp(at.0 + i64::from(self.offset.get().unwrap_or_default()) * 60)
    }

    /// What clocks here show now.
    pub fn now(&self) -> Timestamp {
        self.shift(self.store.server_now().seconds())
    }

    /// `14:02:11`, before the program runs `14:02:11 UTC`.
    pub fn clock(&self) -> String {
        self.suffixed(self.now().clock())
    }

    /// `Fri 27 Nov`
    pub fn date(&self) -> String {
        day(self.now())
    }

    /// The same of something that the cluster wrote down, by its clock.
    pub fn since_in_cluster(&self, at: Millis) -> String {
        self.since(self.store.by_server(at))
    }

    /// `14:02:11 (3 min)`, of another day `Fri 27 Nov 14:02 (2d4h)`.
    pub fn since(&self, at: Millis) -> String {
        let (then, now) = (self.shift(at.seconds()), self.now());
        let ago = duration((now.0 - then.0).max(0));
        let clock = then.clock();
        let when = if then.0.div_euclid(86_400) == now.0.div_euclid(86_400) {
            clock
        } else {
            format!("{} {}", day(then), &clock[..5])
        };
        format!("{} ({ago})", self.suffixed(when))
    }

    fn suffixed(&self, text: String) -> String {
        if self.offset.get().is_some() { text } else { format!("{text} UTC") }
    }
}

fn day(at: Timestamp) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]; // 1970 began on a Thursday
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, month, day) = at.date();
    let weekday = at.0.div_euclid(86_400).rem_euclid(7) as usize;
    let month = MONTHS.get(month as usize - 1).copied().unwrap_or_default();
    format!("{} {day} {month}", DAYS[weekday])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_names() {
        for (seconds, text) in [(0, "Thu 1 Jan"), (951_827_696, "Tue 29 Feb"), (1_795_446_202, "Mon 23 Nov")]
        {
            assert_eq!(day(Timestamp(seconds)), text);
        }
    }
}
