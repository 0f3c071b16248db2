//! Objects of the API server, of every kind: the first byte is the kind, the rest its JSON.

use std::{any::Any, sync::Arc};

use app::{
    api::{
        ControllerRevision, DaemonSet, Deployment, EndpointSlice, Event, Lease, Namespace, Needs, Node,
        ObjectKey, Pod, PodDisruptionBudget, ReplicaSet, ReplicationController, ResourceList, Row, Service,
        StatefulSet, Timestamp, Uid,
        manifest::{Difference, Manifest, is_restart},
        needs::Toleration,
    },
    field_selector::{FieldSelector, Term},
    model::{Cluster, Delta},
    placement::{
        case::{Case, Seen},
        grouped::{columns, grouped},
        said::main_reason,
    },
    query::{Fact, Group, Line, drain::Drain, skew::Skew},
    wire::{self, Frame, strings},
};
use server::{
    http::text,
    source::translate::{self, Translate},
};

/// One a kind that the API server has objects of.
const KINDS: [fn(&str); 14] = [
    object::<Node>,
    object::<Namespace>,
    object::<Pod>,
    object::<ReplicationController>,
    object::<Deployment>,
    object::<DaemonSet>,
    object::<StatefulSet>,
    object::<ReplicaSet>,
    object::<ControllerRevision>,
    object::<Service>,
    object::<EndpointSlice>,
    object::<PodDisruptionBudget>,
    object::<Lease>,
    object::<Event>,
];

/// Moments at which cells are printed: the ends of time, and one in the middle.
const MOMENTS: [Timestamp; 4] =
    [Timestamp(i64::MIN), Timestamp(0), Timestamp(1_795_446_202), Timestamp(i64::MAX)];

/// See the module.
pub fn check(data: &[u8]) {
    if let Some((kind, json)) = super::chosen(data) {
        KINDS[kind % KINDS.len()](json);
    }
}

fn object<T: Translate>(json: &str) {
    let head = translate::head(json);
    match translate::row::<T>(json) {
        Err(error) => {
            assert_eq!((&error.namespace, &error.name), (&head.namespace, &head.name));
            assert!(!error.to_string().is_empty());
        }
        Ok(row) => {
            let meta = row.meta();
            // what is gone is known by its head alone
            assert_eq!(
                (meta.uid, &*meta.namespace, &meta.name),
                (head.uid, &*head.namespace, &head.name),
                "a head is not its row's"
            );
            travels(&row);
            prints(&row);
            answers(&row);
            of_its_kind(&row);
        }
    }
}

/// What was read goes over the wire and comes out the same.
fn travels<T: Translate>(row: &T) {
    let shared = Arc::new(row.clone());
    let changes =
        [T::change(Delta::Put(shared.clone())), T::change(Delta::Reset(vec![shared.clone(), shared]))];
    let bytes = wire::write_snapshot(&mut strings::Written::default(), &changes);
    let (_, read) = wire::read_snapshot(&bytes).expect("what was written can be read");
    // details stay behind, so that rows are held against each other as they are written
    assert_eq!(wire::write_snapshot(&mut strings::Written::default(), &read), bytes);
    let (mut sent, mut received) = (Cluster::default(), Cluster::default());
    changes.into_iter().for_each(|change| sent.apply(change));
    read.into_iter().for_each(|change| received.apply(change));
    assert_eq!(sent.hash(), received.hash());
    assert_eq!((sent.count(T::KIND), received.count(T::KIND)), (1, 1));
    let there = T::rows(&received).get(row.meta().uid).expect("the row that was sent");
    assert_eq!(json(&**there), json(row));
    received.apply(T::change(Delta::Gone(row.meta().uid)));
    assert_eq!((received.count(T::KIND), received.hash()), (0, 0));

    let meta = row.meta();
    let key = ObjectKey { kind: T::KIND, namespace: meta.namespace.to_string(), name: meta.name.to_string() };
    // the manifest stays behind
    let bytes = wire::to_bytes(&Frame::Detail { key, detail: row.detail().cloned() });
    assert_eq!(wire::to_bytes(&wire::frame(&bytes).expect("a frame")), bytes);
}

/// As scripts read it.
fn json<T: Row>(row: &T) -> String {
    serde_json::to_string(row).expect("rows are JSON")
}

/// Every cell of kubectl's, at any time.
fn prints<T: Row>(row: &T) {
    for now in MOMENTS.into_iter().chain(row.meta().created) {
        for column in T::COLUMNS {
            let _ = (column.cell)(row, now);
            assert!((column.order)(row, row).is_eq(), "{} is not in its own place", column.heading);
        }
    }
    let table = text::table(&[row], true, true, MOMENTS[2]);
    assert!(table.starts_with("NAME") && table.ends_with('\n') && table.lines().count() >= 2, "{table}");
    assert!(!table.contains('\u{1b}'), "a terminal would obey {table:?}");
    let _ = text::names(&[row]);
}

/// What tables and filters ask of it.
fn answers<T: Translate>(row: &T) {
    let line: &dyn Line = row;
    for field in T::FIELDS {
        if let Some(value) = line.field(field.name) {
            let term = Term { field: field.name.into(), equal: true, value: (&*value).into() };
            let [is, not] = [term.clone(), term.opposite()].map(|term| {
                let text = FieldSelector::of(vec![term]).to_string();
                FieldSelector::parse(&text, [T::KIND]).expect("a printed selector").matches(line)
            });
            assert!(is && !not, "{} is not what it is", field.name);
        }
    }
    for group in [Group::Owner, Group::Node, Group::Namespace, Group::Object, Group::Label("app".into())] {
        assert_ne!(line.group(&group).as_deref(), Some(""), "a group without a name");
    }
    for fact in Fact::ALL {
        line.fact(fact, line.why());
    }
    assert!(line.mentions(&row.meta().name.to_lowercase()));
    let _ = (line.health(), line.since());
    if let Some(status) = line.rollout() {
        let _ = (status.is_under_way(), format!("{status:?}"));
    }
}

/// What only some kinds are asked.
fn of_its_kind<T: Row>(row: &T) {
    let any: &dyn Any = row;
    if let Some(pod) = any.downcast_ref::<Pod>() {
        self::pod(pod);
    }
    if let Some(node) = any.downcast_ref::<Node>() {
        self::node(node);
    }
    if let Some(lease) = any.downcast_ref::<Lease>() {
        for now in MOMENTS {
            assert!(lease.silent_for(now).is_none_or(|seconds| seconds >= 0));
            let _ = lease.is_expired(now);
        }
    }
    if let Some(event) = any.downcast_ref::<Event>() {
        let _ = (event.object(), event.container().map(str::len), event.warns(), main_reason(&event.message));
    }
    if let Some(service) = any.downcast_ref::<Service>() {
        let meta = &service.meta;
        let _ = (service.is_headless(), service.selects(&meta.namespace, &meta.labels));
    }
    if let Some(budget) = any.downcast_ref::<PodDisruptionBudget>() {
        let _ = (budget.selects(), budget.asks());
    }
    if let Some(slice) = any.downcast_ref::<EndpointSlice>() {
        for endpoint in slice.endpoints.iter() {
            let _ = (endpoint.is_ready(), endpoint.is_serving(), endpoint.is_terminating());
        }
    }
    let Some(detail) = row.detail() else { return };
    let needs = &detail.needs;
    placed(Case::of_template(T::KIND, row.meta().uid, needs, seen(&[Arc::new(beside())], &[])), needs);
    let _ = text::template::describe(detail, row.why());
    let (field, none) = (detail.manifest.field(), Manifest::default().field());
    for (from, to) in [(&field, &none), (&none, &field), (&field, &field)] {
        assert_eq!(Difference::between((1, from), (2, to)).lines.is_empty(), from == to);
        assert!(!is_restart(from, to) || from != to);
    }
}

fn pod(pod: &Pod) {
    let detail = pod.detail.clone();
    let shared = Arc::new(pod.clone());
    let nodes = [Arc::new(beside())];
    let case = Case::of_pod(pod, &detail, &[], seen(&nodes, std::slice::from_ref(&shared)));
    if let Some(told) = &case.told {
        let _ = (told.sentences(), told.standing.word(), told.standing.sentence());
    }
    placed(case, &detail.needs);
    let drain = Drain::of(std::slice::from_ref(&shared), &[]);
    assert_eq!(drain.left.len() + drain.staying, 1);
    let _ = drain.sentence();
    for column in Pod::COLUMNS {
        let _ = (column.cell)(pod, pod.last_restart.unwrap_or_default());
    }
}

fn node(node: &Node) {
    let shared = [Arc::new(node.clone())];
    let needs = asking();
    placed(Case::of_needs(&needs, seen(&shared, &[])), &needs);
    for version in ["v1.37.2", "", &node.version] {
        let skew = Skew::of(&node.version, version);
        let _ = (skew.is_supported(), skew.sentence());
    }
}

fn seen<'a>(nodes: &'a [Arc<Node>], pods: &'a [Arc<Pod>]) -> Seen<'a> {
    Seen { nodes, pods, every_pod: true }
}

/// What is said of where it fits goes together.
fn placed(case: Case, needs: &Needs) {
    let placement = &case.placement;
    assert_eq!(placement.message().is_empty(), placement.fits() > 0);
    assert!(
        placement.refused.is_some()
            || placement.fits() == placement.nodes.len()
            || !placement.counted().is_empty()
    );
    let groups = grouped(placement);
    assert_eq!(groups.iter().map(|group| group.nodes.len()).sum::<usize>(), placement.nodes.len());
    let _ = (columns(&groups), case.sentence(), needs.tolerations_by_key());
    for missing in &case.missing {
        let _ = missing.words();
    }
    for unchecked in &case.unchecked {
        let _ = unchecked.words();
    }
    for verdict in &placement.nodes {
        for reason in &verdict.reasons {
            let _ = (reason.words(), reason.why());
        }
    }
}

/// A node to be placed on.
fn beside() -> Node {
    let labels = [("kubernetes.io/hostname", "node-1"), ("zone", "a"), ("n", "7")];
    let mut node = Node {
        unschedulable: true,
        allocatable: ResourceList::from_iter([
            ("cpu".into(), 4000),
            ("memory".into(), 1 << 32),
            ("pods".into(), 2),
        ]),
        ..Node::default()
    };
    node.meta.uid = Uid(1);
    node.meta.name = "node-1".into();
    node.meta.labels = labels.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
    node
}

/// A pod's wishes, to be held against a node.
fn asking() -> Needs {
    Needs {
        requests: ResourceList::from_iter([("cpu".into(), 100), ("example.com/gpu".into(), 1)]),
        node_selector: [("zone".into(), "a".into())].into_iter().collect(),
        tolerations: vec![Toleration { key: "a".into(), ..Toleration::default() }],
        ..Needs::default()
    }
}
