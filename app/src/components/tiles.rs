//! Objects as tiles: state by shape and colour, name on hover, each a link.

use leptos::prelude::*;

use crate::{
    api::{Health, Kind, Uid},
    components::{here::Here, icon, store},
    format::visible,
    query::Page,
};

/// A list of tiles. Past `most` the rest is a number.
#[component]
pub fn Tiles(
    /// Which objects.
    kind: Kind,
    /// In order.
    uids: Signal<Vec<Uid>>,
    /// Accessible name.
    #[prop(into)]
    label: String,
    /// How many are drawn.
    #[prop(default = 500)]
    most: usize,
) -> impl IntoView {
    let rest = move || uids.with(|uids| uids.len().saturating_sub(most));
    view! {
        <ul class="tiles" aria-label=label>
            <For
                each=move || uids.with(|uids| uids.iter().copied().take(most).collect::<Vec<_>>())
                key=|uid| *uid
                children=move |uid| view! { <Tile kind uid /> }
            />
            {move || (rest() > 0).then(|| view! { <li class="rest">{format!("and {} more", rest())}</li> })}
        </ul>
    }
    .into_any()
}

#[component]
fn Tile(kind: Kind, uid: Uid) -> impl IntoView {
    let store = store();
    let here = Here::get();
    let line = {
        let store = store.clone();
        move || store.line(kind, uid)
    };
    let state = {
        let line = line.clone();
        Memo::new(move |_| line().map_or(Health::Unknown, |line| line.health()))
    };
    let gone = {
        let store = store.clone();
        move || store.gone(kind, uid)
    };
    let fresh = move || store.fresh(kind, uid);
    // A name never changes.
    let name = untrack(&line).map(|line| (line.meta().namespace.clone(), line.meta().name.clone()));
    let (namespace, name) = name.unwrap_or_default();
    let href = Page::of_object(kind, &namespace, &name).map(|page| here.place_now().elsewhere(page).href());
    let shown = visible(&name).into_owned();
    let title = move || {
        let line = line();
        let why = line.as_ref().map(|line| visible(line.why()).into_owned()).unwrap_or_default();
        let word = state.get().word();
        if why.is_empty() { format!("{shown}: {word}") } else { format!("{shown}: {word}, {why}") }
    };
    view! {
        <li>
            <a
                class=move || format!("tile {}", state.get().word())
                class:gone=gone
                class:fresh=fresh
                href=href
                title=title.clone()
                aria-label=title
            >
                {move || icon::shape(state.get())}
            </a>
        </li>
    }
    .into_any()
}
