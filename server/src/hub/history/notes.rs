//! What there is to point out of a workload that does not hold it up: which pods a partition leaves alone, who else
//! lays claim to its pods, which pods are nobody's. Who adopts and who overlaps is [`app::query::selects`]' to say.

use std::sync::Arc;

use app::{
    api::{InCluster, Kind, Labels, Pod, Row, picture::Cause},
    model::{Cluster, WithRow},
    query::selects::{Selecting, Written, bonds::adopts, may_overlap},
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
    let one = Selecting::of(found.kind(), found.meta(), Written::Printed(found.selector().clone()));
    let Some(selector) = one.written.read() else { return Vec::new() };
    let mut notes = Vec::new();
    notes.extend(strays(history, cluster, &one, &selector));
    notes.extend(overlap(cluster, &one, &selector));
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

/// Pods without any controller that it will take over.
fn strays(history: &History, cluster: &Cluster, one: &Selecting, selector: &Selector) -> Option<Cause> {
    let stray = |pod: &&Arc<Pod>| adopts(one, pod) && selector.matches(&pod.meta.labels);
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
fn overlap(cluster: &Cluster, one: &Selecting, selector: &Selector) -> Option<Cause> {
    let mut others: Vec<(Kind, Arc<str>)> = Vec::new();
    for kind in Kind::ALL.iter().copied().filter(|kind| kind.makes_pods()) {
        others.extend(kind.with_row(Selected { cluster, one, selector }));
    }
    let first = others.first()?;
    let mut names: Vec<String> =
        others.iter().take(NAMED).map(|(kind, name)| format!("{} {name}", kind.singular())).collect();
    if others.len() > NAMED {
        names.push(format!("{} more", others.len() - NAMED));
    }
    let says = format!(
        "Its selector ({}) also selects the pods of {}. Each controller keeps to its own pods, but a Service or kubectl get -l with these labels finds both",
        selector,
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
    one: &'a Selecting,
    selector: &'a Selector,
}

impl WithRow for Selected<'_> {
    type Out = Vec<(Kind, Arc<str>)>;

    fn with<T: Row>(self) -> Self::Out {
        let labels = |row: &T| -> Option<Labels> { Some(row.detail()?.template.as_ref()?.labels.clone()) };
        // What the other selects does not matter: its pods have its template's labels.
        let other = |row: &T| Selecting::of(T::KIND, row.meta(), Written::Pairs(Labels::default()));
        let selected = T::rows(self.cluster).iter().filter(|row| {
            row.meta().namespace == self.one.namespace
                && may_overlap(self.one, &other(row))
                && labels(row).is_some_and(|labels| self.selector.matches(&labels))
        });
        let mut found: Vec<_> = selected.map(|row| (T::KIND, row.meta().name.clone())).collect();
        found.sort();
        found
    }
}
