//! Saved replies (*sparade svar*): the page of them, and the choice among them where an answer is written.

use askama::Template;

use super::marked::MarkedText;
use super::shell::{Notice, Place, Shell};
use super::times::Moment;

/// The page `/svar`.
#[derive(Clone, Debug, Template)]
#[template(path = "replies.html", config = "src/web/askama.toml")]
pub struct RepliesPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message after something was done.
    pub notice: Option<Notice>,
    /// The one just taken away, with the version that brings it back.
    pub undo: Option<(i64, u32, u32)>,
    /// What is offered.
    pub offered: Vec<ReplyRow>,
    /// What was taken away.
    pub removed: Vec<ReplyRow>,
    /// Accounts that a new one may be for: key and name.
    pub accounts: Vec<(String, String, bool)>,
    /// What a field stands for: as written, in words.
    pub fields: Vec<(String, &'static str)>,
    /// Whether the person at the page may change them.
    pub may: bool,
    /// What was typed of a new one.
    pub title: String,
    /// Its text.
    pub text: String,
}

/// A saved reply in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyRow {
    /// Its number.
    pub id: i64,
    /// The number of its newest version.
    pub version: u32,
    /// The last version that was offered, where it was taken away.
    pub before: u32,
    /// What it is called.
    pub title: String,
    /// For which account, in words.
    pub of: String,
    /// The beginning of its text.
    pub head: String,
    /// When and by whom it was last changed.
    pub changed: (Moment, String),
}

/// The page `/svar/N`.
#[derive(Clone, Debug, Template)]
#[template(path = "reply.html", config = "src/web/askama.toml")]
pub struct ReplyPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message after something was done.
    pub notice: Option<Notice>,
    /// Its number.
    pub id: i64,
    /// The number of its newest version, which a change is made on.
    pub version: u32,
    /// What it is called.
    pub title: String,
    /// Its text.
    pub text: String,
    /// For which account, in words.
    pub of: String,
    /// Whether it is offered.
    pub offered: bool,
    /// What a field stands for.
    pub fields: Vec<(String, &'static str)>,
    /// Whether the person at the page may change it.
    pub may: bool,
    /// All versions, the newest first.
    pub versions: Vec<VersionRow>,
}

/// A version of a saved reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRow {
    /// Its number.
    pub number: u32,
    /// What it was called.
    pub title: String,
    /// Its text.
    pub text: String,
    /// Whether it was offered; not where this version took it away.
    pub offered: bool,
    /// When.
    pub at: Moment,
    /// By whom.
    pub by: String,
}

/// What helps to write the answer in a case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerHelp {
    /// Where the choice is sent.
    pub insert: String,
    /// Whether there is anything to choose: not where nothing can be answered.
    pub offers: bool,
    /// The account's own, then those for all.
    pub groups: Vec<ReplyGroup>,
    /// Whoever wrote it is to be told.
    pub informing: Option<InformingView>,
}

/// An answer as whoever wrote the item will see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewView {
    /// Who it stands under, and where.
    pub by: String,
    /// Who will see it.
    pub seen_by: &'static str,
    /// The text, signed.
    pub text: MarkedText,
    /// Why a signature was added.
    pub signed: Option<String>,
    /// Why it would be refused.
    pub problem: Option<String>,
}

/// What becomes of forwarding, before it is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LetterView {
    /// A letter goes out.
    Mail {
        /// Unit and address.
        to: String,
        /// Its subject.
        subject: String,
        /// What it says.
        text: MarkedText,
    },
    /// A person does it, and why.
    ByHand(String),
}

impl LetterView {
    /// To whom, the subject, and what it says, where a letter goes out.
    pub fn mail(&self) -> Option<(&str, &str, &MarkedText)> {
        match self {
            Self::Mail { to, subject, text } => Some((to, subject, text)),
            Self::ByHand(_) => None,
        }
    }

    /// Why a person does it.
    pub fn by_hand(&self) -> Option<&str> {
        match self {
            Self::Mail { .. } => None,
            Self::ByHand(why) => Some(why),
        }
    }
}

/// Saved replies under a heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyGroup {
    /// The heading.
    pub label: &'static str,
    /// Number, title, filled text.
    pub options: Vec<(i64, String, String)>,
}

/// What stands at a case whose writer is to be told something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InformingView {
    /// Why they are not answered here; nothing where a draft is offered.
    pub not: Option<String>,
    /// A draft to copy, where they may be reached in another way.
    pub draft: Option<String>,
}
