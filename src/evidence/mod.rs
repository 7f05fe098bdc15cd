//! Seal, keep, verify.

pub mod warrant;
