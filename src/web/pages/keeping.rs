//! `/gallring` and `/bevis/kontroll`: disposal with its protocols, and verification of the archive.

use axum::body::Body;
use axum::extract::{Form, Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, Response as HttpResponse, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};

use crate::domain::ids::DisposalId;
use crate::services::ServiceError;
use crate::web::forms::{ApproveForm, BareForm, DisposalForm, ReasonFields};
use crate::web::present_keeping as present;
use crate::web::state::{Inside, Site, not_found, page_with};
use crate::web::view::shell::Notice;

async fn draw(
    site: &Site,
    inside: &Inside,
    status: StatusCode,
    notice: Option<Notice>,
) -> Result<Response, Response> {
    let all = site.services.disposals(&inside.viewer).await.map_err(|e| site.error(e))?;
    let now = site.services.clock().now();
    let shell = inside.shell(site, crate::web::view::shell::Place::Disposal)?;
    let view = present::disposal(shell, notice, all, now);
    Ok(page_with(site, status, &view))
}

/// What is due, what waits, and what was done.
pub async fn show(State(site): State<Site>, inside: Inside) -> Result<Response, Response> {
    draw(&site, &inside, StatusCode::OK, None).await
}

async fn after<T>(
    site: &Site,
    inside: &Inside,
    done: Result<T, ServiceError>,
) -> Result<Response, Response> {
    match done {
        Ok(_) => Ok(Redirect::to("/gallring").into_response()),
        Err(
            ServiceError::Refused { why }
            | ServiceError::Conflict { why }
            | ServiceError::Shut { why }
            | ServiceError::Damaged { why },
        ) => draw(site, inside, StatusCode::CONFLICT, Some(Notice::problem(why))).await,
        Err(error) => Err(site.error(error)),
    }
}

/// Proposes what is due.
pub async fn propose(
    State(site): State<Site>,
    inside: Inside,
    Form(fields): Form<DisposalForm>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    // One that names what is no policy must not dispose by another; without any the first is meant.
    let policy = match fields.riktlinje.as_str() {
        "" => None,
        named => match named.parse() {
            Ok(policy) => Some(policy),
            Err(_) => {
                let why = "Formuläret säger inte vilken riktlinje gallringen gäller. Ladda om sidan och föreslå på nytt.";
                let notice = Some(Notice::problem(why));
                return draw(&site, &inside, StatusCode::UNPROCESSABLE_ENTITY, notice).await;
            }
        },
    };
    let done = site.services.propose_disposal(&inside.viewer, policy).await;
    after(&site, &inside, done).await
}

/// Approves a proposal and carries it out.
pub async fn approve(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<ApproveForm>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let Ok(shown) = fields.visat.parse() else {
        let why = "Formuläret säger inte vilket förslag som visades. Ladda om sidan, läs förslaget och godkänn på nytt.";
        let notice = Some(Notice::problem(why));
        return draw(&site, &inside, StatusCode::UNPROCESSABLE_ENTITY, notice).await;
    };
    let done = site.services.approve_as_shown(&inside.viewer, DisposalId(id), shown).await;
    after(&site, &inside, done).await
}

/// Says that the clock is right.
pub async fn clock(
    State(site): State<Site>,
    inside: Inside,
    Form(fields): Form<BareForm>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let done = site.services.confirm_clock(&inside.viewer).await;
    after(&site, &inside, done).await
}

/// Withdraws a proposal.
pub async fn withdraw(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<ReasonFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let id = DisposalId(id);
    let done = site.services.withdraw_disposal(&inside.viewer, id, &fields.skal).await;
    after(&site, &inside, done).await
}

/// A file of a protocol: `/gallring/3/protokoll-3.csv`.
pub async fn file(
    State(site): State<Site>,
    inside: Inside,
    Path((id, name)): Path<(i64, String)>,
) -> Result<Response, Response> {
    let prefix = format!("protokoll-{id}.");
    let Some(ending) = name.strip_prefix(&prefix) else { return Err(not_found(&site)) };
    let found = site.services.protocol_file(&inside.viewer, DisposalId(id), ending).await;
    let bytes = found.map_err(|e| site.error(e))?;
    let media_type = match ending {
        "pdf" => "application/pdf",
        "csv" => "text/csv; charset=utf-8",
        "sha256" | "pem" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };
    let broken = |source: axum::http::Error| {
        site.error(ServiceError::Broken { doing: "answer", source: Box::new(source) })
    };
    HttpResponse::builder()
        .header(CONTENT_TYPE, media_type)
        .header(CONTENT_DISPOSITION, format!("attachment; filename=\"protokoll-{id}.{ending}\""))
        .header(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"))
        .body(Body::from(bytes))
        .map_err(broken)
}

async fn draw_checks(
    site: &Site,
    inside: &Inside,
    status: StatusCode,
    notice: Option<Notice>,
) -> Result<Response, Response> {
    let checks = site.services.checks(&inside.viewer).await.map_err(|e| site.error(e))?;
    let now = site.services.clock().now();
    let shell = inside.shell(site, crate::web::view::shell::Place::Elsewhere)?;
    Ok(page_with(site, status, &present::verification(shell, notice, checks, now)))
}

/// The last verification, and what it can tell.
pub async fn checks(State(site): State<Site>, inside: Inside) -> Result<Response, Response> {
    draw_checks(&site, &inside, StatusCode::OK, None).await
}

/// Begins to verify everything.
pub async fn check(
    State(site): State<Site>,
    inside: Inside,
    Form(fields): Form<BareForm>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    match site.services.begin_check(&inside.viewer).await {
        Ok(()) => Ok(Redirect::to("/bevis/kontroll").into_response()),
        Err(ServiceError::Refused { why }) => {
            draw_checks(&site, &inside, StatusCode::CONFLICT, Some(Notice::problem(why))).await
        }
        Err(error) => Err(site.error(error)),
    }
}
