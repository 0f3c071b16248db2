//! The picture of a workload, from its rows and what is remembered of its pods.

use std::{cmp::Reverse, collections::BTreeMap, sync::Arc};

use app::{
    api::{
        Deployment, Detail, Health, InCluster, Kind, KindState, Millis, ObjectKey, Picture, ReplicaSet,
        RolloutStatus, Row, Text, Timestamp, Uid,
        detail::Pace,
        picture::{Bounds, Counts, Course, Deadline, Lane, Tile},
        rollout::Verdict,
    },
    model::Cluster,
};

use super::{Found, History, causes, life::Life};

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
    let bounds = found.detail().pace.bounds;
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
pub fn picture(history: &History, cluster: &Cluster, key: &ObjectKey, now: Millis) -> Option<Picture> {
    let found = Found::named(cluster, key)?;
    let uid = found.meta().uid;
    if matches!(found, Found::Set(_)) && history.deployments.contains_key(&uid) {
        return None;
    }
    let detail = found.detail().clone();
    let status = found.rollout();
    let lanes = lanes(history, cluster, &found);
    let counts = history.workloads.get(&uid).map(|workload| workload.counts.iter().copied().collect());
    let counts: Vec<Counts> = counts.unwrap_or_default();
    let latest = self::counts(history, cluster, uid, now);
    let course = course(&found, status.as_ref(), latest.as_ref());
    let deadline = match &found {
        Found::Deployment(row) => deadline(row.deadline, &detail.pace),
        _ => None,
    };
    let began = history.workloads.get(&uid).and_then(|workload| workload.newest.as_ref()?.1);
    Some(Picture {
        key: key.clone(),
        course,
        sentence: status.map(|status| status.sentence),
        desired: found.desired(),
        min_ready: detail.pace.min_ready,
        bounds: detail.pace.bounds,
        deadline,
        causes: causes::of(history, cluster, &found, &lanes, (course, latest.unwrap_or_default()), now),
        lanes: lanes.into_iter().map(|lane| lane.draw(detail.pace.min_ready, began)).collect(),
        counts,
        watched_since: history.since,
        began,
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
    let Some(sets) = history.sets.get(&deployment) else { return Vec::new() };
    let rows = ReplicaSet::rows(cluster);
    let mut sets: Vec<_> = sets.iter().filter_map(|uid| rows.get(*uid).cloned()).collect();
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

/// The name of the newest template's lane.
pub fn newest_lane(history: &History, cluster: &Cluster, uid: Uid) -> Option<Arc<str>> {
    let found = Found::named(cluster, &history.workloads.get(&uid)?.key)?;
    if *cluster.state(Kind::Pod) != KindState::Live && !matches!(found, Found::Deployment(_)) {
        return None; // templates are known by their pods
    }
    lanes(history, cluster, &found)
        .into_iter()
        .find(|strand| strand.lane.newest)
        .map(|strand| strand.lane.name)
}

/// So many pods of one lane are drawn.
const DRAWN: usize = 200;

/// A lane, not drawn yet.
pub struct Strand<'a> {
    pub lane: Lane,
    pub lives: Vec<&'a Life>,
}

impl Strand<'_> {
    fn draw(self, min_ready: i32, began: Option<Millis>) -> Lane {
        let (tiles, hidden) = self.tiles(min_ready);
        let lately = |life: &&Life| life.gone().is_none_or(|gone| began.is_some_and(|began| gone >= began));
        let takes_part = self.lane.newest || self.lane.desired > Some(0) || self.lives.iter().any(lately);
        Lane { tiles, hidden, takes_part, ..self.lane }
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
        Found::Daemons(row) => by_template(history, uid, None, (row.updated, &row.images)),
        Found::Stateful(row) => {
            by_template(history, uid, Some(&found.detail().pace.newest), (row.updated, &row.images))
        }
    }
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
/// that the status names, or else the one of the latest generation.
fn by_template<'a>(
    history: &'a History,
    uid: Uid,
    named: Option<&Text>,
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
            let lane = Lane {
                name: Arc::from(template.as_str()),
                newest: is_newest,
                created: lives.iter().filter_map(|life| life.created).min(),
                // the specification's, once there are pods of it; of older templates only their pods know
                images: if is_newest && updated > 0 { images.clone() } else { Arc::from([]) },
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
