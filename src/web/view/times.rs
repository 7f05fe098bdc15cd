//! Times as people say them, with the whole time on hover and in the markup.

use askama::Template;
use askama::filters::HtmlSafe;
use jiff::{SignedDuration, Timestamp, Zoned};

use crate::domain::calendar::{MONTHS, local};
use crate::domain::deadline::{is_at_once, time_left, time_left_of};
use crate::domain::escalation::LEAST;

const MONTHS_SHORT: [&str; 12] = [
    "jan.", "feb.", "mars", "april", "maj", "juni", "juli", "aug.", "sep.", "okt.", "nov.", "dec.",
];
const WEEKDAYS: [&str; 7] = ["måndag", "tisdag", "onsdag", "torsdag", "fredag", "lördag", "söndag"];

/// Closer than this to its deadline a case is shown as urgent.
const SOON: SignedDuration = SignedDuration::from_hours(4);

/// A time in a page: `<time datetime="…" title="…">i dag 14:32</time>`.
#[derive(Clone, Debug, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    config = "src/web/askama.toml",
    source = r#"<time datetime="{{ iso }}" title="{{ full }}"{% if relative %} data-sedan{% endif %}>{{ short }}</time>"#
)]
pub struct Moment {
    /// `2026-11-03T13:32:07Z`.
    pub iso: String,
    /// `tisdag 3 november 2026 kl. 14:32:07`.
    pub full: String,
    /// `i dag 14:32`.
    pub short: String,
    relative: bool,
}

impl HtmlSafe for Moment {}

impl Moment {
    /// `i dag 14:32`, `i går 09:10`, `3 nov. 14:32`, `3 nov. 2025 14:32`.
    pub fn new(at: Timestamp, now: Timestamp) -> Self {
        let (at_local, now_local) = (local(at), local(now));
        let clock = at_local.strftime("%H:%M").to_string();
        Self::with(at, &at_local, format!("{} {clock}", day(&at_local, &now_local)))
    }

    /// As [`Self::new`], with seconds: for seals and history.
    pub fn exact(at: Timestamp, now: Timestamp) -> Self {
        let (at_local, now_local) = (local(at), local(now));
        let clock = at_local.strftime("%H:%M:%S").to_string();
        let same_day = at_local.date() == now_local.date();
        let short =
            if same_day { clock } else { format!("{} {clock}", day(&at_local, &now_local)) };
        Self::with(at, &at_local, short)
    }

    /// `nyss`, `12 min sedan`, `3 h sedan`; older than a day as [`Self::new`].
    pub fn ago(at: Timestamp, now: Timestamp) -> Self {
        let minutes = now.duration_since(at).as_mins();
        let short = match minutes {
            i64::MIN..0 => return Self::new(at, now),
            0 => "nyss".to_owned(),
            1..60 => format!("{minutes} min sedan"),
            60..1440 => format!("{} h sedan", minutes / 60),
            _ => return Self::new(at, now),
        };
        Self { relative: true, ..Self::with(at, &local(at), short) }
    }

    fn with(at: Timestamp, zoned: &Zoned, short: String) -> Self {
        let seconds = Timestamp::from_second(at.as_second()).unwrap_or(at);
        let full = format!(
            "{} {} {} {} kl. {}",
            WEEKDAYS[usize::from(zoned.weekday().to_monday_zero_offset().unsigned_abs())],
            zoned.day(),
            MONTHS[month_index(zoned)],
            zoned.year(),
            zoned.strftime("%H:%M:%S")
        );
        Self { iso: seconds.to_string(), full, short, relative: false }
    }
}

fn month_index(zoned: &Zoned) -> usize {
    usize::from(zoned.month().unsigned_abs().saturating_sub(1))
}

fn day(at: &Zoned, now: &Zoned) -> String {
    let (date, today) = (at.date(), now.date());
    if date == today {
        return "i dag".to_owned();
    }
    if today.yesterday().is_ok_and(|d| d == date) {
        return "i går".to_owned();
    }
    if today.tomorrow().is_ok_and(|d| d == date) {
        return "i morgon".to_owned();
    }
    let words = format!("{} {}", at.day(), MONTHS_SHORT[month_index(at)]);
    if at.year() == now.year() { words } else { format!("{words} {}", at.year()) }
}

/// When something is due, in words and as a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// `kvar 3 h 12 min`, `försenat 40 min`.
    pub words: String,
    /// Class of the words: `sen`, `snart`, `god-tid`.
    pub class: &'static str,
    /// The time itself.
    pub at: Moment,
}

impl Deadline {
    /// The words for `due` as seen at `now`.
    pub fn new(due: Timestamp, now: Timestamp) -> Self {
        let class = if due < now {
            "sen"
        } else if due.duration_since(now) < SOON {
            "snart"
        } else {
            "god-tid"
        };
        Self { words: time_left(due, now), class, at: Moment::new(due, now) }
    }

    /// The same for a case that has waited since `since`: what was due before anybody could see it is to be
    /// done at once, and late only when it has waited.
    pub fn of_case(due: Timestamp, since: Timestamp, now: Timestamp) -> Self {
        let mut deadline = Self::new(due, now);
        if is_at_once(due, since) {
            deadline.class = if now.duration_since(since) < LEAST { "snart" } else { "sen" };
            deadline.words = time_left_of(due, since, now);
        }
        deadline
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn days_are_said_as_people_say_them() {
        let now = at("2026-11-04T08:00:00Z");
        for (time, short, exact) in [
            ("2026-11-04T07:59:07Z", "i dag 08:59", "08:59:07"),
            // Still the fourth in Stockholm, though the third in UTC.
            ("2026-11-03T23:30:00Z", "i dag 00:30", "00:30:00"),
            ("2026-11-03T08:10:00Z", "i går 09:10", "i går 09:10:00"),
            ("2026-11-05T07:00:00Z", "i morgon 08:00", "i morgon 08:00:00"),
            ("2026-07-01T10:00:00Z", "1 juli 12:00", "1 juli 12:00:00"),
            ("2025-11-03T13:32:07Z", "3 nov. 2025 14:32", "3 nov. 2025 14:32:07"),
        ] {
            assert_eq!(Moment::new(at(time), now).short, short);
            assert_eq!(Moment::exact(at(time), now).short, exact);
        }
    }

    #[test]
    fn markup_holds_the_whole_time() {
        let moment = Moment::new(at("2026-11-03T13:32:07.250Z"), at("2026-11-03T14:00:00Z"));
        assert_eq!(
            moment.to_string(),
            r#"<time datetime="2026-11-03T13:32:07Z" title="tisdag 3 november 2026 kl. 14:32:07">i dag 14:32</time>"#
        );
    }

    #[test]
    fn ages_turn_into_dates_after_a_day() {
        let now = at("2026-11-04T08:00:00Z");
        for (time, short) in [
            // A platform whose clock is a little fast; one that is wrong.
            ("2026-11-04T08:00:30Z", "nyss"),
            ("2026-11-04T08:05:00Z", "i dag 09:05"),
            ("2026-11-04T07:59:30Z", "nyss"),
            ("2026-11-04T07:48:00Z", "12 min sedan"),
            ("2026-11-03T20:00:00Z", "12 h sedan"),
            ("2026-11-03T07:00:00Z", "i går 08:00"),
        ] {
            assert_eq!(Moment::ago(at(time), now).short, short);
        }
    }

    #[test]
    fn deadlines_tell_late_from_soon() {
        let now = at("2026-11-04T08:00:00Z");
        assert_eq!(Deadline::new(at("2026-11-04T07:20:00Z"), now).class, "sen");
        assert_eq!(Deadline::new(at("2026-11-04T09:00:00Z"), now).class, "snart");
        assert_eq!(Deadline::new(at("2026-11-05T09:00:00Z"), now).class, "god-tid");
    }
}
