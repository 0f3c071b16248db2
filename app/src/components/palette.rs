//! Jump to a view or an object by name.

use leptos::{html, prelude::*};

use crate::{
    api::{Health, Kind},
    components::{here::Here, icon, store},
    format::visible,
    query::Page,
    store::Freshness,
};

/// How many results are listed.
const MOST: usize = 12;
/// Kinds whose objects are found by name.
const OBJECTS: [Kind; 9] = [
    Kind::Deployment,
    Kind::ReplicationController,
    Kind::DaemonSet,
    Kind::StatefulSet,
    Kind::Service,
    Kind::Node,
    Kind::Pod,
    Kind::ReplicaSet,
    Kind::EndpointSlice,
];

/// One place to jump to.
#[derive(Clone, PartialEq)]
struct Hit {
    page: Page,
    title: String,
    beside: String,
    health: Option<Health>,
}

/// The dialog.
#[component]
pub fn Palette() -> impl IntoView {
    let here = Here::get();
    let dialog = NodeRef::<html::Dialog>::new();
    let typed = RwSignal::new(String::new());
    let at = RwSignal::new(0usize);
    let open = RwSignal::new(false);
    // Rows of kinds that this page does not follow are here too, as old as the page is.
    let store = store();
    let current = Memo::new(move |_| {
        OBJECTS.map(|kind| matches!(store.freshness(kind), Freshness::Live | Freshness::Painted(_)))
    });
    let hits = Memo::new(move |_| {
        if open.get() { current.with(|current| search(&typed.get(), current)) } else { Vec::new() }
    });
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
        open.set(false);
        typed.set(String::new());
    };
    let jump = move |hit: Hit| {
        close();
        here.go(here.place_now().elsewhere(hit.page));
    };
    let key = move |event: leptos::ev::KeyboardEvent| {
        let last = hits.with(Vec::len).saturating_sub(1);
        match event.key().as_str() {
            "ArrowDown" => at.update(|at| *at = (*at + 1).min(last)),
            "ArrowUp" => at.update(|at| *at = at.saturating_sub(1)),
            "Enter" => {
                if let Some(hit) = hits.with(|hits| hits.get(at.get_untracked()).cloned()) {
                    jump(hit);
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    let option = move |(index, hit): (usize, Hit)| {
        let chosen = move || (at.get() == index).to_string();
        let shown = visible(&hit.title).into_owned();
        let beside = hit.beside.clone();
        let health = hit.health;
        view! {
            <li role="option" id=format!("hit-{index}") aria-selected=chosen on:click=move |_| jump(hit.clone())>
                {health.map(icon::shape)}
                <span class="title">{shown}</span>
                <span class="beside">{beside}</span>
            </li>
        }
    };
    view! {
        <dialog
            class="palette"
            id="palette"
            aria-label="Jump to"
            node_ref=dialog
            on:focusin=move |_| open.set(true)
            on:close=move |_| {
                open.set(false);
                typed.set(String::new());
            }
        >
            <input
                type="text"
                role="combobox"
                aria-expanded="true"
                aria-controls="hits"
                aria-label="View or object"
                aria-activedescendant=move || format!("hit-{}", at.get())
                placeholder="Jump to a view or an object…"
                spellcheck="false"
                autocomplete="off"
                prop:value=move || typed.get()
                on:input=move |event| {
                    typed.set(event_target_value(&event));
                    at.set(0);
                }
                on:keydown=key
            />
            <ul id="hits" role="listbox" aria-label="Results">
                {move || hits.get().into_iter().enumerate().map(option).collect_view()}
            </ul>
        </dialog>
    }
    .into_any()
}

/// Views first, then objects whose name begins with what was typed, then those that contain it. How an object is, is
/// said of the kinds that are current.
fn search(typed: &str, current: &[bool; OBJECTS.len()]) -> Vec<Hit> {
    let needle = typed.trim().to_lowercase();
    let views = Page::VIEWS.into_iter().map(|(page, key)| (page, format!("view · g {key}")));
    let others = Page::OTHERS.into_iter().map(|page| (page, "view".to_owned()));
    let mut hits: Vec<Hit> = views
        .chain(others)
        .filter(|(page, _)| page.title().to_lowercase().starts_with(&needle))
        .map(|(page, beside)| Hit { title: page.title(), page, beside, health: None })
        .collect();
    if needle.is_empty() {
        return hits;
    }
    let store = store();
    let mut objects = Vec::new();
    for (kind, current) in OBJECTS.into_iter().zip(current) {
        for line in store.lines(kind) {
            let meta = line.meta();
            if let Some(at) = meta.name.to_lowercase().find(&needle)
                && let Some(page) = Page::of_object(kind, &meta.namespace, &meta.name)
            {
                let beside = match &*meta.namespace {
                    "" => kind.singular().to_owned(),
                    namespace => format!("{} in {namespace}", kind.singular()),
                };
                let health = current.then(|| line.health());
                objects.push((at > 0, Hit { page, title: meta.name.to_string(), beside, health }));
            }
        }
    }
    objects.sort_by(|(a_inside, a), (b_inside, b)| {
        (a_inside, a.title.len(), &a.title).cmp(&(b_inside, b.title.len(), &b.title))
    });
    hits.extend(objects.into_iter().map(|(_, hit)| hit));
    hits.truncate(MOST);
    hits
}

/// Shows it.
#[cfg(feature = "hydrate")]
pub fn open() {
    use wasm_bindgen::JsCast;
    let dialog = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.get_element_by_id("palette"))
        .and_then(|dialog| dialog.dyn_into::<web_sys::HtmlDialogElement>().ok());
    if let Some(dialog) = dialog
        && !dialog.open()
    {
        _ = dialog.show_modal();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        query::fixtures::{NOW, about, as_of, cluster},
        seed::Seed,
        store::Store,
    };

    #[test]
    fn how_an_object_is_is_said_only_of_kinds_that_are_current() {
        let owner = Owner::new();
        owner.with(|| {
            provide_context(Store::new(&Seed::choose(&cluster(), "/pods", &about(), 1, &as_of(), NOW)));
            let health = |current: bool| {
                let hits = search("rf-xyzzy", &[current; OBJECTS.len()]);
                hits.into_iter().find(|hit| hit.title == "rf-xyzzy").map(|hit| hit.health)
            };
            assert_eq!(health(true), Some(Some(Health::Failing)));
            assert_eq!(health(false), Some(None), "it is found, and nothing is said of it");
        });
    }
}
