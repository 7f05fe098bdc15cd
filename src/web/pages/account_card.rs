//! `/konton/NYCKEL`: one account of the register, and every act on it. `/konton/bemanning`: who is there.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::Form;
use jiff::civil::Date;
use serde::Deserialize;

use crate::domain::card::{Card, Care, ClosingStep, Safety, Said};
use crate::domain::incident::IncidentStep;
use crate::domain::notice::Part;
use crate::services::ServiceError;
use crate::services::cards::{Sent, Typed};
use crate::web::present_accounts as present;
use crate::web::state::{Inside, Site, page, page_with};
use crate::web::view::account_card::CoveragePage;
use crate::web::view::shell::{Notice, Place};

/// Every form of the page: each sends its own fields.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Fields {
    csrf: String,
    syfte: String,
    malgrupp: String,
    verksamhet: String,
    adress: String,
    regellank: String,
    markning: String,
    text: Vec<String>,
    chef: String,
    lista: String,
    genomgangna: String,
    utgava: Option<u64>,
    publicera: String,
    person: String,
    del: String,
    fran: String,
    till: String,
    franvaro: i64,
    aktivt: String,
    anteckning: String,
    dag: String,
    vad: String,
    kvitto: String,
    skal: String,
    hanvisning: String,
    steg: String,
    tid: String,
}

async fn draw(
    site: &Site,
    inside: &Inside,
    key: &str,
    status: StatusCode,
    notice: Option<Notice>,
) -> Result<Response, Response> {
    let file = site.services.account_file(&inside.viewer, key).await.map_err(|e| site.error(e))?;
    let shell = inside.shell(site, Place::Accounts)?;
    let now = site.services.clock().now();
    Ok(page_with(site, status, &present::file(shell, notice, file, now)))
}

/// The page.
pub async fn show(
    State(site): State<Site>,
    inside: Inside,
    Path(key): Path<String>,
) -> Result<Response, Response> {
    draw(&site, &inside, &key, StatusCode::OK, None).await
}

async fn after(
    site: &Site,
    inside: &Inside,
    key: &str,
    done: Result<(), ServiceError>,
) -> Result<Response, Response> {
    match done {
        Ok(()) => Ok(Redirect::to(&format!("/konton/{key}")).into_response()),
        Err(ServiceError::Refused { why } | ServiceError::Conflict { why }) => {
            draw(site, inside, key, StatusCode::CONFLICT, Some(Notice::problem(why))).await
        }
        Err(error) => Err(site.error(error)),
    }
}

fn day(typed: &str) -> Result<Date, ServiceError> {
    typed.parse().map_err(|_| ServiceError::Refused { why: "Skriv dagen som 2026-11-22.".into() })
}

/// What one of the page's forms does.
pub async fn act(
    State(site): State<Site>,
    inside: Inside,
    Path((key, act)): Path<(String, String)>,
    Form(fields): Form<Fields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let (services, viewer) = (&site.services, &inside.viewer);
    let done = match act.as_str() {
        "las-presentation" => services.read_description(viewer, &key).await,
        "person" => match (fields.del.as_str(), Part::from_id(&fields.del)) {
            // Nothing chosen takes the person away; what there is not does nothing.
            ("", _) => services.set_account_part(viewer, &key, &fields.person, None).await,
            (_, Some(part)) => {
                services.set_account_part(viewer, &key, &fields.person, Some(part)).await
            }
            (_, None) => Err(ServiceError::Refused {
                why: "Den delen i kontot finns inte. Välj i listan. Inget är ändrat.".into(),
            }),
        },
        "borta" => match (day(&fields.fran), day(&fields.till)) {
            (Ok(first), Ok(last)) => {
                services.set_absence(viewer, &fields.person, (first, last)).await
            }
            (Err(error), _) | (_, Err(error)) => Err(error),
        },
        "tillbaka" => services.end_absence(viewer, fields.franvaro).await,
        "bekrafta" => {
            let active = fields.aktivt == "ja";
            services.confirm_account(viewer, &key, active, &fields.anteckning).await
        }
        "arkiverat" => match day(&fields.dag) {
            Ok(day) => {
                let words = (fields.vad.as_str(), fields.kvitto.as_str());
                services.note_archiving(viewer, &key, day, words).await
            }
            Err(error) => Err(error),
        },
        "sakerhet" => match (Safety::from_id(&fields.vad), day(&fields.dag)) {
            (Some(kind), Ok(day)) => {
                services.note_safety(viewer, &key, (kind, day), &fields.anteckning).await
            }
            (None, _) => Err(ServiceError::NotFound { what: "kind of note" }),
            (_, Err(error)) => Err(error),
        },
        "incident" => match IncidentStep::from_id(&fields.steg) {
            Some(step) => {
                let words = (fields.tid.as_str(), fields.anteckning.as_str());
                services.note_incident_step(viewer, &key, step, words).await
            }
            None => Err(ServiceError::NotFound { what: "step of an incident" }),
        },
        "ska-stangas" => match day(&fields.dag) {
            Ok(day) => {
                let words = (fields.skal.as_str(), fields.hanvisning.as_str());
                services.announce_closing(viewer, &key, day, words).await
            }
            Err(error) => Err(error),
        },
        "stangningssteg" => match ClosingStep::from_id(&fields.steg) {
            Some(step) => services.note_closing_step(viewer, &key, step, &fields.anteckning).await,
            None => Err(ServiceError::NotFound { what: "closing step" }),
        },
        "stang" => services.close_account(viewer, &key).await,
        "stang-inte" => services.withdraw_closing(viewer, &key, &fields.skal).await,
        _ => Err(ServiceError::NotFound { what: "act on an account" }),
    };
    after(&site, &inside, &key, done).await
}

/// Writes the card. What could not be saved is not lost: the form comes back as it was filled in.
pub async fn save(
    State(site): State<Site>,
    inside: Inside,
    Path(key): Path<String>,
    Form(fields): Form<Fields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let typed = Typed {
        card: Card {
            purpose: fields.syfte,
            audience: fields.malgrupp,
            unit: fields.verksamhet,
            address: fields.adress,
            rules_link: fields.regellank,
            owner_is_manager: fields.chef == "ja",
            care: Care::from_id(&fields.markning).unwrap_or_default(),
            listed: fields.lista == "ja",
        },
        said: fields.text.iter().filter_map(|id| Said::from_id(id)).collect(),
        reviewed: fields.genomgangna == "ja",
    };
    let again = typed.clone();
    let sent = Sent { seen: fields.utgava, publishes: fields.publicera == "ja" };
    let done = site.services.save_card_as_sent(&inside.viewer, &key, typed, sent).await;
    match done {
        Err(ServiceError::Refused { why }) => {
            let file = site.services.account_file(&inside.viewer, &key).await;
            let mut file = file.map_err(|e| site.error(e))?;
            let warned = site.services.warns_of_card(&again.card).is_some();
            file.entry.card = again.card;
            let shell = inside.shell(&site, Place::Accounts)?;
            let now = site.services.clock().now();
            let mut view = present::file(shell, Some(Notice::problem(why)), file, now);
            view.card.publishes = warned.then_some(sent.publishes);
            view.card.looked_over = again.reviewed;
            for text in &mut view.texts {
                text.ticked = again.said.iter().any(|said| said.id() == text.id);
            }
            Ok(page_with(&site, StatusCode::CONFLICT, &view))
        }
        done => after(&site, &inside, &key, done).await,
    }
}

/// Back to the account for whoever loads the address of a form.
pub async fn back(Path((key, _)): Path<(String, String)>) -> Redirect {
    let key: String =
        key.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
    Redirect::to(&format!("/konton/{key}"))
}

/// Who is there, day by day.
pub async fn coverage(State(site): State<Site>, inside: Inside) -> Result<Response, Response> {
    let all = site.services.coverage(&inside.viewer).await.map_err(|e| site.error(e))?;
    let shell = inside.shell(&site, Place::Accounts)?;
    let accounts = all.into_iter().map(present::cover).collect();
    Ok(page(&site, &CoveragePage { shell, accounts }))
}

/// The list for the authority's web page as a table.
pub async fn public_csv(State(site): State<Site>, inside: Inside) -> Result<Response, Response> {
    let bytes = site.services.public_list_csv(&inside.viewer).await.map_err(|e| site.error(e))?;
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"konton.csv\""),
    ];
    Ok((headers, bytes).into_response())
}

/// The same as JSON.
pub async fn public_json(State(site): State<Site>, inside: Inside) -> Result<Response, Response> {
    let list = site.services.public_list(&inside.viewer).await.map_err(|e| site.error(e))?;
    let headers = [(CONTENT_DISPOSITION, "attachment; filename=\"konton.json\"")];
    Ok((headers, axum::Json(list)).into_response())
}
