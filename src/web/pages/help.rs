//! `/hjalp`: keys, and turning them off.

use axum::extract::{Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};

use crate::web::forms::KeysFields;
use crate::web::state::{Inside, Site, page};
use crate::web::view::help::HelpPage;
use crate::web::view::shell::{Keys, Place};

/// The page.
pub async fn show(State(site): State<Site>, inside: Inside) -> Result<Response, Response> {
    let shell = inside.shell(&site, Place::Help)?;
    Ok(page(&site, &HelpPage { shell, notice: None }))
}

/// Turns keys on or off (WCAG 2.1.4); the browser remembers it for a year.
pub async fn keys(
    State(site): State<Site>,
    inside: Inside,
    jar: CookieJar,
    Form(fields): Form<KeysFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let keys = Keys::from_cookie(Some(&fields.tangenter));
    let cookie = Cookie::build((Keys::COOKIE, keys.id()))
        .path("/")
        .same_site(SameSite::Lax)
        .permanent()
        .build();
    Ok((jar.add(cookie), Redirect::to("/hjalp")).into_response())
}
