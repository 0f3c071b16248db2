//! One row of a table. Each cell follows its row alone, and the clock only where it ticks.

use std::sync::Arc;

use leptos::prelude::*;

use super::{Addresses, Col, Owned};
use crate::{
    api::{Event, Health, Kind, Uid},
    components::{chip, hold, icon, name, store, strip::Way, tiles::Tiles},
    format::visible,
    query::Line,
    store::Store,
};

/// A row, kept as it last was when the store lets go of it while it stays on screen.
type Row = Memo<Option<Arc<dyn Line>>>;

fn follow(store: &Store, kind: Kind, uid: Uid) -> Row {
    let store = store.clone();
    Memo::new_with_compare(
        move |before: Option<&Option<Arc<dyn Line>>>| {
            store.line(kind, uid).or_else(|| before.cloned().flatten())
        },
        |a, b| match (a, b) {
            (Some(Some(a)), Some(Some(b))) => !Arc::ptr_eq(a, b),
            _ => true,
        },
    )
}

#[component]
pub fn LineRow(kind: Kind, uid: Uid, cols: Memo<Vec<Col>>, index: Signal<Option<String>>) -> impl IntoView {
    let store = store();
    let line = follow(&store, kind, uid);
    let gone = hold::gone(&store, kind, uid);
    let fresh = {
        let store = store.clone();
        move || store.fresh(kind, uid)
    };
    let health =
        Memo::new(move |_| line.with(|line| line.as_ref().map_or(Health::Unknown, |line| line.health())));
    let cells = move || {
        let store = store.clone();
        let cols = cols.get();
        // Narrow screens drop NAMESPACE, but never kubectl's first column.
        let lead = cols.iter().position(|col| matches!(col, Col::Cell(..)));
        cols.into_iter()
            .enumerate()
            .map(|(at, col)| cell(&store, line, uid, kind, col, (Some(at) == lead).then_some(health)))
            .collect_view()
    };
    view! {
        <tr
            data-state=move || health.get().word()
            class:gone=move || gone.get()
            class:fresh=fresh
            aria-rowindex=move || index.get()
        >
            {cells}
        </tr>
    }
    .into_any()
}

/// A cell; the first one of a row carries its state.
fn cell(store: &Store, line: Row, uid: Uid, kind: Kind, col: Col, health: Option<Memo<Health>>) -> AnyView {
    let class = col.class();
    let lead = health.map(|health| {
        let title = move || line.with(|line| line.as_ref().map(|line| visible(line.why()).into_owned()));
        view! { <span class="lead" title=title>{move || icon::state(health.get())}</span> }
    });
    let with = move |read: fn(&dyn Line) -> String| line.with(|line| line.as_ref().map(|line| read(&**line)));
    match col {
        Col::Namespace => view! {
            <td class=class>{lead}{move || with(|line| line.meta().namespace.to_string())}</td>
        }
        .into_any(),
        Col::Label(key) => {
            let value = move || {
                line.with(|line| {
                    line.as_ref().and_then(|line| {
                        line.meta().labels.get(&key).map(|value| visible(value).into_owned())
                    })
                })
            };
            view! { <td class=class>{lead}{value}</td> }.into_any()
        }
        Col::Labels => {
            let labels =
                Memo::new(move |_| line.with(|line| line.as_ref().map(|line| line.meta().labels.clone())));
            view! {
                <td class=class>{lead}{move || labels.get().map(|labels| chip::labels(kind, &labels))}</td>
            }
            .into_any()
        }
        Col::Pods => {
            let owned = use_context::<Owned>();
            let uids = Signal::derive(move || {
                owned
                    .map(|Owned(owned)| owned.with(|owned| owned.get(&uid).cloned().unwrap_or_default()))
                    .unwrap_or_default()
            });
            view! { <td class=class>{lead}<Tiles kind=Kind::Pod uids label="Its pods" most=40 /></td> }
                .into_any()
        }
        Col::Rollout => {
            let sentence = move || {
                line.with(|line| {
                    line.as_ref().and_then(|line| line.rollout()).map(|rollout| rollout.sentence)
                })
            };
            view! {
                <td class=class>{lead}<Way line=line /><span class="text" title=sentence>{sentence}</span></td>
            }
            .into_any()
        }
        Col::Addresses => {
            let known = use_context::<Addresses>();
            let tally =
                Memo::new(move |_| known?.tallies.with(|tallies| tallies.as_ref()?.get(&uid).copied()));
            let old = move || known.is_some_and(|known| known.old.get());
            let said = move || match tally.get() {
                None => "not known".into_any(),
                Some(None) => "its name's".into_any(),
                Some(Some(tally)) => view! { {icon::state(tally.health())} " " {tally.brief()} }.into_any(),
            };
            view! { <td class=class>{lead}<span class="text" class:was=old>{said}</span></td> }.into_any()
        }
        Col::Cell(at, heading) => {
            let now = store.clone();
            let text = Memo::new(move |_| {
                let seconds = if heading.ticks { now.now().seconds() } else { Default::default() };
                line.with(|line| line.as_ref().map(|line| visible(&line.cell(at, seconds)).into_owned()))
                    .unwrap_or_default()
            });
            let marks = store.clone();
            let class = move || match marks.mark(kind, uid, at) {
                "" => class.clone(),
                mark => format!("{class} {mark}"),
            };
            if heading.text == "NAME" && kind != Kind::Event {
                let link = move || line.with(|line| line.as_ref().map(|line| name::link(kind, line.meta())));
                return view! { <th scope="row" class=class>{lead}{link}</th> }.into_any();
            }
            if heading.text == "OBJECT" {
                let link = move || line.with(|line| line.as_ref().map(|line| involved(&**line, &text.get())));
                return view! { <td class=class>{lead}{link}</td> }.into_any();
            }
            if heading.text == "NODE" {
                let link = move || match text.get() {
                    node if node.starts_with('<') => node.into_any(),
                    node => name::object_link(Kind::Node, "", &node),
                };
                return view! { <td class=class>{lead}{link}</td> }.into_any();
            }
            view! {
                <td class=class>
                    {lead} <span class="text" title=move || text.get()>{move || text.get()}</span>
                </td>
            }
            .into_any()
        }
    }
}

/// An event's OBJECT, as a link where that kind has pages.
fn involved(line: &dyn Line, text: &str) -> AnyView {
    let any: &dyn std::any::Any = line;
    match any.downcast_ref::<Event>() {
        Some(event) => match Kind::parse(&event.object_kind).filter(|_| !event.object_name.is_empty()) {
            Some(kind) => view! { <span class="ref"><span class="of-kind">{format!("{}/", kind.singular())}</span>{name::object_link(kind, &event.object_namespace, &event.object_name)}</span> }
            .into_any(),
            None => text.to_owned().into_any(),
        },
        None => text.to_owned().into_any(),
    }
}

/// What a group is called, how many are in it, and how they are.
pub type Group = (Arc<str>, usize, [usize; 5]);

/// A heading over a group. It spans no columns, since which of them are there is the style sheet's
/// to say; it is let out over the cells that it does not have.
#[component]
pub fn GroupRow(group: Signal<Option<Group>>) -> impl IntoView {
    view! {
        <tr class="group">
            <th scope="rowgroup">
                {move || {
                    group
                        .get()
                        .map(|(title, count, states)| {
                            view! {
                                <span class="title">{visible(&title).into_owned()}</span>
                                <span class="count">{count}</span>
                                {tallies(states)}
                            }
                        })
                }}
            </th>
        </tr>
    }
    .into_any()
}

/// How many are in each state, leaving out those that none is in.
pub fn tallies(states: [usize; 5]) -> impl IntoView {
    Health::ALL
        .into_iter()
        .zip(states)
        .filter(|(_, count)| *count > 0)
        .map(|(health, count)| {
            view! { <span class="tally" title=health.word()>{icon::state(health)}{count}</span> }
        })
        .collect_view()
}
