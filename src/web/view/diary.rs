//! Registration (*diarieföring*): cases that await their diary number.

use askama::Template;

use crate::domain::ids::{CaseId, RegistrationId};

use super::masked::Masked;
use super::shell::{Notice, Place, Shell};
use super::times::Moment;

/// The page `/diarium`.
#[derive(Clone, Debug, Template)]
#[template(path = "diary.html", config = "src/web/askama.toml")]
pub struct DiaryPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message after something was done.
    pub notice: Option<Notice>,
    /// What awaits a number, oldest first.
    pub awaiting: Vec<AwaitingRow>,
    /// Whether the person at the page may enter numbers.
    pub may_enter: bool,
    /// Numbers entered lately, newest first.
    pub recent: Vec<RegisteredRow>,
}

/// A registration without its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwaitingRow {
    /// The registration.
    pub registration: RegistrationId,
    /// The case.
    pub case: CaseId,
    /// One line of text.
    pub line: Masked,
    /// Account and platform.
    pub account: String,
    /// When it was exported.
    pub exported: Moment,
    /// Name of the package in the export directory.
    pub package: String,
    /// What was typed and why it was refused.
    pub refused: Option<(String, &'static str)>,
    /// How it goes by each way beside the export folder.
    pub handovers: Vec<String>,
    /// Whether the person at the page may have it handed over once more.
    pub may_again: bool,
}

/// A registration with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredRow {
    /// The case.
    pub case: CaseId,
    /// The number.
    pub number: String,
    /// One line of text.
    pub line: Masked,
    /// When it was entered.
    pub at: Moment,
    /// By whom.
    pub who: String,
    /// The registration, to put the number right.
    pub registration: RegistrationId,
    /// A correction that was refused.
    pub refused: Option<RefusedNumber>,
}

/// A correction that was refused, with what was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedNumber {
    /// The number as typed.
    pub number: String,
    /// The reason as typed.
    pub reason: String,
    /// What is wrong with it.
    pub why: String,
}
