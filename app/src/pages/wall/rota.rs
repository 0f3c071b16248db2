//! Which page of a wall is shown now: those that matter come round, and what has just broken comes first.

use std::{collections::HashMap, hash::Hash};

use crate::{
    api::Millis,
    query::wall::{Plan, View},
};

/// How long what has just broken is held, at least, in milliseconds.
const HELD_MS: i64 = 60_000;
/// A problem that was gone for less than this is the same one when it comes back: a container that crashes, comes up
/// and crashes again interrupts nobody twice.
const REMEMBERED_MS: i64 = 600_000;
/// So many problems are remembered; what comes when there are more is not told from those.
const MOST: usize = 4_000;

/// What there is to show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene<K> {
    /// What is wrong.
    pub problems: Vec<K>,
    /// Something rolls out.
    pub rolling: bool,
}

/// What is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn<K> {
    /// Which page.
    pub view: View,
    /// Those problems that have interrupted the others, the latest first.
    pub new: Vec<K>,
}

/// Where the rotation is.
#[derive(Debug)]
pub struct Rota<K> {
    view: View,
    /// Since when.
    began: Millis,
    /// When each problem was last there; `None` before the first look.
    seen: Option<HashMap<K, Millis>>,
    new: Vec<K>,
    /// Until when `new` is held.
    held: Millis,
}

impl<K: Clone + Eq + Hash> Rota<K> {
    /// Begins with what matters most.
    pub fn new() -> Rota<K> {
        Rota {
            view: View::Problems,
            began: Millis(i64::MIN),
            seen: None,
            new: Vec::new(),
            held: Millis(i64::MIN),
        }
    }

    /// What is shown at `now`. Everything that is wrong at the first look has been so before.
    pub fn turn(&mut self, plan: &Plan, scene: &Scene<K>, now: Millis) -> Turn<K> {
        let first = self.seen.is_none();
        let mut new = self.look(scene, now);
        let length = plan.every.saturating_mul(1_000);
        if !new.is_empty() && !first {
            new.append(&mut self.new);
            self.new = new;
            self.new.truncate(MOST);
            self.held = Millis(now.0.saturating_add(length.max(HELD_MS)));
            (self.view, self.began) = (View::Problems, now);
        }
        self.new.retain(|key| scene.problems.contains(key));
        // also where the clock was put back by more than anything is held
        let held = now < self.held && now.0 >= self.began.0 && !self.new.is_empty();
        if !held {
            self.new.clear();
            self.held = Millis(i64::MIN);
            self.rotate(plan, scene, length, now);
        }
        Turn { view: self.view, new: self.new.clone() }
    }

    /// Notes what is there, and says what was not there lately.
    fn look(&mut self, scene: &Scene<K>, now: Millis) -> Vec<K> {
        let seen = self.seen.get_or_insert_default();
        seen.retain(|_, last| {
            *last = (*last).min(now); // where the clock was put back
            now.0.saturating_sub(last.0) < REMEMBERED_MS
        });
        let mut new = Vec::new();
        for key in &scene.problems {
            if seen.len() >= MOST && !seen.contains_key(key) {
                continue;
            }
            if seen.insert(key.clone(), now).is_none() {
                new.push(key.clone());
            }
        }
        new
    }

    fn rotate(&mut self, plan: &Plan, scene: &Scene<K>, length: i64, now: Millis) {
        let views = views(plan, scene);
        let at = views.iter().position(|view| *view == self.view);
        // what matters most stays twice as long, where nobody has said in which order
        let length = if plan.pages.is_empty() && at == Some(0) { length.saturating_mul(2) } else { length };
        let stayed = now.0.saturating_sub(self.began.0);
        match at {
            // a clock that was put back starts the turn anew
            Some(_) if stayed < 0 => self.began = now,
            Some(_) if stayed < length => {}
            Some(at) if self.began.0 != i64::MIN => {
                (self.view, self.began) = (views[(at + 1) % views.len()], now);
            }
            _ => (self.view, self.began) = (views[0], now),
        }
    }
}

/// The pages that come round.
fn views<K>(plan: &Plan, scene: &Scene<K>) -> Vec<View> {
    if !plan.pages.is_empty() {
        return plan.pages.clone();
    }
    match (scene.problems.is_empty(), scene.rolling) {
        // the calm sign, at rest
        (true, false) => vec![View::Problems],
        (true, true) => vec![View::Rollouts, View::Nodes, View::Overview],
        (false, true) => View::ALL.to_vec(),
        (false, false) => vec![View::Problems, View::Nodes, View::Overview],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Place;

    fn plan(url: &str) -> Plan {
        Plan::of(&Place::parse(url))
    }

    fn scene(problems: &[&'static str], rolling: bool) -> Scene<&'static str> {
        Scene { problems: problems.to_vec(), rolling }
    }

    /// The views that were shown, once each time they came, over so many seconds.
    fn shown(
        rota: &mut Rota<&'static str>,
        plan: &Plan,
        scene: &Scene<&'static str>,
        seconds: std::ops::Range<i64>,
    ) -> Vec<(i64, View)> {
        let mut shown = Vec::new();
        for second in seconds {
            let turn = rota.turn(plan, scene, Millis(second * 1_000));
            if shown.last().is_none_or(|(_, view)| *view != turn.view) {
                shown.push((second, turn.view));
            }
        }
        shown
    }

    #[test]
    fn what_matters_comes_round_and_the_worst_stays_longest() {
        let (plan, scene) = (plan("/wall?every=10s"), scene(&["a"], true));
        assert_eq!(
            shown(&mut Rota::new(), &plan, &scene, 1_000..1_060),
            [
                (1_000, View::Problems),
                (1_020, View::Rollouts),
                (1_030, View::Nodes),
                (1_040, View::Overview),
                (1_050, View::Problems),
            ]
        );
    }

    #[test]
    fn with_nothing_wrong_and_nothing_rolling_it_rests() {
        let (plan, calm) = (plan("/wall"), scene(&[], false));
        assert_eq!(shown(&mut Rota::new(), &plan, &calm, 0..10_000), [(0, View::Problems)]);
        // from wherever it was
        let mut rota = Rota::new();
        shown(&mut rota, &plan, &scene(&["a"], true), 0..50);
        assert_eq!(rota.view, View::Rollouts);
        assert_eq!(shown(&mut rota, &plan, &calm, 50..200), [(50, View::Problems)]);
    }

    #[test]
    fn a_fixed_list_is_shown_in_its_order_whatever_there_is() {
        let plan = plan("/wall?pages=overview,rollouts&every=5s");
        assert_eq!(
            shown(&mut Rota::new(), &plan, &scene(&[], false), 0..12),
            [(0, View::Overview), (5, View::Rollouts), (10, View::Overview)]
        );
    }

    #[test]
    fn a_new_problem_interrupts_and_is_held() {
        let plan = plan("/wall?pages=overview,rollouts&every=20s");
        let mut rota = Rota::new();
        shown(&mut rota, &plan, &scene(&["a"], false), 0..5);
        let turn = rota.turn(&plan, &scene(&["a", "b"], false), Millis(5_000));
        assert_eq!(turn, Turn { view: View::Problems, new: vec!["b"] });
        let after = shown(&mut rota, &plan, &scene(&["a", "b"], false), 6..90);
        assert_eq!(after, [(6, View::Problems), (65, View::Overview), (85, View::Rollouts)]);
    }

    #[test]
    fn one_that_goes_is_not_held_and_one_that_flaps_does_not_interrupt_again() {
        let plan = plan("/wall?pages=overview&every=20s");
        let mut rota = Rota::new();
        rota.turn(&plan, &scene(&[], false), Millis(0));
        let at = |rota: &mut Rota<_>, second: i64, problems: &[&'static str]| {
            rota.turn(&plan, &scene(problems, false), Millis(second * 1_000)).view
        };
        assert_eq!(at(&mut rota, 1, &["a"]), View::Problems);
        assert_eq!(at(&mut rota, 2, &[]), View::Overview);
        assert_eq!(at(&mut rota, 30, &["a"]), View::Overview);
        assert_eq!(at(&mut rota, 60, &[]), View::Overview);
        assert_eq!(at(&mut rota, 700, &["a"]), View::Problems, "after ten minutes it is a new one");
    }

    #[test]
    fn a_clock_that_jumps_stops_nothing() {
        let (plan, scene) = (plan("/wall?every=10s"), scene(&["a"], true));
        let mut rota = Rota::new();
        shown(&mut rota, &plan, &scene, 1_000_000..1_000_025);
        assert_eq!(rota.view, View::Rollouts);
        // back by a day
        assert_eq!(shown(&mut rota, &plan, &scene, 913_600..913_611)[1], (913_610, View::Nodes));
        // and forward by a year: what was not seen for so long is new
        assert_eq!(shown(&mut rota, &plan, &scene, 40_000_000..40_000_001), [(40_000_000, View::Problems)]);
    }

    #[test]
    fn what_it_remembers_is_bounded() {
        let plan = plan("/wall");
        let mut rota: Rota<u64> = Rota::new();
        for second in 0..100 {
            let problems = (second * 1_000..second * 1_000 + 1_000).collect();
            rota.turn(&plan, &Scene { problems, rolling: false }, Millis(second as i64 * 1_000));
        }
        assert!(rota.seen.as_ref().is_some_and(|seen| seen.len() <= MOST));
        assert!(rota.new.len() <= MOST);
    }
}
