//! `/mig`: one's own log-in.

use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::cookie::CookieJar;
use serde::Deserialize;

use crate::domain::calendar::local;
use crate::domain::person::Act;
use crate::runtime::secret::Secret;
use crate::services::ServiceError;
use crate::services::api_keys::Known;
use crate::services::sign_in::sessions::Listed;
use crate::web::state::{From, Inside, Site, page_with};
use crate::web::view::shell::{Notice, Place};
use crate::web::view::sign_in::{FactorPage, FactorView, MePage, SessionView};
use crate::web::view::times::Moment;

use super::login::{counted, inside as let_in};
use super::sign_in::codes_page;

/// What the address says was done.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    klart: String,
}

/// A form that changes how one logs in. Never logged: the type has no `Debug`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Fields {
    csrf: String,
    losenord: String,
    kod: String,
    /// Which session, where it is one.
    inloggning: String,
}

pub(super) fn session_view(listed: Listed, now: jiff::Timestamp) -> SessionView {
    SessionView {
        mark: listed.mark,
        own: listed.own,
        opened: Moment::new(listed.opened_at, now),
        seen: Moment::new(listed.seen_at, now),
        ends: Moment::new(listed.expires_at, now),
        address: listed.address,
        way: listed.way.label(),
    }
}

fn key_view(key: Known, now: jiff::Timestamp) -> (String, String, String) {
    let made = format!("av {} {}", key.made.1, Moment::new(key.made.0, now).short);
    let until = local(key.expires_at).strftime("%Y-%m-%d").to_string();
    (format!("{} (uppsikt_{}_…)", key.name, key.prefix), made, until)
}

async fn draw(
    site: &Site,
    inside: &Inside,
    notice: Option<Notice>,
    status: StatusCode,
) -> Result<Response, Response> {
    let (services, viewer) = (&site.services, &inside.viewer);
    let now = services.clock().now();
    let factor = services.own_factor(viewer).await.map_err(|e| site.error(e))?;
    let sessions =
        services.own_sessions(viewer, inside.token()).await.map_err(|e| site.error(e))?;
    let keys = services.own_api_keys(viewer).await.map_err(|e| site.error(e))?;
    let factor = match (factor.possible, factor.since) {
        (_, Some((since, left))) => {
            FactorView::Set(Moment::new(since, now), left, !factor.demanded)
        }
        (true, None) => FactorView::None,
        (false, None) => FactorView::Elsewhere,
    };
    let view = MePage {
        shell: inside.shell(site, Place::Elsewhere)?,
        notice,
        factor,
        sessions: sessions.into_iter().map(|listed| session_view(listed, now)).collect(),
        keys: keys.into_iter().map(|key| key_view(key, now)).collect(),
        manages: viewer.may(Act::ManageUsers),
    };
    Ok(page_with(site, status, &view))
}

async fn refused(site: &Site, inside: &Inside, error: ServiceError) -> Result<Response, Response> {
    match error {
        ServiceError::Refused { why } => {
            draw(site, inside, Some(Notice::problem(why)), StatusCode::UNPROCESSABLE_ENTITY).await
        }
        error => Err(site.error(error)),
    }
}

/// The page.
pub async fn show(
    State(site): State<Site>,
    inside: Inside,
    Query(asked): Query<Asked>,
) -> Result<Response, Response> {
    let notice = match asked.klart.as_str() {
        "avslutad" => Some(Notice::done("Inloggningen är avslutad.")),
        "av" => Some(Notice::done(
            "Tvåstegsinloggningen är avstängd, och andra inloggningar är avslutade.",
        )),
        _ => None,
    };
    draw(&site, &inside, notice, StatusCode::OK).await
}

/// Ends one of one's own sessions, or all but this.
pub async fn end_sessions(
    State(site): State<Site>,
    inside: Inside,
    Form(fields): Form<Fields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let mark = Some(fields.inloggning.as_str()).filter(|mark| !mark.is_empty());
    let ended = site.services.end_own_sessions(&inside.viewer, inside.token(), mark).await;
    ended.map_err(|e| site.error(e))?;
    Ok(Redirect::to("/mig?klart=avslutad").into_response())
}

#[expect(clippy::result_large_err, reason = "the error is the whole answer, made once a request")]
fn factor_page(site: &Site, inside: &Inside, wrong: Option<String>) -> Result<Response, Response> {
    let secret = site.services.proposed_factor(inside.token()).map_err(|e| site.error(e))?;
    let shell = inside.shell(site, Place::Elsewhere)?;
    let (csrf, name) = (shell.csrf.clone(), inside.viewer.name.clone());
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = FactorPage::new(shell, &name, secret.expose());
    let (notice, action) = (wrong.map(Notice::problem), "/mig/tvasteg");
    let then = "/mig".to_owned();
    let page = FactorPage { notice, csrf, then, action, inside: true, ..page };
    Ok(page_with(site, status, &page))
}

/// Shows what is to be set up.
pub async fn ask_factor(State(site): State<Site>, inside: Inside) -> Result<Response, Response> {
    let factor = site.services.own_factor(&inside.viewer).await.map_err(|e| site.error(e))?;
    if !factor.possible || factor.since.is_some() {
        return Ok(Redirect::to("/mig").into_response());
    }
    factor_page(&site, &inside, None)
}

/// The name that tries of somebody inside are counted under.
fn counted_as(inside: &Inside) -> String {
    format!("user {}", inside.viewer.user)
}

/// Sets up a second factor.
pub async fn set_factor(
    State(site): State<Site>,
    From(address): From,
    inside: Inside,
    jar: CookieJar,
    Form(fields): Form<Fields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    counted(&site, address, &counted_as(&inside), "/mig")?;
    let (viewer, password) = (&inside.viewer, Secret::new(fields.losenord));
    match site.services.set_own_factor(viewer, inside.token(), password, &fields.kod).await {
        Ok((opened, codes)) => {
            site.throttle.succeeded(address, &counted_as(&inside));
            let jar = let_in(&site, jar, &opened).await?;
            Ok((jar, codes_page(&site, &codes, "/mig")).into_response())
        }
        Err(ServiceError::Refused { why }) => factor_page(&site, &inside, Some(why)),
        Err(error) => Err(site.error(error)),
    }
}

/// Takes it away.
pub async fn remove_factor(
    State(site): State<Site>,
    From(address): From,
    inside: Inside,
    jar: CookieJar,
    Form(fields): Form<Fields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    counted(&site, address, &counted_as(&inside), "/mig")?;
    let password = Secret::new(fields.losenord);
    match site.services.remove_own_factor(&inside.viewer, password, &fields.kod).await {
        Ok(opened) => {
            site.throttle.succeeded(address, &counted_as(&inside));
            let jar = let_in(&site, jar, &opened).await?;
            Ok((jar, Redirect::to("/mig?klart=av")).into_response())
        }
        Err(error) => refused(&site, &inside, error).await,
    }
}

/// New recovery codes.
pub async fn renew_codes(
    State(site): State<Site>,
    From(address): From,
    inside: Inside,
    Form(fields): Form<Fields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    counted(&site, address, &counted_as(&inside), "/mig")?;
    match site.services.renew_recovery(&inside.viewer, &fields.kod).await {
        Ok(codes) => Ok(codes_page(&site, &codes, "/mig")),
        Err(error) => refused(&site, &inside, error).await,
    }
}
