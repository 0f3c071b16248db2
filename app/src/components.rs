//! Building blocks. They know rows as [`crate::query::Line`]s and name no kind.

pub mod bar;
pub mod chip;
pub mod command;
pub mod filters;
pub mod frame;
pub mod fresh;
pub mod gate;
pub mod here;
pub mod hold;
pub mod icon;
pub mod keys;
pub mod meter;
pub mod name;
pub mod palette;
pub mod scroll;
pub mod strip;
pub mod suggest;
pub mod table;
pub mod tiles;

use leptos::prelude::*;

use crate::store::Store;

/// The store of this page.
pub fn store() -> Store {
    use_context().unwrap_or_else(|| Store::new(&Default::default()))
}
