//! What a workload waits for, in words and with evidence. Only what an object, a condition or an event
//! says is told; where none says anything, that is told.

use std::collections::BTreeMap;

use app::{
    api::{
        Deployment, Detail, Health, Millis, Rollout, Text,
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
    Crash,
    Probe,
    Other,
    Waiting,
    MinReady,
}

/// The most likely first; empty where there is nothing to wait for.
pub fn of(
    history: &History,
    cluster: &Cluster,
    found: &Found,
    course: Course,
    counts: Counts,
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
    let strands = draw::lanes(history, cluster, found);
    if let Found::Deployment(row) = found {
        for set in draw::sets(history, cluster, row.meta.uid) {
            let told = refusals(&set.replicas.detail, &format!("replicaset/{}", set.meta.name));
            // the Deployment repeats what its ReplicaSet says
            causes.retain(|cause| told.iter().all(|told| told.evidence != cause.evidence));
            causes.extend(told);
        }
    }
    let min_ready = found.detail().pace.min_ready;
    for strand in strands.iter().filter(|strand| strand.lane.newest) {
        causes.extend(of_pods(strand, min_ready, now));
    }
    causes.extend(ending(&strands));
    if causes.is_empty() {
        causes.push(silence(found, counts, &key));
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

/// Pods that the API server refuses, mostly for a quota: condition `ReplicaFailure`.
fn refusals(detail: &Detail, source: &str) -> Vec<Cause> {
    let failures = detail.conditions.iter().filter(|c| c.kind == "ReplicaFailure" && c.status == "True");
    let told = failures.map(|condition| Cause {
        blocks: true,
        says: if condition.message.contains("exceeded quota") {
            "A quota does not allow more pods".to_owned()
        } else {
            "Pods cannot be created".to_owned()
        },
        evidence: condition.message.to_string(),
        source: source.to_owned(),
        at: condition.last_transition.map(|at| Millis(at.0.saturating_mul(1000))),
    });
    told.collect()
}

/// What the newest template's pods wait for, those that wait for the same together.
fn of_pods(strand: &Strand<'_>, min_ready: i32, now: Millis) -> Vec<Cause> {
    let mut groups: BTreeMap<(Trouble, Text), Vec<&Life>> = BTreeMap::new();
    for life in strand.lives.iter().filter(|life| !life.is_over() && !life.is_ending()) {
        if let Some((trouble, evidence)) = trouble(life, min_ready, now) {
            groups.entry((trouble, evidence)).or_default().push(life);
        }
    }
    let told = groups.into_iter().map(|((trouble, evidence), lives)| {
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
                format!("Nothing, it waits for minReadySeconds ({min_ready} s) of {}", verb("a pod", &many))
            }
        };
        let at = match trouble {
            Trouble::MinReady => lives.iter().filter_map(|life| life.available(min_ready)).max(),
            Trouble::Probe => {
                lives.iter().filter_map(|life| life.unhealthy.as_ref()).map(|(_, at)| *at).max()
            }
            _ => None,
        };
        let source = format!("pod/{}", lives[0].name);
        let blocks = !matches!(trouble, Trouble::Waiting | Trouble::MinReady | Trouble::Probe);
        Cause { blocks, says, evidence: evidence.to_string(), source, at }
    });
    told.collect()
}

fn trouble(life: &Life, min_ready: i32, now: Millis) -> Option<(Trouble, Text)> {
    if let Some(available) = life.available(min_ready) {
        return (min_ready > 0 && available > now).then(|| (Trouble::MinReady, Text::default()));
    }
    let why = life.why.clone();
    let status = life.status.as_str();
    let failing = life.health == Health::Failing;
    let image = ["ErrImage", "ImagePull", "InvalidImage", "RegistryUnavailable"];
    Some(match life {
        _ if failing && life.node.is_empty() => (Trouble::Unschedulable, why),
        _ if image.iter().any(|word| status.contains(word)) => (Trouble::Image, why),
        _ if failing
            && ["CrashLoop", "Error", "OOMKilled", "ExitCode", "Signal"]
                .iter()
                .any(|w| status.contains(w)) =>
        {
            match &life.unhealthy {
                // the kubelet ended it over this
                Some((message, _)) if message.starts_with("Liveness") || message.starts_with("Startup") => {
                    (Trouble::Crash, format!("{why}; {message}").into())
                }
                _ => (Trouble::Crash, why),
            }
        }
        _ if failing => (Trouble::Other, why),
        Life { unhealthy: Some((message, _)), .. } => (Trouble::Probe, message.clone()),
        _ => (Trouble::Waiting, why),
    })
}

/// The station that the least of them has reached.
fn station(lives: &[&Life], now: Millis) -> Option<Station> {
    lives.iter().map(|life| life.tile(0).station(now).map(|reached| reached.station)).min().flatten()
}

/// Pods that are on their way out are waited for, by `Recreate` and by kubectl's own sentence.
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

fn silence(found: &Found, counts: Counts, key: &str) -> Cause {
    let there = counts.old.saturating_add(counts.new);
    let says = if there < counts.desired {
        format!(
            "{there} of {} pods are there, and nothing says why; a controller that does not react would look like this",
            counts.desired
        )
    } else {
        "No pod, condition or event says why".to_owned()
    };
    Cause { blocks: false, says, evidence: found.why().to_string(), source: key.to_owned(), at: None }
}

impl Found {
    fn kind(&self) -> app::api::Kind {
        use app::api::Kind;
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
