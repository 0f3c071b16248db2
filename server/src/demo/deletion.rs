//! Deleting as `kubectl delete` does: pods get their grace, owners take their dependants along.

use serde_json::json;

use super::clock::stamp;
use super::resource::{self, PODS, Resource};
use super::store::Store;

/// Marks a pod for deletion, or removes any other object and then, as the garbage collector with
/// background propagation, everything it controls. True if there was such an object.
pub(super) fn delete(
    store: &Store,
    resource: &'static Resource,
    namespace: &str,
    name: &str,
    now: i64,
    kubelets: bool,
) -> bool {
    let Some(object) = store.get(resource, namespace, name) else {
        return false;
    };
    if resource == &PODS {
        // A pod on no node has nothing to stop; without kubelets nobody would ever remove it.
        if !kubelets || object.field("spec.nodeName").is_empty() {
            return store.remove(resource, namespace, name).is_some();
        }
        if object.deleting {
            return true;
        }
        let mut pod = object.value();
        let grace = pod["spec"]["terminationGracePeriodSeconds"].as_i64().unwrap_or(30);
        pod["metadata"]["deletionTimestamp"] = json!(stamp(now + grace * 1000));
        pod["metadata"]["deletionGracePeriodSeconds"] = json!(grace);
        store.write(resource, pod);
        return true;
    }
    store.remove(resource, namespace, name);
    for kind in resource::ALL {
        for dependant in store.list(kind, Some(namespace)) {
            if dependant.owner == object.uid {
                delete(store, kind, namespace, &dependant.name, now, kubelets);
            }
        }
    }
    true
}
