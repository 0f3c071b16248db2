//! Which labels, and which values of fields, objects have.

use std::collections::{BTreeMap, HashMap};

use super::Line;
use crate::api::{Kind, Text};

/// The labels of objects of one kind, counted in one pass.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InUse {
    /// How many objects there are.
    pub objects: usize,
    /// The keys, and what they are worth.
    pub keys: BTreeMap<Text, Values>,
}

/// The values of one key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values {
    /// How many objects have the key.
    pub objects: usize,
    /// How many of them have each value.
    pub values: HashMap<Text, usize>,
}

impl InUse {
    /// Counts the labels of these.
    pub fn labels<'a>(lines: impl IntoIterator<Item = &'a dyn Line>) -> InUse {
        let mut found = InUse::default();
        for line in lines {
            found.objects += 1;
            for (key, value) in line.meta().labels.iter() {
                found.add(key, value);
            }
        }
        found
    }

    /// Counts the values of every field that objects of this kind can be selected by.
    pub fn fields<'a>(kind: Kind, lines: impl IntoIterator<Item = &'a dyn Line>) -> InUse {
        let fields: Vec<Text> = kind.fields().into_iter().map(Text::from).collect();
        let mut found = InUse::default();
        for line in lines {
            found.objects += 1;
            for field in &fields {
                let value = line.field(field).unwrap_or_default();
                found.add(field, &Text::from(&*value));
            }
        }
        found
    }

    fn add(&mut self, key: &Text, value: &Text) {
        // Nearly always there already: a look before a clone.
        if !self.keys.contains_key(key) {
            self.keys.insert(key.clone(), Values::default());
        }
        if let Some(values) = self.keys.get_mut(key) {
            values.objects += 1;
            match values.values.get_mut(value) {
                Some(count) => *count += 1,
                None => _ = values.values.insert(value.clone(), 1),
            }
        }
    }

    /// Both together, as those of several kinds in one place.
    #[must_use]
    pub fn and(mut self, other: InUse) -> InUse {
        self.objects += other.objects;
        for (key, values) in other.keys {
            let mine = self.keys.entry(key).or_default();
            mine.objects += values.objects;
            for (value, count) in values.values {
                *mine.values.entry(value).or_default() += count;
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{fixtures::cluster, line::lines};

    fn counted(kind: Kind) -> InUse {
        InUse::labels(lines(&cluster(), kind).iter().map(|line| &**line))
    }

    #[test]
    fn labels_are_counted_by_key_and_value() {
        let pods = counted(Kind::Pod);
        let app = &pods.keys["app"];
        assert_eq!((pods.objects, app.objects, app.values["web"], app.values["rf"]), (4, 4, 2, 1));
        let both = pods.and(counted(Kind::Node));
        assert_eq!((both.objects, both.keys["app"].objects), (6, 4));
    }

    #[test]
    fn fields_are_counted_where_they_are_empty_too() {
        let cluster = cluster();
        let pods = lines(&cluster, Kind::Pod);
        let fields = InUse::fields(Kind::Pod, pods.iter().map(|line| &**line));
        assert_eq!(fields.keys["spec.nodeName"].values[""], 1);
        assert_eq!(fields.keys["status.phase"].values["Running"], 4);
        assert!(!fields.keys.contains_key("spec.restartPolicy"));
    }
}
