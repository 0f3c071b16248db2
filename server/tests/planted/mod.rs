//! Words that stand nowhere else, planted in objects; and which fields of an object may be seen by whom.
#![allow(dead_code)] // each test file uses its part

pub mod site;
pub mod world;

use std::collections::BTreeSet;

use serde_json::Value;

/// The letters of a planted word: those of names that Kubernetes generates, so that a word passes for one of them
/// wherever it follows another's name.
const LETTERS: &[u8; 18] = b"bcdfghjklmnprstvwx";

/// The `number`th word: eight letters between signs, at home in names, labels, images and addresses of the web.
pub fn word(number: usize) -> String {
    let letter = |place: u32| char::from(LETTERS[number / 18usize.pow(place) % 18]);
    format!("zq{}{}{}{}qz", letter(3), letter(2), letter(1), letter(0))
}

/// The `number`th address, of which no other begins with the same letters.
pub fn address(number: usize) -> String {
    format!("10.77.{}.{}", 100 + number / 100, 100 + number % 100)
}

/// The planted words and addresses that stand in `bytes`.
pub fn found(bytes: &[u8]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut at = 0;
    while let Some(next) = bytes.get(at..).and_then(|rest| rest.iter().position(|b| matches!(b, b'z' | b'1')))
    {
        at += next;
        let rest = &bytes[at..];
        let length = match rest.first() {
            Some(b'z') if is_word(rest) => 8,
            Some(b'1') if is_address(rest) => 13,
            _ => 0,
        };
        if length > 0 {
            found.insert(String::from_utf8_lossy(&rest[..length]).into_owned());
        }
        at += 1;
    }
    found
}

fn is_word(text: &[u8]) -> bool {
    text.starts_with(b"zq") && text.get(6..8) == Some(b"qz") && text[2..6].iter().all(|b| LETTERS.contains(b))
}

fn is_address(text: &[u8]) -> bool {
    text.starts_with(b"10.77.")
        && text.len() >= 13
        && text[6..13].iter().all(|b| b.is_ascii_digit() || *b == b'.')
}

/// What hides a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// `hide.names` alone.
    Name,
    /// `hide.nodeNames` as well.
    NodeName,
    /// `hide.images` as well.
    Image,
    /// `hide.addresses` as well.
    Address,
    /// Nothing: it names nobody.
    Plain,
}

/// Who may see a field of an object that they may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// Strangers too, unless its class is hidden.
    Anyone,
    /// Only those from whom nothing of the object is withheld.
    Signed,
}

/// A field that may be seen. A segment of the path is a name, some names with `|` between them, `*` for any one, or
/// `**` for any number of them; elements of lists are `[]`.
pub struct Rule {
    pub kinds: &'static [&'static str],
    pub path: &'static str,
    pub class: Class,
    pub to: To,
    pub why: &'static str,
}

const fn rule(
    kinds: &'static [&'static str],
    path: &'static str,
    class: Class,
    to: To,
    why: &'static str,
) -> Rule {
    Rule { kinds, path, class, to, why }
}

const ALL: &[&str] = &[];
const POD: &[&str] = &["Pod"];
const PODS: &[&str] = &[
    "Pod",
    "ReplicationController",
    "Deployment",
    "DaemonSet",
    "StatefulSet",
    "ReplicaSet",
    "ControllerRevision",
];
const TEMPLATES: &[&str] =
    &["ReplicationController", "Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "ControllerRevision"];
const NODE: &[&str] = &["Node"];
const SERVICE: &[&str] = &["Service"];
const SLICE: &[&str] = &["EndpointSlice"];
const EVENT: &[&str] = &["Event"];
const LEASE: &[&str] = &["Lease"];

use Class::{Address, Image, Name, NodeName, Plain};
use To::{Anyone, Signed};

/// Every field that anybody may see; what is not here may be seen by nobody.
pub const RULES: &[Rule] = &[
    rule(ALL, "metadata.name", Name, Anyone, "NAME"),
    rule(ALL, "metadata.namespace", Name, Anyone, "NAMESPACE"),
    rule(ALL, "metadata.labels.*", Name, Anyone, "--show-labels, and selectors"),
    rule(ALL, "metadata.ownerReferences.[].name", Name, Signed, "Controlled By"),
    rule(ALL, "metadata.ownerReferences.[].kind", Name, Signed, "Controlled By"),
    rule(ALL, "metadata.finalizers.[]", Name, Signed, "why an object does not go away"),
    rule(
        ALL,
        "status.conditions.[].type|status|reason|message",
        Plain,
        Signed,
        "Conditions of kubectl describe",
    ),
    // pods and templates of pods
    rule(PODS, "**.nodeName", NodeName, Anyone, "NODE"),
    rule(PODS, "**.containers|initContainers|ephemeralContainers.[].name", Name, Anyone, "CONTAINERS"),
    rule(PODS, "**.containers|initContainers|ephemeralContainers.[].image", Image, Anyone, "IMAGES"),
    rule(
        PODS,
        "**.containers|initContainers|ephemeralContainers.[].ports.[].name",
        Name,
        Anyone,
        "ports by name",
    ),
    rule(
        PODS,
        "**.containers|initContainers|ephemeralContainers.[].ports.[].hostIP",
        Address,
        Anyone,
        "host ports",
    ),
    rule(PODS, "**.livenessProbe|readinessProbe|startupProbe.httpGet|tcpSocket.port", Name, Anyone, "probes"),
    rule(
        PODS,
        "**.livenessProbe|readinessProbe|startupProbe.httpGet.path",
        Name,
        Anyone,
        "probes, without a query",
    ),
    rule(PODS, "**.livenessProbe|readinessProbe|startupProbe.httpGet|tcpSocket.host", Name, Signed, "probes"),
    rule(
        PODS,
        "**.livenessProbe|readinessProbe|startupProbe.httpGet.httpHeaders.[].name",
        Name,
        Signed,
        "probes",
    ),
    rule(PODS, "**.livenessProbe|readinessProbe|startupProbe.grpc.service", Name, Signed, "probes"),
    rule(PODS, "**.seccompProfile.localhostProfile", Name, Signed, "kubectl describe"),
    rule(PODS, "**.resources.requests|limits.*", Name, Anyone, "names of resources"),
    rule(PODS, "**.nodeSelector.*", Name, Anyone, "placement"),
    rule(PODS, "**.tolerations.[].key|value", Name, Anyone, "placement"),
    rule(PODS, "**.nodeSelectorTerms.[].matchExpressions.[].key", Name, Anyone, "placement"),
    rule(PODS, "**.nodeSelectorTerms.[].matchExpressions.[].values.[]", Name, Anyone, "placement"),
    rule(PODS, "**.nodeSelectorTerms.[].matchFields.[].values.[]", NodeName, Signed, "placement"),
    rule(PODS, "**.schedulingGates.[].name", Name, Signed, "why a pod is not scheduled"),
    rule(PODS, "**.schedulerName", Name, Signed, "kubectl describe"),
    rule(PODS, "**.serviceAccountName", Name, Signed, "kubectl describe"),
    rule(PODS, "**.priorityClassName", Name, Signed, "kubectl describe"),
    rule(PODS, "**.runtimeClassName", Name, Signed, "kubectl describe"),
    rule(PODS, "**.schedulingGroup.podGroupName", Name, Signed, "the group that has to be placed together"),
    rule(PODS, "**.topologySpreadConstraints.[].topologyKey", Name, Signed, "kubectl describe"),
    rule(
        PODS,
        "**.topologySpreadConstraints.[].labelSelector.matchLabels.*",
        Name,
        Signed,
        "kubectl describe",
    ),
    rule(PODS, "**.topologySpreadConstraints.[].whenUnsatisfiable", Name, Signed, "kubectl describe"),
    rule(POD, "status.podIP", Address, Anyone, "IP"),
    rule(POD, "status.podIPs.[].ip", Address, Anyone, "IP, of which kubectl prints the first"),
    rule(POD, "status.hostIP", Address, Signed, "kubectl describe"),
    rule(POD, "status.nominatedNodeName", NodeName, Anyone, "NOMINATED NODE"),
    rule(POD, "status.message|reason", Plain, Signed, "STATUS, and why"),
    rule(
        POD,
        "status.*.[].state|lastState.waiting|terminated.reason|message",
        Plain,
        Signed,
        "State, Last State",
    ),
    rule(POD, "status.*.[].allocatedResources.*", Name, Anyone, "names of resources"),
    rule(POD, "status.*.[].imageID", Image, Anyone, "the image that runs"),
    rule(TEMPLATES, "**.template.metadata.labels.*", Name, Anyone, "labels of pods that will be made"),
    rule(TEMPLATES, "spec.selector.matchLabels.*", Name, Anyone, "SELECTOR"),
    rule(TEMPLATES, "spec.selector.*", Name, Anyone, "SELECTOR of a ReplicationController"),
    rule(TEMPLATES, "spec.selector.matchExpressions.[].key", Name, Anyone, "SELECTOR"),
    rule(TEMPLATES, "spec.selector.matchExpressions.[].values.[]", Name, Anyone, "SELECTOR"),
    rule(TEMPLATES, "metadata.annotations.kubernetes.io/change-cause", Plain, Signed, "CHANGE-CAUSE"),
    rule(
        TEMPLATES,
        "**.template.metadata.annotations.kubectl.kubernetes.io/restartedAt",
        Plain,
        Signed,
        "kubectl rollout restart",
    ),
    rule(&["StatefulSet"], "status.currentRevision|updateRevision", Name, Anyone, "kubectl rollout status"),
    rule(&["StatefulSet"], "spec.serviceName", Name, Signed, "kubectl describe"),
    // the others
    rule(NODE, "metadata.name", NodeName, Anyone, "NAME"),
    rule(NODE, "spec.taints.[].key|value", Name, Anyone, "Taints"),
    rule(NODE, "status.addresses.[].address", Address, Anyone, "INTERNAL-IP, EXTERNAL-IP"),
    rule(
        NODE,
        "status.nodeInfo.osImage|kernelVersion|containerRuntimeVersion|kubeletVersion|operatingSystem|architecture",
        Plain,
        Anyone,
        "OS-IMAGE and the like",
    ),
    rule(NODE, "status.capacity|allocatable.*", Name, Anyone, "names of resources"),
    rule(NODE, "spec.podCIDR", Address, Signed, "kubectl describe"),
    rule(NODE, "spec.podCIDRs.[]", Address, Signed, "kubectl describe"),
    rule(NODE, "spec.providerID", Name, Signed, "kubectl describe"),
    rule(SERVICE, "spec.clusterIP", Address, Anyone, "CLUSTER-IP"),
    rule(SERVICE, "spec.clusterIPs.[]", Address, Anyone, "CLUSTER-IP"),
    rule(SERVICE, "spec.externalIPs.[]", Address, Anyone, "EXTERNAL-IP"),
    rule(SERVICE, "spec.externalName", Address, Anyone, "EXTERNAL-IP"),
    rule(SERVICE, "status.loadBalancer.ingress.[].ip|hostname", Address, Anyone, "EXTERNAL-IP"),
    rule(SERVICE, "spec.ports.[].name|targetPort|appProtocol", Name, Anyone, "PORT(S)"),
    rule(SERVICE, "spec.selector.*", Name, Anyone, "SELECTOR"),
    rule(SERVICE, "spec.loadBalancerIP", Address, Signed, "kubectl describe"),
    rule(SERVICE, "spec.loadBalancerClass", Name, Signed, "kubectl describe"),
    rule(SERVICE, "spec.loadBalancerSourceRanges.[]", Address, Signed, "kubectl describe"),
    rule(SERVICE, "spec.trafficDistribution", Plain, Signed, "kubectl describe"),
    rule(SLICE, "ports.[].name|appProtocol", Name, Anyone, "PORTS"),
    rule(SLICE, "endpoints.[].addresses.[]", Address, Anyone, "ENDPOINTS"),
    rule(SLICE, "endpoints.[].targetRef.name", Name, Anyone, "whose address it is"),
    rule(SLICE, "endpoints.[].nodeName", NodeName, Anyone, "where it is"),
    rule(SLICE, "endpoints.[].zone|hostname", Name, Anyone, "where it is"),
    rule(&["PodDisruptionBudget"], "spec.selector.matchLabels.*", Name, Anyone, "which pods"),
    rule(&["PodDisruptionBudget"], "spec.selector.matchExpressions.[].key", Name, Anyone, "which pods"),
    rule(&["PodDisruptionBudget"], "spec.selector.matchExpressions.[].values.[]", Name, Anyone, "which pods"),
    rule(LEASE, "metadata.name", NodeName, Anyone, "a node's"),
    rule(LEASE, "spec.holderIdentity", NodeName, Anyone, "HOLDER"),
    rule(EVENT, "involvedObject.name|namespace|kind|fieldPath", Plain, Signed, "OBJECT, SUBOBJECT"),
    rule(EVENT, "reason|message|type|reportingComponent", Plain, Signed, "REASON, MESSAGE, TYPE, SOURCE"),
    rule(EVENT, "source.component|host", NodeName, Signed, "SOURCE"),
];

/// What the fields of `object` say: each with the rules that let it be seen. Keys of maps are in their own paths.
pub fn fields(object: &Value) -> Vec<(Vec<String>, String)> {
    fn walk(value: &Value, path: &mut Vec<String>, fields: &mut Vec<(Vec<String>, String)>) {
        match value {
            Value::String(text) => fields.push((path.clone(), text.clone())),
            Value::Array(list) => {
                for element in list {
                    path.push("[]".to_owned());
                    walk(element, path, fields);
                    path.pop();
                }
            }
            Value::Object(map) => {
                for (key, value) in map {
                    path.push(key.clone());
                    fields.push((path.clone(), key.clone()));
                    walk(value, path, fields);
                    path.pop();
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut all = Vec::new();
    walk(object, &mut Vec::new(), &mut all);
    all
}

/// The rules by which a field of a kind may be seen.
pub fn rules_of(kind: &str, path: &[String]) -> Vec<&'static Rule> {
    let of_kind = RULES.iter().filter(|rule| rule.kinds.is_empty() || rule.kinds.contains(&kind));
    let mut rules: Vec<&Rule> = of_kind.filter(|rule| matches(rule.path, path)).collect();
    // a Node's name is one whoever names it so
    if rules.iter().any(|rule| rule.class == NodeName) {
        rules.retain(|rule| rule.class == NodeName);
    }
    rules
}

fn matches(pattern: &str, path: &[String]) -> bool {
    fn from(pattern: &[&str], path: &[String]) -> bool {
        match (pattern.split_first(), path.split_first()) {
            (None, None) => true,
            (Some((&"**", rest)), _) => (0..=path.len()).any(|skip| from(rest, &path[skip..])),
            (Some((segment, rest)), Some((name, deeper))) => {
                (*segment == "*" || segment.split('|').any(|one| one == name)) && from(rest, deeper)
            }
            _ => false,
        }
    }
    // names of annotations have dots in them
    let (pattern, last) = match pattern.split_once("annotations.") {
        Some((before, annotation)) => (format!("{before}annotations"), Some(annotation)),
        None => (pattern.to_owned(), None),
    };
    let segments: Vec<&str> = pattern.split('.').chain(last).collect();
    from(&segments, path)
}
