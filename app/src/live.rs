//! ⑤ The socket: opens it, keeps it alive, and feeds the store with what it says.
//!
//! One task for the life of the page. Inside [`run`] one session follows another; a session ends
//! with the reason why, which is shown until the next one is live. Nothing is patched up by
//! guessing: a gap or a foreign hash asks for a new snapshot, and until that is here the changes in
//! between are left out.

mod page;
mod session;

use std::{cell::RefCell, rc::Rc};

use futures::{
    StreamExt,
    channel::mpsc::{self, Receiver},
    future::select,
};
use gloo_timers::{callback::Interval, future::TimeoutFuture};
use leptos::prelude::*;
pub use page::{keep_document, on};
use session::{End, Inbox, Session};

use crate::{
    api::{Kinds, Millis, ObjectKey},
    clock::Clock,
    components::here::Here,
    query::{Page, Place},
    store::{Link, Store},
    wire::{Drawing, follow},
};

/// What the page wants to see.
#[derive(Clone, Debug, Default, PartialEq)]
struct Wanted {
    kinds: Kinds,
    /// Whose detail.
    look: Option<ObjectKey>,
    /// Which picture.
    draw: Option<Drawing>,
}

/// What a session waits for.
enum Heard {
    Message(Vec<u8>),
    Closed(String),
    Wanted,
    Tick,
}

/// Shared between the listeners and the session of the moment.
struct Live {
    store: Store,
    /// Where the site is.
    root: Place,
    wanted: RefCell<Wanted>,
    /// To the session there is, if any.
    session: RefCell<Option<Inbox>>,
    /// The server's.
    clock: RefCell<Clock>,
    /// Nobody is there to load the page anew.
    unattended: bool,
}

impl Live {
    fn now(&self) -> Millis {
        self.clock.borrow().at(page::browser_now())
    }

    /// What ages has aged.
    fn tick(&self) {
        self.store.tick(self.now());
        self.store.set_browser_behind(self.clock.borrow().apart());
    }

    fn hear(&self, heard: Heard) {
        if let Some(session) = &*self.session.borrow() {
            session.put(heard);
        }
    }
}

/// Starts it, once the page is hydrated.
pub fn start(store: Store, here: Here) {
    let painted = untrack(|| store.server_now());
    let live = Rc::new(Live {
        store: store.clone(),
        root: here.place_now(),
        wanted: RefCell::default(),
        session: RefCell::default(),
        clock: RefCell::default(),
        unattended: untrack(|| here.page.get()) == Page::Wall,
    });
    // What the document says was written before it came.
    live.clock.borrow_mut().hear(painted, page::document_came());
    // It may have been here for long before this program was.
    live.tick();

    let tick = live.clone();
    // One clock for everything that ages; it lasts as long as the document.
    Interval::new(1_000, move || {
        tick.tick();
        tick.hear(Heard::Tick);
    })
    .forget();

    // One is as good as many: a wake-up that finds another waiting may be lost.
    let (wake, woken) = mpsc::channel(1);
    for name in ["online", "visibilitychange"] {
        let (mut wake, live) = (wake.clone(), live.clone());
        on(name, move || {
            live.tick();
            _ = wake.try_send(());
            live.hear(Heard::Tick);
        });
    }

    let want = live.clone();
    let wishing = store.clone();
    let drawing = Memo::new(move |_| here.place().drawing().or_else(|| wishing.wished()));
    let looking = Memo::new(move |_| here.place().looks_at());
    Effect::new(move |_| {
        let kinds = here.page.get().kinds();
        let (draw, look) = (drawing.get(), looking.get());
        {
            let mut wanted = want.wanted.borrow_mut();
            let kinds = wanted.kinds.union(kinds);
            *wanted = Wanted { kinds, look, draw };
        }
        want.hear(Heard::Wanted);
    });

    leptos::task::spawn_local(run(live, woken));
}

async fn run(live: Rc<Live>, mut woken: Receiver<()>) {
    // Effects run after this task is spawned; the first socket asks for what the page wants.
    TimeoutFuture::new(0).await;
    let mut attempt = 0;
    let mut since = None;
    loop {
        let (inbox, heard) = Inbox::new();
        *live.session.borrow_mut() = Some(inbox.clone());
        let (was_live, end) = Session::run(&live, inbox, heard).await;
        *live.session.borrow_mut() = None;
        // A refusal and a dead server look the same to a socket that did not open.
        let end = match end {
            End::Lost(why) if !was_live => {
                page::refusal(&live.root.address("/api/v1")).await.unwrap_or(End::Lost(why))
            }
            end => end,
        };
        // A proxy that has forgotten somebody for a moment lets them in again; until then it is asked seldom.
        let is_refused = matches!(end, End::Refused(_));
        let why = match end {
            End::Lost(why) | End::Refused(why) => why,
            // A wall goes to where it can be let in again, once that answers: a browser's own page about an error
            // would stay for ever.
            End::SignIn if live.unattended => match page::load_anew_once_there().await {
                Ok(()) => "this wall's right has ended".to_owned(),
                Err(why) => format!("this wall's right has ended, and Masthead does not answer: {why}"),
            },
            End::SignIn => {
                live.store
                    .set_link(Link::Closed { why: "your access has ended: sign in to go on".to_owned() });
                page::sign_in(&live.root.address("/sign-in"));
                return;
            }
        };
        if was_live {
            attempt = 0;
            since = None;
        }
        let since = *since.get_or_insert_with(|| live.now());
        let wait = follow::wait_ms(if is_refused { u32::MAX } else { attempt }, js_sys::Math::random());
        attempt += 1;
        live.store.set_link(Link::Retrying {
            since,
            attempt,
            why,
            next_at: Millis(live.now().0 + wait as i64),
        });
        // What woke an earlier wait must not cut this one short.
        while woken.try_recv().is_ok() {}
        _ = select(TimeoutFuture::new(wait as u32), woken.next()).await;
    }
}
