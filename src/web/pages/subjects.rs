//! `/registrerade`: what people ask about their own personal data.

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, Response as HttpResponse, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::Form;
use serde::Deserialize;

use crate::domain::ids::ItemId;
use crate::domain::subject::{SubjectKind, SubjectRequest};
use crate::services::ServiceError;
use crate::services::subjects::Hit;
use crate::web::forms::ReasonFields;
use crate::web::state::{Inside, Site, page_with};
use crate::web::view::marked::MarkedText;
use crate::web::view::shell::{Notice, Place};
use crate::web::view::subjects::{
    SubjectHit, SubjectItemView, SubjectLine, SubjectPage, SubjectsPage,
};
use crate::web::view::times::{Deadline, Moment};

/// A new request.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct NewFields {
    csrf: String,
    slag: String,
    vem: String,
    kontakt: String,
    dag: String,
}

/// A search, and which page of its hits.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct SearchFields {
    csrf: String,
    sida: usize,
}

/// Which page of the items.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct PageAsked {
    sida: usize,
}

/// Items of a request on one page.
const ON_PAGE: usize = 200;

/// Items that were chosen.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ChosenFields {
    csrf: String,
    inlagg: Vec<i64>,
    skal: String,
}

/// The answer.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct AnswerFields {
    csrf: String,
    svar: String,
    atertagen: String,
}

fn line(site: &Site, row: &SubjectRequest) -> SubjectLine {
    let now = site.services.clock().now();
    let ended = row.ended.as_ref();
    SubjectLine {
        id: row.id,
        kind: row.kind.label(),
        received: Moment::new(row.received_at, now),
        due: ended.is_none().then(|| Deadline::new(last_moment(row.due_at), now)),
        ended: ended.map(|(at, _, outcome, _)| (outcome.label(), Moment::new(*at, now))),
    }
}

async fn draw_list(
    site: &Site,
    inside: &Inside,
    problem: Option<String>,
    filled: (String, String, String),
) -> Result<Response, Response> {
    let rows = site.services.subject_requests(&inside.viewer).await;
    let rows = rows.map_err(|e| site.error(e))?;
    let status = match problem {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let view = SubjectsPage {
        shell: inside.shell(site, Place::Diary)?,
        notice: problem.map(Notice::problem),
        filled,
        rows: rows.iter().map(|row| line(site, row)).collect(),
    };
    Ok(page_with(site, status, &view))
}

/// The list.
pub async fn list(State(site): State<Site>, inside: Inside) -> Result<Response, Response> {
    draw_list(&site, &inside, None, Default::default()).await
}

/// Notes a request.
pub async fn open(
    State(site): State<Site>,
    inside: Inside,
    Form(fields): Form<NewFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let NewFields { slag, vem, kontakt, dag, .. } = fields;
    match site.services.open_subject(&inside.viewer, &slag, &vem, &kontakt, &dag).await {
        Ok(id) => Ok(Redirect::to(&format!("/registrerade/{id}")).into_response()),
        Err(ServiceError::Refused { why }) => {
            draw_list(&site, &inside, Some(why), (vem, kontakt, dag)).await
        }
        Err(error) => Err(site.error(error)),
    }
}

async fn draw(
    site: &Site,
    inside: &Inside,
    id: i64,
    problem: Option<String>,
    hits: Option<(Vec<Hit>, bool, usize)>,
    page: usize,
) -> Result<Response, Response> {
    let file = site.services.subject_file(&inside.viewer, id).await.map_err(|e| site.error(e))?;
    let status = if problem.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    let row = file.row;
    let n_items = file.items.len();
    let from = page.saturating_mul(ON_PAGE).min(n_items);
    let view = SubjectPage {
        n_items,
        page,
        more_items: n_items > from + ON_PAGE,
        from,
        shell: inside.shell(site, Place::Diary)?,
        notice: problem.map(Notice::problem),
        line: line(site, &row),
        article: row.kind.article(),
        rectifies: row.kind == SubjectKind::Rectification,
        erases: row.kind == SubjectKind::Erasure,
        whom: row.whom.as_deref().map(MarkedText::plain),
        asker: row.asker.as_deref().map(MarkedText::plain),
        extended: row.extended,
        answer: row.ended.and_then(|(_, _, _, words)| words),
        has_pdf: row.has_pdf,
        items: file
            .items
            .into_iter()
            .skip(from)
            .take(ON_PAGE)
            .map(|told| SubjectItemView {
                item: told.item.0,
                case: told.case,
                what: told.what,
                wrote: told.wrote,
                text: told.text.as_deref().map(MarkedText::plain),
                note: told.note.as_deref().map(MarkedText::plain),
                may_go: told.erasure.0,
                why: told.erasure.1,
            })
            .collect(),
        hits: hits.map(|(hits, more, page)| {
            let hits = hits.into_iter().map(|hit| SubjectHit {
                item: hit.item.0,
                what: hit.what,
                wrote: hit.wrote,
                text: MarkedText::plain(&hit.text),
                chosen: hit.chosen,
            });
            (hits.collect(), more.then_some(page + 1))
        }),
        may_answer: file.may_answer,
    };
    Ok(page_with(site, status, &view))
}

/// One request.
pub async fn show(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Query(asked): Query<PageAsked>,
) -> Result<Response, Response> {
    draw(&site, &inside, id, None, None, asked.sida).await
}

/// Searches for the names of a request. By a form, so that nothing stands in an address.
pub async fn search(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<SearchFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    match site.services.find_subject_page(&inside.viewer, id, fields.sida).await {
        Ok((hits, more)) => {
            draw(&site, &inside, id, None, Some((hits, more, fields.sida)), 0).await
        }
        Err(ServiceError::Refused { why }) => draw(&site, &inside, id, Some(why), None, 0).await,
        Err(error) => Err(site.error(error)),
    }
}

async fn after(
    site: &Site,
    inside: &Inside,
    id: i64,
    done: Result<(), ServiceError>,
) -> Result<Response, Response> {
    match done {
        Ok(()) => Ok(Redirect::to(&format!("/registrerade/{id}")).into_response()),
        Err(ServiceError::Refused { why } | ServiceError::Shut { why }) => {
            draw(site, inside, id, Some(why), None, 0).await
        }
        Err(error) => Err(site.error(error)),
    }
}

/// Adds what was chosen.
pub async fn choose(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<ChosenFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let chosen: Vec<_> = fields.inlagg.into_iter().map(ItemId).collect();
    let done = site.services.add_to_subject(&inside.viewer, id, &chosen).await;
    after(&site, &inside, id, done).await
}

/// The one item that a form is about.
fn the_item(fields: &ChosenFields) -> ItemId {
    ItemId(fields.inlagg.first().copied().unwrap_or_default())
}

/// Takes an item out.
pub async fn take_out(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<ChosenFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let done = site.services.drop_from_subject(&inside.viewer, id, the_item(&fields)).await;
    after(&site, &inside, id, done).await
}

/// Joins what is wrong to an item's case.
pub async fn note(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<ChosenFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let item = the_item(&fields);
    let done = site.services.note_on_subject(&inside.viewer, id, item, &fields.skal).await;
    after(&site, &inside, id, done).await
}

/// Makes the time longer.
pub async fn extend(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<ReasonFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let done = site.services.extend_subject(&inside.viewer, id, &fields.skal).await;
    after(&site, &inside, id, done).await
}

/// Ends a request.
pub async fn end(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<AnswerFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let withdrawn = fields.atertagen == "ja";
    let done = site.services.end_subject(&inside.viewer, id, withdrawn, &fields.svar).await;
    after(&site, &inside, id, done).await
}

/// The document.
pub async fn document(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
) -> Result<Response, Response> {
    let bytes = site.services.subject_document(&inside.viewer, id).await;
    let bytes = bytes.map_err(|e| site.error(e))?;
    let broken = |source: axum::http::Error| {
        site.error(ServiceError::Broken { doing: "answer", source: Box::new(source) })
    };
    // Of very much there are several documents in a zip.
    let (media_type, ending) = match bytes.starts_with(b"PK") {
        true => ("application/zip", "zip"),
        false => ("application/pdf", "pdf"),
    };
    HttpResponse::builder()
        .header(CONTENT_TYPE, media_type)
        .header(CONTENT_DISPOSITION, format!("attachment; filename=\"begaran-{id}.{ending}\""))
        .header(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"))
        .body(Body::from(bytes))
        .map_err(broken)
}

/// A day ends at midnight, which is read as the next day: what is shown is the last second before it.
fn last_moment(end: jiff::Timestamp) -> jiff::Timestamp {
    end.saturating_sub(jiff::SignedDuration::from_secs(1)).unwrap_or(end)
}
