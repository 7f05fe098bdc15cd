//! When something is due (*frist*): policy and calendar to an instant, and time left in words.

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

use super::calendar::{OfficeHours, is_working_day, local, next_working_day, stockholm};

/// The clocks that the rulebooks name (regulation, section 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// `gallra24`: 24 elapsed hours, nights and holidays included.
    Elapsed24h,
    /// `svar48`: two working days, same time of day.
    TwoWorkingDays,
    /// `nasta_arbetsdag`: same working day, else the next, at closing time.
    NextWorkingDay,
    /// `omedelbart`: at once.
    AtOnce,
}

impl Clock {
    /// All clocks, the slowest last.
    pub const ALL: &[Self] =
        &[Self::AtOnce, Self::Elapsed24h, Self::NextWorkingDay, Self::TwoWorkingDays];

    /// Identifier in policies.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Elapsed24h => "gallra24",
            Self::TwoWorkingDays => "svar48",
            Self::NextWorkingDay => "nasta_arbetsdag",
            Self::AtOnce => "omedelbart",
        }
    }

    /// The clock with this identifier.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|c| c.id() == id)
    }
}

/// When it is due, counted from when the item reached the authority.
pub fn due(clock: Clock, received: Timestamp, office: OfficeHours) -> Timestamp {
    match clock {
        Clock::AtOnce => received,
        Clock::Elapsed24h => {
            received.saturating_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX)
        }
        Clock::TwoWorkingDays => {
            let start = counted_from(received, office);
            let day = next_working_day(next_working_day(start.date()));
            instant(day.to_datetime(start.time()))
        }
        Clock::NextWorkingDay => {
            let at = local(received).datetime();
            let same_day = is_working_day(at.date()) && at.time() < office.closes;
            let day = if same_day { at.date() } else { next_working_day(at.date()) };
            instant(day.to_datetime(office.closes))
        }
    }
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

fn span_in_words(minutes: i64) -> String {
    let (hours, rest) = (minutes / 60, minutes % 60);
    match hours {
        0 => format!("{rest} min"),
        1..=9 if rest > 0 => format!("{hours} h {rest} min"),
        1..=47 => format!("{hours} h"),
        _ => format!("{} dygn", hours / 24),
    }
}
