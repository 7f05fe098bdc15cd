//! `/anvandare`: everybody's log-ins, for whoever administers.

use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use crate::domain::ids::UserId;
use crate::services::ServiceError;
use crate::services::sign_in::sessions::Somebody;
use crate::web::state::{Inside, Site, not_found, page_with};
use crate::web::view::shell::{Notice, Place};
use crate::web::view::sign_in::{SomebodyView, UsersPage};

use super::me::session_view;

/// What the address says was done.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    klart: String,
}

/// An act on somebody.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Fields {
    csrf: String,
    /// Which session, where it is one.
    inloggning: String,
}

fn view(somebody: Somebody, own: UserId, now: jiff::Timestamp) -> SomebodyView {
    let Somebody { user, has_factor, demanded, vouched, sessions } = somebody;
    SomebodyView {
        id: user.id.0,
        own: user.id == own,
        how: match (vouched, has_factor, demanded) {
            (true, _, _) => "organisationens inloggning",
            (false, true, _) => "lösenord och kod",
            (false, false, true) => "lösenord; sätter upp kod vid nästa inloggning",
            (false, false, false) => "lösenord",
        },
        name: user.name,
        login: user.login,
        role: user.role.label(),
        active: user.active,
        has_factor,
        sessions: sessions.into_iter().map(|listed| session_view(listed, now)).collect(),
    }
}

async fn draw(
    site: &Site,
    inside: &Inside,
    notice: Option<Notice>,
    status: StatusCode,
) -> Result<Response, Response> {
    let everybody = site.services.everybody(&inside.viewer, inside.token()).await;
    let (now, own) = (site.services.clock().now(), inside.viewer.user);
    let users = everybody.map_err(|e| site.error(e))?;
    let view = UsersPage {
        shell: inside.shell(site, Place::Elsewhere)?,
        notice,
        users: users.into_iter().map(|somebody| view(somebody, own, now)).collect(),
    };
    Ok(page_with(site, status, &view))
}

/// The list.
pub async fn show(
    State(site): State<Site>,
    inside: Inside,
    Query(asked): Query<Asked>,
) -> Result<Response, Response> {
    let notice = match asked.klart.as_str() {
        "stang-av" => {
            Some("Användaren är avstängd och utloggad överallt. Tagna ärenden är tillbaka i kön.")
        }
        "slapp-in" => Some("Användaren kan logga in igen."),
        "avsluta" => Some("Inloggningen är avslutad."),
        "nollstall" => Some("Tvåstegsinloggningen är nollställd och användaren utloggad överallt."),
        _ => None,
    };
    draw(&site, &inside, notice.map(Notice::done), StatusCode::OK).await
}

/// Does something to somebody.
pub async fn act(
    State(site): State<Site>,
    inside: Inside,
    Path((id, act)): Path<(i64, String)>,
    Form(fields): Form<Fields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let (services, viewer, user) = (&site.services, &inside.viewer, UserId(id));
    let mark = Some(fields.inloggning.as_str()).filter(|mark| !mark.is_empty());
    let done = match act.as_str() {
        "stang-av" => services.shut_out(viewer, user, true).await,
        "slapp-in" => services.shut_out(viewer, user, false).await,
        "avsluta" => services.end_sessions_of(viewer, user, mark).await,
        "nollstall" => services.reset_factor(viewer, user).await,
        _ => return Err(not_found(&site)),
    };
    match done {
        Ok(()) => Ok(Redirect::to(&format!("/anvandare?klart={act}")).into_response()),
        Err(ServiceError::Refused { why }) => {
            draw(&site, &inside, Some(Notice::problem(why)), StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error) => Err(site.error(error)),
    }
}
