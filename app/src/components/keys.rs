//! The keyboard: what each key does stands here once, for the handler and for the help.

use leptos::{html, prelude::*};

/// The keys as the help lists them.
const HELP: [(&str, &str); 14] = [
    ("?", "This list"),
    ("/", "Search in the table"),
    ("l", "Label selector"),
    (": or Ctrl-K", "Jump to a view or an object by name"),
    ("j, k or ↓, ↑", "Next row, previous row"),
    ("Enter", "Open the row"),
    ("Esc", "Close; leave the box; back to the page"),
    ("g then o p w n s l i e", "Overview, pods, workloads, nodes, namespaces, labels, images, events"),
    ("w", "kubectl's wide columns"),
    ("t", "Theme: the system's, light, dark"),
    ("Enter on a label", "Only those with the label; once more, all again"),
    ("Alt+Enter, Alt-click on a label", "All but those with the label"),
    ("↓, ↑, Enter in a selector's box", "What is in use: choose and take it"),
    ("Ctrl-click", "In a new tab"),
];

/// The help, and the listener behind every key.
#[component]
pub fn Keys() -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    listen(dialog);
    let rows = HELP.map(|(keys, does)| {
        view! {
            <tr>
                <th scope="row">
                    <kbd>{keys}</kbd>
                </th>
                <td>{does}</td>
            </tr>
        }
    });
    view! {
        <dialog class="help" id="help" aria-labelledby="help-title" node_ref=dialog>
            <form method="dialog">
                <h2 id="help-title">"Keys"</h2>
                <button class="quiet" aria-label="Close">"×"</button>
            </form>
            <table>
                <tbody>{rows.into_iter().collect_view()}</tbody>
            </table>
        </dialog>
    }
    .into_any()
}

#[cfg(not(feature = "hydrate"))]
fn listen(_dialog: NodeRef<html::Dialog>) {}

#[cfg(feature = "hydrate")]
fn listen(dialog: NodeRef<html::Dialog>) {
    use leptos::ev;
    use wasm_bindgen::JsCast;

    use crate::{
        components::{bar::next_theme, here::Here, palette},
        query::Page,
    };

    let here = Here::get();
    let went = StoredValue::new(false);
    let document = || web_sys::window().and_then(|window| window.document());
    let show_help = move || {
        if let Some(dialog) = dialog.get_untracked()
            && !dialog.open()
        {
            _ = dialog.show_modal();
        }
    };
    Effect::new(move |_| {
        _ = window_event_listener(ev::click, move |event| {
            let element = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
            // A click elsewhere closes what is open.
            let within = element.as_ref().and_then(|element| element.closest("details[open]").ok().flatten());
            if within.is_none()
                && let Some(document) = document()
            {
                close_menus(&document);
            }
            let act = element.and_then(|element| element.closest("[data-act]").ok().flatten());
            match act.and_then(|act| act.get_attribute("data-act")).as_deref() {
                Some("help") => show_help(),
                Some("palette") => palette::open(),
                _ => {}
            }
        });
        _ = window_event_listener(ev::keydown, move |event| {
            let Some(document) = document() else { return };
            let key = event.key();
            if (event.ctrl_key() || event.meta_key()) && key.eq_ignore_ascii_case("k") {
                event.prevent_default();
                palette::open();
                return;
            }
            if event.ctrl_key() || event.meta_key() || event.alt_key() || event.is_composing() {
                return;
            }
            let active = document.active_element();
            let tag = active.as_ref().map(|active| active.tag_name()).unwrap_or_default();
            if matches!(tag.as_str(), "INPUT" | "SELECT" | "TEXTAREA") {
                if key == "Escape"
                    && let Some(input) =
                        active.and_then(|active| active.dyn_into::<web_sys::HtmlElement>().ok())
                {
                    _ = input.blur();
                }
                return;
            }
            if document.query_selector("dialog[open]").ok().flatten().is_some() {
                return;
            }
            if went.get_value() {
                went.set_value(false);
                let view = Page::VIEWS.into_iter().find(|(_, letter)| key == letter.to_string());
                if let Some((page, _)) = view {
                    event.prevent_default();
                    here.go(here.place_now().elsewhere(page));
                    return;
                }
            }
            match key.as_str() {
                "?" => show_help(),
                "/" => _ = focus(&document, "#search") || focus(&document, "#selector"),
                "l" => _ = focus(&document, "#selector"),
                ":" => palette::open(),
                "g" => went.set_value(true),
                "j" | "ArrowDown" if step(&document, true, key == "j") => {}
                "k" | "ArrowUp" if step(&document, false, key == "k") => {}
                "t" => here.replace(here.place_now().with(|place| place.theme = next_theme(place.theme))),
                "w" => here.replace(here.place_now().with(|place| place.wide = !place.wide)),
                "Escape" => {
                    close_menus(&document);
                    if let Some(focused) =
                        active.and_then(|active| active.dyn_into::<web_sys::HtmlElement>().ok())
                    {
                        _ = focused.blur();
                    }
                    return;
                }
                _ => return,
            }
            event.prevent_default();
        });
    });
}

#[cfg(feature = "hydrate")]
fn focus(document: &web_sys::Document, selector: &str) -> bool {
    use wasm_bindgen::JsCast;
    let found = document.query_selector(selector).ok().flatten();
    let element = found.and_then(|found| found.dyn_into::<web_sys::HtmlElement>().ok());
    element.is_some_and(|element| element.focus().is_ok())
}

#[cfg(feature = "hydrate")]
fn close_menus(document: &web_sys::Document) {
    if let Ok(open) = document.query_selector_all("details.menu[open], details.freshness[open]") {
        use wasm_bindgen::JsCast;
        for i in 0..open.length() {
            if let Some(menu) = open.item(i).and_then(|node| node.dyn_into::<web_sys::Element>().ok()) {
                _ = menu.remove_attribute("open");
            }
        }
    }
}

/// Moves the focus to the link of the next row. Without a focused row, letters start at the first
/// and arrows go on scrolling the page.
#[cfg(feature = "hydrate")]
fn step(document: &web_sys::Document, down: bool, start: bool) -> bool {
    use wasm_bindgen::JsCast;
    let row = document.active_element().and_then(|active| active.closest("table.rows tr").ok().flatten());
    let mut next = match &row {
        Some(row) => {
            if down {
                row.next_element_sibling()
            } else {
                row.previous_element_sibling()
            }
        }
        None if start => document.query_selector("table.rows tbody tr:not(.spacer)").ok().flatten(),
        None => None,
    };
    while let Some(row) = next {
        let link = row.query_selector("a.name").ok().flatten();
        if let Some(link) = link.and_then(|link| link.dyn_into::<web_sys::HtmlElement>().ok()) {
            _ = link.focus();
            return true;
        }
        next = if down { row.next_element_sibling() } else { row.previous_element_sibling() };
    }
    row.is_some()
}
