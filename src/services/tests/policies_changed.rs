//! Policies that are changed on the page and in their files: which one rules, what it does to open cases, who approves.

use std::sync::Arc;

use jiff::SignedDuration;

use super::harness::{Stage, THREAT};
use crate::domain::calendar::OfficeHours;
use crate::domain::deadline::Clock;
use crate::domain::decision::Choice;
use crate::domain::duties::{MustRegister, OnRemoval};
use crate::domain::ground::Ground;
use crate::domain::ids::ContentHash;
use crate::domain::log::LogKind;
use crate::domain::person::{Act, Role};
use crate::domain::policy::{Line, Policy, Proposed, Rule};
use crate::evidence::verify;
use crate::services::policies::{Checked, Desk, Draft, Fault, InUse, Read, Ready};
use crate::services::{ServiceError, Services, Viewer};

/// The account's own policy in addresses.
const WHOSE: &str = "facebook";

/// Policies of the trial are written as `name`, with `kvickt` where all is due at once and `två` where two decide.
fn read() -> Read {
    Arc::new(|_, text| {
        if text.contains("fel") {
            return Err(vec![Fault { line: 3, column: 1, what: "stavat fel: skriv rätt".into() }]);
        }
        let clock = if text.contains("kvickt") { Clock::AtOnce } else { Clock::ELAPSED_24H };
        let line = |choice| Line { choices: vec![choice], clock };
        let lines = || [line(Proposed::Dismiss), line(Proposed::Hide), line(Proposed::Hide)];
        let rule = || Rule::plain(Some(Ground::Threat), "Prov.".into(), lines());
        let name = text.split(',').next().unwrap_or_default().to_owned();
        let version = ContentHash::of(text.as_bytes());
        let office = OfficeHours::default();
        let undo = SignedDuration::from_secs(10);
        let mut read = Policy::new(name, version, undo, office, rule(), |_| rule());
        read.text = text.into();
        read.duties.changed_by_two = text.contains("två");
        Ok(read)
    })
}

fn desk() -> Desk {
    Desk { read: read(), ready: vec![Ready { id: "prov", what: "ett prov", text: "Prov" }] }
}

async fn in_use(services: &Services, viewer: &Viewer) -> InUse {
    services.policy_in_use(viewer, WHOSE).await.unwrap()
}

fn draft(one: &InUse, text: &str) -> Draft {
    let base = one.ruling().map_or(0, |version| version.id.0);
    Draft { text: text.into(), why: "KS 2026/12".into(), base, recounts: true }
}

/// A stage whose policy stands in a file with this text.
async fn with_file(text: &str) -> Stage {
    let mut stage = Stage::new().await;
    started(&mut stage, text).await;
    stage
}

/// The program starts, again, with this text in the file.
async fn started(stage: &mut Stage, text: &str) {
    stage.under(|own| *own = read()(false, text).unwrap()).await;
    stage.services.open_policies(desk()).await.unwrap();
}

/// The name of the policy that rules.
fn rules(stage: &Stage) -> String {
    stage.services.policy_of(stage.account).name.clone()
}

fn refused(done: Result<impl std::fmt::Debug, ServiceError>) -> String {
    match done {
        Err(ServiceError::Refused { why }) => why,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn what_is_published_rules_at_once_and_its_deadlines_move_with_it() {
    let stage = with_file("Gamla").await;
    let ada = stage.person(Role::Administrator, "Ada").await;
    let services = &stage.services;
    let case = stage.written(THREAT).await.1;
    let before = services.case_file(&stage.editor, case).await.unwrap().due_at;
    let one = in_use(services, &ada).await;
    assert_eq!((one.policy.name.as_str(), one.versions.len()), ("Gamla", 1));

    let Checked::Fits(preview) = services.check_policy(&ada, WHOSE, "Nya, kvickt").await.unwrap()
    else {
        panic!("fits");
    };
    let moved = &preview.effects.moved;
    assert_eq!((preview.effects.n_open, moved.len(), moved[0].case), (1, 1, case));
    assert!(moved[0].to < before && moved[0].from.as_millisecond() == before.as_millisecond());
    assert_eq!(rules(&stage), "Gamla", "looking changes nothing");

    assert!(services.publish_policy(&ada, WHOSE, &draft(&one, "Nya, kvickt")).await.unwrap());
    assert_eq!(rules(&stage), "Nya", "without a restart");
    let file = services.case_file(&stage.editor, case).await.unwrap();
    assert_eq!(file.due_at.as_millisecond(), moved[0].to.as_millisecond());
    assert!(file.history.iter().any(|step| step.what == "Ny frist av ändrad riktlinje"));
    let one = in_use(services, &ada).await;
    let ruling = one.ruling().unwrap();
    assert_eq!((ruling.name.as_str(), ruling.why.as_str()), ("Nya", "KS 2026/12"));
    assert_eq!(ruling.made_by.as_ref().unwrap().0, ada.user);
    // A leaf of the log, which verification holds against the row.
    let entries = stage.store().log_after(0, 1_000).await.unwrap();
    assert_eq!(entries.iter().filter(|e| e.kind == LogKind::Policy).count(), 2);
    stage.verified().await;
    for act in ["policy.file", "policy.publish"] {
        assert_eq!(stage.store().audit_count(act).await.unwrap(), 1, "{act}");
    }

    // Back to what stood before, as a version of its own.
    assert!(services.publish_policy(&ada, WHOSE, &draft(&one, "Gamla")).await.unwrap());
    let due_at = services.case_file(&stage.editor, case).await.unwrap().due_at;
    assert_eq!(due_at.as_millisecond(), before.as_millisecond());
    assert_eq!(in_use(services, &ada).await.versions.len(), 3);
}

#[tokio::test]
async fn a_decision_keeps_the_version_that_it_was_made_under() {
    let stage = with_file("Gamla").await;
    let ada = stage.person(Role::Administrator, "Ada").await;
    let services = &stage.services;
    let (_, case) = stage.written(THREAT).await;
    stage.decide(case, vec![Choice::Hide]).await;
    let before = services.policy_of(stage.account).version;
    let one = in_use(services, &ada).await;
    services.publish_policy(&ada, WHOSE, &draft(&one, "Nya")).await.unwrap();
    let decided = stage.store().standing_decision(case).await.unwrap().unwrap();
    assert_eq!(decided.policy, Some(before));
    let kept = in_use(services, &ada).await.versions;
    assert!(kept.iter().any(|version| version.hash == before), "its text is still there");
}

#[tokio::test]
async fn faults_are_told_with_their_line_and_nothing_is_published() {
    let stage = with_file("Gamla").await;
    let ada = stage.person(Role::Administrator, "Ada").await;
    let services = &stage.services;
    let one = in_use(services, &ada).await;
    let Checked::Faulty(faults) = services.check_policy(&ada, WHOSE, "fel").await.unwrap() else {
        panic!("faulty");
    };
    assert_eq!((faults[0].line, faults[0].what.as_str()), (3, "stavat fel: skriv rätt"));
    refused(services.publish_policy(&ada, WHOSE, &draft(&one, "fel")).await);
    refused(services.publish_policy(&ada, WHOSE, &draft(&one, "Gamla")).await);
    let without = Draft { why: String::new(), ..draft(&one, "Nya") };
    refused(services.publish_policy(&ada, WHOSE, &without).await);
    // Written while another one ruled.
    services.publish_policy(&ada, WHOSE, &draft(&one, "Nya")).await.unwrap();
    let why = refused(services.publish_policy(&ada, WHOSE, &draft(&one, "Tredje")).await);
    assert!(why.contains("sedan du öppnade"), "{why}");
    assert_eq!(in_use(services, &ada).await.versions.len(), 2);
    // Only those who may, and no policy that is not in use.
    for &role in Role::ALL.iter().filter(|role| !role.may(Act::ManagePolicies)) {
        let person = stage.person(role, &format!("P{}", role.id())).await;
        let one = in_use(services, &person).await;
        let tried = services.publish_policy(&person, WHOSE, &draft(&one, "Fjärde")).await;
        assert!(matches!(tried, Err(ServiceError::NotPermitted { .. })), "{role:?}");
    }
    let tried = services.check_policy(&ada, "prov", "Nya").await;
    assert!(
        matches!(tried, Err(ServiceError::NotFound { .. })),
        "a ready one is never overwritten"
    );
}

#[tokio::test]
async fn where_the_policy_says_so_a_second_person_approves() {
    let stage = with_file("Gamla, två").await;
    let ada = stage.person(Role::Administrator, "Ada").await;
    let bo = stage.person(Role::Administrator, "Bo").await;
    let services = &stage.services;
    let case = stage.written(THREAT).await.1;
    let before = services.case_file(&stage.editor, case).await.unwrap().due_at;
    let one = in_use(services, &ada).await;
    assert!(!services.publish_policy(&ada, WHOSE, &draft(&one, "Nya, kvickt")).await.unwrap());
    assert_eq!(rules(&stage), "Gamla");
    let waits = in_use(services, &bo).await.waiting().unwrap().id.0;
    refused(services.publish_policy(&bo, WHOSE, &draft(&one, "Annan")).await);
    let why = refused(services.approve_policy(&ada, WHOSE, waits).await);
    assert!(why.contains("en annan administratör"), "{why}");
    refused(services.approve_policy(&bo, WHOSE, waits + 1).await);
    services.approve_policy(&bo, WHOSE, waits).await.unwrap();
    assert_eq!(rules(&stage), "Nya");
    assert!(services.case_file(&stage.editor, case).await.unwrap().due_at < before);
    let one = in_use(services, &bo).await;
    assert_eq!(one.ruling().unwrap().approved_by.as_ref().unwrap().0, bo.user);
    refused(services.approve_policy(&bo, WHOSE, waits).await);
    stage.verified().await;

    // One that is taken back never rules and is kept.
    let mut two = draft(&one, "Femte, två");
    assert!(services.publish_policy(&ada, WHOSE, &two).await.unwrap());
    two = draft(&in_use(services, &ada).await, "Sjätte");
    assert!(!services.publish_policy(&ada, WHOSE, &two).await.unwrap());
    let waits = in_use(services, &ada).await.waiting().unwrap().id.0;
    services.withdraw_policy(&ada, WHOSE, waits).await.unwrap();
    refused(services.approve_policy(&bo, WHOSE, waits).await);
    assert_eq!(rules(&stage), "Femte");
    assert_eq!(in_use(services, &ada).await.versions.len(), 4);
}

#[tokio::test]
async fn the_file_rules_again_only_once_it_was_changed() {
    let mut stage = with_file("Filen").await;
    let ada = stage.person(Role::Administrator, "Ada").await;
    let one = in_use(&stage.services, &ada).await;
    stage.services.publish_policy(&ada, WHOSE, &draft(&one, "Sidans")).await.unwrap();
    for (file, rules_now, n) in
        [("Filen", "Sidans", 2), ("Filen ny", "Filen ny", 3), ("Filen ny", "Filen ny", 3)]
    {
        started(&mut stage, file).await;
        let one = in_use(&stage.services, &ada).await;
        assert_eq!((&*rules(&stage), one.versions.len()), (rules_now, n), "{file}");
    }
    let one = in_use(&stage.services, &ada).await;
    stage.services.publish_policy(&ada, WHOSE, &draft(&one, "Sidans")).await.unwrap();
    // A text that a later program refuses, as all of them: the file stands in, and nothing stops.
    stage.under(|own| *own = read()(false, "Filen ny").unwrap()).await;
    let strict: Read = Arc::new(|_, _| Err(Vec::new()));
    stage.services.open_policies(Desk { read: strict, ready: Vec::new() }).await.unwrap();
    assert_eq!(rules(&stage), "Filen ny");
    assert!(stage.services.policy_of(stage.account).doubt.is_some());
}

#[tokio::test]
async fn where_the_text_that_rules_cannot_be_read_the_last_one_stands_in_and_nothing_is_removed() {
    let mut stage = with_file("Filen").await;
    let ada = stage.person(Role::Administrator, "Ada").await;
    for text in ["Första", "Andra, nyord"] {
        let one = in_use(&stage.services, &ada).await;
        stage.services.publish_policy(&ada, WHOSE, &draft(&one, text)).await.unwrap();
    }
    let (_, case) = stage.written(THREAT).await;
    // The next program does not know a word of it.
    stage.under(|own| *own = read()(false, "Filen").unwrap()).await;
    let later: Read = Arc::new(|own, text| match text.contains("nyord") {
        true => Err(Vec::new()),
        false => read()(own, text),
    });
    for _ in 0..2 {
        let desk = Desk { read: later.clone(), ready: Vec::new() };
        // As at each start.
        drop(stage.services.open_policies(desk).await);
    }
    assert_eq!(rules(&stage), "Första", "not the file, which nobody has decided on since");
    let troubles = stage.services.notice_troubles(&stage.editor).await.unwrap();
    let told = troubles.iter().filter(|t| t.subject.contains("riktlinje kan inte läsas")).count();
    assert_eq!(told, 1, "{troubles:?}");
    let why = refused(stage.try_decide(case, vec![Choice::Hide]).await);
    assert!(why.contains("Inget tas bort") && why.contains("Andra"), "{why}");
    // An administrator decides that it is to rule, and another one, for the unread text may ask for two: then it does,
    // removals and all.
    let stands_in = stage.services.policy_of(stage.account);
    let duties = &stands_in.duties;
    assert!(duties.changed_by_two && duties.accounts.two_steps, "nothing is demanded less of");
    assert!(duties.register.secrecy_ends_talk && duties.accounts.yearly_password);
    assert_eq!(duties.register.must, MustRegister::ALL);
    assert_eq!(duties.register.on_removal, OnRemoval::Always);
    let one = in_use(&stage.services, &ada).await;
    let rules = stage.services.publish_policy(&ada, WHOSE, &draft(&one, "Första")).await.unwrap();
    assert!(!rules, "it waits for a second person");
    let bo = stage.person(Role::Administrator, "Bo").await;
    let waiting = in_use(&stage.services, &bo).await.waiting().unwrap().id.0;
    refused(stage.services.approve_policy(&ada, WHOSE, waiting).await);
    assert!(stage.services.policy_of(stage.account).doubt.is_some());
    stage.services.approve_policy(&bo, WHOSE, waiting).await.unwrap();
    assert!(stage.services.policy_of(stage.account).doubt.is_none());
    stage.verified().await;
}

#[tokio::test]
async fn what_was_proposed_as_a_change_of_another_text_is_not_approved() {
    let mut stage = with_file("Gamla, två").await;
    let ada = stage.person(Role::Administrator, "Ada").await;
    let bo = stage.person(Role::Administrator, "Bo").await;
    let one = in_use(&stage.services, &ada).await;
    stage.services.publish_policy(&ada, WHOSE, &draft(&one, "Nya, två")).await.unwrap();
    let waiting = in_use(&stage.services, &bo).await.waiting().unwrap().clone();
    assert_eq!(waiting.base, Some(one.policy.version));
    // Meanwhile somebody changes the file.
    started(&mut stage, "Filens nya, två").await;
    let why = refused(stage.services.approve_policy(&bo, WHOSE, waiting.id.0).await);
    assert!(why.contains("har ändrats sedan förslaget skrevs"), "{why}");
    assert_eq!(rules(&stage), "Filens nya");
    // Back as it was: it is a change of what rules again.
    started(&mut stage, "Gamla, två").await;
    stage.services.approve_policy(&bo, WHOSE, waiting.id.0).await.unwrap();
    assert_eq!(rules(&stage), "Nya");
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    assert!(raw.execute("update policy_versions set base_sha256 = null", []).is_err());
    stage.verified().await;
}

#[tokio::test]
async fn a_case_that_was_opened_while_a_policy_was_published_gets_its_deadline_too() {
    let stage = with_file("Gamla").await;
    let ada = stage.person(Role::Administrator, "Ada").await;
    let case = stage.written(THREAT).await.1;
    let due = async || stage.store().case(case).await.unwrap().due_at;
    let before = due().await;
    let one = in_use(&stage.services, &ada).await;
    stage.services.publish_policy(&ada, WHOSE, &draft(&one, "Nya, kvickt")).await.unwrap();
    let after = due().await;
    assert!(after < before);
    // As if it had been assessed under the old one and written after the new one.
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let set = "update cases set due_at = ?1 where id = ?2";
    raw.execute(set, rusqlite::params![before.as_millisecond(), case.0]).unwrap();
    assert_eq!(stage.services.recount_late().await.unwrap(), 1);
    assert_eq!(due().await, after);
    assert_eq!(stage.services.recount_late().await.unwrap(), 0, "once");
    // One that was set for another reason stays, and later nobody looks.
    raw.execute(set, rusqlite::params![before.as_millisecond() + 5, case.0]).unwrap();
    assert_eq!(stage.services.recount_late().await.unwrap(), 0);
    raw.execute(set, rusqlite::params![before.as_millisecond(), case.0]).unwrap();
    stage.clock.advance(SignedDuration::from_mins(16));
    assert_eq!(stage.services.recount_late().await.unwrap(), 0);
    // The program was stopped in those minutes: it looks once when it starts again.
    let mut stage = stage;
    started(&mut stage, "Gamla").await;
    assert_eq!(stage.services.recount_late().await.unwrap(), 1);
    let due = stage.store().case(case).await.unwrap().due_at;
    assert_eq!(due, after);
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    raw.execute(set, rusqlite::params![before.as_millisecond(), case.0]).unwrap();
    assert_eq!(stage.services.recount_late().await.unwrap(), 0, "once");
}

#[tokio::test]
async fn no_word_of_a_version_can_be_changed() {
    let stage = with_file("Filen").await;
    let raw = rusqlite::Connection::open(stage.dir.path().join("uppsikt.db")).unwrap();
    for sql in [
        "update policy_versions set text = 'annat'",
        "update policy_versions set ruled_from = 1",
        "delete from policy_versions",
    ] {
        assert!(raw.execute(sql, []).is_err(), "{sql}");
    }
    let trigger: String = raw
        .query_row("select sql from sqlite_master where name = 'policy_versions_stay'", [], |row| {
            row.get(0)
        })
        .unwrap();
    // Past our code it is named, whatever of it was changed.
    for (change, back) in [
        ("made_at = made_at - 1", "made_at = made_at + 1"),
        ("four_eyes = 1 - four_eyes", "four_eyes = 1 - four_eyes"),
        ("recounts = 1 - recounts", "recounts = 1 - recounts"),
        ("why = why || 'x'", "why = substr(why, 1, length(why) - 1)"),
    ] {
        let set = |what: &str| {
            raw.execute_batch(&format!(
                "pragma ignore_check_constraints = on; drop trigger policy_versions_stay;
                 update policy_versions set {what} where id = 1; {trigger}"
            ))
            .unwrap();
        };
        set(change);
        let evidence = &stage.services.inner.evidence;
        let report = verify::verify(evidence, stage.store(), &Default::default()).await.unwrap();
        let places: Vec<_> = report.faults.iter().map(|fault| fault.place.as_str()).collect();
        assert_eq!(places, ["version av riktlinjen 1"], "{change}: {:?}", report.faults);
        set(back);
    }
}
