//! A part of a whole, with its numbers.

use leptos::prelude::*;

/// `label: 250m of 2 (12 %)`, and a bar. SVG attributes carry the length, since the page's policy
/// forbids inline styles.
pub fn meter(label: &'static str, part: u64, whole: u64, print: fn(u64) -> String) -> impl IntoView {
    let percent = part.saturating_mul(100).checked_div(whole).unwrap_or(0).min(999);
    let class = if percent > 100 { "meter over" } else { "meter" };
    let numbers = if whole == 0 {
        format!("{} of unknown", print(part))
    } else {
        format!("{} of {} ({percent} %)", print(part), print(whole))
    };
    view! {
        <div class=class>
            <span class="label">{label}</span>
            <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
                <rect class="track" width="100" height="6" />
                <rect class="fill" width=percent.min(100).to_string() height="6" />
            </svg>
            <span class="numbers">{numbers}</span>
        </div>
    }
}
