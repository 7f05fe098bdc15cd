//! What pages over a month or a year have in common: the choice, what is shown of it, and its files.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use crate::domain::calendar::local;
use crate::domain::report::Span;
use crate::services::ServiceError;
use crate::web::state::{Site, not_found};
use crate::web::view::shell::Notice;

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
fn spans(site: &Site) -> Vec<Span> {
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

/// The span that was asked for, else this month; and those that can be chosen, by identifier and name.
#[expect(clippy::result_large_err, reason = "the error is the whole answer, made once a request")]
pub(super) fn chosen(
    site: &Site,
    asked: &Asked,
) -> Result<(Span, Vec<(String, String)>), Response> {
    let spans = spans(site);
    let span = Span::parse(&asked.tid).or_else(|| spans.first().copied());
    let span = span.ok_or_else(|| not_found(site))?;
    Ok((span, spans.into_iter().map(|span| (span.id(), span.label())).collect()))
}

/// What there is to show, or why there is nothing.
#[expect(clippy::result_large_err, reason = "the error is the whole answer, made once a request")]
pub(super) fn shown<T>(
    site: &Site,
    made: Result<T, ServiceError>,
) -> Result<(StatusCode, Option<T>, Option<Notice>), Response> {
    match made {
        Ok(made) => Ok((StatusCode::OK, Some(made), None)),
        Err(ServiceError::Refused { why }) => {
            Ok((StatusCode::UNPROCESSABLE_ENTITY, None, Some(Notice::problem(why))))
        }
        Err(error) => Err(site.error(error)),
    }
}

/// The span of a file's address.
#[expect(clippy::result_large_err, reason = "the error is the whole answer, made once a request")]
pub(super) fn of_file(site: &Site, span: &str) -> Result<Span, Response> {
    Span::parse(span).ok_or_else(|| not_found(site))
}

/// A file over a span, to be kept under its own name.
#[expect(clippy::result_large_err, reason = "the error is the whole answer, made once a request")]
pub(super) fn file(
    site: &Site,
    span: Span,
    name: &str,
    kind: &'static str,
    bytes: Result<Vec<u8>, ServiceError>,
) -> Result<Response, Response> {
    let bytes = bytes.map_err(|e| site.error(e))?;
    let name = format!("attachment; filename=\"{}-{name}\"", span.id());
    Ok(([(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, name)], bytes).into_response())
}
