//! One socket, from its opening to its end.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

use futures::{
    StreamExt,
    channel::mpsc::{self, Receiver, Sender},
};
use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

use super::{Heard, Live, Wanted, page};
use crate::{
    api::{Kinds, Millis},
    clock::Told,
    model::Change,
    store::Link,
    wire::{
        self, About, Ask, Frame,
        follow::{Beat, Followed, Follower, Owed},
    },
};

/// Why a session ended.
pub enum End {
    /// Another one may do better.
    Lost(String),
    /// Another one will hardly do better soon.
    Refused(String),
    /// Another one will be refused until somebody signs in.
    SignIn,
}

/// Messages that may wait to be drawn: some seconds of a busy cluster.
const WAITING: usize = 256;

/// Where the listeners put what they hear. They cannot wait, so what finds no room is lost, and the
/// session, which is told, starts again from a snapshot.
#[derive(Clone)]
pub struct Inbox {
    sender: Rc<RefCell<Sender<Heard>>>,
    lost: Rc<Cell<bool>>,
}

impl Inbox {
    /// An inbox and what comes out of it.
    pub fn new() -> (Inbox, Receiver<Heard>) {
        let (sender, heard) = mpsc::channel(WAITING);
        (Inbox { sender: Rc::new(RefCell::new(sender)), lost: Rc::default() }, heard)
    }

    /// Adds what was heard, if there is room.
    pub fn put(&self, heard: Heard) {
        if self.sender.borrow_mut().try_send(heard).is_err() {
            self.lost.set(true);
        }
    }
}

/// A socket and how far its stream has been followed.
pub struct Session {
    live: Rc<Live>,
    /// The inbox had no room for something.
    lost: Rc<Cell<bool>>,
    socket: WebSocket,
    /// What the server has been asked for.
    asked: Wanted,
    /// The kinds of the first snapshot that will come.
    opened: Kinds,
    follower: Follower,
    /// What has been asked for on this socket and has not come.
    owed: Owed,
    /// Everything that is wanted has come.
    is_live: bool,
    told: Told,
    /// Why the server said it would close.
    bye: Option<String>,
    /// It said that the right to look has ended.
    ended: bool,
    _listeners: Vec<Closure<dyn FnMut(JsValue)>>,
}

impl Session {
    /// Runs until the socket is dead. Whether it was live, and why it ended.
    pub async fn run(live: &Rc<Live>, inbox: Inbox, mut heard: Receiver<Heard>) -> (bool, End) {
        let mut session = match Session::open(live, inbox) {
            Ok(session) => session,
            Err(why) => return (false, End::Lost(why)),
        };
        let end = session.follow(&mut heard).await;
        session.close();
        (session.is_live, end)
    }

    fn open(live: &Rc<Live>, inbox: Inbox) -> Result<Session, String> {
        let asked = Wanted { kinds: live.wanted.borrow().kinds, look: None, draw: None };
        let url =
            page::socket_url(&live.root.address("/live"), asked.kinds).ok_or("this page has no address")?;
        let told = Told::new(page::browser_now(), page::steady_now());
        let socket = WebSocket::new(&url).map_err(|_| format!("{url} cannot be opened"))?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let on = |name: &str, listener: Box<dyn FnMut(JsValue)>| {
            let listener = Closure::wrap(listener);
            _ = socket.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
            listener
        };
        let (messages, closed) = (inbox.clone(), inbox.clone());
        let listeners = vec![
            on(
                "message",
                Box::new(move |event| {
                    if let Ok(buffer) =
                        event.unchecked_into::<MessageEvent>().data().dyn_into::<ArrayBuffer>()
                    {
                        messages.put(Heard::Message(Uint8Array::new(&buffer).to_vec()));
                    }
                }),
            ),
            on(
                "close",
                Box::new(move |event| {
                    let event: CloseEvent = event.unchecked_into();
                    let why = match event.reason() {
                        reason if !reason.is_empty() => reason,
                        _ if event.code() == 1006 => "Masthead does not answer".to_owned(),
                        _ => format!("the connection was closed (code {})", event.code()),
                    };
                    closed.put(Heard::Closed(why));
                }),
            ),
        ];
        Ok(Session {
            live: live.clone(),
            lost: inbox.lost,
            socket,
            opened: asked.kinds,
            asked,
            follower: Follower::default(),
            owed: Owed::default(),
            is_live: false,
            told,
            bye: None,
            ended: false,
            _listeners: listeners,
        })
    }

    async fn follow(&mut self, heard: &mut Receiver<Heard>) -> End {
        loop {
            let Some(first) = heard.next().await else {
                return End::Lost("the page let go of the socket".to_owned());
            };
            let mut queue = VecDeque::from([first]);
            if matches!(queue[0], Heard::Message(_)) {
                // Everything that comes within one frame is drawn in one.
                page::animation_frame().await;
            }
            while let Ok(more) = heard.try_recv() {
                queue.push_back(more);
            }
            // Only now: what has been lost came after what is in the queue, or at its end. What follows may take its time.
            let lost = self.lost.take();
            let mut changes = Vec::new();
            for heard in queue {
                match heard {
                    Heard::Message(bytes) => {
                        if let Some(why) = self.told.heard(page::browser_now(), page::steady_now()) {
                            return End::Lost(why.to_owned());
                        }
                        if let Err(end) = self.message(&bytes, &mut changes).await {
                            return end;
                        }
                    }
                    Heard::Closed(why) => return self.closed(why),
                    Heard::Wanted => self.want(),
                    Heard::Tick => {
                        if let Some(why) = self.told.gone(page::browser_now(), page::steady_now()) {
                            return End::Lost(why.to_owned());
                        }
                    }
                }
            }
            self.apply(&mut changes);
            if lost {
                if self.socket.ready_state() >= WebSocket::CLOSING {
                    return self.closed("the connection was closed".to_owned());
                }
                self.follower.lost();
                self.ask(&Ask::Resync);
                // that the page wants something else may have been lost as well
                self.want();
            }
        }
    }

    /// What the end of the connection means; `why` unless the server has said.
    fn closed(&mut self, why: String) -> End {
        if self.ended { End::SignIn } else { End::Lost(self.bye.take().unwrap_or(why)) }
    }

    /// Folds what was gathered; before anything that counts on it.
    fn apply(&self, changes: &mut Vec<Change>) {
        if !changes.is_empty() {
            page::tell_rollouts(&self.live.store, changes);
            self.live.store.apply(std::mem::take(changes));
        }
    }

    async fn message(&mut self, bytes: &[u8], changes: &mut Vec<Change>) -> Result<(), End> {
        let frame = match wire::frame(bytes) {
            Ok(frame) => frame,
            // Only another build speaks otherwise, and says so first of all.
            Err(error) => {
                return Err(match wire::greeting(bytes) {
                    Some(build) if build != crate::BUILD => {
                        page::reload_once_there(&build, self.live.unattended).await
                    }
                    _ => End::Lost(error.to_string()),
                });
            }
        };
        let about = self.follower.about_before(&frame);
        self.about(about, changes);
        match frame {
            Frame::Hello { build, epoch, about, now } => {
                if build != crate::BUILD {
                    return Err(page::reload_once_there(&build, self.live.unattended).await);
                }
                // Not what was wanted since: until that is here, it would stand beside rows with other numbers.
                if self.live.store.enter(epoch, self.opened) {
                    self.live.clock.borrow_mut().forget();
                }
                self.clock(now);
                self.live.store.set_ahead(about.ahead);
                self.follower.hello(about);
                self.want();
            }
            Frame::Snapshot { seq, packed } => {
                // It is opened in its own time, and what is known meanwhile is shown meanwhile.
                self.apply(changes);
                let bytes = page::inflate(&packed.0)
                    .await
                    .map_err(|_| End::Lost("a snapshot could not be opened".to_owned()))?;
                let all =
                    self.follower.snapshot(seq, &bytes).map_err(|error| End::Lost(error.to_string()))?;
                self.live.store.reset(all);
                let about = self.follower.about_now();
                self.about(about, changes);
                self.came();
            }
            Frame::Changes { seq, changes: encoded } => match self.follower.changes(seq, &encoded) {
                Followed::Changes(more) => changes.extend(more),
                Followed::LeftOut => {}
                Followed::Resync => self.ask(&Ask::Resync),
            },
            Frame::Beat { seq, now, hash, as_of } => {
                self.clock(now);
                self.apply(changes);
                match self.follower.beat(seq, hash, as_of, |kinds| self.live.store.hash(kinds)) {
                    Beat::Confirmed(as_of) => {
                        // A page that nobody sees is told the time seldom.
                        self.live.tick();
                        self.live.store.set_as_of(as_of);
                    }
                    Beat::Unknown => {}
                    Beat::Resync => self.ask(&Ask::Resync),
                }
            }
            // They come again after the snapshot, and tell of what is known by then.
            Frame::Detail { .. } | Frame::Picture { .. } if self.follower.is_behind() => {}
            Frame::Detail { key, detail } => {
                self.owed.detail(&key);
                self.live.store.set_detail(key, detail);
                self.came();
            }
            Frame::Picture { drawing, picture } => {
                self.owed.picture(&drawing);
                self.live.store.set_picture(drawing.key, picture);
                self.came();
            }
            Frame::Bye { why, ended } => {
                self.ended = ended;
                self.bye = Some(why);
            }
        }
        Ok(())
    }

    /// Says what is being watched. What was gathered came before it was so.
    fn about(&self, about: Option<About>, changes: &mut Vec<Change>) {
        if let Some(about) = about {
            self.apply(changes);
            self.live.store.set_about(about, self.follower.kinds());
        }
    }

    fn clock(&mut self, now: Millis) {
        let ours = page::browser_now();
        let before = self.live.clock.borrow().at(ours);
        self.told.tells(&mut self.live.clock.borrow_mut(), now, ours);
        if self.live.clock.borrow().at(ours) != before {
            // What comes next is as old as this says, and not as was thought a second ago.
            self.live.tick();
        }
    }

    /// Asks for what the page wants and the server has not been asked for.
    fn want(&mut self) {
        if self.socket.ready_state() != WebSocket::OPEN {
            return;
        }
        let wanted = self.live.wanted.borrow().clone();
        if !self.asked.kinds.covers(wanted.kinds) {
            // A snapshot of the larger set follows; changes until then belong to the smaller.
            self.ask(&Ask::Kinds(wanted.kinds));
        }
        if self.asked.look != wanted.look {
            if self.is_live {
                self.live.store.forget_detail();
            }
            self.ask(&Ask::Look(wanted.look.clone()));
            self.owed.look(wanted.look.clone());
        }
        if self.asked.draw != wanted.draw {
            let key = |wanted: &Wanted| wanted.draw.as_ref().map(|drawing| drawing.key.clone());
            if self.is_live && key(&self.asked) != key(&wanted) {
                self.live.store.forget_picture();
            }
            self.ask(&Ask::Draw(wanted.draw.clone()));
            self.owed.draw(wanted.draw.clone());
        }
        self.asked = wanted;
        self.came();
    }

    /// Something has come, or is not wanted any more. What a live page turns to afterwards is not there before it comes.
    fn came(&mut self) {
        // On a socket that is closing what the page wants could not be asked for.
        let is_open = self.socket.ready_state() == WebSocket::OPEN;
        if !self.is_live && is_open && self.follower.has_snapshot() && self.owed.is_nothing() {
            self.is_live = true;
            // What was looked at on another socket, and is not on this one, is of then.
            if self.asked.look.is_none() {
                self.live.store.forget_detail();
            }
            if self.asked.draw.is_none() {
                self.live.store.forget_picture();
            }
            self.live.store.set_link(Link::Live);
        }
    }

    fn ask(&self, ask: &Ask) {
        _ = self.socket.send_with_u8_array(&wire::to_bytes(ask));
    }

    fn close(&self) {
        // The listeners are dropped with the session; the socket must not call them any more.
        for (name, listener) in ["message", "close"].into_iter().zip(&self._listeners) {
            _ = self.socket.remove_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
        }
        _ = self.socket.close();
    }
}
