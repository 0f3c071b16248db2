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

/// SVG attributes carry the length, since the page's policy forbids inline styles.
fn bar(
    label: &'static str,
    part: u64,
    whole: u64,
    print: impl Fn(u64) -> String,
    over: &'static str,
) -> impl IntoView {
    let percent = (u128::from(part) * 100).checked_div(u128::from(whole)).map(|percent| percent.min(9999));
    let class = if percent.is_some_and(|percent| percent > 100) { over } else { "meter" };
    let numbers = match percent {
        Some(percent) => format!("{} of {} ({percent} %)", print(part), print(whole)),
        None => format!("{} of none", print(part)),
    };
    view! {
        <div class=class>
            <span class="label">{label}</span>
            <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
                <rect class="track" width="100" height="6" />
                <rect class="fill" width=percent.unwrap_or(0).min(100).to_string() height="6" />
            </svg>
            <span class="numbers">{numbers}</span>
        </div>
    }
    .into_any()
}
