//! `/arkiv`: archive runs, what each captured, and asking for another.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Response as HttpResponse, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::Form;
use serde::Deserialize;

use crate::domain::archive_run::{Occasion, RunId};
use crate::services::ServiceError;
use crate::web::present_archive as present;
use crate::web::state::{Inside, Site, page_with};
use crate::web::view::shell::{Notice, Place};

/// What the forms send.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Fields {
    csrf: String,
    konto: String,
    orsak: String,
    anteckning: String,
    dag: String,
    kvitto: String,
}

async fn draw(
    site: &Site,
    inside: &Inside,
    status: StatusCode,
    notice: Option<Notice>,
) -> Result<Response, Response> {
    let runs = site.services.archive_runs(&inside.viewer).await.map_err(|e| site.error(e))?;
    let shell = inside.shell(site, Place::Accounts)?;
    let now = site.services.clock().now();
    Ok(page_with(site, status, &present::list(shell, notice, runs, now)))
}

/// The list.
pub async fn show(State(site): State<Site>, inside: Inside) -> Result<Response, Response> {
    draw(&site, &inside, StatusCode::OK, None).await
}

/// Asks for a run.
pub async fn want(
    State(site): State<Site>,
    inside: Inside,
    Form(fields): Form<Fields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let by_hand = |occasion: &Occasion| Occasion::BY_HAND.contains(occasion);
    let occasion = Occasion::from_id(&fields.orsak).filter(by_hand).unwrap_or(Occasion::Other);
    let wanted =
        site.services.want_archive_run(&inside.viewer, &fields.konto, occasion, &fields.anteckning);
    match wanted.await {
        Ok(id) => Ok(Redirect::to(&format!("/arkiv/{id}")).into_response()),
        Err(ServiceError::Refused { why } | ServiceError::Conflict { why }) => {
            draw(&site, &inside, StatusCode::CONFLICT, Some(Notice::problem(why))).await
        }
        Err(error) => Err(site.error(error)),
    }
}

async fn draw_one(
    site: &Site,
    inside: &Inside,
    id: i64,
    status: StatusCode,
    notice: Option<Notice>,
) -> Result<Response, Response> {
    let run = site.services.archive_run(&inside.viewer, RunId(id)).await;
    let run = run.map_err(|e| site.error(e))?;
    let shell = inside.shell(site, Place::Accounts)?;
    let now = site.services.clock().now();
    Ok(page_with(site, status, &present::one(shell, notice, run, &inside.viewer, now)))
}

/// One run.
pub async fn one(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
) -> Result<Response, Response> {
    draw_one(&site, &inside, id, StatusCode::OK, None).await
}

/// Notes that a run was handed to the archive.
pub async fn delivered(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<Fields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let done = match fields.dag.parse() {
        Ok(day) => {
            let (services, viewer) = (&site.services, &inside.viewer);
            services.deliver_archive_run(viewer, RunId(id), day, &fields.kvitto).await
        }
        Err(_) => Err(ServiceError::Refused { why: "Skriv dagen som 2026-11-22.".into() }),
    };
    match done {
        Ok(()) => Ok(Redirect::to(&format!("/arkiv/{id}")).into_response()),
        Err(ServiceError::Refused { why } | ServiceError::Conflict { why }) => {
            draw_one(&site, &inside, id, StatusCode::CONFLICT, Some(Notice::problem(why))).await
        }
        Err(error) => Err(site.error(error)),
    }
}

/// A file of a run. Never shown: the page that it holds is somebody else's.
pub async fn file(
    State(site): State<Site>,
    inside: Inside,
    Path((id, name)): Path<(i64, String)>,
) -> Result<Response, Response> {
    let found = site.services.archive_run_file(&inside.viewer, RunId(id), &name).await;
    let file = match found {
        Ok(file) => file,
        Err(ServiceError::Refused { why }) => {
            let notice = Some(Notice::problem(why));
            return draw_one(&site, &inside, id, StatusCode::CONFLICT, notice).await;
        }
        Err(error) => return Err(site.error(error)),
    };
    let broken = |source: axum::http::Error| {
        site.error(ServiceError::Broken { doing: "answer", source: Box::new(source) })
    };
    HttpResponse::builder()
        .header(CONTENT_TYPE, file.media_type)
        .header(
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"arkivkorning-{id}-{}\"", file.name),
        )
        .header(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"))
        .header(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
        .body(Body::from(file.bytes))
        .map_err(broken)
}
