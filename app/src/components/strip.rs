//! A rollout in one line: old and new pods, how many serve, and between what its controller stays.

use std::{fmt::Write, sync::Arc};

use leptos::prelude::*;

use crate::{
    api::{ObjectKey, RolloutStatus, picture::Bounds},
    components::here::Here,
    query::{Line, Page},
};

/// The strip. What it shows it also says.
pub fn strip(rollout: &RolloutStatus) -> impl IntoView + use<> {
    let RolloutStatus { updated, desired, current, available, bounds, .. } = *rollout;
    let counts = [updated, desired, current, available].map(|count| count.max(0));
    let [new, desired, all, available] = counts;
    let old = all.saturating_sub(new).max(0);
    let ceiling = bounds.map_or(desired, |bounds| bounds.ceiling);
    let most = [all, desired, ceiling, available, 1].into_iter().max().unwrap_or(1);
    // a hundred wide; fractions of a pixel are the browser's
    let x = |pods: i32| format!("{:.2}", f64::from(pods) * 100.0 / f64::from(most));
    let mark = |pods: i32, class: &'static str| {
        let x = x(pods);
        view! { <line class=class x1=x.clone() x2=x y1="0" y2="12" /> }
    };
    view! {
        <svg class="strip" role="img" aria-label=said(rollout) viewBox="0 0 100 12" preserveAspectRatio="none">
            <rect class="track" width="100" y="1" height="7" />
            <rect class="old" width=x(old) y="1" height="7" />
            <rect class="new" x=x(old) width=x(new) y="1" height="7" />
            <rect class="available" width=x(available) y="9" height="3" />
            {bounds.map(|bounds| (mark(bounds.floor, "floor"), mark(bounds.ceiling, "ceiling")))}
        </svg>
    }
}

/// The same in words.
pub fn said(rollout: &RolloutStatus) -> String {
    let RolloutStatus { updated, desired, current, available, bounds, .. } = rollout;
    let old = current.saturating_sub(*updated).max(0);
    let mut said = format!("{updated} of {desired} updated, {old} old, {available} available");
    if let Some(Bounds { floor, ceiling }) = bounds {
        _ = write!(said, "; at least {floor}, at most {ceiling}");
    }
    said
}

/// The strip of a rollout that is under way or has failed, as the way to its picture. The link stays as it is
/// while what is in it changes, so that whoever is at it by keyboard stays there.
#[component]
pub fn Way(#[prop(into)] line: Signal<Option<Arc<dyn Line>>>) -> impl IntoView {
    let under_way = Memo::new(move |_| {
        let rollout = line.get()?.rollout()?;
        rollout.is_under_way().then_some(rollout)
    });
    let href = Memo::new(move |_| line.get().map(|line| picture_href(&*line)));
    let any = Memo::new(move |_| under_way.with(Option::is_some));
    let drawn = move || under_way.with(|rollout| rollout.as_ref().map(strip));
    let title = move || under_way.with(|rollout| rollout.as_ref().map(said));
    move || any.get().then(|| view! { <a class="way" href=move || href.get() title=title>{drawn}</a> })
}

/// Where a workload's picture is.
pub fn picture_href(line: &dyn Line) -> String {
    let meta = line.meta();
    let (namespace, name) = (meta.namespace.to_string(), meta.name.to_string());
    Here::get().place_now().elsewhere(Page::Rollout(ObjectKey { kind: line.kind(), namespace, name })).href()
}
