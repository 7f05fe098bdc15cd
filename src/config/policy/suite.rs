//! The development suite through all five policies, as comments and as private messages: what a policy
//! proposes can always be decided under that same policy, and every deadline is right.
//!
//! Over the labels, not the classifier: what is tried here is the policies.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use crate::config::policy::ready::Ready;
use crate::domain::calendar::stockholm;
use crate::domain::category::{Category, Severity};
use crate::domain::decision::{Choice, Decision};
use crate::domain::duties::{MustNotRegister, OnRemoval, Politics, Step};
use crate::domain::ids::LexiconVersion;
use crate::domain::item::ItemKind;
use crate::domain::policy::{Policy, Proposed};
use crate::domain::register::{Answered, Question, Subject, Way, propose};
use crate::domain::verdict::{Finding, Verdict};

const SUITE: &str = include_str!("../../../fixtures/classify/dev-suite.jsonl");

#[derive(Deserialize)]
struct Labelled {
    id: String,
    expect: Vec<Category>,
    severity: String,
}

fn suite() -> Vec<(String, Verdict)> {
    let read = |line: &str| {
        let Labelled { id, expect, severity } = serde_json::from_str(line).expect("a record");
        let severity = match severity.as_str() {
            "low" => Severity::Low,
            "medium" => Severity::Medium,
            "high" => Severity::High,
            _ => {
                assert!(expect.is_empty(), "{id}");
                Severity::Low
            }
        };
        let finding = |category: &Category| Finding {
            category: *category,
            severity,
            rule: "prov".into(),
            spans: vec![],
            why: "Prov.".into(),
            legal: "prov".into(),
            mark: None,
        };
        let findings = expect.iter().map(finding).collect();
        (id, Verdict { lexicon: LexiconVersion::new("prov"), findings })
    };
    SUITE.lines().filter(|line| !line.trim().is_empty()).map(read).collect()
}

fn swedish(wall: &str) -> Timestamp {
    let at: jiff::civil::DateTime = wall.parse().expect("a date and a time");
    at.to_zoned(stockholm()).expect("a time that there is").timestamp()
}

/// The decision that follows a proposal to the letter.
fn followed(policy: &Policy, verdict: &Verdict) -> Decision {
    let proposal = policy.proposal(verdict);
    let words = || "Tack, vi återkommer.".to_owned();
    let choice = |proposed: &Proposed| match proposed {
        Proposed::Hide => Choice::Hide,
        Proposed::Delete => Choice::Delete,
        Proposed::Register => Choice::Register,
        Proposed::Answer => Choice::Answer { text: words() },
        Proposed::Refer => Choice::Refer { text: words() },
        Proposed::Forward => {
            Choice::Forward { to: "prov@exempelstad.example".into(), note: words() }
        }
        Proposed::Dismiss => Choice::Dismiss,
        Proposed::ConsiderPoliceReport => Choice::ConsiderPoliceReport,
    };
    let choices = proposal.choices.iter().map(choice).collect();
    let note = proposal.ground.filter(|g| g.needs_words()).map(|_| words());
    Decision::new(choices, proposal.ground, note).expect("a proposal can be decided")
}

#[test]
fn every_item_of_the_suite_ends_in_a_state_that_its_policy_allows() {
    let suite = suite();
    assert!(suite.len() > 800, "{}", suite.len());
    let mut counted: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for ready in Ready::ALL {
        let policy = ready.read().expect("valid");
        let duties = &policy.duties;
        assert_eq!(duties.removal.steps.first(), Some(&Step::Capture), "sealed before anything");
        for (id, verdict) in &suite {
            for kind in [ItemKind::Comment, ItemKind::DirectMessage] {
                if !verdict.opens_case(kind) {
                    continue;
                }
                let at = format!("{}: {id} as {kind:?}", ready.id());
                let decision = followed(&policy, verdict);
                if decision.removes() {
                    let ground = decision.ground().expect("removing has its ground");
                    assert!(duties.may_remove_for(ground), "{at}: {ground:?}");
                    let politics =
                        verdict.findings.iter().all(|f| f.category == Category::PartyPolitical);
                    let left = matches!(duties.politics, Politics::Refer | Politics::Leave);
                    assert!(!(politics && left), "{at}: politics is not removed here");
                }
                let registers = decision.choices().contains(&Choice::Register);
                let subject = Subject::of(kind, &decision);
                let proposal = propose(duties, subject, &Answered::default());
                // Every forced registration is there, none is made that must not be.
                assert_eq!(proposal.refuses(&decision), None, "{at}: {decision:?}");
                if decision.removes() && duties.register.on_removal == OnRemoval::Always {
                    assert_eq!(proposal.way, Way::Forced, "{at}");
                    assert!(registers, "{at}");
                }
                let state = match (decision.removes(), registers) {
                    (true, true) => "borttaget och diariefört",
                    (true, false) => "borttaget",
                    (false, true) => "diariefört",
                    (false, false) => "besvarat, hänvisat eller kvar",
                };
                *counted.entry((ready.id(), state)).or_default() += 1;
            }
        }
    }
    // Where everything removed is registered, nothing is removed without; elsewhere some is.
    for id in ["jonkoping", "finspang"] {
        assert_eq!(counted.get(&(id, "borttaget")), None, "{id}");
        assert!(counted[&(id, "borttaget och diariefört")] > 300, "{counted:?}");
    }
    for id in ["nassjo", "smedjebacken", "kungalv"] {
        assert!(counted[&(id, "borttaget")] > 300, "{counted:?}");
    }
}

#[test]
fn simple_questions_of_the_suite_are_not_registered_without_a_written_reason_where_they_must_not_be()
 {
    for ready in Ready::ALL {
        let policy = ready.read().expect("valid");
        let must_not = policy.duties.register.must_not.contains(&MustNotRegister::Simple);
        let answered = Answered::yes(&[Question::Simple]);
        for (id, verdict) in suite() {
            if verdict.findings.iter().all(|f| f.category != Category::Question)
                || verdict.findings.len() > 1
            {
                continue;
            }
            let answer = Choice::Answer { text: "Badet öppnar klockan tio.".into() };
            let kept = Choice::NotRegister { reason: "En enkel fråga som fått svar.".into() };
            let subject = Subject { kind: ItemKind::Comment, ground: None, removes: false };
            let proposal = propose(&policy.duties, subject, &answered);
            let registered = |note: Option<&str>| {
                let choices = vec![answer.clone(), Choice::Register];
                Decision::new(choices, None, note.map(str::to_owned)).expect("fits together")
            };
            let plain = Decision::new(vec![answer.clone(), kept], None, None).expect("fits");
            assert_eq!(proposal.refuses(&plain), None, "{}: {id}", ready.id());
            assert_eq!(
                proposal.refuses(&registered(None)).is_some(),
                must_not,
                "{}: {id}",
                ready.id()
            );
            assert_eq!(proposal.refuses(&registered(Some("Hör till KS 2026/1."))), None);
        }
    }
}

/// Received on a Friday afternoon: when it is due, for the five policies in the order of [`Ready::ALL`].
#[test]
fn every_deadline_of_the_suite_is_the_one_of_the_rulebook() {
    let received = swedish("2026-11-20 15:00");
    let (now, closing) = ("2026-11-20 15:00", "2026-11-20 16:30");
    let (day, two) = ("2026-11-21 15:00", "2026-11-24 15:00");
    for ready in Ready::ALL.iter().filter(|ready| **ready != Ready::Standard) {
        let policy = ready.read().expect("valid");
        // What is removed, and at what pace where it is not grave; the answers; messages.
        let (removal, low_question, message) = match ready {
            Ready::Jonkoping | Ready::Smedjebacken => (closing, closing, closing),
            Ready::Nassjo => (closing, two, two),
            Ready::Kungalv => (day, closing, closing),
            Ready::Finspang => (now, two, two),
            Ready::Standard => unreachable!("left out above"),
        };
        for (id, verdict) in suite() {
            let [finding] = &verdict.findings[..] else { continue };
            // A note opens no case by itself.
            if !finding.opens_case() {
                continue;
            }
            let slow = matches!(
                finding.category,
                Category::Copyright | Category::Profanity | Category::Commercial
            );
            let grave = finding.severity == Severity::High && !slow;
            let expected = match (finding.category, finding.severity) {
                (Category::PartyPolitical, Severity::High) => match ready {
                    Ready::Kungalv | Ready::Finspang => removal,
                    _ => closing,
                },
                (Category::PartyPolitical, Severity::Medium) => {
                    if *ready == Ready::Finspang {
                        now
                    } else {
                        closing
                    }
                }
                // Not named by its rulebook, so nothing is removed.
                (Category::Commercial, _) if *ready == Ready::Smedjebacken => closing,
                (Category::Question | Category::Case, Severity::Low) => low_question,
                (Category::Question | Category::Case, Severity::Medium) => {
                    if *ready == Ready::Finspang { two } else { closing }
                }
                _ if grave => now,
                _ => removal,
            };
            let at = format!("{}: {id}", ready.id());
            assert_eq!(
                policy.due(&verdict, ItemKind::Comment, received),
                swedish(expected),
                "{at}"
            );
            // A message has its own clock: no duty to remove hurries it, but what is grave is seen at once.
            let urgent = expected == now && finding.severity == Severity::High;
            let expected = if urgent { now } else { message };
            let due = policy.due(&verdict, ItemKind::DirectMessage, received);
            assert_eq!(due, swedish(expected), "{at} as a message");
        }
    }
}

/// Every answer that a person may give in the wizard, on every item: what is forced cannot be left out, what must not
/// be is made only with a written reason, and nothing else is refused.
#[test]
fn whatever_is_answered_every_forced_registration_exists_and_none_that_must_not_be_lacks_its_reason()
 {
    let (mut n_forced, mut n_against) = (0, 0);
    for ready in Ready::ALL {
        let policy = ready.read().expect("valid");
        let rules = &policy.duties.register;
        for (id, verdict) in suite() {
            for kind in [ItemKind::Comment, ItemKind::DirectMessage] {
                let decision = followed(&policy, &verdict);
                let subject = Subject::of(kind, &decision);
                let plain = decision.choices().iter().filter(|c| **c != Choice::Register);
                let plain: Vec<_> = plain.cloned().collect();
                let registering = [plain.clone(), vec![Choice::Register]].concat();
                let made = |choices: &[Choice], note: Option<&str>| {
                    let note = note.or(decision.note()).map(str::to_owned);
                    Decision::new(choices.to_vec(), decision.ground(), note).ok()
                };
                for question in Question::ALL {
                    let at = format!("{}: {id} as {kind:?}, {}", ready.id(), question.id());
                    let proposal = propose(&policy.duties, subject, &Answered::yes(&[*question]));
                    let refused = |decision: &Decision| proposal.refuses(decision).is_some();
                    let (without, with) = (made(&plain, None), made(&registering, Some("KS 1.")));
                    let forced = *question == Question::Secrecy
                        || subject.ground.is_some_and(|ground| ground.is_secrecy())
                        || (subject.removes && rules.on_removal == OnRemoval::Always)
                        || question.calls_for().is_some_and(|must| rules.must.contains(&must));
                    assert_eq!(proposal.way == Way::Forced, forced, "{at}");
                    let against = question.speaks_against();
                    let against = !forced && against.is_some_and(|a| rules.must_not.contains(&a));
                    assert_eq!(proposal.way == Way::NotToBe, against, "{at}");
                    if let Some(without) = without {
                        assert_eq!(refused(&without), forced, "{at}: {without:?}");
                        n_forced += usize::from(forced);
                    }
                    if let Some(with) = with {
                        assert!(!refused(&with), "{at}: with a reason it may be registered");
                    }
                    if let Some(with) = made(&registering, None).filter(|d| d.note().is_none()) {
                        assert!(!against || refused(&with), "{at}: without a reason it may not");
                        n_against += usize::from(against);
                    }
                }
            }
        }
    }
    assert!(n_forced > 10_000 && n_against > 500, "{n_forced} forced, {n_against} against");
}

/// Of several findings the one that is due first rules, whatever stands beside it.
#[test]
fn where_an_item_holds_several_findings_the_earliest_deadline_is_the_one() {
    let mut n = 0;
    for wall in ["2026-11-20 15:00", "2026-12-23 16:29", "2027-03-27 23:30"] {
        let received = swedish(wall);
        for ready in Ready::ALL {
            let policy = ready.read().expect("valid");
            for (id, verdict) in suite() {
                if verdict.findings.len() < 2 {
                    continue;
                }
                for kind in [ItemKind::Comment, ItemKind::DirectMessage] {
                    let alone = |finding: &Finding| {
                        let findings = vec![finding.clone()];
                        let one = Verdict { findings, ..verdict.clone() };
                        policy.due(&one, kind, received)
                    };
                    let opening = verdict.findings.iter().filter(|f| f.opens_case());
                    let Some(earliest) = opening.map(alone).min() else { continue };
                    let at = format!("{}: {id} as {kind:?}, {wall}", ready.id());
                    assert_eq!(policy.due(&verdict, kind, received), earliest, "{at}");
                    assert!(earliest >= received, "{at}: due before it came");
                    n += 1;
                }
            }
        }
    }
    assert!(n > 300, "{n}");
}
