//! ② Translation and the text tables, against what Kubernetes itself prints.
//!
//! The lines under `fixtures` were printed by the code of Kubernetes 1.37.2 (`printers.go` for the
//! cells, cli-runtime's `tableprinter.go` for the table, kubectl's `rollout_status.go` for rollouts), for
//! the object beside them with the API server's defaults, at [`NOW`].

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // clippy.toml allows them in #[test] only, not beside it

use std::collections::BTreeSet;

use app::api::{
    ControllerRevision, DaemonSet, Deployment, Detail, EndpointSlice, Event, Health, Labels, Lease,
    Namespace, Node, Pod, PodDisruptionBudget, ReplicaSet, ReplicationController, ResourceList, Row, Service,
    StatefulSet, Timestamp,
    detail::{ContainerState, Role},
    needs::Unread,
    picture::Bounds,
    probe::ProbeHandler,
    rollout::Verdict,
};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use server::{
    http::text,
    source::translate::{self, Translate},
};

/// 2026-11-23T16:00:00Z
const NOW: Timestamp = Timestamp(1_795_449_600);

#[derive(Deserialize)]
struct Case {
    case: String,
    kubectl: Vec<String>,
    rollout: Option<String>,
    health: Health,
    why: String,
    object: Value,
}

fn read<T: Translate>(object: &Value) -> T {
    translate::row(&object.to_string()).unwrap_or_else(|error| panic!("{error}"))
}

/// Every case of a file; `more` checks what only this kind has.
fn check<T: Translate>(file: &str, more: impl Fn(&Case, &T)) {
    let cases: Vec<Case> = serde_json::from_str(file).expect("a file of cases");
    for case in cases {
        let row: T = read(&case.object);
        let table = text::table(&[&row], true, true, NOW);
        assert_eq!(table.lines().collect::<Vec<_>>(), case.kubectl, "{}", case.case);
        assert_eq!((row.health(), row.why()), (case.health, case.why.as_str()), "{}", case.case);
        more(&case, &row);
    }
}

#[test]
fn an_object_of_a_watch_and_an_item_of_a_list_are_the_same_until_it_is_written_again() {
    let mut object = json!({"metadata": {"name": "a", "annotations": {"b": "c"}}, "spec": {}});
    let item = translate::fingerprint(&object.to_string());
    object["kind"] = json!("Pod");
    object["apiVersion"] = json!("v1");
    assert_eq!(translate::fingerprint(&object.to_string()), item);
    object["metadata"]["managedFields"] = json!([{"time": "2026-11-17T14:03:22Z"}]);
    assert_ne!(translate::fingerprint(&object.to_string()), item, "no row has it");
}

#[test]
fn pods_print_as_kubectl_prints_them() {
    check::<Pod>(include_str!("fixtures/pods.json"), |_, _| {});
}

#[test]
fn nodes_print_as_kubectl_prints_them() {
    check::<Node>(include_str!("fixtures/nodes.json"), |_, _| {});
}

#[test]
fn namespaces_print_as_kubectl_prints_them() {
    check::<Namespace>(include_str!("fixtures/namespaces.json"), |_, _| {});
}

#[test]
fn services_print_as_kubectl_prints_them() {
    check::<Service>(include_str!("fixtures/services.json"), |_, _| {});
}

#[test]
fn endpoint_slices_print_as_kubectl_prints_them() {
    check::<EndpointSlice>(include_str!("fixtures/endpointslices.json"), |_, _| {});
}

#[test]
fn budgets_print_as_kubectl_prints_them() {
    check::<PodDisruptionBudget>(include_str!("fixtures/poddisruptionbudgets.json"), |_, _| {});
}

#[test]
fn leases_print_as_kubectl_prints_them() {
    check::<Lease>(include_str!("fixtures/leases.json"), |_, _| {});
}

#[test]
fn deployments_and_their_rollouts_print_as_kubectl_prints_them() {
    check::<Deployment>(include_str!("fixtures/deployments.json"), same_rollout);
}

#[test]
fn daemon_sets_and_their_rollouts_print_as_kubectl_prints_them() {
    check::<DaemonSet>(include_str!("fixtures/daemonsets.json"), same_rollout);
}

#[test]
fn stateful_sets_and_their_rollouts_print_as_kubectl_prints_them() {
    check::<StatefulSet>(include_str!("fixtures/statefulsets.json"), same_rollout);
}

fn same_rollout<T: Row>(case: &Case, row: &T) {
    assert_eq!(row.rollout().map(|rollout| rollout.sentence), case.rollout, "{}", case.case);
}

#[test]
fn replica_sets_print_as_kubectl_prints_them() {
    check::<ReplicaSet>(include_str!("fixtures/replicasets.json"), |_, _| {});
}

#[test]
fn replication_controllers_print_as_kubectl_prints_them() {
    check::<ReplicationController>(include_str!("fixtures/replicationcontrollers.json"), |_, _| {});
}

#[test]
fn events_print_as_kubectl_prints_them() {
    check::<Event>(include_str!("fixtures/events.json"), |_, _| {});
}

#[test]
fn an_event_is_selected_by_its_source_in_either_style() {
    for (event, source, reporting) in [
        (json!({"source": {"component": "kubelet"}, "reportingComponent": "kubelet"}), "kubelet", "kubelet"),
        (json!({"source": {"component": "old, host", "host": "n"}}), "old, host", ""),
        (json!({"reportingComponent": "scheduler", "reportingInstance": "s-1"}), "scheduler", "scheduler"),
    ] {
        let event: Event = read(&event);
        let found = [&*event.component, &*event.reporting_component];
        assert_eq!(found, [source, reporting], "{event:?}");
    }
}

#[test]
fn controller_revisions_print_as_kubectl_prints_them_and_owe_us_nothing() {
    let revision = |data: Value| {
        json!({
            "metadata": {"name": "db-7d4f", "creationTimestamp": "2026-11-22T16:00:00Z", "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "u", "controller": true}]},
            "revision": 3,
            "data": data,
        })
    };
    let template = json!({"spec": {"template": {"$patch": "replace", "spec": {"containers": [{"name": "db", "image": "db:1"}]}}}});
    for (data, images) in [(template, 1), (json!({"spec": 5}), 0), (json!("YWJj"), 0), (json!(null), 0)] {
        let row: ControllerRevision = read(&revision(data));
        assert_eq!(
            text::table(&[&row], true, false, NOW),
            "NAME      CONTROLLER            REVISION   AGE\ndb-7d4f   statefulset.apps/db   3          24h\n"
        );
        assert_eq!(row.images.len(), images);
    }
    let orphan: ControllerRevision = read(&json!({"metadata": {"name": "a"}}));
    assert_eq!((orphan.controller.as_str(), orphan.revision), ("<none>", 0));
}

#[test]
fn a_long_table_is_as_wide_as_its_page_of_500() {
    let row = |at: usize| {
        let name = match at {
            120 => "a-longer-name".to_owned(),
            505 => "the-longest-name-of-all".to_owned(),
            at => format!("n{at}"),
        };
        read::<Namespace>(&json!({"metadata": {"name": name, "creationTimestamp": "2026-11-22T16:00:00Z"}}))
    };
    let rows: Vec<_> = (0..620).map(row).collect();
    let table = text::table(&rows.iter().collect::<Vec<_>>(), false, true, NOW);
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 621);
    for (at, line) in [
        (0, "NAME            STATUS   AGE"),
        (1, "n0              Active   24h"),
        (121, "a-longer-name   Active   24h"),
        (500, "n499            Active   24h"),
        (501, "n500                      Active   24h"),
        (506, "the-longest-name-of-all   Active   24h"),
        (507, "n506                      Active   24h"),
        (620, "n619                      Active   24h"),
    ] {
        assert_eq!(lines[at], line, "line {at}");
    }
}

#[test]
fn names_and_nothing() {
    let pod: Pod = read(&json!({"metadata": {"name": "web-1", "namespace": "default"}}));
    let deployment: Deployment = read(&json!({"metadata": {"name": "web"}}));
    assert_eq!(text::names(&[&pod, &pod]), "pod/web-1\npod/web-1\n");
    assert_eq!(text::names(&[&deployment]), "deployment.apps/web\n");
    assert_eq!(text::table::<Pod>(&[], true, true, NOW), "");
    assert_eq!(text::nothing_found(Some("default")), "No resources found in default namespace.");
    assert_eq!(text::nothing_found(None), "No resources found");
}

const POD: &str = include_str!("fixtures/whole/pod.json");
const DEPLOYMENT: &str = include_str!("fixtures/whole/deployment.json");
const DAEMON_SET: &str = include_str!("fixtures/whole/daemonset.json");
const STATEFUL_SET: &str = include_str!("fixtures/whole/statefulset.json");
const SERVICE: &str = include_str!("fixtures/whole/service.json");
const ENDPOINT_SLICE: &str = include_str!("fixtures/whole/endpointslice.json");
const BUDGET: &str = include_str!("fixtures/whole/poddisruptionbudget.json");
const LEASE: &str = include_str!("fixtures/whole/lease.json");

fn whole(json: &str) -> Value {
    serde_json::from_str(json).expect("a whole object")
}

fn facts(detail: &Detail) -> Vec<(&str, &str)> {
    detail.facts.iter().map(|(label, value)| (label.as_str(), &**value)).collect()
}

#[test]
fn a_pods_own_page() {
    let pod: Pod = read(&whole(POD));
    let owner = pod.meta.owner.as_ref().expect("a controller");
    assert_eq!((owner.kind.as_str(), owner.name.as_str()), ("ReplicaSet", "web"));
    assert_eq!(&*pod.images, [("app".into(), "app:1".into())]);
    // the init container asks for more CPU than the regular one; overhead comes on top
    assert_eq!(amounts(&pod.requests), [("cpu", 1010), ("memory", 1 << 30)]);
    assert_eq!(pod.detail.needs.requests, pod.requests);
    assert_eq!(amounts(&pod.limits), [("memory", 2 << 30)]);

    let detail = &*pod.detail;
    assert_eq!(&*detail.uid, "u1");
    assert_eq!(
        detail.conditions[0].last_transition.map(|at| at.to_string()).as_deref(),
        Some("2026-11-23T15:00:02Z")
    );
    assert_eq!(detail.needs.node_selector.to_string(), "disk=ssd");
    assert_eq!(detail.needs.tolerations_by_key(), ["k=v:NoExecute for 300s"]);
    assert_eq!(
        facts(detail),
        [
            ("Priority", "5"),
            ("Priority Class Name", "high"),
            ("Runtime Class Name", "runc"),
            ("Service Account", "sa"),
            ("Host IP", "10.1.0.1"),
            ("Start Time", "2026-11-23T15:00:01Z"),
            ("Termination Grace Period", "30s"),
            ("Reason", "sr"),
            ("Message", "sm"),
            ("IPs", "10.0.0.1"),
            ("Restart Policy", "Always"),
            ("Scheduler", "default-scheduler"),
            ("QoS Class", "Burstable"),
            ("Finalizers", "example.com/f"),
        ]
    );

    let [init, app, debug] = &detail.containers[..] else { panic!("three containers") };
    assert_eq!((init.role, app.role, debug.role), (Role::Init, Role::Regular, Role::Ephemeral));
    assert_eq!(app.ports.iter().map(ToString::to_string).collect::<Vec<_>>(), ["http 80/TCP"]);
    assert_eq!(app.requests, [("cpu".into(), "100m".into()), ("memory".into(), "1Gi".into())]);
    assert_eq!(app.limits, [("memory".into(), "2Gi".into())]);
    let probes: Vec<_> = app.probes.iter().map(|probe| format!("{}: {probe}", probe.kind.word())).collect();
    let tail = "period=10s successThreshold=1 failureThreshold=3";
    assert_eq!(
        probes,
        [
            "Liveness: exec [2 words withheld] delay=0s timeout=1s period=5s successThreshold=1 failureThreshold=3"
                .to_owned(),
            format!("Readiness: http-get https://h:http/ready%3Fq=1 delay=0s timeout=1s {tail}"),
            format!("Startup: grpc <pod>:5000 svc delay=0s timeout=1s {tail}"),
        ]
    );
    let status = app.status.as_ref().expect("a status");
    assert_eq!((status.ready, status.started, status.restarts), (false, Some(false), 3));
    assert_eq!(status.state.to_string(), "Waiting: CrashLoopBackOff");
    assert_eq!(status.last.as_ref().map(|end| end.exit_code), Some(1));
    assert!(matches!(
        debug.status.as_ref().map(|s| &s.state),
        Some(ContainerState::Running { since: Some(_) })
    ));
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
}

#[test]
fn a_services_own_page() {
    let service: Service = read(&whole(SERVICE));
    let ports: Vec<_> = service
        .ports
        .iter()
        .map(|port| {
            (port.name.as_str(), port.port, port.target.as_str(), port.node_port, port.app_protocol.as_str())
        })
        .collect();
    assert_eq!(ports, [("http", 80, "web", 30080, "kubernetes.io/h2c"), ("dns", 53, "5353", 0, "")]);
    assert!(service.publish_not_ready && service.has_pods() && !service.is_headless());
    assert_eq!(
        facts(&service.detail),
        [
            ("IP Family Policy", "PreferDualStack"),
            ("IP Families", "IPv4,IPv6"),
            ("IPs", "10.96.0.7,fd00::7"),
            ("External IPs", "192.0.2.9"),
            ("Desired LoadBalancer IP", "203.0.113.1"),
            ("External Name", "db.example.com"),
            ("LoadBalancer Ingress", "203.0.113.9 (VIP), lb.example.com"),
            ("LoadBalancer Class", "example.com/lb"),
            ("Session Affinity", "ClientIP"),
            ("External Traffic Policy", "Local"),
            ("Internal Traffic Policy", "Cluster"),
            ("HealthCheck NodePort", "30999"),
            ("LoadBalancer Source Ranges", "198.51.100.0/24"),
            ("Traffic Distribution", "PreferSameZone"),
        ]
    );
}

#[test]
fn a_service_selects_pods_of_its_namespace_and_without_a_selector_none() {
    let service =
        |spec: Value| read::<Service>(&json!({"metadata": {"name": "s", "namespace": "a"}, "spec": spec}));
    let pod = labels(&[("app", "web"), ("tier", "front")]);
    let selected = |spec: Value| service(spec).selects("a", &pod);
    assert!(selected(json!({"selector": {"app": "web"}})));
    assert!(selected(json!({"selector": {"app": "web", "tier": "front"}})));
    assert!(!selected(json!({"selector": {"app": "web", "tier": "back"}})));
    assert!(!selected(json!({"selector": {"role": ""}})), "an absent label is not an empty one");
    assert!(
        !selected(json!({"selector": {}})) && !selected(json!({"selector": null})) && !selected(json!({}))
    );
    assert!(!selected(json!({"type": "ExternalName", "selector": {"app": "web"}})));
    assert!(!service(json!({"selector": {"app": "web"}})).selects("b", &pod));
    assert!(service(json!({"clusterIPs": ["None"]})).is_headless());
}

#[test]
fn what_an_endpoint_does_not_say_is_what_kubernetes_takes_it_for() {
    let slice: EndpointSlice = read(&whole(ENDPOINT_SLICE));
    assert_eq!(
        (slice.service.as_str(), slice.meta.owner.as_ref().map(|owner| owner.name.as_str())),
        ("web", Some("web"))
    );
    let said: Vec<_> = slice
        .endpoints
        .iter()
        .map(|endpoint| {
            (endpoint.ready, endpoint.is_ready(), endpoint.is_serving(), endpoint.is_terminating())
        })
        .collect();
    assert_eq!(said, [(Some(false), false, true, true), (None, true, true, false)]);
    let target = slice.endpoints[0].target.as_ref().expect("a target");
    assert_eq!((target.kind.as_str(), &*target.name), ("Pod", "db-0"));
    let pod = json!({"metadata": {"name": "db-0", "uid": "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"}});
    assert!(slice.endpoints[0].is_pod(read::<Pod>(&pod).meta.uid));
    assert!(slice.endpoints[1].target.is_none());
    assert!(slice.is_of("default", "web") && !slice.is_of("other", "web"));
}

#[test]
fn a_pod_with_as_many_containers_as_have_room_in_it_is_read_at_once() {
    let begun = std::time::Instant::now();
    let named =
        |prefix: &str| (0..15_000).map(|i| json!({"name": format!("{prefix}{i}")})).collect::<Vec<_>>();
    let pod: Pod = read(&json!({
        "metadata": {"name": "many"},
        "spec": {"containers": named("c"), "initContainers": named("i")},
        "status": {"containerStatuses": named("c"), "initContainerStatuses": named("i")},
    }));
    assert!(pod.detail.containers.iter().all(|container| container.status.is_some()));
    assert!(begun.elapsed().as_secs() < 5, "it took {:?}", begun.elapsed());
}

#[test]
fn a_slice_holds_a_thousand_endpoints() {
    let mut json = whole(ENDPOINT_SLICE);
    json["endpoints"] =
        (0..1000).map(|at| json!({"addresses": [format!("10.0.{}.{}", at / 250, at % 250)]})).collect();
    let slice: EndpointSlice = read(&json);
    assert_eq!(slice.endpoints.len(), 1000);
    assert_eq!(slice.endpoints_cell(), "10.0.0.0,10.0.0.1,10.0.0.2 + 997 more...");
}

#[test]
fn a_budget_covers_what_it_selects_and_an_empty_selector_everything() {
    let covers = |selector: Value, pod: &[(&str, &str)]| {
        let budget: PodDisruptionBudget =
            read(&json!({"metadata": {"name": "b"}, "spec": {"selector": selector}}));
        budget.selects().is_some_and(|selector| selector.matches(&labels(pod)))
    };
    let web: &[_] = &[("app", "web")];
    assert!(covers(json!({"matchLabels": {"app": "web"}}), web));
    assert!(!covers(json!({"matchLabels": {"app": "db"}}), web));
    assert!(covers(json!({"matchExpressions": [{"key": "app", "operator": "Exists"}]}), web));
    assert!(covers(json!({}), web) && covers(json!({}), &[]));
    assert!(!covers(Value::Null, web), "unset covers nothing");
    assert!(!covers(json!({"matchExpressions": [{"key": "app", "operator": "Like"}]}), web));
    let budget: PodDisruptionBudget = read(&whole(BUDGET));
    assert_eq!(
        facts(&budget.detail),
        [
            ("Min available", "50%"),
            ("Selector", "app=web,tier in (a,b)"),
            ("Allowed disruptions", "1"),
            ("Current", "3"),
            ("Desired", "2"),
            ("Total", "3"),
            ("Unhealthy Pod Eviction Policy", "AlwaysAllow"),
        ]
    );
}

#[test]
fn a_lease_expires_when_it_was_not_renewed_for_as_long_as_it_is_good() {
    let lease: Lease = read(&whole(LEASE));
    let renewed = lease.renewed.expect("a time").0;
    assert_eq!(lease.silent_for(NOW), Some(4));
    let expired = |lease: &Lease, seconds: i64| lease.is_expired(Timestamp(renewed + seconds));
    assert!(!expired(&lease, -5) && !expired(&lease, 40) && expired(&lease, 41));
    assert_eq!(lease.silent_for(Timestamp(renewed - 5)), Some(0), "the kubelet's clock may be ahead");
    let odd: Lease = read(&json!({"metadata": {"name": "n"}, "spec": {"renewTime": "soon"}}));
    assert_eq!((odd.silent_for(NOW), odd.is_expired(NOW)), (None, false));
}

#[test]
fn probes_have_the_api_servers_defaults() {
    let probe = |probe: Value| {
        let container = json!({"name": "a", "livenessProbe": probe});
        let pod: Pod = read(&json!({"metadata": {"name": "p"}, "spec": {"containers": [container]}}));
        pod.detail.containers[0].probes[0].clone()
    };
    let tail = "delay=0s timeout=1s period=10s successThreshold=1 failureThreshold=3";
    for (json, text) in [
        (json!({"httpGet": {"port": 8080}}), format!("http-get http://:8080/ {tail}")),
        (
            json!({"httpGet": {"port": "web", "path": "/a b", "host": "::1"}}),
            format!("http-get http://[::1]:web/a%20b {tail}"),
        ),
        (json!({"tcpSocket": {"port": 1}}), format!("tcp-socket :1 {tail}")),
        (json!({"grpc": {"port": 1, "service": null}}), format!("grpc <pod>:1  {tail}")),
        (json!({"timeoutSeconds": 0}), format!("unknown {tail}")),
    ] {
        assert_eq!(probe(json).to_string(), text);
    }
    let counted = probe(json!({"exec": {"command": ["sh", "-c", "secret"]}}));
    assert_eq!(counted.handler, ProbeHandler::Exec { words: 3 });
}

#[test]
fn tolerations_read_as_kubectl_describe_prints_them() {
    let tolerations = json!([
        {"operator": "Exists"},
        {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
        {"key": "b", "operator": "Equal", "value": "1"},
        {"key": "a", "value": "2", "effect": "NoSchedule"},
    ]);
    let pod: Pod = read(&json!({"metadata": {"name": "p"}, "spec": {"tolerations": tolerations}}));
    assert_eq!(
        pod.detail.needs.tolerations_by_key(),
        ["op=Exists", "a=2:NoSchedule", "b=1", "node.kubernetes.io/not-ready:NoExecute op=Exists for 300s"]
    );
}

#[test]
fn a_deployments_own_page() {
    let deployment: Deployment = read(&whole(DEPLOYMENT));
    assert_eq!(deployment.revision, Some(4));
    assert_eq!(deployment.selector, "app=web,tier in (a)");
    assert_eq!(deployment.bounds, Some(Bounds { floor: 3, ceiling: 5 }));
    assert_eq!(deployment.deadline.map(|at| at.to_string()).as_deref(), Some("2026-11-23T16:00:00Z"));
    assert_eq!(
        facts(&deployment.detail),
        [
            ("StrategyType", "RollingUpdate"),
            ("MinReadySeconds", "5"),
            ("RollingUpdateStrategy", "1 max unavailable, 25% max surge"),
            ("Progress Deadline", "600s"),
            ("Revision History Limit", "3"),
            ("Change Cause", "c"),
            ("Service Account", "sa"),
            ("Priority Class Name", "high"),
            ("Restarted At", "r"),
        ]
    );
    assert!(deployment.detail.containers[0].status.is_none());
}

#[test]
fn a_daemon_sets_own_page() {
    let set: DaemonSet = read(&whole(DAEMON_SET));
    assert_eq!((set.node_selector.as_str(), set.selector.as_str()), ("disk=ssd", "app=agent,tier in (a)"));
    let rollout = set.rollout().expect("a rollout");
    assert_eq!(
        (rollout.verdict, rollout.updated, rollout.desired, rollout.available),
        (Verdict::Waiting, 2, 4, 4)
    );
    assert_eq!(
        facts(&set.detail),
        [
            ("Number of Nodes Misscheduled", "1"),
            ("Update Strategy", "RollingUpdate"),
            ("RollingUpdateStrategy", "2 max unavailable, 0 max surge"),
            ("MinReadySeconds", "5"),
            ("Revision History Limit", "3"),
            ("Change Cause", "c"),
            ("Service Account", "sa"),
            ("Priority Class Name", "high"),
            ("Restarted At", "r"),
        ]
    );
    let bare: DaemonSet = read(&json!({"metadata": {"name": "agent"}}));
    assert_eq!(
        facts(&bare.detail),
        [("Update Strategy", "RollingUpdate"), ("RollingUpdateStrategy", "1 max unavailable, 0 max surge")]
    );
}

#[test]
fn a_stateful_sets_own_page() {
    let set: StatefulSet = read(&whole(STATEFUL_SET));
    assert_eq!(set.selector, "app=db,tier in (a)");
    assert_eq!(set.meta.owner.as_ref().map(|owner| owner.kind.as_str()), Some("Database"));
    let rollout = set.rollout().expect("a rollout");
    assert_eq!(
        (rollout.verdict, rollout.updated, rollout.desired, rollout.available),
        (Verdict::Waiting, 2, 4, 4)
    );
    assert_eq!(
        facts(&set.detail),
        [
            ("Service Name", "db-headless"),
            ("Pod Management Policy", "OrderedReady"),
            ("Update Strategy", "RollingUpdate"),
            ("Partition", "1"),
            ("MaxUnavailable", "25%"),
            ("MinReadySeconds", "5"),
            ("Revision History Limit", "3"),
            ("Current Revision", "db-1"),
            ("Update Revision", "db-2"),
            ("Change Cause", "c"),
            ("Service Account", "sa"),
            ("Priority Class Name", "high"),
            ("Restarted At", "r"),
        ]
    );
}

#[test]
fn a_rollout_has_ended_where_kubectl_ends() {
    let ended = |strategy: &str, available: u32| {
        let status = json!({
            "observedGeneration": 1, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2,
            "numberAvailable": available, "readyReplicas": available, "updatedReplicas": 2,
        });
        let spec = json!({"replicas": 2, "updateStrategy": {"type": strategy}});
        let json = json!({"metadata": {"name": "s", "generation": 1}, "spec": spec, "status": status});
        (
            read::<DaemonSet>(&json).rollout.verdict().ended(),
            read::<StatefulSet>(&json).rollout.verdict().ended(),
        )
    };
    assert_eq!(ended("RollingUpdate", 1), (false, false));
    assert_eq!(ended("RollingUpdate", 2), (true, true));
    assert_eq!(ended("OnDelete", 1), (true, true));
}

#[test]
fn counts_beyond_all_bounds_are_the_largest_there_are() {
    for number in [i64::MIN, -1, i64::MAX] {
        let status = json!({
            "observedGeneration": 1, "desiredNumberScheduled": number, "currentNumberScheduled": number,
            "updatedNumberScheduled": number, "numberReady": number, "numberAvailable": number,
            "replicas": number, "readyReplicas": number, "updatedReplicas": number, "availableReplicas": number,
        });
        for partition in [i64::MIN, i64::MAX] {
            let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": partition}});
            let spec = json!({"replicas": 3, "updateStrategy": strategy});
            let json = json!({"metadata": {"name": "s"}, "spec": spec, "status": status});
            let printed = i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX });
            let daemon: DaemonSet = read(&json);
            assert_eq!(daemon.desired, printed);
            let stateful: StatefulSet = read(&json);
            assert_eq!((stateful.ready, stateful.desired), (printed, 3));
            assert_ne!(stateful.health, Health::Healthy, "{json}");
        }
    }
}

#[test]
fn the_bounds_of_a_rollout_resolve_as_the_controller_resolves_them() {
    for (replicas, strategy, bounds) in [
        (3, json!({}), (3, 4)),
        (4, json!({"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}), (3, 5)),
        (3, json!({"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "25%"}}), (2, 3)),
        (2, json!({"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 5}}), (0, 2)),
        (0, json!({"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}), (0, 1)),
        (3, json!({"type": "Recreate"}), (0, 3)),
        (3, json!({"rollingUpdate": {"maxSurge": "many", "maxUnavailable": 1}}), (2, 3)),
    ] {
        let json = json!({"metadata": {"name": "d"}, "spec": {"replicas": replicas, "strategy": strategy}});
        let deployment: Deployment = read(&json);
        assert_eq!(deployment.bounds, Some(Bounds { floor: bounds.0, ceiling: bounds.1 }), "{json}");
    }
}

#[test]
fn a_deadline_runs_only_while_something_is_awaited() {
    let with = |path: &str, value: Value| {
        let mut json = whole(DEPLOYMENT);
        *json.pointer_mut(path).expect(path) = value;
        read::<Deployment>(&json).deadline
    };
    assert!(with("/spec/replicas", json!(4)).is_some());
    assert!(with("/spec/paused", json!(true)).is_none());
    assert!(with("/spec/progressDeadlineSeconds", json!(i32::MAX)).is_none());
    assert!(with("/spec/progressDeadlineSeconds", Value::Null).is_none());
    assert!(with("/status/conditions/0/reason", json!("NewReplicaSetAvailable")).is_none());
    assert!(with("/status/conditions/0/reason", json!("ProgressDeadlineExceeded")).is_none());
    assert!(with("/status/conditions", json!([])).is_none());
}

#[test]
fn a_replica_set_knows_its_revision_and_its_cause() {
    let of = |own: Value, template: Value| {
        let row: ReplicaSet = read(&json!({
            "metadata": {"name": "r", "annotations": own},
            "spec": {"template": {"metadata": {"annotations": template}}},
        }));
        (row.replicas.revision, row.replicas.change_cause.to_string())
    };
    let cause = |text| json!({"kubernetes.io/change-cause": text});
    assert_eq!(of(json!({"deployment.kubernetes.io/revision": "3"}), cause("t")), (Some(3), "t".to_owned()));
    assert_eq!(of(cause("own"), cause("t")), (Some(0), "own".to_owned()));
    assert_eq!(of(json!({"deployment.kubernetes.io/revision": "x"}), Value::Null), (None, String::new()));
}

#[test]
fn requests_add_up_as_the_scheduler_adds_them() {
    let container = |cpu: &str| json!({"resources": {"requests": {"cpu": cpu}}});
    let sidecar = |cpu: &str| json!({"restartPolicy": "Always", "resources": {"requests": {"cpu": cpu}}});
    for (spec, cpu) in [
        (json!({}), 0),
        (json!({"containers": [container("1"), container("250m")]}), 1250),
        (json!({"containers": [{"resources": {"limits": {"cpu": "2"}}}]}), 2000),
        (json!({"containers": [container("1")], "initContainers": [container("3"), container("2")]}), 3000),
        (json!({"containers": [container("1")], "initContainers": [sidecar("500m")]}), 1500),
        (json!({"containers": [container("1")], "initContainers": [sidecar("500m"), container("2")]}), 2500),
        (json!({"containers": [container("1")], "initContainers": [container("2"), sidecar("500m")]}), 2000),
        (json!({"containers": [container("1")], "overhead": {"cpu": "100m"}}), 1100),
        (json!({"containers": [container("1")], "resources": {"requests": {"cpu": "4"}}}), 4000),
        (json!({"containers": [container("a lot")]}), 0),
    ] {
        let pod: Pod = read(&json!({"metadata": {"name": "p"}, "spec": spec}));
        assert_eq!(pod.requests.get("cpu"), cpu, "{spec}");
    }
}

fn amounts(list: &ResourceList) -> Vec<(&str, u64)> {
    list.iter().map(|(name, amount)| (name.as_str(), amount)).collect()
}

/// A pod of one container with these resources, and these of its own.
fn asking(container: Value, own: Value) -> Pod {
    let spec = json!({"containers": [{"resources": container}], "resources": own});
    read(&json!({"metadata": {"name": "p"}, "spec": spec}))
}

#[test]
fn requests_are_of_every_resource_the_scheduler_counts_rounded_once() {
    let list = json!({
        "cpu": "100m", "memory": "1500m", "ephemeral-storage": "1Gi", "hugepages-2Mi": "4Mi",
        "example.com/gpu": "2", "attachable-volumes-x": 1, "example.com/none": "0", "odd": "3", "requests.cpu/x": 1,
    });
    let spec = json!({"containers": [{"resources": {"requests": list}}, {"resources": {"requests": {"memory": "1500m"}}}]});
    let pod: Pod = read(&json!({"metadata": {"name": "p"}, "spec": spec}));
    assert_eq!(
        amounts(&pod.requests),
        [
            ("attachable-volumes-x", 1),
            ("cpu", 100),
            ("ephemeral-storage", 1 << 30),
            ("example.com/gpu", 2),
            ("hugepages-2Mi", 4 << 20),
            ("memory", 3),
        ]
    );
    assert!(pod.limits.is_empty());
}

#[test]
fn what_is_asked_for_the_pod_as_a_whole_holds_instead_of_the_sum() {
    let nothing = json!({});
    for (container, own, requests, limits) in [
        (json!({"requests": {"cpu": "1"}}), json!({"requests": {"cpu": "500m"}}), vec![("cpu", 500)], vec![]),
        // only CPU, memory and huge pages can be asked for as a whole
        (nothing.clone(), json!({"requests": {"example.com/gpu": "1"}}), vec![], vec![]),
        // a limit is the request, unless a container asks for some of it
        (nothing.clone(), json!({"limits": {"cpu": "2"}}), vec![("cpu", 2000)], vec![("cpu", 2000)]),
        (
            json!({"requests": {"cpu": "1"}}),
            json!({"limits": {"cpu": "2"}}),
            vec![("cpu", 1000)],
            vec![("cpu", 2000)],
        ),
        (
            json!({"limits": {"hugepages-2Mi": "2Mi"}}),
            json!({"limits": {"hugepages-2Mi": "4Mi"}}),
            vec![("hugepages-2Mi", 4 << 20)],
            vec![("hugepages-2Mi", 4 << 20)],
        ),
    ] {
        let pod = asking(container.clone(), own.clone());
        assert_eq!((amounts(&pod.requests), amounts(&pod.limits)), (requests, limits), "{container} {own}");
        assert_eq!(pod.resizing, None);
    }
}

#[test]
fn limits_add_up_as_kubectl_adds_them() {
    let limits = |list: Value| json!({"resources": {"limits": list}});
    let spec = json!({
        "initContainers": [limits(json!({"cpu": "3"}))],
        "containers": [limits(json!({"cpu": "1", "memory": "1Ki"})), limits(json!({"cpu": "1"}))],
        "overhead": {"memory": "1Ki", "ephemeral-storage": "1Ki"},
    });
    let pod: Pod = read(&json!({"metadata": {"name": "p"}, "spec": spec}));
    assert_eq!(amounts(&pod.limits), [("cpu", 3000), ("memory", 2048)]);
}

#[test]
fn while_a_pod_is_resized_the_most_of_it_counts_on_its_node() {
    let pod = |status: Value| -> Pod {
        let spec =
            json!({"nodeName": "n", "containers": [{"name": "a", "resources": {"requests": {"cpu": "1"}}}]});
        read(&json!({"metadata": {"name": "p"}, "spec": spec, "status": status}))
    };
    let running = |cpu: &str| json!([{"name": "a", "allocatedResources": {"cpu": cpu}, "resources": {"requests": {"cpu": cpu}}}]);
    assert_eq!(pod(json!({})).resizing, None);
    assert_eq!(pod(json!({"containerStatuses": running("1")})).resizing, None);
    let smaller = pod(json!({"containerStatuses": running("2")}));
    assert_eq!(
        (amounts(&smaller.requests), amounts(smaller.counted())),
        (vec![("cpu", 1000)], vec![("cpu", 2000)])
    );
    // larger than is there: what is asked for counts, unless the node will never have it
    assert_eq!(amounts(pod(json!({"containerStatuses": running("500m")})).counted()), [("cpu", 1000)]);
    let never = json!([{"type": "PodResizePending", "status": "True", "reason": "Infeasible"}]);
    let infeasible = pod(json!({"containerStatuses": running("500m"), "conditions": never}));
    assert_eq!(amounts(infeasible.counted()), [("cpu", 500)]);
}

#[test]
fn what_a_pod_asks_of_its_node_is_read() {
    let pod = |spec: Value| -> Pod { read(&json!({"metadata": {"name": "p"}, "spec": spec})) };
    let needs = |spec: Value| pod(spec).detail.needs.clone();
    let ports = needs(json!({
        "containers": [{"ports": [
            {"containerPort": 1, "hostPort": 80}, {"containerPort": 2, "hostPort": 53, "protocol": "UDP", "hostIP": "10.0.0.1"},
            {"containerPort": 3}, {"containerPort": 4, "hostPort": 70000},
        ]}],
        "initContainers": [
            {"ports": [{"containerPort": 5, "hostPort": 81}]},
            {"restartPolicy": "Always", "ports": [{"containerPort": 5, "hostPort": 82}]},
        ],
    }));
    let printed: Vec<_> = ports.host_ports.iter().map(ToString::to_string).collect();
    assert_eq!(printed, ["80/TCP", "82/TCP", "10.0.0.1:53/UDP"]);
    let host = pod(json!({"hostNetwork": true, "containers": [{"ports": [{"containerPort": 9}]}]}));
    assert_eq!(host.host_ports.iter().map(ToString::to_string).collect::<Vec<_>>(), ["9/TCP"]);

    let term = |term: Value| {
        let affinity =
            json!({"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}});
        let needs = needs(json!({"affinity": {"nodeAffinity": affinity}}));
        let term = needs.affinity.expect("required")[0].clone();
        let parts =
            term.labels.iter().map(ToString::to_string).chain(term.names.iter().map(ToString::to_string));
        (parts.collect::<Vec<_>>().join(" "), term.never)
    };
    let expression = |operator: &str, values: Value| {
        term(json!({"matchExpressions": [{"key": "k", "operator": operator, "values": values}]}))
    };
    for (operator, values, printed, never) in [
        ("In", json!(["b", "a"]), "k in (a,b)", false),
        ("In", json!([]), "", true),
        ("NotIn", json!(["a"]), "k notin (a)", false),
        ("Exists", Value::Null, "k", false),
        ("Exists", json!(["a"]), "", true),
        ("DoesNotExist", json!([]), "!k", false),
        ("Gt", json!(["5"]), "k>5", false),
        ("Lt", json!(["5"]), "k<5", false),
        ("Lt", json!(["five"]), "", true),
        ("Gt", json!(["1", "2"]), "", true),
        ("Near", json!(["a"]), "", true),
        ("In", json!(["no label's value"]), "", true),
    ] {
        assert_eq!(expression(operator, values.clone()), (printed.to_owned(), never), "{operator} {values}");
    }
    let field = |operator: &str, values: Value| {
        term(json!({"matchFields": [{"key": "metadata.name", "operator": operator, "values": values}]}))
    };
    assert_eq!(field("In", json!(["n"])), ("metadata.name=n".to_owned(), false));
    assert_eq!(field("NotIn", json!(["n"])), ("metadata.name!=n".to_owned(), false));
    assert_eq!(field("In", json!(["n", "m"])), (String::new(), true));
    assert_eq!(term(json!({})), (String::new(), true));
    assert_eq!(needs(json!({"affinity": {"nodeAffinity": {}}})).affinity, None);

    let required = json!({"requiredDuringSchedulingIgnoredDuringExecution": [{}]});
    let gated = pod(json!({
        "schedulerName": "mine", "schedulingGates": [{"name": "g"}], "resourceClaims": [{}],
        "affinity": {"podAffinity": required, "podAntiAffinity": required},
        "topologySpreadConstraints": [{"whenUnsatisfiable": "DoNotSchedule"}],
        "volumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "persistentVolumeClaim": {"claimName": "c"}}],
    }));
    let needs = &gated.detail.needs;
    assert!(gated.keeps_away);
    assert_eq!((needs.scheduler.as_str(), &needs.gates[..]), ("mine", &["g".into()][..]));
    assert_eq!(
        needs.unread,
        [
            Unread::PodAffinity,
            Unread::PodAntiAffinity,
            Unread::TopologySpread,
            Unread::Volumes,
            Unread::ResourceClaims
        ]
    );
    let usual = pod(json!({
        "affinity": {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{}]}},
        "topologySpreadConstraints": [{"whenUnsatisfiable": "ScheduleAnyway"}],
        "volumes": [{"name": "kube-api-access", "projected": {}}, {"name": "x", "csi": null}, null],
    }));
    assert_eq!(usual.detail.needs.unread, []);
}

#[test]
fn a_template_with_volume_claims_has_volumes() {
    let set: StatefulSet = read(&json!({
        "metadata": {"name": "s"},
        "spec": {"volumeClaimTemplates": [{}], "template": {"spec": {"runtimeClassName": "kata"}}},
    }));
    assert_eq!(set.detail.needs.unread, [Unread::RuntimeClass, Unread::Volumes]);
}

#[test]
fn a_node_knows_when_anything_but_its_status_was_written() {
    let node = |fields: Value| -> Node { read(&json!({"metadata": {"name": "n", "managedFields": fields}})) };
    let entry = |at: &str, subresource: &str| json!({"time": at, "subresource": subresource, "fieldsV1": {"f:x": {}}});
    let changed = node(json!([
        entry("2026-11-23T15:00:00Z", ""),
        entry("2026-11-23T15:30:00Z", ""),
        entry("2026-11-23T15:59:00Z", "status"),
        null,
    ]));
    assert_eq!(changed.changed.map(|at| at.to_string()).as_deref(), Some("2026-11-23T15:30:00Z"));
    assert_eq!(node(Value::Null).changed, None);
    assert_eq!(node(json!([{"time": 3}])).changed, None);
    let allocatable =
        json!({"cpu": "1500m", "memory": "1Ki", "pods": "110", "example.com/gpu": "0", "odd": "x"});
    let node: Node = read(&json!({"metadata": {"name": "n"}, "status": {"allocatable": allocatable}}));
    assert_eq!(
        amounts(&node.allocatable),
        [("cpu", 1500), ("example.com/gpu", 0), ("memory", 1024), ("pods", 110)]
    );
}

#[test]
fn a_pod_is_ready_when_its_condition_says_so() {
    let ready = |status: &str| {
        let conditions =
            json!([{"type": "ContainersReady", "status": "True"}, {"type": "Ready", "status": status}]);
        read::<Pod>(&json!({"metadata": {"name": "p"}, "status": {"conditions": conditions}})).is_ready
    };
    assert!(ready("True") && !ready("False") && !ready("Unknown"));
    assert!(!read::<Pod>(&json!({"metadata": {"name": "p"}})).is_ready);
}

#[test]
fn an_old_servers_single_address_is_the_first() {
    let pod: Pod = read(&json!({"metadata": {"name": "p"}, "status": {"podIP": "10.0.0.9"}}));
    assert_eq!(&*pod.ip, "10.0.0.9");
}

// What must never be decoded.

/// Replaces every string of the tree by `«path»`, but for those that steer the translation; keys of
/// free maps get their own path in front.
fn mark(value: &mut Value, path: &str) {
    const STEERING: [&str; 16] = [
        "kind",
        "phase",
        "status",
        "type",
        "restartPolicy",
        "operator",
        "cpu",
        "memory",
        "creationTimestamp",
        "startTime",
        "startedAt",
        "finishedAt",
        "lastTransitionTime",
        "lastUpdateTime",
        "deployment.kubernetes.io/revision",
        "maxSurge",
    ];
    match value {
        Value::String(text) => *text = format!("«{path}»"),
        Value::Array(list) => list.iter_mut().for_each(|item| mark(item, &format!("{path}[]"))),
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                // a container's status is found by its name
                let finds =
                    key == "name" && (path.ends_with("ontainers[]") || path.ends_with("ontainerStatuses[]"));
                if !finds && (!STEERING.contains(&key.as_str()) || value.is_object()) {
                    mark(value, &format!("{path}.{key}"));
                }
            }
        }
        _ => {}
    }
}

/// The paths whose values are in what a viewer may get: the row, and its detail.
fn found<T: Row + Serialize>(row: &T) -> BTreeSet<String> {
    let text =
        [serde_json::to_string(row), serde_json::to_string(&row.detail())].map(Result::unwrap).concat();
    let mut paths = BTreeSet::new();
    for part in text.split('«').skip(1) {
        paths.insert(part.split_once('»').expect("a whole path").0.to_ascii_lowercase());
    }
    paths
}

#[test]
fn of_a_template_the_difference_shows_nothing_but_the_named_fields() {
    let mut pod = whole(POD);
    mark(&mut pod, "");
    let template = json!({"metadata": pod["metadata"], "spec": pod["spec"]});
    let row: ReplicaSet = read(&json!({"metadata": {"name": "d"}, "spec": {"template": template}}));
    let text = format!("{:?}", row.replicas.detail.manifest.field());
    let shown: BTreeSet<String> = text
        .split('«')
        .skip(1)
        .map(|part| part.split_once('»').expect("a whole path").0.to_ascii_lowercase())
        .collect();
    assert_eq!(
        shown,
        expected(&[
            ".metadata.annotations.kubectl.kubernetes.io/restartedAt",
            ".metadata.annotations.kubernetes.io/change-cause",
            ".metadata.labels.app",
            ".spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[].matchExpressions[].key",
            ".spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[].matchExpressions[].values[]",
            ".spec.containers[].env[].name",
            ".spec.containers[].image",
            ".spec.containers[].imagePullPolicy",
            ".spec.containers[].lifecycle.postStart.httpGet.path",
            ".spec.containers[].ports[].hostIP",
            ".spec.containers[].ports[].name",
            ".spec.containers[].ports[].protocol",
            ".spec.containers[].readinessProbe.httpGet.host",
            ".spec.containers[].readinessProbe.httpGet.path",
            ".spec.containers[].readinessProbe.httpGet.port",
            ".spec.containers[].readinessProbe.httpGet.scheme",
            ".spec.containers[].securityContext.capabilities.add[]",
            ".spec.containers[].startupProbe.grpc.service",
            ".spec.containers[].volumeMounts[].name",
            ".spec.ephemeralContainers[].env[].name",
            ".spec.ephemeralContainers[].image",
            ".spec.initContainers[].env[].name",
            ".spec.initContainers[].image",
            ".spec.nodeName",
            ".spec.nodeSelector.disk",
            ".spec.priorityClassName",
            ".spec.readinessGates[].conditionType",
            ".spec.runtimeClassName",
            ".spec.schedulerName",
            ".spec.serviceAccount",
            ".spec.serviceAccountName",
            ".spec.tolerations[].effect",
            ".spec.tolerations[].key",
            ".spec.tolerations[].value",
            ".spec.volumes[].name",
        ])
    );
}

fn expected(paths: &[&str]) -> BTreeSet<String> {
    paths.iter().map(|path| path.to_ascii_lowercase()).collect()
}

#[test]
fn of_a_pod_nothing_but_the_named_fields_is_read() {
    let mut json = whole(POD);
    mark(&mut json, "");
    assert_eq!(
        found(&read::<Pod>(&json)),
        expected(&[
            ".metadata.name",
            ".metadata.namespace",
            ".metadata.uid",
            ".metadata.labels.app",
            ".metadata.finalizers[]",
            ".metadata.ownerReferences[].name",
            ".spec.nodeName",
            ".spec.schedulerName",
            ".spec.serviceAccountName",
            ".spec.priorityClassName",
            ".spec.runtimeClassName",
            ".spec.nodeSelector.disk",
            ".spec.tolerations[].key",
            ".spec.tolerations[].value",
            ".spec.tolerations[].effect",
            ".spec.initContainers[].image",
            ".spec.containers[].image",
            ".spec.containers[].ports[].name",
            ".spec.containers[].ports[].protocol",
            ".spec.containers[].readinessProbe.httpGet.httpHeaders[].name",
            ".spec.containers[].readinessProbe.httpGet.path",
            ".spec.containers[].readinessProbe.httpGet.port",
            ".spec.containers[].readinessProbe.httpGet.host",
            ".spec.containers[].readinessProbe.httpGet.scheme",
            ".spec.containers[].startupProbe.grpc.service",
            ".spec.ephemeralContainers[].image",
            ".status.message",
            ".status.reason",
            ".status.podIPs[].ip",
            ".status.hostIP",
            ".status.qosClass",
            ".status.nominatedNodeName",
            ".status.conditions[].reason",
            ".status.conditions[].message",
            ".status.initContainerStatuses[].imageID",
            ".status.initContainerStatuses[].state.terminated.reason",
            ".status.initContainerStatuses[].state.terminated.message",
            ".status.containerStatuses[].imageID",
            ".status.containerStatuses[].state.waiting.reason",
            ".status.containerStatuses[].state.waiting.message",
            ".status.containerStatuses[].lastState.terminated.reason",
            ".status.containerStatuses[].lastState.terminated.message",
            ".status.ephemeralContainerStatuses[].imageID",
        ])
    );
}

#[test]
fn of_a_deployment_nothing_but_the_named_fields_is_read() {
    let mut json = whole(DEPLOYMENT);
    mark(&mut json, "");
    assert_eq!(
        found(&read::<Deployment>(&json)),
        expected(&[
            ".metadata.name",
            ".metadata.namespace",
            ".metadata.uid",
            ".metadata.labels.app",
            ".metadata.annotations.kubernetes.io/change-cause",
            ".spec.template.metadata.annotations.kubectl.kubernetes.io/restartedAt",
            ".spec.template.metadata.labels.app",
            ".spec.template.spec.serviceAccountName",
            ".spec.template.spec.priorityClassName",
            ".spec.template.spec.nodeSelector.disk",
            ".spec.template.spec.tolerations[].key",
            ".spec.template.spec.tolerations[].effect",
            ".spec.template.spec.containers[].image",
            ".spec.template.spec.containers[].livenessProbe.tcpSocket.host",
            ".status.conditions[].reason",
            ".status.conditions[].message",
        ])
    );
}

#[test]
fn of_a_daemon_set_nothing_but_the_named_fields_is_read() {
    let mut json = whole(DAEMON_SET);
    mark(&mut json, "");
    assert_eq!(
        found(&read::<DaemonSet>(&json)),
        expected(&[
            ".metadata.name",
            ".metadata.namespace",
            ".metadata.uid",
            ".metadata.labels.app",
            ".metadata.annotations.kubernetes.io/change-cause",
            ".spec.template.metadata.annotations.kubectl.kubernetes.io/restartedAt",
            ".spec.template.metadata.labels.app",
            ".spec.template.spec.serviceAccountName",
            ".spec.template.spec.priorityClassName",
            ".spec.template.spec.nodeSelector.disk",
            ".spec.template.spec.tolerations[].key",
            ".spec.template.spec.tolerations[].effect",
            ".spec.template.spec.containers[].image",
            ".spec.template.spec.containers[].livenessProbe.tcpSocket.host",
            ".status.conditions[].reason",
            ".status.conditions[].message",
        ])
    );
}

#[test]
fn of_a_stateful_set_nothing_but_the_named_fields_is_read() {
    let mut json = whole(STATEFUL_SET);
    mark(&mut json, "");
    assert_eq!(
        found(&read::<StatefulSet>(&json)),
        expected(&[
            ".metadata.name",
            ".metadata.namespace",
            ".metadata.uid",
            ".metadata.labels.app",
            ".metadata.annotations.kubernetes.io/change-cause",
            ".metadata.ownerReferences[].name",
            ".spec.serviceName",
            ".spec.podManagementPolicy",
            ".spec.updateStrategy.rollingUpdate.maxUnavailable",
            ".spec.template.metadata.annotations.kubectl.kubernetes.io/restartedAt",
            ".spec.template.metadata.labels.app",
            ".spec.template.spec.serviceAccountName",
            ".spec.template.spec.priorityClassName",
            ".spec.template.spec.nodeSelector.disk",
            ".spec.template.spec.tolerations[].key",
            ".spec.template.spec.tolerations[].effect",
            ".spec.template.spec.containers[].image",
            ".status.currentRevision",
            ".status.updateRevision",
            ".status.conditions[].reason",
            ".status.conditions[].message",
        ])
    );
}

#[test]
fn of_services_and_their_like_nothing_but_the_named_fields_is_read() {
    let marked = |json: &str| {
        let mut json = whole(json);
        mark(&mut json, "");
        json
    };
    let meta = [".metadata.name", ".metadata.namespace", ".metadata.uid", ".metadata.labels.app"];
    let with_meta = |fields: &[&str]| expected(&[&meta[..], fields].concat());
    assert_eq!(
        found(&read::<Service>(&marked(SERVICE))),
        with_meta(&[
            ".metadata.ownerReferences[].name",
            ".spec.clusterIPs[]",
            ".spec.externalIPs[]",
            ".spec.externalName",
            ".spec.ports[].name",
            ".spec.ports[].targetPort",
            ".spec.ports[].protocol",
            ".spec.ports[].appProtocol",
            ".spec.selector.app",
            ".spec.ipFamilies[]",
            ".spec.ipFamilyPolicy",
            ".spec.loadBalancerIP",
            ".spec.loadBalancerClass",
            ".spec.loadBalancerSourceRanges[]",
            ".spec.sessionAffinity",
            ".spec.externalTrafficPolicy",
            ".spec.internalTrafficPolicy",
            ".spec.trafficDistribution",
            ".status.loadBalancer.ingress[].ip",
            ".status.loadBalancer.ingress[].ipMode",
            ".status.loadBalancer.ingress[].hostname",
            ".status.conditions[].reason",
            ".status.conditions[].message",
        ])
    );
    assert_eq!(
        found(&read::<EndpointSlice>(&marked(ENDPOINT_SLICE))),
        with_meta(&[
            ".metadata.labels.kubernetes.io/service-name",
            ".metadata.ownerReferences[].name",
            ".addressType",
            ".ports[].name",
            ".ports[].protocol",
            ".ports[].appProtocol",
            ".endpoints[].addresses[]",
            ".endpoints[].hostname",
            ".endpoints[].targetRef.name",
            ".endpoints[].nodeName",
            ".endpoints[].zone",
        ])
    );
    assert_eq!(
        found(&read::<PodDisruptionBudget>(&marked(BUDGET))),
        with_meta(&[
            ".spec.minAvailable",
            ".spec.maxUnavailable",
            ".spec.unhealthyPodEvictionPolicy",
            ".status.conditions[].reason",
            ".status.conditions[].message",
        ])
    );
    let lease = [&meta[..2], &[".metadata.labels.app", ".spec.holderIdentity"]].concat();
    assert_eq!(found(&read::<Lease>(&marked(LEASE))), expected(&lease));
}

// Objects that are not as they should be.

#[test]
fn an_object_of_the_wrong_shape_is_named_in_the_error() {
    let error = |json: &str| translate::row::<Pod>(json).expect_err(json).to_string();
    let labels = error(r#"{"metadata": {"name": "web", "namespace": "default", "labels": 3}}"#);
    assert!(labels.starts_with("Pod default/web cannot be read: invalid type: integer `3`"), "{labels}");
    assert!(error(r#"{"metadata": {"name": 3}}"#).starts_with("Pod (no name) cannot be read"));
    assert!(error(r#"{"metadata": 3}"#).starts_with("Pod (no name) cannot be read"));
    assert!(error(r#"{"metadata""#).starts_with("Pod (no name) cannot be read"));
    let node = translate::row::<Node>(r#"{"metadata": {"name": "n"}, "spec": []}"#).expect_err("no spec");
    assert!(node.to_string().starts_with("Node n cannot be read"), "{node}");
}

#[test]
fn the_head_is_the_rows_own() {
    let head = translate::head(POD);
    let pod: Pod = read(&whole(POD));
    assert_eq!((&*head.namespace, &*head.name, &*head.resource_version), ("default", "web-1", "7"));
    assert_eq!(head.uid, pod.meta.uid);
    assert_eq!(translate::head("[]"), translate::head("{}"));
}

/// Every place in the tree, as a JSON pointer.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    let escape = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            let at = format!("{at}/{}", escape(key));
            all.push(at.clone());
            places(value, &at, all);
        }),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(i, value)| places(value, &format!("{at}/{i}"), all));
        }
        _ => {}
    }
}

fn remove(value: &mut Value, place: &str) {
    let (parent, key) = place.rsplit_once('/').expect("a place has a parent");
    let key = key.replace("~1", "/").replace("~0", "~");
    if let Some(Value::Object(map)) = value.pointer_mut(parent) {
        map.remove(&key);
    }
}

/// Runs the whole road of one row.
fn walk<T: Translate>(json: &Value) -> Result<(), String> {
    let row = translate::row::<T>(&json.to_string()).map_err(|error| error.to_string())?;
    let table = text::table(&[&row], true, true, NOW);
    if table.lines().count() != 2 {
        return Err(format!("not one line:\n{table}"));
    }
    serde_json::to_string(&row).map_err(|error| error.to_string()).map(drop)
}

type Walk = fn(&Value) -> Result<(), String>;

/// Whole objects: those above, and the first of each other file of cases.
fn specimens() -> Vec<(Value, Walk)> {
    let first = |file: &str| {
        let cases: Vec<Case> = serde_json::from_str(file).expect("a file of cases");
        cases.into_iter().next().expect("a case").object
    };
    vec![
        (whole(POD), walk::<Pod>),
        (whole(DEPLOYMENT), walk::<Deployment>),
        (whole(DAEMON_SET), walk::<DaemonSet>),
        (whole(STATEFUL_SET), walk::<StatefulSet>),
        (whole(SERVICE), walk::<Service>),
        (whole(ENDPOINT_SLICE), walk::<EndpointSlice>),
        (whole(BUDGET), walk::<PodDisruptionBudget>),
        (whole(LEASE), walk::<Lease>),
        (first(include_str!("fixtures/nodes.json")), walk::<Node>),
        (first(include_str!("fixtures/namespaces.json")), walk::<Namespace>),
        (first(include_str!("fixtures/replicasets.json")), walk::<ReplicaSet>),
        (first(include_str!("fixtures/replicationcontrollers.json")), walk::<ReplicationController>),
        (first(include_str!("fixtures/events.json")), walk::<Event>),
    ]
}

/// Labels, selectors and the like are maps whose values are not fields.
fn is_field(place: &str) -> bool {
    const MAPS: [&str; 10] = [
        "/labels/",
        "/matchLabels/",
        "/nodeSelector/",
        "/spec/selector/app",
        "/requests/",
        "/limits/",
        "/overhead/",
        "/capacity/",
        "/allocatable/",
        "/allocatedResources/",
    ];
    !MAPS.iter().any(|map| place.contains(map))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_field_may_be_absent_or_null(picks in proptest::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 1..12)) {
        for (whole, walk) in specimens() {
            let mut json = whole.clone();
            let mut all = Vec::new();
            places(&whole, "", &mut all);
            all.retain(|place| is_field(place));
            for (pick, null) in &picks {
                let place = pick.get(&all);
                match json.pointer_mut(place) {
                    Some(value) if *null => *value = Value::Null,
                    _ => remove(&mut json, place),
                }
            }
            prop_assert_eq!(walk(&json), Ok(()), "{}", json);
        }
    }

    #[test]
    fn a_field_of_any_other_type_never_panics(pick: prop::sample::Index, kind in 0..6) {
        for (whole, walk) in specimens() {
            let mut json = whole.clone();
            let mut all = Vec::new();
            places(&whole, "", &mut all);
            let place = pick.get(&all);
            if let Some(value) = json.pointer_mut(place) {
                *value = match kind {
                    0 => json!(-1),
                    1 => json!(1e300),
                    2 => json!("\u{1b}[0m\n\t"),
                    3 => json!([[]]),
                    4 => json!({"a": {}}),
                    _ => json!(true),
                };
            }
            if let Err(error) = walk(&json) {
                prop_assert!(error.contains(" cannot be read: "), "{}", error);
            }
        }
    }
}
