//! Kubernetes objects as far as Masthead reads them: one file a kind, only the fields it shows.
//!
//! What these structs do not name is skipped without being built: environment, arguments, volumes,
//! header values, all of `managedFields` but a time, every annotation but those of [`meta::Annotations`]. That is what
//! keeps secrets out of the model, and what makes decoding cheap. Of pod templates it is hashed as it is
//! skipped ([`manifest`]), so that a change can be told.
//!
//! The rules of reading are Go's: a field that is absent or `null` has its type's empty value. A
//! field of the wrong type makes its object undecodable; a timestamp or quantity that cannot be
//! read counts as absent.

pub mod container;
pub mod controller_revision;
pub mod daemon_set;
pub mod deployment;
pub mod endpoint_slice;
pub mod event;
pub mod lease;
pub mod manifest;
pub mod meta;
pub mod namespace;
pub mod node;
pub mod pod;
pub mod pod_disruption_budget;
pub mod quantity;
pub mod replicas;
pub mod scalar;
pub mod service;
pub mod stateful_set;
pub mod strategy;
pub mod template;

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

/// `null` reads as the empty value.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Defines decode structs with Kubernetes' camelCase names, every field optional in the JSON.
macro_rules! object {
    ($(
        $(#[$about:meta])*
        pub struct $Name:ident {
            $( $(#[$doc:meta])* pub $field:ident: $Type:ty, )*
        }
    )*) => {$(
        $(#[$about])*
        #[derive(Clone, Debug, Default, serde::Deserialize)]
        #[serde(rename_all = "camelCase", remote = "Self")]
        pub struct $Name {
            $(
                $(#[$doc])*
                #[serde(default, deserialize_with = "crate::source::object::or_default")]
                pub $field: $Type,
            )*
        }

        impl<'de> serde::Deserialize<'de> for $Name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<$Name, D::Error> {
                // with `remote`, what serde has derived is an inherent function of this name
                $Name::deserialize(crate::source::object::MapsOnly(deserializer))
            }
        }
    )*};
}
use object;

/// serde reads a list as a struct too, its items as the fields in order. Kubernetes does not.
struct MapsOnly<T>(T);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for MapsOnly<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(MapsOnly(visitor))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for MapsOnly<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(map)
    }
}
