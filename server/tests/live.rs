//! ④ over real sockets: the whole server on port 0, the demo's API server behind it, real clients in front.

// A test that cannot go on should stop.
#![allow(clippy::expect_used)]

mod site;
mod viewer;

use app::{
    api::{Kind, Kinds, ObjectKey},
    wire::{Ask, Drawing, Frame, LONGEST_ASK},
};
use futures::SinkExt;
use serde_json::{Value, json};
use server::demo::{self, Demo, Fault};
use site::{PATIENCE, Site};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::tungstenite::{self, Message};
use viewer::{Viewer, pod};

#[tokio::test]
async fn a_socket_is_greeted_gets_a_snapshot_and_then_every_change() {
    let site = Site::new().await;
    let mut socket = site.socket("").await;
    socket.until("three pods", |viewer| viewer.pods() == ["a", "b", "c"]).await;
    let Some(Frame::Hello { build, about, .. }) = &socket.viewer.hello else { panic!("no greeting") };
    assert_eq!(build, app::BUILD);
    assert_eq!(about.context, "test");
    site.demo.put(pod("d", &[]));
    socket.until("the fourth", |viewer| viewer.pods().len() == 4).await;
    site.demo.remove("pods", "default", "a");
    socket.until("the deletion", |viewer| viewer.pods() == ["b", "c", "d"]).await;
    socket.until("a beat", |viewer| viewer.beats > 0).await;
}

#[tokio::test]
async fn a_scope_is_decided_on_the_server() {
    let site = Site::new().await;
    let mut web = site.socket("kinds=pods&labelSelector=app%3Dweb").await;
    web.until("the web pods", |viewer| viewer.pods() == ["a", "b"]).await;
    // c enters the selection, a leaves it; neither is created nor deleted.
    site.demo.put(pod("c", &[("app", "web")]));
    site.demo.put(pod("a", &[("app", "db")]));
    web.until("one in, one out", |viewer| viewer.pods() == ["b", "c"]).await;
    assert_eq!(web.viewer.cluster.namespaces.len(), 0, "no other kind was asked for");
    let mut named = site.socket("kinds=pods&fieldSelector=metadata.name!%3Db,status.phase%3DRunning").await;
    named.until("all but b", |viewer| viewer.pods() == ["a", "c"]).await;
    let mut none = site.socket("namespace=kube-system").await;
    none.until("a namespace", |viewer| viewer.cluster.namespaces.len() == 1).await;
    assert!(none.viewer.pods().is_empty());
    web.ask(&Ask::Kinds(Kinds::all())).await;
    web.until("more kinds", |viewer| viewer.state(Kind::Namespace).listed()).await;
    assert_eq!(web.viewer.snapshots, 2);
}

#[tokio::test]
async fn looking_at_an_object_brings_its_detail_and_what_changes_in_it() {
    let site = Site::new().await;
    let mut socket = site.socket("").await;
    socket.until("three pods", |viewer| viewer.pods().len() == 3).await;
    let key = ObjectKey { kind: Kind::Pod, namespace: "default".to_owned(), name: "a".to_owned() };
    socket.ask(&Ask::Look(Some(key.clone()))).await;
    let image = |viewer: &Viewer| match &viewer.detail {
        Some(Frame::Detail { detail: Some(detail), .. }) => {
            detail.containers.first().map(|container| container.image.to_string())
        }
        _ => None,
    };
    socket.until("its detail", |viewer| image(viewer).as_deref() == Some("example/web:1")).await;
    site.demo
        .edit("pods", "default", "a", |pod| pod["spec"]["containers"][0]["image"] = "example/web:2".into());
    socket.until("the change", |viewer| image(viewer).as_deref() == Some("example/web:2")).await;
    site.demo.remove("pods", "default", "a");
    socket
        .until(
            "its end",
            |viewer| matches!(&viewer.detail, Some(Frame::Detail { key: k, detail: None }) if *k == key),
        )
        .await;
}

#[tokio::test]
async fn a_resync_brings_a_fresh_snapshot() {
    let site = Site::new().await;
    let mut socket = site.socket("").await;
    socket.until("three pods", |viewer| viewer.pods().len() == 3).await;
    let before = socket.viewer.snapshots;
    socket.ask(&Ask::Resync).await;
    socket.until("the second snapshot", |viewer| viewer.snapshots > before).await;
    assert_eq!(socket.viewer.pods(), ["a", "b", "c"]);
}

#[tokio::test]
async fn what_no_page_would_send_ends_the_socket() {
    let site = Site::new().await;
    let too_long = vec![0u8; LONGEST_ASK + 1];
    for message in [
        Message::Text("hello".into()),
        Message::Binary(vec![9, 9, 9].into()),
        Message::Binary(Vec::new().into()),
        Message::Binary(too_long.into()),
    ] {
        let mut socket = site.socket("kinds=nodes").await;
        socket.stream.send(message).await.expect("sent");
        let _ = socket.until_closed().await;
    }
    // The server is none the worse.
    let mut socket = site.socket("").await;
    socket.until("three pods", |viewer| viewer.pods().len() == 3).await;
}

#[tokio::test]
async fn only_pages_of_this_server_may_open_the_socket() {
    let site = Site::new().await;
    for origin in [None, Some("http://evil.example"), Some("null"), Some("http://127.0.0.1:1")] {
        let refused = site.socket_from("", origin).await;
        let Err(tungstenite::Error::Http(answer)) = refused else { panic!("{origin:?} was let in") };
        assert_eq!(answer.status(), 403, "{origin:?}");
    }
}

#[tokio::test]
async fn another_host_name_is_not_answered() {
    let site = Site::new().await;
    for path in ["/", "/api/v1/pods", "/livez", "/live", "/metrics"] {
        let answer = site.request(&format!("GET {path} HTTP/1.1\r\nHost: rebound.example")).await;
        assert!(answer.starts_with("HTTP/1.1 421"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn no_route_takes_anything_but_reading() {
    let site = Site::new().await;
    let paths = ["/", "/pods", "/api/v1", "/api/v1/pods", "/api/v1/watch", "/livez", "/readyz", "/metrics"];
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        for path in paths {
            let head = format!(
                "{method} {path}?_method=GET HTTP/1.1\r\nHost: {}\r\nX-HTTP-Method-Override: GET\r\nContent-Length: 0",
                site.address
            );
            let answer = site.request(&head).await;
            assert!(
                answer.starts_with("HTTP/1.1 405"),
                "{method} {path}: {}",
                answer.lines().next().unwrap_or("")
            );
        }
    }
    assert!(site.demo.request_log().iter().all(|(method, _)| method == "GET"));
}

#[tokio::test]
async fn ages_are_counted_by_the_api_servers_clock_however_far_it_is_from_this_one() {
    for days in [1, -1] {
        let ahead = days * 86_400_000;
        let epoch_ms = Some(server::hub::now().0 + ahead);
        let demo = demo::start(demo::Options { play: false, epoch_ms, ..demo::Options::default() });
        demo.put(pod("young", &[]));
        let site = Site::of(demo, &[]).await;
        let answer = site.get_until("/api/v1/pods?output=table", "young").await;
        let age = answer.lines().last().and_then(|line| line.split_whitespace().last()).unwrap_or_default();
        let seconds: i64 = age.trim_end_matches('s').parse().unwrap_or_else(|_| panic!("{answer}"));
        assert!((0..60).contains(&seconds), "{answer}");

        let mut socket = site.socket("kinds=pods").await;
        socket.until("a snapshot", |viewer| viewer.snapshots == 1).await;
        let Some(Frame::Hello { about, now, .. }) = &socket.viewer.hello else { panic!("no hello") };
        assert!((about.ahead - ahead).abs() < 2_000, "{}", about.ahead);
        // Claims of freshness are held against this clock.
        assert!((now.0 - server::hub::now().0).abs() < 60_000, "{now:?}");
        let metric = site.get("/metrics").await;
        let line = metric.lines().find(|line| line.starts_with("masthead_api_server_clock_ahead_seconds "));
        let seconds = line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        assert!(seconds.is_some_and(|it| (it * 1000.0 - ahead as f64).abs() < 2_000.0), "{metric}");
        site.stop.cancel();
    }
}

/// Asks until the answer is like that. What is current is not for a moment after the machine has stood still for some
/// seconds, so that asking once proves nothing.
async fn until(site: &Site, path: &str, is_so: impl Fn(&str) -> bool) -> String {
    let mut answer = String::new();
    let asking = async {
        loop {
            answer = site.get(path).await;
            if is_so(&answer) {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    let asked = tokio::time::timeout(PATIENCE, asking).await;
    assert!(asked.is_ok(), "{path} was never so: {answer}");
    answer
}

/// Whether everything is current: `ok` is all that is said.
fn all_is_current(ready: &str) -> bool {
    ready.starts_with("HTTP/1.1 200") && ready.ends_with("\r\n\r\nok\n")
}

#[tokio::test]
async fn a_kind_that_is_not_current_is_named_wherever_somebody_looks() {
    let site = Site::new().await;
    until(&site, "/readyz", all_is_current).await;
    let faults = site.demo.faults();
    faults.set("pods", Fault::AnswerWatches(500));
    faults.cut_watches("pods");
    let only_pods = |ready: &str| {
        let said = ready.split("\r\n\r\n").nth(1).unwrap_or_default();
        said.starts_with("ok\npods not current, as of 20") && said.lines().count() == 2
    };
    let ready = until(&site, "/readyz", only_pods).await;
    assert!(ready.starts_with("HTTP/1.1 200"), "it still shows the rest: {ready}");
    assert!(ready.ends_with("Z\n"), "no reason, for anybody may ask: {ready}");
    let table = site.get_until("/api/v1/pods?output=table", "masthead-state: stale\r\n").await;
    assert!(table.contains("masthead-as-of: 20"), "{table}");
    site.get_until("/api/v1/nodes?output=table", "masthead-state: live\r\n").await;
    let metrics = site.get_until("/metrics", "masthead_kind_state{kind=\"pods\",state=\"stale\"} 1").await;
    assert!(metrics.contains("masthead_kind_as_of_seconds{kind=\"pods\"}"), "{metrics}");
    until(&site, "/", |page| page.contains("freshness old") && page.contains(">pods as of ")).await;
    faults.clear("pods");
    site.get_until("/api/v1/pods?output=table", "masthead-state: live\r\n").await;
    until(&site, "/readyz", all_is_current).await;
}

#[tokio::test]
async fn an_answer_is_as_fresh_as_the_least_fresh_of_what_it_is_made_of() {
    let site = Site::new().await;
    let of =
        |what: &str| format!("/api/v1/rollouts/default/deployment/example-deployment-randomforest{what}");
    for what in ["/history", "/history/1", "/difference", "", "/status"] {
        site.get_until(&of(what), "masthead-state: live\r\n").await;
    }
    let faults = site.demo.faults();
    faults.set("replicasets", Fault::AnswerWatches(500));
    faults.cut_watches("replicasets");
    for what in ["/history", "/history/1", "/difference", ""] {
        site.get_until(&of(what), "masthead-state: stale\r\n").await;
    }
    // Nothing of it is a ReplicaSet's.
    site.get_until(&of("/status"), "masthead-state: live\r\n").await;
}

#[tokio::test]
async fn whoever_has_lost_something_is_told_again_what_is_watched_and_what_they_look_at() {
    let site = Site::new().await;
    let mut socket = site.socket("kinds=pods").await;
    socket.until("a beat", |viewer| viewer.beats > 0).await;
    let key = ObjectKey { kind: Kind::Deployment, namespace: "default".to_owned(), name: "web".to_owned() };
    socket.ask(&Ask::Look(Some(key.clone()))).await;
    socket.ask(&Ask::Draw(Some(Drawing { key, between: None }))).await;
    let has_both = |viewer: &Viewer| viewer.detail.is_some() && viewer.picture.is_some();
    socket.until("a detail and a picture", has_both).await;
    (socket.viewer.hello, socket.viewer.detail, socket.viewer.picture) = (None, None, None);
    socket.ask(&Ask::Resync).await;
    socket.until("what is watched", |viewer| viewer.hello.is_some() && has_both(viewer)).await;
}

#[tokio::test]
async fn the_text_api_prints_what_kubectl_prints() {
    let site = Site::new().await;
    let answer = site.get_until("/api/v1/pods?output=table&labelSelector=app%3Dweb", "Running").await;
    assert!(answer.contains("masthead-state: live\r\n"), "{answer}");
    assert!(answer.contains("masthead-as-of: 20"), "{answer}");
    let body = answer.split("\r\n\r\n").nth(1).expect("a body");
    let mut lines = body.lines();
    assert_eq!(lines.next(), Some("NAMESPACE   NAME   READY   STATUS    RESTARTS   AGE"));
    assert!(
        lines.next().is_some_and(|line| line.starts_with("default     a      1/1     Running   0          "))
    );
    assert!(lines.next().is_some_and(|line| line.starts_with("default     b ")));
    assert_eq!(lines.next(), None);
    let names = site.get("/api/v1/pods?output=name&namespace=default").await;
    assert!(names.ends_with("pod/a\npod/b\npod/c\n"), "{names}");
    let none = site.get("/api/v1/pods?output=table&namespace=nowhere").await;
    assert!(none.contains("masthead-note: No resources found in nowhere namespace."), "{none}");
    assert!(none.ends_with("\r\n\r\n"), "kubectl's standard output is empty too: {none}");
    let names = site.get("/api/v1/pods?output=name&fieldSelector=metadata.name!%3Db").await;
    assert!(names.ends_with("\r\n\r\npod/a\npod/c\n"), "{names}");
    let json = site.get("/api/v1/pods?namespace=default&labelSelector=app%3Ddb").await;
    let json: Value = serde_json::from_str(json.split("\r\n\r\n").nth(1).expect("a body")).expect("JSON");
    assert_eq!(json["items"][0]["meta"]["labels"]["app"], "db");
    assert_eq!(json["items"][0]["status"], "Running");
    assert_eq!(json["state"], "live");
}

#[tokio::test]
async fn a_bad_request_is_told_what_is_wrong_and_what_is_right() {
    let site = Site::new().await;
    for (path, code, part) in [
        ("/api/v1/secrets", 404, "replicationcontrollers"),
        ("/api/v1/pods?output=yaml", 400, "json, table, wide, name"),
        ("/api/v1/pods?labelSelector=app%3D%3D%3Dweb", 400, "at character 6"),
        ("/api/v1/pods?fieldSelector=a", 400, "invalid selector: 'a'; can't understand 'a', at character 1"),
        (
            "/api/v1/pods?fieldSelector=spec.foo%3Dx",
            400,
            "field label not supported: spec.foo (pods have metadata.name",
        ),
        (
            "/api/v1/deployments?fieldSelector=status.phase%3Dx",
            400,
            "fields are metadata.name, metadata.namespace",
        ),
        ("/api/v1/watch?kinds=pods,nodes&fieldSelector=spec.nodeName%3Dx", 400, "fields are metadata.name\""),
        ("/api/v1/pods?nmespace=default", 400, "nmespace"),
        ("/api/v1/pods?namespace=..%2Fx", 400, "no namespace's name"),
    ] {
        let answer = site.get(path).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {code}")), "{path}: {answer}");
        assert!(answer.contains(part), "{path}: {answer}");
    }
}

#[tokio::test]
async fn who_is_behind_a_service_can_be_asked() {
    let site = Site::with(|demo| {
        demo.put(json!({"kind": "Service", "metadata": {"name": "web"}, "spec": {"type": "ClusterIP", "selector": {"app": "web"}}}));
        let uid = demo.get("pods", "default", "a").expect("a pod")["metadata"]["uid"].clone();
        demo.put(json!({
            "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": "web-1", "labels": {"kubernetes.io/service-name": "web"}},
            "endpoints": [
                {"addresses": ["10.0.0.1"], "nodeName": "one", "targetRef": {"kind": "Pod", "name": "a", "uid": uid}},
                {"addresses": ["10.0.0.9"], "conditions": {"ready": false, "serving": true, "terminating": true}},
            ],
        }));
    })
    .await;
    let answer = site.get_until("/api/v1/services/default/web/endpoints", "sentence").await;
    assert!(answer.contains("masthead-state: live\r\n"), "{answer}");
    let json: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).expect("a body")).expect("JSON");
    assert_eq!(json["sentence"], "1 of 2 addresses ready");
    assert_eq!(json["addresses"], json!({"ready": 1, "draining": 1, "all": 2}));
    let members = json["members"].as_array().expect("members");
    let said: Vec<_> = members.iter().map(|m| (&m["name"], &m["standing"], &m["why"], &m["ready"])).collect();
    assert_eq!(
        said,
        [
            (&json!("10.0.0.9"), &json!("draining"), &json!(""), &json!(false)),
            (&json!("a"), &json!("ready"), &json!(""), &json!(null)),
            (&json!("b"), &json!("absent"), &json!("it has no address yet"), &json!(null)),
        ]
    );
    let gone = site.get("/api/v1/services/default/gone/endpoints").await;
    assert!(gone.starts_with("HTTP/1.1 404") && gone.contains("services \\\"gone\\\" not found"), "{gone}");
    let leases = site.get("/api/v1/leases?namespace=default").await;
    assert!(
        leases.starts_with("HTTP/1.1 400") && leases.contains("kube-node-lease, the only one"),
        "{leases}"
    );
}

fn template(labels: &Value) -> Value {
    let container = json!({"name": "main", "image": "i:1", "args": ["secret"], "ports": [{"containerPort": 80, "name": "http"}]});
    json!({"metadata": {"labels": labels}, "spec": {"containers": [container]}})
}

/// Deployment web of three pods, at revision 2, in whatever state.
fn deployed(status: Value) -> Value {
    let labels = json!({"app": "web"});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default", "uid": "u", "generation": 2, "annotations": {"deployment.kubernetes.io/revision": "2"}},
        "spec": {"replicas": 3, "selector": {"matchLabels": labels}, "template": template(&labels)},
        "status": status,
    })
}

/// A Deployment whose second revision is under way, with both its ReplicaSets.
fn rolling(demo: &Demo) {
    let labels = json!({"app": "web"});
    let owner = json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "u", "controller": true}]);
    let set = |name: &str, revision: &str, template: Value| {
        json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {
                "name": name, "namespace": "default", "uid": name, "labels": labels, "ownerReferences": owner,
                "annotations": {"deployment.kubernetes.io/revision": revision, "kubernetes.io/change-cause": format!("cause {revision}")},
            },
            "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
        })
    };
    let plain = template(&labels);
    demo.put(deployed(
        json!({"observedGeneration": 2, "replicas": 4, "updatedReplicas": 1, "availableReplicas": 3}),
    ));
    demo.put(set("web-1", "1", plain.clone()));
    let mut grace = plain;
    grace["spec"]["terminationGracePeriodSeconds"] = json!(5);
    demo.put(set("web-2", "2", grace));
}

#[tokio::test]
async fn rollouts_are_told_in_kubectls_own_lines() {
    let site = Site::with(rolling).await;
    site.get_until("/readyz", "200 OK").await;
    let web = "/api/v1/rollouts/default/deployment/web";
    let sentence =
        "Waiting for deployment \"web\" rollout to finish: 1 out of 3 new replicas have been updated...\n";
    let template = "deployment.apps/web with revision #1\nPod Template:\n  Labels:\tapp=web\n  \
         Annotations:\tkubernetes.io/change-cause: cause 1\n  Containers:\n   main:\n    Image:\ti:1\n    \
         Port:\t80/TCP (http)\n    Host Port:\t0/TCP (http)\n    Args:\n      <withheld>\n    \
         Environment:\t<none>\n    Mounts:\t<none>\n  Volumes:\t<none>\n  Node-Selectors:\t<none>\n  \
         Tolerations:\t<none>\n\n";
    for (path, code, body) in [
        (format!("{web}/status?output=text"), 200, sentence),
        (format!("{web}/status?output=text&revision=2"), 200, sentence),
        (
            format!("{web}/status?output=text&revision=1"),
            409,
            "error: desired revision (1) is different from the running revision (2)\n",
        ),
        (
            format!("{web}/history?output=text"),
            200,
            "deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         cause 1\n2         cause 2\n\n",
        ),
        (format!("{web}/history/1?output=text"), 200, template),
        (format!("{web}/history/9?output=text"), 404, "error: unable to find the specified revision\n"),
        (
            "/api/v1/rollouts/default/deployment/gone/status?output=text".to_owned(),
            404,
            "Error from server (NotFound): deployments.apps \"gone\" not found\n",
        ),
    ] {
        let answer = site.get(&path).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {code}")), "{path}: {answer}");
        assert!(answer.contains("masthead-state: live"), "{path}: {answer}");
        assert_eq!(answer.split("\r\n\r\n").nth(1), Some(body), "{path}");
    }
    let json = site.get(&format!("{web}/status")).await;
    assert!(json.contains(r#""ended":false"#) && json.contains(r#""succeeded":false"#), "{json}");
    for (path, code, part) in [
        ("/api/v1/rollouts/default/pod/a/status", 404, "deployment, daemonset, statefulset"),
        ("/api/v1/rollouts/default/deployment/web/history?output=yaml", 400, "json, text"),
        ("/api/v1/rollouts/default/deployment/web/history/x", 400, "positive integer"),
        ("/api/v1/rollouts/default/deployment/web/history/0", 400, "positive integer"),
        ("/api/v1/rollouts/default/deployment/web/history?revision=1", 400, "revision"),
        ("/api/v1/rollouts/default/deployment/web/status?watch=1", 400, "watch"),
        ("/api/v1/rollouts/default/statefulset/db/history", 404, "not found"),
    ] {
        let answer = site.get(path).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {code}")), "{path}: {answer}");
        assert!(answer.contains(part), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_rollouts_picture_and_its_end_can_be_asked_for() {
    let site = Site::with(rolling).await;
    site.get_until("/readyz", "200 OK").await;
    let web = "/api/v1/rollouts/default/deployment/web";
    for (path, code, parts) in [
        (
            web.to_owned(),
            200,
            &[
                "masthead-state: live",
                r#""course":"progressing""#,
                r#""bounds":{"ceiling":4,"floor":3}"#,
                "web-1",
                "web-2",
            ][..],
        ),
        // no controller works on it, so that waiting for it ends with the time
        (
            format!("{web}/wait?timeout=0"),
            409,
            &[r#""ended":false"#, r#""succeeded":false"#, "1 out of 3 new replicas", r#""causes":[{"#],
        ),
        (format!("{web}/wait?timeout=1s"), 409, &[r#""ended":false"#]),
        (format!("{web}/wait?timeout=1h"), 400, &["0 to 3600 seconds"]),
        (
            format!("{web}/wait?revision=1"),
            409,
            &["desired revision (1) is different from the running revision (2)"],
        ),
        (format!("{web}/wait?revision=2&timeout=0"), 409, &[r#""ended":false"#]),
        // one that is still to come is waited for
        (
            format!("{web}/wait?revision=3&timeout=1s"),
            409,
            &["desired revision (3) is different from the running revision (2)"],
        ),
        (format!("{web}/wait?revision=x"), 400, &["positive integer"]),
        (format!("{web}/wait?watch=1"), 400, &["unknown parameter"]),
        (
            format!("{web}/difference"),
            200,
            &[r#""from":1,"lines":[{"depth":0,"mark":"same","text":"spec:"}"#],
        ),
        (
            format!("{web}/difference?from=1&to=2&output=text"),
            200,
            &["\r\n\r\n spec:\n+  terminationGracePeriodSeconds: 5\n"],
        ),
        (format!("{web}/difference?from=1"), 400, &["both from and to"]),
        (format!("{web}/difference?from=1&to=7"), 404, &["unable to find the specified revision"]),
        (format!("{web}?output=text"), 400, &["unknown output"]),
        ("/api/v1/rollouts/default/deployment/gone".to_owned(), 404, &["not found"]),
        ("/api/v1/rollouts/default/deployment/gone/wait".to_owned(), 404, &["not found"]),
        ("/api/v1/rollouts/default/pod/a".to_owned(), 404, &["replicationcontroller"]),
    ] {
        let answer = site.get(&path).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {code}")), "{path}: {answer}");
        for part in parts {
            assert!(answer.contains(part), "{path} has no {part}: {answer}");
        }
    }
    let wait = format!("{web}/wait?timeout=20s");
    let end = site.get(&wait);
    let finish = async {
        let through =
            json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3});
        site.demo.put(deployed(through));
    };
    let (end, ()) = tokio::join!(end, finish);
    assert!(end.starts_with("HTTP/1.1 200") && end.contains("successfully rolled out"), "{end}");
}

fn body(answer: &str) -> Value {
    serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap_or_default()).unwrap_or_default()
}

fn node(name: &str, labels: &Value) -> Value {
    json!({
        "kind": "Node", "metadata": {"name": name, "labels": labels},
        "status": {"allocatable": {"cpu": "2", "memory": "1Gi", "pods": "10"}},
    })
}

/// Two nodes, and a pod that fits on neither; by what is said here the scheduler looked at another cluster.
fn picky(demo: &Demo) {
    demo.put(node("one", &json!({"project": "fraud"})));
    demo.put(node("two", &json!({})));
    let message = "0/2 nodes are available: 1 Insufficient memory, 1 node(s) had volume node affinity conflict. \
                   preemption: none";
    let mut pod = pod("picky", &[]);
    pod["spec"] = json!({
        "nodeSelector": {"project": "listingqc"},
        "containers": [{"name": "c", "resources": {"requests": {"cpu": "3"}}}],
    });
    pod["status"] = json!({"phase": "Pending", "conditions": [{
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message,
        "lastTransitionTime": "2020-01-01T00:00:00Z",
    }]});
    demo.put(pod);
    let mut web = deployed(json!({}));
    web["spec"]["template"]["spec"]["nodeSelector"] = json!({"project": "fraud"});
    demo.put(web);
}

#[tokio::test]
async fn where_a_pod_fits_is_told_node_by_node() {
    let site = Site::with(picky).await;
    site.get_until("/readyz", "200 OK").await;
    let answer = site.get("/api/v1/placement/default/pod/picky").await;
    assert!(answer.contains("masthead-state: live") && answer.contains("masthead-as-of: "), "{answer}");
    let told = body(&answer);
    let mismatch = "node(s) didn't match Pod's node affinity/selector";
    assert_eq!((&told["nodes"], &told["fits"], &told["standing"]), (&json!(2), &json!(0), &json!("refused")));
    assert_eq!(told["message"], json!(format!("0/2 nodes are available: 2 {mismatch}.")));
    assert_eq!(told["reasons"], json!([{"count": 2, "reason": mismatch}]));
    assert_eq!(
        told["missing"][0]["sentence"],
        "no node has project=listingqc; one has project=fraud; two has no project"
    );
    let one = &told["verdicts"][0];
    assert_eq!((&one["node"], &one["fits"]), (&json!("one"), &json!(false)));
    let why: Vec<_> =
        one["reasons"].as_array().into_iter().flatten().map(|r| (&r["why"], &r["spoken"])).collect();
    assert_eq!(
        why,
        [
            (&json!("label project is fraud, wants listingqc"), &json!(true)),
            (&json!("cpu: wants 3, 2 of 2 left"), &json!(false)),
        ]
    );
    let scheduler = &told["scheduler"];
    assert_eq!((&scheduler["nodes"], &scheduler["then"]), (&json!(2), &json!("preemption: none")));
    assert_eq!(scheduler["comparison"]["agrees"], false);
    assert_eq!(
        scheduler["comparison"]["differences"],
        json!([
            {"reason": "Insufficient memory", "said": 1, "found": 0},
            {"reason": mismatch, "said": 0, "found": 2},
        ])
    );
    let beyond = json!([{"count": 1, "reason": "node(s) had volume node affinity conflict"}]);
    assert_eq!(scheduler["comparison"]["notChecked"], beyond);
    assert!(scheduler["nodeChangedSince"]["node"].is_string(), "the nodes were made later: {scheduler}");

    let web = body(&site.get("/api/v1/placement/default/deployment/web").await);
    assert_eq!((&web["fits"], &web["standing"]), (&json!(1), &Value::Null));
    let typed = body(&site.get("/api/v1/placement?nodeSelector=!project&cpu=500m&memory=1Gi").await);
    assert_eq!((&typed["fits"], &typed["verdicts"][1]["fits"]), (&json!(1), &json!(true)));

    for (path, code, part) in [
        ("/api/v1/placement/default/pod/gone", 404, "not found"),
        ("/api/v1/placement/default/node/one", 404, "one of pod, deployment"),
        ("/api/v1/placement/default/pod/picky?cpu=1", 400, "unknown parameter 'cpu'"),
        ("/api/v1/placement", 400, "nothing is asked for"),
        ("/api/v1/placement?for=pod/default/picky", 400, "unknown parameter 'for'"),
        ("/api/v1/placement?nodeSelector=a+in+b", 400, "at character 6"),
        ("/api/v1/placement?memory=lots", 400, "'lots' is no quantity"),
        ("/api/v1/placement?tolerate=a:b", 400, "NoSchedule"),
    ] {
        let answer = site.get(path).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {code}")), "{path}: {answer}");
        assert!(answer.contains(part), "{path}: {answer}");
    }
}

#[tokio::test]
async fn without_nodes_to_see_nothing_is_said_of_placement() {
    let site = Site::with(|demo| {
        picky(demo);
        demo.faults().set("nodes", Fault::Answer(403));
    })
    .await;
    let answer = site.get_until("/api/v1/placement/default/pod/picky", "403").await;
    assert!(answer.contains("may not list nodes"), "{answer}");
}

#[tokio::test]
async fn a_pod_is_placed_once_a_node_has_the_label() {
    let demo = demo::start(demo::Options { play: false, controllers: true, ..demo::Options::default() });
    for name in ["one", "two"] {
        demo.put(json!({"kind": "Node", "metadata": {"name": name}}));
    }
    demo.put(json!({
        "kind": "Pod", "metadata": {"name": "picky", "namespace": "default"},
        "spec": {"nodeSelector": {"project": "listingqc"}, "containers": [{"name": "c", "image": "i"}]},
    }));
    let site = Site::of(demo, &[]).await;
    let path = "/api/v1/placement/default/pod/picky";
    let refused = body(&site.get_until(path, "\"standing\":\"refused\"").await);
    assert_eq!(refused["scheduler"]["comparison"]["agrees"], true, "{refused}");
    site.demo.put(json!({"kind": "Node", "metadata": {"name": "two", "labels": {"project": "listingqc"}}}));
    let placed = body(&site.get_until(path, "\"standing\":\"placed\"").await);
    assert_eq!((&placed["fits"], &placed["scheduler"]), (&json!(1), &Value::Null));
}

#[tokio::test]
async fn what_is_not_listed_yet_is_not_an_empty_list() {
    let site = Site::with(|demo| demo.faults().set("pods", Fault::StallLists)).await;
    let answer = site.get_until("/api/v1/pods?output=table", "masthead-state: listing").await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
    let ready = site.get("/readyz").await;
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("pods not listed yet"), "{ready}");
    assert!(site.get("/livez").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_refused_kind_names_the_right_that_is_missing() {
    let site = Site::with(|demo| demo.faults().set("nodes", Fault::Answer(403))).await;
    let answer = site.get_until("/api/v1/nodes", "masthead-state: forbidden").await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(answer.contains("may not list nodes in the whole cluster"), "{answer}");
    site.get_until("/readyz", "200 OK").await;
}

#[tokio::test]
async fn a_namespace_that_is_refused_or_not_watched_is_an_error_and_never_empty() {
    let only = |demo: &Demo| demo.faults().set("pods", Fault::NamespacesOnly(vec!["default".to_owned()]));
    let site = Site::within(&["default", "secret"], only).await;
    let about = body(&site.get_until("/api/v1", r#"["secret",false]"#).await);
    let refused =
        |kind: &Value| kind.as_array().is_some_and(|within| within.contains(&json!(["secret", false])));
    let apart = about["about"]["apart"].as_object().expect("kinds");
    let refused: Vec<_> = apart.iter().filter(|(_, within)| refused(within)).map(|(kind, _)| kind).collect();
    assert_eq!(refused, ["Pod"], "{about}");
    let pods = site.get_until("/api/v1/pods?output=name", "pod/a").await;
    assert!(pods.contains("masthead-state: live"), "{pods}");
    let refused = site.get("/api/v1/pods?namespace=secret&output=table").await;
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    assert!(refused.contains("may not list pods in namespace secret"), "{refused}");
    assert!(refused.contains("masthead-state: ") && refused.contains("masthead-as-of: "), "{refused}");
    let elsewhere = site.get("/api/v1/pods?namespace=default,elsewhere").await;
    assert!(elsewhere.starts_with("HTTP/1.1 400"), "{elsewhere}");
    assert!(elsewhere.contains("does not watch pods in namespace elsewhere"), "{elsewhere}");
    // Kinds without namespaces are watched whole.
    let nodes = site.get_until("/api/v1/nodes?output=name", "masthead-state: live").await;
    assert!(nodes.starts_with("HTTP/1.1 200"), "{nodes}");
}

#[tokio::test]
async fn events_stream_the_same_changes_to_scripts() {
    let site = Site::new().await;
    site.get_until("/readyz", "200 OK").await;
    let mut stream = TcpStream::connect(site.address).await.expect("a connection");
    let head =
        format!("GET /api/v1/watch?kinds=pods&labelSelector=app HTTP/1.1\r\nHost: {}\r\n\r\n", site.address);
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut text = String::new();
    let mut read_until = async |part: &str| {
        let mut buffer = [0; 4096];
        while !text.contains(part) {
            let read = tokio::time::timeout(PATIENCE, stream.read(&mut buffer)).await;
            let size = read.unwrap_or_else(|_| panic!("never saw {part:?} in {text}")).expect("readable");
            assert!(size > 0, "ended before {part:?}: {text}");
            text.push_str(&String::from_utf8_lossy(&buffer[..size]));
        }
    };
    read_until("event: snapshot\n").await;
    read_until("\"name\":\"c\"").await;
    site.demo.put(pod("d", &[("app", "web")]));
    read_until("\"name\":\"d\"").await;
    site.demo.remove("pods", "default", "d");
    read_until("\"type\":\"gone\"").await;
    read_until("event: beat\n").await;
}

#[tokio::test]
async fn metrics_say_how_each_kind_is_and_whether_the_api_server_answers() {
    let site = Site::new().await;
    site.get_until("/readyz", "200 OK").await;
    let is_up = |text: &str| {
        text.contains("masthead_api_server_up 1\n")
            && text.contains("masthead_kind_state{kind=\"pods\",state=\"live\"} 1\n")
    };
    let is_down = |text: &str| {
        text.contains("masthead_api_server_up 0\n")
            && text.contains("masthead_kind_state{kind=\"pods\",state=\"stale\"} 1\n")
    };
    let text = until(&site, "/metrics", is_up).await;
    assert!(text.contains("masthead_rows{kind=\"pods\"} 3"), "{text}");
    let faults = site.demo.faults();
    faults.set(demo::ALL, Fault::Answer(500));
    until(&site, "/metrics", is_down).await;
    faults.clear(demo::ALL);
    until(&site, "/metrics", is_up).await;
}

#[tokio::test]
async fn every_answer_forbids_what_a_page_of_ours_does_not_need() {
    let site = Site::new().await;
    for path in ["/", "/api/v1/pods", "/nothing/here", "/livez"] {
        let answer = site.get(path).await.to_lowercase();
        assert!(
            answer.contains(
                "content-security-policy: default-src 'none'; script-src 'self' 'wasm-unsafe-eval' 'sha256-"
            ),
            "{path}"
        );
        assert!(answer.contains("x-content-type-options: nosniff"), "{path}");
        assert!(!answer.contains("access-control-allow-origin"), "{path}");
    }
}

#[tokio::test]
async fn a_server_told_to_stop_says_goodbye_and_ends() {
    let site = Site::new().await;
    let mut socket = site.socket("").await;
    socket.until("three pods", |viewer| viewer.pods().len() == 3).await;
    site.stop.cancel();
    assert_eq!(socket.until_closed().await.as_deref(), Some("the server is shutting down"));
    let ended = tokio::time::timeout(PATIENCE, site.running).await.expect("in time").expect("no panic");
    assert!(ended.is_ok());
}
