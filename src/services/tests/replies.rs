//! Saved replies and the draft to whoever wrote: who changes them, what is kept, and that nothing unfilled goes out.

use super::harness::{Stage, THREAT};
use crate::domain::decision::{Choice, Decision};
use crate::domain::duties::Signature;
use crate::domain::ground::Ground;
use crate::domain::ids::CaseId;
use crate::domain::inform::Done;
use crate::domain::person::{Act, Role};
use crate::domain::saved_reply::Field;
use crate::services::ServiceError;
use crate::services::replies::{Help, Informing, Typed};

fn typed(title: &str, text: &str, account: &str) -> Typed {
    Typed { title: title.into(), text: text.into(), account: account.into() }
}

async fn help(stage: &Stage, case: CaseId) -> Help {
    stage.services.case_file(&stage.editor, case).await.unwrap().help_to_answer
}

fn why<T: std::fmt::Debug>(refused: Result<T, ServiceError>) -> String {
    match refused.unwrap_err() {
        ServiceError::Refused { why } => why,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_saved_reply_is_offered_with_its_fields_filled_on_its_own_account_alone() {
    let mut stage = Stage::new().await;
    stage.under(|policy| policy.duties.answers.signature = Signature::FirstName).await;
    let services = &stage.services;
    let all = typed("Tack", "Tack! Hälsningar {konto}. Dnr {diarienummer}.", "");
    services.save_reply(&stage.editor, None, &all).await.unwrap();
    let own = typed("Badet", "Badet öppnar tio. {namn}", "facebook");
    services.save_reply(&stage.editor, None, &own).await.unwrap();
    let (_, case) = stage.written(THREAT).await;
    let replies = help(&stage, case).await.replies;
    let told: Vec<_> =
        replies.iter().map(|r| (r.title.as_str(), r.own, r.ready.text.as_str())).collect();
    let account = "Exempelstads kommun (simulerad)";
    let tack = format!("Tack! Hälsningar {account}. Dnr {{diarienummer}}.\n\nKim, kommunikatör");
    assert_eq!(
        told,
        [("Badet", true, "Badet öppnar tio. Kim Exempel"), ("Tack", false, tack.as_str())]
    );
    assert_eq!(replies[1].ready.missing, [Field::DiaryNumber]);
    // Who does not decide is offered nothing to answer with.
    let auditor = stage.person(Role::Auditor, "Rut").await;
    let file = stage.services.case_file(&auditor, case).await.unwrap();
    assert_eq!(file.help_to_answer, Help::default());
}

#[tokio::test]
async fn what_is_published_is_what_the_preview_showed_signed_as_the_policy_has_it() {
    let mut stage = Stage::new().await;
    stage.under(|policy| policy.duties.answers.signature = Signature::FirstName).await;
    let (_, case) = stage.written("När öppnar badhuset i Provdalen? Kan ni svara på det?").await;
    let services = &stage.services;
    let seen = services.preview(&stage.editor, case, "Badet öppnar tio.").await.unwrap();
    assert_eq!(seen.text, "Badet öppnar tio.\n\nKim, kommunikatör");
    assert!(seen.signed_by.is_some() && seen.problem.is_none(), "{seen:?}");
    stage.decide(case, vec![Choice::Answer { text: "Badet öppnar tio.".into() }]).await;
    let standing = stage.store().standing_decision(case).await.unwrap().unwrap();
    assert_eq!(standing.choices, [Choice::Answer { text: seen.text }]);
    let auditor = stage.person(Role::Auditor, "Rut").await;
    assert!(services.preview(&auditor, case, "Hej!").await.is_err());
}

#[tokio::test]
async fn what_is_not_filled_is_never_published() {
    let stage = Stage::new().await;
    let (_, case) = stage.written("När öppnar badhuset i Provdalen? Kan ni svara på det?").await;
    for text in ["Ert nummer är {diarienummer}.", "Hej {namnet på avsändaren}!"] {
        let answer = Choice::Answer { text: text.into() };
        assert!(why(stage.try_decide(case, vec![answer]).await).contains("kvar"), "{text}");
        let refer = Choice::Refer { text: text.into() };
        assert!(why(stage.try_decide(case, vec![refer]).await).starts_with("I svaret står {"));
    }
    stage.decide(case, vec![Choice::Answer { text: "Mängden {1, 2} är tom.".into() }]).await;
}

#[tokio::test]
async fn each_change_is_a_version_that_can_be_gone_back_to_and_nobody_overwrites_a_colleague() {
    let stage = Stage::new().await;
    let (services, kim) = (&stage.services, &stage.editor);
    let eva = stage.person(Role::Owner, "Eva").await;
    for (title, text, said) in [
        ("", "Hej!", "Ge svaret ett namn"),
        ("Hej", " ", "Skriv svarets text."),
        ("Hej", "Hej {nam}!", "Fältet {nam} finns inte."),
    ] {
        let refused = services.save_reply(kim, None, &typed(title, text, "")).await;
        assert!(why(refused).starts_with(said), "{said}");
    }
    assert!(
        why(services.save_reply(kim, None, &typed("Hej", "Hej!", "ingen")).await)
            .contains("Kontot")
    );
    let (id, warning) = services.save_reply(kim, None, &typed("Hej", "Hej!", "")).await.unwrap();
    assert_eq!(warning, None);
    let second = typed("Hej", "Hejsan! 850709-9805", "");
    let (_, warning) = services.save_reply(&eva, Some((id, 1)), &second).await.unwrap();
    assert!(warning.is_some_and(|words| words.contains("personnummer")));
    let stale = services.save_reply(kim, Some((id, 1)), &typed("Hej", "Hallå!", "")).await;
    assert!(why(stale).starts_with("Eva Exempel har ändrat svaret"));
    services.turn_reply(kim, (id, 2), None).await.unwrap();
    assert!(services.saved_replies(kim).await.unwrap().offered.is_empty());
    services.turn_reply(kim, (id, 3), Some(1)).await.unwrap();
    let board = services.saved_replies(kim).await.unwrap();
    assert_eq!((board.offered.len(), board.offered[0].text.as_str()), (1, "Hej!"));
    let kept = services.reply_versions(kim, id).await.unwrap();
    let kept: Vec<_> = kept.iter().map(|v| (v.number, v.offered, v.by.as_str())).collect();
    let (kim_, eva_) = ("Kim Exempel", "Eva Exempel");
    assert_eq!(kept, [(4, true, kim_), (3, false, kim_), (2, true, eva_), (1, true, kim_)]);
    for (act, n) in [("reply.save", 2), ("reply.remove", 1), ("reply.restore", 1)] {
        assert_eq!(stage.store().audit_count(act).await.unwrap(), n, "{act}");
    }
    for &role in Role::ALL {
        let person = stage.person(role, &format!("P{}", role.id())).await;
        let tried = services.save_reply(&person, None, &typed("Ny", "Hej!", "")).await;
        assert_eq!(tried.is_ok(), role.may(Act::EditReplies), "{role:?}");
        assert!(services.saved_replies(&person).await.is_ok(), "{role:?}");
    }
}

#[tokio::test]
async fn whoever_wrote_what_was_hidden_is_offered_an_answer_until_they_got_one() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    assert_eq!(help(&stage, case).await.informing, Informing::Nothing);
    let kim = &stage.editor;
    let nothing = Done::default();
    let early = stage.services.draft_to_citizen(kim, case, nothing, None).await;
    assert!(why(early).starts_with("Kryssa först för Dölj"));
    // Before the decision, from what is ticked.
    let hides = Done { hidden: true, ..Done::default() };
    let ticked = Some(Ground::Threat);
    let draft = stage.services.draft_to_citizen(kim, case, hides, ticked).await.unwrap();
    assert!(draft.contains("kan innehålla hot") && draft.contains("i en månad"), "{draft}");
    stage.decide(case, vec![Choice::Hide]).await;
    stage.act_after_undo().await;
    assert_eq!(help(&stage, case).await.informing, Informing::Offered);
    let draft = stage.services.draft_to_citizen(kim, case, nothing, None).await.unwrap();
    assert!(draft.starts_with("Hej! Vi har dolt din kommentar."), "{draft}");
    assert_eq!(stage.answers(&draft), 0, "nothing goes out by itself");
    let revision = stage.store().case(case).await.unwrap().revision;
    let answer = Decision::new(vec![Choice::Answer { text: draft.clone() }], None, None).unwrap();
    stage.services.decide(kim, case, revision, answer).await.unwrap();
    assert_eq!(help(&stage, case).await.informing, Informing::Nothing, "on its way");
    stage.act_after_undo().await;
    assert_eq!(stage.answers(&draft), 1);
}

#[tokio::test]
async fn nobody_is_written_to_where_it_is_gone_secret_or_barred() {
    let mut stage = Stage::new().await;
    let (_, gone) = stage.written(THREAT).await;
    stage.decide(gone, vec![Choice::Delete]).await;
    stage.act_after_undo().await;
    let Informing::Not { why: gone, draft } = help(&stage, gone).await.informing else {
        panic!("it is gone")
    };
    assert!(gone.starts_with("Inlägget är borttaget") && draft.is_some());

    let (_, secret) = stage.written("Jag ska slå ihjäl dig i morgon, vet var du bor.").await;
    stage.decide(secret, vec![Choice::Hide]).await;
    stage.act_after_undo().await;
    let lawful = ("OSL 26 kap. 1 §", "Om hälsa.");
    stage.services.mark_secret(&stage.editor, secret, lawful.0, lawful.1).await.unwrap();
    let Informing::Not { why: public, draft: None } = help(&stage, secret).await.informing else {
        panic!("everybody would see it")
    };
    assert!(public.contains("ett svar som alla ser"), "{public}");
    let hides = Done { hidden: true, ..Done::default() };
    let refused = stage.services.draft_to_citizen(&stage.editor, secret, hides, None).await;
    assert_eq!(why(refused), public);
    stage.under(|policy| policy.duties.register.secrecy_ends_talk = true).await;
    let Informing::Not { why: ended, .. } = help(&stage, secret).await.informing else {
        panic!("the policy breaks the talk off")
    };
    assert!(ended.contains("avbryter samtalet"), "{ended}");

    let (_, barred) = stage.written("Jag dödar dig, din adress har jag redan.").await;
    stage.services.suspect(&stage.editor, barred).await.unwrap();
    let refused = stage.services.draft_to_citizen(&stage.editor, barred, hides, None).await;
    assert!(why(refused).starts_with("Svara inte den som skrev"));
}
