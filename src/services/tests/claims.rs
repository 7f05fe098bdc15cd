//! Two people at one case: who has it, who is told, and what is refused in which words.

use tokio::sync::broadcast::Receiver;

use crate::domain::decision::Choice;
use crate::domain::ids::CaseId;
use crate::domain::person::Role;
use crate::runtime::secret::Secret;
use crate::services::claims::Look;
use crate::services::tests::harness::{Stage, THREAT, viewer};
use crate::services::users::Person;
use crate::services::{Change, ServiceError, Viewer};

async fn colleague(stage: &Stage) -> Viewer {
    let person = Person {
        login: "lo".into(),
        name: "Lo Exempel".into(),
        title: String::new(),
        role: Role::Editor,
    };
    let lo = stage.services.add_user(person, Secret::new("ett-lösenord-för-prov")).await.unwrap();
    Viewer { name: "Lo Exempel".into(), ..viewer(Role::Editor, lo) }
}

fn hands(changes: &mut Receiver<Change>) -> Vec<CaseId> {
    let mut cases = Vec::new();
    while let Ok(change) = changes.try_recv() {
        if let Change::Claim(case) = change {
            cases.push(case);
        }
    }
    cases
}

#[tokio::test]
async fn a_case_that_a_colleague_took_over_is_refused_by_name_and_told_of() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let (services, kim, lo) = (&stage.services, &stage.editor, &colleague(&stage).await);
    let mut changes = services.changes();
    let opened = services.case_opened(kim, case, Look::Opens).await.unwrap();
    assert_eq!(opened.claim.unwrap().user, kim.user);
    // Open pages hear of it once, not at each sign of life.
    services.stay(kim, case, true).await.unwrap();
    services.case_opened(kim, case, Look::Opens).await.unwrap();
    assert_eq!(hands(&mut changes), [case]);

    let seen = services.case_opened(lo, case, Look::Opens).await.unwrap();
    assert_eq!(seen.claim.unwrap().user, kim.user);
    assert_eq!(services.holding(lo, case).await.unwrap().claim.unwrap().user, kim.user);
    services.take_over(lo, case).await.unwrap();
    assert_eq!(hands(&mut changes), [case]);
    let told = services.holding(kim, case).await.unwrap().lost.unwrap();
    assert_eq!(told.words(), format!("Lo Exempel har tagit över ärende {case} från dig."));

    for refused in [
        stage.try_decide(case, vec![Choice::Dismiss]).await.map(|_| ()),
        services.stay(kim, case, true).await,
        services.claim(kim, case).await,
    ] {
        let words = "Lo Exempel arbetar med ärendet nu. Ta över det om du ska besluta.";
        assert!(
            matches!(&refused, Err(ServiceError::Conflict { why }) if why == words),
            "{refused:?}"
        );
    }
    assert_eq!(services.tell_lost(kim).await.unwrap(), [told]);
    assert!(services.tell_lost(kim).await.unwrap().is_empty(), "told once");
    services.take_over(kim, case).await.unwrap();
    stage.decide(case, vec![Choice::Dismiss]).await;
    assert_eq!(stage.store().audit_count("case.take_over").await.unwrap(), 2);
}

#[tokio::test]
async fn a_forgotten_page_and_a_reader_take_nothing_and_a_lease_ends_by_itself() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let (services, kim) = (&stage.services, &stage.editor);
    services.case_opened(kim, case, Look::Follows).await.unwrap();
    let registrar = viewer(Role::Registrar, kim.user);
    services.case_opened(&registrar, case, Look::Opens).await.unwrap();
    assert_eq!(services.holding(kim, case).await.unwrap().claim, None);

    services.case_opened(kim, case, Look::Opens).await.unwrap();
    let mut changes = services.changes();
    services.end_claims().await.unwrap();
    assert!(hands(&mut changes).is_empty());
    stage.wait_s(601);
    services.end_claims().await.unwrap();
    assert_eq!(hands(&mut changes), [case]);

    services.case_opened(kim, case, Look::Opens).await.unwrap();
    services.leave(kim, case).await.unwrap();
    services.case_opened(kim, case, Look::Opens).await.unwrap();
    services.leave_all(kim).await.unwrap();
    assert_eq!(hands(&mut changes), [case; 4]);
    // What is on purpose is in the history; looking is not.
    assert_eq!(stage.history(case).await.iter().filter(|what| what.contains("ärendet")).count(), 0);
}
