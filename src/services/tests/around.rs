//! What stands around a text, what may not be copied, who cries for help, and rules that run wild.

use std::sync::Arc;

use crate::classify::BUILT_IN;
use crate::classify::lexicon::{Lexicon, Source};
use crate::domain::category::{Category, Severity};
use crate::domain::decision::{Choice, Decision};
use crate::domain::evidence::PartKind;
use crate::domain::ground::Ground;
use crate::domain::ids::{CaseId, LexiconVersion, PlatformItemId};
use crate::domain::item::{Batch, FetchedItem, ItemKind};
use crate::domain::likeness::{RuleFired, Traces};
use crate::domain::rule_watch::SetAside;
use crate::domain::verdict::Verdict;
use crate::evidence::media::MediaPolicy;
use crate::services::case_file::{CaseFile, Step};
use crate::services::queue::Filter;
use crate::services::tests::harness::{Stage, THREAT};
use crate::services::{ServiceError, rules};
use crate::store::rows::AssessedVersion;

/// Hits the rules of children by a word of the trade, nothing more.
const CHILD: &str = "Byter lolitabilder, skriv dm";
const CRY: &str = "Jag orkar inte leva längre";
const APPEAL: &str = "Vi kräver att kommunen stoppar nedläggningen av skolan i Exempelby och lyssnar på oss som bor här. Skriv på: https://bidra.example/skolan";

async fn sealed_parts(stage: &Stage, case: CaseId) -> (usize, Vec<PartKind>) {
    let version = stage.store().case(case).await.unwrap().version;
    let row = stage.store().evidence_of(version).await.unwrap().unwrap();
    let manifest = stage.services.inner.evidence.manifest(&row).await.unwrap();
    (manifest.parts.len(), manifest.missing.iter().map(|m| m.kind).collect())
}

#[tokio::test]
async fn of_what_may_concern_children_only_metadata_is_sealed_shown_and_exported() {
    let stage = Stage::new().await;
    let number = stage.simulator.write("Robin Påhitt", CHILD, None);
    stage.poll().await;
    while stage.services.assess_waiting().await.unwrap() {}
    let case = stage.case_of(number).await;
    let row = stage.store().case(case).await.unwrap();
    assert!(stage.store().item(row.item).await.unwrap().no_copy, "barred before any capture");
    let policy = stage.services.inner.evidence.media_policy(row.version).await.unwrap();
    assert!(matches!(policy, MediaPolicy::MetadataOnly), "{policy:?}");
    while stage.services.capture_wanted().await.unwrap() {}
    let (n_parts, missing) = sealed_parts(&stage, case).await;
    assert_eq!(n_parts, 0);
    for kind in [
        PartKind::Payload,
        PartKind::Text,
        PartKind::Thread,
        PartKind::Screenshot,
        PartKind::FullPage,
        PartKind::PageLog,
    ] {
        assert!(missing.contains(&kind), "{kind:?} is named");
    }
    let file = stage.services.case_file(&stage.editor, case).await.unwrap();
    assert!(file.no_copy);
    assert_eq!(file.proposal.ground, Some(Ground::ChildAbuse));
    // It can be hidden all the same, and registered with what describes it.
    stage.decide(case, vec![Choice::Hide, Choice::Register]).await;
    stage.act_after_undo().await;
    assert!(stage.truth(number).hidden);
    let package = stage.store().registrations_of(case).await.unwrap().remove(0).package;
    let zip = std::fs::File::open(stage.dir.path().join("export").join(package)).unwrap();
    let zip = zip::ZipArchive::new(zip).unwrap();
    let mut names: Vec<_> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    names.sort_unstable();
    assert_eq!(names, ["arende.json", "arende.pdf", "manifest.json"]);
}

#[tokio::test]
async fn a_page_with_what_may_not_be_copied_is_not_pictured_for_its_neighbours_either() {
    let stage = Stage::new().await;
    let (_, neighbour) = stage.written(THREAT).await;
    let version = stage.store().case(neighbour).await.unwrap().version;
    let leave = || stage.services.inner.evidence.media_policy(version);
    let MediaPolicy::Copy(before) = leave().await.unwrap() else { panic!("may be copied") };
    assert!(before.picture().is_ok());
    stage.written(CHILD).await;
    let MediaPolicy::Copy(after) = leave().await.unwrap() else { panic!("may be copied") };
    assert!(after.picture().is_err(), "the other stands on the same page");
}

#[tokio::test]
async fn a_persons_suspicion_cuts_off_what_was_copied_before() {
    let stage = Stage::new().await;
    let (number, case) = stage.written(THREAT).await;
    let row = stage.store().case(case).await.unwrap();
    let sealed = stage.store().evidence_of(row.version).await.unwrap().unwrap();
    let text = || stage.services.evidence_part(&stage.editor, sealed.id, "text.txt");
    assert!(text().await.is_ok());
    let ground = Some(Ground::ChildAbuse);
    let decision = Decision::new(vec![Choice::Hide], ground, None).unwrap();
    stage.services.decide(&stage.editor, case, row.revision, decision).await.unwrap();
    assert!(matches!(text().await, Err(ServiceError::Refused { .. })));
    let (record, _) = stage.services.evidence_record(&stage.editor, sealed.id).await.unwrap();
    assert_eq!(record.manifest.unwrap().parts, []);
    stage.act_after_undo().await;
    assert!(stage.truth(number).hidden, "evidence of it is sealed, so it may go");
    stage.verified().await;
}

#[tokio::test]
async fn copies_taken_while_suspicion_arose_are_not_sealed() {
    let stage = Stage::new().await;
    let number = stage.simulator.write("Robin Påhitt", THREAT, None);
    stage.poll().await;
    while stage.services.assess_waiting().await.unwrap() {}
    let case = stage.case_of(number).await;
    let row = stage.store().case(case).await.unwrap();
    let record = stage.store().want_evidence(row.version, stage.now()).await.unwrap();
    assert!(stage.store().bar_copying(row.version, stage.now()).await.unwrap());
    let hash = crate::domain::ids::ContentHash::of(b"manifest");
    let holds = crate::store::rows::SealHolds::Copies;
    let refused = stage.store().seal(record.id, hash, Vec::new(), holds, stage.now()).await;
    assert!(matches!(refused, Err(crate::store::error::StoreError::Refused { .. })), "{refused:?}");
    while stage.services.capture_wanted().await.unwrap() {}
    assert_eq!(sealed_parts(&stage, case).await.0, 0);
}

#[tokio::test]
async fn what_may_not_be_copied_is_no_sample_of_what_is_stored() {
    let stage = Stage::new().await;
    stage.written(CHILD).await;
    let (_, case) = stage.written(THREAT).await;
    let version = stage.store().case(case).await.unwrap().version;
    let before = crate::domain::ids::VersionId(0);
    let texts = stage.store().texts_after(before, 1).await.unwrap();
    assert_eq!(texts, [(version, THREAT.to_owned())]);
    assert_eq!(stage.store().texts_after(version, 10).await.unwrap(), []);
}

#[tokio::test]
async fn nothing_takes_the_bar_off_again() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(CHILD).await;
    let item = stage.store().case(case).await.unwrap().item;
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let lifted = raw.execute("update items set no_copy = 0 where id = ?1", [item.0]);
    assert!(lifted.unwrap_err().to_string().contains("stays so"));
}

#[tokio::test]
async fn a_cry_for_help_stands_above_threats_with_numbers_beside_it() {
    let stage = Stage::new().await;
    let (_, threat) = stage.written(THREAT).await;
    let (_, cry) = stage.written(CRY).await;
    let page = stage.services.queue(&stage.editor, Filter::Open, None, 0).await.unwrap();
    let order: Vec<_> = page.lines.iter().map(|line| line.case).collect();
    assert_eq!(order, [cry, threat]);
    let file = stage.services.case_file(&stage.editor, cry).await.unwrap();
    let numbers: Vec<_> = file.help.iter().map(|line| line.number.as_str()).collect();
    assert!(numbers.contains(&"112") && numbers.contains(&"90101"), "{numbers:?}");
    let file = stage.services.case_file(&stage.editor, threat).await.unwrap();
    assert_eq!(file.help, []);
}

/// Items by authors of these numbers, taken in in one round.
pub(super) async fn written_by(stage: &Stage, texts: &[(u32, &str)]) {
    let now = stage.now();
    let items = texts.iter().enumerate().map(|(n, (author, text))| {
        let id = format!("{}-{n}", now.as_second());
        let mut item = FetchedItem::new(PlatformItemId::new(id), ItemKind::Comment, *text, "{}");
        item.author.platform_id = Some(author.to_string());
        item
    });
    let batch = Batch { items: items.collect(), ..Batch::default() };
    stage.store().commit_batch(stage.account, batch, now, now).await.unwrap();
    while stage.services.assess_waiting().await.unwrap() {}
    stage.wait_s(60);
}

/// The newest open case.
async fn newest(stage: &Stage) -> CaseFile {
    let page = stage.services.queue(&stage.editor, Filter::Open, None, 0).await.unwrap();
    let newest = page.lines.iter().map(|line| line.case).max().expect("a case");
    stage.services.case_file(&stage.editor, newest).await.unwrap()
}

#[tokio::test]
async fn the_same_by_many_is_found_in_one_round_and_over_rounds_and_linked() {
    let stage = Stage::new().await;
    written_by(&stage, &[(1, APPEAL), (2, APPEAL), (3, "Tack för svaret!")]).await;
    written_by(&stage, &[(4, APPEAL), (5, &format!("Hej! {APPEAL}"))]).await;
    let file = newest(&stage).await;
    let rule = file.findings.iter().find(|f| &*f.rule == "sammanhang.kampanj");
    let found = rule.expect("four by four authors");
    assert_eq!((found.category, found.severity), (Category::Spam, Severity::Medium));
    let alike = file.alike.expect("linked");
    assert_eq!((alike.n_items, alike.n_accounts, alike.n_authors), (3, 1, 4));
    assert_eq!(alike.some.len(), 3);
    let line = stage.services.queue_line(&stage.editor, file.id).await.unwrap();
    assert_eq!(line.n_alike, 3);
}

#[tokio::test]
async fn an_author_who_goes_for_the_same_person_again_is_said_to() {
    let stage = Stage::new().await;
    let rule = "sammanhang.samma-person";
    for text in ["Kim Exempel är en jävla idiot", "Vilken jävla idiot Kim Exempel är, sparka honom"]
    {
        written_by(&stage, &[(1, text)]).await;
        let file = newest(&stage).await;
        assert!(!file.findings.iter().any(|f| &*f.rule == rule), "{text}");
    }
    written_by(&stage, &[(2, "Kim Exempel är en jävla idiot ju")]).await;
    let other = newest(&stage).await;
    assert!(!other.findings.iter().any(|f| &*f.rule == rule), "another author");
    written_by(&stage, &[(1, "Den där Kim Exempel är en jävla idiot än i dag")]).await;
    let third = newest(&stage).await;
    assert!(third.findings.iter().any(|f| &*f.rule == rule), "{:?}", third.findings);
}

#[tokio::test]
async fn fingerprints_are_forgotten_and_what_they_showed_stays() {
    let stage = Stage::new().await;
    written_by(&stage, &[(1, APPEAL), (1, APPEAL), (1, APPEAL)]).await;
    let file = newest(&stage).await;
    assert!(file.findings.iter().any(|f| &*f.rule == "sammanhang.upprepning"));
    assert_eq!(stage.store().forget_traces(stage.now()).await.unwrap(), 0);
    stage.wait_s(31 * 24 * 3_600);
    assert_eq!(stage.store().forget_traces(stage.now()).await.unwrap(), 3);
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let left = "select (select count(*) from prints) + (select count(*) from print_bands)";
    assert_eq!(raw.query_row(left, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    let file = stage.services.case_file(&stage.editor, file.id).await.unwrap();
    assert_eq!(file.alike.unwrap().n_items, 2);
}

/// A number for an author is made of what the platform calls them, and anybody has a list of those.
#[tokio::test]
async fn numbers_for_authors_are_covered_and_forgotten_and_how_many_they_were_stays() {
    let stage = Stage::new().await;
    written_by(&stage, &[(1, APPEAL), (2, APPEAL)]).await;
    written_by(&stage, &[(4, APPEAL), (5, APPEAL)]).await;
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let numbers = |sql: &str| -> Vec<i64> {
        let mut statement = raw.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let kept = "select author from alikes where author is not null order by item_id";
    assert_eq!(numbers(kept).len(), 4);
    for (number, author) in numbers(kept).iter().zip(["1", "2", "4", "5"]) {
        let known = crate::classify::context::author("facebook", Some(author), None).unwrap();
        assert_ne!(number.cast_unsigned(), known, "not under its own name");
    }
    assert_eq!(newest(&stage).await.alike.unwrap().n_authors, 4);
    stage.wait_s(31 * 24 * 3_600);
    stage.store().forget_traces(stage.now()).await.unwrap();
    assert_eq!(numbers(kept), [] as [i64; 0]);
    assert_eq!(newest(&stage).await.alike.unwrap().n_authors, 4);
}

/// So many new versions, of which the first `n` hit a rule.
async fn round(stage: &Stage, from: usize, of: usize, n: usize, severity: Severity) -> Vec<bool> {
    let items = (from..from + of).map(|id| {
        FetchedItem::new(PlatformItemId::new(format!("r{id}")), ItemKind::Comment, "a", "{}")
    });
    let batch = Batch { items: items.collect(), ..Batch::default() };
    let now = stage.now();
    stage.store().commit_batch(stage.account, batch, now, now).await.unwrap();
    let waiting = stage.store().unassessed(10_000).await.unwrap();
    let rule = RuleFired { rule: Arc::from("prov.regel"), severity, in_shadow: false };
    let assessed = waiting.iter().enumerate().map(|(at, version)| AssessedVersion {
        version: version.version,
        verdict: Verdict { lexicon: LexiconVersion::new("l1"), findings: Vec::new() },
        opening: None,
        traces: Traces {
            rules: if at < n { vec![rule.clone()] } else { Vec::new() },
            ..Traces::default()
        },
        unread: false,
    });
    let recorded = stage.store().record_assessments(assessed.collect(), 100, now).await.unwrap();
    recorded.alarms.iter().map(|alarm| alarm.shadowed).collect()
}

#[tokio::test]
async fn a_rule_that_runs_wild_alarms_once_and_past_its_quota_is_set_aside() {
    let stage = Stage::new().await;
    assert_eq!(round(&stage, 0, 400, 4, Severity::Medium).await, [] as [bool; 0]);
    stage.wait_s(24 * 3_600);
    assert_eq!(round(&stage, 1_000, 100, 40, Severity::Medium).await, [false]);
    assert_eq!(round(&stage, 2_000, 50, 40, Severity::Medium).await, [] as [bool; 0], "said once");
    let notices = stage.services.rule_notices(&stage.editor).await.unwrap();
    assert!(notices[0].contains("prov.regel") && notices[0].contains("40 gånger"), "{notices:?}");
    assert_eq!(round(&stage, 3_000, 50, 40, Severity::Medium).await, [true], "past the quota");
    let set_aside = stage.store().shadowed_rules().await.unwrap();
    assert_eq!(set_aside.get("prov.regel"), Some(&SetAside::ByProgram));
    let figures = stage.store().rule_figures(stage.now()).await.unwrap();
    let one = figures.iter().find(|f| f.rule == "prov.regel").unwrap();
    assert_eq!((one.today.fired, one.today.of), (120, 200));
    assert_eq!((one.past.fired, one.past.of), (4, 400));
    let clock = stage.services.inner.clock.clone();
    rules::promote(stage.store(), &clock, "prov.regel", "Kim").await.unwrap();
    assert!(stage.store().shadowed_rules().await.unwrap().is_empty());
    let again = rules::promote(stage.store(), &clock, "prov.regel", "Kim").await;
    assert!(matches!(again, Err(ServiceError::Refused { .. })));
}

#[tokio::test]
async fn a_grave_rule_alarms_and_is_never_set_aside() {
    let stage = Stage::new().await;
    round(&stage, 0, 400, 4, Severity::High).await;
    stage.wait_s(24 * 3_600);
    assert_eq!(round(&stage, 1_000, 300, 250, Severity::High).await, [false]);
    assert!(stage.store().shadowed_rules().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_rule_set_aside_opens_no_case_and_what_it_opened_before_stays() {
    let stage = Stage::new().await;
    let text = "Du är en jävla idiot";
    let (_, before) = stage.written(text).await;
    let file = stage.services.case_file(&stage.editor, before).await.unwrap();
    let clock = stage.services.inner.clock.clone();
    for finding in &file.findings {
        let rule = &finding.rule;
        let lexicon = BUILT_IN.lexicon();
        let set = || rules::set_aside(stage.store(), &clock, lexicon, rule, "Prov.", "Kim");
        set().await.unwrap();
        assert!(matches!(set().await, Err(ServiceError::Refused { .. })), "nothing changed");
        let unknown =
            rules::set_aside(stage.store(), &clock, lexicon, "fel.stavad", "Prov.", "Kim");
        let Err(ServiceError::Refused { why }) = unknown.await else { panic!("no such rule") };
        assert!(why.contains("Menades"), "{why}");
    }
    stage.simulator.write("Robin Påhitt", text, None);
    stage.wait_s(150);
    stage.take_in_plainly().await;
    let page = stage.services.queue(&stage.editor, Filter::Open, None, 0).await.unwrap();
    assert_eq!(page.lines.iter().map(|line| line.case).collect::<Vec<_>>(), [before]);
    let figures = stage.store().rule_figures(stage.now()).await.unwrap();
    let rule = &file.findings[0].rule;
    assert_eq!(figures.iter().find(|f| f.rule == **rule).unwrap().in_shadow, 1);
}

#[tokio::test]
async fn what_a_rule_hits_that_ran_wild_still_comes_before_a_person() {
    let stage = Stage::new().await;
    let text = "Du är en jävla idiot";
    let (_, before) = stage.written(text).await;
    let file = stage.services.case_file(&stage.editor, before).await.unwrap();
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    for finding in &file.findings {
        let aside = "insert into shadowed_rules (rule, at, why) values (?1, 0, 'Många.')";
        raw.execute(aside, [&*finding.rule]).unwrap();
    }
    stage.simulator.write("Robin Påhitt", text, None);
    stage.wait_s(150);
    stage.take_in_plainly().await;
    let after = newest(&stage).await;
    assert_ne!(after.id, before);
    assert_eq!(after.findings, []);
    let told = |step: &&Step| step.detail.as_ref().is_some_and(|d| d.contains("ovanligt ofta"));
    assert!(after.history.iter().any(|step| told(&step)), "{:?}", after.history);
}

#[tokio::test]
async fn attacks_of_one_round_count_like_those_of_several() {
    let stage = Stage::new().await;
    let attack = "Kim Exempel är en jävla idiot";
    let again = format!("{attack} ju");
    let still = format!("Fortfarande: {attack}");
    written_by(&stage, &[(1, attack), (1, &again), (2, attack), (1, &still)]).await;
    let file = newest(&stage).await;
    assert!(file.findings.iter().any(|f| &*f.rule == "sammanhang.samma-person"), "{file:?}");
}

#[test]
fn a_mark_is_read_from_rule_files_and_an_unknown_one_is_named() {
    let file = |mark: &str| Source {
        name: "sv/prov.toml".into(),
        text: format!(
            "category = \"sexual\"\n[[rule]]\nid = \"prov.a\"\nseverity = \"high\"\nmark = \"{mark}\"\nwhy = \"Prov.\"\npatterns = [\"bil\"]\nexamples = [\"en bil\", \"bil\", \"min bil\"]\ncounterexamples = [\"buss\", \"tåg\", \"båt\"]\n"
        ),
    };
    let good = Lexicon::compile(&[file("child")]);
    assert!(good.rules[0].mark.is_some() && good.rules[0].is_beyond_doubt());
    let bad = Lexicon::compile(&[file("vuxen")]);
    assert!(bad.complaints.iter().any(|c| c.to_string().contains("okänt märke `vuxen`")));
}
