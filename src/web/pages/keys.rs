//! `/nycklar`: keys for programs.

use std::collections::BTreeSet;

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::Form as RepeatedForm;
use jiff::Timestamp;
use serde::Deserialize;

use crate::domain::account::Account;
use crate::domain::api_key::{Scope, USUAL_PER_MIN};
use crate::domain::ids::ApiKeyId;
use crate::services::ServiceError;
use crate::services::api_keys::{Known, Wanted};
use crate::web::forms::BareForm;
use crate::web::once::Sent;
use crate::web::state::{Inside, Site, page_with};
use crate::web::view::keys::{KeyRow, KeysPage};
use crate::web::view::shell::{Notice, Place};
use crate::web::view::times::Moment;

/// A key to be made, as typed.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Fields {
    csrf: String,
    namn: String,
    person: String,
    far: Vec<String>,
    konto: Vec<String>,
    dagar: String,
    takt: String,
    /// The form's mark: it is taken once.
    gang: String,
}

impl Default for Fields {
    fn default() -> Self {
        let (csrf, namn, person) = (String::new(), String::new(), String::new());
        let (dagar, takt) = ("365".to_owned(), USUAL_PER_MIN.to_string());
        let (far, konto, gang) = (Vec::new(), Vec::new(), String::new());
        Self { csrf, namn, person, far, konto, dagar, takt, gang }
    }
}

impl Fields {
    fn wanted(&self) -> Wanted {
        Wanted {
            name: self.namn.clone(),
            login: self.person.clone(),
            scopes: self.far.iter().filter_map(|id| Scope::from_id(id)).collect(),
            accounts: self.konto.iter().cloned().collect::<BTreeSet<_>>(),
            // What is no number is none that is allowed.
            days: self.dagar.trim().parse().unwrap_or_default(),
            per_min: self.takt.trim().parse().unwrap_or_default(),
        }
    }
}

fn row(key: Known, accounts: &[Account], now: Timestamp) -> KeyRow {
    let (over, over_at) = match &key.revoked {
        Some((at, by)) => (format!("återkallad av {by}"), Some(*at)),
        None if key.expires_at <= now => ("gick ut".to_owned(), Some(key.expires_at)),
        None if !key.user.active => ("användaren är avstängd".to_owned(), None),
        None => (String::new(), None),
    };
    let named = accounts.iter().filter(|account| key.accounts.contains(&account.id));
    KeyRow {
        id: key.id.0,
        name: key.name,
        prefix: key.prefix,
        user: format!("{}, {}", key.user.name, key.user.role.label()),
        scopes: key.scopes.iter().map(|scope| scope.label()).collect(),
        accounts: named.map(|account| account.name.clone()).collect(),
        per_min: key.per_min,
        made: (Moment::new(key.made.0, now), key.made.1),
        used: key.used_at.map(|at| Moment::new(at, now)),
        expires: Moment::new(key.expires_at, now),
        over,
        over_at: over_at.map(|at| Moment::new(at, now)),
    }
}

async fn draw(
    site: &Site,
    inside: &Inside,
    status: StatusCode,
    notice: Option<Notice>,
    made: Option<(String, String)>,
    typed: &Fields,
) -> Result<Response, Response> {
    let (services, viewer) = (&site.services, &inside.viewer);
    let keys = services.api_keys(viewer).await.map_err(|e| site.error(e))?;
    let users = services.key_users(viewer).await.map_err(|e| site.error(e))?;
    let accounts = services.key_accounts(viewer).await.map_err(|e| site.error(e))?;
    let now = services.clock().now();
    let keys = keys.into_iter().map(|key| row(key, &accounts, now));
    let (rows, over) = keys.partition(|row: &KeyRow| row.over.is_empty());
    let scopes = Scope::ALL.iter().map(|scope| {
        let ticked = typed.far.iter().any(|id| id == scope.id());
        (scope.id().to_owned(), scope.label().to_owned(), ticked)
    });
    let view = KeysPage {
        shell: inside.shell(site, Place::Accounts)?,
        notice,
        made,
        rows,
        over,
        name: typed.namn.clone(),
        users: users
            .into_iter()
            .map(|(login, words)| {
                let chosen = login == typed.person;
                (login, words, chosen)
            })
            .collect(),
        scopes: scopes.collect(),
        accounts: accounts
            .iter()
            .map(|account| {
                let key = account.key.as_str().to_owned();
                let ticked = typed.konto.contains(&key);
                (key, account.name.clone(), ticked)
            })
            .collect(),
        once: Sent::mark(),
        days: typed.dagar.clone(),
        per_min: typed.takt.clone(),
    };
    Ok(page_with(site, status, &view))
}

/// The page.
pub async fn show(State(site): State<Site>, inside: Inside) -> Result<Response, Response> {
    draw(&site, &inside, StatusCode::OK, None, None, &Fields::default()).await
}

/// Makes a key, and shows it this once.
pub async fn add(
    State(site): State<Site>,
    inside: Inside,
    RepeatedForm(fields): RepeatedForm<Fields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    if !site.sent.is_first(&fields.gang) {
        let notice = Some(Notice::waits(
            "Nyckeln är redan skapad: formuläret skickades två gånger. Hann du inte kopiera den, återkalla den och skapa en ny.",
        ));
        return draw(&site, &inside, StatusCode::CONFLICT, notice, None, &Fields::default()).await;
    }
    match site.services.add_api_key(&inside.viewer, &fields.wanted()).await {
        Ok((_, key)) => {
            let made = Some((fields.namn.clone(), key.expose().to_owned()));
            draw(&site, &inside, StatusCode::CREATED, None, made, &Fields::default()).await
        }
        Err(ServiceError::Refused { why }) => {
            site.sent.forget(&fields.gang);
            let notice = Some(Notice::problem(why));
            draw(&site, &inside, StatusCode::UNPROCESSABLE_ENTITY, notice, None, &fields).await
        }
        Err(error) => Err(site.error(error)),
    }
}

/// Revokes one.
pub async fn revoke(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<BareForm>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    match site.services.revoke_api_key(&inside.viewer, ApiKeyId(id)).await {
        Ok(()) => Ok(Redirect::to("/nycklar").into_response()),
        Err(ServiceError::Refused { why }) => {
            let (notice, typed) = (Some(Notice::problem(why)), Fields::default());
            draw(&site, &inside, StatusCode::CONFLICT, notice, None, &typed).await
        }
        Err(error) => Err(site.error(error)),
    }
}
