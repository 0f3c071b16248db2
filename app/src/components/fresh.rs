//! Freshness, always in sight: one chip for the page, a line a kind behind it.

use leptos::prelude::*;

use crate::{
    api::{Kind, Kinds},
    clock,
    components::{here::Here, store},
    format::duration,
    store::{Freshness, Link, Store},
};

/// The chip, with a line for each kind of the page.
#[component]
pub fn FreshnessChip() -> impl IntoView {
    let here = Here::get();
    let store = store();
    let whole = {
        let store = store.clone();
        Memo::new(move |_| {
            let page = here.page.get();
            // What one may not see has its own panel; it does not make the rest old.
            // Where it is all there is, though, nothing here is live.
            let seen: Kinds = page
                .kinds()
                .iter()
                .filter(|kind| !matches!(store.freshness(*kind), Freshness::Forbidden { .. }))
                .collect();
            let kinds = if seen.is_empty() { page.kinds() } else { seen };
            (store.freshness_of(kinds), store.link(), named_if_old(&store, kinds))
        })
    };
    let class = move || {
        whole.with(|(freshness, link, _)| match (freshness, link) {
            (Freshness::Live, Link::Live) => "freshness live",
            (Freshness::Old { .. } | Freshness::Failing(_), _) => "freshness old",
            _ => "freshness",
        })
    };
    let text = {
        let store = store.clone();
        move || {
            whole.with(|(freshness, link, old)| match (freshness, old.as_str()) {
                (Freshness::Old { .. }, old) if !old.is_empty() => {
                    format!("{old} {}", sentence(&store, freshness, link))
                }
                _ => sentence(&store, freshness, link),
            })
        }
    };
    let apart = {
        let store = store.clone();
        Memo::new(move |_| clocks(&store))
    };
    let are_apart = move || {
        let any = apart.with(|apart| !apart.is_empty());
        any.then(|| view! { <span class="apart">"clocks apart"</span> })
    };
    let how_far =
        move || apart.get().into_iter().map(|said| view! { <p class="apart">{said}</p> }).collect_view();
    view! {
        <details class=class>
            <summary>
                <span class="pulse" aria-hidden="true"></span>
                <span class="said">{text}</span>
                {are_apart}
            </summary>
            <div class="popover">
                <table>
                    <caption>"How fresh each kind is"</caption>
                    <tbody>
                        {move || {
                            here.page.get().kinds().iter().map(|kind| kind_line(store.clone(), kind)).collect_view()
                        }}
                    </tbody>
                </table>
                {how_far}
            </div>
        </details>
    }
    .into_any()
}

/// `pods, nodes and 2 more`: those that are old, where others are not.
fn named_if_old(store: &Store, kinds: Kinds) -> String {
    let watched: Kinds = kinds.iter().map(Kind::watched).collect();
    let is_old = |kind: &Kind| store.freshness(*kind).dims();
    let (old, others): (Vec<Kind>, Vec<Kind>) = watched.iter().partition(is_old);
    if others.is_empty() {
        return String::new();
    }
    match old.as_slice() {
        [] => String::new(),
        [one] => one.plural().to_owned(),
        [one, another] => format!("{} and {}", one.plural(), another.plural()),
        [one, another, more @ ..] => {
            format!("{}, {} and {} more", one.plural(), another.plural(), more.len())
        }
    }
}

fn kind_line(store: Store, kind: Kind) -> impl IntoView {
    let text = move || {
        let freshness = store.freshness(kind);
        sentence(&store, &freshness, &store.link())
    };
    view! {
        <tr>
            <th scope="row">{kind.plural()}</th>
            <td>{text}</td>
        </tr>
    }
    .into_any()
}

/// `live`, or since when not, and why. Times are in UTC, as in kubectl's output, since the first
/// paint cannot know where its reader is.
pub fn sentence(store: &Store, freshness: &Freshness, link: &Link) -> String {
    match freshness {
        Freshness::Live => "live".to_owned(),
        Freshness::Painted(at) => format!("as of {} UTC", at.seconds().clock()),
        Freshness::Listing(0) => "listing…".to_owned(),
        Freshness::Listing(seen) => format!("listing, {seen} so far"),
        Freshness::Failing(because) => format!("nothing yet: {because}"),
        Freshness::Forbidden { verb, resource, .. } => format!("no right to {verb} {resource}"),
        Freshness::Old { as_of: None, because } => format!("not current: {because}{}", retry(store, link)),
        Freshness::Old { as_of: Some(at), because } => {
            let ago = duration((store.server_now().0 - at.0).max(0) / 1000);
            format!("as of {} UTC, {ago} ago: {because}{}", at.seconds().clock(), retry(store, link))
        }
    }
}

/// What is to be said of clocks that are apart.
pub fn clocks(store: &Store) -> Vec<String> {
    let than_masthead = |ahead: i64| {
        let side = if ahead > 0 { "ahead of" } else { "behind" };
        format!("is {} {side} Masthead's", duration((ahead.abs() + 500) / 1000))
    };
    let ahead = store.about().ahead;
    let api_server = clock::are_apart(ahead).then(|| {
        format!("The API server's clock {}. Ages are counted by the API server's.", than_masthead(ahead))
    });
    let browser = store
        .browser_behind()
        .map(|behind| format!("This computer's clock {}. No age is counted by it.", than_masthead(-behind)));
    api_server.into_iter().chain(browser).collect()
}

fn retry(store: &Store, link: &Link) -> String {
    match link {
        Link::Retrying { next_at, .. } => match (next_at.0 - store.server_now().0 + 999) / 1000 {
            seconds @ 1.. => format!(" (next try in {seconds} s)"),
            _ => " (trying)".to_owned(),
        },
        _ => String::new(),
    }
}
