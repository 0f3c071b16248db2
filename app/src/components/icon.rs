//! The five state shapes and the views' icons, as inline SVG. Shapes are drawn once and used by
//! reference, since there may be thousands of them.

use leptos::prelude::*;

use crate::{api::Health, query::Page};

/// The definitions every shape refers to; once in the document.
pub fn symbols() -> impl IntoView {
    view! {
        <svg class="symbols" width="0" height="0" aria-hidden="true">
            <symbol id="shape-healthy" viewBox="0 0 12 12">
                <circle cx="6" cy="6" r="4.5" fill="currentColor" />
            </symbol>
            <symbol id="shape-progressing" viewBox="0 0 12 12">
                <circle cx="6" cy="6" r="4.2" fill="none" stroke="currentColor" stroke-width="1.6" />
                <path d="M6 1.8a4.2 4.2 0 0 1 0 8.4z" fill="currentColor" />
            </symbol>
            <symbol id="shape-waiting" viewBox="0 0 12 12">
                <circle
                    cx="6"
                    cy="6"
                    r="4.3"
                    fill="none"
                    stroke="currentColor"
                    stroke-width="1.7"
                    stroke-dasharray="2.25 2.25"
                />
            </symbol>
            <symbol id="shape-failing" viewBox="0 0 12 12">
                <path d="M6 .9 11.5 10.8H.5z" fill="currentColor" />
            </symbol>
            <symbol id="shape-unknown" viewBox="0 0 12 12">
                <path d="M6 1.1 10.9 6 6 10.9 1.1 6z" fill="none" stroke="currentColor" stroke-width="1.6" />
            </symbol>
        </svg>
    }
}

fn shape_id(health: Health) -> &'static str {
    match health {
        Health::Failing => "#shape-failing",
        Health::Unknown => "#shape-unknown",
        Health::Waiting => "#shape-waiting",
        Health::Progressing => "#shape-progressing",
        Health::Healthy => "#shape-healthy",
    }
}

/// A state's shape and colour, without its word: where the word stands beside it.
pub fn shape(health: Health) -> impl IntoView {
    view! {
        <svg class=format!("shape {}", health.word()) aria-hidden="true">
            <use_ href=shape_id(health) />
        </svg>
    }
}

/// The same with the word for screen readers.
pub fn state(health: Health) -> impl IntoView {
    view! {
        {shape(health)}
        <span class="sr">{health.word()}</span>
    }
}

/// A view's icon.
pub fn view_icon(page: &Page) -> impl IntoView + use<> {
    let path = match page {
        Page::Overview => "M2.5 2.5h4.5v6H2.5zM9 2.5h4.5v3H9zM9 7.5h4.5v6H9zM2.5 10.5H7v3H2.5z",
        Page::Pods => "M8 1.8 13.5 5v6L8 14.2 2.5 11V5zM2.5 5 8 8.2 13.5 5M8 8.2v6",
        Page::Workloads => "M2.5 4.5 8 2l5.5 2.5L8 7zM2.5 8 8 10.5 13.5 8M2.5 11.5 8 14l5.5-2.5",
        Page::Rollouts => "M2 12.5h3v-3h3v-3h3v-3h3M11.5 1.5l2.5 2-2.5 2",
        Page::Probes => "M1.5 8h3l1.5-4.5 3.5 9L11 8h3.5",
        Page::Services => "M2.5 8h4M6.5 8l3-4.5h4M6.5 8l3 4.5h4M6.5 8h7",
        Page::Nodes => "M2.5 2.5h11v4h-11zM2.5 9.5h11v4h-11zM5 4.5h.01M5 11.5h.01",
        Page::Placement => "M8 14S3 9.6 3 6a5 5 0 0 1 10 0c0 3.6-5 8-5 8zM6.2 6.2 7.6 7.6 10 5",
        Page::Namespaces => "M2.5 5.5v-3h3M10.5 2.5h3v3M13.5 10.5v3h-3M5.5 13.5h-3v-3M6 8h4",
        Page::Labels => "M2.5 2.5h5l6 6-5 5-6-6zM5.3 5.3h.01",
        Page::Images => "M2.5 5.5h11v8h-11zM4 3.5h8M5.5 1.5h5M6 9.5h4",
        Page::Events => "M8 4v4.2l2.6 1.6M8 2a6 6 0 1 0 6 6 6 6 0 0 0-6-6z",
        _ => "M2.5 8h11",
    };
    line_icon(path)
}

/// An icon of one stroked path.
pub fn line_icon(path: &'static str) -> impl IntoView {
    view! {
        <svg
            class="icon"
            viewBox="0 0 16 16"
            fill="none"
            stroke="currentColor"
            stroke-width="1.4"
            stroke-linecap="round"
            stroke-linejoin="round"
            aria-hidden="true"
        >
            <path d=path />
        </svg>
    }
}
