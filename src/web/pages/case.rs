//! `/arende/N`: one case, and what a person can do with it.

use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::Form as RepeatedForm;
use serde::Deserialize;

use crate::domain::ids::CaseId;
use crate::domain::register::Question;
use crate::services::ServiceError;
use crate::services::claims::{Look, Lost};
use crate::web::forms::{
    BareForm, DecisionFields, ReasonFields, RetryFields, StayForm, UndoFields,
};
use crate::web::present::{self, Extent};
use crate::web::present_changes;
use crate::web::present_replies;
use crate::web::state::{Inside, Site, is_by_script, page_with};
use crate::web::view::case::CasePage;
use crate::web::view::changed::Seen;
use crate::web::view::choice::ChoiceKind;
use crate::web::view::decision::Again;
use crate::web::view::login::Unsaved;
use crate::web::view::shell::{Notice, Place};

/// What the address says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// `hel` shows the whole text.
    text: String,
    /// `nej` lets go of what was filled in.
    utkast: String,
}

/// How the page is drawn, beside what the case itself says.
struct Way {
    extent: Extent,
    look: Look,
    status: StatusCode,
    notice: Option<Notice>,
    /// What was filled in.
    again: Option<Again>,
    /// What that form had seen of the case.
    seen: Option<Seen>,
    /// Also what is not shown unasked.
    unveiled: bool,
    /// A note that was refused, and why.
    note: Option<(String, String)>,
    /// Whether the answer is shown as it will look.
    preview: bool,
}

impl Way {
    fn plain(status: StatusCode) -> Self {
        Self {
            extent: Extent::Part,
            look: Look::Follows,
            status,
            notice: None,
            again: None,
            seen: None,
            unveiled: false,
            note: None,
            preview: false,
        }
    }
}

async fn draw(site: &Site, inside: &Inside, case: CaseId, way: Way) -> Result<Response, Response> {
    let viewer = &inside.viewer;
    let Way { extent, look, status, mut notice, again, seen, unveiled, note, preview } = way;
    let opened = match unveiled {
        true => site.services.case_unveiled(viewer, case).await,
        false => site.services.case_opened(viewer, case, look).await,
    };
    let file = opened.map_err(|e| site.error(e))?;
    if notice.is_none() && !inside.is_script() {
        notice = lost(site, inside).await?;
    }
    let mut again = again.map(|again| warned(site, again));
    if preview && let Some(filled) = again.take() {
        let typed = filled.filled();
        let forwards = typed.choices.contains(&ChoiceKind::Forward);
        let answers = [ChoiceKind::Answer, ChoiceKind::Refer];
        let (mut shown, mut letter) = (None, None);
        if forwards {
            let secret = typed.diary.is_yes(Question::Secrecy);
            let to = (typed.to.as_str(), typed.forward_note.as_str());
            let forwarded = site.services.forwarded(viewer, case, to, secret).await;
            letter = Some(present_replies::letter(forwarded.map_err(|e| site.error(e))?));
        }
        if !forwards || answers.iter().any(|kind| typed.choices.contains(kind)) {
            let answer = site.services.preview(viewer, case, typed.published()).await;
            shown = Some(present_replies::preview(answer.map_err(|e| site.error(e))?));
        }
        again = Some(filled.previewed(shown, letter));
    }
    let neighbours = site.services.neighbours(viewer, case).await.map_err(|e| site.error(e))?;
    let now = site.services.clock().now();
    let mut drawn = present::case(&file, extent, again, viewer.user, now);
    drawn.changed = seen.map(|seen| present_changes::changed(&file, seen, now)).unwrap_or_default();
    drawn.notes.refused = note;
    let view = CasePage {
        shell: inside.shell(site, Place::Queue)?,
        notice,
        previous: neighbours.0,
        next: neighbours.1,
        case: drawn,
    };
    Ok(page_with(site, status, &view))
}

/// The case.
pub async fn show(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
    Query(asked): Query<Asked>,
) -> Result<Response, Response> {
    let extent = if asked.text == "hel" { Extent::Whole } else { Extent::Part };
    let case = CaseId(case);
    if asked.utkast == "nej" {
        site.drafts.drop_one(inside.token(), case);
    }
    let again = kept(&site, &inside, case);
    let look = inside.look();
    let plain = Way::plain(StatusCode::OK);
    draw(&site, &inside, case, Way { extent, look, again, ..plain }).await
}

/// The case with what is not shown unasked: by a form, so that no link shows it by itself.
pub async fn unveil(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
    Form(fields): Form<BareForm>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let plain = Way::plain(StatusCode::OK);
    let way = Way { extent: Extent::Whole, unveiled: true, ..plain };
    draw(&site, &inside, CaseId(case), way).await
}

/// With what there is to be warned of in the answer that stands in the form.
pub(super) fn warned(site: &Site, again: Again) -> Again {
    let filled = again.filled();
    let answers = filled.choices.contains(&ChoiceKind::Answer).then_some(filled.answer.as_str());
    let refers = filled.choices.contains(&ChoiceKind::Refer).then_some(filled.refer.as_str());
    let secret = filled.diary.is_yes(Question::Secrecy);
    let warning = site.services.warns_of(answers.into_iter().chain(refers), secret);
    again.warned(warning)
}

/// What the person had filled in before, and not decided. A script keeps that itself.
pub(super) fn kept(site: &Site, inside: &Inside, case: CaseId) -> Option<Again> {
    let now = site.services.clock().now();
    if inside.is_script() { None } else { site.drafts.of(inside.token(), case, now) }
}

/// Keeps what is filled in for who goes back or comes again.
fn keep(site: &Site, inside: &Inside, case: CaseId, again: &Again) {
    if !inside.is_script() {
        site.drafts.keep(inside.token(), case, again, site.services.clock().now());
    }
}

/// Shows the form again with all that is filled in, and what the answers on the diary lead to.
/// Decides nothing.
pub async fn propose(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
    RepeatedForm(fields): RepeatedForm<DecisionFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let case = CaseId(case);
    let again = Again::Asked(fields.filled());
    keep(&site, &inside, case, &again);
    let (again, seen) = (Some(again), Some(fields.seen()));
    draw(&site, &inside, case, Way { again, seen, ..Way::plain(StatusCode::OK) }).await
}

/// Shows the form again with all that is filled in, and the answer as it will look. Decides nothing.
pub async fn preview(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
    RepeatedForm(fields): RepeatedForm<DecisionFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let case = CaseId(case);
    let mut filled = fields.filled();
    // What was put in can be taken out again after the look at it.
    filled.before = Some(fields.svar_fore.clone()).filter(|before| !before.is_empty());
    let again = Again::Kept(filled);
    keep(&site, &inside, case, &again);
    let (again, seen) = (Some(again), Some(fields.seen()));
    let plain = Way::plain(StatusCode::OK);
    draw(&site, &inside, case, Way { again, seen, preview: true, ..plain }).await
}

/// Shows the case with a note that was refused, and why.
pub(super) async fn show_with_note(
    site: &Site,
    inside: &Inside,
    case: CaseId,
    status: StatusCode,
    note: (String, String),
) -> Result<Response, Response> {
    let again = kept(site, inside, case);
    draw(site, inside, case, Way { again, note: Some(note), ..Way::plain(status) }).await
}

/// Shows the form again with this in it, and keeps that.
pub(super) async fn show_again(
    site: &Site,
    inside: &Inside,
    case: CaseId,
    again: Again,
    seen: Seen,
) -> Result<Response, Response> {
    keep(site, inside, case, &again);
    // A form that did not show the case has seen nothing of it.
    let seen = (seen.steps > 0).then_some(seen);
    let again = Some(again);
    draw(site, inside, case, Way { again, seen, ..Way::plain(StatusCode::OK) }).await
}

/// Decides. A refused decision comes back with everything that was filled in.
pub async fn decide(
    State(site): State<Site>,
    inside: Result<Inside, Response>,
    Path(case): Path<i64>,
    headers: HeaderMap,
    RepeatedForm(fields): RepeatedForm<DecisionFields>,
) -> Result<Response, Response> {
    let case = CaseId(case);
    let inside =
        inside.map_err(|to_login| sent_too_late(&site, case, &headers, &fields, to_login))?;
    inside.check(&site, &fields.csrf)?;
    if fields.suspects_child_abuse() {
        // First, and by itself: no refusal of the rest takes it back.
        let suspected = site.services.suspect_by_form(&inside.viewer, case).await;
        suspected.map_err(|error| site.error(error))?;
    }
    let refused = |why: String| Again::Refused(fields.filled(), why);
    let answered = fields.answered();
    let (status, again) = match fields.decision() {
        Ok(decision) => {
            match site
                .services
                .decide_as_sent(
                    &inside.viewer,
                    case,
                    fields.utgava,
                    decision,
                    &answered,
                    &fields.publicera,
                )
                .await
            {
                Ok(_) => {
                    site.drafts.drop_one(inside.token(), case);
                    return Ok(Redirect::to(&format!("/?angra={case}")).into_response());
                }
                Err(ServiceError::Refused { why }) => {
                    (StatusCode::UNPROCESSABLE_ENTITY, refused(why))
                }
                Err(ServiceError::Conflict { why }) => (StatusCode::CONFLICT, refused(why)),
                Err(error) => return Err(site.error(error)),
            }
        }
        Err(why) => (StatusCode::UNPROCESSABLE_ENTITY, refused(why)),
    };
    keep(&site, &inside, case, &again);
    let seen = (status == StatusCode::CONFLICT).then(|| fields.seen());
    let again = Some(again);
    draw(&site, &inside, case, Way { again, seen, ..Way::plain(status) }).await
}

/// What was sent after the session had ended: kept for whoever wrote it, until they have logged in again. A script
/// keeps it by itself.
fn sent_too_late(
    site: &Site,
    case: CaseId,
    headers: &HeaderMap,
    fields: &DecisionFields,
    to_login: Response,
) -> Response {
    let token = site.cookie().read(headers).filter(|token| site.drafts.owner(token).is_some());
    let Some(token) = token.filter(|_| !is_by_script(headers)) else { return to_login };
    let again = Again::Asked(fields.filled());
    site.drafts.keep(&token, case, &again, site.services.clock().now());
    let then = format!("/logga-in?sedan=%2Farende%2F{case}&sparat={}", Unsaved::Kept.id());
    Redirect::to(&then).into_response()
}

/// After an act: back to the case, or the case with the reason why not.
pub(super) async fn after(
    site: &Site,
    inside: &Inside,
    case: CaseId,
    done: Result<(), ServiceError>,
) -> Result<Response, Response> {
    match done {
        Ok(()) => Ok(Redirect::to(&format!("/arende/{case}")).into_response()),
        Err(ServiceError::Refused { why } | ServiceError::Conflict { why }) => {
            let notice = Some(Notice::problem(why));
            draw(site, inside, case, Way { notice, ..Way::plain(StatusCode::CONFLICT) }).await
        }
        Err(error) => Err(site.error(error)),
    }
}

/// Bars the item from copying at once.
pub async fn suspect(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
    Form(fields): Form<BareForm>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let case = CaseId(case);
    let done = site.services.suspect(&inside.viewer, case).await;
    after(&site, &inside, case, done).await
}

/// Reads anew what was disposed of and still stands.
pub async fn read_anew(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
    Form(fields): Form<BareForm>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let case = CaseId(case);
    let done = site.services.read_anew(&inside.viewer, case).await;
    after(&site, &inside, case, done).await
}

/// Undoes the standing decision.
pub async fn undo(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
    Form(fields): Form<UndoFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let case = CaseId(case);
    let done = site.services.undo(&inside.viewer, case, fields.beslut).await;
    after(&site, &inside, case, done).await
}

/// Tries a failed action again.
pub async fn try_again(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
    Form(fields): Form<RetryFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let case = CaseId(case);
    let done = site.services.try_again(&inside.viewer, case, fields.atgard).await;
    after(&site, &inside, case, done).await
}

/// Lifts the bar on copying: the suspicion was wrong.
pub async fn lift(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
    Form(fields): Form<ReasonFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let case = CaseId(case);
    let done = site.services.lift_copy_bar(&inside.viewer, case, &fields.skal).await;
    after(&site, &inside, case, done).await
}

/// Exempts the case from disposal.
pub async fn exempt(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
    Form(fields): Form<ReasonFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let case = CaseId(case);
    let done = site.services.exempt(&inside.viewer, case, &fields.skal).await;
    after(&site, &inside, case, done).await
}

/// Lifts that exemption.
pub async fn end_exemption(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
    Form(fields): Form<ReasonFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let case = CaseId(case);
    let done = site.services.end_exemption(&inside.viewer, case, &fields.skal).await;
    after(&site, &inside, case, done).await
}

/// Takes the case.
pub async fn claim(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
    Form(fields): Form<BareForm>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let case = CaseId(case);
    let done = site.services.claim(&inside.viewer, case).await;
    after(&site, &inside, case, done).await
}

/// Takes the case over from whoever has it.
pub async fn take_over(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
    Form(fields): Form<BareForm>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let case = CaseId(case);
    let done = site.services.take_over(&inside.viewer, case).await;
    after(&site, &inside, case, done).await
}

/// Somebody is active on the page of a case. Answered without a page: 204, or 409 and who has the case.
pub async fn stay(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
    Form(fields): Form<StayForm>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let writes = fields.skriver == "ja";
    match site.services.stay(&inside.viewer, CaseId(case), writes).await {
        // What needs nobody any more is told of in other ways.
        Ok(()) | Err(ServiceError::Refused { .. }) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(ServiceError::Conflict { why }) => Ok((StatusCode::CONFLICT, why).into_response()),
        Err(error) => Err(site.error(error)),
    }
}

/// The page of a case was closed.
pub async fn leave(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
    Form(fields): Form<BareForm>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let left = site.services.leave(&inside.viewer, CaseId(case)).await;
    left.map(|()| StatusCode::NO_CONTENT.into_response()).map_err(|e| site.error(e))
}

/// What was taken over from the person since they last opened a page, told once.
pub(super) async fn lost(site: &Site, inside: &Inside) -> Result<Option<Notice>, Response> {
    let lost = site.services.tell_lost(&inside.viewer).await.map_err(|e| site.error(e))?;
    let words: Vec<_> = lost.iter().map(Lost::words).collect();
    Ok((!words.is_empty()).then(|| Notice::done(words.join(" "))))
}

/// Lets the case go.
pub async fn release(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
    Form(fields): Form<BareForm>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let case = CaseId(case);
    let done = site.services.release(&inside.viewer, case).await;
    after(&site, &inside, case, done).await
}
