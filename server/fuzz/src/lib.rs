//! Bytes that others wrote, thrown at all that reads them. What must hold is in [`foreign`], which the server's tests
//! include as well; here is what only fuzzing needs.

mod bounded;
#[path = "../foreign/mod.rs"]
pub mod foreign;
pub mod json;
