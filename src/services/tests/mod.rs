//! The services with the real store, real evidence and the real Facebook connector, against the
//! simulator in this process; time is the tests'.

mod archive_runs;
mod around;
mod attachments;
mod bars;
mod cards;
mod claims;
mod corrections;
mod crash;
mod crisis;
mod handed;
mod harness;
mod keeping;
mod keeping_rules;
mod links;
mod manual;
mod notices;
mod outbox;
mod packages;
mod people;
mod policies;
mod quota;
mod reports;
mod schedules;
mod search;
mod secrecy;
mod snooze;
mod supervision;
mod together;
mod way;
mod witnesses;
pub(crate) mod year;
