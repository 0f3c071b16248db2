//! The half of Masthead that both sides share.
//!
//! Built twice. With `ssr` it is linked into the server, which folds what the cluster reports with
//! [`model::Cluster`], encodes it with [`wire`] and renders the first screenful of [`pages`]. With
//! `hydrate` it is the page: [`live`] decodes the same frames, [`store`] runs the same fold behind
//! signals, and the page that was rendered on the server goes on living.
//!
//! Reading order follows one event from the socket to the pixel:
//!
//! 1. [`api`]: the rows, one file a kind, in the viewer's terms and kubectl's words
//! 2. [`model`]: the fold, run by the hub and by every browser
//! 3. [`wire`]: frames, and the string table that keeps them small
//! 4. [`selector`], [`field_selector`], [`placement`], [`query`], [`quantity`], [`format`](mod@format): pure rules
//!    over rows, and the URL that asks them
//! 5. [`seed`], [`store`], `live`: what the first paint is made of, the model behind signals, the
//!    socket that feeds it
//! 6. [`shell`], `pages`, `components`: the document, one file a view, building blocks
//!
//! This crate never sees a Kubernetes type, an HTTP server or an async runtime of the server's.

// A view's type is its whole tree; pages are erased at their components' borders, but what is
// between two borders still nests deeper than the default allows.
#![recursion_limit = "256"]

pub mod api;
pub mod model;
pub mod wire;

pub mod field_selector;
pub mod format;
pub mod placement;
pub mod quantity;
pub mod query;
pub mod scope;
pub mod selector;

pub mod clock;
#[cfg(feature = "hydrate")]
mod live;
pub mod seed;
pub mod store;

mod components;
mod pages;
pub mod shell;

#[cfg(feature = "ssr")]
pub use shell::render;
pub use shell::{Assets, Boot};

/// Identifies the build: a hash over the sources both halves are made of. The server says it in
/// [`wire::Frame::Hello`]; a page of another build reloads itself.
pub const BUILD: &str = match option_env!("MASTHEAD_BUILD") {
    Some(build) => build,
    None => "unbuilt",
};

/// Takes over the page that the server has drawn; whether there was all of one.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() -> bool {
    use leptos::prelude::{Effect, use_context};
    use wasm_bindgen::JsCast;

    console_error_panic_hook::set_once();
    let document = web_sys::window().and_then(|window| window.document());
    let element = |id: &str| document.as_ref().and_then(|document| document.get_element_by_id(id));
    let seed =
        element("seed").and_then(|seed| seed.text_content()).and_then(|text| seed::Seed::from_text(&text));
    let root = element("app").and_then(|root| root.dyn_into::<web_sys::HtmlElement>().ok());
    // Without either the page stays what it is: readable, and as of the time it says.
    let (Some(seed), Some(root)) = (seed, root) else { return false };
    leptos::mount::hydrate_from(root, move || {
        let app = shell::App(shell::AppProps { seed });
        let (store, here) = (use_context::<store::Store>(), use_context::<components::here::Here>());
        if let (Some(store), Some(here)) = (store, here) {
            // Once everything that was drawn is known to be the same.
            Effect::new(move |started: Option<()>| {
                if started.is_none() {
                    here.follow_links();
                    live::keep_document(store.clone(), here);
                    live::start(store.clone(), here);
                }
            });
        }
        app
    })
    .forget();
    true
}
