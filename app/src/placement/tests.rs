use std::sync::Arc;

use proptest::prelude::*;

use super::{
    asked::Asked,
    grouped::{EACH, columns, grouped},
    missing::missing,
    said::{compare, said},
    standing::{Standing, heard, standing},
    *,
};
use crate::{
    api::{
        Detail, Event, Kind, Labels, Meta, Pod, ResourceList, Timestamp, Uid,
        detail::Condition,
        needs::{HostPort, NameRequirement, NodeTerm, Toleration, TolerationOperator, Unread},
        node::Taint,
    },
    selector::Selector,
};

fn labels(text: &str) -> Labels {
    let pair = |pair: &str| pair.split_once('=').map(|(key, value)| (key.into(), value.into()));
    text.split(',').filter_map(pair).collect()
}

fn list(text: &str) -> ResourceList {
    let amount = |(name, amount): (&str, &str)| Some((name.into(), amount.parse().ok()?));
    text.split(',').filter_map(|pair| pair.split_once('=')).filter_map(amount).collect()
}

fn taint(text: &str) -> Taint {
    let (pair, effect) = text.split_once(':').unwrap_or((text, ""));
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    Taint { key: key.into(), value: value.into(), effect: effect.into() }
}

fn toleration(key: &str, operator: TolerationOperator, value: &str, effect: &str) -> Toleration {
    Toleration { key: key.into(), operator, value: value.into(), effect: effect.into(), seconds: None }
}

fn port(ip: &str, protocol: &str, port: u16) -> HostPort {
    HostPort { ip: ip.into(), protocol: protocol.into(), port }
}

fn node(name: &str, has: &str) -> Node {
    let meta = Meta { name: name.into(), labels: labels(has), ..Meta::default() };
    Node { meta, allocatable: list("cpu=4000,memory=1000,pods=10,example.com/gpu=1"), ..Node::default() }
}

fn pod(uid: u128, on: &str, requests: &str) -> Arc<Pod> {
    let meta = Meta { uid: Uid(uid), ..Meta::default() };
    Arc::new(Pod { meta, node: on.into(), requests: list(requests), ..Pod::default() })
}

fn term(selector: &str) -> NodeTerm {
    let labels = Selector::parse(selector).expect("a selector").requirements().to_vec();
    NodeTerm { labels, ..NodeTerm::default() }
}

fn named(name: &str) -> NodeTerm {
    let names = vec![NameRequirement { is: true, name: name.into() }];
    NodeTerm { names, ..NodeTerm::default() }
}

fn all(nodes: Vec<Node>) -> Vec<Arc<Node>> {
    nodes.into_iter().map(Arc::new).collect()
}

/// The placement on one node with these pods on it.
fn on_one(needs: &Needs, node: Node, pods: &[Arc<Pod>]) -> Placement {
    place(needs, &all(vec![node]), &Rooms::without(pods, None))
}

fn whys(placement: &Placement, node: &str) -> Vec<String> {
    placement.of(node).expect("the node").reasons.iter().map(Reason::why).collect()
}

#[test]
fn a_pod_that_asks_for_nothing_fits_unless_there_is_no_room_for_a_pod() {
    let needs = Needs::default();
    assert_eq!(on_one(&needs, node("a", ""), &[]).message(), "");
    let full = Node { allocatable: list("pods=1"), ..node("a", "") };
    assert_eq!(on_one(&needs, full.clone(), &[]).fits(), 1);
    let placement = on_one(&needs, full, &[pod(1, "a", "")]);
    assert_eq!(placement.message(), "0/1 nodes are available: 1 Too many pods.");
    // a node that has not said how many
    let silent = Node { allocatable: ResourceList::default(), ..node("a", "") };
    assert_eq!(on_one(&needs, silent, &[]).message(), "0/1 nodes are available: 1 Too many pods.");
    assert_eq!(place(&needs, &[], &Rooms::default()).message(), "no nodes available to schedule pods");
}

#[test]
fn a_cordon_keeps_out_whom_does_not_tolerate_it() {
    let cordoned = Node { unschedulable: true, ..node("a", "") };
    let mut needs = Needs::default();
    assert_eq!(
        on_one(&needs, cordoned.clone(), &[]).message(),
        "0/1 nodes are available: 1 node(s) were unschedulable."
    );
    needs.tolerations =
        vec![toleration("node.kubernetes.io/unschedulable", TolerationOperator::Exists, "", "NoSchedule")];
    assert_eq!(on_one(&needs, cordoned, &[]).fits(), 1);
}

#[test]
fn tolerations_match_taints_as_in_kubernetes() {
    use TolerationOperator::{Equal, Exists, Gt, Lt, Unknown};
    for (of, against, tolerated) in [
        (toleration("k", Equal, "v", "NoSchedule"), "k=v:NoSchedule", true),
        (toleration("k", Equal, "v", ""), "k=v:NoExecute", true),
        (toleration("k", Equal, "v", "NoExecute"), "k=v:NoSchedule", false),
        (toleration("k", Equal, "w", ""), "k=v:NoSchedule", false),
        (toleration("k", Equal, "", ""), "k:NoSchedule", true),
        (toleration("", Equal, "v", ""), "k=v:NoSchedule", true),
        (toleration("k", Exists, "", ""), "k=v:NoSchedule", true),
        (toleration("j", Exists, "", ""), "k=v:NoSchedule", false),
        (toleration("", Exists, "", ""), "k=v:NoSchedule", true),
        (toleration("", Exists, "", "NoExecute"), "k=v:NoSchedule", false),
        (toleration("k", Gt, "5", ""), "k=6:NoSchedule", true),
        (toleration("k", Gt, "5", ""), "k=5:NoSchedule", false),
        (toleration("k", Lt, "5", ""), "k=-6:NoSchedule", true),
        (toleration("k", Lt, "05", ""), "k=1:NoSchedule", false),
        (toleration("k", Lt, "5", ""), "k=one:NoSchedule", false),
        (toleration("k", Unknown, "v", ""), "k=v:NoSchedule", false),
    ] {
        assert_eq!(rules::tolerates(&of, &taint(against)), tolerated, "{of:?} {against}");
    }
}

#[test]
fn only_hard_taints_keep_pods_out() {
    let tainted =
        |taints: &[&str]| Node { taints: taints.iter().map(|text| taint(text)).collect(), ..node("a", "") };
    let needs = Needs::default();
    assert_eq!(on_one(&needs, tainted(&["k=v:PreferNoSchedule", "odd", ":"]), &[]).fits(), 1);
    let placement = on_one(&needs, tainted(&["kwok.x-k8s.io/node=fake:NoSchedule", "gone:NoExecute"]), &[]);
    assert_eq!(placement.message(), "0/1 nodes are available: 1 node(s) had untolerated taint(s).");
    assert_eq!(
        whys(&placement, "a"),
        ["taints not tolerated: kwok.x-k8s.io/node=fake:NoSchedule, gone:NoExecute"]
    );
}

#[test]
fn labels_must_be_as_selector_and_affinity_have_them() {
    let never = || NodeTerm { never: true, ..term("zone=a") };
    for (selector, affinity, fits) in [
        ("", None, true),
        ("project=fraud", None, true),
        ("project=listingqc", None, false),
        ("project=fraud,disk=ssd", None, false),
        ("", Some(vec![]), false),
        ("", Some(vec![NodeTerm { never: true, ..NodeTerm::default() }]), false),
        ("", Some(vec![term("zone in (a,b)")]), true),
        ("", Some(vec![term("zone in (b,c)")]), false),
        ("", Some(vec![term("zone in (b,c)"), term("project")]), true),
        ("", Some(vec![term("zone notin (b),!disk")]), true),
        ("", Some(vec![never(), term("project")]), true),
        ("", Some(vec![never()]), false),
        ("", Some(vec![term("size>3")]), true),
        ("", Some(vec![term("size>4")]), false),
        ("", Some(vec![term("size<5")]), true),
        ("", Some(vec![term("zone<5")]), false),
        ("project=listingqc", Some(vec![term("zone=a")]), false),
        ("", Some(vec![named("a")]), true),
        ("", Some(vec![named("b"), term("zone=a")]), true),
    ] {
        let needs = Needs { node_selector: labels(selector), affinity, ..Needs::default() };
        let placement = on_one(&needs, node("a", "project=fraud,zone=a,size=4"), &[]);
        assert_eq!(placement.fits() == 1, fits, "{needs:?}");
        if !fits {
            let words = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.";
            assert_eq!(placement.message(), words);
        }
    }
}

#[test]
fn why_labels_are_not_as_required_is_said_in_full() {
    let needs =
        |selector: &str, affinity| Needs { node_selector: labels(selector), affinity, ..Needs::default() };
    let why =
        |needs: &Needs| whys(&on_one(needs, node("a", "project=fraud,zone=a,empty="), &[]), "a").join("|");
    assert_eq!(why(&needs("project=listingqc", None)), "label project is fraud, wants listingqc");
    assert_eq!(why(&needs("team=x", None)), "no label team, wants x");
    assert_eq!(why(&needs("empty=x", None)), "label empty is empty, wants x");
    assert_eq!(
        why(&needs("team=x", Some(vec![term("zone in (b,c)"), term("disk")]))),
        "no label team, wants x; and label zone is a, wants zone in (b,c); or no label disk, wants disk"
    );
    assert_eq!(why(&needs("", Some(vec![]))), "the node affinity has no terms, which no node fulfils");
    let not_a =
        NodeTerm { names: vec![NameRequirement { is: false, name: "a".into() }], ..NodeTerm::default() };
    assert_eq!(why(&needs("", Some(vec![not_a]))), "is a, wants metadata.name!=a");
}

#[test]
fn names_in_the_pod_leave_other_nodes_out_before_any_filter() {
    let nodes = all(vec![node("a", ""), node("b", ""), node("c", "")]);
    let says = |needs: &Needs| place(needs, &nodes, &Rooms::default()).message();
    let affinity = |terms: Vec<NodeTerm>| Needs {
        affinity: Some(terms),
        requests: list("cpu=9000"),
        ..Needs::default()
    };
    assert_eq!(
        says(&affinity(vec![named("a")])),
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]."
    );
    assert_eq!(
        says(&affinity(vec![named("a"), named("b")])),
        "0/3 nodes are available: 1 node(s) didn't satisfy plugin(s) [NodeAffinity], 2 Insufficient cpu."
    );
    // a term that names no node leaves all of them in
    assert_eq!(says(&affinity(vec![named("a"), term("!x")])), "0/3 nodes are available: 3 Insufficient cpu.");
    assert_eq!(
        says(&affinity(vec![named("elsewhere")])),
        "0/3 nodes are available: 3 node(s) didn't satisfy plugin(s) [NodeAffinity]."
    );
    let both = NodeTerm { names: [named("a").names, named("b").names].concat(), ..NodeTerm::default() };
    assert_eq!(says(&affinity(vec![both])), "0/3 nodes are available: pod affinity terms conflict.");
    let by_name = |terms| Needs { node_name: "a".into(), ..affinity(terms) };
    assert_eq!(
        says(&by_name(vec![named("a")])),
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity NodeName]."
    );
    assert_eq!(
        says(&by_name(vec![named("b")])),
        "0/3 nodes are available: node(s) didn't satisfy plugin(s) [NodeAffinity NodeName] simultaneously."
    );
}

#[test]
fn a_port_of_the_node_is_taken_once() {
    for (wanted, taken, fits) in [
        (port("0.0.0.0", "TCP", 80), port("0.0.0.0", "TCP", 80), false),
        (port("0.0.0.0", "TCP", 80), port("0.0.0.0", "UDP", 80), true),
        (port("0.0.0.0", "TCP", 80), port("0.0.0.0", "TCP", 81), true),
        (port("0.0.0.0", "TCP", 80), port("10.0.0.1", "TCP", 80), false),
        (port("10.0.0.1", "TCP", 80), port("0.0.0.0", "TCP", 80), false),
        (port("10.0.0.1", "TCP", 80), port("10.0.0.2", "TCP", 80), true),
        (port("10.0.0.1", "TCP", 80), port("10.0.0.1", "TCP", 80), false),
    ] {
        let needs = Needs { host_ports: vec![wanted.clone()], ..Needs::default() };
        let mut there = Pod::clone(&pod(1, "a", ""));
        there.host_ports = vec![taken.clone()];
        let placement = on_one(&needs, node("a", ""), &[Arc::new(there)]);
        assert_eq!(placement.fits() == 1, fits, "{wanted} {taken}");
        if !fits {
            let words =
                "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.";
            assert_eq!(placement.message(), words);
        }
    }
}

#[test]
fn what_is_asked_for_must_be_left() {
    let there = [pod(1, "a", "cpu=3500,memory=900"), pod(2, "b", "cpu=4000")];
    let says = |requests: &str| {
        let needs = Needs { requests: list(requests), ..Needs::default() };
        on_one(&needs, node("a", ""), &there).message()
    };
    assert_eq!(says("cpu=500,memory=100,example.com/gpu=1"), "");
    assert_eq!(says("cpu=501"), "0/1 nodes are available: 1 Insufficient cpu.");
    assert_eq!(
        says("cpu=501,memory=101,example.com/gpu=2,ephemeral-storage=1,hugepages-2Mi=1"),
        "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient ephemeral-storage, 1 Insufficient example.com/gpu, \
         1 Insufficient hugepages-2Mi, 1 Insufficient memory."
    );
    assert_eq!(says("example.com/fpga=0"), "");
    let needs = Needs { requests: list("cpu=2000"), ..Needs::default() };
    assert_eq!(whys(&on_one(&needs, node("a", ""), &there), "a"), ["cpu: wants 2, 500m of 4 left"]);
}

#[test]
fn of_the_pods_on_a_node_those_count_that_have_not_ended() {
    let mut ended = Pod::clone(&pod(1, "a", "cpu=4000"));
    ended.phase = "Succeeded".into();
    let mut resized = Pod::clone(&pod(2, "a", "cpu=1000"));
    resized.resizing = Some(list("cpu=3000"));
    let pods = [Arc::new(ended), Arc::new(resized), pod(3, "", "cpu=4000")];
    let needs = |cpu: &str| Needs { requests: list(cpu), ..Needs::default() };
    assert_eq!(on_one(&needs("cpu=1000"), node("a", ""), &pods).fits(), 1);
    assert_eq!(on_one(&needs("cpu=1001"), node("a", ""), &pods).fits(), 0);
    // where it is, it does not stand in its own way
    let without = Rooms::without(&pods, Some(Uid(2)));
    assert_eq!(place(&needs("cpu=4000"), &all(vec![node("a", "")]), &without).fits(), 1);
}

#[test]
fn the_first_filter_speaks_and_all_are_told() {
    let mut worst = node("a", "");
    worst.unschedulable = true;
    worst.taints = vec![taint("k:NoSchedule")];
    let needs = Needs { node_selector: labels("x=y"), requests: list("cpu=9000"), ..Needs::default() };
    let placement = on_one(&needs, worst, &[]);
    assert_eq!(placement.message(), "0/1 nodes are available: 1 node(s) were unschedulable.");
    assert_eq!(
        whys(&placement, "a"),
        ["cordoned", "taint not tolerated: k:NoSchedule", "no label x, wants y", "cpu: wants 9, 4 of 4 left"]
    );
}

#[test]
fn the_missing_label_is_named_with_what_is_there_instead() {
    let nodes = all(vec![node("node-2", "project=fraud"), node("worker", ""), node("cp", "")]);
    let needs = Needs { node_selector: labels("project=listingqc"), ..Needs::default() };
    let told = |needs: &Needs, nodes: &[Arc<Node>]| -> Vec<String> {
        missing(needs, &place(needs, nodes, &Rooms::default())).iter().map(missing::Missing::words).collect()
    };
    assert_eq!(
        told(&needs, &nodes),
        ["no node has project=listingqc; node-2 has project=fraud; cp and worker have no project"]
    );
    let many = all((0..9).map(|at| node(&format!("n{at}"), &format!("zone=z{at}"))).collect());
    let needs = Needs { affinity: Some(vec![term("zone in (z0,z1)"), term("zone=z0")]), ..Needs::default() };
    assert_eq!(
        told(&needs, &many),
        [
            "n0 and n1 have zone in (z0,z1); n2 has zone=z2; n3 has zone=z3; n4 has zone=z4; n5 has zone=z5; 3 more have other values",
            "n0 has zone=z0; n1 has zone=z1; n2 has zone=z2; n3 has zone=z3; n4 has zone=z4; 4 more have other values",
        ]
    );
    assert_eq!(told(&Needs::default(), &many), Vec::<String>::new());
}

#[test]
fn the_schedulers_words_are_taken_apart() {
    for (message, nodes, reasons, refused, then) in [
        (
            "0/5 nodes are available: 2 Insufficient cpu, 3 node(s) had untolerated taint(s). preemption: 0/5 nodes are available: 2 No preemption victims found for incoming pod, 3 Preemption is not helpful for scheduling.",
            Some(5),
            vec![(2, "Insufficient cpu"), (3, "node(s) had untolerated taint(s)")],
            "",
            "preemption: 0/5 nodes are available: 2 No preemption victims found for incoming pod, 3 Preemption is not helpful for scheduling.",
        ),
        (
            "0/2 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }, 1 node(s) had untolerated taint {a: b. c}. preemption: none",
            Some(2),
            vec![
                (1, "node(s) had untolerated taint {node.kubernetes.io/unreachable: }"),
                (1, "node(s) had untolerated taint {a: b. c}"),
            ],
            "",
            "preemption: none",
        ),
        (
            "0/4 nodes are available: 1 node(s) had taint {node-role.kubernetes.io/master: }, that the pod didn't tolerate, 3 Insufficient example.com/gpu.",
            Some(4),
            vec![
                (1, "node(s) had taint {node-role.kubernetes.io/master: }, that the pod didn't tolerate"),
                (3, "Insufficient example.com/gpu"),
            ],
            "",
            "",
        ),
        (
            "0/3 nodes are available: pod affinity terms conflict. not found",
            Some(3),
            vec![],
            "pod affinity terms conflict",
            "not found",
        ),
        (
            "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
            Some(3),
            vec![],
            "pod has unbound immediate PersistentVolumeClaims",
            "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
        ),
        (
            "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod..",
            Some(1),
            vec![(1, "Insufficient cpu")],
            "",
            "no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod..",
        ),
        ("0/7 nodes are available:", Some(7), vec![], "", ""),
        ("no nodes available to schedule pods", None, vec![], "", ""),
        ("running Reserve plugin \"x\": 0/5, nodes are available: no", None, vec![], "", ""),
        ("x/y nodes are available: 1 z.", None, vec![], "", ""),
        ("", None, vec![], "", ""),
    ] {
        let said = said(message);
        let counted: Vec<_> = said.reasons.iter().map(|(count, reason)| (*count, reason.as_str())).collect();
        assert_eq!((said.nodes, counted), (nodes, reasons), "{message}");
        assert_eq!((said.refused.as_str(), said.then.as_str()), (refused, then), "{message}");
        assert_eq!(said.message, message);
    }
}

#[test]
fn where_the_schedulers_words_differ_it_is_told() {
    let nodes = all(vec![node("a", ""), node("b", "project=x")]);
    let needs = Needs { node_selector: labels("project=x"), requests: list("cpu=9000"), ..Needs::default() };
    let placement = place(&needs, &nodes, &Rooms::default());
    let against = |message: &str| compare(&said(message), &placement).expect("counted");
    let same = placement.message();
    assert_eq!(
        same,
        "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match Pod's node affinity/selector."
    );
    assert!(against(&same).agrees());
    // an older version's words for the same
    assert!(
        against("0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match node selector.")
            .agrees()
    );

    let differs = against("0/3 nodes are available: 1 Insufficient cpu, 2 Insufficient memory.");
    let told: Vec<_> = differs.differences.iter().map(|d| (d.reason.as_str(), d.said, d.found)).collect();
    assert_eq!(
        told,
        [
            ("nodes", 3, 2),
            ("Insufficient memory", 2, 0),
            ("node(s) didn't match Pod's node affinity/selector", 0, 1),
        ]
    );

    let free = place(&Needs::default(), &nodes, &Rooms::default());
    let spread = said("0/2 nodes are available: 2 node(s) didn't match pod topology spread constraints.");
    let beyond = compare(&spread, &free).expect("counted");
    assert!(beyond.agrees());
    assert_eq!(beyond.beyond, [(2, "node(s) didn't match pod topology spread constraints".to_owned())]);
    let volumes = said("0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.");
    assert!(compare(&volumes, &free).expect("counted").agrees());
    let more = said("0/2 nodes are available: 1 node(s) had volume node affinity conflict.");
    assert_eq!(compare(&more, &free).expect("counted").fits_unexplained, 1);
    assert_eq!(compare(&said("no nodes available to schedule pods"), &free), None);
}

fn condition(reason: &str, message: &str, at: i64) -> Condition {
    Condition {
        kind: "PodScheduled".into(),
        status: "False".into(),
        reason: reason.into(),
        message: message.into(),
        last_transition: Some(Timestamp(at)),
    }
}

#[test]
fn a_pod_stands_where_its_status_says() {
    let refused = || Detail { conditions: vec![condition("Unschedulable", "m", 1)], ..Detail::default() };
    let needs = |needs: Needs| Detail { needs, ..Detail::default() };
    let gated = Detail {
        conditions: vec![condition("SchedulingGated", "Scheduling is blocked", 1)],
        ..needs(Needs { gates: vec!["g".into()], ..Needs::default() })
    };
    let waiting = Pod::default();
    let nominated = Pod { nominated_node: "b".into(), ..Pod::default() };
    let custom = || needs(Needs { scheduler: "mine".into(), ..Needs::default() });
    for (pod, detail, expected) in [
        (&waiting, Detail::default(), Standing::Waiting),
        (&waiting, refused(), Standing::Refused),
        (&waiting, gated.clone(), Standing::Gated(vec!["g".into()])),
        (&nominated, refused(), Standing::Nominated("b".into())),
        (&waiting, custom(), Standing::Elsewhere("mine".into())),
        (&waiting, Detail { conditions: refused().conditions, ..custom() }, Standing::Refused),
        (&*pod(1, "a", ""), Detail::default(), Standing::Placed("a".into())),
        (&Pod { phase: "Failed".into(), ..Pod::default() }, refused(), Standing::Ended),
    ] {
        assert_eq!(standing(pod, &detail), expected);
    }
    assert_eq!(heard(&gated, []), None);
}

#[test]
fn the_condition_has_the_word_and_an_event_may_tell_the_time() {
    let event = |message: &str, at: i64| {
        Arc::new(Event {
            reason: "FailedScheduling".into(),
            message: message.into(),
            last: Some(Timestamp(at)),
            ..Event::default()
        })
    };
    let detail = |conditions| Detail { conditions, ..Detail::default() };
    let told = |detail: &Detail, events: &[Arc<Event>]| {
        heard(detail, events).map(|heard| (heard.said.message, heard.at.map(|at| at.0)))
    };
    let refused = detail(vec![condition("Unschedulable", "m", 5)]);
    assert_eq!(told(&refused, &[]), Some(("m".to_owned(), Some(5))));
    assert_eq!(told(&refused, &[event("m", 9), event("old", 7)]), Some(("m".to_owned(), Some(9))));
    assert_eq!(told(&refused, &[event("other", 9)]), Some(("m".to_owned(), Some(5))));
    assert_eq!(told(&detail(vec![]), &[event("x", 7), event("y", 8)]), Some(("y".to_owned(), Some(8))));
    assert_eq!(told(&detail(vec![]), &[]), None);
}

#[test]
fn what_is_not_checked_is_named() {
    let needs = Needs {
        scheduler: "mine".into(),
        requests: list("cpu=1,example.com/gpu=1"),
        unread: vec![Unread::Volumes],
        ..Needs::default()
    };
    let mut keeps_away = Pod::clone(&pod(1, "a", ""));
    keeps_away.keeps_away = true;
    let nominated = Pod { nominated_node: "a".into(), ..Pod::default() };
    let rooms = Rooms::without(&[Arc::new(keeps_away), Arc::new(nominated)], None);
    let told: Vec<_> = unchecked(&needs, &rooms).iter().map(Unchecked::words).collect();
    assert_eq!(
        told,
        [
            "its volumes",
            "the rules of its scheduler, mine",
            "whether a DeviceClass gives out example.com/gpu",
            "pods that are there and keep others away (podAntiAffinity)",
            "room kept for pods for which others are preempted",
        ]
    );
    let usual = Needs { scheduler: "default-scheduler".into(), requests: list("cpu=1"), ..Needs::default() };
    assert_eq!(unchecked(&usual, &Rooms::default()), []);
}

#[test]
fn a_question_is_read_whole_or_refused_where_it_is_wrong() {
    let asked = |part: &str, value: &str| {
        let mut asked = Asked::default();
        assert!(asked.set(part, value.to_owned()));
        asked
    };
    for (value, printed) in [
        ("k=v:NoSchedule", "k=v:NoSchedule"),
        ("k:NoExecute", "k:NoExecute op=Exists"),
        ("k", "k op=Exists"),
        ("k=", "k"),
        (":NoSchedule", ":NoSchedule op=Exists"),
        ("*", "op=Exists"),
        (" k , *,", "k op=Exists|op=Exists"),
    ] {
        let needs = asked("tolerate", value).needs().expect(value);
        let lines: Vec<_> = needs.tolerations.iter().map(ToString::to_string).collect();
        assert_eq!(lines.join("|"), printed, "{value}");
    }
    for (part, value, at, message) in [
        ("nodeSelector", "a in b", 5, "'('"),
        ("cpu", "5 cores", 1, "'5 cores' is no quantity"),
        ("memory", "1GB", 1, "'1GB' is no quantity"),
        ("tolerate", "a,b:Never", 4, "'Never' where one of NoSchedule"),
        ("tolerate", "=x", 0, "the label key's name"),
    ] {
        let error = asked(part, value).needs().expect_err(value);
        assert_eq!((error.part, error.at), (part, at), "{error}");
        assert!(error.to_string().contains(message), "{error}");
    }
    let needs = asked("nodeSelector", "zone in (a),!gone").needs().expect("a selector");
    assert_eq!(on_one(&needs, node("n", "zone=a"), &[]).fits(), 1);
    assert_eq!(asked("cpu", "1.5").needs().expect("a quantity").requests, list("cpu=1500"));

    let object = asked("for", "deployment/default/web").object().expect("an object").expect("one");
    assert_eq!(
        (object.kind, object.namespace.as_str(), object.name.as_str()),
        (Kind::Deployment, "default", "web")
    );
    assert_eq!(asked("for", "").object(), Ok(None));
    for wrong in ["web", "node/x/y", "deployment/default", "deployment//web", "pod/a/b/c"] {
        assert!(asked("for", wrong).object().is_err(), "{wrong}");
    }
}

#[test]
fn pods_of_a_template_tolerate_what_admission_adds() {
    let printed = |kind, needs: Needs| template::of_pod(kind, &needs).tolerations_by_key().join("|");
    assert_eq!(
        printed(Kind::Deployment, Needs::default()),
        "node.kubernetes.io/not-ready:NoExecute op=Exists for 300s|node.kubernetes.io/unreachable:NoExecute op=Exists for 300s"
    );
    let everything =
        Needs { tolerations: vec![toleration("", TolerationOperator::Exists, "", "")], ..Needs::default() };
    assert_eq!(printed(Kind::Deployment, everything), "op=Exists");
    let daemon = template::of_pod(Kind::DaemonSet, &Needs { host_network: true, ..Needs::default() });
    let cordoned = Node { unschedulable: true, ..node("a", "") };
    assert_eq!(on_one(&daemon, cordoned, &[]).fits(), 1);
    assert_eq!(daemon.tolerations.len(), 7);
}

#[test]
fn many_nodes_are_told_together() {
    let nodes =
        |count: usize| all((0..count).map(|at| node(&format!("n{at:03}"), &format!("zone=z{at}"))).collect());
    let pods: Vec<_> = (0..30).map(|at| pod(at, &format!("n{at:03}"), "cpu=3900")).collect();
    let needs = Needs { requests: list("cpu=1000"), ..Needs::default() };
    let rooms = Rooms::without(&pods, None);

    let few = grouped(&place(&needs, &nodes(3), &rooms));
    let told: Vec<_> = few.iter().map(|group| (group.nodes.len(), group.cells.clone())).collect();
    let one = (Plugin::NodeResourcesFit, "cpu: wants 1, 100m of 4 left".to_owned(), true);
    assert_eq!(told, [(1, vec![one.clone()]), (1, vec![one.clone()]), (1, vec![one])]);

    let many = grouped(&place(&needs, &nodes(EACH + 20), &rooms));
    assert_eq!(many.iter().map(|group| group.nodes.len()).collect::<Vec<_>>(), [EACH + 20 - 30, 30]);
    assert!(many[0].fits());
    assert_eq!(
        many[1].cells,
        [(Plugin::NodeResourcesFit, "cpu: wants 1, at most 100m left".to_owned(), true)]
    );
    assert_eq!(columns(&many), [Plugin::NodeResourcesFit]);

    let picky = Needs { node_selector: labels("zone=z1"), ..needs };
    let many = grouped(&place(&picky, &nodes(EACH + 20), &rooms));
    let sizes: Vec<_> = many.iter().map(|group| group.nodes.len()).collect();
    assert_eq!(sizes, [EACH + 20 - 30, 1, 29], "those that lack least come first");
    assert_eq!(many[2].cells[0], (Plugin::NodeAffinity, "wants zone=z1".to_owned(), true));
    assert!(!many[2].cells[1].2, "the scheduler does not get to what is told beside it");
}

fn any_labels() -> impl Strategy<Value = Labels> {
    proptest::collection::btree_map("[a-c]", "[0-3]", 0..4)
        .prop_map(|map| map.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
}

fn any_taint() -> impl Strategy<Value = Taint> {
    ("[a-c]", "[0-2]?", prop::sample::select(vec!["NoSchedule", "NoExecute", "PreferNoSchedule", ""]))
        .prop_map(|(key, value, effect)| Taint {
            key: key.into(),
            value: value.into(),
            effect: effect.into(),
        })
}

fn any_toleration() -> impl Strategy<Value = Toleration> {
    use TolerationOperator::{Equal, Exists, Gt, Lt, Unknown};
    let effect = prop::sample::select(vec!["NoSchedule", "NoExecute", ""]);
    ("[a-c]?", prop::sample::select(vec![Equal, Exists, Lt, Gt, Unknown]), "[0-2]?", effect)
        .prop_map(|(key, operator, value, effect)| toleration(&key, operator, &value, effect))
}

fn any_node() -> impl Strategy<Value = Node> {
    (any_labels(), proptest::collection::vec(any_taint(), 0..3), any::<bool>(), 0u64..5).prop_map(
        |(labels, taints, unschedulable, cpu)| Node {
            meta: Meta { name: "n".into(), labels, ..Meta::default() },
            taints,
            unschedulable,
            allocatable: list(&format!("cpu={cpu},pods=2")),
            ..Node::default()
        },
    )
}

fn any_needs() -> impl Strategy<Value = Needs> {
    let selectors = vec!["a", "!b", "a in (1,2)", "b notin (0)", "c>1", "a=1,b"];
    let terms = proptest::collection::vec(prop::sample::select(selectors).prop_map(term), 0..3);
    (any_labels(), proptest::option::of(terms), proptest::collection::vec(any_toleration(), 0..3), 0u64..5)
        .prop_map(|(node_selector, affinity, tolerations, cpu)| Needs {
            node_selector,
            affinity,
            tolerations,
            requests: list(&format!("cpu={cpu}")),
            ..Needs::default()
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tolerating_more_or_asking_for_less_never_shuts_out(needs in any_needs(), node in any_node(), more in any_toleration()) {
        let fits = |needs: &Needs| on_one(needs, node.clone(), &[]).fits();
        let before = fits(&needs);
        let mut lenient = needs.clone();
        lenient.tolerations.push(more);
        prop_assert!(fits(&lenient) >= before);
        let modest = Needs { requests: ResourceList::default(), node_selector: Labels::default(), ..needs };
        prop_assert!(fits(&modest) >= before);
    }

    #[test]
    fn an_untainted_uncordoned_node_fits_wherever_the_other_did(needs in any_needs(), node in any_node()) {
        let plain = Node { taints: Vec::new(), unschedulable: false, ..node.clone() };
        prop_assert!(on_one(&needs, plain, &[]).fits() >= on_one(&needs, node, &[]).fits());
    }

    #[test]
    fn our_own_message_comes_back_from_its_parts(needs in any_needs(), nodes in proptest::collection::vec(any_node(), 1..6)) {
        let nodes: Vec<Arc<Node>> = all(nodes.into_iter().enumerate().map(|(at, mut node)| {
            node.meta.name = format!("n{at}").into();
            node
        }).collect());
        let placement = place(&needs, &nodes, &Rooms::default());
        let message = placement.message();
        if !message.is_empty() {
            let said = said(&message);
            prop_assert!(compare(&said, &placement).is_some_and(|comparison| comparison.agrees()), "{}", message);
        }
        let told: usize = grouped(&placement).iter().map(|group| group.nodes.len()).sum();
        prop_assert_eq!(told, nodes.len());
    }

    #[test]
    fn no_message_is_lost_or_panics(message in "(0/[0-9]{1,3} nodes are available:)?[ -~]{0,80}") {
        prop_assert_eq!(said(&message).message, message);
    }
}
