//! ⑧ kubectl's table, windowed: a real `<table>` of which only the rows near the screen exist.
//!
//! Every row has the same height, so a spacer before and one after stand for the rest. While the
//! pointer or the focus is on the body, nothing moves: rows change in place, and what would move
//! is announced on a button instead.

mod row;
mod window;

use std::{collections::HashMap, sync::Arc};

use leptos::{html, prelude::*};
pub use row::tallies;
use row::{Group, GroupRow, LineRow};
use window::Window;

use crate::{
    api::{Align, Kind, Uid},
    components::{
        here::Here,
        hold::{Pending, distance, let_go},
        store,
    },
    query::{Answer, Heading, Item, Page, Place, Sort, endpoints::Tally, headings},
    selector::SelectorError,
};

/// One column of this table.
#[derive(Clone, Debug, PartialEq)]
pub enum Col {
    /// `kubectl get -A`'s first column.
    Namespace,
    /// A column of kubectl's, by its place in [`crate::api::Row::COLUMNS`].
    Cell(usize, Heading),
    /// `-L key`.
    Label(String),
    /// `--show-labels`, as chips.
    Labels,
    /// The pods it owns, as tiles; see [`Owned`].
    Pods,
    /// The sentence of `kubectl rollout status`.
    Rollout,
    /// How many of its addresses are ready; see [`Addresses`].
    Addresses,
}

/// How many addresses each row has, for tables with [`Extra::Addresses`]; provided by the page.
#[derive(Clone, Copy)]
pub struct Addresses {
    /// By row, of a row `None` if it has none of its own; `None` altogether while they are not known.
    pub tallies: Memo<Option<HashMap<Uid, Option<Tally>>>>,
    /// They are not known to be current.
    pub old: Memo<bool>,
}

/// Each controller's pods, for tables with [`Extra::Pods`]; provided by the page.
#[derive(Clone, Copy)]
pub struct Owned(pub Memo<HashMap<Uid, Vec<Uid>>>);

/// Columns that a page puts behind kubectl's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Extra {
    /// One of kubectl's wide ones, also when the table is not wide.
    Wide(&'static str),
    /// See [`Col::Labels`].
    Labels,
    /// See [`Col::Pods`].
    Pods,
    /// See [`Col::Rollout`].
    Rollout,
    /// See [`Col::Addresses`].
    Addresses,
}

impl Col {
    fn heading(&self) -> String {
        match self {
            Col::Namespace => "NAMESPACE".to_owned(),
            Col::Cell(_, heading) => heading.text.to_owned(),
            Col::Label(key) => super::chip::short(key).to_uppercase(),
            Col::Labels => "LABELS".to_owned(),
            Col::Pods => "PODS".to_owned(),
            Col::Rollout => "ROLLOUT STATUS".to_owned(),
            Col::Addresses => "ADDRESSES".to_owned(),
        }
    }

    /// What `sort=` says for it; `None` for what has no order.
    fn sort_word(&self) -> Option<String> {
        match self {
            Col::Namespace => Some("namespace".to_owned()),
            Col::Cell(_, heading) => Some(heading.text.to_lowercase()),
            Col::Label(key) => Some(format!("label:{key}")),
            Col::Labels | Col::Pods | Col::Rollout | Col::Addresses => None,
        }
    }

    /// The class that gives it width, side and the order in which columns leave narrow screens.
    pub fn class(&self) -> String {
        match self {
            Col::Namespace => "c-namespace".to_owned(),
            Col::Cell(_, heading) => {
                let word = heading.text.to_lowercase().replace(' ', "-").replace(['(', ')'], "");
                let side = if heading.align == Align::Right { " right" } else { "" };
                let wide = if heading.wide { " c-wide" } else { "" };
                format!("c-{word}{side}{wide}")
            }
            Col::Label(_) => "c-label".to_owned(),
            Col::Labels => "c-labels".to_owned(),
            Col::Pods => "c-pods".to_owned(),
            Col::Rollout => "c-rollout".to_owned(),
            Col::Addresses => "c-addresses".to_owned(),
        }
    }
}

/// The columns of a kind at a place.
fn columns(kind: Kind, place: &Place, extra: &[Extra]) -> Vec<Col> {
    let mut cols = Vec::new();
    // What belongs to an object is in its namespace.
    let said = matches!(&place.page, Page::Object(key) if key.kind.namespaced());
    if kind.namespaced() && !said && place.namespaces.len() != 1 {
        cols.push(Col::Namespace);
    }
    let heads = headings(kind).into_iter().enumerate();
    let shown = |h: &Heading| place.wide || !h.wide || extra.contains(&Extra::Wide(h.text));
    cols.extend(heads.filter(|(_, h)| shown(h)).map(|(at, h)| Col::Cell(at, h)));
    if place.page.tables().contains(&kind) {
        cols.extend(place.columns.iter().cloned().map(Col::Label));
    }
    cols.extend(extra.iter().filter_map(|extra| match extra {
        Extra::Wide(_) => None,
        Extra::Labels => Some(Col::Labels),
        Extra::Pods => Some(Col::Pods),
        Extra::Rollout => Some(Col::Rollout),
        Extra::Addresses => Some(Col::Addresses),
    }));
    cols
}

/// What a table shows at the moment, and how far that is from what it should.
#[derive(Clone, Default)]
struct Shown {
    place: Place,
    items: Arc<[Item]>,
    pending: usize,
}

/// The table of a kind.
#[component]
pub fn Table(
    kind: Kind,
    /// What to show; the caller handles a bad selector.
    answer: Memo<Result<Answer, SelectorError>>,
    /// Accessible name.
    #[prop(into)]
    caption: String,
    /// Headings sort.
    #[prop(optional)]
    sortable: bool,
    /// Columns behind kubectl's.
    #[prop(optional)]
    extra: &'static [Extra],
) -> impl IntoView {
    let here = Here::get();
    let store = store();
    let cols = Memo::new(move |_| columns(kind, &here.place(), extra));
    let held = RwSignal::new(false);
    let_go(held);
    let shown = hold(here, answer, held);
    let body = NodeRef::<html::Tbody>::new();
    let window = Window::over(body, Signal::derive(move || shown.with(|shown| shown.items.len())));
    let rows = Memo::new(move |_| {
        let matches = answer.with(|answer| answer.as_ref().map(|answer| answer.matches).unwrap_or_default());
        store.partial().map_or(matches, |partial| matches.max(partial.matches as usize))
    });
    let visible = Memo::new(move |_| {
        let (first, last) = window.range();
        shown.with(|shown| {
            let last = last.min(shown.items.len());
            let first = first.min(last);
            shown.items[first..last]
                .iter()
                .cloned()
                .enumerate()
                .map(|(i, item)| (item, first + i))
                .collect::<HashMap<_, _>>()
        })
    });
    // aria-rowindex counts from 1, and the heading is the first.
    let position =
        move |item: &Item| visible.with(|visible| visible.get(item).map(|at| (at + 2).to_string()));
    let keys = move || {
        let (first, last) = window.range();
        shown.with(|shown| {
            let last = last.min(shown.items.len());
            shown.items[first.min(last)..last].to_vec()
        })
    };
    let pending = Memo::new(move |_| shown.with(|shown| shown.pending));
    view! {
        <div class="table-frame">
            <Pending count=pending held />
            <table
                class=format!("rows {}", kind.plural())
                aria-label=caption
                aria-rowcount=move || (rows.get() + 1).to_string()
            >
                <thead>
                    <tr aria-rowindex="1">
                        {move || {
                            let sort = here.place().sort;
                            cols.get().into_iter().map(|col| heading(here, col, sortable, sort.as_ref())).collect_view()
                        }}
                    </tr>
                </thead>
                <tbody
                    node_ref=body
                    on:pointerenter=move |event| held.set(event.pointer_type() == "mouse")
                    on:pointerleave=move |_| held.set(false)
                    on:focusin=move |_| held.set(true)
                    on:focusout=move |_| held.set(false)
                >
                    <tr class="spacer" node_ref=window.before aria-hidden="true">
                        <td></td>
                    </tr>
                    <For
                        each=keys
                        key=|item| match item {
                            Item::Line(uid) => (Some(*uid), None),
                            Item::Group { title, .. } => (None, Some(title.clone())),
                        }
                        children=move |item| {
                            let index = { let item = item.clone(); move || position(&item) };
                            match item {
                                Item::Line(uid) => {
                                    view! { <LineRow kind uid cols index=Signal::derive(index) /> }.into_any()
                                }
                                Item::Group { title, .. } => {
                                    let group = move || {
                                        let said = answer.with(|answer| {
                                            let answer = answer.as_ref().ok()?;
                                            Some(group_now(&answer.items, &title))
                                        });
                                        said.or_else(|| shown.with(|shown| group_of(&shown.items, &title)))
                                    };
                                    view! { <GroupRow group=Signal::derive(group) /> }.into_any()
                                }
                            }
                        }
                    />
                    <tr class="spacer" node_ref=window.after aria-hidden="true">
                        <td></td>
                    </tr>
                </tbody>
            </table>
        </div>
    }
    .into_any()
}

fn group_of(items: &[Item], wanted: &str) -> Option<Group> {
    items.iter().find_map(|item| match item {
        Item::Group { title, count, states } if **title == *wanted => Some((title.clone(), *count, *states)),
        _ => None,
    })
}

/// A group as it is, however long its heading has stood there: of one that is not in the answer there is nothing left.
fn group_now(items: &[Item], wanted: &Arc<str>) -> Group {
    group_of(items, wanted).unwrap_or_else(|| (wanted.clone(), 0, [0; 5]))
}

/// Follows the answer, except in order and membership while `held`.
fn hold(here: Here, answer: Memo<Result<Answer, SelectorError>>, held: RwSignal<bool>) -> RwSignal<Shown> {
    let items =
        move || answer.with(|answer| answer.as_ref().map(|answer| answer.items.clone()).unwrap_or_default());
    let first = Shown { place: here.place_now(), items: untrack(items), pending: 0 };
    let shown = RwSignal::new(first);
    Effect::new(move |_| {
        let (place, items) = (here.place(), items());
        let asked = shown.with_untracked(|shown| shown.place != place);
        if !held.get() || asked {
            let differs = shown.with_untracked(|shown| shown.items != items || shown.pending > 0);
            if differs || asked {
                shown.set(Shown { place, items, pending: 0 });
            }
            return;
        }
        let pending = shown.with_untracked(|shown| distance(&lines(&shown.items), &lines(&items)));
        if shown.with_untracked(|shown| shown.pending != pending) {
            shown.update(|shown| shown.pending = pending);
        }
    });
    shown
}

/// The rows among them, without the headings of groups.
fn lines(items: &[Item]) -> Vec<Uid> {
    let line = |item: &Item| if let Item::Line(uid) = item { Some(*uid) } else { None };
    items.iter().filter_map(line).collect()
}

/// A column's head, a link that sorts by it.
fn heading(here: Here, col: Col, sortable: bool, sort: Option<&Sort>) -> impl IntoView + use<> {
    let text = col.heading();
    let word = col.sort_word().filter(|_| sortable);
    let now = word.as_ref().and_then(|word| sort.filter(|sort| sort.by == *word)).map(|sort| sort.descending);
    let aria = match now {
        Some(true) => Some("descending"),
        Some(false) => Some("ascending"),
        None => word.as_ref().map(|_| "none"),
    };
    let content = match word {
        None => view! { <span>{text}</span> }.into_any(),
        Some(by) => {
            // Ascending, descending, kubectl's own order.
            let next = match now {
                None => Some(Sort { by, descending: false }),
                Some(false) => Some(Sort { by, descending: true }),
                Some(true) => None,
            };
            let href = here.place_now().with(|place| place.sort = next).href();
            let arrow = now.map(|descending| {
                let arrow = if descending { "↓" } else { "↑" };
                view! { <span class="arrow" aria-hidden="true">{arrow}</span> }
            });
            view! { <a href=href>{text}{arrow}</a> }.into_any()
        }
    };
    view! {
        <th scope="col" class=col.class() aria-sort=aria>
            {content}
        </th>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_that_is_held_says_how_its_group_is_now() {
        let title: Arc<str> = "web".into();
        let group = |count, states| Item::Group { title: title.clone(), count, states };
        let before = [group(1, [0, 0, 0, 0, 1]), Item::Line(Uid(1))];
        let after = [group(2, [1, 0, 0, 0, 1]), Item::Line(Uid(1)), Item::Line(Uid(2))];
        assert_eq!(group_now(&before, &title), (title.clone(), 1, [0, 0, 0, 0, 1]));
        assert_eq!(group_now(&after, &title), (title.clone(), 2, [1, 0, 0, 0, 1]));
        assert_eq!(group_now(&[], &title), (title.clone(), 0, [0; 5]), "nothing is left in it");
        assert_eq!(distance(&lines(&before), &lines(&after)), 1, "a heading is no row");
    }
}
