//! `/logga-in`, `/logga-ut`.

use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::CookieJar;
use serde::Deserialize;

use crate::runtime::secret::Secret;
use crate::services::ServiceError;
use crate::web::forms::{BareForm, LoginForm};
use crate::web::state::{From, Inside, Site, page, page_with};
use crate::web::view::error::wait_words;
use crate::web::view::login::{LoginPage, Unsaved, safe_return};
use crate::web::view::shell::Notice;

/// Where to go after log-in.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    sedan: String,
    /// What was lost because the session had ended: see [`Unsaved`].
    #[serde(default)]
    sparat: String,
}

/// The log-in page.
pub async fn show(State(site): State<Site>, Query(asked): Query<Asked>) -> Response {
    let then = safe_return(&asked.sedan).to_owned();
    let notice = Unsaved::from_id(&asked.sparat).map(|unsaved| Notice::problem(unsaved.words()));
    page(&site, &LoginPage { shell: site.outside(), notice, name: String::new(), then })
}

/// Logs in. The page that comes back after a wrong password keeps the name and nothing else.
pub async fn log_in(
    State(site): State<Site>,
    From(address): From,
    jar: CookieJar,
    Form(form): Form<LoginForm>,
) -> Response {
    let again = |status, words: String| {
        let page = LoginPage {
            shell: site.outside(),
            notice: Some(Notice::problem(words)),
            name: form.namn.clone(),
            then: safe_return(&form.sedan).to_owned(),
        };
        page_with(&site, status, &page)
    };
    if let Err(throttled) = site.throttle.check(address, &form.namn) {
        let wait = wait_words(throttled.retry_after_s);
        let words = format!("För många försök. Vänta {wait} och försök igen.");
        let mut response = again(StatusCode::TOO_MANY_REQUESTS, words);
        response.headers_mut().insert("retry-after", throttled.retry_after_s.into());
        return response;
    }
    match site.services.log_in(&form.namn, Secret::new(form.losenord), address).await {
        Ok(opened) => {
            site.throttle.succeeded(address, &form.namn);
            let cookie = site.cookie().set(opened.token.expose().to_owned());
            (jar.add(cookie), Redirect::to(safe_return(&form.sedan))).into_response()
        }
        Err(ServiceError::Refused { why }) => again(StatusCode::UNAUTHORIZED, why),
        Err(error) => site.error(error),
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
