//! Filters of the queue, and the page of those that were saved.

use askama::Template;

use super::shell::{Notice, Place, Shell};
use super::words::thousands;

/// A field to choose one of several in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its name in the address.
    pub field: &'static str,
    /// Its label.
    pub label: &'static str,
    /// What stands for no choice.
    pub any: &'static str,
    /// Identifier, words, chosen.
    pub options: Vec<(&'static str, String, bool)>,
}

/// What the queue is filtered by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SieveView {
    /// The fields.
    pub choices: Vec<Choice>,
    /// What is chosen, in words; nothing where everything is shown.
    pub words: Option<String>,
    /// Address without it.
    pub without: String,
    /// As an address says it, to be saved.
    pub query: String,
    /// Saved ones.
    pub saved: Vec<SavedView>,
    /// Whether the person at the page may save one for everybody.
    pub may_share: bool,
}

/// A saved filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedView {
    /// Its number.
    pub id: i64,
    /// What it is called.
    pub name: String,
    /// What it asks for, in words.
    pub words: String,
    /// Where it leads.
    pub href: String,
    /// How many cases it picks.
    pub n: u64,
    /// Whether there may be more.
    pub at_least: bool,
    /// Whether everybody has it.
    pub shared: bool,
    /// Whether it is the shown one.
    pub current: bool,
    /// Whether the person at the page may change it.
    pub may: bool,
}

impl SavedView {
    /// `12`, `minst 5 000`.
    pub fn count_words(&self) -> String {
        let n = thousands(usize::try_from(self.n).unwrap_or(usize::MAX));
        if self.at_least { format!("minst {n}") } else { n }
    }
}

/// The page `/filter`.
#[derive(Clone, Debug, Template)]
#[template(path = "filters.html", config = "src/web/askama.toml")]
pub struct FiltersPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message after something was done.
    pub notice: Option<Notice>,
    /// The one just taken away: number, name, whether it was everybody's.
    pub undo: Option<(i64, String, bool)>,
    /// Those that there are.
    pub saved: Vec<SavedView>,
    /// Those that were taken away: number, name, whether everybody's, whether it may be brought back.
    pub removed: Vec<(i64, String, bool, bool)>,
}
