//! The supervision log: what a person saw and the machine read, held against the policy; written once in ten
//! minutes, never changed, and told as it is.

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::harness::{Stage, THREAT, viewer};
use crate::domain::calendar::OfficeHours;
use crate::domain::duties::{Duties, Watch, Watching};
use crate::domain::ids::UserId;
use crate::domain::notice::Part;
use crate::domain::person::Role;
use crate::domain::supervision::{DayKept, Uncovered};
use crate::services::claims::Look;
use crate::services::supervision::AccountLog;
use crate::services::{ServiceError, Viewer, people};

async fn log(stage: &Stage, from: (i8, i8), to: (i8, i8)) -> AccountLog {
    let (first, last) = (date(2026, from.0, from.1), date(2026, to.0, to.1));
    let logs = stage.services.supervision(&stage.editor, first, last).await.unwrap();
    logs.into_iter().next().expect("the account")
}

/// The clock goes to a moment of Swedish winter time.
fn go_to(stage: &Stage, at: &str) {
    let at: Timestamp = format!("{at}+01:00").parse().unwrap();
    stage.clock.advance(at.duration_since(stage.now()));
}

/// Everything that the account's days were, the oldest first.
fn kept(log: &AccountLog) -> Vec<(i8, String)> {
    let mut days: Vec<_> = log.days.iter().map(|d| (d.day.day(), d.kept.words())).collect();
    days.reverse();
    days
}

fn owned(words: &[(i8, &str)]) -> Vec<(i8, String)> {
    words.iter().map(|(day, words)| (*day, (*words).to_owned())).collect()
}

#[tokio::test]
async fn t10_daily_watching_counts_the_holidays_too() {
    let mut stage = Stage::new().await;
    stage.under(|policy| policy.duties.watching.how = Watch::Daily).await;
    // A Friday, the Saturday not, the Sunday, and the Monday is not over.
    for at in ["2026-11-27T09:00", "2026-11-29T15:00", "2026-11-30T08:30"] {
        go_to(&stage, at);
        stage.services.looked(&stage.editor, None).await;
    }
    let log = log(&stage, (11, 27), (12, 3)).await;
    let days = [(27, "sedd"), (28, "ingen har tittat"), (29, "sedd"), (30, "pågår")];
    assert_eq!(kept(&log), owned(&days));
    assert_eq!((log.n_wanted(), log.n_gaps()), (3, 1));
    assert_eq!(log.wants, "varje dag, också när den ansvarige är ledig");
    assert_eq!(log.days[3].who, ["Kim Exempel"]);
}

#[tokio::test]
async fn t11_t13_weekdays_that_are_no_holidays_are_watched_over_christmas() {
    let stage = Stage::new().await;
    go_to(&stage, "2026-12-23T10:00");
    stage.services.looked(&stage.editor, None).await;
    go_to(&stage, "2026-12-28T17:00");
    let log = log(&stage, (12, 23), (12, 28)).await;
    let free = "ingen tillsyn krävs";
    let days =
        [(23, "sedd"), (24, free), (25, free), (26, free), (27, free), (28, "ingen har tittat")];
    assert_eq!(kept(&log), owned(&days));
    assert_eq!(log.n_gaps(), 1);
}

#[tokio::test]
async fn t12_open_comments_are_not_left_longer_than_the_policy_lets_them_in_working_time() {
    let mut stage = Stage::new().await;
    stage
        .under(|policy| {
            policy.duties.watching.gap_min = Some(120);
            policy.office = OfficeHours::default();
        })
        .await;
    for at in ["2026-11-25T08:10", "2026-11-25T10:00", "2026-11-25T13:30", "2026-11-25T15:00"] {
        go_to(&stage, at);
        // A case of the account is a look at the account.
        stage.services.looked(&stage.editor, Some(stage.account)).await;
    }
    go_to(&stage, "2026-11-25T18:00");
    let log = log(&stage, (11, 25), (11, 25)).await;
    let gap = "3 h 30 min utan titt från kl. 10:00, högst 2 h tillåts";
    assert_eq!(kept(&log), owned(&[(25, gap)]));
    assert!(matches!(log.days[0].kept, DayKept::TooSeldom { minutes: 210, most: 120, .. }));
    assert!(log.wants.contains("högst 120 minuter"), "{}", log.wants);
}

#[tokio::test]
async fn looks_are_noted_once_in_ten_minutes_of_those_who_can_act_and_stay() {
    let mut stage = Stage::new().await;
    go_to(&stage, "2026-11-25T09:00");
    let auditor = stage.person(Role::Auditor, "Gun").await;
    stage.services.looked(&auditor, None).await;
    for _ in 0..5 {
        stage.services.looked(&stage.editor, None).await;
        stage.wait_s(60);
    }
    stage.restart().await;
    // What is held in memory is gone: the row is not written twice all the same.
    stage.services.looked(&stage.editor, None).await;
    stage.wait_s(600);
    stage.services.looked(&stage.editor, None).await;
    let log = log(&stage, (11, 25), (11, 25)).await;
    assert_eq!(log.days[0].n_looks, 2);
    assert_eq!(log.days[0].who, ["Kim Exempel"]);
}

#[tokio::test]
async fn opening_a_case_is_a_look_and_the_machines_rounds_stand_beside_it() {
    let stage = Stage::new().await;
    let (_, case) = stage.written(THREAT).await;
    // A page that follows the case by itself is no look.
    stage.services.case_opened(&stage.editor, case, Look::Follows).await.unwrap();
    assert_eq!(log(&stage, (11, 21), (11, 21)).await.days[0].n_looks, 0);
    stage.services.case_opened(&stage.editor, case, Look::Opens).await.unwrap();
    let log = log(&stage, (11, 21), (11, 21)).await;
    let day = &log.days[0];
    assert_eq!((day.n_looks, day.machine_hours, day.failed_hours), (1, 1, 0));
    // A Saturday.
    assert_eq!(day.kept, DayKept::Free);
}

#[tokio::test]
async fn a_day_when_everybody_of_an_account_is_away_is_told_before() {
    let stage = Stage::new().await;
    let (store, clock) = (stage.store(), stage.clock.clock());
    stage.person(Role::Editor, "Eva").await;
    assert!(!log(&stage, (11, 21), (11, 21)).await.has_people);
    for (login, part) in [("kim", Part::Owner), ("eva", Part::Substitute)] {
        people::set_part(store, &clock, "facebook", login, Some(part)).await.unwrap();
    }
    let kim = (date(2026, 11, 23), date(2026, 11, 29));
    let eva = (date(2026, 11, 26), date(2026, 12, 1));
    people::set_away(store, &clock, "kim", Some(kim)).await.unwrap();
    people::set_away(store, &clock, "eva", Some(eva)).await.unwrap();
    let log = log(&stage, (11, 21), (11, 21)).await;
    // Thursday and Friday; the weekend asks for nobody.
    assert_eq!(log.uncovered, [date(2026, 11, 26), date(2026, 11, 27)]);
    let notifier = super::notices::notifier(&stage);
    // On the next days too: it is the same absence.
    for _ in 0..3 {
        notifier.coverage().await.unwrap();
        stage.clock.advance(SignedDuration::from_hours(24));
    }
    let told = stage.store().due_notices(stage.now(), 10).await.unwrap();
    assert!(told.is_empty(), "{told:?}");
    people::set_mail(store, &clock, "kim", Some("kim@exempelstad.example")).await.unwrap();
    for _ in 0..3 {
        notifier.coverage().await.unwrap();
        stage.clock.advance(SignedDuration::from_hours(12));
    }
    let told = stage.store().due_notices(stage.now(), 10).await.unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].body.contains("borta 2026-11-26, 2026-11-27, och"));
    // Nobody has given an address: it is not passed over in silence, and told once.
    let troubles = stage.services.notice_troubles(&stage.editor).await.unwrap();
    let who: Vec<_> = troubles.iter().map(|trouble| trouble.who.as_str()).collect();
    assert_eq!(who[..2], ["Kim Exempel (kontoansvarig)", "administratören"]);
    assert_eq!(troubles[0].subject, "Ingen e-postadress till Kim Exempel (kontoansvarig)");
    assert!(log.has_people);
}

#[test]
fn a_free_day_is_no_gap_before_it_is_over() {
    let office = OfficeHours::default();
    let daily = Watching { how: Watch::Daily, ..Duties::default().watching };
    let at = |text: &str| format!("{text}+01:00").parse::<Timestamp>().unwrap();
    let saturday = date(2026, 11, 21);
    for (now, kept) in [
        ("2026-11-21T00:01", DayKept::UnderWay),
        ("2026-11-21T23:59", DayKept::UnderWay),
        ("2026-11-22T00:01", DayKept::Missed),
    ] {
        assert_eq!(daily.kept(saturday, &[], office, false, at(now)), kept, "{now}");
    }
    let friday = daily.kept(date(2026, 11, 20), &[], office, false, at("2026-11-20T19:00"));
    assert_eq!(friday, DayKept::Missed);
}

#[test]
fn a_stretch_without_anybody_is_the_same_on_each_day_that_it_is_looked_at() {
    let watching = Watching { how: Watch::WorkingDays, ..Duties::default().watching };
    let week = vec![(date(2026, 11, 30), date(2026, 12, 4))];
    let mut keys = std::collections::BTreeSet::new();
    for n in 0..19 {
        let today = date(2026, 11, 16).checked_add(n.days()).unwrap();
        let found = watching.uncovered(std::slice::from_ref(&week), today);
        // From fourteen days before on, until it is over.
        assert_eq!(found.is_empty(), n == 0, "{today}");
        keys.extend(found.iter().map(Uncovered::key));
    }
    assert_eq!(keys.len(), 1, "{keys:?}");
    // Longer absences are another thing to tell; one without an end is told once.
    let mut longer = week.clone();
    longer.push((date(2026, 12, 5), date(2026, 12, 8)));
    let other = watching.uncovered(&[longer], date(2026, 12, 1));
    assert!(!keys.contains(&other[0].key()));
    assert_eq!(other[0].words(date(2026, 12, 1)), "från 2026-12-01 till 2026-12-08");
    assert_eq!(other[0].words(date(2026, 12, 7)), "2026-12-07, 2026-12-08");
    let year = vec![(date(2026, 1, 1), date(2027, 12, 31))];
    let keys: std::collections::BTreeSet<_> = (0..200)
        .flat_map(|n| {
            let today = date(2026, 6, 1).checked_add(n.days()).unwrap();
            watching.uncovered(std::slice::from_ref(&year), today)
        })
        .map(|stretch| stretch.key())
        .collect();
    assert_eq!(keys.len(), 1, "{keys:?}");
    // Somebody is there, and nobody is set.
    assert!(watching.uncovered(&[week, Vec::new()], date(2026, 11, 30)).is_empty());
    assert!(watching.uncovered(&[], date(2026, 11, 30)).is_empty());
}

#[tokio::test]
async fn the_table_has_a_line_for_each_day_and_marks_gaps() {
    let stage = Stage::new().await;
    go_to(&stage, "2026-11-25T09:00");
    stage.services.looked(&stage.editor, None).await;
    go_to(&stage, "2026-11-26T18:00");
    let days = (date(2026, 11, 25), date(2026, 11, 26));
    let table = stage.services.supervision_csv(&stage.editor, days.0, days.1).await.unwrap();
    let table = String::from_utf8(table).unwrap().replace("\r\n", "\n");
    insta::assert_snapshot!(table, @r"
    konto;namn;plattform;riktlinjen_kräver;dag;lucka;tillsyn;antal_titter;första;sista;av;timmar_maskinen_läste;timmar_maskinen_misslyckades
    facebook;Exempelstads kommun (simulerad);Facebook;alla helgfria vardagar;2026-11-26;ja;ingen har tittat;0;;;;0;0
    facebook;Exempelstads kommun (simulerad);Facebook;alla helgfria vardagar;2026-11-25;nej;sedd;1;09:00;09:00;Kim Exempel;0;0
    ");
    let key =
        stage.services.supervision(&stage.editor, days.0, days.1).await.unwrap()[0].key.clone();
    let document = stage.services.supervision_pdf(&stage.editor, &key, days).await.unwrap();
    assert!(document.starts_with(b"%PDF") && !document.is_empty());
    let none = stage.services.supervision_pdf(&stage.editor, "finns-inte", days).await;
    assert!(matches!(none, Err(ServiceError::NotFound { .. })));
    let backwards = stage.services.supervision(&stage.editor, days.1, days.0).await;
    assert!(backwards.is_err());
    let years = stage.services.supervision(&stage.editor, date(2020, 1, 1), days.1).await;
    assert!(years.is_err());
}

#[tokio::test]
async fn days_before_an_account_was_known_are_no_gaps() {
    let stage = Stage::new().await;
    go_to(&stage, "2026-11-24T18:00");
    // Known since Saturday the 21st.
    let log = log(&stage, (11, 1), (11, 24)).await;
    let free = "ingen tillsyn krävs";
    let missed = "ingen har tittat";
    assert_eq!(kept(&log), owned(&[(21, free), (22, free), (23, missed), (24, missed)]));
}

/// Nobody reads the log who may not read cases; every role may today.
#[tokio::test]
async fn every_role_reads_the_log() {
    let stage = Stage::new().await;
    stage.clock.advance(SignedDuration::from_hours(1));
    let day = date(2026, 11, 21);
    for role in Role::ALL {
        let who: Viewer = viewer(*role, UserId(1));
        assert!(stage.services.supervision(&who, day, day).await.is_ok(), "{role:?}");
    }
}
