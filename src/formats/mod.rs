//! Values to bytes; pure.

pub mod canonical_json;
pub mod protocol;
pub mod sheet;
