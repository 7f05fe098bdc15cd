//! When people are told: quiet hours, growing waits, and the points at which a deadline goes on.

use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp};

use super::swedish;
use crate::domain::category::{Category, Severity};
use crate::domain::escalation::{Escalation, EscalationStep};
use crate::domain::notice::{QuietHours, Urgency, is_given_up, next_try};

#[test]
fn what_does_not_hurry_waits_for_the_next_open_hour() {
    let quiet = |free_days| QuietHours {
        opens: Time::constant(7, 0, 0, 0),
        closes: Time::constant(20, 0, 0, 0),
        free_days,
    };
    for (at, weekends_quiet, weekends_open) in [
        // A Friday by day and by night, a Saturday, a Sunday night, Christmas Eve.
        ("2026-11-20 12:00", "2026-11-20 12:00", "2026-11-20 12:00"),
        ("2026-11-20 06:59", "2026-11-20 07:00", "2026-11-20 07:00"),
        ("2026-11-20 20:00", "2026-11-23 07:00", "2026-11-21 07:00"),
        ("2026-11-21 12:00", "2026-11-23 07:00", "2026-11-21 12:00"),
        ("2026-11-22 23:30", "2026-11-23 07:00", "2026-11-23 07:00"),
        ("2026-12-24 10:00", "2026-12-28 07:00", "2026-12-24 10:00"),
        // The night when the clock goes forward.
        ("2026-03-29 01:30", "2026-03-30 07:00", "2026-03-29 07:00"),
    ] {
        assert_eq!(quiet(true).next_open(swedish(at)), swedish(weekends_quiet), "{at}");
        assert_eq!(quiet(false).next_open(swedish(at)), swedish(weekends_open), "{at}");
    }
}

#[test]
fn only_life_and_grave_threats_are_told_at_night() {
    for (rank, category, severity, expected) in [
        (0, Some(Category::Case), Some(Severity::High), Urgency::Life),
        (2, Some(Category::Threat), Some(Severity::High), Urgency::Threat),
        // What came back stays as grave as it was.
        (1, Some(Category::Incitement), Some(Severity::High), Urgency::Threat),
        (3, Some(Category::Threat), Some(Severity::Medium), Urgency::Ordinary),
        (3, Some(Category::Profanity), Some(Severity::High), Urgency::Ordinary),
        (3, None, None, Urgency::Ordinary),
    ] {
        assert_eq!(Urgency::of(rank, category, severity), expected, "{category:?}");
    }
}

#[test]
fn tries_grow_apart_and_end_at_a_person() {
    let made = swedish("2026-11-20 12:00");
    let tries = |urgent| {
        let (mut now, mut n, mut waits) = (made, 0, Vec::new());
        while let Some(next) = next_try(made, now, n + 1, urgent) {
            waits.push(next.duration_since(now).as_mins());
            (now, n) = (next, n + 1);
        }
        (waits, now.duration_since(made))
    };
    let (urgent, took) = tries(true);
    assert_eq!(urgent, [1, 2, 5, 15]);
    assert!(took <= SignedDuration::from_mins(30));
    let (others, took) = tries(false);
    assert_eq!(others[..7], [1, 2, 5, 15, 30, 60, 60]);
    assert!(took > SignedDuration::from_hours(23) && took <= SignedDuration::from_hours(24));
    assert_eq!(next_try(made, Timestamp::MAX, 1, false), None);
}

#[test]
fn what_waited_for_a_morning_is_tried_as_long_as_anything_else() {
    // Made on a Friday night, tried first on Monday at seven: counted from there.
    let opens = swedish("2026-11-23 07:00");
    assert_eq!(next_try(opens, opens, 1, false), Some(swedish("2026-11-23 07:01")));
    assert!(!is_given_up(opens, swedish("2026-11-24 07:00"), false));
    assert!(is_given_up(opens, swedish("2026-11-24 07:01"), false));
    assert!(is_given_up(opens, swedish("2026-11-23 07:31"), true));
}

#[test]
fn a_deadline_goes_on_in_order_and_each_step_once() {
    use EscalationStep::{Administrator, Owner, Substitute};
    let (since, due) = (swedish("2026-11-20 08:00"), swedish("2026-11-21 08:00"));
    let points = Escalation::default();
    let one = "2026-11-21 02:00";
    for (now, taken, ready, next) in [
        ("2026-11-21 01:59", &[][..], None, Some("2026-11-21 02:00")),
        (one, &[], Some(Owner), Some("2026-11-21 08:00")),
        ("2026-11-21 03:00", &[(Owner, one)], None, Some("2026-11-21 08:00")),
        ("2026-11-21 08:00", &[(Owner, one)], Some(Substitute), Some("2026-11-21 09:00")),
        // The program was away over it: nobody is left out, and nobody told before the one before them
        // could do something.
        ("2026-11-22 08:00", &[], Some(Owner), Some("2026-11-22 08:15")),
        ("2026-11-22 08:14", &[(Owner, "2026-11-22 08:00")], None, Some("2026-11-22 08:15")),
        (
            "2026-11-22 08:15",
            &[(Owner, "2026-11-22 08:00")],
            Some(Substitute),
            Some("2026-11-22 08:30"),
        ),
        // Nobody stood in, so it went to the administrator: it does not go back.
        ("2026-11-22 08:15", &[(Administrator, one)], None, None),
    ] {
        let taken: Vec<_> = taken.iter().map(|(step, at)| (*step, swedish(at))).collect();
        let found = points.due(since, due, &taken, swedish(now));
        assert_eq!(found, (ready, next.map(swedish)), "{now}");
    }
    // What is due at once: some minutes for each, counted from when somebody could see it.
    for before in ["2026-11-20 08:00", "2026-11-19 23:00"] {
        let at = |step| points.at(step, since, swedish(before));
        assert_eq!(at(Owner), since + SignedDuration::from_secs(675));
        assert_eq!(at(Substitute), swedish("2026-11-20 08:15"));
        assert_eq!(at(Administrator), swedish("2026-11-20 09:15"));
    }
    // The administrator never before the substitute.
    let late = Escalation { substitute_after_min: 90, ..points };
    assert_eq!(late.at(Administrator, since, due), late.at(Substitute, since, due));
    assert!(late.at(Owner, Timestamp::MIN, Timestamp::MAX) <= Timestamp::MAX);
    assert!(late.at(Administrator, Timestamp::MAX, Timestamp::MIN) <= Timestamp::MAX);
}
