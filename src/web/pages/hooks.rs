//! `/webbhookar`: receivers of webhooks, and what was sent to them.

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::Form as RepeatedForm;
use jiff::Timestamp;
use serde::Deserialize;

use crate::domain::hook::HookEvent;
use crate::domain::ids::{HookId, HookMessageId};
use crate::runtime::secret::Secret;
use crate::services::ServiceError;
use crate::services::hooks::{Known, Message};
use crate::web::forms::BareForm;
use crate::web::once::Sent;
use crate::web::state::{Inside, Site, page_with};
use crate::web::view::keys::{HookRow, HooksPage, MessageRow};
use crate::web::view::shell::{Notice, Place};
use crate::web::view::times::Moment;

/// A receiver as typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Fields {
    csrf: String,
    namn: String,
    adress: String,
    om: Vec<String>,
    /// The form's mark: it is taken once.
    gang: String,
}

/// A new secret that is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Turn {
    csrf: String,
    gang: String,
}

/// Which message is to be sent again; none: all that did not come through.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Again {
    csrf: String,
    meddelande: Option<i64>,
}

fn row(hook: Known, now: Timestamp) -> HookRow {
    HookRow {
        id: hook.id.0,
        name: hook.name,
        url: hook.url,
        events: hook.events.iter().map(|event| event.label()).collect(),
        made: (Moment::new(hook.made.0, now), hook.made.1),
        waiting: hook.waiting,
        dead: hook.dead,
        turned_until: hook.turned_until.filter(|at| *at > now).map(|at| Moment::new(at, now)),
        ended: hook.ended_at.map(|at| Moment::new(at, now)),
    }
}

fn message(message: Message, hooks: &[Known], now: Timestamp) -> MessageRow {
    let hook = hooks.iter().find(|hook| hook.id == message.hook);
    let at = |at: Option<Timestamp>| at.map(|at| Moment::new(at, now));
    let (state, when) = match message.state.as_str() {
        "sent" => ("kom fram".to_owned(), at(message.ended_at)),
        "dead" => (format!("kom aldrig fram på {} försök", message.attempts), at(message.ended_at)),
        "dropped" => ("skickades aldrig: mottagaren togs bort".to_owned(), None),
        _ if message.attempts > 0 => {
            let words = format!("{} försök hittills, försöker igen", message.attempts);
            (words, at(message.due_at))
        }
        _ => ("skickas strax".to_owned(), None),
    };
    let open = hook.is_some_and(|hook| hook.ended_at.is_none());
    MessageRow {
        id: message.id.0,
        hook: (message.hook.0, hook.map_or(String::new(), |hook| hook.name.clone())),
        event: message.event.label(),
        case: message.case.0,
        at: Moment::new(message.at, now),
        again: open && matches!(message.state.as_str(), "sent" | "dead"),
        state,
        when,
        problem: message.problem,
    }
}

async fn draw(
    site: &Site,
    inside: &Inside,
    status: StatusCode,
    notice: Option<Notice>,
    secret: Option<(String, Secret)>,
    typed: &Fields,
) -> Result<Response, Response> {
    let found = site.services.hooks(&inside.viewer).await;
    let (hooks, messages) = found.map_err(|e| site.error(e))?;
    let now = site.services.clock().now();
    let messages = messages.into_iter().map(|one| message(one, &hooks, now)).collect();
    let view = HooksPage {
        shell: inside.shell(site, Place::Accounts)?,
        notice,
        secret: secret.map(|(name, secret)| (name, secret.expose().to_owned())),
        rows: hooks.into_iter().map(|hook| row(hook, now)).collect(),
        messages,
        once: Sent::mark(),
        name: typed.namn.clone(),
        url: typed.adress.clone(),
        events: HookEvent::ALL
            .iter()
            .map(|event| {
                let ticked = typed.om.iter().any(|id| id == event.id());
                (event.id().to_owned(), event.label().to_owned(), ticked)
            })
            .collect(),
    };
    Ok(page_with(site, status, &view))
}

/// The page.
pub async fn show(State(site): State<Site>, inside: Inside) -> Result<Response, Response> {
    draw(&site, &inside, StatusCode::OK, None, None, &Fields::default()).await
}

/// Adds a receiver, and shows its secret this once.
pub async fn add(
    State(site): State<Site>,
    inside: Inside,
    RepeatedForm(fields): RepeatedForm<Fields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    if !site.sent.is_first(&fields.gang) {
        return sent_twice(&site, &inside).await;
    }
    let events = fields.om.iter().filter_map(|id| HookEvent::from_id(id)).collect();
    match site.services.add_hook(&inside.viewer, &fields.namn, &fields.adress, events).await {
        Ok((_, secret)) => {
            let secret = Some((fields.namn.clone(), secret));
            draw(&site, &inside, StatusCode::CREATED, None, secret, &Fields::default()).await
        }
        Err(ServiceError::Refused { why }) => {
            site.sent.forget(&fields.gang);
            let notice = Some(Notice::problem(why));
            draw(&site, &inside, StatusCode::UNPROCESSABLE_ENTITY, notice, None, &fields).await
        }
        Err(error) => Err(site.error(error)),
    }
}

/// Makes a new secret, and shows it this once.
pub async fn turn(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<Turn>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    if !site.sent.is_first(&fields.gang) {
        return sent_twice(&site, &inside).await;
    }
    let plain = Fields::default();
    match site.services.turn_hook(&inside.viewer, HookId(id)).await {
        Ok(secret) => {
            let (hooks, _) =
                site.services.hooks(&inside.viewer).await.map_err(|e| site.error(e))?;
            let name = hooks.into_iter().find(|hook| hook.id.0 == id).map(|hook| hook.name);
            let secret = Some((name.unwrap_or_default(), secret));
            draw(&site, &inside, StatusCode::OK, None, secret, &plain).await
        }
        Err(error) => {
            // Nothing was made, so the form that is open may be sent again.
            site.sent.forget(&fields.gang);
            refused(&site, &inside, error).await
        }
    }
}

async fn sent_twice(site: &Site, inside: &Inside) -> Result<Response, Response> {
    let words = "Formuläret skickades två gånger, och det första gällde: hemligheten är den som visades då. Hann du inte kopiera den, gör en ny hemlighet.";
    let (notice, plain) = (Some(Notice::waits(words)), Fields::default());
    draw(site, inside, StatusCode::CONFLICT, notice, None, &plain).await
}

async fn refused(site: &Site, inside: &Inside, error: ServiceError) -> Result<Response, Response> {
    match error {
        ServiceError::Refused { why } => {
            let (notice, plain) = (Some(Notice::problem(why)), Fields::default());
            draw(site, inside, StatusCode::CONFLICT, notice, None, &plain).await
        }
        error => Err(site.error(error)),
    }
}

/// Takes a receiver away.
pub async fn end(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<BareForm>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    match site.services.end_hook(&inside.viewer, HookId(id)).await {
        Ok(()) => Ok(Redirect::to("/webbhookar").into_response()),
        Err(error) => refused(&site, &inside, error).await,
    }
}

/// Sends again.
pub async fn again(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<Again>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let only = fields.meddelande.map(HookMessageId);
    match site.services.send_hook_again(&inside.viewer, HookId(id), only).await {
        Ok(_) => Ok(Redirect::to("/webbhookar").into_response()),
        Err(error) => refused(&site, &inside, error).await,
    }
}
