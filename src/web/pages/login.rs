//! `/logga-in`, `/logga-ut`.

use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::CookieJar;
use serde::Deserialize;

use crate::runtime::secret::Secret;
use crate::services::ServiceError;
use crate::services::session::Opened;
use crate::services::sign_in::{Entered, Wanted};
use crate::web::forms::{BareForm, LoginForm};
use crate::web::state::{From, Inside, Site, page, page_with};
use crate::web::view::error::wait_words;
use crate::web::view::login::{LoginPage, Unsaved, safe_return};
use crate::web::view::shell::Notice;

/// Where to go after log-in.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    pub(super) sedan: String,
    /// What was lost because the session had ended: see [`Unsaved`].
    #[serde(default)]
    sparat: String,
}

/// An address with where to go afterwards.
pub(super) fn with_return(address: &str, then: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("sedan", safe_return(then))
        .finish();
    format!("{address}?{query}")
}

/// The log-in page.
pub(super) fn login_page(
    site: &Site,
    notice: Option<Notice>,
    name: String,
    then: &str,
) -> LoginPage {
    let mut elsewhere = Vec::new();
    if let Some(name) = site.services.provider_name() {
        elsewhere.push((with_return("/logga-in/konto", then), name.to_owned()));
    }
    if site.services.trusted_proxy().is_some() {
        let name = "organisationens inloggning".to_owned();
        elsewhere.push((with_return("/logga-in/proxy", then), name));
    }
    let then = safe_return(then).to_owned();
    LoginPage { shell: site.outside(), notice, name, then, elsewhere }
}

/// The log-in page.
pub async fn show(State(site): State<Site>, Query(asked): Query<Asked>) -> Response {
    let notice = Unsaved::from_id(&asked.sparat).map(|unsaved| Notice::problem(unsaved.words()));
    page(&site, &login_page(&site, notice, String::new(), &asked.sedan))
}

/// The log-in page once more, with what went wrong.
pub(super) fn again(
    site: &Site,
    status: StatusCode,
    words: String,
    name: &str,
    then: &str,
) -> Response {
    let notice = Some(Notice::problem(words));
    page_with(site, status, &login_page(site, notice, name.to_owned(), then))
}

/// Counts a try by a name; the answer where there were too many.
#[expect(clippy::result_large_err, reason = "the error is the whole answer, made once a request")]
pub(super) fn counted(
    site: &Site,
    address: std::net::IpAddr,
    name: &str,
    then: &str,
) -> Result<(), Response> {
    site.throttle.check(address, name).map_err(|throttled| {
        let wait = wait_words(throttled.retry_after_s);
        let words = format!("För många försök. Vänta {wait} och försök igen.");
        let mut response = again(site, StatusCode::TOO_MANY_REQUESTS, words, name, then);
        response.headers_mut().insert("retry-after", throttled.retry_after_s.into());
        response
    })
}

/// The cookies of a session that was just opened. The session that the browser had before ends, and no step is left.
pub(super) async fn inside(
    site: &Site,
    jar: CookieJar,
    opened: &Opened,
) -> Result<CookieJar, Response> {
    if let Some(old) = jar.get(site.cookie().name()).map(|cookie| cookie.value().to_owned()) {
        site.services.replace_session(&old, opened).await.map_err(|e| site.error(e))?;
        site.drafts.hand_over(&old, opened.token.expose(), opened.viewer.user);
    }
    let had_step = jar.get(site.cookie().step_name()).is_some();
    let jar = jar.add(site.cookie().set(opened.token.expose().to_owned()));
    Ok(if had_step { jar.add(site.cookie().clear_step()) } else { jar })
}

/// Logs in. The page that comes back after a wrong password keeps the name and nothing else.
pub async fn log_in(
    State(site): State<Site>,
    From(address): From,
    jar: CookieJar,
    Form(form): Form<LoginForm>,
) -> Result<Response, Response> {
    counted(&site, address, &form.namn, &form.sedan)?;
    match site.services.begin_log_in(&form.namn, Secret::new(form.losenord), address).await {
        Ok(Entered::Open(opened)) => {
            site.throttle.succeeded(address, &form.namn);
            let jar = inside(&site, jar, &opened).await?;
            Ok((jar, Redirect::to(safe_return(&form.sedan))).into_response())
        }
        Ok(Entered::Step(step)) => {
            let next = match step.wants {
                Wanted::Code => "/logga-in/kod",
                Wanted::Factor => "/logga-in/tvasteg",
            };
            let jar = jar.add(site.cookie().set_step(step.token.expose().to_owned()));
            Ok((jar, Redirect::to(&with_return(next, &form.sedan))).into_response())
        }
        Err(ServiceError::Refused { why }) => {
            Err(again(&site, StatusCode::UNAUTHORIZED, why, &form.namn, &form.sedan))
        }
        Err(error) => Err(site.error(error)),
    }
}

/// Logs out.
pub async fn log_out(
    State(site): State<Site>,
    inside: Inside,
    jar: CookieJar,
    Form(form): Form<BareForm>,
) -> Result<Response, Response> {
    inside.check(&site, &form.csrf)?;
    let ended = site.services.log_out(&inside.viewer, inside.token()).await;
    ended.map_err(|e| site.error(e))?;
    site.drafts.drop_all(inside.token());
    Ok((jar.add(site.cookie().clear()), Redirect::to("/logga-in")).into_response())
}
