//! `/konton/N/publicister`: who publishes on an account.

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use crate::domain::text::shorten;
use crate::services::ServiceError;
use crate::web::state::{Inside, Site, page_with};
use crate::web::view::publishers::{PublisherRow, PublishersPage};
use crate::web::view::shell::{Notice, Place};
use crate::web::view::times::Moment;

/// Whom a user of the platform is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Fields {
    csrf: String,
    anvandare: String,
    person: String,
}

async fn draw(
    site: &Site,
    inside: &Inside,
    key: &str,
    notice: Option<Notice>,
) -> Result<Response, Response> {
    let board = site.services.publishers(&inside.viewer, key).await;
    let board = board.map_err(|e| site.error(e))?;
    let now = site.services.clock().now();
    let status = if notice.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    let view = PublishersPage {
        shell: inside.shell(site, Place::Accounts)?,
        notice,
        key: board.account.key.as_str().to_owned(),
        name: board.account.name,
        rows: board
            .publishers
            .into_iter()
            .map(|publisher| {
                let (login, name) = publisher.user.unzip();
                let what = shorten(&publisher.what.unwrap_or_default(), 60);
                PublisherRow {
                    who: publisher.platform_user,
                    last: publisher.last.map(|at| (Moment::new(at, now), what)),
                    login: login.unwrap_or_default(),
                    name,
                }
            })
            .collect(),
        users: board.users,
        may: board.may_edit,
    };
    Ok(page_with(site, status, &view))
}

/// The page.
pub async fn show(
    State(site): State<Site>,
    inside: Inside,
    Path(key): Path<String>,
) -> Result<Response, Response> {
    draw(&site, &inside, &key, None).await
}

/// Says whom one is.
pub async fn save(
    State(site): State<Site>,
    inside: Inside,
    Path(key): Path<String>,
    Form(fields): Form<Fields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let (services, viewer) = (&site.services, &inside.viewer);
    match services.set_publisher(viewer, &key, &fields.anvandare, &fields.person).await {
        Ok(()) => Ok(Redirect::to(&format!("/konton/{key}/publicister")).into_response()),
        Err(ServiceError::Refused { why }) => {
            draw(&site, &inside, &key, Some(Notice::problem(why))).await
        }
        Err(error) => Err(site.error(error)),
    }
}
