//! The authority's own rules: tried, changed, in force without a restart, and never a reason to stop.

use std::sync::Arc;

use super::harness::Stage;
use crate::classify::lexicon::Source;
use crate::classify::lexicon::overlay::tests::base;
use crate::domain::ids::{ContentHash, PolicyVersionId};
use crate::domain::log::LogKind;
use crate::domain::person::{Act, Role};
use crate::domain::policy_version::Governs;
use crate::services::lexicons::Loader;
use crate::services::rule_book::{self, CheckedRules, Desk, InForce, RuleDraft, RulesPreview};
use crate::services::rule_desk::Bench;
use crate::services::{ServiceError, Services, Viewer};
use crate::store::rows::AuditLine;
use crate::store::sqlite::policies::NewPolicyVersion;

/// As the base, and asses too.
const ASSES: &str = "[[list]]\nname = \"djur\"\nlexemes = [\"åsna n1\"]\n";
const OFF: &str = "[[change]]\nrule = \"prov.djur\"\noff = true\n";

/// A rule about somebody's life.
const LIFE: &str = "category = \"threat\"\nlegal = \"Prov\"\n[[rule]]\nid = \"prov.hot\"\nseverity = \"high\"\nwhy = \"Prov.\"\npatterns = [\"^hotfull text\"]\nexamples = [\"hotfull text\", \"en hotfull text\", \"hotfull text här\"]\ncounterexamples = [\"En text\", \"Ett hus\", \"En dag\"]\n";

fn sources() -> Vec<Source> {
    let life = Source { name: "sv/hot.toml".to_owned(), text: LIFE.to_owned() };
    base().into_iter().chain([life]).collect()
}

fn desk() -> Desk {
    Desk { bench: Bench::Here(sources), kept: None, loader: Loader::start().unwrap() }
}

async fn begun(services: &Services, stage: &Stage) {
    let (classifier, in_force) = rule_book::begin(stage.store(), &desk()).await.unwrap();
    *services.inner.classifier.write().unwrap() = Arc::new(classifier);
    services.open_rules(desk(), in_force);
}

async fn stage() -> (Stage, Viewer) {
    let stage = Stage::new().await;
    begun(&stage.services, &stage).await;
    let ada = stage.person(Role::Administrator, "Ada").await;
    (stage, ada)
}

async fn draft(services: &Services, viewer: &Viewer, text: &str) -> RuleDraft {
    let own = services.own_rules(viewer).await.unwrap();
    let base = own.ruling().map_or(0, |version| version.id.0);
    RuleDraft { text: text.into(), why: "KS 2026/12".into(), base, accepts: String::new() }
}

async fn published(services: &Services, viewer: &Viewer, text: &str) {
    let draft = draft(services, viewer, text).await;
    assert!(services.publish_rules(viewer, &draft).await.unwrap());
}

async fn fits(services: &Services, viewer: &Viewer, text: &str) -> RulesPreview {
    match services.check_rules(viewer, text).await.unwrap() {
        CheckedRules::Fits(preview) => *preview,
        other => panic!("does not fit: {other:?}"),
    }
}

fn refused(done: Result<impl std::fmt::Debug, ServiceError>) -> String {
    match done {
        Err(ServiceError::Refused { why }) => why,
        other => panic!("not refused: {other:?}"),
    }
}

async fn rules_found(services: &Services, viewer: &Viewer, text: &str) -> Vec<String> {
    let tried = services.try_text(viewer, text.into()).await.unwrap();
    tried.findings.iter().map(|finding| finding.rule.to_string()).collect()
}

#[tokio::test]
async fn what_is_published_is_found_at_once_and_can_be_taken_back() {
    let (stage, ada) = stage().await;
    let services = &stage.services;
    let case = stage.written("Du är ett svin").await.1;
    assert_eq!(rules_found(services, &ada, "Du åsna").await, [""; 0]);

    // Looking: what is stored is compared, samples lead to their cases, and nothing changes.
    let preview = fits(services, &ada, OFF).await;
    assert_eq!((preview.texts > 0, preview.queued), (true, (1, 0)));
    let [found] = &preview.changes[..] else { panic!("{:?}", preview.changes) };
    assert_eq!((found.n, found.samples[0].2), (1, Some(case)));
    assert!(found.what.contains("försvinner") && found.samples[0].1 == "prov.djur", "{found:?}");
    assert_eq!(rules_found(services, &ada, "Du är ett svin").await, ["prov.djur"]);

    published(services, &ada, ASSES).await;
    assert_eq!(rules_found(services, &ada, "Du åsna").await, ["prov.djur"]);
    let with = stage.written("Du åsna").await.1;
    let file = services.case_file(&stage.editor, with).await.unwrap();
    assert_eq!(&*file.findings[0].rule, "prov.djur", "the running program reads by them");
    assert!(matches!(services.check_rules(&ada, ASSES).await.unwrap(), CheckedRules::Same));

    // Back to what is built in, as a version of its own. Each is a leaf of the log.
    published(services, &ada, "").await;
    assert_eq!(rules_found(services, &ada, "Du åsna").await, [""; 0]);
    let entries = stage.store().log_after(0, 1_000).await.unwrap();
    assert_eq!(entries.iter().filter(|e| e.kind == LogKind::Policy).count(), 2);
    assert_eq!(stage.store().audit_count("rules.publish").await.unwrap(), 2);
    stage.verified().await;
}

#[tokio::test]
async fn faults_are_told_with_their_line_and_nothing_is_published() {
    let (stage, ada) = stage().await;
    let services = &stage.services;
    let failing = "[[change]]\nrule = \"prov.djur\"\nexamples = [\"En hund\"]\n";
    let wrong_words = "# ett\n[[list]]\nname = \"dju\"\nlexemes = [\"åsna n1\"]\n";
    for (text, line, words) in [
        (wrong_words, 2, "Menades `djur`"),
        (failing, 3, "”En hund” ger ingen träff"),
        ("# a\u{202E}b\n", 1, "dolt tecken"),
    ] {
        let CheckedRules::Faulty(faults) = services.check_rules(&ada, text).await.unwrap() else {
            panic!("{text} fits");
        };
        assert!(faults[0].line == line && faults[0].what.contains(words), "{faults:?}");
        let mut draft = draft(services, &ada, text).await;
        refused(services.publish_rules(&ada, &draft).await);
        draft.text = "x".repeat(rule_book::LONGEST + 1);
        refused(services.publish_rules(&ada, &draft).await);
    }
    // Without a reason, or written while other rules ruled.
    let old = draft(services, &ada, ASSES).await;
    refused(services.publish_rules(&ada, &RuleDraft { why: String::new(), ..old.clone() }).await);
    published(services, &ada, OFF).await;
    let why = refused(services.publish_rules(&ada, &old).await);
    assert!(why.contains("Reglerna har fått en ny version"), "{why}");
    for &role in Role::ALL.iter().filter(|role| !role.may(Act::ManageRules)) {
        let person = stage.person(role, &format!("P{}", role.id())).await;
        let draft = draft(services, &person, ASSES).await;
        let tried = services.publish_rules(&person, &draft).await;
        assert!(matches!(tried, Err(ServiceError::NotPermitted { .. })), "{role:?}");
        services.own_rules(&person).await.unwrap();
    }
}

#[tokio::test]
async fn what_makes_a_life_be_missed_is_published_only_by_somebody_who_has_read_that() {
    let (stage, ada) = stage().await;
    let services = &stage.services;
    let change = |what: &str| format!("[[change]]\nrule = \"prov.hot\"\n{what}\n");
    for (what, words) in [
        ("off = true", "är avstängd"),
        ("shadow = true", "räknas bara"),
        ("severity = \"medium\"", "i stället för"),
    ] {
        let preview = fits(services, &ada, &change(what)).await;
        let [one] = &preview.weakened[..] else { panic!("{what}: {:?}", preview.weakened) };
        assert!(one.rule == "prov.hot" && one.what.contains(words), "{one:?}");
        let mut draft = draft(services, &ada, &change(what)).await;
        assert!(refused(services.publish_rules(&ada, &draft).await).contains("kan missas"));
        // Read of another change it is not read of this one.
        draft.accepts = "0123456789abcdef".into();
        refused(services.publish_rules(&ada, &draft).await);
        draft.accepts = preview.mark().unwrap();
        assert!(services.publish_rules(&ada, &draft).await.unwrap(), "{what}");
    }
    // A rule of one's own in its place finds what it says, and nothing of what went with the old one.
    let replaced = |category: &str| {
        let own = LIFE.replace("\"threat\"", &format!("\"{category}\""));
        let own = own.replace("severity", "replaces = true\nseverity");
        own.replace("^hotfull text", "^helt annat").replace("otfull text", "elt annat")
    };
    for (text, words) in
        [(replaced("threat"), "hittar inte längre"), (replaced("insult"), "i stället för")]
    {
        let preview = fits(services, &ada, &text).await;
        let [one] = &preview.weakened[..] else { panic!("{:?}", preview.weakened) };
        assert!(one.rule == "prov.hot" && one.what.contains(words), "{one:?}");
    }
    // What is of no life asks nobody, nor does what finds more.
    for text in [OFF, &change("patterns = [\"^hemsk text\"]")] {
        assert!(fits(services, &ada, text).await.mark().is_none(), "{text}");
    }
}

/// A version in the store as an earlier program would have put it there.
async fn put(stage: &Stage, by: &Viewer, text: &str, four_eyes: bool) -> PolicyVersionId {
    let own = stage.store().policy_versions(Governs::Rules).await.unwrap();
    let new = NewPolicyVersion {
        of: Governs::Rules,
        name: "Egna regler".into(),
        text: text.into(),
        hash: ContentHash::of(text.as_bytes()),
        why: "Prov".into(),
        four_eyes,
        recounts: false,
        base: own.iter().find(|v| v.seq.is_some()).map_or(PolicyVersionId(0), |v| v.id),
    };
    let line: AuditLine = by.line("rules.publish", "rules");
    stage.store().publish_policy(new, by.user, Vec::new(), line, stage.now()).await.unwrap()
}

#[tokio::test]
async fn rules_that_a_later_program_refuses_stop_nothing_and_are_told_of() {
    let (stage, ada) = stage().await;
    let services = &stage.services;
    published(services, &ada, ASSES).await;
    let broken = put(&stage, &ada, "[[change]]\nrule = \"fanns.forr\"\noff = true\n", false).await;
    begun(services, &stage).await;
    assert_eq!(rules_found(services, &ada, "Du åsna").await, ["prov.djur"], "the last good ones");
    let in_force = services.own_rules(&ada).await.unwrap().in_force;
    assert_eq!((in_force.text.as_str(), in_force.refused), (ASSES, Some(broken)));
    let told = services.rule_notices(&ada).await.unwrap();
    assert!(told[0].contains("godtas inte"), "{told:?}");
    assert!(services.rule_notices(&stage.editor).await.unwrap().is_empty(), "administrators alone");
    // A task, and one for each however often the program is started.
    for _ in 0..2 {
        services.tell_refused_rules().await.unwrap();
    }
    let tasks = services.notice_troubles(&ada).await.unwrap();
    let [task] = &tasks[..] else { panic!("{tasks:?}") };
    assert!(task.problem.contains("godtas inte") && task.needs_a_person, "{task:?}");
    // Whoever mends it ends it.
    published(services, &ada, OFF).await;
    begun(services, &stage).await;
    assert!(services.rule_notices(&ada).await.unwrap().is_empty());
    // And where none is accepted, what is built in rules.
    let (classifier, in_force) = {
        let stage = Stage::new().await;
        let bo = stage.person(Role::Administrator, "Bo").await;
        put(&stage, &bo, "[[list]]\nname = \"fanns\"\n", false).await;
        rule_book::begin(stage.store(), &desk()).await.unwrap()
    };
    assert!(classifier.lexicon().complaints.is_empty());
    assert_eq!(in_force, InForce { refused: in_force.refused, ..InForce::default() });
    assert!(in_force.refused.is_some());
}

#[tokio::test]
async fn where_two_decide_rules_rule_once_another_person_approves() {
    let (stage, ada) = stage().await;
    let bo = stage.person(Role::Administrator, "Bo").await;
    let services = &stage.services;
    let waits = put(&stage, &ada, ASSES, true).await.0;
    assert_eq!(rules_found(services, &ada, "Du åsna").await, [""; 0]);
    let why = refused(services.approve_rules(&ada, waits).await);
    assert!(why.contains("en annan administratör"), "{why}");
    refused(services.approve_rules(&bo, waits + 1).await);
    services.approve_rules(&bo, waits).await.unwrap();
    assert_eq!(rules_found(services, &ada, "Du åsna").await, ["prov.djur"]);
    let back = put(&stage, &ada, OFF, true).await.0;
    services.withdraw_rules(&ada, back).await.unwrap();
    refused(services.approve_rules(&bo, back).await);
    stage.verified().await;
}

#[tokio::test]
async fn what_an_editor_calls_wrong_is_counted_against_the_rule() {
    let (stage, ada) = stage().await;
    let services = &stage.services;
    let case = stage.written("Du är ett svin").await.1;
    let of = async |services: &Services| {
        let (rules, _) = services.rule_facts(&ada, "prov.djur").await.unwrap();
        (rules[0].judged.of, rules[0].judged.wrong, rules[0].judged.precision())
    };
    assert_eq!(of(services).await, (0, 0, None));
    let shown = (case, 1);
    for _ in 0..2 {
        // Two who press at the same time mean the same.
        services.judge_finding(&stage.editor, shown, "prov.djur", true).await.unwrap();
        assert_eq!(of(services).await, (1, 1, Some(0)));
    }
    let older = services.judge_finding(&stage.editor, (case, 2), "prov.djur", false).await;
    assert!(refused(older).contains("Texten har ändrats"));
    let file = services.case_file(&stage.editor, case).await.unwrap();
    assert!(file.wrong.contains("prov.djur"));
    assert!(file.history.iter().any(|step| step.what == "Regelträff avfärdad som fel"));
    assert_eq!(services.cases_judged_wrong(&ada, "prov.djur").await.unwrap(), [case]);
    // It can be taken back; what was never found cannot be wrong; who does not decide does not judge.
    services.judge_finding(&stage.editor, shown, "prov.djur", false).await.unwrap();
    assert_eq!(of(services).await, (0, 0, None));
    refused(services.judge_finding(&stage.editor, shown, "prov.annan", true).await);
    let tried = services.judge_finding(&ada, shown, "prov.djur", true).await;
    assert!(matches!(tried, Err(ServiceError::NotPermitted { .. })), "{tried:?}");
    stage.decide(case, vec![crate::domain::decision::Choice::Hide]).await;
    assert_eq!(of(services).await, (1, 0, Some(100)));
}

#[tokio::test]
async fn a_rule_is_shown_as_it_stands_in_its_file() {
    let (stage, ada) = stage().await;
    let services = &stage.services;
    published(services, &ada, OFF).await;
    let of = |key, name| services.rule_source(&ada, key, name);
    let rule = of("id", "prov.djur").unwrap();
    assert_eq!((rule[0].0.as_str(), rule[0].1), ("sv/prov.toml", 9), "{rule:?}");
    assert!(rule[0].2.starts_with("[[rule]]") && rule[0].2.ends_with("\"En gris\"]"), "{rule:?}");
    assert_eq!(of("rule", "prov.djur").unwrap()[0].2, OFF.trim_end());
    assert!(of("name", "djur").unwrap()[0].2.contains("gris n2"));
    assert!(matches!(of("id", "prov.annan"), Err(ServiceError::NotFound { .. })));
}
