//! When something is due (*frist*): policy and calendar to an instant, and time left in words.

use std::borrow::Cow;

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

use super::calendar::{OfficeHours, is_working_day, local, next_working_day, stockholm};

/// Longest that a policy may give, in any unit: what takes longer is no deadline.
pub const MOST_HOURS: u16 = 24 * 60;
/// The same in working days.
pub const MOST_DAYS: u16 = 60;

/// The kinds of clocks that the rulebooks and the statutes name (regulation, section 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Clock {
    /// `omedelbart`: at once.
    AtOnce,
    /// So many hours on the clock, nights and holidays included.
    Elapsed {
        /// Hours.
        hours: u16,
    },
    /// `nasta_arbetsdag`: same working day, else the next, at closing time.
    NextWorkingDay,
    /// So many working days, same time of day.
    WorkingDays {
        /// Days.
        days: u16,
    },
    /// So many hours of open office, counted only while it is open.
    OfficeHours {
        /// Hours.
        hours: u16,
    },
}

impl Clock {
    /// `gallra24`: 24 elapsed hours (Kungälv).
    pub const ELAPSED_24H: Self = Self::Elapsed { hours: 24 };
    /// `svar48` read as two working days, each carrying 24 hours (Finspång).
    pub const TWO_WORKING_DAYS: Self = Self::WorkingDays { days: 2 };
    /// `svar48` read as 48 hours of open office.
    pub const OFFICE_48H: Self = Self::OfficeHours { hours: 48 };
    /// `incident72`: to the data protection authority (*GDPR art. 33*), no pause for holidays.
    pub const INCIDENT_72H: Self = Self::Elapsed { hours: 72 };
    /// `terror60`: one hour after an order (*EU 2021/784 art. 3*).
    pub const TERROR_1H: Self = Self::Elapsed { hours: 1 };

    /// The clocks that have a name of their own, the quickest first.
    pub const NAMED: &[(&str, Self)] = &[
        ("omedelbart", Self::AtOnce),
        ("terror60", Self::TERROR_1H),
        ("gallra24", Self::ELAPSED_24H),
        ("nasta_arbetsdag", Self::NextWorkingDay),
        ("svar48", Self::TWO_WORKING_DAYS),
        ("incident72", Self::INCIDENT_72H),
        ("svar48_kontorstid", Self::OFFICE_48H),
    ];

    /// Identifier in policies: a name, or a number with its unit.
    pub fn id(self) -> Cow<'static, str> {
        let named = Self::NAMED.iter().find(|(_, clock)| *clock == self);
        match (named, self) {
            (Some((name, _)), _) => Cow::Borrowed(name),
            (None, Self::Elapsed { hours }) => format!("{hours} timmar").into(),
            (None, Self::WorkingDays { days }) => format!("{days} arbetsdagar").into(),
            (None, Self::OfficeHours { hours }) => format!("{hours} kontorstimmar").into(),
            // Both have names.
            (None, Self::AtOnce) => "omedelbart".into(),
            (None, Self::NextWorkingDay) => "nasta_arbetsdag".into(),
        }
    }

    /// The clock with this identifier: a name, or `12 timmar`, `3 arbetsdagar`, `16 kontorstimmar`.
    pub fn from_id(id: &str) -> Option<Self> {
        if let Some((_, clock)) = Self::NAMED.iter().find(|(name, _)| *name == id) {
            return Some(*clock);
        }
        let (number, unit) = id.split_once(' ')?;
        let number: u16 = number.parse().ok().filter(|n| *n > 0)?;
        match unit {
            "timme" | "timmar" => (number <= MOST_HOURS).then_some(Self::Elapsed { hours: number }),
            "arbetsdag" | "arbetsdagar" => {
                (number <= MOST_DAYS).then_some(Self::WorkingDays { days: number })
            }
            "kontorstimme" | "kontorstimmar" => {
                (number <= MOST_HOURS).then_some(Self::OfficeHours { hours: number })
            }
            _ => None,
        }
    }

    /// What it means, in Swedish, for somebody who has to keep it.
    pub fn label(self) -> String {
        let number = |n: u16, one: &str, many: &str| match n {
            1 => format!("en {one}"),
            _ => format!("{n} {many}"),
        };
        match self {
            Self::AtOnce => "genast".into(),
            Self::Elapsed { hours } => format!(
                "inom {} på klockan, nätter och helger inräknade",
                number(hours, "timme", "timmar")
            ),
            Self::NextWorkingDay => "samma arbetsdag före stängning, annars nästa arbetsdag".into(),
            Self::WorkingDays { days } => {
                format!("inom {}, samma klockslag", number(days, "arbetsdag", "arbetsdagar"))
            }
            Self::OfficeHours { hours } => {
                format!("inom {} öppen expeditionstid", number(hours, "timmes", "timmars"))
            }
        }
    }

    /// Whether it stands still while the office is closed.
    pub const fn pauses(self) -> bool {
        match self {
            Self::NextWorkingDay | Self::WorkingDays { .. } | Self::OfficeHours { .. } => true,
            Self::AtOnce | Self::Elapsed { .. } => false,
        }
    }
}

/// What "48 hours on working days and office hours" means: a choice of the policy, shown to whoever
/// keeps it (duties, T6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FortyEight {
    /// Each working day carries 24 hours: due two working days later, same time of day.
    #[default]
    WorkingDays,
    /// Only hours of open office count: with 8.5 a day, more than five working days.
    OfficeHours,
}

impl FortyEight {
    /// Both readings.
    pub const ALL: &[Self] = &[Self::WorkingDays, Self::OfficeHours];

    /// Identifier in policies.
    pub const fn id(self) -> &'static str {
        match self {
            Self::WorkingDays => "arbetsdagar",
            Self::OfficeHours => "kontorstid",
        }
    }

    /// The Swedish words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::WorkingDays => "två arbetsdagar, samma klockslag",
            Self::OfficeHours => "48 timmar som bara räknas medan det är öppet",
        }
    }

    /// The clock that `svar48` is under this reading.
    pub const fn clock(self) -> Clock {
        match self {
            Self::WorkingDays => Clock::TWO_WORKING_DAYS,
            Self::OfficeHours => Clock::OFFICE_48H,
        }
    }
}

/// When it is due, counted from when the item reached the authority.
pub fn due(clock: Clock, received: Timestamp, office: OfficeHours) -> Timestamp {
    match clock {
        Clock::AtOnce => received,
        Clock::Elapsed { hours } => received
            .saturating_add(SignedDuration::from_hours(i64::from(hours)))
            .unwrap_or(Timestamp::MAX),
        Clock::WorkingDays { days } => {
            let start = counted_from(received, office);
            let day = (0..days).fold(start.date(), |day, _| next_working_day(day));
            instant(day.to_datetime(start.time()))
        }
        Clock::OfficeHours { hours } => {
            let mut at = counted_from(received, office);
            let mut left = SignedDuration::from_hours(i64::from(hours));
            loop {
                let open = at.time().duration_until(office.closes);
                if left <= open || at.date() == jiff::civil::Date::MAX {
                    return instant(at.saturating_add(left));
                }
                left -= open;
                at = next_working_day(at.date()).to_datetime(office.opens);
            }
        }
        Clock::NextWorkingDay => {
            let at = local(received).datetime();
            let same_day = is_working_day(at.date()) && at.time() < office.closes;
            let day = if same_day { at.date() } else { next_working_day(at.date()) };
            instant(day.to_datetime(office.closes))
        }
    }
}

/// When whoever is to keep a deadline is warned: three quarters of the time have gone.
pub fn warned_at(received: Timestamp, due: Timestamp) -> Timestamp {
    let whole = due.duration_since(received);
    received.saturating_add(whole / 4 * 3).unwrap_or(due).min(due)
}

/// The start of a working-day clock: when received, or the next opening if that was outside office
/// hours.
///
/// The note names closing and free days only. Before opening counts alike: otherwise what came at
/// one in the night would be due before what came the evening before.
fn counted_from(received: Timestamp, office: OfficeHours) -> DateTime {
    let at = local(received).datetime();
    if !is_working_day(at.date()) || at.time() >= office.closes {
        next_working_day(at.date()).to_datetime(office.opens)
    } else if at.time() < office.opens {
        at.date().to_datetime(office.opens)
    } else {
        at
    }
}

/// The instant of a Swedish wall clock reading. Office hours never fall in the hour that the
/// spring change skips, and in the doubled autumn hour the first reading counts.
fn instant(at: DateTime) -> Timestamp {
    at.to_zoned(stockholm()).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}

/// Time left, in the words of the queue: `kvar 3 h 12 min`, `kvar 2 dygn`, `försenat 40 min`.
pub fn time_left(due: Timestamp, now: Timestamp) -> String {
    let minutes = due.duration_since(now).as_secs().div_euclid(60);
    if minutes >= 0 {
        format!("kvar {}", span_in_words(minutes))
    } else {
        format!("försenat {}", span_in_words(-minutes))
    }
}

/// Whether something was due before it began to wait: nobody can be late with what they could not see yet.
pub fn is_at_once(due: Timestamp, since: Timestamp) -> bool {
    due <= since
}

/// Time left of what has waited since `since`, in the same words; `genast`, `genast, har väntat 40 min` where
/// it was due from the first moment.
pub fn time_left_of(due: Timestamp, since: Timestamp, now: Timestamp) -> String {
    if !is_at_once(due, since) {
        return time_left(due, now);
    }
    match now.duration_since(since).as_secs().div_euclid(60) {
        ..=0 => "genast".into(),
        minutes => format!("genast, har väntat {}", span_in_words(minutes)),
    }
}

fn span_in_words(minutes: i64) -> String {
    let (hours, rest) = (minutes / 60, minutes % 60);
    match hours {
        0 => format!("{rest} min"),
        1..=9 if rest > 0 => format!("{hours} h {rest} min"),
        1..=47 => format!("{hours} h"),
        _ => format!("{} dygn", hours / 24),
    }
}
