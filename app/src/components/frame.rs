//! The page around a view, and the view's head.

use leptos::prelude::*;

use crate::{
    api::Kind,
    components::{
        bar::{TopBar, Views},
        command::Command,
        here::Here,
        icon,
        keys::Keys,
        palette::Palette,
        store,
    },
    format, pages,
    query::Page,
    seed::Shared,
    shell::SharedBy,
};

/// Everything inside `<body>`. A wall is the whole screen; whoever goes there or leaves it loads another document, so
/// that each is in one frame for all its life.
#[component]
pub fn Frame() -> impl IntoView {
    let here = Here::get();
    if here.page.get_untracked() == Page::Wall {
        return view! {
            {icon::symbols()}
            {pages::view(Page::Wall)}
        }
        .into_any();
    }
    let store = store();
    let numbering = store.clone();
    let drawn = StoredValue::new(untrack(|| store.numbered()));
    // Lists are keyed by numbers, and draw once what does not change of an object. Where another hub numbers, a number
    // is another object's: all that was drawn of the old ones goes, and the view is made anew.
    let view = move || {
        let numbered = numbering.numbered();
        if drawn.get_value() != numbered {
            drawn.set_value(numbered);
            stay();
        }
        pages::view(here.page.get())
    };
    view! {
        <a class="skip" href="#content">"Skip to the content"</a>
        {icon::symbols()}
        <TopBar />
        <Views />
        <main id="content" tabindex="-1">
            <SharedView />
            {view}
        </main>
        <div class="sr" role="status" aria-live="polite">{move || store.news()}</div>
        <Palette />
        <Keys />
    }
    .into_any()
}

/// Nobody reads where nothing is drawn by a program.
#[cfg(not(feature = "hydrate"))]
fn stay() {}

/// Whoever reads or types stays there when the view is made anew. What is typed is in the address, and boxes stay what
/// they are; rows do not, and while there are few of them a page is short.
#[cfg(feature = "hydrate")]
fn stay() {
    use wasm_bindgen::JsCast;

    let Some(window) = web_sys::window() else { return };
    let Some(document) = window.document() else { return };
    let (across, down) = (window.scroll_x().unwrap_or_default(), window.scroll_y().unwrap_or_default());
    let id = document.active_element().map(|element| element.id()).filter(|id| !id.is_empty());
    // By then it is drawn, as long as it has to be, and nobody has seen it yet.
    request_animation_frame(move || {
        let element = id.and_then(|id| document.get_element_by_id(&id));
        if let Some(element) = element.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok()) {
            _ = element.focus();
        }
        window.scroll_to_with_x_and_y(across, down);
    });
}

/// By what link this is looked at: who shared it, and until when.
#[component]
fn SharedView() -> impl IntoView {
    let store = store();
    let Shared { name, by, until, preview, .. } = use_context::<SharedBy>()?.0?;
    let left = move || format::age(Some(store.server_now().seconds()), until.seconds());
    let said = match preview {
        true => format!("Preview: this is what those will see who are given “{name}”"),
        false => format!("“{name}”, shared by {by}"),
    };
    Some(view! {
        <p class="note shared" role="note">
            {said}" until "<time datetime=until.to_string()>{until.seconds().date_and_time()}</time>" (in "{left}"). It can be looked at, and nothing else."
        </p>
    })
}

/// A view's title, what it says of itself, and the command that shows the same.
#[component]
pub fn Head(
    /// The title.
    #[prop(into)]
    title: ViewFn,
    /// Counts, badges, sentences beside it.
    #[prop(optional, into)]
    aside: Option<ViewFn>,
    /// The kinds that those are made of, for they stand outside of every gate: they are marked while one of these is
    /// not known to be current, and gone while one is not listed.
    #[prop(optional)]
    of: Vec<Kind>,
) -> impl IntoView {
    let store = store();
    let (states, kinds) = (store.clone(), of.clone());
    let listed = Memo::new(move |_| kinds.iter().all(|kind| states.state(*kind).listed()));
    let old = Memo::new(move |_| of.iter().any(|kind| store.freshness(*kind).dims()));
    view! {
        <div class="head">
            <h1>{move || title.run()}</h1>
            {aside.map(|aside| view! {
                <div class="aside drawn" class:was=move || old.get()>
                    {move || listed.get().then(|| aside.run())}
                </div>
            })}
            <Command />
        </div>
    }
    .into_any()
}
