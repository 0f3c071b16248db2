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
    pages,
};

/// Everything inside `<body>`.
#[component]
pub fn Frame() -> impl IntoView {
    let here = Here::get();
    let store = store();
    view! {
        <a class="skip" href="#content">"Skip to the content"</a>
        {icon::symbols()}
        <TopBar />
        <Views />
        <main id="content" tabindex="-1">
            {move || pages::view(here.page.get())}
        </main>
        <div class="sr" role="status" aria-live="polite">{move || store.news()}</div>
        <Palette />
        <Keys />
    }
    .into_any()
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
