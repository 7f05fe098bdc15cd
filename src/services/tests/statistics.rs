//! How the work goes: the same facts as the committee's report, who was seen when, and nothing small told to all.

use super::harness::{Stage, THREAT};
use crate::domain::decision::Choice;
use crate::domain::party::Party;
use crate::domain::person::Role;
use crate::domain::report::Span;
use crate::services::ServiceError;
use crate::services::claims::Look;
use crate::services::statistics::Board;

const NOVEMBER: Span = Span::Month { year: 2026, month: 11 };

fn figure(board: &Board, part: &str, row: &str) -> Vec<String> {
    let part = board.parts.iter().find(|known| known.id == part).expect("a part");
    let row = part.rows.iter().find(|known| known.label == row);
    row.unwrap_or_else(|| panic!("{row:?} among {:?}", part.rows)).figures.clone()
}

#[tokio::test]
async fn figures_are_counted_from_what_happened_and_agree_with_the_report() {
    let stage = Stage::new().await;
    let (services, kim) = (&stage.services, &stage.editor);
    let (_, threat) = stage.written(THREAT).await;
    stage.simulator.write("Robin Påhitt", "Moderaterna hade fel om bron, tycker jag.", None);
    let party = "Jag ska slå ihjäl er, sossarna och moderaternas hela gäng. Jag vet var ni bor.";
    let (_, named) = stage.written(party).await;
    services.case_opened(kim, threat, Look::Opens).await.unwrap();
    stage.decide(threat, vec![Choice::Dismiss]).await;
    stage.decide(named, vec![Choice::Hide]).await;
    stage.act_after_undo().await;
    let board = services.statistics(kim, NOVEMBER).await.unwrap();
    assert_eq!(figure(&board, "inflode", "21"), ["3", "2", "2"]);
    assert_eq!(figure(&board, "kategorier", "hot"), ["2"]);
    assert_eq!(figure(&board, "titt", "inom 1 timme"), ["1"]);
    assert_eq!(figure(&board, "titt", "inte än"), ["1"]);
    assert_eq!(figure(&board, "falsklarm", "hot"), ["2", "1", "50,0 procent"]);
    assert_eq!(figure(&board, "balans-kategori", "hot"), ["2", "1", "50,0 procent"]);
    let (moderates, left) = (Party::Moderates.label(), Party::Left.label());
    assert_eq!(figure(&board, "balans-parti", moderates), ["2", "1", "50,0 procent"]);
    assert_eq!(figure(&board, "balans-parti", left), ["0", "0", "–"]);
    let social = Party::SocialDemocrats.label();
    assert_eq!(figure(&board, "balans-parti", social), ["1", "1", "100,0 procent"]);
    // The report counts the same.
    let report = services.committee_report(kim, NOVEMBER).await.unwrap();
    assert_eq!(report.counts.inflow.values().map(|(n, _)| n).sum::<u64>(), 3);
    let lines = String::from_utf8(services.report_lines(kim, NOVEMBER).await.unwrap()).unwrap();
    assert_eq!(lines.matches("\"avfardat\":true").count(), 1);
    assert_eq!(lines.matches("\"borttaget\":true").count(), 1);

    let table = String::from_utf8(services.statistics_csv(kim, NOVEMBER).await.unwrap()).unwrap();
    assert!(table.contains("Falska larm") && table.contains("50,0 procent"), "{table}");
    let public = services.transparency_csv(kim, NOVEMBER).await.unwrap();
    let public = String::from_utf8(public).unwrap();
    // Everything here is fewer than five.
    for line in public.lines().filter(|line| !line.contains("procent")).skip(1) {
        assert!(
            line.contains("färre än 5") || line.contains(";0") || line.contains(",0"),
            "{line}"
        );
    }
    for name in ["Kim", "Robin", "Påhitt"] {
        assert!(!public.contains(name) && !table.contains(name), "{name}");
    }
}

#[tokio::test]
async fn every_role_that_reads_cases_sees_them_and_nobody_what_lies_ahead() {
    let stage = Stage::new().await;
    for &role in Role::ALL {
        let person = stage.person(role, &format!("P{}", role.id())).await;
        assert!(stage.services.statistics(&person, NOVEMBER).await.is_ok(), "{role:?}");
    }
    let ahead = Span::Month { year: 2026, month: 12 };
    let refused = stage.services.statistics(&stage.editor, ahead).await;
    assert!(matches!(refused, Err(ServiceError::Refused { .. })));
}
