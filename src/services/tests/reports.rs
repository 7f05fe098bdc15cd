//! The committee's report: its figures are those that other code counts from its lines, and nobody is in it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use jiff::civil::date;

use super::harness::{Stage, THREAT};
use crate::domain::category::Category;
use crate::domain::decision::Choice;
use crate::domain::report::{CaseFact, Counts, Facts, Span};
use crate::formats::report::json_lines;
use crate::services::ServiceError;

/// The same figures by other code, from the lines alone.
pub(super) fn recounted(lines: &[u8], now: jiff::Timestamp) -> serde_json::Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lib/recount.py");
    let mut run = Command::new("python3")
        .args([script, &now.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 runs");
    run.stdin.take().unwrap().write_all(lines).unwrap();
    let done = run.wait_with_output().unwrap();
    assert!(done.status.success());
    serde_json::from_slice(&done.stdout).unwrap()
}

/// Ours in the form of the script.
pub(super) fn ours(counts: &Counts) -> serde_json::Value {
    let Counts { inflow, categories, removals, deadlines, registered, disposed } = counts;
    let word = |id: &Option<&'static str>| id.unwrap_or_default().to_owned();
    let categories: std::collections::BTreeMap<_, _> =
        categories.iter().map(|(id, n)| (word(id), *n)).collect();
    let removals: std::collections::BTreeMap<_, _> =
        removals.iter().map(|(id, n)| (word(id), *n)).collect();
    serde_json::json!({
        "inflow": inflow, "categories": categories, "removals": removals,
        "deadlines": {
            "kept": deadlines.kept, "late": deadlines.late,
            "overdue": deadlines.overdue, "open": deadlines.open,
            "at_once": deadlines.at_once, "within_an_hour": deadlines.within_an_hour,
            "hour_open": deadlines.hour_open, "outside": deadlines.outside,
        },
        "kept_percent": counts.kept_percent(),
        "registered": registered, "disposed": disposed,
    })
}

#[tokio::test]
async fn figures_equal_a_recount_by_other_code_over_the_lines() {
    let stage = Stage::new().await;
    let (_, hidden) = stage.written(THREAT).await;
    stage.decide(hidden, vec![Choice::Hide, Choice::Register]).await;
    stage.act_after_undo().await;
    let (_, late) = stage.written("Jag ska komma hem till dig och slå ihjäl dig i natt.").await;
    // Two days: past the deadline of a day.
    stage.wait_s(2 * 86_400);
    stage.decide(late, vec![Choice::Dismiss]).await;
    stage.written("Jag vet var du bor och ska slå ihjäl dig, din gris.").await;
    stage.simulator.write("Robin Påhitt", "Så fint väder det är i dag.", None);
    stage.wait_s(150);
    stage.take_in_plainly().await;
    let span = Span::Month { year: 2026, month: 11 };
    let report = stage.services.committee_report(&stage.editor, span).await.unwrap();
    let lines = stage.services.report_lines(&stage.editor, span).await.unwrap();
    assert_eq!(recounted(&lines, report.at), ours(&report.counts));
    // What we know was done.
    let counts = &report.counts;
    assert_eq!(counts.inflow["facebook"], (4, 0));
    assert_eq!((counts.deadlines.kept, counts.deadlines.late, counts.deadlines.open), (1, 1, 1));
    assert_eq!(counts.removals[&Some("hot")], (1, 0));
    assert_eq!((counts.registered, counts.disposed), ((1, 0), 0));
    assert_eq!(counts.kept_percent(), Some(50));
    assert!(report.is_under_way);
    // The year holds the month, the month before holds nothing.
    let year = stage.services.committee_report(&stage.editor, Span::Year(2026)).await.unwrap();
    assert_eq!(year.counts, report.counts);
    let before = Span::Month { year: 2026, month: 10 };
    let before = stage.services.committee_report(&stage.editor, before).await.unwrap();
    assert_eq!(before.counts, Counts::of(&Default::default(), stage.now()));
    let ahead = stage.services.committee_report(&stage.editor, Span::Year(2027)).await;
    assert!(matches!(ahead, Err(ServiceError::Refused { .. })));
    // Nobody and nothing that anybody wrote.
    let csv = stage.services.report_csv(&stage.editor, span).await.unwrap();
    for text in [String::from_utf8(csv).unwrap(), String::from_utf8(lines).unwrap()] {
        for word in ["Robin", "Kim", "ihjäl", "väder"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
    }
}

#[test]
fn what_was_to_be_decided_at_once_is_in_time_within_the_hour_and_counts_in_the_share() {
    let opened: jiff::Timestamp = "2026-11-02T08:00:00Z".parse().unwrap();
    let after = |minutes| opened + jiff::SignedDuration::from_mins(minutes);
    let case = |due, decided: Option<i64>| CaseFact {
        case: 1,
        account: "a".into(),
        opened,
        due: after(due),
        category: Some(Category::Threat),
        decided: decided.map(after),
        outside: false,
        seen: None,
        dismissed: false,
        removed: false,
    };
    let counted = |cases: Vec<CaseFact>, now| {
        let facts = Facts { cases, ..Facts::default() };
        let counts = Counts::of(&facts, now);
        assert_eq!(recounted(&json_lines(&facts), now), ours(&counts));
        counts
    };
    // The hour itself is in time, and nobody is late before it is over.
    let cases = || vec![case(0, Some(60)), case(0, Some(61)), case(-5, None)];
    let early = counted(cases(), after(60));
    assert_eq!((early.deadlines.at_once, early.deadlines.within_an_hour), (3, 1));
    assert_eq!((early.deadlines.hour_open, early.kept_percent()), (1, Some(50)));
    let later = counted(cases(), after(61));
    assert_eq!((later.deadlines.hour_open, later.kept_percent()), (0, Some(33)));
    // Beside what has a deadline of its own.
    let both = counted([cases(), vec![case(90, Some(80)), case(900, None)]].concat(), after(120));
    assert_eq!((both.deadlines.kept, both.deadlines.open), (1, 1));
    assert_eq!(both.kept_percent(), Some(50));
    assert_eq!(counted(vec![case(0, None)], after(10)).kept_percent(), None);
}

#[tokio::test]
async fn putting_a_case_to_rest_keeps_no_deadline_and_a_new_deadline_mends_no_late_decision() {
    let stage = Stage::new().await;
    let (_, late) = stage.written(THREAT).await;
    let (_, resting) = stage.written("När öppnar badhuset i Provdalen? Kan ni svara på det?").await;
    let until = stage.now().saturating_add(jiff::SignedDuration::from_mins(1)).unwrap();
    stage.decide(resting, vec![Choice::Hold { until }]).await;
    let span = Span::Month { year: 2026, month: 11 };
    let deadlines = async || {
        let report = stage.services.committee_report(&stage.editor, span).await.unwrap();
        let kept = report.counts.deadlines;
        (kept.kept, kept.late, kept.open + kept.overdue)
    };
    assert_eq!(deadlines().await, (0, 0, 2));
    stage.wait_s(2 * 86_400);
    stage.services.end_holds().await.unwrap();
    stage.decide(late, vec![Choice::Dismiss]).await;
    assert_eq!(deadlines().await, (0, 1, 1));
    // A case that comes back has another deadline, as if this one did.
    let raw = rusqlite::Connection::open(stage.store().path()).unwrap();
    let later = "update cases set due_at = due_at + 864000000 where id = ?1";
    raw.execute(later, [late.0]).unwrap();
    assert_eq!(deadlines().await, (0, 1, 1));
}

#[tokio::test]
async fn the_table_and_the_document_hold_every_section() {
    let stage = Stage::new().await;
    stage.written(THREAT).await;
    let span = Span::Month { year: 2026, month: 11 };
    let csv = stage.services.report_csv(&stage.editor, span).await.unwrap();
    let csv = String::from_utf8(csv).unwrap().replace("\r\n", "\n");
    insta::assert_snapshot!(csv);
    let pdf = stage.services.report_pdf(&stage.editor, span).await.unwrap();
    assert!(pdf.starts_with(b"%PDF-1."));
}

#[tokio::test]
async fn places_that_people_name_are_one_row_without_their_names() {
    let stage = Stage::new().await;
    super::manual::recorded(&stage, THREAT).await;
    let span = Span::Month { year: 2026, month: 11 };
    let csv = stage.services.report_csv(&stage.editor, span).await.unwrap();
    let lines = stage.services.report_lines(&stage.editor, span).await.unwrap();
    let (csv, lines) = (String::from_utf8(csv).unwrap(), String::from_utf8(lines).unwrap());
    assert!(csv.contains("Inlagt för hand;1"), "{csv}");
    for text in [csv, lines] {
        assert!(!text.to_lowercase().contains("snapchat"), "{text}");
    }
}

#[test]
fn spans_are_read_as_they_are_written() {
    for text in ["2026", "2026-11", "2024-02"] {
        assert_eq!(Span::parse(text).map(Span::id).as_deref(), Some(text));
    }
    for text in ["", "2026-13", "2026-0", "26", "2026-11-01", "x", "99999"] {
        assert_eq!(Span::parse(text), None, "{text}");
    }
    let february = Span::parse("2024-02").and_then(Span::days);
    assert_eq!(february, Some((date(2024, 2, 1), date(2024, 2, 29))));
}
