//! One rollout as a picture: how it stands, what it waits for, its pods through their stations, how many
//! there were of them.

mod chart;
mod happened;
mod lanes;
mod revisions;
mod small;

use std::sync::Arc;

use chart::Chart;
use happened::Happened;
use lanes::Lanes;
use leptos::prelude::*;
use revisions::Revisions;
pub use small::small;

use crate::{
    api::{
        Kind, Millis, ObjectKey, Picture, ReplicaSet,
        picture::{Cause, Course},
    },
    components::{
        frame::Head,
        gate::{Gate, dims, known_absent},
        here::Here,
        icon, name, store,
    },
    format::{duration, visible},
    query::Page,
    store::Store,
};

/// The view.
#[component]
pub fn RolloutPage(key: ObjectKey) -> impl IntoView {
    let picture = follow(&store(), &key);
    let title = {
        let key = key.clone();
        move || name::object_link(key.kind, &key.namespace, &key.name)
    };
    let aside = move || {
        picture.with(|picture| {
            picture.as_ref().map(|picture| {
                view! {
                    <span class="status">{icon::shape(picture.course.health())} {course_word(picture)}</span>
                }
            })
        })
    };
    let absent = {
        let key = key.clone();
        move || absence(&store(), &key)
    };
    view! {
        <Head title=title of=vec![key.kind] aside=aside />
        <Gate kind=key.kind>
            {absent.clone()}
            <div class="rollout" class:empty=move || picture.with(Option::is_none)>
                <Standing picture />
                <Gate kind=if key.kind == Kind::Deployment { Kind::ReplicaSet } else { key.kind }>
                    <Chart picture />
                </Gate>
                <Gate kind=Kind::Pod>
                    <Lanes picture />
                </Gate>
                <Happened picture />
                {holder(key.kind).map(|holder| view! {
                    <Gate kind=holder>
                        <Revisions picture />
                    </Gate>
                })}
                {notes(key.kind)}
            </div>
        </Gate>
    }
    .into_any()
}

/// The picture, kept as it last was while the server has not said.
fn follow(store: &Store, key: &ObjectKey) -> Memo<Option<Arc<Picture>>> {
    let (store, key) = (store.clone(), key.clone());
    Memo::new(move |before: Option<&Option<Arc<Picture>>>| {
        store.picture(&key).unwrap_or_else(|| before.cloned().flatten())
    })
}

fn absence(store: &Store, key: &ObjectKey) -> Option<AnyView> {
    let list = Here::get().place_now().elsewhere(Page::Rollouts).href();
    match store.picture(key) {
        None => Some(drawing()),
        Some(None) if store.has(key) => Some(elsewhere(store, key)),
        Some(None) if !known_absent(store, key) => None,
        Some(None) => Some(
            view! {
                <p class="notice gone-notice" role="status">
                    {format!("There is no {} {} in namespace {}. ", key.kind.singular(), visible(&key.name), key.namespace)}
                    <a href=list>"What rolls out now"</a>
                </p>
            }
            .into_any(),
        ),
        Some(Some(picture)) => picture.gone.filter(|_| known_absent(store, key)).map(|at| {
            view! {
                <p class="notice gone-notice" role="status">
                    {format!("This {} is gone since {} UTC. Below is what it was like.", key.kind.singular(), at.seconds().clock())}
                </p>
            }
            .into_any()
        }),
    }
}

fn drawing() -> AnyView {
    view! { <p class="nothing">"Drawing…"</p> }.into_any()
}

/// Where the picture of what is there is, if it has none of its own; otherwise it is on its way.
fn elsewhere(store: &Store, key: &ObjectKey) -> AnyView {
    let set = store.named::<ReplicaSet>(&key.namespace, &key.name).filter(|_| key.kind == Kind::ReplicaSet);
    let Some(owner) = set.and_then(|set| set.meta.deployment().cloned()) else { return drawing() };
    let of =
        ObjectKey { kind: Kind::Deployment, namespace: key.namespace.clone(), name: owner.name.to_string() };
    let there = Here::get().place_now().elsewhere(Page::Rollout(of)).href();
    view! {
        <p class="notice" role="status">
            "This replicaset is a part of a deployment's rollout: "
            <a href=there>{format!("deployment {}", visible(&owner.name))}</a>
        </p>
    }
    .into_any()
}

/// What holds a kind's templates, if it has a history of them.
fn holder(kind: Kind) -> Option<Kind> {
    match kind {
        Kind::Deployment => Some(Kind::ReplicaSet),
        Kind::DaemonSet | Kind::StatefulSet => Some(Kind::ControllerRevision),
        _ => None,
    }
}

/// ReplicationControllers do not succeed, they have what they want.
fn course_word(picture: &Picture) -> &'static str {
    match picture.course {
        Course::Succeeded if picture.sentence.is_none() => "complete",
        course => course.word(),
    }
}

/// What there is to point out is told by these.
const NOTED: &[Kind] = &[
    Kind::Pod,
    Kind::ReplicationController,
    Kind::Deployment,
    Kind::ReplicaSet,
    Kind::DaemonSet,
    Kind::StatefulSet,
];

/// kubectl's sentence, the deadline, and what it waits for.
#[component]
fn Standing(picture: Memo<Option<Arc<Picture>>>) -> impl IntoView {
    let store = store();
    let sentence = move || {
        picture.with(|picture| {
            let picture = picture.as_ref()?;
            let said = picture.sentence.clone().unwrap_or_else(|| {
                let available = picture.counts.last().map(|counts| counts.available);
                available.map_or_else(String::new, |available| {
                    format!("{available} of {} pods are available", picture.desired)
                })
            });
            Some(visible(&said).into_owned())
        })
    };
    let deadline = {
        let store = store.clone();
        move || {
            let deadline = picture.with(|picture| picture.as_ref()?.deadline)?;
            let now = store.now().seconds();
            let (spent, all) = (now.0 - deadline.since.0, deadline.at.0 - deadline.since.0);
            let share = (spent.max(0).saturating_mul(100) / all.max(1)).min(100);
            let left = deadline.at.0 - now.0;
            let said = if left >= 0 {
                format!("{} without progress, of {}", duration(spent.max(0)), duration(all))
            } else {
                format!("over by {}, and the controller has not said so yet", duration(-left))
            };
            Some(view! {
                <div class="deadline">
                    <h2>"Deadline"</h2>
                    <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
                        <rect class="track" width="100" height="6" />
                        <rect class="fill" width=share.to_string() height="6" />
                    </svg>
                    <p>{said}</p>
                    <p class="aside">
                        "Progress is a pod more of the new template, one fewer of an old one, or one more that is ready or available."
                    </p>
                </div>
            })
        }
    };
    let causes = Memo::new(move |_| {
        picture.with(|picture| picture.as_ref().map_or_else(Vec::new, |p| p.causes.clone()))
    });
    let notes = Memo::new(move |_| {
        picture.with(|picture| picture.as_ref().map_or_else(Vec::new, |p| p.notes.clone()))
    });
    // Those are told by its pods, their ReplicaSets and events, which the gate around it does not know; and who else may
    // have its pods, by all that make some.
    let old = dims(&store, &[Kind::Pod, Kind::ReplicaSet, Kind::Event]);
    let old_notes = dims(&store, NOTED);
    let more = store.clone();
    let namespace = Memo::new(move |_| {
        picture
            .with(|picture| picture.as_ref().map(|picture| picture.key.namespace.clone()))
            .unwrap_or_default()
    });
    view! {
        <div class="standing">
            <p class="says">{sentence}</p>
            <section
                aria-labelledby="causes"
                class="waits gate"
                class:stale=move || old.get()
                class:empty=move || causes.with(Vec::is_empty)
            >
                <h2 id="causes">"What it waits for"</h2>
                <ol class="causes">
                    <For
                        each=move || causes.get()
                        key=|cause| cause.clone()
                        children=move |told| cause(&store, &namespace.get_untracked(), told)
                    />
                </ol>
            </section>
            {deadline}
            <section
                aria-labelledby="notes"
                class="waits gate"
                class:stale=move || old_notes.get()
                class:empty=move || notes.with(Vec::is_empty)
            >
                <h2 id="notes">"To know"</h2>
                <ul class="causes">
                    <For
                        each=move || notes.get()
                        key=|note| note.clone()
                        children=move |told| cause(&more, &namespace.get_untracked(), told)
                    />
                </ul>
            </section>
        </div>
    }
    .into_any()
}

fn cause(store: &Store, namespace: &str, cause: Cause) -> impl IntoView + use<> {
    let source = match cause.source.split_once('/') {
        Some((kind, named)) => match Kind::parse(kind) {
            Some(kind) => name::object_link(kind, namespace, named),
            None => cause.source.clone().into_any(),
        },
        None => ().into_any(),
    };
    let store = store.clone();
    let when = cause.at.map(|at| move || moment(at, store.now()));
    let evidence = (!cause.evidence.is_empty())
        .then(|| view! { <q class="evidence">{visible(&cause.evidence).into_owned()}</q> });
    let state = if cause.blocks { "failing" } else { "progressing" };
    view! {
        <li class=format!("cause {state}")>
            <span class="what">{cause.says} " " {when.map(|when| view! { <span class="aside">{when}</span> })}</span>
            {evidence}
            <span class="source">{source}</span>
        </li>
    }
}

/// `12s ago`, or `in 12s`. The page's clock may be a second behind what it was just told.
fn moment(at: Millis, now: Millis) -> String {
    match (now.0 - at.0).div_euclid(1000) {
        seconds @ 0.. => format!("{} ago", duration(seconds)),
        -1 => "now".to_owned(),
        seconds => format!("in {}", duration(-seconds)),
    }
}

fn notes(kind: Kind) -> Option<AnyView> {
    (kind == Kind::ReplicationController).then(|| {
        view! {
            <p class="aside">
                "A ReplicationController does not roll out: a changed template holds for pods made from then on. kubectl rolling-update, which did this step by step, no longer exists; a Deployment does."
            </p>
        }
        .into_any()
    })
}
