//! `/anmal`, which anybody may send, and what the people of the authority do with what comes: `/anmalningar` and
//! `/arende/12/utifran`.

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::domain::ids::CaseId;
use crate::domain::person::Act;
use crate::domain::public_report::{PublicReport, Typed};
use crate::services::ServiceError;
use crate::services::public_reports::Answer;
use crate::web::forms::{BareForm, ReasonFields};
use crate::web::public::NotTaken;
use crate::web::state::{From, Inside, Site, not_found, page, page_with};
use crate::web::view::marked::MarkedText;
use crate::web::view::masked::Masked;
use crate::web::view::outside::Outside;
use crate::web::view::reported::{
    FromOutsidePage, ReportForm, ReportInPage, ReportRow, ReportTaken, ReportView, ReportsPage,
};
use crate::web::view::shell::{Notice, Place};
use crate::web::view::times::Moment;

/// What anybody sends.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct PublicFields {
    stampel: String,
    lank: String,
    skal: String,
    kontakt: String,
    /// Nobody sees it; programs fill it in.
    webbplats: String,
}

/// The case that a report belongs to.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct JoinFields {
    csrf: String,
    arende: String,
}

fn form(site: &Site, status: StatusCode, typed: Typed, problem: Option<String>) -> Response {
    let Some(bounds) = site.services.public_reporting() else { return not_found(site) };
    let token = site.public.token(site.services.clock().now());
    let contact = bounds.contact.clone();
    page_with(site, status, &ReportForm { shell: site.outside(), problem, typed, token, contact })
}

/// No more are taken now: says where to turn.
fn full(site: &Site, typed: Typed, wait_s: u64) -> Response {
    let contact = site.services.public_reporting().map(|bounds| bounds.contact.clone());
    let words = format!(
        "Vi kan inte ta emot fler anmälningar här just nu. Kontakta oss i stället: {}.",
        contact.unwrap_or_default()
    );
    let mut response = form(site, StatusCode::TOO_MANY_REQUESTS, typed, Some(words));
    response.headers_mut().insert(RETRY_AFTER, wait_s.into());
    response
}

/// The form for the public.
pub async fn ask(State(site): State<Site>) -> Response {
    form(&site, StatusCode::OK, Typed::default(), None)
}

/// Takes a report from anybody.
pub async fn receive(
    State(site): State<Site>,
    From(address): From,
    Form(fields): Form<PublicFields>,
) -> Response {
    if site.services.public_reporting().is_none() {
        return not_found(&site);
    }
    let typed = Typed { link: fields.lank, reason: fields.skal, contact: fields.kontakt };
    let again = |words: &str| {
        form(&site, StatusCode::UNPROCESSABLE_ENTITY, typed.clone(), Some(words.to_owned()))
    };
    match site.public.check(&fields.stampel, site.services.clock().now()) {
        Ok(()) => {}
        Err(NotTaken::Stale) => {
            return again(
                "Sidan hade stått öppen för länge. Kontrollera det du skrev och skicka igen.",
            );
        }
        Err(NotTaken::TooFast) => {
            return again(
                "Det gick för fort. Kontrollera det du skrev, vänta några sekunder och skicka igen.",
            );
        }
    }
    if !fields.webbplats.is_empty() {
        return again("Ett fält som ska vara tomt var ifyllt. Det är tömt nu: skicka igen.");
    }
    // Before the database is asked anything.
    if let Err(wait_s) = site.public.count(address) {
        return full(&site, typed, wait_s);
    }
    match site.services.report_from_outside(&typed).await {
        Ok(Answer::Taken(receipt)) => {
            let contact = site.services.public_reporting().map(|bounds| bounds.contact.clone());
            let contact = contact.unwrap_or_default();
            page(&site, &ReportTaken { shell: site.outside(), receipt, contact })
        }
        Ok(Answer::Faulty(faulty)) => again(faulty.words()),
        Ok(Answer::Full) => full(&site, typed, 3_600),
        Err(error) => site.error(error),
    }
}

fn view(site: &Site, report: PublicReport) -> ReportView {
    let now = site.services.clock().now();
    ReportView {
        id: report.id,
        receipt: report.receipt,
        received: Moment::new(report.received_at, now),
        state: report.state.label(),
        reason: report.reason.as_deref().map(MarkedText::plain),
        link: report.link.as_deref().map(|link| Outside::new("Det som anmäldes", link)),
        contact: report.contact.as_deref().map(MarkedText::plain),
        case: report.case,
        ended: report.ended.map(|(who, at, words)| (who, Moment::new(at, now), words)),
        waits: report.state.waits(),
    }
}

/// The list.
pub async fn list(State(site): State<Site>, inside: Inside) -> Result<Response, Response> {
    let lines = site.services.reports_from_outside(&inside.viewer).await;
    let now = site.services.clock().now();
    let rows = lines.map_err(|e| site.error(e))?.into_iter().map(|line| ReportRow {
        id: line.id,
        line: Masked::line(&line.line),
        received: Moment::new(line.received_at, now),
        state: line.state.label(),
        case: line.case,
    });
    let is_on = site.services.public_reporting().is_some();
    let shell = inside.shell(&site, Place::Queue)?;
    Ok(page(&site, &ReportsPage { shell, is_on, rows: rows.collect() }))
}

async fn draw(
    site: &Site,
    inside: &Inside,
    id: i64,
    problem: Option<String>,
) -> Result<Response, Response> {
    let report = site.services.report_at(&inside.viewer, id).await.map_err(|e| site.error(e))?;
    let status = if problem.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    let view = ReportInPage {
        shell: inside.shell(site, Place::Queue)?,
        notice: problem.map(Notice::problem),
        report: view(site, report),
        may: inside.viewer.may(Act::Decide),
    };
    Ok(page_with(site, status, &view))
}

/// One report.
pub async fn show(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
) -> Result<Response, Response> {
    draw(&site, &inside, id, None).await
}

async fn after(
    site: &Site,
    inside: &Inside,
    id: i64,
    done: Result<(), ServiceError>,
) -> Result<Response, Response> {
    match done {
        Ok(()) => Ok(Redirect::to(&format!("/anmalningar/{id}")).into_response()),
        Err(ServiceError::Refused { why }) => draw(site, inside, id, Some(why)).await,
        Err(error) => Err(site.error(error)),
    }
}

/// Somebody has read it.
pub async fn read(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<BareForm>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let ended = site.services.end_report(&inside.viewer, id, None).await;
    after(&site, &inside, id, ended.map(drop)).await
}

/// It leads to nothing.
pub async fn set_aside(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<ReasonFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let ended = site.services.end_report(&inside.viewer, id, Some(&fields.skal)).await;
    after(&site, &inside, id, ended.map(drop)).await
}

/// It is about that case.
pub async fn join(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<JoinFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let joined = match fields.arende.trim().parse() {
        Ok(case) => site.services.join_report(&inside.viewer, id, CaseId(case)).await,
        Err(_) if inside.viewer.may(Act::Decide) => {
            Err(ServiceError::Refused { why: "Skriv ärendets nummer med siffror.".into() })
        }
        Err(_) => Err(ServiceError::NotPermitted { act: Act::Decide }),
    };
    after(&site, &inside, id, joined).await
}

async fn draw_case(
    site: &Site,
    inside: &Inside,
    case: CaseId,
    problem: Option<String>,
) -> Result<Response, Response> {
    let known = site.services.from_outside(&inside.viewer, case).await;
    let known = known.map_err(|e| site.error(e))?;
    let now = site.services.clock().now();
    let status = if problem.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    let page = FromOutsidePage {
        shell: inside.shell(site, Place::Queue)?,
        notice: problem.map(Notice::problem),
        case,
        reports: known.reports.into_iter().map(|report| view(site, report)).collect(),
        outside: known.outside.map(|mark| (mark.by, Moment::new(mark.at, now), mark.reason)),
        may: known.may,
    };
    Ok(page_with(site, status, &page))
}

/// What is known of a case from outside.
pub async fn of_case(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
) -> Result<Response, Response> {
    draw_case(&site, &inside, CaseId(case), None).await
}

async fn after_mark(
    site: &Site,
    inside: &Inside,
    case: CaseId,
    done: Result<(), ServiceError>,
) -> Result<Response, Response> {
    match done {
        Ok(()) => Ok(Redirect::to(&format!("/arende/{case}/utifran")).into_response()),
        Err(ServiceError::Refused { why }) => draw_case(site, inside, case, Some(why)).await,
        Err(error) => Err(site.error(error)),
    }
}

/// It stands outside our control.
pub async fn mark(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
    Form(fields): Form<ReasonFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let case = CaseId(case);
    let done = site.services.set_outside(&inside.viewer, case, Some(&fields.skal)).await;
    after_mark(&site, &inside, case, done).await
}

/// It does not after all.
pub async fn unmark(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
    Form(fields): Form<BareForm>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let case = CaseId(case);
    let done = site.services.set_outside(&inside.viewer, case, None).await;
    after_mark(&site, &inside, case, done).await
}
