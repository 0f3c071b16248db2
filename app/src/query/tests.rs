use super::{fixtures::cluster, *};

/// The names of the lines, group titles as `[title count]`.
fn names(kind: Kind, url: &str) -> Vec<String> {
    let cluster = cluster();
    let answer = answer(kind, line::lines(&cluster, kind), &Place::parse(url)).unwrap();
    let name = |item: &Item| match item {
        Item::Group { title, count, .. } => format!("[{title} {count}]"),
        Item::Line(uid) => line::line(&cluster, kind, *uid).unwrap().meta().name.to_string(),
    };
    answer.items.iter().map(name).collect()
}

#[test]
fn rows_come_in_kubectls_order_until_sorted() {
    assert_eq!(names(Kind::Pod, "/pods"), ["lost", "rf-xyzzy", "web-5d4f-aaaaa", "web-5d4f-bbbbb"]);
    assert_eq!(names(Kind::Pod, "/pods?sort=restarts,desc")[0], "rf-xyzzy");
    assert_eq!(names(Kind::Pod, "/pods?sort=name,desc")[0], "web-5d4f-bbbbb");
    assert_eq!(names(Kind::Pod, "/pods?sort=label:app,desc")[0], "web-5d4f-aaaaa");
    assert_eq!(names(Kind::Event, "/events"), ["rf-xyzzy.31", "rf-xyzzy.30"], "newest first");
}

#[test]
fn each_filter_keeps_what_it_names() {
    for (url, kept) in [
        ("/pods?selector=app%3Dweb", 2),
        ("/pods?selector=app!%3Dweb", 2),
        ("/pods?q=WORKER-2", 1),
        ("/pods?q=app%3Drf", 1),
        ("/pods?state=failing", 1),
        ("/pods?node=worker-1", 2),
        ("/pods?image=registry.example%2Fweb:v1", 2),
        ("/pods?namespace=other", 0),
        ("/pods?namespace=other,default", 4),
    ] {
        assert_eq!(names(Kind::Pod, url).len(), kept, "{url}");
    }
    assert_eq!(names(Kind::Event, "/events?type=Warning"), ["rf-xyzzy.31"]);
    assert_eq!(names(Kind::Event, "/events?object=pod%2Frf-xyzzy").len(), 2);
    assert_eq!(names(Kind::Node, "/nodes?namespace=other").len(), 2, "nodes have no namespace");
}

#[test]
fn groups_have_titles_and_what_belongs_nowhere_comes_last() {
    assert_eq!(
        names(Kind::Pod, "/pods?group=owner"),
        [
            "[replicaset/web-5d4f 2]",
            "web-5d4f-aaaaa",
            "web-5d4f-bbbbb",
            "[replicationcontroller/rf 1]",
            "rf-xyzzy",
            "[no owner 1]",
            "lost"
        ]
    );
    assert_eq!(names(Kind::Pod, "/pods?group=node")[5], "[not on a node 1]");
    assert_eq!(names(Kind::Pod, "/pods?group=label:app")[0], "[app=lost 1]");
}

#[test]
fn a_bad_selector_is_an_error_not_an_empty_answer() {
    let error = answer(Kind::Pod, Vec::new(), &Place::parse("/pods?selector=app%3Da%3Db")).unwrap_err();
    assert_eq!(error.at, 5);
}

#[test]
fn a_deployment_owns_its_replica_sets_pods() {
    let cluster = cluster();
    let pods: Vec<_> = cluster.pods.iter().cloned().collect();
    let sets: Vec<_> = cluster.replica_sets.iter().cloned().collect();
    let owned = pods_by_owner(&pods, &sets);
    assert_eq!(owned[&Uid(10)], [Uid(20), Uid(21)]);
    assert_eq!(owned[&Uid(11)], owned[&Uid(10)]);
    assert_eq!(owned[&Uid(12)], [Uid(22)]);
}
