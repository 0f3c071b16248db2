//! The API server, reduced to what Masthead does with it: list a page, open a watch, ask its version.
//! The rest of the code is handed this, never a client.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use app::{
    api::{Kind, Millis, Text},
    clock::Clock,
};
use bytes::{Buf, Bytes, BytesMut};
use futures::{Stream, TryStreamExt};
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper_util::client::legacy::connect::HttpInfo;
use kube::client::Body;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::watch;

use super::{
    connection::Alone,
    credentials::Credentials,
    read_only::ReadOnlyLayer,
    translate::{self, Head},
};
use crate::{error::chain, hub::now};

/// Objects asked for at a time, as kubectl does.
pub const PAGE: usize = 500;
/// All of them at a time.
pub const ALL: usize = 0;
/// A page is 500 objects of at most 1.5 MiB (etcd's limit); real ones are a hundredth of that.
const LARGEST_PAGE: usize = 1 << 30;
/// One watch event: an object of at most 1.5 MiB, with room for its JSON escapes.
const LARGEST_EVENT: usize = 8 << 20;
/// How long the API server may take to begin an answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// What went wrong with a request.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The version asked for is no longer known: list again. Both as an HTTP status and inside a watch.
    #[error("the API server no longer knows that version (410)")]
    Gone,
    /// It may be another, or the same with an etcd that was restored: list again.
    #[error("nothing shows that the API server still has the history that it had")]
    Unwitnessed,
    /// Not allowed.
    #[error("{message}")]
    Forbidden {
        /// The API server's own sentence.
        message: String,
    },
    /// The credentials were refused.
    #[error("the API server does not accept the credentials (401): {message}")]
    Unauthorized {
        /// The API server's own sentence.
        message: String,
    },
    /// Any other status.
    #[error("the API server answered {code}: {message}")]
    Status {
        /// HTTP status.
        code: u16,
        /// The API server's own sentence.
        message: String,
        /// `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// No answer in time.
    #[error("the API server did not answer within {} s", .0.as_secs())]
    Silent(Duration),
    /// Events that did not come as they happened.
    #[error("the watch told of version {version} after {after}")]
    Disordered {
        /// Of the event.
        version: String,
        /// Of the one before.
        after: String,
    },
    /// A watch that should have had something to say.
    #[error("the watch has said nothing for {} s, though the API server sends a bookmark every minute", .0.as_secs())]
    Withheld(Duration),
    /// The connection failed or broke.
    #[error("{0}")]
    Connection(String),
    /// What was answered is not whole.
    #[error("the API server's answer broke off: {0}")]
    Broken(String),
    /// The answer cannot be read.
    #[error("the API server's answer could not be read: {0}")]
    Unreadable(String),
}

/// What an API server is talked to through.
#[derive(Clone)]
pub struct Clients {
    /// Masthead's own; its outermost layer is [`ReadOnlyLayer::LISTS`], or, if it asks about visitors,
    /// [`ReadOnlyLayer::LISTS_AND_TOKENS`].
    pub own: kube::Client,
    /// Without credentials of its own, and with [`ReadOnlyLayer::VISITORS`], for questions that visitors ask about
    /// themselves.
    pub visitors: Option<kube::Client>,
}

/// A cluster's API, or the demo's.
#[derive(Clone)]
pub struct ApiServer {
    clients: watch::Sender<Clients>,
    /// What makes other clients, when these are refused.
    credentials: Option<Arc<Credentials>>,
    /// Its clock, by the dates of its answers.
    clock: Arc<Mutex<Clock>>,
}

impl std::fmt::Debug for ApiServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiServer").field("credentials", &self.credentials).finish_non_exhaustive()
    }
}

/// Where a collection is: a kind, in the whole cluster or in one namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Collection {
    /// Which kind.
    pub kind: Kind,
    /// In which namespace; `None` for the whole cluster.
    pub within: Option<Text>,
}

impl Collection {
    fn path(&self) -> String {
        let root = match self.kind.group() {
            "" => "/api/v1".to_owned(),
            group => format!("/apis/{group}/v1"),
        };
        match &self.within {
            Some(namespace) => format!("{root}/namespaces/{namespace}/{}", self.kind.plural()),
            None => format!("{root}/{}", self.kind.plural()),
        }
    }
}

/// One page of a list.
#[derive(Debug)]
pub struct Page {
    body: Bytes,
    /// Where a watch that continues this list begins.
    pub resource_version: String,
    /// Empty on the last page.
    pub next: String,
    /// Our end of the connection that it came over, where there is one.
    pub over: Option<SocketAddr>,
}

#[derive(Deserialize)]
struct ListHead {
    #[serde(default)]
    metadata: ListMeta,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ListMeta {
    resource_version: Option<String>,
    #[serde(rename = "continue")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Items<'a> {
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

impl Page {
    /// The JSON of each object.
    pub fn items(&self) -> Result<Vec<&str>, ApiError> {
        let items: Items<'_> = serde_json::from_slice(&self.body).map_err(unreadable)?;
        Ok(items.items.unwrap_or_default().into_iter().map(RawValue::get).collect())
    }
}

/// One event of a watch.
#[derive(Debug, PartialEq, Eq)]
pub enum WatchEvent {
    /// It is like this now.
    Put(Box<RawObject>),
    /// It is gone; its last state.
    Deleted(Box<RawObject>),
    /// Nothing happened up to this version.
    Bookmark(String),
}

impl WatchEvent {
    /// What it is about, if it is about any.
    pub fn object(&self) -> Option<&RawObject> {
        match self {
            WatchEvent::Put(object) | WatchEvent::Deleted(object) => Some(object),
            WatchEvent::Bookmark(_) => None,
        }
    }

    /// Whether the watch has told by now all that happened until `version`, if there is one to compare with. A bookmark
    /// comes when there is nothing left to tell.
    pub fn has_reached(&self, version: Option<u64>) -> bool {
        matches!(self, WatchEvent::Bookmark(_))
            || self.told_until().zip(version).is_some_and(|(until, version)| until >= version)
    }

    /// The version until which the watch has told all, with this. Of what is deleted by one version there may be more: what
    /// expires goes all at once (kubernetes/kubernetes#110210).
    pub fn told_until(&self) -> Option<u64> {
        match self {
            WatchEvent::Bookmark(version) => version.parse().ok(),
            WatchEvent::Put(object) => object.head.resource_version.parse().ok(),
            WatchEvent::Deleted(object) => object.head.resource_version.parse::<u64>().ok()?.checked_sub(1),
        }
    }
}

/// An object as it came.
#[derive(Debug, PartialEq, Eq)]
pub struct RawObject {
    /// All of it.
    pub json: String,
    /// What names it, its version included.
    pub head: Head,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    code: Option<u16>,
    reason: Option<String>,
    message: Option<String>,
}

impl ApiServer {
    /// Talks through `clients`, and through others when `credentials` have changed.
    pub fn new(clients: Clients, credentials: Option<Arc<Credentials>>) -> ApiServer {
        ApiServer { clients: watch::Sender::new(clients), credentials, clock: Arc::default() }
    }

    /// An API server inside this process, behind the same layer as any other.
    pub fn in_process(router: axum::Router) -> ApiServer {
        ApiServer::new(Clients { own: within(router, ReadOnlyLayer::LISTS), visitors: None }, None)
    }

    /// The same, which can be asked about visitors.
    pub fn in_process_with_reviews(router: axum::Router) -> ApiServer {
        let own = within(router.clone(), ReadOnlyLayer::LISTS_AND_TOKENS);
        ApiServer::new(Clients { own, visitors: Some(within(router, ReadOnlyLayer::VISITORS)) }, None)
    }

    /// How far its clock is ahead of ours, in milliseconds: as far as was `said`, as long as that may be so. Whoever dates
    /// its answers tells, which may be a proxy in front.
    pub fn ahead(&self, said: i64) -> i64 {
        lock(&self.clock).ahead(said)
    }

    /// One page of a list, of so many objects; from the start with an empty `next`.
    pub async fn list(&self, collection: &Collection, limit: usize, next: &str) -> Result<Page, ApiError> {
        let mut path = format!("{}?limit={limit}", collection.path());
        if !next.is_empty() {
            path.push_str("&continue=");
            path.extend(percent_encoded(next));
        }
        self.read(&path, LARGEST_PAGE).await
    }

    /// A list of one object, by its name; empty if there is none.
    pub async fn only(&self, collection: &Collection, namespace: &str, name: &str) -> Result<Page, ApiError> {
        // In its own namespace the API server finds it without looking at all the others.
        let within = (!namespace.is_empty()).then(|| Text::from(namespace));
        let path = Collection { within, ..collection.clone() }.path();
        let name: String = percent_encoded(name).collect();
        // However large it was, it came in a list.
        self.read_one(&format!("{path}?fieldSelector=metadata.name%3D{name}&limit=1"), LARGEST_PAGE).await
    }

    /// The smallest list there is: of the first object, or of none.
    pub async fn first(&self, collection: &Collection) -> Result<Page, ApiError> {
        self.read_one(&format!("{}?limit=1", collection.path()), LARGEST_EVENT).await
    }

    async fn read_one(&self, path: &str, at_most: usize) -> Result<Page, ApiError> {
        tokio::time::timeout(PATIENCE, self.read(path, at_most))
            .await
            .map_err(|_| ApiError::Silent(PATIENCE))?
    }

    async fn read(&self, path: &str, most: usize) -> Result<Page, ApiError> {
        let answer = self.get(path).await?;
        let over = came_over(&answer);
        let body = whole(answer.into_body(), most).await?;
        let head: ListHead = serde_json::from_slice(&body).map_err(unreadable)?;
        Ok(Page {
            body,
            resource_version: head.metadata.resource_version.unwrap_or_default(),
            next: head.metadata.next.unwrap_or_default(),
            over,
        })
    }

    /// Opens a watch from a version. The API server ends it after `timeout`.
    pub async fn watch(
        &self,
        collection: &Collection,
        resource_version: &str,
        timeout: Duration,
    ) -> Result<Watch, ApiError> {
        let version: String = percent_encoded(resource_version).collect();
        let path = format!(
            "{}?watch=1&allowWatchBookmarks=true&timeoutSeconds={}&resourceVersion={version}",
            collection.path(),
            timeout.as_secs(),
        );
        let mut replaced = self.clients.subscribe();
        replaced.mark_unchanged();
        Ok(Watch::new(self.get(&path).await?, replaced))
    }

    /// `gitVersion`.
    pub async fn version(&self) -> Result<String, ApiError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Version {
            git_version: String,
        }
        let body = whole(self.get("/version").await?.into_body(), 1 << 16).await?;
        serde_json::from_slice::<Version>(&body).map(|version| version.git_version).map_err(unreadable)
    }

    /// Asks a question about whoever has a token, in their name or in Masthead's own; see
    /// [`Review`](super::read_only::Review) for those there are. The question comes back answered.
    pub async fn review<R>(&self, question: &R, token: Option<&SecretString>) -> Result<R, ApiError>
    where
        R: k8s_openapi::Resource + Serialize + for<'de> Deserialize<'de>,
    {
        let path = format!("/apis/{}/{}/{}", R::GROUP, R::VERSION, R::URL_PATH_SEGMENT);
        let mut request = Request::post(path)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
                .map_err(|_| ApiError::Unauthorized { message: "no token has such characters".to_owned() })?;
            bearer.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, bearer);
        }
        let body = serde_json::to_vec(question).map_err(unreadable)?;
        let request =
            request.body(Body::from(body)).map_err(|error| ApiError::Unreadable(error.to_string()))?;
        let answer = match token {
            None => self.own(request).await?,
            Some(_) => {
                let visitors = self.clients.borrow().visitors.clone().ok_or_else(|| {
                    ApiError::Unreadable("Masthead was not started with --auth kubernetes".to_owned())
                })?;
                accepted(answer(&visitors, request).await?).await?
            }
        };
        let body = whole(answer.into_body(), LARGEST_EVENT).await?;
        serde_json::from_slice(&body).map_err(unreadable)
    }

    async fn get(&self, path: &str) -> Result<Response<Body>, ApiError> {
        let request = Request::get(path)
            .header(header::ACCEPT, "application/json")
            .body(Body::empty())
            .map_err(|error| ApiError::Unreadable(error.to_string()))?;
        self.own(request).await
    }

    /// Asks in Masthead's own name.
    async fn own(&self, request: Request<Body>) -> Result<Response<Body>, ApiError> {
        let client = self.clients.borrow().own.clone();
        let asked = now();
        let answered = async {
            let response = answer(&client, request).await?;
            // Visitors' own questions may reach another of several.
            if let Some(date) = date(&response) {
                lock(&self.clock).hear_answer(date, asked, now());
            }
            accepted(response).await
        };
        let answer = answered.await;
        if let Err(
            error @ (ApiError::Unauthorized { .. }
            | ApiError::Forbidden { .. }
            | ApiError::Connection(_)
            | ApiError::Silent(_)),
        ) = &answer
            && let Some(credentials) = &self.credentials
        {
            credentials.look(&self.clients, matches!(error, ApiError::Unauthorized { .. }));
        }
        answer
    }
}

async fn answer(client: &kube::Client, request: Request<Body>) -> Result<Response<Body>, ApiError> {
    tokio::time::timeout(PATIENCE, client.send(request))
        .await
        .map_err(|_| ApiError::Silent(PATIENCE))?
        .map_err(|error| ApiError::Connection(chain(&error)))
}

/// An answer, if it is not that it is none.
async fn accepted(response: Response<Body>) -> Result<Response<Body>, ApiError> {
    let code = response.status();
    if code.is_success() {
        return Ok(response);
    }
    let retry_after = response
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map(Duration::from_secs);
    let body = tokio::time::timeout(PATIENCE, Limited::new(response.into_body(), 1 << 20).collect()).await;
    let body = body.ok().and_then(Result::ok).map(|body| body.to_bytes()).unwrap_or_default();
    let status: Status = serde_json::from_slice(&body).unwrap_or_default();
    Err(refusal(code.as_u16(), status, retry_after))
}

fn came_over<B>(answer: &Response<B>) -> Option<SocketAddr> {
    answer.extensions().get::<HttpInfo>().map(HttpInfo::local_addr)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// When an answer says it was written, at least and at most: it says the second.
fn date<B>(response: &Response<B>) -> Option<(Millis, Millis)> {
    let text = response.headers().get(header::DATE)?.to_str().ok()?;
    let second = Millis(chrono::DateTime::parse_from_rfc2822(text).ok()?.timestamp_millis());
    Some((second, second.later(999)))
}

fn within(router: axum::Router, layer: ReadOnlyLayer) -> kube::Client {
    let service = tower::ServiceBuilder::new()
        .layer(layer)
        .map_request(|request: Request<Body>| request.map(axum::body::Body::new))
        .service(router);
    kube::Client::new(service, "default")
}

fn refusal(code: u16, status: Status, retry_after: Option<Duration>) -> ApiError {
    let message = status.message.unwrap_or_else(|| {
        StatusCode::from_u16(code)
            .ok()
            .and_then(|code| code.canonical_reason())
            .unwrap_or("no reason given")
            .to_owned()
    });
    let expired = matches!(status.reason.as_deref(), Some("Expired" | "Gone"));
    match code {
        410 => ApiError::Gone,
        _ if expired => ApiError::Gone,
        401 => ApiError::Unauthorized { message },
        403 => ApiError::Forbidden { message },
        code => ApiError::Status { code, message, retry_after },
    }
}

/// All of a body, if it has no more bytes than that.
async fn whole(body: Body, most: usize) -> Result<Bytes, ApiError> {
    match Limited::new(body, most).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        // It is the answer that is wrong, and not the connection, which others share.
        Err(error) if error.is::<LengthLimitError>() => {
            Err(ApiError::Unreadable(format!("it has more than {most} bytes")))
        }
        Err(error) => Err(ApiError::Broken(chain(&*error))),
    }
}

fn unreadable(error: serde_json::Error) -> ApiError {
    ApiError::Unreadable(error.to_string())
}

/// Everything but unreserved characters, for a query value.
fn percent_encoded(text: &str) -> impl Iterator<Item = char> {
    text.bytes().flat_map(|byte| {
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        let encoded = if plain { (byte as char).to_string() } else { format!("%{byte:02X}") };
        encoded.chars().collect::<Vec<_>>()
    })
}

/// An open watch.
pub struct Watch {
    chunks: Pin<Box<dyn Stream<Item = Result<Bytes, ApiError>> + Send>>,
    buffer: BytesMut,
    /// So much of it has no line break.
    seen: usize,
    /// The pulse goes through other clients by then, and says nothing of this one any more.
    replaced: watch::Receiver<Clients>,
    alone: bool,
    over: Option<SocketAddr>,
}

impl Watch {
    fn new(answer: Response<Body>, replaced: watch::Receiver<Clients>) -> Watch {
        let alone = answer.extensions().get::<Alone>().is_some();
        let over = came_over(&answer);
        let chunks =
            answer.into_body().into_data_stream().map_err(|error| ApiError::Connection(error.to_string()));
        Watch { chunks: Box::pin(chunks), buffer: BytesMut::new(), seen: 0, replaced, alone, over }
    }

    /// The next event; `None` when the API server has ended the watch. Cancel-safe.
    pub async fn next(&mut self) -> Result<Option<WatchEvent>, ApiError> {
        match self.line().await? {
            Some(line) => read_event(&line).map(Some),
            None => Ok(None),
        }
    }

    /// Whether it has a connection to itself: that the pulse is answered over another says nothing of that one.
    pub fn is_alone(&self) -> bool {
        self.alone
    }

    /// Whether it shares its connection, and not with what came over this one: an API server may have asked for another
    /// (`--goaway-chance`), which may lead to another API server.
    pub fn is_left_behind(&self, by: Option<SocketAddr>) -> bool {
        !self.alone && self.over.zip(by).is_some_and(|(own, other)| own != other)
    }

    /// Whether the beginning of an event is here whose end is not: there is more to come than has come.
    pub fn is_amid_event(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// The next line. One that is not ended when the body ends was cut off, and is dropped with an error: half an
    /// object is no object.
    async fn line(&mut self) -> Result<Option<Bytes>, ApiError> {
        loop {
            if let Some(end) = self.buffer[self.seen..].iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(self.seen + end).freeze();
                self.buffer.advance(1);
                self.seen = 0;
                if line.iter().all(u8::is_ascii_whitespace) {
                    continue;
                }
                return Ok(Some(line));
            }
            self.seen = self.buffer.len();
            if self.seen > LARGEST_EVENT {
                return Err(ApiError::Unreadable(format!(
                    "a watch event of more than {LARGEST_EVENT} bytes"
                )));
            }
            let chunk = tokio::select! {
                biased;
                chunk = self.chunks.try_next() => chunk?,
                Ok(()) = self.replaced.changed() => {
                    return Err(ApiError::Connection("the credentials were replaced".to_owned()));
                }
            };
            match chunk {
                Some(chunk) => self.buffer.extend_from_slice(&chunk),
                None if self.buffer.iter().all(u8::is_ascii_whitespace) => return Ok(None),
                None => {
                    return Err(ApiError::Connection(
                        "the watch broke off in the middle of an event".to_owned(),
                    ));
                }
            }
        }
    }
}

fn read_event(line: &[u8]) -> Result<WatchEvent, ApiError> {
    let line: Line<'_> = serde_json::from_slice(line).map_err(unreadable)?;
    if line.kind == "ERROR" {
        let status: Status = serde_json::from_str(line.object.get()).unwrap_or_default();
        return Err(refusal(status.code.unwrap_or(500), status, None));
    }
    let json = line.object.get();
    let head = translate::head(json);
    if head.resource_version.is_empty() {
        // Whatever it was about, nobody knows where the watch is now.
        return Err(ApiError::Unreadable(format!("a watch event of type '{}' without a version", line.kind)));
    }
    match line.kind {
        "ADDED" | "MODIFIED" => Ok(WatchEvent::Put(Box::new(RawObject { json: json.to_owned(), head }))),
        "DELETED" => Ok(WatchEvent::Deleted(Box::new(RawObject { json: json.to_owned(), head }))),
        "BOOKMARK" => Ok(WatchEvent::Bookmark(head.resource_version.to_string())),
        other => Err(ApiError::Unreadable(format!("a watch event of type '{other}'"))),
    }
}
