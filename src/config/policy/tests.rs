//! The five ready policies held against their rulebooks, row by row: which grounds each has (duties,
//! section 1) and what it sets where they pull in different directions (section 5).

use crate::config::policy::parse;
use crate::config::policy::ready::Ready;
use crate::domain::category::{Category, Severity, Task};
use crate::domain::deadline::{Clock, FortyEight};
use crate::domain::duties::{
    AccountList, MustNotRegister, MustRegister, OnRemoval, Politics, RegisterTarget, Signature,
    Standing, Step, Strength, Watch,
};
use crate::domain::ground::{Force, Ground};
use crate::domain::policy::{Policy, Proposed};

/// Jönköping, Nässjö, Smedjebacken, Kungälv, Finspång, as the tables have them.
const FIVE: [Ready; 5] =
    [Ready::Jonkoping, Ready::Nassjo, Ready::Smedjebacken, Ready::Kungalv, Ready::Finspang];

fn five() -> [Policy; 5] {
    FIVE.map(|ready| ready.read().unwrap_or_else(|error| panic!("{}: {error}", ready.id())))
}

/// `■` named, `□` covered by a wider wording, `?` may have to be removed, `→` referred or told, `–` not named;
/// and the lines of the rulebook's text.
const MATRIX: &[(&str, [&str; 5])] = &[
    ("hot", ["■212", "■57", "□138", "□90", "■373"]),
    ("trakasseri", ["□230", "■57", "■138", "■90", "■373, 383"]),
    ("integritet", ["■214", "□53", "□146", "□97", "■373"]),
    ("uppvigling", ["■216", "□58", "□141", "□91", "□385"]),
    ("hets", ["■218", "■55", "■138", "■90", "■383"]),
    ("rasism_sexism", ["■220", "■55", "■138", "■90", "■383"]),
    ("grund", ["□220", "■55", "□138", "□90", "□373"]),
    ("diskriminering", ["□220", "□55", "□138", "□90", "■373"]),
    ("hat", ["□230", "■56", "□136", "□89", "□382"]),
    ("barnporr", ["■220", "□58", "□139", "□86", "□384"]),
    ("porr", ["□230", "□54", "■139", "■86", "■384"]),
    ("vald", ["■223", "–", "■139", "■86", "■384"]),
    ("uppmaning_brott", ["■220", "■58", "■141", "■91", "■385"]),
    ("terror", ["■225", "□58", "□141", "□91", "□385"]),
    ("annat_brott", ["–", "□37", "■141", "–", "□375"]),
    ("upphovsratt", ["■228", "–", "■142", "■87", "■386"]),
    ("krankande", ["■230", "■55–56", "■136", "■80, 89", "■349, 373"]),
    ("svordom", ["■230", "■54", "■144", "■88", "■387"]),
    ("forolampning", ["□230", "□56", "■136", "■89", "■382"]),
    ("fortal", ["■233", "■57", "■136", "■89", "■382"]),
    ("personangrepp", ["■233", "■56", "■136", "■89", "■382"]),
    ("skvaller", ["–", "■57", "–", "–", "–"]),
    ("reklam", ["■235", "■59", "–", "?96", "■389"]),
    ("propaganda", ["–", "■59", "–", "–", "–"]),
    ("kampanj_spam", ["–", "■60", "–", "–", "–"]),
    ("partipolitik", ["→263–267", "–", "→152", "?95", "■388"]),
    ("politisk_asikt", ["→263–267", "–", "→152", "–", "→423"]),
    ("off_topic", ["–", "■61", "–", "–", "–"]),
    ("lank", ["–", "■64", "■150", "–", "–"]),
    ("sekretess", ["■242–245", "■53", "■148", "?98", "■347–349, 381"]),
    ("hemligstampel", ["–", "■62", "□148", "□98", "□381"]),
    ("personuppgifter", ["□315–342", "■53, 108", "■146", "?97", "■349"]),
    ("kanslig_pu", ["–", "□108", "□146", "□97", "■351–359"]),
    ("sarskild_pu", ["–", "□108", "□146", "□97", "■363–369"]),
    ("personskydd", ["–", "–", "–", "?99", "■381, 399"]),
    ("lag_policy", ["■257", "■37", "■127", "■80", "■375"]),
    ("community", ["■257", "■47", "□127", "–", "■391"]),
    ("mobbning", ["–", "–", "→192", "–", "–"]),
];

#[test]
fn each_policy_has_the_grounds_of_its_rulebook_and_those_of_the_act() {
    assert_eq!(MATRIX.len(), Ground::ALL.len());
    let policies = five();
    for (code, row) in MATRIX {
        let ground = Ground::from_code(code).unwrap_or_else(|| panic!("{code}"));
        for (policy, cell) in policies.iter().zip(row) {
            let has = policy.duties.ground(ground);
            let (mark, lines) = cell.split_at(cell.chars().next().map_or(0, char::len_utf8));
            let standing = match (mark, *code) {
                ("■", _) => Some(Standing::Named),
                ("□", _) => Some(Standing::Covered),
                ("?", _) => Some(Standing::May),
                ("→", "mobbning") => Some(Standing::Escalate),
                ("→", _) => Some(Standing::Refer),
                // Whatever a rulebook leaves out, the removal duty of the act is there.
                _ => (ground.force() == Force::Statute).then_some(Standing::Statute),
            };
            assert_eq!(has.map(|g| g.standing), standing, "{}: {code}", policy.name);
            if let Some(has) = has.filter(|g| g.standing != Standing::Statute) {
                assert_eq!(has.source, Some(format!("rad {lines}")), "{}: {code}", policy.name);
            }
        }
    }
}

#[test]
fn what_one_rulebook_alone_has_is_switched_off_elsewhere() {
    for code in ["off_topic", "skvaller", "kampanj_spam", "propaganda"] {
        let ground = Ground::from_code(code).expect("a code");
        let having: Vec<_> =
            FIVE.iter().zip(five()).filter(|(_, p)| p.duties.ground(ground).is_some()).collect();
        assert_eq!(having.len(), 1, "{code}");
        assert_eq!(*having[0].0, Ready::Nassjo, "{code}");
    }
    let standard = Ready::Standard.read().expect("valid");
    for ground in [Ground::OffTopic, Ground::Gossip, Ground::Propaganda, Ground::StampedSecret] {
        assert!(!standard.duties.may_remove_for(ground), "{ground:?}");
    }
}

/// One row of section 5, asked of all five.
fn row<T: PartialEq + std::fmt::Debug>(what: &str, of: impl Fn(&Policy) -> T, expected: [T; 5]) {
    for (policy, expected) in five().iter().zip(expected) {
        assert_eq!(of(policy), expected, "{}: {what}", policy.name);
    }
}

#[test]
fn what_is_done_in_which_order_differs_as_the_rulebooks_do() {
    use Step::{Capture, Register, Remove};
    let (with, without) = (vec![Capture, Register, Remove], vec![Capture, Remove]);
    row(
        "steps before removal",
        |p| p.duties.removal.steps.clone(),
        [with.clone(), without.clone(), without.clone(), without, with],
    );
    row(
        "registering what is removed",
        |p| p.duties.register.on_removal,
        [
            OnRemoval::Always,
            OnRemoval::IfMatter,
            OnRemoval::IfOngoing,
            OnRemoval::ByPlan,
            OnRemoval::Always,
        ],
    );
    row("hide first", |p| p.duties.removal.hides_first, [true, false, true, false, false]);
    row(
        "removal target",
        |p| (p.duties.removal.target.clock, p.duties.removal.target.figure.clone()),
        [
            (Clock::NextWorkingDay, "så snart som möjligt".into()),
            (Clock::NextWorkingDay, "ingen tid anges".into()),
            (Clock::NextWorkingDay, "skyndsamt".into()),
            (Clock::ELAPSED_24H, "skyndsamt, helst inom 24 timmar".into()),
            (Clock::AtOnce, "omedelbart".into()),
        ],
    );
    row(
        "police report",
        |p| p.duties.removal.police,
        [Some(Strength::Should), None, None, None, None],
    );
}

#[test]
fn answering_differs_as_the_rulebooks_do() {
    row(
        "answer target",
        |p| p.duties.answers.target.clock,
        [
            Clock::NextWorkingDay,
            Clock::TWO_WORKING_DAYS,
            Clock::NextWorkingDay,
            Clock::NextWorkingDay,
            Clock::TWO_WORKING_DAYS,
        ],
    );
    row(
        "signature",
        |p| p.duties.answers.signature,
        [
            Signature::Free,
            Signature::Name,
            Signature::Contact,
            Signature::FirstName,
            Signature::NameOrExpert,
        ],
    );
    row(
        "party politics",
        |p| p.duties.politics,
        [Politics::Refer, Politics::Leave, Politics::Refer, Politics::MayRemove, Politics::Remove],
    );
    row(
        "where politics is referred to",
        |p| p.duties.politics_to.as_deref().map(str::to_owned),
        [
            Some("politiska forum".into()),
            None,
            Some("de politiska partierna".into()),
            None,
            Some("kommunens ordinarie ärendehantering".into()),
        ],
    );
    row(
        "off-topic",
        |p| p.duties.may_remove_for(Ground::OffTopic),
        [false, true, false, false, false],
    );
    row("citizen told", |p| p.duties.register.tell_citizen, [false, true, false, false, false]);
}

#[test]
fn the_diary_differs_as_the_rulebooks_do() {
    use MustRegister as M;
    row(
        "register target",
        |p| p.duties.register.target,
        [
            RegisterTarget::BoardOrCompany,
            RegisterTarget::Municipality,
            RegisterTarget::Mailbox,
            RegisterTarget::Unit,
            RegisterTarget::Registrar,
        ],
    );
    row(
        "must be registered",
        |p| p.duties.register.must.clone(),
        [
            vec![M::Secrecy],
            vec![M::RaisesMatter, M::Secrecy],
            vec![M::OngoingCase, M::Message, M::Secrecy],
            vec![M::Secrecy],
            vec![M::LeadsToAction, M::BecomesCase, M::ExistingCase, M::SpecialInterest, M::Secrecy],
        ],
    );
    row(
        "must not be registered",
        |p| p.duties.register.must_not.clone(),
        [
            vec![],
            vec![],
            vec![MustNotRegister::PublicForum],
            vec![],
            vec![MustNotRegister::Simple, MustNotRegister::OutsideOurs],
        ],
    );
}

#[test]
fn accounts_archives_and_watching_differ_as_the_rulebooks_do() {
    row(
        "archive a year",
        |p| {
            (
                p.duties.archive.per_year,
                p.duties.archive.at_closing,
                p.duties.archive.before_redesign,
            )
        },
        [
            (Some(1), true, true),
            (None, false, false),
            (None, false, false),
            (Some(2), false, false),
            (Some(2), true, false),
        ],
    );
    row(
        "access holders",
        |p| (p.duties.accounts.least_holders, p.duties.accounts.holders),
        [
            (2, Strength::Should),
            (2, Strength::Must),
            (2, Strength::Should),
            (2, Strength::Must),
            (1, Strength::Must),
        ],
    );
    let web = AccountList::Website;
    row("account list", |p| p.duties.accounts.list, [AccountList::Internal, web, web, web, web]);
    row("inventory", |p| p.duties.accounts.inventory_month, [Some(2), None, None, None, None]);
    row("notice", |p| p.duties.accounts.notice_days, [Some(14), None, None, None, Some(14)]);
    row(
        "watching",
        |p| p.duties.watching.how,
        [Watch::Daily, Watch::Regularly, Watch::Regularly, Watch::WorkingDays, Watch::WorkingDays],
    );
    row(
        "who decided, and what it replaces",
        |p| {
            let d = p.duties.decision.as_ref().expect("each says who");
            (d.date.map(|day| day.to_string()), d.reference.clone(), d.replaces.clone())
        },
        [
            (None, None, None),
            (Some("2018-10-23".into()), Some("§ 154".into()), Some("2011-04-19 § 82".into())),
            (None, None, Some("2011-04-05 § 66".into())),
            (None, None, Some("KS2019/2086".into())),
            (None, Some("januari 2023".into()), None),
        ],
    );
}

#[test]
fn every_line_of_every_ready_policy_is_one_that_its_own_settings_allow() {
    let all = Ready::ALL.iter().map(|ready| ready.read().expect("valid"));
    for policy in all {
        let duties = &policy.duties;
        for &category in Category::ALL {
            let rule = policy.rule(category);
            for severity in [Severity::Low, Severity::Medium, Severity::High] {
                let line = rule.line(severity);
                let at = format!("{}: {category} {severity:?}", policy.name);
                let does = |what| line.choices.contains(&what);
                let removes = line.choices.iter().any(|c| c.removes());
                if removes {
                    assert!(rule.ground.is_some_and(|g| duties.may_remove_for(g)), "{at}");
                    assert_eq!(does(Proposed::Hide), duties.removal.hides_first, "{at}");
                    assert_eq!(category.task(), Task::Removal, "{at}");
                    if duties.register.on_removal == OnRemoval::Always {
                        assert!(does(Proposed::Register), "{at}");
                    }
                }
                if does(Proposed::ConsiderPoliceReport) {
                    assert!(duties.removal.police.is_some(), "{at}");
                }
            }
            for ground in &rule.suggests {
                assert!(duties.ground(*ground).is_some(), "{}: {category}", policy.name);
            }
        }
        // The ready five say where everything stands, the default stands on nobody's rulebook.
        if policy.name != "Standardriktlinje" {
            assert!(Category::ALL.iter().all(|c| policy.rule(*c).source.is_some()));
            let kept = policy.retention.as_ref().expect("each names its plan");
            assert_eq!(kept.decision, None, "none names a decision with its number");
        }
    }
}

#[test]
fn politics_is_removed_where_the_rulebook_does_and_nowhere_else() {
    let removes = |p: &Policy| {
        let rule = p.rule(Category::PartyPolitical);
        [&rule.medium, &rule.high].map(|line| line.choices.iter().any(|c| c.removes()))
    };
    row("removing", removes, [[false; 2], [false; 2], [false; 2], [false, true], [true; 2]]);
    let refers =
        |p: &Policy| p.rule(Category::PartyPolitical).medium.choices.contains(&Proposed::Refer);
    row("referring", refers, [true, false, true, true, false]);
}

#[test]
fn t06_what_48_hours_means_is_a_setting_that_every_line_follows() {
    let text = Ready::Finspang.text();
    let other = text.replace("hours48 = \"arbetsdagar\"", "hours48 = \"kontorstid\"");
    assert_ne!(text, other);
    let (days, hours) = (
        parse("finspang.toml", text).expect("valid"),
        parse("finspang.toml", &other).expect("valid"),
    );
    assert_eq!(days.duties.answers.forty_eight, FortyEight::WorkingDays);
    assert_eq!(hours.duties.answers.forty_eight, FortyEight::OfficeHours);
    for (policy, clock) in [(&days, Clock::TWO_WORKING_DAYS), (&hours, Clock::OFFICE_48H)] {
        assert_eq!(policy.rule(Category::Question).low.clock, clock);
        assert_eq!(policy.message.medium.clock, clock);
        assert_eq!(policy.duties.answers.target.clock, clock);
    }
}

#[test]
fn t07_messages_are_always_answered() {
    let policy = Ready::Nassjo.read().expect("valid");
    assert_eq!(policy.message.medium.choices, [Proposed::Answer]);
    assert!(policy.duties.answers.target.figure.starts_with("alltid"));
    // No message is without a deadline, whatever is found in it.
    row("messages answered", |p| p.message.medium.choices.contains(&Proposed::Answer), [true; 5]);
}

#[test]
fn t08_questions_that_expect_an_answer_get_it_promptly() {
    let policy = Ready::Smedjebacken.read().expect("valid");
    let rule = policy.rule(Category::Question);
    assert_eq!((rule.low.clock, rule.high.clock), (Clock::NextWorkingDay, Clock::AtOnce));
    assert_eq!(policy.duties.answers.target.figure, "skyndsamt");
    let answers = |p: &Policy| p.rule(Category::Question).low.choices == [Proposed::Answer];
    row("questions answered", answers, [true; 5]);
}

#[test]
fn t09_who_answers_for_it_that_questions_are_answered_is_named() {
    row(
        "responsible",
        |p| p.duties.answers.responsible.is_some(),
        [true, false, false, true, true],
    );
    let policy = Ready::Kungalv.read().expect("valid");
    assert_eq!(policy.duties.answers.responsible.as_deref(), Some("berörd chef"));
}

#[test]
fn t11_t12_t14_watching_in_office_hours_with_its_gap_and_in_crises() {
    row(
        "longest gap with open comments",
        |p| p.duties.watching.gap_min(false),
        [None, None, None, Some(120), None],
    );
    row("in a crisis", |p| p.duties.watching.gap_min(true), [60, 60, 60, 60, 30].map(Some));
}

#[test]
fn child_material_suggests_its_own_ground_first_under_every_policy() {
    use crate::domain::ids::LexiconVersion;
    use crate::domain::verdict::{Finding, Mark, Verdict};
    let finding = |mark| Finding {
        category: Category::Sexual,
        severity: Severity::High,
        rule: "prov".into(),
        spans: vec![],
        why: "Prov.".into(),
        legal: "prov".into(),
        mark,
    };
    let verdict =
        |mark| Verdict { lexicon: LexiconVersion::new("prov"), findings: vec![finding(mark)] };
    for ready in Ready::ALL {
        let policy = ready.read().expect("valid");
        let marked = verdict(Some(Mark::Child));
        assert_eq!(policy.suggested(&marked, false)[0].0, Ground::ChildAbuse, "{}", ready.id());
        assert_eq!(policy.suggested(&verdict(None), true)[0].0, Ground::ChildAbuse);
        assert_eq!(policy.suggested(&verdict(None), false)[0].0, Ground::Pornography);
        let proposal = policy.proposal(&marked);
        assert_eq!(proposal.ground, Some(Ground::ChildAbuse));
        let hides = [Proposed::Hide, Proposed::Register, Proposed::ConsiderPoliceReport];
        assert_eq!(proposal.choices, hides, "{}: the statute leaves no choice", ready.id());
    }
}

#[test]
fn accounts_may_have_a_ready_policy_or_one_of_their_own() {
    let env = |_: &str| None;
    let dir = tempfile::tempdir().expect("a temporary folder");
    let own = Ready::Nassjo.text().replace("Nässjös riktlinje\"", "Badets riktlinje\"");
    std::fs::write(dir.path().join("badet.toml"), own).expect("a temporary file");
    let account = |key: &str, more: &str| {
        format!(
            "[[account]]\nkey = \"{key}\"\nplatform = \"jsonl\"\nname = \"{key}\"\ndir = \"{key}\"\n{more}\n"
        )
    };
    let read = |accounts: &[String], policy: &str| {
        let head = "[authority]\nname = \"Exempelstads kommun\"\n";
        let text = format!("{head}{policy}{}", accounts.concat());
        crate::config::parse("c", &text, dir.path(), &env)
    };
    let accounts = [
        account("a", ""),
        account("b", "policy = \"finspang\""),
        account("c", "policy_file = \"badet.toml\""),
    ];
    let config = read(&accounts, "[policy]\nname = \"kungalv\"\n").expect("valid");
    assert_eq!(config.policy.name, "Kungälvs regler");
    let names: Vec<_> =
        config.accounts.iter().map(|a| a.policy.as_ref().map(|p| p.name.as_str())).collect();
    assert_eq!(names, [None, Some("Finspångs riktlinje"), Some("Badets riktlinje")]);
    for (more, told) in [
        ("policy = \"lund\"", "kan inte vara `lund`"),
        ("policy = \"nassjo\"\npolicy_file = \"badet.toml\"", "går inte ihop"),
        ("policy_file = \"finns-inte.toml\"", "kan inte läsa riktlinjen"),
    ] {
        let error = read(&[account("a", more)], "").expect_err(more).to_string();
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn broken_settings_are_refused_with_place_and_mend() {
    let text = Ready::Finspang.text();
    let change = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    let cases = [
        (
            "removal before evidence",
            change("[\"bevis\", \"diariefor\", \"ta_bort\"]", "[\"ta_bort\", \"bevis\"]"),
        ),
        (
            "a step twice",
            change(
                "[\"bevis\", \"diariefor\", \"ta_bort\"]",
                "[\"bevis\", \"bevis\", \"ta_bort\"]",
            ),
        ),
        ("unknown ground", change("code = \"hot\"", "code = \"hott\"")),
        ("ground twice", change("code = \"hot\"", "code = \"hets\"")),
        ("standing by statute", change("stands = \"refer\"", "stands = \"statute\"")),
        ("archive in summer", change("\"10-15\"", "\"07-15\"")),
        ("archive on no day", change("\"10-15\"", "\"13-45\"")),
        ("too few archive days", change("[\"03-15\", \"10-15\"]", "[\"03-15\"]")),
        ("politics that contradict", change("mode = \"ta_bort\"", "mode = \"hanvisa\"")),
        ("unknown politics", change("mode = \"ta_bort\"", "mode = \"tabort\"")),
        ("unknown reading", change("hours48 = \"arbetsdagar\"", "hours48 = \"dygn\"")),
        (
            "told to nobody known",
            change("tell = [\"kontoansvarig\", \"chef\"]", "tell = [\"alla\"]"),
        ),
        ("a day that is none", change("reference = \"januari 2023\"", "date = \"januari 2023\"")),
        (
            "police against the setting",
            change(
                "do = [\"delete\", \"register\"]",
                "do = [\"delete\", \"register\", \"police\"]",
            ),
        ),
        (
            "a ground it does not have",
            change("suggests = [\"trakasseri\"]", "suggests = [\"skvaller\"]"),
        ),
        ("a number of nothing", change("clock = \"omedelbart\"", "clock = \"0 timmar\"")),
    ];
    let mut table = String::new();
    for (name, text) in cases {
        let error = parse("riktlinje.toml", &text).expect_err(name);
        table += &format!("── {name}\n{error}\n");
    }
    insta::assert_snapshot!("broken_settings", table);
}
