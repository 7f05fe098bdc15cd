//! Search as people use it: masked, audited, and never of what may not be shown.

use crate::domain::person::Role;
use crate::services::ServiceError;
use crate::services::search::{Asked, Stretch};
use crate::services::tests::harness::{Stage, viewer};

fn asked(words: &str) -> Asked {
    Asked { words: words.into(), ..Asked::default() }
}

#[tokio::test]
async fn a_search_is_masked_audited_and_finds_nothing_that_is_barred() {
    let stage = Stage::new().await;
    let text =
        "Jag vet var du bor och ska döda dig i trappuppgången, mitt personnummer är 811228-9874.";
    let (_, case) = stage.written(text).await;
    let (services, kim) = (&stage.services, &stage.editor);
    let n = async |words: &str| services.search(kim, &asked(words)).await.unwrap().found.len();
    let found = services.search(kim, &asked("trappuppgångarna")).await.unwrap().found;
    assert_eq!(found[0].case.as_ref().map(|(id, _)| *id), Some(case));
    assert!(found[0].text.contains(&Stretch::Hit("trappuppgången".into())));
    let shown = format!("{:?}", found[0].text);
    assert!(!shown.contains("811228-9874") && shown.contains("***"), "{shown}");

    let number = services.search(kim, &asked("811228-9874")).await;
    assert!(matches!(&number, Err(ServiceError::Refused { why }) if why.contains("Långa nummer")));
    services.search(kim, &asked("trappuppgången 811228-9874")).await.unwrap();
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let line = "select detail from audit where act = 'search' order by id desc limit 1";
    let detail: String = raw.query_row(line, [], |row| row.get(0)).unwrap();
    assert!(detail.starts_with("trappuppgången") && !detail.contains("9874"), "{detail}");
    let idle = Asked { reason: "x 1 2 3".into(), ..asked("buss") };
    let refused = services.search(kim, &idle).await;
    assert!(matches!(&refused, Err(ServiceError::Refused { why }) if why.contains("några ord")));
    let day = jiff::civil::date(2026, 11, 1);
    let reason = "Begäran om handlingar, ring 850709-9805".to_owned();
    let beyond = Asked { reason, from: Some(day), account: "facebook".into(), ..asked("buss") };
    services.search(kim, &beyond).await.unwrap();
    let detail: String = raw.query_row(line, [], |row| row.get(0)).unwrap();
    let told =
        "buss; konto facebook; från 2026-11-01; även utan ärende, skäl: Begäran om handlingar";
    assert!(detail.starts_with(told) && !detail.contains("9805"), "{detail}");
    let administrator = viewer(Role::Administrator, kim.user);
    let refused = services.search(&administrator, &asked("buss")).await;
    assert!(matches!(refused, Err(ServiceError::NotPermitted { .. })));

    services.suspect(kim, case).await.unwrap();
    assert_eq!(n("trappuppgången").await, 0);
    let owner = viewer(Role::Owner, kim.user);
    services.lift_copy_bar(&owner, case, "Det är en tecknad serie.").await.unwrap();
    assert!(n("trappuppgången").await >= 1, "found again once the bar is lifted");
}
