//! Reports from the public, and what stands outside our control.

use jiff::{SignedDuration, Timestamp};

use super::harness::{REPORTS_A_DAY, Stage, THREAT};
use super::keeping::TWO_MONTHS_S;
use super::notices::{notifier, staffed};
use crate::domain::case::CaseState;
use crate::domain::ids::{CaseId, ContentHash};
use crate::domain::person::Role;
use crate::domain::public_report::{Faulty, ReportState, Typed, numbers};
use crate::domain::report::Span;
use crate::services::mailbox::{Round, drop_in};
use crate::services::public_reports::Answer;
use crate::services::{ServiceError, packages};

pub fn typed(link: &str, reason: &str) -> Typed {
    Typed { link: link.into(), reason: reason.into(), contact: "robin@exempel.example".into() }
}

/// The link of the comment at the platform.
async fn link_of(stage: &Stage, number: u64) -> String {
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let sql = "select permalink from items where platform_id = ?1";
    raw.query_row(sql, [number.to_string()], |row| row.get(0)).unwrap()
}

async fn report(stage: &Stage, link: &str, reason: &str) -> String {
    match stage.services.report_from_outside(&typed(link, reason)).await.unwrap() {
        Answer::Taken(receipt) => receipt,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_report_joins_the_case_of_what_it_points_at_and_changes_neither_deadline_nor_state() {
    let stage = Stage::new().await;
    let (number, case) = stage.written(THREAT).await;
    let link = link_of(&stage, number).await;
    let before = stage.store().case(case).await.unwrap();
    let shared = link.replacen('#', "?fbclid=x#", 1);
    assert_ne!(shared, link);
    let receipt = report(&stage, &shared, "Det här är ett hot mot min granne.").await;
    assert_eq!(report(&stage, &shared, "Det här är ett hot mot min granne.").await, receipt, "one");
    let after = stage.store().case(case).await.unwrap();
    assert_eq!(
        (after.due_at, &after.state, after.rank),
        (before.due_at, &before.state, before.rank)
    );
    let told = stage.services.from_outside(&stage.editor, case).await.unwrap();
    assert_eq!(told.reports.len(), 1);
    assert_eq!(told.reports[0].link.as_deref(), Some(shared.as_str()));
    assert!(stage.history(case).await.contains(&"En anmälan utifrån hör till ärendet".to_owned()));
    assert_eq!(stage.services.n_tasks(&stage.editor).await.unwrap(), 1);
    // It goes with the case: into packages, and behind its marks.
    let told = packages_of(&stage, case).await;
    assert!(told.contains("hot mot min granne"), "{told}");
    let registrar = stage.person(Role::Registrar, "Eva").await;
    stage.services.mark_secret(&registrar, case, "21 kap. 7 § OSL", "Om hälsa.").await.unwrap();
    let arne = stage.person(Role::Editor, "Arne").await;
    let shut = stage.services.report_at(&arne, 1).await;
    assert!(matches!(shut, Err(ServiceError::Shut { .. })), "{shut:?}");
    let lines = stage.services.reports_from_outside(&arne).await.unwrap();
    assert!(!lines[0].line.contains("granne"), "{lines:?}");
    let refused = stage.services.end_report(&arne, 1, None).await;
    assert!(matches!(refused, Err(ServiceError::Shut { .. })));
    assert!(stage.services.report_at(&registrar, 1).await.is_ok());
}

async fn packages_of(stage: &Stage, case: CaseId) -> String {
    let store = stage.store();
    serde_json::to_string(&crate::services::public_reports::for_package(store, case).await.unwrap())
        .unwrap()
}

#[tokio::test]
async fn what_was_never_flagged_gets_a_case_and_what_nobody_knows_waits_for_a_person() {
    let stage = Stage::new().await;
    let number = stage.simulator.write("Robin Påhitt", "Fint väder i dag.", None);
    stage.wait_s(150);
    stage.take_in_plainly().await;
    let link = link_of(&stage, number).await;
    report(&stage, &link, "Det anspelar på min granne.").await;
    let case = stage.case_of(number).await;
    assert_eq!(stage.state(case).await, CaseState::Waiting);
    let history = stage.store().case_history(case).await.unwrap();
    let why = history.iter().find(|step| step.what == "Ärendet öppnades").unwrap();
    assert_eq!(why.detail.as_deref(), Some("Någon utifrån har anmält inlägget."));
    // Evidence is wanted as of any case.
    super::harness::seal_plainly(&stage.services).await;
    assert!(packages::of_case(stage.store(), case).await.is_ok());

    report(&stage, "https://annanstans.example/7", "Hot mot en lärare.").await;
    let lines = stage.services.reports_from_outside(&stage.editor).await.unwrap();
    let lost = lines.iter().find(|line| line.state == ReportState::New).unwrap().id;
    let read = stage.services.end_report(&stage.editor, lost, None).await;
    assert!(matches!(read, Err(ServiceError::Refused { .. })), "it belongs to no case");
    let short = stage.services.end_report(&stage.editor, lost, Some("nej")).await;
    assert!(matches!(short, Err(ServiceError::Refused { .. })), "a reason is demanded");
    stage.services.join_report(&stage.editor, lost, case).await.unwrap();
    stage.services.end_report(&stage.editor, lost, None).await.unwrap();
    let again = stage.services.end_report(&stage.editor, lost, None).await;
    assert!(matches!(again, Err(ServiceError::Refused { .. })), "once");
    for role in [Role::Auditor, Role::Registrar, Role::Archivist, Role::Administrator] {
        let who = stage.person(role, &format!("Roll {}", role.id())).await;
        let refused = stage.services.end_report(&who, 1, None).await;
        assert!(matches!(refused, Err(ServiceError::NotPermitted { .. })), "{role:?}");
        let refused = stage.services.set_outside(&who, case, Some("Vi når det inte.")).await;
        assert!(matches!(refused, Err(ServiceError::NotPermitted { .. })), "{role:?}");
    }
    stage.verified().await;
}

#[tokio::test]
async fn a_day_takes_so_many_and_no_more_and_faults_are_told_by_field() {
    let stage = Stage::new().await;
    for n in 0..super::harness::REPORTS_A_DAY {
        report(&stage, &format!("https://annanstans.example/{n}"), "Hot mot en lärare.").await;
    }
    let more = || typed("https://annanstans.example/fler", "Hot mot en lärare.");
    let told = stage.services.report_from_outside(&more()).await.unwrap();
    assert_eq!(told, Answer::Full);
    stage.clock.advance(SignedDuration::from_hours(24));
    assert!(matches!(stage.services.report_from_outside(&more()).await.unwrap(), Answer::Taken(_)));
    let faulty = stage.services.report_from_outside(&typed("javascript:x", "Hot.")).await.unwrap();
    assert!(matches!(faulty, Answer::Faulty(Faulty::Link(_))));
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let sql = "select count(*) from audit where act = 'report.received' and address <> 'utifrån'";
    assert_eq!(raw.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap(), 0);
    assert!(raw.execute("delete from public_reports", []).is_err(), "an incoming document stays");
    assert!(raw.execute("update public_reports set reason = 'annat'", []).is_err());
}

#[tokio::test]
async fn a_report_goes_when_its_case_is_disposed_of_and_its_hash_stays() {
    let stage = Stage::new().await;
    let (number, case) = stage.dismissed(THREAT).await;
    report(&stage, &link_of(&stage, number).await, "Hot mot en lärare.").await;
    stage.wait_s(TWO_MONTHS_S);
    let archivist = stage.person(Role::Archivist, "Arne").await;
    let other = stage.person(Role::Administrator, "Eva").await;
    // Not as long as nobody has read it.
    let plan = stage.plan().await;
    assert_eq!(plan.due, []);
    assert!(plan.spared[0].1.contains("anmälan utifrån"), "{:?}", plan.spared);
    stage.services.end_report(&stage.editor, 1, None).await.unwrap();
    let row = stage.services.propose_disposal(&archivist, None).await.unwrap();
    stage.services.approve_disposal(&other, row.id).await.unwrap();
    let told = stage.services.from_outside(&stage.editor, case).await.unwrap();
    assert_eq!((told.reports[0].reason.as_ref(), told.reports[0].contact.as_ref()), (None, None));
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let hash: Vec<u8> =
        raw.query_row("select content_sha256 from public_reports", [], |row| row.get(0)).unwrap();
    assert_ne!(hash, ContentHash::of(b"").bytes());
}

#[tokio::test]
async fn what_stands_outside_our_control_runs_no_deadline_until_that_is_taken_back() {
    let stage = Stage::new().await;
    staffed(&stage).await;
    let (_, case) = stage.written(THREAT).await;
    let services = &stage.services;
    let short = services.set_outside(&stage.editor, case, Some(" ")).await;
    assert!(matches!(short, Err(ServiceError::Refused { .. })), "a reason is demanded");
    let why = "Delat vidare på någons egen sida.";
    services.set_outside(&stage.editor, case, Some(why)).await.unwrap();
    let twice = services.set_outside(&stage.editor, case, Some(why)).await;
    assert!(matches!(twice, Err(ServiceError::Refused { .. })));
    // Three days later nothing has gone on to anybody, and no report counts it as late.
    let told = notifier(&stage);
    told.plan().await.unwrap();
    stage.clock.advance(SignedDuration::from_hours(72));
    while told.escalate().await.unwrap() {}
    assert_eq!(stage.store().steps_taken(case).await.unwrap(), []);
    assert_eq!(stage.store().n_overdue(stage.now()).await.unwrap(), 0);
    let span = Span::parse("2026-11").unwrap();
    let report = services.committee_report(&stage.editor, span).await.unwrap();
    assert_eq!((report.counts.deadlines.outside, report.counts.deadlines.overdue), (1, 0));
    let file = services.case_file(&stage.editor, case).await.unwrap();
    assert!(file.outside);
    // Taken back, the deadline is what it was, and somebody is told.
    services.set_outside(&stage.editor, case, None).await.unwrap();
    told.plan().await.unwrap();
    while told.escalate().await.unwrap() {}
    assert!(!stage.store().steps_taken(case).await.unwrap().is_empty());
    assert_eq!(stage.store().n_overdue(stage.now()).await.unwrap(), 1);
    let what = stage.history(case).await;
    assert!(what.contains(&"Märktes som utanför vår kontroll".to_owned()), "{what:?}");
    assert!(what.contains(&"Märkningen utanför vår kontroll togs bort".to_owned()));
    stage.verified().await;
}

#[test]
fn a_link_of_the_simulated_platform_has_its_number() {
    let link = url::Url::parse("https://facebook.example/p/1?comment_id=100000000001").unwrap();
    assert_eq!(numbers(&link)[0], "100000000001");
}

#[tokio::test]
async fn a_report_that_joined_a_case_already_disposed_of_goes_by_itself_and_no_words_stand_in_the_audit_log()
 {
    let stage = Stage::new().await;
    let (number, case) = stage.dismissed(THREAT).await;
    let link = link_of(&stage, number).await;
    stage.wait_s(TWO_MONTHS_S);
    let archivist = stage.person(Role::Archivist, "Arne").await;
    let other = stage.person(Role::Administrator, "Eva").await;
    let row = stage.services.propose_disposal(&archivist, None).await.unwrap();
    stage.services.approve_disposal(&other, row.id).await.unwrap();
    report(&stage, &link, "Hot mot en lärare.").await;
    let words = "Gäller samma inlägg som förut.";
    stage.services.end_report(&stage.editor, 1, Some(words)).await.unwrap();
    let swept = async |at: Timestamp| {
        stage.store().sweep_reports(at, "KS 2026/1".into(), stage.now()).await.unwrap()
    };
    assert_eq!(swept(Timestamp::UNIX_EPOCH).await, 0, "not before its time");
    assert_eq!(swept(stage.now() + SignedDuration::from_hours(1)).await, 1);
    let told = stage.services.from_outside(&stage.editor, case).await.unwrap();
    assert_eq!(told.reports[0].reason, None);
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let line: String = raw
        .query_row("select detail from audit where act = 'report.end'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(line, ReportState::SetAside.label());
}

/// A stage with a mailbox, and its folder.
pub async fn with_mailbox() -> (Stage, std::path::PathBuf) {
    let mut stage = Stage::new().await;
    let folder = stage.dir.path().join("post");
    let inner = std::sync::Arc::get_mut(&mut stage.services.inner).expect("nothing runs yet");
    inner.settings.public_reports.mailbox = Some(folder.clone());
    (stage, folder)
}

#[tokio::test]
async fn mails_become_reports_as_those_of_the_form_and_nothing_of_them_is_lost() {
    let (stage, folder) = with_mailbox().await;
    let (number, case) = stage.written(THREAT).await;
    let link = link_of(&stage, number).await;
    let drop = |mail: &[u8]| drop_in(&folder, mail).unwrap();
    let head = "From: Robin <robin@exempel.example>\r\nSubject: Hot mot en lärare\r\n";
    let known = format!("{head}Content-Type: text/plain; charset=utf-8\r\n\r\nSe {link} tack.\r\n");
    assert_eq!(drop(known.as_bytes()), drop(known.as_bytes()), "the same mail is one file");
    drop(format!("{head}\r\nJag hittar inte länken.").as_bytes());
    drop(b"Auto-Submitted: auto-replied\r\nSubject: Semester\r\n\r\nJag \xe4r borta.");
    drop(b"\0\0\0");
    // One that is still being written is left alone.
    std::fs::write(folder.join(".halv.part"), b"Subject: x").unwrap();
    let round = stage.services.read_mailbox().await.unwrap();
    assert_eq!(round, Round { reports: 2, automatic: 1, faulty: 1, left: 0 });
    let told = stage.services.from_outside(&stage.editor, case).await.unwrap();
    assert_eq!(told.reports.len(), 1);
    assert!(told.reports[0].reason.as_deref().unwrap().starts_with("Hot mot en lärare"));
    assert_eq!(told.reports[0].contact.as_deref(), Some("Robin <robin@exempel.example>"));
    let all = stage.services.reports_from_outside(&stage.editor).await.unwrap();
    let waits = all.iter().filter(|line| line.state == ReportState::New).count();
    assert_eq!((all.len(), waits), (2, 1), "one waits for a person to find it");
    let troubles = stage.services.notice_troubles(&stage.editor).await.unwrap();
    assert!(troubles.iter().any(|t| t.subject.contains("kunde inte läsas")), "{troubles:?}");
    // All of them lie beside.
    let lie = |name: &str| std::fs::read_dir(folder.join(name)).unwrap().count();
    assert_eq!((lie("lästa"), lie("automatiska"), lie("fel")), (2, 1, 1));
    assert_eq!(stage.services.read_mailbox().await.unwrap(), Round::default());
    // What came again is the same report.
    drop(known.as_bytes());
    assert_eq!(stage.services.read_mailbox().await.unwrap().reports, 1);
    assert_eq!(stage.services.reports_from_outside(&stage.editor).await.unwrap().len(), 2);
    stage.verified().await;
}

#[tokio::test]
async fn mails_beyond_the_days_number_wait_in_the_mailbox_until_there_is_room() {
    let (stage, folder) = with_mailbox().await;
    for n in 0..REPORTS_A_DAY + 1 {
        drop_in(&folder, format!("Subject: Anmälan {n}\r\n\r\nHot.").as_bytes()).unwrap();
    }
    let most = REPORTS_A_DAY as usize;
    let round = stage.services.read_mailbox().await.unwrap();
    assert_eq!((round.reports, round.left), (most, 1));
    stage.clock.advance(SignedDuration::from_hours(24));
    let round = stage.services.read_mailbox().await.unwrap();
    assert_eq!((round.reports, round.left), (1, 0));
}
