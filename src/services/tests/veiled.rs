//! Closed cases that are no longer shown unasked.

use super::harness::{Stage, THREAT};
use super::keeping::TWO_MONTHS_S;
use crate::domain::ids::ContentHash;
use crate::domain::person::Role;
use crate::domain::policy::Policy;
use crate::services::ServiceError;
use crate::services::search::Asked;
use crate::services::veiled::VEILED;

fn masks(policy: &mut Policy) {
    let retention = policy.retention.as_mut().unwrap();
    (retention.mask_after, retention.decision) = (Some(1), None);
    // By its hash a policy is told from the authority's.
    policy.version = ContentHash::of(b"dolda");
}

async fn masking() -> Stage {
    let mut stage = Stage::new().await;
    stage.under(masks).await;
    stage
}

#[tokio::test]
async fn after_the_policys_time_text_and_names_are_shown_to_whoever_asks_and_that_is_on_record() {
    let stage = masking().await;
    let (_, case) = stage.dismissed(THREAT).await;
    let (_, open) = stage.written("Jag vet var din bror bor och ska slå ihjäl honom.").await;
    let services = &stage.services;
    let found = || async {
        let asked = Asked { words: "ihjäl".into(), ..Asked::default() };
        services.search(&stage.editor, &asked).await.unwrap().found.len()
    };
    assert_eq!((services.veil_closed().await.unwrap(), found().await), (0, 2));
    assert_eq!(services.case_file(&stage.editor, case).await.unwrap().text, THREAT);
    stage.wait_s(TWO_MONTHS_S);
    assert_eq!(services.veil_closed().await.unwrap(), 1, "the open one stays");
    assert_eq!(services.veil_closed().await.unwrap(), 0, "once");
    let file = services.case_file(&stage.editor, case).await.unwrap();
    assert!(file.veiled && file.text == VEILED);
    let told = format!("{:?} {:?} {:?}", file.author, file.permalink, file.findings);
    assert!(!told.contains("Robin") && !told.contains("http"), "{told}");
    let line = services.queue_line(&stage.editor, case).await.unwrap();
    assert!(line.text == VEILED && line.author == "avsändaren", "{line:?}");
    assert_eq!(found().await, 1, "the search has lost it");
    // Asked for, it is there, and the read log says who asked.
    let shown = services.case_unveiled(&stage.editor, case).await.unwrap();
    assert!(!shown.veiled && shown.text == THREAT);
    assert_eq!(shown.author.name.as_deref(), Some("Robin Påhitt"));
    let events = services.case_file(&stage.editor, case).await.unwrap().custody.events;
    assert!(events.iter().any(|e| e.what.contains("visade text och namn")), "{events:?}");
    let administrator = stage.person(Role::Administrator, "Arne").await;
    let refused = services.case_unveiled(&administrator, case).await;
    assert!(matches!(refused, Err(ServiceError::NotPermitted { .. })));
    assert!(!services.case_file(&stage.editor, open).await.unwrap().veiled);
    stage.verified().await;
}

#[tokio::test]
async fn what_comes_back_is_worked_on_in_the_open_again_and_a_restart_does_not_bring_words_back() {
    let mut stage = masking().await;
    let (number, case) = stage.dismissed(THREAT).await;
    stage.wait_s(TWO_MONTHS_S);
    stage.services.veil_closed().await.unwrap();
    stage.under(masks).await;
    let asked = Asked { words: "ihjäl".into(), ..Asked::default() };
    assert!(stage.services.search(&stage.editor, &asked).await.unwrap().found.is_empty());
    stage.simulator.edit(number, &format!("{THREAT} I kväll."));
    stage.wait_s(150);
    stage.take_in_plainly().await;
    let file = stage.services.case_file(&stage.editor, case).await.unwrap();
    assert!(!file.veiled && file.text.ends_with("I kväll."), "{file:?}");
    assert_eq!(stage.services.search(&stage.editor, &asked).await.unwrap().found.len(), 1);
}

#[tokio::test]
async fn a_neighbour_that_is_not_shown_unasked_is_not_shown_in_the_thread_either() {
    let stage = masking().await;
    let (above, _) = stage.dismissed(THREAT).await;
    stage.wait_s(TWO_MONTHS_S);
    let under = "Jag vet var din bror bor och ska slå ihjäl honom.";
    let number = stage.simulator.write("Kim Påhitt", under, Some(above));
    stage.wait_s(150);
    stage.take_in_plainly().await;
    let open = stage.case_of(number).await;
    let thread = async || {
        let file = stage.services.case_file(&stage.editor, open).await.unwrap();
        format!("{:?}", file.above.above)
    };
    assert!(thread().await.contains("Robin"), "until then it is shown");
    stage.services.veil_closed().await.unwrap();
    let told = thread().await;
    assert!(!told.contains("Robin") && !told.contains(THREAT) && told.contains("Dolt"), "{told}");
}

#[tokio::test]
async fn the_records_page_shows_names_and_pictures_to_whoever_asks_and_that_is_on_record() {
    let stage = masking().await;
    let (_, case) = stage.dismissed(THREAT).await;
    let version = stage.store().case(case).await.unwrap().version;
    let id = stage.store().evidence_of(version).await.unwrap().unwrap().id;
    let services = &stage.services;
    let told = |sealed: &crate::services::records::SealedEvidence| format!("{:?}", sealed.manifest);
    let (sealed, _) = services.evidence_record(&stage.editor, id).await.unwrap();
    assert!(!sealed.veiled && told(&sealed).contains("Robin"));
    stage.wait_s(TWO_MONTHS_S);
    services.veil_closed().await.unwrap();
    let (sealed, _) = services.evidence_record(&stage.editor, id).await.unwrap();
    assert!(sealed.veiled && !told(&sealed).contains("Robin"), "{}", told(&sealed));
    assert!(sealed.manifest.as_ref().is_ok_and(|m| m.permalink.is_none() && !m.parts.is_empty()));
    let n_events = async || {
        let events = services.case_file(&stage.editor, case).await.unwrap().custody.events;
        events.iter().filter(|event| event.what.contains("visade text och namn")).count()
    };
    assert_eq!(n_events().await, 0);
    let (sealed, _) = services.evidence_unveiled(&stage.editor, id).await.unwrap();
    assert!(!sealed.veiled && told(&sealed).contains("Robin"));
    assert_eq!(n_events().await, 1);
    let administrator = stage.person(Role::Administrator, "Arne").await;
    let refused = services.evidence_unveiled(&administrator, id).await;
    assert!(matches!(refused, Err(ServiceError::NotPermitted { .. })));
}
