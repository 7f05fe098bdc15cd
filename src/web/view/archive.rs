//! Archive runs (*arkivkörningar*).

use askama::Template;

use super::shell::{Notice, Place, Shell};
use super::times::Moment;

/// The page `/arkiv`.
#[derive(Clone, Debug, Template)]
#[template(path = "archive.html", config = "src/web/askama.toml")]
pub struct ArchivePage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message after something was done.
    pub notice: Option<Notice>,
    /// Accounts of which another run may be asked for: key, name, the policy's next day.
    pub accounts: Vec<(String, String, Option<String>)>,
    /// Why: identifier and words.
    pub occasions: Vec<(&'static str, &'static str)>,
    /// Runs, the newest first.
    pub runs: Vec<RunLine>,
}

/// A run in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunLine {
    /// Its number.
    pub id: i64,
    /// The account's name.
    pub account: String,
    /// Why it was made.
    pub occasion: &'static str,
    /// Where it stands.
    pub state: &'static str,
    /// Whether it has ended.
    pub is_done: bool,
    /// When it ended, or was asked for.
    pub at: Moment,
    /// How many files, and how much was not captured.
    pub counts: Option<(usize, usize)>,
    /// What hindered it the last time.
    pub problem: Option<String>,
}

/// The page `/arkiv/7`.
#[derive(Clone, Debug, Template)]
#[template(path = "archive_run.html", config = "src/web/askama.toml")]
pub struct ArchiveRunPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message after something was done.
    pub notice: Option<Notice>,
    /// The run.
    pub run: RunLine,
    /// The account's key.
    pub key: String,
    /// What is known of it.
    pub facts: Vec<(&'static str, String)>,
    /// Its files: name, what it is, size, SHA-256.
    pub files: Vec<(String, &'static str, String, String)>,
    /// The manifest's name.
    pub manifest: &'static str,
    /// What was not captured: what, and why.
    pub gaps: Vec<(String, String)>,
    /// Why nothing of it may be fetched.
    pub cut_off: Option<&'static str>,
    /// Whether whoever looks may fetch files.
    pub may_fetch: bool,
    /// When it was handed to the archive, with the receipt.
    pub delivered: Option<(String, String)>,
    /// Whether whoever looks may note that.
    pub may_edit: bool,
    /// Today, for the field.
    pub today: String,
}
