//! What a pod asks for, as the scheduler adds it up (component-helpers `resource/helpers.go`,
//! `PodRequests`).

use std::collections::BTreeMap;

use app::api::Text;

use crate::source::object::{
    container::{Container, Resources},
    quantity::Quantity,
    template::PodSpec,
};

/// CPU in thousandths, memory in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// CPU in thousandths.
    pub cpu: u64,
    /// Memory in bytes.
    pub memory: u64,
}

impl Requests {
    fn read(list: &BTreeMap<Text, Quantity>) -> Requests {
        Requests {
            cpu: list.get("cpu").and_then(Quantity::milli).unwrap_or_default(),
            memory: list.get("memory").and_then(Quantity::value).unwrap_or_default(),
        }
    }

    /// Of a container: where only a limit is stated it is the request too, as the API server fills in
    /// (`pkg/apis/core/v1/defaults.go`, `SetDefaults_Pod`).
    fn of_container(container: &Container) -> Requests {
        let Resources { requests, limits } = &container.resources;
        let (stated, limits) = (Requests::read(requests), Requests::read(limits));
        Requests {
            cpu: if requests.contains_key("cpu") { stated.cpu } else { limits.cpu },
            memory: if requests.contains_key("memory") { stated.memory } else { limits.memory },
        }
    }

    fn plus(self, other: Requests) -> Requests {
        Requests { cpu: self.cpu.saturating_add(other.cpu), memory: self.memory.saturating_add(other.memory) }
    }

    fn max(self, other: Requests) -> Requests {
        Requests { cpu: self.cpu.max(other.cpu), memory: self.memory.max(other.memory) }
    }
}

/// Regular containers and sidecars run together; an init container runs with the sidecars before it.
pub fn of(spec: &PodSpec) -> Requests {
    let regular = spec.containers.iter().map(Requests::of_container);
    let mut sidecars = Requests::default();
    let mut init = Requests::default();
    for container in &spec.init_containers {
        let own = Requests::of_container(container);
        if container.is_sidecar() {
            sidecars = sidecars.plus(own);
            init = init.max(sidecars);
        } else {
            init = init.max(sidecars.plus(own));
        }
    }
    let mut sum = regular.fold(sidecars, Requests::plus).max(init);
    // what is stated for the pod as a whole holds instead of the sum
    let whole = &spec.resources.requests;
    sum.cpu = whole.get("cpu").and_then(Quantity::milli).unwrap_or(sum.cpu);
    sum.memory = whole.get("memory").and_then(Quantity::value).unwrap_or(sum.memory);
    sum.plus(Requests::read(&spec.overhead))
}
