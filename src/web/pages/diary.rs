//! `/diarium`: what awaits a diary number.

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use jiff::Timestamp;

use crate::domain::handover::{HandoverNow, HandoverState};
use crate::domain::ids::RegistrationId;
use crate::domain::person::Act;
use crate::domain::registration::parse_diary_number;
use crate::services::ServiceError;
use crate::services::corrections::NOT_A_NUMBER;
use crate::web::forms::{BareForm, CorrectionFields, DiaryFields};
use crate::web::state::{Inside, Site, page_with};
use crate::web::view::diary::{AwaitingRow, DiaryPage, RefusedNumber, RegisteredRow};
use crate::web::view::masked::Masked;
use crate::web::view::shell::{Notice, Place};
use crate::web::view::times::Moment;

/// A form that comes back with what was typed.
#[derive(Default)]
enum Refused {
    #[default]
    Nothing,
    Number(RegistrationId, String),
    Correction(RegistrationId, RefusedNumber),
}

async fn draw(
    site: &Site,
    inside: &Inside,
    status: StatusCode,
    notice: Option<Notice>,
    refused: Refused,
) -> Result<Response, Response> {
    let lists = site.services.diary(&inside.viewer).await.map_err(|e| site.error(e))?;
    let now = site.services.clock().now();
    let (awaiting, recent) = lists;
    let view = DiaryPage {
        shell: inside.shell(site, Place::Diary)?,
        notice,
        awaiting: awaiting
            .into_iter()
            .map(|line| AwaitingRow {
                registration: line.registration,
                case: line.line.case,
                line: Masked::line(&line.line.text),
                account: line.line.account.name,
                exported: Moment::new(line.exported_at, now),
                package: line.package,
                may_again: inside.viewer.may(Act::EnterDiaryNumber)
                    && line.handovers.iter().any(|handover| handover.state.may_go_again()),
                handovers: line.handovers.iter().map(|handover| told(handover, now)).collect(),
                refused: match &refused {
                    Refused::Number(registration, typed) if *registration == line.registration => {
                        Some((typed.clone(), NOT_A_NUMBER))
                    }
                    Refused::Number(..) | Refused::Correction(..) | Refused::Nothing => None,
                },
            })
            .collect(),
        may_enter: inside.viewer.may(Act::EnterDiaryNumber),
        recent: recent
            .into_iter()
            .filter_map(|line| {
                let (number, at, who) = line.number?;
                Some(RegisteredRow {
                    case: line.line.case,
                    number: number.as_str().to_owned(),
                    line: Masked::line(&line.line.text),
                    at: Moment::new(at, now),
                    who,
                    registration: line.registration,
                    refused: match &refused {
                        Refused::Correction(registration, typed)
                            if *registration == line.registration =>
                        {
                            Some(typed.clone())
                        }
                        Refused::Correction(..) | Refused::Number(..) | Refused::Nothing => None,
                    },
                })
            })
            .collect(),
    };
    Ok(page_with(site, status, &view))
}

/// How a hand-over stands, in words.
fn told(handover: &HandoverNow, now: Timestamp) -> String {
    let way = handover.way.label();
    let why = handover.problem.as_deref().unwrap_or_default();
    let at = handover.ended_at.map_or(String::new(), |at| Moment::new(at, now).short);
    match handover.state {
        HandoverState::Waiting if why.is_empty() => format!("Ska lämnas {way}."),
        HandoverState::Waiting => format!("Försöker lämna det {way} igen. {why}"),
        HandoverState::Sending => format!("Lämnas {way} just nu."),
        HandoverState::Handed => format!("Lämnades {way} {at}."),
        HandoverState::Failed => format!("Kunde inte lämnas {way}. {why}"),
        HandoverState::Moot => format!("Behövde inte lämnas {way}."),
    }
}

/// Hands a package over once more.
pub async fn again(
    State(site): State<Site>,
    inside: Inside,
    Path(registration): Path<i64>,
    Form(fields): Form<BareForm>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    match site.services.hand_over_again(&inside.viewer, RegistrationId(registration)).await {
        Ok(()) => Ok(Redirect::to("/diarium").into_response()),
        Err(ServiceError::Refused { why }) => {
            let notice = Some(Notice::problem(why));
            draw(&site, &inside, StatusCode::CONFLICT, notice, Refused::Nothing).await
        }
        Err(error) => Err(site.error(error)),
    }
}

/// The page.
pub async fn show(State(site): State<Site>, inside: Inside) -> Result<Response, Response> {
    draw(&site, &inside, StatusCode::OK, None, Refused::Nothing).await
}

/// Enters a number.
pub async fn enter(
    State(site): State<Site>,
    inside: Inside,
    Path(registration): Path<i64>,
    Form(fields): Form<DiaryFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let registration = RegistrationId(registration);
    if parse_diary_number(&fields.nummer).is_err() {
        let refused = Refused::Number(registration, fields.nummer);
        return draw(&site, &inside, StatusCode::UNPROCESSABLE_ENTITY, None, refused).await;
    }
    let services = &site.services;
    let case = services.case_of_registration(&inside.viewer, registration).await;
    let case = case.map_err(|e| site.error(e))?;
    match services.enter_diary_number(&inside.viewer, case, &fields.nummer).await {
        Ok(_) => Ok(Redirect::to("/diarium").into_response()),
        Err(ServiceError::Refused { why }) => {
            let notice = Some(Notice::problem(why));
            draw(&site, &inside, StatusCode::CONFLICT, notice, Refused::Nothing).await
        }
        Err(error) => Err(site.error(error)),
    }
}

/// Puts a number right. A refused correction comes back with what was typed.
pub async fn correct(
    State(site): State<Site>,
    inside: Inside,
    Path(registration): Path<i64>,
    Form(fields): Form<CorrectionFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let id = RegistrationId(registration);
    let services = &site.services;
    let CorrectionFields { nummer, skal, .. } = fields;
    match services.correct_diary_number(&inside.viewer, id, &nummer, &skal).await {
        Ok(_) => Ok(Redirect::to("/diarium").into_response()),
        Err(ServiceError::Refused { why }) => {
            let typed = RefusedNumber { number: nummer, reason: skal, why };
            let refused = Refused::Correction(id, typed);
            draw(&site, &inside, StatusCode::UNPROCESSABLE_ENTITY, None, refused).await
        }
        Err(error) => Err(site.error(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::handover::HandoverWay;

    #[test]
    fn when_it_was_handed_over_stands_as_words_in_its_sentence() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let handed = HandoverNow {
            way: HandoverWay::Mail,
            state: HandoverState::Handed,
            n: 1,
            problem: None,
            ended_at: Some(now),
        };
        let words = told(&handed, now);
        assert!(words.ends_with("i dag 13:00.") && !words.contains('<'), "{words}");
    }
}
