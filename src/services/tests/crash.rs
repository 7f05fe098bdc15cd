//! Death between any two steps: no item lost, no act done twice, evidence verifies.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::action::{ActionEvent, ActionKind, ActionState};
use crate::domain::case::CaseState;
use crate::domain::decision::{Choice, Decision};
use crate::domain::ground::Ground;
use crate::evidence::warrant::RemovalWarrant;
use crate::runtime::clock::TestClock;
use crate::services::Services;
use crate::services::intake::address;
use crate::services::queue::Filter;
use crate::services::tests::harness::{self, Stage, THREAT, seal_plainly};
use crate::store::rows::QueueFilter;

const TEXT: &str = "Vi har dolt din kommentar.";

fn answer() -> Choice {
    Choice::Answer { text: TEXT.into() }
}

impl Stage {
    async fn begin(&self, case: crate::domain::ids::CaseId, kind: ActionKind) {
        let action = self.action(case, kind).await;
        let now = self.now();
        self.store().move_action(action.id, ActionEvent::Begin { at: now }, now).await.unwrap();
    }

    async fn all_done(&self, case: crate::domain::ids::CaseId) {
        for action in self.store().actions_on(case).await.unwrap() {
            assert!(matches!(action.state, ActionState::Done { .. }), "{:?}", action.state);
        }
        assert!(matches!(self.state(case).await, CaseState::Closed { .. }));
    }
}

#[tokio::test]
async fn dead_between_the_intent_and_the_call() {
    let mut stage = Stage::new().await;
    let (number, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Hide, answer()]).await;
    stage.clock.advance(harness::UNDO);
    stage.begin(case, ActionKind::Hide).await;
    stage.begin(case, ActionKind::Reply).await;
    stage.restart().await;
    stage.act().await;
    assert!(stage.truth(number).hidden);
    // Whether the answer went out nobody knows, and the platform takes the same one twice.
    stage.wait_s(300);
    stage.act().await;
    let reply = stage.action_state(case, ActionKind::Reply).await;
    assert!(matches!(reply, ActionState::Failed { .. }), "a person looks: {reply:?}");
    stage.try_all_again(case).await;
    stage.act().await;
    assert_eq!((stage.answers(TEXT), stage.n_writing_calls()), (1, 2));
    stage.all_done(case).await;
}

#[tokio::test]
async fn dead_between_the_call_and_the_record() {
    let mut stage = Stage::new().await;
    let (number, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Hide, answer()]).await;
    stage.clock.advance(harness::UNDO);
    stage.begin(case, ActionKind::Hide).await;
    stage.begin(case, ActionKind::Reply).await;
    let item = stage.store().case(case).await.unwrap().item;
    let item = address(&stage.store().item(item).await.unwrap());
    let platform = stage.services.served(stage.account).unwrap().platform.clone();
    platform.hide(RemovalWarrant::for_test(item.clone())).await.unwrap();
    platform.reply(&item, TEXT, "prov").await.unwrap();
    stage.restart().await;
    stage.act().await;
    assert!(stage.truth(number).hidden);
    stage.wait_s(300);
    stage.act().await;
    assert_eq!((stage.answers(TEXT), stage.n_writing_calls()), (1, 2), "looked, did not repeat");
    stage.all_done(case).await;
}

#[tokio::test]
async fn begun_over_and_over_without_an_end_is_handed_to_a_person() {
    let stage = Stage::new().await;
    let (number, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Hide]).await;
    stage.clock.advance(harness::UNDO);
    for _ in 0..12 {
        stage.begin(case, ActionKind::Hide).await;
    }
    stage.act().await;
    let state = stage.state(case).await;
    let CaseState::Returned { reason } = &state else { panic!("{state:?}") };
    assert!(reason.contains("12 gånger"), "{reason}");
    assert!(!stage.truth(number).hidden);
}

#[tokio::test]
async fn dead_between_fetch_and_commit_and_between_parts_and_seal() {
    let mut stage = Stage::new().await;
    let number = stage.simulator.write("Robin Påhitt", THREAT, None);
    let platform = stage.services.served(stage.account).unwrap().platform.clone();
    // Fetched and never stored: the cursor has not moved.
    let batch = platform.fetch(None, None).await.unwrap();
    drop(batch);
    stage.restart().await;
    stage.poll().await;
    stage.restart().await;
    while stage.services.assess_waiting().await.unwrap() {}
    stage.restart().await;
    // Dead in the midst of a seal: its files lie there, noted as on their way.
    let case = stage.case_of(number).await;
    let version = stage.store().case(case).await.unwrap().version;
    let evidence = stage.store().evidence_of(version).await.unwrap().unwrap().id;
    let left = stage.left_on_its_way(evidence, b"halv");
    stage.restart().await;
    while stage.services.capture_wanted().await.unwrap() {}
    assert_eq!(stage.verified().await.n_sealed, 1);
    assert!(!left.exists(), "what no seal names is taken away");
    // Sealed, and dead before the chain's end was noted beside the database.
    let heads = stage.dir.path().join("evidence").join("heads.txt");
    std::fs::remove_file(&heads).unwrap();
    stage.restart().await;
    stage.verified().await;
    stage.case_of(number).await;
}

#[tokio::test]
async fn a_text_that_kills_the_program_is_left_to_a_person_and_the_others_are_assessed() {
    let mut stage = Stage::new().await;
    for _ in 0..2 {
        stage.simulator.write("Robin Påhitt", THREAT, None);
    }
    stage.poll().await;
    let dies = async |stage: &Stage| {
        let mut waiting = stage.store().unassessed(200).await.unwrap();
        stage.services.begin_assessment(&mut waiting).await.unwrap();
    };
    dies(&stage).await;
    stage.restart().await;
    // The first one alone: it was not the cause.
    assert!(stage.services.assess_waiting().await.unwrap());
    dies(&stage).await;
    stage.restart().await;
    dies(&stage).await;
    stage.restart().await;
    while stage.services.assess_waiting().await.unwrap() {}
    let queue = stage.services.queue(&stage.editor, Filter::Open, None, 0).await.unwrap();
    let found: Vec<_> = queue.lines.iter().map(|line| line.categories.is_empty()).collect();
    assert_eq!(found, [false, true]);
    // What comes later is assessed as ever.
    let (_, case) = stage.written(THREAT).await;
    let line = stage.services.queue_line(&stage.editor, case).await.unwrap();
    assert!(!line.categories.is_empty());
}

#[tokio::test]
async fn a_package_is_the_same_however_often_it_is_written() {
    let mut stage = Stage::new().await;
    let number = stage.simulator.write("Robin Påhitt", THREAT, None);
    stage.poll().await;
    while stage.services.assess_waiting().await.unwrap() {}
    while stage.services.capture_wanted().await.unwrap() {}
    let case = stage.case_of(number).await;
    stage.decide(case, vec![Choice::Register]).await;
    stage.clock.advance(harness::UNDO);
    let action = stage.action(case, ActionKind::Register).await;
    // Written, noted, and dead before the action's own record; then once more.
    stage.begin(case, ActionKind::Register).await;
    let name = stage.services.export_package(&action).await.unwrap();
    let path = stage.dir.path().join("export").join(&name);
    let first = std::fs::read(&path).unwrap();
    stage.wait_s(500);
    stage.restart().await;
    stage.act().await;
    assert_eq!(std::fs::read(&path).unwrap(), first);
    assert_eq!(std::fs::read_dir(stage.dir.path().join("export")).unwrap().count(), 1);
    assert_eq!(stage.state(case).await, CaseState::AwaitingDiary);
    let registrations = stage.store().registrations_of(case).await.unwrap();
    assert_eq!(registrations.len(), 1);
    assert_eq!(registrations[0].package_sha256, crate::domain::ids::ContentHash::of(&first));
    // The manifest inside is the sealed one, byte for byte.
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(first)).unwrap();
    let names: Vec<_> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    for wanted in ["manifest.json", "arende.json", "bevisblad.pdf", "payload.json", "text.txt"] {
        assert!(names.iter().any(|n| n == wanted), "{wanted} in {names:?}");
    }
    let mut manifest = Vec::new();
    std::io::copy(&mut zip.by_name("manifest.json").unwrap(), &mut manifest).unwrap();
    let version = stage.store().case(case).await.unwrap().version;
    let row = stage.store().evidence_of(version).await.unwrap().unwrap();
    let crate::store::rows::EvidenceState::Sealed { manifest: hash, .. } = row.state else {
        panic!("{row:?}")
    };
    assert_eq!(crate::domain::ids::ContentHash::of(&manifest), hash);
    let number = stage.services.enter_diary_number(&stage.editor, case, " KS  2026/7 ").await;
    assert_eq!(number.unwrap().as_str(), "KS 2026/7");
    assert!(matches!(stage.state(case).await, CaseState::Closed { .. }));
}

/// One life of the program: everything goes on at once, until it is killed.
async fn live(services: Services, clock: TestClock, stage: Arc<Stage>) {
    loop {
        services.begin_polls().await.unwrap();
        drop(services.assess_waiting().await);
        let sealing = services.clone();
        tokio::spawn(async move { seal_plainly(&sealing).await });
        for row in services.inner.store.queue(QueueFilter::Open, None, 0, 50).await.unwrap() {
            if matches!(row.case.state, CaseState::Returned { .. }) {
                // An answer that may have gone out: who has looked asks for it once more.
                for action in services.inner.store.actions_on(row.case.id).await.unwrap() {
                    if matches!(action.state, ActionState::Failed { .. }) {
                        drop(services.try_again(&stage.editor, row.case.id, action.id).await);
                    }
                }
            } else if row.sealed {
                let choices = vec![Choice::Hide, answer()];
                let decision = Decision::new(choices, Some(Ground::Threat), None).unwrap();
                let (case, revision) = (row.case.id, row.case.revision);
                drop(services.decide(&stage.editor, case, revision, decision).await);
            }
        }
        services.begin_acts().await.unwrap();
        tokio::time::sleep(Duration::from_millis(3)).await;
        clock.advance(jiff::SignedDuration::from_secs(4));
    }
}

#[test]
fn killed_at_any_moment_nothing_is_lost_and_nothing_done_twice() {
    let outside = tokio::runtime::Runtime::new().unwrap();
    let stage = outside.block_on(Stage::new());
    let numbers: Vec<u64> = (0..3)
        .map(|n| stage.simulator.write("Robin Påhitt", &format!("{THREAT} Nummer {n}."), None))
        .collect();
    let mut stage = Arc::new(stage);
    let mut wait_ms = 1_u64;
    for _ in 0..30 {
        let inside = tokio::runtime::Runtime::new().unwrap();
        let (dir, clock, simulator) =
            (stage.dir.clone(), stage.clock.clone(), stage.simulator.clone());
        let on = stage.clone();
        inside.block_on(async move {
            let (services, _) = harness::open(dir.path(), &clock, &simulator).await;
            let life = live(services, clock, on);
            // Between a millisecond and a third of a second, each time at another moment.
            drop(tokio::time::timeout(Duration::from_millis(wait_ms), life).await);
        });
        // Everything that was waiting anywhere is gone, as after a kill.
        inside.shutdown_background();
        wait_ms = (wait_ms * 37 + 11) % 331 + 1;
    }
    outside.block_on(async {
        let stage = Arc::get_mut(&mut stage).expect("all lives have ended");
        stage.restart().await;
        for _ in 0..8 {
            stage.wait_s(130);
            stage.take_in_plainly().await;
            for row in stage.store().queue(QueueFilter::Open, None, 0, 50).await.unwrap() {
                if matches!(row.case.state, CaseState::Returned { .. }) {
                    stage.try_all_again(row.case.id).await;
                } else {
                    drop(stage.try_decide(row.case.id, vec![Choice::Hide, answer()]).await);
                }
            }
            stage.act_after_undo().await;
        }
        for number in &numbers {
            assert!(stage.truth(*number).hidden, "{number}");
            let case = stage.case_of(*number).await;
            assert!(matches!(stage.state(case).await, CaseState::Closed { .. }));
            let n_decisions = stage.store().decisions_on(case).await.unwrap().len();
            let below = stage.simulator.truth();
            let answers = below.iter().filter(|c| c.by_page && c.parent == Some(*number)).count();
            assert_eq!(answers, n_decisions, "one answer a decision on {number}");
            assert_eq!(n_decisions, 1);
        }
        assert_eq!(stage.verified().await.n_sealed, 3);
    });
}
