//! `/krislage`: crisis mode, begun and ended in one act.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::Form;
use serde::Deserialize;

use crate::domain::calendar::local;
use crate::domain::person::Act;
use crate::services::ServiceError;
use crate::services::crisis::Typed;
use crate::web::forms::BareForm;
use crate::web::present_supervision::past_crisis;
use crate::web::state::{Inside, Site, page_with};
use crate::web::view::crisis::{CrisisPage, CrisisSheetPage};
use crate::web::view::shell::{Notice, Place};

/// The form. Repeated fields need `axum_extra`'s form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Fields {
    csrf: String,
    varfor: String,
    till: String,
    konto: Vec<String>,
    person: Vec<String>,
}

async fn draw(
    site: &Site,
    inside: &Inside,
    status: StatusCode,
    notice: Option<Notice>,
    typed: &Typed,
) -> Result<Response, Response> {
    let board = site.services.crises(&inside.viewer).await.map_err(|e| site.error(e))?;
    // The end that stands, to be moved, or the usual one of a crisis that begins now.
    let usual = board.standing.as_ref().map_or(board.usual_end, |crisis| crisis.until);
    let usual = local(usual).strftime("%Y-%m-%dT%H:%M").to_string();
    let named = |crisis: &crate::domain::crisis::Crisis| {
        let names = board.accounts.iter().filter(|(id, ..)| crisis.accounts.contains(id));
        names.map(|(_, _, name)| name.clone()).collect::<Vec<_>>()
    };
    let view = CrisisPage {
        shell: inside.shell(site, Place::Accounts)?,
        notice,
        standing: board.standing.as_ref().map(|crisis| (past_crisis(crisis), named(crisis))),
        past: board.past.iter().map(past_crisis).collect(),
        changes: board.changes,
        who: board.who,
        accounts: board
            .accounts
            .into_iter()
            .map(|(_, key, name)| {
                let ticked = typed.accounts.contains(&key);
                (key, name, ticked)
            })
            .collect(),
        users: board
            .users
            .into_iter()
            .map(|(login, name)| {
                let ticked = typed.people.contains(&login);
                (login, name, ticked)
            })
            .collect(),
        why: typed.why.clone(),
        until: if typed.until.is_empty() { usual } else { typed.until.clone() },
        may: inside.viewer.may(Act::ManageAccounts),
    };
    Ok(page_with(site, status, &view))
}

/// The page.
pub async fn show(State(site): State<Site>, inside: Inside) -> Result<Response, Response> {
    draw(&site, &inside, StatusCode::OK, None, &Typed::default()).await
}

/// The leaf to print.
pub async fn sheet(State(site): State<Site>, inside: Inside) -> Result<Response, Response> {
    let sheet = site.services.crisis_sheet(&inside.viewer).await.map_err(|e| site.error(e))?;
    let view = CrisisSheetPage { shell: inside.shell(&site, Place::Accounts)?, sheet };
    Ok(page_with(&site, StatusCode::OK, &view))
}

async fn after(
    site: &Site,
    inside: &Inside,
    done: Result<(), ServiceError>,
    typed: &Typed,
) -> Result<Response, Response> {
    match done {
        Ok(()) => Ok(Redirect::to("/krislage").into_response()),
        Err(ServiceError::Refused { why }) => {
            draw(site, inside, StatusCode::CONFLICT, Some(Notice::problem(why)), typed).await
        }
        Err(error) => Err(site.error(error)),
    }
}

/// Begins it.
pub async fn begin(
    State(site): State<Site>,
    inside: Inside,
    Form(fields): Form<Fields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let Fields { varfor: why, till: until, konto: accounts, person: people, .. } = fields;
    let typed = Typed { why, accounts, people, until };
    let done = site.services.begin_crisis(&inside.viewer, &typed).await;
    after(&site, &inside, done, &typed).await
}

/// Another end.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Moved {
    csrf: String,
    till: String,
}

/// Moves its end.
pub async fn move_end(
    State(site): State<Site>,
    inside: Inside,
    Form(fields): Form<Moved>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let typed = Typed { until: fields.till, ..Typed::default() };
    let done = site.services.move_crisis(&inside.viewer, &typed.until).await;
    after(&site, &inside, done, &typed).await
}

/// Ends it.
pub async fn end(
    State(site): State<Site>,
    inside: Inside,
    Form(fields): Form<BareForm>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let done = site.services.end_crisis(&inside.viewer).await;
    after(&site, &inside, done, &Typed::default()).await
}
