//! `/flera`: many cases decided in one act.

use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::Form as RepeatedForm;

use crate::domain::ids::{BulkId, CaseId};
use crate::domain::person::Act;
use crate::domain::together::{Became, Over, Pick};
use crate::services::ServiceError;
use crate::services::together::{Made, Outcome, Selection};
use crate::web::forms::{BareForm, DecisionFields};
use crate::web::present_together::{self as present, Chosen};
use crate::web::state::{Inside, Site, page, page_with};
use crate::web::view::shell::{Notice, Place};

/// Cases whose numbers stand under a name in the address.
fn named(asked: &[(String, String)], name: &str) -> Vec<CaseId> {
    let values = asked.iter().filter(|(key, _)| key == name);
    values.filter_map(|(_, value)| value.parse().ok().map(CaseId)).collect()
}

/// The picked cases, with what their policies propose for all of them already summed up.
pub async fn show(
    State(site): State<Site>,
    inside: Inside,
    Query(asked): Query<Vec<(String, String)>>,
) -> Result<Response, Response> {
    let (cases, groups) = (named(&asked, "arende"), named(&asked, "grupp"));
    let one_account = asked.iter().any(|(key, value)| key == "konto" && !value.is_empty());
    let over = if one_account { Over::ItsAccount } else { Over::AllAccounts };
    let picked = site.services.picked(&inside.viewer, &cases, &groups, over).await;
    let selection = picked.map_err(|e| site.error(e))?;
    let mut chosen = Chosen {
        filled: Default::default(),
        ticked: None,
        is_proposal: false,
        summary: None,
        problem: None,
    };
    if inside.viewer.may(Act::Decide)
        && let Some(filled) = present::proposed(&selection)
    {
        let fields = present::fields(&selection, &filled);
        // What the policy proposes may want words that nobody has written: then it is only ticked.
        if let Ok(decision) = fields.decision() {
            let picks = picks(&fields);
            let plan = site
                .services
                .plan_together(&inside.viewer, &picks, &decision, &fields.answered())
                .await;
            match plan {
                Ok(plan) => {
                    let form = site.services.new_form().map_err(|e| site.error(e))?;
                    chosen.summary =
                        Some(present::summary(&selection, &plan, &decision, &fields, form));
                }
                Err(ServiceError::Refused { .. }) => {}
                Err(error) => return Err(site.error(error)),
            }
        }
        chosen = Chosen { filled, is_proposal: true, ..chosen };
    }
    draw(&site, &inside, StatusCode::OK, &selection, chosen)
}

#[expect(clippy::result_large_err, reason = "the error is the whole answer, made once a request")]
fn draw(
    site: &Site,
    inside: &Inside,
    status: StatusCode,
    selection: &Selection,
    chosen: Chosen,
) -> Result<Response, Response> {
    let shell = inside.shell(site, Place::Queue)?;
    let (me, now) = (inside.viewer.user, site.services.clock().now());
    let may_decide = inside.viewer.may(Act::Decide);
    let view = present::page(shell, selection, chosen, may_decide, me, now);
    Ok(page_with(site, status, &view))
}

fn picks(fields: &DecisionFields) -> Vec<Pick> {
    let mut picks: Vec<Pick> = Vec::new();
    for pick in fields.valda.iter().filter_map(|value| present::pick(value)) {
        if !picks.iter().any(|known| known.case == pick.case) {
            picks.push(pick);
        }
    }
    picks
}

/// What [`new_form`](crate::services::Services::new_form) gives looks so.
fn is_form(typed: &str) -> bool {
    typed.len() == 64 && typed.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The page of an act, which tells too what there was not.
fn address_of(made: &Made) -> String {
    let unknown: Vec<_> = made.unknown.iter().map(|case| format!("saknas={case}")).collect();
    match unknown.is_empty() {
        true => format!("/flera/{}", made.bulk),
        false => format!("/flera/{}?{}", made.bulk, unknown.join("&")),
    }
}

/// Shows what a decision comes to; makes it, where the summary has been seen.
pub async fn decide(
    State(site): State<Site>,
    inside: Inside,
    RepeatedForm(fields): RepeatedForm<DecisionFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let services = &site.services;
    let picks = picks(&fields);
    let decision = fields.decision();
    if fields.gor == "besluta"
        && let Ok(decision) = &decision
    {
        let form = Some(fields.formular.clone()).filter(|form| is_form(form));
        let decided = (decision.clone(), fields.answered());
        let made = services.decide_together(&inside.viewer, picks.clone(), decided, form).await;
        match made {
            Ok(made) => return Ok(Redirect::to(&address_of(&made)).into_response()),
            Err(ServiceError::Refused { why }) => {
                return again(&site, &inside, &fields, None, Some(why)).await;
            }
            Err(error) => return Err(site.error(error)),
        }
    }
    let decision = match decision {
        Ok(decision) => decision,
        Err(why) => return again(&site, &inside, &fields, None, Some(why)).await,
    };
    match services.plan_together(&inside.viewer, &picks, &decision, &fields.answered()).await {
        Ok(plan) => again(&site, &inside, &fields, Some((plan, decision)), None).await,
        Err(ServiceError::Refused { why }) => again(&site, &inside, &fields, None, Some(why)).await,
        Err(error) => Err(site.error(error)),
    }
}

/// The page once more with what stood in it.
async fn again(
    site: &Site,
    inside: &Inside,
    fields: &DecisionFields,
    planned: Option<(crate::services::together::Plan, crate::domain::decision::Decision)>,
    problem: Option<String>,
) -> Result<Response, Response> {
    let shown = fields.visade.iter().chain(&fields.valda);
    let shown: Vec<_> = shown.filter_map(|value| Some(present::pick(value)?.case)).collect();
    let picked = site.services.picked(&inside.viewer, &shown, &[], Over::AllAccounts).await;
    let selection = picked.map_err(|e| site.error(e))?;
    let mut summary = None;
    if let Some((plan, decision)) = &planned {
        let form = site.services.new_form().map_err(|e| site.error(e))?;
        summary = Some(present::summary(&selection, plan, decision, fields, form));
    }
    let status = match &problem {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let chosen = Chosen {
        filled: fields.filled(),
        ticked: Some(picks(fields).iter().map(|pick| pick.case).collect()),
        is_proposal: false,
        summary,
        problem,
    };
    draw(site, inside, status, &selection, chosen)
}

/// What became of it.
pub async fn decided(
    State(site): State<Site>,
    inside: Inside,
    Path(bulk): Path<i64>,
    Query(asked): Query<Vec<(String, String)>>,
) -> Result<Response, Response> {
    let done = site.services.decided_together(&inside.viewer, BulkId(bulk)).await;
    let done = done.map_err(|e| site.error(e))?;
    let now = site.services.clock().now();
    let stands = |case: &Outcome| matches!(case.became, Became::Decided { undone_at: None, .. });
    let too_late = done.undo_until <= now && done.may_undo && done.cases.iter().any(stands);
    let late = too_late.then(|| "Tiden för att ångra alla på en gång är över.".to_owned());
    let words: Vec<_> =
        present::unknown_words(&named(&asked, "saknas")).into_iter().chain(late).collect();
    let notice = (!words.is_empty()).then(|| Notice::waits(words.join(" ")));
    Ok(page(&site, &present::decided(inside.shell(&site, Place::Queue)?, &done, notice, now)))
}

/// Undoes all of it, as far as that is possible.
pub async fn undo(
    State(site): State<Site>,
    inside: Inside,
    Path(bulk): Path<i64>,
    Form(fields): Form<BareForm>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let undone = site.services.undo_together(&inside.viewer, BulkId(bulk)).await;
    undone.map_err(|e| site.error(e))?;
    Ok(Redirect::to(&format!("/flera/{bulk}")).into_response())
}
