//! What people ask about their own personal data: the list, and one request.

use askama::Template;

use crate::domain::ids::CaseId;
use crate::domain::subject::SubjectKind;

use super::marked::MarkedText;
use super::shell::{Notice, Place, Shell};
use super::times::{Deadline, Moment};

/// The page `/registrerade`.
#[derive(Clone, Debug, Template)]
#[template(path = "subjects.html", config = "src/web/askama.toml")]
pub struct SubjectsPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message after something was done.
    pub notice: Option<Notice>,
    /// What was filled in: names, contact, day.
    pub filled: (String, String, String),
    /// Requests.
    pub rows: Vec<SubjectLine>,
}

impl SubjectsPage {
    /// What can be asked for.
    pub fn kinds(&self) -> Vec<(&'static str, &'static str, &'static str)> {
        SubjectKind::ALL.iter().map(|kind| (kind.id(), kind.label(), kind.article())).collect()
    }
}

/// A request in the list: whom it is about stands on its own page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectLine {
    /// Its number.
    pub id: i64,
    /// What is asked for.
    pub kind: &'static str,
    /// When it came in.
    pub received: Moment,
    /// By when an answer is due; nothing when it has ended.
    pub due: Option<Deadline>,
    /// How it ended.
    pub ended: Option<(&'static str, Moment)>,
}

/// The page `/registrerade/4`.
#[derive(Clone, Debug, Template)]
#[template(path = "subject.html", config = "src/web/askama.toml")]
pub struct SubjectPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message after something was done.
    pub notice: Option<Notice>,
    /// The request.
    pub line: SubjectLine,
    /// Its article.
    pub article: &'static str,
    /// Whether it is about rectification.
    pub rectifies: bool,
    /// Whether it is about erasure.
    pub erases: bool,
    /// Whom it is about.
    pub whom: Option<MarkedText>,
    /// How the answer reaches them.
    pub asker: Option<MarkedText>,
    /// Why the time was made longer.
    pub extended: Option<String>,
    /// What was answered.
    pub answer: Option<String>,
    /// Whether there is a document.
    pub has_pdf: bool,
    /// What it is about, of this page.
    pub items: Vec<SubjectItemView>,
    /// How many items it is about.
    pub n_items: usize,
    /// How many stand before this page.
    pub from: usize,
    /// Which page, from 0.
    pub page: usize,
    /// Whether there are more after it.
    pub more_items: bool,
    /// What a search found, and the next page where there is one; none where nobody has searched.
    pub hits: Option<(Vec<SubjectHit>, Option<usize>)>,
    /// Whether the person at the page may search, choose and answer.
    pub may_answer: bool,
}

/// An item of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectItemView {
    /// The item.
    pub item: i64,
    /// Its case.
    pub case: Option<CaseId>,
    /// Where and when.
    pub what: String,
    /// Whether the person wrote it.
    pub wrote: bool,
    /// Its text.
    pub text: Option<MarkedText>,
    /// What is wrong in it, in their words.
    pub note: Option<MarkedText>,
    /// Whether it may be disposed of.
    pub may_go: bool,
    /// On what that rests.
    pub why: String,
}

/// A hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectHit {
    /// The item.
    pub item: i64,
    /// Where and when.
    pub what: String,
    /// Whether the person wrote it.
    pub wrote: bool,
    /// The beginning of its text.
    pub text: MarkedText,
    /// It is part of the request already.
    pub chosen: bool,
}
