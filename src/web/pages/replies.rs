//! `/svar`: saved replies, and putting one, or the draft to whoever wrote, into the answer of a case.

use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::Form as RepeatedForm;
use serde::Deserialize;

use crate::domain::account::Account;
use crate::domain::ids::{AccountId, CaseId, SavedReplyId};
use crate::domain::inform::Done;
use crate::domain::person::Act;
use crate::domain::saved_reply::Field;
use crate::domain::text::shorten;
use crate::services::ServiceError;
use crate::services::replies::{Board, Typed, Version};
use crate::web::forms::DecisionFields;
use crate::web::pages::case::show_again;
use crate::web::state::{Inside, Site, page_with};
use crate::web::view::choice::ChoiceKind;
use crate::web::view::decision::{Again, Filled};
use crate::web::view::replies::{RepliesPage, ReplyPage, ReplyRow, VersionRow};
use crate::web::view::shell::{Notice, Place};
use crate::web::view::times::Moment;

/// So much of a text stands in the list, in characters.
const HEAD: usize = 140;

/// What the address says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// `ja` after something was saved.
    sparat: String,
    /// The reply that was just taken away.
    borttaget: Option<i64>,
}

/// A saved reply as sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Fields {
    csrf: String,
    namn: String,
    text: String,
    konto: String,
    /// The version that the form showed.
    sedd: u32,
    /// The version to go back to.
    version: u32,
}

impl Fields {
    fn typed(&self) -> Typed {
        Typed { title: self.namn.clone(), text: self.text.clone(), account: self.konto.clone() }
    }
}

fn fields() -> Vec<(String, &'static str)> {
    Field::ALL.iter().map(|field| (field.written(), field.label())).collect()
}

fn of(account: Option<AccountId>, accounts: &[Account]) -> String {
    match account {
        None => "Alla konton".to_owned(),
        Some(id) => accounts
            .iter()
            .find(|account| account.id == id)
            .map_or_else(|| "Ett konto".to_owned(), |account| account.name.clone()),
    }
}

async fn draw(
    site: &Site,
    inside: &Inside,
    status: StatusCode,
    notice: Option<Notice>,
    typed: &Typed,
    removed: Option<i64>,
) -> Result<Response, Response> {
    let board = site.services.saved_replies(&inside.viewer).await.map_err(|e| site.error(e))?;
    let Board { offered, removed: gone, accounts, may_edit } = board;
    let now = site.services.clock().now();
    let row = |reply: Version| ReplyRow {
        id: reply.reply.0,
        version: reply.number,
        before: reply.number.saturating_sub(1),
        of: of(reply.account, &accounts),
        head: shorten(&reply.text.replace('\n', " "), HEAD),
        title: reply.title,
        changed: (Moment::new(reply.at, now), reply.by),
    };
    let offered = offered.into_iter().map(row).collect();
    let gone: Vec<_> = gone.into_iter().map(row).collect();
    let undo = gone.iter().find(|row| Some(row.id) == removed && may_edit);
    let view = RepliesPage {
        shell: inside.shell(site, Place::Elsewhere)?,
        notice,
        undo: undo.map(|row| (row.id, row.version, row.before)),
        offered,
        removed: gone,
        accounts: accounts
            .iter()
            .map(|account| {
                let key = account.key.as_str().to_owned();
                let chosen = key == typed.account;
                (key, account.name.clone(), chosen)
            })
            .collect(),
        fields: fields(),
        may: may_edit,
        title: typed.title.clone(),
        text: typed.text.clone(),
    };
    Ok(page_with(site, status, &view))
}

/// The list.
pub async fn show(
    State(site): State<Site>,
    inside: Inside,
    Query(asked): Query<Asked>,
) -> Result<Response, Response> {
    let notice = (asked.sparat == "ja").then(|| Notice::done("Sparat."));
    draw(&site, &inside, StatusCode::OK, notice, &Typed::default(), asked.borttaget).await
}

/// Saves a new one.
pub async fn add(
    State(site): State<Site>,
    inside: Inside,
    Form(fields): Form<Fields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let typed = fields.typed();
    match site.services.save_reply(&inside.viewer, None, &typed).await {
        Ok((_, None)) => Ok(Redirect::to("/svar?sparat=ja").into_response()),
        // Told with the page, since no address is to hold the words.
        Ok((id, Some(warning))) => one(&site, &inside, id, Some(saved_but(&warning)), None).await,
        Err(ServiceError::Refused { why }) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            draw(&site, &inside, status, Some(Notice::problem(why)), &typed, None).await
        }
        Err(error) => Err(site.error(error)),
    }
}

fn saved_but(warning: &str) -> Notice {
    Notice::waits(format!(
        "Sparat. {warning} Den som använder svaret varnas för det innan det publiceras."
    ))
}

/// The page of one, perhaps with what was typed and refused.
async fn one(
    site: &Site,
    inside: &Inside,
    id: SavedReplyId,
    notice: Option<Notice>,
    typed: Option<&Typed>,
) -> Result<Response, Response> {
    let (services, viewer) = (&site.services, &inside.viewer);
    let versions = services.reply_versions(viewer, id).await.map_err(|e| site.error(e))?;
    let board = services.saved_replies(viewer).await.map_err(|e| site.error(e))?;
    let now = services.clock().now();
    let Some(newest) = versions.first() else {
        return Err(site.error(ServiceError::NotFound { what: "saved reply" }));
    };
    let view = ReplyPage {
        shell: inside.shell(site, Place::Elsewhere)?,
        notice,
        id: id.0,
        version: newest.number,
        title: typed.map_or_else(|| newest.title.clone(), |typed| typed.title.clone()),
        text: typed.map_or_else(|| newest.text.clone(), |typed| typed.text.clone()),
        of: of(newest.account, &board.accounts),
        offered: newest.offered,
        fields: fields(),
        may: viewer.may(Act::EditReplies),
        versions: versions
            .iter()
            .map(|version| VersionRow {
                number: version.number,
                title: version.title.clone(),
                text: version.text.clone(),
                offered: version.offered,
                at: Moment::new(version.at, now),
                by: version.by.clone(),
            })
            .collect(),
    };
    let refused = typed.is_some();
    let status = if refused { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(page_with(site, status, &view))
}

/// One with its versions.
pub async fn show_one(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Query(asked): Query<Asked>,
) -> Result<Response, Response> {
    let notice = (asked.sparat == "ja").then(|| Notice::done("Sparat."));
    one(&site, &inside, SavedReplyId(id), notice, None).await
}

/// Saves a new version of it.
pub async fn save(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<Fields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let (id, typed) = (SavedReplyId(id), fields.typed());
    match site.services.save_reply(&inside.viewer, Some((id, fields.sedd)), &typed).await {
        Ok((id, None)) => Ok(Redirect::to(&format!("/svar/{id}?sparat=ja")).into_response()),
        Ok((id, Some(warning))) => one(&site, &inside, id, Some(saved_but(&warning)), None).await,
        Err(ServiceError::Refused { why }) => {
            one(&site, &inside, id, Some(Notice::problem(why)), Some(&typed)).await
        }
        Err(error) => Err(site.error(error)),
    }
}

async fn turn(
    site: &Site,
    inside: &Inside,
    id: i64,
    fields: &Fields,
    back_to: Option<u32>,
    then: String,
) -> Result<Response, Response> {
    inside.check(site, &fields.csrf)?;
    let reply = SavedReplyId(id);
    match site.services.turn_reply(&inside.viewer, (reply, fields.sedd), back_to).await {
        Ok(()) => Ok(Redirect::to(&then).into_response()),
        Err(ServiceError::Refused { why }) => {
            one(site, inside, reply, Some(Notice::problem(why)), None).await
        }
        Err(error) => Err(site.error(error)),
    }
}

/// Takes it away.
pub async fn remove(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<Fields>,
) -> Result<Response, Response> {
    turn(&site, &inside, id, &fields, None, format!("/svar?borttaget={id}")).await
}

/// Brings it back as one of its versions stood.
pub async fn restore(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<Fields>,
) -> Result<Response, Response> {
    let back_to = Some(fields.version);
    turn(&site, &inside, id, &fields, back_to, format!("/svar/{id}?sparat=ja")).await
}

/// Puts a saved reply, or the draft to whoever wrote, at the end of the answer, and shows the form again with
/// everything else as it stands. Decides nothing.
pub async fn insert(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
    RepeatedForm(fields): RepeatedForm<DecisionFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let case = CaseId(case);
    let mut filled = fields.filled();
    if fields.infoga == "angra" {
        filled.answer = fields.svar_fore.clone();
        filled.said = Some("Det insatta är borttaget.".to_owned());
        return show_again(&site, &inside, case, Again::Kept(filled), fields.seen()).await;
    }
    let found = match fields.mall.parse() {
        Ok(reply) => {
            let found = site.services.reply_for(&inside.viewer, case, SavedReplyId(reply)).await;
            found.map(|reply| {
                let missing: Vec<_> = reply.ready.missing.iter().map(|f| f.label()).collect();
                let said = (!missing.is_empty()).then(|| {
                    format!(
                        "Fyll i det som står inom klamrar innan du beslutar: {} är inte känt.",
                        missing.join(" och ")
                    )
                });
                (reply.ready.text, said)
            })
        }
        Err(_) => {
            let ticked = |kind| filled.choices.contains(&kind);
            let done = Done {
                hidden: ticked(ChoiceKind::Hide),
                deleted: ticked(ChoiceKind::Delete),
                registered: ticked(ChoiceKind::Register),
            };
            let (viewer, ground) = (&inside.viewer, filled.ground);
            let draft = site.services.draft_to_citizen(viewer, case, done, ground).await;
            draft.map(|text| {
                (text, Some("Utkastet är insatt. Läs det, ändra det som behövs och besluta: inget skickas av sig självt.".to_owned()))
            })
        }
    };
    match found {
        Ok((text, said)) => put_in(&mut filled, &text, said),
        Err(ServiceError::Refused { why }) => filled.said = Some(why),
        Err(error) => return Err(site.error(error)),
    }
    show_again(&site, &inside, case, Again::Kept(filled), fields.seen()).await
}

fn put_in(filled: &mut Filled, text: &str, said: Option<String>) {
    filled.before = Some(filled.answer.clone());
    filled.answer = match filled.answer.trim_end() {
        "" => text.to_owned(),
        before => format!("{before}\n\n{text}"),
    };
    if !filled.choices.contains(&ChoiceKind::Answer) {
        filled.choices.push(ChoiceKind::Answer);
    }
    filled.said = said.or_else(|| Some("Svaret är insatt.".to_owned()));
}

/// The page of saved replies, for who loads the address of a form anew.
pub async fn back(Path(id): Path<i64>) -> Redirect {
    Redirect::to(&format!("/svar/{id}"))
}
