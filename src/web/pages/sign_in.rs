//! `/logga-in/…`: the steps after the password, and log-in elsewhere.

use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::cookie::CookieJar;
use serde::Deserialize;

use crate::runtime::secret::Secret;
use crate::services::ServiceError;
use crate::services::sign_in::oidc::Answer;
use crate::services::sign_in::{Given, Waiting, Wanted};
use crate::web::guard::{csrf_matches, csrf_token};
use crate::web::state::{From, Peer, Site, page_with};
use crate::web::view::error::Trouble;
use crate::web::view::login::safe_return;
use crate::web::view::shell::Notice;
use crate::web::view::sign_in::{CodePage, CodesPage, FactorPage};
use crate::web::vouched;

use super::login::{Asked, again, counted, inside};

/// A code as sent.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct CodeForm {
    csrf: String,
    /// Never logged: the type has no `Debug`.
    kod: String,
    sedan: String,
}

/// What a provider sends the browser back with. Nothing of it is logged: the type has no `Debug`.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Sent {
    state: String,
    code: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

/// The step that this browser is at, if it is one that waits for this.
fn step(site: &Site, jar: &CookieJar, wanted: Wanted) -> Option<(String, Waiting)> {
    let token = jar.get(site.cookie().step_name())?.value().to_owned();
    let waiting = site.services.waiting_step(&token).filter(|step| step.wants == wanted)?;
    Some((token, waiting))
}

/// To the log-in page, for whoever has no such step.
fn begin_anew(then: &str) -> Response {
    Redirect::to(&super::login::with_return("/logga-in", then)).into_response()
}

/// The page of a step.
#[expect(clippy::result_large_err, reason = "the error is the whole answer, made once a request")]
fn step_page(
    site: &Site,
    waiting: &Waiting,
    then: &str,
    wrong: Option<String>,
) -> Result<Response, Response> {
    let csrf = csrf_token(waiting.csrf.as_bytes()).map_err(|e| {
        site.error(ServiceError::Broken { doing: "form token", source: Box::new(e) })
    })?;
    let status = if wrong.is_some() { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    let notice = wrong.map(Notice::problem);
    let (shell, then) = (site.outside(), safe_return(then).to_owned());
    Ok(match (waiting.wants, &waiting.secret) {
        (Wanted::Factor, Some(secret)) => {
            let page = FactorPage::new(shell, &waiting.login, secret.expose());
            page_with(site, status, &FactorPage { notice, csrf, then, ..page })
        }
        (Wanted::Code | Wanted::Factor, _) => {
            page_with(site, status, &CodePage { shell, notice, csrf, then })
        }
    })
}

async fn ask(
    site: Site,
    jar: CookieJar,
    asked: Asked,
    wanted: Wanted,
) -> Result<Response, Response> {
    match step(&site, &jar, wanted) {
        Some((_, waiting)) => step_page(&site, &waiting, &asked.sedan, None),
        None => Ok(begin_anew(&asked.sedan)),
    }
}

/// Asks for a code.
pub async fn ask_code(
    State(site): State<Site>,
    jar: CookieJar,
    Query(asked): Query<Asked>,
) -> Result<Response, Response> {
    ask(site, jar, asked, Wanted::Code).await
}

/// Shows what is to be set up.
pub async fn ask_factor(
    State(site): State<Site>,
    jar: CookieJar,
    Query(asked): Query<Asked>,
) -> Result<Response, Response> {
    ask(site, jar, asked, Wanted::Factor).await
}

async fn give(
    site: Site,
    address: std::net::IpAddr,
    jar: CookieJar,
    form: CodeForm,
    wanted: Wanted,
) -> Result<Response, Response> {
    let Some((token, waiting)) = step(&site, &jar, wanted) else {
        return Ok(begin_anew(&form.sedan));
    };
    if !csrf_matches(waiting.csrf.as_bytes(), &form.csrf) {
        return Err(site.guard.trouble(Trouble::StaleForm, None));
    }
    counted(&site, address, &waiting.login, &form.sedan)?;
    let given = site.services.give_code(&token, &form.kod, address).await;
    match given.map_err(|e| site.error(e))? {
        Given::Open(opened) => {
            site.throttle.succeeded(address, &waiting.login);
            let jar = inside(&site, jar, &opened).await?;
            Ok((jar, Redirect::to(safe_return(&form.sedan))).into_response())
        }
        Given::SetUp(opened, codes) => {
            site.throttle.succeeded(address, &waiting.login);
            let jar = inside(&site, jar, &opened).await?;
            Ok((jar, codes_page(&site, &codes, safe_return(&form.sedan))).into_response())
        }
        Given::Wrong(words) => step_page(&site, &waiting, &form.sedan, Some(words)),
        Given::Ended(words) => {
            let page = again(&site, StatusCode::UNAUTHORIZED, words, &waiting.login, &form.sedan);
            Ok((jar.add(site.cookie().clear_step()), page).into_response())
        }
    }
}

/// Recovery codes, this once.
pub(super) fn codes_page(site: &Site, codes: &[Secret], then: &str) -> Response {
    let codes = codes.iter().map(|code| code.expose().to_owned()).collect();
    let page = CodesPage { shell: site.outside(), codes, then: then.to_owned() };
    page_with(site, StatusCode::OK, &page)
}

/// Takes a code.
pub async fn give_code(
    State(site): State<Site>,
    From(address): From,
    jar: CookieJar,
    Form(form): Form<CodeForm>,
) -> Result<Response, Response> {
    give(site, address, jar, form, Wanted::Code).await
}

/// Takes the first code of what was set up.
pub async fn set_factor(
    State(site): State<Site>,
    From(address): From,
    jar: CookieJar,
    Form(form): Form<CodeForm>,
) -> Result<Response, Response> {
    give(site, address, jar, form, Wanted::Factor).await
}

/// Sends the browser to the authority's provider.
pub async fn to_provider(
    State(site): State<Site>,
    From(address): From,
    jar: CookieJar,
    Query(asked): Query<Asked>,
) -> Result<Response, Response> {
    refuse_many(&site, address, &asked.sedan)?;
    match site.services.begin_at_provider(safe_return(&asked.sedan)).await {
        Ok(begun) => {
            let jar = jar.add(site.cookie().set_step(begun.browser.expose().to_owned()));
            Ok((jar, Redirect::to(begun.address.as_str())).into_response())
        }
        Err(ServiceError::Refused { why }) => {
            Err(again(&site, StatusCode::SERVICE_UNAVAILABLE, why, "", &asked.sedan))
        }
        Err(error) => Err(site.error(error)),
    }
}

/// Counts a log-in elsewhere by address alone: no name is known yet.
#[expect(clippy::result_large_err, reason = "the error is the whole answer, made once a request")]
fn refuse_many(site: &Site, address: std::net::IpAddr, then: &str) -> Result<(), Response> {
    site.throttle.check_address(address).map_err(|throttled| {
        let words = "För många försök från din adress. Vänta en stund och försök igen.";
        let mut response = again(site, StatusCode::TOO_MANY_REQUESTS, words.into(), "", then);
        response.headers_mut().insert("retry-after", throttled.retry_after_s.into());
        response
    })
}

/// Takes what the provider sent the browser back with.
pub async fn from_provider(
    State(site): State<Site>,
    From(address): From,
    jar: CookieJar,
    Query(sent): Query<Sent>,
) -> Result<Response, Response> {
    refuse_many(&site, address, "/")?;
    let browser = jar.get(site.cookie().step_name()).map(|cookie| cookie.value().to_owned());
    let answer = Answer {
        state: sent.state,
        code: sent.code.map(Secret::new),
        error: sent.error,
        issuer: sent.iss,
    };
    match site.services.finish_at_provider(answer, browser.as_deref(), address).await {
        Ok((opened, then)) => {
            let jar = inside(&site, jar, &opened).await?;
            Ok((jar, Redirect::to(safe_return(&then))).into_response())
        }
        Err(ServiceError::Refused { why }) => {
            let page = again(&site, StatusCode::UNAUTHORIZED, why, "", "/");
            Ok((jar.add(site.cookie().clear_step()), page).into_response())
        }
        Err(error) => Err(site.error(error)),
    }
}

/// Logs in whom the trusted proxy tells of.
pub async fn by_proxy(
    State(site): State<Site>,
    From(address): From,
    Peer(peer): Peer,
    jar: CookieJar,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response, Response> {
    let Some(settings) = site.services.trusted_proxy() else {
        return Err(crate::web::state::not_found(&site));
    };
    let Some(told) = vouched::told(settings, peer, &headers) else {
        let words = "Organisationens inloggning sade inte vem du är. Öppna Uppsikt genom den vanliga adressen och försök igen.";
        return Err(again(&site, StatusCode::UNAUTHORIZED, words.into(), "", &asked.sedan));
    };
    let vouched::Told { user, name, groups } = told;
    match site.services.enter_by_proxy(user, name, groups, address).await {
        Ok(opened) => {
            let jar = inside(&site, jar, &opened).await?;
            Ok((jar, Redirect::to(safe_return(&asked.sedan))).into_response())
        }
        Err(ServiceError::Refused { why }) => {
            Err(again(&site, StatusCode::UNAUTHORIZED, why, "", &asked.sedan))
        }
        Err(error) => Err(site.error(error)),
    }
}
