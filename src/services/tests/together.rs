//! Many cases decided in one act.

use super::around::written_by;
use super::harness::{Stage, THREAT, seal_plainly};
use crate::domain::action::ActionState;
use crate::domain::case::CaseState;
use crate::domain::decision::{Choice, Decision};
use crate::domain::ground::Ground;
use crate::domain::ids::CaseId;
use crate::domain::person::Role;
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
    let plan = stage.services.plan_together(&stage.editor, &picks, &hide()).await.unwrap();
    assert_eq!((plan.will.len(), plan.cannot.len()), (4, 0), "{plan:?}");
    let n_log = stage.store().audit_count("case.decide").await.unwrap();
    let bulk = stage.services.decide_together(&stage.editor, picks, hide()).await.unwrap();
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
    let plan = stage.services.plan_together(&stage.editor, &picks, &hide()).await.unwrap();
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
    let bulk = stage.services.decide_together(&stage.editor, picks, hide()).await.unwrap();
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
    let plan = stage.services.plan_together(&stage.editor, &stale, &hide()).await.unwrap();
    assert_eq!(plan.cannot.len(), 1);
    assert!(plan.cannot[0].1.contains("ändrats sedan det visades"));

    written_by(&stage, &[(7, INSULT)]).await;
    let picked =
        stage.services.picked(&stage.editor, &[], &cases[..1], Over::AllAccounts).await.unwrap();
    let five: Vec<_> = picked.picked.iter().map(|picked| picked.pick).collect();
    let plan = stage.services.plan_together(&stage.editor, &five, &hide()).await.unwrap();
    assert_eq!((plan.will.len(), plan.cannot.len()), (4, 1));
    assert_eq!(plan.cannot[0].1, "Beviset är inte säkrat än.");

    let alone = Decision::new(vec![Choice::Hide], Some(Ground::Threat), None).unwrap();
    stage
        .under(|policy| {
            policy.duties.register.on_removal = crate::domain::duties::OnRemoval::Always;
        })
        .await;
    let plan = stage.services.plan_together(&stage.editor, &five[..1], &alone).await.unwrap();
    assert!(plan.cannot[0].1.contains("Välj också Diarieför"), "{:?}", plan.cannot);

    for (picks, decision, words) in [
        (&five[..0], &alone, "Markera minst ett"),
        (
            &five[..],
            &Decision::new(vec![Choice::Hide], Some(Ground::ChildAbuse), None).unwrap(),
            "i varje ärende för sig",
        ),
    ] {
        let refused =
            stage.services.decide_together(&stage.editor, picks.to_vec(), decision.clone()).await;
        assert!(matches!(&refused, Err(ServiceError::Refused { why }) if why.contains(words)));
    }
    let reader = stage.person(Role::Auditor, "Mo").await;
    let refused = stage.services.decide_together(&reader, five, alone).await;
    assert!(matches!(refused, Err(ServiceError::NotPermitted { .. })));
}
