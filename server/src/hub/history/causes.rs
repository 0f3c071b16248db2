//! What a workload waits for, in words and with evidence. Only what an object, a condition or an event
//! says is told; where none says anything, that is told.

use std::{collections::BTreeMap, sync::Arc};

use app::{
    api::{
        Deployment, Detail, Health, Kind, KindState, Millis, ReplicaSet, Rollout, Text, Timestamp,
        picture::{Cause, Counts, Course, Station},
    },
    model::Cluster,
};

use super::{
    Found, History,
    draw::{self, Strand},
    life::Life,
};

/// Why a pod is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    Unschedulable,
    Image,
    /// Its container is restarted, more slowly each time.
    Crash,
    /// Its container has ended, once as far as is told.
    Ended,
    Other,
    /// Nothing is known of it any more.
    Lost,
    Probe,
    Waiting,
    MinReady,
}

/// The most likely first; empty where there is nothing to wait for.
pub fn of(
    history: &History,
    cluster: &Cluster,
    found: &Found,
    strands: &[Strand<'_>],
    (course, counts): (Course, Counts),
    now: Millis,
) -> Vec<Cause> {
    let key = format!("{}/{}", found.kind().singular(), found.meta().name);
    if matches!(course, Course::Succeeded | Course::OnDelete | Course::Deleted) {
        return Vec::new();
    }
    let mut causes = Vec::new();
    if let Found::Deployment(row) = found {
        causes.extend(of_deployment(row, course, &key));
    }
    causes.extend(refusals(found.detail(), &key));
    if let Found::Deployment(row) = found {
        let sets = draw::sets(history, cluster, row.meta.uid);
        causes.extend(stalemate(row, &sets));
        for set in sets {
            let told = refusals(&set.replicas.detail, &format!("replicaset/{}", set.meta.name));
            // the Deployment repeats what its ReplicaSet says
            causes.retain(|cause| told.iter().all(|told| told.evidence != cause.evidence));
            causes.extend(told);
        }
    }
    let min_ready = found.detail().pace.min_ready;
    // A Deployment goes on whatever its old pods do; the others wait for theirs.
    let rolling = matches!(found, Found::Deployment(_));
    for strand in strands.iter().filter(|strand| strand.lane.newest || !rolling) {
        causes.extend(of_pods(strand, min_ready, now));
    }
    if !matches!(found, Found::Deployment(row) if row.strategy != "Recreate") {
        causes.extend(ending(strands)); // a rolling update does not count those that are on their way out
    }
    if causes.is_empty() {
        causes.push(silence(history, cluster, found, counts, &key));
    }
    causes.sort_by_key(|cause| !cause.blocks); // stable: those that block first
    causes
}

fn of_deployment(row: &Deployment, course: Course, key: &str) -> Option<Cause> {
    let says = match (course, row.rollout) {
        (Course::Paused, _) => "It is paused: changes of its template wait for kubectl rollout resume",
        (_, Rollout::Unobserved) => {
            "Its controller has not seen the newest spec yet; if this stays, no controller is running"
        }
        _ => return None,
    };
    Some(Cause {
        blocks: course == Course::Paused,
        says: says.to_owned(),
        evidence: if course == Course::Paused { "spec.paused: true" } else { "" }.to_owned(),
        source: key.to_owned(),
        at: None,
    })
}

/// A new template that is never rolled out: where the number of replicas was changed as well, and the one active
/// ReplicaSet has that number already, the controller sees a scaling that is still to be done by the ReplicaSet's
/// annotation, and nothing to do by its replicas, for ever (`pkg/controller/deployment/sync.go`, `isScalingEvent`,
/// `scale`).
fn stalemate(row: &Deployment, sets: &[Arc<ReplicaSet>]) -> Option<Cause> {
    let mut active = sets.iter().filter(|set| set.replicas.desired > 0);
    let (set, None) = (active.next()?, active.next()) else { return None };
    let scaled_for = set.replicas.detail.pace.scaled_for.filter(|count| *count != row.desired)?;
    let stuck = set.replicas.desired == row.desired && row.updated == 0 && row.rollout != Rollout::Unobserved;
    stuck.then(|| Cause {
        blocks: true,
        says: format!(
            "Its controller takes the change for a scaling and rolls nothing out: the ReplicaSet has the {} replicas that are wanted, but its annotation says {scaled_for}. Another number of replicas frees it",
            row.desired
        ),
        evidence: format!("deployment.kubernetes.io/desired-replicas: \"{scaled_for}\""),
        source: format!("replicaset/{}", set.meta.name),
        at: None,
    })
}

/// Pods that the API server refuses, mostly for a quota: condition `ReplicaFailure`.
fn refusals(detail: &Detail, source: &str) -> Vec<Cause> {
    let failures = detail.conditions.iter().filter(|c| c.kind == "ReplicaFailure" && c.status == "True");
    let told = failures.map(|condition| Cause {
        blocks: true,
        says: match condition.reason.as_str() {
            "FailedCreate" if condition.message.contains("exceeded quota") => {
                "A quota does not allow more pods"
            }
            "FailedDelete" => "Pods cannot be deleted",
            _ => "Pods cannot be created",
        }
        .to_owned(),
        evidence: condition.message.to_string(),
        source: source.to_owned(),
        at: condition.last_transition.map(Timestamp::millis),
    });
    told.collect()
}

/// Different messages that are told of one trouble. What a kubelet says of a probe has the pod's own address in it, and
/// a template may have thousands of pods.
const TOLD: usize = 8;

/// What the newest template's pods wait for, those that wait for the same together.
fn of_pods(strand: &Strand<'_>, min_ready: i32, now: Millis) -> Vec<Cause> {
    let mut groups: BTreeMap<(Trouble, Text), Vec<&Life>> = BTreeMap::new();
    // One that has failed or succeeded is counted by no controller; another takes its place.
    let counted = |life: &&&Life| !matches!(life.phase.as_str(), "Failed" | "Succeeded");
    let there = strand.lives.iter().filter(|life| !life.is_over() && !life.is_ending());
    for life in there.filter(counted) {
        if let Some((trouble, evidence)) = trouble(life, min_ready, now) {
            groups.entry((trouble, evidence)).or_default().push(life);
        }
    }
    let mut told = Vec::<(Trouble, Text, Vec<&Life>, usize)>::new();
    for ((trouble, evidence), lives) in groups {
        let of_it = told.iter().filter(|(other, ..)| *other == trouble).count();
        match told.last_mut() {
            Some((_, _, together, more)) if of_it == TOLD => {
                together.extend(lives);
                *more += 1;
            }
            _ => told.push((trouble, evidence, lives, 0)),
        }
    }
    let told = told.into_iter().map(|(trouble, evidence, lives, more)| {
        let many = match lives.len() {
            1 => "A pod".to_owned(),
            count => format!("{count} pods"),
        };
        let (one, status) = (lives.len() == 1, lives[0].status.clone());
        let verb = |singular: &str, plural: &str| if one { singular.to_owned() } else { plural.to_owned() };
        let says = match trouble {
            Trouble::Unschedulable => format!("{many} {} on no node", verb("fits", "fit")),
            Trouble::Image => format!("{many} cannot get {} image ({status})", verb("its", "their")),
            Trouble::Crash => format!("{many}: a container ends again and again ({status})"),
            Trouble::Ended => format!("{many}: a container has ended ({status})"),
            Trouble::Lost => format!("{many} {} on a node that does not report", verb("is", "are")),
            Trouble::Probe => {
                format!("{many} {} not ready, and a probe fails", verb("is", "are"))
            }
            Trouble::Other => format!("{many}: {status}"),
            Trouble::Waiting => match station(&lives, now) {
                Some(station) => {
                    format!("{many} {} on the way: {}", verb("is", "are"), station.word().to_lowercase())
                }
                None => format!("{many} {} for a node", verb("waits", "wait")),
            },
            Trouble::MinReady => {
                format!("{many} {} ready, but not yet for minReadySeconds ({min_ready} s)", verb("is", "are"))
            }
        };
        let at = match trouble {
            Trouble::MinReady => lives.iter().filter_map(|life| life.available(min_ready)).max(),
            Trouble::Probe => lives.iter().filter_map(|life| life.failing_probe()).map(|(_, at)| *at).max(),
            _ => None,
        };
        let source = format!("pod/{}", lives[0].name);
        let blocks = !matches!(trouble, Trouble::Waiting | Trouble::MinReady | Trouble::Probe);
        let evidence = match more {
            0 => evidence.to_string(),
            more => format!("{evidence}; and {more} more such messages"),
        };
        Cause { blocks, says, evidence, source, at }
    });
    told.collect()
}

fn trouble(life: &Life, min_ready: i32, now: Millis) -> Option<(Trouble, Text)> {
    if let Some(available) = life.available(min_ready) {
        return (min_ready > 0 && available > now).then(|| (Trouble::MinReady, Text::default()));
    }
    let why = life.why.clone();
    let failing = life.health == Health::Failing;
    // kubectl's STATUS, of an init container with `Init:` before it
    let status = life.status.strip_prefix("Init:").unwrap_or(&life.status);
    let trouble = match status {
        _ if life.health == Health::Unknown => Trouble::Lost,
        _ if failing && life.node.is_empty() => Trouble::Unschedulable,
        "ErrImagePull"
        | "ImagePullBackOff"
        | "ErrImageNeverPull"
        | "InvalidImageName"
        | "ImageInspectError"
        | "RegistryUnavailable" => Trouble::Image,
        "CrashLoopBackOff" => Trouble::Crash,
        "Error" | "OOMKilled" => Trouble::Ended,
        _ if status.starts_with("ExitCode:") || status.starts_with("Signal:") => Trouble::Ended,
        _ if failing => Trouble::Other,
        _ => match life.failing_probe() {
            Some((message, _)) => return Some((Trouble::Probe, message.clone())),
            None => Trouble::Waiting,
        },
    };
    let ends = matches!(trouble, Trouble::Crash | Trouble::Ended);
    Some(match life.fatal_probe().filter(|_| ends) {
        Some(message) => (trouble, format!("{why}; shortly before: {message}").into()),
        None => (trouble, why),
    })
}

/// The station that the least of them has reached.
fn station(lives: &[&Life], now: Millis) -> Option<Station> {
    lives.iter().map(|life| life.tile(0).station(now).map(|reached| reached.station)).min().flatten()
}

/// Pods that are on their way out: those that come after them wait for them.
fn ending(strands: &[Strand<'_>]) -> Option<Cause> {
    let all = strands.iter().flat_map(|strand| &strand.lives);
    let ending: Vec<_> = all.filter(|life| life.is_ending() && !life.is_over()).collect();
    let first = ending.first()?;
    let says = match ending.len() {
        1 => "A pod is ending".to_owned(),
        count => format!("{count} pods are ending"),
    };
    let source = format!("pod/{}", first.name);
    Some(Cause { blocks: false, says, evidence: first.why.to_string(), source, at: None })
}

/// What can be said where nothing was found. What cannot be seen is not called silent.
fn silence(history: &History, cluster: &Cluster, found: &Found, counts: Counts, key: &str) -> Cause {
    let namespace = &found.meta().namespace;
    let is_seen = |kind: &Kind| {
        *cluster.state(*kind) == KindState::Live && !history.is_unseen(cluster, *kind, namespace)
    };
    let asked = [Kind::Pod, Kind::Event, Kind::ReplicaSet].into_iter();
    let unseen: Vec<_> = asked.filter(|kind| !is_seen(kind)).map(Kind::plural).collect();
    let (there, desired) = (counts.old.saturating_add(counts.new), counts.desired);
    let says = if !unseen.is_empty() {
        format!("What is seen does not say why; {} cannot be seen, or not as they are now", unseen.join(", "))
    } else if there < desired {
        format!(
            "{there} of {desired} pods are there, and nothing says why; a controller that does not react would look like this"
        )
    } else {
        "No pod, condition or event says why".to_owned()
    };
    Cause { blocks: false, says, evidence: found.why().to_string(), source: key.to_owned(), at: None }
}

impl Found {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Found::Deployment(_) => Kind::Deployment,
            Found::Set(_) => Kind::ReplicaSet,
            Found::Controller(_) => Kind::ReplicationController,
            Found::Daemons(_) => Kind::DaemonSet,
            Found::Stateful(_) => Kind::StatefulSet,
        }
    }

    fn why(&self) -> &Text {
        match self {
            Found::Deployment(row) => &row.why,
            Found::Set(row) => &row.replicas.why,
            Found::Controller(row) => &row.replicas.why,
            Found::Daemons(row) => &row.why,
            Found::Stateful(row) => &row.why,
        }
    }
}
