//! The circuit breaker of an account, whatever happens in whatever order; and how near the end of a login is.

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::swedish;
use crate::domain::breaker::{Breaker, Event, Trouble, ceiling, growing};
use crate::domain::connection::{Nearing, nearing, when};

/// What happens, with the seconds that pass before it.
#[derive(Clone, Copy, Debug)]
enum Step {
    Answered,
    Failed(Trouble, Option<i64>),
    Nothing,
}

fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let trouble = proptest::sample::select(Trouble::ALL);
    let step = prop_oneof![
        2 => Just(Step::Answered),
        6 => (trouble, proptest::option::weighted(0.2, 0..7_200_i64))
            .prop_map(|(why, wait)| Step::Failed(why, wait)),
        3 => Just(Step::Nothing),
    ];
    proptest::collection::vec((0..1_200_i64, step), 1..60)
}

fn secs(n: i64) -> SignedDuration {
    SignedDuration::from_secs(n)
}

fn failed(why: Trouble, at: Timestamp) -> Event {
    Event::Failed { why, at, not_before: None, ceiling: ceiling(None) }
}

proptest! {
    #[test]
    fn no_rest_is_longer_than_the_ceiling_unless_the_platform_asks_for_it(
        steps in steps(), within in proptest::option::of(1..240_i64),
    ) {
        let most = ceiling(within.map(SignedDuration::from_mins));
        // Two probes fit between two looks that the policy wants.
        prop_assert!(within.is_none_or(|min| most <= secs(min * 30)));
        let mut at = swedish("2026-11-23 08:00");
        let mut breaker = Breaker::new(at);
        for (passed, step) in steps {
            at += secs(passed);
            let before = breaker.on(Event::Tick { at });
            prop_assert_eq!(before.on(Event::Tick { at }), before, "time alone changes it once");
            // Only the end of the rest lets a probe out.
            if let (Breaker::Open { until, .. }, Breaker::HalfOpen { .. }) = (breaker, before) {
                prop_assert!(at >= until);
            }
            breaker = match step {
                Step::Nothing => before,
                Step::Answered => {
                    let well = before.on(Event::Answered { next_at: at + secs(60) });
                    prop_assert_eq!(well, Breaker::new(at + secs(60)), "one answer closes it");
                    well
                }
                Step::Failed(why, wait) => {
                    let not_before = wait.map(|wait| at + secs(wait));
                    let after = before.on(Event::Failed { why, at, not_before, ceiling: most });
                    let next = after.next_at().unwrap();
                    prop_assert!(next > at, "no failure is met by asking again at once");
                    prop_assert!(next <= (at + most).max(not_before.unwrap_or(at)));
                    prop_assert!(not_before.is_none_or(|theirs| next >= theirs));
                    prop_assert_eq!(after.failures(), before.failures() + 1);
                    // What has opened stays open, since the same moment, until an answer.
                    if let Some((_, since)) = before.opened() {
                        prop_assert_eq!(after.opened().map(|(_, since)| since), Some(since));
                    }
                    // A wait that is asked for opens nothing and explains nothing.
                    if why == Trouble::Asked {
                        prop_assert_eq!(after.opened(), before.opened());
                    }
                    if why.needs_a_person() {
                        prop_assert_eq!(after.opened().map(|(why, _)| why), Some(why));
                    }
                    after
                }
            };
        }
    }

    #[test]
    fn it_opens_at_the_fifth_failure_of_one_kind_in_a_row_and_not_before(
        others in proptest::collection::vec(any::<bool>(), 0..40),
    ) {
        let at = swedish("2026-11-23 08:00");
        let (mut breaker, mut in_a_row) = (Breaker::new(at), 0);
        for is_other in others {
            let why = if is_other { Trouble::Asked } else { Trouble::NoAnswer };
            in_a_row = if is_other { 0 } else { in_a_row + 1 };
            breaker = breaker.on(failed(why, at));
            if in_a_row == 5 {
                prop_assert!(breaker.opened().is_some());
                return Ok(());
            }
            prop_assert!(breaker.opened().is_none());
        }
    }
}

#[test]
fn rests_grow_from_probe_to_probe() {
    let mut at = swedish("2026-11-23 08:00");
    let (mut breaker, mut last) = (Breaker::new(at), SignedDuration::ZERO);
    for n in 0..30 {
        breaker = breaker.on(failed(Trouble::NoAnswer, at));
        let next = breaker.next_at().unwrap();
        let rest = next.duration_since(at);
        assert!(rest >= last, "{n}: {rest} after {last}");
        assert_eq!(rest, growing(n, ceiling(None)));
        (at, last) = (next, rest);
        breaker = breaker.on(Event::Tick { at });
    }
    assert_eq!(last, SignedDuration::from_mins(15));
    assert!(matches!(breaker, Breaker::HalfOpen { failures: 30, .. }), "{breaker:?}");
}

#[test]
fn the_end_of_a_login_nears_in_steps_of_21_7_and_1_days() {
    let today = date(2026, 11, 23);
    let table = [
        (date(2026, 12, 15), None, "om 22 dagar"),
        (date(2026, 12, 14), Some(Nearing::ThreeWeeks), "om 21 dagar"),
        (date(2026, 12, 1), Some(Nearing::ThreeWeeks), "om 8 dagar"),
        (date(2026, 11, 30), Some(Nearing::Week), "om 7 dagar"),
        (date(2026, 11, 25), Some(Nearing::Week), "om 2 dagar"),
        (date(2026, 11, 24), Some(Nearing::Day), "i morgon"),
        (date(2026, 11, 23), Some(Nearing::Day), "i dag"),
        (date(2026, 11, 22), Some(Nearing::Over), "i går"),
        (date(2026, 10, 1), Some(Nearing::Over), "för 53 dagar sedan"),
    ];
    for (ends, near, words) in table {
        assert_eq!((nearing(ends, today), when(ends, today).as_str()), (near, words), "{ends}");
    }
}
