//! What an API server answers, in whatever pieces it comes: lists, watches, its version and reviews.
//!
//! The first byte is what was asked, the second the answer's status, the third how many pieces it comes in; then as many
//! bytes that say where it is cut, and the answer.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use app::{
    api::{Kind, Text},
    query::percent_decode,
};
use axum::{
    Router,
    body::Body,
    http::{Response, Uri},
};
use bytes::Bytes;
use futures::stream;
use secrecy::SecretString;
use server::{
    audience::door::kubernetes::rights::{identify, rights},
    source::{
        api_server::{ApiServer, Collection, PAGE, WatchEvent},
        translate,
    },
};

/// Pods of all namespaces.
const PODS: Collection = Collection { kind: Kind::Pod, within: None };

/// See the module.
pub fn check(data: &[u8]) {
    let Some((head, rest)) = data.split_at_checked(3) else { return };
    let Some((cuts, body)) = rest.split_at_checked(usize::from(head[2] % 8)) else { return };
    let status = [200, 401, 403, 404, 410, 429, 500, 503][usize::from(head[1] % 8)];
    // not all at once, by these cuts, and a byte at a time
    let cut = pieces(body, cuts.iter().map(|cut| body.len() * usize::from(*cut) / 256));
    let ways = [vec![Bytes::copy_from_slice(body)], cut, pieces(body, 0..body.len().min(2_000))];
    super::with_time(async {
        match head[0].wrapping_sub(b'a') % 4 {
            0 => same(ways, async |api| list(&api).await, status).await,
            1 => {
                same(ways.clone(), async |api| watch(&api).await, status).await;
                half(body, cuts, status).await;
            }
            2 => same(ways, async |api| format!("{:?}", api.0.version().await), status).await,
            _ => same(ways, async |api| reviews(&api.0).await, status).await,
        }
    });
}

/// `body` cut at these places.
fn pieces(body: &[u8], at: impl Iterator<Item = usize>) -> Vec<Bytes> {
    let mut at: Vec<usize> = at.chain([0, body.len()]).collect();
    at.sort_unstable();
    at.windows(2).map(|pair| Bytes::copy_from_slice(&body[pair[0]..pair[1]])).collect()
}

/// An API server that has one answer to everything, and what it was asked.
struct Asked(ApiServer, Arc<Mutex<Vec<Uri>>>);

fn answering(status: u16, pieces: Vec<Bytes>) -> Asked {
    let asked: Arc<Mutex<Vec<Uri>>> = Arc::default();
    let noted = asked.clone();
    let router = Router::new().fallback(move |uri: Uri| {
        noted.lock().expect("nobody panics with it").push(uri);
        let pieces = pieces.clone();
        async move {
            let body = Body::from_stream(stream::iter(pieces.into_iter().map(Ok::<_, Infallible>)));
            Response::builder().status(status).header("retry-after", "7").body(body).expect("an answer")
        }
    });
    Asked(ApiServer::in_process_with_reviews(router), asked)
}

/// The same comes of an answer whatever pieces it comes in.
async fn same<T: PartialEq + std::fmt::Debug>(
    ways: [Vec<Bytes>; 3],
    ask: impl AsyncFn(Asked) -> T,
    status: u16,
) {
    let [whole, others @ ..] = ways;
    let whole = ask(answering(status, whole)).await;
    for pieces in others {
        assert_eq!(ask(answering(status, pieces)).await, whole);
    }
}

/// What a page has in it, and where the next one is asked for.
async fn list(Asked(api, asked): &Asked) -> String {
    let page = match api.list(&PODS, PAGE, "").await {
        Ok(page) => page,
        Err(error) => return error.to_string(),
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
async fn half(body: &[u8], cuts: &[u8], status: u16) {
    let (whole, error) = watch(&answering(status, vec![Bytes::copy_from_slice(body)])).await;
    let end = cuts.first().map_or(body.len(), |cut| body.len() * usize::from(*cut) / 256);
    let (begun, _) = watch(&answering(status, vec![Bytes::copy_from_slice(&body[..end])])).await;
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
