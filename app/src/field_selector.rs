//! Field selectors: `status.phase!=Running,spec.nodeName=node-1`.
//!
//! The grammar, its quirks included, is that of apimachinery `pkg/fields/selector.go` (`ParseSelector`, `splitTerms`,
//! `splitTerm`, `UnescapeValue`): terms between commas, empty ones skipped, no spaces taken away; in values `\`, `,`
//! and `=` stand behind a backslash. Which fields there are depends on the kind (see [`Kind::check_field`]). A string
//! is an error here exactly when it is one for kubectl, but for the fields that rows do not have.

use std::{borrow::Cow, fmt};

use crate::{
    api::{Kind, Text},
    query::Line,
    selector::{Grammar, SelectorError},
};

/// Terms that must all hold. The empty selector selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FieldSelector(Vec<Term>);

/// One term on one field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term {
    /// The field: `status.phase`.
    pub field: Text,
    /// Whether it must have the value, or must not.
    pub equal: bool,
    /// The value, without escapes.
    pub value: Text,
}

impl FieldSelector {
    /// Reads a selector that these kinds are asked with; each must have every field of it.
    pub fn parse(text: &str, kinds: impl IntoIterator<Item = Kind>) -> Result<FieldSelector, SelectorError> {
        let mut parts = parts(text);
        // The API server looks at them in this order, and so what is told first is the same.
        parts.sort_unstable();
        let terms: Result<Vec<(Term, usize)>, SelectorError> = parts
            .into_iter()
            .filter(|(part, _)| !part.is_empty())
            .map(|(part, at)| Ok((term(text, part, at)?, at)))
            .collect();
        let mut terms = terms?;
        // a term of nothing asks for nothing (`hasTerm.Transform`), whatever fields there are
        terms.retain(|(term, _)| !(term.field.is_empty() && term.value.is_empty()));
        for kind in kinds {
            for (term, at) in &terms {
                kind.check_field(&term.field).map_err(|message| error(text, message, *at))?;
            }
        }
        let mut terms: Vec<Term> = terms.into_iter().map(|(term, _)| term).collect();
        terms.sort_unstable();
        terms.dedup();
        Ok(FieldSelector(terms))
    }

    /// The same as typed behind `--field-selector`: kubectl takes the spaces at both ends away.
    pub fn parse_typed(
        text: &str,
        kinds: impl IntoIterator<Item = Kind>,
    ) -> Result<FieldSelector, SelectorError> {
        FieldSelector::parse(text.trim(), kinds).map_err(|mut error| {
            error.at += text.chars().take_while(|c| c.is_whitespace()).count();
            error
        })
    }

    /// The terms, sorted.
    pub fn terms(&self) -> &[Term] {
        &self.0
    }

    /// All of these.
    pub fn of(mut terms: Vec<Term>) -> FieldSelector {
        terms.sort_unstable();
        terms.dedup();
        FieldSelector(terms)
    }

    /// As somebody would have to type it: between commas, where spaces at its ends would be taken away.
    pub fn typed(&self) -> String {
        let text = self.to_string();
        if text.trim() == text { text } else { format!(",{text},") }
    }

    /// Selects everything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this row is selected. A field that its kind has not is empty, as in `fields.Set`.
    pub fn matches(&self, line: &dyn Line) -> bool {
        self.0.iter().all(|term| (line.field(&term.field).unwrap_or_default() == *term.value) == term.equal)
    }
}

/// `text` between its commas, each piece with the byte where it begins. A comma behind a backslash is none.
fn parts(text: &str) -> Vec<(&str, usize)> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                parts.push((&text[start..at], start));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push((&text[start..], start));
    parts
}

/// Reads one piece of `text`. The first operator in it counts; nothing before it is an escape.
fn term(text: &str, part: &str, at: usize) -> Result<Term, SelectorError> {
    let Some((i, operator)) = operator_of(part) else {
        return Err(error(text, format!("invalid selector: '{text}'; can't understand '{part}'"), at));
    };
    let start = i + operator.len();
    let value = unescape(&part[start..]).map_err(|(message, byte)| {
        error(text, format!("invalid field selector: {message}"), at + start + byte)
    })?;
    Ok(Term { field: Text::from(&part[..i]), equal: operator != "!=", value: Text::from(value) })
}

/// The first operator of a term, and at which byte it stands.
fn operator_of(part: &str) -> Option<(usize, &'static str)> {
    part.char_indices().find_map(|(at, _)| {
        let found = ["!=", "==", "="].into_iter().find(|operator| part[at..].starts_with(operator));
        found.map(|operator| (at, operator))
    })
}

/// A value without its escapes; or what is wrong, and at which byte.
fn unescape(value: &str) -> Result<String, (String, usize)> {
    let mut out = String::with_capacity(value.len());
    let mut letters = value.char_indices();
    while let Some((at, c)) = letters.next() {
        match c {
            '\\' => match letters.next() {
                Some((_, c @ ('\\' | ',' | '='))) => out.push(c),
                Some((_, c)) => return Err((format!("invalid escape sequence: \\{c}"), at)),
                None => return Err(("invalid escape sequence: \\".to_owned(), at)),
            },
            // Kubernetes prints the character's number
            ',' | '=' => {
                return Err((format!("unescaped character in value: {} ('{c}')", u32::from(c)), at));
            }
            c => out.push(c),
        }
    }
    Ok(out)
}

/// `fields.EscapeValue`
fn escape(value: &str) -> Cow<'_, str> {
    if !value.contains(['\\', ',', '=']) {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len() + 4);
    for c in value.chars() {
        if matches!(c, '\\' | ',' | '=') {
            out.push('\\');
        }
        out.push(c);
    }
    Cow::Owned(out)
}

fn error(text: &str, message: String, byte: usize) -> SelectorError {
    SelectorError { message, at: text[..byte].chars().count(), of: Grammar::Fields }
}

impl Term {
    /// What selects exactly those that this does not.
    #[must_use]
    pub fn opposite(&self) -> Term {
        Term { equal: !self.equal, ..self.clone() }
    }

    /// `fields.EscapeValue`: a value as it stands in a selector.
    pub fn escaped(value: &str) -> Cow<'_, str> {
        escape(value)
    }
}

/// The term that is being typed at the end of a selector: its field, once a value is being typed; and the byte where
/// the field or the value begins.
pub fn open_term(head: &str) -> (Option<&str>, usize) {
    let (part, start) = parts(head).pop().unwrap_or_default();
    match operator_of(part) {
        Some((at, operator)) => (Some(&part[..at]), start + at + operator.len()),
        None => (None, start),
    }
}

/// As apimachinery prints it; parsing the result gives the same selector.
impl fmt::Display for FieldSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, term) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            write!(f, "{term}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.field, if self.equal { "=" } else { "!=" }, escape(&self.value))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        api::{Deployment, Event, Meta, Node, Pod},
        query::fixtures::{meta, pod},
    };

    #[test]
    fn selectors_print_as_apimachinery_prints_them() {
        for (text, printed) in [
            ("", ""),
            (",,", ""),
            ("=", ""), // nothing asked for of nothing
            ("!=,a=y", "a=y"),
            ("status.phase=Running", "status.phase=Running"),
            ("status.phase==Running", "status.phase=Running"),
            ("b!=x,a=y", "a=y,b!=x"),
            ("a=", "a="),
            ("a=x,a=x", "a=x"),
            (r"a=x\,y\=z\\", r"a=x\,y\=z\\"),
            (r"a\,b=c", r"a\,b=c"), // the field keeps its backslash
            ("a = b", "a = b"),     // and its spaces
        ] {
            let selector = FieldSelector::parse(text, []).unwrap_or_else(|error| panic!("{text:?}: {error}"));
            assert_eq!(selector.to_string(), printed, "{text:?}");
        }
    }

    #[test]
    fn errors_are_kubernetes_own_and_point_at_the_character() {
        for (text, at, said) in [
            ("a", 0, "invalid selector: 'a'; can't understand 'a'"),
            ("ü=1,b", 4, "invalid selector: 'ü=1,b'; can't understand 'b'"),
            (r"a=\x", 2, r"invalid field selector: invalid escape sequence: \x"),
            (r"a=b\", 3, r"invalid field selector: invalid escape sequence: \"),
            ("a===b", 3, "invalid field selector: unescaped character in value: 61 ('=')"),
            ("b!==x,a=y", 3, "invalid field selector: unescaped character in value: 61 ('=')"),
            // the first in the order of their letters
            ("b,a", 2, "invalid selector: 'b,a'; can't understand 'a'"),
        ] {
            let error = FieldSelector::parse(text, []).expect_err(text);
            assert_eq!((error.at, error.message.as_str()), (at, said), "{text:?}");
        }
        let typed = FieldSelector::parse_typed("  a ", []).expect_err("no operator");
        assert_eq!(typed.at, 2);
        assert_eq!(
            typed.to_string(),
            "invalid selector: 'a'; can't understand 'a', at character 3 of the field selector"
        );
    }

    #[test]
    fn a_field_that_a_kind_has_not_is_refused_with_those_that_it_has() {
        let refused = |text: &str, kind: Kind| FieldSelector::parse(text, [kind]).expect_err(text);
        let error = refused("metadata.name=a,spec.foo=b", Kind::Pod);
        assert_eq!(error.at, 16);
        assert!(
            error.message.starts_with("field label not supported: spec.foo (pods have metadata.name, "),
            "{error}"
        );
        assert!(
            error.message.contains("spec.nodeName, ") && !error.message.contains("restartPolicy"),
            "{error}"
        );
        assert_eq!(
            refused("status.phase=Running", Kind::Deployment).message,
            "\"status.phase\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        );
        assert!(refused("metadata.namespace=a", Kind::Node).message.starts_with("field label not supported"));
        assert!(refused("spec.restartPolicy=Always", Kind::Pod).message.contains("does not keep"));
        assert!(FieldSelector::parse("metadata.name=a", Kind::ALL.iter().copied()).is_ok());
        assert!(FieldSelector::parse("metadata.namespace=a", Kind::ALL.iter().copied()).is_err());
    }

    #[test]
    fn rows_match_by_the_fields_that_the_api_server_has() {
        let selects = |text: &str, line: &dyn Line| {
            FieldSelector::parse(text, [line.kind()])
                .unwrap_or_else(|error| panic!("{text}: {error}"))
                .matches(line)
        };
        let pod = Pod { ip: "10.0.0.1".into(), ..pod(1, "web-1", "web", "worker-1") };
        for (text, expected) in [
            ("", true),
            ("!=", true),
            ("metadata.name=web-1,metadata.namespace=default", true),
            ("metadata.name=web", false),
            ("spec.nodeName=worker-1", true),
            ("spec.host=worker-1", true),
            ("spec.nodeName!=worker-1", false),
            ("spec.nodeName=", false),
            ("status.phase!=Running", false),
            ("status.podIP=10.0.0.1", true),
            // known to the API server, which never fills it
            ("status.podIPs=10.0.0.1", false),
            ("status.podIPs=", true),
        ] {
            assert_eq!(selects(text, &pod), expected, "{text}");
        }
        let node = Node { meta: meta(2, "", "worker-1"), unschedulable: true, ..Node::default() };
        assert!(selects("spec.unschedulable=true", &node) && !selects("spec.unschedulable=false", &node));
        let event = Event { reason: "BackOff".into(), component: "kubelet".into(), ..Event::default() };
        assert!(selects("reason=BackOff,source=kubelet,reportingComponent=", &event));
        let deployment =
            Deployment { meta: Meta { name: "web".into(), ..Meta::default() }, ..Deployment::default() };
        assert!(selects("metadata.name!=api", &deployment));
    }

    #[test]
    fn what_is_typed_for_it_keeps_the_spaces_at_its_ends() {
        let term = |value: &str| Term { field: "metadata.name".into(), equal: true, value: value.into() };
        let selector = FieldSelector::of(vec![term("a ")]);
        assert_eq!(selector.typed(), ",metadata.name=a ,");
        assert_eq!(FieldSelector::parse_typed(&selector.typed(), [Kind::Pod]), Ok(selector));
        assert_eq!(FieldSelector::of(vec![term("a")]).typed(), "metadata.name=a");
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_to_the_same(text in r"[ab\\,=! ]{0,16}") {
            if let Ok(selector) = FieldSelector::parse(&text, []) {
                prop_assert_eq!(FieldSelector::parse(&selector.to_string(), []), Ok(selector));
            }
        }

        #[test]
        fn every_value_survives_its_escapes(value in "\\PC{0,12}", equal: bool) {
            let term = Term { field: "metadata.name".into(), equal, value: value.as_str().into() };
            let selector = FieldSelector::of(vec![term]);
            prop_assert_eq!(FieldSelector::parse_typed(&selector.typed(), [Kind::Pod]), Ok(selector.clone()));
            prop_assert_eq!(FieldSelector::parse(&selector.to_string(), [Kind::Pod]), Ok(selector));
        }

        #[test]
        fn no_string_panics(text in "\\PC{0,30}") {
            if let Err(error) = FieldSelector::parse(&text, [Kind::Pod]) {
                prop_assert!(error.at <= text.chars().count());
            }
        }
    }
}
