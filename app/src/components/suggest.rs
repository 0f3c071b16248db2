//! A box to type a selector in, which offers what could stand next (the combobox of the ARIA Authoring Practices, with
//! a list that is walked with the arrow keys). Nothing is taken that was not chosen.

use leptos::{html, prelude::*, web_sys::HtmlInputElement};

use crate::{components::filters::pointed, query::Completion, selector::SelectorError};

/// The box, what it offers, and under that what is wrong with what it holds.
#[component]
pub fn SuggestBox(
    /// The input's id and, in a form, the parameter's name.
    id: &'static str,
    name: &'static str,
    /// Its accessible name.
    label: &'static str,
    placeholder: &'static str,
    /// What it holds.
    text: Memo<String>,
    /// What is wrong with that.
    error: Memo<Option<SelectorError>>,
    /// Somebody has typed.
    #[prop(into)]
    typed: Callback<String>,
    /// What can follow the text before the caret. Asked only while the box has the focus.
    #[prop(into)]
    complete: Callback<String, Vec<Completion>>,
) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    // The text before the caret, while something is offered for it.
    let head = RwSignal::new(None::<String>);
    let at = RwSignal::new(None::<usize>);
    let offered = Memo::new(move |_| head.get().map(|head| complete.run(head)).unwrap_or_default());
    let open = Memo::new(move |_| offered.with(|offered| !offered.is_empty()));
    let offer = move || {
        at.set(None);
        head.set(input.get_untracked().map(|input| before_caret(&input)));
    };
    let close = move || {
        at.set(None);
        head.set(None);
    };
    let take = move |completion: Completion| {
        let Some(input) = input.get_untracked() else { return };
        let tail = input.value().split_off(before_caret(&input).len());
        let text = format!("{}{tail}", completion.head);
        input.set_value(&text);
        let caret = completion.head.encode_utf16().count() as u32;
        _ = input.set_selection_range(caret, caret);
        typed.run(text);
        offer();
    };
    let key = move |event: leptos::ev::KeyboardEvent| {
        let many = offered.with_untracked(Vec::len);
        let chosen = at.get_untracked().filter(|at| *at < many);
        match event.key().as_str() {
            "ArrowDown" if many == 0 => offer(),
            "ArrowDown" => at.set(Some(chosen.map_or(0, |at| (at + 1) % many))),
            "ArrowUp" if many > 0 => at.set(Some(chosen.map_or(many - 1, |at| (at + many - 1) % many))),
            "Enter" | "Tab" if chosen.is_some() => {
                let completion = offered.with_untracked(|offered| offered.get(chosen?).cloned());
                completion.into_iter().for_each(take);
            }
            // The next one leaves the box.
            "Escape" if many > 0 => {
                close();
                event.stop_propagation();
            }
            _ => return,
        }
        event.prevent_default();
    };
    let list = format!("{id}-offered");
    let option_id = move |index: usize| format!("{id}-offered-{index}");
    let option = move |(index, completion): (usize, Completion)| {
        let chosen = move || (at.get() == Some(index)).to_string();
        let shown = completion.shown.clone();
        let objects = completion.objects.map(|objects| view! { <span class="beside">{objects}</span> });
        view! {
            <li
                role="option"
                id=option_id(index)
                aria-selected=chosen
                // the box keeps the focus
                on:mousedown=|event| event.prevent_default()
                on:click=move |_| take(completion.clone())
            >
                <span class="title">{crate::format::visible(&shown).into_owned()}</span>
                {objects}
            </li>
        }
    };
    view! {
        <input
            id=id
            name=name
            type="text"
            spellcheck="false"
            autocomplete="off"
            autocapitalize="off"
            placeholder=placeholder
            role="combobox"
            aria-label=label
            aria-autocomplete="list"
            aria-expanded=move || open.get().to_string()
            aria-controls=list.clone()
            aria-activedescendant=move || at.get().filter(|_| open.get()).map(option_id)
            aria-invalid=move || error.with(Option::is_some).to_string()
            aria-describedby=format!("{id}-error")
            node_ref=input
            value=text.get_untracked()
            prop:value=move || text.get()
            on:input=move |event| {
                typed.run(event_target_value(&event));
                offer();
            }
            on:focus=move |_| offer()
            on:click=move |_| offer()
            on:blur=move |_| close()
            on:keydown=key
        />
        <div class="below">
            <ul id=list role="listbox" aria-label=format!("What {label} can go on with") hidden=move || !open.get()>
                {move || offered.get().into_iter().enumerate().map(option).collect_view()}
            </ul>
            <div id=format!("{id}-error") role="alert">
                {move || error.get().map(|error| text.with(|text| pointed(text, &error)))}
            </div>
        </div>
    }
    .into_any()
}

/// What the input holds before its caret.
fn before_caret(input: &HtmlInputElement) -> String {
    let text = input.value();
    let caret = input.selection_start().ok().flatten().map_or(usize::MAX, |caret| caret as usize);
    // The browser counts in UTF-16.
    let mut counted = 0;
    text.chars()
        .take_while(|c| {
            counted += c.len_utf16();
            counted <= caret
        })
        .collect()
}
