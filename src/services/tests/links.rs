//! What is read beside the lists, and what is noted beside the database.

use crate::domain::action::ActionKind;
use crate::domain::decision::Choice;
use crate::domain::evidence::{PartKind, Thread};
use crate::platforms::simulate::faults::Fault;
use crate::services::tests::harness::{Stage, THREAT};

/// How many entries of the log are noted, and how many there are.
async fn noted(stage: &Stage) -> (u64, u64) {
    let heads = std::fs::read_to_string(stage.services.inner.evidence.heads_file()).unwrap();
    let last = heads.lines().last().and_then(|line| line.split_once(' ')).unwrap().0;
    (last.parse().unwrap(), stage.store().log_head().await.unwrap().0)
}

#[tokio::test]
async fn every_entry_of_the_log_is_noted_as_soon_as_it_is_made() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let decision = stage.decide(case, vec![Choice::Register]).await;
    assert_eq!(noted(&stage).await, (2, 2), "the decision");
    stage.services.undo(&stage.editor, case, decision).await.unwrap();
    assert_eq!(noted(&stage).await, (3, 3), "its undoing");
    stage.decide(case, vec![Choice::Register]).await;
    stage.act_after_undo().await;
    assert_eq!(noted(&stage).await, (5, 5), "the decision and how its action ended");
    let mut registrar = stage.editor.clone();
    registrar.role = crate::domain::person::Role::Registrar;
    stage.services.enter_diary_number(&registrar, case, "KS 2026/1").await.unwrap();
    assert_eq!(noted(&stage).await, (6, 6), "the diary number");
}

/// One that cannot be read stands at the back of the row like the others.
#[tokio::test]
async fn items_that_could_not_be_read_again_do_not_come_first_for_ever() {
    let stage = Stage::new().await;
    stage.written(THREAT).await;
    stage.wait_s(16 * 60);
    let served = stage.services.served(stage.account).unwrap();
    let waiting = async || {
        let before = stage.now() - jiff::SignedDuration::from_mins(15);
        stage.store().items_to_read_again(stage.account, before, 50).await.unwrap().len()
    };
    assert_eq!(waiting().await, 1);
    stage.simulator.fail_next(Fault::ServerError, 60);
    stage.services.read_again(&served, stage.now()).await.unwrap();
    assert_eq!(waiting().await, 0, "it was tried now");
}

/// What the store has never seen of the thread is read for the evidence, and what is not to be had is said.
#[tokio::test]
async fn the_thread_is_read_where_the_store_has_gaps() {
    for is_gone in [false, true] {
        let stage = Stage::new().await;
        let parent = stage.simulator.write("Alva Påhitt", "Vem bestämde det här?", None);
        let number = stage.simulator.write("Robin Påhitt", THREAT, Some(parent));
        stage.poll().await;
        while stage.services.assess_waiting().await.unwrap() {}
        let case = stage.case_of(number).await;
        // As if the parent had never been seen.
        let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
        raw.execute(
            "update items set platform_id = 'x' where platform_id = ?1",
            [parent.to_string()],
        )
        .unwrap();
        if is_gone {
            stage.simulator.delete(parent);
        }
        let store = stage.store();
        let item = store.item(store.case(case).await.unwrap().item).await.unwrap();
        let known = store.thread_above(item.id).await.unwrap();
        assert_eq!(known.missing, [parent.to_string()]);
        let served = stage.services.served(stage.account).unwrap();
        let limit = Some(std::time::Duration::from_secs(5));
        let above = stage.services.thread_above(&served, &item, known, limit).await;
        if is_gone {
            assert!(above.thread.above.is_empty() && above.method.contains("databas"));
            assert!(above.missing.unwrap().starts_with("Tråden ovanför är inte hel: "));
        } else {
            assert_eq!(above.thread.above[0].text, "Vem bestämde det här?");
            assert_eq!((above.missing, above.thread.missing.len()), (None, 0));
        }
        // Without sheets nothing is sealed.
        if !cfg!(feature = "pdf") {
            continue;
        }
        while stage.services.capture_wanted().await.unwrap() {}
        let version = stage.store().case(case).await.unwrap().version;
        let row = stage.store().evidence_of(version).await.unwrap().unwrap();
        let manifest = stage.services.inner.evidence.manifest(&row).await.unwrap();
        let part = manifest.parts.iter().find(|part| part.kind == PartKind::Thread).unwrap();
        let thread = stage.services.inner.evidence.bytes(part.sha256).await.unwrap();
        let thread: Thread = serde_json::from_slice(&thread).unwrap();
        let missing = manifest.missing.iter().find(|part| part.kind == PartKind::Thread);
        if is_gone {
            assert!(thread.above.is_empty());
            let reason = &missing.expect("it is said").reason;
            assert!(reason.contains("bort") || reason.contains("syns inte"), "{reason}");
        } else {
            assert_eq!(thread.above[0].text, "Vem bestämde det här?");
            assert_eq!((missing, thread.missing.len()), (None, 0));
            assert!(part.method.contains("plattform"), "{}", part.method);
        }
        let file = stage.services.case_file(&stage.editor, case).await.unwrap();
        assert_eq!(file.text, THREAT);
    }
}

#[tokio::test]
async fn a_failed_action_that_is_tried_again_is_told_by_the_log() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Hide]).await;
    stage.clock.advance(crate::services::tests::harness::UNDO);
    for _ in 0..12 {
        stage.simulator.fail_next(Fault::ServerError, 1);
        stage.act().await;
        stage.wait_s(2_000);
    }
    let state = stage.action_state(case, ActionKind::Hide).await;
    assert_eq!(state.id(), "failed", "{state:?}");
    stage.try_again(case, ActionKind::Hide).await.unwrap();
    let (last, all) = noted(&stage).await;
    assert_eq!(last, all);
    stage.verified().await;
    stage.act_after_undo().await;
    stage.verified().await;
}
