//! What a person puts right: a diary number, a wrong suspicion.

use crate::domain::decision::{Choice, Decision};
use crate::domain::evidence::PartKind;
use crate::domain::ground::Ground;
use crate::domain::ids::CaseId;
use crate::domain::log::LogKind;
use crate::domain::person::Role;
use crate::evidence::media::MediaPolicy;
use crate::services::ServiceError;
use crate::services::tests::harness::{Stage, THREAT, viewer};

fn why<T: std::fmt::Debug>(result: Result<T, ServiceError>) -> String {
    match result {
        Err(ServiceError::Refused { why }) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_diary_number_is_put_right_with_a_reason_and_the_old_one_stays_in_the_history() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Register]).await;
    stage.act_after_undo().await;
    let (services, kim) = (&stage.services, &stage.editor);
    let registration = stage.store().registrations_of(case).await.unwrap()[0].id;
    let correct = |number: &'static str, reason: &'static str| {
        services.correct_diary_number(kim, registration, number, reason)
    };
    assert!(
        why(correct("KS 2026/2", "Fel siffra.").await).contains("inget diarienummer att rätta")
    );
    services.enter_diary_number(kim, case, "KS 2026/1").await.unwrap();
    assert!(why(correct("KS", "Fel siffra.").await).starts_with("Ett diarienummer har"));
    assert!(why(correct("KS 2026/2", "   ").await).starts_with("Skriv skälet"));
    assert!(why(correct("KS 2026/1", "Fel siffra.").await).contains("detsamma"));
    assert!(why(correct("KS 2026/2", "Fel\u{202E}siffra").await).contains("inte går att visa"));

    stage.wait_s(60);
    let number = correct("KS 2026/2", "Skrev fel\r\nsiffra.").await.unwrap();
    assert_eq!(number.as_str(), "KS 2026/2");
    let rows = stage.store().registrations_of(case).await.unwrap();
    assert_eq!(rows[0].diary_number.as_ref().unwrap().as_str(), "KS 2026/2");
    let history = stage.store().case_history(case).await.unwrap();
    let last = history.last().unwrap();
    assert_eq!(last.what, "Diarienumret rättades");
    assert_eq!(
        last.detail.as_deref(),
        Some("KS 2026/2 i stället för KS 2026/1\nSkäl: Skrev fel\nsiffra.")
    );
    let first = history.iter().find(|step| step.what == "Diarienummer inlagt").unwrap();
    assert_eq!(first.detail.as_deref(), Some("KS 2026/1"), "what stood there still does");
    let log = stage.store().log_after(0, 100).await.unwrap();
    let numbers: Vec<_> = log.iter().filter(|e| e.kind == LogKind::Registration).collect();
    assert_eq!(numbers.len(), 2, "a new entry, and the old one");
    assert!(numbers[1].body.contains("\"replaces\":\"KS 2026/1\""), "{}", numbers[1].body);
    assert!(!numbers[1].body.contains("siffra"), "the log holds a hash of the words");
    assert_eq!(stage.store().audit_count("case.diary_number_corrected").await.unwrap(), 1);
    stage.verified().await;

    // Whoever changes the number past the log is found out.
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    raw.execute("update registrations set diary_number = 'KS 2026/1'", []).unwrap();
    let report = crate::evidence::verify::verify(
        &stage.services.inner.evidence,
        stage.store(),
        &Default::default(),
    )
    .await
    .unwrap();
    assert!(report.faults.iter().any(|fault| fault.place.starts_with("registrering")));
}

/// A case that a person suspects to show abuse of a child, before or after its evidence was sealed.
async fn suspected(stage: &Stage) -> CaseId {
    let (_, case) = stage.written(THREAT).await;
    let revision = stage.store().case(case).await.unwrap().revision;
    let ground = Some(Ground::ChildAbuse);
    let decision =
        Decision::new(vec![Choice::ConsiderPoliceReport, Choice::Register], ground, None);
    stage.services.decide(&stage.editor, case, revision, decision.unwrap()).await.unwrap();
    case
}

#[tokio::test]
async fn a_wrong_suspicion_is_lifted_by_who_answers_for_the_account_and_never_by_the_machine() {
    let stage = Stage::new().await;
    let case = suspected(&stage).await;
    let services = &stage.services;
    let owner = viewer(Role::Owner, stage.editor.user);
    let reason = "Bilden visar fotbollslagets lagfoto.";
    let on_its_way = why(services.lift_copy_bar(&owner, case, reason).await);
    assert!(on_its_way.contains("genomförs"), "{on_its_way}");
    stage.act_after_undo().await;
    let not_allowed = services.lift_copy_bar(&stage.editor, case, reason).await;
    assert!(matches!(not_allowed, Err(ServiceError::NotPermitted { .. })), "{not_allowed:?}");
    assert!(why(services.lift_copy_bar(&owner, case, " x ").await).starts_with("Skriv skälet"));
    let item = stage.store().case(case).await.unwrap().item;
    assert!(stage.store().item(item).await.unwrap().no_copy);

    // The program by itself cannot.
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let refused = raw.execute("update items set no_copy = 0", []).unwrap_err().to_string();
    assert!(refused.contains("until a person lifts it"), "{refused}");

    services.lift_copy_bar(&owner, case, reason).await.unwrap();
    assert!(!stage.store().item(item).await.unwrap().no_copy);
    let history = stage.store().case_history(case).await.unwrap();
    let step = history.last().unwrap();
    assert_eq!(step.what, "Spärren mot kopiering hävdes");
    assert_eq!(step.detail.as_deref(), Some("Skäl: Bilden visar fotbollslagets lagfoto."));
    assert_eq!(step.user.as_deref(), Some("Kim Exempel"));
    assert_eq!(stage.store().audit_count("case.copy_bar_lifted").await.unwrap(), 1);
    let log = stage.store().log_after(0, 100).await.unwrap();
    assert_eq!(log.last().unwrap().kind, LogKind::Lift);
    assert!(why(services.lift_copy_bar(&owner, case, reason).await).contains("inte spärrat"));
    for tampering in [
        "update copy_lifts set reason = 'annat'",
        "update copy_lifts set spent = 0",
        "delete from copy_lifts",
        "insert into copy_lifts (item_id, user_id, at, reason) values (1, 1, 0, ' ')",
        "insert into copy_lifts (item_id, user_id, at, reason) values (1, null, 0, 'maskin')",
    ] {
        assert!(raw.execute(tampering, []).is_err(), "{tampering}");
    }
    // A new suspicion bars anew, and the old lifting does not lift it.
    stage.store().bar_copying(item).await.unwrap();
    assert!(raw.execute("update items set no_copy = 0", []).is_err());
    stage.verified().await;
}

#[tokio::test]
async fn lifting_lets_the_next_capture_take_in_full_what_was_sealed_as_metadata_alone() {
    let stage = Stage::new().await;
    // The words that the classifier knows: barred before anything was captured.
    let text = "Byter lolitabilder, skriv dm";
    let number = stage.simulator.write("Robin Påhitt", text, None);
    stage.wait_s(150);
    stage.poll().await;
    while stage.services.assess_waiting().await.unwrap() {}
    let case = stage.case_of(number).await;
    let before = stage.store().case(case).await.unwrap();
    assert!(stage.store().item(before.item).await.unwrap().no_copy, "the text bars copying");
    crate::services::tests::harness::seal_plainly(&stage.services).await;
    let evidence = &stage.services.inner.evidence;
    let sealed = stage.store().evidence_of(before.version).await.unwrap().unwrap();
    assert!(evidence.manifest(&sealed).await.unwrap().parts.is_empty());

    let owner = viewer(Role::Owner, stage.editor.user);
    stage.services.lift_copy_bar(&owner, case, "Texten citerar en dom.").await.unwrap();
    let after = stage.store().case(case).await.unwrap();
    assert_ne!(after.version, before.version, "the seal stays; the same text is captured anew");
    assert_eq!(after.revision, before.revision + 1, "an old page cannot decide on it");
    assert_eq!(stage.store().version(after.version).await.unwrap().text, text);
    // Nothing is removed on the seal without the text.
    let hide = stage.try_decide(case, vec![Choice::Hide]).await;
    assert!(why(hide).contains("Beviset är inte säkrat än"));
    assert!(
        !stage.services.assess_waiting().await.unwrap(),
        "not assessed again, so not barred again"
    );
    assert!(!stage.store().item(before.item).await.unwrap().no_copy);
    let leave = evidence.media_policy(after.version).await.unwrap();
    assert!(matches!(leave, MediaPolicy::Copy(_)));
    crate::services::tests::harness::seal_plainly(&stage.services).await;
    let row = stage.store().evidence_of(after.version).await.unwrap().unwrap();
    let manifest = evidence.manifest(&row).await.unwrap();
    assert!(manifest.parts.iter().any(|part| part.kind == PartKind::Text));
    assert_eq!(stage.store().evidence_of(before.version).await.unwrap().unwrap(), sealed);
    stage.decide(case, vec![Choice::Hide]).await;
    stage.act_after_undo().await;
    stage.verified().await;
}
