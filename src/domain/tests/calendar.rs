//! *Lag (1989:253)*; the table of the regulation note, section 10, computed there twice.

use jiff::civil::{Date, Weekday, date};
use proptest::prelude::*;

use crate::domain::calendar::{
    easter_sunday, is_public_holiday, is_working_day, local, next_working_day, stockholm,
    stockholm_by_rule,
};

struct Year {
    year: i16,
    good_friday: (i8, i8),
    easter: (i8, i8),
    easter_monday: (i8, i8),
    ascension: (i8, i8),
    whit_sunday: (i8, i8),
    midsummer_eve: (i8, i8),
    all_saints: (i8, i8),
    /// Weekdays of Epiphany, May Day, National Day and the three days of Christmas.
    weekdays: [Weekday; 6],
    new_years_eve: Weekday,
    working_days: usize,
}

use Weekday::{
    Friday as Fri, Monday as Mon, Saturday as Sat, Sunday as Sun, Thursday as Thu, Tuesday as Tue,
    Wednesday as Wed,
};

const YEARS: [Year; 4] = [
    Year {
        year: 2025,
        good_friday: (4, 18),
        easter: (4, 20),
        easter_monday: (4, 21),
        ascension: (5, 29),
        whit_sunday: (6, 8),
        midsummer_eve: (6, 20),
        all_saints: (11, 1),
        weekdays: [Mon, Thu, Fri, Wed, Thu, Fri],
        new_years_eve: Wed,
        working_days: 249,
    },
    Year {
        year: 2026,
        good_friday: (4, 3),
        easter: (4, 5),
        easter_monday: (4, 6),
        ascension: (5, 14),
        whit_sunday: (5, 24),
        midsummer_eve: (6, 19),
        all_saints: (10, 31),
        weekdays: [Tue, Fri, Sat, Thu, Fri, Sat],
        new_years_eve: Thu,
        working_days: 251,
    },
    Year {
        year: 2027,
        good_friday: (3, 26),
        easter: (3, 28),
        easter_monday: (3, 29),
        ascension: (5, 6),
        whit_sunday: (5, 16),
        midsummer_eve: (6, 25),
        all_saints: (11, 6),
        weekdays: [Wed, Sat, Sun, Fri, Sat, Sun],
        new_years_eve: Fri,
        working_days: 253,
    },
    Year {
        year: 2028,
        good_friday: (4, 14),
        easter: (4, 16),
        easter_monday: (4, 17),
        ascension: (5, 25),
        whit_sunday: (6, 4),
        midsummer_eve: (6, 23),
        all_saints: (11, 4),
        weekdays: [Thu, Mon, Tue, Sun, Mon, Tue],
        new_years_eve: Sun,
        working_days: 251,
    },
];

fn days(year: i16) -> impl Iterator<Item = Date> {
    date(year, 1, 1).series(jiff::ToSpan::day(1)).take_while(move |d| d.year() == year)
}

#[test]
fn holidays_are_those_of_the_table_and_no_others() {
    for y in &YEARS {
        let on = |(month, day): (i8, i8)| date(y.year, month, day);
        assert_eq!(easter_sunday(y.year), on(y.easter), "{}", y.year);
        let midsummer_day = on(y.midsummer_eve).tomorrow().expect("in the same year");
        let mut table = vec![
            on((1, 1)),
            on((1, 6)),
            on(y.good_friday),
            on(y.easter),
            on(y.easter_monday),
            on((5, 1)),
            on(y.ascension),
            on(y.whit_sunday),
            on((6, 6)),
            midsummer_day,
            on(y.all_saints),
            on((12, 25)),
            on((12, 26)),
        ];
        table.extend(days(y.year).filter(|d| d.weekday() == Sun));
        table.sort_unstable();
        table.dedup();
        let computed: Vec<_> = days(y.year).filter(|d| is_public_holiday(*d)).collect();
        assert_eq!(computed, table, "{}", y.year);
    }
}

#[test]
fn weekdays_of_fixed_days_are_those_of_the_table() {
    for y in &YEARS {
        let fixed = [(1, 6), (5, 1), (6, 6), (12, 24), (12, 25), (12, 26)];
        let weekdays = fixed.map(|(month, day)| date(y.year, month, day).weekday());
        assert_eq!(weekdays, y.weekdays, "{}", y.year);
        assert_eq!(date(y.year, 12, 31).weekday(), y.new_years_eve, "{}", y.year);
        assert_eq!(date(y.year, y.midsummer_eve.0, y.midsummer_eve.1).weekday(), Fri);
    }
}

#[test]
fn working_days_of_a_year_are_those_of_the_table() {
    for y in &YEARS {
        assert_eq!(days(y.year).filter(|d| is_working_day(*d)).count(), y.working_days);
        // The eves are free without being public holidays.
        for (month, day) in [y.midsummer_eve, (12, 24), (12, 31)] {
            let eve = date(y.year, month, day);
            assert!(!is_working_day(eve), "{eve}");
            assert_eq!(is_public_holiday(eve), eve.weekday() == Sun, "{eve}");
        }
    }
}

#[test]
fn easter_of_well_known_years() {
    // The earliest and the latest that there are, and a few of each kind.
    for (year, month, day) in [
        (1818, 3, 22),
        (1943, 4, 25),
        (1961, 4, 2),
        (2000, 4, 23),
        (2008, 3, 23),
        (2019, 4, 21),
        (2024, 3, 31),
        (2038, 4, 25),
        (2285, 3, 22),
    ] {
        assert_eq!(easter_sunday(year), date(year, month, day));
    }
}

#[test]
fn the_rule_agrees_with_the_zone_data_for_every_hour_of_six_years() {
    let (zone, rule) = (stockholm(), stockholm_by_rule());
    let mut at = super::swedish("2024-01-01 00:00");
    while at < super::swedish("2030-01-01 00:00") {
        assert_eq!(zone.to_offset(at), rule.to_offset(at), "{at}");
        at += jiff::SignedDuration::from_hours(1);
    }
}

#[test]
fn local_time_is_swedish_summer_and_winter() {
    let at = |utc: &str| local(utc.parse().expect("an instant")).datetime().to_string();
    assert_eq!(at("2026-01-15T12:00:00Z"), "2026-01-15T13:00:00");
    assert_eq!(at("2026-07-15T12:00:00Z"), "2026-07-15T14:00:00");
    assert_eq!(at("2026-03-29T00:59:59Z"), "2026-03-29T01:59:59");
    assert_eq!(at("2026-03-29T01:00:00Z"), "2026-03-29T03:00:00");
    assert_eq!(at("2026-12-31T23:30:00Z"), "2027-01-01T00:30:00");
}

proptest! {
    #[test]
    fn easter_is_a_sunday_between_its_bounds_in_every_year(year in -9999i16..=9999) {
        let easter = easter_sunday(year);
        prop_assert!(easter >= date(year, 3, 22) && easter <= date(year, 4, 25));
        if year >= 1583 {
            prop_assert_eq!(easter.weekday(), Weekday::Sunday);
        }
    }

    #[test]
    fn the_next_working_day_is_the_first_one_and_near(days_on in 0i64..40_000) {
        let day = date(1990, 1, 1).saturating_add(jiff::ToSpan::days(days_on));
        let next = next_working_day(day);
        prop_assert!(is_working_day(next) && next > day);
        let between = day.series(jiff::ToSpan::day(1)).skip(1).take_while(|d| *d < next);
        let free: Vec<_> = between.collect();
        prop_assert!(free.iter().all(|d| !is_working_day(*d)));
        // Christmas Eve on a Thursday is the longest: Thursday to Sunday.
        prop_assert!(free.len() <= 5, "{:?}", free);
    }
}

#[test]
fn the_ends_of_the_calendar_are_no_trap() {
    assert_eq!(next_working_day(Date::MAX), Date::MAX);
    assert!(next_working_day(Date::MIN) > Date::MIN);
    assert!(!is_public_holiday(date(-9999, 2, 2)) || date(-9999, 2, 2).weekday() == Sun);
}
