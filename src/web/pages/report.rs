//! `/rapport`: the committee's report, by month and by year.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use crate::domain::calendar::local;
use crate::domain::report::Span;
use crate::services::ServiceError;
use crate::services::reports::Report;
use crate::web::state::{Inside, Site, not_found, page_with};
use crate::web::view::report::{ReportPage, ReportView};
use crate::web::view::shell::{Notice, Place};

/// So many months back can be chosen, and so many years.
const MONTHS_BACK: i16 = 18;
const YEARS_BACK: i16 = 5;

/// Which month or year.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    tid: String,
}

/// This month first, the years last.
pub(super) fn spans(site: &Site) -> Vec<Span> {
    let today = local(site.services.clock().now()).date();
    let (mut year, mut month) = (today.year(), today.month());
    let mut spans = Vec::new();
    for _ in 0..MONTHS_BACK {
        spans.push(Span::Month { year, month });
        (year, month) = if month == 1 { (year - 1, 12) } else { (year, month - 1) };
    }
    spans.extend((0..YEARS_BACK).map(|back| Span::Year(today.year() - back)));
    spans
}

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
    let spans = spans(&site);
    let span = Span::parse(&asked.tid).or_else(|| spans.first().copied());
    let Some(span) = span else { return Err(not_found(&site)) };
    let (report, notice) = match site.services.committee_report(&inside.viewer, span).await {
        Ok(report) => (Some(view(report)), None),
        Err(ServiceError::Refused { why }) => (None, Some(Notice::problem(why))),
        Err(error) => return Err(site.error(error)),
    };
    let status = if notice.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = ReportPage {
        shell: inside.shell(&site, Place::Accounts)?,
        notice,
        spans: spans.into_iter().map(|span| (span.id(), span.label())).collect(),
        report,
    };
    Ok(page_with(&site, status, &page))
}

/// A file of a report: `/rapport/2026-11/rapport.pdf`.
pub async fn file(
    State(site): State<Site>,
    inside: Inside,
    Path((span, name)): Path<(String, String)>,
) -> Result<Response, Response> {
    let Some(span) = Span::parse(&span) else { return Err(not_found(&site)) };
    let (services, viewer) = (&site.services, &inside.viewer);
    let (bytes, kind, name) = match name.as_str() {
        "rapport.pdf" => {
            (services.report_pdf(viewer, span).await, "application/pdf", "rapport.pdf")
        }
        "rapport.csv" => {
            (services.report_csv(viewer, span).await, "text/csv; charset=utf-8", "rapport.csv")
        }
        "underlag.jsonl" => {
            (services.report_lines(viewer, span).await, "application/x-ndjson", "underlag.jsonl")
        }
        _ => return Err(not_found(&site)),
    };
    let bytes = bytes.map_err(|e| site.error(e))?;
    let name = format!("attachment; filename=\"{}-{name}\"", span.id());
    Ok(([(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, name)], bytes).into_response())
}
