//! Uppsikt: moderation of comments and messages for Swedish public bodies.
//!
//! The layers, each of which may only know those before it (the table is held by
//! `tests/it/layers.rs`):
//! [`domain`] → [`runtime`], [`classify`], [`formats`] → [`evidence`] → [`platforms`].

pub mod classify;
pub mod cli;
pub mod domain;
pub mod evidence;
pub mod formats;
pub mod platforms;
pub mod runtime;
