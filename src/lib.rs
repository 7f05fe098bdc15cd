//! Uppsikt: moderation of comments and messages for Swedish public bodies.
//!
//! The layers, each of which may only know those before it (the table is held by
//! `tests/it/layers.rs`):
//! [`domain`] → [`telemetry`] → [`runtime`], [`classify`], [`formats`] → [`evidence`] →
//! [`platforms`]; [`config`] reads what the administrator wrote.

pub mod classify;
pub mod config;
pub mod domain;
pub mod evidence;
pub mod formats;
pub mod platforms;
pub mod runtime;
pub mod telemetry;
