//! `/hjalp/api`: what a program can do, told to the person who writes it.

use axum::extract::State;
use axum::response::Response;

use crate::domain::api_key::Scope;
use crate::domain::hook::HookEvent;
use crate::web::api::openapi;
use crate::web::state::{Inside, Site, page};
use crate::web::view::keys::ApiPage;
use crate::web::view::shell::Place;

/// The page.
pub async fn show(State(site): State<Site>, inside: Inside) -> Result<Response, Response> {
    let view = ApiPage {
        shell: inside.shell(&site, Place::Help)?,
        site: site.settings.public_url.to_string(),
        operations: openapi::all(),
        scopes: Scope::ALL.iter().map(|scope| (scope.id(), scope.label())).collect(),
        events: HookEvent::ALL.iter().map(|event| (event.id(), event.label())).collect(),
    };
    Ok(page(&site, &view))
}
