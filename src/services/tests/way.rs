//! The way of one comment, and what may happen on it.

use crate::domain::action::{ActionKind, ActionState};
use crate::domain::case::{CaseState, Outcome};
use crate::domain::decision::Choice;
use crate::domain::ids::{ContentHash, PlatformItemId};
use crate::domain::item::{Batch, FetchedItem, ItemKind, Presence};
use crate::domain::log::LogKind;
use crate::domain::person::Role;
use crate::evidence::verify;
use crate::evidence::warrant::RemovalWarrant;
use crate::platforms::simulate::faults::Fault;
use crate::services::intake::address;
use crate::services::queue::{Filter, News};
use crate::services::tests::harness::{Stage, THREAT, viewer};
use crate::services::{ServiceError, Viewer};
use crate::store::rows::{EvidenceRow, EvidenceState};

fn answer(text: &str) -> Choice {
    Choice::Answer { text: text.into() }
}

#[tokio::test]
async fn a_comment_goes_all_the_way() {
    let stage = Stage::new().await;
    let number = stage.simulator.write("Robin Påhitt", THREAT, None);
    let harmless = stage.simulator.write("Alva Påhitt", "Fin sal. Bra jobbat!", None);
    stage.poll().await;
    while stage.services.assess_waiting().await.unwrap() {}
    let case = stage.case_of(number).await;
    let page = stage.services.queue(&stage.editor, Filter::Open, None, 0).await.unwrap();
    assert_eq!((page.lines.len(), page.counts.open, page.more), (1, 1, false));
    assert!(!page.lines[0].sealed);
    // Nothing is removed that is not sealed.
    let unsealed = stage.try_decide(case, vec![Choice::Hide]).await;
    assert!(matches!(unsealed, Err(ServiceError::Refused { .. })), "{unsealed:?}");
    while stage.services.capture_wanted().await.unwrap() {}
    let page = stage.services.queue(&stage.editor, Filter::Open, None, 0).await.unwrap();
    assert!(page.lines[0].sealed);

    let text = "Vi döljer din kommentar, den är ett hot.";
    stage.decide(case, vec![Choice::Hide, answer(text)]).await;
    stage.act().await;
    assert_eq!(stage.n_writing_calls(), 0, "nothing begins before the time to undo is over");
    stage.act_after_undo().await;
    assert!(stage.truth(number).hidden);
    assert!(!stage.truth(harmless).hidden);
    assert_eq!(stage.answers(text), 1);
    assert_eq!(stage.state(case).await, CaseState::Closed { outcome: Outcome::CarriedOut });
    let kinds: Vec<_> =
        stage.store().log_after(0, 9).await.unwrap().into_iter().map(|e| e.kind).collect();
    assert_eq!(kinds, [LogKind::Seal, LogKind::Decision, LogKind::Action, LogKind::Action]);
    assert_eq!(stage.verified().await.n_sealed, 1);
    assert_eq!(stage.store().audit_count("case.decide").await.unwrap(), 1);
    let file = stage.services.case_file(&stage.editor, case).await.unwrap();
    assert_eq!((file.presence, file.text.as_str()), (Presence::Hidden, THREAT));
    // Our own answer is fetched as context and opens nothing.
    stage.wait_s(150);
    stage.take_in_plainly().await;
    assert_eq!(stage.store().case_counts().await.unwrap().open, 0);
    // And shown again.
    stage.decide(case, vec![Choice::Unhide]).await;
    stage.act_after_undo().await;
    assert!(!stage.truth(number).hidden);
}

#[tokio::test]
async fn a_text_changed_after_the_decision_is_captured_before_it_is_removed() {
    let stage = Stage::new().await;
    let (number, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Hide]).await;
    let decided_on = stage.action(case, ActionKind::Hide).await.version;
    stage.simulator.edit(number, "Jag menade det inte. Förlåt!");
    stage.act_after_undo().await;
    assert!(stage.truth(number).hidden);
    let action = stage.action(case, ActionKind::Hide).await;
    assert!(matches!(action.state, ActionState::Done { .. }), "{:?}", action.state);
    assert_ne!(action.version, decided_on);
    let removed = stage.store().version(action.version).await.unwrap();
    assert_eq!(removed.text, "Jag menade det inte. Förlåt!");
    assert_eq!(stage.n_sealed().await, 2);
    let history = stage.history(case).await;
    assert!(history.iter().any(|what| what.contains("säkrades före åtgärden")), "{history:?}");
    // Nobody has judged the new text: it is shown to the person.
    assert!(matches!(stage.state(case).await, CaseState::Returned { .. }));
    while stage.services.assess_waiting().await.unwrap() {}
    assert!(matches!(stage.state(case).await, CaseState::Returned { .. }));
}

#[tokio::test]
async fn what_is_hidden_or_gone_already_is_left_and_said() {
    let stage = Stage::new().await;
    let hidden = stage.simulator.write("Robin Påhitt", THREAT, None);
    let (gone, gone_case) = stage.written(&format!("{THREAT} Vänta bara.")).await;
    let hidden_case = stage.case_of(hidden).await;
    for case in [hidden_case, gone_case] {
        stage.decide(case, vec![Choice::Hide]).await;
    }
    let item = stage.store().case(hidden_case).await.unwrap().item;
    let item = address(&stage.store().item(item).await.unwrap());
    let platform = stage.services.served(stage.account).unwrap().platform.clone();
    platform.hide(RemovalWarrant::for_test(item)).await.unwrap();
    stage.simulator.delete(gone);
    let before = stage.n_writing_calls();
    stage.act_after_undo().await;
    for case in [hidden_case, gone_case] {
        let state = stage.action_state(case, ActionKind::Hide).await;
        assert!(matches!(state, ActionState::Moot { .. }), "{state:?}");
        assert!(matches!(stage.state(case).await, CaseState::Closed { .. }));
    }
    assert_eq!(stage.n_writing_calls(), before);
    let item = stage.store().case(gone_case).await.unwrap().item;
    assert_eq!(stage.store().item(item).await.unwrap().presence, Presence::Gone);
}

#[tokio::test]
async fn a_deletion_is_told_as_what_the_platform_did() {
    let stage = Stage::new().await;
    let (number, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Delete]).await;
    stage.act_after_undo().await;
    assert!(stage.truth(number).deleted);
    let seen =
        stage.history(case).await.into_iter().filter(|what| what == "Lästes igen före åtgärden");
    assert_eq!(seen.count(), 1, "what stood there right before");
    let item = stage.store().case(case).await.unwrap().item;
    // The platform has no bin.
    assert_eq!(stage.store().item(item).await.unwrap().presence, Presence::Gone);
    let file = stage.services.case_file(&stage.editor, case).await.unwrap();
    assert_eq!(file.text, THREAT);
}

#[tokio::test]
async fn an_undone_decision_never_reaches_the_platform() {
    let stage = Stage::new().await;
    let (number, case) = stage.written(THREAT).await;
    let decision = stage.decide(case, vec![Choice::Hide, answer("Hej")]).await;
    stage.wait_s(9);
    stage.services.undo(&stage.editor, case, decision).await.unwrap();
    stage.wait_s(100);
    stage.act().await;
    assert_eq!(stage.n_writing_calls(), 0);
    assert!(!stage.truth(number).hidden);
    assert_eq!(stage.state(case).await, CaseState::Waiting);
}

#[tokio::test]
async fn a_poll_that_fails_waits_longer_each_time_and_loses_nothing() {
    let stage = Stage::new().await;
    let number = stage.simulator.write("Robin Påhitt", THREAT, None);
    let mut last = 0;
    for failures in 1..4_u32 {
        // Two, should a call be tried again by itself.
        stage.simulator.fail_next(Fault::ServerError, 1);
        stage.services.begin_polls().await.unwrap();
        super::harness::idle(&stage.services.inner.polls).await;
        let state = stage.store().fetch_state(stage.account).await.unwrap();
        assert_eq!((state.failures, state.stopped), (failures, false));
        assert!(state.problem.is_some());
        let wait = state.next_at.duration_since(stage.now()).as_millis();
        assert!(wait > last, "{wait} ms after {last} ms");
        last = wait;
        stage.wait_s(1 + i64::try_from(wait / 1_000).unwrap());
    }
    stage.take_in_plainly().await;
    let state = stage.store().fetch_state(stage.account).await.unwrap();
    assert_eq!((state.failures, state.problem), (0, None));
    stage.case_of(number).await;
}

#[tokio::test]
async fn open_pages_are_told_when_a_case_leaves_the_queue_and_comes_back() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let colleague = viewer(Role::Editor, stage.editor.user);
    let colleague = Viewer { name: "Lo Exempel".into(), ..colleague };
    let news = async |who| stage.services.case_news(who, case).await.unwrap().unwrap();
    assert_eq!(news(&colleague).await, News::Entered);
    let decision = stage.decide(case, vec![Choice::Dismiss]).await;
    assert_eq!(news(&colleague).await, News::Left("Kim Exempel: Beslut: avfärda".into()));
    assert_eq!(news(&stage.editor).await, News::Left(String::new()), "they did it themselves");
    stage.services.undo(&stage.editor, case, decision).await.unwrap();
    assert_eq!(news(&colleague).await, News::Changed("Kim Exempel: Beslutet ångrades".into()));
}

#[tokio::test]
async fn what_a_platform_tells_is_gone_is_said_on_its_case_once() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let (_, decided) = stage.written(&format!("{THREAT} Vänta bara.")).await;
    stage.decide(decided, vec![Choice::Dismiss]).await;
    stage.act_after_undo().await;
    for told in [&[case][..], &[]] {
        let mut batch = Batch::default();
        for case in [case, decided] {
            let item = stage.store().case(case).await.unwrap().item;
            batch.gone.push(stage.store().item(item).await.unwrap().platform_id);
        }
        let now = stage.now();
        let committed = stage.store().commit_batch(stage.account, batch, now, now).await.unwrap();
        assert_eq!(committed.touched, told);
    }
    let said = |history: Vec<String>| {
        history.iter().filter(|what| *what == "Inlägget finns inte längre på plattformen").count()
    };
    assert_eq!(said(stage.history(case).await), 1);
    assert_eq!(said(stage.history(decided).await), 0, "nothing is left to decide there");
    assert_eq!(stage.state(case).await, CaseState::Waiting, "it is still to be decided");
}

#[tokio::test]
async fn open_items_are_read_again_and_what_is_gone_is_said() {
    let stage = Stage::new().await;
    let (edited, edited_case) = stage.written(THREAT).await;
    let (gone, gone_case) = stage.written(&format!("{THREAT} Vänta bara.")).await;
    stage.simulator.edit(edited, "Jag vet var du bor, och nu kommer jag.");
    stage.simulator.delete(gone);
    stage.wait_s(16 * 60);
    stage.poll().await;
    while stage.services.assess_waiting().await.unwrap() {}
    let version = stage.store().case(edited_case).await.unwrap().version;
    assert_eq!(stage.store().version(version).await.unwrap().number, 2);
    let history = stage.history(gone_case).await;
    assert!(history.iter().any(|w| w.contains("finns inte längre")), "{history:?}");
    assert_eq!(stage.state(gone_case).await, CaseState::Waiting, "it is still to be decided");
}

#[tokio::test]
async fn what_a_colleague_hides_or_shows_on_the_platform_is_said_on_its_open_case_once() {
    let stage = Stage::new().await;
    let (hidden, case) = stage.written(THREAT).await;
    let (ours, our_case) = stage.written(&format!("{THREAT} Vänta bara.")).await;
    stage.simulator.hide(hidden);
    for _ in 0..2 {
        stage.wait_s(16 * 60);
        stage.poll().await;
    }
    let said = async |case, what: &str| {
        stage.history(case).await.iter().filter(|told| *told == what).count()
    };
    assert_eq!(said(case, "Inlägget är dolt på plattformen").await, 1);
    assert_eq!(stage.state(case).await, CaseState::Waiting, "it is still to be decided");
    // What we do ourselves is told by the act.
    stage.decide(our_case, vec![Choice::Hide]).await;
    stage.act_after_undo().await;
    assert!(stage.truth(ours).hidden);
    stage.wait_s(16 * 60);
    stage.poll().await;
    assert_eq!(said(our_case, "Inlägget är dolt på plattformen").await, 0);
}

#[tokio::test]
async fn metadata_alone_is_sealed_of_what_may_not_be_copied() {
    let stage = Stage::new().await;
    let number = stage.simulator.write("Robin Påhitt", THREAT, None);
    stage.poll().await;
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    raw.execute("update items set no_copy = 1", []).unwrap();
    while stage.services.assess_waiting().await.unwrap() {}
    while stage.services.capture_wanted().await.unwrap() {}
    let case = stage.case_of(number).await;
    let version = stage.store().case(case).await.unwrap().version;
    let row = stage.store().evidence_of(version).await.unwrap().unwrap();
    let manifest = stage.services.inner.evidence.manifest(&row).await.unwrap();
    assert_eq!((manifest.parts.len(), manifest.missing.len()), (0, 11));
    stage.decide(case, vec![Choice::Hide]).await;
    stage.act_after_undo().await;
    assert!(stage.truth(number).hidden);
}

#[tokio::test]
async fn a_text_of_five_megabytes_and_one_with_nul_go_as_far_as_the_queue() {
    let stage = Stage::new().await;
    let large = format!("{THREAT} {}", "så är det. ".repeat(500_000));
    let hidden = format!("\0\0{THREAT}");
    let item = |id: &str, text: &str| {
        FetchedItem::new(PlatformItemId::new(id), ItemKind::Comment, text, "{}")
    };
    let items = vec![item("1", &large), item("2", &hidden)];
    let batch = Batch { items, ..Batch::default() };
    let now = stage.now();
    stage.store().commit_batch(stage.account, batch, now, now).await.unwrap();
    while stage.services.assess_waiting().await.unwrap() {}
    for number in [1, 2] {
        let case = stage.case_of(number).await;
        let line = stage.services.queue_line(&stage.editor, case).await.unwrap();
        assert!(line.text.contains("Jag vet var du bor"), "{}", line.text.len());
        assert!(line.text.len() <= 900);
    }
    let file = stage.services.case_file(&stage.editor, stage.case_of(1).await).await.unwrap();
    assert_eq!(ContentHash::of(file.text.as_bytes()), ContentHash::of(large.as_bytes()));
}

/// Editing and deleting by the author are entries that point to the seal before them.
#[tokio::test]
async fn an_edit_and_a_vanished_item_point_to_the_seal_before_them() {
    let stage = Stage::new().await;
    let (edited, edited_case) = stage.written(THREAT).await;
    let (gone, gone_case) = stage.written(&format!("{THREAT} Vänta bara.")).await;
    let (ours, our_case) = stage.written("Du är en jävla idiot som ska dö.").await;
    let seal = async |case| {
        let version = stage.store().case(case).await.unwrap().version;
        stage.store().evidence_of(version).await.unwrap().unwrap()
    };
    let hash_and_place = |row: &EvidenceRow| match row.state {
        EvidenceState::Sealed { manifest, log_seq, .. } => (manifest, log_seq),
        EvidenceState::Wanted | EvidenceState::Disposed { .. } => panic!("{row:?}"),
    };
    let (first, last) = (seal(edited_case).await, seal(gone_case).await);
    stage.decide(our_case, vec![Choice::Delete]).await;
    stage.act_after_undo().await;
    assert!(stage.truth(ours).deleted);
    stage.simulator.edit(edited, "Jag vet var du bor, och nu kommer jag.");
    stage.simulator.delete(gone);
    stage.wait_s(16 * 60);
    stage.poll().await;
    while stage.services.assess_waiting().await.unwrap() {}
    while stage.services.capture_wanted().await.unwrap() {}

    let second = seal(edited_case).await;
    let manifest = stage.services.inner.evidence.manifest(&second).await.unwrap();
    let earlier = manifest.earlier.expect("points to the wording before it");
    assert_eq!((earlier.manifest_sha256, earlier.log_seq), hash_and_place(&first));
    assert_eq!((earlier.version, manifest.version), (1, 2));
    let entries = stage.store().log_after(0, 1_000).await.unwrap();
    let vanished: Vec<_> = entries.iter().filter(|e| e.kind == LogKind::Vanished).collect();
    assert_eq!(vanished.len(), 1, "what we removed ourselves is an act of ours");
    let (hash, seq) = hash_and_place(&last);
    assert!(vanished[0].body.contains(&format!("\"seal_seq\":{seq}")), "{}", vanished[0].body);
    assert!(vanished[0].body.contains(&hash.to_hex()));
    stage.verified().await;
    // The row that says it is gone cannot be taken away, nor put on another item.
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    raw.execute_batch("drop trigger vanishings_stay; drop trigger vanishings_are_never_cut")
        .unwrap();
    let evidence = &stage.services.inner.evidence;
    for change in ["update vanishings set evidence_id = 1", "delete from vanishings"] {
        raw.execute(change, []).unwrap();
        let found = verify::verify(evidence, stage.store(), &Default::default()).await.unwrap();
        assert_eq!(found.faults.len(), 1, "{change}: {:?}", found.faults);
        assert!(found.faults[0].place.contains("försvunnet inlägg 1"), "{:?}", found.faults);
    }
}
