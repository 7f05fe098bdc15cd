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
                "{} utan titt från kl. {}, högst {} tillåts",
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

    /// Stretches of days ahead on which everybody is away. `people` are all of an account, each with the days
    /// of their absences, both included; an account with nobody is none of them.
    pub fn uncovered(&self, people: &[Vec<(Date, Date)>], today: Date) -> Vec<Uncovered> {
        let away = |day: Date| {
            let is_away =
                |own: &Vec<(Date, Date)>| own.iter().any(|(a, b)| (*a..=*b).contains(&day));
            !people.is_empty() && people.iter().all(is_away)
        };
        let around = -AROUND_DAYS..AHEAD_DAYS + AROUND_DAYS;
        let days = around.filter_map(|n| today.checked_add(n.days()).ok());
        let wanted: Vec<_> = days.filter(|day| self.wants(*day)).collect();
        let mut found: Vec<Uncovered> = Vec::new();
        let mut open = false;
        for (n, day) in wanted.iter().enumerate() {
            let is_gap = away(*day);
            match (is_gap, open.then(|| found.last_mut()).flatten()) {
                (true, Some(stretch)) => stretch.days.push(*day),
                (true, None) => {
                    found.push(Uncovered { days: vec![*day], from_before: n == 0, goes_on: false })
                }
                (false, _) => {}
            }
            open = is_gap;
        }
        if let Some(last) = found.last_mut().filter(|_| open) {
            last.goes_on = true;
        }
        found.retain(|stretch| stretch.ahead(today).next().is_some());
        found
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
            // A free day has no closing time: it is over when it is over.
            let closed = is_working_day(day) && at(day, office) <= now;
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

impl Watching {
    /// How a day was kept on which a crisis stood for the account, from `crisis.0` to `crisis.1`: as on other days,
    /// and while it stood and the office was open never longer between two looks than a crisis allows (T14).
    pub fn kept_in_crisis(
        &self,
        day: Date,
        looks: &[Timestamp],
        office: OfficeHours,
        crisis: (Timestamp, Timestamp),
        now: Timestamp,
    ) -> DayKept {
        let kept = self.kept(day, looks, office, false, now);
        let opens = instant(day, office.opens).max(crisis.0);
        let closes = at(day, office).min(crisis.1).min(now);
        if kept.is_gap() || !is_working_day(day) || opens >= closes {
            return kept;
        }
        let (from, longest) = longest_gap(opens, closes, looks);
        let minutes = u32::try_from(longest.as_mins()).unwrap_or(0);
        let most = self.crisis_gap_min;
        if minutes > u32::from(most) {
            return DayKept::TooSeldom { from, minutes, most };
        }
        kept
    }
}

/// So many days ahead it is warned of a day when nobody is there.
const AHEAD_DAYS: i32 = 14;

/// So many days before and behind those it is looked where a stretch begins and ends.
const AROUND_DAYS: i32 = 60;

/// Days in a row on which everybody of an account is away though the policy wants somebody to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uncovered {
    /// Those days, also the ones that are over or lie farther ahead than it is warned of.
    days: Vec<Date>,
    /// Whether it began before all that was looked at.
    from_before: bool,
    /// Whether it goes on behind that.
    goes_on: bool,
}

impl Uncovered {
    /// What makes it the same stretch tomorrow: its ends.
    pub fn key(&self) -> String {
        let end = |day: Option<&Date>, open: bool| match day.filter(|_| !open) {
            Some(day) => day.to_string(),
            None => "-".into(),
        };
        let (first, last) = (self.days.first(), self.days.last());
        format!("{}:{}", end(first, self.from_before), end(last, self.goes_on))
    }

    /// The days of it that are warned of.
    pub fn ahead(&self, today: Date) -> impl Iterator<Item = Date> {
        let end = today.checked_add(AHEAD_DAYS.days()).unwrap_or(Date::MAX);
        self.days.iter().copied().filter(move |day| (today..end).contains(day))
    }

    /// `2026-11-26, 2026-11-27`, or the first and the last of many.
    pub fn words(&self, today: Date) -> String {
        let left: Vec<_> = self.days.iter().filter(|day| **day >= today).collect();
        match left.as_slice() {
            [first, _, _, _, _, .., last] => {
                let more = if self.goes_on { " och längre" } else { "" };
                format!("från {first} till {last}{more}")
            }
            few => few.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        }
    }
}

/// The days from which absences must be known, to tell of a day.
pub fn known_from(today: Date) -> Date {
    today.checked_sub(AROUND_DAYS.days()).unwrap_or(Date::MIN)
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
