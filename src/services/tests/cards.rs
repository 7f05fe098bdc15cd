//! The register of accounts: who may write it, what is amiss, the inventory in February, closing.

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};

use super::harness::Stage;
use super::notices::notifier;
use crate::domain::card::{Card, Care, ClosingStep, Flag, Safety, Said};
use crate::domain::category::Category;
use crate::domain::incident::IncidentStep;
use crate::domain::notice::Part;
use crate::domain::person::Role;
use crate::services::cards::{File, Sent, Typed};
use crate::services::people;
use crate::services::{ServiceError, Viewer};
use crate::store::sqlite::people::Reachable;

/// The clock goes to a moment of Swedish winter time.
fn go_to(stage: &Stage, at: &str) {
    let at: Timestamp = format!("{at}+01:00").parse().unwrap();
    stage.clock.advance(at.duration_since(stage.now()));
}

fn card() -> Card {
    Card {
        purpose: "Dialog med invånarna".into(),
        audience: "Invånare".into(),
        unit: "Kommunikationsavdelningen".into(),
        address: "https://facebook.example/exempelstad".into(),
        rules_link: "https://exempelstad.example/regler".into(),
        owner_is_manager: true,
        care: Care::Ordinary,
        listed: true,
    }
}

/// An account with an owner, an editor and a card that nothing is missing on.
async fn in_order(stage: &Stage) -> (Viewer, Viewer) {
    let admin = stage.person(Role::Administrator, "Ada").await;
    let owner = stage.person(Role::Owner, "Lo").await;
    let services = &stage.services;
    for (login, part) in [("lo", Part::Owner), ("kim", Part::Editor)] {
        services.set_account_part(&admin, "facebook", login, Some(part)).await.unwrap();
    }
    let typed = Typed { card: card(), said: Said::ALL.to_vec(), reviewed: true };
    services.save_card(&owner, "facebook", typed).await.unwrap();
    (admin, owner)
}

async fn file(stage: &Stage, viewer: &Viewer) -> File {
    stage.services.account_file(viewer, "facebook").await.unwrap()
}

fn why_refused(done: Result<(), ServiceError>) -> String {
    match done {
        Err(ServiceError::Refused { why }) => why,
        other => panic!("not refused: {other:?}"),
    }
}

fn history(file: &File) -> Vec<String> {
    file.history.iter().rev().map(|row| row.what.clone()).collect()
}

/// What people were told, by subject.
async fn told(stage: &Stage) -> Vec<String> {
    let troubles = stage.services.notice_troubles(&stage.editor).await.unwrap();
    let mut told: Vec<_> =
        troubles.into_iter().map(|t| format!("{}: {}", t.who, t.subject)).collect();
    told.sort();
    told
}

#[tokio::test]
async fn what_is_amiss_with_an_account_is_flagged_until_it_is_mended() {
    let stage = Stage::new().await;
    let before = file(&stage, &stage.editor).await;
    let ids: Vec<_> = before.entry.flags.iter().map(Flag::id).collect();
    assert_eq!(ids, ["ingen_ansvarig", "for_fa", "saknar_syfte", "saknar_text"]);
    assert!(!before.entry.may_edit);
    let (_, owner) = in_order(&stage).await;
    let after = file(&stage, &owner).await;
    assert_eq!((after.entry.flags.as_slice(), after.entry.may_edit), (&[][..], true));
    assert_eq!(
        history(&after)[..3],
        ["Lo Exempel är kontoansvarig.", "Kim Exempel är redaktör.", "Syfte: Dialog med invånarna"]
    );
    assert_eq!(stage.store().audit_count("account.card").await.unwrap(), 1);
    assert_eq!(stage.store().audit_count("account.people").await.unwrap(), 2);
    // Nothing of ours for the policy's twelve months, and nobody has looked it over for a year.
    go_to(&stage, "2027-11-22T09:00");
    let flags = file(&stage, &owner).await.entry.flags;
    assert!(flags.contains(&Flag::Inactive { since: date(2026, 11, 21) }), "{flags:?}");
    assert!(flags.contains(&Flag::ReviewDue { since: date(2027, 11, 21) }), "{flags:?}");
}

#[tokio::test]
async fn only_whoever_answers_for_it_or_keeps_the_register_changes_it() {
    let stage = Stage::new().await;
    let (admin, owner) = in_order(&stage).await;
    let other = stage.person(Role::Owner, "Siv").await;
    let typed = || Typed { card: Card { unit: "Skolan".into(), ..card() }, ..Typed::default() };
    for who in [&other, &stage.editor] {
        let refused = stage.services.save_card(who, "facebook", typed()).await;
        assert!(matches!(refused, Err(ServiceError::NotPermitted { .. })), "{}", who.name);
        let refused = stage.services.set_account_part(who, "facebook", "siv", Some(Part::Owner));
        assert!(refused.await.is_err());
    }
    stage.services.save_card(&admin, "facebook", typed()).await.unwrap();
    let bad = Card { address: "javascript:alert(1)".into(), ..card() };
    let refused =
        stage.services.save_card(&owner, "facebook", Typed { card: bad, ..typed() }).await;
    assert!(matches!(refused, Err(ServiceError::Refused { .. })));
    assert_eq!(file(&stage, &owner).await.entry.card.unit, "Skolan");
    // The same once more writes nothing.
    let lines = file(&stage, &owner).await.history.len();
    stage.services.save_card(&admin, "facebook", typed()).await.unwrap();
    assert_eq!(file(&stage, &owner).await.history.len(), lines);
}

#[tokio::test]
async fn the_duties_text_is_sought_in_what_the_page_says_of_itself() {
    let stage = Stage::new().await;
    let (_, owner) = in_order(&stage).await;
    stage.wait_s(60);
    stage.services.read_description(&owner, "facebook").await.unwrap();
    let file = file(&stage, &owner).await;
    // The simulated Page names the authority and public records, not who can see it and no rules.
    let missing = vec![Said::Visibility, Said::Rules];
    assert_eq!(file.entry.flags, [Flag::NoText { missing }]);
    assert!(file.can_read);
    // Saving the card says nothing new of the text: what the platform gave still counts.
    stage.wait_s(60);
    let typed = Typed { card: card(), said: Said::ALL.to_vec(), reviewed: true };
    stage.services.save_card(&owner, "facebook", typed).await.unwrap();
    let again = stage.services.account_file(&owner, "facebook").await.unwrap();
    assert_eq!(again.entry.flags, file.entry.flags);
    let said = card().said_in("Exempelstads kommun", &file.ready_text);
    assert!(said.iter().all(|(_, holds)| *holds), "the ready text holds all: {}", file.ready_text);
}

#[tokio::test]
async fn at_a_school_every_finding_of_personal_data_is_a_case_at_once() {
    let stage = Stage::new().await;
    let (_, owner) = in_order(&stage).await;
    let ordinary = stage.services.policy_of(stage.account).clone();
    let typed = Typed { card: Card { care: Care::School, ..card() }, ..Typed::default() };
    stage.services.save_card(&owner, "facebook", typed).await.unwrap();
    let strict = stage.services.policy_of(stage.account).clone();
    assert_eq!(*strict, ordinary.stricter());
    for category in [Category::PersonalId, Category::PersonalData, Category::SensitiveData] {
        assert_eq!(strict.rule(category).low.choices, ordinary.rule(category).medium.choices);
        assert_eq!(strict.rule(category).low.clock, crate::domain::deadline::Clock::AtOnce);
    }
    assert_eq!(strict.rule(Category::Insult), ordinary.rule(Category::Insult));
    // It stays so when the program starts anew, and goes when the mark goes.
    let mut stage = stage;
    stage.restart().await;
    stage.services.open_cards().await.unwrap();
    assert_eq!(stage.services.policy_of(stage.account), strict);
    let typed = Typed { card: card(), ..Typed::default() };
    stage.services.save_card(&owner, "facebook", typed).await.unwrap();
    assert_eq!(stage.services.policy_of(stage.account), ordinary);
}

#[tokio::test]
async fn t15_t16_in_february_each_owner_is_asked_and_who_has_not_answered_is_listed() {
    let stage = Stage::new().await;
    let (admin, owner) = in_order(&stage).await;
    let notifier = notifier(&stage);
    go_to(&stage, "2027-01-31T12:00");
    notifier.register().await.unwrap();
    assert_eq!(told(&stage).await, Vec::<String>::new());
    let refused = stage.services.confirm_account(&owner, "facebook", true, "").await;
    assert!(matches!(refused, Err(ServiceError::Refused { .. })), "nobody has asked yet");
    go_to(&stage, "2027-02-01T09:00");
    let by = date(2027, 2, 28);
    let asked = Flag::Unconfirmed { by, late: false };
    assert_eq!(file(&stage, &owner).await.entry.flags, [asked]);
    for _ in 0..2 {
        notifier.register().await.unwrap();
    }
    let missing = "Lo Exempel (kontoansvarig): Ingen e-postadress till Lo Exempel (kontoansvarig)";
    assert_eq!(told(&stage).await, [missing], "told once, and that it could not be told");
    let tasks = stage.services.account_tasks(&owner).await.unwrap();
    assert_eq!(tasks[0].2, ["Årets genomgång väntar på svar, senast 2027-02-28."]);
    assert!(stage.services.account_tasks(&stage.editor).await.unwrap().is_empty());
    // The month is over: it stays on the list, and the administrator hears of it.
    go_to(&stage, "2027-03-01T09:00");
    let late = Flag::Unconfirmed { by, late: true };
    assert_eq!(file(&stage, &admin).await.entry.flags, [late]);
    notifier.register().await.unwrap();
    assert!(told(&stage).await.iter().any(|line| line.contains("administratören")));
    stage.services.confirm_account(&owner, "facebook", true, "").await.unwrap();
    let file = file(&stage, &owner).await;
    assert_eq!(file.entry.flags, []);
    assert_eq!(
        (file.entry.confirmations[0].year, file.entry.confirmations[0].active),
        (2027, true)
    );
    assert!(stage.services.confirm_account(&owner, "facebook", false, "").await.is_err());
}

#[tokio::test]
async fn t22_what_goes_to_the_archive_is_noted_with_its_receipt() {
    let stage = Stage::new().await;
    let (_, owner) = in_order(&stage).await;
    // The default policy archives on 15 October.
    go_to(&stage, "2027-10-15T09:00");
    let due = Flag::ArchiveDue { since: date(2027, 10, 15) };
    assert!(file(&stage, &owner).await.entry.flags.contains(&due));
    let (day, later) = (date(2027, 10, 15), date(2027, 10, 16));
    let words = ("Skärmbilder av kontot", "KA 2027/5");
    assert!(stage.services.note_archiving(&owner, "facebook", later, words).await.is_err());
    stage.services.note_archiving(&owner, "facebook", day, words).await.unwrap();
    let file = file(&stage, &owner).await;
    assert!(!file.entry.flags.contains(&due));
    assert_eq!(file.entry.archivings[0].receipt, "KA 2027/5");
}

#[tokio::test]
async fn t23_r24_an_account_closes_after_two_weeks_archived_and_with_the_diary_asked() {
    let stage = Stage::new().await;
    let (_, owner) = in_order(&stage).await;
    let (_, case) = stage.written(super::harness::THREAT).await;
    let services = &stage.services;
    go_to(&stage, "2026-11-23T09:00");
    let words = ("Kontot används inte längre.", "exempelstad.example");
    services.announce_closing(&owner, "facebook", date(2026, 11, 23), words).await.unwrap();
    let early = services.close_account(&owner, "facebook").await.unwrap_err().to_string();
    assert!(early.contains("Nämndens diarium är kontaktat"), "{early}");
    for step in [ClosingStep::Told, ClosingStep::Diary, ClosingStep::Communications] {
        services.note_closing_step(&owner, "facebook", step, "Kim, i dag").await.unwrap();
    }
    go_to(&stage, "2026-12-08T09:00");
    let early = services.close_account(&owner, "facebook").await.unwrap_err().to_string();
    assert!(early.contains("arkiverat") && !early.contains("diarium"), "{early}");
    // Neither does the schema let it go.
    let line = super::harness::viewer(Role::Owner, owner.user).line("account.closed", "prov");
    assert!(stage.store().close_account(stage.account, line, stage.now()).await.is_err());
    services.note_closing_step(&owner, "facebook", ClosingStep::Archived, "").await.unwrap();
    services.close_account(&owner, "facebook").await.unwrap();
    // Not read any more; its cases stay, and can be decided.
    assert!(stage.store().fetch_schedule(stage.now()).await.unwrap().is_empty());
    assert!(services.case_file(&stage.editor, case).await.is_ok());
    assert!(file(&stage, &owner).await.entry.flags.is_empty());
    assert!(services.public_list(&owner).await.unwrap().is_empty());
    services.withdraw_closing(&owner, "facebook", "Det stängdes av misstag.").await.unwrap();
    assert_eq!(stage.store().fetch_schedule(stage.now()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_days_on_which_an_account_was_closed_are_no_gap_though_it_was_opened_again() {
    let stage = Stage::new().await;
    let (_, owner) = in_order(&stage).await;
    let services = &stage.services;
    let words = ("Kontot används inte längre.", "");
    services.announce_closing(&owner, "facebook", date(2026, 11, 21), words).await.unwrap();
    for step in ClosingStep::ALL {
        services.note_closing_step(&owner, "facebook", *step, "").await.unwrap();
    }
    // From a Monday to a Friday.
    go_to(&stage, "2026-12-07T09:00");
    services.close_account(&owner, "facebook").await.unwrap();
    go_to(&stage, "2026-12-11T09:00");
    services.withdraw_closing(&owner, "facebook", "Det stängdes av misstag.").await.unwrap();
    go_to(&stage, "2026-12-14T09:00");
    let (first, last) = (date(2026, 12, 4), date(2026, 12, 14));
    let log = services.supervision(&owner, first, last).await.unwrap().remove(0);
    let days: Vec<_> = log.days.iter().map(|day| day.day.day()).collect();
    assert_eq!(days, [14, 13, 12, 11, 6, 5, 4]);
}

#[tokio::test]
async fn t23_two_weeks_pass_before_an_account_closes_though_all_is_done() {
    let stage = Stage::new().await;
    let (_, owner) = in_order(&stage).await;
    let services = &stage.services;
    let words = ("Kontot används inte längre.", "");
    services.announce_closing(&owner, "facebook", date(2026, 11, 21), words).await.unwrap();
    for step in ClosingStep::ALL {
        services.note_closing_step(&owner, "facebook", *step, "").await.unwrap();
    }
    go_to(&stage, "2026-12-04T23:59");
    let early = services.close_account(&owner, "facebook").await.unwrap_err().to_string();
    assert!(early.contains("tidigast 2026-12-05"), "{early}");
    go_to(&stage, "2026-12-05T00:01");
    services.close_account(&owner, "facebook").await.unwrap();
}

#[tokio::test]
async fn t24_t26_too_few_holders_and_a_year_without_review_are_told_to_the_owner() {
    let stage = Stage::new().await;
    let (admin, _) = in_order(&stage).await;
    let notifier = notifier(&stage);
    stage.services.set_account_part(&admin, "facebook", "kim", None).await.unwrap();
    let few = "Bara en person har hand om kontot, och minst 2 bör ha det.";
    let tasks = stage.services.account_tasks(&admin).await.unwrap();
    let left = "Någon slutade ha hand om kontot 2026-11-21: byt lösenordet på plattformen, och notera det.";
    assert_eq!(tasks[0].2, [few, left]);
    let mail = Some("lo@exempelstad.example".to_owned());
    let line = admin.line("user.mail", "user lo");
    let lo = stage.services.account_file(&admin, "facebook").await.unwrap().entry.people;
    let lo: &Reachable = &lo[0];
    stage.store().set_contact(lo.user.id, mail, line, stage.now()).await.unwrap();
    for _ in 0..2 {
        notifier.register().await.unwrap();
    }
    let subjects = async || {
        // Nothing of it is urgent: it waits for the hours in which people are written to.
        let open = stage.now() + jiff::SignedDuration::from_hours(72);
        let due = stage.store().due_notices(open, 50).await.unwrap();
        due.into_iter().map(|n| n.subject).collect::<Vec<_>>()
    };
    let name = "Exempelstads kommun (simulerad)";
    let told = ["För få har hand om kontot", "Byt lösenord till kontot"];
    assert_eq!(subjects().await, told.map(|subject| format!("{subject} {name}")));
    go_to(&stage, "2027-11-22T09:00");
    notifier.register().await.unwrap();
    let now = subjects().await;
    assert!(now.contains(&format!("Se över syftet med kontot {name}")), "{now:?}");
}

#[tokio::test]
async fn the_public_list_names_no_person() {
    let stage = Stage::new().await;
    let (_, owner) = in_order(&stage).await;
    let csv = stage.services.public_list_csv(&owner).await.unwrap();
    let csv = String::from_utf8(csv).unwrap().replace("\r\n", "\n");
    insta::assert_snapshot!(csv, @r"
    namn;plattform;adress;syfte;målgrupp;verksamhet
    Exempelstads kommun (simulerad);Facebook;https://facebook.example/exempelstad;Dialog med invånarna;Invånare;Kommunikationsavdelningen
    ");
    let json = serde_json::to_string(&stage.services.public_list(&owner).await.unwrap()).unwrap();
    assert!(!json.contains("Exempel\"") && !json.contains("Lo ") && json.contains("malgrupp"));
}

#[tokio::test]
async fn nobody_who_can_do_nothing_there_is_given_an_account_or_counts_for_it() {
    let stage = Stage::new().await;
    let admin = stage.person(Role::Administrator, "Ada").await;
    for (role, name) in [(Role::Auditor, "Rea"), (Role::Archivist, "Arne"), (Role::Editor, "Eva")] {
        stage.person(role, name).await;
    }
    let give = async |login: &str| {
        stage.services.set_account_part(&admin, "facebook", login, Some(Part::Owner)).await
    };
    for login in ["rea", "arne", "ada"] {
        let refused = give(login).await;
        assert!(matches!(refused, Err(ServiceError::Refused { .. })), "{login}: {refused:?}");
    }
    give("eva").await.unwrap();
    let entry = async || stage.services.register(&admin).await.unwrap().remove(0);
    assert!(entry().await.known.has_owner);
    // Who was given it and is closed since does not count.
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    raw.execute("update users set active = 0 where login = 'eva'", []).unwrap();
    let known = entry().await.known;
    assert!(!known.has_owner && known.holders == 0, "{known:?}");
}

#[tokio::test]
async fn a_card_that_somebody_else_has_changed_is_not_overwritten() {
    let stage = Stage::new().await;
    let (admin, owner) = in_order(&stage).await;
    let seen = Some(file(&stage, &owner).await.entry.revision);
    let sent = Sent { seen, publishes: false };
    let theirs = Card { audience: "Alla som bor här".into(), care: Care::Protected, ..card() };
    let typed = Typed { card: theirs.clone(), said: Said::ALL.to_vec(), reviewed: false };
    stage.services.save_card_as_sent(&admin, "facebook", typed, sent).await.unwrap();
    // The owner's page is older: it would take the mark away without anybody having meant that.
    let typed = Typed { card: card(), said: Said::ALL.to_vec(), reviewed: false };
    let stale = stage.services.save_card_as_sent(&owner, "facebook", typed.clone(), sent).await;
    let Err(ServiceError::Refused { why }) = &stale else { panic!("{stale:?}") };
    assert!(why.contains("Ada Exempel") && why.contains("Målgrupp: Alla som bor här"), "{why}");
    let entry = file(&stage, &owner).await.entry;
    assert_eq!(entry.card, theirs);
    // Read again, it is the person's to decide.
    let sent = Sent { seen: Some(entry.revision), publishes: false };
    stage.services.save_card_as_sent(&owner, "facebook", typed, sent).await.unwrap();
    assert_eq!(file(&stage, &owner).await.entry.card, card());
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let sql = "select detail from audit where act = 'account.card' order by id desc limit 1";
    let detail: String = raw.query_row(sql, [], |row| row.get(0)).unwrap();
    assert!(detail.contains("Målgrupp: Invånare") && detail.contains("Märkning"), "{detail}");
}

#[tokio::test]
async fn links_are_kept_as_they_are_parsed_and_the_public_is_spared_what_should_not_stand_there() {
    let stage = Stage::new().await;
    let (_, owner) = in_order(&stage).await;
    let save = async |card: Card, publishes: bool| {
        let typed = Typed { card, said: Said::ALL.to_vec(), reviewed: false };
        let sent = Sent { seen: None, publishes };
        stage.services.save_card_as_sent(&owner, "facebook", typed, sent).await
    };
    let with = |address: &str| Card { address: address.into(), ..card() };
    for bad in [
        "https://x.example/\u{202E}gro",
        "https://x.example/\nmer",
        "javascript:alert(1)",
        "https://a:b@x.example/",
        "x.example",
    ] {
        assert!(matches!(save(with(bad), false).await, Err(ServiceError::Refused { .. })), "{bad}");
    }
    save(with("https://forum.example/\"><script>"), false).await.unwrap();
    let list = stage.services.public_list(&owner).await.unwrap();
    assert_eq!(list[0].address, "https://forum.example/%22%3E%3Cscript%3E");
    let named = Card { purpose: "Frågor till Kim, 19121212-1212".into(), ..card() };
    let warned = save(named.clone(), false).await;
    let Err(ServiceError::Refused { why }) = &warned else { panic!("{warned:?}") };
    assert!(why.starts_with("Kontot står i den publika listan"), "{why}");
    save(Card { listed: false, ..named.clone() }, false).await.unwrap();
    save(named, true).await.unwrap();
    let long = Card { audience: "å".repeat(2_001), ..card() };
    let refused = save(long, false).await;
    let Err(ServiceError::Refused { why }) = &refused else { panic!("{refused:?}") };
    assert!(why.starts_with("Målgruppen kan inte sparas: texten är för lång"), "{why}");
}

#[tokio::test]
async fn days_out_of_range_are_refused_in_words_and_an_editor_says_when_they_are_away() {
    let stage = Stage::new().await;
    let (_, owner) = in_order(&stage).await;
    let services = &stage.services;
    let never = date(-9999, 1, 1);
    let today = crate::domain::calendar::local(stage.now()).date();
    let refused = |done: Result<(), ServiceError>| match done {
        Err(ServiceError::Refused { why }) => why,
        other => panic!("{other:?}"),
    };
    let why = refused(services.set_absence(&owner, "kim", (never, today)).await);
    assert!(why.contains("2000 och 2100"), "{why}");
    let why =
        refused(services.note_archiving(&owner, "facebook", never, ("Allt vi har", "")).await);
    assert!(why.contains("2000 och 2100"), "{why}");
    let words = ("Sidan behövs inte mer", "");
    let early = date(1999, 12, 31);
    refused(services.announce_closing(&owner, "facebook", early, words).await);
    let before = today.yesterday().unwrap().yesterday().unwrap();
    let why = refused(services.announce_closing(&owner, "facebook", before, words).await);
    assert!(why.starts_with("Kontot finns här sedan"), "{why}");
    let past = (before, today.yesterday().unwrap());
    let why = refused(services.set_absence(&stage.editor, "kim", past).await);
    assert!(why.starts_with("De dagarna har redan varit"), "{why}");
    // The form is there for oneself, and the days can be taken back.
    let away_for = file(&stage, &stage.editor).await.away_for;
    assert_eq!(away_for, [("kim".to_owned(), "Kim Exempel".to_owned())]);
    services.set_absence(&stage.editor, "kim", (today, today)).await.unwrap();
    let absences = file(&stage, &stage.editor).await.absences;
    assert!(absences.iter().all(|(_, may)| *may) && absences.len() == 1, "{absences:?}");
    let siv = stage.person(Role::Editor, "Siv").await;
    let theirs = file(&stage, &siv).await;
    assert!(theirs.away_for.is_empty() && !theirs.absences[0].1);
}

#[test]
fn a_unit_is_named_by_whole_words_and_not_by_letters_within_others() {
    let said = |unit: &str, text: &str| {
        let card = Card { unit: unit.into(), ..card() };
        card.said_in("Exempelstads kommun", text)
            .into_iter()
            .any(|(said, holds)| said == Said::Identity && holds)
    };
    assert!(!said("IT", "Kom ihåg att vi har kommit hit."));
    assert!(!said("Vård", "Här skriver vi om vårdcentraler."));
    assert!(said("Vård och omsorg", "Här skriver Vård och omsorg."));
    assert!(said("IT", "Exempelstads kommun svarar."));
}

#[tokio::test]
async fn t18_a_password_is_due_after_a_year_and_when_somebody_leaves_and_two_steps_are_asked_for() {
    let mut stage = Stage::new().await;
    stage.under(|policy| policy.duties.accounts.two_steps = true).await;
    let (_, owner) = in_order(&stage).await;
    let due = async || {
        let flags = file(&stage, &owner).await.entry.flags;
        let of = |flag: &&Flag| matches!(flag, Flag::PasswordDue { .. } | Flag::OneStep);
        flags.iter().filter(of).cloned().collect::<Vec<_>>()
    };
    let key = "facebook";
    let note = async |kind, day| stage.services.note_safety(&owner, key, (kind, day), "").await;
    assert_eq!(due().await, [Flag::OneStep]);
    note(Safety::TwoSteps, date(2026, 11, 21)).await.unwrap();
    assert_eq!(due().await, []);
    // Whoever leaves may know the password.
    let people = file(&stage, &owner).await.entry.people;
    let gone = people.iter().find(|p| p.user.id != owner.user).unwrap().user.login.clone();
    stage.services.set_account_part(&owner, key, &gone, None).await.unwrap();
    let left = Flag::PasswordDue { since: date(2026, 11, 21), left: true };
    assert_eq!(due().await, [left]);
    for bad in [date(2026, 11, 22), date(1999, 1, 1)] {
        assert!(note(Safety::Password, bad).await.is_err(), "{bad}");
    }
    assert!(note(Safety::Left, date(2026, 11, 21)).await.is_err(), "by itself alone");
    note(Safety::Password, date(2026, 11, 21)).await.unwrap();
    assert_eq!(due().await, [], "it was noted after they had left");
    // Whoever leaves later the same day knows the new one.
    stage.services.set_account_part(&owner, key, &gone, Some(Part::Editor)).await.unwrap();
    stage.services.set_account_part(&owner, key, &gone, None).await.unwrap();
    assert_eq!(due().await, [Flag::PasswordDue { since: date(2026, 11, 21), left: true }]);
    note(Safety::Password, date(2026, 11, 21)).await.unwrap();
    assert_eq!(due().await, []);
    stage.clock.advance(SignedDuration::from_hours(24 * 365));
    let yearly = Flag::PasswordDue { since: date(2027, 11, 21), left: false };
    assert!(yearly.words().contains("2027-11-21") && yearly.is_told());
    assert_eq!(due().await, [yearly]);
    // It is the owner's or the administrator's to say, and it stays.
    let refused =
        stage.services.note_safety(&stage.editor, key, (Safety::Password, date(2027, 11, 21)), "");
    assert!(matches!(refused.await, Err(ServiceError::NotPermitted { .. })));
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    assert!(raw.execute("delete from account_safety", []).is_err());
    assert!(raw.execute("update account_safety set day = '2030-01-01'", []).is_err());
}

#[tokio::test]
async fn t25_an_incident_is_noted_with_its_times_and_told_at_once() {
    let stage = Stage::new().await;
    let (_, owner) = in_order(&stage).await;
    let incident = (Safety::Incident, date(2026, 11, 21));
    let note = async |words| stage.services.note_safety(&owner, "facebook", incident, words).await;
    assert!(note(" ").await.is_err(), "what happened is demanded");
    note("Någon annan lägger ut reklam sedan i morse.").await.unwrap();
    let row = file(&stage, &owner).await.safety.remove(0);
    assert_eq!((row.kind, row.at, row.by.as_str()), (incident.0, stage.now(), owner.name.as_str()));
    let troubles = stage.services.notice_troubles(&stage.editor).await.unwrap();
    let told = troubles.iter().find(|t| t.subject.contains("är kapat")).unwrap();
    let problem = format!("{told:?}");
    assert!(problem.contains("senast 2026-11-24 kl. 00:00"), "{problem}");
    assert_eq!(stage.store().audit_count("account.safety").await.unwrap(), 1);
    stage.verified().await;
}

#[tokio::test]
async fn t25_an_account_that_was_taken_over_is_flagged_and_told_until_each_step_is_noted_with_its_time()
 {
    let stage = Stage::new().await;
    let (_, owner) = in_order(&stage).await;
    let key = "facebook";
    let incident = (Safety::Incident, date(2026, 11, 21));
    let (store, clock) = (stage.store(), stage.clock.clock());
    for login in ["lo", "ada"] {
        let mail = format!("{login}@exempelstad.example");
        people::set_mail(store, &clock, login, Some(&mail)).await.unwrap();
    }
    let notifier = notifier(&stage);
    notifier.round().await.unwrap();
    stage.services.note_safety(&owner, key, incident, "Någon annan är inloggad.").await.unwrap();
    // In the same hour, to the owner and the administrator, day or night.
    notifier.round().await.unwrap();
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let sql = "select count(*) from notices where kind = 'register' and urgent = 1 and subject like '%kapat%'";
    assert_eq!(raw.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap(), 2);
    let flags = async || file(&stage, &owner).await.entry.flags;
    let open = async || match flags().await.first() {
        Some(Flag::Incident(open)) => Some(open.clone()),
        _ => None,
    };
    let first = open().await.unwrap();
    assert_eq!((first.since, first.missing().len()), (date(2026, 11, 21), 4));
    assert_eq!(first.tell_by.to_string(), "2026-11-23T23:00:00Z", "72 hours");
    assert!(Flag::Incident(first).is_told(), "by mail too");
    let step = async |step, at: &str, note: &str| {
        stage.services.note_incident_step(&owner, key, step, (at, note)).await
    };
    use IncidentStep::{Communications, NoDataProtection, Over, Regained, Reported};
    let why = why_refused(step(Over, "", "").await);
    assert!(why.starts_with("Det här är inte noterat: anmält som"), "{why}");
    for bad in ["2026-11-22T09:00", "2026-11-20T09:00", "i går"] {
        why_refused(step(Reported, bad, "").await);
    }
    step(Reported, "2026-11-21T11:30", "Servicedesk, ärende 12.").await.unwrap();
    why_refused(step(Reported, "", "").await);
    for done in [Communications, Regained] {
        step(done, "", "").await.unwrap();
    }
    why_refused(step(NoDataProtection, "", "").await);
    step(NoDataProtection, "", "Inga personuppgifter kan ha kommit ut.").await.unwrap();
    let tasks = async || {
        let troubles = stage.services.notice_troubles(&stage.editor).await.unwrap();
        troubles.iter().filter(|t| t.who == "informationssäkerhet").count()
    };
    assert_eq!((tasks().await, open().await.unwrap().missing()), (1, Vec::new()));
    step(Over, "", "").await.unwrap();
    assert_eq!((tasks().await, open().await), (0, None));
    why_refused(step(Over, "", "").await);
    let steps = file(&stage, &owner).await.incident_steps;
    assert_eq!(steps.len(), 5);
    let reported = steps.last().unwrap();
    assert_eq!(reported.done_at.to_string(), "2026-11-21T10:30:00Z");
    assert_eq!((reported.at, reported.by.as_str()), (stage.now(), owner.name.as_str()));
    let step = stage.services.note_incident_step(&stage.editor, key, Reported, ("", ""));
    assert!(matches!(step.await, Err(ServiceError::NotPermitted { .. })));
    for sql in [
        "delete from incident_steps",
        "update incident_steps set done_at = 1",
        "insert into incident_steps select null, incident_id, 'anmald_imy', 1, 'x', 1, 'x' from incident_steps limit 1",
    ] {
        assert!(raw.execute(sql, []).is_err(), "{sql}");
    }
    stage.verified().await;
}

#[tokio::test]
async fn each_year_the_owner_vouches_by_name_that_whoever_works_with_the_account_is_employed() {
    let stage = Stage::new().await;
    let (_, owner) = in_order(&stage).await;
    go_to(&stage, "2027-02-01T09:00");
    stage.services.confirm_account(&owner, "facebook", true, "").await.unwrap();
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let sql = "select user_name, detail from audit where act = 'account.confirm'";
    let (by, said): (String, String) =
        raw.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(by, owner.name);
    assert!(said.contains("är anställda: Lo Exempel") && said.contains("Kim Exempel"), "{said}");
}
