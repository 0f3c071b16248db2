//! What narrows a table: selectors, search, grouping, label columns. Real forms, so that they work
//! without a program too; with one they apply as one types.

mod active;
mod boxes;
mod grouping;

pub use active::Active;
pub use boxes::SelectorBox;
pub use grouping::Grouping;
use grouping::LabelColumns;
use leptos::prelude::*;

use crate::{
    api::Kind,
    components::{gate::refused_in, here::Here, store},
    query::{Answer, Filter, Place},
    selector::{Grammar, SelectorError},
    store::Store,
};

/// So many of the namespaces that are watched are named.
const NAMED: usize = 3;

/// The place's parameters that a form does not set itself, to be kept when it is sent.
pub fn kept(place: &Place, own: &[&str]) -> impl IntoView + use<> {
    place
        .parameters()
        .into_iter()
        .filter(|(key, value)| !value.is_empty() && !own.contains(key))
        .map(|(key, value)| view! { <input type="hidden" name=key value=value /> })
        .collect_view()
}

/// The selector with a caret under the character that is wrong, and what was expected there.
pub fn pointed(text: &str, error: &SelectorError) -> impl IntoView + use<> {
    pointed_at(text, error.at, error.to_string())
}

/// A text with a caret under the character that is wrong, and what is wrong there.
pub fn pointed_at(text: &str, at: usize, message: String) -> impl IntoView + use<> {
    let caret = format!("{}^", " ".repeat(at));
    let text = text.to_owned();
    view! {
        <div class="pointed">
            <pre aria-hidden="true"><code>{text}"\n"<b>{caret}</b></code></pre>
            <p>{message}</p>
        </div>
    }
    .into_any()
}

/// What stands where rows would be, while one of the selectors is none.
pub fn no_selector(place: &Place, error: &SelectorError) -> impl IntoView + use<> {
    let (title, text) = match error.of {
        Grammar::Labels => ("This is no label selector yet", &place.selector),
        Grammar::Fields => ("This is no field selector yet", &place.fields),
    };
    view! {
        <section class="panel bad-selector">
            <h2>{title}</h2>
            {pointed(text, error)}
            <p>"Nothing is shown until it is one, since anything else would look filtered."</p>
        </section>
    }
    .into_any()
}

/// What is wrong with the place's selectors, as rows of this kind are held against them. While something is, no row is
/// known to match, and none not to.
pub fn bad_selector(kind: Kind) -> Memo<Option<SelectorError>> {
    let here = Here::get();
    Memo::new(move |_| {
        let place = here.place();
        Filter::of(&place, kind).err()
    })
}

/// The tools of the page's tables, and how many rows match.
#[component]
pub fn TableTools(
    kind: Kind,
    /// What the table shows.
    answer: Memo<Result<Answer, SelectorError>>,
) -> impl IntoView {
    view! {
        <Tools what=kind.plural() kinds=vec![kind]>
            <p class="matches drawn"><Matches kind answer /></p>
        </Tools>
    }
    .into_any()
}

/// Search, grouping, columns and fields of the page's tables.
#[component]
pub fn Tools(
    /// What is searched, in words.
    what: &'static str,
    /// What the tables list.
    kinds: Vec<Kind>,
    /// Whether there are wide columns.
    #[prop(default = true)]
    widens: bool,
    /// What stands at the end.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let here = Here::get();
    let wide = Memo::new(move |_| here.place().wide);
    let toggled = move || here.place().with(|place| place.wide = !place.wide).href();
    // Events have hardly ever labels.
    let labelled = kinds.iter().any(|kind| *kind != Kind::Event);
    view! {
        <div class="tools">
            <SearchBox what />
            <Grouping kinds=kinds.clone() />
            {labelled.then(|| view! { <LabelColumns kinds=kinds.clone() /> })}
            {widens.then(|| view! {
                <a class="toggle" role="button" href=toggled aria-pressed=move || wide.get().to_string()>
                    "Wide"
                </a>
            })}
            <boxes::FieldBox kinds />
            <Active />
            {children.map(|children| children())}
        </div>
    }
    .into_any()
}

/// The search box.
#[component]
pub fn SearchBox(
    /// What is searched, in words.
    what: &'static str,
) -> impl IntoView {
    let here = Here::get();
    let text = Memo::new(move |_| here.place().text);
    view! {
        <form
            class="search"
            method="get"
            role="search"
            aria-label=format!("Search {what}")
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
    }
    .into_any()
}

/// How many rows match and how many there are, if that is known.
fn counted(
    store: &Store,
    kind: Kind,
    place: &Place,
    answer: &Result<Answer, SelectorError>,
) -> Option<(usize, usize)> {
    let answer = answer.as_ref().ok()?;
    let counted = match store.partial() {
        None => Some((answer.matches, answer.of)),
        // what has not come may match as well, and only the first page's question was put to it
        Some(partial) => (partial.place == *place).then(|| (partial.matches as usize, store.count(kind))),
    };
    // Of what may not be seen there may be any number.
    counted.filter(|(matches, _)| *matches > 0 || refused_in(store, kind, &place.namespaces).is_empty())
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
        let place = here.place();
        let Some((matches, of)) = answer.with(|answer| counted(&store, kind, &place, answer)) else {
            return String::new();
        };
        let noun = if matches == 1 && of == 1 { kind.singular() } else { kind.plural() };
        if place.unfiltered() { format!("{of} {noun}") } else { format!("{matches} of {of} {noun}") }
    }
}

/// What stands under a table that shows nothing.
#[component]
pub fn Nothing(kind: Kind, answer: Memo<Result<Answer, SelectorError>>) -> impl IntoView {
    let here = Here::get();
    let store = store();
    let empty = {
        let store = store.clone();
        Memo::new(move |_| {
            let counted = answer.with(|answer| counted(&store, kind, &here.place(), answer));
            counted.filter(|(matches, _)| *matches == 0).map(|(_, of)| of)
        })
    };
    move || {
        empty.get().map(|of| {
            let place = here.place();
            let mut asked = Vec::new();
            if !place.namespaces.is_empty() {
                asked.push(format!("in namespace {}", place.namespaces.join(", ")));
            }
            for selector in [place.selector.trim(), place.fields.trim()] {
                if !selector.is_empty() {
                    asked.push(format!("with {selector}"));
                }
            }
            if !place.text.trim().is_empty() {
                asked.push(format!("containing “{}”", place.text.trim()));
            }
            asked.extend(place.only.iter().map(|(fact, value)| format!("whose {} is {value}", fact.word())));
            let said = if asked.is_empty() {
                format!("There are no {} in {}.", kind.plural(), watched(kind, &store.about().namespaces))
            } else {
                format!("No {} {}. Without that there are {of}.", kind.plural(), asked.join(", "))
            };
            view! { <p class="nothing">{said}</p> }
        })
    }
}

/// Where a kind is watched, these being the namespaces that are, if not all of them are. What is elsewhere is not known.
fn watched(kind: Kind, namespaces: &[String]) -> String {
    if namespaces.is_empty() || !kind.namespaced() {
        return "this cluster".to_owned();
    }
    let named = namespaces.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let rest = match namespaces.len().saturating_sub(NAMED) {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    };
    format!("the watched namespaces ({named}{rest})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_not_all_namespaces_are_watched_some_are_named() {
        let names = |many: usize| ["a", "b", "c", "d", "e"].map(str::to_owned)[..many].to_vec();
        assert_eq!(watched(Kind::Pod, &[]), "this cluster");
        assert_eq!(watched(Kind::Node, &names(1)), "this cluster", "a node is in no namespace");
        assert_eq!(watched(Kind::Pod, &names(1)), "the watched namespaces (a)");
        assert_eq!(watched(Kind::Pod, &names(3)), "the watched namespaces (a, b, c)");
        assert_eq!(watched(Kind::Pod, &names(5)), "the watched namespaces (a, b, c and 2 more)");
    }
}
