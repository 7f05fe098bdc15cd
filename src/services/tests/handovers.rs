//! Packages on their way to the diary by mail and signed call, and numbers on their way back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::SignedDuration;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::harness::{Stage, THREAT};
use super::witnesses::mail_server;
use crate::domain::case::CaseState;
use crate::domain::decision::Choice;
use crate::domain::handover::{HandoverState, HandoverWay, reference};
use crate::domain::ids::{CaseId, RegistrationId};
use crate::domain::person::Role;
use crate::platforms::forum::push::{sign, verify_signature};
use crate::runtime::secret::Secret;
use crate::services::ServiceError;
use crate::services::handovers::{
    DELIVERY_HEADER, Handovers, HookTo, MailTo, NumbersRefused, SIGNATURE, Settings,
};
use crate::services::notices::courier::{Courier, MailSettings, Security};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A case whose package lies in the export folder, queued for these ways. Gives it with its reference.
async fn registered(stage: &Stage, ways: &[HandoverWay]) -> (CaseId, String) {
    let (_, case) = stage.written(THREAT).await;
    queued(stage, case, ways).await
}

async fn queued(stage: &Stage, case: CaseId, ways: &[HandoverWay]) -> (CaseId, String) {
    stage.decide(case, vec![Choice::Register]).await;
    stage.act_after_undo().await;
    let all = stage.store().registrations_of(case).await.unwrap();
    let package = all[0].package.clone();
    // As the program queues them where the settings name a way.
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    for way in ways {
        raw.execute(
            "insert into diary_handovers (registration_id, way, state, queued_at, next_at)
             values (?1, ?2, 'waiting', 0, 0)",
            rusqlite::params![all[0].id.0, way.id()],
        )
        .unwrap();
    }
    (case, reference(&package).to_owned())
}

fn by(stage: &Stage, mail_port: Option<u16>, settings: Settings) -> Handovers {
    let mail = mail_port.map(|port| MailSettings {
        host: "127.0.0.1".into(),
        port,
        security: Security::Plain,
        login: None,
        from: "Uppsikt <uppsikt@exempelstad.example>".into(),
        ca_pem: None,
    });
    let courier = Courier::new(mail.as_ref(), &[], "prov".into(), stage.clock.clock()).unwrap();
    Handovers::new(stage.services.clone(), courier, settings).unwrap()
}

fn mail_to(most_bytes: u64) -> Settings {
    let address = "registrator@exempelstad.example".to_owned();
    Settings {
        mail: Some(MailTo { address, most_bytes, secret_too: false }),
        ..Settings::default()
    }
}

fn hook_to(server: &MockServer) -> Settings {
    let hook = HookTo {
        url: format!("{}/diarium", server.uri()).parse().unwrap(),
        secret: Secret::new(SECRET),
        most_bytes: 1 << 20,
        allow_private: false,
    };
    Settings { hook: Some(hook), ..Settings::default() }
}

async fn state(stage: &Stage, case: CaseId) -> Vec<(HandoverWay, HandoverState, u32)> {
    let registration = stage.store().registrations_of(case).await.unwrap()[0].id;
    let all = stage.store().handovers_of(registration).await.unwrap();
    all.into_iter().map(|now| (now.way, now.state, now.n)).collect()
}

#[tokio::test]
async fn r16_the_registrar_is_mailed_the_sheet_and_the_package_and_is_told_if_it_may_come_twice() {
    let stage = Stage::new().await;
    stage.simulator.write("Robin Påhitt", THREAT, None);
    stage.wait_s(150);
    stage.poll().await;
    while stage.services.assess_waiting().await.unwrap() {}
    while stage.services.capture_wanted().await.unwrap() {}
    let (case, reference) = queued(&stage, CaseId(1), &[HandoverWay::Mail]).await;
    let busy = Arc::new(AtomicBool::new(true));
    let (port, taken) = mail_server(busy.clone()).await;
    let handovers = by(&stage, Some(port), mail_to(10 << 20));
    assert!(handovers.round().await.unwrap(), "tried");
    assert_eq!(state(&stage, case).await, [(HandoverWay::Mail, HandoverState::Waiting, 1)]);
    busy.store(false, Ordering::Relaxed);
    assert!(!handovers.round().await.unwrap(), "not before its time");
    stage.wait_s(61);
    handovers.round().await.unwrap();
    let letter = taken.lock().unwrap().pop().unwrap();
    assert!(letter.contains(&format!("filename=\"{reference}.pdf\"")), "{letter}");
    assert!(letter.contains(&format!("filename=\"{reference}.zip\"")));
    assert!(letter.contains("application/pdf") && letter.contains("JVBERi0"), "the sheet is a PDF");
    assert!(letter.contains(&format!("Message-ID: <diarium-{reference}-1-prov@")));
    let words = letter.split("filename").next().unwrap();
    assert!(!words.contains("ihj"), "no word of the comment stands in the letter itself");
    assert!(!letter.contains("kan ha skickats"), "a refusal that was heard is no doubt");
    assert_eq!(state(&stage, case).await, [(HandoverWay::Mail, HandoverState::Handed, 1)]);
    let told = stage.history(case).await;
    assert!(told.iter().any(|what| what == "Paketet lämnades till diariet med e-post"), "{told:?}");
    stage.wait_s(100_000);
    assert!(!handovers.round().await.unwrap(), "never by itself again");

    // A person wants it once more, and who gets it is told.
    let registrar = stage.person(Role::Registrar, "Eva").await;
    let registration = stage.store().registrations_of(case).await.unwrap()[0].id;
    stage.services.hand_over_again(&registrar, registration).await.unwrap();
    let twice = stage.services.hand_over_again(&registrar, registration).await;
    assert!(matches!(twice, Err(ServiceError::Refused { .. })), "it is on its way already");
    handovers.round().await.unwrap();
    let again = taken.lock().unwrap().pop().unwrap();
    assert!(again.contains(&format!("Message-ID: <diarium-{reference}-2-prov@")));
    assert!(again.contains("Samma paket kan ha skickats"), "{again}");
    stage.verified().await;
}

#[tokio::test]
async fn what_died_between_sending_and_noting_it_goes_again_under_the_same_identity_and_says_so() {
    let mut stage = Stage::new().await;
    let (case, _) = registered(&stage, &[HandoverWay::Mail]).await;
    let (port, taken) = mail_server(Arc::default()).await;
    let begun = stage.store().begin_handover(stage.now()).await.unwrap().unwrap();
    assert!(!begun.perhaps);
    stage.restart().await;
    assert_eq!(stage.store().begin_handover(stage.now()).await.unwrap(), None);
    stage.wait_s(11 * 60);
    // Too large for a letter: told, and the letter goes all the same.
    by(&stage, Some(port), mail_to(10)).round().await.unwrap();
    let letter = taken.lock().unwrap().pop().unwrap();
    assert!(letter.contains("-1-prov@") && letter.contains("Samma paket kan ha skickats"));
    assert!(letter.contains("Paketet =C3=A4r 1 MB och f=C3=B6ljer inte med"), "{letter}");
    assert!(!letter.contains(".zip\""));
    assert_eq!(state(&stage, case).await, [(HandoverWay::Mail, HandoverState::Handed, 1)]);
}

#[tokio::test]
async fn what_is_secret_or_may_not_be_copied_is_told_of_and_not_mailed() {
    let stage = Stage::new().await;
    let (case, _) = registered(&stage, &[HandoverWay::Mail]).await;
    let registrar = stage.person(Role::Registrar, "Eva").await;
    stage.services.mark_secret(&registrar, case, "21 kap. 1 § OSL", "Om hälsa.").await.unwrap();
    let (port, taken) = mail_server(Arc::default()).await;
    by(&stage, Some(port), mail_to(1 << 20)).round().await.unwrap();
    let letter = taken.lock().unwrap().pop().unwrap();
    assert!(letter.contains("sekretessmarkerad") && !letter.contains("filename"), "{letter}");
}

#[tokio::test]
async fn a_signed_call_is_tried_again_with_the_same_identity_and_its_answer_gives_the_number() {
    let stage = Stage::new().await;
    let (case, reference) = registered(&stage, &[HandoverWay::Webhook]).await;
    let server = MockServer::start().await;
    let answer = serde_json::json!({ "diary_number": "KS  2026/7" });
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(500))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(200).set_body_json(answer))
        .mount(&server)
        .await;
    let handovers = by(&stage, None, hook_to(&server));
    handovers.round().await.unwrap();
    assert_eq!(state(&stage, case).await, [(HandoverWay::Webhook, HandoverState::Waiting, 1)]);
    stage.wait_s(61);
    handovers.round().await.unwrap();
    let calls = server.received_requests().await.unwrap();
    assert_eq!(calls.len(), 2);
    let header =
        |n: usize, name: &str| calls[n].headers.get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(header(0, DELIVERY_HEADER), header(1, DELIVERY_HEADER));
    let secrets = [Secret::new(SECRET)];
    let signature = header(1, SIGNATURE);
    verify_signature(Some(&signature), &calls[1].body, &secrets, stage.now()).unwrap();
    let told = |n: usize| serde_json::from_slice::<serde_json::Value>(&calls[n].body).unwrap();
    assert_eq!(told(0)["may_have_come_before"], false);
    assert_eq!(told(1)["may_have_come_before"], true);
    assert_eq!(told(1)["reference"], reference);
    assert_eq!(told(1)["package"]["sha256"], told(1)["package_sha256"]);
    let number = stage.store().registrations_of(case).await.unwrap()[0].diary_number.clone();
    assert_eq!(number.unwrap().as_str(), "KS 2026/7");
    assert!(matches!(stage.state(case).await, CaseState::Closed { .. }));
    assert!(stage.history(case).await.contains(&"Diarienummer inlagt".to_owned()));
    stage.verified().await;
}

#[tokio::test]
async fn a_way_that_never_answers_becomes_a_task_and_a_number_by_hand_ends_what_waits() {
    let stage = Stage::new().await;
    let (case, _) = registered(&stage, &[HandoverWay::Mail]).await;
    // Nobody listens on the port of discard.
    let handovers = by(&stage, Some(9), mail_to(1 << 20));
    for _ in 0..40 {
        handovers.round().await.unwrap();
        stage.wait_s(3_700);
    }
    assert_eq!(state(&stage, case).await, [(HandoverWay::Mail, HandoverState::Failed, 1)]);
    let troubles = stage.services.notice_troubles(&stage.editor).await.unwrap();
    let told: Vec<_> =
        troubles.iter().filter(|t| t.subject.contains("har inte nått diariet")).collect();
    assert_eq!(told.len(), 1, "{troubles:?}");
    assert!(told[0].needs_a_person && told[0].case == Some(case));
    let registration = stage.store().registrations_of(case).await.unwrap()[0].id;
    stage.services.hand_over_again(&stage.editor, registration).await.unwrap();
    stage.services.enter_diary_number(&stage.editor, case, "KS 2026/1").await.unwrap();
    assert!(!handovers.round().await.unwrap());
    assert_eq!(state(&stage, case).await, [(HandoverWay::Mail, HandoverState::Moot, 2)]);
    let auditor = stage.person(Role::Auditor, "Arne").await;
    let refused = stage.services.hand_over_again(&auditor, RegistrationId(1)).await;
    assert!(matches!(refused, Err(ServiceError::NotPermitted { .. })));
}

#[tokio::test]
async fn a_reply_file_is_read_when_it_rests_and_what_is_wrong_in_it_is_a_task() {
    let stage = Stage::new().await;
    let (case, reference) = registered(&stage, &[]).await;
    let folder = stage.dir.path().join("svar");
    std::fs::create_dir(&folder).unwrap();
    let settings = Settings { replies: Some(folder.clone()), ..Settings::default() };
    let handovers = by(&stage, None, settings);
    let file = folder.join("svar 1.csv");
    std::fs::write(&file, format!("Referens;Diarienummer\n{reference};KS 20")).unwrap();
    std::fs::write(folder.join("pagar.csv.part"), "x").unwrap();
    handovers.round().await.unwrap();
    // More is written while we look; only what has come to rest is read.
    stage.wait_s(6);
    std::fs::write(
        &file,
        format!("Referens;Diarienummer\n{reference};KS 2026/7\nokänd;KS 2026/8\nbara en\n"),
    )
    .unwrap();
    handovers.round().await.unwrap();
    assert!(file.exists(), "half-written files are left alone");
    stage.wait_s(6);
    handovers.round().await.unwrap();
    assert!(!file.exists() && folder.join("pagar.csv.part").exists());
    assert!(folder.join("fel/svar 1.csv").exists());
    let faults = std::fs::read_to_string(folder.join("fel/svar 1.csv.fel.txt")).unwrap();
    assert_eq!(
        faults,
        "Rad 3: Ingen handling här har den referensen.\nRad 4: Raden ska ha två fält, referens och diarienummer, med semikolon mellan.\n"
    );
    let number = stage.store().registrations_of(case).await.unwrap()[0].diary_number.clone();
    assert_eq!(number.unwrap().as_str(), "KS 2026/7");
    let lists = stage.services.diary(&stage.editor).await.unwrap();
    assert_eq!(lists.1[0].number.as_ref().unwrap().2, "Diariesystemet");
    let troubles = stage.services.notice_troubles(&stage.editor).await.unwrap();
    assert!(
        troubles.iter().any(|t| t.needs_a_person && t.problem.contains("Rad 3:")),
        "{troubles:?}"
    );
    // The same again changes nothing; another number for it is refused and told.
    for (name, line) in [("2.csv", "KS 2026/7"), ("3.csv", "KS 2026/9")] {
        std::fs::write(folder.join(name), format!("{reference};{line}\n")).unwrap();
    }
    handovers.round().await.unwrap();
    stage.wait_s(6);
    handovers.round().await.unwrap();
    assert!(folder.join("lästa/2.csv").exists() && folder.join("fel/3.csv").exists());
    stage.verified().await;
}

#[tokio::test]
async fn numbers_come_by_a_signed_call_too_and_by_no_other() {
    let stage = Stage::new().await;
    let off = stage.services.take_numbers(Some("t=1,v1=00"), b"{}").await;
    assert!(matches!(off, Err(NumbersRefused::Off)));
    let signature = sign(&Secret::new(SECRET), b"{}", stage.now() - SignedDuration::from_hours(1));
    let old = verify_signature(Some(&signature), b"{}", &[Secret::new(SECRET)], stage.now());
    assert!(old.is_err(), "an old call is not taken");
}
