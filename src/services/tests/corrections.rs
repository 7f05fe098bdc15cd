//! What a person puts right: a diary number, a wrong suspicion.

use crate::domain::decision::{Choice, Decision};
use crate::domain::evidence::PartKind;
use crate::domain::ground::Ground;
use crate::domain::ids::CaseId;
use crate::domain::log::LogKind;
use crate::domain::person::Role;
use crate::evidence::media::MediaPolicy;
use crate::evidence::verify;
use crate::services::ServiceError;
use crate::services::tests::harness::{Stage, THREAT, viewer};
use crate::store::Store;

fn why<T: std::fmt::Debug>(result: Result<T, ServiceError>) -> String {
    match result {
        Err(ServiceError::Refused { why }) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_registration_that_awaits_its_number_is_missed_when_its_row_goes() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Register]).await;
    stage.act_after_undo().await;
    assert_eq!(stage.verified().await.faults, []);
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    raw.execute("delete from registrations", []).unwrap();
    let options = verify::Options::default();
    let report = verify::verify(&stage.services.inner.evidence, stage.store(), &options);
    let faults = report.await.unwrap().faults;
    assert!(faults.iter().any(|fault| fault.what.contains("raden i diariet saknas")), "{faults:?}");
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
    let barred = stage.store().item(item).await.unwrap().current_version;
    stage.store().bar_copying(barred, stage.now()).await.unwrap();
    assert!(raw.execute("update items set no_copy = 0", []).is_err());
    stage.verified().await;
}

/// A copy of the database in which somebody without respect for triggers has done something.
fn tampered(stage: &Stage, sql: &str) -> Store {
    // One of its own each time: the last one's journal may lie beside it still.
    let path = tempfile::tempdir_in(stage.dir.path()).unwrap().keep().join("kopia.db");
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    raw.execute("vacuum into ?1", [path.to_str().unwrap()]).unwrap();
    let raw = rusqlite::Connection::open(&path).unwrap();
    let triggers: Vec<String> = raw
        .prepare("select name from sqlite_master where type = 'trigger'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for name in triggers {
        raw.execute_batch(&format!("drop trigger \"{name}\"")).unwrap();
    }
    raw.execute_batch("pragma foreign_keys = off; pragma ignore_check_constraints = on").unwrap();
    raw.execute_batch(sql).unwrap();
    Store::open(&crate::store::Settings { path }).unwrap()
}

/// Barred, lifted, barred anew, all in the log; then somebody takes the second bar off past the
/// program, or changes who lifted the first, when and why.
#[tokio::test]
async fn every_lifting_and_every_bar_is_held_against_its_own_entry() {
    let stage = Stage::new().await;
    let case = suspected(&stage).await;
    stage.act_after_undo().await;
    let owner = viewer(Role::Owner, stage.editor.user);
    stage.services.lift_copy_bar(&owner, case, "Bilden visar ett lagfoto.").await.unwrap();
    let item = stage.store().item(stage.store().case(case).await.unwrap().item).await.unwrap();
    stage.wait_s(60);
    stage.store().bar_copying(item.current_version, stage.now()).await.unwrap();
    stage.verified().await;
    for (sql, place, what) in [
        ("update items set no_copy = 0; update bars set ended = 1", "spärr 2", "är hävd"),
        ("drop index bars_that_stand; update bars set ended = 0 where id = 1", "spärr 1", "hävdes"),
        ("update bars set at = 0 where id = 2", "spärr 2", "tiden"),
        ("update copy_lifts set reason = 'annat'", "hävning 1", "skälet"),
        ("update copy_lifts set user_id = 99", "hävning 1", "vem"),
        ("update copy_lifts set at = 0", "hävning 1", "tiden"),
        ("update copy_lifts set spent = 0", "hävning 1", "förbrukad"),
        ("delete from copy_lifts", "hävning", "raden saknas"),
        (
            "insert into copy_lifts select 7, item_id, user_id, at, reason, 1 from copy_lifts",
            "hävning 7",
            "ingen post",
        ),
    ] {
        let copy = tampered(&stage, sql);
        let evidence = &stage.services.inner.evidence;
        let report = crate::evidence::verify::verify(evidence, &copy, &Default::default()).await;
        let faults = report.unwrap().faults;
        assert!(
            faults.iter().any(|f| f.place.starts_with(place) && f.what.contains(what)),
            "{sql}: expected `{place}: {what}`, found {faults:#?}"
        );
    }
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
