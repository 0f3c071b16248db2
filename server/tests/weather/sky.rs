//! What happens between Masthead and its API server, byte by byte.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body};
use bytes::Bytes;
use futures::{FutureExt, Stream, StreamExt, future::BoxFuture, stream};
use http::{Request, Response, StatusCode, header};
use serde::{Deserialize, Serialize};
use server::{
    hub::now,
    source::{
        api_server::{ApiServer, Clients},
        read_only::ReadOnlyLayer,
    },
};
use tokio::sync::watch;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};

/// Something that happens once to the next lines of whatever watch comes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mishap {
    /// A line comes twice.
    Twice,
    /// Two lines come in the wrong order.
    Swapped,
    /// A line does not come.
    Lost,
    /// A line is no JSON.
    Garbled,
    /// The connection is reset in the middle of a line.
    Reset,
    /// The answer ends, as if all were well, in the middle of a line.
    Cut,
}

/// What the sky is like until it changes.
#[derive(Clone, Copy, Debug, Default)]
struct Now {
    refuses: bool,
    /// Nothing comes and nothing goes; what is open now will stay so, if `deaf`.
    silent: bool,
    /// Open answers of this age and older will say nothing any more.
    deaf: u64,
    withholds_bookmarks: bool,
    short_pages: bool,
    trickles: bool,
    /// How far the API server's clock is ahead, in milliseconds.
    ahead: i64,
    /// What refusals that are not for ever say of when to come again.
    retry_after: Option<u16>,
}

/// A cheap clone.
#[derive(Clone)]
pub struct Sky {
    now: watch::Sender<Now>,
    mishaps: Arc<Mutex<VecDeque<Mishap>>>,
    /// Kinds, as in URLs, of whose events one was lost or came in the wrong order.
    misled: Arc<Mutex<Vec<String>>>,
    /// Kinds that are being listed, or of which a watch is being opened.
    beginning: Arc<Mutex<Vec<String>>>,
    /// Held by whatever bytes are on their way while they come slowly: all share a connection, in order.
    line: Arc<tokio::sync::Mutex<()>>,
    age: Arc<Mutex<u64>>,
}

impl Sky {
    /// Clear.
    pub fn clear() -> Sky {
        Sky {
            now: watch::Sender::default(),
            mishaps: Arc::default(),
            misled: Arc::default(),
            beginning: Arc::default(),
            line: Arc::default(),
            age: Arc::default(),
        }
    }

    /// `router` as Masthead is to see it.
    pub fn over(&self, router: Router) -> ApiServer {
        let service = ServiceBuilder::new()
            .layer(ReadOnlyLayer::LISTS)
            .map_request(|request: Request<kube::client::Body>| request.map(Body::new))
            .service(Under { sky: self.clone(), router });
        ApiServer::new(Clients { own: kube::Client::new(service, "default"), visitors: None }, None)
    }

    /// Connections are refused.
    pub fn refuse(&self, refuses: bool) {
        self.now.send_modify(|now| now.refuses = refuses);
    }

    /// Nothing comes any more. What is open when it ends goes on, or stays silent for ever: a connection whose other
    /// end has forgotten it.
    pub fn fall_silent(&self, for_ever: bool) {
        if for_ever {
            self.forget();
        }
        self.now.send_modify(|now| now.silent = true);
    }

    /// Answers that are open now will say nothing any more, while new ones do.
    pub fn forget(&self) {
        let mut age = lock(&self.age);
        let deaf = *age;
        *age += 1;
        self.now.send_modify(|now| now.deaf = deaf + 1);
    }

    /// No bookmark comes.
    pub fn withhold_bookmarks(&self, withholds: bool) {
        self.now.send_modify(|now| now.withholds_bookmarks = withholds);
    }

    /// Pages of a list have three objects.
    pub fn shorten_pages(&self, short: bool) {
        self.now.send_modify(|now| now.short_pages = short);
    }

    /// Bytes come a few at a time.
    pub fn trickle(&self, trickles: bool) {
        self.now.send_modify(|now| now.trickles = trickles);
    }

    /// The API server's clock is so many milliseconds ahead of the world's.
    pub fn put_clock(&self, ahead: i64) {
        self.now.send_modify(|now| now.ahead = ahead);
    }

    /// How far the API server's clock is ahead, in milliseconds.
    pub fn ahead(&self) -> i64 {
        self.now.borrow().ahead
    }

    /// Refusals that are not for ever say when to come again.
    pub fn retry_after(&self, seconds: u16) {
        self.now.send_modify(|now| now.retry_after = Some(seconds));
    }

    /// Befalls what comes next.
    pub fn befall(&self, mishap: Mishap) {
        lock(&self.mishaps).push_back(mishap);
    }

    /// The kinds of whose events one was lost or swapped since the last time.
    pub fn misled(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.misled))
    }

    /// The kinds of which a list, or the opening of a watch, is on its way.
    pub fn beginning(&self) -> Vec<String> {
        lock(&self.beginning).clone()
    }

    /// All is well, but for what will stay silent for ever.
    pub fn clear_up(&self) {
        lock(&self.mishaps).clear();
        self.now.send_modify(|now| *now = Now { deaf: now.deaf, ahead: now.ahead, ..Now::default() });
    }

    /// What an API server says of the time.
    fn stamp(&self, response: &mut Response<Body>) {
        let Now { ahead, retry_after, .. } = *self.now.borrow();
        let clock = chrono::DateTime::from_timestamp_millis(now().later(ahead).0).expect("a date");
        let date = clock.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let is_busy =
            matches!(response.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        let headers = response.headers_mut();
        headers.insert(header::DATE, date.parse().expect("a header"));
        if let Some(seconds) = retry_after.filter(|_| is_busy) {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
    }

    /// Until bytes may pass that belong to something of this age.
    async fn passable(&self, age: u64) {
        let mut now = self.now.subscribe();
        let passable = now.wait_for(|now| !now.silent && now.deaf <= age).await.is_ok();
        if !passable {
            std::future::pending::<()>().await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics under it")
}

/// One of [`Sky::beginning`], as long as it lasts.
struct Beginning(Sky, String);

impl Beginning {
    fn of(sky: &Sky, kind: &str) -> Beginning {
        lock(&sky.beginning).push(kind.to_owned());
        Beginning(sky.clone(), kind.to_owned())
    }
}

impl Drop for Beginning {
    fn drop(&mut self) {
        let mut all = lock(&self.0.beginning);
        if let Some(nth) = all.iter().position(|kind| *kind == self.1) {
            all.swap_remove(nth);
        }
    }
}

#[derive(Clone)]
struct Under {
    sky: Sky,
    router: Router,
}

impl Service<Request<Body>> for Under {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let Under { sky, router } = self.clone();
        async move {
            let age = *lock(&sky.age);
            if sky.now.borrow().refuses {
                return Err("connection refused".into());
            }
            sky.passable(age).await;
            let target = request.uri().to_string();
            let path = request.uri().path();
            let kind = path.rsplit('/').next().unwrap_or_default();
            let watched = target.contains("watch=1").then(|| kind.to_owned());
            let beginning = (!target.ends_with("limit=1")).then(|| Beginning::of(&sky, kind));
            if sky.now.borrow().short_pages {
                *request.uri_mut() = target.replace("limit=500", "limit=3").parse()?;
            }
            let mut response = router.oneshot(request).await?;
            sky.stamp(&mut response);
            sky.passable(age).await;
            let ok = response.status().is_success();
            Ok(response.map(|body| {
                let chunks = body.into_data_stream().map(|chunk| chunk.map_err(BoxError::from));
                // A watch has begun with this, a list when all of it is there.
                let beginning = beginning.filter(|_| watched.is_none());
                let chunks = weathered(sky, age, watched.filter(|_| ok), chunks.boxed());
                Body::from_stream(chunks.inspect(move |_| _ = &beginning))
            }))
        }
        .boxed()
    }
}

type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>;

struct Falling {
    sky: Sky,
    age: u64,
    /// The kind of whose watch it is.
    watched: Option<String>,
    chunks: Chunks,
    ready: VecDeque<Bytes>,
    /// A line that comes after the next one.
    held: Option<Bytes>,
    ends: Option<Result<(), BoxError>>,
}

fn weathered(
    sky: Sky,
    age: u64,
    watched: Option<String>,
    chunks: Chunks,
) -> impl Stream<Item = Result<Bytes, BoxError>> + Send {
    let falling = Falling { sky, age, watched, chunks, ready: VecDeque::new(), held: None, ends: None };
    stream::unfold(falling, |mut falling| async move { Some((falling.next().await?, falling)) })
}

impl Falling {
    async fn next(&mut self) -> Option<Result<Bytes, BoxError>> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                self.sky.passable(self.age).await;
                return Some(Ok(self.slowly(bytes).await));
            }
            match self.ends.take() {
                Some(Ok(())) => return None,
                Some(Err(error)) => return Some(Err(error)),
                None => {}
            }
            // The demo gives a line of a watch at a time, or a whole list.
            let Some(chunk) = self.chunks.next().await else {
                self.ready.extend(self.held.take());
                self.ends = Some(Ok(()));
                continue;
            };
            match chunk {
                Ok(chunk) => self.fall(chunk),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    fn fall(&mut self, chunk: Bytes) {
        let is_watch = self.watched.is_some();
        let is_bookmark = is_watch && chunk.starts_with(b"{\"type\":\"BOOKMARK\"");
        if is_bookmark && self.sky.now.borrow().withholds_bookmarks {
            return;
        }
        if let Some(held) = self.held.take() {
            self.ready.extend([chunk, held]);
            return;
        }
        let mishap = if is_bookmark { None } else { lock(&self.sky.mishaps).pop_front() };
        let half = chunk.slice(..chunk.len() / 2);
        match mishap {
            None => self.ready.push_back(chunk),
            Some(Mishap::Twice) if is_watch => self.ready.extend([chunk.clone(), chunk]),
            Some(Mishap::Swapped) if is_watch => {
                self.misleads();
                self.held = Some(chunk);
            }
            Some(Mishap::Lost) if is_watch => self.misleads(),
            Some(Mishap::Garbled) => self.ready.push_back(Bytes::from([b"\xff{", &chunk[..]].concat())),
            Some(Mishap::Reset) => {
                self.ready.push_back(half);
                self.ends = Some(Err("connection reset by peer".into()));
            }
            Some(Mishap::Cut) => {
                self.ready.push_back(half);
                self.ends = Some(Ok(()));
            }
            Some(_) => self.ready.push_back(chunk),
        }
    }

    fn misleads(&self) {
        lock(&self.sky.misled).extend(self.watched.clone());
    }

    /// The first bytes of these, the others again later, if the sky is so.
    async fn slowly(&mut self, bytes: Bytes) -> Bytes {
        const AT_ONCE: usize = 700;
        if !self.sky.now.borrow().trickles {
            return bytes;
        }
        let _line = self.sky.line.clone().lock_owned().await;
        if bytes.len() <= AT_ONCE {
            return bytes;
        }
        tokio::time::sleep(Duration::from_millis(400)).await;
        self.ready.push_front(bytes.slice(AT_ONCE..));
        bytes.slice(..AT_ONCE)
    }
}
