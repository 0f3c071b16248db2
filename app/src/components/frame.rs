//! The page around a view, and the view's head.

use leptos::prelude::*;

use crate::{
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
    view! {
        <a class="skip" href="#content">"Skip to the content"</a>
        {icon::symbols()}
        <TopBar />
        <Views />
        <main id="content" tabindex="-1">
            <SharedView />
            {move || pages::view(here.page.get())}
        </main>
        <div class="sr" role="status" aria-live="polite">{move || store.news()}</div>
        <Palette />
        <Keys />
    }
    .into_any()
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
) -> impl IntoView {
    view! {
        <div class="head">
            <h1>{move || title.run()}</h1>
            {aside.map(|aside| view! { <div class="aside">{move || aside.run()}</div> })}
            <Command />
        </div>
    }
    .into_any()
}
