//! Every state machine's whole matrix as a snapshot: a changed rule is a changed line.

use std::fmt::Write as _;

use jiff::Timestamp;
use uppsikt::domain::action::{ActionEvent, ActionState};
use uppsikt::domain::breaker::{Breaker, Event, Trouble, ceiling};
use uppsikt::domain::case::{CaseEvent, CaseState, Outcome};

/// Two moments that can be told apart in the table.
fn then() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn now() -> Timestamp {
    Timestamp::from_second(60).expect("a minute after the epoch")
}

#[test]
fn actions() {
    let states = [
        ActionState::Pending { not_before: then() },
        ActionState::UnderWay { since: then(), attempt: 3 },
        ActionState::Retrying {
            at: then(),
            attempt: 3,
            reason: "old".into(),
            may_have_acted: false,
        },
        ActionState::Retrying {
            at: then(),
            attempt: 3,
            reason: "unknown".into(),
            may_have_acted: true,
        },
        ActionState::Done { at: then(), receipt: "old".into() },
        ActionState::Moot { at: then(), reason: "old".into() },
        ActionState::Failed { at: then(), reason: "old".into(), may_have_acted: true },
        ActionState::Cancelled { at: then() },
    ];
    let events = [
        ActionEvent::Begin { at: now() },
        ActionEvent::Succeed { at: now(), receipt: "new".into() },
        ActionEvent::FoundMoot { at: now(), reason: "new".into() },
        ActionEvent::FailForNow { again_at: now(), reason: "new".into(), may_have_acted: false },
        ActionEvent::FailForGood { at: now(), reason: "new".into(), may_have_acted: false },
        ActionEvent::Cancel { at: now() },
        ActionEvent::TryAgain { at: now() },
    ];
    let mut table = String::new();
    for state in &states {
        for event in &events {
            let next = match state.clone().on(event.clone()) {
                Ok(next) => compact(&next),
                Err(refused) => {
                    assert_eq!((refused.state, refused.event), (state.id(), event.name()));
                    "–".to_owned()
                }
            };
            let _ = writeln!(table, "{:<10} {:<16} {next}", state.id(), event.name());
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn cases() {
    let states = [
        CaseState::Waiting,
        CaseState::Returned { reason: "old".into() },
        CaseState::Held { until: then(), reason: None },
        CaseState::Held { until: then(), reason: Some("old".into()) },
        CaseState::Decided,
        CaseState::AwaitingDiary,
        CaseState::Closed { outcome: Outcome::Dismissed },
    ];
    let events = [
        CaseEvent::Decide,
        CaseEvent::Hold { until: now() },
        CaseEvent::HoldEnds,
        CaseEvent::Undo,
        CaseEvent::ActionFailed { reason: "new".into() },
        CaseEvent::ActionsSettled { awaits_diary: true, outcome: Outcome::CarriedOut },
        CaseEvent::ActionsSettled { awaits_diary: false, outcome: Outcome::CarriedOut },
        CaseEvent::DiaryNumberEntered,
        CaseEvent::Reopen { reason: "new".into() },
    ];
    let mut table = String::new();
    for state in &states {
        for event in &events {
            let diary = match event {
                CaseEvent::ActionsSettled { awaits_diary: true, .. } => " (diary)",
                _ => "",
            };
            let next = match state.clone().on(event.clone()) {
                Ok(next) => compact(&next),
                Err(refused) => {
                    assert_eq!((refused.state, refused.event), (state.id(), event.name()));
                    "–".to_owned()
                }
            };
            let name = format!("{}{diary}", event.name());
            let _ = writeln!(table, "{:<14} {name:<34} {next}", state.id());
        }
    }
    insta::assert_snapshot!(table);
}

/// A state on one line: its fields as they are stored.
fn compact(state: &impl serde::Serialize) -> String {
    let json = serde_json::to_value(state).expect("states serialise");
    let mut parts = Vec::new();
    if let Some(fields) = json.as_object() {
        parts.extend(fields.get("state").map(|s| s.as_str().unwrap_or_default().to_owned()));
        for (name, value) in fields.iter().filter(|(name, _)| *name != "state") {
            let value = match value.as_str() {
                Some("1970-01-01T00:00:00Z") => "then".to_owned(),
                Some("1970-01-01T00:01:00Z") => "now".to_owned(),
                Some(text) => text.to_owned(),
                None => value.to_string(),
            };
            parts.push(format!("{name}={value}"));
        }
    }
    parts.join(" ")
}

#[test]
fn breakers() {
    let later = Timestamp::from_second(3_600).expect("an hour after the epoch");
    let (why, since) = (Trouble::NoAnswer, then());
    let states = [
        Breaker::new(then()),
        Breaker::Closed { failures: 4, alike: Some((why, 4)), next_at: then() },
        Breaker::Closed { failures: 9, alike: Some((Trouble::Asked, 9)), next_at: then() },
        Breaker::Open { why, since, failures: 5, until: later },
        Breaker::Open { why, since, failures: 5, until: now() },
        Breaker::HalfOpen { why, since, failures: 5 },
    ];
    let mut events = vec![Event::Answered { next_at: later }, Event::Tick { at: now() }];
    events.extend(Trouble::ALL.iter().map(|why| Event::Failed {
        why: *why,
        at: now(),
        not_before: None,
        ceiling: ceiling(None),
    }));
    let mut table = String::new();
    for state in states {
        for event in &events {
            let name = match event {
                Event::Answered { .. } => "answered".to_owned(),
                Event::Tick { .. } => "tick".to_owned(),
                Event::Failed { why, .. } => format!("failed {}", why.id()),
            };
            let next = state.on(*event);
            let rest = next.next_at().map(|at| at.as_second() - now().as_second());
            let _ = writeln!(
                table,
                "{:<9} {:>1} {name:<17} {:<9} {:>2} {:<10} next {rest:?} s",
                state.id(),
                state.failures(),
                next.id(),
                next.failures(),
                next.opened().map_or("–", |(why, _)| why.id()),
            );
        }
    }
    insta::assert_snapshot!(table);
}
