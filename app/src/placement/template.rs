//! What the pods of a template ask for beyond the template: tolerations that are given to every pod.

use crate::api::{
    Kind, Needs, Text,
    needs::{Toleration, TolerationOperator},
};

const NOT_READY: &str = "node.kubernetes.io/not-ready";
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
/// How long pods stay on a node that is not heard of, by default.
const PATIENCE: i64 = 300;

/// What a pod asks for that is made from a template of this kind of workload. Of what admission adds, that of a cluster
/// in its default configuration.
pub fn of_pod(kind: Kind, template: &Needs) -> Needs {
    let mut needs = template.clone();
    if kind == Kind::DaemonSet {
        for_every_node(&mut needs);
    }
    patience(&mut needs.tolerations);
    needs
}

/// kubernetes `pkg/controller/daemon/util/daemonset_util.go`, `AddOrUpdateDaemonPodTolerations`.
fn for_every_node(needs: &mut Needs) {
    let mut add = |key: &str, effect: &str| needs.tolerations.push(toleration(key, effect, None));
    add(NOT_READY, "NoExecute");
    add(UNREACHABLE, "NoExecute");
    for pressure in ["disk-pressure", "memory-pressure", "pid-pressure", "unschedulable"] {
        add(&format!("node.kubernetes.io/{pressure}"), "NoSchedule");
    }
    if needs.host_network {
        add("node.kubernetes.io/network-unavailable", "NoSchedule");
    }
}

/// kubernetes `plugin/pkg/admission/defaulttolerationseconds/admission.go`.
fn patience(tolerations: &mut Vec<Toleration>) {
    for key in [NOT_READY, UNREACHABLE] {
        let stated = tolerations.iter().any(|toleration| {
            (toleration.key.is_empty() || toleration.key == key)
                && (toleration.effect.is_empty() || toleration.effect == "NoExecute")
        });
        if !stated {
            tolerations.push(toleration(key, "NoExecute", Some(PATIENCE)));
        }
    }
}

fn toleration(key: &str, effect: &str, seconds: Option<i64>) -> Toleration {
    Toleration {
        key: key.into(),
        operator: TolerationOperator::Exists,
        value: Text::default(),
        effect: effect.into(),
        seconds,
    }
}
