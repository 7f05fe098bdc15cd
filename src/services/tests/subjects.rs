//! What people ask about their own personal data.

use jiff::SignedDuration;

use super::harness::{Stage, THREAT};
use super::keeping::{TWO_MONTHS_S, why};
use crate::domain::ids::{CaseId, ItemId};
use crate::domain::person::Role;
use crate::domain::subject::SubjectOutcome;
use crate::services::{ServiceError, Viewer};
use crate::store::error::StoreError;
use crate::store::sqlite::subjects::EndOfSubject;

const HARMLESS: &str = "Tack för ett fint bad i somras!";

async fn registrar(stage: &Stage) -> Viewer {
    stage.person(Role::Registrar, "Eva").await
}

/// A request for everything of the simulator's author, with all hits chosen.
async fn asked(stage: &Stage, who: &Viewer, kind: &str) -> i64 {
    let services = &stage.services;
    let id = services.open_subject(who, kind, "robin påhitt", "robin@exempel.example", "").await;
    let id = id.unwrap();
    let (hits, more) = services.find_subject(who, id).await.unwrap();
    assert!(!more);
    let all: Vec<ItemId> = hits.iter().map(|hit| hit.item).collect();
    services.add_to_subject(who, id, &all).await.unwrap();
    id
}

async fn item_of(stage: &Stage, case: CaseId) -> ItemId {
    stage.store().case(case).await.unwrap().item
}

/// The text of a PDF, where the machine can tell.
fn text_of(stage: &Stage, pdf: &[u8]) -> Option<String> {
    let path = stage.dir.path().join("svar.pdf");
    std::fs::write(&path, pdf).unwrap();
    let out =
        std::process::Command::new("pdftotext").arg("-layout").arg(&path).arg("-").output().ok()?;
    let text = String::from_utf8(out.stdout).unwrap();
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[tokio::test]
async fn an_extract_holds_all_that_the_person_wrote_flagged_or_not_and_no_name_is_on_the_audit_log()
{
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    stage.simulator.write("Robin Påhitt", HARMLESS, None);
    stage.simulator.write("Sam Prov", "Robin Påhitt har rätt. Mitt nummer är 070-174 06 10.", None);
    stage.simulator.write("Sam Prov", "Något annat.", None);
    stage.wait_s(150);
    stage.take_in_plainly().await;
    let eva = registrar(&stage).await;
    let id = asked(&stage, &eva, "access").await;
    let file = stage.services.subject_file(&eva, id).await.unwrap();
    let wrote: Vec<_> =
        file.items.iter().map(|told| (told.wrote, told.text.clone().unwrap())).collect();
    assert_eq!(wrote.iter().filter(|(wrote, _)| *wrote).count(), 2, "{wrote:?}");
    let mention = &wrote.iter().find(|(wrote, _)| !wrote).unwrap().1;
    assert!(mention.contains("har rätt") && !mention.contains("174 06"), "others' data: {mention}");
    assert_eq!(wrote.len(), 3);
    stage.services.end_subject(&eva, id, false, "Här är det vi har.").await.unwrap();
    let pdf = stage.services.subject_document(&eva, id).await.unwrap();
    assert!(pdf.starts_with(b"%PDF-"));
    if let Some(text) = text_of(&stage, &pdf) {
        for words in [
            "Registerutdrag",
            "Här är det vi har.",
            HARMLESS,
            "6.1 c och e",
            "IMY",
            "Rättslig grund",
            "Varifrån",
            "Till vem",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
    let (row, _) = stage.store().subject(id).await.unwrap();
    assert_eq!(row.ended.unwrap().2, SubjectOutcome::Granted);
    assert!(stage.history(case).await.contains(&"En registrerad fick svar".to_owned()));
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let named =
        "select count(*) from audit where lower(coalesce(detail, '') || subject) like '%robin%'";
    assert_eq!(raw.query_row(named, [], |row| row.get::<_, u32>(0)).unwrap(), 0);
    let searched =
        "select count(*) from audit where act = 'subject.search' and subject = 'subject request 1'";
    assert_eq!(raw.query_row(searched, [], |row| row.get::<_, u32>(0)).unwrap(), 2);
    assert!(raw.execute("update subject_requests set outcome = 'refused'", []).is_err());
    stage.verified().await;
}

#[tokio::test]
async fn a_request_is_due_in_a_month_may_be_prolonged_once_and_is_for_some_roles_alone() {
    let stage = Stage::new().await;
    let eva = registrar(&stage).await;
    let services = &stage.services;
    for (whom, day) in [
        ("", ""),
        ("ab", ""),
        ("Robin", "2027-01-01"),
        ("Robin", "i går"),
        ("Robin", "0001-01-01"),
        ("Robin", "2018-05-24"),
        ("Robin", "9999-12-31"),
        ("Robin\n19121212-1212", ""),
        ("1212121212", ""),
    ] {
        why(services.open_subject(&eva, "access", whom, "", day).await);
    }
    why(services.open_subject(&eva, "annat", "Robin", "", "").await);
    let id = services.open_subject(&eva, "access", "Robin", "", "2026-11-01").await.unwrap();
    let row = services.subject_requests(&eva).await.unwrap().remove(0);
    assert_eq!(row.due_at, "2026-12-01T23:00:00Z".parse().unwrap());
    let adam = stage.person(Role::Administrator, "Adam").await;
    services.extend_subject(&adam, id, "Många handlingar.").await.unwrap();
    assert!(why(services.extend_subject(&adam, id, "Många handlingar.").await).contains("redan"));
    let row = services.subject_requests(&eva).await.unwrap().remove(0);
    assert_eq!(row.due_at, "2027-02-01T23:00:00Z".parse().unwrap());
    let other = services.open_subject(&eva, "access", "Robin", "", "2026-10-01").await.unwrap();
    assert!(why(services.extend_subject(&eva, other, "För sent nu.").await).contains("är ute"));
    // Whoever keeps the system notes and follows, and reads nothing.
    let followed = services.subject_file(&adam, id).await.unwrap();
    assert!(!followed.may_answer && followed.items.is_empty());
    let refused = |result: Result<(), ServiceError>| {
        assert!(matches!(result, Err(ServiceError::NotPermitted { .. })), "{result:?}");
    };
    refused(services.find_subject(&adam, id).await.map(drop));
    refused(services.end_subject(&adam, id, false, "Här är det.").await);
    refused(services.subject_document(&adam, id).await.map(drop));
    for role in [Role::Editor, Role::Owner, Role::Archivist, Role::Auditor] {
        let who = stage.person(role, &format!("Roll {}", role.id())).await;
        refused(services.subject_requests(&who).await.map(drop));
        refused(services.subject_file(&who, id).await.map(drop));
        refused(services.open_subject(&who, "access", "Robin", "", "").await.map(drop));
        refused(services.add_to_subject(&who, id, &[ItemId(1)]).await);
    }
}

#[tokio::test]
async fn rectification_is_a_note_joined_to_the_case_and_what_was_sealed_stays() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let eva = registrar(&stage).await;
    let id = asked(&stage, &eva, "rectification").await;
    let item = item_of(&stage, case).await;
    why(stage.services.note_on_subject(&eva, id, item, " ").await);
    stage.services.note_on_subject(&eva, id, item, "Kontot var kapat den dagen.").await.unwrap();
    stage.services.end_subject(&eva, id, false, "Vi har antecknat det.").await.unwrap();
    let file = stage.services.case_file(&stage.editor, case).await.unwrap();
    assert_eq!(file.text, THREAT);
    let note = file.history.iter().find(|step| step.what.starts_with("Rättelse")).unwrap();
    assert_eq!(note.detail.as_deref(), Some("Begäran 1. Kontot var kapat den dagen."));
    why(stage.services.note_on_subject(&eva, id, item, "En gång till.").await);
    stage.verified().await;
}

#[tokio::test]
async fn erasure_is_refused_with_the_archive_exception_until_the_plan_allows_it() {
    let stage = Stage::new().await;
    let (_, case) = stage.dismissed(THREAT).await;
    let eva = registrar(&stage).await;
    let archivist = stage.person(Role::Archivist, "Arne").await;
    let id = asked(&stage, &eva, "erasure").await;
    let file = stage.services.subject_file(&eva, id).await.unwrap();
    let (may_go, reason) = &file.items[0].erasure;
    assert!(
        !may_go && reason.contains("17.3 b och d") && reason.contains("arkivlagen"),
        "{reason}"
    );
    // Nothing of it goes while they wait, whatever the plan says.
    stage.wait_s(TWO_MONTHS_S);
    assert_eq!(stage.plan().await.due, []);
    why(stage.services.propose_disposal(&archivist, None).await);
    let file = stage.services.subject_file(&eva, id).await.unwrap();
    assert!(file.items[0].erasure.0, "the plan's time has gone meanwhile");
    stage.services.end_subject(&eva, id, false, "Uppgifterna gallras.").await.unwrap();
    let troubles = stage.services.notice_troubles(&stage.editor).await.unwrap();
    assert!(
        troubles.iter().any(|t| t.subject.contains(&format!("gallra ärende {case}"))),
        "{troubles:?}"
    );
    let due: Vec<_> = stage.plan().await.due.iter().map(|due| due.case).collect();
    assert_eq!(due, [case], "the hold is lifted with the answer");
    // And a refusal is a document with how to appeal.
    let (_, other) = stage.written("Jag vet var din bror bor och ska slå ihjäl honom.").await;
    let id = asked(&stage, &eva, "erasure").await;
    stage.services.drop_from_subject(&eva, id, item_of(&stage, case).await).await.unwrap();
    stage.services.end_subject(&eva, id, false, "Vi bevarar uppgifterna.").await.unwrap();
    let (row, _) = stage.store().subject(id).await.unwrap();
    assert_eq!(row.ended.unwrap().2, SubjectOutcome::Refused);
    let pdf = stage.services.subject_document(&eva, id).await.unwrap();
    if let Some(text) = text_of(&stage, &pdf) {
        for words in ["gallras inte", "7 kap. 2 §", "tre veckor", "IMY", "artikel 17.3 b och d"] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
    let hold = stage.services.case_file(&eva, other).await.unwrap().exemption;
    assert!(hold.is_none(), "{hold:?}");
    stage.verified().await;
}

#[tokio::test]
async fn names_and_documents_go_by_the_plan_and_a_pending_request_holds_up_the_sweep() {
    let stage = Stage::new().await;
    let eva = registrar(&stage).await;
    let id = asked_nothing(&stage, &eva).await;
    stage.clock.advance(SignedDuration::from_hours(24 * 70));
    assert_eq!(stage.services.sweep_uncased().await.unwrap(), 0);
    let (row, _) = stage.store().subject(id).await.unwrap();
    assert!(row.whom.is_some());
    stage.services.end_subject(&eva, id, true, "Personen ångrade sig.").await.unwrap();
    for _ in 0..3 {
        stage.wait_s(TWO_MONTHS_S / 2);
        stage.services.note_sign().await.unwrap();
    }
    let n = stage
        .store()
        .forget_subjects(stage.now(), false, "KS 2026/1".into(), stage.now())
        .await
        .unwrap();
    let (row, _) = stage.store().subject(id).await.unwrap();
    assert_eq!((n, row.whom, row.asker), (1, None, None));
    assert_eq!(row.ended.unwrap().3, None);
}

async fn asked_nothing(stage: &Stage, who: &Viewer) -> i64 {
    let services = &stage.services;
    let id = services.open_subject(who, "access", "Robin Påhitt", "robin@exempel.example", "");
    let id = id.await.unwrap();
    assert!(services.find_subject(who, id).await.unwrap().0.is_empty());
    why(services.add_to_subject(who, id, &[ItemId(1)]).await);
    id
}

#[tokio::test]
async fn an_extract_holds_earlier_wordings_and_reaches_past_what_was_chosen() {
    let stage = Stage::new().await;
    let (number, case) = stage.written(THREAT).await;
    stage.simulator.edit(number, &format!("{THREAT} I kväll."));
    stage.wait_s(150);
    stage.take_in_plainly().await;
    let (_, other) = stage.written("Jag vet var din bror bor och ska slå ihjäl honom.").await;
    let (services, eva) = (&stage.services, registrar(&stage).await);
    let id = services.open_subject(&eva, "access", "Robin Påhitt", "", "").await.unwrap();
    let (first, second) = (item_of(&stage, case).await, item_of(&stage, other).await);
    services.add_to_subject(&eva, id, &[first]).await.unwrap();
    let (hits, _) = services.find_subject(&eva, id).await.unwrap();
    assert_eq!(hits.iter().map(|hit| hit.item).collect::<Vec<_>>(), [second], "the next ones");
    let told = &services.subject_file(&eva, id).await.unwrap().items[0];
    assert_eq!(told.text.as_deref(), Some(&*format!("{THREAT} I kväll.")));
    assert_eq!(told.before.iter().map(|(_, text)| &text[..]).collect::<Vec<_>>(), [THREAT]);
    services.end_subject(&eva, id, false, "Här är utdraget.").await.unwrap();
    let pdf = services.subject_document(&eva, id).await.unwrap();
    if let Some(text) = text_of(&stage, &pdf) {
        assert!(text.contains("Tidigare lydelse"), "{text}");
    }
}

#[tokio::test]
async fn a_request_does_not_end_over_what_came_meanwhile() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let eva = registrar(&stage).await;
    let id = asked(&stage, &eva, "rectification").await;
    let item = item_of(&stage, case).await;
    let end = |items| EndOfSubject {
        id,
        outcome: SubjectOutcome::Granted,
        words: "Antecknat.".into(),
        pdf: None,
        items,
        may_go: Vec::new(),
        user: eva.user,
    };
    let line = || eva.line("subject.end", "prov");
    for before in [Vec::new(), vec![(item, Some("En annan anteckning.".to_owned()))]] {
        let ended = stage.store().end_subject(end(before), line(), stage.now()).await;
        assert!(matches!(ended, Err(StoreError::Refused { .. })), "{ended:?}");
    }
    stage.store().end_subject(end(vec![(item, None)]), line(), stage.now()).await.unwrap();
}

#[tokio::test]
async fn nobody_lifts_by_hand_what_a_person_asks_about() {
    let stage = Stage::new().await;
    let (_, case) = stage.dismissed(THREAT).await;
    let eva = registrar(&stage).await;
    let owner = stage.person(Role::Owner, "Lo").await;
    let id = asked(&stage, &eva, "access").await;
    let tried = stage.services.end_exemption(&owner, case, "Behövs inte.").await;
    assert!(why(tried).contains(&format!("begäran {id}")));
    stage.services.end_subject(&eva, id, false, "Här är utdraget.").await.unwrap();
    assert!(stage.store().covering_hold(case).await.unwrap().is_none());
}

#[tokio::test]
async fn a_name_inside_another_word_is_not_found_and_one_that_stands_there_may_be_somebody_elses() {
    let stage = Stage::new().await;
    let eva = registrar(&stage).await;
    for text in ["Ekonomi är tråkigt, säger Björnekman.", "Fru Eks bil står fel igen."] {
        stage.simulator.write("Robin Påhitt", text, None);
    }
    stage.wait_s(150);
    stage.take_in_plainly().await;
    // Three letters are the fewest.
    let id = stage.services.open_subject(&eva, "access", "Fru Ek", "", "").await.unwrap();
    let (hits, _) = stage.services.find_subject(&eva, id).await.unwrap();
    assert_eq!(hits.len(), 1);
    assert!(!hits[0].wrote && hits[0].text.starts_with("Fru Eks bil"));
    let id = stage.services.open_subject(&eva, "access", "björne", "", "").await.unwrap();
    assert_eq!(stage.services.find_subject(&eva, id).await.unwrap().0.len(), 0);
}

#[tokio::test]
async fn an_extract_of_very_much_is_several_documents_and_no_refusal() {
    let stage = Stage::new().await;
    for n in 0..3 {
        stage.simulator.write("Robin Påhitt", &format!("Fint väder i dag, dag {n}."), None);
    }
    stage.wait_s(150);
    stage.take_in_plainly().await;
    let eva = registrar(&stage).await;
    let id = asked(&stage, &eva, "access").await;
    let file = stage.services.subject_file(&eva, id).await.unwrap();
    assert_eq!(file.items.len(), 3);
    let answer = (crate::domain::subject::SubjectOutcome::Granted, "Här är allt.");
    let made = stage.services.subject_volumes(&file, answer, stage.now(), 2).await.unwrap();
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(made)).unwrap();
    assert_eq!(zip.len(), 2);
    for n in ["1", "2"] {
        let mut pdf = Vec::new();
        let mut part = zip.by_name(&format!("begaran-{id}-del-{n}-av-2.pdf")).unwrap();
        std::io::Read::read_to_end(&mut part, &mut pdf).unwrap();
        assert!(pdf.starts_with(b"%PDF"));
        let Some(text) = text_of(&stage, &pdf) else { continue };
        assert!(text.contains(&format!("del {n} av 2")) && text.contains("överklag"), "{text}");
    }
    let (hits, more) = stage.services.find_subject_page(&eva, id, 1).await.unwrap();
    assert!(hits.is_empty() && !more, "there is no second page");
}
