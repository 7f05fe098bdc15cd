//! Tasks (*att göra för hand*): what was decided and a person does on the platform itself.

use askama::Template;

use crate::domain::ids::{ActionId, CaseId, NoticeId};

use super::marked::MarkedText;
use super::masked::Masked;
use super::outside::Outside;
use super::shell::{Notice, Place, Shell};
use super::times::Moment;

/// The page `/uppgifter`.
#[derive(Clone, Debug, Template)]
#[template(path = "tasks.html", config = "src/web/askama.toml")]
pub struct TasksPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message after something was done.
    pub notice: Option<Notice>,
    /// The tasks, oldest first.
    pub rows: Vec<TaskRow>,
    /// Notices that did not come through.
    pub troubles: Vec<TroubleView>,
    /// What waits for whoever answers for an account: its key, its name, what.
    pub accounts: Vec<(String, String, Vec<String>)>,
    /// How many reports from the public wait to be read.
    pub reports: u64,
    /// Whether the person at the page may say that they have told it.
    pub may_tell: bool,
}

/// A notice that did not come through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TroubleView {
    /// Which.
    pub notice: NoticeId,
    /// Whether a person has to tell it in another way; otherwise it is tried again by itself.
    pub needs_a_person: bool,
    /// Whether there is anybody to try again with.
    pub has_recipient: bool,
    /// For whom.
    pub who: String,
    /// What they were to be told.
    pub subject: String,
    /// Why it did not come through, in Swedish.
    pub problem: String,
    /// The case it leads to.
    pub case: Option<CaseId>,
    /// When it was made.
    pub made: Moment,
}

/// One task with its case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskRow {
    /// The case.
    pub case: CaseId,
    /// One line of its text.
    pub line: Masked,
    /// Who wrote it.
    pub author: Masked,
    /// Where.
    pub account: String,
    /// What is to be done.
    pub task: TaskView,
}

/// What a person is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskView {
    /// The action.
    pub action: ActionId,
    /// `dölj inlägget på Snapchat`.
    pub what: String,
    /// What to do and what comes of it.
    pub why: &'static str,
    /// What to publish.
    pub text: Option<MarkedText>,
    /// The same, to be copied.
    pub copy: Option<String>,
    /// Where to do it.
    pub link: Option<Outside>,
    /// Who decided it, and when.
    pub decided: Option<(String, Moment)>,
    /// Whether the person at the page may say how it went.
    pub may: bool,
}
