//! Accounts (*konton*): when each was last looked at and what its platform lets us do.

use askama::Template;

use super::shell::{Place, Shell};
use super::times::Moment;

/// The page `/konton`.
#[derive(Clone, Debug, Template)]
#[template(path = "accounts.html", config = "src/web/askama.toml")]
pub struct AccountsPage {
    /// What surrounds it.
    pub shell: Shell,
    /// The accounts.
    pub accounts: Vec<AccountView>,
    /// The inventory of the year: how many have answered of how many that are asked, and by when; nothing
    /// where nobody is asked.
    pub inventory: Option<InventoryView>,
}

/// Where the yearly inventory stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InventoryView {
    /// By which day.
    pub by: String,
    /// Accounts of which nobody has answered: key and name.
    pub open: Vec<(String, String)>,
}

/// What the register says of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The unit.
    pub unit: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Its editors.
    pub editors: Vec<String>,
    /// How carefully it has to be kept, where it is no ordinary account.
    pub mark: Option<&'static str>,
    /// What is amiss, in words.
    pub flags: Vec<String>,
    /// Whether it is closed.
    pub is_closed: bool,
}

/// How an account's connection is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It answers.
    Well,
    /// It has not been looked at yet.
    NotYet,
    /// Its items are recorded by people.
    ByHand,
    /// Something is wrong: what happened, what is safe, what to do, in Swedish.
    Trouble(String),
}

/// An account that rests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestView {
    /// Why, after "eftersom".
    pub why: &'static str,
    /// Since when.
    pub since: Moment,
    /// After how many failures in a row.
    pub failures: u32,
    /// When it is tried next.
    pub next: Moment,
}

/// What came in and could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// How many.
    pub number: u64,
    /// When the last came in.
    pub at: Moment,
    /// Where it stood and what is wrong with it, in Swedish.
    pub what: String,
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountView {
    /// Its key in `config.toml`.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Its platform.
    pub platform: &'static str,
    /// Whether a simulator answers for it.
    pub simulated: bool,
    /// When it was last looked at.
    pub looked: Option<Moment>,
    /// When it will be looked at next.
    pub next: Option<Moment>,
    /// How it is.
    pub health: Health,
    /// That it rests: why, since when, after how many failures, and when it is tried again.
    pub rest: Option<RestView>,
    /// The day on which its login ends, and how far away that is.
    pub login_ends: Option<(String, String)>,
    /// What came in and could not be read, so that nobody has judged it.
    pub unread: Option<Unread>,
    /// What can be done with it.
    pub offers: Vec<OfferRow>,
    /// What the platform's terms say of stored data.
    pub terms: Option<String>,
    /// What the register says of it.
    pub card: Summary,
}

/// Whether something can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferWord {
    /// Yes.
    Yes,
    /// Yes, under a condition.
    Conditional,
    /// On the platform itself.
    ByHand,
    /// No.
    No,
}

impl OfferWord {
    /// The word.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Yes => "Ja",
            Self::Conditional => "Ja, med villkor",
            Self::ByHand => "På plattformen",
            Self::No => "Nej",
        }
    }

    /// Class in the stylesheet.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Yes => "kan ja",
            Self::Conditional => "kan villkor",
            Self::ByHand => "kan hand",
            Self::No => "kan nej",
        }
    }
}

/// One row of the capability record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferRow {
    /// `Dölja`, `Läsa kommentarer`…
    pub what: &'static str,
    /// Whether.
    pub word: OfferWord,
    /// Condition, reason or effect, in Swedish.
    pub detail: Option<String>,
}
