//! A container's life as a band through time, and in words.

use std::sync::Arc;

use leptos::prelude::*;

use crate::{
    api::{
        Container, Millis,
        container::{Phase, Span},
    },
    components::store,
    format::{duration, visible},
};

/// The band shows so much, in milliseconds, or all of a shorter life.
const SHOWN: i64 = 3_600_000;
/// Its width in the picture's own units.
const WIDTH: f64 = 100.0;

/// The band. Its height says what the colour says: the more it does, the higher.
#[component]
pub fn Band(container: Memo<Option<Arc<Container>>>) -> impl IntoView {
    let store = store();
    // It moves by a pixel now and then.
    let now = Memo::new(move |_| Millis(store.now().0.div_euclid(5_000) * 5_000));
    move || {
        let now = now.get();
        container.with(|container| container.as_ref().map(|container| drawn(&container.life, now)))
    }
}

fn drawn(life: &[Span], now: Millis) -> impl IntoView + use<> {
    let now = life.last().map_or(now, |last| now.max(last.from));
    let first = life.first().map_or(now.0, |span| span.from.0);
    let begin = first.max(now.0 - SHOWN);
    let x = |at: i64| (at.max(begin) - begin) as f64 * WIDTH / ((now.0 - begin).max(1) as f64);
    let ends = life.iter().skip(1).map(|span| span.from.0).chain([now.0]);
    let parts = life
        .iter()
        .zip(ends)
        .filter(|(_, end)| *end >= begin)
        .map(|(span, end)| {
            let (left, right) = (x(span.from.0), x(end));
            let (top, class) = look(&span.phase);
            let title = visible(&span.phase.words()).into_owned();
            let width = if matches!(span.phase, Phase::Ended { .. }) { 0.8 } else { right - left };
            view! {
                <rect
                    class=class
                    x=format!("{left:.2}")
                    y=top.to_string()
                    width=format!("{width:.2}")
                    height=(12 - top).to_string()
                >
                    <title>{title}</title>
                </rect>
            }
        })
        .collect_view();
    view! {
        <svg class="band" role="img" aria-label=summary(life, now, begin) viewBox="0 0 100 12" preserveAspectRatio="none">
            <rect class="track" width="100" y="11" height="1" />
            {parts}
        </svg>
    }
}

/// How low it is, of 12, and its class.
fn look(phase: &Phase) -> (i32, &'static str) {
    match phase {
        Phase::Ready => (1, "ready"),
        Phase::Running => (4, "running"),
        Phase::Unwatched => (4, "unwatched"),
        Phase::Starting => (6, "starting"),
        Phase::Waiting(_) => (9, "waiting"),
        Phase::Ended { exit_code: 0, signal: 0, .. } => (0, "ended"),
        Phase::Ended { .. } => (0, "ended failing"),
    }
}

/// `In the last 12m: ready 8m, running 3m, 2 ends; now waiting: CrashLoopBackOff`.
fn summary(life: &[Span], now: Millis, begin: i64) -> String {
    let Some(last) = life.last() else { return "nothing is known of it yet".to_owned() };
    let ends = life.iter().skip(1).map(|span| span.from.0).chain([now.0]);
    let (mut ready, mut running, mut ended) = (0, 0, 0);
    for (span, end) in life.iter().zip(ends).filter(|(_, end)| *end >= begin) {
        let lasted = end - span.from.0.max(begin);
        match span.phase {
            Phase::Ready => ready += lasted,
            Phase::Running | Phase::Starting => running += lasted,
            Phase::Ended { .. } if span.from.0 >= begin => ended += 1,
            _ => {}
        }
    }
    let mut said =
        format!("In the last {}: ready {}", duration((now.0 - begin) / 1000), duration(ready / 1000));
    if running > 0 {
        said += &format!(", running but not ready {}", duration(running / 1000));
    }
    if ended > 0 {
        said += &format!(", ended {ended} times");
    }
    format!("{said}; now {}", visible(&last.phase.words()))
}

/// The same in words, span by span, the latest first.
#[component]
pub fn Life(container: Memo<Option<Arc<Container>>>) -> impl IntoView {
    let store = store();
    let life = Memo::new(move |_| {
        container
            .with(|container| container.as_ref().map(|container| container.life.clone()).unwrap_or_default())
    });
    let spans = move || {
        let life = life.get();
        let now = store.now();
        let ends: Vec<Millis> = life.iter().skip(1).map(|span| span.from).chain([now]).collect();
        let lines = life.into_iter().zip(ends).rev().map(|(span, end)| {
            let lasted = duration((end.0 - span.from.0).max(0) / 1000);
            let seen = if span.seen { " (as it was seen)" } else { "" };
            let lasted = match span.phase {
                Phase::Ended { .. } => String::new(),
                _ => format!(", for {lasted}"),
            };
            view! {
                <li>
                    <time>{span.from.seconds().clock()}</time>
                    {visible(&span.phase.words()).into_owned()}
                    {lasted}
                    <span class="aside">{seen}</span>
                </li>
            }
        });
        lines.collect_view()
    };
    let open = RwSignal::new(false);
    view! {
        <details class="life" on:toggle=move |_| open.update(|open| *open = !*open)>
            <summary>"Its life, as far as it was watched"</summary>
            <ol class="happened">{move || open.get().then(|| spans.clone())}</ol>
        </details>
    }
    .into_any()
}
