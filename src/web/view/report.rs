//! Reports for the committee (*nämnden*).

use askama::Template;

use super::shell::{Notice, Place, Shell};

/// The page `/rapport`.
#[derive(Clone, Debug, Template)]
#[template(path = "report.html", config = "src/web/askama.toml")]
pub struct ReportPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message.
    pub notice: Option<Notice>,
    /// Months and years to choose among: identifier and words.
    pub spans: Vec<(String, String)>,
    /// The report.
    pub report: Option<ReportView>,
}

/// What is counted, and how many.
pub type Figures = Vec<(String, String)>;

/// One report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportView {
    /// Identifier in addresses.
    pub id: String,
    /// Of what, in words.
    pub label: String,
    /// Its first and last day.
    pub days: (String, String),
    /// Whether the time is not over.
    pub is_under_way: bool,
    /// Its parts: heading, note, figures.
    pub sections: Vec<(&'static str, &'static str, Figures)>,
}
