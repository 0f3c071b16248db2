//! A small cluster for tests, rows built by hand.

use std::sync::Arc;

use crate::{
    api::{
        DaemonSet, DaemonSetRollout, Deployment, EndpointSlice, Event, Health, Kind, KindState, Labels,
        Lease, Meta, Millis, Namespace, Node, Owner, Pod, PodDisruptionBudget, ReplicaSet,
        ReplicationController, Rollout, Row, Service, StatefulSet, StatefulSetRollout, Text, Timestamp, Uid,
        endpoint_slice::{Endpoint, EndpointPort, Target},
        pod::PodStatus,
        service::ServicePort,
    },
    model::{Change, Cluster, Delta},
    wire::About,
};

pub const NOW: Millis = Millis(1_795_446_202_000);

/// Everything was known to be current then.
pub fn as_of() -> Vec<(Kind, Millis)> {
    Kind::ALL.iter().map(|kind| (*kind, NOW)).collect()
}

pub fn about() -> About {
    About { context: "demo".into(), version: "v1.33.0".into(), demo: true, ..About::default() }
}

pub fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(key, value)| (Text::from(*key), Text::from(*value))).collect()
}

pub fn meta(uid: u128, namespace: &str, name: &str) -> Meta {
    let created = Some(Timestamp(NOW.seconds().0 - 300));
    Meta { uid: Uid(uid), namespace: namespace.into(), name: name.into(), created, ..Meta::default() }
}

pub fn pod(uid: u128, name: &str, app: &str, node: &str) -> Pod {
    Pod {
        meta: Meta { labels: labels(&[("app", app)]), ..meta(uid, "default", name) },
        ready: 1,
        total: 1,
        status: PodStatus::Reason("Running".into()),
        phase: "Running".into(),
        node: node.into(),
        is_ready: true,
        images: Arc::from([("c".into(), Text::from(format!("registry.example/{app}:v1")))]),
        ..Pod::default()
    }
}

pub fn put<T: Row>(cluster: &mut Cluster, row: T) {
    cluster.apply(T::change(Delta::Put(Arc::new(row))));
}

/// Two nodes; `web`, a Deployment of two pods under way; `rf`, a ReplicationController of one
/// failing pod; an unscheduled pod; two events. No DaemonSet, no StatefulSet; see [`sets`].
pub fn cluster() -> Cluster {
    let mut cluster = Cluster::default();
    for kind in Kind::ALL {
        cluster.apply(Change::State(*kind, KindState::Live));
    }
    for (uid, name) in [(1, "worker-1"), (2, "worker-2")] {
        put(
            &mut cluster,
            Node {
                meta: meta(uid, "", name),
                ready: Some(true),
                version: "v1.33.0".into(),
                ..Node::default()
            },
        );
    }
    put(
        &mut cluster,
        Namespace { meta: meta(3, "", "default"), phase: "Active".into(), ..Namespace::default() },
    );
    put(
        &mut cluster,
        Deployment {
            meta: meta(10, "default", "web"),
            desired: 3,
            ready: 2,
            updated: 2,
            available: 2,
            rollout: Rollout::Updating { updated: 2, desired: 3 },
            health: Health::Progressing,
            selector: "app=web".into(),
            ..Deployment::default()
        },
    );
    let owner =
        |kind: &str, name: &str, uid| Some(Owner { kind: kind.into(), name: name.into(), uid: Uid(uid) });
    put(
        &mut cluster,
        ReplicaSet {
            meta: Meta { owner: owner("Deployment", "web", 10), ..meta(11, "default", "web-5d4f") },
            ..ReplicaSet::default()
        },
    );
    put(
        &mut cluster,
        ReplicationController { meta: meta(12, "default", "rf"), ..ReplicationController::default() },
    );
    for (uid, name) in [(20, "web-5d4f-aaaaa"), (21, "web-5d4f-bbbbb")] {
        let pod = pod(uid, name, "web", "worker-1");
        put(
            &mut cluster,
            Pod { meta: Meta { owner: owner("ReplicaSet", "web-5d4f", 11), ..pod.meta.clone() }, ..pod },
        );
    }
    let broken = pod(22, "rf-xyzzy", "rf", "worker-2");
    put(
        &mut cluster,
        Pod {
            meta: Meta { owner: owner("ReplicationController", "rf", 12), ..broken.meta.clone() },
            status: PodStatus::Reason("CrashLoopBackOff".into()),
            restarts: 7,
            last_restart: Some(Timestamp(NOW.seconds().0 - 60)),
            ready: 0,
            health: Health::Failing,
            why: "exits with code 1".into(),
            ..broken
        },
    );
    let lost = pod(23, "lost", "lost", "");
    put(
        &mut cluster,
        Pod { status: PodStatus::Reason("Pending".into()), ready: 0, health: Health::Waiting, ..lost },
    );
    for (uid, kind, reason, ago) in [(30, "Normal", "Started", 100), (31, "Warning", "BackOff", 10)] {
        put(
            &mut cluster,
            Event {
                meta: meta(uid, "default", &format!("rf-xyzzy.{uid}")),
                last: Some(Timestamp(NOW.seconds().0 - ago)),
                count: 1,
                kind: kind.into(),
                reason: reason.into(),
                object_kind: "Pod".into(),
                object_namespace: "default".into(),
                object_name: "rf-xyzzy".into(),
                object_uid: Uid(22),
                message: format!("{reason} of rf").into(),
                ..Event::default()
            },
        );
    }
    cluster
}

/// `agent`, a DaemonSet whose pods are replaced by hand, and `db`, a StatefulSet of one pod under way.
pub fn sets(cluster: &mut Cluster) {
    put(
        cluster,
        DaemonSet {
            meta: meta(13, "default", "agent"),
            desired: 2,
            current: 2,
            ready: 2,
            updated: 1,
            available: 2,
            node_selector: "disk=ssd".into(),
            selector: "app=agent".into(),
            rollout: DaemonSetRollout::NotRolling,
            health: Health::Waiting,
            why: "1 of 2 pods are of an older template".into(),
            ..DaemonSet::default()
        },
    );
    put(
        cluster,
        StatefulSet {
            meta: meta(14, "default", "db"),
            desired: 2,
            current: 1,
            ready: 1,
            selector: "app=db".into(),
            rollout: StatefulSetRollout::BecomingReady { missing: 1 },
            health: Health::Progressing,
            why: "Waiting for 1 pods to be ready...".into(),
            ..StatefulSet::default()
        },
    );
    let first = pod(24, "db-0", "db", "worker-2");
    let owner = Some(Owner { kind: "StatefulSet".into(), name: "db".into(), uid: Uid(14) });
    put(cluster, Pod { meta: Meta { owner, ..first.meta.clone() }, ..first });
}

/// `web`, a Service of two pods, both ready; `rf`, of one that is not; `nobody`, whose selector is mistyped. A budget
/// of `web` that lets no pod go, and the lease of worker-1, heard four seconds ago.
pub fn services(cluster: &mut Cluster) {
    for (uid, name, app) in [(40, "web", "web"), (41, "rf", "rf"), (42, "nobody", "wed")] {
        put(
            cluster,
            Service {
                meta: meta(uid, "default", name),
                kind: "ClusterIP".into(),
                cluster_ips: vec![Arc::from(format!("10.96.0.{uid}"))],
                ports: vec![ServicePort {
                    port: 80,
                    target: "http".into(),
                    protocol: "TCP".into(),
                    ..ServicePort::default()
                }],
                selector: Some(labels(&[("app", app)])),
                ..Service::default()
            },
        );
    }
    let endpoint = |uid: u128, name: &str, ready: bool| Endpoint {
        addresses: vec![Arc::from(format!("10.0.0.{uid}"))],
        target: Some(Target { kind: "Pod".into(), name: name.into(), uid: Uid(uid) }),
        node: "worker-1".into(),
        ready: Some(ready),
        serving: Some(ready),
        terminating: Some(false),
        ..Endpoint::default()
    };
    let web = vec![endpoint(20, "web-5d4f-aaaaa", true), endpoint(21, "web-5d4f-bbbbb", true)];
    for (uid, service, endpoints) in
        [(45, "web", web), (46, "rf", vec![endpoint(22, "rf-xyzzy", false)]), (47, "nobody", Vec::new())]
    {
        put(
            cluster,
            EndpointSlice {
                meta: meta(uid, "default", &format!("{service}-x7k2p")),
                address_type: "IPv4".into(),
                service: service.into(),
                ports: vec![EndpointPort {
                    name: Some(Text::default()),
                    port: Some(8080),
                    protocol: "TCP".into(),
                    ..EndpointPort::default()
                }],
                endpoints,
                ..EndpointSlice::default()
            },
        );
    }
    put(
        cluster,
        PodDisruptionBudget {
            meta: meta(48, "default", "web"),
            max_unavailable: Some("0".into()),
            current_healthy: 2,
            desired_healthy: 2,
            expected_pods: 2,
            selector: Some("app=web".into()),
            observed: true,
            ..PodDisruptionBudget::default()
        },
    );
    put(
        cluster,
        Lease {
            meta: meta(49, "kube-node-lease", "worker-1"),
            holder: "worker-1".into(),
            renewed: Some(Timestamp(NOW.seconds().0 - 4)),
            duration: Some(40),
        },
    );
}
