//! WATCH: a stream which reads the log at the client's pace, so nothing is queued for anybody
//! (apiserver `endpoints/handlers/watch.go`, `storage/cacher/cache_watcher.go`).

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::api::{ApiServer, Read};
use super::faults::{Fault, Gone};
use super::form::{Form, metadata_only};
use super::object::Object;
use super::status::{Refusal, json_response};
use super::store::{Change, Cursor, TooOld};
use super::table;

/// "Approximately every minute", but of Events, which no cache is kept of (kubeapiserver's
/// `default_storage_factory_builder.go`; apiserver `storage/cacher/cacher.go`).
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);
/// The last one comes so long before the end of the watch (apiserver `storage/cacher/cache_watcher.go`).
const BOOKMARK_BEFORE_END: Duration = Duration::from_secs(2);
/// `--min-request-timeout`, when the client names no `timeoutSeconds`.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1800);

pub(super) async fn answer(server: &ApiServer, read: Read) -> Result<Response, Refusal> {
    let initial = read.flag("sendInitialEvents");
    validate(server, &read)?;
    if server.faults.has(read.resource, &Fault::EmptyWatches) {
        return Ok(json_response(StatusCode::OK, Body::empty()));
    }
    let from = read.number("resourceVersion")?.unwrap_or(0);
    let mut queue = VecDeque::new();
    let form = read.form.including(read.parameter("includeObject"));
    let ends = Instant::now() + timeout(&read)?;
    let mut watch = Watch {
        cut: server.faults.cut(read.resource),
        changes: server.store.changes(),
        bookmarks: read.flag("allowWatchBookmarks") && read.resource.plural != "events",
        cursor: None,
        reached: from,
        next_bookmark: next_bookmark(ends),
        ends,
        ended: false,
        columns_sent: false,
        queue: VecDeque::new(),
        form,
        server: server.clone(),
        read,
    };
    if from == 0 || initial {
        let (objects, version) = server.store.list_at(watch.read.resource, None);
        let selected = objects.iter().filter(|object| watch.read.selection.matches(object));
        let selected: Vec<Arc<Object>> = selected.cloned().collect();
        for object in selected {
            queue.push_back(watch.event("ADDED", &object, object.version));
        }
        watch.queue = queue;
        watch.reached = version;
        if initial && watch.bookmarks {
            let bookmark = watch.bookmark(true);
            watch.queue.push_back(bookmark);
        }
    }
    match server.store.cursor(watch.read.resource, watch.reached) {
        Ok(cursor) => watch.cursor = Some(cursor),
        Err(too_old) => match server.faults.gone_form(watch.read.resource) {
            Gone::Status => return Err(Refusal::too_old(too_old.asked, too_old.oldest)),
            Gone::InStream => watch.fail(too_old),
        },
    }
    let slow = server.faults.slow(watch.read.resource);
    let stream = stream::unfold(watch, |mut watch| async move {
        let bytes = watch.next().await?;
        Some((Ok::<Bytes, Infallible>(bytes), watch))
    });
    let body = match slow {
        None => Body::from_stream(stream),
        Some((bytes, pause)) => Body::from_stream(slowed(stream, bytes, pause)),
    };
    Ok(json_response(StatusCode::OK, body))
}

fn validate(server: &ApiServer, read: &Read) -> Result<(), Refusal> {
    let invalid = |message: &str| {
        let message = format!("ListOptions.meta.k8s.io \"\" is invalid: {message}");
        Err(Refusal::new(422, "Invalid", message))
    };
    let matching = read.parameter("resourceVersionMatch");
    if read.parameter("sendInitialEvents").is_empty() {
        return match matching {
            "" => Ok(()),
            _ => invalid(
                "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
            ),
        };
    }
    if server.faults.has(read.resource, &Fault::NoStreamingLists) {
        return invalid(
            "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled",
        );
    }
    if matching != "NotOlderThan" {
        return invalid(
            "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        );
    }
    Ok(())
}

fn timeout(read: &Read) -> Result<Duration, Refusal> {
    let seconds = read.number("timeoutSeconds")?.filter(|seconds| *seconds > 0);
    Ok(seconds.map_or(DEFAULT_TIMEOUT, Duration::from_secs))
}

/// A minute from now, or shortly before the end, if that is sooner and still to come.
fn next_bookmark(ends: Instant) -> Instant {
    let (now, regular, last) = (Instant::now(), Instant::now() + BOOKMARK_EVERY, ends - BOOKMARK_BEFORE_END);
    if last > now { last.min(regular) } else { regular }
}

struct Watch {
    server: ApiServer,
    read: Read,
    form: Form,
    cut: u64,
    changes: tokio::sync::watch::Receiver<u64>,
    bookmarks: bool,
    cursor: Option<Cursor>,
    /// Every change up to this version has been queued.
    reached: u64,
    next_bookmark: Instant,
    ends: Instant,
    ended: bool,
    columns_sent: bool,
    queue: VecDeque<Bytes>,
}

impl Watch {
    /// The next line, or `None` at the end of the watch.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.server.stopped.is_cancelled() || self.server.faults.cut(self.read.resource) != self.cut {
                return None;
            }
            let stalled = self.server.faults.has(self.read.resource, &Fault::StallWatches);
            if !stalled {
                self.changes.borrow_and_update();
                if self.queue.is_empty() {
                    self.fill();
                }
                if let Some(line) = self.queue.pop_front() {
                    return Some(line);
                }
                if self.ended {
                    return None;
                }
            }
            tokio::select! {
                () = self.server.stopped.cancelled() => return None,
                changed = self.changes.changed() => changed.ok()?,
                () = sleep_until(self.ends), if !stalled => self.end(),
                () = sleep_until(self.next_bookmark), if self.bookmarks && !stalled => {
                    self.next_bookmark = next_bookmark(self.ends);
                    let bookmark = self.bookmark(false);
                    self.queue.push_back(bookmark);
                }
            }
        }
    }

    fn fill(&mut self) {
        let Some(cursor) = &mut self.cursor else {
            return;
        };
        match self.server.store.read(self.read.resource, cursor) {
            Ok((changes, reached)) => {
                for change in changes {
                    if let Some((kind, object)) = self.relative(&change) {
                        let line = self.event(kind, &object, change.version);
                        self.queue.push_back(line);
                    }
                }
                self.reached = self.reached.max(reached);
            }
            Err(too_old) => self.fail(too_old),
        }
    }

    /// What a change means for this selection: to enter it is ADDED, to leave it is DELETED with
    /// the previous content (`convertToWatchEvent`).
    fn relative(&self, change: &Change) -> Option<(&'static str, Arc<Object>)> {
        let selection = &self.read.selection;
        let before = change.before.as_ref().filter(|before| selection.matches(before));
        let after = Some(&change.after).filter(|after| !change.deleted && selection.matches(after));
        match (before, after) {
            (None, Some(after)) => Some(("ADDED", Arc::clone(after))),
            (Some(_), Some(after)) => Some(("MODIFIED", Arc::clone(after))),
            (Some(_), None) if change.deleted => Some(("DELETED", Arc::clone(&change.after))),
            (Some(before), None) => Some(("DELETED", Arc::clone(before))),
            (None, None) => None,
        }
    }

    fn event(&mut self, kind: &str, object: &Object, version: u64) -> Bytes {
        let malformed = self.server.faults.malformed(self.read.resource, object);
        if self.form == Form::Object && malformed.is_none() && object.version == version {
            let parts = [b"{\"type\":\"", kind.as_bytes(), b"\",\"object\":", &object.json, b"}\n"];
            return Bytes::from(parts.concat());
        }
        let mut value = malformed.unwrap_or_else(|| object.value());
        if value["metadata"].is_object() {
            value["metadata"]["resourceVersion"] = json!(version.to_string());
        }
        let value = match self.form {
            Form::Object => value,
            Form::Metadata => metadata_only(&value),
            Form::Table { include } => {
                let rows = vec![table::row(self.read.resource, &value, include, self.server.clock.now_ms())];
                let columns = !std::mem::replace(&mut self.columns_sent, true);
                table::whole(self.read.resource, rows, &version.to_string(), columns)
            }
        };
        line(kind, &value)
    }

    fn bookmark(&mut self, initial_end: bool) -> Bytes {
        let mut metadata = json!({"resourceVersion": self.reached.to_string(), "creationTimestamp": null});
        if initial_end {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let resource = self.read.resource;
        let object =
            json!({"kind": resource.kind, "apiVersion": resource.api_version(), "metadata": metadata});
        let object = match self.form {
            Form::Table { .. } => {
                let rows = vec![json!({"cells": [], "object": metadata_only(&object)})];
                table::whole(resource, rows, &self.reached.to_string(), false)
            }
            Form::Metadata => metadata_only(&object),
            Form::Object => object,
        };
        line("BOOKMARK", &object)
    }

    fn fail(&mut self, too_old: TooOld) {
        let refusal = Refusal::too_old(too_old.asked, too_old.oldest);
        self.queue.push_back(line("ERROR", &refusal.status()));
        self.cursor = None;
        self.ended = true;
    }

    fn end(&mut self) {
        self.fill();
        self.cursor = None;
        self.ended = true;
    }
}

fn line(kind: &str, object: &Value) -> Bytes {
    Bytes::from(format!("{{\"type\":\"{kind}\",\"object\":{object}}}\n"))
}

/// One body in chunks, with pauses.
pub(super) fn trickle(body: Bytes, bytes: usize, pause: Duration, stopped: CancellationToken) -> Body {
    Body::from_stream(stream::unfold(body, move |mut left| {
        let stopped = stopped.clone();
        async move {
            if left.is_empty() || stopped.is_cancelled() {
                return None;
            }
            let chunk = left.split_to(bytes.min(left.len()));
            sleep(pause).await;
            Some((Ok::<Bytes, Infallible>(chunk), left))
        }
    }))
}

fn slowed<S>(lines: S, bytes: usize, pause: Duration) -> impl stream::Stream<Item = Result<Bytes, Infallible>>
where
    S: stream::Stream<Item = Result<Bytes, Infallible>> + Send + 'static,
{
    use futures::StreamExt;
    stream::unfold((Box::pin(lines), Bytes::new()), move |(mut lines, mut left)| async move {
        if left.is_empty() {
            left = lines.next().await?.unwrap_or_default();
        }
        let chunk = left.split_to(bytes.min(left.len()));
        sleep(pause).await;
        Some((Ok(chunk), (lines, left)))
    })
}
