//! Whatever happens in whatever order: what holds for every run of the state machines. Their
//! matrices are kept as snapshots by `tests/it/transitions.rs`.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{instants, swedish};
use crate::domain::action::{ActionEvent, ActionState};
use crate::domain::case::{CaseEvent, CaseState, Outcome};
use crate::domain::claim::{Claim, Hold};
use crate::domain::ids::UserId;

fn action_events() -> impl Strategy<Value = ActionEvent> {
    prop_oneof![
        3 => instants().prop_map(|at| ActionEvent::Begin { at }),
        1 => instants().prop_map(|at| ActionEvent::Succeed { at, receipt: "ok".into() }),
        1 => instants().prop_map(|at| ActionEvent::FoundMoot { at, reason: "borta".into() }),
        2 => (instants(), any::<bool>()).prop_map(|(again_at, may_have_acted)| {
            ActionEvent::FailForNow { again_at, reason: "nät".into(), may_have_acted }
        }),
        1 => (instants(), any::<bool>()).prop_map(|(at, may_have_acted)| {
            ActionEvent::FailForGood { at, reason: "nekad".into(), may_have_acted }
        }),
        1 => instants().prop_map(|at| ActionEvent::Cancel { at }),
        1 => instants().prop_map(|at| ActionEvent::TryAgain { at }),
    ]
}

fn attempt(state: &ActionState) -> Option<u32> {
    match state {
        ActionState::UnderWay { attempt, .. } | ActionState::Retrying { attempt, .. } => {
            Some(*attempt)
        }
        ActionState::Pending { .. }
        | ActionState::Done { .. }
        | ActionState::Moot { .. }
        | ActionState::Failed { .. }
        | ActionState::Cancelled { .. } => None,
    }
}

proptest! {
    #[test]
    fn actions_end_once_and_are_never_forgotten(
        start in instants(),
        events in proptest::collection::vec(action_events(), 0..40),
    ) {
        let mut state = ActionState::Pending { not_before: start };
        let mut begun = false;
        for event in events {
            let before = state.clone();
            let next = state.clone().on(event.clone());
            // A final word is final; only a failure goes again, and only when a person says so.
            if before.is_settled() {
                let again = matches!(
                    (&before, &event),
                    (ActionState::Failed { .. }, ActionEvent::TryAgain { .. })
                );
                prop_assert_eq!(next.is_ok(), again);
            }
            // While the call may be out nothing takes the intent back.
            if matches!(before, ActionState::UnderWay { .. }) {
                prop_assert_eq!(
                    next.is_err(),
                    matches!(event, ActionEvent::Cancel { .. } | ActionEvent::TryAgain { .. })
                );
            }
            let Ok(next) = next else { continue };
            match &next {
                // What the platform said is only known of an act that was under way.
                ActionState::Done { .. } | ActionState::Moot { .. } => {
                    prop_assert!(matches!(before, ActionState::UnderWay { .. }), "{:?}", before);
                }
                ActionState::UnderWay { attempt: now, .. } => {
                    // The first attempt is the first only once, and once more when a person asks.
                    let asked = matches!(before, ActionState::Retrying { attempt: 0, .. });
                    prop_assert_eq!(*now == 1, !begun || asked);
                    begun = true;
                }
                ActionState::Pending { .. } => prop_assert!(false, "no way back to pending"),
                ActionState::Retrying { .. }
                | ActionState::Failed { .. }
                | ActionState::Cancelled { .. } => {}
            }
            if let (Some(a), Some(b)) = (attempt(&before), attempt(&next)) {
                prop_assert!(b >= a && b <= a + 1);
            }
            let json = serde_json::to_string(&next).expect("serialises");
            prop_assert_eq!(&serde_json::from_str::<ActionState>(&json).expect("reads back"), &next);
            state = next;
        }
    }
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        1 => Just(Outcome::CarriedOut),
        1 => Just(Outcome::Dismissed),
        1 => Just(Outcome::NotRegistered),
        1 => Just(Outcome::Registered),
    ]
}

fn case_events() -> impl Strategy<Value = CaseEvent> {
    prop_oneof![
        3 => Just(CaseEvent::Decide),
        1 => instants().prop_map(|until| CaseEvent::Hold { until }),
        1 => Just(CaseEvent::HoldEnds),
        1 => Just(CaseEvent::Undo),
        1 => Just(CaseEvent::ActionFailed { reason: "gick inte".into() }),
        2 => (any::<bool>(), outcomes()).prop_map(|(awaits_diary, outcome)| {
            CaseEvent::ActionsSettled { awaits_diary, outcome }
        }),
        1 => Just(CaseEvent::DiaryNumberEntered),
        1 => Just(CaseEvent::Reopen { reason: "ändrad".into() }),
    ]
}

proptest! {
    #[test]
    fn cases_are_never_lost_on_the_way(
        events in proptest::collection::vec(case_events(), 0..40),
    ) {
        let mut state = CaseState::Waiting;
        for event in events {
            let next = state.clone().on(event.clone());
            prop_assert_eq!(
                state.may_be_decided(),
                state.clone().on(CaseEvent::Decide).is_ok(),
                "{:?}", state
            );
            match event {
                // What the world tells is never refused: neither a changed text nor a number.
                CaseEvent::Reopen { .. } | CaseEvent::DiaryNumberEntered => prop_assert!(next.is_ok()),
                CaseEvent::Decide
                | CaseEvent::Hold { .. }
                | CaseEvent::HoldEnds
                | CaseEvent::Undo
                | CaseEvent::ActionFailed { .. }
                | CaseEvent::ActionsSettled { .. } => {}
            }
            let Ok(next) = next else { continue };
            match (&state, &next) {
                // Nothing is closed behind a person's back: only a decision's end, or a number.
                (CaseState::Waiting | CaseState::Held { .. }, CaseState::Closed { .. }) => {
                    prop_assert!(false, "{:?} closed by {:?}", state, event);
                }
                // A failure comes back to a person.
                (_, CaseState::Returned { .. }) => prop_assert!(next.needs_a_person()),
                _ => {}
            }
            let json = serde_json::to_string(&next).expect("serialises");
            prop_assert_eq!(&serde_json::from_str::<CaseState>(&json).expect("reads back"), &next);
            state = next;
        }
    }
}

#[test]
fn two_failed_actions_of_one_decision_come_back_with_the_later_reason() {
    let fail = |reason: &str| CaseEvent::ActionFailed { reason: reason.into() };
    let state = CaseState::Decided.on(fail("första")).and_then(|s| s.on(fail("andra")));
    assert_eq!(state, Ok(CaseState::Returned { reason: "andra".into() }));
}

#[test]
fn a_failed_action_that_goes_again_and_works_closes_the_case() {
    let settled = CaseEvent::ActionsSettled { awaits_diary: false, outcome: Outcome::CarriedOut };
    let state = CaseState::Returned { reason: "gick inte".into() }.on(settled);
    assert_eq!(state, Ok(CaseState::Closed { outcome: Outcome::CarriedOut }));
}

#[test]
fn a_number_that_comes_while_the_case_is_open_again_is_taken() {
    let open = CaseState::AwaitingDiary
        .on(CaseEvent::Reopen { reason: "ändrad".into() })
        .and_then(|s| s.on(CaseEvent::DiaryNumberEntered));
    assert_eq!(open, Ok(CaseState::Returned { reason: "ändrad".into() }));
}

#[test]
fn a_claim_blocks_others_until_it_runs_out() {
    let (me, other) = (UserId(1), UserId(2));
    let until = swedish("2026-05-11 12:15");
    let claim = Claim { by: me, until, hold: Hold::Opened };
    let before: Timestamp = until - SignedDuration::from_millis(1);
    assert!(!claim.blocks(me, before));
    assert!(claim.blocks(other, before));
    assert!(!claim.blocks(other, until));
}

#[test]
fn resting_loses_no_reason_and_reads_what_was_written_before_it_kept_one() {
    let returned = CaseState::Returned { reason: "Det gick inte att ta bort.".into() };
    let until = jiff::Timestamp::UNIX_EPOCH;
    let held = returned.clone().on(CaseEvent::Hold { until }).unwrap();
    let longer = held.clone().on(CaseEvent::Hold { until }).unwrap();
    assert_eq!(longer.on(CaseEvent::HoldEnds).unwrap(), returned);
    assert_eq!(held.on(CaseEvent::Undo).unwrap(), returned);
    let old: CaseState =
        serde_json::from_str(r#"{"state":"held","until":"1970-01-01T00:00:00Z"}"#).unwrap();
    assert_eq!(old, CaseState::Held { until, reason: None });
    assert_eq!(old.on(CaseEvent::HoldEnds).unwrap(), CaseState::Waiting);
}
