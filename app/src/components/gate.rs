//! What stands in place of rows while a kind has none to show, and over them when they are old; and of what it may be
//! said that there is none.

use std::collections::BTreeMap;

use leptos::prelude::*;

use crate::{
    api::{Kind, KindState, ObjectKey, Text},
    components::{here::Here, store},
    query::Page,
    shell::SharedBy,
    store::{Freshness, Store},
};

/// What a gate lets through.
#[derive(Clone, Copy, PartialEq)]
enum Open {
    Rows,
    Listing,
    Forbidden,
}

/// Draws `children` once the kind has been listed, dimmed when they are not known to be current;
/// before that a skeleton, and where the API server refuses, what to ask for.
#[component]
pub fn Gate(kind: Kind, children: ChildrenFn) -> impl IntoView {
    let store = store();
    let freshness = {
        let store = store.clone();
        Memo::new(move |_| store.freshness(kind))
    };
    let open = Memo::new(move |_| match freshness.get() {
        Freshness::Listing(_) | Freshness::Failing(_) => Open::Listing,
        Freshness::Forbidden { .. } => Open::Forbidden,
        _ => Open::Rows,
    });
    let dims = Memo::new(move |_| freshness.with(Freshness::dims));
    let children = StoredValue::new(children);
    move || match open.get() {
        Open::Rows => view! {
            <div class="gate drawn" class:stale=move || dims.get()>
                {refused(kind)}
                {children.with_value(|children| children())}
            </div>
        }
        .into_any(),
        Open::Listing => view! { <Skeleton kind freshness /> }.into_any(),
        Open::Forbidden if is_shared() => view! {
            <section class="panel forbidden">
                <h2>{format!("No {} here", kind.plural())}</h2>
                <p>"They are not part of what was shared."</p>
            </section>
        }
        .into_any(),
        Open::Forbidden => match freshness.get_untracked() {
            Freshness::Forbidden { verb, resource, namespace } => {
                forbidden(kind, &verb, &resource, &namespace).into_any()
            }
            _ => ().into_any(),
        },
    }
}

/// Whether the page is looked at by a link, whose viewers cannot ask for rights.
pub fn is_shared() -> bool {
    use_context::<SharedBy>().is_some_and(|SharedBy(shared)| shared.is_some())
}

/// Bars where rows will be, and how far the first list is.
#[component]
fn Skeleton(kind: Kind, freshness: Memo<Freshness>) -> impl IntoView {
    let said = move || match freshness.get() {
        Freshness::Listing(0) => format!("Listing {}…", kind.plural()),
        Freshness::Listing(seen) => format!("Listing {}, {seen} so far…", kind.plural()),
        Freshness::Failing(because) => {
            format!("No list of {} yet: {because}. It is tried again.", kind.plural())
        }
        _ => String::new(),
    };
    view! {
        <div class="skeleton" aria-busy="true">
            <p role="status">{said}</p>
            {(0..6).map(|_| view! { <div class="bar" aria-hidden="true"></div> }).collect_view()}
        </div>
    }
    .into_any()
}

/// Whether all that a kind has in these namespaces is here; in every one, where none is named. Of nothing else it is
/// said that there is none, or how many there are.
pub fn known_in(store: &Store, kind: Kind, namespaces: &[String]) -> bool {
    store.partial().is_none() && store.state(kind).listed() && refused_in(store, kind, namespaces).is_empty()
}

/// Whether it is known that there is no such object. What the server said of it when that was asked may be of before.
pub fn known_absent(store: &Store, key: &ObjectKey) -> bool {
    known_in(store, key.kind, std::slice::from_ref(&key.namespace)) && !store.has(key)
}

/// Whether all that a kind has is here, wherever that is and whatever Masthead was told to watch: a node's pods are of any
/// namespace.
pub fn known_everywhere(store: &Store, kind: Kind) -> bool {
    store.partial().is_none() && store.state(kind).listed() && store.about().within(kind).is_empty()
}

/// Those of these namespaces, of all that are watched where none is named, in which the kind is not to be seen: it may
/// not be, or is not watched.
pub fn refused_in(store: &Store, kind: Kind, namespaces: &[String]) -> Vec<String> {
    let about = store.about();
    let within = about.within(kind);
    if within.is_empty() {
        return Vec::new();
    }
    let seen: Vec<&str> =
        within.iter().filter(|(_, allowed)| *allowed).map(|(name, _)| name.as_str()).collect();
    let asked = if namespaces.is_empty() { &about.namespaces } else { namespaces };
    match asked {
        // other kinds are watched in all
        [] => vec![format!("namespaces other than {}", seen.join(", "))],
        asked => asked.iter().filter(|name| !seen.contains(&name.as_str())).cloned().collect(),
    }
}

/// Whether a kind can be seen in a namespace, where it can be at all.
pub fn is_seen_in(store: &Store, kind: Kind, namespace: &str) -> bool {
    refused_in(store, kind, &[namespace.to_owned()]).is_empty()
}

/// What is missing of these kinds in these namespaces, in words; `None` where each is known there (see [`known_in`]).
pub fn missing(store: &Store, kinds: &[Kind], namespaces: &[String]) -> Option<String> {
    if store.partial().is_some() {
        return Some("Not all rows are here yet.".to_owned());
    }
    let waits = |kind: &&Kind| match store.state(**kind) {
        KindState::Forbidden { .. } => false,
        state => !state.listed(),
    };
    let waiting: Vec<&str> = kinds.iter().filter(waits).map(|kind| kind.plural()).collect();
    let waiting = (!waiting.is_empty()).then(|| format!("Not listed yet: {}.", waiting.join(", ")));
    let said: Vec<String> = waiting.into_iter().chain(unseen(store, kinds, namespaces)).collect();
    (!said.is_empty()).then(|| said.join(" "))
}

/// What of these kinds may not be seen in these namespaces, as a sentence; `None` where all of it may.
pub fn unseen(store: &Store, kinds: &[Kind], namespaces: &[String]) -> Option<String> {
    // by where that is; what may be seen nowhere stands first, under no name
    let mut found: BTreeMap<Vec<String>, Vec<&str>> = BTreeMap::new();
    for kind in kinds {
        if matches!(store.state(*kind), KindState::Forbidden { .. }) {
            found.entry(Vec::new()).or_default().push(kind.plural());
            continue;
        }
        let refused = refused_in(store, *kind, namespaces);
        if !refused.is_empty() {
            found.entry(refused).or_default().push(kind.plural());
        }
    }
    let parts = found.into_iter().map(|(refused, kinds)| match refused.as_slice() {
        [] => kinds.join(", "),
        names => format!("{} of {}", kinds.join(", "), names.join(", ")),
    });
    let parts: Vec<String> = parts.collect();
    let about = store.about();
    let may_not = |kind: &Kind| {
        let within = about.within(*kind);
        let refused =
            |name: &String| within.iter().any(|(known, allowed)| !allowed && *known == name.as_str());
        refused_in(store, *kind, namespaces).iter().all(refused)
    };
    let why = match kinds.iter().all(may_not) {
        _ if is_shared() => "are not part of what was shared",
        true => "Masthead may not list",
        false => "Masthead does not watch",
    };
    (!parts.is_empty()).then(|| format!("Not in here: {}, which {why}.", parts.join("; ")))
}

/// Whether what is made of these kinds must be dimmed, since one of them is not known to be current.
pub fn dims(store: &Store, kinds: &'static [Kind]) -> Memo<bool> {
    let store = store.clone();
    Memo::new(move |_| kinds.iter().any(|kind| store.freshness(*kind).dims()))
}

/// Which of the namespaces that are looked at this kind may not be seen in.
fn refused(kind: Kind) -> impl IntoView {
    let (store, here) = (store(), Here::get());
    // An object's page shows what it shows of that object, whatever namespaces one has come from.
    let shown = Memo::new(move |_| match here.page.get() {
        Page::Object(key) if key.namespace.is_empty() => Vec::new(),
        Page::Object(key) => vec![key.namespace],
        _ => here.place().namespaces,
    });
    move || unseen(&store, &[kind], &shown.get()).map(|said| view! { <p class="note" role="note">{said}</p> })
}

/// Names the missing right and the YAML that grants it.
fn forbidden(kind: Kind, verb: &Text, resource: &Text, namespace: &Text) -> impl IntoView + use<> {
    let scope = if namespace.is_empty() {
        "in the whole cluster".to_owned()
    } else {
        format!("in namespace {namespace}")
    };
    let sentence = format!("Masthead may not {verb} {resource} {scope}.");
    view! {
        <section class="panel forbidden">
            <h2>{format!("No right to see {}", kind.plural())}</h2>
            <p>{sentence}" Everything else is shown. Ask for this:"</p>
            <pre tabindex="0"><code>{role(kind, namespace)}</code></pre>
        </section>
    }
    .into_any()
}

/// The Role or ClusterRole that would let Masthead see a kind.
pub fn role(kind: Kind, namespace: &str) -> String {
    let (role, place) = if namespace.is_empty() {
        ("ClusterRole", String::new())
    } else {
        ("Role", format!("\n  namespace: {namespace}"))
    };
    let (group, plural) = (kind.group(), kind.plural());
    format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: {role}\nmetadata:\n  name: masthead-{plural}{place}\nrules:\n- apiGroups: [\"{group}\"]\n  resources: [\"{plural}\"]\n  verbs: [\"list\", \"watch\"]\n"
    )
}
