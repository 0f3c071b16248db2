use super::{
    bonds::{Bond, of_pod, reach},
    survey::{Overlap, covered, survey},
    *,
};
use crate::{
    api::{Owner, Timestamp},
    query::fixtures::{labels, meta, pod},
};

fn workload(kind: Kind, uid: u128, name: &str, selector: &str) -> Selecting {
    Selecting::of(kind, &meta(uid, "default", name), Written::Printed(selector.into()))
}

fn set_of(deployment: u128, uid: u128, name: &str, selector: &str) -> Selecting {
    Selecting { part_of: Some(Uid(deployment)), ..workload(Kind::ReplicaSet, uid, name, selector) }
}

fn service(uid: u128, name: &str, pairs: &[(&str, &str)]) -> Selecting {
    let row =
        Service { meta: meta(uid, "default", name), selector: Some(labels(pairs)), ..Service::default() };
    Selecting::from(&row)
}

fn owned(uid: u128, pairs: &[(&str, &str)], kind: &str, owner: u128) -> Pod {
    let owner = (owner > 0).then(|| Owner { kind: kind.into(), name: "owner".into(), uid: Uid(owner) });
    let pod = pod(uid, &format!("pod-{uid}"), "", "worker-1");
    Pod { meta: Meta { labels: labels(pairs), owner, ..pod.meta.clone() }, ..pod }
}

/// A Deployment with its ReplicaSet, a ReplicationController whose selector reaches the same pods, a Service.
fn some() -> Selectors {
    Selectors::of(vec![
        workload(Kind::Deployment, 10, "web", "app=web"),
        set_of(10, 11, "web-5d4f", "app=web,pod-template-hash=5d4f"),
        workload(Kind::ReplicationController, 12, "wide", "app in (web,api)"),
        service(13, "front", &[("app", "web")]),
    ])
}

const WEB: &[(&str, &str)] = &[("app", "web"), ("pod-template-hash", "5d4f")];

#[test]
fn what_is_no_selector_selects_nothing() {
    for printed in ["", "<none>", "<error>", "<invalid>"] {
        assert_eq!(Written::Printed(printed.into()).read(), None, "{printed}");
    }
    assert_eq!(Written::Pairs(Labels::default()).read(), None, "a Service without a selector");
    let named =
        Service { kind: "ExternalName".into(), selector: Some(labels(&[("a", "1")])), ..Service::default() };
    assert_eq!(Selecting::from(&named).written.read(), None, "a name for something elsewhere");
    let budget = |selector: Option<&str>| {
        let row =
            PodDisruptionBudget { selector: selector.map(Text::from), ..PodDisruptionBudget::default() };
        Selecting::from(&row).written.read()
    };
    assert_eq!(budget(None), None);
    assert_eq!(budget(Some("<none>")), Some(Selector::default()), "an empty one selects everything");
    let pairs = Written::Pairs(labels(&[("b", "2"), ("a", "1")]));
    assert_eq!(pairs.read().map(|selector| selector.to_string()).as_deref(), Some("a=1,b=2"));
}

#[test]
fn a_pod_tells_all_that_select_it_the_closest_first() {
    let selectors = some();
    let bonds = |pod: &Pod| -> Vec<(Bond, String)> {
        of_pod(&selectors, pod).into_iter().map(|(bond, one)| (bond, one.name.to_string())).collect()
    };
    let said = |bond, name: &str| (bond, name.to_owned());
    assert_eq!(
        bonds(&owned(1, WEB, "ReplicaSet", 11)),
        [
            said(Bond::Controls, "web-5d4f"),
            said(Bond::Through, "web"),
            said(Bond::Anothers, "wide"),
            said(Bond::Selects, "front"),
        ]
    );
    // without the hash its ReplicaSet lets it go, which no Deployment mends
    assert_eq!(
        bonds(&owned(2, &[("app", "web")], "ReplicaSet", 11))[0..2],
        [said(Bond::Through, "web"), said(Bond::Releases, "web-5d4f")]
    );
    assert_eq!(
        bonds(&owned(3, &[("app", "web")], "", 0)),
        [said(Bond::Adopts, "wide"), said(Bond::Spares, "web"), said(Bond::Selects, "front")]
    );
    assert_eq!(bonds(&owned(4, &[("app", "other")], "Job", 99)), []);
}

#[test]
fn who_is_on_the_way_out_adopts_nothing_and_lets_nothing_go() {
    let leaving = Selecting { deleting: true, ..workload(Kind::ReplicationController, 12, "rf", "app=rf") };
    let selectors = Selectors::of(vec![leaving]);
    let of = |pod: &Pod| of_pod(&selectors, pod).first().map(|(bond, _)| *bond);
    assert_eq!(of(&owned(1, &[("app", "rf")], "", 0)), Some(Bond::Spares));
    assert_eq!(of(&owned(2, &[("app", "x")], "ReplicationController", 12)), Some(Bond::Keeps));

    let selectors = Selectors::of(vec![workload(Kind::ReplicationController, 12, "rf", "app=rf")]);
    let of = |pod: &Pod| of_pod(&selectors, pod).first().map(|(bond, _)| *bond);
    let ended = Pod { phase: "Succeeded".into(), ..owned(1, &[("app", "rf")], "", 0) };
    assert_eq!(of(&ended), Some(Bond::Spares));
    let pod = owned(1, &[("app", "rf")], "", 0);
    let ending = Pod { meta: Meta { deleting: Some(Timestamp(1)), ..pod.meta.clone() }, ..pod };
    assert_eq!(of(&ending), Some(Bond::Spares));
}

#[test]
fn a_stateful_set_takes_only_pods_with_names_of_its_own() {
    let selectors = Selectors::of(vec![workload(Kind::StatefulSet, 14, "pod", "app=db")]);
    let of = |pod: &Pod| of_pod(&selectors, pod).first().map(|(bond, _)| *bond);
    let named = |name: &str, owner: u128| {
        let pod = owned(1, &[("app", "db")], "StatefulSet", owner);
        Pod { meta: Meta { name: name.into(), ..pod.meta.clone() }, ..pod }
    };
    assert_eq!(of(&named("pod-3", 0)), Some(Bond::Adopts));
    for other in ["pods-3", "pod-3a", "pod-", "pod"] {
        assert_eq!(of(&named(other, 0)), Some(Bond::Spares), "{other}");
    }
    assert_eq!(of(&named("pod-3", 14)), Some(Bond::Controls));
    assert_eq!(of(&named("stray", 14)), Some(Bond::Releases));
}

#[test]
fn a_selectors_reach_is_held_against_what_is_owned() {
    let selectors = some();
    let pods = [
        owned(1, WEB, "ReplicaSet", 11),
        owned(2, &[("app", "web")], "ReplicaSet", 11),
        owned(3, &[("app", "api")], "", 0),
        owned(4, &[("app", "api")], "Job", 99),
        owned(5, &[("app", "api")], "ReplicationController", 12),
    ];
    let of = |uid: u128| reach(&selectors, selectors.get(Uid(uid)).expect("there"), &pods);
    let web = of(10);
    let uids = |pods: &[(Arc<str>, Uid)]| pods.iter().map(|(_, uid)| uid.0).collect::<Vec<_>>();
    assert_eq!((web.matches, web.own, uids(&web.releases)), (2, 2, vec![2]));
    assert_eq!(web.anothers.len(), 0);
    assert_eq!(web.also, [(Uid(12), 2), (Uid(13), 2)].into_iter().collect(), "and not its own ReplicaSet");
    let covered = covered(&selectors, selectors.get(Uid(12)).expect("there"));
    assert_eq!(covered.iter().map(|one| one.uid).collect::<Vec<_>>(), [Uid(10)]);
    let wide = of(12);
    assert_eq!((wide.matches, wide.own, uids(&wide.adopts)), (5, 1, vec![3]));
    let anothers: Vec<_> = wide.anothers.iter().map(|(whose, pods)| (whose.as_str(), pods.len())).collect();
    assert_eq!(anothers, [("deployment/web", 2), ("job/owner", 1)]);
}

#[test]
fn overlaps_are_told_once_and_not_between_a_deployment_and_its_replica_sets() {
    let told = survey(&some(), []);
    let overlap = |by: u128, of: u128, mutual| Overlap { by: Uid(by), of: Uid(of), mutual };
    assert_eq!(told.overlaps, [overlap(12, 10, false)], "from the selectors alone");

    let twins = Selectors::of(vec![
        workload(Kind::Deployment, 1, "a", "app=web"),
        set_of(1, 2, "a-1", "app=web,pod-template-hash=1"),
        workload(Kind::Deployment, 3, "b", "app=web"),
        workload(Kind::Deployment, 4, "elsewhere", "app=other"),
    ]);
    assert_eq!(survey(&twins, []).overlaps, [overlap(1, 3, true)]);

    // `!canary` is no more than a hope until there is a pod
    let hopeful = Selectors::of(vec![
        workload(Kind::Deployment, 1, "a", "app=web,!canary"),
        workload(Kind::ReplicationController, 3, "b", "app=web,tier=x"),
    ]);
    assert_eq!(survey(&hopeful, []).overlaps, []);
    let pod = owned(5, &[("app", "web"), ("tier", "x")], "ReplicationController", 3);
    assert_eq!(survey(&hopeful, [&pod]).overlaps, [overlap(1, 3, false)]);
}

#[test]
fn a_selector_without_a_pod_is_pointed_out_where_there_should_be_one() {
    let idle = Selecting { wants: false, ..workload(Kind::ReplicationController, 20, "idle", "app=idle") };
    let selectors = Selectors::of(vec![
        workload(Kind::Deployment, 10, "web", "app=web"),
        set_of(10, 11, "web-5d4f", "app=web,pod-template-hash=5d4f"),
        service(13, "front", &[("app", "fornt")]),
        service(14, "by-hand", &[]),
        idle,
    ]);
    assert_eq!(survey(&selectors, [&owned(1, WEB, "ReplicaSet", 11)]).empty, [Uid(13)]);
    assert_eq!(survey(&selectors, []).empty, [Uid(10), Uid(13)], "its ReplicaSet is not told beside it");
}

#[test]
fn the_index_finds_what_asking_all_finds() {
    let all = [
        ("a", "app=web"),
        ("b", "app in (web)"),
        ("c", "app in (web,api),tier"),
        ("d", "!tier"),
        ("e", "app!=web"),
        ("f", "tier=x,app=web"),
    ];
    let workloads =
        all.iter().zip(1..).map(|((name, selector), uid)| workload(Kind::Deployment, uid, name, selector));
    let selectors = Selectors::of(workloads.collect());
    for pairs in
        [&[("app", "web")][..], &[("app", "api"), ("tier", "x")], &[("app", "web"), ("tier", "x")], &[]]
    {
        let labels = labels(pairs);
        let found: Vec<&str> =
            selectors.selecting(&"default".into(), &labels).into_iter().map(|one| &*one.name).collect();
        let wanted = all.iter().filter(|(_, text)| Selector::parse(text).expect(text).matches(&labels));
        assert_eq!(found, wanted.map(|(name, _)| *name).collect::<Vec<_>>(), "{labels}");
        assert!(selectors.selecting(&"other".into(), &labels).is_empty());
    }
}

#[test]
fn a_label_tells_who_requires_it() {
    let required = some().required();
    let names = |value: &str| -> Vec<String> {
        let found = required.values.get(&("app".into(), value.into()));
        found.into_iter().flatten().map(Selecting::reference).collect()
    };
    assert_eq!(names("web"), ["deployment/web", "replicationcontroller/wide", "service/front"]);
    assert_eq!(names("api"), ["replicationcontroller/wide"]);
    let hash = &required.values[&("pod-template-hash".into(), "5d4f".into())];
    assert_eq!(hash[0].reference(), "replicaset/web-5d4f");
}
