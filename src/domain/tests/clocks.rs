//! The clocks and recurring dates of the five rulebooks, row by row (duties, section 2), and the second
//! reading of 48 hours against a count of its own.

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::{instants, swedish};
use crate::domain::calendar::{OfficeHours, is_working_day, local, stockholm};
use crate::domain::deadline::{Clock, FortyEight, due, warned_at};
use crate::domain::duties::{
    Accounts, Archive, Duties, Signature, Watch, Watching, a_year_after, is_mid_term,
};
use crate::domain::supervision::DayKept;

use proptest::prelude::*;

/// 48 office hours after it was received (opening 08:00, closing 16:30): five working days and five and a
/// half hours. Counted minute by minute outside this program.
const OFFICE_48H: &[(&str, &str)] = &[
    // Good Friday and Easter Monday between.
    ("2025-04-17 15:00", "2025-04-29 12:00"),
    // The national day, a Friday.
    ("2025-06-05 10:00", "2025-06-13 15:30"),
    // Midsummer Eve.
    ("2025-06-19 14:00", "2025-06-30 11:00"),
    // Christmas and New Year.
    ("2025-12-23 12:00", "2026-01-08 09:00"),
    ("2025-12-30 17:00", "2026-01-12 13:30"),
    ("2026-01-05 09:30", "2026-01-13 15:00"),
    // A Saturday; the clock changes on Sunday.
    ("2026-03-28 12:00", "2026-04-08 13:30"),
    ("2026-10-24 12:00", "2026-11-02 13:30"),
    // Ascension Day: a minute before closing, and at closing.
    ("2026-05-13 16:29", "2026-05-22 13:29"),
    ("2026-05-13 16:30", "2026-05-22 13:30"),
    ("2027-03-25 08:00", "2027-04-05 13:30"),
    ("2027-12-23 12:00", "2028-01-04 09:00"),
    ("2028-02-29 13:00", "2028-03-08 10:00"),
    ("2028-06-22 16:00", "2028-07-03 13:00"),
];

/// Every quarter of 2025 to 2028 in which the office is open, as instants, walked one by one on the UTC
/// line: nothing of the code that is tested but which days are working days, which has tables of its own.
fn open_quarters() -> Vec<Timestamp> {
    let mut quarters = Vec::with_capacity(40_000);
    let mut at = swedish("2025-01-01 00:00");
    let end = swedish("2029-06-01 00:00");
    let zone = stockholm();
    while at < end {
        let wall = at.to_zoned(zone.clone());
        let minutes = i32::from(wall.hour()) * 60 + i32::from(wall.minute());
        if (8 * 60..16 * 60 + 30).contains(&minutes) && is_working_day(wall.date()) {
            quarters.push(at);
        }
        // Days without open hours are left at once.
        let near = (6 * 60..16 * 60 + 30).contains(&minutes);
        let hop = if near { 15 } else { 60 };
        at += SignedDuration::from_mins(hop);
    }
    quarters
}

#[test]
fn t06_48_office_hours_equal_an_independent_count_for_four_years() {
    let office = OfficeHours::default();
    let quarters = open_quarters();
    let quarter = SignedDuration::from_mins(15);
    let mut n = 0;
    // Received within an open quarter, or as it begins: 192 quarters later it is due.
    for (i, start) in quarters.iter().enumerate().take(quarters.len() - 250) {
        // Every seventh: all quarters of the day in turn.
        if i % 7 != 0 || local(*start).year() > 2028 {
            continue;
        }
        let last = quarters[i + 191];
        assert_eq!(due(Clock::OFFICE_48H, *start, office), last + quarter, "{start}");
        n += 1;
    }
    assert!(n > 4_500, "{n}");
    for (received, expected) in OFFICE_48H {
        assert_eq!(
            due(Clock::OFFICE_48H, swedish(received), office),
            swedish(expected),
            "{received}"
        );
    }
}

#[test]
fn t06_both_readings_of_48_hours_are_told_apart_and_named() {
    let office = OfficeHours::default();
    let at = swedish("2026-05-11 09:00");
    let table = [
        (FortyEight::WorkingDays, "2026-05-13 09:00", "två arbetsdagar"),
        // Thursday is Ascension Day.
        (FortyEight::OfficeHours, "2026-05-19 14:30", "medan det är öppet"),
    ];
    for (reading, expected, words) in table {
        assert_eq!(due(reading.clock(), at, office), swedish(expected));
        assert!(reading.label().contains(words));
    }
}

#[test]
fn every_hour_of_ten_years_keeps_the_rules_of_every_clock() {
    let office = OfficeHours::default();
    let clocks = [
        Clock::TERROR_1H,
        Clock::ELAPSED_24H,
        Clock::INCIDENT_72H,
        Clock::NextWorkingDay,
        Clock::TWO_WORKING_DAYS,
        Clock::OFFICE_48H,
    ];
    let mut before: [Timestamp; 6] = [Timestamp::MIN; 6];
    let mut at = swedish("2024-01-01 00:00");
    let end = swedish("2034-01-01 00:00");
    let mut hours = 0;
    while at < end {
        for (clock, before) in clocks.iter().zip(&mut before) {
            let then = due(*clock, at, office);
            assert!(then > at, "{clock:?} {at}");
            assert!(then >= *before, "{clock:?} {at}: a later one is due earlier");
            *before = then;
            match clock {
                // Nights, holidays and the changes of the clock are counted: nothing pauses.
                Clock::Elapsed { hours } => {
                    assert_eq!(
                        then.duration_since(at),
                        SignedDuration::from_hours((*hours).into())
                    );
                }
                Clock::AtOnce => assert_eq!(then, at),
                Clock::NextWorkingDay | Clock::WorkingDays { .. } | Clock::OfficeHours { .. } => {
                    let wall = local(then);
                    assert!(is_working_day(wall.date()), "{clock:?} {at}: {then}");
                    assert!(wall.time() >= office.opens && wall.time() <= office.closes, "{at}");
                }
            }
        }
        at += SignedDuration::from_hours(1);
        hours += 1;
    }
    assert_eq!(hours, (365 * 10 + 3) * 24, "every hour, the skipped and the doubled ones too");
}

proptest! {
    #[test]
    fn equal_in_equal_out_and_every_number_with_a_unit_is_read_back(
        at in instants(), n in 1u16..60, unit in 0usize..3
    ) {
        let clock = [Clock::Elapsed { hours: n }, Clock::WorkingDays { days: n }, Clock::OfficeHours { hours: n }][unit];
        let office = OfficeHours::default();
        prop_assert_eq!(due(clock, at, office), due(clock, at, office));
        prop_assert_eq!(Clock::from_id(&clock.id()), Some(clock));
        let warned = warned_at(at, due(clock, at, office));
        prop_assert!(warned >= at && warned <= due(clock, at, office));
        prop_assert!(!clock.label().is_empty());
    }
}

#[test]
fn clocks_that_are_none_are_not_read() {
    for id in [
        "",
        "0 timmar",
        "timmar",
        "-3 timmar",
        "99999 timmar",
        "61 arbetsdagar",
        "3 dagar",
        "svar 48",
    ] {
        assert_eq!(Clock::from_id(id), None, "{id}");
    }
}

#[test]
fn t01_t03_as_soon_as_possible_is_the_same_working_day() {
    let office = OfficeHours::default();
    let clock = Clock::NextWorkingDay;
    assert_eq!(due(clock, swedish("2026-11-19 15:00"), office), swedish("2026-11-19 16:30"));
    assert_eq!(due(clock, swedish("2026-11-20 17:00"), office), swedish("2026-11-23 16:30"));
}

#[test]
fn t02_24_hours_are_hours_on_the_clock_with_a_warning_at_three_quarters() {
    let office = OfficeHours::default();
    // A Friday evening before All Saints: no pause.
    let at = swedish("2026-10-30 20:00");
    let then = due(Clock::ELAPSED_24H, at, office);
    assert_eq!(then, swedish("2026-10-31 20:00"));
    assert_eq!(warned_at(at, then), swedish("2026-10-31 14:00"));
}

#[test]
fn t04_immediately_is_due_the_moment_it_came() {
    let at = swedish("2026-12-24 23:10");
    assert_eq!(due(Clock::AtOnce, at, OfficeHours::default()), at);
    assert_eq!(Clock::AtOnce.label(), "genast");
}

#[test]
fn t05_questions_of_a_weekend_are_due_the_nearest_working_day() {
    let office = OfficeHours::default();
    for (received, expected) in [
        ("2026-11-21 10:00", "2026-11-23 16:30"),
        // Maundy Thursday after closing: Tuesday after Easter.
        ("2026-04-02 16:30", "2026-04-07 16:30"),
        ("2026-06-18 17:00", "2026-06-22 16:30"),
        ("2026-12-23 17:00", "2026-12-28 16:30"),
        ("2026-12-30 18:00", "2027-01-04 16:30"),
    ] {
        assert_eq!(
            due(Clock::NextWorkingDay, swedish(received), office),
            swedish(expected),
            "{received}"
        );
    }
}

fn watching(how: Watch, gap_min: Option<u16>) -> Watching {
    Watching { how, gap_min, crisis_gap_min: 30, crisis_who: None }
}

/// The days of a stretch that the log marks as missed, when somebody looked at noon on `looked`.
fn missed(watching: &Watching, first: Date, last: Date, looked: &[Date]) -> Vec<Date> {
    let noon = |day: &Date| swedish(&format!("{day} 12:00"));
    let days = std::iter::successors(Some(first), |day| day.tomorrow().ok());
    let days = days.take_while(|day| *day <= last);
    let kept = |day: &Date| {
        let looks: Vec<_> = looked.iter().filter(|seen| *seen == day).map(noon).collect();
        watching.kept(*day, &looks, OfficeHours::default(), false, swedish("2027-06-01 12:00"))
    };
    days.filter(|day| kept(day) == DayKept::Missed).collect()
}

#[test]
fn t10_daily_watching_misses_every_day_without_a_look_holidays_of_the_owner_included() {
    let looked = [date(2026, 12, 23), date(2026, 12, 25), date(2026, 12, 28)];
    let daily = watching(Watch::Daily, None);
    let missed = missed(&daily, date(2026, 12, 23), date(2026, 12, 28), &looked);
    assert_eq!(missed, [date(2026, 12, 24), date(2026, 12, 26), date(2026, 12, 27)]);
}

#[test]
fn t13_weekdays_that_are_no_holidays_are_watched() {
    let weekdays = watching(Watch::WorkingDays, None);
    let christmas = missed(&weekdays, date(2026, 12, 23), date(2026, 12, 28), &[]);
    assert_eq!(christmas, [date(2026, 12, 23), date(2026, 12, 28)]);
    let easter = missed(&weekdays, date(2026, 4, 2), date(2026, 4, 7), &[]);
    assert_eq!(easter, [date(2026, 4, 2), date(2026, 4, 7)]);
}

#[test]
fn t12_t14_open_comments_have_a_longest_gap_and_crises_a_shorter_one() {
    let open = watching(Watch::WorkingDays, Some(120));
    assert_eq!(open.gap_min(false), Some(120));
    assert_eq!(open.gap_min(true), Some(30));
    assert_eq!(watching(Watch::Regularly, None).gap_min(false), None);
    assert_eq!(watching(Watch::Regularly, None).gap_min(true), Some(30));
}

fn accounts() -> Accounts {
    Duties::default().accounts
}

#[test]
fn t15_t16_the_inventory_is_february_from_its_first_day_to_its_last() {
    for (year, last) in [(2025, 28), (2026, 28), (2027, 28), (2028, 29)] {
        assert_eq!(accounts().inventory(year), Some((date(year, 2, 1), date(year, 2, last))));
    }
    assert_eq!(Accounts { inventory_month: None, ..accounts() }.inventory(2026), None);
}

#[test]
fn t17_t18_t26_what_is_yearly_comes_back_the_same_day() {
    assert_eq!(a_year_after(date(2026, 11, 22)), date(2027, 11, 22));
    assert_eq!(a_year_after(date(2028, 2, 29)), date(2029, 2, 28));
    assert!(a_year_after(Date::MAX) <= Date::MAX);
}

fn archive(days: &[(i8, i8)]) -> Archive {
    Archive { per_year: None, days: days.to_vec(), at_closing: false, before_redesign: true }
}

#[test]
fn t19_t20_accounts_are_captured_on_their_days_and_on_no_free_day() {
    let yearly = archive(&[(10, 15)]);
    assert_eq!(yearly.next(date(2026, 11, 22)), Some(date(2027, 10, 15)));
    let twice = archive(&[(4, 15), (10, 15)]);
    for year in 2025..=2034 {
        let days = twice.in_year(year);
        assert_eq!(days.len(), 2);
        assert!(days.iter().all(|day| is_working_day(*day)), "{days:?}");
    }
    // A Saturday gives way to Monday, and is not asked for again.
    assert_eq!(archive(&[(8, 22)]).next(date(2026, 8, 22)), Some(date(2026, 8, 24)));
    assert_eq!(archive(&[(8, 22)]).next(date(2026, 8, 24)), Some(date(2027, 8, 23)));
    assert_eq!(archive(&[]).next(date(2026, 8, 22)), None);
}

#[test]
fn t21_mid_term_is_neither_summer_nor_christmas() {
    let mut terms = Vec::new();
    let mut day = date(2027, 1, 1);
    let mut before = false;
    while day.year() == 2027 {
        let now = is_mid_term(day.month(), day.day());
        if now != before {
            terms.push((day.month(), day.day(), now));
        }
        before = now;
        day += 1.day();
    }
    assert_eq!(terms, [(1, 15, true), (6, 7, false), (8, 20, true), (12, 15, false)]);
}

#[test]
fn t23_an_account_closes_two_weeks_after_it_was_told() {
    assert_eq!(accounts().may_close(date(2026, 12, 20)), Some(date(2027, 1, 3)));
    assert_eq!(Accounts { notice_days: None, ..accounts() }.may_close(date(2026, 12, 20)), None);
}

#[test]
fn t24_fewer_than_the_least_number_of_holders_is_an_alarm() {
    let two = accounts();
    assert!(two.lacks_holders(0) && two.lacks_holders(1) && !two.lacks_holders(2));
    assert!(!Accounts { least_holders: 1, ..two }.lacks_holders(1));
}

#[test]
fn t25_an_incident_has_72_hours_and_an_order_on_terror_one_whatever_the_day() {
    let office = OfficeHours::default();
    let at = swedish("2026-04-02 22:00");
    assert_eq!(due(Clock::INCIDENT_72H, at, office), swedish("2026-04-05 22:00"));
    assert_eq!(due(Clock::TERROR_1H, at, office), swedish("2026-04-02 23:00"));
    // Over the night when the clock goes forward: an hour later on the wall.
    assert_eq!(
        due(Clock::INCIDENT_72H, swedish("2026-03-27 12:00"), office),
        swedish("2026-03-30 13:00")
    );
}

#[test]
fn answers_are_signed_in_the_form_of_the_policy() {
    let table = [
        (Signature::Free, None),
        (Signature::Contact, None),
        (Signature::FirstName, Some("Kim, kommunikatör")),
        (Signature::Name, Some("Kim Exempel, kommunikatör")),
        (Signature::NameOrExpert, Some("Kim Exempel, kommunikatör")),
    ];
    for (form, signed) in table {
        assert_eq!(form.of("Kim Exempel", "kommunikatör").as_deref(), signed, "{form:?}");
    }
    assert_eq!(Signature::Name.of("Kim Exempel", "").as_deref(), Some("Kim Exempel"));
}

#[test]
fn an_answer_is_signed_where_its_writer_has_not_signed_it() {
    let added = "Badet öppnar tio.\n\nKim, kommunikatör";
    let far = format!("Kim, kommunikatör skriver.{}", " Badet öppnar.".repeat(30));
    for (form, text, signed) in [
        (Signature::Free, "Badet öppnar tio.", None),
        (Signature::FirstName, "Badet öppnar tio.", Some(added)),
        (Signature::FirstName, "Badet öppnar tio. \n", Some(added)),
        (Signature::FirstName, added, None),
        (Signature::FirstName, "Hej!\n/KIM Exempel, Kommunikatör på staben", None),
        (
            Signature::FirstName,
            "Hej!\n\nEva Exempel, trafikingenjör",
            Some("Hej!\n\nEva Exempel, trafikingenjör\n\nKim, kommunikatör"),
        ),
        (Signature::NameOrExpert, "Hej!\n\nEva Exempel, trafikingenjör", None),
        (
            Signature::NameOrExpert,
            "Hej på dig, välkommen.",
            Some("Hej på dig, välkommen.\n\nKim Exempel, kommunikatör"),
        ),
    ] {
        let under = form.under(text, "Kim Exempel", "kommunikatör");
        assert_eq!(under.as_deref(), signed, "{form:?}: {text}");
    }
    assert!(
        Signature::FirstName.under(&far, "Kim Exempel", "kommunikatör").is_some(),
        "it stands last"
    );
}
