//! `/rapport`: the committee's report, by month and by year.

use axum::extract::{Path, Query, State};
use axum::response::Response;

use super::span::{Asked, chosen, of_file, shown};
use crate::services::reports::Report;
use crate::web::state::{Inside, Site, not_found, page_with};
use crate::web::view::report::{ReportPage, ReportView};
use crate::web::view::shell::Place;

fn view(report: Report) -> ReportView {
    ReportView {
        id: report.span.id(),
        label: crate::domain::text::capitalised(&report.span.label()),
        days: (report.days.0.to_string(), report.days.1.to_string()),
        is_under_way: report.is_under_way,
        sections: report.sections.into_iter().map(|s| (s.title, s.note, s.rows)).collect(),
    }
}

/// The page. Without a choice it shows this month.
pub async fn show(
    State(site): State<Site>,
    inside: Inside,
    Query(asked): Query<Asked>,
) -> Result<Response, Response> {
    let (span, spans) = chosen(&site, &asked)?;
    let made = site.services.committee_report(&inside.viewer, span).await;
    let (status, report, notice) = shown(&site, made.map(view))?;
    let page = ReportPage { shell: inside.shell(&site, Place::Accounts)?, notice, spans, report };
    Ok(page_with(&site, status, &page))
}

/// A file of a report: `/rapport/2026-11/rapport.pdf`.
pub async fn file(
    State(site): State<Site>,
    inside: Inside,
    Path((span, name)): Path<(String, String)>,
) -> Result<Response, Response> {
    let span = of_file(&site, &span)?;
    let (services, viewer) = (&site.services, &inside.viewer);
    let (bytes, kind) = match name.as_str() {
        "rapport.pdf" => (services.report_pdf(viewer, span).await, "application/pdf"),
        "rapport.csv" => (services.report_csv(viewer, span).await, "text/csv; charset=utf-8"),
        "underlag.jsonl" => (services.report_lines(viewer, span).await, "application/x-ndjson"),
        _ => return Err(not_found(&site)),
    };
    super::span::file(&site, span, &name, kind, bytes)
}
