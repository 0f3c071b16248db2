use std::sync::Arc;

use super::*;
use crate::{
    api::{
        Deployment, Detail, Health, Kind, KindState, Lease, Meta, Millis, Namespace, Needs, Node, ObjectKey,
        Owner, Pod, ReplicationController, ResourceList, Row, Text, Timestamp, Uid,
        detail::{Condition, Container, Template},
        replicas::Replicas,
    },
    model::{Change, Cluster, Delta, WithRow},
    query::fixtures::{NOW, about, as_of, cluster, labels, meta, pod, put, services, sets},
    wire::{About, Apart},
};

const ASSETS: Assets = Assets {
    stylesheet: "/pkg/masthead.css",
    boot: Some(Boot { script: "1 < 2 && 'boot'", module: "/pkg/masthead.js", wasm: "/pkg/masthead.wasm" }),
};

fn seed(cluster: &Cluster, url: &str) -> Seed {
    Seed::choose(cluster, url, &about(), 1, &as_of(), NOW)
}

fn page(cluster: &Cluster, url: &str) -> String {
    let (status, html) = render(url, &seed(cluster, url), &ASSETS);
    assert_eq!(status, 200, "{url}");
    html
}

/// The text of the page, its markup and hydration markers left out.
fn text(html: &str) -> String {
    let body = html.split("<body>").nth(1).unwrap_or_default().split("<script").next().unwrap_or_default();
    let mut text = String::new();
    let mut inside = false;
    for c in body.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            c if !inside => text.push(c),
            _ => {}
        }
    }
    text
}

const EVERY: [&str; 34] = [
    "/",
    "/pods",
    "/pods?group=node&wide=1&columns=label:app&theme=dark",
    "/pods?selector=app%3D%3D%3D",
    "/pods?namespace=default&q=web&sort=age,desc",
    "/pods?fields=status.phase%3DRunning,spec.foo%3Dx",
    "/rollouts?group=namespace&columns=label:app",
    "/?group=label:app",
    "/nodes?fields=spec.unschedulable%3Dfalse&group=label:zone",
    "/workloads?group=namespace&columns=label:team&fields=metadata.name!%3Ddb",
    "/pods/default/rf-xyzzy",
    "/pods/default/never",
    "/workloads",
    "/deployments/default/web",
    "/replicasets/default/web-5d4f",
    "/replicationcontrollers/default/rf",
    "/daemonsets/default/agent",
    "/statefulsets/default/db",
    "/services",
    "/services/default/web",
    "/endpointslices",
    "/endpointslices/default/rf-x7k2p",
    "/nodes",
    "/nodes/worker-1",
    "/pods/default/lost",
    "/placement",
    "/placement?nodeSelector=project%3Dlistingqc&cpu=500m&tolerate=a%3Db:NoSchedule",
    "/placement?for=deployment/default/web",
    "/placement?cpu=many",
    "/namespaces",
    "/labels",
    "/labels?q=app&selector=app",
    "/images",
    "/events",
];

/// A wall's pages; nobody is there to type a command.
const WALLS: [&str; 5] = [
    "/wall",
    "/wall?pages=rollouts&theme=dark",
    "/wall?pages=nodes",
    "/wall?pages=overview&namespace=default",
    "/wall?namespace=nowhere&every=never",
];

#[test]
fn every_view_keeps_the_policy_against_inline_code() {
    let mut cluster = cluster();
    sets(&mut cluster);
    services(&mut cluster);
    for url in EVERY.iter().chain(&WALLS) {
        let html = page(&cluster, url);
        assert!(html.starts_with("<!doctype html><html"), "{url}");
        assert!(!html.contains(" style="), "{url}: inline style");
        assert!(!html.contains("javascript:") && !html.contains(" onclick"), "{url}: inline code");
        let scripts: Vec<&str> = html.split("<script").skip(1).collect();
        assert_eq!(scripts.len(), 2, "{url}: the boot script and the seed");
        let (head, text) = scripts[0].split_once('>').unwrap();
        assert!(head.contains("data-module=\"/pkg/masthead.js\""), "{url}");
        assert!(
            text.starts_with("1 < 2 && 'boot'</script>"),
            "{url}: to the letter, for its hash is allowed"
        );
        assert!(scripts[1].contains("application/octet-stream"), "{url}");
        assert!(html.contains("DEMO"), "{url}: a demo is always badged");
        assert!(WALLS.contains(url) || html.contains("kubectl "), "{url}: the command");
    }
}

#[test]
fn the_browser_starts_from_the_same_html() {
    let mut cluster = cluster();
    sets(&mut cluster);
    services(&mut cluster);
    for url in EVERY.into_iter().chain(WALLS) {
        let seed = seed(&cluster, url);
        let (_, html) = render(url, &seed, &ASSETS);
        let start = html.find("id=\"seed\">").unwrap() + "id=\"seed\">".len();
        let end = start + html[start..].find("</script>").unwrap();
        let read = Seed::from_text(&html[start..end]).expect("the seed reads back");
        assert_eq!(read, seed.at(url));
        assert_eq!(render(url, &read, &ASSETS).1, html, "{url}");
    }
}

/// Every variant of [`Page`], by its address.
fn every_page() -> Vec<String> {
    let objects = EVERY.iter().map(|url| (*url).to_owned());
    let views = Page::VIEWS.into_iter().map(|(page, _)| page).chain(Page::OTHERS).map(|page| page.path());
    let others = [
        "/rollouts/default/web",
        "/rollouts/default/daemonset/agent",
        "/probes?advice=off",
        "/nope",
        "/pods?q=nothing",
    ];
    let all: Vec<String> = objects.chain(views).chain(others.map(str::to_owned)).collect();
    // A variant that is not in the side bar has to be named above; this does not compile until it is named here.
    let seen = |wanted: fn(&Page) -> bool| all.iter().any(|url| wanted(&Place::parse(url).page));
    let _: fn(&Page) = |page| match page {
        Page::Overview | Page::Pods | Page::Workloads | Page::Rollouts | Page::Probes | Page::Services => {}
        Page::EndpointSlices | Page::Nodes | Page::Placement | Page::Namespaces | Page::Labels => {}
        Page::Images | Page::Events | Page::Wall | Page::Object(_) | Page::Rollout(_) | Page::Nowhere => {}
    };
    assert!(seen(|page| matches!(page, Page::Object(_))));
    assert!(seen(|page| matches!(page, Page::Rollout(_))) && seen(|page| matches!(page, Page::Nowhere)));
    all
}

#[test]
fn no_address_on_any_page_is_outside_its_base() {
    const BASE: &str = "/masthead/link/ab12";
    let mut cluster = cluster();
    sets(&mut cluster);
    services(&mut cluster);
    // The document without the seed, which is not read by people.
    let drawn = |url: &str, base: &str| {
        let (_, html) = render(url, &seed(&cluster, url).below(base), &ASSETS);
        html.split("<script type=\"application/octet-stream\"").next().unwrap_or_default().to_owned()
    };
    for url in every_page() {
        let html = drawn(&url, BASE);
        let addresses: Vec<&str> = ["href=\"", "src=\"", "action=\""]
            .iter()
            .flat_map(|attribute| html.split(attribute).skip(1))
            .filter_map(|rest| rest.split('"').next())
            .filter(|address| !address.starts_with('#') && !address.starts_with("https://kubernetes.io/"))
            .collect();
        // a wall has no side bar, but its files are somewhere too
        let least = if url.starts_with("/wall") { 1 } else { Page::VIEWS.len() };
        assert!(addresses.len() > least, "{url}: {addresses:?}");
        for address in addresses {
            assert!(address.starts_with("/masthead/link/ab12/"), "{url}: {address}");
        }
        assert_eq!(html.replace(BASE, ""), drawn(&url, ""), "{url}: only the addresses differ");
    }
}

#[test]
fn tables_say_what_kubectl_says() {
    let cluster = cluster();
    let html = page(&cluster, "/pods");
    let said = text(&html);
    for cell in [
        "NAMESPACE",
        "NAME",
        "READY",
        "STATUS",
        "RESTARTS",
        "AGE",
        "CrashLoopBackOff",
        "7 (60s ago)",
        "0/1",
        "5m",
        "4 pods",
    ] {
        assert!(said.contains(cell), "{cell}");
    }
    assert!(html.contains("aria-rowcount=\"5\""));
    assert!(html.contains("aria-rowindex=\"2\""));
    assert!(html.contains("aria-sort=\"none\""));
    assert!(html.contains("href=\"/pods/default/rf-xyzzy\""));
    assert!(!said.contains("READINESS GATES"));
    assert!(text(&page(&cluster, "/pods?wide=1")).contains("READINESS GATES"));
}

#[test]
fn the_overview_puts_problems_and_rollouts_first() {
    let said = text(&page(&cluster(), "/"));
    let at = |what: &str| said.find(what).unwrap_or_else(|| panic!("{what} is missing"));
    assert!(at("exits with code 1") < at("Nodes and their pods"));
    at("Waiting for deployment \"web\" rollout to finish: 2 out of 3 new replicas have been updated...");
    at("Not on a node");
}

#[test]
fn a_pod_page_tells_its_owners_and_events() {
    let cluster = cluster();
    let html = page(&cluster, "/pods/default/web-5d4f-aaaaa");
    assert!(html.contains("href=\"/replicasets/default/web-5d4f\""));
    assert!(html.contains("href=\"/deployments/default/web\""));
    assert!(text(&page(&cluster, "/pods/default/rf-xyzzy")).contains("BackOff of rf"));
    assert!(
        text(&page(&cluster, "/pods/default/never")).contains("There is no pod never in namespace default")
    );
}

/// Three nodes and pods of which one fits nowhere.
fn pending() -> Cluster {
    let mut cluster = cluster();
    let amounts = |cpu: u64| [(Text::from("cpu"), cpu), (Text::from("pods"), 10)].into_iter().collect();
    for (uid, name, project) in [(1, "worker-1", None), (2, "worker-2", Some("fraud")), (4, "worker-3", None)]
    {
        let pairs: Vec<(&str, &str)> = project.into_iter().map(|project| ("project", project)).collect();
        let meta = Meta { labels: labels(&pairs), ..meta(uid, "", name) };
        put(&mut cluster, Node { meta, allocatable: amounts(2000), ready: Some(true), ..Node::default() });
    }
    let message = "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes \
                   are available: 3 Preemption is not helpful for scheduling.";
    let condition = Condition {
        kind: "PodScheduled".into(),
        status: "False".into(),
        reason: "Unschedulable".into(),
        message: message.into(),
        last_transition: Some(NOW.seconds()),
    };
    let needs = Needs { node_selector: labels(&[("project", "listingqc")]), ..Needs::default() };
    let detail = Arc::new(Detail { conditions: vec![condition], needs, ..Detail::default() });
    for (uid, name) in [(60, "picky-a"), (61, "picky-b")] {
        let pod = Pod {
            phase: "Pending".into(),
            why: message.into(),
            health: Health::Failing,
            ..pod(uid, name, "x", "")
        };
        let owner = Some(Owner { kind: "ReplicaSet".into(), name: "web-5d4f".into(), uid: Uid(11) });
        let meta = Meta { owner, ..pod.meta.clone() };
        put(&mut cluster, Pod { meta, detail: detail.clone(), ..pod });
    }
    let template = Arc::new(Detail {
        containers: vec![Container::default()],
        needs: Needs { node_selector: labels(&[("project", "fraud")]), ..Needs::default() },
        ..Detail::default()
    });
    put(
        &mut cluster,
        Deployment { meta: meta(10, "default", "web"), detail: template, ..Deployment::default() },
    );
    cluster
}

#[test]
fn a_pending_pods_page_says_why_node_by_node() {
    let cluster = pending();
    let said = text(&page(&cluster, "/pods/default/picky-a"));
    for part in [
        "Why is it pending?",
        "3 of 3 nodesnode(s) didn't match Pod's node affinity/selector",
        "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
        "The same is found here, node by node.",
        "Fits on none of 3 nodes.",
        "label project is fraud, wants listingqc",
        "no label project, wants listingqc",
        "no node has project=listingqc; worker-2 has project=fraud; worker-1 and worker-3 have no project",
        "Nowhere in the way: name, cordon, taints, ports, room.",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!text(&page(&cluster, "/pods/default/rf-xyzzy")).contains("Why is it pending?"));
    // nothing has been said of this one
    let lost = text(&page(&cluster, "/pods/default/lost"));
    assert!(lost.contains("The scheduler has not said anything of it yet."), "{lost}");
    assert!(lost.contains("Fits on 3 of 3 nodes."), "{lost}");
}

#[test]
fn of_an_object_that_is_there_no_page_says_that_it_is_not() {
    // What is asked for beside rows was answered while its namespace was not to be seen yet.
    for url in ["/rollouts/default/web", "/placement?for=deployment/default/web"] {
        let key = ObjectKey { kind: Kind::Deployment, namespace: "default".into(), name: "web".into() };
        let mut cluster = cluster();
        let drawn = |cluster: &Cluster| {
            let mut seed = seed(cluster, url);
            (seed.picture, seed.detail) = (Some((key.clone(), None)), Some((key.clone(), None)));
            text(&render(url, &seed, &ASSETS).1)
        };
        assert!(!drawn(&cluster).contains("There is no deployment"), "{url}");
        cluster.apply(Change::Deployment(Delta::Reset(Vec::new())));
        assert!(drawn(&cluster).contains("There is no deployment web in namespace default."), "{url}");
    }
    let key = ObjectKey { kind: Kind::ReplicaSet, namespace: "default".into(), name: "web-5d4f".into() };
    let url = "/rollouts/default/replicaset/web-5d4f";
    let mut seed = seed(&cluster(), url);
    seed.picture = Some((key, None));
    let html = render(url, &seed, &ASSETS).1;
    assert!(
        text(&html).contains("This replicaset is a part of a deployment's rollout: deployment web"),
        "{html}"
    );
    assert!(html.contains("href=\"/rollouts/default/web\""), "{html}");
}

#[test]
fn a_workloads_page_says_where_its_pods_fit() {
    let said = text(&page(&pending(), "/deployments/default/web"));
    assert!(said.contains("Fits on 1 of 3 nodes"), "{said}");
}

#[test]
fn placement_answers_what_is_asked_and_lists_who_waits() {
    let cluster = pending();
    let said = |url: &str| text(&page(&cluster, url));
    let plain = said("/placement");
    assert!(plain.contains("Pods that wait for a node 3"), "{plain}");
    assert!(plain.contains("and 1 more like it"), "{plain}");
    assert!(plain.contains("node(s) didn't match Pod's node affinity/selector (3 of 3 nodes)"), "{plain}");
    assert!(!plain.contains("Fits on"), "{plain}");
    assert!(said("/placement?cpu=2500m").contains("cpu: wants 2500m, 2 of 2 left"));
    assert!(said("/placement?nodeSelector=project").contains("Fits on 1 of 3 nodes."));
    let about = said("/placement?for=deployment/default/web");
    assert!(
        about.contains("For one more pod of deployment web") && about.contains("Fits on 1 of 3 nodes."),
        "{about}"
    );
    assert!(said("/placement?for=pod/default/gone").contains("There is no pod gone in namespace default."));
    assert!(said("/placement?tolerate=a:Never").contains("tolerate: 'Never' where one of NoSchedule"));
    assert!(said("/placement?for=node/x/y").contains("'node' is neither a pod nor does it make any"));
    assert!(said("/placement?namespace=elsewhere").contains("No pod waits for a node."));
    let mut unlisted = Cluster::default();
    unlisted.apply(Change::State(Kind::Node, KindState::Live));
    assert!(!text(&page(&unlisted, "/placement")).contains("No pod waits"), "not listed is not none");
}

#[test]
fn a_nodes_page_has_requests_and_limits_of_every_resource() {
    let mut cluster = cluster();
    let list = |amounts: &[(&str, u64)]| -> ResourceList {
        amounts.iter().map(|(name, amount)| (Text::from(*name), *amount)).collect()
    };
    let allocatable = list(&[
        ("cpu", 2000),
        ("memory", 1 << 30),
        ("example.com/gpu", 4),
        ("hugepages-2Mi", 0),
        ("pods", 10),
    ]);
    put(&mut cluster, Node { meta: meta(1, "", "worker-1"), allocatable, ..Node::default() });
    let (requests, limits) = (list(&[("cpu", 500), ("example.com/gpu", 1)]), list(&[("cpu", 3000)]));
    put(&mut cluster, Pod { requests, limits, ..pod(20, "web-5d4f-aaaaa", "web", "worker-1") });
    put(
        &mut cluster,
        Pod { phase: "Succeeded".into(), requests: list(&[("cpu", 9)]), ..pod(70, "done", "x", "worker-1") },
    );
    let said = text(&page(&cluster, "/nodes/worker-1"));
    for part in [
        "cpuRequests500m of 2 (25 %)Limits3 of 2 (150 %)",
        "ephemeral-storageRequests0 B of none",
        "hugepages-2MiRequests0 B of none",
        "example.com/gpuRequests1 of 4 (25 %)Limits0 of 4 (0 %)",
        "podsOn it2 of 10 (20 %)",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("Limits0 of 10"), "pods have no limits");
}

#[test]
fn sets_are_told_where_there_are_any() {
    let mut cluster = cluster();
    let without = text(&page(&cluster, "/workloads"));
    assert!(without.contains("Deployments") && !without.contains("DaemonSets"), "{without}");
    assert!(!without.contains("StatefulSets"), "{without}");

    sets(&mut cluster);
    let with = text(&page(&cluster, "/workloads"));
    let not_rolling = "rollout status is only available for RollingUpdate strategy type";
    for said in ["DaemonSets", "NODE SELECTOR", "disk=ssd", not_rolling, "StatefulSets", "1/2"] {
        assert!(with.contains(said), "{said}: {with}");
    }
    // filtered away is not "there are none"
    let elsewhere = text(&page(&cluster, "/workloads?q=nobody"));
    assert!(elsewhere.contains("DaemonSets 0") && elsewhere.contains("StatefulSets 0"), "{elsewhere}");
    assert_eq!(elsewhere.matches("None that match, of 1.").count(), 4, "{elsewhere}");

    let overview = text(&page(&cluster, "/"));
    assert!(overview.contains("daemonsetagentdefault1 of 2 pods are of an older template"), "{overview}");
    assert!(overview.contains("Waiting for 1 pods to be ready..."), "{overview}");
    assert!(!overview.contains(not_rolling), "nothing to wait for: {overview}");
}

#[test]
fn a_sets_page_has_its_pods_and_kubectls_command() {
    let mut cluster = cluster();
    sets(&mut cluster);
    let html = page(&cluster, "/statefulsets/default/db");
    assert!(html.contains("href=\"/pods/default/db-0\""));
    let said = text(&html);
    assert!(said.contains("kubectl rollout status statefulset/db -n default"), "{said}");
    assert!(said.contains("2 desired, 1 there, 0 up to date, 1 ready, 0 available"), "{said}");
    assert!(page(&cluster, "/pods/default/db-0").contains("href=\"/statefulsets/default/db\""));
    let daemon = text(&page(&cluster, "/daemonsets/default/agent"));
    assert!(daemon.contains("2 desired, 2 with its pod, 1 up to date, 2 ready, 2 available"), "{daemon}");
}

#[test]
fn sets_that_may_not_be_seen_are_not_left_out() {
    let mut cluster = cluster();
    let refused = KindState::Forbidden {
        verb: "list".into(),
        resource: "daemonsets.apps".into(),
        namespace: "".into(),
    };
    cluster.apply(Change::State(Kind::DaemonSet, refused));
    cluster.apply(Change::State(Kind::StatefulSet, KindState::Listing { seen: 3 }));
    let said = text(&page(&cluster, "/workloads"));
    assert!(said.contains("Masthead may not list daemonsets.apps in the whole cluster."), "{said}");
    assert!(said.contains("Listing statefulsets, 3 so far"), "{said}");
}

#[test]
fn a_service_says_how_many_of_its_addresses_are_ready() {
    let mut cluster = cluster();
    services(&mut cluster);
    let html = page(&cluster, "/services");
    let said = text(&html);
    for cell in ["CLUSTER-IP", "PORT(S)", "80/TCP", "ADDRESSES", "2 of 2 ready", "none of 1 ready", "none"] {
        assert!(said.contains(cell), "{cell}: {said}");
    }
    assert!(html.contains("href=\"/services/default/web\"") && html.contains("href=\"/endpointslices\""));

    let html = page(&cluster, "/services/default/rf");
    let said = text(&html);
    for part in ["none of 1 address ready", "not ready", "exits with code 1", "10.0.0.22"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    for link in ["/pods/default/rf-xyzzy", "/nodes/worker-1", "/endpointslices/default/rf-x7k2p"] {
        assert!(html.contains(&format!("href=\"{link}\"")), "{link}");
    }
    let nobody = text(&page(&cluster, "/services/default/nobody"));
    assert!(nobody.contains("No pod of this namespace has the labels app=wed."), "{nobody}");

    let slice = page(&cluster, "/endpointslices/default/rf-x7k2p");
    assert!(slice.contains("href=\"/services/default/rf\"") && text(&slice).contains("8080/TCP"));
    assert!(text(&page(&cluster, "/endpointslices")).contains("10.0.0.20,10.0.0.21"));
}

#[test]
fn what_is_behind_a_service_says_so() {
    let mut cluster = cluster();
    services(&mut cluster);
    let pod = page(&cluster, "/pods/default/rf-xyzzy");
    assert!(pod.contains("href=\"/services/default/rf\"") && text(&pod).contains("not ready"));
    assert!(text(&page(&cluster, "/pods/default/lost")).contains("No Service selects it."));
    let mut starting = cluster.clone();
    starting.apply(Change::EndpointSlice(Delta::Gone(Uid(45))));
    let starting = text(&page(&starting, "/pods/default/web-5d4f-aaaaa"));
    assert!(starting.contains("not in any slice"), "{starting}");

    let template = Some(Template { labels: labels(&[("app", "web")]), ..Template::default() });
    let detail = Arc::new(Detail { template, ..Detail::default() });
    put(&mut cluster, Deployment { meta: meta(10, "default", "web"), detail, ..Deployment::default() });
    let html = page(&cluster, "/deployments/default/web");
    assert!(html.contains("href=\"/services/default/web\""));
    let said = text(&html);
    assert!(said.contains("2 of 2 addresses ready"), "{said}");
    assert!(said.contains("web: at most 0 unavailable; 0 may be evicted now"), "{said}");
}

#[test]
fn addresses_that_are_not_known_are_not_called_none() {
    let mut cluster = cluster();
    services(&mut cluster);
    cluster.apply(Change::State(Kind::EndpointSlice, KindState::Listing { seen: 3 }));
    let said = text(&page(&cluster, "/services"));
    assert!(said.contains("not known") && !said.contains("2 of 2 ready"), "{said}");
    let said = text(&page(&cluster, "/services/default/web"));
    assert!(said.contains("Listing endpointslices, 3 so far") && !said.contains("addresses ready"), "{said}");
    let refused = KindState::Forbidden {
        verb: "list".into(),
        resource: "endpointslices.discovery.k8s.io".into(),
        namespace: "".into(),
    };
    cluster.apply(Change::State(Kind::EndpointSlice, refused));
    let said = text(&page(&cluster, "/pods/default/web-5d4f-aaaaa"));
    assert!(said.contains("Masthead may not list endpointslices.discovery.k8s.io"), "{said}");
    assert!(!said.contains("No Service selects it."), "{said}");
}

#[test]
fn a_nodes_page_tells_its_kubelet_and_what_a_drain_has_left() {
    let mut cluster = cluster();
    services(&mut cluster);
    let said = text(&page(&cluster, "/nodes/worker-1"));
    assert!(said.contains("Kubelet heard4s ago") && said.contains("Pods2 Running"), "{said}");
    assert!(!said.contains("Cordoned"), "{said}");
    assert!(text(&page(&cluster, "/nodes/worker-2")).contains("Kubelet heardit has no lease"));

    let lease = |ago: i64| Lease {
        meta: meta(49, "kube-node-lease", "worker-1"),
        renewed: Some(Timestamp(NOW.seconds().0 - ago)),
        duration: Some(40),
        ..Lease::default()
    };
    put(&mut cluster, lease(75));
    let said = text(&page(&cluster, "/nodes/worker-1"));
    assert!(said.contains("75s ago, longer than the 40s that its lease is good for"), "{said}");
    // What is old itself cannot say how long a kubelet has been silent since.
    let since = Millis(NOW.0 - 70_000);
    let stale = KindState::Stale { since, because: "connection refused".into() };
    cluster.apply(Change::State(Kind::Lease, stale));
    let said = text(&page(&cluster, "/nodes/worker-1"));
    assert!(said.contains("5s ago when that was last known"), "{said}");

    let node = |unschedulable, version: &str| Node {
        meta: meta(1, "", "worker-1"),
        ready: Some(true),
        unschedulable,
        version: version.into(),
        ..Node::default()
    };
    put(&mut cluster, node(true, "v1.29.4"));
    let said = text(&page(&cluster, "/nodes/worker-1"));
    for part in [
        "2 pods are left that a drain evicts",
        "web needs 2 healthy pods and has 2",
        "v1.29.4: 4 minor versions older than the API server, which is not supported (v1.33.0)",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let said = text(&page(&cluster, "/nodes"));
    assert!(said.contains("1 node with kubelet") && said.contains("which is not supported"), "{said}");
}

#[test]
fn what_is_not_listed_is_never_called_empty() {
    let mut cluster = Cluster::default();
    cluster.apply(Change::State(Kind::Pod, KindState::Listing { seen: 1500 }));
    let said = text(&page(&cluster, "/pods"));
    assert!(said.contains("Listing pods, 1500 so far"), "{said}");
    assert!(!said.contains("There are no pods"));
}

#[test]
fn what_may_not_be_seen_says_which_right_is_missing() {
    let mut cluster = cluster();
    let state =
        KindState::Forbidden { verb: "list".into(), resource: "pods".into(), namespace: "team".into() };
    cluster.apply(Change::State(Kind::Pod, state));
    let said = text(&page(&cluster, "/pods"));
    assert!(said.contains("Masthead may not list pods in namespace team."));
    assert!(said.contains("kind: Role\n") && said.contains("verbs: [\"list\", \"watch\"]"), "{said}");
}

#[test]
fn while_a_selector_is_none_nothing_is_said_of_what_it_keeps() {
    let calm = calm();
    for (view, claims) in [
        ("/", &["Nothing is wrong"][..]),
        ("/images", &["0 images in use"][..]),
        ("/labels", &["0 keys in use", "Nothing that is shown has labels."][..]),
        ("/placement", &["No pod waits for a node.", "Pods that wait for a node 0"][..]),
    ] {
        let well = text(&page(&calm, view));
        let bad = text(&page(&calm, &format!("{view}?selector=a%3D%3D%3D")));
        assert!(bad.contains("This is no label selector yet") && bad.contains("at character"), "{bad}");
        for claim in claims {
            assert!(says(&well, claim) && !says(&bad, claim), "{view}: {claim}: {bad}");
        }
    }
    let wall = text(&page(&cluster(), "/wall?selector=a%3D%3D%3D"));
    assert!(wall.contains("All labels are shown.") && wall.contains("rf-xyzzy"), "{wall}");
    assert!(!wall.contains("All is well"), "{wall}");
    let part = text(&page(&cluster(), "/wall?q=web&state=healthy"));
    assert!(part.contains("“web” · state: healthy"), "all that makes it a part is said: {part}");
}

#[test]
fn what_stands_beside_a_title_is_as_old_as_what_it_counts() {
    let mut cluster = cluster();
    sets(&mut cluster);
    services(&mut cluster);
    for (view, kind) in [("/", Kind::Pod), ("/images", Kind::Pod), ("/labels", Kind::Service)] {
        for (late, is_old) in [(5_000, false), (5_001, true)] {
            let html = drawn_late(&cluster, view, late, |other| other == kind);
            let after = html.split("</h1>").nth(1).unwrap_or_default();
            let aside = after.split("class=\"commands").next().unwrap_or_default();
            let marked = ["class=\"was\"", "class=\"aside was\"", "class=\"aside drawn was\""];
            let marked = marked.iter().any(|class| aside.contains(class));
            assert_eq!(marked, is_old, "{view}: {kind}, {late} ms: {aside}");
        }
    }
}

#[test]
fn pods_of_which_not_all_are_here_are_not_counted_on_their_nodes() {
    let counted = |html: &str| {
        let counts = html.split("title=\"pods\"").skip(1);
        let counts = counts.filter_map(|rest| rest.split_once('>')?.1.split("</span>").next());
        counts.filter(|count| count.contains(|c: char| c.is_ascii_digit())).count()
    };
    let mut cluster = cluster();
    assert_eq!(counted(&page(&cluster, "/")), 2);
    for i in 0..10_000u128 {
        put(&mut cluster, pod(1_000 + i, &format!("many-{i:05}"), "many", "worker-1"));
    }
    assert_eq!(counted(&page(&cluster, "/")), 0);
}

#[test]
fn the_schedulers_words_are_held_against_nodes_only_where_those_are_listed() {
    let cluster = pending();
    let url = "/pods/default/picky-a";
    for lack in [Lack::Listing, Lack::Failing, Lack::Forbidden] {
        let said = drawn_without(&cluster, url, Kind::Node, Some(lack));
        assert!(said.contains("3 of 3 nodesnode(s) didn't match"), "{lack:?}: {said}");
        for claim in ["It looked at", "found here", "was changed after that"] {
            assert!(!said.contains(claim), "{lack:?}: {claim}: {said}");
        }
    }
    for kind in [Kind::Node, Kind::Event] {
        for (late, is_old) in [(5_000, false), (5_001, true)] {
            let html = drawn_late(&cluster, url, late, |other| other == kind);
            let before = html.split("What the scheduler says").next().unwrap_or_default();
            let gate = before.rsplit("class=\"gate").next().unwrap_or_default();
            assert_eq!(gate.starts_with(" drawn stale\""), is_old, "{kind}, {late} ms");
        }
    }
    let lost = drawn_without(&cluster, "/pods/default/lost", Kind::Event, Some(Lack::Forbidden));
    assert!(!lost.contains("has not said anything"), "{lost}");
    assert!(lost.contains("a scheduler may have said something of it"), "{lost}");
}

#[test]
fn where_some_namespaces_are_watched_nothing_is_said_of_the_whole_cluster() {
    let mut cluster = calm();
    cluster.apply(Kind::Pod.with_row(Emptied));
    let about = About { namespaces: vec!["a".to_owned()], ..about() };
    let drawn = Seed::choose(&cluster, "/pods", &about, 1, &as_of(), NOW);
    let said = text(&render("/pods", &drawn, &ASSETS).1);
    assert!(said.contains("There are no pods in the watched namespaces (a)."), "{said}");
}

#[test]
fn what_is_old_is_dimmed_and_says_since_when() {
    let mut cluster = cluster();
    let since = Millis(NOW.0 - 40_000);
    cluster.apply(Change::State(Kind::Pod, KindState::Stale { since, because: "connection refused".into() }));
    let html = page(&cluster, "/pods");
    assert!(html.contains("gate drawn stale"));
    assert!(text(&html).contains("as of 15:02:42 UTC, 40s ago: connection refused"));
}

#[test]
fn a_bad_selector_is_pointed_at_and_shows_no_rows() {
    let html = page(&cluster(), "/pods?selector=app%3D%3D%3D");
    assert!(text(&html).contains("at character 6"));
    assert!(!html.contains("<tbody><tr data-state"));
    assert!(!html.contains("rf-xyzzy</span>"));
}

#[test]
fn a_field_selector_is_held_against_what_the_kind_has() {
    let cluster = cluster();
    let kept = page(&cluster, "/pods?fields=spec.nodeName%3Dworker-2");
    assert!(kept.contains("rf-xyzzy") && !kept.contains("web-5d4f-aaaaa"));
    assert!(text(&kept).contains("kubectl get pods -A --field-selector spec.nodeName=worker-2"));
    assert!(text(&kept).contains("1 of 4 pods"));

    let refused = page(&cluster, "/pods?fields=status.phase%3DRunning,spec.foo%3Dx");
    assert!(!refused.contains("<tbody><tr data-state"));
    let said = text(&refused);
    assert!(said.contains("This is no field selector yet"), "{said}");
    assert!(said.contains("field label not supported: spec.foo (pods have metadata.name"), "{said}");
    assert!(said.contains("at character 22 of the field selector"), "{said}");
    let said = text(&page(&cluster, "/workloads?fields=status.phase%3DRunning"));
    assert!(said.contains("is not a known field selector: only"), "{said}");
}

#[test]
fn what_is_asked_can_be_taken_back_or_turned_round_one_by_one() {
    let cluster = cluster();
    let html = page(&cluster, "/pods?selector=app%3Dweb&fields=status.phase%3DRunning&q=a");
    for way in [
        "href=\"/pods?fields=status.phase%3DRunning&amp;q=a\" title=\"Remove this filter: app=web\"",
        "href=\"/pods?selector=app%21%3Dweb&amp;fields=status.phase%3DRunning&amp;q=a\" title=\"Instead: app!=web\"",
        "href=\"/pods?selector=app%3Dweb&amp;fields=status.phase%21%3DRunning&amp;q=a\"",
    ] {
        assert!(html.contains(way), "{way}");
    }
}

#[test]
fn a_chip_is_on_while_the_selector_has_it() {
    let cluster = cluster();
    let chip = |html: &str| {
        let at = html.find("class=\"chip\"").expect("a chip");
        html[html[..at].rfind('<').expect("its tag")..].split('>').next().expect("its end").to_owned()
    };
    let off = chip(&page(&cluster, "/pods"));
    assert!(
        off.contains("aria-pressed=\"false\"") && off.contains("href=\"/pods?selector=app%3Dlost\""),
        "{off}"
    );
    let on = chip(&page(&cluster, "/pods?selector=app%3Dweb"));
    assert!(on.contains("aria-pressed=\"true\"") && on.contains("href=\"/pods\""), "{on}");
    // on an object's own page it leads to those that are like it
    let away = chip(&page(&cluster, "/pods/default/rf-xyzzy"));
    assert!(!away.contains("aria-pressed") && away.contains("href=\"/pods?selector=app%3Drf\""), "{away}");
}

#[test]
fn every_table_groups_and_takes_labels_as_columns() {
    let mut cluster = cluster();
    sets(&mut cluster);
    for (url, said) in [
        ("/nodes?group=label:zone&columns=label:zone", &["ZONE", "without zone"][..]),
        ("/namespaces?group=label:zone", &["without zone"]),
        ("/workloads?group=label:team&columns=label:team", &["TEAM", "without team"]),
        ("/workloads?group=owner", &["deployment/web", "no owner"]),
        ("/rollouts?group=label:team&columns=label:app", &["without team", "Columns"]),
        ("/?group=label:app", &["Pods by app", "app=web2", "By node"]),
        ("/events?group=object", &["By kind of object", "Pod2"]),
    ] {
        let text = text(&page(&cluster, url));
        for said in said {
            assert!(text.contains(said), "{url}: {said}: {text}");
        }
    }
}

#[test]
fn labels_tell_who_has_them_who_has_not_and_who_selects_on_them() {
    let mut cluster = cluster();
    let other = pod(60, "other", "", "worker-1");
    put(
        &mut cluster,
        Pod {
            meta: Meta { labels: labels(&[("team", "x"), ("kubernetes.io/y", "z")]), ..other.meta.clone() },
            ..other
        },
    );
    let html = page(&cluster, "/labels");
    let said = text(&html);
    assert!(said.contains("3 keys in use"), "{said}");
    assert!(said.contains("1 pod has no app") && said.contains("4 pods have no team"), "{said}");
    assert!(html.contains("href=\"/pods?selector=%21team\""));
    assert!(said.contains("web2 pods deployment/web"), "{said}");
    assert!(
        said.contains("1 key of Kubernetes' own") && !html.contains("<details class=\"old\" open"),
        "{said}"
    );

    let found = page(&cluster, "/labels?q=Y");
    assert!(found.contains("key-kubernetes.io/y") && !found.contains("key-team"));
    assert!(found.contains("open"), "what is searched for is not folded away");
    assert!(text(&page(&cluster, "/labels?q=nobody")).contains("No key and no value contains “nobody”."));
}

#[test]
fn who_selects_whom_is_told_from_both_sides() {
    let mut cluster = cluster();
    let stray = pod(61, "stray", "rf", "worker-1");
    put(&mut cluster, stray);
    put(
        &mut cluster,
        ReplicationController {
            meta: meta(12, "default", "rf"),
            replicas: Replicas { desired: 2, selector: "app=rf".into(), ..Replicas::default() },
        },
    );
    put(
        &mut cluster,
        ReplicationController {
            meta: meta(62, "default", "wide"),
            replicas: Replicas { desired: 1, selector: "app in (rf,web)".into(), ..Replicas::default() },
        },
    );
    put(
        &mut cluster,
        ReplicationController {
            meta: meta(63, "default", "lonely"),
            replicas: Replicas { desired: 1, selector: "app=lonely".into(), ..Replicas::default() },
        },
    );
    let pod = text(&page(&cluster, "/pods/default/rf-xyzzy"));
    assert!(pod.contains("replicationcontroller/rf is its controller app=rf"), "{pod}");
    assert!(
        pod.contains("replicationcontroller/wide selects it, but does not own it app in (rf,web)"),
        "{pod}"
    );
    let stray = text(&page(&cluster, "/pods/default/stray"));
    assert!(
        stray.contains("replicationcontroller/rf selects it, and will adopt it: it has no controller"),
        "{stray}"
    );

    let wide = text(&page(&cluster, "/replicationcontrollers/default/wide"));
    assert!(wide.contains("4 pods with app in (rf,web), 0 of them its own"), "{wide}");
    assert!(wide.contains("1 pod without a controller will be adopted: stray"), "{wide}");
    assert!(wide.contains("1 pod of replicationcontroller/rf matches too"), "{wide}");
    assert!(wide.contains("2 pods of deployment/web match too"), "{wide}");
    let rf = text(&page(&cluster, "/replicationcontrollers/default/rf"));
    assert!(rf.contains("2 pods with app=rf, 1 of them its own"), "{rf}");
    assert!(rf.contains("replicationcontroller/wide selects 1 pod of its own"), "{rf}");
    let lonely = text(&page(&cluster, "/replicationcontrollers/default/lonely"));
    assert!(lonely.contains("No pod has app=lonely, though there should be some"), "{lonely}");

    let all = text(&page(&cluster, "/labels"));
    assert!(all.contains("Overlapping selectors 2"), "{all}");
    assert!(all.contains("replicationcontroller/wide also selects the pods of deployment/web"), "{all}");
    assert!(
        all.contains("Selectors without a pod 1") && all.contains("lonely: no pod has app=lonely"),
        "{all}"
    );
    assert!(
        text(&page(&cluster, "/workloads")).contains("2 overlaps of selectors, 1 selector without a pod")
    );
    assert!(!text(&page(&cluster, "/labels?namespace=other")).contains("Overlapping selectors"));
}

#[test]
fn services_are_told_among_those_that_select() {
    let mut cluster = cluster();
    services(&mut cluster);
    let pod = text(&page(&cluster, "/pods/default/web-5d4f-aaaaa"));
    assert!(pod.contains("deployment/web owns it through a ReplicaSet app=web"), "{pod}");
    assert!(pod.contains("service/web selects it app=web"), "{pod}");
    let web = text(&page(&cluster, "/deployments/default/web"));
    assert!(web.contains("service/web selects 2 pods of its own"), "{web}");
    let all = text(&page(&cluster, "/labels"));
    assert!(all.contains("web2 pods deployment/web service/web"), "{all}");
    assert!(all.contains("service/nobody: no pod has app=wed in default"), "{all}");
}

#[test]
fn an_empty_answer_says_what_was_asked() {
    let said = text(&page(&cluster(), "/pods?selector=app%3Dnone"));
    assert!(said.contains("No pods with app=none. Without that there are 4."), "{said}");
}

#[test]
fn other_addresses_are_not_found() {
    let cluster = cluster();
    let (status, html) = render("/nope", &seed(&cluster, "/nope"), &ASSETS);
    assert_eq!(status, 404);
    assert!(html.contains("Nothing here"));
}

#[test]
fn names_cannot_become_markup() {
    let mut cluster = cluster();
    put(
        &mut cluster,
        Pod {
            why: "<img src=x onerror=alert(1)>".into(),
            health: Health::Failing,
            ..pod(50, "a\u{202e}b", "x", "")
        },
    );
    for url in ["/", "/pods", "/wall"] {
        let html = page(&cluster, url);
        assert!(!html.contains("<img"), "{url}");
        assert!(!html.contains('\u{202e}'), "{url}");
    }
}

#[test]
fn the_first_paint_of_ten_thousand_pods_stays_small() {
    let mut cluster = cluster();
    for i in 0..10_000u128 {
        put(&mut cluster, pod(1_000 + i, &format!("many-{i:05}"), "many", "worker-1"));
    }
    let counts = |url: &&&str| ["/labels", "/images", "/placement"].iter().any(|view| url.starts_with(view));
    for url in EVERY.iter().filter(|url| !counts(url)) {
        let seed = seed(&cluster, url);
        assert!(!seed.complete);
        let size = seed.to_text().len();
        assert!(size < 130_000, "{url}: {size}");
        let html = page(&cluster, url);
        assert!(html.len() < 1_000_000, "{url}: {}", html.len());
    }
    let html = page(&cluster, "/pods");
    assert!(html.contains("aria-rowcount=\"10005\""));
    assert!(text(&html).contains("10004 pods"));
    assert!(html.matches("<tr data-state").count() <= 60);
    assert!(text(&page(&cluster, "/pods?selector=app%3Dweb")).contains("2 of 10004 pods"));
}

#[test]
fn what_is_counted_is_counted_whole_before_the_program_runs() {
    let mut cluster = cluster();
    for i in 0..10_000u128 {
        put(&mut cluster, pod(1_000 + i, &format!("many-{i:05}"), "many", "worker-1"));
    }
    for url in ["/labels", "/images", "/placement?cpu=1"] {
        assert!(seed(&cluster, url).complete, "{url}");
        let html = page(&cluster, url);
        assert!(!text(&html).contains("Counting"), "{url}");
        assert!(html.len() < 1_500_000, "{url}: {}", html.len());
    }
    assert!(text(&page(&cluster, "/labels")).contains("10000"));
}

#[test]
fn a_wall_says_what_is_broken_where_why_and_since_when() {
    let mut cluster = cluster();
    let since = Some(Timestamp(NOW.seconds().0 - 200));
    for i in 0..300u128 {
        let broken = pod(1_000 + i, &format!("broken-{i:03}"), "broken", "worker-1");
        put(&mut cluster, Pod { health: Health::Failing, why: "exits with code 3".into(), since, ..broken });
    }
    let html = page(&cluster, "/wall");
    let said = text(&html);
    assert_eq!(html.matches("class=\"problem ").count(), 6, "so many fit");
    // the 300, rf-xyzzy and lost
    for part in
        ["302 problems", "and 296 more", "broken-000", "pod · default · on worker-1", "exits with code 3"]
    {
        assert!(said.contains(part), "{part}");
    }
    assert!(said.contains("since 15:00:02 UTC (3m20s)"), "{said}");
    assert!(said.contains("as of 15:03:22 UTC"), "what the server drew is not live");
    assert!(!said.contains("All is well"));
    let calm = text(&page(&cluster, "/wall?selector=app%3Dweb"));
    assert!(calm.contains("All is well") && calm.contains("2 pods"), "{calm}");
    let overview = text(&page(&cluster, "/wall?pages=overview"));
    assert!(overview.contains("2 of 304") && overview.contains("301 failing, 1 waiting"), "{overview}");
    let bad = text(&page(&cluster, "/wall?namespace=nowhere&every=never"));
    for part in ["Nothing is here", "There is no namespace nowhere.", "every=never is no time"] {
        assert!(bad.contains(part), "{part}");
    }
}

#[test]
fn a_wall_of_what_is_not_listed_yet_is_not_well() {
    let mut cluster = cluster();
    cluster.apply(Change::State(Kind::Pod, KindState::Listing { seen: 40 }));
    let said = text(&page(&cluster, "/wall"));
    assert!(said.contains("Listing") && said.contains("40 pods") && !said.contains("All is well"), "{said}");
    let because = "connection refused".into();
    cluster.apply(Change::State(Kind::Pod, KindState::Stale { since: NOW, because }));
    let said = text(&page(&cluster, "/wall"));
    assert!(said.contains("pods: connection refused") || said.contains("connection refused"), "{said}");
    let html = page(&cluster, "/wall");
    assert!(html.contains("class=\"not-live\"") && html.contains(" invalid\""));
    let right = || ("list".into(), "pods".into(), Text::default());
    let (verb, resource, namespace) = right();
    cluster.apply(Change::State(Kind::Pod, KindState::Forbidden { verb, resource, namespace }));
    let said = text(&page(&cluster, "/wall"));
    assert!(said.contains("Not in here: pods, which Masthead may not list."), "{said}");
}

#[test]
fn a_wall_of_which_not_all_may_be_seen_is_not_well_and_says_what_is_missing() {
    let calm = calm();
    let well = text(&page(&calm, "/wall"));
    assert!(well.contains("All is well") && well.contains("1 pod · 1 workload · 1 node"), "{well}");
    let nodes = drawn_without(&calm, "/wall", Kind::Node, Some(Lack::Forbidden));
    assert!(nodes.contains("Nothing seen is wrong") && nodes.contains("1 pod · 1 workload"), "{nodes}");
    let pods = drawn_without(&calm, "/wall", Kind::Pod, Some(Lack::Refused));
    assert!(pods.contains("Not in here: pods of default, which Masthead may not list."), "{pods}");
    let nodes = drawn_without(&calm, "/wall?pages=nodes", Kind::Pod, Some(Lack::Refused));
    assert!(nodes.contains("1 node ready") && !nodes.contains("CPU"), "{nodes}");
}

#[test]
fn pods_on_a_node_that_is_not_there_have_a_card() {
    let mut cluster = cluster();
    put(&mut cluster, pod(60, "orphan", "x", "worker-9"));
    let html = page(&cluster, "/");
    assert!(html.contains("Pods on worker-9") && !html.contains("href=\"/nodes/worker-9\""));
}

/// The text of the chip that is always in sight.
fn said_of_freshness(html: &str) -> &str {
    html.split("class=\"said\">").nth(1).and_then(|rest| rest.split("</span>").next()).unwrap_or_default()
}

/// Every page that shows something, and the walls.
fn every_page_with_kinds() -> Vec<(String, Page)> {
    let all = every_page().into_iter().chain(WALLS.map(str::to_owned));
    let mut all: Vec<(String, Page)> = all
        .map(|url| {
            let page = Place::parse(&url).page;
            (url, page)
        })
        .filter(|(_, page)| *page != Page::Nowhere)
        .collect();
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    all.dedup_by(|(a, _), (b, _)| a == b);
    all
}

/// The kinds of which each by itself dims what a page is about.
fn is_about(page: &Page) -> Vec<Kind> {
    match page {
        Page::Overview | Page::Labels | Page::Images => vec![Kind::Pod],
        Page::Probes => vec![Kind::Container],
        Page::Placement => vec![Kind::Node, Kind::Pod],
        Page::Object(key) | Page::Rollout(key) => vec![key.kind],
        // a wall is marked as a whole
        Page::Wall | Page::Nowhere => Vec::new(),
        tables => tables.tables().to_vec(),
    }
}

/// The page when what `is_late` was confirmed so many milliseconds ago, and all else just now.
fn drawn_late(cluster: &Cluster, url: &str, late: i64, is_late: impl Fn(Kind) -> bool) -> String {
    let mut seed = seed(cluster, url);
    for (kind, at) in &mut seed.as_of {
        if is_late(*kind) {
            *at = NOW.later(-late);
        }
    }
    render(url, &seed, &ASSETS).1
}

/// How many parts of a page are drawn as current, and how many are dimmed.
fn gates(html: &str) -> (usize, usize) {
    (html.matches("class=\"gate drawn\"").count(), html.matches("class=\"gate drawn stale\"").count())
}

#[test]
fn in_every_view_whatever_kind_is_not_confirmed_for_more_than_five_seconds_is_marked_by_name() {
    let mut cluster = cluster();
    sets(&mut cluster);
    services(&mut cluster);
    for (url, page) in every_page_with_kinds() {
        for kind in page.kinds().iter() {
            let is_of = |other: Kind| other.watched() == kind.watched();
            for (late, is_old) in [(5_000, false), (5_001, true)] {
                let html = drawn_late(&cluster, &url, late, is_of);
                let marked = html.contains("freshness old") || html.contains(" invalid");
                assert_eq!(marked, is_old, "{url}: {kind}, {late} ms");
                let dimmed = gates(&html).1;
                if !is_old {
                    assert_eq!(dimmed, 0, "{url}: {kind}, {late} ms");
                    continue;
                }
                let named = said_of_freshness(&html).contains(kind.watched().plural());
                assert!(named || page == Page::Wall, "{url}: {kind} is not named");
                if is_about(&page).into_iter().any(is_of) {
                    assert!(dimmed > 0, "{url}: what is made of {kind} is not dimmed");
                }
            }
        }
    }
}

#[test]
fn probes_are_not_heard_of_while_events_are_held_back() {
    let cluster = cluster();
    for (late, is_deaf) in [(5_000, false), (5_001, true)] {
        let drawn = drawn_late(&cluster, "/probes", late, |kind| kind == Kind::Event);
        assert_eq!(drawn.contains("Events are not seen now"), is_deaf, "{late} ms");
    }
}

#[test]
fn in_every_view_all_that_is_not_confirmed_for_more_than_five_seconds_is_dimmed() {
    let mut cluster = cluster();
    sets(&mut cluster);
    services(&mut cluster);
    for (url, page) in every_page_with_kinds() {
        let (current, dimmed) = gates(&drawn_late(&cluster, &url, 5_000, |_| true));
        assert_eq!((current > 0, dimmed), (page != Page::Wall, 0), "{url}: what is current");
        let (current, dimmed) = gates(&drawn_late(&cluster, &url, 5_001, |_| true));
        assert_eq!((current, dimmed > 0), (0, page != Page::Wall), "{url}: what is old");
    }
}

/// Why nothing of a kind is on a page, though there may be some.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lack {
    Listing,
    Failing,
    Forbidden,
    /// In one namespace, while others may be seen.
    Refused,
    /// In all namespaces but another.
    Unwatched,
}

/// The changes after which a kind has no rows.
struct Emptied;

impl WithRow for Emptied {
    type Out = Change;
    fn with<T: Row>(self) -> Change {
        T::change(Delta::Reset(Vec::new()))
    }
}

/// The text of a page without any rows of a kind, for such a reason; for none if there are none.
fn drawn_without(cluster: &Cluster, url: &str, kind: Kind, lack: Option<Lack>) -> String {
    let state = match lack {
        Some(Lack::Listing) => KindState::Listing { seen: 7 },
        Some(Lack::Failing) => KindState::Failing { because: "connection refused".into() },
        Some(Lack::Forbidden) => KindState::Forbidden {
            verb: "list".into(),
            resource: kind.resource().into(),
            namespace: Text::default(),
        },
        Some(Lack::Refused | Lack::Unwatched) | None => KindState::Live,
    };
    let mut cluster = cluster.clone();
    for other in Kind::ALL.iter().filter(|other| other.watched() == kind.watched()) {
        cluster.apply(other.with_row(Emptied));
        cluster.apply(Change::State(*other, state.clone()));
    }
    let mut about = about();
    if lack == Some(Lack::Refused) {
        let within = vec![("default".into(), false), ("other".into(), true)];
        let namespaces = vec!["default".to_owned(), "other".to_owned()];
        about = About { namespaces, apart: Apart::from([(kind.watched(), within)]), ..about };
    }
    if lack == Some(Lack::Unwatched) {
        let namespaced = Kind::ALL.iter().filter(|kind| kind.namespaced() && kind.only_in().is_none());
        let apart = namespaced.map(|kind| (kind.watched(), vec![("other".into(), true)])).collect();
        about = About { namespaces: vec!["other".to_owned()], apart, ..about };
    }
    text(&render(url, &Seed::choose(&cluster, url, &about, 1, &as_of(), NOW), &ASSETS).1)
}

/// What is said where there is none of a kind.
fn claims(kind: Kind) -> Vec<String> {
    const MAKERS: [Kind; 4] =
        [Kind::Deployment, Kind::ReplicationController, Kind::DaemonSet, Kind::StatefulSet];
    const LABELLED: [&str; 3] =
        ["0 keys in use", "Nothing that is shown has labels", "No key and no value contains"];
    const PROBLEMS: [&str; 4] = ["Nothing is wrong", "Nothing is here", "All is well", "0problems"];
    const ROLLOUTS: [&str; 6] = [
        "none in progress",
        "None of those that are shown here",
        "In progress 0",
        "Through 0",
        "No rollout in progress",
        "0rollouts in progress",
    ];
    let own: &[&str] = match kind {
        Kind::Node => &["No node is known", "nodes healthy", "No nodes with"],
        Kind::Namespace => &["There is no namespace "],
        Kind::Pod => &[
            "Podsnone",
            "On it0 of",
            "no pod is left",
            "No pod of this namespace",
            "No pod has",
            "no pod has",
            "No pod waits",
            "No pods in namespace",
            "Pods that wait for a node 0",
            "0 images in use",
            "pods healthy",
            "Nothing is under way",
        ],
        Kind::Deployment => &["Deployments 0"],
        Kind::ReplicationController => &["ReplicationControllers 0", "0 workloads"],
        Kind::ReplicaSet => &["ReplicaSets 0", "0 ReplicaSets scaled"],
        Kind::Service => &["No Service selects it", "none selects its pods"],
        Kind::EndpointSlice => &["No Service selects it", "no address"],
        Kind::PodDisruptionBudget => &["none covers its pods"],
        Kind::Lease => &["it has no lease"],
        Kind::Event => &["None. The API server forgets events", "0 warnings"],
        Kind::DaemonSet | Kind::StatefulSet | Kind::Container | Kind::ControllerRevision => &[],
    };
    let mut claims: Vec<String> = own.iter().map(|claim| (*claim).to_owned()).collect();
    let mut also = |that: bool, those: &[&str]| {
        claims.extend(those.iter().filter(|_| that).map(|claim| (*claim).to_owned()));
    };
    let makes = MAKERS.contains(&kind);
    let selects = makes || matches!(kind, Kind::ReplicaSet | Kind::Service | Kind::PodDisruptionBudget);
    also(makes, &["workloads healthy", "Nothing is under way"]);
    also(makes && kind != Kind::ReplicationController, &ROLLOUTS);
    also(makes || matches!(kind, Kind::Node | Kind::Pod), &PROBLEMS);
    also(selects, &["Nothing that is shown here."]);
    also(Page::Labels.kinds().contains(kind), &LABELLED);
    let (singular, plural) = (kind.singular(), kind.plural());
    also(Page::of_object(kind, "", "").is_some(), &[format!("There is no {singular} ").as_str()]);
    also(Page::listing(kind).table() == Some(kind), &[format!("There are no {plural}").as_str()]);
    claims
}

/// Whether it is said. A figure is not, where it is the end of a longer one.
fn says(said: &str, claim: &str) -> bool {
    let digit = |c: char| c.is_ascii_digit();
    said.match_indices(claim).any(|(at, _)| !(claim.starts_with(digit) && said[..at].ends_with(digit)))
}

/// Some of every kind, and much to be said of it. Nobody has put the pods of `web` into its slice.
fn busy() -> Cluster {
    let mut cluster = cluster();
    sets(&mut cluster);
    services(&mut cluster);
    cluster.apply(Change::EndpointSlice(Delta::Gone(Uid(45))));
    let template = Some(Template { labels: labels(&[("app", "web")]), ..Template::default() });
    put(
        &mut cluster,
        Deployment {
            meta: meta(10, "default", "web"),
            desired: 2,
            selector: "app=web".into(),
            detail: Arc::new(Detail { template, ..Detail::default() }),
            ..Deployment::default()
        },
    );
    let ready = Some(true);
    put(&mut cluster, Node { meta: meta(1, "", "worker-1"), ready, unschedulable: true, ..Node::default() });
    cluster
}

/// A few things that are as they should be, without a label.
fn calm() -> Cluster {
    let mut cluster = Cluster::default();
    for kind in Kind::ALL {
        cluster.apply(Change::State(*kind, KindState::Live));
    }
    put(&mut cluster, Namespace { meta: meta(3, "", "default"), ..Namespace::default() });
    put(&mut cluster, Node { meta: meta(1, "", "worker-1"), ready: Some(true), ..Node::default() });
    put(
        &mut cluster,
        ReplicationController { meta: meta(12, "default", "one"), ..ReplicationController::default() },
    );
    put(&mut cluster, Pod { meta: meta(20, "default", "one"), node: "worker-1".into(), ..Pod::default() });
    cluster
}

#[test]
fn that_there_is_none_of_a_kind_is_said_where_it_is_known() {
    let clusters = [busy(), calm()];
    for kind in Kind::ALL {
        let pages = every_page_with_kinds().into_iter().filter(|(_, page)| page.kinds().contains(*kind));
        let mut unsaid = claims(*kind);
        for (url, _) in pages {
            for cluster in &clusters {
                if !unsaid.is_empty() {
                    let said = drawn_without(cluster, &url, *kind, None);
                    unsaid.retain(|claim| !says(&said, claim));
                }
            }
        }
        assert_eq!(unsaid, [""; 0], "{kind}");
    }
}

#[test]
fn that_there_is_none_of_a_kind_is_said_nowhere_where_it_is_not_known() {
    for cluster in [busy(), calm()] {
        for (url, page) in every_page_with_kinds() {
            let shown = Place::parse(&url).namespaces;
            let shows_refused = shown.is_empty() || shown.iter().any(|name| name == "default");
            for kind in page.kinds().iter() {
                let within = kind.namespaced() && kind.only_in().is_none() && shows_refused;
                let refused = within.then_some(Lack::Refused);
                // what is on a node is of any namespace
                let looks_there = !shown.is_empty() || matches!(page, Page::Object(_));
                let unwatched = (within && looks_there).then_some(Lack::Unwatched);
                let everywhere = [Lack::Listing, Lack::Failing, Lack::Forbidden];
                for lack in everywhere.into_iter().chain(refused).chain(unwatched) {
                    let said = drawn_without(&cluster, &url, kind, Some(lack));
                    // where a namespace is refused, room on nodes is counted by what is in the others, and that is said
                    let figure = (!matches!(lack, Lack::Refused | Lack::Unwatched))
                        .then(|| format!("0 {}", kind.plural()));
                    for claim in claims(kind).into_iter().chain(figure) {
                        assert!(!says(&said, &claim), "{url}: {kind} {lack:?}: {claim}: {said}");
                    }
                }
            }
        }
    }
}

#[test]
fn what_stands_above_the_gates_is_marked_when_it_is_old() {
    let mut cluster = cluster();
    services(&mut cluster);
    for (url, kind, mark) in [
        ("/pods", Kind::Pod, "class=\"aside drawn was\""),
        ("/events", Kind::Event, "class=\"aside drawn was\""),
        ("/probes", Kind::Container, "class=\"aside drawn was\""),
        ("/pods/default/rf-xyzzy", Kind::Pod, "class=\"aside drawn was\""),
        ("/nodes/worker-1", Kind::Node, "class=\"aside drawn was\""),
        ("/deployments/default/web", Kind::Deployment, "class=\"aside drawn was\""),
        ("/services/default/rf", Kind::Service, "class=\"aside drawn was\""),
        ("/services/default/rf", Kind::EndpointSlice, "class=\"status was\""),
        ("/nodes", Kind::Node, "class=\"plain-list versions was\""),
        ("/workloads", Kind::Deployment, "class=\"count drawn was\""),
    ] {
        for (late, is_old) in [(5_000, false), (5_001, true)] {
            let html = drawn_late(&cluster, url, late, |other| other == kind);
            assert_eq!(html.contains(mark), is_old, "{url}: {kind}, {late} ms");
        }
    }
    // why an address of a slice is not ready, its pod says
    let html = drawn_late(&cluster, "/endpointslices/default/rf-x7k2p", 5_001, |kind| kind == Kind::Pod);
    assert!(gates(&html).1 > 0);
}

#[test]
fn a_head_says_nothing_of_what_is_not_listed() {
    let (verb, resource, namespace) = ("list".into(), "pods".into(), Text::default());
    for (state, is_said) in [
        (KindState::Live, true),
        (KindState::Listing { seen: 7 }, false),
        (KindState::Forbidden { verb, resource, namespace }, false),
    ] {
        for (url, kind, claim) in [
            ("/pods/default/rf-xyzzy", Kind::Pod, "0/1 ready"),
            ("/deployments/default/web", Kind::Deployment, "progressing"),
        ] {
            let mut cluster = cluster();
            cluster.apply(Change::State(kind, state.clone()));
            let said = text(&page(&cluster, url));
            assert_eq!(said.contains(claim), is_said, "{url}: {state:?}: {said}");
        }
    }
}

#[test]
fn of_what_is_no_selector_nothing_is_counted_in_any_list() {
    let mut cluster = cluster();
    sets(&mut cluster);
    for url in ["/rollouts", "/workloads", "/probes"] {
        let said = text(&page(&cluster, &format!("{url}?selector=app%3D%3D%3D")));
        assert!(said.contains("at character 6"), "{url}: {said}");
        for claim in [
            "in progress",
            "None",
            "In progress 0",
            "Through in the last hour 0",
            "Through 0",
            "Deployments 0",
            "ReplicationControllers 0",
            "ReplicaSets 0",
            "0 ReplicaSets",
            "No container that is shown here has a probe",
        ] {
            assert!(!says(&said, claim), "{url}: {claim}: {said}");
        }
    }
}

#[test]
fn how_many_are_in_each_state_is_counted_of_what_is_asked_for_otherwise() {
    let cluster = calm();
    let head = |url: &str| text(&page(&cluster, url));
    assert!(head("/pods").contains("healthy"), "{}", head("/pods"));
    assert!(head("/pods?state=failing").contains("healthy"), "that is where one goes from there");
    for url in
        ["/pods?namespace=other", "/pods?selector=app%3Dweb", "/pods?q=nothing", "/pods?selector=a%3D%3D%3D"]
    {
        assert!(!head(url).contains("healthy"), "{url}: {}", head(url));
    }
}
