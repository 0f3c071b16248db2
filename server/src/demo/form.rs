//! In which representation objects leave: as they are, their metadata only, or table rows.

use bytes::Bytes;
use serde_json::{Value, json};

use super::object::Object;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Object,
    Metadata,
    Table { include: Include },
}

/// What a table row carries of its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Include {
    None,
    Metadata,
    Object,
}

impl Form {
    /// The first acceptable representation; `None` if there is none (406).
    pub(super) fn negotiate(accept: &str) -> Option<Form> {
        accept.split(',').find_map(|offer| {
            let mut parts = offer.split(';').map(str::trim);
            if !matches!(parts.next()?, "application/json" | "application/*" | "*/*") {
                return None;
            }
            let kind = parts.find_map(|part| part.strip_prefix("as=")).unwrap_or("");
            match kind {
                "" => Some(Form::Object),
                "Table" => Some(Form::Table { include: Include::Metadata }),
                "PartialObjectMetadata" | "PartialObjectMetadataList" => Some(Form::Metadata),
                _ => None,
            }
        })
    }

    /// `includeObject` of the query.
    pub(super) fn including(self, include: &str) -> Form {
        match (self, include) {
            (Form::Table { .. }, "None") => Form::Table { include: Include::None },
            (Form::Table { .. }, "Object") => Form::Table { include: Include::Object },
            (form, _) => form,
        }
    }

    /// One object's bytes, for every form but a table.
    pub(super) fn object(self, object: &Object) -> Bytes {
        match self {
            Form::Metadata => metadata_only(&object.tree()).to_string().into(),
            _ => object.json.clone(),
        }
    }
}

pub(super) fn metadata_only(value: &Value) -> Value {
    json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": value["metadata"],
    })
}
