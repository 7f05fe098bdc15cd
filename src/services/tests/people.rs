//! Who may do what, what is written down of it, and what lists show.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use regex::Regex;

use crate::domain::action::ActionKind;
use crate::domain::decision::{Choice, Decision};
use crate::domain::ids::{
    AccountKey, ActionId, CaseId, DecisionId, EvidenceId, ItemId, PlatformItemId, RegistrationId,
};
use crate::domain::item::{Author, Batch, FetchedItem, ItemKind};
use crate::domain::notice::Part;
use crate::domain::person::Role;
use crate::domain::sign_in::GroupRule;
use crate::platforms::simulate::faults::Fault;
use crate::runtime::secret::Secret;
use crate::services::manual::Typed;
use crate::services::queue::Filter;
use crate::services::search::Asked;
use crate::services::tests::harness::{Stage, THREAT, UNDO, viewer};
use crate::services::users::{self, Person};
use crate::services::{ServiceError, Services, Viewer};

/// Every act that a service does for a person, tried on what does not exist.
async fn all_acts(services: &Services, who: &Viewer) -> BTreeMap<&'static str, bool> {
    let case = CaseId(999);
    let dismiss = || Decision::new(vec![Choice::Dismiss], None, None).unwrap();
    let permitted =
        |error: Option<ServiceError>| !matches!(error, Some(ServiceError::NotPermitted { .. }));
    let mut acts = BTreeMap::new();
    macro_rules! tried {
        ($($name:ident($($argument:expr),*);)*) => {$(
            let result = services.$name(who, $($argument),*).await;
            acts.insert(stringify!($name), permitted(result.err()));
        )*};
    }
    tried! {
        queue(Filter::Open, None, 0);
        queue_line(case);
        counts();
        search(&Asked { words: "skola".into(), ..Asked::default() });
        neighbours(case);
        case_news(case);
        watches();
        diary();
        case_of_registration(RegistrationId(9));
        case_file(case);
        evidence_record(EvidenceId(9));
        evidence_part(EvidenceId(9), "text.txt");
        claim(case);
        take_over(case);
        stay(case, true);
        leave(case);
        leave_all();
        tell_lost();
        holding(case);
        release(case);
        decide(case, 1, dismiss());
        undo(case, DecisionId(9));
        read_anew(case);
        try_again(case, ActionId(9));
        enter_diary_number(case, "KS 2026/1");
        correct_diary_number(RegistrationId(9), "KS 2026/1", "Skrev fel.");
        lift_copy_bar(case, "Det är ett fotbollslag.");
        everybody("");
        end_sessions_of(crate::domain::ids::UserId(99), None);
        shut_out(crate::domain::ids::UserId(99), true);
        reset_factor(crate::domain::ids::UserId(99));
        tasks();
        n_tasks();
        task_done(ActionId(9));
        task_not_done(ActionId(9), "Det går inte.");
        record_by_hand(&Typed::default(), Vec::new());
        hand_over_again(RegistrationId(9));
        reports_from_outside();
        report_at(9);
        end_report(9, None);
        join_report(9, case);
        from_outside(case);
        set_outside(case, Some("Vi når det inte."));
        subject_requests();
        open_subject("access", "", "", "");
        subject_file(9);
        find_subject(9);
        add_to_subject(9, &[]);
        drop_from_subject(9, ItemId(9));
        note_on_subject(9, ItemId(9), "Fel namn.");
        extend_subject(9, "Många handlingar.");
        end_subject(9, false, "Här är det.");
        subject_document(9);
        case_unveiled(case);
    }
    acts
}

#[tokio::test]
async fn each_role_may_do_what_the_table_says_and_no_more() {
    let stage = Stage::new().await;
    const READ: [bool; 6] = [true, true, true, true, true, true];
    const EVIDENCE: [bool; 6] = [true, true, true, true, true, false];
    const DECIDE: [bool; 6] = [true, true, false, false, false, false];
    const SUBJECTS: [bool; 6] = [false, false, true, false, false, true];
    const MANAGE_USERS: [bool; 6] = [false, false, false, false, false, true];
    const ANSWERS: [bool; 6] = [false, false, true, false, false, false];
    const NUMBER: [bool; 6] = [true, true, true, false, false, false];
    let table = BTreeMap::from([
        ("queue", READ),
        ("queue_line", READ),
        ("counts", READ),
        ("search", NUMBER),
        ("neighbours", READ),
        ("case_news", READ),
        ("watches", READ),
        ("diary", READ),
        ("case_of_registration", READ),
        ("case_file", READ),
        ("evidence_record", EVIDENCE),
        ("evidence_part", EVIDENCE),
        ("claim", DECIDE),
        ("take_over", DECIDE),
        ("stay", DECIDE),
        ("leave", DECIDE),
        ("leave_all", READ),
        ("tell_lost", READ),
        ("holding", READ),
        ("release", DECIDE),
        ("decide", DECIDE),
        ("undo", DECIDE),
        ("read_anew", DECIDE),
        ("try_again", DECIDE),
        ("enter_diary_number", NUMBER),
        ("correct_diary_number", NUMBER),
        ("tasks", READ),
        ("n_tasks", READ),
        ("task_done", DECIDE),
        ("task_not_done", DECIDE),
        ("record_by_hand", DECIDE),
        ("hand_over_again", NUMBER),
        ("reports_from_outside", READ),
        ("report_at", READ),
        ("end_report", DECIDE),
        ("join_report", DECIDE),
        ("from_outside", READ),
        ("set_outside", DECIDE),
        ("subject_requests", SUBJECTS),
        ("open_subject", SUBJECTS),
        ("subject_file", SUBJECTS),
        ("find_subject", ANSWERS),
        ("add_to_subject", ANSWERS),
        ("drop_from_subject", ANSWERS),
        ("note_on_subject", ANSWERS),
        ("extend_subject", SUBJECTS),
        ("end_subject", ANSWERS),
        ("subject_document", ANSWERS),
        ("case_unveiled", EVIDENCE),
        ("lift_copy_bar", [false, true, false, false, false, false]),
        ("everybody", MANAGE_USERS),
        ("end_sessions_of", MANAGE_USERS),
        ("shut_out", MANAGE_USERS),
        ("reset_factor", MANAGE_USERS),
    ]);
    for (n, role) in Role::ALL.iter().enumerate() {
        let who = viewer(*role, stage.editor.user);
        let acts = all_acts(&stage.services, &who).await;
        let expected: BTreeMap<_, _> = table.iter().map(|(act, row)| (*act, row[n])).collect();
        assert_eq!(acts, expected, "{role:?}");
    }
}

#[tokio::test]
async fn every_act_of_a_person_is_on_the_audit_log() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let (services, kim) = (&stage.services, &stage.editor);
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let person = Person {
        login: "robin".into(),
        name: "Robin Påhitt".into(),
        title: String::new(),
        role: Role::Registrar,
    };
    let password = || Secret::new("ett-lösenord-för-prov");
    services.add_user(person, password()).await.unwrap();
    services.log_in("robin", Secret::new("fel-lösenord"), address).await.unwrap_err();
    services.log_in("ingen", password(), address).await.unwrap_err();
    let opened = services.log_in(" Robin ", password(), address).await.unwrap();
    let token = opened.token.expose().to_owned();
    let seen = || {
        let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
        raw.query_row("select seen_at from sessions", [], |r| r.get::<_, i64>(0)).unwrap()
    };
    let at_first = seen();
    assert!(services.session(&token, address).await.unwrap().is_some());
    assert_eq!(seen(), at_first, "not at every request");
    stage.wait_s(61);
    assert!(services.session(&token, address).await.unwrap().is_some());
    assert_eq!(seen(), at_first + 61_000, "when a session was last used is known to the minute");
    services.log_out(&opened.viewer, &token).await.unwrap();
    assert!(services.session(&token, address).await.unwrap().is_none());

    services.case_file(kim, case).await.unwrap();
    services.claim(kim, case).await.unwrap();
    services.claim(kim, case).await.unwrap();
    services.release(kim, case).await.unwrap();
    let id = EvidenceId(1);
    services.evidence_record(kim, id).await.unwrap();
    services.evidence_part(kim, id, "text.txt").await.unwrap();
    services.evidence_part(kim, id, "manifest.json").await.unwrap();
    let decision = stage.decide(case, vec![Choice::Register]).await;
    services.undo(kim, case, decision).await.unwrap();
    stage.decide(case, vec![Choice::Register, Choice::Answer { text: "Hej".into() }]).await;
    stage.simulator.fail_next(Fault::ExpiredToken, 1);
    stage.act_after_undo().await;
    stage.try_again(case, ActionKind::Reply).await.unwrap();
    stage.act().await;
    assert!(stage.action_state(case, ActionKind::Reply).await.is_settled());
    services.enter_diary_number(kim, case, "KS 2026/1").await.unwrap();
    let expected = [
        ("user.add", 2),
        ("session.refused", 2),
        ("session.open", 1),
        ("session.end", 1),
        ("case.open", 1),
        ("case.claim", 1),
        ("case.release", 1),
        ("evidence.open", 1),
        ("evidence.part", 2),
        ("case.decide", 2),
        ("case.undo", 1),
        ("case.try_again", 1),
        ("case.diary_number", 1),
    ];
    for (act, n) in expected {
        assert_eq!(stage.store().audit_count(act).await.unwrap(), n, "{act}");
    }
    // And nothing of what was written in the comment is on it.
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let quoted: i64 = raw
        .query_row("select count(*) from audit where detail like '%bor%'", [], |r| r.get(0))
        .unwrap();
    assert_eq!(quoted, 0);
}

/// The password is read, then checked in a queue, and only then the session is opened.
#[tokio::test]
async fn a_password_that_was_changed_while_it_was_checked_opens_nothing() {
    let stage = Stage::new().await;
    let (services, store, clock) = (&stage.services, stage.store(), stage.clock.clock());
    let person = Person {
        login: "lo".into(),
        name: "Lo Exempel".into(),
        title: String::new(),
        role: Role::Editor,
    };
    services.add_user(person, Secret::new("ett-lösenord-för-prov")).await.unwrap();
    let (user, checked) = store.user_by_login("lo".into()).await.unwrap().unwrap();
    let open = async |hash: &String| {
        let token = crate::domain::ids::ContentHash::of(hash.as_bytes());
        let line = stage.editor.line("session.open", "user lo");
        let (until, now) = (stage.now() + UNDO, stage.now());
        store
            .open_session(token, (user.id, hash.clone()), "c".into(), until, line, now)
            .await
            .unwrap()
    };
    users::set_password(store, &clock, "lo", Secret::new("ett-annat-lösenord-för-prov"))
        .await
        .unwrap();
    assert!(!open(&checked).await);
    let (_, now) = store.user_by_login("lo".into()).await.unwrap().unwrap();
    users::set_active(store, &clock, "lo", false).await.unwrap();
    assert!(!open(&now).await, "shut out");
    // A session that came in all the same does not wake with the user.
    let raw = rusqlite::Connection::open(store.path()).unwrap();
    raw.execute(
        "insert into sessions (token_hash, user_id, csrf, opened_at, seen_at, expires_at, address)
         values (zeroblob(32), ?1, 'c', 0, 0, 9000000000000, 'x')",
        [user.id.0],
    )
    .unwrap();
    users::set_active(store, &clock, "lo", true).await.unwrap();
    let left = raw.query_row("select count(*) from sessions", [], |row| row.get::<_, i64>(0));
    assert_eq!(left.unwrap(), 0);
    assert!(open(&now).await);
}

#[tokio::test]
async fn who_is_shut_out_is_out_at_once_and_lets_go_of_their_cases() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let (services, store, clock) = (&stage.services, stage.store(), stage.clock.clock());
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let person = Person {
        login: "lo".into(),
        name: "Lo Exempel".into(),
        title: String::new(),
        role: Role::Editor,
    };
    let (old, new) = ("ett-lösenord-för-prov", "ett-annat-lösenord-för-prov");
    services.add_user(person, Secret::new(old)).await.unwrap();
    let is_in =
        async |token: &Secret| services.session(token.expose(), address).await.unwrap().is_some();
    let taken = async || store.case(case).await.unwrap().claim.is_some();

    let opened = services.log_in("lo", Secret::new(old), address).await.unwrap();
    services.claim(&opened.viewer, case).await.unwrap();
    users::set_active(store, &clock, " LO", false).await.unwrap();
    assert!(!is_in(&opened.token).await && !taken().await);
    assert!(services.log_in("lo", Secret::new(old), address).await.is_err());
    assert_eq!(stage.history(case).await.last().unwrap(), "Ärendet släpptes");
    let again = users::set_active(store, &clock, "lo", false).await;
    assert!(matches!(again, Err(ServiceError::Refused { .. })), "{again:?}");
    assert!(!users::all(store).await.unwrap().iter().find(|u| u.login == "lo").unwrap().active);

    users::set_active(store, &clock, "lo", true).await.unwrap();
    assert!(!is_in(&opened.token).await, "the old session stays ended");
    let opened = services.log_in("lo", Secret::new(old), address).await.unwrap();
    services.claim(&opened.viewer, case).await.unwrap();
    let short = users::set_password(store, &clock, "lo", Secret::new("kort")).await;
    assert!(matches!(short, Err(ServiceError::Refused { .. })), "{short:?}");
    assert!(is_in(&opened.token).await && taken().await);
    users::set_password(store, &clock, "lo", Secret::new(new)).await.unwrap();
    assert!(!is_in(&opened.token).await && !taken().await);
    assert!(services.log_in("lo", Secret::new(old), address).await.is_err());
    services.log_in("lo", Secret::new(new), address).await.unwrap();

    let nobody = users::set_active(store, &clock, "ingen", false).await;
    assert!(matches!(nobody, Err(ServiceError::Refused { .. })), "{nobody:?}");
    for (act, n) in [("user.disable", 1), ("user.enable", 1), ("user.password", 1)] {
        assert_eq!(store.audit_count(act).await.unwrap(), n, "{act}");
    }
    stage.verified().await;
}

#[tokio::test]
async fn somebody_elses_case_is_not_taken_and_not_decided() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let person = Person {
        login: "lo".into(),
        name: "Lo Exempel".into(),
        title: String::new(),
        role: Role::Editor,
    };
    let lo = stage.services.add_user(person, Secret::new("ett-lösenord-för-prov")).await.unwrap();
    let lo = viewer(Role::Editor, lo);
    stage.services.claim(&lo, case).await.unwrap();
    let refused = stage.services.claim(&stage.editor, case).await;
    assert!(matches!(refused, Err(ServiceError::Conflict { .. })), "{refused:?}");
    let refused = stage.try_decide(case, vec![Choice::Dismiss]).await;
    assert!(matches!(refused, Err(ServiceError::Conflict { .. })), "{refused:?}");
    stage.wait_s(601);
    stage.decide(case, vec![Choice::Dismiss]).await;
}

#[tokio::test]
async fn words_that_nobody_can_read_or_that_are_too_long_are_refused_in_words() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let answer = |text: &str| Choice::Answer { text: text.to_owned() };
    let reason = |n| Choice::NotRegister { reason: "x".repeat(n) };
    for (choices, words) in [
        (vec![answer("Tack \u{202E}!jeH")], "dolt tecken (U+202E)"),
        (vec![Choice::Refer { text: "Vänd dig\u{200B} hit".into() }], "dolt tecken (U+200B)"),
        (vec![reason(10_001)], "Skälet har 10001 tecken; högst 10 000"),
    ] {
        match stage.try_decide(case, choices).await {
            Err(ServiceError::Refused { why }) => assert!(why.contains(words), "{why}"),
            other => panic!("{other:?}"),
        }
    }
    let note = Decision::new(vec![Choice::Dismiss], None, Some("å".repeat(10_001))).unwrap();
    let revision = stage.store().case(case).await.unwrap().revision;
    let refused = stage.services.decide(&stage.editor, case, revision, note).await;
    assert!(
        matches!(&refused, Err(ServiceError::Refused { why }) if why.starts_with("Anteckningen")),
        "{refused:?}"
    );
    // A family is no hidden text, and what just fits is taken.
    stage.decide(case, vec![answer("Hej 👩\u{200D}👧!"), reason(10_000)]).await;
}

#[tokio::test]
async fn damaged_evidence_is_told_by_the_name_of_its_file() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    let row = stage.store().case(case).await.unwrap();
    let sealed = stage.store().evidence_of(row.version).await.unwrap().unwrap();
    let shown = || stage.services.evidence_record(&stage.editor, sealed.id);
    let hash = shown().await.unwrap().0.manifest.unwrap().parts[0].sha256;
    std::fs::remove_file(blob(stage.dir.path(), &hash.to_hex())).unwrap();
    let problem = shown().await.unwrap().0.manifest.unwrap_err();
    assert!(problem.starts_with("Filen text.txt i beviset saknas"), "{problem}");
    match stage.services.evidence_part(&stage.editor, sealed.id, "text.txt").await {
        Err(ServiceError::Damaged { why }) => assert_eq!(why, problem),
        other => panic!("{other:?}"),
    }
}

/// The file that holds what has this hash, wherever under the folder it is kept.
fn blob(folder: &std::path::Path, hash: &str) -> std::path::PathBuf {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.len() > 8 && hash.ends_with(&name) {
                return path;
            }
        }
    }
    panic!("no file of {hash}");
}

/// What must never stand in a list, as it stands in the texts.
fn private(text: &str) -> Vec<String> {
    // A mail address, a telephone number with its area code.
    let patterns = [r"[\w.+-]+@[\w-]+\.[\w.]*\w", r"\b0\d{1,3}-\d[\d ]{4,}\d"];
    let found = patterns.iter().flat_map(|pattern| {
        let pattern = Regex::new(pattern).unwrap();
        pattern.find_iter(text).map(|m| m.as_str().to_owned()).collect::<Vec<_>>()
    });
    found.collect()
}

#[tokio::test]
async fn no_line_of_the_queue_shows_a_number_or_an_address() {
    let stage = Stage::new().await;
    let fixtures = [
        include_str!("../../../fixtures/comments/demo.jsonl"),
        include_str!("../../../fixtures/comments/forum.jsonl"),
    ];
    let mut texts: Vec<String> = fixtures
        .iter()
        .flat_map(|file| file.lines())
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|value| value["text"].as_str().map(str::to_owned))
        .collect();
    assert!(texts.len() > 100);
    // The last four of these never show, wherever in the text they stand.
    let hidden = ["9805", "070-123 45 67", "kim@exempel.example"];
    for filler in [0, 100, 700, 770, 780, 785, 788, 790, 792, 795, 798, 805] {
        let filler = "å ".repeat(filler / 3);
        texts.push(format!("{THREAT} {filler}Kim, 850709-9805, och så vidare."));
        texts.push(format!("{THREAT} {filler}Kim, 19850709 9805, och så vidare."));
        texts.push(format!("{THREAT} {filler}Ring 070-123 45 67 du."));
        texts.push(format!("{THREAT} {filler}Skriv till kim@exempel.example du."));
    }
    let items = texts.iter().enumerate().map(|(n, text)| {
        let id = PlatformItemId::new(n.to_string());
        // Messages all open a case, so every text comes into the queue.
        let item = FetchedItem::new(id, ItemKind::DirectMessage, text.as_str(), "{}");
        let name = Some("Kim Exempel 850709-9805".to_owned());
        FetchedItem { author: Author { name, ..Author::default() }, ..item }
    });
    let batch = Batch { items: items.collect(), ..Batch::default() };
    let now = stage.now();
    stage.store().commit_batch(stage.account, batch, now, now).await.unwrap();
    while stage.services.assess_waiting().await.unwrap() {}
    let known: Vec<String> = texts.iter().flat_map(|text| private(text)).collect();
    assert!(known.len() > 20, "{known:?}");
    for n in 0..texts.len() {
        let case = stage.case_of(n as u64).await;
        let line = stage.services.queue_line(&stage.editor, case).await.unwrap();
        let shown = format!("{} {}", line.author, line.text);
        for secret in known.iter().map(String::as_str).chain(hidden) {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
        assert!(line.text.len() < 900);
    }
}

#[tokio::test]
async fn whoever_the_directory_knows_no_more_loses_session_part_and_role() {
    let mut stage = Stage::new().await;
    let admin = stage.person(Role::Administrator, "Ada").await;
    let inner = std::sync::Arc::get_mut(&mut stage.services.inner).expect("nothing runs yet");
    inner.settings.sign_in.groups = vec![GroupRule {
        group: "redaktion".into(),
        role: Role::Editor,
        accounts: vec![AccountKey::new("facebook")],
        unit: None,
        part: Part::Editor,
    }];
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let comes = async |groups: &[&str]| {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        stage.services.enter_by_proxy("tove".into(), None, groups, here).await
    };
    let opened = comes(&["redaktion"]).await.unwrap();
    let token = opened.token.expose().to_owned();
    let holds = async || {
        let register = stage.services.register(&admin).await.unwrap();
        let of = register.iter().find(|entry| entry.account.key.as_str() == "facebook").unwrap();
        of.people.iter().any(|person| person.user.login == "tove")
    };
    assert!(holds().await && stage.services.session(&token, here).await.unwrap().is_some());
    // Not employed any more: the directory names none of our groups.
    assert!(matches!(comes(&["andra"]).await, Err(ServiceError::Refused { .. })));
    assert!(stage.services.session(&token, here).await.unwrap().is_none());
    assert!(!holds().await, "nor do they count for the account");
}
