//! The supervision log as a table: one line an account and day.

use jiff::Timestamp;
use jiff::civil::Date;

use super::protocol::line;
use crate::domain::calendar::local;

/// One account on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The account's key.
    pub account: String,
    /// Its name.
    pub name: String,
    /// Its platform.
    pub platform: &'static str,
    /// What the policy wants.
    pub wants: String,
    /// The day.
    pub day: Date,
    /// Whether it is a gap.
    pub is_gap: bool,
    /// How the day was kept, in words.
    pub kept: String,
    /// How often people looked.
    pub n_looks: usize,
    /// The first and the last look.
    pub between: Option<(Timestamp, Timestamp)>,
    /// Who.
    pub who: String,
    /// Hours in which the machine read the account.
    pub machine_hours: u32,
    /// Hours in which it could not.
    pub failed_hours: u32,
}

const COLUMNS: &[&str] = &[
    "konto",
    "namn",
    "plattform",
    "riktlinjen_kräver",
    "dag",
    "lucka",
    "tillsyn",
    "antal_titter",
    "första",
    "sista",
    "av",
    "timmar_maskinen_läste",
    "timmar_maskinen_misslyckades",
];

/// The table, in the form of all our tables (see [`protocol`](super::protocol::csv)).
pub fn csv(lines: impl Iterator<Item = Line>) -> Vec<u8> {
    let mut text = String::new();
    line(&mut text, COLUMNS.iter().map(|&name| name.to_owned()));
    for row in lines {
        let clock = |at: Timestamp| local(at).strftime("%H:%M").to_string();
        let (first, last) =
            row.between.map_or_else(Default::default, |(a, b)| (clock(a), clock(b)));
        let cells = [
            row.account,
            row.name,
            row.platform.to_owned(),
            row.wants,
            row.day.to_string(),
            if row.is_gap { "ja" } else { "nej" }.to_owned(),
            row.kept,
            row.n_looks.to_string(),
            first,
            last,
            row.who,
            row.machine_hours.to_string(),
            row.failed_hours.to_string(),
        ];
        line(&mut text, cells.into_iter());
    }
    text.into_bytes()
}
