//! The SQLite engine: one file a subject, SQL and row → value.

mod accounts;
mod actions;
mod anew;
mod assessments;
mod audit;
// First of those that use its macro.
#[macro_use]
mod bars;
pub mod archive_runs;
mod blobs;
pub mod cards;
mod cases;
mod checkpoints;
mod checks;
pub mod claims;
pub mod clock;
pub mod closings;
pub mod connections;
mod crises;
mod custody;
pub mod decide;
pub mod disposals;
mod evidence;
pub mod handovers;
mod holds;
mod items;
pub mod lifts;
mod likeness;
mod lines;
mod log;
pub mod looks;
pub mod manual;
pub mod mentions;
pub mod notices;
pub(super) mod open;
pub mod people;
pub mod police;
pub mod policies;
pub mod public_reports;
pub mod publishers;
pub(super) mod readers;
pub mod registrations;
pub mod releases;
mod reports;
mod rules;
pub mod saved_filters;
pub mod saved_replies;
pub mod search;
pub mod secrecies;
pub mod subjects;
pub mod sweeps;
pub mod tasks;
mod threads;
pub mod together;
pub(super) mod tree;
pub mod users;
pub(super) mod value;
mod vanishings;
pub(super) mod veil;
mod veiled;
pub mod witnesses;
pub(super) mod writer;

#[cfg(test)]
mod tests;
