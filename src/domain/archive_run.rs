//! Archive runs (*arkivkörning*): the capture of an account's whole page, layout and content, on the days of the
//! policy, before a redesign and when the account closes (duties T19–T22).

use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use super::duties::{Archive, is_mid_term};
use super::ids::{AccountKey, ContentHash};

/// From this hour on a scheduled run may begin, until [`NIGHT_ENDS`]: nobody waits for the browser then.
const NIGHT_BEGINS: i8 = 20;
/// Until this hour.
const NIGHT_ENDS: i8 = 6;

/// The number of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub i64);

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a run is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Occasion {
    /// The policy's day has come.
    #[serde(rename = "plan")]
    Scheduled,
    /// The account is about to look different (Jönköping, lines 307-311).
    #[serde(rename = "ombyggnad")]
    Redesign,
    /// The account closes.
    #[serde(rename = "avslut")]
    Closing,
    /// A person wants one.
    #[serde(rename = "annat")]
    Other,
}

impl Occasion {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Scheduled, Self::Redesign, Self::Closing, Self::Other];
    /// Those that a person may ask for.
    pub const BY_HAND: &[Self] = &[Self::Redesign, Self::Closing, Self::Other];

    /// Identifier in the store, in forms and manifests.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Scheduled => "plan",
            Self::Redesign => "ombyggnad",
            Self::Closing => "avslut",
            Self::Other => "annat",
        }
    }

    /// The one with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|occasion| occasion.id() == id)
    }

    /// The Swedish words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Scheduled => "enligt riktlinjen",
            Self::Redesign => "före en ombyggnad",
            Self::Closing => "när kontot stängs",
            Self::Other => "extra körning",
        }
    }
}

/// What a file of a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// Layout and content as PDF/A.
    Sheet,
    /// The whole page as a picture.
    Picture,
    /// What the page loaded, as a web archive (WACZ).
    PageArchive,
    /// What was published and written, as JSON lines.
    Content,
}

impl FileKind {
    /// The Swedish words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Sheet => "utseende och innehåll (PDF/A)",
            Self::Picture => "bild av hela sidan (PNG)",
            Self::PageArchive => "sidan som webbarkiv (WACZ)",
            Self::Content => "inlägg och kommentarer (JSON-rader)",
        }
    }
}

/// A file of a run: its bytes lie under their hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFile {
    /// What it is.
    pub kind: FileKind,
    /// File name, ASCII.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// SHA-256 of the bytes.
    pub sha256: ContentHash,
    /// How many bytes.
    pub size_bytes: u64,
    /// How it was made, in plain words.
    pub method: String,
}

/// Something that was not captured, and why, in Swedish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotCaptured {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

/// All that a run captured and did not. The log holds the hash of its canonical JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunManifest {
    /// Version of this shape.
    pub format: u32,
    /// The run's number.
    pub run: i64,
    /// The authority.
    pub authority: String,
    /// The account's key.
    pub account: AccountKey,
    /// Its name.
    pub account_name: String,
    /// The platform's identifier.
    pub platform: String,
    /// Whether the platform was a simulator.
    pub simulated: bool,
    /// Why it was made.
    pub occasion: Occasion,
    /// The policy's day, where it was made for one.
    pub due: Option<Date>,
    /// Who asked for it.
    pub asked_by: String,
    /// Why, in that person's words.
    pub note: String,
    /// The first moment of the content.
    pub content_from: Timestamp,
    /// The last.
    pub content_to: Timestamp,
    /// How many posts of the authority's own are in the content.
    pub n_posts: u64,
    /// How many texts by others and answers.
    pub n_items: u64,
    /// How many of both were fetched from the platform for this run, since they were not known.
    pub n_filled: u64,
    /// When the run ended.
    pub ended_at: Timestamp,
    /// What was captured.
    pub files: Vec<RunFile>,
    /// What was not.
    pub not_captured: Vec<NotCaptured>,
    /// The program that made it, with version.
    pub made_by: String,
}

/// The day of the policy for which a run is still to be made; nothing where there is none. `since` is when the
/// account came to be known, `done` the last day that was covered. Of several days that went by only the last
/// counts: what a page looked like then nobody can capture any more.
pub fn due(archive: &Archive, since: Date, done: Option<Date>, today: Date) -> Option<Date> {
    let after = done.map_or(since, |done| done.max(since));
    let years = after.year()..=today.year();
    let days = years.flat_map(|year| archive.in_year(year));
    days.filter(|day| *day > after && *day <= today).max()
}

/// Whether a run for `due` may begin now: at night, and, where its day lies in a school term, in one (T21: not in
/// summer or around Christmas, also where it is late).
pub fn may_begin(due: Date, now: DateTime) -> bool {
    let in_term = |day: Date| is_mid_term(day.month(), day.day());
    let at_night = now.hour() >= NIGHT_BEGINS || now.hour() < NIGHT_ENDS;
    at_night && now.date() >= due && (!in_term(due) || in_term(now.date()))
}

/// The first day of the content of a run that no other went before: half a year, or as far as lies between two
/// days of the policy.
pub fn first_day(archive: &Archive, today: Date) -> Date {
    let months = match archive.per_year {
        Some(n) if n > 0 => 12 / i32::from(n.min(12)),
        Some(_) | None => 12,
    };
    today.saturating_sub(months.months())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn twice() -> Archive {
        Archive {
            per_year: Some(2),
            days: vec![(3, 15), (10, 15)],
            at_closing: true,
            before_redesign: true,
        }
    }

    #[test]
    fn t20_t21_a_run_is_due_once_for_each_day_of_the_policy() {
        let since = date(2026, 1, 1);
        let table = [
            (None, date(2026, 3, 15), None),
            // A Sunday gives way to the next working day.
            (None, date(2026, 3, 16), Some(date(2026, 3, 16))),
            (None, date(2026, 10, 14), Some(date(2026, 3, 16))),
            // Of two that went by, the last.
            (None, date(2026, 11, 2), Some(date(2026, 10, 15))),
            (Some(date(2026, 3, 16)), date(2026, 10, 14), None),
            (Some(date(2026, 10, 15)), date(2027, 3, 14), None),
            (Some(date(2026, 10, 15)), date(2027, 3, 15), Some(date(2027, 3, 15))),
        ];
        for (done, today, expected) in table {
            assert_eq!(due(&twice(), since, done, today), expected, "{done:?} {today}");
        }
        // What came to be known after the day owes nothing for it.
        assert_eq!(due(&twice(), date(2026, 10, 15), None, date(2026, 12, 1)), None);
        let by_plan = Archive { per_year: None, days: Vec::new(), ..twice() };
        assert_eq!(due(&by_plan, since, None, date(2030, 1, 1)), None);
    }

    #[test]
    fn t21_a_run_begins_at_night_and_a_late_one_waits_for_the_term() {
        let day = date(2026, 3, 16);
        let table = [
            (day.at(0, 5, 0, 0), true),
            (day.at(5, 59, 0, 0), true),
            (day.at(6, 0, 0, 0), false),
            (day.at(19, 59, 0, 0), false),
            (day.at(20, 0, 0, 0), true),
            (date(2026, 3, 15).at(23, 0, 0, 0), false),
            (date(2026, 7, 1).at(1, 0, 0, 0), false),
            (date(2026, 8, 25).at(1, 0, 0, 0), true),
            (date(2026, 12, 24).at(1, 0, 0, 0), false),
        ];
        for (now, expected) in table {
            assert_eq!(may_begin(day, now), expected, "{now}");
        }
        // A policy that wants it in summer gets it in summer.
        assert!(may_begin(date(2026, 7, 1), date(2026, 7, 1).at(1, 0, 0, 0)));
    }

    #[test]
    fn the_first_run_goes_back_as_far_as_the_policy_lets_lie_between_two() {
        let today = date(2026, 10, 15);
        assert_eq!(first_day(&twice(), today), date(2026, 4, 15));
        let once = Archive { per_year: Some(1), ..twice() };
        assert_eq!(first_day(&once, today), date(2025, 10, 15));
    }
}
