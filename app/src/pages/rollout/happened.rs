//! What has happened to a workload since Masthead has been watching it.

use std::sync::Arc;

use leptos::prelude::*;

use super::revisions::origin;
use crate::{
    api::{
        Picture, Timestamp,
        picture::{Course, Happening, Origin, What},
    },
    components::store,
    format::visible,
};

/// The latest first.
#[component]
pub fn Happened(picture: Memo<Option<Arc<Picture>>>) -> impl IntoView {
    let store = store();
    let told = Memo::new(move |_| {
        picture.with(|picture| {
            let Some(picture) = picture else { return Vec::new() };
            picture
                .happened
                .iter()
                .rev()
                .map(|happening| (happening.clone(), says(picture, &happening.what)))
                .collect()
        })
    });
    view! {
        <section aria-labelledby="happened" class:empty=move || told.with(Vec::is_empty)>
            <h2 id="happened">"What happened" <span class="aside">" (UTC)"</span></h2>
            <ol class="happened" reversed>
                <For
                    each=move || told.get()
                    key=|told| told.clone()
                    children=move |(Happening { at, .. }, says): (Happening, String)| {
                        let (stamp, now) = (at.seconds(), store.clone());
                        let when = move || when(stamp, now.now().seconds());
                        view! { <li><time datetime=stamp.to_string()>{when}</time> " " {says}</li> }
                    }
                />
            </ol>
        </section>
    }
    .into_any()
}

/// The time, with its date if that is not today's.
fn when(at: Timestamp, now: Timestamp) -> String {
    let [at_text, now_text] = [at, now].map(|stamp| stamp.to_string());
    let day = |text: &str| text.split('T').next().unwrap_or_default().to_owned();
    if day(&at_text) == day(&now_text) { at.clock() } else { format!("{} {}", day(&at_text), at.clock()) }
}

fn says(picture: &Picture, what: &What) -> String {
    match what {
        What::Began { revision: None } => "A new template: a rollout begins".to_owned(),
        What::Began { revision: Some(number) } => {
            let found = picture.revisions.iter().find(|revision| revision.number == *number);
            match found.map(|revision| revision.origin) {
                Some(Origin::Undo { was: Some(was) }) => {
                    format!("Undone: revision {was} became {number}, a rollout begins")
                }
                Some(how @ (Origin::Restart | Origin::Undo { .. })) => {
                    format!("Revision {number} begins: {}", origin(how))
                }
                _ => format!("Revision {number} begins"),
            }
        }
        What::Scaled { from, to } => format!("Scaled from {from} to {to}, which is no rollout"),
        What::Paused => "Paused".to_owned(),
        What::Resumed => "Resumed".to_owned(),
        What::Ended { course: Course::DeadlineExceeded } => {
            "The rollout exceeded its deadline; its controller goes on all the same".to_owned()
        }
        What::Ended { course: Course::Replaced } => {
            "The rollout was replaced by a newer one before it was through".to_owned()
        }
        What::Ended { course } => format!("The rollout {}", course.word()),
        What::Adopted { pod } => format!("Pod {} had no controller and was adopted", visible(pod)),
        What::Released { pod } => format!("Pod {} is no longer one of its pods", visible(pod)),
    }
}
