//! Display values: what a page shows, and nothing else.
//!
//! Two kinds of text, so that they cannot be swapped (design, invariant 8): [`masked::Masked`] is
//! one line for lists, with personal data struck out; [`marked::MarkedText`] is an item's text in
//! full and belongs to a case alone.

pub mod record;
pub mod shell;
pub mod sign_in;

pub mod marked;
pub mod masked;
pub mod mentions;
pub mod outside;
pub mod tasks;
pub mod times;
pub mod visible;
pub mod words;

pub mod publishers;
pub mod queue;

pub mod case;
pub mod changed;
pub mod choice;
pub mod crisis;
pub mod decision;
pub mod evidence;
pub mod filters;
pub mod grounds;
pub mod register;

pub mod account_card;
pub mod accounts;
pub mod archive;
pub mod audit_log;
pub mod diary;
pub mod handed;
pub mod help;
pub mod keeping;
pub mod keys;
pub mod login;
pub mod policies;
pub mod replies;
pub mod report;
pub mod reported;
pub mod rules;
pub mod search;
pub mod statistics;
pub mod subjects;
pub mod supervision;
pub mod together;
pub mod versions;

pub mod error;

#[cfg(test)]
pub mod fixtures;
#[cfg(test)]
mod tests;
