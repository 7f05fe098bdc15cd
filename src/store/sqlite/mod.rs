//! The SQLite engine: one file a subject, SQL and row → value.

mod accounts;
mod actions;
mod assessments;
mod audit;
mod bars;
mod cases;
mod checks;
pub mod decide;
mod evidence;
mod items;
mod likeness;
mod lines;
mod log;
pub(super) mod open;
pub(super) mod readers;
mod registrations;
mod rules;
mod threads;
pub mod users;
pub(super) mod value;
pub(super) mod veil;
pub(super) mod writer;

#[cfg(test)]
mod tests;
