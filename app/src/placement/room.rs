//! What is given out on each node.

use std::{collections::HashMap, sync::Arc};

use crate::api::{Pod, ResourceList, Text, Uid, needs::HostPort};

/// What the pods on one node have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Room {
    /// The sum of what the scheduler counts for them.
    pub requested: ResourceList,
    /// How many they are.
    pub pods: u64,
    /// The ports of the node that are taken.
    pub ports: Vec<HostPort>,
}

/// What the pods on all nodes have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rooms {
    rooms: HashMap<Text, Room>,
    /// Some pod keeps others away from where it is.
    pub kept_away: bool,
    /// Some pod waits for a node that was nominated for it.
    pub nominated: bool,
}

impl Rooms {
    /// Adds up all pods that have a node and have not ended, also those that are being deleted
    /// (kubernetes `pkg/scheduler/scheduler.go`, `newPodInformer`), but for those that `leave_out` names.
    pub fn of_pods<'a>(
        pods: impl IntoIterator<Item = &'a Arc<Pod>>,
        leave_out: impl Fn(&Pod) -> bool,
    ) -> Rooms {
        let mut all = Rooms::default();
        for pod in pods.into_iter().filter(|pod| !pod.ended() && !leave_out(pod)) {
            if pod.node.is_empty() {
                all.nominated |= !pod.nominated_node.is_empty();
                continue;
            }
            all.kept_away |= pod.keeps_away;
            let room = all.rooms.entry(pod.node.clone()).or_default();
            room.requested.add(pod.counted());
            room.pods += 1;
            room.ports.extend(pod.host_ports.iter().cloned());
        }
        all
    }

    /// The same, without one pod: it does not stand in its own way.
    pub fn without<'a>(pods: impl IntoIterator<Item = &'a Arc<Pod>>, pod: Option<Uid>) -> Rooms {
        Rooms::of_pods(pods, |other| Some(other.meta.uid) == pod)
    }

    /// What is given out on a node; nothing if no pod is on it.
    pub fn of(&self, node: &str) -> &Room {
        static EMPTY: std::sync::LazyLock<Room> = std::sync::LazyLock::new(Room::default);
        self.rooms.get(node).unwrap_or(&EMPTY)
    }
}
