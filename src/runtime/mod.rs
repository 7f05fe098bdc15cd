//! Time, stopping and supervision of loops.

pub mod clock;
pub mod secret;
