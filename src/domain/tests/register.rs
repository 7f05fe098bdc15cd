//! The register rules, R1 to R24, each by its row (duties, section 3). The settings stand here in the
//! small: that each municipality's file has them is held beside the files.

use proptest::prelude::*;

use crate::domain::decision::{Choice, Decision};
use crate::domain::duties::{
    Duties, MustNotRegister, MustRegister, OnRemoval, RegisterTarget, Step,
};
use crate::domain::ground::Ground;
use crate::domain::ids::DiaryNumber;
use crate::domain::item::ItemKind;
use crate::domain::register::{Answered, Proposal, Question, Subject, Way, propose};

fn duties(change: impl FnOnce(&mut Duties)) -> Duties {
    let mut duties = Duties::default();
    duties.register.must = vec![MustRegister::Secrecy];
    change(&mut duties);
    duties
}

/// As Jönköping and Finspång have it.
fn always() -> Duties {
    duties(|d| {
        d.register.on_removal = OnRemoval::Always;
        d.removal.steps = vec![Step::Capture, Step::Register, Step::Remove];
        d.register.source = Some("rad 375".into());
    })
}

/// As Nässjö has it.
fn raised() -> Duties {
    duties(|d| {
        d.register.must.push(MustRegister::RaisesMatter);
        d.register.tell_citizen = true;
    })
}

/// As Smedjebacken has it.
fn forum() -> Duties {
    duties(|d| {
        d.register.on_removal = OnRemoval::IfOngoing;
        d.register.must.extend([MustRegister::OngoingCase, MustRegister::Message]);
        d.register.must_not = vec![MustNotRegister::PublicForum];
        d.register.target = RegisterTarget::Mailbox;
    })
}

/// As Finspång has it beside what is removed.
fn character() -> Duties {
    let mut duties = always();
    duties.register.must.extend([
        MustRegister::LeadsToAction,
        MustRegister::BecomesCase,
        MustRegister::ExistingCase,
        MustRegister::SpecialInterest,
    ]);
    duties.register.must_not = vec![MustNotRegister::Simple, MustNotRegister::OutsideOurs];
    duties
}

const COMMENT: Subject = Subject { kind: ItemKind::Comment, ground: None, removes: false };
const MESSAGE: Subject = Subject { kind: ItemKind::DirectMessage, ground: None, removes: false };

fn removed(ground: Ground) -> Subject {
    Subject { ground: Some(ground), removes: true, ..COMMENT }
}

fn no(questions: &[Question]) -> Answered {
    Answered { to: questions.iter().map(|q| (*q, false)).collect(), ..Answered::default() }
}

fn said(duties: &Duties, subject: Subject, yes: &[Question]) -> Proposal {
    propose(duties, subject, &Answered::yes(yes))
}

fn decision(choices: Vec<Choice>, note: Option<&str>) -> Decision {
    Decision::new(choices, Some(Ground::Threat), note.map(str::to_owned)).expect("fits together")
}

#[test]
fn r01_r11_what_is_removed_is_registered_first_where_the_rulebook_says_so() {
    for kind in ItemKind::ALL {
        let subject = Subject { kind: *kind, ..removed(Ground::Profanity) };
        let proposal = propose(&always(), subject, &Answered::default());
        assert_eq!((proposal.way, proposal.rule), (Way::Forced, "R1"), "{kind:?}");
        assert!(proposal.why.contains("innan det tas bort") && proposal.why.contains("rad 375"));
        assert_eq!(proposal.ask, [Question::Secrecy], "nothing else is asked: it decides the mark");
        let without = decision(vec![Choice::Hide], None);
        assert!(proposal.refuses(&without).is_some_and(|why| why.contains("Välj också Diarieför")));
        assert_eq!(proposal.refuses(&decision(vec![Choice::Hide, Choice::Register], None)), None);
    }
    // Elsewhere a removal by itself forces nothing.
    for duties in [raised(), forum()] {
        assert_ne!(
            propose(&duties, removed(Ground::Profanity), &Answered::default()).way,
            Way::Forced
        );
    }
}

#[test]
fn r02_who_raises_a_matter_gets_it_registered_and_is_told() {
    let proposal = said(&raised(), COMMENT, &[Question::RaisesMatter]);
    assert_eq!((proposal.way, proposal.rule), (Way::Forced, "R2"));
    assert!(proposal.tell_citizen);
    assert!(!said(&raised(), COMMENT, &[Question::Secrecy]).tell_citizen);
    // Registered without a word to them it is refused, unless the person writes why.
    let silent = proposal.refuses(&decision(vec![Choice::Register], None));
    assert!(silent.is_some_and(|why| why.contains("Välj också Svara")));
    let told = vec![Choice::Register, Choice::Answer { text: "Vi har diariefört det.".into() }];
    assert_eq!(proposal.refuses(&decision(told, None)), None);
    let noted = decision(vec![Choice::Register], Some("Vi har ringt."));
    assert_eq!(proposal.refuses(&noted), None);
}

#[test]
fn r03_comments_in_a_public_forum_need_not_be_registered() {
    let no = no(&[Question::Secrecy, Question::OngoingCase]);
    let proposal = propose(&forum(), COMMENT, &no);
    assert_eq!((proposal.way, proposal.rule), (Way::No, "R3"));
    assert!(proposal.why.contains("öppet forum"));
    // Registering it all the same needs no leave.
    assert_eq!(proposal.refuses(&decision(vec![Choice::Register], None)), None);
}

#[test]
fn r04_what_concerns_an_ongoing_case_is_registered_on_its_number() {
    let number = DiaryNumber::new("KS 2026/123".to_owned());
    let answered = Answered { number: Some(number), ..Answered::yes(&[Question::OngoingCase]) };
    let proposal = propose(&forum(), COMMENT, &answered);
    assert_eq!((proposal.way, proposal.rule), (Way::Forced, "R4"));
    assert!(proposal.why.contains("KS 2026/123"));
    assert!(Question::OngoingCase.asks_for_number() && Question::ExistingCase.asks_for_number());
    assert!(!Question::Secrecy.asks_for_number());
}

#[test]
fn r05_r06_r07_r08_each_yes_forces_the_diary() {
    for (question, rule) in [
        (Question::LeadsToAction, "R5"),
        (Question::BecomesCase, "R6"),
        (Question::ExistingCase, "R7"),
        (Question::SpecialInterest, "R8"),
    ] {
        let proposal = said(&character(), COMMENT, &[question]);
        assert_eq!((proposal.way, proposal.rule), (Way::Forced, rule));
        // Another rulebook does not have the question, so a yes to it means nothing there.
        assert_ne!(said(&forum(), COMMENT, &[question]).way, Way::Forced, "{rule}");
    }
}

#[test]
fn r09_secrecy_is_always_registered_whatever_else_is_answered() {
    let all: Vec<_> = Question::ALL.to_vec();
    for duties in [always(), raised(), forum(), character(), Duties::default()] {
        assert_eq!(said(&duties, COMMENT, &all).rule, "R9");
        for ground in [Ground::Secrecy, Ground::StampedSecret, Ground::PersonProtection] {
            let proposal = propose(&duties, removed(ground), &Answered::default());
            assert_eq!((proposal.way, proposal.rule), (Way::Forced, "R9"), "{ground:?}");
            assert!(proposal.why.contains("OSL"));
        }
    }
}

#[test]
fn r09_a_policy_does_not_switch_the_law_off_by_leaving_a_word_out() {
    let left_out = duties(|d| d.register.must = vec![MustRegister::OngoingCase]);
    let asked = propose(&left_out, COMMENT, &Answered::default()).ask;
    assert_eq!(asked.first(), Some(&Question::Secrecy));
    assert_eq!(said(&left_out, COMMENT, &[Question::Secrecy]).way, Way::Forced);
    assert_eq!(propose(&left_out, removed(Ground::Secrecy), &Answered::default()).rule, "R9");
}

#[test]
fn no_line_of_a_rulebook_is_named_for_what_it_does_not_say() {
    for duties in [always(), raised(), forum(), character()] {
        let secret = said(&duties, COMMENT, &[Question::Secrecy]);
        assert!(!secret.why.contains("rad ") && !secret.why.contains("avbryts"), "{}", secret.why);
    }
    let nothing = propose(&character(), COMMENT, &no(Question::ALL));
    assert!(!nothing.why.contains("rad "), "{}", nothing.why);
}

#[test]
fn where_the_document_plan_decides_nothing_is_answered_in_its_place() {
    let by_plan = duties(|d| {
        d.register.must = vec![MustRegister::Secrecy];
        d.register.on_removal = OnRemoval::ByPlan;
        d.register.source = Some("rad 82".into());
    });
    let proposal = propose(&by_plan, COMMENT, &no(Question::ALL));
    assert_eq!(proposal.way, Way::ByPlan);
    assert!(proposal.why.contains("slå upp den") && proposal.why.contains("rad 82"));
    assert_eq!(proposal.refuses(&decision(vec![Choice::Dismiss], None)), None);
}

#[test]
fn r10_sensitive_data_is_registered_before_it_is_removed() {
    let proposal = propose(&character(), removed(Ground::SensitiveData), &Answered::default());
    assert_eq!((proposal.way, proposal.rule), (Way::Forced, "R10"));
    let removes_only = Decision::new(vec![Choice::Delete], Some(Ground::SensitiveData), None);
    assert!(proposal.refuses(&removes_only.expect("one choice")).is_some());
}

#[test]
fn r12_simple_communication_is_not_registered_without_a_written_reason() {
    let proposal = said(&character(), COMMENT, &[Question::Simple]);
    assert_eq!((proposal.way, proposal.rule), (Way::NotToBe, "R12"));
    let refused = proposal.refuses(&decision(vec![Choice::Register], None));
    assert!(refused.is_some_and(|why| why.contains("skriv varför")));
    let reasoned = decision(vec![Choice::Register], Some("Frågan återkommer i flera ärenden."));
    assert_eq!(proposal.refuses(&reasoned), None);
    let kept = Choice::NotRegister { reason: proposal.why.clone() };
    assert_eq!(proposal.refuses(&decision(vec![kept], None)), None);
}

#[test]
fn r13_what_is_outside_our_responsibility_is_not_registered() {
    let proposal = said(&character(), COMMENT, &[Question::OutsideOurs]);
    assert_eq!((proposal.way, proposal.rule), (Way::NotToBe, "R13"));
    // But a yes to what calls for the diary goes before.
    let both = said(&character(), COMMENT, &[Question::OutsideOurs, Question::BecomesCase]);
    assert_eq!((both.way, both.rule), (Way::Forced, "R6"));
}

#[test]
fn r14_not_everything_is_registered_since_the_order_is_kept() {
    let answered = no(Question::ALL);
    let proposal = propose(&character(), COMMENT, &answered);
    assert_eq!((proposal.way, proposal.rule), (Way::No, "R14"));
    assert!(proposal.why.contains("tidsordning"));
}

#[test]
fn r15_no_category_registers_by_itself_the_questions_do() {
    let proposal = propose(&character(), COMMENT, &Answered::default());
    assert_eq!((proposal.way, proposal.rule), (Way::Open, "R15"));
    let expected = [
        Question::Secrecy,
        Question::LeadsToAction,
        Question::BecomesCase,
        Question::ExistingCase,
        Question::SpecialInterest,
        Question::Simple,
        Question::OutsideOurs,
    ];
    assert_eq!(proposal.ask, expected);
    for choice in [Choice::Register, Choice::Dismiss] {
        assert_eq!(proposal.refuses(&decision(vec![choice], None)), None);
    }
}

#[test]
fn r17_politics_that_leads_to_action_is_referred_and_registered() {
    let refer = Choice::Refer { text: "Frågan hanteras som ett ärende.".into() };
    let proposal = said(&character(), COMMENT, &[Question::LeadsToAction]);
    assert!(proposal.refuses(&decision(vec![refer.clone()], None)).is_some());
    assert_eq!(proposal.refuses(&decision(vec![refer, Choice::Register], None)), None);
}

#[test]
fn r18_private_messages_are_incoming_documents() {
    let proposal = propose(&forum(), MESSAGE, &Answered::default());
    assert_eq!((proposal.way, proposal.rule), (Way::Yes, "R18"));
    assert!(proposal.why.contains("myndighetsbrevlådan"));
    // No public forum: that reason never stands for a message.
    let none = duties(|d| d.register.must_not = vec![MustNotRegister::PublicForum]);
    assert_eq!(propose(&none, MESSAGE, &no(&[Question::Secrecy])).rule, "R14");
}

#[test]
fn r21_hidden_and_deleted_alike_go_by_the_same_rule() {
    for choice in [Choice::Hide, Choice::Delete] {
        let decided = decision(vec![choice], None);
        let subject = Subject::of(ItemKind::Comment, &decided);
        assert!(subject.removes);
        assert!(propose(&always(), subject, &Answered::default()).refuses(&decided).is_some());
    }
}

#[test]
fn waiting_and_showing_again_decide_nothing_about_the_diary() {
    let forced = said(&character(), COMMENT, &[Question::BecomesCase]);
    let until = jiff::Timestamp::UNIX_EPOCH;
    for choice in [Choice::Hold { until }, Choice::Unhide] {
        assert_eq!(forced.refuses(&decision(vec![choice], None)), None);
    }
    assert!(forced.refuses(&decision(vec![Choice::Dismiss], None)).is_some());
}

fn subjects() -> impl Strategy<Value = Subject> {
    let kind = proptest::sample::select(ItemKind::ALL.to_vec());
    let ground = proptest::option::of(proptest::sample::select(Ground::ALL.to_vec()));
    (kind, ground, any::<bool>()).prop_map(|(kind, ground, removes)| Subject {
        kind,
        ground,
        removes,
    })
}

fn answers() -> impl Strategy<Value = Answered> {
    let one = (proptest::sample::select(Question::ALL.to_vec()), any::<bool>());
    proptest::collection::btree_map(one.0, one.1, 0..9)
        .prop_map(|to| Answered { to, ..Answered::default() })
}

proptest! {
    #[test]
    fn a_proposal_always_has_its_reason_and_asks_nothing_twice(
        subject in subjects(), answered in answers(), which in 0usize..4
    ) {
        let duties = [always(), raised(), forum(), character()][which].clone();
        let proposal = propose(&duties, subject, &answered);
        prop_assert!(proposal.why.ends_with('.') || proposal.why.ends_with(". "), "{:?}", proposal);
        prop_assert!(proposal.rule.starts_with('R'));
        prop_assert!(proposal.ask.iter().all(|q| !answered.to.contains_key(q)));
        prop_assert_eq!(proposal.way == Way::Open, proposal.rule == "R15");
        if proposal.way == Way::Open {
            prop_assert!(!proposal.ask.is_empty());
        }
        for question in Question::ALL {
            prop_assert_eq!(Question::from_id(question.id()), Some(*question));
        }
    }
}
