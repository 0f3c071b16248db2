//! What a wall is asked to show, as its URL says.

use crate::{api::Timestamp, query::Place, selector::Selector};

/// One of a wall's pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    /// What is broken; where nothing is, the calm sign.
    Problems,
    /// What rolls out.
    Rollouts,
    /// The nodes.
    Nodes,
    /// How many there are of everything, and in what state.
    Overview,
}

impl View {
    /// Every page, the most important first.
    pub const ALL: [View; 4] = [View::Problems, View::Rollouts, View::Nodes, View::Overview];

    /// As it stands in the URL.
    pub fn word(self) -> &'static str {
        match self {
            View::Problems => "problems",
            View::Rollouts => "rollouts",
            View::Nodes => "nodes",
            View::Overview => "overview",
        }
    }
}

/// What is asked of a wall, as typed, good or bad.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Typed {
    /// `pages`: those to show, in this order; without it, those that matter.
    pub pages: String,
    /// `every`: how long each stays.
    pub every: String,
    /// `dim`: from when to when the screen is dark.
    pub dim: String,
}

impl Typed {
    /// The names of its parts in a URL.
    pub const PARTS: [&str; 3] = ["pages", "every", "dim"];

    /// A part by its name.
    pub fn part(&self, name: &str) -> &str {
        match name {
            "pages" => &self.pages,
            "every" => &self.every,
            "dim" => &self.dim,
            _ => "",
        }
    }

    /// Sets a part by its name. Whether there is such a part.
    pub fn set(&mut self, name: &str, value: String) -> bool {
        match name {
            "pages" => self.pages = value,
            "every" => self.every = value,
            "dim" => self.dim = value,
            _ => return false,
        }
        true
    }
}

/// What a wall does: what was asked of it where that means something, else what it does by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The pages that were named; empty for those that matter.
    pub pages: Vec<View>,
    /// How long each stays, in seconds.
    pub every: i64,
    /// When it is dark.
    pub dim: Option<Night>,
    /// The place whose filters hold: without a label selector that is none.
    pub place: Place,
    /// What was asked and means nothing, and what is done instead, a sentence each.
    pub bad: Vec<String>,
}

/// How long a page stays unless another time is asked for, in seconds.
const EVERY: i64 = 20;
/// The shortest and the longest time it may stay, in seconds: long enough to be read, short enough to come round.
const BETWEEN: (i64, i64) = (5, 3_600);

impl Plan {
    /// Of a place.
    pub fn of(place: &Place) -> Plan {
        let mut bad = Vec::new();
        let pages = pages(&place.wall.pages, &mut bad);
        let every = match place.wall.every.as_str() {
            "" => EVERY,
            text => every(text).unwrap_or_else(|why| {
                bad.push(why);
                EVERY
            }),
        };
        let dim = match place.wall.dim.as_str() {
            "" => None,
            text => match Night::parse(text) {
                Some(night) => Some(night),
                None => {
                    bad.push(format!(
                        "dim={text} is no time of day: write dim=22:00-06:30. The screen is not dimmed."
                    ));
                    None
                }
            },
        };
        let mut place = place.clone();
        if let Err(error) = Selector::parse(&place.selector) {
            bad.push(format!("labelSelector={}: {error}. All labels are shown.", place.selector));
            place.selector.clear();
        }
        Plan { pages, every, dim, place, bad }
    }
}

fn pages(text: &str, bad: &mut Vec<String>) -> Vec<View> {
    let mut pages = Vec::new();
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        match View::ALL.into_iter().find(|view| view.word() == word) {
            Some(view) if pages.contains(&view) => {}
            Some(view) => pages.push(view),
            None => bad.push(format!(
                "pages={word} is none of {}. It is left out.",
                View::ALL.map(View::word).join(", ")
            )),
        }
    }
    pages
}

fn every(text: &str) -> Result<i64, String> {
    let (least, most) = BETWEEN;
    match seconds(text) {
        Some(seconds) if (least..=most).contains(&seconds) => Ok(seconds),
        Some(_) => {
            Err(format!("every={text} is not between {least}s and {}h. It is {EVERY}s.", most / 3_600))
        }
        None => Err(format!("every={text} is no time: write every=20s or every=2m. It is {EVERY}s.")),
    }
}

/// `20s`, `2m`, `1m30s`, `1h`: Go's durations, of whole seconds.
fn seconds(text: &str) -> Option<i64> {
    let (mut all, mut number) = (0i64, None::<i64>);
    for c in text.chars() {
        match (c, c.to_digit(10)) {
            (_, Some(digit)) => {
                number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(digit.into())?)
            }
            ('s' | 'm' | 'h', _) => {
                let unit = match c {
                    's' => 1,
                    'm' => 60,
                    _ => 3_600,
                };
                all = all.checked_add(number.take()?.checked_mul(unit)?)?;
            }
            _ => return None,
        }
    }
    // a number without its unit is none
    (number.is_none() && !text.is_empty()).then_some(all)
}

/// From one time of day to another, which may be tomorrow's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Night {
    /// Minutes after midnight.
    from: i64,
    /// Minutes after midnight.
    to: i64,
}

impl Night {
    /// `22:00-06:30`
    fn parse(text: &str) -> Option<Night> {
        let minutes = |text: &str| {
            let (hours, minutes) = text.trim().split_once(':')?;
            let number = |text: &str, most: i64| {
                let digits = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
                text.parse::<i64>().ok().filter(|number| digits && *number <= most)
            };
            Some(number(hours, 23)? * 60 + number(minutes, 59)?)
        };
        let (from, to) = text.split_once('-')?;
        Some(Night { from: minutes(from)?, to: minutes(to)? })
    }

    /// Whether it is night when clocks on the wall show `local`.
    pub fn holds(self, local: Timestamp) -> bool {
        let minute = local.0.rem_euclid(86_400) / 60;
        if self.from <= self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(url: &str) -> Plan {
        Plan::of(&Place::parse(url))
    }

    #[test]
    fn without_anything_asked_it_shows_what_matters() {
        let plan = plan("/wall");
        assert_eq!((plan.pages, plan.every, plan.dim, plan.bad), (vec![], 20, None, vec![]));
    }

    #[test]
    fn what_is_asked_is_done() {
        let plan = plan("/wall?pages=overview,rollouts&every=1m30s&dim=22:00-06:30&labelSelector=app%3Dweb");
        assert_eq!(plan.pages, [View::Overview, View::Rollouts]);
        assert_eq!(plan.every, 90);
        assert!(plan.dim.is_some());
        assert_eq!(plan.place.selector, "app=web");
        assert_eq!(plan.bad, [""; 0]);
    }

    #[test]
    fn what_means_nothing_is_said_and_the_default_holds() {
        let plan = plan("/wall?pages=pods,nodes&every=20&dim=10pm&selector=a%3D%3D%3D");
        assert_eq!(plan.pages, [View::Nodes]);
        assert_eq!((plan.every, plan.dim), (20, None));
        assert_eq!(plan.place.selector, "");
        assert_eq!(plan.bad.len(), 4, "{:?}", plan.bad);
        for (said, of) in plan.bad.iter().zip(["pages=pods", "every=20 ", "dim=10pm", "labelSelector=a==="]) {
            assert!(said.starts_with(of), "{said}");
        }
        for every in ["4s", "2h", "s", "1m2", "-5s", "9999999999999999999s", "1.5m"] {
            assert_eq!(self::plan(&format!("/wall?every={every}")).bad.len(), 1, "{every}");
        }
        for dim in ["22-6", "24:00-06:00", "22:60-06:00", "22:00", "-1:00-06:00", "22:000-06:00"] {
            assert_eq!(self::plan(&format!("/wall?dim={dim}")).bad.len(), 1, "{dim}");
        }
    }

    #[test]
    fn a_night_may_end_on_the_next_day() {
        let at = |hour: i64, minute: i64| Timestamp(86_400 * 365 + hour * 3_600 + minute * 60);
        let night = Night::parse("22:00-06:30").unwrap();
        for (hour, minute, dark) in
            [(21, 59, false), (22, 0, true), (0, 0, true), (6, 29, true), (6, 30, false)]
        {
            assert_eq!(night.holds(at(hour, minute)), dark, "{hour}:{minute}");
        }
        let noon = Night::parse("12:00-13:00").unwrap();
        assert!(noon.holds(at(12, 59)) && !noon.holds(at(13, 0)) && !noon.holds(at(0, 0)));
    }
}
