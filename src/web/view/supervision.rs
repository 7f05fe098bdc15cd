//! The supervision log (*uppsiktslogg*): each account's days, gaps marked.

use askama::Template;

use super::shell::{Notice, Place, Shell};

/// The page `/uppsikt`.
#[derive(Clone, Debug, Template)]
#[template(path = "supervision.html", config = "src/web/askama.toml")]
pub struct SupervisionPage {
    /// What surrounds it.
    pub shell: Shell,
    /// What was wrong with the days asked for.
    pub notice: Option<Notice>,
    /// The first day, as a form wants it.
    pub first: String,
    /// The last day.
    pub last: String,
    /// The accounts.
    pub accounts: Vec<AccountWatch>,
    /// Crises, the latest first, in words.
    pub crises: Vec<String>,
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountWatch {
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Its platform.
    pub platform: &'static str,
    /// What the policy wants.
    pub wants: String,
    /// `22 av 23 dagar hållna`.
    pub sum: String,
    /// How many gaps.
    pub gaps: usize,
    /// Whether the machine reads it at all.
    pub by_hand: bool,
    /// Warnings of days ahead.
    pub warning: Option<String>,
    /// The days, the newest first.
    pub days: Vec<DayRow>,
}

/// One day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayRow {
    /// `2026-11-23`.
    pub iso: String,
    /// `måndag 23 november`.
    pub day: String,
    /// Whether it is a gap.
    pub gap: bool,
    /// How it was kept.
    pub kept: String,
    /// Who looked, when.
    pub people: String,
    /// What the machine did.
    pub machine: String,
}
