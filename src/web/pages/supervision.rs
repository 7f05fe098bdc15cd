//! `/uppsikt`: the supervision log.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Deserialize;

use crate::domain::calendar::local;
use crate::services::ServiceError;
use crate::web::present_supervision::{account, past_crisis};
use crate::web::state::{Inside, Site, page_with};
use crate::web::view::shell::{Notice, Place};
use crate::web::view::supervision::SupervisionPage;

/// So many days are shown where nobody asks for others.
const USUAL_DAYS: i32 = 30;

/// What the address says: days as a browser's date field writes them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    fran: String,
    till: String,
    konto: String,
}

/// The days asked for; what is no day gives way to the usual ones.
fn days(site: &Site, asked: &Asked) -> (Date, Date) {
    let today = local(site.services.clock().now()).date();
    let last = asked.till.parse().unwrap_or(today);
    let usual = last.checked_sub((USUAL_DAYS - 1).days()).unwrap_or(last);
    (asked.fran.parse().unwrap_or(usual), last)
}

/// The page.
pub async fn show(
    State(site): State<Site>,
    inside: Inside,
    Query(asked): Query<Asked>,
) -> Result<Response, Response> {
    let (first, last) = days(&site, &asked);
    let (logs, notice) = match site.services.supervision(&inside.viewer, first, last).await {
        Ok(logs) => (logs, None),
        Err(ServiceError::Refused { why }) => (Vec::new(), Some(Notice::problem(why))),
        Err(error) => return Err(site.error(error)),
    };
    let status = if notice.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let board = site.services.crises(&inside.viewer).await.map_err(|e| site.error(e))?;
    let view = SupervisionPage {
        crises: board.standing.iter().chain(&board.past).map(past_crisis).collect(),
        shell: inside.shell(&site, Place::Accounts)?,
        notice,
        first: first.to_string(),
        last: last.to_string(),
        accounts: logs.iter().map(account).collect(),
    };
    Ok(page_with(&site, status, &view))
}

/// The log of one account as PDF/A.
pub async fn document(
    State(site): State<Site>,
    inside: Inside,
    Query(asked): Query<Asked>,
) -> Result<Response, Response> {
    let (first, last) = days(&site, &asked);
    let made = site.services.supervision_pdf(&inside.viewer, &asked.konto, (first, last)).await;
    let bytes = made.map_err(|e| site.error(e))?;
    let name = format!("attachment; filename=\"uppsiktslogg-{first}-{last}.pdf\"");
    let headers = [(CONTENT_TYPE, "application/pdf".to_owned()), (CONTENT_DISPOSITION, name)];
    Ok((headers, bytes).into_response())
}

/// The same as a table.
pub async fn table(
    State(site): State<Site>,
    inside: Inside,
    Query(asked): Query<Asked>,
) -> Result<Response, Response> {
    let (first, last) = days(&site, &asked);
    let bytes = site.services.supervision_csv(&inside.viewer, first, last).await;
    let bytes = bytes.map_err(|e| site.error(e))?;
    let name = format!("attachment; filename=\"uppsiktslogg-{first}-{last}.csv\"");
    let headers =
        [(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, name)];
    Ok((headers, bytes).into_response())
}
