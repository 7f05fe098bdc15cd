//! `/uppgifter`: what was decided and a person does on the platform itself.

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use crate::domain::ids::{ActionId, CaseId, NoticeId};
use crate::domain::person::Act;
use crate::services::ServiceError;
use crate::web::forms::{BareForm, ReasonFields};
use crate::web::present;
use crate::web::state::{Inside, Site, page_with};
use crate::web::view::masked::Masked;
use crate::web::view::shell::{Notice, Place};
use crate::web::view::tasks::{TaskRow, TasksPage, TroubleView};
use crate::web::view::times::Moment;

async fn draw(
    site: &Site,
    inside: &Inside,
    status: StatusCode,
    notice: Option<Notice>,
) -> Result<Response, Response> {
    let tasks = site.services.tasks(&inside.viewer).await.map_err(|e| site.error(e))?;
    let now = site.services.clock().now();
    let may = inside.viewer.may(Act::Decide);
    let rows = tasks.into_iter().map(|task| TaskRow {
        case: task.line.case,
        line: Masked::line(&task.line.text),
        author: Masked::line(&task.line.author),
        account: task.line.account.name.clone(),
        task: present::task(
            task.action,
            task.kind,
            &task.line.account,
            task.permalink.as_ref(),
            task.hindered,
            task.text.as_deref(),
            task.decided,
            may,
            now,
        ),
    });
    let troubles = site.services.notice_troubles(&inside.viewer).await;
    let troubles = troubles.map_err(|e| site.error(e))?.into_iter().map(|t| TroubleView {
        notice: t.notice,
        needs_a_person: t.needs_a_person,
        has_recipient: t.has_recipient,
        who: t.who,
        subject: t.subject,
        problem: t.problem,
        case: t.case,
        made: Moment::new(t.made_at, now),
    });
    let accounts = site.services.account_tasks(&inside.viewer).await.map_err(|e| site.error(e))?;
    let reports = site.services.n_reports_waiting(&inside.viewer).await;
    let view = TasksPage {
        accounts,
        reports: reports.map_err(|e| site.error(e))?,
        shell: inside.shell(site, Place::Queue)?,
        notice,
        rows: rows.collect(),
        troubles: troubles.collect(),
        may_tell: may || inside.viewer.may(Act::ManageUsers),
    };
    Ok(page_with(site, status, &view))
}

/// The page.
pub async fn show(State(site): State<Site>, inside: Inside) -> Result<Response, Response> {
    draw(&site, &inside, StatusCode::OK, None).await
}

async fn after(
    site: &Site,
    inside: &Inside,
    ended: Result<CaseId, ServiceError>,
) -> Result<Response, Response> {
    match ended {
        Ok(case) => Ok(Redirect::to(&format!("/arende/{case}")).into_response()),
        Err(ServiceError::Refused { why } | ServiceError::Conflict { why }) => {
            draw(site, inside, StatusCode::CONFLICT, Some(Notice::problem(why))).await
        }
        Err(error) => Err(site.error(error)),
    }
}

/// It is done.
pub async fn done(
    State(site): State<Site>,
    inside: Inside,
    Path(action): Path<i64>,
    Form(fields): Form<BareForm>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let ended = site.services.task_done(&inside.viewer, ActionId(action)).await;
    after(&site, &inside, ended).await
}

async fn end_notice(
    site: Site,
    inside: Inside,
    notice: i64,
    fields: BareForm,
    again: bool,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    match site.services.end_notice(&inside.viewer, NoticeId(notice), again).await {
        Ok(()) => Ok(Redirect::to("/uppgifter").into_response()),
        Err(ServiceError::Refused { why }) => {
            draw(&site, &inside, StatusCode::CONFLICT, Some(Notice::problem(why))).await
        }
        Err(error) => Err(site.error(error)),
    }
}

/// Somebody was told in another way.
pub async fn told(
    State(site): State<Site>,
    inside: Inside,
    Path(notice): Path<i64>,
    Form(fields): Form<BareForm>,
) -> Result<Response, Response> {
    end_notice(site, inside, notice, fields, false).await
}

/// The notice is to be tried again.
pub async fn again(
    State(site): State<Site>,
    inside: Inside,
    Path(notice): Path<i64>,
    Form(fields): Form<BareForm>,
) -> Result<Response, Response> {
    end_notice(site, inside, notice, fields, true).await
}

/// It could not be done.
pub async fn not_done(
    State(site): State<Site>,
    inside: Inside,
    Path(action): Path<i64>,
    Form(fields): Form<ReasonFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let ended = site.services.task_not_done(&inside.viewer, ActionId(action), &fields.skal).await;
    after(&site, &inside, ended).await
}
