//! What is said of probes, held against what a kubelet did.

// A test that cannot go on should stop.
#![allow(clippy::expect_used, clippy::panic)]

mod kubelet;

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::Arc,
};

use app::{
    api::{
        Container, Event, Namespace, Pod, Timestamp,
        container::{
            Cause, Phase, Restarts,
            lane::{self, Doing, Known, Lane, Run, Why},
        },
        probe::ProbeKind::{self, Liveness, Readiness},
    },
    model::Delta,
    wire::About,
};
use kubelet::{Told, Trace, Truth, claims, listed_order};
use serde_json::{Value, json};
use server::{
    hub::{self, Hub, News},
    source::translate::{self, Translate},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A time: so many seconds after some midnight.
fn at(second: i64) -> Timestamp {
    Timestamp(1_700_006_400 + second)
}

/// A hub that is told what the API server says.
struct Stage {
    hub: Hub,
    told: std::cell::Cell<u32>,
    _owner: JoinHandle<()>,
}

impl Stage {
    fn new() -> Stage {
        let (hub, owner) = Hub::new(About::default(), CancellationToken::new());
        Stage { hub, told: std::cell::Cell::new(0), _owner: tokio::spawn(owner) }
    }

    async fn put<T: Translate>(&self, object: &Value) {
        let row: T = translate::row(&object.to_string()).unwrap_or_else(|error| panic!("{error}"));
        let change = T::change(Delta::Put(Arc::new(row)));
        self.hub.tell(News::Change { change, within: None }).await.expect("a hub");
    }

    /// The rows once the hub knows all that it was told so far.
    async fn containers(&self) -> Vec<Arc<Container>> {
        let count = self.told.get() + 1;
        self.told.set(count);
        self.put::<Namespace>(&json!({"metadata": {"name": format!("told-{count}"), "uid": "told"}})).await;
        loop {
            let view = self.hub.view().await.expect("a hub");
            if view.cluster.namespaces.named("", &format!("told-{count}")).is_some() {
                return view.cluster.containers.iter().cloned().collect();
            }
            tokio::task::yield_now().await;
        }
    }

    async fn told(&self, told: &Told) {
        match (told.object["kind"] == "Pod", told.gone) {
            (true, false) => self.put::<Pod>(&told.object).await,
            (true, true) => self.gone::<Pod>(&told.object).await,
            (false, false) => self.put::<Event>(&told.object).await,
            (false, true) => self.gone::<Event>(&told.object).await,
        }
    }

    async fn gone<T: Translate>(&self, object: &Value) {
        let row: T = translate::row(&object.to_string()).unwrap_or_else(|error| panic!("{error}"));
        let change = T::change(Delta::Gone(row.meta().uid));
        self.hub.tell(News::Change { change, within: None }).await.expect("a hub");
    }

    async fn pod(&self, pod: &Value) {
        self.put::<Pod>(pod).await;
    }

    /// An event about the container of [`pod`] that was last seen then, for the count-th time.
    async fn event(&self, reason: &str, message: &str, second: i64, count: i32) {
        self.put::<Event>(&json!({
            "metadata": {"name": message, "uid": message, "namespace": "default"},
            "involvedObject": {"kind": "Pod", "name": "web", "namespace": "default", "uid": "web", "fieldPath": "spec.containers{web}"},
            "type": if reason == "Killing" { "Normal" } else { "Warning" }, "source": {"component": "kubelet"},
            "reason": reason, "message": message, "count": count, "lastTimestamp": at(second).to_string(),
        }))
        .await;
    }

    async fn fails(&self, kind: ProbeKind, second: i64, count: i32) {
        self.event("Unhealthy", &format!("{} probe failed: {count}", kind.word()), second, 1).await;
    }

    async fn ends_it(&self, kind: ProbeKind, second: i64) {
        let over = kind.word().to_lowercase();
        self.event("Killing", &format!("Container web failed {over} probe, will be restarted"), second, 1)
            .await;
    }

    async fn container(&self) -> Arc<Container> {
        self.containers().await.first().expect("a container").clone()
    }

    async fn lane(&self, kind: ProbeKind, second: i64) -> Lane {
        let container = self.container().await;
        let probe = container.probe(kind).expect("a probe");
        lane::of(&container, probe, Known::default(), at(second))
    }

    async fn doing(&self, kind: ProbeKind, second: i64) -> Doing {
        self.lane(kind, second).await.doing
    }
}

/// A pod of one container, asked in both ways.
fn pod(probes: Value, status: Value) -> Value {
    let mut container = json!({"name": "web"});
    for (probe, asks) in probes.as_object().expect("probes") {
        container[probe] = asks.clone();
        container[probe]["tcpSocket"] = json!({"port": 5000});
    }
    let mut of = json!({"name": "web", "restartCount": 0, "ready": false, "started": true});
    for (field, value) in status.as_object().expect("a status") {
        of[field] = value.clone();
    }
    json!({
        "metadata": {"name": "web", "namespace": "default", "uid": "web", "creationTimestamp": at(0).to_string()},
        "spec": {"nodeName": "worker", "containers": [container]},
        "status": {"phase": "Running", "containerStatuses": [of]},
    })
}

fn running(second: i64) -> Value {
    json!({"running": {"startedAt": at(second).to_string()}})
}

fn ended(from: i64, to: i64, exit_code: i64) -> Value {
    let (from, to) = (at(from).to_string(), at(to).to_string());
    json!({"terminated": {"startedAt": from, "finishedAt": to, "exitCode": exit_code, "reason": "Error"}})
}

#[tokio::test]
async fn what_came_in_the_second_of_a_restart_is_not_put_to_the_start_after_it() {
    // a kubelet asks on when a container has ended, as long as it does not know
    for end in [19, 20] {
        let stage = Stage::new();
        let both = || json!({"livenessProbe": {"periodSeconds": 2}, "readinessProbe": {"periodSeconds": 2}});
        stage.pod(&pod(both(), json!({"state": running(10)}))).await;
        stage.fails(Liveness, 20, 1).await;
        stage.fails(Readiness, 20, 1).await;
        stage.ends_it(Liveness, 20).await;
        assert_eq!(stage.doing(Liveness, 20).await, Doing::Restarting);

        let again = json!({"state": running(20), "restartCount": 1, "lastState": ended(10, end, 0)});
        stage.pod(&pod(both(), again)).await;
        assert_eq!(stage.doing(Liveness, 21).await, Doing::Quiet { failed: Some(at(20)), deaf: false });
        assert_eq!(stage.doing(Readiness, 21).await, Doing::Waiting { wanted: 1 });
        assert!(!stage.lane(Readiness, 21).await.earlier);

        stage.fails(Readiness, 21, 2).await;
        assert_eq!(stage.doing(Readiness, 22).await, Doing::Failing(Run { failed: 1, of: 3 }));
    }
}

#[tokio::test]
async fn failures_are_not_counted_on_from_start_to_start() {
    let stage = Stage::new();
    let probes = || json!({"readinessProbe": {"periodSeconds": 3}});
    stage.pod(&pod(probes(), json!({"state": running(10)}))).await;
    stage.fails(Readiness, 17, 1).await;
    stage.fails(Readiness, 20, 2).await;
    assert_eq!(stage.doing(Readiness, 20).await, Doing::Failing(Run { failed: 2, of: 3 }));
    // of the next start already, which is heard of only then
    stage.fails(Readiness, 22, 3).await;
    stage
        .pod(&pod(probes(), json!({"state": running(21), "restartCount": 1, "lastState": ended(10, 20, 1)})))
        .await;
    assert_eq!(stage.doing(Readiness, 22).await, Doing::Failing(Run { failed: 1, of: 3 }));
}

#[tokio::test]
async fn a_crash_is_not_put_down_to_the_probe_over_which_the_start_before_ended() {
    let stage = Stage::new();
    let probes = || json!({"livenessProbe": {"periodSeconds": 2}});
    stage.pod(&pod(probes(), json!({"state": running(10)}))).await;
    stage.ends_it(Liveness, 20).await;
    stage
        .pod(&pod(probes(), json!({"state": running(20), "restartCount": 1, "lastState": ended(10, 20, 0)})))
        .await;
    stage
        .pod(&pod(probes(), json!({"state": running(26), "restartCount": 2, "lastState": ended(20, 25, 3)})))
        .await;
    let container = stage.container().await;
    let causes = container.life.iter().filter_map(|span| match span.phase {
        Phase::Ended { cause, .. } => Some(cause),
        _ => None,
    });
    assert_eq!(causes.collect::<Vec<_>>(), [Cause::Probe(Liveness), Cause::Unknown]);
    assert_eq!((container.restarts.liveness, container.restarts.failed), (1, 1));
}

#[tokio::test]
async fn what_failed_before_it_was_ready_takes_nothing_from_its_passing() {
    let stage = Stage::new();
    let probes = || json!({"readinessProbe": {"periodSeconds": 3}});
    stage.pod(&pod(probes(), json!({"state": running(10)}))).await;
    stage.fails(Readiness, 11, 1).await;
    stage.pod(&pod(probes(), json!({"state": running(10), "ready": true}))).await;
    assert_eq!(stage.doing(Readiness, 12).await, Doing::Passing { failed: None });
    stage.fails(Readiness, 14, 2).await;
    assert_eq!(stage.doing(Readiness, 14).await, Doing::Passing { failed: Some(Run { failed: 1, of: 3 }) });
}

#[tokio::test]
async fn what_could_not_be_asked_has_not_failed() {
    let stage = Stage::new();
    let both = json!({"livenessProbe": {"periodSeconds": 3}, "readinessProbe": {"periodSeconds": 3}});
    stage.pod(&pod(both, json!({"state": running(10)}))).await;
    for (kind, second) in [("Liveness", 12), ("Readiness", 12), ("Readiness", 15)] {
        let message = format!("{kind} probe errored and resulted in unknown state: no port of that name");
        stage.event("Unhealthy", &message, second, 1 + i32::from(second > 12)).await;
    }
    assert_eq!(stage.doing(Liveness, 13).await, Doing::Errored);
    assert_eq!(stage.doing(Readiness, 20).await, Doing::Errored);
    // the kubelet keeps its count
    stage.fails(Readiness, 18, 1).await;
    stage
        .event("Unhealthy", "Readiness probe errored and resulted in unknown state: no such file", 21, 1)
        .await;
    assert_eq!(stage.doing(Readiness, 21).await, Doing::Failing(Run { failed: 1, of: 3 }));
}

#[tokio::test]
async fn what_is_not_started_again_is_not_said_to_be() {
    let stage = Stage::new();
    stage.pod(&pod(json!({"livenessProbe": {}}), json!({"state": running(10)}))).await;
    stage.event("Killing", "Container web failed liveness probe", 40, 1).await;
    assert_eq!(stage.doing(Liveness, 41).await, Doing::Ending);
    stage.event("Killing", "Init container web failed liveness probe", 42, 1).await;
    assert_eq!(stage.doing(Liveness, 43).await, Doing::Restarting);
}

#[tokio::test]
async fn failures_are_put_together_only_where_no_success_has_room_between_them() {
    let asks = json!({"livenessProbe": {"periodSeconds": 10, "failureThreshold": 40}});
    let said = "Liveness probe failed: refused";
    // the event's count, and when it was last seen: at 30 it is 1
    for (count, second, run, why) in [
        (2, 48, 2, "one period, give or take what both last"),
        (2, 49, 1, "time enough for a success"),
        (4, 68, 4, "two that were not told themselves"),
        (4, 69, 1, "the same with one success among them"),
        (20, 300, 1, "far apart on the average, though each less than two periods"),
    ] {
        let stage = Stage::new();
        stage.pod(&pod(asks.clone(), json!({"state": running(10)}))).await;
        stage.event("Unhealthy", said, 30, 1).await;
        stage.event("Unhealthy", said, second, count).await;
        assert_eq!(stage.doing(Liveness, second).await, Doing::Failing(Run { failed: run, of: 40 }), "{why}");
    }
    // of two that were counted after another event's failure it is not known that both came after it
    let stage = Stage::new();
    stage.pod(&pod(asks, json!({"state": running(10)}))).await;
    stage.event("Unhealthy", said, 30, 1).await;
    stage.event("Unhealthy", "Liveness probe failed: reset", 50, 1).await;
    stage.event("Unhealthy", said, 68, 3).await;
    assert_eq!(stage.doing(Liveness, 68).await, Doing::Failing(Run { failed: 2, of: 40 }));
}

#[tokio::test]
async fn what_needs_several_successes_may_have_had_one_between_its_failures() {
    let stage = Stage::new();
    let asks = json!({"readinessProbe": {"periodSeconds": 5, "successThreshold": 2}});
    stage.pod(&pod(asks.clone(), json!({"state": running(10)}))).await;
    stage.fails(Readiness, 12, 1).await;
    stage.fails(Readiness, 17, 2).await;
    assert_eq!(stage.doing(Readiness, 17).await, Doing::Failing(Run { failed: 1, of: 3 }));
    stage.pod(&pod(asks, json!({"state": running(10), "ready": true}))).await;
    stage.fails(Readiness, 32, 3).await;
    stage.fails(Readiness, 37, 4).await;
    assert_eq!(stage.doing(Readiness, 37).await, Doing::Passing { failed: Some(Run { failed: 2, of: 3 }) });
}

#[tokio::test]
async fn where_several_successes_are_wanted_some_may_have_been() {
    let stage = Stage::new();
    stage.pod(&pod(json!({"readinessProbe": {"successThreshold": 3}}), json!({"state": running(10)}))).await;
    let lane = stage.lane(Readiness, 25).await;
    assert_eq!(lane.doing.to_string(), "not 3 successes in a row yet");
}

#[tokio::test]
async fn a_time_that_was_seen_is_not_given_out_as_the_clusters() {
    let stage = Stage::new();
    let probes = || json!({"startupProbe": {}, "readinessProbe": {}});
    stage.pod(&pod(probes(), json!({"state": running(10), "started": false}))).await;
    stage.pod(&pod(probes(), json!({"state": running(10)}))).await;
    let mut ready = pod(probes(), json!({"state": running(10), "ready": true}));
    ready["status"]["conditions"] =
        json!([{"type": "ContainersReady", "status": "True", "lastTransitionTime": at(12).to_string()}]);
    stage.pod(&ready).await;
    let container = stage.container().await;
    let (begun, up, ready) = (&container.life[0], &container.life[1], &container.life[2]);
    assert_eq!((begun.from, begun.seen), (at(10).millis(), false));
    // that it came up has no time but that at which it was seen, long after, and nothing begins before it
    assert_eq!((up.seen, &ready.phase), (true, &Phase::Ready));
    assert_eq!((ready.from, ready.seen), (up.from, true));
}

#[tokio::test]
async fn a_failure_of_the_start_that_has_just_ended_was_not_before_it() {
    let stage = Stage::new();
    let probes = || json!({"readinessProbe": {}});
    stage.pod(&pod(probes(), json!({"state": running(10)}))).await;
    stage.fails(Readiness, 20, 1).await;
    stage.pod(&pod(probes(), json!({"state": ended(10, 22, 1)}))).await;
    assert!(!stage.lane(Readiness, 23).await.earlier);
    stage
        .pod(&pod(probes(), json!({"state": running(24), "restartCount": 1, "lastState": ended(10, 22, 1)})))
        .await;
    assert!(stage.lane(Readiness, 25).await.earlier);
}

#[tokio::test]
async fn silence_means_nothing_once_the_kubelet_holds_events_back() {
    let stage = Stage::new();
    let asks = json!({"livenessProbe": {"periodSeconds": 3, "failureThreshold": 100}});
    stage.pod(&pod(asks, json!({"state": running(10)}))).await;
    // 25 are let through, and one more each five minutes, of which some have gone by
    let said = "Liveness probe failed: refused";
    for count in 1..=24 {
        stage.event("Unhealthy", said, 10 + i64::from(count), count).await;
    }
    assert_eq!(stage.doing(Liveness, 60).await, Doing::Quiet { failed: Some(at(34)), deaf: false });
    stage.event("Unhealthy", said, 35, 25).await;
    assert_eq!(stage.doing(Liveness, 36).await, Doing::Failing(Run { failed: 25, of: 100 }));
    for (second, wanted) in [
        (60, Doing::Unknown(Why::Silence)),
        (310, Doing::Unknown(Why::Silence)),
        (311, Doing::Quiet { failed: Some(at(35)), deaf: false }),
    ] {
        assert_eq!(stage.doing(Liveness, second).await, wanted, "{second}");
    }
    // what was counted but not told meanwhile was held back, and the next is again
    stage.event("Unhealthy", said, 320, 310).await;
    assert_eq!(stage.doing(Liveness, 600).await, Doing::Unknown(Why::Silence));
    assert_eq!(stage.doing(Liveness, 620).await, Doing::Quiet { failed: Some(at(320)), deaf: false });
}

#[tokio::test]
async fn an_end_that_the_status_repeats_for_ever_is_told_once() {
    let stage = Stage::new();
    for flap in 0..120 {
        let ready = flap % 2 == 0;
        let status = json!({
            "name": "web", "ready": ready, "started": true, "restartCount": 1,
            "state": running(20), "lastState": ended(0, 10, 1),
        });
        stage.pod(&pod(json!({"readinessProbe": {"tcpSocket": {"port": 1}}}), status)).await;
    }
    let row = &stage.containers().await[0];
    let ends = row.life.iter().filter(|span| matches!(span.phase, Phase::Ended { .. })).count();
    assert_eq!(ends, 0, "its span was forgotten, and it ended no more: {:?}", row.life);
    assert_eq!(row.restarts, Restarts { failed: 1, ..Restarts::default() });
}

#[tokio::test]
async fn what_was_counted_over_days_does_not_silence_the_kubelet() {
    let stage = Stage::new();
    stage
        .pod(&pod(
            json!({"livenessProbe": {"tcpSocket": {"port": 1}}}),
            json!({
                "name": "web", "ready": true, "started": true, "restartCount": 0, "state": running(0),
            }),
        ))
        .await;
    // once in ten minutes, for two days before anybody watched
    let days = 2 * 86_400;
    stage.put::<Event>(&json!({
        "metadata": {"name": "often", "uid": "often", "namespace": "default"},
        "involvedObject": {"kind": "Pod", "name": "web", "namespace": "default", "uid": "web", "fieldPath": "spec.containers{web}"},
        "type": "Warning", "source": {"component": "kubelet"}, "reason": "Unhealthy",
        "message": "Liveness probe failed: a", "count": 288,
        "firstTimestamp": at(0).to_string(), "lastTimestamp": at(days).to_string(),
    })).await;
    assert_eq!(stage.containers().await[0].silent_until, None);
}

#[tokio::test]
async fn a_time_that_was_not_watched_is_not_called_not_ready() {
    let stage = Stage::new();
    let first = |container: &Container| container.life[0].phase.clone();
    // without a probe that says otherwise it is ready as soon as it runs, whatever its pod waits for
    let mut ready = pod(json!({"livenessProbe": {}}), json!({"state": running(10), "ready": true}));
    let condition =
        json!([{"type": "ContainersReady", "status": "True", "lastTransitionTime": at(30).to_string()}]);
    ready["status"]["conditions"] = condition.clone();
    stage.pod(&ready).await;
    let container = stage.container().await;
    assert_eq!((container.life.len(), first(&container)), (1, Phase::Ready));

    let stage = Stage::new();
    let mut late = pod(json!({"readinessProbe": {}}), json!({"state": running(10), "ready": true}));
    late["status"]["conditions"] = condition;
    stage.pod(&late).await;
    let container = stage.container().await;
    assert_eq!(first(&container), Phase::Unwatched);
    assert_eq!((container.life[1].from, &container.life[1].phase), (at(30).millis(), &Phase::Ready));

    // of a start that is over only its times are told
    let stage = Stage::new();
    let over = json!({"state": running(26), "restartCount": 1, "lastState": ended(10, 25, 1)});
    stage.pod(&pod(json!({"readinessProbe": {}}), over)).await;
    let container = stage.container().await;
    let phases: Vec<&Phase> = container.life.iter().map(|span| &span.phase).collect();
    assert!(
        matches!(phases[..], [Phase::Unwatched, Phase::Ended { .. }, Phase::Unwatched, Phase::Running]),
        "{phases:?}"
    );
}

/// How much of a trace is watched.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Watched {
    Whole,
    /// From the middle on: what is there then is listed.
    Late,
    /// Without events, which are forbidden.
    Unheard,
}

/// Replays a trace; what is said at each change and each second goes to `check`.
async fn replay(
    trace: &Trace,
    watched: Watched,
    mut check: impl FnMut(&[Arc<Container>], i64),
) -> Vec<Arc<Container>> {
    let stage = Stage::new();
    let mut from = trace.began;
    if watched == Watched::Late {
        from += (trace.ended - trace.began) / 2;
        let mut there: HashMap<String, &Told> = HashMap::new();
        for told in trace.told.iter().filter(|told| told.at < from) {
            let name = format!("{} {}", told.object["kind"], told.object["metadata"]["name"]);
            if told.gone {
                there.remove(&name)
            } else {
                there.insert(name, told)
            };
        }
        let mut listed: Vec<&Told> = there.into_values().collect();
        listed.sort_by(|a, b| listed_order(a, b));
        for told in listed {
            stage.told(told).await;
        }
    }
    let told: Vec<&Told> = trace
        .told
        .iter()
        .filter(|told| told.at >= from && (watched != Watched::Unheard || told.object["kind"] == "Pod"))
        .collect();
    let mut next = told.iter().peekable();
    let mut second = from;
    while second <= trace.ended {
        while let Some(told) = next.next_if(|told| told.at < second) {
            stage.told(told).await;
            check(&stage.containers().await, told.at);
        }
        check(&stage.containers().await, second);
        second += 1000;
    }
    stage.containers().await
}

fn traces() -> Vec<(String, Trace)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/probes");
    let files = std::fs::read_dir(folder).expect("traces").map(|file| file.expect("a file").path());
    let mut traces: Vec<(String, Trace)> = files
        .map(|path| {
            (path.file_stem().expect("a name").to_string_lossy().into(), Trace::read(&path, hub::now().0))
        })
        .collect();
    traces.sort_by(|a, b| a.0.cmp(&b.0));
    traces
}

/// Whatever is said of a probe, a real kubelet did.
#[tokio::test]
async fn nothing_is_said_that_the_kubelet_did_not_do() {
    let mut faults = Vec::new();
    let mut said: BTreeMap<String, u32> = BTreeMap::new();
    for (name, trace) in traces() {
        let truths = trace.containers();
        for watched in [Watched::Whole, Watched::Late, Watched::Unheard] {
            let known = Known { node_lost: false, no_events: watched == Watched::Unheard };
            let holds = if known.no_events { claims::holds_unheard } else { claims::holds };
            let check = |rows: &[Arc<Container>], time: i64| {
                for row in rows {
                    let truth = &truths[&*row.meta.name];
                    for probe in row.probes.iter() {
                        let lane = lane::of(row, probe, known, Timestamp(time / 1000));
                        *said.entry(claims::name(lane.doing, lane.kind)).or_default() += 1;
                        if !holds(&lane, probe, truth, time) {
                            let (after, row, kind) = (time - trace.began, &row.meta.name, lane.kind);
                            faults.push(format!(
                                "{name}, {watched:?}, {after} ms: {row}, {kind:?}: {}",
                                lane.doing
                            ));
                        }
                    }
                    faults.extend(
                        misremembered(row, truth)
                            .into_iter()
                            .map(|fault| format!("{name}, {watched:?}: {fault}")),
                    );
                }
            };
            let last = replay(&trace, watched, check).await;
            for row in last.iter().filter(|_| watched == Watched::Whole) {
                let wanted = restarts(&truths[&*row.meta.name]);
                if row.restarts != wanted {
                    faults.push(format!("{name}: {} has {:?}, not {wanted:?}", row.meta.name, row.restarts));
                }
            }
        }
    }
    let count = faults.len();
    faults.truncate(30);
    assert!(faults.is_empty(), "{count} claims are not borne out:\n{}", faults.join("\n"));
    // Nothing is proven by what was never said.
    for wanted in [
        "Startup: failing",
        "Startup: passed",
        "Startup: being restarted",
        "Startup: no success yet",
        "Startup: not running",
        "Liveness: held back",
        "Liveness: not asked before",
        "Liveness: failing",
        "Liveness: no failure seen",
        "Liveness: no failure seen since",
        "Liveness: could not be asked",
        "Liveness: unknown",
        "Liveness: not heard",
        "Liveness: being restarted",
        "Liveness: being ended",
        "Liveness: not asked any more",
        "Readiness: held back",
        "Readiness: not asked before",
        "Readiness: no success yet",
        "Readiness: not so many successes yet",
        "Readiness: could not be asked",
        "Readiness: passing",
        "Readiness: passing, but failed",
        "Readiness: failing",
    ] {
        let times = said.get(wanted).copied().unwrap_or_default();
        assert!(times >= 10, "{wanted} was said {times} times: {said:?}");
    }
}

/// What a row tells of a container's past that was not so.
fn misremembered(row: &Container, truth: &Truth) -> Vec<String> {
    let mut faults = Vec::new();
    let mut ran = false;
    for pair in row.life.windows(2).filter(|pair| pair.iter().all(|span| !span.seen)) {
        if pair[0].phase == Phase::Running && was_ready(row, truth, pair[0].from.0, pair[1].from.0) {
            faults.push(format!("{}: it was ready meanwhile: {:?}", row.meta.name, pair[0]));
        }
    }
    for span in &row.life {
        let from = span.from.0;
        let told = match &span.phase {
            Phase::Ended { cause, reason, exit_code, .. } => {
                let start = truth.starts.iter().find(|start| start.until == from);
                if let Some(start) = start
                    && !(start.end == Some((reason.to_string(), *exit_code)) && brought_about(*cause, start))
                {
                    faults.push(format!("{}: an end: {}", row.meta.name, span.phase.words()));
                }
                truth.stamps.finished.contains(&from)
            }
            phase if phase.runs() && !ran => truth.stamps.started.contains(&from),
            Phase::Ready => truth.stamps.ready.contains(&from),
            phase if phase.runs() => false,
            _ => truth.stamps.finished.contains(&from) || truth.stamps.created.contains(&from),
        };
        if !span.seen && !told {
            faults.push(format!("{}: the time of {}: {}", row.meta.name, span.phase.words(), span.from));
        }
        ran = span.phase.runs();
    }
    faults
}

/// Whether it was ready all the time between, or at some time that is not too near.
fn was_ready(row: &Container, truth: &Truth, from: i64, to: i64) -> bool {
    let Some(probe) = row.probe(Readiness) else { return row.probe(ProbeKind::Startup).is_none() };
    let ready = |now: kubelet::Moment<'_>| {
        now.effect(Readiness, probe.success, probe.failure) == Some(kubelet::Outcome::Success)
    };
    truth.turns(from + 1000, to - 1000).into_iter().filter(|at| to - at > 1000).any(|at| ready(truth.at(at)))
}

/// Whether it ended for that.
fn brought_about(cause: Cause, start: &kubelet::Start) -> bool {
    match cause {
        Cause::Probe(kind) => start.ended_over().any(|(of, _)| of == kind),
        Cause::OutOfMemory => start.end.as_ref().is_some_and(|(reason, _)| reason == "OOMKilled"),
        Cause::Unknown => start.end.as_ref().is_some_and(|(reason, _)| reason != "OOMKilled"),
    }
}

/// What each restart is to be put down to, by all that could be heard.
fn restarts(truth: &Truth) -> Restarts {
    let mut restarts = Restarts::default();
    let again = truth.starts.len().saturating_sub(1);
    for start in &truth.starts[..again] {
        let which = match (&start.end, truth.told_end(start)) {
            (None, _) => &mut restarts.not_seen,
            (Some((reason, _)), _) if reason == "OOMKilled" => &mut restarts.out_of_memory,
            (_, Some(ProbeKind::Startup)) => &mut restarts.startup,
            (_, Some(_)) => &mut restarts.liveness,
            (Some((_, 0)), _) => &mut restarts.completed,
            (Some(_), _) => &mut restarts.failed,
        };
        *which += 1;
    }
    restarts
}
