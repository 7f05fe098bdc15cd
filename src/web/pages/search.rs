//! `/sok`: search in what has been written.

use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::civil::Date;
use serde::Deserialize;

use crate::domain::person::Act;
use crate::services::ServiceError;
use crate::services::queue::Filter;
use crate::services::search::{Asked, Found, LAST_PAGE, Results, Stretch};
use crate::web::pages::queue::{accounts, label};
use crate::web::state::{Inside, Site, page_with};
use crate::web::view::masked::Masked;
use crate::web::view::search::{FoundRow, Piece, SearchForm, SearchPage};
use crate::web::view::shell::{Notice, Place};
use crate::web::view::times::Moment;

/// What the address says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Typed {
    q: String,
    konto: String,
    visa: String,
    fran: String,
    till: String,
    dnr: String,
    bevis: String,
    skal: String,
    sida: u32,
}

/// A day as browsers send it; an empty field is no day.
fn day(typed: &str, which: &str) -> Result<Option<Date>, String> {
    match typed.trim() {
        "" => Ok(None),
        typed => match typed.parse::<Date>() {
            // A day that no clock of ours reaches would ask for nothing in particular.
            Ok(day) if (2000..=2100).contains(&day.year()) => Ok(Some(day)),
            Ok(_) => Err(format!(
                "Dagen i fältet {which} ligger utanför åren 2000 till 2100. Skriv den som 2026-11-22."
            )),
            Err(_) => {
                Err(format!("Dagen i fältet {which} går inte att läsa. Skriv den som 2026-11-22."))
            }
        },
    }
}

impl Typed {
    fn asked(&self) -> Result<Asked, String> {
        Ok(Asked {
            words: self.q.clone(),
            diary: self.dnr.clone(),
            evidence: self.bevis.clone(),
            account: self.konto.clone(),
            state: Filter::from_id(&self.visa),
            from: day(&self.fran, "Hämtat från och med")?,
            to: day(&self.till, "Hämtat till och med")?,
            reason: self.skal.clone(),
            page: self.sida.min(LAST_PAGE),
        })
    }

    fn href(&self, page: u32) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("q", &self.q),
            ("konto", &self.konto),
            ("visa", &self.visa),
            ("fran", &self.fran),
            ("till", &self.till),
            ("dnr", &self.dnr),
            ("bevis", &self.bevis),
            ("skal", &self.skal),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        if page > 0 {
            query.append_pair("sida", &page.to_string());
        }
        format!("/sok?{}", query.finish())
    }
}

fn row(found: Found, now: jiff::Timestamp) -> FoundRow {
    let piece = |stretch: &Stretch| match stretch {
        Stretch::Plain(words) => Piece::Plain(Masked::piece(words)),
        Stretch::Hit(words) => Piece::Hit(Masked::piece(words)),
    };
    FoundRow {
        case: found.case.as_ref().map(|(case, _)| *case),
        state: found.case.as_ref().map_or("", |(_, state)| state.label()),
        text: found.text.iter().map(piece).collect(),
        kind: found.kind.label(),
        platform: found.account.platform.label(),
        account: found.account.name,
        at: Moment::ago(found.at, now),
        changed_since: !found.current,
    }
}

/// A search as it is sent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Sent {
    csrf: String,
    q: String,
    konto: String,
    visa: String,
    fran: String,
    till: String,
    dnr: String,
    bevis: String,
    skal: String,
}

/// Which page of the results.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Leafed {
    sida: u32,
}

/// Takes a search, and leads to its results by an address that does not say what it was.
pub async fn ask(
    State(site): State<Site>,
    inside: Inside,
    Form(sent): Form<Sent>,
) -> Result<Response, Response> {
    inside.check(&site, &sent.csrf)?;
    let Sent { csrf: _, q, konto, visa, fran, till, dnr, bevis, skal } = sent;
    let typed = Typed { q, konto, visa, fran, till, dnr, bevis, skal, sida: 0 };
    let now = site.services.clock().now();
    match site.searches.keep(inside.token(), typed, now) {
        Ok(number) => Ok(Redirect::to(&format!("/sok/{number}")).into_response()),
        Err(error) => Err(site.error(ServiceError::Broken {
            doing: "random number",
            source: Box::new(std::io::Error::other(error)),
        })),
    }
}

/// The results of a search that was sent; an empty form where it is forgotten, or somebody else's.
pub async fn asked(
    State(site): State<Site>,
    inside: Inside,
    Path(number): Path<String>,
    Query(Leafed { sida }): Query<Leafed>,
) -> Result<Response, Response> {
    let now = site.services.clock().now();
    match site.searches.of(inside.token(), &number, now) {
        Some(typed) => {
            draw(&site, &inside, Typed { sida, ..typed }, |page| match page {
                0 => format!("/sok/{number}"),
                page => format!("/sok/{number}?sida={page}"),
            })
            .await
        }
        None => Ok(Redirect::to("/sok").into_response()),
    }
}

/// The form; or results of what somebody has put into the address by hand.
pub async fn show(
    State(site): State<Site>,
    inside: Inside,
    Query(typed): Query<Typed>,
) -> Result<Response, Response> {
    let known = typed.clone();
    draw(&site, &inside, typed, |page| known.href(page)).await
}

async fn draw(
    site: &Site,
    inside: &Inside,
    typed: Typed,
    href: impl Fn(u32) -> String,
) -> Result<Response, Response> {
    let services = &site.services;
    let viewer = &inside.viewer;
    if !viewer.may(Act::Search) {
        return Err(site.error(ServiceError::NotPermitted { act: Act::Search }));
    }
    let asked = typed.asked();
    let results = match &asked {
        Err(why) => Err(why.clone()),
        Ok(asked) if !asked.is_question() => Ok(None),
        Ok(asked) => match services.search(viewer, asked).await {
            Ok(results) => Ok(Some(results)),
            Err(ServiceError::Refused { why }) => Err(why),
            Err(error) => return Err(site.error(error)),
        },
    };
    let watches = services.watches(viewer).await.map_err(|e| site.error(e))?;
    let chosen = Filter::from_id(&typed.visa);
    let mut states = vec![("", "Alla", chosen.is_none())];
    states.extend(Filter::ALL.iter().map(|f| (f.id(), label(*f), chosen == Some(*f))));
    let accounts = accounts(&watches, &typed.konto);
    let page = typed.sida.min(LAST_PAGE);
    let more = matches!(&results, Ok(Some(Results { more: true, .. }))) && page < LAST_PAGE;
    let now = services.clock().now();
    let (status, notice, results) = match results {
        Ok(results) => (StatusCode::OK, None, results),
        Err(why) => (StatusCode::UNPROCESSABLE_ENTITY, Some(Notice::problem(why)), None),
    };
    let view = SearchPage {
        shell: inside.shell(site, Place::Search)?,
        notice,
        results: results.map(|r| r.found.into_iter().map(|found| row(found, now)).collect()),
        previous: (page > 0).then(|| href(page - 1)),
        next: more.then(|| href(page + 1)),
        form: SearchForm {
            words: typed.q,
            diary: typed.dnr,
            evidence: typed.bevis,
            accounts,
            states,
            from: typed.fran,
            to: typed.till,
            reason: typed.skal,
        },
    };
    Ok(page_with(site, status, &view))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_that_nobody_means_is_refused_and_not_left_out() {
        assert_eq!(day(" ", "Till"), Ok(None));
        assert!(day("2026-11-22", "Till").unwrap().is_some());
        for typed in ["9999-12-31", "-009999-01-01", "0001-01-01", "i går"] {
            assert!(day(typed, "Till").unwrap_err().starts_with("Dagen i fältet Till"), "{typed}");
        }
    }
}
