//! ① against an API server that misbehaves: whatever it does, the rows end up being what it holds, and
//! what is not known to be current is not called live. Time is tokio's and stands still but for waits,
//! so minutes of back-off take no time.

// A test that cannot go on should stop.
#![allow(clippy::expect_used)]

mod stage;
mod viewer;

use std::{
    sync::{Arc, Once},
    time::Duration,
};

use app::{
    api::{Kind, KindState, ObjectKey, Text, Timestamp},
    scope::Scope,
    wire::{About, Drawing, Frame},
};
use axum::{Router, body::Body, extract::Request, middleware::Next, response::Response};
use bytes::Bytes;
use futures::stream;
use server::{
    demo::{self, ALL, Demo, Fault, Gone, Malformed},
    hub::{Encoding, Hub, now},
    source::{Source, api_server::ApiServer},
};
use stage::Stage;
use tokio::{sync::watch, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;
use viewer::{Viewer, pod};

#[tokio::test(start_paused = true)]
async fn a_change_becomes_a_row_and_a_deletion_takes_it_away() {
    let mut stage = Stage::new(2).await;
    stage.until_live().await;
    assert_eq!(stage.viewer.pods(), ["pod-0", "pod-1"]);
    stage.demo.put(pod("new", &[]));
    stage.until("the new pod", |viewer| viewer.pod("new").is_some()).await;
    stage.demo.remove("pods", "default", "pod-0");
    stage.until("the deletion", |viewer| viewer.pods() == ["new", "pod-1"]).await;
    assert_eq!(stage.viewer.snapshots, 1, "one snapshot, then changes");
}

#[tokio::test(start_paused = true)]
async fn a_list_of_many_pages_is_shown_only_when_whole() {
    let mut stage = Stage::new(1234).await;
    stage
        .until("listing to be said", |viewer| {
            matches!(viewer.state(Kind::Pod), KindState::Listing { .. } | KindState::Live)
        })
        .await;
    stage.until_live().await;
    assert_eq!(stage.viewer.cluster.pods.len(), 1234);
}

/// What only lists of pods are asked for with.
const A_LIST: &str = "/pods?limit=500";

/// The demo, where something happens once a list of pods is made, which is told so long after that.
fn after_a_list(
    demo: &Demo,
    happens: impl Fn(&Demo) + Clone + Send + Sync + 'static,
    late: Duration,
) -> Router {
    let changed = demo.clone();
    let layer = axum::middleware::from_fn(move |request: Request, next: Next| {
        let is_list = request.uri().to_string().contains(A_LIST);
        let (changed, happens) = (changed.clone(), happens.clone());
        async move {
            let answer = next.run(request).await;
            if is_list {
                happens(&changed);
                tokio::time::sleep(late).await;
            }
            answer
        }
    });
    demo.router().layer(layer)
}

#[tokio::test(start_paused = true)]
async fn what_is_listed_slowly_and_changes_all_the_time_becomes_live_after_one_list() {
    let demo = demo::start(demo::Options { play: false, ..demo::Options::default() });
    let written = |nth: usize| pod(&format!("pod-{}", nth % 3), &[("written", &nth.to_string())]);
    (0..3).for_each(|nth| _ = demo.put(written(nth)));
    let router = after_a_list(&demo, |_| (), Duration::from_secs(3));
    let mut stage = Stage::over(demo.clone(), router, &[], None).await;
    stage.tasks.spawn(async move {
        let mut often = tokio::time::interval(Duration::from_millis(300));
        for nth in 3.. {
            often.tick().await;
            demo.put(written(nth));
        }
    });
    stage.until_live().await;
    let beats = stage.viewer.beats;
    stage.until("half a minute", |viewer| viewer.beats >= beats + 15).await;
    assert_eq!(stage.asked(A_LIST), 1);
}

#[tokio::test(start_paused = true)]
async fn history_that_is_gone_leads_to_a_new_list_in_which_deletions_are_found() {
    for form in [Gone::Status, Gone::InStream] {
        let mut stage = Stage::new(3).await;
        stage.until_live().await;
        let faults = stage.demo.faults();
        // The watch breaks, a pod goes unseen, and the versions from before are no longer known.
        assert!(faults.remove_unseen("pods", "default", "pod-1"));
        stage.demo.put(pod("late", &[]));
        faults.forget_history("pods", form);
        faults.cut_watches("pods");
        stage.until("what happened in the gap", |viewer| viewer.pods() == ["late", "pod-0", "pod-2"]).await;
        stage.until_live().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_is_not_there_again_while_it_is_told_again_after_a_watch_was_torn_off() {
    let mut stage = Stage::new(2).await;
    stage.until_live().await;
    let deployment = |name: &str, replicas: u32| {
        let spec = serde_json::json!({"replicas": replicas, "selector": {"matchLabels": {"app": name}}});
        let meta = serde_json::json!({"name": name, "namespace": "default"});
        serde_json::json!({"kind": "Deployment", "apiVersion": "apps/v1", "metadata": meta, "spec": spec, "status": {}})
    };
    // Each is the last of its kind that is still there when the others have gone.
    stage.demo.put(pod("pod-0", &[("written", "last")]));
    stage.demo.put(deployment("stays", 1));
    for replicas in 1..4 {
        stage.demo.put(deployment("goes", replicas));
        stage.demo.put(pod("goes", &[("written", &replicas.to_string())]));
    }
    stage.until("all that goes", |viewer| viewer.pod("goes").is_some()).await;
    stage.demo.remove("deployments", "default", "goes");
    stage.demo.remove("pods", "default", "goes");
    stage.until("it to be gone", |viewer| viewer.pod("goes").is_none()).await;
    let key = ObjectKey { kind: Kind::Deployment, namespace: "default".to_owned(), name: "goes".to_owned() };
    let picture = async |stage: &Stage| {
        let drawing = Drawing { key: key.clone(), between: None };
        stage.hub.picture(drawing).await.expect("the hub runs").expect("a picture")
    };
    stage.pass(Duration::from_secs(20), |_| {}).await;
    let before = picture(&stage).await;
    assert!(before.gone.is_some_and(|gone| now().0 - gone.0 > 15_000), "{before:?}");
    for resource in ["pods", "deployments"] {
        stage.demo.faults().cut_watches(resource);
    }
    let changes = stage.viewer.changes;
    stage.until_stale(Kind::Pod).await;
    let is_gone = |viewer: &Viewer| assert_eq!(viewer.pods(), ["pod-0", "pod-1"]);
    stage.pass(Duration::from_secs(20), is_gone).await;
    stage.until_live().await;
    assert!(stage.viewer.changes > changes && stage.asked(A_LIST) == 1, "the watch told it, and no list");
    assert_eq!(picture(&stage).await, before);
}

#[tokio::test(start_paused = true)]
async fn watches_that_end_at_once_with_nothing_are_failures_and_end_in_a_new_list() {
    let mut stage = Stage::new(2).await;
    stage.until_live().await;
    let faults = stage.demo.faults();
    faults.set("pods", Fault::EmptyWatches);
    faults.cut_watches("pods");
    assert!(faults.remove_unseen("pods", "default", "pod-0"));
    let before = stage.demo.request_log().len();
    stage.until_stale(Kind::Pod).await;
    stage.until("the relist", |viewer| viewer.pods() == ["pod-1"]).await;
    let made = stage.demo.request_log().len() - before;
    assert!(made < 200, "{made} requests: that is a hot loop");
    faults.clear_all();
    stage.until_live().await;
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_answers_410_to_everything_is_left_in_peace() {
    for fault in [Fault::AnswerLists(410), Fault::AnswerWatches(410)] {
        let mut stage = Stage::new(2).await;
        stage.until_live().await;
        let faults = stage.demo.faults();
        faults.set("pods", fault);
        faults.cut_watches("pods");
        stage.until_stale(Kind::Pod).await;
        let before = stage.asked(A_LIST);
        let beats = stage.viewer.beats;
        stage.until("a minute", |viewer| viewer.beats >= beats + 30).await;
        let after = stage.asked(A_LIST);
        assert!(after - before < 15, "{} lists in a minute", after - before);
        faults.clear_all();
        stage.until_live().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_api_server_makes_everything_stale_and_its_return_makes_it_live_again() {
    for code in [500, 503, 429, 401, 404] {
        let mut stage = Stage::new(2).await;
        stage.until_live().await;
        let faults = stage.demo.faults();
        faults.set(ALL, Fault::Answer(code));
        faults.cut_watches(ALL);
        for kind in Kind::ALL {
            stage.until_stale(*kind).await;
        }
        assert_eq!(stage.viewer.pods().len(), 2, "what was known stays, marked");
        stage.demo.put(pod("meanwhile", &[]));
        faults.clear_all();
        let cleared = Instant::now();
        stage.until_live().await;
        // Whoever is answered that what is asked for is wrong waits for as long as it would have, which is a quarter more
        // than 15 s at most.
        let within = if code >= 500 { 3 } else { 20 };
        assert!(cleared.elapsed() < Duration::from_secs(within), "{code}: {:?}", cleared.elapsed());
        assert_eq!(stage.viewer.pods(), ["meanwhile", "pod-0", "pod-1"]);
    }
}

/// The demo, behind a way that may be lost: what is asked meanwhile waits until there is one again, or is torn off.
fn over_a_way(demo: &Demo, lost: &watch::Receiver<bool>, waits: bool) -> Router {
    let lost = lost.clone();
    let layer = axum::middleware::from_fn(move |request: Request, next: Next| {
        let mut lost = lost.clone();
        async move {
            if waits {
                let _ = lost.wait_for(|lost| !lost).await; // its sender is the test's
            }
            let is_lost = *lost.borrow();
            if is_lost {
                let reset = std::io::Error::other("connection reset by peer");
                return Response::new(Body::from_stream(stream::iter([Err::<Bytes, _>(reset)])));
            }
            next.run(request).await
        }
    });
    demo.router().layer(layer)
}

#[tokio::test(start_paused = true)]
async fn after_an_outage_everything_is_live_again_within_some_two_seconds() {
    for waits in [true, false] {
        let demo = demo::start(demo::Options { play: false, ..demo::Options::default() });
        demo.put(pod("pod-0", &[]));
        let (lose, lost) = watch::channel(false);
        let router = over_a_way(&demo, &lost, waits);
        let mut stage = Stage::over(demo, router, &[], None).await;
        stage.until_live().await;
        lose.send_replace(true);
        stage.demo.faults().cut_watches(ALL);
        for kind in Kind::ALL {
            stage.until_stale(*kind).await;
        }
        // Until each waits for as long as it ever does.
        let never_live = |viewer: &Viewer| assert_ne!(*viewer.state(Kind::Pod), KindState::Live);
        stage.pass(Duration::from_secs(90), never_live).await;
        stage.demo.put(pod("meanwhile", &[]));
        lose.send_replace(false);
        let returned = Instant::now();
        stage.until_live().await;
        // The pulse is felt two seconds later at most, and all who wait go on within half a second of it. What comes of
        // that is told in a moment.
        assert!(returned.elapsed() < Duration::from_secs(3), "waits: {waits}, {:?}", returned.elapsed());
        assert_eq!(stage.viewer.pods(), ["meanwhile", "pod-0"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_list_that_hangs_is_given_up_and_tried_again() {
    let faults = |demo: &Demo| demo.faults().set("pods", Fault::StallLists);
    let mut stage = Stage::with(2, &[], None, faults).await;
    stage
        .until("the failure to be said", |viewer| {
            matches!(viewer.state(Kind::Pod), KindState::Failing { .. })
        })
        .await;
    assert_eq!(stage.viewer.cluster.pods.len(), 0);
    assert!(!stage.viewer.state(Kind::Pod).listed(), "nothing is not the same as none");
    stage.demo.faults().clear_all();
    stage.until_live().await;
    assert_eq!(stage.viewer.pods().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_hangs_is_given_up() {
    let mut stage = Stage::new(1).await;
    stage.until_live().await;
    let faults = stage.demo.faults();
    faults.set("pods", Fault::StallWatches);
    stage.demo.put(pod("unseen", &[]));
    stage.until_stale(Kind::Pod).await;
    faults.clear_all();
    stage.until("what came after", |viewer| viewer.pods() == ["pod-0", "unseen"]).await;
    stage.until_live().await;
}

#[tokio::test(start_paused = true)]
async fn one_object_that_cannot_be_read_is_skipped_and_counted() {
    for how in [Malformed::Containers, Malformed::Labels] {
        let faults = move |demo: &Demo| demo.faults().malform("pods", "default", "pod-1", how);
        let mut stage = Stage::with(3, &[], None, faults).await;
        stage.until_live().await;
        assert_eq!(stage.viewer.pods(), ["pod-0", "pod-2"]);
        assert!(stage.metrics.unreadable_so_far(Kind::Pod) >= 1);
        // It is mended, and seen when it next changes.
        stage.demo.faults().mend("pods", "default", "pod-1");
        stage.demo.put(pod("pod-1", &[("mended", "yes")]));
        stage.until("the mended pod", |viewer| viewer.pods().len() == 3).await;
        // It spoils again in a watch: what was known of it goes, since nobody knows what it is now.
        stage.demo.faults().malform("pods", "default", "pod-0", how);
        stage.demo.put(pod("pod-0", &[("spoiled", "yes")]));
        stage.demo.put(pod("after", &[]));
        stage.until("the next event", |viewer| viewer.pod("after").is_some()).await;
        assert_eq!(stage.viewer.pods(), ["after", "pod-1", "pod-2"]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_does_not_say_of_what_it_is_leaves_nothing_as_it_was() {
    let mut stage = Stage::new(2).await;
    stage.until_live().await;
    stage.demo.faults().malform("pods", "default", "pod-0", Malformed::NoMetadata);
    stage.until_stale(Kind::Pod).await;
    stage.until("a new list", |viewer| viewer.pod("pod-0").is_none()).await;
    stage.until_live().await;
    assert!(stage.viewer.pod("pod-1").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_forbidden_kind_costs_only_itself_and_comes_when_it_is_allowed() {
    let faults = |demo: &Demo| demo.faults().set("nodes", Fault::Answer(403));
    let mut stage = Stage::with(1, &[], None, faults).await;
    stage
        .until("pods live, nodes forbidden", |viewer| {
            *viewer.state(Kind::Pod) == KindState::Live
                && *viewer.state(Kind::Node)
                    == KindState::Forbidden {
                        verb: Text::from("list"),
                        resource: Text::from("nodes"),
                        namespace: Text::default(),
                    }
        })
        .await;
    let view = stage.hub.view().await.expect("the hub runs");
    assert!(
        server::source::ready(|kind| view.cluster.state(kind).clone()).is_ok(),
        "a refusal does not keep us unready"
    );
    stage.demo.faults().clear_all();
    stage.until_live().await;
}

#[tokio::test(start_paused = true)]
async fn rights_taken_away_are_said() {
    let mut stage = Stage::new(1).await;
    stage.until_live().await;
    let faults = stage.demo.faults();
    faults.set("pods", Fault::Answer(403));
    faults.cut_watches("pods");
    stage.until("forbidden", |viewer| matches!(viewer.state(Kind::Pod), KindState::Forbidden { .. })).await;
    assert!(stage.viewer.pods().is_empty(), "what may not be seen is not shown");
    faults.clear_all();
    stage.until_live().await;
    assert_eq!(stage.viewer.pods(), ["pod-0"]);
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_seen_any_more_in_one_namespace_does_not_stay_beside_the_others() {
    let elsewhere = |demo: &Demo| {
        demo.put(serde_json::json!({"kind": "Namespace", "metadata": {"name": "other"}}));
        let mut elsewhere = pod("elsewhere", &[]);
        elsewhere["metadata"]["namespace"] = "other".into();
        demo.put(elsewhere);
    };
    let mut stage = Stage::with(1, &["default", "other"], None, elsewhere).await;
    stage.until_live().await;
    assert_eq!(stage.viewer.cluster.pods.len(), 2);
    let faults = stage.demo.faults();
    faults.set("pods", Fault::NamespacesOnly(vec!["default".to_owned()]));
    faults.cut_watches("pods");
    stage
        .until("the others alone", |viewer| {
            viewer.pods() == ["pod-0"] && *viewer.state(Kind::Pod) == KindState::Live
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn rights_in_some_namespaces_are_used_where_they_are() {
    let faults = |demo: &Demo| {
        demo.put(serde_json::json!({"kind": "Namespace", "metadata": {"name": "other"}}));
        let mut elsewhere = pod("elsewhere", &[]);
        elsewhere["metadata"]["namespace"] = "other".into();
        demo.put(elsewhere);
        demo.faults().set(ALL, Fault::NamespacesOnly(vec!["default".to_owned()]));
    };
    let pods_live = |viewer: &Viewer| {
        *viewer.state(Kind::Pod) == KindState::Live
            && matches!(viewer.state(Kind::Node), KindState::Forbidden { .. })
    };
    // Named by --namespace.
    let mut stage = Stage::with(2, &["default"], None, faults).await;
    stage.until("pods of the namespace", pods_live).await;
    assert_eq!(stage.viewer.pods(), ["pod-0", "pod-1"]);
    // Found by falling back to the context's own.
    let mut stage = Stage::with(2, &[], Some("default"), faults).await;
    stage.until("pods of the namespace", pods_live).await;
    assert_eq!(stage.viewer.pods(), ["pod-0", "pod-1"]);
    // Two named, one of them refused.
    let mut stage = Stage::with(2, &["default", "other"], None, faults).await;
    stage.until("pods of the allowed namespace", pods_live).await;
    assert_eq!(stage.viewer.pods(), ["pod-0", "pod-1"]);
}

#[tokio::test(start_paused = true)]
async fn one_namespace_is_watched_until_all_may_be() {
    let everything = |demo: &Demo| {
        demo.put(serde_json::json!({"kind": "Namespace", "metadata": {"name": "other"}}));
        let mut elsewhere = pod("elsewhere", &[]);
        elsewhere["metadata"]["namespace"] = "other".into();
        demo.put(elsewhere);
    };
    let only = |demo: &Demo| demo.faults().set(ALL, Fault::NamespacesOnly(vec!["default".to_owned()]));
    let pods_live = |viewer: &Viewer| *viewer.state(Kind::Pod) == KindState::Live;
    let mut stage = Stage::with(1, &[], Some("default"), |demo| {
        everything(demo);
        only(demo);
    })
    .await;
    stage.until("pods of the namespace", pods_live).await;
    assert_eq!(stage.viewer.pods(), ["pod-0"]);
    let only_there = |viewer: &Viewer| {
        if *viewer.state(Kind::Pod) == KindState::Live {
            assert_eq!(viewer.pods(), ["pod-0"]);
        }
    };
    stage.pass(Duration::from_secs(200), only_there).await;
    stage.demo.faults().clear_all();
    let given = Instant::now();
    stage.until("all pods", |viewer| viewer.pods() == ["pod-0", "elsewhere"]).await;
    stage.until_live().await;
    assert!(given.elapsed() < Duration::from_secs(90), "{:?}", given.elapsed());
    stage
        .until(
            "no kind to be watched in one namespace",
            |viewer| matches!(&viewer.hello, Some(Frame::Hello { about, .. }) if about.namespaces.is_empty()),
        )
        .await;
    assert!(given.elapsed() < Duration::from_secs(90), "{:?}", given.elapsed());
    stage.demo.put(pod("later", &[]));
    stage.until("a pod more", |viewer| viewer.pods() == ["later", "pod-0", "elsewhere"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_passes_does_not_make_it_one_namespace() {
    let mut stage = Stage::with(1, &[], Some("default"), |demo| {
        let mut elsewhere = pod("elsewhere", &[]);
        elsewhere["metadata"]["namespace"] = "other".into();
        demo.put(elsewhere);
    })
    .await;
    stage.until_live().await;
    let faults = stage.demo.faults();
    faults.set(ALL, Fault::Answer(403));
    faults.cut_watches(ALL);
    stage.until("forbidden", |viewer| matches!(viewer.state(Kind::Pod), KindState::Forbidden { .. })).await;
    faults.clear_all();
    let returned = Instant::now();
    stage.until_live().await;
    assert!(returned.elapsed() < Duration::from_secs(25), "{:?}", returned.elapsed());
    assert_eq!(stage.viewer.pods(), ["pod-0", "elsewhere"]);
    assert_eq!(stage.asked("/namespaces/default/pods"), 0);
}

#[tokio::test(start_paused = true)]
async fn what_may_be_listed_and_not_watched_is_not_listed_in_a_loop() {
    for fallback in [None, Some("default")] {
        let refuse = |demo: &Demo| demo.faults().set("pods", Fault::AnswerWatches(403));
        let mut stage = Stage::with(1, &[], fallback, refuse).await;
        stage
            .pass(Duration::from_secs(300), |viewer| assert_ne!(*viewer.state(Kind::Pod), KindState::Live))
            .await;
        let lists = stage.asked(A_LIST);
        assert!((10..=20).contains(&lists), "{lists} lists in five minutes");
        assert_eq!(stage.asked("/namespaces/default/pods?limit=500") > 0, fallback.is_some());
        stage.demo.faults().clear_all();
        stage.until_live().await;
        stage.until("the pod", |viewer| viewer.pods() == ["pod-0"]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_refuses_all_it_is_asked_confirms_nothing() {
    let mut stage = Stage::new(1).await;
    stage.until_live().await;
    let faults = stage.demo.faults();
    // Watches that are open go on.
    faults.set(ALL, Fault::AnswerLists(403));
    let refused = Instant::now();
    stage.until_stale(Kind::Pod).await;
    assert!(refused.elapsed() < Duration::from_secs(10), "{:?}", refused.elapsed());
    stage
        .pass(Duration::from_secs(30), |viewer| {
            assert_ne!(*viewer.state(Kind::Pod), KindState::Live);
        })
        .await;
    faults.clear_all();
    let allowed = Instant::now();
    stage.until_live().await;
    assert!(allowed.elapsed() < Duration::from_secs(25), "{:?}", allowed.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_same_name_with_another_uid_is_another_pod() {
    let mut stage = Stage::new(1).await;
    stage.until_live().await;
    let before = stage.viewer.pod("pod-0").expect("it is there").meta.uid;
    let faults = stage.demo.faults();
    faults.remove_unseen("pods", "default", "pod-0");
    stage.demo.put(pod("pod-0", &[("second", "yes")]));
    stage
        .until("the second pod", |viewer| {
            viewer.pod("pod-0").is_some_and(|pod| pod.meta.labels.get("second").is_some())
        })
        .await;
    assert_eq!(stage.viewer.pods(), ["pod-0"]);
    assert_ne!(stage.viewer.pod("pod-0").expect("it is there").meta.uid, before);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_goes_backwards_ends_in_what_the_server_holds() {
    let mut stage = Stage::new(3).await;
    stage.until_live().await;
    let faults = stage.demo.faults();
    faults.remove_unseen("pods", "default", "pod-2");
    faults.rewind(1000);
    faults.cut_watches(ALL);
    stage.until("the restored state", |viewer| viewer.pods() == ["pod-0", "pod-1"]).await;
    stage.until_live().await;
}

#[tokio::test(start_paused = true)]
async fn a_list_of_nothing_is_believed_only_where_its_version_has_been() {
    let demo = demo::start(demo::Options { play: false, ..demo::Options::default() });
    demo.put(pod("of-the-backup", &[]));
    let backup = demo.faults().save();
    demo.remove("pods", "default", "of-the-backup");
    (0..50).for_each(|nth| _ = demo.put(pod("of-no-backup", &[("written", &nth.to_string())])));
    demo.remove("pods", "default", "of-no-backup");
    let is_restored = move |demo: &Demo| demo.faults().restore(&backup);
    let router = after_a_list(&demo, is_restored, Duration::from_millis(400));
    let mut stage = Stage::over(demo, router, &[], None).await;
    stage.until_live().await;
    assert_eq!(stage.viewer.pods(), ["of-the-backup"], "there is nothing in a history that has been lost");
}

#[tokio::test(start_paused = true)]
async fn a_list_of_nothing_is_listed_again_where_there_is_something_by_now() {
    let demo = demo::start(demo::Options { play: false, ..demo::Options::default() });
    let router = after_a_list(&demo, |_| (), Duration::from_millis(400));
    let mut stage = Stage::over(demo.clone(), router, &[], None).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    demo.put(pod("meanwhile", &[]));
    stage.until_live().await;
    stage.until("the new pod", |viewer| viewer.pods() == ["meanwhile"]).await;
    assert_eq!(stage.asked(A_LIST), 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_written_last_and_is_written_or_deleted_right_after_a_list_is_live_when_that_is_told() {
    for deletes in [false, true] {
        let demo = demo::start(demo::Options { play: false, ..demo::Options::default() });
        (0..2).for_each(|nth| _ = demo.put(pod(&format!("pod-{nth}"), &[])));
        let is_written = move |demo: &Demo| {
            match deletes {
                true => _ = demo.remove("pods", "default", "pod-1"),
                false => _ = demo.put(pod("pod-1", &[("written", "again")])),
            }
            // So that the API server's version is another kind's by the time that it is asked.
            demo.put(renewed_lease(1));
        };
        let router = after_a_list(&demo, is_written, Duration::ZERO);
        let mut stage = Stage::over(demo, router, &[], None).await;
        let began = Instant::now();
        stage.until("pods to be live", |viewer| *viewer.state(Kind::Pod) == KindState::Live).await;
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        let is_told = match deletes {
            true => stage.viewer.pods() == ["pod-0"],
            false => stage.viewer.pod("pod-1").is_some_and(|pod| pod.meta.labels.get("written").is_some()),
        };
        assert!(is_told, "live before that was told");
        stage
            .pass(Duration::from_secs(60), |viewer| assert!(*viewer.state(Kind::Pod) == KindState::Live))
            .await;
        assert_eq!(stage.asked(A_LIST), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn lists_of_nothing_where_there_is_something_are_not_believed_and_not_asked_for_in_a_loop() {
    let demo = demo::start(demo::Options { play: false, ..demo::Options::default() });
    demo.put(pod("there", &[]));
    // As by a proxy that keeps what it was once told.
    let layer = axum::middleware::from_fn(|mut request: Request, next: Next| {
        let target = request.uri().to_string();
        if target.contains(A_LIST) {
            *request.uri_mut() = format!("{target}&labelSelector=is%3Dnone").parse().expect("a target");
        }
        next.run(request)
    });
    let router = demo.router().layer(layer);
    let mut stage = Stage::over(demo, router, &[], None).await;
    stage
        .pass(Duration::from_secs(60), |viewer| {
            assert!(*viewer.state(Kind::Pod) != KindState::Live, "there are none, it says");
        })
        .await;
    let lists = stage.asked(A_LIST);
    assert!((3..12).contains(&lists), "{lists} lists in a minute");
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_another_one_right_after_a_list_is_not_believed() {
    let demo = demo::start(demo::Options { play: false, ..demo::Options::default() });
    (0..50)
        .for_each(|nth| _ = demo.put(pod("pod-0", &[("cluster", "first"), ("written", &nth.to_string())])));
    let once = Arc::new(Once::new());
    let becomes_another = move |demo: &Demo| {
        once.call_once(|| {
            demo.remove("pods", "default", "pod-0");
            demo.put(pod("pod-0", &[("cluster", "second")]));
            demo.faults().restart();
        });
    };
    let router = after_a_list(&demo, becomes_another, Duration::ZERO);
    let mut stage = Stage::over(demo, router, &[], None).await;
    let is_of = |viewer: &Viewer, cluster: &str| {
        viewer.pod("pod-0").and_then(|pod| pod.meta.labels.get("cluster")).is_some_and(|of| of == cluster)
    };
    stage
        .pass(Duration::from_secs(60), |viewer| {
            assert!(
                *viewer.state(Kind::Pod) != KindState::Live || is_of(viewer, "second"),
                "live, of the first"
            );
        })
        .await;
    assert!(is_of(&stage.viewer, "second"));
    stage.until_live().await;
}

#[tokio::test(start_paused = true)]
async fn only_lists_watches_and_the_version_are_ever_asked_for() {
    let mut stage = Stage::new(1).await;
    stage.until_live().await;
    stage.demo.faults().cut_watches(ALL);
    stage.demo.put(pod("more", &[]));
    stage.until("the change", |viewer| viewer.pod("more").is_some()).await;
    let log = stage.demo.request_log();
    assert!(log.len() > 14);
    for (method, path) in log {
        assert_eq!(method, "GET", "{path}");
        let path = path.split('?').next().expect("a path");
        let last = path.rsplit('/').next().expect("a segment");
        assert!(last == "version" || Kind::ALL.iter().any(|kind| kind.plural() == last), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_cluster_sends_heartbeats_only() {
    let mut stage = Stage::new(3).await;
    stage.until_live().await;
    let changes = stage.viewer.changes;
    let beats = stage.viewer.beats;
    stage.until("a minute of beats", |viewer| viewer.beats >= beats + 30).await;
    assert_eq!(stage.viewer.changes, changes);
}

#[tokio::test(start_paused = true)]
async fn an_hour_without_a_change_is_live_all_the_time_and_hardly_listed() {
    for namespaces in [&[][..], &["default", "other"]] {
        let mut stage = Stage::with(2, namespaces, None, |demo| {
            for nth in 0..3 {
                demo.put(event(nth));
            }
            // Of what was told last there is nothing.
            demo.remove("events", "default", "event-2");
        })
        .await;
        stage.until_live().await;
        stage.demo.remove("events", "default", "event-1");
        let (began, snapshots) = (Instant::now(), stage.viewer.snapshots);
        stage
            .pass(Duration::from_secs(3_700), |viewer| {
                for kind in Kind::ALL {
                    // Nothing is missing from a list that is made anew while the old one is shown.
                    let state = viewer.state(*kind);
                    assert_eq!(*state, KindState::Live, "{kind} after {:?}", began.elapsed());
                }
                let Some(Frame::Beat { now, as_of, .. }) = &viewer.beat else { return };
                let Some(oldest) = as_of.iter().min_by_key(|(_, at)| *at) else {
                    return assert!(began.elapsed() < Duration::from_secs(5), "none is confirmed");
                };
                assert!(now.0 - oldest.1.0 <= 5_000, "{oldest:?} at {now:?}, after {:?}", began.elapsed());
            })
            .await;
        assert_eq!(stage.viewer.snapshots, snapshots);
        // What there is nothing of is listed whenever a watch ends.
        let within = if namespaces.is_empty() { "v1" } else { "default" };
        for kind in ["pods", "events"] {
            let lists = stage.asked(&format!("/{within}/{kind}?limit=500"));
            assert!((1..=4).contains(&lists), "{lists} lists of {kind}");
        }
    }
}

fn event(nth: usize) -> serde_json::Value {
    serde_json::json!({
        "kind": "Event", "metadata": {"name": format!("event-{nth}"), "namespace": "default"},
        "involvedObject": {"kind": "Pod", "namespace": "default", "name": "pod-0"},
        "reason": "Pulled", "message": "pulled", "type": "Normal", "count": 1,
    })
}

/// A node that says every ten seconds that it lives.
fn renewed_lease(second: u32) -> serde_json::Value {
    serde_json::json!({
        "kind": "Lease", "metadata": {"name": "one", "namespace": "kube-node-lease"},
        "spec": {"holderIdentity": "one", "leaseDurationSeconds": 40, "renewTime": format!("2026-11-23T15:03:{second:02}.123456Z")},
    })
}

#[tokio::test(start_paused = true)]
async fn renewals_of_leases_reach_those_alone_who_ask_for_leases() {
    let mut stage = Stage::with(3, &[], None, |demo| _ = demo.put(renewed_lease(0))).await;
    let without = Scope {
        kinds: Kind::ALL.iter().copied().filter(|kind| *kind != Kind::Lease).collect(),
        ..Scope::all()
    };
    let seat = stage.hub.subscribe(without, Encoding::Binary).await.expect("a seat");
    let mut other = Viewer::default();
    stage.until_live().await;
    while !Kind::ALL.iter().all(|kind| *kind == Kind::Lease || *other.state(*kind) == KindState::Live) {
        other.take(&seat.next().await.expect("the hub runs").bytes().await);
    }
    let (changes, beats) = (other.changes, other.beats);
    for second in 1..30 {
        stage.demo.put(renewed_lease(second));
        stage
            .until("the renewal", |viewer| {
                let leases = viewer.cluster.leases.iter();
                leases.map(|lease| lease.renewed).eq([Some(Timestamp(1_795_446_180 + i64::from(second)))])
            })
            .await;
    }
    while other.beats < beats + 30 {
        other.take(&seat.next().await.expect("the hub runs").bytes().await);
    }
    assert_eq!(other.changes, changes);
}

#[tokio::test(start_paused = true)]
async fn leases_are_those_of_nodes_wherever_else_one_may_look() {
    let elsewhere = |demo: &Demo| {
        demo.put(renewed_lease(0));
        let mut lock = renewed_lease(0);
        lock["metadata"] = serde_json::json!({"name": "kube-scheduler", "namespace": "kube-system"});
        demo.put(lock);
    };
    // Where everything is watched, and where one other namespace is.
    for namespaces in [&[][..], &["default"]] {
        let mut stage = Stage::with(1, namespaces, None, elsewhere).await;
        stage.until_live().await;
        let view = stage.hub.view().await.expect("the hub runs");
        let names: Vec<_> = view.cluster.leases.iter().map(|lease| lease.meta.name.to_string()).collect();
        assert_eq!(names, ["one"]);
        assert_eq!(view.about.namespaces, namespaces);
    }
    // Rights in other namespaces only cost the leases, and nothing else.
    let refused = |demo: &Demo| {
        demo.put(renewed_lease(0));
        demo.faults().set(ALL, Fault::NamespacesOnly(vec!["default".to_owned()]));
    };
    let mut stage = Stage::with(1, &["default"], None, refused).await;
    let forbidden = KindState::Forbidden {
        verb: Text::from("list"),
        resource: Text::from("leases.coordination.k8s.io"),
        namespace: Text::from("kube-node-lease"),
    };
    stage
        .until("leases forbidden, Services live", |viewer| {
            *viewer.state(Kind::Lease) == forbidden && *viewer.state(Kind::Service) == KindState::Live
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_is_the_pod_that_it_says_it_is() {
    let slice = |demo: &Demo| {
        let uid = demo.get("pods", "default", "pod-0").expect("a pod")["metadata"]["uid"].clone();
        demo.put(serde_json::json!({
            "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": "web-1", "labels": {"kubernetes.io/service-name": "web"}},
            "endpoints": [{"addresses": ["10.0.0.1"], "targetRef": {"kind": "Pod", "namespace": "default", "name": "pod-0", "uid": uid}}],
        }));
    };
    let mut stage = Stage::with(2, &[], None, slice).await;
    stage.until_live().await;
    let uid = stage.viewer.pod("pod-0").expect("it is there").meta.uid;
    let slice = stage.viewer.cluster.endpoint_slices.iter().next().expect("a slice");
    assert_eq!(slice.service, "web");
    assert!(slice.endpoints[0].is_pod(uid), "behind the hub uids are small numbers, there and here");
}

#[tokio::test(start_paused = true)]
async fn a_viewer_who_does_not_read_loses_its_queue_for_one_fresh_snapshot() {
    let mut stage = Stage::new(3).await;
    stage.until_live().await;
    for round in 0..1000 {
        stage.demo.put(pod("busy", &[("round", &round.to_string())]));
        tokio::time::advance(Duration::from_millis(300)).await;
        tokio::task::yield_now().await;
    }
    stage.demo.put(pod("last", &[]));
    stage.until("the last change", |viewer| viewer.pod("last").is_some()).await;
    assert_eq!(stage.viewer.snapshots, 2, "what waited was dropped whole and replaced once");
    assert!(stage.viewer.changes < 300, "{} frames came all the same", stage.viewer.changes);
    let busy = stage.viewer.pod("busy").expect("it is there");
    assert_eq!(busy.meta.labels.get("round").map(ToString::to_string), Some("999".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn whatever_the_demo_plays_both_sides_agree() {
    // The viewer compares hashes at each beat.
    let demo = demo::start(demo::Options::default());
    let source = Source {
        api: ApiServer::in_process(demo.router()),
        namespaces: Vec::new(),
        fallback: None,
        about: About::default(),
        metrics: Arc::default(),
    };
    let (hub, owner) = Hub::new(About::default(), CancellationToken::new());
    let mut tasks = JoinSet::new();
    tasks.spawn(owner);
    tasks.spawn(source.run(hub.clone()));
    let seat = hub.subscribe(Scope::all(), Encoding::Binary).await.expect("a seat");
    let mut viewer = Viewer::default();
    while viewer.beats < 300 {
        viewer.take(&seat.next().await.expect("the hub runs").bytes().await);
    }
    assert!(viewer.changes > 50, "{} frames of changes in ten minutes", viewer.changes);
    let names = |pods: Vec<serde_json::Value>| {
        let mut names: Vec<String> =
            pods.iter().map(|pod| pod["metadata"]["name"].as_str().expect("a name").to_owned()).collect();
        names.sort();
        names
    };
    let mut seen = viewer.pods();
    seen.sort();
    assert_eq!(seen, names(demo.list("pods", "")));
}
