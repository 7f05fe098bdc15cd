//! `/regler`: trying a text, the rules with what they have done, and changing the authority's own.

use axum::extract::{Form, Path, Query as FromAddress, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use crate::domain::ids::{CaseId, ContentHash};
use crate::domain::person::Act;
use crate::services::ServiceError;
use crate::services::rule_book::{CheckedRules, RuleDraft};
use crate::web::forms::BareForm;
use crate::web::present_rules as present;
use crate::web::state::{Inside, Site, not_found, page_with};
use crate::web::view::rules::{RulePage, RulesEditPage, RulesPage, TriedView};
use crate::web::view::shell::{Notice, Place};

/// Rules shown at once.
const SHOWN: usize = 50;

/// What is asked for among the rules.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    q: String,
}

/// A text to try.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Attempt {
    csrf: String,
    text: String,
}

/// Which text a change begins with: a version's number, and what is to be added to it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct From {
    fran: String,
    regel: String,
    lista: String,
    ny: String,
}

/// A change as sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Fields {
    csrf: String,
    text: String,
    varfor: String,
    bas: i64,
    gor: String,
    /// The hash of the text that was looked at before.
    sedd: String,
    /// The mark of the warning that was read.
    forstar: String,
}

/// A rule's finding that is called wrong.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wrong {
    csrf: String,
    regel: String,
    /// The number of the version that was shown.
    lydelse: u32,
    /// `ja` or `nej`.
    fel: String,
}

async fn draw(
    site: &Site,
    inside: &Inside,
    (status, notice): (StatusCode, Option<Notice>),
    asked: &str,
    (text, tried): (String, Option<TriedView>),
) -> Result<Response, Response> {
    let (services, viewer) = (&site.services, &inside.viewer);
    let own = services.own_rules(viewer).await.map_err(|e| site.error(e))?;
    let (found, n_all) = services.rule_facts(viewer, asked).await.map_err(|e| site.error(e))?;
    let may_edit = viewer.may(Act::ManageRules);
    let view = RulesPage {
        shell: inside.shell(site, Place::Rules)?,
        notice,
        text,
        tried,
        asked: asked.to_owned(),
        rows: found.iter().take(SHOWN).map(present::rule).collect(),
        more: (found.len().saturating_sub(SHOWN), n_all),
        from: present::from(&own),
        versions: present::versions(&own),
        waiting: present::waiting(&own, viewer.user, may_edit),
        own: own.in_force.text,
        may_edit,
    };
    Ok(page_with(site, status, &view))
}

/// The page.
pub async fn show(
    State(site): State<Site>,
    inside: Inside,
    FromAddress(asked): FromAddress<Asked>,
) -> Result<Response, Response> {
    let plain = (String::new(), None);
    draw(&site, &inside, (StatusCode::OK, None), &asked.q, plain).await
}

/// Tries a text. It is sent as a form, so that it stands in no address, and is kept nowhere.
pub async fn attempt(
    State(site): State<Site>,
    inside: Inside,
    Form(fields): Form<Attempt>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let text = fields.text.replace("\r\n", "\n");
    if text.trim().is_empty() {
        let notice = Some(Notice::problem("Skriv en text att prova."));
        let how = (StatusCode::UNPROCESSABLE_ENTITY, notice);
        return draw(&site, &inside, how, "", (text, None)).await;
    }
    match site.services.try_text(&inside.viewer, text.clone()).await {
        Ok(tried) => {
            let tried = Some(present::tried(&text, &tried));
            draw(&site, &inside, (StatusCode::OK, None), "", (text, tried)).await
        }
        Err(ServiceError::Refused { why }) => {
            let how = (StatusCode::UNPROCESSABLE_ENTITY, Some(Notice::problem(why)));
            draw(&site, &inside, how, "", (text, None)).await
        }
        Err(error) => Err(site.error(error)),
    }
}

#[expect(clippy::result_large_err, reason = "the error is the whole answer, made once a request")]
fn page(
    site: &Site,
    inside: &Inside,
    title: String,
    blocks: Vec<(String, usize, String)>,
) -> Result<RulePage, Response> {
    let blocks = blocks
        .into_iter()
        .map(|(file, line, text)| (format!("{file}, rad {line}"), present::plain(&text)));
    Ok(RulePage {
        shell: inside.shell(site, Place::Rules)?,
        notice: None,
        title,
        from: String::new(),
        row: None,
        blocks: blocks.collect(),
        change: None,
        faults: Vec::new(),
        wrong: Vec::new(),
        edit: None,
    })
}

/// One rule.
pub async fn rule(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<String>,
) -> Result<Response, Response> {
    let (services, viewer) = (&site.services, &inside.viewer);
    let (found, _) = services.rule_facts(viewer, &id).await.map_err(|e| site.error(e))?;
    let known = found.into_iter().find(|one| one.id == id);
    let own = services.rule_source(viewer, "rule", &id).ok();
    let blocks = services.rule_source(viewer, "id", &id).ok();
    if known.is_none() && blocks.is_none() {
        return Err(not_found(&site));
    }
    let blocks = own.into_iter().chain(blocks).flatten().collect();
    let wrong = services.cases_judged_wrong(viewer, &id).await.map_err(|e| site.error(e))?;
    let may = viewer.may(Act::ManageRules);
    let view = RulePage {
        row: known.as_ref().map(present::rule),
        wrong: wrong.into_iter().map(|case| case.0).collect(),
        edit: may.then(|| (format!("/regler/andra?regel={id}"), "Ändra regeln")),
        ..page(&site, &inside, format!("Regeln {id}"), blocks)?
    };
    Ok(page_with(&site, StatusCode::OK, &view))
}

/// One class of words.
pub async fn list(
    State(site): State<Site>,
    inside: Inside,
    Path(name): Path<String>,
) -> Result<Response, Response> {
    let name = name.trim_start_matches('@').to_owned();
    let blocks = site.services.rule_source(&inside.viewer, "name", &name);
    let blocks = blocks.map_err(|e| site.error(e))?;
    let may = inside.viewer.may(Act::ManageRules);
    let view = RulePage {
        edit: may.then(|| (format!("/regler/andra?lista={name}"), "Ändra ordlistan")),
        ..page(&site, &inside, format!("Ordlistan @{name}"), blocks)?
    };
    Ok(page_with(&site, StatusCode::OK, &view))
}

async fn of_version(
    site: &Site,
    inside: &Inside,
    number: i64,
    weighs: bool,
) -> Result<Response, Response> {
    let own = site.services.own_rules(&inside.viewer).await.map_err(|e| site.error(e))?;
    let Some(version) = own.versions.iter().find(|version| version.id.0 == number) else {
        return Err(not_found(site));
    };
    let checked = match weighs {
        true => {
            let checked = site.services.check_rules(&inside.viewer, &version.text).await;
            Some(checked.map_err(|e| site.error(e))?)
        }
        false => None,
    };
    let rows = present::versions(&own);
    let row = rows.into_iter().find(|row| row.id == number);
    let may = inside.viewer.may(Act::ManageRules) && own.in_force.text != version.text;
    let mut view = RulePage {
        from: row
            .map_or_else(String::new, |row| format!("{}, {}. {}", row.made, row.state, row.why)),
        edit: (may && own.waiting().is_none()).then(|| {
            (format!("/regler/andra?fran={number}"), "Gå tillbaka till den här versionen")
        }),
        ..page(
            site,
            inside,
            format!("Egna regler, version {number}"),
            vec![("Egna regler".to_owned(), 1, version.text.clone())],
        )?
    };
    match checked {
        Some(CheckedRules::Faulty(faults)) => {
            view.faults = faults.iter().map(present::fault).collect();
        }
        Some(CheckedRules::Fits(preview)) => view.change = Some(present::change(*preview)),
        Some(CheckedRules::Same) => {
            view.notice = Some(Notice::waits("Reglerna är de som gäller: inget ändras."));
        }
        None => {}
    }
    Ok(page_with(site, StatusCode::OK, &view))
}

/// A version of the own rules.
pub async fn version(
    State(site): State<Site>,
    inside: Inside,
    Path(number): Path<i64>,
) -> Result<Response, Response> {
    of_version(&site, &inside, number, false).await
}

/// The same with what it would change.
pub async fn weigh(
    State(site): State<Site>,
    inside: Inside,
    Path(number): Path<i64>,
) -> Result<Response, Response> {
    of_version(&site, &inside, number, true).await
}

async fn form(
    site: &Site,
    inside: &Inside,
    status: StatusCode,
    notice: Option<Notice>,
    draft: RuleDraft,
    checked: Option<CheckedRules>,
) -> Result<Response, Response> {
    let own = site.services.own_rules(&inside.viewer).await.map_err(|e| site.error(e))?;
    let seen = ContentHash::of(draft.text.as_bytes()).to_string();
    let (faults, preview) = match checked {
        Some(CheckedRules::Faulty(faults)) => (faults.iter().map(present::fault).collect(), None),
        Some(CheckedRules::Fits(fits)) => (Vec::new(), Some((present::change(*fits), seen))),
        Some(CheckedRules::Same) | None => (Vec::new(), None),
    };
    let view = RulesEditPage {
        shell: inside.shell(site, Place::Rules)?,
        notice,
        text: draft.text,
        why: draft.why,
        base: draft.base,
        faults,
        preview,
        four_eyes: own.four_eyes,
    };
    Ok(page_with(site, status, &view))
}

/// What a change begins with, for whoever has never written one.
fn begun(from: &From) -> String {
    let name = |name: &str| name.replace(['"', '\\', '\n', '\r'], "");
    match (from.regel.as_str(), from.lista.as_str(), from.ny.as_str()) {
        (rule, _, _) if !rule.is_empty() => format!(
            "[[change]]\nrule = \"{}\"\n# Ta bort # framför det som ska gälla.\n# off = true              # stäng av regeln\n# shadow = true           # räkna träffarna, men visa dem inte\n# severity = \"low\"        # low, medium eller high\n# except = [\"uttryck\"]    # överlappar träffen detta är den ingen träff\n# unless = [\"ord\"]        # finns detta i meningen är det ingen träff\n# counterexamples = [\"En text som inte ska ge träff\"]\n",
            name(rule)
        ),
        (_, list, _) if !list.is_empty() => format!(
            "[[list]]\nname = \"{}\"\nlexemes = []   # ord som läggs till, till exempel \"flicka n1\"\nnot = []       # ord som tas bort\n",
            name(list)
        ),
        (_, _, "regel") => "[[rule]]\nid = \"egen.namn\"\ncategory = \"insult\"\nlegal = \"Husregler\"\nseverity = \"low\"\nwhy = \"En mening som redaktören läser.\"\npatterns = [\"ord *2 ord\"]\nexamples = [\"\", \"\", \"\"]\ncounterexamples = [\"\", \"\", \"\"]\n".to_owned(),
        (_, _, "ord") => "[[words]]\nid = \"egen.ord\"\ncategory = \"profanity\"\nlegal = \"Husregler\"\nseverity = \"low\"\nwhy = \"En mening som redaktören läser.\"\nlexemes = []   # till exempel \"flicka n1\"\nexamples = [\"\", \"\", \"\"]\ncounterexamples = [\"\", \"\", \"\"]\n".to_owned(),
        _ => String::new(),
    }
}

/// The form with the rules in force, or an earlier version's, and what is to be added.
pub async fn edit(
    State(site): State<Site>,
    inside: Inside,
    FromAddress(from): FromAddress<From>,
) -> Result<Response, Response> {
    if !inside.viewer.may(Act::ManageRules) {
        return Err(site.error(ServiceError::NotPermitted { act: Act::ManageRules }));
    }
    let own = site.services.own_rules(&inside.viewer).await.map_err(|e| site.error(e))?;
    let earlier = from.fran.parse::<i64>().ok();
    let earlier = earlier.and_then(|n| own.versions.iter().find(|version| version.id.0 == n));
    // A version that this program refuses is what has to be mended.
    let ruling = own.ruling();
    let base = ruling.map_or(0, |version| version.id.0);
    let (mut text, why) = match earlier {
        Some(version) => {
            (version.text.clone(), format!("Går tillbaka till version {}. ", version.id))
        }
        None => (ruling.map_or_else(String::new, |version| version.text.clone()), String::new()),
    };
    let added = begun(&from);
    if !added.is_empty() {
        if !text.trim().is_empty() {
            text = format!("{}\n\n", text.trim_end());
        }
        text.push_str(&added);
    }
    let draft = RuleDraft { text, why, base, accepts: String::new() };
    form(&site, &inside, StatusCode::OK, None, draft, None).await
}

/// Looks at a change, or publishes one that was looked at.
pub async fn save(
    State(site): State<Site>,
    inside: Inside,
    Form(fields): Form<Fields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    // Browsers send lines as a mail does.
    let text = fields.text.replace("\r\n", "\n");
    let looked = fields.sedd == ContentHash::of(text.as_bytes()).to_string();
    let draft = RuleDraft { text, why: fields.varfor, base: fields.bas, accepts: fields.forstar };
    let services = &site.services;
    if fields.gor == "publicera" && looked {
        let (publisher, viewer) = (services.clone(), inside.viewer.clone());
        let sent = draft.clone();
        // In a task of its own: whoever hangs up does not cut it in half.
        let done = tokio::spawn(async move { publisher.publish_rules(&viewer, &sent).await }).await;
        return match done.unwrap_or_else(|e| Err(ServiceError::broken("publishing rules", e))) {
            Ok(_) => Ok(Redirect::to("/regler").into_response()),
            Err(ServiceError::Refused { why }) => {
                let checked = services.check_rules(&inside.viewer, &draft.text).await;
                let checked = checked.map_err(|e| site.error(e))?;
                let notice = Some(Notice::problem(why));
                form(&site, &inside, StatusCode::CONFLICT, notice, draft, Some(checked)).await
            }
            Err(error) => Err(site.error(error)),
        };
    }
    let checked = match services.check_rules(&inside.viewer, &draft.text).await {
        Ok(checked) => checked,
        Err(ServiceError::Refused { why }) => {
            let notice = Some(Notice::problem(why));
            return form(&site, &inside, StatusCode::CONFLICT, notice, draft, None).await;
        }
        Err(error) => return Err(site.error(error)),
    };
    let (status, notice) = match (&checked, fields.gor == "publicera") {
        (CheckedRules::Faulty(faults), _) => {
            let words = match faults.len() {
                1 => "Reglerna har ett fel. Inget är publicerat.".to_owned(),
                n => format!("Reglerna har {n} fel. Inget är publicerat."),
            };
            (StatusCode::UNPROCESSABLE_ENTITY, Notice::problem(words))
        }
        (CheckedRules::Same, _) => {
            (StatusCode::OK, Notice::waits("Reglerna är de som gäller: inget ändras."))
        }
        (CheckedRules::Fits(_), true) => (
            StatusCode::CONFLICT,
            Notice::problem(
                "Reglerna har ändrats sedan de granskades. Läs vad som ändras och publicera sedan.",
            ),
        ),
        (CheckedRules::Fits(_), false) => {
            (StatusCode::OK, Notice::waits("Inget är publicerat än. Läs vad som ändras."))
        }
    };
    form(&site, &inside, status, Some(notice), draft, Some(checked)).await
}

async fn after(
    site: &Site,
    inside: &Inside,
    done: Result<(), ServiceError>,
) -> Result<Response, Response> {
    match done {
        Ok(()) => Ok(Redirect::to("/regler").into_response()),
        Err(ServiceError::Refused { why }) => {
            let how = (StatusCode::CONFLICT, Some(Notice::problem(why)));
            draw(site, inside, how, "", (String::new(), None)).await
        }
        Err(error) => Err(site.error(error)),
    }
}

/// Approves a version that waits.
pub async fn approve(
    State(site): State<Site>,
    inside: Inside,
    Path(version): Path<i64>,
    Form(fields): Form<BareForm>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let (services, viewer) = (site.services.clone(), inside.viewer.clone());
    let done = tokio::spawn(async move { services.approve_rules(&viewer, version).await }).await;
    let done = done.unwrap_or_else(|e| Err(ServiceError::broken("publishing rules", e)));
    after(&site, &inside, done).await
}

/// Takes back a version that waits.
pub async fn withdraw(
    State(site): State<Site>,
    inside: Inside,
    Path(version): Path<i64>,
    Form(fields): Form<BareForm>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let done = site.services.withdraw_rules(&inside.viewer, version).await;
    after(&site, &inside, done).await
}

/// Says that a rule's finding in a case is wrong, or that it is not.
pub async fn wrong(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
    Form(fields): Form<Wrong>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let case = CaseId(case);
    let (shown, wrong) = ((case, fields.lydelse), fields.fel == "ja");
    let done = site.services.judge_finding(&inside.viewer, shown, &fields.regel, wrong).await;
    super::case::after(&site, &inside, case, done).await
}
