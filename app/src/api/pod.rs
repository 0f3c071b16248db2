//! A pod, as `kubectl get pods -o wide` sees it.

use std::{borrow::Cow, fmt, sync::Arc};

use serde::{Deserialize, Serialize, Serializer};

use super::{
    Column, Detail, Field, Health, Kind, Meta, ResourceList, Row, Text, Timestamp, needs::HostPort,
    row_fields,
};
use crate::format::{age, or_none};

/// A pod's row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pod {
    /// Identity, names, labels, owner.
    pub meta: Meta,
    /// READY: containers that are ready.
    pub ready: i32,
    /// READY: containers that count (regular ones and sidecars).
    pub total: i32,
    /// STATUS.
    pub status: PodStatus,
    /// RESTARTS: the sum, which may be more than any of its parts could be.
    pub restarts: i64,
    /// RESTARTS: when the last restarted container had ended.
    pub last_restart: Option<Timestamp>,
    /// `status.phase`.
    pub phase: Text,
    /// `spec.nodeName`, empty while unscheduled.
    pub node: Text,
    /// `status.podIPs[0].ip`.
    pub ip: Arc<str>,
    /// `status.nominatedNodeName`.
    pub nominated_node: Text,
    /// Condition Ready is True, which is more than READY: its gates are open too, and its node is heard.
    pub is_ready: bool,
    /// READINESS GATES: true, total; `None` without gates.
    pub gates: Option<(i32, i32)>,
    /// Name and image of each regular container and sidecar, in the order of the spec.
    pub images: Arc<[(Text, Text)]>,
    /// What it asks for, as the scheduler adds it up.
    pub requests: ResourceList,
    /// What the scheduler counts for it on its node, where that is something else: while it is resized.
    pub resizing: Option<ResourceList>,
    /// Its upper bounds, as kubectl adds them up.
    pub limits: ResourceList,
    /// The ports of its node that it takes.
    pub host_ports: Vec<HostPort>,
    /// Whether it keeps other pods away from where it is (required `podAntiAffinity`).
    pub keeps_away: bool,
    /// Its state in the page's five.
    pub health: Health,
    /// Why it is not healthy; empty when there is nothing to say.
    pub why: Text,
    /// Since when it is not healthy, by its conditions; `None` when it is, or where they do not say.
    pub since: Option<Timestamp>,
    /// What its own page shows.
    #[serde(skip)]
    pub detail: Arc<Detail>,
}

/// kubectl's STATUS, in kubectl's spelling (`pkg/printers/internalversion/printers.go`, `printPod`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub enum PodStatus {
    /// A phase or a container's own reason: `Running`, `CrashLoopBackOff`, `Terminating`…
    Reason(Text),
    /// A container ended without a reason: `Signal:9`.
    Signal(i64),
    /// A container ended without a reason: `ExitCode:3`.
    ExitCode(i64),
    /// An init container's own reason: `Init:CrashLoopBackOff`.
    InitReason(Text),
    /// An init container ended without a reason: `Init:Signal:9`.
    InitSignal(i64),
    /// An init container ended without a reason: `Init:ExitCode:3`.
    InitExitCode(i64),
    /// This many of all init containers are done: `Init:1/2`.
    Init(i32, i32),
}

impl Default for PodStatus {
    fn default() -> PodStatus {
        PodStatus::Reason(Text::default())
    }
}

impl fmt::Display for PodStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PodStatus::Reason(reason) => f.write_str(reason),
            PodStatus::Signal(signal) => write!(f, "Signal:{signal}"),
            PodStatus::ExitCode(code) => write!(f, "ExitCode:{code}"),
            PodStatus::InitReason(reason) => write!(f, "Init:{reason}"),
            PodStatus::InitSignal(signal) => write!(f, "Init:Signal:{signal}"),
            PodStatus::InitExitCode(code) => write!(f, "Init:ExitCode:{code}"),
            PodStatus::Init(done, all) => write!(f, "Init:{done}/{all}"),
        }
    }
}

impl Serialize for PodStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        let name = "PodStatus";
        match self {
            PodStatus::Reason(reason) => serializer.serialize_newtype_variant(name, 0, "Reason", reason),
            PodStatus::Signal(signal) => serializer.serialize_newtype_variant(name, 1, "Signal", signal),
            PodStatus::ExitCode(code) => serializer.serialize_newtype_variant(name, 2, "ExitCode", code),
            PodStatus::InitReason(reason) => {
                serializer.serialize_newtype_variant(name, 3, "InitReason", reason)
            }
            PodStatus::InitSignal(signal) => {
                serializer.serialize_newtype_variant(name, 4, "InitSignal", signal)
            }
            PodStatus::InitExitCode(code) => {
                serializer.serialize_newtype_variant(name, 5, "InitExitCode", code)
            }
            PodStatus::Init(done, all) => {
                use serde::ser::SerializeTupleVariant;
                let mut pair = serializer.serialize_tuple_variant(name, 6, "Init", 2)?;
                pair.serialize_field(done)?;
                pair.serialize_field(all)?;
                pair.end()
            }
        }
    }
}

impl Pod {
    /// The RESTARTS cell: `3 (5m ago)`.
    pub fn restarts_cell(&self, now: Timestamp) -> String {
        match self.last_restart {
            Some(at) if self.restarts != 0 => format!("{} ({} ago)", self.restarts, age(Some(at), now)),
            _ => self.restarts.to_string(),
        }
    }

    /// Whether it has ended: what it asked for is free again.
    pub fn ended(&self) -> bool {
        self.phase == "Succeeded" || self.phase == "Failed"
    }

    /// What the scheduler takes as given out for it on its node.
    pub fn counted(&self) -> &ResourceList {
        self.resizing.as_ref().unwrap_or(&self.requests)
    }

    /// Whether it waits for a node.
    pub fn pending(&self) -> bool {
        self.node.is_empty() && !self.ended() && self.meta.deleting.is_none()
    }
}

impl Row for Pod {
    const KIND: Kind = Kind::Pod;
    const COLUMNS: &'static [Column<Pod>] = &[
        Column::<Self>::name(),
        Column::<Self>::new(
            "READY",
            |pod, _| format!("{}/{}", pod.ready, pod.total).into(),
            |a, b| (a.ready, a.total).cmp(&(b.ready, b.total)),
        ),
        Column::<Self>::new(
            "STATUS",
            |pod, _| pod.status.to_string().into(),
            |a, b| (a.health, a.status.to_string()).cmp(&(b.health, b.status.to_string())),
        ),
        Column::<Self>::new(
            "RESTARTS",
            |pod, now| pod.restarts_cell(now).into(),
            |a, b| (a.restarts, a.last_restart).cmp(&(b.restarts, b.last_restart)),
        )
        .ticking(),
        Column::<Self>::age(),
        Column::<Self>::new("IP", |pod, _| or_none(&pod.ip), |a, b| a.ip.cmp(&b.ip)).wide(),
        Column::<Self>::new("NODE", |pod, _| or_none(&pod.node), |a, b| a.node.cmp(&b.node)).wide(),
        Column::<Self>::new(
            "NOMINATED NODE",
            |pod, _| or_none(&pod.nominated_node),
            |a, b| a.nominated_node.cmp(&b.nominated_node),
        )
        .wide(),
        Column::<Self>::new(
            "READINESS GATES",
            |pod, _| match pod.gates {
                Some((open, all)) => format!("{open}/{all}").into(),
                None => Cow::Borrowed("<none>"),
            },
            |a, b| a.gates.cmp(&b.gates),
        )
        .wide(),
    ];
    /// `pkg/apis/core/v1/conversion.go` and `pkg/registry/core/pod/strategy.go`, `ToSelectableFields`.
    const FIELDS: &'static [Field<Pod>] = &[
        Field::name(),
        Field::namespace(),
        Field::new("spec.nodeName", |pod| Cow::Borrowed(&pod.node)),
        // the name it had before v1
        Field::new("spec.host", |pod| Cow::Borrowed(&pod.node)),
        Field::not_kept("spec.restartPolicy"),
        Field::not_kept("spec.schedulerName"),
        Field::not_kept("spec.serviceAccountName"),
        Field::not_kept("spec.hostNetwork"),
        Field::new("status.phase", |pod| Cow::Borrowed(&pod.phase)),
        Field::new("status.podIP", |pod| Cow::Borrowed(&pod.ip)),
        // taken, but of no pod is it ever set
        Field::new("status.podIPs", |_| Cow::Borrowed("")),
        Field::new("status.nominatedNodeName", |pod| Cow::Borrowed(&pod.nominated_node)),
    ];

    row_fields!();

    fn since(&self) -> Option<Timestamp> {
        self.since
    }
}
