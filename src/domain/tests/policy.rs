use jiff::SignedDuration;
use proptest::prelude::*;

use super::{instants, swedish};
use crate::domain::calendar::OfficeHours;
use crate::domain::category::{Category, Severity, Task};
use crate::domain::deadline::{Clock, due};
use crate::domain::decision::{Choice, Decision};
use crate::domain::ground::Ground;
use crate::domain::ids::{ContentHash, LexiconVersion};
use crate::domain::item::ItemKind;
use crate::domain::policy::{Line, Policy, Proposed, Rule};
use crate::domain::verdict::{Finding, Verdict};

use Severity::{High, Low, Medium};

fn line(choices: &[Proposed], clock: Clock) -> Line {
    Line { choices: choices.to_vec(), clock }
}

/// Small, with every kind of line.
fn policy() -> Policy {
    let dismiss = line(&[Proposed::Dismiss], Clock::NextWorkingDay);
    let answer = line(&[Proposed::Answer], Clock::TWO_WORKING_DAYS);
    let message =
        Rule::plain(None, "meddelande".into(), [answer.clone(), answer.clone(), answer.clone()]);
    let rule = |category: Category| match category {
        Category::Threat => Rule::plain(
            Some(Ground::Threat),
            "hot".into(),
            [
                dismiss.clone(),
                line(&[Proposed::Hide, Proposed::Register], Clock::ELAPSED_24H),
                line(
                    &[Proposed::Hide, Proposed::Register, Proposed::ConsiderPoliceReport],
                    Clock::AtOnce,
                ),
            ],
        ),
        Category::PartyPolitical => Rule::plain(
            None,
            "parti".into(),
            [
                dismiss.clone(),
                line(&[Proposed::Refer], Clock::NextWorkingDay),
                line(&[Proposed::Refer], Clock::NextWorkingDay),
            ],
        ),
        _ if category.task() == Task::Routing => Rule::plain(
            None,
            "svar".into(),
            [
                answer.clone(),
                answer.clone(),
                line(&[Proposed::Register, Proposed::Forward], Clock::AtOnce),
            ],
        ),
        _ => Rule::plain(
            Some(Ground::Profanity),
            "regler".into(),
            [
                dismiss.clone(),
                line(&[Proposed::Hide], Clock::ELAPSED_24H),
                line(&[Proposed::Delete], Clock::ELAPSED_24H),
            ],
        ),
    };
    let undo = SignedDuration::from_secs(10);
    Policy::new("prov".into(), ContentHash::of(b""), undo, OfficeHours::default(), message, rule)
}

fn verdict(findings: &[(Category, Severity)]) -> Verdict {
    let finding = |(category, severity): &(Category, Severity)| Finding {
        category: *category,
        severity: *severity,
        rule: "r".into(),
        spans: vec![],
        why: "w".into(),
        legal: "l".into(),
        mark: None,
    };
    Verdict {
        lexicon: LexiconVersion::new("test"),
        findings: findings.iter().map(finding).collect(),
    }
}

#[test]
fn the_earliest_clock_of_the_findings_counts() {
    // A Saturday noon.
    let at = swedish("2026-05-16 12:00");
    type Row<'a> = (&'a [(Category, Severity)], ItemKind, &'a str);
    let table: &[Row<'_>] = &[
        (&[(Category::Threat, High)], ItemKind::Comment, "2026-05-16 12:00"),
        (&[(Category::Threat, Medium)], ItemKind::Comment, "2026-05-17 12:00"),
        (&[(Category::Question, Low)], ItemKind::Comment, "2026-05-20 08:00"),
        (
            &[(Category::Question, Low), (Category::Insult, Medium)],
            ItemKind::Reply,
            "2026-05-17 12:00",
        ),
        // A low note hurries nobody: the question does.
        (
            &[(Category::Profanity, Low), (Category::Question, Low)],
            ItemKind::Comment,
            "2026-05-20 08:00",
        ),
        (&[(Category::Profanity, Low)], ItemKind::Comment, "2026-05-20 08:00"),
        (&[], ItemKind::Comment, "2026-05-20 08:00"),
        // No duty to remove private messages, but a threat is seen at once all the same.
        (&[(Category::Insult, Medium)], ItemKind::DirectMessage, "2026-05-20 08:00"),
        (&[(Category::Threat, High)], ItemKind::DirectMessage, "2026-05-16 12:00"),
        (&[], ItemKind::DirectMessage, "2026-05-20 08:00"),
    ];
    for (findings, kind, expected) in table {
        assert_eq!(
            policy().due(&verdict(findings), *kind, at),
            swedish(expected),
            "{findings:?} {kind:?}"
        );
    }
}

#[test]
fn the_gravest_finding_sets_the_proposal_and_others_add_their_duties() {
    use Proposed::{Answer, ConsiderPoliceReport, Delete, Dismiss, Hide, Refer, Register};
    type Row<'a> = (&'a [(Category, Severity)], &'a [Proposed], Option<Ground>, &'a str);
    let table: &[Row<'_>] = &[
        (&[], &[Answer], None, "meddelande"),
        (
            &[(Category::Threat, High)],
            &[Hide, Register, ConsiderPoliceReport],
            Some(Ground::Threat),
            "hot",
        ),
        (&[(Category::PartyPolitical, Medium)], &[Refer], None, "parti"),
        (&[(Category::Profanity, Low)], &[Dismiss], None, "regler"),
        (&[(Category::Question, Low)], &[Answer], None, "svar"),
        // A removal finding goes before a routing one of the same weight.
        (
            &[(Category::Question, Medium), (Category::Insult, Medium)],
            &[Hide],
            Some(Ground::Profanity),
            "regler",
        ),
        // Registering is a duty and stays, beside a deletion on another ground.
        (
            &[(Category::Insult, High), (Category::Threat, Medium)],
            &[Delete, Register],
            Some(Ground::Profanity),
            "regler",
        ),
        // A low finding beside a grave one adds nothing.
        (
            &[(Category::Insult, Medium), (Category::Threat, Low)],
            &[Hide],
            Some(Ground::Profanity),
            "regler",
        ),
        // Dismissing gives way to a duty.
        (
            &[(Category::Case, High), (Category::Profanity, Low)],
            &[Register, Proposed::Forward],
            None,
            "svar",
        ),
    ];
    for (findings, choices, ground, why) in table {
        let proposal = policy().proposal(&verdict(findings));
        assert_eq!(
            (&proposal.choices[..], proposal.ground, &proposal.why[..]),
            (*choices, *ground, *why),
            "{findings:?}"
        );
    }
}

/// The choice that a suggestion becomes when the person writes what it needs.
fn filled(proposed: Proposed) -> Choice {
    match proposed {
        Proposed::Hide => Choice::Hide,
        Proposed::Delete => Choice::Delete,
        Proposed::Register => Choice::Register,
        Proposed::Answer => Choice::Answer { text: "a".into() },
        Proposed::Refer => Choice::Refer { text: "a".into() },
        Proposed::Forward => Choice::Forward { to: "a".into(), note: String::new() },
        Proposed::Dismiss => Choice::Dismiss,
        Proposed::ConsiderPoliceReport => Choice::ConsiderPoliceReport,
    }
}

#[test]
fn suggestions_have_the_names_and_exclusions_of_the_choices_they_become() {
    for &a in Proposed::ALL {
        assert_eq!(filled(a).id(), a.id());
        assert_eq!(Proposed::from_id(a.id()), Some(a));
        let alone = Decision::new(vec![filled(a)], Some(Ground::Threat), None).expect("one choice");
        assert_eq!(alone.removes(), a.removes());
        for &b in Proposed::ALL.iter().filter(|b| **b != a) {
            let both = Decision::new(vec![filled(a), filled(b)], Some(Ground::Threat), None);
            assert_eq!(both.is_err(), a.excludes(b), "{a:?} and {b:?}");
        }
    }
}

fn findings() -> impl Strategy<Value = Vec<(Category, Severity)>> {
    let category = proptest::sample::select(Category::ALL.to_vec());
    let severity = proptest::sample::select(vec![Low, Medium, High]);
    proptest::collection::vec((category, severity), 0..6)
}

proptest! {
    #[test]
    fn whatever_is_found_the_proposal_can_be_decided(found in findings()) {
        let proposal = policy().proposal(&verdict(&found));
        let choices = proposal.choices.iter().copied().map(filled).collect();
        prop_assert!(Decision::new(choices, proposal.ground, None).is_ok(), "{:?}", proposal);
        prop_assert!(!proposal.why.is_empty());
    }

    #[test]
    fn more_findings_never_give_more_time(found in findings(), at in instants()) {
        let policy = policy();
        for kind in ItemKind::ALL {
            let whole = policy.due(&verdict(&found), *kind, at);
            prop_assert!(whole >= at);
            prop_assert!(whole <= due(Clock::TWO_WORKING_DAYS, at, policy.office).max(due(Clock::ELAPSED_24H, at, policy.office)));
            for one in found.iter().filter(|(c, s)| c.task() == Task::Routing || *s > Low) {
                prop_assert!(whole <= policy.due(&verdict(&[*one]), *kind, at));
            }
        }
    }
}
