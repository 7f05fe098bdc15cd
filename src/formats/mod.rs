//! Values to bytes; pure.

pub mod canonical_json;
pub mod notice;
pub mod protocol;
pub mod sheet;
pub mod supervision;
