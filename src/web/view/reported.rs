//! Reports from the public: the form that anybody may send, and what the people of the authority see of it.

use askama::Template;

use crate::domain::ids::CaseId;
use crate::domain::public_report::Typed;

use super::marked::MarkedText;
use super::masked::Masked;
use super::outside::Outside;
use super::shell::{Notice, Place, Shell};
use super::times::Moment;

/// The page `/anmal`.
#[derive(Clone, Debug, Template)]
#[template(path = "report_form.html", config = "src/web/askama.toml")]
pub struct ReportForm {
    /// What surrounds it.
    pub shell: Shell,
    /// What is wrong, where something is.
    pub problem: Option<String>,
    /// What was typed.
    pub typed: Typed,
    /// Shows how old the form is.
    pub token: String,
    /// Where to turn instead.
    pub contact: String,
}

/// What whoever reported is told.
#[derive(Clone, Debug, Template)]
#[template(path = "report_taken.html", config = "src/web/askama.toml")]
pub struct ReportTaken {
    /// What surrounds it.
    pub shell: Shell,
    /// The number to quote.
    pub receipt: String,
    /// Where to turn.
    pub contact: String,
}

/// The page `/anmalningar`.
#[derive(Clone, Debug, Template)]
#[template(path = "reports_in.html", config = "src/web/askama.toml")]
pub struct ReportsPage {
    /// What surrounds it.
    pub shell: Shell,
    /// Whether the form is there for the public.
    pub is_on: bool,
    /// Those that wait first.
    pub rows: Vec<ReportRow>,
}

/// A report in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRow {
    /// Its number.
    pub id: i64,
    /// The beginning of what is said.
    pub line: Masked,
    /// When it came in.
    pub received: Moment,
    /// Where it stands.
    pub state: &'static str,
    /// The case.
    pub case: Option<CaseId>,
}

/// One report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportView {
    /// Its number.
    pub id: i64,
    /// What whoever sent it was told.
    pub receipt: String,
    /// When it came in.
    pub received: Moment,
    /// Where it stands.
    pub state: &'static str,
    /// What they wrote; nothing when it has been disposed of.
    pub reason: Option<MarkedText>,
    /// What it points at.
    pub link: Option<Outside>,
    /// How they can be reached.
    pub contact: Option<MarkedText>,
    /// The case.
    pub case: Option<CaseId>,
    /// Who has read it or set it aside, when, and their words.
    pub ended: Option<(String, Moment, Option<String>)>,
    /// Whether it waits for a person.
    pub waits: bool,
}

/// The page `/anmalningar/4`.
#[derive(Clone, Debug, Template)]
#[template(path = "report_in.html", config = "src/web/askama.toml")]
pub struct ReportInPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message after something was done.
    pub notice: Option<Notice>,
    /// The report.
    pub report: ReportView,
    /// Whether the person at the page may do anything about it.
    pub may: bool,
}

/// The page `/arende/12/utifran`.
#[derive(Clone, Debug, Template)]
#[template(path = "from_outside.html", config = "src/web/askama.toml")]
pub struct FromOutsidePage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message after something was done.
    pub notice: Option<Notice>,
    /// The case.
    pub case: CaseId,
    /// Its reports.
    pub reports: Vec<ReportView>,
    /// By whom, when and why it was marked as outside our control.
    pub outside: Option<(String, Moment, String)>,
    /// Whether the person at the page may change anything.
    pub may: bool,
}
