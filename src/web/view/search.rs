//! Search (*sök*) in what has been written. Results name nobody: see `services::search`.

use askama::Template;

use crate::domain::ids::CaseId;

use super::masked::Masked;
use super::queue::AccountOption;
use super::shell::{Notice, Place, Shell};
use super::times::Moment;

/// The page `/sok`.
#[derive(Clone, Debug, Template)]
#[template(path = "search.html", config = "src/web/askama.toml")]
pub struct SearchPage {
    /// What surrounds it.
    pub shell: Shell,
    /// Why nothing could be searched for.
    pub notice: Option<Notice>,
    /// What was asked for.
    pub form: SearchForm,
    /// The results; nothing before anything was asked for.
    pub results: Option<Vec<FoundRow>>,
    /// Address of the page before.
    pub previous: Option<String>,
    /// Address of the next page.
    pub next: Option<String>,
}

/// The form as it was filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchForm {
    /// Words.
    pub words: String,
    /// Diary number.
    pub diary: String,
    /// Number of a record.
    pub evidence: String,
    /// Accounts to choose from.
    pub accounts: Vec<AccountOption>,
    /// States to choose from: identifier, label, whether chosen.
    pub states: Vec<(&'static str, &'static str, bool)>,
    /// The first day, `2026-11-22`.
    pub from: String,
    /// The last day.
    pub to: String,
    /// Why what has no case is searched too.
    pub reason: String,
}

impl SearchForm {
    /// Whether the fields below the first are filled in, so that they stand open.
    pub fn is_narrow(&self) -> bool {
        let typed = [&self.diary, &self.evidence, &self.from, &self.to, &self.reason];
        typed.iter().any(|field| !field.is_empty())
            || self.accounts.iter().any(|account| account.selected && !account.key.is_empty())
            || self.states.iter().any(|(id, _, selected)| *selected && !id.is_empty())
    }
}

/// A stretch of a masked text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// As it is.
    Plain(Masked),
    /// A word that was asked for.
    Hit(Masked),
}

/// One result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundRow {
    /// Its case.
    pub case: Option<CaseId>,
    /// `väntar på beslut`; nothing where there is no case.
    pub state: &'static str,
    /// The text about the first hit.
    pub text: Vec<Piece>,
    /// `kommentar`.
    pub kind: &'static str,
    /// Where.
    pub account: String,
    /// The platform's name.
    pub platform: &'static str,
    /// When.
    pub at: Moment,
    /// Whether the author has changed it since.
    pub changed_since: bool,
}
