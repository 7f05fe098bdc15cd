//! Cases that rest, and what wakes them.

use jiff::{SignedDuration, Timestamp};

use super::harness::{Stage, THREAT};
use super::notices::{SWEARING, notifier, staffed, waiting};
use crate::domain::case::CaseState;
use crate::domain::decision::Choice;
use crate::domain::ids::{CaseId, DecisionId};
use crate::services::ServiceError;

const INSULT: &str = "Du är en jävla idiot som borde skämmas.";

async fn rest(stage: &Stage, case: CaseId, until: Timestamp) -> Result<DecisionId, ServiceError> {
    stage.try_decide(case, vec![Choice::Hold { until }]).await
}

/// Rests for some hours.
async fn resting(stage: &Stage) -> (u64, CaseId) {
    let (number, case) = stage.written(INSULT).await;
    rest(stage, case, stage.now() + SignedDuration::from_hours(8)).await.unwrap();
    assert!(matches!(stage.state(case).await, CaseState::Held { .. }));
    (number, case)
}

#[tokio::test]
async fn a_case_rests_until_its_time_and_no_longer_than_its_deadline() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(INSULT).await;
    let due = stage.store().case(case).await.unwrap().due_at;
    let refused = rest(&stage, case, due + SignedDuration::from_secs(1)).await;
    assert!(
        matches!(&refused, Err(ServiceError::Refused { why }) if why.starts_with("Fristen går ut")),
        "{refused:?}"
    );
    let decision = rest(&stage, case, due).await.unwrap();
    assert_eq!(stage.services.counts(&stage.editor).await.unwrap().held, 1);
    stage.services.undo(&stage.editor, case, decision).await.unwrap();
    assert_eq!(stage.state(case).await, CaseState::Waiting);
    rest(&stage, case, due).await.unwrap();
    stage.clock.advance(due.duration_since(stage.now()));
    stage.services.end_holds().await.unwrap();
    assert_eq!(stage.state(case).await, CaseState::Waiting);
    assert!(stage.history(case).await.contains(&"Tillbaka efter vila".to_owned()));
}

#[tokio::test]
async fn a_threat_is_never_put_aside() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let refused = rest(&stage, case, stage.now() + SignedDuration::from_mins(10)).await;
    assert!(
        matches!(&refused, Err(ServiceError::Refused { why }) if why.contains("ett hot")),
        "{refused:?}"
    );
    assert!(stage.services.case_file(&stage.editor, case).await.unwrap().grave);
}

#[tokio::test]
async fn an_answer_in_the_thread_wakes_what_rests_and_another_thread_does_not() {
    let stage = Stage::new().await;
    let (number, case) = resting(&stage).await;
    stage.simulator.write("Lo Påhitt", "Vilken fin dag det är i dag.", None);
    stage.wait_s(150);
    stage.take_in_plainly().await;
    assert!(matches!(stage.state(case).await, CaseState::Held { .. }));
    stage.simulator.write("Lo Påhitt", "Det håller jag inte med om.", Some(number));
    stage.wait_s(150);
    stage.take_in_plainly().await;
    assert_eq!(stage.state(case).await, CaseState::Waiting);
    let last = stage.history(case).await.pop().unwrap();
    assert_eq!(last, "Någon har skrivit i tråden, så ärendet vilar inte längre");
}

#[tokio::test]
async fn a_changed_text_wakes_what_rests_also_where_the_new_one_is_harmless() {
    let stage = Stage::new().await;
    let (number, case) = resting(&stage).await;
    stage.simulator.edit(number, "Tack för ett fint badhus.");
    stage.wait_s(600);
    stage.take_in_plainly().await;
    assert!(
        matches!(stage.state(case).await, CaseState::Returned { .. }),
        "{:?}",
        stage.state(case).await
    );
}

#[tokio::test]
async fn what_had_come_back_comes_back_from_resting_with_its_reason() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(INSULT).await;
    let reason = "Det gick inte att dölja.".to_owned();
    let returned = CaseState::Returned { reason };
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let json = serde_json::to_string(&returned).unwrap();
    raw.execute(
        "update cases set state = 'returned', state_json = ?2 where id = ?1",
        rusqlite::params![case.0, json],
    )
    .unwrap();
    let until = stage.now() + SignedDuration::from_hours(1);
    let decision = rest(&stage, case, until).await.unwrap();
    stage.services.undo(&stage.editor, case, decision).await.unwrap();
    assert_eq!(stage.state(case).await, returned);
    rest(&stage, case, until).await.unwrap();
    stage.wait_s(3_601);
    stage.services.end_holds().await.unwrap();
    assert_eq!(stage.state(case).await, returned);
}

#[tokio::test]
async fn a_resting_case_that_cannot_be_read_keeps_no_other_from_coming_back() {
    let stage = Stage::new().await;
    let (_, first) = resting(&stage).await;
    let (_, second) = stage.written(SWEARING).await;
    rest(&stage, second, stage.now() + SignedDuration::from_hours(1)).await.unwrap();
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let damage = "update cases set state_json = '{\"state\":\"held\",\"until\":7}' where id = ?1";
    raw.execute(damage, [first.0]).unwrap();
    stage.wait_s(3_601);
    stage.services.end_holds().await.unwrap();
    assert_eq!(stage.state(second).await, CaseState::Waiting);
    let line = stage.services.queue_line(&stage.editor, second).await.unwrap();
    assert!(line.has_rested);
}

#[tokio::test]
async fn a_late_undo_of_resting_says_what_to_do() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(INSULT).await;
    let decision = rest(&stage, case, stage.now() + SignedDuration::from_hours(1)).await.unwrap();
    stage.wait_s(60);
    let late = stage.services.undo(&stage.editor, case, decision).await;
    assert!(
        matches!(&late, Err(ServiceError::Refused { why }) if why.contains("Ärendet vilar")),
        "{late:?}"
    );
}

#[tokio::test]
async fn whoever_let_a_case_rest_is_reminded_of_it_once_each_time() {
    let stage = Stage::new().await;
    staffed(&stage).await;
    let (_, case) = stage.written(SWEARING).await;
    let reminders = async || {
        notifier(&stage).plan().await.unwrap();
        let told = waiting(&stage).await.into_iter();
        let told = told.filter(|notice| notice.subject.starts_with("Påminnelse: ärende"));
        told.map(|notice| notice.recipient).collect::<Vec<_>>()
    };
    for n in 1..=2 {
        let until = stage.now() + SignedDuration::from_hours(1);
        stage.decide(case, vec![Choice::Hold { until }]).await;
        assert_eq!(reminders().await.len(), n - 1);
        stage.wait_s(3_600);
        stage.services.end_holds().await.unwrap();
        assert_eq!(reminders().await, vec!["kim@exempelstad.example"; n]);
        assert_eq!(reminders().await.len(), n, "once");
    }
}
