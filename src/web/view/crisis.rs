//! Crisis mode (*krisläge*): what stands, what it changes, beginning and ending it.

use askama::Template;

use super::shell::{Notice, Place, Shell};
use crate::services::crisis_sheet::Sheet;

/// The page `/krislage/blad`.
#[derive(Clone, Debug, Template)]
#[template(path = "crisis_sheet.html", config = "src/web/askama.toml")]
pub struct CrisisSheetPage {
    /// What surrounds it.
    pub shell: Shell,
    /// What stands on it.
    pub sheet: Sheet,
}

/// The page `/krislage`.
#[derive(Clone, Debug, Template)]
#[template(path = "crisis.html", config = "src/web/askama.toml")]
pub struct CrisisPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message after something was done.
    pub notice: Option<Notice>,
    /// The one that stands, in words, with the names of its accounts.
    pub standing: Option<(String, Vec<String>)>,
    /// Those that are over.
    pub past: Vec<String>,
    /// What it changes.
    pub changes: Vec<String>,
    /// Who works with it by the policy.
    pub who: Option<String>,
    /// Accounts: key, name, ticked.
    pub accounts: Vec<(String, String, bool)>,
    /// People: login, name, ticked.
    pub users: Vec<(String, String, bool)>,
    /// What happened, as typed.
    pub why: String,
    /// When it is to end, as a browser's field writes it.
    pub until: String,
    /// Whether the person at the page may begin and end it.
    pub may: bool,
}
