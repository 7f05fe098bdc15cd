//! Who publishes on an account (*publicister*).

use askama::Template;

use super::shell::{Notice, Place, Shell};
use super::times::Moment;

/// The page `/konton/N/publicister`.
#[derive(Clone, Debug, Template)]
#[template(path = "publishers.html", config = "src/web/askama.toml")]
pub struct PublishersPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message after something was done.
    pub notice: Option<Notice>,
    /// The account's key.
    pub key: String,
    /// The account's name.
    pub name: String,
    /// Those that are known of.
    pub rows: Vec<PublisherRow>,
    /// Whom they may be: login and name.
    pub users: Vec<(String, String)>,
    /// Whether the person at the page may say so.
    pub may: bool,
}

/// A user of the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublisherRow {
    /// As the platform names them.
    pub who: String,
    /// When they last published something, and what.
    pub last: Option<(Moment, String)>,
    /// Login of who that is; empty where nobody knows.
    pub login: String,
    /// Their name.
    pub name: Option<String>,
}
