//! The whole cluster at a glance: what is wrong, what is under way, and every pod on its node.

mod grouped;

use std::{collections::BTreeMap, sync::Arc};

use leptos::prelude::*;

use grouped::Grouped;

use super::listing::state_links;
use crate::{
    api::{
        DaemonSet, Deployment, Health, Kind, KindState, Node, Pod, ReplicaSet, ReplicationController, Row,
        StatefulSet, Uid,
    },
    components::{
        filters::{Grouping, bad_selector, no_selector},
        frame::Head,
        gate::{Gate, dims, missing},
        here::Here,
        icon, name, store,
        strip::Way,
        table::Owned,
        tiles::Tiles,
    },
    format::visible,
    query::{
        self, Fact, Filter, Group, Line, Page,
        problems::{self, Problem},
    },
    store::Store,
};

/// Above this many pods, tiles are shared out among the nodes.
const TILES: usize = 1_500;
/// What tiles are put together by unless another thing is chosen.
const BY_NODE: &str = "By node";
/// Problems listed one by one.
const PROBLEMS: usize = 20;
/// What may have problems.
const TROUBLED: &[Kind] = &[
    Kind::Node,
    Kind::Deployment,
    Kind::ReplicationController,
    Kind::DaemonSet,
    Kind::StatefulSet,
    Kind::Pod,
];
/// What rollouts under way are told by: controllers, and their pods.
const MOVING: &[Kind] = &[
    Kind::Deployment,
    Kind::ReplicationController,
    Kind::DaemonSet,
    Kind::StatefulSet,
    Kind::ReplicaSet,
    Kind::Pod,
];

/// The view.
#[component]
pub fn Overview() -> impl IntoView {
    let store = store();
    let owned = {
        let store = store.clone();
        Memo::new(move |_| query::pods_by_owner(&store.rows::<Pod>(), &store.rows::<ReplicaSet>()))
    };
    provide_context(Owned(owned));
    let pods = kept::<Pod>(&store);
    let states = Memo::new(move |_| pods.with(|pods| query::tally(pods.iter().map(|pod| pod.health))));
    let here = Here::get();
    let whole = {
        let store = store.clone();
        Memo::new(move |_| store.partial().is_none() && store.state(Kind::Pod).listed())
    };
    let old = dims(&store, &[Kind::Pod]);
    let aside = move || {
        whole.get().then(|| {
            let links = state_links(&here.place(), states.get());
            view! { <span class="aside" class:was=move || old.get()>{links}</span> }
        })
    };
    // Of what a selector keeps that is none nothing is known: neither that all is well, nor how many there are.
    let bad = bad_selector(Kind::Pod);
    let body = move || match bad.get() {
        Some(error) => no_selector(&here.place(), &error).into_any(),
        None => view! { <Parts pods whole /> }.into_any(),
    };
    view! {
        <Head title=|| "Overview" aside=aside />
        {body}
    }
    .into_any()
}

/// All that the place keeps, while it says what that is.
#[component]
fn Parts(pods: Memo<Vec<Arc<Pod>>>, whole: Memo<bool>) -> impl IntoView {
    let (here, store) = (Here::get(), store());
    let nodes_forbidden = Memo::new(move |_| matches!(store.state(Kind::Node), KindState::Forbidden { .. }));
    let group = Memo::new(move |_| here.place().group.filter(|group| *group != Group::Node));
    let title = move || match group.get() {
        None => "Nodes and their pods".to_owned(),
        Some(Group::Label(key)) => format!("Pods by {}", visible(&key)),
        Some(group) => format!("Pods by {}", group.word()),
    };
    view! {
        <Problems pods />
        <UnderWay />
        <section aria-labelledby="on-nodes">
            <h2 id="on-nodes">{title}</h2>
            <div class="tools"><Grouping kinds=vec![Kind::Pod] none=BY_NODE /></div>
            {move || {
                if let Some(group) = group.get() {
                    view! {
                        <Gate kind=Kind::Pod>
                            <Grouped pods group=group.clone() whole />
                        </Gate>
                    }
                    .into_any()
                } else if nodes_forbidden.get() {
                    // What is missing is said below; where the pods are, they say themselves.
                    view! {
                        <Gate kind=Kind::Pod>
                            <OnNodes pods whole />
                        </Gate>
                        <Gate kind=Kind::Node>""</Gate>
                    }
                    .into_any()
                } else {
                    view! {
                        <Gate kind=Kind::Node>
                            <Gate kind=Kind::Pod>
                                <OnNodes pods whole />
                            </Gate>
                        </Gate>
                    }
                    .into_any()
                }
            }}
        </section>
    }
    .into_any()
}

/// The rows of a kind that the place keeps, by namespace and name. A bad selector keeps none.
fn kept<T: Row>(store: &Store) -> Memo<Vec<Arc<T>>> {
    let here = Here::get();
    let store = store.clone();
    Memo::new(move |_| {
        let place = here.place();
        let Ok(filter) = Filter::of(&place, T::KIND) else { return Vec::new() };
        let mut rows = store.rows::<T>();
        rows.retain(|row| filter.keeps(&**row));
        rows.sort_by(|a, b| {
            (&a.meta().namespace, &a.meta().name).cmp(&(&b.meta().namespace, &b.meta().name))
        });
        rows
    })
}

/// What is not as it should be and will not get there by itself, worst first.
#[component]
fn Problems(pods: Memo<Vec<Arc<Pod>>>) -> impl IntoView {
    let here = Here::get();
    let store = store();
    let nodes = kept::<Node>(&store);
    let deployments = kept::<Deployment>(&store);
    let controllers = kept::<ReplicationController>(&store);
    let daemons = kept::<DaemonSet>(&store);
    let stateful = kept::<StatefulSet>(&store);
    let dims = dims(&store, TROUBLED);
    let lacks = Memo::new(move |_| missing(&store, TROUBLED, &here.place().namespaces));
    let found = Memo::new(move |_| {
        let mut found = Vec::new();
        problems::add(&mut found, &nodes.get());
        problems::add(&mut found, &deployments.get());
        problems::add(&mut found, &controllers.get());
        problems::add(&mut found, &daemons.get());
        problems::add(&mut found, &stateful.get());
        problems::add(&mut found, &pods.get());
        // within a state, nodes before workloads before pods
        problems::told(found)
    });
    let rest = move || found.with(|found| found.len().saturating_sub(PROBLEMS));
    let more = move || {
        let place = here.place().elsewhere(Page::Pods).with_only(Fact::State, Some("failing".to_owned()));
        (rest() > 0).then(|| view! { <p><a href=place.href()>{format!("and {} more", rest())}</a></p> })
    };
    let last = move || {
        let (health, said) = match (found.with(Vec::is_empty), lacks.get()) {
            (true, None) => (Health::Healthy, "Nothing is wrong that a watch can see.".to_owned()),
            (_, Some(lacks)) => (Health::Unknown, lacks),
            (false, None) => return None,
        };
        Some(view! { <p class="well">{icon::shape(health)} {said}</p> })
    };
    view! {
        <section class="problems" aria-labelledby="problems">
            <h2 id="problems">"Problems"</h2>
            <div class="gate drawn" class:stale=move || dims.get()>
                <ul>
                    <For
                        each=move || found.get().into_iter().take(PROBLEMS)
                        key=Clone::clone
                        children=problem
                    />
                </ul>
                {more}
                {last}
            </div>
        </section>
    }
    .into_any()
}

fn problem(problem: Problem) -> AnyView {
    let Problem { health, kind, namespace, name, why, owner, pods, .. } = problem;
    let what = match owner.filter(|_| pods > 1) {
        Some(owner) => {
            let of = match Kind::parse(&owner.kind) {
                Some(kind) => name::object_link(kind, &namespace, &owner.name),
                None => view! { <span>{visible(&owner.name).into_owned()}</span> }.into_any(),
            };
            let kind = visible(&owner.kind).to_lowercase();
            view! { <span class="kind">{format!("{pods} pods of {kind}")}</span> {of} }.into_any()
        }
        None => view! {
            <span class="kind">{kind.singular()}</span>
            {name::object_link(kind, &namespace, &name)}
        }
        .into_any(),
    };
    view! {
        <li>
            {icon::state(health)}
            {what}
            <span class="where">{namespace.to_string()}</span>
            <span class="why">{visible(&why).into_owned()}</span>
        </li>
    }
    .into_any()
}

/// Controllers that are not where they should be, with their pods; a ReplicaSet's Deployment speaks for it.
#[component]
fn UnderWay() -> impl IntoView {
    let store = store();
    let deployments = kept::<Deployment>(&store);
    let controllers = kept::<ReplicationController>(&store);
    let daemons = kept::<DaemonSet>(&store);
    let stateful = kept::<StatefulSet>(&store);
    let moving = Memo::new(move |_| {
        let mut moving = Vec::new();
        deployments.with(|rows| away(&mut moving, rows));
        controllers.with(|rows| away(&mut moving, rows));
        daemons.with(|rows| away(&mut moving, rows));
        stateful.with(|rows| away(&mut moving, rows));
        moving
    });
    let any = Memo::new(move |_| moving.with(|moving| !moving.is_empty()));
    let dims = dims(&store, MOVING);
    move || {
        let store = store.clone();
        any.get().then(|| view! {
            <section class="under-way" aria-labelledby="under-way">
                <h2 id="under-way">"Not where they should be"</h2>
                <div class="gate drawn" class:stale=move || dims.get()>
                    <ul class="cards">
                        <For each=move || moving.get() key=|key| *key children=move |(kind, uid)| moving_card(&store, kind, uid) />
                    </ul>
                </div>
            </section>
        })
    }
}

fn away<T: Row>(moving: &mut Vec<(Kind, Uid)>, rows: &[Arc<T>]) {
    let away = rows.iter().filter(|row| row.health() != Health::Healthy);
    moving.extend(away.map(|row| (T::KIND, row.meta().uid)));
}

fn moving_card(store: &Store, kind: Kind, uid: Uid) -> impl IntoView + use<> {
    let line = {
        let store = store.clone();
        Memo::new(move |_| store.line(kind, uid).map(|line| (line.health(), says(&*line))))
    };
    let link = untrack(|| store.line(kind, uid)).map(|line| {
        let meta = line.meta();
        (name::link(kind, meta), meta.namespace.to_string())
    });
    let (link, namespace) = link.unzip();
    let whole = store.clone();
    let owned = use_context::<Owned>();
    let uids = Signal::derive(move || {
        owned.and_then(|Owned(owned)| owned.with(|owned| owned.get(&uid).cloned())).unwrap_or_default()
    });
    view! {
        <li class="card">
            <h3>
                {move || line.get().map(|(health, _)| icon::state(health))}
                <span class="kind">{kind.singular()}</span>
                {link}
                <span class="where">{namespace}</span>
            </h3>
            <p class="says">{move || line.get().map(|(_, says)| says)}</p>
            <Way line=Signal::derive(move || whole.line(kind, uid)) />
            <Tiles kind=Kind::Pod uids label="Its pods" most=120 />
        </li>
    }
    .into_any()
}

/// kubectl's sentence about a rollout, unless that is done; the reason for anything else.
fn says(line: &dyn Line) -> String {
    match line.rollout() {
        Some(rollout) if rollout.is_under_way() => visible(&rollout.sentence).into_owned(),
        _ => visible(line.why()).into_owned(),
    }
}

/// A card a node with its pods, and one for those on none.
#[component]
fn OnNodes(
    pods: Memo<Vec<Arc<Pod>>>,
    /// Whether all of them are here. Until then they are drawn, and not counted.
    whole: Memo<bool>,
) -> impl IntoView {
    let store = store();
    let placed = Memo::new(move |_| {
        let mut placed: BTreeMap<String, Vec<Uid>> = BTreeMap::new();
        pods.with(|pods| {
            let mut pods: Vec<&Arc<Pod>> = pods.iter().collect();
            if pods.len() > TILES {
                pods.sort_by_key(|pod| pod.health);
            }
            for pod in pods {
                placed.entry(pod.node.to_string()).or_default().push(pod.meta.uid);
            }
        });
        placed
    });
    // By name, with the uid of those that are known: without the right to list nodes none is, and pods may say for a
    // while that they are on one that has gone.
    let nodes = {
        let store = store.clone();
        Memo::new(move |_| {
            let known = store.rows::<Node>();
            let mut nodes: BTreeMap<Arc<str>, Option<Uid>> =
                known.iter().map(|node| (node.meta.name.clone(), Some(node.meta.uid))).collect();
            placed.with(|placed| {
                for name in placed.keys().filter(|name| !name.is_empty()) {
                    nodes.entry(name.as_str().into()).or_insert(None);
                }
            });
            nodes.into_iter().collect::<Vec<_>>()
        })
    };
    let of = move |node: &str| placed.with(|placed| placed.get(node).cloned().unwrap_or_default());
    let most = Memo::new(move |_| {
        if pods.with(Vec::len) > TILES { (TILES / nodes.with(Vec::len).max(1)).max(12) } else { TILES }
    });
    let nowhere = Memo::new(move |_| of("").len());
    view! {
        <ul class="cards nodes">
            {move || {
                (nowhere.get() > 0)
                    .then(|| {
                        view! {
                            <li class="card unscheduled">
                                <h3>"Not on a node" <span class="count">{move || whole.get().then(|| nowhere.get())}</span></h3>
                                <Tiles kind=Kind::Pod uids=Signal::derive(move || of("")) label="Unscheduled pods" />
                            </li>
                        }
                    })
            }}
            <For
                each=move || nodes.get()
                key=Clone::clone
                children=move |(node, uid)| {
                    let store = store.clone();
                    let uids = { let node = node.clone(); Memo::new(move |_| of(&node)) };
                    let most = most.get_untracked();
                    view! {
                        <li class="card">
                            {match uid {
                                Some(uid) => node_head(store, uid, uids, whole).into_any(),
                                None => view! { <h3>{name::cut(&node)} <span class="count">{move || whole.get().then(|| uids.with(Vec::len))}</span></h3> }.into_any(),
                            }}
                            <Tiles kind=Kind::Pod uids=uids.into() label=format!("Pods on {node}") most />
                        </li>
                    }
                }
            />
        </ul>
    }
    .into_any()
}

fn node_head(store: Store, uid: Uid, uids: Memo<Vec<Uid>>, whole: Memo<bool>) -> impl IntoView {
    let node = Memo::new(move |_| store.row::<Node>(uid));
    let link = untrack(|| node.get()).map(|node| name::link(Kind::Node, &node.meta));
    view! {
        <h3>
            {move || node.get().map(|node| icon::state(node.health))}
            {link}
            <span class="count" title="pods">{move || whole.get().then(|| uids.with(Vec::len))}</span>
        </h3>
        <p class="says">
            {move || {
                node.get()
                    .map(|node| {
                        let roles = if node.roles.is_empty() { String::new() } else { format!(" · {}", node.roles_cell()) };
                        format!("{}{roles}", node.status())
                    })
            }}
        </p>
    }
    .into_any()
}
