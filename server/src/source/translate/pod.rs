//! A pod's row: the only home of STATUS, READY, RESTARTS, and of a pod's health.

mod health;
mod status;

use std::sync::Arc;

use app::api::{Detail, Pod, Text, Timestamp};

use super::{Translate, container, meta, needs, requests, template::Facts};
use crate::source::object::{meta::ObjectMeta, pod as object};

impl Translate for Pod {
    type Object = object::Pod;

    fn translate(pod: object::Pod) -> Pod {
        let printed = status::print(&pod);
        let (health, why) = health::judge(&pod);
        let requests = requests::requests(&pod.spec);
        let counted = requests::counted(&pod);
        Pod {
            meta: meta::meta(&pod.metadata),
            ready: printed.ready,
            total: printed.total,
            status: printed.status,
            restarts: printed.restarts,
            last_restart: printed.last_restart,
            phase: pod.status.phase.clone(),
            node: pod.spec.node_name.clone(),
            // the first, also where that is empty and the second is not
            ip: ips(&pod).next().cloned().unwrap_or_default(),
            nominated_node: pod.status.nominated_node_name.clone(),
            is_ready: pod.status.condition("Ready").is_some_and(|ready| ready.is_true()),
            gates: status::gates(&pod),
            images: images(&pod),
            resizing: (counted != requests).then_some(counted),
            requests,
            limits: requests::limits(&pod.spec),
            host_ports: needs::host_ports(&pod.spec),
            keeps_away: needs::keeps_away(&pod.spec),
            health,
            why: why.into(),
            since: health::since(&pod, health),
            detail: Arc::new(detail(&pod)),
        }
    }
}

/// `status.podIPs`; an old server may set `status.podIP` alone, from which the API server's own
/// conversion fills the list (`pkg/apis/core/v1/conversion.go`, `Convert_v1_PodStatus_To_core_PodStatus`).
fn ips(pod: &object::Pod) -> impl Iterator<Item = &Arc<str>> {
    let one = pod.status.pod_ips.is_empty().then_some(&pod.status.pod_ip);
    pod.status.pod_ips.iter().map(|ip| &ip.ip).chain(one)
}

/// Name and image of each regular container, then of each sidecar.
fn images(pod: &object::Pod) -> Arc<[(Text, Text)]> {
    let sidecars = pod.spec.init_containers.iter().filter(|container| container.is_sidecar());
    let all = pod.spec.containers.iter().chain(sidecars);
    all.map(|container| (container.name.clone(), container.image.clone())).collect()
}

/// In the order of kubectl `pkg/describe/describe.go`, `describePod`.
fn detail(pod: &object::Pod) -> Detail {
    let (spec, status) = (&pod.spec, &pod.status);
    let mut facts = Facts::default();
    facts.maybe("Priority", spec.priority);
    facts.add("Priority Class Name", spec.priority_class_name.as_str());
    facts.add("Runtime Class Name", spec.runtime_class_name.as_str());
    facts.add("Service Account", spec.service_account_name.as_str());
    facts.add("Host IP", status.host_ip.clone());
    facts.maybe("Start Time", status.start_time.0);
    facts.maybe(
        "Termination Grace Period",
        spec.termination_grace_period_seconds.map(|seconds| format!("{seconds}s")),
    );
    facts.add("Reason", status.reason.as_str());
    facts.add("Message", status.message.clone());
    facts.add("IPs", ips(pod).map(|ip| &**ip).filter(|ip| !ip.is_empty()).collect::<Vec<_>>().join(", "));
    facts.add("Restart Policy", spec.restart_policy.as_str());
    facts.add("Scheduler", spec.scheduler_name.as_str());
    facts.add("QoS Class", status.qos_class.as_str());
    facts
        .add("Finalizers", pod.metadata.finalizers.iter().map(|f| f.as_str()).collect::<Vec<_>>().join(", "));
    let statuses = [
        &*status.init_container_statuses,
        &*status.container_statuses,
        &*status.ephemeral_container_statuses,
    ];
    Detail {
        uid: pod.metadata.uid.clone(),
        told_to_end: told_to_end(&pod.metadata),
        conditions: meta::conditions(&status.conditions),
        containers: container::containers(spec, statuses),
        needs: needs::needs(spec),
        facts: facts.0,
        ..Detail::default()
    }
}

/// `deletionTimestamp` is when its grace period ends (apiserver `pkg/registry/rest/delete.go`, `BeforeDelete`).
fn told_to_end(metadata: &ObjectMeta) -> Option<Timestamp> {
    let grace = metadata.deletion_grace_period_seconds?.max(0);
    metadata.deletion_timestamp.0.map(|end| Timestamp(end.0.saturating_sub(grace)))
}
