//! The picture of a workload, from its rows and what is remembered of its pods.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use app::{
    api::{
        ControllerRevision, Deployment, Detail, Health, InCluster, Kind, KindState, Millis, ObjectKey,
        Picture, ReplicaSet, RolloutStatus, Row, Text, Timestamp, Uid,
        detail::Pace,
        picture::{Bounds, Counts, Course, Deadline, Happening, Lane, Replaced, Tile, What},
        rollout::Verdict,
    },
    model::Cluster,
    query,
    wire::Drawing,
};

use super::{Found, History, Left, causes, happened::Standing, life::Life, notes, revisions};

/// Whether the rows that a workload's pods are counted from are what the cluster has. Halfway through the
/// first lists there would seem to be fewer than there are.
pub fn is_current(cluster: &Cluster, key: &ObjectKey) -> bool {
    let live = |kind| *cluster.state(kind) == KindState::Live;
    live(key.kind) && (key.kind != Kind::Deployment || live(Kind::ReplicaSet))
}

/// How many pods a workload has now; `None` if it is not there.
pub fn counts(history: &History, cluster: &Cluster, uid: Uid, now: Millis) -> Option<Counts> {
    let workload = history.workloads.get(&uid)?;
    let found = Found::named(cluster, &workload.key).filter(|found| found.meta().uid == uid)?;
    let bounds = found.bounds();
    let pods = |old, new, ready, available| Counts { old, new, ready, available, ..Counts::default() };
    let (desired, counts) = match &found {
        Found::Deployment(row) => {
            let sets = sets(history, cluster, uid);
            let newest = newest(&sets, row);
            let sum =
                |of: fn(&ReplicaSet) -> i32| sets.iter().map(|set| of(set)).fold(0, i32::saturating_add);
            let new = newest.map_or(0, |newest| newest.replicas.current);
            let all = sum(|set| set.replicas.current);
            let (ready, available) = (sum(|set| set.replicas.ready), sum(|set| set.replicas.available));
            (row.desired, pods(all.saturating_sub(new), new, ready, available))
        }
        Found::Set(row) => one(&row.replicas),
        Found::Controller(row) => one(&row.replicas),
        Found::Daemons(row) => {
            let old = row.current.saturating_sub(row.updated).max(0);
            (row.desired, pods(old, row.updated, row.ready, row.available))
        }
        Found::Stateful(row) => {
            let old = row.current.saturating_sub(row.updated).max(0);
            (row.desired, pods(old, row.updated, row.ready, row.available))
        }
    };
    let Bounds { floor, ceiling } = bounds.unwrap_or(Bounds { floor: desired, ceiling: desired });
    Some(Counts { at: now, desired, floor, ceiling, ..counts })
}

fn one(replicas: &app::api::replicas::Replicas) -> (i32, Counts) {
    let counts = Counts {
        new: replicas.current,
        ready: replicas.ready,
        available: replicas.available,
        ..Counts::default()
    };
    (replicas.desired, counts)
}

/// The picture; `None` if there is no such workload in the cluster.
pub fn picture(history: &History, cluster: &Cluster, drawing: &Drawing, now: Millis) -> Option<Picture> {
    let key = &drawing.key;
    let found = Found::named(cluster, key)?;
    let uid = found.meta().uid;
    if matches!(found, Found::Set(_)) && history.holders.owner(uid).is_some() {
        return None;
    }
    let detail = found.detail().clone();
    let status = found.rollout();
    let lanes = lanes(history, cluster, &found);
    let workload = history.workloads.get(&uid);
    let counts = workload.map(|workload| workload.counts.iter().copied().collect());
    let counts: Vec<Counts> = counts.unwrap_or_default();
    let latest = self::counts(history, cluster, uid, now);
    let course = course(&found, status.as_ref(), latest.as_ref());
    let deadline = match &found {
        Found::Deployment(row) => deadline(row.deadline, &detail.pace),
        _ => None,
    };
    let began = workload.and_then(|workload| workload.happened.began);
    let newest = lanes.iter().map(|strand| &strand.lane).find(|lane| lane.newest);
    let (held, runs) = match &found {
        Found::Deployment(row) => {
            let sets = sets(history, cluster, uid);
            (query::revisions(row, sets.iter()), newest.map(|lane| lane.name.clone()))
        }
        Found::Daemons(_) | Found::Stateful(_) => {
            let kept = revisions_of(history, cluster, uid);
            let runs = kept.iter().find(|kept| newest.is_some_and(|lane| kept.is_of(&lane.name)));
            let runs = runs.map(|kept| kept.meta.name.clone());
            (query::controller_revisions(found.meta(), found.selector(), kept.iter()), runs)
        }
        Found::Set(_) | Found::Controller(_) => (BTreeMap::new(), None),
    };
    let (revisions, difference) = revisions::told(held, runs.as_ref(), drawing.between);
    let happened = workload.map(|workload| workload.happened.told()).unwrap_or_default();
    let rolls = key.kind.rolls_out();
    Some(Picture {
        key: key.clone(),
        course,
        sentence: status.map(|status| status.sentence),
        desired: found.desired(),
        min_ready: detail.pace.min_ready,
        bounds: found.bounds(),
        deadline,
        causes: causes::of(history, cluster, &found, &lanes, (course, latest.unwrap_or_default()), now),
        lanes: lanes
            .into_iter()
            .map(|strand| {
                // where something rolls, a pod takes no other's place
                let replaced = match rolls {
                    true => HashMap::new(),
                    false => replacements(&strand.lives, history.left(uid), &happened),
                };
                strand.draw(detail.pace.min_ready, began, &replaced)
            })
            .collect(),
        counts,
        watched_since: history.since.unwrap_or(now),
        began,
        notes: notes::of(history, cluster, &found),
        between: drawing.between,
        happened,
        revisions,
        difference,
        gone: None,
    })
}

fn deadline(at: Option<Timestamp>, pace: &Pace) -> Option<Deadline> {
    let (at, seconds) = (at?, pace.deadline?);
    Some(Deadline { since: Timestamp(at.0.saturating_sub(seconds)), at })
}

fn course(found: &Found, status: Option<&RolloutStatus>, counts: Option<&Counts>) -> Course {
    let paused = matches!(found, Found::Deployment(row) if row.paused);
    match status.map(|status| status.verdict) {
        Some(Verdict::Succeeded) => Course::Succeeded,
        Some(Verdict::Waiting) if paused => Course::Paused,
        Some(Verdict::Waiting) => Course::Progressing,
        Some(Verdict::Failed) => Course::DeadlineExceeded,
        Some(Verdict::NotRolling) => Course::OnDelete,
        // ReplicationControllers and ReplicaSets, of which kubectl says nothing
        None if counts.is_some_and(|c| c.new == c.desired && c.available >= c.desired) => Course::Succeeded,
        None => Course::Progressing,
    }
}

/// A Deployment's ReplicaSets, oldest revision first.
pub fn sets(history: &History, cluster: &Cluster, deployment: Uid) -> Vec<Arc<ReplicaSet>> {
    let rows = ReplicaSet::rows(cluster);
    let mut sets: Vec<_> = history.holders.of(deployment).filter_map(|uid| rows.get(uid).cloned()).collect();
    sets.sort_by(|a, b| {
        let order = |set: &ReplicaSet| (set.replicas.revision, set.meta.created);
        order(a).cmp(&order(b)).then_with(|| a.meta.name.cmp(&b.meta.name))
    });
    sets
}

/// The one of the template that is wanted: the controller gives it the highest revision as it makes it or
/// takes it up again, before it notes that revision on the Deployment. It makes none yet while a Deployment is
/// paused, when it counts no pods as updated, and with `Recreate` (`rolloutRecreate`) not before all old pods
/// are gone.
pub fn newest<'a>(sets: &'a [Arc<ReplicaSet>], row: &Deployment) -> Option<&'a Arc<ReplicaSet>> {
    sets.last().filter(|last| {
        let held = row.paused && row.updated == 0 && last.replicas.current > 0;
        let emptied = row.strategy == "Recreate" && last.replicas.desired == 0 && row.desired > 0;
        !held && !emptied
    })
}

/// How a workload stands, with the counts of this moment; `None` if it is not there.
pub fn standing(history: &History, cluster: &Cluster, uid: Uid, counts: &Counts) -> Option<Standing> {
    let found = Found::named(cluster, &history.workloads.get(&uid)?.key)?;
    let newest =
        lanes(history, cluster, &found).into_iter().map(|strand| strand.lane).find(|lane| lane.newest);
    // Templates of kinds without ReplicaSets are known by their pods.
    let state = |kind| cluster.state(kind);
    let refused = matches!(state(Kind::ControllerRevision), KindState::Forbidden { .. });
    let by_pods = *state(Kind::Pod) == KindState::Live;
    let by_revisions = refused || *state(Kind::ControllerRevision) == KindState::Live;
    let known = matches!(found, Found::Deployment(_)) || (by_pods && by_revisions);
    let newest = newest.filter(|lane| known && !lane.name.is_empty());
    let revision = newest.as_ref().and_then(|lane| lane.revision);
    let paused = matches!(&found, Found::Deployment(row) if row.paused);
    let speaks_of_newest = match &found {
        Found::Deployment(row) => row.revision == revision,
        Found::Daemons(row) => {
            let kept = kept(history, cluster, uid);
            newest_kept(&kept).is_none_or(|newest| newest.detail.manifest == row.detail.manifest)
        }
        // it names the newest itself
        _ => true,
    };
    // Nodes come and go, which is nobody's scaling.
    let desired = if matches!(found, Found::Daemons(_)) { 0 } else { counts.desired };
    Some(Standing {
        course: course(&found, found.rollout().as_ref(), Some(counts)),
        desired,
        paused,
        newest: newest.map(|lane| lane.name),
        revision,
        old: counts.old,
        speaks_of_newest,
    })
}

/// So many pods of one lane are drawn.
const DRAWN: usize = 200;

/// A lane, not drawn yet.
pub struct Strand<'a> {
    pub lane: Lane,
    pub lives: Vec<&'a Life>,
}

impl Strand<'_> {
    fn draw(mut self, min_ready: i32, began: Option<Millis>, replaced: &HashMap<Arc<str>, Replaced>) -> Lane {
        // Those that were gone before are of an earlier rollout, which may have had this very lane.
        let all = self.lives.len();
        self.lives.retain(|life| life.gone().zip(began).is_none_or(|(gone, began)| gone >= began));
        let earlier = (all - self.lives.len()) as u32;
        let (mut tiles, hidden) = self.tiles(min_ready);
        for tile in &mut tiles {
            tile.replaces = replaced.get(&tile.name).cloned();
        }
        let lately = |life: &&Life| life.gone().is_none() || began.is_some();
        let takes_part = self.lane.newest || self.lane.desired > Some(0) || self.lives.iter().any(lately);
        let forgotten = self.lane.forgotten.saturating_add(earlier);
        Lane { tiles, hidden, takes_part, forgotten, ..self.lane }
    }

    /// Those that are drawn, and how many there are besides: the failing ones first, then what is not available
    /// yet or on its way out, then the latest.
    fn tiles(&self, min_ready: i32) -> (Vec<Tile>, u32) {
        let tiles = |lives: &[&Life]| lives.iter().map(|life| life.tile(min_ready)).collect();
        if self.lives.len() <= DRAWN {
            return (tiles(&self.lives), 0);
        }
        let mut order: Vec<(usize, &&Life)> = self.lives.iter().enumerate().collect();
        order.sort_by_key(|(at, life)| {
            let settled = life.is_over() || (life.ready().is_some() && !life.is_ending());
            (life.health != Health::Failing, settled, Reverse(*at))
        });
        order.truncate(DRAWN);
        order.sort_by_key(|(at, _)| *at);
        let drawn: Vec<&Life> = order.into_iter().map(|(_, life)| *life).collect();
        (tiles(&drawn), (self.lives.len() - DRAWN) as u32)
    }
}

/// A pod that comes so long after another was lost has another reason, as far as can be told.
const REPLACED_WITHIN_MS: i64 = 30_000;
/// What is lost so shortly before or after less was wanted was not to be replaced.
const SCALED_MS: i64 = 3_000;

/// A pod that was made, and may have been lost.
struct Pod {
    created: Timestamp,
    lost: Option<Millis>,
    /// When it first was.
    ready: Option<Millis>,
    name: Arc<str>,
}

/// Which pod took whose place, by name: the first that was made after another was lost. Those that `left` were
/// made and lost too.
fn replacements<'a>(
    lives: &[&Life],
    left: impl Iterator<Item = &'a Left>,
    happened: &[Happening],
) -> HashMap<Arc<str>, Replaced> {
    let fewer = |at: Millis| {
        let scaled = |h: &&Happening| matches!(h.what, What::Scaled { from, to } if to < from);
        happened.iter().filter(scaled).any(|scaled| (scaled.at.0 - at.0).abs() <= SCALED_MS)
    };
    let mut pods: Vec<Pod> = lives
        .iter()
        .filter_map(|life| {
            Some(Pod {
                created: life.created?,
                lost: life.lost(),
                ready: life.first_ready,
                name: life.name.clone(),
            })
        })
        .collect();
    pods.extend(left.filter_map(|left| {
        Some(Pod { created: left.created?, lost: Some(left.since), ready: None, name: left.name.clone() })
    }));
    pods.sort_by_key(|pod| pod.created);
    let mut lost: Vec<(Millis, &Pod)> = pods.iter().filter_map(|pod| Some((pod.lost?, pod))).collect();
    lost.retain(|(since, _)| !fewer(*since));
    lost.sort_by_key(|(since, _)| *since);
    let mut replaced = HashMap::new();
    for (since, gone) in lost {
        let next = pods.iter().find(|pod| {
            // `creationTimestamp` is cut to the second
            let follows = (-999..=REPLACED_WITHIN_MS).contains(&(pod.created.millis().0 - since.0));
            follows
                && pod.name != gone.name
                && pod.created >= gone.created
                && !replaced.contains_key(&pod.name)
        });
        if let Some(Pod { name, ready, .. }) = next {
            replaced.insert(name.clone(), Replaced { pod: gone.name.clone(), since, ready: *ready });
        }
    }
    replaced
}

/// The lanes: one for each template that has, or lately had, pods, and one for the newest in any case.
pub fn lanes<'a>(history: &'a History, cluster: &Cluster, found: &Found) -> Vec<Strand<'a>> {
    let uid = found.meta().uid;
    match found {
        Found::Deployment(row) => {
            let sets = sets(history, cluster, uid);
            let newest = newest(&sets, row).map(|newest| newest.meta.uid);
            let mut lanes: Vec<_> =
                sets.iter().map(|set| of_set(history, set, newest == Some(set.meta.uid))).collect();
            lanes.retain(|strand| {
                strand.lane.newest || strand.lane.desired > Some(0) || !strand.lives.is_empty()
            });
            lanes.sort_by_key(|strand| strand.lane.newest);
            lanes
        }
        Found::Set(row) => vec![of_set(history, row, true)],
        Found::Controller(row) => {
            let (lives, forgotten) = history.crew(uid);
            let lane = Lane {
                name: row.meta.name.clone(),
                newest: true,
                images: row.replicas.images.clone(),
                change_cause: row.replicas.change_cause.clone(),
                created: row.meta.created,
                desired: Some(row.replicas.desired),
                forgotten,
                ..Lane::default()
            };
            vec![Strand { lane, lives }]
        }
        Found::Daemons(row) => {
            let kept = kept(history, cluster, uid);
            let named = newest_kept(&kept).and_then(|kept| kept.meta.labels.get("controller-revision-hash"));
            by_template(history, uid, named, &kept, (row.updated, &row.images))
        }
        Found::Stateful(row) => {
            let kept = kept(history, cluster, uid);
            by_template(history, uid, Some(&found.detail().pace.newest), &kept, (row.updated, &row.images))
        }
    }
}

/// The ControllerRevisions of a DaemonSet or StatefulSet, in no order; none unless they are current, where something
/// else is concluded from which there are.
fn kept(history: &History, cluster: &Cluster, owner: Uid) -> Vec<Arc<ControllerRevision>> {
    match cluster.state(Kind::ControllerRevision) {
        KindState::Live => revisions_of(history, cluster, owner),
        _ => Vec::new(),
    }
}

/// As they are known, however old that is.
fn revisions_of(history: &History, cluster: &Cluster, owner: Uid) -> Vec<Arc<ControllerRevision>> {
    let rows = ControllerRevision::rows(cluster);
    history.holders.of(owner).filter_map(|uid| rows.get(uid).cloned()).collect()
}

/// That of the template that is wanted: a DaemonSet's controller gives it the highest revision.
fn newest_kept(kept: &[Arc<ControllerRevision>]) -> Option<&Arc<ControllerRevision>> {
    kept.iter().max_by_key(|kept| kept.revision)
}

fn of_set<'a>(history: &'a History, set: &ReplicaSet, newest: bool) -> Strand<'a> {
    let (lives, forgotten) = history.crew(set.meta.uid);
    let replicas = &set.replicas;
    let lane = Lane {
        name: set.meta.name.clone(),
        newest,
        revision: replicas.revision,
        images: replicas.images.clone(),
        change_cause: replicas.change_cause.clone(),
        created: set.meta.created,
        desired: Some(replicas.desired),
        forgotten,
        ..Lane::default()
    };
    Strand { lane, lives }
}

/// A DaemonSet's or StatefulSet's pods by the template they were made from. The newest template is the one
/// that is `named`, or else the one of the latest generation; of the others is known what is `kept`.
fn by_template<'a>(
    history: &'a History,
    uid: Uid,
    named: Option<&Text>,
    kept: &[Arc<ControllerRevision>],
    (updated, images): (i32, &Arc<[(Text, Text)]>),
) -> Vec<Strand<'a>> {
    let (lives, forgotten) = history.crew(uid);
    let latest =
        lives.iter().max_by_key(|life| (life.generation, life.created)).map(|life| life.template.clone());
    let newest = named.filter(|named| !named.is_empty()).cloned().or(latest).unwrap_or_default();
    let mut templates: BTreeMap<Text, Vec<&Life>> = BTreeMap::from([(newest.clone(), Vec::new())]);
    for life in lives {
        templates.entry(life.template.clone()).or_default().push(life);
    }
    let mut strands: Vec<_> = templates
        .into_iter()
        .map(|(template, lives)| {
            let is_newest = template == newest;
            let kept = kept.iter().find(|kept| kept.is_of(&template));
            let lane = Lane {
                name: Arc::from(template.as_str()),
                newest: is_newest,
                revision: kept.map(|kept| kept.revision),
                created: kept
                    .and_then(|kept| kept.meta.created)
                    .or_else(|| lives.iter().filter_map(|life| life.created).min()),
                change_cause: kept.map(|kept| kept.change_cause.clone()).unwrap_or_default(),
                images: match kept {
                    Some(kept) => kept.images.clone(),
                    // the specification's, once there are pods of it
                    None if is_newest && updated > 0 => images.clone(),
                    None => Arc::from([]),
                },
                forgotten: if is_newest { forgotten } else { 0 },
                ..Lane::default()
            };
            Strand { lane, lives }
        })
        .collect();
    strands.sort_by_key(|strand| (strand.lane.newest, strand.lane.created));
    strands
}

impl Found {
    pub(super) fn detail(&self) -> &Arc<Detail> {
        match self {
            Found::Deployment(row) => &row.detail,
            Found::Set(row) => &row.replicas.detail,
            Found::Controller(row) => &row.replicas.detail,
            Found::Daemons(row) => &row.detail,
            Found::Stateful(row) => &row.detail,
        }
    }

    pub(super) fn selector(&self) -> &Text {
        match self {
            Found::Deployment(row) => &row.selector,
            Found::Set(row) => &row.replicas.selector,
            Found::Controller(row) => &row.replicas.selector,
            Found::Daemons(row) => &row.selector,
            Found::Stateful(row) => &row.selector,
        }
    }

    fn bounds(&self) -> Option<Bounds> {
        match self {
            Found::Deployment(row) => row.bounds,
            Found::Daemons(row) => row.bounds,
            Found::Stateful(row) => row.bounds,
            Found::Set(_) | Found::Controller(_) => None,
        }
    }

    /// Pods wanted.
    fn desired(&self) -> i32 {
        match self {
            Found::Deployment(row) => row.desired,
            Found::Set(row) => row.replicas.desired,
            Found::Controller(row) => row.replicas.desired,
            Found::Daemons(row) => row.desired,
            Found::Stateful(row) => row.desired,
        }
    }

    fn rollout(&self) -> Option<RolloutStatus> {
        match self {
            Found::Deployment(row) => row.rollout(),
            Found::Daemons(row) => row.rollout(),
            Found::Stateful(row) => row.rollout(),
            Found::Set(_) | Found::Controller(_) => None,
        }
    }
}
