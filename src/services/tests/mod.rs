//! The services with the real store, real evidence and the real Facebook connector, against the
//! simulator in this process; time is the tests'.

mod again;
mod archive_runs;
mod around;
mod attachments;
mod bars;
mod cards;
mod claims;
mod connections;
mod corrections;
mod crash;
mod crisis;
mod filters;
mod forward;
mod handed;
mod handovers;
pub(in crate::services) mod harness;
mod hooks;
mod keeping;
mod keeping_rules;
#[cfg(all(feature = "real-servers", feature = "browser"))]
mod letters;
mod links;
mod mailbox;
mod manual;
mod mentions;
mod notices;
mod odd_mailbox;
mod outbox;
mod owed;
mod packages;
#[cfg(feature = "browser")]
mod page_pictures;
mod people;
mod policies;
mod policies_changed;
mod public_reports;
mod pushes;
mod quota;
mod replies;
mod reported;
mod reports;
mod rules_changed;
mod schedules;
mod search;
mod secrecy;
mod snooze;
mod statistics;
mod subjects;
mod supervision;
mod together;
mod veiled;
mod way;
mod witnesses;
pub(crate) mod year;
