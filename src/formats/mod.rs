//! Values to bytes; pure.

pub mod sheet;
