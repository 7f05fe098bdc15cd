//! Secrecy marks: who opens a case under one, what others are told, and what is written down of both.

use crate::domain::archive_run::Occasion;
use crate::domain::custody::CustodyAct;
use crate::domain::decision::{Choice, Decision};
use crate::domain::ids::CaseId;
use crate::domain::person::Role;
use crate::domain::register::Answered;
use crate::domain::release::ReleaseOutcome;
use crate::domain::secrecy::WITHHELD;
use crate::domain::together::{Over, Pick};
use crate::evidence::verify;
use crate::services::claims::Look;
use crate::services::deliveries::PackageForm;
use crate::services::police::PoliceChoice;
use crate::services::queue::Filter;
use crate::services::search::Asked;
use crate::services::secrecy::demand_reason;
use crate::services::tests::harness::{Stage, THREAT};
use crate::services::tests::keeping::why;
use crate::services::{ServiceError, Viewer, archive, archive_runs};

const PROVISION: &str = "OSL 26 kap. 1 §";

/// What somebody outside is told.
fn shut<T>(refused: Result<T, ServiceError>) -> String {
    match refused {
        Err(ServiceError::Shut { why }) => why,
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("not refused"),
    }
}

/// A stage with a case that Kim, an editor, has marked.
async fn marked() -> (Stage, CaseId) {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let services = &stage.services;
    let mark = services.mark_secret(&stage.editor, case, PROVISION, "Skriver om sin tidsplan.");
    mark.await.unwrap();
    (stage, case)
}

async fn n_audited(stage: &Stage, act: CustodyAct) -> u64 {
    stage.store().audit_count(act.id()).await.unwrap()
}

#[tokio::test]
async fn a_mark_names_its_provision_and_stands_until_somebody_lifts_it_with_a_reason() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let services = &stage.services;
    let (ed, reason) = (&stage.editor, "Skriver om sin tidsplan.");
    for provision in ["", "OSL", "ingen aning om vilken", "1 §\n2 §"] {
        let refused = services.mark_secret(ed, case, provision, reason).await;
        assert!(why(refused).contains("OSL 26 kap. 1 §"), "{provision}");
    }
    assert!(why(services.mark_secret(ed, case, PROVISION, "x").await).contains("skälet"));
    let auditor = stage.person(Role::Auditor, "Gun").await;
    let refused = services.mark_secret(&auditor, case, PROVISION, reason).await;
    assert!(matches!(refused, Err(ServiceError::NotPermitted { .. })));
    services.mark_secret(ed, case, PROVISION, reason).await.unwrap();
    assert!(why(services.mark_secret(ed, case, PROVISION, reason).await).contains("redan"));
    let file = services.case_file(ed, case).await.unwrap();
    let known = file.secrecy.unwrap();
    assert_eq!(known.mark.unwrap().provision, PROVISION);
    assert_eq!(known.circle, "Kim Exempel, kontoansvariga, registratorer och arkivarier");
    stage.verified().await;

    let refused = services.lift_secrecy(ed, case, "Fel bedömning").await;
    assert!(matches!(refused, Err(ServiceError::NotPermitted { .. })), "an editor marks only");
    let registrar = stage.person(Role::Registrar, "Rut").await;
    services.lift_secrecy(&registrar, case, "Fel bedömning").await.unwrap();
    assert!(why(services.lift_secrecy(&registrar, case, "Igen, igen").await).contains("inte"));
    services.case_file(&auditor, case).await.unwrap();
    let history = stage.history(case).await;
    for step in ["Sekretessmarkerades", "Sekretessmarkeringen hävdes"] {
        assert!(history.iter().any(|known| known == step), "{history:?}");
    }
    stage.verified().await;
}

#[tokio::test]
async fn whatever_touches_the_content_is_shut_to_those_outside_and_each_try_is_in_the_read_log() {
    let (stage, case) = marked().await;
    let services = &stage.services;
    let id = stage.evidence_of(case).await;
    let other = stage.person(Role::Editor, "Alex").await;
    let auditor = stage.person(Role::Auditor, "Gun").await;
    let administrator = stage.person(Role::Administrator, "Ada").await;
    for (who, viewer) in [("editor", &other), ("auditor", &auditor), ("admin", &administrator)] {
        let told = shut(services.case_opened(viewer, case, Look::Opens).await);
        for words in [
            format!("Ärende {case} är sekretessmarkerat"),
            format!("Sekretess. {PROVISION}. 2026-11-21. Exempelstads kommun"),
            "klart senast 2026-11-".to_owned(),
            "öppnas av Kim Exempel, kontoansvariga, registratorer och arkivarier".to_owned(),
            "läslogg".to_owned(),
        ] {
            assert!(told.contains(&words), "{who}: {words}: {told}");
        }
    }
    let row = stage.store().case(case).await.unwrap();
    let dismiss = || Decision::new(vec![Choice::Dismiss], None, None).unwrap();
    let pick = Pick { case, revision: row.revision };
    shut(services.case_file(&other, case).await);
    shut(services.evidence_record(&auditor, id).await);
    for part in ["text.txt", "manifest.json"] {
        shut(services.evidence_part(&auditor, id, part).await);
    }
    shut(services.decide(&other, case, row.revision, dismiss()).await);
    shut(services.claim(&other, case).await);
    shut(services.take_over(&other, case).await);
    shut(services.stay(&other, case, true).await);
    shut(services.read_anew(&other, case).await);
    shut(services.enter_diary_number(&other, case, "KS 2026/14").await);
    shut(services.police_file(&other, case).await);
    shut(services.police_bundle(&auditor, case).await);
    shut(services.mark_secret(&other, case, PROVISION, "Vill se den").await);
    shut(services.change_circle(&other, case, other.user, true, "Vill se den").await);
    let plan =
        services.plan_together(&other, &[pick], &dismiss(), &Answered::default()).await.unwrap();
    assert!(plan.will.is_empty() && plan.cannot[0].1.contains("sekretessmarkerat"), "{plan:?}");
    let made = services
        .decide_together(&other, vec![pick], (dismiss(), Answered::default()), None)
        .await
        .unwrap();
    let done = services.decided_together(&other, made.bulk).await.unwrap();
    let became = format!("{:?}", done.cases[0].became);
    assert!(became.contains("sekretessmarkerat"), "{became}");
    assert_eq!(stage.store().case(case).await.unwrap().revision, row.revision, "nothing changed");

    // Each refusal is a line, and who may open the case sees them.
    assert_eq!(n_audited(&stage, CustodyAct::RefusedOpening).await, 19);
    let file = services.case_file(&stage.editor, case).await.unwrap();
    let refused = |name: &str| {
        let events = file.custody.events.iter();
        events.filter(|e| e.who.starts_with(name) && e.what.starts_with("nekades")).count()
    };
    assert!(refused("Alex") > 0 && refused("Gun") > 0 && refused("Ada") > 0);
}

#[tokio::test]
async fn lists_tell_no_word_of_it_and_a_search_does_not_find_it_for_those_outside() {
    let (stage, case) = marked().await;
    let services = &stage.services;
    let other = stage.person(Role::Editor, "Alex").await;
    let registrar = stage.person(Role::Registrar, "Rut").await;
    for viewer in [&stage.editor, &other] {
        for filter in [Filter::Open, Filter::Secret] {
            let page = services.queue(viewer, filter, None, 0).await.unwrap();
            let line = &page.lines[0];
            assert_eq!((line.case, line.text.as_str(), line.secret), (case, WITHHELD, true));
            assert_eq!((line.author.as_str(), line.categories.len()), ("avsändaren", 0));
            assert_eq!(page.counts.secret, 1);
        }
    }
    let asked = Asked { words: "slå ihjäl".into(), ..Asked::default() };
    assert!(services.search(&other, &asked).await.unwrap().found.is_empty());
    assert_eq!(services.search(&registrar, &asked).await.unwrap().found.len(), 1);
    // By its number it is found to exist, and no more.
    let id = stage.evidence_of(case).await.to_string();
    let asked = Asked { evidence: id, ..Asked::default() };
    let found = services.search(&other, &asked).await.unwrap().found;
    assert!(format!("{found:?}").contains(WITHHELD), "{found:?}");
    assert!(!format!("{found:?}").contains("ihjäl"));
    // A notice of it is made of the same line.
    assert_eq!(services.unasked_line(case).await.unwrap().text, WITHHELD);
    // Nobody is led to it by way of its neighbours.
    let (_, second) = stage.written("Du är en jävla idiot som ska dö.").await;
    let (_, third) = stage.written("Jag ska slå sönder dig i morgon din idiot.").await;
    let around = services.neighbours(&other, second).await.unwrap();
    assert!(around.0 != Some(case) && around.1 != Some(case), "{around:?} {third}");
}

#[tokio::test]
async fn the_circle_is_widened_by_name_for_who_may_read_and_ends_with_the_mark() {
    let (stage, case) = marked().await;
    let services = &stage.services;
    let auditor = stage.person(Role::Auditor, "Gun").await;
    let administrator = stage.person(Role::Administrator, "Ada").await;
    let owner = stage.person(Role::Owner, "Olle").await;
    let kim = &stage.editor;
    let why_in = "Granskar hanteringen enligt revisionsplanen.";
    let refused = services.change_circle(kim, case, administrator.user, true, why_in).await;
    assert!(why(refused).contains("administratörer får inte läsa"));
    services.change_circle(kim, case, auditor.user, true, why_in).await.unwrap();
    assert!(
        why(services.change_circle(kim, case, auditor.user, true, why_in).await).contains("redan")
    );
    assert_eq!(services.case_file(&auditor, case).await.unwrap().text, THREAT);
    services
        .change_circle(&owner, case, auditor.user, false, "Granskningen är klar")
        .await
        .unwrap();
    shut(services.case_file(&auditor, case).await);
    services.change_circle(kim, case, auditor.user, true, why_in).await.unwrap();
    services.lift_secrecy(&owner, case, "Fel bedömning").await.unwrap();
    services.mark_secret(kim, case, PROVISION, "Rätt ändå, visade det sig.").await.unwrap();
    shut(services.case_file(&auditor, case).await);
    // An owner who is written down on the account: no other account's.
    let person = stage.person(Role::Owner, "Siv").await;
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let sql =
        "insert into account_people (account_id, user_id, part, since) values (?1, ?2, 'owner', 1)";
    raw.execute(sql, [stage.account.0, person.user.0]).unwrap();
    services.case_file(&person, case).await.unwrap();
    shut(services.case_file(&owner, case).await);
    stage.verified().await;
}

#[tokio::test]
async fn what_leaves_the_house_carries_the_mark_and_is_decided_by_who_may_read_it() {
    let (stage, case) = marked().await;
    let services = &stage.services;
    let id = stage.evidence_of(case).await;
    let registrar = stage.person(Role::Registrar, "Rut").await;
    let owner = stage.person(Role::Owner, "Siv").await;
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let sql =
        "insert into account_people (account_id, user_id, part, since) values (?1, ?2, 'owner', 1)";
    raw.execute(sql, [stage.account.0, owner.user.0]).unwrap();
    let outside = stage.person(Role::Owner, "Olle").await;
    let release = services.open_release(&registrar, "Inlägg om badet", "").await.unwrap();
    shut(services.add_to_release(&outside, release, &[id], &[]).await);
    services.add_to_release(&registrar, release, &[id], &[]).await.unwrap();
    let (_, items) = services.release_file(&outside, release).await.unwrap();
    assert!(items[0].text.is_none() && items[0].what.starts_with("Sekretess"), "{:?}", items[0]);
    let mask = |viewer: Viewer| {
        let services = services.clone();
        async move { services.mask_in_release(&viewer, (release, id), ("", ""), "", "").await }
    };
    shut(mask(outside.clone()).await);
    shut(services.release_document(&outside, release).await);
    let end = ReleaseOutcome::Released;
    shut(services.end_release(&outside, release, end, "Skickat med brev").await);
    let (_, items) = services.release_file(&registrar, release).await.unwrap();
    let stamp = "Sekretess. OSL 26 kap. 1 §. 2026-11-21. Exempelstads kommun.";
    assert_eq!(items[0].secrecy.as_deref(), Some(stamp));
    // With nothing masked in it, it goes out only where somebody says that it was tried.
    let registrars = |tried| {
        let (services, registrar) = (services.clone(), registrar.clone());
        async move {
            let how = "Skickat med brev";
            services.end_tried_release(&registrar, release, end, how, tried).await
        }
    };
    assert!(why(registrars(false).await).contains("sekretessmarkerat"));
    // A package says it, in the very file that says what was decided.
    let (store, evidence) = (stage.store(), &services.inner.evidence);
    let out = stage.dir.path().join("paket.zip");
    let (clock, form) = (stage.clock.clock(), crate::services::deliveries::PackageForm::Zip);
    let authority = "Exempelstads kommun";
    crate::services::packages::export(store, evidence, &[id], &out, authority, &clock, &form)
        .await
        .unwrap();
    let mut zip = zip::ZipArchive::new(std::fs::File::open(&out).unwrap()).unwrap();
    let names: Vec<_> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    let name = names.iter().find(|name| name.ends_with("arende.json")).expect("a file of the case");
    let told = std::io::read_to_string(zip.by_name(name).unwrap()).unwrap();
    assert!(told.contains(r#""provision": "OSL 26 kap. 1 §""#), "{told}");
    // At the command line there is no role: a reason is asked for, and kept.
    let now = stage.now();
    assert!(why(demand_reason(store, &[id], None, now).await).contains("--secrecy"));
    demand_reason(store, &[id], Some("Begärt av åklagare"), now).await.unwrap();
    let file = services.case_file(&registrar, case).await.unwrap();
    let details: Vec<_> = file.custody.events.iter().filter_map(|e| e.detail.clone()).collect();
    assert!(details.iter().any(|detail| detail.contains("Begärt av åklagare")), "{details:?}");
    registrars(true).await.unwrap();
    let file = services.case_file(&registrar, case).await.unwrap();
    let details: Vec<_> = file.custody.events.iter().filter_map(|e| e.detail.clone()).collect();
    assert!(details.iter().any(|d| d.ends_with(", sekretessen prövad")), "{details:?}");
    assert!(archive::verify(store, evidence, Vec::new(), None).await.unwrap().is_whole());
}

#[tokio::test]
async fn a_secret_answer_stands_in_no_thread_and_what_was_sealed_of_it_before_is_shut() {
    let stage = Stage::new().await;
    let (number, secret) = stage.written(THREAT).await;
    let text = "Du är en jävla idiot som ska dö.";
    let below = stage.simulator.write("Alex Prov", text, Some(number));
    stage.wait_s(150);
    stage.take_in_plainly().await;
    let case = stage.case_of(below).await;
    let services = &stage.services;
    let other = stage.person(Role::Editor, "Alex").await;
    let above = |file: &crate::services::case_file::CaseFile| file.above.above[0].text.clone();
    assert_eq!(above(&services.case_file(&other, case).await.unwrap()), THREAT);
    services.mark_secret(&stage.editor, secret, PROVISION, "Om hälsa.").await.unwrap();
    assert_eq!(above(&services.case_file(&other, case).await.unwrap()), WITHHELD);
    // The text of the answer itself is open; a document with the thread around it is not.
    let id = stage.evidence_of(case).await;
    services.evidence_part(&other, id, "text.txt").await.unwrap();
    assert!(shut(services.police_bundle(&other, case).await).contains(&format!("Ärende {secret}")));
    services.police_bundle(&stage.editor, case).await.unwrap();
}

#[tokio::test]
async fn suspected_child_abuse_is_shut_to_all_but_those_who_must_act_from_the_first_moment() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let services = &stage.services;
    let auditor = stage.person(Role::Auditor, "Gun").await;
    let archivist = stage.person(Role::Archivist, "Arne").await;
    services.case_file(&auditor, case).await.unwrap();
    services.suspect(&stage.editor, case).await.unwrap();
    for viewer in [&auditor, &archivist] {
        let told = shut(services.case_file(viewer, case).await);
        assert!(told.contains("barnpornografibrott") && told.contains("redaktörer"), "{told}");
    }
    // Who is on the account acts on it, and no other editor.
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let sql = "insert into account_people (account_id, user_id, part, since) values (?1, ?2, 'editor', 1)";
    raw.execute(sql, [stage.account.0, stage.editor.user.0]).unwrap();
    let other = stage.person(Role::Editor, "Alex").await;
    shut(services.case_file(&other, case).await);
    services.case_file(&stage.editor, case).await.unwrap();
    // Suspecting is always open: it only takes away.
    services.suspect(&other, case).await.unwrap();
}

#[tokio::test]
async fn a_mark_that_is_removed_or_changed_behind_our_back_is_found() {
    let (stage, case) = marked().await;
    let services = &stage.services;
    let registrar = stage.person(Role::Registrar, "Rut").await;
    services.lift_secrecy(&registrar, case, "Fel bedömning").await.unwrap();
    services.mark_secret(&stage.editor, case, PROVISION, "Rätt ändå.").await.unwrap();
    stage.verified().await;
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    assert!(raw.execute("update secrecies set provision = 'annat'", []).is_err(), "the schema");
    raw.execute_batch(
        "drop trigger secrecies_stay; drop trigger secrecies_are_never_cut;
         drop trigger case_is_secret_no_more",
    )
    .unwrap();
    let evidence = &services.inner.evidence;
    for (change, back, what) in [
        (
            "update secrecies set provision = 'X 1 §' where id = 2",
            "update secrecies set provision = 'OSL 26 kap. 1 §' where id = 2",
            "stämmer inte",
        ),
        (
            "update secrecies set lift_reason = 'Annat' where id = 1",
            "update secrecies set lift_reason = 'Fel bedömning' where id = 1",
            "hävandet",
        ),
        ("update cases set secret = 0", "update cases set secret = 1", "kolumnen"),
        (
            "pragma foreign_keys = off; delete from secrecies where id = 2; update cases set secret = 0",
            "",
            "raden saknas",
        ),
    ] {
        raw.execute_batch(change).unwrap();
        let found = verify::verify(evidence, stage.store(), &Default::default()).await.unwrap();
        let words: Vec<_> =
            found.faults.iter().map(|f| format!("{}: {}", f.place, f.what)).collect();
        assert_eq!(words.len(), 1, "{change}: {words:?}");
        assert!(words[0].contains(what), "{change}: {words:?}");
        raw.execute_batch(back).unwrap();
    }
}

#[tokio::test]
async fn the_police_decision_is_shut_too() {
    let (stage, case) = marked().await;
    let outside = stage.person(Role::Owner, "Olle").await;
    let file = stage.services.police_file(&outside, case).await.unwrap();
    let owner = stage.person(Role::Owner, "Siv").await;
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let sql =
        "insert into account_people (account_id, user_id, part, since) values (?1, ?2, 'owner', 1)";
    raw.execute(sql, [stage.account.0, owner.user.0]).unwrap();
    let choice = PoliceChoice {
        version: file.version,
        n_before: 0,
        reported: false,
        crime: "olaga_hot".into(),
        injured: String::new(),
        reason: "Väntar på målsäganden.".into(),
    };
    shut(stage.services.decide_police(&outside, case, &choice).await);
}

#[tokio::test]
async fn what_stands_beside_a_marked_case_shows_nothing_of_it_to_those_outside() {
    let stage = Stage::new().await;
    let services = &stage.services;
    let long = format!("{THREAT} {}", "Och så skriver jag en zebrakaka till. ".repeat(60));
    let (_, case) = stage.written(&long).await;
    // Under the same post, and no answer to it.
    let (_, beside) = stage.written("Jag vet var du bor och ska slå ihjäl dig, din gris.").await;
    let admin = stage.person(Role::Administrator, "Ada").await;
    let wanted = services.want_archive_run(&admin, "facebook", Occasion::Other, "Prov").await;
    let run = wanted.unwrap();
    services.archive_round().await.unwrap();
    let fetch = async |who: &Viewer| services.archive_run_file(who, run, "innehall.jsonl").await;
    let other = stage.person(Role::Editor, "Alex").await;
    fetch(&other).await.unwrap();

    let mark = services.mark_secret(&stage.editor, case, PROVISION, "Skriver om sin tidsplan.");
    mark.await.unwrap();
    // The whole text, where one decides on many.
    let picked = services.picked(&other, &[case], &[], Over::AllAccounts).await.unwrap();
    assert!(!format!("{picked:?}").contains("zebrakaka"));
    // A run from before the mark, and its package.
    shut(fetch(&other).await);
    fetch(&stage.editor).await.unwrap();
    let (store, evidence) = (stage.store(), &services.inner.evidence);
    let out = stage.dir.path().join("korning.zip");
    let zip = PackageForm::Zip;
    let export = archive_runs::export(store, evidence, run, &out, &zip, None, stage.now()).await;
    assert!(why(export).contains("--secrecy"));
    assert!(!out.exists());
    // Pictures of a page show what stands on it; the record's own words are open.
    let record = stage.evidence_of(beside).await;
    let item = store.case(beside).await.unwrap().item;
    assert_eq!(store.secret_in_thread(item).await.unwrap(), []);
    assert_eq!(store.secret_on_page(item).await.unwrap(), [case]);
    services.evidence_part(&other, record, "text.txt").await.unwrap();
    assert!(why(demand_reason(store, &[record], None, stage.now()).await).contains("--secrecy"));
    // Suspecting is open to all who decide, and nobody lets themselves in by it.
    services.suspect(&other, case).await.unwrap();
    shut(services.case_file(&other, case).await);
    services.case_file(&stage.editor, case).await.unwrap();
}
