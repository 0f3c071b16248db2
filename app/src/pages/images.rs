//! Each image with how many pods and containers run it: the tutorial's `sort | uniq -c`.

use std::{collections::BTreeMap, sync::Arc};

use leptos::prelude::*;

use crate::{
    api::{Health, Kind, Pod},
    components::{
        filters::{bad_selector, no_selector},
        frame::Head,
        gate::{Gate, dims, known_in},
        here::Here,
        store,
        table::tallies,
    },
    format::visible,
    query::{Fact, Filter, Page, Place, tally},
};

#[derive(Clone, Default, PartialEq)]
struct Use {
    containers: usize,
    pods: usize,
    states: [usize; 5],
}

/// Counts the images of what the place keeps, most used first.
fn counted(pods: &[Arc<Pod>], place: &Place) -> Vec<(String, Use)> {
    let Ok(filter) = Filter::of(place, Kind::Pod) else { return Vec::new() };
    let mut uses: BTreeMap<String, (usize, Vec<Health>)> = BTreeMap::new();
    for pod in pods.iter().filter(|pod| filter.keeps(&***pod)) {
        let mut images: Vec<&str> = pod.images.iter().map(|(_, image)| image.as_str()).collect();
        for image in &images {
            uses.entry((*image).to_owned()).or_default().0 += 1;
        }
        images.sort_unstable();
        images.dedup();
        for image in images {
            uses.entry(image.to_owned()).or_default().1.push(pod.health);
        }
    }
    let mut uses: Vec<(String, Use)> = uses
        .into_iter()
        .map(|(image, (containers, states))| {
            (image, Use { containers, pods: states.len(), states: tally(states.into_iter()) })
        })
        .collect();
    uses.sort_by_key(|(_, used)| std::cmp::Reverse(used.containers));
    uses
}

/// The view.
#[component]
pub fn Images() -> impl IntoView {
    let here = Here::get();
    let store = store();
    let whole = {
        let store = store.clone();
        Memo::new(move |_| store.partial().is_none())
    };
    let bad = bad_selector(Kind::Pod);
    let old = dims(&store, &[Kind::Pod]);
    let known = {
        let store = store.clone();
        Memo::new(move |_| bad.with(Option::is_none) && known_in(&store, Kind::Pod, &here.place().namespaces))
    };
    let uses = Memo::new(move |_| counted(&store.rows::<Pod>(), &here.place()));
    let rows = move || {
        let place = here.place();
        uses.get().into_iter().map(|(image, used)| row(&place, &image, &used)).collect_view()
    };
    let aside = move || known.get().then(|| format!("{} images in use", uses.with(Vec::len)));
    view! {
        <Head title=|| "Images" aside=move || view! { <span class:was=move || old.get()>{aside}</span> } />
        <Gate kind=Kind::Pod>
            {move || {
                if let Some(error) = bad.get() {
                    return no_selector(&here.place(), &error).into_any();
                }
                if !whole.get() {
                    return view! { <p role="status" class="nothing">"Counting: not all pods are here yet…"</p> }.into_any();
                }
                view! {
                    <table class="plain counts images">
                        <thead>
                            <tr>
                                <th scope="col" class="right">"Containers"</th>
                                <th scope="col">"Image"</th>
                                <th scope="col" class="right">"Pods"</th>
                                <th scope="col">"States"</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                }
                    .into_any()
            }}
        </Gate>
    }
    .into_any()
}

fn row(place: &Place, image: &str, used: &Use) -> impl IntoView + use<> {
    let href = place.elsewhere(Page::Pods).with_only(Fact::Image, Some(image.to_owned())).href();
    view! {
        <tr>
            <td class="right">{used.containers}</td>
            <th scope="row" class="mono"><a href=href>{visible(image).into_owned()}</a></th>
            <td class="right">{used.pods}</td>
            <td>{tallies(used.states)}</td>
        </tr>
    }
    .into_any()
}
