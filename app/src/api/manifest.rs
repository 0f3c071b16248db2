//! A pod template as people write it, field by field, and what differs between two.
//!
//! What is not shown is in it as a seal: it tells that two differ, and nothing else.

use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

/// The annotation that `kubectl rollout restart` sets on a template.
pub const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

/// So many lines of a difference are told.
const LINES: usize = 1_000;
/// Lists whose items have no names are matched item by item up to so many pairs.
const PAIRS: usize = 40_000;

/// A field's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Field {
    /// Fields by name, in the order of their names, as kubectl prints them.
    Map(Vec<(Arc<str>, Field)>),
    /// Items.
    List(Vec<Field>),
    /// Anything else, as YAML writes it.
    Scalar(Arc<str>),
    /// What is not shown. Equal seals stand for equal values.
    Withheld(u64),
}

/// [`Field::Map`] of a template, packed: some thousand are kept, and few are ever looked at.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Manifest(Arc<[u8]>);

impl Manifest {
    /// Packs.
    pub fn of(field: &Field) -> Manifest {
        Manifest(crate::wire::to_bytes(field).into())
    }

    /// Unpacks; of none, no fields.
    pub fn field(&self) -> Field {
        postcard::from_bytes(&self.0).unwrap_or(Field::Map(Vec::new()))
    }
}

impl std::fmt::Debug for Manifest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Manifest({} bytes)", self.0.len())
    }
}

/// What differs between the templates of two revisions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// The revision that is left.
    pub from: i64,
    /// The revision that is reached.
    pub to: i64,
    /// What differs, with the fields it is in. Empty if nothing does.
    pub lines: Vec<Line>,
    /// How many lines more there are.
    pub more: u32,
}

/// A line of YAML.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Line {
    /// In which of the two it is.
    pub mark: Mark,
    /// How deep, in steps of two spaces.
    pub depth: u8,
    /// Without its indentation.
    pub text: Arc<str>,
}

/// In which of two templates a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// In both.
    Same,
    /// In the first only.
    Removed,
    /// In the second only.
    Added,
    /// In both, with another value that is withheld.
    Changed,
}

impl Mark {
    /// The character in front of its line.
    pub fn sign(self) -> char {
        match self {
            Mark::Same => ' ',
            Mark::Removed => '-',
            Mark::Added => '+',
            Mark::Changed => '~',
        }
    }
}

impl Difference {
    /// Between the templates of `from` and `to`.
    pub fn between(from: (i64, &Field), to: (i64, &Field)) -> Difference {
        let mut lines = Lines::default();
        lines.compare(&mut Cursor::default(), None, from.1, to.1);
        let more = lines.0.len().saturating_sub(LINES);
        lines.0.truncate(LINES);
        Difference { from: from.0, to: to.0, lines: lines.0, more: more as u32 }
    }
}

/// Whether two templates differ, and in nothing but [`RESTARTED_AT`].
pub fn is_restart(from: &Field, to: &Field) -> bool {
    from != to && without_restart(from) == without_restart(to)
}

fn without_restart(template: &Field) -> Field {
    let mut template = template.clone();
    let Field::Map(fields) = &mut template else { return template };
    let Some((_, Field::Map(metadata))) = fields.iter_mut().find(|(key, _)| **key == *"metadata") else {
        return template;
    };
    for (key, field) in metadata.iter_mut() {
        if let (b"annotations", Field::Map(annotations)) = (key.as_bytes(), field) {
            annotations.retain(|(key, _)| **key != *RESTARTED_AT);
        }
    }
    // none is as good as an empty one
    metadata.retain(|(_, field)| *field != Field::Map(Vec::new()));
    fields.retain(|(_, field)| *field != Field::Map(Vec::new()));
    template
}

/// Where the next line goes.
#[derive(Clone, Copy, Default)]
struct Cursor {
    depth: usize,
    /// It begins a list's item.
    dash: bool,
}

impl Cursor {
    fn deeper(self) -> Cursor {
        Cursor { depth: self.depth + 1, dash: false }
    }

    fn item(self) -> Cursor {
        Cursor { depth: self.depth, dash: true }
    }
}

#[derive(Default)]
struct Lines(Vec<Line>);

impl Lines {
    fn line(&mut self, at: &mut Cursor, text: &str, mark: Mark) {
        let dash = if at.dash { "- " } else { "" };
        let depth = u8::try_from(at.depth).unwrap_or(u8::MAX);
        self.0.push(Line { mark, depth, text: format!("{dash}{text}").into() });
        *at = Cursor { depth: at.depth + usize::from(at.dash), dash: false };
    }

    /// A field as a whole.
    fn put(&mut self, at: &mut Cursor, key: Option<&str>, field: &Field, mark: Mark) {
        let named = |value: &str| key.map_or_else(|| value.to_owned(), |key| format!("{key}: {value}"));
        match field {
            Field::Scalar(text) => self.line(at, &named(text), mark),
            Field::Withheld(_) => self.line(at, &named("<withheld>"), mark),
            Field::Map(fields) if fields.is_empty() => self.line(at, &named("{}"), mark),
            Field::List(items) if items.is_empty() => self.line(at, &named("[]"), mark),
            Field::Map(fields) => {
                let mut inner = self.open(at, key, mark);
                for (key, field) in fields {
                    self.put(&mut inner, Some(key), field, mark);
                }
            }
            Field::List(items) => {
                let inner = self.open_list(at, key, mark);
                for item in items {
                    self.put(&mut inner.item(), None, item, mark);
                }
            }
        }
    }

    /// The line that a map's fields follow; a list's item has none, its first field begins it.
    fn open(&mut self, at: &mut Cursor, key: Option<&str>, mark: Mark) -> Cursor {
        let Some(key) = key else { return *at };
        self.line(at, &format!("{key}:"), mark);
        // the template itself has no name and no depth
        at.deeper()
    }

    fn open_list(&mut self, at: &mut Cursor, key: Option<&str>, mark: Mark) -> Cursor {
        match key {
            Some(key) => self.line(at, &format!("{key}:"), mark),
            None => self.line(at, "-", mark),
        }
        *at
    }

    /// What differs, with what says where it is.
    fn compare(&mut self, at: &mut Cursor, key: Option<&str>, from: &Field, to: &Field) {
        match (from, to) {
            _ if from == to => {}
            (Field::Map(old), Field::Map(new)) => {
                let mut inner = self.open(at, key, Mark::Same);
                self.compare_maps(&mut inner, old, new);
            }
            (Field::List(old), Field::List(new)) => {
                let inner = self.open_list(at, key, Mark::Same);
                self.compare_lists(inner, old, new);
            }
            (Field::Withheld(_), Field::Withheld(_)) => self.put(at, key, to, Mark::Changed),
            _ => {
                // both begin at the same place
                self.put(&mut at.clone(), key, from, Mark::Removed);
                self.put(at, key, to, Mark::Added);
            }
        }
    }

    fn compare_maps(&mut self, at: &mut Cursor, old: &[(Arc<str>, Field)], new: &[(Arc<str>, Field)]) {
        let item = at.dash;
        let keys: BTreeSet<&Arc<str>> = old.iter().chain(new).map(|(key, _)| key).collect();
        for key in keys {
            match (get(old, key), get(new, key)) {
                // what an item is known by
                (Some(a), Some(b)) if a == b && item && IDENTITIES.contains(&&**key) => {
                    self.put(at, Some(key), b, Mark::Same);
                }
                (Some(a), Some(b)) => self.compare(at, Some(key), a, b),
                (Some(a), None) => self.put(&mut at.clone(), Some(key), a, Mark::Removed),
                (None, Some(b)) => self.put(at, Some(key), b, Mark::Added),
                (None, None) => {}
            }
        }
    }

    fn compare_lists(&mut self, at: Cursor, old: &[Field], new: &[Field]) {
        for (from, to) in pairs(old, new) {
            match (from, to) {
                (Some(from), Some(to)) => self.compare(&mut at.item(), None, from, to),
                (Some(from), None) => self.put(&mut at.item(), None, from, Mark::Removed),
                (None, Some(to)) => self.put(&mut at.item(), None, to, Mark::Added),
                (None, None) => {}
            }
        }
    }
}

/// What an item of a list is known by, the first that it has: Kubernetes' own merge keys
/// (`patchMergeKey` in `core/v1` `types.go`).
const IDENTITIES: [&str; 5] = ["name", "containerPort", "mountPath", "devicePath", "topologyKey"];

fn get<'a>(fields: &'a [(Arc<str>, Field)], key: &str) -> Option<&'a Field> {
    let at = fields.binary_search_by(|(name, _)| (**name).cmp(key)).ok()?;
    fields.get(at).map(|(_, field)| field)
}

fn identity(item: &Field) -> Option<&str> {
    let Field::Map(fields) = item else { return None };
    IDENTITIES.into_iter().find_map(|key| match get(fields, key)? {
        Field::Scalar(name) => Some(&**name),
        _ => None,
    })
}

type Pairs<'a> = Vec<(Option<&'a Field>, Option<&'a Field>)>;

/// Items that belong together. By name where each has one and those of both lists come in the same order, for
/// that means something too; else equal ones, as many as can be without one crossing another.
fn pairs<'a>(old: &'a [Field], new: &'a [Field]) -> Pairs<'a> {
    let names = |items: &'a [Field]| {
        let names: Vec<&str> = items.iter().filter_map(identity).collect();
        let unique = names.iter().collect::<BTreeSet<_>>().len() == items.len();
        unique.then_some(names)
    };
    if let (Some(olds), Some(news)) = (names(old), names(new)) {
        let common = |names: &[&'a str], others: &[&'a str]| {
            let others: HashSet<&str> = others.iter().copied().collect();
            names.iter().copied().filter(|name| others.contains(name)).collect::<Vec<_>>()
        };
        if common(&olds, &news) == common(&news, &olds) {
            return merged(old, new, |a, b| identity(a) == identity(b));
        }
    }
    merged(old, new, |a, b| a == b)
}

/// The longest common subsequence, and between its items what only one list has, the first list's first.
fn merged<'a>(old: &'a [Field], new: &'a [Field], same: impl Fn(&Field, &Field) -> bool) -> Pairs<'a> {
    let (rows, columns) = (old.len(), new.len());
    if rows.saturating_mul(columns) > PAIRS {
        let removed = old.iter().map(|item| (Some(item), None));
        return removed.chain(new.iter().map(|item| (None, Some(item)))).collect();
    }
    let at = |row: usize, column: usize| row * (columns + 1) + column;
    let mut longest = vec![0u32; (rows + 1) * (columns + 1)];
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            longest[at(row, column)] = if same(&old[row], &new[column]) {
                longest[at(row + 1, column + 1)] + 1
            } else {
                longest[at(row + 1, column)].max(longest[at(row, column + 1)])
            };
        }
    }
    let (mut row, mut column, mut pairs) = (0, 0, Vec::new());
    while row < rows || column < columns {
        let both = row < rows && column < columns;
        if both && same(&old[row], &new[column]) {
            pairs.push((Some(&old[row]), Some(&new[column])));
            (row, column) = (row + 1, column + 1);
            continue;
        }
        let down = if row < rows { longest[at(row + 1, column)] } else { 0 };
        let right = if column < columns { longest[at(row, column + 1)] } else { 0 };
        match (row < rows, column < columns, down.cmp(&right)) {
            (true, false, _) | (true, true, Ordering::Equal | Ordering::Greater) => {
                pairs.push((Some(&old[row]), None));
                row += 1;
            }
            _ => {
                pairs.push((None, Some(&new[column])));
                column += 1;
            }
        }
    }
    pairs
}

#[cfg(test)]
mod tests;
