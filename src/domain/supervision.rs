//! The supervision log (*uppsiktslogg*): whether each account was looked at when the policy wants it
//! (*lag (1998:112) 4 §*), by the machine and by a person.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::calendar::{OfficeHours, is_working_day, local, stockholm};
use super::duties::{Watch, Watching};

/// How a day was kept by people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayKept {
    /// The policy asks for nothing on the day.
    Free,
    /// Somebody looked, and never too seldom.
    Kept,
    /// The day is not over, and so far nothing is amiss.
    UnderWay,
    /// Somebody looked, but the time between two looks was too long while the office was open.
    TooSeldom {
        /// When the longest time began.
        from: Timestamp,
        /// How long it was, in minutes.
        minutes: u32,
        /// How long it may be.
        most: u16,
    },
    /// Nobody looked.
    Missed,
}

impl DayKept {
    /// Whether it is a gap in the supervision.
    pub const fn is_gap(self) -> bool {
        match self {
            Self::TooSeldom { .. } | Self::Missed => true,
            Self::Free | Self::Kept | Self::UnderWay => false,
        }
    }

    /// In Swedish, for page and table.
    pub fn words(self) -> String {
        match self {
            Self::Free => "ingen tillsyn krävs".into(),
            Self::Kept => "sedd".into(),
            Self::UnderWay => "pågår".into(),
            Self::TooSeldom { from, minutes, most } => format!(
                "lucka på {} från kl. {}, högst {} tillåts",
                span(minutes),
                local(from).strftime("%H:%M"),
                span(u32::from(most))
            ),
            Self::Missed => "ingen har tittat".into(),
        }
    }
}

fn span(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, rest) => format!("{rest} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, rest) => format!("{hours} h {rest} min"),
    }
}

impl Watching {
    /// Whether the policy wants somebody to look on a day.
    pub fn wants(&self, day: Date) -> bool {
        match self.how {
            Watch::Daily => true,
            Watch::WorkingDays | Watch::Regularly => is_working_day(day),
        }
    }

    /// How a day was kept. `looks` are the moments of that day at which a person looked, in order.
    pub fn kept(
        &self,
        day: Date,
        looks: &[Timestamp],
        office: OfficeHours,
        crisis: bool,
        now: Timestamp,
    ) -> DayKept {
        if !self.wants(day) || midnight(day) > now {
            return DayKept::Free;
        }
        let under_way = local(now).date() == day;
        if looks.is_empty() {
            let closed = !is_working_day(day) || at(day, office) <= now;
            return if under_way && !closed { DayKept::UnderWay } else { DayKept::Missed };
        }
        if let Some(most) = self.gap_min(crisis).filter(|_| is_working_day(day)) {
            let (opens, closes) = (instant(day, office.opens), at(day, office).min(now));
            let (from, longest) = longest_gap(opens, closes, looks);
            let minutes = u32::try_from(longest.as_mins()).unwrap_or(0);
            if minutes > u32::from(most) {
                return DayKept::TooSeldom { from, minutes, most };
            }
        }
        if under_way { DayKept::UnderWay } else { DayKept::Kept }
    }
}

/// The longest time without a look between opening and closing, and when it began.
fn longest_gap(
    opens: Timestamp,
    closes: Timestamp,
    looks: &[Timestamp],
) -> (Timestamp, SignedDuration) {
    let mut longest = (opens, SignedDuration::ZERO);
    let mut from = opens;
    let within = looks.iter().copied().filter(|look| *look > opens && *look < closes);
    for look in within.chain([closes]) {
        let gap = look.duration_since(from);
        if gap > longest.1 {
            longest = (from, gap);
        }
        from = from.max(look);
    }
    longest
}

fn at(day: Date, office: OfficeHours) -> Timestamp {
    instant(day, office.closes)
}

fn instant(day: Date, time: jiff::civil::Time) -> Timestamp {
    day.to_datetime(time).to_zoned(stockholm()).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}

/// The first moment of a Swedish day.
pub fn midnight(day: Date) -> Timestamp {
    instant(day, jiff::civil::Time::midnight())
}

/// The first moment after a Swedish day.
pub fn day_after(day: Date) -> Timestamp {
    day.checked_add(1.day()).map_or(Timestamp::MAX, midnight)
}
