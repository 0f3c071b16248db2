//! The document around the page: a pure function from a URL and a seed to HTML.

#[cfg(feature = "ssr")]
pub mod door;
#[cfg(feature = "ssr")]
pub mod links;

use leptos::prelude::*;

use crate::{
    components::{frame::Frame, here::Here},
    query::{Page, Place},
    seed::{Seed, Shared},
    store::Store,
};

/// Where the build's files are, below the site's base.
#[derive(Clone, Copy, Debug, Default)]
pub struct Assets {
    /// The style sheet.
    pub stylesheet: &'static str,
    /// What starts the page's program; without one the page stays as it was drawn.
    pub boot: Option<Boot>,
}

/// What starts the page's program.
#[derive(Clone, Copy, Debug)]
pub struct Boot {
    /// The text of a module, which stands in the document: it loads the other two, whatever happens to them on their way.
    pub script: &'static str,
    /// The program's module.
    pub module: &'static str,
    /// What that loads.
    pub wasm: &'static str,
}

/// Whoever looks at the page, by name; nobody where visitors are not told apart. Provided by context.
#[derive(Clone, Debug, Default)]
pub struct SignedIn {
    /// What they are called.
    pub name: Option<String>,
    /// Whether they may give others a part of the cluster to look at.
    pub may_share: bool,
}

/// The link by which the page is looked at, if by one. Provided by context.
#[derive(Clone, Debug, Default)]
pub struct SharedBy(pub Option<Shared>);

/// The page's program and its first paint, both: what is inside `#app`.
#[component]
pub fn App(
    /// What to draw first.
    seed: Seed,
) -> impl IntoView {
    provide_context(Store::new(&seed));
    provide_context(SignedIn { name: seed.visitor.clone(), may_share: seed.may_share });
    provide_context(SharedBy(seed.shared.clone()));
    provide_context(Here::at(seed.place()));
    view! { <Frame /> }
}

/// The status and the document for `url`, below the seed's base. Nothing but `seed` is drawn, so that the browser's first
/// render of the same seed is the same HTML.
pub fn render(url: &str, seed: &Seed, assets: &Assets) -> (u16, String) {
    // Where the program starts from must be what was drawn, whatever the seed was chosen for.
    let seed = seed.at(url);
    let place = seed.place();
    let status = if place.page == Page::Nowhere { 404 } else { 200 };
    let owner = Owner::new();
    let body = owner.with(|| document(&place, seed, assets).to_html());
    owner.cleanup();
    (status, whole(&body))
}

fn document(place: &Place, seed: Seed, assets: &Assets) -> impl IntoView + use<> {
    let theme = place.theme.map(|theme| theme.word());
    let title = title(place, &seed.about.context);
    let text = seed.to_text();
    let Assets { stylesheet, boot } = *assets;
    let boot = boot.map(|boot| {
        let (module, wasm) = (place.address(boot.module), place.address(boot.wasm));
        view! {
            // A module that is only preloaded as a script would be fetched twice.
            <link rel="modulepreload" href=module.clone() />
            <link rel="preload" href=wasm.clone() r#as="fetch" crossorigin="anonymous" />
            <script type="module" r#async=true id="boot" data-module=module data-wasm=wasm inner_html=boot.script></script>
        }
    });
    view! {
        <html lang="en" data-theme=theme>
            <head>
                {about_document(title, place, stylesheet)}
                <meta name="referrer" content="no-referrer" />
                {boot}
            </head>
            <body>
                <div id="app">
                    <App seed />
                </div>
                <script type="application/octet-stream" id="seed">{text}</script>
            </body>
        </html>
    }
}

/// A document as it is sent. What marks the end of a text for hydration would be read as a part of the title.
fn whole(html: &str) -> String {
    format!("<!doctype html>{}", html.replacen("<!></title>", "</title>", 1))
}

/// What the head of every document says.
fn about_document(title: String, place: &Place, stylesheet: &str) -> impl IntoView + use<> {
    let (icon, stylesheet) = (place.address("/favicon.svg"), place.address(stylesheet));
    view! {
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title}</title>
        <link rel="icon" type="image/svg+xml" href=icon />
        <link rel="stylesheet" href=stylesheet />
    }
}

/// `Pods · default · Masthead`.
pub fn title(place: &Place, context: &str) -> String {
    let mut words = vec![place.page.title()];
    if !place.namespaces.is_empty() {
        words.push(place.namespaces.join(", "));
    }
    words.extend([context.to_owned(), "Masthead".to_owned()]);
    words.retain(|word| !word.is_empty());
    words.join(" · ")
}

#[cfg(test)]
mod tests;
