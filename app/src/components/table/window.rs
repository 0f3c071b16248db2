//! Which rows are near the screen.

use leptos::{html, prelude::*};

/// Rows drawn by the server, and until the page knows how large it is.
const FIRST: usize = 60;

/// The part of a long body that exists.
#[derive(Clone, Copy)]
pub struct Window {
    range: RwSignal<(usize, usize)>,
    /// Stands for the rows above.
    pub before: NodeRef<html::Tr>,
    /// Stands for the rows below.
    pub after: NodeRef<html::Tr>,
}

impl Window {
    /// The window over a body of `length` rows.
    pub fn over(body: NodeRef<html::Tbody>, length: Signal<usize>) -> Window {
        let window =
            Window { range: RwSignal::new((0, FIRST)), before: NodeRef::new(), after: NodeRef::new() };
        window.follow(body, length);
        window
    }

    /// First row, and the one behind the last.
    pub fn range(self) -> (usize, usize) {
        self.range.get()
    }

    #[cfg(not(feature = "hydrate"))]
    fn follow(self, _body: NodeRef<html::Tbody>, _length: Signal<usize>) {}

    /// Moves with the scroll position.
    #[cfg(feature = "hydrate")]
    fn follow(self, body: NodeRef<html::Tbody>, length: Signal<usize>) {
        use wasm_bindgen::JsCast;

        /// Rows beyond the edges, and the step the window moves by.
        const SPARE: usize = 20;

        let look = move || {
            let Some(body) = body.get_untracked() else { return };
            let Some(screen) = web_sys::window() else { return };
            let height = screen.inner_height().ok().and_then(|height| height.as_f64()).unwrap_or(1000.0);
            let row = body
                .query_selector("tr:not(.spacer)")
                .ok()
                .flatten()
                .map(|row| row.get_bounding_client_rect().height())
                .filter(|height| *height > 8.0)
                .unwrap_or(30.0);
            let length = length.get_untracked();
            let top = -body.get_bounding_client_rect().top();
            let at = |pixels: f64| (pixels / row).max(0.0) as usize;
            let first = at(top).saturating_sub(SPARE) / SPARE * SPARE;
            let last = ((at(top + height) + SPARE) / SPARE + 1) * SPARE;
            let (first, last) = (first.min(length), last.max(FIRST).min(length.max(FIRST)));
            // Few rows are all there: nothing to leave out, nothing to measure.
            let (first, last) = if length <= FIRST { (0, FIRST) } else { (first, last) };
            if self.range.get_untracked() != (first, last) {
                self.range.set((first, last));
            }
            let set = |node: NodeRef<html::Tr>, rows: usize| {
                if let Some(node) = node.get_untracked() {
                    let element: &web_sys::HtmlElement = node.unchecked_ref();
                    let style = element.style();
                    _ = style.set_property("height", &format!("{}px", rows as f64 * row));
                    _ = style.set_property("display", if rows == 0 { "none" } else { "table-row" });
                }
            };
            set(self.before, first);
            set(self.after, length.saturating_sub(last));
        };
        Effect::new(move |_| {
            length.track();
            body.track();
            look();
        });
        let scroll = window_event_listener(leptos::ev::scroll, move |_| look());
        let resize = window_event_listener(leptos::ev::resize, move |_| look());
        on_cleanup(move || {
            scroll.remove();
            resize.remove();
        });
    }
}
