//! The wall: for a monitor that a team looks at from some metres away, for months, without a keyboard.
//!
//! It is a document of its own (see [`crate::components::frame`]). Which page is shown when is decided in `rota`, what
//! they say in `survey`; `keep` is what it needs of the browser to stay. Whoever may see a wall at all has been
//! decided on the server before this is drawn: the cluster here is all that this visitor has been granted.

#[cfg(feature = "hydrate")]
mod keep;
mod local;
mod rota;
mod sheets;
mod survey;
mod verdict;

use leptos::prelude::*;
use local::Local;
use rota::{Rota, Scene, Turn};
use sheets::Sheets;
use survey::{Sight, Survey};
use verdict::{Verdict, verdict};

use crate::{
    api::{Health, Kind, Namespace},
    components::{
        fresh,
        gate::{known_in, unseen},
        here::Here,
        icon, store,
    },
    format::visible,
    query::{
        Page,
        problems::{Identity, Problem},
        wall::{Plan, View},
    },
    store::Store,
};

/// What the survey is made of.
const MADE_OF: &[Kind] = &[
    Kind::Node,
    Kind::Namespace,
    Kind::Pod,
    Kind::ReplicationController,
    Kind::Deployment,
    Kind::DaemonSet,
    Kind::StatefulSet,
    Kind::ReplicaSet,
];
/// The picture is moved once a minute, through so many places (`wall.css`), lest it burns in.
const PLACES: i64 = 9;

/// What the sheets are drawn from.
#[derive(Clone)]
struct Shown {
    survey: Memo<Survey>,
    turn: Memo<Turn<Identity>>,
    local: Local,
}

/// The view.
#[component]
pub fn Wall() -> impl IntoView {
    let (here, store) = (Here::get(), store());
    let plan = Memo::new(move |_| Plan::of(&here.place()));
    let survey = survey_of(&store, plan);
    let local = Local::new(&store);
    let verdict = {
        let store = store.clone();
        Memo::new(move |_| verdict(&store))
    };
    let turn = turn_of(&store, plan, survey);
    let shown = Shown { survey, turn, local: local.clone() };
    let idle = RwSignal::new(false);
    #[cfg(feature = "hydrate")]
    keep::keep(&store, idle);

    let (minutes, seconds) = (store.clone(), store.clone());
    let place = Memo::new(move |_| minutes.server_now().seconds().0.div_euclid(60).rem_euclid(PLACES));
    // What stops when the program does: a style sheet's clock and `boot.js` run out unless it changes.
    let beat =
        Memo::new(move |_| if seconds.server_now().seconds().0.div_euclid(5) % 2 == 0 { "a" } else { "b" });
    let dark = {
        let local = local.clone();
        Memo::new(move |_| plan.with(|plan| plan.dim).is_some_and(|night| night.holds(local.now())))
    };
    let view = Memo::new(move |_| turn.with(|turn| turn.view.word()));
    let stale = Memo::new(move |_| verdict.with(|verdict| matches!(verdict, Verdict::NotLive { .. })));
    // All of it at once: what sets a whole class takes away those that are set one by one.
    let class = Memo::new(move |_| {
        let mut class = format!("wall view-{} place-{}", view.get(), place.get());
        for (on, word) in [(dark.get(), " dark"), (idle.get(), " idle"), (stale.get(), " invalid")] {
            class.push_str(if on { word } else { "" });
        }
        class
    });
    view! {
        <div
            class=move || class.get()
            data-beat=move || beat.get()
        >
            <div class="sheet">
                <Bar local=local.clone() plan verdict />
                <main class="drawn">
                    <Counts survey />
                    <Sheets shown verdict />
                </main>
                <Said plan />
            </div>
            <NotLive local verdict />
            // Shown by the style sheet when the program has stopped, which it cannot say itself.
            <div class="stopped" aria-hidden="true">
                <p class="huge">"NOT LIVE"</p>
                <p class="large">"This page has stopped."</p>
            </div>
        </div>
    }
    .into_any()
}

/// What there is, at most each second; at once when more of it may be known than before, or less.
fn survey_of(store: &Store, plan: Memo<Plan>) -> Memo<Survey> {
    let lately = store.lately(MADE_OF);
    let sight = {
        let store = store.clone();
        Memo::new(move |_| plan.with(|plan| Sight::of(&store, &plan.place)))
    };
    let store = store.clone();
    Memo::new(move |_| {
        lately();
        sight.get();
        let place = plan.with(|plan| plan.place.clone());
        untrack(|| Survey::of(&store, &place))
    })
}

/// The page that is shown now. Until a survey was made with everything there nothing is known to be new.
fn turn_of(store: &Store, plan: Memo<Plan>, survey: Memo<Survey>) -> Memo<Turn<Identity>> {
    let rota = StoredValue::new(Rota::new());
    let store = store.clone();
    Memo::new(move |before: Option<&Turn<Identity>>| {
        let now = store.server_now();
        if survey.with(|survey| !survey.sight.whole) {
            return before.cloned().unwrap_or(Turn { view: View::Problems, new: Vec::new() });
        }
        let scene = survey.with(|survey| Scene {
            problems: survey.problems.iter().map(Problem::identity).collect(),
            rolling: !survey.rollouts.is_empty(),
        });
        let turned = rota.try_update_value(|rota| plan.with(|plan| rota.turn(plan, &scene, now)));
        turned.or_else(|| before.cloned()).unwrap_or(Turn { view: View::Problems, new: Vec::new() })
    })
}

/// Cluster, what is shown of it, freshness and clock: always there.
#[component]
fn Bar(local: Local, plan: Memo<Plan>, verdict: Memo<Verdict>) -> impl IntoView {
    let store = store();
    let about = Memo::new(move |_| store.about());
    let cluster = move || about.with(|about| visible(&about.context).into_owned());
    let demo = move || {
        about
            .with(|about| about.demo)
            .then(|| view! { <span class="badge demo" title="This cluster is invented">"DEMO"</span> })
    };
    let of = move || {
        plan.with(|plan| {
            let place = &plan.place;
            let mut of = place.namespaces.clone();
            of.extend(Some(place.selector.clone()).filter(|selector| !selector.is_empty()));
            of.extend(
                Some(place.text.trim()).filter(|text| !text.is_empty()).map(|text| format!("“{text}”")),
            );
            of.extend(place.only.iter().map(|(fact, value)| format!("{}: {value}", fact.word())));
            visible(&of.join(" · ")).into_owned()
        })
    };
    let fresh = {
        let local = local.clone();
        move || verdict.with(|verdict| verdict.said(&local))
    };
    let live = move || verdict.with(|verdict| *verdict == Verdict::Live);
    let (clock, date) = (local.clone(), local);
    view! {
        <header class="wall-bar">
            <span class="cluster">{cluster}</span>
            {demo}
            <span class="of">{of}</span>
            <span class="fresh" class:live=live><span class="dot" aria-hidden="true"></span> " " {fresh}</span>
            <span class="date">{move || date.date()}</span>
            <time class="clock">{move || clock.clock()}</time>
        </header>
    }
    .into_any()
}

/// How much is wrong and how much rolls out, on the pages that do not say so themselves (`wall.css`).
#[component]
fn Counts(survey: Memo<Survey>) -> impl IntoView {
    let count = |class: &'static str, health, word: &'static str, of: fn(&Survey) -> usize| {
        let count = Memo::new(move |_| survey.with(|survey| if survey.sight.whole { of(survey) } else { 0 }));
        move || {
            (count.get() > 0)
                .then(|| view! { <span class=class>{icon::shape(health)} " " {sheets::counted(count.get(), word)}</span> })
        }
    };
    view! {
        <div class="wall-counts">
            {count("problem-count", Health::Failing, "problem", |survey| survey.problems.len())}
            {count("rollout-count", Health::Progressing, "rollout", |survey| survey.rollouts.len())}
        </div>
    }
    .into_any()
}

/// What was asked and means nothing; what may not be seen.
#[component]
fn Said(plan: Memo<Plan>) -> impl IntoView {
    let store = store();
    let said = Memo::new(move |_| {
        let mut said = plan.with(|plan| plan.bad.clone());
        let asked = plan.with(|plan| plan.place.namespaces.clone());
        if known_in(&store, Kind::Namespace, &[]) {
            let there = store.current::<Namespace>();
            let missing =
                asked.iter().filter(|name| there.iter().all(|row| *row.meta.name != *name.as_str()));
            said.extend(missing.map(|name| format!("There is no namespace {name}.")));
        }
        let kinds: Vec<Kind> = Page::Wall.kinds().iter().collect();
        said.extend(unseen(&store, &kinds, &asked));
        said.extend(fresh::clocks(&store));
        said
    });
    move || {
        said.with(|said| {
            (!said.is_empty())
                .then(|| view! { <footer class="wall-said"><p>{visible(&said.join(" ")).into_owned()}</p></footer> })
        })
    }
}

/// Over everything, when what is below is not known to be so any more.
#[component]
fn NotLive(local: Local, verdict: Memo<Verdict>) -> impl IntoView {
    let stale = Memo::new(move |_| match verdict.get() {
        Verdict::NotLive { since, because } => Some((since, because)),
        _ => None,
    });
    let any = Memo::new(move |_| stale.with(Option::is_some));
    let since = move || {
        stale.with(|stale| match stale {
            Some((Some(since), _)) => format!("since {}", local.since(*since)),
            _ => "nothing is known yet".to_owned(),
        })
    };
    let because = move || {
        stale.with(|stale| {
            stale.as_ref().map(|(_, because)| visible(because).into_owned()).unwrap_or_default()
        })
    };
    move || {
        let (since, because) = (since.clone(), because);
        any.get().then(|| {
            view! {
                <section class="not-live" aria-label="Not live">
                    <div class="not-live-sign">
                        <p class="huge" role="alert">"NOT LIVE"</p>
                        <p class="large">{since}</p>
                        <p class="because">{because}</p>
                    </div>
                </section>
            }
        })
    }
}
