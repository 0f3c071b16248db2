//! Why a pod is pending, on its own page; and where one more pod of a workload fits, on the workload's.

use std::sync::Arc;

use leptos::prelude::*;

use super::verdicts::{Verdicts, seen};
use crate::{
    api::{Detail, Event, Health, Kind, Pod, Uid},
    components::{
        gate::{Gate, dims, known_in},
        icon,
        scroll::{self, numbers, words},
        store,
    },
    format::visible,
    pages::object::{Found, since},
    placement::{Case, case::Told, standing::Standing},
};

/// The section of a pod that has no node.
#[component]
pub fn WhyPending(found: Memo<Found<Pod>>, detail: Memo<Option<Arc<Detail>>>) -> impl IntoView {
    let store = store();
    let pending = Memo::new(move |_| match found.get() {
        Found::Here(pod) if pod.pending() => Some(pod),
        _ => None,
    });
    let nodes = {
        let store = store.clone();
        Memo::new(move |_| known_in(&store, Kind::Node, &[]))
    };
    let hears = {
        let store = store.clone();
        Memo::new(move |_| {
            let namespace = pending.with(|pod| pod.as_ref().map(|pod| pod.meta.namespace.to_string()));
            namespace.is_some_and(|namespace| known_in(&store, Kind::Event, &[namespace]))
        })
    };
    let old = dims(&store, &[Kind::Node, Kind::Event]);
    let case = Memo::new(move |_| {
        let (pod, detail) = (pending.get()?, detail.get()?);
        let mut events = store.current::<Event>();
        events.retain(|event| event.object_uid == pod.meta.uid);
        seen(&store, |seen| Some(Case::of_pod(&pod, &detail, &events, seen)))
    });
    let told = Memo::new(move |_| {
        let told = case.with(|case| case.as_ref().and_then(|case| case.told.clone()))?;
        // Without the nodes there is nothing that the scheduler's words could be held against.
        Some(if nodes.get() { told } else { Told { comparison: None, newer: None, ..told } })
    });
    let there = Memo::new(move |_| pending.with(Option::is_some));
    move || {
        there.get().then(|| {
            view! {
                <section class="placement" aria-labelledby="pending">
                    <h2 id="pending">"Why is it pending?"</h2>
                    <div class="gate drawn" class:stale=move || old.get()>
                        {move || told.get().map(|told| scheduler(told, hears.get()))}
                    </div>
                    <Gate kind=Kind::Node>
                        <h3>"Node by node"</h3>
                        <Verdicts case />
                    </Gate>
                </section>
            }
        })
    }
}

/// Where the pod is, and the scheduler's words, a reason a line; `hears` where all events about it are here.
fn scheduler(told: Told, hears: bool) -> AnyView {
    let sentence = match &told.standing {
        // it may stand in an event
        Standing::Waiting | Standing::Elsewhere(_) if !hears && told.heard.is_none() => {
            Some("Not all events are here: a scheduler may have said something of it.".to_owned())
        }
        standing => standing.sentence(),
    };
    let sentence = sentence.map(|sentence| {
        view! { <p class="status">{icon::shape(Health::Waiting)} {visible(&sentence).into_owned()}</p> }
    });
    let sentences = told.sentences();
    let said = told.heard.map(|heard| {
        let said = heard.said;
        let reasons = said.reasons.iter().map(|(count, reason)| {
            let of = said.nodes.map(|all| format!(" of {all}")).unwrap_or_default();
            let nodes = if *count == 1 && of.is_empty() { "node" } else { "nodes" };
            view! {
                <tr>
                    <td class="right">{format!("{count}{of} {nodes}")}</td>
                    <th scope="row">{visible(reason).into_owned()}</th>
                </tr>
            }
        });
        let reasons = (!said.reasons.is_empty()).then(|| {
            let columns = numbers(["Nodes"]).into_iter().chain(words(["Reason"]));
            scroll::table("What the scheduler says", "reasons", columns, reasons.collect_view())
        });
        let whole = match &*said.refused {
            "" if said.reasons.is_empty() => said.message.clone(),
            refused => refused.to_owned(),
        };
        let whole = (!whole.is_empty()).then(|| view! { <p class="says">{visible(&whole).into_owned()}</p> });
        let then = (!said.then.is_empty())
            .then(|| view! { <p class="note">"It adds: "{visible(&said.then).into_owned()}</p> });
        let at = heard.at.map(|at| {
            let ago = since(&store(), Some(at));
            view! { <span class="aside">" since "{at.to_string()}", "{ago}" ago"</span> }
        });
        view! {
            <h3>"What the scheduler says"{at}</h3>
            {reasons}
            {whole}
            {then}
        }
    });
    let lines = sentences.into_iter().map(|line| view! { <li>{visible(&line).into_owned()}</li> });
    view! {
        {sentence}
        {said}
        <ul class="plain-list compared">{lines.collect_view()}</ul>
    }
    .into_any()
}

/// Where one more pod of a workload fits, folded.
#[component]
pub fn Fits(kind: Kind, uid: Memo<Option<Uid>>, detail: Memo<Option<Arc<Detail>>>) -> impl IntoView {
    let store = store();
    let case = Memo::new(move |_| {
        let (uid, detail) = (uid.get()?, detail.get()?);
        seen(&store, |seen| Some(Case::of_template(kind, uid, &detail.needs, seen)))
    });
    let sentence = Memo::new(move |_| case.with(|case| case.as_ref().map(Case::sentence)));
    let fits =
        Memo::new(move |_| case.with(|case| case.as_ref().is_some_and(|case| case.placement.fits() > 0)));
    let summary = move || {
        let health = if fits.get() { Health::Healthy } else { Health::Failing };
        match sentence.get() {
            Some(sentence) => view! { {icon::shape(health)} {sentence} }.into_any(),
            None => "Counting: not all rows are here yet…".into_any(),
        }
    };
    let title =
        if kind == Kind::DaemonSet { "Where its pods fit" } else { "Where one more of its pods fits" };
    view! {
        <section class="placement" aria-labelledby="fits">
            <h2 id="fits">{title}</h2>
            <Gate kind=Kind::Node>
                <Gate kind=Kind::Pod>
                    <details class="fits">
                        <summary>{summary}</summary>
                        <Verdicts case without_sentence=true />
                    </details>
                </Gate>
            </Gate>
        </section>
    }
    .into_any()
}
