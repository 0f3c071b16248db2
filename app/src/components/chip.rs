//! Labels as chips: a click keeps what has the label, Alt-click or Alt+Enter what has not. Where the rows of that kind
//! are, a chip is a switch, which is on while its requirement stands in the selector.

use leptos::prelude::*;

use crate::{
    api::{Kind, Labels, Text},
    components::here::Here,
    format::visible,
    query::{Page, Place},
    selector::Requirement,
};

/// Said of each chip that switches.
const HOW: &str = "click: only these, or no longer · Alt-click, Alt+Enter: all but these";
/// The same for those that lead elsewhere.
const LEADS: &str = "click: all that have it · Alt-click, Alt+Enter: all but these";

/// The place a chip narrows: the same tables, or the view that lists its kind.
fn base(place: &Place, kind: Kind) -> Place {
    if place.page.tables().contains(&kind) { place.clone() } else { place.elsewhere(Page::listing(kind)) }
}

/// With the requirement, or without if it stands there.
fn switched(place: &Place, requirement: &Requirement) -> Place {
    if place.requirements().contains(requirement) {
        place.without_requirement(requirement)
    } else {
        place.with_requirement(requirement)
    }
}

/// One label of an object of this kind.
pub fn label(kind: Kind, key: &Text, value: &Text) -> impl IntoView + use<> {
    let here = Here::get();
    let keep = Requirement::equals(key, value);
    let exclude = keep.opposite();
    let shown = visible(&keep.to_string()).into_owned();
    let switches = untrack(|| here.page.get()).tables().contains(&kind);
    let how = if switches { HOW } else { LEADS };
    let title = format!("{shown}\n{how}");
    let pressed = {
        let keep = keep.clone();
        move || switches.then(|| here.requires(&keep).to_string())
    };
    let href = {
        let keep = keep.clone();
        move || switched(&base(&here.place(), kind), &keep).href()
    };
    let turn = move |alt: bool| {
        let base = base(&here.place_now(), kind);
        here.go(match exclude.as_ref().filter(|_| alt) {
            Some(exclude) => base.with_requirement(exclude),
            None => switched(&base, &keep),
        });
    };
    let click = {
        let turn = turn.clone();
        move |event: leptos::ev::MouseEvent| {
            let plain = event.button() == 0 && !(event.ctrl_key() || event.meta_key() || event.shift_key());
            if plain {
                event.prevent_default();
                turn(event.alt_key());
            }
        }
    };
    let key_down = move |event: leptos::ev::KeyboardEvent| {
        // What it does to a link differs from browser to browser.
        if event.key() == "Enter" && event.alt_key() {
            event.prevent_default();
            turn(true);
        }
    };
    let (name, value) = (visible(short(key)).into_owned(), visible(value).into_owned());
    view! {
        <a
            class="chip"
            href=href
            role=switches.then_some("button")
            aria-pressed=pressed
            aria-description=how
            title=title
            on:click=click
            on:keydown=key_down
        >
            <span class="key">{name}</span>
            <span class="value">{value}</span>
        </a>
    }
}

/// All labels of an object of this kind.
pub fn labels(kind: Kind, labels: &Labels) -> impl IntoView + use<> {
    let chips = labels.iter().map(|(key, value)| label(kind, key, value)).collect_view();
    view! { <span class="chips">{chips}</span> }
}

/// A label key without its prefix: `pod-template-hash`, `name`.
pub fn short(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}
