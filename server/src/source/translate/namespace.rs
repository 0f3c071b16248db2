//! A namespace's row (`pkg/printers/internalversion/printers.go`, `printNamespace`).

use app::api::{Health, Namespace, Text};

use super::{Translate, meta};
use crate::source::object::{meta::Condition, namespace as object};

impl Translate for Namespace {
    type Object = object::Namespace;

    fn translate(namespace: object::Namespace) -> Namespace {
        Namespace {
            health: judge(&namespace),
            meta: meta::meta(&namespace.metadata),
            phase: phase(namespace.status.phase),
        }
    }
}

/// `pkg/apis/core/v1/defaults.go`, `SetDefaults_NamespaceStatus`.
fn phase(phase: Text) -> Text {
    if phase.is_empty() { "Active".into() } else { phase }
}

/// Deletion of the contents may fail and is tried again for ever (`core/v1` `types.go`,
/// `NamespaceDeletionContentFailure` and its siblings).
fn judge(namespace: &object::Namespace) -> Health {
    if namespace.status.conditions.iter().any(is_failure) {
        Health::Failing
    } else if namespace.metadata.deletion_timestamp.0.is_some() || namespace.status.phase == "Terminating" {
        Health::Progressing
    } else {
        Health::Healthy
    }
}

fn is_failure(condition: &Condition) -> bool {
    condition.is_true()
        && condition.kind.starts_with("NamespaceDeletion")
        && condition.kind.ends_with("Failure")
}
