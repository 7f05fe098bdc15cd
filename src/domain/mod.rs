//! Values and rules of the trade. No I/O, no async, no clock, no SQL, no HTTP: everything here is
//! a function of its arguments.
//!
//! Reading order: [`ids`], [`account`], [`connection`], [`breaker`], [`card`], [`item`], [`language`], [`category`], [`verdict`], [`ground`],
//! [`evidence`], [`page_log`], [`case`], [`decision`], [`action`], [`registration`], [`person`], [`notice`], [`escalation`], [`supervision`], [`crisis`], [`calendar`],
//! [`personal_number`], [`deadline`], [`duties`], [`retention`], [`report`], [`policy`], [`register`], [`likeness`], [`rule_watch`], [`log`],
//! [`custody`], [`secrecy`], [`sieve`], [`mention`], [`statistics`], [`party`], [`saved_reply`], [`inform`], [`api_key`], [`hook`], [`text`].

pub mod account;
pub mod action;
pub mod api_key;
pub mod archive_run;
pub mod breaker;
pub mod calendar;
pub mod card;
pub mod case;
pub mod category;
pub mod changes;
pub mod checkpoint;
pub mod claim;
pub mod connection;
pub mod crisis;
pub mod custody;
pub mod deadline;
pub mod decision;
pub mod dossier;
pub mod duties;
pub mod escalation;
pub mod evidence;
pub mod file_kind;
pub mod ground;
pub mod handover;
pub mod hook;
pub mod ids;
pub mod incident;
pub mod inform;
pub mod item;
pub mod language;
pub mod likeness;
pub mod log;
pub mod mention;
pub mod notice;
pub mod page_log;
pub mod party;
pub mod person;
pub mod personal_number;
pub mod police;
pub mod policy;
pub mod policy_version;
pub mod policy_words;
pub mod public_report;
pub mod register;
pub mod registration;
pub mod release;
pub mod report;
pub mod retention;
pub mod rule_watch;
pub mod saved_reply;
pub mod search;
pub mod secrecy;
pub mod sieve;
pub mod sign_in;
pub mod snooze;
pub mod statistics;
pub mod subject;
pub mod supervision;
pub mod text;
pub mod together;
pub mod toml_words;
pub mod tree;
pub mod verdict;

#[cfg(test)]
mod tests;
