//! The kubectl command that shows what is on screen: people learn it by looking at Masthead.

use super::{Page, Place, place::Group};
use crate::{
    api::{Kind, ObjectKey},
    field_selector::Term,
};

/// The command for a place. Search, grouping and the filters kubectl does not have are left out.
pub fn kubectl(place: &Place) -> Vec<String> {
    let of = |kind: &str, namespaced: bool| get(place, kind, namespaced);
    match &place.page {
        Page::Overview => of("nodes,pods,deployments,rc,ds,sts", true),
        Page::Pods => of("pods", true),
        Page::Workloads => of("deployments,rc,ds,sts,rs", true),
        Page::Rollouts => of("deployments,ds,sts", true),
        Page::Rollout(key) if key.kind.rolls_out() => vec![rollout(key)],
        Page::Rollout(key) => of(key.kind.plural(), true),
        Page::Probes => vec![
            scoped(place, "kubectl describe pods") + &labelled(place),
            scoped(place, "kubectl events") + " --types=Warning",
        ],
        Page::Services => of("services", true),
        Page::EndpointSlices => of("endpointslices", true),
        Page::Nodes => of("nodes", false),
        Page::Placement => placement(place),
        Page::Namespaces => of("namespaces", false),
        Page::Labels => vec![scoped(place, "kubectl get pods") + " --show-labels"],
        Page::Images => vec![
            scoped(place, "kubectl get pods")
                + " -o jsonpath='{range .items[*]}{.spec.containers[*].image}{\"\\n\"}{end}' | tr ' ' '\\n' | sort | uniq -c",
        ],
        // `kubectl events` takes neither of the selectors
        Page::Events if !place.fields.trim().is_empty() || !place.selector.trim().is_empty() => {
            of("events", true)
        }
        Page::Events => vec![scoped(place, "kubectl events") + event_filters(place).as_str()],
        Page::Object(key) => vec![describe(key)],
        // nobody is there to type
        Page::Wall | Page::Nowhere => Vec::new(),
    }
}

fn labelled(place: &Place) -> String {
    match place.selector.trim() {
        "" => String::new(),
        selector => format!(" -l {}", quoted(selector)),
    }
}

fn describe(key: &ObjectKey) -> String {
    let mut command = format!("kubectl describe {} {}", key.kind.singular(), quoted(&key.name));
    if key.kind.namespaced() {
        command += &format!(" -n {}", quoted(&key.namespace));
    }
    command
}

/// What is asked about; without a question the pods that wait.
fn placement(place: &Place) -> Vec<String> {
    let selector = place.asked.node_selector.trim();
    match place.looks_at() {
        Some(key) => vec![describe(&key)],
        None if !selector.is_empty() => vec![format!("kubectl get nodes -l {}", quoted(selector))],
        None if !place.asked.is_empty() => vec!["kubectl describe nodes".to_owned()],
        None => {
            let pending =
                |within: String| format!("kubectl get pods {within} --field-selector status.phase=Pending");
            match &place.namespaces[..] {
                [] => vec![pending("-A".to_owned())],
                namespaces => namespaces.iter().map(|name| pending(format!("-n {}", quoted(name)))).collect(),
            }
        }
    }
}

/// One command a namespace: kubectl takes one, or all.
fn get(place: &Place, kinds: &str, namespaced: bool) -> Vec<String> {
    let mut tail = labelled(place);
    let fields = fields(place);
    if !fields.is_empty() {
        tail += &format!(" --field-selector {}", quoted(&fields));
    }
    let mut keys: Vec<&str> = place.columns.iter().map(String::as_str).collect();
    if let Some(Group::Label(key)) = &place.group
        && !keys.contains(&key.as_str())
    {
        keys.push(key);
    }
    if !keys.is_empty() && !place.page.tables().is_empty() {
        tail += &format!(" -L {}", quoted(&keys.join(",")));
    }
    if place.wide {
        tail += " -o wide";
    }
    let base = format!("kubectl get {kinds}");
    match (namespaced, &place.namespaces[..]) {
        (false, _) => vec![base + &tail],
        (true, []) => vec![format!("{base} -A{tail}")],
        (true, namespaces) => {
            namespaces.iter().map(|namespace| format!("{base} -n {}{tail}", quoted(namespace))).collect()
        }
    }
}

/// The field selector, and those of the single facts that the API server knows as fields.
fn fields(place: &Place) -> String {
    let mut terms = vec![place.fields.trim().to_owned()];
    let mut term = |field: &str, value: &str| {
        let term = Term { field: field.into(), equal: true, value: value.into() };
        terms.push(term.to_string());
    };
    if let Some(node) = place.only(super::Fact::Node) {
        term("spec.nodeName", node);
    }
    if place.page == Page::Events {
        if let Some(kind) = place.only(super::Fact::Type) {
            term("type", kind);
        }
        if let Some((kind, name)) = place.only(super::Fact::Object).and_then(|object| object.split_once('/'))
        {
            term("involvedObject.kind", Kind::parse(kind).map_or(kind, |kind| kind.name()));
            term("involvedObject.name", name);
        }
    }
    terms.retain(|term| !term.is_empty());
    terms.join(",")
}

fn scoped(place: &Place, base: &str) -> String {
    match &place.namespaces[..] {
        [one] => format!("{base} -n {}", quoted(one)),
        _ => format!("{base} -A"),
    }
}

fn event_filters(place: &Place) -> String {
    let mut text = String::new();
    if let Some(kind) = place.only(super::Fact::Type) {
        text += &format!(" --types={}", quoted(kind));
    }
    if let Some(object) = place.only(super::Fact::Object) {
        text += &format!(" --for={}", quoted(object));
    }
    text
}

/// As a shell needs it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// The command that watches a rollout; see [`crate::api::Kind::rolls_out`].
pub fn rollout(key: &ObjectKey) -> String {
    format!(
        "kubectl rollout status {}/{} -n {}",
        key.kind.singular(),
        quoted(&key.name),
        quoted(&key.namespace)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_shows_what_is_on_screen() {
        for (url, command) in [
            ("/pods", "kubectl get pods -A"),
            (
                "/pods?namespace=default&selector=app%3Drc-randomforest",
                "kubectl get pods -n default -l app=rc-randomforest",
            ),
            (
                "/pods?selector=a%20in%20(b,c)&wide=1&columns=label:team",
                "kubectl get pods -A -l 'a in (b,c)' -L team -o wide",
            ),
            (
                "/pods?fields=status.phase!%3DRunning&node=worker-1",
                "kubectl get pods -A --field-selector 'status.phase!=Running,spec.nodeName=worker-1'",
            ),
            (
                "/events?fields=reason%3DBackOff&type=Warning&object=replicaset%2Fweb-1",
                "kubectl get events -A --field-selector reason=BackOff,type=Warning,involvedObject.kind=ReplicaSet,involvedObject.name=web-1",
            ),
            ("/nodes?namespace=a", "kubectl get nodes"),
            ("/pods/default/web-1", "kubectl describe pod web-1 -n default"),
            ("/events?type=Warning", "kubectl events -A --types=Warning"),
            ("/placement", "kubectl get pods -A --field-selector status.phase=Pending"),
            ("/placement?nodeSelector=a%20in%20(b)&cpu=1", "kubectl get nodes -l 'a in (b)'"),
            ("/placement?for=pod/default/web-1", "kubectl describe pod web-1 -n default"),
            ("/placement?cpu=1", "kubectl describe nodes"),
        ] {
            assert_eq!(kubectl(&Place::parse(url)), [command]);
        }
        let both = kubectl(&Place::parse("/pods?namespace=a,b"));
        assert_eq!(both, ["kubectl get pods -n a", "kubectl get pods -n b"]);
    }

    #[test]
    fn nothing_leaves_its_quotes() {
        assert_eq!(quoted("a'; rm -rf /'"), r"'a'\''; rm -rf /'\'''");
    }
}
