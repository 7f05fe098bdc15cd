//! Internal notes: who is named is told, without a word of what stands there, and never of what they may not open.

use super::harness::{Stage, THREAT};
use super::notices::notifier;
use crate::domain::mention::NOTE;
use crate::domain::person::{Act, Role};
use crate::services::claims::Look;
use crate::services::people;
use crate::services::{ServiceError, Viewer};

fn why<T: std::fmt::Debug>(refused: Result<T, ServiceError>) -> String {
    match refused.unwrap_err() {
        ServiceError::Refused { why } => why,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn whoever_is_named_is_told_once_and_finds_it_until_they_have_seen_it() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let eva = stage.person(Role::Registrar, "Eva").await;
    let mail = Some("eva@exempelstad.example");
    people::set_mail(stage.store(), &stage.clock.clock(), "eva", mail).await.unwrap();
    let (services, kim) = (&stage.services, &stage.editor);
    let revision = stage.store().case(case).await.unwrap().revision;
    let text = "@Eva Exempel: hör det till KS 2026/12? @kim @eva";
    services.write_note(kim, case, text).await.unwrap();
    assert_eq!(stage.store().case(case).await.unwrap().revision, revision, "no decision is stale");
    let file = services.case_file(kim, case).await.unwrap();
    let step = file.history.last().unwrap();
    assert_eq!((step.what.as_str(), step.detail.as_deref()), (NOTE, Some(text)));
    assert_eq!(file.names_to_mention, ["Eva Exempel"]);

    assert_eq!(services.n_mentions(&eva).await.unwrap(), 1);
    assert_eq!(services.n_mentions(kim).await.unwrap(), 0, "nobody is told by themselves");
    let notifier = notifier(&stage);
    while notifier.mentions().await.unwrap() {}
    let told = rusqlite::Connection::open(stage.store().path()).unwrap();
    let told: Vec<(String, String, String)> = told
        .prepare("select who, subject, body from notices where kind = 'mention'")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let [(who, subject, body)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(who, "Eva Exempel (nämnd i ärendet)");
    assert_eq!(subject, &format!("Du är nämnd i ärende {case}"));
    for word in ["KS 2026", "Robin", "ihjäl"] {
        assert!(!body.contains(word) && !subject.contains(word), "{word}");
    }
    let own = services.own_mentions(&eva).await.unwrap();
    assert_eq!((own[0].row.text.as_str(), own[0].row.seen, own[0].open), (text, false, true));
    // A page that follows the case by itself has seen nothing.
    services.case_file(&eva, case).await.unwrap();
    assert_eq!(services.n_mentions(&eva).await.unwrap(), 1);
    services.case_opened(&eva, case, Look::Opens).await.unwrap();
    assert_eq!(services.n_mentions(&eva).await.unwrap(), 0);
    assert!(services.own_mentions(&eva).await.unwrap()[0].row.seen);
    stage.verified().await;
}

#[tokio::test]
async fn nobody_is_named_who_does_not_exist_or_may_not_open_the_case() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let eva = stage.person(Role::Editor, "Eva").await;
    stage.person(Role::Registrar, "Rut").await;
    let (services, kim) = (&stage.services, &stage.editor);
    assert!(why(services.write_note(kim, case, "@Robin, se hit").await).contains("@Robin"));
    assert!(why(services.write_note(kim, case, " ").await).starts_with("Skriv anteckningen"));
    assert!(why(services.write_note(kim, case, "Se hit\u{202e}!").await).contains("Anteckningen"));
    services.write_note(kim, case, "@Eva, se hit").await.unwrap();
    services.mark_secret(kim, case, "OSL 26 kap. 1 §", "Om hälsa.").await.unwrap();
    let shut = why(services.write_note(kim, case, "@Eva Exempel och @Rut Exempel").await);
    assert!(shut.starts_with("Eva Exempel får inte öppna ärendet"), "{shut}");
    let file = services.case_file(kim, case).await.unwrap();
    assert_eq!(file.names_to_mention, ["Rut Exempel"]);
    assert!(matches!(
        services.write_note(&eva, case, "Jag med").await,
        Err(ServiceError::Shut { .. })
    ));
    // What she was named in before is shut to her now, too.
    let own = services.own_mentions(&eva).await.unwrap();
    assert_eq!((own[0].open, own[0].row.text.as_str()), (false, ""));
    services.write_note(kim, case, "@Rut Exempel, se hit").await.unwrap();
    let notes = services.case_file(kim, case).await.unwrap().history;
    assert_eq!(
        notes.iter().filter(|step| step.what == NOTE).count(),
        2,
        "refused ones left nothing"
    );
}

#[tokio::test]
async fn whose_role_reads_alone_writes_no_notes() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    for &role in Role::ALL {
        let person: Viewer = stage.person(role, &format!("P{}", role.id())).await;
        let tried = stage.services.write_note(&person, case, "En anteckning.").await;
        assert_eq!(tried.is_ok(), role.may(Act::WriteNotes), "{role:?}");
    }
}
