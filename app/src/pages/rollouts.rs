//! Every rollout that is not through, the worst first; those that were through lately, the latest first; the rest,
//! by name.

use std::{any::Any, cmp::Reverse, sync::Arc};

use leptos::prelude::*;

use crate::{
    api::{Deployment, Health, Kind, RolloutStatus, Text, Timestamp, Uid, rollout::Verdict},
    components::{
        chip,
        filters::{Tools, no_selector},
        frame::Head,
        gate::{Gate, dims, known_in},
        here::Here,
        hold::{Held, Pending, gone, hold},
        icon, name, store,
        strip::{picture_href, strip},
    },
    format::{duration, visible},
    query::{Filter, Group, Line, Page, without},
};

/// What was through within so many seconds was so lately.
const LATELY: i64 = 3_600;
/// So many are drawn; the rest is counted.
const SHOWN: usize = 200;

/// The view.
#[component]
pub fn Rollouts() -> impl IntoView {
    let here = Here::get();
    let store = store();
    let lines = store.clone();
    let clock = store.clone();
    // To the minute, so that the lists are not made anew each second.
    let since = Memo::new(move |_| {
        let now = clock.now().seconds().0;
        Timestamp(now - now.rem_euclid(60) - LATELY)
    });
    let parts = Memo::new(move |_| {
        let place = here.place();
        let all = kinds().flat_map(|kind| {
            let Ok(filter) = Filter::of(&place, kind) else { return Vec::new() };
            let mut lines = lines.lines(kind);
            lines.retain(|line| filter.keeps(&**line));
            lines
        });
        let mut lines: Vec<Arc<dyn Line>> = all
            .filter(|line| line.rollout().is_some_and(|rollout| rollout.verdict != Verdict::NotRolling))
            .collect();
        lines.sort_by(|a, b| a.meta().key_order(b.meta()));
        lines.sort_by_cached_key(|line| rank(&**line));
        if let Some(group) = &place.group {
            lines.sort_by_cached_key(|line| group_of(&**line, group));
        }
        let (through, going) = lines.iter().partition::<Vec<_>, _>(|line| is_through(&***line));
        let since = since.get();
        let lately = |line: &&Arc<dyn Line>| finished(&***line).is_some_and(|at| at >= since);
        let (mut lately, earlier) = through.into_iter().partition::<Vec<_>, _>(lately);
        lately.sort_by_key(|line| Reverse(finished(&***line)));
        if let Some(group) = &place.group {
            lately.sort_by_cached_key(|line| group_of(&***line, group));
        }
        let keys =
            |lines: Vec<&Arc<dyn Line>>| lines.iter().map(|line| (line.kind(), line.meta().uid)).collect();
        Parts { going: keys(going), lately: keys(lately), earlier: keys(earlier) }
    });
    let going = hold(move || parts.with(|parts| parts.going.clone()));
    let lately = hold(move || parts.with(|parts| parts.lately.clone()));
    let earlier = hold(move || parts.with(|parts| parts.earlier.clone()));
    let dims = dims(&store, Page::Rollouts.tables());
    let bad = Memo::new(move |_| {
        let place = here.place();
        kinds().find_map(|kind| Filter::of(&place, kind).err())
    });
    // Of what is no selector nothing is said, neither that there is none nor how many.
    let known = Memo::new(move |_| {
        let namespaces = here.place().namespaces;
        bad.with(Option::is_none) && kinds().all(|kind| known_in(&store, kind, &namespaces))
    });
    let count = move || {
        let said = match (parts.with(|parts| parts.going.len()), known.get()) {
            (0, true) => "none in progress".to_owned(),
            (0, false) => String::new(),
            (n, true) => format!("{n} in progress"),
            (n, false) => format!("at least {n} in progress"),
        };
        view! { <span class:was=move || dims.get()>{said}</span> }
    };
    let none = move || {
        (known.get() && going.shown.with(Vec::is_empty)).then(|| {
            view! {
                <p class="nothing">"None of those that are shown here."</p>
            }
        })
    };
    view! {
        <Head title=|| "Rollouts" aside=count />
        <Tools what="rollouts" kinds=kinds().collect() widens=false />
        {move || bad.get().map(|error| no_selector(&here.place(), &error))}
        // what cannot be seen is said, and costs only itself
        {kinds().map(|kind| view! { <Gate kind>""</Gate> }).collect_view()}
        <div class="gate drawn" class:stale=move || dims.get()>
            <Part title="In progress" held=going known />
            {none}
            <Part title="Through in the last hour" held=lately known />
            <Part title="Through" held=earlier known />
        </div>
    }
    .into_any()
}

/// Of what kubectl tells a rollout's status.
fn kinds() -> impl Iterator<Item = Kind> {
    Page::Rollouts.tables().iter().copied()
}

/// The group of one, those that belong to none last.
fn group_of(line: &dyn Line, group: &Group) -> (bool, String) {
    let title = line.group(group);
    (title.is_none(), title.unwrap_or_else(|| without(group)))
}

type Key = (Kind, Uid);

#[derive(Clone, Debug, Default, PartialEq)]
struct Parts {
    going: Vec<Key>,
    lately: Vec<Key>,
    earlier: Vec<Key>,
}

/// Some of them, and how many they are once all that there is is known.
#[component]
fn Part(title: &'static str, held: Held<Key>, known: Memo<bool>) -> impl IntoView {
    let Held { shown, held, pending } = held;
    let (here, store) = (Here::get(), store());
    let group = Memo::new(move |_| here.place().group);
    // Without grouping all are one group without a title.
    let groups = Memo::new(move |_| {
        let group = group.get();
        let mut groups: Vec<(Option<String>, Vec<Key>)> = Vec::new();
        for (kind, uid) in shown.with(|shown| shown.iter().take(SHOWN).copied().collect::<Vec<_>>()) {
            let title = group
                .as_ref()
                .and_then(|group| untrack(|| store.line(kind, uid)).map(|line| group_of(&*line, group).1));
            // A list that is held may be in the order of another grouping.
            match groups.iter_mut().find(|(there, _)| *there == title) {
                Some((_, keys)) => keys.push((kind, uid)),
                None => groups.push((title, vec![(kind, uid)])),
            }
        }
        groups
    });
    let titles = move || {
        let titles = groups.with(|groups| groups.iter().map(|(title, _)| title.clone()).collect::<Vec<_>>());
        if titles.is_empty() { vec![None] } else { titles }
    };
    let list = move |title: Option<String>| {
        let of = title.clone();
        let keys = move || {
            groups.with(|groups| {
                groups
                    .iter()
                    .filter(|(title, _)| *title == of)
                    .flat_map(|(_, keys)| keys.clone())
                    .collect::<Vec<_>>()
            })
        };
        view! {
            {title.map(|title| view! { <h3>{visible(&title).into_owned()}</h3> })}
            <ul
                class="rollouts"
                on:pointerenter=move |event| held.set(event.pointer_type() == "mouse")
                on:pointerleave=move |_| held.set(false)
                on:focusin=move |_| held.set(true)
                on:focusout=move |_| held.set(false)
            >
                <For each=keys key=|key| *key children=|(kind, uid)| view! { <Row kind uid /> } />
            </ul>
        }
    };
    let more = move || {
        let more = shown.with(Vec::len).saturating_sub(SHOWN);
        (more > 0).then(|| view! { <p class="aside">{format!("and {more} more")}</p> })
    };
    view! {
        <section aria-label=title class:empty=move || shown.with(Vec::is_empty)>
            <h2>{title} " " <span class="count">{move || known.get().then(|| shown.with(Vec::len))}</span></h2>
            <div class="held-frame">
                <Pending count=pending held />
                <div class="held-lists">
                    <For each=titles key=Clone::clone children=list />
                </div>
            </div>
            {more}
        </section>
    }
    .into_any()
}

/// Complete for kubectl and healthy: what lost its pods afterwards is not through.
fn is_through(line: &dyn Line) -> bool {
    line.rollout().is_some_and(|rollout| rollout.verdict == Verdict::Succeeded)
        && line.health() == Health::Healthy
}

/// When it was through, where its controller says so.
fn finished(line: &dyn Line) -> Option<Timestamp> {
    let any: &dyn Any = line;
    any.downcast_ref::<Deployment>()?.finished
}

/// Failed ones, then those that are stuck or on their way; the fewest available first.
fn rank(line: &dyn Line) -> (bool, Health, Reverse<i32>) {
    let rollout = line.rollout();
    let failed = rollout.as_ref().is_some_and(|rollout| rollout.verdict == Verdict::Failed);
    let missing = rollout.map_or(0, |rollout| rollout.desired.saturating_sub(rollout.available));
    (!failed, line.health(), Reverse(missing))
}

/// One rollout, kept as it last was when it goes while the list is held.
#[component]
fn Row(kind: Kind, uid: Uid) -> impl IntoView {
    let (here, store) = (Here::get(), store());
    let clock = store.clone();
    let gone = gone(&store, kind, uid);
    let read = move |before: Option<&Option<Arc<dyn Line>>>| {
        store.line(kind, uid).or_else(|| before.cloned().flatten())
    };
    let line = Memo::new_with_compare(read, |_, _| true); // it is read anew only when the row has changed
    let health = move || line.with(|line| line.as_ref().map_or(Health::Unknown, |line| line.health()));
    let link = move || {
        line.with(|line| {
            let meta = line.as_ref()?.meta();
            Some(view! {
                <a class="name" href=picture_href(&**line.as_ref()?)>{name::cut(&meta.name)}</a>
                <span class="aside">{kind.singular()} " in " {meta.namespace.to_string()}</span>
            })
        })
    };
    // Neither changes as long as it is the same object, and a link that is drawn anew loses the focus.
    let link = untrack(link);
    let numbers = move || {
        line.with(|line| {
            let line = line.as_ref()?;
            let any: &dyn Any = &**line;
            let paused = any.downcast_ref::<Deployment>().is_some_and(|deployment| deployment.paused);
            let rollout = line.rollout()?;
            let paused = if paused { ", paused" } else { "" };
            let (updated, desired, available) = (rollout.updated, rollout.desired, rollout.available);
            Some(format!("{updated} of {desired} updated, {available} available{paused}"))
        })
    };
    let through = move || {
        let at = line.with(|line| finished(&**line.as_ref()?))?;
        let seconds = clock.now().seconds().0 - at.0;
        Some(format!("through {} ago", duration(seconds.max(0))))
    };
    let rolling = move || line.with(|line| line.as_ref()?.rollout().filter(RolloutStatus::is_under_way));
    let drawn = move || rolling().map(|rollout| strip(&rollout));
    let sentence = move || {
        line.with(|line| line.as_ref()?.rollout().map(|rollout| visible(&rollout.sentence).into_owned()))
    };
    let columns = Memo::new(move |_| here.place().columns);
    let labels = move || {
        let columns = columns.get();
        line.with(|line| {
            let labels = &line.as_ref()?.meta().labels;
            let of = |key: &String| {
                let key = Text::from(key.as_str());
                labels.get(&key).map(|value| chip::label(kind, &key, value))
            };
            Some(columns.iter().filter_map(of).collect_view())
        })
    };
    view! {
        <li class=move || format!("rollout-line {}{}", health().word(), if gone.get() { " gone" } else { "" })>
            <span class="lead">{move || icon::state(health())}</span>
            {link}
            <span class="numbers"><span aria-hidden="true">{drawn}</span> {numbers}</span>
            <span class="says">{sentence} " " <span class="aside">{through}</span> " " <span class="chips">{labels}</span></span>
        </li>
    }
    .into_any()
}
