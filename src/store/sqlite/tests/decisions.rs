//! Decisions with their actions, and what becomes of them (invariants 4 to 6).

use super::*;
use crate::domain::action::{ActionEvent, ActionKind, ActionState};
use crate::domain::case::{CaseState, Outcome};
use crate::domain::ids::{ActionId, DiaryNumber};
use crate::domain::log::{LogKind, chain_hash, genesis, leaf_hash};

fn answer() -> Choice {
    Choice::Answer { text: "Tack, vi ser över det.".into() }
}

async fn action(bench: &Bench, case: CaseId, kind: ActionKind) -> ActionId {
    let actions = bench.store.actions_on(case).await.unwrap();
    actions.iter().rev().find(|a| a.kind == kind).expect("an action of that kind").id
}

async fn begin(bench: &Bench, id: ActionId, now: Timestamp) {
    bench.store.move_action(id, ActionEvent::Begin { at: now }, now).await.unwrap();
}

async fn end(bench: &Bench, id: ActionId, now: Timestamp) {
    begin(bench, id, now).await;
    let done = ActionEvent::Succeed { at: now, receipt: "is_hidden".into() };
    bench.store.move_action(id, done, now).await.unwrap();
}

async fn fail(bench: &Bench, id: ActionId, now: Timestamp) {
    begin(bench, id, now).await;
    let failed = ActionEvent::FailForGood {
        at: now,
        reason: "Behörighet saknas.".into(),
        may_have_acted: false,
    };
    bench.store.move_action(id, failed, now).await.unwrap();
}

async fn state(bench: &Bench, case: CaseId) -> CaseState {
    bench.store.case(case).await.unwrap().state
}

async fn history(bench: &Bench, case: CaseId) -> Vec<String> {
    bench.store.case_history(case).await.unwrap().into_iter().map(|e| e.what).collect()
}

#[tokio::test]
async fn a_decision_its_actions_history_log_and_audit_are_there_together() {
    let bench = Bench::new().await;
    let (one, evidence) = bench.open_sealed("1").await;
    let revision = bench.store.case(one.case).await.unwrap().revision;
    let decided = bench.decide(one.case, vec![Choice::Hide, answer()], at(5)).await.unwrap();
    assert_eq!(state(&bench, one.case).await, CaseState::Decided);
    let actions = bench.store.actions_on(one.case).await.unwrap();
    let kinds: Vec<_> = actions.iter().map(|a| (a.kind, a.evidence, a.key.as_str())).collect();
    assert_eq!(
        kinds,
        [
            // The answer goes first: nobody can answer what is gone.
            (ActionKind::Reply, None, "prov-1-reply"),
            (ActionKind::Hide, Some(evidence), "prov-1-hide")
        ]
    );
    assert_eq!(actions[0].text.as_deref(), Some("Tack, vi ser över det."));
    assert!(actions.iter().all(|a| a.state == ActionState::Pending { not_before: at(15) }));
    assert_eq!(bench.store.audit_count("case.decide").await.unwrap(), 1);
    let log = bench.store.log_after(0, 10).await.unwrap();
    assert_eq!(log.iter().map(|e| e.kind).collect::<Vec<_>>(), [LogKind::Seal, LogKind::Decision]);
    let mut chain = genesis();
    for entry in &log {
        assert_eq!(entry.leaf, leaf_hash(entry.body.as_bytes()));
        chain = chain_hash(chain, entry.leaf);
        assert_eq!(entry.chain, chain);
    }
    let told = bench.store.case_history(one.case).await.unwrap();
    let told = told.into_iter().find(|e| e.what == "Beslut: dölj, svara").unwrap();
    assert!(told.detail.unwrap().ends_with("\nSvar: Tack, vi ser över det."), "the answer is told");
    // The page it was made on is old now.
    let stale = bench.decide_on(one.case, revision, vec![Choice::Dismiss], at(6)).await;
    assert!(matches!(stale, Err(StoreError::Conflict { what: "case" })), "{stale:?}");
    let again = bench.decide(one.case, vec![Choice::Dismiss], at(6)).await;
    assert!(matches!(again, Err(StoreError::Refused { .. })), "{again:?}");
    assert_eq!(bench.store.standing_decision(one.case).await.unwrap().unwrap().id, decided);
}

#[tokio::test]
async fn a_refused_decision_leaves_no_trace() {
    let bench = Bench::new().await;
    let one = bench.open("1", 1, at(60)).await;
    let unsealed = bench.decide(one.case, vec![answer(), Choice::Hide], at(1)).await;
    assert!(matches!(&unsealed, Err(StoreError::Refused { why }) if why.contains("inte säkrat")));
    let other = bench.user_named("lo").await;
    bench.claimed(one.case, other, at(1)).await;
    let claimed = bench.decide(one.case, vec![answer()], at(2)).await;
    assert!(matches!(claimed, Err(StoreError::Conflict { what: "claim" })), "{claimed:?}");
    assert!(bench.store.actions_on(one.case).await.unwrap().is_empty());
    assert!(bench.store.decisions_on(one.case).await.unwrap().is_empty());
    assert_eq!(bench.store.audit_count("case.decide").await.unwrap(), 0);
    assert_eq!(bench.store.log_head().await.unwrap().0, 0);
    // The lease runs out by itself.
    bench.decide(one.case, vec![answer()], at(301)).await.unwrap();
}

#[tokio::test]
async fn undo_works_inside_its_window_alone_and_on_the_decision_that_stands() {
    let bench = Bench::new().await;
    let (one, _) = bench.open_sealed("1").await;
    let undo =
        |decision, now| bench.store.undo(one.case, decision, bench.user, line("case.undo"), now);
    let first = bench.decide(one.case, vec![Choice::Hide], at(0)).await.unwrap();
    undo(first, at(UNDO_S - 1)).await.unwrap();
    assert_eq!(state(&bench, one.case).await, CaseState::Waiting);
    assert!(bench.store.due_actions(at(9_999), 9).await.unwrap().is_empty());
    let second = bench.decide(one.case, vec![Choice::Hide], at(20)).await.unwrap();
    assert!(matches!(undo(first, at(21)).await, Err(StoreError::Refused { .. })), "an old page");
    let late = undo(second, at(20 + UNDO_S)).await;
    assert!(matches!(&late, Err(StoreError::Refused { why }) if why.contains("för sent")));
    assert_eq!(bench.store.due_actions(at(20 + UNDO_S), 9).await.unwrap().len(), 1);
    let kinds: Vec<_> =
        bench.store.log_after(0, 10).await.unwrap().into_iter().map(|e| e.kind).collect();
    use LogKind::{Decision, Seal, Undo};
    assert_eq!(kinds, [Seal, Decision, Undo, Decision]);
    assert_eq!(bench.store.audit_count("case.undo").await.unwrap(), 1);
}

#[tokio::test]
async fn a_failed_action_brings_its_case_to_the_top_and_may_be_tried_again() {
    let bench = Bench::new().await;
    let (one, _) = bench.open_sealed("1").await;
    bench.open("2", 2, at(1)).await;
    bench.decide(one.case, vec![Choice::Hide, answer()], at(0)).await.unwrap();
    let hide = action(&bench, one.case, ActionKind::Hide).await;
    end(&bench, action(&bench, one.case, ActionKind::Reply).await, at(20)).await;
    fail(&bench, hide, at(21)).await;
    let row = bench.store.case(one.case).await.unwrap();
    assert_eq!(row.state, CaseState::Returned { reason: "Behörighet saknas.".into() });
    let top = bench.store.queue(crate::store::rows::QueueFilter::Open, None, 0, 9).await.unwrap();
    assert_eq!(top[0].case.id, one.case);
    let other = bench.user_named("lo").await;
    bench.claimed(one.case, other, at(22)).await;
    let again =
        |now| bench.store.try_failed_again(one.case, hide, bench.user, line("case.try_again"), now);
    assert!(matches!(again(at(23)).await, Err(StoreError::Conflict { what: "claim" })));
    assert!(again(at(322)).await.unwrap());
    assert!(!again(at(323)).await.unwrap());
    assert_eq!(state(&bench, one.case).await, CaseState::Decided);
    end(&bench, hide, at(324)).await;
    assert_eq!(bench.store.settle_decided(at(330)).await.unwrap(), [one.case]);
    assert_eq!(state(&bench, one.case).await, CaseState::Closed { outcome: Outcome::CarriedOut });
}

#[tokio::test]
async fn a_decided_case_settles_when_all_is_done_and_undo_is_over() {
    let bench = Bench::new().await;
    let (one, _) = bench.open_sealed("1").await;
    let settle = |now| bench.store.settle_decided(now);
    bench.decide(one.case, vec![Choice::Dismiss], at(0)).await.unwrap();
    assert!(settle(at(UNDO_S - 1)).await.unwrap().is_empty());
    assert_eq!(settle(at(UNDO_S)).await.unwrap(), [one.case]);
    assert_eq!(state(&bench, one.case).await, CaseState::Closed { outcome: Outcome::Dismissed });
    // Anew, with a registration.
    bench.decide(one.case, vec![Choice::Register], at(100)).await.unwrap();
    let register = action(&bench, one.case, ActionKind::Register).await;
    assert!(settle(at(200)).await.unwrap().is_empty(), "not carried out yet");
    for _ in 0..2 {
        let sha = ContentHash::of(b"zip");
        bench
            .store
            .record_export(register, one.case, "p.zip".into(), sha, Vec::new(), at(200))
            .await
            .unwrap();
    }
    end(&bench, register, at(201)).await;
    settle(at(202)).await.unwrap();
    assert_eq!(state(&bench, one.case).await, CaseState::AwaitingDiary);
    let enter = |number: &'static str| {
        let number = DiaryNumber::new(number);
        bench.store.enter_diary_number(one.case, number, bench.user, line("case.diary"), at(300))
    };
    enter("KS 2026/1").await.unwrap();
    assert_eq!(state(&bench, one.case).await, CaseState::Closed { outcome: Outcome::Registered });
    assert!(matches!(enter("KS 2026/2").await, Err(StoreError::Refused { .. })));
    let all = bench.store.registrations_for_page(9).await.unwrap();
    assert_eq!(all.len(), 1, "one action, one registration");
    assert_eq!(all[0].registration.diary_number, Some(DiaryNumber::new("KS 2026/1")));
}

#[tokio::test]
async fn a_hold_ends_and_the_case_comes_back() {
    let bench = Bench::new().await;
    let one = bench.open("1", 1, at(60)).await;
    bench.decide(one.case, vec![Choice::Hold { until: at(500) }], at(0)).await.unwrap();
    assert_eq!(bench.store.end_holds(at(499)).await.unwrap(), []);
    assert_eq!(bench.store.end_holds(at(500)).await.unwrap(), [one.case]);
    assert_eq!(state(&bench, one.case).await, CaseState::Waiting);
}

/// The text becomes `text` at the platform, is seen and assessed.
async fn edit(bench: &Bench, text: &str, flagged: bool, now: Timestamp) {
    bench.commit(batch(vec![item("1", text)]), now).await;
    let waiting = bench.store.unassessed(9).await.unwrap();
    let severity = flagged.then_some(Severity::High);
    let opening = flagged.then(|| case_opening(1, now));
    let (version, traces) = (waiting[0].version, Traces::default());
    let assessed =
        AssessedVersion { version, verdict: verdict(severity), opening, traces, unread: false };
    bench.store.record_assessments(vec![assessed], QUOTA, now).await.unwrap();
}

#[tokio::test]
async fn a_text_that_turns_bad_after_a_dismissal_is_not_closed_with_it() {
    let bench = Bench::new().await;
    let one = bench.open("1", 1, at(60)).await;
    bench.decide(one.case, vec![Choice::Dismiss], at(0)).await.unwrap();
    edit(&bench, "Nu kommer jag hem till dig.", true, at(5)).await;
    bench.store.settle_decided(at(20)).await.unwrap();
    assert!(matches!(state(&bench, one.case).await, CaseState::Returned { .. }));
    // A change that is not flagged needs nobody.
    bench.decide(one.case, vec![Choice::Dismiss], at(30)).await.unwrap();
    edit(&bench, "Förlåt.", false, at(35)).await;
    bench.store.settle_decided(at(50)).await.unwrap();
    assert_eq!(state(&bench, one.case).await, CaseState::Closed { outcome: Outcome::Dismissed });
    // And a finished case gets a new time with a new text.
    edit(&bench, "Jag vet var du bor.", true, at(99_000)).await;
    let row = bench.store.case(one.case).await.unwrap();
    assert!(matches!(row.state, CaseState::Returned { .. }));
    assert_eq!(row.due_at, at(99_000));
}

#[tokio::test]
async fn a_removal_of_a_changed_text_is_shown_to_the_person_again() {
    let bench = Bench::new().await;
    let (one, _) = bench.open_sealed("1").await;
    bench.decide(one.case, vec![Choice::Hide], at(0)).await.unwrap();
    edit(&bench, "Något helt annat.", false, at(5)).await;
    let version = bench.store.item(one.item).await.unwrap().current_version;
    let hide = action(&bench, one.case, ActionKind::Hide).await;
    let unsealed = bench.store.want_evidence(version, at(6)).await.unwrap().id;
    bench.store.retarget_removal(hide, version, unsealed, at(6)).await.unwrap_err();
    let evidence = bench.seal(version).await;
    bench.store.retarget_removal(hide, version, evidence, at(7)).await.unwrap();
    end(&bench, hide, at(20)).await;
    bench.store.settle_decided(at(21)).await.unwrap();
    let now = state(&bench, one.case).await;
    assert!(
        matches!(&now, CaseState::Returned { reason } if reason.contains("ändrades")),
        "{now:?}"
    );
    assert!(history(&bench, one.case).await.iter().any(|what| what.contains("säkrades före")));
}

#[tokio::test]
async fn a_seal_is_made_once() {
    let bench = Bench::new().await;
    let (one, evidence) = bench.open_sealed("1").await;
    let first = bench.store.evidence(evidence).await.unwrap();
    let other = ContentHash::of(b"another manifest");
    let (second, case) =
        bench.store.seal(evidence, other, Vec::new(), SealHolds::Copies, at(99)).await.unwrap();
    assert_eq!((second, case), (first, Some(one.case)));
    assert_eq!(bench.store.log_head().await.unwrap().0, 1);
    let failed = bench.store.record_capture_failure(evidence, "x".into(), at(99)).await;
    failed.unwrap();
    assert_eq!(bench.store.evidence(evidence).await.unwrap().problem, None);
}

#[tokio::test]
async fn one_accounts_long_outbox_hides_nothing_of_another() {
    let bench = Bench::new().await;
    let other = bench
        .store
        .ensure_account(AccountKey::new("b"), PlatformKind::Facebook, "B".into(), true, at(0))
        .await
        .unwrap();
    for n in 0..6 {
        let one = bench.open(&format!("a{n}"), 1, at(60)).await;
        bench.decide(one.case, vec![answer()], at(0)).await.unwrap();
    }
    bench.store.commit_batch(other.id, batch(vec![item("x", "x")]), at(0), at(0)).await.unwrap();
    let case = bench.assess(1, at(60), at(0)).await[0];
    bench.decide(case, vec![answer()], at(50)).await.unwrap();
    let due = bench.store.due_actions(at(100), 3).await.unwrap();
    let of = |account| due.iter().filter(|a| a.account == account).count();
    assert_eq!((of(bench.account), of(other.id)), (3, 1));
}
