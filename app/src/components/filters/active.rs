//! The filters that are set: each with a way out, those of selectors also with a way to their opposite, which needs
//! neither a mouse with an Alt key nor a keyboard; and all at once.

use leptos::prelude::*;

use crate::{components::here::Here, format::visible, query::Place};

/// One filter: what it says, the place without it, and the place with its opposite.
struct Set {
    said: String,
    without: Place,
    opposite: Option<(String, Place)>,
}

/// The list.
#[component]
pub fn Active() -> impl IntoView {
    let here = Here::get();
    move || {
        let place = here.place();
        let clear = (!place.unfiltered()).then(|| {
            let href = place.unasked().href();
            view! { <a class="clear" href=href>"Clear filters"</a> }
        });
        view! { {set(&place).into_iter().map(one).collect_view()} {clear} }
    }
}

/// What the place asks for, one by one.
fn set(place: &Place) -> Vec<Set> {
    let labels = place.requirements().into_iter().map(|requirement| {
        let without = place.without_requirement(&requirement);
        let opposite = requirement.opposite();
        let opposite = opposite.map(|it| (it.to_string(), place.with_requirement(&it)));
        Set { said: requirement.to_string(), without, opposite }
    });
    let fields = place.terms().into_iter().map(|term| {
        let without = place.with_term(&term, None);
        let opposite = term.opposite();
        let other = place.with_term(&term, Some(&opposite));
        Set { said: term.to_string(), without, opposite: Some((opposite.to_string(), other)) }
    });
    let facts = place.only.iter().map(|(fact, value)| Set {
        said: format!("{}: {value}", fact.word()),
        without: place.with_only(*fact, None),
        opposite: None,
    });
    labels.chain(fields).chain(facts).collect()
}

fn one(set: Set) -> impl IntoView {
    let said = visible(&set.said).into_owned();
    let title = format!("Remove this filter: {said}");
    let opposite = set.opposite.map(|(opposite, place)| {
        let title = format!("Instead: {}", visible(&opposite));
        view! {
            <a class="flip" href=place.href() title=title.clone() aria-label=title>
                "≠"
            </a>
        }
    });
    view! {
        <span class="filter">
            <a href=set.without.href() title=title>
                {said}
                <span aria-hidden="true">" ×"</span>
            </a>
            {opposite}
        </span>
    }
}
