//! The pages: extract → one service call → display values → page.

pub mod account_card;
pub mod accounts;
pub mod archive;
pub mod case;
pub mod crisis;
pub mod diary;
pub mod evidence;
pub mod filters;
pub mod handed;
pub mod help;
pub mod keeping;
pub mod login;
pub mod mentions;
pub mod publishers;
pub mod queue;
pub mod record;
pub mod replies;
pub mod report;
pub mod reported;
pub mod search;
pub mod secrecy;
pub mod statistics;
pub mod subjects;
pub mod supervision;
pub mod tasks;
pub mod together;
