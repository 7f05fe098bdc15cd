//! The clocks of the rulebooks: the expectations of the regulation note, section 11, and what
//! holds for every hour of four years.

use jiff::civil::{Time, time};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{instants, swedish};
use crate::domain::calendar::{OfficeHours, is_working_day, local};
use crate::domain::deadline::{Clock, due, time_left, time_left_of};

/// Received; 24 hours on; two working days on; the next working day (due at closing).
const ROWS: [(&str, &str, &str, &str); 24] = [
    ("2025-04-17 15:00", "2025-04-18 15:00", "2025-04-23 15:00", "2025-04-17"),
    ("2025-06-05 10:00", "2025-06-06 10:00", "2025-06-10 10:00", "2025-06-05"),
    ("2025-06-19 14:00", "2025-06-20 14:00", "2025-06-24 14:00", "2025-06-19"),
    ("2025-12-23 12:00", "2025-12-24 12:00", "2025-12-30 12:00", "2025-12-23"),
    ("2025-12-30 17:00", "2025-12-31 17:00", "2026-01-07 08:00", "2026-01-02"),
    ("2026-01-05 09:30", "2026-01-06 09:30", "2026-01-08 09:30", "2026-01-05"),
    // The clock goes forward in the night: 24 hours later it is one o'clock.
    ("2026-03-28 12:00", "2026-03-29 13:00", "2026-04-01 08:00", "2026-03-30"),
    ("2026-04-02 11:00", "2026-04-03 11:00", "2026-04-08 11:00", "2026-04-02"),
    ("2026-05-13 16:29", "2026-05-14 16:29", "2026-05-18 16:29", "2026-05-13"),
    ("2026-05-13 16:30", "2026-05-14 16:30", "2026-05-19 08:00", "2026-05-15"),
    ("2026-06-18 13:00", "2026-06-19 13:00", "2026-06-23 13:00", "2026-06-18"),
    // The clock goes back in the night.
    ("2026-10-24 12:00", "2026-10-25 11:00", "2026-10-28 08:00", "2026-10-26"),
    ("2026-10-30 09:00", "2026-10-31 09:00", "2026-11-03 09:00", "2026-10-30"),
    ("2026-12-23 10:00", "2026-12-24 10:00", "2026-12-29 10:00", "2026-12-23"),
    ("2027-03-25 08:00", "2027-03-26 08:00", "2027-03-31 08:00", "2027-03-25"),
    ("2027-05-05 15:00", "2027-05-06 15:00", "2027-05-10 15:00", "2027-05-05"),
    ("2027-06-24 12:00", "2027-06-25 12:00", "2027-06-29 12:00", "2027-06-24"),
    ("2027-11-05 10:00", "2027-11-06 10:00", "2027-11-09 10:00", "2027-11-05"),
    ("2027-12-23 12:00", "2027-12-24 12:00", "2027-12-28 12:00", "2027-12-23"),
    ("2028-02-29 13:00", "2028-03-01 13:00", "2028-03-02 13:00", "2028-02-29"),
    ("2028-04-13 09:00", "2028-04-14 09:00", "2028-04-19 09:00", "2028-04-13"),
    ("2028-06-05 09:00", "2028-06-06 09:00", "2028-06-08 09:00", "2028-06-05"),
    ("2028-06-22 16:00", "2028-06-23 16:00", "2028-06-27 16:00", "2028-06-22"),
    ("2028-12-22 12:00", "2028-12-23 12:00", "2028-12-28 12:00", "2028-12-22"),
];

#[test]
fn every_row_of_the_table_holds_for_each_clock() {
    let office = OfficeHours::default();
    for (received, day_on, two_days, next_day) in ROWS {
        let at = swedish(received);
        let closing = swedish(&format!("{next_day} 16:30"));
        assert_eq!(due(Clock::ELAPSED_24H, at, office), swedish(day_on), "{received}");
        assert_eq!(due(Clock::TWO_WORKING_DAYS, at, office), swedish(two_days), "{received}");
        assert_eq!(due(Clock::NextWorkingDay, at, office), closing, "{received}");
        assert_eq!(due(Clock::AtOnce, at, office), at, "{received}");
    }
}

#[test]
fn other_office_hours_move_the_border() {
    let early = OfficeHours { opens: time(7, 0, 0, 0), closes: time(12, 0, 0, 0) };
    let at = swedish("2026-05-11 12:00");
    assert_eq!(due(Clock::TWO_WORKING_DAYS, at, early), swedish("2026-05-15 07:00"));
    assert_eq!(due(Clock::NextWorkingDay, at, early), swedish("2026-05-12 12:00"));
}

#[test]
fn received_before_opening_counts_from_opening() {
    let at = swedish("2026-05-11 03:15");
    let office = OfficeHours::default();
    assert_eq!(due(Clock::TWO_WORKING_DAYS, at, office), swedish("2026-05-13 08:00"));
    assert_eq!(due(Clock::NextWorkingDay, at, office), swedish("2026-05-11 16:30"));
}

#[test]
fn every_hour_of_four_years_is_due_later_on_a_working_day_and_in_order() {
    let office = OfficeHours::default();
    let mut at = swedish("2025-01-01 00:00");
    let mut before: Option<[Timestamp; 3]> = None;
    let clocks = [Clock::ELAPSED_24H, Clock::TWO_WORKING_DAYS, Clock::NextWorkingDay];
    let mut hours = 0;
    while at < swedish("2029-01-01 00:00") {
        let now_due = clocks.map(|clock| due(clock, at, office));
        let [elapsed, two_days, next_day] = now_due;
        assert_eq!(elapsed.duration_since(at), SignedDuration::from_hours(24));
        for working in [two_days, next_day] {
            assert!(working > at, "{at}");
            assert!(is_working_day(local(working).date()), "{at}: {working}");
        }
        assert_eq!(local(next_day).time(), office.closes);
        // Two working days, always in office hours, and never sooner than the number says.
        assert!((office.opens..office.closes).contains(&local(two_days).time()), "{at}");
        let waited = two_days.duration_since(at);
        assert!(waited >= SignedDuration::from_hours(48), "{at}: {waited}");
        assert!(waited <= SignedDuration::from_hours(24 * 10), "{at}: {waited}");
        if let Some(before) = before {
            assert!((0..3).all(|i| before[i] <= now_due[i]), "{at}: a later one is due earlier");
        }
        before = Some(now_due);
        at += SignedDuration::from_hours(1);
        hours += 1;
    }
    assert_eq!(hours, (365 * 4 + 1) * 24);
}

proptest! {
    #[test]
    fn no_clock_is_due_before_its_start(at in instants(), opens in 4i8..12, length in 1i8..11) {
        let hour = |h: i8| Time::new(h, 0, 0, 0).expect("an hour of the day");
        let office = OfficeHours { opens: hour(opens), closes: hour(opens + length) };
        for &(_, clock) in Clock::NAMED {
            prop_assert!(due(clock, at, office) >= at, "{:?}", clock);
        }
    }

    #[test]
    fn working_day_clocks_are_in_order_to_the_second(a in instants(), gap in 0i64..200_000) {
        let office = OfficeHours::default();
        let b = a + SignedDuration::from_secs(gap);
        for &(_, clock) in Clock::NAMED {
            prop_assert!(due(clock, a, office) <= due(clock, b, office), "{:?}", clock);
        }
    }
}

#[test]
fn the_ends_of_time_are_no_trap() {
    let office = OfficeHours::default();
    for &(_, clock) in Clock::NAMED {
        assert!(due(clock, Timestamp::MIN, office) >= Timestamp::MIN);
        assert!(due(clock, Timestamp::MAX, office) <= Timestamp::MAX);
        assert_eq!(Clock::from_id(&clock.id()), Some(clock));
    }
}

#[test]
fn time_left_in_words() {
    let now = swedish("2026-05-11 12:00");
    let table = [
        (0, "kvar 0 min"),
        (59, "kvar 0 min"),
        (60, "kvar 1 min"),
        (59 * 60, "kvar 59 min"),
        (60 * 60, "kvar 1 h"),
        (3 * 3600 + 12 * 60, "kvar 3 h 12 min"),
        (10 * 3600 + 12 * 60, "kvar 10 h"),
        (47 * 3600, "kvar 47 h"),
        (48 * 3600, "kvar 2 dygn"),
        (75 * 3600, "kvar 3 dygn"),
        (-1, "försenat 1 min"),
        (-60, "försenat 1 min"),
        (-40 * 60, "försenat 40 min"),
        (-26 * 3600, "försenat 26 h"),
        (-50 * 3600, "försenat 2 dygn"),
    ];
    for (seconds, words) in table {
        assert_eq!(time_left(now + SignedDuration::from_secs(seconds), now), words);
    }
    // Due before it could be seen.
    for (waited_s, words) in [(-9, "genast"), (0, "genast"), (40 * 60, "genast, har väntat 40 min")]
    {
        let since = now - SignedDuration::from_secs(waited_s);
        assert_eq!(time_left_of(since - SignedDuration::from_mins(5), since, now), words);
    }
    let later = now + SignedDuration::from_mins(90);
    assert_eq!(time_left_of(later, now, now), time_left(later, now));
    assert!(time_left(Timestamp::MAX, Timestamp::MIN).starts_with("kvar "));
    assert!(time_left(Timestamp::MIN, Timestamp::MAX).starts_with("försenat "));
}
