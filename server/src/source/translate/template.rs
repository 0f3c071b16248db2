//! What a pod template, or a pod's own specification, says beyond its containers.

use std::sync::Arc;

use app::api::{
    Detail, Text,
    detail::{Pace, Template},
};

use super::{container, meta, needs, selector};
use crate::source::object::{
    meta::{Annotations, Condition, ObjectMeta},
    template::{PodSpec, PodTemplate, SpreadConstraint},
};

/// Name and image of each regular container.
pub fn images(spec: &PodSpec) -> Arc<[(Text, Text)]> {
    spec.containers.iter().map(|container| (container.name.clone(), container.image.clone())).collect()
}

/// The detail of a controller: its conditions, its template, its pace, and `facts`.
pub fn detail(
    metadata: &ObjectMeta,
    conditions: &[Condition],
    template: &PodTemplate,
    pace: Pace,
    mut facts: Facts,
) -> Detail {
    facts.add("Service Account", template.spec.service_account_name.as_str());
    facts.add("Priority Class Name", template.spec.priority_class_name.as_str());
    facts.add("Restarted At", template.metadata.annotations.restarted_at.as_str());
    Detail {
        uid: metadata.uid.clone(),
        conditions: meta::conditions(conditions),
        containers: container::containers(&template.spec, [&[]; 3]),
        needs: needs::of_template(&template.spec),
        template: Some(whole(template)),
        pace,
        facts: facts.0,
        ..Detail::default()
    }
}

fn whole(PodTemplate { metadata, spec }: &PodTemplate) -> Template {
    let read = &metadata.annotations;
    let annotations =
        [(Annotations::RESTARTED_AT, &read.restarted_at), (Annotations::CHANGE_CAUSE, &read.change_cause)];
    Template {
        labels: metadata.labels.clone(),
        annotations: annotations
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| (key.into(), value.clone()))
            .collect(),
        more_annotations: read.others
            || read.revision.is_some()
            || read.desired_replicas.is_some()
            || !read.revision_history.is_empty(),
        service_account: spec.service_account_name.clone(),
        has_volumes: spec.volumes.any(),
        spread: spread(&spec.topology_spread_constraints),
        priority_class: spec.priority_class_name.clone(),
        pod_group: spec.scheduling_group.pod_group_name.clone(),
    }
}

/// kubectl `pkg/describe/describe.go`, `describeTopologySpreadConstraints`.
fn spread(constraints: &[SpreadConstraint]) -> Vec<Text> {
    let mut sorted: Vec<_> = constraints.iter().collect();
    sorted.sort_by(|a, b| a.topology_key.cmp(&b.topology_key));
    let text = |constraint: &SpreadConstraint| {
        let SpreadConstraint { topology_key, when_unsatisfiable, max_skew, label_selector } = constraint;
        let selector =
            label_selector.as_ref().map(|of| format!(" for selector {}", selector::format(Some(of))));
        format!(
            "{topology_key}:{when_unsatisfiable} when max skew {max_skew} is exceeded{}",
            selector.unwrap_or_default()
        )
        .into()
    };
    sorted.into_iter().map(text).collect()
}

/// Label and value of what has no field of its own in [`Detail`], in the words of `kubectl describe`.
#[derive(Debug, Default)]
pub struct Facts(pub Vec<(Text, Arc<str>)>);

impl Facts {
    /// Adds a fact, unless it is empty.
    pub fn add(&mut self, label: &str, value: impl Into<Arc<str>>) {
        let value = value.into();
        if !value.is_empty() {
            self.0.push((label.into(), value));
        }
    }

    /// Adds what can be printed, if it is there.
    pub fn maybe(&mut self, label: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.add(label, value.to_string());
        }
    }
}
