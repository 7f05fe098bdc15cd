//! Keys for programs (*API-nycklar*), receivers of webhooks (*webbhookar*), and what the interface offers.

use askama::Template;

use crate::web::api::openapi::Described;

use super::shell::{Notice, Place, Shell};
use super::times::Moment;

/// A key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Its number.
    pub id: i64,
    /// What it is called.
    pub name: String,
    /// What is shown of it.
    pub prefix: String,
    /// Whom it acts for, and in which role.
    pub user: String,
    /// What it may be used for.
    pub scopes: Vec<&'static str>,
    /// The accounts it is for, by name; none: all.
    pub accounts: Vec<String>,
    /// Calls a minute.
    pub per_min: u32,
    /// When it was made, and by whom.
    pub made: (Moment, String),
    /// When it was last used.
    pub used: Option<Moment>,
    /// When it ends.
    pub expires: Moment,
    /// Why it is of no use any more; empty while it is.
    pub over: String,
    /// Since when.
    pub over_at: Option<Moment>,
}

/// Something to tick: identifier, words, ticked.
pub type Tick = (String, String, bool);

/// The page `/nycklar`.
#[derive(Clone, Debug, Template)]
#[template(path = "keys.html", config = "src/web/askama.toml")]
pub struct KeysPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message after something was done.
    pub notice: Option<Notice>,
    /// The key just made: its name, and the whole of it.
    pub made: Option<(String, String)>,
    /// Those in force.
    pub rows: Vec<KeyRow>,
    /// Those that are of no use any more.
    pub over: Vec<KeyRow>,
    /// The mark of the page's forms: each is taken once.
    pub once: String,
    /// What was typed as the name.
    pub name: String,
    /// Whom a key can act for: login, words, chosen.
    pub users: Vec<Tick>,
    /// What it may be used for.
    pub scopes: Vec<Tick>,
    /// The accounts it may be for.
    pub accounts: Vec<Tick>,
    /// Days until it ends, as typed.
    pub days: String,
    /// Calls a minute, as typed.
    pub per_min: String,
}

/// A receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookRow {
    /// Its number.
    pub id: i64,
    /// What it is called.
    pub name: String,
    /// Where.
    pub url: String,
    /// What it is told of.
    pub events: Vec<&'static str>,
    /// When it was added, and by whom.
    pub made: (Moment, String),
    /// Messages that wait.
    pub waiting: u64,
    /// Messages that never came through.
    pub dead: u64,
    /// Until when the secret before the newest holds too.
    pub turned_until: Option<Moment>,
    /// When it was taken away.
    pub ended: Option<Moment>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRow {
    /// Its number.
    pub id: i64,
    /// The receiver: number and name.
    pub hook: (i64, String),
    /// What has happened.
    pub event: &'static str,
    /// In which case.
    pub case: i64,
    /// When it happened.
    pub at: Moment,
    /// How it stands, in words.
    pub state: String,
    /// When it ended, or is tried next.
    pub when: Option<Moment>,
    /// What went wrong.
    pub problem: Option<String>,
    /// Whether it can be sent again.
    pub again: bool,
}

/// The page `/webbhookar`.
#[derive(Clone, Debug, Template)]
#[template(path = "hooks.html", config = "src/web/askama.toml")]
pub struct HooksPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message after something was done.
    pub notice: Option<Notice>,
    /// The secret just made: whose, and the whole of it.
    pub secret: Option<(String, String)>,
    /// The receivers.
    pub rows: Vec<HookRow>,
    /// The newest messages.
    pub messages: Vec<MessageRow>,
    /// The mark of the page's forms: each is taken once.
    pub once: String,
    /// What was typed as the name.
    pub name: String,
    /// What was typed as the address.
    pub url: String,
    /// What it can be told of.
    pub events: Vec<Tick>,
}

/// The page `/hjalp/api`.
#[derive(Clone, Debug, Template)]
#[template(path = "api_help.html", config = "src/web/askama.toml")]
pub struct ApiPage {
    /// What surrounds it.
    pub shell: Shell,
    /// The address that people type.
    pub site: String,
    /// What can be asked for.
    pub operations: Vec<Described>,
    /// Scopes: identifier and words.
    pub scopes: Vec<(&'static str, &'static str)>,
    /// Events: identifier and words.
    pub events: Vec<(&'static str, &'static str)>,
}
