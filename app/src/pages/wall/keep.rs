//! What a page needs of the browser to stay on a screen that nobody touches: the screen stays awake, and the pointer
//! is not in the picture.

use std::{cell::Cell, rc::Rc};

use leptos::prelude::*;
use wasm_bindgen::{
    JsCast, JsValue,
    prelude::{Closure, wasm_bindgen},
};
use wasm_bindgen_futures::JsFuture;

use crate::{live, store::Store};

/// The pointer goes when it has not moved for so long, in milliseconds.
const POINTER_MS: f64 = 3_000.0;

#[wasm_bindgen]
extern "C" {
    /// `navigator.wakeLock`: web-sys still keeps it behind a flag.
    type WakeLock;

    #[wasm_bindgen(method, catch)]
    fn request(this: &WakeLock, kind: &str) -> Result<js_sys::Promise, JsValue>;
}

/// Starts both, for as long as there is the document.
pub fn keep(store: &Store, idle: RwSignal<bool>) {
    let store = store.clone();
    // Not before the page is drawn as the server drew it.
    Effect::new(move |begun: Option<()>| {
        if begun.is_none() {
            leptos::task::spawn_local(stay_awake());
            // A screen that was switched off, or a window that was covered, has given its lock back.
            live::on("visibilitychange", || leptos::task::spawn_local(stay_awake()));
            hide_pointer(&store, idle);
        }
    });
}

/// Asks for the screen to stay on. Where that is refused, or there is no such thing, the system's settings hold.
async fn stay_awake() {
    let Some(window) = web_sys::window() else { return };
    if window.document().is_none_or(|document| document.hidden()) {
        return;
    }
    let lock = js_sys::Reflect::get(&window.navigator(), &"wakeLock".into()).unwrap_or_default();
    if lock.is_undefined() || lock.is_null() {
        return;
    }
    if let Ok(asked) = lock.unchecked_into::<WakeLock>().request("screen") {
        // The lock lasts as long as the document is seen, whether or not anybody holds on to the answer.
        _ = JsFuture::from(asked).await;
    }
}

fn hide_pointer(store: &Store, idle: RwSignal<bool>) {
    let moved = Rc::new(Cell::new(js_sys::Date::now()));
    let last = moved.clone();
    let Some(window) = web_sys::window() else { return };
    let listener = Closure::<dyn FnMut(JsValue)>::new(move |_| {
        moved.set(js_sys::Date::now());
        if idle.get_untracked() {
            idle.set(false);
        }
    });
    _ = window.add_event_listener_with_callback("pointermove", listener.as_ref().unchecked_ref());
    listener.forget(); // as long as the document
    let store = store.clone();
    Effect::new(move |_| {
        store.now(); // each second
        // also where the clock was put back
        if (js_sys::Date::now() - last.get()).abs() >= POINTER_MS && !idle.get_untracked() {
            idle.set(true);
        }
    });
}
