//! `/riktlinjer`: the policies, their versions, and changing them.

use axum::extract::{Form, Path, Query as FromAddress, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use crate::domain::ids::ContentHash;
use crate::domain::person::Act;
use crate::domain::policy_words::whole;
use crate::services::ServiceError;
use crate::services::policies::{Checked, Draft};
use crate::web::forms::BareForm;
use crate::web::present_policies as present;
use crate::web::state::{Inside, Site, not_found, page_with};
use crate::web::view::policies::{PoliciesPage, PolicyEditPage, PolicyPage};
use crate::web::view::shell::{Notice, Place};

/// Which text a change begins with: a version's number or a built-in one's name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct From {
    fran: String,
}

/// A change as sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Fields {
    csrf: String,
    text: String,
    varfor: String,
    bas: i64,
    rakna: String,
    gor: String,
    /// The hash of the text that was looked at before.
    sedd: String,
}

/// All of them.
pub async fn list(State(site): State<Site>, inside: Inside) -> Result<Response, Response> {
    let all = site.services.policies(&inside.viewer).await.map_err(|e| site.error(e))?;
    let view = PoliciesPage {
        shell: inside.shell(&site, Place::Accounts)?,
        in_use: all.iter().map(present::in_use).collect(),
        ready: site.services.ready_policies().iter().map(|one| (one.id, one.what)).collect(),
    };
    Ok(page_with(&site, StatusCode::OK, &view))
}

/// A built-in one.
pub async fn ready(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<String>,
) -> Result<Response, Response> {
    let ready = site.services.ready_policy(&inside.viewer, &id);
    let (ready, words) = ready.map_err(|e| site.error(e))?;
    let all = site.services.policies(&inside.viewer).await.map_err(|e| site.error(e))?;
    let edits = all.iter().filter(|_| inside.viewer.may(Act::ManagePolicies)).map(|one| {
        let href = format!("/riktlinjer/{}/andra?fran={}", one.id, ready.id);
        (href, format!("Kopiera till riktlinjen för {}", one.whose))
    });
    let view = PolicyPage {
        shell: inside.shell(&site, Place::Accounts)?,
        notice: None,
        id: None,
        title: format!("Färdig riktlinje: {}", ready.what),
        from: "Den är byggd in i Uppsikt och ändras aldrig. Kopiera den och ändra i kopian.".into(),
        words,
        text: ready.text.to_owned(),
        versions: Vec::new(),
        waiting: None,
        edits: edits.collect(),
    };
    Ok(page_with(&site, StatusCode::OK, &view))
}

async fn draw(
    site: &Site,
    inside: &Inside,
    id: &str,
    status: StatusCode,
    notice: Option<Notice>,
) -> Result<Response, Response> {
    let viewer = &inside.viewer;
    let one = site.services.policy_in_use(viewer, id).await.map_err(|e| site.error(e))?;
    let may = viewer.may(Act::ManagePolicies);
    let waiting = match one.waiting() {
        Some(version) if may => {
            let checked = site.services.check_policy(viewer, id, &version.text).await;
            let checked = checked.map_err(|e| site.error(e))?;
            Some(present::waiting(version, Some(checked), viewer.user))
        }
        Some(version) => Some(present::waiting(version, None, viewer.user)),
        None => None,
    };
    let edit = (format!("/riktlinjer/{id}/andra"), "Ändra riktlinjen".to_owned());
    let view = PolicyPage {
        shell: inside.shell(site, Place::Accounts)?,
        notice,
        id: Some(one.id.clone()),
        title: one.policy.name.clone(),
        from: present::from(&one),
        words: whole(&one.policy),
        text: one.policy.text.to_string(),
        versions: present::versions(&one),
        edits: if may && waiting.is_none() { vec![edit] } else { Vec::new() },
        waiting,
    };
    Ok(page_with(site, status, &view))
}

/// One of them.
pub async fn show(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<String>,
) -> Result<Response, Response> {
    draw(&site, &inside, &id, StatusCode::OK, None).await
}

/// An earlier version.
pub async fn version(
    State(site): State<Site>,
    inside: Inside,
    Path((id, number)): Path<(String, i64)>,
) -> Result<Response, Response> {
    let one = site.services.policy_in_use(&inside.viewer, &id).await;
    let one = one.map_err(|e| site.error(e))?;
    let Some(version) = one.versions.iter().find(|version| version.id.0 == number) else {
        return Err(not_found(&site));
    };
    let back = format!("/riktlinjer/{id}/andra?fran={number}");
    let may = inside.viewer.may(Act::ManagePolicies) && one.policy.version != version.hash;
    let row = present::version(version, one.ruling().map(|ruling| ruling.id));
    let view = PolicyPage {
        shell: inside.shell(&site, Place::Accounts)?,
        notice: None,
        id: None,
        title: format!("{}, version {number}", version.name),
        from: format!("{}, {}. {}", row.made, row.state, row.why),
        words: site.services.policy_words(&version.text),
        text: version.text.clone(),
        versions: Vec::new(),
        waiting: None,
        edits: may
            .then(|| (back, "Gå tillbaka till den här versionen".into()))
            .into_iter()
            .collect(),
    };
    Ok(page_with(&site, StatusCode::OK, &view))
}

/// The form, empty or after a look at what was typed.
async fn form(
    site: &Site,
    inside: &Inside,
    id: &str,
    status: StatusCode,
    notice: Option<Notice>,
    draft: Draft,
    checked: Option<Checked>,
) -> Result<Response, Response> {
    let one = site.services.policy_in_use(&inside.viewer, id).await.map_err(|e| site.error(e))?;
    let seen = ContentHash::of(draft.text.as_bytes()).to_string();
    let (faults, preview) = match checked {
        Some(Checked::Faulty(faults)) => {
            (faults.into_iter().map(|f| (f.line, f.column, f.what)).collect(), None)
        }
        Some(Checked::Fits(preview)) => (Vec::new(), Some((present::preview(*preview), seen))),
        Some(Checked::Same) | None => (Vec::new(), None),
    };
    let view = PolicyEditPage {
        shell: inside.shell(site, Place::Accounts)?,
        notice,
        id: id.to_owned(),
        whose: one.whose,
        text: draft.text,
        why: draft.why,
        base: draft.base,
        recounts: draft.recounts,
        faults,
        preview,
        four_eyes: one.policy.duties.changed_by_two,
    };
    Ok(page_with(site, status, &view))
}

/// The form with the text that rules, an earlier version's, or a built-in one's.
pub async fn edit(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<String>,
    FromAddress(from): FromAddress<From>,
) -> Result<Response, Response> {
    if !inside.viewer.may(Act::ManagePolicies) {
        return Err(site.error(ServiceError::NotPermitted { act: Act::ManagePolicies }));
    }
    let one = site.services.policy_in_use(&inside.viewer, &id).await;
    let one = one.map_err(|e| site.error(e))?;
    let earlier = from.fran.parse::<i64>().ok();
    let earlier = earlier.and_then(|n| one.versions.iter().find(|version| version.id.0 == n));
    let ready = site.services.ready_policies().iter().find(|ready| ready.id == from.fran);
    let (text, why) = match (earlier, ready) {
        (Some(version), _) => {
            (version.text.clone(), format!("Går tillbaka till version {}. ", version.id))
        }
        (None, Some(ready)) => (ready.text.to_owned(), String::new()),
        (None, None) => (one.policy.text.to_string(), String::new()),
    };
    let base = one.ruling().map_or(0, |version| version.id.0);
    let draft = Draft { text, why, base, recounts: true };
    form(&site, &inside, &id, StatusCode::OK, None, draft, None).await
}

/// Looks at a change, or publishes one that was looked at.
pub async fn save(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    // Browsers send lines as a mail does.
    let text = fields.text.replace("\r\n", "\n");
    let draft =
        Draft { text, why: fields.varfor, base: fields.bas, recounts: fields.rakna == "ja" };
    let services = &site.services;
    let looked = fields.sedd == ContentHash::of(draft.text.as_bytes()).to_string();
    if fields.gor == "publicera" && looked {
        return match services.publish_policy(&inside.viewer, &id, &draft).await {
            Ok(_) => Ok(Redirect::to(&format!("/riktlinjer/{id}")).into_response()),
            Err(ServiceError::Refused { why }) => {
                let checked = services.check_policy(&inside.viewer, &id, &draft.text).await;
                let checked = checked.map_err(|e| site.error(e))?;
                let notice = Some(Notice::problem(why));
                form(&site, &inside, &id, StatusCode::CONFLICT, notice, draft, Some(checked)).await
            }
            Err(error) => Err(site.error(error)),
        };
    }
    let checked = services.check_policy(&inside.viewer, &id, &draft.text).await;
    let checked = checked.map_err(|e| site.error(e))?;
    let (status, notice) = match (&checked, fields.gor == "publicera") {
        (Checked::Faulty(faults), _) => {
            let n = faults.len();
            let words = match n {
                1 => "Texten har ett fel. Inget är publicerat.".to_owned(),
                n => format!("Texten har {n} fel. Inget är publicerat."),
            };
            (StatusCode::UNPROCESSABLE_ENTITY, Some(Notice::problem(words)))
        }
        (Checked::Same, _) => {
            (StatusCode::OK, Some(Notice::waits("Texten är den som gäller: inget ändras.")))
        }
        (Checked::Fits(_), true) => (
            StatusCode::CONFLICT,
            Some(Notice::problem(
                "Texten har ändrats sedan den granskades. Läs vad som ändras och publicera sedan.",
            )),
        ),
        (Checked::Fits(_), false) => {
            (StatusCode::OK, Some(Notice::waits("Inget är publicerat än. Läs vad som ändras.")))
        }
    };
    form(&site, &inside, &id, status, notice, draft, Some(checked)).await
}

async fn after(
    site: &Site,
    inside: &Inside,
    id: &str,
    done: Result<(), ServiceError>,
) -> Result<Response, Response> {
    match done {
        Ok(()) => Ok(Redirect::to(&format!("/riktlinjer/{id}")).into_response()),
        Err(ServiceError::Refused { why }) => {
            draw(site, inside, id, StatusCode::CONFLICT, Some(Notice::problem(why))).await
        }
        Err(error) => Err(site.error(error)),
    }
}

/// Approves a version that waits.
pub async fn approve(
    State(site): State<Site>,
    inside: Inside,
    Path((id, version)): Path<(String, i64)>,
    Form(fields): Form<BareForm>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let done = site.services.approve_policy(&inside.viewer, &id, version).await;
    after(&site, &inside, &id, done).await
}

/// Takes back a version that waits.
pub async fn withdraw(
    State(site): State<Site>,
    inside: Inside,
    Path((id, version)): Path<(String, i64)>,
    Form(fields): Form<BareForm>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let done = site.services.withdraw_policy(&inside.viewer, &id, version).await;
    after(&site, &inside, &id, done).await
}
