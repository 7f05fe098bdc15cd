//! The queue (*kön*): what awaits a person, hardest and most urgent first.

use askama::Template;
use jiff::Timestamp;

use crate::domain::category::Severity;
use crate::domain::ids::CaseId;

use super::case::{CaseView, ClaimView, UndoBar};
use super::changed::Piece;
use super::evidence::{Checked, Seal};
use super::filters::SieveView;
use super::masked::Masked;
use super::shell::{Notice, Place, Shell};
use super::times::{Deadline, Moment};
use super::versions::ChangedText;
use super::words::{CategoryWord, thousands};

/// The page `/`.
#[derive(Clone, Debug, Template)]
#[template(path = "queue.html", config = "src/web/askama.toml")]
pub struct QueuePage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message after something was done.
    pub notice: Option<Notice>,
    /// Rules that fire far above their past, in sentences.
    pub alarms: Vec<String>,
    /// More of them, folded: they must not push the queue off the screen.
    pub more_alarms: Vec<String>,
    /// Decisions of the person at the page that can still be undone.
    pub undos: Vec<UndoBar>,
    /// States with counts.
    pub filters: Vec<Filter>,
    /// How many notes name the person at the page that they have not seen.
    pub mentions: u64,
    /// How many tasks wait to be done by hand.
    pub tasks: u64,
    /// The account picker; shown where there is more than one account.
    pub accounts: Vec<AccountOption>,
    /// Whether the address names an account that there is not, or that is somebody else's.
    pub unknown_account: bool,
    /// What else it is filtered by, and what was saved.
    pub sieve: SieveView,
    /// Identifier of the chosen state, kept when an account is picked.
    pub filter: &'static str,
    /// Whether rows can be marked, to be decided on together.
    pub marks: bool,
    /// Key of the chosen account; empty for all.
    pub account: String,
    /// The rows of this page.
    pub rows: Vec<QueueRow>,
    /// Address of the next page of rows.
    pub next: Option<String>,
    /// Address of the page before.
    pub previous: Option<String>,
    /// When each account was last looked at: what an empty queue says.
    pub looked: Vec<Looked>,
    /// The case beside the list, if one is opened (`/?arende=N`).
    pub selected: Option<CaseView>,
}

impl QueuePage {
    /// Whether any account could not be looked at.
    pub fn has_trouble(&self) -> bool {
        self.looked.iter().any(|account| account.trouble.is_some())
    }

    /// Whether there are accounts to choose between.
    pub fn offers_accounts(&self) -> bool {
        self.accounts.len() > 1
    }

    /// Whether the row is the opened one.
    pub fn is_selected(&self, row: &QueueRow) -> bool {
        self.selected.as_ref().is_some_and(|case| case.id == row.case)
    }

    /// The opened case stands beside the list: its heading is one step lower.
    pub const fn is_beside(&self) -> bool {
        true
    }

    /// The title of the browser's tab: how many wait.
    pub fn waiting(&self) -> usize {
        self.filters.first().map_or(0, |filter| filter.count)
    }
}

/// A state to filter by, as a link with its count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// `Väntar på beslut`.
    pub label: &'static str,
    /// How many.
    pub count: usize,
    /// Where it leads.
    pub href: String,
    /// Whether it is the shown one.
    pub current: bool,
}

impl Filter {
    /// The count with spaces between thousands.
    pub fn count_words(&self) -> String {
        thousands(self.count)
    }
}

/// An account in the picker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountOption {
    /// Its key; empty for all accounts.
    pub key: String,
    /// Name and platform.
    pub label: String,
    /// Whether it is chosen.
    pub selected: bool,
}

/// When an account was last looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// Name and platform.
    pub account: String,
    /// When; never is a state too.
    pub at: Option<Moment>,
    /// What is wrong, in Swedish.
    pub trouble: Option<String>,
}

/// One row. Takes masked text and nothing else (invariant 8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueRow {
    /// The case.
    pub case: CaseId,
    /// One line of text.
    pub line: Masked,
    /// Who wrote it.
    pub author: Masked,
    /// The account's name.
    pub account: String,
    /// The platform's name.
    pub platform: &'static str,
    /// What it is: `kommentar`.
    pub kind: &'static str,
    /// How long ago it was written or, where that is unknown, fetched.
    pub age: Moment,
    /// What was found.
    pub categories: Vec<CategoryWord>,
    /// How grave.
    pub severity: Option<Severity>,
    /// When it has to be decided.
    pub deadline: Option<Deadline>,
    /// Who is on it.
    pub claimed: Option<Claimed>,
    /// Why it came back.
    pub returned: Option<String>,
    /// How many other items have nearly the same text.
    pub similar: usize,
    /// How many of them wait as well: they stand behind this line.
    pub together: usize,
    /// Until when it rests.
    pub rests: Option<Moment>,
    /// It is back since its time to rest was over.
    pub has_rested: bool,
    /// To whom its deadline has gone on: `ersättaren`.
    pub went_on: Option<&'static str>,
    /// Who is responsible.
    pub responsible: Option<String>,
}

/// Who is on a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// `Du arbetar med det`, `Kim Exempel arbetar med det`.
    pub words: String,
    /// Whether that is the person at the page.
    pub mine: bool,
}

impl Claimed {
    /// In words.
    pub fn new(name: &str, mine: bool) -> Self {
        let words = match mine {
            true => "Du arbetar med det".to_owned(),
            false => format!("{name} arbetar med det"),
        };
        Self { words, mine }
    }
}

impl QueueRow {
    /// Whether a colleague is on it: the next case after a decision is another then.
    pub fn is_others(&self) -> bool {
        self.claimed.as_ref().is_some_and(|claimed| !claimed.mine)
    }

    /// What the box in front of it says.
    pub fn mark_words(&self) -> String {
        match self.together {
            0 => format!("Markera ärende {}", self.case),
            n => format!("Markera ärende {} och {n} liknande", self.case),
        }
    }

    /// Address of its group.
    pub fn group_href(&self, account: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("grupp", &self.case.to_string());
        if !account.is_empty() {
            query.append_pair("konto", account);
        }
        format!("/flera?{}", query.finish())
    }

    /// Address of the case.
    pub fn href(&self) -> String {
        format!("/arende/{}", self.case)
    }

    /// Class of the row by severity.
    pub const fn class(&self) -> &'static str {
        match self.severity {
            Some(Severity::High) => "rad allvar-hog",
            Some(Severity::Medium) => "rad allvar-medel",
            Some(Severity::Low) | None => "rad allvar-lag",
        }
    }
}

/// When an account was last looked at, in words.
pub fn looked(
    account: String,
    at: Option<Timestamp>,
    trouble: Option<String>,
    now: Timestamp,
) -> Looked {
    Looked { account, at: at.map(|at| Moment::ago(at, now)), trouble }
}
