//! What is read and sealed once more right before a removal.

use std::sync::Arc;

use crate::domain::action::{ActionKind, ActionState};
use crate::domain::case::CaseState;
use crate::domain::decision::Choice;
use crate::domain::evidence::{Manifest, PartKind, Thread};
use crate::domain::ids::CaseId;
use crate::runtime::disk::Disk;
use crate::services::BeforeRemoval;
use crate::services::tests::harness::{Stage, THREAT, put_together_sealing};
use crate::services::tests::schedules::page::{Comment, Page};
use crate::store::rows::{EvidenceRow, EvidenceState, VersionRow};

const NO_MORE_SEALS: &str = "create trigger no_more_seals before update of state on evidence
     when new.state = 'sealed' begin select raise(abort, 'no'); end";

async fn sealing(before: BeforeRemoval) -> Stage {
    let mut stage = Stage::new().await;
    stage.sealing(before).await;
    stage
}

async fn versions(stage: &Stage, case: CaseId) -> Vec<VersionRow> {
    let item = stage.store().case(case).await.unwrap().item;
    stage.store().versions_of(item).await.unwrap()
}

async fn record(stage: &Stage, version: &VersionRow) -> (EvidenceRow, Manifest) {
    let row = stage.store().evidence_of(version.id).await.unwrap().unwrap();
    let manifest = stage.services.inner.evidence.manifest(&row).await.unwrap();
    (row, manifest)
}

async fn thread(stage: &Stage, manifest: &Manifest) -> Thread {
    let part = manifest.parts.iter().find(|part| part.kind == PartKind::Thread).unwrap();
    let bytes = stage.services.inner.evidence.bytes(part.sha256).await.unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn what_stands_there_right_before_a_removal_is_sealed_once_more_with_its_answers() {
    let stage = sealing(BeforeRemoval::Seal).await;
    let (number, case) = stage.written(THREAT).await;
    stage.simulator.write("Kim Exempel", "Lägg av, det där är hot.", Some(number));
    stage.wait_s(2 * 3600);
    stage.poll().await;
    while stage.services.assess_waiting().await.unwrap() {}
    stage.decide(case, vec![Choice::Hide]).await;
    stage.act_after_undo().await;
    assert!(stage.truth(number).hidden);

    let versions = versions(&stage, case).await;
    let action = stage.action(case, ActionKind::Hide).await;
    assert_eq!(
        versions.iter().map(|v| (v.number, v.read_for)).collect::<Vec<_>>(),
        [(1, None), (2, Some(action.id))]
    );
    assert_eq!(versions[0].verdict, versions[1].verdict, "the very text has its verdict");
    let ((first, before), (second, again)) =
        (record(&stage, &versions[0]).await, record(&stage, &versions[1]).await);
    assert_eq!((before.read_before, again.read_before), (None, Some(ActionKind::Hide)));
    let EvidenceState::Sealed { log_seq, .. } = first.state else { panic!("{first:?}") };
    assert_eq!(again.earlier.as_ref().map(|seal| seal.log_seq), Some(log_seq));
    let below = thread(&stage, &again).await.below;
    let below: Vec<_> = below.into_iter().map(|item| item.text).collect();
    assert_eq!(below, ["Lägg av, det där är hot."]);

    // The case is as closed as without it, and tells of it.
    assert!(matches!(stage.state(case).await, CaseState::Closed { .. }));
    let file = stage.services.case_file(&stage.editor, case).await.unwrap();
    assert_eq!((file.version, file.earlier.len()), ((1, 1), 0));
    assert_eq!(file.sealed_again.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [second.id]);
    let told = file.history.iter().find(|step| step.what == "Lästes igen före åtgärden").unwrap();
    let told = told.detail.as_deref().unwrap();
    assert!(told.contains("utan bild av sidan men med de svar"), "{told}");
    assert!(told.ends_with(&format!(": bevis {}.", second.id)), "{told}");
    // Nothing is found twice, assessed twice, or brought back.
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let n_found: i64 = raw
        .query_row("select count(*) from item_words where rowid = ?1", [versions[1].id.0], |r| {
            r.get(0)
        })
        .unwrap();
    assert_eq!(n_found, 0);
    assert!(!stage.services.assess_waiting().await.unwrap());
    assert!(matches!(stage.state(case).await, CaseState::Closed { .. }));
    stage.verified().await;
}

#[tokio::test]
async fn a_wording_that_is_new_to_the_removal_is_sealed_once_and_not_twice() {
    let stage = sealing(BeforeRemoval::SealPlainly).await;
    let (number, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Delete]).await;
    stage.simulator.edit(number, "Jag vet var du bor, och nu kommer jag.");
    stage.act_after_undo().await;
    assert!(stage.truth(number).deleted);
    let versions = versions(&stage, case).await;
    assert_eq!(versions.iter().map(|v| v.read_for).collect::<Vec<_>>(), [None, None]);
}

#[tokio::test]
async fn an_edit_after_it_is_told_against_what_was_fetched() {
    let stage = sealing(BeforeRemoval::SealPlainly).await;
    let (number, case) = stage.written(THREAT).await;
    stage.wait_s(2 * 3600);
    stage.decide(case, vec![Choice::Hide]).await;
    stage.act_after_undo().await;
    stage.simulator.edit(number, "Jag vet var du bor, och nu kommer jag.");
    stage.wait_s(16 * 60);
    stage.poll().await;
    while stage.services.assess_waiting().await.unwrap() {}
    let file = stage.services.case_file(&stage.editor, case).await.unwrap();
    assert_eq!(file.version, (3, 3));
    assert_eq!(file.earlier.iter().map(|e| e.number).collect::<Vec<_>>(), [1]);
    assert_eq!(file.sealed_again.len(), 1);
}

#[tokio::test]
async fn a_removal_goes_on_where_only_the_second_seal_fails() {
    let stage = sealing(BeforeRemoval::SealPlainly).await;
    let (number, case) = stage.written(THREAT).await;
    stage.wait_s(2 * 3600);
    stage.decide(case, vec![Choice::Hide]).await;
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    raw.execute_batch(NO_MORE_SEALS).unwrap();
    stage.act_after_undo().await;
    assert!(stage.truth(number).hidden, "the very text was sealed before");
    let state = stage.action_state(case, ActionKind::Hide).await;
    assert!(matches!(state, ActionState::Done { .. }), "{state:?}");
    let file = stage.services.case_file(&stage.editor, case).await.unwrap();
    let told = file.history.iter().find(|step| step.what == "Lästes igen före åtgärden").unwrap();
    assert!(
        told.detail.as_deref().unwrap().ends_with("Det gick inte att säkra sidan en gång till.")
    );
    // It is taken later, in its turn.
    raw.execute_batch("drop trigger no_more_seals").unwrap();
    stage.wait_s(11 * 60);
    while stage.services.capture_wanted().await.unwrap() {}
    let versions = versions(&stage, case).await;
    let (row, _) = record(&stage, &versions[1]).await;
    assert!(matches!(row.state, EvidenceState::Sealed { .. }));
    stage.verified().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_sealed_once_more_as_it_was_fetched() {
    let mut stage = Stage::new().await;
    let (page, case) = page_with_a_decision(&mut stage).await;
    page.world.lock().unwrap().shut = true;
    stage.act_after_undo().await;
    assert_eq!(page.world.lock().unwrap().n_removed, 1);
    assert_eq!(page.world.lock().unwrap().wrong, Vec::<String>::new());
    let versions = versions(&stage, case).await;
    let [fetched, again] = versions.as_slice() else { panic!("{versions:?}") };
    assert_eq!(again.fetched_at, fetched.fetched_at, "it was not read");
    let (row, manifest) = record(&stage, again).await;
    let EvidenceState::Sealed { at, .. } = row.state else { panic!("{row:?}") };
    assert_eq!(manifest.read_before, Some(ActionKind::Hide));
    let file = stage.services.case_file(&stage.editor, case).await.unwrap();
    assert_eq!(file.sealed_again, [(row.id, at)]);
    let told = file.history.iter().find(|step| step.what == "Lästes igen före åtgärden").unwrap();
    let told = told.detail.as_deref().unwrap();
    assert!(told.starts_with("Webbplatsen lämnar inte ut enskilda inlägg."), "{told}");
    assert!(told.ends_with(&format!(": bevis {}.", row.id)), "{told}");
    stage.verified().await;
}

#[tokio::test]
async fn in_a_raid_each_is_sealed_once_more_and_none_waits_for_what_others_hold() {
    let stage = sealing(BeforeRemoval::Seal).await;
    let mut numbers = Vec::new();
    for n in 0..12 {
        numbers.push(stage.simulator.write("Robin Påhitt", &format!("{THREAT} Nummer {n}."), None));
    }
    stage.wait_s(150);
    stage.take_in_plainly().await;
    stage.wait_s(2 * 3600);
    let mut cases = Vec::new();
    for number in &numbers {
        let case = stage.case_of(*number).await;
        stage.decide(case, vec![Choice::Hide]).await;
        cases.push(case);
    }
    stage.act_after_undo().await;
    assert!(numbers.iter().all(|number| stage.truth(*number).hidden));
    let mut n_pictured = 0;
    for case in cases {
        let versions = versions(&stage, case).await;
        assert_eq!(versions.len(), 2, "each is sealed once more");
        let (row, manifest) = record(&stage, &versions[1]).await;
        assert!(matches!(row.state, EvidenceState::Sealed { .. }), "{row:?}");
        let why = manifest.missing.iter().find(|part| part.kind == PartKind::Screenshot).unwrap();
        n_pictured +=
            usize::from(why.reason != "Sidan fotograferades inte: många borttagningar väntade.");
    }
    // The last ones have fewer than that behind them.
    assert_eq!(n_pictured, 10);
    stage.verified().await;
}

/// A page whose author writes anew right after it was looked at, with one sealed comment that was decided on.
async fn page_with_a_decision(stage: &mut Stage) -> (Page, CaseId) {
    let page = Page::new(stage.dir.path(), false);
    let comment = Comment { text: THREAT.into(), hidden: false, deleted: false, removed: false };
    page.world.lock().unwrap().comments.insert(1, comment);
    page.world.lock().unwrap().told.push(1);
    let (clock, platform) = (stage.clock.clone(), Arc::new(page.clone()));
    let before = BeforeRemoval::SealPlainly;
    let disk = Disk::default();
    let opened = put_together_sealing(stage.dir.path(), &clock, platform, disk, None, before).await;
    stage.services = opened.unwrap().0;
    stage.take_in_plainly().await;
    let case = stage.case_of(1).await;
    stage.wait_s(2 * 3600);
    stage.decide(case, vec![Choice::Hide]).await;
    (page, case)
}

#[tokio::test]
async fn what_is_written_anew_while_it_is_sealed_is_sealed_before_it_goes() {
    for seals_fail in [false, true] {
        let mut stage = Stage::new().await;
        let (page, case) = page_with_a_decision(&mut stage).await;
        let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
        if seals_fail {
            raw.execute_batch(NO_MORE_SEALS).unwrap();
        }
        let anew = "Jag vet var du bor, och nu kommer jag och slår ihjäl dig.";
        page.world.lock().unwrap().after_look = Some(anew.into());
        stage.act_after_undo().await;
        let n_removed = || page.world.lock().unwrap().n_removed;
        assert_eq!(n_removed(), 0, "nobody has sealed what stands there");
        let state = stage.action_state(case, ActionKind::Hide).await;
        assert!(matches!(state, ActionState::Retrying { may_have_acted: false, .. }), "{state:?}");
        raw.execute_batch("drop trigger if exists no_more_seals").unwrap();
        stage.wait_s(3600);
        stage.act().await;
        assert_eq!((n_removed(), &page.world.lock().unwrap().wrong), (1, &Vec::<String>::new()));
        let texts: Vec<_> = versions(&stage, case).await.into_iter().map(|v| v.text).collect();
        assert!(texts.iter().any(|text| text == anew), "{texts:?}");
        stage.verified().await;
    }
}
