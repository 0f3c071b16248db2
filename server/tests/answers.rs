//! ① against an API server whose single answers are not what they should be: a page that is too late, a refusal that says
//! when to come again, events in the wrong order.

// A test that cannot go on should stop.
#![allow(clippy::expect_used)]

mod stage;
mod viewer;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use app::api::{Kind, KindState};
use axum::{
    Router,
    body::Body,
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use server::demo::{self, Demo, Gone};
use stage::Stage;
use tokio::{sync::watch, time::Instant};
use viewer::{Viewer, pod};

/// A cluster of so many pods.
fn cluster(pods: usize) -> Demo {
    let demo = demo::start(demo::Options { play: false, ..demo::Options::default() });
    (0..pods).for_each(|nth| _ = demo.put(pod(&format!("pod-{nth}"), &[])));
    demo
}

/// The demo, where each request for pods is first shown to `look`, which may answer it.
fn shown(demo: &Demo, look: impl Fn(&str) -> Option<Response> + Clone + Send + Sync + 'static) -> Router {
    demo.router().layer(axum::middleware::from_fn(move |request: Request, next: Next| {
        let target = request.uri().to_string();
        let answer = target.contains("/pods?").then(|| look(&target)).flatten();
        async move {
            match answer {
                Some(answer) => answer,
                None => next.run(request).await,
            }
        }
    }))
}

/// The demo, where so many pages that go on with a list come too late: what they go on with has been compacted. All in
/// one page is too much for it by then; how often that was refused.
fn expiring(demo: &Demo, times: &Arc<AtomicUsize>) -> (Router, Arc<AtomicUsize>) {
    let (faults, times, refused) = (demo.faults(), times.clone(), Arc::new(AtomicUsize::new(0)));
    let counted = refused.clone();
    let router = shown(demo, move |target| {
        let is_one = |left: usize| left.checked_sub(1);
        if target.contains("&continue=")
            && times.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_one).is_ok()
        {
            faults.forget_history("pods", Gone::Status);
        }
        let is_too_much = target.contains("limit=0") && times.load(Ordering::Relaxed) > 0;
        is_too_much.then(|| {
            counted.fetch_add(1, Ordering::Relaxed);
            StatusCode::GATEWAY_TIMEOUT.into_response()
        })
    });
    (router, refused)
}

#[tokio::test(start_paused = true)]
async fn a_list_that_expires_on_the_way_is_asked_for_in_one_page_and_is_shown_only_when_whole() {
    let demo = cluster(1234);
    let times = Arc::new(AtomicUsize::new(1));
    let (router, _) = expiring(&demo, &times);
    let mut stage = Stage::over(demo, router, &[], None).await;
    stage
        .until("all of it", |viewer| {
            let shown = viewer.cluster.pods.len();
            assert!(shown == 0 || shown == 1234, "{shown} of 1234 are shown");
            *viewer.state(Kind::Pod) == KindState::Live
        })
        .await;
    assert_eq!(stage.viewer.cluster.pods.len(), 1234);
    let continued = stage.asked("/pods?limit=500&continue=");
    assert_eq!(
        (stage.asked("/pods?limit=500") - continued, continued),
        (1, 1),
        "from the start, and too late"
    );
    assert_eq!(stage.asked("/pods?limit=0"), 1, "all at once");
    stage.until_live().await;
}

#[tokio::test(start_paused = true)]
async fn a_list_that_expires_each_time_keeps_the_last_one_marked_and_is_not_asked_for_in_a_loop() {
    let demo = cluster(1234);
    let times = Arc::new(AtomicUsize::new(0));
    let (router, refused) = expiring(&demo, &times);
    let mut stage = Stage::over(demo, router, &[], None).await;
    stage.until_live().await;
    let before = stage.asked("/pods?limit=500");
    times.store(usize::MAX, Ordering::Relaxed);
    let faults = stage.demo.faults();
    assert!(faults.remove_unseen("pods", "default", "pod-7"));
    faults.forget_history("pods", Gone::InStream);
    faults.cut_watches("pods");
    stage.until_stale(Kind::Pod).await;
    stage
        .pass(Duration::from_secs(60), |viewer| {
            assert_eq!(viewer.cluster.pods.len(), 1234, "what was known stays");
            assert!(matches!(viewer.state(Kind::Pod), KindState::Stale { .. }), "and is marked");
        })
        .await;
    let made = stage.asked("/pods?limit=500") - before;
    assert!((4..30).contains(&made), "{made} pages in a minute");
    let refused = refused.load(Ordering::Relaxed);
    assert!((2..15).contains(&refused), "{refused} times all at once");
    times.store(0, Ordering::Relaxed);
    stage
        .until("all of it", |viewer| {
            let shown = viewer.cluster.pods.len();
            assert!(shown == 1234 || shown == 1233, "{shown} are shown");
            *viewer.state(Kind::Pod) == KindState::Live
        })
        .await;
    assert_eq!(stage.viewer.cluster.pods.len(), 1233);
}

/// An API server that has too much to do for lists or watches of pods, and says so.
#[derive(Clone, Default)]
struct Busy {
    /// When to come again, while that is so.
    retry_after: Arc<Mutex<Option<HeaderValue>>>,
    /// When somebody came, and whether they were refused.
    came: Arc<Mutex<Vec<(Instant, bool)>>>,
}

impl Busy {
    /// The demo, where requests with this in them are refused. The pulse's are not, which come every two seconds.
    fn over(&self, demo: &Demo, refused: &'static str) -> Router {
        let busy = self.clone();
        shown(demo, move |target| {
            if target.ends_with("/pods?limit=1") {
                return None;
            }
            let retry_after = busy.retry_after.lock().expect("no panic").clone();
            let retry_after = retry_after.filter(|_| target.contains(refused));
            busy.came.lock().expect("no panic").push((Instant::now(), retry_after.is_some()));
            Some((StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, retry_after?)]).into_response())
        })
    }

    fn says(&self, retry_after: Option<&[u8]>) {
        let value = retry_after.map(|value| HeaderValue::from_bytes(value).expect("a header"));
        *self.retry_after.lock().expect("no panic") = value;
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_says_when_to_come_again_is_left_alone_until_then() {
    let said = Duration::from_secs(30);
    for refused in ["limit=500", "watch=1"] {
        let (demo, busy) = (cluster(2), Busy::default());
        let router = busy.over(&demo, refused);
        let mut stage = Stage::over(demo, router, &[], None).await;
        stage.until_live().await;
        busy.says(Some(b"30"));
        stage.demo.faults().cut_watches("pods");
        stage.until_stale(Kind::Pod).await;
        stage.pass(Duration::from_secs(100), |_| {}).await;
        busy.says(None);
        stage.demo.put(pod("meanwhile", &[]));
        let cleared = Instant::now();
        stage.until_live().await;
        assert!(cleared.elapsed() < said + Duration::from_secs(20), "{refused}: {:?}", cleared.elapsed());
        assert_eq!(stage.viewer.pods(), ["meanwhile", "pod-0", "pod-1"]);
        let came = busy.came.lock().expect("no panic").clone();
        let refusals: Vec<Instant> = came.iter().filter(|(_, is)| *is).map(|(at, _)| *at).collect();
        assert!((2..5).contains(&refusals.len()), "{refused}: {refusals:?}");
        for refusal in refusals {
            let since = came.iter().map(|(at, _)| at.saturating_duration_since(refusal));
            let soon: Vec<_> = since.filter(|since| !since.is_zero() && *since < said).collect();
            assert!(soon.is_empty(), "{refused}: asked again after {soon:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nonsense_about_when_to_come_again_costs_a_minute_at_most() {
    const AT_ONCE: u64 = 5;
    let said: [(&[u8], u64); 9] = [
        (b"", AT_ONCE),
        (b"soon", AT_ONCE),
        (b"-1", AT_ONCE),
        (b"0", AT_ONCE),
        (b"1.5", AT_ONCE),
        (b"\xff", AT_ONCE),
        // As it may be said, but no API server does.
        (b"Wed, 21 Oct 2026 07:28:00 GMT", AT_ONCE),
        (b"100000000000000000000", AT_ONCE),
        // The largest that is a number here.
        (b"18446744073709551615", 70),
    ];
    for (said, most) in said {
        let (demo, busy) = (cluster(1), Busy::default());
        let router = busy.over(&demo, "/pods?");
        let mut stage = Stage::over(demo, router, &[], None).await;
        stage.until_live().await;
        busy.says(Some(said));
        stage.demo.faults().cut_watches("pods");
        stage
            .until("the refusal", |viewer| {
                matches!(viewer.state(Kind::Pod), KindState::Stale { because, .. } if because.contains("429"))
            })
            .await;
        busy.says(None);
        let cleared = Instant::now();
        stage.until_live().await;
        let took = cleared.elapsed();
        assert!(took < Duration::from_secs(most), "after {:?} {took:?}", String::from_utf8_lossy(said));
    }
}

/// How the lines of pods' watches come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lines {
    AsWritten,
    /// Each pair the wrong way round.
    Swapped,
    Twice,
    /// Each pair by one version, as etcd deletes what has expired.
    Together,
    /// After each that what comes next is not remembered any more.
    Expiring,
}

/// What a watch says, and then no more, whose history the API server has forgotten meanwhile.
const EXPIRED: &[u8] = br#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version: 1 (2)","reason":"Expired","code":410}}
"#;

/// What two lines are about, at the moment of the second.
fn together(before: &[u8], line: &[u8]) -> Bytes {
    let read = |line: &[u8]| serde_json::from_slice::<serde_json::Value>(line).expect("an event");
    let mut event = read(before);
    event["object"]["metadata"]["resourceVersion"] =
        read(line)["object"]["metadata"]["resourceVersion"].take();
    Bytes::from(format!("{event}\n"))
}

/// The demo, which gives a line at a time, through something that gives them as `lines` says.
fn told(demo: &Demo, lines: &watch::Sender<Lines>) -> Router {
    let lines = lines.subscribe();
    demo.router().layer(axum::middleware::from_fn(move |request: Request, next: Next| {
        let lines = lines.clone();
        async move {
            let is_watch = request.uri().to_string().contains("/pods?watch=1");
            let answer = next.run(request).await;
            if !is_watch {
                return answer;
            }
            let mut held = None::<Bytes>;
            answer.map(|body| {
                Body::from_stream(body.into_data_stream().flat_map(move |line| {
                    let now = *lines.borrow();
                    let come = match (held.take(), line) {
                        (Some(before), Ok(line)) if now == Lines::Together => {
                            vec![Ok(together(&before, &line)), Ok(line)]
                        }
                        (Some(before), Ok(line)) => vec![Ok(line), Ok(before)],
                        (None, Ok(line)) if matches!(now, Lines::Swapped | Lines::Together) => {
                            held = Some(line);
                            Vec::new()
                        }
                        (None, Ok(line)) if now == Lines::Twice => vec![Ok(line.clone()), Ok(line)],
                        (None, Ok(line)) if now == Lines::Expiring => {
                            vec![Ok(line), Ok(Bytes::from_static(EXPIRED))]
                        }
                        (_, line) => vec![line],
                    };
                    stream::iter(come)
                }))
            })
        }
    }))
}

/// Somebody who is told of so many pods, and how their lines come.
async fn told_of(pods: usize, come: Lines) -> (watch::Sender<Lines>, Stage) {
    let (demo, lines) = (cluster(pods), watch::Sender::new(come));
    let router = told(&demo, &lines);
    let mut stage = Stage::over(demo, router, &[], None).await;
    stage.until_live().await;
    (lines, stage)
}

fn written(viewer: &Viewer, name: &str) -> Option<String> {
    viewer.pod(name)?.meta.labels.get("written").map(|written| written.to_string())
}

#[tokio::test(start_paused = true)]
async fn events_in_another_order_than_they_happened_are_not_believed() {
    let (lines, mut stage) = told_of(2, Lines::AsWritten).await;
    let lists = stage.asked("/pods?limit=500");
    // Of one pod, and of two: what was written last is told first.
    for (nth, first) in ["pod-0", "pod-1"].into_iter().enumerate() {
        let (began, before, last) = (Instant::now(), format!("before-{nth}"), format!("last-{nth}"));
        lines.send_replace(Lines::Swapped);
        stage.demo.put(pod(first, &[("written", &before)]));
        stage.demo.put(pod("pod-0", &[("written", &last)]));
        let goes_on = |viewer: &Viewer| assert_ne!(written(viewer, "pod-0"), Some("before-0".to_owned()));
        stage
            .until("the disorder to be said", |viewer| {
                goes_on(viewer);
                matches!(viewer.state(Kind::Pod), KindState::Stale { because, .. } if because.contains("the watch told of"))
            })
            .await;
        assert!(began.elapsed() < Duration::from_secs(1), "stale after {:?}", began.elapsed());
        lines.send_replace(Lines::AsWritten);
        stage
            .until("pods to be live", |viewer| {
                goes_on(viewer);
                *viewer.state(Kind::Pod) == KindState::Live
            })
            .await;
        assert!(began.elapsed() < Duration::from_secs(20), "live after {:?}", began.elapsed());
        assert_eq!(written(&stage.viewer, "pod-0"), Some(last));
        assert!(first == "pod-0" || written(&stage.viewer, first) == Some(before));
        assert_eq!(stage.asked("/pods?limit=500"), lists + nth + 1);
        // Until a watch has gone well.
        stage.pass(Duration::from_secs(60), |_| {}).await;
    }
}

#[tokio::test(start_paused = true)]
async fn nor_are_those_that_are_told_again() {
    let (lines, mut stage) = told_of(1, Lines::AsWritten).await;
    let lists = stage.asked("/pods?limit=500");
    stage.demo.put(pod("pod-0", &[("written", "last")]));
    stage.demo.put(pod("goes", &[]));
    stage.until("the pod", |viewer| viewer.pod("goes").is_some()).await;
    stage.demo.remove("pods", "default", "goes");
    stage.until("it to go", |viewer| viewer.pod("goes").is_none()).await;
    // It is deleted, and then it is there.
    lines.send_replace(Lines::Swapped);
    stage.demo.faults().cut_watches("pods");
    stage.until_stale(Kind::Pod).await;
    let is_gone = |viewer: &Viewer| assert_eq!(viewer.pods(), ["pod-0"]);
    stage.pass(Duration::from_secs(20), is_gone).await;
    lines.send_replace(Lines::AsWritten);
    stage.pass(Duration::from_secs(60), is_gone).await;
    stage.until_live().await;
    assert_ne!(stage.asked("/pods?limit=500"), lists, "what is so is listed");
}

#[tokio::test(start_paused = true)]
async fn history_that_is_gone_in_the_middle_of_a_watch_leads_to_a_new_list() {
    let (lines, mut stage) = told_of(1, Lines::AsWritten).await;
    let lists = stage.asked("/pods?limit=500");
    stage.demo.put(pod("before", &[]));
    stage.until("the pod that was told of well", |viewer| viewer.pods() == ["before", "pod-0"]).await;
    lines.send_replace(Lines::Expiring);
    let began = Instant::now();
    stage.demo.put(pod("last", &[]));
    // Who watches is not told of that.
    stage.until_stale(Kind::Pod).await;
    stage.demo.remove("pods", "default", "before");
    lines.send_replace(Lines::AsWritten);
    stage
        .until("pods to be live", |viewer| {
            let is_live = *viewer.state(Kind::Pod) == KindState::Live;
            assert!(!is_live || viewer.pods() == ["last", "pod-0"], "live, and {:?}", viewer.pods());
            is_live
        })
        .await;
    assert!(began.elapsed() < Duration::from_secs(5), "live after {:?}", began.elapsed());
    assert_eq!(stage.asked("/pods?limit=500"), lists + 1);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_comes_twice_is_told_once() {
    let (_lines, mut stage) = told_of(1, Lines::Twice).await;
    let is_live = |viewer: &Viewer| assert_eq!(*viewer.state(Kind::Pod), KindState::Live);
    let changes = stage.viewer.changes;
    stage.demo.put(pod("twice", &[("written", "first")]));
    stage.pass(Duration::from_secs(1), is_live).await;
    stage.demo.put(pod("twice", &[("written", "again")]));
    stage.pass(Duration::from_secs(1), is_live).await;
    assert_eq!(stage.viewer.pods(), ["pod-0", "twice"]);
    stage.demo.remove("pods", "default", "twice");
    stage.pass(Duration::from_secs(60), is_live).await;
    assert_eq!(stage.viewer.pods(), ["pod-0"]);
    assert_eq!(stage.viewer.changes, changes + 3, "one frame for each thing that happened");
    assert_eq!(stage.asked("/pods?limit=500"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_deleted_by_one_version_is_all_gone_and_nothing_is_out_of_order() {
    let (lines, mut stage) = told_of(4, Lines::AsWritten).await;
    lines.send_replace(Lines::Together);
    let is_live = |viewer: &Viewer| assert_eq!(*viewer.state(Kind::Pod), KindState::Live);
    for name in ["pod-0", "pod-2"] {
        stage.demo.remove("pods", "default", name);
    }
    stage.pass(Duration::from_secs(5), is_live).await;
    assert_eq!(stage.viewer.pods(), ["pod-1", "pod-3"]);
    assert_eq!(stage.asked("/pods?limit=500"), 1);
    // Two that were written by one version are something else.
    for name in ["pod-1", "pod-3"] {
        stage.demo.put(pod(name, &[("written", "again")]));
    }
    stage.until_stale(Kind::Pod).await;
}

/// The demo over a slow line: lines of pods' watches come one after the other, and what the pulse asks for is answered
/// between two of them.
fn slowly(demo: &Demo, is_slow: &watch::Sender<bool>) -> Router {
    const APART: Duration = Duration::from_millis(300);
    let is_slow = is_slow.subscribe();
    demo.router().layer(axum::middleware::from_fn(move |request: Request, next: Next| {
        let is_slow = is_slow.clone();
        async move {
            let target = request.uri().to_string();
            if target.ends_with("?limit=1") && *is_slow.borrow() {
                tokio::time::sleep(APART * 2).await;
            }
            let answer = next.run(request).await;
            if !target.contains("/pods?watch=1") {
                return answer;
            }
            answer.map(|body| {
                Body::from_stream(body.into_data_stream().then(move |line| {
                    let pause = if *is_slow.borrow() { APART } else { Duration::ZERO };
                    async move {
                        tokio::time::sleep(pause).await;
                        line
                    }
                }))
            })
        }
    }))
}

#[tokio::test(start_paused = true)]
async fn what_waits_to_be_sent_is_not_confirmed_by_an_answer_that_overtakes_it() {
    let demo = cluster(1);
    let is_slow = watch::Sender::new(false);
    let router = slowly(&demo, &is_slow);
    let mut stage = Stage::over(demo, router, &[], None).await;
    stage.until_live().await;
    // The answers that are under way now are of before.
    stage.pass(Duration::from_secs(5), |_| {}).await;
    is_slow.send_replace(true);
    let last = |number: u32| format!("burst-{number:02}");
    (0..40).for_each(|number| _ = stage.demo.put(pod(&last(number), &[])));
    let written = server::hub::now();
    let began = Instant::now();
    stage
        .until("all to be confirmed", |viewer| {
            let is_confirmed = viewer.as_of(Kind::Pod).is_some_and(|at| at > written);
            assert!(!is_confirmed || viewer.pod(&last(39)).is_some(), "{} pods", viewer.pods().len());
            is_confirmed
        })
        .await;
    assert!(began.elapsed() > Duration::from_secs(10), "it was slow: {:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(20), "and then is confirmed: {:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_cannot_be_read_any_more_is_not_confirmed_by_others_and_does_not_keep_them() {
    for status in [None, Some(StatusCode::INTERNAL_SERVER_ERROR)] {
        let demo = cluster(1);
        let is_down = watch::Sender::new(false);
        let down = is_down.subscribe();
        let layer = axum::middleware::from_fn(move |request: Request, next: Next| {
            // As where events have an etcd of their own, which does not answer, or is not there.
            let target = request.uri().to_string();
            let is_read = target.contains("/events?") && !target.contains("watch=1") && *down.borrow();
            async move {
                match status {
                    Some(status) if is_read => status.into_response(),
                    None if is_read => std::future::pending().await,
                    _ => next.run(request).await,
                }
            }
        });
        let router = demo.router().layer(layer);
        let mut stage = Stage::over(demo, router, &[], None).await;
        stage.until_live().await;
        let late =
            |viewer: &Viewer, kind: Kind| server::hub::now().0 - viewer.as_of(kind).map_or(0, |at| at.0);
        stage.until("events to be confirmed", |viewer| late(viewer, Kind::Event) < 3_000).await;
        is_down.send_replace(true);
        // Whenever it is its turn.
        stage.until("events to be doubted", |viewer| late(viewer, Kind::Event) > 6_000).await;
        stage
            .pass(Duration::from_secs(300), |viewer| {
                assert!(late(viewer, Kind::Pod) <= 5_000, "pods are {} ms old", late(viewer, Kind::Pod));
                assert!(late(viewer, Kind::Event) > 5_000, "nobody can know of events");
            })
            .await;
        is_down.send_replace(false);
        stage.until_live().await;
        stage.until("events to be confirmed", |viewer| late(viewer, Kind::Event) < 3_000).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_answers_too_late_costs_no_answer_of_the_others() {
    let demo = cluster(1);
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = reads.clone();
    let layer = axum::middleware::from_fn(move |request: Request, next: Next| {
        let target = request.uri().to_string();
        // Well when it is read again, so that it is read beside others again, and too late then.
        let is_late =
            target.ends_with("/events?limit=1") && counted.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        async move {
            if is_late {
                tokio::time::sleep(Duration::from_secs(3)).await;
            }
            next.run(request).await
        }
    });
    let router = demo.router().layer(layer);
    let mut stage = Stage::over(demo, router, &[], None).await;
    stage.until_live().await;
    stage.pass(Duration::from_secs(5), |_| {}).await;
    stage
        .pass(Duration::from_secs(600), |viewer| {
            let late = server::hub::now().0 - viewer.as_of(Kind::Pod).map_or(0, |at| at.0);
            // A pulse each two seconds that takes two at most, and none in vain: that would be half a second more.
            assert!(late <= 4_300, "pods are {late} ms old");
        })
        .await;
    // Twice in each of its turns, of which there are some twenty: how many are well changes whose turn is next.
    let reads = reads.load(Ordering::Relaxed);
    assert!(reads > 20, "read {reads} times");
}

#[tokio::test(start_paused = true)]
async fn a_first_list_that_is_refused_once_and_then_fails_says_that_it_fails() {
    let demo = cluster(1);
    let asked = Arc::new(AtomicUsize::new(0));
    let fails = watch::Sender::new(true);
    let (counted, failing) = (asked.clone(), fails.subscribe());
    let router = shown(&demo, move |target| {
        if target.contains("/namespaces/") {
            return None;
        }
        match counted.fetch_add(1, Ordering::Relaxed) {
            0 => Some(StatusCode::FORBIDDEN.into_response()),
            _ => failing.borrow().then(|| StatusCode::BAD_GATEWAY.into_response()),
        }
    });
    let mut stage = Stage::over(demo, router, &[], Some("default")).await;
    stage
        .until("the failure", |viewer| {
            assert!(!matches!(viewer.state(Kind::Pod), KindState::Forbidden { .. }), "refused once");
            matches!(viewer.state(Kind::Pod), KindState::Failing { because } if because.contains("502"))
        })
        .await;
    assert!(asked.load(Ordering::Relaxed) > 1);
    fails.send_replace(false);
    stage.until_live().await;
    assert_eq!(stage.asked("/namespaces/default/pods?limit=500"), 0, "nor is it one namespace for that");
}
