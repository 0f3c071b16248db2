//! `kubectl rollout history` with what belongs to it: when, which images, how many pods, how each revision came
//! to be, and what differs between any two.

use std::sync::Arc;

use leptos::prelude::*;

use crate::{
    api::{
        Kind, Picture,
        manifest::{Difference, Line, Mark},
        picture::{Origin, Revision},
    },
    components::{
        here::Here,
        name,
        scroll::{self, numbers, words},
        store,
    },
    format::{age, images, visible},
};

type Pictured = Memo<Option<Arc<Picture>>>;

/// The revisions, newest first, and the difference.
#[component]
pub fn Revisions(picture: Pictured) -> impl IntoView {
    let revisions = Memo::new(move |_| {
        picture.with(|picture| picture.as_ref().map_or_else(Vec::new, |picture| picture.revisions.clone()))
    });
    let of = Memo::new(move |_| {
        picture.with(|picture| picture.as_ref().map(|p| (p.key.kind, p.key.namespace.clone())))
    });
    let rows = move || {
        revisions.with(|revisions| {
            let before = |at: usize| at.checked_sub(1).and_then(|at| revisions.get(at)).map(|r| r.number);
            let rows = revisions.iter().enumerate().rev();
            rows.map(|(at, revision)| (revision.clone(), before(at))).collect::<Vec<_>>()
        })
    };
    let lines = view! {
                        <For
                            each=rows
                            // Pods come and go; who is at a link in it by keyboard stays there.
                            key=|(revision, before)| {
                                (Revision { replicas: None, runs: false, ..revision.clone() }, *before)
                            }
                            children=move |(revision, before)| {
                                row(of.get_untracked(), revisions, revision, before)
                            }
                        />
    };
    let columns = words(["Revision", "Held by", "Age"]).into_iter().chain(numbers(["Pods"])).chain(words([
        "Images",
        "Change cause",
        "How it came",
    ]));
    view! {
        <section aria-labelledby="revisions" class:empty=move || revisions.with(Vec::is_empty)>
            <h2 id="revisions">"Revisions"</h2>
            {scroll::table("Revisions", "revisions", columns, lines)}
            <Compared picture revisions />
        </section>
    }
    .into_any()
}

fn row(
    of: Option<(Kind, String)>,
    revisions: Memo<Vec<Revision>>,
    revision: Revision,
    before: Option<i64>,
) -> impl IntoView {
    let store = store();
    let number = revision.number;
    let now = Memo::new(move |_| {
        revisions.with(|all| all.iter().find(|r| r.number == number).map(|r| (r.runs, r.replicas)))
    });
    let runs = move || now.get().is_some_and(|(runs, _)| runs);
    let replicas = move || now.get().and_then(|(_, replicas)| replicas);
    let (kind, namespace) = of.unwrap_or((Kind::Deployment, String::new()));
    let held_by = match kind {
        Kind::Deployment => name::object_link(Kind::ReplicaSet, &namespace, &revision.name),
        _ => visible(&revision.name).into_owned().into_any(),
    };
    let change = before.map(|from| {
        let href = between(from, revision.number);
        view! { " " <a href=href>{format!("what differs from {from}")}</a> }
    });
    let created = revision.created;
    view! {
        <tr class:current=runs>
            <th scope="row">{number} {move || runs().then_some(" (wanted now)")}</th>
            <td>{held_by}</td>
            <td>{move || age(created, store.now().seconds())}</td>
            <td class="right">{replicas}</td>
            <td class="image">{visible(&images(&revision.images)).into_owned()}</td>
            <td>{visible(&revision.change_cause).into_owned()}</td>
            <td>{origin(revision.origin)} {change}</td>
        </tr>
    }
}

/// How a revision came to be, in words.
pub fn origin(origin: Origin) -> String {
    match origin {
        Origin::Unknown => String::new(),
        Origin::New => "a new template".to_owned(),
        Origin::Restart => "kubectl rollout restart".to_owned(),
        Origin::Undo { was: Some(was) } => format!("undone to: it was revision {was}"),
        Origin::Undo { was: None } => "undone to: it was an earlier revision".to_owned(),
    }
}

/// This page with these two held against each other.
fn between(from: i64, to: i64) -> String {
    Here::get().place_now().with(|place| place.between = Some((from, to))).href()
}

/// What differs between two revisions, and which two.
#[component]
fn Compared(picture: Pictured, revisions: Memo<Vec<Revision>>) -> impl IntoView {
    let difference = Memo::new(move |_| {
        picture.with(|picture| picture.as_ref().and_then(|picture| picture.difference.clone()))
    });
    let ends = Memo::new(move |_| difference.with(|d| d.as_ref().map(|d| (d.from, d.to))));
    let numbers = Memo::new(move |_| revisions.with(|all| all.iter().map(|r| r.number).collect::<Vec<_>>()));
    let gone = Memo::new(move |_| picture.with(|picture| picture.as_ref().is_some_and(|p| p.gone.is_some())));
    let lines = move || difference.with(|d| d.as_ref().map_or_else(Vec::new, |d| d.lines.clone()));
    let says = move || difference.with(|d| d.as_ref().map(summary));
    let lost = move || {
        let asked = Here::get().place().between?;
        let told = picture.with(|picture| {
            picture.as_ref().is_some_and(|p| p.between == Some(asked) && p.difference.is_none())
        });
        told.then(|| {
            view! { <p class="nothing">{format!("Of revisions {} and {} one is not there.", asked.0, asked.1)}</p> }
        })
    };
    view! {
        {lost}
        <div class="compared" class:empty=move || ends.with(Option::is_none)>
            <h3 id="difference">"What differs"</h3>
            <p class="ends">
                {choice("from", gone, numbers, ends, |(from, _)| from, |(_, to), from| (from, to))}
                {choice("to", gone, numbers, ends, |(_, to)| to, |(from, _), to| (from, to))}
                <span class="aside" role="status">{says}</span>
            </p>
            <div class="scroll" tabindex="0" role="group" aria-labelledby="difference">
                <ol class="difference">
                    <For each=move || lines().into_iter().enumerate() key=|line| line.clone() children=|(_, told)| line(told) />
                </ol>
            </div>
        </div>
    }
    .into_any()
}

/// One of the two revisions, to choose.
fn choice(
    word: &'static str,
    gone: Memo<bool>,
    numbers: Memo<Vec<i64>>,
    ends: Memo<Option<(i64, i64)>>,
    this: fn((i64, i64)) -> i64,
    with: fn((i64, i64), i64) -> (i64, i64),
) -> impl IntoView {
    let here = Here::get();
    let chosen = move |value: String| {
        if let (Some(ends), Ok(number)) = (ends.get_untracked(), value.parse()) {
            here.replace(here.place_now().with(|place| place.between = Some(with(ends, number))));
        }
    };
    let options = move || {
        let selected = ends.get().map(this);
        numbers.with(|numbers| {
            let option = |number: &i64| {
                view! { <option value=number.to_string() selected=selected == Some(*number)>{*number}</option> }
            };
            numbers.iter().map(option).collect_view()
        })
    };
    view! {
        <label>
            {word} " revision "
            <select disabled=move || gone.get() on:change=move |event| chosen(event_target_value(&event))>{options}</select>
        </label>
    }
}

fn summary(difference: &Difference) -> String {
    let Difference { lines, more, .. } = difference;
    if lines.is_empty() {
        return "Their templates are the same.".to_owned();
    }
    let count = |mark: Mark| lines.iter().filter(|line| line.mark == mark).count();
    let mut parts = Vec::new();
    for (mark, word) in
        [(Mark::Removed, "removed"), (Mark::Added, "added"), (Mark::Changed, "changed and withheld")]
    {
        match count(mark) {
            0 => {}
            1 => parts.push(format!("1 line {word}")),
            count => parts.push(format!("{count} lines {word}")),
        }
    }
    if *more > 0 {
        parts.push(format!("and {more} lines more that are not shown"));
    }
    parts.join(", ")
}

fn line(line: Line) -> impl IntoView {
    let (class, word) = match line.mark {
        Mark::Same => ("same", ""),
        Mark::Removed => ("removed", "removed: "),
        Mark::Added => ("added", "added: "),
        Mark::Changed => ("changed", "another value, withheld: "),
    };
    let indent = "  ".repeat(line.depth.into());
    view! {
        <li class=class>
            <span class="sign" aria-hidden="true">{line.mark.sign().to_string()}</span>
            <span class="sr">{word}</span>
            <code>{indent}{visible(&line.text).into_owned()}</code>
        </li>
    }
}
