//! `/granskning`: the audit log, for whoever examines.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use crate::services::audit_log::{AuditEntry, ON_PAGE, sought};
use crate::web::state::{Inside, Site, page_with};
use crate::web::view::audit_log::{AuditLogPage, AuditRow, subject_words};
use crate::web::view::shell::{Notice, Place};
use crate::web::view::times::Moment;

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    arende: String,
    vem: String,
    fore: String,
}

/// The page.
pub async fn show(
    State(site): State<Site>,
    inside: Inside,
    Query(asked): Query<Asked>,
) -> Result<Response, Response> {
    let Asked { arende, vem, fore } = asked;
    let (sought, notice) = match sought(&arende, &vem, &fore) {
        Ok(sought) => (Some(sought), None),
        Err(why) => (None, Some(Notice::problem(why))),
    };
    // Who may not read it is told so, whatever was typed.
    let is_understood = sought.is_some();
    let lines = site.services.audit_log(&inside.viewer, sought.unwrap_or_default()).await;
    let lines = lines.map_err(|e| site.error(e))?;
    let lines = if is_understood { lines } else { Vec::new() };
    let now = site.services.clock().now();
    let last = lines.last().filter(|_| lines.len() == ON_PAGE as usize).map(|line| line.id);
    let older = last.map(|id| {
        let mut query = Serializer::new(String::new());
        for (name, value) in [("arende", &arende), ("vem", &vem), ("fore", &id.to_string())] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        format!("/granskning?{}", query.finish())
    });
    let row = |line: AuditEntry| AuditRow {
        at: Moment::exact(line.at, now),
        who: line.who,
        label: line.label,
        act: line.act,
        subject: subject_words(&line.subject),
        address: line.address,
        detail: line.detail,
    };
    let view = AuditLogPage {
        shell: inside.shell(&site, Place::Audit)?,
        notice,
        case: arende,
        who: vem,
        rows: lines.into_iter().map(row).collect(),
        older,
    };
    let status = if is_understood { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok(page_with(&site, status, &view))
}
