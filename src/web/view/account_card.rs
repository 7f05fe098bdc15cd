//! One account of the register (*kontokort*).

use askama::Template;

use super::outside::Outside;
use super::shell::{Notice, Place, Shell};
use super::times::Moment;

/// The page `/konton/NYCKEL`.
#[derive(Clone, Debug, Template)]
#[template(path = "account.html", config = "src/web/askama.toml")]
pub struct AccountPage {
    /// What surrounds it.
    pub shell: Shell,
    /// A message after something was done.
    pub notice: Option<Notice>,
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Its platform.
    pub platform: &'static str,
    /// Whether it is the authority's own, and not a place where editors record what others wrote.
    pub is_own: bool,
    /// What is amiss, in words.
    pub flags: Vec<String>,
    /// Whether it is closed, and since when.
    pub closed: Option<(Moment, String)>,
    /// Whether the person at the page may change it.
    pub may_edit: bool,
    /// What is written on the card.
    pub card: CardFields,
    /// Where the account is, for the reader.
    pub address: Option<Outside>,
    /// Its people.
    pub people: Vec<PersonRow>,
    /// Who may be given a part: login and name.
    pub users: Vec<(String, String)>,
    /// When they are away.
    pub absences: Vec<AbsenceRow>,
    /// Of whom the person may say that they are away: login and name.
    pub away_for: Vec<(String, String)>,
    /// What has to stand on the account, and whether it does.
    pub texts: Vec<TextView>,
    /// A text to paste.
    pub ready_text: String,
    /// Whether the platform tells what the account says of itself.
    pub can_read: bool,
    /// The year for which the inventory waits for an answer.
    pub asked_for: Option<i16>,
    /// Earlier answers.
    pub confirmations: Vec<String>,
    /// What was archived.
    pub archivings: Vec<String>,
    /// What was noted of its safety.
    pub safety: Vec<String>,
    /// That it was taken over or lost.
    pub incident: Option<IncidentView>,
    /// What was done about that, now and earlier.
    pub incident_steps: Vec<String>,
    /// Where the closing stands.
    pub closing: Option<ClosingView>,
    /// Today, for date fields.
    pub today: String,
    /// What was changed, by whom and when.
    pub history: Vec<(Moment, String, String)>,
}

/// An account that was taken over or lost, where that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentView {
    /// The day of it.
    pub since: String,
    /// By when the data protection authority is told where it has to be.
    pub tell_by: Moment,
    /// Whether that is settled.
    pub is_settled: bool,
    /// What is left to note: identifier and words.
    pub left: Vec<(&'static str, &'static str)>,
}

/// The fields of the card as they stand in the form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardFields {
    /// What it is for.
    pub purpose: String,
    /// For whom.
    pub audience: String,
    /// The unit.
    pub unit: String,
    /// Where it is.
    pub address: String,
    /// Where the rules are.
    pub rules_link: String,
    /// Whether its owner is a manager.
    pub owner_is_manager: bool,
    /// Identifier of the mark.
    pub care: &'static str,
    /// The mark in words; nothing where it has none.
    pub care_words: Option<&'static str>,
    /// Whether the public sees it in the list.
    pub listed: bool,
    /// When purpose and audience were last looked over.
    pub reviewed: Option<String>,
    /// Whether the person says that they were looked over today.
    pub looked_over: bool,
    /// The revision that the form shows.
    pub revision: u64,
    /// Asks whether it is published though there was a warning of it: whether that is ticked.
    pub publishes: Option<bool>,
}

/// Somebody with a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRow {
    /// Login name.
    pub login: String,
    /// Name.
    pub name: String,
    /// Part in words.
    pub part: &'static str,
    /// Identifier of the part.
    pub part_id: &'static str,
    /// Whether they are away today.
    pub away: bool,
    /// Whether an address is known.
    pub has_mail: bool,
}

/// Days on which somebody is away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbsenceRow {
    /// Which.
    pub id: i64,
    /// Who.
    pub name: String,
    /// From when.
    pub first: String,
    /// Until when.
    pub last: String,
    /// Whether the person may take it back.
    pub may_end: bool,
}

/// A part of the duties text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextView {
    /// Identifier.
    pub id: &'static str,
    /// In words.
    pub label: &'static str,
    /// Whether a person says that it stands there.
    pub ticked: bool,
    /// By whose word it stands there or not.
    pub words: Vec<String>,
}

/// An account that closes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosingView {
    /// When it was told.
    pub announced: String,
    /// Why.
    pub why: String,
    /// Where people turn instead.
    pub elsewhere: String,
    /// The steps: identifier, words, and how it was done.
    pub steps: Vec<(&'static str, &'static str, Option<String>)>,
    /// Why it cannot be closed yet.
    pub hindered: Option<String>,
}

/// The page `/konton/bemanning`.
#[derive(Clone, Debug, Template)]
#[template(path = "coverage.html", config = "src/web/askama.toml")]
pub struct CoveragePage {
    /// What surrounds it.
    pub shell: Shell,
    /// Every account.
    pub accounts: Vec<CoverView>,
}

/// The days of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoverView {
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Whether nobody has it in hand at all.
    pub unset: bool,
    /// Days on which nobody is there, in words.
    pub empty: String,
    /// ISO date, the day in words, who is there, whether nobody is though somebody should be.
    pub days: Vec<(String, String, String, bool)>,
}
