//! What narrows a table: selector, search, grouping, label columns. Real forms, so that they work
//! without a program too; with one they apply as one types.

use std::collections::BTreeSet;

use leptos::prelude::*;

use crate::{
    api::Kind,
    components::{here::Here, store},
    query::{Answer, Group, Place},
    selector::{Selector, SelectorError},
};

/// The place's parameters that a form does not set itself, to be kept when it is sent.
fn kept(place: &Place, own: &[&str]) -> impl IntoView + use<> {
    place
        .parameters()
        .into_iter()
        .filter(|(key, value)| !value.is_empty() && !own.contains(key))
        .map(|(key, value)| view! { <input type="hidden" name=key value=value /> })
        .collect_view()
}

/// The selector box with the whole grammar; what is wrong is pointed at.
#[component]
pub fn SelectorBox() -> impl IntoView {
    let here = Here::get();
    let text = Memo::new(move |_| here.place().selector);
    let error = Memo::new(move |_| text.with(|text| Selector::parse(text).err()));
    view! {
        <form
            class="selector"
            method="get"
            role="search"
            aria-label="Label selector"
            on:submit=move |event| event.prevent_default()
        >
            {move || kept(&here.place(), &["selector"])}
            <label for="selector">"-l"</label>
            <input
                id="selector"
                name="selector"
                type="text"
                spellcheck="false"
                autocomplete="off"
                autocapitalize="off"
                placeholder="selector: app=web,tier in (a,b)"
                aria-invalid=move || error.with(Option::is_some).to_string()
                aria-describedby="selector-error"
                value=text.get_untracked()
                prop:value=move || text.get()
                on:input=move |event| {
                    let selector = event_target_value(&event);
                    here.replace(here.place_now().with(|place| place.selector = selector));
                }
            />
            <div id="selector-error" role="alert">
                {move || error.get().map(|error| pointed(&text.get(), &error))}
            </div>
        </form>
    }
    .into_any()
}

/// The selector with a caret under the character that is wrong, and what was expected there.
pub fn pointed(text: &str, error: &SelectorError) -> impl IntoView + use<> {
    let message = error.to_string();
    let caret = format!("{}^", " ".repeat(error.at));
    let text = text.to_owned();
    view! {
        <div class="pointed">
            <pre aria-hidden="true"><code>{text}"\n"<b>{caret}</b></code></pre>
            <p>{message}</p>
        </div>
    }
    .into_any()
}

/// Search, grouping and columns of a table.
#[component]
pub fn TableTools(
    kind: Kind,
    /// What the table shows.
    answer: Memo<Result<Answer, SelectorError>>,
) -> impl IntoView {
    let here = Here::get();
    let text = Memo::new(move |_| here.place().text);
    let pods = kind == Kind::Pod;
    let wide = Memo::new(move |_| here.place().wide);
    let toggled = move || here.place().with(|place| place.wide = !place.wide).href();
    view! {
        <div class="tools">
            <form
                class="search"
                method="get"
                role="search"
                aria-label=format!("Search {}", kind.plural())
                on:submit=move |event| event.prevent_default()
            >
                {move || kept(&here.place(), &["q"])}
                <input
                    id="search"
                    name="q"
                    type="search"
                    spellcheck="false"
                    autocomplete="off"
                    placeholder="Search  /"
                    aria-label="Search"
                    value=text.get_untracked()
                    prop:value=move || text.get()
                    on:input=move |event| {
                        let text = event_target_value(&event);
                        here.replace(here.place_now().with(|place| place.text = text));
                    }
                />
            </form>
            {pods.then(|| view! { <Grouping /> <LabelColumn /> })}
            <a class="toggle" role="button" href=toggled aria-pressed=move || wide.get().to_string()>
                "Wide"
            </a>
            <Filters />
            <p class="matches"><Matches kind answer /></p>
        </div>
    }
    .into_any()
}

/// `12 of 40 pods`.
#[component]
fn Matches(kind: Kind, answer: Memo<Result<Answer, SelectorError>>) -> impl IntoView {
    let here = Here::get();
    let store = store();
    move || {
        // Nothing counted is not none.
        if !store.state(kind).listed() {
            return String::new();
        }
        let Ok(answer) = answer.get() else { return String::new() };
        let (matches, of) = match store.partial() {
            Some(partial) => (partial.matches as usize, store.count(kind)),
            None => (answer.matches, answer.of),
        };
        let noun = if matches == 1 && of == 1 { kind.singular() } else { kind.plural() };
        if here.place().unfiltered() { format!("{of} {noun}") } else { format!("{matches} of {of} {noun}") }
    }
}

/// Filters of single facts, each with a way out, and all at once.
#[component]
fn Filters() -> impl IntoView {
    let here = Here::get();
    move || {
        let place = here.place();
        let facts = place.only.iter().map(|(fact, value)| {
            let href = place.with_only(*fact, None).href();
            view! {
                <a class="filter" href=href title="Remove this filter">
                    {format!("{}: {value}", fact.word())} <span aria-hidden="true">" ×"</span>
                </a>
            }
        });
        let facts = facts.collect_view();
        let clear = (!place.unfiltered()).then(|| {
            let href = place
                .with(|place| {
                    place.namespaces.clear();
                    place.selector.clear();
                    place.text.clear();
                    place.only.clear();
                })
                .href();
            view! { <a class="clear" href=href>"Clear filters"</a> }
        });
        view! { {facts}{clear} }
    }
}

/// Every label key in use on pods.
fn label_keys() -> Memo<BTreeSet<String>> {
    let store = store();
    Memo::new(move |_| {
        let lines = store.lines(Kind::Pod);
        lines
            .iter()
            .flat_map(|line| line.meta().labels.iter().map(|(key, _)| key.to_string()).collect::<Vec<_>>())
            .collect()
    })
}

#[component]
fn Grouping() -> impl IntoView {
    let here = Here::get();
    let keys = label_keys();
    let group = Memo::new(move |_| here.place().group.as_ref().map(Group::word).unwrap_or_default());
    let option = move |value: String, text: String| {
        let selected = {
            let value = value.clone();
            move || group.with(|group| *group == value)
        };
        view! { <option value=value selected=selected>{text}</option> }
    };
    view! {
        <form class="grouping" method="get">
            {move || kept(&here.place(), &["group"])}
            <select
                name="group"
                aria-label="Group by"
                on:change=move |event| {
                    let group = event_target_value(&event);
                    here.go(here.place_now().with(|place| place.group = Group::parse(&group)));
                }
            >
                {option(String::new(), "No grouping".to_owned())}
                {option("owner".to_owned(), "By owner".to_owned())}
                {option("node".to_owned(), "By node".to_owned())}
                {option("namespace".to_owned(), "By namespace".to_owned())}
                {move || keys.get().into_iter().map(|key| option(format!("label:{key}"), format!("By {key}"))).collect_view()}
            </select>
            <button class="without-program">"Apply"</button>
        </form>
    }
    .into_any()
}

/// Adds a label key as a column, or takes one away.
#[component]
fn LabelColumn() -> impl IntoView {
    let here = Here::get();
    let keys = label_keys();
    view! {
        <details class="menu">
            <summary>"Columns"</summary>
            <ul>
                {move || {
                    let place = here.place();
                    keys.get()
                        .into_iter()
                        .map(|key| {
                            let shown = place.columns.contains(&key);
                            let href = place
                                .with(|place| {
                                    if shown {
                                        place.columns.retain(|column| *column != key);
                                    } else {
                                        place.columns.push(key.clone());
                                    }
                                })
                                .href();
                            view! {
                                <li>
                                    <a href=href role="button" aria-pressed=shown.to_string()>
                                        {key.clone()}
                                    </a>
                                </li>
                            }
                        })
                        .collect_view()
                }}
            </ul>
        </details>
    }
    .into_any()
}

/// What stands under a table that shows nothing.
#[component]
pub fn Nothing(kind: Kind, answer: Memo<Result<Answer, SelectorError>>) -> impl IntoView {
    let here = Here::get();
    let empty = Memo::new(move |_| {
        answer.with(|answer| {
            answer
                .as_ref()
                .is_ok_and(|answer| answer.matches == 0)
                .then(|| answer.as_ref().map_or(0, |answer| answer.of))
        })
    });
    move || {
        empty.get().map(|of| {
            let place = here.place();
            let mut asked = Vec::new();
            if !place.namespaces.is_empty() {
                asked.push(format!("in namespace {}", place.namespaces.join(", ")));
            }
            if !place.selector.trim().is_empty() {
                asked.push(format!("with {}", place.selector.trim()));
            }
            if !place.text.trim().is_empty() {
                asked.push(format!("containing “{}”", place.text.trim()));
            }
            asked.extend(place.only.iter().map(|(fact, value)| format!("whose {} is {value}", fact.word())));
            let said = if asked.is_empty() {
                format!("There are no {} in this cluster.", kind.plural())
            } else {
                format!("No {} {}. Without that there are {of}.", kind.plural(), asked.join(", "))
            };
            view! { <p class="nothing">{said}</p> }
        })
    }
}
