//! Containers as rows of their own: made of each pod, of events about its probes, and of what was seen of it
//! before. What happened to a container is known for as long as this process watches, within bounds: per container
//! [`app::api::container::SPANS`] spans and [`evidence::ENDS`] ends.

mod evidence;
mod life;
mod recorder;

use std::collections::{HashMap, VecDeque};

use app::api::{
    Container, Event, Meta, Millis, Pod, Uid,
    container::{self, Heard},
};
use evidence::Evidence;
use life::Life;
use recorder::Recorder;

/// Pods of which only events have come so far.
const HEARD_OF: usize = 5_000;

/// What is remembered of every pod's containers.
#[derive(Debug, Default)]
pub struct Containers {
    pods: HashMap<Uid, Memory>,
    /// Pods known by their events only, oldest first.
    heard_of: VecDeque<Uid>,
}

/// Containers of one pod that events may speak of, whether or not it has them.
const NAMES: usize = 200;

#[derive(Debug, Default)]
struct Memory {
    /// Whether the pod itself has come.
    there: bool,
    of: HashMap<Box<str>, (Evidence, Life)>,
    recorder: Recorder,
}

/// Whether an event tells of probes, or of how many more can be told.
pub fn tells(event: &Event) -> bool {
    event.object_kind == "Pod" && (event.warns() || event.reason == "Killing")
}

impl Containers {
    /// Of how many pods something is remembered.
    pub fn len(&self) -> usize {
        self.pods.len()
    }

    /// The rows of a pod's containers as it is now, in the order of its spec. Their uids are to be set.
    pub fn of(&mut self, pod: &Pod, now: Millis) -> Vec<Container> {
        let memory = self.pods.entry(pod.meta.uid).or_default();
        memory.there = true;
        let containers = pod.detail.containers.iter().map(|spec| {
            let (evidence, life) = memory.of.entry(spec.name.as_str().into()).or_default();
            if let Some(status) = &spec.status {
                evidence.see(&spec.probes, status);
                life.see(pod, &spec.probes, status, now);
            }
            let heard = spec.probes.iter().map(|probe| evidence.heard(probe.kind));
            Container {
                meta: Meta { name: format!("{}/{}", pod.meta.name, spec.name).into(), ..pod.meta.clone() },
                pod: pod.meta.name.clone(),
                pod_uid: pod.meta.uid,
                node: pod.node.clone(),
                name: spec.name.clone(),
                role: spec.role,
                ports: spec.ports.as_slice().into(),
                probes: spec.probes.as_slice().into(),
                status: spec.status.clone(),
                heard: heard.collect::<Vec<Heard>>(),
                silent_until: memory.recorder.silent_until(),
                restarts: evidence.restarts(spec.status.as_ref().map_or(0, |status| status.restarts)),
                life: life.spans(evidence),
                health: container::judge(spec.status.as_ref()),
            }
        });
        containers.collect()
    }

    /// What an event says; gives the pod it is about if that is there, since its rows may have changed.
    pub fn hear(&mut self, event: &Event) -> Option<Uid> {
        let pod = event.object_uid;
        if !self.pods.contains_key(&pod) {
            self.heard_of.push_back(pod);
            if self.heard_of.len() > HEARD_OF
                && let Some(oldest) = self.heard_of.pop_front()
                && self.pods.get(&oldest).is_some_and(|memory| !memory.there)
            {
                self.pods.remove(&oldest);
            }
        }
        let memory = self.pods.entry(pod).or_default();
        memory.recorder.hear(event);
        if let Some(name) = event.container()
            // what no pod has is not remembered without end
            && (memory.of.contains_key(name) || memory.of.len() < NAMES)
        {
            let (evidence, _) = memory.of.entry(name.into()).or_default();
            evidence.hear(event);
        }
        memory.there.then_some(pod)
    }

    /// The pod is gone.
    pub fn forget(&mut self, pod: Uid) {
        self.pods.remove(&pod);
    }
}
