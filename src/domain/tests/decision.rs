use std::fmt::Write as _;

use super::swedish;
use crate::domain::decision::{Choice, Decision, DecisionError};
use crate::domain::ground::Ground;

fn every_choice() -> Vec<Choice> {
    vec![
        Choice::Hide,
        Choice::Unhide,
        Choice::Delete,
        Choice::Register,
        Choice::NotRegister { reason: "ringa betydelse".into() },
        Choice::Answer { text: "Tack!".into() },
        Choice::Refer { text: "Vänd dig till partiet.".into() },
        Choice::Forward { to: "skola@exempelstad.example".into(), note: String::new() },
        Choice::Dismiss,
        Choice::ConsiderPoliceReport,
        Choice::Hold { until: swedish("2026-05-12 08:00") },
    ]
}

fn decide(choices: &[Choice]) -> Result<Decision, DecisionError> {
    Decision::new(choices.to_vec(), Some(Ground::Threat), None)
}

#[test]
fn the_table_of_combinations() {
    let all = every_choice();
    let mut table = String::new();
    for a in &all {
        let fits: Vec<_> = all
            .iter()
            .filter(|b| decide(&[a.clone(), (*b).clone()]).is_ok())
            .map(Choice::id)
            .collect();
        let _ = writeln!(table, "{:<12} with {}", a.id(), fits.join(", "));
    }
    insta::assert_snapshot!(table);
}

#[test]
fn the_order_of_choices_does_not_matter() {
    let all = every_choice();
    for a in &all {
        assert!(decide(std::slice::from_ref(a)).is_ok(), "{}", a.id());
        for b in &all {
            let (ab, ba) = (decide(&[a.clone(), b.clone()]), decide(&[b.clone(), a.clone()]));
            assert_eq!(ab.is_ok(), ba.is_ok(), "{} and {}", a.id(), b.id());
        }
    }
}

#[test]
fn what_is_no_decision_is_told_with_its_mend() {
    let blank = |text: &str| text.to_owned();
    let table: Vec<(Vec<Choice>, Option<Ground>, DecisionError)> = vec![
        (vec![], None, DecisionError::Empty),
        (vec![Choice::Hide], None, DecisionError::NoGround),
        (vec![Choice::Register, Choice::Delete], None, DecisionError::NoGround),
        (vec![Choice::Register, Choice::Register], None, DecisionError::Twice("register")),
        (
            vec![Choice::Hide, Choice::Delete],
            Some(Ground::Threat),
            DecisionError::Exclusive("hide", "delete"),
        ),
        (vec![Choice::Answer { text: blank(" \n") }], None, DecisionError::NoText("answer")),
        (vec![Choice::Answer { text: blank("\u{200B}") }], None, DecisionError::NoText("answer")),
        (vec![Choice::Refer { text: blank("") }], None, DecisionError::NoText("refer")),
        (
            vec![Choice::NotRegister { reason: blank("") }],
            None,
            DecisionError::NoText("not_register"),
        ),
        (
            vec![Choice::Forward { to: blank(""), note: blank("x") }],
            None,
            DecisionError::NoText("forward"),
        ),
    ];
    for (choices, ground, error) in table {
        assert_eq!(Decision::new(choices, ground, None), Err(error));
        let sentence = error.swedish();
        assert!(sentence.ends_with('.') && sentence.chars().next().is_some_and(char::is_uppercase));
    }
}

#[test]
fn a_stored_decision_is_checked_when_it_is_read_again() {
    let decision = Decision::new(
        vec![Choice::Hide, Choice::Register],
        Some(Ground::Threat),
        Some("  ringde ledningen  ".into()),
    )
    .expect("the choices fit together");
    assert_eq!(decision.note(), Some("ringde ledningen"));
    assert!(decision.removes());
    let json = serde_json::to_string(&decision).expect("serialises");
    assert_eq!(serde_json::from_str::<Decision>(&json).expect("reads back"), decision);
    for forged in [
        r#"{"choices":[],"ground":null,"note":null}"#,
        r#"{"choices":[{"choice":"delete"}],"ground":null,"note":null}"#,
        r#"{"choices":[{"choice":"hide"},{"choice":"delete"}],"ground":"hot","note":null}"#,
        r#"{"choices":[{"choice":"hide"}],"ground":"kritik","note":null}"#,
    ] {
        assert!(serde_json::from_str::<Decision>(forged).is_err(), "{forged}");
    }
}

#[test]
fn a_ground_is_kept_where_something_rests_on_it_alone() {
    let kept: Vec<_> = every_choice()
        .into_iter()
        .filter(|choice| {
            decide(std::slice::from_ref(choice)).expect("fits").ground() == Some(Ground::Threat)
        })
        .map(|choice| choice.id())
        .collect();
    assert_eq!(kept, ["hide", "delete", "police"]);
    // That it is secret is said of what the diary has too; that it is advertising is not.
    for (ground, stays) in
        [(Ground::Secrecy, true), (Ground::SensitiveData, true), (Ground::Advertising, false)]
    {
        let registered = Decision::new(vec![Choice::Register], Some(ground), None).expect("fits");
        assert_eq!(registered.ground().is_some(), stays, "{ground:?}");
    }
}

#[test]
fn each_choice_tells_the_words_that_belong_to_it() {
    let words: Vec<_> = every_choice().iter().filter_map(Choice::words).collect();
    assert_eq!(
        words,
        [
            "Skäl: ringa betydelse",
            "Svar: Tack!",
            "Hänvisning: Vänd dig till partiet.",
            "Till: skola@exempelstad.example",
            "Vilar till 2026-05-12 08:00",
        ]
    );
}

#[test]
fn only_holding_has_an_end() {
    let until = swedish("2026-05-12 08:00");
    for choice in every_choice() {
        let held = decide(std::slice::from_ref(&choice)).expect("fits").held_until();
        assert_eq!(held, matches!(choice, Choice::Hold { .. }).then_some(until));
    }
}
