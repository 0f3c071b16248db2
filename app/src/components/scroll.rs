//! What may be wider than the page: it scrolls in a frame of its own, which the keyboard reaches too.

use leptos::{prelude::*, text_prop::TextProp};

use crate::api::Align;

/// The frame.
pub fn frame(label: impl Into<TextProp>, inside: impl IntoView + 'static) -> AnyView {
    let label = label.into();
    view! {
        <div class="scroll" tabindex="0" role="group" aria-label=move || label.get()>
            {inside.into_view()}
        </div>
    }
    .into_any()
}

/// A plain table in such a frame, of further classes; its tools are the eyes.
pub fn table(
    label: impl Into<TextProp>,
    classes: &'static str,
    columns: impl IntoIterator<Item = (&'static str, Align)>,
    body: impl IntoView + 'static,
) -> AnyView {
    let heads = columns.into_iter().map(|(heading, align)| {
        let class = (align == Align::Right).then_some("right");
        view! { <th scope="col" class=class>{heading}</th> }
    });
    let class = format!("plain {classes}");
    let table = view! {
        <table class=class.trim_end().to_owned()>
            <thead>
                <tr>{heads.collect_view()}</tr>
            </thead>
            <tbody>{body.into_view()}</tbody>
        </table>
    };
    frame(label, table)
}

/// Columns of words.
pub fn words<const N: usize>(headings: [&'static str; N]) -> [(&'static str, Align); N] {
    headings.map(|heading| (heading, Align::Left))
}

/// Columns of numbers.
pub fn numbers<const N: usize>(headings: [&'static str; N]) -> [(&'static str, Align); N] {
    headings.map(|heading| (heading, Align::Right))
}
