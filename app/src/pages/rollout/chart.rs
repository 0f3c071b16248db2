//! How many pods there were, old and new, against the two lines between which the controller stays.

use std::{fmt::Write, sync::Arc};

use leptos::prelude::*;

use crate::{
    api::{Kind, Millis, Picture, picture::Counts},
    components::{
        scroll::{self, numbers, words},
        store,
    },
    format::duration,
};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 150.0;
/// The shortest and the longest time that is drawn.
const SPAN_MS: (i64, i64) = (60_000, 1_800_000);

/// The picture's counts as a drawing, a sentence and a table.
#[component]
pub fn Chart(picture: Memo<Option<Arc<Picture>>>) -> impl IntoView {
    let store = store();
    let clock = store.clone();
    let open = RwSignal::new(false);
    // a DaemonSet counts the nodes that have its pods
    let daemons = move || picture.with(|p| p.as_ref().is_some_and(|p| p.key.kind == Kind::DaemonSet));
    let title = move || if daemons() { "How many nodes" } else { "How many pods" };
    let drawing = move || {
        let picture = picture.get()?;
        let now = picture.gone.unwrap_or_else(|| clock.now());
        Some(draw(&picture, now))
    };
    view! {
        <section class="chart" aria-labelledby="counts">
            <h2 id="counts">{title}</h2>
            {drawing}
            <details on:toggle=move |_| open.update(|open| *open = !*open)>
                <summary>"As a table"</summary>
                <Rows picture open />
            </details>
        </section>
    }
    .into_any()
}

/// From when to when, and up to how many.
struct Frame {
    from: i64,
    to: i64,
    most: i32,
}

impl Frame {
    fn of(counts: &[Counts], now: Millis) -> Frame {
        let first = counts.first().map_or(now.0, |counts| counts.at.0);
        let span = (now.0 - first).clamp(SPAN_MS.0, SPAN_MS.1);
        let highest = counts.iter().map(|c| c.ceiling.max(c.old.saturating_add(c.new)).max(c.desired));
        Frame { from: now.0 - span, to: now.0, most: highest.max().unwrap_or(1).max(1) }
    }

    fn x(&self, at: i64) -> f64 {
        (at - self.from).max(0) as f64 / (self.to - self.from).max(1) as f64 * WIDTH
    }

    fn y(&self, pods: i32) -> f64 {
        HEIGHT - f64::from(pods.max(0)) / f64::from(self.most) * (HEIGHT - 10.0)
    }

    /// The steps of one number, from the first that reaches into the frame to its end.
    fn steps(&self, counts: &[Counts], of: impl Fn(&Counts) -> i32) -> String {
        let mut path = String::new();
        for (at, point) in counts.iter().enumerate() {
            let until = counts.get(at + 1).map_or(self.to, |next| next.at.0);
            if until <= self.from {
                continue;
            }
            let (x, end, y) = (self.x(point.at.0), self.x(until), self.y(of(point)));
            let pen = if path.is_empty() { 'M' } else { 'L' };
            let _ = write!(path, "{pen}{x:.1} {y:.1}H{end:.1}");
        }
        path
    }

    /// The same, filled down to the ground.
    fn area(&self, counts: &[Counts], of: impl Fn(&Counts) -> i32) -> String {
        let begins = counts.first().map_or(0.0, |first| self.x(first.at.0));
        match self.steps(counts, of) {
            path if path.is_empty() => path,
            path => format!("{path}V{HEIGHT}H{begins:.1}Z"),
        }
    }
}

fn draw(picture: &Picture, now: Millis) -> impl IntoView + use<> {
    let counts = &picture.counts;
    let frame = Frame::of(counts, now);
    let bounded = picture.bounds.is_some();
    let bound = |of: fn(&Counts) -> i32| if bounded { frame.steps(counts, of) } else { String::new() };
    let span = duration((frame.to - frame.from) / 1000);
    let middle = duration((frame.to - frame.from) / 2000);
    view! {
        <figure>
            <svg viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" aria-hidden="true">
                <path class="new" d=frame.area(counts, |c| c.old.saturating_add(c.new)) />
                <path class="old" d=frame.area(counts, |c| c.old) />
                <path class="ceiling" d=bound(|c| c.ceiling) />
                <path class="ready" d=frame.steps(counts, |c| c.ready) />
                <path class="available" d=frame.steps(counts, |c| c.available) />
                <path class="floor" d=bound(|c| c.floor) />
            </svg>
            <div class="axis" aria-hidden="true">
                <span>{format!("{span} ago")}</span>
                <span>{format!("{middle} ago")}</span>
                <span>"now"</span>
            </div>
            <ul class="key" aria-hidden="true">
                <li class="old">"old"</li>
                <li class="new">"new"</li>
                <li class="ready">"ready"</li>
                <li class="available">"available"</li>
                {bounded.then(|| view! { <li class="ceiling">"at most"</li> <li class="floor">"available at least"</li> })}
            </ul>
            <figcaption>{said(picture)}</figcaption>
        </figure>
    }
}

/// What the drawing shows, in a sentence.
fn said(picture: &Picture) -> String {
    let Some(now) = picture.counts.last() else {
        return "Nothing has been counted yet.".to_owned();
    };
    let when = if picture.gone.is_some() { "Then" } else { "Now" };
    let mut said = format!(
        "{when} {} old and {} new, {} ready, {} available; {} wanted.",
        now.old, now.new, now.ready, now.available, now.desired
    );
    if let Some(bounds) = picture.bounds {
        let _ = write!(
            said,
            " Its controller keeps at least {} available and at most {} in all.",
            bounds.floor, bounds.ceiling
        );
    }
    said
}

/// The same as a table, latest first, once somebody wants it.
#[component]
fn Rows(picture: Memo<Option<Arc<Picture>>>, open: RwSignal<bool>) -> impl IntoView {
    let each = move || {
        let counts = picture.with(|picture| picture.as_ref().map_or_else(Vec::new, |p| p.counts.clone()));
        if open.get() { counts.into_iter().rev().collect() } else { Vec::new() }
    };
    let row = |counts: Counts| {
        let Counts { at, desired, old, new, ready, available, floor, ceiling } = counts;
        let numbers = [desired, old, new, ready, available, floor, ceiling];
        view! {
            <tr>
                <th scope="row">{at.seconds().clock()}</th>
                {numbers.map(|number| view! { <td class="right">{number}</td> }).collect_view()}
            </tr>
        }
    };
    let columns = words(["From (UTC)"]).into_iter().chain(numbers([
        "Wanted",
        "Old",
        "New",
        "Ready",
        "Available",
        "At least",
        "At most",
    ]));
    let rows = view! { <For each=each key=|counts| *counts children=row /> };
    scroll::table("The counts, through time", "", columns, rows)
}
