//! Names as a grant shows them: their own, or others that take their place.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use app::{
    api::{
        Labels, Text,
        resource_list::{CPU, EPHEMERAL_STORAGE, HUGE_PAGES, MEMORY, PODS},
    },
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
    /// Known to nobody, where [`Key`] may be.
    secret: Key,
}

impl Names {
    /// As `grant` has them.
    pub fn of(grant: &Grant) -> Names {
        Names { key: grant.key, hide: grant.hide, secret: Key(by_chance() << 64 | by_chance()) }
    }

    /// What takes the place of a name: the same wherever it stands, whatever it names, so that what belonged together
    /// still does.
    pub fn alias(self, name: &str) -> String {
        if name.is_empty() { String::new() } else { made(self.key, name) }
    }

    /// What takes the place of a name that is not granted and has to be told from others: nobody who guesses the
    /// name can find out that they are right.
    pub fn unlike(self, name: &str) -> String {
        made(self.secret, name)
    }

    /// Whether names are hidden.
    pub fn hides_names(self) -> bool {
        self.hide.names
    }

    /// Whether names of nodes are hidden.
    pub fn hides_nodes(self) -> bool {
        self.hide.names || self.hide.node_names
    }

    /// The name of an object that is on a node. What a kubelet itself runs is called after its node.
    pub fn on_node(self, name: &Arc<str>, node: &str) -> Arc<str> {
        let stem = name.strip_suffix(node).filter(|stem| stem.ends_with('-') && !node.is_empty());
        match stem {
            Some(stem) if self.hides_nodes() && !self.hide.names => {
                format!("{stem}{}", self.alias(node)).into()
            }
            _ => self.name(name),
        }
    }

    /// The name of a resource. Those of Kubernetes itself name nobody.
    pub fn resource(self, name: &Text) -> Text {
        let known = matches!(name.as_str(), CPU | MEMORY | EPHEMERAL_STORAGE | PODS);
        if known || name.starts_with(HUGE_PAGES) { name.clone() } else { self.text(name) }
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
        if self.hides_nodes() { self.alias(name).into() } else { name.clone() }
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

    /// The key of a label or a taint. Those of Kubernetes itself are no names; what somebody puts behind a domain of
    /// Kubernetes' is.
    pub fn label_key(self, key: &Text) -> Text {
        match key.strip_prefix(ROLE) {
            _ if KEYS.contains(&key.as_str()) => key.clone(),
            Some(role) if self.hide.names => format!("{ROLE}{}", self.role(&Text::from(role))).into(),
            _ => self.text(key),
        }
    }

    /// A role of nodes.
    pub fn role(self, role: &Text) -> Text {
        match role.as_str() {
            "control-plane" | "master" | "worker" | "etcd" | "node" => role.clone(),
            _ => self.text(role),
        }
    }

    /// The value of a label.
    pub fn label_value(self, key: &str, value: &Text) -> Text {
        if key == "kubernetes.io/hostname" { self.node(value) } else { self.text(value) }
    }

    /// Labels.
    pub fn labels(self, labels: &Labels) -> Labels {
        if !self.hides_nodes() {
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
        if !self.hides_nodes() || printed.is_empty() || printed.starts_with('<') {
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

fn made(key: Key, name: &str) -> String {
    let digest = Sha256::new().chain_update(key.0.to_be_bytes()).chain_update(name).finalize();
    let letter = |byte: &u8| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]);
    digest.iter().take(LENGTH).map(letter).collect()
}

/// The standard library's hashers are keyed by chance.
fn by_chance() -> u128 {
    RandomState::new().hash_one(LENGTH).into()
}

/// What begins the key of a label that gives a node a role.
const ROLE: &str = "node-role.kubernetes.io/";

/// Keys of labels and taints that Kubernetes itself sets and reads (its documentation's "Well-Known Labels,
/// Annotations and Taints").
const KEYS: [&str; 43] = [
    "app.kubernetes.io/component",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/name",
    "app.kubernetes.io/part-of",
    "app.kubernetes.io/version",
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-completion-index",
    "batch.kubernetes.io/job-name",
    "beta.kubernetes.io/arch",
    "beta.kubernetes.io/instance-type",
    "beta.kubernetes.io/os",
    "controller-revision-hash",
    "endpointslice.kubernetes.io/managed-by",
    "endpointslice.kubernetes.io/skip-mirror",
    "failure-domain.beta.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "kubernetes.io/arch",
    "kubernetes.io/cluster-service",
    "kubernetes.io/hostname",
    "kubernetes.io/metadata.name",
    "kubernetes.io/os",
    "kubernetes.io/role",
    "kubernetes.io/service-name",
    "node-role.kubernetes.io/control-plane",
    "node-role.kubernetes.io/master",
    "node.cloudprovider.kubernetes.io/shutdown",
    "node.cloudprovider.kubernetes.io/uninitialized",
    "node.kubernetes.io/disk-pressure",
    "node.kubernetes.io/exclude-from-external-load-balancers",
    "node.kubernetes.io/instance-type",
    "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/network-unavailable",
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/out-of-service",
    "node.kubernetes.io/pid-pressure",
    "node.kubernetes.io/unreachable",
    "node.kubernetes.io/unschedulable",
    "pod-template-hash",
    "statefulset.kubernetes.io/pod-name",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_together_still_does_and_another_key_has_other_names() {
        let hide = Hide { names: true, ..Hide::default() };
        let names = Names { key: Key(7), hide, secret: Key(0) };
        let labels: Labels = [("app", "web"), ("kubernetes.io/service-name", "web"), ("tier", "")]
            .into_iter()
            .map(|(key, value)| (Text::from(key), Text::from(value)))
            .collect();
        let seen = names.labels(&labels);
        let selector = names.selector(&Text::from("app=web,tier in ()"));
        assert!(Selector::parse(&selector).expect("a selector").matches(&seen), "{selector} {seen}");
        assert_eq!(seen.get("kubernetes.io/service-name").map(Text::as_str), Some(&*names.alias("web")));
        assert!(!seen.to_string().contains("web") && !seen.to_string().contains("app"));
        let other = Names { key: Key(8), hide, secret: Key(0) };
        assert_ne!(names.alias("web"), other.alias("web"));
        assert_eq!(names.selector(&Text::from("<none>")), "<none>");
    }

    #[test]
    fn node_names_are_hidden_in_labels_too() {
        let hide = Hide { node_names: true, ..Hide::default() };
        let names = Names { key: Key(1), hide, secret: Key(0) };
        let labels: Labels =
            [(Text::from("kubernetes.io/hostname"), Text::from("worker-1"))].into_iter().collect();
        assert_eq!(
            names.labels(&labels).get("kubernetes.io/hostname"),
            Some(&names.node(&Text::from("worker-1")))
        );
        assert_eq!(names.text(&Text::from("web")), "web");
    }

    #[test]
    fn what_somebody_puts_behind_a_domain_of_kubernetes_is_a_name() {
        let hide = Hide { names: true, ..Hide::default() };
        let names = Names { key: Key(1), hide, secret: Key(2) };
        let key = |key: &str| names.label_key(&Text::from(key)).to_string();
        for known in
            ["kubernetes.io/hostname", "topology.kubernetes.io/zone", "node-role.kubernetes.io/worker"]
        {
            assert_eq!(key(known), known);
        }
        let role = key("node-role.kubernetes.io/fraud");
        assert_eq!(role, format!("node-role.kubernetes.io/{}", names.alias("fraud")));
        for other in ["node-restriction.kubernetes.io/fraud", "acmekubernetes.io/a", "acmek8s.io/a", "fraud"]
        {
            assert_eq!(key(other), names.alias(other));
        }
        assert_ne!(names.unlike("web"), names.alias("web"), "whoever knows the key cannot try names");
    }

    #[test]
    fn what_a_kubelet_runs_itself_is_called_after_its_node() {
        let hide = Hide { node_names: true, ..Hide::default() };
        let names = Names { key: Key(1), hide, secret: Key(2) };
        let node = names.alias("worker-1");
        assert_eq!(*names.on_node(&"proxy-worker-1".into(), "worker-1"), *format!("proxy-{node}"));
        assert_eq!(*names.on_node(&"web-1".into(), "worker-1"), *"web-1");
        assert_eq!(*names.on_node(&"web-1".into(), ""), *"web-1");
        let selector = names.selector(&Text::from("kubernetes.io/hostname=worker-1"));
        assert_eq!(selector.as_str(), format!("kubernetes.io/hostname={node}"));
    }
}
