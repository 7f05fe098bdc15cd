//! Somebody with the database and the folder in hand changes one thing past all our code: every way
//! is found and named in Swedish, and nothing untouched is accused.

use std::sync::Arc;

use super::*;
use crate::domain::action::{ActionEvent, ActionKind};
use crate::domain::category::{Category, Severity};
use crate::domain::decision::{Choice, Decision};
use crate::domain::ground::Ground;
use crate::domain::ids::{ActionId, ContentHash, DiaryNumber, LexiconVersion, UserId};
use crate::domain::likeness::Traces;
use crate::domain::person::Role;
use crate::domain::verdict::{Finding, Verdict};
use crate::store::rows::{AssessedVersion, AuditLine, CaseOpening};
use crate::store::sqlite::decide::NewDecision;
use crate::store::sqlite::users::NewUser;

fn line(act: &'static str, user: Option<UserId>) -> AuditLine {
    AuditLine {
        user,
        user_name: "Kim Exempel".into(),
        act,
        subject: "prov".into(),
        address: "127.0.0.1".into(),
        detail: None,
    }
}

/// What the stage is made of beside three sealed records.
struct Stage {
    bench: Bench,
    user: UserId,
}

impl Stage {
    /// Three cases: hidden and answered; registered with its number; decided and undone.
    async fn new() -> Self {
        let (bench, sealed) = Bench::with_three().await;
        let now = bench.clock.clock().now();
        let store = &bench.store;
        store.settle_fact("installation", "prov".into()).await.unwrap();
        let user = NewUser {
            login: "kim".into(),
            name: "Kim Exempel".into(),
            title: String::new(),
            role: Role::Editor,
            password_hash: "x".into(),
        };
        let user = store.add_user(user, line("user.add", None), now).await.unwrap();
        let lo = NewUser {
            login: "lo".into(),
            name: "Lo Exempel".into(),
            title: String::new(),
            role: Role::Editor,
            password_hash: "x".into(),
        };
        store.add_user(lo, line("user.add", None), now).await.unwrap();
        let opening = CaseOpening {
            rank: 1,
            severity: Some(Severity::High),
            category: Some(Category::Threat),
            due_at: now,
            why: "Prov.".into(),
        };
        let finding = Finding {
            category: Category::Threat,
            severity: Severity::High,
            rule: Arc::from("hot.prov"),
            spans: Vec::new(),
            why: Arc::from("Prov."),
            legal: Arc::from("BrB 4:5"),
            mark: None,
        };
        let verdict = Verdict { lexicon: LexiconVersion::new("l1"), findings: vec![finding] };
        let assessed = sealed.iter().map(|s| AssessedVersion {
            version: s.version,
            verdict: verdict.clone(),
            opening: Some(opening.clone()),
            traces: Traces::default(),
            unread: false,
        });
        let recorded = store.record_assessments(assessed.collect(), 200, now).await.unwrap();
        let cases = recorded.touched;
        let stage = Self { bench, user };
        let answer = Choice::Answer { text: "Tack, vi ser över det.".into() };
        stage.decide(cases[0], vec![Choice::Hide, answer]).await;
        for kind in [ActionKind::Reply, ActionKind::Hide] {
            stage.end(cases[0], kind).await;
        }
        stage.decide(cases[1], vec![Choice::Register]).await;
        let (store, now) = (&stage.bench.store, stage.now());
        let package = ContentHash::of(b"paket");
        let action = store.actions_on(cases[1]).await.unwrap()[0].id;
        store
            .record_export(action, cases[1], "paket.zip".into(), package, Vec::new(), now)
            .await
            .unwrap();
        stage.end(cases[1], ActionKind::Register).await;
        let (number, entry) = (DiaryNumber::new("KS 2026/1"), line("diary.enter", Some(user)));
        store.enter_diary_number(cases[1], number, user, entry, now).await.unwrap();
        let decision = stage.decide(cases[2], vec![Choice::Dismiss]).await;
        let undo = line("case.undo", Some(user));
        store.undo(cases[2], decision, user, undo, stage.now()).await.unwrap();
        stage.bench.evidence.note_head().await.unwrap();
        stage
    }

    fn now(&self) -> Timestamp {
        self.bench.clock.clock().now()
    }

    async fn decide(&self, case: CaseId, choices: Vec<Choice>) -> crate::domain::ids::DecisionId {
        let decision = Decision::new(choices, Some(Ground::Threat), Some("Tydligt hot.".into()));
        let new = NewDecision {
            mark: None,
            policy: ContentHash::of(b"prov"),
            answered: None,
            bulk: None,
            by_hand: Vec::new(),
            case,
            revision: self.bench.store.case(case).await.unwrap().revision,
            user: self.user,
            decision: decision.unwrap(),
            undo_until: self.now() + SignedDuration::from_secs(10),
            line: line("case.decide", Some(self.user)),
        };
        self.bench.store.decide(new, self.now()).await.unwrap()
    }

    async fn end(&self, case: CaseId, kind: ActionKind) -> ActionId {
        let (store, now) = (&self.bench.store, self.now());
        let actions = store.actions_on(case).await.unwrap();
        let id = actions.iter().find(|a| a.kind == kind).unwrap().id;
        store.move_action(id, ActionEvent::Begin { at: now }, now).await.unwrap();
        let done = ActionEvent::Succeed { at: now, receipt: "ok".into() };
        store.move_action(id, done, now).await.unwrap();
        id
    }

    fn tamper(&self, sql: &str) {
        let raw = self.bench.raw();
        let names: Vec<String> = raw
            .prepare("select name from sqlite_master where type = 'trigger'")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        for name in names {
            raw.execute_batch(&format!("drop trigger \"{name}\"")).unwrap();
        }
        raw.execute_batch(&format!("pragma ignore_check_constraints = on; {sql}")).unwrap();
    }
}

#[tokio::test]
async fn what_nobody_touched_verifies_whole() {
    let stage = Stage::new().await;
    assert_eq!(stage.bench.faults().await, []);
    stage.tamper("");
    assert_eq!(stage.bench.faults().await, [], "only the triggers are gone");
}

/// What is done, where the fault is, and what it says.
const BY_SQL: &[(&str, &str, &str)] = &[
    ("update decisions set choices = '[]' where id = 1", "beslut 1", "valen"),
    ("update decisions set user_id = 2 where id = 1", "beslut 1", "vem som beslutade"),
    ("update decisions set at = at - 100000 where id = 1", "beslut 1", "tiden"),
    ("update decisions set ground = 'spam' where id = 1", "beslut 1", "grunden"),
    ("update decisions set note = 'Påhittat.' where id = 1", "beslut 1", "orden"),
    ("update decisions set note = null where id = 1", "beslut 1", "orden"),
    ("update decisions set version_id = 2 where id = 1", "beslut 1", "lydelsen"),
    (
        "update decisions set choices = replace(choices, 'Tack', 'Nej') where id = 1",
        "beslut 1",
        "orden",
    ),
    (
        "update decisions set answered = '{\"answers\":{},\"number\":null,\"rule\":\"R9\",\"why\":\"\"}' where id = 1",
        "beslut 1",
        "orden",
    ),
    ("update decisions set undone_at = at where id = 1", "beslut 1", "om och när det ångrades"),
    ("update decisions set undone_at = null where id = 3", "beslut 3", "om och när det ångrades"),
    (
        "delete from actions; delete from case_events; delete from decisions",
        "beslut 1",
        "raden saknas",
    ),
    (
        "insert into decisions select 99, case_id, version_id, user_id, null, at, choices, ground,
           note, undo_until, null, null, null, null, null from decisions where id = 1",
        "beslut 99",
        "ingen post om beslutet",
    ),
    ("delete from actions where kind = 'hide'", "beslut 1", "åtgärderna är inte de"),
    ("delete from actions where kind = 'hide'", "åtgärd 2", "raden saknas"),
    ("update actions set state = 'failed' where id = 2", "åtgärd 2", "hur den slutade"),
    (
        "update actions set state_json = replace(state_json, 'ok', 'nej') where id = 2",
        "åtgärd 2",
        "plattformens svar",
    ),
    (
        "update actions set payload = '{\"text\":\"Nej\"}' where id = 1",
        "beslut 1",
        "åtgärderna är inte de",
    ),
    ("update actions set version_id = 2 where id = 2", "åtgärd 2", "lydelsen"),
    (
        "update registrations set diary_number = 'KS 2026/2'",
        "registrering 1",
        "stämmer inte med loggen",
    ),
    (
        "update registrations set diary_number = null, entered_at = null, entered_by = null",
        "registrering 1",
        "saknas i raden",
    ),
    ("delete from registrations", "registrering 1", "raden saknas"),
    (
        "update versions set text = 'Vi älskar badet' where id = 1",
        "bevis 1",
        "stämmer inte med lydelsens kontrollsumma",
    ),
    ("update versions set text = 'x' where id = 1", "bevis 1", "det som förseglades: texten"),
    ("update versions set author = '{}' where id = 1", "bevis 1", ""),
    (
        "update versions set author = '{\"name\":\"Lo\"}' where id = 1",
        "bevis 1",
        "det som förseglades: författaren",
    ),
    ("update versions set content_hash = zeroblob(32) where id = 1", "bevis 1", "annan lydelse"),
    (
        "update versions set fetched_at = 0 where id = 1",
        "bevis 1",
        "det som förseglades: tiden för hämtningen",
    ),
    (
        "update evidence set version_id = -1 where id = 1;
         update evidence set version_id = 1, item_id = 1 where id = 2;
         update evidence set version_id = 2, item_id = 2 where id = 1",
        "bevis 1",
        "pekar på en annan lydelse",
    ),
    ("update evidence set state = 'disposed' where id = 3", "bevis 3", "ingen post om gallring"),
    ("update evidence set sealed_at = sealed_at - 86400000 where id = 1", "bevis 1", "postens tid"),
    ("update log set at = at - 1000 where seq = 2", "logg 2", "radens tid"),
    ("update log set kind = 'undo' where seq = 2", "logg 2", "radens slag"),
    // What cannot be read is a fault like any other, never the end of the verification.
    ("update decisions set choices = 'x' where id = 1", "beslut 1", "går inte att läsa"),
    ("update decisions set at = 9223372036854775807 where id = 1", "beslut 1", "går inte att läsa"),
    ("update actions set payload = 'x' where id = 1", "åtgärd 1", "texten eller plattformens svar"),
    ("update registrations set package_sha256 = x'00'", "registrering 1", "går inte att läsa"),
    ("update evidence set state = 'x' where id = 1", "bevis 1", "går inte att läsa"),
    ("update evidence set manifest_hash = x'00' where id = 2", "bevis 2", "går inte att läsa"),
    ("update log set kind = 'x' where seq = 2", "logg 2", "går inte att läsa"),
    ("update log set at = 9223372036854775807 where seq = 2", "logg 2", "går inte att läsa"),
    ("update log set leaf_hash = x'00' where seq = 2", "logg 2", "går inte att läsa"),
    ("update line_chains set hash = x'00' where name = 'audit'", "granskningsloggen", "går inte att läsa"),
    // The item's and the version's rows say what the manifest says.
    ("update items set kind = 'reply' where id = 1", "bevis 1", "det som förseglades: slaget"),
    ("update items set created_at = 1 where id = 1", "bevis 1", "det som förseglades: när det skrevs"),
    ("update items set created_raw = 'x' where id = 1", "bevis 1", "det som förseglades: när det skrevs"),
    ("update versions set edited_at = 1 where id = 1", "bevis 1", "det som förseglades: när det redigerades"),
    ("update versions set presence = 'hidden' where id = 1", "bevis 1", "det som förseglades: synligheten"),
    ("delete from audit", "granskningsloggen", "rader har tagits bort"),
    ("delete from audit where id = 2", "granskningsloggen", "har ändrats"),
    ("update audit set user_name = 'Lo Exempel'", "granskningsloggen", "har ändrats"),
    (
        "insert into audit select 99, at, user_id, user_name, act, subject, address, detail from audit
         where id = 1; update audit set id = 0 where id = 99",
        "granskningsloggen",
        "har ändrats",
    ),
    ("delete from case_events", "ärendenas historik", "rader har tagits bort"),
    ("update case_events set what = 'x' where id = 1", "ärendenas historik", "har ändrats"),
    (
        "update line_chains set hash = zeroblob(32) where name = 'audit'",
        "granskningsloggen",
        "databasens egen anteckning",
    ),
];

#[tokio::test]
async fn every_way_through_the_database_is_named() {
    for (sql, place, what) in BY_SQL {
        let stage = Stage::new().await;
        stage.tamper(sql);
        let faults = stage.bench.faults().await;
        // The fixture's author is empty: writing the same changes nothing.
        if what.is_empty() {
            assert_eq!(faults, [], "{sql}");
            continue;
        }
        assert!(
            faults.iter().any(|f| f.place == *place && f.what.contains(what)),
            "{sql}: expected `{place}: {what}`, found {faults:#?}"
        );
    }
}

/// What decides what is done and when, and what stands beside: all changed at once, each named.
const BESIDE: &[(&str, &str, &str)] = &[
    ("update decisions set undo_until = undo_until + 1 where id = 1", "beslut 1", "hur länge"),
    ("update decisions set due_at = 1 where id = 1", "beslut 1", "fristen"),
    ("update decisions set due_at = null where id = 2", "beslut 2", "fristen"),
    ("update decisions set bulk_id = 1 where id = 1", "beslut 1", "tillsammans med andra"),
    ("update actions set by_hand = 1 where id = 2", "beslut 1", "vad som görs för hand"),
    ("update actions set item_id = 2 where id = 1", "åtgärd 1", "inlägget är inte det"),
    ("update actions set key = 'prov-9-hide' where id = 2", "åtgärd 2", "nyckeln är inte den"),
    ("update registrations set package = 'annat.zip'", "registrering 1", "paketet som lämnades"),
    ("update items set current_version_id = 2 where id = 1", "inlägg 1", "inte inläggets egen"),
    (
        "insert into versions (id, item_id, number, content_hash, text, author, attachments, edited_at,
           presence, fetched_at, payload)
         select 99, item_id, 2, content_hash, text, author, attachments, edited_at, presence, fetched_at,
           payload from versions where item_id = 2",
        "inlägg 2",
        "inte den nyaste",
    ),
];

#[tokio::test]
async fn what_stands_beside_an_act_is_held_like_the_act() {
    let stage = Stage::new().await;
    let sql: Vec<_> = BESIDE.iter().map(|(sql, _, _)| *sql).collect();
    stage.tamper(&sql.join(";\n"));
    let faults = stage.bench.faults().await;
    for (sql, place, what) in BESIDE {
        assert!(
            faults.iter().any(|f| f.place == *place && f.what.contains(what)),
            "{sql}: expected `{place}: {what}`, found {faults:#?}"
        );
    }
    assert!(!faults.iter().any(|f| f.place == "inlägg 3" || f.place == "beslut 3"), "{faults:#?}");
}

/// Also while the diary has given no number yet.
#[tokio::test]
async fn a_package_that_was_handed_to_the_diary_is_held_from_then_on() {
    let no_number =
        "update registrations set diary_number = null, entered_at = null, entered_by = null;";
    for (sql, what) in [
        ("update registrations set package_sha256 = zeroblob(32)", "paketet som lämnades"),
        ("update registrations set case_id = 1", "ingen registrering av ärendet"),
        ("update registrations set action_id = 1", "ingen registrering av ärendet"),
    ] {
        let stage = Stage::new().await;
        stage.tamper(&format!("{no_number} {sql}"));
        stage.bench.expect_fault("registrering 1", what).await;
    }
}

/// Each malformed cell is one fault, and nothing after it is left out.
#[tokio::test]
async fn what_stands_after_a_cell_that_cannot_be_read_is_verified_all_the_same() {
    let stage = Stage::new().await;
    stage.tamper(
        "update decisions set choices = 'x' where id = 1;
         update log set at = 9223372036854775807 where seq = 1;
         update evidence set state = 'x' where id = 1;
         update registrations set diary_number = 'KS 2026/2'",
    );
    let report =
        verify(&stage.bench.evidence, &stage.bench.store, &Default::default()).await.unwrap();
    assert_eq!(report.n_sealed, 2, "the two that can be read");
    stage.bench.expect_fault("registrering 1", "stämmer inte med loggen").await;
    stage.bench.expect_fault("beslut 1", "går inte att läsa").await;
    stage.bench.expect_fault("bevis 1", "går inte att läsa").await;
}

#[tokio::test]
async fn a_file_that_is_a_link_to_somewhere_else_is_named_though_its_bytes_are_right() {
    let stage = Stage::new().await;
    let evidence = &stage.bench.evidence;
    let record = stage.bench.store.evidence(EvidenceId(1)).await.unwrap();
    let part = evidence.manifest(&record).await.unwrap().parts[0].sha256;
    let file = evidence.blobs.path(part);
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("fil");
    std::fs::rename(&file, &copy).unwrap();
    std::os::unix::fs::symlink(&copy, &file).unwrap();
    let faults = stage.bench.faults().await;
    assert!(format!("{faults:?}").contains("filen är en länk"), "{faults:?}");
}

#[tokio::test]
async fn a_failed_action_cannot_be_made_to_disappear() {
    let gone = "update actions set state = 'cancelled', due_at = null where id = 4";
    let put_off = "update actions set state = 'pending', due_at = 9000000000000 where id = 4";
    for (sql, tried_again) in [(gone, false), (put_off, false), (gone, true)] {
        let stage = Stage::new().await;
        let (store, now) = (&stage.bench.store, stage.now());
        // The third case was undone and waits: its removal goes wrong.
        let case = CaseId(3);
        stage.decide(case, vec![Choice::Hide]).await;
        let hide = store.actions_on(case).await.unwrap().last().unwrap().id;
        assert_eq!(hide, ActionId(4));
        store.move_action(hide, ActionEvent::Begin { at: now }, now).await.unwrap();
        let failed =
            ActionEvent::FailForGood { at: now, reason: "Nej.".into(), may_have_acted: false };
        store.move_action(hide, failed, now).await.unwrap();
        if tried_again {
            let again = line("case.try_again", Some(stage.user));
            assert!(store.try_failed_again(case, hide, stage.user, again, now).await.unwrap());
        }
        stage.bench.evidence.note_head().await.unwrap();
        assert_eq!(stage.bench.faults().await, [], "as it was done");
        stage.tamper(sql);
        stage.bench.expect_fault("åtgärd 4", "hur den slutade").await;
    }
}

/// A decision is as worth noting as a seal: a database put back to before it is found out.
#[tokio::test]
async fn an_entry_of_any_kind_that_is_not_noted_is_named() {
    let stage = Stage::new().await;
    stage.decide(CaseId(3), vec![Choice::Dismiss]).await;
    assert_eq!(stage.bench.faults().await, [], "it was made a moment ago");
    stage.bench.clock.advance(SignedDuration::from_mins(11));
    stage.bench.expect_fault("kedjans ändar", "den slutar vid post").await;
}

#[tokio::test]
async fn the_original_answer_of_a_platform_is_held_against_its_part() {
    let bench = Bench::new().await;
    let (_, version) = bench.version("1", "a").await;
    let (mut manifest, _, leave) = bench.manifest("1", version).await;
    let part = NewPart {
        kind: PartKind::Payload,
        name: "payload.json".into(),
        media_type: "application/json",
        method: "prov".into(),
        bytes: b"{}".to_vec(),
    };
    manifest.parts.push(bench.evidence.keep(&leave, part).await.unwrap());
    let row = bench.store.want_evidence(version, bench.clock.clock().now()).await.unwrap();
    bench.evidence.seal(row.id, &manifest, Some(&leave)).await.unwrap();
    assert_eq!(bench.faults().await, []);
    bench.raw().execute("update versions set payload = x'5b5d'", []).unwrap();
    bench.expect_fault("bevis 1", "plattformens svar i original").await;
}

#[tokio::test]
async fn a_file_of_heads_that_lost_lines_is_named() {
    let stage = Stage::new().await;
    let bench = &stage.bench;
    let heads = bench.evidence.heads_file().to_owned();
    let whole = std::fs::read_to_string(&heads).unwrap();
    let lines: Vec<_> = whole.lines().collect();
    let last = format!("{}\n", lines[lines.len() - 1]);
    let without_one = whole.replacen(&format!("{}\n", lines[1]), "", 1);
    let tables = [
        (String::new(), "är tom"),
        (last, "rader saknas"),
        (without_one, "1 rader saknas, den första för post 2"),
    ];
    for (text, what) in tables {
        std::fs::write(&heads, text).unwrap();
        bench.expect_fault("kedjans ändar", what).await;
        // Going on does not hide it.
        bench.evidence.note_head().await.unwrap();
        assert_ne!(bench.faults().await, [], "{what}");
    }
    // Cut at the end: what was sealed a while ago ought to be noted.
    std::fs::write(&heads, format!("{}\n", lines[0])).unwrap();
    assert_eq!(bench.faults().await, [], "the machine may have died a moment ago");
    bench.clock.advance(SignedDuration::from_mins(11));
    bench.expect_fault("kedjans ändar", "slutar vid post 1").await;
    bench.evidence.note_head().await.unwrap();
    assert_eq!(std::fs::read_to_string(&heads).unwrap(), whole);
    assert_eq!(bench.faults().await, []);
    // Nobody's fault any more, and still told.
    let report =
        verify(&bench.evidence, &bench.store, &crate::evidence::verify::Options::default())
            .await
            .unwrap();
    let told = report.notes.iter().any(|note| note.contains("heads.txt har 1 gånger saknat"));
    assert!(told, "{:?}", report.notes);
}

/// As long as nobody writes past the program, what is there is what is counted.
#[tokio::test]
async fn a_line_that_somebody_put_into_the_audit_log_or_a_history_is_named_and_never_taken_in() {
    for (table, place) in [("audit", "granskningsloggen"), ("case_events", "ärendenas historik")] {
        let stage = Stage::new().await;
        let insert = match table {
            "audit" => {
                "insert into audit (at, user_name, act, subject, address)
                 values (1, 'Gun', 'case.open', 'case 3', 'x')"
            }
            _ => {
                "insert into case_events (case_id, at, user_name, what) values (3, 1, 'Gun', 'Läst')"
            }
        };
        stage.bench.raw().execute(insert, []).unwrap();
        stage.bench.expect_fault(place, "skjutits in").await;
        // Going on does not make it ours.
        stage.decide(CaseId(3), vec![Choice::Dismiss]).await;
        stage.bench.evidence.note_head().await.unwrap();
        stage.bench.expect_fault(place, "skjutits in").await;
    }
}

#[tokio::test]
async fn entries_from_before_words_and_lines_were_hashed_stay_valid() {
    let stage = Stage::new().await;
    // The log as an older version wrote it: without the new fields, and no running hashes.
    stage.tamper("delete from line_chains");
    let raw = stage.bench.raw();
    let (mut chain, mut heads) = (genesis(), String::new());
    for seq in 1..=stage.bench.store.log_head().await.unwrap().0 {
        let body: String =
            raw.query_row("select body from log where seq = ?1", [seq], |r| r.get(0)).unwrap();
        let mut body: serde_json::Value = serde_json::from_str(&body).unwrap();
        body.as_object_mut().unwrap().remove("lines");
        for newer in ["words_sha256", "terms", "package"] {
            body["record"].as_object_mut().unwrap().remove(newer);
        }
        let body = body.to_string();
        let leaf = leaf_hash(body.as_bytes());
        chain = chain_hash(chain, leaf);
        raw.execute(
            "update log set body = ?2, leaf_hash = ?3, chain_hash = ?4 where seq = ?1",
            rusqlite::params![seq, body, leaf.bytes(), chain.bytes()],
        )
        .unwrap();
        if seq != 2 {
            heads.push_str(&format!("{seq} {chain}\n"));
        }
    }
    stage.bench.relay_tree();
    let last = format!("{}\n", heads.lines().last().unwrap());
    std::fs::write(stage.bench.evidence.heads_file(), last).unwrap();
    stage.bench.expect_fault("kedjans ändar", "1 rader, men 3 förseglingar").await;
    std::fs::write(stage.bench.evidence.heads_file(), heads).unwrap();
    assert_eq!(stage.bench.faults().await, []);
    // The first line written by this version takes in those before it.
    let (store, now) = (&stage.bench.store, stage.now());
    store.record_audit(line("login", Some(stage.user)), now).await.unwrap();
    stage.bench.sealed("4").await;
    assert_eq!(stage.bench.faults().await, []);
    stage.tamper("update audit set act = 'x' where id = 1");
    stage.bench.expect_fault("granskningsloggen", "har ändrats").await;
}

#[tokio::test]
async fn the_policy_of_a_decision_cannot_be_swapped_unseen() {
    let stage = Stage::new().await;
    stage.tamper("update decisions set policy_sha256 = zeroblob(32) where id = 1");
    stage.bench.expect_fault("beslut 1", "vilken riktlinje det fattades under").await;
}

/// A file of another's among the evidence is not evidence: a later disposal would never find it, and somebody could
/// point at it.
#[tokio::test]
async fn a_file_that_no_record_rests_on_is_named() {
    let (bench, _) = Bench::with_three().await;
    let blobs = bench.dir.path().join("evidence/blobs");
    let hex = ContentHash::of(b"inte vart").to_hex();
    let folder = blobs.join(&hex[..2]);
    std::fs::create_dir_all(&folder).unwrap();
    let alien = folder.join(&hex[2..]);
    std::fs::write(&alien, b"inte vart").unwrap();
    let shouted = blobs.join("00").join("AB".repeat(31));
    std::fs::create_dir_all(shouted.parent().unwrap()).unwrap();
    std::fs::write(&shouted, b"x").unwrap();
    let loose = blobs.join("anteckningar\nAllt stämmer.");
    std::fs::write(&loose, b"x").unwrap();
    let link = blobs.join("zz");
    std::os::unix::fs::symlink(bench.dir.path(), &link).unwrap();

    let faults = bench.faults().await;
    bench.expect_fault(&format!("fil {hex}"), "inget bevis vilar på den").await;
    for path in [&shouted, &loose, &link] {
        let told = format!("fil {}", path.display()).replace('\n', "\\n");
        bench.expect_fault(&told, "hör inte dit").await;
    }
    assert_eq!(faults.len(), 4, "{faults:#?}");

    // What a seal is putting there just now is noted before it is put.
    for path in [&shouted, &loose, &link] {
        std::fs::remove_file(path).unwrap();
    }
    let notes = bench.dir.path().join("evidence/pending");
    std::fs::create_dir_all(&notes).unwrap();
    let manifest = ContentHash::of(b"manifest");
    std::fs::write(notes.join("4"), format!("4 {manifest}\n{hex}\n")).unwrap();
    let told = verify(&bench.evidence, &bench.store, &Default::default()).await.unwrap();
    assert_eq!(told.faults, []);
    assert!(told.notes.iter().any(|n| n.contains("inget bevis vilar på än: 1")), "{told:?}");
    assert!(notes.join("4").exists(), "verification changes nothing");
    // Somebody who hides a file so loses it when the service starts.
    let settings = Settings::in_folder(bench.dir.path().join("evidence"));
    let started = EvidenceStore::open(&settings, bench.store.clone(), bench.clock.clock()).unwrap();
    started.settle_pending().await.unwrap();
    assert!(!alien.exists());
}
