//! Names that are cut in the middle when there is no room. The whole text stays in the document,
//! so that it can be found, selected and copied.

use leptos::prelude::*;

use crate::{
    api::{Kind, Meta},
    components::here::Here,
    format::visible,
    query::Page,
};

/// How many characters at the end stay whole: a pod's suffix is what tells it from its siblings.
const TAIL: usize = 6;

/// A name in two pieces, the first of which gives way.
pub fn cut(name: &str) -> impl IntoView + use<> {
    let name = visible(name).into_owned();
    let at = name.char_indices().rev().nth(TAIL - 1).map_or(0, |(at, _)| at);
    let tail = name[at..].to_owned();
    let mut head = name;
    head.truncate(at);
    view! {
        <span class="cut">
            // An empty text is a space in the page.
            {(!head.is_empty()).then(|| view! { <span class="start">{head}</span> })}
            <span class="end">{tail}</span>
        </span>
    }
}

/// A name as a link to its object's page, where its kind has one.
pub fn object_link(kind: Kind, namespace: &str, name: &str) -> AnyView {
    let shown = visible(name).into_owned();
    match Page::of_object(kind, namespace, name) {
        Some(page) => {
            let here = Here::get();
            let href = here.place_now().elsewhere(page).href();
            view! {
                <a class="name" href=href title=shown>
                    {cut(name)}
                </a>
            }
            .into_any()
        }
        None => view! { <span class="name" title=shown>{cut(name)}</span> }.into_any(),
    }
}

/// The same for a row's own name.
pub fn link(kind: Kind, meta: &Meta) -> AnyView {
    object_link(kind, &meta.namespace, &meta.name)
}
