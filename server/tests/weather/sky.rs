//! What happens between Masthead and its API server, byte by byte.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll},
};

use axum::{Router, body::Body};
use futures::{FutureExt, StreamExt, future::BoxFuture};
use http::{Request, Response, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::json;
use server::{
    hub::now,
    source::{
        api_server::{ApiServer, Clients},
        read_only::ReadOnlyLayer,
    },
};
use tokio::sync::{OwnedMutexGuard, watch};
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};

use super::falling::{Way, fall};

/// Something that happens once to the next line of whatever watch comes by, or to the next answer.
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
    /// A list that is asked to go on where it was is told that this is too long ago.
    Expired,
}

/// Everything that happens here, by the words that it is counted by.
pub const SORTS: [&str; 11] = [
    "twice",
    "swapped",
    "lost",
    "garbled",
    "reset",
    "cut",
    "expired",
    REFUSED,
    SHORT_PAGE,
    NO_BOOKMARK,
    SLOWLY,
];
/// A request is refused;
const REFUSED: &str = "refused";
/// a page of a list that goes on is a short one;
const SHORT_PAGE: &str = "short page";
/// a bookmark does not come;
pub const NO_BOOKMARK: &str = "no bookmark";
/// a piece comes by itself, and later.
pub const SLOWLY: &str = "slowly";

/// How often each of these has happened.
pub type Befallen = BTreeMap<&'static str, u64>;

impl Mishap {
    /// One of [`SORTS`].
    fn word(self) -> &'static str {
        match self {
            Mishap::Twice => "twice",
            Mishap::Swapped => "swapped",
            Mishap::Lost => "lost",
            Mishap::Garbled => "garbled",
            Mishap::Reset => "reset",
            Mishap::Cut => "cut",
            Mishap::Expired => "expired",
        }
    }

    /// Whether it can happen to this.
    fn befalls(self, asked: Asked) -> bool {
        match (self, asked) {
            (Mishap::Twice | Mishap::Swapped | Mishap::Lost, asked) => asked == Asked::Watch,
            (Mishap::Expired, _) => false,
            // The pulse asks so often that nothing else would be hit.
            (Mishap::Garbled | Mishap::Reset | Mishap::Cut, Asked::One) => fastrand::u8(..8) == 0,
            (Mishap::Garbled | Mishap::Reset | Mishap::Cut, Asked::List | Asked::Watch) => true,
        }
    }
}

/// What Masthead asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Watch,
    List,
    /// A list of one, or something else that is small.
    One,
}

/// What nobody who watches can know.
#[derive(Clone, Debug, Default)]
struct Untold {
    /// Lines that come after the next one, of watches of these collections.
    held: Vec<String>,
    /// The same of lines that have come, or never will, since somebody last looked.
    formerly: Vec<String>,
    /// Collections of which something was not told, and how many lists had been begun by then.
    lost: BTreeMap<String, u64>,
    /// Collections that have been listed, and are not watched yet; or that are about to be watched.
    between: BTreeSet<String>,
    /// Lists so far,
    lists: u64,
    /// and which of them is the last of each collection.
    listing: BTreeMap<String, u64>,
}

impl Untold {
    fn lose(&mut self, collection: &str) {
        self.lost.insert(collection.to_owned(), self.lists);
    }

    /// A list begins: what was lost so far is in it.
    fn begin(&mut self, collection: &str) {
        self.lists += 1;
        self.listing.insert(collection.to_owned(), self.lists);
    }

    /// All of it was told.
    fn listed(&mut self, collection: &str) {
        let begun = self.listing.get(collection).copied().unwrap_or_default();
        if self.lost.get(collection).is_some_and(|lost| *lost < begun) {
            self.lost.remove(collection);
        }
    }
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
    untold: Arc<Mutex<Untold>>,
    /// Held by whatever bytes are on their way: all share a connection.
    line: Arc<tokio::sync::Mutex<()>>,
    age: Arc<Mutex<u64>>,
    befallen: Arc<Mutex<Befallen>>,
}

impl Sky {
    /// Clear.
    pub fn clear() -> Sky {
        Sky {
            now: watch::Sender::default(),
            mishaps: Arc::default(),
            untold: Arc::default(),
            line: Arc::default(),
            age: Arc::default(),
            befallen: Arc::default(),
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

    /// What has happened so far, and how often: a fault that is never met by what Masthead asks for proves nothing.
    pub fn befallen(&self) -> Befallen {
        lock(&self.befallen).clone()
    }

    /// This, which is one of [`SORTS`], has happened.
    pub fn count(&self, sort: &'static str) {
        *lock(&self.befallen).entry(sort).or_default() += 1;
    }

    /// Befalls what comes next.
    pub fn befall(&self, mishap: Mishap) {
        lock(&self.mishaps).push_back(mishap);
    }

    /// The kinds, as in URLs, of which something has not been told to whoever watches them: it comes later, or nobody
    /// knows of it before it is all listed again. Now, or since the last time.
    pub fn kept_back(&self) -> BTreeSet<String> {
        let mut untold = lock(&self.untold);
        let formerly = std::mem::take(&mut untold.formerly);
        let collections = untold.held.iter().chain(untold.lost.keys()).chain(&formerly);
        collections.map(|path| path.rsplit('/').next().unwrap_or_default().to_owned()).collect()
    }

    /// Whether something was lost, and nobody can know of it yet.
    pub fn has_lost(&self) -> bool {
        !lock(&self.untold).lost.is_empty()
    }

    /// Etcd is about to be restored. What is listed has no witness of what else its version counts, and by the time its
    /// watch is open that may have been counted anew.
    pub fn restores(&self) {
        let mut untold = lock(&self.untold);
        std::mem::take(&mut untold.between).iter().for_each(|collection| untold.lose(collection));
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

    /// What happens to this; the next mishap may have to wait for something else.
    pub fn befalls(&self, asked: Asked) -> Option<Mishap> {
        let mut mishaps = lock(&self.mishaps);
        let nth = mishaps.iter().position(|mishap| mishap.befalls(asked))?;
        let mishap = mishaps.remove(nth)?;
        self.count(mishap.word());
        Some(mishap)
    }

    /// A line of a watch of this comes after the next one.
    pub fn hold(&self, collection: &str) {
        lock(&self.untold).held.push(collection.to_owned());
    }

    /// It has come, or never will.
    pub fn no_longer_holds(&self, collection: &str) {
        let untold = &mut *lock(&self.untold);
        if let Some(nth) = untold.held.iter().position(|held| held == collection) {
            untold.formerly.push(untold.held.swap_remove(nth));
        }
    }

    /// Something of this is not told.
    pub fn lose(&self, collection: &str) {
        lock(&self.untold).lose(collection);
    }

    /// All of this was told.
    pub fn listed(&self, collection: &str) {
        lock(&self.untold).listed(collection);
    }

    /// Whether no bookmark comes now.
    pub fn withholds_bookmarks_now(&self) -> bool {
        self.now.borrow().withholds_bookmarks
    }

    /// Whether bytes come a few at a time now.
    pub fn trickles_now(&self) -> bool {
        self.now.borrow().trickles
    }

    /// Whoever came first has it first.
    pub async fn line(&self) -> OwnedMutexGuard<()> {
        self.line.clone().lock_owned().await
    }

    /// Whether a list that goes on is told that it cannot.
    fn expires(&self) -> bool {
        let mut mishaps = lock(&self.mishaps);
        let nth = mishaps.iter().position(|mishap| *mishap == Mishap::Expired);
        let expired = nth.and_then(|nth| mishaps.remove(nth));
        if let Some(mishap) = expired {
            self.count(mishap.word());
        }
        expired.is_some()
    }

    /// Until bytes may pass that belong to something of this age.
    pub async fn passable(&self, age: u64) {
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
                sky.count(REFUSED);
                return Err("connection refused".into());
            }
            sky.passable(age).await;
            let target = request.uri().to_string();
            let collection = request.uri().path().to_owned();
            let asked = match &target {
                target if target.contains("watch=1") => Asked::Watch,
                target if ["limit=500", "limit=0"].iter().any(|limit| target.contains(limit)) => Asked::List,
                _ => Asked::One,
            };
            let goes_on = target.contains("continue=");
            let is_short = sky.now.borrow().short_pages;
            if is_short {
                *request.uri_mut() = target.replace("limit=500", "limit=3").parse()?;
            }
            if is_short && goes_on && asked == Asked::List {
                sky.count(SHORT_PAGE);
            }
            match asked {
                Asked::List if !goes_on => lock(&sky.untold).begin(&collection),
                Asked::Watch => _ = lock(&sky.untold).between.insert(collection.clone()),
                _ => {}
            }
            let expires = asked == Asked::List && goes_on && sky.expires();
            let mut response = if expires { expired() } else { router.oneshot(request).await? };
            match asked {
                Asked::List => _ = lock(&sky.untold).between.insert(collection.clone()),
                Asked::Watch => _ = lock(&sky.untold).between.remove(&collection),
                Asked::One => {}
            }
            sky.stamp(&mut response);
            sky.passable(age).await;
            let asked = if response.status().is_success() { asked } else { Asked::One };
            Ok(response.map(|body| {
                let chunks = body.into_data_stream().map(|chunk| chunk.map_err(BoxError::from));
                fall(Way { sky, age, asked, collection }, chunks.boxed())
            }))
        }
        .boxed()
    }
}

/// What an API server says of a list whose version is gone in the middle.
fn expired() -> Response<Body> {
    let message = "The provided continue parameter is too old to display a consistent list result.";
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
        "reason": "Expired", "code": 410,
    });
    let mut response = Response::new(Body::from(status.to_string()));
    *response.status_mut() = StatusCode::GONE;
    response
}
