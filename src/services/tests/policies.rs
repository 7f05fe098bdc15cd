//! The account's own policy on the way: deadlines, grounds, and the diary before the removal.

use crate::domain::action::{ActionKind, ActionState};
use crate::domain::category::Category;
use crate::domain::deadline::Clock;
use crate::domain::decision::{Choice, Decision};
use crate::domain::duties::{OnRemoval, PolicyGround, Standing, Step};
use crate::domain::ground::Ground;
use crate::domain::ids::DiaryNumber;
use crate::domain::item::ItemKind;
use crate::domain::policy::Policy;
use crate::domain::register::{Answered, Question};
use crate::services::ServiceError;
use crate::services::manual::Typed;
use crate::services::tests::harness::{Stage, THREAT, seal_plainly};
use crate::services::tests::manual::{record, recorded};

/// As Finspång has it: documented, registered, removed at once.
fn diary_first(policy: &mut Policy) {
    policy.name = "Kontots egen".into();
    policy.duties.removal.steps = vec![Step::Capture, Step::Register, Step::Remove];
    policy.duties.register.on_removal = OnRemoval::Always;
    policy.duties.grounds = vec![
        PolicyGround::plain(Ground::Threat, Standing::Named),
        PolicyGround::plain(Ground::PartyPolitical, Standing::Refer),
        PolicyGround::plain(Ground::Bullying, Standing::Escalate),
    ];
    policy.message.medium.clock = Clock::OFFICE_48H;
}

#[tokio::test]
async fn t04_r11_nothing_is_removed_before_the_diary_has_it() {
    let mut stage = Stage::new().await;
    stage.under(diary_first).await;
    let (number, case) = stage.written(THREAT).await;
    let alone = stage.try_decide(case, vec![Choice::Hide]).await;
    assert!(
        matches!(&alone, Err(ServiceError::Refused { why }) if why.contains("Välj också Diarieför")),
        "{alone:?}"
    );
    // A file where the folder should be: no package can be written.
    let folder = stage.dir.path().join("export");
    std::fs::write(&folder, b"").unwrap();
    stage.decide(case, vec![Choice::Hide, Choice::Register]).await;
    stage.act_after_undo().await;
    assert!(!stage.truth(number).hidden);
    let hide = stage.action_state(case, ActionKind::Hide).await;
    assert!(matches!(hide, ActionState::Retrying { .. } | ActionState::Failed { .. }), "{hide:?}");
    std::fs::remove_file(&folder).unwrap();
    for _ in 0..4 {
        stage.wait_s(600);
        stage.act().await;
    }
    stage.try_all_again(case).await;
    stage.act_after_undo().await;
    for _ in 0..4 {
        stage.wait_s(600);
        stage.act().await;
    }
    assert!(stage.truth(number).hidden);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
}

#[tokio::test]
async fn the_case_offers_the_grounds_of_the_accounts_own_policy() {
    let mut stage = Stage::new().await;
    stage.under(diary_first).await;
    let (_, case) = stage.written(THREAT).await;
    let file = stage.services.case_file(&stage.editor, case).await.unwrap();
    assert_eq!(file.policy, "Kontots egen");
    assert_eq!(file.proposal.ground, Some(Ground::Threat));
    assert_eq!(file.suggested, [(Ground::Threat, "Prov.".to_owned())]);
    let revision = file.revision;
    for (ground, instead) in [
        (Ground::Profanity, "låt inlägget stå"),
        (Ground::PartyPolitical, "Hänvisa i stället"),
        (Ground::Bullying, "Berätta för närmaste chef med Vidarebefordra"),
    ] {
        let choices = vec![Choice::Hide, Choice::Register];
        let decision = Decision::new(choices, Some(ground), None).unwrap();
        let refused = stage.services.decide(&stage.editor, case, revision, decision).await;
        let Err(ServiceError::Refused { why }) = refused else { panic!("{ground:?}: {refused:?}") };
        assert!(why.contains(instead), "{why}");
    }
}

#[tokio::test]
async fn r09_a_yes_to_secrecy_demands_the_diary_and_no_is_kept_with_its_reason() {
    let mut stage = Stage::new().await;
    stage.under(diary_first).await;
    let (_, case) = stage.written(THREAT).await;
    let revision = stage.store().case(case).await.unwrap().revision;
    let dismiss = |choices| Decision::new(choices, None, None).unwrap();
    let reason = "En enkel fråga som fått svar.";
    let kept = vec![Choice::Dismiss, Choice::NotRegister { reason: reason.into() }];
    let secret = Answered::yes(&[Question::Secrecy]);
    let services = &stage.services;
    let refused =
        services.decide_with(&stage.editor, case, revision, dismiss(kept.clone()), &secret).await;
    assert!(
        matches!(&refused, Err(ServiceError::Refused { why }) if why.contains("OSL")),
        "{refused:?}"
    );
    services
        .decide_with(&stage.editor, case, revision, dismiss(kept.clone()), &Answered::default())
        .await
        .unwrap();
    let standing = stage.store().standing_decision(case).await.unwrap().unwrap();
    assert_eq!(standing.choices, kept, "the decision not to register is kept with its reason");
    let file = stage.services.case_file(&stage.editor, case).await.unwrap();
    assert!(file.history.iter().any(|s| s.detail.as_ref().is_some_and(|d| d.contains(reason))));
}

#[tokio::test]
async fn r16_r22_r23_the_registrar_gets_the_text_and_who_sent_it_also_without_a_picture() {
    let mut stage = Stage::new().await;
    stage.under(diary_first).await;
    // No picture was taken: the text record stands in its place, with name and time.
    let (number, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Delete, Choice::Register]).await;
    stage.act_after_undo().await;
    let action = stage.action(case, ActionKind::Register).await;
    let name = stage.services.export_package(&action).await.unwrap();
    let file = std::fs::File::open(stage.dir.path().join("export").join(name)).unwrap();
    let mut zip = zip::ZipArchive::new(file).unwrap();
    let mut read = |name: &str| {
        use std::io::Read as _;
        let mut text = String::new();
        zip.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    };
    assert_eq!(read("text.txt"), THREAT);
    let manifest: serde_json::Value = serde_json::from_str(&read("manifest.json")).unwrap();
    assert_eq!(manifest["author"]["name"], "Robin Påhitt");
    assert_eq!(manifest["item"], number.to_string());
    assert!(manifest["created_at"].is_string());
    let cover: serde_json::Value = serde_json::from_str(&read("arende.json")).unwrap();
    assert_eq!(cover["ground"], Ground::Threat.label());
    // R21: what is gone from the platform is here still.
    let kept = stage.services.case_file(&stage.editor, case).await.unwrap();
    assert_eq!(kept.text, THREAT);
}

#[tokio::test]
async fn r20_a_comment_counts_as_received_when_it_was_published() {
    let stage = Stage::new().await;
    let number = stage.simulator.write("Robin Påhitt", THREAT, None);
    let published = stage.now();
    stage.wait_s(900);
    stage.take_in_plainly().await;
    let case = stage.case_of(number).await;
    let file = stage.services.case_file(&stage.editor, case).await.unwrap();
    assert_eq!(file.kind, ItemKind::Comment);
    let created = file.created_at.expect("the platform tells");
    assert!(created.duration_since(published).as_secs().abs() < 60, "{created} {published}");
    assert!(file.fetched_at.duration_since(created).as_secs() >= 840, "both times are kept");
    // The clock runs from when it was published: 24 hours in these tests' policy.
    assert_eq!(file.due_at.duration_since(created).as_hours(), 24);
}

#[tokio::test]
async fn r19_every_question_is_an_incoming_document_with_a_received_time_that_its_clock_runs_from()
{
    let mut stage = Stage::new().await;
    stage.under(|policy| policy.message.medium.clock = Clock::OFFICE_48H).await;
    const QUESTION: &str = "Hej! När öppnar badet i Provstad för säsongen? Går det att boka bana?";
    let number = stage.simulator.write("Robin Påhitt", QUESTION, None);
    let asked = stage.now();
    // Fetched long after: the question came in when it was asked.
    stage.wait_s(3_600);
    stage.take_in_plainly().await;
    let case = stage.case_of(number).await;
    let file = stage.services.case_file(&stage.editor, case).await.unwrap();
    assert!(file.findings.iter().any(|f| f.category == Category::Question), "{:?}", file.findings);
    let received = file.created_at.expect("the platform tells when");
    assert!(received.duration_since(asked).as_secs().abs() < 60);
    assert_eq!(
        file.due_at.duration_since(received).as_hours(),
        24,
        "the answer clock runs from it"
    );
    // The same time stands in what the diary gets.
    stage.decide(case, vec![Choice::Register]).await;
    stage.act_after_undo().await;
    let action = stage.action(case, ActionKind::Register).await;
    let name = stage.services.export_package(&action).await.unwrap();
    let zip = std::fs::File::open(stage.dir.path().join("export").join(name)).unwrap();
    let mut zip = zip::ZipArchive::new(zip).unwrap();
    let cover: serde_json::Value =
        serde_json::from_reader(zip.by_name("arende.json").unwrap()).unwrap();
    assert_eq!(cover["direction"], "incoming");
    assert_eq!(cover["received"], received.to_string());
    // What is recorded by hand without a time came in when it was recorded.
    let typed = Typed {
        place: "Snapchat".into(),
        kind: ItemKind::Comment.id().into(),
        text: QUESTION.into(),
        ..Typed::default()
    };
    let item = record(&stage, &typed, Vec::new()).await.item;
    let case = stage.store().case_of(item).await.unwrap().unwrap();
    let hours = case.due_at.duration_since(stage.now()).as_hours();
    assert!((23..=24).contains(&hours), "{hours}");
}

#[tokio::test]
async fn what_is_removed_is_what_the_diary_has_also_where_the_author_edited_in_between() {
    let mut stage = Stage::new().await;
    stage.under(diary_first).await;
    let (number, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Hide, Choice::Register]).await;
    // Nothing has polled since.
    stage.simulator.edit(number, &format!("{THREAT} I kväll."));
    stage.act_after_undo().await;
    assert!(!stage.truth(number).hidden, "that text is in no diary");
    let hide = stage.action_state(case, ActionKind::Hide).await;
    assert!(
        matches!(&hide, ActionState::Failed { reason, .. } if reason.contains("diariefördes")),
        "{hide:?}"
    );
    // Tried again it is the same; decided anew, the diary has the new text before it goes.
    while stage.services.assess_waiting().await.unwrap() {}
    seal_plainly(&stage.services).await;
    stage.try_all_again(case).await;
    stage.act_after_undo().await;
    assert!(!stage.truth(number).hidden);
    stage.decide(case, vec![Choice::Hide, Choice::Register]).await;
    stage.act_after_undo().await;
    assert!(stage.truth(number).hidden);
    let folder = stage.dir.path().join("export");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
}

#[tokio::test]
async fn what_is_removed_by_hand_is_in_the_diary_first_too() {
    let mut stage = Stage::new().await;
    stage.under(diary_first).await;
    let (number, case) = stage.written(THREAT).await;
    let folder = stage.dir.path().join("export");
    std::fs::write(&folder, b"").unwrap();
    stage.decide(case, vec![Choice::Hide, Choice::Register]).await;
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let by_hand = "update actions set by_hand = 1, due_at = 9000000000000000 where kind = 'hide'";
    raw.execute(by_hand, []).unwrap();
    let task = async || stage.services.tasks(&stage.editor).await.unwrap().remove(0);
    assert_eq!(task().await.permalink, None, "it may still be undone");
    stage.act_after_undo().await;
    assert_eq!(task().await.permalink, None, "the package could not be written");
    stage.simulator.hide(number);
    let done = stage.services.task_done(&stage.editor, task().await.action).await;
    assert!(
        matches!(&done, Err(ServiceError::Refused { why }) if why.contains("diariefört")),
        "{done:?}"
    );
    std::fs::remove_file(&folder).unwrap();
    for _ in 0..4 {
        stage.wait_s(600);
        stage.act().await;
    }
    let waits = task().await;
    assert!(waits.permalink.is_some());
    stage.services.task_done(&stage.editor, waits.action).await.unwrap();
}

#[tokio::test]
async fn the_way_to_a_removal_by_hand_is_not_shown_while_it_may_be_undone() {
    let stage = Stage::new().await;
    let case = recorded(&stage, THREAT).await;
    stage.decide(case, vec![Choice::Hide]).await;
    let task = async || stage.services.tasks(&stage.editor).await.unwrap().remove(0);
    assert_eq!(task().await.permalink, None);
    stage.act_after_undo().await;
    assert!(task().await.permalink.is_some());
}

#[tokio::test]
async fn what_was_answered_on_the_diary_is_kept_told_and_sent_with_the_package() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let revision = stage.store().case(case).await.unwrap().revision;
    let number = DiaryNumber::new("KS 2026/12".to_owned());
    let answered = Answered { number: Some(number), ..Answered::yes(&[Question::Secrecy]) };
    let choices = vec![Choice::Register];
    let decision =
        Decision::new(choices, Some(Ground::Threat), Some("Min egen anteckning.".into())).unwrap();
    let services = &stage.services;
    services.decide_with(&stage.editor, case, revision, decision, &answered).await.unwrap();
    stage.act_after_undo().await;
    let standing = stage.store().standing_decision(case).await.unwrap().unwrap();
    assert_eq!(standing.note.as_deref(), Some("Min egen anteckning."));
    let kept = standing.answered.unwrap();
    assert_eq!((kept.number.as_deref(), kept.rule.as_str()), (Some("KS 2026/12"), "R9"));
    let file = services.case_file(&stage.editor, case).await.unwrap();
    let told: Vec<_> = file.history.iter().filter_map(|step| step.detail.as_deref()).collect();
    for words in ["omfattas av sekretess? Ja.", "Gäller ärende: KS 2026/12", "Riktlinjens förslag:"]
    {
        assert!(told.iter().any(|detail| detail.contains(words)), "{words} in {told:?}");
    }
    let action = stage.action(case, ActionKind::Register).await;
    let name = services.export_package(&action).await.unwrap();
    let package = std::fs::File::open(stage.dir.path().join("export").join(name)).unwrap();
    let mut zip = zip::ZipArchive::new(package).unwrap();
    let cover: serde_json::Value =
        serde_json::from_reader(zip.by_name("arende.json").unwrap()).unwrap();
    assert_eq!(cover["diary"]["concerns_case"], "KS 2026/12");
    assert_eq!(cover["diary"]["rule"], "R9");
    assert!(cover["diary"]["target"].is_string());
    // What was answered is as fast as the rest: the log holds its hash.
    stage.verified().await;
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    raw.execute(
        "update decisions set answered = replace(answered, 'KS 2026/12', 'KS 2026/13')",
        [],
    )
    .unwrap();
    let (evidence, options) = (&services.inner.evidence, Default::default());
    let report = crate::evidence::verify::verify(evidence, stage.store(), &options).await;
    assert!(!report.unwrap().faults.is_empty());
}
