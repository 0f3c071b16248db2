//! What every node says: a sentence, a table of nodes and filters, the label that is missing, and what is not checked.

use leptos::prelude::*;

use crate::{
    api::{Health, Kind, Node, Pod, Text},
    components::{gate::is_shared, icon, name, scroll, store},
    format::visible,
    placement::{
        Case, Plugin, Seen,
        grouped::{Group, columns, grouped},
    },
    store::Store,
};

/// So many lines are drawn; the rest is counted.
const LINES: usize = 100;
/// So many of a line's nodes are named beside it, and so many below.
const BESIDE: usize = 3;
const BELOW: usize = 300;

/// The answer to a question about all nodes and pods; `None` while not all of them are here.
pub fn seen(store: &Store, answer: impl FnOnce(Seen) -> Option<Case>) -> Option<Case> {
    if store.partial().is_some() {
        return None;
    }
    let (nodes, pods) = (store.current::<Node>(), store.current::<Pod>());
    let every_pod = store.about().within(Kind::Pod).is_empty() && !is_shared();
    answer(Seen { nodes: &nodes, pods: &pods, every_pod })
}

/// A case, drawn. Where there is none, why.
#[component]
pub fn Verdicts(
    /// The answer.
    #[prop(into)]
    case: Signal<Option<Case>>,
    /// Whether the sentence stands elsewhere.
    #[prop(optional)]
    without_sentence: bool,
) -> impl IntoView {
    let store = store();
    let parts = Memo::new(move |_| case.with(|case| case.as_ref().map(Parts::of)));
    let partial = move || {
        store
            .partial()
            .map(|_| view! { <p role="status" class="nothing">"Counting: not all rows are here yet…"</p> })
    };
    view! {
        {partial}
        {move || parts.get().map(|parts| parts.draw(without_sentence))}
    }
    .into_any()
}

/// What is drawn of a case; equal if it would be drawn the same.
#[derive(Clone, PartialEq)]
struct Parts {
    sentence: String,
    fits: bool,
    groups: Vec<Group>,
    missing: Vec<String>,
    unchecked: Vec<String>,
    direct: Option<Text>,
}

impl Parts {
    fn of(case: &Case) -> Parts {
        Parts {
            sentence: case.sentence(),
            fits: case.placement.fits() > 0,
            groups: grouped(&case.placement),
            missing: case.missing.iter().map(|missing| missing.words()).collect(),
            unchecked: case.unchecked.iter().map(|unchecked| unchecked.words()).collect(),
            direct: case.direct.clone(),
        }
    }

    fn draw(self, without_sentence: bool) -> AnyView {
        let health = if self.fits { Health::Healthy } else { Health::Failing };
        let sentence = (!without_sentence)
            .then(|| view! { <p class="status">{icon::shape(health)} {self.sentence.clone()}"."</p> });
        let direct = self.direct.as_ref().map(|node| {
            let said = format!("Its pods name node {} themselves: no scheduler is asked.", visible(node));
            view! { <p class="notice">{said}</p> }
        });
        let missing = (!self.missing.is_empty()).then(|| {
            let lines = self.missing.iter().map(|line| {
                let line = visible(line).into_owned();
                view! { <li>{line}</li> }
            });
            view! {
                <h3>"Which label is missing?"</h3>
                <ul class="plain-list missing">{lines.collect_view()}</ul>
            }
        });
        let unchecked = (!self.unchecked.is_empty()).then(|| {
            let said = format!("Not checked: {}.", visible(&self.unchecked.join("; ")));
            view! { <p class="note">{said}</p> }
        });
        view! {
            {sentence}
            {direct}
            {table(&self.groups)}
            {missing}
            {unchecked}
        }
        .into_any()
    }
}

/// A line a node, or for those of which the same is to be said; a column a filter that refuses some.
fn table(groups: &[Group]) -> Option<AnyView> {
    if groups.is_empty() {
        return None;
    }
    let columns = columns(groups);
    let heads =
        columns.iter().map(|plugin| view! { <th scope="col" title=plugin.name()>{plugin.about()}</th> });
    let lines = groups.iter().take(LINES).map(|group| line(group, &columns));
    let more = groups.len().checked_sub(LINES + 1).map(|more| {
        view! { <p class="note">{format!("And {} more lines.", more + 1)}</p> }
    });
    let rest: Vec<&str> =
        Plugin::ALL.iter().filter(|plugin| !columns.contains(plugin)).map(|plugin| plugin.about()).collect();
    let passed = (!rest.is_empty()).then(|| {
        let said = format!("Nowhere in the way: {}.", rest.join(", ").to_lowercase());
        view! { <p class="note">{said}</p> }
    });
    let spoken = (!columns.is_empty()).then(|| {
        view! { <p class="note">"What is in bold is what the scheduler says: the first that is in the way."</p> }
    });
    let table = view! {
            <table class="plain verdicts">
                <thead>
                    <tr>
                        <th scope="col">"Node"</th>
                        <th scope="col">"Fits"</th>
                        {heads.collect_view()}
                    </tr>
                </thead>
                <tbody>{lines.collect_view()}</tbody>
            </table>
    };
    let view = view! {
        {scroll::frame("Nodes", table)}
        {more}
        {spoken}
        {passed}
    };
    Some(view.into_any())
}

fn line(group: &Group, columns: &[Plugin]) -> impl IntoView + use<> {
    let (health, word) = if group.fits() { (Health::Healthy, "yes") } else { (Health::Failing, "no") };
    let cells = columns.iter().map(|plugin| {
        let cell = group.cells.iter().find(|(of, ..)| of == plugin);
        let view = cell.map(|(_, text, spoken)| {
            let text = visible(text).into_owned();
            if *spoken { view! { <strong>{text}</strong> }.into_any() } else { text.into_any() }
        });
        view! { <td>{view.unwrap_or_else(|| view! { <span class="none">"–"</span> }.into_any())}</td> }
    });
    view! {
        <tr>
            <th scope="row">{nodes(&group.nodes)}</th>
            <td class="fits">{icon::shape(health)} {word}</td>
            {cells.collect_view()}
        </tr>
    }
    .into_any()
}

/// The first by name, the rest folded.
fn nodes(all: &[Text]) -> AnyView {
    let link = |node: &Text| name::object_link(Kind::Node, "", node);
    let links = |nodes: &[Text]| nodes.iter().map(|node| view! { <li>{link(node)}</li> }).collect_view();
    if all.len() <= BESIDE {
        return view! { <ul class="plain-list">{links(all)}</ul> }.into_any();
    }
    let more = all.len().saturating_sub(BELOW);
    let shown = all.get(..BELOW).unwrap_or(all);
    view! {
        <details>
            <summary>{format!("{} nodes", all.len())}</summary>
            <ul class="plain-list">
                {links(shown)}
                {(more > 0).then(|| view! { <li class="note">{format!("and {more} more")}</li> })}
            </ul>
        </details>
    }
    .into_any()
}
