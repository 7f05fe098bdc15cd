//! People in, people out: pages, guards, static files.
//!
//! A handler is: extract → one service call → display values ([`view`]) → page. Templates only
//! place what the display values hold; escaping, marks for hidden characters, masking and Swedish
//! times are done before a template sees anything.

pub mod api;
pub mod assets;
pub mod cookie;
mod drafts;
pub mod events;
pub mod forms;
pub mod guard;
pub mod live;
pub mod machine;
pub mod multipart;
mod once;
pub mod pages;
pub mod present;
mod present_accounts;
mod present_archive;
mod present_changes;
mod present_handed;
mod present_keeping;
mod present_policies;
mod present_replies;
mod present_rules;
mod present_supervision;
mod present_together;
pub mod proxies;
pub mod public;
pub mod refused;
pub mod routes;
mod searches;
pub mod serve;
pub mod state;
pub mod streams;
pub mod throttle;
pub mod view;
mod vouched;
