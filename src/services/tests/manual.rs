//! Recording by hand, and what a person does on the platform itself.

use std::io::Cursor;

use crate::domain::action::{ActionKind, ActionState};
use crate::domain::case::CaseState;
use crate::domain::decision::Choice;
use crate::domain::evidence::PartKind;
use crate::domain::ids::CaseId;
use crate::domain::item::{Batch, FetchedItem, Presence};
use crate::domain::person::Role;
use crate::services::manual::{Recorded, Typed, new_key};
use crate::services::tests::harness::{Stage, THREAT, seal_plainly, viewer};
use crate::services::{ServiceError, Services};

fn typed(text: &str) -> Typed {
    Typed {
        place: "Snapchat".into(),
        kind: "post_by_other".into(),
        text: text.into(),
        link: "https://snap.example/abc".into(),
        author: "Robin Påhitt".into(),
        handle: "robin_p".into(),
        written: "2026-11-21T09:30".into(),
        key: new_key(),
    }
}

fn picture() -> Vec<u8> {
    let picture = image::RgbImage::from_pixel(60, 40, image::Rgb([200, 30, 30]));
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn why<T: std::fmt::Debug>(result: Result<T, ServiceError>) -> String {
    match result {
        Err(ServiceError::Refused { why }) => why,
        other => panic!("{other:?}"),
    }
}

/// Assesses beside whoever waits for a case.
pub async fn record(stage: &Stage, typed: &Typed, pictures: Vec<Vec<u8>>) -> Recorded {
    let services: Services = stage.services.clone();
    let assess = async {
        loop {
            services.wakes().assess.notified().await;
            while services.assess_waiting().await.unwrap() {}
        }
    };
    let recorded = stage.services.record_by_hand(&stage.editor, typed, pictures);
    tokio::select! {
        recorded = recorded => recorded.unwrap(),
        () = assess => unreachable!("it goes on for ever"),
    }
}

pub async fn recorded(stage: &Stage, text: &str) -> CaseId {
    let case = record(stage, &typed(text), Vec::new()).await.case.unwrap();
    while stage.services.capture_wanted().await.unwrap() {}
    case
}

#[tokio::test]
async fn what_is_recorded_by_hand_goes_the_way_of_all_items() {
    let stage = Stage::new().await;
    let form = typed(THREAT);
    let Recorded { item, case } = record(&stage, &form, vec![picture(), picture()]).await;
    let case = case.unwrap();
    let file = stage.services.case_file(&stage.editor, case).await.unwrap();
    assert_eq!((file.account.name.as_str(), file.text.as_str()), ("Snapchat", THREAT));
    assert!(!file.findings.is_empty(), "it is classified");
    assert_eq!(file.author.handle.as_deref(), Some("robin_p"));
    assert_eq!(file.created_at.unwrap().to_string(), "2026-11-21T08:30:00Z", "Swedish time");
    assert_eq!(file.permalink.unwrap().url, "https://snap.example/abc");
    // Who vouches for it is named, and what nobody has looked at is not said.
    assert_eq!(file.recorded_by.as_deref(), Some("Kim Exempel"));
    assert_eq!(file.presence, Presence::Unknown);
    let first = &file.history[0];
    assert_eq!(
        (first.by.as_deref(), first.what.as_str()),
        (Some("Kim Exempel"), "La in det för hand")
    );
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let subject: String = raw
        .query_row("select subject from audit where act = 'item.record'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(subject, format!("item {item}"));
    assert_eq!(stage.store().audit_count("item.record").await.unwrap(), 1);

    // Sent twice, it is one item.
    let again = record(&stage, &form, vec![picture(), picture()]).await;
    assert_eq!(again, Recorded { item, case: Some(case) });
    assert_eq!(stage.store().uploads_of(item).await.unwrap().len(), 2);

    while stage.services.capture_wanted().await.unwrap() {}
    let version = stage.store().case(case).await.unwrap().version;
    let row = stage.store().evidence_of(version).await.unwrap().unwrap();
    let manifest = stage.services.inner.evidence.manifest(&row).await.unwrap();
    let parts: Vec<_> = manifest.parts.iter().map(|part| (part.kind, part.name.as_str())).collect();
    for part in [
        (PartKind::Payload, "payload.json"),
        (PartKind::Screenshot, "screenshot.png"),
        (PartKind::Attachment, "bild-2.png"),
    ] {
        assert!(parts.contains(&part), "{part:?} in {parts:?}");
    }
    assert!(manifest.parts[0].method.starts_with("inlagt för hand av en person"));
    assert_eq!(manifest.missing, []);
    assert_eq!(manifest.platform, "manual");
    let kept = stage.services.evidence_part(&stage.editor, row.id, "screenshot.png").await.unwrap();
    assert_eq!(kept.bytes, picture(), "byte for byte as it was handed in");
    stage.verified().await;
    // The place is there after a new start, and typed with other letters it is the same.
    let mut stage = stage;
    stage.restart().await;
    stage.services.open_places().await.unwrap();
    assert_eq!(stage.services.places(), ["Snapchat"]);
    let other = Typed { place: " snapchat ".into(), ..typed("Fin park!") };
    let harmless = record(&stage, &other, Vec::new()).await.case.unwrap();
    assert_eq!(stage.services.places(), ["Snapchat"]);
    let file = stage.services.case_file(&stage.editor, harmless).await.unwrap();
    assert!(file.findings.is_empty(), "picked up by a person, it is a case without any finding");
}

#[tokio::test]
async fn a_place_is_not_called_like_an_account_that_is_fetched() {
    let stage = Stage::new().await;
    let account = stage.services.served(stage.account).unwrap().account.name.clone();
    for place in [
        account.clone(),
        format!(" {} ", account.to_uppercase()),
        account.replace('a', "а"),
        account.replace(' ', "\u{A0}"),
    ] {
        let form = Typed { place: place.clone(), ..typed(THREAT) };
        let refused = stage.services.record_by_hand(&stage.editor, &form, Vec::new()).await;
        assert!(
            matches!(refused, Err(ServiceError::Refused { why }) if why.contains("hämtar Uppsikt själv")),
            "{place}"
        );
    }
    assert_eq!(stage.services.places(), [] as [&str; 0], "nothing was stored");
}

/// An API client with a constant key; a person who stops a slow sending, corrects, and sends again.
#[tokio::test]
async fn another_item_under_the_same_key_is_refused_and_loses_nobody_their_picture() {
    let stage = Stage::new().await;
    let form = typed(THREAT);
    let Recorded { item, case } = record(&stage, &form, vec![picture()]).await;
    for (other, pictures) in [
        (Typed { text: "Något annat".into(), ..form.clone() }, vec![picture()]),
        (Typed { author: "Lo Exempel".into(), ..form.clone() }, vec![picture()]),
        (Typed { link: String::new(), ..form.clone() }, vec![picture()]),
        (Typed { written: String::new(), ..form.clone() }, vec![picture()]),
        (form.clone(), vec![picture(), picture()]),
        (form.clone(), Vec::new()),
    ] {
        let sent = stage.services.record_by_hand(&stage.editor, &other, pictures).await;
        assert!(matches!(sent, Err(ServiceError::Conflict { .. })), "{other:?}: {sent:?}");
    }
    assert_eq!(record(&stage, &form, vec![picture()]).await, Recorded { item, case });
    let row = stage.store().item(item).await.unwrap();
    let version = stage.store().version(row.current_version).await.unwrap();
    assert_eq!((version.number, version.text.as_str()), (1, THREAT));
    assert_eq!(stage.store().audit_count("item.record").await.unwrap(), 1);
}

#[tokio::test]
async fn what_cannot_be_recorded_is_refused_in_words_and_stores_nothing() {
    let stage = Stage::new().await;
    let long = |n| "x".repeat(n);
    let base = || typed("Hej");
    for (form, words) in [
        (Typed { place: " ".into(), ..base() }, "Skriv var det stod"),
        (Typed { place: "Snap\u{202E}chat".into(), ..base() }, "dolda tecken"),
        (Typed { place: "Snap\nchat".into(), ..base() }, "inte går att visa"),
        (Typed { place: long(121), ..base() }, "för lång"),
        (Typed { kind: "annat".into(), ..base() }, "Välj vad det är"),
        (Typed { text: " \r\n ".into(), ..base() }, "Klistra in texten"),
        (Typed { text: long(100_001), ..base() }, "för lång"),
        (Typed { link: "javascript:alert(1)".into(), ..base() }, "Länken ska börja"),
        (Typed { link: "file:///etc/passwd".into(), ..base() }, "Länken ska börja"),
        (Typed { link: "https://a:b@c.example/".into(), ..base() }, "Länken ska börja"),
        (Typed { link: format!("https://a.example/{}", long(2_000)), ..base() }, "för lång"),
        (Typed { written: "i går".into(), ..base() }, "går inte att läsa"),
        (Typed { written: "2027-01-01T00:00".into(), ..base() }, "ligger framåt"),
        (Typed { written: "1999-12-31T00:00".into(), ..base() }, "för långt tillbaka"),
        (Typed { author: long(121), ..base() }, "för lång"),
        (Typed { handle: "a\0b".into(), ..base() }, "inte går att visa"),
        (Typed { key: "../../etc/passwd".into(), ..base() }, "UUID"),
    ] {
        let refused = why(stage.services.record_by_hand(&stage.editor, &form, Vec::new()).await);
        assert!(refused.contains(words), "{refused}");
    }
    let refused = stage.services.record_by_hand(&stage.editor, &base(), vec![picture(); 6]).await;
    assert!(why(refused).contains("Högst 5"));
    let html = b"<html><script>alert(1)</script>".to_vec();
    let refused =
        stage.services.record_by_hand(&stage.editor, &base(), vec![picture(), html]).await;
    assert!(why(refused).starts_with("Bild 2: Filen är ingen bild"));
    for role in [Role::Registrar, Role::Archivist, Role::Auditor, Role::Administrator] {
        let other = viewer(role, stage.editor.user);
        let refused = stage.services.record_by_hand(&other, &base(), Vec::new()).await;
        assert!(matches!(refused, Err(ServiceError::NotPermitted { .. })), "{role:?}");
    }
    assert!(stage.store().unassessed(9).await.unwrap().is_empty());
    assert!(stage.services.places().is_empty());
}

#[tokio::test]
async fn of_what_may_not_be_copied_no_picture_is_kept() {
    let stage = Stage::new().await;
    let form = typed("Byter lolitabilder, skriv dm");
    let Recorded { item, case } = record(&stage, &form, vec![picture()]).await;
    assert!(stage.store().item(item).await.unwrap().no_copy);
    let uploads = stage.store().uploads_of(item).await.unwrap();
    assert_eq!(uploads[0].bytes, None, "gone with the suspicion");
    // Nor are they taken a second time.
    let again = Typed { text: "Byter lolitabilder, skriv dm nu".into(), ..form };
    let refused = stage.services.record_by_hand(&stage.editor, &again, vec![picture(); 2]).await;
    assert!(refused.is_err());
    while stage.services.capture_wanted().await.unwrap() {}
    let version = stage.store().case(case.unwrap()).await.unwrap().version;
    let row = stage.store().evidence_of(version).await.unwrap().unwrap();
    assert!(stage.services.inner.evidence.manifest(&row).await.unwrap().parts.is_empty());
}

#[tokio::test]
async fn what_the_platform_lets_nobody_do_becomes_a_task_that_ends_on_the_record() {
    let stage = Stage::new().await;
    let case = record(&stage, &typed(THREAT), Vec::new()).await.case.unwrap();
    let early = stage.try_decide(case, vec![Choice::Hide]).await;
    assert!(why(early).contains("Beviset är inte säkrat"), "no task before the seal");
    while stage.services.capture_wanted().await.unwrap() {}
    let answer = Choice::Answer { text: "Hej, vi har anmält det.".into() };
    stage.decide(case, vec![Choice::Delete, answer]).await;
    stage.act_after_undo().await;
    assert_eq!(stage.state(case).await, CaseState::Decided, "it waits for the person");
    let tasks = stage.services.tasks(&stage.editor).await.unwrap();
    let told: Vec<_> = tasks.iter().map(|task| (task.kind, task.text.as_deref())).collect();
    assert_eq!(
        told,
        [(ActionKind::Reply, Some("Hej, vi har anmält det.")), (ActionKind::Delete, None)]
    );
    assert_eq!(tasks[0].permalink.as_ref().unwrap().url, "https://snap.example/abc");
    assert_eq!(stage.services.n_tasks(&stage.editor).await.unwrap(), 2);
    let auditor = viewer(Role::Auditor, stage.editor.user);
    let refused = stage.services.task_done(&auditor, tasks[0].action).await;
    assert!(matches!(refused, Err(ServiceError::NotPermitted { .. })));

    for task in &tasks {
        assert_eq!(stage.services.task_done(&stage.editor, task.action).await.unwrap(), case);
        assert!(why(stage.services.task_done(&stage.editor, task.action).await).contains("redan"));
    }
    stage.services.begin_acts().await.unwrap();
    assert!(matches!(stage.state(case).await, CaseState::Closed { .. }));
    let item = stage.store().case(case).await.unwrap().item;
    assert_eq!(stage.store().item(item).await.unwrap().presence, Presence::Gone);
    let history = stage.store().case_history(case).await.unwrap();
    let step = history.iter().find(|step| step.what == "Gjort för hand: ta bort").unwrap();
    assert_eq!(step.user.as_deref(), Some("Kim Exempel"));
    assert_eq!(stage.store().audit_count("task.done").await.unwrap(), 2);
    stage.verified().await;
}

/// The author edits between two polls, and the editor goes there by hand.
#[tokio::test]
async fn what_stands_there_is_read_before_a_task_is_done() {
    let stage = Stage::new().await;
    let (number, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Hide]).await;
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    raw.execute("update actions set by_hand = 1, due_at = 9000000000000000", []).unwrap();
    let task = stage.services.tasks(&stage.editor).await.unwrap().remove(0);
    let done = || stage.services.task_done(&stage.editor, task.action);
    assert!(why(done().await).contains("visar inlägget fortfarande"));
    stage.simulator.edit(number, &format!("{THREAT} Snart."));
    stage.simulator.hide(number);
    assert!(why(done().await).contains("inte säkrat än"), "nobody had read that");
    let action = stage.action(case, ActionKind::Hide).await;
    assert!(!action.state.is_settled());
    while stage.services.assess_waiting().await.unwrap() {}
    seal_plainly(&stage.services).await;
    assert!(why(done().await).contains("har ändrat texten efter beslutet"));
    done().await.unwrap();
    let item = stage.store().item(action.item).await.unwrap();
    assert_eq!(item.presence, Presence::Hidden);
    assert_eq!(stage.action(case, ActionKind::Hide).await.version, item.current_version);
    // The log holds that it was decided for the program to do.
    raw.execute("update actions set by_hand = 0", []).unwrap();
    stage.verified().await;
}

#[tokio::test]
async fn a_task_is_not_done_before_what_stands_there_now_is_sealed() {
    let stage = Stage::new().await;
    let case = record(&stage, &typed(THREAT), Vec::new()).await.case.unwrap();
    while stage.services.capture_wanted().await.unwrap() {}
    stage.decide(case, vec![Choice::Hide]).await;
    let task = stage.services.tasks(&stage.editor).await.unwrap().remove(0);
    // Its author changes the text, and that is taken in.
    let item = stage.store().item(stage.store().case(case).await.unwrap().item).await.unwrap();
    let text = format!("{THREAT} Snart.");
    let changed = FetchedItem::new(item.platform_id, item.kind, text, "{}");
    let batch = Batch { items: vec![changed], ..Batch::default() };
    stage.store().commit_batch(item.account, batch, stage.now(), stage.now()).await.unwrap();
    while stage.services.assess_waiting().await.unwrap() {}
    let tasks = stage.services.tasks(&stage.editor).await.unwrap();
    assert_eq!(tasks[0].permalink, None, "nobody is shown the way before it is sealed");
    let done = || stage.services.task_done(&stage.editor, task.action);
    assert!(why(done().await).contains("inte säkrat än"));
    while stage.services.capture_wanted().await.unwrap() {}
    assert!(why(done().await).contains("har ändrat texten efter beslutet"));
    done().await.unwrap();
    let action = stage.action(case, ActionKind::Hide).await;
    assert_eq!(action.version, stage.store().item(action.item).await.unwrap().current_version);
    assert!(matches!(action.state, ActionState::Done { .. }));
    stage.verified().await;
}

#[tokio::test]
async fn a_task_is_undone_in_time_or_comes_back_with_what_hindered_it() {
    let stage = Stage::new().await;
    let case = recorded(&stage, THREAT).await;
    let decision = stage.decide(case, vec![Choice::Hide]).await;
    stage.services.undo(&stage.editor, case, decision).await.unwrap();
    assert!(stage.services.tasks(&stage.editor).await.unwrap().is_empty());

    stage.decide(case, vec![Choice::Hide]).await;
    stage.act_after_undo().await;
    let task = stage.services.tasks(&stage.editor).await.unwrap().remove(0);
    assert!(
        why(stage.services.task_not_done(&stage.editor, task.action, "").await).contains("skälet")
    );
    let hindered = "Gruppen är stängd för mig.";
    stage.services.task_not_done(&stage.editor, task.action, hindered).await.unwrap();
    assert_eq!(stage.state(case).await, CaseState::Returned { reason: hindered.into() });
    stage.try_again(case, ActionKind::Hide).await.unwrap();
    stage.act_after_undo().await;
    let again = stage.services.tasks(&stage.editor).await.unwrap();
    assert_eq!(again.len(), 1, "tried again, it is a task again and no call");
    stage.services.task_done(&stage.editor, again[0].action).await.unwrap();
    stage.verified().await;
}

/// No mail goes out: what a policy proposes can be decided all the same.
#[tokio::test]
async fn what_is_to_be_forwarded_is_sent_by_hand_and_ends_on_the_record() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let to = "handlaggare@exempelstad.example".to_owned();
    let note = "Brådskande.".to_owned();
    stage.decide(case, vec![Choice::Forward { to, note }]).await;
    stage.act_after_undo().await;
    assert_eq!(stage.state(case).await, CaseState::Decided, "it waits for the person");
    let task = stage.services.tasks(&stage.editor).await.unwrap().remove(0);
    assert_eq!(task.kind, ActionKind::Forward);
    let text = task.text.unwrap();
    assert!(text.contains("handlaggare@") && text.contains("Brådskande."), "{text}");
    stage.services.task_done(&stage.editor, task.action).await.unwrap();
    stage.services.begin_acts().await.unwrap();
    assert!(matches!(stage.state(case).await, CaseState::Closed { .. }));
    stage.verified().await;
}
