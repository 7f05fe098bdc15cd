//! When people are told: quiet hours, growing waits, and the points at which a deadline goes on.

use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp};

use super::swedish;
use crate::domain::category::{Category, Severity};
use crate::domain::escalation::{Escalation, EscalationStep};
use crate::domain::notice::{QuietHours, Urgency, next_try};

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
fn a_deadline_goes_on_in_order_and_each_step_once() {
    use EscalationStep::{Administrator, Owner, Substitute};
    let (opened, due) = (swedish("2026-11-20 08:00"), swedish("2026-11-21 08:00"));
    let points = Escalation::default();
    for (now, taken, ready, next) in [
        ("2026-11-21 01:59", &[][..], &[][..], Some("2026-11-21 02:00")),
        ("2026-11-21 02:00", &[], &[Owner], Some("2026-11-21 08:00")),
        ("2026-11-21 03:00", &[Owner], &[], Some("2026-11-21 08:00")),
        ("2026-11-21 08:00", &[Owner], &[Substitute], Some("2026-11-21 09:00")),
        // The program was away over it: nobody is left out.
        ("2026-11-22 08:00", &[], &[Owner, Substitute, Administrator], None),
        ("2026-11-22 08:00", &[Owner, Substitute, Administrator], &[], None),
    ] {
        let found = points.due(opened, due, taken, swedish(now));
        assert_eq!(found, (ready.to_vec(), next.map(swedish)), "{now}");
    }
    // What is due at once: the owner at once, the administrator never before the substitute.
    let late = Escalation { substitute_after_min: 90, ..points };
    assert_eq!(late.at(Owner, opened, opened), opened);
    assert_eq!(late.at(Administrator, opened, due), late.at(Substitute, opened, due));
    assert!(late.at(Owner, Timestamp::MIN, Timestamp::MAX) <= Timestamp::MAX);
}
