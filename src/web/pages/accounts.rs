//! `/konton`: accounts, how they are being watched, what each can do.

use axum::extract::State;
use axum::response::Response;

use crate::web::present;
use crate::web::present_accounts::{inventory, summary};
use crate::web::state::{Inside, Site, page};
use crate::web::view::accounts::{AccountView, AccountsPage};
use crate::web::view::shell::Place;

/// The page.
pub async fn show(State(site): State<Site>, inside: Inside) -> Result<Response, Response> {
    let watches = site.services.watches(&inside.viewer).await.map_err(|e| site.error(e))?;
    let now = site.services.clock().now();
    let register = site.services.register(&inside.viewer).await.map_err(|e| site.error(e))?;
    let shell = inside.shell(&site, Place::Accounts)?;
    let card = |key: &str| {
        let entry = register.iter().find(|entry| entry.account.key.as_str() == key);
        entry.map(summary).unwrap_or_default()
    };
    let accounts = watches.into_iter().map(|watch| {
        let view = present::account(watch, now);
        AccountView { card: card(&view.key), ..view }
    });
    let accounts = accounts.collect();
    Ok(page(&site, &AccountsPage { shell, accounts, inventory: inventory(&register) }))
}
