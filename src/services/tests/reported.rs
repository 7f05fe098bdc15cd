//! Reporting to whoever runs the platform: sent where programs may, a task where they may not.

use std::sync::Arc;
use std::time::Duration;

use super::harness::{Stage, THREAT, services_of_all};
use crate::domain::account::PlatformKind;
use crate::domain::action::{ActionKind, ActionState};
use crate::domain::case::CaseState;
use crate::domain::decision::Choice;
use crate::domain::ids::{AccountKey, CaseId};
use crate::evidence::fetch::FetchLimits;
use crate::platforms::bluesky::Bluesky;
use crate::platforms::simulate::bluesky::{KIM, ME, Options, Simulator};
use crate::services::Served;

fn report() -> Vec<Choice> {
    vec![Choice::Report { reason: "Olaga hot mot en tjänsteman.".into() }]
}

#[tokio::test]
async fn a_report_is_a_task_with_its_words_where_the_platform_takes_none_from_programs() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let calls = stage.n_writing_calls();
    stage.decide(case, report()).await;
    stage.act_after_undo().await;
    let task = stage.services.tasks(&stage.editor).await.unwrap().remove(0);
    assert_eq!(task.kind, ActionKind::Report);
    assert_eq!(task.text.as_deref(), Some("Olaga hot mot en tjänsteman."));
    assert!(task.permalink.is_some(), "the way there is shown");
    stage.services.task_done(&stage.editor, task.action).await.unwrap();
    stage.services.begin_acts().await.unwrap();
    assert!(matches!(stage.state(case).await, CaseState::Closed { .. }));
    assert_eq!(stage.n_writing_calls(), calls, "and nothing was called");
    stage.verified().await;
}

#[tokio::test]
async fn a_report_is_sent_once_with_its_words_and_ends_on_the_record() {
    let mut stage = Stage::new().await;
    let simulator = Simulator::start(Options::default(), stage.clock.clock()).await.unwrap();
    let (store, now) = (stage.store().clone(), stage.now());
    let (key, name) = (AccountKey::new("bluesky"), "Exempelstad".to_owned());
    let account = store.ensure_account(key, PlatformKind::Bluesky, name, true, now).await.unwrap();
    stage.account = account.id;
    let served = Served {
        account,
        platform: Arc::new(Bluesky::new(simulator.settings(), stage.clock.clock()).unwrap()),
        interval: Duration::from_secs(60),
        policy: None,
        token_expires: None,
        push: None,
        private_at: None,
    };
    let evidence = stage.services.inner.evidence.clone();
    let (dir, limits) = (stage.dir.path().to_owned(), FetchLimits::default());
    stage.services = services_of_all(&dir, &stage.clock, store, evidence, vec![served], limits);
    let post = simulator.post(ME, "Badet öppnar den 3 maj.", None);
    simulator.post(KIM, THREAT, Some(&post));
    stage.wait_s(150);
    stage.take_in_plainly().await;
    let database = rusqlite::Connection::open(stage.store().path()).unwrap();
    let case = database.query_row("select id from cases", [], |row| row.get(0));
    let case = CaseId(case.unwrap());
    stage.decide(case, report()).await;
    assert_eq!(simulator.report(), None, "not before the time to undo is over");
    stage.act_after_undo().await;
    let state = stage.action_state(case, ActionKind::Report).await;
    assert!(matches!(state, ActionState::Done { .. }), "{state:?}");
    let sent = simulator.report().unwrap();
    assert_eq!(sent["reason"], "Olaga hot mot en tjänsteman.");
    let calls = || {
        let all = simulator.calls();
        all.iter().filter(|call| call.contains("createReport")).count()
    };
    stage.act().await;
    assert_eq!(calls(), 1);
    assert!(matches!(stage.state(case).await, CaseState::Closed { .. }));
    stage.verified().await;
}
