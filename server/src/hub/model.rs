//! The resync protocol, checked in every order in which its parts can act, for small cases: with the topic that numbers
//! frames, the queue that may lose them, the page's own reading of them and the page's store.
//!
//! The world (`model/world.rs`) is one hub with two rows, of one kind or of two, one viewer or two with room for two
//! frames each, a connection that holds one frame, and few mishaps. Four things hold in each state there is:
//!
//! 1. what a viewer has, unless it knows itself to be behind, is what the hub had after the same change;
//! 2. what a beat confirms is what the hub had when it was sent;
//! 3. what a page calls live is, all of it together, what one hub had, and of each kind not before the page says;
//! 4. if from here on nothing goes wrong any more, each viewer has and is told to have what the hub has of all that it
//!    wants, after ten rounds, and once what is on its way by then has come.

mod owner;
mod page;
mod viewer;
mod world;

use app::api::Kind;
use stateright::{Checker, Model, Property};

use self::{
    viewer::Part,
    world::{Act, World},
};

/// What pages look at: the first, or both.
const KINDS: [Kind; 2] = [Kind::Namespace, Kind::Lease];

/// What may happen, how often, and to whom.
#[derive(Clone, Debug, Hash)]
struct Limits {
    viewers: usize,
    /// Rows by number; odd ones are of the first kind.
    rows: [u128; 2],
    begins_with_rows: bool,
    /// Whoever is cut off is back at once, a hub that begins has listed at once, and nobody counts time, so that the third
    /// is not asked: fewer states, for what takes more steps.
    is_prompt: bool,
    changes: u8,
    beats: u8,
    cuts: u8,
    losses: u8,
    new_tables: u8,
    restarts: u8,
    /// How often a page turns to a view of both kinds.
    turns: u8,
}

/// One viewer of two rows of one kind, and nothing happens.
const ONE_KIND: Limits = Limits {
    viewers: 1,
    rows: [1, 3],
    begins_with_rows: false,
    is_prompt: true,
    changes: 0,
    beats: 0,
    cuts: 0,
    losses: 0,
    new_tables: 0,
    restarts: 0,
    turns: 0,
};

/// The same of two kinds, of which the page that was drawn has both and its view needs one.
const TWO_KINDS: Limits = Limits { rows: [1, 2], begins_with_rows: true, is_prompt: false, ..ONE_KIND };

impl Model for Limits {
    type State = World;
    type Action = Act;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self.clone())]
    }

    fn actions(&self, world: &World, acts: &mut Vec<Act>) {
        let [one, other] = self.rows;
        let all = [
            Act::Change(one),
            Act::Change(other),
            Act::Flush,
            Act::Beat,
            Act::NewTable,
            Act::Restart,
            Act::List,
        ];
        let of_each = (0..self.viewers).flat_map(|nth| Part::ALL.map(|part| Act::Of(nth, part)));
        acts.extend(all.into_iter().chain(of_each).filter(|act| world.may(*act)));
    }

    fn next_state(&self, world: &World, act: Act) -> Option<World> {
        let mut world = world.clone();
        world.act(act);
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Limits>> {
        vec![
            Property::always("nothing is folded or confirmed that is not so", |_, world: &World| {
                world.is_right()
            }),
            Property::always("what is called live is what there is", |_, world: &World| world.claims_hold()),
            Property::always("nobody is left behind", |_, world: &World| world.settles()),
            // Or those would prove little.
            Property::sometimes("a queue overflows", |_, world: &World| world.has_overflowed()),
            Property::sometimes("a page is behind, where it can be", |limits: &Limits, world: &World| {
                world.is_behind() || limits.losses == 0
            }),
            Property::sometimes(
                "a page has all of another hub, where it can",
                |limits: &Limits, world: &World| world.is_new() || limits.restarts == 0 || limits.turns == 0,
            ),
            Property::sometimes(
                "pages watch different things, where they can",
                |limits: &Limits, world: &World| {
                    world.is_split() || limits.viewers * usize::from(limits.turns) < 2
                },
            ),
        ]
    }
}

fn check(limits: Limits) {
    let checked = limits.checker().threads(2).spawn_bfs().join();
    checked.assert_properties();
    println_states(checked.unique_state_count());
}

#[allow(clippy::print_stdout)] // said with --nocapture
fn println_states(states: usize) {
    println!("{states} states");
}

#[test]
fn a_slow_viewer_is_lost_and_found_in_every_order() {
    check(Limits { changes: 3, beats: 2, ..ONE_KIND });
}

#[test]
fn what_the_page_loses_and_new_tables_in_every_order() {
    check(Limits { changes: 2, beats: 1, losses: 1, ..ONE_KIND });
    check(Limits { changes: 2, beats: 1, new_tables: 1, ..ONE_KIND });
    check(Limits { changes: 1, beats: 1, losses: 1, new_tables: 1, ..ONE_KIND });
}

#[test]
#[ignore = "takes most of a minute"]
fn the_same_with_more_of_each() {
    check(Limits { changes: 2, beats: 1, losses: 1, new_tables: 1, ..ONE_KIND });
    check(Limits { changes: 1, beats: 1, restarts: 1, turns: 1, ..TWO_KINDS });
}

#[test]
fn cuts_and_restarts_in_every_order() {
    check(Limits { changes: 2, beats: 1, cuts: 1, restarts: 1, ..ONE_KIND });
}

#[test]
fn what_a_page_that_is_cut_off_calls_live_in_every_order() {
    check(Limits { is_prompt: false, changes: 2, beats: 1, cuts: 1, ..ONE_KIND });
}

#[test]
fn a_page_that_turns_to_another_view_in_every_order() {
    check(Limits { changes: 2, turns: 1, ..TWO_KINDS });
    check(Limits { changes: 1, losses: 1, turns: 1, ..TWO_KINDS });
}

#[test]
fn a_page_that_another_hub_has_drawn_in_every_order() {
    check(Limits { changes: 1, restarts: 1, turns: 1, ..TWO_KINDS });
}

#[test]
fn two_viewers_of_the_same_in_every_order() {
    check(Limits { viewers: 2, changes: 1, losses: 1, ..ONE_KIND });
}

#[test]
fn two_viewers_of_whom_one_turns_away_in_every_order() {
    check(Limits { viewers: 2, changes: 1, turns: 1, ..TWO_KINDS });
}
