//! Label and field selectors as the API server reads them
//! (apimachinery `pkg/labels/selector.go`, `pkg/fields/selector.go`).
//!
//! Written apart from the browser's own selector box on purpose: a demo that shared the parser
//! it is meant to test could not contradict it.

use std::collections::BTreeMap;

use super::object::Object;

/// Which objects a request is about.
#[derive(Clone, Debug, Default)]
pub(super) struct Selection {
    pub(super) namespace: Option<String>,
    labels: Vec<Requirement>,
    fields: Vec<(String, bool, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Operator {
    Exists,
    Missing,
    In(Vec<String>),
    NotIn(Vec<String>),
    Above(i64),
    Below(i64),
}

impl Selection {
    pub(super) fn parse(namespace: Option<&str>, labels: &str, fields: &str) -> Result<Selection, String> {
        Ok(Selection {
            namespace: namespace.map(str::to_owned),
            labels: Parser::new(labels).requirements()?,
            fields: parse_fields(fields)?,
        })
    }

    /// True if nothing but the namespace narrows it.
    pub(super) fn takes_all(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(super) fn field_keys(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(key, _, _)| key.as_str())
    }

    pub(super) fn matches(&self, object: &Object) -> bool {
        self.namespace.as_ref().is_none_or(|namespace| *namespace == object.namespace)
            && self.labels.iter().all(|requirement| requirement.matches(&object.labels))
            && self.fields.iter().all(|(key, equal, value)| (object.field(key) == value) == *equal)
    }
}

impl Requirement {
    fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        let value = labels.get(&self.key);
        match &self.operator {
            Operator::Exists => value.is_some(),
            Operator::Missing => value.is_none(),
            Operator::In(values) => value.is_some_and(|value| values.contains(value)),
            Operator::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
            Operator::Above(bound) => number(value).is_some_and(|number| number > *bound),
            Operator::Below(bound) => number(value).is_some_and(|number| number < *bound),
        }
    }
}

fn number(value: Option<&String>) -> Option<i64> {
    value?.parse().ok()
}

fn parse_fields(text: &str) -> Result<Vec<(String, bool, String)>, String> {
    let mut terms = Vec::new();
    for term in split_unescaped(text) {
        if term.is_empty() {
            continue;
        }
        let (key, equal, value) = if let Some((key, value)) = term.split_once("!=") {
            (key, false, value)
        } else if let Some((key, value)) = term.split_once("==") {
            (key, true, value)
        } else if let Some((key, value)) = term.split_once('=') {
            (key, true, value)
        } else {
            return Err(format!("invalid selector: '{text}'; can't understand '{term}'"));
        };
        terms.push((
            key.to_owned(),
            equal,
            value.replace("\\,", ",").replace("\\=", "=").replace("\\\\", "\\"),
        ));
    }
    Ok(terms)
}

/// Splits at commas which no backslash precedes.
fn split_unescaped(text: &str) -> Vec<String> {
    let (mut terms, mut term, mut escaped) = (Vec::new(), String::new(), false);
    for letter in text.chars() {
        if letter == ',' && !escaped {
            terms.push(std::mem::take(&mut term));
        } else {
            term.push(letter);
        }
        escaped = letter == '\\' && !escaped;
    }
    terms.push(term);
    terms
}

struct Parser {
    tokens: Vec<String>,
    at: usize,
}

impl Parser {
    fn new(text: &str) -> Parser {
        let (mut tokens, mut word) = (Vec::new(), String::new());
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            let symbol = "=!(),<>".contains(letter);
            if (symbol || letter.is_ascii_whitespace()) && !word.is_empty() {
                tokens.push(std::mem::take(&mut word));
            }
            if symbol {
                let mut token = letter.to_string();
                if "=!".contains(letter) && letters.next_if_eq(&'=').is_some() {
                    token.push('=');
                }
                tokens.push(token);
            } else if !letter.is_ascii_whitespace() {
                word.push(letter);
            }
        }
        if !word.is_empty() {
            tokens.push(word);
        }
        Parser { tokens, at: 0 }
    }

    fn peek(&self) -> &str {
        self.tokens.get(self.at).map_or("", String::as_str)
    }

    fn take(&mut self) -> String {
        let token = self.peek().to_owned();
        self.at += 1;
        token
    }

    fn requirements(mut self) -> Result<Vec<Requirement>, String> {
        let mut found = Vec::new();
        if self.tokens.is_empty() {
            return Ok(found);
        }
        loop {
            found.push(self.requirement().map_err(unparsable)?);
            match self.take().as_str() {
                "" => return Ok(found),
                "," if !is_word(self.peek()) && self.peek() != "!" => {
                    return Err(unparsable(format!(
                        "found '{}', expected: identifier after ','",
                        self.peek()
                    )));
                }
                "," => {}
                other => {
                    return Err(unparsable(format!("found '{other}', expected: ',' or 'end of string'")));
                }
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        if self.peek() == "!" {
            self.take();
            return Ok(Requirement { key: self.key()?, operator: Operator::Missing });
        }
        let key = self.key()?;
        if matches!(self.peek(), "" | ",") {
            return Ok(Requirement { key, operator: Operator::Exists });
        }
        let operator = match self.take().as_str() {
            "=" | "==" => Operator::In(vec![self.exact_value()?]),
            "!=" => Operator::NotIn(vec![self.exact_value()?]),
            "in" => Operator::In(self.values()?),
            "notin" => Operator::NotIn(self.values()?),
            ">" => Operator::Above(self.integer()?),
            "<" => Operator::Below(self.integer()?),
            other => {
                return Err(format!("found '{other}', expected: in, notin, =, ==, !=, gt, lt"));
            }
        };
        Ok(Requirement { key, operator })
    }

    fn key(&mut self) -> Result<String, String> {
        let key = self.take();
        if !is_word(&key) {
            return Err(format!("found '{key}', expected: !, identifier, or 'end of string'"));
        }
        let (prefix, name) = key.split_once('/').unwrap_or(("a", &key));
        let prefix_fits = !prefix.is_empty()
            && prefix.len() <= 253
            && prefix.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.');
        if name.is_empty() || !is_label_value(name) || !prefix_fits {
            return Err(format!(
                "key: Invalid value: \"{key}\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
            ));
        }
        Ok(key)
    }

    /// The empty value is legal: `a=`, `a=,b`.
    fn exact_value(&mut self) -> Result<String, String> {
        if matches!(self.peek(), "" | ",") {
            return Ok(String::new());
        }
        let value = self.take();
        if !is_word(&value) {
            return Err(format!("found '{value}', expected: identifier"));
        }
        valid(value)
    }

    fn values(&mut self) -> Result<Vec<String>, String> {
        let open = self.take();
        if open != "(" {
            return Err(format!("found '{open}' expected: '('"));
        }
        let (mut values, mut pending) = (Vec::new(), String::new());
        loop {
            let token = self.take();
            match token.as_str() {
                ")" => {
                    values.push(pending);
                    return Ok(values);
                }
                "," => values.push(std::mem::take(&mut pending)),
                word if is_word(word) && pending.is_empty() => pending = valid(token)?,
                other => return Err(format!("found '{other}', expected: ',', or ')'")),
            }
        }
    }

    fn integer(&mut self) -> Result<i64, String> {
        let value = self.take();
        value.parse().ok().filter(|number: &i64| *number >= 0).ok_or_else(|| {
            format!("values[0]: Invalid value: \"{value}\": for 'Gt', 'Lt' operators, the value must be an integer")
        })
    }
}

fn unparsable(why: String) -> String {
    format!("unable to parse requirement: {why}")
}

fn is_word(token: &str) -> bool {
    !token.is_empty() && !token.starts_with(['=', '!', '(', ')', ',', '<', '>'])
}

fn valid(value: String) -> Result<String, String> {
    match is_label_value(&value) {
        true => Ok(value),
        false => Err(format!(
            "values[0][key]: Invalid value: \"{value}\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
        )),
    }
}

fn is_label_value(text: &str) -> bool {
    let edge = |byte: Option<u8>| byte.is_none_or(|byte| byte.is_ascii_alphanumeric());
    text.len() <= 63
        && edge(text.bytes().next())
        && edge(text.bytes().last())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}
