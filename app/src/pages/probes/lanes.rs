//! The lanes of one container: what each of its probes is asked, what that does now, since when, and how its life
//! went.

use std::sync::Arc;

use leptos::prelude::*;

use super::{
    band::{Band, Life},
    beside,
    card::ordered,
};
use crate::{
    api::{
        Container,
        container::{
            Restarts,
            lane::{self, Doing, Lane},
        },
        detail::Port,
        probe::{Probe, ProbeKind},
    },
    components::{icon, store},
    format::{duration, visible},
};

/// The lanes of a container; of a template, which does nothing, only what is asked.
#[component]
pub fn Lanes(
    /// What it is asked.
    probes: Vec<Probe>,
    /// Its ports.
    ports: Vec<Port>,
    /// The container as it is, if this is not a template's.
    container: Memo<Option<Arc<Container>>>,
) -> impl IntoView {
    // of what has not been placed there is nothing to draw
    let there = Memo::new(move |_| {
        container.with(|container| container.as_ref().is_some_and(|container| !container.life.is_empty()))
    });
    let rows: Vec<AnyView> =
        ordered(&probes).into_iter().map(|probe| row(probe, &ports, container)).collect();
    let store = store();
    let back_off = move || {
        let now = store.now().seconds();
        container.with(|container| {
            let (until, of) = container.as_ref()?.back_off()?;
            let said = match until.0 - now.0 {
                ..=0 => format!("held back {} after it ended; to be started now", duration(of)),
                left => {
                    format!("held back {} after it ended; to be started in {}", duration(of), duration(left))
                }
            };
            Some(view! { <p class="back-off">{said}</p> })
        })
    };
    view! {
        {rows}
        {back_off}
        {move || there.get().then(|| view! { <Band container /> <Life container /> })}
    }
    .into_any()
}

fn row(probe: &Probe, ports: &[Port], container: Memo<Option<Arc<Container>>>) -> AnyView {
    let kind = probe.kind;
    let line = format!("{}: {probe}", kind.word());
    let says = doing(probe.clone(), container);
    view! {
        <div class="probe">
            <p><strong>{kind.word()}</strong> " " {visible(&probe.sentence(ports)).into_owned()}</p>
            <code>{visible(&line).into_owned()}</code>
            {says}
        </div>
    }
    .into_any()
}

/// What it does now; nothing where there is no container.
fn doing(probe: Probe, container: Memo<Option<Arc<Container>>>) -> impl IntoView {
    let store = store();
    let known = beside(&store);
    let kind = probe.kind;
    let now = move || store.now().seconds();
    let clock = now.clone();
    let lane = Memo::new(move |_| {
        let now = clock();
        container.with(|container| {
            let container = container.as_ref()?;
            let known = known.with(|known| known.of(container));
            Some(lane::of(container, &probe, known, now))
        })
    });
    let state = Memo::new(move |_| {
        lane.with(|lane| lane.as_ref().map(|lane| (lane.health(), lane.doing.to_string())))
    });
    let drawn = move || {
        state
            .get()
            .map(|(health, words)| view! { <span class="status">{icon::state(health)} " " {words}</span> })
    };
    let aside = {
        let now = now.clone();
        move || lane.with(|lane| lane.as_ref().map(|lane| since(lane, now().0)))
    };
    let why = move || {
        lane.with(|lane| match lane.as_ref()?.doing {
            Doing::Unknown(why) => Some(format!("because {}", why.words())),
            _ => None,
        })
    };
    let last = move || {
        lane.with(|lane| {
            let lane = lane.as_ref()?;
            let (message, at) = lane.last.as_ref()?;
            let ago = duration((now().0 - at.0).max(0));
            let earlier = if lane.earlier { ", before its last start" } else { "" };
            let said = format!("{} UTC, {ago} ago{earlier}", at.clock());
            Some(view! { <p class="why">{visible(message).into_owned()} <span class="aside">" " {said}</span></p> })
        })
    };
    let restarted = move || {
        let count = container.with(|container| container.as_ref().map(|c| over(&c.restarts, kind)))?;
        let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
        (count > 0).then(|| view! { <p>{format!("It has had the container restarted {times}.")}</p> })
    };
    let there = Memo::new(move |_| lane.with(Option::is_some));
    move || {
        let (aside, last, restarted) = (aside.clone(), last.clone(), restarted);
        there.get().then(|| {
            view! {
                <p class="doing">{drawn} <span class="aside">" " {aside}</span> " " {why}</p>
                {last}
                {restarted}
            }
        })
    }
}

fn over(restarts: &Restarts, kind: ProbeKind) -> u32 {
    match kind {
        ProbeKind::Liveness => restarts.liveness,
        ProbeKind::Startup => restarts.startup,
        ProbeKind::Readiness => 0,
    }
}

/// `for 5m`, `for at least 5m`, `3s to go`.
fn since(lane: &Lane, now: i64) -> String {
    if let Doing::Delayed { until } = lane.doing {
        return format!("{} to go", duration((until.0 - now).max(0)));
    }
    match lane.since {
        Some((at, seen)) => {
            let age = duration((now - at.seconds().0).max(0));
            if seen { format!("for {age}, as far as it was seen") } else { format!("for {age}") }
        }
        None => String::new(),
    }
}

/// `5: 3 over liveness, 1 out of memory, 1 with exit code ≠ 0`.
pub fn restarts(container: &Container) -> String {
    let total = container.status.as_ref().map_or(0, |status| status.restarts);
    let Restarts { liveness, startup, out_of_memory, failed, completed, not_seen } = container.restarts;
    let parts: Vec<String> = [
        (liveness, "over liveness"),
        (startup, "over startup"),
        (out_of_memory, "out of memory"),
        (failed, "with exit code ≠ 0"),
        (completed, "with exit code 0"),
        (not_seen, "not seen"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, why)| format!("{count} {why}"))
    .collect();
    if total == 0 || parts.is_empty() { total.to_string() } else { format!("{total}: {}", parts.join(", ")) }
}
