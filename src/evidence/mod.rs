//! Seal, keep, verify.

pub mod browser;
pub mod warrant;
