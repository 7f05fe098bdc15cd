//! Values to bytes; pure.

pub mod canonical_json;
pub mod sheet;
