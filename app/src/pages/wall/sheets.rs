//! The wall's pages. Each shows what fits, by the sizes in `wall.css`, and counts the rest.

use std::sync::Arc;

use leptos::prelude::*;

use super::{
    Shown,
    local::Local,
    survey::{Filled, MAKERS, ROLLING, Rolling, Survey},
    verdict::Verdict,
};
use crate::{
    api::{Health, Kind, ObjectKey, Picture, Text, Timestamp},
    components::{
        icon, meter, name, store,
        strip::{said, strip},
    },
    format::visible,
    pages::rollout::small,
    query::{problems::Problem, wall::View},
    wire::Drawing,
};

/// So many of them fit, as `wall.css` draws them.
const PROBLEMS: usize = 6;
const ROLLOUTS: usize = 4;
const NODES: usize = 6;
/// Shapes in a lane.
const SHAPES: usize = 12;

/// The page whose turn it is.
#[component]
pub fn Sheets(shown: Shown, verdict: Memo<Verdict>) -> impl IntoView {
    let Shown { survey, turn, .. } = shown.clone();
    let view = Memo::new(move |_| turn.with(|turn| turn.view));
    let listing = Memo::new(move |_| match verdict.get() {
        Verdict::Listing(kinds) => Some(kinds),
        _ => None,
    });
    let waits = Memo::new(move |_| survey.with(|survey| !survey.sight.whole));
    let calm = Memo::new(move |_| survey.with(|survey| survey.problems.is_empty()));
    move || {
        if waits.get() {
            return view! { <Waiting listing /> }.into_any();
        }
        match view.get() {
            View::Problems if calm.get() => view! { <Calm survey /> }.into_any(),
            View::Problems => view! { <Problems shown=shown.clone() /> }.into_any(),
            View::Rollouts => view! { <Rollouts survey /> }.into_any(),
            View::Nodes => view! { <Nodes survey /> }.into_any(),
            View::Overview => view! { <Overview survey /> }.into_any(),
        }
    }
}

/// `1 problem`, `3 problems`
pub fn counted(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

/// How large each is drawn: the fewer, the larger.
fn tier(count: usize) -> &'static str {
    match count {
        0 | 1 => "of-1",
        2 => "of-2",
        3 => "of-3",
        4 => "of-4",
        _ => "of-6",
    }
}

fn more(count: usize, shown: usize) -> impl IntoView {
    let more = count.saturating_sub(shown);
    (more > 0).then(|| view! { <span class="more">{format!("and {more} more")}</span> })
}

/// Before the first lists are complete nothing is known, which is not "nothing is wrong".
#[component]
fn Waiting(listing: Memo<Option<Vec<(Kind, u32)>>>) -> impl IntoView {
    let said = move || {
        listing.with(|kinds| {
            let kinds = kinds.iter().flatten().take(3);
            let said: Vec<String> =
                kinds.map(|(kind, seen)| format!("{} {}, so far", seen, kind.plural())).collect();
            said.join(" · ")
        })
    };
    view! {
        <section class="calm waiting">
            {icon::shape(Health::Waiting)}
            <h1>"Listing"</h1>
            <p>{said}</p>
        </section>
    }
    .into_any()
}

/// Nothing is broken, as far as may be seen.
#[component]
fn Calm(survey: Memo<Survey>) -> impl IntoView {
    let head = Memo::new(move |_| {
        survey.with(|survey| match (survey.sight.unseen.is_empty(), survey.is_empty()) {
            (false, _) => (Health::Unknown, "Nothing seen is wrong"),
            (true, true) => (Health::Unknown, "Nothing is here"),
            (true, false) => (Health::Healthy, "All is well"),
        })
    });
    let shape = move || head.with(|(health, _)| icon::shape(*health));
    let title = move || head.with(|(_, title)| *title);
    let said = move || {
        survey.with(|survey| {
            let sum = |counts: [usize; 5]| counts.iter().sum::<usize>();
            if survey.sight.unseen.is_empty() && survey.is_empty() {
                return "No pod and nothing that makes pods is where this wall looks.".to_owned();
            }
            let figures: [(&[Kind], String); 3] = [
                (&[Kind::Pod], counted(sum(survey.pods), "pod")),
                (MAKERS, counted(sum(survey.workloads), "workload")),
                (&[Kind::Node], counted(survey.nodes.len(), "node")),
            ];
            let seen = figures.into_iter().filter(|(of, _)| survey.sees(of)).map(|(_, figure)| figure);
            seen.collect::<Vec<_>>().join(" · ")
        })
    };
    let moving = move || {
        survey.with(|survey| {
            let progressing = survey.pods[3];
            match (survey.rollouts.len(), progressing) {
                (0, 0) if !survey.sees(MAKERS) || !survey.sees(&[Kind::Pod]) => String::new(),
                (0, 0) => "Nothing is under way.".to_owned(),
                (0, pods) => format!("{} on the way.", counted(pods, "pod")),
                (rollouts, _) => format!("{} in progress.", counted(rollouts, "rollout")),
            }
        })
    };
    view! {
        <section class="calm">
            {shape}
            <h1>{title}</h1>
            <p>{said}</p>
            <p>{moving}</p>
        </section>
    }
    .into_any()
}

/// What is broken, where, why, and since when.
#[component]
fn Problems(shown: Shown) -> impl IntoView {
    let Shown { survey, turn, local } = shown;
    let count = Memo::new(move |_| survey.with(|survey| survey.problems.len()));
    let listed = Memo::new(move |_| {
        let new = turn.with(|turn| turn.new.clone());
        survey.with(|survey| {
            let mut listed: Vec<(Problem, bool)> = survey
                .problems
                .iter()
                .map(|problem| (problem.clone(), new.contains(&problem.identity())))
                .collect();
            listed.sort_by_key(|(_, new)| !new); // stable: the worst of each first
            listed.truncate(PROBLEMS);
            listed
        })
    });
    let title = move || counted(count.get(), "problem");
    let class = move || format!("problems-now {}", tier(listed.with(Vec::len)));
    view! {
        <h1>{icon::shape(Health::Failing)} " " {title} " " {move || more(count.get(), PROBLEMS)}</h1>
        <ul class=class>
            <For
                each=move || listed.get()
                key=Clone::clone
                children=move |(problem, new)| self::problem(problem, new, &local)
            />
        </ul>
    }
    .into_any()
}

fn problem(problem: Problem, new: bool, local: &Local) -> AnyView {
    let Problem { health, kind, namespace, name, why, owner, pods, nodes, since, restarts } = problem;
    let (what, name) = match owner.filter(|_| pods > 1) {
        Some(owner) => {
            (format!("{pods} pods of {}", visible(&owner.kind).to_lowercase()), owner.name.to_string())
        }
        None => (kind.singular().to_owned(), name.to_string()),
    };
    let mut places = vec![what];
    places.extend(Some(namespace.to_string()).filter(|namespace| !namespace.is_empty()));
    places.extend(on(nodes.into_iter().collect()));
    let place = visible(&places.join(" · ")).into_owned();
    view! {
        <li class=format!("problem {}", health.word()) class:new=new>
            <p class="name">
                {icon::state(health)} {new.then(|| view! { <span class="badge">"NEW"</span> })} {name::cut(&name)}
            </p>
            <p class="where">{place}</p>
            <p class="why">{visible(&why).into_owned()}</p>
            <p class="since">{since_when(since, restarts, local)}</p>
        </li>
    }
    .into_any()
}

/// `on worker-1`, `on 3 nodes`
fn on(nodes: Vec<Text>) -> Option<String> {
    match &nodes[..] {
        [] => None,
        [node] => Some(format!("on {node}")),
        nodes => Some(format!("on {} nodes", nodes.len())),
    }
}

fn since_when(since: Option<Timestamp>, restarts: i64, local: &Local) -> impl IntoView + use<> {
    let local = local.clone();
    let restarts = match restarts {
        0 => None,
        1 => Some("1 restart".to_owned()),
        restarts => Some(format!("{restarts} restarts")),
    };
    move || {
        let since = since.map(|since| format!("since {}", local.since_in_cluster(since.millis())));
        since.into_iter().chain(restarts.clone()).collect::<Vec<_>>().join(" · ")
    }
}

/// What rolls out; where that is one, with its pods and what it waits for.
#[component]
fn Rollouts(survey: Memo<Survey>) -> impl IntoView {
    let store = store();
    let count = Memo::new(move |_| survey.with(|survey| survey.rollouts.len()));
    let listed = Memo::new(move |_| {
        survey.with(|survey| survey.rollouts.iter().take(ROLLOUTS).cloned().collect::<Vec<_>>())
    });
    // Its picture comes for the time it is on the screen.
    let alone = Memo::new(move |_| match &listed.get()[..] {
        [one] => Some(ObjectKey {
            kind: one.kind,
            namespace: one.namespace.to_string(),
            name: one.name.to_string(),
        }),
        _ => None,
    });
    let wishing = store.clone();
    Effect::new(move |_| wishing.wish(alone.get().map(|key| Drawing { key, between: None })));
    let done = store.clone();
    on_cleanup(move || done.wish(None));
    let picture = Memo::new(move |_| store.picture(&alone.get()?).flatten());
    let keys = move || {
        let key = |one: Rolling| (one.kind, one.namespace, one.name);
        listed.get().into_iter().map(key).collect::<Vec<RolloutKey>>()
    };
    let sees = Memo::new(move |_| survey.with(|survey| survey.sees(ROLLING)));
    let title = move || match count.get() {
        0 if !sees.get() => "No rollout seen in progress".to_owned(),
        0 => "No rollout in progress".to_owned(),
        count => format!("{} in progress", counted(count, "rollout")),
    };
    let class = move || format!("rolling-now {}", tier(listed.with(Vec::len)));
    view! {
        <h1>{icon::shape(Health::Progressing)} " " {title} " " {move || more(count.get(), ROLLOUTS)}</h1>
        <ul class=class>
            <For each=keys key=Clone::clone children=move |key| view! { <OneRollout listed picture key /> } />
        </ul>
    }
    .into_any()
}

type RolloutKey = (Kind, Text, Arc<str>);

#[component]
fn OneRollout(
    listed: Memo<Vec<Rolling>>,
    picture: Memo<Option<Arc<Picture>>>,
    key: RolloutKey,
) -> impl IntoView {
    let place = format!("{} · {}", key.0.singular(), key.1);
    let title = key.2.clone();
    let rolling = Memo::new(move |before: Option<&Option<Rolling>>| {
        let found = listed.with(|listed| {
            listed
                .iter()
                .find(|one| one.kind == key.0 && one.namespace == key.1 && one.name == key.2)
                .cloned()
        });
        found.or_else(|| before.cloned().flatten())
    });
    let health =
        Memo::new(move |_| rolling.with(|one| one.as_ref().map_or(Health::Unknown, |one| one.health)));
    let drawn = move || rolling.with(|one| one.as_ref().map(|one| strip(&one.rollout)));
    let numbers = move || rolling.with(|one| one.as_ref().map(|one| said(&one.rollout)).unwrap_or_default());
    // kubectl's sentence says no more than the numbers, until it fails
    let why = move || {
        rolling.with(|one| {
            let failing = one.as_ref().filter(|one| one.health < Health::Progressing);
            failing.map(|one| visible(&one.why).into_owned()).unwrap_or_default()
        })
    };
    let lanes = move || picture.with(|picture| picture.as_ref().map(|picture| small(picture, SHAPES)));
    view! {
        <li class=move || format!("rolling {}", health.get().word())>
            <p class="name">{move || icon::state(health.get())} {name::cut(&title)}</p>
            <p class="where">{place}</p>
            {drawn}
            <p class="numbers">{numbers}</p>
            <p class="why">{why}</p>
            <div class="lanes-now">{lanes}</div>
        </li>
    }
    .into_any()
}

/// The nodes: how many are ready, those that are not, and the fullest of the others.
#[component]
fn Nodes(survey: Memo<Survey>) -> impl IntoView {
    let count = Memo::new(move |_| survey.with(|survey| survey.nodes.len()));
    let listed = Memo::new(move |_| {
        survey.with(|survey| survey.nodes.iter().take(NODES).cloned().collect::<Vec<_>>())
    });
    let health =
        Memo::new(move |_| listed.with(|nodes| nodes.first().map_or(Health::Unknown, |node| node.health)));
    let title = move || {
        survey.with(|survey| match survey.nodes_ready() {
            _ if !survey.sees(&[Kind::Node]) => "Nodes may not be seen".to_owned(),
            (_, 0) => "No node is known".to_owned(),
            (ready, all) if ready == all => format!("{} ready", counted(all, "node")),
            (ready, all) => format!("{ready} of {} ready", counted(all, "node")),
        })
    };
    let fills = Memo::new(move |_| survey.with(|survey| survey.sight.fills));
    let class = move || format!("nodes-now {}", tier(listed.with(Vec::len)));
    view! {
        <h1>{move || icon::shape(health.get())} " " {title} " " {move || more(count.get(), NODES)}</h1>
        <ul class=class>
            <For each=move || listed.get() key=|node| node.name.clone() children=move |node| view! { <OneNode listed fills name=node.name /> } />
        </ul>
    }
    .into_any()
}

/// One node, and what is given out on it if that is known.
#[component]
fn OneNode(listed: Memo<Vec<Filled>>, fills: Memo<bool>, name: Arc<str>) -> impl IntoView {
    let title = name.clone();
    let node = Memo::new(move |before: Option<&Option<Filled>>| {
        let found = listed.with(|nodes| nodes.iter().find(|node| node.name == name).cloned());
        found.or_else(|| before.cloned().flatten())
    });
    let health =
        Memo::new(move |_| node.with(|node| node.as_ref().map_or(Health::Unknown, |node| node.health)));
    let status = move || {
        node.with(|node| {
            let node = node.as_ref()?;
            let pods = fills.get().then(|| counted(node.pods as usize, "pod"));
            let why = Some(&node.why).filter(|why| node.health != Health::Healthy && !why.is_empty());
            let said = [node.status.to_owned()].into_iter().chain(pods).chain(why.map(Text::to_string));
            Some(visible(&said.collect::<Vec<_>>().join(" · ")).into_owned())
        })
    };
    let meters = move || {
        node.with(|node| {
            let node = node.as_ref().filter(|_| fills.get())?;
            Some(view! {
                {meter::share("CPU", node.cpu.0, node.cpu.1)}
                {meter::share("memory", node.memory.0, node.memory.1)}
            })
        })
    };
    view! {
        <li class=move || format!("node-now {}", health.get().word())>
            <p class="name">{move || icon::state(health.get())} {name::cut(&title)}</p>
            <p class="where">{status}</p>
            <div class="meters-now">{meters}</div>
        </li>
    }
    .into_any()
}

/// How many there are of everything.
#[component]
fn Overview(survey: Memo<Survey>) -> impl IntoView {
    fn nodes(survey: &Survey) -> [usize; 5] {
        crate::query::tally(survey.nodes.iter().map(|node| node.health))
    }
    let problems = |survey: &Survey| {
        let worst = survey.problems.first().map(|problem| problem.health);
        some(survey.problems.len(), worst, survey.sight.unseen.is_empty(), "problem", "problems")
    };
    let rollouts = |survey: &Survey| {
        let worst = survey.rollouts.first().map(|rolling| rolling.health);
        let all = survey.sees(ROLLING);
        some(survey.rollouts.len(), worst, all, "rollout in progress", "rollouts in progress")
    };
    view! {
        <h1>"Overview"</h1>
        <ul class="overview-now">
            {cell(survey, problems)}
            {cell(survey, rollouts)}
            {cell(survey, |survey| healthy("pods", &survey.pods, survey.sees(&[Kind::Pod])))}
            {cell(survey, |survey| healthy("workloads", &survey.workloads, survey.sees(MAKERS)))}
            {cell(survey, |survey| healthy("nodes", &nodes(survey), survey.sees(&[Kind::Node])))}
        </ul>
    }
    .into_any()
}

/// A shape, a figure, and of what it is.
type Figure = (Health, String, String);

fn cell(survey: Memo<Survey>, figure: impl Fn(&Survey) -> Figure + Send + Sync + 'static) -> impl IntoView {
    let figure = Memo::new(move |_| survey.with(&figure));
    view! {
        <li>
            <p class="number">
                {move || figure.with(|(health, ..)| icon::shape(*health))} " "
                {move || figure.with(|(_, number, _)| number.clone())}
            </p>
            <p class="words">{move || figure.with(|(.., words)| words.clone())}</p>
        </li>
    }
    .into_any()
}

/// How many of them, and how the worst is. That there is none is said only where `all` of them would be seen.
fn some(count: usize, worst: Option<Health>, all: bool, one: &str, many: &str) -> Figure {
    let words = if count == 1 { one } else { many };
    match (count, all) {
        (0, false) => (Health::Unknown, "–".to_owned(), words.to_owned()),
        _ => (worst.unwrap_or(Health::Healthy), count.to_string(), words.to_owned()),
    }
}

/// How many of them are healthy, and how the others are: `2 of 5`, `pods healthy, 2 failing, 1 waiting`.
fn healthy(what: &str, counts: &[usize; 5], all: bool) -> Figure {
    if !all {
        return (Health::Unknown, "–".to_owned(), format!("{what}, which may not all be seen"));
    }
    let (sum, healthy) = (counts.iter().sum::<usize>(), counts[4]);
    let others = Health::ALL.into_iter().zip(counts).take(4).filter(|(_, count)| **count > 0);
    let worst = others.clone().next().map_or(Health::Healthy, |(health, _)| health);
    let number = if healthy == sum { sum.to_string() } else { format!("{healthy} of {sum}") };
    let states = others.map(|(health, count)| format!("{count} {}", health.word()));
    let words = [format!("{what} healthy")].into_iter().chain(states).collect::<Vec<_>>();
    (worst, number, words.join(", "))
}
