//! Swedish working days and office hours: *lag (1989:253) om allmänna helgdagar* and
//! *lag (1930:173) 2 §*.

use std::sync::LazyLock;

use jiff::civil::{Date, Time, Weekday, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};

/// Swedish time as a rule, for machines without zone data (bare containers): the common rule of
/// the EU, unchanged since 1996 (directive 2000/84/EC).
const STOCKHOLM_RULE: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

/// The zone all Swedish clocks go by. The machine's zone data goes first, since a change of law
/// reaches it by update.
pub fn stockholm() -> TimeZone {
    static ZONE: LazyLock<TimeZone> =
        LazyLock::new(|| TimeZone::get("Europe/Stockholm").unwrap_or_else(|_| stockholm_by_rule()));
    ZONE.clone()
}

/// Swedish time without any zone data.
pub(super) fn stockholm_by_rule() -> TimeZone {
    TimeZone::posix(STOCKHOLM_RULE).expect("the rule is well formed: a test reads it")
}

/// The moment as a Swedish wall clock shows it.
pub fn local(at: Timestamp) -> Zoned {
    at.to_zoned(stockholm())
}

/// The months in Swedish.
pub const MONTHS: [&str; 12] = [
    "januari",
    "februari",
    "mars",
    "april",
    "maj",
    "juni",
    "juli",
    "augusti",
    "september",
    "oktober",
    "november",
    "december",
];

/// The moment at which a day begins in Sweden; none for days beyond all calendars.
pub fn start_of_day(day: Date) -> Option<Timestamp> {
    day.to_zoned(stockholm()).ok().map(|start| start.timestamp())
}

/// Easter Sunday by the Gregorian computus (Meeus, Jones, Butcher).
pub fn easter_sunday(year: i16) -> Date {
    let y = i32::from(year);
    // Euclidean, so that no year that a calendar can name leads out of the months.
    let (a, b, c) = (y.rem_euclid(19), y.div_euclid(100), y.rem_euclid(100));
    let (d, e) = (b.div_euclid(4), b.rem_euclid(4));
    let f = (b + 8).div_euclid(25);
    let g = (b - f + 1).div_euclid(3);
    let h = (19 * a + b - d - g + 15).rem_euclid(30);
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k).rem_euclid(7);
    let m = (a + 11 * h + 22 * l) / 451;
    let sum = h + l - 7 * m + 114;
    // The computus gives month 3 or 4 and day 1 to 31 for every Gregorian year.
    date(year, (sum / 31) as i8, (sum % 31 + 1) as i8)
}

/// Whether the day is a public holiday (*allmän helgdag*), Sundays included.
pub fn is_public_holiday(day: Date) -> bool {
    if day.weekday() == Weekday::Sunday {
        return true;
    }
    let fixed =
        matches!((day.month(), day.day()), (1, 1) | (1, 6) | (5, 1) | (6, 6) | (12, 25) | (12, 26));
    if fixed {
        return true;
    }
    let from_easter = (day - easter_sunday(day.year())).get_days();
    // Good Friday, Easter Monday, Ascension Day; Easter and Whit Sunday are Sundays.
    if matches!(from_easter, -2 | 1 | 39) {
        return true;
    }
    let saturday = day.weekday() == Weekday::Saturday;
    let midsummer = day.month() == 6 && (20..=26).contains(&day.day());
    let all_saints =
        (day.month() == 10 && day.day() == 31) || (day.month() == 11 && day.day() <= 6);
    saturday && (midsummer || all_saints)
}

/// Whether the day is a working day (*arbetsdag*): Monday to Friday, no public holiday, and not
/// Midsummer Eve, Christmas Eve or New Year's Eve.
pub fn is_working_day(day: Date) -> bool {
    if matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) || is_public_holiday(day) {
        return false;
    }
    let midsummer_eve =
        day.weekday() == Weekday::Friday && day.month() == 6 && (19..=25).contains(&day.day());
    let year_end_eve = day.month() == 12 && matches!(day.day(), 24 | 31);
    !midsummer_eve && !year_end_eve
}

/// The first working day after `day`.
pub fn next_working_day(day: Date) -> Date {
    let mut next = day;
    loop {
        // Working days never lie more than a week apart; only the end of the calendar
        // (year 9999) could stop this, and then the last day stands.
        next = match next.checked_add(1.day()) {
            Ok(day) => day,
            Err(_) => return next,
        };
        if is_working_day(next) {
            return next;
        }
    }
}

/// When the office is open on working days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfficeHours {
    /// Opening time, 08:00 unless the policy says otherwise.
    pub opens: Time,
    /// Closing time, 16:30 unless the policy says otherwise.
    pub closes: Time,
}

impl Default for OfficeHours {
    fn default() -> Self {
        Self { opens: Time::constant(8, 0, 0, 0), closes: Time::constant(16, 30, 0, 0) }
    }
}
