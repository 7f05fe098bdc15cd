//! What a decision owes: a mark where it says that something is secret, words to whoever wrote, and whether the diary has
//! it. Each on the way that a decision takes, by the service.

use std::io::Read as _;

use crate::domain::action::ActionKind;
use crate::domain::category::Category;
use crate::domain::decision::{Choice, Decision};
use crate::domain::duties::{
    MustNotRegister, MustRegister, OnRemoval, PolicyGround, Standing, Step,
};
use crate::domain::ground::Ground;
use crate::domain::ids::CaseId;
use crate::domain::item::ItemKind;
use crate::domain::person::Role;
use crate::domain::policy::Policy;
use crate::domain::register::{Answered, Question};
use crate::domain::secrecy::WITHHELD;
use crate::services::ServiceError;
use crate::services::manual::Typed;
use crate::services::secrecy::UNNAMED;
use crate::services::tests::harness::{Stage, THREAT};
use crate::services::tests::manual::record;

const FAULT: &str =
    "Felanmälan: gatlyktan på Storgatan 5 i Provstad är trasig sedan en vecka, kan ni laga den?";

/// As Finspång has it: what is removed is registered first, and simple things are not.
fn finspang(policy: &mut Policy) {
    policy.duties.removal.steps = vec![Step::Capture, Step::Register, Step::Remove];
    let register = &mut policy.duties.register;
    register.on_removal = OnRemoval::Always;
    register.must = vec![MustRegister::Secrecy, MustRegister::LeadsToAction];
    register.must_not = vec![MustNotRegister::Simple];
    register.secrecy_ends_talk = true;
    policy.duties.grounds =
        [Ground::Threat, Ground::Secrecy, Ground::SensitiveData, Ground::PersonProtection]
            .map(|ground| PolicyGround::plain(ground, Standing::Named))
            .to_vec();
}

async fn try_with(
    stage: &Stage,
    case: CaseId,
    (choices, ground, note): (Vec<Choice>, Option<Ground>, Option<&str>),
    answered: &Answered,
) -> Result<(), ServiceError> {
    let revision = stage.store().case(case).await.unwrap().revision;
    let decision = Decision::new(choices, ground, note.map(str::to_owned)).unwrap();
    let made = stage.services.decide_with(&stage.editor, case, revision, decision, answered);
    made.await.map(|_| ())
}

fn refusal(result: Result<(), ServiceError>) -> String {
    match result {
        Err(ServiceError::Refused { why }) => why,
        other => panic!("{other:?}"),
    }
}

async fn cover(stage: &Stage, case: CaseId) -> serde_json::Value {
    let action = stage.action(case, ActionKind::Register).await;
    let name = stage.services.export_package(&action).await.unwrap();
    let file = std::fs::File::open(stage.dir.path().join("export").join(name)).unwrap();
    let mut text = String::new();
    let mut zip = zip::ZipArchive::new(file).unwrap();
    zip.by_name("arende.json").unwrap().read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn r09_r10_what_is_removed_and_may_be_secret_is_marked_and_withheld_from_those_outside() {
    let (no, yes) = ([(Question::Secrecy, false)], [(Question::Secrecy, true)]);
    let named = "OSL 26 kap. 1 §";
    for (ground, answer, provision, expected) in [
        (Ground::Secrecy, &[][..], None, Some(UNNAMED)),
        (Ground::Secrecy, &no[..], Some(named), Some(named)),
        (Ground::SensitiveData, &[][..], None, Some("OSL 21 kap. 7 §")),
        (Ground::SensitiveData, &no[..], None, None),
        (Ground::PersonProtection, &[][..], None, Some("OSL 21 kap. 3 § och 22 kap. 1 §")),
        (Ground::Threat, &yes[..], Some(named), Some(named)),
        (Ground::Threat, &[][..], None, None),
    ] {
        let mut stage = Stage::new().await;
        stage.under(finspang).await;
        let (_, case) = stage.written(THREAT).await;
        let answered = Answered {
            to: answer.iter().copied().collect(),
            provision: provision.map(str::to_owned),
            ..Answered::default()
        };
        let choices = vec![Choice::Hide, Choice::Register];
        try_with(&stage, case, (choices, Some(ground), None), &answered).await.unwrap();
        let mark = stage.store().secrecy_of(case).await.unwrap().mark;
        let at = format!("{ground:?} {answer:?}");
        assert_eq!(mark.as_ref().map(|mark| mark.provision.as_str()), expected, "{at}");
        stage.act_after_undo().await;
        let registrar = stage.person(Role::Registrar, "Rut").await;
        let auditor = stage.person(Role::Auditor, "Gun").await;
        let (awaiting, _) = stage.services.diary(&auditor).await.unwrap();
        assert_eq!(awaiting[0].line.text == WITHHELD, expected.is_some(), "{at}");
        let opened = stage.services.case_file(&auditor, case).await;
        assert_eq!(matches!(opened, Err(ServiceError::Shut { .. })), expected.is_some(), "{at}");
        assert!(stage.services.case_file(&registrar, case).await.is_ok(), "{at}");
        let cover = cover(&stage, case).await;
        assert_eq!(cover["secrecy"]["provision"].as_str(), expected, "{at}");
        assert_eq!(cover["said_to_be_secret"], expected.is_some(), "{at}");
        // What forces it stands in the package, also where nobody has answered anything.
        let rule = if matches!(ground, Ground::Threat) && answer.is_empty() { "R1" } else { "R" };
        assert!(
            cover["diary"]["rule"].as_str().is_some_and(|known| known.starts_with(rule)),
            "{at}"
        );
        assert!(cover["diary"]["why"].as_str().is_some_and(|why| !why.is_empty()), "{at}");
        assert_eq!(cover["sender"]["name"], "Robin Påhitt");
        assert!(cover["subject"].as_str().is_some_and(|line| line.starts_with("Kommentar på ")));
        stage.verified().await;
    }
}

#[tokio::test]
async fn a_provision_that_names_none_is_refused_and_nothing_is_decided() {
    let mut stage = Stage::new().await;
    stage.under(finspang).await;
    let (_, case) = stage.written(THREAT).await;
    let answered =
        Answered { provision: Some("hemligt".into()), ..Answered::yes(&[Question::Secrecy]) };
    let choices = vec![Choice::Hide, Choice::Register];
    let tried = try_with(&stage, case, (choices, Some(Ground::Threat), None), &answered).await;
    assert!(refusal(tried).contains("OSL 26 kap. 1 §"));
    assert!(stage.store().standing_decision(case).await.unwrap().is_none());
}

#[tokio::test]
async fn t07_a_private_message_is_not_dismissed_without_an_answer_or_a_written_reason() {
    let stage = Stage::new().await;
    let typed = Typed {
        place: "Snapchat".into(),
        kind: ItemKind::DirectMessage.id().into(),
        text: "Hej, jag undrar hur det går med min ansökan.".into(),
        ..Typed::default()
    };
    let case = record(&stage, &typed, Vec::new()).await.case.unwrap();
    let none = Answered::default();
    let kept = vec![Choice::Dismiss, Choice::NotRegister { reason: "Av ringa betydelse.".into() }];
    for choices in [vec![Choice::Dismiss], kept] {
        let tried = try_with(&stage, case, (choices, None, None), &none).await;
        assert!(refusal(tried).contains("Privata meddelanden ska besvaras"));
    }
    assert!(stage.store().standing_decision(case).await.unwrap().is_none());
    // With a reason it is; the decision keeps that, and that the diary has not got it.
    let note = Some("Skickat till oss av misstag, avsändaren har sagt det.");
    try_with(&stage, case, (vec![Choice::Dismiss], None, note), &none).await.unwrap();
    let standing = stage.store().standing_decision(case).await.unwrap().unwrap();
    assert_eq!(standing.note.as_deref(), note);
    assert_eq!(standing.answered.unwrap().registered, Some(false));
    // Who has got an answer has got it.
    let case =
        record(&stage, &Typed { text: "En annan fråga, om bygglov.".into(), ..typed }, Vec::new())
            .await
            .case
            .unwrap();
    let answer = vec![Choice::Answer { text: "Hej! Vi återkommer i morgon.".into() }];
    try_with(&stage, case, (answer, None, None), &none).await.unwrap();
    stage.act_after_undo().await;
    let task = stage.services.tasks(&stage.editor).await.unwrap().remove(0);
    stage.services.task_done(&stage.editor, task.action).await.unwrap();
    stage.wait_s(60);
    stage.act().await;
    assert!(stage.store().is_answered(case).await.unwrap());
}

#[tokio::test]
async fn r12_a_fault_report_that_is_dismissed_or_answered_has_its_diary_decision_then_and_there() {
    let mut stage = Stage::new().await;
    stage.under(finspang).await;
    let (_, case) = stage.written(FAULT).await;
    let file = stage.services.case_file(&stage.editor, case).await.unwrap();
    assert!(file.findings.iter().any(|f| f.category == Category::Case), "{:?}", file.findings);
    let none = Answered::default();
    let tried = try_with(&stage, case, (vec![Choice::Dismiss], None, None), &none).await;
    assert!(refusal(tried).contains("inkommen handling"));
    let note = Some("Lagades i går; se driftens dagbok.");
    try_with(&stage, case, (vec![Choice::Dismiss], None, note), &none).await.unwrap();
    let kept = stage.store().standing_decision(case).await.unwrap().unwrap().answered.unwrap();
    assert_eq!((kept.registered, kept.rule.as_str()), (Some(false), "R12"));
    assert!(kept.why.contains("skäl"), "{}", kept.why);

    let (_, case) =
        stage.written("Felanmälan: papperskorgen vid Norra torget är full, töm den tack!").await;
    let answer = vec![Choice::Answer { text: "Tack, vi skickar någon i dag.".into() }];
    try_with(&stage, case, (answer, None, None), &none).await.unwrap();
    let kept = stage.store().standing_decision(case).await.unwrap().unwrap().answered.unwrap();
    assert_eq!((kept.registered, kept.rule.as_str()), (Some(false), "R12"));
    assert!(kept.why.contains("fått sitt svar"), "{}", kept.why);
    let history = stage.store().case_history(case).await.unwrap();
    let told: Vec<_> = history.iter().filter_map(|step| step.detail.as_deref()).collect();
    assert!(told.iter().any(|detail| detail.contains("Diarieförs inte.")), "{told:?}");
    stage.verified().await;
}

#[tokio::test]
async fn r04_the_number_of_the_ongoing_case_is_asked_for_and_demanded() {
    let mut stage = Stage::new().await;
    stage.under(|policy| policy.duties.register.must.push(MustRegister::OngoingCase)).await;
    let (_, case) = stage.written(THREAT).await;
    let yes = Answered::yes(&[Question::OngoingCase]);
    let register = || vec![Choice::Register];
    let tried = try_with(&stage, case, (register(), None, None), &yes).await;
    assert!(refusal(tried).contains("Skriv diarienumret"));
    let number = crate::domain::registration::parse_diary_number("KS 2026/12").unwrap();
    let with = Answered { number: Some(number), ..yes };
    try_with(&stage, case, (register(), None, None), &with).await.unwrap();
    stage.act_after_undo().await;
    assert_eq!(cover(&stage, case).await["diary"]["concerns_case"], "KS 2026/12");
}

#[tokio::test]
async fn a_ground_that_stood_preselected_is_not_kept_where_nothing_is_removed() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let none = Answered::default();
    let decided = (vec![Choice::Register], Some(Ground::Advertising), None);
    try_with(&stage, case, decided, &none).await.unwrap();
    let standing = stage.store().standing_decision(case).await.unwrap().unwrap();
    assert_eq!(standing.ground, None);
    stage.act_after_undo().await;
    assert!(cover(&stage, case).await["ground"].is_null());
}
