//! Labels as chips: a click keeps what has the label, Alt-click what has not.

use leptos::prelude::*;

use crate::{
    api::{Labels, Text},
    components::here::Here,
    format::visible,
    query::{Page, Place},
};

/// The place a chip leads to: the same table, or the pods where there is none.
fn narrowed(place: &Place, requirement: &str) -> Place {
    let base = if place.page.table().is_some() { place.clone() } else { place.elsewhere(Page::Pods) };
    base.with_requirement(requirement)
}

/// One label.
pub fn label(key: &Text, value: &Text) -> impl IntoView + use<> {
    let here = Here::get();
    let keep = format!("{key}={value}");
    let exclude = format!("{key}!={value}");
    let shown = visible(&keep).into_owned();
    let title = format!("{shown}\nclick: only these · Alt-click: all but these");
    let href = narrowed(&here.place_now(), &keep).href();
    let click = move |event: leptos::ev::MouseEvent| {
        let plain = event.button() == 0 && !(event.ctrl_key() || event.meta_key() || event.shift_key());
        if plain {
            event.prevent_default();
            let requirement = if event.alt_key() { &exclude } else { &keep };
            here.go(narrowed(&here.place_now(), requirement));
        }
    };
    let (name, value) = (short(key).to_owned(), visible(value).into_owned());
    view! {
        <a class="chip" href=href title=title on:click=click>
            <span class="key">{name}</span>
            <span class="value">{value}</span>
        </a>
    }
}

/// All labels of an object.
pub fn labels(labels: &Labels) -> impl IntoView + use<> {
    let chips = labels.iter().map(|(key, value)| label(key, value)).collect_view();
    view! { <span class="chips">{chips}</span> }
}

/// A label key without its prefix: `pod-template-hash`, `name`.
pub fn short(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}
