//! The addresses behind a Service, or in a slice, as a table.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use leptos::prelude::*;

use crate::{
    api::{Align, Kind, Uid},
    components::{
        gate::is_seen_in,
        icon, name,
        scroll::{self, words},
        store,
    },
    format::visible,
    query::endpoints::{Member, Standing},
};

/// So many are drawn; of more, first those that are not ready.
const MOST: usize = 200;

const COLUMNS: [&str; 8] =
    ["Pod", "Address", "How it stands", "Ready", "Serving", "Terminating", "Node", "Why"];

type Key = (Arc<str>, Arc<str>, Uid);

/// One row an address, and one a pod that has none.
#[component]
pub fn Members(
    /// Who is behind it; `None` while that is not known.
    members: Memo<Option<Vec<Member>>>,
    /// Accessible name.
    caption: &'static str,
    /// Where they all are.
    namespace: StoredValue<String>,
    /// All are of one slice, which need not be named.
    of_slice: bool,
) -> impl IntoView {
    let by_key: Memo<HashMap<Key, Member>> = Memo::new(move |_| {
        members
            .with(|members| members.iter().flatten().map(|member| (member.key(), member.clone())).collect())
    });
    let store = store();
    let refused = Memo::new(move |_| !is_seen_in(&store, Kind::EndpointSlice, &namespace.get_value()));
    let keys = move || members.with(|members| drawn(members.as_deref().unwrap_or_default()));
    let count = Memo::new(move |_| members.with(|members| members.as_ref().map(Vec::len)));
    let rest = move || {
        count.get().filter(|count| *count > MOST).map(|count| {
            view! { <p class="nothing">{format!("{MOST} of {count}, those first that are not ready.")}</p> }
        })
    };
    move || {
        match count.get() {
        None if refused.get() => view! { <p class="nothing">"Not known."</p> }.into_any(),
        None => view! { <div class="skeleton" aria-busy="true"><div class="bar"></div><div class="bar"></div></div> }.into_any(),
        Some(0) => view! { <p class="nothing">"None."</p> }.into_any(),
        Some(_) => {
            let rows = view! {
                <For each=keys key=Clone::clone children=move |key| row(by_key, key, namespace.get_value(), of_slice) />
            };
            let slice = (!of_slice).then_some(("Slice", Align::Left));
            let columns = words(COLUMNS).into_iter().chain(slice);
            view! { {scroll::table(caption, "members", columns, rows)} {rest} }.into_any()
        }
    }
    }
}

/// Which are drawn, in the order of their names. What a slice has twice is drawn once.
fn drawn(members: &[Member]) -> Vec<Key> {
    let unready = |member: &&Member| members.len() > MOST && member.standing != Standing::Ready;
    let first = members.iter().filter(unready);
    let rest = members.iter().filter(|member| !unready(member));
    let mut seen = HashSet::new();
    first.chain(rest).map(Member::key).filter(|key| seen.insert(key.clone())).take(MOST).collect()
}

fn row(by_key: Memo<HashMap<Key, Member>>, key: Key, namespace: String, of_slice: bool) -> impl IntoView {
    // One that has just gone is drawn as it was until its row is taken away.
    let member = Memo::new(move |before: Option<&Option<Member>>| {
        by_key.with(|all| all.get(&key).cloned()).or_else(|| before.cloned().flatten())
    });
    move || {
        member.get().map(|member| {
            let endpoint = member.endpoint.clone().unwrap_or_default();
            let there = member.endpoint.is_some();
            let addresses: Vec<&str> = endpoint.addresses.iter().map(|address| &**address).collect();
            let address = if addresses.is_empty() { "<none>".to_owned() } else { addresses.join(", ") };
            let who = match (&member.pod, &endpoint.target) {
                (Some(pod), _) => name::link(Kind::Pod, &pod.meta),
                (None, Some(target)) if target.kind == "Pod" => {
                    name::object_link(Kind::Pod, &namespace, &target.name)
                }
                (None, Some(target)) => {
                    visible(&format!("{}/{}", target.kind, target.name)).into_owned().into_any()
                }
                (None, None) => "not said".into_any(),
            };
            let node = match &member.pod {
                Some(pod) if endpoint.node.is_empty() => pod.node.clone(),
                _ => endpoint.node.clone(),
            };
            let node =
                if node.is_empty() { "<none>".into_any() } else { name::object_link(Kind::Node, "", &node) };
            let why = visible(&member.why()).into_owned();
            let said = move |condition: Option<bool>, otherwise: bool| match condition {
                _ if !there => "",
                Some(true) => "yes",
                Some(false) => "no",
                None if otherwise => "yes, as not said",
                None => "no, as not said",
            };
            let slice = (!of_slice).then(|| {
                let slice = if member.slice.is_empty() {
                    "<none>".into_any()
                } else {
                    name::object_link(Kind::EndpointSlice, &namespace, &member.slice)
                };
                view! { <td>{slice}</td> }
            });
            view! {
                <tr>
                    <th scope="row">{who}</th>
                    <td>{visible(&address).into_owned()}</td>
                    <td>{icon::shape(member.standing.health())} " " {member.standing.word()}</td>
                    <td>{said(endpoint.ready, true)}</td>
                    <td>{said(endpoint.serving, true)}</td>
                    <td>{said(endpoint.terminating, false)}</td>
                    <td>{node}</td>
                    <td class="message">{why}</td>
                    {slice}
                </tr>
            }
        })
    }
}
