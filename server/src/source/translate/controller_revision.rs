//! A ControllerRevision's row (`pkg/printers/internalversion/printers.go`, `printControllerRevision`).

use std::sync::Arc;

use app::api::{ControllerRevision, Detail, Text, detail::Pace};

use super::{
    Translate, meta,
    template::{self, Facts},
};
use crate::source::object::{controller_revision as object, meta::ObjectMeta};

impl Translate for ControllerRevision {
    type Object = object::ControllerRevision;

    fn translate(revision: object::ControllerRevision) -> ControllerRevision {
        let template = &revision.data.0.spec.template;
        let detail = template::detail(&revision.metadata, &[], template, Pace::default(), Facts::default());
        ControllerRevision {
            meta: meta::meta(&revision.metadata),
            controller: controller(&revision.metadata),
            revision: revision.revision,
            images: template::images(&template.spec),
            change_cause: revision.metadata.annotations.change_cause.clone(),
            detail: Arc::new(Detail { manifest: template.manifest.clone(), ..detail }),
        }
    }
}

/// `formatResourceName`, of the group and kind of whoever controls it.
fn controller(metadata: &ObjectMeta) -> Text {
    let Some(owner) = metadata.owner_references.iter().find(|owner| owner.controller) else {
        return "<none>".into();
    };
    let group = owner.api_version.split_once('/').map_or("", |(group, _)| group);
    let kind = if group.is_empty() { owner.kind.to_string() } else { format!("{}.{group}", owner.kind) };
    format!("{}/{}", kind.to_lowercase(), owner.name).into()
}
