//! The kubectl command for what is on screen, to be copied.

use leptos::prelude::*;

use crate::{
    components::{here::Here, icon::line_icon},
    query,
};

/// The commands of this place.
#[component]
pub fn Command() -> impl IntoView {
    let here = Here::get();
    let commands = Memo::new(move |_| query::kubectl(&here.place()));
    view! {
        <div class="commands">
            {move || commands.get().into_iter().map(copyable).collect_view()}
        </div>
    }
    .into_any()
}

/// A text in monospace with a button that copies it.
pub fn copyable(text: String) -> impl IntoView {
    let copied = RwSignal::new(false);
    let shown = text.clone();
    view! {
        <span class="copyable">
            <code>{shown}</code>
            <button
                type="button"
                class="quiet"
                title="Copy"
                on:click=move |_| {
                    copy(&text);
                    copied.set(true);
                    set_timeout(move || { copied.try_set(false); }, std::time::Duration::from_secs(2));
                }
            >
                {line_icon("M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3")}
                <span class="sr">"Copy"</span>
            </button>
            <span class="said" role="status">{move || if copied.get() { "Copied" } else { "" }}</span>
        </span>
    }
    .into_any()
}

#[cfg(feature = "hydrate")]
fn copy(text: &str) {
    if let Some(window) = web_sys::window() {
        _ = window.navigator().clipboard().write_text(text);
    }
}

#[cfg(not(feature = "hydrate"))]
fn copy(_text: &str) {}
