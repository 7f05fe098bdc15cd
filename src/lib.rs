//! Uppsikt: moderation of comments and messages for Swedish public bodies.
//!
//! The layers, each of which may only know those before it (the table is held by
//! `tests/it/layers.rs`):
//! [`domain`] → [`telemetry`], [`runtime`], [`classify`], [`formats`] → [`store`] → [`evidence`] →
//! [`platforms`] → [`services`] → [`web`], [`cli`], with [`config`] and [`app`] putting the parts
//! together.

pub mod app;
pub mod classify;
pub mod cli;
pub mod config;
pub mod domain;
pub mod evidence;
pub mod formats;
pub mod platforms;
pub mod runtime;
pub mod services;
pub mod store;
pub mod telemetry;
pub mod web;
