//! ③ through a room: what Masthead itself may not see, or does not watch, is not the same as nothing. And how long there
//! are rooms, and how many.

// A test that cannot go on should stop.
#![allow(clippy::expect_used)]

mod stage;
mod viewer;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use app::{
    api::{Kind, KindState, Text},
    scope::Scope,
    wire::About,
};
use server::{
    audience::{
        Grant, NoRoom, Rooms,
        grant::{Hide, Within},
    },
    demo::Fault,
    hub::{Encoding, Hub, NoSeat},
};
use stage::Stage;
use tokio_util::sync::CancellationToken;

/// Of namespace `default` everything, or of everywhere.
fn grant(everywhere: bool, verbatim: bool) -> Arc<Grant> {
    let within = |kind: Kind| match everywhere || !kind.namespaced() {
        true => Within::All,
        false => Within::Namespaces(vec![Text::from("default")]),
    };
    let kinds = Kind::ALL.iter().filter(|kind| kind.watched() == **kind).map(|kind| (*kind, within(*kind)));
    Arc::new(Grant { kinds: kinds.collect(), verbatim, ..Grant::default() })
}

async fn room(stage: &Stage, grant: &Arc<Grant>) -> Hub {
    let rooms = Rooms::new(stage.hub.clone(), CancellationToken::new());
    rooms.hub(Some(grant)).await.expect("a room")
}

/// Until a room says so of pods; looks four times a second, for a minute.
async fn until(room: &Hub, what: &str, is_so: impl Fn(&KindState, usize, usize) -> bool) {
    for _ in 0..240 {
        let view = room.view().await.expect("the room is open");
        let refused = view.about.within(Kind::Pod).iter().filter(|(_, allowed)| !allowed).count();
        let (state, pods) = (view.state(Kind::Pod), view.cluster.pods.len());
        assert!(!is_live(&state) || pods == 1 || refused == 1, "live, and there is nothing");
        if is_so(&state, pods, refused) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let view = room.view().await.expect("the room is open");
    panic!("waited in vain for {what}: {:?}, {:?}", view.state(Kind::Pod), view.about.apart);
}

fn is_live(state: &KindState) -> bool {
    *state == KindState::Live
}

fn is_forbidden(state: &KindState) -> bool {
    matches!(state, KindState::Forbidden { .. })
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_is_not_watched_is_not_said_to_be_empty() {
    for verbatim in [false, true] {
        let mut stage = Stage::with(1, &["other"], None, |_| {}).await;
        stage.until_live().await;
        let room = room(&stage, &grant(false, verbatim)).await;
        until(&room, "it to be said", |state, _, _| is_forbidden(state)).await;
        let view = room.view().await.expect("the room is open");
        assert!(is_live(&view.state(Kind::Node)), "that is watched everywhere");
    }
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_is_refused_is_not_said_to_be_empty_until_it_is_given_back() {
    for verbatim in [false, true] {
        let mut stage = Stage::with(1, &["default", "other"], None, |_| {}).await;
        stage.until_live().await;
        let room = room(&stage, &grant(false, verbatim)).await;
        until(&room, "its pod", |state, pods, _| is_live(state) && pods == 1).await;
        let faults = stage.demo.faults();
        faults.set("pods", Fault::NamespacesOnly(vec!["other".to_owned()]));
        faults.cut_watches("pods");
        until(&room, "the refusal", |state, pods, _| is_forbidden(state) && pods == 0).await;
        faults.clear_all();
        until(&room, "its pod again", |state, pods, _| is_live(state) && pods == 1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_may_see_everything_is_told_what_of_it_is_refused() {
    let mut stage = Stage::with(1, &["default", "other"], None, |_| {}).await;
    stage.until_live().await;
    let room = room(&stage, &grant(true, true)).await;
    until(&room, "its pod", |state, pods, _| is_live(state) && pods == 1).await;
    let faults = stage.demo.faults();
    faults.set("pods", Fault::NamespacesOnly(vec!["other".to_owned()]));
    faults.cut_watches("pods");
    until(&room, "the refusal", |state, pods, refused| is_live(state) && pods == 0 && refused == 1).await;
    faults.clear_all();
    until(&room, "its pod again", |state, pods, refused| is_live(state) && pods == 1 && refused == 0).await;
}

#[tokio::test(start_paused = true)]
async fn a_link_that_hides_names_says_of_no_namespace_that_it_is_refused() {
    let mut stage = Stage::with(1, &["default", "other"], None, |_| {}).await;
    stage.until_live().await;
    let hidden = Grant { hide: Hide { names: true, ..Hide::default() }, ..(*grant(true, false)).clone() };
    let mut unnamed = (*grant(true, false)).clone();
    unnamed.kinds.remove(&Kind::Namespace);
    let (hidden, unnamed) = (room(&stage, &Arc::new(hidden)).await, room(&stage, &Arc::new(unnamed)).await);
    let faults = stage.demo.faults();
    faults.set("pods", Fault::NamespacesOnly(vec!["other".to_owned()]));
    faults.cut_watches("pods");
    let whole = room(&stage, &grant(true, false)).await;
    until(&whole, "the refusal", |_, pods, refused| pods == 0 && refused == 1).await;
    for room in [hidden, unnamed] {
        let about = room.view().await.expect("the room is open").about.clone();
        assert!(about.within(Kind::Pod).is_empty() && about.namespaces.is_empty(), "{about:?}");
    }
}

/// A hub that nobody tells anything, and its rooms.
fn untold() -> (Hub, Rooms) {
    let (hub, owner) = Hub::new(About::default(), CancellationToken::new());
    tokio::spawn(owner);
    (hub.clone(), Rooms::new(hub, CancellationToken::new()))
}

fn namespace(nth: usize) -> Vec<Text> {
    vec![Text::from(format!("namespace-{nth}"))]
}

/// Of one namespace the pods.
fn part(nth: usize) -> Arc<Grant> {
    let kinds = BTreeMap::from([(Kind::Pod, Within::Namespaces(namespace(nth)))]);
    Arc::new(Grant { kinds, ..Grant::default() })
}

/// Goes in and out again; which room it was.
async fn visit(rooms: &Rooms, nth: usize) -> u64 {
    let room = rooms.hub(Some(&part(nth))).await.expect("a room");
    room.view().await.expect("the room is open").epoch
}

#[tokio::test(start_paused = true)]
async fn a_room_stays_open_for_a_while_after_the_last_has_left_it() {
    let (_, rooms) = untold();
    let room = rooms.hub(Some(&part(0))).await.expect("a room");
    let seat = room.subscribe(Scope::all(), Encoding::Binary).await.expect("a seat");
    drop(room);
    let before = visit(&rooms, 0).await;
    tokio::time::sleep(Duration::from_secs(11 * 60)).await;
    drop(seat);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(visit(&rooms, 0).await, before);
    tokio::time::sleep(Duration::from_secs(11 * 60)).await;
    assert_ne!(visit(&rooms, 0).await, before, "and no longer");
}

#[tokio::test(start_paused = true)]
async fn a_room_that_nobody_is_in_makes_place_for_another() {
    let (_, rooms) = untold();
    let mut within = Vec::new();
    for nth in 0..200 {
        within.push(rooms.hub(Some(&part(nth))).await.expect("a room"));
    }
    let another = rooms.hub(Some(&part(200))).await;
    assert!(matches!(another, Err(NoRoom::Full)), "{another:?}");
    within.truncate(1);
    let mut before = Vec::new();
    for nth in 0..200 {
        tokio::time::sleep(Duration::from_millis(1)).await;
        before.push(visit(&rooms, nth).await);
    }
    visit(&rooms, 200).await;
    assert_eq!(visit(&rooms, 0).await, before[0], "somebody is in it");
    assert_eq!(visit(&rooms, 2).await, before[2]);
    assert_ne!(visit(&rooms, 1).await, before[1], "of the others it was empty for longest");
}

#[tokio::test(start_paused = true)]
async fn rooms_and_those_who_select_do_not_take_each_others_places() {
    let (hub, rooms) = untold();
    visit(&rooms, 0).await;
    let select = |nth: usize| Scope { namespaces: namespace(nth), ..Scope::of(Kind::Node) };
    let mut seats = Vec::new();
    for nth in 0..500 {
        seats.push(hub.subscribe(select(nth), Encoding::Events).await.expect("a seat"));
    }
    let another = hub.subscribe(select(500), Encoding::Events).await;
    assert_eq!(another.err(), Some(NoSeat::Full));
    visit(&rooms, 1).await;
}

#[tokio::test]
async fn hubs_that_begin_at_once_are_told_from_one_another() {
    let hubs: Vec<_> = (0..50).map(|_| Hub::new(About::default(), CancellationToken::new())).collect();
    let mut epochs = BTreeSet::new();
    for (hub, owner) in hubs {
        tokio::spawn(owner);
        assert!(epochs.insert(hub.view().await.expect("the hub runs").epoch));
    }
}
