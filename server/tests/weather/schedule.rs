//! What happens, in order: changes, faults, and the time between them.

use app::api::Kind;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::{page::Rude, sky::Mishap};

/// Everything about one run but chance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Decides how long those wait who try again.
    pub chance: u64,
    /// How many pages look on.
    pub pages: u8,
    /// How far the pages' clocks are ahead, in hours.
    pub pages_ahead: i8,
    /// How far the cluster's clock is ahead, in hours.
    pub cluster_ahead: i8,
    /// Two namespaces are watched by name, instead of the cluster.
    pub by_namespace: bool,
    /// A page looks at one pod as well, a script reads the stream of changes, and somebody asks over HTTP.
    #[serde(default)]
    pub reads: bool,
    /// What happens.
    pub steps: Vec<Step>,
}

/// An object, as one of a few.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Which kind.
    pub kind: Written,
    /// Which of those of the kind.
    pub number: u8,
    /// It is in the other namespace.
    pub elsewhere: bool,
}

/// The kinds that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // Kubernetes' own names
pub enum Written {
    Pod,
    Node,
    Deployment,
    ReplicaSet,
    ReplicationController,
    StatefulSet,
    DaemonSet,
    ControllerRevision,
    Service,
    EndpointSlice,
    PodDisruptionBudget,
    Lease,
    Event,
}

impl Written {
    /// The same as Masthead knows it.
    pub fn kind(self) -> Kind {
        match self {
            Written::Pod => Kind::Pod,
            Written::Node => Kind::Node,
            Written::Deployment => Kind::Deployment,
            Written::ReplicaSet => Kind::ReplicaSet,
            Written::ReplicationController => Kind::ReplicationController,
            Written::StatefulSet => Kind::StatefulSet,
            Written::DaemonSet => Kind::DaemonSet,
            Written::ControllerRevision => Kind::ControllerRevision,
            Written::Service => Kind::Service,
            Written::EndpointSlice => Kind::EndpointSlice,
            Written::PodDisruptionBudget => Kind::PodDisruptionBudget,
            Written::Lease => Kind::Lease,
            Written::Event => Kind::Event,
        }
    }

    /// As in URLs.
    pub fn plural(self) -> &'static str {
        self.kind().plural()
    }
}

/// What the API server does until it is told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    /// Answers all, lists only, or watches only with this status.
    Answers(u16),
    AnswersLists(u16),
    AnswersWatches(u16),
    /// Accepts lists and says nothing.
    StallsLists,
    /// Says nothing in watches.
    StallsWatches,
    /// Ends each watch at once.
    EmptyWatches,
    /// Refuses everything but one of two namespaces.
    OnlyElsewhere,
}

/// What happens to the cable of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mischief {
    Cut,
    Stall,
    Swallow,
    /// What Masthead says is lost, and what the page says is not.
    Deafen,
    /// What the page says is lost, and what Masthead says is not.
    Mute,
    /// Something else comes than what Masthead said.
    Garble,
    Slow,
    Mend,
}

/// One thing that happens. `kind` is of all kinds, if it is `None`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Step {
    /// Time.
    Pass {
        millis: u32,
    },
    Put {
        object: Object,
    },
    Remove {
        object: Object,
    },
    /// It is deleted and made again, by the same name.
    Replace {
        object: Object,
    },
    /// It is written so often, one right after the other.
    Again {
        object: Object,
        times: u8,
    },
    /// So many changes at once.
    Burst {
        objects: u8,
    },
    /// So many changes, one after the other, more quickly than a slow page can be told.
    Storm {
        changes: u16,
    },
    /// An object of a megabyte and a half.
    Enormous,
    /// It is sent as no client can read it.
    Malform {
        number: u8,
    },
    Mend {
        number: u8,
    },
    Fault {
        fault: Fault,
        kind: Option<Written>,
    },
    NoFault,
    CutWatches {
        kind: Option<Written>,
    },
    ForgetHistory {
        kind: Option<Written>,
        in_stream: bool,
    },
    /// Etcd is backed up.
    BackUp,
    /// It is restored from the last backup.
    Restore,
    /// Another cluster answers at the same address.
    OtherCluster,
    Refuse {
        refuses: bool,
    },
    Silence {
        for_ever: bool,
    },
    Forget,
    WithholdBookmarks,
    ShortPages,
    Trickle,
    /// The API server's clock is put to be so far ahead of the world's.
    ClusterClock {
        millis: i32,
    },
    /// Who is refused for now is told when to come again.
    RetryAfter {
        seconds: u16,
    },
    Befall {
        mishap: Mishap,
    },
    ClearSky,
    /// Masthead is killed, and started again so much later.
    Restart {
        millis: u16,
    },
    Cable {
        page: u8,
        mischief: Mischief,
    },
    Sleep {
        page: u8,
        asleep: bool,
    },
    /// The page is loaded anew. Its program comes so much later than its document, in milliseconds.
    Load {
        page: u8,
        later: u16,
    },
    /// The page's clock is put on, or back.
    PageClock {
        page: u8,
        millis: i32,
    },
    Rude {
        page: u8,
        rude: Rude,
    },
}

impl Step {
    /// Whether something may be forbidden from then on.
    pub fn may_refuse(&self) -> bool {
        let Step::Fault { fault, .. } = self else { return false };
        matches!(
            fault,
            Fault::OnlyElsewhere
                | Fault::Answers(403)
                | Fault::AnswersLists(403)
                | Fault::AnswersWatches(403)
        )
    }

    /// Whether watches may end by it that would have gone on.
    pub fn may_end_watches(&self) -> bool {
        match self {
            Step::Fault { .. }
            | Step::NoFault
            | Step::CutWatches { .. }
            | Step::ForgetHistory { .. }
            | Step::Restore
            | Step::OtherCluster
            | Step::Refuse { .. }
            | Step::Silence { .. }
            | Step::Forget
            | Step::Befall { .. }
            | Step::ClearSky
            | Step::Restart { .. } => true,
            Step::Pass { .. }
            | Step::Put { .. }
            | Step::Remove { .. }
            | Step::Replace { .. }
            | Step::Again { .. }
            | Step::Burst { .. }
            | Step::Storm { .. }
            | Step::Enormous
            | Step::Malform { .. }
            | Step::Mend { .. }
            | Step::BackUp
            | Step::WithholdBookmarks
            | Step::ShortPages
            | Step::Trickle
            | Step::ClusterClock { .. }
            | Step::RetryAfter { .. }
            | Step::Cable { .. }
            | Step::Sleep { .. }
            | Step::Load { .. }
            | Step::PageClock { .. }
            | Step::Rude { .. } => false,
        }
    }
}

/// Whose cable is the one after the pages'.
pub const READER: u8 = 4;

/// Any schedule of up to so many steps.
pub fn schedules(steps: usize) -> impl Strategy<Value = Schedule> {
    let hours = || prop_oneof![4 => Just(0i8), 1 => prop_oneof![Just(-24), Just(24), Just(1)]];
    (
        any::<u64>(),
        1u8..=4,
        hours(),
        hours(),
        proptest::bool::weighted(0.25),
        any::<bool>(),
        proptest::collection::vec(step(), 1..steps),
    )
        .prop_map(|(chance, pages, pages_ahead, cluster_ahead, by_namespace, reads, steps)| Schedule {
            chance,
            pages,
            pages_ahead,
            cluster_ahead,
            by_namespace,
            reads,
            steps,
        })
}

fn written() -> impl Strategy<Value = Written> {
    prop_oneof![
        10 => Just(Written::Pod),
        3 => Just(Written::Node),
        3 => Just(Written::Deployment),
        2 => Just(Written::ReplicaSet),
        1 => Just(Written::ReplicationController),
        1 => Just(Written::StatefulSet),
        1 => Just(Written::DaemonSet),
        1 => Just(Written::ControllerRevision),
        2 => Just(Written::Service),
        1 => Just(Written::EndpointSlice),
        1 => Just(Written::PodDisruptionBudget),
        3 => Just(Written::Lease),
        3 => Just(Written::Event),
    ]
}

fn object() -> impl Strategy<Value = Object> {
    (written(), 0u8..5, any::<bool>()).prop_map(|(kind, number, elsewhere)| Object {
        kind,
        number,
        elsewhere,
    })
}

fn change() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => object().prop_map(|object| Step::Put { object }),
        3 => object().prop_map(|object| Step::Remove { object }),
        2 => object().prop_map(|object| Step::Replace { object }),
        2 => (object(), 2u8..4).prop_map(|(object, times)| Step::Again { object, times }),
        2 => (1u8..60).prop_map(|objects| Step::Burst { objects }),
        1 => (0u8..5).prop_map(|number| Step::Malform { number }),
        1 => (0u8..5).prop_map(|number| Step::Mend { number }),
    ]
}

fn pass() -> impl Strategy<Value = Step> {
    prop_oneof![
        60 => 1u32..3_000,
        60 => 1_000u32..12_000,
        20 => 10_000u32..90_000,
        1 => Just(3_600_000u32),
    ]
    .prop_map(|millis| Step::Pass { millis })
}

fn fault() -> impl Strategy<Value = Step> {
    let code = prop_oneof![
        Just(401u16),
        Just(403),
        Just(404),
        Just(410),
        Just(429),
        Just(500),
        Just(503),
        Just(504)
    ];
    let fault = prop_oneof![
        3 => code.clone().prop_map(Fault::Answers),
        1 => code.clone().prop_map(Fault::AnswersLists),
        1 => code.prop_map(Fault::AnswersWatches),
        1 => Just(Fault::StallsLists),
        1 => Just(Fault::StallsWatches),
        1 => Just(Fault::EmptyWatches),
        2 => Just(Fault::OnlyElsewhere),
    ];
    let kind = || proptest::option::of(written());
    let mishap = prop_oneof![
        4 => Just(Mishap::Twice),
        4 => Just(Mishap::Swapped),
        1 => Just(Mishap::Lost),
        4 => Just(Mishap::Garbled),
        4 => Just(Mishap::Reset),
        4 => Just(Mishap::Cut),
        3 => Just(Mishap::Expired),
    ];
    prop_oneof![
        6 => (fault, kind()).prop_map(|(fault, kind)| Step::Fault { fault, kind }),
        3 => Just(Step::NoFault),
        4 => kind().prop_map(|kind| Step::CutWatches { kind }),
        3 => (kind(), any::<bool>()).prop_map(|(kind, in_stream)| Step::ForgetHistory { kind, in_stream }),
        3 => Just(Step::BackUp),
        3 => Just(Step::Restore),
        1 => Just(Step::OtherCluster),
        2 => any::<bool>().prop_map(|refuses| Step::Refuse { refuses }),
        3 => any::<bool>().prop_map(|for_ever| Step::Silence { for_ever }),
        1 => Just(Step::Forget),
        1 => Just(Step::WithholdBookmarks),
        2 => Just(Step::ShortPages),
        1 => Just(Step::Trickle),
        1 => later().prop_map(|millis| Step::ClusterClock { millis }),
        1 => prop_oneof![1u16..20, Just(3_600)].prop_map(|seconds| Step::RetryAfter { seconds }),
        6 => mishap.prop_map(|mishap| Step::Befall { mishap }),
        4 => Just(Step::ClearSky),
    ]
}

fn later() -> impl Strategy<Value = i32> {
    prop_oneof![-30_000i32..30_000, Just(-86_400_000), Just(86_400_000)]
}

fn viewer() -> impl Strategy<Value = Step> {
    let mischief = prop_oneof![
        2 => Just(Mischief::Cut),
        2 => Just(Mischief::Stall),
        2 => Just(Mischief::Swallow),
        1 => Just(Mischief::Deafen),
        1 => Just(Mischief::Mute),
        1 => Just(Mischief::Garble),
        1 => Just(Mischief::Slow),
        2 => Just(Mischief::Mend),
    ];
    let rude = prop_oneof![Just(Rude::Garbage), Just(Rude::Flood), Just(Rude::Elsewhere)];
    prop_oneof![
        8 => (0u8..=READER, mischief).prop_map(|(page, mischief)| Step::Cable { page, mischief }),
        3 => (0u8..4, any::<bool>()).prop_map(|(page, asleep)| Step::Sleep { page, asleep }),
        2 => (0u8..4, 0u16..15_000).prop_map(|(page, later)| Step::Load { page, later }),
        1 => (0u8..4, later()).prop_map(|(page, millis)| Step::PageClock { page, millis }),
        2 => (0u8..4, rude).prop_map(|(page, rude)| Step::Rude { page, rude }),
        2 => (0u16..20_000).prop_map(|millis| Step::Restart { millis }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        60 => change(),
        80 => pass(),
        60 => fault(),
        30 => viewer(),
        1 => Just(Step::Enormous),
        2 => (50u16..600).prop_map(|changes| Step::Storm { changes }),
    ]
}
