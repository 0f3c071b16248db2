//! Names as a grant shows them: their own, or others that take their place.

use std::sync::Arc;

use app::{
    api::{Labels, Text},
    selector::{Operator, Requirement, Selector},
};
use sha2::{Digest, Sha256};

use super::words::LEFT_OUT;
use crate::audience::grant::{Grant, Hide, Key};

/// Letters of the names that Kubernetes generates (apimachinery `util/rand`): no vowels, so no words.
const LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
/// How many of them a name has that takes another's place: some 47 bits.
const LENGTH: usize = 10;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    key: Key,
    hide: Hide,
}

impl Names {
    /// As `grant` has them.
    pub fn of(grant: &Grant) -> Names {
        Names { key: grant.key, hide: grant.hide }
    }

    /// What takes the place of a name: the same wherever it stands, whatever it names, so that what belonged together
    /// still does.
    pub fn alias(self, name: &str) -> String {
        if name.is_empty() {
            return String::new();
        }
        let digest = Sha256::new().chain_update(self.key.0.to_be_bytes()).chain_update(name).finalize();
        let letter = |byte: &u8| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]);
        digest.iter().take(LENGTH).map(letter).collect()
    }

    /// The name of an object, of a namespace, of a container or a port.
    pub fn name(self, name: &Arc<str>) -> Arc<str> {
        if self.hide.names { self.alias(name).into() } else { name.clone() }
    }

    /// The same, of what is kept as vocabulary.
    pub fn text(self, name: &Text) -> Text {
        if self.hide.names { self.alias(name).into() } else { name.clone() }
    }

    /// The name of a node.
    pub fn node(self, name: &Text) -> Text {
        if self.hide.names || self.hide.node_names { self.alias(name).into() } else { name.clone() }
    }

    /// An image. Without names of images, not even whether two are the same.
    pub fn image(self, image: &Text) -> Text {
        if image.is_empty() || !self.hides_images() { image.clone() } else { LEFT_OUT.into() }
    }

    /// Whether images are hidden.
    pub fn hides_images(self) -> bool {
        self.hide.images || self.hide.names
    }

    /// Containers' names with their images.
    pub fn images(self, images: &Arc<[(Text, Text)]>) -> Arc<[(Text, Text)]> {
        if !self.hides_images() {
            return images.clone();
        }
        images.iter().map(|(name, image)| (self.text(name), self.image(image))).collect()
    }

    /// An address.
    pub fn address(self, address: &Arc<str>) -> Arc<str> {
        let said = address.is_empty() || **address == *"None";
        if said || !self.hides_addresses() { address.clone() } else { LEFT_OUT.into() }
    }

    /// Whether addresses are hidden.
    pub fn hides_addresses(self) -> bool {
        self.hide.addresses || self.hide.names
    }

    /// The key of a label. Those of Kubernetes itself are no names.
    pub fn label_key(self, key: &Text) -> Text {
        let domain = key.split_once('/').map(|(domain, _)| domain);
        let known = match domain {
            Some(domain) => domain.ends_with("kubernetes.io") || domain.ends_with("k8s.io"),
            None => matches!(
                key.as_str(),
                "pod-template-hash" | "controller-revision-hash" | "pod-template-generation"
            ),
        };
        if known { key.clone() } else { self.text(key) }
    }

    /// The value of a label.
    pub fn label_value(self, key: &str, value: &Text) -> Text {
        if key == "kubernetes.io/hostname" { self.node(value) } else { self.text(value) }
    }

    /// Labels.
    pub fn labels(self, labels: &Labels) -> Labels {
        if !self.hide.names && !self.hide.node_names {
            return labels.clone();
        }
        labels.iter().map(|(key, value)| (self.label_key(key), self.label_value(key, value))).collect()
    }

    /// A requirement on labels.
    pub fn requirement(self, requirement: &Requirement) -> Requirement {
        let key = requirement.key.as_str();
        let all = |values: &[Text]| {
            let mut values: Vec<Text> = values.iter().map(|value| self.label_value(key, value)).collect();
            values.sort();
            values
        };
        let operator = match &requirement.operator {
            Operator::Equals(value) => Operator::Equals(self.label_value(key, value)),
            Operator::NotEquals(value) => Operator::NotEquals(self.label_value(key, value)),
            Operator::In(values) => Operator::In(all(values)),
            Operator::NotIn(values) => Operator::NotIn(all(values)),
            other @ (Operator::Exists
            | Operator::DoesNotExist
            | Operator::GreaterThan(_)
            | Operator::LessThan(_)) => other.clone(),
        };
        Requirement { key: self.label_key(&requirement.key), operator }
    }

    /// A selector as kubectl prints it.
    pub fn selector(self, printed: &Text) -> Text {
        if !self.hide.names || printed.is_empty() || printed.starts_with('<') {
            return printed.clone();
        }
        let Ok(selector) = Selector::parse(printed) else { return LEFT_OUT.into() };
        Selector::of(selector.requirements().iter().map(|one| self.requirement(one)).collect())
            .to_string()
            .into()
    }

    /// `kind/name`.
    pub fn qualified(self, name: &Text) -> Text {
        match name.split_once('/') {
            Some((kind, name)) if self.hide.names => format!("{kind}/{}", self.alias(name)).into(),
            _ => name.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_together_still_does_and_another_key_has_other_names() {
        let hide = Hide { names: true, ..Hide::default() };
        let names = Names { key: Key(7), hide };
        let labels: Labels = [("app", "web"), ("kubernetes.io/service-name", "web"), ("tier", "")]
            .into_iter()
            .map(|(key, value)| (Text::from(key), Text::from(value)))
            .collect();
        let seen = names.labels(&labels);
        let selector = names.selector(&Text::from("app=web,tier in ()"));
        assert!(Selector::parse(&selector).expect("a selector").matches(&seen), "{selector} {seen}");
        assert_eq!(seen.get("kubernetes.io/service-name").map(Text::as_str), Some(&*names.alias("web")));
        assert!(!seen.to_string().contains("web") && !seen.to_string().contains("app"));
        let other = Names { key: Key(8), hide };
        assert_ne!(names.alias("web"), other.alias("web"));
        assert_eq!(names.selector(&Text::from("<none>")), "<none>");
    }

    #[test]
    fn node_names_are_hidden_in_labels_too() {
        let names = Names { key: Key(1), hide: Hide { node_names: true, ..Hide::default() } };
        let labels: Labels =
            [(Text::from("kubernetes.io/hostname"), Text::from("worker-1"))].into_iter().collect();
        assert_eq!(
            names.labels(&labels).get("kubernetes.io/hostname"),
            Some(&names.node(&Text::from("worker-1")))
        );
        assert_eq!(names.text(&Text::from("web")), "web");
    }
}
