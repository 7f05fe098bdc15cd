//! The services with the real store, real evidence and the real Facebook connector, against the
//! simulator in this process; time is the tests'.

mod around;
mod bars;
mod corrections;
mod crash;
mod harness;
mod keeping;
mod links;
mod manual;
mod notices;
mod outbox;
mod packages;
mod people;
mod policies;
mod quota;
mod schedules;
mod supervision;
mod way;
