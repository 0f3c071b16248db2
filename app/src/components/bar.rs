//! The slim bar on top, and the views beside the content.

use leptos::prelude::*;

use crate::{
    api::{Kind, Namespace, Row},
    components::{
        filters::SelectorBox,
        fresh::FreshnessChip,
        here::Here,
        icon::{line_icon, view_icon},
        store,
    },
    query::{Page, Theme},
    shell::{SharedBy, SignedIn},
    store::Freshness,
};

/// Product, cluster, namespace, selector, freshness, theme.
#[component]
pub fn TopBar() -> impl IntoView {
    let here = Here::get();
    let store = store();
    let about = Memo::new(move |_| store.about());
    let context = move || about.with(|about| about.context.clone());
    let version = move || about.with(|about| about.version.clone());
    let demo = move || {
        about
            .with(|about| about.demo)
            .then(|| view! { <span class="badge demo" title="This cluster is invented">"DEMO"</span> })
    };
    let home = move || here.place().elsewhere(Page::Overview).href();
    view! {
        <header class="bar">
            <a class="brand" href=home aria-label="Masthead, overview">
                {mark()}
                <span>"Masthead"</span>
            </a>
            <span class="cluster" title=version>{context}</span>
            {demo}
            <NamespacePicker />
            <SelectorBox />
            <FreshnessChip />
            <button type="button" class="quiet palette-open" title="Jump to… (Ctrl-K)" aria-label="Jump to a view or an object" data-act="palette">
                {line_icon("M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.5 10.5l3 3")}
            </button>
            <ThemeSwitch />
            <You />
            <button type="button" class="quiet help-open" title="Keys (?)" aria-label="Keys" data-act="help">"?"</button>
        </header>
    }
    .into_any()
}

/// The product's sign.
pub fn mark() -> impl IntoView {
    view! {
        <svg viewBox="4 0 24 30" aria-hidden="true">
            <path
                d="M16 10v18M6 16h20M9 28h14"
                fill="none"
                stroke="currentColor"
                stroke-width="3"
                stroke-linecap="round"
            />
            <circle cx="16" cy="6" r="4" fill="currentColor" />
        </svg>
    }
}

/// The way to what is shared; who is signed in, and the way to their sessions.
#[component]
fn You() -> impl IntoView {
    let SignedIn { name, may_share } = use_context().unwrap_or_default();
    let address = |path: &str| Here::get().place_now().address(path);
    let share = may_share.then(|| {
        view! {
            <a class="you" href=address("/links") title="Links and walls: let others see a part of this">
                {line_icon("M8 10V2M5 4.5 8 1.5l3 3M3 8v6h10V8")}
                <span class="name">"Share"</span>
            </a>
        }
    });
    let you = name.map(|name| {
        view! {
            <a class="you" href=address("/sessions") title="Your sessions, and the way out">
                {line_icon("M8 2.5a2.75 2.75 0 1 1 0 5.5 2.75 2.75 0 0 1 0-5.5zM2.5 14a5.5 5.5 0 0 1 11 0")}
                <span class="sr">"Signed in as "</span>
                <span class="name">{name}</span>
            </a>
        }
    });
    (share, you)
}

/// System, light, dark.
#[component]
fn ThemeSwitch() -> impl IntoView {
    let here = Here::get();
    let theme = Memo::new(move |_| here.place().theme);
    let href = move || here.place().with(|place| place.theme = next_theme(place.theme)).href();
    let label = move || match theme.get() {
        None => "Theme: the system's",
        Some(Theme::Light) => "Theme: light",
        Some(Theme::Dark) => "Theme: dark",
    };
    view! {
        <a class="quiet theme" role="button" href=href title=label aria-label=label>
            {move || match theme.get() {
                None => line_icon("M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 2v12M8 5h3.8M8 8h6M8 11h4"),
                Some(Theme::Light) => line_icon("M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7"),
                Some(Theme::Dark) => line_icon("M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7z"),
            }}
        </a>
    }
    .into_any()
}

/// What follows a theme when it is switched.
pub fn next_theme(theme: Option<Theme>) -> Option<Theme> {
    match theme {
        None => Some(Theme::Light),
        Some(Theme::Light) => Some(Theme::Dark),
        Some(Theme::Dark) => None,
    }
}

/// One, several or all namespaces.
#[component]
fn NamespacePicker() -> impl IntoView {
    let here = Here::get();
    let store = store();
    let names = {
        let store = store.clone();
        Memo::new(move |_| {
            let mut names: Vec<String> =
                store.rows::<Namespace>().iter().map(|row| row.meta().name.to_string()).collect();
            if names.is_empty() {
                // Not allowed to list namespaces: those that Masthead was told to watch.
                let about = store.about();
                let watched = Kind::ALL.iter().flat_map(|kind| about.within(*kind));
                names = watched.map(|(name, _)| name.to_string()).chain(about.namespaces.clone()).collect();
            }
            names.sort();
            names.dedup();
            names
        })
    };
    let chosen = Memo::new(move |_| here.place().namespaces);
    let all = Memo::new(move |_| match store.about().namespaces.is_empty() {
        true => "all namespaces",
        false => "all watched namespaces",
    });
    let said = move || match &chosen.get()[..] {
        [] => all.get().to_owned(),
        [one] => one.clone(),
        several => format!("{} namespaces", several.len()),
    };
    view! {
        <details class="menu namespaces">
            <summary>
                <span class="sr">"Namespace: "</span>
                {said}
            </summary>
            <ul>
                <li>
                    <a
                        href=move || here.place().with(|place| place.namespaces.clear()).href()
                        role="button"
                        aria-pressed=move || chosen.with(Vec::is_empty).to_string()
                    >
                        {all}
                    </a>
                </li>
                <For each=move || names.get() key=Clone::clone children=move |name| namespace_option(here, chosen, name) />
            </ul>
        </details>
    }
    .into_any()
}

fn namespace_option(here: Here, chosen: Memo<Vec<String>>, name: String) -> impl IntoView {
    let pressed = {
        let name = name.clone();
        move || chosen.with(|chosen| chosen.contains(&name)).to_string()
    };
    let href = {
        let name = name.clone();
        move || {
            here.place()
                .with(|place| match place.namespaces.iter().position(|n| *n == name) {
                    Some(at) => _ = place.namespaces.remove(at),
                    None => place.namespaces.push(name.clone()),
                })
                .href()
        }
    };
    view! {
        <li>
            <a href=href role="button" aria-pressed=pressed>
                {name}
            </a>
        </li>
    }
    .into_any()
}

/// The views: icons and words; on a phone, the bar at the bottom.
#[component]
pub fn Views() -> impl IntoView {
    let here = Here::get();
    let shared = use_context::<SharedBy>().and_then(|SharedBy(shared)| shared);
    let links = Page::VIEWS
        .into_iter()
        .filter(|(page, _)| shared.as_ref().is_none_or(|shared| page.has_any(shared.kinds)))
        .map(|(page, key)| {
            let href = {
                let page = page.clone();
                move || here.place().elsewhere(page.clone()).href()
            };
            let current = {
                let page = page.clone();
                move || (here.page.get().view() == page).then_some("page")
            };
            let count = kind_of(&page).map(|kind| view! { <Count kind /> });
            view! {
                <li>
                    <a href=href aria-current=current title=format!("{} (g {key})", page.title())>
                        {view_icon(&page)}
                        <span>{page.title()}</span>
                        {count}
                    </a>
                </li>
            }
        })
        .collect_view();
    view! {
        <nav class="views" aria-label="Views">
            <ul>{links}</ul>
        </nav>
    }
    .into_any()
}

fn kind_of(page: &Page) -> Option<Kind> {
    match page {
        Page::Pods => Some(Kind::Pod),
        Page::Nodes => Some(Kind::Node),
        _ => None,
    }
}

/// How many there are, as long as that is known: only the first paint tells it to pages that are about other kinds.
#[component]
fn Count(kind: Kind) -> impl IntoView {
    let store = store();
    let count = Memo::new(move |_| {
        let known = matches!(store.freshness(kind), Freshness::Live | Freshness::Painted(_));
        known.then(|| store.count(kind))
    });
    view! { <span class="count drawn">{move || count.get()}</span> }
}
