//! "Which nodes fit?", as it is asked in a URL: for a pod, for the pods of a workload, or for what somebody typed in.

use std::fmt;

use crate::{
    api::{
        Kind, Needs, ObjectKey, ResourceList, Text,
        needs::{NodeTerm, Toleration, TolerationOperator},
        resource_list::{CPU, MEMORY},
    },
    quantity,
    selector::{Selector, check_key, check_value},
};

/// A question, as typed, good or bad.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Asked {
    /// `for`: `deployment/NAMESPACE/NAME`, or a pod.
    pub about: String,
    /// `nodeSelector`: requirements on nodes' labels, in the grammar of `kubectl get nodes -l`.
    pub node_selector: String,
    /// `cpu`: `500m`
    pub cpu: String,
    /// `memory`: `1Gi`
    pub memory: String,
    /// `tolerate`: `key=value:NoSchedule`, `key:NoExecute`, `key`, `:NoSchedule` or `*`, separated by commas.
    pub tolerate: String,
}

/// Why a part of a question means nothing, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedError {
    /// Which part, by its name in the URL.
    pub part: &'static str,
    /// What was found and what was expected.
    pub message: String,
    /// At which character of it, from 0.
    pub at: usize,
}

impl fmt::Display for AskedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, at character {}", self.part, self.message, self.at + 1)
    }
}

impl std::error::Error for AskedError {}

impl Asked {
    /// The names of its parts in a URL.
    pub const PARTS: [&str; 5] = ["for", "nodeSelector", "cpu", "memory", "tolerate"];

    /// A part by its name.
    pub fn part(&self, name: &str) -> &str {
        match name {
            "for" => &self.about,
            "nodeSelector" => &self.node_selector,
            "cpu" => &self.cpu,
            "memory" => &self.memory,
            "tolerate" => &self.tolerate,
            _ => "",
        }
    }

    /// Sets a part by its name; what is tolerated adds up. Whether there is such a part.
    pub fn set(&mut self, name: &str, value: String) -> bool {
        match name {
            "for" => self.about = value,
            "nodeSelector" => self.node_selector = value,
            "cpu" => self.cpu = value,
            "memory" => self.memory = value,
            "tolerate" if self.tolerate.is_empty() => self.tolerate = value,
            "tolerate" => self.tolerate = format!("{},{value}", self.tolerate),
            _ => return false,
        }
        true
    }

    /// Sets a part by its name to this alone.
    pub fn set_anew(&mut self, name: &str, value: String) {
        if name == "tolerate" {
            self.tolerate.clear();
        }
        self.set(name, value);
    }

    /// Nothing is asked.
    pub fn is_empty(&self) -> bool {
        Asked::PARTS.iter().all(|part| self.part(part).trim().is_empty())
    }

    /// The pod or workload it is about, if it is about one.
    pub fn object(&self) -> Result<Option<ObjectKey>, AskedError> {
        let text = self.about.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let wrong = |message: String, at| Err(AskedError { part: "for", message, at });
        let words: Vec<&str> = text.split('/').collect();
        let [kind, namespace, name] = words[..] else {
            return wrong(
                format!("'{text}' where KIND/NAMESPACE/NAME is expected, such as deployment/default/web"),
                0,
            );
        };
        if namespace.is_empty() || name.is_empty() {
            return wrong("a namespace and a name are expected".to_owned(), kind.chars().count());
        }
        match Kind::parse(kind).filter(|kind| *kind == Kind::Pod || kind.makes_pods()) {
            Some(found) => {
                match (ObjectKey { kind: found, namespace: namespace.into(), name: name.into() }) {
                    key if key.may_be() => Ok(Some(key)),
                    _ => wrong("no object has a name as long as this".to_owned(), kind.chars().count()),
                }
            }
            None => wrong(format!("'{kind}' is neither a pod nor does it make any"), 0),
        }
    }

    /// What is typed in, as what a pod asks for.
    pub fn needs(&self) -> Result<Needs, AskedError> {
        let selector = Selector::parse(&self.node_selector).map_err(|error| AskedError {
            part: "nodeSelector",
            message: error.message,
            at: error.at,
        })?;
        let labels = selector.requirements().to_vec();
        let affinity = (!labels.is_empty()).then(|| vec![NodeTerm { labels, ..NodeTerm::default() }]);
        let requests: ResourceList = [
            amount("cpu", CPU, &self.cpu, quantity::milli, "such as 500m or 2")?,
            amount("memory", MEMORY, &self.memory, quantity::value, "such as 512Mi or 2Gi")?,
        ]
        .into_iter()
        .flatten()
        .collect();
        Ok(Needs { affinity, requests, tolerations: self.tolerations()?, ..Needs::default() })
    }

    fn tolerations(&self) -> Result<Vec<Toleration>, AskedError> {
        let mut at = 0;
        let mut all = Vec::new();
        for word in self.tolerate.split(',') {
            let begin = at + word.chars().take_while(|c| c.is_whitespace()).count();
            at += word.chars().count() + 1;
            let word = word.trim();
            if !word.is_empty() {
                all.push(toleration(word).map_err(|(message, within)| AskedError {
                    part: "tolerate",
                    message,
                    at: begin + within,
                })?);
            }
        }
        Ok(all)
    }
}

fn amount(
    part: &'static str,
    resource: &str,
    text: &str,
    read: fn(&str) -> Option<u64>,
    such_as: &str,
) -> Result<Option<(Text, u64)>, AskedError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    match read(text) {
        Some(amount) => Ok(Some((resource.into(), amount))),
        None => {
            // where the number ends is where something else was meant
            let at = text.chars().take_while(|c| c.is_ascii_digit() || *c == '.').count();
            Err(AskedError { part, message: format!("'{text}' is no quantity, {such_as}"), at })
        }
    }
}

/// `key=value:Effect`; what is wrong with it, and where.
fn toleration(word: &str) -> Result<Toleration, (String, usize)> {
    const EFFECTS: [&str; 3] = ["NoSchedule", "NoExecute", "PreferNoSchedule"];
    if word == "*" {
        return Ok(Toleration { operator: TolerationOperator::Exists, ..Toleration::default() });
    }
    let (what, effect) = match word.rsplit_once(':') {
        Some((what, effect)) if EFFECTS.contains(&effect) => (what, effect),
        Some((what, effect)) => {
            let message = format!("'{effect}' where one of {} is expected", EFFECTS.join(", "));
            return Err((message, what.chars().count() + 1));
        }
        None => (word, ""),
    };
    let (key, value) = what.split_once('=').map_or((what, None), |(key, value)| (key, Some(value)));
    if !key.is_empty() || value.is_some() {
        check_key(key).map_err(|message| (message, 0))?;
    }
    check_value(value.unwrap_or_default()).map_err(|message| (message, key.chars().count() + 1))?;
    Ok(Toleration {
        key: key.into(),
        operator: if value.is_some() { TolerationOperator::Equal } else { TolerationOperator::Exists },
        value: value.unwrap_or_default().into(),
        effect: effect.into(),
        seconds: None,
    })
}
