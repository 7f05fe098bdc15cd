//! `/konton`: accounts, how they are being watched, what each can do.

use axum::extract::State;
use axum::response::Response;

use crate::web::present;
use crate::web::state::{Inside, Site, page};
use crate::web::view::accounts::AccountsPage;
use crate::web::view::shell::Place;

/// The page.
pub async fn show(State(site): State<Site>, inside: Inside) -> Result<Response, Response> {
    let watches = site.services.watches(&inside.viewer).await.map_err(|e| site.error(e))?;
    let now = site.services.clock().now();
    let shell = inside.shell(&site, Place::Accounts)?;
    let accounts = watches.into_iter().map(|watch| present::account(watch, now)).collect();
    Ok(page(&site, &AccountsPage { shell, accounts }))
}
