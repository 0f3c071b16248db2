//! A node, as `kubectl get nodes -o wide` sees it.

use std::{borrow::Cow, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Column, Detail, Field, Health, Kind, Meta, ResourceList, Row, Text, Timestamp, row_fields};

/// A node's row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Node {
    /// Identity, names, labels.
    pub meta: Meta,
    /// Condition Ready: `Some(true)` when True, `Some(false)` for anything else, `None` if absent.
    pub ready: Option<bool>,
    /// `spec.unschedulable`: cordoned.
    pub unschedulable: bool,
    /// ROLES, sorted; empty when it has none.
    pub roles: Vec<Text>,
    /// `status.nodeInfo.kubeletVersion`.
    pub version: Text,
    /// First address of type InternalIP; it may be an empty one.
    pub internal_ip: Option<Arc<str>>,
    /// First address of type ExternalIP; it may be an empty one.
    pub external_ip: Option<Arc<str>>,
    /// `status.nodeInfo.osImage`.
    pub os_image: Text,
    /// `status.nodeInfo.kernelVersion`.
    pub kernel_version: Text,
    /// `status.nodeInfo.architecture`.
    pub architecture: Text,
    /// `status.nodeInfo.containerRuntimeVersion`.
    pub container_runtime: Text,
    /// `spec.taints`.
    pub taints: Vec<Taint>,
    /// What the scheduler may give out.
    pub allocatable: ResourceList,
    /// What the machine has.
    pub capacity: ResourceList,
    /// When anything but its status was last written: labels, taints, cordon. `None` if the API server does not say.
    pub changed: Option<Timestamp>,
    /// Its state in the page's five.
    pub health: Health,
    /// Why it is not healthy.
    pub why: Text,
    /// Since when it is not healthy, by its conditions; `None` when it is, or where they do not say.
    pub since: Option<Timestamp>,
    /// What its own page shows.
    #[serde(skip)]
    pub detail: Arc<Detail>,
}

/// A taint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taint {
    /// Its key.
    pub key: Text,
    /// Its value, may be empty.
    pub value: Text,
    /// `NoSchedule`, `PreferNoSchedule`, `NoExecute`.
    pub effect: Text,
}

/// `key=value:Effect`, or `key:Effect` (api `core/v1/taint.go`, `ToString`).
impl fmt::Display for Taint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        if !self.value.is_empty() {
            write!(f, "={}", self.value)?;
        }
        if !self.effect.is_empty() {
            write!(f, ":{}", self.effect)?;
        }
        Ok(())
    }
}

impl Node {
    /// STATUS: `Ready,SchedulingDisabled` (`printNode`).
    pub fn status(&self) -> &'static str {
        match (self.ready, self.unschedulable) {
            (Some(true), false) => "Ready",
            (Some(true), true) => "Ready,SchedulingDisabled",
            (Some(false), false) => "NotReady",
            (Some(false), true) => "NotReady,SchedulingDisabled",
            (None, false) => "Unknown",
            (None, true) => "Unknown,SchedulingDisabled",
        }
    }

    /// ROLES: `control-plane,worker`, or `<none>`.
    pub fn roles_cell(&self) -> String {
        if self.roles.is_empty() {
            return "<none>".to_owned();
        }
        self.roles.iter().map(Text::as_str).collect::<Vec<_>>().join(",")
    }

    /// KERNEL-VERSION: `6.12.1 (arm64)`, the architecture since Kubernetes 1.37.
    pub fn kernel_cell(&self) -> Cow<'_, str> {
        let version = or_unknown(&self.kernel_version);
        if self.architecture.is_empty() {
            version
        } else {
            format!("{version} ({})", self.architecture).into()
        }
    }
}

fn or_unknown(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(if text.is_empty() { "<unknown>" } else { text })
}

impl Row for Node {
    const KIND: Kind = Kind::Node;
    const COLUMNS: &'static [Column<Node>] = &[
        Column::<Self>::name(),
        Column::<Self>::new(
            "STATUS",
            |node, _| Cow::Borrowed(node.status()),
            |a, b| (a.health, a.status()).cmp(&(b.health, b.status())),
        ),
        Column::<Self>::new("ROLES", |node, _| node.roles_cell().into(), |a, b| a.roles.cmp(&b.roles)),
        Column::<Self>::age(),
        Column::<Self>::new(
            "VERSION",
            |node, _| Cow::Borrowed(&node.version),
            |a, b| a.version.cmp(&b.version),
        ),
        Column::<Self>::new(
            "INTERNAL-IP",
            |node, _| Cow::Borrowed(node.internal_ip.as_deref().unwrap_or("<none>")),
            |a, b| a.internal_ip.cmp(&b.internal_ip),
        )
        .wide(),
        Column::<Self>::new(
            "EXTERNAL-IP",
            |node, _| Cow::Borrowed(node.external_ip.as_deref().unwrap_or("<none>")),
            |a, b| a.external_ip.cmp(&b.external_ip),
        )
        .wide(),
        Column::<Self>::new(
            "OS-IMAGE",
            |node, _| or_unknown(&node.os_image),
            |a, b| a.os_image.cmp(&b.os_image),
        )
        .wide(),
        Column::<Self>::new(
            "KERNEL-VERSION",
            |node, _| node.kernel_cell(),
            |a, b| a.kernel_version.cmp(&b.kernel_version),
        )
        .wide(),
        Column::<Self>::new(
            "CONTAINER-RUNTIME",
            |node, _| or_unknown(&node.container_runtime),
            |a, b| a.container_runtime.cmp(&b.container_runtime),
        )
        .wide(),
    ];
    /// `pkg/apis/core/v1/conversion.go`.
    const FIELDS: &'static [Field<Node>] = &[
        Field::name(),
        Field::new("spec.unschedulable", |node| {
            Cow::Borrowed(if node.unschedulable { "true" } else { "false" })
        }),
    ];

    row_fields!();

    fn since(&self) -> Option<Timestamp> {
        self.since
    }
}
