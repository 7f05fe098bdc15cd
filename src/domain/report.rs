//! The report for the committee (*nämnden*): how much came in, what was done on which ground, whether deadlines
//! were kept. Counts alone: nothing in it is about a person (*dataskyddslagen 3:3*).

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::category::Category;
use super::ground::Ground;

/// What stands for all places that people name when they record by hand.
pub const BY_HAND: &str = "inlagt-for-hand";

/// A comment or message that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemFact {
    /// The account's key.
    pub account: Arc<str>,
    /// When it was first fetched.
    pub at: Timestamp,
    /// Whether it was a private message.
    pub private: bool,
}

/// A case that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseFact {
    /// Its number.
    pub case: i64,
    /// The account's key.
    pub account: Arc<str>,
    /// When it was opened.
    pub opened: Timestamp,
    /// When it was to be decided: the deadline that stood when it was, or the present one.
    pub due: Timestamp,
    /// What was found.
    pub category: Option<Category>,
    /// When somebody first decided. Putting it to rest decides nothing.
    pub decided: Option<Timestamp>,
    /// What it is about stands outside our control: no deadline of ours can be broken.
    pub outside: bool,
    /// When somebody first opened it.
    pub seen: Option<Timestamp>,
    /// Whether that decision was that nothing was wrong with it.
    pub dismissed: bool,
    /// Whether its item was ever hidden or deleted.
    pub removed: bool,
}

/// A hiding or deletion that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovalFact {
    /// Of which case.
    pub case: i64,
    /// The account's key.
    pub account: Arc<str>,
    /// When it was decided.
    pub at: Timestamp,
    /// On what ground.
    pub ground: Option<Ground>,
    /// Whether it was deleted, and not hidden.
    pub deleted: bool,
}

/// What happened to a record at one moment: handed to the diary, or disposed of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordFact {
    /// Of which case.
    pub case: i64,
    /// When.
    pub at: Timestamp,
    /// Whether it has its diary number.
    pub numbered: bool,
}

/// Everything that a report is counted from, of one span of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// What came in.
    pub items: Vec<ItemFact>,
    /// What became cases.
    pub cases: Vec<CaseFact>,
    /// What was removed.
    pub removals: Vec<RemovalFact>,
    /// What was handed to the diary.
    pub registered: Vec<RecordFact>,
    /// What was disposed of.
    pub disposed: Vec<RecordFact>,
}

/// How deadlines were kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deadlines {
    /// Decided in time.
    pub kept: u64,
    /// Decided too late.
    pub late: u64,
    /// Not decided, and the time is over.
    pub overdue: u64,
    /// Not decided, and there is time.
    pub open: u64,
    /// To be decided at once: due when they were opened, or before. Not among the others.
    pub at_once: u64,
    /// Of those, decided within [`AN_HOUR`] of being opened: in time.
    pub within_an_hour: u64,
    /// Of those, not decided, and the hour is not over: neither in time nor late.
    pub hour_open: u64,
    /// About what stands outside our control. Not among the others.
    pub outside: u64,
}

/// What is to be decided at once has no deadline that anybody can keep: it is in time when it is decided so soon.
pub const AN_HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The counts of one report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// What came in, by account; of that, private messages.
    pub inflow: BTreeMap<Arc<str>, (u64, u64)>,
    /// Cases by category; without a finding under none.
    pub categories: BTreeMap<Option<&'static str>, u64>,
    /// Removed, by ground: hidden, deleted.
    pub removals: BTreeMap<Option<&'static str>, (u64, u64)>,
    /// Deadlines of the cases opened.
    pub deadlines: Deadlines,
    /// Handed to the diary; of that, with a number.
    pub registered: (u64, u64),
    /// Disposed of.
    pub disposed: u64,
}

impl Counts {
    /// Counts, as things stand at `now`.
    pub fn of(facts: &Facts, now: Timestamp) -> Self {
        let mut inflow: BTreeMap<Arc<str>, (u64, u64)> = BTreeMap::new();
        for item in &facts.items {
            let row = inflow.entry(item.account.clone()).or_default();
            row.0 += 1;
            row.1 += u64::from(item.private);
        }
        let (mut categories, mut removals) = (BTreeMap::new(), BTreeMap::new());
        let mut deadlines = Deadlines::default();
        for case in &facts.cases {
            *categories.entry(case.category.map(|c| c.id())).or_default() += 1;
            if case.outside {
                deadlines.outside += 1;
                continue;
            }
            if case.due <= case.opened {
                let soon = |at: Timestamp| at.duration_since(case.opened) <= AN_HOUR;
                deadlines.at_once += 1;
                deadlines.within_an_hour += u64::from(case.decided.is_some_and(soon));
                deadlines.hour_open += u64::from(case.decided.is_none() && soon(now));
                continue;
            }
            match case.decided {
                Some(at) if at <= case.due => deadlines.kept += 1,
                Some(_) => deadlines.late += 1,
                None if case.due < now => deadlines.overdue += 1,
                None => deadlines.open += 1,
            }
        }
        for removal in &facts.removals {
            let row: &mut (u64, u64) =
                removals.entry(removal.ground.map(Ground::code)).or_default();
            match removal.deleted {
                true => row.1 += 1,
                false => row.0 += 1,
            }
        }
        let numbered = facts.registered.iter().filter(|record| record.numbered).count();
        Self {
            inflow,
            categories,
            removals,
            deadlines,
            registered: (facts.registered.len() as u64, numbered as u64),
            disposed: facts.disposed.len() as u64,
        }
    }

    /// The share of deadlines that were kept, in whole percent rounded down; none where none has come due. What was
    /// to be decided at once is among them: kept when it was decided within [`AN_HOUR`].
    pub fn kept_percent(&self) -> Option<u64> {
        let Deadlines {
            kept,
            late,
            overdue,
            open: _,
            at_once,
            within_an_hour,
            hour_open,
            outside: _,
        } = self.deadlines;
        let in_time = kept + within_an_hour;
        let all = kept + late + overdue + at_once.saturating_sub(hour_open);
        (all > 0).then(|| in_time * 100 / all)
    }
}

/// A month or a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// A calendar month.
    Month {
        /// Its year.
        year: i16,
        /// Its number, from 1.
        month: i8,
    },
    /// A calendar year.
    Year(i16),
}

impl Span {
    /// From `2026-11` or `2026`.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = match text.split_once('-') {
            None => (text, None),
            Some((year, month)) => (year, Some(month.parse::<i8>().ok()?)),
        };
        let year = year.parse().ok().filter(|year| (2000..=2200).contains(year))?;
        match month {
            None => Some(Self::Year(year)),
            Some(month @ 1..=12) => Some(Self::Month { year, month }),
            Some(_) => None,
        }
    }

    /// Its first and its last day.
    pub fn days(self) -> Option<(Date, Date)> {
        match self {
            Self::Month { year, month } => {
                let first = Date::new(year, month, 1).ok()?;
                Some((first, first.last_of_month()))
            }
            Self::Year(year) => Some((Date::new(year, 1, 1).ok()?, Date::new(year, 12, 31).ok()?)),
        }
    }

    /// `2026-11` or `2026`.
    pub fn id(self) -> String {
        match self {
            Self::Month { year, month } => format!("{year}-{month:02}"),
            Self::Year(year) => year.to_string(),
        }
    }

    /// `november 2026` or `2026`.
    pub fn label(self) -> String {
        match self {
            Self::Month { year, month } => {
                let n = usize::from(month.unsigned_abs()).saturating_sub(1) % 12;
                format!("{} {year}", super::calendar::MONTHS[n])
            }
            Self::Year(year) => year.to_string(),
        }
    }
}
