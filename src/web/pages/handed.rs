//! `/arende/12/polis` and `/utlamnanden`: what leaves the house by a decision.

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, Response as HttpResponse, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::Form;
use serde::Deserialize;

use crate::domain::ids::{CaseId, EvidenceId, VersionId};
use crate::domain::release::{ReleaseId, ReleaseOutcome};
use crate::services::ServiceError;
use crate::services::police::PoliceChoice;
use crate::services::releases::Hits;
use crate::web::present_handed as present;
use crate::web::state::{Inside, Site, page_with};
use crate::web::view::shell::{Notice, Place};

/// A decision about a report.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PoliceFields {
    csrf: String,
    lydelse: i64,
    beslut: usize,
    anmals: String,
    brott: String,
    malsagande: String,
    skal: String,
}

/// A new request.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct NewFields {
    csrf: String,
    vad: String,
    vem: String,
}

/// What is searched for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SearchFields {
    sok: String,
}

/// Records to add.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct AddFields {
    csrf: String,
    sok: String,
    bevis: Vec<i64>,
    arende: String,
}

/// What of a record is masked.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct MaskFields {
    csrf: String,
    bevis: i64,
    ord: String,
    lagrum: String,
    undanta: String,
    avsandare: String,
}

/// The end of a request.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct EndFields {
    csrf: String,
    utfall: String,
    hur: String,
    /// Ticked: the secrecy of marked records was tried.
    provad: Option<String>,
}

/// A document to be taken home.
#[expect(clippy::result_large_err, reason = "an answer is made once a request")]
fn document(site: &Site, name: &str, bytes: Vec<u8>) -> Result<Response, Response> {
    let broken = |source: axum::http::Error| {
        site.error(ServiceError::Broken { doing: "answer", source: Box::new(source) })
    };
    HttpResponse::builder()
        .header(CONTENT_TYPE, "application/pdf")
        .header(CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))
        .header(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"))
        .body(Body::from(bytes))
        .map_err(broken)
}

/// What a person can mend, in words; the rest is an error page.
#[expect(clippy::result_large_err, reason = "an answer is made once a request")]
fn words(site: &Site, error: ServiceError) -> Result<String, Response> {
    match error {
        ServiceError::Refused { why }
        | ServiceError::Conflict { why }
        | ServiceError::Shut { why }
        | ServiceError::Damaged { why } => Ok(why),
        error => Err(site.error(error)),
    }
}

async fn draw_police(
    site: &Site,
    inside: &Inside,
    case: CaseId,
    problem: Option<(String, PoliceChoice)>,
) -> Result<Response, Response> {
    let file = site.services.police_file(&inside.viewer, case).await.map_err(|e| site.error(e))?;
    let now = site.services.clock().now();
    let shell = inside.shell(site, Place::Queue)?;
    let status = if problem.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    let (why, typed) = problem.unzip();
    let page = present::police(shell, why.map(Notice::problem), file, typed.as_ref(), now);
    Ok(page_with(site, status, &page))
}

/// The short form, and the decision.
pub async fn police(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
) -> Result<Response, Response> {
    draw_police(&site, &inside, CaseId(case), None).await
}

/// Decides whether to report.
pub async fn decide_police(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
    Form(fields): Form<PoliceFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let case = CaseId(case);
    let choice = PoliceChoice {
        version: VersionId(fields.lydelse),
        n_before: fields.beslut,
        reported: fields.anmals == "ja",
        crime: fields.brott,
        injured: fields.malsagande,
        reason: fields.skal,
    };
    if !["ja", "nej"].contains(&fields.anmals.as_str()) {
        let why = "Välj om det ska anmälas eller inte.".to_owned();
        return draw_police(&site, &inside, case, Some((why, choice))).await;
    }
    match site.services.decide_police(&inside.viewer, case, &choice).await {
        Ok(()) => Ok(Redirect::to(&format!("/arende/{case}/polis")).into_response()),
        Err(error) => {
            let why = words(&site, error)?;
            draw_police(&site, &inside, case, Some((why, choice))).await
        }
    }
}

/// The bundle.
pub async fn police_bundle(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
) -> Result<Response, Response> {
    let made = site.services.police_bundle(&inside.viewer, CaseId(case)).await;
    let bytes = made.map_err(|e| site.error(e))?;
    document(&site, &format!("polisanmalan-arende-{case}.pdf"), bytes)
}

async fn draw_releases(
    site: &Site,
    inside: &Inside,
    problem: Option<(String, (String, String))>,
) -> Result<Response, Response> {
    let all = site.services.releases(&inside.viewer).await.map_err(|e| site.error(e))?;
    let now = site.services.clock().now();
    let shell = inside.shell(site, Place::Diary)?;
    let status = if problem.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    let (why, filled) = problem.unzip();
    let filled = filled.unwrap_or_default();
    Ok(page_with(
        site,
        status,
        &present::releases(shell, why.map(Notice::problem), filled, &all, now),
    ))
}

/// All requests.
pub async fn releases(State(site): State<Site>, inside: Inside) -> Result<Response, Response> {
    draw_releases(&site, &inside, None).await
}

/// Notes a request.
pub async fn open(
    State(site): State<Site>,
    inside: Inside,
    Form(fields): Form<NewFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    match site.services.open_release(&inside.viewer, &fields.vad, &fields.vem).await {
        Ok(id) => Ok(Redirect::to(&format!("/utlamnanden/{id}")).into_response()),
        Err(error) => {
            let why = words(&site, error)?;
            draw_releases(&site, &inside, Some((why, (fields.vad, fields.vem)))).await
        }
    }
}

async fn draw(
    site: &Site,
    inside: &Inside,
    id: ReleaseId,
    wanted: String,
    problem: Option<String>,
) -> Result<Response, Response> {
    let viewer = &inside.viewer;
    let known = site.services.release_file(viewer, id).await.map_err(|e| site.error(e))?;
    let found = match known.0.ended {
        None => site.services.search_for_release(viewer, id, &wanted).await,
        Some(_) => Ok(Hits::default()),
    };
    let (found, problem) = match found {
        Ok(found) => (found, problem),
        Err(error) => (Hits::default(), problem.or(Some(words(site, error)?))),
    };
    let now = site.services.clock().now();
    let shell = inside.shell(site, Place::Diary)?;
    let status = if problem.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    let page = present::release(shell, problem.map(Notice::problem), known, wanted, found, now);
    Ok(page_with(site, status, &page))
}

/// One request, with what was searched for.
pub async fn show(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Query(fields): Query<SearchFields>,
) -> Result<Response, Response> {
    draw(&site, &inside, ReleaseId(id), fields.sok, None).await
}

/// After an act: back to the request, or the request with the reason why not.
async fn after(
    site: &Site,
    inside: &Inside,
    id: ReleaseId,
    wanted: String,
    done: Result<(), ServiceError>,
) -> Result<Response, Response> {
    match done {
        Ok(()) => Ok(Redirect::to(&format!("/utlamnanden/{id}")).into_response()),
        Err(error) => {
            let why = words(site, error)?;
            draw(site, inside, id, wanted, Some(why)).await
        }
    }
}

/// Adds records.
pub async fn add(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<AddFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let id = ReleaseId(id);
    let separators = |c: char| c.is_whitespace() || c == ',';
    let typed = fields.arende.split(separators).filter(|word| !word.is_empty());
    let cases: Result<Vec<_>, _> = typed.map(|word| word.parse().map(CaseId)).collect();
    let Ok(cases) = cases else {
        let why = "Ärendenummer är siffror, med mellanslag mellan: till exempel 12 15.".to_owned();
        return draw(&site, &inside, id, fields.sok, Some(why)).await;
    };
    let records: Vec<_> = fields.bevis.into_iter().map(EvidenceId).collect();
    let done = site.services.add_to_release(&inside.viewer, id, &records, &cases).await;
    after(&site, &inside, id, fields.sok, done).await
}

/// Masks.
pub async fn mask(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<MaskFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let id = ReleaseId(id);
    let record = (id, EvidenceId(fields.bevis));
    let MaskFields { ord, lagrum, undanta, avsandare, .. } = &fields;
    let masks = (ord.as_str(), lagrum.as_str());
    let done =
        site.services.mask_in_release(&inside.viewer, record, masks, undanta, avsandare).await;
    after(&site, &inside, id, String::new(), done).await
}

/// Takes a record out.
pub async fn take_out(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<MaskFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let id = ReleaseId(id);
    let record = (id, EvidenceId(fields.bevis));
    let done = site.services.drop_from_release(&inside.viewer, record).await;
    after(&site, &inside, id, String::new(), done).await
}

/// Ends a request.
pub async fn end(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<EndFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let id = ReleaseId(id);
    let Some(outcome) = ReleaseOutcome::from_id(&fields.utfall) else {
        let why = "Välj hur begäran avslutas.".to_owned();
        return draw(&site, &inside, id, String::new(), Some(why)).await;
    };
    let (how, tried) = (&fields.hur, fields.provad.is_some());
    let done = site.services.end_tried_release(&inside.viewer, id, outcome, how, tried).await;
    after(&site, &inside, id, String::new(), done).await
}

/// The document: a draft, or what was handed out.
pub async fn release_document(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
) -> Result<Response, Response> {
    let made = site.services.release_document(&inside.viewer, ReleaseId(id)).await;
    let bytes = made.map_err(|e| site.error(e))?;
    document(&site, &format!("utlamnande-{id}.pdf"), bytes)
}
