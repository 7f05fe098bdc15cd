//! What the platform may answer, and that each act is done once all the same.

use std::time::Duration;

use crate::domain::action::{ActionKind, ActionState};
use crate::domain::case::{CaseState, Outcome};
use crate::domain::decision::Choice;
use crate::domain::ids::CaseId;
use crate::platforms::simulate::faults::Fault;
use crate::services::tests::harness::{Stage, THREAT};

/// A call that goes as it should, before the one that does not.
const FINE: Fault = Fault::Slow(Duration::ZERO);

const TEXT: &str = "Vi har dolt din kommentar.";

fn answer() -> Choice {
    Choice::Answer { text: TEXT.into() }
}

#[tokio::test]
async fn an_answer_that_is_lost_makes_no_second_act() {
    let stage = Stage::new().await;
    let (number, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Hide, answer()]).await;
    // The answer goes first: read live, act. Then hiding: read live, read again, act.
    stage.simulator.fail_next(FINE, 1);
    stage.simulator.fail_next(Fault::LostAnswer, 1);
    stage.simulator.fail_next(FINE, 2);
    stage.simulator.fail_next(Fault::LostAnswer, 1);
    stage.act_after_undo().await;
    for kind in [ActionKind::Hide, ActionKind::Reply] {
        let state = stage.action_state(case, kind).await;
        assert!(matches!(state, ActionState::Retrying { attempt: 1, .. }), "{kind:?}: {state:?}");
    }
    assert!(stage.truth(number).hidden);
    assert_eq!(stage.answers(TEXT), 1);
    assert_eq!(stage.n_writing_calls(), 2);
    stage.wait_s(10);
    stage.act().await;
    let hide = stage.action_state(case, ActionKind::Hide).await;
    assert!(matches!(hide, ActionState::Done { .. }), "{hide:?}");
    let reply = stage.action_state(case, ActionKind::Reply).await;
    assert!(
        matches!(reply, ActionState::Retrying { attempt: 1, .. }),
        "too early to look: {reply:?}"
    );
    stage.wait_s(300);
    stage.act().await;
    let reply = stage.action_state(case, ActionKind::Reply).await;
    assert!(matches!(reply, ActionState::Done { .. }), "{reply:?}");
    assert_eq!((stage.answers(TEXT), stage.n_writing_calls()), (1, 2), "looked, did not repeat");
    assert_eq!(stage.state(case).await, CaseState::Closed { outcome: Outcome::CarriedOut });
}

/// Two people in one conversation get the same words.
async fn two_answers_in_one_conversation(stage: &Stage) -> (CaseId, CaseId) {
    let top = stage.simulator.write("Kim Exempel", "Hej alla", None);
    let mut cases = Vec::new();
    for text in [THREAT, "Håll käften din jävla idiot, jag ska slå dig."] {
        let number = stage.simulator.write("Robin Påhitt", text, Some(top));
        stage.wait_s(150);
        stage.take_in_plainly().await;
        cases.push(stage.case_of(number).await);
    }
    stage.decide(cases[0], vec![answer()]).await;
    stage.act_after_undo().await;
    assert_eq!(stage.answers(TEXT), 1);
    stage.decide(cases[1], vec![answer()]).await;
    (cases[0], cases[1])
}

#[tokio::test]
async fn an_older_answer_with_the_same_words_is_not_taken_for_this_one() {
    let stage = Stage::new().await;
    let (_, case) = two_answers_in_one_conversation(&stage).await;
    // Surely not sent: the platform asks us to wait.
    stage.simulator.fail_next(FINE, 1);
    stage.simulator.fail_next(Fault::PageLimit { minutes: 1 }, 1);
    stage.act_after_undo().await;
    let reply = stage.action_state(case, ActionKind::Reply).await;
    assert!(matches!(reply, ActionState::Retrying { may_have_acted: false, .. }), "{reply:?}");
    stage.wait_s(120);
    stage.act().await;
    let reply = stage.action_state(case, ActionKind::Reply).await;
    assert!(matches!(reply, ActionState::Done { .. }), "{reply:?}");
    assert_eq!(stage.answers(TEXT), 2, "both were answered");
}

#[tokio::test]
async fn an_answer_that_may_have_gone_out_and_is_not_found_is_left_to_a_person() {
    let stage = Stage::new().await;
    let (_, case) = two_answers_in_one_conversation(&stage).await;
    // The platform falls ill over it, before it has taken anything.
    stage.simulator.fail_next(FINE, 1);
    stage.simulator.fail_next(Fault::ServerError, 1);
    stage.act_after_undo().await;
    let reply = stage.action_state(case, ActionKind::Reply).await;
    assert!(matches!(reply, ActionState::Retrying { may_have_acted: true, .. }), "{reply:?}");
    stage.wait_s(60);
    stage.act().await;
    let reply = stage.action_state(case, ActionKind::Reply).await;
    assert!(matches!(reply, ActionState::Retrying { .. }), "too early to look: {reply:?}");
    stage.wait_s(300);
    stage.act().await;
    let reply = stage.action_state(case, ActionKind::Reply).await;
    let ActionState::Failed { reason, .. } = reply else { panic!("{reply:?}") };
    insta::assert_snapshot!(reason, @"Svaret kan ha skickats, men plattformens bekräftelse kom aldrig fram och svaret syns inte där än. Titta på plattformen innan du försöker igen, så att det inte skickas två gånger.");
    assert_eq!(stage.answers(TEXT), 1, "nothing was sent again by itself");
    stage.try_again(case, ActionKind::Reply).await.unwrap();
    stage.act().await;
    let reply = stage.action_state(case, ActionKind::Reply).await;
    assert!(matches!(reply, ActionState::Done { .. }), "{reply:?}");
    assert_eq!(stage.answers(TEXT), 2, "a person asked for it");
}

/// An editor answers a harmless question; its author makes something else of it meanwhile.
#[tokio::test]
async fn an_answer_and_a_showing_again_are_not_carried_out_on_a_text_that_nobody_read() {
    let stage = Stage::new().await;
    let (asked, question) = stage.written(THREAT).await;
    let (shown, hidden) = stage.written(&format!("{THREAT} Hör du!")).await;
    stage.decide(hidden, vec![Choice::Hide]).await;
    stage.act_after_undo().await;
    assert!(stage.truth(shown).hidden);
    stage.decide(question, vec![answer()]).await;
    stage.decide(hidden, vec![Choice::Unhide]).await;
    for number in [asked, shown] {
        stage.simulator.edit(number, "Ska badet läggas ner?");
    }
    stage.act_after_undo().await;
    for (case, kind) in [(question, ActionKind::Reply), (hidden, ActionKind::Unhide)] {
        let state = stage.action_state(case, kind).await;
        assert!(
            matches!(&state, ActionState::Failed { reason, .. } if reason.contains("ändrats")),
            "{state:?}"
        );
    }
    assert_eq!(stage.answers(TEXT), 0);
    assert!(stage.truth(shown).hidden);
}

#[tokio::test]
async fn nothing_is_deleted_while_its_answer_waits_to_go_again() {
    let stage = Stage::new().await;
    let (number, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Delete, answer()]).await;
    // The answer goes first, and does not get through.
    stage.simulator.fail_next(Fault::ServerError, 1);
    stage.act_after_undo().await;
    let reply = stage.action_state(case, ActionKind::Reply).await;
    assert!(matches!(reply, ActionState::Retrying { attempt: 1, .. }), "{reply:?}");
    let delete = stage.action_state(case, ActionKind::Delete).await;
    assert!(matches!(delete, ActionState::Pending { .. }), "{delete:?}");
    assert!(!stage.truth(number).deleted, "nobody can answer what is gone");
    let due = stage.store().due_actions(stage.now(), 50).await.unwrap();
    assert_eq!(due, [], "what waits does not keep the outbox awake");
    stage.wait_s(60);
    stage.act().await;
    stage.act().await;
    let reply = stage.action_state(case, ActionKind::Reply).await;
    assert!(matches!(reply, ActionState::Done { .. }), "{reply:?}");
    assert!(stage.truth(number).deleted);
    assert_eq!(stage.state(case).await, CaseState::Closed { outcome: Outcome::CarriedOut });
}

#[tokio::test]
async fn an_answer_that_will_never_go_holds_no_deletion_back() {
    let stage = Stage::new().await;
    let (number, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Delete, answer()]).await;
    stage.simulator.fail_next(Fault::ExpiredToken, 1);
    stage.act_after_undo().await;
    let reply = stage.action_state(case, ActionKind::Reply).await;
    assert!(matches!(reply, ActionState::Failed { .. }), "{reply:?}");
    assert!(stage.truth(number).deleted);
    assert!(matches!(stage.state(case).await, CaseState::Returned { .. }));
}

#[tokio::test]
async fn a_hiding_does_not_wait_since_what_is_hidden_can_be_answered() {
    let stage = Stage::new().await;
    let (number, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Hide, answer()]).await;
    stage.simulator.fail_next(Fault::PageLimit { minutes: 1 }, 1);
    stage.act_after_undo().await;
    let reply = stage.action_state(case, ActionKind::Reply).await;
    assert!(matches!(reply, ActionState::Retrying { .. }), "{reply:?}");
    assert!(stage.truth(number).hidden);
    stage.wait_s(120);
    stage.act().await;
    assert_eq!(stage.answers(TEXT), 1);
}

#[tokio::test]
async fn what_somebody_else_did_after_a_call_that_never_went_is_not_called_ours() {
    let stage = Stage::new().await;
    let (number, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Hide]).await;
    // The look before the act does not go through, so nothing has been asked for yet.
    stage.simulator.fail_next(Fault::ServerError, 1);
    stage.act_after_undo().await;
    let state = stage.action_state(case, ActionKind::Hide).await;
    assert!(matches!(state, ActionState::Retrying { attempt: 1, .. }), "{state:?}");
    stage.simulator.hide(number);
    stage.wait_s(10);
    stage.act().await;
    let state = stage.action_state(case, ActionKind::Hide).await;
    assert!(matches!(state, ActionState::Moot { .. }), "{state:?}");
    assert_eq!(stage.n_writing_calls(), 0);
}

#[tokio::test]
async fn what_a_person_did_by_hand_after_a_refusal_is_not_called_ours() {
    let stage = Stage::new().await;
    let (number, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Hide]).await;
    stage.simulator.fail_next(Fault::ExpiredToken, 1);
    stage.act_after_undo().await;
    assert!(matches!(stage.state(case).await, CaseState::Returned { .. }));
    stage.simulator.hide(number);
    stage.try_again(case, ActionKind::Hide).await.unwrap();
    stage.act().await;
    let state = stage.action_state(case, ActionKind::Hide).await;
    assert!(matches!(state, ActionState::Moot { .. }), "{state:?}");
}

#[tokio::test]
async fn an_act_that_fails_for_now_goes_again_with_growing_waits() {
    let stage = Stage::new().await;
    let (number, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Hide]).await;
    stage.clock.advance(crate::services::tests::harness::UNDO);
    let mut last = 0;
    for round in 1..4 {
        stage.simulator.fail_next(Fault::ServerError, 1);
        stage.act().await;
        let state = stage.action_state(case, ActionKind::Hide).await;
        let ActionState::Retrying { at, attempt, .. } = state else { panic!("{state:?}") };
        assert_eq!(attempt, round);
        let wait = at.duration_since(stage.now()).as_millis();
        assert!(wait > last, "{wait} ms after {last} ms");
        last = wait;
        // Not before its time.
        stage.act().await;
        stage.wait_s(1 + i64::try_from(wait / 1_000).unwrap());
    }
    stage.simulator.fail_next(Fault::PageLimit { minutes: 5 }, 1);
    stage.act().await;
    let state = stage.action_state(case, ActionKind::Hide).await;
    let ActionState::Retrying { at, .. } = state else { panic!("{state:?}") };
    assert!(at.duration_since(stage.now()).as_secs() >= 290, "the platform's own word: {at}");
    assert_eq!(stage.state(case).await, CaseState::Decided);
    stage.wait_s(400);
    stage.act().await;
    assert!(stage.truth(number).hidden);
    assert!(matches!(stage.state(case).await, CaseState::Closed { .. }));
}

#[tokio::test]
async fn a_permission_that_is_missing_brings_the_case_back_and_trying_again_works() {
    let stage = Stage::new().await;
    let (number, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Hide]).await;
    stage.simulator.fail_next(Fault::ExpiredToken, 1);
    stage.act_after_undo().await;
    let state = stage.state(case).await;
    let CaseState::Returned { reason } = state else { panic!("{state:?}") };
    assert!(reason.contains("anslutas på nytt"), "{reason}");
    assert!(!stage.truth(number).hidden);
    let file = stage.services.case_file(&stage.editor, case).await.unwrap();
    assert!(matches!(file.actions[0].state, ActionState::Failed { .. }));
    stage.try_again(case, ActionKind::Hide).await.unwrap();
    stage.act().await;
    assert!(stage.truth(number).hidden);
    assert!(matches!(stage.state(case).await, CaseState::Closed { .. }));
    assert!(stage.try_again(case, ActionKind::Hide).await.is_err(), "nothing left to try");
}

#[tokio::test]
async fn trying_one_action_again_leaves_the_other_and_closes_nothing_over_it() {
    let stage = Stage::new().await;
    let (number, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Hide, answer()]).await;
    stage.simulator.fail_next(Fault::ExpiredToken, 2);
    stage.act_after_undo().await;
    for kind in [ActionKind::Hide, ActionKind::Reply] {
        let state = stage.action_state(case, kind).await;
        assert!(matches!(state, ActionState::Failed { .. }), "{kind:?}: {state:?}");
    }
    stage.try_again(case, ActionKind::Hide).await.unwrap();
    stage.act().await;
    assert!(stage.truth(number).hidden);
    assert_eq!(stage.answers(TEXT), 0, "nobody asked for that");
    let reply = stage.action_state(case, ActionKind::Reply).await;
    assert!(matches!(reply, ActionState::Failed { .. }), "{reply:?}");
    assert!(matches!(stage.state(case).await, CaseState::Returned { .. }), "it has failed still");
    stage.try_again(case, ActionKind::Reply).await.unwrap();
    stage.act().await;
    assert_eq!(stage.answers(TEXT), 1);
    assert_eq!(stage.state(case).await, CaseState::Closed { outcome: Outcome::CarriedOut });
    stage.verified().await;
}

#[tokio::test]
async fn whatever_goes_wrong_each_act_is_done_once() {
    let stage = Stage::new().await;
    let (number, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Hide, answer()]).await;
    stage.clock.advance(crate::services::tests::harness::UNDO);
    // Every call in turn meets every mild fault.
    for (n, fault) in Fault::MILD.iter().cycle().take(36).enumerate() {
        if let Fault::Slow(_) = fault {
            continue;
        }
        stage.simulator.fail_next(FINE, n % 5);
        stage.simulator.fail_next(*fault, 1);
        stage.act().await;
        if matches!(stage.state(case).await, CaseState::Returned { .. }) {
            stage.try_all_again(case).await;
        }
        stage.wait_s(1_200);
    }
    stage.simulator.fail_next(FINE, 0);
    for _ in 0..20 {
        stage.act().await;
        if matches!(stage.state(case).await, CaseState::Returned { .. }) {
            stage.try_all_again(case).await;
        }
        stage.wait_s(1_200);
    }
    assert!(stage.truth(number).hidden);
    assert_eq!(stage.answers(TEXT), 1);
    assert_eq!(stage.state(case).await, CaseState::Closed { outcome: Outcome::CarriedOut });
    stage.verified().await;
}

#[tokio::test]
async fn a_report_that_was_under_way_when_the_program_died_ends_at_a_person() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Hide]).await;
    // As an earlier run left it: begun, and no word of its end.
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let state = ActionState::UnderWay { since: stage.now(), attempt: 1 };
    raw.execute(
        "insert into actions (key, decision_id, case_id, item_id, version_id, kind, payload, state,
           state_json, due_at)
         select 'prov-report', decision_id, case_id, item_id, version_id, 'report', '{}', 'under_way',
           ?1, 0 from actions limit 1",
        [serde_json::to_string(&state).unwrap()],
    )
    .unwrap();
    let calls = stage.n_writing_calls();
    stage.act().await;
    let state = stage.action_state(case, ActionKind::Report).await;
    let ActionState::Failed { reason, .. } = state else { panic!("{state:?}") };
    assert!(reason.contains("kan ha skickats"), "{reason}");
    assert_eq!(stage.n_writing_calls(), calls, "not repeated");
    assert!(matches!(stage.state(case).await, CaseState::Returned { .. }));
}
