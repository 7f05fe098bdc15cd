//! Values to bytes; pure.

pub mod canonical_json;
pub mod eark;
pub mod protocol;
pub mod sheet;
pub mod tar;
pub mod xml;
