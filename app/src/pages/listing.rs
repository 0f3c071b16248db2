//! The views that are one table of one kind: pods, nodes, namespaces, events.

use leptos::prelude::*;

use crate::{
    api::Kind,
    components::{
        filters::{Nothing, TableTools, no_selector},
        frame::Head,
        gate::{Gate, known_in},
        here::Here,
        store,
        table::{Extra, Table, tallies},
    },
    query::{self, Answer, Fact, Filter, Page, Place},
    selector::SelectorError,
};

/// The answer to what the place asks about a kind.
pub fn asked(kind: Kind) -> Memo<Result<Answer, SelectorError>> {
    let here = Here::get();
    let store = store();
    Memo::new(move |_| query::answer(kind, store.lines(kind), &here.place()))
}

/// A table of a kind with all its tools.
#[component]
pub fn Listing(
    kind: Kind,
    /// What stands above the table.
    #[prop(optional, into)]
    note: Option<ViewFn>,
) -> impl IntoView {
    let here = Here::get();
    let answer = asked(kind);
    let title = here.page.get_untracked().title();
    let caption = title.clone();
    let bad = Memo::new(move |_| answer.with(|answer| answer.as_ref().err().cloned()));
    view! {
        <Head title=move || title.clone() of=vec![kind] aside=move || view! { <States kind /> } />
        <TableTools kind answer />
        {note.map(|note| move || note.run())}
        <Gate kind>
            {
                let caption = caption.clone();
                move || match bad.get() {
                    Some(error) => no_selector(&here.place(), &error).into_any(),
                    None => {
                        view! {
                            <Table kind answer caption=caption.clone() sortable=true extra=extra(kind) />
                            <Nothing kind answer />
                        }
                            .into_any()
                    }
                }
            }
        </Gate>
    }
    .into_any()
}

fn extra(kind: Kind) -> &'static [Extra] {
    match kind {
        Kind::Pod => &[Extra::Wide("NODE"), Extra::Labels],
        Kind::Node => &[Extra::Labels],
        Kind::Service => &[Extra::Addresses, Extra::Wide("SELECTOR")],
        Kind::Event => &[Extra::Wide("COUNT")],
        _ => &[],
    }
}

/// How many are in each state of those that are asked for otherwise, each a filter.
#[component]
fn States(kind: Kind) -> impl IntoView {
    let here = Here::get();
    let store = store();
    let states = Memo::new(move |_| {
        let whole = store.partial().is_none() && store.state(kind).listed();
        let place = here.place();
        let otherwise = place.with_only(if kind == Kind::Event { Fact::Type } else { Fact::State }, None);
        let filter = Filter::of(&otherwise, kind).ok().filter(|_| whole)?;
        let lines = store.lines(kind);
        let states =
            query::tally(lines.iter().filter(|line| filter.keeps(&***line)).map(|line| line.health()));
        // of events those that warn are counted also where there is none
        let is_said = kind != Kind::Event || states[0] > 0 || known_in(&store, kind, &place.namespaces);
        is_said.then_some(states)
    });
    move || {
        let place = here.place();
        states.get().map(|states| {
            if kind == Kind::Event {
                return warnings(&place, states[0]).into_any();
            }
            state_links(&place, states).into_any()
        })
    }
}

fn warnings(place: &Place, count: usize) -> impl IntoView + use<> {
    let on = place.only(Fact::Type).is_some();
    let href = place.with_only(Fact::Type, (!on).then(|| "Warning".to_owned())).href();
    view! {
        <a class="toggle" role="button" href=href aria-pressed=on.to_string()>
            {format!("{count} warnings")}
        </a>
    }
    .into_any()
}

/// A link a state that some are in, which keeps only those.
pub fn state_links(place: &Place, states: [usize; 5]) -> impl IntoView + use<> {
    let base = if place.page.table().is_some() { place.clone() } else { place.elsewhere(Page::Pods) };
    crate::api::Health::ALL
        .into_iter()
        .zip(states)
        .enumerate()
        .filter(|(_, (_, count))| *count > 0)
        .map(|(at, (health, count))| {
            let mut only = [0; 5];
            only[at] = count;
            let chosen = base.only(Fact::State) == Some(health.word());
            let href = base.with_only(Fact::State, (!chosen).then(|| health.word().to_owned())).href();
            view! {
                <a class="state-link" href=href aria-current=chosen.then_some("true")>
                    {tallies(only)} <span class="word">{health.word()}</span>
                </a>
            }
        })
        .collect_view()
}
