//! What Kubernetes says in its own words is said to strangers too: the demo's whole play, and every fixture, seen
//! through a grant of everything that hides nothing and trusts no text.

// A test that cannot go on should stop.
#![allow(clippy::expect_used)]
#![allow(clippy::unwrap_used, clippy::panic)] // clippy.toml allows them in #[test] only, not beside it

use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use app::{
    api::{Event, Kind, Row, detail::ContainerState},
    model::{Cluster, WithRow},
    scope::Scope,
    wire::About,
};
use serde_json::Value;
use server::{
    audience::{Grant, Rooms, grant::Within},
    demo::{self, Demo},
    hub::{Encoding, Hub},
    source::{Source, api_server::ApiServer},
};
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

/// What stands for words that are not shown.
const LEFT_OUT: char = '…';
/// Two rounds of the play, and the beginning of the third.
const PLAY: Duration = Duration::from_secs(600);

/// Each text of each row, by the row and where in it the text stands.
fn texts(cluster: &Cluster) -> BTreeMap<(Kind, String, String, String), String> {
    struct Texts<'a>(&'a Cluster);
    impl WithRow for Texts<'_> {
        type Out = Vec<((Kind, String, String, String), String)>;
        fn with<T: Row>(self) -> Self::Out {
            let mut all = Vec::new();
            for row in T::rows(self.0).iter() {
                let meta = row.meta();
                let mut add = |place: String, text: &str| {
                    all.push((
                        (T::KIND, meta.namespace.to_string(), meta.name.to_string(), place),
                        text.to_owned(),
                    ));
                };
                add("why".to_owned(), row.why());
                let any: &dyn Any = &**row;
                if let Some(event) = any.downcast_ref::<Event>() {
                    add("reason".to_owned(), &event.reason);
                    add("message".to_owned(), &event.message);
                }
                let Some(detail) = row.detail() else { continue };
                for condition in &detail.conditions {
                    add(format!("{} reason", condition.kind), &condition.reason);
                    add(format!("{} message", condition.kind), &condition.message);
                }
                for container in &detail.containers {
                    if let Some(ContainerState::Waiting { reason, message }) =
                        container.status.as_ref().map(|status| &status.state)
                    {
                        add(format!("{} reason", container.name), reason);
                        add(format!("{} message", container.name), message);
                    }
                }
            }
            all
        }
    }
    Kind::ALL.iter().flat_map(|kind| kind.with_row(Texts(cluster))).collect()
}

/// What is missing in `shown` where it has left something out; `None` if the two are of different moments.
fn left_out(shown: &str, said: &str) -> Option<Vec<String>> {
    let mut parts = shown.split(LEFT_OUT);
    let mut rest = said.strip_prefix(parts.next()?)?;
    let mut missing = Vec::new();
    let parts: Vec<&str> = parts.collect();
    for (number, part) in parts.iter().enumerate() {
        let is_last = number + 1 == parts.len();
        let at = if is_last { rest.strip_suffix(part)?.len() } else { rest.find(part)? };
        missing.push(rest[..at].to_owned());
        rest = &rest[at + part.len()..];
    }
    Some(missing)
}

/// Whether something that is missing is no word of Kubernetes': it names or counts something, or is a program's own.
fn names_something(missing: &str) -> bool {
    let is_prefix = missing.ends_with('-');
    let of_fixtures = ["x", "web", "foo", "om", "m"];
    missing.chars().any(|c| c.is_ascii_digit() || matches!(c, '/' | '.' | ':' | '_' | '=' | '{'))
        || is_prefix
        || of_fixtures.contains(&missing)
}

/// Sentences that lost words on their way to a stranger, as they were and as they arrived.
async fn losses(demo: &Demo, play: Duration) -> (BTreeSet<(String, String)>, usize) {
    let source = Source {
        api: ApiServer::in_process(demo.router()),
        namespaces: Vec::new(),
        fallback: None,
        about: About::default(),
        metrics: Arc::default(),
    };
    let stop = CancellationToken::new();
    let (hub, owner) = Hub::new(source.about.clone(), stop.clone());
    let rooms = Rooms::new(hub.clone(), stop.clone());
    let mut tasks = JoinSet::new();
    tasks.spawn(owner);
    tasks.spawn(source.run(hub.clone()));
    let kinds =
        Kind::ALL.iter().filter(|kind| kind.watched() == **kind).map(|kind| (*kind, Within::All)).collect();
    let grant = Arc::new(Grant { kinds, ..Grant::default() });
    let room = rooms.hub(Some(&grant)).await.expect("a room");
    let seat = room.subscribe(Scope::all(), Encoding::Rows).await.expect("a seat");
    let (mut lost, mut sentences) = (BTreeSet::new(), BTreeSet::new());
    let until = Instant::now() + play;
    while Instant::now() < until {
        seat.next().await.expect("the hub runs");
        let (said, shown) =
            (hub.view().await.expect("the hub runs"), room.view().await.expect("the hub runs"));
        let said = texts(&said.cluster);
        for (place, shown) in texts(&shown.cluster) {
            let Some(said) = said.get(&place) else { continue };
            let Some(missing) = left_out(&shown, said) else { continue };
            if !missing.iter().all(|words| names_something(words)) {
                lost.insert((said.clone(), shown));
            }
            sentences.insert(said.clone());
        }
    }
    stop.cancel();
    (lost, sentences.len())
}

fn report(lost: &BTreeSet<(String, String)>) -> String {
    lost.iter().map(|(said, shown)| format!("{said}\n    {shown}")).collect::<Vec<_>>().join("\n")
}

#[tokio::test(start_paused = true)]
async fn the_whole_play_is_told_in_its_own_words() {
    let demo = demo::start(demo::Options { epoch_ms: Some(1_795_449_600_000), ..demo::Options::default() });
    let (lost, sentences) = losses(&demo, PLAY).await;
    assert!(lost.is_empty(), "{} of {sentences} sentences lost words\n{}", lost.len(), report(&lost));
    assert!(sentences > 100, "{sentences} sentences were told");
}

#[tokio::test(start_paused = true)]
async fn so_is_every_fixture() {
    let demo = demo::start(demo::Options { play: false, ..demo::Options::default() });
    let files = [
        include_str!("fixtures/deployments.json"),
        include_str!("fixtures/daemonsets.json"),
        include_str!("fixtures/statefulsets.json"),
        include_str!("fixtures/replicasets.json"),
        include_str!("fixtures/replicationcontrollers.json"),
        include_str!("fixtures/nodes.json"),
        include_str!("fixtures/pods.json"),
        include_str!("fixtures/services.json"),
        include_str!("fixtures/poddisruptionbudgets.json"),
    ];
    for (file, text) in files.iter().enumerate() {
        for (number, case) in serde_json::from_str::<Vec<Value>>(text).expect("cases").into_iter().enumerate()
        {
            let mut object = case["object"].clone();
            // many are called alike; what they say of themselves goes on naming them
            object["metadata"]["namespace"] = format!("case-{file}-{number}").into();
            object["metadata"]["uid"] = Value::Null;
            if object["kind"] == "Node" {
                object["metadata"]["name"] = format!("node-{number}").into();
            }
            demo.put(object);
        }
    }
    let (lost, sentences) = losses(&demo, Duration::from_secs(20)).await;
    assert!(lost.is_empty(), "{} of {sentences} sentences lost words\n{}", lost.len(), report(&lost));
    assert!(sentences > 100, "{sentences} sentences were told");
}
