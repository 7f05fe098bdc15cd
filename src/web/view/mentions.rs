//! Internal notes of a case, and where somebody was named in one.

use askama::Template;

use super::marked::MarkedText;
use super::shell::{Notice, Place, Shell};
use super::times::Moment;

/// The notes of a case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotesView {
    /// They, the oldest first: when, by whom, what.
    pub notes: Vec<(Moment, String, MarkedText)>,
    /// Whether the person at the page may write one.
    pub may: bool,
    /// Who can be named.
    pub names: Vec<String>,
    /// What was typed and refused, with why.
    pub refused: Option<(String, String)>,
}

/// The page `/omnamnanden`.
#[derive(Clone, Debug, Template)]
#[template(path = "mentions.html", config = "src/web/askama.toml")]
pub struct MentionsPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message after something was done.
    pub notice: Option<Notice>,
    /// Where the person at the page was named, the newest first.
    pub rows: Vec<OneMention>,
    /// Whether any of them is new.
    pub has_new: bool,
}

/// One mention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneMention {
    /// In which case.
    pub case: i64,
    /// When.
    pub at: Moment,
    /// By whom.
    pub by: String,
    /// What they wrote; nothing where the case is shut to the person at the page.
    pub text: Option<MarkedText>,
    /// Whether it is new.
    pub is_new: bool,
}
