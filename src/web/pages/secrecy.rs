//! Secrecy marks of a case, and who else may open it: forms on its page.

use axum::extract::{Form, Path, State};
use axum::response::Response;
use serde::Deserialize;

use crate::domain::ids::{CaseId, UserId};
use crate::web::forms::ReasonFields;
use crate::web::pages::case::after;
use crate::web::state::{Inside, Site};

/// A mark.
#[derive(Clone, Debug, Deserialize)]
pub struct MarkFields {
    /// See [`csrf_matches`](crate::web::guard::csrf_matches).
    #[serde(default)]
    csrf: String,
    /// On which provision.
    #[serde(default)]
    lagrum: String,
    /// Why.
    #[serde(default)]
    skal: String,
}

/// Somebody who is let in, or out again.
#[derive(Clone, Debug, Deserialize)]
pub struct CircleFields {
    /// See [`csrf_matches`](crate::web::guard::csrf_matches).
    #[serde(default)]
    csrf: String,
    /// Who.
    person: i64,
    /// `ut`, or in.
    #[serde(default)]
    hur: String,
    /// Why.
    #[serde(default)]
    skal: String,
}

/// Marks the case.
pub async fn mark(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
    Form(fields): Form<MarkFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let case = CaseId(case);
    let done = site.services.mark_secret(&inside.viewer, case, &fields.lagrum, &fields.skal).await;
    after(&site, &inside, case, done).await
}

/// Lifts the mark.
pub async fn lift(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
    Form(fields): Form<ReasonFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let case = CaseId(case);
    let done = site.services.lift_secrecy(&inside.viewer, case, &fields.skal).await;
    after(&site, &inside, case, done).await
}

/// Lets somebody in, or out.
pub async fn circle(
    State(site): State<Site>,
    inside: Inside,
    Path(case): Path<i64>,
    Form(fields): Form<CircleFields>,
) -> Result<Response, Response> {
    inside.check(&site, &fields.csrf)?;
    let case = CaseId(case);
    let (who, is_in) = (UserId(fields.person), fields.hur != "ut");
    let done = site.services.change_circle(&inside.viewer, case, who, is_in, &fields.skal).await;
    after(&site, &inside, case, done).await
}
