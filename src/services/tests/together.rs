//! Many cases decided in one act.

use super::around::written_by;
use super::harness::{Stage, THREAT, seal_plainly};
use crate::domain::action::ActionState;
use crate::domain::case::CaseState;
use crate::domain::decision::{Choice, Decision};
use crate::domain::ground::Ground;
use crate::domain::ids::{CaseId, PlatformItemId};
use crate::domain::item::{Batch, FetchedItem, ItemKind};
use crate::domain::person::Role;
use crate::domain::register::{Answered, Question};
use crate::domain::together::{Became, Over, Pick};
use crate::services::ServiceError;
use crate::services::queue::Filter;

const INSULT: &str =
    "Ni på kommunen i Exempelstad är en samling jävla idioter som borde skämmas ihjäl allihop";

/// Nearly the same by four, and one of its own; the cases of the four in the queue's order.
async fn campaign(stage: &Stage) -> Vec<CaseId> {
    let texts: Vec<_> = (1..=4).map(|author| (author, INSULT)).collect();
    written_by(stage, &texts).await;
    written_by(stage, &[(9, THREAT)]).await;
    seal_plainly(&stage.services).await;
    let page = stage.services.queue(&stage.editor, Filter::Open, None, 0).await.unwrap();
    let lines: Vec<_> = page.lines.iter().map(|line| line.n_similar).collect();
    let leader = page.lines.iter().find(|line| line.n_similar > 0).expect("a group").case;
    assert_eq!((lines.len(), page.counts.open), (2, 5), "{lines:?}");
    let picked = stage.services.picked(&stage.editor, &[], &[leader], Over::AllAccounts).await;
    picked.unwrap().picked.iter().map(|picked| picked.pick.case).collect()
}

async fn picks(stage: &Stage, cases: &[CaseId]) -> Vec<Pick> {
    let picked = stage.services.picked(&stage.editor, cases, &[], Over::AllAccounts).await.unwrap();
    picked.picked.iter().map(|picked| picked.pick).collect()
}

fn hide() -> Decision {
    Decision::new(vec![Choice::Hide, Choice::Register], Some(Ground::Threat), None).unwrap()
}

#[tokio::test]
async fn a_campaign_is_one_line_is_decided_together_and_undone_together() {
    let stage = Stage::new().await;
    let cases = campaign(&stage).await;
    assert_eq!(cases.len(), 4);
    let picks = picks(&stage, &cases).await;
    let plan = stage
        .services
        .plan_together(&stage.editor, &picks, &hide(), &Answered::default())
        .await
        .unwrap();
    assert_eq!((plan.will.len(), plan.cannot.len()), (4, 0), "{plan:?}");
    let n_log = stage.store().audit_count("case.decide").await.unwrap();
    let bulk = stage
        .services
        .decide_together(&stage.editor, picks, (hide(), Answered::default()), None)
        .await
        .unwrap()
        .bulk;
    assert_eq!(stage.store().audit_count("case.decide").await.unwrap(), n_log + 4);
    assert_eq!(stage.store().audit_count("case.decide_together").await.unwrap(), 1);
    for case in &cases {
        assert_eq!(stage.state(*case).await, CaseState::Decided);
    }
    // The first is not begun before the time to undo all of them is over.
    let done = stage.services.decided_together(&stage.editor, bulk).await.unwrap();
    for action in stage.store().actions_on(cases[0]).await.unwrap() {
        assert_eq!(action.state, ActionState::Pending { not_before: done.undo_until });
    }
    stage.services.undo_together(&stage.editor, bulk).await.unwrap();
    let done = stage.services.decided_together(&stage.editor, bulk).await.unwrap();
    assert!(done.cases.iter().all(|case| matches!(
        case.became,
        Became::Decided { undone_at: Some(_), stays: None, .. }
    )));
    for case in &cases {
        assert_eq!(stage.state(*case).await, CaseState::Waiting);
    }
    stage.verified().await;
}

#[tokio::test]
async fn what_cannot_be_decided_is_told_beforehand_and_stops_none_of_the_others() {
    let stage = Stage::new().await;
    let cases = campaign(&stage).await;
    let picks = picks(&stage, &cases).await;
    let lo = stage.person(Role::Editor, "Lo").await;
    stage.services.claim(&lo, cases[0]).await.unwrap();
    stage.decide(cases[1], vec![Choice::Dismiss]).await;
    let plan = stage
        .services
        .plan_together(&stage.editor, &picks, &hide(), &Answered::default())
        .await
        .unwrap();
    let told: Vec<_> = plan.cannot.iter().map(|(case, why)| (*case, why.as_str())).collect();
    assert_eq!(
        told,
        [
            (cases[0], "Lo Exempel arbetar med ärendet."),
            (cases[1], "Ärendet väntar inte längre på beslut.")
        ]
    );
    assert_eq!(plan.will.len(), 2);
    // The summary is no promise: all four are sent all the same, and what happened meanwhile is told.
    let bulk = stage
        .services
        .decide_together(&stage.editor, picks, (hide(), Answered::default()), None)
        .await
        .unwrap()
        .bulk;
    let done = stage.services.decided_together(&stage.editor, bulk).await.unwrap();
    let refused: Vec<_> = done
        .cases
        .iter()
        .filter_map(|case| match &case.became {
            Became::Refused(why) => Some((case.line.case, why.as_str())),
            Became::Decided { .. } | Became::NotComeTo => None,
        })
        .collect();
    assert_eq!(
        refused,
        [
            (cases[0], "Lo Exempel arbetar med ärendet nu. Ta över det om du ska besluta."),
            (cases[1], "Ärendet väntar inte längre på beslut.")
        ]
    );
    assert_eq!(stage.state(cases[2]).await, CaseState::Decided);
    assert_eq!(stage.state(cases[3]).await, CaseState::Decided);
    // Once it has begun, undoing says what stays.
    stage.wait_s(60);
    stage.act().await;
    stage.services.undo_together(&stage.editor, bulk).await.unwrap();
    let done = stage.services.decided_together(&stage.editor, bulk).await.unwrap();
    let stays = |became: &Became| matches!(became, Became::Decided { stays: Some(why), undone_at: None, .. } if why.starts_with("Det är för sent"));
    assert_eq!(done.cases.iter().filter(|case| stays(&case.became)).count(), 2);
}

#[tokio::test]
async fn a_changed_text_an_unsealed_one_and_what_a_policy_does_not_allow_are_left_out() {
    let mut stage = Stage::new().await;
    let cases = campaign(&stage).await;
    let mut stale = picks(&stage, &cases).await;
    stale[0].revision -= 1;
    let plan = stage
        .services
        .plan_together(&stage.editor, &stale, &hide(), &Answered::default())
        .await
        .unwrap();
    assert_eq!(plan.cannot.len(), 1);
    assert!(plan.cannot[0].1.contains("ändrats sedan det visades"));

    written_by(&stage, &[(7, INSULT)]).await;
    let picked =
        stage.services.picked(&stage.editor, &[], &cases[..1], Over::AllAccounts).await.unwrap();
    let five: Vec<_> = picked.picked.iter().map(|picked| picked.pick).collect();
    let plan = stage
        .services
        .plan_together(&stage.editor, &five, &hide(), &Answered::default())
        .await
        .unwrap();
    assert_eq!((plan.will.len(), plan.cannot.len()), (4, 1));
    assert_eq!(plan.cannot[0].1, "Beviset är inte säkrat än.");

    let alone = Decision::new(vec![Choice::Hide], Some(Ground::Threat), None).unwrap();
    stage
        .under(|policy| {
            policy.duties.register.on_removal = crate::domain::duties::OnRemoval::Always;
        })
        .await;
    let plan = stage
        .services
        .plan_together(&stage.editor, &five[..1], &alone, &Answered::default())
        .await
        .unwrap();
    assert!(plan.cannot[0].1.contains("Välj också Diarieför"), "{:?}", plan.cannot);

    for (picks, decision, words) in [
        (&five[..0], &alone, "Markera minst ett"),
        (
            &five[..],
            &Decision::new(vec![Choice::Hide], Some(Ground::ChildAbuse), None).unwrap(),
            "i varje ärende för sig",
        ),
    ] {
        let refused = stage
            .services
            .decide_together(
                &stage.editor,
                picks.to_vec(),
                (decision.clone(), Answered::default()),
                None,
            )
            .await;
        assert!(matches!(&refused, Err(ServiceError::Refused { why }) if why.contains(words)));
    }
    let reader = stage.person(Role::Auditor, "Mo").await;
    let refused =
        stage.services.decide_together(&reader, five, (alone, Answered::default()), None).await;
    assert!(matches!(refused, Err(ServiceError::NotPermitted { .. })));
}

/// An item that was taken in before gets another text.
async fn rewritten(stage: &Stage, case: CaseId, author: u32, text: &str) {
    let row = stage.store().case(case).await.unwrap();
    let id = stage.store().item(row.item).await.unwrap().platform_id;
    let mut item =
        FetchedItem::new(PlatformItemId::new(id.as_str()), ItemKind::Comment, text, "{}");
    item.author.platform_id = Some(author.to_string());
    let now = stage.now();
    let batch = Batch { items: vec![item], ..Batch::default() };
    stage.store().commit_batch(stage.account, batch, now, now).await.unwrap();
    while stage.services.assess_waiting().await.unwrap() {}
}

/// Every line of the open queue, with how many stand behind it.
async fn lines(stage: &Stage) -> Vec<(CaseId, u32)> {
    let page = stage.services.queue(&stage.editor, Filter::Open, None, 0).await.unwrap();
    let mut lines: Vec<_> = page.lines.iter().map(|line| (line.case, line.n_similar)).collect();
    lines.sort_unstable();
    lines
}

#[tokio::test]
async fn a_text_that_becomes_another_neither_leads_its_group_nor_hides_behind_it() {
    let stage = Stage::new().await;
    let cases = campaign(&stage).await;
    let other = lines(&stage).await.into_iter().find(|(_, n)| *n == 0).expect("its own").0;
    assert_eq!(lines(&stage).await, [(cases[0], 3), (other, 0)]);
    // The first of all becomes a threat, one behind it an excuse.
    let threat =
        "I natt kommer jag hem till Kim Exempel med kniv, och då ska han dö, räkna med det";
    rewritten(&stage, cases[0], 1, threat).await;
    rewritten(&stage, cases[2], 3, "Förlåt, jag tar tillbaka det där. Tack för hjälpen!").await;
    assert_eq!(
        lines(&stage).await,
        [(cases[0], 0), (cases[1], 1), (cases[2], 0), (other, 0)],
        "{cases:?}"
    );
    let group = stage.services.picked(&stage.editor, &[], &[cases[1]], Over::AllAccounts).await;
    let group: Vec<_> = group.unwrap().picked.iter().map(|picked| picked.pick.case).collect();
    assert_eq!(group, [cases[1], cases[3]]);
    // A group of its own that begins with the item that gave the old one its number is another.
    written_by(&stage, &[(8, threat)]).await;
    let grouped: Vec<_> = lines(&stage).await.into_iter().filter(|(_, n)| *n > 0).collect();
    assert_eq!(grouped, [(cases[0], 1), (cases[1], 1)]);
    // What takes its words back to those of the others stands with them again.
    rewritten(&stage, cases[2], 3, INSULT).await;
    assert!(lines(&stage).await.contains(&(cases[1], 2)), "{:?}", lines(&stage).await);
}

#[tokio::test]
async fn an_answer_with_a_slip_is_refused_before_anything_is_written() {
    let stage = Stage::new().await;
    let cases = campaign(&stage).await;
    let picks = picks(&stage, &cases).await;
    let answer = Choice::Answer { text: "Ring oss om 19121212-1212.".into() };
    let decision = || Decision::new(vec![answer.clone()], Some(Ground::Threat), None).unwrap();
    let plan = stage
        .services
        .plan_together(&stage.editor, &picks, &decision(), &Answered::default())
        .await;
    let made = stage
        .services
        .decide_together(&stage.editor, picks, (decision(), Answered::default()), None)
        .await;
    for refused in [plan.map(drop), made.map(drop)] {
        let Err(ServiceError::Refused { why }) = &refused else { panic!("{refused:?}") };
        assert!(
            why.starts_with("Svaret innehåller") && why.contains("varje ärende för sig"),
            "{why}"
        );
    }
    assert_eq!(stage.store().audit_count("case.decide_together").await.unwrap(), 0);
}

#[tokio::test]
async fn the_same_form_sent_twice_is_one_act_and_a_number_of_no_case_stops_none() {
    let stage = Stage::new().await;
    let cases = campaign(&stage).await;
    let mut picks = picks(&stage, &cases[..2]).await;
    picks.push(Pick { case: CaseId(999_999), revision: 1 });
    let plan = stage
        .services
        .plan_together(&stage.editor, &picks, &hide(), &Answered::default())
        .await
        .unwrap();
    assert_eq!((plan.will.len(), plan.unknown), (2, vec![CaseId(999_999)]));
    let form = Some(stage.services.new_form().unwrap());
    let send = || {
        stage.services.decide_together(
            &stage.editor,
            picks.clone(),
            (hide(), Answered::default()),
            form.clone(),
        )
    };
    let (first, second) = tokio::join!(send(), send());
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!((first.bulk, first.unknown), (second.bulk, vec![CaseId(999_999)]));
    let done = stage.services.decided_together(&stage.editor, first.bulk).await.unwrap();
    assert_eq!(done.cases.len(), 2);
    assert!(done.cases.iter().all(|case| matches!(case.became, Became::Decided { .. })));
    assert_eq!(stage.store().audit_count("case.decide_together").await.unwrap(), 1);
    let none = vec![Pick { case: CaseId(999_999), revision: 1 }];
    let refused = stage
        .services
        .decide_together(&stage.editor, none, (hide(), Answered::default()), None)
        .await;
    assert!(matches!(refused, Err(ServiceError::Refused { .. })));
}

#[tokio::test]
async fn grave_threats_are_dismissed_one_by_one_and_hidden_together() {
    let stage = Stage::new().await;
    written_by(&stage, &[(1, THREAT), (2, THREAT)]).await;
    seal_plainly(&stage.services).await;
    let page = stage.services.queue(&stage.editor, Filter::Open, None, 0).await.unwrap();
    let group = [page.lines[0].case];
    let picked =
        stage.services.picked(&stage.editor, &[], &group, Over::AllAccounts).await.unwrap();
    let picks: Vec<_> = picked.picked.iter().map(|picked| picked.pick).collect();
    let dismiss = Decision::new(vec![Choice::Dismiss], None, None).unwrap();
    let plan = stage
        .services
        .plan_together(&stage.editor, &picks, &dismiss, &Answered::default())
        .await
        .unwrap();
    let whys: Vec<_> = plan.cannot.iter().map(|(_, why)| why.as_str()).collect();
    assert_eq!((plan.will.len(), whys.len()), (0, 2));
    assert!(whys[0].starts_with("Det är bedömt som allvarligt."), "{whys:?}");
    let bulk = stage
        .services
        .decide_together(&stage.editor, picks.clone(), (dismiss, Answered::default()), None)
        .await;
    let done = stage.services.decided_together(&stage.editor, bulk.unwrap().bulk).await.unwrap();
    assert!(done.cases.iter().all(|case| matches!(case.became, Became::Refused(_))));
    let plan = stage
        .services
        .plan_together(&stage.editor, &picks, &hide(), &Answered::default())
        .await
        .unwrap();
    assert_eq!(plan.will.len(), 2);
}

#[tokio::test]
async fn whoever_decides_on_many_has_each_whole_text_at_hand_and_has_looked() {
    let stage = Stage::new().await;
    let long = format!(
        "{INSULT}. {} Mitt nummer är 19121212-1212 och det var allt.",
        "Och så en rad till. ".repeat(90)
    );
    written_by(&stage, &[(1, &long)]).await;
    let page = stage.services.queue(&stage.editor, Filter::Open, None, 0).await.unwrap();
    let case = page.lines[0].case;
    assert!(!page.lines[0].text.contains("det var allt"));
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let looks = || -> i64 {
        raw.query_row("select count(*) from person_looks", [], |row| row.get(0)).unwrap()
    };
    let before = looks();
    let picked =
        stage.services.picked(&stage.editor, &[case], &[], Over::AllAccounts).await.unwrap();
    assert_eq!(looks(), before + 1);
    let whole = &picked.picked[0].whole;
    assert!(whole.ends_with("och det var allt."), "{whole}");
    assert!(!whole.contains("1212-1212"), "{whole}");
}

#[tokio::test]
async fn answers_on_the_diary_hold_for_each_of_them() {
    let stage = Stage::new().await;
    let cases = campaign(&stage).await;
    let picks = picks(&stage, &cases).await;
    let reason = "En enkel fråga som fått svar.";
    let kept = vec![Choice::Dismiss, Choice::NotRegister { reason: reason.into() }];
    let kept = Decision::new(kept, None, None).unwrap();
    // What is secret is registered by law, whichever way it is decided.
    let secret = Answered::yes(&[Question::Secrecy]);
    let plan = stage.services.plan_together(&stage.editor, &picks, &kept, &secret).await.unwrap();
    assert_eq!((plan.will.len(), plan.cannot.len()), (0, picks.len()));
    assert!(plan.cannot[0].1.contains("OSL"), "{:?}", plan.cannot);
    let made = stage.services.decide_together(&stage.editor, picks.clone(), (hide(), secret), None);
    made.await.unwrap();
    for pick in picks {
        let standing = stage.store().standing_decision(pick.case).await.unwrap().unwrap();
        let answers = standing.answered.unwrap().answers;
        assert_eq!(answers.get(Question::Secrecy.id()), Some(&true));
    }
}
