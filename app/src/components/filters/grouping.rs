//! What rows are put together by, and which labels are columns: one code path for every kind.

use std::collections::BTreeSet;

use leptos::prelude::*;

use super::kept;
use crate::{
    api::{Kind, Text},
    components::{here::Here, store},
    format::visible,
    query::Group,
};

/// Every label key in use on these kinds.
fn label_keys(kinds: Vec<Kind>) -> Memo<BTreeSet<Text>> {
    let store = store();
    Memo::new(move |_| {
        let mut keys = BTreeSet::new();
        for kind in &kinds {
            for line in store.lines(*kind) {
                for (key, _) in line.meta().labels.iter() {
                    if !keys.contains(key) {
                        keys.insert(key.clone());
                    }
                }
            }
        }
        keys
    })
}

/// By what these kinds can be put together, other than labels.
fn facts(kinds: &[Kind]) -> Vec<(Group, &'static str)> {
    let any = |wanted: fn(Kind) -> bool| kinds.iter().any(|kind| wanted(*kind));
    let groups = [
        (any(|kind| kind.namespaced() && kind != Kind::Event), Group::Owner, "By owner"),
        (any(|kind| kind == Kind::Pod), Group::Node, "By node"),
        (any(|kind| kind == Kind::Event), Group::Object, "By kind of object"),
        (any(Kind::namespaced), Group::Namespace, "By namespace"),
    ];
    groups.into_iter().filter(|(there, ..)| *there).map(|(_, group, said)| (group, said)).collect()
}

/// Chooses what rows are put together by.
#[component]
pub fn Grouping(
    /// What is put together.
    kinds: Vec<Kind>,
    /// What it is called when nothing is chosen.
    #[prop(default = "No grouping")]
    none: &'static str,
) -> impl IntoView {
    let here = Here::get();
    let facts: Vec<_> = facts(&kinds).into_iter().filter(|(_, said)| *said != none).collect();
    let labelled = kinds.iter().any(|kind| *kind != Kind::Event);
    let keys = label_keys(if labelled { kinds } else { Vec::new() });
    let group = Memo::new(move |_| here.place().group.as_ref().map(Group::word).unwrap_or_default());
    let option = move |value: String, text: String| {
        let selected = {
            let value = value.clone();
            move || group.with(|group| *group == value)
        };
        view! { <option value=value selected=selected>{text}</option> }
    };
    let labels = move || {
        let by = |key: Text| option(Group::Label(key.to_string()).word(), format!("By {}", visible(&key)));
        keys.get().into_iter().map(by).collect_view()
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
                {option(String::new(), none.to_owned())}
                {facts.into_iter().map(|(group, said)| option(group.word(), said.to_owned())).collect_view()}
                {labels}
            </select>
            <button class="without-program">"Apply"</button>
        </form>
    }
    .into_any()
}

/// Adds a label key as a column, or takes one away.
#[component]
pub fn LabelColumns(kinds: Vec<Kind>) -> impl IntoView {
    let here = Here::get();
    let keys = label_keys(kinds);
    let option = move |key: Text| {
        let place = here.place();
        let shown = place.columns.iter().any(|column| *key == **column);
        let href = place
            .with(|place| {
                if shown {
                    place.columns.retain(|column| *key != **column);
                } else {
                    place.columns.push(key.to_string());
                }
            })
            .href();
        view! {
            <li>
                <a href=href role="button" aria-pressed=shown.to_string()>
                    {visible(&key).into_owned()}
                </a>
            </li>
        }
    };
    // Keys of columns that are shown stay in the list when the last object with them has gone.
    let all = move || {
        let mut all = keys.get();
        all.extend(here.place().columns.iter().map(|key| Text::from(key.as_str())));
        all
    };
    view! {
        <details class="menu">
            <summary>"Columns"</summary>
            <ul>{move || all().into_iter().map(option).collect_view()}</ul>
        </details>
    }
    .into_any()
}
