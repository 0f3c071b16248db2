//! What an API server answers, in whatever pieces it comes: lists, watches, its version and reviews.
//!
//! The first byte is what was asked, the second the answer's status, the third how many pieces it comes in; then as many
//! bytes that say where it is cut, and the answer. Before all that may stand two of its headers, a line each: `@` and its
//! `Date`, with those of the answers after it behind `|`; and its `Retry-After`.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use app::{
    api::{Kind, Text},
    query::percent_decode,
    wire::About,
};
use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Response, Uri, header},
};
use bytes::Bytes;
use futures::stream;
use secrecy::SecretString;
use server::{
    audience::door::kubernetes::rights::{identify, rights},
    hub::now,
    source::{
        api_server::{ApiServer, Collection, PAGE, WatchEvent},
        translate,
    },
};

/// Pods of all namespaces.
const PODS: Collection = Collection { kind: Kind::Pod, within: None };
/// So many answers are dated, at most.
const DATES: usize = 8;
/// No date is so far from another, in milliseconds.
const FAR_MS: u64 = 10_000_000_000_000_000;
/// A clock that is right is taken for one that is less far off, in milliseconds: it says whole seconds, what contradicts by
/// a second is kept, and a machine that runs this may be busy.
const NEAR_MS: u64 = 10_000;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// See the module.
pub fn check(data: &[u8]) {
    let Some((headers, data)) = Headers::split(data) else { return };
    let Some((head, rest)) = data.split_at_checked(3) else { return };
    let Some((cuts, body)) = rest.split_at_checked(usize::from(head[2] % 8)) else { return };
    let status = [200, 401, 403, 404, 410, 429, 500, 503][usize::from(head[1] % 8)];
    // not all at once, by these cuts, and a byte at a time
    let cut = pieces(body, cuts.iter().map(|cut| body.len() * usize::from(*cut) / 256));
    let ways = [vec![Bytes::copy_from_slice(body)], cut, pieces(body, 0..body.len().min(2_000))];
    super::with_time(async {
        dated(&headers).await;
        match head[0].wrapping_sub(b'a') % 4 {
            0 => same(ways, async |api| list(&api).await, status, &headers).await,
            1 => {
                same(ways.clone(), async |api| watch(&api).await, status, &headers).await;
                half(body, cuts, status, &headers).await;
            }
            2 => same(ways, async |api| format!("{:?}", api.0.version().await), status, &headers).await,
            _ => same(ways, async |api| reviews(&api.0).await, status, &headers).await,
        }
    });
}

/// What is said of answers beside their status.
#[derive(Clone, Debug)]
struct Headers {
    /// When they were written, one after the other, and again from the first.
    dates: Vec<HeaderValue>,
    /// For how long to leave in peace whoever answers.
    retry_after: Option<HeaderValue>,
}

impl Headers {
    /// Those that stand before the rest of the input; the usual ones where none do.
    fn split(data: &[u8]) -> Option<(Headers, &[u8])> {
        let Some(data) = data.strip_prefix(b"@") else {
            let retry_after = Some(HeaderValue::from_static("7"));
            return Some((Headers { dates: Vec::new(), retry_after }, data));
        };
        let mut lines = data.splitn(3, |byte| *byte == b'\n');
        let (dates, retry_after, rest) = (lines.next()?, lines.next()?, lines.next()?);
        let dates = dates.split(|byte| *byte == b'|').take(DATES).filter_map(value).collect();
        Some((Headers { dates, retry_after: value(retry_after) }, rest))
    }

    /// That of an answer after so many others.
    fn date(&self, nth: usize) -> Option<&HeaderValue> {
        self.dates.get(nth.checked_rem(self.dates.len())?)
    }
}

/// What no header can hold is not sent.
fn value(text: &[u8]) -> Option<HeaderValue> {
    HeaderValue::from_bytes(text).ok()
}

/// However wrong the dates of answers are, a right one after them tells the time.
async fn dated(headers: &Headers) {
    if headers.dates.is_empty() {
        return;
    }
    let mut headers = headers.clone();
    let today = now().seconds();
    let (year, month, day) = today.date();
    let right = format!("{day:02} {} {year:04} {} GMT", MONTHS[month as usize - 1], today.clock());
    headers.dates.extend(value(right.as_bytes()));
    let Asked(api, _) = answering(200, &headers, Vec::new());
    for _ in &headers.dates {
        assert!(api.version().await.is_err(), "nothing is no version");
        counts(&api);
    }
    let ahead = api.ahead(0);
    assert!(ahead.unsigned_abs() < NEAR_MS, "a clock that is right is taken for {ahead} ms ahead");
}

/// How far its clock is ahead is a time that can be counted with, and stays what it was said to be.
fn counts(api: &ApiServer) {
    let ahead = api.ahead(0);
    assert!(ahead.unsigned_abs() < FAR_MS, "{ahead} ms ahead");
    assert_eq!(api.ahead(ahead), ahead);
    let (about, at) = (About { ahead, ..About::default() }, now());
    assert_eq!(about.by_server(about.in_cluster(at)), at);
}

/// `body` cut at these places.
fn pieces(body: &[u8], at: impl Iterator<Item = usize>) -> Vec<Bytes> {
    let mut at: Vec<usize> = at.chain([0, body.len()]).collect();
    at.sort_unstable();
    at.windows(2).map(|pair| Bytes::copy_from_slice(&body[pair[0]..pair[1]])).collect()
}

/// An API server that has one answer to everything, and what it was asked.
struct Asked(ApiServer, Arc<Mutex<Vec<Uri>>>);

fn answering(status: u16, headers: &Headers, pieces: Vec<Bytes>) -> Asked {
    let asked: Arc<Mutex<Vec<Uri>>> = Arc::default();
    let (noted, headers) = (asked.clone(), headers.clone());
    let router = Router::new().fallback(move |uri: Uri| {
        let nth = {
            let mut noted = noted.lock().expect("nobody panics with it");
            noted.push(uri);
            noted.len() - 1
        };
        let (date, retry_after) = (headers.date(nth).cloned(), headers.retry_after.clone());
        let pieces = pieces.clone();
        async move {
            let body = Body::from_stream(stream::iter(pieces.into_iter().map(Ok::<_, Infallible>)));
            let mut answer = Response::builder().status(status).body(body).expect("an answer");
            for (name, value) in [(header::DATE, date), (header::RETRY_AFTER, retry_after)] {
                answer.headers_mut().extend(value.map(|value| (name, value)));
            }
            answer
        }
    });
    Asked(ApiServer::in_process_with_reviews(router), asked)
}

/// The same comes of an answer whatever pieces it comes in.
async fn same<T: PartialEq + std::fmt::Debug>(
    ways: [Vec<Bytes>; 3],
    ask: impl AsyncFn(Asked) -> T,
    status: u16,
    headers: &Headers,
) {
    let [whole, others @ ..] = ways;
    let whole = ask(answering(status, headers, whole)).await;
    for pieces in others {
        assert_eq!(ask(answering(status, headers, pieces)).await, whole);
    }
}

/// What a page has in it, and where the next one is asked for.
async fn list(Asked(api, asked): &Asked) -> String {
    let page = match api.list(&PODS, PAGE, "").await {
        Ok(page) => page,
        Err(error) => return format!("{error}: {error:?}"),
    };
    let mut told = format!("{} {}", page.resource_version, page.next);
    match page.items() {
        Ok(items) => {
            items.into_iter().for_each(|item| told.push_str(&format!("{:?}", translate::head(item))))
        }
        Err(error) => told.push_str(&error.to_string()),
    }
    if !page.next.is_empty() {
        assert!(api.list(&PODS, PAGE, &page.next).await.is_ok());
        let asked = asked.lock().expect("nobody panics with it");
        let query = asked.last().and_then(Uri::query).unwrap_or_default();
        assert_eq!(query.split_once("&continue=").map(|(_, next)| percent_decode(next)), Some(page.next));
    }
    told
}

/// Every event up to the first error, and that.
async fn watch(Asked(api, asked): &Asked) -> (Vec<WatchEvent>, Option<String>) {
    let version = "1&watch=0#/ \u{fc}";
    let events = api.watch(&PODS, version, Duration::from_secs(1)).await;
    let query = asked.lock().expect("nobody panics with it").last().and_then(Uri::query).map(str::to_owned);
    let sent = query.unwrap_or_default();
    assert_eq!(
        sent.split_once("&resourceVersion=").map(|(_, to)| percent_decode(to)),
        Some(version.to_owned())
    );
    let mut events = match events {
        Ok(events) => events,
        Err(error) => return (Vec::new(), Some(error.to_string())),
    };
    let mut came = Vec::new();
    loop {
        match events.next().await {
            Ok(Some(event)) => came.push(event),
            Ok(None) => return (came, None),
            Err(error) => return (came, Some(error.to_string())),
        }
    }
}

/// What broke off brought a beginning of what would have come, and no part of an event.
async fn half(body: &[u8], cuts: &[u8], status: u16, headers: &Headers) {
    let (whole, error) = watch(&answering(status, headers, vec![Bytes::copy_from_slice(body)])).await;
    let end = cuts.first().map_or(body.len(), |cut| body.len() * usize::from(*cut) / 256);
    let (begun, _) = watch(&answering(status, headers, vec![Bytes::copy_from_slice(&body[..end])])).await;
    assert!(whole.starts_with(&begun), "{begun:?} is no beginning of {whole:?}");
    let lines: Vec<&[u8]> = body[..end].split(|byte| *byte == b'\n').collect();
    assert!(begun.len() < lines.len().max(1), "an event came of a line that has not ended");
    for event in &begun {
        if let WatchEvent::Put(object) | WatchEvent::Deleted(object) = event {
            let json = object.json.as_bytes();
            assert!(lines.iter().any(|line| line.windows(json.len()).any(|part| part == json)));
        }
    }
    if status == 200 && !body.ends_with(b"\n") && error.is_none() {
        let last = body.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        assert!(last.is_ascii() && last.trim_ascii().is_empty(), "a watch that broke off has ended well");
    }
}

/// Who somebody is, and what they may see.
async fn reviews(api: &ApiServer) -> String {
    let token = SecretString::from("a-token-that-is-long-enough");
    let who = identify(api, &token).await.map_err(|error| error.to_string());
    if let Ok(person) = &who {
        assert!(!person.name.is_empty() && &*person.name != "system:anonymous");
    }
    let namespaces = async { ["a", "b"].map(Text::from).to_vec() };
    let rights = rights(api, &token, namespaces).await.map_err(|error| error.to_string());
    if let Ok(grant) = &rights {
        assert!(grant.is_plain());
    }
    format!("{who:?} {rights:?}")
}
