//! A script that reads the stream of changes (`/api/v1/watch`), and opens another whenever it is lost. It has a clock of
//! the world's, and nothing but names to tell one object from another. Of what changed at once it is told one thing after
//! the other, so that it takes what it has for a whole at a beat.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use app::api::{Kind, KindState, Millis};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use server::hub::now;
use tokio::{io::DuplexStream, task::JoinSet};

use super::{
    page::Connect,
    truth::{self, Eye, KINDS, Rows},
};

/// Beats come every two seconds: whoever hears nothing for so long asks anew.
const SILENCE: Duration = Duration::from_secs(8);
/// How old what a script takes for current is, in milliseconds.
const FRESH: i64 = 5_000;

/// What one script has been told.
#[derive(Clone)]
pub struct Reader {
    /// What of the cluster it sees.
    pub eye: Eye,
    told: Arc<Mutex<Told>>,
}

type Told = BTreeMap<Kind, OfKind>;

#[derive(Clone, Debug, Default)]
struct OfKind {
    state: KindState,
    as_of: Option<Millis>,
    rows: Rows,
    /// The stream is over.
    is_lost: bool,
}

impl Reader {
    /// A script, and its life.
    pub fn new(connect: Connect, eye: Eye) -> (Reader, impl Future<Output = ()> + Send) {
        let reader = Reader { eye, told: Arc::default() };
        (reader.clone(), reader.live(connect))
    }

    /// As of when its rows of a kind are known, and whether it takes them for what there is now.
    pub fn claims(&self, kind: Kind) -> (Option<Millis>, bool) {
        let told = self.told.lock().expect("no panic");
        let Some(OfKind { state, as_of, is_lost, .. }) = told.get(&kind) else { return (None, false) };
        match state {
            KindState::Live => (*as_of, !is_lost && as_of.is_some_and(|as_of| now().0 - as_of.0 <= FRESH)),
            KindState::Stale { since, .. } => (Some(as_of.map_or(*since, |as_of| as_of.min(*since))), false),
            _ => (Some(Millis(0)), false),
        }
    }

    /// Its rows of a kind.
    pub fn rows(&self, kind: Kind) -> Rows {
        self.told.lock().expect("no panic").get(&kind).map(|of| of.rows.clone()).unwrap_or_default()
    }

    async fn live(self, connect: Connect) {
        loop {
            if let Some(cable) = connect() {
                self.read(cable).await;
            }
            self.told.lock().expect("no panic").values_mut().for_each(|of| of.is_lost = true);
            tokio::time::sleep(Duration::from_millis(fastrand::u64(500..3_000))).await;
        }
    }

    /// One stream, until it ends or is none.
    async fn read(&self, cable: DuplexStream) -> Option<()> {
        let (mut asks, connection) = http1::handshake(TokioIo::new(cable)).await.ok()?;
        let mut driving = JoinSet::new();
        driving.spawn(connection);
        let kinds: Vec<_> = KINDS.iter().map(|kind| kind.plural()).collect();
        let request = Request::get(format!("/api/v1/watch?kinds={}{}", kinds.join(","), self.eye.query()))
            .header(header::HOST, "masthead.test")
            .body(Empty::<Bytes>::new())
            .expect("a request");
        let answer = tokio::time::timeout(SILENCE, asks.send_request(request)).await.ok()?.ok()?;
        if answer.status() != StatusCode::OK {
            return None;
        }
        let (mut body, mut unread, mut told) = (answer.into_body(), Vec::new(), Told::new());
        loop {
            let frame = tokio::time::timeout(SILENCE, body.frame()).await.ok()??.ok()?;
            unread.extend(frame.into_data().ok()?);
            while let Some(end) = unread.windows(2).position(|bytes| bytes == b"\n\n") {
                let event: Vec<u8> = unread.drain(..end + 2).collect();
                if read(&mut told, std::str::from_utf8(&event).ok()?)? == Whole::Yes {
                    self.told.lock().expect("no panic").clone_from(&told);
                }
            }
        }
    }
}

#[derive(PartialEq, Eq)]
enum Whole {
    Yes,
    No,
}

/// One event: whether all is told that there was. Nothing if it cannot be read.
fn read(told: &mut Told, event: &str) -> Option<Whole> {
    let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
    let data: Value = serde_json::from_str(field("data: ")?).ok()?;
    let kind_of = |value: &Value| Kind::parse(value["kind"].as_str()?);
    match field("event: ")? {
        "snapshot" => {
            told.clear();
            for of in data["kinds"].as_array()? {
                let rows = of["items"].as_array()?.iter().map(truth::printed).collect();
                let state = serde_json::from_value(of["state"].clone()).ok()?;
                told.insert(kind_of(of)?, OfKind { state, rows, ..OfKind::default() });
            }
        }
        "state" => {
            told.get_mut(&kind_of(&data)?)?.state = serde_json::from_value(data["state"].clone()).ok()?
        }
        "change" => {
            let rows = &mut told.get_mut(&kind_of(&data)?)?.rows;
            if data["type"] == "put" {
                rows.extend([truth::printed(&data["object"])]);
            } else {
                let name = |of: &str| data[of].as_str().unwrap_or_default().to_owned();
                rows.remove(&(name("namespace"), name("name")));
            }
        }
        "beat" => {
            for (kind, of) in told.iter_mut() {
                let at = data["asOf"][kind.plural()].as_str();
                let at = at.and_then(|at| chrono::DateTime::parse_from_rfc3339(at).ok());
                of.as_of = at.map(|at| Millis(at.timestamp_millis()));
            }
            return Some(Whole::Yes);
        }
        _ => return None,
    }
    Some(Whole::No)
}
