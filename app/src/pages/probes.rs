//! Every container that is probed: what it is asked, what that does now, and how its life went. Those of one
//! workload that are asked the same stand together, the worst first.

mod band;
mod card;
mod lanes;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

pub use card::Card;
pub use lanes::Lanes;
use leptos::prelude::*;

use crate::{
    api::{Container, Kind, Node, ReplicaSet, Service, Timestamp, Uid, container::lane::Beside},
    components::{
        filters::pointed,
        frame::Head,
        gate::{Gate, known_in},
        here::Here,
        hold::{Held, Pending, hold},
        store,
    },
    query::{
        Fact, Filter,
        probed::{Asked, AskedKey, probed},
        tally,
    },
    store::{Freshness, Store},
};

/// So many cards are drawn; the rest is counted.
const SHOWN: usize = 100;

/// What is asked of whom, by what they have in common, and in which order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Board {
    order: Vec<AskedKey>,
    asked: HashMap<AskedKey, Arc<Asked>>,
}

/// Follows which nodes report, and where events can be seen.
pub fn beside(store: &Store) -> Memo<Beside> {
    let store = store.clone();
    Memo::new(move |_| {
        let nodes = store.rows::<Node>();
        let about = store.about();
        Beside::new(nodes.iter().map(|node| &**node), hears(&store), about.within(Kind::Event))
    })
}

/// Whether events are current: silence while they are held back is not health.
fn hears(store: &Store) -> bool {
    matches!(store.freshness(Kind::Event), Freshness::Live | Freshness::Painted(_))
}

/// Follows the containers that `keeps`.
pub fn board(store: &Store, keeps: impl Fn(&Container) -> bool + Send + Sync + 'static) -> Memo<Board> {
    let (rows, clock) = (store.clone(), store.clone());
    let beside = beside(store);
    // What is worst changes as time passes, but slowly.
    let now = Memo::new(move |_| Timestamp(clock.now().seconds().0.div_euclid(5) * 5));
    // All of it is put together anew, so not for each change.
    let lately = store.lately(&[Kind::Container, Kind::ReplicaSet, Kind::Service]);
    Memo::new(move |_| {
        lately();
        let all = untrack(|| rows.current::<Container>());
        let containers: Vec<_> = all.iter().filter(|container| keeps(container)).cloned().collect();
        let (sets, services) = untrack(|| (rows.current::<ReplicaSet>(), rows.current::<Service>()));
        let now = now.get();
        beside.with(|beside| {
            let known = |container: &Container| beside.of(container);
            let probed = probed(&containers, &all, &sets, &services, &known, now);
            Board {
                order: probed.iter().map(|(key, _)| key.clone()).collect(),
                asked: probed.into_iter().map(|(key, asked)| (key, Arc::new(asked))).collect(),
            }
        })
    })
}

/// The view.
#[component]
pub fn Probes() -> impl IntoView {
    let here = Here::get();
    let store = store();
    let asked_for = Memo::new(move |_| {
        let place = here.place();
        Filter::of(&place, Kind::Container).err().map(|error| (place.selector.clone(), error))
    });
    let place = Memo::new(move |_| here.place());
    let board = board(&store, move |container| {
        place.with(|place| {
            // state is the probes', not the container's
            let place = place.with_only(Fact::State, None);
            Filter::of(&place, Kind::Container).is_ok_and(|filter| filter.keeps(container))
        })
    });
    let wanted = move || {
        let state = place.with(|place| place.only(Fact::State).map(str::to_owned));
        board.with(|board| {
            let keys = board.order.iter();
            let keeps = |key: &&AskedKey| {
                state.as_ref().is_none_or(|state| {
                    board.asked.get(key).is_some_and(|asked| asked.health.word() == state)
                })
            };
            keys.filter(keeps).cloned().collect::<Vec<_>>()
        })
    };
    let held = hold(wanted);
    // what is no selector has no answer, and what has not all come, or may not be seen, may have a probe
    let known = {
        let store = store.clone();
        Memo::new(move |_| {
            asked_for.with(Option::is_none)
                && place.with(|place| known_in(&store, Kind::Container, &place.namespaces))
        })
    };
    let none = move || {
        (known.get() && held.shown.with(Vec::is_empty)).then(|| {
            view! { <p class="nothing">"No container that is shown here has a probe."</p> }
        })
    };
    let states = move || {
        let tally = board.with(|board| tally(board.asked.values().map(|asked| asked.health)));
        super::listing::state_links(&here.place(), tally).into_any()
    };
    let advised = move || here.place().with(|place| place.unadvised = !place.unadvised).href();
    let shows_advice = move || (!here.place().unadvised).to_string();
    let bad = move || {
        asked_for.get().map(|(text, error)| {
            view! { <section class="panel bad-selector">{pointed(&text, &error)}</section> }
        })
    };
    let deaf = {
        let store = store.clone();
        let hears = Memo::new(move |_| hears(&store));
        move || {
            (!hears.get()).then(|| {
                view! {
                    <p class="note" role="note">
                        "Events are not seen now, so failures below a probe's threshold are not known."
                    </p>
                }
            })
        }
    };
    view! {
        <Head title=|| "Probes" of=vec![Kind::Container] aside=states />
        <div class="tools">
            <a class="toggle" role="button" href=advised aria-pressed=shows_advice>"Advice"</a>
        </div>
        {bad}
        <Gate kind=Kind::Container>
            {deaf}
            <h2 class="sr">"What containers are asked"</h2>
            <Cards board held />
            {none}
        </Gate>
    }
    .into_any()
}

/// A card each of what is held.
#[component]
fn Cards(board: Memo<Board>, held: Held<AskedKey>) -> impl IntoView {
    let Held { shown, held, pending } = held;
    let store = store();
    let known = beside(&store);
    let more = move || {
        let more = shown.with(Vec::len).saturating_sub(SHOWN);
        (more > 0).then(|| {
            let said =
                format!("and {more} more that are no worse: narrow them by namespace, label or search");
            view! { <p class="aside">{said}</p> }
        })
    };
    let card = move |key: AskedKey| {
        let asked = asked(board, key.clone());
        let gone = gone(&store, board, key, asked);
        view! { <li><Card asked gone known /></li> }
    };
    view! {
        <div class="held-frame">
            <Pending count=pending held />
            <ul
                class="probed"
                on:pointerenter=move |event| held.set(event.pointer_type() == "mouse")
                on:pointerleave=move |_| held.set(false)
                on:focusin=move |_| held.set(true)
                on:focusout=move |_| held.set(false)
            >
                <For
                    each=move || shown.with(|shown| shown.iter().take(SHOWN).cloned().collect::<Vec<_>>())
                    key=|key| key.clone()
                    children=card
                />
            </ul>
        </div>
        {more}
    }
    .into_any()
}

/// Follows what is asked of one of them; the last it was when that goes.
pub fn asked(board: Memo<Board>, key: AskedKey) -> Memo<Option<Arc<Asked>>> {
    Memo::new(move |before: Option<&Option<Arc<Asked>>>| {
        board.with(|board| board.asked.get(&key).cloned()).or_else(|| before.cloned().flatten())
    })
}

/// Whether what a held card is about has gone: none of its containers is there any more, nor another in their place.
/// What is only not asked for has not.
fn gone(store: &Store, board: Memo<Board>, key: AskedKey, asked: Memo<Option<Arc<Asked>>>) -> Memo<bool> {
    let store = store.clone();
    let has_left = Memo::new(move |_| board.with(|board| !board.asked.contains_key(&key)));
    Memo::new(move |_| {
        let is_there = |container: &Arc<Container>| store.there(Kind::Container, container.meta.uid);
        has_left.get()
            && asked.with(|asked| asked.as_ref().is_none_or(|asked| !asked.containers.iter().any(is_there)))
    })
}

/// The probes of one workload's pods, a card a container; nothing where there are none.
#[component]
pub fn ProbesOf(
    /// The workload.
    #[prop(into)]
    uid: Signal<Option<Uid>>,
) -> impl IntoView {
    let store = store();
    let sets = store.clone();
    // The workload itself, and its ReplicaSets.
    let holders = Memo::new(move |_| {
        let Some(uid) = uid.get() else { return HashSet::new() };
        let sets = sets.current::<ReplicaSet>();
        let own = sets.iter().filter(|set| set.meta.owner.as_ref().is_some_and(|owner| owner.uid == uid));
        own.map(|set| set.meta.uid).chain([uid]).collect::<HashSet<Uid>>()
    });
    let board = board(&store, move |container| {
        container
            .meta
            .owner
            .as_ref()
            .is_some_and(|owner| holders.with(|holders| holders.contains(&owner.uid)))
    });
    let held = hold(move || board.with(|board| board.order.clone()));
    let any = Memo::new(move |_| held.shown.with(|shown| !shown.is_empty()));
    move || {
        any.get().then(|| {
            view! {
                <section aria-labelledby="probes">
                    <h2 id="probes">"Probes"</h2>
                    <Gate kind=Kind::Container>
                        <Cards board held />
                    </Gate>
                </section>
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::Health,
        model::{Change, Delta},
        query::fixtures::{NOW, about, as_of, cluster, meta, put},
        seed::Seed,
    };

    #[test]
    fn a_card_that_is_held_is_struck_out_once_what_it_is_about_has_gone() {
        let owner = Owner::new();
        owner.with(|| {
            let container = Container { meta: meta(80, "default", "rf-c"), ..Container::default() };
            let mut cluster = cluster();
            put(&mut cluster, container.clone());
            let store = Store::new(&Seed::choose(&cluster, "/probes", &about(), 1, &as_of(), NOW));
            let one = Asked {
                owner: None,
                template: None,
                namespace: "default".into(),
                name: "c".into(),
                probes: Arc::from([]),
                ports: Arc::from([]),
                declared: Vec::new(),
                served: false,
                health: Health::Healthy,
                containers: vec![Arc::new(container)],
            };
            let key: AskedKey = (Uid(12), "c".into(), 0);
            let full =
                Board { order: vec![key.clone()], asked: HashMap::from([(key.clone(), Arc::new(one))]) };
            let now = RwSignal::new(full);
            let board = Memo::new(move |_| now.get());
            let asked = asked(board, key.clone());
            let gone = gone(&store, board, key, asked);
            assert!(asked.get().is_some() && !gone.get());
            now.set(Board::default());
            assert!(!gone.get(), "it is only not asked for");
            store.apply(vec![Change::Container(Delta::Gone(Uid(80)))]);
            assert!(gone.get());
            assert!(asked.get().is_some(), "it stays as it was");
        });
    }
}
