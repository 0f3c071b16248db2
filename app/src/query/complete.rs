//! What could stand next in a selector that is being typed: keys and values that are in use.

use super::InUse;
use crate::{
    api::Text,
    field_selector::{Term, open_term},
    selector::open_requirement,
};

/// So many are offered.
const MOST: usize = 10;

/// One way to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// What is offered, in short.
    pub shown: String,
    /// How many objects have it; for what is only grammar, none.
    pub objects: Option<usize>,
    /// What stands before the caret once it is taken.
    pub head: String,
}

/// What a label selector that is typed as far as `head` can go on with.
pub fn labels(head: &str, in_use: &InUse) -> Vec<Completion> {
    let Some(open) = open_requirement(head) else { return Vec::new() };
    let kept = &head[..open.at];
    let typed = &head[open.at..];
    let Some(key) = open.key else {
        let mut found =
            matching(in_use.keys.iter().map(|(key, values)| (key, values.objects)), typed, kept, &[]);
        if !open.negated && in_use.keys.contains_key(typed) {
            found.retain(|completion| completion.shown != typed);
            let grammar = ["=", "!=", " in (", " notin ("].map(|operator| Completion {
                shown: format!("{typed}{operator}"),
                objects: None,
                head: format!("{head}{operator}"),
            });
            found.splice(0..0, grammar);
            found.truncate(MOST);
        }
        return found;
    };
    let Some(values) = in_use.keys.get(key) else { return Vec::new() };
    matching(values.values.iter().map(|(value, count)| (value, *count)), typed, kept, &open.listed)
}

/// What a field selector that is typed as far as `head` can go on with.
pub fn fields(head: &str, in_use: &InUse) -> Vec<Completion> {
    let (field, at) = open_term(head);
    let (kept, typed) = head.split_at(at);
    let Some(field) = field else {
        let fields = in_use.keys.iter().map(|(field, values)| (field, values.objects));
        let mut found = matching(fields, typed, kept, &[]);
        found.iter_mut().for_each(|completion| completion.objects = None);
        if in_use.keys.contains_key(typed) {
            found.retain(|completion| completion.shown != typed);
            let grammar = ["=", "!="].map(|operator| Completion {
                shown: format!("{typed}{operator}"),
                objects: None,
                head: format!("{head}{operator}"),
            });
            found.splice(0..0, grammar);
        }
        return found;
    };
    let Some(values) = in_use.keys.get(field) else { return Vec::new() };
    let escaped: Vec<(Text, usize)> =
        values.values.iter().map(|(value, count)| (Term::escaped(value).as_ref().into(), *count)).collect();
    matching(escaped.iter().map(|(value, count)| (value, *count)), typed, kept, &[])
}

/// Those that begin with what is typed, then those that contain it; among them those that most objects have.
fn matching<'a>(
    all: impl Iterator<Item = (&'a Text, usize)>,
    typed: &str,
    kept: &str,
    except: &[&str],
) -> Vec<Completion> {
    let typed = typed.trim_start();
    let needle = typed.to_lowercase();
    let mut found: Vec<(bool, usize, &Text)> = all
        .filter(|(word, _)| !word.is_empty() && !except.contains(&word.as_str()))
        .filter_map(|(word, count)| {
            let at = word.to_lowercase().find(&needle)?;
            Some((at > 0, count, word))
        })
        .collect();
    found.sort_by(|a, b| (a.0, std::cmp::Reverse(a.1), a.2).cmp(&(b.0, std::cmp::Reverse(b.1), b.2)));
    // What is there already needs no completing.
    if let [(_, _, only)] = found[..]
        && *only == typed
        && !kept.is_empty()
    {
        return Vec::new();
    }
    found.truncate(MOST);
    found
        .into_iter()
        .map(|(_, count, word)| Completion {
            shown: word.to_string(),
            objects: Some(count),
            head: format!("{kept}{word}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        api::Kind,
        query::{fixtures::cluster, line::lines},
        selector::Selector,
    };

    fn offered(completions: &[Completion]) -> Vec<&str> {
        completions.iter().map(|completion| completion.head.as_str()).collect()
    }

    fn pods() -> InUse {
        InUse::labels(lines(&cluster(), Kind::Pod).iter().map(|line| &**line))
    }

    #[test]
    fn a_label_selector_goes_on_with_what_is_in_use() {
        let pods = pods();
        let of = |head: &str| labels(head, &pods).into_iter().map(|c| c.head).collect::<Vec<_>>();
        assert_eq!(of(""), ["app"]);
        assert_eq!(of("a"), ["app"]);
        assert_eq!(of("!a"), ["!app"]);
        assert_eq!(of("x"), [""; 0]);
        assert_eq!(of("app"), ["app=", "app!=", "app in (", "app notin ("]);
        assert_eq!(of("app="), ["app=web", "app=lost", "app=rf"], "most used first");
        assert_eq!(of("app=r"), ["app=rf"]);
        assert_eq!(of("tier=a,app!="), ["tier=a,app!=web", "tier=a,app!=lost", "tier=a,app!=rf"]);
        assert_eq!(of("app in (web, "), ["app in (web, lost", "app in (web, rf"]);
        assert_eq!(of("app in (web),"), ["app in (web),app"]);
        assert_eq!(of("app>"), [""; 0]);
        assert_eq!(of("app=web"), [""; 0], "it is there");
    }

    #[test]
    fn a_field_selector_goes_on_with_what_is_in_use() {
        let cluster = cluster();
        let pods = InUse::fields(Kind::Pod, lines(&cluster, Kind::Pod).iter().map(|line| &**line));
        assert_eq!(offered(&fields("status.ph", &pods)), ["status.phase"]);
        assert_eq!(offered(&fields("status.phase", &pods)), ["status.phase=", "status.phase!="]);
        assert_eq!(
            offered(&fields("metadata.name!=x,spec.nodeName=", &pods)),
            ["metadata.name!=x,spec.nodeName=worker-1", "metadata.name!=x,spec.nodeName=worker-2"]
        );
    }

    /// Whether `head` is a selector, or the beginning of one.
    fn goes_on(head: &str) -> bool {
        ["", "x", ")", "x)", "(x)"].iter().any(|rest| Selector::parse(&format!("{head}{rest}")).is_ok())
    }

    proptest! {
        #[test]
        fn taking_what_is_offered_leads_to_a_selector(head in "(app|tier|web|rf|a|in|notin|=|!=|!|,|\\(|\\)| |<|ü|\\\\){0,6}") {
            let pods = pods();
            for completion in labels(&head, &pods).into_iter().filter(|_| goes_on(&head)) {
                prop_assert!(goes_on(&completion.head), "{head:?} {completion:?}");
            }
            prop_assert!(fields(&head, &pods).len() <= MOST + 2);
        }
    }
}
