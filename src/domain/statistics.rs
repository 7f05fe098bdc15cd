//! How the work goes, in numbers (*statistik*): counted from the same facts as the committee's report, and no
//! others. Nothing in it is about a person, neither who wrote nor who decided.

use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};
use jiff::{SignedDuration, Timestamp};

use super::calendar::{MONTHS, local};
use super::category::Category;
use super::party::Party;
use super::report::{CaseFact, Facts, Span};

/// How long something took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Took {
    /// At most an hour.
    Hour,
    /// At most four.
    FourHours,
    /// At most a day.
    Day,
    /// At most two.
    TwoDays,
    /// More.
    Longer,
    /// It has not happened.
    NotYet,
}

impl Took {
    /// All of them.
    pub const ALL: &[Self] =
        &[Self::Hour, Self::FourHours, Self::Day, Self::TwoDays, Self::Longer, Self::NotYet];

    /// The Swedish words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Hour => "inom 1 timme",
            Self::FourHours => "1–4 timmar",
            Self::Day => "4–24 timmar",
            Self::TwoDays => "1–2 dygn",
            Self::Longer => "mer än 2 dygn",
            Self::NotYet => "inte än",
        }
    }

    fn of(time: Option<SignedDuration>) -> Self {
        let hours = SignedDuration::from_hours;
        match time {
            None => Self::NotYet,
            Some(time) if time <= hours(1) => Self::Hour,
            Some(time) if time <= hours(4) => Self::FourHours,
            Some(time) if time <= hours(24) => Self::Day,
            Some(time) if time <= hours(48) => Self::TwoDays,
            Some(_) => Self::Longer,
        }
    }
}

/// How times are spread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// How many took how long.
    pub counts: BTreeMap<Took, u64>,
    /// The middle one of those that have happened; of an even number the longer of the two.
    pub median: Option<SignedDuration>,
}

impl Spread {
    fn of(times: impl Iterator<Item = Option<SignedDuration>>) -> Self {
        let (mut counts, mut happened) = (BTreeMap::new(), Vec::new());
        for time in times {
            *counts.entry(Took::of(time)).or_default() += 1;
            happened.extend(time);
        }
        happened.sort_unstable();
        Self { counts, median: happened.get(happened.len() / 2).copied() }
    }
}

/// `2 h 5 min`, `3 dygn 4 h`.
pub fn length_words(time: SignedDuration) -> String {
    let minutes = time.as_mins().max(0);
    let (days, hours, rest) = (minutes / 1_440, minutes / 60 % 24, minutes % 60);
    match (days, hours) {
        (0, 0) => format!("{rest} min"),
        (0, hours) => format!("{hours} h {rest} min"),
        (days, hours) => format!("{days} dygn {hours} h"),
    }
}

/// How many of something, and of those how many of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// All.
    pub all: u64,
    /// Of the kind.
    pub of_kind: u64,
}

impl Share {
    fn add(&mut self, of_kind: bool) {
        self.all += 1;
        self.of_kind += u64::from(of_kind);
    }

    /// In tenths of a percent, rounded down; none of nothing.
    pub const fn per_mille(self) -> Option<u64> {
        (self.of_kind * 1_000).checked_div(self.all)
    }

    /// `12,5 procent`; a stroke for a share of nothing.
    pub fn words(self) -> String {
        self.per_mille()
            .map_or_else(|| "–".to_owned(), |n| format!("{},{} procent", n / 10, n % 10))
    }
}

/// Texts that name a party, and how many of them were hidden or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartyFact {
    /// The party.
    pub party: Party,
    /// The texts.
    pub share: Share,
}

/// What came in and what was done, over one stretch of the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// `1`, `januari`.
    pub label: String,
    /// What came in.
    pub items: u64,
    /// What became cases.
    pub cases: u64,
    /// Decisions made.
    pub decided: u64,
}

/// The figures of a month or a year, beside those of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// Day by day of a month, month by month of a year.
    pub over_time: Vec<Stretch>,
    /// From a case's opening to when a person first opened it.
    pub first_look: Spread,
    /// From its opening to the first decision.
    pub decision: Spread,
    /// Decided cases by category, and how many were dismissed: the machine had flagged what was nothing.
    pub dismissed: BTreeMap<Option<Category>, Share>,
    /// Cases by category, and how many were hidden or removed.
    pub removed: BTreeMap<Option<Category>, Share>,
    /// By weekday, Monday first: cases opened and decisions made.
    pub weekdays: Vec<(&'static str, u64, u64)>,
}

const WEEKDAYS: [(Weekday, &str); 7] = [
    (Weekday::Monday, "måndag"),
    (Weekday::Tuesday, "tisdag"),
    (Weekday::Wednesday, "onsdag"),
    (Weekday::Thursday, "torsdag"),
    (Weekday::Friday, "fredag"),
    (Weekday::Saturday, "lördag"),
    (Weekday::Sunday, "söndag"),
];

/// The place of a moment among the stretches of a span.
fn place(span: Span, at: Timestamp) -> usize {
    let day: Date = local(at).date();
    let number = match span {
        Span::Month { .. } => day.day(),
        Span::Year(_) => day.month(),
    };
    usize::from(number.unsigned_abs()).saturating_sub(1)
}

fn stretches(span: Span) -> Vec<Stretch> {
    let labels: Vec<String> = match span {
        Span::Month { .. } => {
            let last = span.days().map_or(31, |(_, last)| last.day());
            (1..=last).map(|day| day.to_string()).collect()
        }
        Span::Year(_) => MONTHS.iter().map(|month| (*month).to_owned()).collect(),
    };
    labels.into_iter().map(|label| Stretch { label, items: 0, cases: 0, decided: 0 }).collect()
}

impl Statistics {
    /// Counts what the facts of a span hold.
    pub fn of(span: Span, facts: &Facts) -> Self {
        let mut over_time = stretches(span);
        let last = over_time.len().saturating_sub(1);
        let (mut dismissed, mut removed) = (BTreeMap::new(), BTreeMap::new());
        let mut weekdays: Vec<_> = WEEKDAYS.iter().map(|(_, label)| (*label, 0, 0)).collect();
        let weekday = |at: Timestamp| {
            let day = local(at).date().weekday();
            WEEKDAYS.iter().position(|(known, _)| *known == day).unwrap_or_default()
        };
        for item in &facts.items {
            over_time[place(span, item.at).min(last)].items += 1;
        }
        for case in &facts.cases {
            over_time[place(span, case.opened).min(last)].cases += 1;
            weekdays[weekday(case.opened)].1 += 1;
            let category = case.category;
            let of: &mut Share = removed.entry(category).or_default();
            of.add(case.removed);
            let Some(decided) = case.decided else { continue };
            let of: &mut Share = dismissed.entry(category).or_default();
            of.add(case.dismissed);
            weekdays[weekday(decided)].2 += 1;
            // What was decided after the span is not of it.
            let within = span.days().is_some_and(|(_, end)| local(decided).date() <= end);
            if within {
                over_time[place(span, decided).min(last)].decided += 1;
            }
        }
        let took = |until: fn(&CaseFact) -> Option<Timestamp>| {
            let since = move |case: &CaseFact| Some(until(case)?.duration_since(case.opened));
            Spread::of(facts.cases.iter().map(since))
        };
        Self {
            over_time,
            first_look: took(|case| case.seen),
            decision: took(|case| case.decided),
            dismissed,
            removed,
            weekdays,
        }
    }
}

/// What is fewer than this is not told to the public: it could point at somebody.
pub const FEWEST: u64 = 5;

/// Figures for the public: those that are too small are left out, and where that is a single one the smallest of
/// the others too, so that no total tells it.
pub fn suppressed(figures: &[u64]) -> Vec<Option<u64>> {
    let small = |n: u64| n > 0 && n < FEWEST;
    let mut told: Vec<_> = figures.iter().map(|n| (!small(*n)).then_some(*n)).collect();
    if told.iter().filter(|n| n.is_none()).count() == 1 {
        let next =
            figures.iter().enumerate().filter(|(_, n)| **n >= FEWEST).min_by_key(|(_, n)| **n);
        if let Some((at, _)) = next {
            told[at] = None;
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::report::ItemFact;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn case(opened: &str, seen: Option<&str>, decided: Option<&str>) -> CaseFact {
        CaseFact {
            case: 1,
            account: "a".into(),
            opened: at(opened),
            due: at(opened),
            category: Some(Category::Threat),
            decided: decided.map(at),
            outside: false,
            seen: seen.map(at),
            dismissed: false,
            removed: false,
        }
    }

    const NOVEMBER: Span = Span::Month { year: 2026, month: 11 };

    #[test]
    fn times_and_shares_are_counted_from_the_facts() {
        let item = |text: &str| ItemFact { account: "a".into(), at: at(text), private: false };
        let removed = CaseFact {
            removed: true,
            ..case(
                "2026-11-02T08:00:00Z",
                Some("2026-11-02T08:30:00Z"),
                Some("2026-11-02T10:00:00Z"),
            )
        };
        let dismissed = CaseFact {
            dismissed: true,
            ..case(
                "2026-11-03T08:00:00Z",
                Some("2026-11-05T09:00:00Z"),
                Some("2026-12-01T08:00:00Z"),
            )
        };
        let facts = Facts {
            // A Swedish midnight has passed by then.
            items: vec![item("2026-11-02T23:30:00Z"), item("2026-11-30T12:00:00Z")],
            cases: vec![removed, dismissed, case("2026-11-07T08:00:00Z", None, None)],
            ..Facts::default()
        };
        let told = Statistics::of(NOVEMBER, &facts);
        assert_eq!(told.over_time.len(), 30);
        let day = |n: usize| {
            let day = &told.over_time[n - 1];
            (day.items, day.cases, day.decided)
        };
        assert_eq!((day(2), day(3), day(30)), ((0, 1, 1), (1, 1, 0), (1, 0, 0)));
        let looks = &told.first_look;
        assert_eq!(
            looks.counts,
            BTreeMap::from([(Took::Hour, 1), (Took::Longer, 1), (Took::NotYet, 1)])
        );
        assert_eq!(looks.median.map(length_words).as_deref(), Some("2 dygn 1 h"));
        let of = |map: &BTreeMap<_, Share>| map[&Some(Category::Threat)];
        assert_eq!(of(&told.dismissed), Share { all: 2, of_kind: 1 });
        assert_eq!(of(&told.removed).words(), "33,3 procent");
        assert_eq!(told.weekdays[0], ("måndag", 1, 1));
        assert_eq!(told.weekdays[5], ("lördag", 1, 0));
        assert_eq!(Statistics::of(Span::Year(2026), &facts).over_time[10].items, 2);
        assert_eq!(Share::default().words(), "–");
    }

    proptest! {
        /// No figure under five is told, and none can be had from the others and their sum.
        #[test]
        fn small_figures_are_never_told_and_cannot_be_reckoned(
            figures in proptest::collection::vec(0_u64..40, 0..8)
        ) {
            let told = suppressed(&figures);
            prop_assert!(told.iter().flatten().all(|n| *n == 0 || *n >= FEWEST));
            let left_out = told.iter().filter(|n| n.is_none()).count();
            let others = figures.iter().filter(|n| **n >= FEWEST).count();
            prop_assert!(left_out != 1 || others == 0, "{:?}", told);
            for (one, n) in told.iter().zip(&figures) {
                prop_assert!(one.is_none_or(|told| told == *n));
            }
        }
    }
}
