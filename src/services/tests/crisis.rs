//! Crisis mode: one act by an administrator, what it changes while it stands, and that it ends by itself.

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};

use super::harness::{Stage, THREAT};
use super::notices::notifier;
use crate::domain::notice::Part;
use crate::domain::person::Role;
use crate::domain::supervision::DayKept;
use crate::services::ServiceError;
use crate::services::crisis::Typed;
use crate::services::{Viewer, people};

fn typed(until: &str) -> Typed {
    Typed { why: "Vattnet är otjänligt.".into(), until: until.into(), ..Typed::default() }
}

/// The clock goes to a moment of Swedish winter time.
fn go_to(stage: &Stage, at: &str) {
    let at: Timestamp = format!("{at}+01:00").parse().unwrap();
    stage.clock.advance(at.duration_since(stage.now()));
}

async fn admin(stage: &Stage) -> Viewer {
    stage.person(Role::Administrator, "Ada").await
}

#[tokio::test]
async fn t14_a_crisis_is_one_act_that_reads_accounts_more_often_and_ends_by_itself() {
    let mut stage = Stage::new().await;
    stage.under(|policy| policy.duties.crisis.poll_s = 20).await;
    let admin = admin(&stage).await;
    stage.poll().await;
    let next = async || stage.store().fetch_state(stage.account).await.unwrap().next_at;
    // The account is otherwise read every minute.
    assert!(next().await.duration_since(stage.now()) > SignedDuration::from_secs(30));
    let quota = stage.services.rule_quota();
    stage.services.begin_crisis(&admin, &typed("2026-11-21T18:00")).await.unwrap();
    assert_eq!(stage.services.rule_quota(), quota * 10);
    assert!(next().await <= stage.now(), "read at once");
    stage.poll().await;
    assert!(next().await.duration_since(stage.now()) <= SignedDuration::from_secs(22));
    let words = stage.services.crisis_words().unwrap();
    let said = "Krisläge för alla konton till 21 november kl. 18:00: Vattnet är otjänligt.";
    assert_eq!(words, said);
    // Over at the very moment, and written down by the next round.
    go_to(&stage, "2026-11-21T18:00");
    assert_eq!(stage.services.crisis_words(), None);
    assert_eq!(stage.services.rule_quota(), quota);
    stage.services.end_crisis_if_over().await.unwrap();
    let board = stage.services.crises(&stage.editor).await.unwrap();
    let (ended, by) = board.past[0].ended.clone().unwrap();
    assert_eq!((ended, by), (board.past[0].until, None));
    for act in ["crisis.begin", "crisis.end"] {
        assert_eq!(stage.store().audit_count(act).await.unwrap(), 1, "{act}");
    }
    stage.verified().await;
}

#[tokio::test]
async fn only_an_administrator_begins_and_ends_it_and_one_stands_at_a_time() {
    let mut stage = Stage::new().await;
    let admin = admin(&stage).await;
    let until = typed("2026-11-22T18:00");
    let refused = stage.services.begin_crisis(&stage.editor, &until).await;
    assert!(matches!(refused, Err(ServiceError::NotPermitted { .. })));
    for bad in ["", "i morgon", "2026-11-21T12:00", "2027-02-01T12:00"] {
        let refused = stage.services.begin_crisis(&admin, &typed(bad)).await;
        assert!(matches!(refused, Err(ServiceError::Refused { .. })), "{bad}");
    }
    let unknown = Typed { accounts: vec!["ingen".into()], ..until.clone() };
    assert!(stage.services.begin_crisis(&admin, &unknown).await.is_err());
    assert!(stage.services.crisis().is_none());
    stage.services.begin_crisis(&admin, &until).await.unwrap();
    assert!(stage.services.begin_crisis(&admin, &until).await.is_err());
    // Its end can be moved, by the same person and within the same bounds.
    assert!(stage.services.move_crisis(&stage.editor, "2026-11-23T18:00").await.is_err());
    for bad in ["", "2026-11-21T11:00", "2027-02-01T12:00"] {
        assert!(stage.services.move_crisis(&admin, bad).await.is_err(), "{bad}");
    }
    stage.services.move_crisis(&admin, "2026-11-23T18:00").await.unwrap();
    let moved = stage.services.crisis().unwrap().until.to_string();
    assert_eq!(moved, "2026-11-23T17:00:00Z");
    assert_eq!(stage.store().audit_count("crisis.move").await.unwrap(), 1);
    assert!(stage.services.end_crisis(&stage.editor).await.is_err());
    // It stands also after a new start.
    stage.restart().await;
    stage.services.open_crisis().await.unwrap();
    assert!(stage.services.crisis().is_some());
    stage.services.end_crisis(&admin).await.unwrap();
    assert!(stage.services.end_crisis(&admin).await.is_err());
    let board = stage.services.crises(&stage.editor).await.unwrap();
    assert_eq!(board.past[0].ended.as_ref().unwrap().1.as_deref(), Some("Ada Exempel"));
}

#[tokio::test]
async fn in_a_crisis_everybody_of_the_account_and_who_was_called_in_is_told_at_any_hour() {
    let stage = Stage::new().await;
    let admin = admin(&stage).await;
    let (store, clock) = (stage.store(), stage.clock.clock());
    stage.person(Role::Editor, "Eva").await;
    for (login, mail) in [("kim", "kim@exempelstad.example"), ("eva", "eva@exempelstad.example")] {
        people::set_mail(store, &clock, login, Some(mail)).await.unwrap();
    }
    people::set_part(store, &clock, "facebook", "kim", Some(Part::Editor)).await.unwrap();
    let called = Typed { people: vec!["eva".into()], ..typed("2026-11-22T18:00") };
    stage.services.begin_crisis(&admin, &called).await.unwrap();
    // Half past eleven on a Saturday night.
    go_to(&stage, "2026-11-21T23:30");
    stage.written("När öppnar badhuset i Provdalen? Kan ni svara på det?").await;
    let notifier = notifier(&stage);
    while notifier.plan().await.unwrap() {}
    let due = stage.store().due_notices(stage.now(), 50).await.unwrap();
    let mut told: Vec<_> = due.iter().map(|n| (n.who.as_str(), n.urgent)).collect();
    told.sort_unstable();
    let eva = ("Eva Exempel (inkallad i krisläget)", true);
    assert_eq!(told, [eva, ("Kim Exempel (redaktör)", true)]);
    assert!(due[0].subject.starts_with("Krisläge, nytt ärende: ärende 1"), "{}", due[0].subject);
}

#[tokio::test]
async fn t14_while_it_stands_a_gap_is_shorter_and_only_for_its_accounts() {
    let stage = Stage::new().await;
    let admin = admin(&stage).await;
    // A Monday. The crisis begins at ten; before that two hours without a look are no gap.
    go_to(&stage, "2026-11-23T10:00");
    stage.services.looked(&stage.editor, None).await;
    stage.services.begin_crisis(&admin, &typed("2026-11-23T15:00")).await.unwrap();
    for at in ["2026-11-23T10:50", "2026-11-23T12:30", "2026-11-23T13:20", "2026-11-23T14:10"] {
        go_to(&stage, at);
        stage.services.looked(&stage.editor, None).await;
    }
    go_to(&stage, "2026-11-24T09:00");
    let (first, last) = (date(2026, 11, 23), date(2026, 11, 24));
    let logs = stage.services.supervision(&stage.editor, first, last).await.unwrap();
    let monday = logs[0].days.iter().find(|day| day.day == first).unwrap();
    assert!(
        matches!(monday.kept, DayKept::TooSeldom { minutes: 100, most: 60, .. }),
        "{:?}",
        monday.kept
    );
    let other = stage.services.crises(&stage.editor).await.unwrap().past[0].clone();
    let other = crate::domain::crisis::Crisis {
        accounts: vec![crate::domain::ids::AccountId(999)],
        ..other
    };
    assert!(!other.covers(stage.account));
}

#[tokio::test]
async fn the_threat_of_a_calm_day_is_told_as_before() {
    let stage = Stage::new().await;
    stage.written(THREAT).await;
    let notifier = notifier(&stage);
    while notifier.plan().await.unwrap() {}
    let troubles = stage.services.notice_troubles(&stage.editor).await.unwrap();
    // Nobody has given an address; of a crisis there is no word.
    let subjects: Vec<_> = troubles.iter().map(|trouble| trouble.subject.as_str()).collect();
    assert_eq!(subjects, ["Ingen e-postadress till administratören"]);
}

#[tokio::test]
async fn the_leaf_says_who_does_what_whom_to_ring_and_how_to_go_back_before_and_in_a_crisis() {
    let stage = Stage::new().await;
    let admin = admin(&stage).await;
    let (store, clock) = (stage.store(), stage.clock.clock());
    stage.person(Role::Editor, "Eva").await;
    people::set_part(store, &clock, "facebook", "kim", Some(Part::Editor)).await.unwrap();
    let calm = stage.services.crisis_sheet(&stage.editor).await.unwrap();
    assert!(calm.state[0].starts_with("Krisläge råder inte"), "{:?}", calm.state);
    assert_eq!(calm.accounts[0].1, [("redaktör", "Kim Exempel".to_owned())]);
    assert!(calm.tasks.iter().any(|(what, who)| what.contains("avslutar") && who == "Ada Exempel"));
    for number in ["112", "113 13"] {
        assert!(calm.numbers.iter().any(|(_, told)| told == number), "{number}");
    }
    assert!(calm.texts.len() >= 4 && calm.texts[0].1.starts_with("Exempelstads kommun"));
    let called = Typed { people: vec!["eva".into()], ..typed("2026-11-21T18:00") };
    stage.services.begin_crisis(&admin, &called).await.unwrap();
    let sheet = stage.services.crisis_sheet(&stage.editor).await.unwrap();
    assert!(sheet.state[0].contains("infört av Ada Exempel"), "{:?}", sheet.state);
    assert!(sheet.state[1].contains("2026-11-21 18:00"), "{:?}", sheet.state);
    assert!(
        sheet.tasks.iter().any(|(what, who)| what.starts_with("Inkallade") && who == "Eva Exempel")
    );
    // What the leaf says of how to go back is so.
    let quota = stage.services.rule_quota();
    stage.services.end_crisis(&admin).await.unwrap();
    assert!(stage.services.rule_quota() < quota && stage.services.crisis_words().is_none());
    let again = stage.services.crisis_sheet(&stage.editor).await.unwrap();
    assert_eq!(again.state[0], calm.state[0]);
}

#[tokio::test]
async fn t14_in_a_crisis_every_editor_has_one_queue_and_is_told_and_afterwards_it_is_as_before() {
    let mut stage = Stage::new().await;
    let admin = admin(&stage).await;
    stage.written("När öppnar badhuset i Provdalen? Kan ni svara på det?").await;
    // An editor of other accounts.
    let eva = stage.person(Role::Editor, "Eva").await;
    let clock = stage.clock.clock();
    people::set_mail(stage.store(), &clock, "eva", Some("eva@exempelstad.example")).await.unwrap();
    let own = async |stage: &Stage| {
        let query = crate::services::filters::Query::read("vems=konton");
        stage.services.sifted(&eva, &query, 0).await.unwrap().lines.len()
    };
    let told = async |stage: &Stage| {
        let notifier = notifier(stage);
        while notifier.plan().await.unwrap() {}
        let due = stage.store().due_notices(stage.now(), 50).await.unwrap();
        due.iter().filter(|notice| notice.who.starts_with("Eva")).count()
    };
    assert_eq!((own(&stage).await, told(&stage).await), (0, 0));
    let until = typed("2026-11-22T18:00");
    stage.services.begin_crisis(&admin, &until).await.unwrap();
    stage.written("Var finns vatten att hämta i Provdalen? Kan ni svara?").await;
    assert_eq!((own(&stage).await, told(&stage).await), (2, 1));
    stage.services.end_crisis(&admin).await.unwrap();
    stage.written("Hur länge är bron i Provdalen stängd? Kan ni svara?").await;
    assert_eq!((own(&stage).await, told(&stage).await), (0, 1), "as before");
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let sql = "select detail from audit where act = 'crisis.begin'";
    let line: String = raw.query_row(sql, [], |row| row.get(0)).unwrap();
    assert!(line.ends_with("(gemensam kö, besked till alla)"), "{line}");

    // A policy may leave both as they are.
    let calm = |policy: &mut crate::domain::policy::Policy| {
        policy.duties.crisis.central_queue = false;
        policy.duties.crisis.tells_everybody = false;
    };
    stage.under(calm).await;
    stage.services.begin_crisis(&admin, &until).await.unwrap();
    stage.written("När kommer bussen i Provdalen i dag? Kan ni svara?").await;
    assert_eq!((own(&stage).await, told(&stage).await), (0, 1));
}

#[tokio::test]
async fn the_leaf_speaks_to_who_holds_the_paper() {
    let stage = Stage::new().await;
    let admin = admin(&stage).await;
    for heading in ["när krisläget har införts", "i krisläget"] {
        let sheet = stage.services.crisis_sheet(&stage.editor).await.unwrap();
        assert!(sheet.changes.0.ends_with(heading), "{}", sheet.changes.0);
        let words = format!("{:?} {:?} {:?}", sheet.state, sheet.changes, sheet.back);
        assert!(!words.contains("väljer här") && words.contains("/krislage"), "{words}");
        assert!(words.contains("de som är inkallade"), "{words}");
        drop(stage.services.begin_crisis(&admin, &typed("2026-11-22T18:00")).await);
    }
}
