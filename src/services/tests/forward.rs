use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::harness::{Stage, THREAT};
use super::witnesses::mail_server;
use crate::domain::action::{ActionKind, ActionState};
use crate::domain::case::CaseState;
use crate::domain::decision::Choice;
use crate::domain::ids::CaseId;
use crate::services::forward::{Forwarded, Settings, Unit};
use crate::services::notices::courier::{Courier, MailSettings, Security};

const UNIT: &str = "elevhalsan@exempelstad.example";

fn to(whom: &str) -> Vec<Choice> {
    let note = "Ring föräldrarna i dag.".to_owned();
    vec![Choice::Forward { to: whom.into(), note }]
}

fn by_mail(stage: &Stage, mail: &MailSettings, address: &str) {
    let courier = Courier::new(Some(mail), &[], "prov".into(), stage.clock.clock()).unwrap();
    let units = vec![Unit { name: "Elevhälsan".into(), mail: address.into() }];
    stage.services.open_forwarding(courier, Settings { units, most_bytes: 10 << 20 });
}

fn plain(port: u16) -> MailSettings {
    MailSettings {
        host: "127.0.0.1".into(),
        port,
        security: Security::Plain,
        login: None,
        from: "Uppsikt <uppsikt@exempelstad.example>".into(),
        ca_pem: None,
    }
}

/// A case with a record that has its sheet.
async fn sealed(stage: &Stage) -> CaseId {
    let number = stage.simulator.write("Robin Påhitt", THREAT, None);
    stage.wait_s(150);
    stage.poll().await;
    while stage.services.assess_waiting().await.unwrap() {}
    while stage.services.capture_wanted().await.unwrap() {}
    stage.case_of(number).await
}

#[tokio::test]
async fn a_unit_of_the_settings_gets_sheet_and_package_by_mail_and_anybody_else_is_a_task() {
    let stage = Stage::new().await;
    let busy = Arc::new(AtomicBool::new(true));
    let (port, taken) = mail_server(busy.clone()).await;
    by_mail(&stage, &plain(port), UNIT);
    let case = sealed(&stage).await;

    // Before the click: the letter, or why there is none.
    let look = |whom: &'static str, secret| {
        stage.services.forwarded(&stage.editor, case, (whom, "Ring."), secret)
    };
    let Forwarded::ByMail(shown) = look("elevhälsan ", false).await.unwrap() else {
        panic!("no letter")
    };
    assert_eq!(shown.to, format!("Elevhälsan <{UNIT}>"));
    assert!(shown.text.contains("Ring.") && !shown.text.contains("ihj"), "{}", shown.text);
    for (whom, secret) in [("nagon@annan.example", false), ("", false), (UNIT, true)] {
        let found = look(whom, secret).await.unwrap();
        assert!(matches!(found, Forwarded::ByHand(_)), "{whom}: {found:?}");
    }

    stage.decide(case, to("Elevhälsan")).await;
    assert!(!stage.action(case, ActionKind::Forward).await.by_hand);
    stage.act().await;
    assert!(taken.lock().unwrap().is_empty(), "not before the time to undo is over");
    stage.act_after_undo().await;
    let state = stage.action_state(case, ActionKind::Forward).await;
    assert!(matches!(state, ActionState::Retrying { .. }), "{state:?}");
    busy.store(false, Ordering::Relaxed);
    stage.wait_s(4_000);
    stage.act().await;
    let state = stage.action_state(case, ActionKind::Forward).await;
    assert!(matches!(state, ActionState::Done { .. }), "{state:?}");
    let letter = taken.lock().unwrap().pop().unwrap();
    for part in [".pdf\"", ".zip\"", "application/pdf", "JVBERi0", "Message-ID: <vidare-"] {
        assert!(letter.contains(part), "{part} in {letter:.3000}");
    }
    assert!(stage.store().audit_count("evidence.forward").await.unwrap() >= 1);
    let (_, custody) = stage.store().custody(case, 100).await.unwrap();
    let event = custody.iter().find(|row| row.act.id() == "evidence.forward").unwrap();
    assert!(event.detail.as_deref().unwrap().starts_with("till Elevhälsan: "), "{event:?}");
    stage.verified().await;
}

#[tokio::test]
async fn what_is_secret_never_goes_by_mail_and_its_task_says_why() {
    let stage = Stage::new().await;
    let (port, taken) = mail_server(Arc::default()).await;
    by_mail(&stage, &plain(port), UNIT);
    let (_, stranger) = stage.written(THREAT).await;
    stage.decide(stranger, to("nagon@annan.example")).await;
    assert!(stage.action(stranger, ActionKind::Forward).await.by_hand, "no unit of ours");

    // Marked between the click and the sending: it comes back, and nothing has left.
    let (_, late) = stage.written("Jag vet var du bor och kommer och skjuter dig.").await;
    stage.decide(late, to("Elevhälsan")).await;
    let mark = (stage.services.clone(), stage.editor.clone());
    let provision = "OSL 21 kap. 7 §";
    mark.0.mark_secret(&mark.1, late, provision, "Skriver om sin hälsa.").await.unwrap();
    stage.act_after_undo().await;
    let CaseState::Returned { reason } = stage.state(late).await else { panic!("not back") };
    assert!(reason.contains("sekretessmarkerat") && reason.contains("Inget har skickats"));

    // Decided anew it is a task from the start.
    stage.decide(late, to("Elevhälsan")).await;
    assert!(stage.action(late, ActionKind::Forward).await.by_hand);
    let tasks = stage.services.tasks(&stage.editor).await.unwrap();
    let of_it = tasks.iter().find(|task| task.line.case == late).unwrap();
    assert!(of_it.hindered.unwrap().contains("säkert sätt"), "{:?}", of_it.hindered);
    assert!(taken.lock().unwrap().is_empty());
}

#[cfg(feature = "real-servers")]
#[tokio::test]
async fn a_real_server_takes_what_is_forwarded_and_what_it_refuses_comes_back() {
    use super::notices::real::{fresh, received, server};
    for (address, is_taken) in [(fresh("elevhalsan"), true), (fresh("nekad"), false)] {
        let stage = Stage::new().await;
        let address = match is_taken {
            true => address,
            false => {
                address.replace("nekad.", "nekad@").replace("@exempelstad.example", ".example")
            }
        };
        by_mail(&stage, &server("SMTP_TLS_PORT", Security::Tls), &address);
        let case = sealed(&stage).await;
        stage.decide(case, to("Elevhälsan")).await;
        stage.act_after_undo().await;
        let letters = received(&address);
        assert_eq!(letters.len(), usize::from(is_taken), "{address}");
        match stage.state(case).await {
            CaseState::Returned { reason } => {
                assert!(!is_taken && reason.contains("550"), "{reason}")
            }
            state => assert!(is_taken, "{state:?}"),
        }
        for letter in letters {
            let message = mail_parser::MessageParser::new().parse(&letter).unwrap();
            let of = |n| mail_parser::MimeHeaders::attachment_name(message.attachment(n).unwrap());
            assert!(of(0).unwrap().ends_with(".pdf") && of(1).unwrap().ends_with(".zip"));
            assert!(message.attachment(0).unwrap().contents().starts_with(b"%PDF"));
        }
    }
}
