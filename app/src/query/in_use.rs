//! Which labels, and which values of fields, objects have.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

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

/// Whose a label key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// The people's who run the cluster.
    Own,
    /// Theirs too, named as Kubernetes recommends: `app.kubernetes.io/…`.
    Recommended,
    /// Kubernetes': the prefixes `kubernetes.io` and `k8s.io` with all below them are reserved, and its controllers set
    /// some keys without a prefix.
    Kubernetes,
}

impl Family {
    /// Of this key.
    pub fn of(key: &str) -> Family {
        let Some((prefix, _)) = key.split_once('/') else {
            // api `apps/v1/types.go`, `batch/v1/types.go`
            return match key {
                "pod-template-hash"
                | "controller-revision-hash"
                | "pod-template-generation"
                | "controller-uid"
                | "job-name" => Family::Kubernetes,
                _ => Family::Own,
            };
        };
        let below = |domain: &str| {
            prefix.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        match prefix {
            "app.kubernetes.io" => Family::Recommended,
            _ if below("kubernetes.io") || below("k8s.io") => Family::Kubernetes,
            _ => Family::Own,
        }
    }
}

/// A key with who has it, who has not, and its most used values.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyFound {
    /// The key.
    pub key: Text,
    /// How many of each kind have it.
    pub has: Vec<(Kind, usize)>,
    /// Of kinds of which some have it, how many have not.
    pub lacks: Vec<(Kind, usize)>,
    /// Its values that were asked for, those first that most objects have.
    pub values: Vec<ValueFound>,
    /// How many more there are.
    pub more: usize,
}

/// A value and who has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ValueFound {
    /// The value.
    pub value: Text,
    /// How many of each kind.
    pub has: Vec<(Kind, usize)>,
}

/// The keys that contain `needle`, with all their values, and those of which values do, with these; by key, so that
/// nothing moves while objects come and go. `needle` is in lower case. Of each key at most `most` values; `all` of the
/// one key that is `needle` itself.
pub fn found(counted: &[(Kind, Arc<InUse>)], needle: &str, most: usize, all: usize) -> Vec<KeyFound> {
    let mut keys: Vec<&Text> = counted.iter().flat_map(|(_, in_use)| in_use.keys.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter().filter_map(|key| key_found(counted, key, needle, most, all)).collect()
}

fn key_found(
    counted: &[(Kind, Arc<InUse>)],
    key: &Text,
    needle: &str,
    most: usize,
    all: usize,
) -> Option<KeyFound> {
    let whole = key.to_lowercase().contains(needle);
    let most = if **key == *needle { all } else { most };
    let there =
        || counted.iter().filter_map(|(kind, in_use)| Some((*kind, in_use.objects, in_use.keys.get(key)?)));
    let mut totals: HashMap<&Text, usize> = HashMap::new();
    for (_, _, values) in there() {
        for (value, count) in &values.values {
            if whole || value.to_lowercase().contains(needle) {
                *totals.entry(value).or_default() += count;
            }
        }
    }
    if totals.is_empty() {
        return None;
    }
    let mut values: Vec<(&Text, usize)> = totals.into_iter().collect();
    let by_use = |a: &(&Text, usize), b: &(&Text, usize)| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0));
    let more = values.len().saturating_sub(most);
    if more > 0 {
        values.select_nth_unstable_by(most, by_use);
        values.truncate(most);
    }
    values.sort_unstable_by(by_use);
    let of_value = |value: &Text| ValueFound {
        value: value.clone(),
        has: there().filter_map(|(kind, _, values)| Some((kind, *values.values.get(value)?))).collect(),
    };
    Some(KeyFound {
        key: key.clone(),
        has: there().map(|(kind, _, values)| (kind, values.objects)).collect(),
        lacks: there()
            .map(|(kind, objects, values)| (kind, objects.saturating_sub(values.objects)))
            .filter(|(_, lacks)| *lacks > 0)
            .collect(),
        values: values.into_iter().map(|(value, _)| of_value(value)).collect(),
        more,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{fixtures::cluster, line::lines};

    /// Pods with these labels.
    fn pods(labels: &[&[(&str, &str)]]) -> (Kind, Arc<InUse>) {
        let mut in_use = InUse { objects: labels.len(), ..InUse::default() };
        for (key, value) in labels.iter().flat_map(|labels| labels.iter()) {
            in_use.add(&(*key).into(), &(*value).into());
        }
        (Kind::Pod, Arc::new(in_use))
    }

    #[test]
    fn who_has_a_key_and_who_has_not_is_told_by_kind() {
        let (_, nodes) = pods(&[&[("zone", "a")], &[]]);
        let counted =
            [pods(&[&[("team", "x")], &[("team", "y")], &[("team", "y")], &[]]), (Kind::Node, nodes)];
        let found = found(&counted, "", 9, 9);
        let said: Vec<_> = found.iter().map(|it| (&*it.key, &it.has[..], &it.lacks[..])).collect();
        assert_eq!(
            said,
            [
                ("team", &[(Kind::Pod, 3)][..], &[(Kind::Pod, 1)][..]),
                ("zone", &[(Kind::Node, 1)][..], &[(Kind::Node, 1)][..]),
            ]
        );
        assert_eq!(found[0].values[0], ValueFound { value: "y".into(), has: vec![(Kind::Pod, 2)] });
    }

    #[test]
    fn a_search_finds_keys_and_values() {
        let counted = [pods(&[&[("app", "web"), ("team", "App")], &[("app", "api"), ("team", "other")]])];
        let said = |needle: &str| -> Vec<String> {
            let found = found(&counted, needle, 9, 9);
            found.iter().map(|it| format!("{} {}", it.key, it.values.len())).collect()
        };
        assert_eq!(said(""), ["app 2", "team 2"]);
        assert_eq!(said("app"), ["app 2", "team 1"]);
        assert_eq!(said("web"), ["app 1"]);
        assert_eq!(said("nothing"), [""; 0]);
    }

    #[test]
    fn of_many_values_those_are_shown_that_most_have() {
        let values: Vec<String> = (0..3_000).map(|i| format!("v{i:04}")).collect();
        let mut labels: Vec<Vec<(&str, &str)>> =
            values.iter().map(|value| vec![("hash", value.as_str())]).collect();
        labels.push(vec![("hash", "v2999")]);
        let labels: Vec<&[(&str, &str)]> = labels.iter().map(|labels| &labels[..]).collect();
        let counted = [pods(&labels)];
        let first = &found(&counted, "", 3, 500)[0];
        let shown: Vec<&str> = first.values.iter().map(|value| value.value.as_str()).collect();
        assert_eq!((shown, first.more), (vec!["v2999", "v0000", "v0001"], 2_997));
        let alone = &found(&counted, "hash", 3, 500)[0];
        assert_eq!((alone.values.len(), alone.more), (500, 2_500));
    }

    #[test]
    fn kubernetes_own_keys_are_told_apart() {
        for (key, family) in [
            ("app", Family::Own),
            ("example.com/team", Family::Own),
            ("notkubernetes.io/team", Family::Own),
            ("app.kubernetes.io/name", Family::Recommended),
            ("kubernetes.io/hostname", Family::Kubernetes),
            ("topology.kubernetes.io/zone", Family::Kubernetes),
            ("node-role.kubernetes.io/control-plane", Family::Kubernetes),
            ("k8s.io/x", Family::Kubernetes),
            ("pod-template-hash", Family::Kubernetes),
        ] {
            assert_eq!(Family::of(key), family, "{key}");
        }
    }

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
