//! The rows of ReplicationControllers and ReplicaSets (`pkg/printers/internalversion/printers.go`,
//! `printReplicationController`, `printReplicaSet`).

use std::sync::Arc;

use app::api::{
    Detail, Health, ReplicaSet, ReplicationController, Text, detail::Pace, manifest::Manifest,
    replicas::Replicas,
};

use super::{
    Translate, count, line, meta, selector,
    template::{self, Facts},
};
use crate::source::object::{meta::ObjectMeta, replicas as object, template::PodTemplate};

impl Translate for ReplicationController {
    type Object = object::ReplicationController;

    fn translate(rc: object::ReplicationController) -> ReplicationController {
        let spec = &rc.spec;
        // `pkg/apis/core/v1/defaults.go`, `SetDefaults_ReplicationController`
        let selector = if spec.selector.is_empty() { &spec.template.metadata.labels } else { &spec.selector };
        let selector = selector::format_labels(selector);
        let replicas = replicas(
            &rc.metadata,
            spec.replicas,
            selector,
            &spec.template,
            Manifest::default(), // a controller has no revisions to compare
            spec.min_ready_seconds,
            &rc.status,
        );
        ReplicationController { meta: meta::meta(&rc.metadata), replicas }
    }
}

impl Translate for ReplicaSet {
    type Object = object::ReplicaSet;

    fn translate(rs: object::ReplicaSet) -> ReplicaSet {
        let spec = &rs.spec;
        let selector = selector::format(spec.selector.as_ref());
        let replicas = replicas(
            &rs.metadata,
            spec.replicas,
            selector,
            &spec.template,
            spec.template.manifest.clone(),
            spec.min_ready_seconds,
            &rs.status,
        );
        ReplicaSet { meta: meta::meta(&rs.metadata), replicas }
    }
}

fn replicas(
    metadata: &ObjectMeta,
    desired: Option<i64>,
    selector: Text,
    template: &PodTemplate,
    manifest: Manifest,
    min_ready_seconds: i64,
    status: &object::ReplicasStatus,
) -> Replicas {
    let desired = count(desired.unwrap_or(1));
    let (health, why) = judge(metadata, desired, status);
    // kubectl's history asks the ReplicaSet first (kubectl `pkg/polymorphichelpers/history.go`)
    let causes = [&metadata.annotations.change_cause, &template.metadata.annotations.change_cause];
    let mut facts = Facts::default();
    facts.maybe("MinReadySeconds", Some(min_ready_seconds).filter(|seconds| *seconds > 0));
    let scaled_for = metadata.annotations.desired_replicas.as_ref().and_then(|count| count.parse().ok());
    let pace = Pace { min_ready: count(min_ready_seconds), scaled_for, ..Pace::default() };
    Replicas {
        desired,
        current: count(status.replicas),
        ready: count(status.ready_replicas),
        available: count(status.available_replicas),
        images: template::images(&template.spec),
        selector,
        revision: metadata.annotations.revision(),
        formerly: metadata.annotations.formerly(),
        change_cause: causes.into_iter().find(|cause| !cause.is_empty()).cloned().unwrap_or_default(),
        health,
        why: why.into(),
        detail: Arc::new(Detail {
            manifest,
            ..template::detail(metadata, &status.conditions, template, pace, facts)
        }),
    }
}

/// Pods that fail are told by the pods themselves; the controller fails when it cannot make any.
fn judge(metadata: &ObjectMeta, desired: i32, status: &object::ReplicasStatus) -> (Health, String) {
    let failure = status.conditions.iter().find(|condition| condition.kind == "ReplicaFailure");
    if let Some(failure) = failure.filter(|condition| condition.is_true()) {
        let stated = line(&failure.message);
        return (Health::Failing, if stated.is_empty() { failure.reason.to_string() } else { stated });
    }
    if metadata.deletion_timestamp.0.is_some() {
        return (Health::Progressing, meta::deleting(metadata));
    }
    if metadata.generation > status.observed_generation && status.observed_generation > 0 {
        return (Health::Progressing, "the newest spec is not observed yet".to_owned());
    }
    let (current, ready) = (count(status.replicas), count(status.ready_replicas));
    if current != desired {
        return (Health::Progressing, format!("{current} current / {desired} desired"));
    }
    if ready < desired {
        return (Health::Progressing, format!("{ready} of {desired} replicas are ready"));
    }
    (Health::Healthy, String::new())
}
