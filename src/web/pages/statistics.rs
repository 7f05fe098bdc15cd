//! `/statistik`: how the work goes, by month and by year.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use crate::domain::report::Span;
use crate::domain::text::capitalised;
use crate::services::ServiceError;
use crate::services::statistics::{Board, Drawn, Part};
use crate::web::pages::report::spans;
use crate::web::state::{Inside, Site, not_found, page_with};
use crate::web::view::shell::{Notice, Place};
use crate::web::view::statistics::{BoardView, Chart, PartView, StatisticsPage};

/// Which month or year.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    tid: String,
}

fn part(part: Part) -> PartView {
    let chart = match part.drawn {
        Drawn::Rows => None,
        Drawn::OverTime => {
            let figures: Vec<_> =
                part.rows.iter().map(|row| (row.label.clone(), row.bar)).collect();
            let words = format!("{} över tid, som staplar. Siffrorna står i tabellen.", part.title);
            Some(Chart::new(words, &figures))
        }
    };
    let full = part.full.max(1);
    PartView {
        id: part.id,
        title: part.title,
        note: part.note,
        chart,
        columns: part.columns,
        rows: part
            .rows
            .into_iter()
            .map(|row| (row.label, row.figures, row.bar.saturating_mul(1_000) / full))
            .collect(),
    }
}

fn view(board: Board) -> BoardView {
    BoardView {
        id: board.span.id(),
        label: capitalised(&board.span.label()),
        days: (board.days.0.to_string(), board.days.1.to_string()),
        is_under_way: board.is_under_way,
        parts: board.parts.into_iter().map(part).collect(),
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
    let (board, notice) = match site.services.statistics(&inside.viewer, span).await {
        Ok(board) => (Some(view(board)), None),
        Err(ServiceError::Refused { why }) => (None, Some(Notice::problem(why))),
        Err(error) => return Err(site.error(error)),
    };
    let status = if notice.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = StatisticsPage {
        shell: inside.shell(&site, Place::Accounts)?,
        notice,
        spans: spans.into_iter().map(|span| (span.id(), span.label())).collect(),
        board,
    };
    Ok(page_with(&site, status, &page))
}

/// A file: `/statistik/2026-11/statistik.csv`.
pub async fn file(
    State(site): State<Site>,
    inside: Inside,
    Path((span, name)): Path<(String, String)>,
) -> Result<Response, Response> {
    let Some(span) = Span::parse(&span) else { return Err(not_found(&site)) };
    let (services, viewer) = (&site.services, &inside.viewer);
    let (csv, pdf) = ("text/csv; charset=utf-8", "application/pdf");
    let (bytes, kind, name) = match name.as_str() {
        "statistik.csv" => (services.statistics_csv(viewer, span).await, csv, "statistik.csv"),
        "oppenhet.csv" => (services.transparency_csv(viewer, span).await, csv, "oppenhet.csv"),
        "oppenhet.pdf" => (services.transparency_pdf(viewer, span).await, pdf, "oppenhet.pdf"),
        _ => return Err(not_found(&site)),
    };
    let bytes = bytes.map_err(|e| site.error(e))?;
    let name = format!("attachment; filename=\"{}-{name}\"", span.id());
    Ok(([(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, name)], bytes).into_response())
}
