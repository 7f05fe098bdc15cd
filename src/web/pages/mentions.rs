//! `/omnamnanden`: where somebody was named; and notes in a case.

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use crate::domain::ids::CaseId;
use crate::services::ServiceError;
use crate::web::forms::BareForm;
use crate::web::pages::case::show_with_note;
use crate::web::state::{Inside, Site, page};
use crate::web::view::marked::MarkedText;
use crate::web::view::mentions::{MentionsPage, OneMention};
use crate::web::view::shell::Place;
use crate::web::view::times::Moment;

/// A note as sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Fields {
    csrf: String,
    text: String,
}

/// Writes a note.
pub async fn write(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
    Form(fields): Form<Fields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let case = CaseId(case);
    match site.services.write_note(&inside.viewer, case, &fields.text).await {
        Ok(()) => Ok(Redirect::to(&format!("/arende/{case}#anteckningar")).into_response()),
        Err(ServiceError::Refused { why }) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            show_with_note(&site, &inside, case, status, (fields.text, why)).await
        }
        Err(error) => Err(site.error(error)),
    }
}

/// The list.
pub async fn show(State(site): State<Site>, inside: Inside) -> Result<Response, Response> {
    let mentions = site.services.own_mentions(&inside.viewer).await.map_err(|e| site.error(e))?;
    let now = site.services.clock().now();
    let rows: Vec<_> = mentions
        .into_iter()
        .map(|mention| OneMention {
            case: mention.row.case.0,
            at: Moment::new(mention.row.at, now),
            by: mention.row.by,
            text: mention.open.then(|| MarkedText::plain(&mention.row.text)),
            is_new: !mention.row.seen,
        })
        .collect();
    let view = MentionsPage {
        shell: inside.shell(&site, Place::Queue)?,
        notice: None,
        has_new: rows.iter().any(|row| row.is_new),
        rows,
    };
    Ok(page(&site, &view))
}

/// All of them are seen.
pub async fn seen(
    State(site): State<Site>,
    inside: Inside,
    Form(fields): Form<BareForm>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    site.services.saw_mentions(&inside.viewer).await.map_err(|e| site.error(e))?;
    Ok(Redirect::to("/omnamnanden").into_response())
}
