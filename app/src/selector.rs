//! Label selectors: Kubernetes' own grammar, whole, with errors that point at the character.
//!
//! The grammar, its quirks included, is that of apimachinery `pkg/labels/selector.go` (`Parser`,
//! `Lexer`, `NewRequirement`, `Requirement.Matches`); what a key and a value may be is in
//! `pkg/api/validate/content`. A string is an error here exactly when it is one for kubectl.

mod covers;
mod open;

use std::fmt;

pub use open::{OpenRequirement, open_requirement, parts};

use serde::{Deserialize, Serialize};

use crate::api::{Labels, Text};

/// Requirements that must all hold. The empty selector selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Selector(Vec<Requirement>);

/// One requirement on one label.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Requirement {
    /// The label's key.
    pub key: Text,
    /// What is required of it.
    pub operator: Operator,
}

/// What is required of a label. Values are sorted and distinct.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Operator {
    /// `key`
    Exists,
    /// `!key`
    DoesNotExist,
    /// `key=value`, `key==value`
    Equals(Text),
    /// `key!=value`: also where the key is absent
    NotEquals(Text),
    /// `key in (a,b)`
    In(Vec<Text>),
    /// `key notin (a,b)`: also where the key is absent
    NotIn(Vec<Text>),
    /// `key>1`: both sides integers
    GreaterThan(i64),
    /// `key<1`: both sides integers
    LessThan(i64),
}

/// Why a string is no selector, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}, at character {} of the {of}", .at + 1)]
pub struct SelectorError {
    /// What was found and what was expected.
    pub message: String,
    /// At which character, from 0.
    pub at: usize,
    /// Which selector is meant, where there are two.
    pub of: Grammar,
}

/// Which grammar a selector is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grammar {
    /// `-l`: this file.
    Labels,
    /// `--field-selector`: [`crate::field_selector`].
    Fields,
}

impl fmt::Display for Grammar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Grammar::Labels => "selector",
            Grammar::Fields => "field selector",
        })
    }
}

impl SelectorError {
    fn of_labels(message: String, at: usize) -> SelectorError {
        SelectorError { message, at, of: Grammar::Labels }
    }
}

impl Selector {
    /// Reads a selector.
    pub fn parse(text: &str) -> Result<Selector, SelectorError> {
        Parser::new(text.trim()).selector().map_err(|mut error| {
            // positions count from the untrimmed start, where the person typed
            error.at += text.chars().take_while(|c| c.is_whitespace()).count();
            error
        })
    }

    /// All of these, by key.
    pub fn of(mut requirements: Vec<Requirement>) -> Selector {
        requirements.sort_by(|a, b| a.key.cmp(&b.key));
        Selector(requirements)
    }

    /// The requirements, by key.
    pub fn requirements(&self) -> &[Requirement] {
        &self.0
    }

    /// Selects everything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an object with these labels is selected.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.0.iter().all(|requirement| requirement.matches(labels))
    }
}

impl Requirement {
    /// `key=value`
    pub fn equals(key: &Text, value: &Text) -> Requirement {
        Requirement { key: key.clone(), operator: Operator::Equals(value.clone()) }
    }

    /// What selects exactly those that this does not; there is none for `>` and `<`.
    pub fn opposite(&self) -> Option<Requirement> {
        let operator = match self.operator.clone() {
            Operator::Exists => Operator::DoesNotExist,
            Operator::DoesNotExist => Operator::Exists,
            Operator::Equals(value) => Operator::NotEquals(value),
            Operator::NotEquals(value) => Operator::Equals(value),
            Operator::In(values) => Operator::NotIn(values),
            Operator::NotIn(values) => Operator::In(values),
            Operator::GreaterThan(_) | Operator::LessThan(_) => return None,
        };
        Some(Requirement { key: self.key.clone(), operator })
    }

    /// Whether these labels are as required.
    pub fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        let number = || value.and_then(|value| go_int(value));
        match &self.operator {
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::Equals(wanted) => value == Some(wanted),
            Operator::NotEquals(unwanted) => value != Some(unwanted),
            Operator::In(wanted) => value.is_some_and(|value| wanted.contains(value)),
            Operator::NotIn(unwanted) => !value.is_some_and(|value| unwanted.contains(value)),
            Operator::GreaterThan(bound) => number().is_some_and(|number| number > *bound),
            Operator::LessThan(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

/// Go's `strconv.ParseInt(s, 10, 64)`.
fn go_int(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// As apimachinery prints it; parsing the result gives the same selector.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, requirement) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            write!(f, "{requirement}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        let list = |values: &[Text]| values.iter().map(Text::as_str).collect::<Vec<_>>().join(",");
        match &self.operator {
            Operator::Exists => write!(f, "{key}"),
            Operator::DoesNotExist => write!(f, "!{key}"),
            Operator::Equals(value) => write!(f, "{key}={value}"),
            Operator::NotEquals(value) => write!(f, "{key}!={value}"),
            Operator::In(values) => write!(f, "{key} in ({})", list(values)),
            Operator::NotIn(values) => write!(f, "{key} notin ({})", list(values)),
            Operator::GreaterThan(bound) => write!(f, "{key}>{bound}"),
            Operator::LessThan(bound) => write!(f, "{key}<{bound}"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Symbol(&'static str),
    End,
}

impl<'a> Token<'a> {
    fn literal(self) -> &'a str {
        match self {
            Token::Word(word) => word,
            Token::Symbol(symbol) => symbol,
            Token::End => "",
        }
    }
}

/// Longest first, so that `==` is not read as two `=`.
const SYMBOLS: [&str; 8] = ["==", "!=", "=", "!", "(", ")", ",", ">"];

struct Parser<'a> {
    tokens: Vec<(Token<'a>, usize)>,
    next: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Parser<'a> {
        // Go's lexer takes a NUL for the end of the string.
        let text = text.split('\0').next().unwrap_or_default();
        let mut tokens = Vec::new();
        // counted along the way: a selector may be as long as the object that has it
        let (mut rest, mut position) = (text, 0);
        while let Some(c) = rest.chars().next() {
            let length = if is_space(c) {
                1
            } else if let Some(symbol) =
                SYMBOLS.iter().copied().chain(["<"]).find(|symbol| rest.starts_with(symbol))
            {
                tokens.push((Token::Symbol(symbol), position));
                symbol.len()
            } else {
                let end = rest.find(|c| is_space(c) || is_special(c)).unwrap_or(rest.len());
                tokens.push((Token::Word(&rest[..end]), position));
                end
            };
            let (token, after) = rest.split_at(length);
            position += token.chars().count();
            rest = after;
        }
        tokens.push((Token::End, position));
        Parser { tokens, next: 0 }
    }

    fn peek(&self) -> Token<'a> {
        self.tokens.get(self.next).map_or(Token::End, |(token, _)| *token)
    }

    fn take(&mut self) -> Token<'a> {
        let token = self.peek();
        if self.next + 1 < self.tokens.len() {
            self.next += 1;
        }
        token
    }

    /// An error about the token that comes next.
    fn expected<T>(&self, what: &str) -> Result<T, SelectorError> {
        let (token, at) = self.tokens.get(self.next).copied().unwrap_or((Token::End, 0));
        let message = match token {
            Token::End => format!("the selector ends where {what} is expected"),
            token => format!("found '{}' where {what} is expected", token.literal()),
        };
        Err(SelectorError::of_labels(message, at))
    }

    fn selector(mut self) -> Result<Selector, SelectorError> {
        let mut requirements = Vec::new();
        loop {
            match self.peek() {
                Token::End => break,
                Token::Word(_) | Token::Symbol("!") => requirements.push(self.requirement()?),
                Token::Symbol(_) => return self.expected("a label key or '!'"),
            }
            match self.peek() {
                Token::End => break,
                Token::Symbol(",") => {
                    self.take();
                    if !matches!(self.peek(), Token::Word(_) | Token::Symbol("!")) {
                        return self.expected("a label key after ','");
                    }
                }
                _ => return self.expected("',' or the end"),
            }
        }
        Ok(Selector::of(requirements))
    }

    fn requirement(&mut self) -> Result<Requirement, SelectorError> {
        let negated = self.peek() == Token::Symbol("!");
        if negated {
            self.take();
        }
        let key = self.word("a label key", check_key)?;
        let ends = matches!(self.peek(), Token::End | Token::Symbol(","));
        let operator = match self.peek() {
            _ if negated => Operator::DoesNotExist,
            _ if ends => Operator::Exists,
            Token::Symbol("=" | "==") => Operator::Equals(self.after_operator()?),
            Token::Symbol("!=") => Operator::NotEquals(self.after_operator()?),
            Token::Symbol(">") => Operator::GreaterThan(self.bound()?),
            Token::Symbol("<") => Operator::LessThan(self.bound()?),
            Token::Word("in") => Operator::In(self.values()?),
            Token::Word("notin") => Operator::NotIn(self.values()?),
            _ => return self.expected("an operator (=, ==, !=, in, notin, >, <)"),
        };
        Ok(Requirement { key, operator })
    }

    /// The next token as a word that `check` accepts.
    fn word(&mut self, what: &str, check: fn(&str) -> Result<(), String>) -> Result<Text, SelectorError> {
        let at = self.at();
        let Token::Word(word) = self.peek() else {
            return self.expected(what);
        };
        check(word).map_err(|message| SelectorError::of_labels(message, at))?;
        self.take();
        Ok(Text::from(word))
    }

    /// Where the next token begins.
    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(0, |(_, at)| *at)
    }

    /// The operator, and the one value behind it, which may be empty.
    fn after_operator(&mut self) -> Result<Text, SelectorError> {
        self.take();
        match self.peek() {
            Token::End | Token::Symbol(",") => Ok(Text::default()),
            _ => self.word("a value", check_value),
        }
    }

    fn bound(&mut self) -> Result<i64, SelectorError> {
        let at = self.tokens.get(self.next + 1).map_or(0, |(_, at)| *at);
        let value = self.after_operator()?;
        let whole = || format!("'>' and '<' compare whole numbers, and '{value}' is none");
        go_int(&value).ok_or_else(|| SelectorError::of_labels(whole(), at))
    }

    /// `in` or `notin`, and the list in parentheses; empty places are empty values. The values are looked
    /// at once the list has its end: what is no list is told before what is no value, as by kubectl.
    fn values(&mut self) -> Result<Vec<Text>, SelectorError> {
        self.take();
        if self.peek() != Token::Symbol("(") {
            return self.expected("'('");
        }
        self.take();
        let mut values = Vec::new();
        let mut wrong = None;
        loop {
            match self.peek() {
                Token::Word(word) => {
                    let at = self.at();
                    wrong = wrong
                        .or(check_value(word).err().map(|message| SelectorError::of_labels(message, at)));
                    values.push(Text::from(word));
                    self.take();
                }
                Token::Symbol("," | ")") => values.push(Text::default()),
                _ => return self.expected("a value, ',' or ')'"),
            }
            match self.peek() {
                Token::Symbol(",") => _ = self.take(),
                Token::Symbol(")") => {
                    self.take();
                    break;
                }
                _ => return self.expected("',' or ')'"),
            }
        }
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        values.sort();
        values.dedup();
        Ok(values)
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_special(c: char) -> bool {
    matches!(c, '=' | '!' | '(' | ')' | ',' | '>' | '<')
}

/// `[prefix/]name` (`IsLabelKey`).
pub fn check_key(key: &str) -> Result<(), String> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if name.contains('/') {
        return Err(format!("the label key '{key}' has more than one '/'"));
    }
    if let Some(prefix) = prefix {
        let label = |label: &str| {
            !label.is_empty()
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if prefix.len() > 253 || !prefix.split('.').all(label) {
            return Err(format!(
                "the prefix '{prefix}' of the label key is no lower-case DNS name of at most 253 characters"
            ));
        }
    }
    if name.is_empty() || name.len() > 63 || !is_qualified(name) {
        return Err(format!(
            "the label key's name '{name}' must be 1 to 63 letters, digits, '-', '_' or '.', with a letter or digit at both ends"
        ));
    }
    Ok(())
}

/// `IsLabelValue`.
pub fn check_value(value: &str) -> Result<(), String> {
    if value.is_empty() || (value.len() <= 63 && is_qualified(value)) {
        return Ok(());
    }
    Err(format!(
        "the value '{value}' must be at most 63 letters, digits, '-', '_' or '.', with a letter or digit at both ends"
    ))
}

fn is_qualified(name: &str) -> bool {
    let bytes = name.as_bytes();
    let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(k, v)| (Text::from(*k), Text::from(*v))).collect()
    }

    #[test]
    fn selectors_print_as_apimachinery_prints_them() {
        for (text, printed) in [
            ("", ""),
            (" \t\n", ""),
            ("x", "x"),
            ("!x", "!x"),
            ("! x", "!x"),
            ("x=a", "x=a"),
            ("x==a", "x=a"),
            ("x!=a", "x!=a"),
            ("x =", "x="),
            ("a=,b", "a=,b"),
            ("b,a", "a,b"),
            ("x in ()", "x in ()"),
            ("x in (b,a,b)", "x in (a,b)"),
            ("x in (a,)", "x in (,a)"),
            ("x in (,)", "x in ()"),
            ("x in (,a,,b)", "x in (,a,b)"),
            ("x notin(a)", "x notin (a)"),
            ("in in (in,notin)", "in in (in,notin)"),
            ("notin=in", "notin=in"),
            ("x>1,y<0", "x>1,y<0"),
            ("kubernetes.io/x=1.2_3-4", "kubernetes.io/x=1.2_3-4"),
            ("a\0b ,,", "a"),
        ] {
            let selector = Selector::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
            assert_eq!(selector.to_string(), printed, "{text:?}");
        }
    }

    #[test]
    fn errors_point_at_the_character() {
        for (text, at, part) in [
            ("x,", 2, "a label key after ','"),
            ("!x=a", 2, "',' or the end"),
            ("a b", 2, "an operator"),
            ("=a", 0, "a label key"),
            (",a", 0, "a label key"),
            ("x in a", 5, "'('"),
            ("x in (a", 7, "',' or ')'"),
            ("x in (a b)", 8, "',' or ')'"),
            ("x in (a=b)", 7, "',' or ')'"),
            ("x in (-a)", 6, "letter or digit"),
            ("x notin (a,-a,-b)", 11, "letter or digit"),
            ("x in (-a,b.<c)", 11, "',' or ')'"), // what is no list is told first
            ("x===a", 3, "a value"),
            ("x=a=b", 3, "',' or the end"),
            ("x>a", 2, "whole numbers"),
            ("x>", 2, "whole numbers"),
            ("x>-1", 2, "letter or digit"),
            ("  -x", 2, "letter or digit"),
            ("A.b/x", 0, "DNS"),
            ("a/b/c", 0, "more than one"),
            ("x=ü", 2, "letter or digit"),
            ("ö", 0, "letter or digit"),
            ("!", 1, "a label key"),
        ] {
            let error = Selector::parse(text).expect_err(text);
            assert_eq!(error.at, at, "{text:?}: {error}");
            assert!(error.message.contains(part), "{text:?}: {error}");
        }
    }

    #[test]
    fn matching_treats_an_absent_key_as_kubernetes_does() {
        let some = labels(&[("app", "rf"), ("n", "7")]);
        for (selector, expected) in [
            ("", true),
            ("app", true),
            ("!app", false),
            ("!none", true),
            ("app=rf", true),
            ("app=", false),
            ("none=", false),
            ("app!=rf", false),
            ("none!=rf", true),
            ("app in (a,rf)", true),
            ("none in (a)", false),
            ("app notin (a)", true),
            ("none notin (a)", true),
            ("n>6", true),
            ("n>7", false),
            ("n<8", true),
            ("app>1", false),
            ("none<1", false),
            ("app=rf,n=8", false),
        ] {
            assert_eq!(Selector::parse(selector).expect(selector).matches(&some), expected, "{selector}");
        }
    }

    #[test]
    fn a_selector_as_long_as_its_object_may_be_is_read_at_once() {
        let begun = std::time::Instant::now();
        let values: Vec<String> = (0..150_000).map(|number| format!("v{number:07}")).collect();
        let text = format!("x in ({})", values.join(","));
        assert_eq!(Selector::parse(&text).expect("a selector").to_string(), text);
        assert!(begun.elapsed().as_secs() < 5, "it took {:?}", begun.elapsed());
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_to_the_same(text in "[a-c!=<>, ()in]{0,24}") {
            if let Ok(selector) = Selector::parse(&text) {
                prop_assert_eq!(Selector::parse(&selector.to_string()), Ok(selector));
            }
        }

        #[test]
        fn no_string_panics(text in "\\PC{0,40}") {
            if let Err(error) = Selector::parse(&text) {
                prop_assert!(error.at <= text.chars().count());
            }
        }
    }
}
