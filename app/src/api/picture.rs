//! A rollout as a picture: what the server remembers of a workload and its pods beyond what the cluster
//! itself still says, as the page draws it and the API prints it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Health, Millis, ObjectKey, Text, Timestamp, manifest::Difference};

/// A workload in the middle of a rollout, before it or after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Picture {
    /// Of what.
    pub key: ObjectKey,
    /// How it stands.
    pub course: Course,
    /// The sentence of `kubectl rollout status`; `None` for kinds that kubectl has none for.
    pub sentence: Option<String>,
    /// Pods wanted.
    pub desired: i32,
    /// `spec.minReadySeconds`: how long a pod is ready before it counts as available.
    pub min_ready: i32,
    /// Between what the controller keeps the pods; `None` where nothing rolls.
    pub bounds: Option<Bounds>,
    /// When the controller gives up; `None` while it does not count.
    pub deadline: Option<Deadline>,
    /// Its pods by template: old ones first, the newest last.
    pub lanes: Vec<Lane>,
    /// How many pods there were, oldest first; each holds until the next.
    pub counts: Vec<Counts>,
    /// Before this nothing is known but what the objects themselves say.
    pub watched_since: Millis,
    /// When the newest template was first seen, if not from the beginning.
    pub began: Option<Millis>,
    /// What it waits for, the most likely first.
    pub causes: Vec<Cause>,
    /// What else there is to know of its pods: who else selects them, which are nobody's.
    pub notes: Vec<Cause>,
    /// What has happened to it since it has been watched, oldest first.
    pub happened: Vec<Happening>,
    /// Its templates, oldest revision first.
    pub revisions: Vec<Revision>,
    /// The two of them that were asked for.
    pub between: Option<(i64, i64)>,
    /// Between these, or else between the one that runs and the one before; `None` if one is not there.
    pub difference: Option<Difference>,
    /// When it was found to be gone.
    pub gone: Option<Millis>,
}

/// How a workload stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Course {
    /// Everything is of the newest template and available.
    Succeeded,
    /// On its way.
    Progressing,
    /// Its deadline has passed without progress. Its controller goes on all the same.
    DeadlineExceeded,
    /// `spec.paused`: changes of its template wait.
    Paused,
    /// Its pods are replaced when somebody deletes them: strategy `OnDelete`.
    OnDelete,
    /// Another template took its place before it was through.
    Replaced,
    /// It is gone.
    Deleted,
}

impl Course {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Course::Succeeded => "succeeded",
            Course::Progressing => "in progress",
            Course::DeadlineExceeded => "exceeded its deadline",
            Course::Paused => "paused",
            Course::OnDelete => "on delete",
            Course::Replaced => "replaced by a newer one",
            Course::Deleted => "deleted",
        }
    }

    /// The colour of the page's five that says so.
    pub fn health(self) -> Health {
        match self {
            Course::Succeeded | Course::OnDelete => Health::Healthy,
            Course::Progressing => Health::Progressing,
            Course::DeadlineExceeded => Health::Failing,
            Course::Paused | Course::Replaced => Health::Waiting,
            Course::Deleted => Health::Unknown,
        }
    }
}

/// Between how many pods the controller stays, by the strategy's `maxUnavailable` and `maxSurge`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bounds {
    /// Never fewer available ones, unless pods fail.
    pub floor: i32,
    /// Never more in all, those that are ending left out.
    pub ceiling: i32,
}

/// How long the controller waits for progress (`spec.progressDeadlineSeconds`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deadline {
    /// Since the last progress that the controller noted.
    pub since: Timestamp,
    /// Then it gives up.
    pub at: Timestamp,
}

/// The pods of one template.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lane {
    /// The ReplicaSet's name, or for kinds without them the label that tells templates apart.
    pub name: Arc<str>,
    /// Of the template that is wanted now.
    pub newest: bool,
    /// It has pods, or wants some, or has lost its last since the newest template became that.
    pub takes_part: bool,
    /// Its revision.
    pub revision: Option<i64>,
    /// Name and image of each regular container.
    pub images: Arc<[(Text, Text)]>,
    /// Annotation `kubernetes.io/change-cause`.
    pub change_cause: Text,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// How many it is told to have; `None` where a template is told no number.
    pub desired: Option<i32>,
    /// Its pods, those that have come last at the end.
    pub tiles: Vec<Tile>,
    /// How many more there are.
    pub hidden: u32,
    /// How many more there were that are gone and forgotten.
    pub forgotten: u32,
}

/// One pod, as long as it is and for some time after.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tile {
    /// Its name.
    pub name: Arc<str>,
    /// Its node, empty while it has none.
    pub node: Text,
    /// kubectl's STATUS, when it was last seen.
    pub status: Text,
    /// Its state in the page's five.
    pub health: Health,
    /// Why it is not healthy.
    pub why: Text,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// The stations it has reached, in their order.
    pub reached: Vec<Reached>,
    /// Which pod's place it took: told only of controllers that do not roll.
    pub replaces: Option<Replaced>,
}

/// A pod whose place another took.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Replaced {
    /// Its name.
    pub pod: Arc<str>,
    /// When it failed, was told to end, or was gone, whichever was first.
    pub since: Millis,
    /// When the one in its place was first ready.
    pub ready: Option<Millis>,
}

impl Tile {
    /// Where it is at `now`.
    pub fn station(&self, now: Millis) -> Option<Reached> {
        self.reached.iter().rev().find(|reached| !self.is_ahead(reached, now)).copied()
    }

    /// Whether a station is still to come, which only [`Station::Available`] can be: what has been told has
    /// happened, also where the teller's clock is ahead of ours.
    pub fn is_ahead(&self, reached: &Reached, now: Millis) -> bool {
        let waits = || self.reached.iter().any(|r| r.station == Station::Ready && r.at < reached.at);
        reached.station == Station::Available && reached.at > now && waits()
    }
}

/// What a pod passes on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Station {
    /// It has a node.
    Scheduled,
    /// Its first image is being pulled.
    Pulling,
    /// Its containers are made.
    Created,
    /// Its containers run.
    Started,
    /// Its startup probes have passed; a pod without any has no such station.
    StartupPassed,
    /// It may get requests.
    Ready,
    /// Ready for `minReadySeconds`.
    Available,
    /// It was told to end.
    Terminating,
    /// It is gone.
    Gone,
}

impl Station {
    /// In their order.
    pub const ALL: [Station; 9] = [
        Station::Scheduled,
        Station::Pulling,
        Station::Created,
        Station::Started,
        Station::StartupPassed,
        Station::Ready,
        Station::Available,
        Station::Terminating,
        Station::Gone,
    ];

    /// As people say it.
    pub fn word(self) -> &'static str {
        match self {
            Station::Scheduled => "Scheduled",
            Station::Pulling => "Pulling",
            Station::Created => "Created",
            Station::Started => "Started",
            Station::StartupPassed => "Startup passed",
            Station::Ready => "Ready",
            Station::Available => "Available",
            Station::Terminating => "Terminating",
            Station::Gone => "Gone",
        }
    }
}

/// A station, since when, and who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reached {
    /// Which.
    pub station: Station,
    /// Since when. Of [`Station::Available`] this may be still to come.
    pub at: Millis,
    /// Who says so.
    pub by: Witness,
}

/// Where a time comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Witness {
    /// The pod itself: a condition, or a container's state. To the second.
    Pod,
    /// An event about it. To the second.
    Event,
    /// The moment at which Masthead was told. Of what had happened before it looked, that is too late.
    Seen,
}

/// How many pods there were from some time on; of a DaemonSet, how many nodes had one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// From when on.
    pub at: Millis,
    /// Pods wanted.
    pub desired: i32,
    /// Of older templates.
    pub old: i32,
    /// Of the newest template.
    pub new: i32,
    /// Ready, of any.
    pub ready: i32,
    /// Available, of any.
    pub available: i32,
    /// [`Bounds`] then.
    pub floor: i32,
    /// [`Bounds`] then.
    pub ceiling: i32,
}

impl Counts {
    /// Whether they say the same, whenever.
    pub fn alike(&self, other: &Counts) -> bool {
        Counts { at: other.at, ..*self } == *other
    }
}

/// What a rollout waits for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// Whether it will not mend by waiting alone.
    pub blocks: bool,
    /// In a sentence.
    pub says: String,
    /// Word for word what the cluster says of it; empty where it says nothing.
    pub evidence: String,
    /// Who says it: `pod/web-1`, `replicaset/web-5d4`.
    pub source: String,
    /// When what is said began, or when it ends if that is to come.
    pub at: Option<Millis>,
}

/// Something that happened to a workload, as it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Happening {
    /// When.
    pub at: Millis,
    /// What.
    pub what: What,
}

/// What can happen to a workload.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum What {
    /// Another template became the newest: a rollout begins.
    Began {
        /// Its revision, if it has one.
        revision: Option<i64>,
    },
    /// Another number of pods is wanted, which is no rollout.
    Scaled {
        /// So many before.
        from: i32,
        /// So many since.
        to: i32,
    },
    /// `kubectl rollout pause`.
    Paused,
    /// `kubectl rollout resume`.
    Resumed,
    /// The rollout that was going on ended like this. One whose deadline has passed may still succeed.
    Ended {
        /// How.
        course: Course,
    },
    /// A pod that had no controller became one of its pods.
    Adopted {
        /// Its name.
        pod: Arc<str>,
    },
    /// One of its pods became nobody's, or another's: mostly its labels were changed.
    Released {
        /// Its name.
        pod: Arc<str>,
    },
}

/// One of a workload's templates.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Revision {
    /// Its number.
    pub number: i64,
    /// What holds it: a ReplicaSet, or a ControllerRevision.
    pub name: Arc<str>,
    /// When that was made.
    pub created: Option<Timestamp>,
    /// Pods of it, where they are counted.
    pub replicas: Option<i32>,
    /// Name and image of each regular container.
    pub images: Arc<[(Text, Text)]>,
    /// Annotation `kubernetes.io/change-cause`.
    pub change_cause: Text,
    /// It is the one that is wanted.
    pub runs: bool,
    /// How it came to be.
    pub origin: Origin,
}

/// How a revision came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Origin {
    /// The revision before it is not there any more, or there was none.
    Unknown,
    /// Its template was new.
    New,
    /// Like the one before, but for the annotation that `kubectl rollout restart` sets.
    Restart,
    /// An older revision's template was taken up again, as `kubectl rollout undo` does.
    Undo {
        /// Its number then, where that is noted: of a Deployment's.
        was: Option<i64>,
    },
}
