//! The two boxes for selectors: labels in the bar, fields among a table's tools.

use leptos::prelude::*;

use super::kept;
use crate::{
    api::Kind,
    components::{here::Here, store, suggest::SuggestBox},
    field_selector::FieldSelector,
    query::{Filter, InUse, Line, complete},
    selector::Selector,
};

/// The label selector box with the whole grammar; what is wrong is pointed at.
#[component]
pub fn SelectorBox() -> impl IntoView {
    let here = Here::get();
    let text = Memo::new(move |_| here.place().selector);
    let error = Memo::new(move |_| text.with(|text| Selector::parse(text).err()));
    let in_use = in_use(
        move || match here.page.get().tables() {
            [] => here.page.get().kinds().iter().filter(|kind| *kind != Kind::Event).collect(),
            listed => listed.to_vec(),
        },
        |_, lines| InUse::labels(lines.iter().map(|line| &**line)),
    );
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
            <SuggestBox
                id="selector"
                name="selector"
                label="Label selector"
                placeholder="selector: app=web,tier in (a,b)"
                text
                error
                typed=move |selector| here.replace(here.place_now().with(|place| place.selector = selector))
                complete=move |head: String| in_use.with(|in_use| complete::labels(&head, in_use))
            />
        </form>
    }
    .into_any()
}

/// The field selector box, folded away: it is for what the search cannot say. What it holds stands among the active
/// filters.
#[component]
pub fn FieldBox(kinds: Vec<Kind>) -> impl IntoView {
    let here = Here::get();
    let text = Memo::new(move |_| here.place().fields);
    let error = {
        let kinds = kinds.clone();
        Memo::new(move |_| text.with(|text| FieldSelector::parse_typed(text, kinds.iter().copied()).err()))
    };
    let fields = common(&kinds);
    let hint = format!("=, == and != with a comma between: {}", fields.join(", "));
    let placeholder =
        if fields.contains(&"status.phase") { "status.phase!=Running" } else { "metadata.name=web" };
    let in_use =
        in_use(move || kinds.clone(), |kind, lines| InUse::fields(kind, lines.iter().map(|line| &**line)));
    view! {
        <details class="menu fields" class:set=move || text.with(|text| !text.trim().is_empty())>
            <summary>"Fields"</summary>
            <div class="sheet">
                <form
                    class="selector"
                    method="get"
                    role="search"
                    aria-label="Field selector"
                    on:submit=move |event| event.prevent_default()
                >
                    {move || kept(&here.place(), &["fields"])}
                    <SuggestBox
                        id="fields"
                        name="fields"
                        label="Field selector"
                        placeholder
                        text
                        error
                        typed=move |fields| here.replace(here.place_now().with(|place| place.fields = fields))
                        complete=move |head: String| in_use.with(|in_use| complete::fields(&head, in_use))
                    />
                    <button class="without-program">"Apply"</button>
                </form>
                <p class="aside">{hint}</p>
            </div>
        </details>
    }
    .into_any()
}

/// The fields that all of these kinds have.
fn common(kinds: &[Kind]) -> Vec<&'static str> {
    let mut kinds = kinds.iter();
    let mut fields = kinds.next().map(|kind| kind.fields()).unwrap_or_default();
    for kind in kinds {
        let others = kind.fields();
        fields.retain(|field| others.contains(field));
    }
    fields
}

/// What is in use on these kinds in the place's namespaces; counted only while somebody reads it.
fn in_use(
    kinds: impl Fn() -> Vec<Kind> + Send + Sync + 'static,
    count: fn(Kind, &[std::sync::Arc<dyn Line>]) -> InUse,
) -> Memo<InUse> {
    let here = Here::get();
    let store = store();
    Memo::new(move |_| {
        let place = here.place();
        let scoped = place.elsewhere(place.page.clone());
        kinds().into_iter().fold(InUse::default(), |all, kind| {
            let mut lines = store.lines(kind);
            if let Ok(filter) = Filter::of(&scoped, kind) {
                lines.retain(|line| filter.keeps(&**line));
            }
            all.and(count(kind, &lines))
        })
    })
}
