//! What is to be pointed out of all selectors: overlaps, and those that select no pod.

use std::sync::Arc;

use leptos::prelude::*;

use super::{KINDS, reference, selectors};
use crate::{
    api::{Kind, Pod, Uid},
    components::{
        gate::{dims, is_seen_in},
        here::Here,
        store,
    },
    format::visible,
    query::{
        Page,
        selects::{
            Selecting, Selectors,
            survey::{Overlap, Survey, survey},
        },
    },
    store::Store,
};

/// So many lines of each.
const MANY: usize = 20;

/// What is to be pointed out of the selectors that the place shows. `None` while not all pods are here.
fn surveyed(store: &Store, selectors: Memo<Arc<Selectors>>) -> Memo<Option<Survey>> {
    let (store, here) = (store.clone(), Here::get());
    let namespaces = Memo::new(move |_| here.place().namespaces);
    let lately = store.lately(&[Kind::Pod]);
    Memo::new(move |_| {
        if store.partial().is_some() || !store.state(Kind::Pod).listed() {
            return None;
        }
        lately();
        let selectors = selectors.get();
        let pods = untrack(|| store.rows::<Pod>());
        let mut survey = survey(&selectors, pods.iter().map(|pod| &**pod));
        let shown = |uid: &Uid| {
            let namespace = selectors.get(*uid).map(|one| one.namespace.to_string());
            namespaces.with(|shown| shown.is_empty() || namespace.is_some_and(|it| shown.contains(&it)))
        };
        survey.overlaps.retain(|overlap| shown(&overlap.by));
        survey.empty.retain(|uid| {
            // elsewhere it is not known which selectors are without a pod
            let known = |name: &str| is_seen_in(&store, Kind::Pod, name);
            shown(uid) && selectors.get(*uid).is_some_and(|one| known(&one.namespace))
        });
        Some(survey)
    })
}

/// Overlapping selectors and those without a pod; nothing where there are none.
#[component]
pub fn PointedOut(selectors: Memo<Arc<Selectors>>) -> impl IntoView {
    let store = store();
    let (survey, dims) = (surveyed(&store, selectors), dims(&store, KINDS));
    let lines = Memo::new(move |_| survey.get().unwrap_or_default());
    let rest = |many: usize| {
        let rest = many.saturating_sub(MANY);
        (rest > 0).then(|| view! { <li class="aside">{format!("and {rest} more")}</li> })
    };
    let overlaps = move || {
        let selectors = selectors.get();
        lines.with(|survey| {
            let shown = survey.overlaps.iter().take(MANY);
            let lines = shown.filter_map(|overlap| overlap_line(&selectors, *overlap)).collect_view();
            (!survey.overlaps.is_empty()).then(|| view! {
                <section aria-labelledby="overlaps">
                    <h2 id="overlaps">"Overlapping selectors" " " <span class="count">{survey.overlaps.len()}</span></h2>
                    <p class="aside">
                        "Each controller keeps to its own pods, but a Service or kubectl get -l with these labels finds both."
                    </p>
                    <ul class="bonds">{lines} {rest(survey.overlaps.len())}</ul>
                </section>
            })
        })
    };
    let empty = move || {
        let selectors = selectors.get();
        lines.with(|survey| {
            let shown = survey.empty.iter().take(MANY).filter_map(|uid| selectors.get(*uid));
            let lines = shown.map(empty_line).collect_view();
            (!survey.empty.is_empty()).then(|| view! {
                <section aria-labelledby="empty-selectors">
                    <h2 id="empty-selectors">"Selectors without a pod" " " <span class="count">{survey.empty.len()}</span></h2>
                    <ul class="bonds">{lines} {rest(survey.empty.len())}</ul>
                </section>
            })
        })
    };
    view! { <div class="gate drawn" class:stale=move || dims.get()>{overlaps} {empty}</div> }.into_any()
}

fn overlap_line(selectors: &Selectors, overlap: Overlap) -> Option<impl IntoView + use<>> {
    let (by, of) = (selectors.get(overlap.by)?, selectors.get(overlap.of)?);
    let says = if overlap.mutual { " and " } else { " also selects the pods of " };
    let both = overlap.mutual.then_some(" select the same pods");
    let place = place_of(by);
    Some(view! { <li class="notable">{reference(by)} {says} {reference(of)} {both} " " {place}</li> })
}

fn empty_line(one: &Selecting) -> impl IntoView + use<> {
    let selector = one.written.read().map(|selector| visible(&selector.to_string()).into_owned());
    let place = place_of(one);
    view! { <li class="notable">{reference(one)} ": no pod has " <code>{selector}</code> " " {place}</li> }
}

fn place_of(one: &Selecting) -> impl IntoView + use<> {
    view! { <span class="aside">{format!("in {}", visible(&one.namespace))}</span> }
}

/// One line where workloads are listed, if there is anything to point out.
#[component]
pub fn OverlapsNote() -> impl IntoView {
    let (here, store) = (Here::get(), store());
    let selectors = selectors(&store);
    let (survey, dims) = (surveyed(&store, selectors), dims(&store, KINDS));
    let counts = Memo::new(move |_| {
        // One line without a place to say since when: of what is old it says nothing.
        if dims.get() || store.freshness(Kind::Pod).dims() {
            return (0, 0);
        }
        survey.with(|survey| survey.as_ref().map_or((0, 0), |it| (it.overlaps.len(), it.empty.len())))
    });
    move || {
        let (overlaps, empty) = counts.get();
        let mut said = Vec::new();
        if overlaps > 0 {
            said.push(if overlaps == 1 {
                "1 overlap of selectors".to_owned()
            } else {
                format!("{overlaps} overlaps of selectors")
            });
        }
        if empty > 0 {
            said.push(if empty == 1 {
                "1 selector without a pod".to_owned()
            } else {
                format!("{empty} selectors without a pod")
            });
        }
        (!said.is_empty()).then(|| {
            let href = here.place().elsewhere(Page::Labels).href();
            view! { <p class="note"><a href=href>{said.join(", ")}</a></p> }
        })
    }
}
