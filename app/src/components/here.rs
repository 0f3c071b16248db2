//! Where the page is: the URL as a signal, and the only code that changes it.

use leptos::prelude::*;

use crate::{
    query::{Page, Place},
    selector::Requirement,
};

/// The place that is shown. Provided by context.
#[derive(Clone, Copy)]
pub struct Here {
    place: RwSignal<Place>,
    /// Only the view, for what does not care about filters.
    pub page: Memo<Page>,
    /// Only the label selector's requirements.
    requirements: Memo<Vec<Requirement>>,
}

impl Here {
    /// Starts at a place.
    pub fn at(place: Place) -> Here {
        let place = RwSignal::new(place);
        Here {
            place,
            page: Memo::new(move |_| place.with(|place| place.page.clone())),
            requirements: Memo::new(move |_| place.with(Place::requirements)),
        }
    }

    /// The place of this page.
    pub fn get() -> Here {
        use_context().unwrap_or_else(|| Here::at(Place::default()))
    }

    /// The place, tracked.
    pub fn place(self) -> Place {
        self.place.get()
    }

    /// The place, not tracked.
    pub fn place_now(self) -> Place {
        self.place.get_untracked()
    }

    /// Whether this requirement stands in the label selector, tracked.
    pub fn requires(self, requirement: &Requirement) -> bool {
        self.requirements.with(|requirements| requirements.contains(requirement))
    }

    /// Goes to another place; the back button returns here.
    pub fn go(self, place: Place) {
        self.turn(place, true);
    }

    /// Corrects the place: what is typed or switched does not fill the history.
    pub fn replace(self, place: Place) {
        self.turn(place, false);
    }

    #[cfg(not(feature = "hydrate"))]
    fn turn(self, place: Place, _push: bool) {
        self.place.set(place);
    }

    #[cfg(feature = "hydrate")]
    fn turn(self, place: Place, push: bool) {
        if self.place.with_untracked(|old| *old == place) {
            return;
        }
        let window = web_sys::window();
        if self.is_another_document(&place) {
            _ = window.map(|window| window.location().assign(&place.href()));
            return;
        }
        if let Some(history) = window.as_ref().and_then(|window| window.history().ok()) {
            let (null, url) = (wasm_bindgen::JsValue::NULL, place.href());
            _ = if push {
                history.push_state_with_url(&null, "", Some(&url))
            } else {
                history.replace_state_with_url(&null, "", Some(&url))
            };
        }
        let elsewhere = self.place.with_untracked(|old| old.page != place.page);
        self.place.set(place);
        if let (true, Some(window)) = (elsewhere, window) {
            window.scroll_to_with_x_and_y(0.0, 0.0);
        }
    }

    /// Between a wall and the other views there is no way without loading: they have different frames.
    #[cfg(feature = "hydrate")]
    fn is_another_document(self, place: &Place) -> bool {
        let wall = self.place.with_untracked(|here| here.page == Page::Wall);
        wall != (place.page == Page::Wall)
    }

    /// Makes plain links to our own views turn the page without loading it, and follows the back
    /// button.
    #[cfg(feature = "hydrate")]
    pub fn follow_links(self) {
        use wasm_bindgen::JsCast;

        // Dropping a handle leaves its listener: these last as long as the document.
        _ = window_event_listener(leptos::ev::popstate, move |_| {
            let Some(place) = current_url().and_then(|url| self.place_now().beside(&url)) else { return };
            if self.is_another_document(&place) {
                _ = web_sys::window().map(|window| window.location().reload());
                return;
            }
            self.place.set(place);
        });
        _ = window_event_listener(leptos::ev::click, move |event| {
            let plain = event.button() == 0
                && !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key());
            if !plain || event.default_prevented() {
                return;
            }
            let link = event
                .target()
                .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
                .and_then(|element| element.closest("a[href^='/']").ok().flatten());
            if let Some(href) = link.and_then(|link| link.get_attribute("href"))
                && !href.starts_with("//")
                && let Some(place) = self.place_now().beside(&href)
                && place.page != Page::Nowhere
            {
                event.prevent_default();
                self.go(place);
            }
        });
    }
}

/// Path and query of the document.
#[cfg(feature = "hydrate")]
pub fn current_url() -> Option<String> {
    let location = web_sys::window()?.location();
    Some(location.pathname().ok()? + &location.search().ok()?)
}
