//! `/filter`: saved filters of the queue.

use axum::extract::{Form, Path, Query as FromAddress, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use crate::domain::category::Category;
use crate::domain::ids::SavedFilterId;
use crate::domain::person::Act;
use crate::domain::sieve::{Age, AtLeast, DueIn, Mine, Sieve};
use crate::services::ServiceError;
use crate::services::filters::{Counted, Query};
use crate::services::queue::Filter as Shown;
use crate::web::pages::queue::label;
use crate::web::state::{Inside, Site, page_with};
use crate::web::view::filters::{Choice, FiltersPage, SavedView, SieveView};
use crate::web::view::shell::{Notice, Place};

/// What the address says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    borttaget: Option<i64>,
}

/// A filter as sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Fields {
    csrf: String,
    namn: String,
    fraga: String,
    /// `ja` where it is everybody's.
    delat: String,
}

impl Fields {
    fn shared(&self) -> bool {
        self.delat == "ja"
    }
}

/// What a query asks for, in words.
fn words(query: &Query) -> String {
    let mut all = vec![label(query.shown).to_lowercase()];
    all.extend(query.account.as_ref().map(|key| format!("konto {key}")));
    all.extend(Some(query.sieve.words()).filter(|words| !words.is_empty()));
    all.join(", ")
}

fn saved(counted: &Counted, shown: &str, may_share: bool) -> SavedView {
    let Counted { saved, n, at_least } = counted;
    let query = Query::read(&saved.query);
    let written = query.written();
    SavedView {
        id: saved.id.0,
        name: saved.name.clone(),
        words: words(&query),
        href: format!("/?{written}"),
        n: *n,
        at_least: *at_least,
        shared: saved.owner.is_none(),
        current: written == shown,
        may: saved.owner.is_some() || may_share,
    }
}

fn choices(sieve: &Sieve) -> Vec<Choice> {
    let some = |wanted: Option<&'static str>, id: &'static str| wanted == Some(id);
    let category = sieve.category.map(Category::id);
    let least = sieve.at_least.map(AtLeast::id);
    let (age, due, mine) =
        (sieve.age.map(Age::id), sieve.due.map(DueIn::id), sieve.mine.map(Mine::id));
    let option = |wanted, id, label: &str| (id, label.to_owned(), some(wanted, id));
    vec![
        Choice {
            field: "kategori",
            label: "Kategori",
            any: "alla",
            options: Category::ALL.iter().map(|c| option(category, c.id(), c.label())).collect(),
        },
        Choice {
            field: "allvar",
            label: "Allvar",
            any: "alla",
            options: AtLeast::ALL.iter().map(|a| option(least, a.id(), a.label())).collect(),
        },
        Choice {
            field: "alder",
            label: "Har väntat",
            any: "hur länge som helst",
            options: Age::ALL.iter().map(|a| option(age, a.id(), a.label())).collect(),
        },
        Choice {
            field: "frist",
            label: "Frist",
            any: "alla",
            options: DueIn::ALL.iter().map(|d| option(due, d.id(), d.label())).collect(),
        },
        Choice {
            field: "vems",
            label: "Ärenden",
            any: "allas",
            options: Mine::ALL.iter().map(|m| option(mine, m.id(), m.label())).collect(),
        },
    ]
}

/// What stands over the queue.
pub(super) fn view(query: &Query, counted: &[Counted], inside: &Inside) -> SieveView {
    let may_share = inside.viewer.may(Act::Decide);
    let shown = query.written();
    let words = query.sieve.words();
    let without = Query { sieve: Sieve::default(), ..query.clone() };
    SieveView {
        choices: if query.shown == Shown::Closed { Vec::new() } else { choices(&query.sieve) },
        words: (!words.is_empty() && query.shown != Shown::Closed).then_some(words),
        without: format!("/?{}", without.written()),
        saved: counted.iter().map(|counted| saved(counted, &shown, may_share)).collect(),
        query: shown,
        may_share,
    }
}

async fn draw(
    site: &Site,
    inside: &Inside,
    notice: Option<Notice>,
    undo: Option<i64>,
) -> Result<Response, Response> {
    let (services, viewer) = (&site.services, &inside.viewer);
    let counted = services.saved_filters(viewer).await.map_err(|e| site.error(e))?;
    let gone = services.removed_filters(viewer).await.map_err(|e| site.error(e))?;
    let may_share = viewer.may(Act::Decide);
    let removed: Vec<_> = gone
        .into_iter()
        .map(|f| (f.id.0, f.name, f.owner.is_none(), f.owner.is_some() || may_share))
        .collect();
    let undo = removed.iter().find(|(id, _, _, may)| Some(*id) == undo && *may);
    let undo = undo.map(|(id, name, shared, _)| (*id, name.clone(), *shared));
    let refused = notice.is_some();
    let view = FiltersPage {
        shell: inside.shell(site, Place::Queue)?,
        notice,
        undo,
        saved: counted.iter().map(|counted| saved(counted, "", may_share)).collect(),
        removed,
    };
    let status = if refused { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(page_with(site, status, &view))
}

/// The list.
pub async fn show(
    State(site): State<Site>,
    inside: Inside,
    FromAddress(asked): FromAddress<Asked>,
) -> Result<Response, Response> {
    draw(&site, &inside, None, asked.borttaget).await
}

async fn after<T>(
    site: &Site,
    inside: &Inside,
    done: Result<T, ServiceError>,
    then: String,
) -> Result<Response, Response> {
    match done {
        Ok(_) => Ok(Redirect::to(&then).into_response()),
        Err(ServiceError::Refused { why }) => {
            draw(site, inside, Some(Notice::problem(why)), None).await
        }
        Err(error) => Err(site.error(error)),
    }
}

/// Saves what the queue shows under a name, and goes back to it.
pub async fn add(
    State(site): State<Site>,
    inside: Inside,
    Form(fields): Form<Fields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let query = Query::read(&fields.fraga).written();
    let (viewer, shared) = (&inside.viewer, fields.shared());
    let kept = site.services.keep_filter(viewer, None, &fields.namn, Some(&query), shared).await;
    after(&site, &inside, kept, format!("/?{query}")).await
}

/// Gives one another name.
pub async fn save(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<Fields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let (viewer, filter) = (&inside.viewer, Some(SavedFilterId(id)));
    let query = Some(fields.fraga.as_str()).filter(|query| !query.is_empty());
    let kept =
        site.services.keep_filter(viewer, filter, &fields.namn, query, fields.shared()).await;
    after(&site, &inside, kept, "/filter".into()).await
}

/// Takes one away.
pub async fn remove(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<Fields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let (filter, shared) = (SavedFilterId(id), fields.shared());
    let done = site.services.turn_filter(&inside.viewer, filter, shared, true).await;
    after(&site, &inside, done, format!("/filter?borttaget={id}")).await
}

/// Brings one back.
pub async fn restore(
    State(site): State<Site>,
    inside: Inside,
    Path(id): Path<i64>,
    Form(fields): Form<Fields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let (filter, shared) = (SavedFilterId(id), fields.shared());
    let done = site.services.turn_filter(&inside.viewer, filter, shared, false).await;
    after(&site, &inside, done, "/filter".into()).await
}
