//! Pure questions about rows: which of them, in what order, grouped by what.

pub mod advice;
mod command;
pub mod complete;
pub mod drain;
pub mod endpoints;
mod history;
pub mod in_use;
pub mod line;
mod owned;
pub mod place;
pub mod probed;
pub mod problems;
pub mod selects;
pub mod skew;
pub mod wall;

use std::{cmp::Ordering, collections::BTreeMap, sync::Arc};

pub use command::{kubectl, rollout};
pub use complete::Completion;
pub use history::{Held, controller_revisions, revisions};
pub use in_use::InUse;
pub use line::{Heading, Line, headings};
pub use owned::pods_by_owner;
pub use place::{Fact, Group, Page, Place, Sort, Theme, percent_decode};

use crate::{
    api::{Health, Kind, Uid},
    field_selector::FieldSelector,
    selector::{Selector, SelectorError},
};

/// One line of a table's body.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Item {
    /// A heading over the lines that follow.
    Group {
        /// What they have in common.
        title: Arc<str>,
        /// How many they are.
        count: usize,
        /// How many of them are in each state, worst first.
        states: [usize; 5],
    },
    /// A row.
    Line(Uid),
}

/// What a table shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// Rows and group headings, in order.
    pub items: Arc<[Item]>,
    /// Rows that match.
    pub matches: usize,
    /// Rows there are without any filter.
    pub of: usize,
}

/// Answers a place's question about the rows of its table.
pub fn answer(kind: Kind, mut lines: Vec<Arc<dyn Line>>, place: &Place) -> Result<Answer, SelectorError> {
    let of = lines.len();
    let filter = Filter::of(place, kind)?;
    lines.retain(|line| filter.keeps(&**line));
    sort(kind, &mut lines, place.sort.as_ref());
    let matches = lines.len();
    let items = match &place.group {
        None => lines.iter().map(|line| Item::Line(line.meta().uid)).collect(),
        Some(group) => grouped(&lines, group),
    };
    Ok(Answer { items, matches, of })
}

/// What a place keeps, read once for many rows.
pub struct Filter<'a> {
    place: &'a Place,
    selector: Selector,
    fields: FieldSelector,
    needle: String,
}

impl<'a> Filter<'a> {
    /// Reads the place's selectors, for rows of one kind.
    pub fn of(place: &'a Place, kind: Kind) -> Result<Filter<'a>, SelectorError> {
        Ok(Filter {
            place,
            selector: Selector::parse(&place.selector)?,
            fields: FieldSelector::parse_typed(&place.fields, [kind])?,
            needle: place.text.trim().to_lowercase(),
        })
    }

    /// Whether the row stays.
    pub fn keeps(&self, line: &dyn Line) -> bool {
        let meta = line.meta();
        let namespace = if line.kind() == Kind::Namespace { &*meta.name } else { &*meta.namespace };
        let namespaces = &self.place.namespaces;
        (namespaces.is_empty() || namespace.is_empty() || namespaces.iter().any(|n| n == namespace))
            && self.selector.matches(&meta.labels)
            && self.fields.matches(line)
            && self.place.only.iter().all(|(fact, value)| line.fact(*fact, value))
            && (self.needle.is_empty() || line.mentions(&self.needle))
    }
}

/// By the column asked for, else as kubectl does. Events: newest first.
fn sort(kind: Kind, lines: &mut [Arc<dyn Line>], sort: Option<&Sort>) {
    let by_name = |a: &Arc<dyn Line>, b: &Arc<dyn Line>| {
        let (a, b) = (a.meta(), b.meta());
        a.key_order(b).then(a.uid.cmp(&b.uid))
    };
    let headings = headings(kind);
    let label = sort.and_then(|sort| sort.by.strip_prefix("label:"));
    let namespace = sort.is_some_and(|sort| sort.by == "namespace");
    let column = match sort {
        Some(sort) => headings.iter().position(|heading| heading.text.eq_ignore_ascii_case(&sort.by)),
        None if kind == Kind::Event => Some(0),
        None => None,
    };
    let descending = sort.is_some_and(|sort| sort.descending);
    lines.sort_by(|a, b| {
        let order = match (column, label) {
            (Some(column), _) => a.order(&**b, column),
            (None, Some(key)) => a.meta().labels.get(key).cmp(&b.meta().labels.get(key)),
            (None, None) if namespace => a.meta().namespace.cmp(&b.meta().namespace),
            (None, None) => Ordering::Equal,
        };
        let order = if descending { order.reverse() } else { order };
        order.then_with(|| by_name(a, b))
    });
}

fn grouped(lines: &[Arc<dyn Line>], group: &Group) -> Arc<[Item]> {
    let mut groups: BTreeMap<(bool, String), Vec<&Arc<dyn Line>>> = BTreeMap::new();
    for line in lines {
        let title = line.group(group);
        groups.entry((title.is_none(), title.unwrap_or_else(|| without(group)))).or_default().push(line);
    }
    let mut items = Vec::with_capacity(lines.len() + groups.len());
    for ((_, title), lines) in groups {
        let states = tally(lines.iter().map(|line| line.health()));
        items.push(Item::Group { title: title.into(), count: lines.len(), states });
        items.extend(lines.iter().map(|line| Item::Line(line.meta().uid)));
    }
    items.into()
}

/// What is said of those that belong to no group.
pub fn without(group: &Group) -> String {
    match group {
        Group::Owner => "no owner".to_owned(),
        Group::Node => "not on a node".to_owned(),
        Group::Namespace => "no namespace".to_owned(),
        Group::Object => "about nothing".to_owned(),
        Group::Label(key) => format!("without {key}"),
    }
}

/// How many are in each state, in the order of [`Health::ALL`].
pub fn tally(states: impl Iterator<Item = Health>) -> [usize; 5] {
    let mut counts = [0; 5];
    for state in states {
        if let Some(at) = Health::ALL.iter().position(|s| *s == state) {
            counts[at] += 1;
        }
    }
    counts
}

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;
