//! A part of a whole, with its numbers.

use leptos::prelude::*;

/// `label: 250m of 2 (12 %)`, and a bar; more than the whole is too much.
pub fn meter(label: &'static str, part: u64, whole: u64, print: impl Fn(u64) -> String) -> impl IntoView {
    bar(label, part, whole, print, "meter over")
}

/// The same, where more than the whole is allowed.
pub fn overcommitted(
    label: &'static str,
    part: u64,
    whole: u64,
    print: impl Fn(u64) -> String,
) -> impl IntoView {
    bar(label, part, whole, print, "meter overcommitted")
}

/// The same in its small form: `CPU 12 %`, and the bar.
pub fn share(label: &'static str, part: u64, whole: u64) -> impl IntoView {
    let percent = percent(part, whole);
    let class = if percent.is_some_and(|percent| percent > 100) { "share over" } else { "share" };
    let said = percent.map_or_else(|| format!("{label}: none"), |percent| format!("{label} {percent} %"));
    view! {
        <div class=class>
            <span class="numbers">{said}</span>
            {drawn(percent)}
        </div>
    }
    .into_any()
}

/// At most 9999.
fn percent(part: u64, whole: u64) -> Option<u128> {
    (u128::from(part) * 100).checked_div(u128::from(whole)).map(|percent| percent.min(9999))
}

/// SVG attributes carry the length, since the page's policy forbids inline styles.
fn drawn(percent: Option<u128>) -> impl IntoView {
    view! {
        <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
            <rect class="track" width="100" height="6" />
            <rect class="fill" width=percent.unwrap_or(0).min(100).to_string() height="6" />
        </svg>
    }
}

fn bar(
    label: &'static str,
    part: u64,
    whole: u64,
    print: impl Fn(u64) -> String,
    over: &'static str,
) -> impl IntoView {
    let percent = percent(part, whole);
    let class = if percent.is_some_and(|percent| percent > 100) { over } else { "meter" };
    let numbers = match percent {
        Some(percent) => format!("{} of {} ({percent} %)", print(part), print(whole)),
        None => format!("{} of none", print(part)),
    };
    view! {
        <div class=class>
            <span class="label">{label}</span>
            {drawn(percent)}
            <span class="numbers">{numbers}</span>
        </div>
    }
    .into_any()
}
