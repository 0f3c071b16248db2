//! What a field selector may name, kind by kind.

use std::borrow::Cow;

use super::{Kind, Row};
use crate::model::WithRow;

/// A field by which the API server selects objects of a kind.
pub struct Field<T: 'static> {
    /// `status.phase`
    pub name: &'static str,
    /// Its value; `None` for a field that the API server knows and the row has not.
    pub value: Option<fn(&T) -> Cow<'_, str>>,
}

impl<T> Field<T> {
    /// A field that the row has.
    pub const fn new(name: &'static str, value: fn(&T) -> Cow<'_, str>) -> Field<T> {
        Field { name, value: Some(value) }
    }

    /// A field that the API server knows and the row has not.
    pub const fn not_kept(name: &'static str) -> Field<T> {
        Field { name, value: None }
    }

    /// `metadata.name`
    pub const fn name() -> Field<T>
    where
        T: Row,
    {
        Field::new("metadata.name", |row| Cow::Borrowed(&row.meta().name))
    }

    /// `metadata.namespace`
    pub const fn namespace() -> Field<T>
    where
        T: Row,
    {
        Field::new("metadata.namespace", |row| Cow::Borrowed(&row.meta().namespace))
    }
}

impl Kind {
    /// The fields its objects can be selected by here, in the order of [`Row::FIELDS`].
    pub fn fields(self) -> Vec<&'static str> {
        struct Kept;
        impl WithRow for Kept {
            type Out = Vec<&'static str>;
            fn with<T: Row>(self) -> Self::Out {
                T::FIELDS.iter().filter(|field| field.value.is_some()).map(|field| field.name).collect()
            }
        }
        self.with_row(Kept)
    }

    /// Whether its objects can be selected by this field; if not, why, as the API server says it. A kind without
    /// fields of its own is refused in other words (apimachinery `pkg/runtime/conversion.go`,
    /// `DefaultMetaV1FieldSelectorConversion`) than one that has some (`pkg/apis/core/v1/conversion.go`).
    pub fn check_field(self, name: &str) -> Result<(), String> {
        struct Check<'a>(&'a str);
        impl WithRow for Check<'_> {
            type Out = Result<(), String>;
            fn with<T: Row>(self) -> Self::Out {
                let Check(name) = self;
                let plural = T::KIND.plural();
                let found = T::FIELDS.iter().find(|field| field.name == name);
                match found.map(|field| field.value.is_some()) {
                    Some(true) => Ok(()),
                    Some(false) => {
                        let kept = T::KIND.fields().join(", ");
                        Err(format!(
                            "{name} is a field that Masthead does not keep (of {plural} it has {kept})"
                        ))
                    }
                    None if matches!(T::FIELDS, [a, b] if a.name == "metadata.name" && b.name == "metadata.namespace") => {
                        Err(format!(
                            "{name:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                        ))
                    }
                    None => {
                        let kept = T::KIND.fields().join(", ");
                        Err(format!("field label not supported: {name} ({plural} have {kept})"))
                    }
                }
            }
        }
        self.with_row(Check(name))
    }
}
