//! What stands in place of rows while a kind has none to show, and over them when they are old.

use leptos::prelude::*;

use crate::{
    api::{Kind, Text},
    components::store,
    shell::SharedBy,
    store::Freshness,
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
            <div class="gate" class:stale=move || dims.get()>
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
fn is_shared() -> bool {
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

/// Which of the watched namespaces this kind may not be seen in.
fn refused(kind: Kind) -> impl IntoView {
    let store = store();
    move || {
        let about = store.about();
        let names: Vec<&str> = about
            .refused
            .iter()
            .filter(|(of, _)| *of == kind.watched())
            .map(|(_, name)| name.as_str())
            .collect();
        (!names.is_empty()).then(|| {
            let said = format!(
                "Not in here: {} of {}, which Masthead may not list.",
                kind.plural(),
                names.join(", ")
            );
            view! { <p class="note" role="note">{said}</p> }
        })
    }
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
