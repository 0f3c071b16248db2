//! What a pod asks for and what bounds it, added up as Kubernetes adds it up (component-helpers
//! `resource/helpers.go`, `PodRequests` and `PodLimits`): in billionths, rounded once.

use std::collections::BTreeMap;

use app::{
    api::{
        ResourceList, Text,
        resource_list::{CPU, EPHEMERAL_STORAGE, HUGE_PAGES, MEMORY},
    },
    quantity::NANO,
};

use super::container::by_name;
use crate::source::object::{container::Container, pod::Pod, quantity::Quantity, template::PodSpec};

type Quantities = BTreeMap<Text, Quantity>;

/// What the scheduler looks for room for.
pub fn requests(spec: &PodSpec) -> ResourceList {
    let mut sums = added_up(spec, of_container);
    whole_requests(spec, &mut sums);
    sums.plus(&Sums::read(&spec.overhead));
    sums.rounded()
}

/// What the scheduler counts for a pod on its node: while the pod is resized the most of what is asked for, set aside,
/// and in use (kubernetes `pkg/scheduler/framework/types.go`, `PodInfo.CalculateResource`).
pub fn counted(pod: &Pod) -> ResourceList {
    let (spec, status) = (&pod.spec, &pod.status);
    let by_name = by_name(status.container_statuses.iter().chain(&status.init_container_statuses));
    let status_of = |container: &Container| by_name.get(container.name.as_str()).copied();
    let resizing = status.conditions.iter().find(|condition| condition.kind == "PodResizePending");
    let infeasible = resizing.is_some_and(|condition| condition.reason == "Infeasible");
    let stated = |container: &Container| if infeasible { Sums::default() } else { of_container(container) };
    let allocated = |container: &Container| match status_of(container).map(|s| &s.allocated_resources) {
        Some(Some(allocated)) => Sums::read(allocated),
        _ => stated(container),
    };
    let actuated = |container: &Container| match status_of(container).map(|s| &s.resources.requests) {
        Some(Some(running)) => Sums::read(running),
        _ => allocated(container),
    };
    let (mut sums, running) = match (&status.allocated_resources, &status.resources.requests) {
        (Some(allocated), Some(running)) => (Sums::read(allocated), Sums::read(running)),
        _ => (added_up(spec, allocated), added_up(spec, actuated)),
    };
    sums.max(&running);
    if !infeasible {
        sums.max(&added_up(spec, of_container));
    }
    match &status.resources.requests {
        Some(running) if spec.resources.requests.keys().any(|name| for_the_whole(name)) => {
            let mut whole = if infeasible { Sums::default() } else { Sums::read(&spec.resources.requests) };
            whole.max(&Sums::read(running));
            if let Some(allocated) = &status.allocated_resources {
                whole.max(&Sums::read(allocated));
            }
            sums.0.extend(whole.0.into_iter().filter(|(name, _)| for_the_whole(name)));
        }
        _ => whole_requests(spec, &mut sums),
    }
    sums.plus(&Sums::read(&spec.overhead));
    sums.rounded()
}

/// What bounds it. Overhead comes on top of what is bounded at all.
pub fn limits(spec: &PodSpec) -> ResourceList {
    let mut sums = added_up(spec, |container| Sums::read(&container.resources.limits));
    let whole = Sums::read(&spec.resources.limits).0;
    sums.0.extend(whole.into_iter().filter(|(name, _)| for_the_whole(name)));
    for (name, more) in Sums::read(&spec.overhead).0 {
        if let Some(sum) = sums.0.get_mut(&name).filter(|sum| **sum > 0) {
            *sum = sum.saturating_add(more);
        }
    }
    sums.rounded()
}

/// Amounts in billionths.
#[derive(Clone, Debug, Default)]
struct Sums(BTreeMap<Text, u128>);

impl Sums {
    fn read(list: &Quantities) -> Sums {
        Sums(list.iter().filter_map(|(name, quantity)| Some((name.clone(), quantity.nano()?))).collect())
    }

    fn plus(&mut self, other: &Sums) {
        for (name, amount) in &other.0 {
            let sum = self.0.entry(name.clone()).or_default();
            *sum = sum.saturating_add(*amount);
        }
    }

    fn max(&mut self, other: &Sums) {
        for (name, amount) in &other.0 {
            let most = self.0.entry(name.clone()).or_default();
            *most = (*most).max(*amount);
        }
    }

    /// Of what the scheduler counts, as it counts it: CPU in thousandths, the rest whole.
    fn rounded(self) -> ResourceList {
        let rounded = |(name, amount): (Text, u128)| {
            let unit = if name == CPU { NANO / 1000 } else { NANO };
            let amount = u64::try_from(amount.div_ceil(unit)).unwrap_or(u64::MAX);
            (amount > 0 && is_counted(&name)).then_some((name, amount))
        };
        self.0.into_iter().filter_map(rounded).collect()
    }
}

/// kubernetes `pkg/scheduler/util/utils.go`, `IsScalarResourceName`, and what is counted besides.
fn is_counted(name: &str) -> bool {
    [CPU, MEMORY, EPHEMERAL_STORAGE].contains(&name)
        || (name.contains('/') && !name.starts_with("requests."))
        || name.starts_with(HUGE_PAGES)
        || name.starts_with("attachable-volumes-")
}

/// Of which resources a pod may ask for an amount as a whole (`IsSupportedPodLevelResource`).
fn for_the_whole(name: &str) -> bool {
    [CPU, MEMORY].contains(&name) || name.starts_with(HUGE_PAGES)
}

/// Where only a limit is stated it is the request too, as the API server fills in for pods
/// (`pkg/apis/core/v1/defaults.go`, `SetDefaults_Pod`).
fn of_container(container: &Container) -> Sums {
    let mut sums = Sums::read(&container.resources.requests);
    for (name, limit) in Sums::read(&container.resources.limits).0 {
        if !container.resources.requests.contains_key(&name) {
            sums.0.insert(name, limit);
        }
    }
    sums
}

/// What is asked for the pod as a whole holds instead of the sum. Where only a limit is stated the API server makes
/// that the request, unless a container asks for some of it (`defaultPodRequests`).
fn whole_requests(spec: &PodSpec, sums: &mut Sums) {
    let stated = Sums::read(&spec.resources.requests);
    for (name, limit) in Sums::read(&spec.resources.limits).0 {
        let by_container = sums.0.contains_key(&name) && !name.starts_with(HUGE_PAGES);
        if for_the_whole(&name) && !by_container && !stated.0.contains_key(&name) {
            sums.0.insert(name, limit);
        }
    }
    sums.0.extend(stated.0.into_iter().filter(|(name, _)| for_the_whole(name)));
}

/// Regular containers and sidecars run together; an init container runs with the sidecars before it.
fn added_up(spec: &PodSpec, of: impl Fn(&Container) -> Sums) -> Sums {
    let mut sum = Sums::default();
    spec.containers.iter().for_each(|container| sum.plus(&of(container)));
    let (mut sidecars, mut init) = (Sums::default(), Sums::default());
    for container in &spec.init_containers {
        let mut own = of(container);
        if container.is_sidecar() {
            sum.plus(&own);
            sidecars.plus(&own);
            init.max(&sidecars);
        } else {
            own.plus(&sidecars);
            init.max(&own);
        }
    }
    sum.max(&init);
    sum
}
