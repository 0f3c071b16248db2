//! Which nodes fit, for a pod, for the pods of a workload, or for what is typed in; and the pods that wait for a node.

mod pending;
mod verdicts;
mod waiting;

use leptos::prelude::*;
pub use pending::{Fits, WhyPending};
use verdicts::{Verdicts, seen};

use self::waiting::Waiting;
use crate::{
    api::{
        DaemonSet, Deployment, InCluster, Kind, Needs, ObjectKey, Pod, ReplicaSet, ReplicationController,
        Row, StatefulSet, Uid,
    },
    components::{
        filters::{kept, pointed_at},
        frame::Head,
        gate::{Gate, known_absent},
        here::Here,
        name, store,
    },
    format::visible,
    placement::{
        Case,
        asked::{Asked, AskedError},
    },
    store::Store,
};

/// The view.
#[component]
pub fn PlacementPage() -> impl IntoView {
    let here = Here::get();
    let asked = Memo::new(move |_| here.place().asked);
    let about = Memo::new(move |_| asked.with(Asked::object));
    let question = move || match about.get() {
        Ok(Some(key)) => view! { <AboutObject key /> }.into_any(),
        Ok(None) => view! { <Typed asked /> }.into_any(),
        Err(error) => wrong(asked, &error),
    };
    view! {
        <Head title=|| "Placement" />
        <Gate kind=Kind::Node>
            <Gate kind=Kind::Pod>
                <div class="object placement">
                    <section aria-labelledby="which">
                        <h2 id="which">"Which nodes fit?"</h2>
                        {question}
                    </section>
                    <Waiting />
                </div>
            </Gate>
        </Gate>
    }
    .into_any()
}

/// A question about an object, with a way back to one that is typed in.
#[component]
fn AboutObject(key: ObjectKey) -> impl IntoView {
    let here = Here::get();
    let store = store();
    let back = move || here.place().with(|place| place.asked = Asked::default()).href();
    let link = name::object_link(key.kind, &key.namespace, &key.name);
    let case = {
        let (store, key) = (store.clone(), key.clone());
        Memo::new(move |_| of_object(&store, &key))
    };
    let absent = {
        let (store, key) = (store.clone(), key.clone());
        move || {
            let none = store.detail(&key).is_some_and(|detail| detail.is_none());
            (none && known_absent(&store, &key)).then(|| {
                let said = format!(
                    "There is no {} {} in namespace {}.",
                    key.kind.singular(),
                    visible(&key.name),
                    visible(&key.namespace)
                );
                view! { <p class="notice" role="status">{said}</p> }
            })
        }
    };
    let for_what = match key.kind {
        Kind::Pod => "For ",
        Kind::DaemonSet => "For the pods of ",
        _ => "For one more pod of ",
    };
    view! {
        <p class="about-object">
            {for_what}{key.kind.singular()}" "{link}" "
            <a class="aside" href=back>"ask for something else"</a>
        </p>
        <Gate kind=key.kind>
            {absent.clone()}
            <Verdicts case />
        </Gate>
    }
    .into_any()
}

/// The answer for a pod or a workload; `None` while it is not there.
fn of_object(store: &Store, key: &ObjectKey) -> Option<Case> {
    let detail = store.detail(key).flatten()?;
    seen(store, |seen| {
        if key.kind == Kind::Pod {
            let pod = store.named::<Pod>(&key.namespace, &key.name)?;
            return Some(Case::of_pod(&pod, &detail, [], seen));
        }
        let uid = uid(store, key)?;
        Some(Case::of_template(key.kind, uid, &detail.needs, seen))
    })
}

fn uid(store: &Store, key: &ObjectKey) -> Option<Uid> {
    fn of<T: Row + InCluster>(store: &Store, key: &ObjectKey) -> Option<Uid> {
        store.named::<T>(&key.namespace, &key.name).map(|row| row.meta().uid)
    }
    match key.kind {
        Kind::Deployment => of::<Deployment>(store, key),
        Kind::DaemonSet => of::<DaemonSet>(store, key),
        Kind::StatefulSet => of::<StatefulSet>(store, key),
        Kind::ReplicaSet => of::<ReplicaSet>(store, key),
        Kind::ReplicationController => of::<ReplicationController>(store, key),
        _ => None,
    }
}

/// One part of what may be asked for: its name in the URL, what it is called, and an example.
const PARTS: [(&str, &str, &str); 4] = [
    ("nodeSelector", "Node labels", "project=listingqc,zone in (a,b)"),
    ("cpu", "CPU", "500m"),
    ("memory", "Memory", "1Gi"),
    ("tolerate", "Tolerates", "key=value:NoSchedule"),
];

/// What is typed in, and its answer as one types.
#[component]
fn Typed(asked: Memo<Asked>) -> impl IntoView {
    let here = Here::get();
    let store = store();
    let needs: Memo<Result<Needs, AskedError>> = Memo::new(move |_| asked.with(Asked::needs));
    let case = Memo::new(move |_| {
        let needs = needs.get().ok()?;
        if asked.with(Asked::is_empty) {
            return None;
        }
        seen(&store, |seen| Some(Case::of_needs(&needs, seen)))
    });
    let something = Memo::new(move |_| asked.with(|asked| !asked.is_empty()));
    let own: Vec<&str> = Asked::PARTS.to_vec();
    let input = move |(part, label, example): (&'static str, &'static str, &'static str)| {
        let value = Memo::new(move |_| asked.with(|asked| asked.part(part).to_owned()));
        let bad =
            move || needs.with(|needs| needs.as_ref().is_err_and(|error| error.part == part)).to_string();
        view! {
            <label class=part.to_ascii_lowercase()>
                <span>{label}</span>
                <input
                    name=part
                    type="text"
                    spellcheck="false"
                    autocomplete="off"
                    autocapitalize="off"
                    placeholder=example
                    aria-invalid=bad
                    aria-describedby="asked-error"
                    value=value.get_untracked()
                    prop:value=move || value.get()
                    on:input=move |event| {
                        let text = event_target_value(&event);
                        here.replace(here.place_now().with(|place| {
                            place.asked.set_anew(part, text);
                        }));
                    }
                />
            </label>
        }
    };
    view! {
        <form class="asked" method="get" aria-label="Which nodes fit?" on:submit=move |event| event.prevent_default()>
            {move || kept(&here.place(), &own)}
            {PARTS.map(input).into_iter().collect_view()}
            <button class="without-program">"Ask"</button>
        </form>
        <div id="asked-error" role="alert">
            {move || needs.get().err().map(|error| wrong(asked, &error))}
        </div>
        {move || something.get().then(|| view! { <Verdicts case /> })}
    }
    .into_any()
}

/// The part with a caret under the character that is wrong.
fn wrong(asked: Memo<Asked>, error: &AskedError) -> AnyView {
    let text = asked.with_untracked(|asked| asked.part(error.part).to_owned());
    view! { <div class="panel bad-selector">{pointed_at(&text, error.at, error.to_string())}</div> }
        .into_any()
}
