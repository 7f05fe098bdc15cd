//! `/statistik`: how the work goes, by month and by year.

use axum::extract::{Path, Query, State};
use axum::response::Response;

use super::span::{Asked, chosen, of_file, shown};
use crate::domain::text::capitalised;
use crate::services::statistics::{Board, Drawn, Part};
use crate::web::state::{Inside, Site, not_found, page_with};
use crate::web::view::shell::Place;
use crate::web::view::statistics::{BoardView, Chart, PartView, StatisticsPage};

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
    let (span, spans) = chosen(&site, &asked)?;
    let made = site.services.statistics(&inside.viewer, span).await;
    let (status, board, notice) = shown(&site, made.map(view))?;
    let page =
        StatisticsPage { shell: inside.shell(&site, Place::Statistics)?, notice, spans, board };
    Ok(page_with(&site, status, &page))
}

/// A file: `/statistik/2026-11/statistik.csv`.
pub async fn file(
    State(site): State<Site>,
    inside: Inside,
    Path((span, name)): Path<(String, String)>,
) -> Result<Response, Response> {
    let span = of_file(&site, &span)?;
    let (services, viewer) = (&site.services, &inside.viewer);
    let (csv, pdf) = ("text/csv; charset=utf-8", "application/pdf");
    let (bytes, kind) = match name.as_str() {
        "statistik.csv" => (services.statistics_csv(viewer, span).await, csv),
        "oppenhet.csv" => (services.transparency_csv(viewer, span).await, csv),
        "oppenhet.pdf" => (services.transparency_pdf(viewer, span).await, pdf),
        _ => return Err(not_found(&site)),
    };
    super::span::file(&site, span, &name, kind, bytes)
}
