//! Whose rules disposal goes by: the account's own policy, as it stands when it is carried out, and only
//! what somebody has proposed.

use crate::domain::action::ActionKind;
use crate::domain::case::CaseState;
use crate::domain::decision::{Choice, Decision};
use crate::domain::ids::{CaseId, ContentHash};
use crate::domain::item::{Batch, FetchedItem};
use crate::domain::person::Role;
use crate::domain::policy::Policy;
use crate::domain::retention::{Retention, RetentionClass, RetentionRule};
use crate::services::Viewer;
use crate::services::tests::harness::{Stage, THREAT, seal_plainly};
use crate::services::tests::keeping::{TWO_MONTHS_S, why};
use crate::store::sqlite::disposals::DISPOSED_TEXT;

/// As the company's board has decided it: this decision, and so many months for what is dismissed and
/// carried out.
fn of_the_company(decision: Option<&str>, months: [Option<u16>; 2]) -> impl FnOnce(&mut Policy) {
    let name = format!("bolaget {decision:?} {months:?}");
    let decision = decision.map(str::to_owned);
    move |policy| {
        policy.version = ContentHash::of(name.as_bytes());
        policy.name = name;
        let rule = |class| RetentionRule {
            months: match class {
                RetentionClass::Dismissed => months[0],
                RetentionClass::CarriedOut => months[1],
                RetentionClass::NotRegistered | RetentionClass::Registered => Some(1),
            },
            why: "Bolagets.".into(),
        };
        policy.retention = Some(Retention::new("Bolagets plan".into(), decision, true, None, rule));
    }
}

async fn two_archivists(stage: &Stage) -> (Viewer, Viewer) {
    (stage.person(Role::Archivist, "Arne").await, stage.person(Role::Archivist, "Eva").await)
}

impl Stage {
    /// The text that is kept of a case, as its newest version has it.
    async fn kept_text(&self, case: CaseId) -> String {
        let item = self.store().case(case).await.unwrap().item;
        let current = self.store().item(item).await.unwrap().current_version;
        self.store().version(current).await.unwrap().text
    }
}

#[tokio::test]
async fn an_account_that_keeps_for_ever_is_not_disposed_of_under_the_authoritys_decision() {
    let mut stage = Stage::new().await;
    stage.under(of_the_company(None, [None, None])).await;
    let (_, case) = stage.dismissed(THREAT).await;
    let (archivist, _) = two_archivists(&stage).await;
    stage.wait_s(TWO_MONTHS_S);
    let plan = stage.services.disposing().plan().await.map(|plan| plan.due).unwrap_or_default();
    assert_eq!(plan, [], "the authority disposes of it after a month, the company never");
    assert!(stage.services.propose_disposal(&archivist, None).await.is_err());
    assert_eq!(stage.kept_text(case).await, THREAT);
}

#[tokio::test]
async fn an_account_of_its_own_rules_goes_by_them_and_its_protocol_names_its_decision() {
    let mut stage = Stage::new().await;
    stage.under(of_the_company(Some("BOL 7"), [Some(1), Some(1)])).await;
    stage.dismissed(THREAT).await;
    let (archivist, other) = two_archivists(&stage).await;
    stage.wait_s(TWO_MONTHS_S);
    let row = stage.services.propose_disposal(&archivist, None).await.unwrap();
    assert_eq!((row.decision.as_str(), row.plan.as_str()), ("BOL 7", "Bolagets plan"));
    stage.services.approve_disposal(&other, row.id).await.unwrap();
    let csv = stage.services.protocol_file(&archivist, row.id, "csv").await.unwrap();
    assert!(String::from_utf8(csv).unwrap().contains("BOL 7"));
}

#[tokio::test]
async fn a_proposal_is_not_carried_out_under_a_decision_that_was_withdrawn_or_changed() {
    let mut stage = Stage::new().await;
    let (_, case) = stage.dismissed(THREAT).await;
    let (archivist, other) = two_archivists(&stage).await;
    stage.wait_s(TWO_MONTHS_S);
    // Proposed while the account went by the authority's policy.
    let row = stage.services.propose_disposal(&archivist, None).await.unwrap();
    assert_eq!(row.decision, "KS 2026/1");
    for change in [
        of_the_company(None, [Some(1), Some(1)]),
        of_the_company(Some("KS 2026/1"), [Some(60), Some(60)]),
        of_the_company(Some("KS 2026/1"), [Some(1), Some(1)]),
    ] {
        stage.under(change).await;
        let refused = why(stage.services.approve_disposal(&other, row.id).await);
        assert!(refused.contains("riktlinje") && refused.contains("Dra tillbaka"), "{refused}");
        assert_eq!(stage.kept_text(case).await, THREAT);
    }
    // As it was proposed it goes.
    stage.restart().await;
    stage.services.approve_disposal(&other, row.id).await.unwrap();
}

#[tokio::test]
async fn what_came_after_the_proposal_is_not_destroyed_with_it() {
    let stage = Stage::new().await;
    let (number, case) = stage.dismissed(THREAT).await;
    let (archivist, other) = two_archivists(&stage).await;
    stage.wait_s(TWO_MONTHS_S);
    let row = stage.services.propose_disposal(&archivist, None).await.unwrap();
    // A threat is edited into it, and nobody has read that yet.
    let worse = format!("{THREAT} I kväll.");
    stage.simulator.edit(number, &worse);
    stage.wait_s(150);
    stage.poll().await;
    let refused = why(stage.services.approve_disposal(&other, row.id).await);
    assert!(refused.contains(&format!("Ärende {case}")), "{refused}");
    assert_eq!(stage.kept_text(case).await, worse);
    // Nor is it proposed before it is assessed and sealed.
    stage.services.withdraw_disposal(&archivist, row.id, "Ny lydelse").await.unwrap();
    let due = async || stage.services.disposing().plan().await.unwrap();
    assert_eq!(due().await.due, []);
    while stage.services.assess_waiting().await.unwrap() {}
    assert_eq!(stage.kept_text(case).await, worse);
    seal_plainly(&stage.services).await;
    assert_eq!(stage.n_sealed().await, 2);
}

#[tokio::test]
async fn an_older_wording_that_comes_late_is_sealed_before_anything_of_its_case_goes() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let item = stage.store().item(stage.store().case(case).await.unwrap().item).await.unwrap();
    let edited = async |text: &str, at: &str| {
        let mut fetched =
            FetchedItem::new(item.platform_id.clone(), item.kind, text.to_owned(), "{}");
        fetched.edited_at = Some(at.parse().unwrap());
        let batch = Batch { items: vec![fetched], ..Batch::default() };
        stage.store().commit_batch(item.account, batch, stage.now(), stage.now()).await.unwrap();
        while stage.services.assess_waiting().await.unwrap() {}
    };
    edited(&format!("{THREAT} I kväll."), "2026-11-21T13:00:00Z").await;
    seal_plainly(&stage.services).await;
    stage.dismiss(case).await;
    let (archivist, other) = two_archivists(&stage).await;
    stage.wait_s(TWO_MONTHS_S);
    let row = stage.services.propose_disposal(&archivist, None).await.unwrap();
    // A push that was held up on the way: the case itself does not change by it.
    let late = format!("{THREAT} Då.");
    let before = stage.store().case(case).await.unwrap();
    edited(&late, "2026-11-21T12:30:00Z").await;
    assert_eq!(stage.store().case(case).await.unwrap(), before);
    let kept = async || {
        let versions = stage.store().versions_of(item.id).await.unwrap();
        versions.into_iter().any(|version| version.text == late)
    };
    assert!(kept().await, "it is taken in as a version of its own");
    let refused = why(stage.services.approve_disposal(&other, row.id).await);
    assert!(refused.contains(&format!("Ärende {case}")), "{refused}");
    assert!(kept().await);
}

#[tokio::test]
async fn one_diary_number_does_not_make_what_was_removed_later_a_copy() {
    let mut stage = Stage::new().await;
    let registered_goes = |policy: &mut Policy| {
        of_the_company(Some("BOL 7"), [Some(1), Some(60)])(policy);
    };
    stage.under(registered_goes).await;
    let (number, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Register]).await;
    stage.act_after_undo().await;
    let registrar = stage.person(Role::Registrar, "Rut").await;
    stage.services.enter_diary_number(&registrar, case, "KS 2026/9").await.unwrap();
    stage.simulator.edit(number, &format!("{THREAT} I kväll."));
    stage.wait_s(150);
    stage.take_in_plainly().await;
    stage.decide(case, vec![Choice::Hide]).await;
    stage.act_after_undo().await;
    assert!(stage.action_state(case, ActionKind::Hide).await.is_settled());
    stage.wait_s(TWO_MONTHS_S);
    assert_eq!(stage.plan().await.due, [], "what was removed is kept for 60 months");
}

#[tokio::test]
async fn a_case_is_kept_as_long_as_the_longest_of_what_was_decided_in_it() {
    let mut stage = Stage::new().await;
    stage.under(of_the_company(Some("BOL 7"), [Some(1), Some(60)])).await;
    let (number, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Hide]).await;
    stage.act_after_undo().await;
    stage.simulator.edit(number, &format!("{THREAT} Eller inte."));
    stage.wait_s(150);
    stage.take_in_plainly().await;
    let revision = stage.store().case(case).await.unwrap().revision;
    let dismiss = Decision::new(vec![Choice::Dismiss], None, None).unwrap();
    stage.services.decide(&stage.editor, case, revision, dismiss).await.unwrap();
    stage.act_after_undo().await;
    stage.wait_s(TWO_MONTHS_S);
    assert_eq!(stage.plan().await.due, [], "the removal before is kept for 60 months");
}

#[tokio::test]
async fn what_was_disposed_of_and_still_stands_is_read_anew_and_can_be_removed() {
    let stage = Stage::new().await;
    let (number, case) = stage.dismissed(THREAT).await;
    let read_anew = || stage.services.read_anew(&stage.editor, case);
    assert!(why(read_anew().await).contains("inte gallrat"));
    let (archivist, other) = two_archivists(&stage).await;
    stage.wait_s(TWO_MONTHS_S);
    let row = stage.services.propose_disposal(&archivist, None).await.unwrap();
    stage.services.approve_disposal(&other, row.id).await.unwrap();
    assert_eq!(stage.kept_text(case).await, DISPOSED_TEXT);
    // Somebody reports it: it stands there still, and 1998:112 5 § binds as before.
    assert!(why(stage.try_decide(case, vec![Choice::Hide]).await).contains("på nytt"));
    read_anew().await.unwrap();
    assert!(why(read_anew().await).contains("redan"), "pressed twice it is read once");
    while stage.services.assess_waiting().await.unwrap() {}
    seal_plainly(&stage.services).await;
    assert_eq!(stage.kept_text(case).await, THREAT);
    let CaseState::Returned { reason } = stage.state(case).await else { panic!() };
    assert!(reason.contains("läst"), "{reason}");
    stage.decide(case, vec![Choice::Hide]).await;
    stage.act_after_undo().await;
    assert!(stage.truth(number).hidden);
    let report = stage.verified().await;
    assert_eq!((report.n_sealed, report.n_disposed), (1, 1));
    // Nor does what was read anew stay for ever.
    stage.wait_s(TWO_MONTHS_S);
    let plan = stage.plan().await;
    assert_eq!(plan.due.iter().map(|due| due.case).collect::<Vec<_>>(), [case]);
}

/// A clock that goes ahead makes everything due: nothing goes until somebody says that it is right.
#[tokio::test]
async fn disposal_waits_after_a_gap_in_time_until_a_person_accounts_for_it() {
    let stage = Stage::new().await;
    stage.dismissed(THREAT).await;
    let services = &stage.services;
    let archivist = stage.person(Role::Archivist, "Arne").await;
    services.note_sign().await.unwrap();
    assert!(why(services.confirm_clock(&archivist).await).contains("inte ifrågasatt"));
    // Three years in one step, and the program runs on under the wrong time for days.
    stage.wait_s(3 * 365 * 86_400);
    let refused = why(services.propose_disposal(&archivist, None).await);
    assert!(refused.contains("2026-11-21") && refused.contains("2029-11-20"), "{refused}");
    for _ in 0..3 {
        services.note_sign().await.unwrap();
        stage.wait_s(3_600);
    }
    assert!(why(services.propose_disposal(&archivist, None).await).contains("2029-11-20"));
    assert_eq!(services.sweep_uncased().await.unwrap(), 0);
    assert!(services.disposals(&archivist).await.unwrap().clock.is_some());
    // It was right after all, says somebody, and that is on record.
    assert!(services.confirm_clock(&stage.editor).await.is_err(), "not an editor");
    services.confirm_clock(&archivist).await.unwrap();
    assert_eq!(stage.store().audit_count("clock.confirm").await.unwrap(), 1);
    assert!(services.disposals(&archivist).await.unwrap().clock.is_none());
    services.propose_disposal(&archivist, None).await.unwrap();
    // Another one that is set right by itself is forgotten.
    stage.wait_s(2 * 86_400);
    services.note_sign().await.unwrap();
    assert!(services.disposals(&archivist).await.unwrap().clock.is_some());
    stage.clock.advance(jiff::SignedDuration::from_secs(-2 * 86_400));
    services.note_sign().await.unwrap();
    assert!(services.disposals(&archivist).await.unwrap().clock.is_none());
    // Nights and restarts are nothing.
    stage.wait_s(86_000);
    services.note_sign().await.unwrap();
    assert!(services.disposals(&archivist).await.unwrap().clock.is_none());
}

#[tokio::test]
async fn what_is_approved_is_what_was_shown() {
    let stage = Stage::new().await;
    let (_, case) = stage.dismissed(THREAT).await;
    stage.wait_s(TWO_MONTHS_S);
    let services = &stage.services;
    let one = stage.person(Role::Archivist, "Arne").await;
    let two = stage.person(Role::Administrator, "Ada").await;
    let row = services.propose_disposal(&one, None).await.unwrap();
    let shown = services.disposals(&two).await.unwrap().proposed.unwrap().shown;
    // Somebody with the disk puts another date into the proposal.
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let triggers: Vec<String> = raw
        .prepare(
            "select name from sqlite_master where type = 'trigger' and tbl_name = 'disposal_lines'",
        )
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for trigger in triggers {
        raw.execute_batch(&format!("drop trigger {trigger}")).unwrap();
    }
    raw.execute("update disposal_lines set why = 'Annat'", []).unwrap();
    let refused = services.approve_as_shown(&two, row.id, shown).await;
    assert!(matches!(refused, Err(crate::services::ServiceError::Conflict { .. })), "{refused:?}");
    let shown = services.disposals(&two).await.unwrap().proposed.unwrap().shown;
    services.approve_as_shown(&two, row.id, shown).await.unwrap();
    let id = stage.evidence_of(case).await;
    assert!(services.evidence_record(&stage.editor, id).await.is_err(), "disposed of");
}
