//! A node's kubelet: how long since it was heard, its version, what it reports; and all kubelets' versions.

use std::{collections::BTreeMap, sync::Arc};

use leptos::prelude::*;

use super::super::{
    listing::Listing,
    object::{fact, since},
};
use crate::{
    api::{Detail, Health, Kind, Lease, Node, Pod, Text, Timestamp},
    components::{gate::dims, icon, store},
    format::{duration, visible},
    query::skew::Skew,
    store::{Freshness, Store},
};

/// What its lease says, against the API server's clock.
pub fn heard(store: &Store, name: &str) -> AnyView {
    let lease = {
        let (store, name) = (store.clone(), name.to_owned());
        let namespace = Kind::Lease.only_in().unwrap_or_default();
        Memo::new(move |_| store.named::<Lease>(namespace, &name))
    };
    let store = store.clone();
    let said = move || {
        // What is not known to be current says nothing of the time since then.
        let (now, then) = match store.freshness(Kind::Lease) {
            Freshness::Forbidden { namespace, .. } => {
                return format!("not known: Masthead may not list leases in {namespace}").into_any();
            }
            Freshness::Listing(_) | Freshness::Failing(_) => return "not known yet".into_any(),
            Freshness::Old { as_of: Some(as_of), .. } => {
                (store.in_cluster(as_of).seconds(), " when that was last known")
            }
            Freshness::Old { as_of: None, .. } => return "not known".into_any(),
            Freshness::Live | Freshness::Painted(_) => (store.now().seconds(), ""),
        };
        match lease.get() {
            None => "it has no lease".into_any(),
            Some(lease) => renewal(&lease, now, then),
        }
    };
    fact("Kubelet heard", said)
}

fn renewal(lease: &Lease, now: Timestamp, then: &'static str) -> AnyView {
    let Some(silent) = lease.silent_for(now) else { return "never: its lease was not renewed".into_any() };
    let ago = format!("{} ago{then}", duration(silent));
    match lease.duration.filter(|_| lease.is_expired(now)) {
        Some(good_for) => view! {
            {icon::shape(Health::Unknown)} " " {ago}
            {format!(", longer than the {good_for}s that its lease is good for: it may be gone")}
        }
        .into_any(),
        None => ago.into_any(),
    }
}

/// Its version, and whether it goes with the API server's.
pub fn version(store: &Store, node: &Node) -> AnyView {
    let (store, kubelet) = (store.clone(), node.version.clone());
    fact("Kubelet", move || compared(&kubelet, &store.about().version))
}

fn compared(kubelet: &str, api_server: &str) -> AnyView {
    let skew = Skew::of(kubelet, api_server);
    let sentence = skew.sentence();
    let beside = (!sentence.is_empty()).then(|| format!(": {sentence} ({})", visible(api_server)));
    let shape = (!skew.is_supported()).then(|| icon::state(Health::Failing));
    view! { {shape} " " {visible(kubelet).into_owned()} {beside} }.into_any()
}

/// Since when it is ready or not, and what is short on it.
pub fn reported(store: &Store, detail: &Detail) -> AnyView {
    const PRESSURES: [&str; 4] = ["MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"];
    let for_as_long = |at: Option<Timestamp>| {
        let since = since(store, at);
        view! { <span class="aside">" for " {since}</span> }
    };
    let ready = detail.conditions.iter().rev().find(|condition| condition.kind == "Ready").map(|ready| {
        fact("Ready", view! { {visible(&ready.status).into_owned()} {for_as_long(ready.last_transition)} })
    });
    let short: Vec<_> = detail
        .conditions
        .iter()
        .filter(|condition| PRESSURES.contains(&condition.kind.as_str()) && condition.status != "False")
        .map(|condition| {
            let said = if condition.status == "True" { "" } else { " is not known" };
            view! { <li>{condition.kind.to_string()} {said} {for_as_long(condition.last_transition)}</li> }
        })
        .collect();
    let pressure = if short.is_empty() {
        "none".into_any()
    } else {
        view! { <ul class="plain-list">{short}</ul> }.into_any()
    };
    view! { {ready} {(!detail.conditions.is_empty()).then(|| fact("Pressure", pressure))} }.into_any()
}

/// `12 Running, 1 Pending, of these 2 ending`.
pub fn phases(pods: &[Arc<Pod>]) -> String {
    const ORDER: [&str; 4] = ["Running", "Pending", "Succeeded", "Failed"];
    let mut counts: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    for pod in pods {
        let at = ORDER.iter().position(|phase| pod.phase == *phase).unwrap_or(ORDER.len());
        let word = if pod.phase.is_empty() { "without a phase" } else { &pod.phase };
        *counts.entry((at, word)).or_default() += 1;
    }
    if counts.is_empty() {
        return "none".to_owned();
    }
    let words: Vec<String> = counts.iter().map(|((_, phase), count)| format!("{count} {phase}")).collect();
    let ending = pods.iter().filter(|pod| pod.meta.deleting.is_some()).count();
    let ending = if ending > 0 { format!("; {ending} of them ending") } else { String::new() };
    words.join(", ") + &ending
}

/// All nodes, with their kubelets' versions in a line.
#[component]
pub fn Nodes() -> impl IntoView {
    let store = store();
    let versions = {
        let store = store.clone();
        Memo::new(move |_| {
            let whole = store.partial().is_none() && store.state(Kind::Node).listed();
            let mut counts: BTreeMap<Text, usize> = BTreeMap::new();
            for node in store.current::<Node>().into_iter().filter(|_| whole) {
                *counts.entry(node.version.clone()).or_default() += 1;
            }
            counts
        })
    };
    let old = dims(&store, &[Kind::Node]);
    let note = move || {
        let api_server = store.about().version;
        let parts = versions.get().into_iter().map(|(version, count)| {
            let nodes = if count == 1 { "1 node".to_owned() } else { format!("{count} nodes") };
            view! { <li>{nodes} " with kubelet " {compared(&version, &api_server)}</li> }
        });
        let parts = parts.collect::<Vec<_>>();
        (!parts.is_empty())
            .then(|| view! { <ul class="plain-list versions" class:was=move || old.get()>{parts}</ul> })
    };
    view! { <Listing kind=Kind::Node note /> }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::fixtures::pod;

    #[test]
    fn pods_are_counted_by_phase() {
        let of = |uid: u128, phase: &str| Arc::new(Pod { phase: phase.into(), ..pod(uid, "a", "a", "n") });
        assert_eq!(phases(&[]), "none");
        assert_eq!(
            phases(&[of(1, "Pending"), of(2, "Running"), of(3, "Odd"), of(4, "Running"), of(5, "")]),
            "2 Running, 1 Pending, 1 Odd, 1 without a phase"
        );
    }
}
