//! What the socket needs of the browser.

use futures::{
    channel::oneshot,
    future::{Either, select},
};
use gloo_timers::future::TimeoutFuture;
use js_sys::Uint8Array;
use leptos::prelude::*;
use wasm_bindgen::{
    JsCast, JsValue,
    prelude::{Closure, wasm_bindgen},
};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableWritablePair, RequestInit, RequestRedirect, Response, ResponseType};

use super::session::End;
use crate::{
    api::{Kind, Kinds, Millis, Row},
    components::here::{Here, current_url},
    model::{Change, Delta},
    seed::Seed,
    shell::title,
    store::Store,
};

/// `wss://host/live?kinds=pods,nodes`, for the socket's address on this host.
pub fn socket_url(address: &str, kinds: Kinds) -> Option<String> {
    let location = web_sys::window()?.location();
    let scheme = if location.protocol().ok()? == "https:" { "wss" } else { "ws" };
    let kinds: Vec<&str> = kinds.iter().map(Kind::plural).collect();
    Some(format!("{scheme}://{}{address}?kinds={}", location.host().ok()?, kinds.join(",")))
}

/// Why the server, or what is in front of it, does not let us in at `asked`; nothing if it does or does not answer.
pub async fn refusal(asked: &str) -> Option<End> {
    const ANSWER_MS: u32 = 5_000;
    let init = RequestInit::new();
    init.set_method("HEAD");
    init.set_redirect(RequestRedirect::Manual);
    let asked = JsFuture::from(web_sys::window()?.fetch_with_str_and_init(asked, &init));
    let answer: Response = match select(asked, TimeoutFuture::new(ANSWER_MS)).await {
        Either::Left((answer, _)) => answer.ok()?.unchecked_into(),
        Either::Right(_) => return None,
    };
    match (answer.type_(), answer.status()) {
        (_, 401) => Some(End::SignIn),
        (_, 403) => Some(End::Refused(
            "Masthead does not let you look any more: reload the page to see why".to_owned(),
        )),
        (ResponseType::Opaqueredirect, _) => Some(End::Refused(
            "what is in front of Masthead wants you to sign in: reload the page".to_owned(),
        )),
        _ => None,
    }
}

/// Goes to where one signs in (`door`), and from there back to this place.
pub fn sign_in(door: &str) {
    let (Some(window), Some(here)) = (web_sys::window(), current_url()) else { return };
    let next = js_sys::encode_uri_component(&here);
    _ = window.location().replace(&format!("{door}?said=ended&next={next}"));
}

/// Listens to the window, and to the document, for as long as there is one.
pub fn on(name: &str, mut listener: impl FnMut() + 'static) {
    let Some(window) = web_sys::window() else { return };
    let listener = Closure::<dyn FnMut(JsValue)>::new(move |_| listener());
    let target: Option<web_sys::EventTarget> = match name {
        "visibilitychange" => window.document().map(Into::into),
        _ => Some(window.into()),
    };
    if let Some(target) = target {
        _ = target.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
    }
    listener.forget();
}

/// Until the browser draws next; a hidden page draws never, so not longer than a moment.
pub async fn animation_frame() {
    let (sender, drawn) = oneshot::channel();
    request_animation_frame(move || _ = sender.send(()));
    _ = select(drawn, TimeoutFuture::new(100)).await;
}

#[wasm_bindgen]
extern "C" {
    /// Every browser has it; web-sys still keeps it behind a flag.
    type DecompressionStream;

    #[wasm_bindgen(constructor, catch)]
    fn new(format: &str) -> Result<DecompressionStream, JsValue>;
}

/// Opens gzip with the browser's own code.
pub async fn inflate(bytes: &[u8]) -> Result<Vec<u8>, JsValue> {
    let stream = DecompressionStream::new("gzip")?;
    let packed = Response::new_with_opt_js_u8_array(Some(&Uint8Array::from(bytes)))?;
    let body = packed.body().ok_or("no body")?;
    let pair: &ReadableWritablePair = stream.unchecked_ref();
    let opened = Response::new_with_opt_readable_stream(Some(&body.pipe_through(pair)))?;
    let buffer = JsFuture::from(opened.array_buffer()?).await?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

/// The longest that a page's address may take to answer, in milliseconds.
const ANSWER_MS: u32 = 10_000;
/// The page is not loaded anew more often than this, in milliseconds: servers of two builds behind one address would
/// send it back and forth.
const RELOADED_MS: f64 = 60_000.0;

/// Loads the page anew for another build of the server. It never gives up, since nobody may be there to do it, and it
/// goes only where a page of that build answers: a browser's own page about an error would stay for ever.
pub async fn reload_once_there(build: &str, unattended: bool) -> End {
    const KEY: &str = "masthead-reloaded-at";
    match drawn_by().await {
        Ok(drawn) if drawn == build => {}
        Ok(_) => {
            return End::Lost(
                "Masthead was updated, but its address still answers with the old page".to_owned(),
            );
        }
        Err(why) => {
            return End::Lost(format!("Masthead was updated, and its new page is not there yet: {why}"));
        }
    }
    let now = js_sys::Date::now();
    let lately = || -> Option<bool> {
        let storage = web_sys::window()?.session_storage().ok()??;
        let before = storage.get_item(KEY).ok()?.and_then(|at| at.parse::<f64>().ok());
        if before.is_some_and(|at| (now - at).abs() < RELOADED_MS) {
            return Some(true);
        }
        storage.set_item(KEY, &now.to_string()).ok()?;
        Some(false)
    };
    // Where a browser remembers nothing, somebody who is there can do it better.
    if lately().unwrap_or(!unattended) {
        return End::Lost("Masthead was updated, and this page was loaded anew a moment ago".to_owned());
    }
    if let Some(window) = web_sys::window() {
        _ = window.location().reload();
    }
    End::Lost("Masthead was updated; loading the new page".to_owned())
}

/// Loads the page anew if something answers at its address.
pub async fn load_anew_once_there() -> Result<(), String> {
    match page_text().await? {
        (200, _) => {}
        (status, _) => return Err(format!("it answers {status}")),
    }
    if let Some(window) = web_sys::window() {
        _ = window.location().reload();
    }
    Ok(())
}

/// The build that draws the page at this address now.
async fn drawn_by() -> Result<String, String> {
    // A page of nothing, of which there is a page too, answers 404.
    let (status, text) = page_text().await?;
    Seed::build_of(&text).ok_or_else(|| match status {
        200 => "what answers is no page of Masthead".to_owned(),
        status => format!("it answers {status}"),
    })
}

/// What is at this page's address now, with its status.
async fn page_text() -> Result<(u16, String), String> {
    let window = web_sys::window().ok_or("there is no window")?;
    let address = window.location().href().map_err(|_| "this page has no address")?;
    let asked = RequestInit::new();
    asked.set_cache(web_sys::RequestCache::NoStore);
    let asking = async {
        let answer = JsFuture::from(window.fetch_with_str_and_init(&address, &asked)).await;
        let answer: Response = answer.map_err(|_| "it does not answer")?.unchecked_into();
        let text = answer.text().map_err(|_| "it answers with nothing")?;
        let text = JsFuture::from(text).await.map_err(|_| "its answer broke off")?;
        Ok((answer.status(), text.as_string().unwrap_or_default()))
    };
    match select(Box::pin(asking), TimeoutFuture::new(ANSWER_MS)).await {
        Either::Left((answered, _)) => answered,
        Either::Right(_) => Err("it does not answer".to_owned()),
    }
}

/// Keeps title and theme of the document with the place.
pub fn keep_document(store: Store, here: Here) {
    Effect::new(move |_| {
        let place = here.place();
        let Some(document) = web_sys::window().and_then(|window| window.document()) else { return };
        document.set_title(&title(&place, &store.about().context));
        if let Some(root) = document.document_element() {
            _ = match place.theme {
                Some(theme) => root.set_attribute("data-theme", theme.word()),
                None => root.remove_attribute("data-theme"),
            };
        }
    });
}

/// The browser's clock.
pub fn browser_now() -> Millis {
    Millis(js_sys::Date::now() as i64)
}

/// When the document began to come, by the browser's clock. This program may have come much later.
pub fn document_came() -> Millis {
    let now = browser_now();
    let came = || -> Option<Millis> {
        let clock = web_sys::window()?.performance()?;
        let navigation = clock.get_entries_by_type("navigation").get(0);
        let began = js_sys::Reflect::get(&navigation, &"responseStart".into()).ok();
        // Nought stands for what a browser does not know or tell: then it may have come when it was asked for.
        let began = began.and_then(|began| began.as_f64()).unwrap_or_default();
        // The computer may have slept since, which the one way does not know, or its clock been put, which the other does not.
        let by_then = Millis((clock.time_origin() + began) as i64);
        Some(now.later(-(clock.now() - began).max(0.0) as i64).min(by_then))
    };
    came().unwrap_or(now)
}

/// A clock that begins with the page, and that nobody puts.
pub fn steady_now() -> Millis {
    let clock = web_sys::window().and_then(|window| window.performance());
    Millis(clock.map_or(0.0, |clock| clock.now()) as i64)
}

/// At least this long between two announcements, in milliseconds.
const QUIET_MS: i64 = 5_000;

/// Tells screen readers how rollouts go, in summaries: `web: 3 of 5 updated`.
pub fn tell_rollouts(store: &Store, changes: &[Change]) {
    thread_local!(static LAST: std::cell::Cell<i64> = const { std::cell::Cell::new(0) });
    let now = browser_now().0;
    if now - LAST.get() < QUIET_MS {
        return;
    }
    let news = changes.iter().rev().find_map(|change| match change {
        Change::Deployment(delta) => rolled(store, delta),
        Change::DaemonSet(delta) => rolled(store, delta),
        Change::StatefulSet(delta) => rolled(store, delta),
        _ => None,
    });
    if let Some(news) = news {
        LAST.set(now);
        store.tell(news);
    }
}

/// The summary of a row whose rollout is somewhere else than it was.
fn rolled<T: Row>(store: &Store, delta: &Delta<T>) -> Option<String> {
    let Delta::Put(row) = delta else { return None };
    let before = untrack(|| store.row::<T>(row.meta().uid))?.rollout()?;
    let rollout = row.rollout()?;
    (before.sentence != rollout.sentence).then(|| {
        format!(
            "{}: {} of {} updated, {} available",
            row.meta().name,
            rollout.updated,
            rollout.desired,
            rollout.available
        )
    })
}
