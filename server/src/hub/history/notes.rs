//! What there is to point out of a workload that does not hold it up: which pods a partition leaves alone, who else
//! lays claim to its pods, which pods are nobody's.

use std::sync::Arc;

use app::{
    api::{InCluster, Kind, Labels, Pod, Row, picture::Cause},
    model::{Cluster, WithRow},
    selector::Selector,
};

use super::{Found, History};

/// So many are told by name.
const NAMED: usize = 3;

/// What there is to point out.
pub fn of(history: &History, cluster: &Cluster, found: &Found) -> Vec<Cause> {
    // A StatefulSet takes only pods with names of its own.
    if found.kind() == Kind::StatefulSet {
        return partition(found).into_iter().collect();
    }
    let Ok(selector) = Selector::parse(found.selector()) else { return Vec::new() };
    let mut notes = Vec::new();
    notes.extend(strays(history, cluster, found, &selector));
    notes.extend(overlap(cluster, found, &selector));
    notes
}

/// Pods that keep the template they have (`pkg/controller/statefulset/stateful_set_control.go`).
fn partition(found: &Found) -> Option<Cause> {
    let partition = Some(found.detail().pace.partition).filter(|partition| *partition > 0)?;
    let says = format!(
        "Its partition is {partition}: so many of its first pods keep their template, also when they are made anew"
    );
    Some(note(says, format!("statefulset/{}", found.meta().name)))
}

/// Pods without any controller that it will take over: those that neither end nor are through
/// (`pkg/controller/controller_utils.go`, `FilterActivePods`).
fn strays(history: &History, cluster: &Cluster, found: &Found, selector: &Selector) -> Option<Cause> {
    let meta = found.meta();
    let stray = |pod: &&Arc<Pod>| {
        pod.meta.owner.is_none()
            && pod.meta.deleting.is_none()
            && !matches!(pod.phase.as_str(), "Succeeded" | "Failed")
            && pod.meta.namespace == meta.namespace
            && selector.matches(&pod.meta.labels)
    };
    // A Deployment adopts ReplicaSets, no pods; and what is being deleted adopts nothing.
    if found.kind() == Kind::Deployment || meta.deleting.is_some() {
        return None;
    }
    let pods = history.strays.iter().filter_map(|uid| Pod::rows(cluster).get(*uid));
    let mut strays: Vec<_> = pods.filter(stray).collect();
    strays.sort_by(|a, b| a.meta.name.cmp(&b.meta.name));
    let first = strays.first()?;
    let says = match strays.len() {
        1 => format!(
            "Pod {} has no controller and is selected: it will be adopted, and counts then",
            first.meta.name
        ),
        count => {
            format!("{count} pods have no controller and are selected: they will be adopted, and count then")
        }
    };
    Some(note(says, format!("pod/{}", first.meta.name)))
}

/// Others of its namespace whose pods its selector selects too. Each keeps its own: controllers go by
/// `ownerReferences` (`pkg/controller/controller_ref_manager.go`).
fn overlap(cluster: &Cluster, found: &Found, selector: &Selector) -> Option<Cause> {
    let mut others: Vec<(Kind, Arc<str>)> = Vec::new();
    for kind in Kind::ALL.iter().copied().filter(|kind| kind.makes_pods()) {
        others.extend(kind.with_row(Selected { cluster, found, selector }));
    }
    let first = others.first()?;
    let mut names: Vec<String> =
        others.iter().take(NAMED).map(|(kind, name)| format!("{} {name}", kind.singular())).collect();
    if others.len() > NAMED {
        names.push(format!("{} more", others.len() - NAMED));
    }
    let says = format!(
        "Its selector ({}) also selects the pods of {}. Each controller keeps to its own pods, but a Service or kubectl get -l with these labels finds both",
        found.selector(),
        names.join(", "),
    );
    Some(note(says, format!("{}/{}", first.0.singular(), first.1)))
}

fn note(says: String, source: String) -> Cause {
    Cause { blocks: false, says, evidence: String::new(), source, at: None }
}

/// Workloads of one kind whose template has labels that are selected.
struct Selected<'a> {
    cluster: &'a Cluster,
    found: &'a Found,
    selector: &'a Selector,
}

impl WithRow for Selected<'_> {
    type Out = Vec<(Kind, Arc<str>)>;

    fn with<T: Row>(self) -> Self::Out {
        let meta = self.found.meta();
        let labels = |row: &T| -> Option<Labels> { Some(row.detail()?.template.as_ref()?.labels.clone()) };
        let selected = T::rows(self.cluster).iter().filter(|row| {
            let other = row.meta();
            other.namespace == meta.namespace
                && other.uid != meta.uid
                // a Deployment's ReplicaSet is the Deployment's
                && other.owner.as_ref().is_none_or(|owner| owner.kind != "Deployment")
                && labels(row).is_some_and(|labels| self.selector.matches(&labels))
        });
        let mut found: Vec<_> = selected.map(|row| (T::KIND, row.meta().name.clone())).collect();
        found.sort();
        found
    }
}
